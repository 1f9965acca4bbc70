/* state.c -- the state that the records of `_schemas` make, and how each record changes it. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "registry/registry_internal.h"

/* A record is at most what a broker takes; its tree is some times as large. */
enum { RECORD_ARENA = 256 * 1024 * 1024 };

/* ---- names ---- */

struct span
registry_qualified(struct span s)
{
	if (s.n >= 3 && memcmp(s.p, ":.:", 3) == 0)
		return span_of(s.p + 3, s.n - 3);
	return s;
}

struct span
registry_context(struct span subject, struct span *name)
{
	const uint8_t *end;

	if (subject.n >= 2 && subject.p[0] == ':' && subject.p[1] == '.' &&
	    (end = memchr(subject.p + 1, ':', subject.n - 1)) != NULL) {
		*name = span_of(end + 1, (size_t)(subject.p + subject.n - end - 1));
		return span_of(subject.p + 1, (size_t)(end - subject.p - 1));
	}
	*name = subject;
	return span_str(".");
}

struct span
state_reference(struct arena *a, struct span context, struct span subject)
{
	struct span name, own = registry_context(subject, &name);
	char *text;

	if (span_is(context, ".") || !span_is(own, ".") || (subject.n > 0 && subject.p[0] == ':'))
		return registry_qualified(subject);
	text = arena_printf(a, ":%.*s:%.*s", (int)context.n, (const char *)context.p, (int)subject.n,
	    (const char *)subject.p);
	return text == NULL ? span_of(NULL, 0) : span_str(text);
}

static struct span
own_copy(struct span s)
{
	return s.p == NULL ? s : span_of(xmemdup(s.p, s.n), s.n);
}

static void
own_free(struct span s)
{
	free((void *)(uintptr_t)s.p);
}

/* ---- contexts and subjects ---- */

struct context *
state_context(const struct registry *r, struct span name)
{
	return map_get(&r->contexts, name);
}

static struct context *
need_context(struct registry *r, struct span name)
{
	struct context *c = state_context(r, name);

	if (c != NULL)
		return c;
	c = xcalloc(1, sizeof *c + name.n);
	memcpy(c->bytes, name.p, name.n);
	c->name = span_of(c->bytes, name.n);
	must(map_put(&r->contexts, c->name, c));
	names_put(&r->sorted_contexts, c->name, c);
	return c;
}

struct subject *
state_subject(const struct registry *r, struct span name)
{
	return map_get(&r->subjects, name);
}

static struct subject *
need_subject(struct registry *r, struct span qualified)
{
	struct subject *s = state_subject(r, qualified);
	struct span name, context = registry_context(qualified, &name);

	if (s != NULL)
		return s;
	s = xcalloc(1, sizeof *s + qualified.n);
	if (qualified.n > 0)
		memcpy(s->bytes, qualified.p, qualified.n);
	s->name = span_of(s->bytes, qualified.n);
	s->context = need_context(r, context);
	s->context->n_subjects++;
	must(map_put(&r->subjects, s->name, s));
	names_put(&r->sorted, s->name, s);
	return s;
}

static void
drop_subject(struct registry *r, struct subject *s)
{
	s->context->n_subjects--;
	map_del(&r->subjects, s->name);
	names_del(&r->sorted, s->name);
	free(s->versions);
	free(s);
}

/* ---- references ---- */

enum { VERSION_BYTES = 4 };

static struct span
target_key(struct buf *to, struct span subject, int32_t version)
{
	buf_u32(to, (uint32_t)version);
	buf_span(to, subject);
	must(!to->failed);
	return buf_bytes(to);
}

const struct target *
state_target(const struct registry *r, struct span subject, int32_t version)
{
	struct buf key = { 0 };
	const struct target *t = map_get(&r->targets, target_key(&key, subject, version));

	buf_done(&key);
	return t;
}

static struct target *
need_target(struct registry *r, struct span key)
{
	struct target *t = map_get(&r->targets, key);

	if (t != NULL)
		return t;
	t = xcalloc(1, sizeof *t + key.n);
	memcpy(t->bytes, key.p, key.n);
	t->key = span_of(t->bytes, key.n);
	must(map_put(&r->targets, t->key, t));
	return t;
}

static void
drop_link(struct registry *r, struct target *t, const struct content *c)
{
	size_t i = 0;

	while (i < t->n && t->by[i] != c)
		i++;
	if (i < t->n)
		t->by[i] = t->by[--t->n];
	if (t->n > 0)
		return;
	map_del(&r->targets, t->key);
	free(t->by);
	free(t);
}

