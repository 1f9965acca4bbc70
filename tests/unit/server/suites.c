/* suites.c -- the tests of configuration. */
#include "unit/unit.h"

extern const struct unit_test config_tests[];
extern const struct unit_test listeners_tests[];
extern const struct unit_test topic_config_tests[];

const struct unit_suite unit_suites[] = {
	{ "topic_config", topic_config_tests },
	{ "listeners", listeners_tests },
	{ "config", config_tests },
	{ NULL, NULL },
};
