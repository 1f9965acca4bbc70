#!/usr/bin/env bash
# run.sh -- runs a fuzzer for a while, from its corpus.
#
#	tests/fuzz/run.sh NAME SECONDS
#
# In the folder of a build with --enable-fuzz.  An input that breaks something
# is kept there, as NAME-crash-...
set -uo pipefail

name=$1
seconds=$2
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
seeds=${srcdir:-.}/tests/fuzz/corpus/$name
[ ! -d "$seeds" ] || cp -r "$seeds/." "$corpus"
# Where a program makes the seeds, from a table, none are kept.
[ ! -x "tests/fuzz/${name}_seeds" ] || "tests/fuzz/${name}_seeds" "$corpus"

if "tests/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
	-print_final_stats=1 -verbosity=0 -artifact_prefix="$name-" "$corpus"; then
	echo '1 passed, 0 failed'
else
	echo "run it again with: tests/fuzz/${name}_fuzz FILE, the file's name standing above"
	echo '0 passed, 1 failed'
	exit 1
fi
