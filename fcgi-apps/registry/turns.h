/*
 * turns.h -- one after the other changes the registry; several that wait may do so at once.
 *
 * There is no thread for it: of those who wait, the first does the work of all whose turn comes with its own,
 * while they wait for it.
 */
#ifndef REGISTRY_TURNS_H
#define REGISTRY_TURNS_H

#include <pthread.h>
#include <stdbool.h>

#include "base/list.h"

enum { TURNS_TOGETHER = 64 }; /* at most */

/* In whoever waits, by its thread until it is taken and again when it is done. */
struct turn {
	struct list at;
	bool together; /* whether it may come with others that say the same */
	bool again;    /* set by the work: it is to wait on, before all that came since */
	enum { TURN_WAITS, TURN_TAKEN, TURN_DONE } state;
};

struct turns {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct list waiting; /* of struct turn, by `at` */
	bool busy;           /* somebody is at work */
};

void turns_init(struct turns *);
void turns_done(struct turns *);

/*
 * Does the work of these, in the order in which they came, of the first at least; one thread at a time is in it.
 */
typedef void turns_work(void *ctx, struct turn **, size_t n);

/*
 * Waits for a turn and has the work done, by this thread or another.  False when the turn has not come in time; what
 * has begun is waited for.
 */
bool turns_take(struct turns *, struct turn *, int timeout_ms, turns_work *, void *ctx);

#endif
