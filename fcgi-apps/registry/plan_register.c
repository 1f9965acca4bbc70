/* plan_register.c -- what the registration of a schema writes. */
#include <limits.h>

#include "registry/merge.h"
#include "registry/registry_internal.h"

/* A registration on its way through the checks. */
struct registration {
	const struct registry *registry;
	struct span subject, context;
	const struct schema_request *request;
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
plan_check_subject(struct span subject, struct arena *a, struct refusal *why)
{
	struct span name;

	registry_context(subject, &name);
	return is_subject_name(name) || refuse(why, a, REGISTRY_INVALID_SUBJECT, text_of(a, subject));
}

/* Whether the mode in force lets the request through. */
static bool
check_mode(struct registration *g)
{
	struct span mode = registry_mode(g->registry, g->subject);

	g->import = span_is(mode, "IMPORT") || span_is(mode, "FORWARD");
	if (!plan_refuse_read_only(g->registry, g->subject, g->arena, g->why))
		return false;
	if (g->request->id > 0 && !g->import)
		return plan_refuse_mode(g->subject, "import", false, g->arena, g->why);
	if (g->request->id <= 0 && g->import)
		return plan_refuse_mode(g->subject, "read-write", false, g->arena, g->why);
	return true;
}

static bool
no_overwrite(struct registration *g)
{
	return refuse(g->why, g->arena, REGISTRY_NOT_PERMITTED,
	    arena_printf(g->arena, "Overwrite new schema with id %d in context %s is not permitted.",
		(int)g->request->id, text_of(g->arena, g->context)));
}

/*
 * Whether it can be told before the earlier plans have been applied: not where they are of the same subject or the
 * same schema, or where ids are brought along.
 */
static bool
may_share(const struct registration *g)
{
	struct span name;

	for (const struct plan *e = g->earlier; e != NULL; e = e->earlier)
		if (e->n_writes > 0 && span_eq(registry_context(e->subject, &name), g->context) &&
		    (g->import || span_eq(e->subject, g->subject) || memcmp(e->hash, g->parsed.hash, sizeof e->hash) == 0))
			return false;
	return true;
}

/* The highest that was given out, or is to be. */
static int32_t
max_id(const struct registration *g, const struct context *c)
{
	int32_t most = c == NULL ? 0 : c->max_id;
	struct span name;

	for (const struct plan *e = g->earlier; e != NULL; e = e->earlier)
		if (e->id > most && span_eq(registry_context(e->subject, &name), g->context))
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
		g->plan->id = g->request->id;
	} else if (same != NULL)
		g->plan->id = same->entry.id;
	else if (max_id(g, c) == INT32_MAX)
		return refuse(g->why, g->arena, REGISTRY_NOT_PERMITTED, "All ids of the context have been given out");
	else
		g->plan->id = max_id(g, c) + 1;
	return true;
}

static bool
choose_version(struct registration *g)
{
	const struct version *newest = state_newest(g->known, REGISTRY_ALL);
	const struct version *there = state_version(g->known, g->request->version);
	int32_t wanted = g->request->version;

	if (newest != NULL && newest->entry.version == INT32_MAX)
		return refuse(g->why, g->arena, REGISTRY_INVALID_SCHEMA, "All versions of the subject have been given out");
	g->plan->version = newest == NULL ? 1 : newest->entry.version + 1;
	if (wanted <= 0)
		return true;
	if (g->import) {
		if (there != NULL && memcmp(there->entry.schema->guid, g->parsed.hash, 16) != 0)
			return no_overwrite(g);
		g->plan->version = wanted;
	} else if (wanted != g->plan->version)
		return refuse(g->why, g->arena, REGISTRY_INVALID_SCHEMA, "Version is not one more than previous version");
	return true;
}

