/* world.c -- a registry for tests. */
#include "unit/registry/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "json/write.h"

static const int codes[REGISTRY_PROBLEMS] = {
#define PROBLEM(name, status, code, message) [REGISTRY_##name] = code,
#include "registry/problems.tbl"
	[REGISTRY_NO_MEMORY] = 413,
};

void
world_init(struct world *w)
{
	*w = (struct world){ .registry = registry_new(LEVEL_BACKWARD) };
	arena_init(&w->arena, SIZE_MAX / 2);
}

void
world_done(struct world *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free((void *)(uintptr_t)w->log[i].key.p);
		free((void *)(uintptr_t)w->log[i].value.p);
	}
	free(w->log);
	registry_free(w->registry);
	arena_done(&w->arena);
}

static struct span
keep(struct span s)
{
	return s.p == NULL ? s : span_of(xmemdup(s.p, s.n), s.n);
}

void
world_apply(struct world *w, struct span key, struct span value)
{
	if (w->n == w->cap) {
		w->cap = w->cap == 0 ? 64 : w->cap * 2;
		w->log = xrealloc(w->log, w->cap * sizeof *w->log);
	}
	w->log[w->n] = (struct plan_write){ keep(key), keep(value) };
	w->passed = NULL;
	registry_apply(w->registry, (int64_t)w->n, 1000 + (int64_t)w->n, w->log[w->n].key, w->log[w->n].value, &w->passed);
	w->n++;
}

void
world_put(struct world *w, const char *key, const char *value)
{
	world_apply(w, span_str(key), span_str(value));
}

/* What was put into a buffer, as a string of the arena. */
static const char *
settle(struct world *w, struct buf *b)
{
	const char *text;

	buf_u8(b, '\0');
	must(!b->failed);
	text = arena_copy(&w->arena, b->p, b->n);
	buf_done(b);
	return text;
}

const char *
world_refusal(struct world *w, const struct refusal *why)
{
	return arena_printf(&w->arena, "%d %s", codes[why->problem], why->message);
}

static void
carry_out(struct world *w)
{
	for (size_t i = 0; i < w->plan.n_writes; i++) {
		world_apply(w, w->plan.writes[i].key, w->plan.writes[i].value);
		/* What we write we must understand. */
		must(w->passed == NULL);
	}
}

const char *
world_request(struct world *w, const char *subject, const struct schema_request *q)
{
	struct refusal why = { 0 };

	if (!registry_plan_register(w->registry, span_str(subject), q, NULL, &w->arena, &w->plan, &why))
		return world_refusal(w, &why);
	carry_out(w);
	return arena_printf(&w->arena, "%d/%d", (int)w->plan.id, (int)w->plan.version);
}

const char *
world_register(struct world *w, const char *subject, const char *text)
{
	struct schema_request q = { .text = span_str(text) };

	return world_request(w, subject, &q);
}

const char *
world_lookup(struct world *w, const char *subject, const char *text, enum registry_which which)
{
	struct schema_request q = { .text = span_str(text) };
	struct refusal why;
	const struct version_entry *v = registry_lookup(w->registry, span_str(subject), &q, which, &w->arena, &why);

	return v == NULL ? world_refusal(w, &why) :
			   arena_printf(&w->arena, "%d/%d", (int)v->schema->id, (int)v->version);
}

const char *
world_delete(struct world *w, const char *subject, bool permanent)
{
	struct refusal why = { 0 };
	struct buf text = { 0 };

	if (!registry_plan_delete_subject(w->registry, span_str(subject), permanent, &w->arena, &w->plan, &why))
		return world_refusal(w, &why);
	carry_out(w);
	for (size_t i = 0; i < w->plan.n_versions; i++)
		buf_printf(&text, "%s%d", i == 0 ? "" : " ", (int)w->plan.versions[i]);
	return settle(w, &text);
}

const char *
world_delete_version(struct world *w, const char *subject, int32_t version, bool permanent)
{
	struct refusal why = { 0 };

	if (!registry_plan_delete_version(w->registry, span_str(subject), version, permanent, &w->arena, &w->plan, &why))
		return world_refusal(w, &why);
	carry_out(w);
	return arena_printf(&w->arena, "%d", (int)w->plan.version);
}

static const char *
end_setting(struct world *w, bool good, const struct refusal *why)
{
	if (!good)
		return world_refusal(w, why);
	carry_out(w);
	return "";
}

const char *
world_delete_context(struct world *w, const char *scope)
{
	struct refusal why = { 0 };
	bool good = registry_plan_delete_context(w->registry, span_str(scope), &w->arena, &w->plan, &why);

	return end_setting(w, good, &why);
}

const char *
world_config(struct world *w, const char *subject, const char *update)
{
	struct refusal why = { 0 };
	bool good = registry_plan_put_config(w->registry, span_str(subject), world_json(w, update), &w->arena, &w->plan, &why);

	return end_setting(w, good, &why);
}

