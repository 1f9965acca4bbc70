#!/usr/bin/python3
"""admin_test.py -- the admin APIs as administrators meet them.

Through librdkafka (python3-confluent-kafka) and python3-kafka where they can
say it, and message by message where they can't.  WEIR_LOGD names the daemon.
"""
import os
import shutil
import sys
import traceback
import types

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import raw_client
import weir_daemon

HOST = "127.0.0.1"
NODE = 1
TOPIC, BROKER, LOGGER = 2, 4, 8
SET, DELETE, APPEND, SUBTRACT = range(4)
FROM_TOPIC, FROM_BROKER, FROM_ALL_BROKERS, FROM_FILE, FROM_DEFAULT = range(1, 6)
NOT_ASKED = -2147483648
# CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE (KIP-430).
CLUSTER_OPERATIONS = sum(1 << op for op in (5, 7, 8, 9, 10, 11, 12))

# Kafka's codes.
OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC, INVALID_TOPIC, EXISTS = 1, 3, 17, 36
BAD_PARTITIONS, BAD_FACTOR, BAD_ASSIGNMENT, BAD_CONFIG, BAD_REQUEST = 37, 38, 39, 40, 42
POLICY, DELETION_DISABLED, NOT_NEEDED, NO_REASSIGNMENT, UNKNOWN_ID, MISMATCHED, UNSUPPORTED_ENDPOINT = 44, 73, 84, 85, 100, 114, 115


class Results:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, got, wanted):
        by_function = isinstance(wanted, types.FunctionType)
        good = bool(wanted(got)) if by_function else got == wanted
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        print(("ok   " if good else "FAIL ") + name, flush=True)
        if not good:
            print("     got %r" % (got,) + ("" if by_function else ", wanted %r" % (wanted,)))

    def skip(self, name, reason):
        self.skipped += 1
        print("skipped %s: %s" % (name, reason), flush=True)


results = Results()
check = results.check


def says(*pieces):
    """A text that holds all of these."""
    return lambda text: text is not None and all(p in text for p in pieces)


class World:
    """One daemon and a raw connection to it; more daemons on its folder after it."""

    def __init__(self, *options):
        self.args = [word for o in options for word in ("-o", o)]
        self.daemon = weir_daemon.start(self.args)
        self.folder = os.path.dirname(self.daemon.dir)
        self.raw = raw_client.Client(HOST, self.daemon.port)

    def again(self, end):
        """Ends the daemon ("stop" or "kill") and starts another in its place."""
        self.raw.close()
        getattr(self.daemon, end)()
        self.daemon = weir_daemon.start(self.args, self.folder)
        self.raw = raw_client.Client(HOST, self.daemon.port)

    def down(self):
        self.raw.close()
        self.daemon.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- shorthands for one item ----

    def create(self, name, version=7, validate_only=False, **topic):
        topic = {"name": name, "num_partitions": 1, "replication_factor": 1, **topic}
        more = {"validate_only": True} if validate_only else {}
        return self.raw.ask("create_topics", version, topics=[topic], **more)["topics"][0]

    def partitions(self, name):
        """How many there are; None when there is no such topic."""
        t = self.raw.ask("metadata", 9, topics=[{"name": name}], allow_auto_topic_creation=False)["topics"][0]
        return len(t["partitions"]) if t["error_code"] == 0 else None

    def topic_id(self, name):
        return self.raw.ask("metadata", 12, topics=[{"name": name}], allow_auto_topic_creation=False)["topics"][0]["topic_id"]

    def describe(self, kind, name, version=4, keys=None, **more):
        return self.raw.ask("describe_configs", version, resources=[
            {"resource_type": kind, "resource_name": name, "configuration_keys": keys}], **more)["results"][0]

    def setting(self, kind, name, key, **more):
        found = self.describe(kind, name, keys=[key], **more)["configs"]
        return found[0] if found else None

    def alter(self, kind, name, *changes, version=1, validate_only=False):
        """Changes are (name, operation, value)."""
        configs = [{"name": n, "config_operation": op, "value": v} for n, op, v in changes]
        return self.raw.ask("incremental_alter_configs", version, validate_only=validate_only, resources=[
            {"resource_type": kind, "resource_name": name, "configs": configs}])["responses"][0]

    def replace(self, kind, name, settings, version=2, validate_only=False):
        configs = [{"name": n, "value": v} for n, v in settings.items()]
        return self.raw.ask("alter_configs", version, validate_only=validate_only, resources=[
            {"resource_type": kind, "resource_name": name, "configs": configs}])["responses"][0]


def error_of(answer):
    return answer["error_code"]


def configs(**settings):
    return [{"name": n.replace("_", "."), "value": v} for n, v in settings.items()]


# ---- CreateTopics ----

