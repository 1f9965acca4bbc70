#!/usr/bin/python3
"""browser_test.py -- a browser's own fetch() produces, consumes and registers: Chromium
without a window, on a document of the same origin, by TLS and HTTP/2 through the
shipped nginx configuration.

It is driven by its debugging pipe.  The package is not among those that ./check
installs: with what it needs it takes more than 300 MB.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

import weir_web
from claims import finish, run, same, until

ANSWER_S = 30
RECORDS = 500


def find_browser():
    for name in "chromium-headless-shell", "chromium":
        if shutil.which(name):
            return shutil.which(name)
    return None


def key_hash(certificate):
    """The hash of a certificate's key, by which a browser can be told to trust it."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], check=True, stdout=subprocess.PIPE).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], check=True, input=key, stdout=subprocess.PIPE).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class Browser:
    """Chromium with one page; messages are JSON that ends with a zero, by descriptors 3 and 4 of the browser."""

    def __init__(self, program, folder, certificate, url):
        self.log = os.path.join(folder, "browser.log")
        down, self._to = os.pipe()
        self._from, up = os.pipe()
        arguments = [program, "--headless", "--remote-debugging-pipe", f"--user-data-dir={folder}/profile", "--no-first-run",
                     "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
                     f"--ignore-certificate-errors-spki-list={key_hash(certificate)}",
                     *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        # The shell puts the pipes where they are expected, and is then replaced by the browser.
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["sh", "-c", f'exec "$@" 3<&{down} 4>&{up}', "sh", *arguments], pass_fds=(down, up),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        os.close(down)
        os.close(up)
        self._rest, self._id, self._session = b"", 0, None
        page = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        went = self._ask("Page.navigate", url=url)
        same(went.get("errorText"), None, f"how {url} opens")
        until("the page is there", lambda: self.evaluate("location.href + document.readyState") == url + "complete")

    def _receive(self):
        while b"\0" not in self._rest:
            piece = os.read(self._from, 1 << 20)
            if not piece:
                with open(self.log, encoding="utf-8", errors="replace") as log:
                    raise AssertionError("the browser ended; it said:\n" + log.read()[-2000:])
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def _ask(self, method, **params):
        self._id += 1
        message = {"id": self._id, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            got = self._receive()
            if got.get("id") == self._id:
                assert "error" not in got, got
                return got["result"]

    def evaluate(self, script):
        """What an expression of the page's gives; a promise is waited for."""
        got = self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, timeout=ANSWER_S * 1000)
        assert "exceptionDetails" not in got, got["exceptionDetails"]
        return got["result"].get("value")

    def end(self):
        os.close(self._to)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._from)


# What a page would have.
SCRIPT = """
globalThis.V2 = 'application/vnd.kafka.v2+json';
globalThis.JSON_V2 = 'application/vnd.kafka.json.v2+json';
globalThis.V1 = 'application/vnd.schemaregistry.v1+json';
globalThis.ask = async (method, path, body, type, accept) => {
	const answer = await fetch(path, { method, body: body === undefined ? undefined : JSON.stringify(body),
		headers: { ...(type && { 'Content-Type': type }), ...(accept && { Accept: accept }) } });
	const text = await answer.text();
	return { status: answer.status, type: answer.headers.get('Content-Type'), body: text ? JSON.parse(text) : null };
};
globalThis.records = Array.from({ length: %d }, (_, i) => ({ key: `key ${i %% 7}`, value: { i, text: '\\u00e9\\u4e16\\ud83d\\ude00 "\\\\\\n', half: i / 2 } }));
location.origin;
""" % RECORDS


class Page:
    def __init__(self, web, browser):
        self.web, self.browser = web, browser

    def run(self, body):
        """What the body of an asynchronous function returns."""
        return self.browser.evaluate("(async () => {" + body + "})()")


