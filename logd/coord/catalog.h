/*
 * catalog.h -- the topics there are, and the names of others that members of
 * groups wait for.  What groups know of topics they know from here; the caller
 * of groups.h says what changes.
 */
#ifndef COORD_CATALOG_H
#define COORD_CATALOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "coord/blob.h"

enum { TOPIC_ID_BYTES = 16 };

/* A topic, or a name that somebody holds. */
struct catalog_topic {
	struct blob *name; /* owned */
	size_t users;      /* who holds it */
	uint8_t id[TOPIC_ID_BYTES];
	int32_t n_partitions; /* 0: there is no topic of this name */
	uint64_t serial;      /* topics that came later have a higher one */
};

struct catalog {
	struct map by_name; /* struct catalog_topic, owned */
	struct map by_id;   /* those that there are */
	/* Those that there are, by serial; with holes, never more than half of it. */
	struct catalog_slot {
		uint64_t serial;
		struct catalog_topic *topic; /* NULL: a hole */
	} *order; /* owned */
	size_t n_order, cap_order;
	uint64_t serial;
	uint64_t version; /* rises with every change */
};

/* Nothing may be held any more. */
void catalog_done(struct catalog *);

/* There is such a topic now, or it has grown. */
void catalog_set(struct catalog *, struct span name, const uint8_t id[TOPIC_ID_BYTES],
    int32_t n_partitions);

/* There is no topic of this name any more. */
void catalog_unset(struct catalog *, struct span name);

/* NULL: there is none of this id. */
struct catalog_topic *catalog_find_id(const struct catalog *, const uint8_t id[TOPIC_ID_BYTES]);

/* The topic of this name, whether there is one or not, until catalog_release(). */
struct catalog_topic *catalog_hold(struct catalog *, struct span name);
void catalog_release(struct catalog *, struct catalog_topic *);

/* Where in `order` the topics begin that came after this one. */
size_t catalog_after(const struct catalog *, uint64_t serial);

#endif
