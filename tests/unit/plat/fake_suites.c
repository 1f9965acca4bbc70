/* fake_suites.c -- the tests of what takes the place of logd/plat in tests. */
#include "unit/unit.h"

extern const struct unit_test fake_worker_tests[];

const struct unit_suite unit_suites[] = {
	{ "fake_worker", fake_worker_tests },
	{ NULL, NULL }
};
