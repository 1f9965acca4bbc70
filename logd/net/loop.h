/*
 * loop.h -- one thread's event loop: descriptors, timers, and what is to be
 * done once per round.
 *
 * Nothing here is thread-safe: a loop and all that hangs on it belong to the
 * thread that runs it, but for loop_stop().
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/list.h"

struct loop;

/* Something readable or writable. Embedded; zeroed by its user before the first use. */
struct watch {
	int fd;
	unsigned events;                              /* WATCH_*, as set last */
	void (*ready)(struct watch *, unsigned events); /* may free what holds the watch */
	struct list link;                             /* the loop's */
};

enum { WATCH_READ = 1, WATCH_WRITE = 2, WATCH_HANGUP = 4 };

/* A deadline.  Embedded; zeroed before the first use. */
struct timer {
	struct heap_node node;
	void (*fire)(struct timer *); /* no longer set when called; may set it again */
};

/* Something to do in each round.  Embedded. */
struct round_hook {
	struct list link;
	void (*run)(struct round_hook *);
};

struct loop *loop_new(void); /* NULL with errno: the system refused */
void loop_free(struct loop *);

/* Runs until loop_stop(). */
void loop_run(struct loop *);

/* Runs one round: waits until something happens, and sees to it. */
void loop_round(struct loop *);

/* Ends loop_run() after the round under way.  Any thread, signal handlers too. */
void loop_stop(struct loop *);

/* The time at which this round began: monotonic, and since 1970. */
int64_t loop_now_ms(const struct loop *);
int64_t loop_wall_ms(const struct loop *);

/* Watches w->fd for w->events; -1 with errno when the system refuses. */
int loop_watch(struct loop *, struct watch *);
/* Changes what is watched for; 0 rests the watch (hang-ups still come). */
void loop_watch_set(struct loop *, struct watch *, unsigned events);
/* Ends it; nothing more is called for it, even if an event is already in hand. */
void loop_unwatch(struct loop *, struct watch *);

/* Sets or moves a timer: it fires in the first round at or after `at_ms` (monotonic). */
void loop_timer_set(struct loop *, struct timer *, int64_t at_ms);
void loop_timer_cancel(struct loop *, struct timer *);

/*
 * Calls hook->run at the end of each round, after all events and timers and
 * before the loop waits again: there work that has gathered in the round is
 * started as one.
 */
void loop_hook(struct loop *, struct round_hook *);

#endif
