#!/usr/bin/python3
"""registry_confluent_python_test.py -- the newest confluent-kafka for Python, unmodified, from PyPI: all that its
registry client can ask, and its Avro serializer and deserializer.

What the client of Debian's, of 2021, asks in other ways is in registry_clients_test.py.
"""
import functools
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import claims
import pypi
from claims import Skip, same

# Before all that imports what it brings along, too: modules of both Python's packages and Debian's don't mix.
try:
    sys.path.insert(0, pypi.fetch(os.path.join(HERE, "registry_confluent_python/requirements.txt")))
except Skip as reason:
    print(f"skipped registry-confluent-python: {reason}")
    claims.finish(0, 0, 1)

import registry_site
import registry_values
from confluent_kafka import schema_registry as library
from confluent_kafka.schema_registry import (Metadata, MetadataProperties, Rule, RuleKind, RuleMode, RuleSet, Schema,
                                             SchemaReference, SchemaRegistryClient, SchemaRegistryError, ServerConfig)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.common.schema_registry_client import (AssociationCreateOrUpdateInfo,
                                                                           AssociationCreateOrUpdateRequest,
                                                                           ConfigCompatibilityLevel, MetadataTags)
from confluent_kafka.serialization import MessageField, SerializationContext

NOTE = {"name": "note", "type": "string", "default": ""}
OTHER = {"name": "x", "type": "int"}


@functools.lru_cache
def of_path(site, path):
    return SchemaRegistryClient({"url": f"http://127.0.0.1:{site.port}{path}", "max.retries": 0})


def client(site, path=""):
    """One that knows nothing yet.  (It is always the same: each new one reads all certificates of the machine.)"""
    of_path(site, path).clear_caches()
    return of_path(site, path)


def event(*more, name="Event"):
    fields = [{"name": "id", "type": "long"}, *more]
    return json.dumps({"type": "record", "name": name, "namespace": "py", "fields": fields})


def avro(text, *references, **more):
    return Schema(text, "AVRO", [SchemaReference(*reference) for reference in references], **more)


def text_of(schema):
    return json.loads(schema.schema_str)


def refused(what, call, status, code, text=""):
    error = claims.refused(what, call, SchemaRegistryError)
    same((error.http_status_code, error.error_code), (status, code), f"{what}: {error}")
    if text not in error.error_message:
        raise AssertionError(f"{what}: {error}")


# ---- the client ----

def test_registers_and_finds(site):
    made = client(site).register_schema_full_response("find-value", avro(event()))
    same((made.version, made.subject), (1, "find-value"))
    number = made.schema_id
    same(client(site).register_schema("find-value", avro(event())), number)
    same(text_of(client(site).get_schema(number)), json.loads(event()))
    same(text_of(client(site).get_schema(number, subject_name="find-value")), json.loads(event()))
    same(text_of(client(site).get_schema_by_guid(made.guid)), json.loads(event()))
    found = client(site).lookup_schema("find-value", avro(event()))
    same((found.schema_id, found.version, found.subject, found.guid), (number, 1, "find-value", made.guid))
    for told in client(site).get_latest_version("find-value"), client(site).get_version("find-value", 1), client(site).get_version("find-value"):
        same((told.schema_id, told.version, told.guid, told.schema.schema_type), (number, 1, made.guid, "AVRO"))
    same(client(site).get_versions("find-value"), [1])
    same(client(site).get_subjects_by_schema_id(number), ["find-value"])
    same([(v.subject, v.version) for v in client(site).get_schema_versions(number)], [("find-value", 1)])
    same(client(site).get_subjects(subject_prefix="find-"), ["find-value"])
    same(client(site).get_schema_types(), ["AVRO"])


