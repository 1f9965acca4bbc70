#!/usr/bin/python3
"""inspect_test.py -- weir-logd inspect: what it prints, what it finds, what it repairs.  WEIR_LOGD names the daemon."""
import base64
import fcntl
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import weir_daemon
from batches import crc32c
from claims import Skip, finish, options, run, same
from raw_calls import batch, client, framed, gzipped, make
from transactions_test import Producer, committed, fetch

SETTINGS = {"log.segment.bytes": 20000, "weir.checkpoint.interval.ms": 600000, "weir.journal.bytes": 16 << 20}
N = 60           # batches of the topic "log"
CORRUPT_MESSAGE = 2


def send(c, topic, value, records=None):
    a = c.ask("produce", 7, acks=-1, timeout_ms=10000, topic_data=[
        {"name": topic, "partition_data": [{"index": 0, "records": records or batch(value)}]}])
    p = a["responses"][0]["partition_responses"][0]
    same(p["error_code"], 0, "code")
    return p["base_offset"]


def fill(daemon):
    """Something of every kind; a transaction and an offset of it stay open."""
    c = client(daemon)
    make(c, "log")
    make(c, "codecs-1")
    make(c, "txn")
    for i in range(N):
        send(c, "log", (b"value %d " % i).ljust(900, b"."))
    send(c, "codecs-1", b"plain")
    send(c, "codecs-1", None, gzipped(b"packed"))
    send(c, "codecs-1", b"\xff\x00binary")
    send(c, "codecs-1", b"long" * 1000)
    a = c.ask("offset_commit", 2, group_id="readers", generation_id_or_member_epoch=-1, member_id="",
              retention_time_ms=-1, topics=[{"name": "log", "partitions": [
                  {"partition_index": 0, "committed_offset": 7, "committed_metadata": "seven"}]}])
    same(a["topics"][0]["partitions"][0]["error_code"], 0, "code of the commit")
    p = Producer(c, "tx")
    for value, commit in (b"kept", True), (b"dropped", False):
        same((p.add("txn", 0), p.send("txn", 0, value), p.end(commit)), ([0], 0, 0), "codes")
    same((p.add_group("readers"), p.commit_offset("readers", "log", 9)), (0, 0), "codes")
    c.close()


