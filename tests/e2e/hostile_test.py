#!/usr/bin/python3
"""hostile_test.py -- 300 malformed and hostile requests, to the port of the app that
they are meant for and to the port for everybody: each gets a documented answer, as
JSON; no process ends or grows; nothing is changed but what was made by good ones.

A third are known tricks, listed here; the others are good requests with something
broken in them, made from a seed."""

import json
import os
import random
import re
import socket
import subprocess
import sys
import time
import urllib.parse

import weir_web
from claims import finish, run, same, until

REQUESTS = 300
SEED = 20260101
ANSWER_S = 20   # the most that an answer may take
MOST_MB = 24    # that a process may have after it
V2 = "application/vnd.kafka.v2+json"
JSON_V2 = "application/vnd.kafka.json.v2+json"
BINARY_V2 = "application/vnd.kafka.binary.v2+json"
V1 = "application/vnd.schemaregistry.v1+json"
JSON = "application/json"
REGISTRY, PROXY = "registry", "proxy"
# What the documents know.  500, 502 and 504 are not among them: those say that something broke.
GOOD = {200, 201, 204, 207}
DOCUMENTED = {400, 401, 403, 404, 405, 406, 408, 409, 411, 413, 414, 415, 422, 429, 431, 501, 503, 505}


class Request:
    """What goes to a port, as bytes, and what a good one would be about."""

    def __init__(self, name, app, data, method="GET", target="/"):
        self.name, self.app, self.data, self.method, self.target = name, app, data, method, target


def request(name, app, method, target, body=None, content_type=None, headers=(), version="HTTP/1.1", accept=None):
    """A request whose frame is good: what is hostile is in its target, its headers or its body."""
    raw = target if isinstance(target, bytes) else target.encode("utf-8", "surrogateescape")
    lines = [method.encode() + b" " + raw + b" " + version.encode(), b"Host: localhost", b"Connection: close",
             b"Accept: " + (accept or (V1 if app == REGISTRY else V2) + ", " + JSON).encode()]
    if content_type is not None:
        lines.append(b"Content-Type: " + content_type.encode())
    if body is not None:
        body = body if isinstance(body, bytes) else body.encode()
        lines.append(b"Content-Length: %d" % len(body))
    lines += [h if isinstance(h, bytes) else h.encode("latin-1") for h in headers]
    return Request(name, app, b"\r\n".join(lines) + b"\r\n\r\n" + (body or b""), method, raw.decode(errors="surrogateescape"))


# ---- known tricks ----

def tricky_paths():
    """Names and paths that decoders and routers may take for others."""
    segments = ("..", ".", "%2e%2e", "%2E%2e%2f", "..%2f..%2fetc%2fpasswd", "..%5c..%5c", "%00", "a%00b", "%c0%ae%c0%ae", "%c0%af",
                "%e0%80%af", "%ff%fe", "%ed%a0%80", "%f8%80%80%80%80", "%", "%2", "%zz", "%25%32%65", "%0d%0aX-Bad:%201", "%0a", "%7f",
                "a;b=c", "a%3fb", "a%23b", "*", "'%20or%201=1--", "%3cscript%3e", "${jndi:ldap:x}", "{{7*7}}", "%2d%2dhelp", "\xff\xfe")
    for segment in segments:
        raw = segment.encode("latin-1")
        yield request(f"subject {segment!r}", REGISTRY, "GET", b"/subjects/" + raw + b"/versions")
        yield request(f"topic {segment!r}", PROXY, "GET", b"/topics/" + raw)
    for path in ("//", "///subjects", "/subjects//versions", "/./subjects", "/subjects/../config", "/subjects/x/versions/../../../mode",
                 "http://elsewhere/subjects", "/subjects?" + "&".join(f"p{i}=v" for i in range(3000)), "/subjects?deleted=" + "x" * 20000,
                 "/subjects?" + "%00=%ff&" * 50, "/subjects?subjectPrefix=" + "%f0" * 5000, "/schemas?offset=-1&limit=99999999999999999999",
                 "/schemas/ids/99999999999999999999", "/schemas/ids/-1", "/schemas/ids/1e3", "/schemas/ids/0x1", "/schemas/ids/%31",
                 "/subjects/known/versions/2147483648", "/subjects/known/versions/-2", "/subjects/known/versions/" + "9" * 5000,
                 "/schemas/guids/" + "f" * 5000, "/subjects/" + "s" * 10000 + "/versions", "/subjects/:" + ".:" * 3000 + "/versions",
                 "/-/metrics/..;/", "/-/ready%00"):
        yield request(f"path {path[:40]!r}", REGISTRY, "GET", path)
    for path in ("/topics/known/partitions/99999999999", "/topics/known/partitions/-1/offsets", "/topics/" + "t" * 10000,
                 "/consumers/" + "g" * 10000 + "/instances/x/records", "/consumers/%2f%2f/instances/%2e%2e/records",
                 "/consumers/g/instances/i/records?timeout=99999999999999999999&max_bytes=-5", "/v3/clusters/..%2f/topics",
                 "/v3/clusters/x/topics/" + "%41" * 3000 + "/configs/%00"):
        yield request(f"path {path[:40]!r}", PROXY, "GET", path)


