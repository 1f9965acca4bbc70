/* app.c -- how a request uses the registry's state and its log. */
#include "registry/app.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "common/problem.h"

/* Changed by app_tell_incompatible() alone, before requests come. */
static struct problem problems[REGISTRY_PROBLEMS] = {
#define PROBLEM(name, status, code, message) [REGISTRY_##name] = { status, code, message },
#include "registry/problems.tbl"
	[REGISTRY_NO_MEMORY] = { 413, 413, "HTTP 413 Request Entity Too Large" },
	[REGISTRY_WAITS] = { 500, 500, "Internal Server Error" }, /* told to nobody */
	[REGISTRY_AGAIN] = { 500, 500, "Internal Server Error" }, /* told to nobody whose client is there */
};

void
app_tell_incompatible(int error_code)
{
	problems[REGISTRY_INCOMPATIBLE].error_code = error_code;
}

/* What we give, and how much we like to. */
static const struct http_media given[] = {
	{ "application/vnd.schemaregistry.v1+json", 1000 },
	{ "application/vnd.schemaregistry+json", 900 },
	{ "application/json", 500 },
	{ NULL, 0 },
};

/* What a body may be: the same, or anything that says nothing. */
static const char *const taken[] = { "application/vnd.schemaregistry.v1+json",
	"application/vnd.schemaregistry+json", "application/json", "application/octet-stream" };

static bool
takes(struct http_request *q)
{
	struct span type;

	if (q->content_type.n == 0 || (q->method != HTTP_POST && q->method != HTTP_PUT))
		return true;
	type = http_media_type(q->arena, q->content_type);
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (span_is(type, taken[i]))
			return true;
	return false;
}

/* What a name means in the context that the path is about. */
static struct span
in_context(const struct http_request *q, struct span name)
{
	return registry_subject(q->arena, q->scope.p == NULL ? span_str(".") : q->scope, name);
}

bool
app_arrive(struct app *app, struct http_request *q, struct http_response *r)
{
	static const char contexts[] = "/contexts/";
	struct span rest = q->path, segment, name;
	const uint8_t *slash;
	bool alone;

	(void)app;
	r->type = given[0].type;
	if (rest.n < sizeof contexts || memcmp(rest.p, contexts, sizeof contexts - 1) != 0)
		return true;
	segment = span_of(rest.p + sizeof contexts - 1, rest.n - (sizeof contexts - 1));
	if ((slash = memchr(segment.p, '/', segment.n)) == NULL)
		slash = segment.p + segment.n;
	alone = slash + 1 >= segment.p + segment.n;
	rest = span_of(slash, (size_t)(segment.p + segment.n - slash));
	name = http_decode(q->arena, span_of(segment.p, (size_t)(slash - segment.p)), false);
	/* The context itself is a resource like others; the router takes no dots for the normal one. */
	if (alone && span_is(name, "."))
		q->path = span_str("/contexts/:.:");
	if (alone || name.p == NULL)
		return true; /* the router says that it is none */
	if (!registry_context_name(q->arena, name, &q->scope))
		app_problem(r, REGISTRY_INVALID_CONTEXT,
		    arena_printf(q->arena, "%.*s", (int)name.n, (const char *)name.p));
	else if (q->scope.p == NULL)
		problem_answer(r, r->type, &problem_internal);
	else {
		q->path = rest;
		return true;
	}
	return false;
}

bool
app_before(struct app *app, const struct route *route, struct http_request *q, struct http_response *r)
{
	const char *fault = (route->flags & APP_WATCHES) ? NULL : log_fault(app->log);

	r->type = http_negotiate(q->accept, given);
	if (route->flags & ROUTE_OF_SUBJECT)
		q->args[0] = in_context(q, q->args[0]);
	if (r->type == NULL)
		problem_answer(r, NULL, &problem_not_acceptable);
	else if (fault != NULL)
		app_problem(r, REGISTRY_TOPIC_LOST, fault);
	else if (!takes(q))
		problem_answer(r, r->type, &problem_unsupported_media_type);
	else if (route->flags & ROUTE_OF_SUBJECT && q->args[0].p == NULL)
		problem_answer(r, r->type, &problem_internal);
	else
		return true;
	return false;
}

void
app_read(struct app *app, bool fresh)
{
	/* Whoever writes, too: another may have become the one that does. */
	if (fresh && !log_catch_up(app->log, app->timeout_ms))
		diag_debug("answered from what is known", "reason=\"the broker could not be asked\"");
	pthread_rwlock_rdlock(&app->lock);
}

