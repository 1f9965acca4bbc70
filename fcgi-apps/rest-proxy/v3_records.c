/* v3_records.c -- records into a topic by v3: a stream of them with a stream of receipts, or a batch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/monotonic.h"
#include "base/xalloc.h"
#include "common/fcgi.h"
#include "common/problem.h"
#include "rest-proxy/app.h"
#include "rest-proxy/v3_record.h"

enum {
	PIECE = 65536,             /* read at a time */
	OBJECT_MAX = 16 << 20,     /* bytes of one record's JSON */
	ARENA_MAX = 256 << 20      /* of the records of a piece */
};

/* Why a record was not written: the code and, in `message`, the text. */
static int
problem_of(const struct v3_record *r, const struct weir_receipt *w, const char **message)
{
	*message = r->code != 0 ? r->message : w->error.text;
	return r->code != 0 ? r->code : app_record_problem(&w->error, false).code;
}

/* Writes those that can be, in their order. */
static void
write_all(struct app *app, const char *topic, struct v3_record *records, size_t n, struct weir_receipt *receipts)
{
	struct weir_record *list = xcalloc(n, sizeof *list);
	struct weir_receipt *got = xcalloc(n, sizeof *got);
	size_t good = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		if (records[i].code == 0)
			list[good++] = records[i].record;
	weir_produce(app->producer, topic, list, good, got);
	for (size_t i = 0; i < n; i++)
		if (records[i].code == 0)
			receipts[i] = got[at++];
	free(list);
	free(got);
}

/* ---- the stream ---- */

/*
 * Where objects end, found without reading them: brackets are counted, strings passed over.  Good enough to
 * cut the stream; what is cut out is read properly.
 */
struct cutter {
	size_t at;    /* looked at up to here */
	int depth;
	bool string, escape;
};

/* The length of the first object of the bytes, with what stands before it; 0: it has not come whole. */
static size_t
cut(struct cutter *c, const uint8_t *p, size_t n)
{
	for (; c->at < n; c->at++) {
		uint8_t b = p[c->at];

		if (c->escape)
			c->escape = false;
		else if (c->string && b == '\\')
			c->escape = true;
		else if (b == '"')
			c->string = !c->string;
		else if (c->string)
			continue;
		else if (b == '{' || b == '[')
			c->depth++;
		else if ((b == '}' || b == ']') && --c->depth <= 0) {
			size_t end = c->at + 1;

			*c = (struct cutter){ 0 };
			return end;
		}
	}
	return 0;
}

/* A stream under way. */
struct streaming {
	struct app *app;
	struct http_request *request;
	struct http_response *response;
	const char *topic, *cluster;
	struct buf in;       /* what has come */
	size_t done;         /* so much of it was taken: objects that came whole */
	struct cutter cutter;
	struct v3_record *records;
	size_t n, cap;
	struct arena arena;  /* of the records of this piece */
	int64_t began_ms;
	bool any, ended;     /* a record came; nothing more is read */
};

static void
add_record(struct streaming *s, const struct v3_record *r)
{
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 16 : s->cap * 2;
		s->records = xrealloc(s->records, s->cap * sizeof *s->records);
	}
	s->records[s->n++] = *r;
	s->any = true;
	s->ended = s->ended || r->broken;
}

static void
add_broken(struct streaming *s, const char *why)
{
	add_record(s, &(struct v3_record){ .code = 400, .message = why, .broken = true });
}

/* Reads one object that was cut out. */
static void
take_object(struct streaming *s, struct span text)
{
	struct json_scan scan;
	struct v3_record r;

	json_begin(&scan, text);
	if (json_next(&scan) != JSON_OBJECT) {
		add_broken(s, "Bad Request: Error processing message: an object was expected");
		return;
	}
	v3_record_read(&scan, &s->arena, false, &r);
	add_record(s, &r);
}

/* All objects that have come whole. */
static void
take_objects(struct streaming *s)
{
	size_t n;

	while (!s->ended && (n = cut(&s->cutter, s->in.p + s->done, s->in.n - s->done)) > 0) {
		take_object(s, span_of(s->in.p + s->done, n));
		s->done += n;
	}
	if (!s->ended && s->in.n - s->done > OBJECT_MAX)
		add_broken(s, "Bad Request: Error processing message: Produce request size is larger than allowed threshold");
}

