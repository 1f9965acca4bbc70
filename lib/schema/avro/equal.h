/*
 * equal.h -- whether two types say the same, for the files of this folder.
 */
#ifndef SCHEMA_AVRO_EQUAL_H
#define SCHEMA_AVRO_EQUAL_H

#include "schema/avro/node.h"
#include "schema/avro/pairs.h"

struct sameness {
	bool all;           /* documentation and aliases count, too */
	struct pairs met;   /* named types found the same, or being compared; its arena is used for more */
	unsigned depth;
};

/*
 * Compares.  After a difference the table is worthless.  False also where the arena
 * is used up, or they are too deep to be compared.
 */
bool avro_same(struct sameness *, const struct avro_node *, const struct avro_node *);

#endif
