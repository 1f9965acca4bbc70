/*
 * read.c -- an Avro schema from its JSON.
 *
 * Nodes are made as the JSON is walked.  A type can be used from where its
 * definition begins; one that is used before that is read where it is used.
 */
#include "schema/avro/read.h"

#include <stdlib.h>

/* Attributes that have a meaning, so that they are no properties. */
static const char *const of_schemas[] = { "type", "name", "namespace", "doc", "fields", "items",
	"values", "symbols", "size", "aliases", NULL };
static const char *const of_enums[] = { "type", "name", "namespace", "doc", "fields", "items",
	"values", "symbols", "size", "aliases", "default", NULL };

static struct avro_node *
new_node(struct reader *r, enum avro_type type)
{
	struct avro_node *n = avro_take(r, 1, sizeof *n);

	if (n != NULL)
		n->type = type;
	return n;
}

struct avro_node *
avro_find_type(struct reader *r, struct span name, struct span space)
{
	struct avro_name full = { space, name };
	struct avro_node *found;
	enum avro_type primitive;

	if (avro_primitive(name, &primitive))
		return new_node(r, primitive);
	if (memchr(name.p, '.', name.n) != NULL)
		full.space = (struct span){ 0 };
	found = map_get(&r->names, avro_full_name(r, &full));
	if (found == NULL && full.space.p != NULL)
		found = map_get(&r->names, name);
	return found != NULL ? found : avro_read_ahead(r, avro_full_name(r, &full));
}

static struct avro_node *
refuse_redefinition(struct reader *r, const struct avro_node *node)
{
	buf_span(&r->told, span_str("Can't redefine: "));
	buf_span(&r->told, node->named->full);
	return NULL;
}

/* Takes in the name of a type that begins. */
static bool
name_type(struct reader *r, const struct json *j, struct span space, struct avro_named *to)
{
	struct span name = avro_keep(r, avro_text_at(j, "name"));
	struct span own = avro_keep(r, avro_text_at(j, "namespace"));
	enum avro_type primitive;

	if (name.p == NULL)
		return avro_fail(r, "No name in schema: ", j);
	if (!avro_make_name(r, name, own.p != NULL ? own : space, true, &to->name))
		return false;
	to->full = avro_keep(r, avro_full_name(r, &to->name));
	if (avro_primitive(to->full, &primitive)) {
		buf_span(&r->told, span_str("Schemas may not be named after primitives: "));
		buf_span(&r->told, to->full);
		return false;
	}
	return !r->memory;
}

/*
 * A named type that begins; from here on it can be used by its name.  Where the name
 * is taken, the older one stays until the end shows whether they are the same.
 */
static struct avro_node *
begin_type(struct reader *r, enum avro_type type, const struct json *j, struct span space)
{
	struct avro_node *n = new_node(r, type), *older;
	struct avro_named *named = avro_take(r, 1, sizeof *named);

	if (n == NULL || named == NULL || !name_type(r, j, space, named))
		return NULL;
	n->named = named;
	named->open = true;
	named->doc = avro_keep(r, avro_text_at(j, "doc"));
	older = map_get(&r->names, named->full);
	if (older != NULL && older->named->open)
		return refuse_redefinition(r, n);
	if (older == NULL && !map_put(&r->names, named->full, n))
		r->memory = true;
	return r->memory ? NULL : n;
}

/* Its attributes of any type, and its end; gives the node to be used. */
static struct avro_node *
end_type(struct reader *r, struct avro_node *n, const struct json *j, const char *const *reserved)
{
	struct avro_named *named = n->named;
	struct avro_node *older;

	if (!avro_read_props(r, j, reserved, &n->props) ||
	    !avro_read_aliases(r, j, &named->name, &named->aliases) ||
	    (r->strict && !avro_check_space(r, named->name.space)))
		return NULL;
	named->open = false;
	older = map_get(&r->names, named->full);
	if (older == n) {
		*r->tail = n;
		r->tail = &named->next;
	} else if (!avro_same(&r->sameness, older, n))
		return refuse_redefinition(r, n);
	return older;
}

