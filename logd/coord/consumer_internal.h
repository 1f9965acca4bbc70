/*
 * consumer_internal.h -- what consumer_group.c, consumer_topics.c and
 * consumer_target.c share.  Nobody else includes it.
 */
#ifndef COORD_CONSUMER_INTERNAL_H
#define COORD_CONSUMER_INTERNAL_H

#include "coord/consumer_group.h"
#include "coord/group_internal.h"

/* What the group takes; it is counted when it is taken. */
void consumer_charge(struct group *, size_t bytes);
void consumer_discharge(struct group *, size_t bytes);
bool consumer_has_room(const struct group *, size_t bytes);

/* The members have to share anew. */
void consumer_bump(struct group *);

/* ---- consumer_topics.c ---- */

/*
 * The subscription that a heartbeat means, `old` (or NULL) being the member's
 * present one: that, or one that others have, or a new one without members.  NULL
 * with *error and, perhaps, *message.
 */
struct interest *consumer_interest(struct group *, const struct interest *old,
    const struct consumer_heartbeat *, enum group_error *error, const char **message);

/* A member has the subscription from now on, or no longer; the last one ends it. */
void consumer_interest_hold(struct interest *);
void consumer_interest_release(struct group *, struct interest *);

struct span consumer_interest_regex(const struct interest *); /* null: none */
size_t consumer_interest_names(const struct interest *, struct span *out, size_t max);

/* Takes up what has changed of topics, or most of it.  True: members have to share anew. */
bool consumer_refresh(struct group *);

/* Topics that nobody subscribes to any more go when nobody holds anything of them. */
void consumer_free_orphans(struct group *);

/* Something is left to compare. */
bool consumer_is_behind(const struct group *);

/* NULL: the group does not know it. */
struct part *consumer_part(const struct group *, const uint8_t *topic_id, int32_t number);

static inline int32_t
part_number(const struct part *p)
{
	return (int32_t)(p - p->topic->parts);
}

/* ---- consumer_target.c ---- */

/* Takes it from its holder; into `revoking` of its holder; gives it, when it is free, to a member. */
void part_release(struct part *);
void part_revoke(struct part *);
void part_take(struct part *, struct consumer *);
void part_aim(struct part *, struct consumer *);

/* Everything that a member holds is free; likewise what it is to have. */
void consumer_release_all(struct consumer *);
void consumer_release_revoking(struct consumer *);
void consumer_aim_none(struct consumer *);

void consumer_set_settled(struct consumer *, bool);

/* The assignor that most members ask for. */
int consumer_preferred_assignor(const struct group *);

/* Shares out all partitions, for the present epoch. */
void consumer_assign(struct group *);

/* Brings a member closer to its target; parts that it owns are marked, if it said which. */
void consumer_reconcile(struct consumer *, bool has_owned, int64_t now_ms);

/* A list of parts as partitions by topic, in the bin; `which` is the offset of the link. */
enum part_list { PARTS_HELD, PARTS_AIMED };
const struct consumer_partitions *consumer_partitions_of(struct group *,
    const struct list *, enum part_list, size_t *n);

#endif