def create_topics(w):
    for version in range(0, 8):
        name = "create-v%d" % version
        answer = w.create(name, version, num_partitions=2)
        check("create v%d answers without an error" % version, error_of(answer), 0)
        check("create v%d makes the topic" % version, w.partitions(name), 2)
        if version >= 5:
            check("create v%d says what was made" % version,
                  (answer["num_partitions"], answer["replication_factor"]), (2, 1))
        if version >= 1:
            check("create v%d has no text without an error" % version, answer["error_message"], None)
    check("create v7 gives the topic's id", w.create("with-id")["topic_id"], w.topic_id("with-id"))

    answer = w.create("configured", configs=configs(retention_ms="1234", cleanup_policy="compact,delete"))
    made = {c["name"]: c for c in answer["configs"]}
    check("create tells the settings given", (made["retention.ms"]["value"], made["retention.ms"]["config_source"]),
          ("1234", FROM_TOPIC))
    check("create tells the defaults", (made["segment.bytes"]["value"], made["segment.bytes"]["config_source"]),
          ("1073741824", FROM_DEFAULT))
    check("create's settings are neither read-only nor secret",
          [c["name"] for c in answer["configs"] if c["read_only"] or c["is_sensitive"]], [])
    check("create's settings last", w.setting(TOPIC, "configured", "cleanup.policy")["value"], "compact,delete")

    answer = w.create("only-tried", validate_only=True, num_partitions=5)
    check("validate_only answers as if made", (error_of(answer), answer["num_partitions"]), (0, 5))
    check("validate_only makes nothing", w.partitions("only-tried"), None)
    check("validate_only finds errors", error_of(w.create("configured", validate_only=True)), EXISTS)

    answer = w.create("by-default", num_partitions=-1, replication_factor=-1)
    check("-1 asks for the defaults", (error_of(answer), answer["num_partitions"], answer["replication_factor"]), (0, 3, 1))
    check("-1 asks for the defaults before v4, too", error_of(w.create("by-default-3", 3, num_partitions=-1, replication_factor=-1)), 0)
    check("it is there", w.partitions("by-default-3"), 3)

    for number in 0, -2, 100001, 2147483647:
        check("%d partitions are refused" % number, error_of(w.create("x", num_partitions=number)), BAD_PARTITIONS)
    check("the refusal says what is allowed", w.create("x", num_partitions=0)["error_message"], says("1 to 100000"))
    for number in 0, -2:
        check("%d replicas are refused" % number, error_of(w.create("x", replication_factor=number)), BAD_FACTOR)
    check("3 replicas are granted as one", (lambda a: (error_of(a), a["replication_factor"]))(
        w.create("three", replication_factor=3)), (0, 1))

    check("a topic that exists is refused", error_of(w.create("configured")), EXISTS)
    for name in "", ".", "..", "a b", "a/b", "x" * 250, "\u00e4":
        check("the name %r is refused" % name[:9], error_of(w.create(name)), INVALID_TOPIC)
    check("a name of 249 letters is taken", error_of(w.create("x" * 249)), 0)
    w.create("has.a.dot")
    check("a name that collides with another is refused", error_of(w.create("has_a_dot")), INVALID_TOPIC)

    answer = w.create("x", configs=configs(retention_mss="1"))
    check("an unknown setting is refused", error_of(answer), BAD_CONFIG)
    check("the refusal names the setting and the one that was meant", answer["error_message"],
          says("retention.mss", "retention.ms?"))
    answer = w.create("x", configs=configs(retention_ms="soon"))
    check("a wrong value is refused, and named", (error_of(answer), "retention.ms" in answer["error_message"]), (BAD_CONFIG, True))
    answer = w.create("x", configs=configs(retention_ms=None))
    check("a setting without a value is refused, and named",
          (error_of(answer), "retention.ms" in answer["error_message"]), (BAD_CONFIG, True))
    check("what was refused is not there", w.partitions("x"), None)
    check("min.insync.replicas=2 is taken", error_of(w.create("starved", configs=configs(min_insync_replicas="2"))), 0)
    check("but the log warns of it", [line for line in w.daemon.said().splitlines() if 'topic="starved"' in line],
          lambda lines: len(lines) == 1 and " warn " in lines[0] and "min.insync.replicas=2" in lines[0])

    answer = w.raw.ask("create_topics", 7, topics=[
        {"name": n, "num_partitions": 1, "replication_factor": 1} for n in ("twin", "single", "twin")])["topics"]
    check("a topic named twice is refused, another of the request made",
          [(t["name"], error_of(t)) for t in answer], [("twin", BAD_REQUEST), ("single", 0), ("twin", BAD_REQUEST)])
    check("a topic named twice is not there", (w.partitions("twin"), w.partitions("single")), (None, 1))
    check("a request about nothing is answered", w.raw.ask("create_topics", 7, topics=[])["topics"], [])


def create_assigned(w):
    def assigned(name, *lists, version=7, numbers=None, **more):
        numbers = numbers or range(len(lists))
        more = {"num_partitions": -1, "replication_factor": -1, **more}
        return w.create(name, version, assignments=[
            {"partition_index": i, "broker_ids": b} for i, b in zip(numbers, lists)], **more)

    check("assigned partitions are made", (error_of(assigned("assigned", [NODE], [NODE])), w.partitions("assigned")), (0, 2))
    check("assigned partitions are made in v0, too", error_of(assigned("assigned0", [NODE], version=0)), 0)
    check("their order does not matter", error_of(assigned("assigned1", [NODE], [NODE], numbers=[1, 0])), 0)
    check("an assignment beside a number of partitions is refused", error_of(assigned("x", [NODE], num_partitions=1)), BAD_REQUEST)
    check("an assignment beside a number of replicas is refused", error_of(assigned("x", [NODE], replication_factor=1)), BAD_REQUEST)
    check("another broker is refused", error_of(assigned("x", [NODE + 1])), BAD_ASSIGNMENT)
    check("two replicas are refused", error_of(assigned("x", [NODE, NODE + 1])), BAD_ASSIGNMENT)
    check("the same broker twice is refused", error_of(assigned("x", [NODE, NODE])), BAD_ASSIGNMENT)
    check("no broker is refused", error_of(assigned("x", [])), BAD_ASSIGNMENT)
    check("a gap is refused", error_of(assigned("x", [NODE], [NODE], numbers=[0, 2])), BAD_ASSIGNMENT)
    check("a partition assigned twice is refused", error_of(assigned("x", [NODE], [NODE], numbers=[0, 0])), BAD_ASSIGNMENT)
    check("a negative partition is refused", error_of(assigned("x", [NODE], numbers=[-1])), BAD_ASSIGNMENT)
    check("what was refused is not there", w.partitions("x"), None)


# ---- DeleteTopics ----

