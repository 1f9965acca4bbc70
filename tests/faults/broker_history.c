/* broker_history.c -- what clients of a simulated broker were told, and whether what they are told now fits. */
#include <inttypes.h>
#include <stdio.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "faults/broker_batches.h"
#include "faults/broker_sim.h"
#include "wire/errors.h"

struct history *past;

const struct topic_kind topic_kinds[TOPICS] = {
	{ .name = "in", .partitions = 2, .first_slot = 0 },
	{ .name = "out", .partitions = 2, .first_slot = 2 },
	{ .name = "keys", .partitions = 2, .first_slot = 4, .compacted = true },
	{ .name = "cut", .partitions = 1, .first_slot = 6, .cut = true },
	{ .name = "short", .partitions = 1, .first_slot = 7, .retained = true },
	{ .name = "remade", .partitions = 1, .first_slot = 8, .remade = true },
};

const char *const group_names[GROUPS] = { "alone", "team" };

/* Of this life: what was seen, by whomever. */
static struct {
	int64_t high_watermark[SLOTS], last_stable[SLOTS];
	bool scanning;
} seen;

int
topic_of(int slot)
{
	int t = TOPICS - 1;

	while (topic_kinds[t].first_slot > slot)
		t--;
	return t;
}

int32_t
number_in(int slot)
{
	return slot - topic_kinds[topic_of(slot)].first_slot;
}

int64_t
event(void)
{
	return ++past->events;
}

static bool
is_current(const struct sent *s)
{
	return s->incarnation == past->topics[topic_of(s->slot)].incarnation;
}

static void
raise_to(int64_t *what, int64_t to)
{
	if (to > *what)
		*what = to;
}

static void
lower_to(int64_t *what, int64_t to)
{
	if (to < *what)
		*what = to;
}

/* ---- transactions ---- */

static bool
is_older(int64_t id, int16_t epoch, int64_t than_id, int16_t than_epoch)
{
	return id != than_id ? id < than_id : epoch < than_epoch;
}

/* Its producer has asked for its end, or been fenced, or its time is over. */
bool
history_may_end(const struct txn_history *t)
{
	return t->may_end || t->decided != UNDECIDED || t->began_ms == NEVER_MS ||
	    now_ms() >= t->began_ms + t->timeout_ms;
}

void
history_decide(int number, enum decision decision, const char *why)
{
	static const char *const names[] = { "undecided", "committed", "aborted" };
	struct txn_history *t = &past->txns[number];

	if (decision == COMMITTED && !t->commit_asked)
		broken("transaction %d: %s says that it is committed, which nobody asked for", number, why);
	if (decision == ABORTED && t->decided == UNDECIDED && !history_may_end(t))
		broken("transaction %d: %s says that it is aborted, which nobody asked for", number, why);
	if (t->decided != UNDECIDED && t->decided != decision)
		broken("transaction %d is %s, and now %s says that it is %s", number, names[t->decided], why,
		    names[decision]);
	t->decided = decision;
}

/* Its markers and its offsets are in their places. */
static void
complete(struct txn_history *t)
{
	int number = (int)(t - past->txns);

	t->complete = true;
	for (int i = 0; i < past->n_commits; i++) {
		struct commit *c = &past->commits[i];

		if (c->txn != number || c->end != NEVER_MS)
			continue;
		c->end = past->events;
		if (t->decided == COMMITTED && c->answered)
			c->applied = c->end;
		if (t->decided == ABORTED)
			c->over = 0;
	}
}

void
history_complete(int number)
{
	complete(&past->txns[number]);
}

bool
history_is_fenced(int txn_id, int64_t id, int16_t epoch)
{
	return is_older(id, epoch, past->owners[txn_id].id, past->owners[txn_id].epoch);
}

