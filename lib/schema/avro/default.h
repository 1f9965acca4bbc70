/*
 * default.h -- the default of a field in the terms of its type, for the files of
 * this folder.
 */
#ifndef SCHEMA_AVRO_DEFAULT_H
#define SCHEMA_AVRO_DEFAULT_H

#include "json/tree.h"
#include "schema/avro/node.h"

/*
 * How many values of defaults are compared with types.  More than any schema needs
 * that people have use for; a text of the size that a registry takes could ask for
 * billions.
 */
enum { AVRO_CHECKS_MAX = 4000000 };

struct casting {
	struct arena *arena; /* borrowed: where new values go */
	unsigned checks;     /* that may still be made; 0 behind a cast: what it said means nothing */
};

/*
 * Makes the value one of the type, as Avro's Java library does when it hands out a
 * default: 1 for a double becomes 1.0, a float gets the digits that a float needs.
 * False: it has no value of this type; or no memory.
 */
bool avro_default_cast(const struct avro_node *, struct json *value, struct casting *);

#endif
