/* state_test.c -- what each record does to the state: replay, tolerance, keys of others, compaction. */
#include <stdio.h>
#include <string.h>

#include "json/write.h"
#include "registry/registry_internal.h"
#include "unit/registry/world.h"
#include "unit/unit.h"

#define KEY(subject, version) "{\"keytype\":\"SCHEMA\",\"subject\":\"" subject "\",\"version\":" #version ",\"magic\":1}"
#define VALUE(subject, version, id, text) \
	"{\"subject\":\"" subject "\",\"version\":" #version ",\"id\":" #id ",\"schema\":\"\\\"" text "\\\"\",\"deleted\":false}"
#define DELETED(subject, version, id, text) \
	"{\"subject\":\"" subject "\",\"version\":" #version ",\"id\":" #id ",\"schema\":\"\\\"" text "\\\"\",\"deleted\":true}"
#define CONFIG(subject) "{\"keytype\":\"CONFIG\",\"subject\":\"" subject "\",\"magic\":0}"
#define MODE(subject) "{\"keytype\":\"MODE\",\"subject\":\"" subject "\",\"magic\":0}"

static void
a_version_is_there_until_its_tombstone(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, KEY("s", 1), VALUE("s", 1, 5, "int"));
	CU_ASSERT_PTR_NULL(w.passed);
	SAME(world_subjects(&w, ":*:", REGISTRY_LIVE), "s");
	CU_ASSERT(registry_by_id(w.registry, span_str("."), 5) != NULL);
	world_put(&w, KEY("s", 1), NULL);
	SAME(world_subjects(&w, ":*:", REGISTRY_ALL), "");
	CU_ASSERT(registry_by_id(w.registry, span_str("."), 5) == NULL);
	CU_ASSERT_EQUAL(registry_max_id(w.registry, span_str(".")), 5);
	world_put(&w, KEY("none", 9), NULL);
	CU_ASSERT_PTR_NULL(w.passed);
	world_done(&w);
}

static void
watermarks_delete_up_to_their_version_at_their_place(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, KEY("s", 1), VALUE("s", 1, 1, "int"));
	world_put(&w, KEY("s", 2), VALUE("s", 2, 2, "long"));
	world_put(&w, KEY("s", 3), VALUE("s", 3, 3, "float"));
	world_put(&w, "{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"s\",\"magic\":0}", "{\"subject\":\"s\",\"version\":2}");
	SAME(world_versions(&w, "s", REGISTRY_ALL), "-1 -2 3");
	world_put(&w, KEY("s", 1), VALUE("s", 1, 1, "int"));
	SAME(world_versions(&w, "s", REGISTRY_ALL), "1 -2 3");
	/* Its tombstone says nothing. */
	world_put(&w, "{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"s\",\"magic\":0}", NULL);
	SAME(world_versions(&w, "s", REGISTRY_ALL), "1 -2 3");
	world_done(&w);
}

static void
clearing_forgets_what_is_deleted(void)
{
	static const struct {
		const char *key, *value, *left;
	} cases[] = {
		{ "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\"s\",\"magic\":0}", "{\"subject\":\"s\"}", ":.c:u s t" },
		{ "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\"\",\"magic\":0}", "{\"subject\":\"\"}", ":.c:u s" },
		{ "{\"keytype\":\"CLEAR_SUBJECT\",\"magic\":0}", "{}", "s" },
		{ "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\":.__GLOBAL:\",\"magic\":0}", "{}", "s" },
		{ "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\":.c:\",\"magic\":0}", "{}", "s t" },
		{ "{\"keytype\":\"CLEAR_SUBJECT\",\"subject\":\"s\",\"magic\":0}", NULL, ":.c:u s t" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct world w;

		world_init(&w);
		world_put(&w, KEY("s", 1), DELETED("s", 1, 1, "int"));
		world_put(&w, KEY("s", 2), VALUE("s", 2, 2, "long"));
		world_put(&w, KEY("t", 1), DELETED("t", 1, 1, "int"));
		world_put(&w, KEY(":.c:u", 1), DELETED(":.c:u", 1, 1, "int"));
		world_put(&w, cases[i].key, cases[i].value);
		CU_ASSERT_PTR_NULL(w.passed);
		SAME(world_subjects(&w, ":*:", REGISTRY_ALL), cases[i].left);
		world_done(&w);
	}
}

static void
deleted_versions_are_found_by_id_and_by_hash(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, KEY("s", 1), DELETED("s", 1, 4, "int"));
	SAME(world_subjects(&w, ":*:", REGISTRY_LIVE), "");
	CU_ASSERT(registry_by_id(w.registry, span_str("."), 4) != NULL);
	SAME(world_register(&w, "t", "\"int\""), "4/1");
	world_done(&w);
}

