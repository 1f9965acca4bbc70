#!/usr/bin/python3
"""registry_openapi_test.py -- docs/reference/registry-openapi.json: what it says of itself, that it has the routes and
problems that the program has, and that each of its operations, and each error of each that can be brought about,
is answered as it says.

registry_site.py compares every answer with it; here the requests are made that all of it needs, and counted.
"""
import concurrent.futures
import json
import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claims
import openapi
import raw_calls
import registry_site
from claims import freeze, same, until

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REGISTRY = os.path.join(TOP, "fcgi-apps/registry")

R1 = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
R2 = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":1}]}'
BROKEN = '{"type":"record","name":"R","fields":[{"name":"c","type":"int"}]}'
LARGE = json.dumps({"type": "enum", "name": "E", "symbols": ["A"], "doc": "x" * 1_100_000})
RULES = {"ruleSet": {"domainRules": [{"name": "no name", "type": "CEL", "mode": "WRITE"}]}}
TAG = {"schemaEntity": {"entityPath": "R.a", "entityType": "sr_field"}, "tags": ["PII"]}


def topic(number, *associations):
    """A request about the associations of a topic."""
    return {"resourceName": f"t{number}", "resourceNamespace": "lkc", "resourceId": str(number), "associations": list(associations)}


V, S, C = "/subjects/{}/versions", "/subjects/", "/compatibility/subjects/"
A, ID = "/associations", "/associations/resources/"
STRONG, OWN = {"subject": "part", "lifecycle": "STRONG"}, {"schema": {"schema": R1}}

