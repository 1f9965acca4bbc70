#!/usr/bin/python3
"""http_input_test.py -- an event for each file and package of this machine over
HTTP: in by TLS in batches, out by kcat, and by a consumer group of three instances
while the proxy that serves them is killed and replaced; then as Avro, with a second
version of the schema halfway.  All compared record by record with what was sent."""

import base64
import collections
import io
import json
import shutil
import struct
import subprocess
import sys
import threading
import time

import real_input_test as real_input
import weir_web
from claims import Skip, finish, run, same, until

try:
    import avro.io
    import avro.schema
except ImportError:
    avro = None

PARTITIONS = 12
BATCH = 1000
CONNECTIONS = 4
INSTANCES = 3
TOPIC, AVRO_TOPIC, GROUP = "machine", "machine-avro", "readers"
AVRO_EVENTS = 20000
V2 = "application/vnd.kafka.v2+json"
JSON_V2 = "application/vnd.kafka.json.v2+json"
BINARY_V2 = "application/vnd.kafka.binary.v2+json"
V1 = "application/vnd.schemaregistry.v1+json"
# A member that was killed is missed soon, and one that is out of reach ends soon.
PROXY = {"consumer.session.timeout.ms": 6000, "consumer.heartbeat.interval.ms": 500, "consumer.instance.timeout.ms": 3000}


