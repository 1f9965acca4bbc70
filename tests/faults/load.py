"""load -- a mixed load, and the history that knows what was promised; for the programs of this folder.

    load = Load()
    load.turn_to(daemon)        # a running one; again after each restart
    load.round()                # some tens of requests
    load.settle()               # what is half done is ended, once the daemon is sound again
    load.check()                # all that was promised is there, and nothing else

A round has producers of every kind (acks=1, acks=all, idempotent, transactional of both
versions), a group with a member, one that commits within transactions, a compacted topic
with tombstones, one with retention, and topics that come and go.  All of it by raw_client,
request by request, with no client's retries in between.

What was answered without an error is promised.  What was refused or not answered may have
happened or not, but of a transaction all or nothing; and what check() has found of it
once stays so.  A record that was fetched is promised as well.
"""
import itertools
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))

import raw_client
from batches import CONTROL, batch, record

ANSWER_S = 30  # whoever gets no answer that long is forgotten
LATE_S = 2     # where that may be: the load gives up
OUT_OF_RANGE, CONCURRENT_TRANSACTIONS, TRANSACTIONAL = 1, 51, 0x10
EVERYTHING = 1 << 24

TOPICS = {
    "plain": (2, {}),
    "keyed": (1, {"cleanup.policy": "compact", "segment.bytes": 2000, "min.cleanable.dirty.ratio": 0.01,
                  "max.compaction.lag.ms": 1, "delete.retention.ms": 86400000}),
    "retained": (1, {"segment.bytes": 16000, "retention.bytes": 48000}),
}
# Small enough that checkpoints, retention, compaction and both ways of a batch to the disk take part in each round.
SETTINGS = {"weir.journal.bytes": 1 << 20, "weir.journal.batch.max.bytes": 2000, "weir.checkpoint.interval.ms": 100,
            "log.retention.check.interval.ms": 50, "log.cleaner.backoff.ms": 50, "group.min.session.timeout.ms": 500}
LARGE = 3000


class Gone(Exception):
    """The daemon takes no connections any more."""


class Late(Exception):
    """There is no answer, as long as what is put off can't be done."""


class Fault(AssertionError):
    """A promise that was not kept."""


def varint(data, at):
    n = shift = 0
    while True:
        byte = data[at]
        at += 1
        n |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return n >> 1 ^ -(n & 1), at


def blob(data, at):
    n, at = varint(data, at)
    return (None, at) if n < 0 else (data[at:at + n], at + n)


def records_of(data):
    """(offset, key, value, attributes of the batch, its producer's id) of each record of whole batches."""
    while len(data) >= 61:
        base, length = struct.unpack_from(">qi", data)
        if len(data) < length + 12:
            return
        attributes, = struct.unpack_from(">h", data, 21)
        pid, = struct.unpack_from(">q", data, 43)
        count, = struct.unpack_from(">i", data, 57)
        at = 61
        for _ in range(count):
            size, at = varint(data, at)
            end = at + size
            _, at = varint(data, at + 1)
            delta, at = varint(data, at)
            key, at = blob(data, at)
            value, at = blob(data, at)
            yield base + delta, key, value, attributes, pid
            at = end
        data = data[length + 12:]


class Transaction:
    """.committed: True, False, or None where it may be either."""

    def __init__(self, number):
        self.number, self.values, self.committed, self.has_offset = number, [], False, False


