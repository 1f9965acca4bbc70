/* heap.c -- what comes due first, through a member of the elements. */
#include "base/heap.h"

#include <stdlib.h>

#include "base/must.h"

void
heap_done(struct heap *h)
{
	free(h->nodes);
	*h = (struct heap){ 0 };
}

static void
place(struct heap *h, size_t i, struct heap_node *node)
{
	h->nodes[i] = node;
	node->at = i + 1;
}

static void
sift_up(struct heap *h, size_t i, struct heap_node *node)
{
	while (i > 0 && h->nodes[(i - 1) / 2]->key > node->key) {
		place(h, i, h->nodes[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(h, i, node);
}

static void
sift_down(struct heap *h, size_t i, struct heap_node *node)
{
	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid >= h->n)
			break;
		if (kid + 1 < h->n && h->nodes[kid + 1]->key < h->nodes[kid]->key)
			kid++;
		if (h->nodes[kid]->key >= node->key)
			break;
		place(h, i, h->nodes[kid]);
		i = kid;
	}
	place(h, i, node);
}

bool
heap_put(struct heap *h, struct heap_node *node, int64_t key)
{
	heap_del(h, node);
	if (h->n == h->cap) {
		size_t cap = h->cap == 0 ? 16 : h->cap * 2;
		struct heap_node **p = realloc(h->nodes, cap * sizeof *p);

		if (p == NULL)
			return false;
		h->nodes = p;
		h->cap = cap;
	}
	node->key = key;
	sift_up(h, h->n++, node);
	return true;
}

void
heap_del(struct heap *h, struct heap_node *node)
{
	struct heap_node *last;
	size_t i;

	if (node->at == 0)
		return;
	i = node->at - 1;
	must(i < h->n && h->nodes[i] == node);
	node->at = 0;
	last = h->nodes[--h->n];
	if (last == node)
		return;
	if (last->key < node->key)
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}
