/*
 * ahead.c -- types that a text uses before it defines them, as Avro's Java library allows
 * since 1.12: they are read where they are first used, which is where they will be printed.
 */
#include "schema/avro/read.h"

struct definition {
	const struct json *json;
	struct span space; /* in which it stands; borrowed from the text */
};

static void list(struct reader *, const struct json *, struct span space);

/* Lists a named type, and gives the namespace of what is in it. */
static struct span
list_name(struct reader *r, const struct json *j, struct span space)
{
	struct span text = avro_text_at(j, "name"), own = avro_text_at(j, "namespace"), full;
	struct definition *to = arena_alloc(r->scratch, sizeof *to);
	struct avro_name name;

	/* What is wrong with it is told when it is read. */
	if (text.p == NULL || text.n + own.n + space.n >= AVRO_NAME_MAX)
		return space;
	avro_make_name(r, text, own.p != NULL ? own : space, false, &name);
	full = avro_full_name(r, &name);
	if (map_get(&r->ahead, full) != NULL)
		return name.space;
	full = span_of(arena_copy(r->scratch, full.p, full.n), full.n);
	if (to == NULL || full.p == NULL || !map_put(&r->ahead, full, to)) {
		r->memory = true;
		return name.space;
	}
	*to = (struct definition){ j, space };
	return name.space;
}

static void
list_fields(struct reader *r, const struct json *record, struct span space)
{
	const struct json *fields = json_get(record, "fields");

	if (!json_is_kind(fields, JSON_ARRAY))
		return;
	for (const struct json *f = fields->first; f != NULL; f = f->next)
		list(r, json_get(f, "type"), space);
}

/* Lists what a type defines that is written out. */
static void
list_object(struct reader *r, const struct json *j, struct span space)
{
	struct span type = avro_text_at(j, "type");

	if (span_is(type, "array"))
		list(r, json_get(j, "items"), space);
	else if (span_is(type, "map"))
		list(r, json_get(j, "values"), space);
	else if (span_is(type, "enum") || span_is(type, "fixed"))
		list_name(r, j, space);
	else if (span_is(type, "record") || span_is(type, "error"))
		list_fields(r, j, list_name(r, j, space));
}

/* Lists all that is defined there. */
static void
list(struct reader *r, const struct json *j, struct span space)
{
	if (json_is_kind(j, JSON_OBJECT))
		list_object(r, j, space);
	else if (json_is_kind(j, JSON_ARRAY))
		for (const struct json *branch = j->first; branch != NULL; branch = branch->next)
			list(r, branch, space);
}

struct avro_node *
avro_read_ahead(struct reader *r, struct span full)
{
	struct definition *found;
	struct avro_node *n;
	struct buf name = { 0 };

	buf_span(&name, full); /* it may lie in what listing uses */
	if (!r->listed)
		list(r, r->text_tree, (struct span){ 0 });
	r->listed = true;
	r->memory |= name.failed;
	found = r->memory ? NULL : map_get(&r->ahead, buf_bytes(&name));
	buf_done(&name);
	if (found == NULL || (n = avro_read(r, found->json, avro_keep(r, found->space))) == NULL)
		return NULL;
	r->memory |= !map_put(&r->early, span_of(&found->json, sizeof found->json), n);
	return r->memory ? NULL : n;
}

struct avro_node *
avro_read_early(const struct reader *r, const struct json *j)
{
	return map_get(&r->early, span_of(&j, sizeof j));
}
