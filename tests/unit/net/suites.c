/* suites.c -- the tests of logd/net. */
#include "unit/unit.h"

extern const struct unit_test answer_tests[], end_tests[], frame_tests[], limit_tests[],
    loop_tests[], memory_tests[], pause_tests[], soak_tests[];

const struct unit_suite unit_suites[] = {
	{ "loop", loop_tests },
	{ "frames", frame_tests },
	{ "answers", answer_tests },
	{ "pauses", pause_tests },
	{ "limits", limit_tests },
	{ "memory", memory_tests },
	{ "ends", end_tests },
	{ "soak", soak_tests },
	{ NULL, NULL }
};
