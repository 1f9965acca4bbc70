/*
 * entity.c -- records and fields of an Avro schema by their names, and the tags that they have inside: the
 * property confluent:tags, an array of strings.
 */
#include <stdio.h>

#include "base/map.h"
#include "json/tree.h"
#include "schema/avro/node.h"
#include "schema/schema.h"

#define TAGS "confluent:tags"

bool
avro_has_field(const struct avro_schema *s, struct span name)
{
	return s->root->type == AVRO_RECORD && avro_field(s->root->named, name) != NULL;
}

/* ---- the tags that are there ---- */

/* A walk through all records. */
struct walk {
	struct arena *arena;
	struct map seen; /* records, by their full names; owned */
	struct schema_tags *list; /* arena */
	size_t n, cap;
	unsigned depth;
	bool failed; /* no memory */
};

static struct schema_tags *
room(struct walk *w)
{
	if (w->n == w->cap) {
		size_t cap = w->cap == 0 ? 8 : w->cap * 2;
		struct schema_tags *larger = arena_array(w->arena, cap, sizeof *larger);

		if (larger == NULL) {
			w->failed = true;
			return NULL;
		}
		for (size_t i = 0; i < w->n; i++)
			larger[i] = w->list[i];
		w->list = larger;
		w->cap = cap;
	}
	return &w->list[w->n];
}

static bool
has_text(const struct span *list, size_t n, struct span text)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq(list[i], text))
			return true;
	return false;
}

/* So many tags of one record or field are told: each is compared with the others. */
enum { TAGS_MAX = 1000 };

/* The texts of an array, each once, behind those that are there. */
static size_t
add_texts(struct span *list, size_t n, const struct json *array)
{
	if (json_is_kind(array, JSON_ARRAY))
		for (const struct json *v = array->first; v != NULL && n < TAGS_MAX; v = v->next)
			if (v->kind == JSON_STRING && !has_text(list, n, v->text))
				list[n++] = v->text;
	return n;
}

/* Notes the tags among these properties, if there are any. */
static void
note(struct walk *w, const struct avro_props *props, struct span record, struct span field)
{
	const struct avro_prop *found = NULL;
	struct json_mistake why;
	const struct json *array;
	struct schema_tags *to;
	struct span *texts;
	const void *value;
	char *path;

	for (size_t i = 0; i < props->n; i++)
		if (span_is(props->list[i].name, TAGS))
			found = &props->list[i];
	if (found == NULL || w->failed || (to = room(w)) == NULL)
		return;
	/* What is told outlives the schema. */
	value = arena_copy(w->arena, found->value.p, found->value.n);
	array = value == NULL ? NULL : json_parse(w->arena, span_of(value, found->value.n), &why);
	texts = array == NULL ? NULL : arena_array(w->arena, array->n < TAGS_MAX ? array->n : TAGS_MAX, sizeof *texts);
	path = field.p == NULL ? arena_printf(w->arena, "%.*s", (int)record.n, (const char *)record.p) :
				 arena_printf(w->arena, "%.*s.%.*s", (int)record.n, (const char *)record.p, (int)field.n,
				     (const char *)field.p);
	if (texts == NULL || path == NULL) {
		w->failed = array == NULL || array->n > 0 || path == NULL;
		return;
	}
	*to = (struct schema_tags){ span_str(path), field.p != NULL, texts, add_texts(texts, 0, array) };
	w->n += to->n > 0;
}

static void walk(struct walk *, const struct avro_node *);

static void
walk_record(struct walk *w, const struct avro_node *n)
{
	struct avro_named *record = n->named;

	if (map_get(&w->seen, record->full) != NULL)
		return;
	w->failed |= !map_put(&w->seen, record->full, record);
	note(w, &n->props, record->full, (struct span){ 0 });
	for (size_t i = 0; i < record->n_fields && !w->failed; i++) {
		note(w, &record->fields[i].props, record->full, record->fields[i].name);
		walk(w, record->fields[i].type);
	}
}

