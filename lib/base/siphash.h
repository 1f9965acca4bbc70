/*
 * siphash.h -- SipHash-1-3: a keyed hash, for bytes that strangers choose.
 *
 * Who does not know the key can't choose bytes whose hashes meet.  Pure.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stdint.h>

#include "base/bytes.h"

/* In our byte order: only we see it. */
uint64_t siphash(const uint64_t key[2], struct span);

#endif
