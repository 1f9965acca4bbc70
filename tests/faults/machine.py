"""machine -- a weir-logd that is killed, or whose filesystem loses what was not synced; for the programs of this folder.

WEIR_LOGD names the daemon.
"""
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from claims import freeze

FS_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NOLOGFLUSH = 2                # what is not on the disk yet is gone, the filesystem's log included


def skip(why):
    name = os.path.basename(sys.argv[0]).removesuffix(".py")
    print(f"skipped {name}: {why}")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)


class Disk:
    """Where the data folder lies: a folder, or a filesystem of its own in a file."""

    def __init__(self, kind, top, cuts):
        self.kind, self.top = kind, top
        self.mount_point = os.path.join(top, "mnt")
        self.image = os.path.join(top, "image")
        os.mkdir(self.mount_point)
        if kind == "kill":
            return
        if os.geteuid() != 0:
            skip("mounting a filesystem takes root")
        tool = shutil.which(f"mkfs.{kind}", path=os.environ["PATH"] + ":/sbin:/usr/sbin")
        if tool is None:
            skip(f"mkfs.{kind} is not installed")
        with open(self.image, "wb") as f:
            f.truncate((3 << 30) + cuts * (20 << 20))  # nothing is ever deleted; the file has holes
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([tool, "-q", self.image], check=True, **quiet)
        if subprocess.run(["mount", "-o", "loop", self.image, self.mount_point], **quiet).returncode != 0:
            skip(f"no loop device, or the kernel has no {kind}")

    @property
    def data(self):
        return os.path.join(self.mount_point, "data")

    def cut(self):
        """Nothing reaches the disk any more."""
        if self.kind == "kill":
            return
        fd = os.open(self.mount_point, os.O_RDONLY)
        fcntl.ioctl(fd, FS_IOC_SHUTDOWN, ctypes.c_uint32(NOLOGFLUSH))
        os.close(fd)

    def restore(self):
        if self.kind == "kill":
            return
        subprocess.run(["umount", self.mount_point], check=True)
        subprocess.run(["mount", "-o", "loop", self.image, self.mount_point], check=True)

    def remove(self):
        if self.kind != "kill":
            subprocess.run(["umount", "-l", self.mount_point], stderr=subprocess.DEVNULL)


class Daemon:
    """`settings`: more of them, by name."""

    def __init__(self, disk, port, log, settings):
        self.disk, self.port, self.log, self.settings = disk, port, log, settings
        self.process = None
        self.ready_fd = None

    def start(self):
        """Begins the start; ready() waits for it."""
        self.ready_fd, w = os.pipe()
        self.process = subprocess.Popen(
            [os.environ.get("WEIR_LOGD", "weir-logd"),
             "-o", f"listeners=PLAINTEXT://127.0.0.1:{self.port}", "-o", f"log.dirs={self.disk.data}",
             *[word for name, value in self.settings.items() for word in ("-o", f"{name}={value}")],
             "--ready-fd", str(w)], pass_fds=[w], stderr=self.log)
        os.close(w)

    def ready(self):
        fd, self.ready_fd = self.ready_fd, None
        with os.fdopen(fd) as f:
            if not f.readline().startswith("ready"):
                raise RuntimeError("logd did not start")

    def freeze(self):
        """
        Stops it between two system calls.  A power cut ends the machine; a filesystem's
        shutdown leaves it running, and an fsync under way then may return 0 although the
        transaction it waited for was thrown away (jbd2 counts an aborted one as over).
        """
        freeze(self.process)

    def cut(self):
        """Ends it as a power cut would; then the disk is there again, as it was left."""
        self.freeze()
        self.disk.cut()
        self.kill()
        self.disk.restore()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.ready_fd is not None:
            os.close(self.ready_fd)
            self.ready_fd = None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
