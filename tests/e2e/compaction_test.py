#!/usr/bin/python3
"""compaction_test.py -- a compacted topic, written with every codec and in transactions,
as each client reads it; and the daemon's own logs, which shrink.  WEIR_LOGD names the
daemon.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import npm
from claims import Skip, finish, main, same, until
from kcat import kcat
from raw_calls import client, make

try:
    from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
except ImportError:
    print("skipped compaction: confluent-kafka is not installed (Debian: python3-confluent-kafka)")
    finish(0, 0, 1)

SETTINGS = {"log.cleaner.backoff.ms": 100, "weir.checkpoint.interval.ms": 300}
TOPIC = {"cleanup.policy": "compact", "segment.bytes": 20000, "min.cleanable.dirty.ratio": 0.01,
         "max.compaction.lag.ms": 1000, "delete.retention.ms": 600000}
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
KEYS, ROUNDS = 50, 30
TOMBSTONES = ["key-%d" % n for n in range(0, KEYS, 7)]
MARKERS = b"\0\0\0\0", b"\0\0\0\1"
KAFKAJS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kafkajs")
OFFSETS_LOG = "logs/AAAAAAAAAAAAAAAAAAAAAg.0/*.log"


def sender(daemon, codec, **more):
    return Producer({"bootstrap.servers": daemon.address, "linger.ms": 5, "compression.type": codec,
                     **{n.replace("_", "."): v for n, v in more.items()}})


def write(daemon):
    """What the topic must have in the end, by key."""
    newest = {}
    senders = [sender(daemon, codec, enable_idempotence=codec == "gzip") for codec in CODECS]
    for n in range(ROUNDS):
        codec, p = CODECS[n % len(CODECS)], senders[n % len(CODECS)]
        # Of each batch some keys have newer values elsewhere, and some have not.
        for k in range(KEYS):
            if k % (n + 1) == 0 or n < 5:
                value = f"{codec} {n} " + "x" * 80
                p.produce("compacted", key=f"key-{k}", value=value)
                newest[f"key-{k}"] = value
        p.flush(20)
    p = sender(daemon, "none", transactional_id="t")
    p.init_transactions(20)
    for n, commit in enumerate((True, False, True, False)):
        p.begin_transaction()
        p.produce("compacted", key="key-1", value=f"transaction {n}")
        p.produce("compacted", key=f"transaction-{n}", value="value")
        p.flush(20)
        if commit:
            p.commit_transaction(20)
            newest["key-1"] = f"transaction {n}"
            newest[f"transaction-{n}"] = "value"
        else:
            p.abort_transaction(20)
    p = senders[0]
    for key in TOMBSTONES:
        p.produce("compacted", key=key, value=None)
        newest[key] = None
    p.flush(20)
    return newest


def read(daemon, offset=OFFSET_BEGINNING):
    """Offsets, keys and values that librdkafka gets, up to the end; what was aborted, too, as long as it is there."""
    c = Consumer({"bootstrap.servers": daemon.address, "group.id": "unused", "enable.partition.eof": True,
                  "isolation.level": "read_uncommitted", "fetch.wait.max.ms": 50})
    c.assign([TopicPartition("compacted", 0, offset)])
    got = []
    while True:
        m = c.poll(20)
        assert m is not None, "the end is not reached"
        if m.error() is not None and m.error().code() == KafkaError._PARTITION_EOF:  # pylint: disable=protected-access
            break
        assert m.error() is None, m.error()
        got.append((m.offset(), m.key().decode(), None if m.value() is None else m.value().decode()))
    c.close()
    return got


class Wanted:
    """What clients are to find; written once."""
    newest = None
    records = None

    @classmethod
    def check(cls, records, what):
        """Of each key its newest value, and nothing else; nothing that was aborted either."""
        same(sorted(offset for offset, _, _ in records), [offset for offset, _, _ in records], what + ": order of the offsets")
        got = {key: value for _, key, value in records}
        same({k: (got.get(k), v) for k, v in cls.newest.items() if got.get(k) != v}, {}, what + ": other values than these")
        same(len(records), len(cls.newest), what + ": number of records")


def test_of_each_key_the_newest_value_stays(daemon):
    make(client(daemon), "compacted", configs=TOPIC)
    Wanted.newest = write(daemon)
    until("one record of each key", lambda: len(read(daemon)) == len(Wanted.newest))
    Wanted.records = read(daemon)
    Wanted.check(Wanted.records, "librdkafka")


def test_a_reader_gets_on_from_every_offset(daemon):
    c = client(daemon)
    end = c.ask("list_offsets", 5, isolation_level=1, topics=[{"name": "compacted", "partitions": [
        {"partition_index": 0, "timestamp": -1}]}])["topics"][0]["partitions"][0]["offset"]
    for at in range(0, end, 7):
        told = c.ask("fetch", 11, max_wait_ms=0, min_bytes=1, max_bytes=1 << 20, topics=[
            {"topic": "compacted", "partitions": [{"partition": 0, "fetch_offset": at, "partition_max_bytes": 200}]}])
        told = told["responses"][0]["partitions"][0]
        same((told["error_code"], len(told["records"]) > 0), (0, True), f"a fetch at {at}")
    assert end > 2 * len(Wanted.records), "nothing was dropped"
    for at in range(0, end, 97):
        same(read(daemon, at), [r for r in Wanted.records if r[0] >= at], f"records from {at} on")


def test_kcat_reads_it(daemon):
    lines = kcat(daemon, "-C", "-t", "compacted", "-o", "beginning", "-e", "-f", "%o %k %S %s\n").splitlines()
    got = [line.split(" ", 3) for line in lines]
    Wanted.check([(int(o), k, None if int(n) == -1 else v) for o, k, n, v in got], "kcat")


def test_kafka_python_reads_it(daemon):
    try:
        from kafka import KafkaConsumer, TopicPartition as Part  # pylint: disable=import-outside-toplevel
    except ImportError as missing:
        raise Skip(f"{missing} (Debian: python3-kafka)") from missing
    # Debian has no module for lz4 and zstd: what it can't read, it can't be asked for.
    import kafka.codec  # pylint: disable=import-outside-toplevel
    if not (kafka.codec.has_lz4() and kafka.codec.has_snappy() and kafka.codec.has_zstd()):
        raise Skip("kafka-python has not all codecs here (Debian: python3-lz4 python3-snappy python3-zstandard)")
    c = KafkaConsumer(bootstrap_servers=daemon.address, fetch_max_wait_ms=50)
    part = Part("compacted", 0)
    c.assign([part])
    c.seek_to_beginning(part)
    end, got = c.end_offsets([part])[part], []
    until("kafka-python at the end", lambda: got.extend(c.poll(100).get(part, [])) or c.position(part) == end)
    c.close()
    # It takes markers of transactions for records.
    Wanted.check([(r.offset, r.key.decode(), None if r.value is None else r.value.decode())
                  for r in got if r.key not in MARKERS], "kafka-python")


def test_kafkajs_reads_it(daemon):
    with tempfile.TemporaryDirectory() as place:
        npm.install(place, KAFKAJS, os.path.join(KAFKAJS, "compacted.js"))
        done = subprocess.run(["node", "compacted.js", daemon.address, "compacted"], cwd=place, check=False, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
    Wanted.check([tuple(r) for r in json.loads(done.stdout)], "kafkajs")


def test_segments_say_by_their_names_what_they_are(daemon):
    """A start takes them by these."""
    names = glob.glob(os.path.join(daemon.dir, "logs", "*", "*.*.*.*.log"))
    assert names, "no segment has the name of a compacted one"
    same(read(daemon), Wanted.records, "records")


def size_of_offsets(daemon):
    return sum(os.path.getsize(name) for name in glob.glob(os.path.join(daemon.dir, OFFSETS_LOG)))


def test_the_log_of_committed_offsets_shrinks(daemon):
    c = client(daemon)
    make(c, "wide", 1000)

    def commit(n):
        told = c.ask("offset_commit", 8, group_id="group", topics=[{"name": "wide", "partitions": [
            {"partition_index": p, "committed_offset": n, "committed_metadata": "x" * 4000} for p in range(1000)]}])
        same({p["error_code"] for p in told["topics"][0]["partitions"]}, {0}, "codes of the commit")

    for n in range(20):
        commit(n)
    until("it shrinks", lambda: size_of_offsets(daemon) < 40 << 20)
    told = c.ask("offset_fetch", 8, groups=[{"group_id": "group", "topics": None}])["groups"][0]["topics"][0]["partitions"]
    same({p["committed_offset"] for p in told}, {19}, "committed offsets")


if __name__ == "__main__":
    main(globals(), SETTINGS)
