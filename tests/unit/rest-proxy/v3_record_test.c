/* v3_record_test.c -- records of the v3 interface, read from JSON and told of. */
#include "rest-proxy/v3_record.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/unit.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])
#define PROCESSING "Bad Request: Error processing message: "
#define NO_SCHEMAS "Payload error. Schema Registry must be configured when using schemas."

enum { ARENA_MAX = 1 << 20 };

/* Reads one; the arena is the caller's to end. */
static struct v3_record
read(const char *json, bool entry, struct arena *a, struct json_scan *s)
{
	struct v3_record r;

	arena_init(a, ARENA_MAX);
	json_begin(s, span_str(json));
	CU_ASSERT_EQUAL_FATAL(json_next(s), JSON_OBJECT);
	v3_record_read(s, a, entry, &r);
	return r;
}

static void
an_empty_object_is_a_record_without_key_and_value(void)
{
	struct json_scan s;
	struct arena a;
	struct v3_record r = read("{}", false, &a, &s);

	CU_ASSERT_EQUAL(r.code, 0);
	CU_ASSERT_EQUAL(r.record.partition, -1);
	CU_ASSERT_EQUAL(r.record.timestamp_ms, 0);
	CU_ASSERT(r.record.key.p == NULL && r.record.value.p == NULL && r.record.n_headers == 0);
	CU_ASSERT(r.key.type == NULL && r.value.type == NULL);
	CU_ASSERT_EQUAL(json_next(&s), JSON_END);
	arena_done(&a);
}

static void
all_fields_are_read(void)
{
	struct json_scan s;
	struct arena a;
	struct v3_record r = read("{\"partition_id\":3,\"timestamp\":\"1970-01-01T00:00:01Z\",\"headers\":[{\"name\":\"a\",\"value\":\"YQ==\"},"
				  "{\"name\":\"a\",\"value\":null},{\"value\":\"\",\"name\":\"\"}],\"key\":{\"type\":\"STRING\",\"data\":\"k\"},"
				  "\"value\":{\"data\":[1, 2],\"type\":\"JSON\"},\"id\":\"e-1\"}", true, &a, &s);

	CU_ASSERT_EQUAL_FATAL(r.code, 0);
	CU_ASSERT_EQUAL(r.record.partition, 3);
	CU_ASSERT_EQUAL(r.record.timestamp_ms, 1000);
	CU_ASSERT_EQUAL_FATAL(r.record.n_headers, 3);
	CU_ASSERT(span_is(r.record.headers[0].name, "a") && span_is(r.record.headers[0].value, "a"));
	CU_ASSERT(span_is(r.record.headers[1].name, "a") && r.record.headers[1].value.p == NULL);
	CU_ASSERT(span_is(r.record.headers[2].name, "") && span_is(r.record.headers[2].value, ""));
	CU_ASSERT(span_is(r.record.key, "k") && span_is(r.record.value, "[1,2]") && span_is(r.id, "e-1"));
	CU_ASSERT(strcmp(r.key.type, "STRING") == 0 && r.key.size == 1);
	CU_ASSERT(strcmp(r.value.type, "JSON") == 0 && r.value.size == 5);
	arena_done(&a);
}

static void
nulls_are_as_if_absent(void)
{
	struct json_scan s;
	struct arena a;
	struct v3_record r = read("{\"partition_id\":null,\"timestamp\":null,\"headers\":null,\"key\":null,\"value\":{\"type\":\"JSON\","
				  "\"data\":null,\"schema\":null,\"subject\":null}}", false, &a, &s);

	CU_ASSERT_EQUAL(r.code, 0);
	CU_ASSERT(r.record.partition == -1 && r.record.key.p == NULL && r.record.value.p == NULL && r.record.n_headers == 0);
	arena_done(&a);
}

static void
data_become_bytes_by_their_type(void)
{
	static const struct {
		const char *part, *bytes; /* NULL: null */
	} rows[] = {
		{ "{\"type\":\"BINARY\",\"data\":\"d2Vpcg==\"}", "weir" },
		{ "{\"type\":\"BINARY\",\"data\":\"\"}", "" },
		{ "{\"type\":\"STRING\",\"data\":\"\"}", "" },
		{ "{\"type\":\"STRING\",\"data\":\"a\\\"\\u00e9\"}", "a\"\xc3\xa9" },
		{ "{\"type\":\"STRING\",\"data\":null}", NULL },
		{ "{\"type\":\"JSON\",\"data\":\"\"}", "\"\"" },
		{ "{\"type\":\"JSON\",\"data\":{ \"a\": \" \\u00e9 \" }}", "{\"a\":\" \\u00e9 \"}" },
		{ "{\"type\":\"JSON\",\"data\":1e5}", "1e5" },
		{ "{\"type\":\"JSON\"}", NULL },
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		char json[200];
		struct json_scan s;
		struct arena a;
		struct v3_record r;

		snprintf(json, sizeof json, "{\"value\":%s}", rows[i].part);
		r = read(json, false, &a, &s);
		CU_ASSERT_EQUAL(r.code, 0);
		CU_ASSERT(rows[i].bytes == NULL ? r.record.value.p == NULL : span_is(r.record.value, rows[i].bytes));
		arena_done(&a);
	}
}

