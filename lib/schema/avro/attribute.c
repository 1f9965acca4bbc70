/* attribute.c -- what the attributes in an Avro schema have in common. */
#include <stdlib.h>

#include "schema/avro/read.h"

bool
avro_has_failed(const struct reader *r)
{
	return r->told.n > 0 || r->memory;
}

void *
avro_fail(struct reader *r, const char *sentence, const struct json *about)
{
	if (avro_has_failed(r))
		return NULL;
	buf_span(&r->told, span_str(sentence));
	json_print(&r->told, about);
	return NULL;
}

void *
avro_take(struct reader *r, size_t count, size_t size)
{
	void *p = arena_array(r->arena, count, size);

	r->memory |= p == NULL;
	return p;
}

struct span
avro_keep(struct reader *r, struct span s)
{
	void *p;

	if (s.p == NULL || (p = arena_copy(r->arena, s.p, s.n)) == NULL) {
		r->memory |= s.p != NULL;
		return (struct span){ 0 };
	}
	return span_of(p, s.n);
}

struct span
avro_trim(struct span text)
{
	while (text.n > 0 && text.p[0] <= ' ')
		text = span_of(text.p + 1, text.n - 1);
	while (text.n > 0 && text.p[text.n - 1] <= ' ')
		text.n--;
	return text;
}

struct span
avro_text_of(const struct json *j)
{
	return json_is_kind(j, JSON_STRING) ? j->text : (struct span){ 0 };
}

struct span
avro_text_at(const struct json *in, const char *name)
{
	return avro_text_of(json_get(in, name));
}

bool
avro_keep_json(struct reader *r, const struct json *j, struct span *to)
{
	buf_reset(&r->text);
	json_print(&r->text, j);
	r->memory |= r->text.failed;
	*to = avro_keep(r, buf_bytes(&r->text));
	return !r->memory;
}

static bool
is_one_of(struct span name, const char *const *words)
{
	while (*words != NULL && !span_is(name, *words))
		words++;
	return *words != NULL;
}

bool
avro_read_props(struct reader *r, const struct json *in, const char *const *reserved,
    struct avro_props *to)
{
	size_t n = 0;

	for (const struct json *j = in->first; j != NULL; j = j->next)
		n += !is_one_of(j->name, reserved);
	if (n == 0)
		return true;
	if ((to->list = avro_take(r, n, sizeof *to->list)) == NULL)
		return false;
	for (const struct json *j = in->first; j != NULL; j = j->next)
		if (!is_one_of(j->name, reserved)) {
			struct avro_prop *prop = &to->list[to->n++];

			prop->name = avro_keep(r, j->name);
			if (!avro_keep_json(r, j, &prop->value))
				return false;
		}
	return true;
}

/* Of the same names the first is the least. */
static int
compare_aliases(const void *a, const void *b)
{
	const struct avro_name *x = *(struct avro_name *const *)a, *y = *(struct avro_name *const *)b;
	int order = avro_compare_names(x, y);

	return order != 0 ? order : (x > y) - (x < y);
}

/* Leaves the first of each name. */
static bool
drop_repeated(struct reader *r, struct avro_aliases *aliases)
{
	struct avro_name **sorted = avro_take(r, aliases->n, sizeof *sorted);
	struct avro_name *first;
	size_t n = 0;

	if (sorted == NULL)
		return false;
	for (size_t i = 0; i < aliases->n; i++)
		sorted[i] = &aliases->list[i];
	qsort(sorted, aliases->n, sizeof *sorted, compare_aliases);
	first = sorted[0];
	for (size_t i = 1; i < aliases->n; i++)
		if (avro_compare_names(first, sorted[i]) == 0)
			sorted[i]->simple.p = NULL;
		else
			first = sorted[i];
	for (size_t i = 0; i < aliases->n; i++)
		if (aliases->list[i].simple.p != NULL)
			aliases->list[n++] = aliases->list[i];
	aliases->n = n;
	return true;
}

bool
avro_read_aliases(struct reader *r, const struct json *in, const struct avro_name *of,
    struct avro_aliases *to)
{
	const struct json *list = json_get(in, "aliases");

	if (list == NULL)
		return true;
	if (list->kind != JSON_ARRAY)
		return avro_fail(r, "aliases not an array: ", in);
	for (const struct json *j = list->first; j != NULL; j = j->next)
		if (j->kind != JSON_STRING)
			return avro_fail(r, "alias not a string: ", j);
	if (list->n == 0)
		return true;
	if ((to->list = avro_take(r, list->n, sizeof *to->list)) == NULL)
		return false;
	for (const struct json *j = list->first; j != NULL; j = j->next) {
		struct avro_name *alias = &to->list[to->n++];
		struct span text = avro_keep(r, j->text);

		if (r->memory)
			return false;
		if (of == NULL)
			alias->simple = text;
		else if (!avro_make_name(r, text, of->space, r->strict, alias))
			return false;
	}
	return to->n == 1 || drop_repeated(r, to);
}
