/* extras_test.c -- metadata and rules: the form they are kept in, what is merged, what versions say of themselves. */
#include <string.h>

#include "registry/canonical.h"
#include "registry/merge.h"
#include "unit/registry/world.h"
#include "unit/unit.h"

#define INT "\"int\""
#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define A "{\"name\":\"a\",\"type\":\"int\"}"
#define B "{\"name\":\"b\",\"type\":\"int\",\"default\":0}"

static const char *
printed(struct world *w, const struct json *tree)
{
	struct buf text = { 0 };
	const char *kept;

	if (tree == NULL)
		return "none";
	json_print(&text, tree);
	kept = arena_printf(&w->arena, "%.*s", (int)text.n, (const char *)text.p);
	buf_done(&text);
	return kept;
}

static const char *
formed(struct world *w, const char *given,
    bool (*form)(struct arena *, const struct json *, const struct json **, struct misfit *))
{
	const struct json *out;
	struct misfit why;

	if (form(&w->arena, world_json(w, given), &out, &why))
		return printed(w, out);
	return arena_printf(&w->arena, "%s %s", why.type, why.field == NULL ? "" : why.field);
}

static void
metadata_has_one_form(void)
{
	static const char *const cases[][2] = {
		{ "null", "none" },
		{ "{}", "{}" },
		{ "{\"tags\":null,\"properties\":{},\"sensitive\":[]}", "{}" },
		{ "{\"sensitive\":[\"b\",\"a\",\"b\"],\"properties\":{\"z\":1,\"a\":true,\"n\":null},\"more\":1,\"tags\":{\"t\":[\"y\",\"x\",\"y\"],\"s\":[]}}",
		    "{\"tags\":{\"s\":[],\"t\":[\"x\",\"y\"]},\"properties\":{\"a\":\"true\",\"z\":\"1\"},\"sensitive\":[\"a\",\"b\"]}" },
		{ "[]", "Metadata " },
		{ "{\"properties\":[1]}", "TreeMap properties" },
		{ "{\"properties\":{\"a\":{}}}", "String properties" },
		{ "{\"tags\":{\"a\":\"b\"}}", "TreeSet tags" },
		{ "{\"sensitive\":[[]]}", "String sensitive" },
	};
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		SAME(formed(&w, cases[i][0], canonical_metadata), cases[i][1]);
	world_done(&w);
}

static void
rules_have_one_form(void)
{
	static const char *const cases[][2] = {
		{ "{}", "{}" },
		{ "{\"domainRules\":[]}", "{}" },
		{ "{\"domainRules\":[{\"type\":\"CEL\",\"name\":\"r\"}]}",
		    "{\"domainRules\":[{\"name\":\"r\",\"kind\":\"TRANSFORM\",\"mode\":\"WRITEREAD\",\"type\":\"CEL\",\"disabled\":false}]}" },
		{ "{\"enableAt\":\"ALL\",\"encodingRules\":[{\"disabled\":true,\"onFailure\":\"NONE\",\"onSuccess\":\"\",\"expr\":\"x\","
		  "\"params\":{\"b\":2,\"a\":\"1\"},\"tags\":[\"q\",\"p\"],\"type\":\"T\",\"mode\":\"READ\",\"kind\":\"CONDITION\",\"doc\":\"d\",\"name\":\"n\"}]}",
		    "{\"encodingRules\":[{\"name\":\"n\",\"doc\":\"d\",\"kind\":\"CONDITION\",\"mode\":\"READ\",\"type\":\"T\",\"tags\":[\"p\",\"q\"],"
		    "\"params\":{\"a\":\"1\",\"b\":\"2\"},\"expr\":\"x\",\"onFailure\":\"NONE\",\"disabled\":true}],\"enableAt\":\"ALL\"}" },
		{ "{\"domainRules\":[{\"kind\":\"x\"}]}", "RuleKind kind" },
		{ "{\"domainRules\":[{\"mode\":1}]}", "RuleMode mode" },
		{ "{\"domainRules\":[7]}", "Rule domainRules" },
		{ "{\"domainRules\":{\"a\":1}}", "ArrayList domainRules" },
		{ "{\"enableAt\":\"never\"}", "ExecutionEnvironment enableAt" },
		{ "{\"domainRules\":[{\"disabled\":1.0}]}", "boolean disabled" },
		{ "{\"domainRules\":[{\"disabled\":\"yes\"}]}", "boolean disabled" },
		{ "7", "RuleSet " },
	};
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		SAME(formed(&w, cases[i][0], canonical_rules), cases[i][1]);
	world_done(&w);
}

