/* join_test.c -- who may join, with which id and protocol, and who leads. */
#include "unit/coord/fixture.h"

#include <stdio.h>
#include <string.h>

static void
begin(void)
{
	start(0, INT32_MAX);
}

static void
first_join_is_answered_at_once_without_delay(void)
{
	begin();
	JOIN(0, .client = "c");
	JOINED(0, GROUP_OK, 1);
	CU_ASSERT_STRING_EQUAL(answer_to(0)->leader, answer_to(0)->member_id);
	CU_ASSERT_STRING_EQUAL(answer_to(0)->protocol_type, "consumer");
	CU_ASSERT_STRING_EQUAL(answer_to(0)->protocol, "range");
	CU_ASSERT(answer_to(0)->n_members == 1 && !answer_to(0)->skip_assignment);
	stop();
}

static void
member_ids_are_client_id_and_uuid(void)
{
	begin();
	JOIN(0, .client = "app");
	CU_ASSERT_STRING_EQUAL(answer_to(0)->member_id,
	    "app-00000001-0000-4000-8000-000000000000");
	stop();
}

static void
long_client_ids_are_cut_between_characters(void)
{
	char client[TEXT / 2 + 60], id[TEXT];

	begin();
	/* A character of two bytes, of which the limit would leave one. */
	memset(client, 'x', sizeof client);
	memcpy(client + GROUP_ID_PREFIX_MAX_BYTES - 1, "\xc3\xa9", 2);
	client[sizeof client - 1] = '\0';
	JOIN(0, .client = client);
	strcpy(id, answer_to(0)->member_id);
	CU_ASSERT(strlen(id) == GROUP_ID_PREFIX_MAX_BYTES - 1 + 37);
	CU_ASSERT(strspn(id, "x") == GROUP_ID_PREFIX_MAX_BYTES - 1);
	stop();
}

static void
session_timeout_has_bounds(void)
{
	begin();
	JOIN(0, .session_ms = 5999);
	REFUSED(0, GROUP_INVALID_SESSION_TIMEOUT);
	JOIN(1, .session_ms = 1800001);
	REFUSED(1, GROUP_INVALID_SESSION_TIMEOUT);
	CU_ASSERT(groups_count(groups) == 0);
	JOIN(2, .session_ms = 6000);
	JOINED(2, GROUP_OK, 1);
	JOIN(3, .session_ms = 1800000, .group = "h");
	JOINED(3, GROUP_OK, 1);
	stop();
}

static void
member_id_is_required_from_v4(void)
{
	char id[TEXT];

	begin();
	JOIN(0, .v4 = true);
	REFUSED(0, GROUP_MEMBER_ID_REQUIRED);
	CU_ASSERT(state() == GROUP_EMPTY);
	strcpy(id, answer_to(0)->member_id);
	CU_ASSERT(strncmp(id, "c-", 2) == 0);
	JOIN(1, .member = id, .v4 = true);
	JOINED(1, GROUP_OK, 1);
	CU_ASSERT_STRING_EQUAL(answer_to(1)->member_id, id);
	stop();
}

