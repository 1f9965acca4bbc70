/*
 * normal.c -- the forms that spell names in full: the specification's Parsing
 * Canonical Form, and the text from which Confluent's registry makes a normal form,
 * which is the same with everything else that a schema says behind, sorted.
 */
#include <stdlib.h>

#include "json/write.h"
#include "schema/avro/default.h"
#include "schema/avro/sorted.h"

struct printer {
	struct json_out out;
	bool canonical;
	struct map known;     /* full names of types that needn't be written out any more; owned */
	struct arena scratch; /* for sorting */
	struct casting casting;
	unsigned depth;
};

static void print(struct printer *, const struct avro_node *);

static void
put_text(struct printer *p, const char *key, struct span text)
{
	json_key(&p->out, key);
	json_put_span(&p->out, text);
}

static void *
take(struct printer *p, size_t count, size_t size)
{
	void *got = arena_array(&p->scratch, count, size);

	p->out.to->failed |= got == NULL;
	return got;
}

static struct json *
parse(struct printer *p, struct span text)
{
	struct json_mistake why;
	struct json *tree = json_parse(&p->scratch, text, &why);

	if (tree == NULL || !avro_sort_json(tree, &p->scratch))
		p->out.to->failed = true;
	return tree;
}

static void
put_sorted(struct printer *p, const struct json *tree)
{
	struct buf text = { 0 };

	json_print(&text, tree);
	p->out.to->failed |= text.failed;
	json_put_raw(&p->out, buf_bytes(&text));
	buf_done(&text);
}

static const struct avro_prop *
find_prop(const struct avro_props *props, const char *name)
{
	for (size_t i = 0; i < props->n; i++)
		if (span_is(props->list[i].name, name))
			return &props->list[i];
	return NULL;
}

/* The value of a property that is an int; `absent` where there is none. */
static bool
int_prop(struct printer *p, const struct avro_props *props, const char *name, int64_t absent,
    int64_t *out)
{
	const struct avro_prop *prop = find_prop(props, name);
	struct json *tree;

	*out = absent;
	if (prop == NULL)
		return true;
	tree = parse(p, prop->value);
	return tree != NULL && json_is_int(tree, out) && *out >= INT32_MIN && *out <= INT32_MAX;
}

/* How many decimal digits a fixed of this size holds: floor(log10(2) * bits of the value). */
static int64_t
digits_of(const struct avro_node *n)
{
	if (n->type == AVRO_BYTES)
		return INT32_MAX;
	return (int64_t)(0.30102999566398119521 * (double)(8 * (int64_t)n->named->size - 1));
}

static bool
is_decimal(struct printer *p, const struct avro_node *n)
{
	int64_t precision, scale;

	return int_prop(p, &n->props, "precision", 0, &precision) &&
	    int_prop(p, &n->props, "scale", 0, &scale) && precision > 0 &&
	    precision <= digits_of(n) && scale >= 0 && scale <= precision;
}

#define BIT(type) (1u << (type))

/* Logical types that Avro knows, and of which types they may be. */
static const struct {
	const char *name; /* as JSON */
	unsigned types;
	int32_t size;     /* of a fixed; 0: any */
} logical_types[] = {
	{ "\"decimal\"", BIT(AVRO_BYTES) | BIT(AVRO_FIXED), 0 },
	{ "\"big-decimal\"", BIT(AVRO_BYTES), 0 },
	{ "\"uuid\"", BIT(AVRO_STRING) | BIT(AVRO_FIXED), 16 },
	{ "\"duration\"", BIT(AVRO_FIXED), 12 },
	{ "\"date\"", BIT(AVRO_INT), 0 },
	{ "\"time-millis\"", BIT(AVRO_INT), 0 },
	{ "\"time-micros\"", BIT(AVRO_LONG), 0 },
	{ "\"timestamp-millis\"", BIT(AVRO_LONG), 0 },
	{ "\"timestamp-micros\"", BIT(AVRO_LONG), 0 },
	{ "\"timestamp-nanos\"", BIT(AVRO_LONG), 0 },
	{ "\"local-timestamp-millis\"", BIT(AVRO_LONG), 0 },
	{ "\"local-timestamp-micros\"", BIT(AVRO_LONG), 0 },
	{ "\"local-timestamp-nanos\"", BIT(AVRO_LONG), 0 },
};