# What is asked in this order: method, target, body, and the error_code; None: it is done.
ASKED = [
    ("GET", "/", None, None), ("POST", "/", None, None),
    ("POST", V.format("s"), {"schema": R1, "metadata": {"properties": {"k": "v"}}, "ruleSet": {"domainRules": [
        {"name": "r", "type": "CEL", "mode": "WRITE", "tags": ["b", "a"], "params": {"p": 1}, "expr": "true", "doc": "d",
         "onSuccess": "NONE", "onFailure": "ERROR"}], "enableAt": "CLIENT"}}, None),
    ("POST", V.format("s"), {"schema": R2, "metadata": {"properties": {"k": "w"}, "sensitive": ["k"], "tags": {"R.a": ["t"]}}}, None),
    ("POST", V.format("part"), {"schema": '{"type":"fixed","name":"T","size":4}'}, None),
    ("POST", V.format("whole"), {"schema": '{"type":"array","items":"T"}',
                                 "references": [{"name": "T", "subject": "part", "version": 1}]}, None),
    ("POST", V.format("s"), {"schema": BROKEN}, 409), ("POST", V.format("s"), {"schema": '"nothing"'}, 42201),
    ("POST", V.format("s"), {"schema": '"int"', "id": 9}, 42205), ("POST", V.format("a%01"), {"schema": '"int"'}, 42208),
    ("POST", V.format("large"), {"schema": LARGE}, 42209), ("POST", V.format("s"), {"schema": R1, **RULES}, 42210),
    ("POST", V.format("s") + "/1/tags?findTags=*", {"tagsToAdd": [TAG], "newVersion": 3}, None),
    ("POST", V.format("none") + "/1/tags", {}, 40401), ("POST", V.format("s") + "/9/tags", {}, 40402),
    ("POST", V.format("s") + "/1/tags", {"tagsToAdd": [{**TAG, "schemaEntity": {"entityPath": "R.x", "entityType": "sr_field"}}]}, 42201),
    ("POST", V.format("s") + "/x/tags", {}, 42202), ("POST", V.format("s") + "/1/tags", RULES, 42210),

    ("POST", V.format("s") + "/1/tags", {"metadata": {"properties": {"k": "x" * 1_100_000}}}, 42209),
    ("POST", V.format("t"), {"schema": R1}, None), ("POST", V.format("t") + "?force=true", {"schema": BROKEN}, None),
    ("POST", V.format(":.__GLOBAL:t") + "/1/tags", {"tagsToAdd": [TAG]}, 42208),
    ("POST", V.format("t") + "/1/tags", {"tagsToAdd": [TAG]}, 409), ("DELETE", S + "t", None, None),

    ("GET", "/subjects?limit=2", None, None),
    ("POST", S + "s?findTags=*", {"schema": R2, "metadata": {"properties": {"k": "w"}, "sensitive": ["k"], "tags": {"R.a": ["t"]}}}, None),
    ("POST", S + "none", {"schema": R1}, 40401), ("POST", S + "s", {"schema": '"int"'}, 40403), ("POST", S + "s", {"schema": "{"}, 42201),
    ("GET", S + "s/metadata?key=k&value=v", None, None), ("GET", S + "none/metadata", None, 40401),
    ("GET", S + "s/metadata?key=k&value=z", None, 40403),
    ("GET", V.format("s"), None, None), ("GET", V.format("none"), None, 40401),
    ("GET", V.format("s") + "/3?findTags=*", None, None), ("GET", V.format("whole") + "/latest?format=resolved", None, None),
    ("GET", V.format("s") + "/latest/schema", None, None), ("GET", V.format("part") + "/1/referencedby", None, None),
    *[("GET", V.format(subject) + version + end, None, code) for end in ("", "/schema", "/referencedby")
      for subject, version, code in (("none", "/1", 40401), ("s", "/9", 40402), ("s", "/x", 42202))],

    ("GET", "/schemas?aliases=true", None, None), ("GET", "/schemas/types", None, None),
    *[("GET", f"/schemas/ids/{number}{end}", None, code) for end in ("?subject=s&fetchMaxId=true&findTags=*", "/schema", "/subjects", "/versions")
      for number, code in ((1, None), (999, 40403), ("x", 404))],
    ("GET", "/schemas/guids/GUID", None, None), ("GET", "/schemas/guids/x", None, 40403), ("GET", "/schemas/guids/GUID/ids", None, None),

    ("POST", C + "s/versions?verbose=true", {"schema": BROKEN}, None), ("POST", C + "s/versions/1", {"schema": R2}, None),
    ("POST", C + "s/versions", {"schema": "{"}, 42201), ("POST", C + "s/versions/1", {"schema": "{"}, 42201),
    ("POST", C + "s/versions/9", {"schema": R2}, 40402), ("POST", C + "s/versions/x", {"schema": R2}, 42202),

    ("PUT", "/config/s", {"compatibility": "full", "normalize": True, "alias": "", "compatibilityGroup": "g",
                          "defaultMetadata": {"properties": {"b": "1", "a": "2"}}}, None),
    ("GET", "/config/s", None, None), ("DELETE", "/config/s", None, None), ("DELETE", "/config/s", None, 40401),
    ("GET", "/config/s", None, 40408), ("GET", "/config/s?defaultToGlobal=true", None, None),
    ("PUT", "/config", {"compatibility": "FULL"}, None), ("GET", "/config", None, None), ("DELETE", "/config", None, None),
    ("GET", "/contexts/none/config", None, 40408), ("DELETE", "/contexts/none/config", None, 40401),
    *[("PUT", target, body, code) for target in ("/config", "/config/a%01") for body, code in (
        ({"compatibility": "x"}, 42203), ({"compatibilityPolicy": "x"}, 42203), ({"defaultRuleSet": RULES["ruleSet"]}, 42210))],
    ("PUT", "/config/a%01", {}, 42208),

    ("PUT", "/config/s", {"normalize": False}, None), ("PUT", "/mode/s", {"mode": "READONLY"}, None), ("GET", "/mode/s", None, None),
    ("DELETE", "/config/s", None, 42205),
    ("POST", V.format("s"), {"schema": '"int"'}, 42205), ("POST", V.format("s") + "/1/tags", {"tagsToAdd": [TAG]}, 42205),
    ("DELETE", S + "s", None, 42205), ("DELETE", V.format("s") + "/1", None, 42205),
    ("PUT", "/config/s", {"compatibility": "FULL"}, 42205), ("DELETE", "/mode/s", None, None), ("DELETE", "/mode/s", None, 40401),
    ("GET", "/mode/s", None, 40409), ("GET", "/contexts/none/mode", None, 40409), ("DELETE", "/contexts/none/mode", None, 40401),
    ("DELETE", "/mode/:.none:?recursive=true", None, None), ("PUT", "/mode/s", {"mode": "IMPORT"}, 42205), ("PUT", "/mode", {"mode": "IMPORT"}, 42205),
    ("PUT", "/mode", {"mode": "x"}, 42204), ("PUT", "/mode/s", {"mode": "FORWARD"}, 42204), ("PUT", "/mode/a%01", {"mode": "x"}, 42208),
    ("PUT", "/mode", {"mode": "readonly"}, None), ("GET", "/mode", None, None), ("PUT", "/config", {"compatibility": "FULL"}, 42205),
    ("DELETE", "/config", None, 42205), ("DELETE", "/mode", None, None), ("PUT", "/mode", {}, None),

    ("POST", V.format(":.c:x"), {"schema": '"int"'}, None), ("GET", "/contexts", None, None), ("DELETE", "/contexts/c", None, 42211),
    ("DELETE", "/contexts/none", None, None), ("DELETE", "/contexts/a:b", None, 400),
    ("GET", "/v1/metadata/id", None, None), ("GET", "/v1/metadata/version", None, None), ("GET", "/v1/metadata/deployment", None, None),
    *[("GET", f"/-/{name}", None, None) for name in ("healthy", "ready", "metrics")],

    # t1 has a subject of its own, t2 one that others refer to, t3 one that it shares.
    ("POST", A + "?dryRun=true", topic(1, OWN), None), ("POST", A, topic(1, OWN), None), ("POST", A, topic(1, {**OWN, "lifecycle": "WEAK"}), 42212),
    ("POST", A, {**topic(1, OWN), "resourceId": "9"}, 40903), ("POST", A, topic(2, {"subject": "none"}), 40907),
    *[("POST", A, topic(2, {"schema": schema}), code) for schema, code in (({"schema": "{"}, 42201), ({"schema": R1, "id": 9}, 42205),
                                                                       ({"schema": LARGE}, 42209), ({"schema": R1, **RULES}, 42210))],
    *[(method, target, topic(1, {"subject": ":.c:__GLOBAL", "associationType": "key"}), 42208) for method, target in (("POST", A), ("PUT", ID + "1"))],
    *[("PUT", ID + "1", topic(1, {"schema": schema}), code) for schema, code in (
        ({"schema": R2}, None), ({"schema": BROKEN}, 409), ({"schema": "{"}, 42201), ({"schema": R1, "id": 9}, 42205),
        ({"schema": R2.replace("{", json.dumps({"doc": "x" * 1_100_000})[:-1] + ",", 1)}, 42209), ({"schema": R1, **RULES}, 42210))],
    ("PUT", ID + "1", topic(1, {"lifecycle": "WEAK"}), 40908), ("PUT", ID + "1", topic(1, {"subject": "s"}), 42212),
    ("PUT", ID + "9", {**topic(1, {"lifecycle": "WEAK"}), "resourceId": "9"}, 40903), ("PUT", ID + "2", topic(2, {"subject": "none"}), 40907),
    ("POST", A, topic(2, STRONG), None), ("DELETE", S + "part", None, 40904), ("DELETE", V.format("part") + "/1", None, 40905),
    *[(method, target, topic(3, {"subject": "part"}), 40905) for method, target in (("POST", A), ("PUT", ID + "3"))],
    ("DELETE", ID + "2?cascadeLifecycle=true", None, 42206), ("PUT", ID + "2", topic(2, {"lifecycle": "WEAK"}), None),
    ("PUT", ID + "3", topic(3, {"subject": "part"}), None), ("PUT", ID + "3", topic(3, {"lifecycle": "STRONG"}), 40904),
    ("POST", A, topic(4, STRONG), 40904), ("DELETE", V.format("part") + "/1", None, 40904), ("GET", A + "/subjects/part", None, None),
    ("GET", ID + "1", None, None), ("GET", ID + "-/t1", None, None), ("GET", "/schemas?lifecycle=WEAK&aliases=true", None, None),
    *[("GET", target + "?lifecycle=x", None, 42212) for target in (ID + "1", ID + "-/t1", A + "/subjects/s", "/schemas")],
    ("POST", A + ":batchGet?includeSchemas=true", {"requests": [{"resourceId": "1"}, {"resourceId": "9"}, {}]}, None),
    ("POST", A + ":batchGet", {"requests": []}, 42212), ("POST", A + ":batchMutate", {"requests": []}, 42212),
    *[("POST", A + ":batchMutate" + query, {"requests": [
        topic(1, {"opType": "UPSERT", **OWN}), topic(1, {"opType": "UPSERT", "schema": {"schema": BROKEN}}), topic(1, {"opType": "DELETE"}),
        topic(5, {"opType": "CREATE", **OWN}), topic(5, {"opType": "DELETE", "cascadeLifecycle": True}), topic(9, {"opType": "DELETE"})]}, None)
      for query in ("?dryRun=true", "")],
    ("DELETE", ID + "1", None, 40908), ("DELETE", ID + "9", None, 40410),
    ("PUT", "/mode/part", {"mode": "READONLY"}, None), ("DELETE", ID + "2", None, 42205), ("DELETE", "/mode/part", None, None),
    *[("DELETE", ID + number + "?cascadeLifecycle=true", None, None) for number in "123"],

    ("DELETE", S + "part", None, 42206), ("DELETE", V.format("part") + "/1", None, 42206),
    ("DELETE", S + "none", None, 40401), ("DELETE", S + "s?permanent=true", None, 40405),
    ("DELETE", V.format("none") + "/1", None, 40401), ("DELETE", V.format("s") + "/9", None, 40402), ("DELETE", V.format("s") + "/x", None, 42202),
    ("DELETE", V.format("s") + "/1?permanent=true", None, 40407), ("DELETE", V.format("s") + "/1", None, None),
    ("DELETE", V.format("s") + "/1", None, 40406), ("GET", V.format("s") + "?deletedAsNegative=true", None, None),
    ("DELETE", S + "s", None, None), ("DELETE", S + "s", None, 40404), ("DELETE", S + "whole", None, None), ("DELETE", S + "part", None, None),
    ("PUT", "/mode/part", {"mode": "IMPORT"}, 42206), ("DELETE", "/contexts/c/subjects/x", None, None),
    ("PUT", "/mode", {"mode": "IMPORT"}, 42206),
]

