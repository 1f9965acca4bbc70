#!/usr/bin/python3
"""clients_kcat_test.py -- kcat, unmodified: every codec, keys, headers, nulls,
acks, ways to say where to read from, metadata, and a group that changes."""

import json
import os
import shutil
import time

from claims import finish, main, same, until
from groups import balanced
from kcat import Member, kcat

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def produce(daemon, topic, *arguments, data):
    kcat(daemon, "-P", "-t", topic, "-p", "0", *arguments, data=data)


def consume(daemon, topic, *arguments):
    return kcat(daemon, "-C", "-t", topic, "-p", "0", "-e", "-X", "fetch.wait.max.ms=10", *arguments).splitlines()


def stored_codecs(daemon):
    """The codecs of the batches in each segment, by its path: what clients really sent."""
    found = {}
    for folder, _, names in os.walk(os.path.join(daemon.dir, "logs")):
        for path in (os.path.join(folder, name) for name in names if name.endswith(".log")):
            with open(path, "rb") as log:
                data = log.read()
            codecs, at = set(), 0
            while at + 61 <= len(data) and (size := int.from_bytes(data[at + 8:at + 12], "big")) > 0:
                codecs.add(CODECS[int.from_bytes(data[at + 21:at + 23], "big") & 7])
                at += 12 + size
            if codecs:
                found[path] = codecs
    return found


def test_every_codec_is_taken_and_given_back(daemon):
    for codec in CODECS:
        topic = f"codec-{codec}"
        lines = [f"{codec} line {i} " + "weir " * 20 for i in range(2000)]
        kcat(daemon, "-L", "-t", topic)  # makes it
        before = stored_codecs(daemon).keys()
        produce(daemon, topic, "-z", codec, "-X", "acks=all", data="\n".join(lines) + "\n")
        same(consume(daemon, topic, "-o", "beginning"), lines, codec)
        # A client that misses an API version sends plain batches, without a word.
        new = until("a new segment", lambda b=before: [c for p, c in stored_codecs(daemon).items() if p not in b])
        same(new, [{codec}], f"what was sent as {codec}")


def test_keys_headers_and_nulls_come_back(daemon):
    produce(daemon, "shape", "-K", "|", "-Z", "-H", "a=1", "-H", "b=two", "-H", "a=again",
         data="k1|v1\n|v2\nk3|\n")
    produce(daemon, "shape", "-Z", data="only a value\n")
    got = [json.loads(line) for line in consume(daemon, "shape", "-J", "-o", "beginning")]
    headers = ["a", "1", "b", "two", "a", "again"]
    same([(r["key"], r["payload"], r.get("headers")) for r in got],
         [("k1", "v1", headers), (None, "v2", headers), ("k3", None, headers), (None, "only a value", None)])
    same([r["offset"] for r in got], [0, 1, 2, 3])


def test_all_acks_are_stored(daemon):
    for acks in ["0", "1", "all"]:
        produce(daemon, f"acks-{acks}", "-X", f"acks={acks}", data="".join(f"{i}\n" for i in range(500)))
        wanted = [str(i) for i in range(500)]
        # Nothing tells when a record of acks=0 has arrived.
        until(f"acks {acks}", lambda a=acks: consume(daemon, f"acks-{a}", "-o", "beginning") == wanted, 10)


def test_an_idempotent_producer_is_served(daemon):
    produce(daemon, "once", "-X", "enable.idempotence=true", data="".join(f"{i}\n" for i in range(2000)))
    same(consume(daemon, "once", "-o", "beginning"), [str(i) for i in range(2000)])


def test_partitions_keep_what_they_are_given(daemon):
    for partition in range(4):
        kcat(daemon, "-P", "-t", "parts", "-p", str(partition), data=f"into {partition}\n")
    for partition in range(4):
        same(kcat(daemon, "-C", "-t", "parts", "-p", str(partition), "-o", "beginning", "-e"), f"into {partition}\n")


def test_reading_begins_where_it_is_told(daemon):
    produce(daemon, "where", data="".join(f"{i}\n" for i in range(100)))
    same(consume(daemon, "where", "-o", "beginning", "-c", "2"), ["0", "1"])
    same(consume(daemon, "where", "-o", "97"), ["97", "98", "99"])
    same(consume(daemon, "where", "-o", "-2"), ["98", "99"])
    same(consume(daemon, "where", "-o", "end"), [])