def test_what_is_not_there_is_refused(site):
    ask = client(site)
    refused("an id", lambda: ask.get_schema(99999), 404, 40403, "Schema 99999 not found")
    refused("a guid", lambda: ask.get_schema_by_guid("095d71cf-1255-6b9d-5e33-0ad575b3df5e"), 404, 40403, "not found")
    refused("a subject", lambda: ask.get_latest_version("no/such"), 404, 40401, "Subject 'no/such' not found.")
    refused("a version", lambda: ask.get_version("find-value", 9), 404, 40402, "Version 9 not found.")
    refused("an unknown schema", lambda: ask.lookup_schema("find-value", avro(event(OTHER))), 404, 40403, "Schema not found")
    refused("no schema", lambda: ask.register_schema("find-value", avro('{"type":"nothing"}')), 422, 42201, "Invalid schema")


def test_names_with_slashes_and_letters_of_all_kinds(site):
    for name in "a/b", "größe %41", "a?b#c", "日本":
        client(site).register_schema(name, avro('"string"'))
        same(client(site).get_latest_version(name).subject, name)
        same(client(site).get_subjects(subject_prefix=name), [name])


def test_references_are_followed(site):
    client(site).register_schema("kind", avro('{"type":"enum","name":"py.Kind","symbols":["A"]}'))
    outer = avro(event({"name": "kind", "type": "py.Kind"}), ("py.Kind", "kind", 1))
    number = client(site).register_schema("outer-value", outer)
    told = client(site).get_version("outer-value", 1)
    same([(r.name, r.subject, r.version) for r in told.schema.references], [("py.Kind", "kind", 1)])
    same(client(site).get_referenced_by("kind", 1), [number])
    refused("what is in use", lambda: client(site).delete_version("kind", 1), 422, 42206, "One or more references exist to the schema")
    whole = text_of(client(site).get_schema(number, fmt="resolved"))
    same(whole["fields"][1]["type"]["symbols"], ["A"])
    context = SerializationContext("outer", MessageField.VALUE)
    data = AvroSerializer(client(site), outer)({"id": 1, "kind": "A"}, context)
    same(int.from_bytes(data[1:5], "big"), number)
    same(AvroDeserializer(client(site))(data, context), {"id": 1, "kind": "A"})


def test_compatibility_is_asked_for(site):
    ask = client(site)
    ask.register_schema("compat-value", avro(event()))
    ask.register_schema("compat-value", avro(event(NOTE)))
    same(ask.test_compatibility("compat-value", avro(event(NOTE))), True)
    for verbose in False, True:
        same(ask.test_compatibility("compat-value", avro(event(OTHER)), verbose=verbose), False)
        same(ask.test_compatibility("compat-value", avro(event(OTHER)), version=1, normalize=True, verbose=verbose), False)
        same(ask.test_compatibility_all_versions("compat-value", avro(event(OTHER)), verbose=verbose), False)
    same(ask.test_compatibility_all_versions("compat-value", avro(event(NOTE))), True)
    refused("an incompatible schema", lambda: ask.register_schema("compat-value", avro(event(OTHER))), 409, 409,
            'Schema being registered is incompatible with an earlier schema for subject "compat-value", details: '
            "[{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE'")
    same(ask.set_compatibility("compat-value", "none"), {"compatibility": "NONE"})
    same(ask.get_compatibility("compat-value"), "NONE")
    same(ask.register_schema_full_response("compat-value", avro(event(OTHER))).version, 3)
    same(ask.get_compatibility(), "BACKWARD")
    refused("what was not set", lambda: ask.get_compatibility("find-value"), 404, 40408)
    refused("an unknown level", lambda: ask.set_compatibility("compat-value", "SOME"), 422, 42203)


