#!/usr/bin/python3
"""bench_kafka.py -- the daemon beside an Apache Kafka broker: make bench-kafka.

    bench_kafka.py [--quick] [--rounds N] [--dir FOLDER] [--only TEXT]

Both get the same load from the same program (tests/bench/load), over topics with the same settings, on the same file
system.  The broker runs as Kafka's own scripts start it (1 GB of heap, G1), with default settings but for having one
node, and both get two million records before anything is measured, so that what is compiled at run time is.  Then they
have turns, the other one first in each second round; figures are medians over the rounds.

Each load comes from two clients.  librdkafka is what programs use, and needs more of the processors than a broker: what
is shown is what its users see.  "bare" are four sockets, each with five requests under way, of batches of 64 KB that
were made before: there the broker is what limits.

acks=all is not the same of both: the broker has the records in memory then, the daemon on stable storage.  So there are
rows with a broker that syncs each batch (flush.messages=1), too.  Latencies count from when a record was due, so what
waits behind something slow counts as slow.

It prints Markdown, and with it what targets were reached.  Nothing fails for being slow; nothing else may run beside it.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))

import raw_client
import weir_daemon
from claims import Skip, until
from kafka_broker import SHIPPED_JVM, Broker

NAMES = KAFKA, WEIR = "Kafka", "Weir"
CLIENTS = "librdkafka", "bare"
PARTITIONS = 16
RECORDS = {100: 3000000, 1000: 1000000}     # of a row of the throughput; a quarter of it where each batch is synced
SYNCED = "flush.messages=1"
MODES = [("acks=1", "1", 1, ()), ("acks=all", "all", 1, ()), ("acks=all, Kafka synced", "all", 4, (SYNCED,))]
WARM_UP = 2000000     # records
WARM_BYTES = 2 << 30
RATES = [("1,000/s", 1000, 0), ("10,000/s", 10000, 0), ("50 MB/s", 50000, 1)]     # records in a second, linger in ms
RATE_BYTES = 1000
RATE_S = 10
DISK_SYNCS = 1000
REST_S = 15      # for memory that was kept for more of the same
LOAD_S = 300
QUICK = 50       # so many times less, with --quick

# What Weir is to reach beside Kafka.
HALF, THIRD, FIFTIETH, MORE, LESS = "<= 0.5", "<= 0.33", "<= 0.02", ">= 1.5", "<= 1"
CPU_TARGET = {100: THIRD, 1000: HALF}


def reached(target, ratio):
    limit = float(target.split()[1])
    return ratio <= limit if target.startswith("<") else ratio >= limit


class Table:
    """Prints rows as they come, and counts."""

    def __init__(self):
        self.reached = self.missed = self.passed = self.failed = 0
        print("| what | figure | Kafka | Weir | ratio | target |")
        print("|---|---|--:|--:|--:|---|", flush=True)

    def row(self, what, figure, kafka, weir, target=None):
        ratio = weir / kafka if kafka else 0
        judged = ""
        if target:
            ok = reached(target, ratio)
            self.reached += ok
            self.missed += not ok
            judged = f"{target} {'reached' if ok else 'MISSED'}"
        print(f"| {what} | {figure} | {self.number(kafka)} | {self.number(weir)} | {f'{ratio:.3g}' if kafka else ''} | {judged} |",
              flush=True)
        self.passed += 1

    @staticmethod
    def number(n):
        return f"{n:,.0f}" if n >= 100 else f"{n:.3g}"

    def fail(self, what, why):
        self.failed += 1
        print(f"| {what} | FAILED | | | | {' '.join(str(why).split())} |", flush=True)


# ---- the two ----

class Weir:
    """The daemon, with the names of Broker."""

    def __init__(self):
        self._folder = tempfile.mkdtemp(prefix="weir-bench-")
        self.start()

    def start(self):
        self.began = time.monotonic()
        self._daemon = weir_daemon.start(folder=self._folder)
        self.process, self.host, self.port, self.address = (
            self._daemon.process, self._daemon.host, self._daemon.port, self._daemon.address)

    def stop(self):
        return self._daemon.stop()

    def clean(self):
        self._daemon.clean()
        shutil.rmtree(self._folder, ignore_errors=True)


MAKERS = {KAFKA: lambda: Broker(jvm=SHIPPED_JVM), WEIR: Weir}


def first_answer_ms(server):
    """From when it was started until it has answered a request."""
    client = raw_client.Client(server.host, server.port)
    until("it answers", lambda: client.ask("metadata", 1, topics=[])["brokers"])
    client.close()
    return (time.monotonic() - server.began) * 1000


def cpu_s(server):
    """Processor seconds that it has taken, with all its threads."""
    # What clock_getcpuclockid() gives; /proc counts in ticks of 10 ms.
    return time.clock_gettime(~server.process.pid << 3 | 2)


def memory_mb(server):
    with open(f"/proc/{server.process.pid}/smaps_rollup") as f:
        return int(re.search(r"^Pss: +(\d+) kB", f.read(), re.M)[1]) / 1000


class Bench:
    def __init__(self, arguments):
        self.quick, self.only = arguments.quick, arguments.only
        self.rounds = 1 if self.quick else arguments.rounds
        self.load_program = arguments.load
        self.table = Table()
        self.topics = 0
        self.servers = {}

    def close(self):
        for server in self.servers.values():
            server.stop()
            server.clean()

    # ---- a load ----

    def topic(self, server, configs):
        """Makes one, and waits until its partitions are led."""
        self.topics += 1
        name = f"bench-{self.topics}"
        # What earlier rows wrote is not to be on its way to the disk still.
        configs = [dict(zip(("name", "value"), c.split("="))) for c in ("file.delete.delay.ms=100", *configs)]
        client = raw_client.Client(server.host, server.port)
        made = client.ask("create_topics", 5, topics=[{"name": name, "num_partitions": PARTITIONS, "replication_factor": 1,
                                                       "configs": configs}])["topics"][0]
        if made["error_code"]:
            raise AssertionError(f"the topic was not made: {made['error_message']}")
        until("the topic is led", lambda: self._led(client, name))
        client.close()
        return name

    @staticmethod
    def _led(client, name):
        topic = client.ask("metadata", 4, topics=[{"name": name}], allow_auto_topic_creation=False)["topics"][0]
        return len(topic["partitions"]) == PARTITIONS and not any(p["error_code"] for p in topic["partitions"])

    @staticmethod
    def drop(server, name):
        client = raw_client.Client(server.host, server.port)
        client.ask("delete_topics", 1, topic_names=[name], timeout_ms=30000)
        client.close()

    @staticmethod
    def warm_pages(size):
        """Memory that the page cache had just before: on virtual machines the first touch of a page is dear (tests/bench)."""
        chunk = bytes(1 << 20)
        with tempfile.TemporaryFile(buffering=0) as f:
            for _ in range(0, min(size, WARM_BYTES), len(chunk)):
                f.write(chunk)

    def run_load(self, server, topic, client, records, *options):
        """What the load says, with the server's processor seconds for a million records."""
        command = [self.load_program, "--client", client, "--records", records, "--partitions", PARTITIONS, *options,
                   server.address, topic]
        before = cpu_s(server)
        done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True, timeout=LOAD_S)
        if done.returncode != 0:
            raise AssertionError(done.stderr.strip() or f"the load ended with status {done.returncode}")
        told = {name: float(value) for name, value in (word.split("=") for word in done.stdout.split())}
        told["CPU s/M"] = (cpu_s(server) - before) / records * 1e6
        told["client CPU s/M"] = told["client_cpu_s"] / records * 1e6
        return told

    def turns(self, what, load, targets):
        """Prints a row for each of the targets' figures of load(server): medians over the rounds."""
        if self.only not in what:
            return
        told = {name: [] for name in NAMES}
        try:
            for i in range(self.rounds):
                for name in NAMES if i % 2 == 0 else reversed(NAMES):
                    os.sync()
                    told[name].append(load(self.servers[name]))
        except (AssertionError, subprocess.TimeoutExpired) as why:
            self.table.fail(what, f"{name}: {why}")
            return
        for figure, target in targets.items():
            self.table.row(what, figure, *(statistics.median(t[figure] for t in told[name]) for name in NAMES), target)

    def in_topic(self, server, configs, use):
        """What use(topic) gives; the topic is there only for that, and only the broker has the settings."""
        topic = self.topic(server, configs if server is self.servers[KAFKA] else ())
        try:
            return use(topic)
        finally:
            self.drop(server, topic)

    # ---- rows ----

    def produce(self, client, size, mode, codec="none"):
        name, acks, part, configs = mode
        records = RECORDS[size] // part // (QUICK if self.quick else 1)

        def load(server):
            self.warm_pages(records * size)
            told = self.in_topic(server, configs, lambda topic: self.run_load(
                server, topic, client, records, "--bytes", size, "--acks", acks, "--codec", codec))
            return {"records/s": told["records_per_s"], "MB/s": told["mb_per_s"], **told}

        self.turns(f"produce, {size} B, {name}{', ' + codec if codec != 'none' else ''}, {client}", load,
                   {"records/s": MORE, "MB/s": None, "CPU s/M": CPU_TARGET[size], "client CPU s/M": None})

    def consume(self, client, size):
        records = RECORDS[size] // (QUICK if self.quick else 1)

        def use(server, topic):
            self.warm_pages(records * size)
            self.run_load(server, topic, "bare", records, "--bytes", size)
            return self.run_load(server, topic, client, records, "--bytes", size, "--consume")

        def load(server):
            told = self.in_topic(server, (), lambda topic: use(server, topic))
            return {"records/s": told["records_per_s"], "MB/s": told["mb_per_s"], **told}

        self.turns(f"consume, {size} B, {client}", load,
                   {"records/s": MORE, "MB/s": None, "CPU s/M": CPU_TARGET[size], "client CPU s/M": None})

    def latency(self, client, rate, synced):
        text, per_s, linger_ms = rate
        records = per_s * (2 if self.quick else RATE_S)

        def load(server):
            self.warm_pages(records * RATE_BYTES)
            told = self.in_topic(server, (SYNCED,) if synced else (), lambda topic: self.run_load(
                server, topic, client, records, "--bytes", RATE_BYTES, "--acks", "all", "--rate", per_s, "--linger", linger_ms))
            return {**told, **{f"{p} ms": told[f"{p}_us"] / 1000 for p in ("p50", "p99", "p99.9", "most")}}

        # With a sync, it is to be faster than the other without.
        tail = THIRD if per_s == RATES[-1][1] else LESS
        self.turns(f"{text} of 1 KB, acks=all{', Kafka synced' if synced else ''}, {client}", load,
                   {"p50 ms": LESS, "p99 ms": tail, "p99.9 ms": None, "most ms": None, "CPU s/M": HALF})

    def disk(self, folder):
        """Appends of 1 KB, each with its fdatasync: what a sync costs here at all."""
        took = []
        with tempfile.TemporaryFile(dir=folder, buffering=0) as f:
            for _ in range(DISK_SYNCS // (10 if self.quick else 1)):
                began = time.monotonic()
                f.write(bytes(RATE_BYTES))
                os.fdatasync(f.fileno())
                took.append((time.monotonic() - began) * 1000)
        took.sort()
        return took[len(took) // 2], took[len(took) * 99 // 100]

    def start_empty(self):
        """Leaves the last of each running."""
        took = {name: [] for name in NAMES}
        for _ in range(self.rounds):
            self.close()
            for name in NAMES:
                self.servers[name] = MAKERS[name]()
                took[name].append(first_answer_ms(self.servers[name]))
        self.table.row("empty folder to first answer", "ms", *(statistics.median(took[n]) for n in NAMES), FIFTIETH)

    def start_again(self):
        """With a GB of data, after an end in order."""
        for server in self.servers.values():
            self.run_load(server, self.topic(server, ()), "bare", RECORDS[1000] // (QUICK if self.quick else 1), "--bytes", 1000)
        took = {name: [] for name in NAMES}
        for _ in range(self.rounds):
            for name in NAMES:
                self.servers[name].stop()
                self.servers[name].start()
                took[name].append(first_answer_ms(self.servers[name]))
        self.table.row("start with 1 GB, after a clean stop", "ms", *(statistics.median(took[n]) for n in NAMES), FIFTIETH)

    def memory(self, what):
        self.table.row(what, "PSS MB", *(memory_mb(self.servers[name]) for name in NAMES), FIFTIETH)

    def warm_up(self):
        records = WARM_UP // (QUICK if self.quick else 1)
        for server in self.servers.values():
            for client in CLIENTS:
                self.in_topic(server, (), lambda topic, s=server, c=client: (
                    self.run_load(s, topic, c, records // 2, "--bytes", 100, "--acks", "all"),
                    self.run_load(s, topic, c, records // 2, "--bytes", 100, "--consume")))

    def run(self):
        self.start_empty()
        self.memory("idle, nothing stored")
        self.warm_up()
        for size in RECORDS:
            for mode in MODES:
                for client in CLIENTS:
                    self.produce(client, size, mode)
        for client in CLIENTS:
            self.produce(client, 1000, MODES[0], "lz4")
        for size in RECORDS:
            for client in CLIENTS:
                self.consume(client, size)
        for rate in RATES:
            for synced in (False, True):
                for client in CLIENTS:
                    self.latency(client, rate, synced)
        self.memory("after all this")
        time.sleep(REST_S)
        self.memory(f"after all this, {REST_S} s later")
        self.start_again()


def file_system(folder):
    """What the folder is on: its mount with the longest name that it is below."""
    folder = os.path.realpath(folder)
    with open("/proc/mounts") as f:
        mounts = [line.split()[:3] for line in f]
    device, at, kind = max((m for m in mounts if os.path.commonpath([m[1], folder]) == m[1]), key=lambda m: len(m[1]))
    return f"{kind} on {device}, at {at}, {shutil.disk_usage(folder).free // 10**9} GB free"


def parse():
    parser = argparse.ArgumentParser(description="The daemon beside an Apache Kafka broker.")
    parser.add_argument("--quick", action="store_true", help="a smoke run of some three minutes: every row, small; its figures say nothing")
    parser.add_argument("--rounds", type=int, default=3, help="of each row, of which the median is shown")
    # Not /tmp, which may be memory.
    parser.add_argument("--dir", default="/var/tmp", help="a folder on the disk that is measured, with 10 GB (default: /var/tmp)")
    parser.add_argument("--only", default="", help="only the loads whose names have this in them")
    parser.add_argument("--load", default=os.path.join(os.environ.get("builddir", "."), "tests/bench/load"),
                        help="the program that makes the load")
    return parser.parse_args()


def main():
    arguments = parse()
    tempfile.tempdir = arguments.dir
    print(f"File system: {file_system(arguments.dir)}. Processors: {os.cpu_count()}.\n")
    bench = Bench(arguments)
    p50, p99 = bench.disk(arguments.dir)
    try:
        bench.run()
    except Skip as reason:
        sys.exit(f"bench_kafka: {reason}")
    finally:
        bench.close()
    print(f"\nAn append of 1 KB and its fdatasync, alone, before all this: p50 {p50:.2f} ms, p99 {p99:.2f} ms.")
    print(f"{bench.table.reached} targets reached, {bench.table.missed} missed")
    print(f"{bench.table.passed} passed, {bench.table.failed} failed")
    sys.exit(1 if bench.table.failed else 0)


if __name__ == "__main__":
    main()
