/*
 * names.h -- values under names, sorted by name: for lists, and for what begins with a prefix.
 *
 * Pieces of at most NAMES_PIECE entries, each sorted, and they in order: so an entry is put
 * in or taken out by moving one piece's, and pieces are found by halving.
 */
#ifndef REGISTRY_NAMES_H
#define REGISTRY_NAMES_H

#include <stddef.h>

#include "base/bytes.h"

enum { NAMES_PIECE = 512 };

struct names_entry {
	struct span name; /* borrowed: lies in the value, as a rule */
	void *value;
};

/* All zero is an empty set. */
struct names {
	struct names_piece **pieces; /* owned; none is empty */
	size_t n, cap;
};

void names_done(struct names *);

/* Puts a value under a name that is not in use, or takes one out (or nothing). */
void names_put(struct names *, struct span name, void *value);
void names_del(struct names *, struct span name);

/* A place in the set; 0 is its beginning.  Good until the set changes. */
typedef size_t names_place;

/* The place of the first name that is not before this one. */
names_place names_from(const struct names *, struct span name);

/* The entry at a place, which moves to the next; NULL at the end. */
const struct names_entry *names_next(const struct names *, names_place *);

#endif
