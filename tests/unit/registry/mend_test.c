/* mend_test.c -- records of aborted transactions: ids that they bear, and what puts right what they say. */
#include <string.h>

#include "unit/registry/world.h"
#include "unit/unit.h"

#define KEY(subject, version) "{\"keytype\":\"SCHEMA\",\"subject\":\"" subject "\",\"version\":" #version ",\"magic\":1}"
#define VALUE(subject, version, id, text) \
	"{\"subject\":\"" subject "\",\"version\":" #version ",\"id\":" #id ",\"schemaType\":\"AVRO\",\"schema\":\"\\\"" text \
	"\\\"\",\"deleted\":false}"
#define DELETED(subject, version, id, text) \
	"{\"subject\":\"" subject "\",\"version\":" #version ",\"id\":" #id ",\"schemaType\":\"AVRO\",\"schema\":\"\\\"" text \
	"\\\"\",\"deleted\":true}"
#define OF(type, subject) "{\"keytype\":\"" type "\",\"subject\":\"" subject "\",\"magic\":0}"
#define CONTEXT "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".c\",\"magic\":0}"

static void
abort_record(struct world *w, const char *key, const char *value, bool last)
{
	registry_aborted(w->registry, span_str(key), span_str(value), last);
}

/* Plans and carries out; tells what is written. */
static const char *
mend(struct world *w)
{
	struct refusal why;

	CU_ASSERT_FATAL(registry_plan_mend(w->registry, &w->arena, &w->plan, &why));
	for (size_t i = 0; i < w->plan.n_writes; i++) {
		world_apply(w, w->plan.writes[i].key, w->plan.writes[i].value);
		CU_ASSERT_PTR_NULL(w->passed);
	}
	return world_writes(w);
}

static void
ids_of_aborted_records_are_not_given_out(void)
{
	struct world w;

	world_init(&w);
	abort_record(&w, KEY("s", 1), VALUE("s", 1, 7, "int"), false);
	abort_record(&w, KEY(":.c:s", 1), VALUE(":.c:s", 1, 9, "int"), false);
	abort_record(&w, KEY("s", 1), VALUE("s", 1, 3, "int"), false);
	SAME(mend(&w), "");
	SAME(world_register(&w, "s", "\"int\""), "8/1");
	SAME(world_register(&w, ":.c:s", "\"int\""), "10/1");
	SAME(world_subjects(&w, ":*:", REGISTRY_ALL), ":.c:s s");
	world_done(&w);
}

