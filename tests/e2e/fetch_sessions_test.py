#!/usr/bin/python3
"""fetch_sessions_test.py -- fetch sessions (KIP-227), rule by rule.

Message by message, as no client shows what it is told.  WEIR_LOGD names the daemon.
"""
import os
import select
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from claims import main, same, until
from raw_calls import batch, client, drop, ends, make, outcomes, receive, send_produce

BY_NAME, BY_ID = 12, 13
SLOTS = 3
FOREVER = 60000
OUT_OF_RANGE, UNKNOWN_TOPIC, NOT_FOUND, BAD_EPOCH, UNKNOWN_ID, INCONSISTENT_ID, OTHER_NAMES = 1, 3, 70, 71, 100, 103, 106


# ---- what is sent, and what of the answer matters ----

def topics(version, asked, what):
    """[(topic, [partition, ...]), ...], each partition by what()."""
    return [{"topic" if version < 13 else "topic_id": name, "partitions": [what(p) for p in partitions]}
            for name, partitions in asked]


def partition(p):
    """A number, or (number, fetch offset)."""
    number, offset = p if isinstance(p, tuple) else (p, 0)
    return {"partition": number, "fetch_offset": offset, "partition_max_bytes": 1 << 20}


def request(session, epoch, asked=(), forgotten=(), version=BY_NAME, max_wait_ms=0, **more):
    return {"replica_id": -1, "max_wait_ms": max_wait_ms, "min_bytes": 1, "session_id": session,
            "session_epoch": epoch, "topics": topics(version, asked, partition),
            "forgotten_topics_data": topics(version, forgotten, int), **more}


def fetch(c, *args, version=BY_NAME, **more):
    asked = request(*args, version=version, **more)
    if version > 14:
        del asked["replica_id"]
    return c.ask("fetch", version, **asked)


def told(answer):
    """(topic, partition, code, bytes of records?) in the order of the answer."""
    return [(t.get("topic", t.get("topic_id")), p["partition_index"], p["error_code"], len(p["records"]) > 0)
            for t in answer["responses"] for p in t["partitions"]]


def nothing(answer):
    same((answer["error_code"], told(answer)), (0, []), "answer")


def refused(answer, code):
    same((answer["error_code"], answer["responses"]), (code, []), "answer")


def begin(c, asked, **more):
    """A new session's id."""
    answer = fetch(c, 0, 0, asked, **more)
    same(answer["error_code"], 0, "code")
    assert answer["session_id"] > 0, answer["session_id"]
    return answer["session_id"]


def end(c, session, version=BY_NAME):
    same(fetch(c, session, -1, version=version)["session_id"], 0, "session")


def append(c, topic, *numbers):
    send_produce(c, topic, numbers, acks=-1)
    same([code for code, _ in outcomes(c.receive("produce", 7))], [0] * len(numbers), "codes")


def id_of(c, topic):
    return c.ask("metadata", 12, topics=[{"name": topic}])["topics"][0]["topic_id"]


def waiting(c):
    return not select.select([c.socket], [], [], 0)[0]


# ---- tests ----

def test_an_incremental_answer_holds_what_has_changed(daemon):
    c = client(daemon)
    make(c, "a", 2)
    make(c, "b", 2)
    answer = fetch(c, 0, 0, [("a", [0, 1]), ("b", [0, 1])])
    same(told(answer), [("a", 0, 0, False), ("a", 1, 0, False), ("b", 0, 0, False), ("b", 1, 0, False)], "the full answer")
    s = answer["session_id"]
    nothing(fetch(c, s, 1))
    append(c, "b", 0)
    same(told(fetch(c, s, 2)), [("b", 0, 0, True)], "after an append")
    # Records come again until the client goes on behind them; then its high watermark is known.
    same(told(fetch(c, s, 3)), [("b", 0, 0, True)], "the same again")
    nothing(fetch(c, s, 4, [("b", [(0, 1)])]))
    c.ask("delete_records", 2, timeout_ms=5000, topics=[{"name": "b", "partitions": [{"partition_index": 0, "offset": 1}]}])
    answer = fetch(c, s, 5)
    same(told(answer), [("b", 0, 0, False)], "after its front was deleted")
    same(answer["responses"][0]["partitions"][0]["log_start_offset"], 1, "log start")
    nothing(fetch(c, s, 6))
    end(c, s)
    c.close()


