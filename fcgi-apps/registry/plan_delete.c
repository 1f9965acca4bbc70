/* plan_delete.c -- what the deletion of subjects and versions writes: first softly, then for good. */
#include "registry/registry_internal.h"

/*
 * Whether somebody refers to a version: a live one, or (for good) any; versions of the subject
 * `but` don't count (NULL: all do).
 */
static bool
is_referenced(const struct registry *r, const struct version *v, bool any, const struct subject *but)
{
	const struct target *t = state_target(r, v->subject->name, v->entry.version);

	for (const struct link *l = NULL; (l = state_next_link(t, l)) != NULL;) {
		if (!any && l->by->n_live == 0)
			continue;
		list_each(at, &l->by->uses) {
			const struct version *by = container_of(at, struct version, use);

			if (by->subject != but && (any || !by->entry.deleted))
				return true;
		}
	}
	return false;
}

static bool
refuse_referenced(struct refusal *why, struct arena *a, const struct version *v)
{
	return refuse(why, a, REGISTRY_REFERENCE_EXISTS, text_of(a, v->subject->name), (int)v->entry.version);
}

/* A subject that belongs to a resource is not deleted beneath it. */
static bool
refuse_associated(const struct registry *r, struct span subject, bool whole, struct arena *a, struct refusal *why)
{
	const struct association *owner = state_owner(r, subject);

	if (owner == NULL)
		return true;
	return refuse(why, a, owner->strong && !whole ? REGISTRY_SUBJECT_OWNED : REGISTRY_SUBJECT_ASSOCIATED, text_of(a, subject));
}

/* What was set for a subject goes with its last version. */
static bool
add_settings(const struct registry *r, struct span subject, struct plan *plan, struct arena *a)
{
	const struct scope *s = subject.n == 0 ? NULL : state_scope(r, subject);

	if (s == NULL)
		return true;
	return (s->mode.p == NULL || plan_add_tombstones(plan, a, RECORD_MODE, subject, 0, s->mode_keys)) &&
	    (s->config == NULL || plan_add_tombstones(plan, a, RECORD_CONFIG, subject, 0, s->config_keys));
}

static bool
delete_for_good(const struct registry *r, const struct subject *s, struct plan *plan, struct arena *a)
{
	for (size_t i = s->n; i > 0; i--) {
		const struct version *v = s->versions[i - 1];

		if (!plan_add_tombstones(plan, a, RECORD_SCHEMA, s->name, v->entry.version, v->keys))
			return false;
	}
	return add_settings(r, s->name, plan, a);
}

static bool
delete_softly(const struct subject *s, struct plan *plan, struct arena *a)
{
	struct record rec = { .type = RECORD_DELETE_SUBJECT, .subject = s->name,
		.version = state_newest(s, REGISTRY_LIVE)->entry.version };

	return plan_add(plan, a, &rec);
}

bool
registry_plan_delete_subject(const struct registry *r, struct span subject, bool permanent, struct arena *a,
    struct plan *plan, struct refusal *why)
{
	const struct subject *s = state_subject(r, subject);

	*plan = (struct plan){ 0 };
	if (s == NULL)
		return refuse(why, a, REGISTRY_SUBJECT_NOT_FOUND, text_of(a, subject));
	if (s->n_live == 0 && !permanent)
		return refuse(why, a, REGISTRY_SUBJECT_SOFT_DELETED, text_of(a, subject));
	if (!plan_refuse_read_only(r, subject, a, why) || !refuse_associated(r, subject, true, a, why))
		return false;
	for (size_t i = 0; i < s->n; i++) {
		const struct version *v = s->versions[i];

		if (!permanent && v->entry.deleted)
			continue;
		if (is_referenced(r, v, permanent, s))
			return refuse_referenced(why, a, v);
		if (permanent && !v->entry.deleted)
			return refuse(why, a, REGISTRY_SUBJECT_NOT_SOFT_DELETED, text_of(a, subject));
	}
	if ((plan->versions = arena_array(a, s->n, sizeof *plan->versions)) == NULL)
		return refuse(why, a, REGISTRY_NO_MEMORY);
	for (size_t i = 0; i < s->n; i++)
		if (permanent || !s->versions[i]->entry.deleted)
			plan->versions[plan->n_versions++] = s->versions[i]->entry.version;
	return (permanent ? delete_for_good(r, s, plan, a) : delete_softly(s, plan, a)) ||
	    refuse(why, a, REGISTRY_NO_MEMORY);
}

bool
plan_delete_whole(const struct registry *r, struct span subject, struct arena *a, struct plan *plan, struct refusal *why)
{
	const struct subject *s = state_subject(r, subject);

	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (is_referenced(r, s->versions[i], true, s))
			return refuse_referenced(why, a, s->versions[i]);
	return s == NULL || ((s->n_live == 0 || delete_softly(s, plan, a)) && delete_for_good(r, s, plan, a)) ||
	    refuse(why, a, REGISTRY_NO_MEMORY);
}

static bool
delete_version(const struct registry *r, const struct version *v, bool permanent, struct plan *plan, struct arena *a)
{
	struct record rec = plan_record_of(v);

	if (permanent)
		return plan_add_tombstones(plan, a, RECORD_SCHEMA, v->subject->name, v->entry.version, v->keys) &&
		    (v->subject->n > 1 || add_settings(r, v->subject->name, plan, a));
	rec.deleted = true;
	return plan_add(plan, a, &rec);
}

bool
registry_plan_delete_version(const struct registry *r, struct span subject, int32_t version, bool permanent,
    struct arena *a, struct plan *plan, struct refusal *why)
{
	const struct subject *s = state_subject(r, subject);
	const struct version *v = version == REGISTRY_LATEST ? state_newest(s, REGISTRY_LIVE) : state_version(s, version);

	*plan = (struct plan){ 0 };
	if (v != NULL && v->entry.deleted && !permanent)
		return refuse(why, a, REGISTRY_VERSION_SOFT_DELETED, text_of(a, subject), (int)v->entry.version);
	if (s == NULL)
		return refuse(why, a, REGISTRY_SUBJECT_NOT_FOUND, text_of(a, subject));
	if (v == NULL)
		return refuse(why, a, REGISTRY_VERSION_NOT_FOUND, (int)version);
	if (!plan_refuse_read_only(r, subject, a, why))
		return false;
	/* The last that is live keeps what belongs to a resource alive. */
	if (!v->entry.deleted && s->n_live == 1 && !refuse_associated(r, subject, false, a, why))
		return false;
	if (is_referenced(r, v, permanent, NULL))
		return refuse_referenced(why, a, v);
	if (!v->entry.deleted && permanent)
		return refuse(why, a, REGISTRY_VERSION_NOT_SOFT_DELETED, text_of(a, subject), (int)v->entry.version);
	plan->version = v->entry.version;
	return delete_version(r, v, permanent, plan, a) || refuse(why, a, REGISTRY_NO_MEMORY);
}

bool
registry_plan_delete_context(const struct registry *r, struct span scope, struct arena *a, struct plan *plan,
    struct refusal *why)
{
	struct span name;
	const struct context *c = state_context(r, registry_context(scope, &name));

	*plan = (struct plan){ 0 };
	if (c != NULL && c->n_subjects > 0)
		return refuse(why, a, REGISTRY_CONTEXT_NOT_EMPTY, text_of(a, scope));
	return c == NULL || !c->recorded || plan_add_tombstones(plan, a, RECORD_CONTEXT, c->name, 0, c->keys) ||
	    refuse(why, a, REGISTRY_NO_MEMORY);
}
