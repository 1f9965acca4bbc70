/*
 * app.h -- the registry as its handlers see it: the state behind a lock, the log that
 * changes it, and how both are used for a request.
 */
#ifndef REGISTRY_APP_H
#define REGISTRY_APP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/http.h"
#include "common/router.h"
#include "json/tree.h"
#include "json/write.h"
#include "registry/log.h"
#include "registry/registry.h"
#include "registry/turns.h"

struct app {
	struct registry *registry;
	pthread_rwlock_t lock;   /* of the registry's state */
	struct turns turns;      /* of those who change it */
	struct log *log;
	int timeout_ms;
	bool mode_mutability;
	const char *attributes;  /* what /v1/metadata/deployment tells, by commas */
	const char *group;       /* schema.registry.group.id: what /v1/metadata/id tells */
	atomic_bool ready;       /* the topic was read to its end once */
	_Atomic uint64_t skipped; /* records that were passed over */
};

extern const struct route app_routes[];

/*
 * Flags of routes: for those who watch, whatever has become of the topic; and those whose first argument is a
 * subject, or may be left out for what is set globally.
 */
enum { APP_WATCHES = 1u << 1, ROUTE_OF_SUBJECT = 1u << 2 };

/* The pool whose threads may wait for writes. */
#define APP_WRITES "writes"

/* The hook before routing: /contexts/{context}/... is the path behind it, in that context. */
bool app_arrive(struct app *, struct http_request *, struct http_response *);

/* The hook before every handler: negotiates the type of the answer, refuses types of bodies that we don't take. */
bool app_before(struct app *, const struct route *, struct http_request *, struct http_response *);

/*
 * Holds the state still for a handler that reads it.  `fresh`: what was in the topic when the
 * request came is applied first; when the broker can't be asked, the answer is given from
 * what is known.
 */
void app_read(struct app *, bool fresh);
void app_read_end(struct app *);

/* The error_code of a schema that is incompatible with an earlier one; once, before requests come. */
void app_tell_incompatible(int error_code);

/* Answers with a refusal of the state machine. */
void app_refuse(struct http_response *, const struct refusal *);

/* One of problems.tbl, with its message's arguments. */
void app_problem(struct http_response *, enum registry_problem, ...);

/* A kind of change: what is said when it does not come to its end; refused by the store, out of time, or not here. */
struct app_words {
	const char *failed, *timed_out, *no_leader;
	bool shares;    /* several that wait may share a transaction */
	bool registers; /* what is too large is a schema */
};

/*
 * Makes a plan; called with the state held still, perhaps by another request's thread, and perhaps more than once.
 * out->earlier: of those that share, the one that is to be written before it in the same transaction; NULL: none.
 */
typedef bool app_plan(const struct registry *, void *ctx, struct arena *, struct plan *out, struct refusal *);

/*
 * Makes a plan and carries it out.  True: it was written and applied.  False: the response says why not; or, in a
 * thread that may not wait for writes, that nginx is to hand the request to the process that writes.
 */
bool app_write(struct app *, struct http_request *, struct http_response *, const struct app_words *,
    app_plan *, void *ctx, struct plan *out);

/* The log's apply function; ctx is the app. */
void app_apply(void *ctx, int64_t offset, int64_t timestamp_ms, struct span key, struct span value);

/* What it calls for records of aborted transactions. */
void app_aborted(void *ctx, struct span key, struct span value, bool last);

/* The object that the request's body begins with; NULL with the response made: 400, or 422 where it is blank or null. */
const struct json *app_body(struct http_request *, struct http_response *);

/* offset and limit of lists; false with the response made: 404 where one is no number. */
struct page {
	int32_t offset, limit; /* limit: INT32_MAX where none was asked for */
	int32_t seen;          /* elements met so far */
};
bool app_page(const struct http_request *, struct http_response *, struct page *);

/* The same of lists of schemas, which give no more than 1,000 at once. */
void app_page_of_schemas(struct page *);

/* Whether the next element is on the page; call once for each.  Whether there can be no more on it. */
bool app_on_page(struct page *);
bool app_page_full(const struct page *);

/* deleted and deletedOnly. */
enum registry_which app_which(const struct http_request *);

/*
 * The subject that the path (of a ROUTE_OF_SUBJECT) is about, or that its alias stands for.  While the state is held;
 * borrowed as what that gives out.
 */
struct span app_subject(const struct registry *, const struct http_request *);

/* Whose settings the path means: those of its subject or context, or the null span, what is global. */
struct span app_scope(const struct http_request *);

/*
 * The same of the query's subject; null: it names none, and the path is about no context.  The query's prefix
 * of subjects; `absent`: where neither says anything.
 */
struct span app_query_subject(const struct registry *, const struct http_request *);
struct span app_query_prefix(const struct http_request *, const char *absent);

/* ---- handlers, by file ---- */

/* subjects.c */
http_handler subjects_list, subjects_lookup, subjects_delete, subjects_versions, subjects_register,
    subjects_version, subjects_version_schema, subjects_latest_with, subjects_tag,
    subjects_referenced_by, subjects_delete_version;
/* schemas_list.c */
http_handler schemas_list;
/* schemas.c */
http_handler schemas_types, schemas_by_id, schemas_text_by_id, schemas_subjects_of_id,
    schemas_versions_of_id, schemas_by_guid, schemas_ids_of_guid;
/* compatibility.c */
http_handler compatibility_check_version, compatibility_check_all;
/* config.c */
http_handler config_get, config_put, config_delete;
/* mode.c */
http_handler mode_get, mode_put, mode_delete;
/* contexts.c */
http_handler contexts_list, contexts_delete;
/* associations.c */
http_handler associations_of_subject, associations_of_id, associations_of_name, associations_batch_get;
/* associations_write.c */
http_handler associations_create, associations_upsert, associations_delete, associations_batch_mutate;
/* metadata.c */
http_handler metadata_id, metadata_version, metadata_deployment, metadata_ready, metadata_metrics;

#endif
