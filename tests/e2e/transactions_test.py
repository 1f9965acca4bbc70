#!/usr/bin/python3
"""transactions_test.py -- transactions, request by request (KIP-98, KIP-360, KIP-447).  WEIR_LOGD names the daemon."""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import weir_daemon
from batches import batch as made
from claims import finish, options, run, same, until
from raw_calls import client, ends, make

COMMITTED = 1
TRANSACTIONAL, CONTROL = 0x10, 0x20
SETTINGS = {"num.partitions": 1, "transaction.max.timeout.ms": 60000}

OUT_OF_ORDER = 45
(INVALID_REQUEST, INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, INVALID_PRODUCER_ID_MAPPING, INVALID_TRANSACTION_TIMEOUT,
 CONCURRENT_TRANSACTIONS, OPERATION_NOT_ATTEMPTED, UNSTABLE_OFFSET_COMMIT, PRODUCER_FENCED,
 TRANSACTIONAL_ID_NOT_FOUND, TRANSACTION_ABORTABLE) = 42, 47, 48, 49, 50, 51, 55, 88, 90, 105, 120


def batch(value, pid, epoch, sequence, attributes=TRANSACTIONAL):
    """One record."""
    return made([value], pid=pid, epoch=epoch, sequence=sequence, attributes=attributes, ms=1)


class Producer:
    """A producer with a transactional id, whose every request can be sent out of turn."""

    def __init__(self, c, name, timeout_ms=60000):
        self.c, self.name, self.sequences = c, name, {}
        answer = until("producer id", lambda: self.init(timeout_ms=timeout_ms))
        self.pid, self.epoch = answer

    def init(self, version=4, timeout_ms=60000, pid=-1, epoch=-1):
        a = self.c.ask("init_producer_id", version, transactional_id=self.name, transaction_timeout_ms=timeout_ms,
                       producer_id=pid, producer_epoch=epoch)
        if a["error_code"] == CONCURRENT_TRANSACTIONS:
            return None
        same(a["error_code"], 0, "code of InitProducerId")
        return a["producer_id"], a["producer_epoch"]

    def me(self):
        return {"transactional_id": self.name, "producer_id": self.pid, "producer_epoch": self.epoch}

    def add(self, topic, *numbers, version=3):
        a = self.c.ask("add_partitions_to_txn", version, **self.me(),
                       topics=[{"name": topic, "partitions": list(numbers)}])
        return [p["error_code"] for p in a["results"][0]["results"]]

    def add_group(self, group, version=3):
        return self.c.ask("add_offsets_to_txn", version, **self.me(), group_id=group)["error_code"]

    def send(self, topic, number, value, version=9, attributes=TRANSACTIONAL, sequence=None):
        key = (topic, number)
        if sequence is None:
            sequence = self.sequences.get(key, 0)
            self.sequences[key] = sequence + 1
        a = self.c.ask("produce", version, transactional_id=self.name, acks=-1, timeout_ms=10000, topic_data=[
            {"name": topic, "partition_data": [
                {"index": number, "records": batch(value, self.pid, self.epoch, sequence, attributes)}]}])
        p = a["responses"][0]["partition_responses"][0]
        return p["error_code"]

    def commit_offset(self, group, topic, offset, version=3, **member):
        a = self.c.ask("txn_offset_commit", version, **self.me(), group_id=group, **member, topics=[
            {"name": topic, "partitions": [{"partition_index": 0, "committed_offset": offset,
                                            "committed_metadata": "note"}]}])
        return a["topics"][0]["partitions"][0]["error_code"]

    def end(self, commit, version=3):
        return self.c.ask("end_txn", version, **self.me(), committed=commit)["error_code"]

    def end_v2(self, commit):
        """Goes on as the answer says (KIP-890)."""
        a = self.c.ask("end_txn", 5, **self.me(), committed=commit)
        if a["error_code"] == 0:
            self.pid, self.epoch, self.sequences = a["producer_id"], a["producer_epoch"], {}
        return a["error_code"]


