/* diff_test.c -- what has changed from one Avro schema to another, in words. */
#include "weir/diff.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

#define R(fields) "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":[" fields "]}"
#define F(name, type) "{\"name\":\"" name "\",\"type\":" type "}"

/* All changes as lines "PATH: TEXT". */
static const char *
diff(struct arena *a, const char *from, const char *to)
{
	struct json_mistake why;
	struct json *x = json_parse(a, span_str(from), &why), *y = json_parse(a, span_str(to), &why);
	const char *text = "";
	struct diff d;

	CU_ASSERT_PTR_NOT_NULL_FATAL(x);
	CU_ASSERT_PTR_NOT_NULL_FATAL(y);
	diff_schemas(a, x, y, &d);
	for (size_t i = 0; i < d.n; i++)
		text = arena_printf(a, "%s%s: %s\n", text, d.list[i].path, d.list[i].text);
	return text;
}

struct row {
	const char *from, *to, *text;
};

static void
check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena a;
		const char *got;

		arena_init(&a, 1 << 20);
		got = diff(&a, rows[i].from, rows[i].to);
		if (strcmp(got, rows[i].text) != 0)
			printf("\n%s\n%s\ngot:\n%swanted:\n%s", rows[i].from, rows[i].to, got, rows[i].text);
		CU_ASSERT_STRING_EQUAL(got, rows[i].text);
		arena_done(&a);
	}
}

static void
the_same_has_no_difference(void)
{
	static const struct row rows[] = {
		{ "\"int\"", "\"int\"", "" },
		{ "\"int\"", "{\"type\":\"int\"}", "" },
		{ R(F("a", "\"int\"")), R(F("a", "{\"type\":\"int\"}")), "" },
		/* A name in full, or shortened; a type in the place where it is used first. */
		{ R(F("a", "{\"type\":\"fixed\",\"name\":\"X\",\"size\":4}") "," F("b", "\"X\"")),
		    R(F("a", "{\"type\":\"fixed\",\"name\":\"n.X\",\"size\":4}") "," F("b", "\"n.X\"")), "" },
		{ R(F("next", "[\"null\",\"R\"]")), R(F("next", "[\"null\",\"n.R\"]")), "" },
	};

	check_rows(rows, N_OF(rows));
}

static void
fields_come_go_and_change(void)
{
	static const struct row rows[] = {
		{ R(F("a", "\"int\"")), R(F("a", "\"int\"") "," F("b", "\"string\"")), "R.b: field added: string, no default\n" },
		{ R(F("a", "\"int\"") ",{\"name\":\"b\",\"type\":[\"null\",\"int\"],\"default\":null}"), R(F("a", "\"int\"")),
		    "R.b: field removed: null or int, default null\n" },
		{ R(F("a", "\"int\"")), R(F("a", "\"long\"")), "R.a: type changed: int -> long\n" },
		{ R(F("a", "\"int\"")), R(F("a", "[\"null\",\"int\"]")), "R.a: type changed: int -> null or int\n" },
		{ R(F("a", "\"int\"")), R("{\"name\":\"z\",\"type\":\"int\",\"aliases\":[\"a\"]}"),
		    "R.z: field renamed: a -> z\nR.z: aliases added: [\"a\"]\n" },
		/* An alias of a field that is still there renames nothing. */
		{ R(F("a", "\"int\"")), R(F("a", "\"int\"") ",{\"name\":\"z\",\"type\":\"int\",\"aliases\":[\"a\"]}"),
		    "R.z: field added: int, no default\n" },
		{ R(F("a", "\"int\"") "," F("b", "\"int\"") "," F("c", "\"int\"")), R(F("c", "\"int\"") "," F("d", "\"int\"") "," F("a", "\"int\"")),
		    "R.d: field added: int, no default\nR.b: field removed: int\nR: fields reordered\n" },
		{ R(F("a", "\"int\"") "," F("b", "\"int\"")), R(F("b", "\"int\"")), "R.a: field removed: int\n" },
	};

	check_rows(rows, N_OF(rows));
}

