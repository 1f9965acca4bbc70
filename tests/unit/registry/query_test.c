/* query_test.c -- versions, prefixes, contexts, who refers to whom. */
#include <stdio.h>
#include <string.h>

#include "unit/registry/world.h"
#include "unit/unit.h"

static void
version_numbers_are_read_as_urls_have_them(void)
{
	static const struct {
		const char *text;
		int32_t version; /* 0: none */
	} cases[] = {
		{ "1", 1 }, { "2147483647", 2147483647 }, { " 7 ", 7 }, { "007", 7 },
		{ "latest", REGISTRY_LATEST }, { "LATEST", REGISTRY_LATEST }, { "lAtEsT", REGISTRY_LATEST },
		{ " latest", REGISTRY_LATEST }, { "-1", REGISTRY_LATEST },
		{ "", 0 }, { "0", 0 }, { "-2", 0 }, { "2147483648", 0 }, { "99999999999999999999", 0 }, { "1.0", 0 },
		{ "1e3", 0 }, { "0x1", 0 }, { "latests", 0 }, { "newest", 0 }, { "1 2", 0 }, { " ", 0 }, { "\xc2\xa0", 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int32_t version = 0;

		CU_ASSERT_EQUAL(registry_parse_version(span_str(cases[i].text), &version), cases[i].version != 0);
		CU_ASSERT(cases[i].version == 0 || version == cases[i].version);
	}
}

static void
names_have_a_context_before_them(void)
{
	static const struct {
		const char *subject, *qualified, *context, *name;
	} cases[] = {
		{ "s", "s", ".", "s" },
		{ "", "", ".", "" },
		{ ":.:s", "s", ".", "s" },
		{ ":.:", "", ".", "" },
		{ ":.c:s", ":.c:s", ".c", "s" },
		{ ":.c:", ":.c:", ".c", "" },
		{ ":.c:a:b", ":.c:a:b", ".c", "a:b" },
		{ ":.c", ":.c", ".", ":.c" },
		{ ":c:s", ":c:s", ".", ":c:s" },
		{ "a:.c:s", "a:.c:s", ".", "a:.c:s" },
		{ ":", ":", ".", ":" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct span qualified = registry_qualified(span_str(cases[i].subject)), name, context;

		CU_ASSERT(qualified.n == strlen(cases[i].qualified) && memcmp(qualified.p, cases[i].qualified, qualified.n) == 0);
		context = registry_context(qualified, &name);
		CU_ASSERT(span_is(context, cases[i].context));
		CU_ASSERT(name.n == strlen(cases[i].name) && memcmp(name.p, cases[i].name, name.n) == 0);
	}
}

static void
fill(struct world *w)
{
	static const char *const subjects[] = { "a", "ab", "b", ":.c:a", ":.c:b", ":.d:a", ":.open", "!", "z/y" };

	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		SAME(world_register(w, subjects[i], "\"int\""), "1/1");
		SAME(world_register(w, subjects[i], "\"long\""), "2/2");
	}
	world_delete_version(w, "b", 1, false);
	world_delete(w, ":.d:a", false);
}

/* What is said in a context means a subject of it, unless it has a context of its own. */
static void
names_are_said_in_a_context(void)
{
	static const struct {
		const char *context, *said, *subject;
	} cases[] = {
		{ ".", "s", "s" }, { ".", "", "" }, { ".", ":.:s", "s" }, { ".", ":.c:s", ":.c:s" }, { ".", ":x", ":x" },
		{ ".", ":*:s", ":*:s" }, { ".", ":.c", ":.c:" }, { ".", ":.", "" },
		{ ".c", "s", ":.c:s" }, { ".c", "", ":.c:" }, { ".c", ":.:s", "s" }, { ".c", ":.d:s", ":.d:s" },
		{ ".c", ":x", ":.c::x" }, { ".c", ":*:s", ":*:s" }, { ".c", ":.d:", ":.d:" },
	};
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct span s = registry_subject(&w.arena, span_str(cases[i].context), span_str(cases[i].said));

		CU_ASSERT(span_is(s, cases[i].subject));
	}
	world_done(&w);
}