def fetch(c, topic, isolation, offset=0, number=0, version=11):
    a = c.ask("fetch", version, replica_id=-1, max_wait_ms=0, min_bytes=0, max_bytes=1 << 20, isolation_level=isolation,
              session_id=0, session_epoch=-1, topics=[{"topic": topic, "partitions": [
                  {"partition": number, "current_leader_epoch": -1, "fetch_offset": offset, "log_start_offset": -1,
                   "partition_max_bytes": 1 << 20}]}])
    return a["responses"][0]["partitions"][0]


def batches(records):
    """(base offset, attributes, producer id, epoch, the records' bytes) of each batch."""
    while records:
        base, length = struct.unpack_from(">qi", records)
        attributes, = struct.unpack_from(">h", records, 21)
        pid, epoch = struct.unpack_from(">qh", records, 43)
        yield base, attributes, pid, epoch, records[61:12 + length]
        records = records[12 + length:]


def committed(c, topic, number=0):
    """The values that a reader of what is committed takes, as Kafka's consumer does it."""
    offset, aborted, values = 0, set(), []
    while True:
        p = fetch(c, topic, COMMITTED, offset, number)
        same(p["error_code"], 0, "code of the fetch")
        if not p["records"]:
            return values
        begin = sorted((t["first_offset"], t["producer_id"]) for t in p["aborted_transactions"])
        for offset, attributes, pid, _, body in batches(p["records"]):
            while begin and begin[0][0] <= offset:
                aborted.add(begin.pop(0)[1])
            if attributes & CONTROL:
                if not is_commit(body):
                    aborted.discard(pid)
            elif not (attributes & TRANSACTIONAL and pid in aborted):
                values.append(bytes(body[6:-1]))
        offset += 1  # every batch here has one record


def is_commit(body):
    """A control record's key: version, type."""
    return struct.unpack_from(">h", body, 7)[0] == 1


def stable(c, topic, number=0):
    a = c.ask("list_offsets", 5, replica_id=-1, isolation_level=COMMITTED, topics=[
        {"name": topic, "partitions": [{"partition_index": number, "current_leader_epoch": -1, "timestamp": -1}]}])
    return a["topics"][0]["partitions"][0]["offset"]


def offset_of(c, group, topic, require_stable=False):
    a = c.ask("offset_fetch", 7, group_id=group, topics=[{"name": topic, "partition_indexes": [0]}],
              require_stable=require_stable)
    p = a["topics"][0]["partitions"][0]
    return p["error_code"] or p["committed_offset"]


def test_what_is_committed_is_seen_at_once_and_what_is_open_is_not(daemon):
    c = client(daemon)
    make(c, "seen", 2)
    p = Producer(c, "seen")
    same(p.add("seen", 0, 1), [0, 0], "codes of the addition")
    same([p.send("seen", 0, b"a"), p.send("seen", 1, b"b"), p.send("seen", 0, b"c")], [0, 0, 0], "codes")
    same(committed(c, "seen"), [], "what is committed while it is open")
    same((stable(c, "seen"), ends(c, "seen", 0)[0]), (0, 2), "last stable offset and high watermark")
    same(fetch(c, "seen", 0)["last_stable_offset"], 0, "last stable offset in an answer")
    same(p.end(True), 0, "code of the end")
    same((committed(c, "seen"), committed(c, "seen", 1)), ([b"a", b"c"], [b"b"]), "what is committed")
    same(stable(c, "seen"), 3, "last stable offset: behind the marker")
    c.close()


