/*
 * fetch_internal.h -- a fetch that is under way, between the files that it is made of:
 *
 *	fetch.c             the request: its partitions, waiting, the end
 *	fetch_partition.c   one partition of it is read
 *	fetch_incremental.c sessions: what they keep is read, what has changed is answered
 */
#ifndef API_FETCH_INTERNAL_H
#define API_FETCH_INTERNAL_H

#include "api/fetch.h"
#include "api/request.h"

struct fetch {
	struct request *request;
	struct wire_fetch_response response;
	struct wire_fetch_response_partition blank; /* an answer with its defaults */
	struct slot *slots;   /* one for each partition, in order; owned */
	size_t n_slots, next; /* next: to be read */
	int64_t bytes;        /* read so far, counted in api.fetch_bytes, too */
	bool any_error, read_one;
	bool by_id;           /* topics are named by their ids */
	bool begins;          /* a session, when it is answered */
	struct fetch_session *session; /* held; NULL: the request names all */
	struct wire_fetch_response_partition *answers; /* of a session's slots; owned */
	bool parked, reading; /* waits for data; for the disk */
	int64_t deadline_ms;
	struct timer timer;
	struct list woken;    /* api.woken, when there is something new */
};

struct slot {
	struct fetch *fetch;
	struct fetched_topic *topic;
	const struct wire_fetch_request_partition *asked;
	struct wire_fetch_response_partition *answer;
	struct fetched_partition *kept; /* the session's */
	struct partition_read read;
	struct list waiting;  /* topic_partition.waiters, while parked */
	bool repeated;        /* the request has named it before */
	bool told;            /* of a session's: the client is to know it */
};

/* ---- fetch.c ---- */

/* Reads what is left to be read, and then answers or waits. */
void fetch_go_on(struct fetch *);
/* Ends it: nothing of what it asks for is answered. */
void fetch_refuse(struct fetch *, enum kafka_error);
/* One more partition to be read, for which there is room in f->slots. */
struct slot *fetch_add_slot(struct fetch *, struct fetched_topic *, const struct wire_fetch_request_partition *asked,
    struct wire_fetch_response_partition *answer);

/* ---- fetch_partition.c ---- */

/* Reads one partition into its answer.  False: the disk is awaited, fetch_go_on() follows. */
bool fetch_read(struct slot *);
/* The topic, or NULL.  What is found is kept as long as no topic comes or goes, in a session's topic over many fetches. */
struct topic *fetch_find(const struct fetch *, struct fetched_topic *);
struct topic_partition *fetch_partition(const struct slot *); /* or NULL */
bool fetch_committed_only(const struct fetch *);
/* How much of a partition can be read now, about, up to `want`; `want`, too, when there is something to be told of it. */
int64_t fetch_readable(const struct slot *, int64_t want);
/* How much it is to have read to be answered at once. */
int64_t fetch_min_bytes(const struct fetch *);
/* So much more (or less) is read for answers. */
void fetch_count_bytes(struct fetch *, int64_t n);

/* ---- fetch_incremental.c ---- */

/* What the request says of sessions, of its own (f->session, or f->begins) or of another that it ends. */
enum kafka_error fetch_open_session(struct fetch *);
/* The partitions to be read are those that the session has. */
void fetch_add_kept(struct fetch *);
/* What is answered, of all that a session has: what has changed for the client. */
void fetch_fill_changed(struct fetch *);
/* Begins one, which knows what this answer says.  Without a place for it, there is none. */
void fetch_begin_session(struct fetch *);

#endif