static struct avro_node *
read_record(struct reader *r, const struct json *j, struct span space)
{
	struct avro_node *n = begin_type(r, AVRO_RECORD, j, space);
	const struct json *list = json_get(j, "fields");
	struct avro_named *record;
	struct avro_field *fields;
	size_t i = 0;

	if (n == NULL)
		return NULL;
	if (!json_is_kind(list, JSON_ARRAY))
		return avro_fail(r, "Record has no fields: ", j);
	record = n->named;
	record->error = json_is_text(json_get(j, "type"), "error");
	if ((fields = avro_take(r, list->n, sizeof *fields)) == NULL)
		return NULL;
	for (const struct json *f = list->first; f != NULL; f = f->next)
		if (!avro_read_field(r, f, record->name.space, &fields[i++]))
			return NULL;
	record->fields = fields;
	record->n_fields = list->n;
	return avro_sort_fields(r, record) ? end_type(r, n, j, of_schemas) : NULL;
}

/* Tells which of the names is the first that was there before. */
static void
tell_repeated(struct reader *r, const struct span *names, size_t n, const char *sentence)
{
	struct map seen = { 0 };
	size_t i = 0;

	for (; i < n && map_get(&seen, names[i]) == NULL && !r->memory; i++)
		r->memory |= !map_put(&seen, names[i], r);
	if (i < n) {
		buf_span(&r->told, span_str(sentence));
		buf_span(&r->told, names[i]);
	}
	map_done(&seen);
}

/* A sorted copy; a repeated one is told after `sentence`. */
static struct span *
sort_names(struct reader *r, const struct span *names, size_t n, const char *sentence)
{
	struct span *sorted = avro_take(r, n, sizeof *sorted);

	if (sorted == NULL)
		return NULL;
	memcpy(sorted, names, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, avro_compare_spans);
	for (size_t i = 1; i < n; i++)
		if (span_eq(sorted[i - 1], sorted[i])) {
			tell_repeated(r, names, n, sentence);
			return NULL;
		}
	return sorted;
}

static bool
read_enum_default(struct reader *r, const struct json *j, struct avro_named *to)
{
	to->fallback = avro_keep(r, avro_text_at(j, "default"));
	if (to->fallback.p == NULL || bsearch(&to->fallback, to->sorted, to->n_symbols,
	    sizeof *to->sorted, avro_compare_spans) != NULL)
		return !r->memory;
	buf_span(&r->told, span_str("The Enum Default: "));
	buf_span(&r->told, to->fallback);
	buf_span(&r->told, span_str(" is not in the enum symbol set: ["));
	for (size_t i = 0; i < to->n_symbols; i++) {
		buf_span(&r->told, span_str(i > 0 ? ", " : ""));
		buf_span(&r->told, to->symbols[i]);
	}
	buf_span(&r->told, span_str("]"));
	return false;
}

static struct avro_node *
read_enum(struct reader *r, const struct json *j, struct span space)
{
	struct avro_node *n = begin_type(r, AVRO_ENUM, j, space);
	const struct json *list = json_get(j, "symbols");
	struct avro_named *named;

	if (n == NULL)
		return NULL;
	if (!json_is_kind(list, JSON_ARRAY))
		return avro_fail(r, "Enum has no symbols: ", j);
	named = n->named;
	if ((named->symbols = avro_take(r, list->n, sizeof *named->symbols)) == NULL)
		return NULL;
	for (const struct json *s = list->first; s != NULL; s = s->next) {
		struct span symbol = avro_keep(r, avro_text_of(s));

		if (r->memory || !avro_check_name(r, symbol))
			return NULL;
		named->symbols[named->n_symbols++] = symbol;
	}
	named->sorted = sort_names(r, named->symbols, named->n_symbols, "Duplicate enum symbol: ");
	return named->sorted != NULL && read_enum_default(r, j, named) ?
	    end_type(r, n, j, of_enums) : NULL;
}

static struct avro_node *
read_fixed(struct reader *r, const struct json *j, struct span space)
{
	struct avro_node *n = begin_type(r, AVRO_FIXED, j, space);
	int64_t size;

	if (n == NULL)
		return NULL;
	if (!json_is_int(json_get(j, "size"), &size) || size > INT32_MAX || size < INT32_MIN)
		return avro_fail(r, "Invalid or no size: ", j);
	if (size < 0) {
		buf_printf(&r->told, "Malformed data. Length is negative: %d", (int)size);
		return NULL;
	}
	n->named->size = (int32_t)size;
	return end_type(r, n, j, of_schemas);
}

