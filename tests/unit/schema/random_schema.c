/* random_schema.c -- Avro schemas by chance. */
#include "unit/schema/random_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/base/random.h"

enum { NAMES = 64, MEMBERS = 16, DEPTH = 5 };

struct maker {
	uint64_t seed, layout;
	bool mix_props;
	int tweak, values;             /* which to change; how many came so far */
	char names[NAMES][24];         /* in full */
	int n_names;
};

/* The members of an object before they are put in some order. */
struct members {
	struct buf text[MEMBERS];
	bool is_prop[MEMBERS];
	int n;
};

static void put_type(struct maker *, struct buf *to, const char *space, int depth);

static size_t
pick(struct maker *m, size_t n)
{
	return random_below(&m->seed, n);
}

static void
put(struct buf *to, const char *text)
{
	buf_span(to, span_str(text));
}

static void
put_blanks(struct maker *m, struct buf *to)
{
	static const char *const blanks[] = { "", "", "", " ", "\n", "\t ", "\r\n" };

	put(to, blanks[random_below(&m->layout, sizeof blanks / sizeof *blanks)]);
}

/* A number to build values from, other than chance has it where it is to be tweaked. */
static unsigned
value(struct maker *m)
{
	unsigned v = (unsigned)pick(m, 1000);

	return m->values++ == m->tweak ? v + 1000 : v;
}

static struct buf *
member(struct members *in, const char *name, bool is_prop)
{
	struct buf *text = &in->text[in->n];

	in->is_prop[in->n++] = is_prop;
	buf_printf(text, "\"%s\":", name);
	return text;
}

/* Puts the members in the order of the layout, in which properties keep theirs unless mixed. */
static void
put_members(struct maker *m, struct members *in, struct buf *to)
{
	int order[MEMBERS], props = 0, n = in->n;

	for (int i = 0; i < n; i++) {
		int at = (int)random_below(&m->layout, (size_t)i + 1);

		order[i] = order[at];
		order[at] = i;
	}
	for (int i = 0; i < n && !m->mix_props; i++)
		if (in->is_prop[order[i]]) {
			while (!in->is_prop[props])
				props++;
			order[i] = props++;
		}
	put(to, "{");
	for (int i = 0; i < n; i++) {
		put_blanks(m, to);
		buf_span(to, buf_bytes(&in->text[order[i]]));
		put_blanks(m, to);
		put(to, i < n - 1 ? "," : "");
		buf_done(&in->text[order[i]]);
	}
	put(to, "}");
}

static void
add_props(struct maker *m, struct members *in)
{
	char name[16];

	for (size_t i = pick(m, 4); i > 0; i--) {
		snprintf(name, sizeof name, "p%zu", 10 * i + pick(m, 10));
		switch (pick(m, 4)) {
		case 0: buf_printf(member(in, name, true), "%u", value(m)); break;
		case 1: buf_printf(member(in, name, true), "{\"y\":%u,\"x\":[ null ]}", value(m)); break;
		case 2: buf_printf(member(in, name, true), "\"\\u00e4%u\"", value(m)); break;
		default: buf_printf(member(in, name, true), "[true,%u.5]", value(m)); break;
		}
	}
}

static void
add_text(struct maker *m, struct members *in)
{
	if (pick(m, 3) == 0)
		buf_printf(member(in, "doc", false), "\"\\\"%u\\n\"", value(m));
	if (pick(m, 3) == 0) {
		unsigned first = value(m); /* in this order, whatever the compiler's */

		buf_printf(member(in, "aliases", false), "[\"b%u\",\"a%u\"]", first, value(m));
	}
}

/* The name of a new type, which must not hide one without a namespace: that can't be spelled. */
static const char *
add_name(struct maker *m, struct members *in, const char *space)
{
	static const char *const spaces[] = { "a", "a.b", "c" };
	char *full = m->names[m->n_names];

	if (pick(m, 2) == 0) {
		space = spaces[pick(m, 3)];
		buf_printf(member(in, "namespace", false), "\"%s\"", space);
	}
	buf_printf(member(in, "name", false), "\"N%d\"", m->n_names);
	snprintf(full, sizeof m->names[0], "%s%sN%d", space, *space != '\0' ? "." : "", m->n_names);
	m->n_names++;
	return space;
}

static void
add_default(struct maker *m, struct members *in, const char *type)
{
	static const struct {
		const char *type, *value;
	} values[] = {
		{ "\"int\"", "-%u" }, { "\"long\"", "8000000000%u" }, { "\"float\"", "%u.25" },
		{ "\"double\"", "%ue3" }, { "\"string\"", "\"%u\"" }, { "\"bytes\"", "\"\\u00ff%u\"" },
	};

	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (strcmp(type, values[i].type) == 0) {
			char format[32];
			unsigned v = value(m);

			/* The formats have one %u each: its place is where the number goes. */
			snprintf(format, sizeof format, "%.*s%u%s", (int)strcspn(values[i].value, "%"),
			    values[i].value, v, strchr(values[i].value, '%') + 2);
			put(member(in, "default", false), format);
		}
}