def tricky_frames(app):
    """Requests whose frame lies, for those between which something could be smuggled."""
    path, kind = ("/subjects/smuggled/versions", V1) if app == REGISTRY else ("/topics/smuggled", JSON_V2)
    body = b'{"schema":"\\"string\\""}' if app == REGISTRY else b'{"records":[{"value":1}]}'
    inner = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (path.encode(), kind.encode(), len(body), body)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: application/json\r\nContent-Type: %s\r\n" % kind.encode()
    frames = {
        "length and chunks": head + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s" % (len(inner) + 5, inner),
        "chunks in disguise": head + b"Content-Length: %d\r\nTransfer-Encoding : chunked\r\n\r\n%s" % (len(inner), inner),
        "two codings": head + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + inner,
        "a coding that is none": head + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
        "two lengths": head + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n%s" % (len(inner), inner),
        "a list of lengths": head + b"Content-Length: 0, %d\r\n\r\n%s" % (len(inner), inner),
        "a negative length": head + b"Content-Length: -1\r\n\r\n" + inner,
        "a length with a sign": head + b"Content-Length: +%d\r\n\r\n%s" % (len(inner), inner),
        "a huge length": head + b"Content-Length: 99999999999999999999\r\n\r\n" + inner,
        "a folded header": head + b"X-A: b\r\n Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
        "a header without a name": head + b": x\r\n\r\n",
        "a header with a zero": head + b"X-A: b\0c\r\n\r\n",
        "bare line feeds": head.replace(b"\r\n", b"\n") + b"\n",
        "bare carriage returns": head.replace(b"\r\n", b"\r") + b"\r\r\n\r\n",
        "a chunk that is no number": head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + inner,
        "a huge chunk": head + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" + inner,
        "a chunk with a long extension": head + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"x" * 30000 + b"\r\n{}\r\n0\r\n\r\n",
        "a chunk without its end": head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":1}\r\n0\r\n\r\n",
        "a header of 40 kB": head + b"X-A: " + b"x" * 40000 + b"\r\n\r\n",
        "1000 headers": head + b"".join(b"X-%d: y\r\n" % i for i in range(1000)) + b"\r\n",
        "no host": b"GET / HTTP/1.1\r\nConnection: close\r\nAccept: application/json\r\n\r\n",
        "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\nAccept: application/json\r\n\r\n",
        "a host that is no name": b"GET / HTTP/1.1\r\nHost: a/../b\"\r\nConnection: close\r\nAccept: application/json\r\n\r\n",
        "a request id with quotes": b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: \"a'b\\c\r\nConnection: close\r\nAccept: application/json\r\n\r\n",
        "an unknown version": b"GET / HTTP/9.9\r\nHost: a\r\nConnection: close\r\n\r\n",
        "an old version": b"GET /\r\n\r\n",
        "a method that is none": b"G\0T / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "an upgrade": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nAccept: application/json\r\n\r\n",
        "HTTP/2 without TLS": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "a proxy's request": b"CONNECT localhost:9092 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "TRACE": b"TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: application/json\r\n\r\n",
        "parameters by headers": b"GET / HTTP/1.1\r\nHost: a\r\nREQUEST_URI: /x\r\nProxy: x\r\nContent-Type: a\r\nContent_Length: 9\r\nConnection: close\r\nAccept: application/json\r\n\r\n",
        "no HTTP at all": bytes(range(256)) * 4,
    }
    for name, data in frames.items():
        yield Request(f"frame: {name}", app, data)


