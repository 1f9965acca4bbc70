/*
 * registry.h -- a client of a schema registry that has Confluent's HTTP interface: Weir's, Confluent's,
 * or another that follows it.
 *
 * Every call waits for its answer.  Results lie in the arena that is handed in, whose cap is also the
 * bound of what an answer may take.  False with `why` filled: its code is the registry's error_code
 * where that gave one, else the HTTP status where there was an answer at all, else 0.  Kinds:
 * WEIR_RETRIABLE and WEIR_TIMEOUT (not reached, or it can't answer now), WEIR_UNAUTHENTICATED (401),
 * WEIR_FORBIDDEN (403), WEIR_TOO_LARGE (413, or more than the arena may hold), WEIR_INVALID (what it
 * refuses otherwise; settings), WEIR_NO_MEMORY, WEIR_FAILED.
 *
 * Any thread may use a handle, and many at a time; connections are kept, and shared out among them.
 */
#ifndef LIBWEIR_REGISTRY_H
#define LIBWEIR_REGISTRY_H

#include "base/arena.h"
#include "json/tree.h"
#include "libweir/client.h"

struct weir_registry;

/*
 * Makes a client; nothing is sent yet.  Owned; NULL with `why` filled.  The settings are those of
 * Confluent's clients, with their defaults; "schema.registry." in front may be left out:
 *
 *	schema.registry.url                       where registries answer, by commas; user:password@ allowed
 *	schema.registry.basic.auth.user.info      user:password
 *	schema.registry.bearer.auth.token         a token instead
 *	schema.registry.ssl.ca.location           PEM file of the authorities that are trusted; else the system's
 *	schema.registry.ssl.certificate.location  PEM file of the client's certificate
 *	schema.registry.ssl.key.location          and of its key
 *	schema.registry.max.retries               3: how often all URLs are tried again
 *	schema.registry.retries.wait.ms           1000: how long before the first time; doubled each time
 *	schema.registry.retries.max.wait.ms       20000: and how long at most
 *	schema.registry.http.connect.timeout.ms   60000: of a connection
 *	schema.registry.http.read.timeout.ms      60000: how long a try may last, after it has connected
 */
struct weir_registry *weir_registry_new(const struct weir_setting *, size_t n, struct weir_error *why);

/* NULL is fine.  No call may be under way. */
void weir_registry_free(struct weir_registry *);

enum weir_method { WEIR_GET, WEIR_POST, WEIR_PUT, WEIR_DELETE };

struct weir_query {
	const char *name;
	const char *value; /* NULL: it is left out */
};

enum { WEIR_SEGMENTS_MAX = 6, WEIR_QUERIES_MAX = 8 };

struct weir_call {
	enum weir_method method;
	const char *path[WEIR_SEGMENTS_MAX + 1];          /* the segments, encoded here; NULL ends them */
	struct weir_query query[WEIR_QUERIES_MAX + 1];    /* no name ends them */
	struct span body;                                 /* JSON; null: none */
	bool raw;                                         /* the answer may be something else than JSON */
};

struct weir_answer {
	int status;              /* of HTTP; 0: there was no answer */
	struct span body;        /* arena; as it came */
	const struct json *json; /* arena; NULL: there is none (204, or raw) */
	const char *message;     /* arena; of a refusal: all that the registry said, in one line, however long; else NULL */
};

/*
 * Sends a request to the registries in turn, beginning with the one that answered last, until one does.
 * Where all could not be reached, or answered 408, 429, 500, 502, 503 or 504, they are tried again after
 * a while, as the settings say.  So a request that changes something may arrive twice: registering does
 * no harm then, and a deletion is told that it was done before.  True: an answer of 200 to 299.
 */
bool weir_registry_call(struct weir_registry *, const struct weir_call *, struct arena *, struct weir_answer *,
    struct weir_error *why);

/* ---- schemas ---- */

enum { WEIR_LATEST = -1 };

/* A schema that another refers to. */
struct weir_schema_ref {
	const char *name; /* by which the text refers to it */
	const char *subject;
	int32_t version;
};

/* A schema; what an answer does not tell is NULL or 0. */
struct weir_schema {
	const char *subject;
	int32_t version, id;
	const char *type; /* "AVRO", "JSON", "PROTOBUF"; NULL is AVRO */
	struct span text;
	const struct weir_schema_ref *refs;
	size_t n_refs;
	const char *message; /* of a call that failed: all that the registry said, as in struct weir_answer */
};

/* Appends the body of the requests that bear a schema: its text, type and references. */
void weir_schema_put_request(struct buf *to, const struct weir_schema *);

/* Registers a schema under a subject, or finds that it is there: `out` has its id, and with newer registries its version. */
bool weir_registry_register(struct weir_registry *, const char *subject, const struct weir_schema *, bool normalize,
    struct arena *, struct weir_schema *out, struct weir_error *why);

/* The version of a subject that is this schema; code 40401 or 40403: there is none. */
bool weir_registry_lookup(struct weir_registry *, const char *subject, const struct weir_schema *, bool normalize,
    struct arena *, struct weir_schema *out, struct weir_error *why);

/* The schema of an id; `subject` (NULL: none) names the context that the id belongs to.  Code 40403: there is none. */
bool weir_registry_by_id(struct weir_registry *, int32_t id, const char *subject, struct arena *,
    struct weir_schema *out, struct weir_error *why);

/* A version of a subject, or WEIR_LATEST; code 40401 or 40402: there is none. */
bool weir_registry_version(struct weir_registry *, const char *subject, int32_t version, struct arena *,
    struct weir_schema *out, struct weir_error *why);

/*
 * The names of all subjects that begin with the prefix: NULL: all; ":.context:" in front: those of that
 * context.  Names of other contexts than the default one are told with theirs.  Sorted.
 */
bool weir_registry_subjects(struct weir_registry *, const char *prefix, struct arena *, const char ***out,
    size_t *n, struct weir_error *why);

#endif
