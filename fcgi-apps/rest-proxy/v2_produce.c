/* v2_produce.c -- records into a topic: POST /topics/{topic} and /topics/{topic}/partitions/{partition}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "common/problem.h"
#include "rest-proxy/app.h"
#include "rest-proxy/format.h"

/* Where a key or value lies in the bytes of all of them; at == NULL_PART: it is null. */
#define NULL_PART SIZE_MAX

enum {
	RECORDS_MAX = 1000000, /* of a request: each takes far more memory than its two bytes of JSON, at the least */
	SLICE = 5000           /* records that are written at a time, for the same reason */
};

struct part {
	size_t at, n;
};

struct entry {
	struct part key, value;
	int32_t partition;
};

/* A request on its way from JSON to records. */
struct batch {
	struct http_request *request;
	struct http_response *response;
	enum format format;
	int32_t partition; /* of records that name none; -1: any */
	struct json_scan scan;
	struct buf bytes;  /* of keys and values */
	struct entry *entries;
	size_t n, cap;
	bool has_records;
};

static bool
bad_json(struct batch *b, const char *why)
{
	char text[200];
	int line, column;

	json_place(&b->scan, &line, &column);
	snprintf(text, sizeof text, "%s at line %d, column %d", why, line, column);
	problem_answer(b->response, b->response->type, &problem_bad_request, text);
	return false;
}

static bool
broken(struct batch *b)
{
	return bad_json(b, b->scan.token == JSON_BROKEN ? b->scan.why : "an object was expected");
}

/* A key or a value; false with the response made. */
static bool
read_part(struct batch *b, struct part *out)
{
	struct span value;
	const char *why;
	bool null;

	out->at = b->bytes.n;
	if (!format_read(b->format, &b->scan, &b->bytes, &null, &value, &why)) {
		if (why == NULL)
			return broken(b);
		/* The sentence has a %s for the value, which may be long. */
		{
			char *quoted = arena_printf(b->request->arena, "%.*s", (int)value.n, (const char *)value.p);
			char text[80];
			const char *hole = strstr(why, "%s");

			snprintf(text, sizeof text, "%.*s", (int)(hole - why), why);
			app_problem(b->response, PROXY_BAD_REQUEST,
			    arena_printf(b->request->arena, "%s%s%s", text, quoted == NULL ? "" : quoted, hole + 2));
		}
		return false;
	}
	out->n = b->bytes.n - out->at;
	if (null)
		out->at = NULL_PART;
	return true;
}

static bool
negative(struct batch *b, int64_t partition)
{
	char text[128];

	snprintf(text, sizeof text, "produceRequest.records[%zu].partition must be greater than or equal to 0 (was %lld)", b->n,
	    (long long)partition);
	app_problem(b->response, PROXY_INVALID, text);
	return false;
}

static bool
read_partition(struct batch *b, int32_t *out)
{
	int64_t n;

	switch (json_next(&b->scan)) {
	case JSON_NULL:
		return true;
	case JSON_NUMBER:
		if (!json_int(&b->scan, &n) || n > INT32_MAX)
			break;
		*out = (int32_t)n;
		return n >= 0 || negative(b, n);
	case JSON_BROKEN:
		return broken(b);
	default:
		break;
	}
	return bad_json(b, "the partition must be a whole number");
}

static bool
unrecognized(struct batch *b)
{
	struct buf name = { 0 };

	json_text(&b->scan, &name);
	buf_u8(&name, '\0');
	app_problem(b->response, PROXY_UNRECOGNIZED_FIELD, name.failed ? "" : (const char *)name.p);
	buf_done(&name);
	return false;
}

/* One of the records; its object has begun. */
static bool
read_record(struct batch *b)
{
	struct entry e = { { NULL_PART, 0 }, { NULL_PART, 0 }, b->partition };
	bool good = true;

	while (good && json_next(&b->scan) == JSON_NAME) {
		if (json_is(&b->scan, "value"))
			good = read_part(b, &e.value);
		else if (json_is(&b->scan, "key"))
			good = read_part(b, &e.key);
		else if (json_is(&b->scan, "partition"))
			good = read_partition(b, &e.partition);
		else
			return unrecognized(b);
	}
	if (!good)
		return false;
	if (b->scan.token != JSON_OBJECT_END)
		return broken(b);
	if (b->n == RECORDS_MAX) {
		problem_answer(b->response, b->response->type, &problem_too_large);
		return false;
	}
	if (b->n == b->cap) {
		b->cap = b->cap == 0 ? 16 : b->cap * 2;
		b->entries = xrealloc(b->entries, b->cap * sizeof *b->entries);
	}
	b->entries[b->n++] = e;
	return true;
}

static bool
read_records(struct batch *b)
{
	if (json_next(&b->scan) == JSON_NULL)
		return true;
	if (b->scan.token != JSON_ARRAY)
		return b->scan.token == JSON_BROKEN ? broken(b) : bad_json(b, "records must be an array");
	b->has_records = true;
	while (json_next(&b->scan) == JSON_OBJECT)
		if (!read_record(b))
			return false;
	return b->scan.token == JSON_ARRAY_END || broken(b);
}

