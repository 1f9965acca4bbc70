/* admin_test.c -- describing, listing, deleting; groups that hold offsets. */
#include "unit/coord/fixture.h"

#include <string.h>

static void
begin(void)
{
	start(MS_DELAY, INT32_MAX);
}

static void
describe_of_an_unknown_group_says_dead(void)
{
	struct group_description d;

	begin();
	CU_ASSERT(!groups_describe(groups, text("g"), &d));
	CU_ASSERT_STRING_EQUAL(group_state_name(d.state), "Dead");
	CU_ASSERT(d.n_members == 0 && span_is(d.protocol_type, ""));
	CU_ASSERT(groups_describe_members(groups, text("g"), NULL, 0) == 0);
	stop();
}

static void
describe_shows_metadata_and_assignment_when_stable(void)
{
	struct group_description d;
	struct group_member_description m[4];

	begin();
	stable(2);
	CU_ASSERT(groups_describe(groups, text("g"), &d));
	CU_ASSERT_STRING_EQUAL(group_state_name(d.state), "Stable");
	CU_ASSERT(span_is(d.protocol_type, "consumer"));
	CU_ASSERT(span_is(d.protocol_name, "range"));
	CU_ASSERT(d.generation == 1 && d.n_members == 2);
	CU_ASSERT(groups_describe_members(groups, text("g"), m, 4) == 2);
	CU_ASSERT(span_is(m[1].member_id, ids[1]) && m[1].instance_id.p == NULL);
	CU_ASSERT(span_is(m[1].client_id, "c"));
	CU_ASSERT(span_is(m[1].client_host, "/127.0.0.1"));
	CU_ASSERT(span_is(m[1].metadata, "m") && span_is(m[1].assignment, "a1"));
	CU_ASSERT(groups_describe_members(groups, text("g"), m, 1) == 1);
	stop();
}

static void
describe_hides_them_otherwise(void)
{
	struct group_description d;
	struct group_member_description m[4];

	begin();
	preparing(2);
	CU_ASSERT(groups_describe(groups, text("g"), &d));
	CU_ASSERT_STRING_EQUAL(group_state_name(d.state), "PreparingRebalance");
	CU_ASSERT(span_is(d.protocol_name, ""));
	CU_ASSERT(groups_describe_members(groups, text("g"), m, 4) == 2);
	CU_ASSERT(span_is(m[1].metadata, "") && span_is(m[1].assignment, ""));
	stop();
}

/* How many groups a filter lists. */
static size_t
count(const char *state_a, const char *state_b, const char *type)
{
	struct span states[2] = { text(state_a), text(state_b) };
	struct span types[1] = { text(type) };
	struct group_filter f = groups_filter(states,
	    (size_t)((state_a != NULL) + (state_b != NULL)), types, type != NULL);
	struct group_listing l;
	size_t it = 0, n = 0;

	while (groups_list(groups, f, &it, &l))
		n++;
	return n;
}

static void
list_filters_by_state_and_type_in_any_case(void)
{
	begin();
	stable(1);
	groups_note_offsets(groups, text("simple"), true, now_ms);
	JOIN(1, .group = "joining");
	CU_ASSERT(count(NULL, NULL, NULL) == 3);
	CU_ASSERT(count("stable", NULL, NULL) == 1);
	CU_ASSERT(count("EMPTY", "PreparingRebalance", NULL) == 2);
	CU_ASSERT(count("Dead", NULL, NULL) == 0);
	CU_ASSERT(count("nonsense", NULL, NULL) == 0);
	CU_ASSERT(count("", NULL, NULL) == 0);
	CU_ASSERT(count(NULL, NULL, "Classic") == 3);
	CU_ASSERT(count(NULL, NULL, "consumer") == 0);
	CU_ASSERT(count("stable", NULL, "CLASSIC") == 1);
	stop();
}

static void
list_shows_id_type_and_state(void)
{
	struct group_listing l;
	size_t it = 0;

	begin();
	stable(1);
	CU_ASSERT(groups_list(groups, groups_filter(NULL, 0, NULL, 0), &it, &l));
	CU_ASSERT(span_is(l.group_id, "g") && span_is(l.protocol_type, "consumer"));
	CU_ASSERT(l.state == GROUP_STABLE);
	stop();
}

static void
delete_is_for_empty_groups(void)
{
	begin();
	CU_ASSERT(groups_delete(groups, text("g")) == GROUP_ID_NOT_FOUND);
	stable(1);
	CU_ASSERT(groups_delete(groups, text("g")) == GROUP_NON_EMPTY);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_OK);
	CU_ASSERT(groups_delete(groups, text("g")) == GROUP_OK);
	CU_ASSERT(groups_delete(groups, text("g")) == GROUP_ID_NOT_FOUND);
	CU_ASSERT(groups_delete(groups, text(NULL)) == GROUP_INVALID_GROUP_ID);
	stop();
}