def test_configuration_is_set_and_taken_away(site):
    ask = client(site)
    owner = Metadata(None, MetadataProperties({"owner": "team"}), None)
    wanted = ServerConfig(compatibility=ConfigCompatibilityLevel.FULL, compatibility_group="major", default_metadata=owner)
    same(ask.set_config("config-value", wanted)["compatibilityGroup"], "major")
    told = ask.get_config("config-value")
    same((told.compatibility_level, told.compatibility_group, told.default_metadata.properties.properties),
         (ConfigCompatibilityLevel.FULL, "major", {"owner": "team"}))
    made = ask.register_schema_full_response("config-value", avro(event()))
    same(made.schema.metadata.properties.properties, {"owner": "team"})
    same(ask.delete_config("config-value").compatibility_level, ConfigCompatibilityLevel.FULL)
    refused("a config that is gone", lambda: ask.get_config("config-value"), 404, 40408)
    same(ask.set_config(None, ServerConfig(compatibility=ConfigCompatibilityLevel.FORWARD)), {"compatibility": "FORWARD"})
    same(client(site).get_config().compatibility_level, ConfigCompatibilityLevel.FORWARD)
    same(ask.delete_config().compatibility_level, ConfigCompatibilityLevel.FORWARD)
    same(client(site).get_config().compatibility_level, ConfigCompatibilityLevel.BACKWARD)


def test_metadata_and_rules_are_part_of_a_schema(site):
    ask = client(site)
    ask.set_config("meta-value", ServerConfig(compatibility_group="major"))
    rules = RuleSet(None, [Rule("check", "what it is for", RuleKind.CONDITION, RuleMode.WRITE, "CEL", ["PII"], None,
                                "message.id > 0", None, "NONE", False)])
    ids = []
    for major, more in ("1", []), ("2", [OTHER]):
        held = Metadata(MetadataTags({"**.id": ["PII"]}), MetadataProperties({"major": major}), ["secret"])
        ids.append(ask.register_schema("meta-value", avro(event(*more), metadata=held, rule_set=rules)))
    for number, major in zip(ids, "12"):
        told = client(site).get_latest_with_metadata("meta-value", {"major": major})
        same((told.schema_id, told.schema.metadata.tags.tags, told.schema.metadata.sensitive),
             (number, {"**.id": ["PII"]}, ["secret"]))
        rule = told.schema.rule_set.domain_rules[0]
        same((rule.name, rule.kind, rule.mode, rule.type, rule.expr), ("check", RuleKind.CONDITION, RuleMode.WRITE, "CEL", "message.id > 0"))
    refused("other metadata", lambda: ask.get_latest_with_metadata("meta-value", {"major": "3"}), 404, 40403)


def test_modes_are_set_and_obeyed(site):
    ask = client(site)
    same(ask.get_global_mode(), "READWRITE")
    same(ask.update_mode("mode-value", "READONLY"), "READONLY")
    same(ask.get_mode("mode-value"), "READONLY")
    refused("a write", lambda: ask.register_schema("mode-value", avro(event())), 422, 42205, "is in read-only mode")
    same(ask.delete_mode("mode-value"), "READONLY")
    refused("a mode that is gone", lambda: ask.get_mode("mode-value"), 404, 40409)
    same(ask.register_schema_full_response("mode-value", avro(event())).version, 1)
    refused("an import among what is there", lambda: ask.update_global_mode("IMPORT"), 422, 42205,
            "Cannot import since found existing subjects")
    same(ask.update_global_mode("READONLY"), "READONLY")
    same(ask.update_global_mode("READWRITE"), "READWRITE")


def test_versions_and_subjects_are_deleted(site):
    ask = client(site)
    for text in '"int"', '"long"', '"double"':
        ask.register_schema("gone", avro(text))
    same(ask.delete_version("gone", 1), 1)
    same((client(site).get_versions("gone"), client(site).get_versions("gone", deleted=True)), ([2, 3], [1, 2, 3]))
    same(text_of(client(site).get_version("gone", 1, deleted=True).schema), "int")
    refused("a deleted version", lambda: client(site).get_version("gone", 1), 404, 40402)
    refused("a live version", lambda: ask.delete_version("gone", 2, permanent=True), 404, 40407, "was not deleted first")
    same(ask.delete_version("gone", 1, permanent=True), 1)
    same(ask.delete_subject("gone"), [2, 3])
    same("gone" in client(site).get_subjects(), False)
    same("gone" in client(site).get_subjects(deleted=True), True)
    refused("a subject that is gone", lambda: client(site).get_versions("gone"), 404, 40401, "Subject 'gone' not found.")
    same(client(site).lookup_schema("gone", avro('"long"'), deleted=True).version, 2)
    same(client(site).register_schema_full_response("gone", avro('"long"')).version, 4)
    refused("a live subject", lambda: ask.delete_subject("gone", permanent=True), 404, 40405, "was not deleted first")
    same(ask.delete_subject("gone"), [4])
    # Version 2 went when its schema came again.
    same(ask.delete_subject("gone", permanent=True), [3, 4])
    same("gone" in client(site).get_subjects(deleted=True), False)