void
app_read_end(struct app *app)
{
	pthread_rwlock_unlock(&app->lock);
}

void
app_refuse(struct http_response *r, const struct refusal *why)
{
	struct problem p = problems[why->problem];

	if (why->problem < REGISTRY_NO_MEMORY)
		p.format = "%s";
	problem_answer(r, r->type, &p, why->message);
}

void
app_problem(struct http_response *r, enum registry_problem problem, ...)
{
	va_list ap;

	va_start(ap, problem);
	problem_vanswer(r, r->type, &problems[problem], ap);
	va_end(ap);
}

void
app_apply(void *ctx, int64_t offset, int64_t timestamp_ms, struct span key, struct span value)
{
	struct app *app = ctx;
	const char *why = NULL;
	bool good;

	pthread_rwlock_wrlock(&app->lock);
	good = registry_apply(app->registry, offset, timestamp_ms, key, value, &why);
	pthread_rwlock_unlock(&app->lock);
	if (!good) {
		char quoted[160];

		atomic_fetch_add(&app->skipped, 1);
		diag_warn("a record of the registry's topic was passed over", "offset=%" PRId64 " reason=\"%s\" key=%s",
		    offset, why, diag_quote(quoted, sizeof quoted, key));
	}
}

void
app_aborted(void *ctx, struct span key, struct span value, bool last)
{
	struct app *app = ctx;

	pthread_rwlock_wrlock(&app->lock);
	registry_aborted(app->registry, key, value, last);
	pthread_rwlock_unlock(&app->lock);
}

const struct json *
app_body(struct http_request *q, struct http_response *r)
{
	struct json_mistake why;
	struct span rest; /* whatever follows the object: Jackson, too, does not look at it */
	const struct json *body;

	if (json_is_blank(q->body, false)) {
		problem_answer(r, r->type, &problem_unprocessable, "The request body must not be null (was null)");
		return NULL;
	}
	if ((body = json_parse_first(q->arena, q->body, false, &rest, &why)) == NULL) {
		if (why.memory)
			problem_answer(r, r->type, &problem_too_large);
		else
			problem_answer(r, r->type, &problem_bad_request, why.text);
		return NULL;
	}
	if (json_is_kind(body, JSON_NULL))
		problem_answer(r, r->type, &problem_unprocessable, "The request body must not be null (was null)");
	else if (!json_is_kind(body, JSON_OBJECT))
		problem_answer(r, r->type, &problem_bad_request, "The request body must be an object: {...}");
	else
		return body;
	return NULL;
}

bool
app_page(const struct http_request *q, struct http_response *r, struct page *p)
{
	*p = (struct page){ 0 };
	if (!http_query_int(q, "offset", 0, &p->offset) || !http_query_int(q, "limit", -1, &p->limit)) {
		problem_answer(r, r->type, &problem_not_found);
		return false;
	}
	if (p->limit <= 0)
		p->limit = INT32_MAX;
	return true;
}

void
app_page_of_schemas(struct page *p)
{
	enum { SCHEMAS_MAX = 1000 };

	if (p->limit > SCHEMAS_MAX)
		p->limit = SCHEMAS_MAX;
}

static int32_t
first_of(const struct page *p)
{
	return p->offset < 0 ? 0 : p->offset;
}

bool
app_on_page(struct page *p)
{
	int32_t at = p->seen++;

	return at >= first_of(p) && at - first_of(p) < p->limit;
}

bool
app_page_full(const struct page *p)
{
	return p->seen >= first_of(p) && p->seen - first_of(p) >= p->limit;
}

enum registry_which
app_which(const struct http_request *q)
{
	if (http_query_bool(q, "deletedOnly"))
		return REGISTRY_DELETED_ONLY;
	return http_query_bool(q, "deleted") ? REGISTRY_ALL : REGISTRY_LIVE;
}

struct span
app_subject(const struct registry *registry, const struct http_request *q)
{
	return registry_aliased(registry, q->args[0]);
}

struct span
app_scope(const struct http_request *q)
{
	return q->args[0].n == 0 ? span_of(NULL, 0) : q->args[0];
}

struct span
app_query_subject(const struct registry *registry, const struct http_request *q)
{
	struct span said = http_query(q, "subject");

	return said.p == NULL && q->scope.p == NULL ? said : registry_aliased(registry, in_context(q, said));
}

struct span
app_query_prefix(const struct http_request *q, const char *absent)
{
	struct span said = http_query(q, "subjectPrefix");

	if (q->scope.p != NULL)
		return in_context(q, said);
	return said.p == NULL ? span_str(absent) : said;
}
