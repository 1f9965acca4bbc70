#!/usr/bin/python3
"""bench_kafka.py -- the daemon beside an Apache Kafka broker: make bench-kafka.

    bench_kafka.py [ROUNDS [RECORDS]]       3 rounds, 300000 records of 1 KB in each row of the throughput

Both get the same load from Kafka's own tools, in turns, each after a round that is not counted, since a virtual machine
is slow at first; figures are medians over the rounds.  acks=all is not the same of both: the broker has the records in
memory then, the daemon on stable storage.  So there is a row with a broker that syncs each append (flush.messages=1),
too.  Nothing else may run beside it.
"""

import os
import re
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))

import raw_client
import weir_daemon
from claims import Skip, options, until
from kafka_broker import Broker
from kafka_jars import Toolbox
from tools_test import TOOLS

BYTES = 1000
PARTITIONS = 16
RATES = 1000, 10000     # records per second, for latencies
RATE_S = 10             # for which they are kept
TICKS = os.sysconf("SC_CLK_TCK")
NAMES = "Kafka", "Weir"


def cpu_s(server):
    """Processor seconds that it has taken, of all its threads."""
    with open(f"/proc/{server.process.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(server):
    with open(f"/proc/{server.process.pid}/smaps_rollup") as f:
        return int(re.search(r"^Pss: +(\d+) kB", f.read(), re.M)[1]) / 1000


def start(which):
    """A server, with the time until it has answered its first request."""
    began = time.monotonic()
    server = Broker() if which == "Kafka" else weir_daemon.start(options({}))
    client = raw_client.Client(server.host, server.port)
    until("it answers", lambda: client.ask("metadata", 1, topics=[])["brokers"])
    client.close()
    return server, time.monotonic() - began


class Bench:
    def __init__(self, rounds, records):
        self.rounds, self.records = rounds, records
        self.box = Toolbox()
        self.servers, self.ready_s = zip(*(start(name) for name in NAMES))
        self.topics = 0

    def close(self):
        self.box.close()
        for server in self.servers:
            server.stop()
            server.clean()

    def topic(self, server, *configs):
        self.topics += 1
        name = f"bench-{self.topics}"
        words = [word for c in configs for word in ("--config", c)]
        self.box.run(TOOLS["kafka-topics"], "--bootstrap-server", server.address, "--create", "--topic", name,
                     "--partitions", PARTITIONS, *words)
        return name

    def drop(self, server, name):
        self.box.run(TOOLS["kafka-topics"], "--bootstrap-server", server.address, "--delete", "--topic", name)

    def produce(self, server, topic, acks, rate=-1, records=None, linger_ms=5):
        """What the tool says: records per second, and latencies in ms."""
        said = self.box.run(TOOLS["kafka-producer-perf-test"], "--topic", topic, "--num-records", records or self.records,
                            "--record-size", BYTES, "--throughput", rate, "--producer-props",
                            "bootstrap.servers=" + server.address, f"acks={acks}", f"linger.ms={linger_ms}", "batch.size=262144",
                            "buffer.memory=67108864")
        last = said.strip().splitlines()[-1]
        found = re.search(r", ([\d.]+) records/sec .* (\d+) ms 50th, \d+ ms 95th, (\d+) ms 99th, (\d+) ms 99\.9th", last)
        return dict(zip(("records/s", "p50 ms", "p99 ms", "p99.9 ms"), map(float, found.groups())))

    def consume(self, server, topic):
        said = self.box.run(TOOLS["kafka-consumer-perf-test"], "--bootstrap-server", server.address, "--topic", topic,
                            "--messages", self.records, "--timeout", 60000, "--group", topic)
        return {"records/s": float(said.strip().splitlines()[-1].split(", ")[9])}

    def costing(self, server, records, load):
        """What the load says, with the server's processor seconds for a million records."""
        before = cpu_s(server)
        told = load()
        return {**told, "CPU s/M": (cpu_s(server) - before) / records * 1e6}

    def turns(self, name, load):
        """Prints a row for each thing that load(server) tells: medians over the rounds, after one that is not counted."""
        told = [[], []]
        for i in range(self.rounds + 1):
            for kept, server in zip(told, self.servers):
                figures = load(server)
                if i > 0:
                    kept.append(figures)
        for what in told[0][0]:
            self.row(name, what, *(statistics.median(t[what] for t in kept) for kept in told))

    @staticmethod
    def row(name, what, kafka, weir):
        ratio = f"{weir / kafka:.2f}" if kafka else "-"
        print(f"| {name:<34} | {what:<10} | {kafka:>10.1f} | {weir:>10.1f} | {ratio:>6} |", flush=True)

    def throughput(self, server, acks, *configs):
        topic = self.topic(server, *(configs if server is self.servers[0] else ()))
        told = self.costing(server, self.records, lambda: self.produce(server, topic, acks))
        self.drop(server, topic)
        return {k: told[k] for k in ("records/s", "CPU s/M")}

    def reading(self, server):
        topic = self.topic(server)
        self.produce(server, topic, 1)
        told = self.costing(server, self.records, lambda: self.consume(server, topic))
        self.drop(server, topic)
        return told

    def latency(self, server, rate, *configs):
        topic = self.topic(server, *(configs if server is self.servers[0] else ()))
        told = self.costing(server, rate * RATE_S, lambda: self.produce(server, topic, "all", rate, rate * RATE_S, 0))
        self.drop(server, topic)
        return {k: told[k] for k in ("p50 ms", "p99 ms", "p99.9 ms", "CPU s/M")}

    def run(self):
        print("| what                               | figure     |      Kafka |       Weir |  ratio |")
        print("|---|---|--:|--:|--:|")
        self.row("empty folder to first answer", "ms", *(s * 1000 for s in self.ready_s))
        self.row("idle", "PSS MB", *map(memory_mb, self.servers))
        self.turns("produce, acks=1", lambda s: self.throughput(s, 1))
        self.turns("produce, acks=all", lambda s: self.throughput(s, "all"))
        self.turns("produce, acks=all, Kafka synced", lambda s: self.throughput(s, "all", "flush.messages=1"))
        self.turns("consume", self.reading)
        for rate in RATES:
            self.turns(f"{rate} records/s, acks=all", lambda s, rate=rate: self.latency(s, rate))
            self.turns(f"{rate} records/s, Kafka synced", lambda s, rate=rate: self.latency(s, rate, "flush.messages=1"))
        self.row("after all this", "PSS MB", *map(memory_mb, self.servers))


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:3]]
    try:
        bench = Bench(*(numbers + [3, 300000][len(numbers):]))
    except Skip as reason:
        sys.exit(f"bench_kafka: {reason}")
    try:
        bench.run()
    finally:
        bench.close()
