#!/usr/bin/python3
"""registry_topic_test.py -- the registry and its topic: who may write to it, who takes over from whom, and what is done
where the topic is not what it was."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import confluent_kafka

import raw_calls
import registry_site
from claims import same, until

TRUNCATED = "The registry's topic is not what was read of it: it ends before what was read of it: it was truncated, or made anew"
FOREIGN = ("Registries of Confluent's are at work on the topic, so that this one writes nothing: stop them, or set "
           "weir.take.over")


NOOP = b'{"keytype":"NOOP","magic":0}'


def good(answer):
    same(answer.status, 200, f"status of {answer}")
    return answer.json


def refused(answer, status, code, message):
    same((answer.status, answer.json), (status, {"error_code": code, "message": message}), "answer")


def metric(registry, name):
    for line in registry.ask("GET", "/-/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return int(line.split()[1])
    raise AssertionError(f"no {name}")


def start(site, number, *more, writes=True):
    registry = registry_site.Registry(site, number, *more, writes=writes)
    registry.await_ready()
    return registry


def test_as_long_as_registries_of_confluent_are_there_nothing_is_written(site):
    c = raw_calls.client(site.daemon)
    joined = c.ask("join_group", 3, group_id="schema-registry", session_timeout_ms=30000, rebalance_timeout_ms=30000, member_id="",
                   protocol_type="sr", protocols=[{"name": "v0", "metadata": b'{"host":"h","port":8081}'}])
    same(joined["error_code"], 0, "code of the join")
    for _ in range(2):
        refused(site.register("foreign", '"int"'), 500, 50004, FOREIGN)
    same(good(site.ask("GET", "/subjects")), [])
    told = start(site, 3, "-o", "weir.take.over=true")
    same(good(told.write("POST", "/subjects/told/versions", {"schema": '"int"'}))["id"], 1)
    same(told.stop(), 0)
    same(c.ask("leave_group", 2, group_id="schema-registry", member_id=joined["member_id"])["error_code"], 0, "code of the leave")
    # Those of another protocol in the group are none of ours.
    joined = c.ask("join_group", 3, group_id="schema-registry", session_timeout_ms=30000, rebalance_timeout_ms=30000, member_id="",
                   protocol_type="consumer", protocols=[{"name": "range", "metadata": b""}])
    same(joined["error_code"], 0, "code of the join")
    same(good(site.register("foreign", '"long"'))["id"], 2)
    c.ask("leave_group", 2, group_id="schema-registry", member_id=joined["member_id"])


def test_whoever_is_asked_takes_over(site):
    other = start(site, 3)
    for i, registry in enumerate([other, site.writer, other, site.writer]):
        number = good(registry.write("POST", f"/subjects/over{i}/versions", {"schema": f'{{"type":"fixed","name":"F{i}","size":1}}'}))["id"]
        same(number, 3 + i, "id")
        same(metric(registry, "weir_registry_writes"), 1, "weir_registry_writes")
    same(metric(other, "weir_registry_takeovers_total"), 2, "takeovers")
    same(other.stop(), 0)


def test_nginx_finds_the_next_where_one_is_gone(site):
    site.reader.stop()
    other = site.reader = start(site, 2)
    site.writer.kill()
    same(good(site.register("next", '"bytes"'))["version"], 1)
    same(metric(other, "weir_registry_writes"), 1)
    site.restart_writer()
    # The second goes on for a while.
    same(good(site.register("behind", '"bytes"'))["version"], 1)
    same((metric(site.writer, "weir_registry_writes"), metric(other, "weir_registry_writes")), (0, 1))


def test_what_does_not_come_back_in_time_is_known_before_the_next_write(site):
    one, other = [start(site, i, "-o", "kafkastore.timeout.ms=1500") for i in (3, 4)]
    until("one writes", lambda: one.write("POST", "/subjects/held/versions", {"schema": '"double"'}).status == 200)
    held = confluent_kafka.Producer({"bootstrap.servers": site.daemon.address, "transactional.id": "held"})
    held.init_transactions(30)
    held.begin_transaction()
    held.produce("_schemas", key=NOOP, partition=0)
    same(held.flush(30), 0)
    # Behind it readers of committed records are told nothing.  The first is written all the same, and the others are not.
    writes = [(lambda i=i, ask=ask: ask("POST", f"/subjects/held{i}/versions", {"schema": f'{{"type":"fixed","name":"H{i}","size":1}}'}))
              for i, ask in enumerate([one.write, one.write, other.write])]
    for write in writes:
        answer = write()
        same((answer.status, answer.json["error_code"]), (500, 50002), str(answer))
    held.abort_transaction(30)
    for write in writes:
        until("it is registered", lambda write=write: write().status == 200)
    told = [good(site.ask("GET", f"/subjects/held{i}/versions/1"))["id"] for i in range(3)]
    same(len(set(told)), 3, f"ids {told}")
    records = [k for _, k, _ in registry_site.read_topic(site.daemon.address, "read_uncommitted") if b'"held' in k]
    same(len(records), 4, f"records {records}")
    same((one.stop(), other.stop()), (0, 0))


def test_a_topic_that_was_made_anew_is_not_served(site):
    c = raw_calls.client(site.daemon)
    same(good(site.ask("GET", "/schemas/ids/1"))["schema"], '"int"')
    raw_calls.drop(c, "_schemas")
    raw_calls.make(c, "_schemas", configs={"cleanup.policy": "compact"})
    for registry in site.writer, site.reader:
        until("the topic is missed", lambda registry=registry: registry.ask("GET", "/subjects").status == 500)
        answer = registry.ask("GET", "/schemas/ids/1")
        same((answer.status, answer.json["error_code"]), (500, 50001))
        if answer.json["message"] not in (TRUNCATED, "The registry's topic is not what was read of it: it is not there any more"):
            raise AssertionError(answer)
        same(registry.ask("GET", "/-/ready").status, 500)
        same(registry.ask("GET", "/-/healthy").status, 200)
        answer = registry.write("POST", "/subjects/new/versions", {"schema": '"int"'})
        same((answer.status, answer.json["error_code"]), (500, 50001))
        if "action=" not in registry.said():
            raise AssertionError("its log does not say what to do")
    site.writer.stop()
    site.restart_writer()
    same(good(site.writer.write("POST", "/subjects/new/versions", {"schema": '"string"'}))["id"], 1)


def test_a_topic_that_has_gone_is_missed(site):
    same(good(site.writer.ask("GET", "/subjects")), ["new"])
    raw_calls.drop(raw_calls.client(site.daemon), "_schemas")
    until("the topic is missed", lambda: site.writer.ask("GET", "/subjects").status == 500)
    answer = site.writer.ask("GET", "/subjects")
    same((answer.json["error_code"], answer.json["message"]),
         (50001, "The registry's topic is not what was read of it: it is not there any more"))
    same(site.writer.ask("GET", "/-/ready").status, 500)
    same(site.writer.stop(), 0)
    site.restart_writer()
    same(good(site.writer.ask("GET", "/subjects")), [])


if __name__ == "__main__":
    registry_site.main(globals(), registry_site.Site("-o", "kafkastore.timeout.ms=3000"))
