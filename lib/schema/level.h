/*
 * level.h -- the compatibility levels of a schema registry, for all formats of
 * schemas: which versions a new one is compared with, in which direction, and the
 * sentences that tell of a conflict.
 */
#ifndef SCHEMA_LEVEL_H
#define SCHEMA_LEVEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "schema/schema.h"

enum level {
	LEVEL_NONE,
	LEVEL_BACKWARD,
	LEVEL_BACKWARD_TRANSITIVE,
	LEVEL_FORWARD,
	LEVEL_FORWARD_TRANSITIVE,
	LEVEL_FULL,
	LEVEL_FULL_TRANSITIVE
};

/* "BACKWARD", ...; the level of a name in any case, false when it is none. */
const char *level_name(enum level);
bool level_parse(struct span name, enum level *out);

/* Whether the level compares with all versions, or with the newest only. */
bool level_is_transitive(enum level);

/* A version to compare with. */
struct level_version {
	int version;
	struct span text;            /* as it is stored */
	const struct schema *schema;
};

struct level_messages {
	const char **list; /* arena; as Confluent's registry words them */
	size_t n;
	bool memory;       /* the arena was used up, or it is too much to compare: the answer is not known */
};

/*
 * Compares a new schema with earlier versions, newest first: at a transitive level
 * all of them, up to the first that conflicts; else the first only.  True: compatible.
 * Else the messages say why.
 */
bool level_check(enum level, const struct schema *fresh, const struct level_version *earlier,
    size_t n_earlier, bool validate_fields, struct arena *, struct level_messages *out);

#endif
