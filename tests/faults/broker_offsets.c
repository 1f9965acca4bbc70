/* broker_offsets.c -- the offsets that clients of a simulated broker committed, and what it tells of them. */
#include <inttypes.h>
#include <stdio.h>

#include "faults/broker_history.h"
#include "wire/errors.h"

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

