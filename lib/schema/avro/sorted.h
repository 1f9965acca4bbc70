/*
 * sorted.h -- JSON in one order only, for comparing it and for the normal form.
 */
#ifndef SCHEMA_AVRO_SORTED_H
#define SCHEMA_AVRO_SORTED_H

#include "json/tree.h"

/* Sorts the members of all objects by name.  False: the arena (for the work) is used up. */
bool avro_sort_json(struct json *, struct arena *);

/* Whether two compact texts are one value, members in any order.  False also where the arena is used up. */
bool avro_same_json(struct span a, struct span b, struct arena *);

#endif
