#!/usr/bin/python3
"""restart_test.py -- what lasts from one start to the next, after SIGTERM and
after SIGKILL; the command line; SIGHUP; what two daemons can't share; and bytes
that are no request, which other clients don't notice."""

import errno
import glob
import os
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

import raw_client
import weir_daemon
from claims import finish, options, run, same, until
from raw_calls import client, ends, make, outcomes, send_produce

try:
    from confluent_kafka import Consumer, KafkaError, OFFSET_BEGINNING, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
except ImportError:
    print("skipped restart: confluent_kafka is not installed (Debian: python3-confluent-kafka)")
    finish(0, 0, 1)

PARTITIONS = 3
NOT_COORDINATOR, KAFKA_STORAGE_ERROR = 16, 56


class Place:
    """A folder where daemons run, one after the other or at the same time."""

    def __init__(self, conf=None):
        self.folder = tempfile.mkdtemp(prefix="weir-e2e-")
        self.conf = os.path.join(self.folder, "weir-logd.conf")
        self.daemons = []
        if conf is not None:
            self.write_conf(conf)

    def write_conf(self, text):
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(text)

    def start(self, **settings):
        words = ["-c", self.conf] if os.path.exists(self.conf) else []
        daemon = weir_daemon.start(words + options({n.replace("_", "."): v for n, v in settings.items()}), self.folder)
        self.daemons.append(daemon)
        return daemon

    def refused(self, *words):
        """Starts a daemon that ends by itself; returns its status and what it said."""
        done = subprocess.run([os.environ["WEIR_LOGD"], *words], timeout=30, check=False, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for daemon in self.daemons:
            daemon.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def quiet(settings):
    # That a daemon ends before its client is what these tests are about.
    return {"log_level": 0, **settings}


def administrator(daemon):
    return AdminClient(quiet({"bootstrap.servers": daemon.address}))


def create(daemon):
    admin = administrator(daemon)
    admin.create_topics([NewTopic("kept", PARTITIONS, 1)])["kept"].result(20)


def write(daemon, topic, numbers, **settings):
    """Writes numbers to the partitions by turns, each acknowledged; returns the place of each."""
    places, failed = {}, []

    def report(error, message):
        if error is not None:
            failed.append(error)
        else:
            places[(message.partition(), message.offset())] = int(message.value())

    sender = Producer(quiet({"bootstrap.servers": daemon.address, "acks": "all",
                             **{n.replace("_", "."): v for n, v in settings.items()}}))
    for number in numbers:
        sender.produce(topic, str(number).encode(), partition=number % PARTITIONS, on_delivery=report)
        sender.poll(0)
    same(sender.flush(20), 0, "records left after the flush")
    same(failed, [], "failed deliveries")
    return places


def read(daemon, topic):
    """All records of a topic: the number at each place."""
    reader = Consumer(quiet({"bootstrap.servers": daemon.address, "group.id": "unused", "enable.partition.eof": True,
                             "enable.auto.commit": False, "fetch.wait.max.ms": 10}))
    reader.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(PARTITIONS)])
    places, at_end = {}, set()

    def all_read():
        for message in reader.consume(1000, 0.1):
            if message.error() is None:
                places[(message.partition(), message.offset())] = int(message.value())
            else:
                same(message.error().code(), KafkaError._PARTITION_EOF)
                at_end.add(message.partition())
        return len(at_end) == PARTITIONS

    until("the ends of the partitions", all_read)
    reader.close()
    return places


def offsets_of(daemon, group, topic):
    reader = Consumer(quiet({"bootstrap.servers": daemon.address, "group.id": group}))
    found = reader.committed([TopicPartition(topic, p) for p in range(PARTITIONS)], 10)
    reader.close()
    return [p.offset for p in found]


def commit(daemon, group, topic, offsets):
    reader = Consumer(quiet({"bootstrap.servers": daemon.address, "group.id": group}))
    reader.commit(offsets=[TopicPartition(topic, p, o) for p, o in enumerate(offsets)], asynchronous=False)
    reader.close()


def settings_of(daemon, topic):
    admin = administrator(daemon)
    resource_ = ConfigResource(ConfigResource.Type.TOPIC, topic)
    return {n: e.value for n, e in admin.describe_configs([resource_])[resource_].result(20).items()}


