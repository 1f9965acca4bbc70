/* registry_internal.h -- the state itself, for the files that are the state machine. */
#ifndef REGISTRY_REGISTRY_INTERNAL_H
#define REGISTRY_REGISTRY_INTERNAL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "registry/names.h"
#include "registry/registry.h"

/*
 * Keys of records of one thing whose bytes are not those that we write.  The topic is compacted by
 * bytes: for the thing to be gone, each needs a tombstone.
 */
struct odd_key {
	struct odd_key *next;   /* of the same thing */
	size_t n;
	uint8_t bytes[];
};

/* A schema, once for all versions of its context that have it; goes with the last of them. */
struct content {
	struct schema_entry entry;
	uint8_t id_key[4];      /* the id, as a key of the context's table */

	/*
	 * By what it is told apart from schemas that are looked for, kept once one was (lookup.c): fingerprints of it as it
	 * is printed, and with its references written out; 0: not known.  Below each, where there are references, when: the
	 * registry's `moved`.  Whoever only reads the state may make them: each comes to the same.
	 */
	_Atomic uint64_t printed, resolved;

	struct context *context;
	struct list same_guid;  /* a ring without a head: the same schema, in whatever context; behind each the one before it */
	struct list namesakes;  /* such a ring of those of this context, as they came */
	struct list uses;       /* of struct version, by `use`; not empty but while it is made */
	size_t n_uses, n_live;  /* of them: all, and those that are not deleted */
	struct arena trees;     /* of metadata and rule set; empty as a rule */
	char bytes[];           /* what the entry points to, and its links */
};

/* A reference of a content to a version; where it names one twice, there is one link that counts. */
struct link {
	struct list at;         /* in the target's `links` */
	struct target *to;      /* NULL: it does not count */
	struct content *by;
};

struct version {
	struct version_entry entry;
	struct subject *subject;
	struct content *content;
	struct list use;
	struct odd_key *keys;   /* owned */
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
	struct map by_id, by_hash; /* struct content; of a hash the first */
	int32_t max_id;
	size_t n_subjects;
	bool recorded;          /* it has a record of its own */
	struct odd_key *keys;   /* owned; of that */
	struct span name;       /* "." or ".ctx" */
	char bytes[];
};

/* What was set for a subject, a context (":.ctx:"), all of them (":.__GLOBAL:"), or globally (""). */
struct scope {
	struct arena trees;        /* the config's */
	const struct json *config; /* NULL: nothing */
	struct span alias;         /* the subject that it stands for, qualified; in trees; null: none */
	struct span mode;          /* owned; null: nothing */
	struct odd_key *config_keys, *mode_keys; /* owned */
	struct span name;
	char bytes[];
};

/* Those who refer to a version of a subject. */
struct target {
	struct list links;      /* of struct link, by `at`: of each content one, in the order that they came */
	size_t n;
	struct span key;        /* the version's number and the subject */
	uint8_t bytes[];
};

/* How an association is kept, and the names that it is sorted by. */
struct association_node {
	struct association entry;
	struct odd_key *keys; /* owned */
	struct span sorted[ASSOCIATIONS_BYS];
	char bytes[];
};

struct registry {
	enum level level;
	struct map subjects;    /* struct subject, by name */
	struct names sorted;    /* the same */
	struct map contexts;    /* struct context */
	struct names sorted_contexts;
	struct context *normal; /* "." */
	struct map by_guid;     /* struct content: the newest of its guid */
	struct map scopes;      /* struct scope */
	struct map targets;     /* struct target */
	uint32_t moved;         /* from 1: how often something became of a version that schemas refer to */
	struct map odd_keys;    /* struct odd_key, of whatever thing: a key is of one */
	struct map mends;       /* struct mend, by key */
	struct names associations[ASSOCIATIONS_BYS]; /* struct association_node, the same in each */
	size_t n_associations;
};

