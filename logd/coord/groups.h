/*
 * groups.h -- consumer groups: who is a member, of which generation, with
 * which assignment (the classic group protocol).  Groups of the newer protocol
 * are in the same table; what is theirs alone is in consumer_groups.h.
 *
 * Pure: a call is an event with the time it happened; what follows from it is
 * its return value and a queue of answers, which the caller drains with
 * groups_next_effect() after every call.  No clock, no I/O, one thread.
 *
 *                first join
 *       Empty ------------------> PreparingRebalance <----------------+
 *         ^                         |          ^                      |
 *         |  nobody is left         |          | a join that changes  |
 *         +-------------------------+          | something, a leave,  |
 *                   all are in, or  |          | an expiry            |
 *                   time is up      v          |                      |
 *                               CompletingRebalance ---> Stable ------+
 *                                        the leader's sync
 *       Dead: from Empty, when deleted, or when it holds no offsets any more.
 *
 * A join waits until all known members have joined (or the longest rebalance
 * timeout of the members is over): then the generation rises by one, one
 * protocol is chosen, and all joins are answered.  A sync waits for that of
 * the leader, which brings the assignments.  Metadata and assignments are
 * opaque, so that cooperative rebalancing needs nothing here.
 *
 * Requests.  One that may have to wait is named by a token, any pointer that
 * is not NULL and names no other waiting request.  Each token is answered by
 * exactly one effect, at once or later, unless groups_forget() is called for
 * it first.  A request that its member sends again is answered with
 * GROUP_REBALANCE_IN_PROGRESS, and the new one waits in its place.
 *
 * Static members (with an instance id) that join with no member id take the
 * place of their old self, which is fenced from then on.  In a Stable group
 * they go on with the old assignment, without a rebalance, unless the choice
 * of the protocol or, of consumers, the topics would change.
 *
 * What is kept.  Membership lives in memory only; offsets are the caller's.
 * After a restart every member is unknown: its heartbeat gets
 * GROUP_UNKNOWN_MEMBER_ID, it joins anew, and goes on from the offsets.  The
 * caller says which groups hold offsets (groups_note_offsets(): at the start
 * for each, then when a group's first offset appears and when its last one
 * goes), so that groups that only hold offsets are listed, described and
 * deleted like all others: they are Empty, of protocol type "".
 *
 * Limits of ours, beside those of the configuration: see the constants.
 *
 * Spans in requests are borrowed for the call; a null span (p == NULL) is the
 * protocol's null.  All functions take time as monotonic milliseconds.
 */
#ifndef COORD_GROUPS_H
#define COORD_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
	/* A longer group id is refused with GROUP_INVALID_GROUP_ID. */
	GROUP_ID_MAX_BYTES = 255,
	/* More protocols in one join are refused with GROUP_INVALID_REQUEST. */
	GROUP_PROTOCOLS_MAX = 100,
	/* Names and metadata of a join's protocols together: with more it is
	   refused with GROUP_INVALID_REQUEST.  Apache Kafka's bound is a
	   message of 1 MB for a whole group. */
	GROUP_PROTOCOLS_MAX_BYTES = 1 << 20,
	/* A member's assignment: the sync of a leader that has a larger one is
	   refused with GROUP_INVALID_REQUEST. */
	GROUP_ASSIGNMENT_MAX_BYTES = 1 << 20,
	/* What all members of all groups take (groups_bytes()): a join or sync
	   that would take more gets GROUP_COORDINATOR_NOT_AVAILABLE, and is
	   retried by clients; one that takes no more than before does not. */
	GROUPS_MAX_BYTES = 256 << 20,
	/* Member ids that were given out and not used yet, per group: beyond it
	   the oldest is dropped, and its client has to ask again. */
	GROUP_PENDING_MAX = 1000,
	/* Beyond it a new group takes the place of one that has neither
	   members nor offsets; when there is none, a join or commit gets
	   GROUP_COORDINATOR_NOT_AVAILABLE, and is retried by clients. */
	GROUPS_MAX = 100000,
	/* A group that lost its last member and holds no offsets stays
	   visible, as Empty, for this time. */
	GROUP_LINGER_MS = 600000,
	/* What of a client id or an instance id goes into member ids. */
	GROUP_ID_PREFIX_MAX_BYTES = 255,
	GROUP_RANDOM_BYTES = 16
};

