/* suites.c -- the tests of clients/libweir. */
#include "unit/unit.h"

extern const struct unit_test error_tests[];

const struct unit_suite unit_suites[] = {
	{ "error", error_tests },
	{ NULL, NULL }
};
