/* assignor_test.c -- how partitions are shared out among members. */
#include "coord/assignor.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "unit/unit.h"

enum { UNIFORM, RANGE, MOST = 4096 };

/* A world of topics, members and kinds, filled by these functions. */
static struct assign_kind kinds[64];
static int32_t sizes[256], target[MOST], kind_of[256];
static uint32_t of_kinds[64 * 512];
static struct assignment a;
static size_t used;

static void
begin(size_t n_topics, ...)
{
	va_list ap;

	va_start(ap, n_topics);
	a = (struct assignment){ .kinds = kinds, .n_partitions = sizes, .target = target, .n_topics = n_topics };
	for (size_t i = 0; i < n_topics; i++)
		sizes[i] = va_arg(ap, int);
	va_end(ap);
	memset(target, 0xff, sizeof target);
	used = 0;
}

/* So many more members that subscribe to these topics (a bit each). */
static void
add_kind(size_t n_members, uint64_t topics)
{
	struct assign_kind *k = &kinds[a.n_kinds];

	*k = (struct assign_kind){ .topics = of_kinds + used, .n_members = n_members };
	for (uint32_t i = 0; i < a.n_topics; i++)
		if (topics >> i & 1)
			of_kinds[used + k->n_topics++] = i;
	used += k->n_topics;
	k->members = of_kinds + used;
	for (size_t i = 0; i < n_members; i++) {
		kind_of[a.n_members] = (int32_t)a.n_kinds;
		of_kinds[used++] = (uint32_t)a.n_members++;
	}
	a.n_kinds++;
}

static bool
subscribes(int32_t member, uint32_t topic)
{
	const struct assign_kind *k = &kinds[kind_of[member]];

	for (size_t i = 0; i < k->n_topics; i++)
		if (k->topics[i] == topic)
			return true;
	return false;
}

static size_t
has(int32_t member)
{
	size_t n = 0, p = 0;

	for (uint32_t t = 0; t < a.n_topics; t++)
		for (int32_t i = 0; i < sizes[t]; i++)
			n += target[p++] == member;
	return n;
}

/* Every partition is with a subscriber, if there is one. */
static void
judge(void)
{
	bool wanted, good = true;
	size_t p = 0, k, i;

	for (uint32_t t = 0; t < a.n_topics; t++) {
		for (k = 0, wanted = false; k < a.n_kinds; k++)
			for (i = 0; i < kinds[k].n_topics; i++)
				wanted |= kinds[k].topics[i] == t;
		for (int32_t n = 0; n < sizes[t]; n++, p++)
			good &= wanted ? target[p] != ASSIGNED_TO_NOBODY && subscribes(target[p], t) :
			    target[p] == ASSIGNED_TO_NOBODY;
	}
	CU_ASSERT(good);
}

static size_t
share(int assignor)
{
	int32_t before[MOST];
	size_t moved = 0;

	memcpy(before, target, sizeof before);
	assignors[assignor].share(&a);
	judge();
	for (size_t p = 0; p < MOST; p++)
		moved += before[p] != ASSIGNED_TO_NOBODY && before[p] != target[p];
	return moved;
}

static void
uniform_is_even(void)
{
	begin(2, 7, 4);
	add_kind(4, 3);
	CU_ASSERT(share(UNIFORM) == 0);
	for (int32_t m = 0; m < 4; m++)
		CU_ASSERT(has(m) == (m < 3 ? 3 : 2));
	/* The partitions of one topic are not with one member. */
	CU_ASSERT(target[0] != target[1] && target[7] != target[8]);
}

static void
uniform_moves_no_more_than_it_must(void)
{
	begin(2, 8, 4);
	add_kind(3, 3);
	share(UNIFORM);
	CU_ASSERT(share(UNIFORM) == 0);
	/* A fourth comes: three partitions go to it. */
	add_kind(1, 3);
	CU_ASSERT(share(UNIFORM) == 3);
	for (int32_t m = 0; m < 4; m++)
		CU_ASSERT(has(m) == 3);
	CU_ASSERT(share(UNIFORM) == 0);
}