def delete_topics(w):
    def by_name(version, *names):
        return w.raw.ask("delete_topics", version, topic_names=list(names))["responses"]

    def by_v6(*topics):
        return w.raw.ask("delete_topics", 6, topics=list(topics))["responses"]

    for version in range(0, 6):
        w.create("gone")
        answer = by_name(version, "gone")
        check("delete v%d deletes" % version, (error_of(answer[0]), answer[0]["name"], w.partitions("gone")), (0, "gone", None))
    check("an unknown topic can't be deleted", error_of(by_name(5, "absent")[0]), UNKNOWN_TOPIC)
    check("the refusal has a text", by_name(5, "absent")[0]["error_message"], says("no topic"))
    w.create("gone")
    check("a topic named twice is not deleted", [error_of(t) for t in by_name(5, "gone", "gone")], [BAD_REQUEST] * 2)
    check("it is still there", w.partitions("gone"), 1)

    first = w.topic_id("gone")
    answer = by_v6({"name": "gone"})[0]
    check("delete v6 by name tells the id", (error_of(answer), answer["topic_id"]), (0, first))
    w.create("gone")
    second = w.topic_id("gone")
    check("a topic made anew has a new id", second != first, True)
    answer = by_v6({"topic_id": second})[0]
    check("delete v6 by id tells the name", (error_of(answer), answer["name"], w.partitions("gone")), (0, "gone", None))
    answer = by_v6({"topic_id": second})[0]
    check("an unknown id can't be deleted", (error_of(answer), answer["name"], answer["topic_id"]), (UNKNOWN_ID, None, second))
    w.create("gone")
    third = w.topic_id("gone")
    check("name and id together are refused", error_of(by_v6({"name": "gone", "topic_id": third})[0]), BAD_REQUEST)
    check("neither name nor id is refused", error_of(by_v6({"name": None})[0]), BAD_REQUEST)
    check("a topic by its name and again by its id is refused",
          [error_of(t) for t in by_v6({"name": "gone"}, {"topic_id": third})], [BAD_REQUEST] * 2)
    check("what was refused is still there", w.partitions("gone"), 1)


def delete_disabled():
    w = World("delete.topic.enable=false")
    try:
        w.create("kept")
        answer = w.raw.ask("delete_topics", 5, topic_names=["kept"])["responses"][0]
        check("delete.topic.enable=false forbids it", error_of(answer), DELETION_DISABLED)
        check("the refusal names the setting", answer["error_message"], says("delete.topic.enable"))
        check("before v3 the code is one that clients know",
              error_of(w.raw.ask("delete_topics", 2, topic_names=["kept"])["responses"][0]), BAD_REQUEST)
        check("the topic is still there", w.partitions("kept"), 1)
    finally:
        w.down()


# ---- CreatePartitions ----

def create_partitions(w):
    def grow(name, count, version=3, assignments=None, **more):
        return w.raw.ask("create_partitions", version, topics=[
            {"name": name, "count": count, "assignments": assignments}], **more)["results"][0]

    w.create("growing")
    for version in range(0, 4):
        answer = grow("growing", version + 2, version)
        check("partitions v%d adds" % version,
              (error_of(answer), answer["error_message"], w.partitions("growing")), (0, None, version + 2))
    check("an unknown topic can't grow", error_of(grow("absent", 2)), UNKNOWN_TOPIC)
    for count in 5, 4, 0, -1, 100001:
        check("5 partitions can't become %d" % count, error_of(grow("growing", count)), BAD_PARTITIONS)
    check("the refusal tells how many there are", grow("growing", 5)["error_message"], says("5 partitions", "grow"))
    check("validate_only adds nothing", (error_of(grow("growing", 9, validate_only=True)), w.partitions("growing")), (0, 5))
    check("validate_only finds errors", error_of(grow("growing", 1, validate_only=True)), BAD_PARTITIONS)
    here = {"broker_ids": [NODE]}
    check("new partitions may be assigned", (error_of(grow("growing", 7, assignments=[here] * 2)), w.partitions("growing")), (0, 7))
    check("too few assignments are refused", error_of(grow("growing", 9, assignments=[here])), BAD_ASSIGNMENT)
    check("too many assignments are refused", error_of(grow("growing", 8, assignments=[here] * 8)), BAD_ASSIGNMENT)
    check("another broker is refused", error_of(grow("growing", 8, assignments=[{"broker_ids": [9]}])), BAD_ASSIGNMENT)
    both = w.raw.ask("create_partitions", 3, topics=[{"name": "growing", "count": n, "assignments": None} for n in (8, 9)])
    check("a topic named twice is refused", [error_of(t) for t in both["results"]], [BAD_REQUEST] * 2)
    check("what was refused changed nothing", w.partitions("growing"), 7)


# ---- DeleteRecords ----

def delete_records(w, produce):
    def cut(name, offset, version=2, partition=0):
        return w.raw.ask("delete_records", version, topics=[{"name": name, "partitions": [
            {"partition_index": partition, "offset": offset}]}])["topics"][0]["partitions"][0]

    def outcome(p):
        return p["error_code"], p["low_watermark"]

    def earliest(name):
        return w.raw.ask("list_offsets", 1, replica_id=-1, topics=[{"name": name, "partitions": [
            {"partition_index": 0, "timestamp": -2}]}])["topics"][0]["partitions"][0]["offset"]

    w.create("cut")
    w.create("compacted", configs=configs(cleanup_policy="compact"))
    w.create("both", configs=configs(cleanup_policy="compact,delete"))
    produce("cut", 10)
    for version, offset in (0, 3), (1, 4), (2, 5):
        check("records v%d moves the front" % version, (outcome(cut("cut", offset, version)), earliest("cut")), ((0, offset), offset))
    check("the front never moves back", outcome(cut("cut", 2)), (0, 5))
    check("an offset beyond the end is refused", outcome(cut("cut", 11)), (OFFSET_OUT_OF_RANGE, -1))
    check("an offset below -1 is refused", outcome(cut("cut", -2)), (OFFSET_OUT_OF_RANGE, -1))
    check("the refusals changed nothing", earliest("cut"), 5)
    answer = w.raw.ask("delete_records", 2, topics=[{"name": "cut", "partitions": [
        {"partition_index": 0, "offset": offset} for offset in (7, 6)]}])["topics"][0]["partitions"]
    check("what is named twice is told where it begins", ([outcome(p) for p in answer], earliest("cut")), ([(0, 7), (0, 7)], 7))
    check("-1 is the end", (outcome(cut("cut", -1)), earliest("cut")), ((0, 10), 10))
    check("an unknown topic is refused", outcome(cut("absent", 0)), (UNKNOWN_TOPIC, -1))
    check("an unknown partition is refused", outcome(cut("cut", 0, partition=1)), (UNKNOWN_TOPIC, -1))
    check("a compacted topic is refused", outcome(cut("compacted", 0)), (POLICY, -1))
    check("a topic that is compacted and deleted from is not", outcome(cut("both", 0)), (0, 0))


# ---- DescribeConfigs ----

