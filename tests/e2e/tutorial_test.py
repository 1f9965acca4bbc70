#!/usr/bin/python3
"""tutorial_test.py -- types what docs/tutorial.md says, as it stands, and
compares what it shows.

The boxes of the page are its fenced blocks.  `./start` alone in a box goes into
the first terminal, Ctrl-C having stopped what runs there; the others go into one
shell, the second terminal.  A box "text" after them holds lines that the
terminal shows; where it says "numbers-differ", numbers stand for others.

It runs in a folder with ./start in it, and with WEIR_LOGD set, so that nothing
is built: the programs of the page's build are those beside that.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from claims import finish, until

TOP = os.path.abspath(os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "..", "..")))
PAGE = os.path.join(TOP, "docs", "tutorial.md")
PORTS = (9092, 8081, 8082, 8443)
BOX_SECONDS = 60
COPIED = (".ci", "nginx-conf") # what ./start needs beside it


def boxes(page):
    """(heading, kind, text) of each fenced block, the heading being the last before it."""
    heading = ""
    for match in re.finditer(r"^## (.*)$|^```(.+)\n((?:.*\n)*?)```$", page, re.MULTILINE):
        if match[1] is not None:
            heading = match[1]
        else:
            yield heading, match[2], match[3]


class FirstTerminal:
    """Where ./start runs."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self.path = os.path.join(folder, ".first-terminal")

    def shown(self):
        with open(self.path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def type(self, command):
        if self.process is not None:
            self.ctrl_c()
        with open(self.path, "wb") as log:
            self.process = subprocess.Popen(["bash", "-c", command], cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        until("./start is up", lambda: self.process.poll() is not None or "Ctrl-C stops" in self.shown(), BOX_SECONDS)
        assert self.process.poll() is None, f"./start ended:\n{self.shown()}"

    def ctrl_c(self):
        # As a terminal does: to all that runs in it.
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(BOX_SECONDS)
        self.process = None
        assert self.shown().endswith("start: stopped\n"), self.shown()

    def close(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class SecondTerminal:
    """A shell that lives as long as the page."""

    END = "--- end of the box ---"

    def __init__(self, folder):
        self.shell = subprocess.Popen(["bash"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)

    def type(self, commands):
        """Runs them; returns what is shown, and the status of the last."""
        self.shell.stdin.write(f"{commands}printf '\\n{self.END} %d\\n' $?\n")
        self.shell.stdin.flush()
        # What hangs is ended, so that what it shows has an end.
        timer = threading.Timer(BOX_SECONDS, os.killpg, (self.shell.pid, signal.SIGKILL))
        timer.start()
        shown = []
        for line in self.shell.stdout:
            if line.startswith(self.END):
                timer.cancel()
                return "".join(shown)[:-1], int(line.split()[-1])
            shown.append(line)
        raise AssertionError(f"it took more than {BOX_SECONDS} s, having shown:\n{''.join(shown)}")

    def close(self):
        try:
            os.killpg(self.shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.shell.wait()


class Page:
    """Compares what the page shows with what is shown.

    Where numbers differ, those of six digits are counts, and keep their
    differences: what is one more on the page is one more here.
    """

    def __init__(self):
        self.difference = None

    def is_line(self, wanted, shown, numbers_differ):
        if not numbers_differ:
            return wanted == shown
        if re.sub(r"\d+", "0", wanted) != re.sub(r"\d+", "0", shown):
            return False
        for on_page, here in zip(re.findall(r"\d+", wanted), re.findall(r"\d+", shown)):
            if len(on_page) == 6:
                if self.difference is None:
                    self.difference = int(here) - int(on_page)
                if int(here) - int(on_page) != self.difference:
                    return False
        return True

    def check(self, shown, box, kind):
        """Each line of the box is a line that was shown; runs of spaces count as one.  In any order: what goes to
        standard output and to standard error by pipes does not meet as in a terminal."""
        lines = [" ".join(line.split()) for line in shown.splitlines()]
        for wanted in [" ".join(line.split()) for line in box.splitlines() if line.strip()]:
            found = next((line for line in lines if self.is_line(wanted, line, "numbers-differ" in kind)), None)
            assert found is not None, f"the page shows\n    {wanted}\nand this is shown:\n{shown[-2000:]}"
            lines.remove(found)


def walk(folder):
    """Does what the page says; returns how many boxes passed and failed."""
    with open(PAGE, encoding="utf-8") as file:
        text_of_page = file.read()
    page = Page()
    first, second = FirstTerminal(folder), SecondTerminal(folder)
    passed, shown = 0, ""
    try:
        for heading, kind, text in boxes(text_of_page):
            began = time.monotonic()
            if kind == "sh" and text == "./start\n":
                first.type(text)
                shown = first.shown()
            elif kind == "sh":
                if heading.startswith("Leave"):
                    first.ctrl_c()
                shown, status = second.type(text)
                # What was told to end with SIGTERM, and waited for, may say so.
                assert status in (0, 128 + signal.SIGTERM), f"status {status} of\n{text}\n{shown}"
            else:
                page.check(shown, text, kind)
            passed += 1
            print(f"ok {heading}: {text.splitlines()[0]} ({time.monotonic() - began:.1f} s)")
    except AssertionError as error:
        print(f"FAIL: {heading}: {text}\n{error}\nThe first terminal:\n{first.shown()[-3000:]}")
        return passed, 1
    finally:
        second.close()
        first.close()
    return passed, 0


def left_behind(folder):
    """What the page has made and not taken away."""
    return sorted(set(os.listdir(folder)) - {"start", "build", ".first-terminal", *COPIED})


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def skip(reason):
    print(f"skipped tutorial: {reason}")
    finish(0, 0, 1)


if __name__ == "__main__":
    for program in ("kcat", "dpkg-query", "pkill", "curl", "nginx"):
        if shutil.which(program) is None:
            skip(f"{program} is not installed, which the page uses")
    for port_ in PORTS:
        if not is_free(port_):
            skip(f"port {port_}, which the page uses, is taken")
    if "WEIR_LOGD" not in os.environ:
        sys.exit("WEIR_LOGD is not set: let it name the weir-logd to test")
    with tempfile.TemporaryDirectory() as place:
        shutil.copy(os.path.join(TOP, "start"), place)
        for folder_ in COPIED:
            shutil.copytree(os.path.join(TOP, folder_), os.path.join(place, folder_))
        os.symlink(os.path.dirname(os.path.abspath(os.environ["WEIR_LOGD"])), os.path.join(place, "build"))
        passed_, failed_ = walk(place)
        if failed_ == 0 and left_behind(place):
            print(f"FAIL: the page leaves behind {left_behind(place)}")
            failed_ = 1
    finish(passed_, failed_)
