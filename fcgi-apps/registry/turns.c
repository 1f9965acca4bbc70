/* turns.c -- one after the other changes the registry; several that wait may do so at once. */
#include "registry/turns.h"

#include "base/monotonic.h"

void
turns_init(struct turns *t)
{
	pthread_mutex_init(&t->mutex, NULL);
	monotonic_cond_init(&t->changed);
	list_init(&t->waiting);
	t->busy = false;
}

void
turns_done(struct turns *t)
{
	must(list_empty(&t->waiting));
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->mutex);
}

/* The first of those who wait, and those behind it that may come with it. */
static size_t
take(struct turns *t, struct turn **taken)
{
	size_t n = 0;

	while (n < TURNS_TOGETHER && !list_empty(&t->waiting)) {
		struct turn *turn = container_of(t->waiting.next, struct turn, at);

		if (n > 0 && !(taken[0]->together && turn->together))
			break;
		list_del(&turn->at);
		turn->state = TURN_TAKEN;
		taken[n++] = turn;
	}
	return n;
}

/* Those that were put back keep their place before all that came since. */
static void
give_back(struct turns *t, struct turn **taken, size_t n)
{
	struct list back;

	list_init(&back);
	for (size_t i = 0; i < n; i++) {
		taken[i]->state = taken[i]->again ? TURN_WAITS : TURN_DONE;
		if (taken[i]->again)
			list_add(&back, &taken[i]->at);
		taken[i]->again = false;
	}
	list_move_all(&back, &t->waiting);
	list_move_all(&t->waiting, &back);
}

/* Does the work of the first; the mutex is held, and let go meanwhile. */
static void
work_off(struct turns *t, turns_work *work, void *ctx)
{
	struct turn *taken[TURNS_TOGETHER];
	size_t n = take(t, taken);

	t->busy = true;
	pthread_mutex_unlock(&t->mutex);
	work(ctx, taken, n);
	pthread_mutex_lock(&t->mutex);
	t->busy = false;
	give_back(t, taken, n);
	pthread_cond_broadcast(&t->changed);
}

bool
turns_take(struct turns *t, struct turn *turn, int timeout_ms, turns_work *work, void *ctx)
{
	struct timespec deadline = monotonic_in(timeout_ms);
	bool late = false, done;

	pthread_mutex_lock(&t->mutex);
	turn->state = TURN_WAITS;
	list_init(&turn->at);
	list_add(&t->waiting, &turn->at);
	while (turn->state != TURN_DONE && !(late && turn->state == TURN_WAITS))
		if (!t->busy && t->waiting.next == &turn->at)
			work_off(t, work, ctx);
		else if (turn->state == TURN_TAKEN)
			pthread_cond_wait(&t->changed, &t->mutex);
		else
			late = pthread_cond_timedwait(&t->changed, &t->mutex, &deadline) != 0;
	done = turn->state == TURN_DONE;
	/* Whoever was behind may be the first now. */
	if (!done) {
		list_del(&turn->at);
		pthread_cond_broadcast(&t->changed);
	}
	pthread_mutex_unlock(&t->mutex);
	return done;
}
