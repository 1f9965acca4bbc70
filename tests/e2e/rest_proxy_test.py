#!/usr/bin/python3
"""rest_proxy_test.py -- the REST proxy behind nginx: what it answers, and what becomes of it when something breaks.

Names given on the command line choose tests.
"""
import base64
import collections
import concurrent.futures
import contextlib
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claims
from claims import same, until
from rest_site import BINARY, JSON, PLAIN, V2, Instance, Log, Site, base64_of

AVRO = "application/vnd.kafka.avro.v2+json"
MIB = 1 << 20
NOT_HOSTED = "This server does not host this topic-partition."
numbers = itertools.count(1)


def fresh(site, partitions=1, **configs):
    """A new topic's name."""
    name = f"t{next(numbers)}"
    site.create_topic(name, partitions, **configs)
    return name


def group():
    return f"g{next(numbers)}"


def problem(answer):
    """Status, error_code and message."""
    status, got, _ = answer
    return status, got.get("error_code") if isinstance(got, dict) else None, got.get("message") if isinstance(got, dict) else got


def offsets_of(answer):
    status, got, _ = answer
    same(status, 200, f"status of {got}")
    return [o["offset"] for o in got["offsets"]]


# ---- what is refused, and how ----

def check_table(site, rows):
    """Of each row (method, path, body, content, accept) status, code and message (None: any)."""
    for (method, path, body, content, accept), (status, code, message) in rows:
        answer = site.ask(method, path, body, content, accept)
        what = f"{method} {path} {str(body)[:100]} -> {str(answer[1])[:200]}"
        same(answer[0], status, what)
        if code is not None:
            same(answer[1]["error_code"], code, what)
        if message is not None:
            same(answer[1]["message"], message, what)


def test_v2_refuses_as_confluent_does(site):
    t = fresh(site)

    def produce(body, content=JSON, accept=None, path=f"/topics/{t}"):
        return "POST", path, body, content, accept

    def get(path, accept=None):
        return "GET", path, None, None, accept

    bad = "Bad Request: "
    check_table(site, [
        (get("/nope"), (404, 404, "HTTP 404 Not Found")),
        (get("/topics/../topics"), (404, 404, "HTTP 404 Not Found")),
        (get("/topics/none"), (404, 40403, NOT_HOSTED)),
        (get("/topics/none/partitions"), (404, 40403, NOT_HOSTED)),
        (get("/topics/none/partitions/0"), (404, 40403, NOT_HOSTED)),
        (get("/topics/none/partitions/0/offsets"), (404, 40403, NOT_HOSTED)),
        (get(f"/topics/{t}/partitions/9"), (404, 40402, "Partition not found.")),
        (get(f"/topics/{t}/partitions/-1"), (404, 40402, "Partition not found.")),
        (get(f"/topics/{t}/partitions/9/offsets"), (404, 40402, "Partition not found.")),
        (get(f"/topics/{t}/partitions/x"), (404, 404, "HTTP 404 Not Found")),
        (get(f"/topics/{t}/partitions/%2B1"), (404, 404, "HTTP 404 Not Found")),
        (get(f"/topics/{t}/partitions/99999999999"), (404, 404, "HTTP 404 Not Found")),
        (get("/topics/a%20b"), (400, 40002, None)),
        (get("/topics//partitions"), (400, 40002, None)),
        (("DELETE", f"/topics/{t}", None, None, None), (405, 405, "HTTP 405 Method Not Allowed")),
        (get("/topics", "text/html"), (406, 406, "HTTP 406 Not Acceptable")),
        (produce({"records": [{"value": 1}]}, accept="text/html"), (406, 406, "HTTP 406 Not Acceptable")),
        (produce({"records": [{"value": 1}]}, PLAIN), (415, 415, "HTTP 415 Unsupported Media Type")),
        (produce({"records": [{"value": 1}]}, V2), (415, 415, "HTTP 415 Unsupported Media Type")),
        (produce({"records": [{"value": 1}]}, "application/vnd.kafka+json"), (415, 415, "HTTP 415 Unsupported Media Type")),
        (produce({"records": [{"value": 1}]}, "application/octet-stream"), (415, 415, "HTTP 415 Unsupported Media Type")),
        (produce({"records": [{"value": 1}]}, AVRO), (415, 415, "HTTP 415 Unsupported Media Type")),
        (produce({"records": [{"value": 1}]}, None), (415, 415, "HTTP 415 Unsupported Media Type")),
        (produce(""), (422, 422, "produceRequest must not be null (was null)")),
        (produce(" \n"), (422, 422, "produceRequest must not be null (was null)")),
        (produce("null"), (422, 422, "produceRequest must not be null (was null)")),
        (produce("{}"), (422, 422, "produceRequest.records must not be empty (was null)")),
        (produce({"records": None}), (422, 422, "produceRequest.records must not be empty (was null)")),
        (produce({"records": []}), (422, 422, "produceRequest.records must not be empty (was [])")),
        (produce({"records": [{"value": 1}], "x": 1}), (422, 422, "Unrecognized field: x")),
        (produce({"records": [{"value": 1, "headers": []}]}), (422, 422, "Unrecognized field: headers")),
        (produce({"records": [{"value": 1, "partition": -2}]}),
         (422, 422, "produceRequest.records[0].partition must be greater than or equal to 0 (was -2)")),
        (produce({"records": [{"value": 1, "partition": "0"}]}), (400, 400, None)),
        (produce({"records": [{"value": 1, "partition": 1.5}]}), (400, 400, None)),
        (produce({"records": [1]}), (400, 400, None)),
        (produce({"records": {}}), (400, 400, None)),
        (produce(b"\xef\xbb\xbf"), (422, 422, "produceRequest must not be null (was null)")),
        (produce(b"\xef\xbb\xbf{}"), (422, 422, "produceRequest.records must not be empty (was null)")),
        (produce(b" \xef\xbb\xbf{}"), (400, 400, None)),
        (produce("[]"), (400, 400, None)),
        (produce("{"), (400, 400, None)),
        (produce('{"records":[{"value":1}]} x'), (400, 400, None)),
        (produce('{"records":[{"value":nan}]}'), (400, 400, None)),
        (produce(b'{"records":[{"value":"\xff"}]}'), (400, 400, None)),
        (produce({"records": [{"value": 1}]}, BINARY), (400, 400, bad + "data=1 is not a base64 string.")),
        (produce({"records": [{"key": {"a": 1}}]}, BINARY), (400, 400, bad + 'data={"a": 1} is not a base64 string.')),
        (produce({"records": [{"value": "a"}]}, BINARY), (400, 400, bad + 'data="a" is not a valid base64 string.')),
        (produce({"records": [{"value": 1}]}, path=f"/topics/{t}/partitions/-1"), (404, 40402, "Partition not found.")),
        (produce({"records": [{"value": 1}]}, path=f"/topics/{t}/partitions/x"), (404, 404, "HTTP 404 Not Found")),
    ])
    same(site.ask("GET", f"/topics/{t}/partitions/0/offsets")[1], {"beginning_offset": 0, "end_offset": 0}, "nothing was written")


def test_a_record_that_fails_is_told_of_in_its_place(site):
    t = fresh(site)
    status, got, _ = site.produce(t, [{"value": 1}, {"value": 2, "partition": 7}, {"value": "x" * 1200000}, {"value": 3}])
    same(status, 200, got)
    first, second, third, fourth = got["offsets"]
    same((first["offset"], first["error_code"], first["error"]), (0, None, None), "the first")
    same((second["offset"], second["partition"], second["error_code"]), (None, None, 50003), "of a partition that is not there")
    same((third["offset"], third["error_code"]), (None, 50002), "too large")
    same((fourth["offset"], fourth["error_code"]), (1, None), "the last")
    same((got["key_schema_id"], got["value_schema_id"]), (None, None), "schemas")
    status, got, _ = site.produce("no%20name", [{"value": 1}])
    same((status, got["offsets"][0]["error_code"]), (200, 50002), got)