def test_partitions_are_added_changed_and_forgotten(daemon):
    c = client(daemon)
    make(c, "changed", 3)
    append(c, "changed", 0, 1, 2)
    s = begin(c, [("changed", [(0, 1)])])
    same(told(fetch(c, s, 1, [("changed", [(1, 1), (2, 1)])])), [("changed", 1, 0, False), ("changed", 2, 0, False)], "added")
    nothing(fetch(c, s, 2))
    same(told(fetch(c, s, 3, [("changed", [(0, 0)])])), [("changed", 0, 0, True)], "changed")
    nothing(fetch(c, s, 4, forgotten=[("changed", [0]), ("nowhere", [0])]))
    append(c, "changed", 0, 1)
    same(told(fetch(c, s, 5)), [("changed", 1, 0, True)], "without what was forgotten")
    # Changed and forgotten at once: forgotten.  Without partitions the session ends, and the request is a full one.
    answer = fetch(c, s, 6, [("changed", [0])], [("changed", [0, 1, 2])])
    same((answer["session_id"], told(answer)), (0, [("changed", 0, 0, True)]), "the last")
    refused(fetch(c, s, 7), NOT_FOUND)
    c.close()


def test_who_had_records_comes_last(daemon):
    c = client(daemon)
    make(c, "x", 3)
    make(c, "y", 1)
    s = begin(c, [("x", [0, 1, 2]), ("y", [0])])
    append(c, "x", 1)
    same(told(fetch(c, s, 1)), [("x", 1, 0, True)], "one")
    append(c, "x", 0, 2)
    append(c, "y", 0)
    same([p[:2] for p in told(fetch(c, s, 2))], [("x", 0), ("x", 2), ("y", 0), ("x", 1)], "all")
    # As one topic where they follow each other, as two where another is between.
    answer = fetch(c, s, 3)
    same([(t["topic"], len(t["partitions"])) for t in answer["responses"]], [("x", 2), ("y", 1), ("x", 1)], "topics")
    answer = fetch(c, s, 4, max_bytes=1)
    same([p[:2] for p in told(answer) if p[3]], [("x", 0)], "where one goes into the answer")
    same([p[:2] for p in told(fetch(c, s, 5, max_bytes=1)) if p[3]], [("x", 2)], "then")
    end(c, s)
    c.close()


def test_ids_and_epochs_are_checked(daemon):
    c, other = client(daemon), client(daemon)
    make(c, "epochs")
    s = begin(c, [("epochs", [0])])
    refused(fetch(c, s, 2), BAD_EPOCH)
    refused(fetch(c, s, -2), BAD_EPOCH)
    refused(fetch(c, s % 1000 + 1, 1), NOT_FOUND)
    refused(fetch(c, 0, 1), NOT_FOUND)
    refused(fetch(c, s, 1, version=BY_ID), OTHER_NAMES)
    # None of that has counted it up; and it is no connection's.
    nothing(fetch(other, s, 1))
    c.close()
    refused(fetch(other, s, 1), BAD_EPOCH)
    nothing(fetch(other, s, 2))
    # A full request with the id ends it, and begins another, or none.
    new = fetch(other, s, 0, [("epochs", [0])])
    same((new["session_id"] not in (0, s), told(new)), (True, [("epochs", 0, 0, False)]), "the new one")
    refused(fetch(other, s, 3), NOT_FOUND)
    answer = fetch(other, new["session_id"], -1, [("epochs", [0])])
    same((answer["session_id"], told(answer)), (0, [("epochs", 0, 0, False)]), "without")
    refused(fetch(other, new["session_id"], 1), NOT_FOUND)
    same(fetch(other, 0, -1, [("epochs", [0])])["session_id"], 0, "sessionless")
    other.close()


