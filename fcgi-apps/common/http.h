/*
 * http.h -- a request and its response as plain structs.
 *
 * Whoever has a request in hand can make one: unit tests do so without FastCGI.  All
 * of a request is borrowed from its arena or from what the web server sent, and lives
 * until the response has been sent.
 */
#ifndef COMMON_HTTP_H
#define COMMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"

enum http_method {
	HTTP_GET,
	HTTP_HEAD, /* answered as GET; the web server leaves the body out */
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_OTHER
};

enum {
	HTTP_ARGS_MAX = 6,
	HTTP_HEADERS_MAX = 8,
	HTTP_VALUES_MAX = 100 /* of one parameter of a query; what comes behind is not seen */
};

struct http_stream;

struct http_request {
	enum http_method method;
	struct span path;         /* REQUEST_URI up to the question mark, as the client sent it */
	struct span query;        /* behind it; null: none */
	struct span content_type; /* the header; null: none */
	struct span accept;
	struct span host;         /* with the port, as the client sent it */
	struct span scheme;       /* "http" or "https" */
	struct span user;         /* whom the web server has authenticated; null: nobody */
	struct span id;           /* X-Request-ID: the client's if it is up to 128 visible ASCII characters but " ' \, else ours */
	struct span body;         /* whole, less UTF-8's byte order mark; empty when there is none, or when it is a stream */
	struct http_stream *stream; /* of a route that streams: body in, pieces of the answer out */
	const char *pool;         /* the name of the pool that serves it */
	struct arena *arena;      /* for all that the answer needs */
	struct span scope;        /* of the app's `arrive`: what its path said the rest is about; null: nothing */

	/* Whether the web server has let go of it: nobody waits for an answer.  Any thread, while it is answered.  NULL: of one made by hand. */
	bool (*gone)(struct http_request *);

	struct span args[HTTP_ARGS_MAX]; /* by the router: the {parts} of the pattern, percent-decoded, in order */
};

struct http_header {
	const char *name;
	struct span value; /* checked when sent: no control characters */
};

struct http_response {
	int status;       /* 200 */
	const char *type; /* Content-Type; NULL: there is no body */
	struct buf body;  /* owned; ended by whoever sends it */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	/*
	 * Called once, when all of the response has gone to the web server (`whole`), or when it is known
	 * that it won't: nobody waits for it any more, or another is sent in its place.  NULL: none.
	 */
	void (*sent)(void *, bool whole);
	void *sent_to;
};

/* The name of a method other than HTTP_OTHER, and the method of a name. */
const char *http_method_name(enum http_method);
enum http_method http_method_parse(struct span name);

/* An empty response with status 200.  http_response_done() frees the body. */
void http_response_init(struct http_response *);
void http_response_done(struct http_response *);

/* Calls response->sent(), unless that was done before. */
void http_response_sent(struct http_response *, bool whole);

/* Whether nobody waits for the answer any more. */
bool http_gone(struct http_request *);

/* Adds a header; the value is borrowed until the response is sent.  More than HTTP_HEADERS_MAX is our bug. */
void http_header(struct http_response *, const char *name, struct span value);

/*
 * Percent-decodes into the arena, once; `plus`: + is a blank (query strings).  The
 * null span when a % is not followed by two hexadecimal digits, when the result has a
 * zero byte or is no UTF-8, or when the arena is used up.
 */
struct span http_decode(struct arena *, struct span text, bool plus);

/* The same to where there is room for text.n bytes; null when malformed. */
struct span http_decode_to(uint8_t *to, struct span text, bool plus);

/* Appends it percent-encoded, fit to be one segment of a path (RFC 3986: unreserved characters stay). */
void http_encode(struct buf *to, struct span text);

/*
 * The value of the query's first parameter of this name, decoded; the null span when
 * there is none or it is malformed.  A parameter without = is empty.
 */
struct span http_query(const struct http_request *, const char *name);

/* The n-th (from 0, below HTTP_VALUES_MAX) value of a parameter that may come several times. */
struct span http_query_nth(const struct http_request *, const char *name, size_t n);

/* True only for "true" in any case. */
bool http_query_bool(const struct http_request *, const char *name);

/* The number, or `absent` when there is no such parameter or it is blank; false when it is no integer of 32 bits. */
bool http_query_int(const struct http_request *, const char *name, int32_t absent, int32_t *out);

/* A media type such as a route gives or takes.  quality: from 1 to 1000, how much we like to give it. */
struct http_media {
	const char *type;
	int quality;
};

/*
 * Content negotiation (RFC 9110, section 12.5.1): of the types that can be given (ended
 * by a NULL), the one with the highest product of the client's q and our quality, the
 * earlier of equals; NULL when the client takes none of them.  A null or empty Accept
 * takes everything.  Parameters other than q, and what can't be parsed, are ignored.
 */
const char *http_negotiate(struct span accept, const struct http_media *);

/* The type and subtype of a Content-Type, in lower case, without parameters; arena.  Null for null, and when that is used up. */
struct span http_media_type(struct arena *, struct span content_type);

/* The charset of a Content-Type, as it was sent, without quotes; null: it names none. */
struct span http_charset(struct span content_type);

/* The reason phrase of a status from 100 to 599: "Not Found". */
const char *http_reason(int status);

/*
 * A stream's body: reads what has come, at most `n` bytes (n > 0), waiting for the
 * first.  0 at the end, -1 when the client is gone or the app ends.  From the first
 * call on, as much as a body may have is read ahead of the handler; a client that is
 * farther ahead of it than that may be stuck, once an answer has been sent.
 */
int64_t http_stream_read(struct http_stream *, void *to, size_t n);

/*
 * Sends a piece of the answer; the first call sends status and headers of the response
 * before it.  From the first read of the body until its end, pieces are held until a
 * read finds that no more has come, which is when the client may wait for them.  False
 * when the client is gone; then there is no use in going on.
 */
bool http_stream_write(struct http_stream *, const struct http_response *, struct span piece);

#endif
