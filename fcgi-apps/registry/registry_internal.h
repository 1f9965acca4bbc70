/* registry_internal.h -- the state itself, for the files that are the state machine. */
#ifndef REGISTRY_REGISTRY_INTERNAL_H
#define REGISTRY_REGISTRY_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "registry/names.h"
#include "registry/registry.h"

/* A schema, once for all versions of its context that have it; goes with the last of them. */
struct content {
	struct schema_entry entry;
	uint8_t id_key[4];      /* the id, as a key of the context's table */
	struct context *context;
	struct content *same_guid; /* of another context */
	struct list uses;       /* of struct version, by `use`; not empty but while it is made */
	struct arena trees;     /* of metadata and rule set; empty as a rule */
	char bytes[];           /* what the entry points to */
};

struct version {
	struct version_entry entry;
	struct subject *subject;
	struct content *content;
	struct list use;
	struct span key;        /* owned; the record's key where its bytes are not those that we write; else null */
};

struct subject {
	struct context *context;
	struct version **versions; /* owned; by number */
	size_t n, cap;
	size_t n_live;
	struct span name;       /* qualified; points behind */
	char bytes[];
};

/* Ids are counted here. */
struct context {
	struct map by_id, by_hash; /* struct content */
	int32_t max_id;
	size_t n_subjects;
	struct span name;       /* "." or ".ctx" */
	char bytes[];
};

/* What was set for a subject, a context (":.ctx:"), all of them (":.__GLOBAL:"), or globally (""). */
struct scope {
	struct arena trees;        /* the config's */
	const struct json *config; /* NULL: nothing */
	struct span mode;          /* owned; null: nothing */
	struct span config_key, mode_key; /* owned; the records' keys, as with versions */
	struct span name;
	char bytes[];
};

/* Those who refer to a version of a subject. */
struct target {
	struct content **by; /* owned */
	size_t n, cap;
	struct span key;        /* the version's number and the subject */
	uint8_t bytes[];
};

struct registry {
	enum level level;
	struct map subjects;    /* struct subject, by name */
	struct names sorted;    /* the same */
	struct map contexts;    /* struct context */
	struct names sorted_contexts;
	struct context *normal; /* "." */
	struct map by_guid;     /* struct content: the first of its guid */
	struct map scopes;      /* struct scope */
	struct map targets;     /* struct target */
};

/* The mode of a name in any case, spelled as it is stored; NULL: it is none. */
const char *registry_mode_name(struct span name);

/* state.c */
struct subject *state_subject(const struct registry *, struct span name);
struct version *state_version(const struct subject *, int32_t version); /* NULL: there is none */
struct version *state_newest(const struct subject *, enum registry_which); /* NULL: there is none */
bool state_is(const struct version *, enum registry_which);
struct context *state_context(const struct registry *, struct span name);
struct content *state_by_hash(const struct registry *, const struct context *, const uint8_t hash[16]);
const struct scope *state_scope(const struct registry *, struct span name);

/* The subject that a reference means: an unqualified one is of the context of who refers.  Arena; null: used up. */
struct span state_reference(struct arena *, struct span context, struct span subject);

/* Who refers to a version. */
const struct target *state_target(const struct registry *, struct span subject, int32_t version);

/* Fills the refusal from problems.tbl with its message's arguments, and returns false. */
bool refuse(struct refusal *, struct arena *, enum registry_problem, ...);

/* A span as a C string, for messages.  Arena; "" when used up. */
const char *text_of(struct arena *, struct span);

/* Adds a record to a plan; `key` null: as record_put_key() has it.  False: the arena is used up. */
bool plan_add(struct plan *, struct arena *, const struct record *, struct span key);
bool plan_add_bytes(struct plan *, struct arena *, struct span key, struct span value);

/* Refusals by mode: "Subject s in context . is [not] in read-only mode"; the first refuses only where that is so. */
bool plan_refuse_read_only(const struct registry *, struct span subject, struct arena *, struct refusal *);
bool plan_refuse_mode(struct span subject, const char *mode, bool is, struct arena *, struct refusal *);

/* Refuses names that no subject may have. */
bool plan_check_subject(struct span subject, struct arena *, struct refusal *);

/* The version of a subject (NULL: none) that has this schema, in whatever spelling; or NULL. */
const struct version *state_lookup(const struct registry *, const struct subject *, const struct parsed_schema *,
    enum registry_which, struct arena *);

/* The field of the first config in force that has it, or NULL. */
const struct json *registry_config_field(const struct registry *, struct span subject, const char *name);

#endif
