#!/usr/bin/python3
"""bench_http.py -- Weir over HTTP beside a trivial FastCGI program.

For each row, two sites with the same nginx configuration take turns: Weir's, and one
whose sockets belong to the trivial program, which answers as many bytes.  wrk asks
both the same.  Prints rates, processor time per request by process, and memory.
"""

import argparse
import collections
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "e2e"))

import claims  # pylint: disable=wrong-import-position
import weir_web  # pylint: disable=wrong-import-position

TRIVIAL = os.path.join(os.environ.get("builddir", "."), "tests/bench/http/trivial")
THREADS = 96  # as many as the apps may have (weir.fastcgi.connections)
CONNECTIONS = 32
CONSUMERS = 4
RECORDS = 200000  # that consumers find
SETTLE_S = 0.3
TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")
V2 = "application/vnd.kafka.v2+json"
JSON_V2 = "application/vnd.kafka.json.v2+json"
V1 = "application/vnd.schemaregistry.v1+json"
ACKS_1 = {"producer.acks": 1}


# ---- what processes take ----

def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(child) for child in f.read().split()]


def cpu_us(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total * TICK_US


def pss_mb(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1])
    return total * 1024 / 1e6


# ---- the two sites ----

class Trivial:
    """nginx with the shipped templates, and the trivial program at each of the sockets."""

    def __init__(self, like, answer_bytes):
        self.folder = tempfile.mkdtemp(prefix="weir-bench-")
        self.processes = []
        for name in ("registry-1", "registry-1-writes", "registry-2", "proxy-1", "proxy-2", "proxy-1-consumers", "proxy-2-consumers"):
            self.processes.append(subprocess.Popen([TRIVIAL, f"{self.folder}/{name}.sock", str(THREADS), str(answer_bytes)]))
        # Only the folder of the sockets and the ports are others.
        self.registry, self.proxy, tls = claims.free_ports(3)
        conf = os.path.join(self.folder, "nginx")
        subprocess.run([os.path.join(weir_web.TOP, "nginx-conf", "fill"), conf, f"RUN={self.folder}",
                        f"REGISTRY_LISTEN=127.0.0.1:{self.registry}", f"PROXY_LISTEN=127.0.0.1:{self.proxy}",
                        f"TLS_LISTEN=127.0.0.1:{tls}", f"CERTIFICATE={like.certificate}",
                        f"CERTIFICATE_KEY={like.folder}/weir.key"], check=True)
        self.nginx = subprocess.Popen([weir_web.program_of("nginx"), "-e", "stderr", "-p", self.folder, "-c", conf + "/nginx.conf",
                                       *(["-g", "user root;"] if os.geteuid() == 0 else [])], stderr=subprocess.DEVNULL)
        time.sleep(SETTLE_S)

    def pids(self):
        return {"nginx": [self.nginx.pid, *children(self.nginx.pid)], "app": [p.pid for p in self.processes]}

    def end(self):
        self.nginx.terminate()
        self.nginx.wait()
        for process in self.processes:
            process.kill()
            process.wait()
        shutil.rmtree(self.folder)


def pids_of(web):
    nginx = web.processes["nginx"].pid
    return {"nginx": [nginx, *children(nginx)], "logd": [web.daemon.process.pid],
            "app": [web.processes[name].pid for name in weir_web.APPS]}


# ---- a row ----

class Row:
    """A kind of request: where it goes, wrk's script and its arguments, headers, and the target."""

    def __init__(self, name, port, path, script=None, arguments=(), headers=(), unit=1, target=None, connections=CONNECTIONS,
                 threads=2):
        self.name, self.port, self.path, self.script, self.headers = name, port, path, script, headers
        self.arguments = arguments
        self.unit, self.target = unit, target
        self.connections, self.threads = connections, threads


class Sum:
    """What came out of the turns of a row on one site."""

    def __init__(self):
        self.requests = self.seconds = self.bad = 0
        self.cpu = collections.Counter()
        self.latency = []
        self.pss = {}

    def rate(self):
        return self.requests / self.seconds

    def us(self, who):
        return self.cpu[who] / self.requests

    def us_all(self):
        """Of what serves, without wrk."""
        return sum(self.cpu.values()) / self.requests


