/*
 * looks.h -- one look at the topic's end serves all who wait for one when it begins.
 *
 * There is no thread for it: of those who come while a look is under way, the first takes the next one, for all of
 * them.  Each is woken by itself: if all woke to ask one mutex what has become of them, they would wait for each other.
 */
#ifndef REGISTRY_LOOKS_H
#define REGISTRY_LOOKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct looks {
	pthread_mutex_t mutex;
	struct list waiting; /* for the next look */
	bool busy;           /* one is under way */
	bool failed;         /* the last one had no answer */
};

/* Looks, for at most so long; -1 without an answer. */
typedef int64_t looks_ask(void *ctx, int timeout_ms);

void looks_init(struct looks *);
void looks_done(struct looks *);

/*
 * What a look that began after the call gives; -1 where that has no answer, or does not come in time.  While looks have
 * no answer nobody waits for long.  Any thread.
 */
int64_t looks_take(struct looks *, int timeout_ms, looks_ask *, void *ctx);

#endif
