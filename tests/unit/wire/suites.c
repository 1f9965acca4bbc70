/* suites.c -- the tests of logd/wire. */
#include "unit/unit.h"

extern const struct unit_test errors_tests[];
extern const struct unit_test golden_tests[];
extern const struct unit_test property_tests[];
extern const struct unit_test text_tests[];
extern const struct unit_test wire_tests[];

const struct unit_suite unit_suites[] = {
	{ "errors", errors_tests },
	{ "golden", golden_tests },
	{ "wire", wire_tests },
	{ "text", text_tests },
	{ "property", property_tests },
	{ NULL, NULL },
};
