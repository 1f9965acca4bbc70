/* plan_register.c -- what the registration of a schema writes. */
#include <limits.h>

#include "registry/merge.h"
#include "registry/registry_internal.h"

/* A registration on its way through the checks. */
struct registration {
	const struct registry *registry;
	struct span subject, context;
	const struct schema_request *request; /* with what was added to it */
	struct parsed_schema parsed;
	const struct subject *known; /* NULL: the subject is new */
	struct arena *arena;
	struct plan *plan;
	const struct plan *earlier; /* not applied yet */
	struct refusal *why;
	bool import;
};

static bool
is_subject_name(struct span name)
{
	/* The control characters are U+0000 to U+001F, and U+007F to U+009F. */
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < 0x20 || name.p[i] == 0x7f ||
		    (name.p[i] == 0xc2 && name.n - i > 1 && name.p[i + 1] >= 0x80 && name.p[i + 1] < 0xa0))
			return false;
	return !span_is(name, "__GLOBAL") && !span_is(name, "__EMPTY");
}

bool
plan_check_scope(struct span scope, struct arena *a, struct refusal *why)
{
	struct span name;

	registry_context(scope, &name);
	return is_subject_name(name) || refuse(why, a, REGISTRY_INVALID_SUBJECT, text_of(a, scope));
}

bool
plan_check_subject(struct span subject, struct arena *a, struct refusal *why)
{
	struct span name;

	/* What is above all contexts has settings, and no schemas. */
	if (span_is(registry_context(subject, &name), ".__GLOBAL"))
		return refuse(why, a, REGISTRY_INVALID_SUBJECT, text_of(a, subject));
	return plan_check_scope(subject, a, why);
}

/* Whether the mode in force lets the request through. */
static bool
check_mode(struct registration *g)
{
	g->import = state_is_import(g->registry, g->subject);
	if (!plan_refuse_read_only(g->registry, g->subject, g->arena, g->why))
		return false;
	if (g->request->id > 0 && !g->import)
		return plan_refuse_mode(g->subject, "is not in import", g->arena, g->why);
	if (g->request->id <= 0 && g->import)
		return plan_refuse_mode(g->subject, "is not in read-write", g->arena, g->why);
	return true;
}

static bool
no_overwrite(struct registration *g)
{
	return refuse(g->why, g->arena, REGISTRY_NOT_PERMITTED,
	    arena_printf(g->arena, "Overwrite new schema with id %d in context %s is not permitted.",
		(int)g->request->id, plan_context(g->subject, g->arena)));
}

/* Whether one of the earlier plans, which have not been applied, is of the same subject. */
static bool
is_planned_for(struct span subject, const struct plan *earlier)
{
	for (const struct plan *e = earlier; e != NULL; e = e->earlier)
		if (e->n_writes > 0 && span_eq(e->subject, subject))
			return true;
	return false;
}

/* The next of the earlier plans from `e` on that gives out an id in the context; NULL: there is none. */
static const struct plan *
next_of_context(const struct registration *g, const struct plan *e)
{
	struct span name;

	while (e != NULL && (e->n_writes == 0 || !span_eq(registry_context(e->subject, &name), g->context)))
		e = e->earlier;
	return e;
}

/* The id that the same schema gets by an earlier plan; 0: none. */
static int32_t
id_of_earlier(const struct registration *g)
{
	for (const struct plan *e = g->earlier; (e = next_of_context(g, e)) != NULL; e = e->earlier)
		if (memcmp(e->hash, g->parsed.hash, sizeof e->hash) == 0)
			return e->id;
	return 0;
}

/* Whether an earlier plan gives the id that is brought along to another schema. */
static bool
is_id_taken(const struct registration *g)
{
	for (const struct plan *e = g->earlier; (e = next_of_context(g, e)) != NULL; e = e->earlier)
		if (e->id == g->request->id && memcmp(e->hash, g->parsed.hash, sizeof e->hash) != 0)
			return true;
	return false;
}

/* The highest that was given out, or is to be. */
static int32_t
max_id(const struct registration *g, const struct context *c)
{
	int32_t most = c == NULL ? 0 : c->max_id;

	for (const struct plan *e = g->earlier; (e = next_of_context(g, e)) != NULL; e = e->earlier)
		if (e->id > most)
			most = e->id;
	return most;
}

