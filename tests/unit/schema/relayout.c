/* relayout.c -- an Avro schema's JSON as others might have spelled it. */
#include "unit/schema/relayout.h"

#include "json/tree.h"
#include "unit/base/random.h"
#include "unit/unit.h"

enum { MEMBERS = 64 };

struct layout {
	uint64_t seed;
	bool mix;
	struct buf *to;
};

/* What an object stands for, which tells which of its members have an order of their own. */
enum role {
	SCHEMA,
	ENUM,
	FIELD,
	VALUE
};

static const char *const attributes[][12] = {
	[SCHEMA] = { "type", "name", "namespace", "doc", "fields", "items", "values", "symbols", "size", "aliases" },
	[ENUM] = { "type", "name", "namespace", "doc", "fields", "items", "values", "symbols", "size", "aliases",
	    "default" },
	[FIELD] = { "name", "type", "doc", "default", "order", "aliases" },
	[VALUE] = { NULL },
};

static void put_schema(struct layout *, const struct json *);
static void put_fields(struct layout *, const struct json *);
static void put_value(struct layout *, const struct json *);

static void
put_blanks(struct layout *l)
{
	static const char *const blanks[] = { "", "", " ", "\n\t", "\r\n" };

	buf_span(l->to, span_str(blanks[random_below(&l->seed, sizeof blanks / sizeof *blanks)]));
}

static bool
is_attribute(enum role role, struct span name)
{
	for (const char *const *a = attributes[role]; *a != NULL; a++)
		if (span_is(name, *a))
			return true;
	return false;
}

/* Puts the elements of a list that has them in any order. */
static void
shuffle(struct layout *l, const struct json **list, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t at = random_below(&l->seed, i);
		const struct json *last = list[i - 1];

		list[i - 1] = list[at];
		list[at] = last;
	}
}

static size_t
list_of(const struct json *j, const struct json *list[MEMBERS])
{
	size_t n = 0;

	for (const struct json *in = j->first; in != NULL; in = in->next) {
		CU_ASSERT_FATAL(n < MEMBERS);
		list[n++] = in;
	}
	return n;
}

static void
put_aliases(struct layout *l, const struct json *j)
{
	const struct json *list[MEMBERS];
	size_t n = list_of(j, list);

	if (l->mix)
		shuffle(l, list, n);
	buf_u8(l->to, '[');
	for (size_t i = 0; i < n; i++) {
		buf_span(l->to, span_str(i > 0 ? "," : ""));
		put_value(l, list[i]);
	}
	buf_u8(l->to, ']');
}

static void
put_member(struct layout *l, enum role role, const struct json *j)
{
	bool is_schema = role != VALUE && (span_is(j->name, "type") ||
	    (role == SCHEMA && (span_is(j->name, "items") || span_is(j->name, "values"))));

	if (is_schema)
		put_schema(l, j);
	else if (role == SCHEMA && span_is(j->name, "fields") && j->kind == JSON_ARRAY)
		put_fields(l, j);
	else if (role != VALUE && span_is(j->name, "aliases") && j->kind == JSON_ARRAY)
		put_aliases(l, j);
	else
		put_value(l, j);
}

/* Those that keep their order are put in order in the places that they got. */
static void
keep_order(enum role role, const struct json *first, const struct json **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_attribute(role, list[i]->name)) {
			while (is_attribute(role, first->name))
				first = first->next;
			list[i] = first;
			first = first->next;
		}
}

static void
put_object(struct layout *l, enum role role, const struct json *j)
{
	const struct json *list[MEMBERS];
	size_t n = list_of(j, list);

	shuffle(l, list, n);
	if (!l->mix)
		keep_order(role, j->first, list, n);
	buf_u8(l->to, '{');
	for (size_t i = 0; i < n; i++) {
		struct json_out o = json_out(l->to);

		buf_span(l->to, span_str(i > 0 ? "," : ""));
		put_blanks(l);
		json_put_span(&o, list[i]->name);
		put_blanks(l);
		buf_u8(l->to, ':');
		put_member(l, role, list[i]);
	}
	put_blanks(l);
	buf_u8(l->to, '}');
}

/* Puts all of an array by the function. */
static void
put_array(struct layout *l, const struct json *j, void (*put)(struct layout *, const struct json *))
{
	buf_u8(l->to, '[');
	for (const struct json *in = j->first; in != NULL; in = in->next) {
		put(l, in);
		buf_span(l->to, span_str(in->next != NULL ? "," : ""));
	}
	put_blanks(l);
	buf_u8(l->to, ']');
}

static void
put_value(struct layout *l, const struct json *j)
{
	put_blanks(l);
	if (j->kind == JSON_OBJECT)
		put_object(l, VALUE, j);
	else if (j->kind == JSON_ARRAY)
		put_array(l, j, put_value);
	else
		json_print(l->to, j);
}

static void
put_field(struct layout *l, const struct json *j)
{
	if (j->kind == JSON_OBJECT)
		put_object(l, FIELD, j);
	else
		put_value(l, j);
}

static void
put_fields(struct layout *l, const struct json *j)
{
	put_array(l, j, put_field);
}

static void
put_schema(struct layout *l, const struct json *j)
{
	put_blanks(l);
	if (j->kind == JSON_OBJECT)
		put_object(l, json_is_text(json_get(j, "type"), "enum") ? ENUM : SCHEMA, j);
	else if (j->kind == JSON_ARRAY)
		put_array(l, j, put_schema);
	else
		put_value(l, j);
}

void
relayout(struct span text, uint64_t seed, bool mix, struct buf *to)
{
	struct layout l = { seed, mix, to };
	struct json_mistake why;
	struct arena a;
	struct json *tree;

	arena_init(&a, SIZE_MAX);
	tree = json_parse(&a, text, &why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
	put_schema(&l, tree);
	buf_u8(to, '\0');
	CU_ASSERT_FATAL(!to->failed);
	arena_done(&a);
}
