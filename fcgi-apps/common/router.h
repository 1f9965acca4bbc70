/*
 * router.h -- an app's API as one table: method and pattern to handler.
 *
 *	static const struct route routes[] = {
 *		{ HTTP_GET, "/subjects/{subject}/versions", list_versions },
 *		...
 *		ROUTES_END
 *	};
 *
 * It works on the path as the client sent it: cut at its slashes first, then each
 * segment decoded once, so that an encoded slash stays inside its segment.  Segments
 * that are . or .. in any encoding, and paths that can't be decoded, match nothing; one
 * slash at the end is ignored.  A pattern's segment is a literal, or {name}, which
 * takes any one segment, empty ones too; {name} followed by literal text
 * ("{topic}:alter") takes what comes before that text.  Literals win over {names}.
 */
#ifndef COMMON_ROUTER_H
#define COMMON_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/http.h"

struct app;

/* Answers the request by filling the response, which is empty with status 200. */
typedef void http_handler(struct app *, struct http_request *, struct http_response *);

struct route {
	enum http_method method;
	const char *pattern;
	http_handler *run;
	const char *name; /* in metrics and the log: "subjects.versions.list" */
	unsigned flags;   /* the app's own, and ROUTE_STREAM */
};

enum { ROUTE_STREAM = 1u << 0 /* the body is not read beforehand */ };

#define ROUTES_END { HTTP_OTHER, NULL, NULL, NULL, 0 }

struct router;

/* Makes a router of a table, which must live as long.  A table that contradicts itself is our bug.  Any thread may use it. */
struct router *router_new(const struct route *);
void router_free(struct router *);

/* The table that it was made of. */
const struct route *router_table(const struct router *);

enum router_result {
	ROUTER_FOUND,
	ROUTER_NOT_FOUND,          /* 404 */
	ROUTER_METHOD_NOT_ALLOWED, /* 405; router_allow() says what is */
	ROUTER_NO_MEMORY           /* the request's arena is used up */
};

/*
 * Finds the route of the request's method and path, and fills its args (arena).  HEAD
 * finds GET's route.  The path alone decides which pattern it is, and then the method.
 */
enum router_result router_find(const struct router *, struct http_request *, const struct route **out);

/* Appends the methods of the path, "GET, HEAD, POST", for the Allow header. */
void router_allow(const struct router *, const struct http_request *, struct buf *to);

#endif
