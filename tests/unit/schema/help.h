/* help.h -- what the tests of schemas share. */
#ifndef UNIT_SCHEMA_HELP_H
#define UNIT_SCHEMA_HELP_H

#include "schema/avro/avro.h"

/* A schema that must be one; with at most one other that it refers to. */
struct avro_schema *help_avro(const char *text);
struct avro_schema *help_avro_with(const char *text, struct avro_schema *ref);

/* Why the text is no schema, good until the next call; "" where it is one. */
const char *help_mistake(const char *text, enum avro_strictness);

/* Its text in the form, to be freed. */
char *help_print(const struct avro_schema *, enum avro_form);

/* Whether the form of the text's schema is this; where it is not, it is shown. */
bool help_prints(const char *text, enum avro_form, const char *expected);

/* Whether they are the same; where they are not, both are shown. */
bool help_same(const char *got, const char *expected);

#endif
