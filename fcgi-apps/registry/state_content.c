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
	list_init(&t->links);
	must(map_put(&r->targets, t->key, t));
	return t;
}

const struct link *
state_next_link(const struct target *t, const struct link *l)
{
	const struct list *next = t == NULL ? NULL : l == NULL ? t->links.next : l->at.next;

	return t == NULL || next == &t->links ? NULL : container_of((struct list *)(uintptr_t)next, struct link, at);
}

static void
put_link(struct target *t, struct link *l)
{
	/* What one content says twice comes at once. */
	if (t->n > 0 && container_of(t->links.prev, struct link, at)->by == l->by)
		return;
	l->to = t;
	list_add(&t->links, &l->at);
	t->n++;
}

static void
drop_link(struct registry *r, struct link *l)
{
	struct target *t = l->to;

	if (t == NULL)
		return;
	list_del(&l->at);
	if (--t->n > 0)
		return;
	map_del(&r->targets, t->key);
	free(t);
}

/* Behind the references, and so aligned. */
static struct link *
links_of(struct content *c)
{
	return (void *)(c->bytes + c->entry.n_references * sizeof(struct reference));
}

static void
link_references(struct registry *r, struct content *c)
{
	struct buf key = { 0 };
	struct arena a;

	arena_init(&a, RECORD_ARENA);
	for (size_t i = 0; i < c->entry.n_references; i++) {
		const struct reference *ref = &c->entry.references[i];
		struct span subject = registry_subject(&a, c->entry.context, ref->subject);
		struct link *l = &links_of(c)[i];

		buf_reset(&key);
		l->by = c;
		put_link(need_target(r, target_key(&key, subject, ref->version)), l);
	}
	buf_done(&key);
	arena_done(&a);
}

static void
unlink_references(struct registry *r, struct content *c)
{
	for (size_t i = 0; i < c->entry.n_references; i++)
		drop_link(r, &links_of(c)[i]);
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
	size_t n = rec->schema.n + rec->schema_type.n +
	    rec->n_references * (sizeof(struct reference) + sizeof(struct link)) + 16;

	for (size_t i = 0; i < rec->n_references; i++)
		n += rec->references[i].name.n + rec->references[i].subject.n;
	return n;
}

static void
keep_trees(struct content *c, const struct record *rec, size_t cap)
{
	arena_init(&c->trees, cap);
	c->entry.metadata = state_keep_tree(&c->trees, rec->metadata);
	c->entry.rule_set = state_keep_tree(&c->trees, rec->rule_set);
}

/* References and links stand first, where they are aligned. */
static void
fill_entry(struct content *c, const struct record *rec)
{
	struct reference *refs = (void *)c->bytes;
	char *at = c->bytes + rec->n_references * (sizeof *refs + sizeof(struct link));
	size_t used;

	for (size_t i = 0; i < rec->n_references; i++)
		refs[i] = (struct reference){ put_bytes(&at, rec->references[i].name),
			put_bytes(&at, rec->references[i].subject), rec->references[i].version };
	c->entry.references = rec->n_references == 0 ? NULL : refs;
	c->entry.n_references = rec->n_references;
	c->entry.schema_type = put_bytes(&at, rec->schema_type);
	c->entry.text = put_bytes(&at, rec->schema);
	/* Once to see how much memory they need, and then in that. */
	keep_trees(c, rec, RECORD_ARENA);
	used = c->trees.used;
	arena_done(&c->trees);
	keep_trees(c, rec, used);
}

_Static_assert(offsetof(struct content, bytes) % _Alignof(struct reference) == 0, "references are aligned");
_Static_assert(sizeof(struct reference) % _Alignof(struct link) == 0, "links are aligned");

/* Enters it among those of the same schema. */
static void
put_same(struct registry *r, struct content *c)
{
	struct span hash = span_of(c->entry.guid, sizeof c->entry.guid);
	struct content *newest = map_get(&r->by_guid, hash), *first = map_get(&c->context->by_hash, hash);

	list_init(&c->same_guid);
	list_init(&c->namesakes);
	/* The key lies in the newest, so that it lives as long as the entry. */
	if (newest != NULL) {
		list_add(&newest->same_guid, &c->same_guid);
		map_del(&r->by_guid, hash);
	}
	must(map_put(&r->by_guid, hash, c));
	/* The same schema may bear several ids, in topics of old: the first is given to who registers it again. */
	if (first != NULL)
		list_add(&first->namesakes, &c->namesakes);
	else
		must(map_put(&c->context->by_hash, hash, c));
}

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
	put_same(r, c);
	link_references(r, c);
	return c;
}

void
state_free_content(struct content *c)
{
	arena_done(&c->trees);
	free(c);
}

/* Whoever was first of its schema leaves that to an heir, if there is one. */
static void
inherit(struct map *m, struct content *c, struct content *heir)
{
	if (map_get(m, span_of(c->entry.guid, 16)) != c)
		return;
	map_del(m, span_of(c->entry.guid, 16));
	if (heir != c)
		must(map_put(m, span_of(heir->entry.guid, 16), heir));
}

/* Of all contexts the one before it, which is the newest now; of its own the one behind it, which is the first now. */
static void
drop_same(struct registry *r, struct content *c)
{
	inherit(&r->by_guid, c, container_of(c->same_guid.next, struct content, same_guid));
	inherit(&c->context->by_hash, c, container_of(c->namesakes.next, struct content, namesakes));
	list_del(&c->same_guid);
	list_del(&c->namesakes);
}

void
state_drop_content(struct registry *r, struct content *c)
{
	unlink_references(r, c);
	drop_same(r, c);
	map_del(&c->context->by_id, span_of(c->id_key, sizeof c->id_key));
	state_free_content(c);
}
