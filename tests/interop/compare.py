#!/usr/bin/python3
"""compare.py -- the same requests to an Apache Kafka broker and to the daemon, answer by answer.

Good ones and each kind of bad one, of every API in every version that both advertise.  What may differ (ids, times,
addresses, the wording of messages) is left out of the comparison.  A difference that DIFFERENCES does not explain is a
failure, and so is a row of that which explains nothing any more.  docs/compatibility.md tells the same to people.

    compare.py [-v] [CASES...]      -v: prints the differences that are explained, too; CASES: names of CASES below
"""

import json
import os
import re
import socket
import struct
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))

import raw_client
import weir_daemon
from batches import batch, parse, record
from claims import Skip, end, finish, options, until
from kafka_broker import Broker

from differences import DIFFERENCES

NAMES = ("Kafka", "Weir")
ZERO_ID, SOME_ID = bytes(16), bytes(range(1, 17))
TOPIC, BROKER, LOGGER = 2, 4, 8
SET, DELETE, APPEND, SUBTRACT = range(4)
ABSENT = "nothing"
ANSWER_S = 30
CONCURRENT_TRANSACTIONS = 51
NOW = int(time.time() * 1000)

# What is left of a field for the comparison; its value itself where it isn't here.
PRESENCE = {
    "error_message": lambda v: v is not None and v != "",
    "batch_index_error_message": lambda v: v is not None and v != "",
    "topic_id": lambda v: v != ZERO_ID,
    "host": lambda v: v != "", "client_host": lambda v: v != "",
    "port": lambda v: v > 0,
    "cluster_id": lambda v: len(v or "") == 22,
    "member_id": lambda v: v != "", "leader": lambda v: v != "",
    "session_id": lambda v: v != 0,
    "producer_id": lambda v: v >= 0, 
    "log_append_time_ms": lambda v: v >= 0,
    "log_dir": lambda v: v != "",
    "total_bytes": lambda v: v > 0, "usable_bytes": lambda v: v > 0,
    "documentation": lambda v: v is not None,
    "timestamp": lambda v: "later" if v > NOW + 3000 else v,
    "last_timestamp": lambda v: v >= 0, "transaction_start_time_ms": lambda v: v >= 0,
    "records": lambda v: v if not v else parse(v),
}
IGNORED = {"throttle_time_ms", "api_keys", "supported_features", "finalized_features", "finalized_features_epoch",
           "zk_migration_ready"}
# By what the elements of a list are told apart, in place of their order.
LABELS = ("topic_name", "name", "topic", "transactional_id", "group_id", "key", "resource_name", "partition_index", "partition", "index", "broker_id",
          "node_id", "batch_index", "partition_id")


class Each:
    """A value in a request, or an answer, for each of the two."""

    def __init__(self, *two):
        self.two = two

    def map(self, f):
        return Each(*map(f, self.two))


def pick(value, which):
    """The request as the one or the other of the two gets it."""
    if isinstance(value, Each):
        return value.two[which]
    if isinstance(value, dict):
        return {k: pick(v, which) for k, v in value.items()}
    if isinstance(value, list):
        return [pick(v, which) for v in value]
    return value


def flat(value, at=""):
    """{path: value} of an answer, with what may differ left out."""
    if isinstance(value, dict):
        return {path: v for name, field in value.items() if name not in IGNORED
                for path, v in flat(PRESENCE.get(name, lambda v: v)(field), f"{at}.{name}" if at else name).items()}
    if isinstance(value, list):
        # Elements that have no name of their own are compared in their order.
        labels = [label(element, i) for i, element in enumerate(value)]
        told = {path: v for i, element in enumerate(value)
                for path, v in flat(element, f"{at}[{labels[i]}" + ("#" * labels[:i].count(labels[i])) + "]").items()}
        return {at + "[]": len(value), **told}
    return {at: value}


def label(element, i):
    if isinstance(element, dict):
        for name in LABELS:
            if name in element and element[name] is not None:
                return element[name]
    return i


class Comparison:
    """Both servers, and what was found."""

    def __init__(self, servers):
        self.servers = servers
        self.clients = [raw_client.Client(s.host, s.port, ANSWER_S) for s in servers]
        advertised = [{a["api_key"]: a for a in c.ask("api_versions", 0)["api_keys"]} for c in self.clients]
        self.ranges = {}
        for name, api in self.clients[0].apis.items():
            both = [a[api.key] for a in advertised if api.key in a]
            if len(both) == 2:
                self.ranges[name] = range(max(b["min_version"] for b in both), min(b["max_version"] for b in both) + 1)
        self.asked = 0
        self.cases = set()
        self.found = {}   # (case, path, Kafka's value, ours): versions
        self.used = set() # of DIFFERENCES

    def versions(self, name, low=0, high=99):
        return [v for v in self.ranges[name] if low <= v <= high]

    def reconnect(self):
        for c in self.clients:
            c.close()
        self.clients = [raw_client.Client(s.host, s.port, ANSWER_S) for s in self.servers]

    def ask(self, case, name, version, **request):
        """Sends a request to both and compares the answers, which it returns; None where the connection ended."""
        answers = []
        for which, client in enumerate(self.clients):
            client.send(name, version, **pick(request, which))
        for client in self.clients:
            answers.append(client.receive(name, version))
        self.compare(f"{name}: {case}", version, answers)
        if None in answers:
            self.reconnect()
        return Each(*answers)

    def quietly(self, name, version, **request):
        """As ask(), where the answers are not what is looked at."""
        asked, self.compare = self.compare, lambda *_: None
        try:
            return self.ask("", name, version, **request)
        finally:
            self.compare = asked

    def compare(self, case, version, answers):
        self.asked += 1
        self.cases.add(case)
        kafka, weir = (flat(a) if a is not None else {"": "the connection ended"} for a in answers)
        reported = ()
        for path in list(kafka) + [p for p in weir if p not in kafka]:
            values = kafka.get(path), weir.get(path)
            if values[0] == values[1] or path.startswith(reported):
                continue
            missing = next((i for i, told in enumerate((kafka, weir)) if path not in told), None)
            if missing is not None and path:
                # An element that one of them has not is one difference, not one for each of its fields.
                there = (kafka, weir)[1 - missing]
                inner = [m.end() for m in re.finditer(r"\]", path)]
                known = (kafka, weir)[missing]
                end_ = next((e for e in inner if not any(p.startswith(path[:e]) for p in known)), len(path))
                reported += (path[:end_],) if end_ < len(path) else ()
                values = tuple(ABSENT if i == missing else there[path] if end_ == len(path) else
                               {p[end_ + 1:]: v for p, v in there.items() if p.startswith(path[:end_])} for i in range(2))
                path = path[:end_]
            # The versions of a case have names of their own.
            path = re.sub(rf"(?<=[a-z])-{version}\b", "-V", path)
            key = (case, path, *(re.sub(rf"(?<=[a-z])-{version}\b", "-V", str(v)) for v in values))
            self.found.setdefault(key, []).append(version)

    def unasked(self):
        """The APIs that both have and no case asks for."""
        return [name for name in self.ranges if not any(case.startswith(name + ":") for case in self.cases)]

    def report(self):
        """Prints what is not explained; returns how many requests had no such difference, and how many failures there are."""
        bad = set()
        failed = 0
        for (case, path, kafka, weir), versions in self.found.items():
            at = f"{case}: {path}"
            row = next((d for d in DIFFERENCES if re.search(d[0], f"{at} Kafka {kafka}, Weir {weir}")), None)
            if row is not None:
                self.used.add(row)
                if "-v" in sys.argv:
                    print(f"{at} v{spell(versions)}: Kafka {kafka[:200]}, Weir {weir[:200]} ({row[1]})")
                continue
            failed += 1
            bad.update((case, v) for v in versions)
            print(f"FAIL: {at} v{spell(versions)}: Kafka {kafka[:300]}, Weir {weir[:300]}")
        return self.asked - len(bad), failed

    def report_gaps(self):
        """Once all cases have been asked: what they leave out, and what is explained for nothing; returns how much."""
        gaps = [f"no case asks for {name}" for name in self.unasked()]
        gaps += [f"differences.py explains what is not there any more: {row[0]}" for row in DIFFERENCES if row not in self.used]
        for gap in gaps:
            print(f"FAIL: {gap}")
        return len(gaps)


def spell(versions):
    versions = sorted(set(versions))
    gaps = versions != list(range(versions[0], versions[-1] + 1))
    return ",".join(map(str, versions)) if gaps or len(versions) == 1 else f"{versions[0]}-{versions[-1]}"


# ---- what the cases below stand on ----

def make(c, *names, partitions=1, configs=None):
    """Makes topics at both; returns their ids, once both serve them."""
    c.quietly("create_topics", 7, timeout_ms=20000, topics=[
        {"name": n, "num_partitions": partitions, "replication_factor": 1,
         "configs": [{"name": k, "value": v} for k, v in (configs or {}).items()]} for n in names])
    ids = []
    for name in names:
        def known(name=name):
            answers = c.quietly("metadata", 12, topics=[{"name": name}], allow_auto_topic_creation=False).two
            topics = [a["topics"][0] for a in answers]
            there = all(t["error_code"] == 0 and len(t["partitions"]) == partitions and
                        all(p["error_code"] == 0 for p in t["partitions"]) for t in topics)
            return topics if there else None
        ids.append(Each(*(t["topic_id"] for t in until(f"both have {name}", known))))
        # Kafka tells of a topic before it has it.
        asked = [{"name": name, "partitions": [{"partition_index": i, "timestamp": -1} for i in range(partitions)]}]
        until(f"both serve {name}", lambda asked=asked: not any(
            p["error_code"] for a in c.quietly("list_offsets", 1, replica_id=-1, topics=asked).two
            for p in a["topics"][0]["partitions"]))
    return ids


def warm_up(c):
    """Kafka makes what it keeps groups, transactions and producer ids in when it is first asked for them."""
    def ready():
        told = [c.quietly("find_coordinator", 1, key="warm", key_type=0), c.quietly("init_producer_id", 0, transactional_id=None, transaction_timeout_ms=1000),
                c.quietly("list_groups", 0), c.quietly("find_coordinator", 1, key="warm", key_type=1)]
        return not any(a["error_code"] for each in told for a in each.two)
    until("both have coordinators", ready)


