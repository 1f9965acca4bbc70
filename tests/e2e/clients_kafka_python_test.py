#!/usr/bin/python3
"""clients_kafka_python_test.py -- kafka-python, unmodified (Debian: python3-kafka),
which speaks requests of old: producing with every codec that Debian has a
module for, consuming, balancing a group, administering."""

import importlib.util
import logging

import groups
from claims import Skip, finish, main, refused, same, until
from groups import balanced

try:
    from kafka import (KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition,
                       ConsumerRebalanceListener)
    from kafka.admin import (ACLFilter, ACLOperation, ACLPermissionType, ACLResourcePatternType, ConfigResource,
                             ConfigResourceType, NewPartitions, NewTopic, ResourcePatternFilter, ResourceType)
    from kafka.coordinator.assignors.range import RangePartitionAssignor
    from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
    from kafka.errors import (GroupIdNotFoundError, IncompatibleBrokerVersion, InvalidPartitionsError,
                              InvalidTopicError, MessageSizeTooLargeError, NoError, NonEmptyGroupError,
                              TopicAlreadyExistsError, UnknownTopicOrPartitionError)
except ImportError as missing:
    print(f"skipped kafka_python: {missing} (Debian: python3-kafka)")
    finish(0, 0, 1)

logging.disable(logging.CRITICAL)


def producer(daemon, **settings):
    return KafkaProducer(bootstrap_servers=daemon.address, **settings)


def consumer(daemon, *topics, **settings):
    return KafkaConsumer(*topics, bootstrap_servers=daemon.address, auto_offset_reset="earliest",
                         fetch_max_wait_ms=50, **settings)


def administrator(daemon):
    return KafkaAdminClient(bootstrap_servers=daemon.address)


def create(daemon, topic, partitions=1, config=None):
    admin = administrator(daemon)
    admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=config or {})])
    admin.close()


def send(sender, topic, records, **more):
    """Sends (key, value) records; returns where they went."""
    futures = [sender.send(topic, key=key, value=value, **more) for key, value in records]
    sender.flush(20)
    return [(f.get(1).partition, f.get(1).offset) for f in futures]


def reader_of(daemon, topic, partitions=1, **settings):
    """A consumer at the beginning of the partitions, without a group."""
    reader = consumer(daemon, **settings)
    parts = [TopicPartition(topic, p) for p in range(partitions)]
    reader.assign(parts)
    reader.seek_to_beginning(*parts)
    return reader


def take(reader, count, seconds=20):
    taken = []
    def enough():
        for records in reader.poll(200, max_records=count - len(taken)).values():
            taken.extend(records)
        return len(taken) >= count
    until(f"{count} records", enough, seconds)
    return taken


def round_trip(daemon, codec):
    topic = f"codec-{codec}"
    create(daemon, topic)
    records = [(f"k{i}".encode(), f"value {i} of {codec}".encode() * 5) for i in range(1000)]
    sender = producer(daemon, compression_type=codec, acks="all", linger_ms=5)
    same(send(sender, topic, records), [(0, i) for i in range(1000)], "where they went")
    sender.close()
    reader = reader_of(daemon, topic)
    same([(r.key, r.value) for r in take(reader, 1000)], records, codec)
    reader.close()


def need(module, package):
    if importlib.util.find_spec(module) is None:
        raise Skip(f"the module {module} is not installed (Debian: {package})")


def test_plain_is_taken_and_given_back(daemon):
    round_trip(daemon, None)


def test_gzip_is_taken_and_given_back(daemon):
    round_trip(daemon, "gzip")


def test_snappy_is_taken_and_given_back(daemon):
    need("snappy", "python3-snappy")
    round_trip(daemon, "snappy")


def test_lz4_is_taken_and_given_back(daemon):
    need("lz4", "python3-lz4")
    round_trip(daemon, "lz4")


def test_zstd_is_taken_and_given_back(daemon):
    need("zstandard", "python3-zstandard")
    round_trip(daemon, "zstd")


def test_the_broker_is_taken_for_a_late_one(daemon):
    reader = consumer(daemon)
    assert reader.config["api_version"] >= (2, 4), reader.config["api_version"]
    same(reader.bootstrap_connected(), True)
    reader.close()


def test_older_dialects_are_understood(daemon):
    for version in [(0, 11, 0), (1, 0, 0), (2, 0, 0)]:
        topic = "dialect-" + ".".join(map(str, version))
        create(daemon, topic)
        sender = producer(daemon, api_version=version)
        same(send(sender, topic, [(b"k", b"v")]), [(0, 0)], version)
        sender.close()
        reader = consumer(daemon, topic, group_id=topic, api_version=version)
        same([(r.key, r.value) for r in take(reader, 1)], [(b"k", b"v")], version)
        reader.commit()
        same(reader.committed(TopicPartition(topic, 0)), 1, version)
        reader.close()