# What no test can bring about at will, and why.
UNMET = [
    (r".*", 500, "the memory of a request must end amid it"),
    (r".*", 503, "all threads must be at work; that is tested in fcgi_test.py"),
    (r"POST /$", 413, "the body is not looked at before nginx has it"),
    (r".*", 40902, "there must be 100,000 associations; tests/unit/registry/assoc_test.c has that"),
    (r".*", 50002, "it is that or 50001"),
    (r".*", 50004, "a registry of Confluent's, or another writer at each step, must be about; registry_topic_test.py has these"),
    (r"POST /subjects/\{subject\}/versions$", 40401, "it must be deleted between its registration and its answer"),
    (r"POST /subjects/\{subject\}/versions$", 40402, "the same"),
    (r"DELETE /mode", 42205, "mode.mutability must be false"),
    (r"GET /(subjects/\{subject\}/(metadata|versions/.*)|schemas/.*)", 42201, "what a schema refers to must be lost; registry_test.py has it"),
    (r"POST /compatibility/.*", 42209, "two schemas must be too large to be compared; registry_test.py has it"),
]


def code_of(answer):
    return answer.json["error_code"] if answer.status >= 400 else None


def example(path):
    """A path of an operation, with what is there where it names something."""
    for name, value in (("subject", "s"), ("version", "1"), ("id", "1"), ("guid", "x"), ("context", "none"), ("resourceId", "1"),
                        ("resourceNamespace", "-"), ("resourceName", "t1")):
        path = path.replace("{" + name + "}", value)
    return path