def describe_configs(w):
    w.create("described", configs=configs(retention_ms="77"))
    for version in range(0, 5):
        answer = w.describe(TOPIC, "described", version)
        check("describe v%d tells all settings" % version, (error_of(answer), answer["error_message"], len(answer["configs"]) > 30),
              (0, None, True))
        one = {c["name"]: c for c in answer["configs"]}
        check("describe v%d tells what was given from what was not" % version,
              [(one[n]["is_default"] if version == 0 else one[n]["config_source"]) for n in ("retention.ms", "flush.ms")],
              [False, True] if version == 0 else [FROM_TOPIC, FROM_DEFAULT])
    check("keys choose", sorted(c["name"] for c in w.describe(TOPIC, "described", keys=["flush.ms", "no.such", "retention.ms"])["configs"]),
          ["flush.ms", "retention.ms"])
    check("no synonyms unless asked", w.setting(TOPIC, "described", "retention.ms")["synonyms"], [])
    check("synonyms come in the order in which they hold",
          [(s["name"], s["value"], s["source"]) for s in w.setting(TOPIC, "described", "retention.ms", include_synonyms=True)["synonyms"]],
          [("retention.ms", "77", FROM_TOPIC), ("log.retention.ms", "604800000", FROM_DEFAULT)])
    check("no documentation unless asked", w.setting(TOPIC, "described", "retention.ms")["documentation"], None)
    check("documentation when asked", w.setting(TOPIC, "described", "retention.ms", include_documentation=True)["documentation"],
          says("records"))
    check("types are told", [w.setting(TOPIC, "described", n)["config_type"] for n in
                             ("preallocate", "compression.type", "segment.bytes", "retention.ms", "min.cleanable.dirty.ratio", "cleanup.policy")],
          [1, 2, 3, 5, 6, 7])
    check("an unknown topic is refused", error_of(w.describe(TOPIC, "absent")), UNKNOWN_TOPIC)
    check("an impossible topic is refused", error_of(w.describe(TOPIC, "a b")), INVALID_TOPIC)

    check("the broker's settings are told", w.setting(BROKER, str(NODE), "num.partitions")["value"], "3")
    check("what the command line gave is from the file", w.setting(BROKER, str(NODE), "num.partitions")["config_source"], FROM_FILE)
    check("what is read at the start only is read-only",
          [w.setting(BROKER, str(NODE), n)["read_only"] for n in ("node.id", "num.partitions")], [True, False])
    check("of all brokers nothing was altered", w.describe(BROKER, "")["configs"], [])
    for name in "9", "one", "01":
        check("broker %r is refused" % name, error_of(w.describe(BROKER, name)), BAD_REQUEST)
    check("the refusal tells which broker there is", w.describe(BROKER, "9")["error_message"], says("9", "only one is 1"))
    check("the loggers of the broker are none", (lambda a: (error_of(a), a["configs"]))(w.describe(LOGGER, str(NODE))), (0, []))
    check("the loggers of another broker are refused", error_of(w.describe(LOGGER, "")), BAD_REQUEST)
    for kind in 0, 1, 16, 32:
        check("resources of type %d are refused" % kind, error_of(w.describe(kind, "x")), BAD_REQUEST)
    answer = w.raw.ask("describe_configs", 4, resources=[{"resource_type": TOPIC, "resource_name": n, "configuration_keys": ["flush.ms"]}
                                                         for n in ("described", "absent", "described")])["results"]
    check("each resource is judged by itself, and once", [(r["resource_name"], error_of(r), len(r["configs"])) for r in answer],
          [("described", 0, 1), ("absent", UNKNOWN_TOPIC, 0)])


# ---- AlterConfigs, IncrementalAlterConfigs ----