def nested(n, start="[", end="]", core=""):
    return start * n + core + end * n


def avro_record(name, fields):
    return {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields]}


def doubling(n):
    """Each record has two fields of the next one: walked without a memory, it has 2^n of them."""
    schema = avro_record(f"R{n}", [("a", "int")])
    for i in range(n - 1, -1, -1):
        schema = avro_record(f"R{i}", [("a", schema), ("b", f"R{i + 1}")])
    return schema


def schema_bombs():
    """Avro that is deep, wide, or meant to be walked for ever."""
    yield "deep arrays", nested(20000, '{"type":"array","items":', "}", '"int"')
    yield "arrays of the most levels", nested(500, '{"type":"array","items":', "}", '"int"')
    yield "deep records", nested(5000, '{"type":"record","name":"R","fields":[{"name":"f","type":', "}]}", '"int"')
    yield "deep wrappers", nested(20000, '{"type":', "}", '"int"')
    yield "a union of all", json.dumps([avro_record(f"R{i}", []) for i in range(20000)])
    yield "a union in a union", nested(5000, "[", "]", '"int"')
    yield "many fields", json.dumps(avro_record("Wide", [(f"f{i}", "int") for i in range(30000)]))
    yield "many symbols", json.dumps({"type": "enum", "name": "E", "symbols": [f"s{i}" for i in range(100000)]})
    yield "many aliases", json.dumps({**avro_record("A", []), "aliases": [f"a{i}" for i in range(100000)]})
    yield "a record in itself", json.dumps(avro_record("Me", [("me", "Me")]))
    yield "a doubling", json.dumps(doubling(200))
    yield "a name of 100 kB", json.dumps(avro_record("n" * 100000, []))
    yield "many properties", json.dumps({"type": "int", **{f"p{i}": i for i in range(50000)}})
    yield "a huge fixed", '{"type":"fixed","name":"F","size":999999999999999999999}'
    yield "a negative fixed", '{"type":"fixed","name":"F","size":-1}'
    yield "a default that is no default", '{"type":"record","name":"D","fields":[{"name":"a","type":"int","default":' + nested(900) + "}]}"
    yield "a huge precision", '{"type":"bytes","logicalType":"decimal","precision":1e999,"scale":-1e999}'
    yield "names of nothing", '{"type":"record","name":"","namespace":"..","fields":[]}'
    yield "a zero in a name", '{"type":"record","name":"a\\u0000b","fields":[]}'
    yield "no Avro", "<xml/>"


def tricky_registrations():
    for name, schema in schema_bombs():
        body = json.dumps({"schema": schema})
        yield request(f"schema: {name}", REGISTRY, "POST", "/subjects/hostile-schemas/versions", body, V1)
    # What was registered is compared with the next: both walk the same way.
    for i in range(2):
        schema = {**doubling(100), "doc": str(i)}
        yield request("doublings are compared", REGISTRY, "POST", "/subjects/hostile-doubling/versions", json.dumps({"schema": json.dumps(schema)}), V1)
    yield request("doublings are checked", REGISTRY, "POST", "/compatibility/subjects/hostile-doubling/versions?verbose=true",
                  json.dumps({"schema": json.dumps(doubling(99))}), V1)
    yield request("a reference to itself", REGISTRY, "POST", "/subjects/hostile-self/versions",
                  '{"schema":"\\"A\\"","references":[{"name":"A","subject":"hostile-self","version":1}]}', V1)
    yield request("20000 references", REGISTRY, "POST", "/subjects/hostile-refs/versions",
                  json.dumps({"schema": '"int"', "references": [{"name": f"n{i}", "subject": "known", "version": 1} for i in range(20000)]}), V1)
    for member in ('"id":-1', '"id":99999999999', '"version":"x"', '"schemaType":"YAML"', '"schemaType":7', '"schema":7', '"references":{}',
                   '"schema":"\\"int\\"","schema":"\\"long\\""', '"schema":"\\ud800"', '"metadata":{"properties":[1]}'):
        yield request(f"registration {member}", REGISTRY, "POST", "/subjects/hostile-members/versions", "{" + member + "}", V1)
    yield request("a level of 1 MB", REGISTRY, "PUT", "/config/hostile", json.dumps({"compatibility": "x" * 1000000}), V1)
    yield request("a mode that is none", REGISTRY, "PUT", "/mode/hostile", '{"mode":"READWRITE\\u0000"}', V1)
    yield request("a body beyond the most", REGISTRY, "POST", "/subjects/hostile-large/versions", b"x" * 3000000, V1)


