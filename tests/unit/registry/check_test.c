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

static void
only_versions_of_the_group_are_compared(void)
{
	struct world w;

	world_init(&w);
	world_config(&w, NULL, "{\"compatibilityGroup\":\"major\"}");
	SAME(register_in_group(&w, "\"int\"", "1"), "1/1");
	CU_ASSERT(strncmp(register_in_group(&w, "\"string\"", "1"), "409 ", 4) == 0);
	SAME(register_in_group(&w, "\"string\"", "2"), "2/2");
	/* What says nothing of it is of the group of the version before. */
	CU_ASSERT(strncmp(register_in_group(&w, "\"boolean\"", NULL), "409 ", 4) == 0);
	SAME(register_in_group(&w, "\"bytes\"", NULL), "3/3");
	SAME(register_in_group(&w, "\"long\"", "1"), "4/4");
	SAME(world_config(&w, NULL, "{\"compatibilityGroup\":null}"), "");
	CU_ASSERT(strncmp(register_in_group(&w, "\"string\"", "4"), "409 ", 4) == 0);
	world_done(&w);
}

const struct unit_test check_tests[] = {
	UNIT(levels_compare_with_their_versions),
	UNIT(messages_are_those_of_the_reference),
	UNIT(single_versions_are_compared_with_at_the_levels_direction),
	UNIT(other_types_are_incompatible),
	UNIT(only_versions_of_the_group_are_compared),
	UNIT_END
};
