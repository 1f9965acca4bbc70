/* timestamp_test.c -- times as text, there and back. */
#include "rest-proxy/timestamp.h"

#include "unit/unit.h"

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

static void
times_are_read(void)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:01.5Z", 1500 },
		{ "2026-01-31T12:00:00Z", 1769860800000 },
		{ "2026-01-31t12:00:00z", 1769860800000 },
		{ "2026-01-31T12:00:00.123Z", 1769860800123 },
		{ "2026-01-31T12:00:00.1239999999999Z", 1769860800123 },
		{ "2026-01-31T14:00:00+02:00", 1769860800000 },
		{ "2026-01-31T14:00:00+0200", 1769860800000 },
		{ "2026-01-31T06:30:00.007-05:30", 1769860800007 },
		{ "2024-02-29T00:00:00Z", 1709164800000 },
		{ "2000-02-29T23:59:59Z", 951868799000 },
		{ "1969-12-31T23:59:59.999Z", -1 },
		{ "0001-01-01T00:00:00Z", -62135596800000 },
		{ "9999-12-31T23:59:59.999Z", 253402300799999 },
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		int64_t ms = 77;

		CU_ASSERT(timestamp_parse(span_str(rows[i].text), &ms));
		CU_ASSERT_EQUAL(ms, rows[i].ms);
	}
}

static void
what_is_no_time_is_refused(void)
{
	static const char *const rows[] = {
		"", "Z", "2026", "2026-01-31", "2026-01-31 12:00:00Z", "2026-01-31T12:00Z", "2026-01-31T12:00:00",
		"2026-01-31T12:00:00.Z", "2026-01-31T12:00:00Zz", "2026-01-31T12:00:00ZZ", " 2026-01-31T12:00:00Z",
		"2026-1-31T12:00:00Z", "+2026-01-31T12:00:00Z", "-026-01-31T12:00:00Z", "2026-13-01T12:00:00Z",
		"2026-00-01T12:00:00Z", "2026-01-00T12:00:00Z", "2026-01-32T12:00:00Z", "2026-02-29T12:00:00Z",
		"2026-04-31T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:60Z",
		"2026-01-31T12:00:00+2:00", "2026-01-31T12:00:00+19:00", "2026-01-31T12:00:00+02:60", "2026-01-31T12:00:00+",
		"2026-01-31T12:00:00+02", "2026\r01\r31T12:00:00Z", ("2026-01-31T12\x1a" "00\x1a" "00Z"), ("2026-01-31T12:00:00\x0e" "5Z"),
		"1769860800000",
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		int64_t ms;

		CU_ASSERT_FALSE(timestamp_parse(span_str(rows[i]), &ms));
	}
}

static void
times_are_written(void)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000, "1969-12-31T23:59:59.000Z" },
		{ 1769860800123, "2026-01-31T12:00:00.123Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
	};

	for (size_t i = 0; i < N_OF(rows); i++) {
		char text[TIMESTAMP_TEXT];

		timestamp_text(rows[i].ms, text);
		CU_ASSERT_STRING_EQUAL(text, rows[i].text);
	}
}

static void
what_was_written_is_read_as_it_was(void)
{
	/* Steps that meet every hour, and no two times of the same form. */
	for (int64_t ms = -62135596800000; ms <= 253402300799999; ms += 86399999999 * 3 + 12345) {
		char text[TIMESTAMP_TEXT];
		int64_t again;

		timestamp_text(ms, text);
		CU_ASSERT_FATAL(timestamp_parse(span_str(text), &again));
		CU_ASSERT_EQUAL_FATAL(again, ms);
	}
}

static void
no_number_is_too_large_to_be_written(void)
{
	static const int64_t rows[] = { INT64_MIN, INT64_MIN + 1, INT64_MAX, 253402300800000 };

	for (size_t i = 0; i < N_OF(rows); i++) {
		char text[TIMESTAMP_TEXT];

		timestamp_text(rows[i], text);
		CU_ASSERT(strlen(text) < sizeof text);
	}
}

const struct unit_test timestamp_tests[] = {
	UNIT(times_are_read),
	UNIT(what_is_no_time_is_refused),
	UNIT(times_are_written),
	UNIT(what_was_written_is_read_as_it_was),
	UNIT(no_number_is_too_large_to_be_written),
	UNIT_END
};
