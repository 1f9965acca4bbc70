#!/usr/bin/python3
"""real_input_test.py -- an event for each file and package of this machine, as a
keyed JSON record, through 12 partitions: produced with kcat and acks=all, read
back with kcat, and by a group whose members come and go meanwhile; all compared
record by record with what was sent."""

import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import weir_daemon
from claims import end, finish, options, run, same, until
from groups import balanced
from kcat import Member

PARTITIONS = 12
LEAST = 200000  # events
MOST_FILES = 250000  # so that a machine with many files does not take long
TOPIC = "machine"


def files():
    """What find knows of each file of this machine's root."""
    find = subprocess.Popen(["find", "/", "-xdev", "-printf", r"%y %s %T@ %m %p\0"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    said = subprocess.run(["head", "-z", "-n", str(MOST_FILES)], stdin=find.stdout, stdout=subprocess.PIPE, check=True)
    find.stdout.close()
    find.wait()
    for line in said.stdout.decode(errors="backslashreplace").split("\0")[:-1]:
        kind, size, when, mode, path = line.split(" ", 4)
        yield path, {"event": "file", "path": path, "type": kind, "size": int(size), "mtime": float(when), "mode": mode}


def packages():
    """What dpkg knows of each package; nothing where there is no dpkg."""
    if shutil.which("dpkg-query") is None:
        return
    said = subprocess.run(["dpkg-query", "-W", "-f", r"${Package}:${Architecture}\t${Version}\t${Installed-Size}\n"],
                          check=True, stdout=subprocess.PIPE).stdout
    for line in said.decode().splitlines():
        name, version, size = line.split("\t")
        yield f"package {name}", {"event": "package", "name": name, "version": version, "size": int(size or 0)}


def events():
    """(key, value) lines, in the order in which they happen: all are seen, then seen again till there are enough."""
    things = [*packages(), *files()]
    lines, turn = [], 0
    while turn < 2 or len(lines) < LEAST:
        # Of many, some are enough for keys to have an order.
        some = things if len(things) < LEAST or turn == 0 else things[::5]
        for key, value in some:
            # Escaped as in JSON, a key has no tab and no line's end.
            lines.append((json.dumps(key)[1:-1], json.dumps({**value, "turn": turn})))
        turn += 1
    return lines


class Stream:
    """What goes through the daemon, and what the tests found out about it."""

    def __init__(self, daemon, folder):
        self.daemon = daemon
        self.folder = folder
        self.sent = events()
        self.places = {}  # (partition, offset) -> (key, value), as read back

    def by_key(self):
        keys = collections.defaultdict(list)
        for key, value in self.sent:
            keys[key].append(value)
        return keys


def parse(line):
    place, value = line.rstrip(b"\n").split(b"\t", 1)
    partition, offset, key = place.split(b" ", 2)
    return (int(partition), int(offset)), (key.decode(), value.decode())


def order_of(places):
    """The values of each key, in the order of their partition."""
    keys = collections.defaultdict(list)
    for place in sorted(places):
        key, value = places[place]
        keys[key].append((place[0], value))
    for key, values in keys.items():
        assert len({partition for partition, _ in values}) == 1, f"{key} is in several partitions"
    return {key: [value for _, value in values] for key, values in keys.items()}


def test_the_machine_has_enough_to_tell(stream):
    print(f"  {len(stream.sent)} events of {len({key for key, _ in stream.sent})} keys")
    assert len(stream.sent) >= LEAST


def lines_in(members):
    """How many records the members have read; grows with what they write."""
    return sum(member.count() for member in members)


class Reader(Member):
    """A member that counts what it has read without reading all of it again."""

    def __init__(self, stream, name):
        super().__init__(stream.daemon, "readers", TOPIC, name, "%p %o %k\t%s\n")
        self._at = self._lines = 0

    def count(self):
        with open(self.path, "rb") as out:
            out.seek(self._at)
            new = out.read()
        self._at += len(new)
        self._lines += new.count(b"\n")
        return self._lines


def test_all_arrives_while_a_group_comes_and_goes(stream):
    daemon = stream.daemon
    subprocess.run(["kcat", "-b", daemon.address, "-L", "-t", TOPIC], check=True, stdout=subprocess.DEVNULL)
    data = [f"{key}\t{value}\n".encode() for key, value in stream.sent]
    part = len(data) // 6 + 1
    parts = iter([b"".join(data[i:i + part]) for i in range(0, len(data), part)])
    members, producers = [], []

    def all_sent():
        for producer in producers:
            same(producer.wait(60), 0, "a producer's end")

    def put():
        """Sends a sixth, and waits until the group has begun to read it."""
        all_sent()  # the order of each key is that of the parts
        before = lines_in(members)
        # One for each part: kcat keeps its last lines to itself until more come, or the end.
        producer = subprocess.Popen(["kcat", "-b", daemon.address, "-P", "-t", TOPIC, "-K", "\t", "-X", "acks=all",
                                     "-z", "lz4"], stdin=subprocess.PIPE)
        producers.append(producer)
        producer.stdin.write(next(parts))
        producer.stdin.close()
        until("the group reads", lambda: lines_in(members) > before + part // 10)

    def come(*names):
        members.extend(Reader(stream, name) for name in names)

    def share(count):
        live = [m for m in members if m.process.poll() is None]
        same(len(live), count)
        until(f"{count} share the partitions", lambda: balanced(live, PARTITIONS))

    try:
        come("a")
        share(1)
        put()
        come("b", "c")
        share(3)
        put()
        # kcat throws away the record at hand when it is told to end, and commits it all the same.
        all_sent()
        until("nothing is left to read", lambda: lines_in(members) >= 2 * part)
        members[0].leave()
        share(2)
        put()
        come("d")
        share(3)
        put()
        members[1].die()
        put()
        share(2)
        come("e")
        share(3)
        put()
        all_sent()
        # Each has been read at least once: what is counted twice can't make up for what is missing.
        until("all is read", lambda: lines_in(members) >= len(stream.sent))
        stream.group = {}

        def all_places():
            stream.group = {}
            for member in members:
                with open(member.path, "rb") as out:
                    for line in out:
                        if line.endswith(b"\n"):
                            place, record = parse(line)
                            same(stream.group.setdefault(place, record), record, "a record that was read twice")
            return len(stream.group) >= len(stream.sent)

        until("nothing is missing", all_places)
        for member in members[2:]:
            member.leave()
    finally:
        for member in members:
            if member.process.poll() is None:
                member.die()
        for producer in producers:
            producer.kill()
    again = lines_in(members) - len(stream.sent)
    print(f"  {again} records were read again after a member had died")


def test_all_is_read_back(stream):
    path = os.path.join(stream.folder, "read")
    with open(path, "wb") as out:
        subprocess.run(["kcat", "-b", stream.daemon.address, "-C", "-q", "-t", TOPIC, "-o", "beginning", "-e",
                        "-f", "%p %o %k\t%s\n"], check=True, timeout=60, stdout=out)
    with open(path, "rb") as lines:
        stream.places = dict(parse(line) for line in lines)
    same(len(stream.places), len(stream.sent))
    # Offsets without a gap, in each of the partitions.
    for partition in range(PARTITIONS):
        offsets = sorted(o for p, o in stream.places if p == partition)
        assert offsets and offsets == list(range(len(offsets))), f"partition {partition} has gaps"


def test_it_is_what_was_sent_in_the_order_of_each_key(stream):
    same(order_of(stream.places) == stream.by_key(), True, "the values of each key, in their order")


def test_the_group_has_read_the_same(stream):
    same(stream.group == stream.places, True, "what the group has read, at each place")


def test_the_group_has_committed_all(stream):
    late = Reader(stream, "late")
    until("it has all partitions", lambda: balanced([late], PARTITIONS))
    subprocess.run(["kcat", "-b", stream.daemon.address, "-P", "-t", TOPIC, "-p", "0", "-K", "\t"], check=True,
                   input=b"last\tthe only new one\n")
    until("it reads the new one", late.count)
    late.leave()
    with open(late.path, "rb") as out:
        same([parse(line)[1] for line in out], [("last", "the only new one")])


if __name__ == "__main__":
    for program in ("kcat", "find"):
        if shutil.which(program) is None:
            print(f"skipped real_input: {program} is not installed")
            finish(0, 0, 1)
    with tempfile.TemporaryDirectory() as place:
        began = time.monotonic()
        served = weir_daemon.start(options({"num.partitions": PARTITIONS}))
        counts = end(served, *run(globals(), Stream(served, place)))
        print(f"  {time.monotonic() - began:.0f} s in all")
    sys.stdout.flush()
    finish(*counts)
