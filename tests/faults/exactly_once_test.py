#!/usr/bin/python3
"""exactly_once_test.py -- consume, transform, produce and commit in one transaction, while logd is killed.

    exactly_once_test.py kill|ext4|xfs  SECONDS|Nx

as crash_test.py.  A feeder numbers the records of each partition of a topic; workers of one group copy them to
another, each batch with its offsets in one transaction, some of which they abort; now and then one is killed, and
another with its transactional id takes its place.  A reader of what is committed follows: of each
partition it must see every number once, in order.  WEIR_LOGD names the daemon.  The last line is
"N passed, N failed"; a cut, with what was read up to the next, is one.
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
    from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError:
    skip("python3-confluent-kafka is not installed")

PARTITIONS, WORKERS = 2, 2
IN, OUT, GROUP = "in", "out", "workers"
BATCH = 40          # records in a transaction, at the most
END_S = 90          # for the last records to arrive, at the end
SETTINGS = {"log.segment.bytes": 1000000, "weir.checkpoint.interval.ms": 300, "weir.journal.bytes": 4194304,
            "group.min.session.timeout.ms": 1000}


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


class Feeder(threading.Thread):
    def __init__(self, port):
        super().__init__(daemon=True)
        self.over, self.n = threading.Event(), [0] * PARTITIONS
        self.producer = Producer(client(port, enable_idempotence=True, message_timeout_ms=120000, retry_backoff_ms=20,
                                        queue_buffering_max_messages=2000))

    def run(self):
        while not self.over.is_set():
            for p in range(PARTITIONS):
                try:
                    self.producer.produce(IN, str(self.n[p]), partition=p)
                    self.n[p] += 1
                except BufferError:
                    pass
            self.producer.poll(0.002)
        self.producer.flush(60)


class Workers:
    """Processes that copy, each of which is killed now and then: the one that takes its place fences what is left of it."""

    def __init__(self, port, top, seed):
        self.port, self.dice, self.over = port, random.Random(seed), threading.Event()
        self.counts, self.lives = os.path.join(top, "counts"), 0
        self.threads = [threading.Thread(target=self.keep, args=(f"worker-{i}",), daemon=True) for i in range(WORKERS)]

    def keep(self, name):
        while not self.over.is_set():
            self.lives += 1
            with subprocess.Popen([sys.executable, __file__, "worker", name, str(self.port),
                                   str(self.dice.randrange(1 << 30)), self.counts]) as process:
                end = time.monotonic() + self.dice.uniform(1, 20)
                while process.poll() is None and not self.over.is_set() and time.monotonic() < end:
                    time.sleep(0.05)
                process.kill()

    def counted(self, what):
        try:
            with open(self.counts, "rb") as f:
                return f.read().count(what)
        except FileNotFoundError:
            return 0


class Worker:
    def __init__(self, name, port, seed, counts):
        self.dice, self.counts = random.Random(seed), open(counts, "ab", buffering=0)
        self.consumer = Consumer(client(port, group_id=GROUP, auto_offset_reset="error", enable_auto_commit=False,
                                        isolation_level="read_committed", session_timeout_ms=1000,
                                        heartbeat_interval_ms=200, fetch_wait_max_ms=50))
        self.producer = Producer(client(port, transactional_id=name, transaction_timeout_ms=5000,
                                        retry_backoff_ms=20, message_timeout_ms=5000))

    def run(self):
        """Until it is killed, or can't go on: then another takes over."""
        until(lambda: self.producer.init_transactions(5))
        self.consumer.subscribe([IN])
        while True:
            records = []
            for m in self.consumer.consume(self.dice.randint(1, BATCH), 0.1):
                if m.error() is None:
                    records.append(m)
                elif m.error().code() == KafkaError._AUTO_OFFSET_RESET:
                    # librdkafka 2.0.2 takes an offset for none that was pending while the assignment changed.
                    self.counts.write(b"r")
                    raise KafkaException(m.error())
            if records:
                self.copy(records)

    def copy(self, records):
        producer, consumer = self.producer, self.consumer
        producer.begin_transaction()
        try:
            for m in records:
                producer.produce(OUT, m.value(), partition=m.partition())
            offsets = {m.partition(): m.offset() + 1 for m in records}
            producer.send_offsets_to_transaction([TopicPartition(IN, p, o) for p, o in offsets.items()],
                                                 consumer.consumer_group_metadata(), 10)
            if self.dice.random() < 0.1:
                raise Regret
            until(lambda: producer.commit_transaction(10))
            self.counts.write(b"c")
        except (KafkaException, Regret) as e:
            if isinstance(e, KafkaException) and not e.args[0].txn_requires_abort():
                raise
            until(lambda: producer.abort_transaction(10))
            self.counts.write(b"a")
            # Back to where the group is; where that is not known for now (an offset may be pending), another life knows it.
            for at in consumer.committed(consumer.assignment(), 10):
                if at.error is not None:
                    raise KafkaException(at.error) from e
                consumer.seek(at)


