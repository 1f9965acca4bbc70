/*
 * print.c -- an Avro schema as text, with the attributes in the order in which
 * Avro's Java library (Schema.toString(), 1.12) writes them.
 */
#include "json/write.h"
#include "schema/avro/node.h"

struct printer {
	struct json_out out;
	struct map known; /* full names of types that needn't be written out any more; owned */
	unsigned depth;
};

static void print(struct printer *, const struct avro_node *, struct span space);

/* Whether the name stands for itself in the namespace. */
static bool
is_at_home(const struct avro_name *name, struct span space)
{
	static const enum avro_type complex_types[] = { AVRO_RECORD, AVRO_ENUM, AVRO_ARRAY, AVRO_MAP,
		AVRO_UNION, AVRO_FIXED };
	enum avro_type primitive;

	if (name->space.p == NULL || !span_eq(name->space, space))
		return name->space.p == NULL;
	for (size_t i = 0; i < sizeof complex_types / sizeof *complex_types; i++)
		if (span_is(name->simple, avro_type_name(complex_types[i])))
			return false;
	return !avro_primitive(name->simple, &primitive);
}

/* A name as it is written in the namespace. */
static void
put_name(struct json_out *o, const struct avro_name *name, struct span space)
{
	struct buf full = { 0 };

	if (is_at_home(name, space)) {
		json_put_span(o, name->simple);
		return;
	}
	buf_span(&full, name->space);
	buf_u8(&full, '.');
	buf_span(&full, name->simple);
	json_put_span(o, buf_bytes(&full));
	o->to->failed |= full.failed;
	buf_done(&full);
}

static void
put_text(struct json_out *o, const char *key, struct span text)
{
	if (text.p != NULL) {
		json_key(o, key);
		json_put_span(o, text);
	}
}

static void
put_props(struct json_out *o, const struct avro_props *props)
{
	for (size_t i = 0; i < props->n; i++) {
		json_key_span(o, props->list[i].name);
		json_put_raw(o, props->list[i].value);
	}
}

static void
put_aliases(struct json_out *o, const struct avro_aliases *aliases, struct span space)
{
	if (aliases->n == 0)
		return;
	json_key(o, "aliases");
	json_open(o, '[');
	for (size_t i = 0; i < aliases->n; i++)
		put_name(o, &aliases->list[i], space);
	json_close(o, ']');
}

static void
print_field(struct printer *p, const struct avro_field *f, struct span space)
{
	static const char *const orders[] = { NULL, "descending", "ignore" };
	struct json_out *o = &p->out;

	json_open(o, '{');
	put_text(o, "name", f->name);
	json_key(o, "type");
	print(p, f->type, space);
	put_text(o, "doc", f->doc);
	if (f->fallback.p != NULL) {
		json_key(o, "default");
		json_put_raw(o, f->fallback);
	}
	if (f->order != AVRO_ASCENDING)
		put_text(o, "order", span_str(orders[f->order]));
	put_aliases(o, &f->aliases, (struct span){ 0 });
	put_props(o, &f->props);
	json_close(o, '}');
}

/* Fields are absent while a record is being read, which a mistake in it may tell of. */
static void
print_fields(struct printer *p, const struct avro_named *record)
{
	if (record->fields == NULL)
		return;
	json_key(&p->out, "fields");
	json_open(&p->out, '[');
	for (size_t i = 0; i < record->n_fields; i++)
		print_field(p, &record->fields[i], record->name.space);
	json_close(&p->out, ']');
}

static void
put_symbols(struct json_out *o, const struct avro_named *named)
{
	json_key(o, "symbols");
	json_open(o, '[');
	for (size_t i = 0; i < named->n_symbols; i++)
		json_put_span(o, named->symbols[i]);
	json_close(o, ']');
	put_text(o, "default", named->fallback);
}

/* The namespace is written where it is not that in which the type stands. */
static void
put_space(struct json_out *o, struct span own, struct span space)
{
	if (own.p == NULL && space.p != NULL)
		put_text(o, "namespace", span_str(""));
	else if (!span_eq(own, space))
		put_text(o, "namespace", own);
}

