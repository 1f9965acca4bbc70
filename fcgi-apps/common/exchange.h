/*
 * exchange.h -- requests and answers over a connection of the web server, one after
 * the other.  The only user of libfcgi.
 *
 *	while ((error = exchange_next(x)) == 0) {
 *		...x->request...
 *		exchange_read_body(x)
 *		...x->response...
 *		exchange_end(x, keep);
 *	}
 *
 * Each thread has its own.
 */
#ifndef COMMON_EXCHANGE_H
#define COMMON_EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/http.h"

struct exchange {
	struct http_request request;   /* of this turn, without body */
	struct http_response response; /* what it shall get */
	_Atomic bool waits;            /* for the web server; a signal makes an end of that, and of the connection */
};

/* Once, before the others. */
void exchange_setup(void);

/*
 * Owned; aborts without memory.  `listener`: a socket that does not block, and outlives
 * it; `body_max`: bytes of a body; `arena_max`: of a request's arena.
 */
struct exchange *exchange_new(int listener, size_t body_max, size_t arena_max);
void exchange_free(struct exchange *);

/*
 * Waits for the next request: on the connection that was kept, else on a new one.  0, or
 * an errno: EAGAIN when there is no connection, neither kept nor waiting at the listener.
 */
int exchange_next(struct exchange *);

enum exchange_body {
	EXCHANGE_BODY_WHOLE,
	EXCHANGE_BODY_TOO_LARGE,
	EXCHANGE_BODY_BROKEN /* the client is gone: nobody waits for an answer */
};

/* Reads the request's body. */
enum exchange_body exchange_read_body(struct exchange *);

/* The request's body is not to be read beforehand, and the answer may come in pieces. */
void exchange_begin_stream(struct exchange *);

/*
 * Sends the response, unless it went in pieces, and frees all that the turn has taken.
 * What is left of the request's body is read up to a limit.  The connection is closed
 * if there is more, if something failed, or if it is not to be kept.
 */
void exchange_end(struct exchange *, bool keep);

/* Ends the turn without an answer, and closes the connection. */
void exchange_break(struct exchange *);

#endif
