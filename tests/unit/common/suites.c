/* suites.c -- the tests of fcgi-apps/common. */
#include "unit/unit.h"

extern const struct unit_test ahead_tests[], counts_tests[], http_tests[], listen_tests[], problem_tests[], router_tests[];

const struct unit_suite unit_suites[] = {
	{ "ahead", ahead_tests },
	{ "counts", counts_tests },
	{ "http", http_tests },
	{ "listen", listen_tests },
	{ "problem", problem_tests },
	{ "router", router_tests },
	{ NULL, NULL }
};
