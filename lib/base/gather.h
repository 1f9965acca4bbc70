/*
 * gather.h -- a message to be sent, made of copied and of borrowed bytes.
 *
 * Headers are copied into one buffer; bulk bytes (record batches) stay where
 * they are and are only pointed at.  So a fetch answer of megabytes is never
 * copied on its way from the store to the socket.
 */
#ifndef BASE_GATHER_H
#define BASE_GATHER_H

#include <stddef.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/bytes.h"

struct gather_slice {
	size_t at;         /* stands after this many bytes of `buf` */
	struct span bytes; /* borrowed until the message is sent */
};

struct gather {
	struct buf buf;              /* the copied bytes; sticky failure is here */
	struct gather_slice *slices; /* owned; in order of `at` */
	size_t n_slices, cap_slices;
	size_t slice_bytes;          /* sum over the slices */
};

/* All zero is an empty message, too. */
void gather_init(struct gather *);

/* Frees the copied bytes and the list; what is borrowed is left alone. */
void gather_done(struct gather *);

/* Puts borrowed bytes here.  They must live until the message is sent. */
void gather_ref(struct gather *, struct span);

/* Bytes in the whole message. */
static inline size_t
gather_size(const struct gather *g)
{
	return g->buf.n + g->slice_bytes;
}

/*
 * Fills up to `max` vectors with what follows the first `skip` bytes, and
 * returns how many it filled: 0 when nothing is left.
 */
int gather_iov(const struct gather *, size_t skip, struct iovec *iov, int max);

#endif
