/*
 * fcgi.h -- serves an app behind a web server, by FastCGI.
 *
 * A pool is a listening socket with threads of its own, so that one kind of request
 * can't take another's threads.  With libfcgi a thread belongs to its connection until
 * the web server closes it; so a pool has more threads (`connections`) than requests
 * that it works on at a time (`limit`).  Beyond the limit the answer is 503 with
 * Retry-After, at once.  Threads are started as connections come.
 */
#ifndef COMMON_FCGI_H
#define COMMON_FCGI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/router.h"

struct fcgi_pool {
	const char *name; /* in the log and in metrics */
	char *path;       /* of the socket; made with mode 0660, taken over when left by a dead process */
	int connections;  /* most that the web server may hold at a time */
	int limit;        /* most requests under way */
};

struct fcgi_app {
	const char *name;             /* "registry": in the log */
	struct app *app;              /* handed to the handlers */
	const struct router *router;
	const char *problem_type;     /* Content-Type of errors before a handler was found; NULL: application/json */
	size_t body_max;              /* bytes of a request's body; beyond: 413 */
	size_t arena_max;             /* bytes of a request's arena */

	/*
	 * Called before the route is looked for; may take the beginning of the path away, and keep what it
	 * said in the request's scope.  True: go on, false: the response is made.  NULL: none.
	 */
	bool (*arrive)(struct app *, struct http_request *, struct http_response *);

	/*
	 * Called before the route's handler, when the body has not been read yet; true: go
	 * on, false: the response is made.  For content negotiation and access.  NULL: none.
	 */
	bool (*before)(struct app *, const struct route *, struct http_request *, struct http_response *);
};

/*
 * Serves the pools until SIGTERM or SIGINT.  First opens all sockets, then calls
 * `ready` (NULL: none).  On the signal it takes no new connections, and serves those
 * that are open until the web server lets go of them, or `stop_ms` have passed; then
 * it closes them, which may lose a request that is just being sent.  Of nginx, the
 * upstream's keepalive_timeout and keepalive_time bound how long that takes.  Waits
 * for handlers, whatever they do: those that take long look at fcgi_stopping().  The
 * second signal ends the process at once.  Returns 0; or -1 when a socket can't be
 * opened, with a line in the log.
 *
 * The caller has blocked no signals; fcgi_run() handles SIGTERM, SIGINT, SIGPIPE and
 * SIGUSR1, which it needs for itself.  Called once, by the main thread, and before
 * the process has other threads that make files: it changes the umask for a moment.
 */
int fcgi_run(const struct fcgi_app *, const struct fcgi_pool *, size_t n_pools, int stop_ms,
    void (*ready)(void *), void *ready_ctx);

/* Whether the process has been told to stop: for handlers that wait or stream.  Any thread. */
bool fcgi_stopping(void);

/*
 * While fcgi_run() runs: appends the counters of all pools and routes in the text format of Prometheus:
 * requests by route and class of status, requests under way, refused ones, seconds.
 * Any thread.
 */
void fcgi_metrics(struct buf *to);

#endif