/* Kafka's error codes. */
enum group_error {
	GROUP_OK = 0,
	GROUP_COORDINATOR_NOT_AVAILABLE = 15,
	GROUP_NOT_COORDINATOR = 16,
	GROUP_ILLEGAL_GENERATION = 22,
	GROUP_INCONSISTENT_PROTOCOL = 23,
	GROUP_INVALID_GROUP_ID = 24,
	GROUP_UNKNOWN_MEMBER_ID = 25,
	GROUP_INVALID_SESSION_TIMEOUT = 26,
	GROUP_REBALANCE_IN_PROGRESS = 27,
	GROUP_UNSUPPORTED_VERSION = 35,
	GROUP_INVALID_REQUEST = 42,
	GROUP_NON_EMPTY = 68,
	GROUP_ID_NOT_FOUND = 69,
	GROUP_MEMBER_ID_REQUIRED = 79,
	GROUP_MAX_SIZE_REACHED = 81,
	GROUP_FENCED_INSTANCE_ID = 82,
	GROUP_SUBSCRIBED_TO_TOPIC = 86,
	GROUP_FENCED_MEMBER_EPOCH = 110,
	GROUP_UNRELEASED_INSTANCE_ID = 111,
	GROUP_UNSUPPORTED_ASSIGNOR = 112,
	GROUP_STALE_MEMBER_EPOCH = 113,
	GROUP_INVALID_REGULAR_EXPRESSION = 128
};

enum group_state {
	GROUP_EMPTY,
	GROUP_PREPARING,
	GROUP_COMPLETING,
	GROUP_ASSIGNING,   /* these two: see consumer_groups.h */
	GROUP_RECONCILING,
	GROUP_STABLE,
	GROUP_DEAD
};

struct groups_config {
	int32_t min_session_timeout_ms;     /* group.min.session.timeout.ms, > 0 */
	int32_t max_session_timeout_ms;     /* group.max.session.timeout.ms */
	int32_t initial_rebalance_delay_ms; /* group.initial.rebalance.delay.ms;
	                                       0: the first join is answered at once */
	int32_t max_size;                   /* group.max.size, > 0; INT32_MAX: any */
	int32_t consumer_session_timeout_ms;    /* group.consumer.session.timeout.ms, > 0 */
	int32_t consumer_heartbeat_interval_ms; /* group.consumer.heartbeat.interval.ms, > 0 */
	int32_t consumer_max_size;              /* group.consumer.max.size, as max_size */
};

struct groups;

/* Owned.  The configuration is copied. */
struct groups *groups_new(const struct groups_config *);

/* Takes up other settings; what was granted under the old ones stays. */
void groups_configure(struct groups *, const struct groups_config *);

/* Requests that still wait are not answered. */
void groups_free(struct groups *);

/* ---- what happens to members ---- */

struct group_protocol {
	struct span name, metadata;
};

struct group_join {
	struct span group_id;
	struct span member_id;   /* empty: not a member yet */
	struct span instance_id; /* null: a dynamic member */
	struct span client_id, client_host;
	struct span protocol_type;
	const struct group_protocol *protocols; /* in the order of preference */
	size_t n_protocols;
	int32_t session_timeout_ms;
	int32_t rebalance_timeout_ms; /* <= 0 (v0: -1): the session timeout */
	bool requires_member_id;      /* v4+: first GROUP_MEMBER_ID_REQUIRED */
	bool skip_assignment_known;   /* v9+ */
	uint8_t random[GROUP_RANDOM_BYTES]; /* a new member id is made of it */
};

