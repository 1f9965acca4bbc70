/* types.c -- the types of an Avro schema, found in its JSON text. */
#include "weir/types.h"

#include <stdlib.h>

#include "base/must.h"

static const struct {
	const char *name;
	enum type_kind kind;
} spelled[] = {
	{ "record", TYPE_RECORD },
	{ "error", TYPE_RECORD },
	{ "enum", TYPE_ENUM },
	{ "fixed", TYPE_FIXED },
	{ "array", TYPE_ARRAY },
	{ "map", TYPE_MAP },
};

static bool
is_primitive(struct span name)
{
	static const char *const names[] = { "null", "boolean", "int", "long", "float", "double", "bytes", "string" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (span_is(name, names[i]))
			return true;
	return false;
}

/* The kind of what the member "type" of a definition spells. */
static enum type_kind
kind_of(const struct json *type)
{
	for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++)
		if (json_is_text(type, spelled[i].name))
			return spelled[i].kind;
	return TYPE_UNKNOWN;
}

static struct span
before_dot(struct span name)
{
	size_t n = name.n;

	while (n > 0 && name.p[n - 1] != '.')
		n--;
	return n == 0 ? span_of(NULL, 0) : span_of(name.p, n - 1);
}

struct span
type_simple(struct span name)
{
	struct span space = before_dot(name);

	return space.p == NULL ? name : span_of(name.p + space.n + 1, name.n - space.n - 1);
}

/* A name in full: as it is where it has a dot, or there is no namespace. */
static struct span
full_name(struct arena *a, struct span name, struct span space)
{
	const char *text;

	if (space.n == 0 || memchr(name.p, '.', name.n) != NULL)
		return name;
	text = arena_printf(a, "%.*s.%.*s", (int)space.n, (const char *)space.p, (int)name.n, (const char *)name.p);
	must_fit(text != NULL);
	return span_str(text);
}

static struct span
text_of(const struct json *in, const char *name)
{
	const struct json *v = json_get(in, name);

	return json_is_kind(v, JSON_STRING) ? v->text : span_of(NULL, 0);
}

/* A record, enum or fixed where it is defined. */
static struct type
define(const struct types *t, const struct json *def, enum type_kind kind, struct span space)
{
	struct span name = text_of(def, "name"), own = text_of(def, "namespace");

	if (name.p == NULL)
		name = span_str("");
	name = full_name(t->arena, name, own.p != NULL ? own : space);
	return (struct type){ kind, name, def, before_dot(name) };
}

static struct type
by_name(const struct types *t, struct span name, struct span space)
{
	const struct type *found;

	if (is_primitive(name))
		return (struct type){ TYPE_PRIMITIVE, name, NULL, space };
	if ((found = map_get(&t->by_name, full_name(t->arena, name, space))) != NULL ||
	    (found = map_get(&t->by_name, name)) != NULL)
		return *found;
	return (struct type){ TYPE_UNKNOWN, full_name(t->arena, name, space), NULL, space };
}

struct type
type_at(const struct types *t, const struct json *j, struct span space)
{
	const struct json *type = json_get(j, "type");
	enum type_kind kind = kind_of(type);
	struct type inner;

	if (json_is_kind(j, JSON_STRING))
		return by_name(t, j->text, space);
	if (json_is_kind(j, JSON_ARRAY))
		return (struct type){ TYPE_UNION, span_of(NULL, 0), j, space };
	if (kind == TYPE_RECORD || kind == TYPE_ENUM || kind == TYPE_FIXED)
		return define(t, j, kind, space);
	if (kind != TYPE_UNKNOWN)
		return (struct type){ kind, span_of(NULL, 0), j, space };
	/* {"type": X}: X, and with a primitive what is said of it. */
	inner = type == NULL ? (struct type){ .kind = TYPE_UNKNOWN, .space = space } : type_at(t, type, space);
	if (inner.kind == TYPE_PRIMITIVE && inner.def == NULL)
		inner.def = j;
	return inner;
}

/* Puts the types defined in there into the table; the first definition of a name counts. */
static void
collect(struct types *t, const struct json *j, struct span space)
{
	struct type here = type_at(t, j, space), *kept;
	const struct json *fields = json_get(j, "fields");

	if (json_is_kind(j, JSON_ARRAY)) {
		for (const struct json *e = j->first; e != NULL; e = e->next)
			collect(t, e, space);
		return;
	}
	if (!json_is_kind(j, JSON_OBJECT))
		return;
	if (here.def != j || here.kind == TYPE_PRIMITIVE) {
		collect(t, json_get(j, "type"), space);
		return;
	}
	if (type_is_named(&here) && map_get(&t->by_name, here.name) == NULL) {
		must_fit((kept = arena_copy(t->arena, &here, sizeof here)) != NULL);
		must_fit(map_put(&t->by_name, kept->name, kept));
	}
	for (const struct json *f = json_is_kind(fields, JSON_ARRAY) ? fields->first : NULL; f != NULL; f = f->next)
		collect(t, json_get(f, "type"), here.space);
	collect(t, json_get(j, "items"), here.space);
	collect(t, json_get(j, "values"), here.space);
}

