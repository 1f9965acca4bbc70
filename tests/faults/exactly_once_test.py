#!/usr/bin/python3
"""exactly_once_test.py -- consume, transform, produce and commit in one transaction, while logd is killed.

    exactly_once_test.py kill|ext4|xfs  SECONDS|Nx

as crash_test.py.  A feeder numbers the records of each partition of a topic; workers of one group copy them to
another, each batch with its offsets in one transaction, some of which they abort, and now and then a worker begins
anew with its transactional id, which fences what it was.  A reader of what is committed follows: of each
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
    from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
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


class Worker(threading.Thread):
    def __init__(self, name, port, faults, seed):
        super().__init__(daemon=True)
        self.name, self.port, self.faults = name, port, faults
        self.over, self.dice = threading.Event(), random.Random(seed)
        self.commits = self.aborts = self.lives = 0

    def run(self):
        while not self.over.is_set():
            self.lives += 1
            consumer = Consumer(client(self.port, group_id=GROUP, auto_offset_reset="earliest", enable_auto_commit=False,
                                       isolation_level="read_committed", session_timeout_ms=3000,
                                       heartbeat_interval_ms=300, fetch_wait_max_ms=50))
            producer = Producer(client(self.port, transactional_id=self.name, transaction_timeout_ms=5000,
                                       retry_backoff_ms=20, message_timeout_ms=5000))
            try:
                self.live(consumer, producer)
            except KafkaException as e:
                # Fenced by a timeout, or worse: a new one takes over.
                if not e.args[0].fatal() and not e.args[0].retriable():
                    time.sleep(0.05)
            finally:
                consumer.close()

    def live(self, consumer, producer):
        until("init", lambda: producer.init_transactions(5))
        consumer.subscribe([IN])
        while not self.over.is_set() and self.dice.random() > 0.01:
            records = [m for m in consumer.consume(self.dice.randint(1, BATCH), 0.1) if m.error() is None]
            if records:
                self.copy(consumer, producer, records)

    def copy(self, consumer, producer, records):
        producer.begin_transaction()
        try:
            for m in records:
                producer.produce(OUT, m.value(), partition=m.partition())
            offsets = {}
            for m in records:
                offsets[m.partition()] = m.offset() + 1
            producer.send_offsets_to_transaction([TopicPartition(IN, p, o) for p, o in offsets.items()],
                                                 consumer.consumer_group_metadata(), 10)
            if self.dice.random() < 0.1:
                raise Regret
            until("commit", lambda: producer.commit_transaction(10))
            self.commits += 1
        except (KafkaException, Regret) as e:
            if isinstance(e, KafkaException) and not e.args[0].txn_requires_abort():
                raise
            until("abort", lambda: producer.abort_transaction(10))
            self.aborts += 1
            # Back to where the group is.
            for at in consumer.committed(consumer.assignment(), 10):
                at.offset = max(at.offset, 0)
                consumer.seek(at)


class Regret(Exception):
    """A transaction is aborted for no reason."""


def until(what, call):
    """Calls until it does not ask to be called again."""
    while True:
        try:
            return call()
        except KafkaException as e:
            if not e.args[0].retriable():
                raise
            del what


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
        feeder, reader = Feeder(daemon.port), Reader(daemon.port, faults)
        workers = [Worker(f"worker-{i}", daemon.port, faults, seed + i) for i in range(WORKERS)]
        for thread in (feeder, reader, *workers):
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
        for thread in (*workers, reader):
            thread.over.set()
        for thread in (*workers, reader):
            thread.join(30)
        daemon.process.terminate()
        if daemon.process.wait(30) != 0:
            faults.add("logd did not end in order")
        sums["failed" if faults.texts else "passed"] += 1
        print(f"{cuts} cuts, {sum(feeder.n)} records, {sum(w.commits for w in workers)} commits, "
              f"{sum(w.aborts for w in workers)} aborts, {sum(w.lives for w in workers)} lives", flush=True)
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()
        disk.remove()
        log.close()
        if faults.texts or sys.exc_info()[0] is not None:
            subprocess.run(["tail", "-n", "30", os.path.join(top, "log")], check=False)
        shutil.rmtree(top, ignore_errors=True)


def main():
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
