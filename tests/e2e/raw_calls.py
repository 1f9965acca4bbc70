"""raw_calls -- the requests that tests at the level of the protocol send most, and what they make of the answers."""
import time
import zlib

import batches
import raw_client
from batches import record
from claims import same


def framed(records, attributes=0):
    """A batch, made now, whose one record comes as these bytes."""
    return batches.batch(records=records, attributes=attributes, ms=int(time.time() * 1000))


def batch(value, attributes=0):
    return framed(record(0, value), attributes)


def gzipped(value):
    return framed(zlib.compress(record(0, value), 1), attributes=1)


def client(daemon):
    return raw_client.Client(daemon.host, daemon.port, 60)


def make(c, name, partitions=1, configs=None):
    made = c.ask("create_topics", 7, topics=[{"name": name, "num_partitions": partitions, "replication_factor": 1, "configs": [
        {"name": n, "value": str(v)} for n, v in (configs or {}).items()]}])
    same(made["topics"][0]["error_code"], 0, "code of the creation")


def drop(c, name):
    """Lest the daemon makes all of it durable at its end."""
    same(c.ask("delete_topics", 5, topic_names=[name])["responses"][0]["error_code"], 0, "code of the deletion")


def send_produce(c, topic, numbers, acks=1, timeout_ms=600000, value=b"v", records=None):
    records = records or batch(value)
    c.send("produce", 7, acks=acks, timeout_ms=timeout_ms, topic_data=[
        {"name": topic, "partition_data": [{"index": n, "records": records} for n in numbers]}])


def outcomes(answer):
    """(code, base offset) of each partition."""
    return [(p["error_code"], p["base_offset"]) for p in answer["responses"][0]["partition_responses"]]


def receive(c, number, api, version):
    """The answer to the request of this number, where several are under way."""
    c.id, last = number, c.id
    answer = c.receive(api, version)
    c.id = last
    return answer


def ends(c, topic, *numbers):
    """Where these partitions end."""
    answer = c.ask("list_offsets", 1, replica_id=-1, topics=[
        {"name": topic, "partitions": [{"partition_index": n, "timestamp": -1} for n in numbers]}])
    return [p["offset"] for p in answer["topics"][0]["partitions"]]