def test_the_page_has_the_origin_of_the_interfaces(page):
    same(page.browser.evaluate(SCRIPT), f"https://localhost:{page.web.tls}")
    same(page.browser.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol"), "h2")


def test_it_produces(page):
    got = page.run("return ask('POST', '/topics/browser', { records }, JSON_V2, V2);")
    same((got["status"], got["type"]), (200, "application/vnd.kafka.v2+json"), str(got)[:300])
    same([o["offset"] for o in got["body"]["offsets"]], list(range(RECORDS)), "offsets")


def test_it_consumes_what_it_produced(page):
    got = page.run("""
        const made = await ask('POST', '/consumers/browsers', { format: 'json', 'auto.offset.reset': 'earliest' }, V2);
        const at = new URL(made.body.base_uri).pathname, read = [];
        const steps = [made.status, (await ask('POST', at + '/subscription', { topics: ['browser'] }, V2)).status];
        for (let turn = 0; read.length < records.length && turn < 100; turn++)
            read.push(...(await ask('GET', at + '/records', undefined, undefined, JSON_V2)).body);
        steps.push((await ask('POST', at + '/offsets', undefined, V2)).status, (await ask('DELETE', at, undefined, V2)).status);
        return { steps, sameOrigin: made.body.base_uri.startsWith(location.origin), read: read.length,
            equal: JSON.stringify(read.map(({ key, value }) => ({ key, value }))) === JSON.stringify(records) };""")
    same(got, {"steps": [200, 204, 200, 204], "sameOrigin": True, "read": RECORDS, "equal": True})


def test_others_read_what_it_produced(page):
    kcat = subprocess.run(["kcat", "-b", page.web.daemon.address, "-C", "-q", "-t", "browser", "-o", "beginning", "-e", "-f", "%k %s\n"],
                          check=True, timeout=30, stdout=subprocess.PIPE).stdout.decode()
    wanted = page.run("return records.map(r => JSON.stringify(r.key) + ' ' + JSON.stringify(r.value));")
    same(kcat.splitlines() == wanted, True, "the bytes as the browser's JSON.stringify() has them")


def test_it_produces_a_stream_and_reads_receipts(page):
    got = page.run("""
        const cluster = (await ask('GET', '/v3/clusters')).body.data[0].cluster_id;
        const body = records.slice(0, 100).map(r => JSON.stringify({ value: { type: 'JSON', data: r.value } })).join('\\n');
        const answer = await fetch(`/v3/clusters/${cluster}/topics/browser/records`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        let text = '';
        for (let piece; !(piece = await reader.read()).done;) text += piece.value;
        const receipts = text.trim().split('\\r\\n').map(JSON.parse);
        return { status: answer.status, codes: [...new Set(receipts.map(r => r.error_code))], offsets: receipts.map(r => r.offset) };""")
    same((got["status"], got["codes"]), (200, [200]))
    same(got["offsets"], list(range(RECORDS, RECORDS + 100)), "offsets")


def test_it_registers_and_reads_a_schema(page):
    got = page.run("""
        const schema = JSON.stringify({ type: 'record', name: 'Event', fields: [{ name: 'i', type: 'int' }] });
        const made = await ask('POST', '/subjects/browser-value/versions', { schema }, V1);
        const read = await ask('GET', `/schemas/ids/${made.body.id}`, undefined, undefined, V1);
        return { statuses: [made.status, read.status], equal: read.body.schema === schema, subjects: (await ask('GET', '/subjects')).body };""")
    same(got, {"statuses": [200, 200], "equal": True, "subjects": ["browser-value"]})


def test_errors_are_answers_that_it_can_read(page):
    for method, path, status, code in (("GET", "/topics/none", 404, 40403), ("GET", "/consumers/g/instances/none/records", 404, 40403),
                                       ("GET", "/subjects/none/versions", 404, 40401), ("GET", "/nothing", 404, 404), ("PUT", "/topics", 405, 405)):
        got = page.run(f"return ask('{method}', '{path}');")
        same((got["status"], got["body"]["error_code"]), (status, code), f"{method} {path}")


if __name__ == "__main__":
    chromium = find_browser()
    if chromium is None:
        print("skipped browser: no Chromium is installed (apt-get install chromium-headless-shell; "
              "./check does not, as it takes 300 MB)")
        finish(0, 0, 1)
    whole = weir_web.Web()
    with tempfile.TemporaryDirectory() as place:
        driven = Browser(chromium, place, whole.certificate, f"https://localhost:{whole.tls}/-/healthy")
        counts = run(globals(), Page(whole, driven), seconds=60)
        driven.end()
    counts = weir_web.end(whole, *counts)
    sys.stdout.flush()
    finish(*counts)
