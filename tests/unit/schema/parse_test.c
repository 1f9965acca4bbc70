/* parse_test.c -- what is an Avro schema, and what is said of what is none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/schema/help.h"
#include "unit/unit.h"

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(rest) RECORD("{\"name\":\"f\"," rest "}")

static const struct {
	const char *text, *mistake;
} mistakes[] = {
	/* Names. */
	{ "{\"type\":\"record\",\"fields\":[]}", "No name in schema: {\"type\":\"record\",\"fields\":[]}" },
	{ "{\"type\":\"fixed\",\"name\":7,\"size\":1}",
	    "No name in schema: {\"type\":\"fixed\",\"name\":7,\"size\":1}" },
	{ "{\"type\":\"record\",\"name\":\"a-b\",\"fields\":[]}", "Illegal character in: a-b" },
	{ "{\"type\":\"record\",\"name\":\"1x\",\"fields\":[]}", "Illegal initial character: 1x" },
	{ "{\"type\":\"record\",\"name\":\"\",\"fields\":[]}", "Empty name" },
	{ "{\"type\":\"record\",\"name\":\"a.\",\"fields\":[]}", "Empty name" },
	{ "{\"type\":\"record\",\"name\":\"\xc3\xa4\",\"fields\":[]}", "Illegal initial character: \xc3\xa4" },
	{ "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a.b-c\",\"fields\":[]}",
	    "Namespace part \"b-c\" is invalid: Illegal character in: b-c" },
	{ "{\"type\":\"record\",\"name\":\"a..R\",\"fields\":[]}",
	    "Namespace part \"\" is invalid: Empty name" },
	{ "{\"type\":\"record\",\"name\":\".a.R\",\"fields\":[]}",
	    "Namespace part \"\" is invalid: Empty name" },
	{ "{\"type\":\"enum\",\"name\":\"int\",\"symbols\":[]}",
	    "Schemas may not be named after primitives: int" },
	{ "{\"type\":\"record\",\"name\":\"R\",\"aliases\":[\"x-y\"],\"fields\":[]}",
	    "Illegal character in: x-y" },
	{ "{\"type\":\"record\",\"name\":\"R\",\"aliases\":\"x\",\"fields\":[]}",
	    "aliases not an array: {\"type\":\"record\",\"name\":\"R\",\"aliases\":\"x\",\"fields\":[]}" },
	{ "{\"type\":\"record\",\"name\":\"R\",\"aliases\":[\"x-y\",1],\"fields\":[]}", "alias not a string: 1" },
	{ "[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}]",
	    "Can't redefine: F" },
	{ FIELD("\"type\":{\"type\":\"enum\",\"name\":\"R\",\"symbols\":[]}"), "Can't redefine: R" },
	/* Types. */
	{ "\"x\"", "Undefined name: \"x\"" },
	{ "{\"type\":\"x\"}", "Undefined name: \"x\"" },
	{ "[\"null\",\"x.Y\"]", "Undefined name: \"x.Y\"" },
	{ "[\"Later\",{\"type\":\"fixed\",\"name\":\"Later\",\"size\":1}]", "Duplicate in union:Later" },
	{ "[{\"type\":\"array\",\"items\":\"Later\"},{\"type\":\"fixed\",\"name\":\"Later\",\"size\":-1}]",
	    "Malformed data. Length is negative: -1" },
	{ "[{\"type\":\"array\",\"items\":\"F\"},{\"type\":\"fixed\",\"name\":\"a.F\",\"size\":1}]",
	    "Undefined name: \"F\"" },
	{ FIELD("\"type\":\"x\""), "\"x\" is not a defined name. The type of the \"f\" field must be a "
	    "defined name or a {\"type\": ...} expression." },
	{ "{}", "No type: {}" },
	{ "{\"type\":7}", "No type: {\"type\":7}" },
	{ "5", "Schema not yet supported: 5" },
	{ "null", "Schema not yet supported: null" },
	/* Records. */
	{ "{\"type\":\"record\",\"name\":\"R\"}", "Record has no fields: {\"type\":\"record\",\"name\":\"R\"}" },
	{ "{\"type\":\"error\",\"name\":\"R\",\"fields\":{}}",
	    "Record has no fields: {\"type\":\"error\",\"name\":\"R\",\"fields\":{}}" },
	{ RECORD("5"), "No field name: 5" },
	{ RECORD("{\"type\":\"int\"}"), "No field name: {\"type\":\"int\"}" },
	{ RECORD("{\"name\":\"f\"}"), "No field type: {\"name\":\"f\"}" },
	{ RECORD("{\"name\":\"f g\",\"type\":\"int\"}"), "Illegal character in: f g" },
	{ RECORD("{\"name\":\"f\",\"type\":\"int\"},{\"name\":\"g\",\"type\":\"int\"},"
	    "{\"name\":\"f\",\"type\":\"string\"}"),
	    "Duplicate field f in record R: f type:STRING pos:2 and f type:INT pos:0." },
	{ FIELD("\"type\":\"int\",\"order\":\"up\""),
	    "No enum constant org.apache.avro.Schema.Field.Order.UP" },
	/* Enums and fixed. */
	{ "{\"type\":\"enum\",\"name\":\"E\"}", "Enum has no symbols: {\"type\":\"enum\",\"name\":\"E\"}" },
	{ "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\",\"A\"]}", "Duplicate enum symbol: A" },
	{ "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"a b\"]}", "Illegal character in: a b" },
	{ "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[7]}", "Null name" },
	{ "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"],\"default\":\"C\"}",
	    "The Enum Default: C is not in the enum symbol set: [A, B]" },
	{ "{\"type\":\"fixed\",\"name\":\"F\"}", "Invalid or no size: {\"type\":\"fixed\",\"name\":\"F\"}" },
	{ "{\"type\":\"fixed\",\"name\":\"F\",\"size\":1.0}",
	    "Invalid or no size: {\"type\":\"fixed\",\"name\":\"F\",\"size\":1.0}" },
	{ "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2147483648}",
	    "Invalid or no size: {\"type\":\"fixed\",\"name\":\"F\",\"size\":2147483648}" },
	{ "{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}", "Malformed data. Length is negative: -1" },
	/* Containers and unions. */
	{ "{\"type\":\"array\"}", "Array has no items type: {\"type\":\"array\"}" },
	{ "{\"type\":\"map\",\"items\":\"int\"}", "Map has no values type: {\"type\":\"map\",\"items\":\"int\"}" },
	{ "[\"int\",\"string\",\"int\"]", "Duplicate in union:int" },
	{ "[{\"type\":\"array\",\"items\":\"int\"},{\"type\":\"array\",\"items\":\"long\"}]",
	    "Duplicate in union:array" },
	{ "[\"int\",[\"long\"]]", "Nested union: [\"int\",[\"long\"]]" },
	/* JSON. */
	{ "\"int\" \"long\"", "dangling content after end of schema: \"long\"" },
	{ "\"int\"}", "dangling content after end of schema: }" },
	{ "\"int\" // a\n", "dangling content after end of schema: // a" },
	{ "\"int\"/*a*/", "dangling content after end of schema: /*a*/" },
	{ "\"x\" y", "Undefined name: \"x\"" },
	{ "\xef\xbb\xbf\"int\"", "a value was expected at line 1, column 1" },
	{ "\x0b\"int\"", "a value was expected at line 1, column 1" },
	{ "# a\n\"int\"", "a value was expected at line 1, column 1" },
	{ "/* a\n \"int\"", "a slash begins no comment, or one that does not end at line 1, column 1" },
	{ "// \"int\"", "Cannot parse <null> schema" },
	{ "", "Cannot parse <null> schema" },
	{ " /**/\n", "Cannot parse <null> schema" },
	{ "[// \"int\"]", "the text ends too early at line 1, column 11" },
	{ "string", "a value was expected at line 1, column 1" },
};