/* An array or a map of what stands under `name`. */
static struct avro_node *
read_container(struct reader *r, enum avro_type type, const struct json *j, struct span space)
{
	const struct json *inner = json_get(j, type == AVRO_ARRAY ? "items" : "values");
	struct avro_node *n;

	if (inner == NULL)
		return avro_fail(r, type == AVRO_ARRAY ? "Array has no items type: " :
		    "Map has no values type: ", j);
	if ((n = new_node(r, type)) == NULL || (n->element = avro_read(r, inner, space)) == NULL)
		return NULL;
	return avro_read_props(r, j, of_schemas, &n->props) ? n : NULL;
}

static struct avro_node *
read_array(struct reader *r, const struct json *j, struct span space)
{
	return read_container(r, AVRO_ARRAY, j, space);
}

static struct avro_node *
read_map(struct reader *r, const struct json *j, struct span space)
{
	return read_container(r, AVRO_MAP, j, space);
}

/* The branches of a union must be of different types, or names. */
static bool
check_branches(struct reader *r, const struct avro_node *n)
{
	struct span *names = avro_take(r, n->n_branches, sizeof *names);
	size_t i = 0;

	if (names == NULL)
		return false;
	for (; i < n->n_branches && n->branches[i]->type != AVRO_UNION; i++) {
		const struct avro_node *b = n->branches[i];

		names[i] = avro_is_named(b->type) ? b->named->full : span_str(avro_type_name(b->type));
	}
	if (sort_names(r, names, i, "Duplicate in union:") == NULL)
		return false;
	if (i < n->n_branches) {
		buf_span(&r->told, span_str("Nested union: "));
		avro_print_node(n, &r->told);
	}
	return i == n->n_branches;
}

static struct avro_node *
read_union(struct reader *r, const struct json *j, struct span space)
{
	struct avro_node *n = new_node(r, AVRO_UNION);

	if (n == NULL || (n->branches = avro_take(r, j->n, sizeof *n->branches)) == NULL)
		return NULL;
	for (const struct json *b = j->first; b != NULL; b = b->next)
		if ((n->branches[n->n_branches++] = avro_read(r, b, space)) == NULL)
			return NULL;
	return check_branches(r, n) ? n : NULL;
}

static const struct {
	const char *type;
	struct avro_node *(*read)(struct reader *, const struct json *, struct span space);
} complex_types[] = {
	{ "record", read_record },
	{ "error", read_record },
	{ "enum", read_enum },
	{ "array", read_array },
	{ "map", read_map },
	{ "fixed", read_fixed },
};

/* {"type": ...}; where the type is the name of one that is known, it is that one. */
static struct avro_node *
read_object(struct reader *r, const struct json *j, struct span space)
{
	struct span type = avro_text_at(j, "type");
	struct avro_node *n;
	enum avro_type primitive;

	if (type.p == NULL)
		return avro_fail(r, "No type: ", j);
	if (avro_primitive(type, &primitive)) {
		n = new_node(r, primitive);
		return n != NULL && avro_read_props(r, j, of_schemas, &n->props) ? n : NULL;
	}
	for (size_t i = 0; i < sizeof complex_types / sizeof *complex_types; i++)
		if (span_is(type, complex_types[i].type))
			return complex_types[i].read(r, j, space);
	n = avro_find_type(r, type, space);
	return n != NULL ? n : avro_fail(r, "Undefined name: ", json_get(j, "type"));
}

static struct avro_node *
read_type(struct reader *r, const struct json *j, struct span space)
{
	struct avro_node *n;

	switch (j->kind) {
	case JSON_STRING:
		n = avro_find_type(r, j->text, space);
		return n != NULL ? n : avro_fail(r, "Undefined name: ", j);
	case JSON_OBJECT:
		n = avro_read_early(r, j);
		return n != NULL ? n : read_object(r, j, space);
	case JSON_ARRAY:
		return read_union(r, j, space);
	default:
		return avro_fail(r, "Schema not yet supported: ", j);
	}
}

struct avro_node *
avro_read(struct reader *r, const struct json *j, struct span space)
{
	struct avro_node *n;

	/* As deep as a text can be; but from each type another may be read that is defined further on. */
	if (r->depth > JSON_DEPTH_MAX)
		return avro_fail(r, AVRO_TOO_FAR ": ", j);
	r->depth++;
	n = read_type(r, j, space);
	r->depth--;
	return n;
}
