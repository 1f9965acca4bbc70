/*
 * router.c -- from method and path to the route, through a tree of segments.
 *
 * A node stands for the segments before it; its children are what may follow: literals
 * (sorted), {names} with text behind them (the longest first), and a bare {name}.  A
 * search visits a node at most once, and takes no more segments than the longest
 * pattern has, whatever the path.
 */
#include "common/router.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"

enum { SEGMENTS_MAX = 16 }; /* of a pattern */

struct node {
	struct span text; /* the literal, or what stands behind the {name}; borrowed from the pattern */
	struct children {
		struct node **nodes; /* owned */
		size_t n;
	} literals, suffixed;
	struct node *any;                             /* owned; NULL: none */
	const struct route *routes[HTTP_OTHER]; /* by method, of paths that end here */
	bool end;                                     /* there is one */
};

struct router {
	const struct route *table;
	struct node root;
};

/* A path's segments, decoded. */
struct segments {
	struct span s[SEGMENTS_MAX];
	size_t n;
};

/* ---- making the tree ---- */

/* The longest first; those of a length in order. */
static int
compare_suffixes(struct span a, struct span b)
{
	return a.n != b.n ? (a.n < b.n) - (a.n > b.n) : span_compare(a, b);
}

/* The child of this text, made if need be where it belongs in the order. */
static struct node *
child(struct children *in, struct span text, int (*order)(struct span, struct span))
{
	size_t at = 0;
	struct node *made;

	while (at < in->n && order(in->nodes[at]->text, text) < 0)
		at++;
	if (at < in->n && order(in->nodes[at]->text, text) == 0)
		return in->nodes[at];
	in->nodes = xrealloc(in->nodes, (in->n + 1) * sizeof *in->nodes);
	memmove(in->nodes + at + 1, in->nodes + at, (in->n - at) * sizeof *in->nodes);
	made = in->nodes[at] = xcalloc(1, sizeof *made);
	in->n++;
	made->text = text;
	return made;
}

static struct node *
child_of_pattern(struct node *parent, struct span segment, size_t *n_args)
{
	const uint8_t *brace;
	struct span suffix;

	if (segment.n == 0 || segment.p[0] != '{')
		return child(&parent->literals, segment, span_compare);
	must(++*n_args <= HTTP_ARGS_MAX);
	brace = memchr(segment.p, '}', segment.n);
	must(brace != NULL);
	suffix = span_of(brace + 1, segment.n - (size_t)(brace + 1 - segment.p));
	if (suffix.n > 0)
		return child(&parent->suffixed, suffix, compare_suffixes);
	if (parent->any == NULL)
		parent->any = xcalloc(1, sizeof *parent->any);
	return parent->any;
}

/* Cuts a path at its slashes: how many segments there are; one too many for any pattern is the last that counts. */
static size_t
cut(struct span path, struct span segments[SEGMENTS_MAX + 1])
{
	const uint8_t *at = path.p + 1, *end = path.p + path.n;
	size_t n = 0;

	while (at < end && n <= SEGMENTS_MAX) {
		const uint8_t *slash = memchr(at, '/', (size_t)(end - at));

		segments[n++] = span_of(at, (size_t)((slash == NULL ? end : slash) - at));
		at = slash == NULL ? end : slash + 1;
	}
	return n;
}

static void
add_route(struct node *node, const struct route *route)
{
	struct span segments[SEGMENTS_MAX + 1];
	size_t n_args = 0, n;

	must(route->pattern[0] == '/' && route->method < HTTP_OTHER && route->method != HTTP_HEAD && route->run != NULL);
	n = cut(span_str(route->pattern), segments);
	must(n <= SEGMENTS_MAX);
	for (size_t i = 0; i < n; i++)
		node = child_of_pattern(node, segments[i], &n_args);
	must(node->routes[route->method] == NULL);
	node->routes[route->method] = route;
	node->end = true;
}

struct router *
router_new(const struct route *table)
{
	struct router *router = xcalloc(1, sizeof *router);

	router->table = table;
	for (const struct route *r = table; r->pattern != NULL; r++)
		add_route(&router->root, r);
	return router;
}

static void node_done(struct node *);

