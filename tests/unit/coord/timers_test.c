/* timers_test.c -- what time does to members and rebalances. */
#include "unit/coord/fixture.h"

#include <string.h>

static void
begin(void)
{
	start(MS_DELAY, INT32_MAX);
}

static void
first_join_waits_for_the_delay(void)
{
	begin();
	JOIN(0, .client = "c");
	CU_ASSERT(groups_next_deadline(groups) == now_ms + MS_DELAY);
	pass_ms(MS_DELAY - 1);
	WAITS(0);
	pass_ms(1);
	JOINED(0, GROUP_OK, 1);
	stop();
}

static void
delay_starts_anew_for_newcomers(void)
{
	begin();
	JOIN(0, .client = "c");
	pass_ms(MS_DELAY - 1);
	JOIN(1, .client = "c");
	pass_ms(1);
	WAITS(0);
	pass_ms(MS_DELAY - 1);
	WAITS(1);
	pass_ms(1);
	JOINED(0, GROUP_OK, 1);
	JOINED(1, GROUP_OK, 1);
	stop();
}

static void
delay_ends_with_the_rebalance_timeout(void)
{
	int i;

	begin();
	JOIN(0, .client = "c", .rebalance_ms = 8000);
	for (i = 1; i <= 7; i++) {
		pass_ms(1000);
		WAITS(0);
		JOIN(i, .client = "c", .rebalance_ms = 8000);
	}
	pass_ms(1000);
	JOINED(0, GROUP_OK, 1);
	JOINED(7, GROUP_OK, 1);
	stop();
}

static void
delay_is_only_for_the_first_generation(void)
{
	begin();
	preparing(2);
	JOIN(1, .member = ids[1]);
	JOINED(1, GROUP_OK, 2);
	stop();
}

static void
delay_comes_again_when_the_group_was_empty(void)
{
	begin();
	stable(1);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_OK);
	JOIN(0, .client = "c");
	WAITS(0);
	pass_ms(MS_DELAY);
	JOINED(0, GROUP_OK, 3);
	stop();
}

static void
delay_goes_on_when_its_only_member_is_gone(void)
{
	char id[TEXT];

	begin();
	JOIN(0, .v4 = true);
	strcpy(id, answer_to(0)->member_id);
	JOIN(1, .member = id, .v4 = true);
	CU_ASSERT(leave(id, NULL) == GROUP_OK);
	REFUSED(1, GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(state() == GROUP_PREPARING);
	pass_ms(MS_DELAY);
	CU_ASSERT(state() == GROUP_EMPTY);
	stop();
}

static void
silent_member_expires(void)
{
	begin();
	stable(2);
	pass_ms(MS_SESSION - 1);
	CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_OK);
	pass_ms(1);
	CU_ASSERT(state() == GROUP_PREPARING);
	CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_REBALANCE_IN_PROGRESS);
	stop();
}

static void
last_member_expires_and_leaves_an_empty_group(void)
{
	begin();
	stable(1);
	pass_ms(MS_SESSION);
	CU_ASSERT(state() == GROUP_EMPTY);
	stop();
}

/* A Stable member that does `again` in time lives on; now it does nothing. */
static void
keeps_alive(void (*again)(void))
{
	int i;

	begin();
	stable(2);
	for (i = 0; i < 5; i++) {
		pass_ms(MS_SESSION - 1);
		CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_OK);
		fresh();
		again();
		CU_ASSERT(state() == GROUP_STABLE);
	}
	pass_ms(MS_SESSION - 1);
	CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_OK);
	pass_ms(1);
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

static void
by_heartbeat(void)
{
	CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_OK);
}

static void
by_commit(void)
{
	CU_ASSERT(commit(ids[1], NULL, 1) == GROUP_OK);
}

static void
by_sync(void)
{
	sync(1, ids[1], NULL, 1, NULL);
	SYNCED(1, GROUP_OK, "a1");
}

static void
by_join(void)
{
	JOIN(1, .member = ids[1]);
	JOINED(1, GROUP_OK, 1);
}

static void
heartbeat_commit_sync_join_keep_a_member_alive(void)
{
	keeps_alive(by_heartbeat);
	keeps_alive(by_commit);
	keeps_alive(by_sync);
	keeps_alive(by_join);
}

static void
refused_commit_does_not_keep_a_member_alive(void)
{
	begin();
	stable(2);
	pass_ms(MS_SESSION - 1);
	CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_OK);
	CU_ASSERT(commit(ids[1], NULL, 9) == GROUP_ILLEGAL_GENERATION);
	pass_ms(1);
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

