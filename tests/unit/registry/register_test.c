/* register_test.c -- registration: ids, versions, what is the same schema, the order of checks, what is written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/registry/world.h"
#include "unit/unit.h"

#define KEY(subject, version) "{\"keytype\":\"SCHEMA\",\"subject\":\"" subject "\",\"version\":" #version ",\"magic\":1}"
#define AGAIN "0 " /* others are to have the state first */
#define INT "\"int\""
#define LONG "\"long\""
#define RECORD(more) "{\"type\":\"record\",\"name\":\"R\"" more ",\"fields\":[{\"name\":\"f\",\"type\":\"int\"}]}"
#define FIXED "{\"type\":\"fixed\",\"name\":\"T\",\"size\":4}"
#define USER "{\"type\":\"record\",\"name\":\"U\",\"fields\":[{\"name\":\"f\",\"type\":\"T\"}]}"
#define INLINED "{\"type\":\"record\",\"name\":\"U\",\"fields\":[{\"name\":\"f\",\"type\":" FIXED "}]}"

static void
a_registration_writes_one_record(void)
{
	struct world w;

	world_init(&w);
	SAME(world_register(&w, "t-value", "\"string\""), "1/1");
	SAME(world_writes(&w), KEY("t-value", 1) " {\"subject\":\"t-value\",\"version\":1,\"id\":1,\"schemaType\":\"AVRO\","
						 "\"schema\":\"\\\"string\\\"\",\"deleted\":false}\n");
	SAME(world_register(&w, "t-value", " { \"type\" : \"string\" } "), "1/1");
	SAME(world_writes(&w), "");
	world_done(&w);
}

static void
a_new_context_gets_a_record(void)
{
	struct world w;

	world_init(&w);
	SAME(world_register(&w, ":.c:s", INT), "1/1");
	SAME(world_writes(&w), "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".c\",\"magic\":0} "
			       "{\"tenant\":\"default\",\"context\":\".c\"}\n" KEY(":.c:s", 1)
			       " {\"subject\":\":.c:s\",\"version\":1,\"id\":1,\"schemaType\":\"AVRO\",\"schema\":\"\\\"int\\\"\","
			       "\"deleted\":false}\n");
	SAME(world_register(&w, ":.c:t", LONG), "2/1");
	CU_ASSERT_EQUAL(w.plan.n_writes, 1);
	world_done(&w);
}

static void
ids_go_with_the_content_in_a_context(void)
{
	struct world w;

	world_init(&w);
	SAME(world_register(&w, "a", INT), "1/1");
	SAME(world_register(&w, "b", LONG), "2/1");
	SAME(world_register(&w, "b", "\"double\""), "3/2");
	SAME(world_register(&w, "c", INT), "1/1");
	SAME(world_register(&w, ":.c:a", LONG), "1/1");
	/* An id is never given out again, whatever becomes of who had it. */
	world_delete(&w, "b", false);
	SAME(world_register(&w, "d", LONG), "2/1");
	world_delete(&w, "d", false);
	world_delete(&w, "b", true);
	world_delete(&w, "d", true);
	SAME(world_register(&w, "d", LONG), "4/1");
	world_done(&w);
}

static void
versions_follow_the_highest_there_is(void)
{
	struct world w;

	world_init(&w);
	SAME(world_register(&w, "s", INT), "1/1");
	SAME(world_register(&w, "s", LONG), "2/2");
	SAME(world_delete_version(&w, "s", 2, false), "2");
	/* The content of a deleted version comes back with a new number, and the old one goes. */
	SAME(world_register(&w, "s", LONG), "2/3");
	SAME(world_writes(&w), KEY("s", 2) " null\n" KEY("s", 3)
	    " {\"subject\":\"s\",\"version\":3,\"id\":2,\"schemaType\":\"AVRO\",\"schema\":\"\\\"long\\\"\",\"deleted\":false}\n");
	SAME(world_versions(&w, "s", REGISTRY_ALL), "1 3");
	world_delete_version(&w, "s", 3, false);
	SAME(world_register(&w, "s", "\"float\""), "3/4");
	world_delete_version(&w, "s", 4, false);
	world_delete_version(&w, "s", 4, true);
	SAME(world_register(&w, "s", "\"double\""), "4/4");
	world_delete(&w, "s", false);
	world_delete(&w, "s", true);
	SAME(world_register(&w, "s", INT), "5/1");
	world_done(&w);
}