static void
an_id_bears_one_schema(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, KEY("s", 1), VALUE("s", 1, 1, "int"));
	world_put(&w, KEY("t", 1), VALUE("t", 1, 1, "long"));
	SAME(w.passed, "its id bears another schema");
	SAME(world_subjects(&w, ":*:", REGISTRY_ALL), "s");
	/* In another context it may. */
	world_put(&w, KEY(":.c:t", 1), VALUE(":.c:t", 1, 1, "long"));
	CU_ASSERT_PTR_NULL(w.passed);
	/* A version that alone has the id may be written anew: compaction would leave just that. */
	world_put(&w, KEY("s", 1), VALUE("s", 1, 1, "float"));
	CU_ASSERT_PTR_NULL(w.passed);
	SAME(world_lookup(&w, "s", "\"float\"", REGISTRY_LIVE), "1/1");
	SAME(world_lookup(&w, "s", "\"int\"", REGISTRY_LIVE), "40403 Schema not found");
	world_done(&w);
}

static void
a_schema_may_bear_several_ids(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, KEY("s", 1), VALUE("s", 1, 3, "int"));
	world_put(&w, KEY("t", 1), VALUE("t", 1, 8, "int"));
	CU_ASSERT_PTR_NULL(w.passed);
	SAME(world_register(&w, "u", "\"int\""), "3/1");
	world_put(&w, KEY("s", 1), NULL);
	world_put(&w, KEY("u", 1), NULL);
	SAME(world_register(&w, "v", "\"int\""), "8/1");
	world_done(&w);
}

static void
what_is_unknown_is_passed_over(void)
{
	static const struct {
		const char *key, *value, *why;
	} cases[] = {
		{ CONFIG("s"), "{\"compatibilityLevel\":\"SIDEWAYS\"}", "one of its settings is unknown" },
		{ CONFIG("s"), "{\"compatibilityLevel\":7}", "one of its settings is unknown" },
		{ CONFIG("s"), "{\"compatibilityLevel\":\"none\"}", "one of its settings is unknown" },
		{ CONFIG("s"), "{\"compatibilityLevel\":\"NONE\",\"compatibilityPolicy\":\"SIDEWAYS\"}", "one of its settings is unknown" },
		{ CONFIG("s"), "{\"compatibilityLevel\":\"NONE\",\"compatibilityPolicy\":\"lenient\"}", "one of its settings is unknown" },
		{ CONFIG("s"), "{\"compatibilityLevel\":\"NONE\",\"normalize\":5.5}", "one of its settings is unknown" },
		{ CONFIG("s"), "{\"compatibilityLevel\":\"NONE\",\"alias\":[]}", "one of its settings is unknown" },
		{ CONFIG("s"), "{\"compatibilityLevel\":\"NONE\",\"defaultMetadata\":{\"properties\":[1]}}", "one of its settings is unknown" },
		{ CONFIG("s"), "{\"compatibilityLevel\":\"NONE\",\"overrideRuleSet\":{\"domainRules\":5}}", "one of its settings is unknown" },
		{ MODE("s"), "{\"mode\":\"SIDEWAYS\"}", "its mode is unknown" },
		{ MODE("s"), "{\"mode\":\"readonly\"}", "its mode is unknown" },
		{ KEY("s", 1), "{}", "it has no id" },
		{ "not JSON", "{}", "its key is no JSON object" },
	};
	struct world w;
	const char *before;

	world_init(&w);
	world_put(&w, CONFIG("s"), "{\"compatibilityLevel\":\"FULL\"}");
	before = world_all(&w, w.registry);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		world_put(&w, cases[i].key, cases[i].value);
		CU_ASSERT_PTR_NOT_NULL_FATAL(w.passed);
		SAME(w.passed, cases[i].why);
		SAME(world_all(&w, w.registry), before);
	}
	world_done(&w);
}

/* Whoever reads it otherwise, now or later, must not meet another schema of its id. */
static void
the_id_of_what_is_passed_over_is_not_given_out(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, KEY("s", 1), "{\"id\":7,\"schema\":\"\\\"int\\\"\",\"metadata\":5}");
	SAME(w.passed, "its metadata or rule set can't be read");
	SAME(world_register(&w, "t", "\"int\""), "8/1");
	world_done(&w);
}

