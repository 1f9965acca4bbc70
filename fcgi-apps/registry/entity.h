/*
 * entity.h -- the objects of the registry's API: what requests bring and answers bear.
 *
 * The order of fields is that of Confluent's registry (8.x); what is null or empty is left out.
 */
#ifndef REGISTRY_ENTITY_H
#define REGISTRY_ENTITY_H

#include "registry/app.h"

/*
 * A schema from a request's body (RegisterSchemaRequest); what it points to is in the request's arena.
 * False with the response made: 400 where a field has the wrong type.
 */
bool entity_request(struct http_request *, struct http_response *, struct schema_request *out);

/* A version of a subject: Schema.  `text`: the schema's text in the form asked for. */
void entity_put_version(struct json_out *, const struct version_entry *, struct span text);

/* The answer to a registration: RegisterSchemaResponse.  `fresh`: it was not there before. */
void entity_put_registered(struct json_out *, const struct version_entry *, bool fresh);

/* A schema found by its id or guid, as the version by which it was found: SchemaString.  `named`: that is told.  max_id 0: not asked for. */
void entity_put_schema(struct json_out *, const struct version_entry *, bool named, struct span text, int32_t max_id);

/* {"subject":...,"version":...} */
void entity_put_subject_version(struct json_out *, const struct version_entry *);

/* A guid from the text that uuid_rfc_text() writes, in any case. */
bool entity_guid_parse(struct span text, uint8_t guid[16]);

/*
 * The text of a stored schema in the format that the query asks for (arena).  An unknown format, or a
 * schema that can't be parsed any more, gives the text as it is stored.
 */
struct span entity_text(struct app *, struct http_request *, const struct schema_entry *);

#endif
