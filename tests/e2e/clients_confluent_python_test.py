#!/usr/bin/python3
"""clients_confluent_python_test.py -- confluent-kafka for Python, unmodified
(Debian: python3-confluent-kafka): producing with every codec, consuming,
balancing a group, administering."""

import groups
from claims import finish, main, refused, same, until
from groups import balanced

try:
    from confluent_kafka import (Consumer, KafkaError, KafkaException, OFFSET_BEGINNING, Producer, TopicPartition)
    from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic
except ImportError:
    print("skipped confluent_kafka: it is not installed (Debian: python3-confluent-kafka)")
    finish(0, 0, 1)

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def producer(daemon, **settings):
    return Producer({"bootstrap.servers": daemon.address, "linger.ms": 5, **dotted(settings)})


def consumer(daemon, group="unused", **settings):
    return Consumer({"bootstrap.servers": daemon.address, "group.id": group, "auto.offset.reset": "earliest",
                     "fetch.wait.max.ms": 50, **dotted(settings)})


def dotted(settings):
    return {name.replace("_", "."): value for name, value in settings.items()}


def create(daemon, topic, partitions=1, config=None):
    new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=config or {})
    admin = AdminClient({"bootstrap.servers": daemon.address})  # its end would end what it has under way
    admin.create_topics([new])[topic].result(20)


def send(sender, topic, records, **more):
    """Sends (key, value) records; returns the delivery reports, in the order of the records."""
    reports = [None] * len(records)

    def reporter(i):
        def report(error, message):
            reports[i] = (error, message.partition(), message.offset())
        return report

    for i, (key, value) in enumerate(records):
        sender.produce(topic, key=key, value=value, on_delivery=reporter(i), **more)
        sender.poll(0)
    same(sender.flush(20), 0, "records left after the flush")
    same([r[0] for r in reports if r[0] is not None], [], "failed deliveries")
    return reports


def take(reader, count, seconds=20):
    """The next so many records."""
    taken = []
    def enough():
        taken.extend(reader.consume(count - len(taken), 0.2))
        return len(taken) >= count
    until(f"{count} records (got {len(taken)})", enough, seconds)
    for message in taken:
        assert message.error() is None, message.error()
    return taken


def codes(error):
    """The code of an error that a KafkaException holds."""
    return error.args[0].code()


def test_every_codec_is_taken_and_given_back(daemon):
    for codec in CODECS:
        topic = f"codec-{codec}"
        create(daemon, topic)
        records = [(f"k{i}".encode(), f"value {i} of {codec}".encode() * 5) for i in range(1000)]
        reports = send(producer(daemon, compression_type=codec, acks="all"), topic, records)
        same([(r[1], r[2]) for r in reports], [(0, i) for i in range(1000)], "where they went")
        reader = consumer(daemon)
        reader.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        same([(m.key(), m.value()) for m in take(reader, 1000)], records, codec)
        reader.close()


def test_an_idempotent_producer_keeps_the_order(daemon):
    create(daemon, "once", 3)
    records = [(str(i % 50).encode(), str(i).encode()) for i in range(6000)]
    send(producer(daemon, enable_idempotence=True, batch_num_messages=20), "once", records)
    reader = consumer(daemon)
    reader.assign([TopicPartition("once", p, OFFSET_BEGINNING) for p in range(3)])
    by_key = {}
    for message in take(reader, 6000):
        by_key.setdefault(message.key(), []).append(int(message.value()))
    same(by_key, {str(k).encode(): list(range(k, 6000, 50)) for k in range(50)})
    reader.close()


def test_headers_times_and_nulls_come_back(daemon):
    create(daemon, "shape")
    sender = producer(daemon)
    headers = [("a", b"1"), ("b", None), ("a", b"\x00\xff")]
    send(sender, "shape", [(b"k", None)], headers=headers, timestamp=1500000000123)
    send(sender, "shape", [(None, b"v"), (b"", b"")])
    reader = consumer(daemon)
    reader.assign([TopicPartition("shape", 0, OFFSET_BEGINNING)])
    first, second, third = take(reader, 3)
    same((first.key(), first.value(), first.headers(), first.timestamp()), (b"k", None, headers, (1, 1500000000123)))
    same((second.key(), second.value(), second.headers()), (None, b"v", None))
    same((third.key(), third.value()), (b"", b""))
    reader.close()


def test_too_large_a_record_is_refused(daemon):
    create(daemon, "small", config={"max.message.bytes": "2000"})
    errors = []
    sender = producer(daemon)
    sender.produce("small", value=b"x" * 5000, on_delivery=lambda error, _: errors.append(error.code()))
    sender.produce("small", value=b"fits", on_delivery=lambda error, _: errors.append(error))
    sender.flush(20)
    # They went in one batch, or in two.
    same(errors[0], KafkaError.MSG_SIZE_TOO_LARGE)


