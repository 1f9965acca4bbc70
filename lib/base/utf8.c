/* utf8.c -- characters in bytes. */
#include "base/utf8.h"

/* How many bytes a character of this first one has; 0 where none begins so. */
static int
length(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

int
utf8_length(const uint8_t *p, const uint8_t *end)
{
	/* Of the second byte: what could be shorter, a surrogate, or above U+10FFFF is none. */
	uint8_t least = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
	uint8_t most = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
	int whole = length(*p), n = 1;

	while (n < whole && n < end - p && p[n] >= least && p[n] <= most) {
		least = 0x80;
		most = 0xbf;
		n++;
	}
	return n == whole ? n : -n;
}

bool
utf8_is(struct span text)
{
	const uint8_t *p = text.p, *end = text.p + text.n;
	int n = 1;

	while (n > 0 && p != end) {
		n = *p < 0x80 ? 1 : utf8_length(p, end);
		p += n > 0 ? n : 0;
	}
	return n > 0;
}
