/* blob.c -- memory that answers may point at. */
#include "coord/blob.h"

#include "base/xalloc.h"

struct blob *
blob_new(struct span from)
{
	struct blob *b = xmalloc(sizeof *b + from.n);

	b->head.next = NULL;
	b->n = from.n;
	if (from.n > 0)
		memcpy(b->p, from.p, from.n);
	return b;
}

struct span
blob_span(const struct blob *b)
{
	return b == NULL ? span_str("") : span_of(b->p, b->n);
}

void
blob_drop(struct blob_bin *bin, struct blob_head *head)
{
	if (head == NULL)
		return;
	head->next = bin->first;
	bin->first = head;
}

void
blob_empty_bin(struct blob_bin *bin)
{
	struct blob_head *head;

	while ((head = bin->first) != NULL) {
		bin->first = head->next;
		free(head);
	}
}
