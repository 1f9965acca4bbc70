/*
 * producers.c -- idempotent producers of a partition: what they sent last, so
 * that a batch sent twice is stored once, and a gap is seen.
 *
 * Everything here can be had again from the headers of the batches; the index
 * keeps it so that a start need not read them all.
 *
 * Clients make a new producer at each of their starts, so those that are silent
 * for long are forgotten; and beyond a number, those that were silent for longest.
 */
#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "store/store_internal.h"

enum { VALUE_HEADER = 31, VALUE_BATCH = 32, EXPIRED_AT_ONCE = 1000 };

void
producers_init(struct producers *ps)
{
	*ps = (struct producers){ 0 };
	list_init(&ps->dirty);
}

static void
free_producer(struct producer *p)
{
	p->partition->store->n_producers--;
	list_del(&p->dirty_link);
	list_del(&p->used_link);
	free(p);
}

void
producers_done(struct producers *ps)
{
	struct producer *p;
	size_t it = 0;

	while ((p = map_next(&ps->by_id, &it)) != NULL)
		free_producer(p);
	map_done(&ps->by_id);
	list_init(&ps->dirty);
}

static void
index_key(const struct partition *part, const struct producer *p, uint8_t key[PRODUCER_KEY])
{
	memcpy(key, part->key, PARTITION_KEY);
	memcpy(key + PARTITION_KEY, p->key, sizeof p->key);
}

static void
save(const struct producer *p, struct buf *to)
{
	buf_u16(to, (uint16_t)p->epoch);
	buf_u64(to, (uint64_t)p->last_ms);
	buf_u8(to, (uint8_t)p->n);
	buf_u64(to, (uint64_t)p->end);
	buf_u32(to, (uint32_t)p->coordinator_epoch);
	buf_u64(to, (uint64_t)(p->open == NULL ? -1 : p->open->first));
	for (int i = 0; i < p->n; i++) {
		const struct producer_batch *b = &p->batches[i];

		buf_u32(to, (uint32_t)b->first);
		buf_u32(to, (uint32_t)b->last);
		buf_u64(to, (uint64_t)b->base_offset);
		buf_u64(to, (uint64_t)b->end);
		buf_u64(to, (uint64_t)b->append_time);
	}
	must_fit(!to->failed);
}

static bool
load(struct producer *p, struct span from)
{
	const uint8_t *at = from.p + VALUE_HEADER;

	if (from.n < VALUE_HEADER || from.p[10] > PRODUCER_BATCHES ||
	    from.n != VALUE_HEADER + (size_t)from.p[10] * VALUE_BATCH)
		return false;
	p->epoch = (int16_t)load16(from.p);
	p->last_ms = (int64_t)load64(from.p + 2);
	p->n = from.p[10];
	p->end = (int64_t)load64(from.p + 11);
	p->coordinator_epoch = (int32_t)load32(from.p + 19);
	if ((int64_t)load64(from.p + 23) >= 0)
		p->open = transactions_open(p->partition, p->id, (int64_t)load64(from.p + 23));
	for (int i = 0; i < p->n; i++, at += VALUE_BATCH)
		p->batches[i] = (struct producer_batch){ (int32_t)load32(at), (int32_t)load32(at + 4),
			(int64_t)load64(at + 8), (int64_t)load64(at + 16), (int64_t)load64(at + 24) };
	return true;
}

/* The producer, or NULL. */
static struct producer *
find(const struct partition *part, int64_t id)
{
	uint8_t key[8];

	store64(key, (uint64_t)id);
	return map_get(&part->producers.by_id, span_of(key, sizeof key));
}

/* A new one, not in the order of use yet. */
static struct producer *
add(struct partition *part, int64_t id)
{
	struct producer *p = xcalloc(1, sizeof *p);

	p->id = id;
	p->coordinator_epoch = -1;
	p->partition = part;
	store64(p->key, (uint64_t)id);
	list_init(&p->dirty_link);
	list_init(&p->used_link);
	must_fit(map_put(&part->producers.by_id, span_of(p->key, sizeof p->key), p));
	part->store->n_producers++;
	return p;
}

/* From memory and from the index. */
static void
forget(struct producer *p)
{
	struct partition *part = p->partition;
	uint8_t key[PRODUCER_KEY];

	index_key(part, p, key);
	index_del(&part->store->removals, INDEX_PRODUCERS, span_of(key, sizeof key));
	map_del(&part->producers.by_id, span_of(p->key, sizeof p->key));
	free_producer(p);
}

