/*
 * dump.h -- an exported registry: lines of JSON, each an object.
 *
 *	{"weir-schema-export":1,"contexts":[".",...]}
 *	{"schema":{"subject":...,"version":...,"id":...,...,"schema":"...","deleted":false}}
 *	{"config":{"compatibilityLevel":"FULL",...},"subject":"..."}
 *	{"mode":"READONLY","subject":"..."}
 *	{"association":{"resourceName":...,"resourceNamespace":...,"resourceId":...,...}}
 *	{"end":{"schemas":3,"configs":1,"modes":1,"associations":1}}
 *
 * docs/reference/schema-export.md tells what is in them.
 */
#ifndef WEIR_DUMP_H
#define WEIR_DUMP_H

#include "weir/cli.h"

enum { DUMP_FORMAT = 1 };

/* How many there are of each. */
struct dump_counts {
	int64_t schemas, configs, modes, associations;
};

/* An association of a registry or of a dump: that the keys or values of a resource, a topic, have a subject. */
struct dump_association {
	const char *resource_name, *resource_namespace, *resource_id, *resource_type;
	const char *subject, *type; /* "key" or "value" */
	bool strong, frozen;
};

/* What it can't be without, for messages. */
#define DUMP_ASSOCIATION_NEEDS "resourceName, resourceNamespace, subject, associationType and lifecycle"

/* Reads one as the registry's API and dumps have it; arena.  False: it lacks something, or a name is none. */
bool dump_association(struct arena *, const struct json *, struct dump_association *out);

bool dump_same_association(const struct dump_association *, const struct dump_association *);

/* Appends lines. */
void dump_put_head(struct buf *, const struct json *contexts);
void dump_put_schema(struct buf *, const struct json *entity, bool deleted);
void dump_put_config(struct buf *, const char *subject, const struct json *config);
void dump_put_mode(struct buf *, const char *subject, const char *mode);
void dump_put_association(struct buf *, const struct dump_association *);
void dump_put_end(struct buf *, const struct dump_counts *);

/* A schema of a registry or of a dump. */
struct dump_schema {
	const char *subject;
	int64_t version, id;
	bool deleted;
	const struct json *entity; /* what the registry's API has for it */
};

/* A setting: config or mode. */
struct dump_setting {
	const char *subject; /* NULL: of all; ":.context:" of a context */
	const struct json *value;
};

/* What a dump has, in its order; arena. */
struct dump {
	struct dump_schema *schemas;
	struct dump_setting *configs, *modes;
	struct dump_association *associations;
	struct dump_counts n;
};

/*
 * Reads a dump, which is borrowed.  False with a sentence in `why`: it is none, or is not whole.  Runs
 * out of memory: ends the program.
 */
bool dump_read(struct arena *, struct span text, struct dump *out, char *why, size_t size);

/*
 * Whether two schemas say the same, as far as an import can bring it about; whether they are deleted does not count.  Texts
 * are the same byte by byte; where just they differ, it is by their spelling, or else, as a registry knows.
 */
bool dump_same(const struct json *a, const struct json *b);
bool dump_same_beside_text(const struct json *a, const struct json *b);

/* Whether two values are the same, members in any order; NULL is as null and as what is empty. */
bool dump_same_value(const struct json *a, const struct json *b);

/* The context of a subject: ".", or that between its first two colons.  Arena. */
const char *dump_context(struct arena *, const char *subject);

#endif
