/*
 * buf.h -- a growable run of bytes, written once and checked once.
 *
 * Writing is sticky: after a failed allocation every further put is ignored,
 * and the user looks at `failed` when all is written.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct buf {
	uint8_t *p; /* owned */
	size_t n, cap;
	bool failed;
};

/* All zero is an empty buffer, too. */
static inline void
buf_init(struct buf *b)
{
	*b = (struct buf){ 0 };
}

/* Frees the bytes; the buffer is empty afterwards. */
void buf_done(struct buf *);

/* Forgets the bytes and a failure, keeps the memory. */
static inline void
buf_reset(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

/*
 * Room for `n` more bytes: where they go, not yet counted in b->n; or NULL
 * (and b->failed) when there is no memory.
 */
uint8_t *buf_room(struct buf *, size_t n);

/* Appends. */
void buf_put(struct buf *, const void *from, size_t n);

static inline void
buf_span(struct buf *b, struct span s)
{
	buf_put(b, s.p, s.n);
}

static inline void
buf_u8(struct buf *b, uint8_t v)
{
	buf_put(b, &v, 1);
}

static inline void
buf_u16(struct buf *b, uint16_t v)
{
	uint8_t x[2];

	store16(x, v);
	buf_put(b, x, sizeof x);
}

static inline void
buf_u32(struct buf *b, uint32_t v)
{
	uint8_t x[4];

	store32(x, v);
	buf_put(b, x, sizeof x);
}

static inline void
buf_u64(struct buf *b, uint64_t v)
{
	uint8_t x[8];

	store64(x, v);
	buf_put(b, x, sizeof x);
}

/* Appends text, without a terminator. */
void buf_printf(struct buf *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *, const char *fmt, va_list)
    __attribute__((format(printf, 2, 0)));

/* The bytes so far, borrowed until the next put. */
static inline struct span
buf_bytes(const struct buf *b)
{
	return span_of(b->p, b->n);
}

#endif