def test_reading_begins_at_a_time(daemon):
    for batch in range(3):
        produce(daemon, "times", data="".join(f"{batch} {i}\n" for i in range(10)))
        time.sleep(0.01)  # the next batch is of a later millisecond
    stamps = [(int(line.split()[0]), int(line.split()[1]))
              for line in consume(daemon, "times", "-o", "beginning", "-f", "%T %o\n")]
    same(len(stamps), 30)
    at = stamps[10][0]
    first = next(offset for stamp, offset in stamps if stamp >= at)
    got = consume(daemon, "times", "-o", f"s@{at}", "-f", "%o\n")
    same(got, [str(o) for o in range(first, 30)])
    last = stamps[20][0]
    end = next(offset for stamp, offset in stamps if stamp >= last)
    same(consume(daemon, "times", "-o", f"s@{at}", "-o", f"e@{last}", "-f", "%o\n"),
         [str(o) for o in range(first, end)])
    # -Q asks ListOffsets for a time, and nothing else.
    same(kcat(daemon, "-Q", "-t", f"times:0:{at}").strip(), f"times [0] offset {first}")


def test_metadata_is_listed(daemon):
    seen = json.loads(kcat(daemon, "-L", "-J"))
    same([b["name"] for b in seen["brokers"]], [daemon.address])
    same(seen["controllerid"], seen["brokers"][0]["id"])
    topics = {t["topic"]: t for t in seen["topics"]}
    same(sorted(p["partition"] for p in topics["parts"]["partitions"]), [0, 1, 2, 3])
    for partition in topics["parts"]["partitions"]:
        same((partition["leader"], [r["id"] for r in partition["replicas"]], [r["id"] for r in partition["isrs"]]),
             (1, [1], [1]))
    one = json.loads(kcat(daemon, "-L", "-J", "-t", "parts"))
    same([t["topic"] for t in one["topics"]], ["parts"])


def test_large_records_pass(daemon):
    big = "x" * 900000
    produce(daemon, "large", data=big + "\nsmall\n")
    same(consume(daemon, "large", "-o", "beginning"), [big, "small"])


def test_a_group_of_three_comes_and_goes(daemon):
    kcat(daemon, "-L", "-t", "grouped")  # makes it
    written = []

    def put(text, count=400):
        written.extend(f"{text} {i}" for i in range(count))
        kcat(daemon, "-P", "-t", "grouped", "-K", "|", "-X", "acks=all",
             data="".join(f"{i}|{text} {i}\n" for i in range(count)))

    members = []
    try:
        members.append(Member(daemon, "g", "grouped", "a"))
        until("one member has all", lambda: balanced(members, 4))
        put("one")
        members += [Member(daemon, "g", "grouped", name) for name in "bc"]
        until("three share", lambda: balanced(members, 4))
        put("three")
        until("each reads of its own", lambda: all(any(" " in r for r in m.records()) for m in members))
        # kcat throws away the record at hand when it is told to end, and commits it all the same.
        until("nothing is left to read", lambda: len({tuple(r.split(" ", 2)[:2]) for m in members for r in m.records()}) == len(written))
        members[0].leave()
        until("two share", lambda: balanced(members[1:], 4))
        put("two")
        members.append(Member(daemon, "g", "grouped", "d"))
        until("three share again", lambda: balanced(members[1:], 4))
        put("again")
        members[1].die()
        until("the dead one is found out", lambda: balanced(members[2:], 4))
        put("last")
        ends = [kcat(daemon, "-Q", "-t", f"grouped:{p}:-1") for p in range(4)]
        places = {(str(p), str(o)) for p in range(4) for o in range(int(ends[p].split()[-1]))}
        # What a member read and had not committed when it died is read again, and nothing else is.
        def read():
            return [r.split(" ", 2) for m in members for r in m.records()]
        until("all is read", lambda: {(r[0], r[1]) for r in read()} == places)
        same(sorted({(r[0], r[1]): r[2] for r in read()}.values()), sorted(written))
        again = len(read()) - len(written)
        assert again <= 400, f"{again} records were read twice: commits are lost"
        for member in members[2:]:
            member.leave()
    finally:
        for member in members:
            if member.process.poll() is None:
                member.die()


def test_a_group_goes_on_where_it_was(daemon):
    member = Member(daemon, "g", "grouped", "late")
    until("it has all", lambda: balanced([member], 4))
    kcat(daemon, "-P", "-t", "grouped", "-p", "2", data="the only new one\n")
    until("it reads the new one", member.records)
    member.leave()
    same([r.split(" ", 2)[2] for r in member.records()], ["the only new one"])


if __name__ == "__main__":
    if shutil.which("kcat") is None:
        print("skipped kcat: it is not installed (Debian: kcat)")
        finish(0, 0, 1)
    main(globals(), {"num.partitions": 4})
