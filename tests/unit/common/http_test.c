/* http_test.c -- percent-encoding, queries, content negotiation. */
#include "common/http.h"

#include <string.h>

#include "base/xalloc.h"
#include "unit/base/random.h"
#include "unit/unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

enum { ARENA = 1 << 20 };

/* Says which case it was, since the line is the same for all of a table. */
static void
expect(bool ok, const char *what)
{
	if (!ok)
		fprintf(stderr, "  not as told: %s\n", what);
	CU_ASSERT(ok);
}

static bool
is(struct span s, const char *want)
{
	return want == NULL ? s.p == NULL : span_is(s, want);
}

static void
decodes_once_and_refuses_what_is_malformed(void)
{
	static const struct {
		const char *text;
		bool plus;
		const char *want;
	} cases[] = {
		{ "", false, "" },
		{ "plain", false, "plain" },
		{ "a%2Fb", false, "a/b" },
		{ "a%2fb", false, "a/b" },
		{ "%252F", false, "%2F" },
		{ "a+b", false, "a+b" },
		{ "a+b", true, "a b" },
		{ "a%2Bb", true, "a+b" },
		{ "%C3%A9", false, "\xc3\xa9" },
		{ "\xc3\xa9", false, "\xc3\xa9" },
		{ "%F0%9F%98%80", false, "\xf0\x9f\x98\x80" },
		{ "%", false, NULL },
		{ "%2", false, NULL },
		{ "a%2", false, NULL },
		{ "%zz", false, NULL },
		{ "%2g", false, NULL },
		{ "%G2", false, NULL },
		{ "%%41", false, NULL },
		{ "%00", false, NULL },
		{ "a%00b", false, NULL },
		{ "%C3", false, NULL },
		{ "%C3a", false, NULL },
		{ "%C0%AE", false, NULL },     /* a dot, too long */
		{ "%ED%A0%80", false, NULL },  /* half of a pair of UTF-16 */
		{ "%F4%90%80%80", false, NULL }, /* above the last character */
		{ "%FF", false, NULL },
		{ "\xff", false, NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena arena;
		size_t n = strlen(cases[i].text);
		/* A copy of its own size, so that a read past the end is seen. */
		uint8_t *copy = xmemdup(cases[i].text, n);

		arena_init(&arena, ARENA);
		expect(is(http_decode(&arena, span_of(copy, n), cases[i].plus), cases[i].want), cases[i].text);
		arena_done(&arena);
		free(copy);
	}
}

static void
decoding_ends_with_the_arena(void)
{
	struct arena arena;

	arena_init(&arena, 32);
	CU_ASSERT_PTR_NOT_NULL(http_decode(&arena, span_str("0123456789"), false).p);
	CU_ASSERT_PTR_NULL(http_decode(&arena, span_str("01234567890123456789"), false).p);
	arena_done(&arena);
}

static void
encodes_all_but_unreserved_characters(void)
{
	struct buf b = { 0 };

	http_encode(&b, span_str("aZ09-._~ /%+:\xc3\xa9"));
	CU_ASSERT(span_is(buf_bytes(&b), "aZ09-._~%20%2F%25%2B%3A%C3%A9"));
	buf_done(&b);
}

static void
decoding_undoes_encoding(void)
{
	uint64_t seed = 7;

	for (int round = 0; round < 1000; round++) {
		uint8_t text[40];
		size_t n = random_below(&seed, sizeof text);
		struct buf b = { 0 };
		struct arena arena;
		struct span back;

		for (size_t i = 0; i < n; i++)
			text[i] = (uint8_t)(1 + random_below(&seed, 127));
		http_encode(&b, span_of(text, n));
		arena_init(&arena, ARENA);
		back = http_decode(&arena, buf_bytes(&b), round % 2 == 0);
		UNIT_BYTES(back.p, back.n, text, n);
		arena_done(&arena);
		buf_done(&b);
	}
}

static void
query_gives_the_first_value_decoded(void)
{
	static const struct {
		const char *query, *name, *want;
	} cases[] = {
		{ NULL, "a", NULL },
		{ "", "a", NULL },
		{ "a=1", "a", "1" },
		{ "a=1&a=2", "a", "1" },
		{ "b=2&a=1", "a", "1" },
		{ "a", "a", "" },
		{ "a=", "a", "" },
		{ "a&a=1", "a", "" },
		{ "ab=1", "a", NULL },
		{ "a=1", "ab", NULL },
		{ "A=1", "a", NULL },
		{ "&&a=1&&", "a", "1" },
		{ "=1&a=2", "a", "2" },
		{ "a==b=c", "a", "=b=c" },
		{ "a=x+y%2Bz%26", "a", "x y+z&" },
		{ "%61=1", "a", "1" },
		{ "a+b=1", "a b", "1" },
		{ "%6=1&a=2", "a", "2" },
		{ "a=%", "a", NULL },
		{ "a=%00", "a", NULL },
		{ "a=%FF&a=2", "a", NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena arena;
		struct http_request r = { .query = span_str(cases[i].query), .arena = &arena };

		arena_init(&arena, ARENA);
		expect(is(http_query(&r, cases[i].name), cases[i].want), cases[i].query != NULL ? cases[i].query : "none");
		arena_done(&arena);
	}
}

static void
query_gives_each_of_several_values(void)
{
	struct arena arena;
	struct http_request r = { .query = span_str("s=a&x=1&s=b&s&s=c%20d"), .arena = &arena };

	arena_init(&arena, ARENA);
	CU_ASSERT(span_is(http_query_nth(&r, "s", 0), "a"));
	CU_ASSERT(span_is(http_query_nth(&r, "s", 1), "b"));
	CU_ASSERT(span_is(http_query_nth(&r, "s", 2), ""));
	CU_ASSERT(span_is(http_query_nth(&r, "s", 3), "c d"));
	CU_ASSERT_PTR_NULL(http_query_nth(&r, "s", 4).p);
	arena_done(&arena);
}

static void
values_beyond_the_most_are_not_seen(void)
{
	struct buf query = { 0 };
	struct arena arena;
	struct http_request r = { .arena = &arena };

	for (int i = 0; i < HTTP_VALUES_MAX + 10; i++)
		buf_printf(&query, "s=%d&", i);
	r.query = buf_bytes(&query);
	arena_init(&arena, ARENA);
	CU_ASSERT(span_is(http_query_nth(&r, "s", HTTP_VALUES_MAX - 1), "99"));
	CU_ASSERT_PTR_NULL(http_query_nth(&r, "s", HTTP_VALUES_MAX).p);
	arena_done(&arena);
	buf_done(&query);
}

static void
query_bool_is_true_only_for_true(void)
{
	static const struct {
		const char *query;
		bool want;
	} cases[] = {
		{ "x=true", true }, { "x=TRUE", true }, { "x=%74rue", true }, { "x=True&x=false", true },
		{ "x=1", false }, { "x=yes", false }, { "x", false }, { "x=", false }, { "x=truee", false },
		{ "x=tru", false }, { "x=%", false }, { "y=true", false }, { NULL, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena arena;
		struct http_request r = { .query = span_str(cases[i].query), .arena = &arena };

		arena_init(&arena, ARENA);
		expect(http_query_bool(&r, "x") == cases[i].want, cases[i].query != NULL ? cases[i].query : "none");
		arena_done(&arena);
	}
}

static void
query_int_takes_32_bits(void)
{
	static const struct {
		const char *query;
		bool ok;
		int32_t want;
	} cases[] = {
		{ NULL, true, 77 },
		{ "y=1", true, 77 },
		{ "x=0", true, 0 },
		{ "x=-1", true, -1 },
		{ "x=%2B5", true, 5 },
		{ "x=007", true, 7 },
		{ "x=00000000000000000000000000000000000012", true, 12 },
		{ "x=2147483647", true, INT32_MAX },
		{ "x=-2147483648", true, INT32_MIN },
		{ "x=2147483648", false, 0 },
		{ "x=-2147483649", false, 0 },
		{ "x=99999999999999999999999999", false, 0 },
		{ "x=", true, 77 },
		{ "x", true, 77 },
		{ "x=+%09", true, 77 },
		{ "x=-", false, 0 },
		{ "x=%2B", false, 0 },
		{ "x=1.0", false, 0 },
		{ "x=+5", false, 0 }, /* a blank before it */
		{ "x=5 ", false, 0 },
		{ "x=0x10", false, 0 },
		{ "x=abc", false, 0 },
		{ "x=%", false, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena arena;
		struct http_request r = { .query = span_str(cases[i].query), .arena = &arena };
		int32_t got = 0;
		bool ok;

		arena_init(&arena, ARENA);
		ok = http_query_int(&r, "x", 77, &got);
		expect(ok == cases[i].ok && (!ok || got == cases[i].want), cases[i].query != NULL ? cases[i].query : "none");
		arena_done(&arena);
	}
}

#define V1 "application/vnd.schemaregistry.v1+json"
#define V0 "application/vnd.schemaregistry+json"
#define JSON "application/json"

static void
negotiation_follows_q_quality_and_exactness(void)
{
	static const struct http_media media[] = { { V1, 1000 }, { V0, 900 }, { JSON, 500 }, { NULL, 0 } };
	static const struct {
		const char *accept, *want;
	} cases[] = {
		{ NULL, V1 },
		{ "", V1 },
		{ "*/*", V1 },
		{ "application/*", V1 },
		{ JSON, JSON },
		{ "APPLICATION/Json", JSON },
		{ "text/html", NULL },
		{ "text/*", NULL },
		{ "text/html, application/json;q=0.1", JSON },
		{ V1 ", " V0 ", " JSON, V1 },
		{ V0 ";q=0.9," JSON ";q=0.8", V0 },
		{ V0 ";q=0.5," JSON, JSON },           /* 450 and 500 */
		{ V1 ";q=0.5, " JSON, V1 },            /* 500 and 500: the earlier */
		{ V1 ";q=0.499, " JSON, JSON },
		{ V1 ";q=0, */*", V0 },                /* the exact one counts */
		{ "*/*, " V1 ";q=0", V0 },
		{ "application/*;q=0, " JSON ";q=0.001", JSON },
		{ "*/*;q=0", NULL },
		{ JSON ";q=0", NULL },
		{ JSON ";q=0.000", NULL },
		{ JSON ";q=0.001", JSON },
		{ JSON "; charset=utf-8", JSON },
		{ JSON ";Q=1.000", JSON },
		{ JSON " ; q = 0 ", NULL },
		{ JSON ";q=0.2;level=1", JSON },
		{ JSON ";x=\"a,b;q=0\"", JSON },       /* neither ends nor lowers it */
		{ JSON ";x=\"a\\\",b\", text/html", JSON },
		{ "text/html;x=\"," JSON "\"", NULL },
		/* What is malformed is as if it were not there. */
		{ "nonsense", V1 },
		{ ",,,", V1 },
		{ "*", V1 },
		{ "*/json", V1 },
		{ "a/b/c", V1 },
		{ "/json, " JSON, JSON },
		{ JSON ";q=1.001, " V0, V0 },
		{ JSON ";q=2, " V0, V0 },
		{ JSON ";q=.5, " V0, V0 },
		{ JSON ";q=0.1234", V1 },
		{ JSON ";q=-1, " V0, V0 },
		{ JSON ";q, " V0, V0 },
		{ "a\x01/b", V1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *got = http_negotiate(span_str(cases[i].accept), media);

		expect(got == cases[i].want || (got != NULL && cases[i].want != NULL && strcmp(got, cases[i].want) == 0),
		    cases[i].accept != NULL ? cases[i].accept : "none");
	}
}

static void
media_type_is_lower_case_without_parameters(void)
{
	static const struct {
		const char *type, *want;
	} cases[] = {
		{ NULL, NULL },
		{ "", "" },
		{ "application/json", "application/json" },
		{ "Application/JSON; charset=UTF-8", "application/json" },
		{ " application/json ;x=y", "application/json" },
		{ ";", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena arena;

		arena_init(&arena, ARENA);
		expect(is(http_media_type(&arena, span_str(cases[i].type)), cases[i].want), cases[i].want != NULL ? cases[i].want : "none");
		arena_done(&arena);
	}
}

static void
methods_have_names(void)
{
	for (enum http_method m = HTTP_GET; m < HTTP_OTHER; m++)
		CU_ASSERT_EQUAL(http_method_parse(span_str(http_method_name(m))), m);
	CU_ASSERT_EQUAL(http_method_parse(span_str("get")), HTTP_OTHER);
	CU_ASSERT_EQUAL(http_method_parse(span_str("")), HTTP_OTHER);
	CU_ASSERT_EQUAL(http_method_parse(span_str(NULL)), HTTP_OTHER);
	CU_ASSERT_EQUAL(http_method_parse(span_str("GETS")), HTTP_OTHER);
}

static void
statuses_have_reasons(void)
{
	CU_ASSERT_STRING_EQUAL(http_reason(200), "OK");
	CU_ASSERT_STRING_EQUAL(http_reason(404), "Not Found");
	CU_ASSERT_STRING_EQUAL(http_reason(503), "Service Unavailable");
	for (int status = 100; status < 600; status++)
		CU_ASSERT(http_reason(status)[0] != '\0');
}

static void
headers_are_kept_in_order(void)
{
	struct http_response r;

	http_response_init(&r);
	CU_ASSERT(r.status == 200 && r.type == NULL && r.body.n == 0);
	http_header(&r, "A", span_str("1"));
	http_header(&r, "B", span_str("2"));
	CU_ASSERT(r.n_headers == 2 && strcmp(r.headers[0].name, "A") == 0 && span_is(r.headers[1].value, "2"));
	http_response_done(&r);
}

/* 60 KB is what a request's head can be at most; all of it once for each look is no work. */
static void
long_input_is_read_in_one_go(void)
{
	static const struct http_media media[] = { { V1, 1000 }, { V0, 900 }, { JSON, 500 }, { NULL, 0 } };
	struct buf text = { 0 };
	struct arena arena;
	struct http_request r = { .arena = &arena };

	for (int i = 0; i < 30000; i++)
		buf_put(&text, "a&", 2);
	r.query = buf_bytes(&text);
	arena_init(&arena, ARENA);
	CU_ASSERT_PTR_NULL(http_query(&r, "b").p);
	CU_ASSERT(span_is(http_query(&r, "a"), ""));
	buf_reset(&text);
	for (int i = 0; i < 20000; i++)
		buf_put(&text, "a/\",", 4);
	CU_ASSERT_PTR_NOT_NULL(http_negotiate(buf_bytes(&text), media));
	arena_done(&arena);
	buf_done(&text);
}

static void
count_sent(void *counts, bool whole)
{
	((int *)counts)[whole]++;
}

static void
whether_it_was_sent_is_told_once(void)
{
	struct http_response r;
	int counts[2] = { 0 };

	http_response_init(&r);
	http_response_sent(&r, true); /* to nobody */
	r.sent = count_sent;
	r.sent_to = counts;
	http_response_sent(&r, false);
	http_response_sent(&r, true); /* of what is sent in its place */
	CU_ASSERT_EQUAL(counts[false], 1);
	CU_ASSERT_EQUAL(counts[true], 0);
	http_response_done(&r);
}

const struct unit_test http_tests[] = {
	UNIT(decodes_once_and_refuses_what_is_malformed),
	UNIT(decoding_ends_with_the_arena),
	UNIT(encodes_all_but_unreserved_characters),
	UNIT(decoding_undoes_encoding),
	UNIT(query_gives_the_first_value_decoded),
	UNIT(query_gives_each_of_several_values),
	UNIT(values_beyond_the_most_are_not_seen),
	UNIT(query_bool_is_true_only_for_true),
	UNIT(query_int_takes_32_bits),
	UNIT(negotiation_follows_q_quality_and_exactness),
	UNIT(media_type_is_lower_case_without_parameters),
	UNIT(methods_have_names),
	UNIT(statuses_have_reasons),
	UNIT(headers_are_kept_in_order),
	UNIT(long_input_is_read_in_one_go),
	UNIT(whether_it_was_sent_is_told_once),
	UNIT_END
};
