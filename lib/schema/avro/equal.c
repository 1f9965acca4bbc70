/* equal.c -- whether two Avro schemas say the same. */
#include "schema/avro/equal.h"

#include <stdlib.h>

#include "schema/avro/sorted.h"

static bool
same_props(struct sameness *s, const struct avro_props *a, const struct avro_props *b)
{
	struct arena *arena = s->met.arena;
	const struct avro_prop **x, **y;

	if (a->n != b->n)
		return false;
	if (a->n == 0)
		return true;
	x = avro_sort_props(a, arena);
	y = avro_sort_props(b, arena);
	if (x == NULL || y == NULL)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!span_eq(x[i]->name, y[i]->name) || !avro_same_json(x[i]->value, y[i]->value, arena))
			return false;
	return true;
}

static int
compare_aliases(const void *a, const void *b)
{
	return avro_compare_names(a, b);
}

static struct avro_name *
sort_aliases(const struct avro_aliases *aliases, struct arena *a)
{
	struct avro_name *sorted = arena_copy(a, aliases->list, aliases->n * sizeof *sorted);

	if (sorted != NULL)
		qsort(sorted, aliases->n, sizeof *sorted, compare_aliases);
	return sorted;
}

/* They are sets: in any order. */
static bool
same_aliases(struct sameness *s, const struct avro_aliases *a, const struct avro_aliases *b)
{
	struct avro_name *x, *y;

	if (a->n != b->n)
		return false;
	if (a->n == 0)
		return true;
	x = sort_aliases(a, s->met.arena);
	y = sort_aliases(b, s->met.arena);
	if (x == NULL || y == NULL)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (avro_compare_names(&x[i], &y[i]) != 0)
			return false;
	return true;
}

static bool
same_field(struct sameness *s, const struct avro_field *a, const struct avro_field *b)
{
	struct arena *arena = s->met.arena;

	if (!span_eq(a->name, b->name) || a->order != b->order || !same_props(s, &a->props, &b->props))
		return false;
	if ((a->fallback.p == NULL) != (b->fallback.p == NULL))
		return false;
	if (a->fallback.p != NULL && !avro_same_json(a->fallback, b->fallback, arena))
		return false;
	if (s->all && (!span_eq(a->doc, b->doc) || !same_aliases(s, &a->aliases, &b->aliases)))
		return false;
	return avro_same(s, a->type, b->type);
}

static bool
same_record(struct sameness *s, const struct avro_node *a, const struct avro_node *b)
{
	const struct avro_named *x = a->named, *y = b->named;

	if (x->n_fields != y->n_fields)
		return false;
	for (size_t i = 0; i < x->n_fields; i++)
		if (!same_field(s, &x->fields[i], &y->fields[i]))
			return false;
	return true;
}

static bool
same_symbols(struct sameness *s, const struct avro_named *a, const struct avro_named *b)
{
	if (a->n_symbols != b->n_symbols || (s->all && !span_eq(a->fallback, b->fallback)))
		return false;
	for (size_t i = 0; i < a->n_symbols; i++)
		if (!span_eq(a->symbols[i], b->symbols[i]))
			return false;
	return true;
}

static bool
same_named(struct sameness *s, const struct avro_node *a, const struct avro_node *b)
{
	const struct avro_named *x = a->named, *y = b->named;

	if (!span_eq(x->full, y->full))
		return false;
	if (s->all && (!span_eq(x->doc, y->doc) || !same_aliases(s, &x->aliases, &y->aliases)))
		return false;
	if (a->type == AVRO_RECORD)
		return same_record(s, a, b);
	return a->type == AVRO_FIXED ? x->size == y->size : same_symbols(s, x, y);
}

static bool
same_branches(struct sameness *s, const struct avro_node *a, const struct avro_node *b)
{
	if (a->n_branches != b->n_branches)
		return false;
	for (size_t i = 0; i < a->n_branches; i++)
		if (!avro_same(s, a->branches[i], b->branches[i]))
			return false;
	return true;
}

static bool
same_inside(struct sameness *s, const struct avro_node *a, const struct avro_node *b)
{
	switch (a->type) {
	case AVRO_RECORD: case AVRO_ENUM: case AVRO_FIXED:
		return same_named(s, a, b);
	case AVRO_ARRAY: case AVRO_MAP:
		return avro_same(s, a->element, b->element);
	case AVRO_UNION:
		return same_branches(s, a, b);
	default:
		return true;
	}
}

bool
avro_same(struct sameness *s, const struct avro_node *a, const struct avro_node *b)
{
	struct pair *met;
	bool same;

	if (a == b)
		return true;
	if (a->type != b->type || s->depth == AVRO_WALK_MAX)
		return false;
	/* Before anything else, since it may be much, and be used often. */
	if (avro_is_named(a->type)) {
		if ((met = pairs_at(&s->met, a, b)) == NULL || met->value != NULL)
			return met != NULL;
		met->value = s;
	}
	if (!same_props(s, &a->props, &b->props))
		return false;
	s->depth++;
	same = same_inside(s, a, b);
	s->depth--;
	return same;
}

bool
avro_equal(const struct avro_schema *a, const struct avro_schema *b)
{
	struct arena arena;
	struct sameness s = { .all = true, .met.arena = &arena };
	bool same;

	arena_init(&arena, SIZE_MAX);
	same = avro_same(&s, a->root, b->root);
	arena_done(&arena);
	return same;
}
