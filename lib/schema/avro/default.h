/*
 * default.h -- the default of a field in the terms of its type, for the files of
 * this folder.
 */
#ifndef SCHEMA_AVRO_DEFAULT_H
#define SCHEMA_AVRO_DEFAULT_H

#include "json/tree.h"
#include "schema/avro/node.h"

/*
 * Makes the value one of the type, as Avro's Java library does when it hands out a
 * default: 1 for a double becomes 1.0, a float gets the digits that a float needs.
 * False: it has no value of this type; or no memory.
 */
bool avro_default_cast(const struct avro_node *, struct json *value, struct arena *);

#endif