static void
print_named(struct printer *p, const struct avro_node *n, struct span space)
{
	struct avro_named *named = n->named;
	struct json_out *o = &p->out;

	if (map_get(&p->known, named->full) != NULL) {
		put_name(o, &named->name, space);
		return;
	}
	o->to->failed |= !map_put(&p->known, named->full, named);
	json_open(o, '{');
	put_text(o, "type", span_str(named->error ? "error" : avro_type_name(n->type)));
	put_text(o, "name", named->name.simple);
	put_space(o, named->name.space, space);
	put_text(o, "doc", named->doc);
	if (n->type == AVRO_RECORD)
		print_fields(p, named);
	else if (n->type == AVRO_ENUM)
		put_symbols(o, named);
	else {
		json_key(o, "size");
		json_put_int(o, named->size);
	}
	put_props(o, &n->props);
	put_aliases(o, &named->aliases, named->name.space);
	json_close(o, '}');
}

static void
print_branches(struct printer *p, const struct avro_node *n, struct span space)
{
	json_open(&p->out, '[');
	for (size_t i = 0; i < n->n_branches; i++)
		print(p, n->branches[i], space);
	json_close(&p->out, ']');
}

/* A primitive is its name alone where nothing else is to be said of it. */
static void
print_plain(struct printer *p, const struct avro_node *n, struct span space)
{
	const char *type = avro_type_name(n->type);
	struct json_out *o = &p->out;

	if (n->type < AVRO_RECORD && n->props.n == 0) {
		json_put_str(o, type);
		return;
	}
	json_open(o, '{');
	put_text(o, "type", span_str(type));
	if (n->type == AVRO_ARRAY || n->type == AVRO_MAP) {
		json_key(o, n->type == AVRO_ARRAY ? "items" : "values");
		print(p, n->element, space);
	}
	put_props(o, &n->props);
	json_close(o, '}');
}

static void
print(struct printer *p, const struct avro_node *n, struct span space)
{
	if (p->depth == AVRO_WALK_MAX) {
		p->out.to->failed = true;
		return;
	}
	p->depth++;
	if (n->type == AVRO_UNION)
		print_branches(p, n, space);
	else if (avro_is_named(n->type))
		print_named(p, n, space);
	else
		print_plain(p, n, space);
	p->depth--;
}

bool
avro_know_references(const struct avro_schema *s, struct map *known)
{
	for (size_t i = 0; i < s->n_known; i++) {
		struct avro_node *root = s->known[i]->root;

		if (avro_is_named(root->type) && !map_put(known, root->named->full, root->named))
			return false;
	}
	return true;
}

static void
print_text(const struct avro_schema *s, struct buf *to)
{
	struct printer p = { .out = json_out(to) };

	to->failed |= !avro_know_references(s, &p.known);
	print(&p, s->root, (struct span){ 0 });
	map_done(&p.known);
}

void
avro_print_node(const struct avro_node *n, struct buf *to)
{
	struct printer p = { .out = json_out(to) };

	print(&p, n, (struct span){ 0 });
	map_done(&p.known);
}

/*
 * The normal form is not what says so of itself, but the text of a schema that was
 * read from that: so it is in Confluent's registry.  What can't be read from it
 * (types that only a namespace told apart) stays as it is.
 */
static void
print_normalized(const struct avro_schema *s, struct buf *to)
{
	struct buf normal = { 0 };
	struct avro_mistake why;
	struct avro_schema *again = NULL;

	avro_print_normal(s, &normal);
	to->failed |= normal.failed;
	if (!normal.failed)
		again = avro_parse(buf_bytes(&normal), AVRO_STORED, s->known, s->n_known, &why);
	to->failed |= again == NULL && !normal.failed && why.memory;
	print_text(again != NULL ? again : s, to);
	avro_free(again);
	buf_done(&normal);
}

void
avro_print(const struct avro_schema *s, enum avro_form form, struct buf *to)
{
	switch (form) {
	case AVRO_TEXT:
		print_text(s, to);
		break;
	case AVRO_RESOLVED:
		avro_print_node(s->root, to);
		break;
	case AVRO_NORMALIZED:
		print_normalized(s, to);
		break;
	case AVRO_CANONICAL:
		avro_print_canonical(s, to);
		break;
	}
}