struct group_sync {
	struct span group_id, member_id, instance_id;
	int32_t generation;
	struct span protocol_type, protocol_name; /* v5+; null: not checked */
	const struct group_assignment {
		struct span member_id, assignment;
	} *assignments; /* the leader's; of unknown members: ignored */
	size_t n_assignments;
};

struct group_heartbeat {
	struct span group_id, member_id, instance_id;
	int32_t generation;
};

/* One member that leaves.  With an instance id, the member id may be empty:
   an administrator removes a static member. */
struct group_leave {
	struct span member_id, instance_id;
	enum group_error error; /* out */
};

struct group_commit {
	struct span group_id, member_id, instance_id;
	int32_t generation;         /* or epoch; -1: the group is not managed here */
	bool transactional;         /* TxnOffsetCommit */
	bool group_not_found_known; /* OffsetCommit v9+, as is a stale epoch */
};

/* Both are answered by one effect of their type for the token. */
void groups_join(struct groups *, const struct group_join *, void *token,
    int64_t now_ms);
void groups_sync(struct groups *, const struct group_sync *, void *token,
    int64_t now_ms);

enum group_error groups_heartbeat(struct groups *,
    const struct group_heartbeat *, int64_t now_ms);

/*
 * Sets the error of each element.  The return value is that of the request as
 * a whole: GROUP_OK or GROUP_INVALID_GROUP_ID.
 */
enum group_error groups_leave(struct groups *, struct span group_id,
    struct group_leave *leaving, size_t n, int64_t now_ms);

/*
 * Whether offsets may be committed; on GROUP_OK the member's session starts
 * anew.  Creates nothing, but sees that there is room: when the offsets are
 * stored and are the first of their group, the caller says so with
 * groups_note_offsets(), before any other event.
 */
enum group_error groups_commit_check(struct groups *,
    const struct group_commit *, int64_t now_ms);

/*
 * The connection of a waiting request is gone: it will not be answered.  The
 * member stays, as in Kafka; its client may join again, or time removes it.
 * Nothing happens for a token that does not wait.
 */
void groups_forget(struct groups *, void *token);

/* ---- time ---- */

/* Lets everything happen that is due. */
void groups_tick(struct groups *, int64_t now_ms);

/*
 * When groups_tick() should be called next; INT64_MAX: never.  May be earlier
 * than the next event (heartbeats don't move it), never later.  It changes
 * with every call.
 */
int64_t groups_next_deadline(const struct groups *);

/* ---- answers ---- */

enum group_effect_type {
	GROUP_JOIN_ANSWER,
	GROUP_SYNC_ANSWER
};

struct group_join_member {
	struct span member_id, instance_id, metadata;
};

struct group_join_answer {
	enum group_error error;
	int32_t generation;        /* -1 with an error */
	struct span protocol_type; /* null with an error */
	struct span protocol_name; /* null with an error */
	struct span leader;        /* empty with an error */
	struct span member_id;     /* empty with an error, unless that is
	                              GROUP_MEMBER_ID_REQUIRED */
	bool skip_assignment;
	const struct group_join_member *members; /* for the leader, else none */
	size_t n_members;
};

struct group_sync_answer {
	enum group_error error;
	struct span protocol_type; /* null with an error */
	struct span protocol_name; /* null with an error */
	struct span assignment;    /* empty with an error */
};

struct group_effect {
	enum group_effect_type type;
	void *token;
	union {
		struct group_join_answer join;
		struct group_sync_answer sync;
	} u;
};

/*
 * Takes the next answer; false when there is none.  Its spans are valid until
 * this function returns false the next time: so other calls may be made while
 * the queue is drained, and their answers join it.
 */
bool groups_next_effect(struct groups *, struct group_effect *out);