BODIES = {
    "nothing": b"", "a zero": b"\0", "deep arrays": nested(100000).encode(), "deep objects": nested(100000, '{"a":', "}", "1").encode(),
    "open arrays": b"[" * 100000, "invalid UTF-8": b'{"records":[{"value":"\xff\xfe\xed\xa0\x80"}]}', "a lone surrogate": b'{"records":[{"value":"\\ud800"}]}',
    "a huge number": b'{"records":[{"value":' + b"9" * 100000 + b"}]}", "a huge exponent": b'{"records":[{"value":1e999999999}]}',
    "numbers that are none": b'{"records":[{"value":-},{"value":01},{"value":.5},{"value":NaN}]}', "XML": b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    "a zip's beginning": b"\x1f\x8b\x08\0" + b"\0" * 100, "two documents": b'{"records":[{"value":1}]}{"records":[{"value":2}]}',
    "twice the same name": b'{"records":[{"value":1}],"records":[{"value":2}]}', "unknown members": b'{"recodrs":[]}', "no records": b'{"records":[]}',
    "records that are none": b'{"records":[1,null,[],"x"]}', "a huge partition": b'{"records":[{"value":1,"partition":99999999999}]}',
    "a negative partition": b'{"records":[{"value":1,"partition":-7}]}', "a partition with a fraction": b'{"records":[{"value":1,"partition":0.5}]}',
    "100000 members": b'{"records":[{"value":{' + b",".join(b'"m%d":1' % i for i in range(100000)) + b'},"valeu":1}]}',
    "half a document": b'{"records":[{"value":{"a":"b', "comments": b'{"records":/* x */[{"value":1}]}', "another character set": '{"records":[{"value":1}]}'.encode("utf-16"),
}


def tricky_records():
    for name, body in BODIES.items():
        yield request(f"records: {name}", PROXY, "POST", "/topics/hostile-records", body, JSON_V2)
    for name in ("deep arrays", "invalid UTF-8", "half a document", "twice the same name"):
        yield request(f"v3: {name}", PROXY, "POST", "/v3/clusters/@CLUSTER@/topics/hostile-records/records:batch", BODIES[name], JSON)
        yield request(f"registration: {name}", REGISTRY, "POST", "/subjects/hostile-members/versions", BODIES[name], V1)
    yield request("base64 that is none", PROXY, "POST", "/topics/hostile-records", '{"records":[{"value":"====","key":"\\u0000"}]}', BINARY_V2)
    for kind in ("text/plain", "application/xml", "application/json", "*/*", "a" * 5000, "application/vnd.kafka.json.v2+json; charset=utf-7", "\xff"):
        yield request(f"type {kind[:30]!r}", PROXY, "POST", "/topics/hostile-records", b'{"records":[{"value":1}]}', kind)
    yield request("3000 types that would do", PROXY, "GET", "/topics", accept=", ".join(["a/b;q=0.1"] * 3000 + [JSON]))
    yield request("a topic of 300 bytes", PROXY, "POST", "/topics/" + "h" * 300, '{"records":[{"value":1}]}', JSON_V2)
    yield request("a topic with a slash", PROXY, "POST", "/topics/hostile%2ftopic", '{"records":[{"value":1}]}', JSON_V2)
    yield request("a topic of too many partitions", PROXY, "POST", "/v3/clusters/@CLUSTER@/topics",
                  '{"topic_name":"hostile-huge","partitions_count":2147483647}', JSON)
    yield request("a topic with replicas out of nowhere", PROXY, "POST", "/v3/clusters/@CLUSTER@/topics",
                  '{"topic_name":"hostile-replicas","replicas_assignments":[{"partition_id":-1,"broker_ids":[-5]}]}', JSON)


