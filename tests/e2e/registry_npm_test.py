#!/usr/bin/python3
"""registry_npm_test.py -- clients of schema registries from npm, unmodified: @kafkajs/confluent-schema-registry and
avro-schema-registry, each reading what the other wrote."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import npm
import registry_values

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "registry_npm")
CLIENTS = {"kafkajs": ["node", "kafkajs_test.js"], "avro-schema-registry": ["node", "avro_schema_registry_test.js"]}


def prepare(place):
    npm.install(place, HERE, *(os.path.join(HERE, name) for name in ("run.js", *(script for _, script in CLIENTS.values()))))


if __name__ == "__main__":
    registry_values.main("registry-npm", prepare, lambda _: CLIENTS)
