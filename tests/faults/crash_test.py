#!/usr/bin/python3
"""crash_test.py -- kills logd, or cuts the power under it, and checks what it promised.

    crash_test.py kill  SECONDS|Nx     SIGKILL, the page cache survives
    crash_test.py ext4  SECONDS|Nx     the filesystem is shut down as by a power cut,
    crash_test.py xfs   SECONDS|Nx     unmounted, mounted and replayed

for so many seconds, or (Nx) N cuts, a hundred in each folder.  Producers of every kind go on through all of it;
a consumer watches.  After each cut, and at the end over everything:

  - each record acknowledged with acks=all is at its offset, unchanged;
  - an idempotent producer's records are there once, in order;
  - an offset that anybody has ever seen bears the same record or none.

Every third cut is followed by a second one during the recovery.  WEIR_LOGD names the
daemon.  The last line is "N passed, N failed"; a cut with its checks is one.
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

PARTITIONS = 4
TOPIC = "crash"
ROUND = 100                   # cuts in one folder
SETTINGS = {"log.segment.bytes": 4000000, "weir.checkpoint.interval.ms": 300, "weir.journal.bytes": 4194304,
            "num.partitions": PARTITIONS}


try:
    from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError:
    skip("python3-confluent-kafka is not installed")


class History:
    """What was promised and what was seen; any thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.promised = {}  # (partition, offset): value, acks=all
        self.seen = {}      # (partition, offset): value, by anybody
        self.faults = []

    def fault(self, text):
        with self.lock:
            if len(self.faults) < 20:
                print("FAIL:", text, flush=True)
            self.faults.append(text)

    def see(self, partition, offset, value):
        with self.lock:
            known = self.seen.setdefault((partition, offset), value)
        if known != value:
            self.fault(f"partition {partition} offset {offset}: {known} became {value}")

    def promise(self, partition, offset, value):
        with self.lock:
            self.promised[(partition, offset)] = value
        self.see(partition, offset, value)


class Load(threading.Thread):
    """One producer; its records say who made them and in which order."""

    def __init__(self, name, port, history, acks, idempotent, seed):
        super().__init__(daemon=True)
        self.name, self.history, self.acks = name, history, acks
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.acked = 0
        self.producer = Producer({
            "bootstrap.servers": f"127.0.0.1:{port}", "acks": acks,
            "enable.idempotence": idempotent, "linger.ms": self.random.choice([0, 5]),
            "message.timeout.ms": 120000, "reconnect.backoff.max.ms": 100,
            "reconnect.backoff.ms": 10, "retry.backoff.ms": 20,
            "queue.buffering.max.messages": 2000, "log_level": 0, "error_cb": self.error})

    def error(self, error):
        if error.fatal():
            self.history.fault(f"{self.name}: {error}")

    def delivered(self, error, message):
        if error is not None:
            return
        self.acked += 1
        value = message.value()[:40].rstrip(b".").decode()
        if self.acks == "all":
            self.history.promise(message.partition(), message.offset(), value)
        else:
            self.history.see(message.partition(), message.offset(), value)

    def run(self):
        n = 0
        while not self.over.is_set():
            # Small ones go through the journal, large ones straight to the segment.
            size = self.random.choice([40, 100, 1000, 5000]) if n % 50 else 100000
            value = f"{self.name}:{n}".encode().ljust(40, b".").ljust(size, b"x")
            try:
                self.producer.produce(TOPIC, value, self.name, n % PARTITIONS, on_delivery=self.delivered)
                n += 1
            except BufferError:
                self.producer.poll(0.05)
            self.producer.poll(0)
            if n % 20 == 0:
                time.sleep(0.02) # so that reading keeps up


def read_all(port, history, positions):
    """Reads every partition from `positions` to what is its end now; the values by place."""
    found = {}
    consumer = Consumer({"bootstrap.servers": f"127.0.0.1:{port}", "group.id": "check",
                         "enable.auto.commit": False, "enable.partition.eof": True,
                         "auto.offset.reset": "earliest", "fetch.wait.max.ms": 20,
                         "reconnect.backoff.max.ms": 100, "log_level": 0})
    consumer.assign([TopicPartition(TOPIC, p, positions[p]) for p in range(PARTITIONS)])
    # Producers go on meanwhile, so the end is where it was when this began.
    high = [consumer.get_watermark_offsets(TopicPartition(TOPIC, p), timeout=30)[1] for p in range(PARTITIONS)]
    ends, deadline = set(), time.monotonic() + 60  # for the next of them, however many there are
    while len(ends) < PARTITIONS:
        if time.monotonic() > deadline:
            history.fault(f"reading did not come to its end: {sorted(ends)}")
            break
        for m in consumer.consume(1000, 0.2):
            if m.error() is None:
                deadline = time.monotonic() + 60
                value = m.value()[:40].rstrip(b".").decode()
                found[(m.partition(), m.offset())] = value
                history.see(m.partition(), m.offset(), value)
                if m.offset() >= high[m.partition()] - 1:
                    ends.add(m.partition())
            elif m.error().code() == KafkaError._PARTITION_EOF:
                ends.add(m.partition())
            elif m.error().code() not in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):
                history.fault(f"partition {m.partition()}: {m.error()}")
    consumer.close()
    return found