def operations(document):
    return [(m.upper(), p, o) for p, methods in document.whole["paths"].items() for m, o in methods.items()]


# ---- the document by itself ----

def every(value):
    """All objects in it."""
    if isinstance(value, dict):
        yield value
    for v in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from every(v)


def test_it_is_well_formed(site):
    document = openapi.document
    whole = document.whole
    same(whole["openapi"], "3.1.0")
    same(set(whole), {"openapi", "info", "servers", "paths", "components"})
    for value in every(whole):
        if "$ref" in value:
            document.resolve(value)
    ids, used = set(), set(re.findall(r'"#/components/([^"]+)"', json.dumps(whole)))
    for method, path, of in operations(document):
        what = f"{method} {path}"
        same(of["operationId"] in ids, False, what)
        ids.add(of["operationId"])
        given = [document.resolve(p) for p in of.get("parameters", [])]
        same([p["name"] for p in given if p["in"] == "path"], re.findall(r"\{([A-Za-z]+)\}", path), what)
        same(len({(p["in"], p["name"]) for p in given}), len(given), what)
        same([s for s in of["responses"] if not re.fullmatch("[1-5][0-9][0-9]|default", s)], [], what)
        for answer in of["responses"].values():
            same("description" in document.resolve(answer), True, what)
    for kind, components in whole["components"].items():
        for name, value in components.items():
            same(f"{kind}/{name}" in used, True, f"{kind}/{name} is used")
            if kind == "schemas":
                openapi.jsonschema.Draft202012Validator.check_schema(value)
                for given in value.get("examples", []):
                    same(document.errors({"$ref": f"#/components/schemas/{name}"}, given), [], name)


