/* broker_reads.c -- what readers of a simulated broker are given, and what a look at everything finds. */
#include <inttypes.h>

#include "base/must.h"
#include "faults/broker_batches.h"
#include "faults/broker_history.h"
#include "wire/errors.h"

enum { PRODUCERS_SEEN = 64, ABORTED_MAX = 256 };

/* A reader's walk through one answer. */
struct walk {
	int slot;
	bool committed;
	int reader;
	int64_t from, at;
	const struct wire_fetch_response_partition *answer;
	const struct wire_fetch_response_aborted_transaction *aborted[ABORTED_MAX]; /* by their first offsets */
	size_t n_aborted, next_aborted;
	int64_t leaving_out[ABORTED_MAX]; /* producers whose records are aborted */
	size_t n_leaving_out;
	struct { int64_t id; int16_t epoch; int number; bool ended; } producers[PRODUCERS_SEEN]; /* the last batch of each */
	size_t n_producers;
};

static int
by_first(const void *a, const void *b)
{
	const struct wire_fetch_response_aborted_transaction *const *x = a, *const *y = b;

	return ((*x)->first_offset > (*y)->first_offset) - ((*x)->first_offset < (*y)->first_offset);
}

static void
take_aborted(struct walk *w)
{
	for (size_t i = 0; i < w->answer->n_aborted_transactions; i++) {
		must(w->n_aborted < ABORTED_MAX);
		w->aborted[w->n_aborted++] = &w->answer->aborted_transactions[i];
	}
	if (w->n_aborted > 1)
		qsort(w->aborted, w->n_aborted, sizeof *w->aborted, by_first);
}

static size_t
find_leaving_out(const struct walk *w, int64_t id)
{
	size_t i = 0;

	while (i < w->n_leaving_out && w->leaving_out[i] != id)
		i++;
	return i;
}

/* As clients do: a producer's records are left out from an aborted transaction's first one to its marker. */
static bool
is_left_out(struct walk *w, const struct batch *b)
{
	for (; w->next_aborted < w->n_aborted &&
	     w->aborted[w->next_aborted]->first_offset <= batch_last_offset(b); w->next_aborted++) {
		int64_t id = w->aborted[w->next_aborted]->producer_id;

		if (find_leaving_out(w, id) == w->n_leaving_out)
			w->leaving_out[w->n_leaving_out++] = id;
	}
	return (b->attributes & BATCH_TRANSACTIONAL) && find_leaving_out(w, b->producer_id) < w->n_leaving_out;
}

static void
see_marker(struct walk *w, const struct batch *b, const uint8_t *bytes)
{
	int incarnation = past->topics[topic_of(w->slot)].incarnation;
	struct batch_marker m;
	size_t i;

	if (!batch_marker_read(&m, b, bytes))
		broken("partition %d: a marker at %" PRId64 " that is none", w->slot, b->base_offset);
	is_left_out(w, b); /* who begins at its offset or before */
	if ((i = find_leaving_out(w, m.producer_id)) < w->n_leaving_out) {
		if (m.commit)
			broken("partition %d: producer %" PRId64 " is told to have aborted what its marker at %" PRId64
			    " commits", w->slot, m.producer_id, b->base_offset);
		w->leaving_out[i] = w->leaving_out[--w->n_leaving_out];
	}
	/* Where records were taken out, it may be that of another transaction. */
	for (i = 0; i < w->n_producers && !topic_kinds[topic_of(w->slot)].compacted; i++)
		if (w->producers[i].id == m.producer_id && !w->producers[i].ended) {
			int txn = past->sent[w->producers[i].number].txn;

			w->producers[i].ended = true;
			if (txn >= 0)
				history_decide(txn, m.commit ? COMMITTED : ABORTED, "a marker");
		}
	for (int k = 0; k < past->n_markers; k++)
		if (past->markers[k].slot == w->slot && past->markers[k].incarnation == incarnation &&
		    past->markers[k].offset == b->base_offset) {
			if (past->markers[k].producer_id != m.producer_id)
				broken("partition %d: another marker at %" PRId64, w->slot, b->base_offset);
			return;
		}
	history_check_free(w->slot, b->base_offset, b->base_offset + 1, -1);
	if (past->n_markers < MARKERS)
		past->markers[past->n_markers++] = (struct marker){ w->slot, incarnation, b->base_offset, m.producer_id };
	past->counts.markers++;
}

