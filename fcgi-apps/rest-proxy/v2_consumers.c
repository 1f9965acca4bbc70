/* v2_consumers.c -- consumer instances over HTTP: the resources below /consumers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/monotonic.h"
#include "base/must.h"
#include "base/uuid.h"
#include "common/fcgi.h"
#include "common/problem.h"
#include "rest-proxy/app.h"
#include "rest-proxy/consumers.h"
#include "rest-proxy/timestamp.h"

enum {
	NAME_MAX_BYTES = 255,
	LIST_MAX = 10000,    /* partitions, or topics, of one request */
	WAIT_MAX_MS = 60000, /* of a call for records: less than the web server waits */
	LOOK_UP_MS = 500     /* so often a call for records looks whether the process is to end */
};

static void
no_content(struct http_response *r)
{
	r->status = 204;
	r->type = NULL;
}

/* A member as a C string, NULL where it is absent or null; numbers and truth values are their text.  Arena. */
static bool
text_of(struct http_request *q, struct http_response *r, const struct json *in, const char *name, const char **out)
{
	const struct json *v = json_get(in, name);
	struct span text;
	char *copy;

	*out = NULL;
	if (json_is_absent(v))
		return true;
	if (v->kind == JSON_ARRAY || v->kind == JSON_OBJECT ||
	    (v->kind == JSON_STRING && v->text.n > 0 && memchr(v->text.p, '\0', v->text.n) != NULL)) {
		problem_answer(r, r->type, &problem_bad_request, arena_printf(q->arena, "Cannot deserialize value of type `String` (field \"%s\")", name));
		return false;
	}
	text = v->kind == JSON_TRUE ? span_str("true") : v->kind == JSON_FALSE ? span_str("false") : v->text;
	if ((copy = arena_alloc(q->arena, text.n + 1)) == NULL) {
		problem_answer(r, r->type, &problem_too_large);
		return false;
	}
	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	*out = copy;
	return true;
}

/* ---- creation ---- */

/* A member that is a number or a number's text; `absent` where there is none. */
static bool
number_of(struct http_request *q, struct http_response *r, const struct json *in, const char *name, int absent, int *out)
{
	const char *text;
	char *end;
	long n;

	*out = absent;
	if (!text_of(q, r, in, name, &text))
		return false;
	if (text == NULL)
		return true;
	n = strtol(text, &end, 10);
	if (*end == '\0' && *text != '\0' && n >= INT32_MIN && n <= INT32_MAX) {
		*out = (int)n;
		return true;
	}
	app_problem(r, PROXY_CONSUMER_CONFIG_RANGE, arena_printf(q->arena,
	    "Invalid value %s for configuration %s: Not a number of type INT", text, name));
	return false;
}

static bool
read_options(struct app *app, struct http_request *q, struct http_response *r, const struct json *body,
    struct instance_options *o, const char **name)
{
	static const char *const known[] = { "id", "name", "format", "auto.offset.reset", "auto.commit.enable",
		"fetch.min.bytes", "responseMinBytes", "consumer.request.timeout.ms", "requestWaitMs", NULL };
	const struct consumers_settings *s = consumers_get_settings(app->consumers);
	const char *format, *id;
	int min, wait;

