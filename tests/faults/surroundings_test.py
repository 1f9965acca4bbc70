#!/usr/bin/python3
"""surroundings_test.py -- what goes on around the daemon: a clock that leaps, a process that is stopped, ten
thousand connections, peers that read slowly or are not there any more, a cap on its memory.

Beside all of it a well-behaved client (load.py) goes on, of whose requests none may be refused or stay
unanswered, and in the end all that it was promised must be there.  WEIR_LOGD names the daemon.
"""
import contextlib
import ctypes
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

from fault import Life
from load import SETTINGS, Load

import raw_client  # load.py says where
from batches import batch, record
from claims import Skip, finish, free_ports, run, same, until

DAY = 86400
UNKNOWN_MEMBER, FENCED = 25, 90
CONNECTIONS = 10000
CLONE_NEWNET = 0x40000000


class Place:
    """A daemon of a test's own, and the client beside."""

    def __init__(self, settings=None, **more):
        self.folder = tempfile.mkdtemp(prefix="weir-around-")
        self.settings = {**SETTINGS, **(settings or {})}
        self.life = Life(self.folder, self.settings, **more)
        assert self.life.ready(), self.life.said()
        self.load = Load()
        self.load.turn_to(self.life)
        self.load.make_topics()

    def client(self):
        return raw_client.Client(self.life.host, self.life.port, 30)

    def beside(self, rounds=2):
        for _ in range(rounds):
            self.load.round(strict=True)

    def again(self):
        """The next start, with nothing in its way."""
        self.life = Life(self.folder, self.settings, shimmed=False)
        assert self.life.ready(), self.life.said()
        self.load.turn_to(self.life)

    def check(self):
        self.load.settle()
        self.load.check()

    def counters(self):
        """What SIGUSR1 has it say."""
        before = len(self.life.said())
        self.life.process.send_signal(signal.SIGUSR1)
        said = until("the counters", lambda: re.search(r"counters of net .*\n(?:.*\n)*.*counters of api .*\n", self.life.said()[before:]))
        return {name: int(n) for name, n in re.findall(r" (\w+)=(\d+)", said.group())}


@contextlib.contextmanager
def place(settings=None, **more):
    here = Place(settings, **more)
    try:
        yield here
        here.check()
        same(here.life.kill(), -signal.SIGKILL, "how the daemon ended")
        here.again()
        here.check()
        here.beside(1)
        same(here.life.stop(), 0, "status of the daemon")
    except Exception:
        print("".join("  log: " + line for line in here.life.said().splitlines(True)[-20:]))
        raise
    finally:
        here.life.kill()
        shutil.rmtree(here.folder, ignore_errors=True)


def produce(c, topic, records, partition=0, **more):
    told = c.ask("produce", 9, acks=-1, timeout_ms=10000, **more, topic_data=[
        {"name": topic, "partition_data": [{"index": partition, "records": records}]}])
    told = told["responses"][0]["partition_responses"][0]
    same(told["error_code"], 0, "code of the produce")
    return told["base_offset"]


def make(here, name, **configs):
    here.load.topics[name] = True
    told = here.load.ask("create_topics", 7, topics=[{"name": name, "num_partitions": 1, "replication_factor": 1, "configs": [
        {"name": n.replace("_", "."), "value": str(v)} for n, v in configs.items()]}])
    same(told["topics"][0]["error_code"], 0, "code of the creation")


# ---- time ----

class Open:
    """A transaction that is open for a while."""

    def __init__(self, c, name, timeout_ms, ms=None):
        self.c = c
        told = c.ask("init_producer_id", 4, transactional_id=name, transaction_timeout_ms=timeout_ms)
        same(told["error_code"], 0, "code of InitProducerId")
        self.me = {"transactional_id": name, "producer_id": told["producer_id"], "producer_epoch": told["producer_epoch"]}
        told = c.ask("add_partitions_to_txn", 3, **self.me, topics=[{"name": "open", "partitions": [0]}])
        same(told["results"][0]["results"][0]["error_code"], 0, "code of the addition")
        produce(c, "open", batch([name.encode()], pid=self.me["producer_id"], epoch=self.me["producer_epoch"], sequence=0,
                                 attributes=0x10, ms=ms or Load.ms()), transactional_id=name)

    def end(self):
        return self.c.ask("end_txn", 3, **self.me, committed=True)["error_code"]


