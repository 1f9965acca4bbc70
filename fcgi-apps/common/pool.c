/* pool.c -- a socket with threads that serve it, one for each connection. */
#include "common/pool.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/stats.h"
#include "base/xalloc.h"
#include "common/listen.h"

enum {
	/* Address space, of which only what is used becomes memory: room for JSON of a thousand levels. */
	STACK_BYTES = 8 << 20,
	REST_MS = 100 /* when a connection can't be had, for want of descriptors mostly */
};

/* What is told once a second at most. */
enum complaint { OVER_LIMIT, ALL_TAKEN, NOT_ACCEPTED, N_COMPLAINTS };

struct worker {
	struct pool *pool;
	struct exchange *exchange; /* owned */
	pthread_t thread;
	bool has_connection;       /* it was not among those that wait, when last counted; its own */
	bool joined;               /* of who stops */
};

struct pool {
	const struct fcgi_pool *conf;
	const struct fcgi_app *app;
	pool_serve *serve;
	int listener;

	pthread_mutex_t accepting; /* held by the one thread that looks for a connection */
	pthread_mutex_t lock;      /* of what follows */
	struct worker *workers;    /* owned; conf->connections of them */
	int n_workers, n_waiting;  /* started; without a connection */

	_Atomic bool closed, cut;  /* nothing comes to the listener any more; connections are not kept */
	stat_t under_way, refused;
	_Atomic int64_t told[N_COMPLAINTS]; /* when, in seconds */
};

static void *work(void *worker);

static void
complain(struct pool *p, enum complaint about, const char *why)
{
	static const char *const events[N_COMPLAINTS] = {
		[OVER_LIMIT] = "too many requests at a time",
		[ALL_TAKEN] = "too many connections",
		[NOT_ACCEPTED] = "no connection accepted",
	};
	struct timespec now;
	int64_t last = p->told[about];

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != last && atomic_compare_exchange_strong(&p->told[about], &last, now.tv_sec))
		diag_warn(events[about], "pool=%s connections=%d limit=%d%s%s", p->conf->name, p->conf->connections, p->conf->limit,
		    why[0] == '\0' ? "" : " reason=", why);
}

struct pool *
pool_open(const struct fcgi_pool *conf, const struct fcgi_app *app, pool_serve *serve)
{
	struct pool *p;
	int listener;

	must(conf->connections > 0 && conf->limit > 0);
	if ((listener = listen_open(conf->path)) < 0)
		return NULL;
	p = xcalloc(1, sizeof *p);
	p->conf = conf;
	p->app = app;
	p->serve = serve;
	p->listener = listener;
	pthread_mutex_init(&p->accepting, NULL);
	pthread_mutex_init(&p->lock, NULL);
	p->workers = xcalloc((size_t)conf->connections, sizeof *p->workers);
	return p;
}

void
pool_free(struct pool *p)
{
	for (int i = 0; i < p->n_workers; i++)
		exchange_free(p->workers[i].exchange);
	close(p->listener);
	pthread_mutex_destroy(&p->accepting);
	pthread_mutex_destroy(&p->lock);
	free(p->workers);
	free(p);
}

/* ---- threads ---- */

static int
start_thread(struct worker *w)
{
	pthread_attr_t attributes;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	error = pthread_create(&w->thread, &attributes, work, w);
	pthread_attr_destroy(&attributes);
	return error;
}

/* Starts one more, with the lock held. */
static void
add_worker(struct pool *p)
{
	struct worker *w = &p->workers[p->n_workers];
	int error;

	w->pool = p;
	w->exchange = exchange_new(p->listener, p->app->body_max, p->app->arena_max);
	if ((error = start_thread(w)) != 0) {
		exchange_free(w->exchange);
		complain(p, NOT_ACCEPTED, strerror(error));
		return;
	}
	p->n_workers++;
	p->n_waiting++;
}

/* The worker has got a connection, or has it no longer. */
static void
note_connection(struct worker *w, bool has)
{
	struct pool *p = w->pool;

	if (w->has_connection == has)
		return;
	w->has_connection = has;
	pthread_mutex_lock(&p->lock);
	p->n_waiting += has ? -1 : 1;
	if (p->n_waiting == 0 && p->n_workers < p->conf->connections)
		add_worker(p);
	else if (p->n_waiting == 0)
		complain(p, ALL_TAKEN, "");
	pthread_mutex_unlock(&p->lock);
}

/* Waits until there may be a connection. */
static void
await_connection(struct worker *w, int error)
{
	struct pool *p = w->pool;
	struct pollfd listener = { .fd = p->listener, .events = POLLIN };

	note_connection(w, false);
	if (error != EAGAIN && error != EINTR) {
		complain(p, NOT_ACCEPTED, strerror(error));
		poll(NULL, 0, REST_MS);
	}
	/* One at a time, lest a connection wakes all that wait. */
	pthread_mutex_lock(&p->accepting);
	poll(&listener, 1, -1);
	pthread_mutex_unlock(&p->accepting);
}

/* The connection's next request, or one of the next connection; false when there will be none. */
static bool
next_request(struct worker *w)
{
	for (;;) {
		/* Looked at first: what came before it was closed is still to be had. */
		bool closed = w->pool->closed;
		int error = exchange_next(w->exchange);

		if (error == 0) {
			note_connection(w, true);
			return true;
		}
		if (closed && error == EAGAIN)
			return false;
		await_connection(w, error);
	}
}

static void *
work(void *worker)
{
	struct worker *w = worker;
	char name[16];

	snprintf(name, sizeof name, "%s", w->pool->conf->name);
	pthread_setname_np(pthread_self(), name);
	while (next_request(w))
		w->pool->serve(w->pool, w->exchange);
	return NULL;
}

void
pool_start(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	add_worker(p);
	must(p->n_workers == 1);
	pthread_mutex_unlock(&p->lock);
}

/* ---- the end ---- */

void
pool_stop(struct pool *p)
{
	listen_stop(p->listener, p->conf->path);
	p->closed = true;
}

bool
pool_ended(struct pool *p, bool cut)
{
	bool all = true;

	p->cut = cut;
	pthread_mutex_lock(&p->lock);
	for (int i = 0; i < p->n_workers; i++) {
		struct worker *w = &p->workers[i];

		if (!w->joined && cut && w->exchange->waits)
			pthread_kill(w->thread, SIGUSR1);
		w->joined = w->joined || pthread_tryjoin_np(w->thread, NULL) == 0;
		all = all && w->joined;
	}
	pthread_mutex_unlock(&p->lock);
	return all;
}

bool
pool_keeps(const struct pool *p)
{
	return !p->cut;
}

/* ---- counting ---- */

bool
pool_enter(struct pool *p)
{
	if (atomic_fetch_add(&p->under_way, 1) < (uint64_t)p->conf->limit)
		return true;
	pool_leave(p);
	stat_add(&p->refused, 1);
	complain(p, OVER_LIMIT, "");
	return false;
}

void
pool_leave(struct pool *p)
{
	atomic_fetch_sub(&p->under_way, 1);
}

const char *
pool_name(const struct pool *p)
{
	return p->conf->name;
}

uint64_t
pool_under_way(const struct pool *p)
{
	return stat_get(&p->under_way);
}

uint64_t
pool_refused(const struct pool *p)
{
	return stat_get(&p->refused);
}
