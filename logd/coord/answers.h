/*
 * answers.h -- requests that wait, and the queue of answers.
 *
 * A token is in one of three places: waiting, in the queue, or with the
 * caller again.  It moves on exactly once.
 */
#ifndef COORD_ANSWERS_H
#define COORD_ANSWERS_H

#include "base/map.h"
#include "coord/blob.h"
#include "coord/groups.h"

enum waiter_kind { WAITS_NOT, WAITS_FOR_JOIN, WAITS_FOR_SYNC };

/*
 * A member's request that waits.  It goes on waiting when its token is
 * forgotten: then token is NULL, and the answer goes nowhere.
 */
struct waiter {
	enum waiter_kind kind;
	void *token;
};

struct answers {
	struct group_effect *queue; /* owned; [first, n) is still to be taken */
	size_t first, n, cap;
	struct map waiting;  /* token -> struct waiter; the token is the key */
	struct blob_bin bin; /* emptied when the queue is drained */
};

/* Waiters must be gone. */
void answers_done(struct answers *);

/* Lets an idle waiter wait.  It stays where it is until it is answered. */
void answers_park(struct answers *, struct waiter *, enum waiter_kind,
    void *token);

/* Makes a waiter wait without its token; nothing happens when none has it. */
void answers_forget(struct answers *, void *token);

/* Answers all that wait with an error; their waiters wait on without them. */
void answers_fail_all(struct answers *, enum group_error);

/* Answers a request that did not wait. */
void answers_join(struct answers *, void *token,
    const struct group_join_answer *);
void answers_sync(struct answers *, void *token,
    const struct group_sync_answer *);

/* Answers one that waits for this. */
void answers_join_waiter(struct answers *, struct waiter *,
    const struct group_join_answer *);
void answers_sync_waiter(struct answers *, struct waiter *,
    const struct group_sync_answer *);

/* Answers with an error; nothing happens for a waiter that waits not. */
void answers_fail(struct answers *, enum waiter_kind, void *token,
    enum group_error);
void answers_fail_waiter(struct answers *, struct waiter *, enum group_error);

/* groups_next_effect() */
bool answers_take(struct answers *, struct group_effect *out);

#endif
