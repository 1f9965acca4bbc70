#!/usr/bin/python3
"""tools_test.py -- Apache Kafka's command-line tools against the daemon, by what they print.

With --kafka the same is asked of an Apache Kafka broker: what is asserted here is what the tools print there, too.
"""

import glob
import json
import os
import re
import sys
import tempfile
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))

import raw_client
import weir_daemon
from claims import Skip, end, finish, options, run, same
from kafka_broker import Broker
from kafka_jars import Toolbox

# The scripts that come with Kafka, and what they run.
TOOLS = {
    "kafka-acls": "org.apache.kafka.tools.AclCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-consumer-perf-test": "org.apache.kafka.tools.ConsumerPerformance",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-dump-log": "kafka.tools.DumpLogSegments",
    "kafka-e2e-latency": "org.apache.kafka.tools.EndToEndLatency",
    "kafka-features": "org.apache.kafka.tools.FeatureCommand",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-streams-application-reset": "org.apache.kafka.tools.StreamsResetter",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
    "kafka-verifiable-consumer": "org.apache.kafka.tools.VerifiableConsumer",
    "kafka-verifiable-producer": "org.apache.kafka.tools.VerifiableProducer",
}

EARLIEST, LATEST, GREATEST_TIME, EARLIEST_LOCAL, LATEST_TIERED = "-2", "-1", "-3", "-4", "-5"


def tool(server, name, *words, **more):
    """Runs a tool at the server, with its words as one would write them in a shell; returns what it printed."""
    return server.box.run(TOOLS[name], *words, "--bootstrap-server", server.address, **more)


def holds(said, *pieces):
    """Asserts that all of these are in what was said; those that are patterns are searched for."""
    for piece in pieces:
        found = piece.search(said) if isinstance(piece, re.Pattern) else piece in said
        if not found:
            raise AssertionError(f"{piece} is not in:\n{said}")


def lacks(said, *pieces):
    for piece in pieces:
        if piece in said:
            raise AssertionError(f"{piece} is in:\n{said}")


def needs(server, name, key):
    """Skips a test where the server doesn't say that it serves this API."""
    keys = [api["api_key"] for api in server.apis]
    if key not in keys:
        raise Skip(f"{name} is not served")


def topic(server, name, *words, partitions=1):
    tool(server, "kafka-topics", "--create", "--topic", name, "--partitions", partitions, *words)


def produce(server, name, lines, *words):
    tool(server, "kafka-console-producer", "--topic", name, *words, given="".join(line + "\n" for line in lines))


def consume(server, name, number, *words):
    said = tool(server, "kafka-console-consumer", "--topic", name, "--max-messages", number, "--timeout-ms", 20000, *words)
    holds(said, f"Processed a total of {number} messages")
    return [line for line in said.splitlines() if not line.startswith("Processed a total")]


def offsets(server, *words):
    """What kafka-get-offsets says, as {"topic:partition": offset}."""
    said = tool(server, "kafka-get-offsets", *words)
    return {at: int(offset) for at, offset in re.findall(r"^(\S+:\d+):(-?\d+)$", said, re.M)}


def group_offsets(server, group, *words):
    """What kafka-consumer-groups says of a group's or a reset's offsets, as {"topic:partition": [what follows]}."""
    said = tool(server, "kafka-consumer-groups", *words, "--group", group)
    rows = [line.split() for line in said.splitlines()]
    return {f"{row[1]}:{row[2]}": row[3:] for row in rows if len(row) > 3 and row[0] == group}