def test_it_has_the_program_s_routes_and_problems(site):
    with open(os.path.join(REGISTRY, "routes.c"), encoding="utf-8") as f:
        routes = re.findall(r'\{ HTTP_([A-Z]+), "([^"]*)"', f.read())
    same(sorted((m, p) for m, p, _ in operations(openapi.document)), sorted(routes))
    with open(os.path.join(REGISTRY, "problems.tbl"), encoding="utf-8") as f:
        problems = re.findall(r"^PROBLEM\((\w+), (\d+), (\d+),", f.read(), re.M)
    for name, status, code in problems:
        listed = [r for n, r in openapi.document.whole["components"]["responses"].items() if name in re.split("[-.]", n)]
        same(bool(listed), True, name)
        for response in listed:
            for form in response["content"].values():
                same(int(code) in openapi.document.resolve(form["schema"])["properties"]["error_code"]["enum"], True, name)


# ---- the document beside the program ----

def test_all_is_done_and_refused_as_it_says(site):
    guid = "x"
    for method, target, body, code in ASKED:
        answer = site.ask(method, target.replace("GUID", guid), body)
        same(code_of(answer), code, f"{method} {target}: {answer}")
        if method == "GET" and target.startswith("/schemas/ids/1?"):
            guid = answer.json["guid"]


