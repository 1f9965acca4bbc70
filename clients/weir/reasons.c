/* reasons.c -- why a schema is not compatible, in plain sentences. */
#include "weir/reasons.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "weir/types.h"

/* ---- pieces of messages ---- */

/* What stands behind a text in a message; null: it is not there. */
static struct span
behind(struct span s, const char *before)
{
	size_t n = strlen(before);
	const uint8_t *at = memmem(s.p, s.n, before, n);

	return at == NULL ? span_of(NULL, 0) : span_of(at + n, s.n - n - (size_t)(at - s.p));
}

/* What stands between two texts, up to the first place of the second. */
static struct span
up_to(struct span s, const char *before, const char *after)
{
	struct span rest = behind(s, before);
	const uint8_t *end = rest.p == NULL ? NULL : memmem(rest.p, rest.n, after, strlen(after));

	return end == NULL ? span_of(NULL, 0) : span_of(rest.p, (size_t)(end - rest.p));
}

/* The same where the second one ends the message, since what is between may have anything in it. */
static struct span
between(struct span s, const char *before, const char *after)
{
	struct span rest = behind(s, before);
	size_t n = strlen(after);

	if (rest.p == NULL || rest.n < n || memcmp(rest.p + rest.n - n, after, n) != 0)
		return span_of(NULL, 0);
	return span_of(rest.p, rest.n - n);
}

static const char *
copy(struct arena *a, struct span s)
{
	const char *text = arena_printf(a, "%.*s", (int)s.n, s.n == 0 ? "" : (const char *)s.p);

	must_fit(text != NULL);
	return text;
}

void
verdict_read(struct arena *a, const struct json *messages, struct verdict *out)
{
	*out = (struct verdict){ .messages = json_is_kind(messages, JSON_ARRAY) ? messages : NULL };
	for (const struct json *j = out->messages == NULL ? NULL : messages->first; j != NULL; j = j->next) {
		if (j->kind != JSON_STRING)
			continue;
		if (span_begins(j->text, span_str("{oldSchemaVersion: ")))
			out->version = atoi(copy(a, between(j->text, "{oldSchemaVersion: ", "}")));
		else if (span_begins(j->text, span_str("{oldSchema: '")))
			out->old_text = between(j->text, "{oldSchema: '", "'}");
		else if (span_begins(j->text, span_str("{validateFields: ")))
			out->level = copy(a, between(j->text, "compatibility: '", "'}"));
	}
}

/* ---- one conflict ---- */

/* A conflict's parts, and what its sentence is made of. */
struct conflict {
	struct arena *arena;
	struct span type, description, info;
	bool new_reads;    /* the new schema is the one that reads */
	const char *old;   /* "version 3" */
};

/* What the registry says of two things: `before` stands in front of the first, `middle` between them. */
static bool
two(const struct conflict *c, const char *before, const char *middle, const char **first, const char **second)
{
	struct span a = up_to(c->info, before, middle);

	if (a.p == NULL)
		return false;
	*first = copy(c->arena, a);
	*second = copy(c->arena, behind(c->info, middle));
	return true;
}

static const char *
lower(const struct conflict *c, const char *text)
{
	char *made = arena_copy(c->arena, text, strlen(text) + 1);

	must_fit(made != NULL);
	for (char *p = made; *p != '\0'; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 'a' - 'A') : *p;
	return made;
}

static const char *
say_missing_default(const struct conflict *c)
{
	return c->new_reads
	    ? arena_printf(c->arena, "the new schema has this field, %s has not, and it has no default: give it one", c->old)
	    : arena_printf(c->arena, "%s has this field and no default for it, the new schema has it no more: keep the field, "
				     "since readers with %s need it", c->old, c->old);
}

static const char *
say_type_mismatch(const struct conflict *c)
{
	const char *reader, *writer;

	if (!two(c, "reader type: ", " not compatible with writer type: ", &reader, &writer))
		return NULL;
	reader = lower(c, reader);
	writer = lower(c, writer);
	return c->new_reads
	    ? arena_printf(c->arena, "it is %s now, and %s in %s, which %s can't read: keep the type, or add a field of "
				     "another name, with a default", reader, writer, c->old, reader)
	    : arena_printf(c->arena, "it is %s now, and readers with %s, where it is %s, can't read that: keep the type, or "
				     "add a field of another name", writer, c->old, reader);
}

static const char *
say_name_mismatch(const struct conflict *c)
{
	struct span name = behind(c->info, "expected: ");
	const char *wanted;

	if (name.p == NULL)
		return NULL;
	wanted = copy(c->arena, name);
	return c->new_reads
	    ? arena_printf(c->arena, "the type is called %s in %s: keep the name, or add that one to its aliases", wanted, c->old)
	    : arena_printf(c->arena, "the type is called %s now, which readers with %s don't know: keep the name", wanted, c->old);
}

static const char *
say_size_mismatch(const struct conflict *c)
{
	const char *writers, *readers;

	if (!two(c, "expected: ", ", found: ", &writers, &readers))
		return NULL;
	return arena_printf(c->arena, "the size is %s now, and %s in %s: keep it, or add a field of another name",
	    c->new_reads ? readers : writers, c->new_reads ? writers : readers, c->old);
}

