#!/usr/bin/python3
"""sys_faults_test.py -- in the real daemon one system call, or one allocation, goes wrong.

    sys_faults_test.py SECONDS              each row below in turn, at calls spread over a life, until time is up
    sys_faults_test.py every [STRIDE]       each row at every call (every STRIDE-th)
    sys_faults_test.py CALL ERROR HOW [N]   that row alone; with N at that call

A life of the daemon: a start on what earlier ones left, a mixed load (load.py), in some a snapshot, and its end, in
order or by SIGKILL.  In each the N-th call of some function fails, by shim.c.  The daemon goes on and answers what it can;
or it ends with a status, not by a signal, having told the cause and what to do.  Where memory is short it may
abort, having said that.  Then it is started with nothing in its way, and all that was promised must be there,
nothing else, and everything work.

WEIR_LOGD names the daemon.  The last line is "N passed, N failed"; a life in which the fault came is one.
"""
import errno
import os
import re
import shutil
import signal
import sys
import tempfile
import time

from fault import Life
from load import SETTINGS, Fault, Gone, Late, Load

LIVES = 30  # in one folder
SHORT = 0   # instead of an error
MEMORY = ("calloc", "malloc", "realloc")

# What the kernel may say, and how often.
ROWS = [(call, error, how) for call, errors, how in (
    ("open", (errno.EMFILE, errno.EIO, errno.ENOSPC, errno.EINTR), "once"),
    ("open", (errno.EMFILE, errno.ENOSPC), "on"),
    ("pread", (errno.EIO, errno.EINTR, SHORT), "once"),
    ("preadv2", (errno.EIO, errno.EINTR, errno.EAGAIN, SHORT), "once"),
    ("pwritev", (errno.EIO, errno.ENOSPC, errno.EINTR, SHORT), "once"),
    ("pwritev", (errno.EIO, errno.ENOSPC), "on"),
    ("pwrite", (errno.EIO, errno.ENOSPC, SHORT), "once"),
    ("pwrite", (errno.EIO, errno.ENOSPC), "on"),
    ("writev", (errno.EIO, errno.ENOSPC, SHORT), "once"),
    ("fdatasync", (errno.EIO, errno.ENOSPC, errno.EINTR), "once"),
    ("fdatasync", (errno.EIO,), "on"),
    ("fdatasync", (errno.EIO,), "lost"),
    ("fsync", (errno.EIO, errno.EINTR), "once"),
    ("fsync", (errno.EIO,), "on"),
    ("ftruncate", (errno.EIO, errno.EINTR), "once"),
    ("fstat", (errno.EIO,), "once"),
    ("link", (errno.EIO, errno.EMLINK), "once"),
    ("rename", (errno.EIO, errno.ENOSPC), "once"),
    ("unlink", (errno.EIO,), "once"),
    ("unlink", (errno.EIO,), "on"),
    ("mkdir", (errno.EIO, errno.ENOSPC), "once"),
    ("mkdir", (errno.ENOSPC,), "on"),
    ("rmdir", (errno.EIO,), "once"),
    ("opendir", (errno.EMFILE, errno.EIO), "once"),
    ("readdir", (errno.EIO,), "once"),
    ("statvfs", (errno.EIO,), "once"),
    ("flock", (errno.ENOLCK, errno.EINTR), "once"),
    ("getrandom", (errno.EINTR, SHORT), "once"),
    ("mmap", (errno.ENOMEM,), "once"),
    ("socket", (errno.EMFILE,), "once"),
    ("listen", (errno.EADDRINUSE,), "once"),
    ("accept4", (errno.EMFILE, errno.ENOBUFS, errno.EINTR, errno.ECONNABORTED), "once"),
    ("epoll_create1", (errno.EMFILE,), "once"),
    ("epoll_ctl", (errno.ENOMEM, errno.ENOSPC), "once"),
    ("epoll_wait", (errno.EINTR,), "once"),
    ("eventfd", (errno.EMFILE,), "once"),
    ("signalfd", (errno.EMFILE,), "once"),
    ("pthread_create", (errno.EAGAIN,), "once"),
    ("pthread_create", (errno.EAGAIN,), "on"),
    ("recv", (errno.EINTR, errno.ECONNRESET, errno.EAGAIN, SHORT), "once"),
    ("recv", (SHORT,), "on"),
    ("readv", (errno.EINTR, errno.ECONNRESET, SHORT), "once"),
    ("sendmsg", (errno.EINTR, errno.ECONNRESET, errno.EAGAIN, errno.ENOBUFS, SHORT), "once"),
    ("sendmsg", (SHORT,), "on"),
    *((call, (errno.ENOMEM,), "once") for call in MEMORY),
) for error in errors]


def name_of(row):
    call, error, how = row
    return f"{call} {errno.errorcode.get(error, 'short')} {how}"