/* As who registers it would get it, so that it is the same schema. */
static void
what_is_read_has_its_form(void)
{
	static const char value[] = "{\"id\":1,\"schema\":\"\\\"int\\\"\",\"metadata\":{\"zz\":1,\"properties\":{\"b\":true,\"a\":7}},"
				    "\"ruleSet\":{\"domainRules\":[{\"name\":\"r\",\"type\":\"T\"}]}}";
	struct schema_request q = { .text = span_str("\"int\"") };
	const struct schema_entry *s;
	struct buf text = { 0 };
	struct world w;

	world_init(&w);
	world_put(&w, KEY("s", 1), value);
	CU_ASSERT_PTR_NULL(w.passed);
	s = registry_by_id(w.registry, span_str("."), 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	json_print(&text, s->metadata);
	json_print(&text, s->rule_set);
	CU_ASSERT(span_is(buf_bytes(&text), "{\"properties\":{\"a\":\"7\",\"b\":\"true\"}}{\"domainRules\":[{\"name\":\"r\","
		"\"kind\":\"TRANSFORM\",\"mode\":\"WRITEREAD\",\"type\":\"T\",\"disabled\":false}]}"));
	q.metadata = s->metadata;
	q.rule_set = s->rule_set;
	SAME(world_request(&w, "t", &q), "1/1");
	buf_reset(&text);
	world_put(&w, CONFIG("s"), "{\"normalize\":\"true\",\"alias\":5,\"new\":[1],\"compatibilityPolicy\":null,"
	    "\"defaultMetadata\":{\"properties\":{\"a\":7}}}");
	CU_ASSERT_PTR_NULL(w.passed);
	json_print(&text, registry_own_config(w.registry, span_str("s")));
	CU_ASSERT(span_is(buf_bytes(&text), "{\"normalize\":true,\"alias\":\"5\",\"new\":[1],\"compatibilityPolicy\":null,"
		"\"defaultMetadata\":{\"properties\":{\"a\":\"7\"}}}"));
	buf_done(&text);
	world_done(&w);
}

static void
schemas_of_types_that_we_can_not_parse_are_kept(void)
{
	static const char value[] = "{\"subject\":\"s\",\"version\":1,\"id\":1,\"schemaType\":\"JSON\",\"schema\":\"{}\"}";
	struct schema_request q = { .text = span_str("{}"), .schema_type = span_str("JSON") };
	struct world w;

	world_init(&w);
	world_put(&w, KEY("s", 1), value);
	CU_ASSERT_PTR_NULL(w.passed);
	CU_ASSERT(span_is(registry_by_id(w.registry, span_str("."), 1)->schema_type, "JSON"));
	SAME(world_request(&w, "s", &q), "42201 Invalid schema type JSON");
	SAME(world_delete_version(&w, "s", 1, false), "1");
	SAME(world_writes(&w), KEY("s", 1) " {\"subject\":\"s\",\"version\":1,\"id\":1,\"schemaType\":\"JSON\",\"schema\":\"{}\","
					   "\"deleted\":true}\n");
	world_done(&w);
}

/* ---- keys of others ---- */

#define OLD "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":0}"
#define TURNED "{\"subject\":\"s\",\"version\":1,\"magic\":1,\"keytype\":\"SCHEMA\"}"

static void
tombstones_have_the_bytes_of_all_keys(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, OLD, VALUE("s", 1, 1, "int"));
	world_put(&w, TURNED, VALUE("s", 1, 1, "int"));
	world_put(&w, OLD, VALUE("s", 1, 1, "int"));
	world_put(&w, "{\"keytype\":\"CONFIG\",\"subject\" : \"s\",\"magic\":0}", "{\"compatibilityLevel\":\"FULL\"}");
	world_put(&w, "{\"magic\":0,\"keytype\":\"MODE\",\"subject\":\"s\"}", "{\"mode\":\"READWRITE\"}");
	SAME(world_delete(&w, "s", false), "1");
	SAME(world_delete(&w, "s", true), "1");
	SAME(world_writes(&w), TURNED " null\n" OLD " null\n" KEY("s", 1) " null\n"
	    "{\"magic\":0,\"keytype\":\"MODE\",\"subject\":\"s\"} null\n{\"keytype\":\"MODE\",\"subject\":\"s\",\"magic\":0} null\n"
	    "{\"keytype\":\"CONFIG\",\"subject\" : \"s\",\"magic\":0} null\n" CONFIG("s") " null\n");
	/* What comes anew has nothing of it. */
	SAME(world_register(&w, "s", "\"int\""), "2/1");
	world_delete(&w, "s", false);
	world_delete(&w, "s", true);
	SAME(world_writes(&w), KEY("s", 1) " null\n");
	world_done(&w);
}