/* The id: the one that is brought along, that of the same schema elsewhere, or the next. */
static bool
choose_id(struct registration *g)
{
	const struct context *c = state_context(g->registry, g->context);
	const struct content *same = state_by_hash(g->registry, c, g->parsed.hash);
	const struct schema_entry *holder;

	if (g->import) {
		holder = registry_by_id(g->registry, g->context, g->request->id);
		if (holder != NULL && memcmp(holder->guid, g->parsed.hash, sizeof holder->guid) != 0)
			return no_overwrite(g);
		if (is_id_taken(g))
			return refuse(g->why, g->arena, REGISTRY_WAITS);
		g->plan->id = g->request->id;
	} else if (same != NULL)
		g->plan->id = same->entry.id;
	else if (id_of_earlier(g) > 0)
		g->plan->id = id_of_earlier(g);
	else if (max_id(g, c) == INT32_MAX)
		return refuse(g->why, g->arena, REGISTRY_NOT_PERMITTED, "All ids of the context have been given out");
	else
		g->plan->id = max_id(g, c) + 1;
	return true;
}

/* The number behind all others; 0: they have been given out. */
static int32_t
next_version(const struct registration *g)
{
	const struct version *newest = state_newest(g->known, REGISTRY_ALL);

	if (newest == NULL)
		return 1;
	return newest->entry.version == INT32_MAX ? 0 : newest->entry.version + 1;
}

static bool
choose_version(struct registration *g)
{
	const struct version *there = state_version(g->known, g->request->version);
	int32_t wanted = g->request->version;

	g->plan->version = next_version(g);
	if (g->import && wanted > 0) {
		if (there != NULL && memcmp(there->entry.schema->guid, g->parsed.hash, 16) != 0)
			return no_overwrite(g);
		g->plan->version = wanted;
	} else if (g->plan->version == 0)
		return refuse(g->why, g->arena, REGISTRY_INVALID_SCHEMA, "All versions of the subject have been given out");
	else if (wanted > 0 && wanted != g->plan->version)
		return refuse(g->why, g->arena, REGISTRY_INVALID_SCHEMA, "Version is not one more than previous version");
	return true;
}

static bool
check_compatibility(struct registration *g)
{
	struct level_messages messages;
	struct buf joined = { 0 };
	bool compatible, told;

	if (g->import || g->request->force)
		return true;
	if (!state_check(g->registry, g->subject, &g->parsed, g->arena, &compatible, &messages, g->why))
		return false;
	if (compatible)
		return true;
	for (size_t i = 0; i < messages.n; i++)
		buf_printf(&joined, "%s%s", i == 0 ? "" : ", ", messages.list[i]);
	buf_u8(&joined, '\0');
	told = !joined.failed;
	if (told)
		refuse(g->why, g->arena, REGISTRY_INCOMPATIBLE, text_of(g->arena, g->subject), (const char *)joined.p);
	buf_done(&joined);
	return told ? false : refuse(g->why, g->arena, REGISTRY_NO_MEMORY);
}

/* A softly deleted version of the same schema is replaced, unless somebody refers to it. */
static bool
replace_deleted(struct registration *g)
{
	for (size_t i = 0; g->known != NULL && i < g->known->n; i++) {
		const struct version *v = g->known->versions[i];

		if (!v->entry.deleted || v->entry.schema->id != g->plan->id ||
		    v->entry.version >= g->plan->version ||
		    state_target(g->registry, g->subject, v->entry.version) != NULL)
			continue;
		if (!plan_add_tombstones(g->plan, g->arena, RECORD_SCHEMA, g->subject, v->entry.version, v->keys))
			return false;
	}
	return true;
}

static bool
write_records(struct registration *g)
{
	struct record context = { .type = RECORD_CONTEXT, .context = g->context };
	const struct context *known = state_context(g->registry, g->context);
	struct record *rec = &g->parsed.record;
	bool good = true;

	if (!span_is(g->context, ".") && (known == NULL || !known->recorded))
		good = plan_add(g->plan, g->arena, &context);
	memcpy(g->plan->hash, g->parsed.hash, sizeof g->plan->hash);
	rec->subject = g->subject;
	rec->version = g->plan->version;
	rec->id = g->plan->id;
	good = good && replace_deleted(g) && plan_add(g->plan, g->arena, rec);
	return good || refuse(g->why, g->arena, REGISTRY_NO_MEMORY);
}