def produce_one(name, records, **more):
    return {"acks": -1, "timeout_ms": 20000,
            "topic_data": [{"name": name, "partition_data": [{"index": 0, "records": records}]}], **more}


def fill(c, name, records=None):
    c.quietly("produce", 11, **produce_one(name, records or batch([b"0", b"1", b"2", b"3", b"4"], ms=NOW)))


# ---- the cases, by API ----

def api_versions(c):
    for v in c.versions("api_versions"):
        c.ask("good", "api_versions", v, client_software_name="test", client_software_version="1.0")
    for v in c.versions("api_versions", 3):
        for name in "", "two words", "-dash", "a" * 300:
            c.ask(f"software name {name[:10]!r}", "api_versions", v, client_software_name=name, client_software_version="1")
        c.ask("no software version", "api_versions", v, client_software_name="test", client_software_version="")


def frames(c):
    """What is no request that a client would send."""
    def raw(case, data, answer_of=None):
        answers = []
        for client in c.clients:
            client.socket.sendall(struct.pack(">i", len(data)) + data)
            client.id = 7
            try:
                answers.append(client.receive("api_versions", answer_of or 0))
            except ValueError as error:
                answers.append({"error": str(error)})
        c.compare(f"frame: {case}", 0, answers)
        c.reconnect()

    def header(key, version):
        return struct.pack(">hhih4s", key, version, 7, 4, b"test")

    raw("ApiVersions of a version to come", header(18, 99) + b"\0\0\0\0")
    raw("an API that is not there", header(999, 0))
    raw("a negative API", header(-1, 0))
    raw("Metadata of a version to come", header(3, 99))
    raw("a version below the lowest", header(1, 0))
    raw("a negative version", header(18, -1))
    raw("an empty frame", b"")
    raw("half a header", b"\0\x12\0\0")
    raw("a header alone, of what has a body", header(3, 1))
    raw("more behind the request", header(18, 0) + b"more")
    raw("a list longer than the frame", header(3, 1) + struct.pack(">i", 1000))
    raw("a list of a negative length", header(3, 1) + struct.pack(">i", -5))
    raw("a string longer than the frame", header(10, 0) + struct.pack(">h", 100))
    raw("no client id", struct.pack(">hhih", 18, 0, 7, -1))
    raw("a client id longer than the frame", struct.pack(">hhih", 18, 0, 7, 100))
    for case, length in ("a frame of a negative length", -1), ("a frame of two gigabytes", 0x7fffffff):
        answers = []
        for client in c.clients:
            client.socket.sendall(struct.pack(">i", length))
            answers.append(client.receive("api_versions", 0))
        c.compare(f"frame: {case}", 0, answers)
        c.reconnect()


def metadata(c):
    (known,) = make(c, "meta", partitions=3)
    for v in c.versions("metadata"):
        def ask(case, topics, v=v, **more):
            if v >= 4:
                more.setdefault("allow_auto_topic_creation", False)
            return c.ask(case, "metadata", v, topics=topics, **more)
        ask("one topic", [{"name": "meta"}])
        ask("one topic twice", [{"name": "meta"}, {"name": "meta"}])
        if v >= 1:
            ask("no topic", [])
        if v >= 4:
            ask("unknown topic", [{"name": "unknown"}])
            ask("known and unknown", [{"name": "unknown"}, {"name": "meta"}])
        for name in "a b", "", ".", "..", "x" * 250, "é":
            ask(f"name {name[:5]!r}", [{"name": name}])
        if v >= 8:
            ask("allowed operations of the topic", [{"name": "meta"}], include_topic_authorized_operations=True)
        if 8 <= v <= 10:
            ask("allowed operations of the cluster", [], include_cluster_authorized_operations=True)
        if v >= 10:
            ask("by id", [{"topic_id": known, "name": None}])
            ask("by an unknown id", [{"topic_id": SOME_ID, "name": None}])
            ask("by id and name", [{"topic_id": known, "name": "meta"}])
            ask("by another's id and name", [{"topic_id": SOME_ID, "name": "meta"}])
            ask("neither id nor name", [{"name": None}])
        if v >= 4:
            made = {"topics": [{"name": f"auto-{v}"}], "allow_auto_topic_creation": True}
            c.ask("created by asking", "metadata", v, **made)
            until("both have it", lambda v=v, made=made: all(
                not a["topics"][0]["error_code"] for a in c.quietly("metadata", v, **made).two))
            c.ask("created by having asked", "metadata", v, **made)
            ask("a name that can't be created", [{"name": "a b"}], allow_auto_topic_creation=True)


def describe_topic_partitions(c):
    make(c, "tp-a", "tp-b", partitions=3)
    def ask(case, *names, **more):
        c.ask(case, "describe_topic_partitions", 0, topics=[{"name": n} for n in names], **more)
    ask("one topic", "tp-a")
    ask("two topics", "tp-b", "tp-a")
    ask("unknown topic", "tp-a", "unknown")
    ask("impossible name", "a b")
    ask("empty name", "")
    ask("a topic twice", "tp-a", "tp-a")
    for limit in 0, -1, 1, 2, 4:
        ask(f"at most {limit}", "tp-a", "tp-b", response_partition_limit=limit)
    for topic, index in ("tp-a", 1), ("tp-a", 9), ("tp-a", -1), ("tp-b", 0), ("tp-ab", 0), ("zz", 0), ("", 0):
        ask(f"from {topic} {index} on", "tp-a", "tp-b", cursor={"topic_name": topic, "partition_index": index})


def create_topics(c):
    make(c, "ct.there")
    for v in c.versions("create_topics"):
        def ask(case, *topics, v=v, **more):
            c.ask(case, "create_topics", v, timeout_ms=20000,
                  topics=[{"num_partitions": 1, "replication_factor": 1, **t} for t in topics], **more)
        def name(what, v=v):
            return f"ct-{what}-{v}"
        def config(key, value):
            return {"configs": [{"name": key, "value": value}]}
        def assigned(*lists, first=0):
            return {"num_partitions": -1, "replication_factor": -1,
                    "assignments": [{"partition_index": first + i, "broker_ids": list(b)} for i, b in enumerate(lists)]}
        ask("good", {"name": name("good"), "num_partitions": 3})
        ask("there already", {"name": "ct.there"})
        ask("there already, only validated", {"name": "ct.there"}, validate_only=True)
        ask("only validated", {"name": name("validated"), "num_partitions": 3}, validate_only=True)
        ask("settings", {"name": name("set"), **config("retention.ms", "1000")})
        ask("a setting with an impossible value", {"name": name("bad"), **config("retention.ms", "many")})
        ask("a setting out of range", {"name": name("bad"), **config("retention.ms", "-2")})
        ask("a list with an impossible value", {"name": name("bad"), **config("cleanup.policy", "burn")})
        ask("a setting that is not there", {"name": name("bad"), **config("no.such.setting", "1")})
        ask("a setting without a value", {"name": name("bad"), **config("retention.ms", None)})
        ask("a setting named twice", {"name": name("bad"), "configs": [{"name": "retention.ms", "value": "1"},
                                                                       {"name": "retention.ms", "value": "2"}]})
        for number in 0, -2:
            ask(f"{number} partitions", {"name": name("bad"), "num_partitions": number})
            ask(f"{number} replicas", {"name": name("bad"), "replication_factor": number})
        ask("2 replicas", {"name": name("replicas"), "replication_factor": 2})
        ask("-1 partitions", {"name": name("default-p"), "num_partitions": -1})
        ask("-1 replicas", {"name": name("default-r"), "replication_factor": -1})
        ask("assigned", {"name": name("assigned"), **assigned([1], [1])})
        ask("assigned, and counted", {"name": name("bad"), **assigned([1]), "num_partitions": 1})
        ask("assigned to another broker", {"name": name("bad"), **assigned([7])})
        ask("assigned twice to a broker", {"name": name("bad"), **assigned([1, 1])})
        ask("assigned to none", {"name": name("bad"), **assigned([])})
        ask("assigned from 1 on", {"name": name("bad"), **assigned([1], first=1)})
        ask("assigned unevenly", {"name": name("bad"), **assigned([1], [1, 7])})
        ask("named twice", {"name": name("twice")}, {"name": name("twice")}, {"name": name("beside")})
        ask("no topic")
        ask("a name that collides", {"name": "ct_there"})
        for bad in "a b", "", ".", "..", "x" * 250, "é":
            ask(f"name {bad[:5]!r}", {"name": bad})
        ask("the longest name", {"name": f"{v}".rjust(249, "x")})


def create_partitions(c):
    for v in c.versions("create_partitions"):
        name = f"cp-{v}"
        make(c, name, partitions=2)
        def ask(case, *topics, v=v, **more):
            c.ask(case, "create_partitions", v, timeout_ms=20000,
                  topics=[{"assignments": None, **t} for t in topics], **more)
        def assigned(*lists):
            return [{"broker_ids": list(b)} for b in lists]
        ask("only validated", {"name": name, "count": 3}, validate_only=True)
        ask("as many as there are", {"name": name, "count": 2})
        ask("fewer", {"name": name, "count": 1})
        ask("0", {"name": name, "count": 0})
        ask("-1", {"name": name, "count": -1})
        ask("unknown topic", {"name": "unknown", "count": 3})
        ask("impossible name", {"name": "a b", "count": 3})
        ask("named twice", {"name": name, "count": 3}, {"name": name, "count": 4})
        ask("assigned to another broker", {"name": name, "count": 3, "assignments": assigned([7])})
        ask("assigned to none", {"name": name, "count": 3, "assignments": assigned([])})
        ask("more assigned than added", {"name": name, "count": 3, "assignments": assigned([1], [1])})
        ask("fewer assigned than added", {"name": name, "count": 4, "assignments": assigned([1])})
        ask("assigned to nothing at all", {"name": name, "count": 3, "assignments": []})
        ask("assigned to two", {"name": name, "count": 3, "assignments": assigned([1, 7])})
        ask("assigned", {"name": name, "count": 3, "assignments": assigned([1])})
        ask("good", {"name": name, "count": 5})
        ask("no topic")


