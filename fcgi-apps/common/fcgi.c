/* fcgi.c -- an app's requests from the connections to its handlers; its beginning and its end. */
#include "common/fcgi.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/monotonic.h"
#include "base/xalloc.h"
#include "common/counts.h"
#include "common/pool.h"
#include "common/problem.h"

enum {
	TURN_MS = 10,   /* between two looks at whether threads have ended */
	TRIM_MS = 10000 /* between two times that memory is given back */
};

/* The one app of the process. */
static struct {
	const struct fcgi_app *app; /* NULL: not running */
	struct pool **pools;
	size_t n_pools;
	struct counts *counts;
} server;

static sem_t told;
static _Atomic int times_told;

bool
fcgi_stopping(void)
{
	return times_told > 0;
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- a request ---- */

static void
answer_problem(struct exchange *x, const struct problem *problem)
{
	problem_answer(&x->response, server.app->problem_type, problem);
}

static void
allow(struct exchange *x)
{
	struct buf methods = { 0 };
	const void *copy;

	router_allow(server.app->router, &x->request, &methods);
	copy = methods.failed ? NULL : arena_copy(x->request.arena, methods.p, methods.n);
	if (copy != NULL)
		http_header(&x->response, "Allow", span_of(copy, methods.n));
	buf_done(&methods);
}

/* The route, or NULL when there is none and the response says so. */
static const struct route *
find_route(struct exchange *x)
{
	static const struct problem *const problems[] = {
		[ROUTER_NOT_FOUND] = &problem_not_found,
		[ROUTER_METHOD_NOT_ALLOWED] = &problem_method_not_allowed,
		[ROUTER_NO_MEMORY] = &problem_internal,
	};
	const struct route *route;
	enum router_result result = router_find(server.app->router, &x->request, &route);

	if (result != ROUTER_FOUND)
		answer_problem(x, problems[result]);
	if (result == ROUTER_METHOD_NOT_ALLOWED)
		allow(x);
	return route;
}

/* Fills the response; false when nobody waits for it. */
static bool
run(struct exchange *x, const struct route *route)
{
	const struct fcgi_app *app = server.app;

	if (app->before != NULL && !app->before(app->app, route, &x->request, &x->response))
		return true;
	if (route->flags & ROUTE_STREAM)
		exchange_begin_stream(x);
	else {
		enum exchange_body body = exchange_read_body(x);

		if (body == EXCHANGE_BODY_TOO_LARGE)
			answer_problem(x, &problem_too_large);
		if (body != EXCHANGE_BODY_WHOLE)
			return body != EXCHANGE_BODY_BROKEN;
	}
	route->run(app->app, &x->request, &x->response);
	if (x->response.body.failed) {
		http_response_sent(&x->response, false);
		answer_problem(x, &problem_internal);
	}
	return true;
}

static void
note(const struct exchange *x, const struct route *route, int64_t began)
{
	int64_t took = now_ns() - began;

	counts_add(server.counts, route, x->response.status, took);
	if (x->response.status >= 500)
		diag_warn("request failed", "id=%.*s route=%s status=%d ms=%" PRId64, (int)x->request.id.n, (const char *)x->request.id.p,
		    route == NULL ? "none" : route->name, x->response.status, took / 1000000);
}

static bool
arrive(struct exchange *x)
{
	const struct fcgi_app *app = server.app;

	return app->arrive == NULL || app->arrive(app->app, &x->request, &x->response);
}

/* Answers the request; false when nobody waits for that. */
static bool
answer(struct exchange *x)
{
	int64_t began = now_ns();
	const struct route *route = arrive(x) ? find_route(x) : NULL;
	bool wanted = route == NULL || run(x, route);

	if (wanted)
		note(x, route, began);
	return wanted;
}

static void
serve(struct pool *pool, struct exchange *x)
{
	bool wanted = true;

	x->request.pool = pool_name(pool);
	if (pool_enter(pool)) {
		wanted = answer(x);
		/* Before whoever has the answer asks again. */
		pool_leave(pool);
	} else
		answer_problem(x, &problem_unavailable);
	if (wanted)
		exchange_end(x, pool_keeps(pool));
	else
		exchange_break(x);
}

/* ---- beginning and end ---- */

/* The first time: an end in order; the second: at once. */
static void
on_stop(int signal_number)
{
	int saved = errno;

	(void)signal_number;
	if (atomic_fetch_add(&times_told, 1) > 0)
		_exit(EXIT_FAILURE);
	sem_post(&told);
	errno = saved;
}

/* Does nothing but to interrupt what a thread waits for. */
static void
on_cut(int signal_number)
{
	(void)signal_number;
}

static void
handle(int signal_number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_flags = flags };

	action.sa_handler = handler;
	sigemptyset(&action.sa_mask);
	must(sigaction(signal_number, &action, NULL) == 0);
}

