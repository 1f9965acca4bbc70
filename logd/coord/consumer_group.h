/*
 * consumer_group.h -- one group of the newer protocol: its state machine.  The
 * rules are told in consumer_groups.h.  In three files: consumer_group.c has the
 * events and the members, consumer_topics.c what they subscribe to,
 * consumer_target.c who is to have which partition, and who has it.
 *
 * It hangs in a struct group, which has what groups of both protocols have: id,
 * state, epoch (`generation`), offsets, and the time after which an Empty one goes.
 */
#ifndef COORD_CONSUMER_GROUP_H
#define COORD_CONSUMER_GROUP_H

#include "base/heap.h"
#include "base/list.h"
#include "coord/consumer_groups.h"
#include "coord/expression.h"
#include "coord/group.h"

/* A partition, as the group knows it. */
struct part {
	struct group_topic *topic; /* borrowed */
	struct consumer *holder;   /* who may read it; NULL: nobody does */
	struct consumer *target;   /* who is to read it */
	struct list held;          /* holder's `assigned` or `revoking` */
	struct list aimed;         /* target's `target` */
	bool revoking;
	uint32_t mark;             /* see consumer_group.mark */
};

/*
 * A topic that somebody in the group subscribes to, if only by its name; or that
 * nobody does any more, but somebody still holds.
 */
struct group_topic {
	struct list link, orphan;    /* in `topics`; without subscriptions in `orphans`, too */
	struct catalog_topic *known; /* held */
	size_t users;                /* subscriptions that it is in */
	size_t n_held;               /* parts that have a holder */
	uint8_t id[TOPIC_ID_BYTES];  /* of the topic whose partitions these are */
	struct part *parts;          /* owned */
	int32_t n_parts;
	uint32_t index;              /* scratch of an assignment */
	size_t n_shown;              /* scratch of an answer */
};

/* What some of the members subscribe to: the same names, the same expression. */
struct interest {
	struct list link;
	/* Owned.  The bytes of all names; these, in order and each behind its length; the expression. */
	struct blob *key;
	size_t names_bytes;
	size_t n_members;
	struct group_topic **topics; /* those that are named, then those that match */
	size_t n_named, n, cap;
	struct expression *regex;             /* owned; NULL: none */
	uint64_t serial;             /* topics up to this one have been compared with it */
	size_t bytes;                /* what it is counted for */
	struct assign_kind *kind;    /* scratch of an assignment */
};

struct consumer {
	struct group *group; /* borrowed */
	struct list link;
	struct blob *id, *client_id, *client_host; /* owned */
	struct blob *instance_id, *rack_id;        /* owned; NULL: none */
	struct interest *interest;
	int assignor;              /* the one that it asks for; -1: none */
	int32_t epoch, previous_epoch;
	int32_t rebalance_timeout_ms;
	struct list assigned;      /* held, and its target or not yet known to be none */
	struct list revoking;      /* held, and to be given up */
	struct list target;        /* what it is to have */
	size_t n_revoking;
	bool settled;              /* it has come to its target */
	bool news;                 /* its assignment is not what it was told */
	int64_t expires_ms;        /* end of the session */
	int64_t revoke_ms;         /* when it has to have given up; INT64_MAX: nothing */
	struct due due;            /* for the earlier of these; may be too early */
	size_t index;              /* scratch of an assignment */
};

/*
 * Invariants, which consumer_group_check() knows:
 * - A part is in the lists of its holder and of its target, and in no others.
 * - A member with something in `revoking` is not settled.
 * - A settled member is of the target's epoch, and holds its target.
 * - Where the epoch of the group is that of the targets, every partition of a
 *   topic with a subscriber is somebody's target.
 */
struct consumer_group {
	struct group *group;   /* borrowed */
	struct list members;   /* in the order in which they came */
	size_t n_members, n_unsettled;
	struct map by_id, by_instance;
	struct list interests; /* in the order in which they came */
	struct map interests_by_key;
	size_t n_choices;      /* topics of all of these, added up */
	struct list topics, orphans;
	struct map topics_by_name;
	size_t n_topics;
	int32_t target_epoch;
	int assignor;          /* that of the targets */
	uint64_t version;      /* of the catalog, as far as it is taken up */
	uint32_t mark;         /* parts with it are owned, says the heartbeat under way */
	struct list behind;    /* in env->behind: topics are still to be compared */
	size_t bytes;          /* its part of env->bytes */
};

/* Makes an Empty group one of this protocol, and the other way round. */
void consumer_group_begin(struct group *);
void consumer_group_end(struct group *);

/* Events; see consumer_groups.h.  Whether the request is in order has been checked. */
void consumer_group_heartbeat(struct group *, const struct consumer_heartbeat *,
    int64_t now_ms, struct consumer_answer *out);
enum group_error consumer_group_leave(struct group *, const struct group_leave *,
    int64_t now_ms);
enum group_error consumer_group_commit_check(const struct group *,
    const struct group_commit *);
enum group_error consumer_group_fetch_check(const struct group *, struct span member_id,
    int32_t epoch);
bool consumer_group_subscribes(const struct group *, struct span topic);

/* A member's time came; its node is out of the heap. */
void consumer_group_due(struct consumer *, int64_t now_ms);

/* Compares some more topics with expressions. */
void consumer_group_catch_up(struct group *, int64_t now_ms);

size_t consumer_group_describe(struct group *, struct consumer_description *out,
    size_t max);

void consumer_group_check(const struct group *);

#endif
