/* loop.c -- one thread's event loop. */
#include "net/loop.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "plat/clock.h"
#include "plat/poller.h"

/*
 * Timers that are late by LATE_MS, as when the process was stopped, wait for what has come
 * meanwhile, for so many rounds at most.
 */
enum { EVENTS_MAX = 256, LATE_MS = 200, LATE_ROUNDS_MAX = 256 };

_Static_assert((int)WATCH_READ == (int)POLLER_READ &&
    (int)WATCH_WRITE == (int)POLLER_WRITE &&
    (int)WATCH_HANGUP == (int)POLLER_HANGUP, "events are handed on as they are");

struct loop {
	struct poller *poller; /* owned */
	struct list watches;
	struct heap timers;
	struct list hooks;
	int64_t now_ms, wall_ms;
	atomic_bool stop;
	/* The events of this round; those before `at` are dealt with.  A watch
	 * that ends takes its event along (of = NULL). */
	struct poller_event events[EVENTS_MAX];
	int at, n_events;
	int late_rounds; /* for so many timers that are late have waited */
};

static void
read_clocks(struct loop *l)
{
	l->now_ms = clock_mono_ms();
	l->wall_ms = clock_wall_ms();
}

struct loop *
loop_new(void)
{
	struct poller *p = poller_new();
	struct loop *l;

	if (p == NULL)
		return NULL;
	l = xcalloc(1, sizeof *l);
	l->poller = p;
	list_init(&l->watches);
	list_init(&l->hooks);
	atomic_init(&l->stop, false);
	read_clocks(l);
	return l;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	must(list_empty(&l->watches));
	heap_done(&l->timers);
	poller_free(l->poller);
	free(l);
}

/* How long to wait: until the first timer is due. */
static int64_t
wait_ms(const struct loop *l)
{
	const struct heap_node *first = heap_min(&l->timers);
	int64_t now;

	if (first == NULL)
		return -1;
	now = clock_mono_ms();
	return first->key <= now ? 0 : first->key - now;
}

static void
dispatch(struct loop *l)
{
	while (l->at < l->n_events) {
		struct poller_event e = l->events[l->at++];
		struct watch *w = e.of;

		if (w == NULL)
			continue;
		/* Less what an earlier callback of the round has ceased to watch for. */
		e.events &= w->events | WATCH_HANGUP;
		if (e.events != 0)
			w->ready(w, e.events);
	}
}

/*
 * Whether there may be events that came before the first timer was due: a heartbeat that
 * waited while we did not look counts.  The first wait says nothing, as it may have been cut
 * short.  `before_ms`: when we last looked.
 */
static bool
events_first(struct loop *l, int64_t before_ms)
{
	const struct heap_node *first = heap_min(&l->timers);

	if (l->late_rounds == 0) {
		if (first == NULL || l->now_ms - (first->key > before_ms ? first->key : before_ms) < LATE_MS)
			return false;
	} else if (l->n_events < EVENTS_MAX || l->late_rounds == LATE_ROUNDS_MAX) {
		l->late_rounds = 0;
		return false;
	}
	l->late_rounds++;
	return true;
}

/*
 * No more timers than there were at first, so that one that sets itself again
 * for this very moment does not keep the round from ending.
 */
static void
fire_timers(struct loop *l)
{
	struct heap_node *first;
	size_t n = l->timers.n;

	while (n-- > 0 && (first = heap_min(&l->timers)) != NULL && first->key <= l->now_ms) {
		struct timer *t = container_of(first, struct timer, node);

		heap_del(&l->timers, first);
		t->fire(t);
	}
}

void
loop_round(struct loop *l)
{
	int64_t before_ms = l->now_ms;

	l->at = 0;
	l->n_events = poller_wait(l->poller, l->events, EVENTS_MAX, wait_ms(l));
	read_clocks(l);
	dispatch(l);
	if (!events_first(l, before_ms))
		fire_timers(l);
	list_each(it, &l->hooks) {
		struct round_hook *h = container_of(it, struct round_hook, link);

		h->run(h);
	}
}

void
loop_run(struct loop *l)
{
	while (!atomic_exchange(&l->stop, false))
		loop_round(l);
}

void
loop_stop(struct loop *l)
{
	atomic_store(&l->stop, true);
	poller_wake(l->poller);
}

int64_t
loop_now_ms(const struct loop *l)
{
	return l->now_ms;
}

int64_t
loop_wall_ms(const struct loop *l)
{
	return l->wall_ms;
}

int
loop_watch(struct loop *l, struct watch *w)
{
	if (poller_add(l->poller, w->fd, w->events, w) == -1)
		return -1;
	list_add(&l->watches, &w->link);
	return 0;
}

void
loop_watch_set(struct loop *l, struct watch *w, unsigned events)
{
	if (w->events == events)
		return;
	w->events = events;
	poller_set(l->poller, w->fd, events, w);
}

void
loop_unwatch(struct loop *l, struct watch *w)
{
	int i;

	poller_del(l->poller, w->fd);
	list_del(&w->link);
	for (i = l->at; i < l->n_events; i++)
		if (l->events[i].of == w)
			l->events[i].of = NULL;
}

void
loop_timer_set(struct loop *l, struct timer *t, int64_t at_ms)
{
	must_fit(heap_put(&l->timers, &t->node, at_ms));
}

void
loop_timer_cancel(struct loop *l, struct timer *t)
{
	heap_del(&l->timers, &t->node);
}

void
loop_hook(struct loop *l, struct round_hook *h)
{
	list_add(&l->hooks, &h->link);
}