def test_what_is_aborted_is_told_to_those_who_ask_for_what_is_committed(daemon):
    c = client(daemon)
    make(c, "aborted")
    p, q = Producer(c, "aborted-p"), Producer(c, "aborted-q")
    for x in p, q:
        same(x.add("aborted", 0), [0], "code of the addition")
    same([p.send("aborted", 0, b"p0"), q.send("aborted", 0, b"q0"), p.send("aborted", 0, b"p1")], [0] * 3, "codes")
    same(p.end(False), 0, "code of the abort")
    same((committed(c, "aborted"), stable(c, "aborted")), ([], 1), "behind an abort, before an open one")
    same(q.end(True), 0, "code of the commit")
    same(committed(c, "aborted"), [b"q0"], "what is committed")
    a = fetch(c, "aborted", COMMITTED)["aborted_transactions"]
    same(a, [{"producer_id": p.pid, "first_offset": 0}], "aborted transactions")
    same(fetch(c, "aborted", COMMITTED, offset=4)["aborted_transactions"], [], "behind the abort's marker")
    same(fetch(c, "aborted", 0)["aborted_transactions"], None, "for those who read all")
    markers = [(b[1], b[2], is_commit(b[4])) for b in batches(fetch(c, "aborted", 0)["records"]) if b[1] & CONTROL]
    same(markers, [(CONTROL | TRANSACTIONAL, p.pid, False), (CONTROL | TRANSACTIONAL, q.pid, True)], "markers")
    same(p.add("aborted", 0), [0], "code of the addition")
    same(p.send("aborted", 0, b"p2"), 0, "code")
    same(p.end(True), 0, "code of the commit")
    same(committed(c, "aborted"), [b"q0", b"p2"], "what is committed after that")
    c.close()


def test_a_batch_outside_of_a_transaction_is_refused(daemon):
    c = client(daemon)
    make(c, "outside", 2)
    p = Producer(c, "outside")
    same(p.send("outside", 0, b"a", sequence=0), INVALID_TXN_STATE, "before a transaction")
    same(p.send("outside", 0, b"a", version=11, sequence=0), 120, "to who knows TRANSACTION_ABORTABLE")
    same(p.add("outside", 0), [0], "code of the addition")
    same(p.send("outside", 1, b"a", sequence=0), INVALID_TXN_STATE, "in a partition that was not added")
    same(p.send("outside", 0, b"a"), 0, "within")
    same(p.send("outside", 0, b"b", attributes=0, sequence=1), INVALID_TXN_STATE, "not of the transaction that is open")
    same(p.end(True), 0, "code of the end")
    same(p.send("outside", 0, b"late", sequence=1), INVALID_TXN_STATE, "after it")
    same(committed(c, "outside"), [b"a"], "what is there")
    old = p.epoch
    p.epoch = old + 1
    same(p.send("outside", 0, b"a", sequence=0), INVALID_PRODUCER_EPOCH, "with an epoch that was not given out")
    p.epoch, p.pid = old, p.pid + 1000
    same(p.send("outside", 0, b"a", sequence=0), INVALID_PRODUCER_ID_MAPPING, "with another's id")
    c.close()


def test_a_new_producer_fences_the_old_and_aborts_what_it_had_open(daemon):
    c = client(daemon)
    make(c, "fenced")
    old = Producer(c, "fenced")
    same(old.add("fenced", 0), [0], "code of the addition")
    same(old.send("fenced", 0, b"old"), 0, "code")
    new = Producer(c, "fenced")
    same((new.pid, new.epoch > old.epoch), (old.pid, True), "the same id, a later epoch")
    same((committed(c, "fenced"), stable(c, "fenced")), ([], 2), "what the old one had open is aborted")
    same(old.send("fenced", 0, b"zombie"), INVALID_PRODUCER_EPOCH, "a produce of the old one")
    same([old.add("fenced", 0, version=v)[0] for v in (1, 2)], [INVALID_PRODUCER_EPOCH, PRODUCER_FENCED], "additions")
    same([old.end(True, version=v) for v in (1, 2)], [INVALID_PRODUCER_EPOCH, PRODUCER_FENCED], "ends")
    same(old.add_group("g", version=3), PRODUCER_FENCED, "addition of a group")
    a = c.ask("init_producer_id", 4, transactional_id="fenced", transaction_timeout_ms=1000,
              producer_id=old.pid, producer_epoch=old.epoch)
    same((a["error_code"], a["producer_id"]), (PRODUCER_FENCED, -1), "InitProducerId of the old one")
    a = c.ask("init_producer_id", 3, transactional_id="fenced", transaction_timeout_ms=1000,
              producer_id=old.pid, producer_epoch=old.epoch)
    same(a["error_code"], INVALID_PRODUCER_EPOCH, "in a version that does not know PRODUCER_FENCED")
    same(new.add("fenced", 0), [0], "the new one goes on")
    same((new.send("fenced", 0, b"new"), new.end(True)), (0, 0), "codes")
    same(committed(c, "fenced"), [b"new"], "what is committed")
    c.close()


