/* settings_test.c -- configuration and modes: where they come from, what is written, what is refused. */
#include <stdio.h>
#include <string.h>

#include "unit/registry/world.h"
#include "unit/unit.h"

#define INT "\"int\""

static void
levels_come_from_the_nearest_that_has_one(void)
{
	/* Set in turn: for whom, and what then counts for s and for :.c:s. */
	static const struct {
		const char *subject, *update;
		enum level normal, context;
	} cases[] = {
		{ ":.__GLOBAL:", "{\"compatibility\":\"FULL\"}", LEVEL_FULL, LEVEL_FULL },
		{ NULL, "{\"compatibility\":\"forward\"}", LEVEL_FORWARD, LEVEL_FULL },
		{ ":.c:", "{\"compatibility\":\"Full_Transitive\"}", LEVEL_FORWARD, LEVEL_FULL_TRANSITIVE },
		{ "s", "{\"compatibility\":\"NONE\"}", LEVEL_NONE, LEVEL_FULL_TRANSITIVE },
		{ ":.c:s", "{\"compatibility\":\"BACKWARD_TRANSITIVE\"}", LEVEL_NONE, LEVEL_BACKWARD_TRANSITIVE },
		{ "s", "{\"compatibility\":null,\"normalize\":true}", LEVEL_FORWARD, LEVEL_BACKWARD_TRANSITIVE },
	};
	struct world w;

	world_init(&w);
	CU_ASSERT_EQUAL(registry_level(w.registry, span_str("s")), LEVEL_BACKWARD);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		SAME(world_config(&w, cases[i].subject, cases[i].update), "");
		CU_ASSERT_EQUAL(registry_level(w.registry, span_str("s")), cases[i].normal);
		CU_ASSERT_EQUAL(registry_level(w.registry, span_str(":.c:s")), cases[i].context);
	}
	CU_ASSERT(registry_normalize(w.registry, span_str("s")));
	world_done(&w);
}

static void
some_fields_are_shared_with_the_global_config(void)
{
	struct world w;

	world_init(&w);
	world_config(&w, NULL, "{\"normalize\":true,\"overrideMetadata\":{\"properties\":{\"a\":\"1\"}}}");
	CU_ASSERT(registry_normalize(w.registry, span_str("s")));
	CU_ASSERT_PTR_NOT_NULL(registry_config_field(w.registry, span_str("s"), "overrideMetadata"));
	world_config(&w, "s", "{\"compatibility\":\"FULL\"}");
	/* Metadata and rules are not. */
	CU_ASSERT(registry_normalize(w.registry, span_str("s")));
	CU_ASSERT_PTR_NULL(registry_config_field(w.registry, span_str("s"), "overrideMetadata"));
	world_config(&w, "s", "{\"normalize\":false}");
	CU_ASSERT(!registry_normalize(w.registry, span_str("s")));
	world_done(&w);
}

static void
an_update_keeps_what_it_does_not_name(void)
{
	static const struct {
		const char *update, *value;
	} cases[] = {
		{ "{\"compatibility\":\"full\"}", "{\"subject\":\"s\",\"compatibilityLevel\":\"FULL\"}" },
		{ "{\"compatibilityGroup\":\"g\",\"unknown\":1,\"alias\":\"t\"}",
		    "{\"subject\":\"s\",\"alias\":\"t\",\"compatibilityLevel\":\"FULL\",\"compatibilityGroup\":\"g\"}" },
		{ "{\"alias\":null,\"normalize\":false}",
		    "{\"subject\":\"s\",\"normalize\":false,\"compatibilityLevel\":\"FULL\",\"compatibilityGroup\":\"g\"}" },
		{ "{\"defaultMetadata\":{\"properties\":{\"a\":\"1\"}},\"compatibility\":null,\"compatibilityGroup\":null}",
		    "{\"subject\":\"s\",\"normalize\":false,\"defaultMetadata\":{\"properties\":{\"a\":\"1\"}}}" },
		{ "{\"normalize\":\"true\",\"validateFields\":\"FALSE\",\"alias\":1,\"compatibilityGroup\":true,\"validateRules\":\"\"}",
		    "{\"subject\":\"s\",\"alias\":\"1\",\"normalize\":true,\"validateFields\":false,\"compatibilityGroup\":\"true\","
		    "\"defaultMetadata\":{\"properties\":{\"a\":\"1\"}}}" },
		{ "{\"normalize\":false,\"validateFields\":null,\"alias\":null,\"compatibilityGroup\":null}",
		    "{\"subject\":\"s\",\"normalize\":false,\"defaultMetadata\":{\"properties\":{\"a\":\"1\"}}}" },
		{ "{\"compatibilityPolicy\":\"lenient\"}", "{\"subject\":\"s\",\"normalize\":false,\"compatibilityPolicy\":\"LENIENT\","
		    "\"defaultMetadata\":{\"properties\":{\"a\":\"1\"}}}" },
		{ "{\"compatibilityPolicy\":null}", "{\"subject\":\"s\",\"normalize\":false,\"defaultMetadata\":{\"properties\":{\"a\":\"1\"}}}" },
		{ "{}", "{\"subject\":\"s\",\"normalize\":false,\"defaultMetadata\":{\"properties\":{\"a\":\"1\"}}}" },
	};
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		SAME(world_config(&w, "s", cases[i].update), "");
		SAME(world_writes(&w), arena_printf(&w.arena, "{\"keytype\":\"CONFIG\",\"subject\":\"s\",\"magic\":0} %s\n", cases[i].value));
	}
	world_done(&w);
}