def test_lists_have_pages(site):
    for name in "page-1", "page-2", "page-3":
        client(site).register_schema(name, avro(event(name="Page")))
    ask = client(site)
    same(ask.get_subjects(subject_prefix="page-", offset=1, limit=1), ["page-2"])
    number = ask.get_latest_version("page-1").schema_id
    same(ask.get_subjects_by_schema_id(number, offset=1), ["page-2", "page-3"])
    same([v.subject for v in ask.get_schema_versions(number, limit=2)], ["page-1", "page-2"])


def test_forms_are_made_alike(site):
    loose = '{"name":"py.Loose","type":"record","fields":[{"type":{"type":"string"},"name":"a","x":1,"b":2}]}'
    tight = '{"type":"record","namespace":"py","name":"Loose","fields":[{"name":"a","b":2,"x":1,"type":"string"}]}'
    number = client(site).register_schema("loose-value", avro(loose), normalize_schemas=True)
    same(client(site).register_schema("loose-value", avro(tight), normalize_schemas=True), number)
    same(client(site).lookup_schema("loose-value", avro(tight), normalize_schemas=True).schema_id, number)


def test_contexts_keep_apart(site):
    number = client(site).register_schema(":.py:here", avro(event(name="Here")))
    same(".py" in client(site).get_contexts(), True)
    inside = client(site, "/contexts/.py")
    same(inside.get_latest_version("here").subject, ":.py:here")
    same(text_of(inside.get_schema(number))["name"], "Here")
    same(inside.register_schema("here", avro(event(name="Here"))), number)
    same(text_of(client(site).get_schema(number, subject_name=":.py:here"))["name"], "Here")


def test_topics_are_associated_with_subjects(site):
    def of(topic, kind="value"):
        return [(a.subject, a.resource_id, a.resource_type, a.association_type, a.frozen)
                for a in client(site).get_associations_by_resource_name(topic, "-", "topic", [kind])]

    def associate(*what):
        made = client(site).create_association(AssociationCreateOrUpdateRequest("orders", "cluster-1", "id-of-orders", "topic", [
            AssociationCreateOrUpdateInfo(*what)]))
        return made.resource_id, [(a.subject, a.association_type, a.lifecycle) for a in made.associations]
    client(site).register_schema("sales", avro(event(name="Sale")))
    same(associate("sales", "value", "WEAK"), ("id-of-orders", [("sales", "value", "WEAK")]))
    client(site).register_schema("orders-key", avro('"string"'))
    same(associate("orders-key", "key", "STRONG"), ("id-of-orders", [("orders-key", "key", "STRONG")]))
    same((of("orders"), of("orders", "key"), of("other")), ([("sales", "id-of-orders", "topic", "value", False)],
                                                             [("orders-key", "id-of-orders", "topic", "key", False)], []))
    # Whoever serializes for the topic finds its subject, without being told of it.
    context = SerializationContext("orders", MessageField.VALUE)
    data = AvroSerializer(client(site), event(name="Sale"), conf={"auto.register.schemas": False})({"id": 1}, context)
    same(framed(data), client(site).get_latest_version("sales").schema_id)
    same(AvroDeserializer(client(site))(data, context), {"id": 1})
    client(site).delete_associations("id-of-orders", "topic", ["value"])
    same((of("orders"), client(site).get_versions("sales")), ([], [1]))
    # What is bound to its topic by a strong association goes with it.
    client(site).delete_associations("id-of-orders", cascade_lifecycle=True)
    same((of("orders", "key"), "orders-key" in client(site).get_subjects()), ([], False))


