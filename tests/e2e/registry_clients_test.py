#!/usr/bin/python3
"""registry_clients_test.py -- registry clients that Debian has, unmodified: confluent-kafka for Python
(python3-confluent-kafka, python3-requests; its Avro serializers need fastavro, which Debian 12 has not), and curl."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claims
import registry_site
from claims import Skip, same

def python_client(site):
    try:
        from confluent_kafka import schema_registry
    except ImportError as missing:
        raise Skip(f"{missing} (Debian: python3-confluent-kafka python3-requests)") from missing
    return schema_registry, schema_registry.SchemaRegistryClient({"url": f"http://127.0.0.1:{site.port}"})


def event(*more):
    fields = [{"name": "id", "type": "long"}, *more]
    return json.dumps({"type": "record", "name": "Event", "namespace": "py", "fields": fields})


NOTE = {"name": "note", "type": "string", "default": ""}


def test_python_client_registers_and_finds(site):
    library, client = python_client(site)
    schema = library.Schema(event(), "AVRO")
    number = client.register_schema("py-value", schema)
    same(client.register_schema("py-value", schema), number)
    same(json.loads(client.get_schema(number).schema_str), json.loads(event()))
    found = client.lookup_schema("py-value", schema)
    same((found.schema_id, found.version, found.subject), (number, 1, "py-value"))
    same(client.get_latest_version("py-value").schema_id, number)
    same(client.get_versions("py-value"), [1])
    same("py-value" in client.get_subjects(), True)


def test_python_client_follows_references(site):
    library, client = python_client(site)
    client.register_schema("py-inner", library.Schema('{"type":"enum","name":"py.Kind","symbols":["A"]}', "AVRO"))
    outer = library.Schema(event({"name": "kind", "type": "py.Kind"}), "AVRO",
                           [library.SchemaReference("py.Kind", "py-inner", 1)])
    number = client.register_schema("py-outer", outer)
    told = client.get_version("py-outer", 1)
    same(told.schema_id, number)
    same([(r["name"], r["subject"], r["version"]) for r in told.schema.references], [("py.Kind", "py-inner", 1)])


def test_python_client_asks_for_compatibility(site):
    library, client = python_client(site)
    same(client.test_compatibility("py-value", library.Schema(event(NOTE), "AVRO")), True)
    same(client.test_compatibility("py-value", library.Schema(event({"name": "x", "type": "int"}), "AVRO")), False)
    error = claims.refused("an incompatible schema", lambda: client.register_schema(
        "py-value", library.Schema(event({"name": "x", "type": "int"}), "AVRO")), library.error.SchemaRegistryError)
    same(error.http_status_code, 409)
    client.set_compatibility("py-value", "NONE")
    same(client.get_compatibility("py-value"), "NONE")


def test_python_client_deletes(site):
    library, client = python_client(site)
    client.register_schema("py-gone", library.Schema('"int"', "AVRO"))
    client.register_schema("py-gone", library.Schema('"long"', "AVRO"))
    same(client.delete_version("py-gone", 1), 1)
    # It takes both steps at once, and tells what the first one answered.
    same(client.delete_subject("py-gone", permanent=True), [2])
    error = claims.refused("a subject that is gone", lambda: client.get_versions("py-gone"), library.error.SchemaRegistryError)
    same((error.http_status_code, error.error_code, error.error_message), (404, 40401, "Subject 'py-gone' not found."))


def test_curl_needs_no_more_than_its_defaults(site):
    if shutil.which("curl") is None:
        raise Skip("curl is not installed (Debian: curl)")
    url = f"http://127.0.0.1:{site.port}"

    def curl(*words):
        return json.loads(subprocess.run(["curl", "-sS", *words], check=True, stdout=subprocess.PIPE, timeout=20).stdout)
    made = curl("-X", "POST", "-H", "Content-Type: application/json", "--data", json.dumps({"schema": '"string"'}),
                url + "/subjects/curl%2Fvalue/versions")
    same(made["version"], 1)
    same(curl(url + "/subjects/curl%2Fvalue/versions/latest")["id"], made["id"])
    same(curl("-X", "POST", "--data", "{}", url + "/subjects/x/versions"),
         {"error_code": 415, "message": "HTTP 415 Unsupported Media Type"})
    # By TLS, as everybody else comes.
    same(curl("-k", f"https://127.0.0.1:{site.tls_port}/subjects/curl%2Fvalue/versions"), [1])
    same(curl("-X", "DELETE", url + "/subjects/curl%2Fvalue"), [1])


if __name__ == "__main__":
    registry_site.main(globals(), registry_site.Site())