def test_reading_goes_where_it_is_told(daemon):
    create(daemon, "where")
    sender = producer(daemon)
    for i in range(100):
        sender.produce("where", value=str(i), timestamp=1000000 + i * 10)
    same(sender.flush(20), 0)
    reader = consumer(daemon)
    part = TopicPartition("where", 0)
    same(reader.get_watermark_offsets(part, 10), (0, 100))
    same([t.offset for t in reader.offsets_for_times([TopicPartition("where", 0, 1000495)], 10)], [50])
    same([t.offset for t in reader.offsets_for_times([TopicPartition("where", 0, 5)], 10)], [0])
    same([t.offset for t in reader.offsets_for_times([TopicPartition("where", 0, 2000000)], 10)], [-1])
    reader.assign([TopicPartition("where", 0, 90)])
    same([m.value() for m in take(reader, 10)], [str(i).encode() for i in range(90, 100)])
    reader.seek(TopicPartition("where", 0, 10))
    same(take(reader, 1)[0].offset(), 10)
    reader.pause([part])
    same(reader.consume(10, 0.3), [])
    reader.resume([part])
    same(take(reader, 1)[0].offset(), 11)
    reader.close()


def test_what_is_new_is_given_at_once(daemon):
    create(daemon, "live")
    reader = consumer(daemon, fetch_wait_max_ms=10000)
    reader.assign([TopicPartition("live", 0, OFFSET_BEGINNING)])
    same(reader.poll(0.3), None)
    send(producer(daemon), "live", [(None, b"now")])
    # The fetch waits for 10 s where the record does not end it.
    message = reader.poll(5)
    assert message is not None and message.value() == b"now", message
    reader.close()


class Member(groups.Member):
    """A consumer of a group in a thread of its own."""

    def __init__(self, daemon, group, topic, **settings):
        super().__init__()
        self.rebalances = 0
        self._cooperative = settings.get("partition_assignment_strategy") == "cooperative-sticky"
        self._consumer = consumer(daemon, group, session_timeout_ms=6000, heartbeat_interval_ms=200,
                                  auto_commit_interval_ms=100, **settings)
        self._consumer.subscribe([topic], on_assign=self._on_assign, on_revoke=self._on_revoke)
        self.start()

    def _on_assign(self, reader, partitions):
        self.rebalances += 1
        if self._cooperative:
            reader.incremental_assign(partitions)
        else:
            reader.assign(partitions)
        self.assigned = self.assigned | {p.partition for p in partitions}

    def _on_revoke(self, reader, partitions):
        self.assigned = self.assigned - {p.partition for p in partitions}
        if self._cooperative:
            reader.incremental_unassign(partitions)
        else:
            reader.unassign()

    def step(self):
        message = self._consumer.poll(0.1)
        if message is None:
            return []
        if message.error() is not None:
            raise KafkaException(message.error())
        return [(message.partition(), message.offset(), message.value())]

    def close(self):
        self._consumer.close()


def come_and_go(daemon, strategy):
    topic = f"group-{strategy}"
    create(daemon, topic, 6)
    sender = producer(daemon)
    sent, records = groups.come_and_go(
        lambda: Member(daemon, strategy, topic, partition_assignment_strategy=strategy),
        lambda values: send(sender, topic, [(v, v) for v in values]), 6)
    # Each commits what it has read before it gives a partition away.
    same(sorted(r[2] for r in records), sorted(sent), strategy)


def test_a_group_is_balanced_by_range(daemon):
    come_and_go(daemon, "range")


def test_a_group_is_balanced_by_roundrobin(daemon):
    come_and_go(daemon, "roundrobin")


def test_a_group_is_balanced_by_cooperative_sticky(daemon):
    come_and_go(daemon, "cooperative-sticky")


def test_a_static_member_comes_back_unnoticed(daemon):
    create(daemon, "static", 4)
    first = Member(daemon, "static", "static", group_instance_id="one")
    second = Member(daemon, "static", "static", group_instance_id="two")
    until("two share", lambda: balanced([first, second], 4))
    had, rebalances = set(first.assigned), second.rebalances
    first.leave()  # which a static member doesn't tell
    again = Member(daemon, "static", "static", group_instance_id="one")
    until("it is back", lambda: again.assigned == had)
    same(second.rebalances, rebalances, "rebalances that the other has seen")
    again.leave()
    second.leave()


