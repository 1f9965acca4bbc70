/* suites.c -- the tests of lib/schema. */
#include "unit/unit.h"

extern const struct unit_test compat_tests[], corpus_tests[], equal_tests[], fingerprint_tests[], entity_tests[], level_tests[],
    parse_tests[], print_tests[], property_tests[], random_tests[];

const struct unit_suite unit_suites[] = {
	{ "parse", parse_tests },
	{ "print", print_tests },
	{ "fingerprint", fingerprint_tests },
	{ "equal", equal_tests },
	{ "entity", entity_tests },
	{ "compat", compat_tests },
	{ "level", level_tests },
	{ "random", random_tests },
	{ "property", property_tests },
	{ "corpus", corpus_tests },
	{ NULL, NULL }
};
