#!/usr/bin/python3
"""api_fuzz.py -- requests of every API in every version that the daemon advertises, sensible ones and others, end to end.

	tests/fuzz/api_fuzz.py SECONDS [SEED]

WEIR_LOGD names the daemon, best one with sanitizers.  A request is made from the table of messages: each field by its name
from what there is (topics, groups, producers and members that earlier answers told of), or at random; some are changed
byte by byte afterwards.  What was not changed is answered by a whole answer, or ends its connection; whatever comes, the
daemon serves the next, ends in order, and starts again on what it has kept.
"""
import collections
import faulthandler
import os
import random
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "e2e")]

import raw_client
import weir_daemon
from batches import batch, record
from claims import finish, options, same

LANES = 4
ANSWER_S = 30
TOPICS = ["a", "b", "c", "compacted", "nowhere", ".", ""]
GROUPS = ["g", "h", "consumers", ""]
IDS = ["t", "u", ""]
NUMBERS = [-2, -1, 0, 0, 1, 1, 2, 3, 7, 100, 1000]
EXTREMES = {"int8": [-128, 127], "int16": [-32768, 32767], "error": [0], "int32": [-2**31, 2**31 - 1],
            "int64": [-2**63, 2**63 - 1]}
SETTINGS = {"num.partitions": 3, "log.segment.bytes": 4000, "group.min.session.timeout.ms": 1, "weir.log.level": "error",
            "weir.checkpoint.interval.ms": 200, "transaction.max.timeout.ms": 2000, "fetch.max.bytes": 100000,
            "log.retention.check.interval.ms": 500, "offsets.retention.check.interval.ms": 500,
            "transaction.remove.expired.transaction.cleanup.interval.ms": 500, "transactional.id.expiration.ms": 1000}
# What would make requests slow, or the daemon another one.
SHORT = {"max_wait_ms": 50, "timeout_ms": 500, "session_timeout_ms": 500, "rebalance_timeout_ms": 500,
         "transaction_timeout_ms": 500}
CONFIGS = ["cleanup.policy", "retention.ms", "retention.bytes", "segment.bytes", "segment.ms", "max.message.bytes",
           "message.timestamp.type", "min.compaction.lag.ms", "delete.retention.ms", "min.cleanable.dirty.ratio", "no.such", ""]
VALUES = ["compact", "delete", "compact,delete", "1", "0", "-1", "100000", "LogAppendTime", "0.1", "", "x"]
LEARNED = ("producer_id", "producer_epoch", "member_id", "session_id", "topic_id", "generation_id", "member_epoch",
           "committed_offset", "base_offset", "high_watermark")


class World:
    """What is known of the daemon; any thread."""

    def __init__(self, seed):
        self.seed = seed
        self.learned = collections.defaultdict(lambda: collections.deque(maxlen=20))
        self.answered, self.closed, self.faults = collections.Counter(), collections.Counter(), []
        self.over = threading.Event()

    def learn(self, answer):
        for name, value in answer.items():
            if isinstance(value, dict):
                self.learn(value)
            elif isinstance(value, list):
                for v in value:
                    if isinstance(v, dict):
                        self.learn(v)
            elif name in LEARNED:
                self.learned[name].append(value)


class Maker:
    def __init__(self, world, dice):
        self.world, self.dice = world, dice

    def batch(self):
        d, learned = self.dice, self.world.learned
        n = d.randint(1, 4)
        records = b""
        for i in range(n):
            key = d.choice([None, b"k%d" % d.randint(0, 5)])
            value = d.choice([None, b"v" * d.randint(0, 30)])
            records += record(i, value, key)
        pid = d.choice([-1, *learned["producer_id"]])
        epoch = d.choice([0, 0, *learned["producer_epoch"]]) if pid != -1 else -1
        attributes = d.choice([0, 0, 0x10, 0x10, 0x30, 8, 1]) if d.random() < 0.7 else 0
        whole = batch(records=records, count=n, last_delta=n - 1, attributes=attributes, ms=int(time.time() * 1000),
                      pid=pid, epoch=max(-1, min(epoch, 32767)), sequence=d.choice([-1, 0, 0, n, 2 * n]))
        return mutated(d, whole) if d.random() < 0.1 else whole

    def number(self, f):
        d, name = self.dice, f.name
        if name in SHORT:
            return d.choice([-1, 0, 1, SHORT[name]])
        if name == "acks":
            return d.choice([-1, -1, -1, 1, 1, 0, 2])
        if name in ("num_partitions", "count"):
            return d.choice([-1, 0, 1, 2, 5])
        known = self.world.learned.get(name)
        if known and d.random() < 0.6:
            v = d.choice(known) + d.choice([0, 0, 0, 0, -1, 1])
        elif d.random() < 0.05:
            v = d.choice(EXTREMES[f.kind])
        else:
            v = d.choice(NUMBERS)
        low, high = EXTREMES[f.kind] if f.kind != "error" else (0, 0)
        return max(low, min(high, v))

    def text(self, f):
        d, name = self.dice, f.name
        if name in ("topic", "name", "topic_name", "resource_name", "topic_names", "subscribed_topic_names"):
            return d.choice(TOPICS + CONFIGS[:3] if name in ("name", "resource_name") else TOPICS)
        if "group" in name and "instance" not in name:
            return d.choice(GROUPS)
        if "transactional" in name:
            return d.choice(IDS)
        if "member_id" in name:
            return d.choice(["", "nobody", *self.world.learned["member_id"]])
        if name in ("config_name", "configuration_keys"):
            return d.choice(CONFIGS)
        if name == "value":
            return d.choice(VALUES)
        if name == "protocol_type":
            return d.choice(["consumer", "other", ""])
        return d.choice(["", "x", "range", "consumer", "Empty", "Ongoing", "y" * 300])

    def value(self, f, version, depth):
        d = self.dice
        if f.fields is not None:
            return self.struct(f.fields, version, depth + 1)
        if f.kind == "bool":
            return d.random() < 0.5
        if f.kind == "uuid":
            return d.choice([bytes(16), d.randbytes(16), *[i for i in self.world.learned["topic_id"]]])
        if not f.array and version in f.null and d.random() < 0.2:
            return None
        if f.kind == "string":
            return self.text(f)
        if f.kind == "records":
            return self.batch()
        if f.kind == "bytes":
            return d.randbytes(d.choice([0, 1, 20, 300]))
        return self.number(f)

    def field(self, f, version, depth):
        d = self.dice
        if f.array:
            if version in f.null and d.random() < 0.2:
                return None
            n = d.choice([0, 1, 1, 1, 2, 3]) if depth < 3 else d.choice([0, 1])
            return [self.value(f, version, depth) for _ in range(n)]
        if f.pointer and d.random() < 0.5:
            return None
        return self.value(f, version, depth)

    def struct(self, fields, version, depth=0):
        return {f.name: self.field(f, version, depth) for f in fields
                if version in f.versions and (f.tag is None or self.dice.random() < 0.3)}


