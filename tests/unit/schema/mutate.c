/*
 * mutate.c -- schemas that differ a little from another one.
 *
 * The schema is printed, with change() asked wherever something could be changed.  It is
 * printed twice: first to count these places, then with those changed that chance picks.
 */
#include "unit/schema/mutate.h"

#include <stdio.h>

#include "schema/avro/node.h"
#include "unit/base/random.h"
#include "unit/unit.h"

enum { TYPES = 128, NAME = 512 };

struct printed {
	const struct avro_node *type;
	char name[NAME]; /* in full */
};

struct mutator {
	uint64_t seed;
	size_t places;   /* so far */
	size_t picked[2];
	unsigned names;  /* new ones so far */
	struct printed types[TYPES];
	size_t n_types;
};

static void put_type(struct mutator *, const struct avro_node *, bool is_branch, struct buf *to);

static void
put(struct buf *to, const char *text)
{
	buf_span(to, span_str(text));
}

/* Whether here something is to be changed. */
static bool
change(struct mutator *m)
{
	size_t here = m->places++;

	return here == m->picked[0] || here == m->picked[1];
}

/* A separator before all but the first. */
static void
put_comma(struct buf *to, bool *first)
{
	put(to, *first ? "" : ",");
	*first = false;
}

static void
put_primitive(struct mutator *m, const struct avro_node *t, bool is_branch, struct buf *to)
{
	/* What it is read as, or is read as it; one of another kind. */
	static const enum avro_type related[AVRO_STRING + 1][3] = {
		[AVRO_NULL] = { AVRO_BOOLEAN, AVRO_INT, AVRO_STRING },
		[AVRO_BOOLEAN] = { AVRO_NULL, AVRO_INT, AVRO_STRING },
		[AVRO_INT] = { AVRO_LONG, AVRO_FLOAT, AVRO_DOUBLE },
		[AVRO_LONG] = { AVRO_INT, AVRO_FLOAT, AVRO_DOUBLE },
		[AVRO_FLOAT] = { AVRO_INT, AVRO_LONG, AVRO_DOUBLE },
		[AVRO_DOUBLE] = { AVRO_INT, AVRO_LONG, AVRO_FLOAT },
		[AVRO_BYTES] = { AVRO_STRING, AVRO_STRING, AVRO_LONG },
		[AVRO_STRING] = { AVRO_BYTES, AVRO_BYTES, AVRO_LONG },
	};
	enum avro_type type = t->type;

	/* In a union there could be two of a kind. */
	if (!is_branch && change(m))
		type = related[type][random_below(&m->seed, 3)];
	buf_printf(to, "\"%s\"", avro_type_name(type));
}

/* The name of a type that is defined here, and what comes with it. */
static void
put_name(struct mutator *m, const struct avro_node *t, struct buf *to)
{
	const struct avro_name *old = &t->named->name;
	char name[NAME / 2], space[NAME / 2], alias[NAME + 32] = "";
	struct printed *printed = &m->types[m->n_types++];

	CU_ASSERT_FATAL(m->n_types < TYPES);
	snprintf(name, sizeof name, "%.*s", (int)old->simple.n, (const char *)old->simple.p);
	snprintf(space, sizeof space, "%.*s", (int)old->space.n,
	    old->space.n > 0 ? (const char *)old->space.p : "");
	if (change(m))
		snprintf(name, sizeof name, "M%u", m->names++);
	if (change(m)) {
		snprintf(alias, sizeof alias, ",\"aliases\":[\"%s.%s\"]", space, name);
		snprintf(name, sizeof name, "M%u", m->names++);
	}
	if (change(m))
		snprintf(space, sizeof space, "other");
	printed->type = t;
	snprintf(printed->name, sizeof printed->name, "%s%s%s", space, *space != '\0' ? "." : "", name);
	buf_printf(to, "{\"type\":\"%s\",\"name\":\"%s\",\"namespace\":\"%s\"%s", avro_type_name(t->type),
	    name, space, alias);
}

