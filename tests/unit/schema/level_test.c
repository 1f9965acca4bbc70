/* level_test.c -- the levels, and what is told of a conflict. */
#include "schema/level.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/schema/help.h"
#include "unit/unit.h"

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define F1 "{\"name\":\"f1\",\"type\":\"int\"}"
#define F2 "{\"name\":\"f2\",\"type\":\"int\"}"
#define F3 "{\"name\":\"f3\",\"type\":\"int\"}"

static struct schema *
parse(const char *text)
{
	struct schema_mistake why;
	struct schema *s = schema_parse(SCHEMA_AVRO, span_str(text), false, NULL, 0, &why);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	return s;
}

/* The messages, one a line; "" when compatible.  `earlier` is newest first. */
static char *
check(enum level level, const char *fresh, const char *const earlier[], size_t n, bool validate)
{
	struct schema *s = parse(fresh);
	struct level_version versions[4];
	struct level_messages messages;
	struct buf told = { 0 };
	struct arena a;
	bool ok;

	for (size_t i = 0; i < n; i++)
		versions[i] = (struct level_version){ (int)(n - i), span_str(earlier[i]), parse(earlier[i]) };
	arena_init(&a, 1 << 20);
	ok = level_check(level, s, versions, n, validate, &a, &messages);
	CU_ASSERT_EQUAL(ok, messages.n == 0);
	CU_ASSERT(!messages.memory);
	for (size_t i = 0; i < messages.n; i++)
		buf_printf(&told, "%s%s", i > 0 ? "\n" : "", messages.list[i]);
	buf_u8(&told, '\0');
	arena_done(&a);
	for (size_t i = 0; i < n; i++)
		schema_free((struct schema *)versions[i].schema);
	schema_free(s);
	return (char *)told.p;
}

#define NO_DEFAULT(field, path, reader, writer) \
	"{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field '" field "' at path '" path \
	"' in the " reader " schema has no default value and is missing in the " writer \
	" schema', additionalInfo:'" field "'}\n"
#define VERSION(n, text) "{oldSchemaVersion: " #n "}\n{oldSchema: '" text "'}\n"
#define LAST(level) "{validateFields: 'false', compatibility: '" level "'}"