class Transactional:
    """A producer with a transactional id, which commits the offset `number` for a group of its own."""

    def __init__(self, load, name, versions):
        self.load, self.name, self.group = load, name, "of-" + name
        self.produce, self.commit, self.end = versions
        self.pid = None
        self.epoch, self.sequences, self.done = 0, {}, []

    def me(self):
        return {"transactional_id": self.name, "producer_id": self.pid, "producer_epoch": self.epoch}

    def init(self):
        """Whether it has an id again; what was open is ended by that."""
        end = time.monotonic() + ANSWER_S
        while True:
            a = self.load.ask("init_producer_id", 4, transactional_id=self.name, transaction_timeout_ms=60000)
            if a is None or a["error_code"] != CONCURRENT_TRANSACTIONS:
                break
            if time.monotonic() > end:
                raise Fault(f"a transaction of {self.name} does not come to its end")
            time.sleep(0.002)
        if a is None or a["error_code"] != 0:
            self.load.odd("InitProducerId", a)
            return False
        self.pid, self.epoch, self.sequences = a["producer_id"], a["producer_epoch"], {}
        return True

    def send(self, t, number, value):
        sequence = self.sequences.get(number, 0)
        self.sequences[number] = sequence + 1
        t.values.append(("plain", number, value))
        self.load.history["plain", number].sent(value, t)
        data = batch([value], pid=self.pid, epoch=self.epoch, sequence=sequence, attributes=TRANSACTIONAL, ms=self.load.ms())
        return self.load.produce("plain", number, data, [value], version=self.produce, transactional_id=self.name)

    def add(self, number):
        if self.produce >= 12:
            return True
        a = self.load.ask("add_partitions_to_txn", 3, **self.me(), topics=[{"name": "plain", "partitions": [number]}])
        return a is not None and a["results"][0]["results"][0]["error_code"] == 0

    def add_offset(self, t):
        if self.commit < 5:
            a = self.load.ask("add_offsets_to_txn", 3, **self.me(), group_id=self.group)
            if a is None or a["error_code"] != 0:
                return False
        t.has_offset = True
        a = self.load.ask("txn_offset_commit", self.commit, **self.me(), group_id=self.group, topics=[
            {"name": "plain", "partitions": [{"partition_index": 0, "committed_offset": t.number}]}])
        return a is not None and a["topics"][0]["partitions"][0]["error_code"] == 0

    def run(self, commit, with_offset=True):
        """One transaction; from the first trouble on it is left to the next init()."""
        if self.pid is None and not self.init():
            return
        t = Transaction(next(self.load.numbers))
        self.done.append(t)
        good = False
        try:
            good = self.fill(t, with_offset) and self.finish(t, commit)
        finally:
            if not good:
                self.pid = None
        if not good:
            self.load.odd(f"transaction {t.number} of {self.name}", t.committed)

    def fill(self, t, with_offset):
        first, second, third = (b"%s:%d:%d" % (self.name.encode(), t.number, i) for i in range(3))
        return (self.add(0) and self.send(t, 0, first) and self.add(1) and self.send(t, 1, second) and
                self.send(t, 0, third) and (not with_offset or self.add_offset(t)))

    def finish(self, t, commit):
        t.committed = None if commit else False
        a = self.load.ask("end_txn", self.end, **self.me(), committed=commit)
        if a is None or a["error_code"] != 0:
            return False
        t.committed = commit
        if self.end >= 5:
            self.pid, self.epoch, self.sequences = a["producer_id"], a["producer_epoch"], {}
        return True

    def offset(self):
        return max((t.number for t in self.done if t.committed and t.has_offset), default=-1)


class Idempotent:
    """Sends the same again until it is told that it is there."""

    def __init__(self, load):
        self.load, self.pid, self.epoch, self.n, self.pending = load, None, 0, [0, 0], {}

    def init(self):
        a = self.load.ask("init_producer_id", 4, transactional_id=None, transaction_timeout_ms=0)
        if a is not None and a["error_code"] == 0:
            self.pid, self.epoch = a["producer_id"], a["producer_epoch"]
        else:
            self.load.odd("InitProducerId", a)

    def again(self):
        """Whether nothing is left to be sent again."""
        for number, value in sorted(self.pending.items()):
            data = batch([value], pid=self.pid, epoch=self.epoch, sequence=self.n[number], ms=self.load.ms())
            if not self.load.produce("plain", number, data, [value], allowed=(0, 7, 56)):
                return False
            self.n[number] += 1
            del self.pending[number]
        return True

    def run(self):
        if self.pid is None:
            self.init()
        if self.pid is None:
            return
        for number in 0, 1, 0:
            if not self.again():
                return
            value = b"idempotent:%d:%d" % (number, self.n[number])
            self.pending[number] = value
            self.load.history["plain", number].sent(value)
        self.again()


