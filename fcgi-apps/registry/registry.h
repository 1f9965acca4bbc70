/*
 * registry.h -- what the registry knows: the state that the records of `_schemas` make,
 * questions about it, and what is to be written to change it.
 *
 * No HTTP, no Kafka, no clock, no threads: records are applied in the order of the topic;
 * a request that changes something gets a plan, the records to be written, and sees
 * its effect when they have been applied.  Functions that take a const registry may run at the
 * same time; registry_apply() alone.  What they give out is borrowed until the next apply.
 *
 * Ids are counted per context, the part of a subject's name between its first colons
 * (":.ctx:name"; a bare name is in the default context "."; see registry_context()).
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "registry/canonical.h"
#include "registry/record.h"
#include "schema/level.h"
#include "schema/schema.h"

enum registry_problem {
	REGISTRY_OK,
#define PROBLEM(name, status, code, message) REGISTRY_##name,
#include "registry/problems.tbl"
	REGISTRY_NO_MEMORY, /* the arena was used up: the request is too large */
	REGISTRY_WAITS,     /* can't be told before plans that came earlier are carried out */
	REGISTRY_AGAIN,     /* it took long, and what it did is kept: to be asked again when others have had the state */
	REGISTRY_PROBLEMS
};

/* Why a request is refused.  The message is finished; arena. */
struct refusal {
	enum registry_problem problem;
	const char *message;
};

struct registry;

/* `level`: what counts where no CONFIG record says anything (schema.compatibility.level). */
struct registry *registry_new(enum level);
void registry_free(struct registry *);

/*
 * Applies the next record of the topic.  False with `why` (constant) when it can't be
 * understood or contradicts what is known (an id that bears another schema): it was passed over.
 */
bool registry_apply(struct registry *, int64_t offset, int64_t timestamp_ms, struct span key,
    struct span value, const char **why);

/*
 * Notes a record of the topic whose transaction was aborted.  `last`: no committed record of its key follows it, so
 * that registry_plan_mend() is to put it right.
 */
void registry_aborted(struct registry *, struct span key, struct span value, bool last);

/* A subject as it is known inside: ":.:name" is "name".  A part of what was handed in. */
struct span registry_qualified(struct span subject);

/* The context of a qualified subject: "." or ".ctx", and the name behind it. */
struct span registry_context(struct span subject, struct span *name);

/*
 * The subject that a name means where it is said in a context ("." or ".ctx"): one without a context is of that
 * one.  Qualified; arena, or a part of what was handed in; null: used up.
 */
struct span registry_subject(struct arena *, struct span context, struct span name);

/*
 * The name of a context that is spelled with colons around it or not, with the leading dot or not; ".ctx", or
 * "." for the normal one.  False where a colon is in it.  Arena; null: used up.
 */
bool registry_context_name(struct arena *, struct span spelled, struct span *out);

/* One registered schema, whatever subjects of its context have it. */
struct schema_entry {
	struct span context;
	int32_t id;
	uint8_t guid[16];       /* the MD5 of record_hash() */
	struct span schema_type; /* as its records name it: may be one that we can't parse */
	struct span text;
	const struct reference *references;
	size_t n_references;
	const struct json *metadata, *rule_set;
};

/* One version of a subject. */
struct version_entry {
	struct span subject; /* qualified */
	int32_t version;
	bool deleted;        /* softly */
	int64_t timestamp_ms;
	const struct schema_entry *schema;
};

/* The schema of an id in a context, or NULL; softly deleted ones are found, too. */
const struct schema_entry *registry_by_id(const struct registry *, struct span context, int32_t id);

/* Walks the schemas of a guid, one for each context that has it.  Start with *it = 0; NULL at the end. */
const struct schema_entry *registry_next_by_guid(const struct registry *, const uint8_t guid[16], size_t *it);

/* Walks the contexts that have a record or subjects, "." always among them, sorted.  The null span at the end. */
struct span registry_next_context(const struct registry *, size_t *it);

/* The highest id given out in a context; 0: none. */
int32_t registry_max_id(const struct registry *, struct span context);

/* Which versions a question is about. */
enum registry_which {
	REGISTRY_LIVE,
	REGISTRY_ALL,
	REGISTRY_DELETED_ONLY
};

enum { REGISTRY_LATEST = -1 };

/* A version number as a URL has it: digits, "latest" in any case, "-1".  False: 42202. */
bool registry_parse_version(struct span text, int32_t *out);

