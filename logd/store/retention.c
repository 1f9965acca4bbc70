/*
 * retention.c -- what is too old, or too much, goes from the front.
 *
 * Whole segments go, and only what is settled.  The log start moves first, by
 * the way of DeleteRecords: durably, then the files.  That takes a record, for
 * which a full disk has no room: then the reserve is given up (reserve.c).
 *
 * A clock that leaps ahead makes everything old at once, and may be wrong: what is
 * judged by it then waits until somebody could have put it right.
 */
#include <stdlib.h>

#include "base/diag.h"
#include "base/xalloc.h"
#include "store/store_internal.h"

enum { LEAP_MS = 600000, REST_MS = 3600000 };

void
retention_look_at_clock(struct store *store)
{
	int64_t ahead_ms = store->wall_ms - store->mono_ms, leap_ms = ahead_ms - store->clock_ahead_ms;

	store->clock_ahead_ms = ahead_ms;
	if (leap_ms > LEAP_MS) {
		store->old_rests_until_ms = store->mono_ms + REST_MS;
		diag_warn("the clock was set ahead; what is too old by it is kept for another hour",
		    "by_ms=%lld action=\"see that it is right\"", (long long)leap_ms);
	} else if (leap_ms < -LEAP_MS)
		store->old_rests_until_ms = store->mono_ms;
}

/* A record of the far future keeps its segment, as Kafka has it; without times, it is the first append's. */
static bool
too_old(const struct segment *s)
{
	const struct partition *p = s->partition;
	int64_t newest = s->max_time >= 0 ? s->max_time : s->begun_ms;

	if (p->config.retention_ms < 0 || (s->max_time < 0 && s->begun_ms == 0) ||
	    p->store->mono_ms < p->store->old_rests_until_ms)
		return false;
	return p->store->wall_ms - newest > p->config.retention_ms;
}

/* `size`: of this segment and all behind it. */
static bool
too_much(const struct segment *s, int64_t size)
{
	int64_t limit = s->partition->config.retention_bytes;

	return limit >= 0 && size - s->size >= limit;
}

/* How many segments may go, the active one included. */
static size_t
count(const struct partition *p)
{
	int64_t size = partition_bytes(p), settled = partition_settled(p);
	size_t n = 0;

	for (; n < p->n_segments && p->segments[n]->end <= settled; n++) {
		const struct segment *s = p->segments[n];

		/* An empty one that others follow holds nothing; the last says where the log goes on. */
		if (s->size == 0 ? n + 1 == p->n_segments : !too_old(s) && !too_much(s, size))
			break;
		size -= s->size;
	}
	return n;
}

static void
moved(struct partition_cut *cut)
{
	struct store *store = cut->append.user;

	store->n_retaining--;
	if (cut->error != STORE_GONE)
		cut->partition->retaining = false;
	if (cut->error == STORE_OK)
		stat_add(&store->stats.retentions, 1);
	else if (cut->error == STORE_DISK) {
		reserve_use(store);
		upkeep_retention_soon(store);
	}
	free(cut);
}

static void
move_log_start(struct partition *p, int64_t to)
{
	struct partition_cut *cut = xcalloc(1, sizeof *cut);

	cut->offset = to;
	cut->done = moved;
	cut->append.user = p->store;
	cut->partition = p;
	p->retaining = true;
	p->store->n_retaining++;
	if (partition_cut_front(p, cut))
		moved(cut);
}

void
retention_visit(struct partition *p)
{
	int64_t to;
	size_t n;

	if (!p->config.deletes || p->internal || p->offline || p->retaining)
		return;
	n = count(p);
	/* An active segment that is to go needs one behind it, where the log goes on. */
	if (n > 0 && n == p->n_segments && partition_roll(p) == NULL) {
		reserve_use(p->store);
		upkeep_retention_soon(p->store);
		n--;
	}
	if (n == 0)
		return;
	to = p->segments[n]->base;
	/* Offsets that were skipped lie above all that was seen. */
	if (to > p->high_watermark)
		to = p->high_watermark;
	if (to > p->log_start)
		move_log_start(p, to);
}
