#!/usr/bin/python3
"""registry_writers_test.py -- several registries that all believe they write.

	registry_writers_test.py stop|kill ROUNDS [kafka]

With `kafka`, on a broker of Apache Kafka's in the place of logd; skipped where it can't be had.

Between each registry and logd stands a wire that knows when a request or an answer goes through.  At a step of a
registration, one that the round chooses, the registry behind it is stopped (SIGSTOP) or killed; what it was
about to send is sent, or kept back.  Then the others register, the first goes on, or begins anew, and whoever
asked it asks again where the answer says so.  In the end each registration that was acknowledged is
there under its id, in every process, in a fresh one, and in the topic as one sees it who knows no transactions.
"""
import collections
import json
import os
import random
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../e2e"), os.path.join(HERE, "../interop")]

import claims
import registry_site
import weir_daemon
from claims import same, until
from registry_site import segment

REGISTRIES = 3
STEPS = 14      # frames, of both directions, that a registration takes at most
ANSWER_S = 60


class Wire:
    """Between a registry and logd.  `stop_at(n, call, keep)`: calls call() at the n-th frame from now."""

    def __init__(self, port, target):
        self._target = target
        self._lock = threading.Lock()
        self._left, self._call, self._keep = None, None, False
        self._go = threading.Event()
        self._go.set()
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def stop_at(self, n, call, keep):
        with self._lock:
            self._left, self._call, self._keep = n, call, keep

    def go_on(self):
        with self._lock:
            self._left = None
        self._go.set()

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            for s in client, server:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for a, b in (client, server), (server, client):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    def _pump(self, a, b):
        source = a.makefile("rb")
        try:
            while True:
                head = source.read(4)
                if len(head) < 4:
                    break
                body = source.read(struct.unpack(">i", head)[0])
                self._step()
                b.sendall(head + body)
        except OSError:
            pass
        for s in a, b:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _step(self):
        """A frame is about to be handed on."""
        with self._lock:
            if self._left is not None:
                self._left -= 1
                if self._left == 0:
                    self._left = None
                    if self._keep:
                        self._go.clear()
                    self._call()
        self._go.wait(ANSWER_S)


class Process(registry_site.Registry):
    def __init__(self, site, number):
        super().__init__(site, number, address=f"127.0.0.1:{site.wire_ports[number]}", writes=True)
        self.number = number

    def register(self, subject, schema):
        """(id, version), or the answer that is none."""
        answer = self.write("POST", f"/subjects/{segment(subject)}/versions", {"schema": schema})
        if answer.status == 200:
            return answer.json["id"], answer.json["version"]
        return answer


def kafka_with(settings, names, port):
    """A broker of Apache Kafka's with these listeners."""
    import kafka_broker
    control = claims.free_ports(1)[0]
    return kafka_broker.Broker({
        **settings, "listeners": f"{settings['listeners']},CONTROLLER://127.0.0.1:{control}",
        "controller.quorum.voters": f"1@127.0.0.1:{control}",
        "listener.security.protocol.map": ",".join(f"{n}:PLAINTEXT" for n in ["PLAINTEXT", "CONTROLLER", *names])}, port=port)


class Site:
    def __init__(self, kafka):
        self.folder = tempfile.mkdtemp(prefix="weir-writers-")
        self.program = os.path.join(os.path.dirname(os.environ["WEIR_LOGD"]), "weir-registry")
        ports = claims.free_ports(1 + 2 * (REGISTRIES + 1))
        names = [f"R{i}" for i in range(REGISTRIES + 1)]
        inner, self.wire_ports = ports[1:2 + REGISTRIES], ports[2 + REGISTRIES:]

        def listeners(of):
            return ",".join([f"PLAINTEXT://127.0.0.1:{ports[0]}"] + [f"{n}://127.0.0.1:{p}" for n, p in zip(names, of)])
        self.address = f"127.0.0.1:{ports[0]}"
        settings = {"listeners": listeners(inner), "advertised.listeners": listeners(self.wire_ports)}
        self.daemon = kafka_with(settings, names, ports[0]) if kafka else weir_daemon.start(claims.options(settings), self.folder)
        self.wires = [Wire(w, p) for w, p in zip(self.wire_ports, inner)]
        self.processes = []
        for i in range(REGISTRIES):
            self.start(i)

    def start(self, i):
        process = Process(self, i)
        process.await_ready()
        self.processes[i:i + 1] = [process]
        return process

    def end(self):
        for p in self.processes:
            p.process.send_signal(signal.SIGCONT)
            p.stop()
        self.daemon.stop()
        self.daemon.clean()
        shutil.rmtree(self.folder, ignore_errors=True)


class Asking(threading.Thread):
    """One who registers, in a thread of its own."""

    def __init__(self, process, subject, schema):
        super().__init__(daemon=True)
        self.asked = process, subject, schema
        self.got = None
        self.start()

    def run(self):
        process, subject, schema = self.asked
        try:
            self.got = process.register(subject, schema)
        except (OSError, EOFError, KeyError) as gone:
            self.got = gone # the process was killed

    def answer(self):
        self.join(ANSWER_S)
        if self.is_alive():
            raise AssertionError(f"no answer in {ANSWER_S} s: {self.asked[1:]}")
        return self.got


