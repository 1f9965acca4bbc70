/*
 * fingerprint.h -- a number by which JSON texts that differ are told apart without being kept as trees.
 *
 * It is the same for texts that say the same in another spelling: whatever the blanks, the order of an object's
 * members and of what is in "aliases", escapes in strings, and how a number is written.  Of the type of an Avro
 * schema "error" is "record".  Other texts have the same by chance alone, which strangers can't bring about: it is
 * keyed as the tables of base/map.h are.  Pure.
 */
#ifndef REGISTRY_FINGERPRINT_H
#define REGISTRY_FINGERPRINT_H

#include <stdint.h>

#include "base/bytes.h"

/* One pass over the text.  Of what is no JSON: that of its bytes. */
uint64_t fingerprint_json(struct span text);

#endif
