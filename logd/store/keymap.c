/* keymap.c -- which offset is the newest of each key. */
#include "store/keymap.h"

#include <stdlib.h>

#include "base/siphash.h"
#include "plat/file.h"

enum { CAP_MIN = 16 };

/* Three quarters of the slots: probes stay short. */
static int64_t
fitting(int64_t slots)
{
	return slots / 4 * 3;
}

int64_t
keymap_keys(int64_t bytes)
{
	return fitting(bytes / (int64_t)sizeof(struct keymap_slot));
}

bool
keymap_init(struct keymap *m, int64_t keys, int64_t bytes)
{
	int64_t most = bytes / (int64_t)sizeof(struct keymap_slot), cap = most;

	/* What is not written to takes no memory: the pages are zeros that the system has. */
	if (keys < fitting(most))
		cap = (keys / 3 + 1) * 4;
	if (cap < CAP_MIN)
		cap = CAP_MIN;
	*m = (struct keymap){ .cap = (size_t)cap };
	if (file_random(m->seeds, sizeof m->seeds) == -1)
		return false;
	m->slots = calloc(m->cap, sizeof *m->slots);
	return m->slots != NULL;
}

void
keymap_done(struct keymap *m)
{
	free(m->slots);
	*m = (struct keymap){ 0 };
}

/* The slot of the key, or the free one where it would go. */
static struct keymap_slot *
find(const struct keymap *m, const uint64_t hash[2])
{
	size_t i = hash[0] % m->cap;

	while (m->slots[i].next != 0 && (m->slots[i].hash[0] != hash[0] || m->slots[i].hash[1] != hash[1]))
		i = i + 1 == m->cap ? 0 : i + 1;
	return &m->slots[i];
}

static void
hash_key(const struct keymap *m, struct span key, uint64_t hash[2])
{
	hash[0] = siphash(m->seeds[0], key);
	hash[1] = siphash(m->seeds[1], key);
}

bool
keymap_put(struct keymap *m, struct span key, int64_t offset)
{
	struct keymap_slot *s;
	uint64_t hash[2];

	hash_key(m, key, hash);
	s = find(m, hash);
	if (s->next == 0) {
		if ((int64_t)m->n >= fitting((int64_t)m->cap))
			return false;
		m->n++;
	}
	*s = (struct keymap_slot){ { hash[0], hash[1] }, offset + 1 };
	return true;
}

int64_t
keymap_get(const struct keymap *m, struct span key)
{
	uint64_t hash[2];

	hash_key(m, key, hash);
	return find(m, hash)->next - 1;
}
