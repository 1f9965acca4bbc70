/* consumer_test.c -- groups of the newer protocol: epochs, and the way to a target. */
#include "unit/coord/consumers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
begin(void)
{
	start(0, 4);
	topic("a", 3);
	topic("b", 2);
}

/* m1 has a:0,1 and m2 a:2, both of epoch 2. */
static void
two(void)
{
	begin();
	TOLD(enters("m1", "a"), GROUP_OK, 1, "a:0,1,2");
	TOLD(enters("m2", "a"), GROUP_OK, 2, "");
	TOLD(beats("m1", 1, "a:0,1,2"), GROUP_OK, 1, "a:0,1");
	TOLD(beats("m1", 1, "a:0,1"), GROUP_OK, 2, NULL);
	TOLD(beats("m2", 2, ""), GROUP_OK, 2, "a:2");
	CU_ASSERT(state() == GROUP_STABLE);
}

static void
the_first_member_gets_all(void)
{
	begin();
	TOLD(enters("m1", "a,b"), GROUP_OK, 1, "a:0,1,2 b:0,1");
	CU_ASSERT(state() == GROUP_STABLE);
	TOLD(SAY(.member = "m1", .epoch = 1), GROUP_OK, 1, NULL);
	TOLD(SAY(.member = "m1", .epoch = 1, .names = "a,b", .owned = "a:0,1,2 b:0,1", .rebalance_ms = 1), GROUP_OK, 1,
	    "a:0,1,2 b:0,1");
	CU_ASSERT(epoch_of("g") == 1);
	stop();
}

static void
a_partition_moves_when_it_is_given_up(void)
{
	begin();
	TOLD(enters("m1", "a"), GROUP_OK, 1, "a:0,1,2");
	TOLD(enters("m2", "a"), GROUP_OK, 2, "");
	CU_ASSERT(state() == GROUP_RECONCILING);
	CU_ASSERT_STRING_EQUAL(described("g"), "m1 a:0,1,2 -> a:0,1; m2  -> a:2");
	/* It is told, and does not say that it has given up. */
	TOLD(SAY(.member = "m1", .epoch = 1), GROUP_OK, 1, "a:0,1");
	TOLD(SAY(.member = "m1", .epoch = 1), GROUP_OK, 1, NULL);
	TOLD(beats("m2", 2, NULL), GROUP_OK, 2, NULL);
	TOLD(beats("m1", 1, "a:0,1,2"), GROUP_OK, 1, NULL);
	TOLD(beats("m2", 2, NULL), GROUP_OK, 2, NULL);
	/* Now it has. */
	TOLD(beats("m1", 1, "a:0,1"), GROUP_OK, 2, NULL);
	CU_ASSERT(state() == GROUP_RECONCILING);
	TOLD(beats("m2", 2, NULL), GROUP_OK, 2, "a:2");
	CU_ASSERT(state() == GROUP_STABLE);
	CU_ASSERT_STRING_EQUAL(described("g"), "m1 a:0,1 -> a:0,1; m2 a:2 -> a:2");
	stop();
}

static void
what_nobody_has_is_given_at_once(void)
{
	two();
	topic("a", 5);
	TOLD(beats("m1", 2, "a:0,1"), GROUP_OK, 3, "a:0,1,3");
	TOLD(beats("m2", 2, "a:2"), GROUP_OK, 3, "a:2,4");
	CU_ASSERT(state() == GROUP_STABLE);
	stop();
}

static void
a_member_that_leaves_lets_go(void)
{
	two();
	TOLD(SAY(.member = "m1", .epoch = -1), GROUP_OK, -1, NULL);
	CU_ASSERT(state() == GROUP_ASSIGNING);
	TOLD(beats("m2", 2, "a:2"), GROUP_OK, 3, "a:0,1,2");
	TOLD(SAY(.member = "m2", .epoch = -1), GROUP_OK, -1, NULL);
	CU_ASSERT(state() == GROUP_EMPTY);
	OUT(beats("m2", 3, NULL), GROUP_UNKNOWN_MEMBER_ID);
	/* Its epochs go on. */
	TOLD(enters("m1", "a"), GROUP_OK, 4, "a:0,1,2");
	pass_ms(GROUP_LINGER_MS + MS_CONSUMER);
	CU_ASSERT(state() == GROUP_EMPTY);
	pass_ms(GROUP_LINGER_MS);
	CU_ASSERT(state() == GROUP_DEAD);
	stop();
}