static void
what_is_said_of_them_changes(void)
{
	static const struct row rows[] = {
		{ R("{\"name\":\"a\",\"type\":\"int\",\"doc\":\"x\"}"), R("{\"name\":\"a\",\"type\":\"int\",\"doc\":\"y\",\"default\":0}"),
		    "R.a: doc changed: \"x\" -> \"y\"\nR.a: default added: 0\n" },
		{ R("{\"name\":\"a\",\"type\":\"int\",\"default\":0}"), R("{\"name\":\"a\",\"type\":\"int\",\"default\":1.50}"),
		    "R.a: default changed: 0 -> 1.5\n" },
		{ R("{\"name\":\"a\",\"type\":\"int\",\"default\":0,\"order\":\"ignore\"}"), R(F("a", "\"int\"")),
		    "R.a: default removed: 0\nR.a: order removed: \"ignore\"\n" },
		{ "{\"type\":\"int\",\"logicalType\":\"date\"}", "\"int\"", ": logicalType removed: \"date\"\n" },
		{ "{\"type\":\"record\",\"name\":\"R\",\"fields\":[],\"doc\":\"x\"}",
		    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[],\"owner\":{\"team\":[1]}}",
		    "R: doc removed: \"x\"\nR: owner added: {\"team\":[1]}\n" },
	};

	check_rows(rows, N_OF(rows));
}

static void
all_kinds_of_types_are_looked_into(void)
{
	static const struct row rows[] = {
		{ "{\"type\":\"array\",\"items\":" R(F("a", "\"int\"")) "}", "{\"type\":\"array\",\"items\":" R(F("a", "\"string\"")) "}",
		    "[].a: type changed: int -> string\n" },
		{ R(F("m", "{\"type\":\"map\",\"values\":\"int\"}")), R(F("m", "{\"type\":\"map\",\"values\":\"long\"}")),
		    "R.m{}: type changed: int -> long\n" },
		{ R(F("m", "{\"type\":\"map\",\"values\":\"int\"}")), R(F("m", "{\"type\":\"array\",\"items\":\"int\"}")),
		    "R.m: type changed: map of int -> array of int\n" },
		{ "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"C\",\"A\"],\"default\":\"A\"}",
		    "E: symbol added: \"C\"\nE: symbol removed: \"B\"\nE: default added: \"A\"\n" },
		{ "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"B\",\"A\"]}",
		    "E: symbols reordered\n" },
		{ "{\"type\":\"fixed\",\"name\":\"F\",\"size\":4}", "{\"type\":\"fixed\",\"name\":\"x.F\",\"size\":8}",
		    "F: name changed: F -> x.F\nF: size changed: 4 -> 8\n" },
		{ "[\"null\",\"int\",\"string\"]", "[\"string\",\"null\",\"long\"]",
		    ": branch removed: int\n: branch added: long\n: branches reordered\n" },
		{ "[\"null\"," R(F("a", "\"int\"")) "]", "[\"null\"," R(F("a", "\"long\"")) "]", "R.a: type changed: int -> long\n" },
		{ R(F("a", R(F("b", "\"int\"")))), R(F("a", "[\"null\",{\"type\":\"fixed\",\"name\":\"X\",\"size\":1}]")),
		    "R.a: type changed: record n.R -> null or fixed n.X\n" },
	};

	check_rows(rows, N_OF(rows));
}

static void
a_type_that_is_used_often_is_told_once(void)
{
#define T(type) "{\"type\":\"record\",\"name\":\"T\",\"fields\":[" F("t", type) "," F("again", "[\"null\",\"T\"]") "]}"
	static const struct row rows[] = {
		{ R(F("a", T("\"int\"")) "," F("b", "\"T\"")), R(F("a", T("\"long\"")) "," F("b", "\"T\"")), "R.a.t: type changed: int -> long\n" },
		/* One that became another type of the same definition is told where it is. */
		{ R(F("a", "\"int\"") "," F("b", T("\"int\""))), R(F("a", T("\"int\"")) "," F("b", "\"T\"")), "R.a: type changed: int -> record n.T\n" },
	};

	check_rows(rows, N_OF(rows));
#undef T
}