/* Each producer's batches are in the order of its epochs and sequences. */
static void
check_order(struct walk *w, const struct batch *b, int number)
{
	size_t i = 0;

	while (i < w->n_producers && w->producers[i].id != b->producer_id)
		i++;
	if (b->producer_id < 0 || i == PRODUCERS_SEEN)
		return;
	if (i == w->n_producers)
		w->n_producers++;
	else if (b->producer_epoch < w->producers[i].epoch ||
	    (b->producer_epoch == w->producers[i].epoch && number <= w->producers[i].number))
		broken("partition %d: batch %d of producer %" PRId64 " stands behind batch %d", w->slot, number,
		    b->producer_id, w->producers[i].number);
	w->producers[i].id = b->producer_id;
	w->producers[i].epoch = b->producer_epoch;
	w->producers[i].number = number;
	w->producers[i].ended = false;
}

static void
see_batch(struct walk *w, const struct batch *b, const uint8_t *bytes)
{
	bool left_out = w->committed && is_left_out(w, b);
	int number = batch_number(w->slot, b, bytes);
	struct sent *s = &past->sent[number < 0 ? 0 : number];
	uint32_t met;

	if (number < 0 || s->slot != w->slot || !batch_fits(number, b, bytes, &met))
		broken("partition %d: what lies at %" PRId64 " was never sent (%d)", w->slot, b->base_offset, number);
	/* What was on its way while the topic was made anew may be in either. */
	if (!sent_is_current(s) && s->fate == ANSWERED)
		broken("partition %d: batch %d is of the topic that was deleted", w->slot, number);
	if (!sent_is_current(s))
		return;
	if (s->fate == REFUSED)
		broken("partition %d: batch %d is there, and was refused", w->slot, number);
	if (s->forbidden)
		broken("partition %d: batch %d is there, though its producer was fenced", w->slot, number);
	if (seen.scanning && !w->committed && (s->met & met) != 0)
		broken("partition %d: batch %d is there twice", w->slot, number);
	if (s->stamp == past->stamp)
		broken("partition %d: batch %d is there twice, at %" PRId64, w->slot, number, b->base_offset);
	s->stamp = past->stamp;
	history_place(number, b->base_offset);
	if (w->reader >= 0)
		s->read_by |= 1u << w->reader;
	if (!w->committed)
		s->met |= met;
	check_order(w, b, number);
	if (!w->committed)
		return;
	past->counts.records += left_out ? 0 : (uint64_t)s->count;
	if (s->txn >= 0)
		history_decide(s->txn, left_out ? ABORTED : COMMITTED, "a reader of what is committed");
	else if (left_out)
		broken("partition %d: batch %d is left out, and is of no transaction", w->slot, number);
}

/* What is known to lie in between was there. */
static void
check_coverage(const struct walk *w)
{
	if (topic_kinds[topic_of(w->slot)].compacted || !slot_is_there(w->slot))
		return;
	for (int k = 0; k < past->n_sent; k++) {
		const struct sent *s = &past->sent[k];

		/* What is lost of acks=1 is known at the end of a scan. */
		if (s->slot == w->slot && sent_is_current(s) && s->fate == ANSWERED && s->stamp != past->stamp &&
		    (s->durable || !seen.scanning) && s->base >= w->from && s->base + s->count <= w->at &&
		    s->base >= w->answer->log_start_offset)
			broken("partition %d: batch %d, answered at %" PRId64 ", is not between %" PRId64 " and %" PRId64,
			    w->slot, k, s->base, w->from, w->at);
	}
}

/* What was taken before the request, and is of a transaction that surely is open still, is not stable. */
static void
check_open(const struct walk *w, const struct known *k)
{
	int64_t stable = w->answer->last_stable_offset;

	for (int i = 0; i < past->n_sent; i++) {
		const struct sent *s = &past->sent[i];

		if (s->slot == w->slot && s->txn >= 0 && s->fate == ANSWERED && sent_is_current(s) && s->base < stable &&
		    s->base >= w->answer->log_start_offset && s->answered_at < k->event &&
		    !history_may_end(&past->txns[s->txn]))
			broken("partition %d: the last stable offset is %" PRId64 ", and transaction %d is open from %" PRId64
			    " on", w->slot, stable, s->txn, s->base);
	}
}