def delete_topics(c):
    for v in c.versions("delete_topics"):
        names = [f"dt-{what}-{v}" for what in ("good", "twice", "id", "both")]
        ids = make(c, *names)
        good, twice, by_id, both = names
        def ask(case, *topics, v=v):
            """Of each topic its name, or what version 6 has in its place."""
            if v >= 6:
                what = {"topics": [t if isinstance(t, dict) else {"name": t} for t in topics]}
            else:
                what = {"topic_names": list(topics)}
            c.ask(case, "delete_topics", v, timeout_ms=20000, **what)
        ask("good", good)
        ask("gone already", good)
        ask("unknown", "unknown")
        ask("impossible name", "a b")
        ask("empty name", "")
        ask("named twice", twice, twice)
        ask("no topic")
        if v >= 6:
            ask("by an unknown id", {"topic_id": SOME_ID, "name": None})
            ask("by the zero id", {"topic_id": ZERO_ID, "name": None})
            ask("by id and name", {"topic_id": ids[3], "name": both})
            ask("by name and its id", {"name": both}, {"topic_id": ids[3], "name": None})
            ask("by id", {"topic_id": ids[2], "name": None})


def produce(c):
    make(c, "compact", configs={"cleanup.policy": "compact"})
    make(c, "appended", configs={"message.timestamp.type": "LogAppendTime"})
    make(c, "small", configs={"max.message.bytes": "200"})
    now = {"ms": NOW}
    for v in c.versions("produce", 3):
        name = f"pr-{v}"
        make(c, name, partitions=2)
        make(c, f"pr-bad-{v}", partitions=60)
        def ask(case, records, topic=name, v=v, **more):
            return c.ask(case, "produce", v, **produce_one(topic, records, **more))
        ask("acks=all", batch([b"a", b"b"], **now))
        ask("acks=1", batch([b"a", b"b"], **now), acks=1)
        ask("acks=2", batch(**now), acks=2)
        ask("acks=-2", batch(**now), acks=-2)
        ask("no time", batch(**now), timeout_ms=0, acks=1)
        ask("unknown topic", batch(**now), topic="unknown")
        ask("impossible name", batch(**now), topic="a b")
        ask("empty name", batch(**now), topic="")
        for case, index in ("unknown", 9), ("negative", -1):
            c.ask(f"{case} partition", "produce", v, acks=-1, timeout_ms=20000, topic_data=[
                {"name": name, "partition_data": [{"index": index, "records": batch(**now)}]}])
        c.ask("good beside bad", "produce", v, acks=-1, timeout_ms=20000, topic_data=[
            {"name": name, "partition_data": [{"index": 0, "records": batch(**now)}, {"index": 9, "records": batch(**now)},
                                              {"index": 1, "records": batch(crc=1, **now)}]},
            {"name": "unknown", "partition_data": [{"index": 0, "records": batch(**now)}]}])
        c.ask("no topic", "produce", v, acks=-1, timeout_ms=20000, topic_data=[])
        c.ask("no partition", "produce", v, acks=-1, timeout_ms=20000, topic_data=[{"name": name, "partition_data": []}])
        c.ask("a partition named twice", "produce", v, acks=-1, timeout_ms=20000, topic_data=[
            {"name": f"pr-bad-{v}", "partition_data": [{"index": 59, "records": batch(**now)}, {"index": 1, "records": batch(**now)}]}])
        c.ask("a topic named twice", "produce", v, acks=-1, timeout_ms=20000, topic_data=[
            {"name": f"pr-bad-{v}", "partition_data": [{"index": i, "records": batch(**now)}]} for i in (57, 58)])
        # Each on a partition of its own, so that what is taken by one does not move what follows.
        def bad(case, records, v=v, unused=iter(range(100))):
            c.ask(case, "produce", v, acks=-1, timeout_ms=20000, topic_data=[
                {"name": f"pr-bad-{v}", "partition_data": [{"index": next(unused), "records": records}]}])
        bad("no bytes", b"")
        bad("less than a header", batch(**now)[:40])
        bad("cut short", batch(**now)[:-1])
        bad("two batches", batch(**now) * 2)
        bad("more behind the batch", batch(**now) + b"more")
        bad("wrong checksum", batch(crc=1, **now))
        for magic in 0, 1, 3, -1:
            ask(f"magic {magic}", batch(magic=magic, **now))
        for length in 0, -1, 48, 1 << 30:
            ask(f"length {length}", batch(length=length, **now))
        bad("base offset 5", batch(base=5, **now))
        for count in 0, -1, 2:
            ask(f"count {count} of one", batch(count=count, **now))
        bad("last offset 5 of one", batch(last_delta=5, **now))
        bad("two records, told as 3", batch([b"a", b"b"], last_delta=2, count=3, **now))
        bad("records that are none", batch(records=b"\xff" * 10, **now))
        bad("offsets that skip", batch([b"a", b"b"], records=record(0) + record(5), **now))
        bad("offsets from 1 on", batch(records=record(1), **now))
        bad("bytes behind the records", batch(records=record(0) + b"\0\0", **now))
        bad("no record at all", batch([], last_delta=-1, **now))
        bad("control", batch(attributes=0x20, **now))
        bad("unknown codec", batch(attributes=5, **now))
        bad("unknown codec 7", batch(attributes=7, **now))
        bad("unused attributes", batch(attributes=0x180, **now))
        bad("said to be zstd", batch(attributes=4, **now))
        bad("said to be gzip", batch(attributes=1, **now))
        bad("time of the broker's", batch(attributes=8, **now))
        bad("time of 2 hours hence", batch(ms=NOW + 7200000))
        bad("time of 1970", batch(ms=1))
        bad("negative time", batch(ms=-5))
        bad("no time at all", batch(ms=-1))
        bad("greatest time not of the records", batch(ms=NOW, max_ms=NOW + 1000))
        ask("too large", batch([b"x" * 500], **now), topic="small")
        ask("just right", batch([b"x" * 100], **now), topic="small")
        ask("compacted, no key", batch(**now), topic="compact")
        ask("compacted, some without a key",
            batch([b"a", b"b"], records=record(0, key=b"k") + record(1), **now), topic="compact")
        ask("compacted", batch(key=b"k", **now), topic="compact")
        ask("time of the append", batch(**now), topic="appended")
        ask("transactional, without an id", batch(attributes=0x10, pid=1, epoch=0, sequence=0, **now))
        produce_idempotent(c, v, name)


def produce_idempotent(c, v, name):
    """Sequences of a producer, on the second partition."""
    pid = c.quietly("init_producer_id", 1, transactional_id=None, transaction_timeout_ms=1000).map(lambda a: a["producer_id"])
    def ask(case, sequence, number=2, epoch=0, pid=pid):
        records = Each(*(batch([b"v"] * number, ms=NOW, pid=p, epoch=epoch, sequence=sequence) for p in
                         (pid.two if isinstance(pid, Each) else (pid, pid))))
        c.ask("producer: " + case, "produce", v, acks=-1, timeout_ms=20000, topic_data=[
            {"name": name, "partition_data": [{"index": 1, "records": records}]}])
    ask("first", 0)
    ask("again", 0)
    ask("next", 2)
    ask("the one before, again", 0)
    ask("a gap", 9)
    ask("half of one that was", 2, number=1)
    ask("a newer epoch, not from 0", 5, epoch=1)
    ask("a newer epoch", 0, epoch=1)
    ask("the older epoch", 4, epoch=0)
    ask("negative sequence", -1, epoch=1)
    ask("negative epoch", 2, epoch=-1)
    ask("an id that nobody was given, from 0", 0, pid=1 << 40)
    ask("an id that nobody was given, from 5", 5, pid=(1 << 40) + 1)
    ask("greatest sequence", 0x7fffffff, pid=(1 << 40) + 2)
    ask("after the greatest sequence", 1, pid=(1 << 40) + 2)


def fetch(c):
    ids = dict(zip(("fe", "empty", "cut"), make(c, "fe", "empty", "cut", partitions=2)))
    fill(c, "fe")
    fill(c, "fe", batch([b"5", b"6"], ms=NOW))
    fill(c, "cut")
    c.quietly("delete_records", 1, timeout_ms=20000, topics=[{"name": "cut", "partitions": [{"partition_index": 0, "offset": 3}]}])
    for v in c.versions("fetch"):
        def of(topic, v=v):
            if v < 13:
                return {"topic": topic}
            return {"topic_id": ids.get(topic, SOME_ID)}
        def part(index=0, offset=0, **more):
            return {"partition": index, "fetch_offset": offset, "partition_max_bytes": 1 << 20, **more}
        def ask(case, *parts, topic="fe", v=v, **more):
            more = {"max_wait_ms": 0, "min_bytes": 1, "max_bytes": 1 << 20,
                    "topics": [{**of(topic), "partitions": list(parts)}] if parts else [], **more}
            if v >= 7:
                more.setdefault("session_epoch", -1)
            return c.ask(case, "fetch", v, **more)
        ask("from the start", part())
        ask("from within a batch", part(offset=2))
        ask("from the second batch", part(offset=5))
        ask("from the end", part(offset=7))
        ask("beyond the end", part(offset=8))
        ask("negative offset", part(offset=-1))
        ask("of what was deleted", part(offset=1), topic="cut")
        ask("from where the log starts", part(offset=3), topic="cut")
        ask("empty partition", part(), topic="empty")
        ask("unknown topic", part(), topic="unknown")
        ask("unknown partition", part(9))
        ask("negative partition", part(-1))
        ask("two partitions, one unknown", part(0), part(9))
        ask("a partition twice", part(0), part(0, 5))
        ask("of one byte", part(partition_max_bytes=1))
        ask("of no bytes", part(partition_max_bytes=0))
        ask("of negative bytes", part(partition_max_bytes=-1))
        ask("answer of one byte", part(), max_bytes=1)
        ask("answer of no bytes", part(), max_bytes=0)
        ask("only committed", part(), isolation_level=1)
        ask("unknown isolation", part(), isolation_level=2)
        ask("nothing", max_wait_ms=0)
        ask("negative wait", part(offset=7), max_wait_ms=-1)
        ask("no least bytes", part(offset=7), min_bytes=0, max_wait_ms=20000)
        if v <= 14:
            ask("as a replica", part(), replica_id=5)
            ask("as a debugger", part(), replica_id=-2)
        if v >= 9:
            ask("of this epoch", part(current_leader_epoch=0))
            ask("of an epoch to come", part(current_leader_epoch=5))
        if v >= 12:
            ask("read last in this epoch", part(offset=2, last_fetched_epoch=0))
            ask("read last in an epoch to come", part(offset=2, last_fetched_epoch=5))
            ask("of another cluster", part(), cluster_id="another")
        if v >= 13:
            c.ask("the zero id", "fetch", v, max_wait_ms=0, min_bytes=1, max_bytes=1 << 20, session_epoch=-1,
                  topics=[{"topic_id": ZERO_ID, "partitions": [part()]}])
        if v >= 7:
            fetch_session(ask, part, of)
            ask("session: new, of nothing", session_epoch=0)
            ask("session: unknown", session_id=12345, session_epoch=1)
            ask("session: unknown, ended", part(0), session_id=12345, session_epoch=-1)
            ask("session: unknown, begun anew", part(0), session_id=12345, session_epoch=0)


