"""kafka_jars -- Apache Kafka's own programs, as pom.xml names them, from Maven Central.

They are fetched once.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../e2e"))

import kept
from claims import Skip

FETCH_S = 300
# The second compiler costs more than it gains within the life of a test.
JAVA = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Dlog4j2.level=ERROR"]


def fetch(profile):
    """The class path of a profile of pom.xml; raises Skip with the reason where it can't be had."""
    for program in ("java", "javac", "mvn"):
        if shutil.which(program) is None:
            raise Skip(f"{program} is not installed (Debian: default-jdk-headless maven)")
    pom = os.path.join(HERE, "pom.xml")
    with open(pom, "rb") as f:
        made_of = hashlib.sha256(f.read()).hexdigest()[:16]
    return os.path.join(kept.folder(f"{profile}-{made_of}", lambda path: _maven(pom, profile, path)), "*")


def _maven(pom, profile, folder):
    try:
        done = subprocess.run(["mvn", "-B", "-q", "-f", pom, "-P", profile, "dependency:copy-dependencies",
                               "-DoutputDirectory=" + folder], check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=FETCH_S)
    except subprocess.TimeoutExpired:
        raise Skip(f"Maven did not get it within {FETCH_S} s") from None
    if done.returncode != 0:
        said = next((line for line in done.stdout.splitlines() if "ERROR" in line), "it gave no reason")
        raise Skip(f"Maven could not get it: {said}")


class Toolbox:
    """A virtual machine that runs Kafka's command-line tools (Toolbox.java)."""

    def __init__(self):
        self._command = [*JAVA, "-cp", fetch("kafka"), os.path.join(HERE, "Toolbox.java")]
        self._start()

    def _start(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, main, *arguments, given="", status=0):
        """Runs a tool, by its class; returns what it printed, both streams together, once it has ended with this status."""
        request = {"main": main, "arguments": list(map(str, arguments)), "input": given}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            # As where a tool doesn't understand its arguments: that ends it before what Toolbox.java can catch.
            self._process.wait()
            self._start()
            raise AssertionError(f"the virtual machine ended during {main} {' '.join(request['arguments'])}")
        answer = json.loads(line)
        said = answer["out"] + answer["err"]
        if answer["status"] != status:
            raise AssertionError(f"{main} {' '.join(request['arguments'])}: ended with {answer['status']}, "
                                 f"not {status}; it said:\n{said}")
        return said

    def close(self):
        self._process.stdin.close()
        self._process.wait(30)
