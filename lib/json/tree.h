/*
 * tree.h -- a JSON text as a tree in an arena, for texts that are small or must
 * be looked at twice: schemas, settings, the registry's requests.
 *
 * Members keep their order.  Numbers keep their text, so that nothing is lost of
 * them.  Of members of the same name json_get() finds the last, as Jackson does.
 */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "json/scan.h"
#include "json/write.h"

struct json {
	enum json_token kind; /* JSON_NULL to JSON_OBJECT */
	struct span text;     /* of a string: its characters; of a number: as written */
	struct span name;     /* of a member of an object; else null */
	struct json *first;   /* of an array or object: its values */
	struct json *next;    /* the value behind this one in the same array or object */
	size_t n;             /* of an array or object: how many values */
};

struct json_mistake {
	char text[160]; /* one sentence with line and column, fit to be shown to whoever sent it */
	bool memory;    /* not the text is to blame: the arena is used up */
};

/*
 * Parses a text that is one value.  Arena; NULL with `why` filled where it is none.
 * Strings without escapes point into `text`, which must live as long as the tree.
 */
struct json *json_parse(struct arena *, struct span text, struct json_mistake *why);

/*
 * The same of the one value that a text begins with, as Jackson reads one; `rest`:
 * what stands behind it, whatever that is.  `comments`: they are taken (scan.h).
 */
struct json *json_parse_first(struct arena *, struct span text, bool comments, struct span *rest,
    struct json_mistake *why);

/* The value of the member of this name, or NULL; NULL also when `in` is NULL or no object. */
const struct json *json_get(const struct json *in, const char *name);

/* Whether it is not there, or null. */
static inline bool
json_is_absent(const struct json *v)
{
	return v == NULL || v->kind == JSON_NULL;
}

/* Whether it is (there and) of this kind, a string of this text, an integer. */
bool json_is_kind(const struct json *, enum json_token kind);
bool json_is_text(const struct json *, const char *text);
bool json_is_int(const struct json *, int64_t *out);

/*
 * Appends it compactly, as Jackson prints a tree that it has parsed: order kept,
 * UTF-8 as it is, integers as written, numbers with a fraction or an exponent as
 * Java's Double.toString() would (json_put_double() of write.h).
 */
void json_print(struct buf *to, const struct json *);

/* The same as a value among others. */
void json_put_tree(struct json_out *, const struct json *);

#endif