static void
use(struct producer *p, int64_t now_ms)
{
	p->last_ms = now_ms;
	list_del(&p->used_link);
	list_add(&p->partition->store->producers, &p->used_link);
}

/* One with an open transaction, which has an end within minutes, is not forgotten. */
static void
forget_unless_open(struct producer *p)
{
	if (p->open == NULL)
		forget(p);
	else
		use(p, p->partition->store->wall_ms);
}

/* Looks at so many of the oldest; beyond the limit all may be open. */
static void
forget_beyond_limit(struct store *store, int n)
{
	for (; n > 0 && store->n_producers > store->config.producers_max; n--)
		forget_unless_open(list_first(&store->producers, struct producer, used_link));
}

static bool
expired(const struct producer *p, int64_t now_ms)
{
	return p->last_ms < now_ms - p->partition->config.producer_expiry_ms;
}

void
producers_expire(struct store *store)
{
	for (int i = 0; i < EXPIRED_AT_ONCE; i++) {
		struct producer *p = list_first(&store->producers, struct producer, used_link);

		if (p == NULL || !expired(p, store->wall_ms))
			return;
		forget_unless_open(p);
	}
}

/* Sequence numbers go around: behind 2^31 - 1 comes 0. */
static int32_t
sequence_add(int32_t sequence, int32_t by)
{
	return (int32_t)(((uint32_t)sequence + (uint32_t)by) & INT32_MAX);
}

enum sequence
producers_check(struct partition *part, const struct batch *b, bool from_0, int64_t now_ms,
    struct producer_batch *original)
{
	struct producer *p = find(part, b->producer_id);
	int32_t last = sequence_add(b->base_sequence, b->last_offset_delta);

	/* Nothing is known: any first sequence will do, but where every transaction has an epoch of its own. */
	if (p == NULL)
		return from_0 && b->base_sequence != 0 ? SEQUENCE_OUT_OF_ORDER : SEQUENCE_NEXT;
	if (expired(p, now_ms))
		return SEQUENCE_NEXT;
	if (b->producer_epoch < p->epoch)
		return SEQUENCE_FENCED;
	if (p->open != NULL && !(b->attributes & BATCH_TRANSACTIONAL))
		return SEQUENCE_OUTSIDE;
	if (b->producer_epoch > p->epoch)
		return b->base_sequence == 0 ? SEQUENCE_NEXT : SEQUENCE_OUT_OF_ORDER;
	for (int i = 0; i < p->n; i++)
		if (p->batches[i].first == b->base_sequence && p->batches[i].last == last) {
			*original = p->batches[i];
			return SEQUENCE_DUPLICATE;
		}
	if (p->n > 0 && b->base_sequence != sequence_add(p->batches[p->n - 1].last, 1))
		return SEQUENCE_OUT_OF_ORDER;
	return SEQUENCE_NEXT;
}

/* The index has to learn of it, and others may have to go. */
static void
note_use(struct producer *p, int64_t now_ms)
{
	struct partition *part = p->partition;

	list_del(&p->dirty_link);
	list_add(&part->producers.dirty, &p->dirty_link);
	use(p, now_ms);
	forget_beyond_limit(part->store, 2); /* one came at most, so that it gets fewer */
}

void
producers_note(struct partition *part, const struct batch *b, int64_t now_ms, int64_t append_time)
{
	struct producer *p = find(part, b->producer_id);

	if (p == NULL) {
		p = add(part, b->producer_id);
		p->epoch = b->producer_epoch;
	}
	/* A start may meet again what the index has. */
	if (b->base_offset < p->end)
		return;
	if (p->epoch != b->producer_epoch || expired(p, now_ms))
		p->n = 0;
	if (p->n == PRODUCER_BATCHES)
		memmove(p->batches, p->batches + 1, sizeof *p->batches * (size_t)--p->n);
	if (p->open == NULL && (b->attributes & BATCH_TRANSACTIONAL))
		p->open = transactions_open(part, p->id, b->base_offset);
	p->epoch = b->producer_epoch;
	p->end = batch_last_offset(b) + 1;
	p->batches[p->n++] = (struct producer_batch){ b->base_sequence,
		sequence_add(b->base_sequence, b->last_offset_delta), b->base_offset,
		p->end, append_time };
	note_use(p, now_ms);
}

