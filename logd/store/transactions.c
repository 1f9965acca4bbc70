/*
 * transactions.c -- a partition's transactions: those that are open, and those
 * that were aborted.
 *
 * A transaction counts as open until its marker can be seen: else a reader would
 * take records for committed of which a power cut may still decide otherwise.
 *
 * Aborted ones are kept as long as the log has their records.  In the order of
 * their markers, each knows below which offset no later one has a record; so a
 * look-up for a range of offsets ends early.  The index has them under the
 * offset of the marker, memory those that are younger than the last checkpoint.
 */
#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "store/store_internal.h"

void
transactions_init(struct transactions *ts)
{
	*ts = (struct transactions){ 0 };
	list_init(&ts->all);
	list_init(&ts->ended);
}

void
transactions_done(struct transactions *ts)
{
	struct transaction *t;

	while ((t = list_first(&ts->all, struct transaction, link)) != NULL) {
		list_del(&t->link);
		free(t);
	}
	free(ts->fresh);
}

struct transaction *
transactions_open(struct partition *p, int64_t producer_id, int64_t first)
{
	struct transaction *t = xcalloc(1, sizeof *t);
	struct list *at = &p->transactions.all;

	*t = (struct transaction){ .producer_id = producer_id, .first = first, .last = -1 };
	list_init(&t->link);
	list_init(&t->ended);
	/* At a start they come in any order, later always to the end. */
	while (at->prev != &p->transactions.all &&
	    container_of(at->prev, struct transaction, link)->first > first)
		at = at->prev;
	list_add(at, &t->link);
	return t;
}

/* Below it no transaction that is open has a record. */
static int64_t
first_open(const struct partition *p, int64_t otherwise)
{
	list_each(it, &p->transactions.all) {
		const struct transaction *t = container_of(it, struct transaction, link);

		if (t->last == -1)
			return t->first;
	}
	return otherwise;
}

void
transactions_end(struct partition *p, struct transaction *t, int64_t last, bool commit)
{
	struct transactions *ts = &p->transactions;

	must(t->last == -1 && last >= t->first);
	t->last = last;
	list_add(&ts->ended, &t->ended);
	if (commit)
		return;
	if (ts->n_fresh == ts->cap_fresh) {
		ts->cap_fresh = ts->cap_fresh == 0 ? 4 : ts->cap_fresh * 2;
		ts->fresh = xrealloc(ts->fresh, ts->cap_fresh * sizeof *ts->fresh);
	}
	ts->fresh[ts->n_fresh++] = (struct aborted_entry){ { t->producer_id, t->first, last },
		first_open(p, last + 1) };
}

void
transactions_visible(struct partition *p)
{
	struct transaction *t;

	while ((t = list_first(&p->transactions.ended, struct transaction, ended)) != NULL &&
	    t->last < p->high_watermark) {
		list_del(&t->ended);
		list_del(&t->link);
		free(t);
	}
}

int64_t
partition_last_stable(const struct partition *p)
{
	const struct transaction *t = list_first(&p->transactions.all, struct transaction, link);
	int64_t stable = t == NULL || t->first > p->high_watermark ? p->high_watermark : t->first;

	return stable < p->log_start ? p->log_start : stable;
}

/* ---- those that were aborted ---- */

static void
aborted_key(const struct partition *p, int64_t last, uint8_t key[ABORTED_KEY])
{
	memcpy(key, p->key, PARTITION_KEY);
	store64(key + PARTITION_KEY, (uint64_t)last);
}

size_t
transactions_collect(struct partition *p, struct index_batch *to)
{
	const struct transactions *ts = &p->transactions;
	uint8_t key[ABORTED_KEY], value[24];

	for (size_t i = 0; i < ts->n_fresh; i++) {
		const struct aborted_entry *e = &ts->fresh[i];

		aborted_key(p, e->a.last, key);
		store64(value, (uint64_t)e->a.producer_id);
		store64(value + 8, (uint64_t)e->a.first);
		store64(value + 16, (uint64_t)e->stable);
		index_put(to, INDEX_ABORTED, span_of(key, sizeof key), span_of(value, sizeof value));
	}
	return ts->n_fresh;
}

void
transactions_indexed(struct partition *p, size_t n)
{
	struct transactions *ts = &p->transactions;

	if (n == 0)
		return;
	ts->n_fresh -= n;
	memmove(ts->fresh, ts->fresh + n, ts->n_fresh * sizeof *ts->fresh);
	if (ts->n_fresh == 0) {
		free(ts->fresh);
		ts->fresh = NULL;
		ts->cap_fresh = 0;
	}
}

/* A walk through those whose markers lie at `from` or behind, before `until` in the index. */
struct search {
	int64_t until;
	int64_t to;
	struct aborted *found; /* owned */
	size_t n, cap;
};

/* False: none of those that follow has a record before s->to. */
static bool
take(struct search *s, const struct aborted_entry *e)
{
	if (e->a.first < s->to) {
		if (s->n == s->cap) {
			s->cap = s->cap == 0 ? 4 : s->cap * 2;
			s->found = xrealloc(s->found, s->cap * sizeof *s->found);
		}
		s->found[s->n++] = e->a;
	}
	return e->stable < s->to;
}

static bool
take_indexed(void *ctx, struct span key, struct span value)
{
	struct search *s = ctx;
	struct aborted_entry e;

	if (key.n != ABORTED_KEY || value.n != 24)
		return true;
	e = (struct aborted_entry){ { (int64_t)load64(value.p), (int64_t)load64(value.p + 8),
		(int64_t)load64(key.p + PARTITION_KEY) }, (int64_t)load64(value.p + 16) };
	return e.a.last < s->until && take(s, &e);
}

size_t
partition_aborted(struct partition *p, int64_t from, int64_t to, struct aborted **out)
{
	const struct transactions *ts = &p->transactions;
	/* A checkpoint may have put the oldest of the fresh ones there already. */
	struct search s = { .until = ts->n_fresh > 0 ? ts->fresh[0].a.last : INT64_MAX, .to = to };
	uint8_t key[ABORTED_KEY];

	aborted_key(p, from, key);
	index_each_from(p->store->index, INDEX_ABORTED, span_of(key, PARTITION_KEY),
	    span_of(key, sizeof key), take_indexed, &s);
	for (size_t i = 0; i < ts->n_fresh; i++)
		if (ts->fresh[i].a.last >= from && !take(&s, &ts->fresh[i]))
			break;
	*out = s.found;
	return s.n;
}

struct removal {
	struct store *store;
	int64_t below;
};

static bool
remove_indexed(void *ctx, struct span key, struct span value)
{
	struct removal *r = ctx;

	(void)value;
	if (key.n != ABORTED_KEY || (int64_t)load64(key.p + PARTITION_KEY) >= r->below)
		return false;
	index_del(&r->store->removals, INDEX_ABORTED, key);
	return true;
}

void
transactions_drop_below(struct partition *p, int64_t log_start)
{
	struct removal r = { p->store, log_start };

	index_each(p->store->index, INDEX_ABORTED, span_of(p->key, sizeof p->key), remove_indexed, &r);
}
