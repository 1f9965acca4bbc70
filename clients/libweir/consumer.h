/*
 * consumer.h -- reads records from Kafka, as a member of a group or alone.
 *
 * One thread at a time uses a consumer; different consumers are independent.
 */
#ifndef LIBWEIR_CONSUMER_H
#define LIBWEIR_CONSUMER_H

#include "base/arena.h"
#include "libweir/client.h"

struct weir_consumer;

struct weir_message {
	const char *topic;
	int32_t partition;
	int64_t offset;
	int64_t timestamp_ms; /* -1: none */
	struct span key, value; /* null: none */
	void *handle;         /* the library's */
};

/*
 * Makes a consumer; the settings must have group.id.  Unless they say otherwise:
 * enable.auto.commit=true, auto.offset.reset=latest, as Java's client.  Owned; NULL with
 * `why` filled.
 */
struct weir_consumer *weir_consumer_new(const struct weir_setting *, size_t n, struct weir_error *why);

/* Commits (where enable.auto.commit is on), leaves the group, ends.  Where no broker answers it goes on with that by itself after 5 s. */
void weir_consumer_free(struct weir_consumer *);

/*
 * Subscribes to topics, or to all whose whole names match a pattern of Java's (base/pattern.h; what it
 * does not take, as \1, is WEIR_INVALID).  In place of what was
 * subscribed; the same again changes nothing.  WEIR_ILLEGAL_STATE after weir_assign().
 * False with `why` filled.
 */
bool weir_subscribe(struct weir_consumer *, const char *const *topics, size_t n, struct weir_error *why);
bool weir_subscribe_pattern(struct weir_consumer *, const char *pattern, struct weir_error *why);
bool weir_unsubscribe(struct weir_consumer *, struct weir_error *why); /* also ends an assignment */

/* The topics subscribed to: for a pattern, those that match it now.  Arena; false: no memory. */
bool weir_subscription(struct weir_consumer *, struct arena *, const char ***topics, size_t *n);

/*
 * Reads these partitions, without the group giving them out; WEIR_ILLEGAL_STATE after weir_subscribe().
 * Asks the broker, and refuses those that it does not have (WEIR_UNKNOWN_TOPIC, WEIR_UNKNOWN_PARTITION).
 */
bool weir_assign(struct weir_consumer *, const struct weir_offset *, size_t n, struct weir_error *why);

/* The partitions that are read now.  Arena. */
bool weir_assignment(struct weir_consumer *, struct arena *, struct weir_offset **out, size_t *n);

/*
 * Goes on reading at this offset, or at WEIR_BEGINNING, WEIR_END; what was fetched ahead is
 * dropped.  WEIR_ILLEGAL_STATE: the partition is not assigned ("No current assignment for partition t-0").
 */
bool weir_seek(struct weir_consumer *, const char *topic, int32_t partition, int64_t offset,
    struct weir_error *why);

/*
 * For each partition (topic, partition), the first offset whose record has at least the timestamp that
 * stands in its `offset`, put in its place; WEIR_END where there is none.
 */
bool weir_offsets_for_times(struct weir_consumer *, struct weir_offset *, size_t n, int timeout_ms,
    struct weir_error *why);

/*
 * The next record, waiting up to `timeout_ms` (0: not at all): 1; 0: none in time; -1 with `why`
 * filled: an error that a caller should see (not authorised, fatal; WEIR_ILLEGAL_STATE: nothing
 * is subscribed to or assigned).  What passes by itself is
 * not reported.  The message is borrowed until weir_message_done().
 */
int weir_poll(struct weir_consumer *, int timeout_ms, struct weir_message *out, struct weir_error *why);

/* Ends a message. */
void weir_message_done(struct weir_message *);

/*
 * Or gives the one that weir_poll() gave last back: the next weir_poll() gives it again, unless its partition
 * is read from elsewhere, or by somebody else, then.
 */
void weir_message_return(struct weir_consumer *, struct weir_message *);

/*
 * All messages that were given have reached whom they are for: the commits that enable.auto.commit makes go
 * past them.  Or they have not: those since the last weir_consumed() come again, of partitions that are still
 * assigned; false with `why` filled.
 */
void weir_consumed(struct weir_consumer *);
bool weir_rewind(struct weir_consumer *, struct weir_error *why);

/*
 * Commits these offsets (the next to be read, not the last read), or, with n == 0, those of the next
 * messages of all that is assigned, also where more was committed before; waits for the broker's answer.
 * Of a subscription, only what the group has given this consumer and left with it since its last message:
 * WEIR_RETRIABLE once where the group has shared anew meanwhile, as messages come again then from what was committed
 * before, here or elsewhere; and of what is another's now.
 */
bool weir_commit(struct weir_consumer *, const struct weir_offset *, size_t n, struct weir_error *why);

/* Fills in what is committed: offset (WEIR_NO_OFFSET: nothing is) and metadata (arena). */
bool weir_committed(struct weir_consumer *, struct arena *, struct weir_offset *, size_t n, int timeout_ms,
    struct weir_error *why);

#endif
