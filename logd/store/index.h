/*
 * index.h -- what is looked up: the only user of LMDB.
 *
 * A disposable copy of what the segments say.  It is written at checkpoints
 * only, in one transaction each, with LMDB's default syncs, and only of what is
 * synced in the segments already.  LMDB has no checksums of its own, so every
 * value carries one over its key and itself, every table a count and a sum of
 * them.  An index that nobody vouches for is copied, entry by entry, to a fresh
 * file; one that does not fit its sums is thrown away and made anew from the
 * segments.
 *
 * Reading: the store's thread.  index_commit(): one thread at a time, beside
 * the readers.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

struct index;

/* What keys and values mean, in `meta`; the index of another format is made anew. */
enum { INDEX_FORMAT = 2 };

enum index_table {
	INDEX_META,      /* name -> value */
	INDEX_SEGMENTS,  /* partition, base offset, epoch, generation -> size, end, times */
	INDEX_OFFSETS,   /* partition, segment, offset -> position, largest time before it */
	INDEX_PRODUCERS, /* partition, producer id -> its last batches */
	INDEX_ABORTED,   /* partition, offset of a marker -> the transaction that it aborted */
	INDEX_STATE,     /* log, key -> value */
	INDEX_TABLES
};

/* Changes to be made together.  All zero: none. */
struct index_batch {
	struct buf ops; /* owned */
	size_t n;
};

void index_put(struct index_batch *, enum index_table, struct span key, struct span value);
void index_del(struct index_batch *, enum index_table, struct span key);
/* Deletes all keys with this prefix. */
void index_del_prefix(struct index_batch *, enum index_table, struct span prefix);
void index_batch_done(struct index_batch *);

/*
 * Which of the index's files is something else than a file, which LMDB would open, and wait for; NULL: none.
 * To be asked before anything below.
 */
const char *index_no_file(const char *dir);

/* Opens or makes the index in a folder.  -1: logged. */
int index_open(struct index **, const char *dir);
void index_close(struct index *);

/* Deletes the index's files, so that the next open makes an empty one. */
int index_discard(const char *dir);

/*
 * Checks all entries of the closed index and copies them to a fresh file that
 * takes its place, so that nothing of the old one's inner order is relied on.
 * None there: done.  -1 with errno (logged): ENOSPC or EDQUOT, there is no room
 * for the copy; else it is damaged.  It may be so damaged that LMDB ends the
 * process.
 */
int index_renew(const char *dir);

/* Copies the open index, as it was committed last, into a folder. -1 with errno (logged).  Any thread. */
int index_copy(struct index *, const char *dir);

/*
 * A checksum of the file as it lies there, the index being closed.  -1 with errno; EFBIG:
 * it is larger than any index is, and was not read.
 */
int index_file_crc(const char *dir, uint32_t *crc);

/*
 * Makes the changes of all batches durable, in order, or none: 0, or -1 with
 * errno (logged); ENOSPC may be tried again, anything else is final.
 */
int index_commit(struct index *, const struct index_batch *batches, size_t n);

/*
 * Look-ups.  Where one meets damage, since the index was opened, there is no
 * answer that would not be wrong: the process ends.
 */

/* Copies the value (to->n bytes, reset first).  False: no such key. */
bool index_get(struct index *, enum index_table, struct span key, struct buf *to);

/*
 * The greatest key at or below `key` that begins with the first `prefix` bytes
 * of it.  Copies key and value.
 */
bool index_floor(struct index *, enum index_table, struct span key, size_t prefix,
    struct buf *found, struct buf *value);

/* The same as index_each(), beginning at the key `from` or the first one after it. */
void index_each_from(struct index *, enum index_table, struct span prefix, struct span from,
    bool (*each)(void *ctx, struct span key, struct span value), void *ctx);

/* Walks the keys that begin with the prefix, in byte order, until `each` returns false. */
void index_each(struct index *, enum index_table, struct span prefix,
    bool (*each)(void *ctx, struct span key, struct span value), void *ctx);

/*
 * Looking at an index that nobody vouches for, without changing anything, not even
 * by a lock.  LMDB may end the process of damage: so a first look is for a process
 * that may be lost (plat/child.h).  What index_verify_table() has found right may be
 * read by cursors: these take the same way.
 */

/* -1: errno (ENOENT: there is none), and why. */
int index_open_to_look(struct index **, const char *dir, const char **why);

const char *index_table_name(enum index_table);

/* Entries in the order of their keys. */
struct index_cursor;
enum index_entry_state {
	INDEX_END,
	INDEX_ENTRY,
	INDEX_ENTRY_DAMAGED, /* its checksum is wrong; the key may be, too */
	INDEX_BROKEN         /* LMDB can't go on, or the keys don't rise */
};
struct index_cursor *index_cursor_open(struct index *, enum index_table);
void index_cursor_close(struct index_cursor *); /* before the index; NULL is fine */
/* Spans are borrowed until the index is closed. */
enum index_entry_state index_cursor_next(struct index_cursor *, struct span *key, struct span *value);

enum index_state { INDEX_RIGHT, INDEX_UNLIKE_SUM /* entries are missing or too many */, INDEX_UNREADABLE };
/* Reads all of a table, and tells of each damaged entry. */
enum index_state index_verify_table(struct index *, enum index_table,
    void (*damaged)(void *ctx, struct span key), void *ctx);

#endif
