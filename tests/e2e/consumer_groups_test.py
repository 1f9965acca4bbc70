#!/usr/bin/python3
"""consumer_groups_test.py -- groups of the newer protocol (group.protocol=consumer),
message by message.  WEIR_LOGD names the daemon.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claims
import weir_daemon
from claims import main, same, until
from raw_calls import client, make

UNKNOWN_MEMBER, INCONSISTENT, INVALID_CONFIG, INVALID_REQUEST, GROUP_NOT_FOUND, SUBSCRIBED = 25, 23, 40, 42, 69, 86
FENCED_EPOCH, UNSUPPORTED_ASSIGNOR, STALE_EPOCH, INVALID_EXPRESSION = 110, 112, 113, 128
SETTINGS = {"group.consumer.heartbeat.interval.ms": 100, "group.consumer.min.session.timeout.ms": 500,
            "group.consumer.session.timeout.ms": 1500, "group.min.session.timeout.ms": 1000}


def drop(c, *names):
    answers = c.ask("delete_topics", 5, topic_names=names)["responses"]
    same({a["error_code"] for a in answers}, {0}, "codes of the deletion")


class Member:
    """A consumer that does what it is told; .owned is {(topic id, partition)}."""

    def __init__(self, c, group, member, version=1, **subscription):
        self.c, self.group, self.id, self.version = c, group, member, version
        self.epoch, self.owned, self.told, self.subscription = 0, set(), set(), subscription
        self.code = self.beat(rebalance_timeout_ms=60000, topic_partitions=[], **subscription)

    def beat(self, **more):
        """One heartbeat; its code.  An assignment in the answer is taken up with the next one."""
        more.setdefault("member_epoch", self.epoch)
        a = self.c.ask("consumer_group_heartbeat", self.version, group_id=self.group, member_id=self.id, **more)
        self.last = a
        if a["error_code"] == 0:
            self.id, self.epoch = a["member_id"], a["member_epoch"]
        if a["assignment"] is not None:
            self.told = {(t["topic_id"], p) for t in a["assignment"]["topic_partitions"] for p in t["partitions"]}
        return a["error_code"]

    def step(self):
        """Gives up what it no longer has, takes what is new, and says so."""
        self.owned = self.told
        ids = {t for t, _ in self.owned}
        return self.beat(topic_partitions=[{"topic_id": i, "partitions": [p for t, p in self.owned if t == i]} for i in ids])

    def leave(self):
        return self.beat(member_epoch=-1)


def settle(*members):
    """Steps until nothing changes any more; how many partitions each has."""
    def once():
        before = [(m.epoch, m.owned, m.told) for m in members]
        same({m.step() for m in members}, {0}, "codes of heartbeats")
        everything = [p for m in members for p in m.owned]
        same(len(everything), len(set(everything)), "partitions that two members own")
        return before == [(m.epoch, m.owned, m.told) for m in members]
    until("members that agree", once)
    return [len(m.owned) for m in members]


def described(c, group):
    return c.ask("consumer_group_describe", 1, group_ids=[group])["groups"][0]


def listed(c, **filters):
    return {g["group_id"]: (g["group_type"], g["group_state"], g["protocol_type"])
            for g in c.ask("list_groups", 5, **filters)["groups"]}


def commit(c, group, topic, member="", epoch=-1, version=9):
    answer = c.ask("offset_commit", version, group_id=group, member_id=member, generation_id_or_member_epoch=epoch,
                   topics=[{"name": topic, "partitions": [{"partition_index": 0, "committed_offset": 7}]}])
    return answer["topics"][0]["partitions"][0]["error_code"]


def fetched(c, group, topic, member=None, epoch=-1):
    """The code, and the offset where that is 0."""
    answer = c.ask("offset_fetch", 9, groups=[{"group_id": group, "member_id": member, "member_epoch": epoch,
                                               "topics": [{"name": topic, "partition_indexes": [0]}]}])["groups"][0]
    return answer["error_code"] or answer["topics"][0]["partitions"][0]["committed_offset"]


def test_the_feature_is_announced(daemon):
    c = client(daemon)
    for version, supported in ((3, []), (4, [("group.version", 0, 1), ("transaction.version", 0, 2)])):
        answer = c.ask("api_versions", version, client_software_name="x", client_software_version="1")
        same([(f["name"], f["min_version"], f["max_version"]) for f in answer["supported_features"]], supported,
             "supported features")
        same([(f["name"], f["min_version_level"], f["max_version_level"]) for f in answer["finalized_features"]],
             [("group.version", 1, 1), ("transaction.version", 2, 2)], "finalized features")
    ranges = {k["api_key"]: (k["min_version"], k["max_version"]) for k in answer["api_keys"]}
    same([ranges[k] for k in (8, 9, 68, 69)], [(1, 9), (1, 9), (0, 1), (0, 1)], "versions")
    c.close()


def test_partitions_go_from_member_to_member(daemon):
    c = client(daemon)
    make(c, "shared", 6)
    one = Member(c, "g", "one", subscribed_topic_names=["shared"])
    same((one.epoch, len(one.told), one.last["heartbeat_interval_ms"]), (1, 6, 100), "what the first member is told")
    same(settle(one), [6], "alone")
    two = Member(c, "g", "two", subscribed_topic_names=["shared"], server_assignor="uniform")
    same((two.epoch, two.told), (2, set()), "what the second is told")
    same(listed(c, types_filter=["consumer"]), {"g": ("consumer", "Reconciling", "consumer")}, "the group")
    same(one.beat(), 0, "code")
    same((one.epoch, len(one.told)), (1, 3), "the first is asked to give up")
    same((two.beat(), two.told), (0, set()), "the second waits")
    same(settle(one, two), [3, 3], "both")
    three = Member(c, "g", "", version=0, subscribed_topic_names=["shared"])
    same(len(three.id), 22, "length of an id that version 0 is given")
    same(settle(one, two, three), [2, 2, 2], "all three")
    same((one.leave(), one.epoch), (0, -1), "a leave")
    same(settle(two, three), [3, 3], "what is left")
    same((two.leave(), three.leave()), (0, 0), "the others")
    same(listed(c), {"g": ("consumer", "Empty", "consumer")}, "the group")
    same(c.ask("delete_groups", 2, groups_names=["g"])["results"][0]["error_code"], 0, "its deletion")
    drop(c, "shared")
    c.close()


def test_what_contradicts_itself_is_refused(daemon):
    c = client(daemon)
    make(c, "t", 1)
    good = Member(c, "refusing", "m", subscribed_topic_names=["t"])
    for code, more in ((INVALID_REQUEST, {"rebalance_timeout_ms": 1, "topic_partitions": []}),
                       (INVALID_REQUEST, {"rebalance_timeout_ms": 1, "subscribed_topic_names": ["t"]}),
                       (INVALID_REQUEST, {"topic_partitions": [], "subscribed_topic_names": ["t"]}),
                       (UNKNOWN_MEMBER, {"member_epoch": 1}),
                       (UNSUPPORTED_ASSIGNOR, {"rebalance_timeout_ms": 1, "topic_partitions": [],
                                               "subscribed_topic_names": ["t"], "server_assignor": "x"}),
                       (INVALID_EXPRESSION, {"rebalance_timeout_ms": 1, "topic_partitions": [],
                                             "subscribed_topic_regex": "["})):
        answer = c.ask("consumer_group_heartbeat", 1, group_id="refusing", member_id="other", **more)
        same((answer["error_code"], answer["member_id"], answer["assignment"]), (code, None, None), "answer")
        same(bool(answer["error_message"]), True, "a message")
    same(good.beat(member_epoch=2), FENCED_EPOCH, "code of an epoch to come")
    same(good.leave(), 0, "leave")
    c.ask("delete_groups", 2, groups_names=["refusing"])
    drop(c, "t")
    c.close()


def test_expressions_follow_the_topics(daemon):
    c = client(daemon)
    make(c, "log-a", 2)
    make(c, "blog-a", 1)
    one = Member(c, "matching", "one", subscribed_topic_regex="log-\\w")
    same(settle(one), [2], "at first")
    make(c, "log-b", 3)
    same(settle(one), [5], "with a topic more")
    drop(c, "log-a")
    same(settle(one), [3], "with a topic less")
    answer = c.ask("create_partitions", 3, topics=[{"name": "log-b", "count": 4, "assignments": None}])
    same(answer["results"][0]["error_code"], 0, "code")
    same(settle(one), [4], "of a topic that grew")
    m = described(c, "matching")["members"][0]
    same((m["subscribed_topic_regex"], m["subscribed_topic_names"]), ("log-\\w", []), "its description")
    one.leave()
    c.ask("delete_groups", 2, groups_names=["matching"])
    drop(c, "log-b", "blog-a")
    c.close()


def test_offsets_are_committed_in_the_members_epoch(daemon):
    c = client(daemon)
    make(c, "kept", 1)
    one = Member(c, "offsets", "one", subscribed_topic_names=["kept"])
    same(commit(c, "offsets", "kept", "one", one.epoch), 0, "code of a commit")
    same(commit(c, "offsets", "kept", "one", one.epoch + 1), STALE_EPOCH, "code in another epoch")
    same(commit(c, "offsets", "kept", "two", one.epoch), UNKNOWN_MEMBER, "code of nobody's commit")
    same(commit(c, "offsets", "kept"), UNKNOWN_MEMBER, "code of an administrator's commit")
    same(fetched(c, "offsets", "kept", "one", one.epoch), 7, "the offset")
    same(fetched(c, "offsets", "kept", "one", one.epoch + 1), STALE_EPOCH, "code in another epoch")
    same(fetched(c, "offsets", "kept", "two", 1), UNKNOWN_MEMBER, "code of nobody's fetch")
    same(fetched(c, "offsets", "kept"), 7, "the offset, for an administrator")
    deleted = c.ask("offset_delete", 0, group_id="offsets", topics=[
        {"name": "kept", "partitions": [{"partition_index": 0}]}])
    same(deleted["topics"][0]["partitions"][0]["error_code"], SUBSCRIBED, "code of a deletion")
    until("the end of its session", lambda: listed(c)["offsets"][1] == "Empty")
    same(one.beat(), UNKNOWN_MEMBER, "code of a heartbeat that is late")
    same(commit(c, "offsets", "kept"), 0, "code of an administrator's commit")
    c.ask("delete_groups", 2, groups_names=["offsets"])
    drop(c, "kept")
    c.close()


def test_administrators_see_members_and_targets(daemon):
    c = client(daemon)
    make(c, "seen", 3)
    one = Member(c, "seen", "one", subscribed_topic_names=["seen"], instance_id="i", rack_id="r")
    settle(one)
    Member(c, "seen", "two", subscribed_topic_names=["seen"])
    g = described(c, "seen")
    same((g["error_code"], g["group_state"], g["group_epoch"], g["assignment_epoch"], g["assignor_name"]),
         (0, "Reconciling", 2, 2, "uniform"), "the group")
    m = g["members"][0]
    same((m["member_id"], m["instance_id"], m["rack_id"], m["member_epoch"], m["client_id"], m["client_host"],
          m["member_type"], m["subscribed_topic_names"]),
         ("one", "i", "r", 1, "test", "/127.0.0.1", 1, ["seen"]), "the first member")
    same([(t["topic_name"], t["partitions"]) for t in m["assignment"]["topic_partitions"]], [("seen", [0, 1, 2])],
         "what it has")
    same([(t["topic_name"], len(t["partitions"])) for t in m["target_assignment"]["topic_partitions"]], [("seen", 2)],
         "what it is to have")
    same((described(c, "absent")["error_code"], described(c, "absent")["group_state"]), (GROUP_NOT_FOUND, "Dead"),
         "of no group")
    old = [c.ask("describe_groups", v, groups=["seen"])["groups"][0] for v in (5, 6)]
    same([(g["error_code"], g["group_state"]) for g in old], [(0, "Dead"), (GROUP_NOT_FOUND, "Dead")],
         "as DescribeGroups tells it")
    left = c.ask("leave_group", 5, group_id="seen", members=[
        {"member_id": "", "group_instance_id": "i"}, {"member_id": "two", "group_instance_id": None}])
    same([m["error_code"] for m in left["members"]], [0, 0], "codes of their removal")
    c.ask("delete_groups", 2, groups_names=["seen"])
    drop(c, "seen")
    c.close()


def join(c, group, member=""):
    return c.ask("join_group", 3, group_id=group, session_timeout_ms=10000, rebalance_timeout_ms=10000, member_id=member,
                 protocol_type="consumer", protocols=[{"name": "range", "metadata": b""}])


def test_a_group_is_of_one_protocol_at_a_time(daemon):
    c = client(daemon)
    make(c, "both", 1)
    one = Member(c, "both", "one", subscribed_topic_names=["both"])
    same(join(c, "both")["error_code"], INCONSISTENT, "code of a classic join")
    same(one.leave(), 0, "leave")
    joined = join(c, "both")
    same((joined["error_code"], listed(c)["both"][0]), (0, "classic"), "the group is taken over")
    same(Member(c, "both", "one", subscribed_topic_names=["both"]).code, GROUP_NOT_FOUND, "code of a heartbeat")
    same(described(c, "both")["error_code"], GROUP_NOT_FOUND, "code of a description")
    c.ask("leave_group", 1, group_id="both", member_id=joined["member_id"])
    one = Member(c, "both", "one", subscribed_topic_names=["both"])
    same((one.code, listed(c)["both"][0], one.leave()), (0, "consumer", 0), "and back")
    c.ask("delete_groups", 2, groups_names=["both"])
    drop(c, "both")
    c.close()


def test_settings_are_altered_at_run_time(daemon):
    c = client(daemon)
    one = Member(c, "altered", "one", subscribed_topic_names=["t"])
    same(one.last["heartbeat_interval_ms"], 100, "interval")
    def alter(value):
        return c.ask("incremental_alter_configs", 1, resources=[{"resource_type": 4, "resource_name": "1", "configs": [
            {"name": "group.consumer.heartbeat.interval.ms", "config_operation": 0 if value else 1, "value": value}]}])[
                "responses"][0]["error_code"]
    same(alter("70"), 0, "code")
    same((one.beat(), one.last["heartbeat_interval_ms"]), (0, 70), "interval")
    same(alter("1501"), INVALID_CONFIG, "code of an interval above the session timeout")
    same(alter(None), 0, "code")
    one.leave()
    c.close()


def test_members_go_on_after_a_restart(_):
    daemon = weir_daemon.start(claims.options(SETTINGS))
    c = client(daemon)
    make(c, "lasting", 2)
    one = Member(c, "lasting", "one", subscribed_topic_names=["lasting"])
    other = Member(c, "lasting", "other", subscribed_topic_names=["lasting"])
    same(settle(one, other), [1, 1], "before")
    same(commit(c, "lasting", "lasting", "one", one.epoch), 0, "code of a commit")
    c.close()
    daemon.kill()
    again = weir_daemon.start(claims.options(SETTINGS), os.path.dirname(daemon.dir))
    one.c = other.c = c = client(again)
    same((one.beat(), other.beat()), (UNKNOWN_MEMBER, UNKNOWN_MEMBER), "codes of heartbeats")
    same(commit(c, "lasting", "lasting", "one", one.epoch), UNKNOWN_MEMBER, "code of a commit")
    one, other = (Member(c, "lasting", m.id, subscribed_topic_names=["lasting"]) for m in (one, other))
    same((settle(one, other), fetched(c, "lasting", "lasting", "one", one.epoch)), ([1, 1], 7), "after")
    c.close()
    same(again.stop(), 0, "status")
    again.clean()
    daemon.clean()


if __name__ == "__main__":
    main(globals(), SETTINGS)
