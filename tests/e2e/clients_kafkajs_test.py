#!/usr/bin/python3
"""clients_kafkajs_test.py -- runs kafkajs/kafkajs_test.js, with kafkajs from npm
in a folder of its own, and counts with it that the daemon ends in order."""

import os
import re
import shutil
import subprocess
import tempfile

import weir_daemon
from claims import finish

HERE = os.path.dirname(os.path.abspath(__file__))


def skip(reason):
    print(f"skipped kafkajs: {reason}")
    finish(0, 0, 1)


def install(folder):
    """Has npm put what package-lock.json names into the folder, or skips."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            skip(f"{program} is not installed (Debian: nodejs npm)")
    for name in ("package.json", "package-lock.json", "kafkajs_test.js"):
        shutil.copy(os.path.join(HERE, "kafkajs", name), folder)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    if done.returncode != 0:
        said = next((line for line in done.stdout.splitlines() if " error " in line), "npm gave no reason")
        skip(f"npm could not get it: {said}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        install(folder)
        daemon = weir_daemon.start()
        done = subprocess.run(["node", "kafkajs_test.js", daemon.address], cwd=folder, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=150)
    *said, last = done.stdout.splitlines() or [""]
    print("\n".join(said))
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed", last)
    if counts is None:
        print(last)
    passed, failed = map(int, counts.groups()) if counts else (0, 1)
    status = daemon.stop()
    if status != 0:
        print(f"FAIL: daemon_ends_in_order: it ended with status {status}")
    passed, failed = passed + (status == 0), failed + (status != 0)
    if failed:
        print("".join("  log: " + line for line in daemon.said().splitlines(True)[-30:]))
    daemon.clean()
    finish(passed, failed)


if __name__ == "__main__":
    main()
