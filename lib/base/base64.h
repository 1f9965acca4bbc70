/*
 * base64.h -- bytes as text (RFC 4648, section 4).
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"

/* Appends the text, padded. */
void base64_put(struct buf *to, struct span bytes);

/*
 * Appends the bytes of a text in the standard alphabet, padded or not; false when it
 * is none: other characters, an impossible length.  Then what was appended is taken
 * back.  Bits left over are ignored, as Java's libraries do.
 */
bool base64_take(struct buf *to, struct span text);

#endif
