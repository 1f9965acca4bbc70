/* state.c -- the state that the records of `_schemas` make, and how each record changes it. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "registry/registry_internal.h"

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
state_join(struct arena *a, const struct span *parts, size_t n)
{
	size_t bytes = 0;
	char *joined, *at;

	for (size_t i = 0; i < n; i++)
		bytes += parts[i].n;
	if ((joined = at = arena_alloc(a, bytes)) == NULL)
		return span_of(NULL, 0);
	for (size_t i = 0; i < n; at += parts[i++].n)
		if (parts[i].n > 0)
			memcpy(at, parts[i].p, parts[i].n);
	return span_of(joined, bytes);
}

struct span
registry_subject(struct arena *a, struct span context, struct span name)
{
	const struct span closed[] = { name, span_str(":") };
	const struct span within[] = { span_str(":"), context, span_str(":"), name };

	if (span_begins(name, span_str(":."))) {
		if (memchr(name.p + 1, ':', name.n - 1) != NULL)
			return registry_qualified(name);
		/* A context whose last colon is left out. */
		return name.n == 2 ? span_str("") : state_join(a, closed, 2);
	}
	if (span_begins(name, span_str(":*:")) || span_is(context, "."))
		return name.p == NULL ? span_str("") : name;
	return state_join(a, within, 4);
}

bool
registry_context_name(struct arena *a, struct span spelled, struct span *out)
{
	struct span s = spelled;

	if (s.n > 0 && s.p[0] == ':')
		s = span_of(s.p + 1, s.n - 1);
	if (s.n > 0 && s.p[s.n - 1] == ':')
		s.n--;
	*out = span_begins(s, span_str(".")) ? s : state_join(a, (struct span[]){ span_str("."), s }, 2);
	return s.n == 0 || memchr(s.p, ':', s.n) == NULL;
}

/* ---- contexts and subjects ---- */

struct context *
state_context(const struct registry *r, struct span name)
{
	return map_get(&r->contexts, name);
}

struct context *
state_need_context(struct registry *r, struct span name)
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
	s->context = state_need_context(r, context);
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
	size_t more = deleted ? (size_t)-1 : 1;

	if (v->entry.deleted == deleted)
		return;
	v->entry.deleted = deleted;
	v->subject->n_live += more;
	if (v->content != NULL)
		v->content->n_live += more;
}

static void
enter_content(struct version *v, struct content *c)
{
	v->content = c;
	v->entry.schema = &c->entry;
	list_add(&c->uses, &v->use);
	c->n_uses++;
	c->n_live += !v->entry.deleted;
}

/* Takes a version from its schema, which goes when it was the last. */
static void
leave_content(struct registry *r, struct version *v)
{
	struct content *c = v->content;

	if (c == NULL)
		return;
	list_del(&v->use);
	c->n_live -= !v->entry.deleted;
	if (--c->n_uses == 0)
		state_drop_content(r, c);
	v->content = NULL;
}

/* Something becomes of a version: what schemas that refer to it say may be something else now. */
static void
note_moved(struct registry *r, struct span subject, int32_t version)
{
	if (r->targets.n > 0 &&
	    (state_target(r, subject, version) != NULL || state_target(r, subject, REGISTRY_LATEST) != NULL))
		r->moved++;
}

static void
drop_version(struct registry *r, struct version *v)
{
	struct subject *s = v->subject;
	size_t at = find_version(s, v->entry.version);

	note_moved(r, s->name, v->entry.version);
	leave_content(r, v);
	set_deleted(v, true);
	s->n--;
	memmove(s->versions + at, s->versions + at + 1, (s->n - at) * sizeof *s->versions);
	state_free_keys(r, &v->keys);
	free(v);
	if (s->n == 0)
		drop_subject(r, s);
}

void
state_note_key(struct registry *r, struct odd_key **keys, const struct record *rec, struct span key)
{
	struct buf ours = { 0 };
	struct odd_key *k;
	bool odd;

	record_put_key(&ours, rec);
	must(!ours.failed);
	odd = !span_eq(buf_bytes(&ours), key);
	buf_done(&ours);
	if (!odd || map_get(&r->odd_keys, key) != NULL)
		return;
	k = xmalloc(sizeof *k + key.n);
	*k = (struct odd_key){ *keys, key.n };
	memcpy(k->bytes, key.p, key.n);
	must(map_put(&r->odd_keys, span_of(k->bytes, k->n), k));
	*keys = k;
}

