/* base64.c -- bytes as text. */
#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* `n` (1 to 3) bytes as four characters. */
static void
put_group(uint8_t *to, const uint8_t *p, size_t n)
{
	uint32_t bits = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

	to[0] = (uint8_t)digits[bits >> 18];
	to[1] = (uint8_t)digits[bits >> 12 & 63];
	to[2] = n > 1 ? (uint8_t)digits[bits >> 6 & 63] : '=';
	to[3] = n > 2 ? (uint8_t)digits[bits & 63] : '=';
}

void
base64_put(struct buf *to, struct span bytes)
{
	size_t n = (bytes.n + 2) / 3 * 4, i, left;
	uint8_t *out = n == 0 ? NULL : buf_room(to, n);

	if (out == NULL)
		return;
	for (i = 0; (left = bytes.n - i) >= 3; i += 3, out += 4)
		put_group(out, bytes.p + i, 3);
	if (left > 0)
		put_group(out, bytes.p + i, left);
	to->n += n;
}

enum { NONE = 64 };

/* What a digit stands for, or NONE: in the order of ASCII from '+' to 'z'. */
static inline uint32_t
value(uint8_t c)
{
	static const uint8_t values['z' - '+' + 1] = {
		62, 64, 64, 64, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64,
		64, 64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
		18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64, 64, 26, 27, 28, 29, 30, 31,
		32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51
	};

	return c >= '+' && c <= 'z' ? values[c - '+'] : NONE;
}

/* Four digits as three bytes; false where one is none. */
static bool
take_group(uint8_t *to, const uint8_t *p)
{
	uint32_t a = value(p[0]), b = value(p[1]), c = value(p[2]), d = value(p[3]);
	uint32_t bits = a << 18 | b << 12 | c << 6 | d;

	to[0] = (uint8_t)(bits >> 16);
	to[1] = (uint8_t)(bits >> 8);
	to[2] = (uint8_t)bits;
	return ((a | b | c | d) & NONE) == 0;
}

/* The length without padding; a padded text is one of whole groups. */
static size_t
unpadded(struct span text)
{
	size_t n = text.n;

	if (n > 0 && n % 4 == 0 && text.p[n - 1] == '=')
		n -= text.p[n - 2] == '=' ? 2 : 1;
	return n;
}

/* The digits behind the last whole group: 2 or 3, as the bytes they stand for. */
static bool
take_last(uint8_t *to, const uint8_t *p, size_t n)
{
	uint8_t group[4] = { p[0], p[1], n > 2 ? p[2] : 'A', 'A' }, bytes[3];

	if (!take_group(bytes, group))
		return false;
	memcpy(to, bytes, n - 1);
	return true;
}

bool
base64_take(struct buf *to, struct span text)
{
	size_t n = unpadded(text), last = n % 4, i;
	uint8_t *out;

	if (last == 1)
		return false;
	if (n == 0 || (out = buf_room(to, n / 4 * 3 + last)) == NULL)
		return true;
	for (i = 0; n - i >= 4; i += 4, out += 3)
		if (!take_group(out, text.p + i))
			return false;
	if (last > 0 && !take_last(out, text.p + i, last))
		return false;
	to->n += n / 4 * 3 + (last > 0 ? last - 1 : 0);
	return true;
}