def test_every_acks_is_stored(daemon):
    for acks in [0, 1, "all"]:
        topic = f"acks-{acks}"
        create(daemon, topic)
        sender = producer(daemon, acks=acks)
        for i in range(200):
            sender.send(topic, str(i).encode())
        sender.flush(20)
        sender.close()
        reader = reader_of(daemon, topic)
        same([r.value for r in take(reader, 200)], [str(i).encode() for i in range(200)], acks)
        reader.close()


def test_headers_times_and_nulls_come_back(daemon):
    create(daemon, "shape")
    sender = producer(daemon)
    headers = [("a", b"1"), ("b", b""), ("a", b"\x00\xff")]
    send(sender, "shape", [(b"k", None)], headers=headers, timestamp_ms=1500000000123)
    send(sender, "shape", [(None, b"v")])
    sender.close()
    reader = reader_of(daemon, "shape")
    first, second = take(reader, 2)
    same((first.key, first.value, first.headers, first.timestamp), (b"k", None, headers, 1500000000123))
    same((second.key, second.value, second.headers), (None, b"v", []))
    reader.close()


def test_keys_keep_their_order(daemon):
    create(daemon, "keys", 3)
    sender = producer(daemon, linger_ms=2)
    send(sender, "keys", [(str(i % 20).encode(), str(i).encode()) for i in range(2000)])
    sender.close()
    reader = reader_of(daemon, "keys", 3)
    by_key = {}
    for record in take(reader, 2000):
        by_key.setdefault(int(record.key), []).append(int(record.value))
    same(by_key, {k: list(range(k, 2000, 20)) for k in range(20)})
    reader.close()


def test_too_large_a_record_is_refused(daemon):
    create(daemon, "small", config={"max.message.bytes": "2000"})
    sender = producer(daemon)
    refused("too large a record", sender.send("small", b"x" * 5000).get, MessageSizeTooLargeError)
    same(send(sender, "small", [(None, b"fits")]), [(0, 0)])
    sender.close()


def test_reading_goes_where_it_is_told(daemon):
    create(daemon, "where")
    sender = producer(daemon, linger_ms=5)
    for i in range(100):
        sender.send("where", str(i).encode(), timestamp_ms=1000000 + i * 10)
    sender.flush(20)
    sender.close()
    part = TopicPartition("where", 0)
    reader = reader_of(daemon, "where")
    same((reader.beginning_offsets([part]), reader.end_offsets([part])), ({part: 0}, {part: 100}))
    found = reader.offsets_for_times({part: 1000495})[part]
    same((found.offset, found.timestamp), (50, 1000500))
    same(reader.offsets_for_times({part: 2000000}), {part: None})
    reader.seek(part, 90)
    same([r.offset for r in take(reader, 10)], list(range(90, 100)))
    reader.seek_to_end(part)
    same(reader.position(part), 100)
    reader.pause(part)
    reader.seek(part, 10)
    same(reader.poll(200), {})
    reader.resume(part)
    same(take(reader, 1)[0].offset, 10)
    same((reader.partitions_for_topic("where"), "where" in reader.topics()), ({0}, True))
    reader.close()


class Member(groups.Member, ConsumerRebalanceListener):
    """A consumer of a group in a thread of its own."""

    def __init__(self, daemon, group, topic, assignor):
        super().__init__()
        self._reader = consumer(daemon, group_id=group, session_timeout_ms=6000, heartbeat_interval_ms=200,
                                auto_commit_interval_ms=100, partition_assignment_strategy=[assignor])
        self._reader.subscribe([topic], listener=self)
        self.start()

    def on_partitions_assigned(self, assigned):
        self.assigned = {p.partition for p in assigned}

    def on_partitions_revoked(self, revoked):
        self.assigned = set()

    def step(self):
        return [(r.partition, r.offset, r.value) for records in self._reader.poll(100).values() for r in records]

    def close(self):
        self._reader.close()


def come_and_go(daemon, assignor):
    topic = f"group-{assignor.name}"
    create(daemon, topic, 6)
    sender = producer(daemon, linger_ms=2)
    sent, records = groups.come_and_go(lambda: Member(daemon, topic, topic, assignor),
                                       lambda values: send(sender, topic, [(v, v) for v in values]), 6)
    # This client may read again what it has read before a partition goes.
    same(sorted(r[2] for r in set(records)), sorted(sent))
    sender.close()


def test_a_group_is_balanced_by_range(daemon):
    come_and_go(daemon, RangePartitionAssignor)


def test_a_group_is_balanced_by_roundrobin(daemon):
    come_and_go(daemon, RoundRobinPartitionAssignor)