void
state_free_keys(struct registry *r, struct odd_key **keys)
{
	struct odd_key *k;

	while ((k = *keys) != NULL) {
		*keys = k->next;
		map_del(&r->odd_keys, span_of(k->bytes, k->n));
		free(k);
	}
}

/* The content that a record brings: one that is known, or a new one; NULL when its id bears another schema. */
static struct content *
content_of(struct registry *r, struct context *context, const struct record *rec, struct version *v)
{
	struct content *c;
	uint8_t id[4], hash[16];

	store32(id, (uint32_t)rec->id);
	record_hash(rec, hash);
	c = map_get(&context->by_id, span_of(id, sizeof id));
	if (c != NULL && memcmp(c->entry.guid, hash, sizeof hash) != 0) {
		/* It may be this version alone that has the id, and is written anew. */
		if (v == NULL || v->content != c || c->n_uses > 1)
			return NULL;
		leave_content(r, v);
		c = NULL;
	}
	return c != NULL ? c : state_make_content(r, context, rec, hash);
}

/* What bore an id once is never given out again, whatever becomes of the record. */
static struct context *
note_id(struct registry *r, const struct record *rec)
{
	struct span name;
	struct context *context = state_need_context(r, registry_context(rec->subject, &name));

	if (rec->id > context->max_id)
		context->max_id = rec->id;
	return context;
}

static bool
apply_schema(struct registry *r, const struct record *rec, int64_t timestamp_ms, struct span key, const char **why)
{
	struct version *v = state_version(state_subject(r, rec->subject), rec->version);
	struct context *context;
	struct content *c;

	if (rec->tombstone) {
		if (v != NULL)
			drop_version(r, v);
		return true;
	}
	context = note_id(r, rec);
	if ((c = content_of(r, context, rec, v)) == NULL) {
		*why = "its id bears another schema";
		return false;
	}
	if (v == NULL)
		v = add_version(need_subject(r, rec->subject), rec->version);
	if (v->content != c) {
		leave_content(r, v);
		enter_content(v, c);
	}
	set_deleted(v, rec->deleted);
	note_moved(r, rec->subject, rec->version);
	v->entry.timestamp_ms = timestamp_ms;
	state_note_key(r, &v->keys, rec, key);
	return true;
}

/* ---- the other records ---- */

