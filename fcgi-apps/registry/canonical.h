/*
 * canonical.h -- metadata and sets of rules as Confluent's registry writes them, whatever the order, the defaults
 * left out and the spelling in which a request brings them.  Identity depends on it.  Pure.
 */
#ifndef REGISTRY_CANONICAL_H
#define REGISTRY_CANONICAL_H

#include <stdbool.h>

#include "base/arena.h"
#include "json/tree.h"

/* Why an object can't be one: a field that is of another type than this, as Java calls it; or (all NULL) the arena is used up. */
struct misfit {
	const char *type, *field; /* constant */
};

/* `given`: NULL or null is none, which is well.  Arena; false with the misfit. */
bool canonical_metadata(struct arena *, const struct json *given, const struct json **out, struct misfit *);
bool canonical_rules(struct arena *, const struct json *given, const struct json **out, struct misfit *);

/* Whether Jackson takes it for a truth; what is none is false. */
bool canonical_truth(const struct json *given, bool *out);

/* A text or a truth, as Jackson makes them of other scalars; arena. */
bool canonical_text(struct arena *, const struct json *given, const struct json **out, struct misfit *);
bool canonical_flag(struct arena *, const struct json *given, const struct json **out, struct misfit *);

#endif