void
history_owner(int txn_id, int64_t id, int16_t epoch)
{
	for (int i = 0; i < past->n_txns; i++) {
		struct txn_history *t = &past->txns[i];

		if (t->id != txn_id || t->complete || !is_older(t->producer_id, t->epoch, id, epoch))
			continue;
		t->may_end = true;
		if (!t->commit_asked && t->decided == UNDECIDED)
			history_decide(i, ABORTED, "its fencing");
		complete(t);
	}
	if (history_is_fenced(txn_id, id, epoch))
		return; /* the answer came late */
	past->owners[txn_id].id = id;
	past->owners[txn_id].epoch = epoch;
}

/* ---- offsets, and what bears them ---- */

/* Nobody else was ever seen at these offsets. */
static void
check_free(int slot, int64_t from, int64_t to, int number)
{
	for (int k = 0; k < past->n_sent; k++) {
		const struct sent *s = &past->sent[k];

		if (s->slot != slot || k == number || !is_current(s))
			continue;
		if ((s->base >= 0 && s->base < to && from < s->base + s->count) ||
		    (s->old_base >= 0 && s->old_base < to && from < s->old_base + s->count))
			broken("partition %d: %" PRId64 " was batch %d, and is now batch %d", slot, from, k, number);
	}
	for (int i = 0; i < past->n_markers; i++) {
		const struct marker *m = &past->markers[i];

		if (m->slot == slot && m->incarnation == past->topics[topic_of(slot)].incarnation &&
		    m->offset >= from && m->offset < to)
			broken("partition %d: %" PRId64 " was a marker, and is now batch %d", slot, m->offset, number);
	}
}

static void
place(int number, int64_t base)
{
	struct sent *s = &past->sent[number];

	if (s->base == base || !is_current(s))
		return;
	/* What was deleted at the front is forgotten, its producer's sequence perhaps, too. */
	if (s->base >= 0 && s->base >= past->slots[s->slot].log_start)
		broken("partition %d: batch %d was at %" PRId64 ", and is now at %" PRId64, s->slot, number, s->base,
		    base);
	check_free(s->slot, base, base + s->count, number);
	if (s->base >= 0)
		s->old_base = s->base;
	s->base = base;
	if (s->fate == LOST)
		s->fate = MAYBE;
}

static bool
is_settled(int slot)
{
	const struct topic_history *t = &past->topics[topic_of(slot)];

	return t->exists && !t->unsettled;
}

void
history_answered(int number, int64_t base, bool durable)
{
	struct sent *s = &past->sent[number];

	/* Where the topic was made anew meanwhile, nobody knows in which it is. */
	if (!is_current(s) || !is_settled(s->slot))
		return;
	if (s->forbidden)
		broken("partition %d: batch %d was taken, though its producer is fenced", s->slot, number);
	place(number, base);
	past->counts.acked += s->fate != ANSWERED;
	if (s->fate != ANSWERED)
		s->answered_at = event();
	s->fate = ANSWERED;
	s->durable = s->durable || durable;
	raise_to(&seen.high_watermark[s->slot], base + s->count);
}

void
history_refused(int number)
{
	struct sent *s = &past->sent[number];

	if (!s->again && s->fate == MAYBE && s->base < 0)
		s->fate = REFUSED;
}

void
know(struct known *k)
{
	k->event = event();
	for (int i = 0; i < SLOTS; i++) {
		k->high_watermark[i] = seen.high_watermark[i];
		k->last_stable[i] = seen.last_stable[i];
		k->ever_stable[i] = past->slots[i].last_stable;
		k->log_start[i] = past->slots[i].log_start;
	}
}

/* ---- what is fetched ---- */

enum { PRODUCERS_SEEN = 64, ABORTED_MAX = 256 };