/* So that another subject is never meant. */
static void
names_keep_their_zeros(void)
{
	static const struct reference ref = { { (const uint8_t *)"x", 1 }, { (const uint8_t *)"a\0z", 3 }, 1 };
	struct schema_request q = { .text = span_str("\"long\""), .references = &ref, .n_references = 1 };
	struct span s;
	struct world w;

	world_init(&w);
	s = registry_subject(&w.arena, span_str(".c"), span_of("a\0z", 3));
	CU_ASSERT(span_eq(s, span_of(":.c:a\0z", 7)));
	s = registry_subject(&w.arena, span_of(".\0", 2), span_str("a"));
	CU_ASSERT(span_eq(s, span_of(":.\0:a", 5)));
	s = registry_subject(&w.arena, span_str("."), span_of(":.c\0d", 5));
	CU_ASSERT(span_eq(s, span_of(":.c\0d:", 6)));
	CU_ASSERT(registry_context_name(&w.arena, span_of("c\0d", 3), &s));
	CU_ASSERT(span_eq(s, span_of(".c\0d", 4)));
	SAME(world_register(&w, ":.c:a", "\"int\""), "1/1");
	SAME(world_request(&w, ":.c:r", &q), "42201 No schema reference found for subject \":.c:a\" and version 1");
	SAME(world_config(&w, ":.c:al", "{\"alias\":\"a\\u0000b\"}"), "");
	CU_ASSERT(span_eq(registry_aliased(w.registry, span_str(":.c:al")), span_of(":.c:a\0b", 7)));
	world_done(&w);
}

static void
contexts_are_spelled_in_many_ways(void)
{
	static const struct {
		const char *spelled, *context;
	} cases[] = {
		{ ".c", ".c" }, { "c", ".c" }, { ":.c:", ".c" }, { ":c:", ".c" }, { ":.c", ".c" }, { ".c:", ".c" },
		{ ".", "." }, { ":.:", "." }, { "", "." }, { "a:b", NULL }, { "::", "." }, { ":::", NULL },
	};
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct span s;
		bool good = registry_context_name(&w.arena, span_str(cases[i].spelled), &s);

		CU_ASSERT_EQUAL(good, cases[i].context != NULL);
		CU_ASSERT(!good || span_is(s, cases[i].context));
	}
	world_done(&w);
}