def alter_topics(w):
    def given(name):
        return {c["name"]: c["value"] for c in w.describe(TOPIC, name)["configs"] if c["config_source"] == FROM_TOPIC}

    w.create("altered", configs=configs(retention_ms="1", flush_ms="2"))
    for version in range(0, 3):
        answer = w.replace(TOPIC, "altered", {"retention.ms": str(version), "segment.ms": "9"}, version)
        check("alter v%d replaces everything" % version, (error_of(answer), answer["error_message"], given("altered")),
              (0, None, {"retention.ms": str(version), "segment.ms": "9"}))
    check("alter to nothing takes all away", (error_of(w.replace(TOPIC, "altered", {})), given("altered")), (0, {}))
    check("alter with validate_only changes nothing",
          (error_of(w.replace(TOPIC, "altered", {"flush.ms": "3"}, validate_only=True)), given("altered")), (0, {}))
    check("alter without a value is refused", error_of(w.replace(TOPIC, "altered", {"flush.ms": None})), BAD_REQUEST)
    check("alter of an unknown topic is refused", error_of(w.replace(TOPIC, "absent", {})), UNKNOWN_TOPIC)

    for version in 0, 1:
        answer = w.alter(TOPIC, "altered", ("flush.ms", SET, str(5 + version)), version=version)
        check("incremental v%d sets" % version, (error_of(answer), answer["error_message"], given("altered")),
              (0, None, {"flush.ms": str(5 + version)}))
    w.alter(TOPIC, "altered", ("segment.ms", SET, "8"))
    check("incremental leaves the rest alone", given("altered"), {"flush.ms": "6", "segment.ms": "8"})
    w.alter(TOPIC, "altered", ("flush.ms", DELETE, None))
    check("incremental deletes", given("altered"), {"segment.ms": "8"})
    check("deleting what was not given is no error", error_of(w.alter(TOPIC, "altered", ("flush.ms", DELETE, None))), 0)
    check("nor is deleting what is no setting", error_of(w.alter(TOPIC, "altered", ("no.such", DELETE, None))), 0)
    w.alter(TOPIC, "altered", ("cleanup.policy", APPEND, "compact"))
    check("append starts from what is in force", given("altered").get("cleanup.policy"), "delete,compact")
    w.alter(TOPIC, "altered", ("cleanup.policy", SUBTRACT, "delete"))
    check("subtract takes away", given("altered").get("cleanup.policy"), "compact")
    before = given("altered")
    for change in ("flush.ms", APPEND, "1"), ("flush.ms", SET, "x"), ("no.such", SET, "1"), \
            ("no.such", APPEND, "1"), ("cleanup.policy", APPEND, "burn"):
        answer = w.alter(TOPIC, "altered", change)
        check("%s with operation %d and %r is refused, and named" % change,
              (error_of(answer), change[0] in (answer["error_message"] or "")), (BAD_CONFIG, True))
    answer = w.alter(TOPIC, "altered", ("flush.ms", SET, None))
    check("setting null is refused, and named", (error_of(answer), "flush.ms" in answer["error_message"]), (BAD_REQUEST, True))
    long = "leader.replication.throttled.replicas"
    check("a list may be 32767 bytes long", error_of(w.alter(TOPIC, "altered", (long, SET, "1:1," * 8191 + "1:1"))), 0)
    check("a list can't be appended to beyond", error_of(w.alter(TOPIC, "altered", (long, APPEND, "2:1," * 8191 + "2:1"))), BAD_CONFIG)
    check("all values together are bound", error_of(w.alter(TOPIC, "altered", (long.replace("leader", "follower"), SET, "1:1," * 8191 + "1:1"),
                                                            ("message.format.version", SET, "123"))), BAD_CONFIG)
    w.alter(TOPIC, "altered", (long, DELETE, None))
    for name in "retention.ms", "segment.ms", "flush.ms", "flush.messages", "max.message.bytes", "delete.retention.ms":
        w.alter(TOPIC, "altered", (name, SET, " " * 32000 + "77777"))
    check("blanks around a value are not kept", (given("altered")["retention.ms"], given("altered")["flush.ms"]), ("77777", "77777"))
    w.replace(TOPIC, "altered", before)
    for changes in ([("min.compaction.lag.ms", SET, "2"), ("max.compaction.lag.ms", SET, "1")], [("compression.gzip.level", SET, "0")],
                    [(long, SET, "zz")]):
        check("%r don't go together" % changes, error_of(w.alter(TOPIC, "altered", *changes)), BAD_CONFIG)
    check("operation 4 is refused", error_of(w.alter(TOPIC, "altered", ("flush.ms", 4, "1"))), BAD_REQUEST)
    check("a setting named twice is refused", error_of(w.alter(TOPIC, "altered", ("flush.ms", SET, "1"), ("flush.ms", SET, "2"))), BAD_REQUEST)
    check("one wrong change keeps the others from being made",
          error_of(w.alter(TOPIC, "altered", ("flush.ms", SET, "1"), ("segment.ms", SET, "x"))), BAD_CONFIG)
    check("more settings than there are, are refused",
          error_of(w.alter(TOPIC, "altered", *[("s%d" % i, SET, "1") for i in range(300)])), BAD_REQUEST)
    check("validate_only finds errors", error_of(w.alter(TOPIC, "altered", ("flush.ms", SET, "x"), validate_only=True)), BAD_CONFIG)
    check("validate_only says what is right", error_of(w.alter(TOPIC, "altered", ("flush.ms", SET, "1"), validate_only=True)), 0)
    check("what was refused or tried changed nothing", given("altered"), before)

    twice = w.raw.ask("incremental_alter_configs", 1, resources=[
        {"resource_type": TOPIC, "resource_name": "altered", "configs": [
            {"name": "flush.ms", "config_operation": SET, "value": v}]} for v in "12"])["responses"]
    check("a resource named twice is refused", [error_of(r) for r in twice], [BAD_REQUEST] * 2)
    for kind in 0, 16, 32, LOGGER:
        check("resources of type %d can't be altered" % kind, error_of(w.alter(kind, "1", ("x", SET, "1"))), BAD_REQUEST)


def alter_broker(w):
    me = str(NODE)

    def altered(name=""):
        return {c["name"]: c["value"] for c in w.describe(BROKER, name)["configs"]
                if c["config_source"] in (FROM_BROKER, FROM_ALL_BROKERS)}

    answer = w.alter(BROKER, me, ("num.partitions", SET, "4"))
    check("a setting of the broker is altered", (error_of(answer), altered()), (0, {"num.partitions": "4"}))
    check("its source is the broker's", w.setting(BROKER, me, "num.partitions")["config_source"], FROM_BROKER)
    check("it holds for all brokers, as there is one", w.describe(BROKER, "")["configs"][0]["config_source"], FROM_ALL_BROKERS)
    check("it is in force", w.create("by-altered-default", num_partitions=-1)["num_partitions"], 4)
    check("what the file says stands behind it",
          [(s["value"], s["source"]) for s in w.setting(BROKER, me, "num.partitions", include_synonyms=True)["synonyms"]],
          [("4", FROM_BROKER), ("3", FROM_FILE), ("1", FROM_DEFAULT)])
    w.alter(BROKER, "", ("log.retention.ms", SET, "4242"))
    of_topic = w.setting(TOPIC, "altered", "retention.ms")
    check("a default of topics is altered for topics that are there", of_topic["value"], "4242")
    check("a topic tells that it is the broker's", of_topic["config_source"], FROM_BROKER)
    check("and what stands behind it",
          [(s["name"], s["value"], s["source"]) for s in w.setting(TOPIC, "altered", "retention.ms", include_synonyms=True)["synonyms"]],
          [("log.retention.ms", "4242", FROM_BROKER), ("log.retention.ms", "604800000", FROM_DEFAULT)])
    w.alter(BROKER, me, ("log.cleanup.policy", APPEND, "compact"))
    check("a list is appended to", altered().get("log.cleanup.policy"), "delete,compact")
    w.alter(BROKER, me, ("log.cleanup.policy", SUBTRACT, "compact"))
    check("a list is subtracted from", altered().get("log.cleanup.policy"), "delete")
    w.alter(BROKER, me, ("log.cleanup.policy", DELETE, None))
    check("what is deleted is the file's again", sorted(altered()), ["log.retention.ms", "num.partitions"])
    check("deleting what is no setting is no error", error_of(w.alter(BROKER, me, ("no.such", DELETE, None))), 0)
    before = altered()
    answer = w.alter(BROKER, me, ("node.id", SET, "2"))
    check("what is read at the start only is refused", (error_of(answer), altered()), (BAD_REQUEST, before))
    check("the refusal says what to do", answer["error_message"], says("node.id", "file", "restart"))
    check("an unknown setting is refused", error_of(w.alter(BROKER, me, ("num.partition", SET, "2"))), BAD_CONFIG)
    check("a wrong value is refused", error_of(w.alter(BROKER, me, ("num.partitions", SET, "0"))), BAD_CONFIG)
    check("one wrong change keeps the others from being made",
          (error_of(w.alter(BROKER, me, ("num.partitions", SET, "5"), ("log.retention.ms", SET, "x"))), altered()), (BAD_CONFIG, before))
    shortest, longest = "group.min.session.timeout.ms", "group.max.session.timeout.ms"
    answer = w.alter(BROKER, me, ("num.partitions", SET, "5"), (longest, SET, "5999"))
    check("settings that don't go together are refused, all of them", (error_of(answer), altered()), (BAD_CONFIG, before))
    check("the refusal says why", answer["error_message"], lambda text: text.startswith(shortest + " is 6000 and above " + longest))
    check("validate_only changes nothing",
          (error_of(w.alter(BROKER, me, ("num.partitions", SET, "5"), validate_only=True)), altered()), (0, before))
    w.alter(BROKER, me, ("log.retention.ms", SET, " " * 32000 + "4242"), ("num.partitions", SET, "4" + " " * 32000),
            (shortest, SET, "3000000"), (longest, SET, "4000000"))
    before.update({shortest: "3000000", longest: "4000000"})
    check("blanks around a value are not kept", altered(), before)
    check("another broker is refused", error_of(w.alter(BROKER, "9", ("num.partitions", SET, "5"))), BAD_REQUEST)
    w.again("stop")
    check("what was altered outlives a restart", altered(), before)
    w.alter(BROKER, me, ("num.partitions", SET, "6"))
    w.again("kill")
    check("what was altered outlives a crash", altered(), {**before, "num.partitions": "6"})
    answer = w.replace(BROKER, me, {"num.partitions": "7"})
    check("alter replaces what was altered", (error_of(answer), altered()), (0, {"num.partitions": "7"}))
    check("alter to nothing goes back to the file",
          (error_of(w.replace(BROKER, me, {})), altered(), w.setting(BROKER, me, "num.partitions")["value"]), (0, {}, "3"))