struct refusal {
	const char *json;
	int code;
	const char *message; /* NULL: any */
};

static void
check_refusals(const struct refusal *rows, size_t n, bool entry)
{
	for (size_t i = 0; i < n; i++) {
		struct json_scan s;
		struct arena a;
		struct v3_record r = read(rows[i].json, entry, &a, &s);

		CU_ASSERT_EQUAL(r.code, rows[i].code);
		CU_ASSERT_STRING_EQUAL(r.message == NULL ? "(none)" : r.message, rows[i].message);
		CU_ASSERT_FALSE(r.broken);
		CU_ASSERT_EQUAL(json_next(&s), JSON_END);
		arena_done(&a);
	}
}

static void
what_can_not_be_written_has_its_code(void)
{
	static const struct refusal rows[] = {
		{ "{\"partition_id\":-1}", 40402, "Partition not found." },
		{ "{\"partition_id\":-99999999999}", 40402, "Partition not found." },
		{ "{\"partition_id\":99999999999}", 400, PROCESSING "partition_id must be a whole number" },
		{ "{\"partition_id\":1.5}", 400, PROCESSING "partition_id must be a whole number" },
		{ "{\"partition_id\":[{}]}", 400, PROCESSING "partition_id must be a whole number" },
		{ "{\"timestamp\":17}", 400, PROCESSING "timestamp must be a string" },
		{ "{\"timestamp\":\"now\"}", 400, PROCESSING "timestamp must be a time as 2026-01-31T12:00:00Z" },
		{ "{\"timestamp\":\"1969-12-31T23:59:59Z\"}", 400, PROCESSING "timestamp must be a time as 2026-01-31T12:00:00Z" },
		{ "{\"headers\":{}}", 400, PROCESSING "headers must be an array" },
		{ "{\"headers\":[{}]}", 400, PROCESSING "a header needs a name, without zero characters" },
		{ "{\"headers\":[{\"name\":\"a\\u0000\"}]}", 400, PROCESSING "a header needs a name, without zero characters" },
		{ "{\"headers\":[{\"name\":\"a\",\"value\":\"!\"}]}", 400, "Bad Request: data=\"!\" is not a valid base64 string." },
		{ "{\"headers\":[{\"name\":1}]}", 400, PROCESSING "a header's name or value must be a string" },
		{ "{\"value\":\"x\"}", 400, PROCESSING "key and value must be objects with type and data" },
		{ "{\"value\":{\"type\":\"BINARY\",\"data\":{\"a\":1}}}", 400, "Bad Request: data={\"a\":1} is not a base64 string." },
		{ "{\"value\":{\"type\":\"BINARY\",\"data\":\"a\"}}", 400, "Bad Request: data=\"a\" is not a valid base64 string." },
		{ "{\"value\":{\"type\":\"STRING\",\"data\":12}}", 400, "Bad Request: data=12 is not a string." },
		{ "{\"value\":{\"data\":1}}", 42206, NO_SCHEMAS },
		{ "{\"value\":{\"type\":null,\"data\":1}}", 42206, NO_SCHEMAS },
		{ "{\"value\":{\"type\":\"json\",\"data\":1}}", 400,
		    "Bad Request: Error processing message: json is not one of the types BINARY, JSON, STRING, AVRO, JSONSCHEMA, PROTOBUF" },
		{ "{\"value\":{\"type\":\"AVRO\",\"schema\":\"x\",\"data\":1}}", 42206, NO_SCHEMAS },
		{ "{\"key\":{\"type\":\"JSON\",\"schema_id\":1,\"data\":1}}", 42206, NO_SCHEMAS },
		/* The first reason stays. */
		{ "{\"partition_id\":-1,\"value\":1,\"x\":2}", 40402, "Partition not found." },
	};

	check_refusals(rows, N_OF(rows), false);
	check_refusals(rows, N_OF(rows), true);
}

static void
unknown_fields_are_refused_by_streams_and_batches_each_in_its_way(void)
{
#define IN_STREAM(name) PROCESSING "Unrecognized field \"" name "\""
	static const struct refusal stream[] = {
		{ "{\"x\":[{}]}", 400, IN_STREAM("x") },
		{ "{\"id\":\"a\"}", 400, IN_STREAM("id") },
		{ "{\"key\":{\"y\":1}}", 400, IN_STREAM("y") },
		{ "{\"headers\":[{\"z\":{},\"name\":\"a\"}]}", 400, IN_STREAM("z") },
	}, batch[] = {
		{ "{\"x\":[{}]}", 422, "Unrecognized field: x" },
		{ "{\"key\":{\"y\":1}}", 422, "Unrecognized field: y" },
		{ "{\"headers\":[{\"z\":{},\"name\":\"a\"}]}", 422, "Unrecognized field: z" },
	};

	check_refusals(stream, N_OF(stream), false);
	check_refusals(batch, N_OF(batch), true);
}

