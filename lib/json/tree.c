/* tree.c -- a JSON text as a tree. */
#include "json/tree.h"

#include <stdio.h>

#include "base/map.h"
#include "json/text.h"
#include "json/write.h"

/* So many members are looked through one by one; a larger object gets a table. */
enum { FEW = 16 };

struct parser {
	struct json_scan scan;
	struct arena *arena;
	bool memory; /* used up */
};

/* An object while its members come. */
struct members {
	struct json *object, *last;
	struct map names; /* of all members, from the FEWth on; owned */
};

static bool parse_value(struct parser *, struct json *to);

static struct json *
node(struct parser *p)
{
	struct json *j = arena_alloc(p->arena, sizeof *j);

	p->memory |= j == NULL;
	return j;
}

/* The name or string, escapes taken out. */
static bool
text_of(struct parser *p, struct span *to)
{
	struct buf b = { .cap = p->scan.text.n };

	*to = p->scan.text;
	if (!p->scan.escaped)
		return true;
	if ((b.p = arena_alloc(p->arena, b.cap)) == NULL) {
		p->memory = true;
		return false;
	}
	json_text(&p->scan, &b); /* never longer than with them: the buffer does not grow */
	*to = buf_bytes(&b);
	return true;
}

static struct json *
find(const struct json *object, struct span name)
{
	struct json *j = object->first;

	while (j != NULL && !span_eq(j->name, name))
		j = j->next;
	return j;
}

/* Puts it behind the last one. */
static void
append(struct json *in, struct json **last, struct json *j)
{
	*(*last == NULL ? &in->first : &(*last)->next) = j;
	*last = j;
	in->n++;
}

/* All members so far into the table, or the newest of them. */
static bool
index_names(struct members *m)
{
	struct json *j = m->names.n == 0 ? m->object->first : m->last;

	for (; j != NULL; j = j->next)
		if (!map_put(&m->names, j->name, j))
			return false;
	return true;
}

/* The member of this name, new or not: the last value of a name takes the first one's place. */
static struct json *
member(struct parser *p, struct members *m, struct span name)
{
	struct json *j = m->names.n > 0 ? map_get(&m->names, name) : find(m->object, name);

	if (j != NULL) {
		*j = (struct json){ .name = j->name, .next = j->next };
		return j;
	}
	if ((j = node(p)) == NULL)
		return NULL;
	j->name = name;
	append(m->object, &m->last, j);
	if (m->object->n >= FEW && !index_names(m)) {
		p->memory = true;
		return NULL;
	}
	return j;
}

static bool
parse_members(struct parser *p, struct members *m)
{
	while (json_next(&p->scan) == JSON_NAME) {
		struct span name;
		struct json *j;

		if (!text_of(p, &name) || (j = member(p, m, name)) == NULL)
			return false;
		json_next(&p->scan);
		if (!parse_value(p, j))
			return false;
	}
	return p->scan.token == JSON_OBJECT_END;
}

static bool
parse_object(struct parser *p, struct json *to)
{
	struct members m = { .object = to };
	bool ok = parse_members(p, &m);

	map_done(&m.names);
	return ok;
}

static bool
parse_array(struct parser *p, struct json *to)
{
	struct json *last = NULL;

	while (json_next(&p->scan) != JSON_ARRAY_END) {
		struct json *j = node(p);

		if (j == NULL || !parse_value(p, j))
			return false;
		append(to, &last, j);
	}
	return true;
}

/* The value whose first token was given out.  Calls itself as deep as the scanner allows. */
static bool
parse_value(struct parser *p, struct json *to)
{
	to->kind = p->scan.token;
	switch (p->scan.token) {
	case JSON_ARRAY:
		return parse_array(p, to);
	case JSON_OBJECT:
		return parse_object(p, to);
	case JSON_STRING:
		return text_of(p, &to->text);
	case JSON_BROKEN:
		return false;
	default:
		to->text = p->scan.text;
		return true;
	}
}

static void
tell(const struct parser *p, struct json_mistake *why)
{
	int line, column;

	why->memory = p->memory;
	if (p->memory) {
		snprintf(why->text, sizeof why->text, "the text takes more memory than it may");
		return;
	}
	json_place(&p->scan, &line, &column);
	snprintf(why->text, sizeof why->text, "%s at line %d, column %d", p->scan.why, line, column);
}

/* Parses one value; NULL where it is none. */
static struct json *
parse_first(struct parser *p, struct span text, bool comments)
{
	struct json *root = node(p);

	json_begin(&p->scan, text);
	p->scan.comments = comments;
	json_next(&p->scan);
	return root != NULL && parse_value(p, root) ? root : NULL;
}

struct json *
json_parse(struct arena *a, struct span text, struct json_mistake *why)
{
	struct parser p = { .arena = a };
	struct json *root = parse_first(&p, text, false);

	if (root != NULL && json_next(&p.scan) == JSON_END)
		return root;
	tell(&p, why);
	return NULL;
}

struct json *
json_parse_first(struct arena *a, struct span text, bool comments, struct span *rest,
    struct json_mistake *why)
{
	struct parser p = { .arena = a };
	struct json *root = parse_first(&p, text, comments);

	if (root == NULL)
		tell(&p, why);
	else
		*rest = span_of(p.scan.at, (size_t)(p.scan.end - p.scan.at));
	return root;
}

const struct json *
json_get(const struct json *in, const char *name)
{
	return json_is_kind(in, JSON_OBJECT) ? find(in, span_str(name)) : NULL;
}

bool
json_is_kind(const struct json *j, enum json_token kind)
{
	return j != NULL && j->kind == kind;
}

bool
json_is_text(const struct json *j, const char *text)
{
	return json_is_kind(j, JSON_STRING) && span_is(j->text, text);
}

bool
json_is_int(const struct json *j, int64_t *out)
{
	return json_is_kind(j, JSON_NUMBER) && text_int(j->text, out);
}

static bool
is_integer(struct span number)
{
	for (size_t i = 0; i < number.n; i++)
		if (number.p[i] == '.' || number.p[i] == 'e' || number.p[i] == 'E')
			return false;
	return true;
}

static void
print_number(struct json_out *o, struct span number)
{
	if (!is_integer(number))
		json_put_double(o, text_double(number));
	else
		json_put_raw(o, span_is(number, "-0") ? span_str("0") : number);
}

void
json_put_tree(struct json_out *o, const struct json *j)
{
	bool object = j->kind == JSON_OBJECT;

	switch (j->kind) {
	case JSON_STRING:
		json_put_span(o, j->text);
		break;
	case JSON_NUMBER:
		print_number(o, j->text);
		break;
	case JSON_ARRAY: case JSON_OBJECT:
		json_open(o, object ? '{' : '[');
		for (const struct json *in = j->first; in != NULL; in = in->next) {
			if (object)
				json_key_span(o, in->name);
			json_put_tree(o, in);
		}
		json_close(o, object ? '}' : ']');
		break;
	default:
		json_put_raw(o, j->text);
		break;
	}
}

void
json_print(struct buf *to, const struct json *j)
{
	struct json_out o = json_out(to);

	json_put_tree(&o, j);
}
