/*
 * mend.c -- records of transactions that were aborted.
 *
 * They are no part of the state.  But registries that know no transactions take them for true, so ids that they bear
 * are not given out, and whoever writes next puts right what they say: each of their keys gets the value that counts,
 * or a tombstone.
 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "json/write.h"
#include "registry/registry_internal.h"

/* So many at once. */
enum { MENDS_MAX = 100 };

/* A key that is to be put right. */
struct mend {
	struct span key;
	uint8_t bytes[];
};

static void
put_mend(struct registry *r, struct span key)
{
	struct mend *m;

	if (map_get(&r->mends, key) != NULL)
		return;
	m = xmalloc(sizeof *m + key.n);
	memcpy(m->bytes, key.p, key.n);
	m->key = span_of(m->bytes, key.n);
	must(map_put(&r->mends, m->key, m));
}

void
mend_committed(struct registry *r, struct span key)
{
	if (r->mends.n > 0 && key.p != NULL)
		free(map_del(&r->mends, key));
}

void
mend_done(struct registry *r)
{
	size_t it = 0;
	void *m;

	while ((m = map_next(&r->mends, &it)) != NULL)
		free(m);
	map_done(&r->mends);
}

void
registry_aborted(struct registry *r, struct span key, struct span value, bool last)
{
	struct record rec;
	struct span name;
	const char *why;
	struct arena a;

	arena_init(&a, RECORD_ARENA);
	/* What can't be understood is passed over by all. */
	if (record_read(&a, key, value, &rec, &why)) {
		if (rec.type == RECORD_SCHEMA && !rec.tombstone) {
			struct context *c = state_need_context(r, registry_context(registry_qualified(rec.subject), &name));

			if (rec.id > c->max_id)
				c->max_id = rec.id;
		}
		if (last && rec.type != RECORD_NOOP)
			put_mend(r, key);
	}
	arena_done(&a);
}

/* ---- the plan ---- */

/* The key gets the value of this record; NULL: a tombstone. */
static bool
put_right(struct plan *plan, struct arena *a, struct span key, const struct record *rec)
{
	struct buf value = { 0 };

	if (rec == NULL)
		return plan_add_under(plan, a, key, NULL);
	if (rec->type == RECORD_CONFIG)
		json_print(&value, rec->config);
	else
		record_put_value(&value, rec);
	return plan_add_under(plan, a, key, &value);
}

static bool
put_versions(const struct subject *s, struct plan *plan, struct arena *a)
{
	for (size_t i = 0; i < s->n; i++) {
		struct record rec = plan_record_of(s->versions[i]);

		if (!plan_add(plan, a, &rec))
			return false;
	}
	return true;
}

/*
 * What an aborted DELETE_SUBJECT or CLEAR_SUBJECT seemed to do is undone by the records of the versions, which then
 * say all that a committed one of the same key said: so that goes.
 */
static bool
mend_subjects(const struct registry *r, const struct record *rec, struct span key, struct plan *plan, struct arena *a)
{
	const struct names_entry *e;
	names_place at = 0;

	while ((e = names_next(&r->sorted, &at)) != NULL)
		if (state_in_scope(e->value, rec->subject) && !put_versions(e->value, plan, a))
			return false;
	return put_right(plan, a, key, NULL);
}

static bool
mend_key(const struct registry *r, struct span key, struct plan *plan, struct arena *a)
{
	const struct association_node *node;
	const struct context *c;
	const struct version *v;
	const struct scope *s;
	struct record rec, is;
	const char *why;

	if (!record_read(a, key, span_of(NULL, 0), &rec, &why))
		return true;
	if (rec.subject.p != NULL)
		rec.subject = registry_qualified(rec.subject);
	else if (rec.type != RECORD_CONTEXT && rec.type != RECORD_CLEAR_SUBJECT)
		rec.subject = span_str("");
	s = state_scope(r, rec.subject);
	switch (rec.type) {
	case RECORD_SCHEMA:
		if ((v = state_version(state_subject(r, rec.subject), rec.version)) == NULL)
			return put_right(plan, a, key, NULL);
		is = plan_record_of(v);
		return put_right(plan, a, key, &is);
	case RECORD_CONFIG:
		is = (struct record){ .type = RECORD_CONFIG, .config = s == NULL ? NULL : s->config };
		return put_right(plan, a, key, is.config == NULL ? NULL : &is);
	case RECORD_MODE:
		is = (struct record){ .type = RECORD_MODE, .mode = s == NULL ? span_of(NULL, 0) : s->mode,
			.subject = rec.subject.n == 0 ? span_of(NULL, 0) : rec.subject };
		return put_right(plan, a, key, is.mode.p == NULL ? NULL : &is);
	case RECORD_CONTEXT:
		c = state_context(r, rec.context);
		return put_right(plan, a, key, c == NULL || !c->recorded ? NULL : &rec);
	case RECORD_ASSOC:
		if ((node = state_association(r, &rec)) == NULL)
			return put_right(plan, a, key, NULL);
		is = plan_record_of_association(&node->entry);
		return put_right(plan, a, key, &is);
	default:
		return mend_subjects(r, &rec, key, plan, a);
	}
}

bool
registry_plan_mend(const struct registry *r, struct arena *a, struct plan *plan, struct refusal *why)
{
	const struct mend *m;
	size_t it = 0;

	*plan = (struct plan){ 0 };
	for (int i = 0; i < MENDS_MAX && (m = map_next(&r->mends, &it)) != NULL; i++)
		if (!mend_key(r, m->key, plan, a))
			return refuse(why, a, REGISTRY_NO_MEMORY);
	return true;
}
