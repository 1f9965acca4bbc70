/*
 * scan.h -- JSON (RFC 8259) read token by token, where it lies: no tree, no copy.
 *
 *	struct json_scan s;
 *
 *	json_begin(&s, text);
 *	if (json_next(&s) == JSON_OBJECT)
 *		while (json_next(&s) == JSON_NAME)
 *			if (json_is(&s, "id")) { json_next(&s); ... }
 *			else json_skip(&s);
 *	if (json_next(&s) != JSON_END)
 *		... s.why says what is wrong, s.at where
 *
 * The text must be UTF-8 and one value; strings are checked as they pass, so what
 * was given out is well-formed.  After the first mistake every call gives JSON_BROKEN.
 *
 * Where comments are taken, which RFC 8259 has none of, they are white space:
 * slash and star to star and slash, or two slashes to the end of the line; as Jackson
 * takes them, without control characters but tabs and ends of lines.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

enum { JSON_DEPTH_MAX = 1000 }; /* arrays and objects in each other; what Jackson allows, too */
enum { JSON_NUMBER_MAX = 1000 }; /* digits of a number, but for the 0 of one like 0.1; the same */

enum json_token {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,      /* its values follow, then JSON_ARRAY_END */
	JSON_OBJECT,     /* JSON_NAME and a value for each member, then JSON_OBJECT_END */
	JSON_NAME,
	JSON_ARRAY_END,
	JSON_OBJECT_END,
	JSON_END,        /* of the text, behind the one value */
	JSON_BROKEN
};

struct json_scan {
	enum json_token token; /* the newest */
	struct span text;      /* of a name or string: between its quotes, as written; else all of it */
	bool escaped;          /* the name or string has escapes: json_text() takes them out */
	const char *why;       /* JSON_BROKEN: what is wrong, a constant sentence without full stop */
	bool comments;         /* whether they are taken; set behind json_begin(), which says no */

	const uint8_t *begin, *at, *end; /* borrowed */
	unsigned depth;
	uint8_t expect;                        /* what may follow; the scanner's own */
	uint8_t objects[JSON_DEPTH_MAX / 8 + 1]; /* a bit for each level: object or array */
};

/* Begins to read the text, which is borrowed as long as the scan is used.  A null span is empty. */
void json_begin(struct json_scan *, struct span text);

/* Whether there is no value in it: white space only; `comments`: and these. */
bool json_is_blank(struct span text, bool comments);

enum json_token json_next(struct json_scan *);

/*
 * Passes over one value, to come or (when its first token was just given out)
 * begun, and returns its text as it was sent; the null span when broken.
 */
struct span json_skip(struct json_scan *);

/* Whether the name or string is this, escapes taken out. */
bool json_is(const struct json_scan *, const char *text);

/* Appends the name or string with its escapes taken out: UTF-8; a lone surrogate becomes U+FFFD. */
void json_text(const struct json_scan *, struct buf *to);

/* The number as an integer; false when it has a fraction or an exponent, or is out of range. */
bool json_int(const struct json_scan *, int64_t *out);

/* The number as the nearest double. */
double json_double(const struct json_scan *);

/* Of JSON_BROKEN: line and column (in bytes), from 1, of where it broke. */
void json_place(const struct json_scan *, int *line, int *column);

#endif
