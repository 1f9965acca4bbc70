/*
 * registry_fuzz.c -- any bytes as records of `_schemas`, a line each: key, tab, value; no tab: a tombstone.
 *
 * All questions are asked about what is there then, and all plans made for it.  What a plan
 * writes must be understood, and a registry that reads all of it anew must answer the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "registry/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { ARENA = 64 << 20, ASKED_MAX = 20 };

/* The topic, and the registry that it makes. */
struct topic {
	struct registry *registry;
	struct buf log; /* what was written to it, as the input is */
	int64_t offset;
};

static void
apply(struct topic *t, struct span key, struct span value, bool must_be_good)
{
	const char *why = NULL;
	bool good = registry_apply(t->registry, t->offset, t->offset, key, value, &why);

	must(good || why != NULL);
	must(good || !must_be_good);
	t->offset++;
}

/* What stands before a mark, as a copy of its own size, so that a read past the end is seen.  Owned; null: there is none. */
static struct span
take(const uint8_t **at, const uint8_t *end, uint8_t mark)
{
	const uint8_t *found = *at == end ? NULL : memchr(*at, mark, (size_t)(end - *at));
	size_t n = (size_t)((found == NULL ? end : found) - *at);
	uint8_t *copy = malloc(n == 0 ? 1 : n);

	must(copy != NULL);
	if (n > 0)
		memcpy(copy, *at, n);
	*at = found == NULL ? end : found + 1;
	return span_of(copy, n);
}

static void
apply_line(struct topic *t, struct span line)
{
	const uint8_t *at = line.p, *end = line.p + line.n;
	bool tombstone = line.n == 0 || memchr(line.p, '\t', line.n) == NULL;
	struct span key = take(&at, end, '\t'), value = tombstone ? span_of(NULL, 0) : take(&at, end, '\n');

	apply(t, key, value, false);
	free((void *)(uintptr_t)key.p);
	free((void *)(uintptr_t)value.p);
}

/* ---- questions ---- */

static void
ask_schema(const struct registry *r, const struct version_entry *v, struct arena *a)
{
	struct refusal why = { 0 };
	struct schema *s = registry_schema(r, v->schema, a, &why);
	size_t it = 0;

	must(s != NULL || why.problem == REGISTRY_INVALID_SCHEMA || why.problem == REGISTRY_NO_MEMORY);
	schema_free(s);
	must(registry_by_id(r, v->schema->context, v->schema->id) == v->schema);
	must(registry_next_use(r, v->schema, REGISTRY_ALL, &it) != NULL);
	it = 0;
	must(registry_next_by_guid(r, v->schema->guid, &it) != NULL);
	must(registry_max_id(r, v->schema->context) >= v->schema->id);
	must(registry_bearer(r, v->schema)->schema == v->schema);
	registry_has_rule_of(v->schema, span_str("CEL"));
}

/* By names that are looked for. */
static void
ask_names(const struct registry *r, struct span subject, const struct version_entry *v, struct arena *a)
{
	struct property wanted = { span_str("a"), span_str("1") };
	struct span aliased = registry_aliased(r, subject), s;
	const struct version_entry *found;
	struct refusal why;
	bool certain;
	size_t it = 0;

	must(aliased.p != NULL);
	found = registry_find_id(r, subject, v->schema->id, &certain);
	must(found != NULL && found->schema == v->schema && certain);
	must(registry_find_version(r, subject, v->version, REGISTRY_ALL, a, &why) == v);
	registry_find_version(r, aliased, v->version, REGISTRY_LIVE, a, &why);
	found = registry_latest_with(r, subject, &wanted, 1, REGISTRY_ALL, a, &why);
	must(found == NULL || span_eq(found->subject, subject));
	while ((s = registry_next_namesake(r, subject, &it)).p != NULL)
		must(s.n > subject.n);
}

/* A stored schema as somebody would send it again. */
static void
ask_again(const struct registry *r, struct span subject, const struct version_entry *v, struct arena *a)
{
	struct schema_request q = { .schema_type = v->schema->schema_type, .text = v->schema->text,
		.references = v->schema->references, .n_references = v->schema->n_references,
		.metadata = v->schema->metadata, .rule_set = v->schema->rule_set, .normalize = v->version % 2 == 0 };
	struct level_messages messages;
	struct refusal why = { 0 };
	bool compatible;

	registry_registered(r, subject, &q, a, &why);
	registry_lookup(r, subject, &q, REGISTRY_ALL, a, &why);
	if (registry_check(r, subject, 0, &q, a, &compatible, &messages, &why))
		must(compatible == (messages.n == 0));
	registry_check(r, subject, REGISTRY_LATEST, &q, a, &compatible, &messages, &why);
}