static void
mistakes_have_their_sentence(void)
{
	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
		CU_ASSERT(help_same(help_mistake(mistakes[i].text, AVRO_STRICT), mistakes[i].mistake));
}

/* What is white space to Avro's Java library; comments are, and what looks like one in a string is none. */
static void
comments_and_blanks_say_nothing(void)
{
	static const char *const texts[][2] = {
		{ "/*a*/\"int\"", "\"int\"" },
		{ "// a\n/**/ \"int\" ", "\"int\"" },
		{ "\"int\"\x01\x0b\x1f ", "\"int\"" },
		{ "{/*a*/\"type\"/*b*/:/*c*/\"int\"/*d*/,//e\n\"x\":[1/*f*/,//g\r2/*h*/]/*i*/}", "{\"type\":\"int\",\"x\":[1,2]}" },
		{ RECORD("{\"name\":\"f\",//a\n\"type\":\"string\",\"doc\":\"//b\",\"default\":/*c*/\"/*d*/\",\"y\":{\"/*e*/\":/*f*/1}}"),
		    RECORD("{\"name\":\"f\",\"type\":\"string\",\"doc\":\"//b\",\"default\":\"/*d*/\",\"y\":{\"/*e*/\":1}}") },
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		CU_ASSERT(help_prints(texts[i][0], AVRO_TEXT, texts[i][1]));
}

/* A type, and a default that does not fit; the text of the type where it is not as written. */
static const struct {
	const char *type, *value;
} misfits[] = {
	{ "\"int\"", "1.5" },
	{ "\"int\"", "1.0" },
	{ "\"int\"", "2147483648" },
	{ "\"int\"", "-2147483649" },
	{ "\"long\"", "9223372036854775808" },
	{ "\"long\"", "\"1\"" },
	{ "\"float\"", "true" },
	{ "\"boolean\"", "0" },
	{ "\"null\"", "\"null\"" },
	{ "\"string\"", "null" },
	{ "\"bytes\"", "[]" },
	{ "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "0" },
	{ "{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}", "1" },
	{ "{\"type\":\"array\",\"items\":\"int\"}", "[1,\"x\"]" },
	{ "{\"type\":\"array\",\"items\":\"int\"}", "{}" },
	{ "{\"type\":\"map\",\"values\":\"int\"}", "{\"a\":null}" },
	{ "{\"type\":\"map\",\"values\":\"int\"}", "[]" },
	{ "[\"null\",\"int\"]", "\"x\"" },
	{ "[]", "null" },
	{ "{\"type\":\"record\",\"name\":\"S\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},"
	    "{\"name\":\"b\",\"type\":\"int\",\"default\":1}]}", "{\"b\":2}" },
	{ "{\"type\":\"record\",\"name\":\"S\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},"
	    "{\"name\":\"b\",\"type\":\"int\",\"default\":1}]}", "{\"a\":1,\"b\":null}" },
};

static char *
with_default(const char *type, const char *value)
{
	size_t n = strlen(type) + strlen(value) + 128;
	char *text = malloc(n);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	snprintf(text, n, RECORD("{\"name\":\"f\",\"type\":%s,\"default\":%s}"), type, value);
	return text;
}

static void
defaults_that_do_not_fit_are_refused(void)
{
	char expected[512];

	for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
		char *text = with_default(misfits[i].type, misfits[i].value);

		snprintf(expected, sizeof expected, "Invalid default for field f: %s not a %s",
		    misfits[i].value, misfits[i].type);
		CU_ASSERT(help_same(help_mistake(text, AVRO_STRICT), expected));
		CU_ASSERT_STRING_EQUAL(help_mistake(text, AVRO_STORED), "");
		free(text);
	}
}

static const struct {
	const char *type, *value;
} fits[] = {
	{ "\"int\"", "-2147483648" },
	{ "\"int\"", "2147483647" },
	{ "\"long\"", "9223372036854775807" },
	{ "\"float\"", "1" },
	{ "\"double\"", "1e400" },
	{ "\"double\"", "\"NaN\"" },
	{ "\"null\"", "null" },
	{ "\"bytes\"", "\"\\u00ff\"" },
	{ "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "\"A\"" },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":\"int\"}}", "[{},{\"a\":1}]" },
	{ "[\"null\",\"int\"]", "1" },
	{ "[\"int\",\"null\"]", "null" },
	{ "{\"type\":\"record\",\"name\":\"S\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},"
	    "{\"name\":\"b\",\"type\":\"int\",\"default\":1}]}", "{\"a\":2,\"more\":[]}" },
};

