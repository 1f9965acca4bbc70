/* broker_batches.c -- the batches that simulated producers send, each of which tells which one it is. */
#include "faults/broker_sim.h"

#include <stdio.h>

#include "base/crc32c.h"
#include "base/xalloc.h"
#include "faults/broker_batches.h"
#include "store/batch.h"

enum { NUMBER = 16, ATTRIBUTES_AT = 21, PRODUCER_AT = 43, EPOCH_AT = 51, SEQUENCE_AT = 53, CRC_AT = 17 };

int
record_key_of(int number, int i)
{
	return (number * 7 + i * 3) % RECORD_KEYS;
}

/* Only of producers with an id, by which a batch is known whose values are all gone. */
bool
record_is_tombstone(int number, int i)
{
	const struct sent *s = &past->sent[number];

	return topic_kinds[topic_of(s->slot)].compacted && s->producer_id >= 0 && i > 0 && (number + i) % 5 == 0;
}

size_t
record_value(int number, int i, uint8_t to[RECORD_VALUE_MAX])
{
	const struct sent *s = &past->sent[number];
	size_t n = NUMBER + s->extra;
	uint64_t x = (uint64_t)number * 0x9e3779b97f4a7c15 + (uint64_t)i + 1;

	must(n <= RECORD_VALUE_MAX);
	store64(to, (uint64_t)number);
	store64(to + 8, (uint64_t)i);
	for (size_t k = NUMBER; k < n; k++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		to[k] = (uint8_t)x;
	}
	return n;
}

void
record_key_text(int key, char to[RECORD_KEY_SIZE])
{
	snprintf(to, RECORD_KEY_SIZE, "key-%d", key);
}

int
batch_new(int slot, const struct writer *w, int txn)
{
	int number = past->n_sent;
	struct sent *s = &past->sent[number];

	if (number == SENT_MAX)
		return -1;
	past->n_sent++;
	*s = (struct sent){ .slot = slot, .incarnation = past->topics[topic_of(slot)].incarnation,
		.count = (int32_t)below(4) + 1, .extra = (uint32_t)below((size_t)past->options.batch_bytes / 4),
		.at_ms = now_ms(), .base = -1, .old_base = -1, .txn = txn, .producer_id = -1 };
	if (w != NULL) {
		s->producer_id = w->id;
		s->epoch = w->epoch;
		s->sequence = w->next[slot];
	}
	return number;
}

struct buf
batch_make(int number)
{
	const struct sent *s = &past->sent[number];
	struct batch_builder b;
	uint8_t *p;

	batch_begin(&b, s->at_ms);
	for (int i = 0; i < s->count; i++) {
		uint8_t value[RECORD_VALUE_MAX];
		char key[RECORD_KEY_SIZE];
		size_t n = record_value(number, i, value);

		record_key_text(record_key_of(number, i), key);
		batch_add(&b, span_str(key), record_is_tombstone(number, i) ? span_of(NULL, 0) : span_of(value, n));
	}
	batch_finish(&b);
	must(!b.bytes.failed);
	p = b.bytes.p;
	if (s->producer_id >= 0) {
		store64(p + PRODUCER_AT, (uint64_t)s->producer_id);
		store16(p + EPOCH_AT, (uint16_t)s->epoch);
		store32(p + SEQUENCE_AT, (uint32_t)s->sequence);
	}
	if (s->txn >= 0)
		store16(p + ATTRIBUTES_AT, load16(p + ATTRIBUTES_AT) | BATCH_TRANSACTIONAL);
	store32(p + CRC_AT, crc32c(0, p + ATTRIBUTES_AT, b.bytes.n - ATTRIBUTES_AT));
	return b.bytes;
}

/* One of which no value is left. */
static int
number_by_producer(int slot, const struct batch *b)
{
	for (int k = past->n_sent - 1; k >= 0; k--) {
		const struct sent *s = &past->sent[k];

		if (s->slot == slot && s->producer_id == b->producer_id && s->epoch == b->producer_epoch &&
		    s->sequence == b->base_sequence && s->count == b->last_offset_delta + 1)
			return k;
	}
	return -1;
}

int
batch_number(int slot, const struct batch *b, const uint8_t *bytes)
{
	struct record_walk walk;
	struct record r;
	int number = -1;

	record_walk(&walk, b, bytes, BATCH_INFLATED_MAX);
	while (number == -1 && record_next(&walk, &r))
		if (r.value.n >= NUMBER && load64(r.value.p) < (uint64_t)past->n_sent)
			number = (int)load64(r.value.p);
	record_done(&walk);
	return number == -1 && b->producer_id >= 0 ? number_by_producer(slot, b) : number;
}

bool
batch_fits(int number, const struct batch *b, const uint8_t *bytes, uint32_t *met)
{
	const struct sent *s = &past->sent[number];
	bool compacted = topic_kinds[topic_of(s->slot)].compacted;
	struct record_walk walk;
	struct record r;
	bool fit = s->count == b->last_offset_delta + 1 && s->producer_id == b->producer_id &&
	    (s->producer_id < 0 || (s->epoch == b->producer_epoch && s->sequence == b->base_sequence)) &&
	    ((b->attributes & BATCH_TRANSACTIONAL) != 0) == (s->txn >= 0);

	*met = 0;
	record_walk(&walk, b, bytes, BATCH_INFLATED_MAX);
	while (fit && record_next(&walk, &r)) {
		int i = (int)(r.offset - b->base_offset);
		uint8_t value[RECORD_VALUE_MAX];
		char key[RECORD_KEY_SIZE];

		if (!(fit = i >= 0 && i < s->count))
			break;
		record_key_text(record_key_of(number, i), key);
		fit = span_is(r.key, key) && span_eq(r.value, record_is_tombstone(number, i) ? span_of(NULL, 0) :
		    span_of(value, record_value(number, i, value)));
		*met |= 1u << i;
	}
	fit = fit && !walk.broken && (compacted || *met == (1u << s->count) - 1);
	record_done(&walk);
	return fit;
}