/* The mode, level or policy of a name in any case, spelled as it is stored; NULL: it is none. */
const char *registry_mode_name(struct span name);
const char *registry_level_name(struct span name);
const char *registry_policy_name(struct span name);

/*
 * The value of a CONFIG record with what it knows in its form, and what it does not as it came.  Arena; false: a field has
 * another type, or a word that is none, which must be spelled as it is stored.
 */
bool state_form_config(struct arena *, const struct json *value, const struct json **out);

/* Parts in a row as one name, byte for byte: a name may hold a zero.  Arena; null: used up. */
struct span state_join(struct arena *, const struct span *parts, size_t n);

struct subject *state_subject(const struct registry *, struct span name);
struct version *state_version(const struct subject *, int32_t version); /* NULL: there is none */
struct version *state_newest(const struct subject *, enum registry_which); /* NULL: there is none */
bool state_is(const struct version *, enum registry_which);
struct context *state_context(const struct registry *, struct span name);
struct content *state_by_hash(const struct registry *, const struct context *, const uint8_t hash[16]);
const struct scope *state_scope(const struct registry *, struct span name);

/* Whether a subject is in a scope: itself, of its context, or (null, and ":.__GLOBAL:") any. */
bool state_in_scope(const struct subject *, struct span scope);

/* How the state changes.  A content is made for a record that brings a new schema, and goes with its last use. */
struct context *state_need_context(struct registry *, struct span name);
struct content *state_make_content(struct registry *, struct context *, const struct record *, const uint8_t hash[16]);
void state_drop_content(struct registry *, struct content *);
bool state_apply_config(struct registry *, const struct record *, struct span key, const char **why);
bool state_apply_mode(struct registry *, const struct record *, struct span key, const char **why);

void state_apply_association(struct registry *, const struct record *, int64_t timestamp_ms, struct span key);

/* The association that a record of type ASSOC is about, by its key; NULL: there is none. */
struct association_node *state_association(const struct registry *, const struct record *);

/* One that says that the subject is a resource's own, or else any of the subject; NULL: there is none. */
const struct association *state_owner(const struct registry *, struct span subject);

void state_free_associations(struct registry *);

/* Notes the key of a record if it is odd; forgets all of a thing. */
void state_note_key(struct registry *, struct odd_key **, const struct record *, struct span key);
void state_free_keys(struct registry *, struct odd_key **);

/* A tree of a record's in an arena that lasts. */
const struct json *state_keep_tree(struct arena *to, const struct json *tree);
void state_free_content(struct content *);
void state_free_scope(struct registry *, struct scope *);

/* A committed record of this key says what is true of it; the end of all that waits to be put right. */
void mend_committed(struct registry *, struct span key);
void mend_done(struct registry *);

/* A record is at most what a broker takes; its tree is some times as large. */
enum { RECORD_ARENA = 256 * 1024 * 1024 };

/* Who refers to a version; NULL: nobody. */
const struct target *state_target(const struct registry *, struct span subject, int32_t version);

/* Walks them (NULL: nobody is there): the first behind NULL; NULL at the end. */
const struct link *state_next_link(const struct target *, const struct link *);

/* Fills the refusal from problems.tbl with its message's arguments, and returns false. */
bool refuse(struct refusal *, struct arena *, enum registry_problem, ...);

/* A span as a C string, for messages.  Arena; "" when used up. */
const char *text_of(struct arena *, struct span);

/* Adds a record to a plan, under our own key.  False: the arena is used up. */
bool plan_add(struct plan *, struct arena *, const struct record *);

/* The same with a value that is made already (moved: the buffer is freed). */
bool plan_add_value(struct plan *, struct arena *, const struct record *, struct buf *value);

/* The same under a key of its own (copied); value NULL: a tombstone. */
bool plan_add_under(struct plan *, struct arena *, struct span key, struct buf *value);

/* The record of a version as it stands, for writing it anew. */
struct record plan_record_of(const struct version *);