def fill(daemon):
    """Makes what must last; returns the records' places."""
    admin = administrator(daemon)
    topics = [NewTopic("kept", PARTITIONS, 1, config={"retention.ms": "86400123"}), NewTopic("gone", 1, 1)]
    for future in admin.create_topics(topics).values():
        future.result(20)
    change = ConfigResource(ConfigResource.Type.TOPIC, "kept",
                            set_config={"retention.ms": "86400123", "segment.bytes": "1048576"})
    admin.alter_configs([change])[change].result(20)
    admin.delete_topics(["gone"])["gone"].result(20)
    places = write(daemon, "kept", range(3000))
    same(len(places), 3000)
    commit(daemon, "g", "kept", [5, 6, 7])
    commit(daemon, "g", "kept", [50, 60, 70])
    return places, admin.list_topics(timeout=10).cluster_id


def check(daemon, places, cluster):
    seen = administrator(daemon).list_topics(timeout=10)
    same((seen.cluster_id, sorted(seen.topics)), (cluster, ["kept"]))
    settings = settings_of(daemon, "kept")
    same((settings["retention.ms"], settings["segment.bytes"]), ("86400123", "1048576"))
    same(read(daemon, "kept"), places)
    same(offsets_of(daemon, "g", "kept"), [50, 60, 70])


def goes_on(daemon, places, numbers):
    """More is taken, at places that nothing else has had; returns all places."""
    new = write(daemon, "kept", numbers)
    same(len(new), len(numbers))
    for partition in range(PARTITIONS):
        assert min(o for p, o in new if p == partition) > max(o for p, o in places if p == partition), "offsets go back"
    return {**places, **new}


def test_all_is_there_after_sigterm():
    with Place() as place:
        daemon = place.start()
        places, cluster = fill(daemon)
        same(daemon.stop(), 0, "its status")
        daemon = place.start()
        check(daemon, places, cluster)
        places = goes_on(daemon, places, range(3000, 3300))
        # Nothing was lost, so nothing had to be left out.
        same(max(o for p, o in places if p == 0), 1099)
        same(daemon.stop(), 0, "its status")
        check(place.start(), places, cluster)


