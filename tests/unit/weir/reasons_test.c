/* reasons_test.c -- what registries tell of schemas that are not compatible, in plain sentences. */
#include "weir/reasons.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

#define NEW "{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"b\",\"type\":\"int\"}]}"
#define OLD "{\"type\":\"record\",\"name\":\"O\",\"fields\":[{\"name\":\"c\",\"type\":\"int\"},{\"name\":\"d\",\"type\":\"int\"}]}"

/* A message with the two schemas' names in their places. */
static const char *
conflict(struct arena *a, const char *type, const char *description, const char *info)
{
	return arena_printf(a, "{errorType:'%s', description:'%s', additionalInfo:'%s'}", type, description, info);
}

/* The list that a registry sends, of these messages, for a level; less the old schema where `cut`. */
static const struct json *
messages(struct arena *a, const char *const texts[], size_t n, const char *level, bool cut)
{
	struct buf b = { 0 };
	struct json_out o = json_out(&b);
	struct json_mistake why;
	const struct json *list;

	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		json_put_str(&o, texts[i]);
	json_put_str(&o, "{oldSchemaVersion: 3}");
	json_put_str(&o, cut ? "{oldSchema: <truncated> '{\"type...'}" : "{oldSchema: '" OLD "'}");
	json_put_str(&o, arena_printf(a, "{validateFields: 'false', compatibility: '%s'}", level));
	json_close(&o, ']');
	list = json_parse(a, span_of(arena_copy(a, b.p, b.n), b.n), &why);
	buf_done(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(list);
	return list;
}

static void
each_conflict_has_its_sentence_in_both_directions(void)
{
	static const struct {
		const char *type, *description, *info, *level, *path, *sentence;
	} rows[] = {
		{ "READER_FIELD_MISSING_DEFAULT_VALUE", "The field 'b' at path '/fields/1' in the new schema has no default value and is missing in the old schema",
		    "b", "BACKWARD", "N.b", "the new schema has this field, version 3 has not, and it has no default: give it one" },
		{ "READER_FIELD_MISSING_DEFAULT_VALUE", "The field 'd' at path '/fields/1' in the old schema has no default value and is missing in the new schema",
		    "d", "FORWARD", "O.d", "version 3 has this field and no default for it, the new schema has it no more: keep the field, since readers with version 3 need it" },
		{ "TYPE_MISMATCH", "The type (path '/fields/0/type') of a field in the new schema does not match with the old schema",
		    "reader type: INT not compatible with writer type: STRING", "FULL", "N.a", "it is int now, and string in version 3, which int can't read: keep the type, or add a field of another name, with a default" },
		{ "TYPE_MISMATCH", "The type (path '/fields/0/type') of a field in the old schema does not match with the new schema",
		    "reader type: INT not compatible with writer type: STRING", "FULL", "O.c", "it is string now, and readers with version 3, where it is int, can't read that: keep the type, or add a field of another name" },
		{ "NAME_MISMATCH", "The name of the schema has changed (path '/name')", "expected: x.O", "BACKWARD_TRANSITIVE", "N",
		    "the type is called x.O in version 3: keep the name, or add that one to its aliases" },
		{ "NAME_MISMATCH", "The name of the schema has changed (path '/name')", "expected: x.N", "FORWARD_TRANSITIVE", "O",
		    "the type is called x.N now, which readers with version 3 don't know: keep the name" },
		{ "FIXED_SIZE_MISMATCH", "The size of FIXED type field at path '/fields/0/type/size' in the new schema does not match with the old schema",
		    "expected: 4, found: 8", "BACKWARD", "N.a", "the size is 8 now, and 4 in version 3: keep it, or add a field of another name" },
		{ "FIXED_SIZE_MISMATCH", "The size of FIXED type field at path '/fields/0/type/size' in the old schema does not match with the new schema",
		    "expected: 8, found: 4", "FORWARD", "O.c", "the size is 8 now, and 4 in version 3: keep it, or add a field of another name" },
		{ "MISSING_ENUM_SYMBOLS", "The new schema is missing enum symbols '[A, B]' at path '/fields/1/type/symbols' in the old schema", "[A, B]", "BACKWARD", "N.b",
		    "the enum has lost what version 3 has: A, B: put it back, or give the enum a default" },
		{ "MISSING_ENUM_SYMBOLS", "The old schema is missing enum symbols '[A]' at path '/fields/1/type/symbols' in the new schema", "[A]", "FORWARD", "O.d",
		    "the enum has what readers with version 3 don't know: A: leave it out" },
		{ "MISSING_UNION_BRANCH", "The new schema is missing a type inside a union field at path '/fields/1/type/0' in the old schema",
		    "reader union lacking writer type: NULL", "BACKWARD", "N.b", "the union has no null, as version 3 has: put it back" },
		{ "MISSING_UNION_BRANCH", "The old schema is missing a type inside a union field at path '/fields/1/type/0' in the new schema",
		    "reader union lacking writer type: RECORD", "FORWARD", "O.d", "the union has record, which readers with version 3 can't take: leave it out" },
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct arena a;
		struct verdict v;
		struct reason *list;
		const char *text;
		size_t n;

		arena_init(&a, 1 << 20);
		text = conflict(&a, rows[i].type, rows[i].description, rows[i].info);
		verdict_read(&a, messages(&a, &text, 1, rows[i].level, false), &v);
		CU_ASSERT(v.version == 3 && strcmp(v.level, rows[i].level) == 0 && span_is(v.old_text, OLD));
		list = verdict_reasons(&a, &v, span_str(NEW), &n);
		CU_ASSERT_FATAL(n == 1);
		CU_ASSERT_STRING_EQUAL(list[0].type, rows[i].type);
		CU_ASSERT_STRING_EQUAL(list[0].path, rows[i].path);
		CU_ASSERT_STRING_EQUAL(list[0].sentence, rows[i].sentence);
		arena_done(&a);
	}
}

static void
what_is_not_known_is_passed_on(void)
{
	static const char *const texts[] = {
		"reader type: long not compatible with writer type: string",
		"Incompatible because of different schema type",
		"{errorType:\"FIELD_REMOVED\", description:\"The field at path '#/M/1' in the new schema is gone\"}",
		"{errorType:'TYPE_MISMATCH', description:'', additionalInfo:'something else'}",
		"{errorType:'NAME_MISMATCH'",
		"{errorType:",
		"",
	};
	struct arena a;
	struct verdict v;
	struct reason *list;
	size_t n;

	arena_init(&a, 1 << 20);
	verdict_read(&a, messages(&a, texts, N_OF(texts), "BACKWARD", false), &v);
	list = verdict_reasons(&a, &v, span_str(NEW), &n);
	CU_ASSERT_FATAL(n == N_OF(texts));
	for (size_t i = 0; i < n; i++) {
		CU_ASSERT_STRING_EQUAL(list[i].sentence, texts[i]);
		CU_ASSERT_STRING_EQUAL(list[i].path, "");
	}
	CU_ASSERT_STRING_EQUAL(list[0].type, "");
	CU_ASSERT_STRING_EQUAL(list[2].type, "FIELD_REMOVED");
	arena_done(&a);
}

static void
without_schemas_places_are_as_they_came(void)
{
	struct arena a;
	struct verdict v;
	struct reason *list;
	const char *text;
	size_t n;

	arena_init(&a, 1 << 20);
	text = conflict(&a, "READER_FIELD_MISSING_DEFAULT_VALUE",
	    "The field 'd' at path '/fields/7' in the old schema has no default value and is missing in the new schema", "d");
	verdict_read(&a, messages(&a, &text, 1, "FORWARD", true), &v);
	CU_ASSERT(v.version == 3 && v.old_text.p == NULL);
	list = verdict_reasons(&a, &v, span_str("syntax = \"proto3\";"), &n);
	CU_ASSERT_FATAL(n == 1);
	CU_ASSERT_STRING_EQUAL(list[0].path, "/fields/7");
	verdict_read(&a, NULL, &v);
	verdict_reasons(&a, &v, span_of(NULL, 0), &n);
	CU_ASSERT(n == 0 && v.version == 0 && v.level == NULL);
	arena_done(&a);
}

const struct unit_test reasons_tests[] = {
	UNIT(each_conflict_has_its_sentence_in_both_directions),
	UNIT(what_is_not_known_is_passed_on),
	UNIT(without_schemas_places_are_as_they_came),
	UNIT_END
};
