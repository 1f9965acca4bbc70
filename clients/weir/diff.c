/* diff.c -- what has changed from one Avro schema to another. */
#include "weir/diff.h"

#include <string.h>

#include "base/must.h"
#include "weir/types.h"

/* How deep types may lie in each other, by their names too: deeper than any schema that people write. */
enum { DEPTH_MAX = 2000 };

/* A comparison under way. */
struct walk {
	struct arena *arena;
	struct types from, to;
	struct map seen; /* owned; pairs of definitions that have been compared */
	struct diff *out;
	size_t cap;
	int depth;
};

const char *
change_kind_name(enum change_kind kind)
{
	static const char *const names[] = { "added", "removed", "changed", "renamed", "reordered" };

	return names[kind];
}

/* ---- what is found ---- */

static void
put_value(struct buf *to, const struct json *j)
{
	if (j == NULL)
		buf_printf(to, "none");
	else
		json_print(to, j);
}

/* The text so far as a string of the arena; the buffer is empty afterwards. */
static const char *
take_text(struct walk *w, struct buf *b)
{
	const char *text;

	must_fit(!b->failed);
	must_fit((text = arena_printf(w->arena, "%.*s", (int)b->n, b->n == 0 ? "" : (const char *)b->p)) != NULL);
	buf_done(b);
	return text;
}

static void
add(struct walk *w, struct change change)
{
	struct diff *out = w->out;

	if (out->n == w->cap) {
		size_t cap = w->cap == 0 ? 16 : 2 * w->cap;
		struct change *more = arena_array(w->arena, cap, sizeof *more);

		must_fit(more != NULL);
		if (out->n > 0)
			memcpy(more, out->list, out->n * sizeof *more);
		out->list = more;
		w->cap = cap;
	}
	out->list[out->n++] = change;
}

/* A value that is there in one, or differs: told by its text. */
static void
add_values(struct walk *w, const char *path, const char *what, const struct json *from, const struct json *to)
{
	enum change_kind kind = from == NULL ? CHANGE_ADDED : to == NULL ? CHANGE_REMOVED : CHANGE_CHANGED;
	struct buf b = { 0 };

	buf_printf(&b, "%s %s: ", what, change_kind_name(kind));
	if (kind == CHANGE_CHANGED) {
		put_value(&b, from);
		buf_printf(&b, " -> ");
	}
	put_value(&b, to == NULL ? from : to);
	add(w, (struct change){ path, kind, what, from, to, take_text(w, &b) });
}

static bool
same(const struct json *a, const struct json *b)
{
	struct buf x = { 0 }, y = { 0 };
	bool is;

	if (a == NULL || b == NULL)
		return a == b;
	json_print(&x, a);
	json_print(&y, b);
	must_fit(!x.failed && !y.failed);
	is = span_eq(buf_bytes(&x), buf_bytes(&y));
	buf_done(&x);
	buf_done(&y);
	return is;
}

static void
compare_values(struct walk *w, const char *path, const char *what, const struct json *from, const struct json *to)
{
	if (!same(from, to))
		add_values(w, path, what, from, to);
}

