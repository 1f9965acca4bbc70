/* static_test.c -- static members: replaced, fenced, kept. */
#include "unit/coord/fixture.h"

#include <stdio.h>
#include <string.h>

/*
 * A Stable group of type t: "lead" with ids[0] and "follow" with ids[1], which
 * have the same metadata.  Generation 1, assignments "a0" and "a1".
 */
static void
stable_pair(const char *type, const char *metadata)
{
	char list[2 * TEXT + 16];

	start(MS_DELAY, INT32_MAX);
	JOIN(0, .instance = "lead", .type = type, .protocols = metadata);
	JOIN(1, .instance = "follow", .type = type, .protocols = metadata);
	pass_ms(MS_DELAY);
	pass_ms(MS_DELAY);
	strcpy(ids[0], answer_to(0)->member_id);
	strcpy(ids[1], answer_to(1)->member_id);
	fresh();
	snprintf(list, sizeof list, "%s=a0,%s=a1", ids[0], ids[1]);
	sync(0, ids[0], "lead", 1, list);
	sync(1, ids[1], "follow", 1, NULL);
	SYNCED(0, GROUP_OK, "a0");
	SYNCED(1, GROUP_OK, "a1");
	fresh();
	CU_ASSERT(state() == GROUP_STABLE);
}

static void
static_members_need_no_member_id_first(void)
{
	start(0, INT32_MAX);
	JOIN(0, .instance = "i", .v4 = true);
	JOINED(0, GROUP_OK, 1);
	CU_ASSERT(strncmp(answer_to(0)->member_id, "i-", 2) == 0);
	stop();
}

static void
follower_comes_back_without_rebalance(void)
{
	stable_pair("connect", "p=m");
	JOIN(1, .instance = "follow", .type = "connect", .protocols = "p=m");
	JOINED(1, GROUP_OK, 1);
	CU_ASSERT(strcmp(answer_to(1)->member_id, ids[1]) != 0);
	CU_ASSERT_STRING_EQUAL(answer_to(1)->leader, ids[0]);
	CU_ASSERT(state() == GROUP_STABLE);
	sync(2, answer_to(1)->member_id, "follow", 1, NULL);
	SYNCED(2, GROUP_OK, "a1");
	stop();
}

static void
leader_comes_back_and_skips_the_assignment(void)
{
	stable_pair("connect", "p=m");
	JOIN(0, .instance = "lead", .type = "connect", .protocols = "p=m", .v9 = true);
	JOINED(0, GROUP_OK, 1);
	CU_ASSERT(answer_to(0)->skip_assignment && answer_to(0)->n_members == 2);
	CU_ASSERT_STRING_EQUAL(answer_to(0)->leader, answer_to(0)->member_id);
	sync(2, answer_to(0)->member_id, "lead", 1, NULL);
	SYNCED(2, GROUP_OK, "a0");
	stop();
}