# ---- DescribeCluster, DescribeLogDirs ----

def describe_cluster(w):
    for version in 0, 1:
        answer = w.raw.ask("describe_cluster", version)
        check("cluster v%d tells its one broker" % version,
              (error_of(answer), [(b["broker_id"], b["host"], b["port"], b["rack"]) for b in answer["brokers"]], answer["controller_id"]),
              (0, [(NODE, HOST, w.daemon.port, None)], NODE))
        check("cluster v%d tells its id" % version, len(answer["cluster_id"]), 22)
        check("cluster v%d tells no operations unless asked" % version, answer["cluster_authorized_operations"], NOT_ASKED)
        check("cluster v%d tells the operations when asked" % version,
              w.raw.ask("describe_cluster", version, include_cluster_authorized_operations=True)["cluster_authorized_operations"],
              CLUSTER_OPERATIONS)
    check("the id is that of the metadata", w.raw.ask("metadata", 9, topics=[])["cluster_id"], answer["cluster_id"])
    for kind, error in (2, MISMATCHED), (3, UNSUPPORTED_ENDPOINT), (0, UNSUPPORTED_ENDPOINT):
        answer = w.raw.ask("describe_cluster", 1, endpoint_type=kind)
        check("endpoints of type %d are refused" % kind, (error_of(answer), answer["brokers"]), (error, []))
        check("the refusal says what to do", answer["error_message"], says("broker"))


def elect_leaders(w):
    w.create("led", num_partitions=2)

    def elect(version, *partitions, topic="led", **more):
        answer = w.raw.ask("elect_leaders", version, topic_partitions=[{"topic": topic, "partitions": list(partitions)}], **more)
        return answer.get("error_code", 0), [(p["partition_id"], p["error_code"]) for p in answer["replica_election_results"][0]["partition_result"]]

    for version in 0, 1, 2:
        check("elect v%d: a partition has its leader already" % version, elect(version, 0, 1), (0, [(0, NOT_NEEDED), (1, NOT_NEEDED)]))
    check("elect: one that is not there", elect(2, 2), (0, [(2, UNKNOWN_TOPIC)]))
    check("elect: of no topic", elect(2, 0, topic="absent"), (0, [(0, UNKNOWN_TOPIC)]))
    check("elect: named twice is answered once", elect(2, 0, 0), (0, [(0, NOT_NEEDED)]))
    check("elect: any replica", elect(2, 0, election_type=1), (0, [(0, NOT_NEEDED)]))
    answer = w.raw.ask("elect_leaders", 2, topic_partitions=None)
    check("elect: of all partitions none needs one", (answer["error_code"], answer["replica_election_results"]), (0, []))
    answer = w.raw.ask("elect_leaders", 2, election_type=2, topic_partitions=None)
    check("elect: an unknown type is refused", answer["error_code"], BAD_REQUEST)


def reassignments(w):
    w.create("placed")

    def place(replicas, number=0, topic="placed", version=1):
        answer = w.raw.ask("alter_partition_reassignments", version, topics=[
            {"name": topic, "partitions": [{"partition_index": number, "replicas": replicas}]}])
        p = answer["responses"][0]["partitions"][0]
        return answer["error_code"], p["error_code"], p["error_message"]

    for version in 0, 1:
        check("reassign v%d: to where it is" % version, place([NODE], version=version), (0, 0, None))
    for replicas in [], [NODE + 1], [NODE, NODE + 1], [NODE, NODE]:
        check("reassign: to %r" % replicas, place(replicas)[:2], (0, BAD_ASSIGNMENT))
    check("reassign: the refusal names this broker", place([7])[2], says("broker alone", str(NODE)))
    check("reassign: nothing is under way that could end", place(None)[:2], (0, NO_REASSIGNMENT))
    check("reassign: a partition that is not there", place([NODE], 1)[:2], (0, UNKNOWN_TOPIC))
    check("reassign: a topic that is not there", place([NODE], topic="absent")[:2], (0, UNKNOWN_TOPIC))
    for topics in None, [{"name": "placed", "partition_indexes": [0]}]:
        answer = w.raw.ask("list_partition_reassignments", 0, topics=topics)
        check("reassign: none is under way", (answer["error_code"], answer["topics"]), (0, []))