static void
walk(struct walk *w, const struct avro_node *n)
{
	if (w->depth == AVRO_WALK_MAX)
		w->failed = true;
	if (w->failed)
		return;
	w->depth++;
	if (n->type == AVRO_RECORD)
		walk_record(w, n);
	else if (n->type == AVRO_ARRAY || n->type == AVRO_MAP)
		walk(w, n->element);
	else if (n->type == AVRO_UNION)
		for (size_t i = 0; i < n->n_branches; i++)
			walk(w, n->branches[i]);
	w->depth--;
}

bool
avro_tags(const struct avro_schema *s, struct arena *a, struct schema_tags **out, size_t *n)
{
	struct walk w = { .arena = a };

	walk(&w, s->root);
	map_done(&w.seen);
	*out = w.list;
	*n = w.n;
	return !w.failed;
}

/* ---- other tags ---- */

/* A type in the schema's JSON that is to be looked at, and the namespace it stands in. */
struct place {
	struct json *type;
	struct span space;
	struct place *next;
};

/* What is looked for: a record by namespace (empty: any) and name, or a field of it. */
struct wanted {
	struct span space, record, field; /* field null: the record */
};

/* A change of tags under way. */
struct change {
	struct arena *arena;
	struct json *root;
	struct place *first, **last; /* still to be looked at */
	bool memory;                 /* used up */
};

static struct json *
member(struct json *in, const char *name)
{
	return (struct json *)(uintptr_t)json_get(in, name);
}

static struct span
text_at(struct json *in, const char *name)
{
	const struct json *v = json_get(in, name);

	return json_is_kind(v, JSON_STRING) ? v->text : span_of("", 0);
}

static void
look_later(struct change *c, struct json *type, struct span space)
{
	struct place *p;

	if (type == NULL || (type->kind != JSON_OBJECT && type->kind != JSON_ARRAY))
		return;
	if ((p = arena_alloc(c->arena, sizeof *p)) == NULL) {
		c->memory = true;
		return;
	}
	*p = (struct place){ type, space, NULL };
	*c->last = p;
	c->last = &p->next;
}

/* Takes the last part, behind its last dot, off a path. */
static struct span
take_last(struct span *path)
{
	struct span part;
	size_t at = path->n;

	while (at > 0 && path->p[at - 1] != '.')
		at--;
	part = span_of(path->p + at, path->n - at);
	path->n = at > 0 ? at - 1 : 0;
	return part;
}

static struct wanted
wanted_by(struct span path, bool is_field)
{
	struct wanted w = { 0 };

	if (path.n > 0 && path.p[0] == '.')
		path = span_of(path.p + 1, path.n - 1);
	if (is_field)
		w.field = take_last(&path);
	w.record = take_last(&path);
	w.space = path;
	return w;
}

static struct json *
field_of(struct json *record, struct span name)
{
	struct json *fields = member(record, "fields");

	for (struct json *f = json_is_kind(fields, JSON_ARRAY) ? fields->first : NULL; f != NULL; f = f->next)
		if (span_eq(text_at(f, "name"), name))
			return f;
	return NULL;
}

/* The record, or its field, if it is what is wanted; NULL with what is in it to be looked at later. */
static struct json *
look_at_record(struct change *c, struct json *record, struct span space, const struct wanted *w)
{
	struct json *fields = member(record, "fields"), *found = NULL;
	const struct json *own = json_get(record, "namespace");

	if (own != NULL)
		space = text_at(record, "namespace");
	if ((w->space.n == 0 || span_eq(w->space, space)) && span_eq(text_at(record, "name"), w->record))
		found = w->field.p == NULL ? record : field_of(record, w->field);
	for (struct json *f = found == NULL && fields != NULL ? fields->first : NULL; f != NULL; f = f->next)
		look_later(c, member(f, "type"), space);
	return found;
}

static struct json *
look_at(struct change *c, const struct place *p, const struct wanted *w)
{
	struct json *type = p->type;

	if (type->kind == JSON_ARRAY) {
		for (struct json *branch = type->first; branch != NULL; branch = branch->next)
			look_later(c, branch, p->space);
		return NULL;
	}
	if (json_is_text(member(type, "type"), "record") || json_is_text(member(type, "type"), "error"))
		return look_at_record(c, type, p->space, w);
	look_later(c, member(type, "items"), p->space);
	look_later(c, member(type, "values"), p->space);
	return NULL;
}