/* A default for a field, by how the text of its type begins; of all others there is none. */
static void
put_default(const char *type, struct buf *to)
{
	static const struct {
		const char *type, *value;
	} values[] = {
		{ "\"null\"", "null" }, { "\"boolean\"", "true" }, { "\"int\"", "1" },
		{ "\"long\"", "2" }, { "\"float\"", "0.5" }, { "\"double\"", "1.5" },
		{ "\"bytes\"", "\"a\"" }, { "\"string\"", "\"b\"" }, { "[\"null\"", "null" },
		{ "[\"int\"", "3" }, { "{\"type\":\"array\"", "[]" }, { "{\"type\":\"map\"", "{}" },
	};

	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (strncmp(type, values[i].type, strlen(values[i].type)) == 0)
			buf_printf(to, ",\"default\":%s", values[i].value);
}

static void
put_field(struct mutator *m, const struct avro_field *f, struct buf *to)
{
	struct buf type = { 0 };
	bool fallback = f->fallback.p != NULL;

	put_type(m, f->type, false, &type);
	buf_u8(&type, '\0');
	if (change(m))
		buf_printf(to, "{\"name\":\"g%u\"", m->names++);
	else if (change(m))
		buf_printf(to, "{\"name\":\"g%u\",\"aliases\":[\"%.*s\"]", m->names++, (int)f->name.n,
		    (const char *)f->name.p);
	else
		buf_printf(to, "{\"name\":\"%.*s\"", (int)f->name.n, (const char *)f->name.p);
	buf_printf(to, ",\"type\":%s", (char *)type.p);
	if (fallback != change(m))
		put_default((char *)type.p, to);
	put(to, "}");
	buf_done(&type);
}

static void
put_record(struct mutator *m, const struct avro_node *t, struct buf *to)
{
	const struct avro_named *record = t->named;
	bool first = true, backwards;

	put_name(m, t, to);
	put(to, ",\"fields\":[");
	backwards = change(m);
	for (size_t i = 0; i < record->n_fields; i++)
		if (!change(m)) {
			put_comma(to, &first);
			put_field(m, &record->fields[backwards ? record->n_fields - 1 - i : i], to);
		}
	if (change(m)) {
		put_comma(to, &first);
		buf_printf(to, "{\"name\":\"g%u\",\"type\":\"string\"}", m->names++);
	}
	if (change(m)) {
		put_comma(to, &first);
		buf_printf(to, "{\"name\":\"g%u\",\"type\":\"long\",\"default\":4}", m->names++);
	}
	put(to, "]}");
}

static void
put_enum(struct mutator *m, const struct avro_node *t, struct buf *to)
{
	const struct avro_named *e = t->named;
	bool first = true, backwards, default_is_left = false;
	struct span symbol = { 0 };

	put_name(m, t, to);
	put(to, ",\"symbols\":[");
	backwards = change(m);
	for (size_t i = 0; i < e->n_symbols; i++)
		if (!change(m)) {
			symbol = e->symbols[backwards ? e->n_symbols - 1 - i : i];
			put_comma(to, &first);
			buf_printf(to, "\"%.*s\"", (int)symbol.n, (const char *)symbol.p);
			default_is_left |= span_eq(symbol, e->fallback);
		}
	if (change(m) || first) {
		put_comma(to, &first);
		buf_printf(to, "\"T%u\"", m->names++);
	}
	put(to, "]");
	if (default_is_left && !change(m))
		symbol = e->fallback;
	else if (e->fallback.p != NULL || !change(m))
		symbol = (struct span){ 0 };
	if (symbol.n > 0)
		buf_printf(to, ",\"default\":\"%.*s\"", (int)symbol.n, (const char *)symbol.p);
	put(to, "}");
}

static void
put_fixed(struct mutator *m, const struct avro_node *t, struct buf *to)
{
	put_name(m, t, to);
	buf_printf(to, ",\"size\":%d}", (int)t->named->size + (change(m) ? 1 : 0));
}

