/* crc32c.c -- CRC-32C (Castagnoli): reflected polynomial 0x82f63b78. */
#include "base/crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static uint32_t table[8][256];
/* The register after STREAM more bytes of zero, by each byte of what it was. */
static uint32_t skip[4][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

enum { STREAM = 512 };

static void
make_tables(void)
{
	uint32_t i, k;

	for (i = 0; i < 256; i++) {
		uint32_t c = i;

		for (k = 0; k < 8; k++)
			c = (c & 1) ? c >> 1 ^ 0x82f63b78 : c >> 1;
		table[0][i] = c;
	}
	for (i = 0; i < 256; i++)
		for (k = 1; k < 8; k++)
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xff];
	for (i = 0; i < 32; i++) {
		uint32_t c = (uint32_t)1 << i;

		for (k = 0; k < STREAM; k++)
			c = c >> 8 ^ table[0][c & 0xff];
		/* The map is linear: a byte's entry is the sum of its bits'. */
		for (k = 0; k < 256; k++)
			if (k >> i % 8 & 1)
				skip[i / 8][k] ^= c;
	}
}

uint32_t
crc32c_portable(uint32_t crc, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	pthread_once(&tables_once, make_tables);
	crc = ~crc;
	for (; n >= 8; p += 8, n -= 8) {
		uint32_t lo = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 |
		    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);

		crc = table[7][lo & 0xff] ^ table[6][lo >> 8 & 0xff] ^
		    table[5][lo >> 16 & 0xff] ^ table[4][lo >> 24] ^
		    table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
	}
	for (; n > 0; p++, n--)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
	return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
#define WITH_INSTRUCTION __attribute__((target("sse4.2")))
#define CRC_8(c, v) ((uint32_t)_mm_crc32_u64((c), (v)))
#define CRC_1(c, v) _mm_crc32_u8((c), (v))
#define HAS_INSTRUCTION() (__builtin_cpu_supports("sse4.2") != 0)
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define WITH_INSTRUCTION
#define CRC_8(c, v) __crc32cd((c), (v))
#define CRC_1(c, v) __crc32cb((c), (v))
#define HAS_INSTRUCTION() true
#endif

#ifdef HAS_INSTRUCTION
static uint64_t
load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint32_t
skip_stream(uint32_t c)
{
	return skip[0][c & 0xff] ^ skip[1][c >> 8 & 0xff] ^ skip[2][c >> 16 & 0xff] ^ skip[3][c >> 24];
}

/*
 * The instruction takes three cycles and one can begin in each: so three parts
 * are gone through at once, and their sums put together.
 */
WITH_INSTRUCTION static uint32_t
crc32c_instruction(uint32_t crc, const uint8_t *p, size_t n)
{
	uint32_t c = ~crc;

	if (n >= 3 * STREAM)
		pthread_once(&tables_once, make_tables);
	for (; n >= 3 * STREAM; p += 3 * STREAM, n -= 3 * STREAM) {
		uint32_t c1 = 0, c2 = 0;

		for (size_t i = 0; i < STREAM; i += 8) {
			c = CRC_8(c, load(p + i));
			c1 = CRC_8(c1, load(p + STREAM + i));
			c2 = CRC_8(c2, load(p + 2 * STREAM + i));
		}
		c = skip_stream(skip_stream(c) ^ c1) ^ c2;
	}
	for (; n >= 8; p += 8, n -= 8)
		c = CRC_8(c, load(p));
	for (; n > 0; p++, n--)
		c = CRC_1(c, *p);
	return ~c;
}

uint32_t
crc32c(uint32_t crc, const void *p, size_t n)
{
	return HAS_INSTRUCTION() ? crc32c_instruction(crc, p, n) : crc32c_portable(crc, p, n);
}
#else
uint32_t
crc32c(uint32_t crc, const void *p, size_t n)
{
	return crc32c_portable(crc, p, n);
}
#endif