def test_init_producer_id_sent_again_is_answered_again(daemon):
    c = client(daemon)
    p = Producer(c, "again")
    first = p.init(pid=p.pid, epoch=p.epoch)
    same(first, (p.pid, p.epoch + 1), "the next epoch")
    same(p.init(pid=p.pid, epoch=p.epoch), first, "the same, sent again")
    same(p.init(pid=p.pid, epoch=first[1]), (p.pid, first[1] + 1), "the one after that")
    for what, wanted in (({"transaction_timeout_ms": 0}, INVALID_TRANSACTION_TIMEOUT),
                         ({"transaction_timeout_ms": 60001}, INVALID_TRANSACTION_TIMEOUT),
                         ({"transactional_id": ""}, INVALID_REQUEST),
                         ({"transactional_id": "x" * 401}, INVALID_REQUEST),
                         ({"producer_id": 5}, INVALID_REQUEST)):
        request = {"transactional_id": "again", "transaction_timeout_ms": 1000, "producer_id": -1, "producer_epoch": -1}
        same(c.ask("init_producer_id", 4, **{**request, **what})["error_code"], wanted, f"code for {what}")
    c.close()


def test_a_producer_that_was_not_taken_over_goes_on(daemon):
    """KIP-360: it asks with what it has, and gets what comes behind an abort or an end that it has not heard of."""
    c = client(daemon)
    make(c, "recovers")

    def code(p, version):
        return c.ask("init_producer_id", version, transactional_id=p.name, transaction_timeout_ms=60000,
                     producer_id=p.pid, producer_epoch=p.epoch)["error_code"]

    for version in 3, 4, 5:
        p = Producer(c, f"recovers-{version}")
        same((p.add("recovers", 0), p.send("recovers", 0, b"lost")), ([0], 0), "codes")
        same(code(p, version), CONCURRENT_TRANSACTIONS, "code while it is open")
        now = until("the abort", lambda: p.init(version, pid=p.pid, epoch=p.epoch))
        same(now, (p.pid, p.epoch + 1), "the next epoch")
        same(p.init(version, pid=p.pid, epoch=p.epoch), now, "the same, sent again")
        p.epoch, p.sequences = now[1], {}
        same((p.add("recovers", 0), p.send("recovers", 0, b"v%d" % version), p.end(True)), ([0], 0, 0), "codes: it goes on")
        p.epoch -= 1
        same(code(p, version), PRODUCER_FENCED if version > 3 else INVALID_PRODUCER_EPOCH, "by the epoch before, used since")
    p = Producer(c, "recovers-end")
    same((p.send("recovers", 0, b"ended", version=12), p.epoch), (0, 0), "code, epoch")
    same(c.ask("end_txn", 5, **p.me(), committed=True)["error_code"], 0, "code of the end whose answer it does not hear")
    same(p.init(pid=p.pid, epoch=0), (p.pid, 1), "the epoch of that end")
    same(committed(c, "recovers"), [b"v3", b"v4", b"v5", b"ended"], "what is committed")
    c.close()