static void
put_link(struct target *t, struct content *c)
{
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 2 : t->cap * 2;
		t->by = xrealloc(t->by, t->cap * sizeof *t->by);
	}
	t->by[t->n++] = c;
}

/* Enters or takes out the references of a content; one that names a version twice is there twice. */
static void
link_references(struct registry *r, struct content *c, bool in)
{
	struct buf key = { 0 };
	struct arena a;

	arena_init(&a, RECORD_ARENA);
	for (size_t i = 0; i < c->entry.n_references; i++) {
		const struct reference *ref = &c->entry.references[i];
		struct span subject = state_reference(&a, c->entry.context, ref->subject);
		struct target *t;

		buf_reset(&key);
		target_key(&key, subject, ref->version);
		if (in)
			put_link(need_target(r, buf_bytes(&key)), c);
		else if ((t = map_get(&r->targets, buf_bytes(&key))) != NULL)
			drop_link(r, t, c);
	}
	buf_done(&key);
	arena_done(&a);
}

/* ---- contents ---- */

struct content *
state_by_hash(const struct registry *r, const struct context *context, const uint8_t hash[16])
{
	(void)r;
	return context == NULL ? NULL : map_get(&context->by_hash, span_of(hash, 16));
}

static struct span
put_bytes(char **at, struct span s)
{
	struct span put = span_of(*at, s.n);

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return put;
}

/* A tree of the record's, printed and parsed again into memory that lasts. */
static const struct json *
keep_tree(struct arena *to, const struct json *tree)
{
	struct json_mistake why;
	struct buf text = { 0 };
	struct json *kept;
	void *copy;

	if (tree == NULL)
		return NULL;
	json_print(&text, tree);
	must(!text.failed);
	copy = arena_copy(to, text.p, text.n);
	must(copy != NULL);
	kept = json_parse(to, span_of(copy, text.n), &why);
	must(kept != NULL); /* it was well-formed when it came */
	buf_done(&text);
	return kept;
}

static size_t
bytes_of(const struct record *rec)
{
	size_t n = rec->schema.n + rec->schema_type.n + rec->n_references * sizeof(struct reference) + 16;

	for (size_t i = 0; i < rec->n_references; i++)
		n += rec->references[i].name.n + rec->references[i].subject.n;
	return n;
}

/* References stand first, where they are aligned. */
static void
fill_entry(struct content *c, const struct record *rec)
{
	struct reference *refs = (void *)c->bytes;
	char *at = c->bytes + rec->n_references * sizeof *refs;

	for (size_t i = 0; i < rec->n_references; i++)
		refs[i] = (struct reference){ put_bytes(&at, rec->references[i].name),
			put_bytes(&at, rec->references[i].subject), rec->references[i].version };
	c->entry.references = rec->n_references == 0 ? NULL : refs;
	c->entry.n_references = rec->n_references;
	c->entry.schema_type = put_bytes(&at, rec->schema_type);
	c->entry.text = put_bytes(&at, rec->schema);
	arena_init(&c->trees, RECORD_ARENA);
	c->entry.metadata = keep_tree(&c->trees, rec->metadata);
	c->entry.rule_set = keep_tree(&c->trees, rec->rule_set);
}

_Static_assert(offsetof(struct content, bytes) % _Alignof(struct reference) == 0, "references are aligned");

static struct content *
make_content(struct registry *r, struct context *context, const struct record *rec, const uint8_t hash[16],
    int64_t timestamp_ms)
{
	struct content *c = xcalloc(1, sizeof *c + bytes_of(rec));

	c->context = context;
	c->entry = (struct schema_entry){ .context = context->name, .id = rec->id, .timestamp_ms = timestamp_ms };
	memcpy(c->entry.guid, hash, sizeof c->entry.guid);
	store32(c->id_key, (uint32_t)rec->id);
	list_init(&c->uses);
	fill_entry(c, rec);
	if (!schema_type_parse(c->entry.schema_type, &c->entry.type))
		c->entry.type = SCHEMA_AVRO; /* parsing it will say that its type is unknown */
	must(map_put(&context->by_id, span_of(c->id_key, sizeof c->id_key), c));
	/* The same schema may bear several ids, in topics of old: the first is given to who registers it again. */
	if (map_get(&context->by_hash, span_of(c->entry.guid, 16)) == NULL)
		must(map_put(&context->by_hash, span_of(c->entry.guid, 16), c));
	c->same_guid = map_get(&r->by_guid, span_of(c->entry.guid, 16));
	/* The key lies in the newest, so that it lives as long as the entry. */
	map_del(&r->by_guid, span_of(c->entry.guid, 16));
	must(map_put(&r->by_guid, span_of(c->entry.guid, 16), c));
	link_references(r, c, true);
	return c;
}

