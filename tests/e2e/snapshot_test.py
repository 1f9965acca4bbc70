#!/usr/bin/python3
"""snapshot_test.py -- a copy of all data, made while everything goes on, and a daemon on that copy.  WEIR_LOGD names the daemon."""
import os
import shutil
import signal
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import weir_daemon
from claims import finish, options, run, same, until
from raw_calls import batch, client, ends, make
from transactions_test import Producer, committed, fetch, offset_of


def commit(c, group, topic, offset):
    a = c.ask("offset_commit", 2, group_id=group, generation_id_or_member_epoch=-1, member_id="", retention_time_ms=-1,
              topics=[{"name": topic, "partitions": [
                  {"partition_index": 0, "committed_offset": offset, "committed_metadata": ""}]}])
    same(a["topics"][0]["partitions"][0]["error_code"], 0, "code of the commit")


def send(c, topic, number, value):
    a = c.ask("produce", 7, acks=-1, timeout_ms=10000, topic_data=[
        {"name": topic, "partition_data": [{"index": number, "records": batch(value)}]}])
    p = a["responses"][0]["partition_responses"][0]
    same(p["error_code"], 0, "code")
    return p["base_offset"]


class Load(threading.Thread):
    """Appends to two partitions in turn, a committed offset behind each pair; the same in transactions."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.c, self.over, self.n = client(daemon), threading.Event(), 0
        self.p = Producer(self.c, "load")

    def run(self):
        while not self.over.is_set():
            value = b"%d" % self.n
            send(self.c, "load", 0, value.ljust(2000))
            send(self.c, "load", 1, value)
            commit(self.c, "load", "load", self.n + 1)
            same((self.p.add("txn", 0, 1), self.p.send("txn", 0, value), self.p.send("txn", 1, value),
                  self.p.end(True)), ([0, 0], 0, 0, 0), "codes of a transaction")
            self.n += 1


def snapshot(daemon, folder, known):
    """Asks for one, and waits for it."""
    daemon.signal(signal.SIGUSR2)
    until("snapshot", lambda: set(complete(folder)) - known)
    name, = set(complete(folder)) - known
    known.add(name)
    return os.path.join(folder, name)


def complete(folder):
    return [n for n in os.listdir(folder) if not n.endswith(".unfinished")]


def restored(path):
    """A daemon on a copy of the snapshot."""
    folder = tempfile.mkdtemp(prefix="weir-restored-")
    shutil.copytree(path, os.path.join(folder, "data"))
    return weir_daemon.start(folder=folder), folder


def check(daemon, least):
    """What was acknowledged before is there, and all is as of one moment."""
    c = client(daemon)
    zero, one = ends(c, "load", 0, 1)
    offset = offset_of(c, "load", "load")
    if not (zero >= one >= offset >= zero - 1 and offset >= least):
        raise AssertionError(f"ends {zero} and {one}, committed {offset}, at least {least}")
    a, b = committed(c, "txn", 0), committed(c, "txn", 1)
    until("the end of what was open", lambda: committed(c, "txn", 0) == committed(c, "txn", 1))
    if abs(len(a) - len(b)) > 1 or len(a) < least - 1:
        raise AssertionError(f"{len(a)} and {len(b)} transactions")
    epoch = c.ask("metadata", 7, topics=[{"name": "load"}])["topics"][0]["partitions"][0]["leader_epoch"]
    same(send(c, "load", 0, b"goes on"), zero, "the next offset")
    c.close()
    return epoch


def test_a_snapshot_is_of_one_moment(daemon, folder):
    c = client(daemon)
    make(c, "load", 2)
    make(c, "txn", 2)
    load, known = Load(daemon), set()
    load.start()
    for _ in range(3):
        n = load.n
        until("load", lambda: load.n > n + 50)
        least = load.n
        path = snapshot(daemon, folder, known)
        copy, where = restored(path)
        try:
            if check(copy, least) == 0:
                raise AssertionError("the leader epoch was not raised")
            same(copy.stop(), 0, "status of the daemon on the copy")
        finally:
            copy.kill()
            shutil.rmtree(where)
    load.over.set()
    load.join(20)
    c.close()


def test_what_does_not_change_is_shared(daemon, folder):
    path = snapshot(daemon, folder, set(complete(folder)))
    shared = {f: os.stat(f).st_nlink for f in (os.path.join(top, name) for top, _, names in os.walk(
        os.path.join(path, "logs")) for name in names) if os.stat(f).st_nlink > 1}
    if not shared:
        raise AssertionError("no segment is shared")
    before = {f: open(f, "rb").read() for f in shared}
    c = client(daemon)
    same(c.ask("delete_topics", 5, topic_names=["load"])["responses"][0]["error_code"], 0, "code of the deletion")
    until("deletion", lambda: any(os.stat(f).st_nlink < n for f, n in shared.items()))
    same({f: open(f, "rb").read() for f in shared}, before, "what the snapshot holds")
    c.close()


def test_what_is_in_the_way_is_told(daemon, folder):
    shutil.rmtree(folder)
    daemon.signal(signal.SIGUSR2)
    until("reason", lambda: "snapshot failed" in daemon.said())
    c = client(daemon)
    make(c, "after")
    same(send(c, "after", 0, b"v"), 0, "the first offset")
    same(len(fetch(c, "after", 0)["records"]) > 0, True, "it goes on")
    c.close()


def main():
    folder = tempfile.mkdtemp(prefix="weir-snapshots-")
    daemon = weir_daemon.start(options({"weir.snapshot.dir": folder, "log.segment.bytes": 50000}))
    passed, failed, skipped = run(globals(), daemon, folder)
    status = daemon.stop()
    if failed or status != 0:
        print(daemon.said())
    daemon.clean()
    shutil.rmtree(folder, ignore_errors=True)
    finish(passed + (status == 0), failed + (status != 0), skipped)


if __name__ == "__main__":
    main()
