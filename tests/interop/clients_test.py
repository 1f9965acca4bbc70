#!/usr/bin/python3
"""clients_test.py -- Apache Kafka's Java clients against the daemon: Clients.java, with the clients of a version.

    clients_test.py 4.1|3.9 [--kafka]       --kafka: against an Apache Kafka broker, which has to pass it, too
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))

from claims import Skip, finish, run_client
from kafka_broker import Broker
from kafka_jars import HERE, JAVA, fetch

PROFILES = {"4.1": "kafka", "3.9": "clients-3.9"}

if __name__ == "__main__":
    version = sys.argv[1]
    try:
        command = [*JAVA, "-cp", fetch(PROFILES[version]), os.path.join(HERE, "Clients.java")]
    except Skip as reason:
        print(f"skipped kafka-clients {version}: {reason}")
        finish(0, 0, 1)
    if "--kafka" in sys.argv:
        broker = Broker()
        status = subprocess.run([*command, broker.address], check=False).returncode
        broker.stop()
        broker.clean()
        sys.exit(status)
    finish(*run_client(command))