def fetch_session(ask, part, of):
    session = ask("session: new", part(0, 7), part(1), session_epoch=0).map(lambda a: a["session_id"])
    ask("session: nothing new", session_id=session, session_epoch=1)
    ask("session: a partition from elsewhere", part(0, 5), session_id=session, session_epoch=2)
    ask("session: the same epoch again", session_id=session, session_epoch=2)
    ask("session: an epoch to come", session_id=session, session_epoch=9)
    ask("session: unknown partition", part(9), session_id=session, session_epoch=3)
    ask("session: forgetting", session_id=session, session_epoch=4, forgotten_topics_data=[{**of("fe"), "partitions": [0, 9]}])
    ask("session: the rest", session_id=session, session_epoch=5)
    ask("session: ended", part(0), session_id=session, session_epoch=-1)
    ask("session: after its end", session_id=session, session_epoch=6)


def list_offsets(c):
    make(c, "lo", "lo-empty", partitions=2)
    for first in 0, 1000, 500:
        fill(c, "lo", batch([b"a", b"b"], records=record(0) + record(1, ms=10), ms=NOW + first, max_ms=NOW + first + 10))
    for v in c.versions("list_offsets"):
        def ask(case, *parts, topic="lo", v=v, **more):
            return c.ask(case, "list_offsets", v, **{"replica_id": -1, "topics": [
                {"name": topic, "partitions": [{"partition_index": 0, **p} for p in parts]}], **more})
        for special in range(-1, -8, -1):
            ask(f"special {special}", {"timestamp": special})
            ask(f"special {special} of nothing", {"timestamp": special}, topic="lo-empty")
        for ms in 0, 1, 5, 10, 11, 500, 505, 510, 1000, 1010:
            ask(f"time {ms}", {"timestamp": NOW + ms})
        ask("before all", {"timestamp": 0})
        ask("after all", {"timestamp": NOW + 2000})
        ask("time, of nothing", {"timestamp": NOW}, topic="lo-empty")
        ask("unknown topic", {"timestamp": -1}, topic="unknown")
        ask("impossible name", {"timestamp": -1}, topic="a b")
        ask("unknown partition", {"partition_index": 9, "timestamp": -1})
        ask("negative partition", {"partition_index": -1, "timestamp": -1})
        ask("a partition twice", {"timestamp": -1}, {"timestamp": -2})
        ask("no partition")
        ask("as a replica", {"timestamp": -1}, replica_id=5)
        ask("as a debugger", {"timestamp": -1}, replica_id=-2)
        if v >= 2:
            for special in -1, -2, NOW:
                ask("only committed", {"timestamp": special}, isolation_level=1)
            ask("unknown isolation", {"timestamp": -1}, isolation_level=5)
        if v >= 4:
            ask("of this epoch", {"timestamp": -1, "current_leader_epoch": 0})
            ask("of an epoch to come", {"timestamp": -1, "current_leader_epoch": 5})


def offset_for_leader_epoch(c):
    make(c, "ep")
    fill(c, "ep")
    for v in c.versions("offset_for_leader_epoch"):
        def ask(case, topic="ep", v=v, replica=-1, **part):
            more = {"replica_id": replica} if v >= 3 else {}
            c.ask(case, "offset_for_leader_epoch", v, topics=[
                {"topic": topic, "partitions": [{"partition": 0, "leader_epoch": 0, **part}]}], **more)
        ask("of this epoch")
        ask("of an epoch to come", leader_epoch=5)
        ask("of no epoch", leader_epoch=-1)
        ask("this epoch is known", current_leader_epoch=0)
        ask("another epoch is known", current_leader_epoch=5)
        ask("unknown topic", topic="unknown")
        ask("unknown partition", partition=9)
        ask("as a replica", replica=5)
        c.ask("nothing", "offset_for_leader_epoch", v, topics=[])


def delete_records(c):
    for v in c.versions("delete_records"):
        name = f"dr-{v}"
        make(c, name)
        fill(c, name)
        def ask(case, offset, topic=name, index=0, v=v):
            c.ask(case, "delete_records", v, timeout_ms=20000, topics=[
                {"name": topic, "partitions": [{"partition_index": index, "offset": offset}]}])
        ask("good", 2)
        ask("what is gone", 1)
        ask("beyond the end", 6)
        ask("negative", -2)
        ask("all", -1)
        ask("to the end, again", 5)
        ask("unknown topic", 0, topic="unknown")
        ask("unknown partition", 0, index=9)
        ask("impossible name", 0, topic="a b")
        ask("of a compacted topic", 0, topic="compact")
        c.ask("a partition twice", "delete_records", v, timeout_ms=20000, topics=[
            {"name": name, "partitions": [{"partition_index": 0, "offset": 5}, {"partition_index": 0, "offset": 3}]}])
        c.ask("nothing", "delete_records", v, timeout_ms=20000, topics=[])


def find_coordinator(c):
    for v in c.versions("find_coordinator"):
        def ask(case, *keys, kind=0, v=v):
            if v >= 4:
                c.ask(case, "find_coordinator", v, coordinator_keys=list(keys), key_type=kind)
            elif len(keys) == 1:
                c.ask(case, "find_coordinator", v, key=keys[0], **({"key_type": kind} if v else {}))
        ask("group", "g")
        ask("empty group", "")
        ask("two", "g", "h")
        ask("one twice", "g", "g")
        ask("none")
        if v >= 1:
            ask("transaction", "t", kind=1)
            ask("empty transaction", "", kind=1)
            ask("unknown kind", "g", kind=9)
            ask("negative kind", "g", kind=-1)


def offsets(c):
    """OffsetCommit, OffsetFetch and OffsetDelete of a group without members."""
    make(c, "of", partitions=2)
    for v in c.versions("offset_commit"):
        group = f"of-{v}"
        def ask(case, group=group, topic="of", v=v, generation=-1, member="", index=0, **part):
            c.ask(case, "offset_commit", v, group_id=group, generation_id_or_member_epoch=generation, member_id=member, topics=[
                {"name": topic, "partitions": [{"partition_index": index, "committed_offset": 3,
                                                "committed_metadata": "m", **part}]}])
        ask("good", committed_leader_epoch=0) if v >= 6 else ask("good")
        ask("no text", committed_metadata=None)
        ask("longest text", committed_metadata="x" * 4096)
        ask("text too long", committed_metadata="x" * 4097)
        ask("negative offset", committed_offset=-1)
        ask("more negative offset", committed_offset=-5)
        ask("beyond the end", committed_offset=1000)
        ask("unknown topic", topic="unknown")
        ask("unknown partition", index=9)
        ask("negative partition", index=-1)
        ask("impossible name", topic="a b")
        ask("empty group", group="")
        ask("generation of a group without", generation=3, member="m")
        ask("member of a group without", member="m")
        ask("generation of no group", group=f"of-none-{v}", generation=3, member="m")
        ask("unknown topic, generation of a group without", topic="unknown", generation=3, member="m")
        ask("unknown partition, member of a group without", index=9, member="m")
        ask("text too long, generation of a group without", committed_metadata="x" * 4097, generation=3, member="m")
        c.ask("nothing", "offset_commit", v, group_id=group, generation_id_or_member_epoch=-1, topics=[])
        c.ask("good beside bad", "offset_commit", v, group_id=group, generation_id_or_member_epoch=-1, topics=[
            {"name": "of", "partitions": [{"partition_index": i, "committed_offset": 4, "committed_metadata": ""} for i in (0, 1, 9)]},
            {"name": "unknown", "partitions": [{"partition_index": 0, "committed_offset": 4, "committed_metadata": ""}]}])
    committed = f"of-{c.versions('offset_commit')[-1]}"
    for v in c.versions("offset_fetch"):
        def ask(case, topics, group=committed, v=v, **more):
            if v >= 8:
                c.ask(case, "offset_fetch", v, groups=[{"group_id": group, "topics": topics}], **more)
            else:
                c.ask(case, "offset_fetch", v, group_id=group, topics=topics, **more)
        def of(*indexes, topic="of"):
            return [{"name": topic, "partition_indexes": list(indexes)}]
        ask("good", of(0, 1))
        ask("a partition twice", of(0, 0))
        ask("a topic twice", of(0) + of(1))
        ask("unknown partition", of(9))
        ask("unknown topic", of(0, topic="unknown"))
        ask("impossible name", of(0, topic="a b"))
        ask("no partition", of())
        ask("no topic", [])
        ask("unknown group", of(0), group="of-unknown")
        ask("empty group", of(0), group="")
        if v >= 2:
            ask("all", None)
            ask("all of an unknown group", None, group="of-unknown")
            ask("all of the empty group", None, group="")
        if v >= 7:
            ask("stable", of(0, 1), require_stable=True)
        if v >= 8:
            c.ask("two groups", "offset_fetch", v, groups=[{"group_id": committed, "topics": None},
                                                          {"group_id": "of-unknown", "topics": None}])
            c.ask("a group twice", "offset_fetch", v, groups=[{"group_id": committed, "topics": None}] * 2)
            c.ask("no group", "offset_fetch", v, groups=[])
        if v >= 9:
            for case, member, epoch in ("a member that is none", "m", 1), ("an epoch alone", None, 1), ("a member alone", "m", -1):
                c.ask(case, "offset_fetch", v, groups=[
                    {"group_id": committed, "member_id": member, "member_epoch": epoch, "topics": of(0)}])
    def delete(case, group=committed, topic="of", *indexes):
        c.ask(case, "offset_delete", 0, group_id=group, topics=[
            {"name": topic, "partitions": [{"partition_index": i} for i in indexes]}])
    delete("good", committed, "of", 1)
    delete("nothing committed there", committed, "of", 1)
    delete("unknown partition", committed, "of", 9)
    delete("unknown topic", committed, "unknown", 0)
    delete("no partition", committed, "of")
    delete("unknown group", "of-unknown", "of", 0)
    delete("empty group", "", "of", 0)
    c.ask("no topic", "offset_delete", 0, group_id=committed, topics=[])


