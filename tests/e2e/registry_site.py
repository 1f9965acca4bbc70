"""A registry of a test's own: logd, a registry process that writes, one that reads, and nginx before them.

nginx has the configuration that is shipped, filled by nginx-conf/fill, on free ports; all lies in a folder
that end() removes.  Every answer is compared with the OpenAPI document (openapi.py).
"""
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

import claims
import fastcgi
import openapi
import weir_daemon
from claims import free_ports

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
JSON = "application/vnd.schemaregistry.v1+json"


class Answer:
    """status, headers, body (bytes); .json is the body as a value."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body.decode(errors='replace')}"


def segment(text):
    """A part of a path."""
    return urllib.parse.quote(text, safe="")


def body_of(body):
    return body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)


def fcgi_ask(path, method, target, body=b""):
    """One process, past nginx."""
    peer = fastcgi.Peer(path, 30)
    try:
        peer.send(target, body, keep=False, method=method)
        head, _, rest = peer.output().partition(b"\r\n\r\n")
    finally:
        peer.close()
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    return Answer(int(fields["Status"].split()[0]), fields, rest)


# ---- what runs ----

class Registry:
    """A running weir-registry."""

    def __init__(self, site, number, *more, address=None, writes=None):
        place = os.path.join(site.folder, f"registry-{number}")
        self.socket = f"{place}.sock"
        self.log = os.path.join(site.folder, f"registry-{number}.log")
        writes = number == 1 if writes is None else writes
        options = {"bootstrap.servers": address or site.daemon.address, "weir.fastcgi.socket": place,
                   "leader.eligibility": "true" if writes else "false"}
        words = [w for n, v in options.items() for w in ("-o", f"{n}={v}")]
        read_end, write_end = os.pipe()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([site.program, *words, *more, "--ready-fd", str(write_end)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(write_end,))
        os.close(write_end)
        self._pipe = os.fdopen(read_end)

    def await_ready(self):
        with self._pipe as pipe:
            if pipe.readline() != "ready\n":
                raise RuntimeError("weir-registry did not start; it said:\n" + self.said())

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def ask(self, method, target, body=None):
        """This process, past nginx."""
        return self._ask(self.socket, method, target, body)

    def write(self, method, target, body=None):
        """What nginx hands on to the process that writes, handed to this one."""
        return self._ask(self.socket.replace(".sock", "-writes.sock"), method, target, body)

    @staticmethod
    def _ask(path, method, target, body):
        body = body_of(body)
        answer = fcgi_ask(path, method, target, body.encode() if isinstance(body, str) else body or b"")
        return openapi.check(method, target, answer)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it in order; its status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


class Site:
    """.port is the registry's; .writer and .reader are its processes; .daemon is logd."""
    both_write = False
    nginx_values = () # more for nginx-conf/fill

    def __init__(self, *more):
        self.folder = tempfile.mkdtemp(prefix="weir-registry-")
        os.chmod(self.folder, 0o755)
        self.more = more
        self.program = os.path.join(os.path.dirname(os.environ["WEIR_LOGD"]), "weir-registry")
        self.daemon = weir_daemon.start(folder=self.folder)
        self.prepare()
        self.port, self.proxy_port, self.tls_port = free_ports(3)
        self.writer, self.reader = Registry(self, 1, *more), Registry(self, 2, *more, writes=self.both_write)
        self.writer.await_ready()
        self.reader.await_ready()
        self.nginx = None
        self.start_nginx()

    def prepare(self):
        """What is to be there before the processes start; for subclasses."""

    def start_nginx(self):
        conf = os.path.join(self.folder, "nginx")
        key, certificate = os.path.join(self.folder, "tls.key"), os.path.join(self.folder, "tls.crt")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=localhost", "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
        subprocess.run([os.path.join(TOP, "nginx-conf/fill"), conf, f"RUN={self.folder}",
                        f"REGISTRY_LISTEN=127.0.0.1:{self.port}", f"PROXY_LISTEN=127.0.0.1:{self.proxy_port}",
                        f"TLS_LISTEN=127.0.0.1:{self.tls_port}", f"CERTIFICATE={certificate}", f"CERTIFICATE_KEY={key}",
                        *self.nginx_values],
                       check=True)
        user = ["-g", "user root;"] if os.getuid() == 0 else []
        with open(os.path.join(self.folder, "nginx.log"), "ab") as log:
            self.nginx = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-e", "stderr", "-p", self.folder,
                                           "-c", os.path.join(conf, "nginx.conf"), *user],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + 20
        while not self.is_up():
            if self.nginx.poll() is not None or time.monotonic() > until:
                with open(os.path.join(self.folder, "nginx.log"), errors="replace") as log:
                    sys.exit("nginx did not start; it said:\n" + log.read())
            time.sleep(0.02)

    def kill_nginx(self):
        """With its workers: a master that is killed leaves them."""
        with open(f"/proc/{self.nginx.pid}/task/{self.nginx.pid}/children") as f:
            workers = [int(pid) for pid in f.read().split()]
        for pid in (self.nginx.pid, *workers):
            os.kill(pid, signal.SIGKILL)
        self.nginx.wait()

    def is_up(self):
        with contextlib.suppress(OSError):
            return self.ask("GET", "/-/ready").status == 200
        return False

    def ask(self, method, target, body=None, headers=None, seconds=30):
        """Through nginx; a body that is neither text nor bytes becomes JSON."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            body = body_of(body)
            given = {} if body is None else {"Content-Type": JSON}
            c.request(method, target, body, {**given, **(headers or {})})
            answer = c.getresponse()
            return openapi.check(method, target, Answer(answer.status, answer.headers, answer.read()))
        finally:
            c.close()

    def register(self, subject, schema, query="", **more):
        return self.ask("POST", f"/subjects/{segment(subject)}/versions{query}", {"schema": schema, **more})

    def restart_writer(self):
        self.writer = Registry(self, 1, *self.more)
        self.writer.await_ready()

    def restart_daemon(self):
        """At the port that it had."""
        self.daemon = weir_daemon.start(["-o", f"listeners=PLAINTEXT://{self.daemon.address}"], self.folder)

    def end(self):
        """Whether all ended in order: a list of what did not."""
        wrong = []
        self.nginx.terminate()
        if self.nginx.wait(30) != 0:
            wrong.append("nginx")
        for registry in self.writer, self.reader:
            if registry.stop() != 0:
                wrong.append(f"a registry; its log ends: {registry.said()[-3000:]}")
        if self.daemon.stop() != 0:
            wrong.append("weir-logd")
        shutil.rmtree(self.folder, ignore_errors=True)
        return wrong


def read_topic(address, isolation):
    """Every record of the registries' topic: (offset, key, value) in bytes."""
    import confluent_kafka
    c = confluent_kafka.Consumer({"bootstrap.servers": address, "group.id": "look", "isolation.level": isolation,
                                  "enable.partition.eof": True, "auto.offset.reset": "earliest"})
    c.assign([confluent_kafka.TopicPartition("_schemas", 0, 0)])
    records = []
    while True:
        m = c.poll(30)
        if m is None:
            raise AssertionError("the topic can't be read")
        if m.error():
            break
        records.append((m.offset(), m.key(), m.value()))
    c.close()
    return records


def main(names, site, seconds=60):
    """A whole program: all tests of the module at the site, its end, the last line."""
    passed, failed, skipped = claims.run(names, site, seconds=seconds)
    for what in site.end():
        failed += 1
        print(f"FAIL: end_in_order: {what}")
    claims.finish(passed, failed, skipped)
