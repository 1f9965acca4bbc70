/*
 * http.h -- requests of HTTP and their answers, by libcurl; for libweir alone.
 *
 * A client is for one kind of request: JSON to a schema registry.  It knows of no retries.
 */
#ifndef LIBWEIR_HTTP_H
#define LIBWEIR_HTTP_H

#include "base/buf.h"
#include "base/bytes.h"
#include "libweir/client.h"

/* Where a registry answers. */
struct http_place {
	char *url;             /* owned; less user, password and slashes at its end: what may be shown to people */
	char *user, *password; /* owned; NULL: none */
};

/* Reads a URL; false with `why` filled.  http_place_done() is needed in any case. */
bool http_place_read(struct http_place *, struct span text, struct weir_error *why);
void http_place_done(struct http_place *);

/* What goes for all requests; borrowed. */
struct http_settings {
	const char *user_info; /* user:password, where the URL has none; NULL: none */
	const char *token;     /* NULL: none */
	const char *ca, *certificate, *key; /* PEM files; NULL: none */
	long connect_ms, read_ms;
};

struct http;

/* Owned; NULL: no memory. */
struct http *http_new(const struct http_settings *);
void http_free(struct http *);

struct http_request {
	const char *method;
	const struct http_place *place;
	const char *target; /* from the slash behind the place's URL on */
	struct span body;   /* null: none */
	size_t answer_max;  /* bytes; a larger answer is WEIR_TOO_LARGE */
};

struct http_reply {
	int status;
	struct buf body;     /* owned */
	char location[128];  /* of an answer that points elsewhere; else "" */
	long retry_after_ms; /* 0: it does not say */
};

/*
 * Sends the request and reads its answer, whatever its status.  False with `why` filled when there is
 * none; `*again` says whether there may be one another time.  The body is to be freed in any case.
 * Any thread.
 */
bool http_ask(struct http *, const struct http_request *, struct http_reply *, bool *again, struct weir_error *why);

#endif
