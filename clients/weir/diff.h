/*
 * diff.h -- what has changed from one Avro schema to another, as data and in words.  Pure.
 *
 * Types of the same place are compared; a type that is used in several places is compared at the first
 * one.  Branches of a union are matched by their type, fields and symbols by their name.
 */
#ifndef WEIR_DIFF_H
#define WEIR_DIFF_H

#include "base/arena.h"
#include "json/tree.h"

enum change_kind {
	CHANGE_ADDED,
	CHANGE_REMOVED,
	CHANGE_CHANGED,
	CHANGE_RENAMED,
	CHANGE_REORDERED
};

/* "added", ... */
const char *change_kind_name(enum change_kind);

struct change {
	const char *path;           /* arena: "Person.address[].street" */
	enum change_kind kind;
	const char *what;           /* "field", "type", "doc", "default", "symbol", ..., or a property's name */
	const struct json *from, *to; /* as the schemas have them; NULL: there was, or is, none */
	const char *text;           /* arena: what has changed, in words, the path left out */
};

struct diff {
	struct change *list; /* arena */
	size_t n;
};

/* Compares two schemas, which are borrowed by the result.  Runs out of memory: ends the program. */
void diff_schemas(struct arena *, const struct json *from, const struct json *to, struct diff *out);

#endif
