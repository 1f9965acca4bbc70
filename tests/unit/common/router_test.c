/* router_test.c -- from method and path to the route. */
#include "common/router.h"

#include <stdio.h>
#include <string.h>

#include "unit/common/table.h"
#include "unit/unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

enum { ARENA = 1 << 20 };

/* What the router says of a request, as text: "pattern arg arg", or the refusal. */
static void
ask(const struct router *router, enum http_method method, struct span path, char *to, size_t size)
{
	static const char *const refusals[] = { "", "404", "405", "memory" };
	struct arena arena;
	struct http_request r = { .method = method, .path = path, .arena = &arena };
	const struct route *route;
	enum router_result result;
	int n;

	arena_init(&arena, ARENA);
	result = router_find(router, &r, &route);
	CU_ASSERT((route != NULL) == (result == ROUTER_FOUND));
	n = snprintf(to, size, "%s", route == NULL ? refusals[result] : route->pattern);
	for (size_t i = 0; route != NULL && i < HTTP_ARGS_MAX && r.args[i].p != NULL; i++)
		n += snprintf(to + n, size - (size_t)n, " <%.*s>", (int)r.args[i].n, (const char *)r.args[i].p);
	arena_done(&arena);
}

static void
expect(const struct router *router, enum http_method method, const char *path, const char *want)
{
	char got[512];

	ask(router, method, span_str(path), got, sizeof got);
	if (strcmp(got, want) != 0)
		fprintf(stderr, "  %s %s: got %s, wanted %s\n", http_method_name(method), path, got, want);
	CU_ASSERT_STRING_EQUAL(got, want);
}

struct case_of {
	enum http_method method;
	const char *path, *want;
};

static void
expect_all(const struct case_of *cases, size_t n)
{
	struct router *router = router_new(table_routes);

	for (size_t i = 0; i < n; i++)
		expect(router, cases[i].method, cases[i].path, cases[i].want);
	router_free(router);
}

static void
finds_routes_and_their_arguments(void)
{
	static const struct case_of cases[] = {
		{ HTTP_GET, "/", "/" },
		{ HTTP_GET, "/config", "/config" },
		{ HTTP_GET, "/config/x", "/config/{subject} <x>" },
		{ HTTP_GET, "/subjects/a/versions/7", "/subjects/{subject}/versions/{version} <a> <7>" },
		{ HTTP_GET, "/subjects/a/versions/7/schema", "/subjects/{subject}/versions/{version}/schema <a> <7>" },
		{ HTTP_GET, "/topics/t/partitions/3", "/topics/{topic}/partitions/{partition} <t> <3>" },
		{ HTTP_POST, "/v3/clusters/c/topics/t/configs:alter", "/v3/clusters/{cluster}/topics/{topic}/configs:alter <c> <t>" },
		{ HTTP_GET, "/nope", "404" },
		{ HTTP_GET, "/subjectss", "404" },
		{ HTTP_GET, "/subject", "404" },
		{ HTTP_GET, "/subjects/a", "405" },
		{ HTTP_GET, "/subjects/a/b", "404" },
		{ HTTP_GET, "/subjects/a/versions/7/schema/8", "404" },
		{ HTTP_GET, "/topics", "404" }, /* a node without routes */
		{ HTTP_GET, "/v3/clusters/c", "404" },
	};

	expect_all(cases, COUNT(cases));
}

static void
literals_win_and_are_left_where_they_lead_nowhere(void)
{
	static const struct case_of cases[] = {
		{ HTTP_GET, "/v3/clusters/c/topics/-/configs", "/v3/clusters/{cluster}/topics/-/configs <c>" },
		{ HTTP_GET, "/v3/clusters/c/topics/--/configs", "/v3/clusters/{cluster}/topics/{topic}/configs <c> <-->" },
		/* "-" is a literal that has no such child. */
		{ HTTP_POST, "/v3/clusters/c/topics/-/configs:alter", "/v3/clusters/{cluster}/topics/{topic}/configs:alter <c> <->" },
		{ HTTP_GET, "/v3/clusters/c/topics/-", "/v3/clusters/{cluster}/topics/{topic} <c> <->" },
		{ HTTP_GET, "/schemas/types", "/schemas/types" },
		{ HTTP_GET, "/schemas/types/all/of", "/schemas/{kind}/all/of <types>" },
		{ HTTP_GET, "/schemas/ids/all", "/schemas/ids/{id} <all>" },
		{ HTTP_GET, "/schemas/ids/all/of", "/schemas/{kind}/all/of <ids>" },
		{ HTTP_POST, "/v3/clusters/c/topics/fixed:alter", "/v3/clusters/{cluster}/topics/fixed:alter <c>" },
	};

	expect_all(cases, COUNT(cases));
}