def test_old_versions_have_none(daemon):
    c = client(daemon)
    for version in 4, 6:
        same(c.ask("fetch", version, max_wait_ms=0, topics=topics(version, [("epochs", [0])], partition))["responses"][0]["topic"],
             "epochs", "topic")
    c.close()


def test_errors_are_told_while_they_last(daemon):
    c = client(daemon)
    make(c, "errors")
    append(c, "errors", 0)
    s = begin(c, [("errors", [(0, 1)]), ("nowhere", [0])])
    for epoch in 1, 2:
        same(told(fetch(c, s, epoch)), [("nowhere", 0, UNKNOWN_TOPIC, False)], "no such topic")
    make(c, "nowhere")
    same(told(fetch(c, s, 3)), [("nowhere", 0, 0, False)], "once it is there")
    same(told(fetch(c, s, 4, [("errors", [(0, 7)])])), [("errors", 0, OUT_OF_RANGE, False)], "too far")
    same(told(fetch(c, s, 5, [("errors", [(0, 1)])])), [("errors", 0, 0, False)], "back")
    nothing(fetch(c, s, 6))
    end(c, s)
    c.close()


def test_a_topic_made_anew_under_its_name(daemon):
    c = client(daemon)
    make(c, "phoenix")
    s = begin(c, [("phoenix", [0])])
    drop(c, "phoenix")
    same(told(fetch(c, s, 1)), [("phoenix", 0, UNKNOWN_TOPIC, False)], "gone")
    make(c, "phoenix")
    append(c, "phoenix", 0)
    same(told(fetch(c, s, 2)), [("phoenix", 0, 0, True)], "the new one")
    end(c, s)
    c.close()


def test_ids_of_topics(daemon):
    c = client(daemon)
    make(c, "byid", 2)
    first, never = id_of(c, "byid"), b"\x77" * 16
    for end_offset, version in enumerate((13, 17)):
        s = begin(c, [(first, [0, (1, end_offset)]), (never, [0])], version=version)
        same(told(fetch(c, s, 1, version=version)), [(never, 0, UNKNOWN_ID, False)], "an id that never was")
        nothing(fetch(c, s, 2, forgotten=[(never, [0])], version=version))
        refused(fetch(c, s, 3), OTHER_NAMES)
        append(c, "byid", 1)
        same(told(fetch(c, s, 3, version=version)), [(first, 1, 0, True)], "records")
        end(c, s, version)
    s = begin(c, [(first, [(0, 0), (1, 2)])], version=BY_ID)
    drop(c, "byid")
    same(told(fetch(c, s, 1, version=BY_ID)), [(first, n, UNKNOWN_TOPIC, False) for n in (0, 1)], "gone")
    make(c, "byid", 1)
    # Its name is another's by now, which has no second partition.
    same(told(fetch(c, s, 2, version=BY_ID)), [(first, 0, INCONSISTENT_ID, False), (first, 1, UNKNOWN_TOPIC, False)], "made anew")
    same(told(fetch(c, 0, -1, [(first, [0])], version=BY_ID)), [(first, 0, UNKNOWN_ID, False)], "without a session")
    end(c, s, BY_ID)
    c.close()


def test_a_fetch_waits_for_all_of_the_session(daemon):
    c, producer = client(daemon), client(daemon)
    make(c, "waits", 3)
    s = begin(c, [("waits", [0, 1, 2])])
    c.send("fetch", BY_NAME, **request(s, 1, max_wait_ms=FOREVER))
    ends(producer, "waits", 0)
    assert waiting(c)
    append(producer, "waits", 2)
    same(told(c.receive("fetch", BY_NAME)), [("waits", 2, 0, True)], "what came")
    end(c, s)
    c.close()
    producer.close()


