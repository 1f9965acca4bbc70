/* schema.c -- a schema of any format: hands on to the one that it has. */
#include "schema/schema.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/avro/avro.h"

struct schema {
	atomic_size_t users;
	enum schema_type type;
	struct avro_schema *avro;
};

/* What a format does for each function of schema.h. */
struct format {
	bool (*parse)(struct schema *to, struct span text, bool stored, const struct schema_ref *refs,
	    size_t n_refs, struct schema_mistake *why);
	void (*free)(struct schema *);
	void (*print)(const struct schema *, bool normalized, struct buf *to);
	void (*print_format)(const struct schema *, struct span format, struct buf *to);
	bool (*equal)(const struct schema *, const struct schema *);
	bool (*has_field)(const struct schema *, struct span name);
	bool (*tags)(const struct schema *, struct arena *, struct schema_tags **out, size_t *n);
	bool (*change_tags)(const struct schema *, const struct schema_tags *add, size_t n_add,
	    const struct schema_tags *remove, size_t n_remove, struct arena *, struct span *out,
	    struct schema_mistake *why);
	bool (*can_read)(const struct schema *reader, const char *reader_name,
	    const struct schema *writer, const char *writer_name, struct arena *,
	    struct schema_conflicts *out);
};

static bool
parse_avro(struct schema *to, struct span text, bool stored, const struct schema_ref *refs,
    size_t n_refs, struct schema_mistake *why)
{
	struct avro_schema **list = calloc(n_refs + 1, sizeof *list);
	struct avro_mistake mistake;

	if (list == NULL) {
		*why = (struct schema_mistake){ .memory = true };
		return false;
	}
	for (size_t i = 0; i < n_refs; i++)
		list[i] = refs[i].schema->avro;
	to->avro = avro_parse(text, stored ? AVRO_STORED : AVRO_STRICT, list, n_refs, &mistake);
	free(list);
	if (to->avro == NULL) {
		why->memory = mistake.memory;
		snprintf(why->text, sizeof why->text, "%s", mistake.text);
	}
	return to->avro != NULL;
}

static void
free_avro(struct schema *s)
{
	avro_free(s->avro);
}

static void
print_avro(const struct schema *s, bool normalized, struct buf *to)
{
	avro_print(s->avro, normalized ? AVRO_NORMALIZED : AVRO_TEXT, to);
}

static void
print_avro_format(const struct schema *s, struct span format, struct buf *to)
{
	avro_print(s->avro, span_is(format, "resolved") ? AVRO_RESOLVED : AVRO_TEXT, to);
}

static bool
equal_avro(const struct schema *a, const struct schema *b)
{
	return avro_equal(a->avro, b->avro);
}

static bool
has_field_avro(const struct schema *s, struct span name)
{
	return avro_has_field(s->avro, name);
}

static bool
tags_avro(const struct schema *s, struct arena *a, struct schema_tags **out, size_t *n)
{
	return avro_tags(s->avro, a, out, n);
}

static bool
change_tags_avro(const struct schema *s, const struct schema_tags *add, size_t n_add,
    const struct schema_tags *remove, size_t n_remove, struct arena *a, struct span *out,
    struct schema_mistake *why)
{
	return avro_change_tags(s->avro, add, n_add, remove, n_remove, a, out, why);
}

/* The sentences of conflicts: %m the message, %p the place, %r and %w the names of the schemas. */
static const char *const sentences[] = {
	[AVRO_FIXED_SIZE_MISMATCH] = "The size of FIXED type field at path '%p' in the %r schema "
	    "does not match with the %w schema",
	[AVRO_TYPE_MISMATCH] = "The type (path '%p') of a field in the %r schema does not match "
	    "with the %w schema",
	[AVRO_NAME_MISMATCH] = "The name of the schema has changed (path '%p')",
	[AVRO_MISSING_ENUM_SYMBOLS] = "The %r schema is missing enum symbols '%m' at path '%p' in "
	    "the %w schema",
	[AVRO_MISSING_UNION_BRANCH] = "The %r schema is missing a type inside a union field at path "
	    "'%p' in the %w schema",
	[AVRO_READER_FIELD_MISSING_DEFAULT_VALUE] = "The field '%m' at path '%p' in the %r schema "
	    "has no default value and is missing in the %w schema",
};

/* The sentence, filled in; NULL where memory is used up. */
static const char *
tell(const struct avro_conflict *c, const char *reader_name, const char *writer_name,
    struct arena *a)
{
	struct buf text = { 0 };
	char *told = NULL;