static void
defaults_that_fit_are_taken(void)
{
	for (size_t i = 0; i < sizeof fits / sizeof *fits; i++) {
		char *text = with_default(fits[i].type, fits[i].value);

		CU_ASSERT(help_same(help_mistake(text, AVRO_STRICT), ""));
		free(text);
	}
}

static void
numbers_in_quotes_must_be_numbers_even_when_stored(void)
{
	CU_ASSERT_STRING_EQUAL(help_mistake(FIELD("\"type\":\"float\",\"default\":\"abc\""), AVRO_STORED),
	    "For input string: \"abc\"");
	CU_ASSERT_STRING_EQUAL(help_mistake(FIELD("\"type\":\"double\",\"default\":\"\""), AVRO_STORED),
	    "empty String");
	CU_ASSERT_STRING_EQUAL(help_mistake(FIELD("\"type\":\"double\",\"default\":\" 1x \""), AVRO_STORED),
	    "For input string: \"1x\"");
}

static void
stored_names_may_be_other_than_ascii(void)
{
	const char *text = "{\"type\":\"record\",\"name\":\"Stra\xc3\x9f""e\",\"namespace\":\"x-y\",\"fields\":"
	    "[{\"name\":\"\xc3\xa4\",\"type\":\"int\"}]}";

	CU_ASSERT_STRING_EQUAL(help_mistake(text, AVRO_STORED), "");
	CU_ASSERT_STRING_EQUAL(help_mistake(text, AVRO_STRICT), "Illegal character in: Stra\xc3\x9f""e");
	CU_ASSERT_STRING_EQUAL(help_mistake("{\"type\":\"fixed\",\"name\":\"a-b\",\"size\":1}", AVRO_STORED),
	    "Illegal character in: a-b");
}

