/* codec_test.c -- each compression, whole, damaged, too large. */
#include "store/codec.h"

#include "unit/store/pack.h"
#include "unit/unit.h"

enum { SIZE = 200000 };

static uint8_t plain[SIZE], packed[2 * SIZE];

/* The first n bytes of `plain` in `packed`: how many they are there. */
static size_t
pack_some(int codec, size_t n)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++)
		plain[i] = (uint8_t)(i * i >> 7);
	pack(codec, span_of(plain, n), &b);
	CU_ASSERT_FATAL(b.n <= sizeof packed);
	memcpy(packed, b.p, b.n);
	n = b.n;
	buf_done(&b);
	return n;
}

static bool
unpacks(int codec, size_t n_packed, size_t max, size_t n)
{
	struct buf to = { 0 };
	bool ok = codec_inflate(codec, span_of(packed, n_packed), max, &to) == INFLATED;

	ok = ok && to.n == n && (n == 0 || memcmp(to.p, plain, n) == 0);
	buf_done(&to);
	return ok;
}

static void
what_was_packed_comes_back(void)
{
	static const size_t sizes[] = { 1, 100, 65536, SIZE };

	for (int codec = 0; codec < CODECS; codec++)
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			CU_ASSERT(unpacks(codec, pack_some(codec, sizes[i]), SIZE + 1, sizes[i]));
}

static void
an_empty_snappy_block_is_empty(void)
{
	CU_ASSERT(unpacks(CODEC_SNAPPY, pack_some(CODEC_SNAPPY, 0), SIZE, 0));
}

static void
more_than_the_limit_is_told_from_damage(void)
{
	static const size_t limits[] = { 0, 1, 65536, SIZE - 1 };

	for (int codec = 0; codec < CODECS; codec++) {
		size_t n = pack_some(codec, SIZE);

		for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
			struct buf to = { 0 };

			CU_ASSERT(codec_inflate(codec, span_of(packed, n), limits[i], &to) == INFLATED_TOO_LARGE);
			CU_ASSERT(to.n <= limits[i]);
			buf_done(&to);
		}
		CU_ASSERT(unpacks(codec, n, SIZE, SIZE)); /* just as much */
	}
}

static void
what_follows_the_end_is_damage(void)
{
	for (int codec = 1; codec < CODECS; codec++) {
		size_t n = pack_some(codec, 1000);

		packed[n] = 0;
		CU_ASSERT(!unpacks(codec, n + 1, SIZE, 1000));
	}
}

static void
a_part_is_refused(void)
{
	for (int codec = 1; codec < CODECS; codec++) {
		size_t n = pack_some(codec, 1000);

		CU_ASSERT(!unpacks(codec, n - 1, SIZE, 1000));
		CU_ASSERT(!unpacks(codec, n / 2, SIZE, 1000));
		CU_ASSERT(!unpacks(codec, 0, SIZE, 1000));
	}
}

static void
the_block_framing_of_java_is_read(void)
{
	static const uint8_t head[16] = { 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1 };
	size_t first = pack_some(CODEC_SNAPPY, 500);
	struct buf framed = { 0 }, to = { 0 };

	buf_put(&framed, head, sizeof head);
	for (int i = 0; i < 2; i++) {
		buf_u32(&framed, (uint32_t)first);
		buf_put(&framed, packed, first);
	}
	CU_ASSERT(codec_inflate(CODEC_SNAPPY, buf_bytes(&framed), SIZE, &to) == INFLATED);
	CU_ASSERT(to.n == 1000 && memcmp(to.p, plain, 500) == 0 && memcmp(to.p + 500, plain, 500) == 0);
	buf_reset(&to);
	CU_ASSERT(codec_inflate(CODEC_SNAPPY, span_of(framed.p, framed.n - 1), SIZE, &to) == INFLATED_DAMAGED);
	buf_reset(&to);
	CU_ASSERT(codec_inflate(CODEC_SNAPPY, buf_bytes(&framed), 999, &to) == INFLATED_TOO_LARGE);
	buf_done(&framed);
	buf_done(&to);
}

static void
unknown_codecs_are_refused(void)
{
	CU_ASSERT(!unpacks(CODECS, 10, SIZE, 10));
	CU_ASSERT(!unpacks(-1, 10, SIZE, 10));
}

static void
what_is_deflated_comes_back(void)
{
	static const size_t sizes[] = { 0, 1, 100, 32768, 65537, SIZE };

	for (size_t i = 0; i < SIZE; i++)
		plain[i] = (uint8_t)(i * i >> 7);
	for (int codec = 0; codec < CODECS; codec++)
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			struct buf deflated = { 0 }, to = { 0 };

			CU_ASSERT_FATAL(codec_deflate(codec, span_of(plain, sizes[i]), &deflated));
			CU_ASSERT(codec_inflate(codec, buf_bytes(&deflated), SIZE, &to) == INFLATED);
			CU_ASSERT(to.n == sizes[i] && (to.n == 0 || memcmp(to.p, plain, to.n) == 0));
			buf_done(&deflated);
			buf_done(&to);
		}
}

/* Old clients of Java's read no other. */
static void
it_is_deflated_as_java_has_it(void)
{
	struct buf b = { 0 };

	CU_ASSERT(codec_deflate(CODEC_SNAPPY, span_of(plain, 100), &b) && memcmp(b.p, "\x82SNAPPY", 8) == 0);
	buf_reset(&b);
	CU_ASSERT(codec_deflate(CODEC_LZ4, span_of(plain, 100), &b) && (b.p[4] & 0x20) != 0); /* independent blocks */
	CU_ASSERT(!codec_deflate(CODECS, span_of(plain, 100), &b) && !codec_deflate(-1, span_of(plain, 100), &b));
	buf_done(&b);
}

const struct unit_test codec_tests[] = {
	UNIT(what_is_deflated_comes_back),
	UNIT(it_is_deflated_as_java_has_it),
	UNIT(what_was_packed_comes_back),
	UNIT(an_empty_snappy_block_is_empty),
	UNIT(more_than_the_limit_is_told_from_damage),
	UNIT(what_follows_the_end_is_damage),
	UNIT(a_part_is_refused),
	UNIT(the_block_framing_of_java_is_read),
	UNIT(unknown_codecs_are_refused),
	UNIT_END
};
