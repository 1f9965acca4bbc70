/*
 * upkeep.c -- visits to all partitions, for what time brings.
 *
 * There may be a hundred thousand, so a round visits some at each tick.  The
 * queue is a ring: who was visited goes to its end, and new ones do, too.
 */
#include "store/store_internal.h"

enum { TICK_MS = 1000, SLICE = 1000, SLICE_MS = 20 };

void
upkeep_retention_soon(struct store *store)
{
	/* Not at once: what it lacks takes a while to be there. */
	if (store->next_retention_ms > store->mono_ms + TICK_MS)
		store->next_retention_ms = store->mono_ms + TICK_MS;
}

static void
begin_round(struct store *store)
{
	store->upkeep_left = store->partitions.n;
	store->next_retention_ms = store->mono_ms + store->config.upkeep.retention_check_ms;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t
upkeep_tick(struct store *store)
{
	if (store->upkeep_left == 0 && store->mono_ms >= store->next_retention_ms)
		begin_round(store);
	for (int i = 0; i < SLICE && store->upkeep_left > 0; i++) {
		struct partition *p = list_first(&store->upkeep_queue, struct partition, upkeep);

		store->upkeep_left--;
		if (p == NULL)
			continue; /* some were deleted meanwhile */
		list_del(&p->upkeep);
		list_add(&store->upkeep_queue, &p->upkeep);
		retention_visit(p);
	}
	/* While the disk is full, each tick tries to write: not more often than it must. */
	if (store->upkeep_left > 0 && !journal_full(store->journal))
		return store->mono_ms + SLICE_MS;
	return least(store->mono_ms + TICK_MS,
	    store->next_retention_ms > store->mono_ms ? store->next_retention_ms : store->mono_ms + SLICE_MS);
}