void
producers_note_marker(struct partition *part, const struct batch_marker *m, int64_t offset, int64_t now_ms)
{
	struct producer *p = find(part, m->producer_id);
	bool known = p != NULL;

	if (!known)
		p = add(part, m->producer_id);
	if (offset < p->end)
		return;
	/* Older epochs are fenced, and this one begins at 0: as if the marker were a batch that ended before it. */
	if (known && p->epoch < m->producer_epoch) {
		p->n = 1;
		p->batches[0] = (struct producer_batch){ -1, -1, offset, offset + 1, -1 };
	} else if (p->epoch != m->producer_epoch)
		p->n = 0;
	p->epoch = m->producer_epoch;
	p->coordinator_epoch = m->coordinator_epoch;
	p->end = offset + 1;
	if (p->open != NULL)
		transactions_end(part, p->open, offset, m->commit);
	p->open = NULL;
	note_use(p, now_ms);
}

struct transaction *
producers_open(const struct partition *part, int64_t id)
{
	const struct producer *p = find(part, id);

	return p == NULL ? NULL : p->open;
}

static struct producer_description
describe(const struct producer *p)
{
	return (struct producer_description){ .id = p->id, .epoch = p->epoch,
		.last_sequence = p->n == 0 ? -1 : p->batches[p->n - 1].last, .last_ms = p->last_ms,
		.coordinator_epoch = p->coordinator_epoch,
		.open_first = p->open == NULL ? -1 : p->open->first };
}

bool
partition_producer(const struct partition *part, int64_t id, struct producer_description *out)
{
	const struct producer *p = find(part, id);

	if (p != NULL)
		*out = describe(p);
	return p != NULL;
}

void
partition_producers(const struct partition *part,
    bool (*each)(void *, const struct producer_description *), void *ctx)
{
	const struct producer *p;
	size_t it = 0;

	while ((p = map_next(&part->producers.by_id, &it)) != NULL) {
		struct producer_description d = describe(p);

		if (!each(ctx, &d))
			return;
	}
}

void
producers_collect(struct partition *part, struct index_batch *to)
{
	struct buf value = { 0 };

	list_each(it, &part->producers.dirty) {
		struct producer *p = container_of(it, struct producer, dirty_link);
		uint8_t key[PRODUCER_KEY];

		list_del(it);
		index_key(part, p, key);
		buf_reset(&value);
		save(p, &value);
		index_put(to, INDEX_PRODUCERS, span_of(key, sizeof key), buf_bytes(&value));
	}
	buf_done(&value);
}

/* ---- at the start ---- */

struct loading {
	struct store *store;
	struct producer **producers; /* owned */
	size_t n, cap;
};

static bool
load_one(void *ctx, struct span key, struct span value)
{
	struct loading *l = ctx;
	struct partition *part;
	struct producer *p;

	if (key.n != PRODUCER_KEY)
		return true;
	part = map_get(&l->store->partitions, span_of(key.p, PARTITION_KEY));
	p = part == NULL ? NULL : add(part, (int64_t)load64(key.p + PARTITION_KEY));
	if (p == NULL)
		return true;
	if (!load(p, value)) {
		forget(p);
		return true;
	}
	/* A clock that was ahead is not to keep it, and those behind it, for ever. */
	if (p->last_ms > l->store->wall_ms)
		p->last_ms = l->store->wall_ms;
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 64 : l->cap * 2;
		l->producers = xrealloc(l->producers, l->cap * sizeof *l->producers);
	}
	l->producers[l->n++] = p;
	return true;
}

static int
by_use(const void *a, const void *b)
{
	const struct producer *const *x = a, *const *y = b;

	return ((*x)->last_ms > (*y)->last_ms) - ((*x)->last_ms < (*y)->last_ms);
}

void
producers_load(struct store *store)
{
	struct loading l = { .store = store };

	index_each(store->index, INDEX_PRODUCERS, span_of(NULL, 0), load_one, &l);
	if (l.n > 0)
		qsort(l.producers, l.n, sizeof *l.producers, by_use);
	for (size_t i = 0; i < l.n; i++)
		list_add(&store->producers, &l.producers[i]->used_link);
	free(l.producers);
	forget_beyond_limit(store, store->n_producers);
}