static void
uniform_levels_kinds_as_subscriptions_allow(void)
{
	/* Topic 0 is for all, topic 1 for the first kind only. */
	begin(2, 6, 6);
	add_kind(1, 3);
	add_kind(1, 1);
	share(UNIFORM);
	CU_ASSERT(has(0) == 6 && has(1) == 6);
	CU_ASSERT(share(UNIFORM) == 0);
	begin(2, 2, 9);
	add_kind(1, 3);
	add_kind(2, 1);
	share(UNIFORM);
	CU_ASSERT(has(0) == 9 && has(1) == 1 && has(2) == 1);
}

static void
topics_of_nobody_stay_nobodys(void)
{
	for (int i = UNIFORM; i <= RANGE; i++) {
		begin(3, 2, 3, 2);
		add_kind(2, 5);
		target[3] = 1;
		share(i);
		CU_ASSERT(target[2] == ASSIGNED_TO_NOBODY && target[3] == ASSIGNED_TO_NOBODY);
		CU_ASSERT(has(0) + has(1) == 4);
	}
	begin(0);
	share(UNIFORM);
	begin(1, 3);
	share(RANGE);
	CU_ASSERT(target[0] == ASSIGNED_TO_NOBODY);
}

static void
range_cuts_blocks_and_topics_alike(void)
{
	static const int32_t want[] = { 0, 0, 0, 1, 1, 2, 2, 0, 0, 0, 1, 1, 2, 2, 0, 1 };

	begin(3, 7, 7, 2);
	add_kind(3, 7);
	share(RANGE);
	CU_ASSERT(memcmp(target, want, sizeof want) == 0);
}

static void
range_of_several_kinds(void)
{
	begin(2, 4, 4);
	add_kind(1, 3);
	add_kind(1, 1);
	share(RANGE);
	CU_ASSERT(target[0] == 0 && target[1] == 0 && target[2] == 1 && target[3] == 1);
	CU_ASSERT(target[4] == 0 && target[7] == 0);
}

static uint64_t
draw(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x >> 16;
}

/* Of one kind, no member has two more than another. */
static void
judge_evenness(void)
{
	for (size_t k = 0; k < a.n_kinds; k++) {
		size_t least = SIZE_MAX, most = 0;

		for (size_t i = 0; i < kinds[k].n_members; i++) {
			size_t n = has((int32_t)kinds[k].members[i]);

			least = n < least ? n : least;
			most = n > most ? n : most;
		}
		CU_ASSERT(most - least <= 1);
	}
}

static void
random_groups_are_shared_out_evenly_and_stay_so(void)
{
	uint64_t x = 88172645463325252;

	for (int round = 0; round < 2000; round++) {
		begin(0);
		a.n_topics = draw(&x) % 20;
		for (size_t i = 0; i < a.n_topics; i++)
			sizes[i] = (int32_t)(draw(&x) % 12);
		for (size_t k = draw(&x) % 6 + 1; k > 0; k--)
			add_kind(draw(&x) % 5 + 1, draw(&x) & draw(&x));
		/* Whatever was before. */
		for (size_t p = 0; p < 300; p++)
			target[p] = (int32_t)(draw(&x) % (a.n_members + 1)) - 1;
		share(UNIFORM);
		judge_evenness();
		CU_ASSERT(share(UNIFORM) == 0);
		share(RANGE);
		CU_ASSERT(share(RANGE) == 0);
	}
}

static void
assignors_are_found_by_name(void)
{
	CU_ASSERT(assignor_find(span_str("uniform")) == UNIFORM);
	CU_ASSERT(assignor_find(span_str("range")) == RANGE);
	CU_ASSERT(assignor_find(span_str("Range")) == -1);
	CU_ASSERT(assignor_find(span_str("")) == -1);
}

const struct unit_test assignor_tests[] = {
	UNIT(uniform_is_even),
	UNIT(uniform_moves_no_more_than_it_must),
	UNIT(uniform_levels_kinds_as_subscriptions_allow),
	UNIT(topics_of_nobody_stay_nobodys),
	UNIT(range_cuts_blocks_and_topics_alike),
	UNIT(range_of_several_kinds),
	UNIT(random_groups_are_shared_out_evenly_and_stay_so),
	UNIT(assignors_are_found_by_name),
	UNIT_END
};
