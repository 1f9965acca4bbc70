#!/usr/bin/python3
"""fcgi_fuzz.py -- conversations by FastCGI, good and broken, with the real registry and REST proxy, at all their sockets.

	tests/fuzz/fcgi_fuzz.py SECONDS [SEED [FIRST]]

In the folder of a build, best one with sanitizers; WEIR_LOGD names the daemon that is behind the apps.  After each batch
both still answer rightly, and nothing is under way; at the end they have grown by little, have no more threads than
before, and end in order.  What breaks one is kept as fcgi-crash-SEED-FIRST, and sent again by SEED and FIRST, the number
of the conversation to begin with.
"""
import collections
import concurrent.futures
import faulthandler
import json
import os
import random
import re
import select
import socket
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]

import fcgi_requests
import fastcgi
import registry_site
import rest_site
import weir_daemon
import weir_web
from claims import finish, options, same, until
from fcgi_requests import BODY_MAX, JSON_V2, PLAIN, V1, V2

LANES = 8
BATCH = 200
CONNECTIONS = 32    # of a socket at a time, as the apps are told
ANSWER_S = 75       # the most that an answer may take
WARM = 400          # conversations after which memory is looked at
GROWTH_MB = 160     # what a process may have more after all others
STUCK = 10          # threads, or files, of clients of Kafka that do not end (see GOES), for a few that mutations make
KNOWN = '{"type":"record","name":"Known","doc":"\u00e9","fields":[{"name":"a","type":"int"}]}'
POOLS = ("requests", "writes", "consumers", "streams")
DOCUMENTED = fcgi_requests.documented()
APPS = ("registry", "rest-proxy")
# libfcgi loses memory over records of management, which nginx does not send.
SUPPRESSIONS = "leak:libfcgi.so\n"


# ---- answers ----

class Output:
    """What an app sends, looked at as it comes: .answers are those that are whole, (status, head, body) each."""

    def __init__(self):
        self.answers = []
        self._left, self._open = b"", {}

    def feed(self, data):
        self._left += data
        while len(self._left) >= fastcgi.HEAD.size:
            version, kind, request, length, padding = fastcgi.HEAD.unpack_from(self._left)
            if len(self._left) < fastcgi.HEAD.size + length + padding:
                return
            content = self._left[fastcgi.HEAD.size:fastcgi.HEAD.size + length]
            self._left = self._left[fastcgi.HEAD.size + length + padding:]
            same(version, 1, "version of a record")
            self._take(kind, request, content)

    def _take(self, kind, request, content):
        if kind == fastcgi.STDOUT:
            self._open[request] = self._open.get(request, b"") + content
        elif kind == fastcgi.END:
            same((len(content), content[4] <= 3), (8, True), f"a request's end: {content!r}")
            out = self._open.pop(request, b"")
            # Nothing is said to who asks for a role that is none.
            if out or content[4] == 0:
                self.answers.append(checked(out))
        else:
            same(kind in (fastcgi.STDERR, fastcgi.VALUES, fastcgi.UNKNOWN), True, f"a record of type {kind}: {content[:100]!r}")

    def end(self):
        """No more comes: what is not whole has at least begun as it should."""
        same(self._left[:100], b"", "half a record")
        for out in self._open.values():
            if b"\r\n\r\n" in out:
                head_of(out)


def head_of(out):
    """(status, headers) of an answer, which has no other."""
    lines = out.partition(b"\r\n\r\n")[0].split(b"\r\n")
    status = re.fullmatch(rb"Status: (\d{3}) [A-Za-z -]+", lines[0])
    same(status is not None, True, f"a status line: {lines[0][:200]!r}")
    for line in lines[1:]:
        same(bool(re.fullmatch(rb"[A-Za-z-]+: [^\x00-\x08\x0a-\x1f\x7f]*", line)), True, f"a header: {line[:200]!r}")
    headers = dict(line.split(b": ", 1) for line in lines[1:])
    same((b"X-Bad" in headers, b"X-Request-ID" in headers), (False, True), f"headers {headers}")
    same(int(status[1]) in DOCUMENTED, True, f"whether the status is documented: {out[:400]!r}")
    return int(status[1]), headers


