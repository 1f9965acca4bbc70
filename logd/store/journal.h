/*
 * journal.h -- one stream of entries for all partitions, so that one sync makes
 * durable whatever waits, however many partitions it is for.
 *
 * Entries gather in a block in memory; journal_flush() hands the blocks that
 * have gathered to a thread, which writes them and syncs once (group commit).
 * Blocks are numbered; whoever needs an entry durable waits for its block.  The
 * files are written in full beforehand where there was time for it and used
 * again when a checkpoint has made their entries superfluous.
 *
 * Format, and what recovery does with it: docs/storage-format.md.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "plat/worker.h"
#include "store/partition.h"

struct journal;
struct store_stats;

enum journal_kind {
	JOURNAL_BATCH = 1,   /* a batch, and where in which segment it lies */
	JOURNAL_RESERVE = 2, /* offsets below `offset` may have been seen by somebody */
	JOURNAL_SYNCED = 3   /* the segment is synced up to `pos`, where `offset` comes next */
};

struct journal_entry {
	enum journal_kind kind;
	struct partition_id id;
	int64_t segment_base; /* BATCH, SYNCED */
	int32_t segment_epoch;
	int64_t pos;
	int64_t offset;       /* RESERVE, SYNCED */
	struct span batch;    /* BATCH: view */
};

struct journal_config {
	const char *dir;
	int64_t bytes;
	struct mailbox *mailbox;
	struct store_stats *stats;
	void *ctx;
	/* Blocks up to journal_durable() are durable; or error != 0: nothing more will be (but see journal_full()). */
	void (*committed)(void *ctx, int error);
};

/* Opens or makes the journal's folder.  It can be read, not yet written. -1: logged. */
int journal_open(struct journal **, const struct journal_config *);

/*
 * Calls `each` with every entry of every whole block, in the order in which
 * they were written.  Spans are borrowed until journal_start().  -1: the disk
 * could not be read (logged).
 */
int journal_replay(struct journal *, void (*each)(void *ctx, const struct journal_entry *), void *ctx);

/*
 * For those who look at a journal that no daemon has: nothing is written, and only
 * journal_look() and journal_close() may follow.  No folder: an empty one.  -1: logged.
 */
int journal_open_to_look(struct journal **, const char *dir);

enum journal_found_kind {
	JOURNAL_USED,      /* a file with a header */
	JOURNAL_UNUSED,    /* a file that holds nothing, or that was released */
	JOURNAL_NO_HEADER, /* a file whose header is damaged: its blocks are not read */
	JOURNAL_BLOCK,     /* a whole block; its entries follow */
	JOURNAL_DAMAGED,   /* pages with no block that can be read, before one that can */
	JOURNAL_TORN,      /* behind the last block of a file, one that is not whole */
	JOURNAL_REST       /* or nothing, or what an earlier use of the file left */
};

struct journal_found {
	enum journal_found_kind kind;
	int file;          /* its number */
	int64_t pos, size; /* in the file; of USED, UNUSED and NO_HEADER the whole */
	uint64_t lsn;      /* of the file's first byte */
};

struct journal_look {
	void *ctx;
	void (*found)(void *ctx, const struct journal_found *);
	void (*entry)(void *ctx, const struct journal_entry *);
};

/* journal_replay(), told in full. */
int journal_look(struct journal *, const struct journal_look *);

/*
 * Makes it writable.  What it held before is forgotten, if everything replayed
 * is durable elsewhere by now; else `keep` it for the next start.  -1: logged.
 */
int journal_start(struct journal *, bool keep);

/* Adds an entry (copied), and returns the number of its block. */
uint64_t journal_add(struct journal *, const struct journal_entry *);

/* Asks for the block to be made durable by the next flush. */
void journal_want(struct journal *, uint64_t block);

/* Starts a commit if one is wanted and none is under way. */
void journal_flush(struct journal *);
bool journal_idle(const struct journal *);

/*
 * The disk had no room for a commit.  It is put off, with all that follows,
 * until journal_retry(): a checkpoint may have freed a file by then, or somebody
 * made room.
 */
bool journal_full(const struct journal *);
void journal_retry(struct journal *);

/* Blocks up to this one are durable; the block that the next entry may go to. */
uint64_t journal_durable(const struct journal *);
uint64_t journal_next_block(struct journal *);

/*
 * Ends the block in memory, and returns its number: all entries so far are in
 * this one or before.
 */
uint64_t journal_cut(struct journal *);

/* Entries in blocks up to this one are needed no more. */
void journal_release(struct journal *, uint64_t block);

/*
 * What has been written stays until the next start, whatever is released: a
 * segment that could not be synced may lack it.
 */
void journal_keep(struct journal *);

/* Bytes that the files have which are used again: at least what was asked for, since a file is not made smaller than 1 MiB. */
int64_t journal_room(const struct journal *);

/* Bytes written since they were last released: how full it is. */
int64_t journal_used(const struct journal *);

/* Makes files ready ahead of their use, in the background. */
void journal_prepare(struct journal *, struct workers *);

/* No commit is under way (see journal_idle). */
void journal_close(struct journal *);

#endif