# ---- groups ----

def subscription(*topics):
    """The metadata of the consumer protocol (version 0)."""
    return struct.pack(">hi", 0, len(topics)) + b"".join(struct.pack(">h", len(t)) + t.encode() for t in topics) + \
        struct.pack(">i", -1)


def joining(group, member="", **more):
    return {"group_id": group, "session_timeout_ms": 30000, "rebalance_timeout_ms": 30000, "member_id": member,
            "protocol_type": "consumer", "protocols": [{"name": "range", "metadata": subscription("of")}], **more}


def of_version(request, v):
    """Without what this version of JoinGroup has not."""
    return {k: x for k, x in request.items() if not (k == "rebalance_timeout_ms" and v < 1)}


def groups(c):
    for v in c.versions("join_group"):
        groups_bad_joins(c, v)
        member = groups_one_member(c, v)
        groups_while_stable(c, v, f"gr-{v}", member)
        groups_leaving(c, v, f"gr-{v}", member)
        if v >= 5:
            groups_static(c, v)
    groups_admin(c)


def groups_bad_joins(c, v):
    def ask(case, group="gr-bad", **more):
        c.ask(case, "join_group", v, **of_version(joining(group, **more), v))
    ask("empty group", group="")
    ask("session too short", session_timeout_ms=10)
    ask("session too long", session_timeout_ms=10000000)
    ask("session of 0", session_timeout_ms=0)
    ask("unknown member", member="somebody")
    ask("no protocol", protocols=[])
    ask("empty type", protocol_type="")
    if v >= 5:
        ask("empty instance", group_instance_id="")
        ask("instance of a member unknown", group_instance_id="i", member="somebody")


def groups_one_member(c, v):
    """A group with one member; returns its id."""
    group, member = f"gr-{v}", ""
    if v >= 4:
        member = c.ask("first, without an id", "join_group", v, **joining(group)).map(lambda a: a["member_id"])
        c.ask("describe: an id was given", "describe_groups", 4, groups=[group])
    joined = c.ask("first", "join_group", v, **of_version(joining(group, member), v))
    member = joined.map(lambda a: a["member_id"])
    c.ask("heartbeat: before the sync", "heartbeat", 3, group_id=group, generation_id=1, member_id=member)
    c.ask("commit: before the sync", "offset_commit", 7, group_id=group, generation_id_or_member_epoch=1, member_id=member, topics=[
        {"name": "of", "partitions": [{"partition_index": 0, "committed_offset": 1, "committed_metadata": ""}]}])
    def sync(case, version, generation=1, who=member, **more):
        if version >= 5:
            more = {"protocol_type": "consumer", "protocol_name": "range", **more}
        c.ask(case, "sync_group", version, **{"group_id": group, "generation_id": generation, "member_id": who, "assignments": [
            {"member_id": who, "assignment": b"assigned"}], **more})
    version = min(v, 5)
    sync("another generation", version, generation=5)
    sync("unknown member", version, who="somebody")
    if version >= 5:
        sync("another protocol", version, protocol_type="consumer", protocol_name="other")
        sync("another type", version, protocol_type="other", protocol_name="range")
        sync("no protocol", version, protocol_name=None)
    sync("unknown group", version, group_id="gr-none")
    sync("empty group", version, group_id="")
    sync("good", version)
    sync("again", version)
    return member


def groups_while_stable(c, v, group, member):
    version = min(v, 4)
    def beat(case, generation=1, who=member, group=group, **more):
        c.ask(case, "heartbeat", version, group_id=group, generation_id=generation, member_id=who, **more)
    beat("good")
    beat("another generation", generation=7)
    beat("negative generation", generation=-1)
    beat("unknown member", who="somebody")
    beat("no member", who="")
    beat("unknown group", group="gr-none")
    beat("empty group", group="")
    if version >= 3:
        beat("instance of a member without", group_instance_id="i")
    for w in c.versions("describe_groups"):
        c.ask("stable", "describe_groups", w, groups=[group])
    c.ask("the same again", "join_group", v, **of_version(joining(group, member), v))
    c.quietly("sync_group", 3, group_id=group, generation_id=2, member_id=member, assignments=[
        {"member_id": member, "assignment": b"assigned"}])
    c.ask("another type of protocol", "join_group", v, **of_version(joining(group, protocol_type="other"), v))
    c.ask("another protocol", "join_group", v, **of_version(joining(group, protocols=[{"name": "p", "metadata": b""}]), v))
    def commit(case, generation=2, who=member):
        for w in c.versions("offset_commit", min(v, 9), min(v, 9)):
            c.ask("member: " + case, "offset_commit", w, group_id=group, generation_id_or_member_epoch=generation, member_id=who,
                  topics=[{"name": "of", "partitions": [{"partition_index": 0, "committed_offset": 5, "committed_metadata": ""}]}])
    commit("good")
    commit("another generation", generation=7)
    commit("another member", who="somebody")
    commit("no member", generation=-1, who="")
    c.ask("delete: not empty", "delete_groups", 2, groups_names=[group])
    c.ask("subscribed", "offset_delete", 0, group_id=group, topics=[{"name": "of", "partitions": [{"partition_index": 0}]}])
    c.ask("not subscribed", "offset_delete", 0, group_id=group, topics=[{"name": "lo", "partitions": [{"partition_index": 0}]}])


def groups_leaving(c, v, group, member):
    version = min(v, 5)
    def leave(case, who=member, group=group, **more):
        if version >= 3:
            c.ask(case, "leave_group", version, group_id=group, members=[{"member_id": who, **more}])
        else:
            c.ask(case, "leave_group", version, group_id=group, member_id=who)
    leave("unknown member", who="somebody")
    leave("unknown group", group="gr-none")
    leave("empty group", group="")
    if version >= 3:
        leave("unknown instance", who="", group_instance_id="i")
        leave("instance of a member without", group_instance_id="i")
        c.ask("nobody", "leave_group", version, group_id=group, members=[])
        c.ask("one twice", "leave_group", version, group_id=group, members=[{"member_id": member}] * 2)
    else:
        leave("good")
    leave("again")
    for w in c.versions("describe_groups"):
        c.ask("empty", "describe_groups", w, groups=[group])


def groups_static(c, v):
    group, instance = f"gr-static-{v}", {"group_instance_id": "instance"}
    first = c.ask("static: first", "join_group", v, **joining(group, **instance)).map(lambda a: a["member_id"])
    c.quietly("sync_group", 3, group_id=group, generation_id=1, member_id=first, **instance, assignments=[
        {"member_id": first, "assignment": b"assigned"}])
    c.ask("static: stable", "describe_groups", 5, groups=[group])
    c.ask("static: good", "heartbeat", 4, group_id=group, generation_id=1, member_id=first, **instance)
    second = c.ask("static: again", "join_group", v, **joining(group, **instance)).map(lambda a: a["member_id"])
    c.ask("static: of the first", "heartbeat", 4, group_id=group, generation_id=1, member_id=first, **instance)
    c.ask("static: of the first", "sync_group", 4, group_id=group, generation_id=1, member_id=first, **instance, assignments=[])
    c.ask("static: of the first", "join_group", v, **joining(group, first, **instance))
    c.ask("static: of the first", "offset_commit", 7, group_id=group, generation_id_or_member_epoch=1, member_id=first, **instance,
          topics=[{"name": "of", "partitions": [{"partition_index": 0, "committed_offset": 5, "committed_metadata": ""}]}])
    c.ask("static: of the second", "sync_group", 4, group_id=group, generation_id=1, member_id=second, **instance, assignments=[])
    c.ask("static: of the second", "heartbeat", 4, group_id=group, generation_id=1, member_id=second, **instance)
    c.ask("static: of the first", "leave_group", 5, group_id=group, members=[{"member_id": first, **instance}])
    c.ask("static: by instance", "leave_group", 5, group_id=group, members=[{"member_id": "", **instance}])
    c.ask("static: empty", "describe_groups", 5, groups=[group])