static void
a_deleted_version_that_somebody_refers_to_stays(void)
{
	struct reference ref = { span_str("T"), span_str("t"), 1 };
	struct schema_request user = { .text = span_str(USER), .references = &ref, .n_references = 1 };
	struct world w;

	world_init(&w);
	SAME(world_register(&w, "t", FIXED), "1/1");
	SAME(world_request(&w, "u", &user), "2/1");
	world_delete(&w, "u", false);
	world_delete(&w, "t", false);
	SAME(world_register(&w, "t", FIXED), "1/2");
	SAME(world_versions(&w, "t", REGISTRY_ALL), "-1 2");
	world_done(&w);
}

static void
a_version_that_is_asked_for_must_be_the_next(void)
{
	struct schema_request q = { .text = span_str(LONG), .version = 1 };
	struct world w;

	world_init(&w);
	SAME(world_register(&w, "s", INT), "1/1");
	SAME(world_request(&w, "s", &q), "42201 Version is not one more than previous version");
	q.version = 3;
	SAME(world_request(&w, "s", &q), "42201 Version is not one more than previous version");
	q.version = 2;
	SAME(world_request(&w, "s", &q), "2/2");
	q = (struct schema_request){ .text = span_str("\"double\""), .version = -1 };
	SAME(world_request(&w, "s", &q), "3/3");
	world_done(&w);
}

/* ---- the same schema ---- */

static void
spelling_does_not_matter_but_content_does(void)
{
	static const struct {
		const char *text, *answer;
	} cases[] = {
		{ RECORD(""), "1/1" },
		{ "{\"name\":\"R\",\"fields\":[{\"type\":{\"type\":\"int\"},\"name\":\"f\"}],\"type\":\"record\"}", "1/1" },
		{ RECORD(",\"namespace\":\"\""), "1/1" },
		{ RECORD(",\"doc\":\"d\""), "2/2" },
		{ RECORD(",\"aliases\":[\"Q\"]"), "3/3" },
		{ RECORD(",\"x\":{\"a\":1,\"b\":2}"), "4/4" },
		{ RECORD(",\"x\":{\"b\":2,\"a\":1}"), "4/4" }, /* Java compares properties as maps */
		{ RECORD(",\"x\":{\"a\":1,\"b\":3}"), "5/5" },
	};
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		SAME(world_register(&w, "s", cases[i].text), cases[i].answer);
	world_done(&w);
}

/* Karapace keeps texts as they came, but for the order of their members; they are found by what they say. */
static void
texts_that_others_keep_in_their_spelling_are_found(void)
{
	static const char *const stored[] = {
		"{\\\"type\\\":\\\"int\\\"}",
		"{\\\"fields\\\":[{\\\"name\\\":\\\"f\\\",\\\"type\\\":{\\\"type\\\":\\\"int\\\"}}],"
		"\\\"name\\\":\\\"a.R\\\",\\\"type\\\":\\\"record\\\"}",
		"{\\\"name\\\":\\\"U\\\",\\\"fields\\\": [ {\\\"type\\\":\\\"a.R\\\", \\\"name\\\":\\\"f\\\"}],\\\"type\\\":\\\"record\\\"}"
		"\",\"references\":[{\"name\":\"a.R\",\"subject\":\"s\",\"version\":2}],\"x\":\"",
	};
	static const char *const keys[] = { KEY("s", 1), KEY("s", 2), KEY("s", 3) };
	struct reference on_r = { span_str("a.R"), span_str("s"), 2 };
	struct schema_request user = { .references = &on_r, .n_references = 1,
		.text = span_str("{\"type\":\"record\",\"name\":\"U\",\"fields\":[{\"name\":\"f\",\"type\":\"a.R\"}]}") };
	struct world w;

	world_init(&w);
	for (int i = 0; i < 3; i++) {
		char value[512];

		snprintf(value, sizeof value, "{\"subject\":\"s\",\"version\":%d,\"id\":%d,\"schema\":\"%s\",\"deleted\":false}",
		    i + 1, 70 + i, stored[i]);
		world_put(&w, keys[i], value);
	}
	SAME(world_lookup(&w, "s", INT, REGISTRY_LIVE), "70/1");
	SAME(world_lookup(&w, "s", "{\"type\":\"int\"}", REGISTRY_LIVE), "70/1");
	SAME(world_register(&w, "s", RECORD(",\"namespace\":\"a\"")), "71/2");
	SAME(world_request(&w, "s", &user), "72/3");
	SAME(world_lookup(&w, "s", LONG, REGISTRY_LIVE), "40403 Schema not found");
	world_done(&w);
}

