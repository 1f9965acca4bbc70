/* state_content.c -- schemas as they are kept: once for all versions that have them, and who refers to whom. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "registry/registry_internal.h"

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

void
state_free_target(struct target *t)
{
	free(t->by);
	free(t);
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
	state_free_target(t);
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
		struct span subject = registry_subject(&a, c->entry.context, ref->subject);
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
const struct json *
state_keep_tree(struct arena *to, const struct json *tree)
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
	c->entry.metadata = state_keep_tree(&c->trees, rec->metadata);
	c->entry.rule_set = state_keep_tree(&c->trees, rec->rule_set);
}

_Static_assert(offsetof(struct content, bytes) % _Alignof(struct reference) == 0, "references are aligned");

struct content *
state_make_content(struct registry *r, struct context *context, const struct record *rec, const uint8_t hash[16])
{
	struct content *c = xcalloc(1, sizeof *c + bytes_of(rec));

	c->context = context;
	c->entry = (struct schema_entry){ .context = context->name, .id = rec->id };
	memcpy(c->entry.guid, hash, sizeof c->entry.guid);
	store32(c->id_key, (uint32_t)rec->id);
	list_init(&c->uses);
	fill_entry(c, rec);
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

void
state_free_content(struct content *c)
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

void
state_drop_content(struct registry *r, struct content *c)
{
	link_references(r, c, false);
	unlink_guid(r, c);
	unlink_hash(r, c);
	map_del(&c->context->by_id, span_of(c->id_key, sizeof c->id_key));
	state_free_content(c);
}