/* Marks the versions up to the watermark as deleted. */
static void
apply_delete_subject(struct registry *r, const struct record *rec)
{
	struct subject *s = state_subject(r, rec->subject);

	if (s == NULL || rec->tombstone)
		return;
	/* From the newest, as those before it are deleted as a rule. */
	for (size_t i = s->n; i > 0 && s->n_live > 0; i--) {
		struct version *v = s->versions[i - 1];

		if (v->entry.version <= rec->version && !v->entry.deleted) {
			set_deleted(v, true);
			note_moved(r, s->name, v->entry.version);
		}
	}
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

bool
state_in_scope(const struct subject *s, struct span scope)
{
	struct span name, context;

	if (scope.p == NULL || span_is(scope, ":.__GLOBAL:"))
		return true;
	context = registry_context(scope, &name);
	return name.n > 0 ? span_eq(s->name, scope) : span_eq(s->context->name, context);
}

static void
clear_scope(struct registry *r, struct span scope)
{
	const struct names_entry *e;
	struct subject **list;
	names_place at = 0;
	size_t n = 0;

	/* A subject that goes takes its place with it: so they are noted first. */
	list = xcalloc(r->subjects.n, sizeof *list);
	while ((e = names_next(&r->sorted, &at)) != NULL)
		if (state_in_scope(e->value, scope))
			list[n++] = e->value;
	for (size_t i = 0; i < n; i++)
		clear_subject(r, list[i]);
	free(list);
}

static void
apply_clear_subject(struct registry *r, const struct record *rec)
{
	struct subject *s;
	struct span name;

	if (rec->tombstone)
		return;
	registry_context(rec->subject, &name);
	if (name.n == 0)
		clear_scope(r, rec->subject);
	else if ((s = state_subject(r, rec->subject)) != NULL)
		clear_subject(r, s);
}

/* A context that goes keeps its place, and what it has counted. */
static void
apply_context(struct registry *r, const struct record *rec, struct span key)
{
	struct context *c = rec->context.n == 0 || span_is(rec->context, ".") ? NULL : state_need_context(r, rec->context);

	if (c == NULL)
		return;
	c->recorded = !rec->tombstone;
	if (rec->tombstone)
		state_free_keys(r, &c->keys);
	else
		state_note_key(r, &c->keys, rec, key);
}

static bool
apply(struct registry *r, const struct record *rec, int64_t timestamp_ms, struct span key, const char **why)
{
	switch (rec->type) {
	case RECORD_SCHEMA:
		return apply_schema(r, rec, timestamp_ms, key, why);
	case RECORD_CONFIG:
		return state_apply_config(r, rec, key, why);
	case RECORD_MODE:
		return state_apply_mode(r, rec, key, why);
	case RECORD_DELETE_SUBJECT:
		apply_delete_subject(r, rec);
		return true;
	case RECORD_CLEAR_SUBJECT:
		apply_clear_subject(r, rec);
		return true;
	case RECORD_CONTEXT:
		apply_context(r, rec, key);
		return true;
	case RECORD_ASSOC:
		state_apply_association(r, rec, timestamp_ms, key);
		return true;
	default:
		return true;
	}
}

/* The normal context has no name, and what is set for all of it no subject. */
static void
settle_subject(struct record *rec)
{
	if (rec->subject.p != NULL)
		rec->subject = registry_qualified(rec->subject);
	if (rec->subject.n == 0 && (rec->type == RECORD_CONFIG || rec->type == RECORD_MODE))
		rec->subject = span_of(NULL, 0);
}

bool
registry_apply(struct registry *r, int64_t offset, int64_t timestamp_ms, struct span key,
    struct span value, const char **why)
{
	struct record rec;
	struct arena a;
	bool good;

	arena_init(&a, RECORD_ARENA);
	mend_committed(r, key);
	good = record_read(&a, key, value, &rec, why);
	if (good) {
		settle_subject(&rec);
		/* Of Redpanda's writers who meet the first wins, which its seq tells; tombstones bear that of what they end. */
		good = rec.seq == -1 || rec.seq == offset || rec.tombstone;
		if (good)
			good = apply(r, &rec, timestamp_ms, key, why);
		else
			*why = "another write came before it";
	} else if (rec.id > 0)
		note_id(r, &rec);
	arena_done(&a);
	return good;
}

/* ---- beginning and end ---- */

struct registry *
registry_new(enum level level)
{
	struct registry *r = xcalloc(1, sizeof *r);

	r->level = level;
	r->moved = 1;
	r->normal = state_need_context(r, span_str("."));
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
			state_free_keys(r, &s->versions[i]->keys);
			free(s->versions[i]);
		}
		free(s->versions);
		free(s);
	}
	for (it = 0; (p = map_next(&r->contexts, &it)) != NULL;) {
		struct context *c = p;
		size_t in = 0;

		while ((p = map_next(&c->by_id, &in)) != NULL)
			state_free_content(p);
		map_done(&c->by_id);
		map_done(&c->by_hash);
		state_free_keys(r, &c->keys);
		free(c);
	}
	for (it = 0; (p = map_next(&r->scopes, &it)) != NULL;)
		state_free_scope(r, p);
	for (it = 0; (p = map_next(&r->targets, &it)) != NULL;)
		free(p);
	map_done(&r->subjects);
	map_done(&r->contexts);
	map_done(&r->by_guid);
	map_done(&r->scopes);
	map_done(&r->targets);
	mend_done(r);
	state_free_associations(r);
	map_done(&r->odd_keys);
	names_done(&r->sorted);
	names_done(&r->sorted_contexts);
	free(r);
}
