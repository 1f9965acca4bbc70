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

static bool
may_clean(const struct store *store)
{
	return store->config.upkeep.cleaner && store->cleaner.cleaning == NULL;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When the next round is due. */
static int64_t
next_round(const struct store *store)
{
	return may_clean(store) ? least(store->next_retention_ms, store->cleaner.next_ms) :
	    store->next_retention_ms;
}

static void
begin_round(struct store *store)
{
	store->round_retention = store->mono_ms >= store->next_retention_ms;
	store->round_cleaning = may_clean(store) && store->mono_ms >= store->cleaner.next_ms;
	if (!store->round_retention && !store->round_cleaning)
		return;
	store->upkeep_left = store->partitions.n;
	if (store->round_retention)
		store->next_retention_ms = store->mono_ms + store->config.upkeep.retention_check_ms;
}

static void
visit(struct partition *p)
{
	if (p->store->round_retention)
		retention_visit(p);
	if (p->store->round_cleaning)
		cleaner_visit(p);
}

static void
go_on(struct store *store)
{
	for (int i = 0; i < SLICE && store->upkeep_left > 0; i++) {
		struct partition *p = list_first(&store->upkeep_queue, struct partition, upkeep);

		store->upkeep_left--;
		if (p == NULL)
			continue; /* some were deleted meanwhile */
		list_del(&p->upkeep);
		list_add(&store->upkeep_queue, &p->upkeep);
		visit(p);
	}
	if (store->upkeep_left == 0 && store->round_cleaning)
		cleaner_start(store);
}

int64_t
upkeep_tick(struct store *store)
{
	int64_t next;

	if (store->upkeep_left == 0)
		begin_round(store);
	if (store->upkeep_left > 0)
		go_on(store);
	if (store->upkeep_left > 0)
		return store->mono_ms + SLICE_MS;
	next = next_round(store);
	return least(store->mono_ms + TICK_MS, next > store->mono_ms ? next : store->mono_ms + SLICE_MS);
}
