/*
 * fetch_sessions.h -- fetch sessions (KIP-227): what a consumer fetches, kept
 * between its requests.
 *
 * The first fetch of a session names all partitions, and is answered whole.
 * Those that follow name what has changed, and are answered with what has
 * changed.  A session is no connection's: who knows its id and its epoch, which
 * each request counts up, goes on with it.
 *
 * There are as many sessions as max.incremental.fetch.session.cache.slots says.
 * When these are taken, as in Apache Kafka, a new one takes the place of
 *
 *	the one that was unused for longest, if that is over 2 minutes; else
 *	the smallest of those that were over 2 minutes old when they were used
 *	last, if the new one has more partitions;
 *
 * or there is none, and the client goes on without.  Kafka bounds no more; here a
 * session has at most FETCH_SESSION_PARTITIONS_MAX partitions, and all of them
 * together take at most FETCH_SESSIONS_BYTES_MAX of memory, which counts as slots
 * do.  A session that would grow beyond either is closed.
 *
 * Pure: knows no topics and no clock.  `fetch` of a session, and `topic` and
 * `as_of` of a topic, are the user's (fetch.c).
 */
#ifndef API_FETCH_SESSIONS_H
#define API_FETCH_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "wire/errors.h"
#include "wire/kafka_wire.h"

enum {
	FETCH_SESSION_PARTITIONS_MAX = 50000,
	FETCH_SESSIONS_BYTES_MAX = 64 * 1024 * 1024, /* some 300,000 partitions */
	FETCH_SESSION_UNUSED_MS = 120000
};

struct topic;

/* A topic as a fetch names it, and what was found under that. */
struct fetched_topic {
	struct span name;       /* by id: null, until fetch_session_name() */
	uint8_t id[16];         /* by name: zero */
	/* the user's, zeroed at first */
	struct topic *topic;
	uint64_t as_of;
	/* of a session */
	size_t n_partitions;
};

struct fetched_partition {
	struct list link;       /* fetch_session.partitions */
	struct fetched_partition_key {
		struct fetched_topic *topic;
		int32_t number;
	} key;
	struct wire_fetch_request_partition asked; /* as it was named last */
	int64_t high_watermark, last_stable_offset, log_start_offset; /* as answered last; -1 */
};

struct fetch_session {
	int32_t id, epoch;      /* the epoch that the next request has */
	bool by_id;             /* topics are named by their ids, else by their names */
	struct list partitions; /* in the order in which they are fetched */
	void *fetch;            /* the user's: what holds it, see fetch_session_hold() */
	/* ours */
	struct map by_key, topics;
	struct fetched_topic *last; /* named last, or NULL */
	size_t name_bytes, bytes;
	int64_t created_ms, used_ms;
	struct list use;        /* fetch_sessions.by_use */
	struct heap_node evictable; /* fetch_sessions.by_size */
	bool closed;
};

struct fetch_sessions {
	struct map by_id;
	struct list by_use;     /* the one unused for longest first */
	struct heap by_size;    /* those that a larger one may evict */
	size_t n_partitions, bytes; /* of all */
	uint64_t n_evicted;
	uint64_t random;
	/* A session that `fetch` holds is closed: it should not be held for long. */
	void (*closed)(void *fetch);
};

/* The ids that it gives follow from the seed. */
void fetch_sessions_init(struct fetch_sessions *, uint64_t seed, void (*closed)(void *fetch));
/* None may be held. */
void fetch_sessions_done(struct fetch_sessions *);

/* Whether the request is of a session that is there: not full, and not without one. */
bool fetch_session_is_incremental(const struct wire_fetch_request *);

/* Closes the session of that id, if there is one. */
void fetch_sessions_close(struct fetch_sessions *, int32_t id);

/*
 * The session of an incremental request: KAFKA_NONE, or FETCH_SESSION_ID_NOT_FOUND,
 * INVALID_FETCH_SESSION_EPOCH or FETCH_SESSION_TOPIC_ID_ERROR.
 */
enum kafka_error fetch_sessions_find(struct fetch_sessions *, const struct wire_fetch_request *,
    bool by_id, struct fetch_session **);

/*
 * Takes up what the request names, and counts up the epoch.  Nobody may hold the
 * session.  KAFKA_NONE, with *session as it was, or NULL: no partition is left, it
 * is closed, and the request is to be answered as one without a session.
 * FETCH_SESSION_ID_NOT_FOUND: it would be too large, and is closed.
 */
enum kafka_error fetch_session_update(struct fetch_sessions *, struct fetch_session **session,
    const struct wire_fetch_request *, int64_t now_ms);

/*
 * A new session for what a full request has named, of which `slots` others may be
 * there: with fetch_session_put() for each partition, it is made.  NULL: there is
 * no place for it.
 */
struct fetch_session *fetch_sessions_new(struct fetch_sessions *, const struct wire_fetch_request *,
    bool by_id, size_t slots, int64_t now_ms);

/*
 * The partition of the topic of that name or id, as it is asked for from now on.
 * NULL: the session is too large; close it.
 */
struct fetched_partition *fetch_session_put(struct fetch_sessions *, struct fetch_session *,
    struct span name, const uint8_t id[16], const struct wire_fetch_request_partition *);

/* Notes the name of a topic that the session knows by its id (copied). */
void fetch_session_name(struct fetch_sessions *, struct fetch_session *, struct fetched_topic *, struct span name);

/*
 * What is held lives until it is let go, also when the session is closed
 * meanwhile.  One at a time holds it.
 */
void fetch_session_hold(struct fetch_session *, void *fetch);
void fetch_session_let_go(struct fetch_session *);

/*
 * Notes what is answered of a partition; whether the client does not know it yet:
 * records, errors, another high watermark or log start, and, for one that reads
 * what is `committed`, another last stable offset.
 */
bool fetch_session_answer(struct fetched_partition *, const struct wire_fetch_response_partition *,
    bool committed);

/* It has had records: the others come first next time. */
void fetch_session_to_end(struct fetch_session *, struct fetched_partition *);

#endif
