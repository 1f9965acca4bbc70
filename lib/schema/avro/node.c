/* node.c -- names and order of what an Avro schema is made of. */
#include "schema/avro/node.h"

#include <stdlib.h>

static const char *const names[] = {
	[AVRO_NULL] = "null",
	[AVRO_BOOLEAN] = "boolean",
	[AVRO_INT] = "int",
	[AVRO_LONG] = "long",
	[AVRO_FLOAT] = "float",
	[AVRO_DOUBLE] = "double",
	[AVRO_BYTES] = "bytes",
	[AVRO_STRING] = "string",
	[AVRO_RECORD] = "record",
	[AVRO_ENUM] = "enum",
	[AVRO_ARRAY] = "array",
	[AVRO_MAP] = "map",
	[AVRO_UNION] = "union",
	[AVRO_FIXED] = "fixed",
};

const char *
avro_type_name(enum avro_type type)
{
	return names[type];
}

bool
avro_primitive(struct span name, enum avro_type *out)
{
	for (enum avro_type t = AVRO_NULL; t <= AVRO_STRING; t++)
		if (span_is(name, names[t])) {
			*out = t;
			return true;
		}
	return false;
}

/*
 * UTF-8 sorts as UTF-16 does, but for one thing: what UTF-16 writes as a pair
 * (F0 and up in UTF-8) comes before U+E000 to U+FFFF (EE and EF).
 */
int
avro_compare(struct span a, struct span b)
{
	size_t i = 0, n = a.n < b.n ? a.n : b.n;

	while (n - i >= 8 && memcmp(a.p + i, b.p + i, 8) == 0)
		i += 8;
	while (i < n && a.p[i] == b.p[i])
		i++;
	if (i == n)
		return (a.n > b.n) - (a.n < b.n);
	if ((a.p[i] >= 0xf0 && b.p[i] >= 0xee && b.p[i] < 0xf0) ||
	    (b.p[i] >= 0xf0 && a.p[i] >= 0xee && a.p[i] < 0xf0))
		return b.p[i] - a.p[i];
	return a.p[i] - b.p[i];
}

int
avro_compare_spans(const void *a, const void *b)
{
	return avro_compare(*(const struct span *)a, *(const struct span *)b);
}

int
avro_compare_names(const struct avro_name *a, const struct avro_name *b)
{
	int order = avro_compare(a->simple, b->simple);

	if (order == 0)
		order = (a->space.p != NULL) - (b->space.p != NULL);
	return order != 0 ? order : avro_compare(a->space, b->space);
}

static int
compare_props(const void *a, const void *b)
{
	return avro_compare((*(struct avro_prop *const *)a)->name, (*(struct avro_prop *const *)b)->name);
}

const struct avro_prop **
avro_sort_props(const struct avro_props *props, struct arena *a)
{
	const struct avro_prop **sorted = arena_array(a, props->n, sizeof *sorted);

	if (sorted == NULL)
		return NULL;
	for (size_t i = 0; i < props->n; i++)
		sorted[i] = &props->list[i];
	qsort(sorted, props->n, sizeof *sorted, compare_props);
	return sorted;
}

static int
compare_with_field(const void *name, const void *at)
{
	return avro_compare(*(const struct span *)name, (*(struct avro_field *const *)at)->name);
}

struct avro_field *
avro_field(const struct avro_named *record, struct span name)
{
	struct avro_field **at = NULL;

	if (record->n_fields > 0)
		at = bsearch(&name, record->by_name, record->n_fields, sizeof *record->by_name,
		    compare_with_field);
	return at == NULL ? NULL : *at;
}

enum avro_type
avro_type_of(const struct avro_schema *s)
{
	return s->root->type;
}

const char *
avro_name_of(const struct avro_schema *s)
{
	return s->name;
}