static void
unlink_guid(struct registry *r, struct content *c)
{
	struct content *first = map_del(&r->by_guid, span_of(c->entry.guid, 16));
	struct content **at = &first;

	while (*at != c)
		at = &(*at)->same_guid;
	*at = c->same_guid;
	if (first != NULL)
		must(map_put(&r->by_guid, span_of(first->entry.guid, 16), first));
}

static void
free_content(struct content *c)
{
	arena_done(&c->trees);
	free(c);
}

/* The next of the same schema in the context takes its place, if there is one. */
static void
unlink_hash(struct registry *r, struct content *c)
{
	struct span hash = span_of(c->entry.guid, 16);
	struct content *heir = map_get(&r->by_guid, hash);

	if (map_get(&c->context->by_hash, hash) != c)
		return;
	map_del(&c->context->by_hash, hash);
	while (heir != NULL && heir->context != c->context)
		heir = heir->same_guid;
	if (heir != NULL)
		must(map_put(&c->context->by_hash, span_of(heir->entry.guid, 16), heir));
}

static void
drop_content(struct registry *r, struct content *c)
{
	link_references(r, c, false);
	unlink_guid(r, c);
	unlink_hash(r, c);
	map_del(&c->context->by_id, span_of(c->id_key, sizeof c->id_key));
	free_content(c);
}

/* ---- versions ---- */

/* Where a version of this number is, or belongs. */
static size_t
find_version(const struct subject *s, int32_t version)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->versions[middle]->entry.version < version)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct version *
state_version(const struct subject *s, int32_t version)
{
	size_t at = s == NULL ? 0 : find_version(s, version);

	return s != NULL && at < s->n && s->versions[at]->entry.version == version ? s->versions[at] : NULL;
}

bool
state_is(const struct version *v, enum registry_which which)
{
	return which == REGISTRY_ALL || v->entry.deleted == (which == REGISTRY_DELETED_ONLY);
}

struct version *
state_newest(const struct subject *s, enum registry_which which)
{
	for (size_t i = s == NULL ? 0 : s->n; i > 0; i--)
		if (state_is(s->versions[i - 1], which))
			return s->versions[i - 1];
	return NULL;
}

static struct version *
add_version(struct subject *s, int32_t number)
{
	size_t at = find_version(s, number);
	struct version *v = xcalloc(1, sizeof *v);

	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 2 : s->cap * 2;
		s->versions = xrealloc(s->versions, s->cap * sizeof *s->versions);
	}
	memmove(s->versions + at + 1, s->versions + at, (s->n - at) * sizeof *s->versions);
	s->versions[at] = v;
	s->n++;
	s->n_live++;
	v->subject = s;
	v->entry = (struct version_entry){ .subject = s->name, .version = number };
	list_init(&v->use);
	return v;
}

static void
set_deleted(struct version *v, bool deleted)
{
	if (v->entry.deleted != deleted)
		v->subject->n_live += deleted ? (size_t)-1 : 1;
	v->entry.deleted = deleted;
}

/* Takes a version from its schema, which goes when it was the last. */
static void
leave_content(struct registry *r, struct version *v)
{
	struct content *c = v->content;

	if (c == NULL)
		return;
	list_del(&v->use);
	if (list_empty(&c->uses))
		drop_content(r, c);
	v->content = NULL;
}

static void
drop_version(struct registry *r, struct version *v)
{
	struct subject *s = v->subject;
	size_t at = find_version(s, v->entry.version);

	leave_content(r, v);
	set_deleted(v, true);
	s->n--;
	memmove(s->versions + at, s->versions + at + 1, (s->n - at) * sizeof *s->versions);
	own_free(v->key);
	free(v);
	if (s->n == 0)
		drop_subject(r, s);
}

/* The key's bytes, if they are not those that we would write. */
static struct span
odd_key(const struct record *rec, struct span key)
{
	struct buf ours = { 0 };
	struct span odd = span_of(NULL, 0);

	record_put_key(&ours, rec);
	must(!ours.failed);
	if (!span_eq(buf_bytes(&ours), key))
		odd = own_copy(key);
	buf_done(&ours);
	return odd;
}

