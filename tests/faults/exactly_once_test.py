#!/usr/bin/python3
"""exactly_once_test.py -- consume, transform, produce and commit in one transaction, while logd is killed.

    exactly_once_test.py kill|ext4|xfs  SECONDS|Nx  [kafkajs]

as crash_test.py.  A feeder numbers the records of each partition of a topic; workers of one group copy them to
another, each batch with its offsets in one transaction, some of which they abort; now and then one is killed, and
another takes its place.  A reader of what is committed follows: of each partition it must see every number once, in
order.  The workers are librdkafka's, or those of exactly_once.js.  WEIR_LOGD names the daemon.  The last line is
"N passed, N failed"; a cut, with what was read up to the next, is one.
"""
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))

import npm
import once
from claims import Skip
from machine import skip

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

HERE = os.path.dirname(os.path.abspath(__file__))
PARTITIONS, WORKERS = 2, 2
IN, OUT, GROUP = "in", "out", "workers"
BATCH = 40          # records in a transaction, at the most
AHEAD = 4000        # of the reader, for the feeder in each partition


class Feeder(once.Feeder):
    def __init__(self, port, reader):
        super().__init__(port, 0.002)
        self.n, self.reader = [0] * PARTITIONS, reader

    def feed(self):
        for p in range(PARTITIONS):
            if self.n[p] - self.reader.next[p] < AHEAD:
                self.producer.produce(IN, str(self.n[p]), partition=p)
                self.n[p] += 1


class Worker:
    def __init__(self, name, port, seed, counts):
        self.dice, self.counts = random.Random(seed), open(counts, "ab", buffering=0)
        self.consumer = Consumer(once.client(port, group_id=GROUP, auto_offset_reset="error", enable_auto_commit=False,
                                             isolation_level="read_committed", session_timeout_ms=1000,
                                             heartbeat_interval_ms=200, fetch_wait_max_ms=50))
        self.producer = Producer(once.client(port, transactional_id=name, transaction_timeout_ms=5000,
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


class Reader(once.Reader):
    def __init__(self, port, faults):
        super().__init__(port, OUT, PARTITIONS, faults)
        self.next = [0] * PARTITIONS

    def see(self, m):
        p, value = m.partition(), int(m.value())
        if value != self.next[p]:
            self.faults.add(f"partition {p} offset {m.offset()}: {value} came, {self.next[p]} was next")
        self.next[p] = value + 1


class Copying:
    """The load.  `worker`: the command of one, but for what it is told."""

    pause_s = 0.3, 1.5

    def __init__(self, worker, port, top, seed, faults):
        once.create(port, PARTITIONS, IN, OUT)
        begin = Consumer(once.client(port, group_id=GROUP))
        begin.commit(offsets=[TopicPartition(IN, p, 0) for p in range(PARTITIONS)], asynchronous=False)
        begin.close()
        self.counts = os.path.join(top, "counts")
        self.reader = Reader(port, faults)
        self.feeder = Feeder(port, self.reader)
        self.keepers = [once.Keeper(lambda number, i=i: [*worker, f"worker-{i}", str(port), str(number), self.counts],
                                    (1, 20), seed + i) for i in range(WORKERS)]

    def missing(self):
        return None if self.reader.next == self.feeder.n else f"{self.feeder.n} were sent, {self.reader.next} have arrived"

    def check(self):
        pass

    def told(self):
        with open(self.counts, "rb") as f:
            said = f.read()
        return (f"{sum(self.feeder.n)} records, {said.count(b'c')} commits, {said.count(b'a')} aborts, "
                f"{said.count(b'r')} places lost")


def work(name, port, seed, counts):
    try:
        Worker(name, int(port), int(seed), counts).run()
    finally:
        os._exit(1)  # a consumer's close may hang while the daemon is away


def main():
    if sys.argv[1] == "worker":
        work(*sys.argv[2:])
    worker = [sys.executable, __file__, "worker"]
    with tempfile.TemporaryDirectory() as place:
        if "kafkajs" in sys.argv[3:]:
            try:
                npm.install(place, os.path.join(HERE, "../e2e/kafkajs"), os.path.join(HERE, "exactly_once.js"))
            except Skip as reason:
                skip(reason)
            worker = ["node", os.path.join(place, "exactly_once.js")]
        status = once.main(lambda *where: Copying(worker, *where), *sys.argv[1:3])
    os._exit(status)


main()
