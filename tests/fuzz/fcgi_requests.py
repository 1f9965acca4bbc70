"""fcgi_requests -- conversations with the FastCGI apps, made from a grammar: requests of every route, as nginx sends
them, whole or broken at any level.

Routes come from the apps' routes.c, parameters from nginx-conf/weir-fastcgi.conf, so that new ones can't be left out.
A conversation depends on the seed and its number alone.
"""
import itertools
import json
import os
import random
import re
import struct
import urllib.parse

import fastcgi
from fastcgi import ABORT, DATA, GET_VALUES, PARAMS, STDIN, begin, record

TOP = os.path.abspath(os.environ.get("srcdir") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
V1 = "application/vnd.schemaregistry.v1+json"
V2 = "application/vnd.kafka.v2+json"
JSON_V2 = "application/vnd.kafka.json.v2+json"
BINARY_V2 = "application/vnd.kafka.binary.v2+json"
PLAIN = "application/json"
BODY_MAX = 1 << 18  # as the apps are told


# ---- what the sources say ----

def text_of(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        return f.read()


class Route:
    """A row of an app's routes.c: .app, .method, .pattern, .name."""

    def __init__(self, app, method, pattern, name):
        self.app, self.method, self.pattern, self.name = app, method, pattern, name

    def changes(self):
        return self.method in ("PUT", "PATCH", "DELETE") or self.registers() or "produce" in self.name

    def registers(self):
        return self.name.endswith((".register", ".tags", "associations.create", ".mutate"))

    def pool(self):
        """The socket at which nginx asks for it."""
        if self.app == "registry":
            return "registry-writes" if self.method in ("PUT", "DELETE") or self.registers() else "registry"
        return "consumers" if "consumers." in self.name else "streams" if self.name == "v3.produce" else "requests"


def literal(text, macros):
    """The string that a C expression of literals and macros is."""
    return "".join(literal(macros[word], macros) if word else quoted for quoted, word in re.findall(r'"([^"]*)"|(\w+)', text))


def routes_of(app):
    text = text_of(f"fcgi-apps/{app}/routes.c")
    macros = dict(re.findall(r"#define (\w+) (.+)", text))
    rows = re.findall(r'\{ HTTP_(\w+), (.+?), \w+, "([^"]+)", ', text)
    assert len(rows) == text.count("{ HTTP_"), f"rows of {app}/routes.c that are written in another way"
    return [Route(app, method, literal(pattern, macros), name) for method, pattern, name in rows]


def parameters():
    """(name, whether an empty one is left out) of each that nginx sends."""
    rows = re.findall(r"^fastcgi_param\s+(\w+)\s+\$\w+( if_not_empty)?;", text_of("nginx-conf/weir-fastcgi.conf"), re.M)
    return [(name, bool(optional)) for name, optional in rows]


def documented():
    """The statuses that the apps' tables know, those of success, and 307 with which nginx hands a write on."""
    tables = "".join(text_of(f"fcgi-apps/{app}/problems.tbl") for app in ("registry", "rest-proxy"))
    common = text_of("fcgi-apps/common/problem.c")
    return {200, 201, 204, 207, 307, *map(int, re.findall(r"^PROBLEM\(\w+, (\d+),", tables, re.M)),
            *map(int, re.findall(r"^const struct problem \w+ = \{ (\d+),", common, re.M))}


# ---- good requests ----

def schemas():
    fields = [{"name": "a", "type": "int"}, {"name": "b", "type": ["null", "string"], "default": None}]
    record_ = {"type": "record", "name": "R", "namespace": "n.s", "fields": fields}
    yield {"schema": json.dumps(record_)}
    yield {"schema": json.dumps({**record_, "fields": fields[:1], "aliases": ["Q"]}), "schemaType": "AVRO"}
    yield {"schema": '["null",{"type":"map","values":{"type":"array","items":"long"}}]'}
    yield {"schema": '{"type":"enum","name":"E","symbols":["A","B"],"default":"A"}'}
    yield {"schema": '{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}'}
    yield {"schema": '{"type":"record","name":"L","fields":[{"name":"k","type":"Known"},{"name":"next","type":["null","L"]}]}',
           "references": [{"name": "Known", "subject": "known", "version": 1}]}
    yield {"schema": '"string"', "id": 7, "version": 1}
    yield {"schema": json.dumps(record_), "version": -1, "propagateSchemaTags": True,
           "schemaTagsToAdd": [tags("n.s.R", "sr_record", "A", "B")], "schemaTagsToRemove": [tags("R.b", "sr_field", "C")]}
    yield {"schema": '"int"', "metadata": {"tags": {"a": ["PII"]}, "properties": {"owner": "me"}, "sensitive": ["s"]},
           "ruleSet": {"domainRules": [{"name": "r", "kind": "CONDITION", "type": "CEL", "mode": "WRITE", "expr": "true"}]}}


def records_v3():
    for kind, data in (("JSON", {"a": [1, 2.5, None, "\u00e9"]}), ("STRING", "text"), ("BINARY", "AAEC")):
        yield {"partition_id": 0, "key": {"type": "STRING", "data": "k"}, "value": {"type": kind, "data": data},
               "headers": [{"name": "h", "value": "dg=="}], "timestamp": "2026-01-31T12:00:00Z"}


def tags(path, kind, *words):
    return {"schemaEntity": {"entityPath": path, "entityType": kind}, "tags": list(words)}


TAGS = [(V1, {"tagsToAdd": [tags("n.s.R.a", "sr_field", "PII"), tags("R", "sr_record", "T")], "newVersion": 2}),
        (V1, {"tagsToRemove": [tags("n.s.R.a", "sr_field", "PII")], "rulesToRemove": ["r"], "metadata": {"properties": {"a": "b"}},
              "rulesToMerge": {"domainRules": [{"name": "q", "type": "CEL"}], "enableAt": "ALL"}})]
SCHEMAS = [(V1, schema) for schema in schemas()]
LEVELS = [(V1, {"compatibility": level}) for level in ("NONE", "BACKWARD", "FULL_TRANSITIVE")] + [
    (V1, {"compatibility": "NONE", "alias": "fuzz-b", "normalize": True, "compatibilityGroup": "g",
          "defaultMetadata": {"properties": {"a": "b"}}, "overrideRuleSet": {"migrationRules": []}})]
MODES = [(V1, {"mode": mode}) for mode in ("READWRITE", "READWRITE", "READONLY", "IMPORT", "FORWARD")]


def resource(*changes, **more):
    return {"resourceName": "fuzz-1", "resourceNamespace": "lkc", "resourceId": "77", "resourceType": "topic",
            "associations": list(changes), **more}


ASSOCIATED = [{"schema": {"schema": '"int"'}, "normalize": True}, {"subject": "fuzz-a", "associationType": "key", "lifecycle": "WEAK", "frozen": False},
              {"subject": ":.ctx:fuzz-c", "lifecycle": "STRONG"}]
ASSOCIATIONS = [(V1, resource(*some)) for some in (ASSOCIATED[:2], ASSOCIATED[1:], ASSOCIATED[1:2], ASSOCIATED[2:])]
BATCHES = [(V1, {"requests": [resource({"opType": "CREATE", **ASSOCIATED[0]}, {"opType": "UPSERT", **ASSOCIATED[1]}),
                              resource({"opType": "DELETE", "associationType": "key", "cascadeLifecycle": True}, resourceId="1")]})]
ASKED = [(V1, {"requests": [{"resourceId": "77"}, {"resourceName": "fuzz-1", "resourceNamespace": "-", "associationTypes": ["key"],
                                                   "lifecycle": "WEAK"}, {}]})]
PRODUCED = [(JSON_V2, {"records": [{"key": "k", "value": {"a": [1, 2.5, "x", None, True]}}, {"value": None}]}),
            (BINARY_V2, {"records": [{"key": "a2V5", "value": "dmFsdWU="}]})]
PARTITIONS = [(V2, {"partitions": [{"topic": topic, "partition": 0}]}) for topic in ("known", "fuzz-1")]
OFFSETS = [{"offsets": [{"topic": "known", "partition": 0, "offset": 1, "metadata": "m"}]}]

# Of each route that takes one, by its name: bodies with their types.
BODIES = {
    "root": [(V1, {})], "v2.root": [(V2, {})],
    "subjects.lookup": SCHEMAS, "subjects.versions.register": SCHEMAS, "subjects.versions.tags": TAGS, "compatibility.all": SCHEMAS, "compatibility.version": SCHEMAS,
    "config.global.put": LEVELS, "config.subject.put": LEVELS, "mode.global.put": MODES, "mode.subject.put": MODES,
    "associations.create": ASSOCIATIONS, "associations.resources.put": ASSOCIATIONS, "associations.batch.mutate": BATCHES,
    "associations.batch.get": ASKED,
    "v2.produce-to-topic": PRODUCED + [(JSON_V2, {"records": [{"value": 1, "partition": 0}]})], "v2.produce-to-partition": PRODUCED,
    "v2.consumers.create": [(V2, {"name": "@instance", "format": "json", "auto.offset.reset": "earliest"}),
                            (V2, {"name": "@instance", "format": "binary", "auto.commit.enable": "false", "fetch.min.bytes": 1})],
    "v2.consumers.subscribe": [(V2, {"topics": ["known", "fuzz-1"]}), (V2, {"topic_pattern": "^fuzz-[1-9]$"})],
    "v2.consumers.assign": PARTITIONS, "v2.consumers.seek-to-beginning": PARTITIONS, "v2.consumers.seek-to-end": PARTITIONS,
    "v2.consumers.seek": [(V2, OFFSETS[0]), (V2, {"timestamps": [{"topic": "known", "partition": 0, "timestamp": "2026-01-31T12:00:00Z"}]})],
    "v2.consumers.commit": [(V2, OFFSETS[0]), (V2, "")], "v2.consumers.committed": PARTITIONS,
    "v3.topics.create": [(PLAIN, {"topic_name": "@topic", "partitions_count": 2, "replication_factor": 1,
                                  "configs": [{"name": "cleanup.policy", "value": "compact"}]}),
                         (PLAIN, {"topic_name": "@topic", "replicas_assignments": [{"partition_id": 0, "broker_ids": [1]}],
                                  "validate_only": True})],
    "v3.topics.update": [(PLAIN, {"partitions_count": 3})],
    "v3.produce": [(PLAIN, "".join(json.dumps(r) for r in records_v3())), (PLAIN, json.dumps({"value": {"type": "JSON", "data": 1}}))],
    "v3.produce-batch": [(PLAIN, {"entries": [{"id": str(i), **r} for i, r in enumerate(records_v3())]})],
}

QUERIES = {
    "registry": ("deleted=true", "permanent=true", "subjectPrefix=fuzz", "offset=0&limit=2", "normalize=true", "format=resolved",
                 "subject=known", "latestOnly=true", "verbose=true", "defaultToGlobal=true", "force=true", "fetchMaxId=true",
                 "deletedAsNegative=true&deletedOnly=true", "findTags=*&referenceFormat=qualified", "aliases=true&ruleType=CEL",
                 "key=a&value=b&key=c", "recursive=true", "contextPrefix=.", "dryRun=true&context=.ctx",
                 "cascadeLifecycle=true&associationType=key&resourceType=topic", "lifecycle=STRONG&includeSchemas=true"),
    "rest-proxy": ("timeout=1&max_bytes=1000", "timeout=5", "offset_type=earliest_and_latest", "a=b&a=%41+c"),
}
ALWAYS = {"v3.partitions.offset": "offset_type=earliest_and_latest", "v2.consumers.consume": "timeout=5"}

# What stands in a path for the names between braces.  Only what only asks is about what must not change.
NAMES = {"subject": ("fuzz-a", "fuzz-b", ":.ctx:fuzz-c", "fuzz/d \u00e9"), "topic": ("fuzz-1", "fuzz-2", "none"),
         "version": ("1", "2", "latest", "-1"), "id": ("1", "2", "77"), "context": (".ctx", "fuzz", ":.none:"), "partition": ("0", "1"), "broker": ("1",),
         "resourceId": ("1", "2", "77"), "resourceNamespace": ("lkc", "-"), "resourceName": ("fuzz-1", "none"), "group": ("fuzz-g", "fuzz-h"), "instance": ("i", "j", "k"), "name": ("cleanup.policy", "retention.ms", "none")}
KNOWN = {"subject": "known", "topic": "known"}
# A topic that goes is none that consumers read: librdkafka before 2.6 may keep the threads of a consumer of such a one for
# good (its issue 4362, mended by 4724).
GOES = {"v3.topics.create": "goes", "v3.topics.delete": "goes"}


class Request:
    """What nginx would hand over."""

    def __init__(self, route, target, content_type, body):
        self.route, self.target, self.content_type, self.body = route, target, content_type, body

    def told(self, dice):
        """The parameters, as nginx sends them."""
        accepted = ("", "*/*", V1 if self.route.app == "registry" else V2, PLAIN)
        values = {"REQUEST_METHOD": self.route.method, "REQUEST_URI": self.target, "CONTENT_TYPE": self.content_type,
                  "CONTENT_LENGTH": str(len(self.body)) if self.body else "", "REQUEST_SCHEME": "http", "HTTP_HOST": "localhost:8082",
                  "HTTP_ACCEPT": dice.choice(accepted) if "consume" not in self.route.name else "",
                  "HTTP_X_REQUEST_ID": dice.choice(("", "an-id")), "REMOTE_USER": dice.choice(("", "somebody"))}
        assert values.keys() == {name for name, _ in parameters_sent}, "the parameters of weir-fastcgi.conf are others than these"
        told = [(name, values[name]) for name, optional in parameters_sent if values[name] or not optional]
        return [(name.encode(), value.encode()) for name, value in told]


parameters_sent = parameters()


class World:
    """What requests are about; .names has one choice for each kind, which hold for a conversation."""

    def __init__(self, cluster, guid):
        self.fixed = {"cluster": cluster, "guid": guid}

    def names(self, dice):
        return {**{kind: dice.choice(choices) for kind, choices in NAMES.items()}, **self.fixed}


def request(dice, route, names, known=True):
    """A good one; known: it may be about what is known to be there."""
    if known and not route.changes() and dice.random() < 0.5:
        names = {**names, **KNOWN}
    if route.name in GOES:
        names = {**names, "topic": GOES[route.name]}
    path = re.sub(r"\{(\w+)\}", lambda m: urllib.parse.quote(names[m[1]], safe=""), route.pattern)
    if route.app == "registry" and route.changes() and dice.random() < 0.1:
        path = "/contexts/" + dice.choice((".ctx", "fuzz", "%3A.none%3A")) + path
    query = ALWAYS.get(route.name) or (dice.choice(QUERIES[route.app]) if dice.random() < 0.4 else "")
    content_type, body = dice.choice(BODIES[route.name]) if route.name in BODIES and route.method != "DELETE" else ("", "")
    text = body if isinstance(body, str) else json.dumps(body)
    for kind in "instance", "topic":
        text = text.replace("@" + kind, names[kind])
    return Request(route, path + ("?" + query if query else ""), content_type if text else "", text.encode())


# ---- mutations ----

ODD = (b"\0", b"\xff", b"\xc0\xaf", b'"', b"{", b"[", b"]", b"}", b"%", b"%00", b"%2f", b"%ff", b"..", b"/", b"//", b"?", b"&", b"=", b":",
       b";", b",", b"\r\nX-Bad: 1", b"\\", b"\\u0000", b"\\ud800", b"-1", b"0", b"9" * 30, b"2147483648", b"1e999", b"null", b"true",
       b"[" * 1500, b'{"a":' * 1200, b"x" * 300, b"\xf0\x9f\x98\x80", b" ", b"\n")


def mutated(dice, data):
    """Some bytes with something done to them somewhere."""
    at = dice.randrange(len(data) + 1)
    n = dice.choice((1, 1, 2, 4, 9, 40))
    way = dice.randrange(7)
    if way == 0 and at < len(data):
        return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1:]
    if way == 1:
        return data[:at] + data[at + n:]
    if way == 2:
        return data[:at] + data[at:at + n] * dice.choice((2, 3, 50)) + data[at + n:]
    if way == 3:
        return data[:at]
    numbers = list(re.finditer(rb"\d+", data))
    if way == 4 and numbers:
        m = dice.choice(numbers)
        return data[:m.start()] + dice.choice((b"0", b"-1", b"1.5", b"2147483647", b"9223372036854775808", b"1e400", b"007")) + data[m.end():]
    values = list(re.finditer(rb'"[^"\\]*"|\d+|null|\[[^][{}]*\]', data))
    if way == 5 and values:
        m = dice.choice(values)
        return data[:m.start()] + dice.choice((b"null", b"[]", b"{}", b'""', b"1", b'"x"', b"true", b'"\\u0000"', b"[[1]]")) + data[m.end():]
    return data[:at] + dice.choice(ODD) + data[at:]


def mutated_params(dice, params):
    """Parameters of which some are changed, lost, sent twice, or not nginx's."""
    params = list(params)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at = dice.randrange(len(params)) if params else 0
        name, value = params[at] if params else (b"", b"")
        way = dice.randrange(7)
        if way == 0:
            del params[at:at + 1]
        elif way == 1:
            params.insert(at, (name, value))
        elif way == 2:
            params.insert(at, (mutated(dice, name), value))
        elif way == 3:
            lengths = (b"0", b"-1", b"", b"1", b"9" * 20, b"+5", b" 5", b"0x10", str(BODY_MAX + 1).encode(), mutated(dice, value))
            params = [(n, dice.choice(lengths) if n == b"CONTENT_LENGTH" else v) for n, v in params]
        elif way == 4:
            method = dice.choice((b"HEAD", b"OPTIONS", b"BREW", b"get", b"", b"GET", b"POST", b"PATCH", b"G\0T"))
            # Not DELETE, which is left to requests for which it is meant: what is known must stay.
            params = [(n, method if n == b"REQUEST_METHOD" else v) for n, v in params]
        elif way == 5:
            params.append((dice.choice((b"QUERY_STRING", b"HTTP_ACCEPT", b"CONTENT_TYPE", b"HTTP_X_REQUEST_ID", b"HTTP_PROXY", b"", b"=")),
                           dice.choice((b"", b"text/html", b"a/b;q=0.5,*/*;q=0", b"x" * 5000, V2.encode() + b";q=1e9", *ODD))))
        elif params:
            params[at] = name, mutated(dice, value)
    return params


def mutated_request(dice, params, body):
    """Parameters and a body with something wrong in one of them or both; the length that is told is mostly right."""
    if body and dice.random() < 0.6:
        for _ in range(dice.choice((1, 1, 2, 3))):
            body = mutated(dice, body)
        if dice.random() < 0.02:
            body = body.ljust(BODY_MAX + dice.choice((0, 1, 5000)), b" ")
        params = [(n, str(len(body)).encode() if n == b"CONTENT_LENGTH" else v) for n, v in params]
        if dice.random() < 0.8:
            return params, body
    if dice.random() < 0.4:
        uri = next(i for i, p in enumerate(params) if p[0] == b"REQUEST_URI")
        return params[:uri] + [(b"REQUEST_URI", mutated(dice, params[uri][1]))] + params[uri + 1:], body
    return mutated_params(dice, params), body


# ---- records ----

def in_records(dice, kind, content, request_id):
    """A stream in pieces, with padding, as a list of records; its end is another."""
    records = []
    while content:
        n = dice.choice((1, 7, 8, 100, 8184, fastcgi.CONTENT_MAX)) if len(records) < 50 else fastcgi.CONTENT_MAX
        records.append(record(kind, content[:n], request_id, padding=bytes(dice.choice((0, 0, 0, 1, 7, 255)))))
        content = content[n:]
    return records + [record(kind, b"", request_id)]


def stray(dice):
    """A record that nginx does not send, or not there."""
    kind = dice.choice((ABORT, GET_VALUES, PARAMS, STDIN, DATA, 0, 1, 3, 6, 11, 77, 255))
    content = dice.choice((b"", b"x", b"\x0f\0FCGI_MPXS_CONNS\x0e\0FCGI_MAX_CONNS", b"\0\1\1\0\0\0\0\0", b"\x05\x05ab", b"\xff" * 8,
                           b"\x80\0\xff\xff\x80\0\xff\xff", bytes(300)))
    return record(kind, content, dice.choice((0, 1, 1, 2, 65535)), dice.choice((1, 1, 1, 0, 2)),
                  dice.choice((None, None, None, 0, 9, 65535)), bytes(dice.choice((0, 3))))


def mutated_records(dice, records):
    """Records of which some are lost, doubled, in another place, strange, or between which others stand."""
    records = list(records)
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(records) + 1)
        way = dice.randrange(6)
        if way == 0:
            del records[at:at + 1]
        elif way == 1:
            records[at:at] = records[at:at + 1]
        elif way == 2:
            dice.shuffle(records)
        elif way == 3 and at < len(records):
            head = bytearray(records[at])
            head[dice.randrange(8)] = dice.choice((0, 1, 2, 255, dice.randrange(256)))
            records[at] = bytes(head)
        elif way == 4:
            records.insert(at, record(ABORT))
        else:
            records.insert(at, stray(dice))
    return records


