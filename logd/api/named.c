/* named.c -- what a request has named before. */
#include "api/named.h"

#include "api/topics.h"
#include "base/must.h"

/* A run of partitions of a topic: a bit for each, set when it is named. */
enum { PAGE_PARTITIONS = 512, PAGE_KEY = 16 + 4 };

struct named_page {
	uint8_t key[PAGE_KEY]; /* topic id, number of the page */
	uint8_t bits[PAGE_PARTITIONS / 8];
};

void
named_init(struct named *n, struct request *r)
{
	*n = (struct named){ .request = r };
}

void
named_done(struct named *n)
{
	map_done(&n->first);
}

/* What the first mention of the key left; NULL: this is the first, and leaves `mine`. */
static void *
mention(struct map *first, struct span key, void *mine)
{
	void *left = map_get(first, key);

	if (left == NULL)
		must_fit(map_put(first, key, mine));
	return left;
}

bool
named_before(struct named *n, struct span key)
{
	if (key.p == NULL)
		key = span_str("");
	return mention(&n->first, key, n) != NULL;
}

static struct named_page *
find_page(struct named *n, const struct topic *t, int32_t number)
{
	uint8_t key[PAGE_KEY];
	struct named_page *page;

	memcpy(key, t->id, sizeof t->id);
	store32(key + sizeof t->id, (uint32_t)number / PAGE_PARTITIONS);
	/* Requests name the partitions of a topic one after another. */
	if (n->last != NULL && memcmp(n->last->key, key, sizeof key) == 0)
		return n->last;
	if ((page = map_get(&n->first, span_of(key, sizeof key))) == NULL) {
		page = request_alloc(n->request, sizeof *page);
		memcpy(page->key, key, sizeof key);
		must_fit(map_put(&n->first, span_of(page->key, sizeof page->key), page));
	}
	return n->last = page;
}

bool
named_partition_before(struct named *n, const struct topic *t, int32_t number)
{
	uint8_t *bits, bit;
	bool before;

	if (topic_partition(t, number) == NULL)
		return false;
	bits = &find_page(n, t, number)->bits[number % PAGE_PARTITIONS / 8];
	bit = (uint8_t)(1 << number % 8);
	before = (*bits & bit) != 0;
	*bits |= bit;
	return before;
}

bool *
named_twice(struct request *r, const struct span *keys, size_t n)
{
	bool *twice = request_array(r, n, sizeof *twice), *first_twice;
	struct map first = { 0 };

	for (size_t i = 0; i < n; i++)
		if (keys[i].p != NULL && (first_twice = mention(&first, keys[i], &twice[i])) != NULL)
			*first_twice = twice[i] = true;
	map_done(&first);
	return twice;
}