def checked(out):
    """An answer as (status, headers, body), of the right length, JSON where it says so."""
    status, headers = head_of(out)
    body = out.partition(b"\r\n\r\n")[2]
    if b"Content-Length" in headers:
        same(len(body), int(headers[b"Content-Length"]), f"length of {out[:400]!r}")
    else:
        same(status == 204 or b"X-Accel-Buffering" in headers, True, f"an answer without a length: {out[:400]!r}")
    if b"json" in headers.get(b"Content-Type", b""):
        # A stream's answer has a document in each line.
        parsed = [json.loads(text) for text in body.split(b"\r\n") if text]
        if status >= 400:
            same(str(parsed[0]["error_code"])[:3] == str(status) or parsed[0]["error_code"] == 40001, True, f"error code: {out[:400]!r}")
    return status, headers, body


# ---- a conversation ----

class Line:
    """A connection that sends and takes what comes meanwhile."""

    def __init__(self, path):
        self.output, self.ended = Output(), False
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_S)
        self._socket.connect(path)
        self._socket.setblocking(False)

    def _wait(self, sending, seconds):
        """(whether something can be read, and be sent)."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | (select.POLLOUT if sending else 0))
        events = sum(event for _, event in poll.poll(seconds * 1000))
        return bool(events & ~select.POLLOUT), bool(events & select.POLLOUT)

    def _receive(self):
        try:
            data = self._socket.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        self.ended = not data
        self.output.feed(data)

    def send(self, data, reading):
        """All of it, or what the app takes before it closes; without reading, what there is room for."""
        while data and not self.ended:
            readable, writable = self._wait(True, ANSWER_S if reading else 0.1)
            if reading and readable:
                self._receive()
            if writable and not self.ended:
                try:
                    data = data[self._socket.send(data):]
                except BlockingIOError:
                    pass
                except ConnectionError:
                    return
            elif not readable:
                same(reading, False, f"whether the app takes something within {ANSWER_S} s, or answers")
                return

    def until(self, done):
        """Reads until done() or the end."""
        while not self.ended and not done():
            readable, _ = self._wait(False, ANSWER_S)
            same(readable, True, f"whether there is more, or an end, within {ANSWER_S} s, after {len(self.output.answers)} answers")
            self._receive()

    def finish(self):
        """Says that nothing more comes, and reads to the end."""
        if not self.ended:
            self._socket.shutdown(socket.SHUT_WR)
        self.until(lambda: False)
        self.output.end()

    def close(self):
        self._socket.close()


def converse(path, conversation):
    """The answers; raises where they are not as they should be."""
    line = Line(path)
    try:
        reading, wanted = conversation.end == "read", 0
        for turn in conversation.turns:
            send_turn(line, turn, reading)
            if not reading or not turn.answered:
                break_off(line, conversation, turn, reading)
                break
            wanted += 1
            line.until(lambda n=wanted: len(line.output.answers) >= n)
            same(len(line.output.answers), wanted, "answers")
            check_right(turn, line.output.answers[-1])
            if not (turn.right and turn.kept):
                break
        if reading:
            line.finish()
        return line.output.answers
    finally:
        line.close()


def break_off(line, conversation, turn, reading):
    """Sends all that is behind a turn that may have no answer."""
    for later in conversation.turns[conversation.turns.index(turn) + 1:]:
        send_turn(line, later, reading)


def send_turn(line, turn, reading):
    for piece in turn.pieces:
        line.send(piece, reading)


def check_right(turn, answer):
    """Good requests break nothing.

    Of 5xx there may be: too many of something; what Kafka says may be tried again, as to who commits while his group
    changes; and, as from Confluent's, what is said to who asks for records without a subscription.
    """
    status, _, body = answer
    if turn.right and status >= 500 and status != 503 and turn.right != "v2.consumers.consume":
        same(json.loads(body)["error_code"], 50003, f"what a good request ({turn.right}) gets, {body[:300]!r}: its code")


# ---- what runs ----

class Site:
    """A daemon, a registry that writes, a REST proxy, with something in them that must stay as it is."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="weir-fuzz-")
        self.program = os.path.join(os.path.dirname(os.environ["WEIR_LOGD"]), "weir-registry")
        self._set_up_sanitizers()
        self.daemon = weir_daemon.start(options({"auto.create.topics.enable": "false", "group.initial.rebalance.delay.ms": "0"}))
        self.processes, self._produced = {}, 0
        try:
            self._start()
            self._fill()
        except BaseException:
            self.clean()
            raise

    def _start(self):
        limits = {"weir.request.max.bytes": BODY_MAX, "weir.fastcgi.connections": CONNECTIONS}
        self.registry = registry_site.Registry(self, 1, *options(limits))
        self.processes["registry"] = self.registry.process
        self.registry.await_ready()
        open(os.path.join(self.folder, "proxy.conf"), "w", encoding="ascii").close()
        self.proxy = rest_site.Proxy(self.folder, 1, {
            **limits, "bootstrap.servers": self.daemon.address, "consumer.request.timeout.ms": 50,
            "consumer.instance.timeout.ms": 1500, "weir.consumer.instances.max": 20, "api.request.timeout.ms": 10000,
            "producer.topic.metadata.propagation.max.ms": 100})
        self.processes["rest-proxy"] = self.proxy.process
        place = os.path.join(self.folder, "registry-1")
        self.paths = {"registry": place + ".sock", "registry-writes": place + "-writes.sock"}
        place = os.path.join(self.folder, "proxy-1")
        self.paths.update({"requests": place + ".sock", "consumers": place + "-consumers.sock", "streams": place + "-streams.sock"})

    def _set_up_sanitizers(self):
        """Less of what was freed is held back, so that growth shows."""
        name = os.path.join(self.folder, "suppressions")
        with open(name, "w", encoding="ascii") as f:
            f.write(SUPPRESSIONS)
        os.environ["LSAN_OPTIONS"] = "suppressions=" + name
        os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=16:allocator_release_to_os_interval_ms=500"

    def ask(self, pool, method, target, body=None, content_type=""):
        """(status, body) of a request on a connection of its own."""
        peer = fastcgi.Peer(self.paths[pool], ANSWER_S)
        try:
            text = json.dumps(body).encode() if body is not None else b""
            return peer.ask(target, text, keep=False, method=method, CONTENT_TYPE=content_type, HTTP_HOST="h", REQUEST_SCHEME="http")
        finally:
            peer.close()

    def _fill(self):
        """What the control requests ask for."""
        same(self.ask("registry-writes", "POST", "/subjects/known/versions", {"schema": KNOWN}, V1)[0], 200, "a registration")
        version = json.loads(self.ask("registry", "GET", "/subjects/known/versions/1")[1])
        self.id, guid = version["id"], version["guid"]
        cluster = json.loads(self.ask("requests", "GET", "/v3/clusters")[1])["data"][0]["cluster_id"]
        for name in "known", "fuzz-1", "fuzz-2":
            made = self.ask("requests", "POST", f"/v3/clusters/{cluster}/topics", {"topic_name": name, "partitions_count": 1}, PLAIN)
            same(made[0], 201, made[1])
        self.world = fcgi_requests.World(cluster, guid)

    def check(self):
        """Both live, answer rightly, and have nothing under way."""
        for name, process in self.processes.items():
            same(process.poll(), None, f"the end of {name}")
        same(self.ask("registry", "GET", f"/schemas/ids/{self.id}/schema"), (200, KNOWN.encode()), "the known schema")
        status, body = self.ask("requests", "POST", "/topics/known", {"records": [{"value": self._produced}]}, JSON_V2)
        same((status, json.loads(body)["offsets"][0]["offset"]), (200, self._produced), "the next record's offset")
        self._produced += 1
        until("nothing is under way", self._is_idle, ANSWER_S)

    def _is_idle(self):
        """But for the request that asks."""
        for pool in "registry", "requests":
            text = self.ask(pool, "GET", "/-/metrics")[1].decode()
            gauges = re.findall(r"^weir_http_requests_under_way\{.*\} (\d+)$", text, re.M)
            if sum(map(int, gauges)) != 1:
                return False
        return True

    def routes_hit(self, app):
        text = self.ask("registry" if app == "registry" else "requests", "GET", "/-/metrics")[1].decode()
        return set(re.findall(r'^weir_http_request_seconds_count\{.*route="(.*)"\} ', text, re.M)) - {"none"}

    def check_records(self):
        """All that was produced is there, and no more."""
        settings = {"name": "c", "format": "json", "auto.offset.reset": "earliest"}

        def made():
            return self.ask("consumers", "POST", "/consumers/control", settings, V2)[0] == 200

        until("a consumer instance can be had", made, ANSWER_S)
        base = "/consumers/control/instances/c"
        partitions = {"partitions": [{"topic": "known", "partition": 0}]}
        same(self.ask("consumers", "POST", base + "/assignments", partitions, V2)[0], 204, "assignment")
        got = []

        def read():
            status, body = self.ask("consumers", "GET", base + "/records")
            same(status, 200, body)
            got.extend(json.loads(body))
            return len(got) >= self._produced

        until("all records are read", read, ANSWER_S)
        same([r["value"] for r in got], list(range(self._produced)), "the records")
        same(self.ask("consumers", "DELETE", base)[0], 204, "the instance's end")

    def threads(self, app):
        """(of the pools, others)."""
        pid, names = self.processes[app].pid, []
        for task in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as f:
                    names.append(f.read().strip())
            except OSError:
                pass  # it has ended
        of_pools = sum(name in POOLS for name in names)
        return of_pools, len(names) - of_pools

    def files(self, app):
        return len(os.listdir(f"/proc/{self.processes[app].pid}/fd"))

    def memory(self, app):
        with open(f"/proc/{self.processes[app].pid}/status", encoding="ascii") as f:
            return int(re.search(r"^VmRSS:\s+(\d+)", f.read(), re.M)[1]) // 1024

    def end(self):
        """Whether all ended in order: a list of what did not."""
        self.proxy.tell_to_stop()
        statuses = {"registry": self.registry.stop(), "rest-proxy": self.proxy.wait(), "weir-logd": self.daemon.stop()}
        said = {"registry": self.registry.said(), "rest-proxy": self.proxy.said(), "weir-logd": self.daemon.said()}
        wrong = [f"{name} ended with {status}" for name, status in statuses.items() if status != 0]
        for name, text in said.items():
            if found := re.search("Sanitizer|runtime error:", text):
                wrong.append(f"{name} said: {text[max(0, found.start() - 200):found.start() + 6000]}")
        return wrong

    clean = weir_web.Web.clean