static void
ask_subject(const struct registry *r, struct span subject, struct arena *a)
{
	const struct version_entry *v;
	size_t it = 0, asked = 0;
	int32_t before = 0, *ids;
	struct refusal why;
	size_t n;

	while ((v = registry_next_version(r, subject, REGISTRY_ALL, &it)) != NULL) {
		must(v->version > before && span_eq(v->subject, subject));
		before = v->version;
		must(registry_version(r, subject, v->version, REGISTRY_ALL, a, &why) == v);
		must(!registry_referenced_by(r, subject, v->version, REGISTRY_ALL, a, &ids, &n) || n == 0 || ids[0] > 0);
		ask_schema(r, v, a);
		ask_names(r, subject, v, a);
		if (asked++ < ASKED_MAX)
			ask_again(r, subject, v, a);
	}
	registry_level(r, subject);
	registry_normalize(r, subject);
	must(registry_mode(r, subject).p != NULL);
}

/* Whoever is found by a subject is found by its resource. */
static void
ask_associations(const struct registry *r)
{
	static const char *const subjects[] = { "s", "", ":.c:s" };
	const struct association *s, *found;

	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
		for (size_t it = 0; (s = registry_next_association(r, ASSOCIATIONS_BY_SUBJECT, span_str(subjects[i]), &it)) != NULL;) {
			size_t by_name = 0, by_id = 0;

			must(span_is(s->subject, subjects[i]));
			while ((found = registry_next_association(r, ASSOCIATIONS_BY_NAME, s->resource_name, &by_name)) != s)
				must(found != NULL);
			while ((found = registry_next_association(r, ASSOCIATIONS_BY_ID, s->resource_id, &by_id)) != s)
				must(found != NULL);
		}
}

static void
ask_all(const struct registry *r, struct arena *a)
{
	static const char *const prefixes[] = { ":*:", "", "s", ":.c:", ":*:s", ":" };
	const struct version_entry *v;
	struct span s, before;
	size_t it, asked = 0;

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		for (it = 0, before = span_of(NULL, 0); (s = registry_next_subject(r, span_str(prefixes[i]), REGISTRY_LIVE, &it)).p != NULL; before = s)
			must(before.p == NULL || !span_eq(before, s));
		for (it = 0; (v = registry_next_of_prefix(r, span_str(prefixes[i]), REGISTRY_LIVE, &it)) != NULL;)
			must(!v->deleted);
	}
	for (it = 0; (s = registry_next_subject(r, span_str(":*:"), REGISTRY_ALL, &it)).p != NULL && asked++ < ASKED_MAX;)
		ask_subject(r, s, a);
	ask_associations(r);
	for (it = 0; registry_next_context(r, &it).p != NULL;)
		;
	for (it = 0; registry_next_alias(r, span_str(":*:"), &it, &s).p != NULL;)
		must(s.p != NULL);
}

/* ---- plans ---- */

static void
carry_out(struct topic *t, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_writes; i++) {
		buf_span(&t->log, plan->writes[i].key);
		if (plan->writes[i].value.p != NULL) {
			buf_u8(&t->log, '\t');
			buf_span(&t->log, plan->writes[i].value);
		}
		buf_u8(&t->log, '\n');
		apply(t, plan->writes[i].key, plan->writes[i].value, true);
	}
}

/* A subject's name lives as long as it; it may go with the plan. */
static struct span
some_subject(const struct registry *r, size_t n, struct arena *a)
{
	struct span s, found = span_str("s");
	size_t it = 0;

	for (size_t i = 0; i <= n && (s = registry_next_subject(r, span_str(":*:"), REGISTRY_ALL, &it)).p != NULL; i++)
		found = s;
	return span_of(arena_copy(a, found.p, found.n), found.n);
}

/* The newest version with a tag at its root. */
static bool
plan_tag(const struct registry *r, struct span subject, struct arena *a, struct plan *plan, struct refusal *why)
{
	static const struct span tag = { (const uint8_t *)"T", 1 };
	struct schema_tags tags = { span_str("R"), false, &tag, 1 };
	struct tag_request t = { .add = &tags, .n_add = 1 };

	return registry_plan_tag(r, subject, REGISTRY_LATEST, &t, a, plan, why);
}

/* Associations with a subject of its own and with one that is there, and what becomes of them. */
static bool
plan_associate(const struct registry *r, int kind, struct span subject, struct arena *a, struct plan *plan, struct refusal *why)
{
	static const struct schema_request schema = { .text = { (const uint8_t *)"\"long\"", 6 } };
	struct association_change changes[] = {
		{ .op = ASSOCIATION_CREATE, .type = span_str("key"), .schema = &schema },
		{ .op = ASSOCIATION_UPSERT, .subject = subject, .strong = subject.n % 2 == 0 ? SAID_YES : SAID_NOTHING },
		{ .op = ASSOCIATION_DELETE, .cascade = true },
	};
	struct association_request q = { .resource_name = span_str("r"), .resource_namespace = span_str("n"),
		.resource_id = span_str("id"), .changes = &changes[kind], .n = 1 };

	return registry_plan_associate(r, &q, a, plan, why);
}

