/*
 * wire.h -- Kafka messages between bytes and structs.
 *
 * kafka.tbl lists the messages; wiregen.awk makes of it a struct per message,
 * a descriptor per struct, and typed functions (kafka_wire.h).  All of these
 * end in the one walker here, which alone judges versions, nulls, tags and
 * lengths.  For a message x of the table:
 *
 *	void wire_x_default(struct wire_x *)
 *		sets every field to its default.  Each struct inside a message
 *		has such a function, too.  A struct of zeroes is NOT one of
 *		defaults: many fields default to -1, and strings to "".
 *	int wire_x_decode(struct wire_in *, int version, struct wire_x *)
 *		0, or -1 with in->error and in->field saying why.  Fields that
 *		the version lacks get their defaults.  Strings, bytes and
 *		records are views into the input; arrays are arena.
 *	void wire_x_encode(struct gather *, int version, const struct wire_x *)
 *		appends the message.  Records above WIRE_COPY_MAX bytes are
 *		borrowed until it is sent, all else is copied.  What cannot be
 *		sent (no memory, a string above 32767 bytes) sets
 *		gather.buf.failed.
 *
 * A record of the daemon's own logs bears its version in its first two bytes,
 * so these functions have no argument for it: encoding writes the newest
 * version, decoding reads any that is known.
 *
 * How types look in a struct:
 *
 *	string, bytes, records	struct span; p == NULL is null
 *	array `topics`		`topics` and `n_topics`; where null is allowed,
 *				NULL is null and non-NULL with 0 is empty (so
 *				arena_array(a, 0, ..) is empty); decoding always
 *				gives non-NULL for empty.  Where it is not
 *				allowed, NULL with 0 encodes as empty.
 *	struct			the struct; where null is allowed, a pointer to it,
 *				NULL for null; decoding takes it from the arena
 *	uuid			uint8_t [16]
 *	error			int16_t, an enum kafka_error
 *
 * Encoding leaves out a value that the version lacks, unless the table marks
 * the field `must`: then it is our bug, as is a null string (p == NULL) where
 * the version has no null, and ends the process.  So set strings to "" with
 * wire_x_default() before answering with an error.
 *
 * Nothing here keeps state; any thread may call anything.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/gather.h"

/* Records of up to this many bytes are copied by encoding. */
enum { WIRE_COPY_MAX = 1024 };

/*
 * A sticky reader.  After an error it reads nothing more; the first error
 * stays.
 */
struct wire_in {
	const uint8_t *p, *end; /* what is left; borrowed */
	struct arena *arena;    /* where arrays go; its cap bounds them */
	const char *error;      /* constant text; NULL: none so far */
	const char *field;      /* the innermost field read last, for the log */
};

static inline void
wire_in_init(struct wire_in *in, struct span from, struct arena *arena)
{
	if (from.p == NULL)
		from = span_of("", 0);
	*in = (struct wire_in){ from.p, from.p + from.n, arena, NULL, "" };
}

/* ---- descriptors, made by wiregen.awk ---- */

enum wire_kind {
	WIRE_KIND_BOOL,
	WIRE_KIND_INT8,
	WIRE_KIND_INT16,
	WIRE_KIND_ERROR, /* an int16 on the wire */
	WIRE_KIND_INT32,
	WIRE_KIND_INT64,
	WIRE_KIND_UUID,
	WIRE_KIND_STRING,
	WIRE_KIND_BYTES,
	WIRE_KIND_RECORDS,
	WIRE_KIND_STRUCT
};

struct wire_struct;

struct wire_field {
	const char *name;
	const struct wire_struct *type; /* of WIRE_KIND_STRUCT */
	int64_t number;                 /* default of a number or bool */
	uint16_t offset;                /* of the member */
	uint16_t n_offset;              /* array: of its count */
	int16_t from, to;               /* versions that have it */
	int16_t null_from, null_to;     /* versions that allow null */
	int16_t tag;                    /* -1: not tagged */
	uint8_t kind;                   /* enum wire_kind; array: of an element */
	bool array;
	bool null_default;
	bool must;
	bool classic;
};