/* The content that a record brings: one that is known, or a new one; NULL when its id bears another schema. */
static struct content *
content_of(struct registry *r, struct context *context, const struct record *rec, struct version *v,
    int64_t timestamp_ms)
{
	struct content *c;
	uint8_t id[4], hash[16];

	store32(id, (uint32_t)rec->id);
	record_hash(rec, hash);
	c = map_get(&context->by_id, span_of(id, sizeof id));
	if (c != NULL && memcmp(c->entry.guid, hash, sizeof hash) != 0) {
		/* It may be this version alone that has the id, and is written anew. */
		if (v == NULL || v->content != c || c->uses.next->next != &c->uses)
			return NULL;
		leave_content(r, v);
		c = NULL;
	}
	return c != NULL ? c : make_content(r, context, rec, hash, timestamp_ms);
}

static bool
apply_schema(struct registry *r, const struct record *rec, int64_t timestamp_ms, struct span key, const char **why)
{
	struct version *v = state_version(state_subject(r, rec->subject), rec->version);
	struct span name;
	struct context *context;
	struct content *c;

	if (rec->tombstone) {
		if (v != NULL)
			drop_version(r, v);
		return true;
	}
	context = need_context(r, registry_context(rec->subject, &name));
	/* What bore an id once is never given out again, whatever becomes of the record. */
	if (rec->id > context->max_id)
		context->max_id = rec->id;
	if ((c = content_of(r, context, rec, v, timestamp_ms)) == NULL) {
		*why = "its id bears another schema";
		return false;
	}
	if (v == NULL)
		v = add_version(need_subject(r, rec->subject), rec->version);
	if (v->content != c) {
		leave_content(r, v);
		v->content = c;
		v->entry.schema = &c->entry;
		list_add(&c->uses, &v->use);
	}
	set_deleted(v, rec->deleted);
	v->entry.timestamp_ms = timestamp_ms;
	own_free(v->key);
	v->key = odd_key(rec, key);
	return true;
}

/* ---- the other records ---- */

const struct scope *
state_scope(const struct registry *r, struct span name)
{
	return map_get(&r->scopes, name.p == NULL ? span_str("") : name);
}

static struct scope *
need_scope(struct registry *r, struct span name)
{
	struct scope *s = map_get(&r->scopes, name);

	if (s != NULL)
		return s;
	s = xcalloc(1, sizeof *s + name.n);
	if (name.n > 0)
		memcpy(s->bytes, name.p, name.n);
	s->name = span_of(s->bytes, name.n);
	arena_init(&s->trees, RECORD_ARENA);
	must(map_put(&r->scopes, s->name, s));
	return s;
}

static void
free_scope(struct scope *s)
{
	arena_done(&s->trees);
	own_free(s->mode);
	own_free(s->config_key);
	own_free(s->mode_key);
	free(s);
}

static void
drop_idle_scope(struct registry *r, struct scope *s)
{
	if (s->config != NULL || s->mode.p != NULL)
		return;
	map_del(&r->scopes, s->name);
	free_scope(s);
}

/* A name that is null means all: so does the empty one of the normal context. */
static struct span
scope_name(const struct record *rec)
{
	return rec->subject.p == NULL ? span_str("") : registry_qualified(rec->subject);
}

static bool
is_level(const struct json *config)
{
	const struct json *v = json_get(config, "compatibilityLevel");
	enum level level;

	return v == NULL || v->kind == JSON_NULL || (v->kind == JSON_STRING && level_parse(v->text, &level));
}

static bool
apply_config(struct registry *r, const struct record *rec, struct span key, const char **why)
{
	struct scope *s;

	if (!rec->tombstone && !is_level(rec->config)) {
		*why = "its compatibility level is unknown";
		return false;
	}
	s = need_scope(r, scope_name(rec));
	arena_done(&s->trees);
	s->config = rec->tombstone ? NULL : keep_tree(&s->trees, rec->config);
	own_free(s->config_key);
	s->config_key = odd_key(rec, key);
	drop_idle_scope(r, s);
	return true;
}

static bool
apply_mode(struct registry *r, const struct record *rec, struct span key, const char **why)
{
	struct scope *s;

	if (!rec->tombstone && registry_mode_name(rec->mode) == NULL) {
		*why = "its mode is unknown";
		return false;
	}
	s = need_scope(r, scope_name(rec));
	own_free(s->mode);
	s->mode = rec->tombstone ? span_of(NULL, 0) : own_copy(rec->mode);
	own_free(s->mode_key);
	s->mode_key = odd_key(rec, key);
	drop_idle_scope(r, s);
	return true;
}

