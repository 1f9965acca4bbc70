#!/usr/bin/python3
"""fcgi_test.py -- what fcgi-apps/common does behind a real nginx.

tests/e2e/http/echo_app of the build's folder (builddir), nginx as a child with a
configuration and folders of its own, and a client that is http.client or a socket.
"""
import concurrent.futures
import contextlib
import http.client
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claims
from claims import free_ports, refused, same, until
from fastcgi import ABORT, BEGIN, GET_VALUES, PARAMS, STDIN, STDOUT, Peer, begin, pairs, record, request_records

APP = os.path.join(os.environ.get("builddir", "."), "tests/e2e/http/echo_app")
MIB = 1 << 20
BODY_MAX = 5 * MIB
UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

# What each location does: the app's pool, and more.
NGINX = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
	access_log off;
	client_body_temp_path {folder}/body;
	fastcgi_temp_path {folder}/fastcgi;
	proxy_temp_path {folder}/proxy;
	uwsgi_temp_path {folder}/uwsgi;
	scgi_temp_path {folder}/scgi;
	client_max_body_size 20m;
	client_body_buffer_size 64k;
	large_client_header_buffers 4 80k;

	fastcgi_param REQUEST_METHOD $request_method;
	fastcgi_param REQUEST_URI $request_uri;
	fastcgi_param REQUEST_SCHEME $scheme;
	fastcgi_param REMOTE_USER $remote_user;
	fastcgi_param CONTENT_TYPE $content_type;
	fastcgi_param CONTENT_LENGTH $content_length;
	fastcgi_keep_conn on;
	fastcgi_next_upstream error timeout;

	upstream main {{ server unix:{folder}/main.sock; keepalive 16; }}
	upstream small {{ server unix:{folder}/small.sock; keepalive 4; keepalive_timeout 1s; }}
	upstream small_unkept {{ server unix:{folder}/small.sock; }}
	upstream narrow {{ server unix:{folder}/narrow.sock; keepalive 16; }}
	upstream pair {{
		# A connection to one that is not there fails at once: it needs not be left out for a while.
		server unix:{folder}/left.sock max_fails=0;
		server unix:{folder}/right.sock max_fails=0;
		keepalive 16;
		keepalive_timeout 1s;
		keepalive_time 2s;
	}}

	server {{
		listen 127.0.0.1:{port};
		location / {{ fastcgi_pass main; }}
		location /stream {{ fastcgi_pass main; fastcgi_request_buffering off; fastcgi_buffering off; }}
		location /ignore {{ fastcgi_pass main; fastcgi_request_buffering off; }}
		location /endless {{ fastcgi_pass main; }}
		location /unbuffered/ {{
			fastcgi_param REQUEST_URI /echo;
			fastcgi_param REQUEST_METHOD $request_method;
			fastcgi_param CONTENT_LENGTH $content_length;
			fastcgi_pass main;
			fastcgi_request_buffering off;
		}}
	}}
	server {{ listen 127.0.0.1:{small}; location / {{ fastcgi_pass small; }} }}
	server {{ listen 127.0.0.1:{small_unkept}; location / {{ fastcgi_pass small_unkept; fastcgi_keep_conn off; }} }}
	server {{ listen 127.0.0.1:{narrow}; location / {{ fastcgi_pass narrow; }} }}
	server {{ listen 127.0.0.1:{pair}; location / {{ fastcgi_pass pair; }} }}
}}
"""


# ---- what runs ----

class App:
    """A running echo_app; its log is in a file."""

    def __init__(self, folder, name, stop_ms, *pools, **environment):
        self.log = os.path.join(folder, name + ".log")
        self.folder = folder
        arguments = [str(stop_ms)]
        for pool, connections, limit in pools:
            arguments += [pool, self.path(pool), str(connections), str(limit)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([APP, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            env={**os.environ, **environment})
        same(self.process.stdout.readline(), b"ready\n", "what the app says; its log: " + self.said())

    def path(self, pool):
        return os.path.join(self.folder, pool + ".sock")

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def threads(self, pool):
        """How many threads bear the pool's name."""
        count = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{self.process.pid}/task/{task}/comm") as f:
                count += f.read() == pool + "\n"
        return count

    def stop(self, seconds=30):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Site:
    """nginx and the app behind it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="weir-fcgi-")
        names = ["port", "small", "small_unkept", "narrow", "pair"]
        ports = free_ports(len(names))
        for name, port in zip(names, ports):
            setattr(self, name, port)
        conf = os.path.join(self.folder, "nginx.conf")
        with open(conf, "w") as f:
            f.write(NGINX.format(folder=self.folder, user="user root;" if os.getuid() == 0 else "", **dict(zip(names, ports))))
        self.app = App(self.folder, "app", 5000, ("main", 40, 40), ("small", 4, 4), ("narrow", 16, 2))
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.nginx = subprocess.Popen([program, "-p", self.folder, "-c", conf, "-e", os.path.join(self.folder, "error.log")],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("nginx", self.answers)

    def answers(self):
        with contextlib.suppress(OSError):
            return self.ask("GET", "/")[0] == 200
        return False

    def ask(self, method, target, body=None, headers=None, port=None, seconds=20):
        """(status, headers, body)."""
        c = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=seconds)
        try:
            c.request(method, target, body, headers or {})
            answer = c.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            c.close()

    def show(self, target="/show/x", **headers):
        return json.loads(self.ask("GET", target, headers=headers)[2])

    def connect(self, port=None, seconds=20):
        return socket.create_connection(("127.0.0.1", port or self.port), seconds)

    def metric(self, name):
        """The value of a line of the metrics."""
        text = self.ask("GET", "/metrics")[2].decode()
        found = re.search("^" + re.escape(name) + r" (\S+)$", text, re.M)
        return float(found.group(1)) if found else 0.0

    def end(self):
        """Whether the app ended in order."""
        self.nginx.terminate()
        self.nginx.wait(30)
        status = self.app.stop()
        said = self.app.said()
        self.app.end()
        shutil.rmtree(self.folder, ignore_errors=True)
        return status, said


def receive_all(s):
    data = b""
    while piece := s.recv(65536):
        data += piece
    return data


def receive_head(s):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = s.recv(1)
        if not piece:
            break
        data += piece
    return data


def error_of(body):
    return json.loads(body)["error_code"]


# ---- requests ----

def test_a_request_comes_as_it_was_sent(site):
    got = site.show("/show/a%2Fb%20c?x=1&y=%41", Accept="text/x", Host="example.org:81", **{"Content-Type": "a/b"})
    wanted = {"method": 0, "path": "/show/a%2Fb%20c", "query": "x=1&y=%41", "content_type": "a/b", "accept": "text/x",
              "host": "example.org:81", "scheme": "http", "user": None, "body": "", "name": "a/b c"}
    same({k: got[k] for k in wanted}, wanted, "what the handler sees")
    got = site.show("/show//")
    same((got["query"], got["content_type"], got["name"]), (None, None, ""), "what is not there")
    same(site.show("/show/x?")["query"], "", "an empty query")


def test_paths_are_taken_as_the_client_sent_them(site):
    for target, status in (("/show/%2e%2e", 404), ("/show/%2E", 404), ("/show/a%2F..%2Fb", 200), ("/show/%00", 404),
                           ("/show/%FF", 404), ("/show/%zz", 404), ("/nope", 404), ("/echo/", 200)):
        got = raw(site, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        # What nginx can't decode it refuses itself.
        same(got[0] in (status, 400), True, f"{target}: {got[0]}")


def raw(site, request, port=None):
    """(status, head, body) of a request that asks for the connection's end."""
    with site.connect(port) as s:
        s.sendall(request)
        head, _, body = receive_all(s).partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