static void
truths_are_told_in_many_ways(void)
{
	static const struct {
		const char *text;
		bool good, is;
	} cases[] = {
		{ "true", true, true }, { "false", true, false }, { "null", true, false }, { "\" True \"", true, true },
		{ "\"FALSE\"", true, false }, { "\"\"", true, false }, { "\" null\"", true, false }, { "0", true, false },
		{ "1", true, true }, { "-2", true, true }, { "1.0", false, false }, { "1e0", false, false }, { "\"1\"", false, false },
		{ "\"tRue\"", false, false }, { "[]", false, false }, { "{}", false, false },
	};
	struct world w;
	bool is;

	world_init(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CU_ASSERT_EQUAL(canonical_truth(world_json(&w, cases[i].text), &is), cases[i].good);
		CU_ASSERT(!cases[i].good || is == cases[i].is);
	}
	CU_ASSERT(canonical_truth(NULL, &is) && !is);
	world_done(&w);
}

static const char *
merged(struct world *w, const char *base, const char *over,
    bool (*merge)(struct arena *, const struct json *, const struct json *, const struct json **))
{
	const struct json *out;

	CU_ASSERT(merge(&w->arena, base == NULL ? NULL : world_json(w, base), over == NULL ? NULL : world_json(w, over), &out));
	return printed(w, out);
}

#define RULE(name, type) "{\"name\":\"" name "\",\"kind\":\"TRANSFORM\",\"mode\":\"WRITEREAD\",\"type\":\"" type "\",\"disabled\":false}"

static void
two_become_one(void)
{
	struct world w;

	world_init(&w);
	SAME(merged(&w, NULL, NULL, merge_metadata), "none");
	SAME(merged(&w, "{}", NULL, merge_metadata), "{}");
	SAME(merged(&w, "{\"tags\":{\"t\":[\"a\"],\"s\":[\"a\"]},\"properties\":{\"p\":\"1\",\"q\":\"1\"},\"sensitive\":[\"x\"]}",
		 "{\"tags\":{\"t\":[\"b\"]},\"properties\":{\"p\":\"2\"},\"sensitive\":[\"a\",\"x\"]}", merge_metadata),
	    "{\"tags\":{\"s\":[\"a\"],\"t\":[\"b\"]},\"properties\":{\"p\":\"2\",\"q\":\"1\"},\"sensitive\":[\"a\",\"x\"]}");
	SAME(merged(&w, NULL, "{}", merge_rules), "{}");
	SAME(merged(&w, "{\"domainRules\":[" RULE("a", "1") "," RULE("b", "1") "],\"enableAt\":\"ALL\"}",
		 "{\"domainRules\":[" RULE("c", "2") "," RULE("a", "2") "],\"encodingRules\":[" RULE("b", "2") "],\"enableAt\":\"NONE\"}", merge_rules),
	    "{\"domainRules\":[" RULE("b", "1") "," RULE("c", "2") "," RULE("a", "2") "],\"encodingRules\":[" RULE("b", "2") "],\"enableAt\":\"NONE\"}");
	SAME(merged(&w, "{\"domainRules\":[" RULE("a", "1") "," RULE("b", "1") "],\"encodingRules\":[" RULE("a", "1") "]}", "[\"a\",\"z\"]",
		 merge_without_rules),
	    "{\"domainRules\":[" RULE("b", "1") "]}");
	world_done(&w);
}

