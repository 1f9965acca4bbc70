/* ahead.c -- a thread that reads ahead. */
#include "common/ahead.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/monotonic.h"
#include "base/xalloc.h"

enum { STACK_BYTES = 256 << 10, PIECE = 8192 };

struct ahead {
	size_t max;
	ahead_source *source;
	void *ctx;
	pthread_t thread;

	/* Semaphores, since a signal ends a wait for these. */
	sem_t more, room;

	pthread_mutex_t lock; /* of what follows */
	struct buf in;        /* what has been read */
	bool stop;
	bool ended;           /* with `result` of the last read */
	int64_t result;

	struct buf out;       /* what is given out, of the one who takes it; from `taken` on */
	size_t taken;
};

/* Waits until there is room, or the end. */
static bool
await_room(struct ahead *a)
{
	bool full, stop;

	for (;;) {
		pthread_mutex_lock(&a->lock);
		full = a->in.n >= a->max;
		stop = a->stop || a->in.failed;
		pthread_mutex_unlock(&a->lock);
		if (stop || !full)
			return !stop;
		sem_wait(&a->room);
	}
}

static void *
read_all(void *ctx)
{
	struct ahead *a = ctx;
	uint8_t piece[PIECE];
	int64_t n = -1;

	while (await_room(a) && (n = a->source(a->ctx, piece, sizeof piece)) > 0) {
		pthread_mutex_lock(&a->lock);
		buf_put(&a->in, piece, (size_t)n);
		pthread_mutex_unlock(&a->lock);
		sem_post(&a->more);
	}
	pthread_mutex_lock(&a->lock);
	a->ended = true;
	a->result = n > 0 ? -1 : n;
	pthread_mutex_unlock(&a->lock);
	sem_post(&a->more);
	return NULL;
}

static int
start_thread(struct ahead *a)
{
	pthread_attr_t attributes;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	error = pthread_create(&a->thread, &attributes, read_all, a);
	pthread_attr_destroy(&attributes);
	return error;
}

static void
release(struct ahead *a)
{
	sem_destroy(&a->more);
	sem_destroy(&a->room);
	pthread_mutex_destroy(&a->lock);
	buf_done(&a->in);
	buf_done(&a->out);
	free(a);
}

struct ahead *
ahead_start(size_t max, ahead_source *source, void *ctx)
{
	struct ahead *a = xcalloc(1, sizeof *a);

	a->max = max;
	a->source = source;
	a->ctx = ctx;
	sem_init(&a->more, 0, 0);
	sem_init(&a->room, 0, 0);
	pthread_mutex_init(&a->lock, NULL);
	if (start_thread(a) == 0)
		return a;
	release(a);
	return NULL;
}

/* Takes over what was read, once what was taken over before is given out; false when there is nothing. */
static bool
take(struct ahead *a, int64_t *result)
{
	struct buf empty = a->out;
	bool any;

	buf_reset(&empty);
	pthread_mutex_lock(&a->lock);
	any = a->in.n > 0;
	if (any) {
		a->out = a->in;
		a->in = empty;
		a->taken = 0;
	}
	*result = a->ended ? a->result : 1;
	pthread_mutex_unlock(&a->lock);
	if (any)
		sem_post(&a->room);
	return any;
}

/* Whether there is something to give out, or an end to tell. */
static bool
has(struct ahead *a, int64_t *result)
{
	return a->taken < a->out.n || take(a, result) || *result <= 0;
}

bool
ahead_ready(struct ahead *a, int ms)
{
	int64_t result;
	struct timespec until = monotonic_in(ms);

	while (!has(a, &result))
		if (ms == 0 || sem_clockwait(&a->more, CLOCK_MONOTONIC, &until) != 0)
			return false;
	return true;
}

int64_t
ahead_read(struct ahead *a, void *to, size_t n)
{
	int64_t result = 0;

	while (!has(a, &result))
		if (sem_wait(&a->more) != 0)
			return -1;
	if (a->taken == a->out.n)
		return result;
	n = n < a->out.n - a->taken ? n : a->out.n - a->taken;
	memcpy(to, a->out.p + a->taken, n);
	a->taken += n;
	return (int64_t)n;
}

/* Tells the thread to end; whether it has no more to wait for. */
static bool
tell_to_stop(struct ahead *a)
{
	bool ended;

	pthread_mutex_lock(&a->lock);
	a->stop = true;
	ended = a->ended;
	pthread_mutex_unlock(&a->lock);
	return ended;
}

void
ahead_stop(struct ahead *a)
{
	bool ended = tell_to_stop(a);

	sem_post(&a->room);
	if (ended)
		pthread_join(a->thread, NULL);
	/* Again and again, since the signal may come before the wait. */
	while (!ended && pthread_tryjoin_np(a->thread, NULL) != 0) {
		pthread_kill(a->thread, SIGUSR1);
		poll(NULL, 0, 1);
	}
	release(a);
}
