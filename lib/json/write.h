/*
 * write.h -- JSON text, put together in a buffer.
 *
 *	struct json_out o = json_out(&buf);
 *
 *	json_open(&o, '{');
 *	json_key(&o, "id");
 *	json_put_int(&o, 7);
 *	json_close(&o, '}');
 *
 * Commas come by themselves.  Compact: no blanks.  A value that is the null span
 * is null.  What the buffer's `failed` says goes for the whole.  Nothing checks
 * that brackets match: that is for tests.
 */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

struct json_out {
	struct buf *to; /* borrowed */
	bool comma;     /* a value stands before the next one */
};

static inline struct json_out
json_out(struct buf *to)
{
	return (struct json_out){ to, false };
}

void json_open(struct json_out *, char bracket);  /* '{' or '[' */
void json_close(struct json_out *, char bracket); /* '}' or ']' */
void json_key(struct json_out *, const char *name); /* a name that needs no escapes */
void json_key_span(struct json_out *, struct span name);

/* A member of an object whose value is this text; none where that is empty. */
void json_put_member(struct json_out *, const char *name, struct span text);

void json_put_null(struct json_out *);
void json_put_bool(struct json_out *, bool);
void json_put_int(struct json_out *, int64_t);
void json_put_str(struct json_out *, const char *); /* NULL: null */

/*
 * A string with the escapes that JSON needs and no others: / and what is not
 * ASCII stay.  Bytes that are no UTF-8 become U+FFFD.
 */
void json_put_span(struct json_out *, struct span);

/*
 * A number as Java's Double.toString() writes it (the shortest that reads back, JDK 19
 * and later); "NaN", "Infinity", "-Infinity" as strings.
 */
void json_put_double(struct json_out *, double);

/* Bytes as a string of base64 (RFC 4648, section 4, with padding). */
void json_put_base64(struct json_out *, struct span);

/* A value that is JSON text already, as it is. */
void json_put_raw(struct json_out *, struct span);

/* JSON text less the white space outside of strings; it must have been found well-formed. */
void json_put_compact(struct json_out *, struct span);

#endif
