/*
 * reasons.h -- why a schema is not compatible, as a registry tells it, in plain sentences.  Pure.
 *
 * Registries that follow Confluent's give a list of messages: {errorType:'...', description:'...',
 * additionalInfo:'...'} for each conflict, and of the version that it is with {oldSchemaVersion: N},
 * {oldSchema: '...'} and {validateFields: '...', compatibility: '...'}.  Others have words of their own,
 * which are passed on.
 */
#ifndef WEIR_REASONS_H
#define WEIR_REASONS_H

#include "base/arena.h"
#include "json/tree.h"

/* What the messages tell as a whole. */
struct verdict {
	const struct json *messages; /* borrowed */
	int version;                 /* of the one that it is not compatible with; 0: not told */
	struct span old_text;        /* that version's schema; null: not told, or only its beginning */
	const char *level;           /* arena; NULL: not told */
};

/* Reads the list; NULL is as an empty one. */
void verdict_read(struct arena *, const struct json *messages, struct verdict *out);

/* Whether they tell what it is not compatible with: what is no schema at all is not compatible with anything. */
static inline bool
verdict_has_version(const struct verdict *v)
{
	return v->version > 0 || v->level != NULL;
}

struct reason {
	const char *type;     /* arena; the registry's errorType; "" where the message has none */
	const char *path;     /* arena; where, for people (weir/types.h), or as the registry tells it; "": not told */
	const char *sentence; /* arena; what is wrong, and what to do */
};

/*
 * The reasons, one for each conflict.  The schemas are texts of Avro; with what is none, or null, paths
 * stay as the registry tells them.  Arena.  Runs out of memory: ends the program.
 */
struct reason *verdict_reasons(struct arena *, const struct verdict *, struct span new_text, size_t *n);

#endif