def check(history, promised, found, positions, idempotent):
    for (partition, offset), value in promised.items():
        if offset >= positions[partition] and found.get((partition, offset)) != value:
            history.fault(f"partition {partition} offset {offset}: {value} was acknowledged, "
                          f"{found.get((partition, offset))} is there")
    last = {}
    for (partition, offset) in sorted(found):
        name, n = found[(partition, offset)].split(":")
        if name not in idempotent:
            continue
        if int(n) <= last.get((name, partition), -1):
            history.fault(f"partition {partition} offset {offset}: {name}:{n} again, or out of order")
        last[(name, partition)] = int(n)


def watch(port, history, over):
    """A consumer that follows, and so sees what is visible before it is durable."""
    consumer = Consumer({"bootstrap.servers": f"127.0.0.1:{port}", "group.id": "watch",
                         "enable.auto.commit": False, "auto.offset.reset": "latest",
                         "fetch.wait.max.ms": 20, "reconnect.backoff.max.ms": 100, "log_level": 0})
    consumer.assign([TopicPartition(TOPIC, p) for p in range(PARTITIONS)])
    while not over.is_set():
        for m in consumer.consume(1000, 0.1):
            if m.error() is None:
                history.see(m.partition(), m.offset(), m.value()[:40].rstrip(b".").decode())
    consumer.close()


def judge(sums, ok):
    sums["passed" if ok else "failed"] += 1


def run(kind, cuts_max, until, seed, sums):
    """One round: so many cuts, or until it is time, all in one folder; adds to the sums."""
    dice = random.Random(seed)
    top = tempfile.mkdtemp(prefix="weir-crash-")
    history, over = History(), threading.Event()
    log = open(os.path.join(top, "log"), "wb")
    disk = Disk(kind, top, cuts_max)
    daemon = Daemon(disk, free_port(), log, SETTINGS)
    cuts = 0
    loads = []
    try:
        daemon.start()
        daemon.ready()
        admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{daemon.port}"})
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(30)
        del admin
        for i, (acks, idempotent) in enumerate([("all", False), ("all", True), ("all", True), ("1", False)]):
            loads.append(Load(f"p{i}", daemon.port, history, acks, idempotent, seed + i))
        idempotent = {"p1", "p2"}
        for load in loads:
            load.start()
        watcher = threading.Thread(target=watch, args=(daemon.port, history, over), daemon=True)
        watcher.start()
        positions = [0] * PARTITIONS
        while cuts < cuts_max and time.monotonic() < until:
            time.sleep(dice.uniform(0.2, 1.2))
            daemon.cut()
            cuts += 1
            daemon.start()
            if cuts % 3 == 0:
                # Sometimes in the middle of the recovery, sometimes right behind it.
                time.sleep(dice.uniform(0, 0.06))
                daemon.cut()
                daemon.start()
            daemon.ready()
            before = len(history.faults)
            with history.lock:
                promised = dict(history.promised)
            found = read_all(daemon.port, history, positions)
            check(history, promised, found, positions, idempotent)
            judge(sums, len(history.faults) == before)
            # The next check begins a little below where this one ended; the last reads all.
            for p in range(PARTITIONS):
                ends = [o for (q, o) in found if q == p]
                positions[p] = max([positions[p]] + ends[-200:-199])
        over.set()
        for load in loads:
            load.over.set()
            load.join()
            load.producer.flush(30)
        watcher.join()
        before = len(history.faults)
        found = read_all(daemon.port, history, [0] * PARTITIONS)
        check(history, dict(history.promised), found, [0] * PARTITIONS, idempotent)
        judge(sums, len(history.faults) == before)
        daemon.process.terminate()
        if daemon.process.wait(30) != 0:
            print("FAIL: logd did not end in order")
            judge(sums, False)
        print(f"{cuts} cuts, {len(history.promised)} records promised, {len(found)} there, "
              f"{sum(load.acked for load in loads)} acknowledged", flush=True)
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()
        disk.remove()
        log.close()
        if history.faults or sys.exc_info()[0] is not None:
            subprocess.run(["tail", "-n", "30", os.path.join(top, "log")])
        shutil.rmtree(top, ignore_errors=True)
    return cuts


def main():
    kind, bound = sys.argv[1], sys.argv[2]
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    print(f"seed {seed} (SEED={seed} repeats its choices)", flush=True)
    sums = {"passed": 0, "failed": 0}
    if bound.endswith("x"):
        # In rounds, since a round keeps all that was promised in memory and reads it again at its end.
        left = int(bound[:-1])
        while left > 0:
            left -= run(kind, min(left, ROUND), float("inf"), seed + left, sums)
    else:
        run(kind, ROUND, time.monotonic() + float(bound), seed, sums)
    print(f"{sums['passed']} passed, {sums['failed']} failed")
    sys.exit(0 if sums["failed"] == 0 else 1)


main()