static void
silence_for_the_session_removes(void)
{
	two();
	pass_ms(MS_CONSUMER - 1);
	TOLD(beats("m1", 2, NULL), GROUP_OK, 2, NULL);
	pass_ms(1);
	OUT(beats("m2", 2, NULL), GROUP_UNKNOWN_MEMBER_ID);
	TOLD(beats("m1", 2, NULL), GROUP_OK, 3, "a:0,1,2");
	stop();
}

static void
who_does_not_give_up_in_time_is_removed(void)
{
	begin();
	SAY(.member = "m1", .names = "a", .owned = "", .rebalance_ms = 7000);
	enters("m2", "a");
	TOLD(beats("m1", 1, "a:0,1,2"), GROUP_OK, 1, "a:0,1");
	pass_ms(6999);
	TOLD(beats("m1", 1, "a:0,1,2"), GROUP_OK, 1, NULL);
	pass_ms(1);
	OUT(beats("m1", 1, "a:0,1"), GROUP_UNKNOWN_MEMBER_ID);
	TOLD(beats("m2", 2, ""), GROUP_OK, 3, "a:0,1,2");
	pass_ms(8000);
	TOLD(beats("m2", 3, NULL), GROUP_OK, 3, NULL);
	stop();
}

static void
other_epochs_are_fenced(void)
{
	two();
	OUT(beats("m1", 3, NULL), GROUP_FENCED_MEMBER_EPOCH);
	OUT(beats("m1", 1, NULL), GROUP_FENCED_MEMBER_EPOCH);
	OUT(beats("m1", 1, "a:0,1,2"), GROUP_FENCED_MEMBER_EPOCH);
	/* The answer with the new epoch was lost. */
	TOLD(beats("m1", 1, "a:0,1"), GROUP_OK, 2, NULL);
	TOLD(beats("m1", 1, ""), GROUP_OK, 2, NULL);
	OUT(beats("m9", 2, NULL), GROUP_UNKNOWN_MEMBER_ID);
	stop();
}

static void
who_joins_again_begins_anew(void)
{
	two();
	TOLD(enters("m1", "a"), GROUP_OK, 2, "a:0,1");
	CU_ASSERT(epoch_of("g") == 2);
	/* With another subscription. */
	TOLD(enters("m1", "b"), GROUP_OK, 3, "b:0,1");
	TOLD(beats("m2", 2, "a:2"), GROUP_OK, 3, "a:0,1,2");
	stop();
}

static void
another_subscription_changes_targets(void)
{
	two();
	TOLD(SAY(.member = "m1", .epoch = 2, .names = "b,a,b"), GROUP_OK, 2, "a:0");
	CU_ASSERT_STRING_EQUAL(described("g"), "m1 a:0 -> a:0 b:0,1; m2 a:2 -> a:1,2");
	stop();
}

static void
what_the_last_subscriber_still_holds_is_not_given_away(void)
{
	begin();
	enters("m1", "a");
	TOLD(SAY(.member = "m1", .epoch = 1, .names = "b"), GROUP_OK, 1, "");
	TOLD(enters("m2", "a"), GROUP_OK, 3, "");
	TOLD(beats("m1", 1, "a:0,1,2"), GROUP_OK, 1, NULL);
	TOLD(beats("m2", 3, ""), GROUP_OK, 3, NULL);
	TOLD(beats("m1", 1, ""), GROUP_OK, 3, "b:0,1");
	TOLD(beats("m2", 3, ""), GROUP_OK, 3, "a:0,1,2");
	/* Nobody else wants it. */
	TOLD(SAY(.member = "m1", .epoch = 3, .names = ""), GROUP_OK, 3, "");
	CU_ASSERT(groups_offset_delete_check(groups, text("g"), text("b")) == GROUP_OK);
	TOLD(beats("m1", 3, ""), GROUP_OK, 4, NULL);
	stop();
}

static void
the_same_names_in_another_order_change_nothing(void)
{
	begin();
	TOLD(enters("m1", "b,a"), GROUP_OK, 1, "a:0,1,2 b:0,1");
	TOLD(SAY(.member = "m1", .epoch = 1, .names = "a,b,a"), GROUP_OK, 1, NULL);
	CU_ASSERT(epoch_of("g") == 1);
	stop();
}

