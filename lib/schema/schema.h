/*
 * schema.h -- a schema of any format, for those who needn't know which.
 *
 * Avro stands behind it; JSON Schema and Protobuf are to follow.  Schemas are
 * immutable and counted; any thread may use them.
 */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"

enum schema_type {
	SCHEMA_AVRO,
	SCHEMA_JSON,
	SCHEMA_PROTOBUF
};

/* "AVRO", ...; the type of such a name, false when it is none. */
const char *schema_type_name(enum schema_type);
bool schema_type_parse(struct span name, enum schema_type *out);

/* Whether schemas of this type can be parsed. */
bool schema_type_supported(enum schema_type);

struct schema;

struct schema_mistake {
	char text[512];
	bool memory;
};

/* A schema that the text refers to. */
struct schema_ref {
	struct span name;      /* by which it refers to it */
	struct schema *schema; /* kept alive by the result */
};

/*
 * Parses a text of a type that is supported.  `stored`: it has been accepted
 * before, so names and defaults are not checked again.  Owned; NULL with `why` filled.
 */
struct schema *schema_parse(enum schema_type, struct span text, bool stored,
    const struct schema_ref *refs, size_t n_refs, struct schema_mistake *why);

struct schema *schema_share(struct schema *);
void schema_free(struct schema *);

enum schema_type schema_type_of(const struct schema *);

/* Appends the text: as registries store it, or in its normal form. */
void schema_print(const struct schema *, bool normalized, struct buf *to);

/* Appends it in a format that a client asks for by name ("resolved" ...); an unknown one is the stored form. */
void schema_print_format(const struct schema *, struct span format, struct buf *to);

/* Whether both say the same once references are written out. */
bool schema_equal(const struct schema *, const struct schema *);

/* Whether it is a record that has a field of this name. */
bool schema_has_field(const struct schema *, struct span name);

/* Tags of a record or a field, as a schema has them inside ("confluent:tags"). */
struct schema_tags {
	struct span path; /* of a record: its full name; of a field: that, a dot and its own name */
	bool is_field;
	const struct span *tags;
	size_t n;
};

/*
 * The tags of all records and fields, those of references, too, in the order in which the types are met; only what
 * has any is told.  Arena; false: used up.
 */
bool schema_tags(const struct schema *, struct arena *, struct schema_tags **out, size_t *n);

/*
 * The stored form with tags added, then taken away.  A path without a namespace means the first record of that name.
 * False with `why` filled, or (why->memory) where the arena is used up.  Arena.
 */
bool schema_change_tags(const struct schema *, const struct schema_tags *add, size_t n_add,
    const struct schema_tags *remove, size_t n_remove, struct arena *, struct span *out, struct schema_mistake *why);

/* Why a reader can't read what a writer wrote: one conflict, in the registry's words. */
struct schema_conflict {
	const char *kind;        /* constant: errorType */
	const char *description; /* one sentence.  Arena */
	const char *info;        /* additionalInfo.  Arena */
};

struct schema_conflicts {
	struct schema_conflict *list; /* arena */
	size_t n;
	const char *broken; /* not NULL: why they can't be compared at all.  Arena */
	bool memory;        /* the arena was used up, or it is too much to compare: the answer is not known */
};

/*
 * True: whatever was written with `writer`, `reader` can read.  Else `out` says why
 * not, in sentences that call the two by these names ("new", "old").  Types must be
 * the same.
 */
bool schema_can_read(const struct schema *reader, const char *reader_name,
    const struct schema *writer, const char *writer_name, struct arena *,
    struct schema_conflicts *out);

#endif