static void
rules_are_refused_in_their_order(void)
{
	static const char *const cases[][2] = {
		{ "{\"domainRules\":[{\"name\":\"r\"},{\"name\":\"r\"}]}", "Missing rule type" },
		{ "{\"domainRules\":[{\"name\":\"r\",\"type\":\"T\"},{\"name\":\"r\"}]}", "Found rule with duplicate name 'r'" },
		{ "{\"domainRules\":[{\"name\":\"r\",\"type\":\"T\",\"mode\":\"WRITE\",\"onFailure\":\"A,B\"}]}",
		    "Multiple actions only valid with WRITEREAD and UPDOWN" },
		{ "{\"domainRules\":[{\"name\":\"r\",\"type\":\"T\",\"mode\":\"WRITEREAD\",\"onFailure\":\"A,B\"}]}", "none" },
		{ "{\"migrationRules\":[{\"name\":\"r\",\"type\":\"T\"}]}", "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN" },
		{ "{\"encodingRules\":[{\"name\":\"r\",\"type\":\"T\",\"mode\":\"UPDOWN\"}]}", "Encoding rules can only be WRITE, READ, WRITEREAD" },
	};
	const char *long_name;
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *mistake = merge_rules_mistake(&w.arena, world_json(&w, cases[i][0]));

		SAME(mistake == NULL ? "none" : mistake, cases[i][1]);
	}
	long_name = arena_printf(&w.arena, "{\"domainRules\":[{\"name\":\"%0257d\"}]}", 0);
	SAME(merge_rules_mistake(&w.arena, world_json(&w, long_name)), "Rule name too long");
	world_done(&w);
}

/* The metadata of a subject's version, with its id. */
static const char *
told(struct world *w, const char *subject, int32_t version)
{
	struct refusal why;
	const struct version_entry *v = registry_version(w->registry, span_str(subject), version, REGISTRY_ALL, &w->arena, &why);

	return v == NULL ? world_refusal(w, &why) : arena_printf(&w->arena, "%d %s", (int)v->schema->id, printed(w, v->schema->metadata));
}

/* Who asks for a version, whichever it becomes, finds it told. */
static void
versions_are_told_in_the_metadata(void)
{
	struct schema_request q = { .text = span_str(INT), .version = REGISTRY_LATEST };
	struct world w;

	world_init(&w);
	SAME(world_request(&w, "s", &q), "1/1");
	SAME(told(&w, "s", 1), "1 {\"properties\":{\"confluent:version\":\"1\"}}");
	/* The latest is the same, with or without it. */
	SAME(world_request(&w, "s", &q), "1/1");
	SAME(world_register(&w, "s", INT), "1/1");
	SAME(world_lookup(&w, "s", INT, REGISTRY_LIVE), "1/1");
	/* From then on each version tells its own. */
	SAME(world_register(&w, "s", "\"long\""), "2/2");
	SAME(told(&w, "s", 2), "2 {\"properties\":{\"confluent:version\":\"2\"}}");
	/* An older one is made anew where it is to be the latest. */
	q.text = span_str("\"int\"");
	CU_ASSERT(strncmp(world_request(&w, "s", &q), "409 ", 4) == 0);
	q.force = true;
	SAME(world_request(&w, "s", &q), "3/3");
	SAME(told(&w, "s", 3), "3 {\"properties\":{\"confluent:version\":\"3\"}}");
	world_done(&w);
}

