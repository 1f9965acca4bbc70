/* v3_record.c -- one record of the v3 interface. */
#include "rest-proxy/v3_record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "rest-proxy/timestamp.h"

enum { BAD_REQUEST = 400, NO_PARTITION = 40402, UNRECOGNIZED = 422, PAYLOAD = 42206 };

/* Says why a record can't be written; the first reason stays.  Always false. */
static bool __attribute__((format(printf, 4, 5)))
refuse(struct v3_record *r, struct arena *a, int code, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	if (r->code != 0)
		return false;
	r->code = code;
	r->message = "";
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n >= 0) {
		r->message = arena_copy(a, text, (size_t)n + 1);
		free(text);
	}
	if (r->message == NULL)
		r->message = "";
	return false;
}

static bool
broken(struct v3_record *r, struct arena *a, const struct json_scan *s)
{
	r->broken = true;
	return refuse(r, a, BAD_REQUEST, "Bad Request: Error processing message: %s",
	    s->token == JSON_BROKEN ? s->why : "an object was expected");
}

/* Passes over the value of a name that nobody knows.  A stream tells of its first such as Jackson does. */
static bool
unrecognized(struct v3_record *r, struct json_scan *s, struct arena *a)
{
	if (r->entry)
		refuse(r, a, UNRECOGNIZED, "Unrecognized field: %.*s", (int)s->text.n, (const char *)s->text.p);
	else
		refuse(r, a, BAD_REQUEST, "Bad Request: Error processing message: Unrecognized field \"%.*s\"", (int)s->text.n,
		    (const char *)s->text.p);
	json_next(s);
	return json_skip(s).p != NULL || broken(r, a, s);
}

/* What was put into a buffer, in the arena; the buffer is freed. */
static bool
settle(struct v3_record *r, struct arena *a, struct buf *b, struct span *out)
{
	void *copy = b->failed ? NULL : arena_copy(a, b->n == 0 ? "" : (const char *)b->p, b->n);

	*out = span_of(copy, b->n);
	buf_done(b);
	return copy != NULL || refuse(r, a, 413, "HTTP 413 Request Entity Too Large");
}

/* The text of a string or null to come; false when it is something else. */
static bool
read_text(struct v3_record *r, struct json_scan *s, struct arena *a, const char *name, struct span *out)
{
	struct buf text = { 0 };
	enum json_token token = json_next(s);

	*out = span_of(NULL, 0);
	if (token == JSON_NULL)
		return true;
	if (token == JSON_BROKEN)
		return broken(r, a, s);
	if (token != JSON_STRING) {
		json_skip(s);
		return refuse(r, a, BAD_REQUEST, "Bad Request: Error processing message: %s must be a string", name);
	}
	json_text(s, &text);
	return settle(r, a, &text, out);
}

/* The bytes of base64; `raw` is how it was sent. */
static bool
decode(struct v3_record *r, struct arena *a, struct span text, struct span raw, struct span *out)
{
	struct buf bytes = { 0 };

	if (base64_take(&bytes, text))
		return settle(r, a, &bytes, out);
	buf_done(&bytes);
	return refuse(r, a, BAD_REQUEST, "Bad Request: data=%.*s is not a valid base64 string.", (int)raw.n, (const char *)raw.p);
}

/* ---- keys and values ---- */

/* A key or value as it stands in the request. */
struct data {
	struct span type;
	struct span raw;       /* of "data", as it was sent */
	bool there, schema;    /* it is given; a schema is to be used */
};

static bool
read_data_field(struct v3_record *r, struct json_scan *s, struct arena *a, struct data *d)
{
	static const char *const schema_fields[] = { "subject", "subject_name_strategy", "schema_id", "schema_version", "schema" };

	if (json_is(s, "type"))
		return read_text(r, s, a, "type", &d->type);
	if (json_is(s, "data")) {
		json_next(s);
		d->raw = json_skip(s);
		return d->raw.p != NULL || broken(r, a, s);
	}
	for (size_t i = 0; i < sizeof schema_fields / sizeof *schema_fields; i++)
		if (json_is(s, schema_fields[i])) {
			d->schema = json_next(s) != JSON_NULL || d->schema;
			return json_skip(s).p != NULL || broken(r, a, s);
		}
	return unrecognized(r, s, a);
}

