/* delete_test.c -- the deletion of subjects and versions: its states, its checks, what is written. */
#include <stdio.h>
#include <string.h>

#include "unit/registry/world.h"
#include "unit/unit.h"

#define KEY(subject, version) "{\"keytype\":\"SCHEMA\",\"subject\":\"" subject "\",\"version\":" #version ",\"magic\":1}"
#define INT "\"int\""
#define LONG "\"long\""
#define FIXED "{\"type\":\"fixed\",\"name\":\"T\",\"size\":4}"
#define USER "{\"type\":\"record\",\"name\":\"U\",\"fields\":[{\"name\":\"f\",\"type\":\"T\"}]}"

static void
subjects_go_in_two_steps(void)
{
	struct world w;

	world_init(&w);
	SAME(world_delete(&w, "s", false), "40401 Subject 's' not found.");
	SAME(world_delete(&w, "s", true), "40401 Subject 's' not found.");
	world_register(&w, "s", INT);
	world_register(&w, "s", LONG);
	world_config(&w, "s", "{\"compatibility\":\"NONE\"}");
	world_mode(&w, "s", "READWRITE", false);
	SAME(world_delete(&w, "s", true), "40405 Subject 's' was not deleted first before being permanently deleted");
	SAME(world_delete(&w, "s", false), "1 2");
	SAME(world_writes(&w), "{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"s\",\"magic\":0} {\"subject\":\"s\",\"version\":2}\n");
	SAME(world_delete(&w, "s", false), "40404 Subject 's' was soft deleted.Set permanent=true to delete permanently");
	CU_ASSERT_EQUAL(registry_level(w.registry, span_str("s")), LEVEL_NONE);
	SAME(world_delete(&w, "s", true), "1 2");
	SAME(world_writes(&w), KEY("s", 2) " null\n" KEY("s", 1) " null\n{\"keytype\":\"MODE\",\"subject\":\"s\",\"magic\":0} null\n"
	    "{\"keytype\":\"CONFIG\",\"subject\":\"s\",\"magic\":0} null\n");
	CU_ASSERT_EQUAL(registry_level(w.registry, span_str("s")), LEVEL_BACKWARD);
	SAME(world_delete(&w, "s", true), "40401 Subject 's' not found.");
	world_done(&w);
}

static void
versions_go_in_two_steps(void)
{
	struct world w;

	world_init(&w);
	SAME(world_delete_version(&w, "s", 1, false), "40401 Subject 's' not found.");
	world_register(&w, "s", INT);
	world_register(&w, "s", LONG);
	world_config(&w, "s", "{\"compatibility\":\"NONE\"}");
	SAME(world_delete_version(&w, "s", 3, false), "40402 Version 3 not found.");
	SAME(world_delete_version(&w, "s", 1, true),
	    "40407 Subject 's' Version 1 was not deleted first before being permanently deleted");
	SAME(world_delete_version(&w, "s", REGISTRY_LATEST, false), "2");
	SAME(world_writes(&w), KEY("s", 2) " {\"subject\":\"s\",\"version\":2,\"id\":2,\"schemaType\":\"AVRO\","
					   "\"schema\":\"\\\"long\\\"\",\"deleted\":true}\n");
	SAME(world_delete_version(&w, "s", 2, false),
	    "40406 Subject 's' Version 2 was soft deleted.Set permanent=true to delete permanently");
	SAME(world_delete_version(&w, "s", 2, true), "2");
	SAME(world_writes(&w), KEY("s", 2) " null\n");
	SAME(world_delete_version(&w, "s", 2, true), "40402 Version 2 not found.");
	SAME(world_delete_version(&w, "s", REGISTRY_LATEST, false), "1");
	SAME(world_delete_version(&w, "s", REGISTRY_LATEST, false), "40402 Version -1 not found.");
	/* What was set goes with the last. */
	CU_ASSERT_EQUAL(registry_level(w.registry, span_str("s")), LEVEL_NONE);
	SAME(world_delete_version(&w, "s", 1, true), "1");
	SAME(world_writes(&w), KEY("s", 1) " null\n{\"keytype\":\"CONFIG\",\"subject\":\"s\",\"magic\":0} null\n");
	world_done(&w);
}

static void
what_is_deleted_is_hidden_but_known_by_id(void)
{
	struct world w;

	world_init(&w);
	world_register(&w, "s", INT);
	world_register(&w, "s", LONG);
	world_delete_version(&w, "s", 1, false);
	SAME(world_versions(&w, "s", REGISTRY_LIVE), "2");
	SAME(world_versions(&w, "s", REGISTRY_ALL), "-1 2");
	SAME(world_versions(&w, "s", REGISTRY_DELETED_ONLY), "-1");
	CU_ASSERT(registry_by_id(w.registry, span_str("."), 1) != NULL);
	/* Those that were gone before don't count among those that go. */
	SAME(world_delete(&w, "s", false), "2");
	SAME(world_subjects(&w, "", REGISTRY_LIVE), "");
	SAME(world_subjects(&w, "", REGISTRY_DELETED_ONLY), "s");
	world_done(&w);
}

static void
refer(struct world *w, const char *subject, const char *target)
{
	struct reference ref = { span_str("T"), span_str(target), 1 };
	struct schema_request q = { .text = span_str(USER), .references = &ref, .n_references = 1 };

	CU_ASSERT(strchr(world_request(w, subject, &q), '/') != NULL);
}

