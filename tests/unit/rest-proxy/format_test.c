/* format_test.c -- keys and values between JSON and bytes. */
#include "rest-proxy/format.h"

#include <stdlib.h>

#include "unit/unit.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

static void
names_and_types_lead_to_formats(void)
{
	static const struct {
		const char *name;
		bool good;
		enum format format;
	} names[] = {
		{ "binary", true, FORMAT_BINARY }, { "BINARY", true, FORMAT_BINARY }, { "Json", true, FORMAT_JSON },
		{ "", false, 0 }, { "jso", false, 0 }, { "jsonx", false, 0 }, { "avro", false, 0 }, { "string", false, 0 },
	}, types[] = {
		{ "application/vnd.kafka.binary.v2+json", true, FORMAT_BINARY },
		{ "application/vnd.kafka.json.v2+json", true, FORMAT_JSON },
		{ "application/vnd.kafka.v2+json", false, 0 }, { "application/json", false, 0 }, { "", false, 0 },
	};
	enum format f = FORMATS;

	for (size_t i = 0; i < N_OF(names); i++) {
		CU_ASSERT_EQUAL(format_parse(span_str(names[i].name), &f), names[i].good);
		CU_ASSERT(!names[i].good || f == names[i].format);
	}
	for (size_t i = 0; i < N_OF(types); i++) {
		CU_ASSERT_EQUAL(format_of_type(span_str(types[i].name), &f), types[i].good);
		CU_ASSERT(!types[i].good || (f == types[i].format && span_is(span_str(format_type(f)), types[i].name)));
	}
	CU_ASSERT_FALSE(format_of_type(span_of(NULL, 0), &f));
}

struct row {
	enum format format;
	const char *json;
	const char *bytes; /* NULL: null */
	size_t n;
};

#define NULLS(format, json) { format, json, NULL, 0 }
#define ROW(format, json, bytes) { format, json, bytes, sizeof bytes - 1 }

static const struct row good[] = {
	ROW(FORMAT_BINARY, "\"\"", ""),
	ROW(FORMAT_BINARY, "\"d2Vpcg==\"", "weir"),
	ROW(FORMAT_BINARY, "\"d2Vpcg\"", "weir"),
	ROW(FORMAT_BINARY, "\"AP//\"", "\0\xff\xff"),
	ROW(FORMAT_BINARY, " \"AP\\/\\u002f\" ", "\0\xff\xff"),
	NULLS(FORMAT_BINARY, "null"),
	NULLS(FORMAT_JSON, " null "),
	ROW(FORMAT_JSON, "true", "true"),
	ROW(FORMAT_JSON, "0", "0"),
	ROW(FORMAT_JSON, "\"\"", "\"\""),
	ROW(FORMAT_JSON, "{ }", "{}"),
	ROW(FORMAT_JSON, " [ 1 , 2 ] ", "[1,2]"),
	ROW(FORMAT_JSON, "{ \"a b\" : \" c \\n \\u0020 \" }", "{\"a b\":\" c \\n \\u0020 \"}"),
	ROW(FORMAT_JSON, "1.0E+400", "1.0E+400"),
	ROW(FORMAT_JSON, "-0.10", "-0.10"),
	ROW(FORMAT_JSON, "123456789012345678901234567890", "123456789012345678901234567890"),
	ROW(FORMAT_JSON, "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}"),
	ROW(FORMAT_JSON, "\"caf\xc3\xa9 \\ud83d\\ude00\"", "\"caf\xc3\xa9 \\ud83d\\ude00\""),
};

static void
values_are_read(void)
{
	for (size_t i = 0; i < N_OF(good); i++) {
		struct buf to = { 0 };
		struct json_scan s;
		struct span value;
		const char *why;
		bool null = false;

		buf_put(&to, "x", 1);
		json_begin(&s, span_str(good[i].json));
		CU_ASSERT(format_read(good[i].format, &s, &to, &null, &value, &why));
		CU_ASSERT_EQUAL(null, good[i].bytes == NULL);
		CU_ASSERT(to.n == good[i].n + 1 && memcmp(to.p + 1, good[i].n == 0 ? "" : good[i].bytes, good[i].n) == 0);
		CU_ASSERT_EQUAL(json_next(&s), JSON_END);
		buf_done(&to);
	}
}