static void
topics_come_and_go(void)
{
	begin();
	TOLD(enters("m1", "a,x"), GROUP_OK, 1, "a:0,1,2");
	topic("z", 1);
	TOLD(beats("m1", 1, "a:0,1,2"), GROUP_OK, 1, NULL);
	topic("x", 1);
	TOLD(beats("m1", 1, "a:0,1,2"), GROUP_OK, 2, "a:0,1,2 x:0");
	no_topic("a");
	TOLD(beats("m1", 2, "a:0,1,2 x:0"), GROUP_OK, 3, "x:0");
	/* It is another topic, if of the same name. */
	topic("a", 2);
	no_topic("a");
	topic("a", 1);
	TOLD(beats("m1", 3, "x:0"), GROUP_OK, 4, "a:0 x:0");
	no_topic("z");
	no_topic("unheard of");
	TOLD(beats("m1", 4, NULL), GROUP_OK, 4, NULL);
	stop();
}

static void
a_topic_that_ends_need_not_be_given_up(void)
{
	begin();
	enters("m1", "b");
	enters("m2", "b");
	TOLD(beats("m1", 1, "b:0,1"), GROUP_OK, 1, "b:0");
	no_topic("b");
	TOLD(beats("m1", 1, "b:0,1"), GROUP_OK, 3, "");
	pass_ms(MS_CONSUMER - 1);
	TOLD(beats("m1", 3, NULL), GROUP_OK, 3, NULL);
	stop();
}

static void
members_of_no_topic_are_members(void)
{
	begin();
	TOLD(enters("m1", ""), GROUP_OK, 1, "");
	CU_ASSERT(state() == GROUP_STABLE);
	TOLD(SAY(.member = "m1", .epoch = 1, .names = "b"), GROUP_OK, 2, "b:0,1");
	stop();
}

static void
range_when_most_ask_for_it(void)
{
	begin();
	TOLD(SAY(.member = "m1", .names = "a,b", .owned = "", .rebalance_ms = 1000, .assignor = "range"), GROUP_OK, 1,
	    "a:0,1,2 b:0,1");
	SAY(.member = "m2", .names = "a,b", .owned = "", .rebalance_ms = 1000, .assignor = "range");
	CU_ASSERT_STRING_EQUAL(described("g"), "m1 a:0,1,2 b:0,1 -> a:0,1 b:0; m2  -> a:2 b:1");
	/* They change their minds. */
	SAY(.member = "m1", .epoch = 1, .assignor = "uniform");
	SAY(.member = "m2", .epoch = 2, .assignor = "uniform");
	CU_ASSERT(epoch_of("g") == 3);
	stop();
}

