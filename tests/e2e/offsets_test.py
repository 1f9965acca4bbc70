#!/usr/bin/python3
"""offsets_test.py -- committed offsets, and the groups that have nothing else:
how many, how large, and when they go.

Message by message, since clients commit as members do.  WEIR_LOGD names the daemon.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from claims import main, same, until
from raw_calls import client, drop, make

COMMIT_TOO_LARGE = 28
LONG = "g" * 255


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


# ---- when they go ----

def commit_for(c, group, topic, retention_ms, generation=-1, member=""):
    """As clients of old say it: with the time that the offsets are to be kept; -1: as the broker likes."""
    answer = c.ask("offset_commit", 4, group_id=group, generation_id_or_member_epoch=generation, member_id=member,
                   retention_time_ms=retention_ms, topics=[
                       {"name": topic, "partitions": [{"partition_index": 0, "committed_offset": 1}]}])
    same(answer["topics"][0]["partitions"][0]["error_code"], 0, "code of the commit")


def test_offsets_go_that_have_outlived_their_time(daemon):
    c = client(daemon)
    make(c, "timed")
    commit_for(c, "timed-short", "timed", 200)
    commit_for(c, "timed-long", "timed", 3600000)
    commit_for(c, "timed-else", "timed", -1)
    until("the end of a group", lambda: listed(c) == ["timed-else", "timed-long"])
    same([committed(c, g) for g in ("timed-else", "timed-long", "timed-short")], [1, 1, 0], "offsets")
    same(delete(c, "timed-else", "timed-long"), [0, 0], "codes of the deletion")
    c.close()


def test_a_group_with_members_keeps_its_offsets(daemon):
    c = client(daemon)
    commit_for(c, "alone", "timed", 200)
    joined = c.ask("join_group", 3, group_id="joined", session_timeout_ms=60000, rebalance_timeout_ms=60000, member_id="",
                   protocol_type="consumer", protocols=[{"name": "range", "metadata": b""}])
    member, generation = joined["member_id"], joined["generation_id"]
    c.ask("sync_group", 2, group_id="joined", generation_id=generation, member_id=member, assignments=[])
    commit_for(c, "joined", "timed", 200, generation, member)
    until("the end of another group", lambda: listed(c) == ["joined"])
    same(committed(c, "joined"), 1, "offsets")
    c.ask("leave_group", 1, group_id="joined", member_id=member)
    until("the end of its offsets", lambda: committed(c, "joined") == 0)
    same(delete(c, "joined"), [0], "code of the deletion")
    c.close()


def test_offsets_go_with_their_topic(daemon):
    c = client(daemon)
    make(c, "stays")
    make(c, "goes", 7000)
    # More than are looked at at a time, with groups that end at each of its ends.
    for i in range(4):
        same(commit(c, "goes-%d" % i, "goes", range(7000)), [0], "codes")
    for i in range(4):
        same(commit(c, "both-%d" % i, "goes", range(700)), [0], "codes")
        same(commit(c, "both-%d" % i, "stays"), [0], "codes")
    drop(c, "goes")
    both = ["both-%d" % i for i in range(4)]
    until("the end of four groups", lambda: listed(c) == both)
    make(c, "goes", 1)
    same([committed(c, g) for g in both], [1] * 4, "offsets that are left")
    drop(c, "stays")
    until("the end of the others", lambda: listed(c) == [])
    c.close()


if __name__ == "__main__":
    main(globals(), {"offsets.retention.check.interval.ms": 50}, seconds=120)
