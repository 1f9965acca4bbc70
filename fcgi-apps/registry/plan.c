/* plan.c -- what the plans have in common: the records that they consist of, and modes that forbid them. */
#include "registry/merge.h"
#include "registry/registry_internal.h"

static bool
add(struct plan *plan, struct arena *a, struct span key, struct span value)
{
	if (plan->n_writes == plan->cap_writes) {
		size_t cap = plan->cap_writes == 0 ? 4 : plan->cap_writes * 2;
		struct plan_write *larger = arena_array(a, cap, sizeof *larger);

		if (larger == NULL)
			return false;
		for (size_t i = 0; i < plan->n_writes; i++)
			larger[i] = plan->writes[i];
		plan->writes = larger;
		plan->cap_writes = cap;
	}
	plan->writes[plan->n_writes++] = (struct plan_write){ key, value };
	return true;
}

bool
plan_add_all(struct plan *plan, struct arena *a, const struct plan *from)
{
	for (size_t i = 0; i < from->n_writes; i++)
		if (!add(plan, a, from->writes[i].key, from->writes[i].value))
			return false;
	return true;
}

/* What was put into a buffer, in the arena; the buffer is freed.  False: that is used up. */
static bool
settle(struct arena *a, struct buf *b, struct span *out)
{
	void *copy = b->failed ? NULL : arena_copy(a, b->p, b->n);

	*out = span_of(copy, b->n);
	buf_done(b);
	return copy != NULL;
}

bool
plan_add_value(struct plan *plan, struct arena *a, const struct record *rec, struct buf *value)
{
	struct span key, settled;
	struct buf made = { 0 };
	bool good;

	record_put_key(&made, rec);
	good = settle(a, value, &settled);
	return settle(a, &made, &key) && good && add(plan, a, key, settled);
}

bool
plan_add_under(struct plan *plan, struct arena *a, struct span key, struct buf *value)
{
	struct span settled = span_of(NULL, 0);
	void *copy = arena_copy(a, key.p, key.n);
	bool good = value == NULL || settle(a, value, &settled);

	return good && copy != NULL && add(plan, a, span_of(copy, key.n), settled);
}

struct record
plan_record_of(const struct version *v)
{
	const struct schema_entry *e = v->entry.schema;

	return (struct record){ .type = RECORD_SCHEMA, .subject = v->subject->name, .version = v->entry.version,
		.id = e->id, .schema_type = e->schema_type, .references = e->references,
		.n_references = e->n_references, .metadata = e->metadata, .rule_set = e->rule_set,
		.schema = e->text, .deleted = v->entry.deleted };
}

bool
plan_add(struct plan *plan, struct arena *a, const struct record *rec)
{
	struct buf value = { 0 };

	record_put_value(&value, rec);
	return plan_add_value(plan, a, rec, &value);
}

struct record
plan_record_of_association(const struct association *s)
{
	return (struct record){ .type = RECORD_ASSOC, .subject = s->subject, .resource_name = s->resource_name,
		.resource_namespace = s->resource_namespace, .resource_type = s->resource_type, .association_type = s->type,
		.resource_id = s->resource_id.n == 0 ? span_of(NULL, 0) : s->resource_id, .guid = s->guid,
		.strong = s->strong, .frozen = s->frozen, .create_ts_ms = s->create_ts_ms };
}

static bool
add_tombstones(struct plan *plan, struct arena *a, const struct record *rec, const struct odd_key *keys)
{
	struct span none = span_of(NULL, 0), ours;
	struct buf made = { 0 };

	/* Copied: the first tombstone that is applied frees them. */
	for (; keys != NULL; keys = keys->next) {
		void *copy = arena_copy(a, keys->bytes, keys->n);

		if (copy == NULL || !add(plan, a, span_of(copy, keys->n), none))
			return false;
	}
	record_put_key(&made, rec);
	return settle(a, &made, &ours) && add(plan, a, ours, none);
}

bool
plan_add_tombstones(struct plan *plan, struct arena *a, enum record_type type, struct span name, int32_t version,
    const struct odd_key *keys)
{
	struct record rec = { .type = type, .version = version };

	*(type == RECORD_CONTEXT ? &rec.context : &rec.subject) = name;
	return add_tombstones(plan, a, &rec, keys);
}

bool
plan_add_association_tombstones(struct plan *plan, struct arena *a, const struct association_node *node)
{
	struct record rec = plan_record_of_association(&node->entry);

	return add_tombstones(plan, a, &rec, node->keys);
}

bool
plan_check_rules(const struct json *rules, struct arena *a, struct refusal *why)
{
	const char *mistake = merge_rules_mistake(a, rules);

	return mistake == NULL || refuse(why, a, REGISTRY_INVALID_RULES, mistake);
}

bool
plan_refuse_read_only(const struct registry *r, struct span subject, struct arena *a, struct refusal *why)
{
	struct span mode = registry_mode(r, subject);

	if (!span_is(mode, "READONLY") && !span_is(mode, "READONLY_OVERRIDE"))
		return true;
	return plan_refuse_mode(subject, "is in read-only", a, why);
}

const char *
plan_context(struct span subject, struct arena *a)
{
	struct span name, context = registry_context(subject, &name);

	return span_is(context, ".") ? "" : arena_printf(a, ":%s:", text_of(a, context));
}

bool
plan_refuse_mode(struct span subject, const char *is, struct arena *a, struct refusal *why)
{
	/* What is global has no name. */
	return refuse(why, a, REGISTRY_NOT_PERMITTED,
	    arena_printf(a, "Subject %s in context %s %s mode", subject.p == NULL ? "null" : text_of(a, subject),
		plan_context(subject, a), is));
}
