/*
 * batch.h -- record batches of magic 2: reading the header, checking what
 * producers send, stamping what the broker owns, walking the records, taking
 * some out.
 *
 * Pure functions over bytes; any thread.  Layout: docs/storage-format.md (it
 * is Kafka's, KIP-98).
 */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "store/errors.h"

enum {
	BATCH_OVERHEAD = 12, /* base offset and length, not counted by the length field */
	BATCH_HEADER = 61,   /* bytes before the first record */
	BATCH_MAGIC = 2,
	/* What the records of a compressed batch may grow to; more is refused, so there is none. */
	BATCH_INFLATED_MAX = 64 * 1024 * 1024
};

enum batch_attributes {
	BATCH_CODEC = 0x07,
	BATCH_LOG_APPEND_TIME = 0x08,
	BATCH_TRANSACTIONAL = 0x10,
	BATCH_CONTROL = 0x20,
	BATCH_DELETE_HORIZON = 0x40
};

/* The header's fields, and the size of the whole batch. */
struct batch {
	int64_t base_offset;
	size_t size; /* the length field + BATCH_OVERHEAD */
	int32_t leader_epoch;
	uint32_t crc;
	int16_t attributes;
	int32_t last_offset_delta;
	int64_t base_timestamp, max_timestamp;
	int64_t producer_id;
	int16_t producer_epoch;
	int32_t base_sequence;
	int32_t count;
};

static inline int64_t
batch_last_offset(const struct batch *b)
{
	return b->base_offset + b->last_offset_delta;
}

/*
 * Reads the header at the start of the bytes.  False when there are fewer than
 * BATCH_HEADER, the magic is another, or the length can't be one.  The size
 * may be beyond the bytes at hand.
 */
bool batch_header(struct batch *, struct span bytes);

/* The same of what may be damaged: whatever its magic is. */
bool batch_claims(struct batch *, struct span bytes);

/* Whether the checksum of a whole batch (b->size bytes at p) is right. */
bool batch_crc_ok(const struct batch *, const uint8_t *p);

/* What a partition demands of the batches that it takes. */
struct batch_rules {
	int32_t max_bytes;          /* max.message.bytes */
	int32_t segment_bytes;
	bool keyed;                 /* compacted: each record needs a key */
	bool zstd_allowed;          /* the request's version knows zstd */
	size_t inflated_max;        /* up to where compressed records are looked into */
	bool log_append_time;
	int64_t now_ms;
	int64_t before_max_ms, after_max_ms; /* bounds of CreateTime */
};

/*
 * Checks the one batch that a producer sent for a partition, in Kafka's order:
 * first what its header says, then its records, which are inflated for it
 * (docs/decisions/0007).  `bad_record` becomes the index of the record at fault, or -1
 * when the batch as a whole is.  out->max_timestamp becomes the largest time of
 * a record, whatever the header says.  STORE_MESSAGE_TOO_LARGE also when the
 * records are larger than rules->inflated_max.
 */
enum store_error batch_check(struct span sent, const struct batch_rules *,
    struct batch *out, int32_t *bad_record);

/* Whether the records are compressed. */
bool batch_is_compressed(const struct batch *);

/* Sets what the broker owns and no checksum covers.  Not b's fields. */
void batch_stamp(uint8_t *batch, int64_t base_offset, int32_t leader_epoch);

/* The largest timestamp as the header says it. */
int64_t batch_max_time(const uint8_t *batch);
/* Sets the largest timestamp, which producers may get wrong, and the checksum. */
void batch_stamp_max_time(uint8_t *batch, size_t size, int64_t max_timestamp);

/* Sets LogAppendTime: the flag, the largest timestamp, the checksum; the records' own times stay. */
void batch_stamp_time(uint8_t *batch, size_t size, int64_t now_ms);

/* One record; the spans are views into the walked bytes. */
struct record {
	int64_t offset;
	int64_t timestamp;
	struct span key, value; /* p NULL: null */
	struct span headers;    /* as encoded, with their count */
	int64_t created;        /* the time that it came with; LogAppendTime does not touch it */
	uint8_t attributes;
	struct span tail;       /* as encoded, from its offset on */
};

/* The records of a batch, one after the other. */
struct record_walk {
	struct batch batch;
	struct span all;
	struct span rest;     /* of it, not walked yet */
	struct buf inflated;  /* owned: the records of a compressed batch */
	int32_t index;
	bool broken;          /* the records can't be read to the end */
	bool too_large;       /* because they are larger than was allowed */
};

/*
 * Begins a walk of records that take up to so many bytes; the batch is borrowed
 * until record_done().
 */
void record_walk(struct record_walk *, const struct batch *, const uint8_t *p, size_t inflated_max);
/* Begins again, where the records could be had. */
void record_rewind(struct record_walk *);
/* The next record; false at the end or when broken. */
bool record_next(struct record_walk *, struct record *);
void record_done(struct record_walk *);

/*
 * A control batch (KIP-98): the marker that ends a transaction.  False when the
 * batch is none that we know.
 */
struct batch_marker {
	int64_t producer_id;
	int16_t producer_epoch;
	bool commit;              /* else: abort */
	int32_t coordinator_epoch;
};
bool batch_marker_read(struct batch_marker *, const struct batch *, const uint8_t *p);
/* Appends a whole batch; base offset and leader epoch are 0.  to->failed: no memory. */
void batch_marker_write(const struct batch_marker *, int64_t timestamp_ms, struct buf *to);

/* Building batches: for what the daemon writes itself. */
struct batch_builder {
	struct buf bytes; /* owned; a whole batch after batch_finish() */
	int64_t timestamp;
	int32_t count;
};

void batch_begin(struct batch_builder *, int64_t timestamp_ms);
/* A null value is a tombstone. */
void batch_add(struct batch_builder *, struct span key, struct span value);
/* Fills the header in; base offset and epoch are 0.  b->bytes.failed: no memory. */
void batch_finish(struct batch_builder *);

/*
 * Taking records out of a batch: for compaction.  What is left keeps its offsets, its
 * producer and its sequences, as the protocol has it of compacted logs.
 */
struct batch_rewrite {
	bool (*keep)(void *ctx, const struct record *); /* asked twice of a record: no effects */
	void *ctx;
	/* KIP-534: when the tombstones (or the marker) that it keeps may go; where it says so already, that holds. */
	int64_t horizon;
};

enum batch_rewritten {
	BATCH_SAME,    /* all stays as it is: nothing was appended */
	BATCH_CHANGED, /* what is left was appended, compressed as before */
	BATCH_EMPTY,   /* no record is left: nothing was appended */
	BATCH_BROKEN   /* its records can't be read (or there is no memory) */
};

/* `p`: a whole batch whose checksum is right. */
enum batch_rewritten batch_rewrite(const struct batch *, const uint8_t *p, const struct batch_rewrite *,
    struct buf *to);

/* When its tombstones, or its marker, may go; INT64_MAX: nothing says so yet. */
int64_t batch_horizon(const struct batch *);

/*
 * Appends a batch without records, for offsets whose records are gone.  With `of`, it
 * keeps that batch's place in its producer's sequence.
 */
void batch_put_empty(struct buf *to, int64_t base_offset, int64_t last_offset, int32_t leader_epoch,
    const struct batch *of);

#endif
