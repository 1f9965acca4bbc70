/* suites.c -- the tests of clients/weir. */
#include "unit/unit.h"

extern const struct unit_test diff_tests[], dump_tests[], reasons_tests[], text_tests[], types_tests[];

const struct unit_suite unit_suites[] = {
	{ "diff", diff_tests },
	{ "dump", dump_tests },
	{ "reasons", reasons_tests },
	{ "text", text_tests },
	{ "types", types_tests },
	{ NULL, NULL }
};