def consumer_groups(c):
    """Groups of the newer protocol (KIP-848)."""
    (topic,) = make(c, "cg", partitions=4)
    for v in c.versions("consumer_group_heartbeat"):
        group = f"cg-{v}"
        def ask(case, member, epoch, v=v, group=group, **more):
            return c.ask(case, "consumer_group_heartbeat", v, **{"group_id": group, "member_id": member, "member_epoch": epoch, **more})
        def subscribing(**more):
            return {"rebalance_timeout_ms": 30000, "subscribed_topic_names": ["cg"], "topic_partitions": [], **more}
        first = "first" if v >= 1 else ""
        ask("empty group", first, 0, group_id="", **subscribing())
        ask("no time to rebalance", first, 0, **subscribing(rebalance_timeout_ms=-1))
        ask("no subscription", first, 0, **subscribing(subscribed_topic_names=None))
        ask("it owns what it can't", first, 0, **subscribing(topic_partitions=[{"topic_id": topic, "partitions": [0]}]))
        ask("unknown assignor", first, 0, **subscribing(server_assignor="nobody"))
        ask("empty instance", first, 0, **subscribing(instance_id=""))
        ask("empty rack", first, 0, **subscribing(rack_id=""))
        ask("unknown member", "somebody", 5)
        ask("unknown member leaves", "somebody", -1)
        if v >= 1:
            ask("no member", "", 0, **subscribing())
            ask("a pattern that is none", first, 0, **subscribing(subscribed_topic_names=None, subscribed_topic_regex="["))
        first = ask("first", first, 0, **subscribing()).map(lambda a: a["member_id"])
        def epoch_of(answer):
            return answer.map(lambda a: a["member_epoch"])
        described = ask("again", first, 0, **subscribing())
        epoch = epoch_of(described)
        ask("it owns them", first, epoch, topic_partitions=[{"topic_id": topic, "partitions": [0, 1, 2, 3]}])
        ask("an epoch to come", first, 99)
        ask("a negative epoch", first, -7)
        for w in c.versions("consumer_group_describe"):
            c.ask("one member", "consumer_group_describe", w, group_ids=[group])
        c.ask("of the newer protocol", "describe_groups", 5, groups=[group])
        c.ask("of the newer protocol", "join_group", 5, **of_version(joining(group), 5))
        c.ask("of the newer protocol", "heartbeat", 3, group_id=group, generation_id=1, member_id=first)
        c.ask("newer protocol: not empty", "delete_groups", 2, groups_names=[group])
        # Whose ids are the same on both sides: the order and the assignment go by them.
        ask("of an older group", f"joins-{v}", 0, group_id="gr-9", **subscribing())
        ask("leaves", first, -1)
        ask("after it left", first, epoch)
        c.ask("empty", "consumer_group_describe", 0, group_ids=[group])
    for v in c.versions("consumer_group_describe"):
        for group in "cg-none", "gr-9", "":
            c.ask(f"group {group!r}", "consumer_group_describe", v, group_ids=[group])
        c.ask("none", "consumer_group_describe", v, group_ids=[])
        c.ask("allowed operations", "consumer_group_describe", v, group_ids=["cg-1"], include_authorized_operations=True)


def groups_admin(c):
    for v in c.versions("describe_groups"):
        c.ask("unknown", "describe_groups", v, groups=["gr-none"])
        c.ask("empty name", "describe_groups", v, groups=[""])
        c.ask("none", "describe_groups", v, groups=[])
        c.ask("twice", "describe_groups", v, groups=["gr-9", "gr-9"])
        c.ask("offsets only", "describe_groups", v, groups=["of-9"])
        if v >= 3:
            c.ask("allowed operations", "describe_groups", v, groups=["gr-9"], include_authorized_operations=True)
    for v in c.versions("list_groups"):
        c.ask("all", "list_groups", v)
        if v >= 4:
            for states in ["Empty"], ["Stable", "Empty"], ["empty"], ["NoSuchState"], [""]:
                c.ask(f"states {states}", "list_groups", v, states_filter=states)
        if v >= 5:
            for types in ["classic"], ["Classic"], ["consumer"], ["nosuch"]:
                c.ask(f"types {types}", "list_groups", v, types_filter=types)
    for v in c.versions("delete_groups"):
        group = f"of-{v + 2}"
        c.ask("good", "delete_groups", v, groups_names=[group])
        c.ask("gone already", "delete_groups", v, groups_names=[group])
        c.ask("unknown", "delete_groups", v, groups_names=["gr-none"])
        c.ask("empty name", "delete_groups", v, groups_names=[""])
        c.ask("twice", "delete_groups", v, groups_names=[f"of-{v + 5}"] * 2)
        c.ask("none", "delete_groups", v, groups_names=[])


# ---- the rest ----

def init_producer_id(c):
    for v in c.versions("init_producer_id"):
        def ask(case, v=v, **more):
            c.ask(case, "init_producer_id", v, **{"transactional_id": None, "transaction_timeout_ms": 1000, **more})
        ask("idempotent")
        ask("no time", transaction_timeout_ms=0)
        ask("negative time", transaction_timeout_ms=-1)
        ask("empty transaction", transactional_id="")
        ask("transaction", transactional_id=f"ip-{v}")
        ask("transaction, again", transactional_id=f"ip-{v}")
        for ms in 0, -1, 900000, 900001:
            ask(f"transaction of {ms} ms", transactional_id=f"ip-{v}", transaction_timeout_ms=ms)
        if v >= 3:
            ask("an id in an epoch", producer_id=5, producer_epoch=0)
            ask("an id alone", producer_id=5)
            ask("an epoch alone", producer_epoch=5)
            now = c.ask("transaction", "init_producer_id", v, transactional_id=f"ip-{v}", transaction_timeout_ms=1000)
            pid, epoch = (now.map(lambda a, field=field: a[field]) for field in ("producer_id", "producer_epoch"))
            ask("transaction, as it is", transactional_id=f"ip-{v}", producer_id=pid, producer_epoch=epoch)
            ask("transaction, as it was", transactional_id=f"ip-{v}", producer_id=pid, producer_epoch=epoch)
            ask("transaction, long ago", transactional_id=f"ip-{v}", producer_id=pid, producer_epoch=0)
            ask("transaction, to come", transactional_id=f"ip-{v}", producer_id=pid, producer_epoch=100)
            ask("transaction, another's", transactional_id=f"ip-{v}", producer_id=1 << 40, producer_epoch=0)
            ask("an unknown transaction's", transactional_id=f"ip-none-{v}", producer_id=5, producer_epoch=0)


class Transactions:
    """A producer with a transactional id at both, and what it asks for."""

    def __init__(self, c, name, timeout_ms=60000):
        self.c, self.name = c, name
        # While it ends what an older one has begun, a broker says CONCURRENT_TRANSACTIONS.
        told = Each(*(until("a producer begins", lambda client=client: next(
            (a for a in [client.ask("init_producer_id", 4, transactional_id=name, transaction_timeout_ms=timeout_ms)]
             if a["error_code"] != CONCURRENT_TRANSACTIONS), None)) for client in c.clients))
        self.pid, self.epoch = (told.map(lambda a, f=f: a[f]) for f in ("producer_id", "producer_epoch"))
        self.sequence = 0

    def who(self, **more):
        return {"transactional_id": self.name, "producer_id": self.pid, "producer_epoch": self.epoch, **more}

    def add(self, case, v, topic="tx", *indexes, **more):
        self.c.ask(case, "add_partitions_to_txn", v, topics=[{"name": topic, "partitions": list(indexes or (0,))}], **self.who(**more))

    def produce(self, case, v=11, topic="tx", index=0, **more):
        records = Each(*(batch([b"t"], ms=NOW, attributes=0x10, **{"pid": p, "epoch": e, "sequence": self.sequence, **more})
                         for p, e in zip(self.pid.two, self.epoch.two)))
        told = self.c.ask(case, "produce", v, transactional_id=self.name, acks=-1, timeout_ms=20000, topic_data=[
            {"name": topic, "partition_data": [{"index": index, "records": records}]}])
        self.sequence += not any(a["responses"][0]["partition_responses"][0]["error_code"] for a in told.two)

    def end(self, case, v, committed, **more):
        told = self.c.ask(case, "end_txn", v, committed=committed, **self.who(**more))
        if v >= 5 and not any(a["error_code"] for a in told.two):
            # The producer goes on in a new epoch (KIP-890).
            self.pid, self.epoch = (told.map(lambda a, f=f: a[f]) for f in ("producer_id", "producer_epoch"))
            self.sequence = 0
        # Kafka writes markers after its answer.
        def ended():
            states = self.c.quietly("describe_transactions", 0, transactional_ids=[self.name]).two
            return all(not s["transaction_states"][0]["transaction_state"].startswith("Prepare") for s in states)
        until("transactions have ended", ended)

    def offsets(self, case, v, group="tx-group", topic="tx", index=0, offset=3, metadata="", **more):
        self.c.ask(case, "txn_offset_commit", v, group_id=group, topics=[{"name": topic, "partitions": [
            {"partition_index": index, "committed_offset": offset, "committed_metadata": metadata}]}], **self.who(**more))


def transactions_seen(c, case):
    """What readers see of the topic, and what is told of its producers."""
    for level in 0, 1:
        c.ask(f"{case}, isolation {level}", "fetch", 12, max_wait_ms=0, min_bytes=1, max_bytes=1 << 20, session_epoch=-1,
              isolation_level=level, topics=[{"topic": "tx-one", "partitions": [
                  {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1 << 20}]}])
        for special in -1, -2, -3, NOW:
            c.ask(f"{case}, isolation {level}", "list_offsets", 7, replica_id=-1, isolation_level=level, topics=[
                {"name": "tx-one", "partitions": [{"partition_index": 0, "timestamp": special}]}])
    c.ask(case, "describe_producers", 0, topics=[{"name": "tx-one", "partition_indexes": [0]}])
    c.ask(case, "describe_transactions", 0, transactional_ids=["tx-a"])
    for stable in True, False:
        c.ask(f"{case}, stable {stable}", "offset_fetch", 7, group_id="tx-group", require_stable=stable, topics=None)