#define BAD_LEVEL "42203 Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive"

static void
levels_are_checked_before_names(void)
{
	struct world w;

	world_init(&w);
	SAME(world_config(&w, "a\x01", "{\"compatibility\":\"sideways\"}"), BAD_LEVEL);
	SAME(world_config(&w, "s", "{\"compatibility\":7}"), BAD_LEVEL);
	SAME(world_config(&w, "a\x01", "{\"compatibility\":\"FULL\",\"compatibilityPolicy\":\"whatever\"}"),
	    "42203 Invalid compatibility policy. Valid values are strict, lenient, and logical");
	SAME(world_config(&w, "a\x01", "{\"compatibility\":\"NONE\"}"), "42208 The specified subject 'a\x01' is not a valid.");
	SAME(world_config(&w, "__GLOBAL", "{\"compatibility\":\"NONE\"}"), "42208 The specified subject '__GLOBAL' is not a valid.");
	world_done(&w);
}

static void
what_is_not_set_can_not_be_unset(void)
{
	struct world w;

	world_init(&w);
	SAME(world_unset_config(&w, "s"), "40401 Subject 's' not found.");
	SAME(world_unset_mode(&w, "s", false), "40401 Subject 's' not found.");
	/* Globally there is always something: the default. */
	SAME(world_unset_config(&w, NULL), "");
	SAME(world_unset_mode(&w, NULL, false), "");
	SAME(world_writes(&w), "");
	world_config(&w, "s", "{\"compatibility\":\"NONE\"}");
	world_mode(&w, "s", "READONLY", false);
	SAME(world_config(&w, "s", "{}"), "42205 Subject s in context  is in read-only mode");
	SAME(world_unset_config(&w, "s"), "42205 Subject s in context  is in read-only mode");
	world_mode(&w, "s", "READWRITE", false);
	SAME(world_unset_config(&w, "s"), "");
	SAME(world_writes(&w), "{\"keytype\":\"CONFIG\",\"subject\":\"s\",\"magic\":0} null\n");
	SAME(world_unset_mode(&w, "s", false), "");
	SAME(world_writes(&w), "{\"keytype\":\"MODE\",\"subject\":\"s\",\"magic\":0} null\n");
	SAME(world_unset_mode(&w, "s", false), "40401 Subject 's' not found.");
	world_done(&w);
}

/* ---- modes ---- */

static bool
is_mode(const struct world *w, const char *subject, const char *mode)
{
	return span_is(registry_mode(w->registry, span_str(subject)), mode);
}

static void
modes_come_from_the_nearest_that_has_one(void)
{
	static const struct {
		const char *subject, *mode, *normal, *context;
	} cases[] = {
		{ ":.__GLOBAL:", "FORWARD", "FORWARD", "FORWARD" },
		{ NULL, "readonly", "READONLY", "FORWARD" },
		{ ":.c:", "IMPORT", "READONLY", "IMPORT" },
		{ "s", "READWRITE", "READWRITE", "IMPORT" },
		{ ":.c:s", "READONLY", "READWRITE", "READONLY" },
		{ NULL, "READONLY_OVERRIDE", "READONLY_OVERRIDE", "READONLY" }, /* wins over what is below it */
	};
	struct world w;

	world_init(&w);
	CU_ASSERT(is_mode(&w, "s", "READWRITE"));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		SAME(world_mode(&w, cases[i].subject, cases[i].mode, false), "");
		CU_ASSERT(is_mode(&w, "s", cases[i].normal));
		CU_ASSERT(is_mode(&w, ":.c:s", cases[i].context));
	}
	world_done(&w);
}