/* What is to be printed for a fingerprint: the state is given to others after some of it. */
static void
a_look_up_of_much_text_goes_on_where_it_was(void)
{
	enum { VERSIONS = 3, BYTES = 5 << 20 };
	char *doc = malloc(BYTES), *value = malloc(BYTES + 512);
	int pieces = 0;
	struct world w;

	CU_ASSERT_FATAL(doc != NULL && value != NULL);
	memset(doc, 'x', BYTES);
	world_init(&w);
	for (int i = 1; i <= VERSIONS; i++) {
		char key[128];

		snprintf(key, sizeof key, "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":%d,\"magic\":1}", i);
		snprintf(value, BYTES + 512, "{\"subject\":\"s\",\"version\":%d,\"id\":%d,\"schema\":\"{\\\"type\\\":\\\"record\\\","
		    "\\\"name\\\":\\\"R%d\\\",\\\"fields\\\":[],\\\"doc\\\":\\\"%.*s\\\"}\",\"deleted\":false}", i, i, i, (int)BYTES, doc);
		world_put(&w, key, value);
	}
	while (strcmp(world_lookup(&w, "s", INT, REGISTRY_LIVE), AGAIN) == 0)
		pieces++;
	CU_ASSERT(pieces > 0 && pieces <= VERSIONS);
	SAME(world_lookup(&w, "s", INT, REGISTRY_LIVE), "40403 Schema not found");
	snprintf(value, BYTES + 512, "{\"type\":\"record\",\"name\":\"R1\",\"doc\":\"%.*s\",\"fields\":[]}", (int)BYTES, doc);
	/* What has been made is kept. */
	SAME(world_lookup(&w, "s", value, REGISTRY_LIVE), "1/1");
	/* What is looked for in many contexts does not count: nothing would be kept of that. */
	for (int i = 0; i < 4; i++)
		SAME(world_register(&w, arena_printf(&w.arena, ":.c%d:t", i), INT), "1/1");
	SAME(world_lookup(&w, "t", value, REGISTRY_LIVE), "40401 Subject 't' not found.");
	world_done(&w);
	free(value);
	free(doc);
}

static void
metadata_and_rules_belong_to_the_schema(void)
{
	static const struct {
		const char *metadata, *rules, *answer;
	} cases[] = {
		{ NULL, NULL, "1/1" },
		{ "{\"properties\":{\"a\":\"1\"}}", NULL, "2/2" },
		{ "{\"properties\":{\"a\":\"2\"}}", NULL, "3/3" },
		{ "{\"properties\":{\"a\":\"1\"}}", NULL, "2/2" },
		{ NULL, "{\"domainRules\":[{\"type\":\"CEL\",\"name\":\"r\"}]}", "4/4" },
		{ NULL, NULL, "1/1" },
	};
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema_request q = { .text = span_str(INT) };

		q.metadata = cases[i].metadata == NULL ? NULL : world_json(&w, cases[i].metadata);
		q.rule_set = cases[i].rules == NULL ? NULL : world_json(&w, cases[i].rules);
		SAME(world_request(&w, "s", &q), cases[i].answer);
	}
	world_done(&w);
}

/* The metadata of the last registration's record, as JSON. */
static const char *
metadata_of(struct world *w, int32_t id)
{
	const struct json *m = registry_by_id(w->registry, span_str("."), id)->metadata;
	struct buf text = { 0 };
	const char *kept;

	json_print(&text, m);
	kept = arena_printf(&w->arena, "%.*s", (int)text.n, (const char *)text.p);
	buf_done(&text);
	return kept;
}