static void
global_settings_are_unset_under_all_their_keys(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, "{\"keytype\":\"CONFIG\",\"subject\":null,\"magic\":0}", "{\"compatibilityLevel\":\"FULL\"}");
	SAME(world_config(&w, NULL, "{\"compatibility\":\"none\"}"), "");
	SAME(world_writes(&w), "{\"keytype\":\"CONFIG\",\"magic\":0} {\"compatibilityLevel\":\"NONE\"}\n");
	SAME(world_unset_config(&w, NULL), "");
	SAME(world_writes(&w), "{\"keytype\":\"CONFIG\",\"subject\":null,\"magic\":0} null\n{\"keytype\":\"CONFIG\",\"magic\":0} null\n");
	CU_ASSERT_EQUAL(registry_level(w.registry, span_str("s")), LEVEL_BACKWARD);
	world_put(&w, "{\"keytype\":\"MODE\",\"subject\":\"\",\"magic\":0}", "{\"mode\":\"READONLY\"}");
	SAME(world_unset_mode(&w, NULL, false), "");
	SAME(world_writes(&w), "{\"keytype\":\"MODE\",\"subject\":\"\",\"magic\":0} null\n{\"keytype\":\"MODE\",\"magic\":0} null\n");
	world_done(&w);
}

/* Confluent's leave what is empty out. */
static void
the_empty_subject_has_no_name_in_keys(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, "{\"keytype\":\"SCHEMA\",\"version\":1,\"magic\":1}", "{\"version\":1,\"id\":1,\"schema\":\"\\\"int\\\"\",\"deleted\":false}");
	CU_ASSERT_PTR_NULL(w.passed);
	SAME(world_lookup(&w, "", "\"int\"", REGISTRY_LIVE), "1/1");
	SAME(world_delete(&w, "", false), "1");
	SAME(world_writes(&w), "{\"keytype\":\"DELETE_SUBJECT\",\"magic\":0} {\"version\":1}\n");
	/* What we wrote ourselves in earlier times has its name. */
	world_put(&w, KEY("", 1), DELETED("", 1, 1, "int"));
	SAME(world_delete(&w, "", true), "1");
	SAME(world_writes(&w), KEY("", 1) " null\n{\"keytype\":\"SCHEMA\",\"version\":1,\"magic\":1} null\n");
	world_done(&w);
}

static void
of_colliding_writers_the_first_wins(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1,\"seq\":0,\"node\":1}",
	    VALUE("s", 1, 1, "int"));
	CU_ASSERT_PTR_NULL(w.passed);
	world_put(&w, "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1,\"seq\":0,\"node\":2}",
	    VALUE("s", 1, 1, "long"));
	SAME(w.passed, "another write came before it");
	SAME(world_lookup(&w, "s", "\"int\"", REGISTRY_LIVE), "1/1");
	/* A tombstone bears the key of what it ends. */
	world_put(&w, "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1,\"seq\":0,\"node\":1}", NULL);
	CU_ASSERT_PTR_NULL(w.passed);
	SAME(world_subjects(&w, "", REGISTRY_ALL), "");
	world_done(&w);
}

static void
the_normal_context_has_no_name(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, KEY(":.:s", 1), VALUE(":.:s", 1, 1, "int"));
	SAME(world_subjects(&w, "", REGISTRY_LIVE), "s");
	world_delete(&w, "s", false);
	world_delete(&w, "s", true);
	SAME(world_writes(&w), KEY(":.:s", 1) " null\n" KEY("s", 1) " null\n");
	world_done(&w);
}

static const char *
contexts_of(struct world *w)
{
	struct span s;
	size_t it = 0;
	const char *list = "";

	while ((s = registry_next_context(w->registry, &it)).p != NULL)
		list = arena_printf(&w->arena, "%s%s%.*s", list, *list == '\0' ? "" : " ", (int)s.n, (const char *)s.p);
	return list;
}

/* ---- what grows with what clients do ---- */