static void
a_number_asks_for_a_new_version(void)
{
	struct schema_request q = { .text = span_str(INT), .version = 1 };
	struct world w;

	world_init(&w);
	SAME(world_request(&w, "s", &q), "1/1");
	SAME(told(&w, "s", 1), "1 {\"properties\":{\"confluent:version\":\"1\"}}");
	SAME(world_request(&w, "s", &q), "42201 Version is not one more than previous version");
	q.version = 2;
	SAME(world_request(&w, "s", &q), "2/2");
	/* Such a version is the one that it says, not another. */
	q = (struct schema_request){ .text = span_str(INT), .metadata = world_json(&w, "{\"properties\":{\"confluent:version\":\"2\"}}") };
	SAME(world_request(&w, "s", &q), "2/2");
	world_register(&w, "t", INT);
	q.metadata = world_json(&w, "{\"properties\":{\"confluent:version\":\"1\"}}");
	SAME(world_request(&w, "t", &q), "3/1");
	q.metadata = world_json(&w, "{\"properties\":{\"confluent:version\":\"9\"}}");
	SAME(world_request(&w, "t", &q), "2/2");
	SAME(told(&w, "t", 2), "2 {\"properties\":{\"confluent:version\":\"2\"}}");
	world_done(&w);
}

static void
look_ups_add_what_a_registration_would(void)
{
	struct schema_request q = { .text = span_str(INT) };
	struct world w;

	world_init(&w);
	world_config(&w, NULL, "{\"defaultMetadata\":{\"properties\":{\"a\":\"1\"}},\"overrideRuleSet\":{\"domainRules\":[" RULE("r", "T") "]}}");
	SAME(world_request(&w, "s", &q), "1/1");
	SAME(told(&w, "s", 1), "1 {\"properties\":{\"a\":\"1\"}}");
	SAME(printed(&w, registry_by_id(w.registry, span_str("."), 1)->rule_set), "{\"domainRules\":[" RULE("r", "T") "]}");
	SAME(world_request(&w, "s", &q), "1/1");
	SAME(world_lookup(&w, "s", INT, REGISTRY_LIVE), "1/1");
	q.metadata = world_json(&w, "{\"properties\":{\"a\":\"2\"}}");
	SAME(world_request(&w, "s", &q), "2/2");
	/* The request over the default, what is above over both. */
	SAME(told(&w, "s", 2), "2 {\"properties\":{\"a\":\"2\"}}");
	SAME(world_lookup(&w, "s", INT, REGISTRY_LIVE), "2/2");
	SAME(world_lookup(&w, "s", " \n", REGISTRY_LIVE), "40403 Schema not found");
	SAME(world_lookup(&w, "t", "", REGISTRY_LIVE), "40401 Subject 't' not found.");
	world_done(&w);
}

static void
reserved_fields_stay_reserved(void)
{
	struct schema_request q = { .text = span_str(RECORD(A)) };
	struct world w;

	world_init(&w);
	world_config(&w, NULL, "{\"validateFields\":true,\"compatibility\":\"NONE\"}");
	q.metadata = world_json(&w, "{\"properties\":{\"confluent:reserved\":\"b, c,\"}}");
	SAME(world_request(&w, "s", &q), "1/1");
	q.text = span_str(RECORD(A "," B));
	SAME(world_request(&w, "s", &q), "409 Schema being registered is incompatible with an earlier schema for subject \"s\", details: "
	    "[The new schema has field that conflicts with the reserved field b., {validateFields: 'true', compatibility: 'NONE'}]");
	q.metadata = world_json(&w, "{\"properties\":{\"confluent:reserved\":\"c\"}}");
	SAME(world_request(&w, "s", &q), "409 Schema being registered is incompatible with an earlier schema for subject \"s\", details: "
	    "[The new schema has reserved field b removed from its metadata which is present in the old schema's metadata., "
	    "{validateFields: 'true', compatibility: 'NONE'}]");
	q.force = true;
	SAME(world_request(&w, "s", &q), "2/2");
	world_config(&w, NULL, "{\"validateFields\":false}");
	q = (struct schema_request){ .text = span_str(RECORD(A)), .metadata = world_json(&w, "{}") };
	SAME(world_request(&w, "s", &q), "3/3");
	world_done(&w);
}

