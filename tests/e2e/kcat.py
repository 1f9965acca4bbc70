"""kcat -- kcat for the tests of this folder: one that runs to its end, and one
that is a member of a group."""

import os
import re
import signal
import subprocess

from claims import same


def kcat(daemon, *arguments, data=None):
    """What it writes to standard output; its end must be a good one."""
    text = data.encode() if isinstance(data, str) else data
    done = subprocess.run(["kcat", "-b", daemon.address, "-q", *arguments], timeout=40, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **source(text))
    assert done.returncode == 0, f"kcat {arguments} ended with {done.returncode}: {done.stderr.decode()}"
    return done.stdout.decode()


def source(text):
    return {"stdin": subprocess.DEVNULL} if text is None else {"input": text}


class Member:
    """kcat -G, writing "partition offset value" lines, or others, to a file."""

    failure = None  # balanced() asks; here it is the exit status that tells

    def __init__(self, daemon, group, topic, name, line="%p %o %s\n"):
        self.path = os.path.join(os.path.dirname(daemon.dir), f"{group}-{name}")
        self.err_path = self.path + ".err"
        with open(self.path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                ["kcat", "-b", daemon.address, "-u", "-G", group, "-X", "auto.offset.reset=earliest",
                 "-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=300",
                 "-X", "auto.commit.interval.ms=100", "-f", line, topic],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def records(self):
        with open(self.path, encoding="utf-8") as out:
            return [line.rstrip("\n") for line in out if line.endswith("\n")]

    @property
    def assigned(self):
        """The partitions of its last assignment; none after a revocation."""
        with open(self.err_path, encoding="utf-8") as err:
            said = err.read()
        last = [line for line in said.splitlines() if "rebalanced" in line][-1:]
        if not last or "assigned:" not in last[0]:
            return set()
        return {int(p) for p in re.findall(r"\[(\d+)\]", last[0].split("assigned:")[1])}

    def leave(self):
        """SIGTERM: it commits, and leaves the group."""
        self.process.send_signal(signal.SIGTERM)
        same(self.process.wait(30), 0, "a member's end")

    def die(self):
        """SIGKILL: the group finds out by itself."""
        self.process.kill()
        self.process.wait(30)
