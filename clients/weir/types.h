/*
 * types.h -- the types of an Avro schema, found in its JSON text.
 *
 * For telling people about schemas: whatever is there is taken as it is, and what makes no sense is a
 * type without a kind.  Nothing is checked, as the registry has done.
 */
#ifndef WEIR_TYPES_H
#define WEIR_TYPES_H

#include "base/arena.h"
#include "base/map.h"
#include "json/tree.h"

enum type_kind {
	TYPE_UNKNOWN,   /* a name that nothing in the text defines */
	TYPE_PRIMITIVE,
	TYPE_RECORD,
	TYPE_ENUM,
	TYPE_FIXED,
	TYPE_ARRAY,
	TYPE_MAP,
	TYPE_UNION
};

struct type {
	enum type_kind kind;
	struct span name;         /* of a primitive, or of what is not known; full of a record, enum or fixed; else null */
	const struct json *def;   /* its object or, of a union, array; NULL: it is but a name */
	struct span space;        /* the namespace for names inside of it */
};

/* The named types of a schema. */
struct types {
	struct arena *arena;
	struct map by_name; /* owned; full name -> struct type */
};

/* Reads all of them from the schema, which is borrowed.  Runs out of memory: ends the program. */
void types_read(struct types *, struct arena *, const struct json *schema);
void types_done(struct types *);

/* The type that stands there, in a namespace. */
struct type type_at(const struct types *, const struct json *, struct span space);

/* Whether it is a record, enum or fixed. */
static inline bool
type_is_named(const struct type *t)
{
	return t->kind == TYPE_RECORD || t->kind == TYPE_ENUM || t->kind == TYPE_FIXED;
}

/* What stands behind the last dot of a name. */
struct span type_simple(struct span name);

/* Appends it in a few words: "int", "int (date)", "record x.Person", "array of string", "null or int". */
void type_describe(struct buf *to, const struct types *, const struct type *);

/*
 * What a JSON pointer into the schema, as registries tell it, means for people: "Person.address.street";
 * of what is in arrays "[]", in maps "{}".  References to types are followed.  Arena; NULL: it leads nowhere.
 */
const char *type_path(const struct types *, const struct json *schema, struct span pointer);

#endif
