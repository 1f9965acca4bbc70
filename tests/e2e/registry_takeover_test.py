#!/usr/bin/python3
"""registry_takeover_test.py -- a topic as other registries have left it, taken over, written to, and handed back.

The records are made by hand: every type of key, keys of older releases and of other programs, tombstones, soft
deletions of both kinds, contexts, what can't be understood.  Another registry is played by Other, a reader that does with each
record what is known of Confluent's: what it sees in the end must be what Weir tells, also when it reads what is not
committed.
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import raw_calls
import registry_site
from claims import same, until
from registry_site import segment

INT, LONG, FLOAT, STRING = '"int"', '"long"', '"float"', '"string"'
NOOP = '{"keytype":"NOOP","magic":0}'
BROKEN = "no JSON at all"


def text(**fields):
    return json.dumps(fields, separators=(",", ":"))


def key(subject, version):
    return text(keytype="SCHEMA", subject=subject, version=version, magic=1)


def value(subject, version, number, schema, deleted=False, **more):
    return text(subject=subject, version=version, id=number, **more, schema=schema, deleted=deleted)


def of(kind, subject=None, magic=0):
    return text(keytype=kind, **({} if subject is None else {"subject": subject}), magic=magic)


USER = '{"type":"record","name":"User","namespace":"n","fields":[{"name":"at","type":"n.Place"}]}'
PLACE = '{"type":"record","name":"Place","namespace":"n","fields":[{"name":"x","type":"int"}]}'

# As they stand in the topic, oldest first.
LEFT = [
    (NOOP, None),
    # Of a release before 5.4: another magic, no type.
    (text(keytype="SCHEMA", subject="old", version=1, magic=0), text(subject="old", version=1, id=1, schema=INT, deleted=False)),
    # Of one before 6.2: what is global has a subject, which is null.
    ('{"keytype":"CONFIG","subject":null,"magic":0}', text(compatibilityLevel="FULL")),
    ('{"keytype":"MODE","subject":null,"magic":0}', text(subject=None, mode="READWRITE")),
    (key("plain", 1), value("plain", 1, 2, STRING, schemaType="AVRO", md5="ignored")),
    (key("plain", 2), value("plain", 2, 3, '"bytes"', schemaType="AVRO")),
    # Karapace, in an order of its own; and Redpanda, whose keys tell for which offset they are: the second came too late.
    ('{"subject":"karapace","version":1,"magic":1,"keytype":"SCHEMA"}', '{"subject":"karapace","version":1,"id":4,"schema":"\\"long\\""}'),
    ('{"keytype":"SCHEMA","subject":"panda","version":1,"magic":1,"seq":@HERE@,"node":0}', value("panda", 1, 5, FLOAT)),
    ('{"keytype":"SCHEMA","subject":"panda","version":1,"magic":1,"seq":3,"node":1}', value("panda", 1, 6, INT)),
    # Deleted one by one, all at once, and for good.
    (key("gone-softly", 1), value("gone-softly", 1, 2, STRING)),
    (key("gone-softly", 1), value("gone-softly", 1, 2, STRING, deleted=True)),
    (key("gone-whole", 1), value("gone-whole", 1, 2, STRING)),
    (key("gone-whole", 2), value("gone-whole", 2, 3, '"bytes"')),
    (of("DELETE_SUBJECT", "gone-whole"), text(subject="gone-whole", version=2)),
    (key("gone-whole", 3), value("gone-whole", 3, 7, '"double"')),
    (key("gone-for-good", 1), value("gone-for-good", 1, 40, '"boolean"')),
    (key("gone-for-good", 1), None),
    (key("cleared", 1), value("cleared", 1, 2, STRING, deleted=True)),
    (of("CLEAR_SUBJECT", "cleared"), text(subject="cleared")),
    # Contexts, references, other types, metadata.
    ('{"keytype":"CONTEXT","tenant":"default","context":".c","magic":0}', text(tenant="default", context=".c")),
    (key(":.c:plain", 1), value(":.c:plain", 1, 1, LONG, schemaType="AVRO")),
    (key("place", 1), value("place", 1, 8, PLACE, schemaType="AVRO")),
    (key("user", 1), text(subject="user", version=1, id=9, schemaType="AVRO", references=[{"name": "n.Place", "subject": "place", "version": 1}],
                          metadata={"properties": {"owner": "me"}}, schema=USER, deleted=False)),
    (key("json", 1), value("json", 1, 10, '{"type":"object"}', schemaType="JSON")),
    (of("CONFIG", "plain"), text(subject="plain", compatibilityLevel="NONE")),
    (of("MODE", "json"), text(subject="json", mode="READONLY")),
    (of("MODE", "none-there"), None),
    # What can't be understood is left as it is.
    (BROKEN, "{}"),
    (text(keytype="FROM_THE_FUTURE", subject="x", magic=7), "{}"),
    (key("broken", 1), "{"),
    (key("broken", 2), text(subject="broken", version=2, schema=INT)),
    (of("CONFIG", "broken"), text(compatibilityLevel="SIDEWAYS")),
    (of("CONFIG", "broken"), text(compatibilityLevel="none")),
    (of("CONFIG", "broken"), text(compatibilityLevel="NONE", compatibilityPolicy="whatever")),
    (of("MODE", "broken"), text(subject="broken", mode="readonly")),
    (key("broken", 3), value("broken", 3, 11, INT, metadata={"properties": 5})),
    (key("broken", 4), value("broken", 4, 12, INT, ruleSet={"domainRules": 5})),
    # The same id for another schema, which a second writer gave out: the first counts.
    (key("twice", 1), value("twice", 1, 3, '{"type":"map","values":"int"}')),
]
PASSED_OVER = 12  # what can't be understood, the second of an id, and that of Redpanda's which came too late


# Another registry reads no others, nor these in small letters.
WORDS = {"MODE": {"READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD"}, "policy": {"STRICT", "LENIENT", "LOGICAL"},
         "CONFIG": {"NONE", *[way + more for way in ("BACKWARD", "FORWARD", "FULL") for more in ("", "_TRANSITIVE")]}}


class Other:
    """What another registry would know, that applies each record of the topic in its order."""

    def __init__(self):
        self.versions = {} # (subject, version): [id, schema, deleted]
        self.settings = {}
        self.at = 0

    def apply(self, name, body, offset):
        try:
            k = json.loads(name)
            v = None if body is None else json.loads(body)
            kind = k["keytype"]
            if k.get("seq", offset) != offset and v is not None:
                return
            if kind == "SCHEMA":
                place = k["subject"], k["version"]
                if v is None:
                    self.versions.pop(place, None)
                elif self._readable(v) and not any(i[0] == v["id"] and i[1] != v["schema"] and self._context(p[0]) == self._context(place[0])
                             for p, i in self.versions.items() if p != place):
                    self.versions[place] = [v["id"], v["schema"], v.get("deleted", False)]
            elif kind == "DELETE_SUBJECT" and v is not None:
                for (subject, version), item in self.versions.items():
                    if subject == v["subject"] and version <= v["version"]:
                        item[2] = True
            elif kind == "CLEAR_SUBJECT" and v is not None:
                for place in [p for p, i in self.versions.items() if p[0] == k["subject"] and i[2]]:
                    del self.versions[place]
            elif kind in ("CONFIG", "MODE"):
                if v is None:
                    self.settings.pop((kind, k.get("subject")), None)
                else:
                    word = v["mode"] if kind == "MODE" else v["compatibilityLevel"]
                    if word in WORDS[kind] and v.get("compatibilityPolicy", "STRICT") in WORDS["policy"]:
                        self.settings[kind, k.get("subject")] = word
        except (ValueError, KeyError, TypeError):
            pass

    @staticmethod
    def _readable(v):
        return (isinstance(v.get("metadata", {}).get("properties", {}), dict) and
                isinstance(v.get("ruleSet", {}).get("domainRules", []), list))

    @staticmethod
    def _context(subject):
        return subject.split(":")[1] if subject.startswith(":.") else "."


def read(site, isolation):
    """Every record: (offset, key, value)."""
    return [(offset, k.decode(), None if v is None else v.decode())
            for offset, k, v in registry_site.read_topic(site.daemon.address, isolation)]


def good(answer):
    same(answer.status, 200, f"status of {answer}")
    return answer.json


def check_as(site, other):
    """What Weir tells is what the other knows."""
    subjects = sorted({s for s, _ in other.versions})
    same(sorted(good(site.ask("GET", "/subjects?deleted=true"))), subjects, "subjects")
    for subject in subjects:
        mine = {v: i for (s, v), i in other.versions.items() if s == subject}
        path = f"/subjects/{segment(subject)}/versions"
        same(good(site.ask("GET", path + "?deleted=true")), sorted(mine), f"versions of {subject}")
        for version, (number, schema, deleted) in mine.items():
            told = good(site.ask("GET", f"{path}/{version}?deleted=true"))
            same((told["id"], told["schema"], told["deleted"]), (number, schema, deleted), f"version {version} of {subject}")
    for (kind, subject), setting in other.settings.items():
        if kind == "CONFIG":
            told = good(site.ask("GET", "/config" + ("" if subject is None else "/" + segment(subject))))
            same(told["compatibilityLevel"], setting, f"level of {subject}")
        else:
            told = good(site.ask("GET", "/mode" + ("" if subject is None else "/" + segment(subject))))
            same(told["mode"], setting, f"mode of {subject}")


def another(site):
    others = []
    for isolation in "read_committed", "read_uncommitted":
        other = Other()
        for offset, name, body in read(site, isolation):
            other.apply(name, body, offset)
        others.append((other.versions, other.settings))
    same(others[0], others[1], "what is seen with and without what is not committed")
    return other


def test_all_that_was_there_is_served(site):
    other = another(site)
    same(len(other.versions), 13, "versions that the other knows")
    check_as(site, other)
    same(good(site.ask("GET", "/schemas/ids/1?subject=:.c:"))["schema"], LONG)
    same(good(site.ask("GET", "/subjects/user/versions/1"))["references"], [{"name": "n.Place", "subject": "place", "version": 1}])
    same(good(site.ask("GET", "/subjects/place/versions/1/referencedby")), [9])
    skipped = {r: int(r.ask("GET", "/-/metrics").body.decode().split("\nweir_registry_records_skipped_total ")[1].split()[0])
               for r in (site.writer, site.reader)}
    same(set(skipped.values()), {PASSED_OVER}, "records that were passed over")


def test_what_is_written_stays_valid_for_others(site):
    before = read(site, "read_committed")
    # The id of what was deleted for good is not given out again.
    same(good(site.register("new", '{"type":"array","items":"int"}'))["id"], 41)
    good(site.ask("PUT", "/config", {"compatibility": "BACKWARD"}))
    same(good(site.register("old", LONG))["version"], 2)
    good(site.ask("PUT", "/config/plain", {"compatibility": "FULL"}))
    good(site.ask("DELETE", "/config/plain"))
    good(site.ask("DELETE", "/mode/json"))
    for subject in "karapace", "panda", "old":
        good(site.ask("DELETE", f"/subjects/{subject}"))
        good(site.ask("DELETE", f"/subjects/{subject}?permanent=true"))
    good(site.ask("DELETE", "/subjects/gone-whole/versions/1?permanent=true"))
    check_as(site, another(site))
    written = [(k, v) for _, k, v in read(site, "read_committed")[len(before):]]
    wanted = [
        (key("new", 1), value("new", 1, 41, '{"type":"array","items":"int"}', schemaType="AVRO")),
        (of("CONFIG"), text(compatibilityLevel="BACKWARD")),
        (key("old", 2), value("old", 2, 4, LONG, schemaType="AVRO")),
        (of("CONFIG", "plain"), text(subject="plain", compatibilityLevel="FULL")),
        (of("CONFIG", "plain"), None),
        (of("MODE", "json"), None),
        (of("DELETE_SUBJECT", "karapace"), text(subject="karapace", version=1)),
        # Under the keys that they have, lest they come back when the topic has been compacted.
        ('{"subject":"karapace","version":1,"magic":1,"keytype":"SCHEMA"}', None),
        (key("karapace", 1), None),
        (of("DELETE_SUBJECT", "panda"), text(subject="panda", version=1)),
        *[(k, None) for k, _ in LEFT if '"panda"' in k and "@HERE@" in k],
        (key("panda", 1), None),
        (of("DELETE_SUBJECT", "old"), text(subject="old", version=2)),
        (key("old", 2), None),
        (text(keytype="SCHEMA", subject="old", version=1, magic=0), None),
        (key("old", 1), None),
        (key("gone-whole", 1), None),
    ]
    found = [(k, v) for k, v in written if k != NOOP]
    # The offset in panda's key is told by its place.
    same([k if '"seq"' not in k else "panda" for k, _ in found], [k if '"seq"' not in k else "panda" for k, _ in wanted], "keys")
    same([v for _, v in found], [v for _, v in wanted], "values")
    # What could not be understood is still there.
    broken = {BROKEN, text(keytype="FROM_THE_FUTURE", subject="x", magic=7),
              *[key("broken", i) for i in range(1, 5)], of("CONFIG", "broken"), of("MODE", "broken")}
    same({k for k, _ in written} & broken, set(), "keys of what was not understood")


def test_the_topic_is_handed_back(site):
    """It ends with a record that belongs to no transaction; and who starts on the compacted topic knows the same."""
    until("the last record is a NOOP", lambda: read(site, "read_uncommitted")[-1][1:] == (NOOP, None))
    other = another(site)
    c = raw_calls.client(site.daemon)
    last = {}
    for offset, name, body in read(site, "read_committed"):
        last[name] = offset, body
    raw_calls.drop(c, "_schemas")
    raw_calls.make(c, "_schemas", configs={"cleanup.policy": "compact"})
    put(site, [(k, v) for k, (_, v) in sorted(last.items(), key=lambda item: item[1][0]) if '"seq"' not in k])
    for registry in site.writer, site.reader:
        registry.stop()
    site.restart_writer()
    site.reader = registry_site.Registry(site, 2, *site.more)
    site.reader.await_ready()
    same(another(site).versions, other.versions, "what another sees in the compacted topic")
    check_as(site, other)


def put(site, records):
    import confluent_kafka
    producer = confluent_kafka.Producer({"bootstrap.servers": site.daemon.address})
    for i, (name, body) in enumerate(records):
        producer.produce("_schemas", key=name.replace("@HERE@", str(i)), value=body, partition=0)
    producer.flush(10)


class Site(registry_site.Site):
    """Its topic is there before its processes are."""

    def prepare(self):
        raw_calls.make(raw_calls.client(self.daemon), "_schemas", configs={"cleanup.policy": "compact"})
        put(self, LEFT)


if __name__ == "__main__":
    registry_site.main(globals(), Site())
