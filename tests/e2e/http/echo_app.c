/*
 * echo_app.c -- an app that tells what it was asked, for tests of fcgi-apps/common
 * behind a real web server.
 *
 *	echo_app STOP_MS NAME PATH CONNECTIONS LIMIT [NAME PATH CONNECTIONS LIMIT]...
 *
 * Writes "ready" to standard output once its sockets are open.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/fcgi.h"
#include "common/problem.h"
#include "json/write.h"

enum { POOLS_MAX = 4, BODY_MAX = 5 << 20, SLEEP_MS_MAX = 60000 };

static void
root(struct app *app, struct http_request *request, struct http_response *response)
{
	(void)app;
	(void)request;
	response->type = "application/json";
	buf_span(&response->body, span_str("{}"));
}

/* The body, as it came. */
static void
echo(struct app *app, struct http_request *request, struct http_response *response)
{
	(void)app;
	response->type = "application/octet-stream";
	buf_span(&response->body, request->body);
}

/* All that a handler sees of a request. */
static void
show(struct app *app, struct http_request *request, struct http_response *response)
{
	const struct {
		const char *name;
		struct span value;
	} parts[] = {
		{ "path", request->path }, { "query", request->query }, { "content_type", request->content_type },
		{ "accept", request->accept }, { "host", request->host }, { "scheme", request->scheme },
		{ "user", request->user }, { "id", request->id }, { "body", request->body }, { "name", request->args[0] },
	};
	struct json_out o = json_out(&response->body);

	(void)app;
	response->type = "application/json";
	json_open(&o, '{');
	json_key(&o, "method");
	json_put_int(&o, request->method);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		json_key(&o, parts[i].name);
		json_put_span(&o, parts[i].value);
	}
	json_close(&o, '}');
}

/* Takes ?ms= milliseconds. */
static void
slow(struct app *app, struct http_request *request, struct http_response *response)
{
	int32_t ms = 0;

	if (!http_query_int(request, "ms", 0, &ms) || ms < 0 || ms > SLEEP_MS_MAX) {
		problem_answer(response, NULL, &problem_bad_request, "ms");
		return;
	}
	poll(NULL, 0, ms);
	echo(app, request, response);
}

/* Has ?bytes= bytes. */
static void
big(struct app *app, struct http_request *request, struct http_response *response)
{
	int32_t n = 0;

	(void)app;
	http_query_int(request, "bytes", 0, &n);
	response->type = "text/plain";
	for (int32_t i = 0; i < n; i++)
		buf_u8(&response->body, (uint8_t)('a' + i % 23));
}

/* A header with what the client wants in it. */
static void
header(struct app *app, struct http_request *request, struct http_response *response)
{
	root(app, request, response);
	http_header(response, "X-Echo", http_query(request, "value"));
}

static void
fail(struct app *app, struct http_request *request, struct http_response *response)
{
	(void)app;
	(void)request;
	problem_answer(response, NULL, &problem_internal);
}

static void
nothing(struct app *app, struct http_request *request, struct http_response *response)
{
	(void)app;
	(void)request;
	response->status = 204;
}

static void
pid(struct app *app, struct http_request *request, struct http_response *response)
{
	(void)app;
	(void)request;
	response->type = "text/plain";
	buf_printf(&response->body, "%ld", (long)getpid());
}

static void
metrics(struct app *app, struct http_request *request, struct http_response *response)
{
	(void)app;
	(void)request;
	response->type = "text/plain";
	fcgi_metrics(&response->body);
}

/* Answers each piece as it comes, its bytes counted before it. */
static void
stream(struct app *app, struct http_request *request, struct http_response *response)
{
	char piece[4096], head[32];
	int64_t n, all = 0;

	(void)app;
	response->type = "text/plain";
	while ((n = http_stream_read(request->stream, piece, sizeof piece)) > 0) {
		all += n;
		snprintf(head, sizeof head, "%" PRId64 ":", all);
		if (!http_stream_write(request->stream, response, span_str(head)) ||
		    !http_stream_write(request->stream, response, span_of(piece, (size_t)n)))
			break;
	}
}

/* Doesn't look at its body. */
static void
ignore(struct app *app, struct http_request *request, struct http_response *response)
{
	root(app, request, response);
}

/* Sends pieces, once it has its body, until the client is gone. */
static void
endless(struct app *app, struct http_request *request, struct http_response *response)
{
	char piece[4096];

	(void)app;
	response->type = "text/plain";
	while (request->method == HTTP_POST && http_stream_read(request->stream, piece, sizeof piece) > 0)
		continue;
	while (http_stream_write(request->stream, response, span_str("tick\n")) && !fcgi_stopping())
		poll(NULL, 0, 20);
}

static const struct route routes[] = {
	{ HTTP_GET, "/", root, "root", 0 },
	{ HTTP_GET, "/echo", echo, "echo", 0 },
	{ HTTP_POST, "/echo", echo, "echo", 0 },
	{ HTTP_PUT, "/echo", echo, "echo", 0 },
	{ HTTP_DELETE, "/echo", echo, "echo", 0 },
	{ HTTP_GET, "/show/{name}", show, "show", 0 },
	{ HTTP_POST, "/show/{name}", show, "show", 0 },
	{ HTTP_GET, "/slow", slow, "slow", 0 },
	{ HTTP_POST, "/slow", slow, "slow", 0 },
	{ HTTP_GET, "/big", big, "big", 0 },
	{ HTTP_GET, "/header", header, "header", 0 },
	{ HTTP_GET, "/fail", fail, "fail", 0 },
	{ HTTP_GET, "/nothing", nothing, "nothing", 0 },
	{ HTTP_GET, "/pid", pid, "pid", 0 },
	{ HTTP_GET, "/metrics", metrics, "metrics", 0 },
	{ HTTP_POST, "/stream", stream, "stream", ROUTE_STREAM },
	{ HTTP_POST, "/ignore", ignore, "ignore", ROUTE_STREAM },
	{ HTTP_GET, "/endless", endless, "endless", ROUTE_STREAM },
	{ HTTP_POST, "/endless", endless, "endless", ROUTE_STREAM },
	ROUTES_END
};

static void
ready(void *unused)
{
	(void)unused;
	puts("ready");
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct fcgi_pool pools[POOLS_MAX];
	struct fcgi_app app = { .name = "echo", .body_max = BODY_MAX, .arena_max = 1 << 20 };
	struct router *router = router_new(routes);
	size_t n = 0;
	int result;

	for (int i = 2; i + 3 < argc && n < POOLS_MAX; i += 4)
		pools[n++] = (struct fcgi_pool){ argv[i], argv[i + 1], atoi(argv[i + 2]), atoi(argv[i + 3]) };
	if (n == 0) {
		fprintf(stderr, "usage: %s STOP_MS NAME PATH CONNECTIONS LIMIT...\n", argv[0]);
		return 2;
	}
	app.router = router;
	result = fcgi_run(&app, pools, n, atoi(argv[1]), ready, NULL);
	router_free(router);
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