/* Schemas go with other formats; here they are taken and mean nothing. */
static bool
is_schema_field(const struct json_scan *s)
{
	return json_is(s, "key_schema") || json_is(s, "key_schema_id") || json_is(s, "value_schema") ||
	    json_is(s, "value_schema_id");
}

static bool
read_body(struct batch *b)
{
	json_begin(&b->scan, b->request->body);
	if (!app_has_body(b->request) || json_next(&b->scan) == JSON_NULL) {
		app_problem(b->response, PROXY_INVALID, "produceRequest must not be null (was null)");
		return false;
	}
	if (b->scan.token != JSON_OBJECT)
		return broken(b);
	while (json_next(&b->scan) == JSON_NAME) {
		if (json_is(&b->scan, "records")) {
			if (!read_records(b))
				return false;
		} else if (!is_schema_field(&b->scan))
			return unrecognized(b);
		else {
			json_next(&b->scan);
			if (json_skip(&b->scan).p == NULL)
				return broken(b);
		}
	}
	if (b->scan.token != JSON_OBJECT_END || json_next(&b->scan) != JSON_END)
		return broken(b);
	if (b->n > 0)
		return true;
	app_problem(b->response, PROXY_INVALID, b->has_records ? "produceRequest.records must not be empty (was [])"
							       : "produceRequest.records must not be empty (was null)");
	return false;
}

/* ---- the answer ---- */

static void
put_receipt(struct json_out *o, const struct weir_receipt *w)
{
	bool good = w->error.kind == WEIR_OK;

	json_open(o, '{');
	json_key(o, "partition");
	if (good)
		json_put_int(o, w->partition);
	else
		json_put_null(o);
	json_key(o, "offset");
	if (good)
		json_put_int(o, w->offset);
	else
		json_put_null(o);
	json_key(o, "error_code");
	if (good)
		json_put_null(o);
	else
		json_put_int(o, app_record_problem(&w->error, true).code);
	json_key(o, "error");
	json_put_str(o, good ? NULL : w->error.text);
	json_close(o, '}');
}

/* The first record that failed decides, if it failed for want of rights. */
static void
note_failure(struct http_response *r, const struct weir_receipt *w, bool *failed)
{
	int status;

	if (w->error.kind == WEIR_OK || *failed)
		return;
	*failed = true;
	status = app_record_problem(&w->error, true).status;
	if (status == 401 || status == 403)
		r->status = status;
}

static struct span
part_bytes(const struct batch *b, struct part p)
{
	/* Empty is not null: an address it must have. */
	return p.at == NULL_PART ? span_of(NULL, 0) : span_of(p.n == 0 ? (const uint8_t *)"" : b->bytes.p + p.at, p.n);
}

/* Writes n records from the first on, and puts their receipts. */
static void
write_slice(struct app *app, struct batch *b, const char *topic, size_t first, size_t n, struct json_out *o, bool *failed)
{
	struct weir_record *records = xcalloc(n, sizeof *records);
	struct weir_receipt *receipts = xcalloc(n, sizeof *receipts);

	for (size_t i = 0; i < n; i++) {
		const struct entry *e = &b->entries[first + i];

		records[i] = (struct weir_record){ .partition = e->partition, .key = part_bytes(b, e->key),
			.value = part_bytes(b, e->value) };
	}
	weir_produce(app->producer, topic, records, n, receipts);
	for (size_t i = 0; i < n; i++) {
		put_receipt(o, &receipts[i]);
		note_failure(b->response, &receipts[i], failed);
	}
	free(records);
	free(receipts);
}

static void
write_batch(struct app *app, struct batch *b, const char *topic)
{
	struct json_out o = json_out(&b->response->body);
	bool failed = false;

	json_open(&o, '{');
	json_key(&o, "offsets");
	json_open(&o, '[');
	for (size_t i = 0; i < b->n; i += SLICE)
		write_slice(app, b, topic, i, b->n - i < SLICE ? b->n - i : SLICE, &o, &failed);
	json_close(&o, ']');
	json_key(&o, "key_schema_id");
	json_put_null(&o);
	json_key(&o, "value_schema_id");
	json_put_null(&o);
	json_close(&o, '}');
}

static void
produce(struct app *app, struct http_request *q, struct http_response *r, int32_t partition)
{
	struct batch b = { .request = q, .response = r, .partition = partition };

	/* The hook has let no other types through. */
	format_of_type(http_media_type(q->arena, q->content_type), &b.format);
	if (read_body(&b)) {
		if (b.bytes.failed)
			problem_answer(r, r->type, &problem_too_large);
		else
			write_batch(app, &b, app_text(q, 0));
	}
	buf_done(&b.bytes);
	free(b.entries);
}

void
v2_produce_topic(struct app *app, struct http_request *q, struct http_response *r)
{
	produce(app, q, r, -1);
}

void
v2_produce_partition(struct app *app, struct http_request *q, struct http_response *r)
{
	int32_t partition;

	if (!app_number(q, r, 1, &partition))
		return;
	if (partition < 0)
		app_problem(r, PROXY_PARTITION_NOT_FOUND);
	else
		produce(app, q, r, partition);
}