PATTERNS = ("(a+)+b", "((a|aa)*)*c", "(((a{1,99}){1,99}){1,99}){1,99}", "a{99999}", "[", "(", ")", "\\", "*", "(.*)\\1\\1\\1", "(" * 2000, "x" * 5000, "[[:nothing:]]",
            "[z-a]", "\u0000", "(a|b|c|d|e)*(a|b|c|d|e)*(a|b|c|d|e)*(a|b|c|d|e)*x", "^^^$$$", "\U0001f600", "known.*")


def tricky_consumers():
    base = "/consumers/hostile-group/instances/one"
    yield request("a consumer", PROXY, "POST", "/consumers/hostile-group", '{"name":"one","format":"json"}', V2)
    # The last, and most harmless, stays.
    for pattern in PATTERNS:
        yield request(f"pattern {pattern[:30]!r}", PROXY, "POST", base + "/subscription", json.dumps({"topic_pattern": pattern}), V2)
    yield request("records of a pattern", PROXY, "GET", base + "/records?timeout=0", accept=JSON_V2)
    yield request("the consumer's end", PROXY, "DELETE", base)
    base = "/consumers/hostile-group/instances/two"
    yield request("a consumer", PROXY, "POST", "/consumers/hostile-group", '{"name":"two","format":"json"}', V2)
    yield request("a subscription before it", PROXY, "POST", base + "/subscription", '{"topic_pattern":"known"}', V2)
    yield request("2000 topics", PROXY, "POST", base + "/subscription", json.dumps({"topics": [f"t{i}" for i in range(2000)]}), V2)
    yield request("an end amid them", PROXY, "DELETE", base)
    yield request("a consumer", PROXY, "POST", "/consumers/hostile-group", '{"name":"two","format":"json"}', V2)
    for name, of in (("20000 times the same", lambda i: ("known", 0)), ("9000 of a topic", lambda i: ("known", i)), ("9000 topics'", lambda i: (f"t{i}", 0))):
        partitions = [{"topic": of(i)[0], "partition": of(i)[1]} for i in range(int(name.split(maxsplit=1)[0]))]
        yield request(f"partitions: {name}", PROXY, "POST", base + "/assignments", json.dumps({"partitions": partitions}), V2)
    yield request("positions that are none", PROXY, "POST", base + "/positions", '{"offsets":[{"topic":"known","partition":0,"offset":-9223372036854775808}]}', V2)
    yield request("commits that are none", PROXY, "POST", base + "/offsets", '{"offsets":[{"topic":"\\u0000","partition":-1,"offset":9223372036854775807}]}', V2)
    yield request("the consumer's end", PROXY, "DELETE", base)
    yield request("a group of 10 kB", PROXY, "POST", "/consumers/" + "g" * 10000, "{}", V2)
    yield request("an instance of 10 kB", PROXY, "POST", "/consumers/hostile-names", json.dumps({"name": "i" * 10000}), V2)
    yield request("an instance with a zero", PROXY, "POST", "/consumers/hostile-names", '{"name":"a\\u0000b","format":"\\u0000"}', V2)
    yield request("settings that are none", PROXY, "POST", "/consumers/hostile-names",
                  '{"name":"x","auto.offset.reset":"nowhere","fetch.min.bytes":"1e9","consumer.request.timeout.ms":{}}', V2)


# ---- broken good ones ----