def test_a_partition_that_is_not_there_keeps_the_others_out(daemon):
    c = client(daemon)
    make(c, "others", 2)
    p = Producer(c, "others")
    a = c.ask("add_partitions_to_txn", 3, **p.me(), topics=[{"name": "others", "partitions": [0, 2]},
                                                              {"name": "nowhere", "partitions": [0]}])
    same([[r["error_code"] for r in t["results"]] for t in a["results"]],
         [[OPERATION_NOT_ATTEMPTED, 3], [3]], "codes")
    same(p.send("others", 0, b"a", sequence=0), INVALID_TXN_STATE, "nothing was added")
    same(p.end(True), INVALID_TXN_STATE, "nothing is open")
    c.close()


def test_ends_are_answered_by_the_state(daemon):
    c = client(daemon)
    make(c, "ends")
    p = Producer(c, "ends")
    same([p.end(True), p.end(False)], [INVALID_TXN_STATE] * 2, "with nothing begun")
    for commit in True, False:
        same(p.add("ends", 0), [0], "code of the addition")
        same([p.end(commit), p.end(commit), p.end(not commit)], [0, 0, INVALID_TXN_STATE], "once, again, otherwise")
    c2 = client(daemon)
    same(p.c.ask("end_txn", 1, transactional_id="unknown", producer_id=1, producer_epoch=0)["error_code"],
         INVALID_PRODUCER_ID_MAPPING, "of an id that nobody has")
    same(ends(c2, "ends", 0), [0], "no markers where nothing was sent")
    c.close()
    c2.close()


def test_offsets_count_when_the_transaction_is_committed(daemon):
    c = client(daemon)
    make(c, "input")
    p = Producer(c, "offsets")
    same(p.commit_offset("og", "input", 5), INVALID_TXN_STATE, "before the group was added")
    same(p.commit_offset("og", "input", 5, version=4), TRANSACTION_ABORTABLE, "told to who knows it (KIP-890)")
    same(p.add_group("og"), 0, "code of the addition")
    same(p.commit_offset("og", "input", 5), 0, "code of the commit of offsets")
    same((offset_of(c, "og", "input"), offset_of(c, "og", "input", True)), (-1, UNSTABLE_OFFSET_COMMIT), "pending")
    same(p.end(True), 0, "code of the end")
    same((offset_of(c, "og", "input"), offset_of(c, "og", "input", True)), (5, 5), "committed")
    same(p.add_group("og"), 0, "code of the addition")
    same(p.commit_offset("og", "input", 9), 0, "code of the commit of offsets")
    same(offset_of(c, "og", "input"), 5, "pending: the old one is told")
    same(p.end(False), 0, "code of the abort")
    same((offset_of(c, "og", "input"), offset_of(c, "og", "input", True)), (5, 5), "aborted")
    same(p.add_group("og"), 0, "code of the addition")
    same(p.commit_offset("og", "input", 9, generation_id=3, member_id="nobody"), 25, "of a member that is unknown")
    same(p.commit_offset("og", "nowhere", 9), 3, "of a topic that is not there")
    same(p.end(True), 0, "code of the end")
    same(offset_of(c, "og", "input"), 5, "as it was")
    same(p.add_group(""), 24, "a group without a name")
    c.close()


def test_the_last_of_the_offsets_of_a_transaction_counts(daemon):
    c = client(daemon)
    make(c, "again")
    p = Producer(c, "again")
    for ending, wanted in (True, 7), (False, 7):
        same(p.add_group("ag"), 0, "code of the addition")
        for offset in 5, 6, 7:
            same(p.commit_offset("ag", "again", offset), 0, "code of the commit of offsets")
        same(offset_of(c, "ag", "again", True), UNSTABLE_OFFSET_COMMIT, "pending")
        same(p.end(ending), 0, "code of the end")
        same((offset_of(c, "ag", "again"), offset_of(c, "ag", "again", True)), (wanted, wanted), "after it")
    c.close()


