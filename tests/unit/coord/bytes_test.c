/* bytes_test.c -- what groups may take of memory. */
#include "unit/coord/fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/xalloc.h"

static void
begin(void)
{
	start(0, INT32_MAX);
}

/* "<name>=" and so many bytes; owned. */
static char *
filled(const char *name, size_t n)
{
	size_t at = strlen(name) + 1;
	char *s = xmalloc(at + n + 1);

	snprintf(s, at + 1, "%s=", name);
	memset(s + at, 'm', n);
	s[at + n] = '\0';
	return s;
}

/* A join of a new member with so much metadata, in a group of this name. */
static void
join_with(int token, const char *group, size_t n)
{
	char *protocols = filled("range", n);

	JOIN(token, .group = group, .protocols = protocols);
	free(protocols);
}

static void
protocols_of_more_than_a_mebibyte_are_an_invalid_request(void)
{
	enum { REST = GROUP_PROTOCOLS_MAX_BYTES - 5 }; /* "range" */

	begin();
	join_with(0, "g", REST + 1);
	REFUSED(0, GROUP_INVALID_REQUEST);
	CU_ASSERT(groups_count(groups) == 0);
	join_with(1, "g", REST);
	JOINED(1, GROUP_OK, 1);
	stop();
}

/* Those of all protocols count together, a repeated one too. */
static void
protocols_are_added_up(void)
{
	char *one = filled("range", GROUP_PROTOCOLS_MAX_BYTES / 2);
	char *two = xmalloc(2 * strlen(one) + 2);

	begin();
	sprintf(two, "%s,%s", one, one);
	JOIN(0, .protocols = two);
	REFUSED(0, GROUP_INVALID_REQUEST);
	JOIN(1, .protocols = one);
	JOINED(1, GROUP_OK, 1);
	free(one);
	free(two);
	stop();
}

static void
assignment_of_more_than_a_mebibyte_is_an_invalid_request(void)
{
	char *list;

	begin();
	completing(1);
	list = filled(ids[0], GROUP_ASSIGNMENT_MAX_BYTES + 1);
	sync(0, ids[0], NULL, 1, list);
	SYNCED(0, GROUP_INVALID_REQUEST, "");
	CU_ASSERT(state() == GROUP_COMPLETING);
	list[strlen(list) - 1] = '\0';
	sync(1, ids[0], NULL, 1, list);
	CU_ASSERT(answer_to(1)->error == GROUP_OK && answer_to(1)->assignment[0] == 'm');
	CU_ASSERT(state() == GROUP_STABLE);
	free(list);
	stop();
}

static void
all_that_members_take_is_counted_and_comes_back(void)
{
	size_t bytes;

	start(MS_DELAY, INT32_MAX);
	CU_ASSERT(groups_bytes(groups) == 0);
	stable(3);
	bytes = groups_bytes(groups);
	CU_ASSERT(bytes > 0);
	JOIN(0, .v4 = true); /* a pending id */
	CU_ASSERT(groups_bytes(groups) > bytes);
	leave(answer_to(0)->member_id, NULL);
	CU_ASSERT(groups_bytes(groups) == bytes);
	JOIN(1, .member = ids[1], .protocols = "range=mmm");
	CU_ASSERT(groups_bytes(groups) == bytes + 2);
	leave(ids[0], NULL);
	leave(ids[1], NULL);
	leave(ids[2], NULL);
	CU_ASSERT(groups_bytes(groups) == 0);
	stop();
}

enum { EACH = GROUP_PROTOCOLS_MAX_BYTES - 1024,
	ALL = GROUPS_MAX_BYTES / GROUP_PROTOCOLS_MAX_BYTES };

/* Members in groups of their own, "0", "1", ..., that take all but less than a mebibyte. */
static void
fill(void)
{
	char name[16];
	int i;

	for (i = 0; groups_bytes(groups) + GROUP_PROTOCOLS_MAX_BYTES <= GROUPS_MAX_BYTES; i++) {
		sprintf(name, "%d", i);
		fresh();
		join_with(0, name, EACH);
		JOINED(0, GROUP_OK, 1);
	}
	CU_ASSERT(i >= ALL - 1);
	fresh();
}

static void
join_that_finds_no_memory_may_be_retried(void)
{
	struct group_leave one = { text(""), span_of(NULL, 0), GROUP_OK };
	struct group_member_description m;
	char member[TEXT];

	begin();
	JOIN(0, .group = "small");
	strcpy(member, answer_to(0)->member_id);
	fill();
	join_with(1, "g", GROUP_PROTOCOLS_MAX_BYTES - 5);
	REFUSED(1, GROUP_COORDINATOR_NOT_AVAILABLE);
	CU_ASSERT(groups_state(groups, text("g")) == GROUP_DEAD);
	/* Who brings nothing more goes on. */
	JOIN(2, .group = "small", .member = member);
	JOINED(2, GROUP_OK, 1);
	JOIN(3, .group = "small", .member = member, .protocols = "range=");
	JOINED(3, GROUP_OK, 2);
	/* Others go, and it has room. */
	CU_ASSERT(groups_describe_members(groups, text("0"), &m, 1) == 1);
	one.member_id = m.member_id;
	CU_ASSERT(groups_leave(groups, text("0"), &one, 1, now_ms) == GROUP_OK);
	CU_ASSERT(one.error == GROUP_OK);
	join_with(4, "g", GROUP_PROTOCOLS_MAX_BYTES - 5);
	JOINED(4, GROUP_OK, 1);
	stop();
}

static void
sync_that_finds_no_memory_may_be_retried(void)
{
	char *list;

	begin();
	completing(1);
	fill();
	list = filled(ids[0], GROUP_ASSIGNMENT_MAX_BYTES);
	sync(0, ids[0], NULL, 1, list);
	SYNCED(0, GROUP_COORDINATOR_NOT_AVAILABLE, "");
	CU_ASSERT(state() == GROUP_COMPLETING);
	sync(1, ids[0], NULL, 1, NULL);
	SYNCED(1, GROUP_OK, "");
	free(list);
	stop();
}

const struct unit_test bytes_tests[] = {
	UNIT(protocols_of_more_than_a_mebibyte_are_an_invalid_request),
	UNIT(protocols_are_added_up),
	UNIT(assignment_of_more_than_a_mebibyte_is_an_invalid_request),
	UNIT(all_that_members_take_is_counted_and_comes_back),
	UNIT(join_that_finds_no_memory_may_be_retried),
	UNIT(sync_that_finds_no_memory_may_be_retried),
	UNIT_END
};