	*o = (struct instance_options){ .format = FORMAT_BINARY };
	if (!app_known_fields(r, body, known) || !text_of(q, r, body, "name", name) || !text_of(q, r, body, "id", &id) ||
	    !text_of(q, r, body, "format", &format) || !text_of(q, r, body, "auto.offset.reset", &o->auto_offset_reset) ||
	    !text_of(q, r, body, "auto.commit.enable", &o->auto_commit_enable) ||
	    !number_of(q, r, body, "responseMinBytes", s->min_bytes, &min) ||
	    !number_of(q, r, body, "fetch.min.bytes", min, &o->min_bytes) ||
	    !number_of(q, r, body, "requestWaitMs", s->request_timeout_ms, &wait) ||
	    !number_of(q, r, body, "consumer.request.timeout.ms", wait, &o->request_timeout_ms))
		return false;
	if (id != NULL)
		*name = id;
	if (format != NULL && strcasecmp(format, "string") == 0) {
		/* A format to Confluent's parser that nothing behind it knows. */
		app_problem(r, PROXY_CONSUMER_FORMAT, format);
		return false;
	}
	if (format != NULL && !format_parse(span_str(format), &o->format)) {
		app_problem(r, PROXY_INVALID, "Invalid format type.");
		return false;
	}
	if (o->min_bytes < -1 || o->min_bytes > 10000000) {
		app_problem(r, PROXY_CONSUMER_CONFIG_RANGE, arena_printf(q->arena,
		    "Invalid value %d for configuration fetch.min.bytes: Value must be %s", o->min_bytes,
		    o->min_bytes < -1 ? "at least -1" : "no more than 10000000"));
		return false;
	}
	if (o->request_timeout_ms > WAIT_MAX_MS)
		o->request_timeout_ms = WAIT_MAX_MS;
	return true;
}

/* What the instance is called when nobody says: "rest-consumer-", this process's name, chance. */
static const char *
made_up_name(struct app *app, struct http_request *q)
{
	uint8_t chance[UUID_BYTES];
	char text[UUID_TEXT + 1];

	must(getrandom(chance, sizeof chance, 0) == (ssize_t)sizeof chance);
	uuid_text(chance, text);
	return arena_printf(q->arena, "rest-consumer-%s%s%s", app->id, app->id[0] == '\0' ? "" : "-", text);
}

/*
 * Whether a name may be one of a group or an instance.  The web server resolves . and .. between slashes, encoded
 * ones too, before it chooses the process: with these the requests of a group would not meet in one.
 */
static bool
is_name(struct span s)
{
	size_t begin = 0;

	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] != '/')
			continue;
		if (span_is(span_of(s.p + begin, i - begin), ".") || span_is(span_of(s.p + begin, i - begin), ".."))
			return false;
		begin = i + 1;
	}
	return s.n >= 1 && s.n <= NAME_MAX_BYTES;
}

static void
answer_created(struct http_request *q, struct http_response *r, const char *name)
{
	struct json_out o = json_out(&r->body);
	struct buf uri = { 0 };

	buf_span(&uri, q->scheme);
	buf_printf(&uri, "://");
	buf_span(&uri, q->host);
	buf_printf(&uri, "/consumers/");
	http_encode(&uri, q->args[0]);
	buf_printf(&uri, "/instances/");
	http_encode(&uri, span_str(name));
	json_open(&o, '{');
	json_key(&o, "instance_id");
	json_put_str(&o, name);
	json_key(&o, "base_uri");
	json_put_span(&o, buf_bytes(&uri));
	json_close(&o, '}');
	buf_done(&uri);
}

void
v2_create(struct app *app, struct http_request *q, struct http_response *r)
{
	const struct json *body = app_body(q, r, PROXY_INVALID, NULL);
	struct instance_options options;
	struct weir_error why;
	const char *name = NULL;

	if (body == NULL || !read_options(app, q, r, body, &options, &name))
		return;
	if (name == NULL)
		name = made_up_name(app, q);
	if (name == NULL || !is_name(span_str(name)) || !is_name(q->args[0])) {
		app_problem(r, PROXY_CONSUMER_CONFIG, "the names of group and instance must have 1 to 255 bytes, and no . or .. between slashes");
		return;
	}
	switch (consumers_create(app->consumers, q->args[0], span_str(name), &options, &why)) {
	case CONSUMERS_OK:
		answer_created(q, r, name);
		break;
	case CONSUMERS_EXISTS:
		app_problem(r, PROXY_INSTANCE_EXISTS);
		break;
	case CONSUMERS_TOO_MANY:
		app_problem(r, PROXY_TOO_MANY, "No more consumer instances are possible here: end some, or raise weir.consumer.instances.max");
		break;
	case CONSUMERS_REFUSED:
		app_problem(r, PROXY_CONSUMER_CONFIG, why.text);
		break;
	}
}