static const char *
say_missing_symbols(const struct conflict *c)
{
	struct span list = between(c->info, "[", "]");
	const char *symbols = copy(c->arena, list.p == NULL ? c->info : list);

	return c->new_reads
	    ? arena_printf(c->arena, "the enum has lost what %s has: %s: put it back, or give the enum a default", c->old, symbols)
	    : arena_printf(c->arena, "the enum has what readers with %s don't know: %s: leave it out", c->old, symbols);
}

static const char *
say_missing_branch(const struct conflict *c)
{
	struct span branch = behind(c->info, "writer type: ");
	const char *type;

	if (branch.p == NULL)
		return NULL;
	type = lower(c, copy(c->arena, branch));
	return c->new_reads
	    ? arena_printf(c->arena, "the union has no %s, as %s has: put it back", type, c->old)
	    : arena_printf(c->arena, "the union has %s, which readers with %s can't take: leave it out", type, c->old);
}

/* The conflicts of Avro, and their sentences, less the place. */
static const struct {
	const char *type;
	const char *(*say)(const struct conflict *);
} sayings[] = {
	{ "READER_FIELD_MISSING_DEFAULT_VALUE", say_missing_default },
	{ "TYPE_MISMATCH", say_type_mismatch },
	{ "NAME_MISMATCH", say_name_mismatch },
	{ "FIXED_SIZE_MISMATCH", say_size_mismatch },
	{ "MISSING_ENUM_SYMBOLS", say_missing_symbols },
	{ "MISSING_UNION_BRANCH", say_missing_branch },
};

/* The sentence; NULL: it is no conflict that is known, or (unlikely) there was no memory for its sentence. */
static const char *
say(const struct conflict *c)
{
	for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++)
		if (span_is(c->type, sayings[i].type))
			return sayings[i].say(c);
	return NULL;
}

/* ---- the list ---- */

/* A schema to find places in. */
struct places {
	struct types types;
	const struct json *schema; /* NULL: there is none */
};

static void
read_places(struct places *p, struct arena *a, struct span text)
{
	struct json_mistake why;
	struct span rest;

	/* As the registry reads schemas. */
	p->schema = text.p == NULL ? NULL : json_parse_first(a, text, true, &rest, &why);
	types_read(&p->types, a, p->schema);
}

/* Whether the new schema reads: the description names the reader first; of names it names none, but the level tells. */
static bool
does_new_read(struct span description, const char *level)
{
	const uint8_t *new = memmem(description.p, description.n, "new schema", 10);
	const uint8_t *old = memmem(description.p, description.n, "old schema", 10);

	if (new == NULL || old == NULL)
		return level == NULL || strncmp(level, "FORWARD", 7) != 0;
	return new < old;
}

static const char *
find_path(struct arena *a, const struct places *reader, const struct places *other, struct span pointer)
{
	const char *path = NULL;

	if (pointer.p == NULL)
		return "";
	if (reader->schema != NULL)
		path = type_path(&reader->types, reader->schema, pointer);
	if (path == NULL && other->schema != NULL)
		path = type_path(&other->types, other->schema, pointer);
	return path != NULL ? path : copy(a, pointer);
}

/* The parts of a message; false: it is none of a conflict. */
static bool
split(struct span message, struct conflict *c)
{
	if (!span_begins(message, span_str("{errorType:")))
		return false;
	c->type = up_to(message, "{errorType:'", "'");
	c->description = up_to(message, "description:'", "', additionalInfo:'");
	c->info = between(message, "additionalInfo:'", "'}");
	/* JSON Schema and Protobuf have other quotes, and no more to say. */
	if (c->type.p == NULL)
		c->type = up_to(message, "{errorType:\"", "\"");
	if (c->description.p == NULL)
		c->description = span_of(message.p, 0);
	if (c->info.p == NULL)
		c->info = span_of(message.p, 0);
	return c->type.p != NULL;
}

static struct reason
explain(struct arena *a, const struct verdict *v, const struct places *new, const struct places *old, struct span message)
{
	struct conflict c = { .arena = a, .old = "the version before" };
	struct reason r = { "", "", copy(a, message) };
	struct span pointer;
	const char *said;

	if (!split(message, &c))
		return r;
	r.type = copy(a, c.type);
	if (v->version > 0)
		must_fit((c.old = arena_printf(a, "version %d", v->version)) != NULL);
	c.new_reads = does_new_read(c.description, v->level);
	if ((said = say(&c)) == NULL)
		return r;
	r.sentence = said;
	pointer = up_to(c.description, "path '", "'");
	r.path = find_path(a, c.new_reads ? new : old, c.new_reads ? old : new, pointer);
	return r;
}

/* Whether a message is about the version and not about a conflict. */
static bool
is_about_version(struct span message)
{
	return span_begins(message, span_str("{oldSchemaVersion: ")) || span_begins(message, span_str("{oldSchema: ")) ||
	    span_begins(message, span_str("{validateFields: "));
}

struct reason *
verdict_reasons(struct arena *a, const struct verdict *v, struct span new_text, size_t *n)
{
	struct reason *list = arena_array(a, v->messages == NULL ? 1 : v->messages->n + 1, sizeof *list);
	struct places new, old;

	must_fit(list != NULL);
	*n = 0;
	read_places(&new, a, new_text);
	read_places(&old, a, v->old_text);
	for (const struct json *j = v->messages == NULL ? NULL : v->messages->first; j != NULL; j = j->next)
		if (j->kind == JSON_STRING && !is_about_version(j->text))
			list[(*n)++] = explain(a, v, &new, &old, j->text);
	types_done(&new.types);
	types_done(&old.types);
	return list;
}