def lying_params(dice, params):
    """The bytes of parameters whose lengths are not theirs."""
    data = b"".join(fastcgi.pair(n, v, dice.random() < 0.3) for n, v in params)
    for _ in range(dice.choice((0, 1, 2))):
        at = dice.randrange(len(data) + 1)
        long = struct.pack(">I", 1 << 31 | dice.choice((0, 0x7fffff00, 0x10000, len(data))))
        lie = dice.choice((b"\xff", b"\x7f", b"\0", b"\x80", long))
        data = data[:at] + lie + data[at + dice.choice((0, len(lie))):]
    return data


class Turn:
    """What is sent before an answer is waited for; answered: there will be one; right: of the route's
    good requests (its name), or None; kept: more may follow."""

    def __init__(self, pieces, answered=False, right=None, kept=False):
        self.pieces, self.answered, self.right, self.kept = pieces, answered, right, kept


def turn(dice, asked, broken, keep):
    """A request as bytes; broken: the level at which it is, or None."""
    params, body = asked.told(dice), asked.body
    if broken == "request":
        params, body = mutated_request(dice, params, body)
        # Where a length is told that the body has not, there is no answer.
        lengths = {v for n, v in params if n == b"CONTENT_LENGTH"}
        answered = lengths <= {b"", str(len(body)).encode()} and all(b"\0" not in n + v for n, v in params)
    else:
        answered = broken is None
    request_id = dice.choice((1, 1, 1, 2, 65535))
    sent = lying_params(dice, params) if broken == "params" else b"".join(fastcgi.pair(n, v, dice.random() < 0.1) for n, v in params)
    role = dice.choice((0, 2, 3, 77)) if broken == "records" and dice.random() < 0.1 else 1
    records = [begin(keep, role, request_id), *in_records(dice, PARAMS, sent, request_id), *in_records(dice, STDIN, body, request_id)]
    if broken == "records":
        records = mutated_records(dice, records)
    data = b"".join(records)
    if broken == "bytes":
        for _ in range(dice.choice((1, 2, 4))):
            data = mutated(dice, data)
    cuts = sorted(dice.randrange(len(data) + 1) for _ in range(dice.choice((0, 0, 1, 5))))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)]) if a < b]
    return Turn(pieces, answered, asked.route.name if broken is None else None, keep)