def test_partitions_and_groups_join_by_being_named(daemon):
    c = client(daemon)
    make(c, "joins", 2)
    p = Producer(c, "joins")
    same((p.send("joins", 0, b"a", version=12), p.send("joins", 1, b"b", version=12)), (0, 0), "codes")
    same(p.commit_offset("jg", "joins", 5, version=5), 0, "code of the commit of offsets")
    same((committed(c, "joins"), offset_of(c, "jg", "joins")), ([], -1), "what is open")
    old = Producer.me(p)
    same(p.end_v2(True), 0, "code of the end")
    same((p.pid, p.epoch), (old["producer_id"], old["producer_epoch"] + 1), "how it goes on")
    same((committed(c, "joins"), committed(c, "joins", 1), offset_of(c, "jg", "joins", True)), ([b"a"], [b"b"], 5),
         "what is committed")
    again = c.ask("end_txn", 5, **old, committed=True)
    same((again["error_code"], again["producer_epoch"]), (0, p.epoch), "an end whose answer was lost")
    same(c.ask("end_txn", 5, **old, committed=False)["error_code"], INVALID_TXN_STATE, "another end")
    # A batch that comes late can't join the next transaction.
    same(p.send("joins", 0, b"c", version=12), 0, "code")
    now, p.epoch = p.epoch, old["producer_epoch"]
    same(p.send("joins", 0, b"late", version=12, sequence=1), INVALID_PRODUCER_EPOCH, "a late batch")
    p.epoch = now
    same(p.end_v2(True), 0, "code of the end")
    same(committed(c, "joins"), [b"a", b"c"], "what is committed")
    same((p.end_v2(True), p.end_v2(False)), (INVALID_TXN_STATE, 0), "with nothing begun")
    same(p.epoch, now + 2, "an epoch for that, too")
    a = c.ask("produce", 12, transactional_id="joins", acks=-1, timeout_ms=10000, topic_data=[
        {"name": "nowhere", "partition_data": [{"index": 0, "records": batch(b"v", p.pid, p.epoch, 0)}]},
        {"name": "joins", "partition_data": [{"index": 1, "records": batch(b"v", p.pid, p.epoch, 0)}]}])
    same([t["partition_responses"][0]["error_code"] for t in a["responses"]], [3, 0], "codes beside a topic that is not there")
    same(p.end_v2(False), 0, "code of the end")
    same(committed(c, "joins", 1), [b"b"], "what is committed")
    c.close()


def test_every_epoch_of_version_2_begins_at_0(daemon):
    """Else what is behind a batch that was refused gets in before it, which then has no place any more."""
    c = client(daemon)
    make(c, "from-0")
    p = Producer(c, "from-0")
    send = lambda value, sequence: p.send("from-0", 0, value, version=12, sequence=sequence)
    same((send(b"b", 1), send(b"a", 0), send(b"b", 1)), (OUT_OF_ORDER, 0, 0), "of a producer that is not known")
    same(p.end_v2(True), 0, "code of the end")
    same((send(b"d", 1), send(b"c", 0), send(b"d", 1)), (OUT_OF_ORDER, 0, 0), "behind an end")
    same(p.end_v2(False), 0, "code of the end")
    same((send(b"e", 7), send(b"e", 0), p.end_v2(True)), (OUT_OF_ORDER, 0, 0), "behind an abort")
    same(committed(c, "from-0"), [b"a", b"b", b"e"], "what is committed")
    c.close()


