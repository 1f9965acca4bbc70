/* arena_test.c -- memory that ends as a whole, with a cap. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "unit/unit.h"

static void
alloc_gives_zeroed_aligned_memory(void)
{
	struct arena a;
	size_t n;

	arena_init(&a, 1 << 20);
	for (n = 1; n < 3000; n += 7) {
		uint8_t *p = arena_alloc(&a, n);
		size_t i, sum = 0;

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT((uintptr_t)p % alignof(max_align_t) == 0);
		for (i = 0; i < n; i++)
			sum += p[i];
		CU_ASSERT(sum == 0);
		memset(p, 0xff, n);
	}
	arena_done(&a);
}

static void
pieces_do_not_overlap(void)
{
	struct arena a;
	uint8_t *p[500];
	size_t i, k;

	arena_init(&a, SIZE_MAX);
	for (i = 0; i < 500; i++) {
		p[i] = arena_alloc(&a, i + 1);
		CU_ASSERT_PTR_NOT_NULL_FATAL(p[i]);
		memset(p[i], (int)(i & 0xff), i + 1);
	}
	for (i = 0; i < 500; i++)
		for (k = 0; k <= i; k++)
			if (p[i][k] != (uint8_t)i)
				CU_FAIL_FATAL("a piece was overwritten");
	arena_done(&a);
}

static void
cap_is_never_exceeded(void)
{
	struct arena a;

	arena_init(&a, 1000);
	CU_ASSERT_PTR_NULL(arena_alloc(&a, 1001));
	CU_ASSERT_PTR_NULL(arena_alloc(&a, SIZE_MAX));
	CU_ASSERT_PTR_NOT_NULL(arena_alloc(&a, 900));
	CU_ASSERT_PTR_NULL(arena_alloc(&a, 101));
	CU_ASSERT_PTR_NOT_NULL(arena_alloc(&a, 80));
	CU_ASSERT(a.used <= 1000);
	arena_done(&a);
}

static void
many_empty_pieces_reach_the_cap(void)
{
	struct arena a;
	int n = 0;

	arena_init(&a, 1000);
	while (n <= 1000 && arena_alloc(&a, 0) != NULL)
		n++;
	CU_ASSERT(n > 0 && n <= 1000);
	arena_done(&a);
}

static void
array_refuses_a_product_that_overflows(void)
{
	struct arena a;

	arena_init(&a, SIZE_MAX);
	CU_ASSERT_PTR_NULL(arena_array(&a, SIZE_MAX / 2 + 1, 2));
	CU_ASSERT_PTR_NULL(arena_array(&a, (size_t)1 << 33, (size_t)1 << 33));
	CU_ASSERT_PTR_NOT_NULL(arena_array(&a, 10, 8));
	CU_ASSERT_PTR_NOT_NULL(arena_array(&a, 10, 0));
	arena_done(&a);
}

static void
copy_and_printf_give_what_was_asked(void)
{
	struct arena a;
	char *s;

	arena_init(&a, 100);
	s = arena_copy(&a, "weir", 5);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_STRING_EQUAL(s, "weir");
	CU_ASSERT_PTR_NOT_NULL(arena_copy(&a, NULL, 0));
	s = arena_printf(&a, "%s-%d", "orders", 12);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_STRING_EQUAL(s, "orders-12");
	CU_ASSERT_PTR_NULL(arena_printf(&a, "%200d", 1));
	arena_done(&a);
}

static void
done_makes_it_usable_anew(void)
{
	struct arena a;

	arena_init(&a, 64);
	CU_ASSERT_PTR_NOT_NULL(arena_alloc(&a, 64));
	CU_ASSERT_PTR_NULL(arena_alloc(&a, 1));
	arena_done(&a);
	CU_ASSERT_PTR_NOT_NULL(arena_alloc(&a, 64));
	arena_done(&a);
	arena_done(&a);
}

/* What one arena has used fits another of that size, which takes no more memory than that. */
static void
memory_is_taken_for_the_cap_at_most(void)
{
	struct arena loose, tight;

	arena_init(&loose, 1 << 20);
	for (size_t n = 1; n < 60; n++)
		CU_ASSERT_PTR_NOT_NULL_FATAL(arena_alloc(&loose, n));
	arena_init(&tight, loose.used);
	for (size_t n = 1; n < 60; n++) {
		CU_ASSERT_PTR_NOT_NULL_FATAL(arena_alloc(&tight, n));
		CU_ASSERT((size_t)(tight.end - tight.at) <= tight.cap - tight.used);
	}
	CU_ASSERT_EQUAL(tight.used, tight.cap);
	CU_ASSERT_PTR_NULL(arena_alloc(&tight, 1));
	arena_done(&loose);
	arena_done(&tight);
}

const struct unit_test arena_tests[] = {
	UNIT(alloc_gives_zeroed_aligned_memory),
	UNIT(pieces_do_not_overlap),
	UNIT(cap_is_never_exceeded),
	UNIT(many_empty_pieces_reach_the_cap),
	UNIT(array_refuses_a_product_that_overflows),
	UNIT(copy_and_printf_give_what_was_asked),
	UNIT(memory_is_taken_for_the_cap_at_most),
	UNIT(done_makes_it_usable_anew),
	UNIT_END
};
