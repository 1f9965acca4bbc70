/*
 * pool.h -- a socket with threads that serve it, one for each connection.
 *
 * A thread has its connection until the web server closes it.  There is always one
 * thread more than there are connections, up to the limit of these.
 */
#ifndef COMMON_POOL_H
#define COMMON_POOL_H

#include "common/exchange.h"
#include "common/fcgi.h"

struct pool;

/* Serves the exchange's request, and ends its turn. */
typedef void pool_serve(struct pool *, struct exchange *);

/*
 * Opens the socket; NULL, with a line in the log, when that can't be.  `conf` and `app`
 * are borrowed.  One thread opens, starts, stops and frees pools.
 */
struct pool *pool_open(const struct fcgi_pool *conf, const struct fcgi_app *app, pool_serve *serve);

/* Starts the first thread. */
void pool_start(struct pool *);

/* Takes no new connections; a thread whose connection is closed ends. */
void pool_stop(struct pool *);

/*
 * Whether all threads have ended.  `cut`: closes connections without waiting for the
 * web server, after the request that is under way, if there is one; to be called until it is true.
 */
bool pool_ended(struct pool *, bool cut);

/* Frees a pool whose threads have ended, or were not started. */
void pool_free(struct pool *);

/* Whether connections are to be kept: until they are cut.  Any thread. */
bool pool_keeps(const struct pool *);

/* Counts a request as under way; false, and it is counted as refused, where there are too many.  Any thread. */
bool pool_enter(struct pool *);
void pool_leave(struct pool *);

/* What has been counted.  Any thread. */
const char *pool_name(const struct pool *);
uint64_t pool_under_way(const struct pool *);
uint64_t pool_refused(const struct pool *);

#endif
