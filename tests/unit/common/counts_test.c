/* counts_test.c -- how many requests there were of each route. */
#include "common/counts.h"

#include <string.h>

#include "unit/common/table.h"
#include "unit/unit.h"

static const char same_name[] = "a.get";

static const struct route routes[] = {
	{ HTTP_GET, "/a", table_handler, "a.get", 0 },
	{ HTTP_GET, "/b", table_handler, "b.get", 0 },
	{ HTTP_GET, "/also/a", table_handler, same_name, 0 },
	ROUTES_END
};

static bool
has_text(const struct buf *b, const char *text)
{
	return memmem(b->p, b->n, text, strlen(text)) != NULL;
}

static void
requests_are_counted_by_route_and_class(void)
{
	struct router *router = router_new(routes);
	struct counts *c = counts_new("app", router);
	struct buf b = { 0 };

	counts_add(c, &routes[0], 200, 1500000000);
	counts_add(c, &routes[0], 404, 1);
	counts_add(c, &routes[2], 204, 0);
	counts_add(c, NULL, 503, 5);
	counts_print(c, &b);
	CU_ASSERT(has_text(&b, "\nweir_http_requests_total{app=\"app\",route=\"a.get\",class=\"2xx\"} 2\n"));
	CU_ASSERT(has_text(&b, "\nweir_http_requests_total{app=\"app\",route=\"a.get\",class=\"4xx\"} 1\n"));
	CU_ASSERT(has_text(&b, "\nweir_http_requests_total{app=\"app\",route=\"none\",class=\"5xx\"} 1\n"));
	CU_ASSERT(has_text(&b, "\nweir_http_request_seconds_sum{app=\"app\",route=\"a.get\"} 1.500000001\n"));
	CU_ASSERT(has_text(&b, "\nweir_http_request_seconds_count{app=\"app\",route=\"a.get\"} 3\n"));
	CU_ASSERT(!has_text(&b, "b.get"));
	buf_done(&b);
	counts_free(c);
	router_free(router);
}

const struct unit_test counts_tests[] = {
	UNIT(requests_are_counted_by_route_and_class),
	UNIT_END
};