def transactions(c):
    make(c, "tx", "tx-one", partitions=2)
    for v in c.versions("add_partitions_to_txn"):
        t = Transactions(c, f"tx-add-{v}")
        t.add("good", v)
        t.add("again", v)
        t.add("unknown topic", v, "unknown")
        t.add("impossible name", v, "a b")
        t.add("unknown partition", v, "tx", 9)
        t.add("good and unknown", v, "tx", 0, 9)
        t.add("another producer", v, producer_id=1 << 40)
        t.add("older epoch", v, producer_epoch=-1)
        t.add("newer epoch", v, producer_epoch=7)
        t.add("unknown transaction", v, transactional_id="tx-none")
        t.add("empty transaction", v, transactional_id="")
        c.ask("no topic", "add_partitions_to_txn", v, topics=[], **t.who())
    for v in c.versions("add_offsets_to_txn"):
        t = Transactions(c, f"tx-offsets-{v}")
        def ask(case, group="tx-group", v=v, t=t, **more):
            c.ask(case, "add_offsets_to_txn", v, group_id=group, **t.who(**more))
        ask("good")
        ask("again")
        ask("empty group", group="")
        ask("another producer", producer_id=1 << 40)
        ask("newer epoch", producer_epoch=7)
        ask("unknown transaction", transactional_id="tx-none")
        ask("empty transaction", transactional_id="")
        t.end("abort", 3, False)
    for v in c.versions("txn_offset_commit"):
        t = Transactions(c, f"tx-commit-{v}")
        t.offsets("not added", v)
        c.quietly("add_offsets_to_txn", 3, group_id="tx-group", **t.who())
        t.offsets("good", v)
        t.offsets("unknown topic", v, topic="unknown")
        t.offsets("unknown partition", v, index=9)
        t.offsets("negative offset", v, offset=-5)
        t.offsets("text too long", v, metadata="x" * 4097)
        t.offsets("empty group", v, group="")
        t.offsets("another producer", v, producer_id=1 << 40)
        t.offsets("newer epoch", v, producer_epoch=7)
        t.offsets("unknown topic, newer epoch", v, topic="unknown", producer_epoch=7)
        if v >= 3:
            t.offsets("member of a group without", v, member_id="m", generation_id=3)
            t.offsets("member alone", v, member_id="m")
            t.offsets("generation alone", v, generation_id=3)
        t.end("abort", 3, False)
    for v in c.versions("end_txn"):
        t = Transactions(c, f"tx-end-{v}")
        t.end("nothing to commit", v, True)
        t.end("nothing to abort", v, False)
        t.add("good", 3)
        t.end("another producer", v, True, producer_id=1 << 40)
        t.end("newer epoch", v, True, producer_epoch=7)
        t.end("unknown transaction", v, True, transactional_id="tx-none")
        t.end("empty transaction", v, True, transactional_id="")
        t.end("commit", v, True)
        t.end("commit again", v, True)
        t.end("abort what was committed", v, False)
        t.add("good", 3)
        t.end("abort", v, False)
        t.end("abort again", v, False)
        t.end("commit what was aborted", v, True)
    transactions_of_one(c)
    transactions_by_hand(c)


def transactions_by_hand(c):
    """Markers that a client writes, which asks no coordinator."""
    make(c, "tx-hand", partitions=2)
    for v in c.versions("write_txn_markers"):
        t = Transactions(c, f"tx-hand-{v}")
        def mark(case, v=v, t=t, topic="tx-hand", numbers=(0,), commit=False, coordinator=0, **more):
            c.ask(case, "write_txn_markers", v, markers=[{"producer_id": t.pid, "producer_epoch": t.epoch, **more, "transaction_result": commit,
                "topics": [{"name": topic, "partition_indexes": list(numbers)}], "coordinator_epoch": coordinator}])
        def seen(case, t=t):
            c.ask(case, "list_offsets", 7, replica_id=-1, isolation_level=1, topics=[
                {"name": "tx-hand", "partitions": [{"partition_index": i, "timestamp": -1} for i in (0, 1)]}])
            c.ask(case, "describe_transactions", 0, transactional_ids=[t.name])
        t.add("good", 3, "tx-hand", 0, 1)
        t.produce("by hand", topic="tx-hand")
        t.produce("by hand, elsewhere", topic="tx-hand", index=1, sequence=0)
        seen("open")
        mark("older epoch", producer_epoch=-1)
        mark("unknown topic", topic="unknown")
        mark("impossible name", topic="a b")
        mark("good and unknown partition", numbers=(0, 9))
        seen("aborted by hand")
        mark("older coordinator", coordinator=-1)
        mark("nothing is open")
        c.ask("nothing", "write_txn_markers", v, markers=[])
        t.end("commit of what was aborted by hand", 3, True)
        seen("committed behind that")
        # Its coordinator can't end this one any more, at Kafka.
        fenced = Transactions(c, f"tx-hand-fenced-{v}")
        fenced.add("good", 3, "tx-hand", 1)
        fenced.produce("by hand, to be fenced", topic="tx-hand", index=1)
        mark("newer epoch", numbers=(1,), producer_id=fenced.pid, producer_epoch=7)
        seen("aborted by a newer epoch")
        fenced.produce("by hand, fenced", topic="tx-hand", index=1)


def transactions_of_one(c):
    """The life of one, and what others see of it."""
    fill(c, "tx-one")
    t = Transactions(c, "tx-a")
    transactions_seen(c, "before")
    t.produce("transaction: not added", topic="tx-one", index=1)
    t.add("good", 3, "tx-one")
    t.produce("transaction: good", topic="tx-one")
    transactions_seen(c, "open")
    t.produce("transaction: more", topic="tx-one")
    t.produce("transaction: of an older epoch", topic="tx-one", epoch=-1)
    t.produce("transaction: of a newer epoch", topic="tx-one", epoch=7)
    t.produce("transaction: of another", topic="tx-one", pid=1 << 40)
    c.quietly("add_offsets_to_txn", 3, group_id="tx-group", **t.who())
    t.offsets("transaction: offsets", 3, topic="tx-one")
    transactions_seen(c, "open, with offsets")
    t.end("transaction: commit", 3, True)
    transactions_seen(c, "committed")
    t.add("second", 3, "tx-one")
    t.produce("transaction: second", topic="tx-one")
    fill(c, "tx-one")
    c.quietly("add_offsets_to_txn", 3, group_id="tx-group", **t.who())
    t.offsets("transaction: other offsets", 3, topic="tx-one", offset=4)
    t.end("transaction: abort", 3, False)
    transactions_seen(c, "aborted")
    t.add("third", 3, "tx-one")
    t.produce("transaction: third", topic="tx-one")
    newer = Transactions(c, "tx-a")
    transactions_seen(c, "fenced")
    t.produce("fenced: produce", topic="tx-one")
    t.add("fenced", 3, "tx-one")
    t.end("fenced", 3, True)
    t.offsets("fenced", 3, topic="tx-one")
    newer.end("of the newer, nothing", 3, True)
    c.ask("unknown", "describe_transactions", 0, transactional_ids=["tx-none"])
    c.ask("empty", "describe_transactions", 0, transactional_ids=[""])
    c.ask("none", "describe_transactions", 0, transactional_ids=[])
    c.ask("unknown topic", "describe_producers", 0, topics=[{"name": "unknown", "partition_indexes": [0]}])
    c.ask("unknown partition", "describe_producers", 0, topics=[{"name": "tx-one", "partition_indexes": [9]}])
    c.ask("impossible name", "describe_producers", 0, topics=[{"name": "a b", "partition_indexes": [0]}])
    for v in c.versions("list_transactions"):
        for states in [], ["Ongoing"], ["CompleteCommit", "Empty"], ["NoSuchState"], ["ongoing"]:
            c.ask(f"states {states}", "list_transactions", v, state_filters=states)
        c.ask("of no producer", "list_transactions", v, producer_id_filters=[1 << 40])
        if v >= 1:
            c.ask("open for long", "list_transactions", v, duration_filter=3600000)


# Settings that both have; those of topics that begin with what follows are not asked for.
def describe_configs(c):
    make(c, "dc", configs={"retention.ms": "1234"})
    topic_keys = ["cleanup.policy", "compression.type", "delete.retention.ms", "flush.ms", "index.interval.bytes",
                  "max.message.bytes", "message.timestamp.type", "min.insync.replicas", "preallocate", "retention.bytes",
                  "retention.ms", "segment.bytes", "segment.ms", "unclean.leader.election.enable"]
    broker_keys = ["auto.create.topics.enable", "num.partitions", "message.max.bytes", "offsets.retention.minutes",
                   "log.segment.bytes", "log.cleanup.policy", "node.id", "min.insync.replicas", "group.max.session.timeout.ms"]
    for v in c.versions("describe_configs"):
        def ask(case, kind, name, keys, v=v, **more):
            c.ask(case, "describe_configs", v, resources=[
                {"resource_type": kind, "resource_name": name, "configuration_keys": keys}], **more)
        ask("topic", TOPIC, "dc", topic_keys)
        ask("broker", BROKER, "1", broker_keys)
        if v >= 1:
            ask("topic, with synonyms", TOPIC, "dc", topic_keys, include_synonyms=True)
            ask("broker, with synonyms", BROKER, "1", broker_keys, include_synonyms=True)
        if v >= 3:
            ask("topic, explained", TOPIC, "dc", topic_keys, include_documentation=True)
        ask("all of the topic", TOPIC, "dc", None)
        ask("no key", TOPIC, "dc", [])
        ask("unknown key", TOPIC, "dc", ["no.such.setting"])
        ask("a key twice", TOPIC, "dc", ["retention.ms", "retention.ms"])
        ask("unknown topic", TOPIC, "unknown", None)
        ask("impossible topic", TOPIC, "a b", None)
        ask("empty topic", TOPIC, "", None)
        ask("unknown broker", BROKER, "7", None)
        ask("no broker at all", BROKER, "x", None)
        ask("all brokers", BROKER, "", None)
        ask("unknown type", 77, "dc", None)
        ask("type 0", 0, "dc", None)
        ask("loggers of another broker", LOGGER, "7", None)
        ask("loggers of all brokers", LOGGER, "", None)
        c.ask("a resource twice", "describe_configs", v, resources=[
            {"resource_type": TOPIC, "resource_name": "dc", "configuration_keys": ["retention.ms"]}] * 2)
        c.ask("none", "describe_configs", v, resources=[])