GOOD_ONES = (
    (REGISTRY, "GET", "/subjects/known/versions/1", None, None), (REGISTRY, "GET", "/schemas/ids/1?subject=known&format=resolved", None, None),
    (REGISTRY, "POST", "/subjects/known", '{"schema":"{\\"type\\":\\"record\\",\\"name\\":\\"Known\\",\\"fields\\":[]}"}', V1),
    (REGISTRY, "POST", "/subjects/hostile-broken/versions", '{"schema":"{\\"type\\":\\"map\\",\\"values\\":[\\"null\\",\\"long\\"]}","schemaType":"AVRO"}', V1),
    (REGISTRY, "POST", "/compatibility/subjects/known/versions/latest?verbose=true", '{"schema":"\\"string\\""}', V1),
    (REGISTRY, "PUT", "/config/hostile-broken", '{"compatibility":"FULL"}', V1),
    (REGISTRY, "DELETE", "/subjects/hostile-none/versions/1?permanent=true", None, None),
    (PROXY, "GET", "/topics/known/partitions/0/offsets", None, None),
    (PROXY, "POST", "/topics/hostile-broken", '{"records":[{"key":"k","value":{"a":[1,2.5,"x",null,true]}},{"value":null,"partition":0}]}', JSON_V2),
    (PROXY, "POST", "/topics/hostile-broken/partitions/0", '{"records":[{"key":"a2V5","value":"dmFsdWU="}]}', BINARY_V2),
    (PROXY, "POST", "/v3/clusters/@CLUSTER@/topics/hostile-broken/records:batch",
     '{"entries":[{"id":"1","value":{"type":"JSON","data":{"a":1}},"headers":[{"name":"h","value":"dg=="}]}]}', JSON),
    (PROXY, "POST", "/consumers/hostile-broken/instances/none/positions", '{"offsets":[{"topic":"known","partition":0,"offset":1}]}', V2),
    (PROXY, "GET", "/consumers/hostile-broken/instances/none/records?timeout=10&max_bytes=1000", None, None),
    (PROXY, "GET", "/v3/clusters/@CLUSTER@/topics/known/configs/cleanup.policy", None, None),
)


def breakers(dice):
    """Ways to break a text."""
    at = lambda text: dice.randrange(len(text) + 1)
    odd = lambda: dice.choice(["%00", "\\u0000", "\"", "[", "{", "}", "-", "9" * 30, "%2f", "\\", "é", "null", "//", "?", "&", "=", "\U0001f600", ":", ",", "x" * 2000])

    def cut(text):
        return text[:at(text)]

    def insert(text):
        i = at(text)
        return text[:i] + odd() + text[i:]

    def drop(text):
        i = at(text)
        return text[:i] + text[i + dice.randrange(1, 4):]

    def twice(text):
        i, j = sorted((at(text), at(text)))
        return text[:j] + text[i:j] + text[j:]

    return cut, insert, drop, twice


def broken_requests(dice, n):
    """Good requests with something broken in the target behind its first name, or in the body."""
    ways = breakers(dice)
    for i in range(n):
        app, method, target, body, kind = dice.choice(GOOD_ONES)
        if body is not None and dice.random() < 0.75:
            for _ in range(dice.randrange(1, 4)):
                body = dice.choice(ways)(body)
        else:
            # Not in what says what it is about: a good request about something else is no hostile one.
            keep = target.index("/", 1) + 3
            target = target[:keep] + dice.choice(ways)(target[keep:])
        # A blank would end the target, and what comes behind it is not what is meant here.
        yield request(f"broken {i}: {method} {target[:50]!r}", app, method, urllib.parse.quote(target, safe="/%?&=@:\\\"[]{}-,"), body, kind)


