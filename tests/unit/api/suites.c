/* suites.c -- the tests of what requests are made of, and of what they are answered. */
#include "unit/unit.h"

extern const struct unit_test fetch_tests[], fetch_sessions_tests[], request_tests[], txn_offsets_tests[];

const struct unit_suite unit_suites[] = {
	{ "fetch", fetch_tests },
	{ "fetch_sessions", fetch_sessions_tests },
	{ "request", request_tests },
	{ "txn_offsets", txn_offsets_tests },
	{ NULL, NULL },
};