static void
shorter_session_counts_at_once(void)
{
	begin();
	stable(2);
	JOIN(1, .member = ids[1], .protocols = "range=n", .session_ms = 6000);
	JOIN(0, .member = ids[0]);
	JOINED(1, GROUP_OK, 2);
	CU_ASSERT(groups_next_deadline(groups) == now_ms + 6000);
	pass_ms(6000);
	CU_ASSERT(beat(ids[1], NULL, 2) == GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
absent_members_are_dropped_when_the_rebalance_times_out(void)
{
	int i;

	begin();
	preparing(2);
	/* It sends heartbeats, but never joins. */
	for (i = 0; i < 5; i++) {
		pass_ms(MS_SESSION - 1);
		CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_REBALANCE_IN_PROGRESS);
	}
	WAITS(0);
	pass_ms(MS_SESSION - 1);
	CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_REBALANCE_IN_PROGRESS);
	pass_ms(6);
	JOINED(0, GROUP_OK, 2);
	CU_ASSERT(answer_to(0)->n_members == 1);
	CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
longest_rebalance_timeout_counts(void)
{
	begin();
	JOIN(0, .client = "c", .rebalance_ms = 20000, .session_ms = 200000);
	JOIN(1, .client = "c", .rebalance_ms = 90000, .session_ms = 200000);
	pass_ms(MS_DELAY);
	pass_ms(MS_DELAY);
	strcpy(ids[0], answer_to(0)->member_id);
	sync(2, ids[0], NULL, 1, NULL);
	sync(3, answer_to(1)->member_id, NULL, 1, NULL);
	fresh();
	JOIN(0, .member = ids[0], .rebalance_ms = 20000, .session_ms = 200000);
	pass_ms(89999);
	WAITS(0);
	pass_ms(1);
	JOINED(0, GROUP_OK, 2);
	stop();
}

static void
without_rebalance_timeout_the_session_timeout_counts(void)
{
	begin();
	JOIN(0, .client = "c", .rebalance_ms = -1, .session_ms = 30000);
	JOIN(1, .client = "c", .rebalance_ms = -1, .session_ms = 30000);
	pass_ms(MS_DELAY);
	pass_ms(MS_DELAY);
	strcpy(ids[0], answer_to(0)->member_id);
	strcpy(ids[1], answer_to(1)->member_id);
	sync(2, ids[0], NULL, 1, NULL);
	sync(3, ids[1], NULL, 1, NULL);
	fresh();
	JOIN(0, .member = ids[0], .rebalance_ms = -1, .session_ms = 30000);
	pass_ms(29999);
	CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_REBALANCE_IN_PROGRESS);
	WAITS(0);
	pass_ms(1);
	JOINED(0, GROUP_OK, 2);
	stop();
}

static void
waiting_join_does_not_expire(void)
{
	int i;

	begin();
	preparing(2);
	for (i = 0; i < 5; i++) {
		pass_ms(MS_SESSION - 1);
		CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_REBALANCE_IN_PROGRESS);
	}
	WAITS(0);
	JOIN(1, .member = ids[1]);
	JOINED(0, GROUP_OK, 2);
	/* Its time runs again. */
	pass_ms(MS_SESSION);
	CU_ASSERT(beat(ids[0], NULL, 2) == GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
waiting_sync_does_not_expire(void)
{
	int i;

	begin();
	completing(2);
	sync(1, ids[1], NULL, 1, NULL);
	for (i = 0; i < 5; i++) {
		pass_ms(MS_SESSION - 1);
		CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_OK);
	}
	WAITS(1);
	sync(0, ids[0], NULL, 1, NULL);
	SYNCED(1, GROUP_OK, "");
	pass_ms(MS_SESSION - 1);
	CU_ASSERT(state() == GROUP_STABLE);
	stop();
}

