/* heap_test.c -- what comes due first. */
#include "base/heap.h"

#include "unit/base/random.h"
#include "unit/unit.h"

static void
least_key_comes_first(void)
{
	struct heap h = { 0 };
	struct heap_node node[200] = { 0 };
	uint64_t seed = 4;
	int64_t last = INT64_MIN;
	int i;

	for (i = 0; i < 200; i++)
		CU_ASSERT(heap_put(&h, &node[i], (int64_t)random_below(&seed, 50) - 25));
	for (i = 0; i < 200; i++) {
		struct heap_node *first = heap_min(&h);

		CU_ASSERT_PTR_NOT_NULL_FATAL(first);
		CU_ASSERT(first->key >= last);
		last = first->key;
		heap_del(&h, first);
		CU_ASSERT_EQUAL(first->at, 0);
	}
	CU_ASSERT_PTR_NULL(heap_min(&h));
	heap_done(&h);
}

static void
put_moves_a_node_that_is_in(void)
{
	struct heap h = { 0 };
	struct heap_node a = { 0 }, b = { 0 };

	heap_put(&h, &a, 1);
	heap_put(&h, &b, 2);
	CU_ASSERT_PTR_EQUAL(heap_min(&h), &a);
	heap_put(&h, &a, 3);
	CU_ASSERT_PTR_EQUAL(heap_min(&h), &b);
	CU_ASSERT_EQUAL(h.n, 2);
	heap_done(&h);
}

static void
del_of_a_node_that_is_in_none_does_nothing(void)
{
	struct heap h = { 0 };
	struct heap_node a = { 0 }, b = { 0 };

	heap_del(&h, &a);
	heap_put(&h, &a, 1);
	heap_del(&h, &b);
	CU_ASSERT_PTR_EQUAL(heap_min(&h), &a);
	heap_done(&h);
}

/* Any sequence of put, move and del against a plain search. */
static void
random_changes_keep_the_least_first(void)
{
	enum { N = 64 };
	struct heap h = { 0 };
	struct heap_node node[N] = { 0 };
	uint64_t seed = 5;
	int step, i;

	for (step = 0; step < 20000; step++) {
		struct heap_node *n = &node[random_below(&seed, N)], *least = NULL;

		if (random_below(&seed, 3) == 0)
			heap_del(&h, n);
		else
			heap_put(&h, n, (int64_t)random_below(&seed, 1000));
		for (i = 0; i < N; i++)
			if (node[i].at != 0 && (least == NULL || node[i].key < least->key))
				least = &node[i];
		if (least == NULL ? heap_min(&h) != NULL :
		    heap_min(&h) == NULL || heap_min(&h)->key != least->key)
			CU_FAIL_FATAL("not the least");
	}
	heap_done(&h);
}

const struct unit_test heap_tests[] = {
	UNIT(least_key_comes_first),
	UNIT(put_moves_a_node_that_is_in),
	UNIT(del_of_a_node_that_is_in_none_does_nothing),
	UNIT(random_changes_keep_the_least_first),
	UNIT_END
};
