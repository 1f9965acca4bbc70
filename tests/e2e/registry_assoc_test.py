#!/usr/bin/python3
"""registry_assoc_test.py -- associations, which subjects belong to which topics: what serializers ask for, what makes and
changes them, alone and in batches, what they protect, and the bytes in the topic."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claims
import registry_site
from claims import same
from registry_site import segment

GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
INVALID = "The association specified an invalid value for property: '{}', detail: {}"


def good(answer, status=200):
    same(answer.status, status, f"status of {answer}")
    return answer.json


def refused(answer, status, code, message):
    same(answer.status, status, f"status of {answer}")
    same(list(answer.json.items()), [("error_code", code), ("message", message)], "error")


def resource(name, *changes, **more):
    return {"resourceName": name, "resourceNamespace": "lkc", "resourceId": f"id-{name}", "resourceType": "topic",
            "associations": list(changes), **more}


def create(site, name, *changes, query="", **more):
    return site.ask("POST", f"/associations{query}", resource(name, *changes, **more))


def listed(site, target):
    """Type and subject of those that a list has."""
    return [(a["associationType"], a["subject"]) for a in good(site.ask("GET", target))]


def of_subject(site, subject, query=""):
    return listed(site, f"/associations/subjects/{segment(subject)}{query}")


def test_serializers_find_nothing_and_go_on(site):
    for target in ["/resources/-/orders?resourceType=topic&associationType=value&offset=0&limit=-1", "/resources/lkc/orders",
                   "/resources/id", "/subjects/none"]:
        same(good(site.ask("GET", f"/associations{target}")), [])


def test_a_topic_is_created_with_its_schemas(site):
    answer = good(create(site, "orders", {"associationType": "key", "schema": {"schema": '"string"'}},
                         {"schema": {"schema": '{"type":"record","name":"R","fields":[]}'}}))
    same(list(answer), ["resourceName", "resourceNamespace", "resourceId", "resourceType", "associations"])
    key, value = answer["associations"]
    same(list(key), ["subject", "associationType", "lifecycle", "frozen", "schema"])
    same((key["subject"], key["associationType"], key["lifecycle"], key["frozen"]), (":.lkc:orders-key", "key", "STRONG", True))
    same((key["schema"]["id"], key["schema"]["version"], key["schema"]["schema"]), (1, 1, '"string"'))
    same((value["subject"], value["schema"]["id"]), (":.lkc:orders-value", 2))
    same(good(site.ask("GET", "/subjects/:.lkc:orders-value/versions")), [1])
    # Whoever asks again gets the same.
    again = good(create(site, "orders", {"associationType": "key", "schema": {"schema": '"string"'}}))
    same((again["associations"][0]["schema"]["version"], again["associations"][0]["subject"]), (1, ":.lkc:orders-key"))


def test_what_there_is_is_told_in_order(site):
    same(good(site.register("shared", '"int"'))["version"], 1)
    good(create(site, "audit", {"subject": "shared"}))
    good(create(site, "bills", {"subject": "shared"}, resourceNamespace="other", resourceId="id-bills"))
    found = good(site.ask("GET", "/associations/resources/id-audit"))
    same(list(found[0]), ["subject", "guid", "resourceName", "resourceNamespace", "resourceId", "resourceType", "associationType",
                          "lifecycle", "frozen", "createTs", "updateTs"])
    if not re.fullmatch(GUID, found[0]["guid"]):
        raise AssertionError(found)
    same([found[0][n] for n in ("subject", "resourceName", "resourceId", "lifecycle", "frozen")],
         ["shared", "audit", "id-audit", "WEAK", False])
    same([a["resourceName"] for a in good(site.ask("GET", "/associations/subjects/shared"))], ["audit", "bills"])
    same(listed(site, "/associations/resources/-/orders?associationType=value&offset=0&limit=-1"), [("value", ":.lkc:orders-value")])
    for query, wanted in [("", ["key", "value"]), ("?associationType=key", ["key"]), ("?associationType=key&associationType=value",
                          ["key", "value"]), ("?lifecycle=WEAK", []), ("?lifecycle=STRONG", ["key", "value"]),
                          ("?resourceType=topic&offset=1", ["value"]), ("?limit=1", ["key"]), ("?resourceType=queue", [])]:
        same([kind for kind, _ in listed(site, f"/associations/resources/lkc/orders{query}")], wanted, query)
    same(listed(site, "/associations/resources/other/orders"), [])
    refused(site.ask("GET", "/associations/subjects/shared?lifecycle=strong"), 422, 42212,
            INVALID.format("lifecycle", "must be either 'STRONG' or 'WEAK'"))
    refused(site.ask("GET", "/associations/subjects/shared?limit=x"), 404, 404, "HTTP 404 Not Found")


def test_schemas_are_listed_by_their_associations(site):
    for query, wanted in [("", [":.lkc:orders-key", ":.lkc:orders-value", "shared"]), ("&associationType=key", [":.lkc:orders-key"]),
                          ("&lifecycle=WEAK", ["shared"]), ("&lifecycle=STRONG&lifecycle=WEAK&aliases=true",
                          [":.lkc:orders-key", ":.lkc:orders-value", "shared"]), ("&resourceType=queue", []),
                          ("&lifecycle=NONE", []), ("&lifecycle=NONE&associationType=key", [":.lkc:orders-value", "shared"])]:
        told = good(site.ask("GET", f"/schemas?subjectPrefix=:*:{query or '&resourceType=topic'}"))
        same([s["subject"] for s in told], wanted, query)
        same(all(("associations" in s) == ("NONE" not in query) for s in told), True, f"associations with {query}")
    told = good(site.ask("GET", "/schemas?lifecycle=WEAK"))
    same([a["resourceName"] for a in told[0]["associations"]], ["audit", "bills"])
    same(list(told[0])[-1], "associations")
    same("associations" in good(site.ask("GET", "/schemas"))[0], False)
    refused(site.ask("GET", "/schemas?lifecycle=ANY"), 422, 42212, INVALID.format("lifecycle", "must be 'NONE', 'STRONG' or 'WEAK'"))


def test_a_trial_changes_nothing(site):
    asked = resource("trial", {"schema": {"schema": '"long"'}})
    del asked["resourceId"]
    for registry in site.writer, site.reader:
        told = good(registry.ask("POST", "/associations?dryRun=true", asked))["associations"][0]
        same((told["subject"], told["schema"]), (":.lkc:trial-value", {"subject": ":.lkc:trial-value", "version": 1, "id": 3,
                                                                      "schemaType": "AVRO", "schema": '"long"'}))
    refused(site.ask("POST", "/associations", asked), 422, 42212, INVALID.format("resourceId", "cannot be null or empty"))
    same(site.ask("DELETE", "/associations/resources/id-orders?dryRun=true&cascadeLifecycle=true").status, 204)
    same(len(listed(site, "/associations/resources/id-orders")), 2)
    same(listed(site, "/associations/resources/lkc/trial"), [])


def test_associations_are_added_and_changed(site):
    put = "/associations/resources/id-audit"
    same(good(site.ask("PUT", put, resource("audit", {"subject": "shared", "associationType": "key"})))["associations"],
         [{"subject": "shared", "associationType": "key", "lifecycle": "WEAK", "frozen": False}])
    refused(site.ask("PUT", put, resource("audit", {"lifecycle": "STRONG"})), 409, 40904,
            "An association already exists for subject 'shared'")
    same(site.ask("DELETE", f"{put}?associationType=key").status, 204)
    same(site.ask("DELETE", "/associations/resources/id-bills").status, 204)
    same(good(site.ask("PUT", put, resource("audit", {"lifecycle": "STRONG"}, resourceId=None)))["associations"][0]["lifecycle"], "STRONG")
    refused(create(site, "new", {"subject": "shared"}), 409, 40905, "A strong association already exists for subject 'shared'")
    refused(site.ask("PUT", put, resource("audit", {}, resourceId="other")), 422, 42212,
            INVALID.format("resourceId", "must be that of the path"))
    refused(site.ask("PUT", put, resource("audit", {"schema": {"schema": '"int"'}, "associationType": "key"})), 422, 42212,
            INVALID.format("schema", "cannot be provided when adding an association to an existing topic; an association with a schema "
                           "must be created with the topic"))
    same(good(site.ask("PUT", put, resource("audit", {"lifecycle": "WEAK"})))["associations"][0]["lifecycle"], "WEAK")


def test_requests_that_are_none_are_refused(site):
    for body, code in [(b"", 422), (b"{", 400), (b"[]", 400), (b'{"associations":{}}', 400), (b'{"associations":[1]}', 400),
                       (b'{"associations":[{"lifecycle":"weak"}]}', 400), (b'{"associations":[{"frozen":"7"}]}', 400),
                       (b'{"associations":[{"schema":"x"}]}', 400), (b'{"resourceName":[]}', 400)]:
        for method, target in [("POST", "/associations"), ("PUT", "/associations/resources/x")]:
            answer = site.ask(method, target, body)
            same((answer.status, answer.json["error_code"]), (code, code), f"{method} {target} with {body}")
    refused(site.ask("POST", "/associations", {}), 422, 42212, INVALID.format("resourceName", "cannot be null or empty"))
    refused(create(site, "none", {"subject": "none"}), 409, 40907, "No active (non-deleted) version exists for subject 'none'")
    refused(create(site, "none", {"schema": {"schema": '"nothing"'}}), 422, 42201, create(site, "none", {"schema": {"schema": '"nothing"'}}).json["message"])
    refused(create(site, "none", {"subject": "s"}, query="?context=a:b"), 400, 400, "Context name 'a:b' cannot contain a colon")
    refused(site.ask("DELETE", "/associations/resources/none"), 404, 40410, "Association for 'none' not found.")
    same(site.ask("GET", "/associations").status, 405)
    for call in "batchGet", "batchMutate":
        for body in {}, {"requests": []}, {"requests": None}:
            refused(site.ask("POST", f"/associations:{call}", body), 422, 42212, INVALID.format("requests", "cannot be null or empty"))
        refused(site.ask("POST", f"/associations:{call}", {"requests": [{}] * 1001}), 422, 42212,
                INVALID.format("requests", "cannot be more than 1000"))
        for body in [{"requests": {}}, {"requests": [1]}, {"requests": [{"resourceName": {}}]}]:
            same(site.ask("POST", f"/associations:{call}", body).status, 400, f"{call} {body}")
    same(site.ask("POST", "/associations:batchMutate", {"requests": [resource("x", {"opType": "TURN"})]}).status, 400)


def test_names_are_of_the_context_of_the_request(site):
    good(site.register(":.c:mine", '"int"'))
    same(good(site.ask("POST", "/contexts/.c/associations", resource("c1", {"subject": "mine"})))["associations"][0]["subject"], ":.c:mine")
    same(good(create(site, "c2", {"subject": "mine"}, query="?context=c"))["associations"][0]["subject"], ":.c:mine")
    same(of_subject(site, ":.c:mine"), [("value", ":.c:mine")] * 2)
    same(listed(site, "/contexts/c/associations/subjects/mine"), [("value", ":.c:mine")] * 2)
    same(of_subject(site, "mine"), [])


def test_a_batch_has_a_result_for_each(site):
    asked = [resource("b1", {"opType": "CREATE", "schema": {"schema": '"bytes"'}}, {"opType": "UPSERT", "associationType": "key", "subject": "shared"}),
             resource("b2", {"opType": "CREATE", "subject": "none"}), resource("c1", {"opType": "DELETE"}),
             resource("b3", {"opType": "DELETE"})]
    results = good(site.ask("POST", "/associations:batchMutate", {"requests": asked}), 207)["results"]
    same([list(r) for r in results], [["result"], ["error"], ["result"], ["error"]])
    same([(a["subject"], a["frozen"]) for a in results[0]["result"]["associations"]], [(":.lkc:b1-value", True), ("shared", False)])
    same(results[1]["error"], {"error_code": 40907, "message": "No active (non-deleted) version exists for subject 'none'"})
    same(results[2]["result"], {"resourceName": "c1", "resourceNamespace": "lkc", "resourceId": "id-c1", "resourceType": "topic"})
    same(results[3]["error"]["error_code"], 40410)
    trial = good(site.ask("POST", "/associations:batchMutate?dryRun=true", {"requests": asked[:1]}), 207)["results"]
    same(trial[0]["result"]["associations"][0]["schema"]["version"], 1)

    asked = [{"resourceId": "id-b1"}, {"resourceName": "b1", "resourceNamespace": "-", "associationTypes": ["key"]},
             {"resourceName": "b1", "resourceNamespace": "lkc", "lifecycle": "STRONG"}, {"resourceName": "b1"}, {}, {"resourceId": "none"}]
    results = good(site.reader.ask("POST", "/associations:batchGet?includeSchemas=true", {"requests": asked}), 207)["results"]
    same([[a["subject"] for a in r["result"]["associations"]] for r in results[:3]], [["shared", ":.lkc:b1-value"], ["shared"], [":.lkc:b1-value"]])
    same(results[0]["result"]["associations"][1]["schema"]["schema"], '"bytes"')
    same(results[1]["result"]["resourceId"], "id-b1")
    same([r["error"]["message"] for r in results[3:5]], [
        INVALID.format("resourceNamespace", "resourceNamespace is required when resourceName is specified"),
        INVALID.format("resourceId", "either resourceId or resourceName must be specified")])
    same(results[5], {"result": {"resourceId": "none", "resourceType": "topic"}})


def test_what_belongs_to_a_topic_is_protected(site):
    refused(site.ask("DELETE", "/subjects/shared"), 409, 40904, "An association already exists for subject 'shared'")
    refused(site.ask("DELETE", "/subjects/:.lkc:orders-value/versions/1"), 409, 40905,
            "A strong association already exists for subject ':.lkc:orders-value'")
    refused(site.register(":.lkc:other", '["R"]', references=[{"name": "R", "subject": "orders-value", "version": 1}]), 422, 42205,
            "Subject ':.lkc:orders-value' has a strong association and cannot be referenced")
    refused(site.ask("DELETE", "/associations/resources/id-orders?associationType=value"), 409, 40908,
            "The association of type  'value' is frozen for subject ':.lkc:orders-value'")
    same(site.ask("DELETE", "/associations/resources/id-orders?cascadeLifecycle=true").status, 204)
    refused(site.ask("GET", "/subjects/:.lkc:orders-value/versions?deleted=true"), 404, 40401, "Subject ':.lkc:orders-value' not found.")
    same(listed(site, "/associations/resources/id-orders"), [])
    same(good(site.ask("GET", "/schemas/types")), ["AVRO"])


def test_the_topic_has_confluents_bytes(site):
    try:
        import confluent_kafka
    except ImportError as missing:
        raise claims.Skip(f"{missing} (Debian: python3-confluent-kafka)") from missing
    consumer = confluent_kafka.Consumer({"bootstrap.servers": site.daemon.address, "group.id": "none", "enable.partition.eof": True})
    consumer.assign([confluent_kafka.TopicPartition("_schemas", 0, 0)])
    last = {}
    while True:
        message = consumer.poll(10)
        if message is None or message.error() is not None:
            break
        last[message.key().decode()] = message.value()
    consumer.close()
    key = ('{"keytype":"ASSOC","tenant":"default","resourceName":"%s","resourceNamespace":"lkc","resourceType":"topic",'
           '"associationType":"value","subject":"%s","magic":0}')
    value = json.loads(last[key % ("b1", ":.lkc:b1-value")])
    same(list(value), ["subject", "guid", "tenant", "resourceName", "resourceNamespace", "resourceId", "resourceType", "associationType",
                       "lifecycle", "frozen", "createTs"])
    same((value["lifecycle"], value["frozen"], value["resourceId"]), ("STRONG", True, "id-b1"))
    same(last[key % ("orders", ":.lkc:orders-value")], None)


def test_a_process_that_starts_knows_them(site):
    other = registry_site.Registry(site, 3, writes=False)
    other.await_ready()
    same(good(other.ask("GET", "/associations/subjects/shared")), good(site.ask("GET", "/associations/subjects/shared")))
    other.kill()


if __name__ == "__main__":
    registry_site.main(globals(), registry_site.Site("-o", "kafkastore.timeout.ms=3000"))
