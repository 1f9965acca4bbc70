/*
 * http_server.h -- a server of HTTP for tests, which gives the answers that it was told, one for each
 * request, and keeps what it was asked.
 */
#ifndef UNIT_LIBWEIR_HTTP_SERVER_H
#define UNIT_LIBWEIR_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct scripted {
	int status;          /* 0: the connection is closed without a word */
	const char *headers; /* each with its line's end; NULL: none */
	const char *body;    /* NULL: empty */
};

enum { SERVER_REQUESTS_MAX = 64, SERVER_REQUEST_MAX = 4096 };

struct server;

/* Starts one at a free port of 127.0.0.1; after the last answer it gives that again.  The script is borrowed. */
struct server *server_start(const struct scripted *script, size_t n);
void server_stop(struct server *);

/* "http://127.0.0.1:PORT". */
const char *server_url(const struct server *);

/* How many requests and connections there were so far. */
size_t server_requests(struct server *);
size_t server_connections(struct server *);

/* The request, head and body; NULL where there were fewer. */
const char *server_request(struct server *, size_t i);

/* Whether this line is in the request's head, or this its body. */
bool server_was_asked(struct server *, size_t i, const char *line);
const char *server_body(struct server *, size_t i);

/* A URL of this machine where nobody answers. */
const char *server_nobody(void);

#endif
