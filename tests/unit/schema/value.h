/*
 * value.h -- values of an Avro schema by chance, as bytes of the binary encoding.
 *
 * A path forces what is chosen on the way to some type: a number for each union, enum,
 * record, array and map that is gone through.  Everything beside it is left to chance.
 */
#ifndef UNIT_SCHEMA_VALUE_H
#define UNIT_SCHEMA_VALUE_H

#include "schema/avro/node.h"

enum { VALUE_RECORDS = 128 };

struct values {
	/*
	 * The records that have values, in such an order that each has one which contains
	 * none but those before it.  A record that always contains itself is not there.
	 */
	const struct avro_node *records[VALUE_RECORDS];
	size_t n;
	uint64_t seed;
};

struct value_path {
	const size_t *choices;
	size_t n;
};

/* The values of this schema, which is borrowed. */
void values_init(struct values *, const struct avro_schema *, uint64_t seed);

/* Whether the type of the schema has any value.  [] has none, nor what always contains it. */
bool value_exists(const struct values *, const struct avro_node *);

/* How many choices it leaves: branches, symbols, fields; of an array or a map one, the inside. */
size_t value_choices(const struct avro_node *);

/* The type that is chosen; of an enum NULL. */
const struct avro_node *value_chosen(const struct avro_node *, size_t choice);

/* Appends a value of a type that has one.  At depth 0 what the path leaves open is small. */
void value_put(struct values *, const struct avro_node *, struct value_path, int depth,
    struct buf *to);

#endif