static void
metadata_comes_from_the_version_before_and_the_config(void)
{
	struct schema_request q = { .text = span_str(INT) };
	struct world w;

	world_init(&w);
	q.metadata = world_json(&w, "{\"properties\":{\"a\":\"1\"}}");
	SAME(world_request(&w, "s", &q), "1/1");
	SAME(world_register(&w, "s", INT), "1/1");
	SAME(world_register(&w, "s", LONG), "2/2");
	SAME(metadata_of(&w, 2), "{\"properties\":{\"a\":\"1\"}}");
	SAME(world_config(&w, "s", "{\"defaultMetadata\":{\"properties\":{\"a\":\"0\",\"b\":\"0\"},\"tags\":{\"t\":[\"x\"]}},"
				   "\"overrideMetadata\":{\"properties\":{\"c\":\"9\"},\"tags\":{\"t\":[\"x\",\"y\"]},\"sensitive\":[\"c\"]}}"), "");
	SAME(world_register(&w, "s", LONG), "3/3");
	SAME(metadata_of(&w, 3), "{\"tags\":{\"t\":[\"x\",\"y\"]},\"properties\":{\"a\":\"1\",\"b\":\"0\",\"c\":\"9\"},\"sensitive\":[\"c\"]}");
	/* Again it is the same. */
	SAME(world_register(&w, "s", LONG), "3/3");
	SAME(world_writes(&w), "");
	world_done(&w);
}

static void
rules_are_checked_first(void)
{
	static const struct {
		const char *rules, *answer;
	} cases[] = {
		{ "{\"domainRules\":[{\"name\":\"r\"}]}", "42210 Missing rule type" },
		{ "{\"domainRules\":[{\"type\":\"CEL\"}]}", "42210 Missing rule name" },
		{ "{\"domainRules\":[{\"type\":\"CEL\",\"name\":\"\"}]}", "42210 Empty rule name" },
		{ "{\"domainRules\":[{\"type\":\"CEL\",\"name\":\"1r\"}]}", "42210 Illegal initial character in rule name: 1r" },
		{ "{\"domainRules\":[{\"type\":\"CEL\",\"name\":\"r.\"}]}", "42210 Illegal character in rule name: r." },
		{ "{\"domainRules\":[{\"type\":\"CEL\",\"name\":\"r\",\"mode\":\"UPGRADE\"}]}",
		    "42210 Domain rules can only be WRITE, READ, WRITEREAD" },
		{ "{\"migrationRules\":[{\"type\":\"CEL\",\"name\":\"r\",\"mode\":\"READ\"}]}",
		    "42210 Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN" },
		{ "{\"migrationRules\":[{\"type\":\"CEL\",\"name\":\"r\",\"mode\":\"UPDOWN\"}],\"domainRules\":[{\"type\":\"CEL\",\"name\":\"r\"}]}",
		    "42210 Found rule with duplicate name 'r'" },
		{ "{\"domainRules\":[{\"type\":\"CEL\",\"name\":\"r-1\",\"mode\":\"WRITE\"}]}", "42208 The specified subject '__EMPTY' is not a valid." },
		{ "{}", "42208 The specified subject '__EMPTY' is not a valid." },
	};
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema_request q = { .text = span_str(INT), .rule_set = world_json(&w, cases[i].rules) };

		SAME(world_request(&w, "__EMPTY", &q), cases[i].answer);
		SAME(world_config(&w, "__EMPTY", arena_printf(&w.arena, "{\"defaultRuleSet\":%s}", cases[i].rules)), cases[i].answer);
	}
	world_done(&w);
}

static void
without_a_text_that_of_the_version_before_is_meant(void)
{
	struct schema_request q = { .text = span_str("") };
	struct world w;

	world_init(&w);
	SAME(world_request(&w, "s", &q), "42201 Empty schema");
	q.metadata = world_json(&w, "{\"properties\":{\"a\":\"1\"}}");
	SAME(world_request(&w, "s", &q), "42201 Empty schema");
	SAME(world_register(&w, "s", INT), "1/1");
	SAME(world_request(&w, "s", &q), "2/2");
	CU_ASSERT(span_is(registry_by_id(w.registry, span_str("."), 2)->text, INT));
	world_done(&w);
}