def test_topics(server):
    said = tool(server, "kafka-topics", "--create", "--topic", "topics", "--partitions", 3, "--config", "retention.ms=86400000")
    holds(said, "Created topic topics.")
    said = tool(server, "kafka-topics", "--create", "--topic", "topics", status=1)
    holds(said, "Topic 'topics' already exists")
    tool(server, "kafka-topics", "--create", "--topic", "topics", "--if-not-exists")
    said = tool(server, "kafka-topics", "--create", "--topic", "a b", status=1)
    holds(said, "InvalidTopicException")
    topic(server, "topics-other")
    listed = tool(server, "kafka-topics", "--list").split()
    holds(" ".join(listed), "topics", "topics-other")

    said = tool(server, "kafka-topics", "--describe", "--topic", "topics")
    holds(said, "PartitionCount: 3\tReplicationFactor: 1\tConfigs: ", "retention.ms=86400000",
          "Partition: 2\tLeader: 1\tReplicas: 1\tIsr: 1")
    tool(server, "kafka-topics", "--alter", "--topic", "topics", "--partitions", 5)
    holds(tool(server, "kafka-topics", "--describe", "--topic", "topics"), "PartitionCount: 5")
    said = tool(server, "kafka-topics", "--alter", "--topic", "topics", "--partitions", 2, status=1)
    holds(said, "5", "InvalidPartitionsException")
    said = tool(server, "kafka-topics", "--describe", "--topics-with-overrides")
    holds(said, "Topic: topics\t")
    same(tool(server, "kafka-topics", "--describe", "--under-replicated-partitions").strip(), "")
    same(tool(server, "kafka-topics", "--describe", "--unavailable-partitions").strip(), "")

    tool(server, "kafka-topics", "--delete", "--topic", "topics")
    lacks(tool(server, "kafka-topics", "--list").split(), "topics")
    said = tool(server, "kafka-topics", "--describe", "--topic", "topics", status=1)
    holds(said, "Topic 'topics' does not exist as expected")
    said = tool(server, "kafka-topics", "--delete", "--topic", "topics", status=1)
    holds(said, "Topic 'topics' does not exist as expected")


def test_configs_of_topics(server):
    topic(server, "configs")
    same(tool(server, "kafka-configs", "--describe", "--topic", "configs").split("\n")[1:], [""])
    said = tool(server, "kafka-configs", "--alter", "--topic", "configs",
                "--add-config", "retention.ms=5000,cleanup.policy=[compact,delete]")
    holds(said, "Completed updating config for topic configs.")
    said = tool(server, "kafka-configs", "--describe", "--topic", "configs")
    holds(said, "cleanup.policy=compact,delete sensitive=false",
          "retention.ms=5000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=5000")
    holds(tool(server, "kafka-configs", "--describe", "--entity-type", "topics"), "Dynamic configs for topic configs are:")
    said = tool(server, "kafka-configs", "--describe", "--topic", "configs", "--all")
    holds(said, "segment.bytes=1073741824 sensitive=false synonyms={", "max.message.bytes=1048588",
          "min.insync.replicas=1", "compression.type=producer")
    tool(server, "kafka-configs", "--alter", "--topic", "configs", "--delete-config", "cleanup.policy")
    said = tool(server, "kafka-configs", "--describe", "--topic", "configs")
    holds(said, "retention.ms=5000")
    lacks(said, "cleanup.policy")
    for bad in ("retention.ms=many", "cleanup.policy=burn", "retention.ms=-2", "no.such.setting=1"):
        said = tool(server, "kafka-configs", "--alter", "--topic", "configs", "--add-config", bad, status=1)
        holds(said, "InvalidConfigurationException", bad.partition("=")[0])
    said = tool(server, "kafka-configs", "--alter", "--topic", "configs", "--delete-config", "cleanup.policy", status=1)
    holds(said, "Invalid config(s): cleanup.policy")


def test_configs_of_brokers(server):
    by_id, default = ("--entity-type", "brokers", "--entity-name", 1), ("--entity-type", "brokers", "--entity-default")
    for number, where in enumerate((by_id, default)):
        value = f"message.max.bytes={200000 + number}"
        tool(server, "kafka-configs", "--alter", *where, "--add-config", value)
        holds(tool(server, "kafka-configs", "--describe", *where), value + " sensitive=false")
        holds(tool(server, "kafka-configs", "--describe", *by_id, "--all"), value + " sensitive=false")
        topic(server, f"configs-inherited-{number}")
        holds(tool(server, "kafka-configs", "--describe", "--topic", f"configs-inherited-{number}", "--all"),
              value.replace("message.max", "max.message") + " sensitive=false")
        tool(server, "kafka-configs", "--alter", *where, "--delete-config", "message.max.bytes")
        lacks(tool(server, "kafka-configs", "--describe", *where), "message.max.bytes")
    said = tool(server, "kafka-configs", "--alter", *by_id, "--add-config", "log.dirs=/elsewhere", status=1)
    holds(said, "log.dirs")