static void
names_are_found_in_the_namespace_then_without(void)
{
	struct avro_schema *s = help_avro(
	    "[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},"
	    "{\"type\":\"record\",\"name\":\"a.R\",\"fields\":["
	    "{\"name\":\"x\",\"type\":\"F\"},"
	    "{\"name\":\"y\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}},"
	    "{\"name\":\"z\",\"type\":\"F\"}]}]");
	char *text = help_print(s, AVRO_CANONICAL);

	CU_ASSERT(help_same(text, "[{\"name\":\"F\",\"type\":\"fixed\",\"size\":1},"
	    "{\"name\":\"a.R\",\"type\":\"record\",\"fields\":[{\"name\":\"x\",\"type\":\"F\"},"
	    "{\"name\":\"y\",\"type\":{\"name\":\"a.F\",\"type\":\"fixed\",\"size\":2}},"
	    "{\"name\":\"z\",\"type\":\"a.F\"}]}]"));
	free(text);
	avro_free(s);
}

static void
a_type_may_be_used_before_it_is_defined(void)
{
	/* It is printed where it is used first; here C is read on the way to B, and B and A contain each other. */
	CU_ASSERT(help_prints("[{\"type\":\"record\",\"name\":\"a.A\",\"fields\":["
	    "{\"name\":\"b\",\"type\":[\"null\",\"B\"]},{\"name\":\"c\",\"type\":\"C\",\"default\":\"X\"}]},"
	    "{\"type\":\"record\",\"name\":\"a.B\",\"fields\":["
	    "{\"name\":\"c\",\"type\":{\"type\":\"map\",\"values\":\"a.C\"}},{\"name\":\"a\",\"type\":\"A\"}]},"
	    "{\"type\":\"enum\",\"name\":\"C\",\"namespace\":\"a\",\"symbols\":[\"X\"]}]", AVRO_TEXT,
	    "[{\"type\":\"record\",\"name\":\"A\",\"namespace\":\"a\",\"fields\":["
	    "{\"name\":\"b\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"B\",\"fields\":["
	    "{\"name\":\"c\",\"type\":{\"type\":\"map\",\"values\":{\"type\":\"enum\",\"name\":\"C\","
	    "\"symbols\":[\"X\"]}}},{\"name\":\"a\",\"type\":\"A\"}]}]},"
	    "{\"name\":\"c\",\"type\":\"C\",\"default\":\"X\"}]},\"a.B\",\"a.C\"]"));
}

