"""A weir-logd of a test's own: started on a free port, on a folder of its own.

WEIR_LOGD names the program.  What it says goes to a file beside its data.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile

START_S = 30
STOP_S = 30


class Daemon:
    """A running daemon: .host, .port, .address, .dir (its data), .said() (its log)."""

    def __init__(self, process, ready, folder, data, own):
        self.process = process
        self.host, port = ready.rsplit(":", 1)
        self.port = int(port)
        self.address = ready
        self.dir = data
        self._folder = folder
        self._own = own

    def said(self):
        with open(os.path.join(self._folder, "log"), errors="replace") as f:
            return f.read()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """Ends it in order, and gives its exit status.  A second call is harmless."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._wait()

    def kill(self):
        """Ends it as a power cut would end the process."""
        if self.process.poll() is None:
            self.process.kill()
        return self._wait()

    def _wait(self):
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError("weir-logd did not end within %d s; it said:\n%s" % (STOP_S, self.said()))

    def clean(self):
        """Removes what it left on the disk, once it has ended."""
        self.kill()
        if self._own:
            shutil.rmtree(self._folder, ignore_errors=True)


def start(args=(), folder=None):
    """Starts a daemon with more options ("-o", "key=value").

    `folder` is where another one has run before; without it a new one is made,
    which clean() removes.
    """
    own = folder is None
    if own:
        folder = tempfile.mkdtemp(prefix="weir-e2e-")
    data = os.path.join(folder, "data")
    program = os.environ.get("WEIR_LOGD")
    if program is None:
        sys.exit("WEIR_LOGD is not set: let it name the weir-logd to test")
    read_end, write_end = os.pipe()
    with open(os.path.join(folder, "log"), "ab") as log:
        process = subprocess.Popen(
            [program, "-o", "listeners=PLAINTEXT://127.0.0.1:0", "-o", "log.dirs=" + data,
             *args, "--ready-fd", str(write_end)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(write_end,))
    os.close(write_end)
    # The pipe ends with the daemon, so this ends whatever happens.
    signal.signal(signal.SIGALRM, lambda *_: process.kill())
    signal.alarm(START_S)
    with os.fdopen(read_end) as pipe:
        line = pipe.readline()
    signal.alarm(0)
    if not line.startswith("ready "):
        process.kill()
        process.wait()
        with open(os.path.join(folder, "log"), errors="replace") as log:
            sys.exit("weir-logd did not start; it said:\n" + log.read())
    return Daemon(process, line.split()[1], folder, data, own)