def describe_log_dirs(w, produce):
    w.create("sized", num_partitions=2)
    produce("sized", 10)

    def ask(version, topics):
        answer = w.raw.ask("describe_log_dirs", version, topics=topics)
        check("log dirs v%d tells one folder" % version,
              (answer.get("error_code", 0), [(d["error_code"], d["log_dir"]) for d in answer["results"]]), (0, [(0, w.daemon.dir)]))
        return answer["results"][0]

    for version in range(0, 5):
        sizes = {t["name"]: [(p["partition_index"], p["partition_size"] > 0, p["offset_lag"], p["is_future_key"])
                             for p in t["partitions"]] for t in ask(version, None)["topics"]}
        check("log dirs v%d tells all sizes" % version, sizes.get("sized"), [(0, True, 0, False), (1, False, 0, False)])
        check("log dirs v%d has all topics" % version, len(sizes) > 5 and "described" in sizes, True)
    some = ask(4, [{"topic": "sized", "partitions": [1, 7]}, {"topic": "absent", "partitions": [0]},
                   {"topic": "described", "partitions": [9]}])
    check("log dirs leaves out what is not there",
          [(t["name"], [p["partition_index"] for p in t["partitions"]]) for t in some["topics"]], [("sized", [1])])
    check("log dirs about nothing tells no topic", ask(4, [])["topics"], [])
    check("log dirs tells the disk's room", 0 < some["usable_bytes"] < some["total_bytes"], True)


# ---- what lasts; what is too much ----

def lasting(w):
    """Runs last of all on its daemon."""
    w.create("lasting", num_partitions=2, configs=configs(flush_ms="5"))
    w.raw.ask("create_partitions", 3, topics=[{"name": "lasting", "count": 4, "assignments": None}])
    w.alter(TOPIC, "lasting", ("segment.ms", SET, "6"))
    w.create("not-lasting")
    w.raw.ask("delete_topics", 5, topic_names=["not-lasting"])
    was, cut = w.topic_id("lasting"), w.topic_id("cut")
    for end in "kill", "stop":
        w.again(end)
        check("after a %s the topic is as it was" % end,
              (w.topic_id("lasting"), w.partitions("lasting"), w.setting(TOPIC, "lasting", "flush.ms")["value"],
               w.setting(TOPIC, "lasting", "segment.ms")["value"]), (was, 4, "5", "6"))
        check("after a %s the deleted topic is not there" % end, w.partitions("not-lasting"), None)
        front = w.raw.ask("list_offsets", 1, replica_id=-1, topics=[{"name": "cut", "partitions": [
            {"partition_index": 0, "timestamp": -2}]}])["topics"][0]["partitions"][0]["offset"]
        check("after a %s deleted records stay deleted" % end, (w.topic_id("cut"), front), (cut, 10))


def many(w):
    names = ["many-%04d" % i for i in range(1000)]
    topic = {"num_partitions": 1, "replication_factor": 1}
    answer = w.raw.ask("create_topics", 7, topics=[{"name": n, **topic} for n in names])["topics"]
    check("1000 topics are made by one request", [t["name"] for t in answer if error_of(t) == 0], names)
    answer = w.raw.ask("delete_topics", 5, topic_names=names)["responses"]
    check("1000 topics are deleted by one request", [t["name"] for t in answer if error_of(t) == 0], names)
    for api, version, request in (
            ("create_topics", 7, {"topics": [{"name": "x%d" % i, **topic} for i in range(10001)]}),
            ("delete_topics", 5, {"topic_names": ["x"] * 10001}),
            ("create_partitions", 3, {"topics": [{"name": "x", "count": 1, "assignments": None}] * 10001}),
            ("delete_records", 2, {"topics": [{"name": "x", "partitions": [{}] * 10001}]}),
            ("list_transactions", 1, {"state_filters": [], "producer_id_filters": [1] * 10001}),
            ("describe_configs", 4, {"resources": [{"resource_type": TOPIC, "resource_name": "x"}] * 10001}),
            ("alter_configs", 2, {"resources": [{"resource_type": TOPIC, "resource_name": "x"}] * 10001}),
            ("incremental_alter_configs", 1, {"resources": [{"resource_type": TOPIC, "resource_name": "x"}] * 10001})):
        c = raw_client.Client(HOST, w.daemon.port)
        check("%s with 10001 items ends the connection" % api, c.ask(api, version, **request), None)
        c.close()
    check("the daemon goes on", w.partitions("many-0000"), None)


def strict():
    w = World("weir.replication.factor.strict=true")
    try:
        check("strict: 3 replicas are refused", error_of(w.create("x", replication_factor=3)), BAD_FACTOR)
        check("strict: one is not", error_of(w.create("x", replication_factor=1)), 0)
    finally:
        w.down()


# ---- the clients ----