static const char *
tag(struct world *w, const char *subject, int32_t version, const struct tag_request *t)
{
	struct refusal why = { 0 };

	if (!registry_plan_tag(w->registry, span_str(subject), version, t, &w->arena, &w->plan, &why))
		return world_refusal(w, &why);
	for (size_t i = 0; i < w->plan.n_writes; i++)
		world_apply(w, w->plan.writes[i].key, w->plan.writes[i].value);
	return arena_printf(&w->arena, "%d/%d", (int)w->plan.id, (int)w->plan.version);
}

static const char *
text_by_id(struct world *w, int32_t id)
{
	const struct schema_entry *s = registry_by_id(w->registry, span_str("."), id);

	return s == NULL ? "none" : arena_printf(&w->arena, "%.*s", (int)s->text.n, (const char *)s->text.p);
}

#define TAGGED_A(tags) "{\"name\":\"a\",\"type\":\"int\",\"confluent:tags\":" tags "}"

static void
tags_make_a_version(void)
{
	static const struct span pii = { (const uint8_t *)"PII", 3 };
	struct schema_tags on_a = { span_str("R.a"), true, &pii, 1 }, on_none = { span_str("R.none"), true, &pii, 1 };
	struct tag_request t = { .add = &on_a, .n_add = 1 }, bad = { .add = &on_none, .n_add = 1 };
	struct world w;

	world_init(&w);
	SAME(tag(&w, "s", 1, &t), "40401 Subject 's' not found.");
	world_register(&w, "s", RECORD(A));
	SAME(tag(&w, "s", 2, &t), "40402 Version 2 not found.");
	SAME(tag(&w, "s", 1, &bad), "42201 No matching path 'R.none' found in the schema");
	SAME(tag(&w, "s", REGISTRY_LATEST, &t), "2/2");
	SAME(text_by_id(&w, 2), RECORD(TAGGED_A("[\"PII\"]")));
	SAME(told(&w, "s", 2), "2 {\"properties\":{\"confluent:version\":\"2\"}}");
	/* Rules are merged into those of the version before the new one. */
	t = (struct tag_request){ .remove = &on_a, .n_remove = 1, .new_version = 3,
		.metadata = world_json(&w, "{\"properties\":{\"x\":\"y\"}}"),
		.rules_to_merge = world_json(&w, "{\"domainRules\":[" RULE("r", "T") "," RULE("q", "T") "]}") };
	SAME(tag(&w, "s", 2, &t), "3/3");
	SAME(text_by_id(&w, 3), RECORD(A));
	SAME(told(&w, "s", 3), "3 {\"properties\":{\"confluent:version\":\"3\",\"x\":\"y\"}}");
	SAME(printed(&w, registry_by_id(w.registry, span_str("."), 3)->rule_set), "{\"domainRules\":[" RULE("r", "T") "," RULE("q", "T") "]}");
	t = (struct tag_request){ .rules_to_remove = world_json(&w, "[\"r\"]") };
	SAME(tag(&w, "s", 3, &t), "4/4");
	SAME(printed(&w, registry_by_id(w.registry, span_str("."), 4)->rule_set), "{\"domainRules\":[" RULE("q", "T") "]}");
	t.rule_set = world_json(&w, "{}");
	SAME(tag(&w, "s", 3, &t), "42210 ruleSet should be omitted if specifying rulesToMerge or rulesToRemove");
	t = (struct tag_request){ .rule_set = world_json(&w, "{\"domainRules\":[{}]}") };
	SAME(tag(&w, "s", 3, &t), "42210 Missing rule name");
	t = (struct tag_request){ .new_version = 9 };
	SAME(tag(&w, "s", 3, &t), "42201 Version is not one more than previous version");
	world_mode(&w, "s", "READONLY", false);
	SAME(tag(&w, "s", 3, &t), "42205 Subject s in context  is in read-only mode");
	world_done(&w);
}

