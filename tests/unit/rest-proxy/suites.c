/* suites.c -- the tests of fcgi-apps/rest-proxy. */
#include "unit/unit.h"

extern const struct unit_test format_tests[], timestamp_tests[], v3_record_tests[];

const struct unit_suite unit_suites[] = {
	{ "format", format_tests },
	{ "timestamp", timestamp_tests },
	{ "v3_record", v3_record_tests },
	{ NULL, NULL }
};