/* A reader's walk through one answer. */
struct walk {
	int slot;
	bool committed;
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
	check_free(w->slot, b->base_offset, b->base_offset + 1, -1);
	if (past->n_markers < MARKERS)
		past->markers[past->n_markers++] = (struct marker){ w->slot, incarnation, b->base_offset, m.producer_id };
	past->counts.ends_seen++;
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
	if (!is_current(s) && is_settled(w->slot))
		broken("partition %d: batch %d is of the topic that was deleted", w->slot, number);
	if (s->fate == REFUSED)
		broken("partition %d: batch %d is there, and was refused", w->slot, number);
	if (s->forbidden)
		broken("partition %d: batch %d is there, though its producer was fenced", w->slot, number);
	if (seen.scanning && !w->committed && (s->met & met) != 0)
		broken("partition %d: batch %d is there twice", w->slot, number);
	if (s->stamp == past->stamp)
		broken("partition %d: batch %d is there twice, at %" PRId64, w->slot, number, b->base_offset);
	s->stamp = past->stamp;
	place(number, b->base_offset);
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
	if (topic_kinds[topic_of(w->slot)].compacted || !is_settled(w->slot))
		return;
	for (int k = 0; k < past->n_sent; k++) {
		const struct sent *s = &past->sent[k];

		/* What is lost of acks=1 is known at the end of a scan. */
		if (s->slot == w->slot && is_current(s) && s->fate == ANSWERED && s->stamp != past->stamp &&
		    (s->durable || !seen.scanning) && s->base >= w->from && s->base + s->count <= w->at &&
		    s->base >= w->answer->log_start_offset && !past->torn)
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

		if (s->slot == w->slot && s->txn >= 0 && s->fate == ANSWERED && is_current(s) && s->base < stable &&
		    s->answered_at < k->event && stable > w->answer->log_start_offset &&
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

	if (!is_settled(w->slot))
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
		if (batch_last_offset(&b) >= end)
			broken("partition %d: %" PRId64 " was given, beyond %" PRId64, w->slot, batch_last_offset(&b), end);
		if (b.attributes & BATCH_CONTROL)
			see_marker(w, &b, rest.p);
		else if (b.count > 0)
			see_batch(w, &b, rest.p);
		w->at = batch_last_offset(&b) + 1;
		rest = span_of(rest.p + b.size, rest.n - b.size);
	}
}

int64_t
history_fetched(int slot, int64_t from, bool committed, const struct wire_fetch_response_partition *p,
    const struct known *k)
{
	struct walk w = { .slot = slot, .committed = committed, .from = from, .at = from, .answer = p };

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
			return from + 1;
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

		if (s->slot == slot && is_current(s) && s->met != 0 && s->base < to && s->base + s->count > from)
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

		if (s->slot != of->slot || !is_current(s) || !counts_in_the_end(s) || s->base + s->count <= of->base + i)
			continue;
		for (int n = 0; n < s->count; n++)
			if (record_key_of(k, n) == key && s->base + n > of->base + i)
				return true;
	}
	return false;
}

/* Whether a record of it should be there and is not. */
static bool
is_missing(const struct sent *s)
{
	const struct topic_kind *kind = &topic_kinds[topic_of(s->slot)];
	/* Below it, records may have been deleted. */
	int64_t start = kind->retained ? past->slots[s->slot].log_start : past->slots[s->slot].cut_tried;
	bool compacted = kind->compacted;

	if (s->txn >= 0 && compacted && past->txns[s->txn].decided == ABORTED)
		return false;
	for (int i = 0; i < s->count; i++) {
		if ((s->met >> i & 1) || s->base + i < start)
			continue;
		if (!compacted || !is_superseded(s, i))
			return true;
	}
	return false;
}

static void
check_sent(struct sent *s)
{
	int number = (int)(s - past->sent);

	if (!is_current(s) || !is_settled(s->slot) || s->base < 0 || s->fate == REFUSED || s->fate == LOST ||
	    !is_missing(s))
		return;
	/* Of a transaction whose end nobody was told, that is how it was aborted: all are gone. */
	if (s->txn >= 0 && past->txns[s->txn].decided == UNDECIDED && topic_kinds[topic_of(s->slot)].compacted &&
	    history_may_end(&past->txns[s->txn]) && !past->torn) {
		history_decide(s->txn, ABORTED, "compaction");
		return;
	}
	if (s->durable && !past->torn)
		broken("partition %d: batch %d, answered at %" PRId64 ", is lost", s->slot, number, s->base);
	s->fate = LOST;
	s->old_base = s->base;
	s->base = -1;
	past->counts.lost++;
}

