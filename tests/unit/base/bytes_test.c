/* bytes_test.c -- spans, and integers stored in bytes. */
#include "base/bytes.h"

#include "unit/unit.h"

static void
integers_are_big_endian(void)
{
	static const uint8_t want[] = { 0x81, 2, 3, 4, 5, 6, 7, 0xf8 };
	uint8_t got[8];

	store64(got, 0x81020304050607f8);
	UNIT_BYTES(got, 8u, want, sizeof want);
	CU_ASSERT_EQUAL(load64(want), 0x81020304050607f8);
	store32(got, 0x81020304);
	UNIT_BYTES(got, 4u, want, 4u);
	CU_ASSERT_EQUAL(load32(want), 0x81020304);
	store16(got, 0x8102);
	UNIT_BYTES(got, 2u, want, 2u);
	CU_ASSERT_EQUAL(load16(want), 0x8102);
}

static void
null_equals_only_null(void)
{
	struct span null = span_str(NULL), empty = span_str("");

	CU_ASSERT(null.p == NULL && null.n == 0);
	CU_ASSERT(span_eq(null, null));
	CU_ASSERT(span_eq(empty, span_of("x", 0)));
	CU_ASSERT(!span_eq(null, empty));
	CU_ASSERT(!span_eq(empty, null));
}

static void
equality_is_of_bytes(void)
{
	CU_ASSERT(span_is(span_of("abcd", 3), "abc"));
	CU_ASSERT(!span_is(span_of("abcd", 4), "abc"));
	CU_ASSERT(!span_is(span_of("abd", 3), "abc"));
	CU_ASSERT(!span_eq(span_of("a\0b", 3), span_of("a\0c", 3)));
}

static void
order_is_of_bytes_then_of_lengths(void)
{
	static const char *const rising[] = { "", "a", "a\x01", "ab", "b", "\x80" };

	for (int i = 0; i < 6; i++)
		for (int k = 0; k < 6; k++) {
			int r = span_compare(span_str(rising[i]), span_str(rising[k]));

			CU_ASSERT((r > 0) - (r < 0) == (i > k) - (i < k));
		}
	CU_ASSERT(span_compare(span_str(NULL), span_str("")) == 0);
}

static void
what_begins_with_what(void)
{
	CU_ASSERT(span_begins(span_str("abc"), span_str("ab")) && span_begins(span_str("abc"), span_str("abc")));
	CU_ASSERT(!span_begins(span_str("ab"), span_str("abc")) && !span_begins(span_str("abc"), span_str("b")));
	CU_ASSERT(span_begins(span_str("abc"), span_str("")) && span_begins(span_str(NULL), span_str(NULL)));
	CU_ASSERT(!span_begins(span_str(NULL), span_str("a")));
}

const struct unit_test bytes_tests[] = {
	UNIT(integers_are_big_endian),
	UNIT(null_equals_only_null),
	UNIT(equality_is_of_bytes),
	UNIT(order_is_of_bytes_then_of_lengths),
	UNIT(what_begins_with_what),
	UNIT_END
};