void
v2_delete(struct app *app, struct http_request *q, struct http_response *r)
{
	if (consumers_delete(app->consumers, q->args[0], q->args[1]))
		no_content(r);
	else
		app_problem(r, PROXY_INSTANCE_NOT_FOUND);
}

/* The instance of the path, to be given back; NULL with the response made. */
static struct instance *
take(struct app *app, struct http_request *q, struct http_response *r)
{
	struct instance *i = consumers_take(app->consumers, q->args[0], q->args[1]);

	if (i == NULL)
		app_problem(r, PROXY_INSTANCE_NOT_FOUND);
	return i;
}

/* Answers with 204, or with what Kafka said. */
static void
answer_done(struct http_response *r, bool good, const struct weir_error *why)
{
	if (good)
		no_content(r);
	else
		app_kafka_problem(r, why);
}

/* ---- subscription ---- */

/* The topics of a body, as C strings; false with the response made. */
static bool
read_topics(struct http_request *q, struct http_response *r, const struct json *v, const char ***out, size_t *n)
{
	*n = 0;
	*out = arena_array(q->arena, v->n + 1, sizeof **out);
	if (v->kind != JSON_ARRAY || v->n > LIST_MAX || *out == NULL) {
		problem_answer(r, r->type, &problem_bad_request, "topics must be an array of strings, and not too many");
		return false;
	}
	for (const struct json *e = v->first; e != NULL; e = e->next) {
		char *name = arena_alloc(q->arena, e->text.n + 1);

		if (e->kind != JSON_STRING || name == NULL || (e->text.n > 0 && memchr(e->text.p, '\0', e->text.n) != NULL)) {
			problem_answer(r, r->type, &problem_bad_request, "topics must be an array of strings");
			return false;
		}
		memcpy(name, e->text.n == 0 ? (const uint8_t *)"" : e->text.p, e->text.n);
		(*out)[(*n)++] = name;
	}
	return true;
}

void
v2_subscribe(struct app *app, struct http_request *q, struct http_response *r)
{
	static const char *const known[] = { "topics", "topic_pattern", NULL };
	const struct json *body = app_body(q, r, PROXY_INVALID, "subscription must not be null (was null)"), *list;
	struct weir_error why = { .kind = WEIR_OK };
	const char *pattern, **topics = NULL;
	struct instance *i;
	size_t n = 0;
	bool good;

	if (body == NULL || !app_known_fields(r, body, known) || !text_of(q, r, body, "topic_pattern", &pattern))
		return;
	list = json_get(body, "topics");
	if (list != NULL && list->kind != JSON_NULL && !read_topics(q, r, list, &topics, &n))
		return;
	if ((i = take(app, q, r)) == NULL)
		return;
	if (topics != NULL && pattern != NULL) {
		app_problem(r, PROXY_ILLEGAL_STATE, "Subscription to topics, partitions and pattern are mutually exclusive");
	} else {
		good = pattern != NULL ? weir_subscribe_pattern(i->consumer, pattern, &why)
				       : weir_subscribe(i->consumer, topics, n, &why);
		answer_done(r, good, &why);
	}
	consumers_return(i);
}

void
v2_subscription(struct app *app, struct http_request *q, struct http_response *r)
{
	struct instance *i = take(app, q, r);
	struct json_out o = json_out(&r->body);
	const char **topics;
	size_t n;

	if (i == NULL)
		return;
	if (!weir_subscription(i->consumer, q->arena, &topics, &n))
		problem_answer(r, r->type, &problem_too_large);
	else {
		json_open(&o, '{');
		json_key(&o, "topics");
		json_open(&o, '[');
		for (size_t k = 0; k < n; k++)
			json_put_str(&o, topics[k]);
		json_close(&o, ']');
		json_close(&o, '}');
	}
	consumers_return(i);
}

void
v2_unsubscribe(struct app *app, struct http_request *q, struct http_response *r)
{
	struct instance *i = take(app, q, r);
	struct weir_error why;

	if (i == NULL)
		return;
	answer_done(r, weir_unsubscribe(i->consumer, &why), &why);
	consumers_return(i);
}

