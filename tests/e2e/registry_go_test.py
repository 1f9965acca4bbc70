#!/usr/bin/python3
"""registry_go_test.py -- franz-go's client of schema registries, unmodified, from the Go module proxy: registry_go."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import registry_values
from claims import Skip

FETCH_S = 120


def go(*words):
    # No toolchain but the one that is there.
    return subprocess.run(["go", *words], cwd=os.path.join(HERE, "registry_go"), check=False, timeout=FETCH_S,
                          env={**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def prepare(place):
    if shutil.which("go") is None:
        raise Skip("go is not installed (Debian: golang-go, of 1.24 or later)")
    done = go("mod", "download")
    if done.returncode != 0:
        raise Skip(f"go could not get it: {(done.stdout.splitlines() or ['it gave no reason'])[0]}")
    done = go("build", "-buildvcs=false", "-o", os.path.join(place, "client"), ".")
    if done.returncode != 0:
        raise RuntimeError(f"it does not compile:\n{done.stdout}")


if __name__ == "__main__":
    registry_values.main("registry-go", prepare, lambda _: {"go": ["./client"]})