/* What is left at the end is a record that did not come whole, or nothing but blanks. */
static void
take_rest(struct streaming *s)
{
	size_t i = s->done;

	while (i < s->in.n && strchr(" \t\r\n", s->in.p[i]) != NULL && s->in.p[i] != '\0')
		i++;
	if (i < s->in.n && strchr("{[\"", s->in.p[i]) == NULL)
		add_broken(s, "Bad Request: Error processing message: an object was expected");
	else if (i < s->in.n)
		add_broken(s, "Bad Request: Error processing message: the text ends too early");
}

/* The records that were taken are written by now. */
static void
forget(struct streaming *s)
{
	if (s->done > 0)
		memmove(s->in.p, s->in.p + s->done, s->in.n - s->done);
	s->in.n -= s->done;
	s->done = 0;
	s->n = 0;
	arena_done(&s->arena);
}

static void
put_answer(struct json_out *o, struct streaming *s, const struct v3_record *r, const struct weir_receipt *w)
{
	const char *message;
	int code;

	json_open(o, '{');
	json_key(o, "error_code");
	if (r->code == 0 && w->error.kind == WEIR_OK) {
		json_put_int(o, 200);
		v3_record_put_receipt(o, r, w, s->cluster, s->topic);
	} else {
		code = problem_of(r, w, &message);
		/* Confluent's moves these codes into the text. */
		json_put_int(o, code / 100 == 422 ? 422 : code);
		json_key(o, "message");
		json_put_str(o, code / 100 == 422 ? arena_printf(&s->arena, "Error: %d : %s", code, message) : message);
	}
	json_close(o, '}');
}

/* How long it has lasted beyond what it may. */
static int64_t
overtime_ms(const struct streaming *s)
{
	return monotonic_ms() - s->began_ms - s->app->stream_max_ms;
}

/* None of these is written: they came too late. */
static void
refuse_late(struct streaming *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->records[i].code == 0) {
			s->records[i].code = 408;
			s->records[i].message = "Streaming connection open for longer than allowed: Connection will be closed.";
		}
}

/* Writes the records of this piece and sends their receipts; false when the client is gone. */
static bool
answer_piece(struct streaming *s)
{
	struct weir_receipt *receipts = xcalloc(s->n, sizeof *receipts);
	struct buf text = { 0 };
	bool there = true;

	if (overtime_ms(s) > 0)
		refuse_late(s);
	write_all(s->app, s->topic, s->records, s->n, receipts);
	for (size_t i = 0; i < s->n; i++) {
		struct json_out o = json_out(&text);

		put_answer(&o, s, &s->records[i], &receipts[i]);
		buf_printf(&text, "\r\n");
	}
	if (s->n > 0)
		there = !text.failed && http_stream_write(s->request->stream, s->response, buf_bytes(&text));
	buf_done(&text);
	free(receipts);
	return there;
}

static void
stream(struct streaming *s)
{
	bool there = true;
	int64_t got = 1;

	while (there && got > 0 && !s->ended && !fcgi_stopping() && overtime_ms(s) <= s->app->stream_grace_ms) {
		uint8_t *room = buf_room(&s->in, PIECE);

		if (room == NULL || (got = http_stream_read(s->request->stream, room, PIECE)) < 0)
			return; /* the client is gone: what is not whole is not written */
		s->in.n += (size_t)got;
		take_objects(s);
		if (got == 0 && !s->ended)
			take_rest(s);
		there = answer_piece(s);
		forget(s);
	}
}

void
v3_records(struct app *app, struct http_request *q, struct http_response *r)
{
	struct streaming s = { .app = app, .request = q, .response = r, .topic = app_text(q, 1), .cluster = app_text(q, 0),
		.began_ms = monotonic_ms() };

	arena_init(&s.arena, ARENA_MAX);
	stream(&s);
	if (!s.any)
		app_problem(r, PROXY_PAYLOAD, "Request body is empty. Data is required.");
	arena_done(&s.arena);
	buf_done(&s.in);
	free(s.records);
}

/* ---- batches ---- */

struct batch {
	struct http_request *request;
	struct http_response *response;
	struct v3_record *records;
	size_t n, max;
};

static bool
refuse_batch(struct batch *b, const char *text)
{
	app_problem(b->response, PROXY_BATCH, text);
	return false;
}

