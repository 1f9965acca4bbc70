/* pairs.c -- a table keyed by pairs of pointers. */
#include "schema/avro/pairs.h"

#include <stdint.h>

static size_t
hash(const void *a, const void *b)
{
	uint64_t x = (uint64_t)(uintptr_t)a * 0x9e3779b97f4a7c15 ^ (uint64_t)(uintptr_t)b;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
	return (size_t)(x ^ x >> 32);
}

/* The slot of the pair, or the free one where it would go. */
static struct pair *
find(const struct pairs *t, const void *a, const void *b)
{
	size_t i = hash(a, b) & (t->cap - 1);

	while (t->slots[i].a != NULL && (t->slots[i].a != a || t->slots[i].b != b))
		i = (i + 1) & (t->cap - 1);
	return &t->slots[i];
}

static bool
grow(struct pairs *t)
{
	struct pairs bigger = { .arena = t->arena, .n = t->n, .cap = t->cap == 0 ? 16 : t->cap * 2 };

	if ((bigger.slots = arena_array(t->arena, bigger.cap, sizeof *bigger.slots)) == NULL)
		return false;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slots[i].a != NULL)
			*find(&bigger, t->slots[i].a, t->slots[i].b) = t->slots[i];
	*t = bigger;
	return true;
}

struct pair *
pairs_at(struct pairs *t, const void *a, const void *b)
{
	struct pair *at;

	if (t->n >= t->cap / 4 * 3 && !grow(t))
		return NULL;
	at = find(t, a, b);
	if (at->a == NULL) {
		*at = (struct pair){ .a = a, .b = b };
		t->n++;
	}
	return at;
}
