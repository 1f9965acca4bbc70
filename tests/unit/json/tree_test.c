/* tree_test.c -- a JSON text as a tree, and back. */
#include "json/tree.h"

#include <stdio.h>
#include <stdlib.h>

#include "json/write.h"
#include "unit/base/random.h"
#include "unit/unit.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

static struct arena arena;
static struct json_mistake why;

/* The tree of a text that is JSON. */
static struct json *
parse(struct span text)
{
	struct json *j;

	arena_done(&arena);
	arena_init(&arena, 64 << 20);
	j = json_parse(&arena, text, &why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	return j;
}

static void
prints(const char *text, const char *expected)
{
	struct buf b = { 0 };

	json_print(&b, parse(span_str(text)));
	if (!span_is(buf_bytes(&b), expected)) {
		printf("\n%s\n prints as %.*s\n and not   %s\n", text, (int)b.n, (char *)b.p, expected);
		CU_FAIL("a tree prints differently");
	}
	buf_done(&b);
	arena_done(&arena);
}

static void
values_have_kind_text_and_order(void)
{
	struct json *j = parse(span_str("{\"b\":[1,\"x\",null],\"a\":{\"t\":true},\"\":false}"));

	CU_ASSERT(j->kind == JSON_OBJECT && j->n == 3 && j->name.p == NULL && j->next == NULL);
	CU_ASSERT(span_is(j->first->name, "b") && j->first->kind == JSON_ARRAY && j->first->n == 3);
	CU_ASSERT(j->first->first->kind == JSON_NUMBER && span_is(j->first->first->text, "1"));
	CU_ASSERT(j->first->first->name.p == NULL);
	CU_ASSERT(json_is_text(j->first->first->next, "x"));
	CU_ASSERT(json_is_kind(j->first->first->next->next, JSON_NULL));
	CU_ASSERT_PTR_NULL(j->first->first->next->next->next);
	CU_ASSERT(span_is(j->first->next->name, "a"));
	CU_ASSERT(json_is_kind(json_get(j->first->next, "t"), JSON_TRUE));
	CU_ASSERT(json_is_kind(json_get(j, ""), JSON_FALSE));
	CU_ASSERT_PTR_NULL(json_get(j, "")->next);
	arena_done(&arena);
}

static void
questions_about_nothing_have_answers(void)
{
	struct json *j = parse(span_str("[\"a\",{\"n\":\"1\"}]"));
	int64_t v;

	CU_ASSERT_PTR_NULL(json_get(NULL, "a"));
	CU_ASSERT_PTR_NULL(json_get(j, "a"));
	CU_ASSERT_PTR_NULL(json_get(j->first, "a"));
	CU_ASSERT_PTR_NULL(json_get(j->first->next, "a"));
	CU_ASSERT_FALSE(json_is_kind(NULL, JSON_NULL));
	CU_ASSERT_FALSE(json_is_text(NULL, "a") || json_is_text(j, "a") || json_is_text(j->first, "ab"));
	CU_ASSERT_FALSE(json_is_int(NULL, &v) || json_is_int(json_get(j->first->next, "n"), &v));
	arena_done(&arena);
}

static void
ints_are_seen(void)
{
	int64_t v = 0;

	CU_ASSERT(json_is_int(parse(span_str("-9223372036854775808")), &v) && v == INT64_MIN);
	CU_ASSERT_FALSE(json_is_int(parse(span_str("1.0")), &v));
	arena_done(&arena);
}

static void
escapes_are_taken_out(void)
{
	struct json *j = parse(span_str("{\"\\u0061\\n\":\"\\ud83d\\ude00\\\"\"}"));

	CU_ASSERT_TRUE(json_is_text(json_get(j, "a\n"), "\xf0\x9f\x98\x80\""));
	arena_done(&arena);
}

static void
prints_as_jackson_does(void)
{
	static const char *const rows[][2] = {
		{ " [ ] ", "[]" },
		{ "{ \"b\" : 1 , \"a\" : [ true , null ] }", "{\"b\":1,\"a\":[true,null]}" },
		{ "\"\\u00e9\\/\\u001f\\u2028 \x7f\"", "\"\xc3\xa9/\\u001F\xe2\x80\xa8 \x7f\"" },
		{ "\"\\b\\f\\n\\r\\t\\\"\\\\\\u0000\"", "\"\\b\\f\\n\\r\\t\\\"\\\\\\u0000\"" },
		{ "{\"\\u0022\":\"\"}", "{\"\\\"\":\"\"}" },
		{ "[0,-0,-1,123456789012345678901234567890]", "[0,0,-1,123456789012345678901234567890]" },
		{ "[1.0,1.50,1e2,-0.0,1E-4,100.00e-1]", "[1.0,1.5,100.0,-0.0,1.0E-4,10.0]" },
		{ "[1e999,-1e999,1e-999]", "[\"Infinity\",\"-Infinity\",0.0]" },
		{ "[0.1234567890123456789]", "[0.12345678901234568]" },
		{ "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}" },
		{ "{\"a\":{\"x\":1},\"b\":2,\"\\u0061\":[]}", "{\"a\":[],\"b\":2}" },
		{ "{\"a\":[1],\"a\":\"s\",\"a\":{\"c\":1,\"c\":2}}", "{\"a\":{\"c\":2}}" }
	};

	for (size_t i = 0; i < N_OF(rows); i++)
		prints(rows[i][0], rows[i][1]);
}

/* Objects of n names, each written twice; on both sides of where a table takes over. */
static void
the_last_value_takes_the_place_of_the_first(void)
{
	for (int n = 1; n < 40; n++) {
		struct buf b = { 0 };
		const struct json *j, *in;
		int64_t v;
		int i = 0;

		for (int k = 0; k < 2 * n; k++)
			buf_printf(&b, "%c\"n%d\":%d", k == 0 ? '{' : ',', k < n ? k : (k * 7 + 3) % n, k);
		buf_u8(&b, '}');
		j = parse(buf_bytes(&b));
		CU_ASSERT_EQUAL(j->n, (size_t)n);
		for (in = j->first; in != NULL; in = in->next, i++) {
			char name[16];

			snprintf(name, sizeof name, "n%d", i);
			CU_ASSERT(span_is(in->name, name));
			CU_ASSERT_PTR_EQUAL(json_get(j, name), in);
			CU_ASSERT(json_is_int(in, &v) && (v == i || v >= n));
			CU_ASSERT(v == i || (v * 7 + 3) % n == i);
			/* None that comes later has this name. */
			for (int64_t k = v + 1; k < 2 * n; k++)
				CU_ASSERT((k < n ? k : (k * 7 + 3) % n) != i);
		}
		CU_ASSERT_EQUAL(i, n);
		buf_done(&b);
	}
	arena_done(&arena);
}

/* Were the work quadratic, this would take minutes. */
static void
large_objects_take_no_quadratic_time(void)
{
	enum { MANY = 200000 };

	for (int same = 0; same < 2; same++) {
		struct buf b = { 0 };
		struct json *j;

		buf_u8(&b, '{');
		for (int i = 0; i < MANY; i++)
			buf_printf(&b, "\"%d\":%d,", same ? i % 100 : i, i);
		buf_span(&b, span_str("\"end\":0}"));
		j = parse(buf_bytes(&b));
		CU_ASSERT_EQUAL(j->n, same ? 101 : MANY + 1);
		buf_done(&b);
	}
	arena_done(&arena);
}

static void
mistakes_tell_line_and_column(void)
{
	static const char *const rows[][2] = {
		{ "", "the text ends too early at line 1, column 1" },
		{ "{\"a\":1,\n\"b\" 2}", "a colon was expected at line 2, column 5" },
		{ "[1]\n\n [2]", "something follows the value at line 3, column 2" },
		{ "{\"a\":\"x", "the text ends inside a string at line 1, column 8" }
	};
	struct arena a;

	arena_init(&a, 1 << 16);
	for (size_t i = 0; i < N_OF(rows); i++) {
		why.memory = true;
		CU_ASSERT_PTR_NULL(json_parse(&a, span_str(rows[i][0]), &why));
		CU_ASSERT_STRING_EQUAL(why.text, rows[i][1]);
		CU_ASSERT_FALSE(why.memory);
	}
	arena_done(&a);
}

static void
the_first_value_is_parsed_and_the_rest_told(void)
{
	static const struct {
		const char *text, *printed, *rest; /* NULL: no value */
		bool comments;
	} rows[] = {
		{ "{\"a\":1} trailing", "{\"a\":1}", " trailing", false },
		{ "{}{}", "{}", "{}", false },
		{ " [ 1 ] ", "[1]", " ", false },
		{ "\"a\"", "\"a\"", "", false },
		{ "{} \xff", "{}", " \xff", false },
		{ "{} // a", "{}", " // a", true },
		{ "/*a*/{\"//\":\"/*b*/\"/*c*/}/*d*/", "{\"//\":\"/*b*/\"}", "/*d*/", true },
		{ "/*a*/{}", NULL, NULL, false },
		{ "", NULL, NULL, true },
		{ "[1 2]", NULL, NULL, false }
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct span text = span_str(rows[i].text), rest = span_of(NULL, 0);
		struct buf b = { 0 };
		struct arena a;
		struct json *j;

		arena_init(&a, 1 << 16);
		j = json_parse_first(&a, text, rows[i].comments, &rest, &why);
		CU_ASSERT_EQUAL(j == NULL, rows[i].printed == NULL);
		if (j != NULL) {
			json_print(&b, j);
			CU_ASSERT(span_is(buf_bytes(&b), rows[i].printed));
			CU_ASSERT(span_is(rest, rows[i].rest));
			CU_ASSERT_PTR_EQUAL(rest.p + rest.n, text.p + text.n);
		}
		buf_done(&b);
		arena_done(&a);
	}
}

static void
an_arena_too_small_is_told_from_a_mistake(void)
{
	static const char text[] = "{\"a\":[1,{\"\\n\":\"\\t\"},3],\"b\":{},"
	    "\"c\":\"\\u0041 longer than one of sixteen\"}";
	bool fits = false;

	for (size_t cap = 0; !fits; cap += 8) {
		struct arena a;

		CU_ASSERT_FATAL(cap < 4096);
		arena_init(&a, cap);
		why = (struct json_mistake){ .memory = false };
		fits = json_parse(&a, span_str(text), &why) != NULL;
		CU_ASSERT(fits || why.memory);
		CU_ASSERT(fits || strcmp(why.text, "the text takes more memory than it may") == 0);
		arena_done(&a);
	}
}

static void
the_deepest_text_is_parsed_and_printed(void)
{
	for (size_t more = 0; more < 2; more++) {
		struct buf b = { 0 }, out = { 0 };
		struct json *j;
		struct arena a;

		for (size_t i = 0; i < JSON_DEPTH_MAX + more; i++)
			buf_span(&b, span_str(i % 2 ? "{\"a\":" : "["));
		for (size_t i = JSON_DEPTH_MAX + more; i-- > 0;)
			buf_span(&b, span_str(i % 2 ? i == JSON_DEPTH_MAX - 1 ? "0}" : "}" : "]"));
		arena_init(&a, 1 << 20);
		j = json_parse(&a, buf_bytes(&b), &why);
		CU_ASSERT_EQUAL(j == NULL, more == 1);
		if (j != NULL) {
			json_print(&out, j);
			UNIT_BYTES(out.p, out.n, b.p, b.n);
		}
		arena_done(&a);
		buf_done(&b);
		buf_done(&out);
	}
}

/* Random trees: made node by node, not by parsing. */

static struct json *
make_node(void)
{
	struct json *j = arena_alloc(&arena, sizeof *j);

	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	return j;
}

static struct span
make_text(uint64_t *seed)
{
	static const char *const pieces[] = { "", "a", "weir", "\"", "\\", "/", "\n", "\x01", "\x7f", "\xc3\xa9",
		"\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbd", "some words of plain text", " " };
	char text[200] = "";

	for (size_t n = random_below(seed, 6); n > 0; n--)
		strcat(text, pieces[random_below(seed, N_OF(pieces))]);
	return span_of(arena_copy(&arena, text, strlen(text)), strlen(text));
}

static struct span
make_number(uint64_t *seed)
{
	uint64_t bits = random_next(seed);
	char *text;
	double v;

	memcpy(&v, &bits, sizeof v);
	if (random_below(seed, 2) == 0)
		text = arena_printf(&arena, "%lld", (long long)(bits >> random_below(seed, 64)));
	else
		text = arena_printf(&arena, "%.*e", (int)random_below(seed, 20), v - v != 0 ? 0.5 : v);
	return span_str(text);
}

static void make_values(uint64_t *seed, struct json *in, int depth);

static struct json *
make(uint64_t *seed, int depth)
{
	struct json *j = make_node();

	j->kind = (enum json_token)random_below(seed, depth > 0 ? JSON_OBJECT + 1 : JSON_STRING + 1);
	if (j->kind == JSON_STRING)
		j->text = make_text(seed);
	else if (j->kind == JSON_NUMBER)
		j->text = make_number(seed);
	else if (j->kind >= JSON_ARRAY)
		make_values(seed, j, depth);
	else
		j->text = span_str(j->kind == JSON_NULL ? "null" : j->kind == JSON_TRUE ? "true" : "false");
	return j;
}

/* Names are made different by their number in front. */
static void
make_values(uint64_t *seed, struct json *in, int depth)
{
	struct json **last = &in->first;

	in->n = random_below(seed, depth == 1 ? 40 : 6);
	for (size_t i = 0; i < in->n; i++, last = &(*last)->next) {
		*last = make(seed, depth - 1);
		if (in->kind == JSON_OBJECT) {
			struct span rest = make_text(seed);

			(*last)->name = span_str(arena_printf(&arena, "%zu%.*s", i, (int)rest.n, rest.p));
		}
	}
}

static bool
same_number(struct span a, struct span b)
{
	char x[64], y[64];

	snprintf(x, sizeof x, "%.*s", (int)a.n, a.p);
	snprintf(y, sizeof y, "%.*s", (int)b.n, b.p);
	return strchr(x, 'e') == NULL ? strcmp(x, y) == 0 : strtod(x, NULL) == strtod(y, NULL);
}

static bool
same(const struct json *a, const struct json *b)
{
	const struct json *x, *y;

	if (a->kind != b->kind || !span_eq(a->name, b->name) || a->n != b->n)
		return false;
	if (a->kind == JSON_NUMBER)
		return same_number(a->text, b->text);
	if (a->kind < JSON_ARRAY)
		return span_eq(a->text, b->text);
	for (x = a->first, y = b->first; x != NULL && y != NULL; x = x->next, y = y->next)
		if (!same(x, y))
			return false;
	return x == NULL && y == NULL;
}

static void
what_is_printed_parses_to_the_same_tree(void)
{
	uint64_t seed = 3;

	for (int k = 0; k < 2000; k++) {
		struct buf b = { 0 }, again = { 0 };
		struct json *made, *back;

		arena_done(&arena);
		arena_init(&arena, 64 << 20);
		made = make(&seed, 4);
		json_print(&b, made);
		back = json_parse(&arena, buf_bytes(&b), &why);
		CU_ASSERT_PTR_NOT_NULL_FATAL(back);
		CU_ASSERT_TRUE(same(made, back));
		json_print(&again, back);
		UNIT_BYTES(b.p, b.n, again.p, again.n);
		buf_done(&b);
		buf_done(&again);
	}
	arena_done(&arena);
}

const struct unit_test tree_tests[] = {
	UNIT(values_have_kind_text_and_order),
	UNIT(questions_about_nothing_have_answers),
	UNIT(ints_are_seen),
	UNIT(escapes_are_taken_out),
	UNIT(prints_as_jackson_does),
	UNIT(the_last_value_takes_the_place_of_the_first),
	UNIT(large_objects_take_no_quadratic_time),
	UNIT(mistakes_tell_line_and_column),
	UNIT(the_first_value_is_parsed_and_the_rest_told),
	UNIT(an_arena_too_small_is_told_from_a_mistake),
	UNIT(the_deepest_text_is_parsed_and_printed),
	UNIT(what_is_printed_parses_to_the_same_tree),
	UNIT_END
};