static bool
check_compatibility(struct registration *g)
{
	struct level_messages messages;
	struct buf joined = { 0 };
	bool compatible, told;

	if (g->import)
		return true;
	if (!registry_check(g->registry, g->subject, 0, &g->parsed, g->arena, &compatible, &messages, g->why))
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
		    v->entry.version == g->plan->version ||
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

/*
 * Whether a version is what the request asks for.  A number that is asked for counts only where
 * numbers are brought along.
 */
static bool
is_asked_for(const struct registry *r, struct span subject, const struct version *v, const struct schema_request *q)
{
	struct span mode = registry_mode(r, subject);
	bool import = span_is(mode, "IMPORT") || span_is(mode, "FORWARD");

	return (q->id <= 0 || q->id == v->entry.schema->id) &&
	    (!import || q->version <= 0 || q->version == v->entry.version);
}

/* Where the configuration adds metadata it is not the request alone that says what is the same. */
static bool
adds_metadata(const struct registry *r, struct span subject)
{
	return registry_config_field(r, subject, "defaultMetadata") != NULL ||
	    registry_config_field(r, subject, "overrideMetadata") != NULL;
}

/* What the request does not say is taken from the version before; the configuration's metadata goes below and above. */
static bool
merge(struct registration *g, struct schema_request *q)
{
	const struct version *before = state_newest(g->known, REGISTRY_LIVE);
	const struct json *metadata = q->metadata;

	if (g->import)
		return true;
	if (before != NULL && q->metadata == NULL)
		metadata = before->entry.schema->metadata;
	if (before != NULL && q->rule_set == NULL)
		q->rule_set = before->entry.schema->rule_set;
	return (merge_metadata(g->arena, registry_config_field(g->registry, g->subject, "defaultMetadata"), metadata, &metadata) &&
		   merge_metadata(g->arena, metadata, registry_config_field(g->registry, g->subject, "overrideMetadata"),
		       &q->metadata)) ||
	    refuse(g->why, g->arena, REGISTRY_NO_MEMORY);
}

const struct version_entry *
registry_registered(const struct registry *r, struct span subject, const struct schema_request *q, struct arena *a,
    struct refusal *why)
{
	struct schema_request known = *q;
	struct parsed_schema parsed;
	const struct version *v;

	*why = (struct refusal){ 0 };
	known.known = true;
	if (!plan_check_rules(q->rule_set, a, why) || !plan_check_subject(subject, a, why) ||
	    !registry_parse(r, subject, &known, a, &parsed, why))
		return NULL;
	v = state_lookup(r, state_subject(r, subject), &parsed, REGISTRY_LIVE, a);
	schema_free(parsed.schema);
	return v != NULL && is_asked_for(r, subject, v, q) && !adds_metadata(r, subject) ? &v->entry : NULL;
}

bool
registry_plan_register(const struct registry *r, struct span subject, const struct schema_request *q,
    const struct plan *earlier, struct arena *a, struct plan *plan, struct refusal *why)
{
	struct registration g = { .registry = r, .subject = subject, .request = q,
		.known = state_subject(r, subject), .arena = a, .plan = plan, .earlier = earlier, .why = why };
	/* What is there already is no write, whatever the mode. */
	const struct version_entry *same = registry_registered(r, subject, q, a, why);
	struct schema_request asked = *q;
	const struct version *found;
	struct span name;
	bool good = true;

	*plan = (struct plan){ .subject = subject };
	if (same != NULL) {
		plan->id = same->schema->id;
		plan->version = same->version;
		return true;
	}
	if (why->problem != REGISTRY_OK)
		return false;
	g.context = registry_context(subject, &name);
	if (!check_mode(&g) || !merge(&g, &asked) || !registry_parse(r, subject, &asked, a, &g.parsed, why))
		return false;
	found = g.import ? NULL : state_lookup(r, g.known, &g.parsed, REGISTRY_LIVE, a);
	if (found != NULL) {
		plan->id = found->entry.schema->id;
		plan->version = found->entry.version;
	} else if (!may_share(&g))
		good = refuse(why, a, REGISTRY_WAITS);
	else
		good = choose_id(&g) && check_compatibility(&g) && choose_version(&g) && write_records(&g);
	schema_free(g.parsed.schema);
	return good;
}
