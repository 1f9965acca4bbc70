/*
 * uuid.h -- the 16 bytes of a topic or cluster id as Kafka writes them: URL-safe
 * base64 (RFC 4648, section 5) without padding.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
	UUID_BYTES = 16,
	UUID_TEXT = 22 /* characters, without a terminating zero */
};

/* Writes the text and a zero. */
void uuid_text(const uint8_t id[UUID_BYTES], char text[UUID_TEXT + 1]);

/* Reads it; false where the text is none that uuid_text() writes. */
bool uuid_parse(struct span text, uint8_t id[UUID_BYTES]);

#endif
