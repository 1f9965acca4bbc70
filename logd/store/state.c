/*
 * state.c -- the daemon's own state: internal logs, seen as tables.
 *
 * What was put since the last checkpoint began lies in `fresh`; what the
 * checkpoint under way is writing, in `frozen`; all else in the index.  A
 * look-up goes through them in this order.
 */
#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "store/store_internal.h"

/* Topic ids that Kafka never gives out: fifteen zeros and a number. */
struct partition_id
state_partition_id(enum state_log log)
{
	struct partition_id id = { .number = 0 };

	id.topic[15] = (uint8_t)(1 + (int)log);
	return id;
}

struct partition *
state_partition(struct store *store, enum state_log log)
{
	struct partition_id id = state_partition_id(log);
	struct partition *p;

	p = store_open_partition(store, &id, &store->config.internal);
	p->internal = true;
	return p;
}

static void
free_values(struct map *m)
{
	struct state_value *v;
	size_t it = 0;

	while ((v = map_next(m, &it)) != NULL)
		free(v);
	map_done(m);
}

void
state_done(struct store *store)
{
	free_values(&store->state.fresh);
	free_values(&store->state.frozen);
	free_values(&store->state.thawing);
}

/* The key of maps and of the index: the log's number, then the key. */
static struct span
full_key(uint8_t *to, enum state_log log, struct span key)
{
	must(key.n <= STATE_KEY_MAX);
	to[0] = (uint8_t)log;
	if (key.n > 0)
		memcpy(to + 1, key.p, key.n);
	return span_of(to, key.n + 1);
}

void
state_remember(struct map *to, enum state_log log, struct span short_key, struct span value)
{
	uint8_t full[1 + STATE_KEY_MAX];
	struct span key = full_key(full, log, short_key);
	struct state_value *v = xmalloc(sizeof *v + key.n + value.n);
	uint8_t *bytes = (uint8_t *)(v + 1);

	memcpy(bytes, key.p, key.n);
	if (value.n > 0)
		memcpy(bytes + key.n, value.p, value.n);
	v->key = span_of(bytes, key.n);
	v->value = span_of(value.p == NULL ? NULL : bytes + key.n, value.n);
	free(map_del(to, v->key));
	must_fit(map_put(to, v->key, v));
}

void
state_apply(struct store *store, enum state_log log, const struct batch *b, const uint8_t *bytes)
{
	struct record_walk walk;
	struct record r;

	record_walk(&walk, b, bytes, BATCH_INFLATED_MAX);
	while (record_next(&walk, &r))
		if (r.key.p != NULL && r.key.n <= STATE_KEY_MAX)
			state_remember(&store->state.fresh, log, r.key, r.value);
	record_done(&walk);
}

bool
state_put(struct store *store, enum state_log log, const struct state_entry *entries, size_t n,
    int64_t wall_ms, struct append *a)
{
	struct partition *p = state_partition(store, log);
	struct batch_builder builder;
	struct batch b;
	bool over;

	batch_begin(&builder, wall_ms);
	for (size_t i = 0; i < n; i++) {
		must(entries[i].key.n > 0 && entries[i].key.n <= STATE_KEY_MAX);
		must(entries[i].value.n <= STATE_VALUE_MAX);
		batch_add(&builder, entries[i].key, entries[i].value);
	}
	batch_finish(&builder);
	must_fit(!builder.bytes.failed);
	a->bytes = builder.bytes.p;
	a->n = builder.bytes.n;
	a->durable = true;
	a->zstd_allowed = a->examined = false;
	a->now_ms = wall_ms;
	over = partition_append(p, a);
	if (a->error == STORE_OK) {
		must(batch_header(&b, buf_bytes(&builder.bytes)));
		state_apply(store, log, &b, builder.bytes.p);
	}
	buf_done(&builder.bytes);
	return over;
}

static struct state_value *
find_recent(const struct state *st, struct span key)
{
	struct state_value *v = map_get(&st->fresh, key);

	return v != NULL ? v : map_get(&st->frozen, key);
}

bool
state_get(struct store *store, enum state_log log, struct span key, struct buf *value)
{
	uint8_t full[1 + STATE_KEY_MAX];
	struct span k = full_key(full, log, key);
	struct state_value *v = find_recent(&store->state, k);

	buf_reset(value);
	if (v == NULL)
		return index_get(store->index, INDEX_STATE, k, value);
	buf_span(value, v->value);
	must_fit(!value->failed);
	return v->value.p != NULL;
}