static void
newcomer_waits_five_minutes_at_most(void)
{
	int i;

	begin();
	JOIN(0, .client = "c", .rebalance_ms = 900000, .session_ms = 600000);
	pass_ms(MS_DELAY);
	strcpy(ids[0], answer_to(0)->member_id);
	sync(1, ids[0], NULL, 1, NULL);
	JOIN(2, .client = "new");
	for (i = 0; i < 2; i++) {
		pass_ms(MS_NEW_MEMBER / 2 - 1);
		CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_REBALANCE_IN_PROGRESS);
	}
	WAITS(2);
	pass_ms(2);
	REFUSED(2, GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

static void
pending_member_id_expires(void)
{
	char id[TEXT];

	begin();
	JOIN(0, .v4 = true);
	strcpy(id, answer_to(0)->member_id);
	pass_ms(MS_SESSION - 1);
	CU_ASSERT(state() == GROUP_EMPTY);
	pass_ms(1);
	CU_ASSERT(groups_count(groups) == 0);
	JOIN(1, .member = id, .v4 = true);
	REFUSED(1, GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
expired_pending_member_id_is_waited_for_no_more(void)
{
	begin();
	stable(1);
	JOIN(1, .v4 = true);
	JOIN(0, .member = ids[0]);
	pass_ms(MS_SESSION - 1);
	WAITS(0);
	pass_ms(1);
	JOINED(0, GROUP_OK, 2);
	stop();
}

static void
members_that_never_sync_are_dropped(void)
{
	int i;

	begin();
	completing(3);
	sync(2, ids[2], NULL, 1, NULL);
	for (i = 0; i < 6; i++) {
		pass_ms(MS_SESSION - 1);
		CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_OK);
		CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_OK);
	}
	WAITS(2);
	pass_ms(6);
	SYNCED(2, GROUP_REBALANCE_IN_PROGRESS, "");
	CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(beat(ids[2], NULL, 1) == GROUP_REBALANCE_IN_PROGRESS);
	stop();
}

static void
followers_have_to_sync_in_a_stable_group_too(void)
{
	int i;

	begin();
	completing(2);
	sync(0, ids[0], NULL, 1, NULL);
	CU_ASSERT(state() == GROUP_STABLE);
	for (i = 0; i < 6; i++) {
		pass_ms(MS_SESSION - 1);
		CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_OK);
		CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_OK);
	}
	pass_ms(6);
	CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_REBALANCE_IN_PROGRESS);
	stop();
}

static void
group_where_all_have_synced_has_no_sync_deadline(void)
{
	int i;

	begin();
	stable(2);
	for (i = 0; i < 20; i++) {
		pass_ms(MS_SESSION - 1);
		CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_OK);
		CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_OK);
	}
	CU_ASSERT(state() == GROUP_STABLE);
	stop();
}

static void
tick_that_comes_late_does_everything(void)
{
	begin();
	preparing(3);
	JOIN(3, .client = "new");
	pass_ms(100 * MS_REBALANCE);
	/* The others expired, then the two that waited got their generation. */
	JOINED(0, GROUP_OK, 2);
	JOINED(3, GROUP_OK, 2);
	CU_ASSERT(answer_to(0)->n_members == 2);
	stop();
}

static void
nothing_is_due_in_a_table_without_groups(void)
{
	begin();
	CU_ASSERT(groups_next_deadline(groups) == INT64_MAX);
	groups_note_offsets(groups, text("g"), true, now_ms);
	CU_ASSERT(groups_next_deadline(groups) == INT64_MAX);
	stop();
}

const struct unit_test timers_tests[] = {
	UNIT(first_join_waits_for_the_delay),
	UNIT(delay_starts_anew_for_newcomers),
	UNIT(delay_ends_with_the_rebalance_timeout),
	UNIT(delay_is_only_for_the_first_generation),
	UNIT(delay_comes_again_when_the_group_was_empty),
	UNIT(delay_goes_on_when_its_only_member_is_gone),
	UNIT(silent_member_expires),
	UNIT(last_member_expires_and_leaves_an_empty_group),
	UNIT(heartbeat_commit_sync_join_keep_a_member_alive),
	UNIT(refused_commit_does_not_keep_a_member_alive),
	UNIT(shorter_session_counts_at_once),
	UNIT(absent_members_are_dropped_when_the_rebalance_times_out),
	UNIT(longest_rebalance_timeout_counts),
	UNIT(without_rebalance_timeout_the_session_timeout_counts),
	UNIT(waiting_join_does_not_expire),
	UNIT(waiting_sync_does_not_expire),
	UNIT(newcomer_waits_five_minutes_at_most),
	UNIT(pending_member_id_expires),
	UNIT(expired_pending_member_id_is_waited_for_no_more),
	UNIT(members_that_never_sync_are_dropped),
	UNIT(followers_have_to_sync_in_a_stable_group_too),
	UNIT(group_where_all_have_synced_has_no_sync_deadline),
	UNIT(tick_that_comes_late_does_everything),
	UNIT(nothing_is_due_in_a_table_without_groups),
	UNIT_END
};
