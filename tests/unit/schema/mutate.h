/*
 * mutate.h -- schemas that differ a little from another one, as those that come after it do:
 * two by chance hardly ever have anything in common.
 */
#ifndef UNIT_SCHEMA_MUTATE_H
#define UNIT_SCHEMA_MUTATE_H

#include "schema/avro/avro.h"

/*
 * Writes the text of the schema with one change or two, and a 0.  It is valid; properties and
 * documentation are not in it.  False: the changes that chance picked change nothing there.
 *
 * New names are new, and no named type takes the place of another: so at most one named type
 * of a union matches by its name, one field of a record matches another, and what the
 * comparison takes for granted of recursive types (see property_test.c) is not at stake.
 */
bool mutate(const struct avro_schema *, uint64_t seed, struct buf *to);

#endif
