/*
 * world.h -- a registry for tests: records are applied from C strings, requests are planned and
 * carried out at once, and what comes of either is told as text, fit for tables.
 */
#ifndef UNIT_REGISTRY_WORLD_H
#define UNIT_REGISTRY_WORLD_H

#include "registry/registry.h"

struct world {
	struct registry *registry;
	struct arena arena;  /* of all that is told */
	const char *passed;  /* why the last record was passed over; NULL: it was taken */
	struct plan plan;    /* of the last request */
	struct plan_write *log; /* owned, as are their bytes: all that was applied, in order */
	size_t n, cap;
};

void world_init(struct world *);
void world_done(struct world *);

/* Applies a record; NULL as value: a tombstone. */
void world_apply(struct world *, struct span key, struct span value);
void world_put(struct world *, const char *key, const char *value);

/* A registration of an Avro schema; tells "id/version", or "code message".  Then the same with all that a request may bear. */
const char *world_register(struct world *, const char *subject, const char *text);
const char *world_request(struct world *, const char *subject, const struct schema_request *);
const char *world_lookup(struct world *, const char *subject, const char *text, enum registry_which);

/* Deletions; tell the versions that go, or "code message". */
const char *world_delete(struct world *, const char *subject, bool permanent);
const char *world_delete_version(struct world *, const char *subject, int32_t version, bool permanent);

/* The deletion of a context (":.ctx:"); tells "" or "code message". */
const char *world_delete_context(struct world *, const char *scope);

/* Changes of settings; tell "" or "code message".  Subject NULL: the global one; `update`: JSON. */
const char *world_config(struct world *, const char *subject, const char *update);
const char *world_unset_config(struct world *, const char *subject);
const char *world_mode(struct world *, const char *subject, const char *mode, bool force);
const char *world_unset_mode(struct world *, const char *subject, bool recursive);

/*
 * Changes of a resource's associations, "topic" in "ns" with the id "id" unless the request says otherwise: tells of each
 * "type subject STRONG|WEAK [frozen] [id/version]", a line each, or "code message".  The deletion of those of an id.
 */
const char *world_associate(struct world *, struct association_request, const struct association_change *, size_t n);
const char *world_dissociate(struct world *, const char *id, bool cascade);

/* Those of a name, an id or a subject: "name type subject" and the rest, a line each. */
const char *world_associations(struct world *, enum association_by, const char *of);

/* Whether a schema is compatible; "" or the messages, one a line, or "code message". */
const char *world_check(struct world *, const char *subject, int32_t version, const char *text);

/* The writes of the last plan: "key value\n" each, "null" being a tombstone. */
const char *world_writes(struct world *);

/* "code message" */
const char *world_refusal(struct world *, const struct refusal *);

/* Lists, joined by blanks: subjects of a prefix, versions of a subject (-n: deleted). */
const char *world_subjects(struct world *, const char *prefix, enum registry_which);
const char *world_versions(struct world *, const char *subject, enum registry_which);
const char *world_referenced_by(struct world *, const char *subject, int32_t version, enum registry_which);

/* All that a registry answers, as text: equal registries tell the same. */
const char *world_all(struct world *, const struct registry *);

/* A span as JSON text's tree; arena. */
const struct json *world_json(struct world *, const char *text);

/* Compares two strings, and prints them where they differ. */
bool world_same(const char *got, const char *wanted);

#define SAME(got, wanted) CU_ASSERT(world_same(got, wanted))

#endif
