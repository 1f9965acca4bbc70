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

/* So many tags of one record or field are told. */
enum { TAGS_MAX = 1000 };

/* Texts, each once, in order. */
struct texts {
	struct span *list; /* arena */
	size_t n;
	struct map set;    /* text -> where it is in the list; owned */
	bool failed;       /* no memory */
};

static void
add_text(struct texts *t, struct span text)
{
	if (t->failed || t->n == TAGS_MAX || map_get(&t->set, text) != NULL)
		return;
	t->list[t->n] = text;
	t->failed = !map_put(&t->set, text, &t->list[t->n]);
	t->n++;
}

/* The texts of an array (NULL: none), and room for so many in all. */
static struct texts
texts_of(struct arena *a, size_t most, const struct json *array)
{
	struct texts t = { .list = arena_array(a, most < TAGS_MAX ? most : TAGS_MAX, sizeof *t.list) };

	t.failed = t.list == NULL;
	if (json_is_kind(array, JSON_ARRAY))
		for (const struct json *v = array->first; v != NULL; v = v->next)
			if (v->kind == JSON_STRING)
				add_text(&t, v->text);
	return t;
}

/* Notes the tags among these properties, if there are any. */
static void
note(struct walk *w, const struct avro_props *props, struct span record, struct span field)
{
	const struct avro_prop *found = NULL;
	struct json_mistake why;
	const struct json *array;
	struct schema_tags *to;
	struct texts texts = { 0 };
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
	if (array != NULL)
		texts = texts_of(w->arena, array->n, array);
	map_done(&texts.set);
	path = field.p == NULL ? arena_printf(w->arena, "%.*s", (int)record.n, (const char *)record.p) :
				 arena_printf(w->arena, "%.*s.%.*s", (int)record.n, (const char *)record.p, (int)field.n,
				     (const char *)field.p);
	if (texts.list == NULL || texts.failed || path == NULL) {
		w->failed = true;
		return;
	}
	*to = (struct schema_tags){ span_str(path), field.p != NULL, texts.list, texts.n };
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

/* A path, and the record or field that it means; NULL: not met yet. */
struct wanted {
	struct json *entity;
};

/* Tags to be added or taken away. */
struct task {
	const struct schema_tags *tags;
	bool add;
	struct wanted *wanted;
	struct task *next; /* of the same entity */
};

/* A record or field with tasks. */
struct entity {
	struct json *json;
	struct task *first, **last;
	struct entity *next;
};

/*
 * A change of tags under way.  All paths are looked for in one walk, and all that is to be done
 * to an entity is done at once: there may be many of either.
 */
struct change {
	struct arena *arena;
	struct json *root;
	struct place **last;        /* the end of those still to be looked at */
	struct map records, fields; /* path -> wanted; owned */
	size_t missing;             /* wanted that have no entity yet */
	struct map known;           /* the JSON (the pointer) -> entity; owned */
	struct entity *first, **last_entity;
	struct buf key;             /* for short use; owned */
	bool memory;                /* used up */
};

static void *
take(struct change *c, size_t count, size_t size)
{
	void *p = arena_array(c->arena, count, size);

	c->memory |= p == NULL;
	return p;
}

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
	if ((p = take(c, 1, sizeof *p)) == NULL)
		return;
	*p = (struct place){ type, space, NULL };
	*c->last = p;
	c->last = &p->next;
}

/* The path that means a record, or (field not null) a field of it: without a namespace, or (not empty) with it. */
static struct span
path_to(struct change *c, struct span space, struct span record, struct span field)
{
	buf_reset(&c->key);
	if (space.n > 0) {
		buf_span(&c->key, space);
		buf_u8(&c->key, '.');
	}
	buf_span(&c->key, record);
	if (field.p != NULL) {
		buf_u8(&c->key, '.');
		buf_span(&c->key, field);
	}
	c->memory |= c->key.failed;
	return buf_bytes(&c->key);
}

