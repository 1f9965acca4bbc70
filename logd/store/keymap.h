/*
 * keymap.h -- which offset is the newest of each key, in memory that is bounded.
 *
 * Of a key only a hash of 128 bits is kept, made with keys that nobody knows: that
 * two meet happens neither by chance nor by intent.  One thread.
 */
#ifndef STORE_KEYMAP_H
#define STORE_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct keymap_slot {
	uint64_t hash[2];
	int64_t next; /* the offset, plus 1; 0: free */
};

struct keymap {
	struct keymap_slot *slots; /* owned; open addressing, linear probing */
	size_t n, cap;
	uint64_t seeds[2][2];
};

/* How many keys fit into so many bytes. */
int64_t keymap_keys(int64_t bytes);

/* A map for up to `keys` keys in up to `bytes` bytes.  False: no memory, or none of chance. */
bool keymap_init(struct keymap *, int64_t keys, int64_t bytes);
void keymap_done(struct keymap *);

/* Offsets come in order: the last one is the newest.  False: it is full. */
bool keymap_put(struct keymap *, struct span key, int64_t offset);

/* The newest offset of the key; -1: none is known. */
int64_t keymap_get(const struct keymap *, struct span key);

#endif
