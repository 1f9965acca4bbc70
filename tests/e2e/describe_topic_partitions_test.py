#!/usr/bin/python3
"""describe_topic_partitions_test.py -- topics in pages.  WEIR_LOGD names the daemon."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from claims import main, same
from raw_calls import client, make

NODE, UNKNOWN_TOPIC, INVALID_TOPIC, BAD_REQUEST = 4, 3, 17, 42
MOST = 5 # max.request.partition.size.limit
MADE = {"b": 3, "a-long": 2, "c": 4, "B": 1}


def ask(c, names=(), cursor=None, **more):
    if cursor is not None:
        cursor = {"topic_name": cursor[0], "partition_index": cursor[1]}
    return c.ask("describe_topic_partitions", 0, topics=[{"name": n} for n in names], cursor=cursor, **more)


def told(answer):
    """[(topic, code, [partition, ...])], and the cursor."""
    cursor = answer["next_cursor"]
    return ([(t["name"], t["error_code"], [p["partition_index"] for p in t["partitions"]]) for t in answer["topics"]],
            cursor and (cursor["topic_name"], cursor["partition_index"]))


def all_pages(c, names=(), **more):
    pages, cursor = [], None
    while True:
        page, cursor = told(ask(c, names, cursor, **more))
        pages.append(page)
        if cursor is None:
            return pages


def test_a_topic_is_told_as_metadata_tells_it(daemon):
    c = client(daemon)
    for name, n in MADE.items():
        make(c, name, n)
    answer = ask(c, ["c"])
    same(answer["next_cursor"], None, "cursor")
    topic, other = answer["topics"][0], c.ask("metadata", 12, topics=[{"name": "c"}], include_topic_authorized_operations=True)["topics"][0]
    for field in "error_code", "name", "topic_id", "is_internal", "topic_authorized_operations":
        same(topic[field], other[field], field)
    same(topic["topic_authorized_operations"] > 0, True, "operations")
    for p, q in zip(topic["partitions"], other["partitions"], strict=True):
        same({k: p[k] for k in q}, q, "partition")
        same((p["leader_id"], p["replica_nodes"], p["eligible_leader_replicas"], p["last_known_elr"]),
             (NODE, [NODE], [], []), "who leads")
    c.close()


def test_all_topics_come_in_the_order_of_their_names(daemon):
    c = client(daemon)
    # A page ends where it is full, or before the topic that would begin behind it.
    same(all_pages(c), [[("B", 0, [0]), ("a-long", 0, [0, 1]), ("b", 0, [0, 1])],
                        [("b", 0, [2]), ("c", 0, [0, 1, 2, 3])]], "as much as the broker gives")
    same(all_pages(c, response_partition_limit=3), [[("B", 0, [0]), ("a-long", 0, [0, 1])],
         [("b", 0, [0, 1, 2])], [("c", 0, [0, 1, 2])], [("c", 0, [3])]], "three at a time")
    same(len(all_pages(c, response_partition_limit=0)), 10, "one at a time is the least")
    same(len(all_pages(c, response_partition_limit=-7)), 10, "one at a time is the least")
    same(told(ask(c, cursor=("bb", 2))), ([("c", 0, [0, 1, 2, 3])], None), "from a topic that is not there")
    same(told(ask(c, cursor=("c", 9))), ([("c", 0, [])], None), "from a partition that is not there")
    same(told(ask(c, cursor=("d", 0))), ([], None), "from behind the last")
    c.close()


def test_named_topics_come_in_order_and_once(daemon):
    c = client(daemon)
    same(told(ask(c, ["c", "nowhere", "b", "b/d", "c"], response_partition_limit=4)),
         ([("b", 0, [0, 1, 2]), ("b/d", INVALID_TOPIC, []), ("c", 0, [0])], ("c", 1)), "first page")
    same(told(ask(c, ["c", "nowhere", "b", "b/d", "c"], ("c", 1))),
         ([("c", 0, [1, 2, 3]), ("nowhere", UNKNOWN_TOPIC, [])], None), "second page")
    same(told(ask(c, ["b", "nowhere"], response_partition_limit=3)), ([("b", 0, [0, 1, 2])], ("nowhere", 0)), "full")
    c.close()


def test_a_cursor_that_can_not_be_is_refused(daemon):
    c = client(daemon)
    same(told(ask(c, ["b", "c"], ("b", -1))), ([("b", BAD_REQUEST, []), ("c", BAD_REQUEST, [])], None), "a negative partition")
    same(told(ask(c, ["b"], ("c", 0))), ([("b", BAD_REQUEST, [])], None), "another topic's")
    same(told(ask(c, cursor=("b", -1))), ([], None), "of all topics")
    c.close()


if __name__ == "__main__":
    main(globals(), {"node.id": NODE, "max.request.partition.size.limit": MOST})
