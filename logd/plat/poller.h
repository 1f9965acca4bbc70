/*
 * poller.h -- waiting for descriptors, as thin as the system lets it be.
 *
 * Level-triggered: what is ready and was not dealt with is told again.  A
 * poller belongs to one thread, but for poller_wake().
 */
#ifndef PLAT_POLLER_H
#define PLAT_POLLER_H

#include <stdint.h>

struct poller;

/* Hang-ups are told whether asked for or not. */
enum { POLLER_READ = 1, POLLER_WRITE = 2, POLLER_HANGUP = 4 };

struct poller_event {
	void *of;        /* as given to poller_add() */
	unsigned events; /* POLLER_* */
};

struct poller *poller_new(void); /* owned; NULL with errno: the system refused */
void poller_free(struct poller *);

/* Begins to watch; `of` comes back with its events, not NULL. -1 with errno. */
int poller_add(struct poller *, int fd, unsigned events, void *of);

/* Changes what a descriptor is watched for. */
void poller_set(struct poller *, int fd, unsigned events, void *of);

/* Ends it, while the descriptor is still open. */
void poller_del(struct poller *, int fd);

/*
 * Waits until something is ready, poller_wake() is called or `timeout_ms` is
 * over (< 0: never); fills up to `max` events and returns how many.  0 also
 * when woken, or when a signal came.
 */
int poller_wait(struct poller *, struct poller_event *, int max, int64_t timeout_ms);

/* Ends the wait under way, or the next one.  Any thread, signal handlers too. */
void poller_wake(struct poller *);

#endif
