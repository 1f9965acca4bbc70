/* parse.c -- an Avro schema as a whole: made from a text, shared, and freed. */
#include <stdlib.h>

#include "schema/avro/default.h"
#include "schema/avro/read.h"

/* Copies the sentence as far as there is room, whole characters only. */
static void
tell(struct avro_mistake *why, struct span sentence)
{
	size_t n = sentence.n < sizeof why->text ? sentence.n : sizeof why->text - 1;

	if (n < sentence.n)
		while (n > 0 && (sentence.p[n] & 0xc0) == 0x80)
			n--;
	memcpy(why->text, n > 0 ? (const void *)sentence.p : "", n);
	why->text[n] = '\0';
}

static bool
put_type(struct reader *r, struct avro_node *n)
{
	struct avro_node *older = map_get(&r->names, n->named->full);

	if (older == NULL) {
		r->memory |= !map_put(&r->names, n->named->full, n);
		return !r->memory;
	}
	if (avro_same(&r->sameness, older, n))
		return true;
	buf_span(&r->told, span_str("Can't redefine: "));
	buf_span(&r->told, n->named->full);
	return false;
}

/* Makes the types of what is referred to known. */
static bool
put_types(struct reader *r, const struct avro_schema *s)
{
	for (size_t i = 0; i < s->n_known; i++)
		for (struct avro_node *n = s->known[i]->types; n != NULL; n = n->named->next)
			if (!put_type(r, n))
				return false;
	return true;
}

/* Keeps a schema that is referred to, unless it is kept already. */
static bool
know(struct avro_schema *s, struct map *seen, struct avro_schema **ref)
{
	struct span key = span_of(ref, sizeof *ref); /* the pointer's bytes: they lie in a list that stays */

	if (map_get(seen, key) != NULL)
		return true;
	if (!map_put(seen, key, *ref))
		return false;
	s->known[s->n_known++] = avro_share(*ref);
	return true;
}

/* Lists what the schema refers to, and what that refers to. */
static bool
know_all(struct avro_schema *s, struct avro_schema *const refs[], size_t n_refs)
{
	struct avro_schema **all;
	struct map seen = { 0 };
	size_t n = n_refs, at = 0;
	bool ok = true;

	if (n_refs == 0)
		return true;
	for (size_t i = 0; i < n_refs; i++)
		n += refs[i]->n_known;
	all = arena_array(&s->arena, n, sizeof *all);
	if (all == NULL || (s->known = arena_array(&s->arena, n, sizeof *s->known)) == NULL)
		return false;
	for (size_t i = 0; i < n_refs; i++) {
		for (size_t k = 0; k < refs[i]->n_known; k++)
			all[at++] = refs[i]->known[k];
		all[at++] = refs[i];
	}
	for (size_t i = 0; ok && i < n; i++)
		ok = know(s, &seen, &all[i]);
	map_done(&seen);
	return ok;
}

static bool
tell_json(struct reader *r, struct span text, const struct json_mistake *why)
{
	r->memory |= why->memory;
	buf_span(&r->told, span_str(json_is_blank(text, true) ? "Cannot parse <null> schema" : why->text));
	return false;
}

/* Nothing may stand behind a schema but blanks and control characters: no comment either. */
static bool
check_rest(struct reader *r, struct span rest)
{
	rest = avro_trim(rest);
	if (rest.n == 0)
		return true;
	buf_span(&r->told, span_str("dangling content after end of schema: "));
	buf_span(&r->told, rest);
	return false;
}

static bool
read_text(struct reader *r, struct avro_schema *s, struct span text)
{
	struct json_mistake why;
	struct span rest;
	struct arena trees;
	struct json *tree;
	bool ok;

	arena_init(&trees, SIZE_MAX);
	r->scratch = r->sameness.met.arena = &trees;
	r->text_tree = tree = json_parse_first(&trees, text, true, &rest, &why);
	ok = tree != NULL || tell_json(r, text, &why);
	ok = ok && put_types(r, s) && (s->root = avro_read(r, tree, (struct span){ 0 })) != NULL &&
	    check_rest(r, rest);
	arena_done(&trees);
	return ok && !r->memory;
}

/*
 * Types that were read ahead are printed inside of those that use them, so that the text may
 * be nested deeper than the one that was read; who stores it must be able to read it.
 */
static bool
check_depth(struct reader *r, const struct avro_schema *s)
{
	struct buf text = { 0 };
	struct json_scan scan;
	bool ok;

	if (r->early.n == 0)
		return true;
	avro_print(s, AVRO_TEXT, &text);
	json_begin(&scan, buf_bytes(&text));
	ok = !text.failed && json_skip(&scan).p != NULL;
	if (!ok)
		buf_span(&r->told, span_str(text.failed ? "" : AVRO_TOO_FAR));
	buf_done(&text);
	return ok;
}

static bool
name_schema(struct avro_schema *s)
{
	struct span full;
	char *name;

	s->name = avro_type_name(s->root->type);
	if (!avro_is_named(s->root->type))
		return true;
	full = s->root->named->full;
	if ((name = arena_alloc(&s->arena, full.n + 1)) != NULL)
		memcpy(name, full.p, full.n);
	s->name = name;
	return name != NULL;
}

static struct avro_schema *
new_schema(void)
{
	struct avro_schema *s = calloc(1, sizeof *s);

	if (s != NULL) {
		atomic_init(&s->users, 1);
		arena_init(&s->arena, SIZE_MAX);
	}
	return s;
}

struct avro_schema *
avro_parse(struct span text, enum avro_strictness strictness, struct avro_schema *const refs[],
    size_t n_refs, struct avro_mistake *why)
{
	struct avro_schema *s = new_schema();
	struct reader r = { .strict = strictness == AVRO_STRICT, .checks = AVRO_CHECKS_MAX };
	bool ok = false;

	*why = (struct avro_mistake){ .memory = true };
	if (s != NULL) {
		r.arena = &s->arena;
		r.tail = &s->types;
		r.memory = !know_all(s, refs, n_refs);
		ok = !r.memory && read_text(&r, s, text) && check_depth(&r, s) && name_schema(s);
		why->memory = r.memory || (!ok && r.told.n == 0) || r.told.failed;
		tell(why, buf_bytes(&r.told));
	}
	buf_done(&r.told);
	buf_done(&r.text);
	map_done(&r.names);
	map_done(&r.ahead);
	map_done(&r.early);
	if (ok)
		return s;
	if (why->memory)
		tell(why, span_str("there is not enough memory to read the schema"));
	avro_free(s);
	return NULL;
}

struct avro_schema *
avro_share(struct avro_schema *s)
{
	atomic_fetch_add_explicit(&s->users, 1, memory_order_relaxed);
	return s;
}

void
avro_free(struct avro_schema *s)
{
	if (s == NULL || atomic_fetch_sub_explicit(&s->users, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < s->n_known; i++)
		avro_free(s->known[i]);
	arena_done(&s->arena);
	free(s);
}