static bool
make_plan(const struct registry *r, int kind, struct span subject, struct arena *a, struct plan *plan)
{
	struct schema_request q = { .text = span_str("\"string\"") };
	struct json_mistake mistake;
	struct refusal why = { 0 };
	bool good;

	switch (kind) {
	case 0:
		good = registry_plan_register(r, subject, &q, NULL, a, plan, &why);
		break;
	case 1:
		good = registry_plan_delete_version(r, subject, REGISTRY_LATEST, false, a, plan, &why);
		break;
	case 2:
		good = registry_plan_put_config(r, subject,
		    json_parse(a, span_str("{\"compatibility\":\"NONE\",\"normalize\":true}"), &mistake), a, plan, &why);
		break;
	case 3:
		good = registry_plan_put_mode(r, subject, &(struct mode_request){ .mode = span_str("IMPORT"), .force = subject.n % 2 == 0 },
		    a, plan, &why);
		break;
	case 4:
		good = registry_plan_delete_mode(r, subject, &(struct mode_request){ .recursive = subject.n % 2 == 0 }, a, plan, &why);
		break;
	case 5:
		good = registry_plan_delete_subject(r, subject, false, a, plan, &why);
		break;
	case 6:
		good = registry_plan_delete_subject(r, subject, true, a, plan, &why);
		break;
	case 7:
		good = plan_tag(r, subject, a, plan, &why);
		break;
	case 8:
		q = (struct schema_request){ .text = span_str("{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}"), .force = true,
			.propagate_tags = true, .version = REGISTRY_LATEST };
		q.metadata = json_parse(a, span_str("{\"properties\":{\"a\":\"1\"}}"), &mistake);
		good = registry_plan_register(r, subject, &q, NULL, a, plan, &why);
		break;
	case 9:
		good = registry_plan_delete_context(r, span_str(":.c:"), a, plan, &why);
		break;
	case 10:
	case 11:
	case 12:
		good = plan_associate(r, kind - 10, subject, a, plan, &why);
		break;
	case 13:
		good = registry_plan_dissociate(r, &(struct dissociation){ .resource_id = span_str("id"), .cascade = true }, a, plan, &why);
		break;
	default:
		good = registry_plan_delete_config(r, subject, a, plan, &why);
		break;
	}
	must(good == (why.problem == REGISTRY_OK));
	return good;
}

static void
plan_all(struct topic *t)
{
	for (size_t s = 0; s < 3; s++)
		for (int kind = 0; kind < 15; kind++) {
			struct arena a;
			struct span subject;
			struct plan plan;

			arena_init(&a, ARENA);
			subject = some_subject(t->registry, s, &a);
			if (make_plan(t->registry, kind, subject, &a, &plan))
				carry_out(t, &plan);
			arena_done(&a);
		}
}

/* What can be counted: it must be the same in both. */
static size_t
count(const struct registry *r)
{
	size_t n = 0, it = 0;

	while (registry_next_of_prefix(r, span_str(":*:"), REGISTRY_ALL, &it) != NULL)
		n++;
	for (it = 0; registry_next_of_prefix(r, span_str(":*:"), REGISTRY_LIVE, &it) != NULL;)
		n += 1 << 16;
	for (it = 0; registry_next_association(r, ASSOCIATIONS_BY_ID, span_str("id"), &it) != NULL;)
		n += (size_t)1 << 32;
	return n;
}

static void
apply_all(struct topic *t, struct span text)
{
	const uint8_t *at = text.p, *end = text.p + text.n;

	while (at != end) {
		struct span line = take(&at, end, '\n');

		apply_line(t, line);
		free((void *)(uintptr_t)line.p);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct topic t = { .registry = registry_new(LEVEL_BACKWARD) }, again = { .registry = registry_new(LEVEL_BACKWARD) };
	struct arena a;

	if (n > 0)
		apply_all(&t, span_of(bytes, n));
	arena_init(&a, ARENA);
	ask_all(t.registry, &a);
	arena_done(&a);
	plan_all(&t);
	if (n > 0)
		apply_all(&again, span_of(bytes, n));
	if (t.log.n > 0)
		apply_all(&again, buf_bytes(&t.log));
	must(count(again.registry) == count(t.registry));
	buf_done(&t.log);
	registry_free(t.registry);
	registry_free(again.registry);
	return 0;
}
