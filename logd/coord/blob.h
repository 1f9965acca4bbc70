/*
 * blob.h -- memory that answers may point at.
 *
 * What a member consists of may be replaced or go while an answer that shows
 * it still waits to be taken.  So such memory is never freed at once: it is
 * dropped into a bin, which is emptied when no answer is left.
 */
#ifndef COORD_BLOB_H
#define COORD_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* The first member of everything that can be dropped. */
struct blob_head {
	struct blob_head *next;
};

struct blob {
	struct blob_head head;
	size_t n;
	uint8_t p[];
};

struct blob_bin {
	struct blob_head *first; /* owned */
};

/* Owned copy; of null an empty one. */
struct blob *blob_new(struct span);

/* The bytes of a blob; of NULL the empty span, which is not null. */
struct span blob_span(const struct blob *);

/* Gives memory of xmalloc() to the bin; nothing happens for NULL. */
void blob_drop(struct blob_bin *, struct blob_head *);

/* Frees what was dropped. */
void blob_empty_bin(struct blob_bin *);

#endif