def test_v3_refuses_as_confluent_does(site):
    t = fresh(site)
    c = f"/v3/clusters/{site.cluster()}"

    def get(path, accept=None):
        return "GET", path, None, None, accept

    def post(path, body, content=PLAIN):
        return "POST", c + path, body, content, None

    empty = "Payload error. Request body is empty. Data is required."
    count = "Payload error. Request body is empty. Partitions_count is required."
    check_table(site, [
        (get("/v3/clusters/other"), (404, 404, "Cluster other cannot be found.")),
        (get("/v3/clusters/other/brokers"), (404, 404, "Cluster other cannot be found.")),
        (get("/v3/clusters/other/topics"), (404, 404, "Cluster other cannot be found.")),
        (get(f"/v3/clusters/other/topics/{t}"), (404, 404, "Cluster other cannot be found.")),
        (get(f"/v3/clusters/other/topics/{t}/partitions"), (404, 404, "HTTP 404 Not Found")),
        (get(f"/v3/clusters/other/topics/{t}/partitions/0"), (404, 404, "HTTP 404 Not Found")),
        (get(f"/v3/clusters/other/topics/{t}/configs"), (404, 404, "HTTP 404 Not Found")),
        (get(c + "/brokers/77"), (404, 404, "Broker 77 cannot be found.")),
        (get(c + "/brokers/x"), (404, 404, "HTTP 404 Not Found")),
        (get(c + "/topics/none"), (404, 40403, NOT_HOSTED)),
        (get(c + "/topics/none/partitions"), (404, 40403, NOT_HOSTED)),
        (get(c + "/topics/none/configs"), (404, 40403, NOT_HOSTED)),
        (get(f"{c}/topics/{t}/partitions/9"), (404, 40403, f"This server does not host topic-partition 9 for topic {t}")),
        (get(f"{c}/topics/{t}/partitions/9/replicas"), (404, 40403, f"This server does not host topic-partition 9 for topic {t}")),
        (get(f"{c}/topics/{t}/partitions/x"), (404, 404, "HTTP 404 Not Found")),
        (get(f"{c}/topics/{t}/partitions/0/offset"), (400, 400, "Bad Request: offset_type:null is invalid")),
        (get(f"{c}/topics/{t}/partitions/0/offset?offset_type=x"), (400, 400, "Bad Request: offset_type:x is invalid")),
        (get(f"{c}/topics/{t}/configs/none"), (404, 404, f"Config none cannot be found for TOPIC {t} in cluster {c[13:]}.")),
        (("DELETE", c + "/topics/none", None, None, None), (404, 40403, NOT_HOSTED)),
        (get(c + "/topics", "text/html"), (406, 406, "HTTP 406 Not Acceptable")),
        (post("/topics", "{}", "text/plain"), (415, 415, "HTTP 415 Unsupported Media Type")),
        (post("/topics", ""), (422, 42206, empty)),
        (post("/topics", "null"), (422, 42206, empty)),
        (post("/topics", "{}"), (422, 42206, "Payload error. Invalid topic name.")),
        (post("/topics", {"topic_name": ""}), (422, 42206, "Payload error. Invalid topic name.")),
        (post("/topics", {"topic_name": "a\0b"}), (422, 42206, "Payload error. Invalid topic name.")),
        (post("/topics", {"topic_name": "a b"}), (422, 42206, "Payload error. Invalid topic name.")),
        (post("/topics", {"topic_name": "x" * 250}), (422, 42206, "Payload error. Invalid topic name.")),
        (post("/topics", {"topic_name": "n"}, PLAIN + "; charset=utf-16"), (400, 400, None)),
        (post("/topics", {"topic_name": t}, PLAIN + '; charset="UTF-8"'), (400, 40002, f"Topic '{t}' already exists.")),
        (post("/topics", {"topic_name": t}, PLAIN + ";Charset=iso-8859-1"), (400, 40002, f"Topic '{t}' already exists.")),
        (post("/topics", {"topic_name": t}), (400, 40002, f"Topic '{t}' already exists.")),
        (post("/topics", {"topic_name": "n", "nope": 1}), (422, 422, "Unrecognized field: nope")),
        (post("/topics", {"topic_name": "n", "partitions_count": "many"}), (400, 400, None)),
        (post("/topics", {"topic_name": "n", "partitions_count": 0}), (400, 40002, None)),
        (post("/topics", {"topic_name": "n", "partitions_count": -5}), (400, 40002, None)),
        (post("/topics", {"topic_name": "n", "configs": [{"name": "no.such", "value": "1"}]}), (400, 40002, None)),
        (post("/topics", {"topic_name": "n", "configs": [{"name": "retention.ms", "value": "long"}]}), (400, 40002, None)),
        (post("/topics", {"topic_name": "n", "configs": {}}), (400, 400, None)),
        (post("/topics", {"topic_name": "n", "replicas_assignments": {"1": [0]}}), (400, 400, None)),
        (post("/topics", "{"), (400, 400, None)),
        (("PATCH", f"{c}/topics/{t}", "", PLAIN, None), (422, 42206, count)),
        (("PATCH", f"{c}/topics/{t}", "{}", PLAIN, None), (422, 42206, count)),
        (("PATCH", f"{c}/topics/{t}", '{"partitions_count":1}', PLAIN, None), (400, 40002, None)),
        (("PATCH", f"{c}/topics/{t}", '{"partitions_count":0}', PLAIN, None), (400, 40002, None)),
        (("PATCH", f"{c}/topics/none", '{"partitions_count":3}', PLAIN, None), (404, 40403, NOT_HOSTED)),
        (post(f"/topics/{t}/records", ""), (422, 42206, empty)),
        (post(f"/topics/{t}/records:batch", ""), (422, 42208, "Request body is empty. Data is required.")),
        (post(f"/topics/{t}/records:batch", {"entries": []}), (422, 42208, "Empty batch.")),
        (post(f"/topics/{t}/records:batch", "{}"), (422, 42208, "Empty batch.")),
        (post(f"/topics/{t}/records:batch", {"entries": [{"id": str(i)} for i in range(11)]}), (422, 42208, "Too many entries in batch.")),
        (post(f"/topics/{t}/records:batch", {"entries": [{"id": "a"}, {"id": "a"}]}), (422, 42208, "Batch entry IDs are not distinct.")),
        (post(f"/topics/{t}/records:batch", {"entries": [{"id": ""}]}), (422, 42208, "Batch entry identifier is not a valid string.")),
        (post(f"/topics/{t}/records:batch", {"entries": [{"id": 7}]}), (422, 42208, "Batch entry identifier is not a valid string.")),
        (post(f"/topics/{t}/records:batch", {"entries": [{"id": "a b"}]}), (422, 42208, "Batch entry identifier is not a valid string.")),
        (post(f"/topics/{t}/records:batch", {"entries": [{"id": "x" * 81}]}), (422, 42208, "Batch entry identifier is not a valid string.")),
        (post(f"/topics/{t}/records:batch", {"entries": [{}]}), (422, 42208, "Batch entry identifier is not a valid string.")),
        (post(f"/topics/{t}/records:batch", {"entries": [{"id": "a", "nope": 1}]}), (422, 422, "Unrecognized field: nope")),
        (post(f"/topics/{t}/records:batch", {"x": []}), (422, 422, "Unrecognized field: x")),
        (post(f"/topics/{t}/records:batch", "{"), (400, 400, None)),
    ])
    same(site.ask("GET", f"/topics/{t}/partitions/0/offsets")[1]["end_offset"], 0, "nothing was written")
    same("n" in site.ask("GET", "/topics")[1], False, "no topic was made")


