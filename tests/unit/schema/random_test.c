/* random_test.c -- what holds for every Avro schema. */
#include <stdio.h>
#include <stdlib.h>

#include "unit/schema/help.h"
#include "unit/schema/random_schema.h"
#include "unit/unit.h"

enum { ROUNDS = 2000 };

/* The schema of a text by chance. */
static struct avro_schema *
make(uint64_t seed, uint64_t layout, bool mix_props, int tweak)
{
	struct random_schema what = { seed, layout, mix_props, tweak };
	struct buf text = { 0 };
	struct avro_schema *s;

	random_schema(&what, &text);
	s = help_avro((char *)text.p);
	buf_done(&text);
	return s;
}

static void
printing_comes_to_rest_in_each_form(void)
{
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct avro_schema *s = make(seed, seed, false, -1);

		for (enum avro_form form = AVRO_TEXT; form <= AVRO_CANONICAL; form++) {
			char *first = help_print(s, form), *second;
			struct avro_schema *again = help_avro(first);

			second = help_print(again, form);
			CU_ASSERT_FATAL(help_same(second, first));
			CU_ASSERT(form > AVRO_RESOLVED || avro_equal(s, again));
			free(first);
			free(second);
			avro_free(again);
		}
		avro_free(s);
	}
}

static void
text_does_not_depend_on_layout(void)
{
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct avro_schema *a = make(seed, 1, false, -1), *b = make(seed, 2, false, -1);
		char *x = help_print(a, AVRO_TEXT), *y = help_print(b, AVRO_TEXT);

		CU_ASSERT_FATAL(help_same(x, y));
		free(x);
		free(y);
		avro_free(a);
		avro_free(b);
	}
}

static void
order_of_properties_matters_to_the_text_only(void)
{
	int differ = 0;

	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct avro_schema *a = make(seed, 1, true, -1), *b = make(seed, 2, true, -1);
		char *x = help_print(a, AVRO_TEXT), *y = help_print(b, AVRO_TEXT);

		differ += strcmp(x, y) != 0;
		free(x);
		free(y);
		CU_ASSERT_FATAL(avro_equal(a, b) && avro_equal(a, a));
		x = help_print(a, AVRO_NORMALIZED);
		y = help_print(b, AVRO_NORMALIZED);
		CU_ASSERT_FATAL(help_same(x, y));
		free(x);
		free(y);
		avro_free(a);
		avro_free(b);
	}
	CU_ASSERT(differ > ROUNDS / 10);
}

static void
any_other_value_makes_it_another_schema(void)
{
	int compared = 0;

	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct random_schema what = { .seed = seed, .tweak = -1 };
		struct avro_schema *a = make(seed, 0, false, -1);
		struct buf text = { 0 };
		int values = random_schema(&what, &text);

		for (int tweak = 0; tweak < values && tweak < 20; tweak++) {
			struct avro_schema *b = make(seed, 0, false, tweak);

			CU_ASSERT_FATAL(!avro_equal(a, b) && !avro_equal(b, a));
			avro_free(b);
			compared++;
		}
		buf_done(&text);
		avro_free(a);
	}
	CU_ASSERT(compared > ROUNDS);
}

static void
every_schema_reads_what_it_wrote(void)
{
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct avro_schema *a = make(seed, 0, false, -1), *b = make(seed, 1, false, -1);
		struct avro_conflicts conflicts;
		struct arena arena;

		arena_init(&arena, 1 << 22);
		CU_ASSERT_FATAL(avro_can_read(a, a, &arena, &conflicts));
		CU_ASSERT_FATAL(avro_can_read(a, b, &arena, &conflicts));
		arena_done(&arena);
		avro_free(a);
		avro_free(b);
	}
}

static void
pairs_are_compared_to_an_end(void)
{
	int readable = 0;

	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct avro_schema *a = make(seed, 0, false, -1), *b = make(seed + 1, 0, false, -1);
		struct avro_conflicts conflicts;
		struct arena arena;

		arena_init(&arena, 1 << 22);
		if (avro_can_read(a, b, &arena, &conflicts))
			readable++;
		else
			CU_ASSERT_FATAL(conflicts.n > 0 && conflicts.list[0].location[0] == '/');
		CU_ASSERT_FATAL(!avro_equal(a, b) || readable > 0);
		arena_done(&arena);
		avro_free(a);
		avro_free(b);
	}
	CU_ASSERT(readable > 0 && readable < ROUNDS / 2);
}

const struct unit_test random_tests[] = {
	UNIT(printing_comes_to_rest_in_each_form),
	UNIT(text_does_not_depend_on_layout),
	UNIT(order_of_properties_matters_to_the_text_only),
	UNIT(any_other_value_makes_it_another_schema),
	UNIT(every_schema_reads_what_it_wrote),
	UNIT(pairs_are_compared_to_an_end),
	UNIT_END
};
