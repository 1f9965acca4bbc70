/* exchange.c -- requests and answers by FastCGI, through libfcgi. */
#include "common/exchange.h"

#include <errno.h>
#include <fcgiapp.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/must.h"
#include "base/uuid.h"
#include "base/xalloc.h"
#include "common/ahead.h"

enum {
	DRAIN_MAX = 16 << 20, /* bytes of an unwanted body that are read, so that the connection can be kept */
	PIECE = 1 << 16,     /* bytes asked of libfcgi at a time */
	BODY_KEPT = 1 << 16, /* memory for bodies that is kept from one request to the next */
	PAUSE_MS = 20,       /* when nothing has come for so long, the client waits for an answer */
	ID_MAX = 128         /* characters of a client's request id */
};

struct http_stream {
	struct ahead *ahead; /* owned; NULL: nothing was read yet */
	bool read;           /* all of the body was */
	struct buf held;     /* of the answer, not sent yet */
	bool begun;          /* status and headers are in what is held, or sent */
	bool sent;           /* they are sent */
	bool failed;         /* the client is gone */
};

struct connection {
	struct exchange x;
	FCGX_Request fcgi;
	struct arena arena;
	struct buf body, head;
	struct span length; /* CONTENT_LENGTH; null: not told */
	struct http_stream stream;
	char id[UUID_RFC_TEXT + 1];
	size_t body_max;
};

static struct connection *
connection_of(struct exchange *x)
{
	return container_of(x, struct connection, x);
}

void
exchange_setup(void)
{
	/* How long libfcgi waits for the web server to close its end, once we have closed ours: it does so at once. */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "200", 0);
	must(FCGX_Init() == 0);
}

struct exchange *
exchange_new(int listener, size_t body_max, size_t arena_max)
{
	struct connection *c = xcalloc(1, sizeof *c);

	must(FCGX_InitRequest(&c->fcgi, listener, 0) == 0);
	c->body_max = body_max;
	arena_init(&c->arena, arena_max);
	return &c->x;
}

void
exchange_free(struct exchange *x)
{
	struct connection *c = connection_of(x);

	buf_done(&c->body);
	buf_done(&c->head);
	arena_done(&c->arena);
	free(c);
}

/* ---- the request ---- */

/* What is of use among what the web server tells. */
struct told {
	struct span method, uri, length, type, accept, host, scheme, user, id;
};

static void
read_parameter(struct told *to, const char *parameter)
{
	static const struct {
		const char *name;
		size_t offset;
	} known[] = {
		{ "REQUEST_METHOD", offsetof(struct told, method) },
		{ "REQUEST_URI", offsetof(struct told, uri) },
		{ "REQUEST_SCHEME", offsetof(struct told, scheme) },
		{ "REMOTE_USER", offsetof(struct told, user) },
		{ "CONTENT_LENGTH", offsetof(struct told, length) },
		{ "CONTENT_TYPE", offsetof(struct told, type) },
		{ "HTTP_ACCEPT", offsetof(struct told, accept) },
		{ "HTTP_HOST", offsetof(struct told, host) },
		{ "HTTP_X_REQUEST_ID", offsetof(struct told, id) },
	};
	const char *equals = strchr(parameter, '=');

	for (size_t i = 0; equals != NULL && i < sizeof known / sizeof *known; i++) {
		struct span *value = (struct span *)(void *)((char *)to + known[i].offset);

		if (!span_is(span_of(parameter, (size_t)(equals - parameter)), known[i].name))
			continue;
		/* Empty is what nginx tells of a variable that has no value.  The first is the web server's own. */
		if (value->p == NULL && equals[1] != '\0')
			*value = span_str(equals + 1);
		return;
	}
}

/* A client's id goes into logs and headers: it is taken if it is short and harmless there. */
static bool
is_good_id(struct span id)
{
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] <= ' ' || id.p[i] >= 0x7f || strchr("\"'\\", id.p[i]) != NULL)
			return false;
	return id.n > 0 && id.n <= ID_MAX;
}

