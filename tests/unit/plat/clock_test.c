/* clock_test.c -- the reader of clocks. */
#include "plat/clock.h"

#include <time.h>

#include "unit/unit.h"

static void
monotonic_time_never_goes_back(void)
{
	int64_t last = clock_mono_ns();
	int i;

	for (i = 0; i < 10000; i++) {
		int64_t now = clock_mono_ns();

		CU_ASSERT_FATAL(now >= last);
		last = now;
	}
	CU_ASSERT(clock_mono_ms() >= last / 1000000);
}

static void
wall_time_is_the_systems(void)
{
	int64_t before = (int64_t)time(NULL), now = clock_wall_ms() / 1000;

	CU_ASSERT(now >= before && now <= (int64_t)time(NULL) + 1);
}

const struct unit_test clock_tests[] = {
	UNIT(monotonic_time_never_goes_back),
	UNIT(wall_time_is_the_systems),
	UNIT_END
};