class Regret(Exception):
    """A transaction is aborted for no reason."""


def until(call):
    """Calls until it does not ask to be called again."""
    while True:
        try:
            return call()
        except KafkaException as e:
            if not e.args[0].retriable():
                raise


class Reader(threading.Thread):
    """Sees what is committed, as it comes."""

    def __init__(self, port, faults):
        super().__init__(daemon=True)
        self.faults, self.over, self.next = faults, threading.Event(), [0] * PARTITIONS
        self.consumer = Consumer(client(port, group_id="reader", isolation_level="read_committed",
                                        enable_auto_commit=False, auto_offset_reset="error", fetch_wait_max_ms=50))
        self.consumer.assign([TopicPartition(OUT, p, 0) for p in range(PARTITIONS)])

    def run(self):
        while not self.over.is_set():
            for m in self.consumer.consume(1000, 0.1):
                if m.error() is not None:
                    if not m.error().retriable() and m.error().code() >= 0:
                        self.faults.add(f"reader: {m.error()}")
                    continue
                p, value = m.partition(), int(m.value())
                if value != self.next[p]:
                    self.faults.add(f"partition {p} offset {m.offset()}: {value} came, {self.next[p]} was next")
                self.next[p] = value + 1
        self.consumer.close()


def run(kind, cuts_max, end, seed, sums):
    dice, faults = random.Random(seed), Faults()
    top = tempfile.mkdtemp(prefix="weir-once-")
    log = open(os.path.join(top, "log"), "wb")
    disk = Disk(kind, top, cuts_max)
    daemon = Daemon(disk, free_port(), log, SETTINGS)
    cuts = 0
    try:
        daemon.start()
        daemon.ready()
        admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{daemon.port}"})
        for made in admin.create_topics([NewTopic(t, PARTITIONS, 1) for t in (IN, OUT)]).values():
            made.result(30)
        del admin
        begin = Consumer(client(daemon.port, group_id=GROUP))
        begin.commit(offsets=[TopicPartition(IN, p, 0) for p in range(PARTITIONS)], asynchronous=False)
        begin.close()
        feeder, reader = Feeder(daemon.port), Reader(daemon.port, faults)
        workers = Workers(daemon.port, top, seed)
        for thread in (feeder, reader, *workers.threads):
            thread.start()
        while cuts < cuts_max and time.monotonic() < end:
            before = len(faults.texts)
            time.sleep(dice.uniform(0.3, 1.5))
            daemon.cut()
            cuts += 1
            daemon.start()
            daemon.ready()
            sums["passed" if len(faults.texts) == before else "failed"] += 1
        feeder.over.set()
        feeder.join()
        late = time.monotonic() + END_S
        while reader.next != feeder.n and time.monotonic() < late:
            time.sleep(0.1)
        if reader.next != feeder.n:
            faults.add(f"{feeder.n} were sent, {reader.next} have arrived")
        workers.over.set()
        reader.over.set()
        for thread in (*workers.threads, reader):
            thread.join(30)
        daemon.process.terminate()
        if daemon.process.wait(30) != 0:
            faults.add("logd did not end in order")
        sums["failed" if faults.texts else "passed"] += 1
        print(f"{cuts} cuts, {sum(feeder.n)} records, {workers.counted(b'c')} commits, {workers.counted(b'a')} aborts, "
              f"{workers.lives} lives of {WORKERS} workers, {workers.counted(b'r')} that lost their place", flush=True)
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()
        disk.remove()
        log.close()
        if faults.texts or sys.exc_info()[0] is not None:
            subprocess.run(["tail", "-n", "30", os.path.join(top, "log")], check=False)
        shutil.rmtree(top, ignore_errors=True)


def work(name, port, seed, counts):
    try:
        Worker(name, int(port), int(seed), counts).run()
    finally:
        os._exit(1)  # a consumer's close may hang while the daemon is away


def main():
    if sys.argv[1] == "worker":
        work(*sys.argv[2:])
    kind, bound = sys.argv[1], sys.argv[2]
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    print(f"seed {seed} (SEED={seed} repeats its choices)", flush=True)
    sums = {"passed": 0, "failed": 0}
    if bound.endswith("x"):
        run(kind, int(bound[:-1]), float("inf"), seed, sums)
    else:
        run(kind, sys.maxsize if kind == "kill" else 1000, time.monotonic() + float(bound), seed, sums)
    print(f"{sums['passed']} passed, {sums['failed']} failed")
    sys.stdout.flush()
    os._exit(0 if sums["failed"] == 0 else 1)


main()
