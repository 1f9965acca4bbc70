"""once -- what the tests of exactly-once loops share: logd is killed under a load, over and over, until all has arrived.

A load is a feeder, which sends, processes that work, and a reader, which sees what they have committed.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from machine import Daemon, Disk, free_port, skip

try:
    from confluent_kafka import Consumer, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError:
    skip("python3-confluent-kafka is not installed")

BEGIN_S = 60        # for the first record to arrive
END_S = 90          # for the last records to arrive, at the end
SETTINGS = {"log.segment.bytes": 1000000, "weir.checkpoint.interval.ms": 300, "weir.journal.bytes": 4194304,
            "group.min.session.timeout.ms": 1000, "log.cleaner.backoff.ms": 100}


class Faults:
    def __init__(self):
        self.lock, self.texts = threading.Lock(), []

    def add(self, text):
        with self.lock:
            if len(self.texts) < 20:
                print("FAIL:", text, flush=True)
            self.texts.append(text)


def client(port, **more):
    return {"bootstrap.servers": f"127.0.0.1:{port}", "reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 100,
            "log_level": 0, **{name.replace("_", "."): value for name, value in more.items()}}


def create(port, partitions, *topics):
    admin = AdminClient(client(port))
    for made in admin.create_topics([NewTopic(t, partitions, 1) for t in topics]).values():
        made.result(30)


class Feeder(threading.Thread):
    """Sends what feed() gives to its producer, which is asked for more every `pause_s`."""

    def __init__(self, port, pause_s):
        super().__init__(daemon=True)
        self.over, self.pause_s = threading.Event(), pause_s
        self.producer = Producer(client(port, enable_idempotence=True, message_timeout_ms=120000, retry_backoff_ms=20))

    def run(self):
        while not self.over.is_set():
            self.feed()
            self.producer.poll(self.pause_s)
        self.producer.flush(60)


class Keeper(threading.Thread):
    """Keeps a process running: kills it after some time between the two of `life_s`, until it is spared; starts it anew.

    `command` makes its command line, given a number that it may take its choices from; `more` is for Popen.
    """

    def __init__(self, command, life_s, seed, **more):
        super().__init__(daemon=True)
        self.command, self.life_s, self.dice, self.more = command, life_s, random.Random(seed), more
        self.spared, self.over, self.lives = threading.Event(), threading.Event(), 0

    def run(self):
        while not self.over.is_set():
            self.lives += 1
            with subprocess.Popen(self.command(self.dice.randrange(1 << 30)), **self.more) as process:
                end = time.monotonic() + self.dice.uniform(*self.life_s)
                while process.poll() is None and not self.over.is_set() and (self.spared.is_set() or time.monotonic() < end):
                    time.sleep(0.05)
                process.kill()


class Reader(threading.Thread):
    """Gives what is committed in a topic to see(), as it comes."""

    def __init__(self, port, topic, partitions, faults):
        super().__init__(daemon=True)
        self.faults, self.begun, self.over = faults, threading.Event(), threading.Event()
        self.consumer = Consumer(client(port, group_id="reader", isolation_level="read_committed",
                                        enable_auto_commit=False, auto_offset_reset="error", fetch_wait_max_ms=50))
        self.consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])

    def run(self):
        while not self.over.is_set():
            for m in self.consumer.consume(1000, 0.1):
                if m.error() is None:
                    self.see(m)
                    self.begun.set()
                elif not m.error().retriable() and m.error().code() >= 0:
                    self.faults.add(f"reader: {m.error()}")
        self.consumer.close()


def run(make_load, kind, cuts_max, seconds, seed, sums):
    dice, faults = random.Random(seed), Faults()
    top = tempfile.mkdtemp(prefix="weir-once-")
    log = open(os.path.join(top, "log"), "wb")
    disk = Disk(kind, top, cuts_max)
    daemon = Daemon(disk, free_port(), log, SETTINGS)
    cuts = 0
    try:
        daemon.start()
        daemon.ready()
        load = make_load(daemon.port, top, seed, faults)
        for thread in (load.feeder, load.reader, *load.keepers):
            thread.start()
        load.reader.begun.wait(BEGIN_S)
        end = time.monotonic() + seconds
        while cuts < cuts_max and time.monotonic() < end:
            before = len(faults.texts)
            time.sleep(dice.uniform(*load.pause_s))
            daemon.cut()
            cuts += 1
            daemon.start()
            daemon.ready()
            sums["passed" if len(faults.texts) == before else "failed"] += 1
        load.feeder.over.set()
        for keeper in load.keepers:
            keeper.spared.set()
        load.feeder.join()
        late = time.monotonic() + END_S
        while load.missing() is not None and time.monotonic() < late:
            time.sleep(0.1)
        if load.missing() is not None:
            faults.add(load.missing())
        for thread in (*load.keepers, load.reader):
            thread.over.set()
        for thread in (*load.keepers, load.reader):
            thread.join(30)
        load.check()
        daemon.process.terminate()
        if daemon.process.wait(30) != 0:
            faults.add("logd did not end in order")
        sums["failed" if faults.texts else "passed"] += 1
        print(f"{cuts} cuts, {load.told()}, {sum(k.lives for k in load.keepers)} lives of {len(load.keepers)} workers", flush=True)
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()
        disk.remove()
        log.close()
        if faults.texts or sys.exc_info()[0] is not None:
            subprocess.run(["tail", "-n", "30", os.path.join(top, "log")], check=False)
        shutil.rmtree(top, ignore_errors=True)


def main(make_load, kind, bound):
    """Runs the load for so many seconds or (Nx) cuts, and prints the last line; returns the status to end with.

    `make_load(port, top, seed, faults)` makes what has .feeder, .keepers and .reader; .pause_s, the time between cuts;
    .missing(), what has not arrived yet; .check(), what is looked at when all has ended; .told(), for people.
    """
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    print(f"seed {seed} (SEED={seed} repeats its choices)", flush=True)
    sums = {"passed": 0, "failed": 0}
    if bound.endswith("x"):
        run(make_load, kind, int(bound[:-1]), float("inf"), seed, sums)
    else:
        run(make_load, kind, sys.maxsize if kind == "kill" else 1000, float(bound), seed, sums)
    print(f"{sums['passed']} passed, {sums['failed']} failed")
    sys.stdout.flush()
    return 0 if sums["failed"] == 0 else 1