const char *
world_unset_config(struct world *w, const char *subject)
{
	struct refusal why = { 0 };
	bool good = registry_plan_delete_config(w->registry, span_str(subject), &w->arena, &w->plan, &why);

	return end_setting(w, good, &why);
}

const char *
world_mode(struct world *w, const char *subject, const char *mode, bool force)
{
	struct refusal why = { 0 };
	struct mode_request q = { .mode = span_str(mode), .force = force };
	bool good = registry_plan_put_mode(w->registry, span_str(subject), &q, &w->arena, &w->plan, &why);

	return end_setting(w, good, &why);
}

const char *
world_unset_mode(struct world *w, const char *subject, bool recursive)
{
	struct refusal why = { 0 };
	struct mode_request q = { .recursive = recursive };
	bool good = registry_plan_delete_mode(w->registry, span_str(subject), &q, &w->arena, &w->plan, &why);

	return end_setting(w, good, &why);
}

static void
put_traits(struct buf *to, bool strong, bool frozen)
{
	buf_printf(to, " %s%s", strong ? "STRONG" : "WEAK", frozen ? " frozen" : "");
}

const char *
world_associate(struct world *w, struct association_request q, const struct association_change *changes, size_t n)
{
	struct refusal why = { 0 };
	struct buf text = { 0 };

	if (q.resource_name.p == NULL)
		q.resource_name = span_str("topic");
	if (q.resource_namespace.p == NULL)
		q.resource_namespace = span_str("ns");
	if (q.resource_id.p == NULL && !q.dry_run)
		q.resource_id = span_str("id");
	q.now_ms = 77;
	q.changes = arena_copy(&w->arena, changes, n * sizeof *changes);
	q.n = n;
	if (!registry_plan_associate(w->registry, &q, &w->arena, &w->plan, &why))
		return world_refusal(w, &why);
	if (!q.dry_run)
		carry_out(w);
	for (size_t i = 0; i < w->plan.n_outcomes; i++) {
		const struct association_outcome *o = &w->plan.outcomes[i];

		buf_span(&text, o->type);
		buf_u8(&text, ' ');
		buf_span(&text, o->subject);
		put_traits(&text, o->strong, o->frozen);
		if (o->version > 0)
			buf_printf(&text, " %d/%d", (int)o->id, (int)o->version);
		buf_u8(&text, '\n');
	}
	return settle(w, &text);
}

const char *
world_dissociate(struct world *w, const char *id, bool cascade)
{
	struct dissociation q = { .resource_id = span_str(id), .cascade = cascade };
	struct refusal why = { 0 };
	bool good = registry_plan_dissociate(w->registry, &q, &w->arena, &w->plan, &why);

	return end_setting(w, good, &why);
}

const char *
world_associations(struct world *w, enum association_by by, const char *of)
{
	const struct association *s;
	struct buf text = { 0 };
	size_t it = 0;

	while ((s = registry_next_association(w->registry, by, span_str(of), &it)) != NULL) {
		buf_printf(&text, "%.*s/%.*s %.*s %.*s %.*s", (int)s->resource_namespace.n, (const char *)s->resource_namespace.p,
		    (int)s->resource_name.n, (const char *)s->resource_name.p, (int)s->resource_id.n,
		    (const char *)s->resource_id.p, (int)s->type.n, (const char *)s->type.p, (int)s->subject.n,
		    (const char *)s->subject.p);
		put_traits(&text, s->strong, s->frozen);
		buf_printf(&text, " %d %d\n", (int)s->create_ts_ms, (int)s->update_ts_ms);
	}
	return settle(w, &text);
}

const char *
world_check(struct world *w, const char *subject, int32_t version, const char *text)
{
	struct schema_request q = { .text = span_str(text) };
	struct level_messages messages = { 0 };
	struct refusal why;
	struct buf told = { 0 };
	bool good, compatible = false;

	good = registry_check(w->registry, span_str(subject), version, &q, &w->arena, &compatible, &messages, &why);
	if (!good)
		return world_refusal(w, &why);
	must(compatible == (messages.n == 0));
	for (size_t i = 0; i < messages.n; i++)
		buf_printf(&told, "%s\n", messages.list[i]);
	return settle(w, &told);
}

static void
put_write(struct buf *to, struct span key, struct span value)
{
	buf_span(to, key);
	buf_u8(to, ' ');
	buf_span(to, value.p == NULL ? span_str("null") : value);
	buf_u8(to, '\n');
}

const char *
world_writes(struct world *w)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < w->plan.n_writes; i++)
		put_write(&text, w->plan.writes[i].key, w->plan.writes[i].value);
	return settle(w, &text);
}

static void
put_blank(struct buf *to)
{
	if (to->n > 0)
		buf_u8(to, ' ');
}

