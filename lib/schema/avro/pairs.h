/*
 * pairs.h -- a table keyed by pairs of pointers: what was said of two nodes
 * before.  Walks through two schemas at once keep it, so that types that contain
 * themselves come to an end and types used often are looked at once.
 */
#ifndef SCHEMA_AVRO_PAIRS_H
#define SCHEMA_AVRO_PAIRS_H

#include <stddef.h>

#include "base/arena.h"

struct pair {
	const void *a, *b; /* a == NULL: free */
	void *value;       /* the user's; NULL at first */
};

/* All zero but for the arena is an empty table. */
struct pairs {
	struct arena *arena; /* borrowed: the table lies in it */
	struct pair *slots;
	size_t n, cap; /* cap is 0 or a power of two */
};

/* The entry of the pair, made if need be, good until the next call; NULL when the arena is used up. */
struct pair *pairs_at(struct pairs *, const void *a, const void *b);

#endif