def drive(row, site, pids, seconds, turn, into):
    """wrk for so many seconds."""
    port = site.proxy if row.port == "proxy" else site.registry
    command = ["wrk", f"-t{row.threads}", f"-c{row.connections}", f"-d{seconds}s", "--latency",
               *(word for header in row.headers for word in ("-H", header)),
               *(["-s", os.path.join(HERE, row.script)] if row.script else []), f"http://127.0.0.1:{port}{row.path}",
               "--", *(a.replace("@TURN@", str(turn)) for a in row.arguments)]
    before = {who: cpu_us(them) for who, them in pids.items()}
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    for who, them in pids.items():
        into.cpu[who] += cpu_us(them) - before[who]
        into.pss[who] = pss_mb(them)
    count, took, unit = re.search(r"(\d+) requests in ([\d.]+)(m?s)", said).groups()
    into.requests += int(count)
    into.seconds += float(took) * (0.001 if unit == "ms" else 1)
    into.latency.append([re.search(rf"^ +{p}%\s+(\S+)", said, re.M)[1] for p in (50, 99)])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", said)
    if bad:
        into.bad += 1
        print(f"  {row.name}: {bad[0]}", file=sys.stderr)


def measure(row, web, size, turns, seconds):
    """The row on both sites, in turns; returns (Weir's, the trivial program's)."""
    trivial = Trivial(web, size)
    sums = Sum(), Sum()
    try:
        drive(row, web, pids_of(web), 1, "warm", Sum())
        for turn in range(turns):
            drive(row, web, pids_of(web), seconds, turn, sums[0])
            drive(row, trivial, trivial.pids(), seconds, turn, sums[1])
    finally:
        trivial.end()
    return sums


# ---- the rows ----

SCHEMA = json.dumps({"type": "record", "name": "@NEW@", "namespace": "weir.bench", "doc": "A file of this machine, as it was found.",
                     "fields": [{"name": "path", "type": "string"}, {"name": "size", "type": "long"}, {"name": "modified", "type": "double"},
                                {"name": "mode", "type": ["null", "string"], "default": None},
                                {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["FILE", "FOLDER", "LINK", "OTHER"]}},
                                {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []}]})


def record(i):
    return {"value": {"id": i, "name": f"event-{i}", "size": i * 17}}


def kept(web, name, data):
    """The path of a file with this in it."""
    path = os.path.join(web.folder, name)
    with open(path, "w") as f:
        f.write(data)
    return path