def test_consumers_refuse_as_confluent_does(site):
    t, g = fresh(site), group()
    i = Instance(site, g, name="one")
    subscribed = Instance(site, g, name="two")
    same(subscribed.subscribe(t), 204, "subscription")
    assigned = Instance(site, g, name="three", kind="binary")
    same(assigned.assign(t, 0), 204, "assignment")
    missing = f"/consumers/{g}/instances/none"
    gone = (404, 40403, "Consumer instance not found.")

    def create(body):
        return "POST", f"/consumers/{g}", body, V2, None

    def ask(instance, method, what, body=None, accept=None):
        return method, instance.path + what, body, V2, accept

    range_error = "Invalid consumer configuration. It does not abide by the constraints: "
    exclusive = "Illegal state: Subscription to topics, partitions and pattern are mutually exclusive"
    here = [{"topic": t, "partition": 0}]
    unhosted = "This server does not host this topic-partition."
    look = "Look-ahead and look-behind, such as (?=x), are not supported: write what is to match, or name topics"
    mismatch = "The requested embedded data format does not match the deserializer for this consumer instance"
    check_table(site, [
        (create({"name": "one"}), (409, 40902, "Consumer with specified consumer ID already exists in the specified consumer group.")),
        (create({"nope": 1}), (422, 422, "Unrecognized field: nope")),
        (create({"format": "xml"}), (422, 422, "Invalid format type.")),
        (create({"format": "STRING"}), (500, 500, "Invalid embedded format STRING for new consumer.")),
        (create({"fetch.min.bytes": -2}), (422, 40001, range_error + "Invalid value -2 for configuration fetch.min.bytes: Value must be at least -1")),
        (create({"fetch.min.bytes": 10000001}), (422, 40001, range_error +
                                                 "Invalid value 10000001 for configuration fetch.min.bytes: Value must be no more than 10000000")),
        (create({"fetch.min.bytes": "x"}), (422, 40001, None)),
        (create({"auto.offset.reset": "sometimes"}), (422, 42204, None)),
        (create({"auto.commit.enable": "maybe"}), (422, 42204, None)),
        (create({"name": ""}), (422, 42204, None)),
        (create({"name": "x" * 256}), (422, 42204, None)),
        (create({"name": "a/../b"}), (422, 42204, None)),
        (create({"name": "a\0b"}), (400, 400, None)),
        (create({"name": {}}), (400, 400, None)),
        (create("{"), (400, 400, None)),
        (("POST", f"/consumers/{g}", "{}", "text/plain", None), (415, 415, "HTTP 415 Unsupported Media Type")),
        (("POST", "/consumers/" + "x" * 256, "{}", V2, None), (422, 42204, None)),
        (("GET", f"/consumers/{g}", None, None, None), (405, 405, "HTTP 405 Method Not Allowed")),
        (("DELETE", missing, None, None, None), gone),
        (("POST", missing + "/subscription", {"topics": [t]}, V2, None), gone),
        (("GET", missing + "/subscription", None, None, None), gone),
        (("DELETE", missing + "/subscription", None, None, None), gone),
        (("POST", missing + "/assignments", {"partitions": here}, V2, None), gone),
        (("GET", missing + "/assignments", None, None, None), gone),
        (("POST", missing + "/positions", {"offsets": [{**here[0], "offset": 1}]}, V2, None), gone),
        (("POST", missing + "/positions/beginning", {"partitions": here}, V2, None), gone),
        (("POST", missing + "/positions/end", {"partitions": here}, V2, None), gone),
        (("GET", missing + "/records", None, None, JSON), gone),
        (("POST", missing + "/offsets", None, V2, None), gone),
        (("GET", missing + "/offsets", {"partitions": here}, V2, None), gone),
        (ask(i, "GET", "/records", accept=BINARY), (406, 40601, mismatch)),
        (ask(i, "GET", "/records", accept=AVRO), (406, 40601, mismatch)),
        (ask(i, "GET", "/records", accept="text/html"), (406, 406, "HTTP 406 Not Acceptable")),
        (ask(i, "GET", "/records", accept=JSON), (500, 500, "Internal Server Error")),
        (ask(i, "GET", "/records?timeout=x", accept=JSON), (404, 404, "HTTP 404 Not Found")),
        (ask(i, "POST", "/positions", {"offsets": [{**here[0], "offset": 1}]}), (409, 40903, f"Illegal state: No current assignment for partition {t}-0")),
        (ask(i, "POST", "/positions/end", {"partitions": here}), (409, 40903, f"Illegal state: No current assignment for partition {t}-0")),
        (ask(i, "POST", "/positions", {"offsets": [{**here[0], "offset": -1}]}), (400, 400, None)),
        (ask(i, "POST", "/positions", {"timestamps": [{**here[0], "timestamp": "now"}]}), (400, 400, None)),
        (ask(i, "POST", "/positions", {"nope": []}), (422, 422, "Unrecognized field: nope")),
        (ask(i, "POST", "/offsets", {"offsets": [{**here[0], "offset": 2**63 - 1}]}), (400, 400, None)),
        (ask(i, "POST", "/offsets", {"offsets": [{**here[0], "offset": -2}]}), (400, 400, None)),
        (ask(i, "POST", "/offsets", {"offsets": [{"topic": "x" * 300, "partition": 0, "offset": 1}]}), (400, 40002, None)),
        (ask(i, "POST", "/offsets", {"offsets": [{**here[0], "offset": 1, "metadata": "x" * 40000}]}), (400, 40002, None)),
        (ask(i, "GET", "/offsets"), (404, 40402, "Partition not found.")),
        (ask(i, "POST", "/subscription", ""), (422, 422, None)),
        (ask(i, "POST", "/subscription", {"topics": "x"}), (400, 400, None)),
        (ask(i, "POST", "/subscription", {"topics": [""]}), (400, 40002, None)),
        (ask(i, "POST", "/subscription", {"topics": ["x" * 40000]}), (400, 40002, None)),
        (ask(i, "POST", "/subscription", {"topic_pattern": "(" * 100}), (400, 40002, None)),
        (ask(i, "POST", "/subscription", {"topic_pattern": "(((a{1000}){1000}){1000})"}), (400, 40002, None)),
        (ask(i, "POST", "/subscription", {"topic_pattern": "(a*)*\\1"}), (400, 40002, None)),
        (ask(i, "POST", "/subscription", {"topic_pattern": "x" * 2000}), (400, 40002, None)),
        (ask(i, "POST", "/subscription", {"topic_pattern": "((((((a*|b*)+)+)+)+)+)+"}), (400, 40002, None)),
        (ask(i, "POST", "/subscription", {"topic_pattern": "(?=x)"}), (400, 40002, look)),
        (ask(i, "POST", "/subscription", {"topics": [t], "topic_pattern": "x"}), (409, 40903, exclusive)),
        (ask(subscribed, "POST", "/assignments", {"partitions": here}), (409, 40903, exclusive)),
        (ask(assigned, "POST", "/subscription", {"topics": [t]}), (409, 40903, exclusive)),
        (ask(assigned, "POST", "/subscription", {"topic_pattern": t}), (409, 40903, exclusive)),
        (ask(assigned, "POST", "/assignments", {"partitions": [{"topic": t}]}), (400, 400, None)),
        (ask(assigned, "POST", "/assignments", {"partitions": [{"topic": t, "partition": 1}]}), (404, 40403, unhosted)),
        (ask(assigned, "POST", "/assignments", {"partitions": [*here, {"topic": t, "partition": 7}]}), (404, 40403, unhosted)),
        (ask(assigned, "POST", "/assignments", {"partitions": [*here, {"topic": "nowhere", "partition": 0}]}), (404, 40403, unhosted)),
        (ask(assigned, "POST", "/assignments", {"partitions": [{"topic": "nowhere", "partition": 0}]}), (404, 40403, unhosted)),
    ])
    for each in i, subscribed, assigned:
        same(each.delete(), 204, "the end")


# ---- v2: metadata and produce ----

def test_v2_tells_what_there_is(site):
    t = fresh(site, 3, retention_ms=123456)
    same(site.ask("GET", "/")[:2], (200, {}), "the root")
    same(site.ask("POST", "/", {"any": 1})[:2], (200, {}), "the root, posted to")
    brokers = site.ask("GET", "/brokers")[1]["brokers"]
    same(len(brokers), 1, "brokers")
    same(t in site.ask("GET", "/topics")[1], True, "topics")
    wanted = [{"partition": p, "leader": brokers[0], "replicas": [{"broker": brokers[0], "leader": True, "in_sync": True}]} for p in range(3)]
    got = site.ask("GET", f"/topics/{t}")[1]
    same((got["name"], got["partitions"], got["configs"]["retention.ms"]), (t, wanted, "123456"), "a topic")
    same(site.ask("GET", f"/topics/{t}/partitions")[1], wanted, "its partitions")
    same(site.ask("GET", f"/topics/{t}/partitions/2")[1], wanted[2], "one of them")
    site.produce(t, [{"value": n, "partition": 1} for n in range(5)])
    same(site.ask("GET", f"/topics/{t}/partitions/1/offsets")[1], {"beginning_offset": 0, "end_offset": 5}, "its offsets")
    for accept, wanted in (None, V2), ("*/*", V2), (V2, V2), (PLAIN, PLAIN), (f"{PLAIN};q=0.5, {V2}", V2):
        same(site.ask("GET", "/topics", accept=accept)[2]["Content-Type"], wanted, f"the type for {accept}")


def values(records):
    return [r["value"] for r in records]


def test_what_is_produced_is_what_kafka_has(site):
    t = fresh(site)
    sent = [
        ('{"value": {"a" : [1, 2.50, 1e400], "b" : " c "}}', None, b'{"a":[1,2.50,1e400],"b":" c "}'),
        ('{"key": "k", "value": "caf\\u00e9 \\/"}', b'"k"', b'"caf\\u00e9 \\/"'),
        ('{"key": 0, "value": false}', b"0", b"false"),
        ('{"key": null, "value": null}', None, None),
        ('{"value": ""}', None, b'""'),
        ('{"key": {}}', b"{}", None),
        ("{}", None, None),
    ]
    body = '{"records":[' + ",\n".join(s[0] for s in sent) + "]}"
    same(offsets_of(site.ask("POST", f"/topics/{t}", body, JSON)), list(range(len(sent))), "offsets")
    binary = [{"value": base64_of(bytes(range(256)))}, {"key": "", "value": ""}, {"key": None, "value": None}, {"value": "d2Vpcg"}]
    same(offsets_of(site.produce(t, binary, BINARY)), [7, 8, 9, 10], "offsets")
    i = Instance(site, group(), kind="binary")
    same(i.assign(t, 0), 204, "assignment")
    got = i.collect(11)

    def bytes_of(text):
        return None if text is None else base64.b64decode(text)

    same([(bytes_of(r["key"]), bytes_of(r["value"])) for r in got],
         [s[1:] for s in sent] + [(None, bytes(range(256))), (b"", b""), (None, None), (None, b"weir")], "keys and values")
    same([list(r) for r in got], [["topic", "key", "value", "partition", "offset"]] * 11, "the members of a record")
    i.delete()


def test_records_go_to_their_partitions(site):
    t = fresh(site, 4)
    got = site.produce(t, [{"value": 1, "partition": 2}, {"value": 2}, {"key": "a", "value": 3}, {"key": "a", "value": 4}])[1]["offsets"]
    same(got[0]["partition"], 2, "the one that was asked for")
    same(got[2]["partition"], got[3]["partition"], "of one key")
    # What Java's client makes of the key "a", in quotes.
    same(got[2]["partition"], murmur2(b'"a"') % 4, "by the key")
    got = site.ask("POST", f"/topics/{t}/partitions/3", {"records": [{"value": 1}, {"value": 2, "partition": 1}]}, JSON)[1]["offsets"]
    same([o["partition"] for o in got], [3, 1], "of the path, and of the record")