static const struct {
	enum level level;
	const char *fresh;
	const char *earlier[3]; /* newest first */
	const char *told;
} cases[] = {
	{ LEVEL_NONE, "\"int\"", { "\"string\"" }, "" },
	{ LEVEL_BACKWARD, "\"int\"", { NULL }, "" },
	{ LEVEL_FULL_TRANSITIVE, "\"int\"", { NULL }, "" },
	{ LEVEL_BACKWARD, RECORD(F1 "," F2), { RECORD(F1) },
	    NO_DEFAULT("f2", "/fields/1", "new", "old") VERSION(1, RECORD(F1)) LAST("BACKWARD") },
	{ LEVEL_BACKWARD, RECORD(F1), { RECORD(F1 "," F2) }, "" },
	{ LEVEL_FORWARD, RECORD(F1), { RECORD(F1 "," F2) },
	    NO_DEFAULT("f2", "/fields/1", "old", "new") VERSION(1, RECORD(F1 "," F2)) LAST("FORWARD") },
	{ LEVEL_FORWARD, RECORD(F1 "," F2), { RECORD(F1) }, "" },
	/* Both halves, the forward one first; the version stands with the backward one. */
	{ LEVEL_FULL, RECORD(F1), { RECORD(F2) },
	    NO_DEFAULT("f2", "/fields/0", "old", "new") NO_DEFAULT("f1", "/fields/0", "new", "old")
	    VERSION(1, RECORD(F2)) LAST("FULL") },
	{ LEVEL_FULL, RECORD(F1 "," F2), { RECORD(F1) },
	    NO_DEFAULT("f2", "/fields/1", "new", "old") VERSION(1, RECORD(F1)) LAST("FULL") },
	{ LEVEL_FULL, RECORD(F1), { RECORD(F1 "," F2) },
	    NO_DEFAULT("f2", "/fields/1", "old", "new") LAST("FULL") },
	/* Only the newest counts, or all of them. */
	{ LEVEL_BACKWARD, RECORD(F1 "," F2), { RECORD(F1 "," F2), RECORD(F1) }, "" },
	{ LEVEL_BACKWARD_TRANSITIVE, RECORD(F1 "," F2), { RECORD(F1 "," F2), RECORD(F1), "\"int\"" },
	    NO_DEFAULT("f2", "/fields/1", "new", "old") VERSION(2, RECORD(F1)) LAST("BACKWARD_TRANSITIVE") },
	{ LEVEL_FORWARD_TRANSITIVE, RECORD(F1), { RECORD(F1), RECORD(F1 "," F3) },
	    NO_DEFAULT("f3", "/fields/1", "old", "new") VERSION(1, RECORD(F1 "," F3))
	    LAST("FORWARD_TRANSITIVE") },
	{ LEVEL_FULL_TRANSITIVE, RECORD(F1), { RECORD(F1), RECORD(F1) }, "" },
	/* A sentence for each kind of conflict. */
	{ LEVEL_BACKWARD, "{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}",
	    { "{\"type\":\"fixed\",\"name\":\"G\",\"size\":2}" },
	    "{errorType:'NAME_MISMATCH', description:'The name of the schema has changed (path '/name')', "
	    "additionalInfo:'expected: G'}\n"
	    "{errorType:'FIXED_SIZE_MISMATCH', description:'The size of FIXED type field at path '/size' in "
	    "the new schema does not match with the old schema', additionalInfo:'expected: 2, found: 1'}\n"
	    VERSION(1, "{\"type\":\"fixed\",\"name\":\"G\",\"size\":2}") LAST("BACKWARD") },
	{ LEVEL_FORWARD, "\"int\"", { "\"null\"" },
	    "{errorType:'TYPE_MISMATCH', description:'The type (path '/') of a field in the old schema does "
	    "not match with the new schema', additionalInfo:'reader type: NULL not compatible with writer "
	    "type: INT'}\n" VERSION(1, "\"null\"") LAST("FORWARD") },
	{ LEVEL_BACKWARD, "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}",
	    { "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"C\",\"B\"]}" },
	    "{errorType:'MISSING_ENUM_SYMBOLS', description:'The new schema is missing enum symbols '[B, C]' "
	    "at path '/symbols' in the old schema', additionalInfo:'[B, C]'}\n"
	    VERSION(1, "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"C\",\"B\"]}") LAST("BACKWARD") },
	{ LEVEL_BACKWARD, "[\"int\"]", { "\"null\"" },
	    "{errorType:'MISSING_UNION_BRANCH', description:'The new schema is missing a type inside a union "
	    "field at path '/' in the old schema', additionalInfo:'reader union lacking writer type: NULL'}\n"
	    VERSION(1, "\"null\"") LAST("BACKWARD") },
	{ LEVEL_BACKWARD, RECORD("{\"name\":\"f\",\"type\":\"int\",\"aliases\":[\"f2\",\"f1\"]}"),
	    { RECORD(F1 "," F2) },
	    "Unexpected exception during compatibility check: Reader record field f type:INT pos:0 matches "
	    "multiple fields in writer record schema " RECORD(F1 "," F2) "\n"
	    VERSION(1, RECORD(F1 "," F2)) LAST("BACKWARD") },
};

static void
level_tells_what_is_in_conflict(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n = 0;
		char *told;

		while (n < 3 && cases[i].earlier[n] != NULL)
			n++;
		told = check(cases[i].level, cases[i].fresh, cases[i].earlier, n, false);
		CU_ASSERT(help_same(told, cases[i].told));
		free(told);
	}
}

static void
validate_fields_is_told(void)
{
	const char *earlier = "\"null\"";
	char *told = check(LEVEL_FULL_TRANSITIVE, "\"int\"", &earlier, 1, true);

	CU_ASSERT_PTR_NOT_NULL(strstr(told, "\n{validateFields: 'true', compatibility: 'FULL_TRANSITIVE'}"));
	free(told);
}

/* A fixed whose text is n UTF-16 units long: its documentation is of characters of two. */
static char *
long_schema(size_t n)
{
	static const char begin[] = "{\"type\":\"fixed\",\"name\":\"F\",\"doc\":\"", end[] = "\",\"size\":1}";
	size_t pairs = (n - strlen(begin) - strlen(end)) / 2;
	char *text = malloc(n * 2 + 1), *p;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	p = stpcpy(text, begin);
	for (size_t i = 0; i < pairs; i++)
		p = stpcpy(p, "\xf0\x9f\x8c\x8a");
	if ((n - strlen(begin) - strlen(end)) % 2 != 0)
		p = stpcpy(p, "x");
	stpcpy(p, end);
	return text;
}

static void
old_schema_is_cut_beyond_10240_units(void)
{
	char *just = long_schema(10240), *over = long_schema(10241), *told;
	const char *earlier = just;

	told = check(LEVEL_BACKWARD, "\"int\"", &earlier, 1, false);
	CU_ASSERT_PTR_NOT_NULL(strstr(told, "{oldSchema: '{\"type\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(told, ",\"size\":1}'}\n"));
	free(told);
	earlier = over;
	told = check(LEVEL_BACKWARD, "\"int\"", &earlier, 1, false);
	CU_ASSERT_PTR_NOT_NULL(strstr(told, "{oldSchema: <truncated> '{\"type\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(told, ",\"size\":1...'}\n"));
	free(told);
	free(just);
	free(over);
}