def body_bytes(web, port, method, path, body=None, content_type=None):
    """How many bytes the answer to this has."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path, body, {"Content-Type": content_type} if content_type else {})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, text
    return len(text)


def produce_rows(web, acks, target):
    for count in 1, 100:
        body = json.dumps({"records": [record(i) for i in range(count)]})
        size = body_bytes(web, web.proxy, "POST", "/topics/bench", body, JSON_V2)
        goal = target if count == 1 else ("records/s", 300000)
        yield Row(f"produce, {count} record{'s'[:count - 1]}, acks={acks}", "proxy", "/topics/bench", "post.lua",
                  [kept(web, f"produce-{count}", body)], [f"Content-Type: {JSON_V2}"], count, goal), size


def consume_rows(web):
    connection = web.to_proxy()
    for i in range(0, RECORDS, 10000):
        connection.ask("POST", "/topics/bench-read", {"records": [record(i + n) for n in range(10000)]}, JSON_V2)
    paths = []
    for i in range(CONSUMERS):
        status, made = connection.ask("POST", f"/consumers/bench-{i}", {"format": "json", "auto.offset.reset": "earliest",
                                                                      "auto.commit.enable": "false"}, V2)
        assert status == 200, made
        base = "/consumers" + made["base_uri"].partition("/consumers")[2]
        connection.ask("POST", base + "/subscription", {"topics": ["bench-read"]}, V2)
        answer = []
        while not answer:
            status, answer = connection.ask("GET", base + "/records?timeout=1000&max_bytes=100000", accept=JSON_V2)
        paths.append(base)
    size = len(json.dumps(answer, separators=(",", ":")))
    back = json.dumps({"partitions": [{"topic": "bench-read", "partition": 0}]})
    yield Row(f"consume, {len(answer)} records", "proxy", "/", "consume.lua", [back, *paths], [f"Accept: {JSON_V2}"], len(answer),
              connections=CONSUMERS, threads=CONSUMERS), size


def registry_rows(web):
    versions = "/subjects/bench-value/versions"
    body = json.dumps({"schema": SCHEMA.replace("@NEW@", "File")})
    size = body_bytes(web, web.registry, "POST", versions, body, V1)
    ident = web.to_registry().ask("POST", versions, body.encode(), V1)[1]["id"]
    by_id = f"/schemas/ids/{ident}"
    yield Row("schema by id", "registry", by_id, target=("of trivial", 0.85)), body_bytes(web, web.registry, "GET", by_id)
    yield Row("latest version", "registry", versions + "/latest"), body_bytes(web, web.registry, "GET", versions + "/latest")
    header = [f"Content-Type: {V1}"]
    yield Row("register, known", "registry", versions, "post.lua", [kept(web, "schema", body)], header, target=("of trivial", 0.6)), size
    new = kept(web, "new-schema", json.dumps({"schema": SCHEMA}))
    yield Row("register, new", "registry", "/", "register.lua", [new, "T@TURN@_"], header), size


# ---- tables ----

HEADS = ("row", "requests/s", "records/s", "of trivial", "p50", "p99", "nginx us", "app us", "logd us", "all us", "of trivial us",
         "app MB", "target")


def judge(row, mine, theirs):
    if row.target is None:
        return ""
    kind, goal = row.target
    figure = mine.rate() / theirs.rate() if kind == "of trivial" else mine.rate() * row.unit
    return f"{'reached' if figure >= goal else 'MISSED'}: {figure / goal:.2f} of {goal} {kind}"


def cells(row, mine, theirs):
    yield [row.name, f"{mine.rate():.0f}", f"{mine.rate() * row.unit:.0f}" if row.port == "proxy" else "",
           f"{mine.rate() / theirs.rate():.2f}", *mine.latency[-1], f"{mine.us('nginx'):.0f}", f"{mine.us('app'):.0f}",
           f"{mine.us('logd'):.0f}", f"{mine.us_all():.0f}", f"{mine.us_all() / theirs.us_all():.2f}", f"{mine.pss['app']:.1f}",
           judge(row, mine, theirs)]
    yield ["... trivial", f"{theirs.rate():.0f}", "", "1", *theirs.latency[-1], f"{theirs.us('nginx'):.0f}",
           f"{theirs.us('app'):.0f}", "", f"{theirs.us_all():.0f}", "1", f"{theirs.pss['app']:.1f}", ""]


def show(heads, lines, markdown):
    widths = [max(len(line[i]) for line in [heads, *lines]) for i in range(len(heads))]
    for i, line in enumerate([heads, *lines]):
        padded = [c.ljust(w) if n in (0, len(heads) - 1) else c.rjust(w) for n, (c, w) in enumerate(zip(line, widths))]
        print(("| " + " | ".join(padded) + " |") if markdown else "  ".join(padded))
        if markdown and i == 0:
            print("|" + "|".join("---" if n in (0, len(heads) - 1) else "--:" for n in range(len(heads))) + "|")
    sys.stdout.flush()


def idle(markdown):
    """The whole platform, when nothing has happened for a while."""
    web = weir_web.Web()
    try:
        time.sleep(2)
        all_of = {name: [pid] for name, pid in web.pids().items()}
        all_of["nginx"] += children(all_of["nginx"][0])
        lines = [[name, f"{pss_mb(pids):.1f}"] for name, pids in all_of.items()]
        total = sum(pss_mb(pids) for pids in all_of.values())
    finally:
        web.clean()
    verdict = "reached" if total < 60 else "MISSED"
    show(["idle", "PSS MB"], [*lines, [f"all; {verdict}: {total / 60:.2f} of 60 MB", f"{total:.1f}"]], markdown)


GROUPS = {
    "acks=1": (ACKS_1, lambda web: produce_rows(web, "1", ("of trivial", 0.5))),
    "acks=all": ({}, lambda web: produce_rows(web, "all", ("of trivial", 0.42))),
    "consume": ({}, consume_rows),
    "registry": ({}, registry_rows),
}


def run_group(name, arguments):
    """Its lines; a web of its own, so that no row meets what others have left."""
    settings, rows = GROUPS[name]
    web = weir_web.Web(proxy=settings)
    lines, failed = [], 0
    try:
        for row, size in rows(web):
            mine, theirs = measure(row, web, size, arguments.turns, arguments.seconds)
            failed += mine.bad > 0
            lines += cells(row, mine, theirs)
            print(f"  {row.name}: {mine.rate():.0f}/s beside {theirs.rate():.0f}/s", file=sys.stderr)
    finally:
        web.clean()
    return lines, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=4, help="how long a turn takes")
    parser.add_argument("--turns", type=int, default=3, help="how many turns each site has")
    parser.add_argument("--markdown", action="store_true", help="print tables as Markdown")
    parser.add_argument("group", nargs="*", help=f"one of {', '.join([*GROUPS, 'idle'])}; without one, all")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: it asks the questions")
    lines, failed = [], 0
    for name in GROUPS:
        if not arguments.group or name in arguments.group:
            more, bad = run_group(name, arguments)
            lines += more
            failed += bad
    if lines:
        show(HEADS, lines, arguments.markdown)
    if not arguments.group or "idle" in arguments.group:
        print()
        idle(arguments.markdown)
    print(f"{len(lines) // 2 - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
