/* wire_random.h -- valid messages by chance, for property tests and seeds. */
#ifndef WIRE_RANDOM_H
#define WIRE_RANDOM_H

#include <stdint.h>

#include "base/arena.h"
#include "wire/wire.h"

/*
 * A message that the version can express, always the same for the same seed;
 * what the version lacks is at its default.  Lengths, nulls, extreme numbers
 * and records above WIRE_COPY_MAX all occur.  Arena; NULL when it is exhausted.
 */
void *wire_random(const struct wire_message *, int version, uint64_t seed,
    struct arena *);

#endif
