/*
 * stats.h -- counters: one table, from which come the struct, the names and
 * the reference page.
 *
 * A folder keeps its own table, `stats.tbl`, with a line per counter:
 *
 *	STAT(journal_syncs, "syncs of the journal")
 *
 * and makes the struct of it with STATS_STRUCT.  Counters are only added to,
 * by any thread; gauges are set.
 */
#ifndef BASE_STATS_H
#define BASE_STATS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef _Atomic uint64_t stat_t;

struct stat_desc {
	const char *name;
	const char *help;
	size_t offset;
};

static inline void
stat_add(stat_t *s, uint64_t by)
{
	atomic_fetch_add_explicit(s, by, memory_order_relaxed);
}

static inline void
stat_set(stat_t *s, uint64_t to)
{
	atomic_store_explicit(s, to, memory_order_relaxed);
}

static inline uint64_t
stat_get(const stat_t *s)
{
	return atomic_load_explicit(s, memory_order_relaxed);
}

#endif