struct wire_struct {
	size_t size;
	const struct wire_field *fields; /* tags rise */
	size_t n_fields;
	bool tags; /* some field is tagged */
};

enum wire_message_kind {
	WIRE_MESSAGE_API,
	WIRE_MESSAGE_HEADER, /* more bytes follow it */
	WIRE_MESSAGE_RECORD
};

struct wire_message {
	const char *name; /* fetch_request */
	enum wire_message_kind kind;
	int16_t min, max;
	int16_t flexible_from; /* INT16_MAX: never */
	const struct wire_struct *body;
};

struct wire_api {
	int16_t key;
	const char *name; /* fetch */
	int16_t min, max; /* to be advertised */
	int16_t flexible_from;
	const struct wire_message *request, *response;
};

/* All APIs by rising key; all messages in the table's order. */
extern const struct wire_api wire_apis[];
extern const size_t wire_n_apis;
extern const struct wire_message *const wire_messages[];
extern const size_t wire_n_messages;

/* ---- looking up ---- */

/* NULL when the table has no such API. */
const struct wire_api *wire_api_find(int key);

/* The message of that name ("fetch_request"), or NULL. */
const struct wire_message *wire_message_find(struct span name);

/*
 * The version of the header before a request or a response of `version`, which
 * may lie outside the range of the API: a client asks ApiVersions in a version
 * of its own.  A header begins with key and version, two bytes each; so the
 * first four bytes of a frame tell how to read it:
 *
 *	api = wire_api_find((int16_t)load16(p));
 *	version = (int16_t)load16(p + 2);
 *	wire_request_header_decode(&in, wire_request_header_version(api, version),
 *	    &header);
 */
int wire_request_header_version(const struct wire_api *, int version);
int wire_response_header_version(const struct wire_api *, int version);

/* ---- the walker; kafka_wire.h has the typed forms ---- */

/* A version that the message lacks is refused. */
int wire_decode(struct wire_in *, const struct wire_message *, int version,
    void *to);
int wire_record_decode(struct wire_in *, const struct wire_message *, void *to);

/* The message must have the version. */
void wire_encode(struct gather *, const struct wire_message *, int version,
    const void *from);
void wire_record_encode(struct gather *, const struct wire_message *,
    const void *from);

void wire_default(const struct wire_struct *, void *to);

/* ---- for other walkers: print, parse, random ---- */

static inline bool
wire_has_field(const struct wire_field *f, int version)
{
	return version >= f->from && version <= f->to;
}

static inline bool
wire_allows_null(const struct wire_field *f, int version)
{
	return version >= f->null_from && version <= f->null_to;
}

/* A struct that may be null: what it is, or NULL, stands elsewhere. */
static inline bool
wire_is_pointer(const struct wire_field *f)
{
	return f->kind == WIRE_KIND_STRUCT && !f->array && f->null_from <= f->null_to;
}

/* Bytes of one value (array: of one element; what is pointed to) in memory. */
size_t wire_value_size(const struct wire_field *);

/* Sets one field of the struct at `to` to its default. */
void wire_default_field(const struct wire_field *, void *to);

/* A number or bool in memory, whatever its size. */
int64_t wire_load_number(enum wire_kind, const void *at);
void wire_store_number(enum wire_kind, void *at, int64_t value);

/* An array's pointer and count in the struct at `at`. */
void *wire_load_array(const struct wire_field *, const void *at, size_t *n);
void wire_store_array(const struct wire_field *, void *at, void *array,
    size_t n);

/* A pointer in the struct at `at`. */
void *wire_load_pointer(const struct wire_field *, const void *at);
void wire_store_pointer(const struct wire_field *, void *at, void *to);

/* What an array points to that is empty but not null. */
void *wire_empty_array(void);

#endif