/* Which logical type it is, and rightly so; -1: none. */
static int
logical_type_of(struct printer *p, const struct avro_node *n)
{
	const struct avro_prop *prop = find_prop(&n->props, "logicalType");

	for (int i = 0; prop != NULL && i < (int)(sizeof logical_types / sizeof *logical_types); i++) {
		if (!span_is(prop->value, logical_types[i].name))
			continue;
		if ((BIT(n->type) & logical_types[i].types) == 0)
			return -1;
		if (n->type == AVRO_FIXED && logical_types[i].size != 0 &&
		    n->named->size != logical_types[i].size)
			return -1;
		return i > 0 || is_decimal(p, n) ? i : -1;
	}
	return -1;
}

/* A property of a logical type, which is taken out of those that are still to come. */
static void
put_first(struct printer *p, const struct avro_prop **props, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (props[i] != NULL && span_is(props[i]->name, name)) {
			json_key(&p->out, name);
			json_put_raw(&p->out, props[i]->value);
			props[i] = NULL;
		}
}

/* Sorted, but for those of a logical type; a scale of 0 says nothing of it, and stays among the others. */
static void
put_props(struct printer *p, const struct avro_props *props, int logical_type)
{
	const struct avro_prop **sorted;
	int64_t scale = 0;

	if (props->n == 0)
		return;
	if ((sorted = avro_sort_props(props, &p->scratch)) == NULL) {
		p->out.to->failed = true;
		return;
	}
	if (logical_type >= 0)
		put_first(p, sorted, props->n, "logicalType");
	if (logical_type == 0) {
		put_first(p, sorted, props->n, "precision");
		if (int_prop(p, props, "scale", 0, &scale) && scale != 0)
			put_first(p, sorted, props->n, "scale");
	}
	for (size_t i = 0; i < props->n; i++)
		if (sorted[i] != NULL) {
			struct json *value = parse(p, sorted[i]->value);

			json_key_span(&p->out, sorted[i]->name);
			if (value != NULL)
				put_sorted(p, value);
		}
}

/* An alias in full; one without a namespace is marked by a dot where its type has one. */
static struct span
alias_text(struct printer *p, const struct avro_name *alias, bool in_space)
{
	char *text = NULL;
	size_t n = alias->space.n;

	if (alias->space.p == NULL && !in_space)
		return alias->simple;
	if ((text = take(p, 1, n + 1 + alias->simple.n)) == NULL)
		return alias->simple;
	memcpy(text, alias->space.p != NULL ? (const void *)alias->space.p : "", n);
	text[n] = '.';
	memcpy(text + n + 1, alias->simple.p, alias->simple.n);
	return span_of(text, n + 1 + alias->simple.n);
}

static void
put_aliases(struct printer *p, const struct avro_aliases *aliases, bool in_space)
{
	struct span *sorted;

	if (aliases->n == 0 || (sorted = take(p, aliases->n, sizeof *sorted)) == NULL)
		return;
	for (size_t i = 0; i < aliases->n; i++)
		sorted[i] = alias_text(p, &aliases->list[i], in_space);
	qsort(sorted, aliases->n, sizeof *sorted, avro_compare_spans);
	json_key(&p->out, "aliases");
	json_open(&p->out, '[');
	for (size_t i = 0; i < aliases->n; i++)
		json_put_span(&p->out, sorted[i]);
	json_close(&p->out, ']');
}

/* A default in the terms of its type; left out where it has none in these. */
static void
put_default(struct printer *p, const struct avro_field *f)
{
	struct json *value = f->fallback.p == NULL ? NULL : parse(p, f->fallback);
	bool has_value = value != NULL && avro_default_cast(f->type, value, &p->casting);

	p->out.to->failed |= p->casting.checks == 0;
	if (!has_value || p->out.to->failed)
		return;
	json_key(&p->out, "default");
	put_sorted(p, value);
}