/*
 * The end is near: whatever waits is answered GROUP_NOT_COORDINATOR, and so is
 * each join and sync from now on.  Clients look for the coordinator then, and
 * join anew when it is there again.
 */
void groups_close(struct groups *);

/* ---- offsets, which are the caller's ---- */

/*
 * Whether the group holds committed offsets.  Creates the group (Empty, of
 * type "") when it does and is unknown and there is room; an Empty group without is gone
 * GROUP_LINGER_MS later (or now, when it never had a generation).
 */
void groups_note_offsets(struct groups *, struct span group_id,
    bool has_offsets, int64_t now_ms);

/*
 * Whether offsets of the topic may be deleted (OffsetDelete):
 * GROUP_ID_NOT_FOUND and GROUP_NON_EMPTY (members that are no consumers)
 * concern the request as a whole, GROUP_SUBSCRIBED_TO_TOPIC this topic.
 */
enum group_error groups_offset_delete_check(struct groups *,
    struct span group_id, struct span topic);

/*
 * For how long the group has had no members; -1 while it has some, or somebody
 * is about to join; INT64_MAX when it is unknown.  Of one that was there at the
 * start nobody knows, so it counts from then.
 */
int64_t groups_empty_ms(const struct groups *, struct span group_id, int64_t now_ms);

/* ---- for administrators ---- */

/* "Empty", "PreparingRebalance" and so on, as Kafka's tools print it. */
const char *group_state_name(enum group_state);

/* The state of a group; GROUP_DEAD when it is unknown. */
enum group_state groups_state(const struct groups *, struct span group_id);

struct group_description {
	enum group_state state;
	struct span protocol_type; /* "" for a group that only holds offsets */
	struct span protocol_name; /* only when Stable, else "" */
	int32_t generation;
	size_t n_members;
};

struct group_member_description {
	struct span member_id, instance_id, client_id, client_host;
	struct span metadata, assignment; /* only when Stable, else "" */
};

/*
 * Describes a classic group.  False: unknown, or of the newer protocol; then `out` says Dead, without an error
 * (up to DescribeGroups v5; from v6 it is GROUP_ID_NOT_FOUND).  Spans are
 * valid until the next call that is an event.
 */
bool groups_describe(const struct groups *, struct span group_id,
    struct group_description *out);

/* Describes up to `max` members, the oldest first; returns how many. */
size_t groups_describe_members(const struct groups *, struct span group_id,
    struct group_member_description *out, size_t max);

/* Which groups to list: built by groups_filter(). */
struct group_filter {
	unsigned states; /* a bit for each enum group_state */
	bool classic, consumer; /* types */
};

/*
 * The filter of ListGroups v4 (states) and v5 (types): names in any case, no
 * name at all meaning all.
 */
struct group_filter groups_filter(const struct span *states, size_t n_states,
    const struct span *types, size_t n_types);

struct group_listing {
	struct span group_id, protocol_type;
	enum group_state state;
	const char *type; /* "classic" or "consumer" */
};

/*
 * Walks the groups in no order: start with *it = 0; false at the end.  No
 * event may happen meanwhile.  Spans are valid as in groups_describe().
 */
bool groups_list(const struct groups *, struct group_filter, size_t *it,
    struct group_listing *out);

/*
 * Deletes an Empty group, when the caller has deleted its offsets.
 * GROUP_NON_EMPTY, GROUP_ID_NOT_FOUND, or GROUP_INVALID_GROUP_ID (null).
 */
enum group_error groups_delete(struct groups *, struct span group_id);

/* What groups_delete() would say now. */
enum group_error groups_delete_check(const struct groups *, struct span group_id);

/* How many groups there are. */
size_t groups_count(const struct groups *);

/*
 * Bytes that the members of all groups take, with their protocols and
 * assignments; bound by GROUPS_MAX_BYTES and one join or sync more.
 */
size_t groups_bytes(const struct groups *);

/* Ends the process when an invariant is broken; for tests. */
void groups_check(const struct groups *);

#endif
