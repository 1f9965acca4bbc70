/*
 * consumer_groups.h -- the part of groups.h that is about groups of the newer
 * protocol (KIP-848, "group.protocol=consumer"): who reads what is decided
 * here, and members learn it with their heartbeats.
 *
 * A group is of one protocol at a time: a group without members is taken over
 * by the first that joins, whichever it speaks.  To members of the other
 * protocol a group with members is closed: GROUP_INCONSISTENT_PROTOCOL for a
 * classic join, GROUP_ID_NOT_FOUND for a heartbeat.
 *
 * Epochs.  A join, a leave, another subscription, and a change of the topics
 * that are subscribed to raise the epoch of the group.  With the next heartbeat
 * of any member partitions are shared out for that epoch: each member has a
 * target then.  A member comes to its target at its own pace:
 *
 *	its assignment := what it holds and keeps in its target
 *	what it holds beyond that is to be revoked: until its heartbeat no longer
 *	    lists it as owned, the member stays in its old epoch, and nobody else
 *	    gets it
 *	then it is of the epoch of the target, and gets of this what is free;
 *	    the rest as others let go of it
 *
 *	Empty       no members
 *	Assigning   the epoch of the group is above that of the targets
 *	Reconciling some member has not come to its target
 *	Stable      all have
 *
 * So a partition has one holder at any time.  A member that is silent for the
 * session timeout, or that does not give up what is revoked within its rebalance
 * timeout, is removed; it learns so by GROUP_UNKNOWN_MEMBER_ID.
 *
 * What is kept: nothing, as for classic groups.  After a restart a heartbeat gets
 * GROUP_UNKNOWN_MEMBER_ID and so does a commit, the member drops its partitions
 * and joins anew with epoch 0; epochs begin at 1 again.  No client notices that:
 * a member takes the epoch that its heartbeat is answered with; offsets are
 * stored without the epoch that they were committed in; and no member of before
 * is known, so that its epoch, whatever it is, is not compared with any of the
 * new ones.  A group that is taken over, or that was empty for less than
 * GROUP_LINGER_MS, goes on counting where it was.
 *
 * Topics.  The caller says which there are (groups_topic()); a group takes up a
 * change with the next heartbeat of a member.  A regular expression is compared
 * with so many topics as take some milliseconds: where there are more, groups_tick()
 * goes on, and what has matched so far is what the members share until then.
 *
 * What it costs.  A heartbeat that changes nothing costs what its own list of
 * partitions does.  One that finds another epoch shares out anew, which is linear
 * in the partitions, the members and the topics of all different subscriptions:
 * 10 ms for the first that gets 100,000 partitions, 2 ms for each of 1,000 members
 * that follow; up to 25 ms where each partition is a topic of its own; less than
 * 1 ms for 10,000 partitions (measured on a machine of two cores).
 */
#ifndef COORD_CONSUMER_GROUPS_H
#define COORD_CONSUMER_GROUPS_H

#include "coord/groups.h"

enum {
	/* The names that one member subscribes to, with 4 bytes for each. */
	CONSUMER_NAMES_MAX_BYTES = 1 << 20,
	/* Topics of all different subscriptions of a group, added up.  What a
	   heartbeat brings beyond it is refused with GROUP_INVALID_REQUEST; what
	   matches a regular expression beyond it is left out. */
	CONSUMER_CHOICES_MAX = 1000000,
	/* A longer member id, instance id or rack is refused with
	   GROUP_INVALID_REQUEST. */
	CONSUMER_ID_MAX_BYTES = 255
};

/* Epochs that stand for something else, in requests and answers. */
enum {
	CONSUMER_JOINS = 0,
	CONSUMER_LEAVES = -1,
	CONSUMER_LEAVES_FOR_A_WHILE = -2 /* a static member that will be back */
};

/* ---- topics ---- */

/* There is such a topic, or it has more partitions now; not of the id of another. */
void groups_topic(struct groups *, struct span name, const uint8_t id[16],
    int32_t n_partitions);