class Conversation:
    """.pool is the socket, .turns what is sent, .end how it ends: "read" all, or "close" without reading."""

    def __init__(self, pool, turns, end):
        self.pool, self.turns, self.end = pool, turns, end

    def bytes(self):
        return b"".join(piece for t in self.turns for piece in t.pieces)


def overflows(data):
    """Whether the lengths of a parameter could be such that libfcgi's sum of them is negative, or small (CVE-2025-23016).

    Only what may connect to the sockets could send these, which is nginx, and nginx does not.
    """
    for name, value in re.findall(rb"(?=([\x80-\xff].{3})([\x80-\xff].{3}|.))", data, re.S):
        n = int.from_bytes(name, "big") - (1 << 31)
        n += int.from_bytes(value, "big") - (1 << 31 if len(value) == 4 else 0)
        if n + 2 >= 1 << 31:
            return True
    return False


def contents(data):
    """What is in the records, one behind another."""
    at, found = 0, b""
    while at + fastcgi.HEAD.size <= len(data):
        _, _, _, length, padding = fastcgi.HEAD.unpack_from(data, at)
        at += fastcgi.HEAD.size
        found += data[at:at + length]
        at += length + padding
    return found


SOCKETS = {"registry": ("registry", "registry-writes"), "rest-proxy": ("requests", "consumers", "streams")}
LEVELS_OF_BREAKING = (None, None, None, "request", "request", "request", "request", "request", "params", "records", "bytes")


