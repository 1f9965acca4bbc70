/* looks.c -- one look at the topic's end serves all who wait for one when it begins. */
#include "registry/looks.h"

#include "base/monotonic.h"

enum { FAILED_MS = 750 }; /* how long is waited where the look before had no answer */

enum look_state { WAITS, LOOKS, SERVED };

/* Whoever waits.  Its thread is woken once, to look or with the answer. */
struct look {
	struct list at;
	struct timespec deadline;
	enum look_state state; /* the mutex of all is held */
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t changed;
	bool woken;
	int64_t end;
};

/* From here on it may not be there any more. */
static void
wake(struct look *one, int64_t end)
{
	pthread_mutex_lock(&one->mutex);
	one->end = end;
	one->woken = true;
	pthread_cond_signal(&one->changed);
	pthread_mutex_unlock(&one->mutex);
}

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
		wake(one, me->end);
	}
	/* Last, so that who was served and asks for more is served by that look, too. */
	if (next != NULL)
		wake(next, -1);
}

/* Waits until it is woken, or its time is up; whether it was. */
static bool
sleep_until(struct look *me, const struct timespec *deadline)
{
	bool late = false, woken;

	pthread_mutex_lock(&me->mutex);
	while (!me->woken && !late)
		if (deadline == NULL)
			pthread_cond_wait(&me->changed, &me->mutex);
		else
			late = pthread_cond_timedwait(&me->changed, &me->mutex, deadline) != 0;
	woken = me->woken;
	pthread_mutex_unlock(&me->mutex);
	return woken;
}

/* What becomes of it; WAITS: nothing in time.  What has begun is waited for. */
static enum look_state
await(struct looks *l, struct look *me)
{
	bool woken = sleep_until(me, &me->deadline);
	enum look_state state;

	pthread_mutex_lock(&l->mutex);
	state = me->state;
	if (state == WAITS)
		list_del(&me->at);
	pthread_mutex_unlock(&l->mutex);
	if (state != WAITS && !woken)
		sleep_until(me, NULL);
	return state;
}

int64_t
looks_take(struct looks *l, int timeout_ms, looks_ask *ask, void *ctx)
{
	struct look me = { .state = WAITS, .end = -1 };
	bool first;

	pthread_mutex_init(&me.mutex, NULL);
	monotonic_cond_init(&me.changed);
	pthread_mutex_lock(&l->mutex);
	me.deadline = monotonic_in(l->failed && timeout_ms > FAILED_MS ? FAILED_MS : timeout_ms);
	first = !l->busy;
	if (!first)
		list_add(&l->waiting, &me.at);
	l->busy = true;
	pthread_mutex_unlock(&l->mutex);
	if (first || await(l, &me) == LOOKS)
		look(l, &me, ask, ctx);
	pthread_cond_destroy(&me.changed);
	pthread_mutex_destroy(&me.mutex);
	return me.end;
}
