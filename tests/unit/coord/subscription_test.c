/* subscription_test.c -- topics in metadata, also in hostile metadata. */
#include "coord/subscription.h"
#include "unit/unit.h"

static void
topics_are_found_in_order(void)
{
	struct span topics, name;

	CU_ASSERT(subscription_topics(span_of("\0\3\0\0\0\2\0\1a\0\2bcREST", 17),
	    &topics));
	CU_ASSERT(subscription_next(&topics, &name) && span_is(name, "a"));
	CU_ASSERT(subscription_next(&topics, &name) && span_is(name, "bc"));
	CU_ASSERT(!subscription_next(&topics, &name));
}

static void
no_topics_are_a_subscription(void)
{
	struct span topics;

	CU_ASSERT(subscription_topics(span_of("\0\0\0\0\0\0", 6), &topics));
	CU_ASSERT(topics.n == 0);
}

static void
every_shorter_form_is_refused(void)
{
	static const char full[] = "\0\1\0\0\0\2\0\1a\0\2bc";
	struct span topics;
	size_t n;

	CU_ASSERT(subscription_topics(span_of(full, 13), &topics));
	for (n = 0; n < 13; n++)
		CU_ASSERT(!subscription_topics(span_of(full, n), &topics));
	CU_ASSERT(!subscription_topics(span_of(NULL, 0), &topics));
}

static void
impossible_numbers_are_refused(void)
{
	struct span topics;

	/* A negative version, count, length; a count of two thousand million. */
	CU_ASSERT(!subscription_topics(span_of("\377\377\0\0\0\0", 6), &topics));
	CU_ASSERT(!subscription_topics(span_of("\0\0\377\377\377\377", 6), &topics));
	CU_ASSERT(!subscription_topics(span_of("\0\0\0\0\0\1\377\377", 8), &topics));
	CU_ASSERT(!subscription_topics(span_of("\0\0\177\377\377\377\0\0", 8), &topics));
}

static void
same_means_the_same_topics(void)
{
	struct span a = span_of("\0\1\0\0\0\1\0\1aUSER", 13);
	struct span b = span_of("\0\3\0\0\0\1\0\1aother", 14);
	struct span c = span_of("\0\1\0\0\0\1\0\1b", 9);
	struct span bad = span_of("\0\1", 2);

	CU_ASSERT(subscription_same(a, b) && !subscription_same(a, c));
	CU_ASSERT(subscription_same(bad, bad) && !subscription_same(bad, a));
}

const struct unit_test subscription_tests[] = {
	UNIT(topics_are_found_in_order),
	UNIT(no_topics_are_a_subscription),
	UNIT(every_shorter_form_is_refused),
	UNIT(impossible_numbers_are_refused),
	UNIT(same_means_the_same_topics),
	UNIT_END
};