def test_commits_are_kept(daemon):
    create(daemon, "commits", 2)
    send(producer(daemon), "commits", [(None, str(i).encode()) for i in range(20)], partition=0)
    reader = consumer(daemon, "committer", enable_auto_commit=False)
    reader.subscribe(["commits"])
    take(reader, 20)
    same([p.offset for p in reader.committed([TopicPartition("commits", p) for p in (0, 1)], 10)], [-1001, -1001])
    done = reader.commit(offsets=[TopicPartition("commits", 0, 7)], asynchronous=False)
    same([(p.partition, p.offset, p.error) for p in done], [(0, 7, None)])
    same([p.offset for p in reader.committed([TopicPartition("commits", p) for p in (0, 1)], 10)], [7, -1001])
    reader.close()
    reader = consumer(daemon, "committer", enable_auto_commit=False)
    reader.subscribe(["commits"])
    same(take(reader, 1)[0].offset(), 7)
    reader.close()


def test_stored_offsets_are_committed(daemon):
    reader = consumer(daemon, "storer", enable_auto_offset_store=False)
    reader.subscribe(["commits"])
    messages = take(reader, 20)
    reader.store_offsets(message=messages[4])
    reader.commit(asynchronous=False)
    same([p.offset for p in reader.committed([TopicPartition("commits", 0)], 10)], [5])
    reader.close()


def test_topics_are_made_grown_and_deleted(daemon):
    admin = AdminClient({"bootstrap.servers": daemon.address})
    admin.create_topics([NewTopic("made", num_partitions=3, replication_factor=1)])["made"].result(20)
    same(len(admin.list_topics("made", 10).topics["made"].partitions), 3)
    future = admin.create_topics([NewTopic("made", num_partitions=3, replication_factor=1)])["made"]
    same(codes(refused("a second of the name", future.result, KafkaException)), KafkaError.TOPIC_ALREADY_EXISTS)
    future = admin.create_topics([NewTopic("not/a name", num_partitions=3, replication_factor=1)])["not/a name"]
    same(codes(refused("a bad name", future.result, KafkaException)), KafkaError.TOPIC_EXCEPTION)
    future = admin.create_topics([NewTopic("only", num_partitions=1, replication_factor=1)], validate_only=True)["only"]
    future.result(20)
    assert "only" not in admin.list_topics(timeout=10).topics, "validate_only has made it"
    admin.create_partitions([NewPartitions("made", 5)])["made"].result(20)
    same(sorted(admin.list_topics("made", 10).topics["made"].partitions), [0, 1, 2, 3, 4])
    future = admin.create_partitions([NewPartitions("made", 2)])["made"]
    same(codes(refused("fewer partitions", future.result, KafkaException)), KafkaError.INVALID_PARTITIONS)
    admin.delete_topics(["made"])["made"].result(20)
    assert "made" not in admin.list_topics(timeout=10).topics, "it is still there"
    future = admin.delete_topics(["made"])["made"]
    same(codes(refused("what is not there", future.result, KafkaException)), KafkaError.UNKNOWN_TOPIC_OR_PART)


def test_settings_are_shown_and_changed(daemon):
    admin = AdminClient({"bootstrap.servers": daemon.address})
    create(daemon, "settings", config={"retention.ms": "1234567"})

    def shown(kind=ConfigResource.Type.TOPIC, name="settings"):
        resource = ConfigResource(kind, name)
        return {k: v.value for k, v in admin.describe_configs([resource])[resource].result(20).items()}

    settings = shown()
    same((settings["retention.ms"], settings["cleanup.policy"]), ("1234567", "delete"))
    change = ConfigResource(ConfigResource.Type.TOPIC, "settings", set_config={"cleanup.policy": "compact"})
    admin.alter_configs([change])[change].result(20)
    settings = shown()
    # This request sets all of a topic's settings: what it does not name is back at its default.
    same((settings["retention.ms"], settings["cleanup.policy"]), ("604800000", "compact"))
    bad = ConfigResource(ConfigResource.Type.TOPIC, "settings", set_config={"cleanup.policy": "burn"})
    error = refused("a bad value", admin.alter_configs([bad])[bad].result, KafkaException)
    same(codes(error), KafkaError.INVALID_CONFIG)
    broker = shown(ConfigResource.Type.BROKER, "1")
    same(broker["log.dirs"], daemon.dir)


def test_groups_are_listed(daemon):
    admin = AdminClient({"bootstrap.servers": daemon.address})
    member = Member(daemon, "listed", "commits", client_id="lister")
    until("it has all", lambda: balanced([member], 2))
    group = admin.list_groups("listed", 10)[0]
    same((group.id, group.state, group.protocol_type, group.protocol), ("listed", "Stable", "consumer", "range"))
    same([(m.client_id, m.client_host) for m in group.members], [("lister", "/127.0.0.1")])
    assert {"listed", "committer", "storer", "range"} <= {g.id for g in admin.list_groups(timeout=10)}
    member.leave()
    same(admin.list_groups("listed", 10)[0].state, "Empty")


if __name__ == "__main__":
    main(globals())