def test_answers_have_a_length_and_an_id(site):
    status, headers, body = site.ask("GET", "/")
    same((status, body, headers["Content-Length"], headers["Content-Type"]), (200, b"{}", "2", "application/json"), "the answer")
    same(bool(re.fullmatch(UUID4, headers["X-Request-ID"])), True, headers["X-Request-ID"])
    ids = {site.ask("GET", "/")[1]["X-Request-ID"] for _ in range(20)}
    same(len(ids), 20, "different ids")
    status, headers, body = site.ask("GET", "/nothing")
    same((status, body, headers["Content-Length"], headers["Content-Type"]), (204, b"", None, None), "an answer without a body")
    status, headers, body = site.ask("HEAD", "/")
    same((status, body, headers["Content-Length"]), (200, b"", "2"), "HEAD")


def test_a_good_request_id_is_echoed_and_others_are_not(site):
    for given in "x", "a" * 128, "Root=1-67891233;Sampled=1", "{[(~!#$%&*+)]}":
        same(site.ask("GET", "/", headers={"X-Request-ID": given})[1]["X-Request-ID"], given, "the id")
        same(site.show(**{"X-Request-ID": given})["id"], given, "what the handler sees")
    for given in "", "a" * 129, 'a"b', "a'b", "a\\b", "a b", "a\tb", "caf\xe9", "a%0d%0aX: y":
        got = site.ask("GET", "/", headers={"X-Request-ID": given})[1]["X-Request-ID"]
        if given == "a%0d%0aX: y":
            same(" " in given and got != given, True, "a blank")
        same(bool(re.fullmatch(UUID4, got)), True, f"{given!r} got {got!r}")


