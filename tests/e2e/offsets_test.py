#!/usr/bin/python3
"""offsets_test.py -- committed offsets, and the groups that have nothing else:
how many, how large, and when they go.

Message by message, since clients commit as members do.  WEIR_LOGD names the daemon.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import raw_client
from claims import main, same, until

COMMIT_TOO_LARGE = 28
LONG = "g" * 255


def client(daemon):
    return raw_client.Client(daemon.host, daemon.port, 60)


def make(c, name, partitions=1):
    answer = c.ask("create_topics", 7, topics=[{"name": name, "num_partitions": partitions, "replication_factor": 1}])
    same(answer["topics"][0]["error_code"], 0, "code of the creation")


def drop(c, name):
    same(c.ask("delete_topics", 5, topic_names=[name])["responses"][0]["error_code"], 0, "code of the deletion")


def commit(c, group, topic, numbers=(0,), metadata=""):
    """The codes that a commit is answered with, each once."""
    answer = c.ask("offset_commit", 8, group_id=group, topics=[{"name": topic, "partitions": [
        {"partition_index": n, "committed_offset": n, "committed_metadata": metadata} for n in numbers]}])
    return sorted({p["error_code"] for p in answer["topics"][0]["partitions"]})


def committed(c, group):
    """How many offsets a group has."""
    topics = c.ask("offset_fetch", 8, groups=[{"group_id": group, "topics": None}])["groups"][0]["topics"]
    return sum(len(t["partitions"]) for t in topics)


def listed(c):
    return sorted(g["group_id"] for g in c.ask("list_groups", 4)["groups"])


def delete(c, *groups):
    return [r["error_code"] for r in c.ask("delete_groups", 2, groups_names=groups)["results"]]


def test_a_commit_that_is_too_large_says_so(daemon):
    c = client(daemon)
    make(c, "wide", 6000)
    same(commit(c, "large", "wide", range(6000), "m" * 4000), [COMMIT_TOO_LARGE], "codes of 24 MB")
    same((listed(c), committed(c, "large")), ([], 0), "what is there of it")
    same(commit(c, "large", "wide", range(3000), "m" * 4000), [0], "codes of 12 MB")
    same((delete(c, "large"), listed(c)), ([0], []), "its deletion")
    drop(c, "wide")
    c.close()


def test_groups_with_more_offsets_than_a_batch_holds_are_deleted(daemon):
    c = client(daemon)
    make(c, "wider", 60000)
    for first in 0, 30000:
        same(commit(c, LONG, "wider", range(first, first + 30000)), [0], "codes")
    for i in range(50):
        commit(c, "small-%d" % i, "wider", [i])
    same(committed(c, LONG), 60000, "offsets")
    same(delete(c, "absent", LONG, *["small-%d" % i for i in range(50)]), [69] + [0] * 51, "codes of the deletion")
    same((listed(c), committed(c, LONG), committed(c, "small-7")), ([], 0, 0), "what is left")
    drop(c, "wider")
    c.close()


if __name__ == "__main__":
    main(globals(), {}, seconds=120)
