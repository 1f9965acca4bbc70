/*
 * unit.h -- suites as tables, and one main for them.
 *
 * A test file defines `const struct unit_test x_tests[]`, ended by a NULL name;
 * the folder's suites.c lists them in `unit_suites`, ended by a NULL name.  The
 * program's last line is "N passed, N failed".
 */
#ifndef UNIT_H
#define UNIT_H

#include <CUnit/CUnit.h>

struct unit_test {
	const char *name; /* a claim: append_returns_position */
	void (*fn)(void);
};

struct unit_suite {
	const char *name;
	const struct unit_test *tests;
};

extern const struct unit_suite unit_suites[];

/* A line of a suite's table, the name being the function's. */
#define UNIT(fn) { #fn, fn }
#define UNIT_END { NULL, NULL }

/* Compares bytes, and says in the failure which line asked. */
#define UNIT_BYTES(a, an, b, bn) \
	CU_ASSERT((an) == (bn) && memcmp((a), (b), (an)) == 0)

#endif
