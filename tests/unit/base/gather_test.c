/* gather_test.c -- messages of copied and borrowed bytes. */
#include "base/gather.h"

#include <string.h>

#include "unit/base/random.h"
#include "unit/unit.h"

/* What the vectors after `skip` hold, taken `max` at a time. */
static size_t
flatten(const struct gather *g, size_t skip, int max, uint8_t *to)
{
	struct iovec iov[16];
	size_t n = 0;
	int k, i;

	while ((k = gather_iov(g, skip + n, iov, max)) > 0) {
		CU_ASSERT_FATAL(k <= max);
		for (i = 0; i < k; i++) {
			CU_ASSERT(iov[i].iov_len > 0);
			memcpy(to + n, iov[i].iov_base, iov[i].iov_len);
			n += iov[i].iov_len;
		}
	}
	return n;
}

static void
empty_message_gives_no_vector(void)
{
	struct gather g = { 0 };
	struct iovec iov[4];

	CU_ASSERT_EQUAL(gather_iov(&g, 0, iov, 4), 0);
	gather_ref(&g, span_of("", 0));
	CU_ASSERT_EQUAL(gather_iov(&g, 0, iov, 4), 0);
	CU_ASSERT_EQUAL(gather_size(&g), 0);
	gather_done(&g);
}

static void
borrowed_bytes_are_not_copied(void)
{
	struct gather g = { 0 };
	struct iovec iov[4];
	char text[] = "borrowed";

	buf_u8(&g.buf, 'a');
	gather_ref(&g, span_of(text, 8));
	CU_ASSERT_EQUAL_FATAL(gather_iov(&g, 0, iov, 4), 2);
	CU_ASSERT(iov[1].iov_base == text && iov[1].iov_len == 8);
	CU_ASSERT_EQUAL(gather_iov(&g, 9, iov, 4), 0);
	gather_done(&g);
}

/* Random messages against the same bytes in one piece: every skip, every number of vectors. */
static void
any_skip_gives_the_rest(void)
{
	uint64_t seed = 3;
	uint8_t source[64], want[4096], got[4096];
	int round, i, max;

	random_fill(&seed, source, sizeof source);
	for (round = 0; round < 40; round++) {
		struct gather g = { 0 };
		size_t n = 0, skip;

		for (i = 0; i < 12; i++) {
			size_t k = random_below(&seed, 9);

			memcpy(want + n, source + i, k);
			n += k;
			if (random_below(&seed, 2) == 0)
				buf_put(&g.buf, source + i, k);
			else
				gather_ref(&g, span_of(source + i, k));
		}
		CU_ASSERT_EQUAL(gather_size(&g), n);
		for (skip = 0; skip <= n; skip++)
			for (max = 1; max <= 16; max++) {
				size_t rest = flatten(&g, skip, max, got);

				UNIT_BYTES(got, rest, want + skip, n - skip);
			}
		gather_done(&g);
	}
}

static void
done_empties_it(void)
{
	struct gather g = { 0 };

	buf_u32(&g.buf, 1);
	gather_ref(&g, span_of("xyz", 3));
	gather_done(&g);
	CU_ASSERT_EQUAL(gather_size(&g), 0);
	CU_ASSERT_PTR_NULL(g.slices);
}

const struct unit_test gather_tests[] = {
	UNIT(empty_message_gives_no_vector),
	UNIT(borrowed_bytes_are_not_copied),
	UNIT(any_skip_gives_the_rest),
	UNIT(done_empties_it),
	UNIT_END
};
