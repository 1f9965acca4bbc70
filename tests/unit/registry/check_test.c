/* check_test.c -- which versions each level compares with, in which direction, and what is told. */
#include <stdio.h>
#include <string.h>

#include "unit/registry/world.h"
#include "unit/unit.h"

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define A "{\"name\":\"a\",\"type\":\"int\"}"
#define B "{\"name\":\"b\",\"type\":\"int\"}"
#define B_DEFAULT "{\"name\":\"b\",\"type\":\"int\",\"default\":1}"
#define C_DEFAULT "{\"name\":\"c\",\"type\":\"int\",\"default\":1}"

/* Versions 1 to 3 of s, of which the last is deleted. */
static void
fill(struct world *w)
{
	world_config(w, NULL, "{\"compatibility\":\"NONE\"}");
	SAME(world_register(w, "s", RECORD(A "," B)), "1/1");
	SAME(world_register(w, "s", RECORD(A)), "2/2");
	SAME(world_register(w, "s", "\"string\""), "3/3");
	SAME(world_delete_version(w, "s", 3, false), "3");
}

/* The versions that a check found fault with, as they are named in the messages. */
static int
faulty(const char *messages)
{
	const char *at = strstr(messages, "{oldSchemaVersion: ");

	return at == NULL ? 0 : at[19] - '0';
}

static void
levels_compare_with_their_versions(void)
{
	static const struct {
		const char *level, *text;
		int faulty; /* 0: compatible */
	} cases[] = {
		{ "NONE", "\"int\"", 0 },
		{ "BACKWARD", RECORD(A "," B_DEFAULT), 0 },
		{ "BACKWARD", RECORD(A "," B), 2 },
		{ "BACKWARD", RECORD(A "," C_DEFAULT), 0 },
		{ "BACKWARD", "\"string\"", 2 }, /* the deleted one is not asked */
		{ "BACKWARD_TRANSITIVE", RECORD(A "," C_DEFAULT), 0 },
		{ "BACKWARD_TRANSITIVE", RECORD(A "," B), 2 },
		{ "BACKWARD_TRANSITIVE", RECORD(A ",{\"name\":\"b\",\"type\":\"string\",\"default\":\"\"}"), 1 },
		{ "FORWARD", RECORD(A), 0 },
		{ "FORWARD", RECORD(A ",{\"name\":\"b\",\"type\":\"string\"}"), 0 },
		{ "FORWARD", RECORD(B), 2 },
		{ "FORWARD_TRANSITIVE", RECORD(A), 1 },
		{ "FORWARD_TRANSITIVE", RECORD(A "," B), 0 },
		{ "FULL", RECORD(A "," B_DEFAULT), 0 },
		{ "FULL", RECORD(A "," B), 2 },
		{ "FULL_TRANSITIVE", RECORD(A "," B_DEFAULT), 0 },
		{ "FULL_TRANSITIVE", RECORD(A "," C_DEFAULT), 1 }, /* version 1 finds no b in it */
	};
	struct world w;

	world_init(&w);
	fill(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *messages;

		world_config(&w, "s", arena_printf(&w.arena, "{\"compatibility\":\"%s\"}", cases[i].level));
		messages = world_check(&w, "s", 0, cases[i].text);
		CU_ASSERT_EQUAL(messages[0] == '\0', cases[i].faulty == 0);
		/* At FULL the version is told only with what the new schema can't read. */
		CU_ASSERT(faulty(messages) == cases[i].faulty || (faulty(messages) == 0 && strncmp(cases[i].level, "FULL", 4) == 0));
	}
	world_done(&w);
}

static void
messages_are_those_of_the_reference(void)
{
	struct world w;

	world_init(&w);
	fill(&w);
	world_config(&w, "s", "{\"compatibility\":\"BACKWARD\"}");
	SAME(world_check(&w, "s", 0, RECORD(A "," B)),
	    "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'b' at path '/fields/1' in the new schema has no "
	    "default value and is missing in the old schema', additionalInfo:'b'}\n{oldSchemaVersion: 2}\n{oldSchema: '" RECORD(A) "'}\n"
	    "{validateFields: 'false', compatibility: 'BACKWARD'}\n");
	world_done(&w);
}