/* The subject that an alias stands for, which may be one itself; else the subject, as it was handed in. */
struct span registry_aliased(const struct registry *, struct span subject);

/*
 * Walks the subjects that an unqualified name may mean, too, where the normal context does not have what is asked
 * for: those of that name in other contexts, sorted.  The null span at the end; of a qualified name there are none.
 */
struct span registry_next_namesake(const struct registry *, struct span subject, size_t *it);

/*
 * A version of a subject, or REGISTRY_LATEST: the newest that is live; NULL with the refusal (40401 or 40402)
 * otherwise.  The second looks at the namesakes of an unqualified subject, too.
 */
const struct version_entry *registry_version(const struct registry *, struct span subject, int32_t version,
    enum registry_which, struct arena *, struct refusal *);
const struct version_entry *registry_find_version(const struct registry *, struct span subject, int32_t version,
    enum registry_which, struct arena *, struct refusal *);

/*
 * The version by which an id is known, a live one if there is one: of a subject or its namesakes, or (a subject
 * without a name, ":.ctx:") of any of the context.  Where an unqualified subject does not bear the id, nor
 * its namesakes, any of the normal context is told, and `certain` is false: that may change.  NULL: there is none.
 */
const struct version_entry *registry_find_id(const struct registry *, struct span subject, int32_t id, bool *certain);

/*
 * The newest version whose metadata has all of these properties; NULL with the refusal (40401, 40403).  Of properties
 * of the same name the last counts.
 */
struct property {
	struct span name, value;
};
const struct version_entry *registry_latest_with(const struct registry *, struct span subject, const struct property *,
    size_t n, enum registry_which, struct arena *, struct refusal *);

/*
 * Walks the subjects of a prefix (see registry_next_subject()) that are aliases, in no order, and what each stands
 * for.  The null span at the end.
 */
struct span registry_next_alias(const struct registry *, struct span prefix, size_t *it, struct span *target);

/* Whether a schema's rules have one of this type. */
bool registry_has_rule_of(const struct schema_entry *, struct span type);

/* Any version that bears a schema, a live one if there is one. */
const struct version_entry *registry_bearer(const struct registry *, const struct schema_entry *);

/*
 * Walks, in order, the versions of a subject; all versions of subjects that begin with a
 * prefix, by subject and version; the versions that bear a schema, in no order.  Start with *it = 0; NULL at the end.
 */
const struct version_entry *registry_next_version(const struct registry *, struct span subject,
    enum registry_which, size_t *it);
const struct version_entry *registry_next_of_prefix(const struct registry *, struct span prefix,
    enum registry_which, size_t *it);
const struct version_entry *registry_next_use(const struct registry *, const struct schema_entry *,
    enum registry_which, size_t *it);

/*
 * Walks the subjects that begin with a prefix, sorted; ":*:" takes all contexts, a prefix without
 * a context those of the default one.  The null span at the end.
 */
struct span registry_next_subject(const struct registry *, struct span prefix, enum registry_which, size_t *it);

/* Ids of schemas that refer to a version, ascending, each once.  Arena; false: used up. */
bool registry_referenced_by(const struct registry *, struct span subject, int32_t version,
    enum registry_which, struct arena *, int32_t **ids, size_t *n);

/* A schema as a request brings it. */
struct schema_request {
	struct span schema_type; /* null: AVRO */
	struct span text;
	const struct reference *references;
	size_t n_references;
	const struct json *metadata, *rule_set;
	int32_t id, version;     /* 0: not given; version REGISTRY_LATEST: whichever it becomes, told in the metadata */
	bool normalize, force; /* force: whatever the level asks for */
	const struct schema_tags *tags_to_add, *tags_to_remove;
	size_t n_tags_to_add, n_tags_to_remove;
	bool propagate_tags; /* those of the version before are added, too */
	bool known; /* it may be there already: what registries took in their time is not objected to */
};

/* The same, parsed and printed; what it points to is in the arena. */
struct parsed_schema {
	struct schema *schema; /* counted: schema_free() */
	struct record record;  /* of type SCHEMA, without subject, version and id: text as it is to be stored */
	uint8_t hash[16];
};

/*
 * Parses a request's schema for a subject; its references are looked up, -1 made the number of the
 * latest version.  False with the refusal (42201).
 */
bool registry_parse(const struct registry *, struct span subject, const struct schema_request *,
    struct arena *, struct parsed_schema *out, struct refusal *);

