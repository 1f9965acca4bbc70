/* suites.c -- the tests of logd/plat. */
#include "unit/unit.h"

extern const struct unit_test clock_tests[], file_tests[], poller_tests[], worker_tests[];

const struct unit_suite unit_suites[] = {
	{ "clock", clock_tests },
	{ "file", file_tests },
	{ "poller", poller_tests },
	{ "worker", worker_tests },
	{ NULL, NULL }
};