def test_console(server):
    topic(server, "console", partitions=2)
    keyed = ("--property", "parse.key=true", "--property", "key.separator=:")
    wanted = [f"key{i}:value{i}" for i in range(50)]
    produce(server, "console", wanted, *keyed)
    told = ("--property", "print.key=true", "--property", "key.separator=:")
    same(sorted(consume(server, "console", 50, "--from-beginning", *told)), sorted(wanted))

    produce(server, "console", ["h1:x,h2:y\tvalue"], "--property", "parse.headers=true")
    said = tool(server, "kafka-console-consumer", "--topic", "console", "--from-beginning", "--max-messages", 51,
                "--property", "print.headers=true", "--property", "print.timestamp=true", "--property", "print.partition=true")
    holds(said, re.compile(r"^CreateTime:\d{13}\tPartition:[01]\th1:x,h2:y\tvalue$", re.M))

    ends = offsets(server, "--topic", "console")
    same(sum(ends.values()), 51)
    last = ends["console:1"] - 1
    said = consume(server, "console", 1, "--partition", 1, "--offset", last, "--property", "print.offset=true")
    same([line.split("\t")[0] for line in said], [f"Offset:{last}"])


def test_console_codecs(server):
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        name = "console-" + codec
        wanted = [f"{codec} {i}" for i in range(100)]
        produce(server, name, wanted, "--compression-codec", codec)
        same(consume(server, name, 100, "--from-beginning"), wanted)
    said = tool(server, "kafka-console-consumer", "--include", "console-(gzip|lz4)", "--from-beginning",
                "--max-messages", 200, "--timeout-ms", 20000)
    holds(said, "gzip 99", "lz4 99")


