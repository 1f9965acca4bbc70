/* problem_test.c -- errors as JSON. */
#include "common/problem.h"

#include <string.h>

#include "unit/unit.h"

static bool
has_body(const struct http_response *r, const char *want)
{
	return !r->body.failed && span_is(buf_bytes(&r->body), want);
}

static void
code_comes_before_message(void)
{
	static const struct problem none = { 404, 40401, "Subject '%.*s' not found." };
	struct http_response r;

	http_response_init(&r);
	problem_answer(&r, "application/vnd.schemaregistry.v1+json", &none, 3, "abcdef");
	CU_ASSERT_EQUAL(r.status, 404);
	CU_ASSERT_STRING_EQUAL(r.type, "application/vnd.schemaregistry.v1+json");
	CU_ASSERT(has_body(&r, "{\"error_code\":40401,\"message\":\"Subject 'abc' not found.\"}"));
	http_response_done(&r);
}

static void
type_is_json_unless_told(void)
{
	struct http_response r;

	http_response_init(&r);
	problem_answer(&r, NULL, &problem_not_found);
	CU_ASSERT_STRING_EQUAL(r.type, "application/json");
	CU_ASSERT(has_body(&r, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}"));
	http_response_done(&r);
}

static void
body_is_replaced_and_headers_stay(void)
{
	struct http_response r;

	http_response_init(&r);
	buf_span(&r.body, span_str("half an answer"));
	r.type = "text/plain";
	http_header(&r, "X", span_str("1"));
	problem_answer(&r, NULL, &problem_internal);
	CU_ASSERT(has_body(&r, "{\"error_code\":500,\"message\":\"Internal Server Error\"}"));
	CU_ASSERT(r.n_headers == 1 && strcmp(r.headers[0].name, "X") == 0);
	http_response_done(&r);
}

static void
a_body_that_failed_is_replaced(void)
{
	struct http_response r;

	http_response_init(&r);
	CU_ASSERT_PTR_NULL(buf_room(&r.body, SIZE_MAX / 2));
	problem_answer(&r, NULL, &problem_internal);
	CU_ASSERT(has_body(&r, "{\"error_code\":500,\"message\":\"Internal Server Error\"}"));
	http_response_done(&r);
}

static void
messages_are_not_cut(void)
{
	struct http_response r;
	char text[20001];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	http_response_init(&r);
	problem_answer(&r, NULL, &problem_bad_request, text);
	CU_ASSERT_EQUAL(r.body.n, strlen("{\"error_code\":400,\"message\":\"\"}") + 20000);
	http_response_done(&r);
}

static void
messages_are_json_whatever_is_in_them(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "{\"error_code\":422,\"message\":\"\"}" },
		{ "\"\\\n/", "{\"error_code\":422,\"message\":\"\\\"\\\\\\n/\"}" },
		{ "caf\xc3\xa9", "{\"error_code\":422,\"message\":\"caf\xc3\xa9\"}" },
		{ "a\xff", "{\"error_code\":422,\"message\":\"a\xef\xbf\xbd\"}" },
		{ "%s%n", "{\"error_code\":422,\"message\":\"%s%n\"}" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct http_response r;

		http_response_init(&r);
		problem_answer(&r, NULL, &problem_unprocessable, cases[i].text);
		CU_ASSERT(has_body(&r, cases[i].want));
		http_response_done(&r);
	}
}

static void
unavailable_says_when_to_come_again(void)
{
	struct http_response r;

	http_response_init(&r);
	problem_answer(&r, NULL, &problem_unavailable);
	CU_ASSERT_EQUAL(r.status, 503);
	CU_ASSERT(r.n_headers == 1 && strcmp(r.headers[0].name, "Retry-After") == 0 && span_is(r.headers[0].value, "1"));
	http_response_done(&r);
}

const struct unit_test problem_tests[] = {
	UNIT(code_comes_before_message),
	UNIT(type_is_json_unless_told),
	UNIT(body_is_replaced_and_headers_stay),
	UNIT(a_body_that_failed_is_replaced),
	UNIT(messages_are_not_cut),
	UNIT(messages_are_json_whatever_is_in_them),
	UNIT(unavailable_says_when_to_come_again),
	UNIT_END
};