class Partition:
    """What was promised of one, and what may be in it."""

    def __init__(self, name):
        self.name, self.start = name, 0
        self.promised, self.at = {}, {}  # offset: (key, value); value: offset
        self.maybe, self.transactions, self.keys = set(), {}, {}

    def sent(self, value, transaction=None, key=None):
        self.maybe.add(value)
        if transaction is not None:
            self.transactions[value] = transaction
        if key is not None:
            self.keys[value] = key

    def promise(self, offset, value):
        if value in self.maybe:
            self.maybe.discard(value)
            self.at[value] = offset
            self.promised[offset] = value
        elif self.promised.get(offset) != value:
            raise Fault(f"{self.name}: at {offset} is {value}, {self.promised.get(offset)} was there; "
                        f"{value} was {'at %d' % self.at[value] if value in self.at else 'never sent, or not there'}")


class Load:
    """`written`: whether what is in the page cache survives, as when a process is killed."""

    def __init__(self, written=True):
        self.written, self.strict, self.daemon, self.c = written, False, None, None
        self.numbers = itertools.count()
        self.history = {(t, p): Partition(f"{t}-{p}") for t, (n, _) in TOPICS.items() for p in range(n)}
        self.weak = set()
        self.offsets = {}   # (group, partition): what may be committed, newest last; the first is promised
        self.topics = {}    # name: whether it is there; None: who knows
        self.producers = [Transactional(self, "v1", (9, 3, 3)), Transactional(self, "v2", (12, 5, 5))]
        self.idempotent = Idempotent(self)
        self.member = None
        self.asked = 0
        self.lasting = False  # whether what is asked for may be put off for good: a disk that stays full

    # ---- one request ----

    def turn_to(self, daemon):
        self.drop()
        self.daemon = daemon
        self.member = None

    def drop(self):
        if self.c is not None:
            self.c.close()
        self.c = None

    def odd(self, what, answer):
        if self.strict:
            raise Fault(f"{what}: {answer}")

    def ask(self, api, version, **request):
        """The answer, or None where there is none."""
        self.asked += 1
        try:
            if self.c is None:
                self.c = raw_client.Client(self.daemon.host, self.daemon.port, LATE_S if self.lasting else ANSWER_S)
        except OSError as error:
            raise Gone from error
        try:
            answer = self.c.ask(api, version, **request)
        except socket.timeout as late:
            if self.lasting:
                raise Late from late
            raise Fault(f"{api}: no answer within {ANSWER_S} s") from late
        except (OSError, TypeError, struct.error):  # it may end in the middle of an answer
            answer = None
        if answer is None:
            self.drop()
            self.odd(api, "no answer")
        return answer

    @staticmethod
    def ms():
        return int(time.time() * 1000)

    def produce(self, topic, number, data, values, version=9, acks=-1, allowed=(), **more):
        """Whether it was answered without an error; then its records are promised."""
        a = self.ask("produce", version, acks=acks, timeout_ms=5000, **more, topic_data=[
            {"name": topic, "partition_data": [{"index": number, "records": data}]}])
        if a is None:
            return False
        told = a["responses"][0]["partition_responses"][0]
        if allowed and told["error_code"] not in allowed:
            raise Fault(f"{values}: produce says {told['error_code']}")
        if told["error_code"] != 0:
            self.odd("produce", told)
            return False
        for i, value in enumerate(values):
            if acks != 1 or self.written:
                self.history[topic, number].promise(told["base_offset"] + i, value)
        return True

    # ---- who takes part ----

    def make_topics(self):
        for name, (partitions, configs) in TOPICS.items():
            a = self.ask("create_topics", 7, topics=[{"name": name, "num_partitions": partitions, "replication_factor": 1,
                                                      "configs": [{"name": k, "value": str(v)} for k, v in configs.items()]}])
            if a is None or a["topics"][0]["error_code"] != 0:
                raise Fault(f"create_topics: {a}")
            self.topics[name] = True

    def plain(self, acks, number, size=0, n=1):
        values = [b"plain:%d:" % next(self.numbers) + b"x" * size for _ in range(n)]
        for value in values:
            self.history["plain", number].sent(value)
            if acks == 1:
                self.weak.add(value)
        self.produce("plain", number, batch(values, ms=self.ms()), values, acks=acks)

    def keyed(self, deleted=False):
        n = next(self.numbers)
        key = b"key-%d" % (n % 5)
        # A tombstone has no value by which to know it: its mark here is its number.
        value = None if deleted else b"keyed:%d" % n + b"x" * 200
        p = self.history["keyed", 0]
        mark = (key, value if value is not None else n)
        p.sent(mark, key=key)
        data = batch(records=record(0, value, key), ms=self.ms())
        a = self.ask("produce", 9, acks=-1, timeout_ms=5000, topic_data=[
            {"name": "keyed", "partition_data": [{"index": 0, "records": data}]}])
        told = None if a is None else a["responses"][0]["partition_responses"][0]
        if told is not None and told["error_code"] == 0:
            p.promise(told["base_offset"], mark)
        else:
            self.odd("produce", told)

    def retained(self):
        value = b"retained:%d:" % next(self.numbers) + b"x" * LARGE
        self.history["retained", 0].sent(value)
        self.produce("retained", 0, batch([value], ms=self.ms()), [value])

    def commit(self, group, number, **member):
        offset = next(self.numbers)
        may_be = self.offsets.setdefault((group, number), [-1])
        may_be.append(offset)
        a = self.ask("offset_commit", 8, group_id=group, **member, topics=[
            {"name": "plain", "partitions": [{"partition_index": number, "committed_offset": offset}]}])
        code = None if a is None else a["topics"][0]["partitions"][0]["error_code"]
        if code == 0:
            may_be[:] = [offset]
        return code

    def join(self):
        told = self.ask("join_group", 3, group_id="members", session_timeout_ms=2000, rebalance_timeout_ms=500, member_id="",
                        protocol_type="consumer", protocols=[{"name": "range", "metadata": b""}])
        if told is None or told["error_code"] != 0:
            self.odd("join_group", told)
            return
        me = {"group_id": "members", "generation_id": told["generation_id"], "member_id": told["member_id"]}
        told = self.ask("sync_group", 2, **me, assignments=[{"member_id": me["member_id"], "assignment": b"all"}])
        if told is not None and told["error_code"] == 0:
            self.member = me
        else:
            self.odd("sync_group", told)

    def take_part(self):
        """A member's turn: it joins where it is none, and commits."""
        if self.member is None:
            self.join()
        if self.member is None:
            return
        told = self.ask("heartbeat", 3, **self.member)
        code = 0 if told is None else told["error_code"]
        if code == 0:
            code = self.commit("members", 1, generation_id_or_member_epoch=self.member["generation_id"],
                               member_id=self.member["member_id"])
        if code is not None and code != 0:
            self.member = None  # a member that paused too long, as it may be

    def come_and_go(self):
        name = f"made-{next(self.numbers)}"
        self.topics[name] = None
        a = self.ask("create_topics", 7, topics=[{"name": name, "num_partitions": 3, "replication_factor": 1}])
        if a is not None and a["topics"][0]["error_code"] == 0:
            self.topics[name] = True
        else:
            self.odd("create_topics", a)
        for old in [n for n, there in self.topics.items() if n.startswith("made-") and n != name and there is not False]:
            known = self.topics[old]
            self.topics[old] = None
            a = self.ask("delete_topics", 5, topic_names=[old])
            code = None if a is None else a["responses"][0]["error_code"]
            if code == 0 or (code == 3 and known is None):
                self.topics[old] = False
            else:
                self.odd("delete_topics", a)

    def look(self, topic, number):
        """What a consumer sees is promised, too."""
        p = self.history[topic, number]
        for offset, key, value, attributes, _ in self.fetch(topic, number, max(p.promised, default=0))[0]:
            if not attributes & CONTROL and (self.written or value not in self.weak):
                p.promise(offset, value)

    def round(self, strict=False):
        """`strict`: nothing may be refused.  Raises Gone when the daemon is, and Late."""
        self.strict = strict
        n = next(self.numbers)
        steps = (lambda: self.plain(-1, 0), lambda: self.plain(1, 1, n=3), lambda: self.plain(-1, 1, LARGE), self.idempotent.run,
                 lambda: self.producers[0].run(n % 3 != 0), self.keyed, lambda: self.keyed(deleted=n % 2 == 0), self.keyed,
                 lambda: self.producers[1].run(n % 4 != 0), self.retained, self.retained, self.retained,
                 lambda: self.commit("simple", 0), self.take_part, lambda: self.plain(1, 0, LARGE),
                 lambda: self.look("plain", n % 2), self.come_and_go, self.keyed, lambda: self.plain(-1, 1))
        try:
            for step in steps:
                step()
        finally:
            self.strict = False

    # ---- what is there ----

    def fetch(self, topic, number, offset, isolation=0):
        """(records up to the high watermark, aborted transactions, the last partition's answer)"""
        records, aborted = [], []
        while True:
            a = self.ask("fetch", 11, max_wait_ms=0, min_bytes=1, max_bytes=EVERYTHING, isolation_level=isolation, topics=[
                {"topic": topic, "partitions": [{"partition": number, "fetch_offset": offset, "partition_max_bytes": EVERYTHING}]}])
            if a is None:
                return records, aborted, None
            told = a["responses"][0]["partitions"][0]
            if told["error_code"] != 0:
                if told["error_code"] == OUT_OF_RANGE and topic == "retained":
                    return records, aborted, told
                self.odd(f"fetch of {topic}-{number} at {offset}", told["error_code"])
                return records, aborted, told
            aborted += [(t["first_offset"], t["producer_id"]) for t in told["aborted_transactions"] or []]
            data = told["records"] or b""
            if not data:
                return records, aborted, told
            records += records_of(data)
            while len(data) >= 61:
                base, length = struct.unpack_from(">qi", data)
                offset = base + struct.unpack_from(">i", data, 23)[0] + 1
                data = data[length + 12:]

    def log_start(self, topic, number):
        a = self.ask("list_offsets", 5, isolation_level=0, topics=[{"name": topic, "partitions": [
            {"partition_index": number, "timestamp": -2}]}])
        return a["topics"][0]["partitions"][0]["offset"]

    def committed(self, topic, number, start):
        """What a reader of what is committed takes."""
        records, begin, told = self.fetch(topic, number, start, 1)
        if told["last_stable_offset"] != told["high_watermark"]:
            raise Fault(f"{topic}-{number}: a transaction is open: {told['last_stable_offset']} of {told['high_watermark']}")
        begin, aborted, values = sorted(set(begin)), set(), []
        for offset, _, value, attributes, pid in records:
            while begin and begin[0][0] <= offset:
                aborted.add(begin.pop(0)[1])
            if attributes & CONTROL:
                aborted.discard(pid)
            elif not (attributes & TRANSACTIONAL and pid in aborted):
                values.append(value)
        return values

    def settle(self):
        """Ends what was left half done.  Nothing may be refused any more."""
        self.strict = True
        for p in self.producers:
            if p.done:
                p.init()
        if self.idempotent.pid is not None and not self.idempotent.again():
            raise Fault("an idempotent producer gets no answer")
        self.strict = False

    def check(self):
        """Raises Fault where a promise is not kept."""
        self.strict = True
        for (topic, number), p in self.history.items():
            if topic == "keyed":
                self.check_keyed(p)
            else:
                self.check_partition(topic, number, p)
        self.check_transactions()
        self.check_offsets()
        self.check_topics()
        self.strict = False

    def everything(self, topic, number):
        """(where it begins, its records); retention may go on meanwhile."""
        while True:
            start = self.log_start(topic, number)
            records = self.fetch(topic, number, start)[0]
            if self.log_start(topic, number) == start:
                return start, records

    def check_partition(self, topic, number, p):
        start, records = self.everything(topic, number)
        if start < p.start or (topic != "retained" and start != 0):
            raise Fault(f"{p.name}: begins at {start}; it was {p.start}")
        p.start = start
        found, seen = {}, set()
        for offset, _, value, attributes, _ in records:
            if attributes & CONTROL:
                continue
            if value in seen:
                raise Fault(f"{p.name}: {value[:40]} twice, the second time at {offset}")
            seen.add(value)
            found[offset] = value
            p.promise(offset, value)
        missing = {o: v[:40] for o, v in p.promised.items() if o >= start and found.get(o) != v}
        if missing:
            raise Fault(f"{p.name}: promised, and not there: {missing}")
        if topic == "retained" and start > 0 and sum(map(len, found.values())) < TOPICS[topic][1]["retention.bytes"] // 2:
            raise Fault(f"{p.name}: more has gone than was to go: begins at {start}")
        numbers = [int(v.split(b":")[2]) for _, v in sorted(found.items()) if v.startswith(b"idempotent:")]
        if topic == "plain" and numbers != list(range(self.idempotent.n[number])):
            raise Fault(f"{p.name}: of an idempotent producer {numbers}")
        # What is not there now never will be.
        p.maybe.clear()

    def check_keyed(self, p):
        found = {}
        for offset, key, value, attributes, _ in self.fetch("keyed", 0, self.log_start("keyed", 0))[0]:
            found[offset] = (key, value)
            mark = p.promised.get(offset)
            if mark is not None:
                if mark[0] != key or (value is not None) != isinstance(mark[1], bytes) or value not in (None, mark[1]):
                    raise Fault(f"keyed-0: at {offset} is {key, value}, {mark} was promised")
            else:
                for mark in sorted((m for m in p.maybe if m[0] == key), key=str):
                    if mark[1] == value if value is not None else not isinstance(mark[1], bytes):
                        p.promise(offset, mark)
                        break
                else:
                    raise Fault(f"keyed-0: at {offset} is {key, value}, which was never sent")
        newest = {}
        for offset, mark in sorted(p.promised.items()):
            newest[mark[0]] = offset
        for key, offset in newest.items():
            if offset not in found:
                raise Fault(f"keyed-0: the newest of {key}, at {offset}, is not there: {p.promised[offset]}")
        p.maybe.clear()

    def check_transactions(self):
        visible = set()
        for number in range(TOPICS["plain"][0]):
            visible |= {(number, v) for v in self.committed("plain", number, 0)}
        for producer in self.producers:
            for t in producer.done:
                there = {(number, v) in visible for _, number, v in t.values}
                if len(there) > 1:
                    raise Fault(f"transaction {t.number} of {producer.name} is there in part")
                if there and t.committed is None:
                    t.committed = there.pop()
                elif there and there != {t.committed}:
                    raise Fault(f"transaction {t.number} of {producer.name}: committed is {t.committed}, seen is {there}")
        for number in range(TOPICS["plain"][0]):
            missing = [v[:40] for v in self.history["plain", number].promised.values()
                       if v not in self.history["plain", number].transactions and (number, v) not in visible]
            if missing:
                raise Fault(f"plain-{number}: readers of what is committed don't see {missing}")

    def offset_of(self, group, number):
        a = self.ask("offset_fetch", 7, group_id=group, topics=[{"name": "plain", "partition_indexes": [number]}], require_stable=True)
        told = a["topics"][0]["partitions"][0]
        if told["error_code"] != 0:
            raise Fault(f"offset of {group}: code {told['error_code']}")
        return told["committed_offset"]

    def check_offsets(self):
        for (group, number), may_be in self.offsets.items():
            offset = self.offset_of(group, number)
            if offset not in may_be:
                raise Fault(f"offset of {group} is {offset}, of {may_be}")
            may_be[:] = [offset]
        for producer in self.producers:
            offset = self.offset_of(producer.group, 0)
            if offset != producer.offset():
                raise Fault(f"offset of {producer.group} is {offset}, the last transaction that was committed had {producer.offset()}")

    def check_topics(self):
        there = {t["name"] for t in self.ask("metadata", 9, topics=None)["topics"]}
        for name, wanted in self.topics.items():
            if wanted is not None and (name in there) != wanted:
                raise Fault(f"topic {name}: it is {'' if name in there else 'not '}there")
            self.topics[name] = name in there
        unknown = there - set(self.topics)
        if unknown:
            raise Fault(f"topics that nobody made: {unknown}")