def all_requests():
    listed = [*tricky_paths(), *tricky_frames(REGISTRY), *tricky_frames(PROXY), *tricky_registrations(), *tricky_records(), *tricky_consumers()]
    return listed + list(broken_requests(random.Random(SEED), max(REQUESTS - len(listed), REQUESTS // 4)))


# ---- sending ----

def send(web, port, tls, data, half_close):
    """All that comes back until the connection ends; half_close: where a frame lies, nobody shall wait for the rest."""
    s = socket.create_connection(("127.0.0.1", port), ANSWER_S)
    if tls:
        s = web.trust().wrap_socket(s, server_hostname="localhost")
    got = b""
    try:
        try:
            s.sendall(data)
            if half_close and not tls:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all was sent: the answer says why
        while piece := s.recv(65536):
            got += piece
    except (ConnectionError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise AssertionError(f"no end of the answer within {ANSWER_S} s, after {got[:200]!r}") from error
    finally:
        s.close()
    return got


class Answer:
    """Of a status line, headers and a body; .rest is what follows, which must be none or another answer."""

    def __init__(self, data):
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        self.status = int(re.fullmatch(rb"HTTP/1\.[01] (\d{3}) .*", lines[0])[1])
        self.headers = {n.strip().lower(): v.strip() for n, _, v in (line.partition(b":") for line in lines[1:])}
        if self.headers.get(b"transfer-encoding") == b"chunked":
            self.body, self.rest = b"", rest
            while True:
                size, _, self.rest = self.rest.partition(b"\r\n")
                self.body += self.rest[:int(size, 16)]
                self.rest = self.rest[int(size, 16) + 2:]
                if int(size, 16) == 0:
                    break
        else:
            n = int(self.headers.get(b"content-length", b"0"))
            self.body, self.rest = rest[:n], rest[n:]


def check(answer):
    """A good one, or a documented error; both as JSON, and nothing of the request in a header."""
    assert b"x-bad" not in answer.headers, answer.headers
    if answer.status in GOOD:
        if answer.body and answer.headers[b"content-type"].startswith(b"application/"):
            for line in answer.body.split(b"\r\n"):
                json.loads(line or b"0")
        return
    assert answer.status in DOCUMENTED, f"status {answer.status}: {answer.body[:300]!r}"
    assert b"json" in answer.headers[b"content-type"], f"{answer.status} as {answer.headers[b'content-type']}: {answer.body[:200]!r}"
    error = json.loads(answer.body)
    assert isinstance(error["error_code"], int) and isinstance(error["message"], str), answer.body[:300]
    assert str(error["error_code"])[:3] == str(answer.status) or error["error_code"] in (40001,), f"{answer.status}: {answer.body[:200]!r}"


# ---- what must not change ----

def pss_mb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1]) / 1024


class Fortress:
    """Weir with something in it that must stay as it is."""

    def __init__(self, web):
        self.web = web
        self.registry, self.proxy = web.to_registry(), web.to_proxy()
        same(self.proxy.ask("POST", "/topics/known", {"records": [{"key": "a", "value": i} for i in range(10)]}, JSON_V2)[0], 200)
        schema = json.dumps({"type": "record", "name": "Known", "fields": []})
        same(self.registry.ask("POST", "/subjects/known/versions", {"schema": schema}, V1)[0], 200)
        same(self.registry.ask("PUT", "/config/known", {"compatibility": "FULL"}, V1)[0], 200)
        status, made = self.proxy.ask("POST", "/consumers/known", {"format": "json", "auto.offset.reset": "earliest"}, V2)
        same(status, 200, str(made))
        self.instance = f"/consumers/known/instances/{made['instance_id']}"
        same(self.proxy.ask("POST", self.instance + "/subscription", {"topics": ["known"]}, V2)[0], 204)
        until("the group has read", lambda: len(self.proxy.ask("GET", self.instance + "/records", accept=JSON_V2)[1]) == 10)
        same(self.proxy.ask("POST", self.instance + "/offsets", None, V2)[0], 200)
        self.cluster = self.proxy.ask("GET", "/v3/clusters")[1]["data"][0]["cluster_id"]
        self.requests = all_requests()
        for r in self.requests:
            r.data = r.data.replace(b"@CLUSTER@", self.cluster.encode())
        self.good = []  # (method, target) of what was answered as if it were good
        self.answers = 0
        self.times = []
        self.pids = web.pids()
        self.before = self.state()
        self.memory = []

    def state(self):
        """What is there, by the names under which it could be changed."""
        state = {}
        for subject in self.registry.ask("GET", "/subjects?deleted=true")[1]:
            path = "/subjects/" + urllib.parse.quote(subject, safe="") + "/versions"
            state["subject", subject] = [self.registry.ask("GET", f"{path}/{v}?deleted=true") for v in self.registry.ask("GET", path + "?deleted=true")[1]]
        for topic in self.proxy.ask("GET", "/topics")[1]:
            if not topic.startswith("_"):
                path = "/topics/" + urllib.parse.quote(topic, safe="")
                parts = self.proxy.ask("GET", path + "/partitions")[1]
                state["topic", topic] = [self.proxy.ask("GET", f"{path}/partitions/{p['partition']}/offsets") for p in parts]
        for path in "/config", "/mode", "/config/known", "/contexts":
            state["registry", path] = self.registry.ask("GET", path)
        body = json.dumps({"partitions": [{"topic": "known", "partition": 0}]}).encode()
        state["group", "known"] = self.proxy.ask("GET", self.instance + "/offsets", body, V2)
        return state

    def send_all(self):
        """Every request to both of its ports; returns what was wrong with the answers."""
        wrong = []
        for r in self.requests:
            for port, tls in ((self.web.registry if r.app == REGISTRY else self.web.proxy), False), (self.web.tls, True):
                began = time.monotonic()
                try:
                    answer = self.send(r, port, tls)
                except (AssertionError, ValueError, KeyError, TypeError, IndexError) as why:
                    wrong.append(f"{r.name} ({'tls' if tls else r.app}): {type(why).__name__} {why}")
                self.times.append((time.monotonic() - began, r.name))
        return wrong

    def send(self, r, port, tls):
        data = send(self.web, port, tls, r.data, r.name.startswith("frame: "))
        if data == b"" and r.name.startswith("frame: "):
            return  # there was no telling what it was
        if r.name == "frame: an old version" and not data.startswith(b"HTTP/"):
            return  # a body is all that it has
        while data:
            answer = Answer(data)
            check(answer)
            self.answers += 1
            if answer.status in GOOD and r.method != "GET":
                self.good.append((r.method, r.target))
            data = answer.rest

    def may_have_made(self, kind, name):
        """Whether a good request was about this."""
        targets = {urllib.parse.unquote(target.partition("?")[0]) for method, target in self.good if method in ("POST", "PUT")}
        return any(f"/{kind}s/{name}" in target for target in targets)


def test_each_gets_a_documented_answer(fortress):
    wrong = fortress.send_all()
    fortress.memory.append({name: pss_mb(pid) for name, pid in fortress.pids.items()})
    print(f"  {len(fortress.requests)} requests, {fortress.answers} answers, {len(fortress.good)} of them good changes; "
          "the slowest: " + ", ".join(f"{name} {seconds:.1f} s" for seconds, name in sorted(fortress.times)[-3:]))
    assert len(fortress.requests) >= REQUESTS
    same(wrong, [], f"{len(wrong)} that were wrong:\n" + "\n".join(wrong[:40]) + "\n")


def test_nothing_has_changed_but_what_good_ones_made(fortress):
    after = fortress.state()
    for key, value in fortress.before.items():
        same(after.get(key), value, str(key))
    for kind, name in after.keys() - fortress.before.keys():
        same(fortress.may_have_made(kind, name), True, f"whether a good request made the {kind} {name!r}")
    same(("subject", "smuggled") in after or ("topic", "smuggled") in after, False, "something was smuggled")


def test_all_processes_are_those_of_the_beginning(fortress):
    same(fortress.web.pids(), fortress.pids)
    for name, process in {**fortress.web.processes, "weir-logd": fortress.web.daemon.process}.items():
        same(process.poll(), None, f"the end of {name}")
    for connection in fortress.registry, fortress.proxy:
        same(connection.ask("GET", "/-/ready")[0], 200, "ready")


def test_a_second_round_takes_no_more_memory(fortress):
    fortress.send_all()
    now = {name: pss_mb(pid) for name, pid in fortress.pids.items()}
    print("  MB after each round: " + ", ".join(f"{name} {fortress.memory[0][name]:.0f} {mb:.0f}" for name, mb in now.items()))
    if "asan" in subprocess.run(["ldd", os.environ["WEIR_LOGD"]], check=True, stdout=subprocess.PIPE, text=True).stdout:
        return  # which keeps what is freed
    for name, mb in now.items():
        assert mb < fortress.memory[0][name] + 8, f"{name} has grown by {mb - fortress.memory[0][name]:.0f} MB"
        assert mb < MOST_MB, f"{name} has {mb:.0f} MB"


if __name__ == "__main__":
    whole = weir_web.Web()
    counts = weir_web.end(whole, *run(globals(), Fortress(whole), seconds=250))
    sys.stdout.flush()
    finish(*counts)
