/*
 * replay.c -- what the journal has for each partition, to be looked up by place.
 *
 * An entry is believed where it fits: it names a place in a segment, and its
 * batch is the one that must come there.
 */
#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "store/store_internal.h"

static struct replay *
replay_of(struct map *replays, const struct partition_id *id)
{
	uint8_t key[PARTITION_KEY];
	struct replay *y;

	partition_key(id, key);
	if ((y = map_get(replays, span_of(key, sizeof key))) == NULL) {
		y = xcalloc(1, sizeof *y);
		memcpy(y->key, key, sizeof key);
		must_fit(map_put(replays, span_of(y->key, sizeof y->key), y));
	}
	return y;
}

void
replay_note(struct map *replays, const struct journal_entry *e)
{
	struct replay *y = replay_of(replays, &e->id);

	if (e->kind == JOURNAL_RESERVE) {
		if (e->offset > y->reserved_to)
			y->reserved_to = e->offset;
		return;
	}
	if (y->n == y->cap) {
		y->cap = y->cap == 0 ? 16 : y->cap * 2;
		y->entries = xrealloc(y->entries, y->cap * sizeof *y->entries);
	}
	y->entries[y->n++] = *e;
}

/* In order of place; what was written later comes first. */
static int
by_place(const void *a, const void *b)
{
	const struct journal_entry *x = a, *y = b;

	if (x->segment_base != y->segment_base)
		return x->segment_base < y->segment_base ? -1 : 1;
	if (x->segment_epoch != y->segment_epoch)
		return x->segment_epoch < y->segment_epoch ? -1 : 1;
	if (x->pos != y->pos)
		return x->pos < y->pos ? -1 : 1;
	return (x->batch.p < y->batch.p) - (x->batch.p > y->batch.p);
}

void
replay_sort(struct replay *y)
{
	if (y->n > 0)
		qsort(y->entries, y->n, sizeof *y->entries, by_place);
}

/* The first entry at or behind this place. */
static size_t
first_entry(const struct replay *y, const struct segment *s, int64_t pos)
{
	struct journal_entry at = { .segment_base = s->base, .segment_epoch = s->epoch, .pos = pos };
	size_t lo = 0, hi = y->n;

	at.batch.p = (const uint8_t *)UINTPTR_MAX; /* before all others of this place */
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (by_place(&y->entries[mid], &at) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
same_segment(const struct journal_entry *e, const struct segment *s)
{
	return e->segment_base == s->base && e->segment_epoch == s->epoch;
}

bool
replay_batch(const struct replay *y, const struct segment *s, struct batch *b, const uint8_t **bytes)
{
	if (y == NULL)
		return false;
	for (size_t i = first_entry(y, s, s->size); i < y->n && same_segment(&y->entries[i], s) &&
	    y->entries[i].pos == s->size; i++) {
		const struct journal_entry *e = &y->entries[i];

		if (e->kind == JOURNAL_BATCH && batch_header(b, e->batch) && b->size == e->batch.n &&
		    b->base_offset == s->end && b->leader_epoch == s->epoch &&
		    b->last_offset_delta >= 0 && batch_crc_ok(b, e->batch.p)) {
			*bytes = e->batch.p;
			return true;
		}
	}
	return false;
}

struct place
replay_synced(const struct replay *y, const struct segment *s, int64_t file_end)
{
	struct place place = { .pos = s->size, .offset = s->end };

	if (y == NULL)
		return place;
	for (size_t i = first_entry(y, s, s->size); i < y->n && same_segment(&y->entries[i], s) &&
	    y->entries[i].pos <= file_end; i++) {
		const struct journal_entry *e = &y->entries[i];

		if (e->kind == JOURNAL_SYNCED && e->offset > place.offset && e->offset - s->base <= INT32_MAX)
			place = (struct place){ .pos = e->pos, .offset = e->offset };
	}
	return place;
}

bool
replay_lost(const struct replay *y, const struct segment *last, const struct segment *next,
    struct segment *lost)
{
	for (size_t i = 0; y != NULL && i < y->n; i++) {
		const struct journal_entry *e = &y->entries[i];
		struct segment probe = { .base = e->segment_base, .epoch = e->segment_epoch,
			.end = e->segment_base };
		const uint8_t *bytes;
		struct batch b;

		if (e->kind != JOURNAL_BATCH || e->pos != 0 || !replay_batch(y, &probe, &b, &bytes))
			continue;
		if (last != NULL ? e->segment_base == last->end && e->segment_epoch >= last->epoch &&
		    !same_segment(e, last) : next == NULL || e->segment_base < next->base) {
			*lost = probe;
			return true;
		}
	}
	return false;
}

void
replays_free(struct map *replays)
{
	struct replay *y;
	size_t it = 0;

	while ((y = map_next(replays, &it)) != NULL) {
		free(y->entries);
		free(y);
	}
	map_done(replays);
}