static void
text_behind_a_name_is_matched_the_longest_first(void)
{
	static const struct case_of cases[] = {
		{ HTTP_POST, "/v3/clusters/c/topics/t:alter", "/v3/clusters/{cluster}/topics/{topic}:alter <c> <t>" },
		{ HTTP_POST, "/v3/clusters/c/topics/t:long:alter", "/v3/clusters/{cluster}/topics/{topic}:long:alter <c> <t>" },
		{ HTTP_POST, "/v3/clusters/c/topics/:alter", "/v3/clusters/{cluster}/topics/{topic}:alter <c> <>" },
		{ HTTP_POST, "/v3/clusters/c/topics/t%3Aalter", "/v3/clusters/{cluster}/topics/{topic}:alter <c> <t>" },
		{ HTTP_GET, "/v3/clusters/c/topics/t:alte", "/v3/clusters/{cluster}/topics/{topic} <c> <t:alte>" },
		{ HTTP_GET, "/v3/clusters/c/topics/t:alter", "405" },
		{ HTTP_POST, "/jobs/a/b:go", "/jobs/{queue}/{job}:go <a> <b>" },
		{ HTTP_POST, "/jobs/a:/go", "404" },
	};

	expect_all(cases, COUNT(cases));
}

static void
segments_are_decoded_once_after_the_path_was_cut(void)
{
	static const struct case_of cases[] = {
		{ HTTP_GET, "/config/a%2Fb", "/config/{subject} <a/b>" },
		{ HTTP_GET, "/config/a%252Fb", "/config/{subject} <a%2Fb>" },
		{ HTTP_GET, "/config/a+b", "/config/{subject} <a+b>" },
		{ HTTP_GET, "/config/:.ctx:a", "/config/{subject} <:.ctx:a>" },
		{ HTTP_GET, "/config/%3A.ctx%3A", "/config/{subject} <:.ctx:>" },
		{ HTTP_GET, "/config/caf%C3%A9", "/config/{subject} <caf\xc3\xa9>" },
		{ HTTP_GET, "/%63onfig", "/config" },
		{ HTTP_GET, "%2Fconfig", "404" },
		{ HTTP_GET, "/config%2Fx", "404" },
		{ HTTP_GET, "/config/%", "404" },
		{ HTTP_GET, "/config/%zz", "404" },
		{ HTTP_GET, "/config/%00", "404" },
		{ HTTP_GET, "/config/a%00", "404" },
		{ HTTP_GET, "/config/%FF", "404" },
		{ HTTP_GET, "/config/\xff", "404" },
		{ HTTP_GET, "/config/%C0%AE", "404" },
	};

	expect_all(cases, COUNT(cases));
}

static void
dot_segments_match_nothing(void)
{
	static const struct case_of cases[] = {
		{ HTTP_GET, "/.", "404" },
		{ HTTP_GET, "/..", "404" },
		{ HTTP_GET, "/config/.", "404" },
		{ HTTP_GET, "/config/..", "404" },
		{ HTTP_GET, "/config/%2e", "404" },
		{ HTTP_GET, "/config/%2E%2e", "404" },
		{ HTTP_GET, "/config/.%2E", "404" },
		{ HTTP_GET, "/config/%2e.", "404" },
		{ HTTP_GET, "/x/../config", "404" },
		{ HTTP_GET, "/subjects/../versions", "404" },
		{ HTTP_GET, "/config/...", "/config/{subject} <...>" },
		{ HTTP_GET, "/config/.a", "/config/{subject} <.a>" },
		{ HTTP_GET, "/config/%252e", "/config/{subject} <%2e>" },
		{ HTTP_GET, "/config/a%2F..%2Fb", "/config/{subject} <a/../b>" },
	};

	expect_all(cases, COUNT(cases));
}

