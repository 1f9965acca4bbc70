/*
 * associations.h -- what the resources below /associations have in common: how requests name resources, and how changed
 * associations are told.
 */
#ifndef REGISTRY_ASSOCIATIONS_H
#define REGISTRY_ASSOCIATIONS_H

#include "registry/entity.h"

enum { ASSOCIATION_REQUESTS_MAX = 1000 }; /* in a batch */

/*
 * The requests of a batch's body.  NULL with the response made: 400, or 422 where there is none, or more than
 * ASSOCIATION_REQUESTS_MAX.
 */
const struct json *associations_batch(struct http_request *, struct http_response *);

/* The lifecycle in a field of a request's object; false with the response made. */
bool associations_take_lifecycle(struct http_response *, const struct json *in, enum said *strong);

/* A resource with the beginning of a list of its associations, and the end of both; a list without elements is none. */
void associations_open(struct json_out *, const struct association_request *resource, bool list);
void associations_close(struct json_out *, bool list);

/* The beginning of one in it: AssociationInfo, left open for the schema. */
void associations_open_info(struct json_out *, const struct association_outcome *);

/* A problem as an element of a batch's results; `problem` is the answer that it would have been. */
void associations_put_error(struct json_out *, const struct http_response *problem);

#endif