static bool
read_data(struct v3_record *r, struct json_scan *s, struct arena *a, struct data *d)
{
	enum json_token token = json_next(s);

	if (token == JSON_NULL)
		return true;
	if (token != JSON_OBJECT) {
		if (token == JSON_BROKEN || json_skip(s).p == NULL)
			return broken(r, a, s);
		refuse(r, a, BAD_REQUEST, "Bad Request: Error processing message: key and value must be objects with type and data");
		return true;
	}
	d->there = true;
	while (json_next(s) == JSON_NAME)
		if (!read_data_field(r, s, a, d) && r->broken)
			return false;
	return s->token == JSON_OBJECT_END || broken(r, a, s);
}

static bool
convert_binary(struct v3_record *r, struct arena *a, const struct data *d, struct json_scan *s, struct span *out)
{
	struct buf text = { 0 };
	bool good;

	if (s->token != JSON_STRING)
		return refuse(r, a, BAD_REQUEST, "Bad Request: data=%.*s is not a base64 string.", (int)d->raw.n, (const char *)d->raw.p);
	json_text(s, &text);
	good = decode(r, a, buf_bytes(&text), d->raw, out);
	buf_done(&text);
	return good;
}

static bool
convert_json(struct v3_record *r, struct arena *a, const struct data *d, struct json_scan *s, struct span *out)
{
	struct buf text = { 0 };
	struct json_out o = json_out(&text);

	(void)s;
	json_put_compact(&o, d->raw);
	return settle(r, a, &text, out);
}

static bool
convert_string(struct v3_record *r, struct arena *a, const struct data *d, struct json_scan *s, struct span *out)
{
	struct buf text = { 0 };

	if (s->token != JSON_STRING)
		return refuse(r, a, BAD_REQUEST, "Bad Request: data=%.*s is not a string.", (int)d->raw.n, (const char *)d->raw.p);
	json_text(s, &text);
	return settle(r, a, &text, out);
}

static const struct {
	const char *name;
	bool (*convert)(struct v3_record *, struct arena *, const struct data *, struct json_scan *, struct span *);
} types[] = {
	{ "BINARY", convert_binary },
	{ "JSON", convert_json },
	{ "STRING", convert_string },
};

static bool
wants_schema(struct span type)
{
	return span_is(type, "AVRO") || span_is(type, "JSONSCHEMA") || span_is(type, "PROTOBUF");
}

/* The bytes of a key or value; null data are none. */
static bool
convert(struct v3_record *r, struct arena *a, const struct data *d, struct v3_part *part, struct span *out)
{
	struct json_scan s;
	size_t i = 0, n = sizeof types / sizeof *types;

	if (!d->there)
		return true;
	while (i < n && !span_is(d->type, types[i].name))
		i++;
	if (i == n && d->type.p != NULL && !wants_schema(d->type))
		return refuse(r, a, BAD_REQUEST, "Bad Request: Error processing message: %.*s is not one of the types BINARY, JSON, STRING, AVRO, JSONSCHEMA, PROTOBUF",
		    (int)(d->type.n < 100 ? d->type.n : 100), (const char *)d->type.p);
	/* Without a type the subject's latest schema is meant. */
	if (d->schema || d->type.p == NULL || i == n)
		return refuse(r, a, PAYLOAD, "Payload error. Schema Registry must be configured when using schemas.");
	part->type = types[i].name;
	json_begin(&s, d->raw);
	if (d->raw.p == NULL || json_next(&s) == JSON_NULL)
		return true;
	if (!types[i].convert(r, a, d, &s, out))
		return false;
	part->size = out->n;
	return true;
}

/* ---- the other fields ---- */

static bool
read_partition(struct v3_record *r, struct json_scan *s, struct arena *a)
{
	enum json_token token = json_next(s);
	int64_t n;

	if (token == JSON_NULL)
		return true;
	if (token == JSON_BROKEN)
		return broken(r, a, s);
	if (token != JSON_NUMBER || !json_int(s, &n) || n > INT32_MAX) {
		json_skip(s);
		return refuse(r, a, BAD_REQUEST, "Bad Request: Error processing message: partition_id must be a whole number");
	}
	if (n < 0)
		return refuse(r, a, NO_PARTITION, "Partition not found.");
	r->record.partition = (int32_t)n;
	return true;
}

static bool
read_timestamp(struct v3_record *r, struct json_scan *s, struct arena *a)
{
	struct span text;

	if (!read_text(r, s, a, "timestamp", &text))
		return false;
	/* Kafka has no times before 1970. */
	if (text.p == NULL || (timestamp_parse(text, &r->record.timestamp_ms) && r->record.timestamp_ms >= 0))
		return true;
	return refuse(r, a, BAD_REQUEST, "Bad Request: Error processing message: timestamp must be a time as 2026-01-31T12:00:00Z");
}