/* Adds tombstones for all keys of a thing (its name: the subject, or the context): the odd ones, and our own. */
bool plan_add_tombstones(struct plan *, struct arena *, enum record_type, struct span name, int32_t version,
    const struct odd_key *);

/* Adds all that another plan writes. */
bool plan_add_all(struct plan *, struct arena *, const struct plan *from);

/* Adds the deletion of a whole subject at once, softly and for good; false with the refusal.  One that is not there is well. */
bool plan_delete_whole(const struct registry *, struct span subject, struct arena *, struct plan *, struct refusal *);

/* The record of an association, for writing it anew; tombstones for all its keys. */
struct record plan_record_of_association(const struct association *);
bool plan_add_association_tombstones(struct plan *, struct arena *, const struct association_node *);

/* Refusals by mode: "Subject s in context :.c: is in read-only mode"; the first refuses only where that is so. */
bool plan_refuse_read_only(const struct registry *, struct span subject, struct arena *, struct refusal *);
bool plan_refuse_mode(struct span subject, const char *is, struct arena *, struct refusal *);

/* The context of a subject as refusals tell it: with colons, the normal one empty. */
const char *plan_context(struct span subject, struct arena *);

/* Refuses rules that can be none (NULL is fine). */
bool plan_check_rules(const struct json *, struct arena *, struct refusal *);

/* Refuses names that no subject may have, with schemas, or with settings alone. */
bool plan_check_subject(struct span subject, struct arena *, struct refusal *);
bool plan_check_scope(struct span scope, struct arena *, struct refusal *);

/* The version of a subject (NULL: none) that has this schema, in whatever spelling; or NULL. */
const struct version *state_lookup(const struct registry *, const struct subject *, const struct parsed_schema *,
    enum registry_which, struct arena *);

/* As registry_registered(), however long it takes. */
const struct version_entry *state_registered(const struct registry *, struct span subject, const struct schema_request *,
    struct arena *, struct refusal *);

/* Whether a schema is compatible with those versions that the subject's level asks for; as registry_check(). */
bool state_check(const struct registry *, struct span subject, const struct parsed_schema *, struct arena *,
    bool *compatible, struct level_messages *, struct refusal *);

/*
 * Parses schemas, one after the other, with what they refer to; what several refer to is parsed once, while the state is
 * held still.  Begin with registry, arena, scratch and why; end with state_forget().
 */
struct resolution {
	const struct registry *registry;
	struct arena *arena;   /* of what is told */
	struct arena *scratch; /* of what parsing takes; may be the same */
	struct refusal *why;
	struct known *known;   /* owned */
	int n_known;
	size_t known_bytes;    /* of their texts */
	int depth, total;      /* of the schema that is parsed now: references in each other, and in all */
	size_t bytes;          /* of their texts */
};

/* A stored schema; NULL with the refusal.  Counted: schema_free(). */
struct schema *state_schema(struct resolution *, const struct schema_entry *);
void state_forget(struct resolution *);

/* A request, and one of its references, as Java prints it, for the messages that quote it.  Arena; "" when used up. */
const char *parse_request_text(struct arena *, struct span subject, const struct schema_request *);
const char *parse_reference_text(struct arena *, const struct reference *);

/* Whether a text is none: a request without one means that of the version before. */
bool state_is_blank(struct span text);

/* Whether schemas are imported, so that they stay as they were elsewhere; whether a request's is to be in its normal form. */
bool state_is_import(const struct registry *, struct span subject);
bool state_wants_normal(const struct registry *, struct span subject, const struct schema_request *);

/*
 * Gives a request the metadata and rules that it does not bring itself: those of the version before (NULL: there
 * is none), between those of the configuration.  `version`: the number that it will get; 0: none is told.  Arena;
 * false: used up.  And whether the configuration has any.
 */
bool state_add_extras(const struct registry *, struct span subject, const struct version *before, int32_t version,
    struct arena *, struct schema_request *);
bool state_adds_extras(const struct registry *, struct span subject);

#endif
