"""rest_site -- a REST proxy as it is run: logd, two processes, nginx with the shipped templates.

builddir names the build's folder, srcdir the top of the tree, WEIR_LOGD the daemon.
"""
import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import weir_daemon
from claims import free_ports, options, until

TOP = os.environ.get("srcdir") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(os.path.abspath(os.environ.get("builddir", ".")), "weir-rest-proxy")

V2 = "application/vnd.kafka.v2+json"
BINARY = "application/vnd.kafka.binary.v2+json"
JSON = "application/vnd.kafka.json.v2+json"
PLAIN = "application/json"


def base64_of(data):
    return base64.b64encode(data).decode()


class Log:
    """A logd that can be killed and comes back at the same port, with the same data."""

    def __init__(self, settings=None):
        self.folder = tempfile.mkdtemp(prefix="weir-rest-log-")
        self.settings = {"listeners": f"PLAINTEXT://127.0.0.1:{free_ports(1)[0]}", **(settings or {})}
        self.daemon = None
        self.start()

    def start(self):
        self.daemon = weir_daemon.start(options(self.settings), self.folder)

    @property
    def address(self):
        return self.daemon.address

    def end(self):
        """Its exit status."""
        status = self.daemon.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        return status


class Proxy:
    """One process of the REST proxy."""

    def __init__(self, folder, number, settings):
        self.log = os.path.join(folder, f"proxy-{number}.log")
        self.arguments = [PROGRAM, "-c", os.path.join(folder, "proxy.conf"),
                          *options({"weir.fastcgi.socket": os.path.join(folder, f"proxy-{number}"), **settings})]
        self.process = None
        self.start()

    def start(self):
        read_end, write_end = os.pipe()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*self.arguments, "--ready-fd", str(write_end)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, pass_fds=(write_end,))
        os.close(write_end)
        # The pipe ends with the process, so this ends whatever happens.
        with os.fdopen(read_end) as pipe:
            if pipe.readline() != "ready\n":
                sys.exit("weir-rest-proxy did not start; it said:\n" + self.said())

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def tell_to_stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds=40):
        """Its exit status."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Site:
    """Two proxies behind nginx; .port is where they answer."""

    def __init__(self, address, settings=None, nginx=()):
        self.folder = tempfile.mkdtemp(prefix="weir-rest-")
        os.chmod(self.folder, 0o755)
        open(os.path.join(self.folder, "proxy.conf"), "w").close()
        registry, self.port, self.tls_port = free_ports(3)
        self._certificate()
        subprocess.run([os.path.join(TOP, "nginx-conf/fill"), os.path.join(self.folder, "nginx"), f"RUN={self.folder}",
                        f"REGISTRY_LISTEN=127.0.0.1:{registry}", f"PROXY_LISTEN=127.0.0.1:{self.port}",
                        f"TLS_LISTEN=127.0.0.1:{self.tls_port}", f"CERTIFICATE={self.folder}/weir.crt",
                        f"CERTIFICATE_KEY={self.folder}/weir.key", *nginx], check=True)
        self.proxies = [Proxy(self.folder, n, {"bootstrap.servers": address, **(settings or {})}) for n in (1, 2)]
        self.nginx_log = os.path.join(self.folder, "nginx.log")
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        with open(self.nginx_log, "ab") as log:
            self.nginx = subprocess.Popen([program, "-e", "stderr", "-p", self.folder, "-c", os.path.join(self.folder, "nginx/nginx.conf"),
                                           *(("-g", "user root;") if os.getuid() == 0 else ())],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until("nginx answers", self.answers)

    def _certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout", f"{self.folder}/weir.key", "-out", f"{self.folder}/weir.crt"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers(self):
        with contextlib.suppress(OSError):
            return self.ask("GET", "/")[0] == 200
        return False

    def connect(self, seconds=75):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)

    # pylint: disable-next=too-many-arguments,too-many-positional-arguments
    def ask(self, method, path, body=None, content=V2, accept=None, seconds=75, connection=None):
        """(status, what the JSON of the answer is, headers); a body that is no text is made JSON."""
        c = connection or self.connect(seconds)
        headers = {}
        if accept is not None:
            headers["Accept"] = accept
        if body is not None:
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
            if content is not None:
                headers["Content-Type"] = content
        try:
            c.request(method, path, body, headers)
            answer = c.getresponse()
            data = answer.read()
        finally:
            if connection is None:
                c.close()
        try:
            got = json.loads(data) if data else None
        except ValueError:
            got = data
        return answer.status, got, answer.headers

    def produce(self, topic, records, content=JSON, **more):
        return self.ask("POST", f"/topics/{topic}", {"records": records}, content, **more)

    def cluster(self):
        return self.ask("GET", "/v3/clusters")[1]["data"][0]["cluster_id"]

    def create_topic(self, name, partitions=1, **configs):
        body = {"topic_name": name, "partitions_count": partitions,
                "configs": [{"name": k.replace("_", "."), "value": str(v)} for k, v in configs.items()]}
        status, got, _ = self.ask("POST", f"/v3/clusters/{self.cluster()}/topics", body, PLAIN)
        assert status == 201, (status, got)

    def end(self):
        """(exit statuses of the processes, what they said)."""
        self.nginx.terminate()
        self.nginx.wait(30)
        for p in self.proxies:
            p.tell_to_stop()
        statuses = [p.wait() for p in self.proxies]
        said = "".join(p.said() for p in self.proxies)
        with open(self.nginx_log, errors="replace") as f:
            said += f.read()
        shutil.rmtree(self.folder, ignore_errors=True)
        return statuses, said


class Instance:
    """A consumer instance, by its URL's path."""

    # pylint: disable-next=too-many-arguments
    def __init__(self, site, group, *, name=None, kind="json", reset="earliest", **options_):
        self.site, self.group = site, group
        self.accept = {"json": JSON, "binary": BINARY}[kind]
        body = {"format": kind, "auto.offset.reset": reset, **options_}
        if name is not None:
            body["name"] = name
        status, got, _ = site.ask("POST", f"/consumers/{group}", body)
        assert status == 200, (status, got)
        self.name = got["instance_id"]
        self.uri = got["base_uri"]
        self.path = "/" + self.uri.split("/", 3)[3]

    def ask(self, method, what="", body=None, **more):
        return self.site.ask(method, self.path + what, body, **more)

    def subscribe(self, *topics, pattern=None):
        body = {"topic_pattern": pattern} if pattern else {"topics": topics}
        return self.ask("POST", "/subscription", body)[0]

    def assign(self, topic, *partitions):
        return self.ask("POST", "/assignments", {"partitions": [{"topic": topic, "partition": p} for p in partitions]})[0]

    def records(self, query=""):
        status, got, _ = self.ask("GET", "/records" + query, accept=self.accept)
        assert status == 200, (status, got)
        return got

    def collect(self, n, seconds=30):
        """At least n records, by as many calls as that takes."""
        got = []
        until(f"{n} records", lambda: got.extend(self.records("?timeout=500")) or len(got) >= n, seconds)
        return got

    def assignment(self):
        return [(p["topic"], p["partition"]) for p in self.ask("GET", "/assignments")[1]["partitions"]]

    def commit(self, *offsets):
        body = {"offsets": [{"topic": t, "partition": p, "offset": o} for t, p, o in offsets]} if offsets else None
        return self.ask("POST", "/offsets", body)[:2]

    def committed(self, topic, *partitions):
        status, got, _ = self.ask("GET", "/offsets", {"partitions": [{"topic": topic, "partition": p} for p in partitions]})
        assert status == 200, (status, got)
        return {o["partition"]: o["offset"] for o in got["offsets"]}

    def seek(self, what, topic, *partitions):
        return self.ask("POST", "/positions/" + what, {"partitions": [{"topic": topic, "partition": p} for p in partitions]})[0]

    def delete(self):
        return self.ask("DELETE")[0]