const char *
world_subjects(struct world *w, const char *prefix, enum registry_which which)
{
	struct buf text = { 0 };
	struct span s;
	size_t it = 0;

	while ((s = registry_next_subject(w->registry, span_str(prefix), which, &it)).p != NULL) {
		put_blank(&text);
		buf_span(&text, s);
	}
	return settle(w, &text);
}

const char *
world_versions(struct world *w, const char *subject, enum registry_which which)
{
	const struct version_entry *v;
	struct buf text = { 0 };
	size_t it = 0;

	while ((v = registry_next_version(w->registry, span_str(subject), which, &it)) != NULL) {
		put_blank(&text);
		buf_printf(&text, "%d", (int)(v->deleted ? -v->version : v->version));
	}
	return settle(w, &text);
}

static void
put_referenced_by(struct world *w, const struct registry *r, struct span subject, int32_t version,
    enum registry_which which, struct buf *to)
{
	int32_t *ids;
	size_t n;

	must(registry_referenced_by(r, subject, version, which, &w->arena, &ids, &n));
	for (size_t i = 0; i < n; i++)
		buf_printf(to, "%s%d", i == 0 ? "" : " ", (int)ids[i]);
}

const char *
world_referenced_by(struct world *w, const char *subject, int32_t version, enum registry_which which)
{
	struct buf text = { 0 };

	put_referenced_by(w, w->registry, span_str(subject), version, which, &text);
	return settle(w, &text);
}

/* ---- all of it ---- */

static void
put_settings(const struct registry *r, struct span subject, struct buf *to)
{
	struct json_out o = json_out(to);
	struct span mode = registry_mode(r, subject), own = registry_own_mode(r, subject);

	buf_printf(to, "  %s %s %.*s %.*s ", level_name(registry_level(r, subject)),
	    registry_normalize(r, subject) ? "normalized" : "as it is", (int)mode.n, (const char *)mode.p, (int)own.n,
	    (const char *)own.p);
	if (registry_own_config(r, subject) != NULL)
		json_put_tree(&o, registry_own_config(r, subject));
	buf_u8(to, '\n');
}

static void
put_version(struct world *w, const struct registry *r, const struct version_entry *v, struct buf *to)
{
	const struct schema_entry *s = v->schema;
	size_t it = 0, uses = 0, same = 0;
	bool mine = false;
	const struct version_entry *use;

	while ((use = registry_next_use(r, s, REGISTRY_ALL, &it)) != NULL) {
		uses++;
		mine = mine || use == v;
	}
	must(mine && registry_by_id(r, s->context, s->id) == s);
	for (it = 0; registry_next_by_guid(r, s->guid, &it) != NULL;)
		same++;
	buf_printf(to, "  %d%s id %d of %zu uses, in %zu contexts, %.*s %.*s referenced by ", (int)v->version,
	    v->deleted ? " deleted" : "", (int)s->id, uses, same, (int)s->schema_type.n, (const char *)s->schema_type.p,
	    (int)s->text.n, (const char *)s->text.p);
	put_referenced_by(w, r, v->subject, v->version, REGISTRY_LIVE, to);
	buf_printf(to, " of all ");
	put_referenced_by(w, r, v->subject, v->version, REGISTRY_ALL, to);
	buf_u8(to, '\n');
}

const char *
world_all(struct world *w, const struct registry *r)
{
	const struct association *assoc;
	const struct version_entry *v;
	struct buf text = { 0 };
	struct span s;
	size_t it = 0;

	for (it = 0; (s = registry_next_context(r, &it)).p != NULL;)
		buf_printf(&text, "context %.*s\n", (int)s.n, (const char *)s.p);
	put_settings(r, span_of(NULL, 0), &text);
	put_settings(r, span_str(":.c:"), &text);
	put_settings(r, span_str(":.__GLOBAL:"), &text);
	for (it = 0; (s = registry_next_subject(r, span_str(":*:"), REGISTRY_ALL, &it)).p != NULL;) {
		size_t in = 0;

		buf_printf(&text, "%.*s\n", (int)s.n, (const char *)s.p);
		put_settings(r, s, &text);
		while ((v = registry_next_version(r, s, REGISTRY_ALL, &in)) != NULL)
			put_version(w, r, v, &text);
		for (in = 0; (assoc = registry_next_association(r, ASSOCIATIONS_BY_SUBJECT, s, &in)) != NULL;)
			buf_printf(&text, "  of %.*s%s\n", (int)assoc->resource_name.n, (const char *)assoc->resource_name.p,
			    assoc->strong ? " alone" : "");
	}
	return settle(w, &text);
}

const struct json *
world_json(struct world *w, const char *text)
{
	struct json_mistake why;
	const struct json *tree = json_parse(&w->arena, span_str(text), &why);

	must(tree != NULL);
	return tree;
}

bool
world_same(const char *got, const char *wanted)
{
	if (strcmp(got, wanted) == 0)
		return true;
	printf("\n    got    %s\n    wanted %s\n", got, wanted);
	return false;
}