# ---- serializers ----

def framed(data):
    """The id in a value."""
    same(data[0], 0)
    return int.from_bytes(data[1:5], "big")


def test_serializers_register_and_resolve(site):
    context = SerializationContext("serial", MessageField.VALUE)
    data = AvroSerializer(client(site), event())({"id": 7}, context)
    same(framed(data), client(site).get_latest_version("serial-value").schema_id)
    same(AvroDeserializer(client(site))(data, context), {"id": 7})
    same(AvroDeserializer(client(site), event(NOTE))(data, context), {"id": 7, "note": ""})
    claims.refused("what is not registered", lambda: AvroSerializer(client(site), event(NOTE), conf={"auto.register.schemas": False})(
        {"id": 8, "note": "n"}, context), SchemaRegistryError)


def test_the_newest_version_is_used(site):
    context = SerializationContext("newest", MessageField.VALUE)
    old = AvroSerializer(client(site), event())({"id": 7}, context)
    number = client(site).register_schema("newest-value", avro(event(NOTE)))
    use = {"auto.register.schemas": False, "use.latest.version": True}
    same(framed(AvroSerializer(client(site), event(), conf=use)({"id": 8, "note": "n"}, context)), number)
    same(AvroDeserializer(client(site), conf={"use.latest.version": True})(old, context), {"id": 7, "note": ""})
    held = avro(event(NOTE), metadata=Metadata(None, MetadataProperties({"stage": "test"}), None))
    number = client(site).register_schema("newest-value", held)
    use = {"auto.register.schemas": False, "use.latest.with.metadata": {"stage": "test"}}
    same(framed(AvroSerializer(client(site), event(), conf=use)({"id": 9, "note": "n"}, context)), number)


def test_forms_are_made_alike_by_serializers(site):
    context = SerializationContext("alike", MessageField.VALUE)
    forms = [json.dumps({"type": "record", "name": "py.Alike", "fields": [{"name": "id", "type": {"type": "long", **props}}]})
             for props in ({"b": 1, "a": 2}, {"a": 2, "b": 1})]
    numbers = [framed(AvroSerializer(client(site), form, conf={"normalize.schemas": True})({"id": 1}, context)) for form in forms]
    same(numbers[0], numbers[1])


def test_ids_travel_in_headers(site):
    for field, name in (MessageField.KEY, "__key_schema_id"), (MessageField.VALUE, "__value_schema_id"):
        headers = []
        context = SerializationContext("headers", field, headers)
        use = {"schema.id.serializer": library.header_schema_id_serializer}
        # One byte of schema id, and a value that is longer than an id.
        data = AvroSerializer(client(site), event(NOTE), conf=use)({"id": 7, "note": "in a header"}, context)
        told = client(site).get_latest_version(f"headers-{field}")
        same([(key, bytes(value)) for key, value in headers], [(name, b"\1" + bytes.fromhex(told.guid.replace("-", "")))])
        same(AvroDeserializer(client(site))(data, context), {"id": 7, "note": "in a header"})


def test_values_are_shared(site):
    given = registry_values.written(site, "by python")
    context = SerializationContext("shared", MessageField.VALUE)
    same(AvroDeserializer(client(site))(given, context)["note"], "by python")
    data = AvroSerializer(client(site), registry_values.EVENT)({"id": 4, "note": "by confluent-kafka"}, context)
    same(framed(data), framed(given))
    same(registry_values.read(site, data)["note"], "by confluent-kafka")


if __name__ == "__main__":
    registry_site.main(globals(), registry_site.Site())
