/* base64_test.c -- bytes as text, there and back. */
#include "base/base64.h"

#include <stdlib.h>

#include "unit/base/random.h"
#include "unit/unit.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const struct {
	const char *bytes;
	size_t n;
	const char *text, *bare; /* padded, and not */
} rows[] = {
#define ROW(bytes, text, bare) { bytes, sizeof bytes - 1, text, bare }
	ROW("", "", ""),
	ROW("w", "dw==", "dw"),
	ROW("we", "d2U=", "d2U"),
	ROW("wei", "d2Vp", "d2Vp"),
	ROW("weir", "d2Vpcg==", "d2Vpcg"),
	ROW("\0", "AA==", "AA"),
	ROW("\0\0", "AAA=", "AAA"),
	ROW("\0\0\0", "AAAA", "AAAA"),
	ROW("\xff", "/w==", "/w"),
	ROW("\xff\xff\xff", "////", "////"),
	ROW("\xfb\xef\xbe", "++++", "++++")
#undef ROW
};

#define N_OF(table) (sizeof (table) / sizeof (table)[0])

static bool
holds(const struct buf *b, const char *bytes, size_t n)
{
	return b->n == n && (n == 0 || memcmp(b->p, bytes, n) == 0);
}

static void
bytes_are_put_padded(void)
{
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct buf b = { 0 };

		base64_put(&b, span_of(rows[i].bytes, rows[i].n));
		CU_ASSERT(holds(&b, rows[i].text, strlen(rows[i].text)));
		CU_ASSERT_FALSE(b.failed);
		buf_done(&b);
	}
}

static void
text_is_taken_padded_or_not(void)
{
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct buf b = { 0 };

		CU_ASSERT_TRUE(base64_take(&b, span_str(rows[i].text)));
		CU_ASSERT(holds(&b, rows[i].bytes, rows[i].n));
		buf_reset(&b);
		CU_ASSERT_TRUE(base64_take(&b, span_str(rows[i].bare)));
		CU_ASSERT(holds(&b, rows[i].bytes, rows[i].n));
		buf_done(&b);
	}
}

static void
the_null_span_is_empty(void)
{
	struct buf b = { 0 };

	base64_put(&b, span_of(NULL, 0));
	CU_ASSERT_TRUE(base64_take(&b, span_of(NULL, 0)));
	CU_ASSERT_EQUAL(b.n, 0);
	CU_ASSERT_FALSE(b.failed);
	buf_done(&b);
}

static void
other_texts_are_refused_and_nothing_is_left_of_them(void)
{
	static const char *const bad[] = {
		"A", "AAAAA", "=", "==", "===", "====", "A=", "A==", "A===", "AA=", "AAA==", "AAAA=", "AAAA==",
		"AAAA====", "AA==AA==", "AA=A", "=AAA", "AA==\n", "AA ==", " AAAA", "AAAA ", "AA\nAA", "AA-A", "AA_A",
		"AAA\x80", "AA*A", "AA,A", "A{AA", "AA[A", "AA`A", "AAAAAAA\x7f", "AAAAA.AAAAAA"
	};

	for (size_t i = 0; i < N_OF(bad); i++) {
		size_t n = strlen(bad[i]);
		char *text = malloc(n); /* which ends where its memory ends */
		struct buf b = { 0 };

		memcpy(text, bad[i], n);
		buf_put(&b, "before", 6);
		CU_ASSERT_FALSE(base64_take(&b, span_of(text, n)));
		UNIT_BYTES(b.p, b.n, "before", 6);
		CU_ASSERT_FALSE(b.failed);
		buf_done(&b);
		free(text);
	}
}

static void
bits_that_no_byte_has_are_ignored(void)
{
	static const struct {
		const char *text, *bytes;
		size_t n;
	} odd[] = {
		{ "YR==", "a", 1 }, { "YR", "a", 1 }, { "YWJ=", "ab", 2 }, { "YWJ", "ab", 2 }, { "//", "\xff", 1 },
		{ "YWFhYf==", "aaaa", 4 }
	};

	for (size_t i = 0; i < N_OF(odd); i++) {
		struct buf b = { 0 };

		CU_ASSERT_TRUE(base64_take(&b, span_str(odd[i].text)));
		UNIT_BYTES(b.p, b.n, odd[i].bytes, odd[i].n);
		buf_done(&b);
	}
}

static void
of_all_bytes_the_alphabet_is_taken(void)
{
	for (int c = 0; c < 256; c++)
		for (int at = 0; at < 8; at++) {
			char text[8];
			struct buf b = { 0 };

			memset(text, 'A', sizeof text);
			text[at] = (char)c;
			CU_ASSERT_EQUAL(base64_take(&b, span_of(text, sizeof text)),
			    memchr(alphabet, c, 64) != NULL || (c == '=' && at == 7));
			buf_done(&b);
		}
}

/* From memory of exactly their size, so that ASan sees a read behind it. */
static void
what_is_put_is_taken(void)
{
	uint64_t seed = 5;

	for (size_t n = 1; n < 300; n++) {
		uint8_t *bytes = malloc(n), *text;
		struct buf b = { 0 }, back = { 0 };

		random_fill(&seed, bytes, n);
		base64_put(&b, span_of(bytes, n));
		CU_ASSERT_EQUAL_FATAL(b.n, (n + 2) / 3 * 4);
		text = malloc(b.n);
		memcpy(text, b.p, b.n);
		CU_ASSERT_TRUE(base64_take(&back, span_of(text, b.n)));
		UNIT_BYTES(back.p, back.n, bytes, n);
		free(bytes);
		free(text);
		buf_done(&b);
		buf_done(&back);
	}
}

const struct unit_test base64_tests[] = {
	UNIT(bytes_are_put_padded),
	UNIT(text_is_taken_padded_or_not),
	UNIT(the_null_span_is_empty),
	UNIT(other_texts_are_refused_and_nothing_is_left_of_them),
	UNIT(bits_that_no_byte_has_are_ignored),
	UNIT(of_all_bytes_the_alphabet_is_taken),
	UNIT(what_is_put_is_taken),
	UNIT_END
};
