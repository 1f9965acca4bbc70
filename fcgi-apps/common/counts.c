/* counts.c -- how many requests there were of each route, how they ended, how long they took. */
#include "common/counts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/stats.h"
#include "base/xalloc.h"

enum { CLASSES = 5 }; /* 1xx to 5xx */

struct count {
	const char *route;
	stat_t by_class[CLASSES], ns;
};

struct counts {
	const char *app;
	const struct route *table;
	size_t n;
	size_t *of_route;     /* owned; the count of each route of the table */
	struct count *counts; /* owned; n, and one for requests without a route */
};

/* The count of the name, which is that of the first route that has it. */
static size_t
find_count(struct counts *c, const char *name)
{
	size_t i = 0;

	while (i < c->n && strcmp(c->counts[i].route, name) != 0)
		i++;
	if (i == c->n)
		c->counts[c->n++].route = name;
	return i;
}

struct counts *
counts_new(const char *app, const struct router *router)
{
	struct counts *c = xcalloc(1, sizeof *c);
	size_t n = 0;

	c->app = app;
	c->table = router_table(router);
	while (c->table[n].pattern != NULL)
		n++;
	c->of_route = xcalloc(n, sizeof *c->of_route);
	c->counts = xcalloc(n + 1, sizeof *c->counts);
	for (size_t i = 0; i < n; i++)
		c->of_route[i] = find_count(c, c->table[i].name);
	c->counts[c->n].route = "none";
	return c;
}

void
counts_free(struct counts *c)
{
	if (c == NULL)
		return;
	free(c->of_route);
	free(c->counts);
	free(c);
}

void
counts_add(struct counts *c, const struct route *route, int status, int64_t ns)
{
	struct count *count = &c->counts[route == NULL ? c->n : c->of_route[route - c->table]];

	stat_add(&count->by_class[status / 100 - 1], 1);
	stat_add(&count->ns, (uint64_t)ns);
}

static uint64_t
total(const struct count *count)
{
	uint64_t sum = 0;

	for (int i = 0; i < CLASSES; i++)
		sum += stat_get(&count->by_class[i]);
	return sum;
}

static void
print_classes(const struct counts *c, const struct count *count, struct buf *to)
{
	for (int i = 0; i < CLASSES; i++) {
		uint64_t n = stat_get(&count->by_class[i]);

		if (n > 0)
			buf_printf(to, "weir_http_requests_total{app=\"%s\",route=\"%s\",class=\"%dxx\"} %" PRIu64 "\n",
			    c->app, count->route, i + 1, n);
	}
}

static void
print_seconds(const struct counts *c, const struct count *count, struct buf *to)
{
	uint64_t ns = stat_get(&count->ns), n = total(count);

	if (n == 0)
		return;
	buf_printf(to, "weir_http_request_seconds_sum{app=\"%s\",route=\"%s\"} %" PRIu64 ".%09" PRIu64 "\n",
	    c->app, count->route, ns / 1000000000, ns % 1000000000);
	buf_printf(to, "weir_http_request_seconds_count{app=\"%s\",route=\"%s\"} %" PRIu64 "\n", c->app, count->route, n);
}

void
counts_print(const struct counts *c, struct buf *to)
{
	buf_printf(to, "# TYPE weir_http_requests_total counter\n");
	for (size_t i = 0; i <= c->n; i++)
		print_classes(c, &c->counts[i], to);
	buf_printf(to, "# TYPE weir_http_request_seconds summary\n");
	for (size_t i = 0; i <= c->n; i++)
		print_seconds(c, &c->counts[i], to);
}