def test_consumer_groups(server):
    topic(server, "groups", partitions=2)
    lines = [f"k{i}:{i}" for i in range(100)]
    produce(server, "groups", lines, "--property", "parse.key=true", "--property", "key.separator=:")
    ends = offsets(server, "--topic", "groups")
    consume(server, "groups", 100, "--from-beginning", "--group", "g")

    holds(tool(server, "kafka-consumer-groups", "--list").split(), "g")
    holds(tool(server, "kafka-consumer-groups", "--list", "--state"), re.compile(r"^g +Empty *$", re.M))
    holds(tool(server, "kafka-consumer-groups", "--list", "--type"), re.compile(r"^g +Classic *$", re.M))
    holds(tool(server, "kafka-groups", "--list"), re.compile(r"^g +Classic +consumer *$", re.M))
    described = group_offsets(server, "g", "--describe")
    same({at: row[:3] for at, row in described.items()}, {at: [str(n), str(n), "0"] for at, n in ends.items()})
    holds(tool(server, "kafka-consumer-groups", "--describe", "--group", "g", "--members"), "has no active members")
    holds(tool(server, "kafka-consumer-groups", "--describe", "--group", "g", "--state"),
          re.compile(rf"^g +{server.address} +\(1\) .* Empty +0$", re.M))
    holds(tool(server, "kafka-consumer-groups", "--describe", "--group", "absent"), "GroupIdNotFoundException")

    nothing = {at: 0 for at in ends}
    for words, wanted in ((("--to-earliest",), nothing),
                          (("--to-latest",), ends),
                          (("--to-offset", 7), {at: 7 for at in ends}),
                          (("--shift-by", -2), {at: 5 for at in ends}),
                          (("--shift-by", 1000), ends),
                          (("--by-duration", "PT1H"), nothing),
                          (("--to-datetime", "2020-01-01T00:00:00.000"), nothing),
                          (("--to-datetime", "2199-01-01T00:00:00.000"), ends),
                          (("--to-current",), ends)):
        reset = group_offsets(server, "g", "--reset-offsets", "--topic", "groups", *words, "--execute")
        same(reset, {at: [str(n)] for at, n in wanted.items()}, f"reset {words}")
        described = group_offsets(server, "g", "--describe")
        same({at: int(row[0]) for at, row in described.items()}, wanted, f"offsets after {words}")
    reset = group_offsets(server, "g", "--reset-offsets", "--topic", "groups:1", "--to-offset", 3, "--dry-run")
    same(reset, {"groups:1": ["3"]})
    same(group_offsets(server, "g", "--describe")["groups:1"][0], str(ends["groups:1"]), "after a dry run")
    plan = tool(server, "kafka-consumer-groups", "--reset-offsets", "--group", "g", "--all-topics", "--to-earliest",
                "--export", "--dry-run")
    same(sorted(plan.split()), ["groups,0,0", "groups,1,0"])
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("groups,0,4\ngroups,1,5\n")
        file.flush()
        reset = group_offsets(server, "g", "--reset-offsets", "--from-file", file.name, "--execute")
    same(reset, {"groups:0": ["4"], "groups:1": ["5"]})

    said = tool(server, "kafka-consumer-groups", "--delete-offsets", "--group", "g", "--topic", "groups:1")
    holds(said, re.compile(r"^groups +1 +Successful *$", re.M))
    same(group_offsets(server, "g", "--describe")["groups:0"][0], "4", "the offset beside the deleted one")
    said = tool(server, "kafka-consumer-groups", "--delete", "--group", "g")
    holds(said, "Deletion of requested consumer groups ('g') was successful.")
    lacks(tool(server, "kafka-consumer-groups", "--list").split(), "g")
    holds(tool(server, "kafka-consumer-groups", "--delete", "--group", "g"), "GroupIdNotFoundException")


def test_get_offsets(server):
    topic(server, "offsets", partitions=2)
    wanted = [f"k{i}:{i}" for i in range(10)]
    produce(server, "offsets", wanted, "--property", "parse.key=true", "--property", "key.separator=:")
    ends = offsets(server, "--topic", "offsets")
    same(sum(ends.values()), 10)
    same(offsets(server, "--topic", "offsets", "--time", LATEST), ends)
    same(offsets(server, "--topic", "offsets", "--time", EARLIEST), {at: 0 for at in ends})
    same(offsets(server, "--topic", "offsets", "--time", EARLIEST_LOCAL), {at: 0 for at in ends})
    same(offsets(server, "--topic", "offsets", "--time", LATEST_TIERED), {})
    same(offsets(server, "--topic", "offsets", "--time", 0), {at: 0 for at in ends})
    newest = offsets(server, "--topic", "offsets", "--time", GREATEST_TIME)
    same({at: 0 <= n < ends[at] for at, n in newest.items()}, {at: True for at in ends})
    same(offsets(server, "--topic-partitions", "offsets:1-2,console:0-1").keys(), {"offsets:1", "console:0"})
    holds(tool(server, "kafka-get-offsets", "--topic", "absent", status=1), "Could not match any topic-partitions")


def test_delete_records(server):
    topic(server, "deleted")
    produce(server, "deleted", map(str, range(10)))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        def delete(partition, offset):
            file.seek(0)
            file.truncate()
            json.dump({"version": 1, "partitions": [{"topic": "deleted", "partition": partition, "offset": offset}]}, file)
            file.flush()
            return tool(server, "kafka-delete-records", "--offset-json-file", file.name)
        holds(delete(0, 4), "partition: deleted-0\tlow_watermark: 4")
        same(offsets(server, "--topic", "deleted", "--time", EARLIEST), {"deleted:0": 4})
        same(consume(server, "deleted", 6, "--from-beginning"), ["4", "5", "6", "7", "8", "9"])
        holds(delete(0, 11), "partition: deleted-0\terror: ", "OffsetOutOfRangeException")
        holds(delete(0, -1), "partition: deleted-0\tlow_watermark: 10")
        same(offsets(server, "--topic", "deleted"), {"deleted:0": 10})