def test_errors_are_json(site):
    status, headers, body = site.ask("GET", "/nope")
    same((status, body, headers["Content-Type"]), (404, b'{"error_code":404,"message":"HTTP 404 Not Found"}', "application/json"), "404")
    status, headers, body = site.ask("DELETE", "/big", body=b"x" * 1000)
    same((status, error_of(body), headers["Allow"]), (405, 405, "GET, HEAD"), "405")
    same(site.ask("BREW", "/big")[0], 405, "a method that is none")
    status, _, body = site.ask("GET", "/fail", headers={"X-Request-ID": "it-failed"})
    same((status, error_of(body)), (500, 500), "500")
    until("its line in the log", lambda: "warn request failed id=it-failed route=fail status=500 ms=" in site.app.said())


def test_nothing_of_a_client_begins_a_header(site):
    for value in "a%0d%0aX-Bad:%201", "a%0aX-Bad:%201", "a%0dX-Bad:%201", "%0d%0a%0d%0abody", "a%7f", "a%01":
        status, headers, body = site.ask("GET", "/header?value=" + value)
        same((status, body, headers["X-Bad"], headers["X-Echo"]), (200, b"{}", None, None), value)
    same(site.ask("GET", "/header?value=caf%C3%A9%09x")[1]["X-Echo"].encode("latin-1").decode(), "caf\xe9\tx", "a harmless value")


def test_a_head_of_70_kilobytes_harms_nobody(site):
    status = site.ask("GET", "/", headers={"X-Large": "x" * 70000})[0]
    same(status in (400, 414, 431, 500), True, f"the web server's answer, {status}")
    same(site.ask("GET", "/")[0], 200, "afterwards")
    same(site.ask("GET", "/show/" + "x" * 60000)[0], 200, "a long path")
    many = {f"X-{i}": "y" for i in range(90)}
    same(site.ask("GET", "/", headers=many)[0], 200, "many headers")


# ---- bodies ----

def test_bodies_of_all_sizes_come_and_go(site):
    c = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    for size in (0, 1, 7, 8, 8175, 8176, 8177, 8184, 8192, 8193, 65535, 65536, 65537, MIB, BODY_MAX):
        body = random.Random(size).randbytes(size)
        for method in "POST", "PUT", "DELETE", "GET":
            c.request(method, "/echo", body)
            answer = c.getresponse()
            got = answer.read()
            same((answer.status, len(got), got == body, answer.headers["Content-Length"]), (200, size, True, str(size)), f"{method} {size}")
    c.close()