static void
check_watermarks(const struct walk *w, const struct known *k)
{
	const struct wire_fetch_response_partition *p = w->answer;
	struct slot *slot = &past->slots[w->slot];
	int64_t hw = p->high_watermark, stable = p->last_stable_offset, start = p->log_start_offset;

	if (!slot_is_there(w->slot))
		return;
	if (stable > hw || start > hw)
		broken("partition %d: log start %" PRId64 ", last stable %" PRId64 ", high watermark %" PRId64, w->slot,
		    start, stable, hw);
	if (hw < k->high_watermark[w->slot])
		broken("partition %d: the high watermark fell from %" PRId64 " to %" PRId64, w->slot,
		    k->high_watermark[w->slot], hw);
	/* What was lost above the high watermark takes the last stable offset along. */
	if (stable < k->last_stable[w->slot] || (stable < k->ever_stable[w->slot] && stable < hw))
		broken("partition %d: the last stable offset fell from %" PRId64 " to %" PRId64, w->slot,
		    k->ever_stable[w->slot], stable);
	if (start < k->log_start[w->slot])
		broken("partition %d: the log start fell from %" PRId64 " to %" PRId64, w->slot,
		    k->log_start[w->slot], start);
	check_open(w, k);
	raise_to(&seen.high_watermark[w->slot], hw);
	raise_to(&seen.last_stable[w->slot], stable);
	raise_to(&slot->last_stable, stable);
	raise_to(&slot->log_start, start);
}

static void
check_batches(struct walk *w)
{
	struct span rest = w->answer->records;
	int64_t end = w->committed ? w->answer->last_stable_offset : w->answer->high_watermark;
	struct batch b;

	for (bool first = true; rest.n > 0; first = false) {
		if (!batch_header(&b, rest) || b.size > rest.n || !batch_crc_ok(&b, rest.p))
			broken("partition %d: a batch behind %" PRId64 " is not whole", w->slot, w->at);
		if (batch_last_offset(&b) < w->at || (!first && b.base_offset < w->at))
			broken("partition %d: %" PRId64 " was asked for, and %" PRId64 " came", w->slot, w->at,
			    b.base_offset);
		/* One without records may reach further: compaction was there since `end` was read. */
		if (b.base_offset >= end || (b.count > 0 && batch_last_offset(&b) >= end))
			broken("partition %d: %" PRId64 " was given, beyond %" PRId64, w->slot, batch_last_offset(&b), end);
		if (b.attributes & BATCH_CONTROL)
			see_marker(w, &b, rest.p);
		else if (b.count > 0)
			see_batch(w, &b, rest.p);
		w->at = batch_last_offset(&b) + 1;
		rest = span_of(rest.p + b.size, rest.n - b.size);
	}
}

/* The next offset at which something is known to be; -1: none is. */
static int64_t
behind_damage(int slot, int64_t from)
{
	int64_t next = INT64_MAX;

	for (int k = 0; k < past->n_sent; k++) {
		const struct sent *s = &past->sent[k];

		if (s->slot == slot && sent_is_current(s) && s->base > from)
			lower_to(&next, s->base);
	}
	return next == INT64_MAX ? -1 : next;
}

int64_t
history_fetched(int slot, int64_t from, bool committed, int reader,
    const struct wire_fetch_response_partition *p, const struct known *k)
{
	struct walk w = { .slot = slot, .committed = committed, .reader = reader, .from = from, .at = from, .answer = p };

	past->stamp++;
	past->counts.fetches++;
	past->counts.committed_fetches += committed;
	switch (p->error_code) {
	case KAFKA_NONE:
		break;
	case KAFKA_OFFSET_OUT_OF_RANGE:
		/* Of a topic that was made anew, readers have offsets of the last one. */
		if (from >= p->log_start_offset && !topic_kinds[topic_of(slot)].remade)
			broken("partition %d: %" PRId64 " is out of range, and it begins at %" PRId64, slot, from,
			    p->log_start_offset);
		raise_to(&past->slots[slot].log_start, p->log_start_offset);
		return -1;
	case KAFKA_CORRUPT_MESSAGE:
		if (past->torn)
			return behind_damage(slot, from);
		/* FALLTHROUGH */
	default:
		if (!topic_kinds[topic_of(slot)].remade)
			broken("partition %d: fetching %" PRId64 ": error %d", slot, from, p->error_code);
		return from;
	}
	take_aborted(&w);
	check_watermarks(&w, k);
	check_batches(&w);
	check_coverage(&w);
	return w.at;
}

/* ---- scans ---- */

bool
history_has(int slot, int64_t from, int64_t to)
{
	for (int k = 0; k < past->n_sent; k++) {
		const struct sent *s = &past->sent[k];

		if (s->slot == slot && sent_is_current(s) && s->met != 0 && s->base < to && s->base + s->count > from)
			return true;
	}
	return false;
}

void
history_scan_begin(void)
{
	seen.scanning = true;
	for (int k = 0; k < past->n_sent; k++)
		past->sent[k].met = 0;
}