/* What types and fields have beside what they consist of. */
static bool
is_structure(struct span name)
{
	static const char *const names[] = { "type", "name", "namespace", "fields", "items", "values", "symbols" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (span_is(name, names[i]))
			return true;
	return false;
}

/* A member's name as a string. */
static const char *
name_of(struct walk *w, const struct json *member)
{
	const char *name = arena_printf(w->arena, "%.*s", (int)member->name.n, (const char *)member->name.p);

	must_fit(name != NULL);
	return name;
}

/* Documentation, defaults, aliases, properties of two definitions; either may be NULL. */
static void
compare_attributes(struct walk *w, const char *path, const struct json *from, const struct json *to)
{
	for (const struct json *m = json_is_kind(from, JSON_OBJECT) ? from->first : NULL; m != NULL; m = m->next)
		if (!is_structure(m->name)) {
			const char *name = name_of(w, m);

			compare_values(w, path, name, m, json_get(to, name));
		}
	for (const struct json *m = json_is_kind(to, JSON_OBJECT) ? to->first : NULL; m != NULL; m = m->next)
		if (!is_structure(m->name)) {
			const char *name = name_of(w, m);

			if (json_get(from, name) == NULL)
				add_values(w, path, name, NULL, m);
		}
}

/* ---- types ---- */

static void compare_types(struct walk *, const char *path, const struct type *from, const struct type *to);

static void
add_type(struct walk *w, const char *path, const char *what, const struct type *from, const struct type *to)
{
	enum change_kind kind = from == NULL ? CHANGE_ADDED : to == NULL ? CHANGE_REMOVED : CHANGE_CHANGED;
	struct buf b = { 0 };

	buf_printf(&b, "%s %s: ", what, change_kind_name(kind));
	if (from != NULL)
		type_describe(&b, &w->from, from);
	if (kind == CHANGE_CHANGED)
		buf_printf(&b, " -> ");
	if (to != NULL)
		type_describe(&b, &w->to, to);
	add(w, (struct change){ path, kind, what, from == NULL ? NULL : from->def, to == NULL ? NULL : to->def,
		take_text(w, &b) });
}

/* Whether both are of the same kind, and of primitives and what is not known the same. */
static bool
is_like(const struct type *a, const struct type *b)
{
	if (a->kind != b->kind)
		return false;
	return (a->kind != TYPE_PRIMITIVE && a->kind != TYPE_UNKNOWN) || span_eq(a->name, b->name);
}

/* Whether a branch of one union is a branch of the other: named types by their name. */
static bool
is_branch(const struct type *a, const struct type *b)
{
	return is_like(a, b) && (!type_is_named(a) || span_eq(a->name, b->name));
}

/* Finds the branch of a union, or the type itself; false: it is not there. */
static bool
find_branch(const struct types *t, const struct type *in, const struct type *wanted, struct type *out)
{
	if (in->kind != TYPE_UNION) {
		*out = *in;
		return is_branch(in, wanted);
	}
	for (const struct json *j = in->def->first; j != NULL; j = j->next) {
		*out = type_at(t, j, in->space);
		if (is_branch(out, wanted))
			return true;
	}
	return false;
}

static bool
is_reordered(struct walk *w, const struct type *from, const struct type *to)
{
	const struct json *b = to->def->first;
	struct type x, y, z;

	for (const struct json *a = from->def->first; a != NULL; a = a->next) {
		x = type_at(&w->from, a, from->space);
		if (!find_branch(&w->to, to, &x, &y))
			continue;
		/* The next one of the other that both have must be the same. */
		while (b != NULL && (z = type_at(&w->to, b, to->space), !find_branch(&w->from, from, &z, &y)))
			b = b->next;
		if (b == NULL || !is_branch(&x, &z))
			return true;
		b = b->next;
	}
	return false;
}

/* Branches that came and went, and those that both have. */
static void
compare_unions(struct walk *w, const char *path, const struct type *from, const struct type *to)
{
	struct type branch, other;

	for (const struct json *j = from->def->first; j != NULL; j = j->next) {
		branch = type_at(&w->from, j, from->space);
		if (find_branch(&w->to, to, &branch, &other))
			compare_types(w, path, &branch, &other);
		else
			add_type(w, path, "branch", &branch, NULL);
	}
	for (const struct json *j = to->def->first; j != NULL; j = j->next) {
		branch = type_at(&w->to, j, to->space);
		if (!find_branch(&w->from, from, &branch, &other))
			add_type(w, path, "branch", NULL, &branch);
	}
	if (is_reordered(w, from, to))
		add(w, (struct change){ path, CHANGE_REORDERED, "branches", from->def, to->def, "branches reordered" });
}

/* One has become the other; where one is a union with the other in it, that is looked into, too. */
static void
compare_unlike(struct walk *w, const char *path, const struct type *from, const struct type *to)
{
	struct type inner;

	add_type(w, path, "type", from, to);
	if (from->kind == TYPE_UNION && find_branch(&w->from, from, to, &inner))
		compare_types(w, path, &inner, to);
	else if (to->kind == TYPE_UNION && find_branch(&w->to, to, from, &inner))
		compare_types(w, path, from, &inner);
}

/* ---- records ---- */

static const struct json *
list_of(const struct json *def, const char *name)
{
	const struct json *list = json_get(def, name);

	return json_is_kind(list, JSON_ARRAY) ? list->first : NULL;
}

/* The field or symbol of this name. */
static const struct json *
find_named(const struct json *list, struct span name)
{
	for (; list != NULL; list = list->next) {
		const struct json *its = json_is_kind(list, JSON_OBJECT) ? json_get(list, "name") : list;

		if (json_is_kind(its, JSON_STRING) && span_eq(its->text, name))
			return list;
	}
	return NULL;
}

static struct span
field_name(const struct json *field)
{
	const struct json *name = json_is_kind(field, JSON_OBJECT) ? json_get(field, "name") : field;

	return json_is_kind(name, JSON_STRING) ? name->text : span_str("");
}

/* The old field that a new one was, by its aliases; NULL: it is new. */
static const struct json *
find_renamed(const struct json *from, const struct json *to, const struct json *field)
{
	for (const struct json *alias = list_of(field, "aliases"); alias != NULL; alias = alias->next) {
		const struct json *old = json_is_kind(alias, JSON_STRING) ? find_named(from, alias->text) : NULL;

		if (old != NULL && find_named(to, alias->text) == NULL)
			return old;
	}
	return NULL;
}

static const char *
below(struct walk *w, const char *path, struct span name)
{
	const char *text = arena_printf(w->arena, "%s%s%.*s", path, path[0] == '\0' ? "" : ".", (int)name.n, (const char *)name.p);

	must_fit(text != NULL);
	return text;
}

static void
compare_field(struct walk *w, const char *path, const struct json *from, const struct type *in_from,
    const struct json *to, const struct type *in_to)
{
	struct type a = type_at(&w->from, json_get(from, "type"), in_from->space);
	struct type b = type_at(&w->to, json_get(to, "type"), in_to->space);

	compare_types(w, path, &a, &b);
	compare_attributes(w, path, from, to);
}

/* A field that is in one of the two only: its type, and its default where it has one. */
static void
add_field(struct walk *w, const char *path, bool added, const struct json *field, const struct type *in)
{
	const struct types *types = added ? &w->to : &w->from;
	struct type type = type_at(types, json_get(field, "type"), in->space);
	const struct json *fallback = json_get(field, "default");
	struct buf b = { 0 };

	buf_printf(&b, "field %s: ", added ? "added" : "removed");
	type_describe(&b, types, &type);
	if (fallback != NULL) {
		buf_printf(&b, ", default ");
		json_print(&b, fallback);
	} else if (added)
		buf_printf(&b, ", no default");
	add(w, (struct change){ path, added ? CHANGE_ADDED : CHANGE_REMOVED, "field", added ? NULL : field, added ? field : NULL,
		take_text(w, &b) });
}

static void
add_renamed(struct walk *w, const char *path, const struct json *from, const struct json *to)
{
	struct span was = field_name(from), is = field_name(to);
	const char *text = arena_printf(w->arena, "field renamed: %.*s -> %.*s", (int)was.n, (const char *)was.p, (int)is.n,
	    (const char *)is.p);

	must_fit(text != NULL);
	add(w, (struct change){ path, CHANGE_RENAMED, "field", from, to, text });
}

/* Whether what both lists have stands in another order. */
static bool
is_list_reordered(const struct json *from, const struct json *to)
{
	const struct json *b = to;

	for (const struct json *a = from; a != NULL; a = a->next) {
		if (find_named(to, field_name(a)) == NULL)
			continue;
		while (b != NULL && find_named(from, field_name(b)) == NULL)
			b = b->next;
		if (b == NULL || !span_eq(field_name(a), field_name(b)))
			return true;
		b = b->next;
	}
	return false;
}

/* Whether a new field has this old one's name among its aliases, and so has told of it. */
static bool
was_renamed(const struct json *from, const struct json *to, const struct json *old)
{
	for (const struct json *f = to; f != NULL; f = f->next)
		if (find_named(from, field_name(f)) == NULL && find_renamed(from, to, f) == old)
			return true;
	return false;
}

static void
compare_records(struct walk *w, const char *path, const struct type *from, const struct type *to)
{
	const struct json *olds = list_of(from->def, "fields"), *news = list_of(to->def, "fields"), *f;

	for (f = news; f != NULL; f = f->next) {
		const char *at = below(w, path, field_name(f));
		const struct json *same_name = find_named(olds, field_name(f));
		const struct json *old = same_name != NULL ? same_name : find_renamed(olds, news, f);

		if (old != NULL && same_name == NULL)
			add_renamed(w, at, old, f);
		if (old != NULL)
			compare_field(w, at, old, from, f, to);
		else
			add_field(w, at, true, f, to);
	}
	for (f = olds; f != NULL; f = f->next)
		if (find_named(news, field_name(f)) == NULL && !was_renamed(olds, news, f))
			add_field(w, below(w, path, field_name(f)), false, f, from);
	if (is_list_reordered(olds, news))
		add(w, (struct change){ path, CHANGE_REORDERED, "fields", json_get(from->def, "fields"), json_get(to->def, "fields"),
			"fields reordered" });
}

static void
compare_enums(struct walk *w, const char *path, const struct type *from, const struct type *to)
{
	const struct json *olds = list_of(from->def, "symbols"), *news = list_of(to->def, "symbols"), *s;

	for (s = news; s != NULL; s = s->next)
		if (find_named(olds, field_name(s)) == NULL)
			add_values(w, path, "symbol", NULL, s);
	for (s = olds; s != NULL; s = s->next)
		if (find_named(news, field_name(s)) == NULL)
			add_values(w, path, "symbol", s, NULL);
	if (is_list_reordered(olds, news))
		add(w, (struct change){ path, CHANGE_REORDERED, "symbols", json_get(from->def, "symbols"),
			json_get(to->def, "symbols"), "symbols reordered" });
}

/* ---- both ---- */

static void
compare_elements(struct walk *w, const char *path, const struct type *from, const struct type *to, const char *member,
    const char *sign)
{
	struct type a = type_at(&w->from, json_get(from->def, member), from->space);
	struct type b = type_at(&w->to, json_get(to->def, member), to->space);

	compare_types(w, arena_printf(w->arena, "%s%s", path, sign), &a, &b);
}

/* Whether the pair of definitions has been here before; it has now. */
static bool
is_seen(struct walk *w, const struct type *from, const struct type *to)
{
	const struct json *pair[2] = { from->def, to->def }, **kept;

	if (map_get(&w->seen, span_of(pair, sizeof pair)) != NULL)
		return true;
	must_fit((kept = arena_copy(w->arena, pair, sizeof pair)) != NULL);
	must_fit(map_put(&w->seen, span_of(kept, sizeof pair), kept));
	return false;
}

static void
compare_names(struct walk *w, const char *path, const struct type *from, const struct type *to)
{
	const char *text;

	if (span_eq(from->name, to->name))
		return;
	text = arena_printf(w->arena, "name changed: %.*s -> %.*s", (int)from->name.n, (const char *)from->name.p,
	    (int)to->name.n, (const char *)to->name.p);
	must_fit(text != NULL);
	add(w, (struct change){ path, CHANGE_CHANGED, "name", json_get(from->def, "name"), json_get(to->def, "name"), text });
}

/* What both consist of. */
static void
compare_structure(struct walk *w, const char *path, const struct type *from, const struct type *to)
{
	if (from->kind == TYPE_RECORD)
		compare_records(w, path, from, to);
	else if (from->kind == TYPE_ENUM)
		compare_enums(w, path, from, to);
	else if (from->kind == TYPE_UNION)
		compare_unions(w, path, from, to);
	else if (from->kind == TYPE_ARRAY)
		compare_elements(w, path, from, to, "items", "[]");
	else if (from->kind == TYPE_MAP)
		compare_elements(w, path, from, to, "values", "{}");
}

static void
compare_types(struct walk *w, const char *path, const struct type *from, const struct type *to)
{
	must_fit(path != NULL);
	if (!is_like(from, to)) {
		compare_unlike(w, path, from, to);
		return;
	}
	if (type_is_named(from)) {
		if (is_seen(w, from, to))
			return;
		/* At the top places are named after the type. */
		if (path[0] == '\0')
			path = below(w, path, type_simple(to->name));
		compare_names(w, path, from, to);
	}
	if (w->depth == DEPTH_MAX) {
		add(w, (struct change){ path, CHANGE_CHANGED, "type", from->def, to->def, "lies too deep to be compared" });
		return;
	}
	w->depth++;
	compare_structure(w, path, from, to);
	compare_attributes(w, path, from->def, to->def);
	w->depth--;
}

void
diff_schemas(struct arena *a, const struct json *from, const struct json *to, struct diff *out)
{
	struct walk w = { .arena = a, .out = out };
	struct type old, new;

	*out = (struct diff){ 0 };
	types_read(&w.from, a, from);
	types_read(&w.to, a, to);
	old = type_at(&w.from, from, span_of(NULL, 0));
	new = type_at(&w.to, to, span_of(NULL, 0));
	compare_types(&w, "", &old, &new);
	types_done(&w.from);
	types_done(&w.to);
	map_done(&w.seen);
}