/* Marks the versions up to the watermark as deleted. */
static void
apply_delete_subject(struct registry *r, const struct record *rec)
{
	struct subject *s = state_subject(r, rec->subject);

	for (size_t i = 0; s != NULL && !rec->tombstone && i < s->n; i++)
		if (s->versions[i]->entry.version <= rec->version)
			set_deleted(s->versions[i], true);
}

/* Forgets the softly deleted versions of a subject, or of a whole context. */
static void
clear_subject(struct registry *r, struct subject *s)
{
	/* The subject goes with its last version. */
	for (size_t i = s->n, left = s->n; i > 0 && left > 0; i--)
		if (s->versions[i - 1]->entry.deleted) {
			drop_version(r, s->versions[i - 1]);
			left--;
		}
}

static void
apply_clear_subject(struct registry *r, const struct record *rec)
{
	struct span name, context = registry_context(rec->subject, &name);
	struct subject *one = state_subject(r, rec->subject);
	const struct names_entry *e;
	struct subject **list;
	names_place at = 0;
	size_t n = 0;

	if (rec->tombstone)
		return;
	if (name.n > 0) {
		if (one != NULL)
			clear_subject(r, one);
		return;
	}
	/* A subject that goes takes its place with it: so they are noted first. */
	list = xcalloc(r->subjects.n, sizeof *list);
	while ((e = names_next(&r->sorted, &at)) != NULL)
		if (span_eq(((struct subject *)e->value)->context->name, context))
			list[n++] = e->value;
	for (size_t i = 0; i < n; i++)
		clear_subject(r, list[i]);
	free(list);
}

static bool
apply(struct registry *r, const struct record *rec, int64_t timestamp_ms, struct span key, const char **why)
{
	switch (rec->type) {
	case RECORD_SCHEMA:
		return apply_schema(r, rec, timestamp_ms, key, why);
	case RECORD_CONFIG:
		return apply_config(r, rec, key, why);
	case RECORD_MODE:
		return apply_mode(r, rec, key, why);
	case RECORD_DELETE_SUBJECT:
		apply_delete_subject(r, rec);
		return true;
	case RECORD_CLEAR_SUBJECT:
		apply_clear_subject(r, rec);
		return true;
	case RECORD_CONTEXT:
		if (!rec->tombstone && rec->context.n > 0)
			need_context(r, rec->context);
		return true;
	default:
		return true;
	}
}

bool
registry_apply(struct registry *r, int64_t offset, int64_t timestamp_ms, struct span key,
    struct span value, const char **why)
{
	struct record rec;
	struct arena a;
	bool good;

	(void)offset;
	arena_init(&a, RECORD_ARENA);
	good = record_read(&a, key, value, &rec, why);
	if (good) {
		if (rec.subject.p != NULL)
			rec.subject = registry_qualified(rec.subject);
		good = apply(r, &rec, timestamp_ms, key, why);
	}
	arena_done(&a);
	return good;
}

/* ---- beginning and end ---- */

struct registry *
registry_new(enum level level)
{
	struct registry *r = xcalloc(1, sizeof *r);

	r->level = level;
	r->normal = need_context(r, span_str("."));
	return r;
}

void
registry_free(struct registry *r)
{
	size_t it = 0;
	void *p;

	while ((p = map_next(&r->subjects, &it)) != NULL) {
		struct subject *s = p;

		for (size_t i = 0; i < s->n; i++) {
			own_free(s->versions[i]->key);
			free(s->versions[i]);
		}
		free(s->versions);
		free(s);
	}
	for (it = 0; (p = map_next(&r->contexts, &it)) != NULL;) {
		struct context *c = p;
		size_t in = 0;

		while ((p = map_next(&c->by_id, &in)) != NULL)
			free_content(p);
		map_done(&c->by_id);
		map_done(&c->by_hash);
		free(c);
	}
	for (it = 0; (p = map_next(&r->scopes, &it)) != NULL;)
		free_scope(p);
	for (it = 0; (p = map_next(&r->targets, &it)) != NULL;) {
		free(((struct target *)p)->by);
		free(p);
	}
	map_done(&r->subjects);
	map_done(&r->contexts);
	map_done(&r->by_guid);
	map_done(&r->scopes);
	map_done(&r->targets);
	names_done(&r->sorted);
	names_done(&r->sorted_contexts);
	free(r);
}