static void
unknown_member_id_is_refused_in_a_known_group(void)
{
	begin();
	JOIN(0, .client = "c");
	JOIN(1, .member = "x");
	REFUSED(1, GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(answer_to(1)->member_id[0] == '\0');
	stop();
}

static void
pending_member_is_waited_for(void)
{
	char id[TEXT];

	start(MS_DELAY, INT32_MAX);
	stable(1);
	JOIN(1, .v4 = true);
	strcpy(id, answer_to(1)->member_id);
	JOIN(0, .member = ids[0]);
	WAITS(0);
	JOIN(2, .member = id, .v4 = true);
	JOINED(0, GROUP_OK, 2);
	JOINED(2, GROUP_OK, 2);
	stop();
}

static void
pending_member_can_leave(void)
{
	char id[TEXT];

	start(MS_DELAY, INT32_MAX);
	stable(1);
	JOIN(1, .v4 = true);
	strcpy(id, answer_to(1)->member_id);
	JOIN(0, .member = ids[0]);
	CU_ASSERT(leave(id, NULL) == GROUP_OK);
	JOINED(0, GROUP_OK, 2);
	JOIN(2, .member = id, .v4 = true);
	REFUSED(2, GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
pending_member_id_is_not_for_a_static_member(void)
{
	char id[TEXT];

	begin();
	JOIN(0, .v4 = true);
	strcpy(id, answer_to(0)->member_id);
	JOIN(1, .member = id, .instance = "i", .v4 = true);
	REFUSED(1, GROUP_UNKNOWN_MEMBER_ID);
	JOIN(2, .member = id, .v4 = true);
	JOINED(2, GROUP_OK, 1);
	stop();
}

static void
pending_members_are_capped(void)
{
	char first[TEXT], second[TEXT], last[TEXT];
	int i;

	begin();
	for (i = 0; i <= GROUP_PENDING_MAX; i++) {
		fresh();
		JOIN(0, .v4 = true);
		REFUSED(0, GROUP_MEMBER_ID_REQUIRED);
		strcpy(i == 0 ? first : i == 1 ? second : last,
		    answer_to(0)->member_id);
	}
	JOIN(1, .member = first, .v4 = true);
	REFUSED(1, GROUP_UNKNOWN_MEMBER_ID);
	JOIN(2, .member = second, .v4 = true);
	JOINED(2, GROUP_OK, 1);
	stop();
}

static void
protocol_type_has_to_match(void)
{
	begin();
	JOIN(0, .client = "c");
	JOIN(1, .type = "connect");
	REFUSED(1, GROUP_INCONSISTENT_PROTOCOL);
	JOIN(2, .member = answer_to(0)->member_id, .type = "connect");
	REFUSED(2, GROUP_INCONSISTENT_PROTOCOL);
	stop();
}

static void
type_and_protocols_have_to_be_there(void)
{
	begin();
	JOIN(0, .type = "");
	REFUSED(0, GROUP_INCONSISTENT_PROTOCOL);
	JOIN(1, .protocols = "");
	REFUSED(1, GROUP_INCONSISTENT_PROTOCOL);
	CU_ASSERT(groups_count(groups) == 0);
	stop();
}

static void
members_need_a_common_protocol(void)
{
	begin();
	JOIN(0, .protocols = "range=m,sticky=m");
	JOIN(1, .protocols = "roundrobin=m");
	REFUSED(1, GROUP_INCONSISTENT_PROTOCOL);
	JOIN(2, .protocols = "roundrobin=m,sticky=m");
	WAITS(2);
	/* Range is one member's only by now. */
	JOIN(3, .protocols = "range=m");
	REFUSED(3, GROUP_INCONSISTENT_PROTOCOL);
	stop();
}

static void
too_many_protocols_are_an_invalid_request(void)
{
	static struct group_protocol list[GROUP_PROTOCOLS_MAX + 1];
	struct group_join j = { .group_id = text("g"), .protocols = list,
		.protocol_type = text("consumer"), .session_timeout_ms = MS_SESSION,
		.n_protocols = GROUP_PROTOCOLS_MAX + 1 };
	struct group_effect e;
	char token;
	size_t i;

	begin();
	for (i = 0; i < j.n_protocols; i++)
		list[i].name = list[i].metadata = text("same");
	groups_join(groups, &j, &token, now_ms);
	CU_ASSERT(groups_next_effect(groups, &e) &&
	    e.u.join.error == GROUP_INVALID_REQUEST);
	/* Within the limit, a name that is repeated counts once. */
	j.n_protocols--;
	groups_join(groups, &j, &token, now_ms);
	CU_ASSERT(groups_next_effect(groups, &e) && e.u.join.error == GROUP_OK);
	groups_check(groups);
	stop();
}

/* Three members with these preferences, all in one generation. */
static void
vote(const char *a, const char *b, const char *c, const char *expected)
{
	start(MS_DELAY, INT32_MAX);
	JOIN(0, .protocols = a);
	JOIN(1, .protocols = b);
	JOIN(2, .protocols = c);
	pass_ms(MS_DELAY);
	pass_ms(MS_DELAY);
	CU_ASSERT_STRING_EQUAL(answer_to(0)->protocol, expected);
	CU_ASSERT_STRING_EQUAL(answer_to(1)->protocol, expected);
	CU_ASSERT_STRING_EQUAL(answer_to(2)->protocol, expected);
	stop();
}

static void
majority_chooses_the_protocol(void)
{
	vote("x=1,y=1", "y=2,x=2", "y=3,x=3", "y");
	vote("x=1,y=1", "x=2,y=2", "y=3,x=3", "x");
}

static void
only_common_protocols_are_voted_for(void)
{
	vote("x=1,y=1", "x=2,y=2", "y=3", "y");
	vote("z=1,y=1", "x=2,z=2,y=2", "y=3,z=3", "z");
}

static void
tie_goes_to_the_protocol_that_had_its_votes_first(void)
{
	vote("x=1,y=1,z=1", "y=2,z=2,x=2", "z=3,x=3,y=3", "x");
	vote("z=1,y=1,x=1", "y=2,z=2,x=2", "x=3,y=3,z=3", "z");
}

static void
votes_are_counted_anew_in_each_generation(void)
{
	int i;

	start(MS_DELAY, INT32_MAX);
	for (i = 0; i < 3; i++)
		JOIN(i, .protocols = i < 2 ? "x=1,y=1" : "y=1,x=1");
	pass_ms(MS_DELAY);
	pass_ms(MS_DELAY);
	for (i = 0; i < 3; i++)
		strcpy(ids[i], answer_to(i)->member_id);
	CU_ASSERT_STRING_EQUAL(answer_to(0)->protocol, "x");
	fresh();
	for (i = 0; i < 3; i++)
		JOIN(i, .member = ids[i], .protocols = i < 1 ? "x=2,y=2" : "y=2,x=2");
	JOINED(0, GROUP_OK, 2);
	CU_ASSERT_STRING_EQUAL(answer_to(0)->protocol, "y");
	stop();
}

static void
leader_gets_everybody_with_the_chosen_metadata(void)
{
	char expected[TEXT];

	start(MS_DELAY, INT32_MAX);
	JOIN(0, .protocols = "x=x0,y=y0");
	JOIN(1, .protocols = "y=y1", .instance = "i");
	pass_ms(MS_DELAY);
	pass_ms(MS_DELAY);
	CU_ASSERT_STRING_EQUAL(answer_to(1)->leader, answer_to(0)->member_id);
	CU_ASSERT(answer_to(1)->n_members == 0);
	snprintf(expected, sizeof expected, "%.200s/-=y0,%.200s/i=y1",
	    answer_to(0)->member_id, answer_to(1)->member_id);
	CU_ASSERT_STRING_EQUAL(answer_to(0)->members, expected);
	stop();
}

static void
leader_stays_as_long_as_it_rejoins(void)
{
	start(MS_DELAY, INT32_MAX);
	stable(3);
	JOIN(2, .member = ids[2], .protocols = "range=other");
	JOIN(1, .member = ids[1]);
	JOIN(0, .member = ids[0]);
	CU_ASSERT_STRING_EQUAL(answer_to(2)->leader, ids[0]);
	CU_ASSERT(answer_to(0)->n_members == 3);
	stop();
}

static void
leader_that_does_not_rejoin_is_replaced(void)
{
	start(MS_DELAY, INT32_MAX);
	stable(3);
	JOIN(2, .member = ids[2], .protocols = "range=other");
	JOIN(1, .member = ids[1]);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_OK);
	JOINED(1, GROUP_OK, 2);
	CU_ASSERT_STRING_EQUAL(answer_to(2)->leader, ids[1]);
	CU_ASSERT(answer_to(1)->n_members == 2);
	stop();
}

static void
join_again_replaces_the_one_that_waits(void)
{
	start(MS_DELAY, INT32_MAX);
	preparing(2);
	JOIN(1, .member = ids[0]);
	REFUSED(0, GROUP_REBALANCE_IN_PROGRESS);
	WAITS(1);
	JOIN(2, .member = ids[1]);
	JOINED(1, GROUP_OK, 2);
	JOINED(2, GROUP_OK, 2);
	CU_ASSERT(answer_to(0)->n == 1);
	stop();
}

static void
full_group_turns_newcomers_away(void)
{
	start(MS_DELAY, 2);
	stable(2);
	JOIN(2, .client = "late");
	REFUSED(2, GROUP_MAX_SIZE_REACHED);
	CU_ASSERT(state() == GROUP_STABLE);
	JOIN(1, .member = ids[1]);
	JOINED(1, GROUP_OK, 1);
	stop();
}

static void
full_group_keeps_those_that_join_first(void)
{
	start(MS_DELAY, 2);
	stable(2);
	CU_ASSERT(leave(ids[1], NULL) == GROUP_OK);
	JOIN(2, .client = "a");
	JOIN(3, .client = "b");
	/* Two wait: the member that comes last is the one too many. */
	JOIN(0, .member = ids[0]);
	REFUSED(0, GROUP_MAX_SIZE_REACHED);
	JOINED(2, GROUP_OK, 2);
	JOINED(3, GROUP_OK, 2);
	stop();
}

static void
full_group_lets_a_static_member_come_back(void)
{
	start(0, 1);
	JOIN(0, .instance = "i");
	sync(1, answer_to(0)->member_id, "i", 1, NULL);
	JOIN(2, .instance = "i");
	JOINED(2, GROUP_OK, 1);
	stop();
}

static void
forgotten_join_is_not_answered_but_its_member_stays(void)
{
	char tokens_of_others = 0;
	struct group_effect e;
	struct group_protocol p = { text("range"), text("m") };
	struct group_join j = { .group_id = text("g"), .client_id = text("c"),
		.protocol_type = text("consumer"), .protocols = &p,
		.n_protocols = 1, .session_timeout_ms = MS_SESSION };

	start(MS_DELAY, INT32_MAX);
	JOIN(0, .client = "c");
	groups_join(groups, &j, &tokens_of_others, now_ms);
	CU_ASSERT(!groups_next_effect(groups, &e));
	groups_forget(groups, &tokens_of_others);
	groups_forget(groups, &tokens_of_others);
	pass_ms(MS_DELAY);
	pass_ms(MS_DELAY);
	JOINED(0, GROUP_OK, 1);
	CU_ASSERT(answer_to(0)->n_members == 2);
	stop();
}

static void
answers_stay_readable_while_others_come(void)
{
	struct group_protocol p = { text("range"), text("the metadata") };
	struct group_join j = { .group_id = text("g"), .client_id = text("c"),
		.protocol_type = text("consumer"), .protocols = &p,
		.n_protocols = 1, .session_timeout_ms = MS_SESSION };
	struct group_leave one = { 0 };
	struct group_effect e, other;
	char token[2];

	begin();
	groups_join(groups, &j, &token[0], now_ms);
	CU_ASSERT_FATAL(groups_next_effect(groups, &e));
	/* The member goes, and a join of another makes a new generation. */
	one.member_id = e.u.join.member_id;
	groups_leave(groups, text("g"), &one, 1, now_ms);
	CU_ASSERT(one.error == GROUP_OK);
	groups_join(groups, &j, &token[1], now_ms);
	CU_ASSERT(groups_next_effect(groups, &other) && other.token == &token[1]);
	CU_ASSERT(e.token == &token[0] && e.u.join.n_members == 1);
	CU_ASSERT(span_is(e.u.join.members[0].metadata, "the metadata"));
	CU_ASSERT(span_eq(e.u.join.members[0].member_id, e.u.join.member_id));
	CU_ASSERT(!groups_next_effect(groups, &e));
	stop();
}

static void
groups_are_capped_at_the_cost_of_idle_ones(void)
{
	char name[32];
	int i;

	begin();
	for (i = 0; i < GROUPS_MAX; i++) {
		snprintf(name, sizeof name, "held-%d", i);
		groups_note_offsets(groups, text(name), true, now_ms);
	}
	fresh();
	JOIN(0, .client = "c");
	REFUSED(0, GROUP_COORDINATOR_NOT_AVAILABLE);
	/* Groups without offsets and members make room, the oldest first. */
	groups_delete(groups, text("held-0"));
	JOIN(1, .group = "a", .v4 = true);
	REFUSED(1, GROUP_MEMBER_ID_REQUIRED);
	JOIN(2, .client = "c");
	JOINED(2, GROUP_OK, 1);
	CU_ASSERT(groups_state(groups, text("a")) == GROUP_DEAD);
	CU_ASSERT(groups_count(groups) == GROUPS_MAX);
	stop();
}

static enum group_error
commit_as_nobody(const char *group)
{
	struct group_commit c = { .group_id = text(group), .generation = -1 };

	return groups_commit_check(groups, &c, now_ms);
}

static void
groups_of_commits_are_capped_as_those_of_joins(void)
{
	char name[32];
	int i;

	begin();
	for (i = 0; i < GROUPS_MAX + 1; i++) {
		snprintf(name, sizeof name, "held-%d", i);
		groups_note_offsets(groups, text(name), true, now_ms);
	}
	CU_ASSERT(groups_count(groups) == GROUPS_MAX);
	CU_ASSERT(commit_as_nobody("held-0") == GROUP_OK);
	CU_ASSERT(commit_as_nobody("new") == GROUP_COORDINATOR_NOT_AVAILABLE);
	groups_note_offsets(groups, text("held-0"), false, now_ms);
	JOIN(0, .group = "a", .v4 = true);
	CU_ASSERT(groups_count(groups) == GROUPS_MAX);
	/* One that has nothing makes room. */
	CU_ASSERT(commit_as_nobody("new") == GROUP_OK);
	groups_note_offsets(groups, text("new"), true, now_ms);
	CU_ASSERT(groups_state(groups, text("new")) == GROUP_EMPTY);
	CU_ASSERT(groups_state(groups, text("a")) == GROUP_DEAD);
	CU_ASSERT(groups_count(groups) == GROUPS_MAX);
	stop();
}

const struct unit_test join_tests[] = {
	UNIT(first_join_is_answered_at_once_without_delay),
	UNIT(member_ids_are_client_id_and_uuid),
	UNIT(long_client_ids_are_cut_between_characters),
	UNIT(session_timeout_has_bounds),
	UNIT(member_id_is_required_from_v4),
	UNIT(unknown_member_id_is_refused_in_a_known_group),
	UNIT(pending_member_is_waited_for),
	UNIT(pending_member_can_leave),
	UNIT(pending_member_id_is_not_for_a_static_member),
	UNIT(pending_members_are_capped),
	UNIT(protocol_type_has_to_match),
	UNIT(type_and_protocols_have_to_be_there),
	UNIT(members_need_a_common_protocol),
	UNIT(too_many_protocols_are_an_invalid_request),
	UNIT(majority_chooses_the_protocol),
	UNIT(only_common_protocols_are_voted_for),
	UNIT(tie_goes_to_the_protocol_that_had_its_votes_first),
	UNIT(votes_are_counted_anew_in_each_generation),
	UNIT(leader_gets_everybody_with_the_chosen_metadata),
	UNIT(leader_stays_as_long_as_it_rejoins),
	UNIT(leader_that_does_not_rejoin_is_replaced),
	UNIT(join_again_replaces_the_one_that_waits),
	UNIT(full_group_turns_newcomers_away),
	UNIT(full_group_keeps_those_that_join_first),
	UNIT(full_group_lets_a_static_member_come_back),
	UNIT(forgotten_join_is_not_answered_but_its_member_stays),
	UNIT(answers_stay_readable_while_others_come),
	UNIT(groups_are_capped_at_the_cost_of_idle_ones),
	UNIT(groups_of_commits_are_capped_as_those_of_joins),
	UNIT_END
};