static bool
is_entry_id(struct span id)
{
	for (size_t i = 0; i < id.n; i++) {
		uint8_t c = id.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'))
			return false;
	}
	return id.n >= 1 && id.n <= 80;
}

/* One more entry; its object has begun. */
static bool
take_entry(struct batch *b, struct json_scan *s)
{
	struct v3_record *r = &b->records[b->n];

	if (b->n == b->max)
		return refuse_batch(b, "Too many entries in batch.");
	v3_record_read(s, b->request->arena, true, r);
	if (r->broken || r->code == 422) {
		/* No record of it can be trusted: nothing is written. */
		app_problem(b->response, r->broken ? PROXY_MALFORMED : PROXY_INVALID, r->message);
		return false;
	}
	if (!is_entry_id(r->id))
		return refuse_batch(b, "Batch entry identifier is not a valid string.");
	for (size_t i = 0; i < b->n; i++)
		if (span_eq(b->records[i].id, r->id))
			return refuse_batch(b, "Batch entry IDs are not distinct.");
	b->n++;
	return true;
}

static bool
malformed(struct batch *b, const struct json_scan *s)
{
	app_problem(b->response, PROXY_MALFORMED, s->token == JSON_BROKEN ? s->why : "an object with entries was expected");
	return false;
}

static bool
read_batch(struct batch *b)
{
	struct json_scan s;

	if (!app_has_body(b->request))
		return refuse_batch(b, "Request body is empty. Data is required.");
	json_begin(&s, b->request->body);
	if (json_next(&s) != JSON_OBJECT)
		return malformed(b, &s);
	while (json_next(&s) == JSON_NAME) {
		if (!json_is(&s, "entries")) {
			app_problem(b->response, PROXY_UNRECOGNIZED_FIELD, arena_printf(b->request->arena, "%.*s", (int)s.text.n, (const char *)s.text.p));
			return false;
		}
		if (json_next(&s) == JSON_NULL)
			continue;
		if (s.token != JSON_ARRAY)
			return malformed(b, &s);
		while (json_next(&s) == JSON_OBJECT)
			if (!take_entry(b, &s))
				return false;
		if (s.token != JSON_ARRAY_END)
			return malformed(b, &s);
	}
	if (s.token != JSON_OBJECT_END || json_next(&s) != JSON_END)
		return malformed(b, &s);
	return b->n > 0 || refuse_batch(b, "Empty batch.");
}

static void
answer_batch(struct batch *b, const struct weir_receipt *receipts, const char *cluster, const char *topic)
{
	struct json_out o = json_out(&b->response->body);
	const char *message;

	b->response->status = 207;
	json_open(&o, '{');
	json_key(&o, "successes");
	json_open(&o, '[');
	for (size_t i = 0; i < b->n; i++) {
		if (b->records[i].code != 0 || receipts[i].error.kind != WEIR_OK)
			continue;
		json_open(&o, '{');
		json_key(&o, "id");
		json_put_span(&o, b->records[i].id);
		v3_record_put_receipt(&o, &b->records[i], &receipts[i], cluster, topic);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	json_key(&o, "failures");
	json_open(&o, '[');
	for (size_t i = 0; i < b->n; i++) {
		if (b->records[i].code == 0 && receipts[i].error.kind == WEIR_OK)
			continue;
		json_open(&o, '{');
		json_key(&o, "id");
		json_put_span(&o, b->records[i].id);
		json_key(&o, "error_code");
		json_put_int(&o, problem_of(&b->records[i], &receipts[i], &message));
		json_key(&o, "message");
		json_put_str(&o, message);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	json_close(&o, '}');
}

void
v3_records_batch(struct app *app, struct http_request *q, struct http_response *r)
{
	struct batch b = { .request = q, .response = r, .max = (size_t)app->batch_max };
	struct weir_receipt *receipts;

	/* One more than there may be, where the one too many is told of. */
	b.records = xcalloc(b.max + 1, sizeof *b.records);
	if (read_batch(&b)) {
		receipts = xcalloc(b.n, sizeof *receipts);
		write_all(app, app_text(q, 1), b.records, b.n, receipts);
		answer_batch(&b, receipts, app_text(q, 0), app_text(q, 1));
		free(receipts);
	}
	free(b.records);
}