static void
put_field(struct maker *m, struct buf *to, size_t number, const char *space, int depth)
{
	static const char *const orders[] = { "ascending", "descending", "ignore" };
	struct members in = { .n = 0 };
	struct buf type = { 0 };

	buf_printf(member(&in, "name", false), "\"f%zu_%u\"", number, value(m));
	put_type(m, &type, space, depth);
	buf_span(member(&in, "type", false), buf_bytes(&type));
	buf_u8(&type, '\0');
	if (pick(m, 2) == 0)
		add_default(m, &in, (char *)type.p);
	buf_done(&type);
	if (pick(m, 4) == 0)
		buf_printf(member(&in, "order", false), "\"%s\"", orders[pick(m, 3)]);
	if (pick(m, 3) == 0)
		buf_printf(member(&in, "doc", false), "\"%u\"", value(m));
	add_props(m, &in);
	put_members(m, &in, to);
}

static void
put_record(struct maker *m, struct buf *to, const char *space, int depth)
{
	struct members in = { .n = 0 };
	struct buf *fields;

	put(member(&in, "type", false), pick(m, 8) == 0 ? "\"error\"" : "\"record\"");
	space = add_name(m, &in, space);
	add_text(m, &in);
	fields = member(&in, "fields", false);
	put(fields, "[");
	for (size_t i = pick(m, 5); i > 0; i--) {
		put_field(m, fields, i, space, depth - 1);
		put(fields, i > 1 ? "," : "");
	}
	put(fields, "]");
	add_props(m, &in);
	put_members(m, &in, to);
}

static void
put_enum(struct maker *m, struct buf *to, const char *space)
{
	struct members in = { .n = 0 };
	size_t n = 1 + pick(m, 4);
	struct buf *symbols;
	unsigned v = 0;

	put(member(&in, "type", false), "\"enum\"");
	add_name(m, &in, space);
	add_text(m, &in);
	symbols = member(&in, "symbols", false);
	for (size_t i = 0; i < n; i++)
		buf_printf(symbols, "%s\"S%zu_%u\"", i > 0 ? "," : "[", i, v = value(m));
	put(symbols, "]");
	if (pick(m, 2) == 0)
		buf_printf(member(&in, "default", false), "\"S%zu_%u\"", n - 1, v);
	add_props(m, &in);
	put_members(m, &in, to);
}

static void
put_fixed(struct maker *m, struct buf *to, const char *space)
{
	struct members in = { .n = 0 };

	put(member(&in, "type", false), "\"fixed\"");
	add_name(m, &in, space);
	add_text(m, &in);
	buf_printf(member(&in, "size", false), "%u", value(m));
	add_props(m, &in);
	put_members(m, &in, to);
}

static void
put_container(struct maker *m, struct buf *to, const char *space, int depth)
{
	bool array = pick(m, 2) == 0;
	struct members in = { .n = 0 };
	struct buf inner = { 0 };

	put(member(&in, "type", false), array ? "\"array\"" : "\"map\"");
	put_type(m, &inner, space, depth - 1);
	buf_span(member(&in, array ? "items" : "values", false), buf_bytes(&inner));
	buf_done(&inner);
	add_props(m, &in);
	put_members(m, &in, to);
}

static const char *const primitives[] = { "null", "boolean", "int", "long", "float", "double",
	"bytes", "string" };

static void
put_primitive(struct maker *m, struct buf *to)
{
	const char *type = primitives[pick(m, 8)];
	struct members in = { .n = 0 };

	if (pick(m, 2) == 0) {
		buf_printf(to, "\"%s\"", type);
		return;
	}
	buf_printf(member(&in, "type", false), "\"%s\"", type);
	add_props(m, &in);
	put_members(m, &in, to);
}

/* Some primitives, and sometimes a type of the others. */
static void
put_union(struct maker *m, struct buf *to, const char *space, int depth)
{
	size_t first = pick(m, 8);

	put(to, "[");
	for (size_t i = first; i < 8 && i < first + 3; i++)
		buf_printf(to, "%s\"%s\"", i > first ? "," : "", primitives[i]);
	put_blanks(m, to);
	if (pick(m, 2) == 0) {
		put(to, ",");
		switch (pick(m, 3)) {
		case 0: put_record(m, to, space, depth - 1); break;
		case 1: put_fixed(m, to, space); break;
		default: put_container(m, to, space, depth - 1); break;
		}
	}
	put(to, "]");
}

static void
put_type(struct maker *m, struct buf *to, const char *space, int depth)
{
	size_t kind = pick(m, depth > 0 ? 10 : 3);

	if (m->n_names + 4 > NAMES)
		kind = 0;
	switch (kind) {
	case 0: case 1:
		put_primitive(m, to);
		break;
	case 2:
		if (m->n_names > 0)
			buf_printf(to, "\"%s\"", m->names[pick(m, (size_t)m->n_names)]);
		else
			put_fixed(m, to, space);
		break;
	case 3:
		put_enum(m, to, space);
		break;
	case 4:
		put_container(m, to, space, depth);
		break;
	case 5: case 6:
		put_union(m, to, space, depth);
		break;
	default:
		put_record(m, to, space, depth);
		break;
	}
}

int
random_schema(const struct random_schema *what, struct buf *to)
{
	struct maker m = { .seed = what->seed, .layout = what->layout, .mix_props = what->mix_props,
		.tweak = what->tweak };

	put_type(&m, to, "", DEPTH);
	buf_u8(to, '\0');
	return m.values;
}
