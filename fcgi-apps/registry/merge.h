/*
 * merge.h -- what a schema gets beside what its request says: metadata of the version before and of the
 * configuration; and which sets of rules are none.  Pure.
 */
#ifndef REGISTRY_MERGE_H
#define REGISTRY_MERGE_H

#include <stdbool.h>

#include "base/arena.h"
#include "json/tree.h"

/*
 * Both metadata in one; NULL is none.  Of properties of the same name that of `over` counts; tags and
 * sensitive names are added.  Arena, or one of the two; false: used up.
 */
bool merge_metadata(struct arena *, const struct json *base, const struct json *over, const struct json **out);

/* Why a set of rules (NULL: none) can't be one, as Confluent's registry says it; NULL: it can.  Arena. */
const char *merge_rules_mistake(struct arena *, const struct json *rule_set);

#endif