static void
prefixes_stay_in_their_context(void)
{
	static const struct {
		const char *prefix;
		enum registry_which which;
		const char *subjects;
	} cases[] = {
		{ "", REGISTRY_LIVE, "! :.open a ab b z/y" },
		{ "a", REGISTRY_LIVE, "a ab" },
		{ ":.:a", REGISTRY_LIVE, "a ab" },
		{ "ab", REGISTRY_LIVE, "ab" },
		{ "x", REGISTRY_LIVE, "" },
		{ ":.c:", REGISTRY_LIVE, ":.c:a :.c:b" },
		{ ":.c:b", REGISTRY_LIVE, ":.c:b" },
		{ ":.d:", REGISTRY_LIVE, "" },
		{ ":.d:", REGISTRY_ALL, ":.d:a" },
		{ ":*:", REGISTRY_LIVE, "! :.c:a :.c:b :.open a ab b z/y" },
		{ ":*:", REGISTRY_ALL, "! :.c:a :.c:b :.d:a :.open a ab b z/y" },
		{ ":*:a", REGISTRY_ALL, ":.c:a :.d:a a ab" },
		{ ":*:", REGISTRY_DELETED_ONLY, ":.d:a" }, /* b has a live version */
	};
	struct world w;

	world_init(&w);
	fill(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		SAME(world_subjects(&w, cases[i].prefix, cases[i].which), cases[i].subjects);
	world_done(&w);
}

static void
all_versions_of_a_prefix_come_by_subject_and_version(void)
{
	static const struct {
		const char *prefix;
		enum registry_which which;
		const char *versions;
	} cases[] = {
		{ "", REGISTRY_LIVE, "!1 !2 :.open1 :.open2 a1 a2 ab1 ab2 b2 z/y1 z/y2 " },
		{ "b", REGISTRY_ALL, "b1 b2 " },
		{ ":*:", REGISTRY_DELETED_ONLY, ":.d:a1 :.d:a2 b1 " },
		{ ":.c:", REGISTRY_LIVE, ":.c:a1 :.c:a2 :.c:b1 :.c:b2 " },
	};
	struct world w;

	world_init(&w);
	fill(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct version_entry *v;
		char told[200] = "";
		size_t it = 0, n = 0;

		while ((v = registry_next_of_prefix(w.registry, span_str(cases[i].prefix), cases[i].which, &it)) != NULL)
			n += (size_t)snprintf(told + n, sizeof told - n, "%.*s%d ", (int)v->subject.n, (const char *)v->subject.p,
			    (int)v->version);
		SAME(told, cases[i].versions);
	}
	world_done(&w);
}

static const char *
ask(struct world *w, const char *subject, int32_t version, enum registry_which which)
{
	struct refusal why;
	const struct version_entry *v = registry_version(w->registry, span_str(subject), version, which, &w->arena, &why);

	return v == NULL ? world_refusal(w, &why) : arena_printf(&w->arena, "%d", (int)v->version);
}

static void
versions_are_found_or_refused(void)
{
	static const struct {
		const char *subject;
		int32_t version;
		enum registry_which which;
		const char *answer;
	} cases[] = {
		{ "a", 1, REGISTRY_LIVE, "1" },
		{ "a", REGISTRY_LATEST, REGISTRY_LIVE, "2" },
		{ "a", 3, REGISTRY_LIVE, "40402 Version 3 not found." },
		{ "b", 1, REGISTRY_LIVE, "40402 Version 1 not found." },
		{ "b", 1, REGISTRY_ALL, "1" },
		{ "none", 1, REGISTRY_LIVE, "40401 Subject 'none' not found." },
		{ ":.d:a", REGISTRY_LATEST, REGISTRY_LIVE, "40401 Subject ':.d:a' not found." },
		{ ":.d:a", REGISTRY_LATEST, REGISTRY_ALL, "40402 Version -1 not found." }, /* the latest is a live one */
		{ ":.d:a", 2, REGISTRY_ALL, "2" },
		{ ":.d:a", 3, REGISTRY_ALL, "40402 Version 3 not found." },
	};
	struct world w;

	world_init(&w);
	fill(&w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		SAME(ask(&w, cases[i].subject, cases[i].version, cases[i].which), cases[i].answer);
	world_done(&w);
}

static void
lookups_tell_what_is_missing(void)
{
	struct world w;

	world_init(&w);
	fill(&w);
	SAME(world_lookup(&w, "a", " \"int\" ", REGISTRY_LIVE), "1/1");
	SAME(world_lookup(&w, "a", "{\"type\":\"int\"}", REGISTRY_LIVE), "1/1");
	SAME(world_lookup(&w, "a", "\"float\"", REGISTRY_LIVE), "40403 Schema not found");
	SAME(world_lookup(&w, "b", "\"bytes\"", REGISTRY_LIVE), "40403 Schema not found");
	SAME(world_lookup(&w, "b", "\"int\"", REGISTRY_ALL), "1/1");
	SAME(world_lookup(&w, "none", "\"int\"", REGISTRY_LIVE), "40401 Subject 'none' not found.");
	SAME(world_lookup(&w, ":.d:a", "\"int\"", REGISTRY_LIVE), "40401 Subject ':.d:a' not found.");
	SAME(world_lookup(&w, ":.d:a", "\"int\"", REGISTRY_ALL), "1/1");
	CU_ASSERT(strncmp(world_lookup(&w, "none", "\"in", REGISTRY_LIVE), "42201 Invalid schema {subject=none,", 35) == 0);
	world_done(&w);
}

/* What the normal context does not have is looked for in the others, if no context was said. */
static void
unqualified_names_are_looked_for_everywhere(void)
{
	static const struct {
		const char *subject;
		int32_t id;
		const char *found; /* as subject/version; NULL: nothing */
		bool certain;
	} ids[] = {
		{ "", 1, "a/1", true }, { "", 3, NULL, false }, { "a", 1, "a/1", true }, { "only", 1, ":.c:only/1", true },
		{ "only", 2, ":.c:only/2", true }, { "only", 3, NULL, false }, { "none", 2, "a/2", false },
		{ ":.c:", 2, ":.c:only/2", true }, { ":.c:only", 2, ":.c:only/2", true }, { ":.c:a", 2, NULL, true },
		{ ":.x:", 1, NULL, true },
	};
	struct refusal why;
	struct world w;
	const struct version_entry *v;

	world_init(&w);
	world_register(&w, "a", "\"int\"");
	world_register(&w, "a", "\"long\"");
	world_register(&w, ":.c:only", "\"long\"");
	world_register(&w, ":.c:only", "\"float\"");
	world_register(&w, ":.d:only", "\"double\"");
	SAME(world_lookup(&w, "only", "\"float\"", REGISTRY_LIVE), "2/2");
	SAME(world_lookup(&w, "only", "\"double\"", REGISTRY_LIVE), "1/1");
	SAME(world_lookup(&w, "only", "\"int\"", REGISTRY_LIVE), "40401 Subject 'only' not found.");
	SAME(world_lookup(&w, ":.d:only", "\"float\"", REGISTRY_LIVE), "40403 Schema not found");
	v = registry_find_version(w.registry, span_str("only"), 2, REGISTRY_LIVE, &w.arena, &why);
	CU_ASSERT(v != NULL && span_is(v->subject, ":.c:only"));
	v = registry_find_version(w.registry, span_str("only"), 3, REGISTRY_LIVE, &w.arena, &why);
	CU_ASSERT(v == NULL && why.problem == REGISTRY_SUBJECT_NOT_FOUND);
	v = registry_find_version(w.registry, span_str(":.x:only"), 1, REGISTRY_LIVE, &w.arena, &why);
	CU_ASSERT(v == NULL && why.problem == REGISTRY_SUBJECT_NOT_FOUND);
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		bool certain;

		v = registry_find_id(w.registry, span_str(ids[i].subject), ids[i].id, &certain);
		CU_ASSERT_EQUAL(certain, ids[i].certain);
		CU_ASSERT_EQUAL(v != NULL, ids[i].found != NULL);
		if (v != NULL)
			SAME(arena_printf(&w.arena, "%.*s/%d", (int)v->subject.n, (const char *)v->subject.p, (int)v->version),
			    ids[i].found);
	}
	world_done(&w);
}

static bool
is_alias(struct world *w, const char *subject, const char *of)
{
	return span_is(registry_aliased(w->registry, span_str(subject)), of);
}

/* One step, and no more: so there are no loops. */
static void
aliases_are_taken_one_step(void)
{
	struct world w;

	world_init(&w);
	CU_ASSERT(is_alias(&w, "s", "s"));
	world_config(&w, "s", "{\"alias\":\"t\"}");
	world_config(&w, "t", "{\"alias\":\"s\"}");
	world_config(&w, "u", "{\"alias\":\":.c:x\"}");
	world_config(&w, ":.c:u", "{\"alias\":\"x\"}");
	world_config(&w, ":.c:v", "{\"alias\":\":.:x\"}");
	world_config(&w, NULL, "{\"alias\":\"t\"}");
	CU_ASSERT(is_alias(&w, "s", "t") && is_alias(&w, "t", "s"));
	CU_ASSERT(is_alias(&w, "u", ":.c:x") && is_alias(&w, ":.c:u", ":.c:x") && is_alias(&w, ":.c:v", "x"));
	CU_ASSERT(is_alias(&w, "", "") && is_alias(&w, "w", "w"));
	world_config(&w, "s", "{\"normalize\":true}");
	CU_ASSERT(is_alias(&w, "s", "t"));
	world_config(&w, "s", "{\"alias\":\"\"}");
	CU_ASSERT(is_alias(&w, "s", "s"));
	world_unset_config(&w, "t");
	CU_ASSERT(is_alias(&w, "t", "t"));
	world_done(&w);
}

static const char *
latest_with(struct world *w, const char *subject, const struct property *wanted, size_t n, enum registry_which which)
{
	struct refusal why;
	const struct version_entry *v =
	    registry_latest_with(w->registry, span_str(subject), wanted, n, which, &w->arena, &why);

	return v == NULL ? world_refusal(w, &why) : arena_printf(&w->arena, "%d", (int)v->version);
}

static void
the_newest_with_properties_is_found(void)
{
	static const char *const texts[] = { "\"int\"", "\"long\"", "\"float\"", "\"double\"" };
	const char *metadata[] = { "{\"properties\":{\"a\":\"1\",\"b\":\"x\"}}", "{\"properties\":{\"a\":\"1\"}}",
		"{\"tags\":{\"a\":[\"1\"]}}", "{\"properties\":{\"a\":\"2\"}}" };
	struct property a1 = { span_str("a"), span_str("1") }, a2 = { span_str("a"), span_str("2") },
			bx = { span_str("b"), span_str("x") };
	struct property both[] = { a1, bx }, last_counts[] = { a2, a1 };
	struct world w;

	world_init(&w);
	SAME(latest_with(&w, "s", &a1, 1, REGISTRY_LIVE), "40401 Subject 's' not found.");
	world_config(&w, NULL, "{\"compatibility\":\"NONE\"}");
	for (int i = 0; i < 4; i++) {
		struct schema_request q = { .text = span_str(texts[i]), .metadata = world_json(&w, metadata[i]) };

		world_request(&w, "s", &q);
	}
	SAME(latest_with(&w, "s", &a1, 1, REGISTRY_LIVE), "2");
	SAME(latest_with(&w, "s", &a2, 1, REGISTRY_LIVE), "4");
	SAME(latest_with(&w, "s", both, 2, REGISTRY_LIVE), "1");
	SAME(latest_with(&w, "s", last_counts, 2, REGISTRY_LIVE), "2");
	SAME(latest_with(&w, "s", NULL, 0, REGISTRY_LIVE), "4");
	world_delete_version(&w, "s", 4, false);
	SAME(latest_with(&w, "s", &a2, 1, REGISTRY_LIVE), "40403 Schema not found");
	SAME(latest_with(&w, "s", &a2, 1, REGISTRY_ALL), "4");
	world_done(&w);
}

static void
aliases_of_a_prefix_are_walked(void)
{
	static const struct {
		const char *prefix;
		size_t n;
	} cases[] = { { "", 2 }, { "s", 1 }, { ":*:", 3 }, { ":*:s", 2 }, { ":.c:", 1 }, { "t", 0 } };
	struct world w;

	world_init(&w);
	world_config(&w, "s1", "{\"alias\":\"t\"}");
	world_config(&w, "x", "{\"alias\":\"t\"}");
	world_config(&w, ":.c:s2", "{\"alias\":\"t\"}");
	world_config(&w, "s3", "{\"normalize\":true}");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct span target, alias;
		size_t it = 0, n = 0;

		while ((alias = registry_next_alias(w.registry, span_str(cases[i].prefix), &it, &target)).p != NULL) {
			CU_ASSERT(span_is(target, alias.p[0] == ':' ? ":.c:t" : "t"));
			n++;
		}
		CU_ASSERT_EQUAL(n, cases[i].n);
	}
	world_done(&w);
}