static void
single_versions_are_compared_with_at_the_levels_direction(void)
{
	static const struct {
		int32_t version;
		const char *text;
		int faulty;
	} cases[] = {
		{ 1, RECORD(A "," B), 0 },
		{ 2, RECORD(A "," B), 2 },
		{ REGISTRY_LATEST, RECORD(A "," B), 2 },
		{ REGISTRY_LATEST, RECORD(A), 0 },
	};
	struct world w;

	world_init(&w);
	fill(&w);
	world_config(&w, "s", "{\"compatibility\":\"BACKWARD_TRANSITIVE\"}");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CU_ASSERT_EQUAL(faulty(world_check(&w, "s", cases[i].version, cases[i].text)), cases[i].faulty);
	SAME(world_check(&w, "s", 3, RECORD(A)), "40402 Version 3 not found.");
	SAME(world_check(&w, "s", 9, RECORD(A)), "40402 Version 9 not found.");
	SAME(world_check(&w, "none", 1, RECORD(A)), "40402 Version 1 not found.");
	SAME(world_check(&w, "none", 1, "{bad"), "40402 Version 1 not found.");
	SAME(world_check(&w, "none", REGISTRY_LATEST, RECORD(A)), "");
	SAME(world_check(&w, "none", 0, RECORD(A)), "");
	world_done(&w);
}

static void
other_types_are_incompatible(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1}",
	    "{\"subject\":\"s\",\"version\":1,\"id\":1,\"schemaType\":\"JSON\",\"schema\":\"{}\",\"deleted\":false}");
	SAME(world_check(&w, "s", 0, "\"int\""),
	    "Incompatible because of different schema type\n{validateFields: 'false', compatibility: 'BACKWARD'}\n");
	SAME(world_register(&w, "s", "\"int\""), "409 Schema being registered is incompatible with an earlier schema for subject \"s\", "
	    "details: [Incompatible because of different schema type, {validateFields: 'false', compatibility: 'BACKWARD'}]");
	world_config(&w, "s", "{\"compatibility\":\"NONE\"}");
	SAME(world_check(&w, "s", 1, "\"int\""), "");
	SAME(world_register(&w, "s", "\"int\""), "2/2");
	/* Types differ only behind the version that is compared with. */
	world_config(&w, "s", "{\"compatibility\":\"BACKWARD\"}");
	SAME(world_check(&w, "s", 0, "\"long\""), "");
	world_config(&w, "s", "{\"compatibility\":\"BACKWARD_TRANSITIVE\"}");
	SAME(world_check(&w, "s", 0, "\"long\""),
	    "Incompatible because of different schema type\n{validateFields: 'false', compatibility: 'BACKWARD_TRANSITIVE'}\n");
	world_done(&w);
}

static const char *
register_in_group(struct world *w, const char *text, const char *group)
{
	struct schema_request q = { .text = span_str(text) };

	if (group != NULL)
		q.metadata = world_json(w, arena_printf(&w->arena, "{\"properties\":{\"major\":\"%s\"}}", group));
	return world_request(w, "s", &q);
}

static const char *
check_in_group(struct world *w, int32_t version, const char *text, const char *group)
{
	struct schema_request q = { .text = span_str(text),
		.metadata = world_json(w, arena_printf(&w->arena, "{\"properties\":{\"major\":\"%s\"}}", group)) };
	struct level_messages messages;
	struct refusal why;
	bool compatible;

	if (!registry_check(w->registry, span_str("s"), version, &q, &w->arena, &compatible, &messages, &why))
		return world_refusal(w, &why);
	return compatible ? "compatible" : "not";
}

static void
only_versions_of_the_group_are_compared(void)
{
	struct world w;

	world_init(&w);
	world_config(&w, NULL, "{\"compatibilityGroup\":\"major\"}");
	SAME(register_in_group(&w, "\"int\"", "1"), "1/1");
	CU_ASSERT(strncmp(register_in_group(&w, "\"string\"", "1"), "409 ", 4) == 0);
	SAME(register_in_group(&w, "\"string\"", "2"), "2/2");
	/* Also where one is compared with. */
	SAME(check_in_group(&w, 1, "\"string\"", "2"), "compatible");
	SAME(check_in_group(&w, REGISTRY_LATEST, "\"boolean\"", "1"), "compatible");
	SAME(check_in_group(&w, 1, "\"string\"", "1"), "not");
	/* What says nothing of it is of the group of the version before. */
	CU_ASSERT(strncmp(register_in_group(&w, "\"boolean\"", NULL), "409 ", 4) == 0);
	SAME(register_in_group(&w, "\"bytes\"", NULL), "3/3");
	SAME(register_in_group(&w, "\"long\"", "1"), "4/4");
	SAME(world_config(&w, NULL, "{\"compatibilityGroup\":null}"), "");
	CU_ASSERT(strncmp(register_in_group(&w, "\"string\"", "4"), "409 ", 4) == 0);
	world_done(&w);
}

