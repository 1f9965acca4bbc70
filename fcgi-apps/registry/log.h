/*
 * log.h -- the topic `_schemas`: replayed at the start, followed, and written to.  The
 * registry's only user of librdkafka.
 *
 * A thread of its own reads the topic from its beginning and hands every record to the
 * apply function, in order.  Writers wait until their records have come back that way, so
 * that what a client was told is what this process knows.
 */
#ifndef REGISTRY_LOG_H
#define REGISTRY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
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
	int timeout_ms;         /* of a write, with its way back */
	int init_timeout_ms;    /* to reach the broker and the topic's end at the start */
};

/* Called by the log's thread for every record; value null: a tombstone. */
typedef void log_apply(void *ctx, int64_t offset, int64_t timestamp_ms, struct span key, struct span value);

/*
 * Connects, makes the topic where there is none (a writer does), checks that it has one
 * partition and is compacted, and begins to read.  Returns when all that was in it has been
 * applied; NULL after a line of what is wrong in the log.  Owned: log_close().
 */
struct log *log_open(const struct log_settings *, log_apply *, void *ctx);
void log_close(struct log *);

/*
 * Waits until all that stood in the topic when this was called has been applied; one look
 * at the topic's end serves all who wait.  False when the broker can't be asked, or time is up.
 */
bool log_catch_up(struct log *, int timeout_ms);

struct log_write {
	struct span key, value; /* value null: a tombstone */
};

enum log_result {
	LOG_WRITTEN,   /* acknowledged with acks=all, and applied here */
	LOG_TOO_LARGE, /* refused by its size; nothing of it was written */
	LOG_TIMED_OUT, /* nobody knows: it may be written, and may still come */
	LOG_FAILED,    /* refused; what came before it of the same call may be written */
	LOG_NO_WRITER  /* this process does not write */
};

/*
 * Writes records in this order and waits until they have been applied.  One thread at a time.
 * After LOG_TIMED_OUT and LOG_FAILED, log_settle() makes sure that nothing of the old write can still arrive: a
 * writer calls it before it looks at the state to plan a write.
 */
enum log_result log_write(struct log *, const struct log_write *, size_t n);

/* See there; LOG_WRITTEN when nothing is in doubt any more. */
enum log_result log_settle(struct log *);

/* The offset behind the last record that was applied.  Any thread. */
int64_t log_applied(struct log *);

/* The cluster's id, or "" where the broker has none.  Borrowed for the log's life. */
const char *log_cluster_id(struct log *);

#endif
