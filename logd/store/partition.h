/*
 * partition.h -- one partition's log: append, read, look up, cut at the front.
 *
 * All functions belong to the store's thread (the loop).  What must wait for
 * the disk ends later, through done(), on the same thread, and never within
 * the call that began it.
 *
 * Offsets:
 *
 *	log start <= high watermark <= log end
 *	   |              |               |
 *	   first that     first that is   next to be given out
 *	   can be read    not visible yet
 *
 * The visibility rule: what was sent with acks=all becomes visible when it and
 * all before it in the partition is on stable storage; what was sent with
 * acks=0 or 1, when it is written and all before it is visible.  An append is
 * answered when it is visible.
 *
 * Transactions (KIP-98): the first batch of a transaction opens it in the
 * partition, a marker closes it.  Up to the last stable offset there is none
 * open, of which the marker is not visible yet: that is what read_committed sees,
 * less what was aborted, which readers leave out themselves.
 */
#ifndef STORE_PARTITION_H
#define STORE_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/list.h"
#include "plat/worker.h"
#include "store/batch.h"
#include "store/errors.h"

struct partition;
struct segment;
struct store;

/* The name of a partition, below the names that people give to topics. */
struct partition_id {
	uint8_t topic[16]; /* topic id */
	int32_t number;
};

/* Settings that can change while the partition lives.  Borrowed by calls. */
struct partition_config {
	int32_t segment_bytes;
	int64_t segment_ms;
	int32_t max_message_bytes;
	bool compacted;
	bool deletes;                  /* what is too old or too much goes */
	int64_t retention_ms, retention_bytes; /* -1: no limit */
	/* Of a compacted one: how long tombstones stay, and when records may, and must, be compacted. */
	int64_t delete_retention_ms, min_compaction_lag_ms, max_compaction_lag_ms;
	double min_dirty_ratio;        /* the part of it that is not compacted, before it is compacted anew */
	bool log_append_time;
	int64_t timestamp_before_max_ms, timestamp_after_max_ms;
	int64_t producer_expiry_ms;
};

void partition_configure(struct partition *, const struct partition_config *);

const struct partition_id *partition_id_of(const struct partition *);

/* A pointer of the user's, NULL at first; handed to nobody else. */
void partition_set_user(struct partition *, void *);
void *partition_user(const struct partition *);

int64_t partition_log_start(const struct partition *);
int64_t partition_high_watermark(const struct partition *);
int64_t partition_log_end(const struct partition *);
int64_t partition_last_stable(const struct partition *);
int32_t partition_leader_epoch(const struct partition *);
int64_t partition_bytes(const struct partition *); /* in all segments */

/* False: a sync failed, or the disk does not take writes; reads may go on. */
bool partition_online(const struct partition *);

/* One append.  The user's struct lives until done(). */
struct append {
	/* set by the user */
	uint8_t *bytes;       /* what the producer sent; stamped in place; needed for the call only */
	size_t n;
	bool durable;         /* acks=all */
	bool zstd_allowed;
	bool from_0;          /* of a producer that is not known the first sequence must be 0 (KIP-890) */
	int64_t now_ms;       /* since 1970 */
	void (*done)(struct append *);
	void *user;           /* the user's own */
	/* the answer */
	enum store_error error;
	int32_t bad_record;   /* with STORE_INVALID_RECORD and STORE_NO_KEY; -1: the batch */
	int64_t base_offset;  /* -1 on error */
	int64_t append_time_ms; /* LogAppendTime, or -1 */
	/* the partition's */
	struct list link;
	bool examined;        /* partition_examine() has looked into it: error and bad_record are its word */
	int64_t max_timestamp;
};

/*
 * A look into the batch of an append that is to come, where that is long work.
 * The user's structs, and the bytes, stay as they are until done().
 */
struct partition_examination {
	/* set by the user */
	struct append *append;
	void (*done)(struct partition_examination *);
	/* the partition's */
	struct job job;
	struct store *store;
	struct batch_rules rules;
};

/*
 * True: nothing is to be waited for; false: a thread looks, done() follows.  Then
 * the append may be begun, which knows what was found.  Without this, an append
 * looks into its batch within its call.
 */
bool partition_examine(struct partition *, struct partition_examination *);

/*
 * Appends one batch.  True: it is over (answered, or refused with a->error);
 * false: done() follows when it is visible, or with STORE_DISK or STORE_GONE.
 */
bool partition_append(struct partition *, struct append *);

/*
 * Ends the transaction that the producer has open in this partition: a marker is
 * appended, always durably (a->durable, a->bytes and a->n are ours); producers of
 * an older epoch are fenced from now on.  Without an open transaction nothing is
 * written, and it is over: so it can be done again.  As partition_append().
 */
bool partition_end_transaction(struct partition *, const struct batch_marker *, struct append *a);