/* A stored schema parsed with its references; NULL with the refusal when it can't be.  Counted: schema_free(). */
struct schema *registry_schema(const struct registry *, const struct schema_entry *, struct arena *,
    struct refusal *);

/*
 * The version of the subject, or of its namesakes, that has this schema; NULL with the refusal (40401, 40403, or
 * 42201 where the schema is none), or REGISTRY_AGAIN.
 */
const struct version_entry *registry_lookup(const struct registry *, struct span subject,
    const struct schema_request *, enum registry_which, struct arena *, struct refusal *);

/*
 * Whether a request's schema is compatible with one version (LATEST: the newest live one, if there is one), or (version 0)
 * with those that the subject's level asks for; the messages say why not.  False with the refusal when that can't be told:
 * 40402 before the schema is looked at.
 */
bool registry_check(const struct registry *, struct span subject, int32_t version,
    const struct schema_request *, struct arena *, bool *compatible, struct level_messages *, struct refusal *);

/*
 * The live version that the registration of this schema would find again, so that nothing need be
 * written; NULL where there is none, or (then it says a problem) with the refusal, or REGISTRY_AGAIN.
 */
const struct version_entry *registry_registered(const struct registry *, struct span subject,
    const struct schema_request *, struct arena *, struct refusal *);

/*
 * Settings.  A config is a record's value: the one set for just this subject (null: globally; ":.ctx:": for a
 * context), or the first that counts for it; NULL where nothing is set.  A field of the latter, or NULL: some fields
 * that a subject's config does not have are those of the global one.  The default level is that of registry_new().
 */
const struct json *registry_own_config(const struct registry *, struct span subject);
const struct json *registry_config(const struct registry *, struct span subject);
const struct json *registry_config_field(const struct registry *, struct span subject, const char *name);
enum level registry_default_level(const struct registry *);
enum level registry_level(const struct registry *, struct span subject);
bool registry_normalize(const struct registry *, struct span subject);

/* The mode set for just this subject (null: globally; ":.ctx:": for a context), or the null span; the mode in force. */
struct span registry_own_mode(const struct registry *, struct span subject);
struct span registry_mode(const struct registry *, struct span subject);

/* ---- associations: subjects that belong to resources, such as topics ---- */

/* Which subject a resource has for its keys, values or whatever else. */
struct association {
	struct span subject; /* qualified */
	struct span guid;    /* null: it has none */
	struct span resource_name, resource_namespace, resource_type;
	struct span resource_id; /* empty: it has none */
	struct span type;        /* "key", "value" */
	bool strong;             /* the subject is the resource's own: it has no other association */
	bool frozen;             /* it stays as it is */
	int64_t create_ts_ms;    /* 0: not known */
	int64_t update_ts_ms;    /* of its record */
};

/* What associations are found by. */
enum association_by {
	ASSOCIATIONS_BY_NAME, /* of the resource, in whatever namespace */
	ASSOCIATIONS_BY_ID,   /* of the resource */
	ASSOCIATIONS_BY_SUBJECT,
	ASSOCIATIONS_BYS
};

/* Walks the associations of a resource or subject, sorted by resource, type and subject.  Start with *it = 0; NULL at the end. */
const struct association *registry_next_association(const struct registry *, enum association_by, struct span of,
    size_t *it);

/* What is to be written, in this order, and what it leads to. */
struct plan {
	struct plan_write {
		struct span key;
		struct span value; /* null: a tombstone */
	} *writes; /* arena */
	size_t n_writes, cap_writes; /* n_writes 0: nothing need be */
	int32_t id, version;   /* of a registration */
	int32_t *versions;     /* of the deletion of a subject: those that go; arena */
	size_t n_versions;
	struct association_outcome *outcomes; /* of changes of associations: arena */
	size_t n_outcomes;

	/* Of registrations that are written in one transaction: */
	const struct plan *earlier;  /* the one before it; NULL: none */
	struct span subject;
	uint8_t hash[16];
};

/*
 * Plans for what changes the registry.  False with the refusal.  The order of checks is that of
 * Confluent's registry.  Arena.  `earlier`: registrations that are not applied yet, and will be before this one or not
 * at all; NULL: none.  REGISTRY_WAITS where their outcome matters.
 */
bool registry_plan_register(const struct registry *, struct span subject, const struct schema_request *,
    const struct plan *earlier, struct arena *, struct plan *, struct refusal *);

