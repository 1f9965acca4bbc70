"""claims -- what the test programs of this folder share beside the daemon: how
they count, compare and wait, and on which ports they listen.

    def test_metadata_names_the_daemon(daemon): ...

    if __name__ == "__main__":
        main(globals(), {"num.partitions": 4})

Functions whose names begin with test_ run in their order in the file, each with
the running daemon; one that raises has failed, one that raises Skip could not run.
"""

import faulthandler
import glob
import inspect
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import traceback

import weir_daemon


class Skip(Exception):
    """Its text is the reason."""


def until(what, condition, seconds=30):
    """Waits until condition() is true, and returns what it is; raises where it doesn't become so."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def same(got, wanted, what="value"):
    """Asserts that both are equal."""
    if got != wanted:
        raise AssertionError(f"{what}: got {str(got)[:600]}, wanted {str(wanted)[:600]}")


def refused(what, call, *exceptions):
    """Asserts that call() raises one of the exceptions, and returns it."""
    try:
        call()
    except exceptions as error:
        return error
    raise AssertionError(f"{what} was not refused")


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(n):
    """Ports that are free now, all different: below those that the kernel gives to any connection of another test."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        first = int(f.read().split()[0])
    chance = random.SystemRandom()
    ports = []
    while len(ports) < n:
        port = chance.randrange(10000, max(first, 20000))
        if port not in ports and is_free(port):
            ports.append(port)
    return ports


def freeze(process):
    """Stops a process until SIGCONT.  A signal alone takes a while to reach each of its threads."""
    process.send_signal(signal.SIGSTOP)

    def stopped():
        for stat in glob.glob(f"/proc/{process.pid}/task/*/stat"):
            with open(stat) as f:
                if f.read().rpartition(")")[2].split()[0] != "T":
                    return False
        return True

    until("a process that stands still", stopped)


def options(settings):
    """The daemon's command line for settings, by name."""
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def run(names, *arguments, seconds=60):
    """Runs the tests in names (a module's globals()), each with the arguments.

    Returns how many passed, failed and were skipped.  A test that takes longer
    than so many seconds ends the program, which then tells where it was.
    """
    passed = failed = skipped = 0
    tests = [f for n, f in names.items() if n.startswith("test_") and callable(f)]
    for test in sorted(tests, key=lambda f: inspect.getsourcelines(f)[1]):
        name = test.__name__.removeprefix("test_")
        began = time.monotonic()
        faulthandler.dump_traceback_later(seconds, exit=True)
        try:
            test(*arguments)
        except Skip as reason:
            skipped += 1
            print(f"skipped {name}: {reason}")
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"FAIL: {name}")
            print("".join("  | " + line for line in traceback.format_exc().splitlines(True)))
        else:
            passed += 1
            print(f"ok {name} ({time.monotonic() - began:.1f} s)")
        finally:
            faulthandler.cancel_dump_traceback_later()
        sys.stdout.flush()
    return passed, failed, skipped


def finish(passed, failed, skipped=0):
    """Prints the last line, and ends the program with the status that goes with it."""
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.stdout.flush()
    # Not sys.exit(): threads of a client may hang in a test that failed.
    os._exit(1 if failed else 0)


def end(daemon, passed, failed, skipped=0):
    """Ends the daemon; returns the counts, with whether it ended in order among them."""
    status = daemon.stop()
    if status == 0:
        passed += 1
    else:
        failed += 1
        print(f"FAIL: daemon_ends_in_order: it ended with status {status}")
    if failed:
        print("".join("  log: " + line for line in daemon.said().splitlines(True)[-30:]))
    daemon.clean()
    return passed, failed, skipped


def run_client(command, settings=None, seconds=120, **more):
    """Runs a client that is given a daemon's address and counts its tests by itself; returns the counts."""
    daemon = weir_daemon.start(options(settings or {}))
    try:
        done = subprocess.run([*command, daemon.address], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=seconds, **more)
        output = done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace") + f"it took more than {seconds} s\n"
    *said, last = output.splitlines() or [""]
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed", last)
    print("\n".join(said if counts else [*said, last, f"FAIL: {command[0]}"]))
    return end(daemon, *map(int, counts.groups() if counts else (0, 1)))


def main(names, settings=None, seconds=60):
    """A whole program: a daemon with these settings, all tests of the module, the daemon's end, the last line."""
    daemon = weir_daemon.start(options(settings or {}))
    finish(*end(daemon, *run(names, daemon, seconds=seconds)))
