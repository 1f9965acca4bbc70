/*
 * resolve.h -- reading a value as another schema has it: "Schema Resolution" of the Avro 1.11
 * specification, for tests.  It knows nothing of lib/schema's comparison of schemas, and looks
 * at no more of them than the bytes that come lead to.
 */
#ifndef UNIT_SCHEMA_RESOLVE_H
#define UNIT_SCHEMA_RESOLVE_H

#include "schema/avro/node.h"

enum resolve_result {
	RESOLVE_READ,
	RESOLVE_MALFORMED, /* the bytes are no value of the writer's */
	RESOLVE_NAME,
	RESOLVE_SIZE,      /* of a fixed */
	RESOLVE_SYMBOL,    /* not known, and there is no default */
	RESOLVE_FIELD,     /* not written, and there is no default */
	RESOLVE_TYPE,
	RESOLVE_BRANCH     /* no branch of the reader's union matches */
};

/* Reads a value of the writer's, which is all of the bytes; or why it can't be read. */
enum resolve_result resolve(const struct avro_node *reader, const struct avro_node *writer,
    struct span value);

/*
 * The reader's type that meets what stands in the writer's at that choice (as in value.h);
 * NULL when it is skipped or the reader can't get that far.
 */
const struct avro_node *resolve_inside(const struct avro_node *reader,
    const struct avro_node *writer, size_t choice);

#endif
