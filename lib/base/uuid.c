/* uuid.c -- ids as text. */
#include "base/uuid.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
uuid_text(const uint8_t id[UUID_BYTES], char text[UUID_TEXT + 1])
{
	for (int i = 0; i < UUID_TEXT; i++) {
		/* 6 bits from bit 6 * i on; behind the end there are zeros */
		int byte = i * 6 / 8, shift = i * 6 % 8;
		unsigned two = (unsigned)id[byte] << 8 | (byte + 1 < UUID_BYTES ? id[byte + 1] : 0);

		text[i] = digits[two >> (10 - shift) & 63];
	}
	text[UUID_TEXT] = '\0';
}

bool
uuid_parse(struct span text, uint8_t id[UUID_BYTES])
{
	unsigned bits = 0;
	int n_bits = 0, n = 0;

	if (text.n != UUID_TEXT)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		const char *digit = memchr(digits, text.p[i], sizeof digits - 1);

		if (digit == NULL)
			return false;
		bits = bits << 6 | (unsigned)(digit - digits);
		if ((n_bits += 6) >= 8) {
			n_bits -= 8;
			id[n++] = (uint8_t)(bits >> n_bits);
		}
	}
	/* Of the last digit, four bits say nothing: one way to write an id. */
	return (bits & 15) == 0;
}

void
uuid_set_random(uint8_t id[UUID_BYTES])
{
	id[6] = (uint8_t)(0x40 | (id[6] & 0x0f)); /* the version */
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3f)); /* the variant */
}

void
uuid_rfc_text(const uint8_t id[UUID_BYTES], char text[UUID_RFC_TEXT + 1])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (int i = 0; i < UUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[n++] = '-';
		text[n++] = hex[id[i] >> 4];
		text[n++] = hex[id[i] & 15];
	}
	text[n] = '\0';
}