/* ---- lists of partitions ---- */

/* What the elements of a list have beside topic and partition: nothing, an offset to go to or to commit, a time. */
enum what { PARTITIONS, POSITIONS, COMMITS, TIMESTAMPS };

static const char *const partition_fields[] = { "topic", "partition", NULL };
static const char *const offset_fields[] = { "topic", "partition", "offset", "metadata", NULL };
static const char *const timestamp_fields[] = { "topic", "partition", "timestamp", "metadata", NULL };

/* The fields of each, and the least offset.  A commit of -1 is one of the beginning, since 1 is added. */
static const struct {
	const char *const *known;
	int64_t least;
} lists[] = {
	[PARTITIONS] = { partition_fields, 0 },
	[POSITIONS] = { offset_fields, 0 },
	[COMMITS] = { offset_fields, -1 },
	[TIMESTAMPS] = { timestamp_fields, 0 },
};

static bool
wrong_list(struct http_response *r, const char *name)
{
	char text[96];

	snprintf(text, sizeof text, "%s must be an array of objects with topic and partition", name);
	problem_answer(r, r->type, &problem_bad_request, text);
	return false;
}

static bool
read_element(struct http_request *q, struct http_response *r, const struct json *e, enum what what,
    struct weir_offset *out)
{
	const char *time;
	int64_t partition;

	if (e->kind != JSON_OBJECT)
		return wrong_list(r, "the list");
	if (!app_known_fields(r, e, lists[what].known) || !text_of(q, r, e, "topic", &out->topic) ||
	    !text_of(q, r, e, "metadata", &out->metadata))
		return false;
	if (out->topic == NULL || !json_is_int(json_get(e, "partition"), &partition) || partition < 0 || partition > INT32_MAX)
		return wrong_list(r, "the list");
	out->partition = (int32_t)partition;
	out->offset = WEIR_NO_OFFSET;
	if (what == PARTITIONS)
		return true;
	if (what != TIMESTAMPS)
		return (json_is_int(json_get(e, "offset"), &out->offset) && out->offset >= lists[what].least &&
			   out->offset < INT64_MAX) ||
		    wrong_list(r, "offsets, with an offset each,");
	if (!text_of(q, r, e, "timestamp", &time))
		return false;
	if (time != NULL && timestamp_parse(span_str(time), &out->offset)) {
		/* To the protocol, numbers below 0 are not times. */
		if (out->offset < 0)
			out->offset = 0;
		return true;
	}
	problem_answer(r, r->type, &problem_bad_request, "timestamp must be a time as 2026-01-31T12:00:00Z");
	return false;
}

/* The list of this name in a body; an absent one is empty.  False with the response made. */
static bool
read_list(struct http_request *q, struct http_response *r, const struct json *body, const char *name, enum what what,
    struct weir_offset **out, size_t *n)
{
	const struct json *v = json_get(body, name);

	*n = 0;
	*out = NULL;
	if (json_is_absent(v))
		return true;
	if (v->kind != JSON_ARRAY)
		return wrong_list(r, name);
	/* Each costs memory as long as the instance lives. */
	if (v->n > LIST_MAX) {
		problem_answer(r, r->type, &problem_too_large);
		return false;
	}
	if ((*out = arena_array(q->arena, v->n + 1, sizeof **out)) == NULL) {
		problem_answer(r, r->type, &problem_too_large);
		return false;
	}
	for (const struct json *e = v->first; e != NULL; e = e->next)
		if (!read_element(q, r, e, what, &(*out)[(*n)++]))
			return false;
	return true;
}

/* A body that is {"partitions":[...]} */
static bool
read_partitions(struct http_request *q, struct http_response *r, struct weir_offset **out, size_t *n)
{
	static const char *const known[] = { "partitions", NULL };
	const struct json *body = app_body(q, r, PROXY_INVALID, "partitions must not be null (was null)");

	return body != NULL && app_known_fields(r, body, known) && read_list(q, r, body, "partitions", PARTITIONS, out, n);
}