def inspect(folder, *args, status=0):
    """Its lines, as objects."""
    done = subprocess.run([os.environ["WEIR_LOGD"], "inspect", folder, "--json", *args], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if done.returncode != status:
        raise AssertionError(f"status {done.returncode}, not {status}: {done.stdout[-1500:]} {done.stderr[-1500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def refused(folder, *args, status=1):
    """What it says on standard error."""
    done = subprocess.run([os.environ["WEIR_LOGD"], "inspect", folder, *args], check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)
    same(done.returncode, status, f"status, with {done.stderr}")
    return done.stderr.decode()


def findings(lines, kind="damage"):
    return sorted({line["finding"] for line in lines if line["type"] == kind})


class Copy:
    """A copy of a data folder, to be damaged."""

    def __init__(self, made):
        self.folder = tempfile.mkdtemp(prefix="weir-inspected-")
        self.data = os.path.join(self.folder, "data")
        shutil.copytree(made, self.data)
        self.ids = {row["topic"]: row["topic_id"] for row in inspect(made, "--state=metadata") if row["kind"] == "topic"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def path(self, *names):
        return os.path.join(self.data, *names)

    def segments(self, topic="log"):
        """Paths of the topic's segments, in order."""
        folder = self.path("logs", self.ids[topic] + ".0")
        return sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".log"))

    def batches(self):
        """{offset: (path, position, size)} of the topic "log"."""
        found, paths = {}, iter(self.segments())
        for b in inspect(self.data, "--batches", "log"):
            path = next(paths) if b["position"] == 0 else path
            found[b["base_offset"]] = path, b["position"], b["size"]
        return found

    def flip(self, path, at):
        with open(path, "r+b") as f:
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ 0x55]))

    def refused(self):
        """What a start says that ends by itself."""
        done = subprocess.run([os.environ["WEIR_LOGD"], *options({"log.dirs": self.data, "listeners": "PLAINTEXT://127.0.0.1:0"})],
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        same(done.returncode, 1, f"status of the start, with {done.stdout}")
        return done.stdout.decode()

    def start(self):
        return weir_daemon.start(options(SETTINGS), folder=self.folder)


def tree(folder):
    """{path: (size, time of the last change, content)}"""
    found = {}
    for top, _, names in os.walk(folder):
        for path in (os.path.join(top, name) for name in names):
            with open(path, "rb") as f:
                found[path] = os.stat(path).st_mtime_ns, f.read()
    return found


def values(daemon, topic="log"):
    """{offset: value} of what a consumer gets from offset 0 on; CORRUPT_MESSAGE ends it."""
    c, found, offset = client(daemon), {}, 0
    while True:
        p = fetch(c, topic, 0, offset)
        if p["error_code"] != 0 or not p["records"]:
            c.close()
            return found, p["error_code"]
        at = 0
        while at < len(p["records"]):
            base, length = struct.unpack_from(">qi", p["records"], at)
            delta, = struct.unpack_from(">i", p["records"], at + 23)
            if struct.unpack_from(">i", p["records"], at + 57)[0] > 0:
                found[base] = p["records"][at + 61:at + 12 + length]
            offset, at = base + delta + 1, at + 12 + length


def goes_on(daemon, wanted_end):
    """What is appended next gets this offset, or one above where an unclean end was before."""
    c = client(daemon)
    offset = send(c, "log", b"next")
    c.close()
    if offset < wanted_end:
        raise AssertionError(f"offset {offset} was given out again, the end was {wanted_end}")


# ---- what is whole ----

def test_what_is_whole_is_told_so_and_not_touched(killed, stopped):
    for made in killed, stopped:
        before = tree(made)
        lines = inspect(made)
        same(findings(lines), [], "damage")
        same(tree(made), before, "the folder")
        part, = [line for line in lines if line["type"] == "partition" and line.get("topic") == "log"]
        same((part["log_start"], part["log_end"], part["batches"], part["damaged"]), (0, N, N, 0), "partition")
        same(lines[-1]["damage"], 0, "damage counted")
    same(findings(inspect(stopped), "note"), [], "notes after a clean end")
    same("UNCLEAN" in findings(inspect(killed), "note"), True, "note after a kill")


def test_batches_and_records_are_printed(killed, _stopped):
    got = inspect(killed, "--batches", "codecs-1", "--records")
    same([b["codec"] for b in got if b["type"] == "batch"], ["none", "gzip", "none", "none"], "codecs")
    records = [r for r in got if r["type"] == "record"]
    same([r["offset"] for r in records], [0, 1, 2, 3], "offsets")
    same([r.get("value") for r in records[:2]], ["plain", "packed"], "values")
    same(base64.b64decode(records[2]["value_base64"]), b"\xff\x00binary", "a value that is no text")
    same((records[3]["value"], records[3]["value_size"]), ("long" * 64, 4000), "a long one")
    same(inspect(killed, "--batches", "codecs-1-0", "--records"), got, "the partition by itself")
    got = inspect(killed, "--batches", "txn")
    same([b.get("marker") for b in got], [None, "COMMIT", None, "ABORT"], "markers")
    same([(b["base_offset"], b["transactional"], b["producer_epoch"]) for b in got],
         [(i, True, 0) for i in range(4)], "batches")
    same("no such" in refused(killed, "--batches", "codecs-1-1"), True, "a partition that is not there")
    text = subprocess.run([os.environ["WEIR_LOGD"], "inspect", killed, "--batches", "log-0"], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    same((text.count("\n"), text.startswith("batch topic=log partition=0 base_offset=0 last_offset=0 position=0 ")),
         (N, True), "as text")


def test_the_state_is_printed(killed, stopped):
    for made in killed, stopped:
        rows = inspect(made, "--state")
        kinds = {row["kind"] for row in rows}
        same(kinds >= {"cluster", "topic", "producer_ids", "offset", "pending_offset", "transaction"}, True, kinds)
        offset, = [row for row in rows if row["kind"] == "offset"]
        same((offset["group"], offset["topic"], offset["partition"]), ("readers", "log", 0), "key of an offset")
        same("offset 7 " in offset["value"] and '"seven"' in offset["value"], True, offset["value"])
        row, = inspect(made, "--state", "transactions")
        same((row["transactional_id"], 'groups [ "readers" ]' in row["value"]), ("tx", True), "transaction")
        same({row["table"] for row in inspect(made, "--state=offsets")}, {"offsets"}, "one table")


def test_the_journal_is_printed(killed, _stopped):
    lines = inspect(killed, "--journal")
    same("block" in {line.get("is") for line in lines}, True, "blocks")
    entries = [line for line in lines if line["type"] == "entry" and line.get("topic") == "log"]
    same([e["base_offset"] for e in entries if e["kind"] == "batch"], list(range(N)), "batches of one topic")


def test_what_is_asked_wrongly_is_told(killed, _stopped):
    for args in ("--state=none",), ("--records",), ("--rebuild-index", "--skip-batch", "log-0:1"), ("more",), ("--odd",):
        same("usage: weir-logd inspect" in refused(killed, *args, status=2), True, f"usage after {args}")
    same("not a data folder" in refused("/"), True, "another folder")
    with Copy(killed) as x:
        folder = os.open(x.data, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        same("in use" in refused(x.data), True, "a folder in use")
        fcntl.flock(folder, fcntl.LOCK_SH)
        inspect(x.data)
        same("in use" in refused(x.data, "--rebuild-index"), True, "a repair beside somebody who looks")
        os.close(folder)


def test_a_snapshot_is_inspected(_killed, stopped):
    with Copy(stopped) as x:
        os.remove(x.path("clean"))
        shutil.rmtree(x.path("journal"))
        before = tree(x.data)
        same(findings(inspect(x.data)), [], "damage")
        same(tree(x.data), before, "the folder")


# ---- what is not damage ----

def test_what_a_start_sees_to_is_no_damage(killed, stopped):
    with Copy(killed) as x:
        last = x.segments()[-1]
        with open(last, "ab") as f:
            f.write(batch(b"half")[:-3])
        with open(x.path("logs", "foreign"), "w"):
            pass
        os.remove(x.segments()[-2])
        lines = inspect(x.data)
        same(findings(lines), [], "damage")
        same({"TAIL", "FOREIGN", "RESTORED"} <= set(findings(lines, "note")), True, findings(lines, "note"))
        part, = [line for line in lines if line.get("topic") == "log" and line["type"] == "partition"]
        same((part["log_end"], part["only_in_journal"] > 0), (N, True), "from the journal")
        daemon = x.start()
        same(len(values(daemon)[0]), N, "records after a start")
        daemon.kill()
    with Copy(killed) as x:
        # Without the segments, all comes from the journal; the end was cut while it wrote.
        journal, = {line["path"] for line in inspect(x.data, "--journal") if line.get("is") == "block"}
        blocks = [line for line in inspect(x.data, "--journal") if line.get("is") == "block"]
        x.flip(journal, blocks[-1]["position"] + blocks[-1]["size"] - 1)
        same((findings(inspect(x.data)), "JOURNAL_TORN" in findings(inspect(x.data), "note")), ([], True), "torn")
    with Copy(stopped) as x:
        shutil.rmtree(x.path("index"))
        same((findings(inspect(x.data)), "INDEX_NONE" in findings(inspect(x.data), "note")), ([], True), "no index")


# ---- damage ----

def damaged(made, name, damage):
    """Damages a copy, and asserts that this, and nothing else, is found."""
    with Copy(made) as x:
        damage(x)
        lines = inspect(x.data, status=1)
        same(findings(lines), [name] if isinstance(name, str) else name, f"damage ({lines})")
        return lines


def test_a_folder_that_does_not_say_its_format_is_told(_killed, stopped):
    for take in os.remove, lambda path: os.truncate(path, 0):
        lacks_format(stopped, take)


def lacks_format(stopped, take):
    with Copy(stopped) as x:
        take(x.path("format"))
        before = tree(x.data)
        damage, = [line for line in inspect(x.data, status=1) if line["type"] == "damage"]
        same((damage["finding"], damage["path"]), ("FORMAT_ABSENT", x.path("format")), "finding")
        same("weir-logd 1" in damage["action"], True, damage["action"])
        same(len([line for line in inspect(x.data, "--batches", "log", status=1) if line["type"] == "batch"]), N,
             "batches that are printed")
        same("does not say its format" in refused(x.data, "--rebuild-index"), True, "why")
        same(tree(x.data), before, "the folder")


def test_a_journal_of_another_version_is_refused_and_a_damaged_one_told(killed, stopped):
    for made in killed, stopped:
        with Copy(made) as x:
            journal = {line["path"] for line in inspect(x.data, "--journal") if line.get("is") == "block"}.pop()
            with open(journal, "r+b") as f:
                head = b"WEIRJNL2" + f.read(16)[8:]
                f.seek(0)
                f.write(head + struct.pack(">I", crc32c(head)))
            before = tree(x.data)
            for said in x.refused(), refused(x.data):
                same(("does not know" in said, journal in said), (True, True), f"reason in {said}")
            same(tree(x.data), before, "the folder")
            x.flip(journal, 9)
            daemon = x.start()
            same("header of a journal file is damaged" in daemon.said(), made == killed, "what the start says")
            daemon.kill()


def remark(x):
    """Writes a mark of a clean end that fits the index as it is."""
    with open(x.path("index", "data.mdb"), "rb") as f:
        mark = b"WEIRCLN1" + struct.pack(">I", crc32c(f.read()))
    with open(x.path("clean"), "wb") as f:
        f.write(mark + struct.pack(">I", crc32c(mark)))


def test_damage_in_segments_is_found(_killed, stopped):
    wipe = lambda x: shutil.rmtree(x.path("journal"))
    for at in 0, 3, 9, 13, 16, 18, 25, 100: # base offset, length, epoch, magic, CRC, what it covers
        def flip(x, at=at):
            wipe(x)
            path, position, _ = x.batches()[5]
            x.flip(path, position + at)
        found, = [line for line in damaged(stopped, "BATCH", flip) if line["type"] == "damage"]
        same((found["topic"], found["first_offset"], found["last_offset"], found["position"] // found["size"]),
             ("log", 5, 5, 5), f"where byte {at} is changed")

    def cut(x):
        path = x.segments()[-1]
        os.truncate(path, os.path.getsize(path) - 10)
    same(["SHORT"], findings(damaged(stopped, "SHORT", cut)), "a tail that is cut")
    lines = damaged(stopped, "GONE", lambda x: os.remove(x.segments()[1]))
    same([line["means"] for line in lines if line["type"] == "damage"], ["its records are lost"], "what it means")

    def gap(x):
        wipe(x)
        shutil.rmtree(x.path("index"))
        os.remove(x.path("clean"))
        os.remove(x.segments()[1])
    damaged(stopped, "GAP", gap)


def test_damage_in_internal_logs_is_found(_killed, stopped):
    def replace(x):
        """A topic's record that is no record, with a right checksum."""
        path, = [x.path("logs", "AAAAAAAAAAAAAAAAAAAAAw.0", f) for f in os.listdir(
            x.path("logs", "AAAAAAAAAAAAAAAAAAAAAw.0"))]
        with open(path, "r+b") as f:
            data = bytearray(f.read())
            place = data.index(b"tx") + 2
            place += 2 if data[place] > 127 else 1
            data[place] ^= 0x55 # the value's version
            length, = struct.unpack_from(">i", data, 8)
            struct.pack_into(">I", data, 17, crc32c(bytes(data[21:12 + length])))
            f.seek(0)
            f.write(data)
    damaged(stopped, "RECORD", replace)


def test_damage_in_the_journal_is_found(killed, _stopped):
    def flip(x, which=3):
        blocks = [line for line in inspect(x.data, "--journal") if line.get("is") == "block"]
        x.flip(blocks[which]["path"], blocks[which]["position"] + 30)

    def header(x):
        blocks = [line for line in inspect(x.data, "--journal") if line.get("is") == "block"]
        x.flip(blocks[0]["path"], 9)
    damaged(killed, "JOURNAL_DAMAGED", flip)
    damaged(killed, "JOURNAL_HEADER", header)


def test_damage_in_the_index_is_found(_killed, stopped):
    def in_index(find, at=0):
        def flip(x):
            with open(x.path("index", "data.mdb"), "rb") as f:
                place = f.read().rfind(find)
            if place == -1:
                raise AssertionError(f"{find} is not in the index")
            x.flip(x.path("index", "data.mdb"), place + at)
            remark(x)
        return flip
    damaged(stopped, "INDEX_ENTRY", in_index(b"seven"))
    damaged(stopped, "INDEX_ENDS", lambda x: (os.truncate(x.path("index", "data.mdb"), 9000), remark(x)))

    def no_meta(x):
        with open(x.path("index", "data.mdb"), "r+b") as f:
            f.write(b"x" * 8192)
        remark(x)
    damaged(stopped, "INDEX_UNREADABLE", no_meta)
    damaged(stopped, "INDEX_OTHER", lambda x: x.flip(x.path("index", "data.mdb"), 4096 * 2 + 100))

    def mark(x):
        x.flip(x.path("clean"), 9)
    damaged(stopped, "CLEAN_DAMAGED", mark)


def test_an_index_that_is_no_file_is_told_and_refused(killed, stopped):
    """A pipe, which would be waited for, and a folder."""
    for made, name in (killed, "data.mdb"), (stopped, "data.mdb"), (stopped, "lock.mdb"):
        for put, taken in (os.mkfifo, True), (os.mkdir, False):
            with Copy(made) as x:
                path = x.path("index", name)
                os.remove(path)
                put(path)
                lines = inspect(x.data, status=1)
                same([(line["finding"], line["path"]) for line in lines if line["type"] == "damage"],
                     [("INDEX_NO_FILE", path)], "damage")
                said = x.refused()
                same((path in said, "no regular file" in said, os.path.exists(path)), (True, True, True), f"refusal: {said}")
                said = refused(x.data, "--rebuild-index", status=0 if taken else 1)
                same(("index deleted" if taken else "can't be deleted") in said, True, said)
                if taken:
                    daemon = x.start()
                    same(len(values(daemon)[0]), N, "records")
                    daemon.kill()


def test_an_index_of_a_size_that_none_has_is_not_read_through(killed, stopped):
    for made, finding in (killed, []), (stopped, ["INDEX_OTHER"]):
        with Copy(made) as x:
            try:
                os.truncate(x.path("index", "data.mdb"), 1 << 40)
            except OSError:
                raise Skip("the filesystem has no files of 1 TB") from None
            same(findings(inspect(x.data, status=1 if finding else 0)), finding, "damage")
            daemon = x.start()
            with open(f"/proc/{daemon.process.pid}/io") as f:
                same(int(f.readline().split()[1]) < 1 << 30, True, "bytes that the start has read are few")
            same("index is not as it was left" in daemon.said(), bool(finding), "it is told")
            same(len(values(daemon)[0]), N, "records")
            same(daemon.stop(), 0, "status")
            same(os.path.getsize(x.path("index", "data.mdb")) < 1 << 30, True, "the index is a small one again")


def test_a_forged_mark_of_a_clean_end_is_found(killed, _stopped):
    # The index of an empty folder, vouched for above a log that has records.
    daemon = weir_daemon.start(options(SETTINGS))
    same(daemon.stop(), 0, "status")

    def forge(x):
        shutil.rmtree(x.path("index"))
        shutil.copytree(os.path.join(daemon.dir, "index"), x.path("index"))
        remark(x)
    same("INDEX_LACKS" in findings(damaged(killed, ["INDEX_BEHIND", "INDEX_LACKS", "INDEX_SEGMENT"], forge)), True, "found")
    daemon.clean()


# ---- repairs ----

def test_nothing_is_repaired_that_is_whole(killed, stopped):
    for made in killed, stopped:
        with Copy(made) as x:
            before = {path: content for path, (_, content) in tree(x.data).items()}
            same("nothing was found" in refused(x.data, "--rebuild-index"), True, "why")
            same("nothing is damaged" in refused(x.data, "--skip-batch", "log-0:5"), True, "why")
            same("no such partition" in refused(x.data, "--skip-batch", "none-0:5"), True, "why")
            same({path: content for path, (_, content) in tree(x.data).items()}, before, "the folder")


def test_the_index_is_rebuilt(killed, stopped):
    daemon = weir_daemon.start(options(SETTINGS))
    same(daemon.stop(), 0, "status")
    for made in killed, stopped:
        with Copy(made) as x:
            shutil.rmtree(x.path("index"))
            shutil.copytree(os.path.join(daemon.dir, "index"), x.path("index"))
            remark(x)
            same("index deleted" in refused(x.data, "--rebuild-index", status=0), True, "what it did")
            same(findings(inspect(x.data)), [], "damage behind it")
            copy = x.start()
            same(len(values(copy)[0]), N, "records")
            c = client(copy)
            same(committed(c, "txn"), [b"kept"], "what is committed")
            c.close()
            goes_on(copy, N)
            same(copy.stop(), 0, "status")
            same(findings(inspect(x.data)), [], "damage after a start")
    daemon.clean()


def forget(x, offset):
    """Damages what the journal has of the topic "log" at this offset."""
    block = damaged = None
    for line in inspect(x.data, "--journal"):
        block = line if line.get("is") == "block" else block
        if line["type"] == "entry" and line.get("topic") == "log" and line.get("base_offset") == offset:
            damaged = block
    x.flip(damaged["path"], damaged["position"] + 30)


def linked(x, name):
    """Puts a file or folder elsewhere, and a symbolic link in its place; where it is now."""
    there = os.path.join(x.folder, "elsewhere-" + name.replace("/", "-"))
    os.rename(x.path(name), there)
    os.symlink(there, x.path(name))
    return there


def test_an_index_behind_a_link_is_used_and_not_deleted_by_a_repair(killed, stopped):
    for made in killed, stopped:
        with Copy(made) as x:
            there = linked(x, "index")
            same(findings(inspect(x.data)), [], "damage")
            daemon = x.start()
            same((len(values(daemon)[0]), daemon.stop()), (N, 0), "records, and status")
            same(sorted(os.listdir(there)), ["data.mdb", "lock.mdb"], "what the daemon has behind the link")
            os.truncate(os.path.join(there, "data.mdb"), 9000)
            before = tree(there)
            said = refused(x.data, "--rebuild-index")
            same(("symbolic link" in said, x.path("index") in said, tree(there)), (True, True, before), f"refusal: {said}")
            os.unlink(x.path("index"))
            os.rename(there, x.path("index"))
            same("index deleted" in refused(x.data, "--rebuild-index", status=0), True, "with the folder in its place")
            # What its daemon finds damaged behind a link it makes anew: there it is at home.
            there = linked(x, "index")
            with open(os.path.join(there, "data.mdb"), "wb") as f:
                f.write(b"x" * 9000)
            daemon = x.start()
            same((len(values(daemon)[0]), daemon.stop()), (N, 0), "records, and status")
            same(findings(inspect(x.data)), [], "damage after a start")


def test_nothing_is_wiped_behind_a_link(_killed, stopped):
    for name in "index", "journal", "journal/0.journal":
        with Copy(stopped) as x:
            path, position, _ = x.batches()[5]
            x.flip(path, position + 100)
            forget(x, 5)
            there = linked(x, name)
            before = tree(x.data), tree(there) if os.path.isdir(there) else open(there, "rb").read()
            said = refused(x.data, "--skip-batch", "log-0:5")
            same(("symbolic link" in said, x.path(name) in said), (True, True), f"refusal: {said}")
            same((tree(x.data), tree(there) if os.path.isdir(there) else open(there, "rb").read()), before, "what is there")
            os.unlink(x.path(name))
            os.rename(there, x.path(name))
            same("batch skipped" in refused(x.data, "--skip-batch", "log-0:5", status=0), True, "without the link")


def test_a_batch_is_skipped(_killed, stopped):
    """In the middle, several in a row, the first of all, the last of all, and where the file is cut."""
    for offsets in (5,), (5, 6, 7), (0,), (N - 1,), "cut":
        with Copy(stopped) as x:
            shutil.rmtree(x.path("journal"))
            places = x.batches()
            if offsets == "cut":
                offsets = (N - 1,)
                os.truncate(places[N - 1][0], places[N - 1][1] + 20)
            else:
                for path, position, _ in (places[offset] for offset in offsets):
                    x.flip(path, position + 100)
            path, at, _ = places[offsets[0]]
            with open(path, "rb") as f:
                was = f.read()
            said = refused(x.data, "--skip-batch", f"log-0:{offsets[0]}", status=0)
            kept = said.split("kept=")[1].split()[0]
            with open(kept, "rb") as f:
                content = f.read()
            same(content, was[at:at + len(content)], "what is kept beside")
            same(findings(inspect(x.data)), [], f"damage behind it, of {offsets}")
            empty, = [b for b in inspect(x.data, "--batches", "log") if b.get("count") == 0]
            same((empty["base_offset"], empty["last_offset"], empty["size"]), (offsets[0], offsets[-1], 61), "the empty one")
            daemon = x.start()
            got, code = values(daemon)
            same((sorted(got), code), ([i for i in range(N) if i not in offsets], 0), "offsets that are served")
            goes_on(daemon, N)
            same(daemon.stop(), 0, "status")
            same(findings(inspect(x.data)), [], "damage after a start")


def test_the_end_of_a_partition_is_not_forgotten_with_the_index(_killed, stopped):
    with Copy(stopped) as x:
        shutil.rmtree(x.path("journal"))
        path, position, _ = x.batches()[N - 1]
        x.flip(path, position + 100)
        os.remove(x.segments()[0])
        same("--skip-batch" in refused(x.data, "--rebuild-index"), True, "why")
    with Copy(stopped) as x:
        shutil.rmtree(x.path("journal"))
        os.remove(x.segments()[-1])
        refused(x.data, "--rebuild-index", status=0)
        same(findings(inspect(x.data)), [], "damage behind it")
        daemon = x.start()
        same(sorted(values(daemon)[0]), list(range(40)), "offsets that are served")
        goes_on(daemon, N)
        daemon.kill()


def test_what_the_journal_has_is_put_back(_killed, stopped):
    with Copy(stopped) as x:
        x.flip(x.segments()[0], 1000)
        damage, = [line for line in inspect(x.data, status=1) if line["type"] == "damage"]
        same(damage["finding"], "BATCH_JOURNALED", "finding")
        same("--rebuild-index" in refused(x.data, "--skip-batch", f"log-0:{damage['first_offset']}"), True, "why")
        refused(x.data, "--rebuild-index", status=0)
        daemon = x.start()
        same(len(values(daemon)[0]), N, "records")
        daemon.kill()


def test_a_skip_that_is_cut_goes_on(_killed, stopped):
    """As after each step: the daemon starts, and gives no offset out again."""
    steps = [("clean",), ("clean", "journal"), ("clean", "journal", "index")]
    for offset in 5, N - 1:
        for gone in steps:
            with Copy(stopped) as x, Copy(stopped) as done:
                for y in x, done:
                    shutil.rmtree(y.path("journal"))
                    path, position, _ = y.batches()[offset]
                    y.flip(path, position + 100)
                refused(done.data, "--skip-batch", f"log-0:{offset}", status=0)
                # What was written before the first step: all new files, of which one is not renamed yet.
                for path in done.segments():
                    there = path.replace(done.data, x.data)
                    if not os.path.exists(there):
                        shutil.copy(path, there)
                for name in gone:
                    path = x.path(name)
                    if os.path.isdir(path):
                        shutil.rmtree(path)
                    elif os.path.exists(path):
                        os.remove(path)
                daemon = x.start()
                goes_on(daemon, N)
                daemon.kill()


def test_a_skip_needs_an_end_in_order(_killed, stopped):
    with Copy(stopped) as x:
        os.remove(x.path("clean"))
        path, position, _ = x.batches()[5]
        x.flip(path, position + 100)
        forget(x, 5)
        same("start weir-logd" in refused(x.data, "--skip-batch", "log-0:5"), True, "why")


def main():
    made = {}
    for how in "kill", "stop":
        daemon = weir_daemon.start(options(SETTINGS))
        fill(daemon)
        getattr(daemon, how)()
        made[how] = daemon
    counts = run(globals(), made["kill"].dir, made["stop"].dir)
    for daemon in made.values():
        daemon.clean()
    finish(*counts)


if __name__ == "__main__":
    main()
