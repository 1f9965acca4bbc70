/*
 * relayout.h -- an Avro schema's JSON as others might have spelled it.
 */
#ifndef UNIT_SCHEMA_RELAYOUT_H
#define UNIT_SCHEMA_RELAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Appends the schema with other blanks and its attributes in another order, by chance, and a
 * 0.  Properties keep theirs, and so does what is inside of values, unless `mix`: then these
 * and aliases come in another order, too.
 */
void relayout(struct span text, uint64_t seed, bool mix, struct buf *to);

#endif
