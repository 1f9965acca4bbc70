/*
 * avro.h -- Avro schemas (Avro 1.11 specification) as trees that lose nothing:
 * documentation, defaults, aliases, order and properties stay.
 *
 * A schema is immutable and counted; any thread may use it.  Texts that come out are
 * those that Avro's Java library writes, byte for byte, since a registry's clients
 * compare them: key order and details are in avro_print().
 */
#ifndef SCHEMA_AVRO_H
#define SCHEMA_AVRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"

enum avro_type {
	AVRO_NULL,
	AVRO_BOOLEAN,
	AVRO_INT,
	AVRO_LONG,
	AVRO_FLOAT,
	AVRO_DOUBLE,
	AVRO_BYTES,
	AVRO_STRING,
	AVRO_RECORD,
	AVRO_ENUM,
	AVRO_ARRAY,
	AVRO_MAP,
	AVRO_UNION,
	AVRO_FIXED
};

/* "null", "boolean", ... as a schema spells it. */
const char *avro_type_name(enum avro_type);

struct avro_schema;

/* How strictly a text is read. */
enum avro_strictness {
	AVRO_STRICT, /* a new schema: names are [A-Za-z_][A-Za-z0-9_]*, defaults must fit their types */
	AVRO_STORED  /* one that has been accepted before: whatever is not ASCII is a letter, too;
	                namespaces, aliases and defaults as they are */
};

struct avro_mistake {
	char text[512]; /* one sentence as Avro's Java library has it, where it has one */
	bool memory;    /* not the text is to blame: no memory */
};

/*
 * Parses a schema: JSON, in which comments may stand wherever white space may, as Avro's
 * Java library reads it.  The named types of `refs`, and of what these refer to (all kept
 * alive by the result), may be used in it by their full names, as if they had been
 * defined before.  A type may be used before it is defined, and be defined again if
 * that says the same.  Owned: one reference, which avro_free() ends.
 * NULL with `why` filled.
 *
 * Bounds: a text is as deep as lib/json reads it (1000 arrays and objects in each
 * other), and so is the text that is printed of it; a full name has less than 512 bytes; defaults whose comparison with their
 * types would take long are refused.  Memory grows with the text.
 */
struct avro_schema *avro_parse(struct span text, enum avro_strictness,
    struct avro_schema *const refs[], size_t n_refs, struct avro_mistake *why);

struct avro_schema *avro_share(struct avro_schema *); /* one reference more */
void avro_free(struct avro_schema *);                 /* one less; NULL is fine */

enum avro_form {
	AVRO_TEXT,       /* as Schema.toString(): what registries store; references are named only */
	AVRO_RESOLVED,   /* the same with the types of references written out where first used */
	AVRO_NORMALIZED, /* what registries store with normalize=true: AVRO_TEXT with properties,
	                    aliases and what is inside of values sorted, a logical type in front,
	                    and defaults as values of their types */
	AVRO_CANONICAL   /* the specification's Parsing Canonical Form */
};

/*
 * Appends the schema's text; to->failed says whether memory (and depth, and for AVRO_NORMALIZED
 * the number of values of defaults that are compared with types) sufficed.
 */
void avro_print(const struct avro_schema *, enum avro_form, struct buf *to);

/* Of the Parsing Canonical Form, as the specification has them; false: no memory. */
bool avro_fingerprint_rabin(const struct avro_schema *, uint64_t *out); /* CRC-64-AVRO */
bool avro_fingerprint_md5(const struct avro_schema *, uint8_t out[16]);
bool avro_fingerprint_sha256(const struct avro_schema *, uint8_t out[32]);

/*
 * Whether both say the same once the types of references are written out: types,
 * names, documentation, defaults; properties and aliases in any order.  Whether a
 * record is an error is no difference, as in Avro's Java library.
 */
bool avro_equal(const struct avro_schema *, const struct avro_schema *);

enum avro_type avro_type_of(const struct avro_schema *);

/* The full name of a record, enum or fixed; else the name of the type.  Borrowed. */
const char *avro_name_of(const struct avro_schema *);

/* Whether it is a record that has a field of this name. */
bool avro_has_field(const struct avro_schema *, struct span name);

/* See schema.h. */
struct schema_tags;
struct schema_mistake;
bool avro_tags(const struct avro_schema *, struct arena *, struct schema_tags **out, size_t *n);
bool avro_change_tags(const struct avro_schema *, const struct schema_tags *add, size_t n_add,
    const struct schema_tags *remove, size_t n_remove, struct arena *, struct span *out, struct schema_mistake *why);

/* Why something that one schema wrote can't be read with another. */
enum avro_incompatibility {
	AVRO_NAME_MISMATCH,
	AVRO_FIXED_SIZE_MISMATCH,
	AVRO_MISSING_ENUM_SYMBOLS,
	AVRO_READER_FIELD_MISSING_DEFAULT_VALUE,
	AVRO_TYPE_MISMATCH,
	AVRO_MISSING_UNION_BRANCH
};

/* "NAME_MISMATCH", ... */
const char *avro_incompatibility_name(enum avro_incompatibility);

struct avro_conflict {
	enum avro_incompatibility kind;
	const char *message;  /* arena */
	const char *location; /* arena or constant; a JSON pointer into the reader's schema */
};

struct avro_conflicts {
	struct avro_conflict *list; /* arena; in the order in which they are met, depth first */
	size_t n;
	const char *broken; /* arena or constant; not NULL: they can't be compared at all, and why */
};

/*
 * Compares a reader's schema with a writer's, as Avro's Java library does
 * (SchemaCompatibility).  True: whatever the writer writes, the reader can read.
 * Else `out` has every conflict.  Where the arena is used up, or too many names and
 * fields would have to be looked at: false, and out->n == 0 and out->broken == NULL.
 */
bool avro_can_read(const struct avro_schema *reader, const struct avro_schema *writer,
    struct arena *, struct avro_conflicts *out);

#endif
