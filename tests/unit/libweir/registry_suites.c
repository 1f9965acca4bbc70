/* registry_suites.c -- the tests of the registry client of clients/libweir. */
#include "unit/unit.h"

extern const struct unit_test registry_tests[];

const struct unit_suite unit_suites[] = {
	{ "registry", registry_tests },
	{ NULL, NULL }
};