static bool
read_header(struct v3_record *r, struct json_scan *s, struct arena *a, struct weir_header *h)
{
	struct span text;

	*h = (struct weir_header){ { NULL, 0 }, { NULL, 0 } };
	while (json_next(s) == JSON_NAME) {
		bool value = json_is(s, "value");

		if (!value && !json_is(s, "name")) {
			if (!unrecognized(r, s, a))
				return false;
		} else if (!read_text(r, s, a, "a header's name or value", &text)) {
			if (r->broken)
				return false;
		} else if (!value)
			h->name = text;
		else if (text.p != NULL)
			decode(r, a, text, span_of(s->text.p - 1, s->text.n + 2), &h->value);
	}
	if (s->token != JSON_OBJECT_END)
		return broken(r, a, s);
	if (h->name.p == NULL || memchr(h->name.p, '\0', h->name.n) != NULL)
		refuse(r, a, BAD_REQUEST, "Bad Request: Error processing message: a header needs a name, without zero characters");
	return true;
}

static bool
read_headers(struct v3_record *r, struct json_scan *s, struct arena *a)
{
	struct weir_header *list = NULL;
	size_t n = 0, cap = 0;

	if (json_next(s) == JSON_NULL)
		return true;
	if (s->token != JSON_ARRAY) {
		if (s->token == JSON_BROKEN || json_skip(s).p == NULL)
			return broken(r, a, s);
		return refuse(r, a, BAD_REQUEST, "Bad Request: Error processing message: headers must be an array");
	}
	while (json_next(s) == JSON_OBJECT) {
		if (n == cap) {
			struct weir_header *larger = arena_array(a, cap == 0 ? 8 : cap * 2, sizeof *larger);

			if (larger == NULL) {
				r->broken = true;
				return refuse(r, a, 413, "HTTP 413 Request Entity Too Large");
			}
			for (size_t i = 0; i < n; i++)
				larger[i] = list[i];
			cap = cap == 0 ? 8 : cap * 2;
			list = larger;
		}
		if (!read_header(r, s, a, &list[n++]))
			return false;
	}
	r->record.headers = list;
	r->record.n_headers = n;
	return s->token == JSON_ARRAY_END || broken(r, a, s);
}

static bool
read_field(struct v3_record *r, struct json_scan *s, struct arena *a, struct data *key, struct data *value)
{
	if (json_is(s, "value"))
		return read_data(r, s, a, value);
	if (json_is(s, "key"))
		return read_data(r, s, a, key);
	if (json_is(s, "partition_id"))
		return read_partition(r, s, a);
	if (json_is(s, "headers"))
		return read_headers(r, s, a);
	if (json_is(s, "timestamp"))
		return read_timestamp(r, s, a);
	if (r->entry && json_is(s, "id"))
		return read_text(r, s, a, "id", &r->id);
	return unrecognized(r, s, a);
}

void
v3_record_read(struct json_scan *s, struct arena *a, bool entry, struct v3_record *r)
{
	struct data key = { 0 }, value = { 0 };

	*r = (struct v3_record){ .record = { .partition = -1 }, .entry = entry };
	while (!r->broken && json_next(s) == JSON_NAME)
		read_field(r, s, a, &key, &value);
	if (!r->broken && s->token != JSON_OBJECT_END)
		broken(r, a, s);
	if (r->code == 0 && convert(r, a, &key, &r->key, &r->record.key))
		convert(r, a, &value, &r->value, &r->record.value);
}

static void
put_part(struct json_out *o, const char *name, const struct v3_part *p)
{
	if (p->type == NULL)
		return;
	json_key(o, name);
	json_open(o, '{');
	json_key(o, "type");
	json_put_str(o, p->type);
	json_key(o, "size");
	json_put_int(o, (int64_t)p->size);
	json_close(o, '}');
}

void
v3_record_put_receipt(struct json_out *o, const struct v3_record *r, const struct weir_receipt *w,
    const char *cluster_id, const char *topic)
{
	char time[TIMESTAMP_TEXT];

	timestamp_text(w->timestamp_ms, time);
	json_key(o, "cluster_id");
	json_put_str(o, cluster_id);
	json_key(o, "topic_name");
	json_put_str(o, topic);
	json_key(o, "partition_id");
	json_put_int(o, w->partition);
	json_key(o, "offset");
	json_put_int(o, w->offset);
	json_key(o, "timestamp");
	json_put_str(o, time);
	put_part(o, "key", &r->key);
	put_part(o, "value", &r->value);
}