/* A transaction that was aborted: the offsets of its first record here, and of its marker. */
struct aborted {
	int64_t producer_id, first, last;
};

/*
 * The aborted transactions that have records at offsets from `from` up to before
 * `to`, in the order of their markers.  Allocated for the caller: free(); NULL when
 * there are none.
 */
size_t partition_aborted(struct partition *, int64_t from, int64_t to, struct aborted **out);

/* What is known of an idempotent producer (DescribeProducers). */
struct producer_description {
	int64_t id;
	int16_t epoch;
	int32_t last_sequence;   /* -1: none of this epoch */
	int64_t last_ms;         /* wall time of its last append */
	int32_t coordinator_epoch; /* of its last marker; -1: none */
	int64_t open_first;      /* first offset of the open transaction; -1: none */
};

/* The producer with this id; false: none is remembered. */
bool partition_producer(const struct partition *, int64_t id, struct producer_description *);
/* Every producer that is remembered, in no order, until `each` returns false. */
void partition_producers(const struct partition *, bool (*each)(void *ctx, const struct producer_description *),
    void *ctx);

/* One read.  The user's struct lives until done() or partition_read_cancel(). */
struct partition_read {
	/* set by the user */
	int64_t offset;
	size_t max_bytes;
	bool at_least_one;    /* a first batch above max_bytes is read all the same */
	bool committed;       /* only up to the last stable offset */
	void (*done)(struct partition_read *);
	/* the answer: whole batches, each checked */
	enum store_error error;
	uint8_t *bytes;       /* owned by the user now: free(); NULL when n is 0 */
	size_t n;
	int64_t next_offset;  /* after the last batch read; = offset when none */
	/* the partition's */
	struct job job;
	struct partition *partition;
	struct segment *segment;
	int64_t pos, expected; /* where a batch begins, and its base offset */
	bool at_batch;         /* it is the one that holds `offset` */
	bool more, passed;     /* visible records lie in segments behind; this one has none from here on */
	int64_t limit_offset;  /* batches from here on are not visible */
	int64_t file_end;
};

/*
 * Reads visible batches from the one that holds `offset`.  offset == high
 * watermark: STORE_OK and nothing.  Outside log start..log end:
 * STORE_OFFSET_OUT_OF_RANGE.  STORE_CORRUPT_MESSAGE when the batch that holds
 * it is damaged.  True: it is over; false: the disk is awaited, done() follows.
 */
bool partition_read(struct partition *, struct partition_read *);

/*
 * Visible bytes from this offset on, about; at least `enough` is all that is asked.
 * `committed`: 0 behind the last stable offset; before it, what lies behind counts, too.
 */
int64_t partition_readable(struct partition *, int64_t offset, bool committed, int64_t enough);

/* One look-up by time.  The user's struct lives until done(). */
struct partition_lookup {
	/* set by the user */
	int64_t time;         /* the first visible record with a timestamp at or after it */
	bool committed;       /* below the last stable offset */
	bool max_time;        /* instead: the first that has the largest timestamp */
	void (*done)(struct partition_lookup *);
	/* the answer */
	enum store_error error;
	int64_t offset;       /* -1: none; so are the next two then */
	int64_t timestamp;
	int32_t epoch;
	/* the partition's */
	struct job job;
	struct partition *partition;
	int64_t log_start, limit_offset; /* what can be seen, as of the beginning */
	bool measuring;       /* what the largest timestamp is */
	struct segment *segment;
	int64_t next_base;    /* it goes on with segments from here */
	struct place {
		int64_t pos, offset; /* where a batch begins, and its base offset */
		int64_t max_time;    /* the largest timestamp in the segment before it */
	} from, near_end;
	int64_t to;
};

/*
 * True: it is over; false: a thread looks, done() follows, with STORE_DISK when
 * the disk does not let it, STORE_GONE when the partition was deleted.
 */
bool partition_look_up(struct partition *, struct partition_lookup *);

/*
 * KIP-320: the largest epoch at or below `epoch`, and the offset at which it
 * ended.  Both -1 when none is known.
 */
void partition_epoch_end(const struct partition *, int32_t epoch, int32_t *found, int64_t *end);
/* The epoch of the batch that holds the offset; -1 when there is none. */
int32_t partition_epoch_at(const struct partition *, int64_t offset);

/*
 * DeleteRecords: moves the log start up to `offset` (-1: the high watermark),
 * durably: done() as for an append.  Segments below go.  STORE_OFFSET_OUT_OF_RANGE
 * beyond the high watermark.
 */
struct partition_cut {
	int64_t offset;
	void (*done)(struct partition_cut *);
	enum store_error error;
	int64_t log_start; /* STORE_OK: where it is now, which another cut may have moved further */
	struct append append; /* ours, like the next */
	struct partition *partition;
};
bool partition_cut_front(struct partition *, struct partition_cut *);

#endif