/* A random id (RFC 9562, version 4). */
static struct span
make_id(char to[UUID_RFC_TEXT + 1])
{
	uint8_t id[UUID_BYTES];

	must(getrandom(id, sizeof id, 0) == sizeof id);
	uuid_set_random(id);
	uuid_rfc_text(id, to);
	return span_of(to, UUID_RFC_TEXT);
}

/* nginx closes the connection of a request that it gives up. */
static bool
is_gone(struct http_request *request)
{
	struct connection *c = connection_of(container_of(request, struct exchange, request));
	struct pollfd at = { .fd = c->fcgi.ipcFd, .events = POLLRDHUP };

	return poll(&at, 1, 0) > 0;
}

static void
fill_request(struct connection *c)
{
	struct told told = { 0 };
	const uint8_t *mark;

	for (char **p = c->fcgi.envp; *p != NULL; p++)
		read_parameter(&told, *p);
	c->x.request = (struct http_request){
		.method = http_method_parse(told.method),
		.path = told.uri,
		.content_type = told.type,
		.accept = told.accept,
		.host = told.host,
		.scheme = told.scheme,
		.user = told.user,
		.id = is_good_id(told.id) ? told.id : make_id(c->id),
		.body = span_of("", 0),
		.arena = &c->arena,
		.gone = is_gone,
	};
	c->length = told.length;
	if (told.uri.p != NULL && (mark = memchr(told.uri.p, '?', told.uri.n)) != NULL) {
		c->x.request.path.n = (size_t)(mark - told.uri.p);
		c->x.request.query = span_of(mark + 1, told.uri.n - c->x.request.path.n - 1);
	}
}

int
exchange_next(struct exchange *x)
{
	struct connection *c = connection_of(x);
	int error;

	x->waits = true;
	error = FCGX_Accept_r(&c->fcgi);
	x->waits = false;
	if (error != 0)
		return error > -4096 ? -error : EAGAIN;
	fill_request(c);
	http_response_init(&x->response);
	c->stream = (struct http_stream){ 0 };
	return 0;
}

/* ---- its body ---- */

/* Up to n bytes, fewer only at the end of the body. */
static size_t
read_some(struct connection *c, void *to, size_t n)
{
	int got;

	c->x.waits = true;
	got = FCGX_GetStr(to, (int)n, c->fcgi.in);
	c->x.waits = false;
	return (size_t)got;
}

/* A length as the web server tells it, at most `most`; false when there is none. */
static bool
parse_length(struct span text, size_t most, size_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n > most / 10 ? most : n * 10 + (text.p[i] - '0');
		n = n > most ? most : n;
	}
	*out = n;
	return text.n > 0;
}

/* A body less the byte order mark that some programs put before all that they write: all of ours are JSON. */
static struct span
without_mark(struct span body)
{
	static const uint8_t mark[] = { 0xef, 0xbb, 0xbf };
	bool has = body.n >= sizeof mark && memcmp(body.p, mark, sizeof mark) == 0;

	return has ? span_of(body.p + sizeof mark, body.n - sizeof mark) : body;
}

enum exchange_body
exchange_read_body(struct exchange *x)
{
	struct connection *c = connection_of(x);
	size_t most = c->body_max + 1, length = 0, want, got;
	bool told = parse_length(c->length, most, &length);

	if (length == most)
		return EXCHANGE_BODY_TOO_LARGE;
	buf_room(&c->body, length + 1);
	do {
		uint8_t *room;

		want = most - c->body.n < PIECE ? most - c->body.n : PIECE;
		room = buf_room(&c->body, want);
		must(room != NULL);
		got = read_some(c, room, want);
		c->body.n += got;
	} while (got == want && c->body.n < most);
	if (FCGX_GetError(c->fcgi.in) != 0 || (told && c->body.n != length))
		return EXCHANGE_BODY_BROKEN;
	if (c->body.n == most)
		return EXCHANGE_BODY_TOO_LARGE;
	if (c->body.n > 0)
		x->request.body = without_mark(buf_bytes(&c->body));
	return EXCHANGE_BODY_WHOLE;
}

