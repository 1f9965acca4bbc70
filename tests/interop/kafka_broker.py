"""kafka_broker -- an Apache Kafka broker of a test's own: one node, broker and controller, on a free port of loopback
and a folder of its own.  What a test asks of logd it can ask of this one too.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from claims import free_ports, until
from kafka_jars import fetch

START_S = 60
STOP_S = 60
TEST_JVM = ["-Xmx512m", "-XX:+UseG1GC"]
# As Kafka's own scripts start it.
SHIPPED_JVM = ["-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
               "-XX:+ExplicitGCInvokesConcurrent", "-XX:MaxInlineLevel=15", "-Djava.awt.headless=true"]
CLUSTER_ID = "AAAAAAAAAAAAAAAAAAAAAg"

# What differs from Kafka's defaults: one node; and what it waits for where logd's default waits for nothing.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
}


class Broker:
    """A running broker, with the names of weir_daemon.Daemon: .host, .port, .address, .dir, .said(), .stop(), .clean()."""

    def __init__(self, settings=None, jvm=None, port=None):
        """`port`: the one at which `settings` let clients in, where they say that; else a free one."""
        self._folder = tempfile.mkdtemp(prefix="weir-kafka-")
        self.host = "127.0.0.1"
        self.port, controller = free_ports(2)
        self.port = port or self.port
        self.address = f"{self.host}:{self.port}"
        self.dir = os.path.join(self._folder, "data")
        settings = {
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{self.host}:{controller}",
            "controller.quorum.voters": f"1@{self.host}:{controller}",
            "log.dirs": self.dir,
            **SETTINGS, **(settings or {}),
        }
        self._properties = os.path.join(self._folder, "server.properties")
        with open(self._properties, "w") as f:
            f.writelines(f"{name}={value}\n" for name, value in settings.items())
        self._java = ["java", *(jvm or TEST_JVM), "-Dlog4j2.level=WARN", "-cp", fetch("kafka")]
        self._log = open(os.path.join(self._folder, "log"), "wb")  # pylint: disable=consider-using-with
        subprocess.run([*self._java, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", self._properties],
                       check=True, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self.start()

    def start(self):
        """Starts it on its folder: again, once it has ended.  .began: when, by time.monotonic()."""
        self.began = time.monotonic()
        self.process = subprocess.Popen([*self._java, "kafka.Kafka", self._properties],
                                        stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        try:
            until("the broker takes connections", self._serves, START_S)
        except AssertionError:
            said = self.said()
            self.clean()
            raise AssertionError(f"the broker did not start; it said:\n{said[-4000:]}") from None

    def _serves(self):
        if self.process.poll() is not None:
            raise AssertionError("it ended")
        try:
            socket.create_connection((self.host, self.port), 1).close()
            return True
        except OSError:
            return False

    def said(self):
        with open(os.path.join(self._folder, "log"), errors="replace") as f:
            return f.read()

    def stop(self):
        """Ends it in order, and gives its exit status; 0 for the signal that it ends by."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        return 0 if status in (128 + signal.SIGTERM, -signal.SIGTERM) else status

    def clean(self):
        """Removes what it left on the disk, once it has ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)