	for (const char *p = sentences[c->kind]; *p != '\0'; p++)
		if (*p != '%')
			buf_u8(&text, (uint8_t)*p);
		else
			switch (*++p) {
			case 'm': buf_span(&text, span_str(c->message)); break;
			case 'p': buf_span(&text, span_str(c->location)); break;
			case 'r': buf_span(&text, span_str(reader_name)); break;
			default: buf_span(&text, span_str(writer_name)); break;
			}
	buf_u8(&text, '\0');
	if (!text.failed)
		told = arena_copy(a, text.p, text.n);
	buf_done(&text);
	return told;
}

static bool
can_read_avro(const struct schema *reader, const char *reader_name, const struct schema *writer,
    const char *writer_name, struct arena *a, struct schema_conflicts *out)
{
	struct avro_conflicts conflicts;

	if (avro_can_read(reader->avro, writer->avro, a, &conflicts))
		return true;
	out->broken = conflicts.broken;
	out->list = arena_array(a, conflicts.n, sizeof *out->list);
	out->memory = out->list == NULL || (conflicts.n == 0 && conflicts.broken == NULL);
	for (size_t i = 0; !out->memory && i < conflicts.n; i++) {
		const struct avro_conflict *c = &conflicts.list[i];
		struct schema_conflict *to = &out->list[out->n++];

		*to = (struct schema_conflict){ avro_incompatibility_name(c->kind),
			tell(c, reader_name, writer_name, a), c->message };
		out->memory = to->description == NULL;
	}
	return false;
}

/* The format of each type that can be parsed. */
static const struct format formats[] = {
	[SCHEMA_AVRO] = { parse_avro, free_avro, print_avro, print_avro_format, equal_avro,
	    has_field_avro, tags_avro, change_tags_avro, can_read_avro },
};

static const char *const type_names[] = {
	[SCHEMA_AVRO] = "AVRO",
	[SCHEMA_JSON] = "JSON",
	[SCHEMA_PROTOBUF] = "PROTOBUF",
};

const char *
schema_type_name(enum schema_type type)
{
	return type_names[type];
}

bool
schema_type_parse(struct span name, enum schema_type *out)
{
	for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++)
		if (span_is(name, type_names[i])) {
			*out = (enum schema_type)i;
			return true;
		}
	return false;
}

bool
schema_type_supported(enum schema_type type)
{
	return (size_t)type < sizeof formats / sizeof *formats;
}

struct schema *
schema_parse(enum schema_type type, struct span text, bool stored, const struct schema_ref *refs,
    size_t n_refs, struct schema_mistake *why)
{
	struct schema *s = calloc(1, sizeof *s);

	if (s == NULL) {
		*why = (struct schema_mistake){ .memory = true };
		return NULL;
	}
	atomic_init(&s->users, 1);
	s->type = type;
	if (formats[type].parse(s, text, stored, refs, n_refs, why))
		return s;
	free(s);
	return NULL;
}

struct schema *
schema_share(struct schema *s)
{
	atomic_fetch_add_explicit(&s->users, 1, memory_order_relaxed);
	return s;
}

void
schema_free(struct schema *s)
{
	if (s == NULL || atomic_fetch_sub_explicit(&s->users, 1, memory_order_acq_rel) > 1)
		return;
	formats[s->type].free(s);
	free(s);
}

enum schema_type
schema_type_of(const struct schema *s)
{
	return s->type;
}

void
schema_print(const struct schema *s, bool normalized, struct buf *to)
{
	formats[s->type].print(s, normalized, to);
}

void
schema_print_format(const struct schema *s, struct span format, struct buf *to)
{
	formats[s->type].print_format(s, format, to);
}

bool
schema_equal(const struct schema *a, const struct schema *b)
{
	return a->type == b->type && formats[a->type].equal(a, b);
}

bool
schema_has_field(const struct schema *s, struct span name)
{
	return formats[s->type].has_field(s, name);
}

bool
schema_tags(const struct schema *s, struct arena *a, struct schema_tags **out, size_t *n)
{
	return formats[s->type].tags(s, a, out, n);
}

bool
schema_change_tags(const struct schema *s, const struct schema_tags *add, size_t n_add,
    const struct schema_tags *remove, size_t n_remove, struct arena *a, struct span *out,
    struct schema_mistake *why)
{
	*why = (struct schema_mistake){ 0 };
	return formats[s->type].change_tags(s, add, n_add, remove, n_remove, a, out, why);
}

bool
schema_can_read(const struct schema *reader, const char *reader_name, const struct schema *writer,
    const char *writer_name, struct arena *a, struct schema_conflicts *out)
{
	*out = (struct schema_conflicts){ 0 };
	return formats[reader->type].can_read(reader, reader_name, writer, writer_name, a, out);
}