def test_what_lasts_too_long_is_aborted(daemon):
    c = client(daemon)
    make(c, "late")
    p = Producer(c, "late", timeout_ms=200)
    same(p.add("late", 0), [0], "code of the addition")
    same(p.send("late", 0, b"a"), 0, "code")
    until("abort", lambda: stable(c, "late") == 2)
    same(committed(c, "late"), [], "what is committed")
    same(p.end(True), PRODUCER_FENCED, "code of the end")
    same(p.send("late", 0, b"b"), INVALID_PRODUCER_EPOCH, "code")
    same(p.end_v2(True), INVALID_TXN_STATE, "a commit of version 2, which is told that it was aborted")
    before = p.epoch
    same((p.end_v2(False), p.epoch), (0, before + 1), "its abort, and how it goes on")
    p.epoch = before
    same(p.init(pid=p.pid, epoch=before), (p.pid, before + 1), "the epoch of the abort")
    same(p.end_v2(False), PRODUCER_FENCED, "the old one is used up")
    p.epoch, p.sequences = before + 1, {}
    same((p.add("late", 0), p.send("late", 0, b"c"), p.end(True)), ([0], 0, 0), "codes: it goes on")
    same(committed(c, "late"), [b"c"], "what is committed")
    c.close()


def test_an_id_forges_no_line_of_the_log(daemon):
    c = client(daemon)
    make(c, "forged")
    p = Producer(c, "id\n2026-01-01T00:00:00.000Z error forged", timeout_ms=100)
    same(p.add("forged", 0), [0], "codes")
    until("it is aborted", lambda: "lasted longer" in daemon.said() and "forged" in daemon.said())
    same([line for line in daemon.said().splitlines() if line.startswith("2026-01-01T00:00:00.000Z")], [], "lines of the id's")
    c.close()


def test_they_are_described(daemon):
    c = client(daemon)
    make(c, "shown", 3)
    p = Producer(c, "shown")
    same(p.add("shown", 2, 0), [0, 0], "codes")
    same(p.send("shown", 2, b"a"), 0, "code")
    d, none = c.ask("describe_transactions", 0, transactional_ids=["shown", "none"])["transaction_states"]
    same((d["error_code"], d["transaction_state"], d["producer_id"], d["producer_epoch"], d["transaction_timeout_ms"]),
         (0, "Ongoing", p.pid, p.epoch, 60000), "description")
    same(d["topics"], [{"topic": "shown", "partitions": [0, 2]}], "its partitions")
    same(none["error_code"], TRANSACTIONAL_ID_NOT_FOUND, "of one that is not there")
    listed = c.ask("list_transactions", 1, state_filters=["Ongoing", "Odd"], producer_id_filters=[p.pid])
    same(listed["transaction_states"], [{"transactional_id": "shown", "producer_id": p.pid,
                                         "transaction_state": "Ongoing"}], "list")
    same(listed["unknown_state_filters"], ["Odd"], "filters that are none")
    same(c.ask("list_transactions", 1, producer_id_filters=[p.pid], duration_filter=60000)["transaction_states"], [],
         "that have been open for a minute")
    t = c.ask("describe_producers", 0, topics=[{"name": "shown", "partition_indexes": [2, 9]}])["topics"][0]
    same([x["error_code"] for x in t["partitions"]], [0, 3], "codes")
    a, = t["partitions"][0]["active_producers"]
    same((a["producer_id"], a["producer_epoch"], a["last_sequence"], a["current_txn_start_offset"]),
         (p.pid, p.epoch, 0, 0), "producer")
    same(p.end(True), 0, "code of the end")
    same(c.ask("describe_transactions", 0, transactional_ids=["shown"])["transaction_states"][0]["transaction_state"],
         "CompleteCommit", "state")
    c.close()


def restarted(daemon, how):
    """The daemon again, on the same data."""
    folder = os.path.dirname(daemon.dir)
    (daemon.stop if how == "stop" else daemon.kill)()
    return weir_daemon.start(options(SETTINGS), folder)


