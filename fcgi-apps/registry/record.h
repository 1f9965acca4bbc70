/*
 * record.h -- the records of the topic `_schemas`, as Confluent's registry writes them.
 *
 * Keys and values are JSON; the order of what they hold and every byte of the keys
 * matter, since the topic is compacted by them.  Pure.
 */
#ifndef REGISTRY_RECORD_H
#define REGISTRY_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "json/tree.h"

enum record_type {
	RECORD_SCHEMA,
	RECORD_CONFIG,
	RECORD_MODE,
	RECORD_NOOP,
	RECORD_DELETE_SUBJECT,
	RECORD_CLEAR_SUBJECT,
	RECORD_CONTEXT,
	RECORD_ASSOC,
	RECORD_TYPES
};

struct reference {
	struct span name, subject;
	int32_t version;
};

/* One record.  Spans are borrowed from the bytes it was read from, or from its arena. */
struct record {
	enum record_type type;
	bool tombstone;      /* the value is null */
	struct span subject; /* qualified (":.context:name", or bare); null: all of the normal context */
	int32_t version;     /* SCHEMA; DELETE_SUBJECT: versions up to this */
	int64_t seq;         /* of keys that Redpanda wrote: the offset that the record was meant for; -1: none */

	/* SCHEMA */
	int32_t id;
	struct span schema_type;     /* "AVRO" where the record has none */
	const struct reference *references;
	size_t n_references;
	const struct json *metadata, *rule_set; /* in their form (canonical.h); NULL: none */
	struct span schema;
	bool deleted;

	/* CONFIG: the value as it is; the state machine knows its fields. */
	const struct json *config;

	/* MODE */
	struct span mode; /* "READWRITE", ... */

	/* CONTEXT */
	struct span context;

	/* ASSOC; with the subject, the first four are its key.  None of these has a byte of zero. */
	struct span resource_name, resource_namespace, resource_type, association_type;
	struct span resource_id, guid; /* null: it has none */
	bool strong;                   /* lifecycle STRONG, else WEAK */
	bool frozen;
	int64_t create_ts_ms;          /* 0: not known */
};

/*
 * Reads a record.  `value` null: a tombstone.  False when it can't be understood, with a
 * constant sentence in `why`: such a record is passed over, and its key kept in the topic.  What was read before the
 * mistake was met is told all the same: type, subject and id of a schema.
 * Unknown fields are ignored, fields may come in any order, magic 0 and 1 are taken.
 */
bool record_read(struct arena *, struct span key, struct span value, struct record *out,
    const char **why);

/* Appends the key, or the value (of any type but CONFIG and NOOP), of a record. */
void record_put_key(struct buf *to, const struct record *);
void record_put_value(struct buf *to, const struct record *);

/* The MD5 that makes two schemas the same: text, references, metadata, rule set (not type, not subject). */
void record_hash(const struct record *, uint8_t out[16]);

#endif
