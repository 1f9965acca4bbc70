/*
 * node.h -- what an Avro schema is made of: for the files of this folder alone.
 *
 * A named type (record, enum, fixed) is one node, however often it is used, so
 * that a type may contain itself; all other nodes stand where they were written.
 * All of it lies in the schema's arena and does not change once it is parsed.
 */
#ifndef SCHEMA_AVRO_NODE_H
#define SCHEMA_AVRO_NODE_H

#include <stdatomic.h>

#include "base/map.h"
#include "schema/avro/avro.h"

/*
 * How deep a walk through types goes before it gives up: names lead from type to type
 * deeper than any text is nested.  A comparison takes 2 MB of stack for it.
 */
enum { AVRO_WALK_MAX = 4000 };

/* Bytes of a full name, so that texts with names in full do not outgrow those that were read. */
enum { AVRO_NAME_MAX = 512 };

struct avro_node;

struct avro_name {
	struct span space; /* null: none */
	struct span simple;
};

struct avro_aliases {
	struct avro_name *list; /* of a field: never with a space */
	size_t n;
};

/* What Avro knows no meaning of (logicalType, too): kept. */
struct avro_prop {
	struct span name;
	struct span value; /* JSON, compact */
};

struct avro_props {
	struct avro_prop *list; /* as they came */
	size_t n;
};

enum avro_order {
	AVRO_ASCENDING,
	AVRO_DESCENDING,
	AVRO_IGNORE
};

struct avro_field {
	struct span name;
	struct span doc;      /* null: none */
	struct span fallback; /* the default: JSON, compact; null: none */
	struct avro_node *type;
	struct avro_aliases aliases;
	struct avro_props props;
	enum avro_order order;
};

struct avro_named {
	struct avro_name name;
	struct span full;
	struct span doc; /* null: none */
	struct avro_aliases aliases;
	struct avro_node *next; /* the type that is defined next in the same text */
	bool open;              /* its end has not been read yet */

	bool error;                  /* of a record: spelled so */
	struct avro_field *fields;   /* of a record, in order; NULL while it is open */
	struct avro_field **by_name; /* the same, sorted */
	size_t n_fields;
	size_t n_required;           /* fields without a default */

	struct span *symbols; /* of an enum, in order */
	struct span *sorted;  /* the same, sorted */
	size_t n_symbols;
	struct span fallback; /* the default symbol; null: none */

	int32_t size; /* of a fixed */
};

struct avro_node {
	enum avro_type type;
	struct avro_props props; /* never of a union */
	union {
		struct avro_named *named;  /* record, enum, fixed */
		struct avro_node *element; /* array, map: of what */
		struct {
			struct avro_node **branches;
			size_t n_branches;
		};
	};
};

struct avro_schema {
	atomic_size_t users;
	struct arena arena;
	struct avro_node *root;
	const char *name;           /* for avro_name_of() */
	struct avro_node *types;    /* what the text defines, in order; linked by `next` */
	struct avro_schema **known; /* what it refers to, directly or not, each behind what it
	                               refers to itself; a reference is held to each */
	size_t n_known;
};

static inline bool
avro_is_named(enum avro_type type)
{
	return type == AVRO_RECORD || type == AVRO_ENUM || type == AVRO_FIXED;
}

/* The type of a primitive's name; false when it is none. */
bool avro_primitive(struct span name, enum avro_type *out);

/* The order in which Java sorts strings: by UTF-16 units. */
int avro_compare(struct span a, struct span b);

/* The same of two spans, for qsort(). */
int avro_compare_spans(const void *, const void *);

/* An order of names, the same ones being equal. */
int avro_compare_names(const struct avro_name *, const struct avro_name *);

/* The properties sorted by name; NULL when the arena is used up. */
const struct avro_prop **avro_sort_props(const struct avro_props *, struct arena *);

/* The field of a record, or NULL. */
struct avro_field *avro_field(const struct avro_named *record, struct span name);

/* Appends a type's text, types of references and all. */
void avro_print_node(const struct avro_node *, struct buf *to);

/* Appends the text of which avro_print() makes the normal form. */
void avro_print_normal(const struct avro_schema *, struct buf *to);

/* Appends the Parsing Canonical Form. */
void avro_print_canonical(const struct avro_schema *, struct buf *to);

/* Puts the names of the schemas referred to into a table of what needn't be written out. */
bool avro_know_references(const struct avro_schema *, struct map *known);

#endif