# ---- the run ----

class Run:
    """Batches of conversations until the time is up, or something is wrong: .wrong tells what."""

    def __init__(self, site, seed, first):
        self.site, self.seed, self.first, self.next = site, seed, first, first
        self.grammar = fcgi_requests.Grammar(seed, site.world)
        self.statuses, self.wrong = collections.Counter(), []
        self._lock, self._broken = threading.Lock(), threading.Event()
        self._at_rest = {app: (site.threads(app)[1], site.files(app)) for app in APPS}
        self._warm = {}

    def _one(self, number):
        """What was wrong with it, or None; behind the first that was, no other is begun."""
        if self._broken.is_set():
            return None
        try:
            conversation = self.grammar.make(number)
            answers = converse(self.site.paths[conversation.pool], conversation)
        except Exception as why:  # pylint: disable=broad-except
            self._broken.set()
            return f"{type(why).__name__}: {why}"
        with self._lock:
            self.statuses.update(status for status, _, _ in answers)
        return None

    def batch(self, pool):
        numbers = range(self.next, self.next + BATCH)
        broken = {n: wrong for n, wrong in zip(numbers, pool.map(self._one, numbers)) if wrong is not None}
        self.wrong += [f"conversation {number}: {wrong}" for number, wrong in broken.items()]
        self.next += BATCH
        try:
            self.site.check()
        except Exception as why:  # pylint: disable=broad-except
            self.wrong.append(f"after the conversations {numbers[0]} to {numbers[-1]}: {type(why).__name__}: {why}")
        if self.wrong:
            self._keep(broken or numbers)

    def _keep(self, numbers):
        """Writes these conversations to a file, a line each."""
        with open(f"fcgi-crash-{self.seed}-{min(numbers)}", "w", encoding="ascii") as f:
            for number in numbers:
                made = self.grammar.make(number)
                f.write(json.dumps({"number": number, "socket": made.pool, "end": made.end, "hex": made.bytes().hex()}) + "\n")

    def go(self, seconds):
        until_s = time.monotonic() + seconds
        with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
            while not self.wrong and (time.monotonic() < until_s or self.next == self.first):
                self.batch(pool)
                if not self._warm and self.next - self.first >= WARM:
                    self._warm = {app: self.site.memory(app) for app in APPS}

    def check_rest(self):
        """What is there once all connections are closed, and the instances of consumers have ended."""
        self.site.check_records()
        for app in APPS:
            self._await_rest(app)
            hit, routes = self.site.routes_hit(app), {r.name for r in self.grammar.routes if r.app == app}
            grown = self.site.memory(app) - self._warm.get(app, 1 << 30)
            print(f"  {app}: {len(hit)} of {len(routes)} routes hit; {self.site.memory(app)} MB, {max(0, grown)} more than at first")
            same(sorted(routes - hit) if self.first == 0 else [], [], "routes that were not hit")
            same(grown < GROWTH_MB, True, f"whether {app} has grown by less than {GROWTH_MB} MB: it has by {grown} MB")

    def _await_rest(self, app):
        """Until it has the threads and files of the beginning; a pool keeps those that it has once had."""
        pools = 2 if app == "registry" else 3
        others, files = self._at_rest[app]
        most = (pools * CONNECTIONS, others + STUCK, files + STUCK)

        def now():
            return (*self.site.threads(app), self.site.files(app))

        try:
            until("rest", lambda: all(a <= b for a, b in zip(now(), most)), ANSWER_S)
        except AssertionError:
            same(now(), most, f"{app}'s threads of pools, others, files: at most")

    def tell(self, seconds):
        n = self.next - self.first
        counts = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        print(f"  {n} conversations, {n / seconds:.0f} a second; {sum(self.statuses.values())} answers: {counts}")


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    seconds = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 31)
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    print(f"seed {seed}", flush=True)
    faulthandler.dump_traceback_later(seconds + 240, exit=True)
    site = Site()
    try:
        run = Run(site, seed, first)
        began = time.monotonic()
        run.go(seconds)
        run.tell(time.monotonic() - began)
        try:
            if not run.wrong:
                run.check_rest()
        except AssertionError as why:
            run.wrong.append(str(why))
        run.wrong += site.end()
    finally:
        site.clean()
    if run.wrong:
        print("\n".join(f"FAIL: {wrong}" for wrong in run.wrong[:20]))
        print(f"seed {seed}: run it again with: tests/fuzz/fcgi_fuzz.py {seconds} {seed} FIRST, FIRST being a conversation's number "
              f"or {max(first, run.next - BATCH)}")
    finish(int(not run.wrong), int(bool(run.wrong)))


if __name__ == "__main__":
    main()
