#!/usr/bin/python3
"""clients_kafkajs_test.py -- runs kafkajs/kafkajs_test.js, with kafkajs from npm
in a folder of its own."""

import os
import tempfile

import npm
from claims import Skip, finish, run_client

KAFKAJS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kafkajs")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        try:
            npm.install(place, KAFKAJS, os.path.join(KAFKAJS, "kafkajs_test.js"))
            results = run_client(["node", "kafkajs_test.js"], cwd=place)
        except Skip as reason:
            print(f"skipped kafkajs: {reason}")
            results = 0, 0, 1
    finish(*results)
