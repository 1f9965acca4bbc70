/* suites.c -- the tests of lib/base. */
#include "unit/unit.h"

extern const struct unit_test arena_tests[], base64_tests[], buf_tests[], bytes_tests[],
    command_line_tests[], crc32c_tests[], diag_tests[], gather_tests[], heap_tests[], list_tests[], map_tests[],
    pattern_tests[], properties_tests[], setting_tests[], uuid_tests[];

const struct unit_suite unit_suites[] = {
	{ "arena", arena_tests },
	{ "base64", base64_tests },
	{ "buf", buf_tests },
	{ "bytes", bytes_tests },
	{ "command_line", command_line_tests },
	{ "crc32c", crc32c_tests },
	{ "diag", diag_tests },
	{ "gather", gather_tests },
	{ "heap", heap_tests },
	{ "list", list_tests },
	{ "map", map_tests },
	{ "pattern", pattern_tests },
	{ "properties", properties_tests },
	{ "setting", setting_tests },
	{ "uuid", uuid_tests },
	{ NULL, NULL }
};
