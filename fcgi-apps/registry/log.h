/*
 * log.h -- the topic `_schemas`: replayed at the start, followed, and written to.  The
 * registry's only user of librdkafka.
 *
 * A thread of its own reads the topic from its beginning and hands every committed record to the
 * apply function, in order.  Writers wait until their records have come back that way, so
 * that what a client was told is what this process knows.
 *
 * Of all processes that share a topic one writes at a time.  It holds a transactional id, so that whoever
 * takes it over fences the one before by the protocol itself (KIP-98).
 */
#ifndef REGISTRY_LOG_H
#define REGISTRY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct log;

/* A setting of librdkafka's, handed through. */
struct log_property {
	const char *key, *value;
};

struct log_settings {
	const struct log_property *properties;
	size_t n_properties;
	const char *topic;
	int replication_factor; /* of a topic that is made; no more than there are brokers */
	bool writer;            /* whether this process may write */
	const char *group;      /* in which Confluent's registries elect who writes: as long as it has members, nothing is written */
	bool take_over;         /* ... but it is */
	int timeout_ms;         /* of a write, with its way back */
	int init_timeout_ms;    /* to reach the broker and the topic's end: at the start, and to become the one that writes */
};

/* Called by the log's thread for every committed record; value null: a tombstone. */
typedef void log_apply(void *ctx, int64_t offset, int64_t timestamp_ms, struct span key, struct span value);

/*
 * Called by log_lead() for every record of the topic whose transaction was aborted, in order: whoever reads
 * uncommitted records takes it for true.  `last`: no committed record of its key stands behind it.
 */
typedef void log_aborted(void *ctx, struct span key, struct span value, bool last);

/*
 * Connects, makes the topic where there is none (a writer does), checks that it has one
 * partition and is compacted, and begins to read.  Returns when all that was in it has been
 * applied; NULL after a line of what is wrong in the log.  Owned: log_close().
 */
struct log *log_open(const struct log_settings *, log_apply *, log_aborted *, void *ctx);
void log_close(struct log *);

/*
 * Waits until all that was committed when this was called has been applied; one look
 * at the topic's end serves all who wait.  False when the broker can't be asked, or time is up.
 */
bool log_catch_up(struct log *, int timeout_ms);

/*
 * NULL, or why what was read can't be trusted any more: the topic was truncated, deleted or made anew behind
 * our back.  Constant; it stays so until the process is started again.  Any thread.
 */
const char *log_fault(struct log *);

enum log_result {
	LOG_WRITTEN,   /* committed with acks=all, and applied here; of log_lead(): this process writes */
	LOG_TOO_LARGE, /* refused by its size; nothing was written */
	LOG_TIMED_OUT, /* nobody knows: it may have been written; what is in the topic tells after the next log_lead() */
	LOG_FENCED,    /* the same, since another process has become the one that writes */
	LOG_FAILED,    /* refused; nothing was written */
	LOG_FOREIGN    /* Confluent's registries write */
};

/*
 * Becomes the process that writes, unless it is.  To be called before the state is looked at to plan a write: it
 * fences who wrote before, applies all that is committed, and tells of what was aborted.  One thread at a time, of a
 * process that may write.
 */
enum log_result log_lead(struct log *);

struct log_write {
	struct span key, value; /* value null: a tombstone */
};

/* Writes records, all or none, in this order, and waits until they have been applied.  After log_lead(), by its thread. */
enum log_result log_write(struct log *, const struct log_write *, size_t n);

/* The offset behind the last record that was applied.  Any thread. */
int64_t log_applied(struct log *);

/* The cluster's id, or "" where the broker has none.  Borrowed for the log's life. */
const char *log_cluster_id(struct log *);

/* For those who watch.  Any thread. */
struct log_counts {
	bool leads;            /* this process wrote last, and knows of no other since */
	uint64_t takeovers;    /* how often it became the one that writes */
	uint64_t transactions; /* committed by it */
	uint64_t aborted;      /* records found whose transaction was aborted */
};
struct log_counts log_counts(struct log *);

#endif