#define REFERRED "42206 One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=t,version=1}."

static void
what_others_refer_to_stays(void)
{
	struct world w;

	world_init(&w);
	world_register(&w, "t", FIXED);
	refer(&w, "u", "t");
	SAME(world_delete(&w, "t", false), REFERRED);
	SAME(world_delete_version(&w, "t", 1, false), REFERRED);
	world_delete(&w, "u", false);
	/* Softly, as no live one refers to it; for good only when nobody does. */
	SAME(world_delete(&w, "t", false), "1");
	SAME(world_delete(&w, "t", true), REFERRED);
	SAME(world_delete_version(&w, "t", 1, true), REFERRED);
	world_delete(&w, "u", true);
	SAME(world_delete(&w, "t", true), "1");
	world_done(&w);
}

static void
a_subject_may_go_with_references_to_itself(void)
{
	struct world w;

	world_init(&w);
	world_config(&w, "t", "{\"compatibility\":\"NONE\"}");
	world_register(&w, "t", FIXED);
	refer(&w, "t", "t");
	SAME(world_delete_version(&w, "t", 1, false), REFERRED);
	SAME(world_delete(&w, "t", false), "1 2");
	SAME(world_delete(&w, "t", true), "1 2");
	SAME(world_subjects(&w, "", REGISTRY_ALL), "");
	world_done(&w);
}

static void
checks_have_their_order(void)
{
	struct world w;

	world_init(&w);
	world_register(&w, "t", FIXED);
	world_register(&w, "s", INT);
	world_register(&w, "s", LONG);
	world_delete_version(&w, "s", 2, false);
	refer(&w, "u", "t");
	world_mode(&w, NULL, "READONLY", false);
	/* Of a subject: unknown, deleted, the mode, references, not deleted. */
	SAME(world_delete(&w, "none", true), "40401 Subject 'none' not found.");
	SAME(world_delete(&w, "t", true), "42205 Subject t in context  is in read-only mode");
	SAME(world_delete(&w, "t", false), "42205 Subject t in context  is in read-only mode");
	/* Of a version: deleted, unknown subject, unknown version, the mode, references, not deleted. */
	SAME(world_delete_version(&w, "s", 2, false),
	    "40406 Subject 's' Version 2 was soft deleted.Set permanent=true to delete permanently");
	SAME(world_delete_version(&w, "none", 2, false), "40401 Subject 'none' not found.");
	SAME(world_delete_version(&w, "s", 3, false), "40402 Version 3 not found.");
	SAME(world_delete_version(&w, "s", 1, true), "42205 Subject s in context  is in read-only mode");
	world_mode(&w, NULL, "READWRITE", false);
	SAME(world_delete(&w, "t", true), REFERRED);
	SAME(world_delete_version(&w, "t", 1, true), REFERRED);
	world_mode(&w, NULL, "READONLY_OVERRIDE", false);
	world_mode(&w, "s", "READWRITE", false);
	SAME(world_delete(&w, "s", false), "42205 Subject s in context  is in read-only mode");
	world_done(&w);
}

static void
empty_contexts_can_go(void)
{
	struct world w;

	world_init(&w);
	world_register(&w, ":.c:s", INT);
	SAME(world_delete_context(&w, ":.c:"), "42211 The specified context ':.c:' is not empty.");
	world_delete(&w, ":.c:s", false);
	SAME(world_delete_context(&w, ":.c:"), "42211 The specified context ':.c:' is not empty.");
	world_delete(&w, ":.c:s", true);
	SAME(world_delete_context(&w, ":.c:"), "");
	SAME(world_writes(&w), "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".c\",\"magic\":0} null\n");
	/* What is not there is gone; the normal context stays. */
	SAME(world_delete_context(&w, ":.c:"), "");
	SAME(world_writes(&w), "");
	SAME(world_delete_context(&w, ""), "");
	SAME(world_writes(&w), "");
	/* It is made anew, and counts on. */
	SAME(world_register(&w, ":.c:s", "\"long\""), "2/1");
	CU_ASSERT_EQUAL(w.plan.n_writes, 2);
	world_done(&w);
}

/* Records of others may have one: when it is written anew it must be understood. */
static void
a_schema_without_text_is_deleted_as_others_are(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1}",
	    "{\"subject\":\"s\",\"version\":1,\"id\":1,\"schema\":\"\",\"references\":[{\"subject\":\"t\",\"version\":1}]}");
	SAME(world_delete_version(&w, "s", 1, false), "1");
	SAME(world_writes(&w), "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1} "
	    "{\"subject\":\"s\",\"version\":1,\"id\":1,\"schemaType\":\"AVRO\",\"references\":[{\"subject\":\"t\",\"version\":1}],"
	    "\"schema\":\"\",\"deleted\":true}\n");
	SAME(world_versions(&w, "s", REGISTRY_ALL), "-1");
	world_done(&w);
}

const struct unit_test delete_tests[] = {
	UNIT(subjects_go_in_two_steps),
	UNIT(versions_go_in_two_steps),
	UNIT(what_is_deleted_is_hidden_but_known_by_id),
	UNIT(what_others_refer_to_stays),
	UNIT(a_subject_may_go_with_references_to_itself),
	UNIT(checks_have_their_order),
	UNIT(empty_contexts_can_go),
	UNIT(a_schema_without_text_is_deleted_as_others_are),
	UNIT_END
};
