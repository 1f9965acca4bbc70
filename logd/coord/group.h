/*
 * group.h -- one group: its state machine.  Drawn in groups.h.  In three files:
 * group_rebalance.c is what all events are made of, group_join.c is the event
 * with the most rules, group.c are the others.
 *
 * Every function that is an event ends with the group in order: answers are
 * in the queue, deadlines in the heap, and a group that is of no use any more
 * is GROUP_DEAD, which the table of groups looks at next.
 */
#ifndef COORD_GROUP_H
#define COORD_GROUP_H

#include "coord/catalog.h"
#include "coord/members.h"

struct consumer_group;

/* What all groups share; it outlives them. */
struct group_env {
	struct groups_config config;
	struct heap due;
	struct list idle; /* groups that nobody would miss, the oldest first */
	size_t bytes;     /* of all members; see groups_bytes() */
	struct answers answers;
	struct catalog catalog;
	struct list behind; /* consumer groups with topics still to be compared */
	int64_t behind_ms;  /* when some more are */
};

/*
 * Invariants, beside those of its members (group_check() knows them all):
 * - Empty: no members.  Completing, Stable: members, a leader, a protocol.
 * - Only in PreparingRebalance does a member wait for a join, only in
 *   CompletingRebalance does one wait for a sync.
 * - In CompletingRebalance the leader owes its sync.
 * - All members have at least one protocol in common.
 * - Idle: Empty, without offsets.
 * A group of the newer protocol has no members here, but in `consumers`.
 */
struct group {
	struct group_env *env;      /* borrowed */
	struct blob *id;            /* owned */
	enum group_state state;
	int32_t generation;
	struct blob *protocol_type; /* owned; NULL: had no member yet */
	struct blob *protocol_name; /* owned; NULL: none chosen */
	struct member *leader;      /* NULL: no members */
	struct members members;
	struct consumer_group *consumers; /* owned; NULL: of the classic protocol */
	bool has_offsets;
	int64_t empty_ms;           /* Empty: since when */
	struct list idle;           /* in env->idle, or in no list */
	/*
	 * Empty: end of the linger time.  Preparing: end of the initial delay
	 * or of the wait for members.  Completing, Stable: when those that owe
	 * a sync are dropped.
	 */
	struct due due;
	bool in_initial_delay;
	bool joined_in_delay;       /* somebody came: the delay starts anew */
	int64_t delay_latest_ms;    /* ... but ends here */
	/* The topics that members subscribe to: made when asked for. */
	enum { TOPICS_UNKNOWN, TOPICS_KNOWN, TOPICS_UNREADABLE } topics_state;
	struct map topics;          /* keys lie in the members' protocols */
};

/* Owned; Empty. */
struct group *group_new(struct group_env *, struct span id, int64_t now_ms);

/* Waiting requests are dropped unanswered. */
void group_free(struct group *);

/* Events; see groups.h.  The request's group id and limits are checked. */
void group_join(struct group *, const struct group_join *, void *token,
    int64_t now_ms);
void group_sync(struct group *, const struct group_sync *, void *token,
    int64_t now_ms);
enum group_error group_heartbeat(struct group *, const struct group_heartbeat *,
    int64_t now_ms);
void group_leave(struct group *, struct group_leave *, size_t n,
    int64_t now_ms);
enum group_error group_commit_check(struct group *, const struct group_commit *,
    int64_t now_ms);
void group_note_offsets(struct group *, bool has_offsets, int64_t now_ms);

/* Something of this group came due; the node is out of the heap. */
void group_due(struct group *, int64_t now_ms);
void group_member_due(struct member *, int64_t now_ms);
void group_pending_due(struct pending *, int64_t now_ms);

/* Whether members subscribe to the topic; true when that can't be told. */
bool group_subscribes(struct group *, struct span topic);

void group_check(const struct group *);

#endif