static void
put_more_of_field(struct printer *p, const struct avro_field *f)
{
	static const char *const orders[] = { "ascending", "descending", "ignore" };

	put_text(p, "order", span_str(orders[f->order]));
	if (f->doc.p != NULL)
		put_text(p, "doc", f->doc);
	put_aliases(p, &f->aliases, false);
	put_default(p, f);
	put_props(p, &f->props, -1);
}

static void
print_fields(struct printer *p, const struct avro_named *record)
{
	struct json_out *o = &p->out;

	json_key(o, "fields");
	json_open(o, '[');
	for (size_t i = 0; i < record->n_fields; i++) {
		json_open(o, '{');
		put_text(p, "name", record->fields[i].name);
		json_key(o, "type");
		print(p, record->fields[i].type);
		if (!p->canonical)
			put_more_of_field(p, &record->fields[i]);
		json_close(o, '}');
	}
	json_close(o, ']');
}

static void
print_symbols(struct printer *p, const struct avro_named *named)
{
	json_key(&p->out, "symbols");
	json_open(&p->out, '[');
	for (size_t i = 0; i < named->n_symbols; i++)
		json_put_span(&p->out, named->symbols[i]);
	json_close(&p->out, ']');
}

static void
put_more_of_named(struct printer *p, const struct avro_node *n)
{
	const struct avro_named *named = n->named;

	if (named->doc.n > 0)
		put_text(p, "doc", named->doc);
	put_aliases(p, &named->aliases, named->name.space.p != NULL);
	if (named->fallback.p != NULL)
		put_text(p, "default", named->fallback);
	put_props(p, &n->props, logical_type_of(p, n));
}

static void
print_named(struct printer *p, const struct avro_node *n)
{
	struct avro_named *named = n->named;
	struct json_out *o = &p->out;

	if (map_get(&p->known, named->full) != NULL) {
		json_put_span(o, named->full);
		return;
	}
	o->to->failed |= !map_put(&p->known, named->full, named);
	json_open(o, '{');
	put_text(p, "name", named->full);
	put_text(p, "type", span_str(avro_type_name(n->type)));
	if (n->type == AVRO_RECORD)
		print_fields(p, named);
	else if (n->type == AVRO_ENUM)
		print_symbols(p, named);
	else {
		json_key(o, "size");
		json_put_int(o, named->size);
	}
	if (!p->canonical)
		put_more_of_named(p, n);
	json_close(o, '}');
}

static void
print_plain(struct printer *p, const struct avro_node *n)
{
	const char *type = avro_type_name(n->type);
	struct json_out *o = &p->out;

	if (n->type < AVRO_RECORD && (p->canonical || n->props.n == 0)) {
		json_put_str(o, type);
		return;
	}
	json_open(o, '{');
	put_text(p, "type", span_str(type));
	if (n->type == AVRO_ARRAY || n->type == AVRO_MAP) {
		json_key(o, n->type == AVRO_ARRAY ? "items" : "values");
		print(p, n->element);
	}
	if (!p->canonical)
		put_props(p, &n->props, logical_type_of(p, n));
	json_close(o, '}');
}

static void
print(struct printer *p, const struct avro_node *n)
{
	if (p->depth == AVRO_WALK_MAX) {
		p->out.to->failed = true;
		return;
	}
	p->depth++;
	if (n->type == AVRO_UNION) {
		json_open(&p->out, '[');
		for (size_t i = 0; i < n->n_branches; i++)
			print(p, n->branches[i]);
		json_close(&p->out, ']');
	} else if (avro_is_named(n->type))
		print_named(p, n);
	else
		print_plain(p, n);
	p->depth--;
}

static void
print_schema(struct printer *p, const struct avro_node *root)
{
	arena_init(&p->scratch, SIZE_MAX);
	p->casting = (struct casting){ &p->scratch, AVRO_CHECKS_MAX };
	print(p, root);
	arena_done(&p->scratch);
	map_done(&p->known);
}

void
avro_print_canonical(const struct avro_schema *s, struct buf *to)
{
	struct printer p = { .out = json_out(to), .canonical = true };

	print_schema(&p, s->root);
}

void
avro_print_normal(const struct avro_schema *s, struct buf *to)
{
	struct printer p = { .out = json_out(to) };

	to->failed |= !avro_know_references(s, &p.known);
	print_schema(&p, s->root);
}
