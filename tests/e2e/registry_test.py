#!/usr/bin/python3
"""registry_test.py -- the registry whole: its interface with status, code and text, its two processes,
what becomes of it when one of them or logd is killed, and the bytes in its topic."""
import concurrent.futures
import contextlib
import gzip
import json
import os
import random
import re
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import registry_site
from claims import freeze, same, until
from registry_site import JSON, segment

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
STRING_GUID = "095d71cf-1255-6b9d-5e33-0ad575b3df5d"


def record(*fields):
    return json.dumps({"type": "record", "name": "R", "fields": list(fields)}, separators=(",", ":"))


def field(name, kind="int", **more):
    return {"name": name, "type": kind, **more}


def refused(answer, status, code, message):
    """Asserts an error: its status, code and text, in this order and nothing else."""
    same(answer.status, status, f"status of {answer}")
    same(list(answer.json.items()), [("error_code", code), ("message", message)], "error")


def good(answer, value=None):
    same(answer.status, 200, f"status of {answer}")
    if value is not None:
        same(answer.json, value, "answer")
    return answer.json


# ---- the ground ----

def test_empty_registry_answers(site):
    for target, value in [
            ("/", {}), ("/subjects", []), ("/schemas", []), ("/contexts", ["."]), ("/schemas/types", ["AVRO"]),
            ("/config", {"compatibilityLevel": "BACKWARD"}), ("/mode", {"mode": "READWRITE"}),
            (f"/schemas/guids/{STRING_GUID}/ids", [])]:
        good(site.ask("GET", target), value)
    good(site.ask("POST", "/"), {})
    same(site.ask("HEAD", "/").status, 200)
    same(list(good(site.ask("GET", "/v1/metadata/version"))), ["version", "commitId"])
    scope = good(site.ask("GET", "/v1/metadata/id"))
    same(scope["id"], "")
    same(scope["scope"]["path"], [])
    same(scope["scope"]["clusters"]["schema-registry-cluster"], "schema-registry")


def test_types_of_answers_are_negotiated(site):
    short, plain = "application/vnd.schemaregistry+json", "application/json"
    for accept, wanted in [
            (None, JSON), ("*/*", JSON), ("application/*", JSON), (JSON, JSON), (short, short), (plain, plain),
            (f"{plain}, {short}", short), (f"{JSON};q=0.1, {plain}", plain), (f"{JSON}, {short}; q=0.9, {plain}; q=0.5", JSON),
            ("text/html, */*;q=0.1", JSON), ("APPLICATION/JSON", plain), ("text/plain", None), ("text/html, image/*", None)]:
        answer = site.ask("GET", "/subjects", headers={} if accept is None else {"Accept": accept})
        if wanted is None:
            refused(answer, 406, 406, "HTTP 406 Not Acceptable")
        else:
            good(answer, [])
            same(answer.headers["Content-Type"].split(";")[0], wanted, f"type for {accept}")
    answer = site.ask("GET", "/config/none", headers={"Accept": plain})
    same(answer.headers["Content-Type"].split(";")[0], plain, "type of an error")


def test_types_of_bodies_are_looked_at(site):
    body = json.dumps({"schema": '"string"'})
    for kind in [JSON, "application/vnd.schemaregistry+json", "application/json", "application/octet-stream",
                 "application/json; charset=utf-8", "Application/JSON"]:
        refused(site.ask("POST", "/subjects/none", body, {"Content-Type": kind}), 404, 40401, "Subject 'none' not found.")
    for kind in ["application/x-www-form-urlencoded", "text/plain", "application/vnd.kafka.v2+json"]:
        refused(site.ask("POST", "/subjects/none", body, {"Content-Type": kind}), 415, 415, "HTTP 415 Unsupported Media Type")


def test_paths_and_methods_are_refused_as_everywhere(site):
    for method, target in [("GET", "/nowhere"), ("GET", "/subjects/a/b"), ("GET", "/schemas/ids/x"), ("GET", "/schemas/ids/"),
                           ("GET", "/schemas/ids/99999999999"), ("GET", "/subjects?offset=x"), ("GET", "/schemas?limit=1.5")]:
        refused(site.ask(method, target), 404, 404, "HTTP 404 Not Found")
    for method, target in [("PUT", "/subjects"), ("DELETE", "/schemas/ids/1"), ("POST", "/config"), ("PATCH", "/mode")]:
        refused(site.ask(method, target), 405, 405, "HTTP 405 Method Not Allowed")


def test_bodies_that_are_no_requests_are_refused(site):
    for method, target in [("POST", "/subjects/b/versions"), ("POST", "/subjects/b"), ("PUT", "/config"), ("PUT", "/config/b"),
                           ("PUT", "/mode"), ("PUT", "/mode/b"), ("POST", "/compatibility/subjects/b/versions"),
                           ("POST", "/compatibility/subjects/b/versions/latest")]:
        for body, code in [("", 422), (" \r\n\t", 422), ("\ufeff", 422), ("null", 422), ("\ufeffnull x", 422), ("{", 400), ("[]", 400),
                           ('"x"', 400), ('{"schema":}', 400), ("} {}", 400), ("\ufeff{", 400), (" \ufeff{}", 400),
                           ("\ufeff\ufeff{}", 400), ("{'a':1}", 400), ("/**/{}", 400), ("{}".encode("utf-16"), 400)]:
            answer = site.ask(method, target, body if isinstance(body, bytes) else body.encode())
            same((answer.status, answer.json["error_code"]), (code, code), f"{method} {target} with {body}")
    for body, kind in [({"schema": []}, "String"), ({"schema": '"int"', "schemaType": {}}, "String"),
                       ({"schema": '"int"', "references": {}}, "ArrayList"), ({"schema": '"int"', "id": "x"}, "Integer"),
                       ({"schema": '"int"', "version": 1 << 40}, "Integer"), ({"schema": '"int"', "metadata": []}, "Metadata"),
                       ({"schema": '"int"', "metadata": {"properties": [1]}}, "TreeMap"), ({"schema": '"int"', "ruleSet": 1}, "RuleSet"),
                       ({"schema": '"int"', "ruleSet": {"domainRules": [{"kind": "x"}]}}, "RuleKind")]:
        answer = site.ask("POST", "/subjects/b/versions", body)
        same((answer.status, answer.json["error_code"]), (400, 400), f"with {body}")
        if f"Cannot deserialize value of type `{kind}`" not in answer.json["message"]:
            raise AssertionError(f"with {body}: {answer}")
    for body in [{"normalize": "yes"}, {"alias": []}, {"defaultMetadata": []}, {"compatibility": {}}]:
        same(site.ask("PUT", "/config/b", body).status, 400, f"config {body}")
    same(site.ask("POST", "/subjects/b/versions", b"x" * (3 << 20)).status, 413)
    refused(site.ask("POST", "/subjects/b/versions", b"[" * 100000), 400, 400,
            site.ask("POST", "/subjects/b/versions", b"[" * 100000).json["message"])


def test_what_jackson_passes_over_in_bodies_is(site):
    # It reads one value, and no further (FAIL_ON_TRAILING_TOKENS is off); some programs put a byte order mark before all texts.
    body = json.dumps({"schema": '"int"'})
    wanted = good(site.register("junk", '"int"'))["id"]
    for sent in [body + " {}", body + " trailing", body + "}", body + "// a", "\ufeff" + body, "\ufeff \n" + body + "\ufeff", body + "\0"]:
        same(good(site.ask("POST", "/subjects/junk/versions", sent.encode()))["id"], wanted, f"with {sent!r}")
    same(good(site.ask("POST", "/subjects/junk", body.encode() + b"\xff"))["id"], wanted, "what follows is no UTF-8")
    good(site.ask("PUT", "/config/junk", b'\xef\xbb\xbf{"compatibility":"FULL"} {"compatibility":"NONE"}'), {"compatibility": "FULL"})


def test_comments_in_schemas_are_no_part_of_them(site):
    text = '{"type":"string","x":"/* a */ // b"}'
    wanted = good(site.register("comments", '/* the\n type */ { // of\r\n "type" : "string", /**/ "x" : "/* a */ // b" /* c */}'))
    same(good(site.ask("GET", f"/schemas/ids/{wanted['id']}"))["schema"], text)
    same(good(site.register("comments", text))["id"], wanted["id"])
    answer = site.register("comments", '"int" // a')
    same((answer.status, answer.json["error_code"]), (422, 42201))
    if "dangling content after end of schema: // a" not in answer.json["message"]:
        raise AssertionError(answer)


def test_slashes_at_the_end_and_heads(site):
    for target in "/", "/subjects/", "/schemas/", "/schemas/types/", "/config/", "/mode/", "/contexts/", "/v1/metadata/id/", "/v1/metadata/version/":
        same(site.ask("GET", target).status, 200, target)
        head = site.ask("HEAD", target)
        same((head.status, head.body), (200, b""), target)