#define OF_S(n) "{\"name\":\"" #n "\",\"subject\":\"s\",\"version\":1}"
#define REFERRING(subject, id, text, list) \
	"{\"subject\":\"" subject "\",\"version\":1,\"id\":" #id ",\"references\":[" list "],\"schema\":\"\\\"" text "\\\"\"}"

static size_t
links_to_s(const struct world *w)
{
	const struct target *t = state_target(w->registry, span_str("s"), 1);

	return t == NULL ? 0 : t->n;
}

/* So it is found, and dropped, as fast as one that says it once. */
static void
a_schema_that_names_a_version_often_refers_to_it_once(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, KEY("a", 1), REFERRING("a", 1, "int", OF_S(1) "," OF_S(2) ",{\"name\":\"x\",\"subject\":\"t\",\"version\":1}," OF_S(3)));
	CU_ASSERT_EQUAL(links_to_s(&w), 1);
	world_put(&w, KEY("b", 1), REFERRING("b", 2, "long", OF_S(1) "," OF_S(2)));
	world_put(&w, KEY("c", 1), REFERRING("c", 3, "float", OF_S(1)));
	CU_ASSERT_EQUAL(links_to_s(&w), 3);
	SAME(world_referenced_by(&w, "s", 1, REGISTRY_LIVE), "1 2 3");
	world_put(&w, KEY("b", 1), NULL);
	SAME(world_referenced_by(&w, "s", 1, REGISTRY_LIVE), "1 3");
	world_put(&w, KEY("a", 1), NULL);
	SAME(world_referenced_by(&w, "s", 1, REGISTRY_LIVE), "3");
	SAME(world_referenced_by(&w, "t", 1, REGISTRY_ALL), "");
	world_put(&w, KEY("c", 1), NULL);
	CU_ASSERT_EQUAL(links_to_s(&w), 0);
	CU_ASSERT_EQUAL(w.registry->targets.n, 0);
	world_done(&w);
}

/* Its versions are counted by whether they are deleted, however that came about. */
static void
a_schema_refers_with_its_live_and_its_deleted_versions(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, KEY("a", 1), REFERRING("a", 1, "int", OF_S(1)));
	world_put(&w, KEY("b", 1), REFERRING("b", 1, "int", OF_S(1)));
	SAME(world_referenced_by(&w, "s", 1, REGISTRY_DELETED_ONLY), "");
	world_put(&w, "{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"a\",\"magic\":0}", "{\"subject\":\"a\",\"version\":1}");
	SAME(world_referenced_by(&w, "s", 1, REGISTRY_LIVE), "1");
	SAME(world_referenced_by(&w, "s", 1, REGISTRY_DELETED_ONLY), "1");
	world_put(&w, KEY("b", 1), NULL);
	SAME(world_referenced_by(&w, "s", 1, REGISTRY_LIVE), "");
	SAME(world_referenced_by(&w, "s", 1, REGISTRY_ALL), "1");
	world_put(&w, KEY("a", 1), REFERRING("a", 1, "int", OF_S(1)));
	SAME(world_referenced_by(&w, "s", 1, REGISTRY_LIVE), "1");
	SAME(world_referenced_by(&w, "s", 1, REGISTRY_DELETED_ONLY), "");
	world_done(&w);
}

/* All that bear one schema, with their contexts. */
static const char *
bearers(struct world *w, const uint8_t guid[16])
{
	const struct schema_entry *s;
	const char *list = "";
	size_t it = 0;

	while ((s = registry_next_by_guid(w->registry, guid, &it)) != NULL)
		list = arena_printf(&w->arena, "%s %.*s/%d", list, (int)s->context.n, (const char *)s->context.p, (int)s->id);
	return list;
}