#define USER(name) "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[{\"name\":\"f\",\"type\":\"T\"}]}"

static const char *
refer(struct world *w, const char *subject, const char *name, const char *target, int32_t version)
{
	struct reference ref = { span_str("T"), span_str(target), version };
	struct schema_request q = { .text = span_str(arena_printf(&w->arena, USER("%s"), name)),
		.references = &ref, .n_references = 1 };

	return world_request(w, subject, &q);
}

static void
those_who_refer_are_known_by_their_ids(void)
{
	struct world w;

	world_init(&w);
	SAME(world_register(&w, "t", "{\"type\":\"fixed\",\"name\":\"T\",\"size\":4}"), "1/1");
	SAME(refer(&w, "x", "X", "t", 1), "2/1");
	SAME(refer(&w, "y", "X", "t", 1), "2/1");
	SAME(refer(&w, "y2", "Y", "t", REGISTRY_LATEST), "3/1");
	SAME(world_referenced_by(&w, "t", 1, REGISTRY_LIVE), "2 3");
	world_delete(&w, "x", false);
	SAME(world_referenced_by(&w, "t", 1, REGISTRY_LIVE), "2 3");
	world_delete(&w, "y", false);
	SAME(world_referenced_by(&w, "t", 1, REGISTRY_LIVE), "3");
	SAME(world_referenced_by(&w, "t", 1, REGISTRY_ALL), "2 3");
	SAME(world_referenced_by(&w, "t", 1, REGISTRY_DELETED_ONLY), "2");
	world_delete(&w, "x", true);
	world_delete(&w, "y", true);
	SAME(world_referenced_by(&w, "t", 1, REGISTRY_ALL), "3");
	SAME(world_referenced_by(&w, "t", 2, REGISTRY_ALL), "");
	SAME(world_referenced_by(&w, "none", 1, REGISTRY_ALL), "");
	/* What has no context means that of who refers. */
	SAME(world_register(&w, ":.c:t", "{\"type\":\"fixed\",\"name\":\"T\",\"size\":4}"), "1/1");
	SAME(refer(&w, ":.c:x", "X", "t", 1), "2/1");
	SAME(world_referenced_by(&w, ":.c:t", 1, REGISTRY_LIVE), "2");
	SAME(world_referenced_by(&w, "t", 1, REGISTRY_LIVE), "3");
	world_done(&w);
}

const struct unit_test query_tests[] = {
	UNIT(version_numbers_are_read_as_urls_have_them),
	UNIT(names_have_a_context_before_them),
	UNIT(names_are_said_in_a_context),
	UNIT(names_keep_their_zeros),
	UNIT(contexts_are_spelled_in_many_ways),
	UNIT(prefixes_stay_in_their_context),
	UNIT(all_versions_of_a_prefix_come_by_subject_and_version),
	UNIT(versions_are_found_or_refused),
	UNIT(lookups_tell_what_is_missing),
	UNIT(unqualified_names_are_looked_for_everywhere),
	UNIT(aliases_are_taken_one_step),
	UNIT(the_newest_with_properties_is_found),
	UNIT(aliases_of_a_prefix_are_walked),
	UNIT(those_who_refer_are_known_by_their_ids),
	UNIT_END
};