def test_log_dirs(server):
    topic(server, "dirs", partitions=2)
    produce(server, "dirs", ["x" * 1000])
    said = tool(server, "kafka-log-dirs", "--describe", "--topic-list", "dirs", "--broker-list", 1)
    told = json.loads(said.splitlines()[-1])
    (broker,) = told["brokers"]
    (folder,) = broker["logDirs"]
    same(broker["broker"], 1)
    same(folder["error"], None)
    sizes = {p["partition"]: p["size"] for p in folder["partitions"]}
    same(sizes.keys(), {"dirs-0", "dirs-1"})
    same(1000 < sum(sizes.values()) < 1200, True, f"the size of 1000 bytes {sizes}")


def test_dump_log(server):
    """What lies on the disk is what Kafka's own tool for that reads."""
    topic(server, "dumped")
    produce(server, "dumped", ["dumped by kafka-dump-log"])
    files = [f for f in glob.glob(server.folder + "/**/*.log", recursive=True) if os.path.getsize(f)]
    said = "".join(server.box.run(TOOLS["kafka-dump-log"], "--print-data-log", "--files", f) for f in files)
    holds(said, "payload: dumped by kafka-dump-log", "isvalid: true")
    lacks(said, "isvalid: false")


def test_performance(server):
    topic(server, "perf", partitions=2)
    said = server.box.run(TOOLS["kafka-producer-perf-test"], "--topic", "perf", "--num-records", 50000, "--record-size", 100,
                          "--throughput", -1, "--producer-props", "bootstrap.servers=" + server.address)
    holds(said, re.compile(r"^50000 records sent, [\d.]+ records/sec", re.M), "99.9th.")
    same(sum(offsets(server, "--topic", "perf").values()), 50000)
    said = tool(server, "kafka-consumer-perf-test", "--topic", "perf", "--messages", 50000, "--timeout", 20000)
    same(int(said.splitlines()[1].split(", ")[4]) >= 50000, True, "records consumed")
    said = server.box.run(TOOLS["kafka-e2e-latency"], server.address, "perf-e2e", 20, "all", 100)
    holds(said, "Percentiles: 50th = ")


def events(said, name):
    return [event for event in map(json.loads, said.splitlines()) if event["name"] == name]


def test_verifiable_clients(server):
    topic(server, "verifiable")
    tool(server, "kafka-verifiable-producer", "--topic", "verifiable", "--max-messages", 100, "--acks", -1)
    # The tool tells what it has sent when it is closed; what it tells comes with the next one's.
    said = tool(server, "kafka-verifiable-consumer", "--topic", "verifiable", "--max-messages", 100, "--group-id", "verifiable")
    (consumed,) = events(said, "records_consumed")
    same(consumed["partitions"], [{"topic": "verifiable", "partition": 0, "count": 100, "minOffset": 0, "maxOffset": 99}])
    (committed, *_) = events(said, "offsets_committed")
    same((committed["success"], committed["offsets"]),
         (True, [{"topic": "verifiable", "partition": 0, "offset": 100}]))
    same(group_offsets(server, "verifiable", "--describe")["verifiable:0"][:3], ["100", "100", "0"])


def test_cluster(server):
    holds(tool(server, "kafka-cluster", "cluster-id"), re.compile(r"^Cluster ID: [\w-]{22}$", re.M))
    said = tool(server, "kafka-cluster", "list-endpoints")
    holds(said, re.compile(rf"^1 +{server.host} +{server.port} +null +unfenced +broker *$", re.M))
    said = tool(server, "kafka-broker-api-versions")
    holds(said, f"{server.address} (id: 1 rack: null isFenced: false) -> (", re.compile(r"Produce\(0\): 0 to \d+ \[usable: \d+\]"))
    server.box.run(TOOLS["kafka-features"], "--bootstrap-server", server.address, "describe")


