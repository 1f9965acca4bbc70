/* corpus_test.c -- what holds for every Avro schema, of those that projects ship. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/schema/corpus.h"
#include "unit/schema/help.h"
#include "unit/schema/mutate.h"
#include "unit/schema/relayout.h"
#include "unit/unit.h"

enum { LAYOUTS = 3, MUTANTS = 3 };

/* As one that was accepted before: some have names or defaults that a new one may not have. */
static struct avro_schema *
parse(struct span text)
{
	struct avro_mistake why;
	struct avro_schema *s = avro_parse(text, AVRO_STORED, NULL, 0, &why);

	if (s == NULL) {
		printf("\n  %.*s\n  is refused: %s\n", (int)text.n, (const char *)text.p, why.text);
		CU_FAIL_FATAL("no schema");
	}
	return s;
}

/* In full, the name of a type without a namespace is another one where it stands inside of one that has one. */
static bool
can_be_spelled(const struct avro_schema *s)
{
	char *text = help_print(s, AVRO_RESOLVED);
	bool can = strstr(text, "\"namespace\":\"\"") == NULL;

	free(text);
	return can;
}

static void
check_printing(const char *path, struct span text, void *user)
{
	struct avro_schema *s = parse(text);
	enum avro_form last = can_be_spelled(s) ? AVRO_CANONICAL : AVRO_RESOLVED;

	(void)path;
	(void)user;
	for (enum avro_form form = AVRO_TEXT; form <= last; form++) {
		char *first = help_print(s, form), *second;
		struct avro_schema *again = parse(span_str(first));

		second = help_print(again, form);
		CU_ASSERT_FATAL(help_same(second, first));
		CU_ASSERT(form > AVRO_RESOLVED || avro_equal(s, again));
		free(first);
		free(second);
		avro_free(again);
	}
	avro_free(s);
}

static void
printing_comes_to_rest_in_each_form(void)
{
	corpus_each(check_printing, NULL);
}

/* The schema of the text in another layout. */
static struct avro_schema *
parse_other(struct span text, uint64_t seed, bool mix)
{
	struct buf other = { 0 };
	struct avro_schema *s;

	relayout(text, seed, mix, &other);
	s = parse(span_of(other.p, other.n - 1));
	buf_done(&other);
	return s;
}

/* That both print the same in the form. */
static void
check_same(const struct avro_schema *a, const struct avro_schema *b, enum avro_form form)
{
	char *x = help_print(a, form), *y = help_print(b, form);

	CU_ASSERT_FATAL(help_same(x, y));
	free(x);
	free(y);
}

static void
check_layouts(const char *path, struct span text, void *user)
{
	struct avro_schema *s = parse(text);

	(void)path;
	(void)user;
	for (uint64_t seed = 0; seed < LAYOUTS; seed++) {
		struct avro_schema *other = parse_other(text, seed, false);
		uint64_t x, y = 0;

		CU_ASSERT_FATAL(avro_equal(s, other));
		check_same(s, other, AVRO_TEXT);
		CU_ASSERT_FATAL(avro_fingerprint_rabin(s, &x) && avro_fingerprint_rabin(other, &y));
		CU_ASSERT_EQUAL_FATAL(x, y);
		avro_free(other);
	}
	avro_free(s);
}

static void
text_does_not_depend_on_layout(void)
{
	corpus_each(check_layouts, NULL);
}

static void
check_mixed(const char *path, struct span text, void *user)
{
	struct avro_schema *s = parse(text);
	int *differ = user;

	(void)path;
	for (uint64_t seed = 0; seed < LAYOUTS; seed++) {
		struct avro_schema *other = parse_other(text, seed, true);
		char *x = help_print(s, AVRO_TEXT), *y = help_print(other, AVRO_TEXT);

		*differ += strcmp(x, y) != 0;
		free(x);
		free(y);
		CU_ASSERT_FATAL(avro_equal(s, other) && avro_equal(other, s));
		check_same(s, other, AVRO_NORMALIZED);
		avro_free(other);
	}
	avro_free(s);
}

static void
order_of_properties_matters_to_the_text_only(void)
{
	int differ = 0, n = corpus_each(check_mixed, &differ);

	CU_ASSERT(differ > n / 10);
}

/* What is told of the two, as text. */
static char *
compare(const struct avro_schema *reader, const struct avro_schema *writer)
{
	struct avro_conflicts c;
	struct buf told = { 0 };
	struct arena a;

	arena_init(&a, 1 << 24);
	buf_printf(&told, "%d", avro_can_read(reader, writer, &a, &c));
	buf_span(&told, span_str(c.broken != NULL ? c.broken : ""));
	for (size_t i = 0; i < c.n; i++)
		buf_printf(&told, " %d %s @%s", (int)c.list[i].kind, c.list[i].message, c.list[i].location);
	buf_u8(&told, '\0');
	CU_ASSERT_FATAL(!told.failed);
	arena_done(&a);
	return (char *)told.p;
}

static void
check_same_verdict(const struct avro_schema *reader, const struct avro_schema *writer,
    const struct avro_schema *reader2, const struct avro_schema *writer2)
{
	char *x = compare(reader, writer), *y = compare(reader2, writer2);

	CU_ASSERT_FATAL(help_same(x, y));
	free(x);
	free(y);
}

static void
check_verdicts(const char *path, struct span text, void *user)
{
	struct avro_schema *s = parse(text), *same = parse_other(text, 1, true);
	char *x = compare(s, same);

	(void)path;
	(void)user;
	/* In one of them an alias of a field is the name of another, which Java takes for no good. */
	CU_ASSERT(strstr(x, " matches multiple fields ") != NULL || help_same(x, "1"));
	free(x);
	for (uint64_t seed = 0; seed < MUTANTS; seed++) {
		struct buf changed = { 0 };
		struct avro_schema *other;

		if (mutate(s, seed, &changed)) {
			other = parse(span_of(changed.p, changed.n - 1));
			check_same_verdict(s, other, same, other);
			check_same_verdict(other, s, other, same);
			avro_free(other);
		}
		buf_done(&changed);
	}
	avro_free(same);
	avro_free(s);
}

static void
what_is_equal_gets_the_same_verdicts(void)
{
	corpus_each(check_verdicts, NULL);
}

const struct unit_test corpus_tests[] = {
	UNIT(printing_comes_to_rest_in_each_form),
	UNIT(text_does_not_depend_on_layout),
	UNIT(order_of_properties_matters_to_the_text_only),
	UNIT(what_is_equal_gets_the_same_verdicts),
	UNIT_END
};
