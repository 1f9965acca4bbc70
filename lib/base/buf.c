/* buf.c -- a growable run of bytes, written once and checked once. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUF_MIN = 64 };

void
buf_done(struct buf *b)
{
	free(b->p);
	buf_init(b);
}

uint8_t *
buf_room(struct buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (n > b->cap - b->n) {
		size_t cap = b->cap < BUF_MIN ? BUF_MIN : b->cap;
		uint8_t *p;

		if (n > SIZE_MAX / 4 || b->n > SIZE_MAX / 4) {
			b->failed = true;
			return NULL;
		}
		while (cap < b->n + n)
			cap *= 2;
		if ((p = realloc(b->p, cap)) == NULL) {
			b->failed = true;
			return NULL;
		}
		b->p = p;
		b->cap = cap;
	}
	return b->p + b->n;
}

void
buf_put(struct buf *b, const void *from, size_t n)
{
	uint8_t *to = n == 0 ? NULL : buf_room(b, n);

	if (to == NULL)
		return;
	memcpy(to, from, n);
	b->n += n;
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	uint8_t *to;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		b->failed = true;
	else if ((to = buf_room(b, (size_t)n + 1)) != NULL) {
		vsnprintf((char *)to, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}
