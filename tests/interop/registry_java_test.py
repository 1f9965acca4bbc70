#!/usr/bin/python3
"""registry_java_test.py -- Confluent's Java client of the registry, unmodified: RegistryClient.java."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))

import registry_values
from kafka_jars import HERE, JAVA, fetch

if __name__ == "__main__":
    registry_values.main("registry-java", lambda place: fetch("registry"), lambda jars: {
        "java": [*JAVA, "-cp", jars, os.path.join(HERE, "RegistryClient.java")]})
