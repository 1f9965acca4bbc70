/* suites.c -- the tests of the registry's state machine. */
#include "unit/unit.h"

extern const struct unit_test record_tests[], names_tests[], state_tests[], query_tests[], register_tests[],
    delete_tests[], extras_tests[], settings_tests[], assoc_tests[], check_tests[], fingerprint_tests[], mend_tests[],
    share_tests[], looks_tests[], turns_tests[], random_tests[];

const struct unit_suite unit_suites[] = {
	{ "record", record_tests },
	{ "names", names_tests },
	{ "state", state_tests },
	{ "query", query_tests },
	{ "register", register_tests },
	{ "delete", delete_tests },
	{ "extras", extras_tests },
	{ "settings", settings_tests },
	{ "assoc", assoc_tests },
	{ "check", check_tests },
	{ "fingerprint", fingerprint_tests },
	{ "mend", mend_tests },
	{ "share", share_tests },
	{ "looks", looks_tests },
	{ "turns", turns_tests },
	{ "random", random_tests },
	{ NULL, NULL }
};