void
v2_assign(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_offset *list;
	struct weir_error why;
	struct instance *i;
	size_t n;

	if (!read_partitions(q, r, &list, &n) || (i = take(app, q, r)) == NULL)
		return;
	answer_done(r, weir_assign(i->consumer, list, n, &why), &why);
	consumers_return(i);
}

void
v2_assignments(struct app *app, struct http_request *q, struct http_response *r)
{
	struct instance *i = take(app, q, r);
	struct json_out o = json_out(&r->body);
	struct weir_offset *list;
	size_t n;

	if (i == NULL)
		return;
	if (!weir_assignment(i->consumer, q->arena, &list, &n))
		problem_answer(r, r->type, &problem_too_large);
	else {
		json_open(&o, '{');
		json_key(&o, "partitions");
		json_open(&o, '[');
		for (size_t k = 0; k < n; k++) {
			json_open(&o, '{');
			json_key(&o, "topic");
			json_put_str(&o, list[k].topic);
			json_key(&o, "partition");
			json_put_int(&o, list[k].partition);
			json_close(&o, '}');
		}
		json_close(&o, ']');
		json_close(&o, '}');
	}
	consumers_return(i);
}

/* ---- positions ---- */

/* Moves each; false with the response made. */
static bool
seek_all(struct http_response *r, struct instance *i, const struct weir_offset *list, size_t n)
{
	struct weir_error why;

	for (size_t k = 0; k < n; k++)
		if (!weir_seek(i->consumer, list[k].topic, list[k].partition, list[k].offset, &why)) {
			app_kafka_problem(r, &why);
			return false;
		}
	return true;
}

void
v2_seek(struct app *app, struct http_request *q, struct http_response *r)
{
	static const char *const known[] = { "offsets", "timestamps", NULL };
	const struct json *body = app_body(q, r, PROXY_INVALID, "seekRequest must not be null (was null)");
	struct weir_offset *offsets, *times;
	struct weir_error why = { .kind = WEIR_OK };
	struct instance *i;
	size_t n, n_times;

	if (body == NULL || !app_known_fields(r, body, known) || !read_list(q, r, body, "offsets", POSITIONS, &offsets, &n) ||
	    !read_list(q, r, body, "timestamps", TIMESTAMPS, &times, &n_times) || (i = take(app, q, r)) == NULL)
		return;
	if (n_times > 0 && !weir_offsets_for_times(i->consumer, times, n_times, app->request_timeout_ms, &why))
		app_kafka_problem(r, &why);
	else if (seek_all(r, i, offsets, n) && seek_all(r, i, times, n_times))
		no_content(r);
	consumers_return(i);
}

static void
seek_to(struct app *app, struct http_request *q, struct http_response *r, int64_t offset)
{
	struct weir_offset *list;
	struct instance *i;
	size_t n;

	if (!read_partitions(q, r, &list, &n) || (i = take(app, q, r)) == NULL)
		return;
	for (size_t k = 0; k < n; k++)
		list[k].offset = offset;
	if (seek_all(r, i, list, n))
		no_content(r);
	consumers_return(i);
}

void
v2_seek_beginning(struct app *app, struct http_request *q, struct http_response *r)
{
	seek_to(app, q, r, WEIR_BEGINNING);
}

void
v2_seek_end(struct app *app, struct http_request *q, struct http_response *r)
{
	seek_to(app, q, r, WEIR_END);
}

/* ---- records ---- */

/* An answer that is being filled. */
struct collection {
	struct instance *instance;
	struct json_out out;
	int64_t deadline_ms, bytes, max_bytes, min_bytes;
	size_t n, text_max;
};

