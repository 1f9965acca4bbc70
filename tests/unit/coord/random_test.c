/* random_test.c -- thousands of random lives of groups. */
#include "unit/coord/drive.h"
#include "unit/coord/fixture.h"

#include <string.h>

static uint64_t
next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void
invariants_hold_for_many_seeds(void)
{
	enum { SEEDS = 5000, BYTES = 1200 };
	uint8_t bytes[BYTES];
	uint64_t seed, x;
	size_t i;

	for (seed = 1; seed <= SEEDS; seed++) {
		x = seed * 0x9e3779b97f4a7c15;
		for (i = 0; i < BYTES; i++)
			bytes[i] = (uint8_t)(next_random(&x) >> 32);
		drive(bytes, BYTES);
	}
	CU_ASSERT(seed == SEEDS + 1);
}

static void
requests_that_wait_at_the_end_are_dropped(void)
{
	struct group_effect e;

	start(MS_DELAY, INT32_MAX);
	completing(2);
	sync(1, ids[1], NULL, 1, NULL);
	JOIN(2, .group = "h");
	JOIN(3, .v4 = true);
	WAITS(1);
	WAITS(2);
	CU_ASSERT(!groups_next_effect(groups, &e));
	stop();
	groups_free(NULL);
}

const struct unit_test random_tests[] = {
	UNIT(invariants_hold_for_many_seeds),
	UNIT(requests_that_wait_at_the_end_are_dropped),
	UNIT_END
};
