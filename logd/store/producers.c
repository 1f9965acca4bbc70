/*
 * producers.c -- idempotent producers of a partition: what they sent last, so
 * that a batch sent twice is stored once, and a gap is seen.
 *
 * Everything here can be had again from the headers of the batches; the index
 * keeps it so that a start need not read them all.
 */
#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "store/store_internal.h"

enum { VALUE_HEADER = 11, VALUE_BATCH = 32 };

void
producers_init(struct producers *ps)
{
	*ps = (struct producers){ 0 };
	list_init(&ps->dirty);
}

void
producers_done(struct producers *ps)
{
	struct producer *p;
	size_t it = 0;

	while ((p = map_next(&ps->by_id, &it)) != NULL)
		free(p);
	map_done(&ps->by_id);
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
	for (int i = 0; i < p->n; i++) {
		const struct producer_batch *b = &p->batches[i];

		buf_u32(to, (uint32_t)b->first);
		buf_u32(to, (uint32_t)b->last);
		buf_u64(to, (uint64_t)b->base_offset);
		buf_u64(to, (uint64_t)b->end);
		buf_u64(to, (uint64_t)b->append_time);
	}
	must(!to->failed);
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
	for (int i = 0; i < p->n; i++, at += VALUE_BATCH)
		p->batches[i] = (struct producer_batch){ (int32_t)load32(at), (int32_t)load32(at + 4),
			(int64_t)load64(at + 8), (int64_t)load64(at + 16), (int64_t)load64(at + 24) };
	return true;
}

/* The producer as memory or the index has it; NULL when neither does. */
static struct producer *
find(struct partition *part, int64_t id)
{
	struct producer *p, fresh = { .id = id };
	struct buf value = { 0 };
	uint8_t key[PRODUCER_KEY];

	store64(fresh.key, (uint64_t)id);
	if ((p = map_get(&part->producers.by_id, span_of(fresh.key, sizeof fresh.key))) != NULL)
		return p;
	index_key(part, &fresh, key);
	if (index_get(part->store->index, INDEX_PRODUCERS, span_of(key, sizeof key), &value) &&
	    load(&fresh, buf_bytes(&value))) {
		p = xmemdup(&fresh, sizeof fresh);
		list_init(&p->dirty_link);
		must(map_put(&part->producers.by_id, span_of(p->key, sizeof p->key), p));
	}
	buf_done(&value);
	return p;
}

/* Sequence numbers go around: behind 2^31 - 1 comes 0. */
static int32_t
sequence_add(int32_t sequence, int32_t by)
{
	return (int32_t)(((uint32_t)sequence + (uint32_t)by) & INT32_MAX);
}

enum sequence
producers_check(struct partition *part, const struct batch *b, int64_t now_ms,
    struct producer_batch *original)
{
	struct producer *p = find(part, b->producer_id);
	int32_t last = sequence_add(b->base_sequence, b->last_offset_delta);

	if (p == NULL || p->last_ms < now_ms - part->config.producer_expiry_ms)
		return SEQUENCE_NEXT; /* nothing is known: any first sequence will do */
	if (b->producer_epoch < p->epoch)
		return SEQUENCE_FENCED;
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

void
producers_note(struct partition *part, const struct batch *b, int64_t now_ms, int64_t append_time)
{
	struct producer *p = find(part, b->producer_id);

	if (p == NULL) {
		p = xcalloc(1, sizeof *p);
		p->id = b->producer_id;
		p->epoch = b->producer_epoch;
		store64(p->key, (uint64_t)p->id);
		list_init(&p->dirty_link);
		must(map_put(&part->producers.by_id, span_of(p->key, sizeof p->key), p));
	}
	/* A start may meet again what the index has. */
	if (p->n > 0 && b->base_offset < p->batches[p->n - 1].end)
		return;
	if (p->epoch != b->producer_epoch || p->last_ms < now_ms - part->config.producer_expiry_ms)
		p->n = 0;
	if (p->n == PRODUCER_BATCHES)
		memmove(p->batches, p->batches + 1, sizeof *p->batches * (size_t)--p->n);
	p->epoch = b->producer_epoch;
	p->last_ms = now_ms;
	p->batches[p->n++] = (struct producer_batch){ b->base_sequence,
		sequence_add(b->base_sequence, b->last_offset_delta), b->base_offset,
		batch_last_offset(b) + 1, append_time };
	list_del(&p->dirty_link);
	list_add(&part->producers.dirty, &p->dirty_link);
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