def confluent(w):
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

    admin = AdminClient({"bootstrap.servers": "%s:%d" % (HOST, w.daemon.port), "log_level": 0})

    def codes(futures):
        found = {}
        for name, future in futures.items():
            try:
                future.result(20)
                found[name] = 0
            except KafkaException as e:
                found[name] = e.args[0].code()
        return found

    made = codes(admin.create_topics([
        NewTopic("rdk", 2, 1, config={"retention.ms": "99"}), NewTopic("rdk-default", -1, 1),
        NewTopic("rdk-assigned", 2, replica_assignment=[[NODE], [NODE]]),
        NewTopic("rdk.bad name", 1, 1), NewTopic("rdk-config", 1, 1, config={"no.such": "1"}),
        NewTopic("rdk-elsewhere", 1, replica_assignment=[[7]])], operation_timeout=10))
    check("librdkafka creates", made, {"rdk": 0, "rdk-default": 0, "rdk-assigned": 0, "rdk.bad name": INVALID_TOPIC,
                                       "rdk-config": BAD_CONFIG, "rdk-elsewhere": BAD_ASSIGNMENT})
    check("librdkafka sees that it exists", codes(admin.create_topics([NewTopic("rdk", 1, 1)])), {"rdk": EXISTS})
    check("librdkafka only tries", (codes(admin.create_topics([NewTopic("rdk-tried", 1, 1)], validate_only=True)),
                                    w.partitions("rdk-tried")), ({"rdk-tried": 0}, None))
    check("librdkafka lists", sorted(t for t in admin.list_topics(timeout=20).topics if t.startswith("rdk")),
          ["rdk", "rdk-assigned", "rdk-default"])
    check("librdkafka adds partitions", (codes(admin.create_partitions([NewPartitions("rdk", 5), NewPartitions("rdk-assigned", 1),
                                                                        NewPartitions("rdk-none", 5)])), w.partitions("rdk")),
          ({"rdk": 0, "rdk-assigned": BAD_PARTITIONS, "rdk-none": UNKNOWN_TOPIC}, 5))

    def settings(kind, name):
        resource = ConfigResource(kind, name)
        return admin.describe_configs([resource])[resource].result(20)

    topic = settings(ConfigResource.Type.TOPIC, "rdk")
    check("librdkafka describes a topic", (topic["retention.ms"].value, topic["retention.ms"].is_default, topic["flush.ms"].is_default),
          ("99", False, True))
    check("librdkafka sees synonyms", list(topic["retention.ms"].synonyms), lambda names: "log.retention.ms" in names)
    check("librdkafka describes the broker", settings(ConfigResource.Type.BROKER, str(NODE))["node.id"].value, str(NODE))
    check("librdkafka alters", (codes(admin.alter_configs([ConfigResource(ConfigResource.Type.TOPIC, "rdk", set_config={"flush.ms": "3"})])),
                                settings(ConfigResource.Type.TOPIC, "rdk")["retention.ms"].is_default),
          lambda got: list(got[0].values()) == [0] and got[1])
    check("librdkafka deletes", codes(admin.delete_topics(["rdk", "rdk-default", "rdk-assigned", "rdk-none"], operation_timeout=10)),
          {"rdk": 0, "rdk-default": 0, "rdk-assigned": 0, "rdk-none": UNKNOWN_TOPIC})
    check("librdkafka's topics are gone", w.partitions("rdk"), None)


def python_kafka(w):
    from kafka import errors
    from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic

    admin = KafkaAdminClient(bootstrap_servers="%s:%d" % (HOST, w.daemon.port))

    def outcome(call, *args, **more):
        try:
            call(*args, **more)
            return None
        except errors.KafkaError as e:
            return type(e)

    check("python3-kafka creates", outcome(admin.create_topics, [NewTopic("pyk", 2, 1, topic_configs={"flush.ms": "8"})]), None)
    check("python3-kafka sees that it exists", outcome(admin.create_topics, [NewTopic("pyk", 2, 1)]), errors.TopicAlreadyExistsError)
    check("python3-kafka only tries", (outcome(admin.create_topics, [NewTopic("pyk-tried", 2, 1)], validate_only=True),
                                       w.partitions("pyk-tried")), (None, None))
    check("python3-kafka sees a bad name", outcome(admin.create_topics, [NewTopic("a b", 1, 1)]), errors.InvalidTopicError)
    check("python3-kafka lists", "pyk" in admin.list_topics(), True)
    check("python3-kafka adds partitions", (outcome(admin.create_partitions, {"pyk": NewPartitions(3)}), w.partitions("pyk")), (None, 3))
    check("python3-kafka sees that they can't shrink", outcome(admin.create_partitions, {"pyk": NewPartitions(1)}),
          errors.InvalidPartitionsError)
    answers = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "pyk", {"flush.ms": None}),
                                      ConfigResource(ConfigResourceType.BROKER, str(NODE))], include_synonyms=True)
    found = {r[3]: {c[0]: c[1] for c in r[4]} for answer in answers for r in answer.resources}
    check("python3-kafka describes", (found["pyk"], found[str(NODE)]["node.id"]), ({"flush.ms": "8"}, str(NODE)))
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "pyk", {"segment.ms": "7"})])
    check("python3-kafka alters", [w.setting(TOPIC, "pyk", n)["value"] for n in ("segment.ms", "flush.ms")], ["7", "9223372036854775807"])
    check("python3-kafka describes the cluster", (lambda c: (c["controller_id"], len(c["brokers"]), len(c["cluster_id"])))(
        admin.describe_cluster()), (NODE, 1, 22))
    check("python3-kafka deletes", (outcome(admin.delete_topics, ["pyk"]), w.partitions("pyk")), (None, None))
    check("python3-kafka sees that it is gone", outcome(admin.delete_topics, ["pyk"]), errors.UnknownTopicOrPartitionError)
    admin.close()


def producer(w):
    """A function that puts records into partition 0."""
    from confluent_kafka import Producer

    p = Producer({"bootstrap.servers": "%s:%d" % (HOST, w.daemon.port), "log_level": 0})

    def produce(topic, n):
        for i in range(n):
            p.produce(topic, b"value %d" % i, key=b"key", partition=0)
        p.flush(20)

    return produce


def run(name, part, *args):
    """One part; that it breaks off is a failure of its own."""
    try:
        part(*args)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        check(name + " runs to its end", False, True)


def main():
    w = World("num.partitions=3", "auto.create.topics.enable=false")
    try:
        run("create_topics", create_topics, w)
        run("create_assigned", create_assigned, w)
        run("delete_topics", delete_topics, w)
        run("create_partitions", create_partitions, w)
        run("describe_configs", describe_configs, w)
        run("alter_topics", alter_topics, w)
        run("describe_cluster", describe_cluster, w)
        run("elect_leaders", elect_leaders, w)
        run("reassignments", reassignments, w)
        run("many", many, w)
        try:
            produce = producer(w)
        except ImportError:
            for name in "delete_records", "describe_log_dirs", "librdkafka", "lasting":
                results.skip(name, "python3-confluent-kafka is not installed")
        else:
            run("delete_records", delete_records, w, produce)
            run("describe_log_dirs", describe_log_dirs, w, produce)
            run("librdkafka", confluent, w)
            run("lasting", lasting, w)
        try:
            import kafka  # noqa: F401
        except ImportError:
            results.skip("python3-kafka", "python3-kafka is not installed")
        else:
            run("python3-kafka", python_kafka, w)
        run("alter_broker", alter_broker, w)
        check("the daemon ends in order", w.daemon.stop(), lambda status: status in (0, None))
    finally:
        w.down()
    run("delete_disabled", delete_disabled)
    run("strict", strict)
    print("%d passed, %d failed" % (results.passed, results.failed) +
          (", %d skipped" % results.skipped if results.skipped else ""))
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