class Place:
    """A folder that lives follow each other in, and its history."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="weir-faults-")
        self.lives = 0
        self.load = Load()

    def begin(self, fault=None):
        """The first lives; the very first meets the fault."""
        if fault is not None:
            first = Life(self.folder, SETTINGS, fault)
            try:
                if first.ready():
                    first.stop()
            finally:
                first.kill()
                first.lose()
            judge(first, fault)
        life = Life(self.folder, SETTINGS, shimmed=False)
        assert life.ready(), life.said()
        self.load.turn_to(life)
        self.load.make_topics()
        self.load.round(strict=True)
        self.load.check()
        self.end(life)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def end(self, life):
        """In order and by a signal by turns."""
        self.lives += 1
        self.load.drop()
        if self.lives % 2:
            life.kill()
        elif life.stop() != 0:
            raise Fault(f"it ended with status {life.process.returncode}, and said:\n{life.said()}")

    def live(self, fault):
        """One life with the fault, and one without; whether the fault came."""
        self.load.written = fault[3] != "lost"
        snapshots = os.path.join(self.folder, "snapshots")
        os.makedirs(snapshots)
        life = Life(self.folder, {**SETTINGS, "weir.snapshot.dir": snapshots}, fault)
        try:
            self.faulty(life)
        finally:
            life.kill()
            shutil.rmtree(snapshots)
            life.lose()
        judge(life, fault)
        came = life.happened() > 0
        self.load.written = True
        life = Life(self.folder, SETTINGS, shimmed=False)
        try:
            if not life.ready():
                raise Fault(f"it did not start any more, and said:\n{life.said()}")
            self.load.turn_to(life)
            self.load.settle()
            self.load.check()
            self.load.round(strict=True)
            self.end(life)
        finally:
            life.kill()
        return came

    def faulty(self, life):
        if not life.ready():
            return
        if self.lives % 3 == 0:
            life.process.send_signal(signal.SIGUSR2)
        self.load.turn_to(life)
        self.load.lasting = life.fault[3] == "on"
        try:
            self.load.round()
        except Gone:
            life.wait()
        except Late:
            pass
        finally:
            self.load.lasting = False
            self.load.drop()
        if self.lives % 4 < 2:
            life.stop()


def judge(life, fault):
    """How it ended, and what it said of that."""
    status, said = life.process.returncode, life.said()
    if status in (0, -signal.SIGKILL):
        return
    if status == -signal.SIGABRT and fault[0] in MEMORY:
        if "out of memory" not in said:
            raise Fault(f"it aborted without saying that memory is short; it said:\n{said}")
        return
    if status != 1:
        raise Fault(f"it ended with status {status}, and said:\n{said}")
    if not any(re.match(r"\S+ error |weir-logd: ", line) for line in said.splitlines()):
        raise Fault(f"it ended with status 1 without a line of level error; it said:\n{said}")
    if fault[0] in MEMORY + ("mmap",):
        cause = "memory"
    else:
        cause = os.strerror(fault[2]) if fault[2] != SHORT else ""
    if cause not in said or not (cause == "memory" or re.search("action=|; raise ", said)):
        raise Fault(f"it ended without saying why ({cause}), or what to do; it said:\n{said}")


class Run:
    def __init__(self):
        self.place, self.passed, self.failed, self.lives = None, 0, 0, 0

    def again(self, fault):
        self.finish_place()
        self.lives = 0
        self.place = Place()
        self.place.begin(fault)

    def try_one(self, row, n):
        """Whether the fault came."""
        fault = (row[0], n, row[1], row[2])
        try:
            if self.place is None or self.lives >= LIVES:
                self.again(fault)
            self.lives += 1
            came = self.place.live(fault)
        except (Fault, AssertionError) as error:
            self.failed += 1
            print(f"FAIL: {name_of(row)} at call {n}, the {self.lives}th life in its folder: {error}", flush=True)
            self.finish_place()
            return True
        self.passed += came
        return came

    def finish_place(self):
        if self.place is not None:
            self.place.remove()
        self.place = None

    def finish(self):
        self.finish_place()
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(0 if self.failed == 0 else 1)


def measure():
    """How often each call is made in a life."""
    place = Place()
    place.begin()
    most = {}
    for _ in range(2):
        life = Life(place.folder, SETTINGS)
        assert life.ready(), life.said()
        place.load.turn_to(life)
        place.load.round()
        place.load.drop()
        assert life.stop() == 0, life.said()
        for call, n in life.counts().items():
            most[call] = max(n, most.get(call, 0))
    place.remove()
    return most


def spread(run, rows, seconds):
    """All rows in turn, each time at another of its calls."""
    end = time.monotonic() + seconds
    most = measure()
    step = 0
    while time.monotonic() < end:
        for i, row in enumerate(rows):
            if time.monotonic() >= end:
                return
            # Golden sections of a life: near its begin first, then wherever none was yet.
            part = (step * 0.618034 + i * 0.381966) % 1
            run.try_one(row, 1 + int(part * most[row[0]]))
        step += 1


def every(run, rows, stride):
    for row in rows:
        before, missed, n = run.passed, 0, 1
        # The order of threads differs a little from life to life: the end is where it stays away.
        while missed < 3:
            missed = 0 if run.try_one(row, n) else missed + 1
            n += stride
        print(f"{name_of(row)}: {run.passed - before} lives", flush=True)


def main():
    words = sys.argv[1:]
    run = Run()
    if words[0] == "every":
        every(run, ROWS, int(words[1]) if len(words) > 1 else 1)
    elif len(words) == 1:
        spread(run, ROWS, float(words[0]))
    else:
        row = (words[0], getattr(errno, words[1]) if words[1] != "short" else SHORT, words[2])
        if len(words) > 3:
            run.try_one(row, int(words[3]))
        else:
            every(run, [row], 1)
    run.finish()


main()