static void
what_was_read_ahead_needs_no_text(void)
{
	char *text = strdup("{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a\",\"fields\":["
	    "{\"name\":\"f\",\"type\":\"F\"},{\"name\":\"g\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}}]}");
	struct avro_schema *s;
	char *printed;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	s = help_avro(text);
	memset(text, '?', strlen(text));
	printed = help_print(s, AVRO_TEXT);
	CU_ASSERT(help_same(printed, "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a\",\"fields\":["
	    "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}},{\"name\":\"g\",\"type\":\"F\"}]}"));
	free(printed);
	free(text);
	avro_free(s);
}

static void
a_type_defined_again_is_the_same_when_it_says_the_same(void)
{
	CU_ASSERT(help_prints("[{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":{"
	    "\"type\":\"fixed\",\"name\":\"F\",\"size\":1}}]},{\"type\":\"array\",\"items\":{\"type\":\"fixed\","
	    "\"name\":\"F\",\"size\":1}}]", AVRO_TEXT,
	    "[{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":{\"type\":\"fixed\","
	    "\"name\":\"F\",\"size\":1}}]},{\"type\":\"array\",\"items\":\"F\"}]"));
}

static void
type_and_name_tell_what_the_root_is(void)
{
	static const struct {
		const char *text;
		enum avro_type type;
		const char *name;
	} cases[] = {
		{ "\"bytes\"", AVRO_BYTES, "bytes" },
		{ "[]", AVRO_UNION, "union" },
		{ "{\"type\":\"map\",\"values\":\"int\"}", AVRO_MAP, "map" },
		{ "{\"type\":\"error\",\"name\":\"E\",\"namespace\":\"a.b\",\"fields\":[]}", AVRO_RECORD, "a.b.E" },
		{ "{\"type\":\"fixed\",\"name\":\"x.F\",\"namespace\":\"a.b\",\"size\":0}", AVRO_FIXED, "x.F" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct avro_schema *s = help_avro(cases[i].text);

		CU_ASSERT_EQUAL(avro_type_of(s), cases[i].type);
		CU_ASSERT_STRING_EQUAL(avro_name_of(s), cases[i].name);
		avro_free(s);
	}
}

static void
types_of_references_are_known_and_theirs_too(void)
{
	struct avro_schema *deep = help_avro("{\"type\":\"fixed\",\"name\":\"a.Deep\",\"size\":1}");
	struct avro_schema *near = help_avro_with("{\"type\":\"record\",\"name\":\"a.Near\",\"fields\":["
	    "{\"name\":\"d\",\"type\":\"Deep\"}]}", deep);
	struct avro_schema *s = help_avro_with("{\"type\":\"record\",\"name\":\"a.R\",\"fields\":["
	    "{\"name\":\"n\",\"type\":\"a.Near\"},{\"name\":\"d\",\"type\":\"Deep\"}]}", near);
	struct avro_schema *name = help_avro_with("\"a.Near\"", near);
	char *text;

	/* The results keep what they refer to. */
	avro_free(deep);
	avro_free(near);
	text = help_print(s, AVRO_TEXT);
	CU_ASSERT(help_same(text, "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a\",\"fields\":["
	    "{\"name\":\"n\",\"type\":\"Near\"},{\"name\":\"d\",\"type\":\"Deep\"}]}"));
	free(text);
	text = help_print(name, AVRO_TEXT);
	CU_ASSERT(help_same(text, "\"a.Near\""));
	free(text);
	CU_ASSERT_STRING_EQUAL(avro_name_of(name), "a.Near");
	avro_free(name);
	avro_free(s);
}

static void
references_that_disagree_are_refused(void)
{
	struct avro_schema *refs[2] = {
		help_avro("{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}"),
		help_avro("[{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}]")
	};
	struct avro_mistake why;

	CU_ASSERT_PTR_NULL(avro_parse(span_str("\"F\""), AVRO_STRICT, refs, 2, &why));
	CU_ASSERT_STRING_EQUAL(why.text, "Can't redefine: F");
	avro_free(refs[0]);
	avro_free(refs[1]);
}

/* `n` times `begin`, a middle, and `n` times `end`. */
static char *
nested(size_t n, const char *begin, const char *middle, const char *end)
{
	char *text = malloc(n * (strlen(begin) + strlen(end)) + strlen(middle) + 1), *p = text;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, begin);
	p = stpcpy(p, middle);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, end);
	return text;
}

static void
depth_is_bounded(void)
{
	char *deep = nested(1000, "{\"type\":\"array\",\"items\":", "\"int\"", "}");
	char *deeper = nested(100000, "{\"type\":\"array\",\"items\":", "\"int\"", "}");

	CU_ASSERT_STRING_EQUAL(help_mistake(deep, AVRO_STRICT), "");
	CU_ASSERT(strlen(help_mistake(deeper, AVRO_STRICT)) > 0);
	free(deep);
	free(deeper);
}

/* A record of a field that is of the type which is defined behind it, and so on: `n` of them. */
static char *
chain(size_t n)
{
	struct buf text = { 0 };

	buf_u8(&text, '[');
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "{\"type\":\"record\",\"name\":\"R%zu\",\"fields\":[{\"name\":\"f\",\"type\":\"R%zu\"}]},", i,
		    i + 1);
	buf_printf(&text, "{\"type\":\"fixed\",\"name\":\"R%zu\",\"size\":1}]", n);
	buf_u8(&text, '\0');
	CU_ASSERT_FATAL(!text.failed);
	return (char *)text.p;
}

