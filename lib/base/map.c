/* map.c -- a hash table from bytes to pointers. */
#include "base/map.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/siphash.h"

static uint64_t seed[2];

void
map_seed(uint64_t a, uint64_t b)
{
	seed[0] = a;
	seed[1] = b;
}

uint64_t
map_hash(struct span key)
{
	return siphash(seed, key);
}

void
map_done(struct map *m)
{
	free(m->slots);
	*m = (struct map){ 0 };
}

/* The slot of the key, or the free one where it would go. */
static struct map_slot *
find(const struct map *m, struct span key, uint64_t h)
{
	size_t i = h & (m->cap - 1);

	while (m->slots[i].value != NULL &&
	    (m->slots[i].hash != h || !span_eq(m->slots[i].key, key)))
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

void *
map_get(const struct map *m, struct span key)
{
	return m->n == 0 ? NULL : find(m, key, map_hash(key))->value;
}

static bool
grow(struct map *m)
{
	struct map bigger = { .n = m->n, .cap = m->cap == 0 ? 8 : m->cap * 2 };
	size_t i;

	if ((bigger.slots = calloc(bigger.cap, sizeof *bigger.slots)) == NULL)
		return false;
	for (i = 0; i < m->cap; i++)
		if (m->slots[i].value != NULL)
			*find(&bigger, m->slots[i].key, m->slots[i].hash) = m->slots[i];
	free(m->slots);
	*m = bigger;
	return true;
}

bool
map_put(struct map *m, struct span key, void *value)
{
	uint64_t h = map_hash(key);
	struct map_slot *s;

	must(value != NULL);
	if (m->n >= m->cap / 4 * 3 && !grow(m))
		return false;
	s = find(m, key, h);
	if (s->value == NULL)
		m->n++;
	*s = (struct map_slot){ key, value, h };
	return true;
}

void *
map_del(struct map *m, struct span key)
{
	struct map_slot *s;
	size_t hole, i;
	void *value;

	if (m->n == 0)
		return NULL;
	s = find(m, key, map_hash(key));
	if ((value = s->value) == NULL)
		return NULL;
	m->n--;
	/* Close the gap: whoever probed past the hole moves back into it. */
	hole = (size_t)(s - m->slots);
	for (i = (hole + 1) & (m->cap - 1); m->slots[i].value != NULL;
	    i = (i + 1) & (m->cap - 1)) {
		size_t home = m->slots[i].hash & (m->cap - 1);

		if (((i - home) & (m->cap - 1)) >= ((i - hole) & (m->cap - 1))) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole] = (struct map_slot){ 0 };
	return value;
}

void *
map_next(const struct map *m, size_t *it)
{
	while (*it < m->cap) {
		void *value = m->slots[(*it)++].value;

		if (value != NULL)
			return value;
	}
	return NULL;
}
