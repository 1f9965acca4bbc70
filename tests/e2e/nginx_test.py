#!/usr/bin/python3
"""nginx_test.py -- the shipped nginx configuration: what nginx refuses by itself is told as
the programs behind it tell it, which process a request goes to, and what it is told of it."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess

import weir_web
from claims import finish, freeze, run, same, until

V1 = "application/vnd.schemaregistry.v1+json"
JSON = "application/vnd.kafka.json.v2+json"


def raw(port, request):
    """(status, headers, body as JSON) of what is sent as it stands."""
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        # nginx may answer, and close, before it has read all.
        with contextlib.suppress(OSError):
            s.sendall(request)
        answer = http.client.HTTPResponse(s)
        answer.begin()
        return answer.status, answer.headers, json.loads(answer.read())


def get(port, path="/subjects", *headers):
    return raw(port, "\r\n".join([f"GET {path} HTTP/1.1", "Host: weir", "Connection: close", *headers, "", ""]).encode("latin-1"))


def refused(what, answer, status, message):
    same((answer[0], answer[2]), (status, {"error_code": status, "message": message}), what)
    same(answer[1]["Content-Type"], "application/json", f"{what}: type")
    same(re.fullmatch(r"[0-9a-f]{32}", answer[1]["X-Request-ID"] or "") is not None, True, f"{what}: id {answer[1]['X-Request-ID']}")


def reconfigure(web, change):
    """Lets nginx take up files that change(name, text) has had in hand; returns when it has."""
    folder = os.path.join(web.folder, "nginx")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            before = f.read()
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(change(name, before))
    workers = children(web)
    web.processes["nginx"].send_signal(signal.SIGHUP)
    until("nginx has new workers only", lambda: not workers & children(web))


def children(web):
    said = subprocess.run(["pgrep", "-P", str(web.processes["nginx"].pid)], stdout=subprocess.PIPE, check=False, text=True).stdout
    return set(said.split())


def test_the_configuration_is_clean(web):
    said = subprocess.run([weir_web.program_of("nginx"), "-t", "-e", "stderr", "-p", web.folder, "-c", os.path.join(web.folder, "nginx/nginx.conf")],
                          stderr=subprocess.PIPE, check=False, text=True)
    same((said.returncode, [line for line in said.stderr.splitlines() if "warn" in line or "emerg" in line]), (0, []), said.stderr)


def test_what_nginx_refuses_is_told_in_json(web):
    big = b"x" * 40000
    for port in web.registry, web.proxy:
        for what, answer, status, message in (
                ("a path that is none", raw(port, b"GET nowhere HTTP/1.1\r\nHost: weir\r\n\r\n"), 400, "HTTP 400 Bad Request"),
                ("a path that climbs out", get(port, "/../.."), 400, "HTTP 400 Bad Request"),
                ("no Host", raw(port, b"GET /subjects HTTP/1.1\r\n\r\n"), 400, "HTTP 400 Bad Request"),
                ("a path of 40 kB", get(port, "/" + "x" * 40000), 414, "HTTP 414 Request-URI Too Long"),
                ("a header of 40 kB", get(port, "/", "X-Big: " + big.decode()), 431, "HTTP 431 Request Header Fields Too Large"),
                ("a body that is too large", raw(port, b"POST /subjects/x/versions HTTP/1.1\r\nHost: weir\r\nContent-Length: 99999999999\r\n\r\n"),
                 413, "HTTP 413 Request Entity Too Large"),
                ("another coding", raw(port, b"POST /topics/x HTTP/1.1\r\nHost: weir\r\nTransfer-Encoding: gzip\r\n\r\n"), 501, "HTTP 501 Not Implemented"),
                ("another protocol", raw(port, b"GET / HTTP/3.7\r\nHost: weir\r\n\r\n"), 505, "HTTP 505 HTTP Version Not Supported")):
            refused(what, answer, status, message)
    refused("no TLS", raw(web.tls, b"GET / HTTP/1.1\r\nHost: weir\r\n\r\n"), 400, "HTTP 400 Bad Request")


def test_pages_of_errors_are_not_for_everybody(web):
    for port in web.registry, web.proxy:
        same(get(port, "/-/errors/502")[0], 404, "an error's page")


def test_a_request_has_one_id(web):
    for port in web.registry, web.proxy:
        for mine in "abc-123", "!" * 128:
            same(get(port, "/", f"X-Request-ID: {mine}")[1]["X-Request-ID"], mine, "the client's id")
            same(get(port, "/", f"X-Request-ID: {mine}", "Content-Length: 99999999999")[1]["X-Request-ID"], mine, "the same where nginx refuses")
        for odd in "a b", 'a"b', "a'b", "a\\b", "x" * 129, "\xe4", "":
            for length in 0, 99999999999:
                got = get(port, "/", f"X-Request-ID: {odd}", f"Content-Length: {length}")[1]["X-Request-ID"]
                same(re.fullmatch(r"[0-9a-f]{32}|[0-9a-f-]{36}", got) is not None, True, f"an id in place of {odd!r}: {got}")


def test_http_1_0_is_answered_with_links(web):
    _, _, got = raw(web.proxy, b"GET /v3/clusters HTTP/1.0\r\n\r\n")
    same(got["metadata"]["self"], f"http://127.0.0.1:{web.proxy}/v3/clusters", "a link")


def test_writes_go_to_the_process_that_writes(web):
    c = web.to_registry()
    paths = ["/subjects/a/versions", "/subjects/a/versions/", "/subjects/a/versions?normalize=true", "/%73ubjects/a/versions",
             "/subjects/a/%76ersions", "/subjects/a%2Fb/versions"]
    for path in paths:
        for n in range(4):
            status, got = c.ask("POST", path, {"schema": json.dumps({"type": "fixed", "name": "f", "size": 1, "doc": str(n)})}, V1)
            same(status in (200, 409), True, f"{path}: {status} {got}")
    for _ in range(4):
        same(c.ask("PUT", "/%63onfig", {"compatibility": "NONE"}, V1)[0], 200, "a setting")
    c.close()


def test_a_limit_of_the_rate_is_told(web):
    def limited(name, text):
        if name == "nginx.conf":
            return text.replace("\tinclude ", "\tlimit_req_zone $binary_remote_addr zone=few:1m rate=1r/m;\n\tlimit_req_status 429;\n\tinclude ", 1)
        return text.replace("server {", "server {\n\tlimit_req zone=few;") if name == "weir.conf" else text

    def unlimited(_, text):
        return re.sub(r"\n?\tlimit_req[^\n]*", "", text)

    reconfigure(web, limited)
    get(web.proxy, "/topics")
    answer = get(web.proxy, "/topics")
    refused("too much", answer, 429, "Request rate limit exceeded: The rate limit of requests per second has been exceeded.")
    same(answer[1]["Retry-After"], "1", "when to come again")
    reconfigure(web, unlimited)
    same(get(web.proxy, "/topics")[0], 200, "without a limit")


def test_processes_that_do_not_answer_or_are_not_there(web):
    reconfigure(web, lambda _, text: re.sub("fastcgi_read_timeout (70|15)s", "fastcgi_read_timeout 1s", text))
    for port, kind, path in (web.registry, "registry", "/subjects"), (web.proxy, "proxy", "/topics"):
        names = [f"{kind}-1", f"{kind}-2"]
        for name in names:
            freeze(web.processes[name])
        try:
            answer = get(port, path)
        finally:
            for name in names:
                web.processes[name].send_signal(signal.SIGCONT)
        # It may have been done all the same: nobody is told to come again.
        refused(f"{kind}: no answer in time", answer, 504, "HTTP 504 Gateway Timeout")
        same(answer[1]["Retry-After"], None, "when to come again")
        until("it answers again", lambda port=port, path=path: get(port, path)[0] == 200)
        for name in names:
            web.kill(name)
        answer = get(port, path)
        refused(f"{kind}: nobody there", answer, 502, "HTTP 502 Bad Gateway")
        same(answer[1]["Retry-After"], "1", "when to come again")
        for name in names:
            web.start(name)
        same(get(port, path)[0], 200, "it is back")


def test_a_client_that_does_not_read_costs_its_process_little(web):
    """The answer of 20 MB waits with nginx, not in the process."""
    c = web.to_proxy()
    n, size = 20, 1000000
    for _ in range(n):
        same(c.ask("POST", "/topics/large", {"records": [{"value": "x" * (size - 100)}]}, JSON)[0], 200, "a record")
    c.ask("POST", "/consumers/slow", {"name": "one", "format": "json", "auto.offset.reset": "earliest"}, "application/vnd.kafka.v2+json")
    base = "/consumers/slow/instances/one"
    c.ask("POST", base + "/assignments", {"partitions": [{"topic": "large", "partition": 0}]}, "application/vnd.kafka.v2+json")
    with socket.create_connection(("127.0.0.1", web.proxy), 20) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(f"GET {base}/records?timeout=3000 HTTP/1.1\r\nHost: weir\r\nAccept: {JSON}\r\n\r\n".encode())
        # The instance is free again although nobody has read its answer.
        status, got = c.ask("GET", base + "/records?timeout=100", accept=JSON)
        same(status, 200, got)
    c.close()


def main():
    web = weir_web.Web({"message.max.bytes": "2000000"})
    finish(*weir_web.end(web, *run(globals(), web)))


if __name__ == "__main__":
    main()
