/* app.c -- what the REST proxy's handlers have in common: types, errors, arguments, bodies. */
#include "rest-proxy/app.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/problem.h"

static const struct problem problems[PROXY_PROBLEMS] = {
#define PROBLEM(name, status, code, message) [PROXY_##name] = { status, code, message },
#include "rest-proxy/problems.tbl"
};

/* ---- types ---- */

#define V2 "application/vnd.kafka.v2+json"
#define V2_BINARY "application/vnd.kafka.binary.v2+json"
#define V2_JSON "application/vnd.kafka.json.v2+json"

/* What routes give.  Confluent's gives no application/json in v2; who asks for nothing else gets it here. */
static const struct http_media given_v2[] = { { V2, 1000 }, { "application/json", 1 }, { NULL, 0 } };
static const struct http_media given_consumer[] = { { V2, 900 }, { V2_BINARY, 100 }, { V2_JSON, 100 },
	{ "application/vnd.kafka.avro.v2+json", 100 }, { "application/vnd.kafka.jsonschema.v2+json", 100 },
	{ "application/vnd.kafka.protobuf.v2+json", 100 }, { "application/json", 1 }, { NULL, 0 } };
/* Formats that we do not have, too: that none of them is the instance's is an error of its own. */
static const struct http_media given_records[] = { { V2_BINARY, 1000 }, { V2_JSON, 900 }, { V2, 800 },
	{ "application/vnd.kafka.avro.v2+json", 1 }, { "application/vnd.kafka.jsonschema.v2+json", 1 },
	{ "application/vnd.kafka.protobuf.v2+json", 1 }, { NULL, 0 } };
static const struct http_media given_v3[] = { { "application/json", 1000 }, { NULL, 0 } };

/* What they take. */
static const char *const taken_produce[] = { V2_BINARY, V2_JSON, NULL };
static const char *const taken_v2[] = { V2, V2_BINARY, V2_JSON, "application/vnd.kafka.avro.v2+json",
	"application/vnd.kafka.jsonschema.v2+json", "application/vnd.kafka.protobuf.v2+json", "application/json", NULL };
static const char *const taken_v3[] = { "application/json", NULL };

/* The first row whose flag the route has says what goes for it. */
static const struct negotiation {
	unsigned flag;
	const struct http_media *given;
	const char *const *taken;
	bool always;   /* a body of no type is refused, too */
	bool charsets; /* so is one in a charset that we do not read */
} negotiations[] = {
	{ ROUTE_PRODUCE, given_v2, taken_produce, true, false },
	{ ROUTE_RECORDS, given_records, taken_v2, false, false },
	{ ROUTE_CONSUMER, given_consumer, taken_v2, false, false },
	{ ROUTE_V2, given_v2, taken_v2, false, false },
	{ ROUTE_V3, given_v3, taken_v3, false, true },
};

/* Those that a body which is JSON in UTF-8 can be in. */
static bool
is_readable(struct span charset)
{
	static const char *const known[] = { "utf-8", "utf8", "us-ascii", "iso-8859-1" };

	if (charset.p == NULL)
		return true;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (charset.n == strlen(known[i]) && strncasecmp((const char *)charset.p, known[i], charset.n) == 0)
			return true;
	return false;
}

static bool
takes(const struct negotiation *n, struct http_request *q)
{
	struct span type;

	/* Elsewhere a body is rare, and its type says nothing. */
	if (q->method != HTTP_POST && q->method != HTTP_PUT && q->method != HTTP_PATCH)
		return true;
	if (q->content_type.n == 0)
		return !n->always;
	type = http_media_type(q->arena, q->content_type);
	for (const char *const *t = n->taken; *t != NULL; t++)
		if (span_is(type, *t))
			return true;
	return false;
}

bool
app_before(struct app *app, const struct route *route, struct http_request *q, struct http_response *r)
{
	(void)app;
	for (size_t i = 0; i < sizeof negotiations / sizeof *negotiations; i++) {
		const struct negotiation *n = &negotiations[i];

		if (!(route->flags & n->flag))
			continue;
		if ((r->type = http_negotiate(q->accept, n->given)) == NULL) {
			problem_answer(r, NULL, &problem_not_acceptable);
			return false;
		}
		if (!takes(n, q)) {
			/* Confluent's tells it in plain JSON to whoever takes that. */
			problem_answer(r, http_negotiate(q->accept, given_v3) != NULL ? "application/json" : r->type,
			    &problem_unsupported_media_type);
			return false;
		}
		if (n->charsets && !is_readable(http_charset(q->content_type))) {
			problem_answer(r, r->type, &problem_bad_request, "the charset of the body must be UTF-8 or ISO-8859-1");
			return false;
		}
		return true;
	}
	return true;
}

/* ---- errors ---- */

void
app_problem(struct http_response *r, enum proxy_problem problem, ...)
{
	va_list ap;

	va_start(ap, problem);
	problem_vanswer(r, r->type, &problems[problem], ap);
	va_end(ap);
}

