/* looks.c -- one look at the topic's end serves all who wait for one when it begins. */
#include "registry/looks.h"

#include <errno.h>
#include <semaphore.h>

#include "base/monotonic.h"

enum { FAILED_MS = 750 }; /* how long is waited where the look before had no answer */

/* Whoever waits.  Its thread is woken once, to look or with the answer. */
struct look {
	struct list at;
	struct timespec deadline;
	sem_t woken;
	enum { WAITS, LOOKS, SERVED } state;
	int64_t end;
};

void
looks_init(struct looks *l)
{
	pthread_mutex_init(&l->mutex, NULL);
	list_init(&l->waiting);
	l->busy = l->failed = false;
}

void
looks_done(struct looks *l)
{
	must(list_empty(&l->waiting));
	pthread_mutex_destroy(&l->mutex);
}

/* All who wait are served by the look that begins now.  How long it may take: as long as one of them waits. */
static int
begin(struct looks *l, const struct look *me, struct list *served)
{
	int ms = monotonic_left_ms(&me->deadline);

	list_init(served);
	list_move_all(served, &l->waiting);
	list_each(at, served) {
		struct look *one = container_of(at, struct look, at);
		int left = monotonic_left_ms(&one->deadline);

		one->state = SERVED;
		if (left > ms)
			ms = left;
	}
	return ms + 1;
}

/* The first of those who came since takes the next look; NULL: nobody came. */
static struct look *
hand_over(struct looks *l)
{
	struct look *next = NULL;

	if (!list_empty(&l->waiting)) {
		next = container_of(l->waiting.next, struct look, at);
		list_del(&next->at);
		next->state = LOOKS;
	}
	l->busy = next != NULL;
	return next;
}

static void
look(struct looks *l, struct look *me, looks_ask *ask, void *ctx)
{
	struct list served;
	struct look *next;
	int timeout_ms;

	pthread_mutex_lock(&l->mutex);
	timeout_ms = begin(l, me, &served);
	pthread_mutex_unlock(&l->mutex);
	me->end = ask(ctx, timeout_ms);
	pthread_mutex_lock(&l->mutex);
	l->failed = me->end < 0;
	next = hand_over(l);
	pthread_mutex_unlock(&l->mutex);
	while (!list_empty(&served)) {
		struct look *one = container_of(served.next, struct look, at);

		list_del(&one->at);
		one->end = me->end;
		sem_post(&one->woken); /* from here on it is not there */
	}
	/* Last, so that who was served and asks for more is served by that look, too. */
	if (next != NULL)
		sem_post(&next->woken);
}

/* Waits until it is woken; false when time was up before anything began. */
static bool
await(struct looks *l, struct look *me)
{
	bool late = false;

	while (!late && sem_clockwait(&me->woken, CLOCK_MONOTONIC, &me->deadline) != 0)
		late = errno != EINTR;
	if (!late)
		return true;
	pthread_mutex_lock(&l->mutex);
	late = me->state == WAITS;
	if (late)
		list_del(&me->at);
	pthread_mutex_unlock(&l->mutex);
	while (!late && sem_wait(&me->woken) != 0)
		continue;
	return !late;
}

int64_t
looks_take(struct looks *l, int timeout_ms, looks_ask *ask, void *ctx)
{
	struct look me = { .state = LOOKS, .end = -1 };

	must(sem_init(&me.woken, 0, 0) == 0);
	pthread_mutex_lock(&l->mutex);
	me.deadline = monotonic_in(l->failed && timeout_ms > FAILED_MS ? FAILED_MS : timeout_ms);
	if (l->busy) {
		me.state = WAITS;
		list_add(&l->waiting, &me.at);
	}
	l->busy = true;
	pthread_mutex_unlock(&l->mutex);
	if (me.state == LOOKS || (await(l, &me) && me.state == LOOKS))
		look(l, &me, ask, ctx);
	sem_destroy(&me.woken);
	return me.end;
}