/* There is no topic of this name any more; nothing happens when there was none. */
void groups_topic_gone(struct groups *, struct span name);

/* ---- heartbeats ---- */

/* Partitions of one topic. */
struct consumer_partitions {
	const uint8_t *topic_id; /* 16 bytes */
	struct span name;        /* in descriptions; else not set */
	const int32_t *numbers;
	size_t n;
};

struct consumer_heartbeat {
	struct span group_id, member_id;
	struct span instance_id, rack_id; /* null: none, or as before */
	struct span client_id, client_host;
	int32_t epoch;
	int32_t rebalance_timeout_ms; /* -1: as before */
	bool has_names, has_owned;    /* else as before */
	const struct span *names;
	size_t n_names;
	struct span regex;            /* null: as before; empty: none */
	struct span assignor;         /* null: none asked for */
	const struct consumer_partitions *owned;
	size_t n_owned;
	bool chooses_id;              /* v1+: the member chooses its id */
	uint8_t random[GROUP_RANDOM_BYTES]; /* v0: a new member's id is made of it */
};

struct consumer_answer {
	enum group_error error;
	const char *message;  /* a sentence; NULL: none.  Never freed */
	struct span member_id; /* null with an error */
	int32_t epoch;
	int32_t heartbeat_interval_ms;
	bool has_assignment;  /* it was asked for, or is another than before */
	const struct consumer_partitions *assignment; /* by topic, numbers rise */
	size_t n_assignment;
};

/*
 * A member joins, says that it is alive, or leaves (ConsumerGroupHeartbeat).
 * Answered at once.  What `out` points to is valid until the next event, or until
 * groups_next_effect() returns false.
 *
 * Errors: GROUP_INVALID_REQUEST, GROUP_INVALID_GROUP_ID, GROUP_ID_NOT_FOUND (a
 * classic group), GROUP_UNKNOWN_MEMBER_ID, GROUP_FENCED_MEMBER_EPOCH,
 * GROUP_FENCED_INSTANCE_ID, GROUP_UNRELEASED_INSTANCE_ID,
 * GROUP_UNSUPPORTED_ASSIGNOR, GROUP_INVALID_REGULAR_EXPRESSION,
 * GROUP_MAX_SIZE_REACHED, GROUP_COORDINATOR_NOT_AVAILABLE (no room),
 * GROUP_NOT_COORDINATOR (the end is near).
 */
void groups_consumer_heartbeat(struct groups *, const struct consumer_heartbeat *,
    int64_t now_ms, struct consumer_answer *out);

/*
 * Whether a member may be told offsets (OffsetFetch v9 on): GROUP_UNKNOWN_MEMBER_ID
 * or GROUP_STALE_MEMBER_EPOCH.  Who names no member (null) and no epoch (below 0) may,
 * and of groups that are not of this protocol everybody.
 */
enum group_error groups_fetch_check(const struct groups *, struct span group_id,
    struct span member_id, int32_t epoch);

/* ---- for administrators ---- */

struct consumer_group_description {
	enum group_state state;
	int32_t epoch, assignment_epoch;
	const char *assignor;
	size_t n_members;
};

struct consumer_description {
	struct span member_id, instance_id, rack_id; /* the last two null: none */
	struct span client_id, client_host;
	int32_t epoch;
	const struct span *names;
	size_t n_names;
	struct span regex; /* null: none */
	const struct consumer_partitions *assignment, *target;
	size_t n_assignment, n_target;
};

/* False: the group is unknown, or classic. */
bool groups_consumer_describe(const struct groups *, struct span group_id,
    struct consumer_group_description *out);

/*
 * Describes up to `max` members, those that joined first; returns how many.  Valid
 * as what groups_consumer_heartbeat() gives.
 */
size_t groups_consumer_describe_members(struct groups *, struct span group_id,
    struct consumer_description *out, size_t max);

#endif