/* The nearest to the root; NULL: there is none. */
static struct json *
find_entity(struct change *c, const struct schema_tags *t)
{
	struct wanted w = wanted_by(t->path, t->is_field);
	struct json *found = NULL;

	c->first = NULL;
	c->last = &c->first;
	look_later(c, c->root, span_of("", 0));
	for (; c->first != NULL && found == NULL && !c->memory; c->first = c->first->next)
		found = look_at(c, c->first, &w);
	return found;
}

static void
set_texts(struct change *c, struct json *array, const struct span *texts, size_t n)
{
	struct json *values = arena_array(c->arena, n, sizeof *values);

	c->memory |= values == NULL && n > 0;
	if (c->memory)
		return;
	array->n = n;
	array->first = n == 0 ? NULL : values;
	for (size_t i = 0; i < n; i++)
		values[i] = (struct json){ .kind = JSON_STRING, .text = texts[i], .next = i + 1 < n ? &values[i + 1] : NULL };
}

/* The array of tags, made behind all else where there is none. */
static struct json *
need_array(struct change *c, struct json *entity)
{
	struct json *array = member(entity, TAGS), *last = entity->first;

	if (json_is_kind(array, JSON_ARRAY))
		return array;
	if ((array = arena_alloc(c->arena, sizeof *array)) == NULL) {
		c->memory = true;
		return NULL;
	}
	*array = (struct json){ .kind = JSON_ARRAY, .name = span_str(TAGS) };
	while (last->next != NULL)
		last = last->next;
	last->next = array;
	entity->n++;
	return array;
}

static void
drop_member(struct json *in, const struct json *v)
{
	struct json **at = &in->first;

	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
	in->n--;
}

static void
change_entity(struct change *c, struct json *entity, const struct schema_tags *t, bool add)
{
	struct json *array = need_array(c, entity);
	size_t most = array == NULL ? 0 : array->n + t->n, n = 0, kept = 0;
	struct span *texts = arena_array(c->arena, most < TAGS_MAX ? most : TAGS_MAX, sizeof *texts);

	c->memory |= texts == NULL && most > 0;
	if (c->memory)
		return;
	n = add_texts(texts, 0, array);
	for (size_t i = 0; add && i < t->n && n < TAGS_MAX; i++)
		if (!has_text(texts, n, t->tags[i]))
			texts[n++] = t->tags[i];
	for (size_t i = 0; i < n; i++)
		if (add || !has_text(t->tags, t->n, texts[i]))
			texts[kept++] = texts[i];
	if (kept == 0)
		drop_member(entity, array);
	else
		set_texts(c, array, texts, kept);
}

static bool
change_all(struct change *c, const struct schema_tags *list, size_t n, bool add, struct schema_mistake *why)
{
	for (size_t i = 0; i < n && !c->memory; i++) {
		struct json *entity = find_entity(c, &list[i]);

		if (entity == NULL && !c->memory) {
			snprintf(why->text, sizeof why->text, "No matching path '%.*s' found in the schema", (int)list[i].path.n,
			    (const char *)list[i].path.p);
			return false;
		}
		if (entity != NULL)
			change_entity(c, entity, &list[i], add);
	}
	why->memory = c->memory;
	return !c->memory;
}

/* A text in the arena; the buffer is freed. */
static bool
settle(struct arena *a, struct buf *text, struct span *out)
{
	void *copy = text->failed ? NULL : arena_copy(a, text->p, text->n);

	*out = span_of(copy, text->n);
	buf_done(text);
	return copy != NULL;
}

bool
avro_change_tags(const struct avro_schema *s, const struct schema_tags *add, size_t n_add,
    const struct schema_tags *remove, size_t n_remove, struct arena *a, struct span *out, struct schema_mistake *why)
{
	struct change c = { .arena = a };
	struct json_mistake mistake;
	struct buf text = { 0 };

	avro_print(s, AVRO_TEXT, &text);
	if (settle(a, &text, out))
		c.root = json_parse(a, *out, &mistake);
	c.memory = c.root == NULL;
	if (!change_all(&c, add, n_add, true, why) || !change_all(&c, remove, n_remove, false, why))
		return false;
	json_print(&text, c.root);
	why->memory = !settle(a, &text, out);
	return !why->memory;
}