def test_sigterm_answers_whatever_waits():
    with Place() as place:
        daemon = place.start()
        create(daemon)
        other, fetching, *members = [raw_client.Client(daemon.host, daemon.port, 20) for _ in range(6)]

        def join(member, group, known=""):
            member.send("join_group", 3, group_id=group, session_timeout_ms=60000, rebalance_timeout_ms=60000,
                        member_id=known, protocol_type="consumer", protocols=[{"name": "range", "metadata": b""}])

        def sync(member, group, joined):
            member.send("sync_group", 2, group_id=group, generation_id=joined["generation_id"],
                        member_id=joined["member_id"], assignments=[])

        def wait_for(group, state):
            until(state, lambda: other.ask("describe_groups", 3, groups=[group])["groups"][0]["group_state"] == state)

        # One waits for the other to join anew, one for its leader's sync, one for records.
        join(members[0], "joining")
        members[0].receive("join_group", 3)
        join(members[1], "joining")
        join(members[2], "syncing")
        leader = members[2].receive("join_group", 3)
        join(members[3], "syncing")
        wait_for("syncing", "PreparingRebalance")
        join(members[2], "syncing", leader["member_id"])
        members[2].receive("join_group", 3)
        sync(members[3], "syncing", members[3].receive("join_group", 3))
        fetching.send("fetch", 11, max_wait_ms=600000, min_bytes=1, max_bytes=1000, topics=[
            {"topic": "kept", "partitions": [{"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1000}]}])
        wait_for("joining", "PreparingRebalance")
        wait_for("syncing", "CompletingRebalance")
        daemon.signal(signal.SIGTERM)
        same(members[1].receive("join_group", 3)["error_code"], NOT_COORDINATOR, "code of the join")
        same(members[3].receive("sync_group", 2)["error_code"], NOT_COORDINATOR, "code of the sync")
        same([(p["error_code"], p["records"]) for p in fetching.receive("fetch", 11)["responses"][0]["partitions"]], [(0, b"")], "the fetch")
        same(daemon.stop(), 0, "its status")
        assert "connections cut" not in daemon.said(), daemon.said()


def test_all_that_was_acknowledged_is_there_after_sigkill():
    with Place() as place:
        daemon = place.start()
        places, cluster = fill(daemon)
        for round_ in range(3):
            daemon.kill()
            daemon = place.start()
            check(daemon, places, cluster)
            places = goes_on(daemon, places, range(3000 + round_ * 300, 3300 + round_ * 300))
        same(daemon.stop(), 0, "its status")
        check(place.start(), places, cluster)


def segments(daemon):
    return glob.glob(os.path.join(daemon.dir, "logs", "*", "*.log"))


def test_files_that_were_deleted_before_sigkill_are_not_missed():
    """Deleting does not wait for the checkpoint that takes them out of the index; others are missed."""
    with Place() as place:
        daemon = place.start()
        admin = administrator(daemon)
        for topic in ("kept", "dropped"):
            admin.create_topics([NewTopic(topic, PARTITIONS, 1, config={"segment.bytes": "1000"})])[topic].result(20)
            places = write(daemon, topic, range(3000), batch_num_messages=10)
        same(daemon.stop(), 0, "its status")
        daemon = place.start(weir_checkpoint_interval_ms=3600000)
        before = len(segments(daemon))
        client = raw_client.Client(daemon.host, daemon.port)
        client.ask("delete_topics", 1, topic_names=["dropped"], timeout_ms=10000)
        cut = client.ask("delete_records", 1, timeout_ms=10000, topics=[{"name": "kept", "partitions": [
            {"partition_index": p, "offset": 900} for p in range(PARTITIONS)]}])
        same({p["low_watermark"] for p in cut["topics"][0]["partitions"]}, {900}, "low watermarks")
        until("files are deleted", lambda: len(segments(daemon)) < before / 3)
        daemon.kill()
        daemon = place.start(weir_checkpoint_interval_ms=3600000)
        same(read(daemon, "kept"), {at: number for at, number in places.items() if at[1] >= 900}, "records")
        assert "are gone" not in daemon.said(), daemon.said()
        daemon.kill()
        os.unlink(max(segments(daemon), key=os.path.getsize))
        assert "segment files are gone" in place.start().said(), daemon.said()


def test_a_limit_of_file_sizes_ends_nothing():
    """What is beyond it (RLIMIT_FSIZE, SIGXFSZ) is a write that fails, of one partition; the others go on."""
    with Place() as place:
        daemon = place.start(weir_journal_bytes=1 << 20, weir_journal_batch_max_bytes=1 << 18)
        c = client(daemon)
        for topic in "large", "small":
            make(c, topic)

        def send(topic, value):
            send_produce(c, topic, [0], acks=-1, value=value)
            return outcomes(c.receive("produce", 7))[0]

        same([send("large", b"x" * 900000) for _ in range(2)], [(0, 0), (0, 1)], "codes and offsets below the limit")
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))
        same(send("large", b"x" * 900000)[0], KAFKA_STORAGE_ERROR, "code beyond the limit")
        until("a line in the log", lambda: os.strerror(errno.EFBIG) in daemon.said())
        same([send("small", b"v") for _ in range(3)], [(0, n) for n in range(3)], "another partition's")
        c.close()
        same(daemon.stop(), 0, "its status")
        c = client(place.start())
        same([ends(c, topic, 0) for topic in ("large", "small")], [[2], [3]], "ends after the next start")
        same(send("large", b"v")[0], 0, "code without the limit")
        c.close()


def test_clients_live_through_a_restart():
    with Place() as place:
        daemon = place.start()
        create(daemon)
        settings = {"listeners": f"PLAINTEXT://{daemon.address}"}
        places, failed = {}, []

        def report(error, message):
            if error is not None:
                failed.append(error)
            else:
                places[(message.partition(), message.offset())] = int(message.value())

        sender = Producer(quiet({"bootstrap.servers": daemon.address, "enable.idempotence": True,
                                 "reconnect.backoff.max.ms": 200}))
        for number in range(3000):
            sender.produce("kept", str(number).encode(), partition=number % PARTITIONS, on_delivery=report)
            if number in (1000, 2000):
                until("half of it is there", lambda n=number: sender.poll(0.01) >= 0 and len(places) > n / 2)
                if number == 1000:
                    same(daemon.stop(), 0, "its status")
                else:
                    daemon.kill()
                daemon = place.start(**settings)
        same(sender.flush(40), 0, "records left after the flush")
        same(failed, [], "failed deliveries")
        # Each once, and in order, in spite of what was sent again.
        same(read(daemon, "kept"), places)
        for partition in range(PARTITIONS):
            numbers = [n for (p, _), n in sorted(places.items()) if p == partition]
            same(numbers, list(range(partition, 3000, PARTITIONS)))


def test_a_group_goes_on_after_a_restart():
    with Place() as place:
        daemon = place.start()
        create(daemon)
        write(daemon, "kept", range(300))
        reader = Consumer(quiet({"bootstrap.servers": daemon.address, "group.id": "g", "auto.offset.reset": "earliest",
                                 "session.timeout.ms": 6000, "reconnect.backoff.max.ms": 200}))
        reader.subscribe(["kept"])
        seen = []

        def has_read(count):
            # While the daemon is away, there are errors among what comes.
            seen.extend(int(m.value()) for m in reader.consume(100, 0.1) if m.error() is None)
            return len(seen) >= count

        until("all is read", lambda: has_read(300))
        reader.commit(asynchronous=False)
        settings = {"listeners": f"PLAINTEXT://{daemon.address}"}
        same(daemon.stop(), 0, "its status")
        daemon = place.start(**settings)
        write(daemon, "kept", range(300, 600))
        until("what is new is read", lambda: has_read(600), 40)
        same(sorted(seen), list(range(600)))
        reader.close()


def test_a_configuration_is_checked():
    with Place("num.partitions = 3\nnum.partitons = 4\nlog.retention.hours = soon\nretention.ms = 5\n") as place:
        status, said = place.refused("-t", "-c", place.conf)
        same(status, 1)
        lines = said.splitlines()
        same(len(lines), 3)
        for line, number, text in zip(lines, (2, 3, 4), ("did you mean num.partitions?", "is not a whole number: write",
                                                         "did you mean log.retention.ms?")):
            assert line.startswith(f"{place.conf}:{number}: ") and text in line, line
        same(place.refused("-c", place.conf), (1, said), "a start with it")
        place.write_conf("num.partitions = 3\n")
        status, said = place.refused("-t", "-c", place.conf)
        same((status, said), (0, f"{place.conf}: the configuration is right\n"))
        status, said = place.refused("-t", "-c", place.conf + ".not")
        assert status == 1 and place.conf + ".not" in said, said


def refuses_new_topics(daemon):
    """Whether a producer is told that a topic which is not there is unknown."""
    errors = []
    sender = Producer(quiet({"bootstrap.servers": daemon.address, "topic.metadata.propagation.max.ms": 200}))
    sender.produce(f"new-{os.urandom(4).hex()}", b"", on_delivery=lambda error, _: errors.append(error))
    sender.flush(10)
    return errors[0] is not None and errors[0].code() in (KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART)


def test_sighup_takes_up_changes():
    with Place("auto.create.topics.enable = true\nnode.id = 1\n") as place:
        daemon = place.start()
        assert not refuses_new_topics(daemon)
        place.write_conf("auto.create.topics.enable = false\nnode.id = 2\n")
        daemon.signal(signal.SIGHUP)
        until("it is taken up", lambda: "configuration taken up" in daemon.said())
        assert refuses_new_topics(daemon)
        said = daemon.said()
        assert re.search(r"info setting changed name=auto\.create\.topics\.enable .*false", said), said
        assert re.search(r"warn setting changed in the file, but needs a restart .*node\.id", said), said
        place.write_conf("auto.create.topics.enable = true\nnum.partitions = many\nno.such = 1\n")
        daemon.signal(signal.SIGHUP)
        until("it is refused", lambda: "configuration not taken up" in daemon.said())
        refusal = daemon.said().split("configuration not taken up")[1]
        assert "num.partitions" in refusal and "no.such" in refusal, refusal
        assert refuses_new_topics(daemon), "part of a file with mistakes was taken up"


def test_a_taken_port_is_named():
    with Place() as place, Place() as other:
        daemon = place.start()
        status, said = other.refused(*options({"log.dirs": os.path.join(other.folder, "data"),
                                               "listeners": f"PLAINTEXT://{daemon.address}"}))
        same(status, 1)
        assert "can't listen" in said and f"port={daemon.port}" in said and "action=" in said, said
        same(len(write(daemon, "kept", [0])), 1)


def test_a_folder_in_use_is_refused():
    with Place() as place:
        daemon = place.start(num_partitions=PARTITIONS)
        status, said = place.refused(*options({"log.dirs": daemon.dir, "listeners": "PLAINTEXT://127.0.0.1:0"}))
        same(status, 1)
        assert daemon.dir in said and "another" in said, said
        # Nor does it depend on any file in it.
        files = [n for n in os.listdir(daemon.dir) if os.path.isfile(os.path.join(daemon.dir, n))]
        for name in files:
            os.rename(os.path.join(daemon.dir, name), os.path.join(place.folder, name))
        status, again = place.refused(*options({"log.dirs": daemon.dir, "listeners": "PLAINTEXT://127.0.0.1:0"}))
        same((status, "another" in again), (1, True), f"status without files, and reason ({again})")
        for name in files:
            os.rename(os.path.join(place.folder, name), os.path.join(daemon.dir, name))
        # The one that has it goes on, and finds it whole afterwards.
        places = write(daemon, "kept", range(30))
        daemon.kill()
        same(read(place.start(), "kept"), places)


def test_a_folder_of_another_format_is_refused():
    with Place() as place:
        daemon = place.start()
        status = daemon.stop()
        same(status, 0)
        path = os.path.join(daemon.dir, "format")
        for other in b"weir-logd 2\n", b"weir-logd 1", b"", b"weir-logd 1\n\n":
            with open(path, "wb") as f:
                f.write(other)
            status, said = place.refused(*options({"log.dirs": daemon.dir, "listeners": "PLAINTEXT://127.0.0.1:0"}))
            same(status, 1)
            assert path in said and "weir-logd 1" in said, said


def test_a_folder_that_lost_its_format_is_refused():
    with Place() as place:
        daemon = place.start(num_partitions=PARTITIONS)
        places = write(daemon, "kept", range(30))
        same(daemon.stop(), 0, "its status")
        path = os.path.join(daemon.dir, "format")
        kept = os.path.join(place.folder, "format")
        os.rename(path, kept)
        words = options({"log.dirs": daemon.dir, "listeners": "PLAINTEXT://127.0.0.1:0"})
        status, said = place.refused(*words)
        same(status, 1)
        assert path in said and "does not say its format" in said and "action=" in said, said
        # So it is with whatever is left of it; an empty folder, that of a disk of its own, too, is a new one.
        moved = {}
        for name in "logs", "journal", "index":
            moved[name] = os.path.join(place.folder, name)
            os.rename(os.path.join(daemon.dir, name), moved[name])
        for name, whole in moved.items():
            os.rename(whole, os.path.join(daemon.dir, name))
            same((place.refused(*words)[0], os.path.exists(path)), (1, False), f"status with {name} alone, and the format")
            os.rename(os.path.join(daemon.dir, name), whole)
        os.makedirs(os.path.join(place.folder, "new", "data", "logs", "lost+found"))
        new = weir_daemon.start([], os.path.join(place.folder, "new"))
        place.daemons.append(new)
        assert os.path.exists(os.path.join(new.dir, "format")), os.listdir(new.dir)
        for name, whole in moved.items():
            os.rename(whole, os.path.join(daemon.dir, name))
        os.rename(kept, path)
        same(read(place.start(), "kept"), places)


def frame(body):
    return struct.pack(">i", len(body)) + body


def request(key, version, body=b"", client=b"hostile"):
    return frame(struct.pack(">hhih", key, version, 7, len(client)) + client + body)


# What no client sends, and what the daemon says of it.
HOSTILE = {
    "garbage": (bytes(range(255, 155, -1)) * 20, "length"),
    "a huge length": (b"\x7f\xff\xff\xff" + b"x" * 100, "length"),
    "a negative length": (b"\xff\xff\xff\xfe", "length"),
    "HTTP": (b"GET / HTTP/1.1\r\nHost: weir\r\n\r\n", "HTTP"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), "TLS"),
    "an unknown API": (request(9999, 0), "can't be answered"),
    "an unknown version": (request(3, 99), "can't be answered"),
    "a frame of nothing": (frame(b""), "can't be answered"),
    "a cut header": (frame(b"\0\x03\0\x01\0"), "can't be answered"),
    "a body that ends early": (request(3, 1, b"\0\0\0\x02\0\x05abc"), "can't be answered"),
    "more elements than bytes": (request(3, 1, b"\x7f\xff\xff\xff"), "can't be answered"),
    "a string of negative length": (request(3, 1, b"\0\0\0\x01\xff\xf0"), "can't be answered"),
    "a batch of garbage": (request(0, 7, b"\xff\xff\xff\xff\0\0\0\x01\0\x01t\0\0\0\x01\xde\xad"), "can't be answered"),
}


class GoodClient:
    """Writes and reads in a thread, while others misbehave."""

    def __init__(self, daemon):
        self.round_trips = 0
        self.failure = None
        self._end = threading.Event()
        self._daemon = daemon
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            errors = []
            settings = quiet({"bootstrap.servers": self._daemon.address,
                              "error_cb": lambda error: errors.append(error)})
            sender = Producer({**settings, "linger.ms": 0})
            reader = Consumer({**settings, "group.id": "good", "fetch.wait.max.ms": 50})
            sender.produce("good", b"first")
            sender.flush(20)
            reader.assign([TopicPartition("good", 0, 1)])
            while not self._end.is_set():
                sender.produce("good", str(self.round_trips).encode())
                same(sender.flush(10), 0)
                message = until("its own record", lambda: reader.poll(0.1), 10)
                same(message.value(), str(self.round_trips).encode())
                self.round_trips += 1
            same(errors, [], "the good client's errors")
            reader.close()
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error

    def goes_on(self):
        """Waits until it has done some more."""
        before = self.round_trips
        until("the good client goes on", lambda: self.failure or self.round_trips >= before + 3)
        assert self.failure is None, self.failure

    def end(self):
        self._end.set()
        self._thread.join(20)
        assert self.failure is None, self.failure


def closed(connection):
    """Whether the other side ends the connection."""
    try:
        while connection.recv(4096):
            pass
        return True
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_hostile_bytes_end_their_own_connection():
    with Place() as place:
        daemon = place.start()
        good = GoodClient(daemon)
        good.goes_on()
        for name, (data, why) in HOSTILE.items():
            with socket.create_connection((daemon.host, daemon.port), 10) as hostile:
                peer = f"peer=127.0.0.1:{hostile.getsockname()[1]} "
                hostile.sendall(data)
                assert closed(hostile), f"{name}: the connection stays open"
            lines = until(f"{name}: a line in the log",
                          lambda p=peer: [line for line in daemon.said().splitlines() if p in line])
            same(len(lines), 1, f"{name}: lines in the log")
            assert " warn " in lines[0] and why in lines[0], f"{name}: {lines[0]}"
            good.goes_on()
        good.end()
        same(daemon.stop(), 0, "its status")


def test_a_length_may_be_limited():
    with Place() as place:
        daemon = place.start(socket_request_max_bytes=10000)
        with socket.create_connection((daemon.host, daemon.port), 10) as hostile:
            hostile.sendall(struct.pack(">i", 10001))
            assert closed(hostile), "the connection stays open"
        same(len(write(daemon, "kept", range(0, 30, 3))), 10)


def test_a_thousand_connections_leave_others_untouched():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2048:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2048) if hard != resource.RLIM_INFINITY else 2048, hard))
    with Place() as place:
        daemon = place.start()
        good = GoodClient(daemon)
        good.goes_on()
        crowd = []
        for i in range(1000):
            connection = socket.create_connection((daemon.host, daemon.port), 10)
            # A third says nothing, a third stops within a length, a third within a request.
            connection.sendall((b"", b"\0\0", request(3, 1, bytes(50))[:20])[i % 3])
            crowd.append(connection)
        good.goes_on()
        # Each of them is still served: it ends its request, and has its answer.
        versions = request(18, 0)
        for connection in crowd[0::3]:
            connection.sendall(versions)
        for connection in crowd[0::3]:
            size = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))[0]
            same(struct.unpack(">ih", connection.recv(size, socket.MSG_WAITALL)[:6]), (7, 0))
        good.goes_on()
        for connection in crowd:
            connection.close()
        good.goes_on()
        good.end()
        same(daemon.stop(), 0, "its status")


def test_connections_may_be_limited():
    with Place() as place:
        daemon = place.start(max_connections=10)
        good = GoodClient(daemon)
        good.goes_on()
        crowd = [socket.create_connection((daemon.host, daemon.port), 10) for _ in range(20)]
        until("a line in the log", lambda: "connection refused, there are too many" in daemon.said())
        good.goes_on()
        for connection in crowd:
            connection.close()
        good.end()
        same(len(write(daemon, "kept", [0])), 1)


def test_slow_requests_are_read_to_their_end():
    with Place() as place:
        daemon = place.start()
        data = request(18, 0) + request(3, 1, b"\0\0\0\0")
        with socket.create_connection((daemon.host, daemon.port), 10) as slow:
            slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in data:
                slow.sendall(bytes([byte]))
            for _ in range(2):
                size = struct.unpack(">i", slow.recv(4, socket.MSG_WAITALL))[0]
                same(struct.unpack(">i", slow.recv(size, socket.MSG_WAITALL)[:4])[0], 7)


if __name__ == "__main__":
    if "WEIR_LOGD" not in os.environ:
        sys.exit("WEIR_LOGD is not set: let it name the weir-logd to test")
    finish(*run(globals()))