def test_commits_and_their_notes_are_kept(daemon):
    create(daemon, "commits", 2)
    part = TopicPartition("commits", 0)
    sender = producer(daemon)
    send(sender, "commits", [(None, str(i).encode()) for i in range(20)], partition=0)
    sender.close()
    reader = consumer(daemon, "commits", group_id="committer", enable_auto_commit=False)
    take(reader, 20)
    same(reader.committed(part), None)
    reader.commit({part: OffsetAndMetadata(7, "a note, ütf-8")})
    same(reader.committed(part, metadata=True), OffsetAndMetadata(7, "a note, ütf-8"))
    reader.close()
    reader = consumer(daemon, "commits", group_id="committer", enable_auto_commit=False)
    same(take(reader, 1)[0].offset, 7)
    reader.close()


def test_groups_are_shown_and_deleted(daemon):
    admin = administrator(daemon)
    member = Member(daemon, "shown", "commits", RangePartitionAssignor)
    until("it has all", lambda: balanced([member], 2))
    group = admin.describe_consumer_groups(["shown"])[0]
    same((group.group, group.state, group.protocol_type, group.protocol), ("shown", "Stable", "consumer", "range"))
    same([(m.client_host, sorted(m.member_assignment.assignment[0][1])) for m in group.members],
         [("/127.0.0.1", [0, 1])])
    listed = dict(admin.list_consumer_groups())
    same((listed["shown"], listed["committer"]), ("consumer", "consumer"))
    same(dict(admin.delete_consumer_groups(["shown"])), {"shown": NonEmptyGroupError})
    member.leave()
    same(admin.list_consumer_group_offsets("committer"),
         {TopicPartition("commits", 0): OffsetAndMetadata(7, "a note, ütf-8")})
    same(dict(admin.delete_consumer_groups(["shown", "never"])), {"shown": NoError, "never": GroupIdNotFoundError})
    assert "shown" not in dict(admin.list_consumer_groups())
    admin.close()


def test_topics_are_made_grown_and_deleted(daemon):
    admin = administrator(daemon)
    admin.create_topics([NewTopic("made", 3, 1)])
    same([len(t["partitions"]) for t in admin.describe_topics(["made"])], [3])
    refused("a second of the name", lambda: admin.create_topics([NewTopic("made", 3, 1)]), TopicAlreadyExistsError)
    refused("a bad name", lambda: admin.create_topics([NewTopic("not/a name", 3, 1)]), InvalidTopicError)
    admin.create_topics([NewTopic("only", 1, 1)], validate_only=True)
    assert "only" not in admin.list_topics(), "validate_only has made it"
    admin.create_topics([NewTopic("placed", -1, -1, replica_assignments={0: [1], 1: [1]})])
    same([len(t["partitions"]) for t in admin.describe_topics(["placed"])], [2])
    admin.create_partitions({"made": NewPartitions(5)})
    same([sorted(p["partition"] for p in t["partitions"]) for t in admin.describe_topics(["made"])], [[0, 1, 2, 3, 4]])
    refused("fewer partitions", lambda: admin.create_partitions({"made": NewPartitions(2)}), InvalidPartitionsError)
    admin.delete_topics(["made"])
    assert "made" not in admin.list_topics(), "it is still there"
    refused("what is not there", lambda: admin.delete_topics(["made"]), UnknownTopicOrPartitionError)
    admin.close()


def test_settings_are_shown_and_changed(daemon):
    admin = administrator(daemon)
    create(daemon, "settings", config={"retention.ms": "1234567"})

    def shown(kind, name):
        answer = admin.describe_configs([ConfigResource(kind, name)])[0]
        (code, message, _, _, entries), = answer.resources
        same((code, message or ""), (0, ""))
        return {entry[0]: entry[1] for entry in entries}

    settings = shown(ConfigResourceType.TOPIC, "settings")
    same((settings["retention.ms"], settings["cleanup.policy"]), ("1234567", "delete"))
    change = ConfigResource(ConfigResourceType.TOPIC, "settings", {"cleanup.policy": "compact"})
    same([r[0] for r in admin.alter_configs([change]).resources], [0])
    settings = shown(ConfigResourceType.TOPIC, "settings")
    same((settings["retention.ms"], settings["cleanup.policy"]), ("604800000", "compact"))
    bad = ConfigResource(ConfigResourceType.TOPIC, "settings", {"cleanup.policy": "burn"})
    same([r[0] for r in admin.alter_configs([bad]).resources], [40])  # INVALID_CONFIG
    same(shown(ConfigResourceType.BROKER, "1")["log.dirs"], daemon.dir)
    admin.close()


def test_the_cluster_is_described(daemon):
    admin = administrator(daemon)
    cluster = admin.describe_cluster()
    same([(b["node_id"], f"{b['host']}:{b['port']}") for b in cluster["brokers"]], [(1, daemon.address)])
    same((cluster["controller_id"], bool(cluster["cluster_id"])), (1, True))
    # Rules of access are nothing that the daemon has: the client must say so, and not hang.
    anything = ACLFilter(None, "*", ACLOperation.ANY, ACLPermissionType.ANY,
                         ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY))
    refused("ACLs", lambda: admin.describe_acls(anything), IncompatibleBrokerVersion)
    admin.close()


if __name__ == "__main__":
    main(globals())