def test_streams_application_reset(server):
    topic(server, "streams-in", partitions=2)
    topic(server, "streams-app-x-changelog")
    produce(server, "streams-in", ["a", "b"])
    consume(server, "streams-in", 2, "--from-beginning", "--group", "streams-app")
    words = ("--application-id", "streams-app", "--input-topics", "streams-in")
    said = tool(server, "kafka-streams-application-reset", *words, "--dry-run")
    holds(said, "Topic: streams-in Partition: 0 Offset: 0", "streams-app-x-changelog")
    said = tool(server, "kafka-streams-application-reset", *words)
    holds(said, "Done.")
    described = group_offsets(server, "streams-app", "--describe")
    same({at: row[0] for at, row in described.items()}, {"streams-in:0": "0", "streams-in:1": "0"})
    lacks(tool(server, "kafka-topics", "--list").split(), "streams-app-x-changelog")


def test_leader_election(server):
    topic(server, "elected")
    said = tool(server, "kafka-leader-election", "--election-type", "preferred", "--topic", "elected", "--partition", 0)
    holds(said, "Valid replica already elected for partitions elected-0")


def test_reassignments(server):
    topic(server, "reassigned")
    same(tool(server, "kafka-reassign-partitions", "--list").strip(), "No partition reassignments found.")
    def reassigned(replicas, *words, status=0):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump({"version": 1, "partitions": [{"topic": "reassigned", "partition": 0, "replicas": replicas}]}, f)
            f.flush()
            return tool(server, "kafka-reassign-partitions", "--reassignment-json-file", f.name, *words, status=status)
    holds(reassigned([1], "--execute"), "Successfully started partition reassignment for reassigned-0")
    holds(reassigned([1], "--verify"), "Reassignment of partition reassigned-0 is completed.")
    holds(reassigned([1], "--cancel"), "None of the specified partition moves are active.")
    holds(reassigned([7], "--execute", status=1), "7")


def test_transactions(server):
    def transactions(*words, status=0):
        return server.box.run(TOOLS["kafka-transactions"], "--bootstrap-server", server.address, *words, status=status)
    topic(server, "transactions")
    said = server.box.run(TOOLS["kafka-producer-perf-test"], "--topic", "transactions", "--num-records", 1000, "--record-size", 100,
                          "--throughput", -1, "--transaction-duration-ms", 20, "--transactional-id", "perf", "--producer-props",
                          "bootstrap.servers=" + server.address)
    holds(said, "1000 records sent")
    same(len(consume(server, "transactions", 1000, "--from-beginning", "--isolation-level", "read_committed")), 1000)
    holds(transactions("list"), re.compile(r"^perf\s+\d+\s+\d+\s+CompleteCommit", re.M))
    holds(transactions("describe", "--transactional-id", "perf"), re.compile(r"^\d+\s+perf\s+\d+\s+\d+\s+CompleteCommit", re.M))
    holds(transactions("describe-producers", "--topic", "transactions", "--partition", 0), re.compile(r"^\d+\s+\d+\s+\d+", re.M))
    holds(transactions("describe", "--transactional-id", "absent", status=1), "absent")
    said = transactions("find-hanging", "--broker-id", 1)
    same(len(said.strip().splitlines()), 1, "hanging transactions, below their heading")


def test_acls(server):
    needs(server, "DescribeAcls", 29)
    holds(tool(server, "kafka-acls", "--list", status=1), "SecurityDisabledException")


if __name__ == "__main__":
    try:
        tools = Toolbox()
    except Skip as reason:
        print(f"skipped tools: {reason}")
        finish(0, 0, 1)
    daemon = Broker() if "--kafka" in sys.argv else weir_daemon.start(options({}))
    client = raw_client.Client(daemon.host, daemon.port)
    results = run(globals(), types.SimpleNamespace(
        box=tools, address=daemon.address, host=daemon.host, port=daemon.port, folder=daemon.dir,
        apis=client.ask("api_versions", 0)["api_keys"]))
    client.close()
    tools.close()
    finish(*end(daemon, *results))
