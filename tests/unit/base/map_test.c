/* map_test.c -- a hash table from bytes to pointers. */
#include "base/map.h"

#include <stdio.h>

#include "unit/base/random.h"
#include "unit/unit.h"

struct entry {
	char key[24];
	bool in; /* whether it should be in the table */
};

static struct span
key_of(const struct entry *e)
{
	return span_str(e->key);
}

static void
name_entries(struct entry *e, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		snprintf(e[i].key, sizeof e[i].key, "k%zu", i);
}

static void
empty_table_has_nothing(void)
{
	struct map m = { 0 };
	size_t it = 0;

	CU_ASSERT_PTR_NULL(map_get(&m, span_str("a")));
	CU_ASSERT_PTR_NULL(map_del(&m, span_str("a")));
	CU_ASSERT_PTR_NULL(map_next(&m, &it));
	map_done(&m);
}

static void
put_replaces_value_and_key(void)
{
	struct map m = { 0 };
	char first[] = "same", second[] = "same";
	int a, b;

	CU_ASSERT(map_put(&m, span_str(first), &a));
	CU_ASSERT(map_put(&m, span_str(second), &b));
	first[0] = 'X'; /* the table must not look at the older key any more */
	CU_ASSERT_PTR_EQUAL(map_get(&m, span_str("same")), &b);
	CU_ASSERT_EQUAL(m.n, 1);
	CU_ASSERT_PTR_EQUAL(map_del(&m, span_str("same")), &b);
	CU_ASSERT_PTR_NULL(map_get(&m, span_str("same")));
	map_done(&m);
}

static void
keys_are_bytes_of_any_length(void)
{
	struct map m = { 0 };
	uint8_t bytes[40] = { 0 };
	size_t n;

	for (n = 0; n < sizeof bytes; n++)
		CU_ASSERT(map_put(&m, span_of(bytes, n), bytes + n));
	for (n = 0; n < sizeof bytes; n++)
		CU_ASSERT_PTR_EQUAL(map_get(&m, span_of(bytes, n)), bytes + n);
	CU_ASSERT_EQUAL(m.n, sizeof bytes);
	map_done(&m);
}

static void
next_visits_every_value_once(void)
{
	struct map m = { 0 };
	struct entry e[100], *v;
	size_t it = 0, n = 0;

	name_entries(e, 100);
	for (n = 0; n < 100; n++) {
		e[n].in = true;
		map_put(&m, key_of(&e[n]), &e[n]);
	}
	for (n = 0; (v = map_next(&m, &it)) != NULL; n++) {
		CU_ASSERT(v->in);
		v->in = false;
	}
	CU_ASSERT_EQUAL(n, 100);
	map_done(&m);
}

/*
 * The table in every state that chance leads to: entries that stand away from
 * their place because of others, runs that wrap around the end, and gaps
 * closed in them.
 */
static void
deletion_under_collision_loses_nobody(void)
{
	enum { N = 48 };
	struct entry e[N] = { 0 };
	struct map m = { 0 };
	uint64_t seed = 6;
	int step, i;

	name_entries(e, N);
	for (step = 0; step < 30000; step++) {
		struct entry *x = &e[random_below(&seed, N)];
		size_t n = 0;

		/* Now mostly filling, now mostly emptying. */
		if (random_below(&seed, 10) < (step / 1000 % 2 == 0 ? 6u : 4u)) {
			CU_ASSERT_FATAL(map_put(&m, key_of(x), x));
			x->in = true;
		} else {
			CU_ASSERT_FATAL(map_del(&m, key_of(x)) == (x->in ? x : NULL));
			x->in = false;
		}
		for (i = 0; i < N; i++) {
			CU_ASSERT_FATAL(map_get(&m, key_of(&e[i])) == (e[i].in ? &e[i] : NULL));
			n += e[i].in;
		}
		CU_ASSERT_FATAL(m.n == n);
	}
	CU_ASSERT_EQUAL(m.cap, 64);
	map_done(&m);
}

static void
seed_changes_the_order_not_the_content(void)
{
	struct entry e[32] = { 0 };
	size_t first[32], it, i, moved = 0;
	struct map m = { 0 };
	int round;

	name_entries(e, 32);
	for (round = 0; round < 2; round++) {
		map_seed((uint64_t)round * 0x1234567, 99);
		for (i = 0; i < 32; i++)
			CU_ASSERT(map_put(&m, key_of(&e[i]), &e[i]));
		for (it = 0, i = 0; i < 32; i++) {
			size_t at = (size_t)((struct entry *)map_next(&m, &it) - e);

			if (round == 0)
				first[i] = at;
			else
				moved += first[i] != at;
		}
		map_done(&m);
	}
	CU_ASSERT(moved > 16);
}

const struct unit_test map_tests[] = {
	UNIT(empty_table_has_nothing),
	UNIT(put_replaces_value_and_key),
	UNIT(keys_are_bytes_of_any_length),
	UNIT(next_visits_every_value_once),
	UNIT(deletion_under_collision_loses_nobody),
	UNIT(seed_changes_the_order_not_the_content),
	UNIT_END
};
