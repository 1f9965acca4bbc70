#!/usr/bin/python3
"""bounds_test.py -- no request takes more than its due: of the answers, of the
daemon's time, of its memory.

Message by message, since no client asks like this.  Nothing here looks at a
clock: what is asserted is the order of what is seen.  WEIR_LOGD names the daemon.
"""
import os
import re
import select
import socket
import struct
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from batches import record
from claims import Skip, main, same, until
from raw_calls import batch, client, drop, ends, framed, gzipped, make, outcomes, receive, send_produce

MANY = 5000
HEAVY = 60 << 20 # a compressed record that takes a thread a while; larger ones are refused from 64 MiB on
TOPIC, BROKER = 2, 4
ITEMS = 10000
TIMED_OUT, UNKNOWN_TOPIC, INVALID_TOPIC, BAD_PARTITIONS, BAD_REQUEST = 7, 3, 17, 37, 42
TOO_LARGE, INVALID_RECORD = 10, 87


# ---- what is sent ----

def produce(c, topic, numbers):
    send_produce(c, topic, numbers)
    return outcomes(c.receive("produce", 7))


def let_rounds_pass(c, topic):
    """As many rounds of the daemon's loop as a long produce would take."""
    for _ in range(MANY // 64 + 10):
        ends(c, topic, 0)


def has_answer(c):
    return bool(select.select([c.socket], [], [], 0)[0])


# ---- what is named more than once ----

def test_offset_fetch_answers_once_what_is_named_again(daemon):
    c = client(daemon)
    make(c, "committed", 2)
    committed = [{"name": "committed", "partitions": [
        {"partition_index": n, "committed_offset": 5 + n, "committed_metadata": "m" * 4000} for n in (0, 1)]}]
    for group in "a", "b":
        c.ask("offset_commit", 8, group_id=group, topics=committed)

    def told(topics):
        return [(p["partition_index"], p["committed_offset"], len(p["metadata"])) for t in topics for p in t["partitions"]]

    both = [(0, 5, 4000), (1, 6, 4000)]
    again = [{"name": "committed", "partition_indexes": [0, 0, 1, 0]}, {"name": "committed", "partition_indexes": [1, 0] * 1000}]
    same(told(c.ask("offset_fetch", 7, group_id="a", topics=again)["topics"]), both, "v7")
    groups = c.ask("offset_fetch", 8, groups=[{"group_id": g, "topics": again} for g in ("a", "b", "a")])["groups"]
    same([(g["group_id"], told(g["topics"])) for g in groups], [("a", both), ("b", both)], "v8")
    absent = c.ask("offset_fetch", 7, group_id="a", topics=[{"name": "committed", "partition_indexes": [7]},
                                                            {"name": "absent", "partition_indexes": [0]}])
    same(told(absent["topics"]), [(7, -1, 0), (0, -1, 0)], "what is not there")
    c.close()


def test_offset_fetch_tells_all_of_many_groups(daemon):
    c = client(daemon)
    names = ["group-%03d" % i for i in range(50)]
    make(c, "of-many", 1)
    for name in names:
        c.ask("offset_commit", 8, group_id=name, topics=[
            {"name": "of-many", "partitions": [{"partition_index": 0, "committed_offset": 9, "committed_metadata": name}]}])
    groups = c.ask("offset_fetch", 8, groups=[{"group_id": g, "topics": None} for g in ["absent", *names]])["groups"]
    same([(g["group_id"], [(t["name"], [p["metadata"] for p in t["partitions"]]) for t in g["topics"]]) for g in groups],
         [("absent", [])] + [(n, [("of-many", [n])]) for n in names], "the offsets")
    c.close()


def test_log_dirs_tells_once_what_is_named_again(daemon):
    c = client(daemon)
    make(c, "sized", 2)
    again = [{"topic": "sized", "partitions": [1, 1, 0] * 1000}, {"topic": "sized", "partitions": [0, 1]}]
    told = c.ask("describe_log_dirs", 4, topics=again)["results"][0]["topics"]
    same([(t["name"], [p["partition_index"] for p in t["partitions"]]) for t in told], [("sized", [1, 0])], "the sizes")
    c.close()


def test_list_offsets_refuses_what_is_named_again(daemon):
    c = client(daemon)
    for name in "left-hand", "right-hand":
        make(c, name, 1500)
    named = [("left-hand", [*range(1500), 0, 511, 512]), ("right-hand", [512, 0, 1024, 511, 0, 1023, 1024]),
             ("left-hand", [1499, 1500, 1500])]
    answer = c.ask("list_offsets", 1, replica_id=-1, topics=[
        {"name": t, "partitions": [{"partition_index": n, "timestamp": -1} for n in numbers]} for t, numbers in named])
    same([[p["error_code"] for p in t["partitions"]] for t in answer["topics"]],
         [[0] * 1500 + [BAD_REQUEST] * 3, [0] * 4 + [BAD_REQUEST, 0, BAD_REQUEST], [BAD_REQUEST, UNKNOWN_TOPIC, UNKNOWN_TOPIC]], "codes")
    c.close()


def test_find_coordinator_answers_once_what_is_named_again(daemon):
    c = client(daemon)
    told = c.ask("find_coordinator", 4, key_type=0, coordinator_keys=["x", "y"] * 1000)["coordinators"]
    same([t["key"] for t in told], ["x", "y"], "the coordinators")
    c.close()


# ---- what is made ----

def test_one_request_makes_so_many_partitions_at_most(daemon):
    c = client(daemon)
    answer = c.ask("create_topics", 7, validate_only=True, topics=[
        {"name": "large-%d" % i, "num_partitions": 60000, "replication_factor": 1} for i in range(3)])
    same([t["error_code"] for t in answer["topics"]], [0, BAD_PARTITIONS, BAD_PARTITIONS], "created")
    assert "100000" in answer["topics"][1]["error_message"], answer["topics"][1]["error_message"]
    for name in "grown-0", "grown-1":
        make(c, name)
    answer = c.ask("create_partitions", 3, validate_only=True, topics=[
        {"name": "grown-%d" % i, "count": 60000, "assignments": None} for i in range(2)])
    same([t["error_code"] for t in answer["results"]], [0, BAD_PARTITIONS], "added")
    c.close()


def test_one_request_names_so_many_items_at_most(daemon):
    """The bound of the APIs that judge each item by itself; nothing of what is refused has happened."""
    topics = lambda n, **more: {"topics": [{"name": "item-%d" % i, **more} for i in range(n)]}
    resources = lambda n: {"resources": [{"resource_type": TOPIC, "resource_name": "item-%d" % i} for i in range(n)]}
    one_topic = lambda n, **each: {"name": "items", "partitions": [{"partition_index": i, **each} for i in range(n)]}
    asked = {
        "create_topics": (7, lambda n: topics(n, num_partitions=1, replication_factor=1)),
        "delete_topics": (5, lambda n: {"topic_names": ["item-%d" % i for i in range(n)]}),
        "create_partitions": (1, lambda n: topics(n, count=2, assignments=None)),
        "describe_configs": (1, resources),
        "alter_configs": (1, resources),
        "incremental_alter_configs": (0, resources),
        "delete_records": (1, lambda n: {"topics": [one_topic(n, offset=0)]}),
        "list_transactions": (1, lambda n: {"producer_id_filters": list(range(n)), "duration_filter": -1}),
        "write_txn_markers": (1, lambda n: {"markers": [{"producer_id": 1, "topics": [
            {"name": "items", "partition_indexes": list(range(n))}]}]}),
    }
    for name, (version, fields) in asked.items():
        c = client(daemon)
        same(c.ask(name, version, **fields(ITEMS + 1)), None, f"the answer to {name} with too many")
        c.close()
        until(f"a line for {name}", lambda n=name: re.search(rf"{n} with \d+ items; at most {ITEMS} in one request", daemon.said()))
        if name != "create_topics": # which takes its time
            c = client(daemon)
            # A topic with partitions may count as one, too.
            same(c.ask(name, version, **fields(ITEMS - 2)) is None, False, f"{name} with as many as may be has no answer")
            c.close()
    c = client(daemon)
    same([t["name"] for t in c.ask("metadata", 9, topics=None)["topics"] if t["name"].startswith("item-")], [], "topics")
    c.close()


def test_metadata_makes_a_hundred_topics_at_a_time(daemon):
    c = client(daemon)
    names = ["auto-%03d" % i for i in range(150)]

    def ask():
        answer = c.ask("metadata", 9, topics=[{"name": n} for n in names], allow_auto_topic_creation=True)
        return [t["error_code"] for t in answer["topics"]]

    same(ask(), [0] * 100 + [UNKNOWN_TOPIC] * 50, "at first")
    same(ask(), [0] * 150, "asked again")
    c.close()


def test_names_of_kafkas_own_topics_are_refused(daemon):
    c = client(daemon)
    names = ["__consumer_offsets", "__transaction_state"]
    made = c.ask("create_topics", 7, topics=[{"name": n, "num_partitions": 1, "replication_factor": 1} for n in names])["topics"]
    same([t["error_code"] for t in made], [INVALID_TOPIC] * 2, "created")
    for topic in made:
        assert topic["name"] in topic["error_message"], topic["error_message"]
    asked = c.ask("metadata", 9, topics=[{"name": n} for n in names], allow_auto_topic_creation=True)["topics"]
    same([t["error_code"] for t in asked], [INVALID_TOPIC] * 2, "by automatic creation")
    make(c, "_schemas")
    make(c, "__others")
    everything = [t["name"] for t in c.ask("metadata", 9, topics=None)["topics"]]
    same([n in everything for n in [*names, "_schemas", "__others"]], [False, False, True, True], "what is there")
    c.close()


# ---- long work ----

def test_others_are_served_while_a_produce_to_many_partitions_is_under_way(daemon):
    producer, other = client(daemon), client(daemon)
    make(other, "wide", MANY)
    send_produce(producer, "wide", range(MANY))
    send_produce(producer, "wide", [MANY - 1])
    until("the first append", lambda: ends(other, "wide", 0) == [1])
    same((produce(other, "wide", [MANY - 1]), has_answer(producer)), ([(0, 0)], False), "another connection's record, before the last")
    same(outcomes(receive(producer, 1, "produce", 7)), [(0, 0)] * (MANY - 1) + [(0, 1)], "the long one")
    same(outcomes(receive(producer, 2, "produce", 7)), [(0, 2)], "the one behind it")
    drop(other, "wide")
    producer.close()
    other.close()


def test_a_produce_without_an_answer_keeps_its_order(daemon):
    c = client(daemon)
    make(c, "unanswered", 1000)
    send_produce(c, "unanswered", range(1000), acks=0)
    same(produce(c, "unanswered", range(1000)), [(0, 1)] * 1000, "the one behind it")
    drop(c, "unanswered")
    c.close()


def test_what_was_not_begun_ends_with_its_connection(daemon):
    producer, other = client(daemon), client(daemon)
    make(other, "left", MANY)
    send_produce(producer, "left", range(MANY))
    until("the first append", lambda: ends(other, "left", 0) == [1])
    # A reset, not a mere end of what is sent.
    producer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    producer.close()
    let_rounds_pass(other, "left")
    same(produce(other, "left", [0, MANY - 1]), [(0, 1), (0, 0)], "another connection's records")
    drop(other, "left")
    other.close()


def test_a_produce_that_is_out_of_time_begins_no_more(daemon):
    c = client(daemon)
    make(c, "late", MANY)
    send_produce(c, "late", range(MANY), acks=-1, timeout_ms=1)
    codes = [code for code, _ in outcomes(c.receive("produce", 7))]
    same((len(codes), codes[-1]), (MANY, TIMED_OUT), "codes")
    let_rounds_pass(c, "late")
    same(produce(c, "late", [0, MANY - 1]), [(0, 1), (0, 0)], "the next records")
    drop(c, "late")
    c.close()


# ---- compressed batches ----

def produce_batch(c, topic, records):
    send_produce(c, topic, [0], records=records)
    return outcomes(c.receive("produce", 7))[0][0]


def test_a_batch_that_would_poison_consumers_is_refused(daemon):
    c = client(daemon)
    make(c, "poison")
    whole = zlib.compress(record(0, b"value"))
    told = [produce_batch(c, "poison", framed(bytes_, 1)) for bytes_ in
            (b"this is no gzip", whole[:-1], whole + b"x", zlib.compress(b""), zlib.compress(record(0, b"v") * 2))]
    same((told, ends(c, "poison", 0)), ([INVALID_RECORD] * 5, [0]), "codes, and where it ends")
    same(produce_batch(c, "poison", gzipped(b"\0" * (65 << 20))), TOO_LARGE, "one that inflates beyond the bound")
    same(produce_batch(c, "poison", framed(whole, 1)), 0, "a sound one")
    c.close()


def test_others_are_served_while_compressed_batches_are_looked_into(daemon):
    producer, other = client(daemon), client(daemon)
    make(other, "heavy", 8)
    send_produce(producer, "heavy", range(8), records=gzipped(b"\0" * HEAVY))
    send_produce(producer, "heavy", [7])
    same((produce(other, "heavy", [7]), has_answer(producer)), ([(0, 0)], False), "another connection's record")
    same(outcomes(receive(producer, 1, "produce", 7)), [(0, 0)] * 7 + [(0, 1)], "the long one")
    same(outcomes(receive(producer, 2, "produce", 7)), [(0, 2)], "the one behind it")

    asked = {"timestamp": 0}
    producer.send("list_offsets", 1, replica_id=-1, topics=[
        {"name": "heavy", "partitions": [{"partition_index": n, **asked} for n in range(8)]}])
    same((ends(other, "heavy", 7), has_answer(producer)), ([3], False), "others beside a look-up")
    found = producer.receive("list_offsets", 1)["topics"][0]["partitions"]
    same([(p["error_code"], p["offset"]) for p in found], [(0, 0)] * 8, "what is looked up")
    drop(other, "heavy")
    producer.close()
    other.close()


def test_what_is_looked_into_ends_with_its_connection(daemon):
    producer, other = client(daemon), client(daemon)
    make(other, "unread", 8)
    send_produce(producer, "unread", range(8), records=gzipped(b"\0" * HEAVY))
    same(produce(other, "unread", [7]), [(0, 0)], "another connection's record")
    producer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    producer.close()
    # The threads that look are as many as a request may have: behind these, its own have ended.
    send_produce(other, "unread", range(8), records=gzipped(b"\0" * HEAVY))
    same(outcomes(other.receive("produce", 7)), [(0, 0)] * 7 + [(0, 1)], "another connection's batches")
    drop(other, "unread")
    other.close()


# ---- memory ----

def fetch(c, topic, min_bytes=1, max_wait_ms=0):
    c.send("fetch", 11, max_wait_ms=max_wait_ms, min_bytes=min_bytes, max_bytes=50 << 20, topics=[
        {"topic": topic, "partitions": [{"partition": 0, "fetch_offset": 0, "partition_max_bytes": 50 << 20}]}])


def fetched(c, number=None):
    answer = receive(c, number or c.id, "fetch", 11)["responses"][0]["partitions"][0]
    same(answer["error_code"], 0, "code of the fetch")
    return len(answer["records"])


def limit_answers(c, value):
    answer = c.ask("incremental_alter_configs", 1, resources=[{"resource_type": BROKER, "resource_name": "1", "configs": [
        {"name": "weir.queued.max.response.bytes", "config_operation": 0 if value else 1, "value": value}]}])
    same(answer["responses"][0]["error_code"], 0, "code of the alteration")


def test_fetches_keep_to_the_memory_for_answers(daemon):
    c = client(daemon)
    make(c, "bulk")
    value = b"x" * 200000
    size, limit = len(batch(value)), 1 << 20
    for _ in range(20):
        send_produce(c, "bulk", [0], value=value)
        c.receive("produce", 7)
    fetch(c, "bulk")
    same(fetched(c), 20 * size, "without a limit that counts")
    limit_answers(c, str(limit))
    try:
        fetch(c, "bulk")
        same(fetched(c), limit // size * size, "with one")
        fetch(c, "bulk", min_bytes=2 * limit, max_wait_ms=600000)
        same(fetched(c), limit // size * size, "where more is waited for than there may be")

        # One that takes none of its answers fills the memory.
        greedy = client(daemon)
        for _ in range(100):
            fetch(greedy, "bulk")

        def ask():
            fetch(c, "bulk")
            return fetched(c)

        until("a fetch with a single batch", lambda: ask() == size)
        fetch(c, "bulk", min_bytes=2 * limit, max_wait_ms=600000)
        same(fetched(c) >= size, True, "something is had without room, too")
        greedy.close()
    finally:
        limit_answers(c, None)
    until("memory", lambda: ask() == 20 * size)
    c.close()


def memory(daemon):
    """The daemon's own, in bytes: what it has not given back to the system."""
    with open(f"/proc/{daemon.process.pid}/smaps_rollup") as f:
        return int(re.search(r"^Pss_Anon: +(\d+) kB", f.read(), re.M)[1]) * 1024


def test_memory_that_requests_took_goes_back_at_rest(daemon):
    with open(f"/proc/{daemon.process.pid}/maps") as f:
        if re.search(r"lib[at]san", f.read()):
            raise Skip("a sanitizer keeps memory by itself")
    c = client(daemon)
    make(c, "large", 40)
    send_produce(c, "large", range(40), value=b"x" * 500000)
    c.receive("produce", 7)
    high = memory(daemon)
    same(high > 16 << 20, True, "memory is kept for the next")
    until("it goes back", lambda: memory(daemon) < high / 2)
    drop(c, "large")
    c.close()


if __name__ == "__main__":
    main(globals(), {"group.initial.rebalance.delay.ms": 0}, seconds=120)