def test_a_clock_that_leaps(seconds=(3 * DAY, 0, -3 * DAY, 0, 3650 * DAY, 0)):
    """Nothing is decided by the time of day that is not about the time of day."""
    with place() as here:
        make(here, "open")
        make(here, "timed", segment_bytes=500, message_timestamp_after_max_ms=1 << 40)
        c = here.client()
        here.load.ms = lambda: int((time.time() + ahead) * 1000)
        ahead = 0
        here.beside(1)
        member = here.load.member
        times = []
        for i, to in enumerate(seconds):
            transaction = Open(c, f"across-{i}", 60000, here.load.ms())
            here.life.set_clock(to)
            ahead = to
            here.beside(2)
            same(here.load.member, member, "the member of a group, which is the same")
            same(transaction.end(), 0, "code of the end of a transaction that was open when the clock leapt")
            times.append(here.load.ms())
            same(produce(c, "timed", batch([b"x" * 300], ms=times[-1])), len(times) - 1, "offset")
        same(here.load.committed("open", 0, 0), [b"across-%d" % i for i in range(len(seconds))], "what is committed")
        # Times are out of order now: the first record that is not older is wanted.
        for at in sorted(set(times)):
            for asked in at - 1, at, at + 1:
                wanted = next((i for i, t in enumerate(times) if t >= asked), -1)
                told = c.ask("list_offsets", 5, isolation_level=0, topics=[
                    {"name": "timed", "partitions": [{"partition_index": 0, "timestamp": asked}]}])
                same(told["topics"][0]["partitions"][0]["offset"], wanted, f"offset of time {asked} of {times}")
        c.close()


class Member:
    """A group of one."""

    def __init__(self, here, name, timeout_ms):
        self.c = here.client()
        told = self.c.ask("join_group", 3, group_id=name, session_timeout_ms=timeout_ms, rebalance_timeout_ms=timeout_ms,
                          member_id="", protocol_type="consumer", protocols=[{"name": "range", "metadata": b""}])
        same(told["error_code"], 0, "code of the join")
        self.me = {"group_id": name, "generation_id": told["generation_id"], "member_id": told["member_id"]}
        told = self.c.ask("sync_group", 2, **self.me, assignments=[{"member_id": self.me["member_id"], "assignment": b"a"}])
        same(told["error_code"], 0, "code of the sync")

    def beat(self):
        self.c.send("heartbeat", 3, **self.me)

    def told(self):
        return self.c.receive("heartbeat", 3)["error_code"]


def test_a_process_that_is_stopped_for_longer_than_sessions():
    """What came in time counts when it goes on, however much that is; who was silent is gone, as ever."""
    with place() as here:
        make(here, "open")
        here.beside(1)
        members = [Member(here, f"alive-{i}", 2000) for i in range(600)]
        silent = Member(here, "silent", 500)
        c = here.client()
        ended, late = Open(here.client(), "ended", 1000), Open(here.client(), "late", 1000)
        here.life.process.send_signal(signal.SIGSTOP)
        for m in members:
            m.beat()
        ended.c.send("end_txn", 3, **ended.me, committed=True)
        time.sleep(2.5)  # longer than all of their times
        here.life.process.send_signal(signal.SIGCONT)
        same({m.told() for m in members}, {0}, "codes of heartbeats that waited")
        same(ended.c.receive("end_txn", 3)["error_code"], 0, "code of an end that waited")

        def gone():
            silent.beat()
            return silent.told() == UNKNOWN_MEMBER
        until("a silent member is gone", gone)
        until("a transaction that lasted too long is aborted", lambda: stable(c, "open"))
        same(late.end(), FENCED, "code of its end")
        same(here.load.committed("open", 0, 0), [b"ended"], "what is committed")
        here.beside(2)
        for m in members:
            m.beat()
        same({m.told() for m in members}, {0}, "codes of the next heartbeats")
        for client in [m.c for m in members] + [silent.c, c, ended.c, late.c]:
            client.close()


