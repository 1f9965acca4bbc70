#!/usr/bin/python3
"""bench_registry.py -- a registry with many schemas, and many that register.

A topic with 50,000 schemas of 1 KB in 10,000 subjects is filled; then a registry starts on it: the time until it is
ready, beside that of a consumer of librdkafka's that only reads the topic; its memory, and how long lists take.  Then
registrations, by one client and by 64.  Prints one table.
"""
import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "e2e"))
sys.path.insert(0, HERE)

import bench_http  # pylint: disable=wrong-import-position
import weir_web  # pylint: disable=wrong-import-position

SUBJECTS, VERSIONS, TEXT_BYTES = 10000, 5, 1000
SINGLE = 300 # registrations, one after the other
V1 = bench_http.V1


def schema(i, name="R"):
    doc = f"The schema of number {i}. ".ljust(TEXT_BYTES - 150, "x")
    return json.dumps({"type": "record", "name": f"{name}{i}", "namespace": "weir.bench", "doc": doc,
                       "fields": [{"name": "path", "type": "string"}, {"name": "size", "type": "long"}]}, separators=(",", ":"))


def fill(web):
    """As a registry would have written it."""
    import confluent_kafka
    producer = confluent_kafka.Producer({"bootstrap.servers": web.daemon.address, "linger.ms": 20})
    number = 0
    for version in range(1, VERSIONS + 1):
        for s in range(SUBJECTS):
            number += 1
            subject = f"subject-of-the-benchmark-{s:05}-value"
            value = {"subject": subject, "version": version, "id": number, "schemaType": "AVRO", "schema": schema(number), "deleted": False}
            key = {"keytype": "SCHEMA", "subject": subject, "version": version, "magic": 1}
            producer.produce("_schemas", json.dumps(value, separators=(",", ":")), json.dumps(key, separators=(",", ":")), partition=0)
            if number % 1000 == 0:
                producer.poll(0)
    producer.flush()


def read_only(web):
    """Seconds that librdkafka takes to read the topic."""
    import confluent_kafka
    began = time.monotonic()
    consumer = confluent_kafka.Consumer({"bootstrap.servers": web.daemon.address, "group.id": "bench", "enable.partition.eof": True,
                                         "auto.offset.reset": "earliest"})
    consumer.assign([confluent_kafka.TopicPartition("_schemas", 0, 0)])
    at_end = False
    while not at_end:
        at_end = any(m.error() for m in consumer.consume(10000, 1))
    took = time.monotonic() - began
    consumer.close()
    return took


def asks(port, path, times=20):
    """Median milliseconds of a GET, and the bytes of its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    taken = []
    for _ in range(times):
        began = time.monotonic()
        connection.request("GET", path)
        answer = connection.getresponse()
        size = len(answer.read())
        assert answer.status == 200
        taken.append((time.monotonic() - began) * 1000)
    return statistics.median(taken), size


def registers(port):
    """Milliseconds of registrations of new schemas, one after the other: p50, p99."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    taken = []
    for i in range(SINGLE):
        body = json.dumps({"schema": schema(i, "Single")})
        began = time.monotonic()
        connection.request("POST", f"/subjects/single-{i}/versions", body, {"Content-Type": V1})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        taken.append((time.monotonic() - began) * 1000)
    taken.sort()
    return taken[len(taken) // 2], taken[len(taken) * 99 // 100]


def many_register(web, seconds, connections=64):
    """Registrations a second of so many clients; and what went wrong."""
    new = bench_http.kept(web, "new-schema", json.dumps({"schema": bench_http.SCHEMA}))
    said = subprocess.run(["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--latency", "-H", f"Content-Type: {V1}", "-s",
                           os.path.join(HERE, "register.lua"), f"http://127.0.0.1:{web.registry}/", "--", new, "M"],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", said)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), re.search(r"^ +99%\s+(\S+)", said, re.M)[1], bad and bad[0]


def verdict(figure, goal):
    return f"{'reached' if figure <= goal else 'MISSED'}: {figure / goal:.2f} of {goal:g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=5, help="how long the 64 clients register")
    parser.add_argument("--turns", type=int, default=3, help="how many starts")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    arguments = parser.parse_args()
    web = weir_web.Web()
    lines, failed = [], 0
    try:
        single = registers(web.registry)
        rate, p99, bad = many_register(web, arguments.seconds)
        failed += bad is not None
        lines.append(["one client registers, ms", f"{single[0]:.2f}", f"p99 {single[1]:.2f}", verdict(single[0], 3)])
        lines.append(["64 clients register, a second", f"{rate:.0f}", f"p99 {p99}", f"{'reached' if rate >= 1000 else 'MISSED'}: {rate / 1000:.2f} of 1000"])
    finally:
        web.clean()
    web = weir_web.Web()
    try:
        fill(web)
        starts, floors = [], []
        for _ in range(arguments.turns):
            for name in "registry-1", "registry-2":
                web.kill(name)
            floors.append(read_only(web))
            began = time.monotonic()
            web.start("registry-1")
            starts.append(time.monotonic() - began)
            web.start("registry-2")
        floor, start = statistics.median(floors), statistics.median(starts)
        memory = bench_http.pss_mb([web.processes["registry-1"].pid])
        subjects, size = asks(web.registry, "/subjects")
        lines.append([f"start with {SUBJECTS * VERSIONS} schemas, s", f"{start:.2f}", f"reading alone {floor:.2f}", verdict(start, 1)])
        lines.append(["memory, MB PSS", f"{memory:.1f}", f"texts {SUBJECTS * VERSIONS * TEXT_BYTES / 1e6:.0f}", verdict(memory, 100)])
        lines.append(["GET /subjects, ms", f"{subjects:.1f}", f"{size / 1e3:.0f} KB", verdict(subjects, 20)])
        before = time.monotonic()
        status, told = web.to_registry().ask("POST", "/subjects/first/versions", json.dumps({"schema": schema(1, "First")}).encode(), V1)
        assert status == 200, told
        lines.append(["the first registration after a start, ms", f"{(time.monotonic() - before) * 1000:.0f}", "", ""])
    finally:
        web.clean()
    bench_http.show(("what", "figure", "beside", "target"), lines, arguments.markdown)
    print(f"{len(lines) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