def test_unknown_fields_and_parameters_are_ignored(site):
    good(site.ask("PUT", "/config/ignored?x=%ZZ&y", {"compatibility": "FULL", "more": [{}]}), {"compatibility": "FULL"})
    good(site.register("ignored", '"int"', "?what=1", new=1, references=None, schemaType=None, metadata=None, ruleSet=None))


def test_request_ids_come_back(site):
    same(site.ask("GET", "/subjects", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"], "mine-1")
    for target in "/subjects", "/nowhere", "/schemas/ids/999":
        given = site.ask("GET", target).headers["X-Request-ID"]
        if not re.fullmatch(UUID4, given):
            raise AssertionError(f"{target}: {given}")
    same(len({site.ask("GET", "/").headers["X-Request-ID"] for _ in range(10)}), 10)


def test_answers_are_compressed_on_demand(site):
    good(site.register("large", record(field("f", doc="x" * 4000))))
    answer = site.ask("GET", "/subjects/large/versions/1", headers={"Accept-Encoding": "gzip"})
    same(answer.headers["Content-Encoding"], "gzip")
    same(json.loads(gzip.decompress(answer.body))["version"], 1)


# ---- registration and what is asked about it ----

def test_a_registration_can_be_asked_for_in_all_ways(site):
    schema = '{"type":"string","x":"a/b é"}'
    made = good(site.register("all", ' { "x" : "a/b \\u00e9", "type":"string" }'))
    same(list(made), ["id", "version", "guid", "schemaType", "schema"])
    same((made["version"], made["schemaType"], made["schema"]), (1, "AVRO", schema))
    again = good(site.register("all", schema))
    same(list(again), ["id", "version", "guid", "schemaType", "schema", "ts", "deleted"])
    number, guid = made["id"], made["guid"]
    whole = good(site.ask("GET", "/subjects/all/versions/1"))
    same(list(whole), ["subject", "version", "id", "guid", "schemaType", "schema", "ts", "deleted"])
    if abs(whole["ts"] / 1000 - time.time()) > 60:
        raise AssertionError(f"timestamp {whole['ts']}")
    short = {"guid": guid, "schemaType": "AVRO", "schema": schema, "ts": whole["ts"], "deleted": False}
    named = {"subject": "all", "version": 1, **short}
    for target, value in [
            ("/subjects/all/versions", [1]),
            ("/subjects/all/versions/latest", whole), ("/subjects/all/versions/-1", whole), ("/subjects/all/versions/LATEST", whole),
            (f"/schemas/ids/{number}", named), (f"/schemas/ids/{number}?subject=all", named),
            (f"/schemas/ids/{number}?fetchMaxId=true", {**named, "maxId": number}),
            (f"/schemas/ids/{number}/subjects", ["all"]), (f"/schemas/ids/{number}/versions", [{"subject": "all", "version": 1}]),
            (f"/schemas/guids/{guid}", short), (f"/schemas/guids/{guid}/ids", [{"context": ".", "id": number}]),
            ("/schemas?subjectPrefix=all", [whole]), ("/subjects?subjectPrefix=all", ["all"]),
            ("/subjects/all/versions/1/referencedby", [])]:
        good(site.ask("GET", target), value)
        slash, mark, rest = target.partition("?")
        good(site.ask("GET", slash + "/" + mark + rest), value)
    for target in f"/schemas/ids/{number}/schema", "/subjects/all/versions/1/schema":
        answer = site.ask("GET", target)
        same((answer.status, answer.body.decode()), (200, schema))
    good(site.ask("POST", "/subjects/all", {"schema": schema}), whole)
    # Neither slashes nor what is not ASCII are escaped.
    if "a/b é".encode() not in site.ask("GET", f"/schemas/ids/{number}").body:
        raise AssertionError("escapes")


def test_subjects_may_have_any_name(site):
    for name in ["a/b", "a b", ":c:d", "é", "100%", "a+b", "..x", "a?b", "*", '"q"', "a/"]:
        good(site.register(name, '"string"'))
        good(site.ask("GET", f"/subjects/{segment(name)}/versions"), [1])
        good(site.ask("GET", f"/subjects/{segment(name)}/versions/latest"))
        if name not in good(site.ask("GET", "/subjects")):
            raise AssertionError(name)
        good(site.ask("DELETE", f"/subjects/{segment(name)}"), [1])
        good(site.ask("DELETE", f"/subjects/{segment(name)}?permanent=true"), [1])
    refused(site.register("a\x01b", '"string"'), 422, 42208, "The specified subject 'a\x01b' is not a valid.")
    refused(site.register("__GLOBAL", '"in'), 422, 42208, "The specified subject '__GLOBAL' is not a valid.")
    # What is above all contexts has settings, and no schemas.
    for target in "/subjects/:.__GLOBAL:x/versions", "/contexts/.__GLOBAL/subjects/x/versions", "/subjects/:.__GLOBAL:/versions/1/tags":
        name = ":.__GLOBAL:" if "tags" in target else ":.__GLOBAL:x"
        refused(site.ask("POST", target, {"schema": '"int"'}), 422, 42208, f"The specified subject '{name}' is not a valid.")
    good(site.ask("PUT", "/config/:.__GLOBAL:x", {"normalize": True}))
    good(site.ask("DELETE", "/config/:.__GLOBAL:x"))
    same(".__GLOBAL" in good(site.ask("GET", "/contexts")), False, "whether it is told as a context")


def test_look_ups_are_refused_with_their_texts(site):
    good(site.register("lookup", '"int"'))
    for method, target, body, error in [
            ("GET", "/schemas/ids/99999", None, (404, 40403, "Schema 99999 not found")),
            ("GET", "/schemas/ids/099999", None, (404, 40403, "Schema 99999 not found")),
            ("GET", "/schemas/ids/+99999/schema", None, (404, 40403, "Schema 99999 not found")),
            ("GET", "/schemas/ids/99999/schema", None, (404, 40403, "Schema 99999 not found")),
            ("GET", "/schemas/ids/99999/subjects", None, (404, 40403, "Schema not found")),
            ("GET", "/schemas/ids/99999/versions", None, (404, 40403, "Schema not found")),
            ("GET", "/schemas/guids/00000000-0000-0000-0000-000000000000", None,
             (404, 40403, "Schema 00000000-0000-0000-0000-000000000000 not found")),
            ("GET", "/schemas/guids/x", None, (404, 40403, "Schema x not found")),
            ("GET", "/subjects/none/versions", None, (404, 40401, "Subject 'none' not found.")),
            ("GET", "/subjects/none/versions/1", None, (404, 40401, "Subject 'none' not found.")),
            ("GET", "/subjects/none/versions/1/schema", None, (404, 40401, "Subject 'none' not found.")),
            ("GET", "/subjects/none/versions/1/referencedby", None, (404, 40401, "Subject 'none' not found.")),
            ("GET", "/subjects/lookup/versions/2", None, (404, 40402, "Version 2 not found.")),
            ("GET", "/subjects/lookup/versions/0", None, (422, 42202, BAD_VERSION % "0")),
            ("GET", "/subjects/lookup/versions/x", None, (422, 42202, BAD_VERSION % "x")),
            ("DELETE", "/subjects/lookup/versions/-2", None, (422, 42202, BAD_VERSION % "-2")),
            ("POST", "/compatibility/subjects/lookup/versions/first", {"schema": '"int"'}, (422, 42202, BAD_VERSION % "first")),
            ("POST", "/compatibility/subjects/lookup/versions/7", {"schema": '"int"'}, (404, 40402, "Version 7 not found.")),
            ("POST", "/compatibility/subjects/none/versions/7", {"schema": '"int"'}, (404, 40402, "Version 7 not found.")),
            ("POST", "/compatibility/subjects/none/versions/7?verbose=true", {"schema": "{"}, (404, 40402, "Version 7 not found.")),
            ("POST", "/subjects/none", {"schema": '"int"'}, (404, 40401, "Subject 'none' not found.")),
            ("POST", "/subjects/lookup", {"schema": '"string"'}, (404, 40403, "Schema not found")),
            ("DELETE", "/subjects/none", None, (404, 40401, "Subject 'none' not found.")),
            ("DELETE", "/subjects/none/versions/1", None, (404, 40401, "Subject 'none' not found.")),
            ("DELETE", "/subjects/lookup/versions/9", None, (404, 40402, "Version 9 not found.")),
            ("GET", "/config/none", None, (404, 40408, "Subject 'none' does not have subject-level compatibility configured")),
            ("GET", "/mode/none", None, (404, 40409, "Subject 'none' does not have subject-level mode configured")),
            ("DELETE", "/config/none", None, (404, 40401, "Subject 'none' not found.")),
            ("DELETE", "/mode/none", None, (404, 40401, "Subject 'none' not found."))]:
        refused(site.ask(method, target, body), *error)


BAD_VERSION = ("The specified version '%s' is not a valid version id. Allowed values are between [1, 2^31-1] "
               'and the string "latest"')


def test_schemas_are_refused_with_their_texts(site):
    good(site.register("bad", record(field("a"))))
    refused(site.register("worse", ""), 422, 42201, "Empty schema")
    same(good(site.register("bad", ""))["version"], 1)
    refused(site.register("bad", "{}", schemaType="XML"), 422, 42201, "Invalid schema type XML")
    refused(site.register("bad", '"int"', references=[{"name": "n", "subject": "none", "version": 3}]), 422, 42201,
            'No schema reference found for subject "none" and version 3')
    refused(site.register("bad", record(field("a"), field("b", default=1)), version=7), 422, 42201,
            "Version is not one more than previous version")
    for target in "/subjects/bad/versions", "/subjects/bad", "/compatibility/subjects/bad/versions":
        answer = site.ask("POST", target, {"schema": '{"type":"nothing"}'})
        same((answer.status, answer.json["error_code"]), (422, 42201))
        if not answer.json["message"].startswith("Invalid schema {subject=bad,version=0,id=-1,schemaType=AVRO,"):
            raise AssertionError(f"{answer}")
    refused(site.register("bad", record(field("a"), field("b"))), 409, 409,
            'Schema being registered is incompatible with an earlier schema for subject "bad", details: '
            "[{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'b' at path '/fields/1' in the new schema has "
            "no default value and is missing in the old schema', additionalInfo:'b'}, {oldSchemaVersion: 1}, {oldSchema: '"
            + record(field("a")) + "'}, {validateFields: 'false', compatibility: 'BACKWARD'}]")


# ---- compatibility ----

def test_compatibility_is_told(site):
    good(site.register("compat", record(field("a"))))
    fine, broken = record(field("a"), field("b", default=1)), record(field("a"), field("b"))
    for end in "/versions", "/versions/", "/versions/1", "/versions/latest":
        target = "/compatibility/subjects/compat" + end
        good(site.ask("POST", target, {"schema": fine}), {"is_compatible": True})
        good(site.ask("POST", target + "?verbose=true", {"schema": fine}), {"is_compatible": True, "messages": []})
        good(site.ask("POST", target, {"schema": broken}), {"is_compatible": False})
        told = good(site.ask("POST", target + "?verbose=TRUE", {"schema": broken}))
        same(told["messages"][1:], ["{oldSchemaVersion: 1}", "{oldSchema: '" + record(field("a")) + "'}",
                                    "{validateFields: 'false', compatibility: 'BACKWARD'}"])
        told = good(site.ask("POST", target + "?verbose=true", {"schema": '"nothing"'}))
        same((told["is_compatible"], len(told["messages"])), (False, 1))
    good(site.ask("POST", "/compatibility/subjects/none/versions/latest", {"schema": fine}), {"is_compatible": True})
    good(site.ask("POST", "/compatibility/subjects/none/versions", {"schema": fine}), {"is_compatible": True})
    for level, left in [("NONE", True), ("FORWARD", True), ("FULL", False), ("FORWARD_TRANSITIVE", True)]:
        good(site.ask("PUT", "/config/compat", {"compatibility": level}))
        good(site.ask("POST", "/compatibility/subjects/compat/versions", {"schema": broken}), {"is_compatible": left})


def test_what_is_too_large_to_be_compared_is_refused(site):
    def union(name, n, kind):
        return json.dumps([{"type": "record", "name": f"{name}{i}", "fields": [field("f", ["null", kind])]} for i in range(n)])

    # Hundreds of records that have nothing in common: each is compared with each.
    for n, answer in (100, (409, 409)), (700, (422, 42209)):
        good(site.register(f"union{n}", union("U", n, "int")))
        got = site.register(f"union{n}", union("V", n, "long"))
        same((got.status, got.json["error_code"]), answer, n)
    refused(site.register("union700", union("V", 700, "long")), 422, 42209, "Register operation failed because schema is too large")


# ---- deletion ----

def test_deletion_has_two_steps(site):
    for text in '"int"', '"long"', '"double"':
        made = good(site.register("gone", text))
    refused(site.ask("DELETE", "/subjects/gone?permanent=true"), 404, 40405,
            "Subject 'gone' was not deleted first before being permanently deleted")
    refused(site.ask("DELETE", "/subjects/gone/versions/2?permanent=true"), 404, 40407,
            "Subject 'gone' Version 2 was not deleted first before being permanently deleted")
    answer = site.ask("DELETE", "/subjects/gone/versions/2")
    same((answer.status, answer.body), (200, b"2"))
    refused(site.ask("DELETE", "/subjects/gone/versions/2"), 404, 40406,
            "Subject 'gone' Version 2 was soft deleted.Set permanent=true to delete permanently")
    refused(site.ask("GET", "/subjects/gone/versions/2"), 404, 40402, "Version 2 not found.")
    same(good(site.ask("GET", "/subjects/gone/versions/2?deleted=true"))["deleted"], True)
    for query, versions in [("", [1, 3]), ("?deleted=true", [1, 2, 3]), ("?deletedOnly=true", [2]),
                            ("?deletedAsNegative=true", [1, -2, 3]), ("?deleted=true&offset=1&limit=1", [2]), ("?limit=0", [1, 3])]:
        good(site.ask("GET", "/subjects/gone/versions" + query), versions)
    good(site.ask("DELETE", "/subjects/gone"), [1, 3])
    refused(site.ask("DELETE", "/subjects/gone"), 404, 40404,
            "Subject 'gone' was soft deleted.Set permanent=true to delete permanently")
    refused(site.ask("GET", "/subjects/gone/versions"), 404, 40401, "Subject 'gone' not found.")
    same("gone" in good(site.ask("GET", "/subjects")), False)
    good(site.ask("GET", "/subjects?deletedOnly=true"), ["gone"])
    good(site.ask("GET", "/subjects?deleted=true&subjectPrefix=gone"), ["gone"])
    same(good(site.ask("GET", f"/schemas/ids/{made['id']}"))["deleted"], True)
    good(site.ask("GET", f"/schemas/ids/{made['id']}/subjects"), [])
    good(site.ask("GET", f"/schemas/ids/{made['id']}/subjects?deleted=true"), ["gone"])
    good(site.ask("GET", f"/schemas/ids/{made['id']}/versions?deleted=true"), [{"subject": "gone", "version": 3}])
    refused(site.ask("POST", "/subjects/gone", {"schema": '"double"'}), 404, 40401, "Subject 'gone' not found.")
    same(good(site.ask("POST", "/subjects/gone?deleted=true", {"schema": '"double"'}))["version"], 3)
    # The same content again: a new version, the same id.
    back = good(site.register("gone", '"double"'))
    same((back["version"], back["id"]), (4, made["id"]))
    good(site.ask("DELETE", "/subjects/gone"), [4])
    good(site.ask("DELETE", "/subjects/gone?permanent=true"), [1, 2, 4])
    refused(site.ask("DELETE", "/subjects/gone?permanent=true"), 404, 40401, "Subject 'gone' not found.")
    refused(site.ask("GET", f"/schemas/ids/{made['id']}"), 404, 40403, f"Schema {made['id']} not found")
    same(good(site.register("gone", '"double"'))["version"], 1)


def test_what_is_referred_to_stays(site):
    fixed = '{"type":"fixed","name":"T","namespace":"x","size":4}'
    user = record(field("f", "x.T"))
    good(site.register("target", fixed))
    made = good(site.register("referrer", user, references=[{"name": "x.T", "subject": "target", "version": -1}]))
    same(made["references"], [{"name": "x.T", "subject": "target", "version": 1}])
    good(site.ask("GET", "/subjects/target/versions/1/referencedby"), [made["id"]])
    good(site.ask("GET", "/subjects/target/versions/1/referencedby?offset=1"), [])
    error = (422, 42206, "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=target,version=1}.")
    refused(site.ask("DELETE", "/subjects/target"), *error)
    refused(site.ask("DELETE", "/subjects/target/versions/1"), *error)
    resolved = site.ask("GET", "/subjects/referrer/versions/1/schema?format=resolved").json
    same(resolved["fields"][0]["type"], {"type": "fixed", "name": "T", "namespace": "x", "size": 4})
    same(site.ask("GET", "/subjects/referrer/versions/1/schema?format=other").body.decode(), user)
    same(good(site.register("referrer", json.dumps(resolved)))["version"], 1)
    good(site.ask("DELETE", "/subjects/referrer"), [1])
    good(site.ask("GET", "/subjects/target/versions/1/referencedby"), [])
    good(site.ask("GET", "/subjects/target/versions/1/referencedby?deleted=true"), [made["id"]])
    good(site.ask("DELETE", "/subjects/target/versions/latest"), 1)
    refused(site.ask("DELETE", "/subjects/target?permanent=true"), *error)
    good(site.ask("DELETE", "/subjects/referrer?permanent=true"), [1])
    good(site.ask("DELETE", "/subjects/target?permanent=true"), [1])


# ---- settings ----

def test_config_is_set_and_unset(site):
    bad = ("Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, "
           "and full_transitive")
    refused(site.ask("PUT", "/config", {"compatibility": "sideways"}), 422, 42203, bad)
    refused(site.ask("PUT", "/config/a%01", {"compatibility": "sideways"}), 422, 42203, bad)
    refused(site.ask("PUT", "/config", {"compatibility": "FULL", "compatibilityPolicy": "whatever"}), 422, 42203,
            "Invalid compatibility policy. Valid values are strict, lenient, and logical")
    good(site.ask("PUT", "/config/conf", {"compatibilityPolicy": "lenient"}), {"compatibilityPolicy": "LENIENT"})
    good(site.ask("PUT", "/config/conf", {"compatibilityPolicy": None}), {})
    refused(site.ask("PUT", "/config/a%01", {"compatibility": "none"}), 422, 42208, "The specified subject 'a\x01' is not a valid.")
    good(site.ask("PUT", "/config", {"compatibility": "full"}), {"compatibility": "FULL"})
    good(site.ask("GET", "/config/"), {"compatibilityLevel": "FULL"})
    good(site.ask("GET", "/config/:.:"), {"compatibilityLevel": "FULL"})
    good(site.ask("GET", "/config/conf?defaultToGlobal=true"), {"compatibilityLevel": "FULL"})
    good(site.ask("PUT", "/config/conf", {"normalize": True, "compatibilityGroup": "g"}), {"normalize": True, "compatibilityGroup": "g"})
    told = {"normalize": True, "compatibilityLevel": "FULL", "compatibilityGroup": "g"}
    good(site.ask("GET", "/config/conf"), told)
    good(site.ask("GET", "/config/conf?defaultToGlobal=true"),
         told)
    good(site.ask("PUT", "/config/conf", {"compatibility": "NONE", "normalize": None}),
         {"compatibility": "NONE", "compatibilityGroup": "g"})
    good(site.ask("DELETE", "/config/conf"), {"compatibilityLevel": "NONE", "compatibilityGroup": "g"})
    refused(site.ask("DELETE", "/config/conf"), 404, 40401, "Subject 'conf' not found.")
    refused(site.ask("PUT", "/config/conf", {"defaultMetadata": {"properties": {"k": "x" * 1_100_000}}}), 413, 413,
            "HTTP 413 Request Entity Too Large")
    good(site.ask("DELETE", "/config"), {"compatibilityLevel": "FULL"})
    good(site.ask("DELETE", "/config"), {"compatibilityLevel": "BACKWARD"})
    good(site.ask("GET", "/config"), {"compatibilityLevel": "BACKWARD"})


def test_modes_are_set_and_kept_to(site):
    good(site.register("mode", '"int"'))
    refused(site.ask("PUT", "/mode/mode", {"mode": "sideways"}), 422, 42204,
            "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.")
    refused(site.ask("PUT", "/mode", {"mode": 7}), 422, 42204, "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.")
    same(site.ask("PUT", "/mode", {"mode": []}).status, 400)
    good(site.ask("PUT", "/mode", {}), {})
    good(site.ask("PUT", "/mode/mode", {"mode": None}), {"mode": None})
    refused(site.ask("PUT", "/mode", {"mode": "FORWARD"}), 422, 42204, "Forward mode only supported on global level")
    refused(site.ask("PUT", "/mode/a%01", {"mode": "x"}), 422, 42208, "The specified subject 'a\x01' is not a valid.")
    refused(site.ask("PUT", "/mode/mode", {"mode": "IMPORT"}), 422, 42205, "Cannot import since found existing subjects")
    good(site.ask("PUT", "/mode/mode", {"mode": "readonly"}), {"mode": "readonly"})
    good(site.ask("GET", "/mode/mode"), {"mode": "READONLY"})
    good(site.ask("GET", "/mode/other?defaultToGlobal=true"), {"mode": "READWRITE"})
    error = (422, 42205, "Subject mode in context  is in read-only mode")
    refused(site.register("mode", '"long"'), *error)
    refused(site.ask("DELETE", "/subjects/mode"), *error)
    refused(site.ask("DELETE", "/subjects/mode/versions/1"), *error)
    same(good(site.register("mode", '"int"'))["version"], 1)
    good(site.ask("DELETE", "/mode/mode"), {"mode": "READONLY"})
    refused(site.register("mode", '"long"', id=77), 422, 42205, "Subject mode in context  is not in import mode")
    good(site.ask("PUT", "/mode/mode?force=true", {"mode": "IMPORT"}), {"mode": "IMPORT"})
    same(good(site.register("mode", '"long"', id=7777, version=9))["id"], 7777)
    refused(site.register("mode", '"string"', id=7777, version=10), 422, 42205,
            "Overwrite new schema with id 7777 in context  is not permitted.")
    refused(site.register("mode", '"string"'), 422, 42205, "Subject mode in context  is not in read-write mode")
    good(site.ask("GET", "/subjects/mode/versions"), [1, 9])
    good(site.ask("DELETE", "/mode/mode"), {"mode": "IMPORT"})
    good(site.ask("DELETE", "/mode"), {"mode": "READWRITE"})
    refused(site.ask("DELETE", "/mode/:.modes:"), 404, 40401, "Subject ':.modes:' not found.")
    good(site.ask("PUT", "/mode/:.modes:s", {"mode": "READONLY"}))
    good(site.ask("DELETE", "/mode/:.modes:?recursive=true"), {})
    refused(site.ask("GET", "/mode/:.modes:s"), 404, 40409, "Subject ':.modes:s' does not have subject-level mode configured")
    good(site.ask("GET", "/mode/:.__GLOBAL:"), {"mode": "READWRITE"})
    good(site.ask("GET", "/config/:.__GLOBAL:"), {"compatibilityLevel": "BACKWARD"})


def test_contexts_count_for_themselves(site):
    made = good(site.register(":.ctx:s", '"string"'))
    same((made["id"], made["version"], made["guid"]), (1, 1, STRING_GUID))
    good(site.ask("GET", "/contexts"), [".", ".ctx"])
    good(site.ask("GET", "/subjects?subjectPrefix=:.ctx:"), [":.ctx:s"])
    same(":.ctx:s" in good(site.ask("GET", "/subjects")), True)
    same(":.ctx:s" in good(site.ask("GET", "/subjects?subjectPrefix=")), False)
    good(site.ask("GET", "/schemas/ids/1/subjects?subject=:.ctx:"), [":.ctx:s"])
    same(good(site.ask("GET", "/schemas/ids/1?subject=:.ctx:s"))["subject"], ":.ctx:s")
    good(site.ask("PUT", "/config/:.ctx:", {"compatibility": "NONE"}))
    good(site.ask("GET", "/config/:.ctx:s?defaultToGlobal=true"), {"compatibilityLevel": "NONE"})
    good(site.ask("DELETE", "/config/:.ctx:"))


def test_a_path_may_begin_with_a_context(site):
    text = record(field("in_context"))
    made = good(site.ask("POST", "/contexts/.path/subjects/a%2Fb/versions", {"schema": text}))
    same((made["id"], made["version"]), (1, 1))
    full = ":.path:a/b"
    for spelled in ".path", "path", ":.path:", "%3A.path%3A", ":path:":
        good(site.ask("GET", f"/contexts/{spelled}/subjects"), [full])
        same(good(site.ask("GET", f"/contexts/{spelled}/subjects/a%2Fb/versions/latest"))["subject"], full)
        # A subject that says its context is of that.
        same(good(site.ask("GET", f"/contexts/{spelled}/subjects/{segment(full)}/versions/1/"))["subject"], full)
    for target, value in [
            ("subjects?subjectPrefix=a", [full]), ("subjects?subjectPrefix=b", []), ("subjects/", [full]),
            ("schemas/ids/1/subjects", [full]), ("schemas/ids/1/versions?subject=a%2Fb", [{"subject": full, "version": 1}]),
            ("mode", None), ("config", None), ("schemas/types", ["AVRO"])]:
        answer = site.ask("GET", f"/contexts/.path/{target}")
        if value is None:
            same(answer.status, 404, target)
        else:
            good(answer, value)
    same([s["subject"] for s in good(site.ask("GET", "/contexts/.path/schemas"))], [full])
    same(good(site.ask("GET", "/contexts/.path/schemas/ids/1"))["schema"], text)
    good(site.ask("POST", "/contexts/.path/compatibility/subjects/a%2Fb/versions", {"schema": '"int"'}), {"is_compatible": False})
    good(site.ask("PUT", "/contexts/.path/config", {"compatibility": "NONE"}))
    good(site.ask("PUT", "/contexts/.path/mode/a%2Fb", {"mode": "READONLY"}))
    good(site.ask("GET", "/config/:.path:"), {"compatibilityLevel": "NONE"})
    good(site.ask("GET", f"/mode/{segment(full)}"), {"mode": "READONLY"})
    good(site.ask("DELETE", "/contexts/.path/mode/a%2Fb"))
    good(site.ask("DELETE", "/contexts/.path/config/"), {"compatibilityLevel": "NONE"})
    # The normal context by its name: only what is in it.
    same(full in good(site.ask("GET", "/contexts/:.:/subjects")), False)
    refused(site.ask("GET", "/contexts/a:b/subjects"), 400, 400, "Context name 'a:b' cannot contain a colon")
    refused(site.ask("GET", "/contexts/.path"), 405, 405, "HTTP 405 Method Not Allowed")
    refused(site.ask("GET", "/contexts/.path/nowhere"), 404, 404, "HTTP 404 Not Found")

    same(".path" in good(site.ask("GET", "/contexts")), True)
    good(site.ask("GET", "/contexts?contextPrefix=.p"), [".path"])
    good(site.ask("GET", "/contexts?contextPrefix=.&limit=1"), ["."])
    refused(site.ask("DELETE", "/contexts/.path"), 422, 42211, "The specified context ':.path:' is not empty.")
    # The normal one, however it is spelled.
    for spelled in ":.:", ".", "./", "%2E":
        refused(site.ask("DELETE", f"/contexts/{spelled}"), 422, 42211, "The specified context '' is not empty.")
    good(site.ask("DELETE", f"/contexts/.path/subjects/a%2Fb"), [1])
    good(site.ask("DELETE", f"/subjects/{segment(full)}?permanent=true"), [1])
    same(".path" in good(site.ask("GET", "/contexts")), True)
    answer = site.ask("DELETE", "/contexts/path/")
    same((answer.status, answer.body), (204, b""))
    good(site.ask("GET", "/contexts?contextPrefix=.p"), [])
    same(site.ask("DELETE", "/contexts/path").status, 204)


def test_names_without_a_context_are_looked_for_in_all(site):
    text, other = record(field("far")), record(field("farther", default=1))
    good(site.register(":.far:hidden", text))
    good(site.register(":.far:hidden", other))
    ask = site.ask
    same(good(ask("GET", "/subjects/hidden/versions/2"))["subject"], ":.far:hidden")
    same(good(ask("GET", "/subjects/hidden/versions/latest"))["version"], 2)
    same(good(ask("GET", "/subjects/hidden/versions/1/schema")), json.loads(text))
    same(good(ask("POST", "/subjects/hidden", {"schema": text}))["subject"], ":.far:hidden")
    same(good(ask("GET", "/schemas/ids/2?subject=hidden"))["schema"], other)
    good(ask("GET", "/schemas/ids/2/versions?subject=hidden"), [{"subject": ":.far:hidden", "version": 2}])
    refused(ask("GET", "/subjects/hidden/versions/3"), 404, 40401, "Subject 'hidden' not found.")
    refused(ask("GET", "/subjects/hidden/versions"), 404, 40401, "Subject 'hidden' not found.")
    # Where it is said, it is that one alone.
    refused(ask("GET", "/contexts/.none/subjects/hidden/versions/1"), 404, 40401, "Subject ':.none:hidden' not found.")
    refused(ask("GET", "/schemas/ids/2?subject=:.far:none"), 404, 40403, "Schema 2 not found")


def test_an_alias_is_its_subject(site):
    text = record(field("aliased"))
    good(site.ask("PUT", "/config/nick", {"alias": "proper"}), {"alias": "proper"})
    made = good(site.ask("POST", "/subjects/nick/versions", {"schema": text}))
    good(site.ask("PUT", "/config/proper", {"alias": "nick"}))
    good(site.ask("DELETE", "/config/proper"))
    for ask in site.ask, site.reader.ask:
        same(good(ask("GET", "/subjects/nick/versions/1"))["subject"], "proper")
        good(ask("GET", "/subjects/nick/versions"), [1])
        same(good(ask("POST", "/subjects/nick", {"schema": text}))["subject"], "proper")
        same(good(ask("GET", f"/schemas/ids/{made['id']}?subject=nick"))["subject"], "proper")
        good(ask("POST", "/compatibility/subjects/nick/versions", {"schema": '"int"'}), {"is_compatible": False})
        good(ask("POST", "/compatibility/subjects/nick/versions/1", {"schema": '"int"'}), {"is_compatible": False})
        good(ask("GET", "/config/nick"), {"alias": "proper", "compatibilityLevel": "BACKWARD"})
        refused(ask("GET", "/config/proper"), 404, 40408, "Subject 'proper' does not have subject-level compatibility configured")
    same("nick" in good(site.ask("GET", "/subjects")), False)
    good(site.ask("DELETE", "/subjects/nick/versions/1"), 1)
    refused(site.ask("DELETE", "/subjects/nick"), 404, 40404,
            "Subject 'proper' was soft deleted.Set permanent=true to delete permanently")
    good(site.ask("DELETE", "/subjects/nick?permanent=true"), [1])
    good(site.ask("DELETE", "/config/nick"), {"alias": "proper", "compatibilityLevel": "BACKWARD"})
    refused(site.ask("GET", "/subjects/nick/versions"), 404, 40401, "Subject 'nick' not found.")


def test_what_else_can_be_asked_for(site):
    ask = site.ask
    first = good(site.register("else", record(field("a")), metadata={"properties": {"team": "x"}},
                               ruleSet={"domainRules": [{"name": "r", "type": "CEL", "kind": "CONDITION", "mode": "WRITE"}]}))
    good(site.register("else", record(field("a"), field("b", default=1)), metadata={"properties": {"team": "y"}}, ruleSet={}))
    for query, version in [("?key=team&value=x", 1), ("?key=team&value=y&format=resolved", 2), ("", 2), ("?key=team", 2)]:
        same(good(ask("GET", f"/subjects/else/metadata{query}"))["version"], version, query)
    refused(ask("GET", "/subjects/else/metadata?key=team&value=z"), 404, 40403, "Schema not found")
    refused(ask("GET", "/subjects/nobody/metadata?key=team&value=z"), 404, 40401, "Subject 'nobody' not found.")

    def listed(query):
        return [(s["subject"], s["version"], s.get("aliases")) for s in good(ask("GET", f"/schemas?{query}"))]

    same(listed("subjectPrefix=else&ruleType=CEL"), [("else", 1, None)])
    same(listed("subjectPrefix=else&ruleType=CEL&latestOnly=true"), [])
    for alias in "elsa", "elsb":
        good(ask("PUT", f"/config/{alias}", {"alias": "else"}))
    both = ["elsa", "elsb"]
    same(listed("subjectPrefix=else&aliases=true"), [("else", 1, None), ("else", 2, None)])
    same(listed("subjectPrefix=els&aliases=true"), [("else", 1, both), ("else", 2, both)])
    same(listed("subjectPrefix=elsa&aliases=true&latestOnly=true"), [("else", 2, ["elsa"])])
    same(listed("subjectPrefix=els&aliases=true&offset=1&limit=5"), [("else", 2, both)])
    same(listed("subjectPrefix=elsa"), [])
    for alias in both:
        good(ask("DELETE", f"/config/{alias}"))

    good(site.register(":.ref:part", record(field("a")).replace('"R"', '"Part"')))
    user = {"name": "Part", "subject": "part", "version": 1}
    made = good(site.register(":.ref:user", '"Part"', references=[user]))
    whole = {**user, "subject": ":.ref:part"}
    for target, wanted in [("/subjects/:.ref:user/versions/1", user), ("/subjects/:.ref:user/versions/1?referenceFormat=qualified", whole),
                           (f"/schemas/ids/{made['id']}?subject=:.ref:&referenceFormat=qualified", whole)]:
        same(good(ask("GET", target))["references"], [wanted], target)
    good(ask("GET", "/subjects/:.ref:part/versions/1/referencedby"), [made["id"]])
    good(ask("DELETE", "/subjects/:.ref:user"), [1])
    good(ask("GET", "/subjects/:.ref:part/versions/1/referencedby"), [])
    good(ask("DELETE", "/subjects/:.ref:part"), [1])
    good(ask("GET", "/subjects/:.ref:part/versions/1/referencedby?deleted=true"), [made["id"]])
    good(ask("GET", "/subjects/:.ref:part/versions/1/referencedby"), [])
    good(ask("GET", "/v1/metadata/deployment"), {"attributes": ["here", "for tests"]})
    same(site.register("else", record(field("a")), "?format=resolved", metadata={"properties": {"team": "x"}},
                       ruleSet=first["ruleSet"]).status, 200)


def test_metadata_and_rules_are_kept_merged_and_told(site):
    rule = {"name": "r", "type": "CEL", "mode": "WRITE", "tags": ["b", "a"]}
    told = {"name": "r", "kind": "TRANSFORM", "mode": "WRITE", "type": "CEL", "tags": ["a", "b"], "disabled": False}
    good(site.ask("PUT", "/config/meta", {"defaultMetadata": {"properties": {"team": "x", "owner": "o"}},
                                          "overrideRuleSet": {"encodingRules": [rule]}}),
         {"defaultMetadata": {"properties": {"owner": "o", "team": "x"}}, "overrideRuleSet": {"encodingRules": [told]}})
    made = good(site.register("meta", record(field("m")), metadata={"properties": {"team": 7}, "sensitive": []}, ruleSet=None))
    for target in "/subjects/meta/versions/1", f"/schemas/ids/{made['id']}":
        answer = good(site.ask("GET", target))
        same((answer["metadata"], answer["ruleSet"]), ({"properties": {"owner": "o", "team": "7"}}, {"encodingRules": [told]}), target)
    same(good(site.register("meta", record(field("m"))))["version"], 1)
    same(good(site.ask("POST", "/subjects/meta", {"schema": record(field("m"))}))["version"], 1)
    # Without a text, that of the version before.
    good(site.ask("DELETE", "/config/meta"))
    made = good(site.register("meta", None, metadata={"properties": {"team": "8"}}))
    same((made["version"], made["metadata"], made["schema"]), (2, {"properties": {"team": "8"}}, record(field("m"))))
    made = good(site.register("meta", record(field("m"), field("n", default=1)), version=-1))
    same(made["metadata"]["properties"], {"confluent:version": "3", "team": "8"})
    refused(site.register("meta", record(field("z"))), 409, 409, site.register("meta", record(field("z"))).json["message"])
    same(good(site.register("meta", record(field("z")), "?force=true"))["version"], 4)
    refused(site.register("meta", '"int"', ruleSet={"migrationRules": [rule]}), 422, 42210,
            "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN")


def test_tags_are_changed_and_found(site):
    def tag(path, *tags, kind="sr_field"):
        return {"schemaEntity": {"entityPath": path, "entityType": kind}, "tags": list(tags)}

    text = record(field("a"), field("b"))
    good(site.register("tagged", text, schemaTagsToAdd=[tag("R.a", "PII"), tag("R", "T", kind="sr_record")]))
    found = good(site.ask("GET", "/subjects/tagged/versions/1?findTags=*"))
    same(found["schemaTags"], [tag("R", "T", kind="sr_record"), tag("R.a", "PII")])
    same(json.loads(found["schema"])["fields"][0]["confluent:tags"], ["PII"])
    for query, wanted in [("findTags=PII", [tag("R.a", "PII")]), ("findTags=no&findTags=T", [tag("R", "T", kind="sr_record")]), ("findTags=no", None)]:
        for target in "/subjects/tagged/versions/1", f"/schemas/ids/{found['id']}":
            same(good(site.ask("GET", f"{target}?{query}")).get("schemaTags"), wanted, query)
    made = good(site.ask("POST", "/subjects/tagged/versions/latest/tags", {"newVersion": 2, "tagsToAdd": [tag("R.b", "PII")],
                                                                          "tagsToRemove": [tag("R", "T", kind="sr_record")]}))
    same((made["version"], made["metadata"]["properties"]), (2, {"confluent:version": "2"}))
    same(good(site.ask("GET", "/subjects/tagged/versions/2?findTags=*"))["schemaTags"], [tag("R.a", "PII"), tag("R.b", "PII")])
    made = good(site.register("tagged", record(field("a"), field("b"), field("c", default=1)), propagateSchemaTags=True))
    same(good(site.ask("GET", "/subjects/tagged/versions/3?findTags=PII"))["schemaTags"], [tag("R.a", "PII"), tag("R.b", "PII")])
    refused(site.ask("POST", "/subjects/tagged/versions/1/tags", {"tagsToAdd": [tag("R.x", "PII")]}), 422, 42201,
            "No matching path 'R.x' found in the schema")
    refused(site.ask("POST", "/subjects/tagged/versions/8/tags", {}), 404, 40402, "Version 8 not found.")
    refused(site.ask("POST", "/subjects/untagged/versions/1/tags", {}), 404, 40401, "Subject 'untagged' not found.")
    same(site.ask("POST", "/subjects/tagged/versions/1/tags", {"tagsToAdd": [{}]}).status, 400)


def test_scalars_are_taken_as_jackson_takes_them(site):
    good(site.ask("PUT", "/config/jackson", {"normalize": "true", "alias": 1, "validateFields": "", "compatibilityGroup": True}),
         {"alias": "1", "normalize": True, "compatibilityGroup": "true"})
    good(site.ask("DELETE", "/config/jackson"))
    for version in "1", 1.9, "":
        same(good(site.register("jackson", '"int"', version=version))["version"], 1)
        good(site.ask("DELETE", "/subjects/jackson"))
        good(site.ask("DELETE", "/subjects/jackson?permanent=true"))
    for version in "1.5", True, "x", 3e9, {}:
        same(site.register("jackson", '"int"', version=version).status, 400, str(version))
    refused(site.ask("PUT", "/config", {"compatibility": 7}), 422, 42203,
            "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, "
            "and full_transitive")


def test_lists_have_pages(site):
    for i in range(5):
        good(site.register(f"page{i}", '"string"'))
        good(site.register(f"page{i}", '"bytes"'))
    names = [f"page{i}" for i in range(5)]
    for query, wanted in [("", names), ("&offset=3", names[3:]), ("&limit=2", names[:2]), ("&offset=1&limit=2", names[1:3]),
                          ("&offset=9", []), ("&limit=", names), ("&offset=&limit=+", names), ("&limit=-1", names), ("&offset=-1", names)]:
        good(site.ask("GET", "/subjects?subjectPrefix=page" + query), wanted)
    told = good(site.ask("GET", "/schemas?subjectPrefix=page&latestOnly=true"))
    same([(s["subject"], s["version"]) for s in told], [(n, 2) for n in names])
    told = good(site.ask("GET", "/schemas?subjectPrefix=page&offset=1&limit=3"))
    same([(s["subject"], s["version"]) for s in told], [("page0", 2), ("page1", 1), ("page1", 2)])


# ---- two processes ----

def test_the_reader_knows_what_was_written(site):
    """Each kind of question to the process that reads, right after the write."""
    for i in range(30):
        subject, text = f"fresh{i}", record(field(f"f{i}"))
        made = good(site.register(subject, text))
        number = made["id"]
        ask = site.reader.ask
        for method, target, body, check in [
                ("GET", f"/subjects/{subject}/versions/latest", None, lambda v: v["id"] == number),
                ("GET", f"/schemas/ids/{number}", None, lambda v: v["schema"] == text),
                ("GET", f"/schemas/ids/{number}/subjects", None, lambda v: v == [subject]),
                ("GET", f"/schemas/ids/{number}/versions", None, lambda v: len(v) == 1),
                ("GET", f"/schemas/guids/{made['guid']}", None, lambda v: v["schema"] == text),
                ("GET", f"/schemas/guids/{made['guid']}/ids", None, lambda v: v == [{"context": ".", "id": number}]),
                ("GET", f"/subjects/{subject}/versions", None, lambda v: v == [1]),
                ("GET", f"/subjects?subjectPrefix={subject}", None, lambda v: subject in v),
                ("GET", f"/schemas?subjectPrefix={subject}", None, lambda v: v[0]["id"] == number),
                ("POST", f"/subjects/{subject}", {"schema": text}, lambda v: v["id"] == number),
                ("POST", f"/compatibility/subjects/{subject}/versions", {"schema": '"int"'}, lambda v: not v["is_compatible"])][i % 11:][:2]:
            if not check(good(ask(method, target, body))):
                raise AssertionError(f"{method} {target}")
        good(site.ask("PUT", f"/config/{subject}", {"compatibility": "NONE"}))
        same(good(ask("GET", f"/config/{subject}"))["compatibilityLevel"], "NONE")
        good(site.ask("PUT", f"/mode/{subject}", {"mode": "READONLY"}))
        same(good(ask("GET", f"/mode/{subject}"))["mode"], "READONLY")
        good(site.ask("DELETE", f"/mode/{subject}"))
        same(ask("GET", f"/mode/{subject}").status, 404)
        good(site.ask("DELETE", f"/subjects/{subject}"))
        same(ask("GET", f"/subjects/{subject}/versions").status, 404)


def test_writes_are_handed_on(site):
    for method, target, body in [
            ("POST", "/subjects/new/versions", {"schema": '"boolean"'}),
            ("DELETE", "/subjects/all", None),
            ("DELETE", "/subjects/all/versions/1", None),
            ("PUT", "/config", {"compatibility": "NONE"}),
            ("PUT", "/mode", {"mode": "READONLY"})]:
        # Also by the process that writes, where its threads for questions are asked.
        for registry in site.reader, site.writer:
            answer = registry.ask(method, target, body)
            same((answer.status, answer.headers["X-Accel-Redirect"], answer.body), (307, "@weir_registry_writer", b""))
    # What is known needs no write.
    same(good(site.reader.ask("POST", "/subjects/all/versions", {"schema": '{"type":"string","x":"a/b é"}'}))["version"], 1)


def test_processes_tell_how_they_are(site):
    for registry in site.writer, site.reader:
        same(registry.ask("GET", "/-/healthy").body, b"ok\n")
        same(registry.ask("GET", "/-/ready").body, b"ok\n")
        text = registry.ask("GET", "/-/metrics").body.decode()
        for name in ("weir_registry_topic_offset", "weir_registry_records_skipped_total", "weir_registry_writes",
                     "weir_registry_takeovers_total", "weir_registry_transactions_total",
                     "weir_registry_records_aborted_total"):
            if not re.search(f"^{name} [0-9]+$", text, re.M):
                raise AssertionError(f"no {name}")
        same(re.search("^weir_registry_records_skipped_total ([0-9]+)$", text, re.M).group(1), "0")


# ---- the topic ----

def test_the_topic_has_the_bytes_of_the_reference(site):
    import confluent_kafka
    good(site.register("bytes-value", '"string"'))
    good(site.ask("PUT", "/config/bytes-value", {"compatibility": "full"}))
    good(site.ask("PUT", "/mode/bytes-value", {"mode": "READWRITE"}))
    good(site.ask("DELETE", "/subjects/bytes-value/versions/1"))
    good(site.register("bytes-value", '"bytes"'))
    good(site.ask("DELETE", "/subjects/bytes-value"))
    good(site.ask("DELETE", "/subjects/bytes-value?permanent=true"))
    good(site.register(":.bytes:s", '"string"'))
    number = {text: good(site.register("bytes-after", text))["id"] for text in ('"string"', '"bytes"')}

    def key(version):
        return f'{{"keytype":"SCHEMA","subject":"bytes-value","version":{version},"magic":1}}'

    def value(version, text, deleted):
        return json.dumps({"subject": "bytes-value", "version": version, "id": number[text], "schemaType": "AVRO", "schema": text,
                           "deleted": deleted}, separators=(",", ":"))
    wanted = [
        (key(1), value(1, '"string"', False)),
        ('{"keytype":"CONFIG","subject":"bytes-value","magic":0}', '{"subject":"bytes-value","compatibilityLevel":"FULL"}'),
        ('{"keytype":"MODE","subject":"bytes-value","magic":0}', '{"subject":"bytes-value","mode":"READWRITE"}'),
        (key(1), value(1, '"string"', True)),
        (key(2), value(2, '"bytes"', False)),
        ('{"keytype":"DELETE_SUBJECT","subject":"bytes-value","magic":0}', '{"subject":"bytes-value","version":2}'),
        (key(2), None), (key(1), None),
        ('{"keytype":"MODE","subject":"bytes-value","magic":0}', None),
        ('{"keytype":"CONFIG","subject":"bytes-value","magic":0}', None),
        ('{"keytype":"CONTEXT","tenant":"default","context":".bytes","magic":0}', '{"tenant":"default","context":".bytes"}'),
        ('{"keytype":"SCHEMA","subject":":.bytes:s","version":1,"magic":1}',
         '{"subject":":.bytes:s","version":1,"id":1,"schemaType":"AVRO","schema":"\\"string\\"","deleted":false}')]
    found, noops = [], 0
    for m in topic(confluent_kafka, site):
        text = m.key().decode()
        noops += text == '{"keytype":"NOOP","magic":0}' and m.value() is None
        same(m.headers(), None)
        if "bytes-value" in text or ".bytes" in text:
            found.append((text, None if m.value() is None else m.value().decode()))
    same(found, wanted)
    # Each transaction has a plain record behind it.
    if noops == 0:
        raise AssertionError("no NOOP")
    config = confluent_kafka.admin.AdminClient({"bootstrap.servers": site.daemon.address})
    resource = confluent_kafka.admin.ConfigResource("topic", "_schemas")
    same(config.describe_configs([resource])[resource].result(10)["cleanup.policy"].value, "compact")


def topic(confluent_kafka, site):
    import confluent_kafka.admin  # noqa: F401
    consumer = confluent_kafka.Consumer({"bootstrap.servers": site.daemon.address, "group.id": "t", "enable.partition.eof": True})
    consumer.assign([confluent_kafka.TopicPartition("_schemas", 0, 0)])
    messages = []
    while True:
        m = consumer.poll(20)
        if m is None or m.error():
            break
        messages.append(m)
    consumer.close()
    return messages


def test_records_of_others_are_taken(site):
    """As an older registry wrote them: read, answered, and ended under their own keys."""
    import confluent_kafka
    producer = confluent_kafka.Producer({"bootstrap.servers": site.daemon.address})
    old = '{"keytype":"SCHEMA","subject":"legacy","version":1,"magic":0}'
    producer.produce("_schemas", key=old, value='{"subject":"legacy","version":1,"id":5001,"schema":"\\"int\\""}')
    producer.produce("_schemas", key="nonsense", value="{}")
    producer.produce("_schemas", key='{"keytype":"SCHEMA","subject":"legacy-json","version":1,"magic":1}',
                     value='{"subject":"legacy-json","version":1,"id":5002,"schemaType":"JSON","schema":"{}"}')
    producer.produce("_schemas", key='{"keytype":"SCHEMA","subject":"legacy-refers","version":1,"magic":1}',
                     value='{"id":5003,"schema":"\\"T\\"","references":[{"name":"T","subject":"nowhere","version":1}]}')
    producer.flush(10)
    until("the record is applied", lambda: site.writer.ask("GET", "/schemas/ids/5003").status == 200)
    for registry in site.writer, site.reader:
        same(good(registry.ask("GET", "/subjects/legacy/versions/1"))["id"], 5001)
        same(good(registry.ask("GET", "/schemas/ids/5002?format=resolved"))["schemaType"], "JSON")
        refused(registry.ask("POST", "/subjects/legacy-json", {"schema": "{}", "schemaType": "JSON"}), 422, 42201, "Invalid schema type JSON")
        good(registry.ask("POST", "/compatibility/subjects/legacy-json/versions?verbose=true", {"schema": '"int"'}),
             {"is_compatible": False, "messages": ["Incompatible because of different schema type",
                                                   "{validateFields: 'false', compatibility: 'BACKWARD'}"]})
    # A text with references that can't be written out is not told as if they had been.
    good(site.ask("GET", "/subjects/legacy-refers/versions/1/schema?format=serialized"), "T")
    for path in "/subjects/legacy-refers/versions/1", "/subjects/legacy-refers/versions/1/schema", "/schemas/ids/5003", "/schemas/ids/5003/schema":
        refused(site.ask("GET", path + "?format=resolved"), 422, 42201, 'No schema reference found for subject "nowhere" and version 1')
    good(site.ask("DELETE", "/subjects/legacy"), [1])
    good(site.ask("DELETE", "/subjects/legacy?permanent=true"), [1])
    ended = [m.key().decode() for m in topic(confluent_kafka, site) if m.value() is None and b"legacy" in m.key()]
    same(ended, [old, '{"keytype":"SCHEMA","subject":"legacy","version":1,"magic":1}'])
    same(good(site.register("after-legacy", '"float"'))["id"] > 5002, True)


# ---- faults ----

def hostile(state):
    """Requests that nobody should send; each is the bytes of one."""
    deep = 1 + state.randrange(400)
    texts = [
        b"[" * 50000, b'{"schema":' * 3000, b'{"schema":"\\ud800"}', b'{"schema":"\\u0000"}', b'{"schema":1e999999}', b"\xff\xfe{}",
        b'{"id":99999999999999999999,"schema":"\\"int\\""}', b'{"schema":"\\"int\\"","references":[{}]}',
        json.dumps({"schema": '{"type":"array","items":' * deep + '"int' + "}" * deep}).encode(),
        json.dumps({"schema": json.dumps(["null"] * 2)}).encode(),
        json.dumps({"schema": json.dumps({"type": "enum", "name": "E", "symbols": ["A", "A"]})}).encode(),
        json.dumps({"schema": '"int"', "references": [{"name": "a", "subject": "b", "version": 1}] * 500}).encode(),
        json.dumps({"schema": '{"type":"record","name":"R","fields":[' + '{"name":"f","type":"R"},' * 3000}).encode(),
        json.dumps({"compatibility": "x" * 100000}).encode(), json.dumps({"mode": [["IMPORT"]]}).encode(), b"", b"null", b"\0" * 100,
    ]
    targets = [
        "/subjects/h/versions", "/subjects/h", "/config", "/config/h", "/mode", "/mode/h", "/compatibility/subjects/h/versions",
        "/compatibility/subjects/h/versions/9", "/subjects/%00/versions", "/subjects/%zz/versions", "/subjects/../versions",
        "/subjects/%2e%2e/%2e%2e", "/subjects//", "//", "/subjects/" + "a" * 9000 + "/versions", "/" + "a/" * 2000, "/schemas/ids/-1",
        "/schemas/guids/" + "%41" * 500, "/subjects/h/versions/%31%00", "/config/%c0%80", "*", "/%", "/schemas?offset=-9&limit=99999999999",
    ]
    method = state.choice(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "get", "X" * 50])
    target, body = state.choice(targets), state.choice(texts)
    if method in ("PUT", "DELETE") and target in ("/config", "/mode"):
        body = b'{"mode":7,"compatibility":7}'
        method = "PUT"
    length = state.choice([len(body), len(body), len(body), 0, 7, "x", -1])
    return (f"{method} {target} HTTP/1.1\r\nHost: h\r\nContent-Type: {state.choice([JSON, 'application/json', 'text/html', ';;;'])}\r\n"
            f"Accept: {state.choice(['*/*', JSON, ';q=', 'x' * 3000])}\r\nX-Request-ID: {state.choice(['a', 'b' * 500])}\r\n"
            f"Content-Length: {length}\r\nConnection: close\r\n\r\n").encode() + body


def test_hostile_requests_change_nothing(site):
    def all_of_it():
        return [site.ask("GET", t).json for t in ("/subjects?deleted=true", "/config", "/mode", "/contexts")]
    before, state = all_of_it(), random.Random(7)
    for _ in range(300):
        request = hostile(state)
        with socket.create_connection(("127.0.0.1", site.port), 20) as s, contextlib.suppress(ConnectionError, TimeoutError):
            s.settimeout(5)
            s.sendall(request)
            s.shutdown(socket.SHUT_WR)
            answer = b""
            while True:
                data = s.recv(65536)
                if not data:
                    break
                answer += data
            status = re.match(rb"HTTP/1.1 (\d+) ", answer)
            if status and int(status.group(1)) >= 500 and int(status.group(1)) != 505:
                raise AssertionError(f"{request[:200]}: {answer[:300]}")
    same(all_of_it(), before)
    same([r.process.poll() for r in (site.writer, site.reader)], [None, None])


class Load:
    """Clients that register schemas of their own until told to stop, and note what was acknowledged."""

    def __init__(self, site, name, clients=64):
        self.site, self.name = site, name
        self.acknowledged = []
        self.refusals = {}
        self.over = threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(clients)
        self.jobs = [self.pool.submit(self.work, i) for i in range(clients)]

    def work(self, client):
        for n in range(1 << 30):
            if self.over.is_set():
                return
            subject, text = f"{self.name}-{client % 16}-{n % 5}-{client}", record(field("f", doc=f"{self.name} {client} {n}"))
            try:
                answer = self.site.register(subject, text)
            except OSError as error:
                self.refusals[type(error).__name__] = self.refusals.get(type(error).__name__, 0) + 1
                time.sleep(0.05)
                continue
            if answer.status == 200:
                self.acknowledged.append((subject, answer.json["version"], answer.json["id"], text))
            else:
                code = answer.json["error_code"]
                self.refusals[code] = self.refusals.get(code, 0) + 1
                time.sleep(0.05)

    def acknowledges_more(self, than, n=100):
        until(f"{n} more registrations", lambda: len(self.acknowledged) >= than + n)

    def stop(self):
        self.over.set()
        for job in self.jobs:
            job.result(60)
        self.pool.shutdown()

    def check(self):
        """All that was acknowledged is there, in both processes, and no id stands for two schemas."""
        by_id = {}
        for _, _, number, text in self.acknowledged:
            same(by_id.setdefault(number, text), text, f"schema of id {number}")
        same(len({text for _, _, _, text in self.acknowledged}), len(by_id), "ids")
        for registry in self.site.writer, self.site.reader:
            known = {}
            for subject in {s for s, _, _, _ in self.acknowledged}:
                for v in good(registry.ask("GET", f"/schemas?subjectPrefix={subject}")):
                    known[(v["subject"], v["version"])] = (v["id"], v["schema"])
            for subject, version, number, text in self.acknowledged:
                same(known.get((subject, version)), (number, text), f"{subject} {version}")


def documented(load, *codes):
    """Only these refusals were met."""
    other = {c: n for c, n in load.refusals.items() if c not in codes}
    if other:
        raise AssertionError(f"refusals: {load.refusals}")


def test_writer_killed_under_load(site):
    load = Load(site, "writer")
    for _ in range(3):
        load.acknowledges_more(len(load.acknowledged))
        site.writer.kill()
        time.sleep(0.2)
        # Reads go on meanwhile.
        good(site.ask("GET", "/subjects/all/versions/latest"))
        site.restart_writer()
        load.acknowledges_more(len(load.acknowledged))
    load.stop()
    documented(load, 502, 503, 504, 50002)
    load.check()


def test_logd_killed_under_load(site):
    load = Load(site, "logd")
    for _ in range(2):
        load.acknowledges_more(len(load.acknowledged))
        site.daemon.kill()
        time.sleep(0.3)
        good(site.ask("GET", "/schemas/ids/1?subject=all"))
        site.restart_daemon()
        load.acknowledges_more(len(load.acknowledged))
    load.stop()
    documented(load, 50001, 50002, 503, 504)
    load.check()


def test_nginx_killed_under_load(site):
    load = Load(site, "nginx")
    load.acknowledges_more(0)
    site.kill_nginx()
    site.start_nginx()
    load.acknowledges_more(len(load.acknowledged))
    load.stop()
    # Whether a peer that is gone resets the connection or breaks the pipe is a matter of when it is noticed.
    documented(load, "BrokenPipeError", "ConnectionResetError", "ConnectionRefusedError", "RemoteDisconnected")
    load.check()


def test_a_broker_that_is_slow_is_waited_for(site):
    load = Load(site, "slow")
    for _ in range(3):
        load.acknowledges_more(len(load.acknowledged))
        freeze(site.daemon.process)
        # What is known is answered meanwhile.
        good(site.ask("GET", "/schemas/ids/1?subject=all"))
        time.sleep(1)
        site.daemon.signal(signal.SIGCONT)
    load.acknowledges_more(len(load.acknowledged))
    load.stop()
    documented(load, 50002)
    load.check()


def test_the_broker_away_is_told_and_reads_go_on(site):
    site.daemon.kill()
    began = time.monotonic()
    answer = site.register("away", '"int"')
    if answer.status != 500 or answer.json not in [
            {"error_code": 50002, "message": "Register operation timed out"},
            {"error_code": 50001, "message": "Register schema operation failed while writing to the Kafka store"}]:
        raise AssertionError(f"{answer} after {time.monotonic() - began:.1f} s")
    for registry in site.writer, site.reader:
        for _ in range(3):
            good(registry.ask("GET", "/subjects/all/versions/latest"))
    began = time.monotonic()
    for _ in range(4):
        good(site.reader.ask("GET", "/subjects/all/versions"))
    if time.monotonic() - began > 8:
        raise AssertionError("reads wait at length for a broker that is away")
    site.restart_daemon()
    until("a registration", lambda: site.register("away", '"int"').status == 200)
    good(site.reader.ask("GET", "/subjects/away/versions"), [1])


def test_a_restart_finds_all_again(site):
    before = {t: site.ask("GET", t).json for t in ("/subjects?deleted=true", "/contexts", "/schemas?deleted=true&subjectPrefix=p", "/config")}
    same(site.writer.stop(), 0)
    site.more += ("-o", "weir.incompatible.error.code=40901")
    site.restart_writer()
    for target, value in before.items():
        good(site.writer.ask("GET", target), value)
    answer = site.register("bad", record(field("a"), field("other")))
    same((answer.status, answer.json["error_code"]), (409, 40901))


if __name__ == "__main__":
    registry_site.main(globals(), registry_site.Site("-o", "kafkastore.timeout.ms=3000", "-o",
                                 "schema.registry.metadata.deployment.attributes=here, for tests"), seconds=100)
