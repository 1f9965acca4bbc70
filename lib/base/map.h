/*
 * map.h -- a hash table from bytes to pointers.
 *
 * Keys are names that strangers choose, so the hash is keyed (SipHash-1-3) by
 * a seed of the process.  Keys are kept, not copied: they usually lie in the
 * value, and must stay as they are while the entry is in the table.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct map_slot {
	struct span key;
	void *value; /* NULL: free */
	uint64_t hash;
};

/* All zero is an empty table. */
struct map {
	struct map_slot *slots; /* owned; open addressing, linear probing */
	size_t n, cap;          /* cap is 0 or a power of two */
};

/* Sets the seed of all tables of the process; once, before the first is filled. */
void map_seed(uint64_t a, uint64_t b);

/* The hash of a key: who does not know the seed can't choose keys whose hashes meet. */
uint64_t map_hash(struct span key);

/* Frees the table; keys and values are left alone. */
void map_done(struct map *);

/* The value, or NULL. */
void *map_get(const struct map *, struct span key);

/*
 * Puts a value (not NULL) under a key, in place of an older one.  False when
 * out of memory; then nothing changed.
 */
bool map_put(struct map *, struct span key, void *value);

/* Takes an entry out and returns its value, or NULL. */
void *map_del(struct map *, struct span key);

/*
 * Walks the values in no order: start with *it = 0; NULL at the end.  The
 * table must not change meanwhile.
 */
void *map_next(const struct map *, size_t *it);

#endif