def test_what_any_request_may_have_wrong(site):
    huge = b"x" * (3 << 20)
    for method, path, of in operations(openapi.document):
        target = example(path)
        if target != "/": # there it would be the context itself
            same(code_of(site.ask(method, "/contexts/a:b" + target)), 400, target)
        same(code_of(site.ask(method, target, headers={"Accept": "text/html"})), 406, target)
        if any(p["$ref"].endswith("/offset") for p in of.get("parameters", [])):
            same(code_of(site.ask(method, target + "?offset=x")), 404, target)
        if method in ("POST", "PUT"):
            same(code_of(site.ask(method, target, b"{}", {"Content-Type": "text/plain"})), 415, target)
        if "requestBody" in of:
            for body, code in (b"{", 400), (b"null", 422), (huge, 413):
                same(code_of(site.ask(method, target, body)), code, target)


WRITES = {"PUT": {"compatibility": "FULL", "mode": "READONLY"}, "POST": {"schema": R1}, "DELETE": None}


def writes(document):
    """Operations that may write, with a target that does so, and a body."""
    for method, path, of in operations(document):
        refused = document.resolve(of["responses"]["500"])["description"]
        if "50002" in refused:
            body = {"tagsToAdd": [TAG]} if path.endswith("/tags") else {"schema": '"boolean"'} if method == "POST" else WRITES[method]
            if path.startswith(A) and method != "DELETE":
                body = topic(2, OWN) if method == "POST" else topic(1, {"subject": "shared", "associationType": "key"})
            yield method, example(path), body


def test_what_becomes_of_writes_without_the_broker(site):
    for text in R1, R2:
        until("all is there again", lambda t=text: site.register("s", t).status == 200)
    for target in "/config/s", "/mode/s":
        same(site.ask("PUT", target, {"compatibility": "NONE", "mode": "READWRITE"}).status, 200)
    same(site.register("shared", R1).status, 200)
    same(site.ask("POST", A, topic(1, {"subject": "shared"})).status, 200)
    # One that does not wait for long.
    site.writer.kill()
    site.more = ("-o", "kafkastore.timeout.ms=100")
    site.restart_writer()
    freeze(site.daemon.process)
    try:
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            asked = [(method, target, pool.submit(site.ask, method, target, body)) for method, target, body in writes(openapi.document)]
        # The transaction that could not be begun, or its end that did not come.
        for method, target, answer in asked:
            same(code_of(answer.result()) in (50001, 50002), True, f"{method} {target}: {answer.result()}")
    finally:
        site.daemon.signal(signal.SIGCONT)


def test_nothing_is_answered_once_the_topic_is_gone(site):
    client = raw_calls.client(site.daemon)
    raw_calls.drop(client, "_schemas")
    raw_calls.make(client, "_schemas", configs={"cleanup.policy": "compact"})
    until("both notice", lambda: all(r.ask("GET", "/subjects").status == 500 for r in (site.writer, site.reader)))
    for method, path, of in operations(openapi.document):
        if "50001" in openapi.document.resolve(of["responses"]["500"])["description"]:
            same(code_of(site.ask(method, example(path), WRITES.get(method))), 50001, f"{method} {path}")
    for registry in site.writer, site.reader:
        same(registry.stop(), 0)
    same(code_of(site.ask("GET", "/subjects")), 502)


def codes(document, response):
    """What error_codes a response has; None alone where it is no error."""
    content = document.resolve(response).get("content", {})
    found = {c for form in content.values() for c in document.resolve(form["schema"]).get("properties", {}).get("error_code", {}).get("enum", [])}
    return found - {40901} or {None}


def test_all_that_it_has_was_met(site):
    document = openapi.document
    met, unmet = {(name, code) for name, _, code in document.seen}, []
    for method, path, of in operations(document):
        name = f"{method} {path}"
        for status, response in of["responses"].items():
            if status != "default":
                unmet += [(name, c) for c in codes(document, response)
                          if (name, c) not in met and not any(re.match(p, name) and c == n for p, n, _ in UNMET)]
    same(unmet, [])


if __name__ == "__main__":
    if openapi.document is None:
        print("skipped registry_openapi: python3-jsonschema is not installed")
        claims.finish(0, 0, 1)
    registry_site.main(globals(), registry_site.Site())
