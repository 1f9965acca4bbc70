/*
 * uuid.h -- ids of 16 bytes as text: those of topics and clusters as Kafka writes them, URL-safe
 * base64 (RFC 4648, section 5) without padding; others as RFC 9562 does, in groups of
 * hexadecimal digits.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
	UUID_BYTES = 16,
	UUID_TEXT = 22,    /* characters, without a terminating zero */
	UUID_RFC_TEXT = 36 /* the same of the RFC's form */
};

/* Writes the text and a zero. */
void uuid_text(const uint8_t id[UUID_BYTES], char text[UUID_TEXT + 1]);

/* Reads it; false where the text is none that uuid_text() writes. */
bool uuid_parse(struct span text, uint8_t id[UUID_BYTES]);

/* Makes 16 random bytes an id of version 4 (RFC 9562, section 5.4). */
void uuid_set_random(uint8_t id[UUID_BYTES]);

/* Writes the text of RFC 9562, section 4, in lower case, and a zero. */
void uuid_rfc_text(const uint8_t id[UUID_BYTES], char text[UUID_RFC_TEXT + 1]);

#endif
