/* suites.c -- the tests of clients/libweir. */
#include "unit/unit.h"

extern const struct unit_test error_tests[], producer_tests[];

const struct unit_suite unit_suites[] = {
	{ "error", error_tests },
	{ "producer", producer_tests },
	{ NULL, NULL }
};