static void
keys_get_the_value_that_counts_or_a_tombstone(void)
{
	static const struct {
		const char *key, *value; /* aborted */
		const char *right;
	} cases[] = {
		{ KEY("new", 1), VALUE("new", 1, 9, "long"), "null" },
		{ KEY("s", 1), VALUE("s", 1, 9, "long"), VALUE("s", 1, 1, "int") },
		{ KEY("s", 1), NULL, VALUE("s", 1, 1, "int") },
		{ KEY("s", 2), VALUE("s", 2, 9, "float"), DELETED("s", 2, 2, "long") },
		/* Under its own bytes, whatever they are. */
		{ "{\"subject\":\"s\",\"version\":1,\"magic\":1,\"keytype\":\"SCHEMA\"}", NULL, VALUE("s", 1, 1, "int") },
		{ KEY(":.:s", 1), NULL, VALUE("s", 1, 1, "int") },
		{ OF("CONFIG", "s"), NULL, "{\"subject\":\"s\",\"compatibilityLevel\":\"FULL\",\"x\":[1]}" },
		{ OF("CONFIG", "t"), "{\"subject\":\"t\",\"compatibilityLevel\":\"FULL\"}", "null" },
		{ "{\"keytype\":\"CONFIG\",\"magic\":0}", NULL, "{\"compatibilityLevel\":\"NONE\"}" },
		{ OF("MODE", "s"), "{\"subject\":\"s\",\"mode\":\"READONLY\"}", "{\"subject\":\"s\",\"mode\":\"IMPORT\"}" },
		{ "{\"keytype\":\"MODE\",\"magic\":0}", "{\"mode\":\"READONLY\"}", "null" },
		{ CONTEXT, NULL, "{\"tenant\":\"default\",\"context\":\".c\"}" },
		{ "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".d\",\"magic\":0}",
		    "{\"tenant\":\"default\",\"context\":\".d\"}", "null" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct world w;

		world_init(&w);
		world_put(&w, CONTEXT, "{\"tenant\":\"default\",\"context\":\".c\"}");
		world_put(&w, KEY("s", 1), VALUE("s", 1, 1, "int"));
		world_put(&w, KEY("s", 2), DELETED("s", 2, 2, "long"));
		world_put(&w, OF("CONFIG", "s"), "{\"subject\":\"s\",\"compatibilityLevel\":\"FULL\",\"x\":[1]}");
		world_put(&w, "{\"keytype\":\"CONFIG\",\"magic\":0}", "{\"compatibilityLevel\":\"NONE\"}");
		world_put(&w, OF("MODE", "s"), "{\"subject\":\"s\",\"mode\":\"IMPORT\"}");
		abort_record(&w, cases[i].key, cases[i].value, true);
		SAME(mend(&w), arena_printf(&w.arena, "%s %s\n", cases[i].key, cases[i].right));
		/* Once. */
		SAME(mend(&w), "");
		SAME(world_versions(&w, "s", REGISTRY_ALL), "1 -2");
		world_done(&w);
	}
}

static void
deletions_are_undone_by_the_records_of_the_versions(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, KEY("s", 1), VALUE("s", 1, 1, "int"));
	world_put(&w, OF("DELETE_SUBJECT", "s"), "{\"subject\":\"s\",\"version\":1}");
	world_put(&w, KEY("s", 2), VALUE("s", 2, 2, "long"));
	world_put(&w, KEY("t", 1), DELETED("t", 1, 3, "float"));
	abort_record(&w, OF("DELETE_SUBJECT", "s"), "{\"subject\":\"s\",\"version\":2}", true);
	/* That of version 1 says what the committed DELETE_SUBJECT said, which is compacted away. */
	SAME(mend(&w), KEY("s", 1) " " DELETED("s", 1, 1, "int") "\n" KEY("s", 2) " " VALUE("s", 2, 2, "long") "\n"
	    OF("DELETE_SUBJECT", "s") " null\n");
	abort_record(&w, "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\"\",\"magic\":0}", "{\"subject\":\"\"}", true);
	SAME(mend(&w), KEY("s", 1) " " DELETED("s", 1, 1, "int") "\n" KEY("s", 2) " " VALUE("s", 2, 2, "long") "\n"
	    KEY("t", 1) " " DELETED("t", 1, 3, "float") "\n"
	    "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\"\",\"magic\":0} null\n");
	SAME(mend(&w), "");
	world_done(&w);
}

static void
what_is_no_record_or_was_written_since_is_left(void)
{
	struct world w;

	world_init(&w);
	abort_record(&w, "no JSON", NULL, true);
	abort_record(&w, "{\"keytype\":\"UNKNOWN\",\"magic\":0}", NULL, true);
	abort_record(&w, "{\"keytype\":\"NOOP\",\"magic\":0}", NULL, true);
	abort_record(&w, KEY("s", 1), "no JSON", true);
	abort_record(&w, KEY("s", 2), VALUE("s", 2, 2, "long"), false);
	SAME(mend(&w), "");
	abort_record(&w, KEY("s", 1), VALUE("s", 1, 1, "int"), true);
	world_put(&w, KEY("s", 1), VALUE("s", 1, 5, "int"));
	SAME(mend(&w), "");
	world_done(&w);
}

const struct unit_test mend_tests[] = {
	UNIT(ids_of_aborted_records_are_not_given_out),
	UNIT(keys_get_the_value_that_counts_or_a_tombstone),
	UNIT(deletions_are_undone_by_the_records_of_the_versions),
	UNIT(what_is_no_record_or_was_written_since_is_left),
	UNIT_END
};