/* The record or field is what its path means, unless that was met nearer to the root. */
static void
meet(struct change *c, const struct map *paths, struct span space, struct span record, struct span field,
    struct json *entity)
{
	struct wanted *w = map_get(paths, path_to(c, space, record, field));

	if (w == NULL || w->entity != NULL)
		return;
	w->entity = entity;
	c->missing--;
}

static void
meet_record(struct change *c, struct json *record, struct span space)
{
	const struct span spaces[] = { span_of("", 0), space }, none = { 0 };
	struct json *fields = member(record, "fields");
	struct span name = text_at(record, "name");

	for (size_t i = 0; i < (space.n > 0 ? 2 : 1); i++) {
		meet(c, &c->records, spaces[i], name, none, record);
		if (c->fields.n > 0 && json_is_kind(fields, JSON_ARRAY))
			for (struct json *f = fields->first; f != NULL; f = f->next)
				meet(c, &c->fields, spaces[i], name, text_at(f, "name"), f);
	}
}

static void
look_at_record(struct change *c, struct json *record, struct span space)
{
	struct json *fields = member(record, "fields");

	if (json_get(record, "namespace") != NULL)
		space = text_at(record, "namespace");
	meet_record(c, record, space);
	for (struct json *f = fields != NULL ? fields->first : NULL; f != NULL; f = f->next)
		look_later(c, member(f, "type"), space);
}

static void
look_at(struct change *c, const struct place *p)
{
	struct json *type = p->type;

	if (type->kind == JSON_ARRAY) {
		for (struct json *branch = type->first; branch != NULL; branch = branch->next)
			look_later(c, branch, p->space);
		return;
	}
	if (json_is_text(member(type, "type"), "record") || json_is_text(member(type, "type"), "error")) {
		look_at_record(c, type, p->space);
		return;
	}
	look_later(c, member(type, "items"), p->space);
	look_later(c, member(type, "values"), p->space);
}