def murmur2(data):
    """Kafka's hash of a key, its sign cleared."""
    mask, m = 0xffffffff, 0x5bd1e995
    h = 0x9747b28c ^ len(data)
    for at in range(0, len(data) - 3, 4):
        k = int.from_bytes(data[at:at + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    rest = data[len(data) & ~3:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return (h ^ h >> 15) & 0x7fffffff


def test_large_requests_are_written_whole(site):
    t = fresh(site)
    answer = site.produce(t, [{"value": n} for n in range(12345)])
    same(offsets_of(answer), list(range(12345)), "offsets in their order")
    same(offsets_of(site.produce(t, [{"value": "x" * 900000} for _ in range(8)])), list(range(12345, 12353)), "7 MB")


def test_a_body_beyond_the_most_is_refused(site):
    t = fresh(site)
    status, got, _ = site.ask("POST", f"/topics/{t}", b" " * (64 * MIB + 1), JSON)
    same((status, got["error_code"]), (413, 413), "64 MiB and one byte")
    status, got, _ = site.ask("POST", f"/topics/{t}", '{"records":[' + "{}," * 1000001 + "{}]}", JSON)
    same((status, got["error_code"]), (413, 413), "a million records, and more")
    same(site.ask("GET", f"/topics/{t}/partitions/0/offsets")[1]["end_offset"], 0, "nothing was written")


# ---- v2: consumers ----

def test_an_instance_lives_and_ends(site):
    g = group()
    i = Instance(site, g, name="a b/c")
    same(i.name, "a b/c", "its name")
    same(i.uri, f"http://127.0.0.1:{site.port}/consumers/{g}/instances/a%20b%2Fc", "its address")
    same(i.ask("GET", "/subscription")[:2], (200, {"topics": []}), "its subscription")
    same(i.ask("GET", "/assignments")[:2], (200, {"partitions": []}), "its assignments")
    same((i.delete(), i.delete()), (204, 404), "its end")
    names = {Instance(site, g).name for _ in range(3)}
    same(len(names), 3, "names that were made up")
    same(all(n.startswith("rest-consumer-") for n in names), True, names)
    headers = {"X-Request-ID": "the same", "Content-Type": V2}
    made = []
    for _ in range(2):
        c = site.connect()
        c.request("POST", f"/consumers/{g}", "{}", headers)
        made.append(json.loads(c.getresponse().read())["instance_id"])
        c.close()
    same(made[0] != made[1], True, "names do not come from the client's request id")
    for name in [*names, *made]:
        same(site.ask("DELETE", f"/consumers/{g}/instances/{name}")[0], 204, name)
    same(site.ask("POST", f"/consumers/{g}", {"id": "legacy", "name": "other"})[1]["instance_id"], "legacy", "id goes before name")
    same(site.ask("DELETE", f"/consumers/{g}/instances/legacy")[0], 204, "legacy")


def test_a_subscription_reads_what_is_written(site):
    t, g = fresh(site, 2), group()
    site.produce(t, [{"key": n, "value": {"n": n}} for n in range(20)])
    i = Instance(site, g)
    same(i.subscribe(t), 204, "subscription")
    same(i.ask("GET", "/subscription")[1], {"topics": [t]}, "what it says")
    began = time.monotonic()
    first = i.records("?timeout=20000")
    same(first == [], False, "the first call waits for the assignment")
    same(time.monotonic() - began < 5, True, "and no longer than it has to")
    got = first + (i.collect(20 - len(first)) if len(first) < 20 else [])
    same(sorted(r["value"]["n"] for r in got), list(range(20)), "records")
    same(i.assignment(), [(t, 0), (t, 1)], "assignments")
    began = time.monotonic()
    same(i.records(), [], "nothing more")
    same(0.8 < time.monotonic() - began < 3, True, "consumer.request.timeout.ms")
    began = time.monotonic()
    same(i.records("?timeout=100"), [], "nothing more")
    same(time.monotonic() - began < 0.8, True, "a timeout of its own")
    same(i.ask("DELETE", "/subscription")[0], 204, "the subscription's end")
    same(i.ask("GET", "/subscription")[1], {"topics": []}, "what it says then")
    i.delete()


def test_the_same_subscription_again_changes_nothing(site):
    t, g = fresh(site), group()
    site.produce(t, [{"value": n} for n in range(10)])
    i = Instance(site, g, **{"auto.commit.enable": False})
    i.subscribe(t, t)
    same(i.ask("GET", "/subscription")[1], {"topics": [t]}, "twice the same topic is once")
    got = []
    until("one", lambda: got.extend(i.records("?max_bytes=1")) or got)
    same(values(got), [0], "the first")
    same(i.subscribe(t), 204, "the same subscription")
    same(values(i.collect(9)), list(range(1, 10)), "it goes on")
    same(i.subscribe(t, fresh(site)), 204, "another one")
    same(values(i.collect(10)), list(range(10)), "begins with what is committed: nothing")
    i.delete()


def test_the_same_partition_twice_is_assigned_once(site):
    t = fresh(site, 2)
    i = Instance(site, group())
    same(i.assign(t, 0, 1, 0), 204, "assignment")
    same(i.assignment(), [(t, 0), (t, 1)], "what it says")
    i.delete()


def test_a_pattern_matches_whole_names(site):
    prefix = f"p{next(numbers)}"
    for name in "a", "ab", "abc":
        site.create_topic(f"{prefix}.{name}")
        site.produce(f"{prefix}.{name}", [{"value": name}])
    i = Instance(site, group())
    same(i.subscribe(pattern=prefix + r"\.ab?"), 204, "subscription")
    same(sorted(values(i.collect(2))), ["a", "ab"], "records")
    same(i.records("?timeout=300"), [], "and no others")
    same(sorted(i.ask("GET", "/subscription")[1]["topics"]), [f"{prefix}.a", f"{prefix}.ab"], "what it says")
    i.delete()
    site.create_topic(f"{prefix}.7")
    site.produce(f"{prefix}.7", [{"value": "7"}])
    i = Instance(site, group())
    same(i.subscribe(pattern=prefix + r"\.(?:\d|(?i)ABC)"), 204, "subscription as Java writes it")
    same(sorted(values(i.collect(2))), ["7", "abc"], "records")
    same(i.records("?timeout=300"), [], "and no others")
    i.delete()


def test_positions_can_be_moved(site):
    t = fresh(site, 2)
    site.produce(t, [{"value": n, "partition": 0} for n in range(10)])
    i = Instance(site, group())
    here = {"topic": t, "partition": 0}
    for _ in range(3):
        # Right after the assignment, and while records fetched ahead are waiting.
        same(i.assign(t, 0, 1), 204, "assignment")
        same(i.ask("POST", "/positions", {"offsets": [{**here, "offset": 7}]})[0], 204, "to an offset")
        same(values(i.collect(3)), [7, 8, 9], "from there")
        same(i.seek("beginning", t, 0), 204, "to the beginning")
        same(values(i.collect(10)), list(range(10)), "from there")
    same(i.ask("POST", "/positions", {"offsets": [{**here, "offset": 2}]})[0], 204, "to an offset")
    same(values(i.records("?max_bytes=1")), [2], "one")
    same(i.seek("end", t, 0), 204, "to the end")
    same(i.records("?timeout=500"), [], "nothing is there")
    site.produce(t, [{"value": "new", "partition": 0}])
    same(values(i.collect(1)), ["new"], "but what comes")
    i.delete()


def test_a_time_leads_to_the_first_record_of_it_or_later(site):
    t = fresh(site)
    records = [{"value": {"type": "JSON", "data": n}, "timestamp": f"2026-01-0{n + 1}T00:00:00Z"} for n in range(5)]
    stream(site, t, records)
    i = Instance(site, group())
    i.assign(t, 0)

    def seek(when):
        return i.ask("POST", "/positions", {"timestamps": [{"topic": t, "partition": 0, "timestamp": when}]})[0]

    for when, wanted in (("2026-01-03T00:00:00Z", [2, 3, 4]), ("2026-01-03T00:00:00.001Z", [3, 4]), ("1900-01-01T00:00:00Z", [0, 1, 2, 3, 4]),
                         ("2026-01-05T01:00:00+01:00", [4])):
        same(seek(when), 204, when)
        same(values(i.collect(len(wanted))), wanted, when)
    same(seek("2030-01-01T00:00:00Z"), 204, "later than all")
    same(i.records("?timeout=300"), [], "nothing")
    i.delete()


def test_max_bytes_cuts_and_loses_nothing(site):
    t = fresh(site)
    site.produce(t, [{"value": "x" * size} for size in (10, 10, 5000, 10, 10)])
    i = Instance(site, group())
    i.assign(t, 0)
    sizes = []
    until("all five", lambda: sizes.append([len(r["value"]) for r in i.records("?max_bytes=30")]) or sum(map(len, sizes)) >= 5)
    same([s for s in sizes if s], [[10, 10], [5000], [10, 10]], "the pieces")
    # One is held back: what moves another partition, or fails, leaves it.
    i.seek("beginning", t, 0)
    same([len(r["value"]) for r in i.records("?max_bytes=15")], [10], "the first")
    same(i.ask("POST", "/positions", {"offsets": [{"topic": "other", "partition": 0, "offset": 0}]})[0], 409, "a move that fails")
    same([len(r["value"]) for r in i.records("?max_bytes=15")], [10], "the second")
    i.delete()


def test_fetch_min_bytes_waits_for_so_much(site):
    t = fresh(site)
    site.produce(t, [{"value": "x"}])
    for least, timeout, low, high in (1, 5000, 0, 3), ("-1", 1500, 1.3, 4), (100000, 1500, 1.3, 4):
        i = Instance(site, group(), **{"fetch.min.bytes": least, "consumer.request.timeout.ms": timeout})
        i.assign(t, 0)
        began = time.monotonic()
        same(len(i.records()), 1, "records")
        took = time.monotonic() - began
        same(low <= took <= high, True, f"fetch.min.bytes={least}: {took:.1f} s")
        i.delete()
    site.produce(fresh(site), [{"value": None}])
    i = Instance(site, group(), **{"consumer.request.timeout.ms": 8000})
    i.assign(f"t{next(numbers) - 2}", 0)
    began = time.monotonic()
    same(values(i.records()), [None], "a record without bytes")
    same(time.monotonic() - began < 5, True, "is enough, too")
    i.delete()


def test_what_is_no_json_stands_in_the_way_until_it_is_passed(site):
    t = fresh(site)
    site.produce(t, [{"value": base64_of(b) } for b in (b"1", b"{broken", b"3")], BINARY)
    i = Instance(site, group())
    i.assign(t, 0)
    same(values(i.collect(1)), [1], "what stands before it")
    for _ in range(2):
        answer = i.ask("GET", "/records", accept=JSON)
        same(problem(answer)[:2], (408, 40801), answer[1])
    same(i.ask("POST", "/positions", {"offsets": [{"topic": t, "partition": 0, "offset": 2}]})[0], 204, "past it")
    same(values(i.collect(1)), [3], "what stands behind it")
    i.delete()


def test_commits_are_kept(site):
    t, g = fresh(site, 2), group()
    site.produce(t, [{"value": n, "partition": 0} for n in range(10)])
    manual = {"auto.commit.enable": False}
    i = Instance(site, g, **manual)
    i.subscribe(t)
    same(i.committed(t, 0, 1), {}, "nothing yet")
    same(i.commit(), (200, []), "nothing to commit")
    got = i.records("?max_bytes=1")
    got = got or i.collect(1)
    same(i.commit(), (200, []), "what was read")
    same(i.committed(t, 0), {0: got[-1]["offset"] + 1}, "and not what was fetched ahead")
    same(i.commit((t, 0, 6)), (200, []), "an offset")
    same(i.committed(t, 0, 1), {0: 7}, "one is added")
    same(i.ask("POST", "/offsets", {"offsets": [{"topic": t, "partition": 1, "offset": 2, "metadata": "note"}]})[:2], (200, []), "with a note")
    same(i.ask("GET", "/offsets", {"partitions": [{"topic": t, "partition": 1}]})[1]["offsets"],
         [{"topic": t, "partition": 1, "offset": 3, "metadata": "note"}], "the note")
    same(i.commit((t, 0, -1)), (200, []), "of nothing read")
    same(i.committed(t, 0), {0: 0}, "is the beginning")
    same(i.commit((t, 0, 6)), (200, []), "again")
    i.delete()
    i = Instance(site, g, **manual)
    i.subscribe(t)
    same(values(i.collect(3)), [7, 8, 9], "who comes later goes on from there")
    i.delete()
    i = Instance(site, g)
    i.subscribe(t)
    same(values(i.collect(3)), [7, 8, 9], "nobody committed what was read")
    i.delete()
    i = Instance(site, g)
    i.subscribe(t)
    same(i.records("?timeout=2000"), [], "auto.commit.enable commits at the end at the latest")
    i.delete()


def test_a_commit_goes_back_where_the_position_did(site):
    t, g = fresh(site), group()
    site.produce(t, [{"value": n} for n in range(10)])
    i = Instance(site, g, **{"auto.commit.enable": False})
    i.assign(t, 0)
    same(values(i.collect(10)), list(range(10)), "all")
    same((i.commit(), i.committed(t, 0)), ((200, []), {0: 10}), "the end")
    same(i.ask("POST", "/positions", {"offsets": [{"topic": t, "partition": 0, "offset": 3}]})[0], 204, "back")
    same((i.commit(), i.committed(t, 0)), ((200, []), {0: 3}), "where it stands")
    got = []
    until("one more", lambda: got.extend(i.records("?max_bytes=1")) or got)
    same(values(got), [3], "one more")
    same((i.commit(), i.committed(t, 0)), ((200, []), {0: 4}), "and not what is kept for the next call")
    i.delete()


def test_a_group_shares_a_topic(site):
    t, g = fresh(site, 6), group()
    members = [Instance(site, g, name=f"m{n}") for n in range(3)]
    for m in members:
        same(m.subscribe(t), 204, "subscription")
    until("two partitions each", lambda: [len(m.assignment()) for m in members] == [2, 2, 2])
    same(sorted(p for m in members for _, p in m.assignment()), list(range(6)), "each partition once")
    site.produce(t, [{"value": n, "partition": n % 6} for n in range(60)])
    got = []
    until("all records", lambda: got.extend(v for m in members for v in values(m.records("?timeout=300"))) or len(got) >= 60)
    same(sorted(got), list(range(60)), "each record once")
    same(members[0].delete(), 204, "one leaves")
    until("the others take over", lambda: [len(m.assignment()) for m in members[1:]] == [3, 3])
    for m in members[1:]:
        m.delete()


def test_a_commit_that_a_group_has_overtaken_is_refused(site):
    """A group shares anew at any time; what was not committed by then comes again, to whoever has the partition."""
    t, g = fresh(site, 2), group()
    site.produce(t, [{"value": n, "partition": n % 2} for n in range(6)])
    first, second = (Instance(site, g, name=name, **{"auto.commit.enable": False}) for name in ("first", "second"))
    first.subscribe(t)
    same(sorted(values(first.collect(6))), list(range(6)), "all go to one")
    second.subscribe(t)
    until("they share", lambda: len(first.assignment()) == len(second.assignment()) == 1)
    (_, kept), (_, lost) = first.assignment()[0], second.assignment()[0]
    same(problem(first.ask("POST", "/offsets", {"offsets": [{"topic": t, "partition": lost, "offset": 1}]}))[:2], (500, 50003),
         "a commit for what another reads now")
    same(problem(first.ask("POST", "/offsets", None))[:2], (500, 50003), "a commit of all, as what it has comes again, too")
    same(first.committed(t, kept, lost), {}, "nothing of it is done")
    same(values(second.collect(3)), [lost, lost + 2, lost + 4], "the other reads from the beginning")
    same(second.commit(), (200, []), "and commits")
    again = first.records("?max_bytes=1&timeout=10000")
    same(values(again), [kept], "so does the first, which keeps the next one for the next call")
    second.delete()
    until("one has both", lambda: len(first.assignment()) == 2)
    same(problem(first.ask("POST", "/offsets", {"offsets": [{"topic": t, "partition": kept, "offset": 0}]}))[:2], (500, 50003),
         "a commit for what went and came back")
    same(values(first.collect(3)), [kept, kept + 2, kept + 4], "which is read again, what was kept in its place, and nothing of the other's")
    same((first.commit(), first.committed(t, kept, lost)), ((200, []), {kept: 3, lost: 3}), "all is committed")
    first.delete()


def test_both_processes_serve_groups(site):
    made = [Instance(site, group()) for _ in range(12)]
    counts = [instances_of(p, site) for p in site.proxies]
    same(sum(counts) >= 12 and min(counts) > 0, True, f"instances: {counts}")
    for i in made:
        same(i.delete(), 204, "the end")


def instances_of(proxy, _site):
    """The consumer instances of a process, as it tells itself by its socket."""
    return int(re.search(r"^weir_proxy_consumer_instances (\d+)$", fastcgi_get(proxy, "/-/metrics"), re.M).group(1))


def fastcgi_get(proxy, path):
    """Asks one process, past nginx."""
    base = next(a.split("=", 1)[1] for a in proxy.arguments if a.startswith("weir.fastcgi.socket="))

    def record(kind, content):
        return bytes([1, kind, 0, 1, len(content) >> 8, len(content) & 255, 0, 0]) + content

    pairs = b"".join(bytes([len(n), len(v)]) + n + v for n, v in ((b"REQUEST_METHOD", b"GET"), (b"REQUEST_URI", path.encode())))
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(base + ".sock")
        s.sendall(record(1, b"\0\1\0\0\0\0\0\0") + record(4, pairs) + record(4, b"") + record(5, b""))
        data = b""
        while piece := s.recv(65536):
            data += piece
    out, at = b"", 0
    while at + 8 <= len(data):
        length = data[at + 4] << 8 | data[at + 5]
        if data[at + 1] == 6:
            out += data[at + 8:at + 8 + length]
        at += 8 + length + data[at + 6]
    return out.decode()


def test_names_meet_in_one_process_however_they_are_encoded(site):
    n = next(numbers)
    for spellings in ([f"a%2Fb{n}", f"a%2fb{n}", f"%61%2Fb{n}"], [f"caf%C3%A9{n}", f"caf%c3%a9{n}"], [f"x%20y{n}", f"%78%20%79{n}"],
                      [f"%2Fs{n}", f"%2fs{n}"], [f"q%3Fa{n}", f"q%3fa{n}"], [f"a+b{n}", f"a%2Bb{n}"]):
        i = Instance(site, spellings[0], name="i/1")
        for s in spellings:
            for name in "i%2F1", "i%2f1", "%69%2F1":
                same(site.ask("GET", f"/consumers/{s}/instances/{name}/subscription")[0], 200, f"{s} {name}")
        same(i.ask("GET", "/assignments")[0], 200, "by base_uri")
        same(site.ask("DELETE", f"/consumers/{spellings[-1]}/instances/i%2f1")[0], 204, "the end")
    for bad in ("..%2Fa", "a%2F..", "a%2F..%2Fb", "a%2F.%2Fb"):
        same(site.ask("POST", f"/consumers/{bad}", "{}")[0] in (404, 422), True, bad)


def test_an_instance_can_be_ended_while_it_is_polled(site):
    t, g = fresh(site), group()
    i = Instance(site, g, **{"consumer.request.timeout.ms": 2000})
    i.subscribe(t)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        polls = [pool.submit(i.ask, "GET", "/records", accept=JSON) for _ in range(3)]
        time.sleep(0.3)
        same(i.delete(), 204, "the end")
        answers = [p.result()[:2] for p in polls]
    same({a[0] for a in answers} <= {200, 404}, True, answers)
    same(i.ask("GET", "/records", accept=JSON)[0], 404, "afterwards")


def test_a_slow_poll_keeps_no_produce_waiting(site):
    t = fresh(site)
    idle = [Instance(site, group(), **{"consumer.request.timeout.ms": 4000}) for _ in range(30)]
    for i in idle:
        i.assign(t, 0)
        i.seek("end", t, 0)
    target = fresh(site)
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        polls = [pool.submit(i.records) for i in idle]
        time.sleep(0.5)
        slowest = 0.0
        for n in range(100):
            began = time.monotonic()
            same(site.produce(target, [{"value": n}])[0], 200, "produce")
            slowest = max(slowest, time.monotonic() - began)
        for p in polls:
            same(p.result(), [], "a poll")
    same(slowest < 1.5, True, f"the slowest of 100: {slowest:.2f} s")
    for i in idle:
        i.delete()


# ---- v3 ----

def test_v3_tells_what_there_is(site):
    t = fresh(site, 2, retention_ms=123456)
    base = f"http://127.0.0.1:{site.port}/v3/clusters"
    clusters = site.ask("GET", "/v3/clusters")[1]
    same((clusters["kind"], clusters["metadata"]), ("KafkaClusterList", {"self": base, "next": None}), "clusters")
    c = clusters["data"][0]["cluster_id"]
    one = site.ask("GET", f"/v3/clusters/{c}")[1]
    same(one, clusters["data"][0], "the cluster")
    same(one["metadata"], {"self": f"{base}/{c}", "resource_name": f"crn:///kafka={c}"}, "its links")
    same(one["topics"], {"related": f"{base}/{c}/topics"}, "its topics")
    brokers = site.ask("GET", f"/v3/clusters/{c}/brokers")[1]["data"]
    same([set(b) >= {"broker_id", "host", "port", "rack", "configs", "partition_replicas"} for b in brokers], [True], "brokers")
    same(site.ask("GET", f"/v3/clusters/{c}/brokers/{brokers[0]['broker_id']}")[1], brokers[0], "a broker")
    topics = site.ask("GET", f"/v3/clusters/{c}/topics")[1]["data"]
    same([x["topic_name"] for x in topics], sorted(x["topic_name"] for x in topics), "topics, in order")
    got = site.ask("GET", f"/v3/clusters/{c}/topics/{t}")[1]
    same(got in topics, True, "the topic among them")
    same({k: got[k] for k in ("kind", "topic_name", "is_internal", "replication_factor", "partitions_count")},
         {"kind": "KafkaTopic", "topic_name": t, "is_internal": False, "replication_factor": 1, "partitions_count": 2}, "the topic")
    partitions = site.ask("GET", f"/v3/clusters/{c}/topics/{t}/partitions")[1]["data"]
    same([p["partition_id"] for p in partitions], [0, 1], "partitions")
    same(site.ask("GET", f"/v3/clusters/{c}/topics/{t}/partitions/1")[1], partitions[1], "a partition")
    same(site.ask("GET", f"/v3/clusters/{c}/topics/{t}/partitions/0/replicas")[1]["data"][0]["is_leader"], True, "replicas")
    site.produce(t, [{"value": 1, "partition": 1}] * 3)
    got = site.ask("GET", f"/v3/clusters/{c}/topics/{t}/partitions/1/offset?offset_type=earliest_and_latest")[1]
    same((got["kind"], got["earliest_offset"], got["latest_offset"]), ("KafkaPartitionWithOffsets", 0, 3), "offsets")
    configs = site.ask("GET", f"/v3/clusters/{c}/topics/{t}/configs")[1]["data"]
    config = next(x for x in configs if x["name"] == "retention.ms")
    same((config["value"], config["source"], config["is_default"]), ("123456", "DYNAMIC_TOPIC_CONFIG", False), "a setting")
    same(site.ask("GET", f"/v3/clusters/{c}/topics/{t}/configs/retention.ms")[1], config, "the same alone")


def test_v3_makes_changes_and_ends_topics(site):
    c = f"/v3/clusters/{site.cluster()}/topics"
    name = f"made{next(numbers)}"
    status, got, _ = site.ask("POST", c, {"topic_name": name, "partitions_count": 2, "validate_only": True}, PLAIN)
    same((status, got["partitions_count"]), (200, 2), "only looked at")
    same(site.ask("GET", f"{c}/{name}")[0], 404, "not made")
    status, got, headers = site.ask("POST", c, {"topic_name": name, "replicas_assignments": {"0": [broker(site)], "1": [broker(site)]},
                                                "configs": [{"name": "cleanup.policy", "value": "compact"}, {"name": "retention.ms", "value": None}]}, PLAIN)
    same((status, got["topic_name"], got["partitions_count"], headers["Location"]), (201, name, 2, got["metadata"]["self"]), "made")
    same(site.ask("GET", f"{c}/{name}/configs/cleanup.policy")[1]["value"], "compact", "its setting")
    status, got, _ = site.ask("PATCH", f"{c}/{name}", {"partitions_count": 5}, PLAIN)
    same((status, got["partitions_count"]), (200, 5), "more partitions")
    same(site.ask("DELETE", f"{c}/{name}")[:2], (204, None), "deleted")
    until("it is gone", lambda: site.ask("GET", f"{c}/{name}")[0] == 404)
    status, got, _ = site.ask("POST", c, {"topic_name": name}, PLAIN)
    same((status, got["partitions_count"] > 0), (201, True), "with the broker's defaults")


def broker(site):
    return site.ask("GET", "/brokers")[1]["brokers"][0]


def json_texts(data):
    """The objects that follow each other."""
    decoder, text, at, found = json.JSONDecoder(), data.decode(), 0, []
    while at < len(text):
        got, at = decoder.raw_decode(text, at)
        found.append(got)
        while at < len(text) and text[at].isspace():
            at += 1
    return found


def stream(site, topic, records):
    """The receipts of records that are sent as one request."""
    body = records if isinstance(records, (str, bytes)) else "".join(map(json.dumps, records))
    status, got, _ = site.ask("POST", f"/v3/clusters/{site.cluster()}/topics/{topic}/records", body, PLAIN)
    same(status, 200, f"status of {got}")
    return [got] if isinstance(got, dict) else json_texts(got)


def value(data, kind="JSON"):
    return {"value": {"type": kind, "data": data}}


def test_v3_records_get_receipts_in_their_order(site):
    t, c = fresh(site, 2), site.cluster()
    got = stream(site, t, [{"partition_id": 1, "key": {"type": "STRING", "data": "k"}, **value({"a": [1]}), "timestamp": "2026-01-31T12:00:00Z",
                            "headers": [{"name": "h", "value": base64_of(b"v")}, {"name": "h", "value": None}]}])
    same(got, [{"error_code": 200, "cluster_id": c, "topic_name": t, "partition_id": 1, "offset": 0, "timestamp": "2026-01-31T12:00:00.000Z",
                "key": {"type": "STRING", "size": 1}, "value": {"type": "JSON", "size": 9}}], "a receipt")
    got = stream(site, t, [{"partition_id": 0, **value(n)} for n in range(2000)])
    same([(r["error_code"], r["offset"]) for r in got], [(200, n) for n in range(2000)], "receipts of 2000")
    got = stream(site, t, [value(1), {"partition_id": -1}, value("x", "BINARY"), {"value": {"data": 1}}, {"nope": 1}, {"partition_id": 9},
                           value(5, "STRING"), value(1, "FOO"), {}, value("x" * 1200000), value(9)])
    same([r["error_code"] for r in got], [200, 40402, 400, 422, 400, 40402, 400, 400, 200, 413, 200], "codes")
    same([r.get("message") for r in got[1:8]],
         ["Partition not found.", 'Bad Request: data="x" is not a valid base64 string.',
          "Error: 42206 : Payload error. Schema Registry must be configured when using schemas.",
          'Bad Request: Error processing message: Unrecognized field "nope"', NOT_HOSTED, "Bad Request: data=5 is not a string.",
          "Bad Request: Error processing message: FOO is not one of the types BINARY, JSON, STRING, AVRO, JSONSCHEMA, PROTOBUF"], "messages")
    same(stream(site, "no-such-topic", [value(1)])[0]["error_code"] in (200, 40401), True, "a topic that is not there")


def test_v3_streams_do_not_last_for_ever(site):
    own = Site(site.log.address, {"streaming.connection.max.duration.ms": "1500", "streaming.connection.max.duration.grace.period.ms": "1000"})
    try:
        t = fresh(own)
        path = f"/v3/clusters/{own.cluster()}/topics/{t}/records"
        texts = []
        with socket.create_connection(("127.0.0.1", own.port), 30) as s:
            s.sendall(f"POST {path} HTTP/1.1\r\nHost: weir\r\nContent-Type: {PLAIN}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            record = json.dumps(value("x")).encode()
            with contextlib.suppress(OSError):
                for _ in range(40):
                    s.sendall(b"%x\r\n%s\r\n" % (len(record), record))
                    time.sleep(0.1)
            with s.makefile("rb") as f:
                texts = [json.loads(line) for line in f.read().split(b"\r\n") if line.startswith(b"{")]
        codes = [r["error_code"] for r in texts]
        same(codes, sorted(codes), "first those that came in time")
        same((200 in codes, 408 in codes, len(codes) < 40), (True, True, True), codes)
        same(texts[-1]["message"], "Streaming connection open for longer than allowed: Connection will be closed.", "what is said then")
        same(own.ask("GET", f"/topics/{t}/partitions/0/offsets")[1]["end_offset"], codes.count(200), "and nothing is written")
    finally:
        own.end()


def test_v3_streams_end_at_what_is_no_json(site):
    t = fresh(site)
    for broken in ('{"value":', "]", "}", "12 ", '{"value":{"type":"JSON","data":nul}}', '"text', "x{", "[1]", "\x00", "{]}"):
        before = site.ask("GET", f"/topics/{t}/partitions/0/offsets")[1]["end_offset"]
        got = stream(site, t, json.dumps(value(1)) + " \r\n" + json.dumps(value(2)) + broken + json.dumps(value(3)))
        same([r["error_code"] for r in got][:2], [200, 200], f"{broken!r}: what stands before it")
        same(got[2]["error_code"], 400, f"{broken!r}: {got}")
        same(got[2]["message"].startswith("Bad Request: Error processing message: "), True, got[2])
        after = site.ask("GET", f"/topics/{t}/partitions/0/offsets")[1]["end_offset"]
        same((len(got), after - before), (3, 2), f"{broken!r}: nothing follows it")
    same(len(stream(site, t, json.dumps(value(1)) + " \n\t\r\n")), 1, "blanks at the end")


class Duplex:
    """A stream of records under way, and its receipts."""

    def __init__(self, site, topic):
        self.socket = socket.create_connection(("127.0.0.1", site.port), 60)
        self.file = self.socket.makefile("rb")
        self.socket.sendall(f"POST /v3/clusters/{site.cluster()}/topics/{topic}/records HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n".encode())
        self.begun, self.receipts = False, []

    def send(self, record):
        data = record if isinstance(record, bytes) else json.dumps(record).encode()
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def receive(self):
        """The next receipt; None at the end."""
        if self.receipts:
            return self.receipts.pop(0)
        while not self.begun:
            self.begun = self.file.readline() == b"\r\n"
        size = int(self.file.readline(), 16)
        data = self.file.read(size)
        self.file.readline()
        self.receipts = json_texts(data)
        return self.receipts.pop(0) if size else None

    def finish(self):
        self.socket.sendall(b"0\r\n\r\n")
        got = self.receive()
        self.close()
        return got

    def close(self):
        self.file.close()
        self.socket.close()


def test_v3_streams_go_both_ways_at_once(site):
    t = fresh(site)
    d = Duplex(site, t)
    for n in range(50):
        d.send(value(n))
        got = d.receive()
        same((got["error_code"], got["offset"]), (200, n), f"receipt {n}, before the next record is sent")
    d.send(b'{"value":{"type":"JSO')
    d.send(b'N","data":"in pieces"}}' + json.dumps(value("two")).encode())
    same(d.receive()["offset"], 50, "a record in pieces")
    same(d.receive()["offset"], 51, "a record behind it")
    same(d.finish(), None, "the end")
    d = Duplex(site, t)
    d.send(value(1))
    same(d.receive()["error_code"], 200, "a good one")
    d.send(b"nonsense}")
    same(d.receive()["error_code"], 400, "a broken one")
    same(d.receive(), None, "ends the stream")
    d.close()


def test_v3_batches_tell_of_each_entry(site):
    t = fresh(site)
    entries = [{"id": "a", **value(1)}, {"id": "b-_1", "value": {"type": "BINARY", "data": "!"}}, {"id": "c", "partition_id": 9},
               {"id": "d", "value": {"data": 1}}, {"id": "e"}]
    status, got, _ = site.ask("POST", f"/v3/clusters/any/topics/{t}/records:batch", {"entries": entries}, PLAIN)
    same(status, 207, got)
    same([(s["id"], s["cluster_id"], s["offset"]) for s in got["successes"]], [("a", "any", 0), ("e", "any", 1)], "successes")
    same([(f["id"], f["error_code"]) for f in got["failures"]], [("b-_1", 400), ("c", 40402), ("d", 42206)], "failures")


def test_health_is_told(site):
    for path in "/-/healthy", "/-/ready":
        same(site.ask("GET", path)[0], 200, path)
    text = site.ask("GET", "/-/metrics")[1].decode()
    same("weir_proxy_consumer_instances" in text and "weir_http_requests" in text, True, text[:200])


def test_strangers_break_nothing(site):
    """Requests of all kinds, malformed in many ways; afterwards everything is as it was."""
    t = fresh(site)
    names = ["%00", "%ff", "..", "%2e%2e%2f", "x" * 3000, "%F0%9F%98%80", "a%0d%0aX:%201", "-1", "'\"<>", "%25s%25n", "~", "%7f"]
    paths = [p.format(n) for n in names for p in ("/topics/{}", "/topics/{}/partitions/0", "/consumers/{}", "/consumers/g/instances/{}/records",
                                                  "/v3/clusters/{}/topics", "/v3/clusters/c/topics/{}/records:batch", "/{}")]
    bodies = [None, "", "null", "[]", "{}", '"', "[" * 2000, '{"a":' * 2000, '{"records":[{"value":' + "9" * 2000 + "}]}",
              '{"records":' + "[" * 500 + "]" * 500 + "}", json.dumps({"x" * 5000: 1}), b"\xff\xfe", b"\0" * 100,
              json.dumps({f"k{n}": n for n in range(20000)}), '{"a":1,' * 100]
    seen, failed = collections.Counter(), []
    for n, path in enumerate(paths * 4):
        body = bodies[n % len(bodies)]
        method = ("GET", "POST", "DELETE", "PATCH", "PUT")[n % 5]
        try:
            answer = site.ask(method, path, body, (V2, JSON, BINARY, PLAIN)[n % 4])
            seen[answer[0]] += 1
            if answer[0] >= 500:
                failed.append((method, path[:100], answer[:2]))
        except (http.client.HTTPException, OSError):
            seen["closed"] += 1
    same(failed, [], f"answers: {dict(seen)}")
    same(offsets_of(site.produce(t, [{"value": 1}])), [0], "afterwards")


# ---- what breaks ----

class Load:
    """Produces one record after the other, by several threads; .acknowledged has the values, .odd what else was answered."""

    def __init__(self, site, topic, threads=4):
        self.acknowledged, self.odd, self.statuses = [], [], collections.Counter()
        self._site, self._topic, self._stop, self._lock = site, topic, threading.Event(), threading.Lock()
        self._numbers = itertools.count()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        while not self._stop.is_set():
            n = next(self._numbers)
            try:
                status, got, headers = self._site.produce(self._topic, [{"value": n}])
            except (OSError, http.client.HTTPException) as error:
                with self._lock:
                    self.odd.append(repr(error))
                continue
            with self._lock:
                self._note(n, status, got, headers)

    def _note(self, n, status, got, headers):
        self.statuses[status] += 1
        if status == 200 and got["offsets"][0]["error_code"] is None:
            self.acknowledged.append(n)
        elif status == 200 and got["offsets"][0]["error_code"] in (50002, 50003):
            self.statuses[got["offsets"][0]["error_code"]] += 1
        elif status in (502, 503, 504) and headers["Retry-After"] and got["error_code"] == status:
            pass
        else:
            self.odd.append((status, got))

    def more(self, n=200):
        before = len(self.acknowledged)
        until(f"{n} more records are acknowledged", lambda: len(self.acknowledged) >= before + n, 60)

    def end(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        same(self.odd, [], "what nobody documents")


class Readers:
    """Instances of one group that read without pause, and are made anew when they are lost."""

    def __init__(self, site, topic, count=3):
        self.seen, self.odd, self.lost = set(), [], 0
        self._site, self._topic, self._group, self._stop = site, topic, group(), threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        path = None
        while not self._stop.is_set():
            try:
                path = self._step(path)
            except (OSError, http.client.HTTPException) as error:
                self.odd.append(repr(error))
        if path is not None:
            self._site.ask("DELETE", path)

    def _step(self, path):
        if path is None:
            status, got, _ = self._site.ask("POST", f"/consumers/{self._group}", {"format": "json", "auto.offset.reset": "earliest"})
            if status != 200:
                return self._failed(status, got, None)
            path = "/" + got["base_uri"].split("/", 3)[3]
            status, got, _ = self._site.ask("POST", path + "/subscription", {"topics": [self._topic]})
            return path if status == 204 else self._failed(status, got, path)
        status, got, _ = self._site.ask("GET", path + "/records?timeout=500", accept=JSON)
        if status != 200:
            return self._failed(status, got, path)
        self.seen.update(values(got))
        return path

    def _failed(self, status, got, path):
        code = got.get("error_code") if isinstance(got, dict) else None
        if (status, code) not in ((404, 40403), (502, 502), (503, 503), (504, 504), (500, 50003)):
            self.odd.append((status, got))
        time.sleep(0.05)
        if status == 404:
            self.lost += 1
            return None
        return path

    def end(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        same(self.odd, [], "what nobody documents")


def everything(site, topic):
    """The values of a topic, in the order of offsets; of one partition."""
    i = Instance(site, group())
    i.assign(topic, 0)
    end = site.ask("GET", f"/topics/{topic}/partitions/0/offsets")[1]["end_offset"]
    got = i.collect(end, 60) if end else []
    i.delete()
    return values(got)


def test_a_process_that_is_killed_comes_back_unnoticed(site):
    t = fresh(site)
    load, readers = Load(site, t), Readers(site, t)
    try:
        load.more()
        for proxy in site.proxies:
            proxy.kill()
            load.more()
            proxy.start()
            load.more()
    finally:
        load.end()
        wanted = set(load.acknowledged)
        try:
            until("the group has read all", lambda: wanted <= readers.seen, 90)
        finally:
            readers.end()
    found = everything(site, t)
    same(wanted - set(found), set(), f"lost of {len(wanted)}; answers: {dict(load.statuses)}")
    same(len(found) - len(set(found)), 0, "written twice")


def test_what_a_client_has_not_got_is_read_again(site):
    """Records are in an answer that is being filled, which the client never gets; commits are made all the while."""
    own = Site(site.log.address, {"id": "q", "consumer.session.timeout.ms": "6000", "consumer.auto.commit.interval.ms": "50"})
    try:
        def leave(act):
            """A topic and a group whose one reader left a call, within which act() was called, without its answer."""
            t, g = fresh(own), group()
            i = Instance(own, g, **{"fetch.min.bytes": 10000000, "consumer.request.timeout.ms": 3000})
            i.subscribe(t)
            until("its partition", lambda: i.assignment() == [(t, 0)])
            own.produce(t, [{"value": n} for n in range(5)])
            c = own.connect()
            c.request("GET", i.path + "/records", headers={"Accept": JSON})
            time.sleep(1)
            act()
            c.close()
            return t, g, i

        _, _, i = leave(lambda: None)
        same(values(i.records()), list(range(5)), "a client that went away")
        i.delete()
        t, g, _ = leave(lambda: [p.kill() for p in own.proxies])
        for p in own.proxies:
            p.start()
        later = Instance(own, g)
        later.subscribe(t)
        same(values(later.collect(5)), list(range(5)), "a process that was killed")
        later.delete()
    finally:
        own.end()


def test_a_log_that_is_killed_comes_back_unnoticed(site):
    t = fresh(site)
    load, readers = Load(site, t), Readers(site, t)
    try:
        for _ in range(2):
            load.more()
            site.log.daemon.kill()
            time.sleep(1)
            site.log.start()
            load.more()
    finally:
        load.end()
        wanted = set(load.acknowledged)
        try:
            until("the group has read all", lambda: wanted <= readers.seen, 90)
        finally:
            readers.end()
    found = everything(site, t)
    same(wanted - set(found), set(), f"lost of {len(wanted)}; answers: {dict(load.statuses)}")
    same(len(found) - len(set(found)), 0, "written twice")
    same(readers.lost, 0, "instances outlive that")


def test_nginx_reloads_unnoticed(site):
    t = fresh(site)
    load, readers = Load(site, t), Readers(site, t)
    try:
        for _ in range(4):
            load.more(100)
            site.nginx.send_signal(signal.SIGHUP)
            time.sleep(0.3)
        load.more(100)
    finally:
        load.end()
        readers.end()
    same((set(load.statuses), readers.lost), ({200}, 0), "answers")


def test_a_log_that_is_away_is_told_of_in_time(site):
    t, g = fresh(site), group()
    site.produce(t, [{"value": n} for n in range(5)])
    i = Instance(site, g)
    i.subscribe(t)
    i.collect(5)
    d = Duplex(site, t)
    d.send(value("before"))
    same(d.receive()["error_code"], 200, "a stream")
    site.log.daemon.kill()
    try:
        limits = [
            (10, 200, ("POST", f"/topics/{t}", {"records": [{"value": 1}]}, JSON)),
            (8, 500, ("GET", "/topics")),
            (8, 500, ("GET", f"/topics/{t}/partitions/0/offsets")),
            (8, 500, ("GET", "/v3/clusters")),
            (5, 503, ("GET", "/-/ready")),
            (2, 200, ("GET", "/-/healthy")),
            (10, 500, ("POST", i.path + "/offsets", {"offsets": [{"topic": t, "partition": 0, "offset": 1}]})),
            (8, 500, ("GET", i.path + "/offsets", {"partitions": [{"topic": t, "partition": 0}]})),
            (5, 200, ("GET", i.path + "/records", None, None, JSON)),
            (2, 200, ("POST", f"/consumers/{g}", {"name": "new"})),
        ]

        def check(row):
            most, status, request = row
            began = time.monotonic()
            answer = site.ask(*request)
            took = time.monotonic() - began
            return f"{request[:2]}: {answer[0]} in {took:.1f} s: {str(answer[1])[:150]}" if answer[0] != status or took > most + 10 else None

        # What belongs to the instance waits for each other.
        with concurrent.futures.ThreadPoolExecutor(len(limits)) as pool:
            same([w for w in pool.map(check, [r for r in limits if i.path not in r[2][1]]) if w], [], "answers")
        same([w for w in map(check, [r for r in limits if i.path in r[2][1]]) if w], [], "answers of the instance")
        began = time.monotonic()
        same(i.delete(), 204, "an instance ends")
        took = time.monotonic() - began
        same(took < 8, True, f"within {took:.1f} s")
        d.send(value("while it is away"))
        same(d.receive()["error_code"] in (200, 50003), True, "the stream's receipt")
    finally:
        site.log.start()
    d.send(value("after"))
    same(d.receive()["error_code"], 200, "the stream goes on")
    d.close()
    same(offsets_of(site.produce(t, [{"value": 1}]))[0] >= 6, True, "afterwards")
    site.ask("DELETE", f"/consumers/{g}/instances/new")


def test_a_log_that_has_lost_everything_is_written_to_again(site):
    t = fresh(site)
    same(offsets_of(site.produce(t, [{"value": n} for n in range(10)])), list(range(10)), "before")
    site.log.daemon.kill()
    shutil.rmtree(site.log.daemon.dir)
    site.log.start()
    until("it is there", lambda: site.ask("GET", "/-/ready")[0] == 200)
    until("the topic can be made", lambda: site.ask("POST", f"/v3/clusters/{site.cluster()}/topics", {"topic_name": t}, PLAIN)[0] in (201, 400), 60)
    until("records are taken", lambda: site.produce(t, [{"value": 1}])[1]["offsets"][0]["error_code"] is None, 60)
    for _ in range(20):
        same(site.produce(t, [{"value": 1}])[1]["offsets"][0]["error_code"], None, "from then on")


def test_limits_are_told_of_and_instances_expire(_site):
    site = Site(_site.log.address, {"consumer.instance.timeout.ms": 3500, "weir.consumer.instances.max": 2, "consumer.threads": 2,
                                    "weir.fastcgi.requests": 1})
    try:
        t, g = fresh(site), group()
        made = [Instance(site, g, **{"consumer.request.timeout.ms": 1000}) for _ in range(2)]
        status, got, headers = site.ask("POST", f"/consumers/{g}", "{}")
        same((status, got["error_code"], headers["Retry-After"]), (503, 503, "1"), "a third")
        for i in made:
            i.assign(t, 0)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: made[n % 2].ask("GET", "/records", accept=JSON), range(8)))
        statuses = collections.Counter(a[0] for a in answers)
        same(set(statuses), {200, 503}, statuses)
        refused = next(a for a in answers if a[0] == 503)
        same((refused[1]["error_code"], refused[2]["Retry-After"]), (503, "1"), "what is too much")
        # Used instances stay; others go, and have left their group.
        def only_the_used_is_left():
            same(made[0].ask("GET", "/subscription")[0], 200, "one that is used")
            return sum(instances_of(p, site) for p in site.proxies) == 1
        until("one that is not used goes", only_the_used_is_left)
        same(problem(made[1].ask("GET", "/subscription"))[:2], (404, 40403), "one that is not")
        made.append(Instance(site, g, name="again"))
        until("all are gone", lambda: sum(instances_of(p, site) for p in site.proxies) == 0)
    finally:
        statuses, said = site.end()
    same((statuses, "Sanitizer" in said), ([0, 0], False), said[-2000:])


def main():
    for name in [n for n in globals() if n.startswith("test_") and sys.argv[1:] and not any(a in n for a in sys.argv[1:])]:
        del globals()[name]
    log = Log({"auto.create.topics.enable": "false", "group.initial.rebalance.delay.ms": "0"})
    # What a process that is killed has read becomes another's after the session's time.  What is made in the other
    # process while that one is away nobody asks for any more when it is back: it keeps its partitions until it expires.
    site = Site(log.address, {"id": "p", "consumer.session.timeout.ms": "6000", "api.request.timeout.ms": "8000",
                              "producer.delivery.timeout.ms": "10000", "consumer.instance.timeout.ms": "30000"})
    site.log = log
    passed, failed, skipped = claims.run(globals(), site, seconds=240)
    statuses, said = site.end()
    statuses.append(log.end())
    if statuses == [0, 0, 0] and "Sanitizer" not in said:
        passed += 1
    else:
        failed += 1
        print(f"FAIL: all_end_in_order: they ended with {statuses}")
    if failed:
        print("".join("  log: " + line for line in said.splitlines(True)[-40:]))
    claims.finish(passed, failed, skipped)


if __name__ == "__main__":
    main()
