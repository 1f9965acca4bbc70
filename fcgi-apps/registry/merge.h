/*
 * merge.h -- what a schema gets beside what its request says: metadata and rules of the version before and of the
 * configuration; and which sets of rules are none.  All in the form of canonical.h.  Pure.
 */
#ifndef REGISTRY_MERGE_H
#define REGISTRY_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "json/tree.h"

/*
 * Both metadata in one; NULL is none.  Of tags and properties of the same name those of `over` count; sensitive
 * names are added.  Of rules of the same name in the same list those of `over`, which stand behind the others.  Arena,
 * or one of the two; false: used up, or more than 1,000 of either in the larger.
 */
bool merge_metadata(struct arena *, const struct json *base, const struct json *over, const struct json **out);
bool merge_rules(struct arena *, const struct json *base, const struct json *over, const struct json **out);

/* A set of rules (NULL: none) without those of these names (an array of strings).  As above. */
bool merge_without_rules(struct arena *, const struct json *rules, const struct json *names, const struct json **out);

/*
 * The property confluent:version, which says for which version of its subject the metadata was made: whether it is
 * there; its number, 0 where it is none; the metadata (NULL: none) with it, and without it, which is not NULL then.
 * Arena; false: used up.
 */
bool merge_has_version(const struct json *metadata);
int32_t merge_version(const struct json *metadata);
bool merge_put_version(struct arena *, const struct json *metadata, int32_t version, const struct json **out);
bool merge_drop_version(struct arena *, const struct json *metadata, const struct json **out);

/* Why a set of rules (NULL: none) can't be one, as Confluent's registry says it; NULL: it can.  Arena. */
const char *merge_rules_mistake(struct arena *, const struct json *rule_set);

#endif