static void
requests_that_contradict_themselves_are_invalid(void)
{
	begin();
	OUT(SAY(.group = "", .member = "m", .names = "a", .owned = "", .rebalance_ms = 1), GROUP_INVALID_REQUEST);
	OUT(SAY(.member = "", .names = "a", .owned = "", .rebalance_ms = 1), GROUP_INVALID_REQUEST);
	OUT(SAY(.member = "m", .instance = "", .names = "a", .owned = "", .rebalance_ms = 1), GROUP_INVALID_REQUEST);
	OUT(SAY(.member = "m", .rack = "", .names = "a", .owned = "", .rebalance_ms = 1), GROUP_INVALID_REQUEST);
	OUT(SAY(.member = "m", .names = "a", .owned = ""), GROUP_INVALID_REQUEST);
	OUT(SAY(.member = "m", .names = "a", .rebalance_ms = 1), GROUP_INVALID_REQUEST);
	OUT(SAY(.member = "m", .names = "a", .owned = "a:0", .rebalance_ms = 1), GROUP_INVALID_REQUEST);
	OUT(SAY(.member = "m", .owned = "", .rebalance_ms = 1), GROUP_INVALID_REQUEST);
	OUT(SAY(.member = "", .epoch = 1, .v0 = true), GROUP_INVALID_REQUEST);
	OUT(SAY(.member = "m", .epoch = -2), GROUP_INVALID_REQUEST);
	OUT(SAY(.member = "m", .epoch = -3), GROUP_INVALID_REQUEST);
	OUT(SAY(.member = "m", .names = "a", .owned = "", .rebalance_ms = 1, .assignor = "x"), GROUP_UNSUPPORTED_ASSIGNOR);
	OUT(SAY(.member = "m", .epoch = 1), GROUP_UNKNOWN_MEMBER_ID);
	OUT(SAY(.member = "m", .epoch = -1), GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(groups_count(groups) == 0);
	stop();
}

static void
version_0_is_given_an_id(void)
{
	struct told t;

	begin();
	t = SAY(.names = "a", .owned = "", .rebalance_ms = 1, .v0 = true);
	TOLD(t, GROUP_OK, 1, "a:0,1,2");
	CU_ASSERT(strlen(t.member) == 22);
	TOLD(SAY(.member = t.member, .epoch = 1, .v0 = true), GROUP_OK, 1, NULL);
	stop();
}

static void
a_group_that_is_full_takes_no_more(void)
{
	begin();
	enters("m1", "a");
	enters("m2", "a");
	enters("m3", "a");
	enters("m4", "a");
	OUT(enters("m5", "a"), GROUP_MAX_SIZE_REACHED);
	OUT(enters("m4", "b"), GROUP_OK);
	OUT(SAY(.member = "m1", .epoch = -1), GROUP_OK);
	OUT(enters("m5", "a"), GROUP_OK);
	stop();
}

/* ---- static members ---- */

static struct told
enters_static(const char *member, const char *instance)
{
	return SAY(.member = member, .instance = instance, .names = "a", .owned = "", .rebalance_ms = MS_REBALANCE);
}

static void
a_static_member_that_is_back_has_its_partitions_again(void)
{
	begin();
	TOLD(enters_static("s1", "i"), GROUP_OK, 1, "a:0,1,2");
	OUT(enters_static("s2", "i"), GROUP_UNRELEASED_INSTANCE_ID);
	OUT(SAY(.member = "s2", .instance = "i", .epoch = 1), GROUP_FENCED_INSTANCE_ID);
	OUT(SAY(.member = "s1", .instance = "j", .epoch = 1), GROUP_UNKNOWN_MEMBER_ID);
	TOLD(SAY(.member = "s1", .instance = "i", .epoch = -2), GROUP_OK, -2, NULL);
	CU_ASSERT(epoch_of("g") == 1 && state() == GROUP_RECONCILING);
	TOLD(enters("m1", "a"), GROUP_OK, 2, "");
	OUT(SAY(.member = "s1", .instance = "i", .epoch = 1), GROUP_FENCED_MEMBER_EPOCH);
	TOLD(enters_static("s2", "i"), GROUP_OK, 2, "a:0,1");
	CU_ASSERT(epoch_of("g") == 2);
	OUT(SAY(.member = "s1", .epoch = 1), GROUP_UNKNOWN_MEMBER_ID);
	TOLD(beats("m1", 2, ""), GROUP_OK, 2, "a:2");
	stop();
}

static void
a_static_member_that_stays_away_is_removed(void)
{
	begin();
	enters_static("s1", "i");
	SAY(.member = "s1", .instance = "i", .epoch = -2);
	pass_ms(MS_CONSUMER);
	CU_ASSERT(state() == GROUP_EMPTY);
	TOLD(enters_static("s2", "i"), GROUP_OK, 2, "a:0,1,2");
	TOLD(SAY(.member = "s2", .instance = "i", .epoch = -1), GROUP_OK, -1, NULL);
	CU_ASSERT(state() == GROUP_EMPTY);
	stop();
}

static void
administrators_remove_members(void)
{
	begin();
	enters_static("s1", "i");
	enters("m1", "a");
	CU_ASSERT(leave("", "j") == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(leave("m1", "i") == GROUP_FENCED_INSTANCE_ID);
	CU_ASSERT(leave("", "i") == GROUP_OK);
	CU_ASSERT(leave("m1", NULL) == GROUP_OK);
	CU_ASSERT(state() == GROUP_EMPTY);
	stop();
}

/* ---- regular expressions ---- */

static void
expressions_match_whole_names(void)
{
	begin();
	topic("ab", 1);
	TOLD(SAY(.member = "m1", .regex = "[ab]", .owned = "", .rebalance_ms = 1000), GROUP_OK, 1, "a:0,1,2 b:0,1");
	no_topic("b");
	TOLD(SAY(.member = "m1", .epoch = 1), GROUP_OK, 2, "a:0,1,2");
	topic("b", 1);
	topic("cb", 1);
	TOLD(SAY(.member = "m1", .epoch = 2), GROUP_OK, 3, "a:0,1,2 b:0");
	/* A topic made anew between two heartbeats. */
	no_topic("b");
	topic("b", 2);
	TOLD(SAY(.member = "m1", .epoch = 3), GROUP_OK, 4, "a:0,1,2 b:0,1");
	/* With a name, which matches, too; and then without the expression. */
	TOLD(SAY(.member = "m1", .epoch = 4, .names = "b"), GROUP_OK, 5, NULL);
	TOLD(SAY(.member = "m1", .epoch = 5, .regex = ""), GROUP_OK, 5, "b:0,1");
	stop();
}

static void
expressions_that_cannot_be_taken_are_refused(void)
{
	begin();
	OUT(SAY(.member = "m1", .regex = "(", .owned = "", .rebalance_ms = 1000), GROUP_INVALID_REGULAR_EXPRESSION);
	CU_ASSERT(groups_count(groups) == 0);
	enters("m1", "a");
	OUT(SAY(.member = "m1", .epoch = 1, .regex = "(?=a)"), GROUP_INVALID_REGULAR_EXPRESSION);
	TOLD(SAY(.member = "m1", .epoch = 1), GROUP_OK, 1, NULL);
	stop();
}

static void
many_topics_are_compared_little_by_little(void)
{
	enum { MANY = 9999 };
	struct consumer_group_description d;
	char name[16];
	int i;

	begin();
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "t%04d", i);
		topic(name, 1);
	}
	TOLD(SAY(.member = "m1", .regex = "(.*(x|y){20}|t9998)", .owned = "", .rebalance_ms = 1000), GROUP_OK, 1, "");
	CU_ASSERT(groups_next_deadline(groups) == now_ms + 1);
	for (i = 0; groups_next_deadline(groups) == now_ms + 1; i++) {
		CU_ASSERT(epoch_of("g") == 1);
		now_ms++;
		groups_tick(groups, now_ms);
		groups_check(groups);
	}
	CU_ASSERT(i > 1 && i < 100);
	groups_consumer_describe(groups, text("g"), &d);
	CU_ASSERT(d.state == GROUP_ASSIGNING && d.epoch == 2);
	TOLD(SAY(.member = "m1", .epoch = 1), GROUP_OK, 2, "t:0");
	stop();
}