/* ---- what bounds a comparison ---- */

/* A record of n fields. */
static const char *
record_of(struct world *w, int n, const char *type, int doc)
{
	struct buf text = { 0 };
	const char *kept;

	buf_printf(&text, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[");
	for (int i = 0; i < n; i++)
		buf_printf(&text, "%s{\"name\":\"f%d\",\"type\":%s,\"doc\":\"%d\"}", i == 0 ? "" : ",", i, type, doc);
	kept = arena_printf(&w->arena, "%.*s]}", (int)text.n, (const char *)text.p);
	buf_done(&text);
	return kept;
}

/* So many versions of s, which differ by their documentation. */
static void
fill_with_versions(struct world *w, int n, int fields)
{
	for (int i = 1; i <= n; i++) {
		struct buf value = { 0 };
		struct json_out o = json_out(&value);

		json_open(&o, '{');
		json_key(&o, "id");
		json_put_int(&o, i);
		json_put_member(&o, "schema", span_str(record_of(w, fields, "\"int\"", i)));
		json_close(&o, '}');
		world_apply(w, span_str(arena_printf(&w->arena,
		    "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":%d,\"magic\":1}", i)), buf_bytes(&value));
		buf_done(&value);
	}
}

static void
a_history_may_be_long(void)
{
	struct world w;

	world_init(&w);
	fill_with_versions(&w, 1500, 1);
	world_config(&w, NULL, "{\"compatibility\":\"FULL_TRANSITIVE\"}");
	SAME(world_check(&w, "s", 0, RECORD("{\"name\":\"f0\",\"type\":\"int\"}")), "");
	SAME(world_register(&w, "s", RECORD("{\"name\":\"f0\",\"type\":\"int\"}")), "1501/1501");
	CU_ASSERT_EQUAL(strncmp(world_register(&w, "s", RECORD("{\"name\":\"f0\",\"type\":\"string\"}")), "409 ", 4), 0);
	world_done(&w);
}

/* A check in so much memory: "" or a message, or the refusal. */
static const char *
check_within(struct world *w, size_t bytes, const char *text)
{
	struct schema_request q = { .text = span_str(text) };
	struct level_messages messages;
	struct refusal why = { 0 };
	const char *told = "";
	struct arena small;
	bool compatible;

	arena_init(&small, bytes);
	if (!registry_check(w->registry, span_str("s"), 0, &q, &small, &compatible, &messages, &why))
		told = world_refusal(w, &why);
	else if (!compatible)
		told = arena_printf(&w->arena, "%s", messages.list[messages.n - 1]);
	arena_done(&small);
	return told;
}

/* What one comparison takes there is for the next again. */
static void
memory_bounds_one_comparison(void)
{
	enum { ENOUGH = 16 * 1024, TOO_LITTLE = 3 * 1024 };
	const char *text;
	struct world w;

	world_init(&w);
	world_config(&w, NULL, "{\"compatibility\":\"BACKWARD_TRANSITIVE\"}");
	fill_with_versions(&w, 100, 40);
	text = record_of(&w, 40, "[\"int\",\"null\"]", 0);
	SAME(check_within(&w, ENOUGH, text), "");
	SAME(check_within(&w, TOO_LITTLE, text), "42209 Register operation failed because schema is too large");
	SAME(check_within(&w, ENOUGH, RECORD("{\"name\":\"f0\",\"type\":\"string\"}")),
	    "{validateFields: 'false', compatibility: 'BACKWARD_TRANSITIVE'}");
	world_done(&w);
}

/* ---- what bounds references ---- */

/* The subject c<n>, whose record refers to that of the one before. */
static const char *
register_in_chain(struct world *w, const char *subject, int n, const char *more)
{
	struct reference before = { span_str(arena_printf(&w->arena, "C%d", n - 1)), span_str(arena_printf(&w->arena, "c%d", n - 1)), 1 };
	struct schema_request q = { .references = &before, .n_references = n > 0 };

	q.text = span_str(n == 0 ? arena_printf(&w->arena, "{\"type\":\"record\",\"name\":\"C0\",\"fields\":[%s]}", more) :
	    arena_printf(&w->arena, "{\"type\":\"record\",\"name\":\"C%d\",\"fields\":[{\"name\":\"f\",\"type\":\"C%d\"}%s]}",
		n, n - 1, more));
	return world_request(w, subject, &q);
}

/* Whether the schema of an id can be parsed; "" or the refusal. */
static const char *
parse_stored(struct world *w, int32_t id)
{
	struct refusal why;
	struct schema *s = registry_schema(w->registry, registry_by_id(w->registry, span_str("."), id), &w->arena, &why);

	if (s == NULL)
		return world_refusal(w, &why);
	schema_free(s);
	return "";
}

static void
references_are_as_deep_when_they_are_stored(void)
{
	struct world w;

	world_init(&w);
	for (int i = 0; i <= 32; i++)
		SAME(register_in_chain(&w, arena_printf(&w.arena, "c%d", i), i, ""), arena_printf(&w.arena, "%d/1", i + 1));
	SAME(register_in_chain(&w, "c33", 33, ""), "42201 Too many references");
	/* What could be registered can be read, and have a next version. */
	SAME(parse_stored(&w, 33), "");
	SAME(register_in_chain(&w, "c32", 32, ",{\"name\":\"b\",\"type\":\"int\",\"default\":1}"), "34/2");
	/* What could not be, can't. */
	world_put(&w, "{\"keytype\":\"SCHEMA\",\"subject\":\"c33\",\"version\":1,\"magic\":1}",
	    "{\"id\":35,\"schema\":\"\\\"C32\\\"\",\"references\":[{\"name\":\"C32\",\"subject\":\"c32\",\"version\":1}]}");
	SAME(parse_stored(&w, 35), "42201 Too many references");
	world_done(&w);
}

static void
references_are_as_many_when_they_are_stored(void)
{
	enum { MOST = 1000 };
	struct reference list[MOST + 1];
	struct schema_request q = { .text = span_str("\"int\""), .references = list };
	struct world w;

	world_init(&w);
	for (int i = 0; i <= MOST; i++) {
		list[i] = (struct reference){ span_str("x"), span_str(arena_printf(&w.arena, "r%d", i)), 1 };
		world_register(&w, (const char *)list[i].subject.p,
		    arena_printf(&w.arena, "{\"type\":\"fixed\",\"name\":\"F%d\",\"size\":1}", i));
	}
	q.n_references = MOST + 1;
	SAME(world_request(&w, "s", &q), "42201 Too many references");
	q.n_references = MOST;
	SAME(world_request(&w, "s", &q), arena_printf(&w.arena, "%d/1", MOST + 2));
	SAME(parse_stored(&w, MOST + 2), "");
	/* The version that it is compared with has as many of its own. */
	q.text = span_str("\"long\"");
	q.references = list + 1;
	SAME(world_request(&w, "s", &q), arena_printf(&w.arena, "%d/2", MOST + 3));
	world_config(&w, NULL, "{\"compatibility\":\"BACKWARD_TRANSITIVE\"}");
	q.text = span_str("\"double\"");
	SAME(world_request(&w, "s", &q), arena_printf(&w.arena, "%d/3", MOST + 4));
	world_done(&w);
}

const struct unit_test check_tests[] = {
	UNIT(levels_compare_with_their_versions),
	UNIT(messages_are_those_of_the_reference),
	UNIT(single_versions_are_compared_with_at_the_levels_direction),
	UNIT(other_types_are_incompatible),
	UNIT(only_versions_of_the_group_are_compared),
	UNIT(a_history_may_be_long),
	UNIT(memory_bounds_one_comparison),
	UNIT(references_are_as_deep_when_they_are_stored),
	UNIT(references_are_as_many_when_they_are_stored),
	UNIT_END
};
