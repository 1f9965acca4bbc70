/*
 * compact.h -- one pass of compaction over closed segments of a partition: of each
 * key the newest record stays.
 *
 * The pass runs on a thread.  All that it needs it is given, and its outcome is
 * new segments whose files are complete and durable, and tell by their names which
 * they replace (docs/storage-format.md).  It looks at nothing that may change.
 *
 *  1. The keys of what is dirty are mapped to their newest offsets.
 *  2. All is written anew, from the front, up to where the keys are mapped.
 *
 * Files come to be in the order of their offsets.  So whatever a cut leaves, what
 * made a record superfluous never goes before that record: no tombstone before
 * what it deletes, no marker before the records of its transaction.
 */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aborted;
struct partition;
struct segment;

/* A closed segment, as it is. */
struct compact_input {
	struct segment *segment; /* pinned; only its path is asked for */
	int64_t base, end, size, begun_ms;
	int32_t epoch;
	uint32_t generation;
};

/* What takes the place of some inputs that follow each other. */
struct compact_output {
	size_t first, n;
	struct segment *segment; /* new, in memory only */
};

enum compact_outcome {
	COMPACT_DONE,
	COMPACT_STOPPED,  /* it was told to */
	COMPACT_DAMAGED,  /* the input at `failed` can't be read whole */
	COMPACT_TOO_MANY, /* the first dirty segment alone has more keys than the memory */
	COMPACT_FAILED    /* errno is in `error` */
};

struct compaction {
	/* what it is given; arrays are owned */
	struct partition *partition; /* for names */
	struct compact_input *inputs;
	size_t n, dirty;             /* from `dirty` on, keys are not known to be the newest */
	int64_t now_ms, delete_retention_ms;
	int64_t segment_bytes;       /* neighbours become one up to this size */
	int64_t map_bytes;
	int64_t *last_batches;       /* base offsets of the last batch of each producer that is remembered */
	size_t n_last;
	struct aborted *aborted;     /* those that have records here */
	size_t n_aborted;
	atomic_bool stop;            /* any thread */
	/* its outcome; outputs are there however it ended */
	struct compact_output *outputs; /* owned; their segments are the taker's */
	size_t n_outputs;
	enum compact_outcome outcome;
	size_t failed;
	int error;
	int64_t read_bytes, written_bytes;
};

/* Any thread; it takes as long as reading and writing take. */
void compact_run(struct compaction *);
/* Frees the arrays. */
void compact_done(struct compaction *);

#endif
