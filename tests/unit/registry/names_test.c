/* names_test.c -- values under names, in order, against a table of flags. */
#include "registry/names.h"

#include <stdio.h>

#include "unit/base/random.h"
#include "unit/unit.h"

enum { N = 4000 };

static char texts[N][8];
static bool there[N];

static struct span
name(size_t i)
{
	snprintf(texts[i], sizeof texts[i], "n%05zu", i);
	return span_of(texts[i], 6);
}

/* All from a name on are met, in order, each once. */
static bool
walks(const struct names *s, size_t from)
{
	names_place at = names_from(s, name(from));
	const struct names_entry *e;

	for (size_t i = from; i < N; i++)
		if (there[i] && ((e = names_next(s, &at)) == NULL || e->value != texts[i] || !span_eq(e->name, name(i))))
			return false;
	return names_next(s, &at) == NULL;
}

static void
walk_meets_all_in_order_whatever_was_put_and_taken(void)
{
	struct names s = { 0 };
	uint64_t state = 1;

	for (int step = 0; step < 30000; step++) {
		size_t i = random_below(&state, N);
		/* It grows to several pieces, and shrinks to none. */
		bool put = random_below(&state, 100) < (step < 15000 ? 70u : 20u);

		if (put && !there[i])
			names_put(&s, name(i), texts[i]);
		else if (!put)
			names_del(&s, name(i));
		there[i] = put;
		if (step % 1000 == 0)
			CU_ASSERT(walks(&s, random_below(&state, N)) && walks(&s, 0));
	}
	CU_ASSERT(walks(&s, 0));
	for (size_t i = 0; i < N; i++) {
		names_del(&s, name(i));
		there[i] = false;
	}
	CU_ASSERT(walks(&s, 0));
	CU_ASSERT_EQUAL(s.n, 0);
	names_done(&s);
}

static void
shorter_names_come_first(void)
{
	static const char *const sorted[] = { "", "a", "a\x01", "aa", "b", "\xc3\xa9" };
	struct names s = { 0 };
	const struct names_entry *e;
	names_place at = 0;

	for (size_t i = 6; i > 0; i--)
		names_put(&s, span_str(sorted[i - 1]), (void *)(uintptr_t)sorted[i - 1]);
	for (size_t i = 0; i < 6; i++)
		CU_ASSERT((e = names_next(&s, &at)) != NULL && e->value == sorted[i]);
	CU_ASSERT_PTR_NULL(names_next(&s, &at));
	at = names_from(&s, span_str("a\x02"));
	CU_ASSERT((e = names_next(&s, &at)) != NULL && e->value == sorted[3]);
	names_done(&s);
}

const struct unit_test names_tests[] = {
	UNIT(walk_meets_all_in_order_whatever_was_put_and_taken),
	UNIT(shorter_names_come_first),
	UNIT_END
};
