/* request_test.c -- the memory of a request. */
#include "api/request.h"

#include <string.h>

#include "unit/unit.h"

enum { CAP = 4096 };

static void
memory_within_the_cap_leaves_the_answer_as_it_is(void)
{
	struct request r = { .refs = 1 };

	arena_init(&r.arena, CAP);
	CU_ASSERT_PTR_NOT_NULL(request_array(&r, CAP / 2, 1));
	CU_ASSERT_PTR_NOT_NULL(request_alloc(&r, CAP / 2));
	CU_ASSERT_FALSE(r.full);
	arena_done(&r.arena);
}

/* However a client drives it there: the handler goes on, and the sending refuses. */
static void
memory_beyond_the_cap_is_given_and_marked(void)
{
	struct request r = { .refs = 1 };
	struct span copy;
	uint8_t *p;

	arena_init(&r.arena, CAP);
	p = request_array(&r, CAP, 100);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_TRUE(r.full);
	CU_ASSERT_EQUAL(p[CAP * 100 - 1], 0);
	memset(p, 1, CAP * 100);
	copy = request_copy(&r, span_of(p, CAP * 100));
	CU_ASSERT_TRUE(span_eq(copy, span_of(p, CAP * 100)));
	CU_ASSERT_TRUE(span_is(request_printf(&r, "%d", 7), "7"));
	arena_done(&r.arena);
}

const struct unit_test request_tests[] = {
	UNIT(memory_within_the_cap_leaves_the_answer_as_it_is),
	UNIT(memory_beyond_the_cap_is_given_and_marked),
	UNIT_END,
};
