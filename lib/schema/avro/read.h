/*
 * read.h -- reading an Avro schema from its JSON: what the files that do it share.
 */
#ifndef SCHEMA_AVRO_READ_H
#define SCHEMA_AVRO_READ_H

#include "json/tree.h"
#include "schema/avro/equal.h"
#include "schema/avro/node.h"

/* What is said of chains of types that are used before they are defined, each in the one before. */
#define AVRO_TOO_FAR "Types are used too far from where they are defined"

struct reader {
	bool strict;
	struct arena *arena;      /* borrowed: where the nodes go */
	struct arena *scratch;    /* borrowed: what ends with the reading */
	struct map names;         /* full name -> node, of all types that may be used; owned */
	struct avro_node **tail;  /* where the next type that is defined is linked */
	struct sameness sameness; /* for types that are defined again */
	struct buf text;          /* for short use; owned */
	unsigned checks;          /* values of defaults that may still be looked at */
	unsigned depth;

	/* Types that are used before they are defined (ahead.c): */
	const struct json *text_tree; /* all of the text */
	bool listed;                  /* `ahead` has been filled */
	struct map ahead;             /* full name -> where it is defined, of all that the text defines; owned */
	struct map early;             /* where it is defined (the pointer) -> node, of those that were read early; owned */

	/* Why reading failed: */
	struct buf told; /* one sentence; owned */
	bool memory;     /* or for want of memory */
};

/* The node of a type that stands in a namespace (null: none); NULL where it is wrong. */
struct avro_node *avro_read(struct reader *, const struct json *, struct span space);

/* Memory for the nodes; NULL when there is none, which the reader notes. */
void *avro_take(struct reader *, size_t count, size_t size);

/* A copy that lives as long as the schema; null where the text is, or there is no memory (noted). */
struct span avro_keep(struct reader *, struct span);

/* Tells what is wrong, and with which JSON, unless reading has failed already; NULL. */
void *avro_fail(struct reader *, const char *sentence, const struct json *about);

/* Without the blanks and controls around it. */
struct span avro_trim(struct span);

/* The text of a string (of a member); null when it is none.  Borrowed from the JSON. */
struct span avro_text_of(const struct json *);
struct span avro_text_at(const struct json *, const char *name);

/* Copies a value as compact text, all members but the reserved ones, the aliases; false: see `told`. */
bool avro_keep_json(struct reader *, const struct json *, struct span *to);
bool avro_read_props(struct reader *, const struct json *in, const char *const *reserved,
    struct avro_props *to);

/* Aliases of a type are names in its namespace; those of a field (of == NULL) are as they are. */
bool avro_read_aliases(struct reader *, const struct json *in, const struct avro_name *of,
    struct avro_aliases *to);

/*
 * A type that is known by the name, or of a primitive, or defined further on in the text; NULL with
 * nothing told where there is none.
 */
struct avro_node *avro_find_type(struct reader *, struct span name, struct span space);

/* Reads the type of this full name that the text defines further on; NULL with nothing told where there is none. */
struct avro_node *avro_read_ahead(struct reader *, struct span full);

/* The type that is defined here if it was read early, or NULL. */
struct avro_node *avro_read_early(const struct reader *, const struct json *);

/* Whether it is known why reading fails. */
bool avro_has_failed(const struct reader *);

/* Reads a field of a record that stands in a namespace; false: see `told`. */
bool avro_read_field(struct reader *, const struct json *, struct span space, struct avro_field *);

/* Sorts the fields by name; false: one repeats a name, which was told. */
bool avro_sort_fields(struct reader *, struct avro_named *record);

/*
 * A name as it was written, in the namespace where it was written (null: none).
 * `check`: it must be a proper one.  False: it isn't, which was told.
 */
bool avro_make_name(struct reader *, struct span text, struct span space, bool check,
    struct avro_name *out);

/* Whether it is a proper simple name (of a field, a symbol ...); false: it isn't, which was told. */
bool avro_check_name(struct reader *, struct span);

/* Whether each part of the namespace is a proper name; false: it isn't, which was told. */
bool avro_check_space(struct reader *, struct span space);

/* The full name in the reader's `text`, good until that is used again. */
struct span avro_full_name(struct reader *, const struct avro_name *);

/* Whether the value is one of the type, as Avro's Java library decides it for defaults. */
bool avro_default_fits(struct reader *, const struct avro_node *, const struct json *value);

#endif