def stable(c, topic):
    ends = [c.ask("list_offsets", 5, isolation_level=level, topics=[
        {"name": topic, "partitions": [{"partition_index": 0, "timestamp": -1}]}])["topics"][0]["partitions"][0]["offset"] for level in (0, 1)]
    return ends[0] == ends[1]


# ---- connections ----

def may_open(n):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < n:
        if os.geteuid() != 0:
            raise Skip(f"{n} open files are needed, {hard} are allowed (ulimit -Hn)")
        hard = n
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n), hard))


def open_many(here, n):
    """Connections, as many of them as are still there."""
    peers = []
    for _ in range(n):
        s = socket.socket()
        s.connect((here.life.host, here.life.port))
        peers.append(s)
    return peers


def ask_all(peers):
    """How many are answered."""
    request = struct.pack(">ihhih", 10, 18, 0, 7, -1)  # ApiVersions
    answered = 0
    for s in peers:
        with contextlib.suppress(OSError):
            s.sendall(request)
    for s in peers:
        with contextlib.suppress(OSError):
            s.settimeout(30)
            answered += len(s.recv(8)) == 8
    return answered


def close_all(peers):
    for s in peers:
        s.close()


def test_ten_thousand_connections():
    may_open(CONNECTIONS + 2000)
    with place() as here:
        here.beside(1)
        peers = open_many(here, CONNECTIONS)
        here.beside(1)
        same(ask_all(peers), CONNECTIONS, "answers")
        here.beside(1)
        close_all(peers)