def in_threads(functions):
    """Runs them all at once; raises what one of them raised."""
    failures = []

    def guard(function):
        try:
            function()
        except BaseException as failure:  # pylint: disable=broad-except
            failures.append(failure)

    threads = [threading.Thread(target=guard, args=(f,), daemon=True) for f in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def produce(web, topic, content_type, records):
    """Sends (record, what it stands for) pairs over several connections, those of a key by one of them.

    Returns the pair of each place, which is a partition and an offset.
    """
    places, lock = {}, threading.Lock()
    shares = [[] for _ in range(CONNECTIONS)]
    for record, meaning in records:
        shares[hash(record["key"]) % CONNECTIONS].append((record, meaning))

    def send(share):
        connection = web.by_tls()
        for i in range(0, len(share), BATCH):
            batch = share[i:i + BATCH]
            status, answer = connection.ask("POST", f"/topics/{topic}", {"records": [record for record, _ in batch]}, content_type)
            same(status, 200, f"the status of {answer}")
            same(len(answer["offsets"]), len(batch), "offsets")
            with lock:
                for pair, at in zip(batch, answer["offsets"]):
                    same(at["error_code"], None, str(at))
                    same((at["partition"], at["offset"]) in places, False, f"a place that was given twice: {at}")
                    places[at["partition"], at["offset"]] = pair
        connection.close()

    in_threads([lambda share=share: send(share) for share in shares])
    return places


class Stream:
    """What goes through Weir, and what the tests found out about it."""

    def __init__(self, web):
        self.web = web
        self.sent = real_input.events()
        self.places = {}  # (partition, offset) -> (the record that was sent, its value's text)
        self.avro_places = {}  # the same, with what the value stands for

    def in_order(self):
        """The values of each key, in their order, without white space."""
        keys = collections.defaultdict(list)
        for key, value in self.sent:
            keys[key].append(compact(value))
        return keys


def compact(text):
    """JSON of Python's without the white space that it has between its tokens."""
    return json.dumps(json.loads(text), separators=(",", ":"))


# ---- in ----

def test_the_machine_has_enough_to_tell(stream):
    print(f"  {len(stream.sent)} events of {len({key for key, _ in stream.sent})} keys")
    assert len(stream.sent) >= real_input.LEAST


def test_all_goes_in_by_tls(stream):
    began = time.monotonic()
    connection = stream.web.by_tls()
    status, clusters = connection.ask("GET", "/v3/clusters")
    same(status, 200)
    cluster = clusters["data"][0]["cluster_id"]
    for topic in TOPIC, AVRO_TOPIC:
        status, answer = connection.ask("POST", f"/v3/clusters/{cluster}/topics",
                                        {"topic_name": topic, "partitions_count": PARTITIONS}, "application/json")
        same(status, 201, str(answer))
    stream.places = produce(stream.web, TOPIC, JSON_V2,
                            [({"key": key, "value": json.loads(value)}, value) for key, value in stream.sent])
    same(len(stream.places), len(stream.sent), "places")
    for partition in range(PARTITIONS):
        offsets = sorted(o for p, o in stream.places if p == partition)
        assert offsets and offsets == list(range(len(offsets))), f"partition {partition} has gaps"
    print(f"  {len(stream.sent) / (time.monotonic() - began):.0f} records a second, the client's work among it")


# ---- out by the Kafka protocol ----

def test_kcat_reads_each_as_it_was_sent_less_white_space(stream):
    out = subprocess.run(["kcat", "-b", stream.web.daemon.address, "-C", "-q", "-t", TOPIC, "-o", "beginning", "-e",
                          "-f", "%p %o %k\t%s\n"], check=True, timeout=60, stdout=subprocess.PIPE).stdout
    got = dict(real_input.parse(line) for line in out.splitlines())
    same(len(got), len(stream.places), "records")
    for place, (record, text) in stream.places.items():
        same(got[place], (json.dumps(record["key"]), compact(text)), f"the record at {place}")
    by_key = {json.loads(key): values for key, values in real_input.order_of(got).items()}
    same(by_key == stream.in_order(), True, "the values of each key, in their order")


# ---- out by HTTP ----

class Group:
    """What the instances of a group have read and committed, each partition's commits rising."""

    def __init__(self, topic):
        self.topic = topic
        self.lock = threading.Lock()
        self.read = {}  # place -> record
        self.again = 0
        self.committed = collections.defaultdict(int)  # partition -> the offset that comes next

    def floor(self):
        with self.lock:
            return dict(self.committed)

    def store(self, records, floor):
        """Takes an answer's records, none of which may lie below what was committed before it was asked for."""
        with self.lock:
            for record in records:
                partition, offset = record["partition"], record["offset"]
                assert offset >= floor.get(partition, 0), f"{partition} {offset} was committed already: {floor[partition]}"
                self.again += (partition, offset) in self.read
                same(self.read.setdefault((partition, offset), record), record, "a record that was read twice")

    def commit_done(self, offsets):
        with self.lock:
            for at in offsets:
                self.committed[at["partition"]] = max(self.committed[at["partition"]], at["offset"] + 1)


class Instance:
    """A consumer instance as a careful client has it: it stores, then commits, and makes itself anew where it is not known."""

    # What the documents tell a client to expect while a process is away or a group shares anew.
    PASSING = (502, 503, 504)

    def __init__(self, web, group, accept):
        self.web, self.group, self.accept = web, group, accept
        self.base = None
        self.process = None  # which proxy it is in
        self.answers = 0     # with records, from this process
        self.made = 0
        self.lost_commits = 0
        self.done = threading.Event()
        self._connection = web.to_proxy()

    def _ask(self, method, path, body=None, content_type=V2, accept=None):
        """An answer; None where the instance is gone, and has to be made anew."""
        status, answer = self._connection.ask(method, path, body, content_type if body is not None else None, accept)
        if status in self.PASSING:
            time.sleep(0.05)
            return None
        if status == 404:
            same(answer["error_code"], 40403, str(answer))
            self.base = None
            return None
        return status, answer

    def _make(self):
        made = self._ask("POST", f"/consumers/{GROUP}", {"format": self.accept.split(".")[-2], "auto.offset.reset": "earliest",
                                                         "auto.commit.enable": "false"})
        if made is None:
            return
        same(made[0], 200, str(made[1]))
        name = made[1]["instance_id"]
        self.base = f"/consumers/{GROUP}/instances/{name}"
        self.process = "-".join(name.removeprefix("rest-consumer-").split("-")[:2])
        self.answers = 0
        self.made += 1
        subscribed = self._ask("POST", self.base + "/subscription", {"topics": [self.group.topic]})
        if subscribed is not None:
            same(subscribed[0], 204, str(subscribed[1]))

    def _poll(self):
        floor = self.group.floor()
        got = self._ask("GET", self.base + "/records?timeout=300&max_bytes=300000", accept=self.accept)
        if got is None:
            return
        same(got[0], 200, str(got[1]))
        if not got[1]:
            return
        self.group.store(got[1], floor)
        self.answers += 1
        last = {r["partition"]: r["offset"] for r in got[1]}
        offsets = [{"topic": self.group.topic, "partition": p, "offset": o} for p, o in last.items()]
        done = self._ask("POST", self.base + "/offsets", {"offsets": offsets})
        # While the group shares anew, a commit may be too late: then the records come again, to whoever has them now.
        if done is not None and done[0] == 200:
            self.group.commit_done(offsets)
        else:
            self.lost_commits += 1
            assert done is None or done[1]["error_code"] in (50002, 50003, 40903), str(done)

    def run(self):
        while not self.done.is_set():
            try:
                if self.base is None:
                    self._make()
                else:
                    self._poll()
            except ConnectionError:
                time.sleep(0.05)  # nginx lets go of a connection that is used no more
        if self.base is not None:
            same(self._ask("DELETE", self.base)[0], 204)
        self._connection.close()


def test_a_group_reads_all_while_its_proxy_is_killed_and_replaced(stream):
    web, group = stream.web, Group(TOPIC)
    instances = [Instance(web, group, JSON_V2) for _ in range(INSTANCES)]

    def all_in(process):
        return all(i.base is not None and i.process == process and i.answers > 1 for i in instances)

    def busy(part):
        return len(group.read) > part * len(stream.places)

    def lead():
        """Kills the process that has the instances amid their work, and replaces it when the other has them."""
        try:
            until("each of the three reads", lambda: all(i.answers > 1 for i in instances))
            first = instances[0].process
            second = {"proxy-1": "proxy-2", "proxy-2": "proxy-1"}[first]
            same([i.process for i in instances], [first] * INSTANCES, "where the group's instances meet")
            until("a part is read", lambda: busy(0.1))
            web.kill(first)
            before = len(group.read)
            until("the instances are in the other process", lambda: all_in(second))
            web.start(first)
            between = len(group.read)
            until("the instances are back", lambda: all_in(first))
            until("all is read", lambda: len(group.read) >= len(stream.places), 60)
            until("all is committed", lambda: sum(group.committed.values()) == len(stream.places))
            print(f"  {before} were read by {first}, {between - before} by {second} in its place, the others by the new {first}")
        finally:
            for instance in instances:
                instance.done.set()

    in_threads([lead, *(i.run for i in instances)])
    same(sorted(group.read) == sorted(stream.places), True, "the places that were read")
    for place, (record, _) in stream.places.items():
        got = group.read[place]
        same((got["topic"], got["key"], got["value"]), (TOPIC, record["key"], record["value"]), f"the record at {place}")
    same(all(i.made >= 3 for i in instances), True, "each was made anew after the kill and after the replacement")
    print(f"  {group.again} were read again, after {sum(i.lost_commits for i in instances)} lost commits")


# ---- Avro ----

FIRST = {"type": "record", "name": "Event", "namespace": "weir.test", "fields": [
    {"name": "name", "type": "string"}, {"name": "size", "type": "long"}]}
SECOND = {**FIRST, "fields": [*FIRST["fields"], {"name": "mode", "type": ["null", "string"], "default": None}]}
THIRD = {**FIRST, "fields": [*FIRST["fields"], {"name": "owner", "type": "string"}]}


def register(connection, schema):
    return connection.ask("POST", f"/subjects/{AVRO_TOPIC}-value/versions", {"schema": json.dumps(schema)}, V1)


def encode(schema, ident, datum):
    """What Confluent's serializers write: a zero, the schema's id, the value as Avro's own library has it."""
    out = io.BytesIO()
    out.write(struct.pack(">bI", 0, ident))
    avro.io.DatumWriter(schema).write(datum, avro.io.BinaryEncoder(out))
    return out.getvalue()


def in_base64(data):
    return base64.b64encode(data).decode()


class Decoder:
    """Decodes with the schema that the registry gives for the id in front, as the newest version wants it."""

    def __init__(self, connection):
        self._connection = connection
        self._readers = {}
        status, latest = connection.ask("GET", f"/subjects/{AVRO_TOPIC}-value/versions/latest")
        same(status, 200, str(latest))
        self._newest = avro.schema.parse(latest["schema"])

    def decode(self, value):
        magic, ident = struct.unpack(">bI", value[:5])
        same(magic, 0, "the first byte")
        if ident not in self._readers:
            status, got = self._connection.ask("GET", f"/schemas/ids/{ident}")
            same(status, 200, str(got))
            self._readers[ident] = avro.io.DatumReader(avro.schema.parse(got["schema"]), self._newest)
        return self._readers[ident].read(avro.io.BinaryDecoder(io.BytesIO(value[5:])))


def avro_data(sent):
    """(key, value of the first version) for half of them, (key, value of the second) for the others."""
    for i, (key, text) in enumerate(sent):
        event = json.loads(text)
        datum = {"name": event.get("path", event.get("name")), "size": event["size"]}
        yield key, datum if i < len(sent) // 2 else {**datum, "mode": event.get("mode")}


def test_avro_goes_in_with_a_second_version_halfway(stream):
    if avro is None:
        raise Skip("python3-avro is not installed")
    connection = stream.web.by_tls()
    data = list(avro_data(stream.sent[:AVRO_EVENTS]))
    half = len(data) // 2
    idents = []
    for schema, part in (FIRST, data[:half]), (SECOND, data[half:]):
        status, answer = register(connection, schema)
        same(status, 200, str(answer))
        idents.append(answer["id"])
        parsed = avro.schema.parse(json.dumps(schema))
        records = [({"key": in_base64(key.encode()), "value": in_base64(encode(parsed, answer["id"], datum))}, datum)
                   for key, datum in part]
        stream.avro_places |= produce(stream.web, AVRO_TOPIC, BINARY_V2, records)
    same(len(stream.avro_places), len(data), "places")
    same(len(set(idents)), 2, "ids")
    same(register(connection, FIRST)[1]["id"], idents[0], "the id of a schema that is known")
    status, refusal = register(connection, THIRD)
    same((status, refusal["error_code"]), (409, 409), "a version that readers of the old one could not live with")
    same(connection.ask("GET", f"/subjects/{AVRO_TOPIC}-value/versions"), (200, [1, 2]))


def test_avro_comes_out_by_http_as_the_newest_version_has_it(stream):
    if avro is None:
        raise Skip("python3-avro is not installed")
    group = Group(AVRO_TOPIC)
    instances = [Instance(stream.web, group, BINARY_V2) for _ in range(INSTANCES)]

    def lead():
        try:
            until("all is read", lambda: len(group.read) >= len(stream.avro_places), 50)
        finally:
            for instance in instances:
                instance.done.set()

    in_threads([lead, *(i.run for i in instances)])
    same(sorted(group.read) == sorted(stream.avro_places), True, "the places that were read")
    decoder = Decoder(stream.web.to_registry())
    for place, (record, datum) in stream.avro_places.items():
        got = group.read[place]
        same((got["key"], got["value"]), (record["key"], record["value"]), f"the bytes at {place}")
        same(decoder.decode(base64.b64decode(got["value"])), {"mode": None, **datum}, f"the value at {place}")


if __name__ == "__main__":
    if shutil.which("kcat") is None:
        print("skipped http_input: kcat is not installed")
        finish(0, 0, 1)
    began_at = time.monotonic()
    whole = weir_web.Web({"group.initial.rebalance.delay.ms": 500}, proxy=PROXY)
    counts = weir_web.end(whole, *run(globals(), Stream(whole), seconds=120))
    print(f"  {time.monotonic() - began_at:.0f} s in all")
    sys.stdout.flush()
    finish(*counts)