/* Puts a record; false when it is none in the instance's format. */
static bool
put_record(struct collection *c, const struct weir_message *m)
{
	json_open(&c->out, '{');
	json_key(&c->out, "topic");
	json_put_str(&c->out, m->topic);
	json_key(&c->out, "key");
	if (!format_put(c->instance->format, &c->out, m->key))
		return false;
	json_key(&c->out, "value");
	if (!format_put(c->instance->format, &c->out, m->value))
		return false;
	json_key(&c->out, "partition");
	json_put_int(&c->out, m->partition);
	json_key(&c->out, "offset");
	json_put_int(&c->out, m->offset);
	json_close(&c->out, '}');
	return true;
}

/* Whether so much is there that nothing more is waited for.  A record without bytes is one, too. */
static bool
is_enough(const struct collection *c)
{
	return c->n > 0 && c->min_bytes >= 0 && (c->min_bytes <= 1 || c->bytes >= c->min_bytes);
}

/* The next message.  As weir_poll(). */
static int
next_message(struct collection *c, struct weir_message *m, struct weir_error *why)
{
	int64_t left = c->deadline_ms - monotonic_ms();

	/* With enough in hand only what is there already is taken along. */
	if (left < 0 || is_enough(c))
		left = 0;
	return weir_poll(c->instance->consumer, left < LOOK_UP_MS ? (int)left : LOOK_UP_MS, m, why);
}

static bool
is_over(const struct collection *c, int got)
{
	if (monotonic_ms() >= c->deadline_ms || fcgi_stopping())
		return true;
	/* Of small records the JSON around them is what takes memory. */
	if (c->out.to->n >= c->text_max)
		return true;
	return got == 0 && is_enough(c);
}

enum collected { COLLECTED, NOT_DECODED, NOT_READ };

/* One record too many goes back, and is the first of the next answer. */
static enum collected
collect(struct collection *c, struct weir_message *bad, struct weir_error *why)
{
	struct weir_message m;
	size_t before;
	int got;

	do {
		if ((got = next_message(c, &m, why)) == -1)
			return c->n > 0 ? COLLECTED : NOT_READ;
		if (got == 0)
			continue;
		/* The first is given however large it is: else it would never be. */
		if (c->n > 0 && c->bytes + (int64_t)(m.key.n + m.value.n) > c->max_bytes) {
			weir_message_return(c->instance->consumer, &m);
			return COLLECTED;
		}
		before = c->out.to->n;
		if (!put_record(c, &m)) {
			/* It stays where it is, and stands in the way: the client must move past it. */
			c->out.to->n = before;
			c->out.comma = c->n > 0;
			*bad = m;
			weir_message_return(c->instance->consumer, &m);
			return c->n > 0 ? COLLECTED : NOT_DECODED;
		}
		c->bytes += (int64_t)(m.key.n + m.value.n);
		c->n++;
		weir_message_done(&m);
	} while (!is_over(c, got));
	return COLLECTED;
}

/* The type of the answer: the instance's own, which the client must take. */
static bool
choose_type(const struct instance *i, struct http_request *q, struct http_response *r)
{
	const struct http_media own[] = { { format_type(i->format), 1000 }, { NULL, 0 } };
	const struct http_media plain[] = { { "application/vnd.kafka.v2+json", 1000 }, { NULL, 0 } };
	const char *type = http_negotiate(q->accept, own);

	if (type == NULL && http_negotiate(q->accept, plain) != NULL)
		type = own[0].type;
	if (type == NULL)
		app_problem(r, PROXY_FORMAT_MISMATCH);
	else
		r->type = type;
	return type != NULL;
}

static bool
query_number(struct http_request *q, struct http_response *r, const char *name, int32_t *out)
{
	if (http_query_int(q, name, -1, out))
		return true;
	problem_answer(r, r->type, &problem_not_found);
	return false;
}

/* What the client has not got it gets with its next call, it or another of its group. */
static void
records_sent(void *arg, bool whole)
{
	struct instance *i = arg;
	struct weir_error why;

	if (whole)
		weir_consumed(i->consumer);
	else
		weir_rewind(i->consumer, &why);
	consumers_return(i);
}