static void
repeated_slashes_are_empty_segments_and_one_at_the_end_is_ignored(void)
{
	static const struct case_of cases[] = {
		{ HTTP_GET, "/subjects//versions", "/subjects/{subject}/versions <>" },
		{ HTTP_GET, "/subjects///", "404" },
		{ HTTP_GET, "/subjects//versions//", "/subjects/{subject}/versions/{version} <> <>" },
		{ HTTP_GET, "/config/", "/config" },
		{ HTTP_GET, "/config//", "/config/{subject} <>" },
		{ HTTP_GET, "/config/x/", "/config/{subject} <x>" },
		{ HTTP_GET, "//", "404" },
		{ HTTP_GET, "//config", "404" },
		{ HTTP_POST, "/compatibility/subjects/s/versions", "/compatibility/subjects/{subject}/versions/ <s>" },
		{ HTTP_POST, "/compatibility/subjects/s/versions/", "/compatibility/subjects/{subject}/versions/ <s>" },
		{ HTTP_POST, "/compatibility/subjects/s/versions//", "/compatibility/subjects/{subject}/versions/{version} <s> <>" },
		{ HTTP_GET, "", "404" },
		{ HTTP_GET, "*", "404" },
		{ HTTP_GET, "config", "404" },
	};

	expect_all(cases, COUNT(cases));
}

static void
head_is_get_and_other_methods_are_not_allowed(void)
{
	struct router *router = router_new(table_routes);
	struct arena arena;
	struct http_request r = { .method = HTTP_OTHER, .path = span_str("/config/x"), .arena = &arena };
	const struct route *route;

	expect(router, HTTP_HEAD, "/config/x", "/config/{subject} <x>");
	expect(router, HTTP_HEAD, "/subjects/x", "405");
	expect(router, HTTP_PATCH, "/config/x", "405");
	arena_init(&arena, ARENA);
	CU_ASSERT_EQUAL(router_find(router, &r, &route), ROUTER_METHOD_NOT_ALLOWED);
	arena_done(&arena);
	router_free(router);
}

static void
allow_lists_the_methods_of_a_path(void)
{
	static const struct {
		const char *path, *want;
	} cases[] = {
		{ "/config/x", "GET, HEAD, PUT, DELETE" },
		{ "/subjects/x", "POST, DELETE" },
		{ "/", "GET, HEAD, POST" },
		{ "/nope", "" },
		{ "/config/%", "" },
	};
	struct router *router = router_new(table_routes);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena arena;
		struct http_request r = { .path = span_str(cases[i].path), .arena = &arena };
		struct buf b = { 0 };

		arena_init(&arena, ARENA);
		router_allow(router, &r, &b);
		buf_u8(&b, '\0');
		CU_ASSERT_STRING_EQUAL((const char *)b.p, cases[i].want);
		buf_done(&b);
		arena_done(&arena);
	}
	router_free(router);
}

static void
hostile_paths_cost_no_more_than_their_length(void)
{
	struct router *router = router_new(table_routes);
	struct buf path = { 0 };
	char got[512];

	for (int i = 0; i < 60000; i++)
		buf_u8(&path, '/');
	ask(router, HTTP_GET, buf_bytes(&path), got, sizeof got);
	CU_ASSERT_STRING_EQUAL(got, "404");
	buf_reset(&path);
	buf_put(&path, "/config/", 8);
	for (int i = 0; i < 20000; i++)
		buf_put(&path, "%61", 3);
	ask(router, HTTP_GET, buf_bytes(&path), got, sizeof got);
	CU_ASSERT(strncmp(got, "/config/{subject} <aaaa", 20) == 0);
	buf_done(&path);
	router_free(router);
}

static void
a_spent_arena_is_told(void)
{
	struct router *router = router_new(table_routes);
	struct arena arena;
	struct http_request r = { .method = HTTP_GET, .path = span_str("/config/0123456789"), .arena = &arena };
	const struct route *route;

	arena_init(&arena, 8);
	CU_ASSERT_EQUAL(router_find(router, &r, &route), ROUTER_NO_MEMORY);
	CU_ASSERT_PTR_NULL(route);
	arena_done(&arena);
	router_free(router);
}

static void
table_is_given_back(void)
{
	struct router *router = router_new(table_routes);

	CU_ASSERT_PTR_EQUAL(router_table(router), table_routes);
	router_free(router);
	router_free(NULL);
}

const struct unit_test router_tests[] = {
	UNIT(finds_routes_and_their_arguments),
	UNIT(literals_win_and_are_left_where_they_lead_nowhere),
	UNIT(text_behind_a_name_is_matched_the_longest_first),
	UNIT(segments_are_decoded_once_after_the_path_was_cut),
	UNIT(dot_segments_match_nothing),
	UNIT(repeated_slashes_are_empty_segments_and_one_at_the_end_is_ignored),
	UNIT(head_is_get_and_other_methods_are_not_allowed),
	UNIT(allow_lists_the_methods_of_a_path),
	UNIT(hostile_paths_cost_no_more_than_their_length),
	UNIT(a_spent_arena_is_told),
	UNIT(table_is_given_back),
	UNIT_END
};
