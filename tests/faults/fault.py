"""fault -- a weir-logd with shim.c before its libc; for the programs of this folder.

WEIR_LOGD names the daemon; builddir is where shim.so was built.
"""
import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time

START_S, STOP_S = 60, 60
PAGE_BYTES, NAME_BYTES, BLOCK, SLOTS = 4096, 16, 4096, 16384
SLOT = struct.Struct("iiQQq")
SLOT_BYTES = SLOT.size + BLOCK
FREE = 0


def shim():
    path = os.path.join(os.environ.get("builddir", "."), "tests/faults/shim.so")
    if not os.path.exists(path):
        sys.exit(f"{path} is not there: make tests/faults/shim.so")
    return os.path.abspath(path)


class Life:
    """One process, from its start to its end.

    `fault`: (call, n, errno or 0, how), see shim.c; or None.  With `shimmed` false there is
    nothing between it and libc at all.  `before` is called in the child, before the daemon.
    """

    def __init__(self, folder, settings, fault=None, shimmed=True, before=None):
        self.folder, self.fault = folder, fault
        self.log = tempfile.TemporaryFile()
        self.page = self.page_file = self.lost = None
        environment = dict(os.environ)
        if shimmed:
            environment.update(self.shim_variables())
        self.ready_fd, write_end = os.pipe()
        self.process = subprocess.Popen(
            [os.environ.get("WEIR_LOGD", "weir-logd"), "-o", "listeners=PLAINTEXT://127.0.0.1:0",
             "-o", "log.dirs=" + os.path.join(folder, "data"),
             *[word for name, value in settings.items() for word in ("-o", f"{name}={value}")], "--ready-fd", str(write_end)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, pass_fds=(write_end,), env=environment, preexec_fn=before)
        os.close(write_end)
        self.host = self.port = None

    def shim_variables(self):
        self.page_file = tempfile.NamedTemporaryFile()
        self.page_file.truncate(PAGE_BYTES)
        self.page = mmap.mmap(self.page_file.fileno(), PAGE_BYTES)
        variables = {"LD_PRELOAD": shim(), "WEIR_FAULT_PAGE": self.page_file.name}
        if self.fault is not None:
            variables["WEIR_FAULT"] = "%s %d %d %s" % self.fault
            if self.fault[3] == "lost":
                self.lost = tempfile.NamedTemporaryFile()
                self.lost.truncate(SLOTS * SLOT_BYTES)
                variables["WEIR_FAULT_LOST"] = self.lost.name
        return variables

    # ---- what the shim tells, and is told ----

    def set_clock(self, ahead_s):
        self.page[:8] = struct.pack("q", ahead_s * 1000)

    def happened(self):
        return struct.unpack_from("q", self.page, 8)[0]

    def counts(self):
        """How often each call was made so far."""
        counts, at = {}, 16
        while at + NAME_BYTES + 8 <= PAGE_BYTES and self.page[at]:
            name, n = struct.unpack_from(f"{NAME_BYTES}sq", self.page, at)
            counts[name.rstrip(b"\0").decode()] = n
            at += NAME_BYTES + 8
        return counts

    # ---- its life ----

    def ready(self):
        """Whether it has come up; else it has ended."""
        end = time.monotonic() + START_S
        said = b""
        with os.fdopen(self.ready_fd, "rb", buffering=0) as pipe:
            while not said.endswith(b"\n"):
                if not select.select([pipe], [], [], max(0, end - time.monotonic()))[0]:
                    raise AssertionError(f"it neither came up nor ended within {START_S} s; it said:\n{self.said()}")
                piece = pipe.read(200)
                if not piece:
                    self.wait()
                    return False
                said += piece
        self.host, port = said.decode().split()[1].rsplit(":", 1)
        self.port = int(port)
        return True

    def stop(self):
        """Ends it in order; its status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        return self.wait()

    def wait(self):
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not end within {STOP_S} s; it said:\n{self.said()}") from None
        return self.process.returncode

    def said(self):
        # Not by seeking: the daemon writes where that would be.
        return os.pread(self.log.fileno(), os.fstat(self.log.fileno()).st_size, 0).decode(errors="replace")

    def lose(self):
        """Once it has ended: has the disk forget what was not synced, and what failed to be.  How many blocks that were."""
        if self.lost is None:
            return 0
        files = {}
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                st = os.lstat(path)
                files[st.st_dev, st.st_ino] = path
        n = 0
        # Only what was touched of the file is there to be read.
        with open(self.lost.name, "rb") as f:
            end = os.fstat(f.fileno()).st_size
            at = 0
            while at < end:
                try:
                    at = os.lseek(f.fileno(), at, os.SEEK_DATA)
                except OSError:
                    break
                first = at // SLOT_BYTES
                hole = min(os.lseek(f.fileno(), at, os.SEEK_HOLE), end)
                last = (hole + SLOT_BYTES - 1) // SLOT_BYTES
                for slot in range(first, last):
                    n += self.lose_slot(os.pread(f.fileno(), SLOT_BYTES, slot * SLOT_BYTES), files)
                at = max(hole, last * SLOT_BYTES)
        return n

    @staticmethod
    def lose_slot(slot, files):
        state, had, device, inode, at = SLOT.unpack_from(slot)
        path = files.get((device, inode))
        if state == FREE or path is None:
            return 0
        size = os.path.getsize(path)
        if size > at:
            with open(path, "r+b") as f:
                f.seek(at)
                f.write((slot[SLOT.size:SLOT.size + had] + bytes(BLOCK - had))[:size - at])
        return 1
