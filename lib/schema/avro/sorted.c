/* sorted.c -- JSON in one order only. */
#include "schema/avro/sorted.h"

#include <stdlib.h>

#include "schema/avro/node.h"

static int
compare_members(const void *a, const void *b)
{
	return avro_compare((*(struct json *const *)a)->name, (*(struct json *const *)b)->name);
}

static bool
sort_members(struct json *object, struct arena *a)
{
	struct json **members = arena_array(a, object->n, sizeof *members), **to = &object->first;
	size_t n = 0;

	if (members == NULL)
		return false;
	for (struct json *j = object->first; j != NULL; j = j->next)
		members[n++] = j;
	qsort(members, n, sizeof *members, compare_members);
	for (size_t i = 0; i < n; i++) {
		*to = members[i];
		to = &members[i]->next;
	}
	*to = NULL;
	return true;
}

bool
avro_sort_json(struct json *value, struct arena *a)
{
	if (value->kind == JSON_OBJECT && !sort_members(value, a))
		return false;
	for (struct json *j = value->first; j != NULL; j = j->next)
		if (!avro_sort_json(j, a))
			return false;
	return true;
}

static bool
print_sorted(struct span text, struct buf *to, struct arena *a)
{
	struct json_mistake why;
	struct json *tree = json_parse(a, text, &why);

	if (tree == NULL || !avro_sort_json(tree, a))
		return false;
	json_print(to, tree);
	return !to->failed;
}

bool
avro_same_json(struct span a, struct span b, struct arena *arena)
{
	struct buf x = { 0 }, y = { 0 };
	bool same = span_eq(a, b);

	/* Where there are no objects, there is one order only. */
	if (!same && a.n == b.n && memchr(a.p, '{', a.n) != NULL)
		same = print_sorted(a, &x, arena) && print_sorted(b, &y, arena) &&
		    span_eq(buf_bytes(&x), buf_bytes(&y));
	buf_done(&x);
	buf_done(&y);
	return same;
}