static void
set_up(const struct fcgi_app *app)
{
	must(server.app == NULL);
	must(sem_init(&told, 0, 0) == 0);
	exchange_setup();
	/* Behind libfcgi, which has handlers of its own. */
	handle(SIGPIPE, SIG_IGN, 0);
	handle(SIGHUP, SIG_IGN, 0); /* settings are read at the start only; it is no reason to end */
	handle(SIGUSR1, on_cut, 0);
	handle(SIGTERM, on_stop, SA_RESTART);
	handle(SIGINT, on_stop, SA_RESTART);
	server.app = app;
	server.counts = counts_new(app->name, app->router);
}

/* Now and then, what was freed in pieces among others goes back: malloc by itself gives back the end of its heap. */
static void
await_stop(void)
{
	struct timespec until;

	do {
		malloc_trim(0);
		until = monotonic_in(TRIM_MS);
	} while (sem_clockwait(&told, CLOCK_MONOTONIC, &until) != 0);
}

static bool
open_pools(const struct fcgi_pool *conf, size_t n)
{
	server.pools = xcalloc(n, sizeof *server.pools);
	for (; server.n_pools < n; server.n_pools++)
		if ((server.pools[server.n_pools] = pool_open(&conf[server.n_pools], server.app, serve)) == NULL)
			return false;
	return true;
}

static void
stop_pools(void)
{
	for (size_t i = 0; i < server.n_pools; i++)
		pool_stop(server.pools[i]);
}

/* Threads take no signals but to be cut: what they wait for must not be interrupted else. */
static void
start_pools(void)
{
	sigset_t stops, before;

	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stops, &before);
	for (size_t i = 0; i < server.n_pools; i++)
		pool_start(server.pools[i]);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Waits until the threads of all pools have ended; after a while their connections are cut. */
static void
join_pools(int stop_ms)
{
	int64_t end = now_ns() + (int64_t)stop_ms * 1000000;
	bool all;

	do {
		bool cut = now_ns() >= end;

		all = true;
		for (size_t i = 0; i < server.n_pools; i++)
			all = pool_ended(server.pools[i], cut) && all;
	} while (!all && (poll(NULL, 0, TURN_MS), true));
}

static void
tear_down(void)
{
	for (size_t i = 0; i < server.n_pools; i++)
		pool_free(server.pools[i]);
	free(server.pools);
	counts_free(server.counts);
	server.n_pools = 0;
	server.counts = NULL;
}

int
fcgi_run(const struct fcgi_app *app, const struct fcgi_pool *conf, size_t n_pools, int stop_ms,
    void (*ready)(void *), void *ready_ctx)
{
	bool opened;

	set_up(app);
	if ((opened = open_pools(conf, n_pools))) {
		start_pools();
		diag_info("ready", "app=%s", app->name);
		if (ready != NULL)
			ready(ready_ctx);
		await_stop();
		diag_info("stopping", "app=%s", app->name);
	}
	stop_pools();
	join_pools(stop_ms);
	tear_down();
	if (opened)
		diag_info("stopped", "app=%s", app->name);
	return opened ? 0 : -1;
}

/* ---- metrics ---- */

static void
print_pools(struct buf *to, const char *name, const char *type, uint64_t (*value)(const struct pool *))
{
	buf_printf(to, "# TYPE %s %s\n", name, type);
	for (size_t i = 0; i < server.n_pools; i++)
		buf_printf(to, "%s{pool=\"%s\"} %" PRIu64 "\n", name, pool_name(server.pools[i]), value(server.pools[i]));
}

void
fcgi_metrics(struct buf *to)
{
	counts_print(server.counts, to);
	print_pools(to, "weir_http_requests_under_way", "gauge", pool_under_way);
	print_pools(to, "weir_http_refused_total", "counter", pool_refused);
}
