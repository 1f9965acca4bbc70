/*
 * text.h -- what is inside of strings and numbers, for scanner, tree and writer
 * alike.  For lib/json alone; pure functions, any thread.
 */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define TEXT_BYTES(b) ((uint64_t)(b) * 0x0101010101010101)

/* A character that stands for itself in a string and is ASCII. */
static inline bool
text_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/*
 * The first byte that is not plain, or `end`.  Eight bytes at a time: each sum
 * has the top bit of a byte set where that byte is none of those looked for.
 */
static inline const uint8_t *
text_pass_plain(const uint8_t *p, const uint8_t *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t x = load64(p), low = x & TEXT_BYTES(0x7f);
		uint64_t plain = (low + TEXT_BYTES(0x60)) &
		    ((low ^ TEXT_BYTES('"')) + TEXT_BYTES(0x7f)) &
		    ((low ^ TEXT_BYTES('\\')) + TEXT_BYTES(0x7f));
		uint64_t stop = (x | ~plain) & TEXT_BYTES(0x80);

		if (stop != 0)
			return p + __builtin_clzll(stop) / 8;
	}
	while (p < end && text_plain(*p))
		p++;
	return p;
}

/*
 * The length of the UTF-8 character at `p` < `end`; where there is none that of the
 * longest beginning of one, at least 1, as a negative number.
 */
int text_utf8(const uint8_t *p, const uint8_t *end);

/* The length of the escape at `p` < `end`, a backslash; 0 where it is none of JSON's. */
int text_escape(const uint8_t *p, const uint8_t *end);

/*
 * Takes one character (or a run of those that are not escaped) from a string that was
 * found well-formed and is not empty; `tmp` is where it lies if it was escaped.
 */
struct span text_take(struct span *string, uint8_t tmp[4]);

/* Of a number that was found well-formed, what json_int() and json_double() of scan.h give. */
bool text_int(struct span number, int64_t *out);
double text_double(struct span number);

#endif