def mutated(dice, data):
    data = bytearray(data)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(data))
        if dice.random() < 0.5:
            data[at] ^= 1 << dice.randrange(8)
        else:
            data[at:at + dice.randint(0, 2)] = dice.randbytes(dice.randint(0, 3))
    return bytes(data)


class Lane(raw_client.Client):
    """A connection that may change what it sends."""

    def __init__(self, daemon, dice):
        super().__init__(daemon.host, daemon.port, ANSWER_S)
        self.dice, self.change = dice, False
        plain = self.socket
        self.socket = self
        self.plain = plain
        self.recv, self.settimeout = plain.recv, plain.settimeout

    def sendall(self, data):
        if self.change:
            body = mutated(self.dice, data[4:])
            data = struct.pack(">i", len(body)) + body
        self.plain.sendall(data)

    def close(self):
        self.plain.close()


def run_lane(world, daemon, number, apis):
    dice = random.Random(f"{world.seed}-{number}")
    maker, lane = Maker(world, dice), None
    while not world.over.is_set():
        name, version = dice.choice(apis)
        try:
            if lane is None:
                lane = Lane(daemon, dice)
            lane.change = dice.random() < 0.1
            request = maker.struct(lane.apis[name].request, version)
            lane.send(name, version, **request)
            if name == "produce" and request["acks"] == 0 and not lane.change:
                continue
            answer = lane.receive(name, version)
        except (BrokenPipeError, ConnectionResetError):
            answer = None
        except Exception as e:  # pylint: disable=broad-except
            # A changed request may be another one by now, and so is its answer.
            if not lane.change:
                world.faults.append(f"{name} v{version}: {type(e).__name__}: {e}; request {request}")
            answer = None
        if answer is None:
            world.closed[name, version] += 1
            lane.close()
            lane = None
        else:
            world.answered[name, version] += 1
            if not lane.change:
                world.learn(answer)
    if lane is not None:
        lane.close()


def advertised(daemon):
    c = raw_client.Client(daemon.host, daemon.port, ANSWER_S)
    names = {api.key: name for name, api in c.apis.items()}
    found = [(names[k["api_key"]], v) for k in c.ask("api_versions", 0)["api_keys"]
             for v in range(k["min_version"], k["max_version"] + 1)]
    for name, config in (("a", []), ("b", []), ("compacted", [{"name": "cleanup.policy", "value": "compact"}])):
        c.ask("create_topics", 7, topics=[{"name": name, "num_partitions": 3, "replication_factor": 1, "configs": config}])
    c.close()
    return found


def serves(daemon):
    c = raw_client.Client(daemon.host, daemon.port, ANSWER_S)
    same(c.ask("metadata", 1, topics=None)["controller_id"], 1, "the daemon")
    c.close()


def main():
    seconds, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 1000000
    print(f"seed {seed} (of {LANES} connections at a time, so it repeats about)", flush=True)
    faulthandler.dump_traceback_later(seconds + 120, exit=True)
    daemon, world, passed = weir_daemon.start(options(SETTINGS)), World(seed), 0
    try:
        apis = advertised(daemon)
        lanes = [threading.Thread(target=run_lane, args=(world, daemon, i, apis), daemon=True) for i in range(LANES)]
        for lane in lanes:
            lane.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end and daemon.process.poll() is None and not world.faults:
            time.sleep(0.1)
        world.over.set()
        for lane in lanes:
            lane.join(ANSWER_S)
        never = [a for a in apis if world.answered[a] == 0]
        print(f"{sum(world.answered.values())} answered, {sum(world.closed.values())} ended their connection; "
              f"{len(apis) - len(never)} of {len(apis)} APIs in their versions answered; never: {never}")
        for fault in world.faults[:5]:
            print("FAIL:", fault[:1000])
        try:
            serves(daemon)
            passed += not world.faults
            status = daemon.stop()
            same(status, 0, "status of the daemon at its end")
            again = weir_daemon.start(options(SETTINGS), os.path.dirname(daemon.dir))
            serves(again)
            same(again.stop(), 0, "status of the daemon that was started again")
            passed += 1
        except Exception as e:  # pylint: disable=broad-except
            print("FAIL:", e)
    finally:
        if passed < 2:
            print(daemon.said()[-6000:])
        daemon.clean()
    finish(passed, 2 - passed)


if __name__ == "__main__":
    main()