static void
what_is_no_json_is_broken(void)
{
	static const char *const rows[] = {
		"{", "{\"value\"", "{\"value\":", "{\"value\":{\"type\":\"JSON\",\"data\":}}", "{\"value\":{\"type\":[}", "{\"headers\":[1]}",
		"{\"headers\":[{\"name\":]}", "{\"timestamp\":nul}", "{\"partition_id\":01}", "{\"x\":{}", "{\"a\":1,}", "{\"key\":{\"subject\":[1,}}",
		"{\"headers\":[{\"q\":]}",
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct json_scan s;
		struct arena a;
		struct v3_record r = read(rows[i], i % 2 == 0, &a, &s);

		CU_ASSERT(r.broken);
		CU_ASSERT(r.code == 400 || r.code == 422);
		CU_ASSERT_PTR_NOT_NULL(r.message);
		arena_done(&a);
	}
}

static void
a_record_that_the_arena_has_no_room_for_is_refused(void)
{
	struct json_scan s;
	struct arena a;
	struct v3_record r;

	for (size_t cap = 0; cap < 280; cap += 10) {
		arena_init(&a, cap);
		json_begin(&s, span_str("{\"headers\":[{\"name\":\"aaaaaaaa\",\"value\":\"YQ==\"}],\"key\":{\"type\":\"STRING\",\"data\":\"bbbbbbbb\"},"
					"\"value\":{\"type\":\"JSON\",\"data\":[1,2,3,4,5,6,7,8]}}"));
		json_next(&s);
		v3_record_read(&s, &a, false, &r);
		CU_ASSERT(r.code == 413);
		CU_ASSERT_PTR_NOT_NULL(r.message);
		arena_done(&a);
	}
}

static void
a_hundred_thousand_headers_are_read_in_time(void)
{
	enum { MANY = 100000 };
	struct buf json = { 0 };
	struct json_scan s;
	struct v3_record r;
	struct arena a;

	buf_printf(&json, "{\"headers\":[");
	for (int i = 0; i < MANY; i++)
		buf_printf(&json, "%s{\"name\":\"a\"}", i == 0 ? "" : ",");
	buf_printf(&json, "]}");
	arena_init(&a, 64 << 20);
	json_begin(&s, buf_bytes(&json));
	json_next(&s);
	v3_record_read(&s, &a, false, &r);
	CU_ASSERT_EQUAL(r.code, 0);
	CU_ASSERT_EQUAL(r.record.n_headers, MANY);
	arena_done(&a);
	buf_done(&json);
}

static void
a_receipt_tells_where_and_what(void)
{
	static const struct {
		const char *json, *receipt;
	} rows[] = {
		{ "{}", "{\"cluster_id\":\"c\",\"topic_name\":\"t\",\"partition_id\":2,\"offset\":9,\"timestamp\":\"1970-01-01T00:00:00.005Z\"}" },
		{ "{\"key\":{\"type\":\"JSON\",\"data\":null},\"value\":{\"type\":\"STRING\",\"data\":\"\xc3\xa9\"}}",
		    "{\"cluster_id\":\"c\",\"topic_name\":\"t\",\"partition_id\":2,\"offset\":9,\"timestamp\":\"1970-01-01T00:00:00.005Z\","
		    "\"key\":{\"type\":\"JSON\",\"size\":0},\"value\":{\"type\":\"STRING\",\"size\":2}}" },
	};
	static const struct weir_receipt where = { .partition = 2, .offset = 9, .timestamp_ms = 5 };

	for (size_t i = 0; i < N_OF(rows); i++) {
		struct buf text = { 0 };
		struct json_out o = json_out(&text);
		struct json_scan s;
		struct arena a;
		struct v3_record r = read(rows[i].json, false, &a, &s);

		json_open(&o, '{');
		v3_record_put_receipt(&o, &r, &where, "c", "t");
		json_close(&o, '}');
		CU_ASSERT(span_is(buf_bytes(&text), rows[i].receipt));
		buf_done(&text);
		arena_done(&a);
	}
}

const struct unit_test v3_record_tests[] = {
	UNIT(an_empty_object_is_a_record_without_key_and_value),
	UNIT(all_fields_are_read),
	UNIT(nulls_are_as_if_absent),
	UNIT(data_become_bytes_by_their_type),
	UNIT(what_can_not_be_written_has_its_code),
	UNIT(unknown_fields_are_refused_by_streams_and_batches_each_in_its_way),
	UNIT(what_is_no_json_is_broken),
	UNIT(a_record_that_the_arena_has_no_room_for_is_refused),
	UNIT(a_hundred_thousand_headers_are_read_in_time),
	UNIT(a_receipt_tells_where_and_what),
	UNIT_END
};