static void
leader_of_an_old_client_comes_back_as_follower(void)
{
	stable_pair("connect", "p=m");
	JOIN(0, .instance = "lead", .type = "connect", .protocols = "p=m", .v4 = true);
	JOINED(0, GROUP_OK, 1);
	CU_ASSERT(!answer_to(0)->skip_assignment && answer_to(0)->n_members == 0);
	CU_ASSERT_STRING_EQUAL(answer_to(0)->leader, ids[0]);
	/* But it leads: its next join rebalances. */
	JOIN(2, .member = answer_to(0)->member_id, .instance = "lead",
	    .type = "connect", .protocols = "p=m", .v4 = true);
	WAITS(2);
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

static void
another_choice_of_protocol_rebalances(void)
{
	stable_pair("connect", "p=m,q=m");
	JOIN(1, .instance = "follow", .type = "connect", .protocols = "q=m");
	WAITS(1);
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

/* Subscriptions can hold zero bytes, which the fixture's text can't. */
static enum group_state
consumer_comes_back(const char *before, size_t before_n, const char *after,
    size_t after_n)
{
	struct group_protocol p = { text("range"), span_of(before, before_n) };
	struct group_join j = { .group_id = text("g"), .instance_id = text("i"),
		.client_id = text("c"), .protocol_type = text("consumer"),
		.protocols = &p, .n_protocols = 1, .session_timeout_ms = MS_SESSION };
	struct group_sync s = { .group_id = text("g"), .generation = 1 };
	struct group_effect e;
	struct group_effect taken;
	char token[3];
	enum group_state end;

	start(MS_DELAY, INT32_MAX);
	groups_join(groups, &j, &token[0], now_ms);
	now_ms += MS_DELAY;
	groups_tick(groups, now_ms);
	CU_ASSERT_FATAL(groups_next_effect(groups, &taken));
	s.member_id = taken.u.join.member_id;
	groups_sync(groups, &s, &token[1], now_ms);
	p.metadata = span_of(after, after_n);
	j.random[0] = 1;
	/* A second, unknown, member keeps a rebalance from ending at once. */
	groups_join(groups, &(struct group_join){ .group_id = text("g"),
	    .protocol_type = text("consumer"), .protocols = &p, .n_protocols = 1,
	    .session_timeout_ms = MS_SESSION, .requires_member_id = true },
	    &token[2], now_ms);
	groups_join(groups, &j, &token[0], now_ms);
	while (groups_next_effect(groups, &e))
		;
	groups_check(groups);
	end = groups_state(groups, text("g"));
	stop();
	return end;
}

static void
consumer_with_the_same_topics_comes_back_without_rebalance(void)
{
	CU_ASSERT(consumer_comes_back("\0\1\0\0\0\1\0\1aowned", 14,
	    "\0\1\0\0\0\1\0\1a", 9) == GROUP_STABLE);
}

static void
consumer_with_other_topics_rebalances(void)
{
	CU_ASSERT(consumer_comes_back("\0\1\0\0\0\1\0\1a", 9,
	    "\0\1\0\0\0\1\0\1b", 9) == GROUP_PREPARING);
}

static void
consumer_with_unreadable_metadata_is_compared_bytewise(void)
{
	CU_ASSERT(consumer_comes_back("xx", 2, "xx", 2) == GROUP_STABLE);
	CU_ASSERT(consumer_comes_back("xx", 2, "yy", 2) == GROUP_PREPARING);
}

static void
replaced_member_id_is_fenced_everywhere(void)
{
	struct group_commit c = { .group_id = text("g"), .member_id = text(ids[1]),
		.instance_id = text("follow"), .generation = 1 };

	stable_pair("connect", "p=m");
	c.member_id = text(ids[1]);
	JOIN(1, .instance = "follow", .type = "connect", .protocols = "p=m");
	CU_ASSERT(beat(ids[1], "follow", 1) == GROUP_FENCED_INSTANCE_ID);
	CU_ASSERT(beat(ids[1], NULL, 1) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(leave(ids[1], "follow") == GROUP_FENCED_INSTANCE_ID);
	CU_ASSERT(groups_commit_check(groups, &c, now_ms) == GROUP_FENCED_INSTANCE_ID);
	sync(2, ids[1], "follow", 1, NULL);
	SYNCED(2, GROUP_FENCED_INSTANCE_ID, "");
	JOIN(3, .member = ids[1], .instance = "follow", .type = "connect",
	    .protocols = "p=m");
	REFUSED(3, GROUP_FENCED_INSTANCE_ID);
	stop();
}

static void
unknown_instance_is_an_unknown_member(void)
{
	stable_pair("connect", "p=m");
	CU_ASSERT(beat(ids[0], "other", 1) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(beat(ids[0], "lead", 1) == GROUP_OK);
	CU_ASSERT(beat(ids[0], NULL, 1) == GROUP_OK);
	stop();
}

static void
waiting_join_of_a_replaced_member_is_fenced(void)
{
	start(MS_DELAY, INT32_MAX);
	JOIN(0, .instance = "i");
	JOIN(1, .instance = "i");
	REFUSED(0, GROUP_FENCED_INSTANCE_ID);
	WAITS(1);
	pass_ms(MS_DELAY);
	JOINED(1, GROUP_OK, 1);
	CU_ASSERT(answer_to(1)->n_members == 1);
	stop();
}

static void
waiting_sync_of_a_replaced_member_is_fenced(void)
{
	start(MS_DELAY, INT32_MAX);
	JOIN(0, .client = "c");
	JOIN(1, .instance = "i");
	pass_ms(MS_DELAY);
	pass_ms(MS_DELAY);
	sync(2, answer_to(1)->member_id, "i", 1, NULL);
	WAITS(2);
	JOIN(3, .instance = "i");
	SYNCED(2, GROUP_FENCED_INSTANCE_ID, "");
	/* The leader computes with the old id: so it has to begin anew. */
	WAITS(3);
	CU_ASSERT(state() == GROUP_PREPARING);
	stop();
}

static void
administrator_removes_by_instance_id(void)
{
	stable_pair("connect", "p=m");
	CU_ASSERT(leave("", "other") == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(leave("", NULL) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(state() == GROUP_STABLE);
	CU_ASSERT(leave("", "follow") == GROUP_OK);
	CU_ASSERT(state() == GROUP_PREPARING);
	CU_ASSERT(beat(ids[1], "follow", 1) == GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
leave_answers_for_each_of_a_batch(void)
{
	struct group_leave batch[4] = {
		[1] = { text(""), text("follow"), GROUP_OK },
		[2] = { text("x"), text(NULL), GROUP_OK },
	};

	stable_pair("connect", "p=m");
	batch[0] = (struct group_leave){ text(ids[0]), text(NULL), GROUP_OK };
	batch[3] = (struct group_leave){ text(ids[0]), text("lead"), GROUP_OK };
	CU_ASSERT(groups_leave(groups, text("g"), batch, 4, now_ms) == GROUP_OK);
	CU_ASSERT(batch[0].error == GROUP_OK && batch[1].error == GROUP_OK);
	CU_ASSERT(batch[2].error == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(batch[3].error == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(state() == GROUP_EMPTY);
	stop();
}

static void
absent_static_members_stay_through_a_rebalance(void)
{
	/* Sessions outlast the rebalance. */
	start(0, INT32_MAX);
	JOIN(0, .instance = "i", .session_ms = 100000);
	strcpy(ids[0], answer_to(0)->member_id);
	sync(1, ids[0], "i", 1, NULL);
	JOIN(2, .client = "c", .session_ms = 100000);
	WAITS(2);
	pass_ms(MS_REBALANCE);
	JOINED(2, GROUP_OK, 2);
	/* The absent one led; now the one that joined does. */
	CU_ASSERT_STRING_EQUAL(answer_to(2)->leader, answer_to(2)->member_id);
	CU_ASSERT(answer_to(2)->n_members == 2);
	CU_ASSERT(beat(ids[0], "i", 2) == GROUP_OK);
	stop();
}

static void
leader_keeps_leading_when_an_earlier_member_is_back(void)
{
	start(0, INT32_MAX);
	JOIN(0, .instance = "i", .session_ms = 100000);
	strcpy(ids[0], answer_to(0)->member_id);
	sync(1, ids[0], "i", 1, NULL);
	JOIN(2, .client = "c", .session_ms = 100000);
	pass_ms(MS_REBALANCE);
	strcpy(ids[1], answer_to(2)->member_id);
	JOIN(3, .member = ids[0], .instance = "i", .protocols = "range=new");
	JOIN(4, .member = ids[1]);
	JOINED(3, GROUP_OK, 3);
	JOINED(4, GROUP_OK, 3);
	CU_ASSERT_STRING_EQUAL(answer_to(3)->leader, ids[1]);
	stop();
}

static void
static_member_that_is_back_has_a_session_of_its_own(void)
{
	stable_pair("connect", "p=m");
	pass_ms(MS_SESSION - 1);
	CU_ASSERT(beat(ids[0], "lead", 1) == GROUP_OK);
	JOIN(1, .instance = "follow", .type = "connect", .protocols = "p=m");
	pass_ms(MS_SESSION - 1);
	CU_ASSERT(state() == GROUP_STABLE);
	CU_ASSERT(beat(ids[0], "lead", 1) == GROUP_OK);
	pass_ms(1);
	CU_ASSERT(beat(ids[0], "lead", 1) == GROUP_REBALANCE_IN_PROGRESS);
	stop();
}

static void
rebalance_goes_on_while_nobody_joins(void)
{
	stable_pair("connect", "p=m");
	/* Both are absent, but stay members until their sessions end. */
	JOIN(0, .client = "c", .type = "connect", .protocols = "p=m",
	    .rebalance_ms = 7000);
	CU_ASSERT(state() == GROUP_PREPARING);
	pass_ms(MS_SESSION);
	JOINED(0, GROUP_OK, 2);
	CU_ASSERT(answer_to(0)->n_members == 1);
	stop();
}

static void
rebalance_waits_longer_when_only_absent_static_members_are_left(void)
{
	start(0, INT32_MAX);
	JOIN(0, .instance = "i", .session_ms = 100000, .rebalance_ms = 10000);
	strcpy(ids[0], answer_to(0)->member_id);
	sync(1, ids[0], "i", 1, NULL);
	JOIN(2, .v4 = true, .rebalance_ms = 10000);
	JOIN(3, .member = answer_to(2)->member_id, .rebalance_ms = 10000);
	CU_ASSERT(leave(answer_to(2)->member_id, NULL) == GROUP_OK);
	REFUSED(3, GROUP_UNKNOWN_MEMBER_ID);
	pass_ms(10000);
	CU_ASSERT(state() == GROUP_PREPARING);
	JOIN(4, .member = ids[0], .instance = "i");
	JOINED(4, GROUP_OK, 2);
	stop();
}

const struct unit_test static_tests[] = {
	UNIT(static_members_need_no_member_id_first),
	UNIT(follower_comes_back_without_rebalance),
	UNIT(leader_comes_back_and_skips_the_assignment),
	UNIT(leader_of_an_old_client_comes_back_as_follower),
	UNIT(another_choice_of_protocol_rebalances),
	UNIT(consumer_with_the_same_topics_comes_back_without_rebalance),
	UNIT(consumer_with_other_topics_rebalances),
	UNIT(consumer_with_unreadable_metadata_is_compared_bytewise),
	UNIT(replaced_member_id_is_fenced_everywhere),
	UNIT(unknown_instance_is_an_unknown_member),
	UNIT(waiting_join_of_a_replaced_member_is_fenced),
	UNIT(waiting_sync_of_a_replaced_member_is_fenced),
	UNIT(administrator_removes_by_instance_id),
	UNIT(leave_answers_for_each_of_a_batch),
	UNIT(absent_static_members_stay_through_a_rebalance),
	UNIT(leader_keeps_leading_when_an_earlier_member_is_back),
	UNIT(static_member_that_is_back_has_a_session_of_its_own),
	UNIT(rebalance_goes_on_while_nobody_joins),
	UNIT(rebalance_waits_longer_when_only_absent_static_members_are_left),
	UNIT_END
};