/* ---- memory ---- */

static struct told
enters_group(const char *group, const char *member, const char *names)
{
	return SAY(.group = group, .member = member, .names = names, .owned = "", .rebalance_ms = MS_REBALANCE);
}

static void
names_of_more_than_a_mebibyte_are_an_invalid_request(void)
{
	char *names = malloc(CONSUMER_NAMES_MAX_BYTES + 1);

	begin();
	memset(names, 'n', CONSUMER_NAMES_MAX_BYTES);
	names[CONSUMER_NAMES_MAX_BYTES - 4] = '\0';
	OUT(enters("m1", names), GROUP_OK);
	names[CONSUMER_NAMES_MAX_BYTES - 4] = 'n';
	names[CONSUMER_NAMES_MAX_BYTES - 3] = '\0';
	OUT(enters("m2", names), GROUP_INVALID_REQUEST);
	CU_ASSERT(groups_bytes(groups) < 3 << 20);
	free(names);
	stop();
}

/* Partitions that there is no room for are nobody's, until there is some. */
static void
partitions_wait_for_room(void)
{
	enum { MOST = 100000, GROUPS = 64 };
	struct consumer_description d;
	char name[16];
	int i;

	begin();
	topic("w", MOST);
	for (i = 0; i < GROUPS; i++) {
		snprintf(name, sizeof name, "g%d", i);
		groups_consumer_heartbeat(groups, &(struct consumer_heartbeat){ .group_id = text(name),
		    .member_id = text("m"), .client_id = text("c"), .client_host = text("h"), .has_names = true,
		    .names = &(struct span){ (const uint8_t *)"w", 1 }, .n_names = 1, .has_owned = true,
		    .rebalance_timeout_ms = 1000, .chooses_id = true }, now_ms, &(struct consumer_answer){ 0 });
		groups_next_effect(groups, &(struct group_effect){ 0 });
		CU_ASSERT(groups_bytes(groups) <= GROUPS_MAX_BYTES);
	}
	CU_ASSERT(groups_consumer_describe_members(groups, text("g63"), &d, 1) == 1);
	CU_ASSERT(d.n_assignment == 0 && d.n_target == 0);
	/* It neither waits in vain for anything nor changes its epoch. */
	TOLD(SAY(.group = "g63", .member = "m", .epoch = 1), GROUP_OK, 1, NULL);
	OUT(SAY(.group = "g0", .member = "m", .epoch = -1), GROUP_OK);
	OUT(SAY(.group = "g1", .member = "m", .epoch = -1), GROUP_OK);
	groups_consumer_heartbeat(groups, &(struct consumer_heartbeat){ .group_id = text("g63"), .member_id = text("m"),
	    .epoch = 1, .rebalance_timeout_ms = -1, .chooses_id = true }, now_ms, &(struct consumer_answer){ 0 });
	CU_ASSERT(groups_consumer_describe_members(groups, text("g63"), &d, 1) == 1);
	CU_ASSERT(d.n_assignment == 1 && d.assignment[0].n == MOST && d.epoch == 2);
	groups_next_effect(groups, &(struct group_effect){ 0 });
	OUT(enters_group("g0", "m", "a"), GROUP_OK);
	groups_check(groups);
	stop();
}

