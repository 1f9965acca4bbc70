/*
 * entity.h -- the objects of the registry's API: what requests bring and answers bear.
 *
 * The order of fields is that of Confluent's registry (8.x); what is null or empty is left out.
 */
#ifndef REGISTRY_ENTITY_H
#define REGISTRY_ENTITY_H

#include "registry/app.h"
#include "registry/canonical.h"

/*
 * A schema from a request's body (RegisterSchemaRequest); what it points to is in the request's arena.
 * False with the response made: 400 where a field has the wrong type.
 */
bool entity_request(struct http_request *, struct http_response *, struct schema_request *out);

/* The same from an object within a body; what the query says of it is left as it is. */
bool entity_take_schema(struct http_request *, struct http_response *, const struct json *in, struct schema_request *out);

/*
 * A field of a request's object: a text (null: it is absent), a truth (false), a list of texts (arena).  False with the
 * response made, 400: it is of another type than `type`, as Java calls it.
 */
bool entity_take_text(struct http_response *, const struct json *in, const char *field, struct span *out);
bool entity_take_flag(struct http_response *, const struct json *in, const char *field, bool *out);
bool entity_take_texts(struct http_request *, struct http_response *, const struct json *list, const char *field,
    const struct span **out, size_t *n);
bool entity_wrong_type(struct http_response *, const char *type, const char *field);

/* The values of a query's parameter that may come several times.  Arena; false with the response made. */
bool entity_query_texts(struct http_request *, struct http_response *, const char *name, const struct span **out, size_t *n);

/* A list of tags in this field of a request's object.  Arena; false with the response made. */
bool entity_take_tags(struct http_request *, struct http_response *, const struct json *in, const char *field,
    const struct schema_tags **out, size_t *n);

/* A request for other tags (TagSchemaRequest), as entity_request(). */
bool entity_tag_request(struct http_request *, struct http_response *, struct tag_request *out);

/*
 * metadata and ruleSet of a request's object, in their form; NULL: none.  False with the response made.  And what
 * is answered where an object in this field is none.
 */
bool entity_take_extras(struct http_request *, struct http_response *, const struct json *in,
    const struct json **metadata, const struct json **rule_set);
bool entity_misfit(struct http_response *, const struct misfit *, const char *field);

/*
 * How a schema is told: its text, in the form asked for; whether references without a context get that of
 * who refers (referenceFormat=qualified); tags inside that were asked for (findTags).
 */
struct telling {
	struct span text;
	bool qualified;
	struct schema_tags *tags;
	size_t n_tags;
};

/* How the query asks for a schema; false with the response made (see entity_text()). */
bool entity_telling(struct app *, struct http_request *, struct http_response *, const struct schema_entry *,
    struct telling *out);

/* A version of a subject: Schema.  entity_put_more() leaves it open for what comes behind. */
void entity_put_version(struct json_out *, const struct version_entry *, const struct telling *);
void entity_put_more(struct json_out *, const struct version_entry *, const struct telling *);

/* The answer to a registration: RegisterSchemaResponse.  `fresh`: it was not there before. */
void entity_put_registered(struct json_out *, const struct version_entry *, const struct telling *, bool fresh);

/*
 * A schema found by its id or guid, as the version by which it was found: SchemaString.  `named`: that is told, as for ids.
 * max_id 0: not asked for.
 */
void entity_put_schema(struct json_out *, const struct version_entry *, bool named, const struct telling *, int32_t max_id);

/* What associations a list is to have. */
struct association_filter {
	struct span resource_type; /* empty: any */
	const struct span *types;
	size_t n_types;            /* 0: any */
	bool strong, weak;         /* neither: either */
};

bool entity_association_fits(const struct association *, const struct association_filter *);

/* An association: Association. */
void entity_put_association(struct json_out *, const struct association *);

/* {"subject":...,"version":...} */
void entity_put_subject_version(struct json_out *, const struct version_entry *);

/* A guid from the text that uuid_rfc_text() writes, in any case. */
bool entity_guid_parse(struct span text, uint8_t guid[16]);

/*
 * The text of a stored schema in the format that the query asks for (arena).  An unknown format gives the text as it
 * is stored, as does a schema that can't be parsed any more; but one whose references were to be written out is
 * refused where they can't be: false with the response made.
 */
bool entity_text(struct app *, struct http_request *, struct http_response *, const struct schema_entry *,
    struct span *out);

#endif