static void
free_children(struct children *of)
{
	for (size_t i = 0; i < of->n; i++) {
		node_done(of->nodes[i]);
		free(of->nodes[i]);
	}
	free(of->nodes);
}

/* Patterns are short, so this is not deep. */
static void
node_done(struct node *node)
{
	free_children(&node->literals);
	free_children(&node->suffixed);
	if (node->any != NULL)
		node_done(node->any);
	free(node->any);
}

void
router_free(struct router *router)
{
	if (router != NULL)
		node_done(&router->root);
	free(router);
}

const struct route *
router_table(const struct router *router)
{
	return router->table;
}

/* ---- finding ---- */

static bool
is_dots(struct span s)
{
	return span_is(s, ".") || span_is(s, "..");
}

/*
 * The path's segments, decoded: all in one piece of the arena, and only where there is

 */
static enum router_result
decode_path(const struct http_request *request, struct segments *to)
{
	struct span path = request->path, raw[SEGMENTS_MAX + 1];
	uint8_t *room;

	if (path.n == 0 || path.p[0] != '/' || (to->n = cut(path, raw)) > SEGMENTS_MAX)
		return ROUTER_NOT_FOUND;
	if ((room = arena_alloc(request->arena, path.n)) == NULL)
		return ROUTER_NO_MEMORY;
	for (size_t i = 0; i < to->n; i++) {
		to->s[i] = http_decode_to(room, raw[i], false);
		if (to->s[i].p == NULL || is_dots(to->s[i]))
			return ROUTER_NOT_FOUND;
		room += to->s[i].n;
	}
	return ROUTER_FOUND;
}

static const struct node *
find_literal(const struct children *in, struct span text)
{
	size_t low = 0, high = in->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = span_compare(in->nodes[middle]->text, text);

		if (order == 0)
			return in->nodes[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool
ends_with(struct span s, struct span end)
{
	return s.n >= end.n && memcmp(s.p + (s.n - end.n), end.p, end.n) == 0;
}

/* The node where the segments from the i-th on end, below this one; args are filled from the n-th on.  NULL: none. */
static const struct node *
find(const struct node *from, const struct segments *path, size_t i, struct span args[HTTP_ARGS_MAX], size_t n)
{
	const struct node *next, *found = NULL;
	struct span segment;

	if (i == path->n)
		return from->end ? from : NULL;
	segment = path->s[i];
	if ((next = find_literal(&from->literals, segment)) != NULL)
		found = find(next, path, i + 1, args, n);
	for (size_t k = 0; k < from->suffixed.n && found == NULL; k++) {
		next = from->suffixed.nodes[k];
		if (!ends_with(segment, next->text))
			continue;
		args[n] = span_of(segment.p, segment.n - next->text.n);
		found = find(next, path, i + 1, args, n + 1);
	}
	if (found == NULL && from->any != NULL) {
		args[n] = segment;
		found = find(from->any, path, i + 1, args, n + 1);
	}
	return found;
}

enum router_result
router_find(const struct router *router, struct http_request *request, const struct route **out)
{
	enum http_method method = request->method == HTTP_HEAD ? HTTP_GET : request->method;
	struct segments path;
	const struct node *node;
	enum router_result result = decode_path(request, &path);

	*out = NULL;
	if (result != ROUTER_FOUND)
		return result;
	if ((node = find(&router->root, &path, 0, request->args, 0)) == NULL)
		return ROUTER_NOT_FOUND;
	if (method == HTTP_OTHER || node->routes[method] == NULL)
		return ROUTER_METHOD_NOT_ALLOWED;
	*out = node->routes[method];
	return ROUTER_FOUND;
}

void
router_allow(const struct router *router, const struct http_request *request, struct buf *to)
{
	const char *comma = "";
	struct span args[HTTP_ARGS_MAX];
	struct segments path;
	const struct node *node;

	if (decode_path(request, &path) != ROUTER_FOUND || (node = find(&router->root, &path, 0, args, 0)) == NULL)
		return;
	for (enum http_method m = HTTP_GET; m < HTTP_OTHER; m++)
		if (node->routes[m == HTTP_HEAD ? HTTP_GET : m] != NULL) {
			buf_printf(to, "%s%s", comma, http_method_name(m));
			comma = ", ";
		}
}
