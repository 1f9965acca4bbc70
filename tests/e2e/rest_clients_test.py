#!/usr/bin/python3
"""rest_clients_test.py -- HTTP clients as people have them, on the REST proxy: Python's requests, curl."""

import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claims
from claims import Skip, same, until
from rest_site import JSON, TOP, V2, Log, Site


def new_session():
    try:
        import requests  # pylint: disable=import-outside-toplevel
    except ImportError as missing:
        raise Skip("requests is not installed (Debian: python3-requests)") from missing
    session = requests.Session()
    # No proxy of the environment's, and no wait without end.
    session.trust_env = False
    return session


def test_requests_produces_and_consumes(site):
    session, base = new_session(), f"http://127.0.0.1:{site.port}"
    sent = [{"key": f"k{n}", "value": {"n": n, "text": "caf\xe9 \U0001f600"}} for n in range(100)]
    answer = session.post(f"{base}/topics/requests", data=json.dumps({"records": sent}), headers={"Content-Type": JSON, "Accept": V2}, timeout=60)
    same((answer.status_code, answer.headers["Content-Type"]), (200, V2), answer.text)
    same([o["error_code"] for o in answer.json()["offsets"]], [None] * 100, "errors")
    made = session.post(f"{base}/consumers/requests", json={"format": "json", "auto.offset.reset": "earliest"},
                        headers={"Content-Type": V2}, timeout=60).json()
    same(made["base_uri"], f"{base}/consumers/requests/instances/{made['instance_id']}", "base_uri")
    same(session.post(made["base_uri"] + "/subscription", json={"topics": ["requests"]}, headers={"Content-Type": V2}, timeout=60).status_code, 204, "subscription")
    got = []
    until("all records", lambda: got.extend(session.get(made["base_uri"] + "/records", headers={"Accept": JSON}, timeout=60).json()) or len(got) >= 100)
    same(sorted((r["key"], r["value"]["n"], r["value"]["text"]) for r in got), sorted((r["key"], r["value"]["n"], r["value"]["text"]) for r in sent), "records")
    same(session.post(made["base_uri"] + "/offsets", headers={"Content-Type": V2}, timeout=60).json(), [], "commit")
    # A GET with a body, which requests sends as it is told to.
    partitions = sorted({r["partition"] for r in got})
    committed = session.get(made["base_uri"] + "/offsets", json={"partitions": [{"topic": "requests", "partition": p} for p in partitions]},
                            headers={"Content-Type": V2}, timeout=60).json()
    same(sum(o["offset"] for o in committed["offsets"]), 100, committed)
    same(session.delete(made["base_uri"], headers={"Content-Type": V2}, timeout=60).status_code, 204, "the end")


def test_requests_streams_records_and_receipts(site):
    session, base = new_session(), f"http://127.0.0.1:{site.port}/v3/clusters"
    cluster = session.get(base, timeout=60).json()["data"][0]["cluster_id"]
    received, sent = [], 20

    def records():
        for n in range(sent):
            yield json.dumps({"value": {"type": "JSON", "data": n}}).encode()

    with session.post(f"{base}/{cluster}/topics/streamed/records", data=records(), headers={"Content-Type": "application/json"},
                      stream=True, timeout=60) as answer:
        same(answer.status_code, 200, "status")
        for line in answer.iter_lines(delimiter=b"\r\n"):
            if line:
                received.append(json.loads(line))
    same([(r["error_code"], r["offset"]) for r in received], [(200, n) for n in range(sent)], "receipts")


def test_requests_goes_by_tls(site):
    session = new_session()
    session.verify = os.path.join(site.folder, "weir.crt")
    answer = session.get(f"https://localhost:{site.tls_port}/topics", timeout=60)
    same((answer.status_code, isinstance(answer.json(), list)), (200, True), answer.text)


def test_the_commands_of_the_greeting_work_as_they_stand(site):
    if shutil.which("curl") is None:
        raise Skip("curl is not installed (Debian: curl)")
    with open(os.path.join(TOP, "start"), encoding="utf-8") as f:
        text = f.read().replace("\\\\\n", "")
    commands = [c for c in re.findall(r"^  (curl .*)$", text, re.M) if "$proxy_port" in c]
    same(len(commands) > 0, True, "commands of the greeting")
    for command in commands:
        # Without what the environment says of proxies.
        done = subprocess.run(["bash", "-c", command.replace("$proxy_port", str(site.port)).replace("curl ", "curl -sS --noproxy '*' ", 1)],
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        same(done.returncode, 0, done.stdout)
        same(json.loads(done.stdout)["offsets"][0]["error_code"], None, command)


def main():
    log = Log({"group.initial.rebalance.delay.ms": "0"})
    site = Site(log.address)
    passed, failed, skipped = claims.run(globals(), site)
    statuses, said = site.end()
    if [*statuses, log.end()] == [0, 0, 0]:
        passed += 1
    else:
        failed += 1
        print(f"FAIL: all_end_in_order: they ended with {statuses}")
    if failed:
        print("".join("  log: " + line for line in said.splitlines(True)[-20:]))
    claims.finish(passed, failed, skipped)


if __name__ == "__main__":
    main()