/* How each kind of Kafka's errors is told where it answers the whole request. */
static const enum proxy_problem by_kind[] = {
	[WEIR_OK] = PROXY_KAFKA_ERROR,
	[WEIR_UNAUTHENTICATED] = PROXY_KAFKA_UNAUTHENTICATED,
	[WEIR_FORBIDDEN] = PROXY_KAFKA_FORBIDDEN,
	[WEIR_UNKNOWN_TOPIC] = PROXY_UNKNOWN_TOPIC,
	[WEIR_UNKNOWN_PARTITION] = PROXY_UNKNOWN_TOPIC,
	[WEIR_TOPIC_EXISTS] = PROXY_KAFKA_BAD_REQUEST,
	[WEIR_INVALID] = PROXY_KAFKA_BAD_REQUEST,
	[WEIR_TOO_LARGE] = PROXY_RECORD_TOO_LARGE,
	[WEIR_ILLEGAL_STATE] = PROXY_ILLEGAL_STATE,
	[WEIR_RETRIABLE] = PROXY_KAFKA_RETRIABLE,
	[WEIR_TIMEOUT] = PROXY_KAFKA_RETRIABLE,
	[WEIR_FULL] = PROXY_KAFKA_RETRIABLE,
	[WEIR_NO_MEMORY] = PROXY_KAFKA_RETRIABLE,
	[WEIR_FAILED] = PROXY_KAFKA_ERROR,
};

void
app_kafka_problem(struct http_response *r, const struct weir_error *e)
{
	app_problem(r, by_kind[e->kind], e->text);
}

struct record_problem
app_record_problem(const struct weir_error *e, bool v2)
{
	enum proxy_problem p = by_kind[e->kind];

	if (v2 && (p == PROXY_UNKNOWN_TOPIC))
		p = PROXY_KAFKA_RETRIABLE;
	else if (v2 && p != PROXY_KAFKA_UNAUTHENTICATED && p != PROXY_KAFKA_FORBIDDEN && p != PROXY_KAFKA_RETRIABLE)
		p = PROXY_KAFKA_ERROR;
	else if (p == PROXY_UNKNOWN_TOPIC)
		p = e->kind == WEIR_UNKNOWN_PARTITION ? PROXY_PARTITION_NOT_FOUND : PROXY_TOPIC_NOT_IN_METADATA;
	return (struct record_problem){ problems[p].status, problems[p].error_code };
}

/* ---- arguments and bodies ---- */

const char *
app_text(const struct http_request *q, size_t arg)
{
	char *text = arena_alloc(q->arena, q->args[arg].n + 1);

	if (text != NULL && q->args[arg].n > 0)
		memcpy(text, q->args[arg].p, q->args[arg].n);
	return text == NULL ? "" : text;
}

bool
app_number(const struct http_request *q, struct http_response *r, size_t arg, int32_t *out)
{
	struct span text = q->args[arg];
	char digits[16], *end;
	long n;

	if (text.n > 0 && text.n < sizeof digits && (text.p[0] == '-' || (text.p[0] >= '0' && text.p[0] <= '9'))) {
		memcpy(digits, text.p, text.n);
		digits[text.n] = '\0';
		n = strtol(digits, &end, 10);
		if (*end == '\0' && n >= INT32_MIN && n <= INT32_MAX) {
			*out = (int32_t)n;
			return true;
		}
	}
	problem_answer(r, r->type, &problem_not_found);
	return false;
}

bool
app_has_body(const struct http_request *q)
{
	for (size_t i = 0; i < q->body.n; i++)
		if (strchr(" \t\r\n", q->body.p[i]) == NULL || q->body.p[i] == '\0')
			return true;
	return false;
}

const struct json *
app_body(struct http_request *q, struct http_response *r, enum proxy_problem empty_problem, const char *empty)
{
	static const struct json nothing = { .kind = JSON_OBJECT };
	struct json_mistake why;
	const struct json *body;

	if (!app_has_body(q)) {
		if (empty != NULL)
			app_problem(r, empty_problem, empty);
		return empty == NULL ? &nothing : NULL;
	}
	if ((body = json_parse(q->arena, q->body, &why)) == NULL) {
		if (why.memory)
			problem_answer(r, r->type, &problem_too_large);
		else
			problem_answer(r, r->type, &problem_bad_request, why.text);
		return NULL;
	}
	if (body->kind == JSON_OBJECT)
		return body;
	if (body->kind == JSON_NULL && empty != NULL)
		app_problem(r, empty_problem, empty);
	else if (body->kind == JSON_NULL)
		return &nothing;
	else
		problem_answer(r, r->type, &problem_bad_request, "The request body must be an object: {...}");
	return NULL;
}

bool
app_known_fields(struct http_response *r, const struct json *in, const char *const *names)
{
	for (const struct json *v = in->first; v != NULL; v = v->next) {
		const char *const *name = names;

		while (*name != NULL && !span_is(v->name, *name))
			name++;
		if (*name == NULL) {
			char text[128];
			int n = v->name.n < sizeof text - 1 ? (int)v->name.n : (int)sizeof text - 1;

			memcpy(text, v->name.p, (size_t)n);
			text[n] = '\0';
			app_problem(r, PROXY_UNRECOGNIZED_FIELD, text);
			return false;
		}
	}
	return true;
}
