/* states_test.c -- every state of a group times every event. */
#include "unit/coord/fixture.h"

#include <string.h>

static void
begin(void)
{
	start(MS_DELAY, INT32_MAX);
}

/* ---- unknown, which is Dead ---- */

static void
unknown_group_join_with_member_id_is_unknown_member(void)
{
	begin();
	JOIN(0, .member = "x");
	REFUSED(0, GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(groups_count(groups) == 0);
	stop();
}

static void
unknown_group_sync_heartbeat_leave_are_unknown_member(void)
{
	begin();
	sync(0, "x", NULL, 1, NULL);
	SYNCED(0, GROUP_UNKNOWN_MEMBER_ID, "");
	CU_ASSERT(beat("x", NULL, 1) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(leave("x", NULL) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(state() == GROUP_DEAD);
	stop();
}

static void
unknown_group_commit_depends_on_generation_and_version(void)
{
	struct group_commit c = { .group_id = text("g"), .member_id = text("x"),
		.generation = 3 };

	begin();
	CU_ASSERT(commit("", NULL, -1) == GROUP_OK);
	CU_ASSERT(groups_commit_check(groups, &c, 0) == GROUP_ILLEGAL_GENERATION);
	c.group_not_found_known = true;
	CU_ASSERT(groups_commit_check(groups, &c, 0) == GROUP_ID_NOT_FOUND);
	CU_ASSERT(groups_count(groups) == 0);
	stop();
}

/* ---- Empty ---- */

static void
empty_join_begins_a_rebalance(void)
{
	begin();
	groups_note_offsets(groups, text("g"), true, now_ms);
	CU_ASSERT(state() == GROUP_EMPTY);
	JOIN(0, .client = "c");
	WAITS(0);
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

static void
empty_sync_and_heartbeat_are_unknown_member(void)
{
	begin();
	groups_note_offsets(groups, text("g"), true, now_ms);
	sync(0, "x", NULL, 0, NULL);
	SYNCED(0, GROUP_UNKNOWN_MEMBER_ID, "");
	CU_ASSERT(beat("x", NULL, 0) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(leave("x", NULL) == GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
empty_commit_is_for_those_outside_of_generations(void)
{
	begin();
	groups_note_offsets(groups, text("g"), true, now_ms);
	CU_ASSERT(commit("", NULL, -1) == GROUP_OK);
	CU_ASSERT(commit("x", NULL, 0) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(commit("x", NULL, 5) == GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

/* ---- PreparingRebalance ---- */

static void
preparing_join_waits_for_the_others(void)
{
	begin();
	preparing(2);
	WAITS(0);
	JOIN(1, .member = ids[1]);
	JOINED(0, GROUP_OK, 2);
	JOINED(1, GROUP_OK, 2);
	CU_ASSERT(state() == GROUP_COMPLETING);
	stop();
}

static void
preparing_sync_is_told_to_rebalance(void)
{
	begin();
	preparing(2);
	sync(1, ids[1], NULL, 1, NULL);
	SYNCED(1, GROUP_REBALANCE_IN_PROGRESS, "");
	stop();
}

static void
preparing_heartbeat_is_told_to_rebalance(void)
{
	begin();
	preparing(2);
	CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_REBALANCE_IN_PROGRESS);
	CU_ASSERT(beat(ids[1], NULL, 0) == GROUP_ILLEGAL_GENERATION);
	CU_ASSERT(beat("x", NULL, 1) == GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
preparing_commit_of_the_last_generation_is_taken(void)
{
	begin();
	preparing(2);
	CU_ASSERT(commit(ids[1], NULL, 1) == GROUP_OK);
	CU_ASSERT(commit(ids[1], NULL, 2) == GROUP_ILLEGAL_GENERATION);
	CU_ASSERT(commit("", NULL, -1) == GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
preparing_leave_of_the_last_absent_member_completes(void)
{
	begin();
	preparing(2);
	CU_ASSERT(leave(ids[1], NULL) == GROUP_OK);
	JOINED(0, GROUP_OK, 2);
	CU_ASSERT(answer_to(0)->n_members == 1);
	stop();
}

static void
preparing_leave_answers_the_join_that_waits(void)
{
	begin();
	preparing(2);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_OK);
	REFUSED(0, GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

static void
preparing_ends_empty_when_all_leave(void)
{
	struct group_description d;

	begin();
	preparing(2);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_OK);
	CU_ASSERT(state() == GROUP_PREPARING);
	CU_ASSERT(leave(ids[1], NULL) == GROUP_OK);
	CU_ASSERT(state() == GROUP_EMPTY);
	CU_ASSERT(groups_describe(groups, text("g"), &d));
	CU_ASSERT(d.generation == 2 && span_is(d.protocol_type, "consumer"));
	stop();
}

/* ---- CompletingRebalance ---- */

static void
completing_join_unchanged_gets_the_answer_again(void)
{
	begin();
	completing(2);
	JOIN(0, .member = ids[0]);
	JOIN(1, .member = ids[1]);
	JOINED(0, GROUP_OK, 1);
	JOINED(1, GROUP_OK, 1);
	CU_ASSERT(answer_to(0)->n_members == 2 && answer_to(1)->n_members == 0);
	CU_ASSERT(state() == GROUP_COMPLETING);
	stop();
}

static void
completing_join_changed_rebalances(void)
{
	begin();
	completing(2);
	JOIN(1, .member = ids[1], .protocols = "range=other");
	WAITS(1);
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

static void
completing_join_of_a_newcomer_ends_waiting_syncs(void)
{
	begin();
	completing(2);
	sync(1, ids[1], NULL, 1, NULL);
	WAITS(1);
	JOIN(2, .client = "new");
	SYNCED(1, GROUP_REBALANCE_IN_PROGRESS, "");
	WAITS(2);
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

static void
completing_join_changed_ends_its_own_sync(void)
{
	begin();
	completing(2);
	sync(1, ids[1], NULL, 1, NULL);
	JOIN(2, .member = ids[1], .protocols = "range=other");
	SYNCED(1, GROUP_REBALANCE_IN_PROGRESS, "");
	WAITS(2);
	stop();
}

static void
completing_sync_waits_for_the_leader(void)
{
	char list[TEXT] = "";

	begin();
	completing(2);
	sync(1, ids[1], NULL, 1, "ignored=from-a-follower");
	WAITS(1);
	strcat(strcat(list, ids[1]), "=mine");
	sync(0, ids[0], NULL, 1, list);
	SYNCED(0, GROUP_OK, "");
	SYNCED(1, GROUP_OK, "mine");
	CU_ASSERT_STRING_EQUAL(answer_to(1)->protocol, "range");
	CU_ASSERT_STRING_EQUAL(answer_to(1)->protocol_type, "consumer");
	CU_ASSERT(state() == GROUP_STABLE);
	stop();
}

static void
completing_sync_of_another_generation_is_illegal(void)
{
	begin();
	completing(1);
	sync(0, ids[0], NULL, 2, NULL);
	SYNCED(0, GROUP_ILLEGAL_GENERATION, "");
	sync(1, ids[0], NULL, 0, NULL);
	SYNCED(1, GROUP_ILLEGAL_GENERATION, "");
	sync(2, "x", NULL, 1, NULL);
	SYNCED(2, GROUP_UNKNOWN_MEMBER_ID, "");
	stop();
}

static void
completing_sync_names_have_to_match(void)
{
	begin();
	completing(1);
	sync_named(0, ids[0], 1, "connect", "range");
	SYNCED(0, GROUP_INCONSISTENT_PROTOCOL, "");
	sync_named(1, ids[0], 1, "consumer", "sticky");
	SYNCED(1, GROUP_INCONSISTENT_PROTOCOL, "");
	sync_named(2, ids[0], 1, "consumer", "range");
	SYNCED(2, GROUP_OK, "");
	stop();
}

static void
completing_sync_again_replaces_the_one_that_waits(void)
{
	begin();
	completing(2);
	sync(1, ids[1], NULL, 1, NULL);
	sync(2, ids[1], NULL, 1, NULL);
	SYNCED(1, GROUP_REBALANCE_IN_PROGRESS, "");
	WAITS(2);
	sync(0, ids[0], NULL, 1, NULL);
	SYNCED(2, GROUP_OK, "");
	CU_ASSERT(answer_to(1)->n == 1);
	stop();
}

static void
completing_heartbeat_is_ok(void)
{
	begin();
	completing(2);
	CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_OK);
	CU_ASSERT(beat(ids[1], NULL, 2) == GROUP_ILLEGAL_GENERATION);
	stop();
}

static void
completing_commit_is_told_to_rebalance(void)
{
	begin();
	completing(2);
	CU_ASSERT(commit(ids[1], NULL, 1) == GROUP_REBALANCE_IN_PROGRESS);
	CU_ASSERT(commit(ids[1], NULL, 0) == GROUP_ILLEGAL_GENERATION);
	CU_ASSERT(commit("x", NULL, 1) == GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
completing_commit_of_a_transaction_is_taken(void)
{
	struct group_commit txn = { .group_id = text("g"), .generation = 1,
		.transactional = true };

	begin();
	completing(2);
	txn.member_id = text(ids[1]);
	CU_ASSERT(groups_commit_check(groups, &txn, now_ms) == GROUP_OK);
	txn.generation = 2;
	CU_ASSERT(groups_commit_check(groups, &txn, now_ms) ==
	    GROUP_ILLEGAL_GENERATION);
	stop();
}

static void
completing_leave_rebalances_and_ends_syncs(void)
{
	begin();
	completing(3);
	sync(1, ids[1], NULL, 1, NULL);
	sync(2, ids[2], NULL, 1, NULL);
	CU_ASSERT(leave(ids[2], NULL) == GROUP_OK);
	SYNCED(1, GROUP_REBALANCE_IN_PROGRESS, "");
	SYNCED(2, GROUP_UNKNOWN_MEMBER_ID, "");
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

/* ---- Stable ---- */

static void
stable_join_of_an_unchanged_follower_does_not_rebalance(void)
{
	begin();
	stable(2);
	JOIN(1, .member = ids[1]);
	JOINED(1, GROUP_OK, 1);
	CU_ASSERT(answer_to(1)->n_members == 0);
	CU_ASSERT_STRING_EQUAL(answer_to(1)->leader, ids[0]);
	CU_ASSERT(state() == GROUP_STABLE);
	sync(2, ids[1], NULL, 1, NULL);
	SYNCED(2, GROUP_OK, "a1");
	stop();
}

static void
stable_join_of_a_changed_follower_rebalances(void)
{
	begin();
	stable(2);
	JOIN(1, .member = ids[1], .protocols = "range=m,sticky=m");
	WAITS(1);
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

static void
stable_join_of_the_leader_rebalances(void)
{
	begin();
	stable(2);
	JOIN(0, .member = ids[0]);
	WAITS(0);
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

static void
stable_join_of_a_newcomer_rebalances(void)
{
	begin();
	stable(1);
	JOIN(1, .client = "new");
	WAITS(1);
	CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_REBALANCE_IN_PROGRESS);
	JOIN(0, .member = ids[0]);
	JOINED(0, GROUP_OK, 2);
	JOINED(1, GROUP_OK, 2);
	CU_ASSERT(answer_to(0)->n_members == 2);
	stop();
}

static void
stable_sync_gets_the_assignment(void)
{
	begin();
	stable(2);
	sync(0, ids[0], NULL, 1, "x=a-leader-cannot-reassign");
	SYNCED(0, GROUP_OK, "a0");
	sync(1, ids[1], NULL, 1, NULL);
	SYNCED(1, GROUP_OK, "a1");
	sync(2, ids[1], NULL, 2, NULL);
	SYNCED(2, GROUP_ILLEGAL_GENERATION, "");
	stop();
}

static void
stable_heartbeat_is_ok(void)
{
	begin();
	stable(1);
	CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_OK);
	CU_ASSERT(beat(ids[0], NULL, 2) == GROUP_ILLEGAL_GENERATION);
	CU_ASSERT(beat("x", NULL, 1) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(beat("", NULL, 1) == GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
stable_commit_is_for_members_of_the_generation(void)
{
	struct group_commit txn = { .group_id = text("g"), .member_id = text(""),
		.generation = -1, .transactional = true };

	begin();
	stable(1);
	CU_ASSERT(commit(ids[0], NULL, 1) == GROUP_OK);
	CU_ASSERT(commit(ids[0], NULL, 2) == GROUP_ILLEGAL_GENERATION);
	CU_ASSERT(commit(ids[0], NULL, -1) == GROUP_ILLEGAL_GENERATION);
	CU_ASSERT(commit("x", NULL, 1) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(commit("", NULL, -1) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(groups_commit_check(groups, &txn, now_ms) == GROUP_OK);
	txn.generation = 0;
	CU_ASSERT(groups_commit_check(groups, &txn, now_ms) == GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
stable_leave_rebalances(void)
{
	begin();
	stable(2);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_OK);
	CU_ASSERT(state() == GROUP_PREPARING);
	JOIN(1, .member = ids[1]);
	JOINED(1, GROUP_OK, 2);
	CU_ASSERT_STRING_EQUAL(answer_to(1)->leader, ids[1]);
	stop();
}

static void
stable_leave_of_the_last_member_empties(void)
{
	begin();
	stable(1);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_OK);
	CU_ASSERT(state() == GROUP_EMPTY);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

/* ---- all ---- */

static void
group_ids_are_limited(void)
{
	char longest[GROUP_ID_MAX_BYTES + 2];
	struct group_leave one = { text("x"), text(NULL), GROUP_OK };
	struct group_heartbeat h = { .group_id = text("") };
	struct group_commit c = { .group_id = text(NULL), .generation = -1 };

	begin();
	memset(longest, 'g', sizeof longest);
	longest[GROUP_ID_MAX_BYTES + 1] = '\0';
	JOIN(0, .group = "");
	REFUSED(0, GROUP_INVALID_GROUP_ID);
	JOIN(1, .group = longest);
	REFUSED(1, GROUP_INVALID_GROUP_ID);
	longest[GROUP_ID_MAX_BYTES] = '\0';
	JOIN(2, .group = longest);
	WAITS(2);
	CU_ASSERT(groups_heartbeat(groups, &h, 0) == GROUP_INVALID_GROUP_ID);
	CU_ASSERT(groups_leave(groups, text(""), &one, 1, 0) == GROUP_INVALID_GROUP_ID);
	CU_ASSERT(groups_commit_check(groups, &c, 0) == GROUP_INVALID_GROUP_ID);
	c.group_id = text("");
	CU_ASSERT(groups_commit_check(groups, &c, 0) == GROUP_OK);
	stop();
}

static void
cooperative_rebalance_takes_two_phases(void)
{
	char a[TEXT], b[TEXT], list[3 * TEXT];

	begin();
	JOIN(0, .protocols = "cooperative-sticky=owns:");
	pass_ms(MS_DELAY);
	strcpy(a, answer_to(0)->member_id);
	snprintf(list, sizeof list, "%s=p0+p1", a);
	sync(1, a, NULL, 1, list);
	SYNCED(1, GROUP_OK, "p0+p1");
	/* A second one comes; the first keeps consuming while it joins. */
	JOIN(2, .protocols = "cooperative-sticky=owns:");
	CU_ASSERT(commit(a, NULL, 1) == GROUP_OK);
	fresh();
	JOIN(0, .member = a, .protocols = "cooperative-sticky=owns:p0+p1");
	JOINED(0, GROUP_OK, 2);
	JOINED(2, GROUP_OK, 2);
	strcpy(b, answer_to(2)->member_id);
	CU_ASSERT(strstr(answer_to(0)->members, "=owns:p0+p1") != NULL);
	/* Phase one takes p1 away, and gives it to nobody yet. */
	fresh();
	snprintf(list, sizeof list, "%s=p0,%s=", a, b);
	sync(2, b, NULL, 2, NULL);
	sync(0, a, NULL, 2, list);
	SYNCED(0, GROUP_OK, "p0");
	SYNCED(2, GROUP_OK, "");
	/* The first says that it let go of p1: phase two. */
	fresh();
	JOIN(0, .member = a, .protocols = "cooperative-sticky=owns:p0");
	CU_ASSERT(beat(b, NULL, 2) == GROUP_REBALANCE_IN_PROGRESS);
	JOIN(2, .member = b, .protocols = "cooperative-sticky=owns:");
	JOINED(0, GROUP_OK, 3);
	JOINED(2, GROUP_OK, 3);
	fresh();
	snprintf(list, sizeof list, "%s=p0,%s=p1", a, b);
	sync(0, a, NULL, 3, list);
	sync(2, b, NULL, 3, NULL);
	SYNCED(0, GROUP_OK, "p0");
	SYNCED(2, GROUP_OK, "p1");
	CU_ASSERT(state() == GROUP_STABLE);
	stop();
}

const struct unit_test states_tests[] = {
	UNIT(unknown_group_join_with_member_id_is_unknown_member),
	UNIT(unknown_group_sync_heartbeat_leave_are_unknown_member),
	UNIT(unknown_group_commit_depends_on_generation_and_version),
	UNIT(empty_join_begins_a_rebalance),
	UNIT(empty_sync_and_heartbeat_are_unknown_member),
	UNIT(empty_commit_is_for_those_outside_of_generations),
	UNIT(preparing_join_waits_for_the_others),
	UNIT(preparing_sync_is_told_to_rebalance),
	UNIT(preparing_heartbeat_is_told_to_rebalance),
	UNIT(preparing_commit_of_the_last_generation_is_taken),
	UNIT(preparing_leave_of_the_last_absent_member_completes),
	UNIT(preparing_leave_answers_the_join_that_waits),
	UNIT(preparing_ends_empty_when_all_leave),
	UNIT(completing_join_unchanged_gets_the_answer_again),
	UNIT(completing_join_changed_rebalances),
	UNIT(completing_join_of_a_newcomer_ends_waiting_syncs),
	UNIT(completing_join_changed_ends_its_own_sync),
	UNIT(completing_sync_waits_for_the_leader),
	UNIT(completing_sync_of_another_generation_is_illegal),
	UNIT(completing_sync_names_have_to_match),
	UNIT(completing_sync_again_replaces_the_one_that_waits),
	UNIT(completing_heartbeat_is_ok),
	UNIT(completing_commit_is_told_to_rebalance),
	UNIT(completing_commit_of_a_transaction_is_taken),
	UNIT(completing_leave_rebalances_and_ends_syncs),
	UNIT(stable_join_of_an_unchanged_follower_does_not_rebalance),
	UNIT(stable_join_of_a_changed_follower_rebalances),
	UNIT(stable_join_of_the_leader_rebalances),
	UNIT(stable_join_of_a_newcomer_rebalances),
	UNIT(stable_sync_gets_the_assignment),
	UNIT(stable_heartbeat_is_ok),
	UNIT(stable_commit_is_for_members_of_the_generation),
	UNIT(stable_leave_rebalances),
	UNIT(stable_leave_of_the_last_member_empties),
	UNIT(group_ids_are_limited),
	UNIT(cooperative_rebalance_takes_two_phases),
	UNIT_END
};