void
history_scan_end(void)
{
	seen.scanning = false;
	for (int k = 0; k < past->n_sent; k++)
		check_sent(&past->sent[k]);
	past->counts.checks++;
}

void
history_scan_final(void)
{
	for (int i = 0; i < SLOTS; i++)
		if (is_settled(i) && seen.last_stable[i] != seen.high_watermark[i])
			broken("partition %d: a transaction hangs: the last stable offset is %" PRId64
			    ", the high watermark %" PRId64, i, seen.last_stable[i], seen.high_watermark[i]);
}

/* ---- committed offsets ---- */

int
commit_new(int group, int slot, int txn)
{
	struct commit *c = &past->commits[past->n_commits];

	if (past->n_commits == COMMITS)
		return -1;
	*c = (struct commit){ .group = group, .slot = slot, .txn = txn, .begin = txn < 0 ? event() : NEVER_MS,
		.end = NEVER_MS, .applied = NEVER_MS, .over = NEVER_MS, .life = past->life };
	return past->n_commits++;
}

void
commit_answered(int number)
{
	struct commit *c = &past->commits[number];

	c->answered = true;
	c->answered_at = event();
	past->counts.offset_commits++;
	if (c->txn >= 0)
		return;
	lower_to(&c->end, c->answered_at);
	lower_to(&c->applied, c->end);
}

/* Of a transaction, the moment at which its end was asked for. */
static int64_t
begin_of(const struct commit *c)
{
	return c->txn < 0 ? c->begin : past->txns[c->txn].end_sent;
}

static bool
is_of(const struct commit *c, int group, int slot)
{
	return c->group == group && c->slot == slot;
}

/*
 * What a fetch shows of an offset need not be durable yet: it is for good when it was
 * answered, or when it was sent to an earlier life.
 */
static bool
is_for_good(const struct commit *c)
{
	return c->txn < 0 ? c->answered || c->life < past->life : past->txns[c->txn].complete;
}

/* Nothing is pending there, so that nothing that is open can be. */
static void
see_stable(int group, int slot, const struct known *k)
{
	for (int i = 0; i < past->n_commits; i++) {
		struct commit *c = &past->commits[i];
		struct txn_history *t = &past->txns[c->txn < 0 ? 0 : c->txn];

		if (!is_of(c, group, slot) || c->txn < 0 || !c->answered || c->over == 0)
			continue;
		if (!history_may_end(t) && c->answered_at < k->event)
			broken("group %s, partition %d: offset %d is pending, which is not told", group_names[group], slot, i);
	}
}

static bool
may_be_pending(int group, int slot, const struct known *k)
{
	for (int i = 0; i < past->n_commits; i++) {
		const struct commit *c = &past->commits[i];

		if (is_of(c, group, slot) && c->txn >= 0 && c->end >= k->event)
			return true;
	}
	return false;
}

/* Whether it had taken effect before the request.  Where nothing is pending, all that is decided has. */
static bool
is_applied(const struct commit *c, bool stable, const struct known *k)
{
	return c->applied <= k->event || (stable && c->txn >= 0 && c->answered &&
	    past->txns[c->txn].decided == COMMITTED && begin_of(c) < k->event);
}

/* Some other took effect surely behind `end`, and before the request. */
static bool
is_overtaken(int group, int slot, int64_t end, bool stable, const struct known *k, int *by)
{
	for (*by = 0; *by < past->n_commits; (*by)++) {
		const struct commit *c = &past->commits[*by];

		if (is_of(c, group, slot) && is_applied(c, stable, k) && begin_of(c) > end)
			return true;
	}
	return false;
}

