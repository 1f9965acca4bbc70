/*
 * store.h -- all partitions under one folder, and the daemon's own state.
 *
 * Everything that lasts is a record batch in a partition's segments; the
 * journal makes batches durable before their segments are; LMDB is an index
 * that can be thrown away (docs/storage-format.md).  One thread, the loop's,
 * calls everything here; threads of the store's own do what waits for the disk.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/stats.h"
#include "plat/worker.h"
#include "store/partition.h"

struct store;

/* The work that nobody asks for, but time brings.  May change while the store is open. */
struct store_upkeep {
	int64_t retention_check_ms;      /* how often partitions are looked at for what may go */
	bool cleaner;                    /* compacted partitions are compacted */
	int64_t cleaner_backoff_ms;      /* how long, when there is none, until the next look */
	int64_t cleaner_bytes;           /* memory for the keys of one pass */
};

struct store_config {
	const char *dir;                 /* made when absent */
	int64_t journal_bytes;           /* space of the journal */
	int32_t journal_batch_bytes_max; /* larger batches go straight to their segment */
	int64_t checkpoint_interval_ms;
	int64_t checkpoint_bytes;        /* appended since the last: time for the next */
	int open_files_max;              /* segments kept open */
	int producers_max;               /* idempotent producers remembered, of each partition */
	int64_t reserve_bytes;           /* held back on the disk, so that retention works when that is full */
	struct store_upkeep upkeep;
	struct partition_config internal; /* for the internal logs */
};

struct store_hooks {
	void *ctx;
	/* The high watermark of a partition has moved. */
	void (*visible)(void *ctx, struct partition *);
	/* The journal failed: nothing can be made durable any more.  The daemon is to end. */
	void (*failed)(void *ctx, const char *why);
};

struct store_stats {
#define STAT(name, help) stat_t name;
#include "store/stats.tbl"
#undef STAT
};

/*
 * Opens or makes the store, recovering what an unclean end left.  -1: a line
 * in the log says why and what to do.
 */
int store_open(struct store **, const struct store_config *, struct mailbox *,
    const struct store_hooks *, int64_t mono_ms, int64_t wall_ms);

/*
 * Ends in order: everything appended is synced, the index is complete, the
 * next start is a clean one.  Appends under way are answered first.
 */
void store_close(struct store *);

/* Once per round of the loop: starts a group commit for all that gathered. */
void store_flush(struct store *);

/* Now and then: checkpoints that are due.  The next time (mono) to call. */
int64_t store_tick(struct store *, int64_t mono_ms, int64_t wall_ms);

void store_set_upkeep(struct store *, const struct store_upkeep *);

/* Begins a checkpoint now, unless one is under way. */
void store_checkpoint(struct store *);

/*
 * Begins a copy of everything, as it is now, into a new folder of `dir`, which is
 * named after the time (20261128T073000.000Z) when it is complete.  It lies in another
 * filesystem, or shares the files that do not change any more.  How it ends is
 * told in the log.  -1: another is being made.
 */
int store_snapshot(struct store *, const char *dir, int64_t wall_ms);

const struct store_stats *store_stats_of(const struct store *);
bool store_started_clean(const struct store *);

/* The partition, or NULL when it was never opened. */
struct partition *store_partition(struct store *, const struct partition_id *);

/* The partition, made when it is not there (which costs no file until data comes). */
struct partition *store_open_partition(struct store *, const struct partition_id *,
    const struct partition_config *);

/*
 * Deletes a partition: pending appends and reads end with STORE_GONE, its
 * files go in the background.
 */
void store_delete_partition(struct store *, struct partition *);

/* After the start: deletes what is on the disk but was not opened since; tells of what was, and lacks files. */
void store_sweep(struct store *);

/* Every partition, internal ones included, until `each` returns false. */
void store_each_partition(struct store *, bool (*each)(void *ctx, struct partition *), void *ctx);

/* Bytes that nobody can guess, for ids. */
void store_random(void *to, size_t n);

/* Total and free bytes of the disk that it lies on; -1 with errno. */
int store_space(struct store *, int64_t *total, int64_t *free_bytes);

/*
 * The daemon's own state: keys and values in internal logs, one table each.
 * Keys are at most STATE_KEY_MAX bytes, values STATE_VALUE_MAX.  What was put is seen by state_get() at
 * once, and is durable when done() is called.
 */
enum state_log { STATE_METADATA, STATE_OFFSETS, STATE_TRANSACTIONS, STATE_LOGS };
enum { STATE_KEY_MAX = 480, STATE_VALUE_MAX = 512 * 1024 };

struct state_entry {
	struct span key;
	struct span value; /* p NULL: delete */
};

/* Puts all of them as one batch.  As partition_append(): a->done, a->error; the rest of `a` is ours. */
bool state_put(struct store *, enum state_log, const struct state_entry *, size_t n,
    int64_t wall_ms, struct append *a);

/* Copies the value into `value` (reset first).  False: no such key. */
bool state_get(struct store *, enum state_log, struct span key, struct buf *value);

/*
 * Walks the keys with this prefix, in byte order, until `each` returns false.
 * Spans are borrowed for the call; `each` may not call the store.
 */
void state_each(struct store *, enum state_log, struct span prefix,
    bool (*each)(void *ctx, struct span key, struct span value), void *ctx);

/* The same for all keys from `from` on: a long walk in parts. */
void state_each_from(struct store *, enum state_log, struct span from,
    bool (*each)(void *ctx, struct span key, struct span value), void *ctx);

#endif