static void
read_records(struct app *app, struct http_response *r, struct instance *i, int32_t timeout, int32_t max_bytes)
{
	const struct consumers_settings *s = consumers_get_settings(app->consumers);
	struct collection c = { .instance = i, .out = json_out(&r->body), .min_bytes = i->min_bytes };
	struct weir_message bad;
	struct weir_error why;
	int wait = timeout > 0 && timeout < i->request_timeout_ms ? timeout : i->request_timeout_ms;

	c.deadline_ms = monotonic_ms() + wait;
	c.max_bytes = max_bytes > 0 && max_bytes < s->max_bytes ? max_bytes : s->max_bytes;
	c.text_max = 2 * (size_t)s->max_bytes;
	json_open(&c.out, '[');
	switch (collect(&c, &bad, &why)) {
	case COLLECTED:
		json_close(&c.out, ']');
		break;
	case NOT_DECODED: {
		char text[400];

		snprintf(text, sizeof text, "The record at offset %lld of partition %d of topic %.250s is no JSON: seek past it",
		    (long long)bad.offset, (int)bad.partition, bad.topic);
		app_problem(r, PROXY_SERIALIZATION, text);
		break;
	}
	case NOT_READ:
		if (why.kind == WEIR_ILLEGAL_STATE)
			problem_answer(r, r->type, &problem_internal);
		else
			app_kafka_problem(r, &why);
		break;
	}
}

void
v2_records(struct app *app, struct http_request *q, struct http_response *r)
{
	struct instance *i;
	int32_t timeout, max_bytes;

	if (!query_number(q, r, "timeout", &timeout) || !query_number(q, r, "max_bytes", &max_bytes) ||
	    (i = take(app, q, r)) == NULL)
		return;
	r->sent = records_sent;
	r->sent_to = i;
	if (choose_type(i, q, r))
		read_records(app, r, i, timeout, max_bytes);
}

/* ---- committed offsets ---- */

void
v2_commit(struct app *app, struct http_request *q, struct http_response *r)
{
	static const char *const known[] = { "offsets", NULL };
	const struct json *body = app_body(q, r, PROXY_INVALID, NULL);
	struct json_out o = json_out(&r->body);
	struct weir_offset *list;
	struct weir_error why;
	struct instance *i;
	size_t n;

	if (body == NULL || !app_known_fields(r, body, known) || !read_list(q, r, body, "offsets", COMMITS, &list, &n) ||
	    (i = take(app, q, r)) == NULL)
		return;
	/* What clients give is the last record that they have; what Kafka keeps is the next one. */
	for (size_t k = 0; k < n; k++)
		list[k].offset++;
	if (weir_commit(i->consumer, list, n, &why)) {
		json_open(&o, '[');
		json_close(&o, ']');
	} else
		app_kafka_problem(r, &why);
	consumers_return(i);
}

static void
put_committed(struct http_response *r, const struct weir_offset *list, size_t n)
{
	struct json_out o = json_out(&r->body);

	json_open(&o, '{');
	json_key(&o, "offsets");
	json_open(&o, '[');
	for (size_t k = 0; k < n; k++) {
		if (list[k].offset == WEIR_NO_OFFSET)
			continue;
		json_open(&o, '{');
		json_key(&o, "topic");
		json_put_str(&o, list[k].topic);
		json_key(&o, "partition");
		json_put_int(&o, list[k].partition);
		json_key(&o, "offset");
		json_put_int(&o, list[k].offset);
		json_key(&o, "metadata");
		json_put_str(&o, list[k].metadata == NULL ? "" : list[k].metadata);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	json_close(&o, '}');
}

/* A GET with a body: which partitions are meant. */
void
v2_committed(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_offset *list;
	struct weir_error why;
	struct instance *i;
	size_t n;

	if (!app_has_body(q)) {
		app_problem(r, PROXY_PARTITION_NOT_FOUND);
		return;
	}
	if (!read_partitions(q, r, &list, &n) || (i = take(app, q, r)) == NULL)
		return;
	if (n == 0 || weir_committed(i->consumer, q->arena, list, n, app->request_timeout_ms, &why))
		put_committed(r, list, n);
	else
		app_kafka_problem(r, &why);
	consumers_return(i);
}
