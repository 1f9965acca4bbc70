#!/usr/bin/python3
"""clients_librdkafka_test.py -- builds clients_librdkafka.c in the build's folder,
and runs it on a daemon."""

import os
import subprocess

from claims import finish, run_client

PROGRAM = "tests/e2e/clients_librdkafka"

if __name__ == "__main__":
    build = os.environ.get("builddir", ".")
    made = subprocess.run(["make", "-s", PROGRAM], cwd=build, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if "No rule to make target" in made.stdout:
        print("skipped librdkafka: the build was configured without it (Debian: librdkafka-dev)")
        finish(0, 0, 1)
    if made.returncode != 0:
        print(made.stdout + "FAIL: clients_librdkafka.c builds")
        finish(0, 1)
    finish(*run_client([os.path.join(os.path.abspath(build), PROGRAM)]))
