/*
 * records_fuzz.c -- bodies of the REST proxy: what is accepted of any bytes can be given out again.
 *
 * The first byte says which reader gets the rest.
 */
#include "base/must.h"
#include "base/xalloc.h"
#include "json/scan.h"
#include "json/write.h"
#include "rest-proxy/format.h"
#include "rest-proxy/timestamp.h"
#include "rest-proxy/v3_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { MEMORY = 64 << 20 };

/* Whether it is one value, and UTF-8. */
static bool
is_json(struct span text)
{
	struct json_scan s;

	json_begin(&s, text);
	return json_skip(&s).p != NULL && json_next(&s) == JSON_END;
}

/* Puts bytes in a format, and reads them again; false when they are none in it. */
static bool
there_and_back(enum format format, struct span bytes)
{
	struct buf text = { 0 }, again = { 0 };
	struct json_out o = json_out(&text);
	bool good = format_put(format, &o, bytes), null = false;
	struct json_scan s;
	struct span value;
	const char *why;

	must(good || text.n == 0);
	if (good) {
		must(is_json(buf_bytes(&text)));
		json_begin(&s, buf_bytes(&text));
		must(format_read(format, &s, &again, &null, &value, &why) && json_next(&s) == JSON_END);
		must(null == (bytes.p == NULL || (format == FORMAT_JSON && span_is(buf_bytes(&text), "null"))));
		must(null || format == FORMAT_JSON || span_eq(span_of(again.n == 0 ? (uint8_t *)"" : again.p, again.n), bytes));
	}
	buf_done(&text);
	buf_done(&again);
	return good;
}

/* A value of v2: what is taken is given out. */
static void
check_value(enum format format, struct span text)
{
	struct buf bytes = { 0 };
	struct json_scan s;
	struct span value;
	const char *why;
	bool null = false;

	json_begin(&s, text);
	if (format_read(format, &s, &bytes, &null, &value, &why))
		must(null ? bytes.n == 0 : there_and_back(format, span_of(bytes.n == 0 ? (uint8_t *)"" : bytes.p, bytes.n)));
	else
		must(bytes.n == 0 && (why != NULL ? is_json(value) && strstr(why, "%s") != NULL : s.token == JSON_BROKEN));
	buf_done(&bytes);
}

static void
check_part(const struct v3_part *p, struct span bytes)
{
	must(p->size == bytes.n && (bytes.p == NULL || p->type != NULL));
	if (bytes.p != NULL && strcmp(p->type, "JSON") == 0)
		must(is_json(bytes));
}

/* A record of v3: read, or refused in words; its receipt is JSON. */
static void
check_record(struct span text, bool entry)
{
	static const struct weir_receipt where = { .partition = 1, .offset = 2, .timestamp_ms = 3 };
	struct buf receipt = { 0 };
	struct json_out o = json_out(&receipt);
	struct v3_record r;
	struct json_scan s;
	struct arena a;

	json_begin(&s, text);
	if (json_next(&s) != JSON_OBJECT)
		return;
	arena_init(&a, MEMORY);
	v3_record_read(&s, &a, entry, &r);
	must(r.code == 0 ? r.message == NULL : r.message != NULL);
	must(!r.broken || r.code != 0);
	must(r.broken || s.token == JSON_OBJECT_END);
	must(!entry ? r.id.p == NULL : true);
	if (r.code == 0) {
		check_part(&r.key, r.record.key);
		check_part(&r.value, r.record.value);
		must(r.record.partition >= -1 && r.record.timestamp_ms >= 0);
		json_open(&o, '{');
		v3_record_put_receipt(&o, &r, &where, "c", "t");
		json_close(&o, '}');
	} else
		json_put_str(&o, r.message);
	must(is_json(buf_bytes(&receipt)));
	buf_done(&receipt);
	arena_done(&a);
}

/* A time: what was read is written, to the millisecond. */
static void
check_time(struct span text)
{
	char written[TIMESTAMP_TEXT];
	int64_t ms, again;

	if (!timestamp_parse(text, &ms) || ms < -62135596800000 || ms > 253402300799999)
		return;
	timestamp_text(ms, written);
	must(timestamp_parse(span_str(written), &again) && again == ms);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t *copy; /* which ends where its memory ends */
	struct span text;

	if (n == 0)
		return 0;
	copy = xmemdup(bytes + 1, n - 1);
	text = span_of(n == 1 ? (const uint8_t *)"" : copy, n - 1);
	switch (bytes[0] % 4) {
	case 0:
		for (int f = 0; f < FORMATS; f++)
			check_value((enum format)f, text);
		break;
	case 1:
		for (int f = 0; f < FORMATS; f++)
			must(there_and_back((enum format)f, text) || f == FORMAT_JSON);
		break;
	case 2:
		check_record(text, false);
		check_record(text, true);
		break;
	default:
		check_time(text);
	}
	free(copy);
	return 0;
}