/* ---- what is left of it ---- */

/* What has come of the body, at least a byte. */
static int64_t
read_what_came(void *ctx, void *to, size_t n)
{
	struct connection *c = ctx;
	FCGX_Stream *in = c->fcgi.in;
	int first = FCGX_GetChar(in);
	size_t more;

	if (first == EOF)
		return FCGX_GetError(in) == 0 ? 0 : -1;
	*(uint8_t *)to = (uint8_t)first;
	/* FCGX_GetStr() waits for all that it is asked for: so for no more than is there. */
	more = (size_t)(in->stop - in->rdNext);
	more = more < n - 1 ? more : n - 1;
	return 1 + FCGX_GetStr((char *)to + 1, (int)more, in);
}

/* Whether the rest of the body will come soon: not so with one that goes through the web server as it comes. */
static bool
comes_soon(const struct connection *c)
{
	enum http_method method = c->x.request.method;

	return c->x.request.stream == NULL &&
	    (c->length.p != NULL || (method != HTTP_POST && method != HTTP_PUT && method != HTTP_PATCH));
}

static bool
is_at_end(struct connection *c)
{
	return FCGX_HasSeenEOF(c->fcgi.in) || FCGX_GetError(c->fcgi.in) != 0;
}

static struct ahead *
read_ahead(struct connection *c)
{
	if (c->stream.ahead == NULL)
		c->stream.ahead = ahead_start(c->body_max, read_what_came, c);
	return c->stream.ahead;
}

/* Reads what has come of the body, and no more. */
static void
drain_what_came(struct connection *c)
{
	char trash[4096];
	struct ahead *ahead = read_ahead(c);

	for (int64_t n = 0, got = 1; ahead != NULL && got > 0 && n < DRAIN_MAX && ahead_ready(ahead, PAUSE_MS); n += got)
		got = ahead_read(ahead, trash, sizeof trash);
}

/*
 * Reads what is left of the body; false when the next request can't come behind it.
 * The web server may send the next one as soon as it has sent all of this one and has
 * its answer.  A connection that is closed just then loses that, so all that is there
 * is read; where the end has not come by then, the web server does not keep it either.
 */
static bool
drain(struct connection *c)
{
	char trash[4096];
	size_t got = comes_soon(c) ? sizeof trash : 0;

	for (size_t n = 0; got == sizeof trash && n < DRAIN_MAX; n += got)
		got = read_some(c, trash, sizeof trash);
	if (c->stream.ahead != NULL || !is_at_end(c))
		drain_what_came(c);
	if (c->stream.ahead != NULL)
		ahead_stop(c->stream.ahead);
	return FCGX_HasSeenEOF(c->fcgi.in) && FCGX_GetError(c->fcgi.in) == 0;
}

/* ---- the answer ---- */