static void
references_belong_to_the_schema(void)
{
	struct reference ref = { span_str("T"), span_str("t"), REGISTRY_LATEST }, none = { span_str("T"), span_str("q"), 3 };
	struct schema_request q = { .text = span_str(USER), .references = &ref, .n_references = 1 };
	struct schema_request bad = { .text = span_str(USER), .references = &none, .n_references = 1 };
	struct world w;

	world_init(&w);
	SAME(world_request(&w, "u", &q), "42201 No schema reference found for subject \"t\" and version -1");
	SAME(world_register(&w, "t", FIXED), "1/1");
	SAME(world_request(&w, "u", &q), "2/1");
	/* The number stands in the record. */
	SAME(world_writes(&w), KEY("u", 1) " {\"subject\":\"u\",\"version\":1,\"id\":2,\"schemaType\":\"AVRO\",\"references\":"
	    "[{\"name\":\"T\",\"subject\":\"t\",\"version\":1}],\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"U\\\","
	    "\\\"fields\\\":[{\\\"name\\\":\\\"f\\\",\\\"type\\\":\\\"T\\\"}]}\",\"deleted\":false}\n");
	ref.version = 1;
	SAME(world_request(&w, "u", &q), "2/1");
	SAME(world_request(&w, "u", &bad), "42201 No schema reference found for subject \"q\" and version 3");
	/* With all written out it says the same. */
	SAME(world_register(&w, "u", INLINED), "2/1");
	/* What is deleted is not there for new schemas. */
	world_delete(&w, "u", false);
	world_delete(&w, "t", false);
	SAME(world_request(&w, "v", &q), "42201 No schema reference found for subject \"t\" and version 1");
	world_done(&w);
}

static void
references_have_a_name_a_subject_and_a_version(void)
{
	const struct {
		struct reference ref;
		const char *told;
	} cases[] = {
		{ { span_of(NULL, 0), span_str("t"), 1 }, "{name='null', subject='t', version=1}" },
		{ { span_str("T"), span_of(NULL, 0), -1 }, "{name='T', subject='null', version=-1}" },
		{ { span_str("T"), span_str("t"), 0 }, "{name='T', subject='t', version=null}" },
	};
	struct world w;

	world_init(&w);
	SAME(world_register(&w, "t", FIXED), "1/1");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema_request q = { .text = span_str(USER), .references = &cases[i].ref, .n_references = 1 };

		SAME(world_request(&w, "u", &q), arena_printf(&w.arena, "42201 Invalid reference: %s", cases[i].told));
	}
	world_done(&w);
}

static void
normal_forms_are_the_same(void)
{
	struct schema_request q = { .text = span_str(RECORD(",\"b\":1,\"a\":2")), .normalize = true };
	struct world w;

	world_init(&w);
	SAME(world_request(&w, "s", &q), "1/1");
	q.text = span_str(RECORD(",\"a\":2,\"b\":1"));
	SAME(world_request(&w, "s", &q), "1/1");
	SAME(world_config(&w, "t", "{\"normalize\":true}"), "");
	SAME(world_register(&w, "t", RECORD(",\"b\":1,\"a\":2")), "1/1");
	world_done(&w);
}

/* ---- the order of checks ---- */

static void
checks_have_their_order(void)
{
	struct world w;

	world_init(&w);
	SAME(world_register(&w, "s", INT), "1/1");
	SAME(world_mode(&w, "s", "READONLY", false), "");
	/* The name, then what is there, then the mode, then the rest. */
	SAME(world_register(&w, "a\x01", "\"in"), "42208 The specified subject 'a\x01' is not a valid.");
	SAME(world_register(&w, "s", INT), "1/1");
	SAME(world_register(&w, "s", LONG), "42205 Subject s in context  is in read-only mode");
	SAME(world_register(&w, "s", "\"string\""), "42205 Subject s in context  is in read-only mode");
	SAME(world_unset_mode(&w, "s", false), "");
	CU_ASSERT(strncmp(world_register(&w, "s", "\"string\""), "409 Schema being registered is incompatible with an earlier "
	    "schema for subject \"s\", details: [{errorType:'TYPE_MISMATCH', ", 118) == 0);
	{
		/* Compatibility before the version's number. */
		struct schema_request q = { .text = span_str("\"string\""), .version = 7 };

		CU_ASSERT(strncmp(world_request(&w, "s", &q), "409 ", 4) == 0);
	}
	world_done(&w);
}

static void
names_of_subjects_are_checked(void)
{
	static const struct {
		const char *subject;
		bool good;
	} cases[] = {
		{ "a", true }, { "", true }, { "*", true }, { "a b/c:d%", true }, { "\xc3\xa9", true }, { ":.c:", true },
		{ "\xc2\xa0", true }, { "a\x1f", false }, { "\x7f", false }, { "\xc2\x80", false }, { "x\xc2\x9f", false },
		{ "__GLOBAL", false }, { "__EMPTY", false }, { ":.c:__GLOBAL", false }, { "__GLOBALS", true },
		{ ":.__GLOBAL:s", false }, { ":.__GLOBAL:", false }, { ":.__GLOBALS:s", true },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct world w;

		world_init(&w);
		CU_ASSERT_EQUAL(strcmp(world_register(&w, cases[i].subject, INT), "1/1") == 0, cases[i].good);
		world_done(&w);
	}
}

