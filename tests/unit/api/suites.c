/* suites.c -- the tests of what requests are made of. */
#include "unit/unit.h"

extern const struct unit_test fetch_sessions_tests[];
extern const struct unit_test request_tests[];

const struct unit_suite unit_suites[] = {
	{ "fetch_sessions", fetch_sessions_tests },
	{ "request", request_tests },
	{ NULL, NULL },
};