static void
names_are_taken_in_any_case(void)
{
	enum level level;

	for (enum level l = LEVEL_NONE; l <= LEVEL_FULL_TRANSITIVE; l++) {
		CU_ASSERT(level_parse(span_str(level_name(l)), &level));
		CU_ASSERT_EQUAL(level, l);
		CU_ASSERT_EQUAL(level_is_transitive(l), strstr(level_name(l), "_TRANSITIVE") != NULL);
	}
	CU_ASSERT(level_parse(span_str("Full_transitive"), &level));
	CU_ASSERT_EQUAL(level, LEVEL_FULL_TRANSITIVE);
	CU_ASSERT(!level_parse(span_str("FULLY"), &level));
	CU_ASSERT(!level_parse(span_str("FUL"), &level));
	CU_ASSERT(!level_parse(span_str(""), &level));
}

static void
types_are_known_by_name(void)
{
	enum schema_type type = SCHEMA_AVRO;

	CU_ASSERT(schema_type_parse(span_str("PROTOBUF"), &type));
	CU_ASSERT_EQUAL(type, SCHEMA_PROTOBUF);
	CU_ASSERT_STRING_EQUAL(schema_type_name(SCHEMA_JSON), "JSON");
	CU_ASSERT(!schema_type_parse(span_str("avro"), &type));
	CU_ASSERT(schema_type_supported(SCHEMA_AVRO));
	CU_ASSERT(!schema_type_supported(SCHEMA_JSON));
	CU_ASSERT(!schema_type_supported(SCHEMA_PROTOBUF));
}

static void
schema_of_any_type_prints_and_compares(void)
{
	struct schema *ref = parse("{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}"), *a, *b;
	struct schema_ref refs[] = { { span_str("F"), ref } };
	struct schema_mistake why;
	struct buf text = { 0 };

	CU_ASSERT_PTR_NULL(schema_parse(SCHEMA_AVRO, span_str("\"F\""), false, NULL, 0, &why));
	CU_ASSERT_STRING_EQUAL(why.text, "Undefined name: \"F\"");
	CU_ASSERT(!why.memory);
	a = schema_parse(SCHEMA_AVRO, span_str("{\"items\":\"F\",\"q\":1,\"p\":2,\"type\":\"array\"}"), true, refs, 1,
	    &why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	schema_free(ref);
	schema_print(a, false, &text);
	buf_u8(&text, ' ');
	schema_print(a, true, &text);
	buf_u8(&text, ' ');
	schema_print_format(a, span_str("resolved"), &text);
	buf_u8(&text, ' ');
	schema_print_format(a, span_str("unheard-of"), &text);
	CU_ASSERT(span_is(buf_bytes(&text), "{\"type\":\"array\",\"items\":\"F\",\"q\":1,\"p\":2} "
	    "{\"type\":\"array\",\"items\":\"F\",\"p\":2,\"q\":1} "
	    "{\"type\":\"array\",\"items\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},\"q\":1,\"p\":2} "
	    "{\"type\":\"array\",\"items\":\"F\",\"q\":1,\"p\":2}"));
	b = parse("{\"p\":2,\"q\":1,\"type\":\"array\",\"items\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}}");
	CU_ASSERT(schema_equal(a, b));
	schema_free(schema_share(a));
	CU_ASSERT_EQUAL(schema_type_of(a), SCHEMA_AVRO);
	schema_free(a);
	schema_free(b);
	buf_done(&text);
}

static void
too_small_an_arena_is_told(void)
{
	struct schema *a = parse(RECORD(F1)), *b = parse(RECORD(F2));
	struct level_version earlier = { 1, span_str(RECORD(F2)), b };

	for (size_t cap = 0; cap < 3000; cap += 16) {
		struct level_messages messages;
		struct arena arena;

		arena_init(&arena, cap);
		CU_ASSERT(!level_check(LEVEL_FULL, a, &earlier, 1, false, &arena, &messages));
		CU_ASSERT(messages.memory || messages.n == 5);
		arena_done(&arena);
	}
	schema_free(a);
	schema_free(b);
}

const struct unit_test level_tests[] = {
	UNIT(level_tells_what_is_in_conflict),
	UNIT(validate_fields_is_told),
	UNIT(old_schema_is_cut_beyond_10240_units),
	UNIT(names_are_taken_in_any_case),
	UNIT(types_are_known_by_name),
	UNIT(schema_of_any_type_prints_and_compares),
	UNIT(too_small_an_arena_is_told),
	UNIT_END
};
