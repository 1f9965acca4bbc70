#!/usr/bin/python3
"""clients_kafkajs_test.py -- runs kafkajs/kafkajs_test.js, with kafkajs from npm
in a folder of its own."""

import os
import shutil
import subprocess
import tempfile

from claims import finish, run_client

HERE = os.path.dirname(os.path.abspath(__file__))


def install(folder):
    """Has npm put what package-lock.json names into the folder; returns why that can't be."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian: nodejs npm)"
    for name in ("package.json", "package-lock.json", "kafkajs_test.js"):
        shutil.copy(os.path.join(HERE, "kafkajs", name), folder)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    if done.returncode != 0:
        said = next((line for line in done.stdout.splitlines() if " error " in line), "npm gave no reason")
        return f"npm could not get it: {said}"
    return None


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        reason = install(place)
        if reason is None:
            results = run_client(["node", "kafkajs_test.js"], cwd=place)
        else:
            print(f"skipped kafkajs: {reason}")
            results = 0, 0, 1
    finish(*results)
