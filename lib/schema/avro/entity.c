/* entity.c -- records and fields of an Avro schema by their names. */
#include "schema/avro/node.h"

bool
avro_has_field(const struct avro_schema *s, struct span name)
{
	return s->root->type == AVRO_RECORD && avro_field(s->root->named, name) != NULL;
}