static void
one_in_the_others_union_is_looked_into(void)
{
	static const struct row rows[] = {
		{ R(F("a", "{\"type\":\"record\",\"name\":\"T\",\"fields\":[" F("t", "\"int\"") "]}")),
		    R(F("a", "[\"null\",{\"type\":\"record\",\"name\":\"T\",\"fields\":[" F("t", "\"long\"") "]}]")),
		    "R.a: type changed: record n.T -> null or record n.T\nR.a.t: type changed: int -> long\n" },
	};

	check_rows(rows, N_OF(rows));
}

static void
what_makes_no_sense_is_no_trouble(void)
{
	static const char *const texts[] = { "null", "1", "{}", "[]", "[[[]]]", "{\"type\":{}}", "{\"type\":\"record\"}", "\"x.Y\"",
		"{\"type\":\"record\",\"name\":1,\"fields\":{}}", "{\"type\":\"record\",\"name\":\"R\",\"fields\":[1,null,{},{\"name\":\"a\"}]}",
		"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[1,{}]}", "{\"type\":\"array\"}", "{\"type\":\"map\",\"values\":7}",
		"{\"type\":\"fixed\",\"name\":\"\"}", "{\"type\":{\"type\":{\"type\":\"int\"}}}", R(F("a", "\"int\"")) };

	for (size_t i = 0; i < N_OF(texts); i++)
		for (size_t k = 0; k < N_OF(texts); k++) {
			struct arena a;

			arena_init(&a, 1 << 20);
			CU_ASSERT_PTR_NOT_NULL(diff(&a, texts[i], texts[k]));
			arena_done(&a);
		}
}

/* A chain of types, each of which has the one before in it. */
static const char *
chain(struct arena *a, int n, const char *first)
{
	const char *text = arena_printf(a, "[{\"type\":\"record\",\"name\":\"T0\",\"fields\":[" F("f", "%s") "]}", first);

	for (int i = 1; i < n; i++)
		text = arena_printf(a, "%s,{\"type\":\"record\",\"name\":\"T%d\",\"fields\":[" F("f", "\"T%d\"") "]}", text, i, i - 1);
	return arena_printf(a, "%s]", text);
}

static void
types_are_compared_whatever_their_number(void)
{
	struct arena a;

	arena_init(&a, (size_t)1 << 30);
	CU_ASSERT_STRING_EQUAL(diff(&a, chain(&a, 500, "\"int\""), chain(&a, 500, "\"long\"")), "T0.f: type changed: int -> long\n");
	arena_done(&a);
}

static void
changes_are_data_too(void)
{
	struct json_mistake why;
	struct arena a;
	struct diff d;

	arena_init(&a, 1 << 20);
	diff_schemas(&a, json_parse(&a, span_str(R(F("a", "\"int\""))), &why), json_parse(&a, span_str(R(F("b", "\"int\""))), &why), &d);
	CU_ASSERT_FATAL(d.n == 2);
	CU_ASSERT(d.list[0].kind == CHANGE_ADDED && strcmp(d.list[0].what, "field") == 0 && d.list[0].from == NULL);
	CU_ASSERT(json_is_text(json_get(d.list[0].to, "name"), "b"));
	CU_ASSERT(d.list[1].kind == CHANGE_REMOVED && d.list[1].to == NULL && json_is_text(json_get(d.list[1].from, "name"), "a"));
	CU_ASSERT_STRING_EQUAL(change_kind_name(CHANGE_REORDERED), "reordered");
	arena_done(&a);
}

const struct unit_test diff_tests[] = {
	UNIT(the_same_has_no_difference),
	UNIT(fields_come_go_and_change),
	UNIT(what_is_said_of_them_changes),
	UNIT(all_kinds_of_types_are_looked_into),
	UNIT(a_type_that_is_used_often_is_told_once),
	UNIT(one_in_the_others_union_is_looked_into),
	UNIT(what_makes_no_sense_is_no_trouble),
	UNIT(types_are_compared_whatever_their_number),
	UNIT(changes_are_data_too),
	UNIT_END
};
