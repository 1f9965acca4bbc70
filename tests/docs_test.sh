#!/bin/sh
# docs_test.sh -- the pages that are made from tables are as the tables say.
exec "${srcdir:-.}/docs/generate" --check .
