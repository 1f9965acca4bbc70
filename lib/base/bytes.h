/*
 * bytes.h -- runs of bytes, and integers stored in them.
 *
 * The wire and our files are big-endian throughout.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes.  p == NULL is null, which is not the same as empty. */
struct span {
	const uint8_t *p;
	size_t n;
};

static inline struct span
span_of(const void *p, size_t n)
{
	return (struct span){ p, n };
}

/* A C string without its terminator; NULL gives the null span. */
static inline struct span
span_str(const char *s)
{
	return (struct span){ (const uint8_t *)s, s == NULL ? 0 : strlen(s) };
}

/* Equal bytes; null equals only null. */
static inline bool
span_eq(struct span a, struct span b)
{
	if ((a.p == NULL) != (b.p == NULL) || a.n != b.n)
		return false;
	return a.n == 0 || memcmp(a.p, b.p, a.n) == 0;
}

/* The order of bytes, a shorter one before those that it begins: below, at or above 0.  Null is as empty. */
static inline int
span_compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return r != 0 ? r : (a.n > b.n) - (a.n < b.n);
}

/* Whether it begins with these bytes; with none, or null, all do. */
static inline bool
span_begins(struct span a, struct span with)
{
	return a.n >= with.n && (with.n == 0 || memcmp(a.p, with.p, with.n) == 0);
}

static inline bool
span_is(struct span a, const char *s)
{
	return span_eq(a, span_str(s));
}

static inline uint16_t
load16(const void *at)
{
	const uint8_t *p = at;

	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
load32(const void *at)
{
	const uint8_t *p = at;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static inline uint64_t
load64(const void *at)
{
	const uint8_t *p = at;

	return (uint64_t)load32(p) << 32 | load32(p + 4);
}

/* The value of a hexadecimal digit, or -1. */
static inline int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline void
store16(void *at, uint16_t v)
{
	uint8_t *p = at;

	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
store32(void *at, uint32_t v)
{
	uint8_t *p = at;

	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline void
store64(void *at, uint64_t v)
{
	uint8_t *p = at;

	store32(p, (uint32_t)(v >> 32));
	store32(p + 4, (uint32_t)v);
}

#endif
