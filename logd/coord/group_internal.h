/*
 * group_internal.h -- what group.c, group_join.c and group_rebalance.c share.
 * Nobody else includes it.
 */
#ifndef COORD_GROUP_INTERNAL_H
#define COORD_GROUP_INTERNAL_H

#include "coord/group.h"

/* The only place where the state changes. */
void group_set_state(struct group *, enum group_state to);

struct answers *group_answers(struct group *);

void group_arm(struct group *, struct due *, int64_t at_ms);
void group_disarm(struct group *, struct due *);

/* Puts a blob (kept, or NULL) in the place of another. */
void group_replace_blob(struct group *, struct blob **at, struct blob *by);

/* Members or their protocols change. */
void group_forget_topics(struct group *);

/* Which member is meant: GROUP_OK, unknown, or fenced. */
enum group_error group_identify(const struct group *, struct span member_id,
    struct span instance_id, struct member **out);

/*
 * The member was heard of: its time starts anew.  One that waits can't be
 * heard of, so it has no time; unless it is new, since clients that gave up
 * would leave members behind with every retry.
 */
void group_touch(struct group *, struct member *, int64_t now_ms);

/* The current generation, as a member's join is told of it. */
struct group_join_answer group_join_answer_for(struct group *,
    const struct member *);

/* Lets a member wait; its request that waits already is told to try again. */
void group_park(struct group *, struct member *, enum waiter_kind, void *token,
    int64_t now_ms);

/* Ends a wait with an error; nothing happens when the member waits not. */
void group_fail_waiter(struct group *, struct member *, enum group_error);

/* Begins a rebalance, if none is under way. */
void group_prepare(struct group *, int64_t now_ms);

/* Ends the wait for members, if somebody joined at all. */
void group_complete(struct group *, int64_t now_ms);

/* Whether a rebalance need not wait any longer. */
bool group_all_are_in(const struct group *);

/* Takes a member out, whatever state the group is in. */
void group_drop_member(struct group *, struct member *);

/* A member is gone: the others have to share anew. */
void group_remove_member(struct group *, struct member *, int64_t now_ms);

void group_remove_pending(struct group *, struct pending *);

/* The end of every event that may have changed who is in the group. */
void group_settle(struct group *, int64_t now_ms);

#endif