/* What displaces older records of its key. */
static bool
counts_in_the_end(const struct sent *s)
{
	return s->fate != LOST && s->fate != REFUSED && s->base >= 0 &&
	    (s->txn < 0 || past->txns[s->txn].decided == COMMITTED);
}

/* A newer value of the key is there, or was. */
static bool
is_superseded(const struct sent *of, int i)
{
	int key = record_key_of((int)(of - past->sent), i);

	for (int k = 0; k < past->n_sent; k++) {
		const struct sent *s = &past->sent[k];

		if (s->slot != of->slot || !sent_is_current(s) || !counts_in_the_end(s) || s->base + s->count <= of->base + i)
			continue;
		for (int n = 0; n < s->count; n++)
			if (record_key_of(k, n) == key && s->base + n > of->base + i)
				return true;
	}
	return false;
}

/*
 * Where tombstones go: the record is one, or there was one that took it along, which may
 * have come and gone without anybody having seen it.
 */
static bool
may_be_deleted(const struct sent *of, int i)
{
	int number = (int)(of - past->sent), key = record_key_of(number, i);

	if (!past->options.tombstones_go)
		return false;
	if (record_is_tombstone(number, i))
		return true;
	for (int k = 0; k < past->n_sent; k++) {
		const struct sent *s = &past->sent[k];

		if (s->slot != of->slot || !sent_is_current(s) || s->fate == REFUSED ||
		    (s->base >= 0 && s->base + s->count <= of->base + i) ||
		    (s->txn >= 0 && past->txns[s->txn].decided == ABORTED))
			continue;
		for (int n = 0; n < s->count; n++)
			if (record_key_of(k, n) == key && record_is_tombstone(k, n))
				return true;
	}
	return false;
}

/* Whether a record of it should be there and is not. */
static bool
is_missing(const struct sent *s)
{
	const struct topic_kind *kind = &topic_kinds[topic_of(s->slot)];
	/* Below it, records may have been deleted; those of acks=1 may have been lost before. */
	int64_t start = kind->retained || !s->durable ? past->slots[s->slot].log_start :
	    past->slots[s->slot].cut_tried;
	bool compacted = kind->compacted;

	if (s->txn >= 0 && compacted && past->txns[s->txn].decided == ABORTED)
		return false;
	for (int i = 0; i < s->count; i++) {
		if ((s->met >> i & 1) || s->base + i < start)
			continue;
		if (!compacted || (!is_superseded(s, i) && !may_be_deleted(s, i)))
			return true;
	}
	return false;
}

static void
check_sent(struct sent *s)
{
	int number = (int)(s - past->sent);

	if (!sent_is_current(s) || !slot_is_there(s->slot) || s->base < 0 || s->fate == REFUSED || s->fate == LOST ||
	    !is_missing(s))
		return;
	/* Of a transaction whose end nobody was told, that is how it was aborted: all are gone. */
	if (s->txn >= 0 && past->txns[s->txn].decided == UNDECIDED && topic_kinds[topic_of(s->slot)].compacted &&
	    history_may_end(&past->txns[s->txn])) {
		history_decide(s->txn, ABORTED, "compaction");
		return;
	}
	if (s->durable)
		broken("partition %d: batch %d, answered at %" PRId64 ", is lost", s->slot, number, s->base);
	s->fate = LOST;
	s->old_base = s->base;
	s->base = -1;
	past->counts.lost++;
}

/* What lies where a reader has been, it has got: nothing comes in between later. */
static void
check_readers(const struct sent *s)
{
	for (int i = 0; i < READERS; i++) {
		const struct reader *r = &past->readers[i][s->slot];

		if (s->met != 0 && sent_is_current(s) && r->incarnation == s->incarnation && s->base >= r->from &&
		    s->base + s->count <= r->at && !(s->read_by >> i & 1))
			broken("partition %d: batch %d lies at %" PRId64 ", and reader %d, who has been there, did not get it",
			    s->slot, (int)(s - past->sent), s->base, i);
	}
}

void
history_scan_end(void)
{
	seen.scanning = false;
	for (int k = 0; k < past->n_sent; k++) {
		check_sent(&past->sent[k]);
		if (!topic_kinds[topic_of(past->sent[k].slot)].compacted)
			check_readers(&past->sent[k]);
	}
	past->counts.checks++;
}

void
history_scan_final(void)
{
	for (int i = 0; i < SLOTS; i++)
		if (slot_is_there(i) && seen.last_stable[i] != seen.high_watermark[i])
			broken("partition %d: a transaction hangs: the last stable offset is %" PRId64
			    ", the high watermark %" PRId64, i, seen.last_stable[i], seen.high_watermark[i]);
}