static void
delete_takes_pending_member_ids_along(void)
{
	char id[TEXT];

	begin();
	JOIN(0, .v4 = true);
	strcpy(id, answer_to(0)->member_id);
	CU_ASSERT(groups_delete(groups, text("g")) == GROUP_OK);
	JOIN(1, .member = id, .v4 = true);
	REFUSED(1, GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(groups_next_deadline(groups) == INT64_MAX);
	stop();
}

static void
delete_does_not_wait_for_a_rebalance(void)
{
	begin();
	preparing(2);
	CU_ASSERT(groups_delete(groups, text("g")) == GROUP_NON_EMPTY);
	WAITS(0);
	stop();
}

static void
simple_group_is_empty_and_of_no_type(void)
{
	struct group_description d;

	begin();
	groups_note_offsets(groups, text("g"), true, now_ms);
	CU_ASSERT(groups_describe(groups, text("g"), &d));
	CU_ASSERT(d.state == GROUP_EMPTY && span_is(d.protocol_type, ""));
	CU_ASSERT(groups_offset_delete_check(groups, text("g"), text("t")) == GROUP_OK);
	CU_ASSERT(groups_delete(groups, text("g")) == GROUP_OK);
	CU_ASSERT(groups_count(groups) == 0);
	stop();
}

static void
simple_group_goes_with_its_offsets(void)
{
	begin();
	groups_note_offsets(groups, text("g"), true, now_ms);
	groups_note_offsets(groups, text("g"), true, now_ms);
	pass_ms(100 * (int64_t)GROUP_LINGER_MS);
	CU_ASSERT(groups_count(groups) == 1);
	groups_note_offsets(groups, text("g"), false, now_ms);
	CU_ASSERT(groups_count(groups) == 0);
	groups_note_offsets(groups, text("g"), false, now_ms);
	CU_ASSERT(groups_count(groups) == 0);
	stop();
}

static void
a_group_is_empty_since_its_last_member_left(void)
{
	begin();
	CU_ASSERT(groups_empty_ms(groups, text("g"), now_ms) == INT64_MAX);
	stable(1);
	groups_note_offsets(groups, text("g"), true, now_ms);
	CU_ASSERT(groups_empty_ms(groups, text("g"), now_ms) == -1);
	pass_ms(MS_SESSION / 2);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_OK);
	CU_ASSERT(groups_empty_ms(groups, text("g"), now_ms) == 0);
	pass_ms(77);
	CU_ASSERT(groups_empty_ms(groups, text("g"), now_ms) == 77);
	/* Somebody is about to join. */
	JOIN(9, .v4 = true);
	CU_ASSERT(groups_empty_ms(groups, text("g"), now_ms) == -1);
	pass_ms(MS_SESSION);
	CU_ASSERT(groups_empty_ms(groups, text("g"), now_ms) == 77 + MS_SESSION);
	stop();
}

static void
a_group_that_only_has_offsets_is_empty_since_it_is_known(void)
{
	begin();
	groups_note_offsets(groups, text("g"), true, now_ms);
	pass_ms(77);
	groups_note_offsets(groups, text("g"), true, now_ms);
	CU_ASSERT(groups_empty_ms(groups, text("g"), now_ms) == 77);
	stop();
}

static void
left_group_lingers_and_goes(void)
{
	begin();
	stable(1);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_OK);
	pass_ms(GROUP_LINGER_MS - 1);
	CU_ASSERT(state() == GROUP_EMPTY);
	pass_ms(1);
	CU_ASSERT(groups_count(groups) == 0);
	stop();
}

static void
left_group_with_offsets_stays(void)
{
	begin();
	stable(1);
	groups_note_offsets(groups, text("g"), true, now_ms);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_OK);
	pass_ms(2 * GROUP_LINGER_MS);
	CU_ASSERT(state() == GROUP_EMPTY);
	groups_note_offsets(groups, text("g"), false, now_ms);
	pass_ms(GROUP_LINGER_MS);
	CU_ASSERT(groups_count(groups) == 0);
	stop();
}

static void
closing_answers_whatever_waits_or_comes(void)
{
	begin();
	preparing(2);
	WAITS(0);
	groups_close(groups);
	pass_ms(0);
	REFUSED(0, GROUP_NOT_COORDINATOR);
	JOIN(1, .client = "c");
	REFUSED(1, GROUP_NOT_COORDINATOR);
	sync(2, ids[0], NULL, 1, NULL);
	SYNCED(2, GROUP_NOT_COORDINATOR, "");
	pass_ms(2 * MS_REBALANCE);
	CU_ASSERT(answer_to(0)->n == 1);
	stop();
	begin();
	completing(2);
	sync(0, ids[1], NULL, 1, NULL);
	WAITS(0);
	groups_close(groups);
	pass_ms(0);
	SYNCED(0, GROUP_NOT_COORDINATOR, "");
	stop();
}

