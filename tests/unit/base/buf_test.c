/* buf_test.c -- a growable run of bytes. */
#include "base/buf.h"

#include <string.h>

#include "unit/unit.h"

static void
puts_follow_each_other(void)
{
	static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 'x', 'y' };
	struct buf b = { 0 };

	buf_u8(&b, 1);
	buf_u16(&b, 0x0203);
	buf_u32(&b, 0x04050607);
	buf_u64(&b, 0x08090a0b0c0d0e0f);
	buf_span(&b, span_str("xy"));
	CU_ASSERT(!b.failed);
	UNIT_BYTES(b.p, b.n, want, sizeof want);
	CU_ASSERT(span_eq(buf_bytes(&b), span_of(want, sizeof want)));
	buf_done(&b);
}

static void
growing_keeps_the_bytes(void)
{
	struct buf b;
	size_t i;

	buf_init(&b);
	for (i = 0; i < 100000; i++)
		buf_u8(&b, (uint8_t)(i * 7));
	CU_ASSERT_EQUAL_FATAL(b.n, 100000);
	for (i = 0; i < b.n; i++)
		if (b.p[i] != (uint8_t)(i * 7))
			CU_FAIL_FATAL("a byte changed");
	buf_done(&b);
}

static void
printf_appends_text_only(void)
{
	struct buf b = { 0 };

	buf_printf(&b, "%d", 42);
	buf_printf(&b, "%s", "");
	buf_printf(&b, "=%0100d", 7);
	CU_ASSERT_EQUAL(b.n, 103);
	CU_ASSERT(memcmp(b.p, "42=000", 6) == 0 && b.p[102] == '7');
	buf_done(&b);
}

static void
failure_sticks_until_reset(void)
{
	struct buf b = { 0 };

	buf_u8(&b, 1);
	CU_ASSERT_PTR_NULL(buf_room(&b, SIZE_MAX / 2));
	CU_ASSERT(b.failed);
	buf_u8(&b, 2);
	buf_printf(&b, "x");
	CU_ASSERT_EQUAL(b.n, 1);
	buf_reset(&b);
	buf_u8(&b, 3);
	CU_ASSERT(!b.failed && b.n == 1 && b.p[0] == 3);
	buf_done(&b);
}

static void
room_is_not_counted_before_it_is_used(void)
{
	struct buf b = { 0 };
	uint8_t *p = buf_room(&b, 1000);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(b.n, 0);
	memset(p, 5, 1000);
	b.n += 1000;
	buf_u8(&b, 6);
	CU_ASSERT(b.n == 1001 && b.p[999] == 5 && b.p[1000] == 6);
	buf_done(&b);
}

static void
empty_put_does_nothing(void)
{
	struct buf b = { 0 };

	buf_put(&b, NULL, 0);
	CU_ASSERT(b.n == 0 && !b.failed);
	buf_done(&b);
}

const struct unit_test buf_tests[] = {
	UNIT(puts_follow_each_other),
	UNIT(growing_keeps_the_bytes),
	UNIT(printf_appends_text_only),
	UNIT(failure_sticks_until_reset),
	UNIT(room_is_not_counted_before_it_is_used),
	UNIT(empty_put_does_nothing),
	UNIT_END
};