static void
how_far_types_are_used_before_they_are_defined_is_bounded(void)
{
	static const char mistake[] = "Types are used too far from where they are defined";
	char *far = chain(330), *farther = chain(340), *farthest = chain(15000);

	/* The first is printed, and can be read again. */
	CU_ASSERT_STRING_EQUAL(help_mistake(far, AVRO_STRICT), "");
	CU_ASSERT_STRING_EQUAL(help_mistake(farther, AVRO_STRICT), mistake);
	CU_ASSERT_NSTRING_EQUAL(help_mistake(farthest, AVRO_STRICT), mistake, strlen(mistake));
	free(far);
	free(farther);
	free(farthest);
}

static void
sentences_are_cut_between_characters(void)
{
	char *text = nested(300, "\xc3\xa4", "\"", "");
	char *whole = malloc(strlen(text) + 2);
	const char *mistake;

	CU_ASSERT_PTR_NOT_NULL_FATAL(whole);
	sprintf(whole, "\"%s", text);
	mistake = help_mistake(whole, AVRO_STRICT);
	CU_ASSERT_EQUAL(strlen(mistake), strlen("Undefined name: \"") + (511 - 17) / 2 * 2);
	CU_ASSERT_EQUAL((unsigned char)mistake[strlen(mistake) - 1], 0xa4);
	free(whole);
	free(text);
}