static void
lingering_group_can_be_joined(void)
{
	begin();
	stable(1);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_OK);
	pass_ms(GROUP_LINGER_MS - 1);
	JOIN(0, .type = "connect");
	pass_ms(MS_DELAY);
	JOINED(0, GROUP_OK, 3);
	CU_ASSERT_STRING_EQUAL(answer_to(0)->protocol_type, "connect");
	stop();
}

/* One consumer with this metadata, in a generation or still in the delay. */
static void
subscribe(const char *metadata, size_t n, bool delayed)
{
	struct group_protocol p = { text("range"), span_of(metadata, n) };
	struct group_join j = { .group_id = text("g"), .client_id = text("c"),
		.protocol_type = text("consumer"), .protocols = &p,
		.n_protocols = 1, .session_timeout_ms = MS_SESSION };
	struct group_effect e;
	static char token;

	start(delayed ? MS_DELAY : 0, INT32_MAX);
	groups_join(groups, &j, &token, now_ms);
	while (groups_next_effect(groups, &e))
		;
}

static enum group_error
topic(const char *name)
{
	return groups_offset_delete_check(groups, text("g"), text(name));
}

static void
subscribed_topics_keep_their_offsets(void)
{
	subscribe("\0\1\0\0\0\2\0\1a\0\2bc", 13, false);
	CU_ASSERT(topic("a") == GROUP_SUBSCRIBED_TO_TOPIC);
	CU_ASSERT(topic("bc") == GROUP_SUBSCRIBED_TO_TOPIC);
	CU_ASSERT(topic("b") == GROUP_OK);
	CU_ASSERT(topic("") == GROUP_OK);
	stop();
}

static void
subscriptions_that_cannot_be_told_keep_all(void)
{
	subscribe("\0\1\0\0\0\2\0\1a", 9, false);
	CU_ASSERT(topic("z") == GROUP_SUBSCRIBED_TO_TOPIC);
	stop();
	/* Before the first generation there is no choice of metadata. */
	subscribe("\0\1\0\0\0\1\0\1a", 9, true);
	CU_ASSERT(topic("z") == GROUP_SUBSCRIBED_TO_TOPIC);
	groups_tick(groups, now_ms + MS_DELAY);
	CU_ASSERT(topic("z") == GROUP_OK);
	CU_ASSERT(topic("a") == GROUP_SUBSCRIBED_TO_TOPIC);
	stop();
}

static void
subscriptions_follow_the_members(void)
{
	struct group_protocol p = { text("range"), span_of("\0\1\0\0\0\1\0\1b", 9) };
	struct group_join j = { .group_id = text("g"), .client_id = text("c"),
		.protocol_type = text("consumer"), .protocols = &p,
		.n_protocols = 1, .session_timeout_ms = MS_SESSION, .random = { 9 } };
	struct group_effect e;
	char token;

	subscribe("\0\1\0\0\0\1\0\1a", 9, false);
	CU_ASSERT(topic("b") == GROUP_OK);
	groups_join(groups, &j, &token, now_ms);
	CU_ASSERT(topic("b") == GROUP_SUBSCRIBED_TO_TOPIC);
	CU_ASSERT(topic("a") == GROUP_SUBSCRIBED_TO_TOPIC);
	/* The first never joins again. */
	now_ms += MS_SESSION;
	groups_tick(groups, now_ms);
	while (groups_next_effect(groups, &e))
		;
	CU_ASSERT(topic("a") == GROUP_OK);
	CU_ASSERT(topic("b") == GROUP_SUBSCRIBED_TO_TOPIC);
	stop();
}

static void
offsets_of_active_groups_of_other_types_stay(void)
{
	begin();
	CU_ASSERT(topic("a") == GROUP_ID_NOT_FOUND);
	JOIN(0, .type = "connect");
	CU_ASSERT(topic("a") == GROUP_NON_EMPTY);
	stop();
}

const struct unit_test admin_tests[] = {
	UNIT(describe_of_an_unknown_group_says_dead),
	UNIT(describe_shows_metadata_and_assignment_when_stable),
	UNIT(describe_hides_them_otherwise),
	UNIT(list_filters_by_state_and_type_in_any_case),
	UNIT(list_shows_id_type_and_state),
	UNIT(delete_is_for_empty_groups),
	UNIT(delete_takes_pending_member_ids_along),
	UNIT(delete_does_not_wait_for_a_rebalance),
	UNIT(simple_group_is_empty_and_of_no_type),
	UNIT(simple_group_goes_with_its_offsets),
	UNIT(a_group_is_empty_since_its_last_member_left),
	UNIT(a_group_that_only_has_offsets_is_empty_since_it_is_known),
	UNIT(left_group_lingers_and_goes),
	UNIT(left_group_with_offsets_stays),
	UNIT(closing_answers_whatever_waits_or_comes),
	UNIT(lingering_group_can_be_joined),
	UNIT(subscribed_topics_keep_their_offsets),
	UNIT(subscriptions_that_cannot_be_told_keep_all),
	UNIT(subscriptions_follow_the_members),
	UNIT(offsets_of_active_groups_of_other_types_stay),
	UNIT_END
};