def test_one_that_waits_survives_the_same_again_and_is_ended_by_the_next(daemon):
    c, other = client(daemon), client(daemon)
    make(c, "twice")
    s = begin(c, [("twice", [0])])
    c.send("fetch", BY_NAME, **request(s, 1, max_wait_ms=FOREVER))
    ends(other, "twice", 0)
    refused(fetch(other, s, 1), BAD_EPOCH)
    assert waiting(c)
    append(other, "twice", 0)
    same(told(c.receive("fetch", BY_NAME)), [("twice", 0, 0, True)], "the one that waited")
    c.send("fetch", BY_NAME, **request(s, 2, [("twice", [(0, 1)])], max_wait_ms=FOREVER))
    ends(other, "twice", 0)
    # What it waits for is no more the session's.
    same(told(fetch(other, s, 3, [("twice", [(0, 0)]), ("waits", [0])], [("twice", [0])])), [("waits", 0, 0, False)], "the next")
    answer = c.receive("fetch", BY_NAME)
    refused(answer, BAD_EPOCH)
    same(answer["session_id"], s, "session")
    end(other, s)
    # On one connection, too.
    s = begin(c, [("twice", [(0, 1)])])
    c.send("fetch", BY_NAME, **request(s, 1, max_wait_ms=FOREVER))
    c.send("fetch", BY_NAME, **request(s, 2))
    refused(receive(c, c.id - 1, "fetch", BY_NAME), BAD_EPOCH)
    nothing(c.receive("fetch", BY_NAME))
    end(c, s)
    c.close()
    other.close()


def test_one_that_waits_when_its_session_ends_is_answered(daemon):
    c, other = client(daemon), client(daemon)
    make(c, "ends", 2)
    s = begin(c, [("ends", [0, 1])])
    c.send("fetch", BY_NAME, **request(s, 1, max_wait_ms=FOREVER))
    ends(other, "ends", 0)
    end(other, s)
    answer = c.receive("fetch", BY_NAME)
    nothing(answer)
    same(answer["session_id"], s, "session")
    refused(fetch(c, s, 2), NOT_FOUND)
    # And when its connection ends, the session does not.
    s = begin(c, [("ends", [0, 1])])
    c.send("fetch", BY_NAME, **request(s, 1, max_wait_ms=FOREVER))
    ends(other, "ends", 0)
    c.close()
    append(other, "ends", 1)
    same(told(fetch(other, s, 2)), [("ends", 1, 0, True)], "the next")
    end(other, s)
    other.close()


def test_without_a_slot_all_goes_on_without(daemon):
    c = client(daemon)
    make(c, "slots", 3)
    held = [begin(c, [("slots", [0])]) for _ in range(SLOTS)]
    # None of them is old: a larger one is no reason.
    answer = fetch(c, 0, 0, [("slots", [0, 1, 2])])
    same((answer["session_id"], len(told(answer))), (0, 3), "session and partitions")
    nothing(fetch(c, held[0], 1))
    end(c, held.pop())
    held.append(begin(c, [("slots", [0])]))
    for s in held:
        end(c, s)
    c.close()


def test_very_many_partitions_go_on_without(daemon):
    c = client(daemon)
    numbers = list(range(50001))
    same(fetch(c, 0, 0, [("slots", numbers)])["session_id"], 0, "session")
    s = begin(c, [("slots", numbers[:50000])])
    same(len(told(fetch(c, s, 1))), 50000 - 3, "partitions that are not there")
    refused(fetch(c, s, 2, [("slots", [50000])]), NOT_FOUND)
    refused(fetch(c, s, 3), NOT_FOUND)
    c.close()


def test_what_is_counted(daemon):
    c = client(daemon)
    s = begin(c, [("slots", [0, 1])])
    daemon.signal(signal.SIGUSR1)
    until("the counters", lambda: "incremental_fetch_sessions=1 incremental_fetch_partitions_cached=2" in daemon.said())
    end(c, s)
    c.close()


if __name__ == "__main__":
    main(globals(), {"max.incremental.fetch.session.cache.slots": SLOTS})
