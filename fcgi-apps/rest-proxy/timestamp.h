/*
 * timestamp.h -- times as the interfaces write them: ISO 8601 (RFC 3339) and milliseconds.
 */
#ifndef REST_PROXY_TIMESTAMP_H
#define REST_PROXY_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { TIMESTAMP_TEXT = 80 }; /* more than any numbers take */

/* Reads 2026-01-31T12:00:00[.123]Z or with an offset (+02:00); milliseconds since 1970.  False when it is none. */
bool timestamp_parse(struct span text, int64_t *ms);

/* Writes 2026-01-31T12:00:00.123Z and a zero. */
void timestamp_text(int64_t ms, char text[TIMESTAMP_TEXT]);

#endif