static void
registrations_change_tags_too(void)
{
	static const struct span pii = { (const uint8_t *)"PII", 3 };
	struct schema_tags on_a = { span_str("R.a"), true, &pii, 1 };
	struct schema_request q = { .text = span_str(RECORD(A)), .tags_to_add = &on_a, .n_tags_to_add = 1 };
	struct world w;

	world_init(&w);
	SAME(world_request(&w, "s", &q), "1/1");
	SAME(text_by_id(&w, 1), RECORD(TAGGED_A("[\"PII\"]")));
	SAME(told(&w, "s", 1), "1 {\"properties\":{\"confluent:version\":\"1\"}}");
	/* What the version before has comes along. */
	q = (struct schema_request){ .text = span_str(RECORD(A "," B)), .propagate_tags = true };
	SAME(world_request(&w, "s", &q), "2/2");
	SAME(text_by_id(&w, 2), RECORD(TAGGED_A("[\"PII\"]") "," B));
	q.text = span_str("{\"type\":\"record\",\"name\":\"Q\",\"fields\":[]}");
	SAME(world_request(&w, "s", &q), "42201 No matching path 'R.a' found in the schema");
	q = (struct schema_request){ .text = span_str(RECORD("{\"name\":\"a\"}")), .tags_to_remove = &on_a, .n_tags_to_remove = 1 };
	CU_ASSERT(strncmp(world_request(&w, "s", &q), "42201 Invalid schema {", 22) == 0);
	world_done(&w);
}

/* The message quotes the request as Java prints it. */
static void
requests_are_quoted_as_java_prints_them(void)
{
	static const struct reference refs[] = { { { (const uint8_t *)"n", 1 }, { (const uint8_t *)"t", 1 }, 1 } };
	struct schema_request q = { .text = span_str("\"x\""), .references = refs, .n_references = 1, .version = 4 };
	struct world w;
	const char *got;

	world_init(&w);
	world_register(&w, "t", INT);
	q.metadata = world_json(&w, "{\"tags\":{\"t\":[\"a\",\"b\"]},\"properties\":{\"k\":\"v\",\"l\":\"w\"}}");
	q.rule_set = world_json(&w, "{\"domainRules\":[{\"name\":\"r\",\"kind\":\"CONDITION\",\"mode\":\"WRITE\",\"type\":\"CEL\",\"tags\":[\"p\"],"
				    "\"params\":{\"x\":\"y\"},\"expr\":\"e\",\"disabled\":false}]}");
	got = world_request(&w, "s", &q);
	CU_ASSERT_PTR_NOT_NULL(strstr(got,
	    "42201 Invalid schema {subject=s,version=4,id=-1,schemaType=AVRO,references=[{name='n', subject='t', version=1}],"
	    "metadata=Metadata{tags={t=[a, b]}, properties={k=v, l=w}, sensitive=[]},ruleSet=Rules{migrationRules=[], domainRules="
	    "[Rule{name=r, doc=null, kind=CONDITION, mode=WRITE, type='CEL', tags='[p]', params='{x=y}', expr='e', onSuccess='null', "
	    "onFailure='null', disabled='false'}], encodingRules=[], enableAt=null},schema=\"x\"}, details: "));
	world_done(&w);
}

const struct unit_test extras_tests[] = {
	UNIT(metadata_has_one_form),
	UNIT(rules_have_one_form),
	UNIT(truths_are_told_in_many_ways),
	UNIT(two_become_one),
	UNIT(rules_are_refused_in_their_order),
	UNIT(versions_are_told_in_the_metadata),
	UNIT(a_number_asks_for_a_new_version),
	UNIT(look_ups_add_what_a_registration_would),
	UNIT(reserved_fields_stay_reserved),
	UNIT(tags_make_a_version),
	UNIT(registrations_change_tags_too),
	UNIT(requests_are_quoted_as_java_prints_them),
	UNIT_END
};
