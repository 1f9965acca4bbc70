/* help.c -- what the tests of schemas share. */
#include "unit/schema/help.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/unit.h"

static struct avro_schema *
parse(const char *text, struct avro_schema *const refs[], size_t n_refs)
{
	struct avro_mistake why;
	struct avro_schema *s = avro_parse(span_str(text), AVRO_STRICT, refs, n_refs, &why);

	if (s == NULL) {
		printf("\n  %s\n  is refused: %s\n", text, why.text);
		CU_FAIL_FATAL("no schema");
	}
	return s;
}

struct avro_schema *
help_avro(const char *text)
{
	return parse(text, NULL, 0);
}

struct avro_schema *
help_avro_with(const char *text, struct avro_schema *ref)
{
	return parse(text, &ref, 1);
}

const char *
help_mistake(const char *text, enum avro_strictness strictness)
{
	static struct avro_mistake why;
	struct avro_schema *s = avro_parse(span_str(text), strictness, NULL, 0, &why);

	if (s != NULL)
		why = (struct avro_mistake){ .text = "" };
	CU_ASSERT(!why.memory);
	avro_free(s);
	return why.text;
}

char *
help_print(const struct avro_schema *s, enum avro_form form)
{
	struct buf text = { 0 };

	avro_print(s, form, &text);
	buf_u8(&text, '\0');
	CU_ASSERT_FATAL(!text.failed);
	return (char *)text.p;
}

bool
help_same(const char *got, const char *expected)
{
	if (strcmp(got, expected) == 0)
		return true;
	printf("\n  got      %s\n  expected %s\n", got, expected);
	return false;
}

bool
help_prints(const char *text, enum avro_form form, const char *expected)
{
	struct avro_schema *s = help_avro(text);
	char *got = help_print(s, form);
	bool same = help_same(got, expected);

	free(got);
	avro_free(s);
	return same;
}
