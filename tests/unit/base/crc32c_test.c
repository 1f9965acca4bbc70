/* crc32c_test.c -- CRC-32C against published values, and one way against the other. */
#include "base/crc32c.h"

#include <string.h>

#include "base/bytes.h"
#include "unit/base/random.h"
#include "unit/unit.h"

/* RFC 3720 (iSCSI), B.4, and the check value of the catalogues. */
static void
known_vectors_agree(void)
{
	static const uint8_t read10[48] = {
		0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
		0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0
	};
	uint8_t zeros[32] = { 0 }, ones[32], up[32], down[32];
	const struct {
		const void *p;
		size_t n;
		uint32_t want;
	} known[] = {
		{ "123456789", 9, 0xe3069283 },
		{ zeros, 32, 0x8a9136aa },
		{ ones, 32, 0x62a8ab43 },
		{ up, 32, 0x46dd794e },
		{ down, 32, 0x113fdb5c },
		{ read10, 48, 0xd9963a56 },
		{ "", 0, 0 },
	};
	uint8_t i;

	memset(ones, 0xff, sizeof ones);
	for (i = 0; i < 32; i++) {
		up[i] = i;
		down[i] = (uint8_t)(31 - i);
	}
	for (i = 0; i < sizeof known / sizeof known[0]; i++) {
		CU_ASSERT_EQUAL(crc32c(0, known[i].p, known[i].n), known[i].want);
		CU_ASSERT_EQUAL(crc32c_portable(0, known[i].p, known[i].n), known[i].want);
	}
}

static void
instruction_and_portable_agree(void)
{
	uint64_t seed = 1;
	uint8_t bytes[6000];
	int i;

	random_fill(&seed, bytes, sizeof bytes);
	for (i = 0; i < 5000; i++) {
		size_t at = random_below(&seed, 64), n = random_below(&seed, sizeof bytes - at);
		uint32_t start = (uint32_t)random_next(&seed);

		if (crc32c(start, bytes + at, n) != crc32c_portable(start, bytes + at, n))
			CU_FAIL_FATAL("they differ");
	}
}

static void
parts_add_up_to_the_whole(void)
{
	uint64_t seed = 2;
	uint8_t bytes[3300];
	size_t at;
	uint32_t whole;

	random_fill(&seed, bytes, sizeof bytes);
	whole = crc32c(0, bytes, sizeof bytes);
	for (at = 0; at <= sizeof bytes; at++) {
		uint32_t first = crc32c(0, bytes, at), portable = crc32c_portable(0, bytes, at);

		CU_ASSERT_EQUAL(crc32c(first, bytes + at, sizeof bytes - at), whole);
		CU_ASSERT_EQUAL(crc32c_portable(portable, bytes + at, sizeof bytes - at), whole);
	}
}

static void
every_single_bit_matters(void)
{
	uint8_t bytes[40] = { 0 };
	uint32_t whole = crc32c(0, bytes, sizeof bytes);
	size_t bit;

	for (bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CU_ASSERT_NOT_EQUAL(crc32c(0, bytes, sizeof bytes), whole);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

const struct unit_test crc32c_tests[] = {
	UNIT(known_vectors_agree),
	UNIT(instruction_and_portable_agree),
	UNIT(parts_add_up_to_the_whole),
	UNIT(every_single_bit_matters),
	UNIT_END
};