def test_they_outlive_restarts(daemon):
    del daemon
    d = weir_daemon.start(options(SETTINGS))
    first = d
    try:
        for how in "stop", "kill":
            c = client(d)
            topic = "outlives-" + how
            make(c, topic)
            open_one, done = Producer(c, topic + "-open"), Producer(c, topic + "-done")
            for p, value in ((done, b"committed"), (done, b"aborted"), (open_one, b"open")):
                same((p.add(topic, 0), p.send(topic, 0, value)), ([0], 0), "codes")
                if p is done:
                    same(p.end(value == b"committed"), 0, "code of the end")
            same((open_one.add_group("og"), open_one.commit_offset("og", topic, 7)), (0, 0), "codes")
            c.close()
            d = restarted(d, how)
            c = client(d)
            same((committed(c, topic), stable(c, topic)), ([b"committed"], 4), f"after a {how}")
            same(offset_of(c, "og", topic, True), UNSTABLE_OFFSET_COMMIT, "the offset is pending still")
            open_one.c = done.c = c
            same((open_one.send(topic, 0, b"more"), open_one.end(True)), (0, 0), "codes: it goes on")
            same(committed(c, topic), [b"committed", b"open", b"more"], "what is committed")
            same(offset_of(c, "og", topic, True), 7, "the offset")
            same((done.add(topic, 0), done.send(topic, 0, b"next"), done.end(True)), ([0], 0, 0), "sequences go on")
            c.close()
    finally:
        d.kill()
        first.clean()


def test_a_topic_may_go_while_a_transaction_has_it(daemon):
    c = client(daemon)
    make(c, "goes")
    make(c, "stays")
    p = Producer(c, "goes")
    same((p.add("goes", 0), p.add("stays", 0)), ([0], [0]), "codes")
    same((p.send("goes", 0, b"a"), p.send("stays", 0, b"b")), (0, 0), "codes")
    same(p.add_group("gg"), 0, "code of the addition")
    same((p.commit_offset("gg", "goes", 1), p.commit_offset("gg", "stays", 1)), (0, 0), "codes")
    same(c.ask("delete_topics", 5, topic_names=["goes"])["responses"][0]["error_code"], 0, "code of the deletion")
    same(p.end(True), 0, "code of the end")
    same((committed(c, "stays"), offset_of(c, "gg", "stays", True)), ([b"b"], 1), "what is committed")
    c.close()


def test_a_client_ends_by_hand_what_hangs(daemon):
    c = client(daemon)
    make(c, "hangs", 2)
    p = Producer(c, "hangs")
    same(p.add("hangs", 0, 1), [0, 0], "codes")
    same((p.send("hangs", 0, b"a"), p.send("hangs", 1, b"b")), (0, 0), "codes")

    def mark(*numbers, topic="hangs", epoch=p.epoch, coordinator=0):
        a = c.ask("write_txn_markers", 1, markers=[{"producer_id": p.pid, "producer_epoch": epoch, "transaction_result": False,
            "topics": [{"name": topic, "partition_indexes": list(numbers)}], "coordinator_epoch": coordinator}])
        return [q["error_code"] for q in a["markers"][0]["topics"][0]["partitions"]]

    same(mark(0, epoch=p.epoch - 1), [INVALID_PRODUCER_EPOCH], "code of an older epoch")
    same(mark(0, topic="absent"), [3], "code of no topic")
    same((stable(c, "hangs", 0), stable(c, "hangs", 1)), (0, 0), "last stable offsets")
    same(mark(0, 9), [0, 3], "codes of a partition that is there and one that is not")
    same((stable(c, "hangs", 0), stable(c, "hangs", 1)), (2, 0), "last stable offsets")
    same(mark(0), [0], "code of what is ended already")
    same(mark(0, coordinator=-1), [52], "code of an older coordinator")
    # The coordinator still ends it, in what is open.
    same(p.end(True), 0, "code of the end")
    same((committed(c, "hangs", 0), committed(c, "hangs", 1)), ([], [b"b"]), "what is committed")
    c.close()


def main():
    daemon = weir_daemon.start(options(SETTINGS))
    passed, failed, skipped = run(globals(), daemon)
    status = daemon.stop()
    same(status, 0, "the daemon's status")
    if failed:
        print(daemon.said())
    daemon.clean()
    finish(passed + 1, failed, skipped)


if __name__ == "__main__":
    main()