static void
names_are_bounded(void)
{
	char name[600], text[1400];

	memset(name, 'x', sizeof name);
	name[511] = '\0';
	snprintf(text, sizeof text, "{\"type\":\"fixed\",\"name\":\"%s\",\"size\":1}", name);
	CU_ASSERT_STRING_EQUAL(help_mistake(text, AVRO_STRICT), "");
	snprintf(text, sizeof text, "{\"type\":\"fixed\",\"name\":\"%s\",\"namespace\":\"%s\",\"size\":1}",
	    name, name);
	CU_ASSERT(strncmp(help_mistake(text, AVRO_STRICT), "Name too long: xxx", 18) == 0);
}

/*
 * A default whose comparison with its type doubles at each level, and never fits.
 * It is refused after a while, not after hours.
 */
static void
comparing_a_default_is_bounded(void)
{
	char text[16384], *p = text;
	int levels = 40;

	p = stpcpy(p, "[");
	for (int i = 0; i < levels; i++) {
		char inner[64];

		snprintf(inner, sizeof inner, i == 0 ? "\"null\"" : "[\"A%d\",\"B%d\"]", i - 1, i - 1);
		for (char c = 'A'; c <= 'B'; c++)
			p += sprintf(p, "{\"type\":\"record\",\"name\":\"%c%d\",\"fields\":"
			    "[{\"name\":\"x\",\"type\":%s}]},", c, i, inner);
	}
	p += sprintf(p, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\"A%d\","
	    "\"default\":", levels - 1);
	for (int i = 0; i < levels; i++)
		p = stpcpy(p, "{\"x\":");
	p = stpcpy(p, "1");
	for (int i = 0; i < levels; i++)
		p = stpcpy(p, "}");
	stpcpy(p, "}]}]");
	CU_ASSERT_PTR_NOT_NULL(strstr(help_mistake(text, AVRO_STRICT), "}} takes too long to be compared"));
}

/* A default of n members, and n records that have none of them; a map it is, but that comes last. */
static char *
many_members(int n)
{
	struct buf text = { 0 };

	buf_span(&text, span_str("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":["));
	for (int i = 0; i < n; i++)
		buf_printf(&text, "{\"type\":\"record\",\"name\":\"A%d\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]},", i);
	buf_span(&text, span_str("{\"type\":\"map\",\"values\":\"int\"}],\"default\":{"));
	for (int i = 0; i < n; i++)
		buf_printf(&text, "%s\"m%d\":1", i > 0 ? "," : "", i);
	buf_span(&text, span_str("}}]}"));
	buf_u8(&text, '\0');
	return (char *)text.p;
}

static void
looking_for_members_is_bounded(void)
{
	char *some = many_members(500), *many = many_members(2100);

	CU_ASSERT_STRING_EQUAL(help_mistake(some, AVRO_STRICT), "");
	CU_ASSERT(strncmp(help_mistake(many, AVRO_STRICT), "Invalid default for field f: ", 29) == 0);
	free(some);
	free(many);
}

const struct unit_test parse_tests[] = {
	UNIT(mistakes_have_their_sentence),
	UNIT(comments_and_blanks_say_nothing),
	UNIT(defaults_that_do_not_fit_are_refused),
	UNIT(defaults_that_fit_are_taken),
	UNIT(numbers_in_quotes_must_be_numbers_even_when_stored),
	UNIT(stored_names_may_be_other_than_ascii),
	UNIT(names_are_found_in_the_namespace_then_without),
	UNIT(a_type_may_be_used_before_it_is_defined),
	UNIT(what_was_read_ahead_needs_no_text),
	UNIT(a_type_defined_again_is_the_same_when_it_says_the_same),
	UNIT(type_and_name_tell_what_the_root_is),
	UNIT(types_of_references_are_known_and_theirs_too),
	UNIT(references_that_disagree_are_refused),
	UNIT(depth_is_bounded),
	UNIT(how_far_types_are_used_before_they_are_defined_is_bounded),
	UNIT(sentences_are_cut_between_characters),
	UNIT(names_are_bounded),
	UNIT(comparing_a_default_is_bounded),
	UNIT(looking_for_members_is_bounded),
	UNIT_END
};
