#!/usr/bin/python3
"""registry_migration_test.py -- runs the commands of docs/registry-migration.md, in their order, and compares what it shows.

The old registry is one of Weir's, as clients can't tell. What is said by the topic is asked of that registry itself,
which shares its topic; what is exported goes into two others, one for each way.
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claims
import registry_site
import tutorial_test
from claims import same

PAGE = os.path.join(registry_site.TOP, "docs", "registry-migration.md")
PROGRAMS = os.path.dirname(os.path.abspath(os.environ["WEIR_LOGD"]))
SCRIPT = "python3 export.py"


def fill(site):
    """What a registry may have that is to be moved."""
    record = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
    made = site.register("a/b", record)
    same((made.status, site.register("refers", '"R"', references=[{"name": "R", "subject": "a/b", "version": 1}]).status), (200, 200))
    same([site.register(s, '"int"').status for s in ("gone", ":.ctx:there")], [200, 200])
    same(site.ask("PUT", "/config", {"compatibility": "FULL"}).status, 200)
    return made.json["id"]


def run(box, folder, old, new):
    """What it shows; it must not fail, but where a count of 0 is no failure."""
    for name, place in [("http://old.example.org:8081", f"http://127.0.0.1:{old.port}"), ("http://localhost:8081", f"http://127.0.0.1:{new.port}"),
                        ("kafka.example.org:9092", old.daemon.address)]:
        box = box.replace(name, place)
    done = subprocess.run(["bash", "-ec", box.replace("before.jsonl\ngrep -c", "before.jsonl\n! grep -c")], cwd=folder, text=True,
                          env={**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False)
    same(done.returncode, 0, f"status of\n{box}\n{done.stdout}")
    return done.stdout


def test_the_page_s_commands_do_what_it_says(sites):
    old, by_export, by_script = sites
    number = fill(old)
    with open(PAGE, encoding="utf-8") as f:
        boxes = list(tutorial_test.boxes(f.read()))
    shown, ran, page = "", 0, tutorial_test.Page()
    with tempfile.TemporaryDirectory() as folder:
        for heading, kind, box in boxes:
            new = by_script if SCRIPT in box else by_export if heading == "By export and import" else old
            if kind == "sh":
                shown, ran = run(box, folder, old, new), ran + 1
            else:
                page.check(shown, box, kind)
    same(ran, 7, "boxes")
    for site in by_export, by_script:
        same(site.ask("GET", "/subjects/a%2Fb/versions/1").json["id"], number, "id")
        same(site.ask("GET", "/subjects?subjectPrefix=").json, old.ask("GET", "/subjects?subjectPrefix=").json)
        same(site.ask("GET", "/config").json, {"compatibilityLevel": "FULL"})
        same(site.register("a/b", '{"type":"record","name":"R","fields":[]}').json["error_code"], 409)
    same(by_export.ask("GET", "/subjects").json, old.ask("GET", "/subjects").json)
    same((old.ask("GET", "/mode").json, by_export.ask("GET", "/mode").json), ({"mode": "READONLY"}, {"mode": "READWRITE"}))


if __name__ == "__main__":
    running = [registry_site.Site() for _ in range(3)]
    passed, failed, skipped = claims.run(globals(), running)
    for what in [w for site in running for w in site.end()]:
        failed += 1
        print(f"FAIL: end_in_order: {what}")
    claims.finish(passed, failed, skipped)
