/* suites.c -- the suites of tests/unit/coord. */
#include "unit/unit.h"

extern const struct unit_test states_tests[], join_tests[], static_tests[],
    timers_tests[], admin_tests[], bytes_tests[], subscription_tests[],
    pids_tests[], random_tests[], transactions_tests[], assignor_tests[], consumer_tests[],
    expression_tests[];

const struct unit_suite unit_suites[] = {
	{ "states", states_tests },
	{ "join", join_tests },
	{ "static", static_tests },
	{ "timers", timers_tests },
	{ "admin", admin_tests },
	{ "bytes", bytes_tests },
	{ "subscription", subscription_tests },
	{ "pids", pids_tests },
	{ "assignor", assignor_tests },
	{ "expression", expression_tests },
	{ "consumer", consumer_tests },
	{ "random", random_tests },
	{ "transactions", transactions_tests },
	{ NULL, NULL },
};