static void
see_offset(int group, int slot, int number, bool stable, const struct known *k)
{
	struct commit *c = &past->commits[number];
	int by;

	if (number < 0 || number >= past->n_commits || !is_of(c, group, slot) || c->over <= k->event)
		broken("group %s, partition %d: offset %d was never committed there, or is over (event %" PRId64 ")",
		    group_names[group], slot, number, k->event);
	if (c->txn >= 0)
		history_decide(c->txn, COMMITTED, "an offset");
	if (is_overtaken(group, slot, c->end, stable, k, &by))
		broken("group %s, partition %d: the offset is %d, and %d was committed behind it", group_names[group], slot,
		    number, by);
	if (!is_for_good(c))
		return;
	lower_to(&c->end, past->events);
	lower_to(&c->applied, c->end);
	/* Whatever was over before the request can't come back. */
	for (int i = 0; i < past->n_commits; i++) {
		struct commit *other = &past->commits[i];

		if (i != number && is_of(other, group, slot) && other->end < k->event)
			lower_to(&other->over, past->events);
	}
}

void
history_offset(int group, int slot, bool stable, int error, int64_t offset, struct span metadata, const struct known *k)
{
	char expected[32];
	int by;

	event();
	past->counts.offset_fetches++;
	if (error == KAFKA_UNSTABLE_OFFSET_COMMIT && stable) {
		past->counts.unstable++;
		if (!may_be_pending(group, slot, k))
			broken("group %s, partition %d: no offset can be pending", group_names[group], slot);
		return;
	}
	if (error != KAFKA_NONE)
		broken("group %s, partition %d: error %d", group_names[group], slot, error);
	if (stable)
		see_stable(group, slot, k);
	if (offset == -1) {
		if (is_overtaken(group, slot, 0, stable, k, &by))
			broken("group %s, partition %d: there is no offset, and %d was committed", group_names[group], slot, by);
		return;
	}
	snprintf(expected, sizeof expected, "commit %" PRId64, offset);
	if (!span_is(metadata, expected))
		broken("group %s, partition %d: offset %" PRId64 " has the metadata of another", group_names[group], slot,
		    offset);
	see_offset(group, slot, (int)offset, stable, k);
}

/* ---- topics ---- */

static void
forget_slots(int topic)
{
	for (int i = 0; i < topic_kinds[topic].partitions; i++) {
		int slot = topic_kinds[topic].first_slot + i;

		past->slots[slot] = (struct slot){ 0 };
		seen.high_watermark[slot] = seen.last_stable[slot] = 0;
	}
}

void
history_new_incarnation(int topic, const uint8_t id[16])
{
	struct topic_history *t = &past->topics[topic];

	forget_slots(topic);
	memcpy(t->id, id, sizeof t->id);
	t->incarnation++;
	t->exists = true;
	t->unsettled = false;
}

void
history_topic(int topic, const uint8_t *id)
{
	struct topic_history *t = &past->topics[topic];

	if (!t->unsettled && t->exists != (id != NULL))
		broken("topic %s: it is %s", topic_kinds[topic].name, id != NULL ? "there" : "gone");
	if (id != NULL && (!t->exists || memcmp(t->id, id, 16) != 0)) {
		if (!t->unsettled)
			broken("topic %s: it has another id", topic_kinds[topic].name);
		history_new_incarnation(topic, id);
	}
	t->exists = id != NULL;
	t->unsettled = false;
}

/* ---- lives ---- */

void
history_life(void)
{
	event();
	memset(&seen, 0, sizeof seen);
	past->life++;
	/* What was sent to the last one takes effect no more. */
	for (int i = 0; i < past->n_commits; i++)
		if (past->commits[i].txn < 0)
			lower_to(&past->commits[i].end, past->events);
}