/* ---- tags ---- */

/* The request's text with tags added and taken away; false with the refusal. */
static bool
change_tags(struct registration *g, struct schema_request *q, const struct schema_tags *add, size_t n_add,
    const struct schema_tags *remove, size_t n_remove)
{
	struct schema_request known = *q;
	struct schema_mistake mistake;
	struct parsed_schema p;
	bool good;

	known.known = true;
	if (!registry_parse(g->registry, g->subject, &known, g->arena, &p, g->why))
		return false;
	good = schema_change_tags(p.schema, add, n_add, remove, n_remove, g->arena, &q->text, &mistake);
	schema_free(p.schema);
	if (good)
		return true;
	return mistake.memory ? refuse(g->why, g->arena, REGISTRY_NO_MEMORY) :
				refuse(g->why, g->arena, REGISTRY_INVALID_SCHEMA, mistake.text);
}

/* Those that the request asks for; such a version says which one it is. */
static bool
change_tags_as_asked(struct registration *g, struct schema_request *q)
{
	if (q->n_tags_to_add + q->n_tags_to_remove == 0)
		return true;
	if (q->version == 0)
		q->version = REGISTRY_LATEST;
	return change_tags(g, q, q->tags_to_add, q->n_tags_to_add, q->tags_to_remove, q->n_tags_to_remove);
}

/* Those of the version before. */
static bool
propagate_tags(struct registration *g, struct schema_request *q, const struct version *before)
{
	struct schema_tags *list;
	struct schema *s;
	size_t n;
	bool good;

	if (!q->propagate_tags || before == NULL)
		return true;
	if ((s = registry_schema(g->registry, before->entry.schema, g->arena, g->why)) == NULL)
		return false;
	good = schema_tags(s, g->arena, &list, &n);
	schema_free(s);
	if (!good)
		return refuse(g->why, g->arena, REGISTRY_NO_MEMORY);
	return n == 0 || change_tags(g, q, list, n, NULL, 0);
}

/* ---- the whole ---- */

/* What the request does not say is taken from the version before, if there is one. */
static bool
populate(struct registration *g, struct schema_request *q)
{
	const struct version *before = state_newest(g->known, REGISTRY_LIVE);

	if (g->import)
		return true;
	if (state_is_blank(q->text) && before != NULL) {
		q->text = before->entry.schema->text;
		q->schema_type = before->entry.schema->schema_type;
		q->references = before->entry.schema->references;
		q->n_references = before->entry.schema->n_references;
	}
	if (!propagate_tags(g, q, before))
		return false;
	return state_add_extras(g->registry, g->subject, before, next_version(g), g->arena, q) ||
	    refuse(g->why, g->arena, REGISTRY_NO_MEMORY);
}

/* What is a resource's own is referred to by nobody else. */
static bool
check_references(struct registration *g)
{
	const struct record *rec = &g->parsed.record;

	for (size_t i = 0; !g->import && i < rec->n_references; i++) {
		struct span subject = registry_subject(g->arena, g->context, rec->references[i].subject);
		const struct association *owner;

		if (subject.p == NULL)
			return refuse(g->why, g->arena, REGISTRY_NO_MEMORY);
		owner = state_owner(g->registry, subject);
		if (owner != NULL && owner->strong && !span_eq(subject, g->subject))
			return refuse(g->why, g->arena, REGISTRY_NOT_PERMITTED,
			    arena_printf(g->arena, "Subject '%s' has a strong association and cannot be referenced",
				text_of(g->arena, subject)));
	}
	return true;
}

/* A live version that is the same already; who asks for a number gets that. */
static const struct version *
find_same(struct registration *g)
{
	const struct version *v = NULL;

	if (g->request->version == 0)
		v = state_lookup(g->registry, g->known, &g->parsed, REGISTRY_LIVE, g->arena);
	return v != NULL && (g->request->id <= 0 || g->request->id == v->entry.schema->id) ? v : NULL;
}

static void
tell(struct plan *plan, const struct version_entry *v)
{
	plan->id = v->schema->id;
	plan->version = v->version;
}

