#!/usr/bin/python3
"""streams_test.py -- a word count by Kafka Streams, exactly once (WordCount.java), while logd is killed.

    streams_test.py SECONDS|Nx      for so many seconds, or N kills

A feeder sends lines of words; two instances count them, each killed now and then.  A reader of what is committed must
see of each word 1, 2, 3, ..., and at the end as many as were sent.  What an instance says of an answer that it can't
take is a failure, too.  The last line is "N passed, N failed"; a kill, with what was read up to the next, is one.
"""

import collections
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../faults"), os.path.join(HERE, "../e2e")]

import once
from claims import Skip, until
from kafka_jars import JAVA, fetch
from machine import skip

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource

PARTITIONS, INSTANCES = 2, 2
LINES, COUNTS = "lines", "counts"
REPARTITION, CHANGELOG = "words-by-word-repartition", "words-counts-changelog"
WORDS = [f"word-{n}" for n in range(20)]
WORDS_MAX = 5       # in a line
AHEAD = 2000        # words, of the reader, for the feeder

# What Streams gives these topics, or is told to by WordCount.java.
CONFIGS = {
    REPARTITION: {"cleanup.policy": "delete", "retention.ms": "-1", "segment.bytes": "50000",
                  "message.timestamp.type": "CreateTime"},
    CHANGELOG: {"cleanup.policy": "compact", "segment.bytes": "50000", "message.timestamp.type": "CreateTime"},
}

# An answer that Streams could not take.  It warns of much else, which starts of logd and ends of instances explain: that
# connections are lost; that a member is not known, as logd does not store who is one; that a store has to be made anew.
REFUSED = (r"UnknownServer|UNKNOWN_SERVER|UnsupportedVersion|UNSUPPORTED_VERSION|InvalidRequest|INVALID_REQUEST|"
           r"InvalidConfiguration|INVALID_CONFIG|PolicyViolation|InvalidRecord|INVALID_RECORD|CorruptRecord|CORRUPT_MESSAGE|"
           r"OutOfOrderSequence|OUT_OF_ORDER|UnknownProducerId|UNKNOWN_PRODUCER|InvalidTxnState|INVALID_TXN|InvalidPidMapping|"
           r"INVALID_PRODUCER_ID|OffsetOutOfRange|OFFSET_OUT_OF_RANGE|out of range|LogTruncation|RecordTooLarge|"
           r"SchemaException|SerializationException|BufferUnderflow")


class Feeder(once.Feeder):
    def __init__(self, port, seed, reader):
        super().__init__(port, 0.005)
        self.dice, self.counts, self.reader = random.Random(seed), collections.Counter(), reader

    def feed(self):
        if self.counts.total() - self.reader.counts.total() < AHEAD:
            words = self.dice.choices(WORDS, k=self.dice.randint(1, WORDS_MAX))
            self.producer.produce(LINES, " ".join(words), partition=self.dice.randrange(PARTITIONS))
            self.counts.update(words)


class Reader(once.Reader):
    def __init__(self, port, faults):
        super().__init__(port, COUNTS, PARTITIONS, faults)
        self.counts = collections.Counter()

    def see(self, m):
        word, n = m.key().decode(), int.from_bytes(m.value(), "big")
        if n != self.counts[word] + 1:
            self.faults.add(f"partition {m.partition()} offset {m.offset()}: {n} came of {word} after {self.counts[word]}")
        self.counts[word] = n


class Counting:
    """The load."""

    pause_s = 1, 5

    def __init__(self, java, port, top, seed, faults):
        once.create(port, PARTITIONS, LINES, COUNTS)
        self.port, self.faults = port, faults
        self.reader = Reader(port, faults)
        self.feeder = Feeder(port, seed, self.reader)
        self.logs = [open(os.path.join(top, f"instance-{i}"), "a+b") for i in range(INSTANCES)]
        self.keepers = [once.Keeper(lambda _, i=i: [*java, f"127.0.0.1:{port}", os.path.join(top, f"state-{i}")],
                                    (5, 40), seed + i, stdout=self.logs[i], stderr=self.logs[i]) for i in range(INSTANCES)]

    def missing(self):
        late = self.feeder.counts - self.reader.counts
        return f"of {self.feeder.counts.total()} words {late.total()} were not counted" if late else None

    def check(self):
        """What Streams has of its own in the log, and what it had to say."""
        self.check_configs()
        self.check_changelog()
        for log in self.logs:
            log.seek(0)
            for line in log.read().decode(errors="replace").splitlines():
                if re.search(REFUSED, line):
                    self.faults.add(line)

    def check_configs(self):
        admin = AdminClient(once.client(self.port))
        for topic, wanted in CONFIGS.items():
            (future,) = admin.describe_configs([ConfigResource("topic", topic)]).values()
            told = future.result(30)
            got = {name: told[name].value for name in wanted}
            if got != wanted:
                self.faults.add(f"{topic} has {got}, not {wanted}")

    def check_changelog(self):
        consumer = Consumer(once.client(self.port, group_id="check", isolation_level="read_committed",
                                        enable_partition_eof=True))
        first = [consumer.get_watermark_offsets(TopicPartition(REPARTITION, p), 30)[0] for p in range(PARTITIONS)]
        if 0 in first:
            self.faults.add(f"{REPARTITION} begins at {first}: what is counted was not deleted")
        until("the changelog is compacted", lambda: len(self.changelog(consumer)) < self.feeder.counts.total())
        counts = collections.Counter(dict(self.changelog(consumer)))
        if counts != self.feeder.counts:
            self.faults.add(f"the changelog ends with {counts}, not {self.feeder.counts}")
        consumer.close()

    def changelog(self, consumer):
        consumer.assign([TopicPartition(CHANGELOG, p, 0) for p in range(PARTITIONS)])
        records, ended = [], 0
        while ended < PARTITIONS:
            for m in consumer.consume(1000, 0.1):
                if m.error() is None:
                    records.append((m.key().decode(), int.from_bytes(m.value(), "big")))
                else:
                    ended += 1
        return records

    def told(self):
        return f"{self.feeder.counts.total()} words"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        try:
            jars = fetch("streams")
        except Skip as reason:
            skip(reason)
        subprocess.run(["javac", "-cp", jars, "-d", place, os.path.join(HERE, "WordCount.java")], check=True)
        command = [*JAVA, "-Dlog4j2.level=WARN", "-cp", f"{jars}:{place}", "WordCount"]
        status = once.main(lambda *where: Counting(command, *where), "kill", sys.argv[1])
    os._exit(status)
