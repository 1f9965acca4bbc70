/*
 * list.h -- doubly linked lists through a member of the elements.
 *
 * A head is a link of its own.  An element that is in no list has links that
 * point at itself, so that taking it out twice is harmless.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/must.h"

struct list {
	struct list *prev, *next;
};

static inline void
list_init(struct list *l)
{
	l->prev = l->next = l;
}

/* For a head: no elements.  For an element: in no list. */
static inline bool
list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void
list_add(struct list *head, struct list *e)
{
	e->prev = head->prev;
	e->next = head;
	head->prev->next = e;
	head->prev = e;
}

static inline void
list_del(struct list *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
	list_init(e);
}

/* Moves all elements of `from` behind those of `to`. */
static inline void
list_move_all(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

/* The first element as its type, or NULL. */
#define list_first(head, type, member) \
	(list_empty(head) ? NULL : container_of((head)->next, type, member))

/* Walks the links; the body may take out `it`, and no other. */
#define list_each(it, head) \
	for (struct list *it = (head)->next, *it##_next = it->next; \
	    it != (head); it = it##_next, it##_next = it->next)

#endif
