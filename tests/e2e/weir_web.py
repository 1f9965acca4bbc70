"""The whole of Weir as ./start runs it: weir-logd, two registries of which the first
writes, two REST proxies, and nginx with the shipped templates; on free ports, in a
folder of its own.

WEIR_LOGD names the log daemon; the programs of the web tier lie beside it.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile

import weir_daemon
from claims import free_ports, options, until

TOP = os.path.abspath(os.environ.get("srcdir", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")))
STOP_S = 30
APPS = ("registry-1", "registry-2", "proxy-1", "proxy-2")


def program_of(name):
    """nginx lies where other users than root do not look."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin") or name


class Connection:
    """A kept connection of a client that reads and writes JSON; remakes it where the server has let go of it."""

    def __init__(self, web, port, tls=False, seconds=60):
        self.port = port
        if tls:
            self._http = http.client.HTTPSConnection("localhost", port, timeout=seconds, context=web.trust())
        else:
            self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)

    def ask(self, method, target, body=None, content_type=None, accept=None, headers=None):
        """(status, answer): body is JSON to be, or bytes; answers that are no JSON are their text, none is None."""
        sent = dict(headers or {})
        if content_type is not None:
            sent["Content-Type"] = content_type
        if accept is not None:
            sent["Accept"] = accept
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        try:
            self._http.request(method, target, body, sent)
            answer = self._http.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as failure:
            # What is half said must not be taken for the next answer.
            self._http.close()
            if isinstance(failure, http.client.IncompleteRead):
                raise ConnectionError("the connection was lost amid an answer") from failure
            raise
        if text and "json" in answer.headers.get("Content-Type", ""):
            return answer.status, json.loads(text)
        return answer.status, text or None

    def close(self):
        self._http.close()


class Web:
    """What runs: .daemon, .registry, .proxy and .tls (ports), .certificate, .processes by name."""

    def __init__(self, settings=None, registry=None, proxy=None, values=None):
        """Settings of the daemon and of both kinds of apps, by name; more values for nginx-conf/fill."""
        self.folder = tempfile.mkdtemp(prefix="weir-web-")
        self.registry, self.proxy, self.tls = free_ports(3)
        self.certificate = os.path.join(self.folder, "weir.crt")
        self._values = values or {}
        self._settings = {"registry": registry or {}, "proxy": proxy or {}}
        self._bin = os.path.dirname(os.environ.get("WEIR_LOGD", ""))
        self.processes = {}
        self.daemon = weir_daemon.start(options(settings or {}))
        try:
            self._make_certificate()
            for name in APPS:
                self.start(name)
            self.start_nginx()
        except BaseException:
            self.clean()
            raise

    # ---- processes ----

    def _log(self, name):
        return os.path.join(self.folder, name + ".log")

    def said(self, name):
        """What it has written to its log."""
        with open(self._log(name), errors="replace") as f:
            return f.read()

    def _options(self, name):
        kind = name.split("-")[0]
        if kind == "registry":
            own = {"weir.fastcgi.socket": f"{self.folder}/{name}"}
        else:
            # Instances that it makes a name for tell which process they are in.
            own = {"weir.fastcgi.socket": f"{self.folder}/{name}", "id": name}
        return options({"bootstrap.servers": self.daemon.address, **own, **self._settings[kind]})

    def start(self, name):
        """Starts one of APPS, and waits until it is ready."""
        program = "weir-registry" if name.startswith("registry") else "weir-rest-proxy"
        read_end, write_end = os.pipe()
        with open(self._log(name), "ab") as log:
            process = subprocess.Popen([os.path.join(self._bin, program), *self._options(name), "--ready-fd", str(write_end)],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(write_end,))
        os.close(write_end)
        self.processes[name] = process
        with os.fdopen(read_end) as pipe:
            # It ends with the process, if that does not become ready.
            line = pipe.readline()
        if not line:
            raise RuntimeError(f"{name} did not start; it said:\n{self.said(name)}")

    def kill(self, name):
        """Ends it as a power cut would end the process."""
        self.processes[name].kill()
        self.processes[name].wait()

    def pids(self):
        return {"weir-logd": self.daemon.process.pid, **{name: p.pid for name, p in self.processes.items()}}

    def _make_certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout", os.path.join(self.folder, "weir.key"), "-out", self.certificate],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def trust(self):
        """TLS that trusts the certificate that was made, and no other."""
        return ssl.create_default_context(cafile=self.certificate)

    def start_nginx(self):
        values = {"RUN": self.folder, "REGISTRY_LISTEN": f"127.0.0.1:{self.registry}", "PROXY_LISTEN": f"127.0.0.1:{self.proxy}",
                  "TLS_LISTEN": f"127.0.0.1:{self.tls}", "CERTIFICATE": self.certificate,
                  "CERTIFICATE_KEY": os.path.join(self.folder, "weir.key"), **self._values}
        conf = os.path.join(self.folder, "nginx")
        subprocess.run([os.path.join(TOP, "nginx-conf", "fill"), conf, *(f"{k}={v}" for k, v in values.items())], check=True)
        with open(self._log("nginx"), "ab") as log:
            # Root's nginx would give its workers to a user who can't reach the sockets.
            self.processes["nginx"] = subprocess.Popen(
                [program_of("nginx"), "-e", "stderr", "-p", self.folder, "-c", os.path.join(conf, "nginx.conf"),
                 *(["-g", "user root;"] if os.geteuid() == 0 else [])],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until("nginx answers", self._answers)

    def _answers(self):
        if self.processes["nginx"].poll() is not None:
            raise RuntimeError("nginx did not start; it said:\n" + self.said("nginx"))
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.tls), 5).close()
            return True
        return False

    # ---- clients ----

    def to_registry(self):
        return Connection(self, self.registry)

    def to_proxy(self):
        return Connection(self, self.proxy)

    def by_tls(self):
        return Connection(self, self.tls, tls=True)

    # ---- the end ----

    def stop(self):
        """Ends all in the order in which requests come; returns the names of those that did not end in order."""
        bad = []
        for names in (("nginx",), APPS):
            for name in names:
                self.processes[name].send_signal(signal.SIGQUIT if name == "nginx" else signal.SIGTERM)
            for name in names:
                try:
                    if self.processes[name].wait(STOP_S) != 0:
                        bad.append(name)
                except subprocess.TimeoutExpired:
                    bad.append(name)
        if self.daemon.stop() != 0:
            bad.append("weir-logd")
        return bad

    def clean(self):
        """Ends what still runs, and removes what it left on the disk."""
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        self.daemon.clean()
        shutil.rmtree(self.folder, ignore_errors=True)


def end(web, passed, failed, skipped=0):
    """Ends all of it; returns the counts, with whether it ended in order among them."""
    bad = web.stop()
    if bad:
        failed += 1
        print(f"FAIL: all_end_in_order: {', '.join(bad)} did not")
    else:
        passed += 1
    if failed:
        for name in web.processes:
            print("".join(f"  {name}: {line}" for line in web.said(name).splitlines(True)[-15:]))
        print("".join("  weir-logd: " + line for line in web.daemon.said().splitlines(True)[-15:]))
    web.clean()
    return passed, failed, skipped
