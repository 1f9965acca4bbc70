/*
 * heap.h -- what comes due first, through a member of the elements.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: in no heap. */
struct heap_node {
	int64_t key;
	size_t at; /* place in the heap + 1; 0 = in none */
};

struct heap {
	struct heap_node **nodes; /* the array is owned, the nodes are not */
	size_t n, cap;
};

void heap_done(struct heap *);

/* Puts the node in, or moves it to another key.  False when out of memory. */
bool heap_put(struct heap *, struct heap_node *, int64_t key);

/* Takes the node out; nothing happens when it is in none. */
void heap_del(struct heap *, struct heap_node *);

/* The node with the least key, or NULL. */
static inline struct heap_node *
heap_min(const struct heap *h)
{
	return h->n == 0 ? NULL : h->nodes[0];
}

#endif