/* A version anew with other tags, metadata and rules. */
struct tag_request {
	int32_t new_version; /* 0: not given */
	const struct schema_tags *add, *remove;
	size_t n_add, n_remove;
	const struct json *metadata, *rule_set; /* NULL: those of the version */
	const struct json *rules_to_merge, *rules_to_remove; /* into, and (an array of names) out of those before the new version */
};

bool registry_plan_tag(const struct registry *, struct span subject, int32_t version, const struct tag_request *,
    struct arena *, struct plan *, struct refusal *);
bool registry_plan_delete_subject(const struct registry *, struct span subject, bool permanent,
    struct arena *, struct plan *, struct refusal *);
bool registry_plan_delete_version(const struct registry *, struct span subject, int32_t version,
    bool permanent, struct arena *, struct plan *, struct refusal *);

/* `scope`: the context as a subject without a name, ":.ctx:"; one that is not empty is refused. */
bool registry_plan_delete_context(const struct registry *, struct span scope, struct arena *, struct plan *,
    struct refusal *);

/*
 * `update`: the request's object, all of whose fields have their types (see canonical.h for what is said where one
 * has not); absent fields keep their value, null clears them.  Null subject: global.
 */
bool registry_check_config(const struct json *update, struct arena *, struct misfit *);
bool registry_plan_put_config(const struct registry *, struct span subject, const struct json *update,
    struct arena *, struct plan *, struct refusal *);
bool registry_plan_delete_config(const struct registry *, struct span subject, struct arena *,
    struct plan *, struct refusal *);

/* A change of modes. */
struct mode_request {
	struct span mode; /* to be put; null: as if it were deleted */
	bool force;       /* imports begin with what is there */
	bool recursive;   /* of a deletion: of all subjects of a context, too */
	bool fixed;       /* none may be changed: what can't be is refused for its own reason before */
};

bool registry_plan_put_mode(const struct registry *, struct span subject, const struct mode_request *,
    struct arena *, struct plan *, struct refusal *);
bool registry_plan_delete_mode(const struct registry *, struct span subject, const struct mode_request *,
    struct arena *, struct plan *, struct refusal *);

/* ---- changes of associations ---- */

enum association_op {
	ASSOCIATION_CREATE, /* one that is there must be the same */
	ASSOCIATION_UPSERT, /* one that is there is changed */
	ASSOCIATION_DELETE
};

enum said {
	SAID_NOTHING,
	SAID_NO,
	SAID_YES
};

struct association_change {
	enum association_op op;
	struct span subject; /* qualified; null: not given */
	struct span type;    /* empty: "value" */
	enum said strong, frozen;
	const struct schema_request *schema; /* to be registered; NULL: none */
	uint8_t guid[16];    /* for one that is made: nobody else's */
	bool cascade;        /* of a deletion: a subject that is the resource's own goes with it, for good */
};

/* Changes of a resource's associations, all or none of them. */
struct association_request {
	struct span resource_name, resource_namespace, resource_id, resource_type; /* empty or null: not given */
	struct association_change *changes;
	size_t n;
	int64_t now_ms; /* since 1970 */
	bool dry_run;   /* the resource need not have an id yet */
};

/* What an association is then that was made, changed or found the same; those that were deleted have none. */
struct association_outcome {
	struct span subject, type;
	bool strong, frozen;
	int32_t version; /* that bears the schema which came along; 0: none did */
	int32_t id;      /* of the schema */
	const struct schema_request *schema;
};

enum { ASSOCIATIONS_MAX = 100000 }; /* of all resources; one more is refused */

/*
 * Checked is first the request by itself, then each change against what is there, then how many there are, and last the
 * schemas.  The outcomes are those of the changes that delete nothing, in their order.
 */
bool registry_plan_associate(const struct registry *, const struct association_request *, struct arena *, struct plan *,
    struct refusal *);

/* The deletion of a resource's associations, of these types (none: all). */
struct dissociation {
	struct span resource_id, resource_type; /* type empty: any */
	const struct span *types;
	size_t n_types;
	bool cascade;
};

bool registry_plan_dissociate(const struct registry *, const struct dissociation *, struct arena *, struct plan *,
    struct refusal *);

/* What puts right what aborted records say; nothing to write where there are none.  Not all at once: until it is nothing. */
bool registry_plan_mend(const struct registry *, struct arena *, struct plan *, struct refusal *);

#endif