/* Nothing that has come from a client can end a header or begin another. */
static bool
is_one_line(struct span value)
{
	for (size_t i = 0; i < value.n; i++)
		if ((value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f)
			return false;
	return true;
}

static void
put_header(struct buf *head, const char *name, struct span value)
{
	if (!is_one_line(value))
		return;
	buf_printf(head, "%s: ", name);
	buf_span(head, value);
	buf_put(head, "\r\n", 2);
}

static void
put(struct connection *c, struct span bytes)
{
	while (bytes.n > 0) {
		size_t n = bytes.n < INT_MAX ? bytes.n : INT_MAX;

		if (FCGX_PutStr((const char *)bytes.p, (int)n, c->fcgi.out) < 0)
			return;
		bytes = span_of(bytes.p + n, bytes.n - n);
	}
}

/* Status and headers; `last` is a line more, or "". */
static void
write_head(struct buf *to, const struct connection *c, const struct http_response *response, const char *last)
{
	buf_printf(to, "Status: %d %s\r\n", response->status, http_reason(response->status));
	if (response->type != NULL)
		put_header(to, "Content-Type", span_str(response->type));
	for (size_t i = 0; i < response->n_headers; i++)
		put_header(to, response->headers[i].name, response->headers[i].value);
	put_header(to, "X-Request-ID", c->x.request.id);
	buf_printf(to, "%s\r\n", last);
	must(!to->failed);
}

static void
put_response(struct connection *c)
{
	const struct http_response *response = &c->x.response;
	char length[64] = "";

	if (response->status != 204 && response->status != 304)
		snprintf(length, sizeof length, "Content-Length: %zu\r\n", response->body.n);
	buf_reset(&c->head);
	write_head(&c->head, c, response, length);
	put(c, buf_bytes(&c->head));
	put(c, buf_bytes(&response->body));
}

/* Sends what is held of a stream's answer. */
static void
send_held(struct connection *c)
{
	struct http_stream *stream = &c->stream;

	c->x.waits = true;
	put(c, buf_bytes(&stream->held));
	stream->failed = stream->held.failed || FCGX_FFlush(c->fcgi.out) != 0 || FCGX_GetError(c->fcgi.out) != 0;
	c->x.waits = false;
	stream->sent = true;
	buf_reset(&stream->held);
}

static void
release(struct connection *c)
{
	http_response_done(&c->x.response);
	arena_done(&c->arena);
	buf_done(&c->stream.held);
	if (c->body.cap > BODY_KEPT)
		buf_done(&c->body);
	buf_reset(&c->body);
}

void
exchange_end(struct exchange *x, bool keep)
{
	struct connection *c = connection_of(x);

	/* A client that is sent pieces may wait for the last of them, and send nothing before it has that. */
	if (c->stream.begun)
		send_held(c);
	keep = drain(c) && keep;
	x->waits = true;
	if (!c->stream.begun)
		put_response(c);
	if (c->x.response.sent != NULL)
		http_response_sent(&c->x.response, FCGX_FFlush(c->fcgi.out) == 0 && FCGX_GetError(c->fcgi.out) == 0);
	if (keep)
		FCGX_Finish_r(&c->fcgi);
	else {
		FCGX_FClose(c->fcgi.err);
		FCGX_FClose(c->fcgi.out);
		FCGX_Free(&c->fcgi, 1);
	}
	x->waits = false;
	release(c);
}

void
exchange_break(struct exchange *x)
{
	struct connection *c = connection_of(x);

	http_response_sent(&c->x.response, false);
	FCGX_Free(&c->fcgi, 1);
	release(c);
}

/* ---- streams ---- */

void
exchange_begin_stream(struct exchange *x)
{
	x->request.stream = &connection_of(x)->stream;
}

static struct connection *
connection_of_stream(struct http_stream *stream)
{
	return container_of(stream, struct connection, stream);
}

/*
 * Once the head of the answer has passed nginx, it sends the rest of a body only as
 * long as it need not wait for us.  So while more of the body comes, nothing is sent.
 */
int64_t
http_stream_read(struct http_stream *stream, void *to, size_t n)
{
	struct connection *c = connection_of_stream(stream);
	int64_t got;

	if (read_ahead(c) == NULL)
		return -1;
	if (stream->held.n > 0 && !ahead_ready(stream->ahead, stream->sent ? 0 : PAUSE_MS))
		send_held(c);
	if (stream->failed)
		return -1;
	c->x.waits = true;
	got = ahead_read(stream->ahead, to, n);
	c->x.waits = false;
	stream->read = got <= 0;
	return got;
}

bool
http_stream_write(struct http_stream *stream, const struct http_response *response, struct span piece)
{
	struct connection *c = connection_of_stream(stream);

	if (!stream->begun)
		write_head(&stream->held, c, response, "X-Accel-Buffering: no\r\n");
	stream->begun = true;
	buf_span(&stream->held, piece);
	if (!stream->failed && (stream->ahead == NULL || stream->read || stream->held.n > c->body_max))
		send_held(c);
	return !stream->failed;
}
