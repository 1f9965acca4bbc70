#!/usr/bin/python3
"""registry_tool_test.py -- schema-registry-cli, unmodified, from crates.io: schemas managed from the command line.

    registry_tool_test.py [build]       build: compiles it first, where it is not there yet
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claims
import kept
import registry_site
import registry_values
from claims import Skip, same

NAME, VERSION = "schema-registry-cli", "2.1.0"
KEPT = f"{NAME}-{VERSION}"
BUILD_S = 1200


class Tool:
    """The program at a registry, in a folder with schemas."""

    def __init__(self, program, site, folder):
        self.program, self.site, self.folder = program, site, folder

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as f:
            f.write(text)

    def run(self, group, command, *words, status=0):
        """What it printed, both streams together, once it has ended with this status."""
        done = subprocess.run([self.program, group, command, "-u", f"http://127.0.0.1:{self.site.port}", *words],
                              cwd=self.folder, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        same(done.returncode, status, f"status of {group} {command} {' '.join(words)}, which said {done.stdout}")
        return done.stdout


def compile_it(path):
    if shutil.which("cargo") is None:
        raise Skip("cargo is not installed (Debian: cargo)")
    # Its own lock file has the versions and checksums of all that it needs.
    done = subprocess.run(["cargo", "install", "--quiet", "--debug", "--locked", "--root", path, f"{NAME}@{VERSION}"], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=BUILD_S)
    if done.returncode != 0:
        said = next((line for line in done.stdout.splitlines() if line.startswith("error")), "it gave no reason")
        raise Skip(f"cargo could not make it: {said}")


def program():
    if "build" not in sys.argv and not kept.is_there(KEPT):
        raise Skip("it is not compiled, which takes minutes: make check-long-registry-tool")
    return os.path.join(kept.folder(KEPT, compile_it), "bin", NAME)


def holds(said, *pieces):
    for piece in pieces:
        if piece not in said:
            raise AssertionError(f"{piece!r} is not in what it said:\n{said}")


def test_schemas_are_registered(tool):
    holds(tool.run("subject", "register", "-s", "tool-value", "event.avsc"), "Registered schema id: 1")
    holds(tool.run("subject", "register", "-s", "tool-value", "event.avsc"), "Registered schema id: 1")
    holds(tool.run("subject", "register", "note.avsc"), "Registered schema id: 2")
    holds(tool.run("subject", "list"), "Found 2 subjects", "Subject 'note', schema [Avro] #2 v1", "Subject 'tool-value', schema [Avro] #1 v1")
    holds(tool.run("subject", "list", "no"), "Found 1 subjects", "Subject 'note'")
    same(tool.run("schema", "get", "1").strip(), tool.site.ask("GET", "/subjects/tool-value/versions/1/schema").body.decode())
    holds(tool.run("schema", "get", "77"), "No schema with id 77 found")


def test_compatibility_is_told(tool):
    holds(tool.run("subject", "check", "-s", "tool-value", "note.avsc"), "the schema is compatible")
    for more in [], ["--version", "1"], ["-v"]:
        holds(tool.run("subject", "check", "-s", "tool-value", *more, "other.avsc"), "the schema is NOT compatible")
    holds(tool.run("subject", "register", "-s", "tool-value", "other.avsc", status=1), "error_code: 409",
          'Schema being registered is incompatible with an earlier schema for subject \\"tool-value\\"')


def test_subjects_are_deleted(tool):
    holds(tool.run("subject", "delete", "-s", "tool-value", "--permanent", status=1), "error_code: 40405",
          "Subject 'tool-value' was not deleted first before being permanently deleted")
    holds(tool.run("subject", "delete", "-s", "tool-value"), "Delete 1 versions\n1")
    holds(tool.run("subject", "delete", "-s", "tool-value", "--permanent"), "Delete 1 versions\n1")
    holds(tool.run("subject", "delete", "-s", "note", "--version", "1"), "Delete 1 versions\n1")
    holds(tool.run("subject", "list"), "No subject")


def test_schemas_are_shared(tool):
    tool.write("shared.avsc", registry_values.EVENT)
    given = registry_values.written(tool.site, "by python")
    number = int.from_bytes(given[1:5], "big")
    holds(tool.run("subject", "register", "-s", registry_values.SUBJECT, "shared.avsc"), f"Registered schema id: {number}")
    holds(tool.run("schema", "get", "-s", registry_values.SUBJECT, str(number)), '"name":"Event"')


def main():
    try:
        path = program()
    except Skip as reason:
        print(f"skipped registry-tool: {reason}")
        claims.finish(0, 0, 1)
    site = registry_site.Site()
    with tempfile.TemporaryDirectory() as folder:
        tool = Tool(path, site, folder)
        for name, more in ("event", ""), ("note", ',{"name":"note","type":"string","default":""}'), ("other", ',{"name":"x","type":"int"}'):
            tool.write(f"{name}.avsc", '{"type":"record","name":"Event","fields":[{"name":"id","type":"long"}%s]}' % more)
        passed, failed, skipped = claims.run(globals(), tool)
    for what in site.end():
        failed += 1
        print(f"FAIL: end_in_order: {what}")
    claims.finish(passed, failed, skipped)


if __name__ == "__main__":
    main()
