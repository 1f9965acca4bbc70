/* suites.c -- the tests of lib/json. */
#include "unit/unit.h"

extern const struct unit_test scan_tests[], texts_tests[], tree_tests[], write_tests[];

const struct unit_suite unit_suites[] = {
	{ "scan", scan_tests },
	{ "texts", texts_tests },
	{ "tree", tree_tests },
	{ "write", write_tests },
	{ NULL, NULL }
};