/* A registration for which nothing is there yet, as far as can be told from the request alone. */
static bool
plan_anew(struct registration *g, struct schema_request *asked)
{
	const struct version *found;
	struct span name;
	bool good = true;

	g->request = asked;
	g->known = state_subject(g->registry, g->subject);
	g->context = registry_context(g->subject, &name);
	if (!check_mode(g) || !populate(g, asked) ||
	    !registry_parse(g->registry, g->subject, asked, g->arena, &g->parsed, g->why))
		return false;
	if (!check_references(g))
		good = false;
	else if ((found = find_same(g)) != NULL)
		tell(g->plan, &found->entry);
	else
		good = choose_id(g) && check_compatibility(g) && choose_version(g) && write_records(g);
	schema_free(g->parsed.schema);
	return good;
}

bool
registry_plan_register(const struct registry *r, struct span subject, const struct schema_request *q,
    const struct plan *earlier, struct arena *a, struct plan *plan, struct refusal *why)
{
	struct registration g = { .registry = r, .subject = subject, .arena = a, .plan = plan, .earlier = earlier, .why = why };
	struct schema_request asked = *q;
	const struct version_entry *same;

	*plan = (struct plan){ .subject = subject };
	/* Before the schema is parsed: it may have to wait often. */
	if (is_planned_for(subject, earlier))
		return refuse(why, a, REGISTRY_WAITS);
	/* What is there already is no write, whatever the mode. */
	same = state_registered(r, subject, q, a, why);
	if (same != NULL)
		tell(plan, same);
	return same != NULL ||
	    (why->problem == REGISTRY_OK && change_tags_as_asked(&g, &asked) && plan_anew(&g, &asked));
}

/* The rules that the new version gets: where some are to be merged, with those of the version before it. */
static bool
rules_to_have(struct registration *g, const struct tag_request *t, const struct json **out)
{
	int32_t before = t->new_version > 0 ? t->new_version - 1 : REGISTRY_LATEST;
	const struct version_entry *old;
	struct refusal none;

	*out = t->rule_set;
	if (t->rules_to_merge == NULL && t->rules_to_remove == NULL)
		return true;
	old = registry_version(g->registry, g->subject, before, REGISTRY_LIVE, g->arena, &none);
	return (merge_rules(g->arena, old == NULL ? NULL : old->schema->rule_set, t->rules_to_merge, out) &&
		   (t->rules_to_remove == NULL || merge_without_rules(g->arena, *out, t->rules_to_remove, out))) ||
	    refuse(g->why, g->arena, REGISTRY_NO_MEMORY);
}

static bool
check_tag_request(const struct registration *g, const struct tag_request *t)
{
	if (t->rule_set != NULL && (t->rules_to_merge != NULL || t->rules_to_remove != NULL))
		return refuse(g->why, g->arena, REGISTRY_INVALID_RULES,
		    "ruleSet should be omitted if specifying rulesToMerge or rulesToRemove");
	return plan_check_rules(t->rules_to_merge, g->arena, g->why) && plan_check_rules(t->rule_set, g->arena, g->why);
}

bool
registry_plan_tag(const struct registry *r, struct span subject, int32_t version, const struct tag_request *t,
    struct arena *a, struct plan *plan, struct refusal *why)
{
	struct registration g = { .registry = r, .subject = subject, .arena = a, .plan = plan, .why = why };
	const struct version_entry *v;
	struct schema_request asked;

	*plan = (struct plan){ .subject = subject };
	if (!plan_check_subject(subject, a, why) ||
	    (v = registry_find_version(r, subject, version, REGISTRY_LIVE, a, why)) == NULL || !check_tag_request(&g, t))
		return false;
	asked = (struct schema_request){ .schema_type = v->schema->schema_type, .text = v->schema->text,
		.references = v->schema->references, .n_references = v->schema->n_references,
		.metadata = t->metadata != NULL ? t->metadata : v->schema->metadata, .version = t->new_version };
	/* It says which version it is: what stands there now is set right on the way. */
	if (!merge_put_version(a, asked.metadata, t->new_version > 0 ? t->new_version : 1, &asked.metadata))
		return refuse(why, a, REGISTRY_NO_MEMORY);
	return rules_to_have(&g, t, &asked.rule_set) &&
	    change_tags(&g, &asked, t->add, t->n_add, t->remove, t->n_remove) && plan_anew(&g, &asked);
}