def test_chunked_bodies_come_whole(site):
    for target in "/echo", "/unbuffered/":
        pieces = [b"x" * 10, b"y" * 100000, b"z"]
        status, _, got = site.ask("POST", target, iter(pieces))
        same((status, got == b"".join(pieces)), (200, True), target)
        same(site.ask("POST", target, iter([]))[::2], (200, b""), target + ", empty")


def test_a_body_beyond_the_most_is_refused(site):
    for target in "/echo", "/unbuffered/":
        for size in BODY_MAX + 1, BODY_MAX + 100000, BODY_MAX + 3 * MIB:
            status, _, body = site.ask("POST", target, b"x" * size)
            same((status, error_of(body)), (413, 413), f"{target} {size}")
    status, _, body = site.ask("POST", "/unbuffered/", iter([b"x" * MIB] * 8))
    same((status, error_of(body)), (413, 413), "chunked")
    same(site.ask("POST", "/echo", b"after")[2], b"after", "afterwards")


def test_a_client_that_is_gone_midway_reaches_no_handler(site):
    def count():
        return site.metric('weir_http_request_seconds_count{app="echo",route="echo"}')

    before = count()
    for _ in range(5):
        with site.connect() as s:
            s.sendall(b"POST /unbuffered/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly so much")
            time.sleep(0.1)
    with site.connect() as s:
        s.sendall(b"POST /unbuffered/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        time.sleep(0.1)
    until("nothing under way but this", lambda: site.metric('weir_http_requests_under_way{pool="main"}') == 1)
    same(count(), before, "requests that a handler got")


def test_what_a_handler_leaves_of_a_body_is_not_taken_for_a_request(site):
    for size in (0, 10, 5000, 100000, 3 * MIB):
        for _ in range(5):
            same(site.ask("POST", "/ignore", b"\x01\x01\0\x01" * (size // 4))[0], 200, f"an unread body of {size}")
            same(site.ask("POST", "/echo", b"mine")[2], b"mine", f"behind one of {size}")
            same(site.ask("POST", "/nope", b"\x01\x01\0\x01" * (size // 4))[0], 404, f"without a route, {size}")


def test_large_answers_come_whole(site):
    for size in (0, 1, 8100, 8184, 100000, 20 * MIB):
        status, headers, body = site.ask("GET", f"/big?bytes={size}")
        wanted = bytes(range(97, 120)) * (size // 23 + 1)
        same((status, len(body), body == wanted[:size]), (200, size, True), f"{size} bytes")


# ---- threads and limits ----

def test_threads_come_with_connections(site):
    app = App(site.folder, "threads", 1000, ("threads", 10, 10))
    try:
        until("the first thread", lambda: app.threads("threads") == 1)
        kept = [Peer(app.path("threads")) for _ in range(5)]
        for peer in kept:
            same(peer.ask("/echo", b"x")[0], 200, "an answer")
        until("one for each connection, and one that waits", lambda: app.threads("threads") == 6)
        for peer in kept:
            same(peer.ask("/echo", b"x")[0], 200, "an answer on a kept connection")
        same(app.threads("threads"), 6, "the same ones")
        for peer in kept:
            peer.close()
    finally:
        same(app.stop(), 0, "its end")
        app.end()


def test_idle_connections_that_are_kept_hold_up_nobody_for_long(site):
    """Four threads, four idle kept connections; others come by another upstream."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda _: site.ask("GET", "/slow?ms=100", port=site.small)[0], range(4)))
        same(got, [200] * 4, "four at a time")
        # They wait until nginx lets go of one, which it does after a second.
        got = list(pool.map(lambda _: site.ask("GET", "/echo", port=site.small_unkept)[0], range(12)))
        same(got, [200] * 12, "by the other upstream")
    until("its line in the log", lambda: "warn too many connections pool=small connections=4" in site.app.said())


def test_beyond_the_limit_the_answer_is_503_at_once(site):
    before = site.metric('weir_http_refused_total{pool="narrow"}')
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        under_way = [pool.submit(site.ask, "POST", "/slow?ms=3000", b"x", None, site.narrow) for _ in range(2)]
        until("both", lambda: site.metric('weir_http_requests_under_way{pool="narrow"}') == 2)
        began = time.monotonic()
        for _ in range(20):
            status, headers, body = site.ask("POST", "/echo", b"x" * 1000, port=site.narrow)
            same((status, error_of(body), headers["Retry-After"]), (503, 503, "1"), "beyond the limit")
            same(headers["X-Request-ID"] is not None, True, "an id")
        same(all(not f.done() for f in under_way), True, f"the others are still under way after {time.monotonic() - began:.3f} s")
        same([f.result()[0] for f in under_way], [200, 200], "the others")
    same(site.ask("GET", "/echo", port=site.narrow)[0], 200, "afterwards")
    same(site.metric('weir_http_refused_total{pool="narrow"}') - before, 20, "refused")
    said = site.app.said()
    same("warn too many requests at a time pool=narrow" in said, True, "a line in the log")
    same(said.count("too many requests at a time") < 10, True, "not one for each")


def test_a_slow_pool_holds_up_no_other(site):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(site.ask, "GET", "/slow?ms=1500", None, None, site.narrow) for _ in range(2)]
        for _ in range(50):
            same(site.ask("POST", "/echo", b"x")[0], 200, "the other pool")
        same(any(f.done() for f in slow), False, "the slow ones are under way")
        for f in slow:
            f.result()


def test_want_of_descriptors_is_outlived(site):
    app = App(site.folder, "files", 1000, ("files", 40, 40))
    try:
        import resource
        used = len(os.listdir(f"/proc/{app.process.pid}/fd"))
        resource.prlimit(app.process.pid, resource.RLIMIT_NOFILE, (used + 2, used + 2))
        peers = [Peer(app.path("files")) for _ in range(6)]
        for peer in peers:
            peer.send("/echo", b"x")
        same([p.receive()[0] for p in peers[:2]], [200, 200], "as many as there are descriptors for")
        until("a line in the log", lambda: "no connection accepted" in app.said())
        for peer in peers[:2]:
            peer.close()
        same([p.receive()[0] for p in peers[2:4]], [200, 200], "the next, once there are descriptors")
        same(app.said().count("no connection accepted") < 20, True, "lines in the log")
        for peer in peers[2:]:
            peer.close()
    finally:
        same(app.stop(), 0, "its end")
        app.end()


# ---- streams ----

def test_each_line_is_answered_before_the_next_is_sent(site):
    with site.connect() as s:
        s.sendall(b"POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        count = 0
        for i in range(20):
            line = b"line %d" % i
            s.sendall(b"%x\r\n%s\r\n" % (len(line), line))
            count += len(line)
            if i == 0:
                head = receive_head(s)
                same(head.split()[1], b"200", "status")
                same(b"content-length" in head.lower(), False, "a length")
            wanted = b"%d:%s" % (count, line)
            got = b""
            while not got.endswith(wanted):
                piece = s.recv(4096)
                same(piece != b"", True, f"more after {got}")
                # Without the chunks' own lines.
                got += b"".join(p for p in piece.split(b"\r\n") if not re.fullmatch(rb"[0-9a-f]{0,3}", p))
        s.sendall(b"0\r\n\r\n")
        same(receive_all(s).endswith(b"0\r\n\r\n"), True, "the end")


def test_a_stream_ends_with_its_client(site):
    for _ in range(3):
        with site.connect() as s:
            s.sendall(b"POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
            receive_head(s)
        for request in b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /endless HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody":
            with site.connect() as s:
                s.sendall(request)
                receive_head(s)
                same(b"tick" in s.recv(4096), True, "a piece")
    until("all are gone", lambda: site.metric('weir_http_requests_under_way{pool="main"}') == 1)


def stream_body(got):
    """What /stream was sent; it tells of each piece how many bytes there were until its end."""
    at, before, pieces = 0, 0, []
    while at < len(got):
        colon = got.index(b":", at)
        end = int(got[at:colon])
        pieces.append(got[colon + 1:colon + 1 + end - before])
        at, before = colon + 1 + end - before, end
    return b"".join(pieces)


def send_ahead(s, data):
    """Sends as much as goes, and reads only while nothing goes; then to the end.  What was read."""
    got = b""
    s.setblocking(False)
    while data:
        try:
            data = data[s.send(data):]
        except BlockingIOError:
            if select.select([s], [s], [], 20)[0]:
                got += s.recv(65536)
    s.settimeout(20)
    return got + receive_all(s)


def unchunked(data):
    """The body behind the head of an answer that came in chunks."""
    body, rest = b"", data.partition(b"\r\n\r\n")[2]
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body += rest[:int(size, 16)]
        rest = rest[int(size, 16) + 2:]
    return body


def test_a_long_stream_comes_whole(site):
    """The client is ahead of the app by as much as the kernel and nginx keep."""
    for size in 300000, 4 * MIB:
        body = random.Random(size).randbytes(size)
        chunks = b"".join(b"2710\r\n" + body[i:i + 10000] + b"\r\n" for i in range(0, size - 9999, 10000))
        last = body[size - size % 10000:]
        chunks += (b"%x\r\n%b\r\n" % (len(last), last) if last else b"") + b"0\r\n\r\n"
        with site.connect() as s:
            got = send_ahead(s, b"POST /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        same((got[:12], stream_body(unchunked(got)) == body), (b"HTTP/1.1 200", True), f"{size} bytes")


# ---- the app alone, by FastCGI ----

def test_malformed_records_harm_nobody(site):
    chance = random.Random(4)
    good = request_records("/echo", b"x" * 50)
    made = [
        b"", b"\0", b"\x01", b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 100,
        record(BEGIN, b"\0" * 7), record(BEGIN, b"\0" * 9), begin(role=2) + record(PARAMS), begin(role=3) + record(PARAMS) + record(STDIN),
        begin(role=77) + record(PARAMS), record(BEGIN, b"\0\x01\0\0\0\0\0\0", request=0), begin() + begin(request=2) + record(PARAMS),
        record(PARAMS, pairs(A=b"b")), record(STDIN, b"x"), begin() + record(STDIN, b"x"), begin() + record(ABORT),
        begin() + record(PARAMS) + record(ABORT), begin() + record(PARAMS) + record(STDIN, b"x") + record(PARAMS, b"y"),
        begin() + record(PARAMS, b"\x05\x05ab"), begin() + record(PARAMS, b"\x80\0\0"), begin() + record(PARAMS, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
        begin() + record(PARAMS, b"\x80\x00\xff\xff\x80\x00\xff\xff"), begin() + record(PARAMS, b"x", length=60000),
        begin() + record(77, b"x"), record(77, b"x", request=0), record(GET_VALUES, b"", request=0),
        record(GET_VALUES, b"\x0f\0FCGI_MPXS_CONNS", request=0), begin() + record(PARAMS, version=2),
        begin() + record(PARAMS, pairs(REQUEST_METHOD=b"\0\0", REQUEST_URI=b"/\0x")) + record(PARAMS) + record(STDIN),
        begin() + record(PARAMS, pairs(REQUEST_METHOD=b"POST", REQUEST_URI=b"/echo", CONTENT_LENGTH=b"99999999999999999999")) + record(PARAMS) + record(STDIN),
        begin() + record(PARAMS, pairs(REQUEST_METHOD=b"POST", REQUEST_URI=b"/echo", CONTENT_LENGTH=b"-1")) + record(PARAMS) + record(STDIN),
        begin() + record(PARAMS, pairs(REQUEST_METHOD=b"POST", REQUEST_URI=b"/echo", CONTENT_LENGTH=b"10")) + record(PARAMS) + record(STDIN, b"x" * 20) + record(STDIN),
        begin() + record(PARAMS, pairs(REQUEST_METHOD=b"POST")) + record(PARAMS) + record(STDIN),
        begin() + record(PARAMS) + record(STDIN),
        good + b"trash behind it", good + record(STDIN, b"more"),
    ]
    while len(made) < 300:
        broken = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(broken))
            if chance.random() < 0.5:
                broken[at] = chance.randrange(256)
            else:
                del broken[at:at + chance.randint(1, 8)]
        made.append(bytes(broken))
    # libfcgi loses memory over records of management, which nginx does not send.
    suppressions = os.path.join(site.folder, "suppressions")
    with open(suppressions, "w") as f:
        f.write("leak:libfcgi.so\n")
    app = App(site.folder, "broken", 1000, ("broken", 40, 40), LSAN_OPTIONS="suppressions=" + suppressions)
    try:
        for records in made:
            peer = Peer(app.path("broken"))
            peer.socket.settimeout(0.02)
            # It may be closed before all is sent.
            with contextlib.suppress(OSError):
                peer.socket.sendall(records)
                peer.socket.recv(4096)
            peer.close()
        peer = Peer(app.path("broken"))
        same(peer.ask("/echo", b"still there"), (200, b"still there"), "afterwards")
        peer.close()
    finally:
        same(app.stop(), 0, "its end: " + app.said())
        app.end()


def test_a_request_without_a_target_is_refused(site):
    peer = Peer(site.app.path("main"))
    peer.socket.sendall(begin() + record(PARAMS) + record(STDIN))
    same(peer.receive()[0], 404, "status")
    same(peer.ask("/echo", b"x")[0], 200, "the next")
    peer.close()


def test_a_body_that_is_not_as_long_as_told_ends_the_connection(site):
    peer = Peer(site.app.path("main"))
    params = pairs(REQUEST_METHOD=b"POST", REQUEST_URI=b"/echo", CONTENT_LENGTH=b"10")
    peer.socket.sendall(begin() + record(PARAMS, params) + record(PARAMS) + record(STDIN, b"short") + record(STDIN))
    refused("a short body", peer.receive, EOFError)
    peer.close()


# ---- the end ----

class Load:
    """Asks without pause, from several threads; .statuses counts the answers, .errors has what went wrong otherwise."""

    def __init__(self, site, target, body, threads=6):
        self.statuses, self.errors = {}, []
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._site, self._target, self._body = site, target, body
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for t in self._threads:
            t.start()

    def _run(self):
        while not self._stop.is_set():
            try:
                status = self._site.ask("POST", self._target, self._body, port=self._site.pair)[0]
                with self._lock:
                    self.statuses[status] = self.statuses.get(status, 0) + 1
            except OSError as error:
                self.errors.append(repr(error))

    def count(self):
        return sum(self.statuses.values())

    def end(self):
        self._stop.set()
        for t in self._threads:
            t.join()


def pair(site):
    return {name: App(site.folder, name, 10000, (name, 32, 32)) for name in ("left", "right")}


def test_no_request_is_lost_while_one_of_two_stops_and_starts_again(site):
    apps = pair(site)
    load = Load(site, "/slow?ms=5", b"x" * 300)
    try:
        for name in "left", "right", "left":
            until("requests", lambda n=load.count(): load.count() > n + 200)
            began = time.monotonic()
            same(apps[name].stop(), 0, "its end")
            same(time.monotonic() - began < 9, True, "nginx lets go before the connections are cut")
            said = apps[name].said()
            same([w in said for w in ("info stopping app=echo", "info stopped app=echo")], [True, True], "its log")
            same(os.path.exists(apps[name].path(name)), False, "its socket")
            until("requests", lambda n=load.count(): load.count() > n + 200)
            apps[name].end()
            apps[name] = App(site.folder, name, 10000, (name, 32, 32))
    finally:
        load.end()
        for app in apps.values():
            app.end()
    same((load.errors, set(load.statuses)), ([], {200}), f"what {load.count()} requests got: {load.statuses}")


def test_of_a_kill_only_requests_under_way_are_lost(site):
    apps = pair(site)
    load = Load(site, "/slow?ms=5", b"x" * 300)
    try:
        until("requests", lambda: load.count() > 200)
        apps["left"].process.kill()
        apps["left"].process.wait()
        until("requests", lambda n=load.count(): load.count() > n + 400)
        apps["left"].end()
        # The dead one's socket is still there.
        apps["left"] = App(site.folder, "left", 10000, ("left", 32, 32))
        until("requests", lambda n=load.count(): load.count() > n + 400)
    finally:
        load.end()
        for app in apps.values():
            app.end()
    same(load.errors, [], "connections of clients")
    same(set(load.statuses) <= {200, 502}, True, f"statuses: {load.statuses}")
    # Not repeated, since a POST may have had its effect; no more than were under way.
    same(load.statuses.get(502, 0) <= 12, True, f"statuses: {load.statuses}")


def test_the_end_waits_for_what_is_under_way(site):
    app = App(site.folder, "slow", 5000, ("slow", 4, 4))
    peer = Peer(app.path("slow"))
    peer.send("/slow?ms=1000", b"x")
    idle = Peer(app.path("slow"))
    same(idle.ask("/echo", b"y")[0], 200, "another")
    app.process.send_signal(signal.SIGTERM)
    until("the path is gone", lambda: not os.path.exists(app.path("slow")))
    same(idle.ask("/echo", b"z"), (200, b"z"), "a kept connection is still served")
    same(peer.receive(), (200, b"x"), "what was under way")
    peer.close()
    idle.close()
    same(app.process.wait(3), 0, "its end, once the connections are closed")
    app.end()


def test_connections_that_nobody_closes_are_cut(site):
    app = App(site.folder, "cut", 500, ("cut", 4, 4))
    idle, stream, busy = (Peer(app.path("cut")) for _ in range(3))
    same(idle.ask("/echo", b"y")[0], 200, "one")
    params = pairs(REQUEST_METHOD=b"POST", REQUEST_URI=b"/stream")
    stream.socket.sendall(begin() + record(PARAMS, params) + record(PARAMS) + record(STDIN, b"line"))
    same(stream.exactly(8)[1], STDOUT, "an answer in pieces")
    busy.send("/slow?ms=1500", b"x")
    began = time.monotonic()
    same(app.stop(), 0, "its end")
    took = time.monotonic() - began
    same(1 < took < 5, True, f"{took} s: it waits for the handler")
    same(busy.receive(), (200, b"x"), "what was under way")
    for peer in idle, stream, busy:
        peer.close()
    app.end()


def test_a_second_signal_ends_it_at_once(site):
    app = App(site.folder, "twice", 60000, ("twice", 4, 4))
    peer = Peer(app.path("twice"))
    peer.send("/slow?ms=30000", b"x")
    app.process.send_signal(signal.SIGTERM)
    until("the first", lambda: "stopping" in app.said())
    app.process.send_signal(signal.SIGTERM)
    same(app.process.wait(3), 1, "its status")
    peer.close()
    app.end()


def test_a_socket_that_is_in_use_is_not_taken(site):
    done = subprocess.run([APP, "1000", "main", site.app.path("main"), "4", "4"], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=20, check=False)
    same((done.returncode, b"another process listens there" in done.stderr), (1, True), done.stderr)
    same(site.ask("GET", "/")[0], 200, "the other one")


def main():
    if len(sys.argv) > 1:
        for name in [n for n in globals() if n.startswith("test_") and sys.argv[1] not in n]:
            del globals()[name]
    if shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
        sys.exit("nginx is not installed")
    site = Site()
    passed, failed, skipped = claims.run(globals(), site)
    status, said = site.end()
    if status == 0 and "Sanitizer" not in said:
        passed += 1
    else:
        failed += 1
        print(f"FAIL: app_ends_in_order: it ended with status {status}")
    if failed:
        print("".join("  log: " + line for line in said.splitlines(True)[-30:]))
    claims.finish(passed, failed, skipped)


if __name__ == "__main__":
    main()
