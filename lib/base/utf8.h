/*
 * utf8.h -- characters in bytes (RFC 3629): nothing overlong, no surrogates, nothing above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * The length of the character at `p` < `end`; where there is none that of the longest
 * beginning of one, at least 1, as a negative number.
 */
int utf8_length(const uint8_t *p, const uint8_t *end);

/* Whether all of the text is such characters. */
bool utf8_is(struct span text);

#endif