static void
what_was_taken_in_older_times_is_found_again(void)
{
	static const char text[] = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\"int\",\"default\":\"x\"}]}";
	struct world w;

	world_init(&w);
	CU_ASSERT(strncmp(world_register(&w, "s", text), "42201 Invalid schema {subject=s,", 32) == 0);
	world_put(&w, KEY("s", 1), "{\"subject\":\"s\",\"version\":1,\"id\":1,\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":"
	    "\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":\\\"f\\\",\\\"type\\\":\\\"int\\\",\\\"default\\\":\\\"x\\\"}]}\",\"deleted\":false}");
	SAME(world_register(&w, "s", text), "1/1");
	SAME(world_lookup(&w, "s", text, REGISTRY_LIVE), "1/1");
	world_done(&w);
}

/* ---- import ---- */

static void
ids_are_brought_along_in_import_mode_only(void)
{
	struct schema_request q = { .text = span_str(INT), .id = 10, .version = 4 };
	struct schema_request other = { .text = span_str(LONG), .id = 10, .version = 5 };
	struct world w;

	world_init(&w);
	SAME(world_request(&w, "s", &q), "42205 Subject s in context  is not in import mode");
	SAME(world_mode(&w, NULL, "IMPORT", false), "");
	SAME(world_request(&w, "s", &q), "10/4");
	SAME(world_request(&w, "s", &q), "10/4");
	SAME(world_writes(&w), "");
	SAME(world_request(&w, "s", &other), "42205 Overwrite new schema with id 10 in context  is not permitted.");
	other = (struct schema_request){ .text = span_str(LONG), .id = 11, .version = 4 };
	SAME(world_request(&w, "s", &other), "42205 Overwrite new schema with id 11 in context  is not permitted.");
	/* No compatibility is asked for, names and defaults are not checked. */
	other = (struct schema_request){ .text = span_str("\"string\""), .id = 3, .version = 1 };
	SAME(world_request(&w, "s", &other), "3/1");
	SAME(world_register(&w, "s", LONG), "42205 Subject s in context  is not in read-write mode");
	SAME(world_register(&w, "s", INT), "10/4");
	SAME(world_mode(&w, NULL, "READWRITE", false), "");
	SAME(world_register(&w, "t", LONG), "11/1");
	world_done(&w);
}

static void
what_was_deleted_comes_back_by_import(void)
{
	struct schema_request q = { .text = span_str(INT), .id = 1, .version = 1 };
	struct world w;

	world_init(&w);
	SAME(world_register(&w, "s", INT), "1/1");
	world_delete_version(&w, "s", 1, false);
	/* The mode alone takes what is deleted away. */
	SAME(world_mode(&w, "s", "IMPORT", false), "");
	SAME(world_request(&w, "s", &q), "1/1");
	SAME(world_versions(&w, "s", REGISTRY_ALL), "1");
	world_done(&w);
}

const struct unit_test register_tests[] = {
	UNIT(a_registration_writes_one_record),
	UNIT(a_new_context_gets_a_record),
	UNIT(ids_go_with_the_content_in_a_context),
	UNIT(versions_follow_the_highest_there_is),
	UNIT(a_deleted_version_that_somebody_refers_to_stays),
	UNIT(a_version_that_is_asked_for_must_be_the_next),
	UNIT(spelling_does_not_matter_but_content_does),
	UNIT(texts_that_others_keep_in_their_spelling_are_found),
	UNIT(a_look_up_of_much_text_goes_on_where_it_was),
	UNIT(metadata_and_rules_belong_to_the_schema),
	UNIT(metadata_comes_from_the_version_before_and_the_config),
	UNIT(rules_are_checked_first),
	UNIT(without_a_text_that_of_the_version_before_is_meant),
	UNIT(references_belong_to_the_schema),
	UNIT(references_have_a_name_a_subject_and_a_version),
	UNIT(normal_forms_are_the_same),
	UNIT(checks_have_their_order),
	UNIT(names_of_subjects_are_checked),
	UNIT(what_was_taken_in_older_times_is_found_again),
	UNIT(ids_are_brought_along_in_import_mode_only),
	UNIT(what_was_deleted_comes_back_by_import),
	UNIT_END
};