def alter_configs(c):
    make(c, "ac", "ac-other")
    for v in c.versions("alter_configs"):
        def ask(case, kind, name, *pairs, v=v, **more):
            c.ask(case, "alter_configs", v, resources=[{"resource_type": kind, "resource_name": name, "configs": [
                {"name": n, "value": x} for n, x in pairs]}], **more)
        ask("good", TOPIC, "ac", ("retention.ms", "5"), ("segment.ms", "7000"))
        ask("only validated", TOPIC, "ac", ("retention.ms", "6"), validate_only=True)
        ask("impossible value", TOPIC, "ac", ("retention.ms", "many"))
        ask("unknown setting", TOPIC, "ac", ("no.such.setting", "1"))
        ask("no value", TOPIC, "ac", ("retention.ms", None))
        ask("a setting twice", TOPIC, "ac", ("retention.ms", "1"), ("retention.ms", "2"))
        ask("unknown topic", TOPIC, "unknown", ("retention.ms", "5"))
        ask("impossible topic", TOPIC, "a b", ("retention.ms", "5"))
        ask("empty topic", TOPIC, "", ("retention.ms", "5"))
        ask("unknown type", 77, "ac", ("retention.ms", "5"))
        ask("unknown broker", BROKER, "7", ("message.max.bytes", "5000"))
        ask("no broker at all", BROKER, "x", ("message.max.bytes", "5000"))
        ask("what can't be altered", BROKER, "1", ("log.dirs", "/x"))
        ask("nothing", TOPIC, "ac")
        c.ask("good beside bad", "alter_configs", v, resources=[
            {"resource_type": TOPIC, "resource_name": "ac", "configs": [{"name": "retention.ms", "value": "5"}]},
            {"resource_type": TOPIC, "resource_name": "ac-other", "configs": [{"name": "retention.ms", "value": "x"}]}])
        c.ask("none", "alter_configs", v, resources=[])
    settle_configs(c, "ac")
    for v in c.versions("incremental_alter_configs"):
        def ask(case, kind, name, *triples, v=v, **more):
            c.ask(case, "incremental_alter_configs", v, resources=[{"resource_type": kind, "resource_name": name, "configs": [
                {"name": n, "config_operation": op, "value": x} for n, op, x in triples]}], **more)
        ask("set", TOPIC, "ac", ("retention.ms", SET, "9"), ("cleanup.policy", SET, "delete"))
        ask("delete", TOPIC, "ac", ("retention.ms", DELETE, None))
        ask("delete what is not set", TOPIC, "ac", ("retention.ms", DELETE, None))
        ask("append", TOPIC, "ac", ("cleanup.policy", APPEND, "compact"))
        ask("append what is there", TOPIC, "ac", ("cleanup.policy", APPEND, "compact"))
        ask("subtract", TOPIC, "ac", ("cleanup.policy", SUBTRACT, "compact"))
        ask("subtract what is not there", TOPIC, "ac", ("cleanup.policy", SUBTRACT, "compact"))
        ask("append to what is no list", TOPIC, "ac", ("retention.ms", APPEND, "1"))
        ask("append what can't be", TOPIC, "ac", ("cleanup.policy", APPEND, "burn"))
        ask("set to nothing", TOPIC, "ac", ("retention.ms", SET, None))
        ask("unknown operation", TOPIC, "ac", ("retention.ms", 9, "1"))
        ask("impossible value", TOPIC, "ac", ("retention.ms", SET, "many"))
        ask("unknown setting", TOPIC, "ac", ("no.such.setting", SET, "1"))
        ask("delete an unknown setting", TOPIC, "ac", ("no.such.setting", DELETE, None))
        ask("a setting twice", TOPIC, "ac", ("retention.ms", SET, "1"), ("retention.ms", SET, "2"))
        ask("unknown topic", TOPIC, "unknown", ("retention.ms", SET, "5"))
        ask("impossible topic", TOPIC, "a b", ("retention.ms", SET, "5"))
        ask("unknown type", 77, "ac", ("retention.ms", SET, "5"))
        ask("only validated", TOPIC, "ac", ("retention.ms", SET, "6"), validate_only=True)
        ask("nothing", TOPIC, "ac")
        ask("of the broker", BROKER, "1", ("message.max.bytes", SET, "500000"))
        ask("of the broker, deleted", BROKER, "1", ("message.max.bytes", DELETE, None))
        ask("of all brokers", BROKER, "", ("message.max.bytes", SET, "500000"))
        ask("of all brokers, deleted", BROKER, "", ("message.max.bytes", DELETE, None))
        ask("impossible value of the broker", BROKER, "1", ("message.max.bytes", SET, "many"))
        ask("unknown setting of the broker", BROKER, "1", ("no.such.setting", SET, "many"))
        ask("what can't be altered", BROKER, "1", ("log.dirs", SET, "/x"))
        ask("what can be altered for one only", BROKER, "", ("listeners", SET, "PLAINTEXT://127.0.0.1:1"))
        ask("unknown broker", BROKER, "7", ("message.max.bytes", SET, "500000"))
        ask("no broker at all", BROKER, "x", ("message.max.bytes", SET, "500000"))
        c.ask("a resource twice", "incremental_alter_configs", v, resources=[
            {"resource_type": TOPIC, "resource_name": "ac", "configs": []}] * 2)
        c.ask("none", "incremental_alter_configs", v, resources=[])
        settle_configs(c, "ac")


def settle_configs(c, topic):
    """What has been set is what both tell; Kafka's broker learns of it a little later."""
    keys = ["cleanup.policy", "retention.ms", "segment.ms"]
    def values():
        answers = c.quietly("describe_configs", 4, resources=[
            {"resource_type": TOPIC, "resource_name": topic, "configuration_keys": keys}]).two
        told = [{x["name"]: x["value"] for x in a["results"][0]["configs"]} for a in answers]
        return told[0] == told[1]
    until("both tell the same of the topic's settings", values, 10)


def describe_log_dirs(c):
    for v in c.versions("describe_log_dirs"):
        c.ask("one topic", "describe_log_dirs", v, topics=[{"topic": "of", "partitions": [0, 1]}])
        c.ask("unknown partition", "describe_log_dirs", v, topics=[{"topic": "of", "partitions": [9]}])
        c.ask("unknown topic", "describe_log_dirs", v, topics=[{"topic": "unknown", "partitions": [0]}])
        c.ask("a partition twice", "describe_log_dirs", v, topics=[{"topic": "of", "partitions": [0, 0]}])
        c.ask("no partition", "describe_log_dirs", v, topics=[{"topic": "of", "partitions": []}])
        c.ask("none", "describe_log_dirs", v, topics=[])


def describe_cluster(c):
    for v in c.versions("describe_cluster"):
        c.ask("good", "describe_cluster", v)
        c.ask("allowed operations", "describe_cluster", v, include_cluster_authorized_operations=True)
        if v >= 1:
            c.ask("of controllers", "describe_cluster", v, endpoint_type=2)
            c.ask("of what is not there", "describe_cluster", v, endpoint_type=9)


def elect_leaders(c):
    make(c, "el", partitions=2)
    for v in c.versions("elect_leaders"):
        for kind in (0, 1) if v >= 1 else (0,):
            def ask(case, *topics, v=v, kind=kind):
                named = [{"topic": name, "partitions": list(numbers)} for name, *numbers in topics]
                c.ask(f"{case}, type {kind}", "elect_leaders", v, election_type=kind, topic_partitions=named, timeout_ms=5000)
            ask("good", ("el", 0, 1))
            ask("good beside bad", ("el", 0, 9), ("unknown", 0))
            ask("negative partition", ("el", -1))
            ask("impossible name", ("a b", 0))
            ask("no partition", ("el",))
            ask("nothing")
        if v >= 1:
            c.ask("unknown type", "elect_leaders", v, election_type=7, topic_partitions=[], timeout_ms=5000)


def reassignments(c):
    make(c, "re", partitions=2)
    for v in c.versions("alter_partition_reassignments"):
        def ask(case, *partitions, topic="re", v=v, **more):
            c.ask(case, "alter_partition_reassignments", v, timeout_ms=5000, topics=[{"name": topic, "partitions": [
                {"partition_index": i, "replicas": replicas} for i, replicas in partitions]}], **more)
        ask("where they are", (0, [1]), (1, [1]))
        ask("nowhere", (0, []))
        ask("elsewhere", (0, [7]))
        ask("here and elsewhere", (0, [1, 7]))
        ask("here twice", (0, [1, 1]))
        ask("negative broker", (0, [-1]))
        ask("ended", (0, None))
        ask("good beside bad", (0, [1]), (9, [1]))
        ask("unknown topic", (0, [1]), topic="unknown")
        ask("unknown topic, ended", (0, None), topic="unknown")
        ask("impossible name", (0, [1]), topic="a b")
        ask("no partition")
        if v >= 1:
            ask("as many", (0, [1]), allow_replication_factor_change=False)
            ask("not as many", (0, [1, 7]), allow_replication_factor_change=False)
        c.ask("nothing", "alter_partition_reassignments", v, timeout_ms=5000, topics=[])
    for v in c.versions("list_partition_reassignments"):
        def ask(case, topics, v=v):
            c.ask(case, "list_partition_reassignments", v, timeout_ms=5000, topics=topics)
        ask("all", None)
        ask("none", [])
        ask("some", [{"name": "re", "partition_indexes": [0, 1, 9]}, {"name": "unknown", "partition_indexes": [0]}])


CASES = (api_versions, frames, metadata, describe_topic_partitions, create_topics, create_partitions, delete_topics, produce, fetch, list_offsets,
         offset_for_leader_epoch, delete_records, find_coordinator, offsets, groups, consumer_groups, init_producer_id, transactions, describe_configs,
         alter_configs, describe_log_dirs, describe_cluster, elect_leaders, reassignments)


def run_all(servers):
    comparison = Comparison(servers)
    warm_up(comparison)
    wanted = [a for a in sys.argv[1:] if not a.startswith("-")]
    for case in CASES:
        if not wanted or case.__name__ in wanted:
            began = time.monotonic()
            case(comparison)
            print(f"asked {case.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
    alike, failures = comparison.report()
    return alike, failures + (0 if wanted else comparison.report_gaps())


if __name__ == "__main__":
    try:
        broker = Broker()
    except Skip as reason:
        print(f"skipped compare: {reason}")
        finish(0, 0, 1)
    daemon = weir_daemon.start(options({"weir.replication.factor.strict": "true"}))
    passed, failed = 0, 1
    try:
        passed, failed = run_all((broker, daemon))
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()
    broker.stop()
    broker.clean()
    finish(*end(daemon, passed, failed))
