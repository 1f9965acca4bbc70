/*
 * arena.h -- memory that ends as a whole, with a cap.
 *
 * One arena serves one request: everything that decoding and answering it
 * needs is taken from here, and nothing is freed singly.  The cap keeps one
 * request from taking the machine.  Under ASan each piece is an allocation of
 * its own, so that an overrun inside the arena is seen.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/bytes.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* owned, newest first */
	char *at, *end;             /* free part of the newest chunk */
	size_t used, cap;           /* bytes handed out; most allowed */
};

/*
 * An empty arena that hands out at most `cap` bytes.  Allocates nothing.  It takes memory in chunks of some KB, but
 * never more than the cap: one whose cap is what another has `used` holds the same in one allocation of that size.
 */
void arena_init(struct arena *, size_t cap);

/* Frees all that was taken.  The arena is as after arena_init(). */
void arena_done(struct arena *);

/*
 * `n` bytes aligned for any type, zeroed; they end with the arena.  NULL when
 * the cap or the memory is exhausted.
 */
void *arena_alloc(struct arena *, size_t n);

/* `count` elements of `size` bytes, zeroed; NULL also when the product overflows. */
void *arena_array(struct arena *, size_t count, size_t size);

/* A copy of the bytes; NULL when exhausted. */
void *arena_copy(struct arena *, const void *from, size_t n);

/* A printf into the arena; NULL when exhausted. */
char *arena_printf(struct arena *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
