/* broker_history.c -- what clients of a simulated broker were told, and whether what they are told now fits. */
#include <inttypes.h>

#include "base/must.h"
#include "faults/broker_history.h"

struct history *past;

const struct topic_kind topic_kinds[TOPICS] = {
	{ .name = "in", .partitions = 2, .first_slot = 0 },
	{ .name = "out", .partitions = 2, .first_slot = 2 },
	{ .name = "keys", .partitions = 2, .first_slot = 4, .compacted = true },
	{ .name = "cut", .partitions = 1, .first_slot = 6, .cut = true },
	{ .name = "short", .partitions = 1, .first_slot = 7, .retained = true },
	{ .name = "remade", .partitions = 1, .first_slot = 8, .remade = true },
};

const char *const group_names[GROUPS] = { "alone", "team", "newer" };

struct seen seen;

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

bool
slot_is_there(int slot)
{
	const struct topic_history *t = &past->topics[topic_of(slot)];

	return t->exists && !t->unsettled;
}

int64_t
event(void)
{
	return ++past->events;
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

/* It is complete, and known how: so are its offsets. */
static void
settle_offsets(const struct txn_history *t)
{
	int number = (int)(t - past->txns);

	for (int i = 0; i < past->n_commits; i++) {
		struct commit *c = &past->commits[i];

		if (c->txn != number)
			continue;
		lower_to(&c->end, past->events);
		if (t->decided == COMMITTED && c->answered)
			lower_to(&c->applied, past->events);
		if (t->decided == ABORTED)
			c->over = 0;
	}
}

/* Its markers and its offsets are in their places. */
static void
complete(struct txn_history *t)
{
	t->complete = true;
	settle_offsets(t);
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
	if (t->complete)
		settle_offsets(t);
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
	past->owners[txn_id].stray = false;
}

/* ---- offsets, and what bears them ---- */

void
history_check_free(int slot, int64_t from, int64_t to, int number)
{
	for (int k = 0; k < past->n_sent; k++) {
		const struct sent *s = &past->sent[k];

		if (s->slot != slot || k == number || !sent_is_current(s))
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

void
history_place(int number, int64_t base)
{
	struct sent *s = &past->sent[number];

	if (s->base == base || !sent_is_current(s))
		return;
	/* What was deleted at the front is forgotten, its producer's sequence perhaps, too. */
	if (s->base >= 0 && s->base >= past->slots[s->slot].log_start)
		broken("partition %d: batch %d was at %" PRId64 ", and is now at %" PRId64, s->slot, number, s->base,
		    base);
	history_check_free(s->slot, base, base + s->count, number);
	if (s->base >= 0)
		s->old_base = s->base;
	if (s->base >= 0 || s->fate == LOST)
		s->read_by = 0;
	s->base = base;
	if (s->fate == LOST)
		s->fate = MAYBE;
}

bool
history_may_be_taken(int txn_id)
{
	return past->owners[txn_id].inits > 0 || past->owners[txn_id].stray;
}

void
history_answered(int number, int64_t base, bool durable)
{
	struct sent *s = &past->sent[number];

	/* Where the topic was made anew meanwhile, nobody knows in which it is. */
	if (!sent_is_current(s) || !slot_is_there(s->slot))
		return;
	if (s->forbidden)
		broken("partition %d: batch %d was taken, though its producer is fenced", s->slot, number);
	history_place(number, base);
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
	for (int i = 0; i < TXN_IDS; i++) {
		past->owners[i].stray = past->owners[i].stray || past->owners[i].inits > 0;
		past->owners[i].inits = 0;
	}
	/* What was sent to the last one takes effect no more. */
	for (int i = 0; i < past->n_commits; i++)
		if (past->commits[i].txn < 0)
			lower_to(&past->commits[i].end, past->events);
}
