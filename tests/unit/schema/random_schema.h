/*
 * random_schema.h -- Avro schemas by chance, for tests of what holds for all of them.
 */
#ifndef UNIT_SCHEMA_RANDOM_SCHEMA_H
#define UNIT_SCHEMA_RANDOM_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct random_schema {
	uint64_t seed;   /* what it says */
	uint64_t layout; /* blanks, and the order of attributes */
	bool mix_props;  /* also that of properties, which the text keeps */
	int tweak;       /* the value of this number (0 is the first) is another one; -1: none */
};

/* Appends the text, valid as a new schema, and a 0.  Returns how many values can be tweaked. */
int random_schema(const struct random_schema *, struct buf *to);

#endif
