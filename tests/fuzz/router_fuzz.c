/*
 * router_fuzz.c -- any bytes as what a client can choose of a request: method, target,
 * Accept and Content-Type, one behind the other with a newline between.
 *
 * Routes that are found must be found again by the path that one would write for
 * them; what is decoded must decode to the same when it was encoded.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "common/router.h"
#include "unit/common/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static struct router *router;

/* What stands before the next newline, as a copy of its own size, so that a read past the end is seen.  Owned. */
static struct span
take_line(const uint8_t **bytes, size_t *n)
{
	const uint8_t *end = *n == 0 ? NULL : memchr(*bytes, '\n', *n);
	size_t length = end == NULL ? *n : (size_t)(end - *bytes);
	uint8_t *copy = malloc(length == 0 ? 1 : length);

	must(copy != NULL);
	if (length > 0)
		memcpy(copy, *bytes, length);
	*bytes = end == NULL ? *bytes + *n : end + 1;
	*n -= end == NULL ? *n : length + 1;
	return span_of(copy, length);
}

/* The pattern with the arguments in their places. */
static void
write_path(const struct route *route, const struct http_request *request, struct buf *to)
{
	size_t arg = 0;

	for (const char *p = route->pattern; *p != '\0'; p++)
		if (*p == '{') {
			http_encode(to, request->args[arg++]);
			p = strchr(p, '}');
		} else
			buf_u8(to, (uint8_t)*p);
}

/* An empty argument at the end leaves a slash that would be ignored. */
static bool
ends_empty(const struct route *route, const struct http_request *request)
{
	size_t n = 0;

	for (const char *p = route->pattern; *p != '\0'; p++)
		n += *p == '{';
	return n > 0 && route->pattern[strlen(route->pattern) - 1] == '}' && request->args[n - 1].n == 0;
}

static void
check_found_again(const struct route *route, const struct http_request *request)
{
	struct http_request again = { .method = request->method, .arena = request->arena };
	struct buf path = { 0 };
	const struct route *other;

	write_path(route, request, &path);
	if (ends_empty(route, request))
		buf_u8(&path, '/');
	again.path = buf_bytes(&path);
	must(router_find(router, &again, &other) == ROUTER_FOUND && other == route);
	for (size_t i = 0; i < HTTP_ARGS_MAX && request->args[i].p != NULL; i++)
		must(span_eq(again.args[i], request->args[i]));
	buf_done(&path);
}

static void
check_route(struct http_request *request)
{
	const struct route *route;
	struct buf allowed = { 0 };
	enum router_result result = router_find(router, request, &route);

	must(result != ROUTER_NO_MEMORY);
	router_allow(router, request, &allowed);
	must((allowed.n == 0) == (result == ROUTER_NOT_FOUND));
	buf_done(&allowed);
	if (result == ROUTER_FOUND)
		check_found_again(route, request);
}

static void
check_round_trip(struct arena *arena, struct span text)
{
	struct span once = http_decode(arena, text, true), again;
	struct buf encoded = { 0 };

	if (once.p == NULL)
		return;
	http_encode(&encoded, once);
	again = http_decode(arena, buf_bytes(&encoded), false);
	must(again.p != NULL && again.n == once.n && (once.n == 0 || memcmp(again.p, once.p, once.n) == 0));
	buf_done(&encoded);
}

static void
check_query(const struct http_request *request)
{
	static const char *const names[] = { "", "a", "deleted", "normalize" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct span first = http_query(request, names[i]);
		int32_t number = 5;

		must(span_eq(first, http_query_nth(request, names[i], 0)));
		if (http_query_bool(request, names[i]))
			must(first.n == 4);
		if (http_query_int(request, names[i], 5, &number) && number != 5)
			must(first.n > 0);
		http_query_nth(request, names[i], 3);
	}
}

static void
check_media(struct http_request *request)
{
	static const struct http_media media[] = {
		{ "application/vnd.schemaregistry.v1+json", 1000 }, { "application/json", 500 }, { NULL, 0 },
	};
	const char *chosen = http_negotiate(request->accept, media);
	struct span type = http_media_type(request->arena, request->content_type);

	must(chosen == NULL || chosen == media[0].type || chosen == media[1].type);
	for (size_t i = 0; i < type.n; i++)
		must(type.p[i] != ';' && !(type.p[i] >= 'A' && type.p[i] <= 'Z'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena arena;
	struct http_request request = { .arena = &arena };
	struct span target;
	const uint8_t *mark;

	if (router == NULL)
		router = router_new(table_routes);
	if (n == 0)
		return 0;
	arena_init(&arena, 64 << 20);
	request.method = (enum http_method)(*bytes % (HTTP_OTHER + 1));
	bytes++;
	n--;
	target = take_line(&bytes, &n);
	request.accept = take_line(&bytes, &n);
	request.content_type = take_line(&bytes, &n);
	request.path = target;
	if (target.n > 0 && (mark = memchr(target.p, '?', target.n)) != NULL) {
		request.path.n = (size_t)(mark - target.p);
		request.query = span_of(mark + 1, target.n - request.path.n - 1);
	}
	check_route(&request);
	check_round_trip(&arena, target);
	check_query(&request);
	check_media(&request);
	free((void *)(uintptr_t)target.p);
	free((void *)(uintptr_t)request.accept.p);
	free((void *)(uintptr_t)request.content_type.p);
	arena_done(&arena);
	return 0;
}