/* Finds what is wanted, in each case the nearest to the root. */
static void
find_entities(struct change *c)
{
	struct place *first = NULL;

	c->last = &first;
	look_later(c, c->root, span_of("", 0));
	for (; first != NULL && c->missing > 0 && !c->memory; first = first->next)
		look_at(c, first);
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

/* The path as path_to() has it, until that is used again. */
static struct span
tidy(struct change *c, struct span path, bool is_field)
{
	struct span field = { 0 }, record;

	if (path.n > 0 && path.p[0] == '.')
		path = span_of(path.p + 1, path.n - 1);
	if (is_field)
		field = take_last(&path);
	record = take_last(&path);
	return path_to(c, path, record, field);
}

/* What a path means. */
static struct wanted *
want(struct change *c, const struct schema_tags *t)
{
	struct map *paths = t->is_field ? &c->fields : &c->records;
	struct span path = tidy(c, t->path, t->is_field);
	struct wanted *w = map_get(paths, path);
	void *key;

	if (w != NULL)
		return w;
	w = take(c, 1, sizeof *w);
	if (w == NULL || (key = take(c, 1, path.n)) == NULL)
		return NULL;
	memcpy(key, path.n > 0 ? (const void *)path.p : "", path.n);
	c->memory |= !map_put(paths, span_of(key, path.n), w);
	c->missing++;
	return w;
}

static struct task *
list_tasks(struct change *c, const struct schema_tags *list, size_t n, bool add, struct task *to)
{
	for (size_t i = 0; i < n && !c->memory; i++)
		*to++ = (struct task){ &list[i], add, want(c, &list[i]), NULL };
	return to;
}

/* Gives a task to its entity. */
static void
assign(struct change *c, struct task *t)
{
	struct span key = span_of(&t->wanted->entity, sizeof t->wanted->entity);
	struct entity *e = map_get(&c->known, key);

	if (e == NULL) {
		if ((e = take(c, 1, sizeof *e)) == NULL)
			return;
		*e = (struct entity){ .json = t->wanted->entity, .last = &e->first };
		c->memory |= !map_put(&c->known, key, e);
		*c->last_entity = e;
		c->last_entity = &e->next;
	}
	*e->last = t;
	e->last = &t->next;
}

/* Puts the tags in place of those that are there, or behind all else. */
static void
put_array(struct change *c, struct json *entity, const struct texts *texts)
{
	struct json *array = take(c, 1, sizeof *array), *values = take(c, texts->set.n, sizeof *values);
	struct json **at = &entity->first;
	size_t n = 0;

	if (c->memory)
		return;
	for (size_t i = 0; i < texts->n; i++)
		if (map_get(&texts->set, texts->list[i]) != NULL) {
			values[n] = (struct json){ .kind = JSON_STRING, .text = texts->list[i] };
			if (n > 0)
				values[n - 1].next = &values[n];
			n++;
		}
	while (*at != NULL && !span_is((*at)->name, TAGS))
		at = &(*at)->next;
	entity->n += *at == NULL;
	*array = (struct json){ .kind = JSON_ARRAY, .name = span_str(TAGS), .first = values, .n = n,
		.next = *at == NULL ? NULL : (*at)->next };
	*at = array;
}

static void
drop_array(struct json *entity)
{
	struct json **at = &entity->first;

	while (*at != NULL && !span_is((*at)->name, TAGS))
		at = &(*at)->next;
	if (!json_is_kind(*at, JSON_ARRAY))
		return;
	*at = (*at)->next;
	entity->n--;
}

/* Does what is to be done to one entity. */
static void
change_entity(struct change *c, const struct entity *e)
{
	const struct json *array = json_get(e->json, TAGS);
	struct texts texts;
	size_t most = json_is_kind(array, JSON_ARRAY) ? array->n : 0;

	for (const struct task *t = e->first; t != NULL; t = t->next)
		most += t->add ? t->tags->n : 0;
	texts = texts_of(c->arena, most, array);
	for (const struct task *t = e->first; t != NULL; t = t->next)
		for (size_t i = 0; i < t->tags->n; i++)
			if (t->add)
				add_text(&texts, t->tags->tags[i]);
			else
				map_del(&texts.set, t->tags->tags[i]);
	c->memory |= texts.failed;
	if (texts.set.n > 0)
		put_array(c, e->json, &texts);
	else
		drop_array(e->json);
	map_done(&texts.set);
}

/* Whether all paths led somewhere; else the first that does not is told. */
static bool
check_tasks(const struct change *c, const struct task *tasks, size_t n, struct schema_mistake *why)
{
	for (size_t i = 0; i < n && !c->memory; i++)
		if (tasks[i].wanted->entity == NULL) {
			snprintf(why->text, sizeof why->text, "No matching path '%.*s' found in the schema",
			    (int)tasks[i].tags->path.n, (const char *)tasks[i].tags->path.p);
			return false;
		}
	return !c->memory;
}

static bool
change_all(struct change *c, struct task *tasks, size_t n, struct schema_mistake *why)
{
	find_entities(c);
	if (!check_tasks(c, tasks, n, why))
		return false;
	for (size_t i = 0; i < n && !c->memory; i++)
		assign(c, &tasks[i]);
	for (const struct entity *e = c->first; e != NULL && !c->memory; e = e->next)
		change_entity(c, e);
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
	struct task *tasks;
	bool good;

	c.last_entity = &c.first;
	avro_print(s, AVRO_TEXT, &text);
	if (settle(a, &text, out))
		c.root = json_parse(a, *out, &mistake);
	c.memory = c.root == NULL;
	if ((tasks = take(&c, n_add + n_remove, sizeof *tasks)) != NULL)
		list_tasks(&c, remove, n_remove, false, list_tasks(&c, add, n_add, true, tasks));
	good = !c.memory && change_all(&c, tasks, n_add + n_remove, why);
	if (good) {
		json_print(&text, c.root);
		good = settle(a, &text, out);
		c.memory = !good;
	}
	why->memory = c.memory;
	map_done(&c.records);
	map_done(&c.fields);
	map_done(&c.known);
	buf_done(&c.key);
	return good;
}