def test_more_connections_than_descriptors():
    """Those beyond are closed as they come; segments, journal and index have what they need."""
    limit = 1000
    may_open(CONNECTIONS + 2000)
    with place(before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))) as here:
        here.beside(1)
        peers = open_many(here, CONNECTIONS)
        here.beside(2)
        answered = ask_all(peers)
        same(limit // 4 < answered < limit, True, f"of {CONNECTIONS} {answered} answered, with {limit} descriptors")
        # So many topics that their segments need more than the connections have left.
        for i in range(100):
            make(here, f"many-{i}")
            produce(here.load.c, f"many-{i}", batch([b"v"], ms=here.load.ms()))
        here.beside(2)
        close_all(peers)
        until("one that is let in again", lambda: ask_all(open_many(here, 1)) == 1)
        said = here.life.said()
        same("limit=open.files" in said, True, "that it says so")
        same(re.findall(r" error .*", said), [], "lines of level error")


class Network:
    """A network of its own, whose cable can be cut."""

    ADDRESS = "169.254.77.%d"

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        self.names = ["weir%d%c" % (os.getpid() % 1000000, side) for side in "ab"]
        until("a network", self.is_there)
        self.ip("link", "add", self.names[0], "type", "veth", "peer", "name", self.names[1], "netns", str(self.holder.pid))
        self.ip("addr", "add", self.ADDRESS % 1 + "/30", "dev", self.names[0])
        self.ip("link", "set", self.names[0], "up")
        self.inside("addr", "add", self.ADDRESS % 2 + "/30", "dev", self.names[1])
        self.inside("link", "set", self.names[1], "up")

    def is_there(self):
        assert self.holder.poll() is None, "unshare ended"
        return os.readlink(f"/proc/{self.holder.pid}/ns/net") != os.readlink("/proc/self/ns/net")

    @staticmethod
    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    def inside(self, *words):
        subprocess.run(["nsenter", "-t", str(self.holder.pid), "-n", "ip", *words], check=True)

    def connect(self, port, n):
        """Sockets of that network, which this process may use."""
        peers = []

        def there():
            libc = ctypes.CDLL(None, use_errno=True)
            with open(f"/proc/{self.holder.pid}/ns/net") as f:
                assert libc.setns(f.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            for _ in range(n):
                peers.append(socket.create_connection((self.ADDRESS % 1, port), 30))

        thread = threading.Thread(target=there)
        thread.start()
        thread.join()
        same(len(peers), n, "connections")
        return peers

    def cut(self):
        self.inside("link", "set", self.names[1], "down")

    def remove(self):
        # The network itself stays for as long as its sockets have something to send.
        self.ip("link", "del", self.names[0])
        self.holder.kill()
        self.holder.wait()


def fetch_request(topic, max_wait_ms=0, min_bytes=1, bytes_max=1 << 20):
    """A fetch from offset 0, v4."""
    body = struct.pack(">iiiibih", -1, max_wait_ms, min_bytes, bytes_max, 0, 1, len(topic)) + topic.encode()
    body += struct.pack(">iiqi", 1, 0, 0, bytes_max)
    head = struct.pack(">hhih", 1, 4, 7, -1)
    return struct.pack(">i", len(head) + len(body)) + head + body


def test_peers_that_are_not_there_any_more():
    """Without a word, as when a cable is cut: what they have is given back in time."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise Skip("a network of its own takes root, and iproute2")
    try:
        network = Network()
    except (AssertionError, subprocess.CalledProcessError) as error:
        raise Skip(f"a network of its own can't be made here: {error}") from error
    try:
        with place({"connections.max.idle.ms": 1000, "listeners": "PLAINTEXT://:0",
                    "advertised.listeners": "PLAINTEXT://127.0.0.1:0"}) as here:
            make(here, "bulk")
            for _ in range(10):
                produce(here.load.c, "bulk", batch([b"x" * 60000], ms=here.load.ms()))
            before = here.counters()["connections_open"]
            peers = network.connect(here.life.port, 200)
            requests = (fetch_request("bulk"), fetch_request("bulk", max_wait_ms=2000, min_bytes=1 << 30), b"\0\0\x10\0begun", b"")
            for i, s in enumerate(peers):
                s.sendall(requests[i % len(requests)])
            network.cut()
            here.beside(2)
            until("all of them are gone", lambda: here.counters()["connections_open"] <= before or here.beside(1))
            close_all(peers)
    finally:
        network.remove()


def test_peers_that_read_slowly():
    """A sip now and then: others don't wait for them."""
    with place({"weir.queued.max.response.bytes": 8 << 20}) as here:
        make(here, "bulk")
        for _ in range(20):
            produce(here.load.c, "bulk", batch([b"x" * 50000], ms=here.load.ms()))
        peers = open_many(here, 100)
        for s in peers:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.setblocking(False)
            for _ in range(50):
                with contextlib.suppress(OSError):
                    s.send(fetch_request("bulk", bytes_max=1 << 20))
        for _ in range(4):
            here.beside(1)
            for s in peers:
                with contextlib.suppress(OSError):
                    s.recv(500)
        close_all(peers)


# ---- memory ----

MIB = 1 << 20
REQUEST, REQUESTS, ANSWERS = 24 * MIB, 32 * MIB, 32 * MIB
# docs/operations.md: twice the requests; the answers; four batches that are looked into; and what the daemon is
# without any of it, with what malloc keeps.
CAP = 2 * REQUESTS + ANSWERS + 4 * 64 * MIB + 128 * MIB
# Control groups of both versions: the folder, the file of the limit, that which counts who was killed.
GROUPS = (("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.oom_control"), ("/sys/fs/cgroup", "memory.max", "memory.events"))


@contextlib.contextmanager
def cap(n):
    """A group of processes that may have so many bytes; yields what puts the process into it, and the file that
    counts whom the system has killed for that."""
    try:
        top, limit, counts = next(g for g in GROUPS if os.path.exists(os.path.join(g[0], "cgroup.procs")))
        folder = os.path.join(top, f"weir-faults-{os.getpid()}")
        os.mkdir(folder)
    except (StopIteration, OSError) as error:
        raise Skip(f"a control group for memory can't be made here: {error}") from error
    try:
        try:
            with open(os.path.join(folder, limit), "w") as f:
                f.write(str(n))
        except OSError as error:
            raise Skip(f"a control group here has no limit of memory: {error.strerror}") from error

        def enter():
            with open(os.path.join(folder, "cgroup.procs"), "w") as f:
                f.write(str(os.getpid()))
        yield enter, os.path.join(folder, counts)
    finally:
        until("the group is empty", lambda: remove_group(folder))


def remove_group(folder):
    try:
        os.rmdir(folder)
    except OSError:
        return False
    return True


def hog(here, rounds):
    """All that clients can have it keep, at once: large requests that are begun and not ended, answers that nobody
    takes, batches that inflate; the client beside gets through."""
    inflating = batch(records=zlib.compress(record(0, b"\0" * (60 * MIB)), 1), attributes=1, ms=here.load.ms())
    random.seed(1)
    peers = []
    for n in range(rounds):
        for _ in range(25):
            s = open_many(here, 1)[0]
            s.setblocking(False)
            peers.append(s)
        for i, s in enumerate(peers):
            with contextlib.suppress(OSError):
                if i % 3 == 0:
                    s.send(struct.pack(">i", REQUEST))
                    s.send(bytes(random.randrange(MIB)))
                elif i % 3 == 1:
                    for _ in range(10):
                        s.send(fetch_request("bulk", bytes_max=8 * MIB))
                else:
                    s.send(produce_request("zipped", inflating))
        here.beside(1)
    close_all(peers)


def produce_request(topic, records):
    head = struct.pack(">hhih", 0, 3, 7, -1)
    body = struct.pack(">hhiih", -1, 1, 30000, 1, len(topic)) + topic.encode() + struct.pack(">iii", 1, 0, len(records)) + records
    return struct.pack(">i", len(head) + len(body)) + head + body


def test_a_log_that_nobody_reads():
    """Nor what it says when it is ready: both pipes are closed at their other end."""
    folder = tempfile.mkdtemp(prefix="weir-around-")
    log, ready = os.pipe(), os.pipe()
    port = free_ports(1)[0]
    process = subprocess.Popen([os.environ["WEIR_LOGD"], "-o", f"listeners=PLAINTEXT://127.0.0.1:{port}", "-o", f"log.dirs={folder}/data",
                                "--ready-fd", str(ready[1])], stdin=subprocess.DEVNULL, stdout=log[1], stderr=log[1], pass_fds=(ready[1],))
    try:
        for fd in *log, *ready:
            os.close(fd)

        def answers():
            with contextlib.suppress(OSError):
                return raw_client.Client("127.0.0.1", port, 30)
            return None
        c = until("the daemon answers", answers)
        process.send_signal(signal.SIGUSR1)
        same(c.ask("metadata", 1, topics=[])["brokers"][0]["port"], port, "port")
        process.terminate()
        same(process.wait(30), 0, "status of the daemon")
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_cap_on_memory():
    settings = {"socket.request.max.bytes": REQUEST, "queued.max.request.bytes": REQUESTS, "weir.queued.max.response.bytes": ANSWERS}
    with cap(CAP) as (enter, counts), place(settings, before=enter) as here:
        make(here, "bulk")
        make(here, "zipped", retention_bytes=1)
        for _ in range(20):
            produce(here.load.c, "bulk", batch([b"x" * 400000], ms=here.load.ms()))
        hog(here, 3)
        with open(f"/proc/{here.life.process.pid}/status") as f:
            peak = int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) * 1024
        print(f"  at most {peak // MIB} MiB of {CAP // MIB}")
        same(here.life.process.poll(), None, "status of the daemon")
        with open(counts) as f:
            killed = re.search(r"oom_kill (\d+)", f.read())
        same(killed is None or killed.group(1) == "0", True, "nothing was killed")


if __name__ == "__main__":
    # Named, some of them: surroundings_test.py NAME...
    finish(*run({n: f for n, f in globals().items() if not sys.argv[1:] or n.removeprefix("test_") in sys.argv[1:]}, seconds=120))