def enum(name):
    return json.dumps({"type": "enum", "name": name, "symbols": ["A"]}, separators=(",", ":"))


class History:
    """What was acknowledged."""

    def __init__(self):
        self.known = {}     # (subject, schema): (id, version)
        self.refused = collections.Counter()

    def take(self, subject, schema, got):
        """Whether it was acknowledged."""
        if not isinstance(got, tuple):
            what = f"{got.json['error_code']}" if isinstance(got, registry_site.Answer) else type(got).__name__
            self.refused[what] += 1
            return False
        same(self.known.setdefault((subject, schema), got), got, f"{schema} of {subject}")
        return True

    def check(self, process):
        """All is there, and no id stands for two."""
        of_id = {}
        for (subject, schema), (number, version) in self.known.items():
            same(of_id.setdefault(number, schema), schema, f"id {number}")
            got = process.ask("POST", f"/subjects/{segment(subject)}", {"schema": schema}).json
            same((got["id"], got["version"]), (number, version), f"{schema} of {subject}")
            same(process.ask("GET", f"/schemas/ids/{number}").json["schema"], schema, f"id {number}")


def records(site, isolation):
    """The value of each key, as one sees it in the end who reads the topic."""
    return {k: v for _, k, v in registry_site.read_topic(site.address, isolation)}


def check_topic(site):
    """Whoever knows no transactions sees in the end what those see who do."""
    values = records(site, "read_committed")
    everything = records(site, "read_uncommitted")
    of_id = {}
    for key in set(values) | set(everything):
        same(everything.get(key), values.get(key), f"the value of {key}")
        value = everything.get(key)
        if value is not None and b'"SCHEMA"' in key:
            schema = json.loads(value)
            same(of_id.setdefault(schema["id"], schema["schema"]), schema["schema"], f"id {schema['id']}")


def one_round(site, history, chance, number, kill):
    order = chance.sample(range(REGISTRIES), REGISTRIES)
    first, others = site.processes[order[0]], [site.processes[i] for i in order[1:]]
    subjects = f"s{number}", chance.choice([f"s{number}", f"t{number}"])
    schema = enum(f"E{number}")
    at_step = threading.Event()

    def strike():
        first.process.send_signal(signal.SIGKILL if kill else signal.SIGSTOP)
        at_step.set()
    # As a rule it leads already.
    if chance.random() < 0.8:
        history.take(f"before{number}", enum(f"B{number}"), first.register(f"before{number}", enum(f"B{number}")))
    wire = site.wires[first.number]
    wire.stop_at(chance.randrange(1, STEPS), strike, keep=not kill and chance.random() < 0.3)
    asking = Asking(first, subjects[0], schema)
    until("the step, or the answer", lambda: at_step.is_set() or not asking.is_alive())
    for i in range(chance.randrange(3)):
        process = chance.choice(others)
        own = schema if chance.random() < 0.3 else enum(f"O{number}x{i}")
        for _ in range(4):
            if history.take(subjects[1], own, process.register(subjects[1], own)):
                break
        else:
            raise AssertionError(f"another process could not register: {process.said()[-2000:]}")
    if not kill:
        first.process.send_signal(signal.SIGCONT)
    wire.go_on()
    got = asking.answer()
    if kill and at_step.is_set():
        first.process.wait()
        first = site.start(first.number)
    # Whoever got no id asks again, as clients do, whomever.
    for _ in range(4):
        if history.take(subjects[0], schema, got):
            return
        got = chance.choice([first, *others]).register(subjects[0], schema)
    raise AssertionError(f"a retry did not work: {got}")


def main():
    mode, rounds = sys.argv[1], int(sys.argv[2])
    seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
    try:
        chance, history, site = random.Random(seed), History(), Site("kafka" in sys.argv[3:])
    except claims.Skip as reason:
        print(f"skipped registry_writers on Kafka: {reason}")
        claims.finish(0, 0, 1)
    passed = failed = 0
    try:
        # Schemas of all names may follow each other.
        same(site.processes[0].write("PUT", "/config", {"compatibility": "NONE"}).status, 200, "status")
        for i in range(rounds):
            one_round(site, history, chance, i, mode == "kill")
            passed += 1
        # Whoever writes next puts right what was left.
        history.take("last", enum("Last"), site.processes[0].register("last", enum("Last")))
        for process in [*site.processes, Process(site, REGISTRIES)]:
            if process.number == REGISTRIES:
                process.await_ready()
                site.processes.append(process)
            history.check(process)
        check_topic(site)
        passed += 1
    except AssertionError as wrong:
        failed += 1
        print(f"FAIL: seed {seed}, round {passed}: {wrong}")
        for p in site.processes:
            print("".join("  | " + line for line in p.said().splitlines(True)[-15:]))
    finally:
        site.end()
    print(f"{len(history.known)} schemas; refused and asked again: {dict(history.refused)}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