static void
put_elements(struct mutator *m, const struct avro_node *t, struct buf *to)
{
	buf_printf(to, "{\"type\":\"%s\",\"%s\":", avro_type_name(t->type),
	    t->type == AVRO_ARRAY ? "items" : "values");
	put_type(m, t->element, false, to);
	put(to, "}");
}

static bool
has_branch(const struct avro_node *t, enum avro_type type)
{
	for (size_t i = 0; i < t->n_branches; i++)
		if (t->branches[i]->type == type)
			return true;
	return false;
}

static void
put_union(struct mutator *m, const struct avro_node *t, struct buf *to)
{
	enum avro_type another = AVRO_NULL;
	bool first = true;

	if (t->n_branches > 0 && change(m)) {
		put_type(m, t->branches[random_below(&m->seed, t->n_branches)], true, to);
		return;
	}
	while (has_branch(t, another))
		another++;
	put(to, "[");
	for (size_t i = 0; i < t->n_branches; i++)
		if (!change(m)) {
			put_comma(to, &first);
			put_type(m, t->branches[i], true, to);
		}
	if (another <= AVRO_STRING && change(m)) {
		put_comma(to, &first);
		buf_printf(to, "\"%s\"", avro_type_name(another));
	}
	if (change(m)) {
		put_comma(to, &first);
		buf_printf(to, "{\"type\":\"fixed\",\"name\":\"M%u\",\"namespace\":\"\",\"size\":2}", m->names++);
	}
	put(to, "]");
}

/* Puts the name of a type that has been defined; false: it hasn't. */
static bool
put_reference(struct mutator *m, const struct avro_node *t, struct buf *to)
{
	for (size_t i = 0; i < m->n_types; i++)
		if (m->types[i].type == t) {
			buf_printf(to, "\"%s\"", m->types[i].name);
			return true;
		}
	return false;
}

static void
put_same(struct mutator *m, const struct avro_node *t, bool is_branch, struct buf *to)
{
	switch (t->type) {
	case AVRO_RECORD:
		put_record(m, t, to);
		break;
	case AVRO_ENUM:
		put_enum(m, t, to);
		break;
	case AVRO_FIXED:
		put_fixed(m, t, to);
		break;
	case AVRO_ARRAY: case AVRO_MAP:
		put_elements(m, t, to);
		break;
	case AVRO_UNION:
		put_union(m, t, to);
		break;
	default:
		put_primitive(m, t, is_branch, to);
		break;
	}
}

static void
put_type(struct mutator *m, const struct avro_node *t, bool is_branch, struct buf *to)
{
	bool may_be_union = !is_branch && t->type != AVRO_UNION && t->type != AVRO_NULL;
	bool wrapped = may_be_union && change(m);

	if (!is_branch && t->type >= AVRO_RECORD && change(m)) {
		put(to, "\"boolean\"");
		return;
	}
	put(to, wrapped ? "[\"null\"," : "");
	if (!put_reference(m, t, to))
		put_same(m, t, is_branch || wrapped, to);
	put(to, wrapped ? "]" : "");
}

bool
mutate(const struct avro_schema *s, uint64_t seed, struct buf *to)
{
	struct mutator m = { .picked = { SIZE_MAX, SIZE_MAX } };
	struct buf same = { 0 };
	size_t places;
	bool differs;

	put_type(&m, s->root, false, &same);
	places = m.places;
	m = (struct mutator){ .seed = seed };
	m.picked[0] = random_below(&m.seed, places);
	m.picked[1] = random_below(&m.seed, 2) == 0 ? SIZE_MAX : random_below(&m.seed, places);
	put_type(&m, s->root, false, to);
	CU_ASSERT_FATAL(!to->failed && !same.failed);
	differs = !span_eq(buf_bytes(to), buf_bytes(&same));
	buf_u8(to, '\0');
	buf_done(&same);
	return differs;
}