class Grammar:
    """Makes conversations, by number."""

    def __init__(self, seed, world):
        self.seed, self.world = seed, world
        self.routes = routes_of("registry") + routes_of("rest-proxy")
        missing = [r.name for r in self.routes if r.method in ("POST", "PUT", "PATCH") and r.name not in BODIES]
        assert not missing, f"bodies of these routes are missing: {missing}"

    def first(self, dice, number):
        """One good request of the route of this number: so that each is hit, however short the run."""
        route = self.routes[number]
        return Conversation(route.pool(), [turn(dice, request(dice, route, self.world.names(dice)), None, False)], "read")

    def story(self, dice):
        """Good requests of one socket about the same names: the later ones find what the first ones made."""
        route = dice.choice(self.routes)
        names = self.world.names(dice)
        near = [r for r in self.routes if r.pool() == route.pool()]
        makers = [r for r in near if r.name in ("subjects.versions.register", "v2.consumers.create", "v3.topics.create")]
        chosen = [route] + [dice.choice(near) for _ in range(dice.choice((0, 0, 1, 3, 6)))]
        if makers and dice.random() < 0.6:
            chosen.insert(0, makers[0])
        return [request(dice, r, names) for r in chosen]

    def make(self, number):
        """The conversation of this number: the first of those by its chance that libfcgi stands."""
        for attempt in itertools.count():
            made = self._make(number, random.Random(f"{self.seed}/{number}/{attempt}"))
            data = made.bytes()
            if not overflows(data) and not overflows(contents(data)):
                return made

    def _make(self, number, dice):
        if number < len(self.routes):
            return self.first(dice, number)
        story = self.story(dice)
        pool = story[0].route.pool()
        if dice.random() < 0.03:
            pool = dice.choice(SOCKETS[story[0].route.app])
        turns = [turn(dice, r, dice.choice(LEVELS_OF_BREAKING), dice.random() < 0.9) for r in story]
        if dice.random() < 0.1:
            cut_short(dice, turns)
        return Conversation(pool, turns, "close" if dice.random() < 0.1 else "read")


def cut_short(dice, turns):
    """Ends the last turn anywhere."""
    last = turns[-1]
    data = b"".join(last.pieces)
    turns[-1] = Turn([data[:dice.randrange(len(data) + 1)]])
