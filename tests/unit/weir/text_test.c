/* text_test.c -- words of the command line, and texts laid out. */
#include <string.h>

#include "unit/unit.h"
#include "weir/cli.h"
#include "weir/columns.h"
#include "weir/pretty.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

static void
versions_stand_behind_the_last_colon(void)
{
	static const struct {
		const char *text, *subject, *version;
	} rows[] = {
		{ "s", "s", NULL },
		{ "s:3", "s", "3" },
		{ "s:latest", "s", "latest" },
		{ "s:", "s:", NULL },
		{ "s:x", "s:x", NULL },
		{ "s:3x", "s:3x", NULL },
		{ "a:b:7", "a:b", "7" },
		{ ":.c:s", ":.c:s", NULL },
		{ ":.c:s:2", ":.c:s", "2" },
		{ ":.c:7", ":.c:7", NULL },
		{ ":.c:7:1", ":.c:7", "1" },
		{ ":7", ":7", NULL },
		{ "", "", NULL },
	};
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct target t = cli_target(&a, rows[i].text);

		CU_ASSERT_STRING_EQUAL(t.subject, rows[i].subject);
		CU_ASSERT((t.version == NULL) == (rows[i].version == NULL));
		if (t.version != NULL && rows[i].version != NULL)
			CU_ASSERT_STRING_EQUAL(t.version, rows[i].version);
	}
	arena_done(&a);
}

static void
urls_may_end_in_a_context(void)
{
	static const struct {
		const char *url, *context;
	} rows[] = {
		{ "http://h:8081", NULL },
		{ "http://h:8081/", NULL },
		{ "http://h/contexts", NULL },
		{ "http://h/contexts/", NULL },
		{ "http://contexts/.c", NULL },
		{ "http://h/mycontexts/.c", NULL },
		{ "http://h/contexts/.c/subjects", NULL },
		{ "http://h?/contexts/.c", NULL },
		{ "contexts/.c", NULL },
		{ "/", NULL },
		{ "", NULL },
		{ "http://h/contexts/.c", ".c" },
		{ "http://me:pass@h/registry/contexts/.c// ", ".c" },
		{ "http://h/contexts/c?x=1", ".c" },
		{ "http://h/contexts/:.c:", ".c" },
		{ "http://h/contexts/%3a.a%20b%3A", ".a b" },
		{ "http://h/contexts/.a%2", ".a%2" },
		{ "http://h/contexts/.", "." },
		{ "http://h/contexts/:", "." },
	};
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < N_OF(rows); i++) {
		const char *context = cli_url_context(&a, span_str(rows[i].url));

		CU_ASSERT((context == NULL) == (rows[i].context == NULL));
		if (context != NULL && rows[i].context != NULL)
			CU_ASSERT_STRING_EQUAL(context, rows[i].context);
	}
	arena_done(&a);
}

static void
columns_are_as_wide_as_they_must_be(void)
{
	struct columns c = { 0 };
	struct buf b = { 0 };

	columns_row(&c, (const char *const[]){ "A", "WIDE", "", NULL });
	columns_row(&c, (const char *const[]){ "\xc3\xa4\xc3\xb6\xc3\xbc", "1", "x", NULL });
	columns_row(&c, (const char *const[]){ "", "22", "", NULL });
	columns_put(&c, &b);
	CU_ASSERT(span_is(buf_bytes(&b), "A    WIDE\n\xc3\xa4\xc3\xb6\xc3\xbc  1     x\n     22\n"));
	buf_done(&b);
}

static void
json_is_laid_out_and_nothing_else(void)
{
	static const char text[] = "{\"a\":[1.50,{\"b\":\"x\\u000ay\"},[],{}],\"c\":12345678901234567890123,\"d\":null}";
	static const char laid[] = "{\n  \"a\": [\n    1.50,\n    {\n      \"b\": \"x\\ny\"\n    },\n    [],\n    {}\n  ],\n"
				   "  \"c\": 12345678901234567890123,\n  \"d\": null\n}";
	struct json_mistake why;
	struct buf b = { 0 };
	struct arena a;

	arena_init(&a, 1 << 20);
	pretty_put(&b, json_parse(&a, span_str(text), &why));
	CU_ASSERT(span_is(buf_bytes(&b), laid));
	buf_reset(&b);
	pretty_put(&b, json_parse(&a, span_str("\"int\""), &why));
	CU_ASSERT(span_is(buf_bytes(&b), "\"int\""));
	buf_done(&b);
	arena_done(&a);
}

const struct unit_test text_tests[] = {
	UNIT(versions_stand_behind_the_last_colon),
	UNIT(urls_may_end_in_a_context),
	UNIT(columns_are_as_wide_as_they_must_be),
	UNIT(json_is_laid_out_and_nothing_else),
	UNIT_END
};
