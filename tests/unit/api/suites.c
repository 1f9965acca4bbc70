/* suites.c -- the tests of what requests are made of. */
#include "unit/unit.h"

extern const struct unit_test request_tests[];

const struct unit_suite unit_suites[] = {
	{ "request", request_tests },
	{ NULL, NULL },
};
