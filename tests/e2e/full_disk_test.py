#!/usr/bin/python3
"""full_disk_test.py -- a change that is answered with an error because the disk is
full has not happened: not then, and not at the next start; and what is answered
without one is there at the next start.  What retention deletes makes room.

On a small filesystem of its own, which takes root.  WEIR_LOGD names the daemon.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import raw_client
import weir_daemon
from claims import finish, options, run, same, until
from raw_calls import batch

BYTES = 100 << 20
SETTINGS = {"weir.journal.bytes": 16 << 20, "log.segment.bytes": 1 << 20, "log.retention.check.interval.ms": 200}
RESERVE = 4 << 20
TOPIC, BROKER = 2, 4
SET = 0
OUT_OF_RANGE, UNKNOWN_TOPIC, STORAGE = 1, 3, 56


class Place:
    """A small filesystem with a daemon on it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="weir-full-")
        self.disk = os.path.join(self.folder, "data")
        self.filler = os.path.join(self.disk, "filler")
        self.reserve = os.path.join(self.disk, "reserve")
        self.settings = tempfile.NamedTemporaryFile(mode="w+", prefix="weir-full-")
        self.options = options({**SETTINGS, "weir.snapshot.dir": self.folder})
        self.daemon = self.c = None
        os.mkdir(self.disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={BYTES}", "weir-full", self.disk], check=False,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if mounted.returncode != 0:
            shutil.rmtree(self.folder)
            print("skipped full_disk: a filesystem of its own can't be mounted here")
            finish(0, 0, 1)

    def start(self):
        self.daemon = weir_daemon.start(["-c", self.settings.name, *self.options], self.folder)
        self.c = raw_client.Client(self.daemon.host, self.daemon.port, 30)

    def again(self):
        self.c.close()
        same(self.daemon.stop(), 0, "status of the daemon")
        self.start()

    def end(self):
        if self.daemon is not None:
            self.daemon.kill()
        subprocess.run(["umount", self.disk], check=True)
        shutil.rmtree(self.folder)

    def fill(self):
        """Takes all room, to the last record of the daemon's own; what it gives back meanwhile, too."""
        def refused():
            with open(self.filler, "ab", buffering=0) as file:
                for size in 1 << 16, 1 << 12:
                    try:
                        while True:
                            file.write(bytes(size))
                    except OSError:
                        pass
            return self.make("filler-%d" % next(self.numbers)) == STORAGE

        until("a topic that is refused", refused)

    numbers = iter(range(1 << 30))

    def make_room(self):
        os.unlink(self.filler)
        until("a topic that is made", lambda: self.make("filler-%d" % next(self.numbers)) == 0)

    def retain(self, ms):
        """How long records of all topics are kept from now on."""
        self.settings.seek(0)
        self.settings.truncate()
        self.settings.write(f"log.retention.ms = {ms}\n")
        self.settings.flush()
        self.daemon.signal(signal.SIGHUP)
        until("the setting is taken up", lambda: self.setting(BROKER, "1", "log.retention.ms") == str(ms))

    # ---- one thing at a time: the code that it is answered with ----

    def make(self, name, partitions=1):
        made = self.c.ask("create_topics", 7, topics=[{"name": name, "num_partitions": partitions, "replication_factor": 1}])
        return made["topics"][0]["error_code"]

    def grow(self, name, count):
        return self.c.ask("create_partitions", 1, topics=[{"name": name, "count": count, "assignments": None}])["results"][0]["error_code"]

    def drop(self, name):
        return self.c.ask("delete_topics", 5, topic_names=[name])["responses"][0]["error_code"]

    def alter(self, kind, name, setting, value):
        change = {"name": setting, "config_operation": SET, "value": value}
        asked = [{"resource_type": kind, "resource_name": name, "configs": [change]}]
        return self.c.ask("incremental_alter_configs", 1, resources=asked)["responses"][0]["error_code"]

    def setting(self, kind, name, setting):
        asked = [{"resource_type": kind, "resource_name": name, "configuration_keys": [setting]}]
        return self.c.ask("describe_configs", 1, resources=asked)["results"][0]["configs"][0]["value"]

    def topic(self, name, create=False):
        """(code, number of partitions)"""
        topic = self.c.ask("metadata", 9, topics=[{"name": name}], allow_auto_topic_creation=create)["topics"][0]
        return topic["error_code"], len(topic["partitions"])

    def commit(self, group, topic, partitions):
        told = self.c.ask("offset_commit", 8, group_id=group, topics=[
            {"name": topic, "partitions": [{"partition_index": n, "committed_offset": 7} for n in range(partitions)]}])
        return told["topics"][0]["partitions"][0]["error_code"]

    def groups(self):
        """Who has committed how many offsets."""
        names = sorted(g["group_id"] for g in self.c.ask("list_groups", 4)["groups"])
        told = self.c.ask("offset_fetch", 8, groups=[{"group_id": n, "topics": None} for n in names])["groups"]
        return [(g["group_id"], sum(len(t["partitions"]) for t in g["topics"])) for g in told]

    def produce(self, name, partition=0, value=b"v"):
        """The offset of a record that is on stable storage; or the code of the error."""
        told = self.c.ask("produce", 7, acks=-1, timeout_ms=10000, topic_data=[
            {"name": name, "partition_data": [{"index": partition, "records": batch(value)}]}])
        told = told["responses"][0]["partition_responses"][0]
        return -told["error_code"] or told["base_offset"]

    def fetch(self, name, offset, max_wait_ms=0):
        """(code, log start, whether there are records)"""
        told = self.c.ask("fetch", 11, max_wait_ms=max_wait_ms, min_bytes=1, max_bytes=1 << 20, topics=[
            {"topic": name, "partitions": [{"partition": 0, "fetch_offset": offset, "partition_max_bytes": 1 << 20}]}])
        told = told["responses"][0]["partitions"][0]
        return told["error_code"], told["log_start_offset"], bool(told["records"])


def test_what_a_full_disk_refused_has_not_happened(place):
    for name in "dropped", "grown", "altered":
        same((place.make(name), place.produce(name)), (0, 0), name)
    place.fill()
    same(place.make("made"), STORAGE, "code of the creation")
    same(place.topic("auto", create=True), (STORAGE, 0), "an automatic creation")
    same(place.grow("grown", 2), STORAGE, "code of more partitions")
    same(place.drop("dropped"), STORAGE, "code of the deletion")
    same(place.alter(TOPIC, "altered", "retention.ms", "777777"), STORAGE, "code of a topic's alteration")
    same(place.alter(BROKER, "1", "num.partitions", "7"), STORAGE, "code of the broker's alteration")

    def check(when):
        same([place.topic(n) for n in ("made", "auto", "grown", "dropped", "altered")],
             [(UNKNOWN_TOPIC, 0)] * 2 + [(0, 1)] * 3, "topics " + when)
        same(place.setting(TOPIC, "altered", "retention.ms"), "604800000", "a topic's setting " + when)
        same(place.setting(BROKER, "1", "num.partitions"), "1", "the broker's setting " + when)

    check("at once")
    place.make_room()
    same(place.produce("dropped"), 1, "the next record of what was to be deleted")
    place.again()
    check("after the next start")


def test_what_is_asked_for_again_lasts(place):
    place.fill()
    for call in (lambda: place.make("made"), lambda: place.grow("grown", 2), lambda: place.drop("dropped"),
                 lambda: place.alter(TOPIC, "altered", "retention.ms", "777777")):
        same(call(), STORAGE, "code on a full disk")
    place.make_room()
    same([place.make("made"), place.grow("grown", 2), place.drop("dropped"), place.make("dropped"),
          place.alter(TOPIC, "altered", "retention.ms", "777777")], [0] * 5, "codes with room")
    same([place.produce("made"), place.produce("grown", 1), place.produce("dropped")], [0] * 3, "offsets")
    for _ in range(2):
        place.again()
        names = [t["name"] for t in place.c.ask("metadata", 9, topics=None)["topics"]]
        same(sorted(n for n in names if not n.startswith("filler-")), ["altered", "dropped", "grown", "made"], "topics")
        same(place.setting(TOPIC, "altered", "retention.ms"), "777777", "the setting")
    same([place.produce("made"), place.produce("grown", 1), place.produce("dropped")], [1] * 3, "offsets later")


def test_groups_stay_that_a_full_disk_kept_from_being_deleted(place):
    # So many that to delete them takes more than the rest of a page.
    same(place.make("wide", 300), 0, "code of the creation")
    same([place.commit(g, "wide", 300) for g in ("one", "two")], [0, 0], "codes of the commits")
    place.fill()
    same(place.commit("three", "wide", 300), STORAGE, "code of a new group's commit")
    told = place.c.ask("delete_groups", 2, groups_names=["one", "two"])["results"]
    same([r["error_code"] for r in told], [STORAGE] * 2, "codes of the deletion")
    same(place.groups(), [("one", 300), ("two", 300)], "groups and their offsets")
    place.make_room()
    place.again()
    same(place.groups(), [("one", 300), ("two", 300)], "after the next start")


def test_retention_makes_room_on_a_full_disk(place):
    place.retain(-1)
    until("the reserve", lambda: os.path.exists(place.reserve) and os.path.getsize(place.reserve) == RESERVE)
    same(place.make("flow"), 0, "code of the creation")
    same([place.produce("flow", value=bytes(100000)) for _ in range(120)], list(range(120)), "offsets")
    place.fill()
    same(place.produce("flow", value=bytes(100000)), -STORAGE, "code of a record on the full disk")
    same(place.fetch("flow", 0), (0, 0, True), "a fetch on the full disk")
    place.retain(1)
    until("a record that is taken", lambda: place.produce("flow") >= 0)
    code, start, _ = place.fetch("flow", 0)
    same((code, start >= 120), (OUT_OF_RANGE, True), "a fetch of what has gone")
    until("the reserve again", lambda: os.path.exists(place.reserve) and os.path.getsize(place.reserve) == RESERVE)


def test_a_full_disk_is_told_of_once(place):
    place.fill()
    before = len(place.daemon.said())

    def said():
        return place.daemon.said()[before:]

    def tries():
        place.daemon.signal(signal.SIGUSR1)
        return max(map(int, re.findall(r" checkpoints_failed=(\d+)", said())), default=0)

    place.daemon.signal(signal.SIGUSR2)
    until("what becomes of a snapshot", lambda: "snapshot asked for" in said())
    until("a try", lambda: tries() > 0)
    first = tries()
    until("another", lambda: tries() > first)
    same((said().count("checkpoint put off") <= 1, said().count("can't be committed")), (True, 0), f"lines: {said()}")
    place.make_room()
    until("the snapshot", lambda: "snapshot made" in said())


def test_a_start_on_a_full_disk_has_the_reserve(place):
    place.retain(-1)
    first = place.produce("flow", value=bytes(100000))
    same([place.produce("flow", value=bytes(100000)) for _ in range(60)], list(range(first + 1, first + 61)), "offsets")
    place.fill()
    place.daemon.kill()
    place.c.close()
    same(shutil.disk_usage(place.disk).free < RESERVE / 4, True, "the disk is full")
    place.start()
    same(place.fetch("flow", first), (0, place.fetch("flow", 0)[1], True), "a fetch on the full disk")
    place.retain(1)
    until("a record that is taken", lambda: place.produce("flow") >= 0)
    place.make_room()
    place.again()
    same(place.produce("flow") > 0, True, "a record after the next start")


if __name__ == "__main__":
    here = Place()
    try:
        here.start()
        counts = run(globals(), here)
        if counts[1]:
            print("".join("  log: " + line for line in here.daemon.said().splitlines(True)[-30:]))
    finally:
        here.end()
    finish(*counts)