static void
a_mode_is_one_record(void)
{
	struct world w;

	world_init(&w);
	SAME(world_mode(&w, "s", "readonly", false), "");
	SAME(world_writes(&w), "{\"keytype\":\"MODE\",\"subject\":\"s\",\"magic\":0} {\"subject\":\"s\",\"mode\":\"READONLY\"}\n");
	SAME(world_mode(&w, NULL, "READONLY", false), "");
	SAME(world_writes(&w), "{\"keytype\":\"MODE\",\"magic\":0} {\"mode\":\"READONLY\"}\n");
	world_done(&w);
}

static void
modes_are_checked_in_their_order(void)
{
	struct world w;

	world_init(&w);
	SAME(world_mode(&w, "a\x01", "sideways", false), "42208 The specified subject 'a\x01' is not a valid.");
	SAME(world_mode(&w, "s", "sideways", false), "42204 Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.");
	SAME(world_mode(&w, "s", "", false), "42204 Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.");
	SAME(world_mode(&w, "s", "forward", false), "42204 Forward mode only supported on global level");
	SAME(world_mode(&w, NULL, "FORWARD", false), "42204 Forward mode only supported on global level");
	SAME(world_mode(&w, ":.__GLOBAL:", "forward", false), "");
	world_done(&w);
}

static void
each_mode_lets_through_what_it_may(void)
{
	static const struct {
		const char *mode;
		int32_t id;
		const char *answer, *deletion;
	} cases[] = {
		{ "READWRITE", 0, "2/2", "1" },
		{ "READWRITE", 9, "42205 Subject s in context  is not in import mode", "1" },
		{ "READONLY", 0, "42205 Subject s in context  is in read-only mode", "42205 Subject s in context  is in read-only mode" },
		{ "READONLY", 9, "42205 Subject s in context  is in read-only mode", "42205 Subject s in context  is in read-only mode" },
		{ "READONLY_OVERRIDE", 0, "42205 Subject s in context  is in read-only mode", "42205 Subject s in context  is in read-only mode" },
		{ "IMPORT", 0, "42205 Subject s in context  is not in read-write mode", "1" },
		{ "IMPORT", 9, "9/2", "1" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema_request q = { .text = span_str("\"long\""), .id = cases[i].id };
		struct world w;

		world_init(&w);
		world_register(&w, "s", INT);
		SAME(world_mode(&w, "s", cases[i].mode, true), "");
		SAME(world_request(&w, "s", &q), cases[i].answer);
		SAME(world_delete_version(&w, "s", 1, false), cases[i].deletion);
		world_done(&w);
	}
}

static void
import_begins_with_nothing(void)
{
	struct world w;

	world_init(&w);
	world_register(&w, "s", INT);
	world_register(&w, "s", "\"long\"");
	world_register(&w, "t", INT);
	world_register(&w, ":.c:s", INT);
	world_delete_version(&w, "s", 1, false);
	SAME(world_mode(&w, "s", "IMPORT", false), "42205 Cannot import since found existing subjects");
	SAME(world_mode(&w, NULL, "IMPORT", false), "42205 Cannot import since found existing subjects");
	SAME(world_mode(&w, "none", "IMPORT", false), "");
	/* By force it begins with what is there. */
	SAME(world_mode(&w, "s", "IMPORT", true), "");
	SAME(world_writes(&w), "{\"keytype\":\"MODE\",\"subject\":\"s\",\"magic\":0} {\"subject\":\"s\",\"mode\":\"IMPORT\"}\n");
	SAME(world_versions(&w, "s", REGISTRY_ALL), "-1 2");
	/* In the mode already: nothing is asked again. */
	SAME(world_mode(&w, "s", "IMPORT", false), "");
	world_delete(&w, ":.c:s", false);
	SAME(world_mode(&w, ":.c:", "IMPORT", false), "");
	SAME(world_writes(&w), "{\"keytype\":\"SCHEMA\",\"subject\":\":.c:s\",\"version\":1,\"magic\":1} null\n"
	    "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\":.c:\",\"magic\":0} {\"subject\":\":.c:\"}\n"
	    "{\"keytype\":\"MODE\",\"subject\":\":.c:\",\"magic\":0} {\"subject\":\":.c:\",\"mode\":\"IMPORT\"}\n");
	SAME(world_subjects(&w, ":*:", REGISTRY_ALL), "s t");
	world_delete(&w, "s", false);
	world_delete(&w, "t", false);
	SAME(world_mode(&w, NULL, "IMPORT", false), "");
	SAME(world_subjects(&w, ":*:", REGISTRY_ALL), "");
	world_done(&w);
}

/* What somebody refers to, be it deleted, too, does not go. */
static void
import_keeps_what_is_referred_to(void)
{
	struct reference ref = { span_str("T"), span_str("t"), 1 };
	struct schema_request q = { .text = span_str("\"T\""), .references = &ref, .n_references = 1 };
	struct world w;

	world_init(&w);
	world_register(&w, "t", "{\"type\":\"fixed\",\"name\":\"T\",\"size\":4}");
	SAME(world_request(&w, "u", &q), "2/1");
	world_delete(&w, "u", false);
	world_delete(&w, "t", false);
	SAME(world_mode(&w, "t", "IMPORT", false),
	    "42206 One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=t,version=1}.");
	SAME(world_mode(&w, "u", "IMPORT", false), "");
	SAME(world_mode(&w, "t", "IMPORT", false), "");
	world_done(&w);
}

static void
modes_are_unset_one_by_one_or_all_below(void)
{
	struct mode_request none = { .fixed = false }, fixed = { .mode = span_str("READONLY"), .fixed = true };
	struct refusal why;
	struct plan plan;
	struct world w;

	world_init(&w);
	world_mode(&w, NULL, "READWRITE", false);
	world_mode(&w, "s", "READONLY", false);
	world_mode(&w, ":.c:", "READONLY", false);
	world_mode(&w, ":.c:s", "READONLY", false);
	world_mode(&w, ":.c:t", "READONLY", false);
	SAME(world_unset_mode(&w, ":.d:", false), "40401 Subject ':.d:' not found.");
	SAME(world_unset_mode(&w, ":.d:", true), "");
	SAME(world_unset_mode(&w, ":.c:", true), "");
	CU_ASSERT_EQUAL(w.plan.n_writes, 3);
	CU_ASSERT(is_mode(&w, ":.c:s", "READWRITE") && is_mode(&w, "s", "READONLY"));
	SAME(world_unset_mode(&w, NULL, true), "");
	CU_ASSERT_EQUAL(w.plan.n_writes, 2);
	CU_ASSERT(is_mode(&w, "s", "READWRITE"));
	SAME(world_unset_mode(&w, ":.__GLOBAL:", false), "");
	/* No mode is that of what is above. */
	world_mode(&w, "s", "READONLY", false);
	CU_ASSERT(registry_plan_put_mode(w.registry, span_str("s"), &none, &w.arena, &w.plan, &why));
	SAME(world_writes(&w), "{\"keytype\":\"MODE\",\"subject\":\"s\",\"magic\":0} null\n");
	/* Where modes can't be changed, mistakes are told first. */
	CU_ASSERT(!registry_plan_put_mode(w.registry, span_str("s"), &fixed, &w.arena, &plan, &why));
	SAME(world_refusal(&w, &why), "42205 Mode changes are not allowed");
	CU_ASSERT(!registry_plan_put_mode(w.registry, span_str("__GLOBAL"), &fixed, &w.arena, &plan, &why));
	CU_ASSERT_EQUAL(why.problem, REGISTRY_INVALID_SUBJECT);
	CU_ASSERT(!registry_plan_delete_mode(w.registry, span_str("none"), &fixed, &w.arena, &plan, &why));
	CU_ASSERT_EQUAL(why.problem, REGISTRY_SUBJECT_NOT_FOUND);
	world_done(&w);
}

const struct unit_test settings_tests[] = {
	UNIT(levels_come_from_the_nearest_that_has_one),
	UNIT(some_fields_are_shared_with_the_global_config),
	UNIT(an_update_keeps_what_it_does_not_name),
	UNIT(levels_are_checked_before_names),
	UNIT(what_is_not_set_can_not_be_unset),
	UNIT(modes_come_from_the_nearest_that_has_one),
	UNIT(a_mode_is_one_record),
	UNIT(modes_are_checked_in_their_order),
	UNIT(each_mode_lets_through_what_it_may),
	UNIT(import_begins_with_nothing),
	UNIT(import_keeps_what_is_referred_to),
	UNIT(modes_are_unset_one_by_one_or_all_below),
	UNIT_END
};
