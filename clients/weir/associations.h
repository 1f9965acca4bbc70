/*
 * associations.h -- a registry's associations: which subject the keys or the values of a topic have.
 *
 * Registries before Confluent's 8.2, and most others, have none: there the list is pages.lacking.
 */
#ifndef WEIR_ASSOCIATIONS_H
#define WEIR_ASSOCIATIONS_H

#include "weir/dump.h"
#include "weir/pages.h"

/* Begins with the first one of a subject, or of a resource in its namespace; the names are borrowed.  pages_done() ends it. */
void associations_of_subject(struct pages *, struct cli *, const char *subject);
void associations_of_resource(struct pages *, struct cli *, const char *resource_namespace, const char *resource_name);

/* The next one, as pages_next() has it; false at the end, and where the registry fails. */
bool associations_next(struct pages *, struct dump_association *out);

#endif
