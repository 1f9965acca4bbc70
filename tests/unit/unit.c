/* unit.c -- the main of every unit test program. */
#include "unit/unit.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One argument: run only the tests whose name contains it. */
int
main(int argc, char **argv)
{
	const struct unit_suite *s;
	const struct unit_test *t;
	unsigned failed, run;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	for (s = unit_suites; s->name != NULL; s++) {
		CU_pSuite suite = CU_add_suite(s->name, NULL, NULL);

		for (t = s->tests; t->name != NULL; t++)
			if (argc < 2 || strstr(t->name, argv[1]) != NULL)
				if (CU_add_test(suite, t->name, t->fn) == NULL)
					return 2;
	}
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	run = CU_get_number_of_tests_run();
	failed = CU_get_number_of_tests_failed();
	CU_cleanup_registry();
	printf("%u passed, %u failed\n", run - failed, failed);
	return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