static void
the_scan_goes_on_behind_a_value(void)
{
	struct buf to = { 0 };
	struct json_scan s;
	struct span value;
	const char *why;
	bool null;

	json_begin(&s, span_str("[{\"a\":[1,{}]},\"YQ==\",3]"));
	CU_ASSERT_EQUAL(json_next(&s), JSON_ARRAY);
	CU_ASSERT(format_read(FORMAT_JSON, &s, &to, &null, &value, &why));
	CU_ASSERT(format_read(FORMAT_BINARY, &s, &to, &null, &value, &why));
	CU_ASSERT_EQUAL(json_next(&s), JSON_NUMBER);
	CU_ASSERT(span_is(buf_bytes(&to), "{\"a\":[1,{}]}a"));
	buf_done(&to);
}

static void
what_is_wrong_with_a_value_is_told(void)
{
	static const struct {
		enum format format;
		const char *json, *why, *value; /* NULL: the scan is broken */
	} rows[] = {
		{ FORMAT_BINARY, "12", "data=%s is not a base64 string.", "12" },
		{ FORMAT_BINARY, "{\"a\": 1}", "data=%s is not a base64 string.", "{\"a\": 1}" },
		{ FORMAT_BINARY, "false", "data=%s is not a base64 string.", "false" },
		{ FORMAT_BINARY, "\"d2Vpc\"", "data=%s is not a valid base64 string.", "\"d2Vpc\"" },
		{ FORMAT_BINARY, "\"d2V pcg\"", "data=%s is not a valid base64 string.", "\"d2V pcg\"" },
		{ FORMAT_BINARY, "\"_-==\"", "data=%s is not a valid base64 string.", "\"_-==\"" },
		{ FORMAT_BINARY, "[1", NULL, NULL },
		{ FORMAT_JSON, "", NULL, NULL },
		{ FORMAT_JSON, "{\"a\"}", NULL, NULL },
		{ FORMAT_JSON, "nul", NULL, NULL },
		{ FORMAT_JSON, "01", NULL, NULL },
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct buf to = { 0 };
		struct json_scan s;
		struct span value;
		const char *why;
		bool null;

		json_begin(&s, span_str(rows[i].json));
		CU_ASSERT_FALSE(format_read(rows[i].format, &s, &to, &null, &value, &why));
		CU_ASSERT_EQUAL(to.n, 0);
		CU_ASSERT(span_is(span_str(why), rows[i].why));
		CU_ASSERT(rows[i].why == NULL ? s.token == JSON_BROKEN : span_is(value, rows[i].value));
		buf_done(&to);
	}
}

static void
bytes_are_given_out(void)
{
	static const struct row rows[] = {
		NULLS(FORMAT_BINARY, "null"),
		ROW(FORMAT_BINARY, "\"\"", ""),
		ROW(FORMAT_BINARY, "\"AP//\"", "\0\xff\xff"),
		NULLS(FORMAT_JSON, "null"),
		ROW(FORMAT_JSON, "{\"a\":[1,2.50]}", "{ \"a\" : [1,\t2.50] }\n"),
		ROW(FORMAT_JSON, "\" \\u00e9 \"", "\" \\u00e9 \""),
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct buf b = { 0 };
		struct json_out o = json_out(&b);

		CU_ASSERT(format_put(rows[i].format, &o, span_of(rows[i].bytes, rows[i].n)));
		CU_ASSERT(span_is(buf_bytes(&b), rows[i].json));
		buf_done(&b);
	}
}

static void
what_others_wrote_breaks_no_answer(void)
{
	static const char *const rows[] = { "", " ", "{", "{}{}", "1,2", "]", "\"\xff\"", "nan", "'a'", "1 //" };

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct buf b = { 0 };
		struct json_out o = json_out(&b);

		CU_ASSERT_FALSE(format_put(FORMAT_JSON, &o, span_str(rows[i])));
		CU_ASSERT_EQUAL(b.n, 0);
		CU_ASSERT(format_put(FORMAT_BINARY, &o, span_str(rows[i])));
		buf_done(&b);
	}
}

const struct unit_test format_tests[] = {
	UNIT(names_and_types_lead_to_formats),
	UNIT(values_are_read),
	UNIT(the_scan_goes_on_behind_a_value),
	UNIT(what_is_wrong_with_a_value_is_told),
	UNIT(bytes_are_given_out),
	UNIT(what_others_wrote_breaks_no_answer),
	UNIT_END
};