/* ---- the other protocol, commits, administrators ---- */

static void
groups_with_members_are_closed_to_the_other_protocol(void)
{
	begin();
	stable(1);
	OUT(enters("m1", "a"), GROUP_ID_NOT_FOUND);
	CU_ASSERT(leave(ids[0], NULL) == GROUP_OK);
	/* Its generations were 1 and, when it got empty, 2. */
	TOLD(enters("m1", "a"), GROUP_OK, 3, "a:0,1,2");
	JOIN(1, .member = "");
	REFUSED(1, GROUP_INCONSISTENT_PROTOCOL);
	CU_ASSERT(beat("m1", NULL, 3) == GROUP_UNKNOWN_MEMBER_ID);
	OUT(SAY(.member = "m1", .epoch = -1), GROUP_OK);
	JOIN(2, .member = "");
	JOINED(2, GROUP_OK, 5);
	stop();
}

static void
who_is_refused_takes_nothing_over(void)
{
	struct group_listing l;
	size_t it = 0;

	begin();
	groups_note_offsets(groups, text("g"), true, now_ms);
	OUT(SAY(.member = "m1", .regex = "(", .owned = "", .rebalance_ms = 1), GROUP_INVALID_REGULAR_EXPRESSION);
	OUT(SAY(.member = "m1", .epoch = 7), GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(groups_list(groups, groups_filter(NULL, 0, NULL, 0), &it, &l));
	CU_ASSERT_STRING_EQUAL(l.type, "classic");
	CU_ASSERT(span_is(l.protocol_type, ""));
	stop();
}

static void
commits_are_of_the_epoch(void)
{
	struct group_commit c = { .group_id = text("g"), .member_id = text("m1"), .generation = 1,
		.group_not_found_known = true };

	two();
	CU_ASSERT(groups_commit_check(groups, &c, now_ms) == GROUP_STALE_MEMBER_EPOCH);
	c.generation = 2;
	CU_ASSERT(groups_commit_check(groups, &c, now_ms) == GROUP_OK);
	c.generation = 3;
	CU_ASSERT(groups_commit_check(groups, &c, now_ms) == GROUP_STALE_MEMBER_EPOCH);
	c.group_not_found_known = false;
	CU_ASSERT(groups_commit_check(groups, &c, now_ms) == GROUP_UNSUPPORTED_VERSION);
	c.generation = 2;
	CU_ASSERT(groups_commit_check(groups, &c, now_ms) == GROUP_UNSUPPORTED_VERSION);
	c.member_id = text("m9");
	CU_ASSERT(groups_commit_check(groups, &c, now_ms) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(commit("", NULL, -1) == GROUP_UNKNOWN_MEMBER_ID);
	/* A commit is no sign of life. */
	pass_ms(MS_CONSUMER);
	CU_ASSERT(commit("m1", NULL, 2) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(commit("", NULL, -1) == GROUP_OK);
	stop();
}

static void
fetches_are_of_the_epoch(void)
{
	two();
	CU_ASSERT(groups_fetch_check(groups, text("g"), text("m1"), 2) == GROUP_OK);
	CU_ASSERT(groups_fetch_check(groups, text("g"), text("m1"), 1) == GROUP_STALE_MEMBER_EPOCH);
	CU_ASSERT(groups_fetch_check(groups, text("g"), text("m9"), 1) == GROUP_UNKNOWN_MEMBER_ID);
	CU_ASSERT(groups_fetch_check(groups, text("g"), text(NULL), -1) == GROUP_OK);
	CU_ASSERT(groups_fetch_check(groups, text("h"), text("m9"), 1) == GROUP_OK);
	stop();
}

static size_t
count(const char *type, const char *group_state)
{
	struct span t = text(type), s = text(group_state);
	struct group_filter f = groups_filter(&s, group_state != NULL, &t, type != NULL);
	struct group_listing l;
	size_t it = 0, n = 0;

	while (groups_list(groups, f, &it, &l))
		n++;
	return n;
}

static void
administrators_see_them(void)
{
	struct group_description d;

	two();
	JOIN(1, .group = "other");
	CU_ASSERT(count(NULL, NULL) == 2 && count("Consumer", NULL) == 1 && count("classic", NULL) == 1);
	CU_ASSERT(count("consumer", "stable") == 1 && count("consumer", "reconciling") == 0);
	CU_ASSERT(!groups_describe(groups, text("g"), &d) && d.state == GROUP_DEAD);
	CU_ASSERT(groups_delete(groups, text("g")) == GROUP_NON_EMPTY);
	CU_ASSERT(groups_offset_delete_check(groups, text("g"), text("a")) == GROUP_SUBSCRIBED_TO_TOPIC);
	CU_ASSERT(groups_offset_delete_check(groups, text("g"), text("b")) == GROUP_OK);
	CU_ASSERT(groups_empty_ms(groups, text("g"), now_ms) == -1);
	pass_ms(MS_CONSUMER);
	CU_ASSERT(groups_empty_ms(groups, text("g"), now_ms + 7) == 7);
	CU_ASSERT(count("consumer", "empty") == 1);
	CU_ASSERT(groups_delete(groups, text("g")) == GROUP_OK);
	CU_ASSERT(groups_bytes(groups) == 0 || groups_count(groups) == 1);
	stop();
}

static void
at_the_end_nobody_joins(void)
{
	two();
	groups_close(groups);
	OUT(beats("m1", 2, NULL), GROUP_NOT_COORDINATOR);
	stop();
}

const struct unit_test consumer_tests[] = {
	UNIT(the_first_member_gets_all),
	UNIT(a_partition_moves_when_it_is_given_up),
	UNIT(what_nobody_has_is_given_at_once),
	UNIT(a_member_that_leaves_lets_go),
	UNIT(silence_for_the_session_removes),
	UNIT(who_does_not_give_up_in_time_is_removed),
	UNIT(other_epochs_are_fenced),
	UNIT(who_joins_again_begins_anew),
	UNIT(another_subscription_changes_targets),
	UNIT(what_the_last_subscriber_still_holds_is_not_given_away),
	UNIT(the_same_names_in_another_order_change_nothing),
	UNIT(topics_come_and_go),
	UNIT(a_topic_that_ends_need_not_be_given_up),
	UNIT(members_of_no_topic_are_members),
	UNIT(range_when_most_ask_for_it),
	UNIT(requests_that_contradict_themselves_are_invalid),
	UNIT(version_0_is_given_an_id),
	UNIT(a_group_that_is_full_takes_no_more),
	UNIT(a_static_member_that_is_back_has_its_partitions_again),
	UNIT(a_static_member_that_stays_away_is_removed),
	UNIT(administrators_remove_members),
	UNIT(expressions_match_whole_names),
	UNIT(expressions_that_cannot_be_taken_are_refused),
	UNIT(many_topics_are_compared_little_by_little),
	UNIT(names_of_more_than_a_mebibyte_are_an_invalid_request),
	UNIT(partitions_wait_for_room),
	UNIT(groups_with_members_are_closed_to_the_other_protocol),
	UNIT(who_is_refused_takes_nothing_over),
	UNIT(commits_are_of_the_epoch),
	UNIT(fetches_are_of_the_epoch),
	UNIT(administrators_see_them),
	UNIT(at_the_end_nobody_joins),
	UNIT_END
};