void
types_read(struct types *t, struct arena *a, const struct json *schema)
{
	*t = (struct types){ .arena = a };
	collect(t, schema, span_of(NULL, 0));
}

void
types_done(struct types *t)
{
	map_done(&t->by_name);
}

/* ---- words ---- */

static void
describe_element(struct buf *to, const struct types *t, const struct type *of, const char *words, const char *member)
{
	struct type element = type_at(t, json_get(of->def, member), of->space);

	buf_printf(to, "%s", words);
	type_describe(to, t, &element);
}

static void
describe_union(struct buf *to, const struct types *t, const struct type *of)
{
	if (of->def->first == NULL)
		buf_printf(to, "empty union");
	for (const struct json *j = of->def->first; j != NULL; j = j->next) {
		struct type branch = type_at(t, j, of->space);

		if (j != of->def->first)
			buf_printf(to, " or ");
		type_describe(to, t, &branch);
	}
}

void
type_describe(struct buf *to, const struct types *t, const struct type *of)
{
	static const char *const words[] = { [TYPE_RECORD] = "record ", [TYPE_ENUM] = "enum ", [TYPE_FIXED] = "fixed " };
	struct span logical = text_of(of->def, "logicalType");

	if (of->kind == TYPE_ARRAY)
		describe_element(to, t, of, "array of ", "items");
	else if (of->kind == TYPE_MAP)
		describe_element(to, t, of, "map of ", "values");
	else if (of->kind == TYPE_UNION)
		describe_union(to, t, of);
	else {
		buf_printf(to, "%s", type_is_named(of) ? words[of->kind] : "");
		buf_span(to, of->name.p == NULL ? span_str("what is no type") : of->name);
	}
	if (logical.p != NULL)
		buf_printf(to, " (%.*s)", (int)logical.n, (const char *)logical.p);
}

/* ---- pointers ---- */

/* Takes the next token off a JSON pointer; false at its end. */
static bool
next_token(struct span *pointer, struct span *token)
{
	size_t n = 0;

	if (pointer->n == 0 || pointer->p[0] != '/')
		return false;
	*pointer = span_of(pointer->p + 1, pointer->n - 1);
	while (n < pointer->n && pointer->p[n] != '/')
		n++;
	*token = span_of(pointer->p, n);
	*pointer = span_of(pointer->p + n, pointer->n - n);
	return true;
}

/* The element of a list that a token counts; NULL: there is none. */
static const struct json *
element_at(const struct json *list, struct span token)
{
	const struct json *j = json_is_kind(list, JSON_ARRAY) ? list->first : NULL;
	long n = 0;

	for (size_t i = 0; i < token.n && n < 1000000; i++)
		n = n * 10 + (token.p[i] - '0');
	while (j != NULL && n-- > 0)
		j = j->next;
	return j;
}

/* A step down to the field of a record that the next token counts; false: there is none. */
static bool
step_field(const struct types *t, struct span *pointer, struct type *at, struct buf *path)
{
	struct span token;
	const struct json *field = next_token(pointer, &token) ? element_at(json_get(at->def, "fields"), token) : NULL;
	const struct json *name = json_get(field, "name");

	if (at->kind != TYPE_RECORD || !json_is_kind(name, JSON_STRING))
		return false;
	buf_u8(path, '.');
	buf_span(path, name->text);
	*at = type_at(t, json_get(field, "type"), at->space);
	return true;
}

/* A step down to the elements of an array or a map; false: it is none. */
static bool
step_element(const struct types *t, enum type_kind kind, const char *member, const char *sign, struct type *at,
    struct buf *path)
{
	if (at->kind != kind)
		return false;
	buf_printf(path, "%s", sign);
	*at = type_at(t, json_get(at->def, member), at->space);
	return true;
}

static bool
step(const struct types *t, struct span token, struct span *pointer, struct type *at, struct buf *path)
{
	if (span_is(token, "fields"))
		return step_field(t, pointer, at, path);
	if (span_is(token, "items"))
		return step_element(t, TYPE_ARRAY, "items", "[]", at, path);
	if (span_is(token, "values"))
		return step_element(t, TYPE_MAP, "values", "{}", at, path);
	/* "type", "name", "size", "symbols" and branches of unions tell what of it, not where. */
	return true;
}

const char *
type_path(const struct types *t, const struct json *schema, struct span pointer)
{
	struct type at = type_at(t, schema, span_of(NULL, 0));
	struct buf path = { 0 };
	const char *text = NULL;
	struct span token;
	bool good = true;

	if (type_is_named(&at))
		buf_span(&path, type_simple(at.name));
	while (good && next_token(&pointer, &token))
		good = step(t, token, &pointer, &at, &path);
	if (good) {
		must_fit(!path.failed);
		must_fit((text = arena_printf(t->arena, "%.*s", (int)path.n, (const char *)path.p)) != NULL);
	}
	buf_done(&path);
	return text;
}
