#!/usr/bin/python3
"""clients_libweir_test.py -- builds clients_libweir.c in the build's folder,
and runs it on a daemon."""

import os
import subprocess

from claims import finish, run_client

PROGRAM = "tests/e2e/clients_libweir"

if __name__ == "__main__":
    build = os.environ.get("builddir", ".")
    made = subprocess.run(["make", "-s", PROGRAM], cwd=build, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode != 0:
        print(made.stdout + "FAIL: clients_libweir.c builds")
        finish(0, 1)
    finish(*run_client([os.path.join(os.path.abspath(build), PROGRAM)],
                       {"auto.create.topics.enable": "false", "group.initial.rebalance.delay.ms": 0}))