/* A walk merges what is recent, sorted, with what the index has. */
struct merge {
	struct store *store;
	struct state_value **recent;
	size_t n, cap, next;
	bool (*each)(void *, struct span, struct span);
	void *ctx;
	bool more;
};

int
state_by_key(const void *a, const void *b)
{
	const struct state_value *const *x = a, *const *y = b;

	return span_compare((*x)->key, (*y)->key);
}

static void
collect(struct merge *m, const struct map *of, const struct map *unless, struct span prefix,
    struct span from)
{
	struct state_value *v;
	size_t it = 0;

	while ((v = map_next(of, &it)) != NULL) {
		if (v->key.n < prefix.n || memcmp(v->key.p, prefix.p, prefix.n) != 0 ||
		    span_compare(v->key, from) < 0 ||
		    (unless != NULL && map_get(unless, v->key) != NULL))
			continue;
		if (m->n == m->cap) {
			m->cap = m->cap == 0 ? 16 : m->cap * 2;
			m->recent = xrealloc(m->recent, m->cap * sizeof *m->recent);
		}
		m->recent[m->n++] = v;
	}
}

/* Gives out the recent keys before this one; all that are left when p is NULL. */
static void
give_recent(struct merge *m, struct span before)
{
	for (; m->more && m->next < m->n; m->next++) {
		struct state_value *v = m->recent[m->next];

		if (before.p != NULL && span_compare(v->key, before) >= 0)
			return;
		if (v->value.p != NULL)
			m->more = m->each(m->ctx, span_of(v->key.p + 1, v->key.n - 1), v->value);
	}
}

static bool
give_indexed(void *ctx, struct span key, struct span value)
{
	struct merge *m = ctx;

	give_recent(m, key);
	if (m->more && find_recent(&m->store->state, key) == NULL)
		m->more = m->each(m->ctx, span_of(key.p + 1, key.n - 1), value);
	return m->more;
}

/* Both are full keys. */
static void
walk(struct store *store, struct span prefix, struct span from,
    bool (*each)(void *, struct span, struct span), void *ctx)
{
	struct merge m = { .store = store, .each = each, .ctx = ctx, .more = true };

	collect(&m, &store->state.fresh, NULL, prefix, from);
	collect(&m, &store->state.frozen, &store->state.fresh, prefix, from);
	if (m.n > 0)
		qsort(m.recent, m.n, sizeof *m.recent, state_by_key);
	index_each_from(store->index, INDEX_STATE, prefix, from, give_indexed, &m);
	give_recent(&m, span_of(NULL, 0));
	free(m.recent);
}

void
state_each(struct store *store, enum state_log log, struct span prefix,
    bool (*each)(void *, struct span, struct span), void *ctx)
{
	uint8_t full[1 + STATE_KEY_MAX];
	struct span k = full_key(full, log, prefix);

	walk(store, k, k, each, ctx);
}

void
state_each_from(struct store *store, enum state_log log, struct span from,
    bool (*each)(void *, struct span, struct span), void *ctx)
{
	uint8_t full[1 + STATE_KEY_MAX];
	struct span k = full_key(full, log, from);

	walk(store, span_of(full, 1), k, each, ctx);
}

void
state_freeze(struct store *store)
{
	struct state *st = &store->state;

	must(st->frozen.n == 0);
	st->frozen = st->fresh;
	st->fresh = (struct map){ 0 };
}

void
state_put_frozen(const struct store *store, struct index_batch *changes)
{
	struct state_value *v;
	size_t it = 0;

	while ((v = map_next(&store->state.frozen, &it)) != NULL)
		if (v->value.p == NULL)
			index_del(changes, INDEX_STATE, v->key);
		else
			index_put(changes, INDEX_STATE, v->key, v->value);
}

/* On the keeper's thread: hundreds of thousands take a while. */
static void
run_thaw(struct job *job)
{
	free_values(&container_of(job, struct state, thaw)->thawing);
}

static void
thaw_done(struct job *job)
{
	container_of(job, struct store, state.thaw)->jobs--;
}

void
state_thaw(struct store *store)
{
	struct state *st = &store->state;

	/* What the last checkpoint has left is gone, since the keeper does one thing after the other. */
	must(st->thawing.n == 0);
	st->thawing = st->frozen;
	st->frozen = (struct map){ 0 };
	st->thaw = (struct job){ .run = run_thaw, .done = thaw_done };
	store->jobs++;
	workers_submit(store->keepers, &st->thaw);
}