static void
who_bears_a_schema_goes_from_wherever_it_stands(void)
{
	uint8_t guid[16];
	struct world w;

	world_init(&w);
	world_put(&w, KEY("a", 1), VALUE("a", 1, 1, "int"));
	world_put(&w, KEY(":.c:a", 1), VALUE(":.c:a", 1, 2, "int"));
	world_put(&w, KEY("b", 1), VALUE("b", 1, 3, "int"));
	world_put(&w, KEY(":.d:a", 1), VALUE(":.d:a", 1, 4, "int"));
	world_put(&w, KEY("c", 1), VALUE("c", 1, 5, "int"));
	memcpy(guid, registry_by_id(w.registry, span_str("."), 1)->guid, sizeof guid);
	SAME(bearers(&w, guid), " ./5 .d/4 ./3 .c/2 ./1");
	world_put(&w, KEY(":.c:a", 1), NULL);
	SAME(bearers(&w, guid), " ./5 .d/4 ./3 ./1");
	/* Of those of a context the first that is there is given out, as it would be by who reads the topic now. */
	SAME(world_lookup(&w, "a", "\"int\"", REGISTRY_LIVE), "1/1");
	world_put(&w, KEY("a", 1), NULL);
	SAME(world_register(&w, "x", "\"int\""), "3/1");
	world_put(&w, KEY("x", 1), NULL);
	world_put(&w, KEY("c", 1), NULL);
	SAME(bearers(&w, guid), " .d/4 ./3");
	SAME(world_register(&w, "x", "\"int\""), "3/1");
	world_put(&w, KEY("d", 1), VALUE("d", 1, 6, "int"));
	world_put(&w, KEY("x", 1), NULL);
	world_put(&w, KEY("b", 1), NULL);
	world_put(&w, KEY(":.d:a", 1), NULL);
	SAME(bearers(&w, guid), " ./6");
	world_put(&w, KEY("d", 1), NULL);
	SAME(bearers(&w, guid), "");
	world_done(&w);
}

static void
trees_take_as_much_memory_as_they_need(void)
{
	static const char value[] = "{\"id\":1,\"schema\":\"\\\"int\\\"\",\"metadata\":{\"properties\":{\"a\\n\":\"b\"}},"
				    "\"ruleSet\":{\"domainRules\":[{\"name\":\"r\",\"type\":\"T\"}]}}";
	const struct content *c;
	const struct scope *s;
	struct world w;

	world_init(&w);
	world_put(&w, KEY(":.c:s", 1), value);
	c = (const void *)registry_by_id(w.registry, span_str(".c"), 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT(c->trees.used > 0 && c->trees.cap == c->trees.used);
	for (int i = 0; i < 2; i++) {
		world_put(&w, CONFIG(":.c:s"), i == 0 ? "{\"alias\":\"t\"}" : "{\"alias\":\"t\",\"normalize\":true}");
		s = state_scope(w.registry, span_str(":.c:s"));
		CU_ASSERT_PTR_NOT_NULL_FATAL(s);
		CU_ASSERT(s->trees.used > 0 && s->trees.cap == s->trees.used);
		CU_ASSERT(span_is(registry_aliased(w.registry, span_str(":.c:s")), ":.c:t"));
	}
	world_done(&w);
}

static void
contexts_are_listed_with_their_records_or_subjects(void)
{
	struct world w;

	world_init(&w);
	world_put(&w, KEY(":.b:s", 1), VALUE(":.b:s", 1, 1, "int"));
	world_put(&w, "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".a\",\"magic\":0}",
	    "{\"tenant\":\"default\",\"context\":\".a\"}");
	SAME(contexts_of(&w), ". .a .b");
	world_apply(&w, span_str("{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":\".a\",\"magic\":0}"),
	    span_of(NULL, 0));
	SAME(contexts_of(&w), ". .b");
	world_done(&w);
}

const struct unit_test state_tests[] = {
	UNIT(a_version_is_there_until_its_tombstone),
	UNIT(watermarks_delete_up_to_their_version_at_their_place),
	UNIT(clearing_forgets_what_is_deleted),
	UNIT(deleted_versions_are_found_by_id_and_by_hash),
	UNIT(an_id_bears_one_schema),
	UNIT(a_schema_may_bear_several_ids),
	UNIT(what_is_unknown_is_passed_over),
	UNIT(the_id_of_what_is_passed_over_is_not_given_out),
	UNIT(what_is_read_has_its_form),
	UNIT(schemas_of_types_that_we_can_not_parse_are_kept),
	UNIT(tombstones_have_the_bytes_of_all_keys),
	UNIT(global_settings_are_unset_under_all_their_keys),
	UNIT(the_empty_subject_has_no_name_in_keys),
	UNIT(of_colliding_writers_the_first_wins),
	UNIT(the_normal_context_has_no_name),
	UNIT(a_schema_that_names_a_version_often_refers_to_it_once),
	UNIT(a_schema_refers_with_its_live_and_its_deleted_versions),
	UNIT(who_bears_a_schema_goes_from_wherever_it_stands),
	UNIT(trees_take_as_much_memory_as_they_need),
	UNIT(contexts_are_listed_with_their_records_or_subjects),
	UNIT_END
};
