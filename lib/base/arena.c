/* arena.c -- memory that ends as a whole, with a cap. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

#if defined(__SANITIZE_ADDRESS__)
#define EACH_ALONE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EACH_ALONE 1
#endif
#endif
#ifndef EACH_ALONE
#define EACH_ALONE 0
#endif

enum { CHUNK_MIN = 4096, ALIGN = alignof(max_align_t) };

struct arena_chunk {
	struct arena_chunk *next;
	alignas(max_align_t) char bytes[];
};

void
arena_init(struct arena *a, size_t cap)
{
	*a = (struct arena){ .cap = cap };
}

void
arena_done(struct arena *a)
{
	size_t cap = a->cap;

	while (a->chunks != NULL) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	arena_init(a, cap);
}

/* Chunks grow with what was used, so that their number stays logarithmic; none is larger than what may be handed out. */
static size_t
chunk_size(const struct arena *a, size_t n)
{
	size_t size = a->used < CHUNK_MIN ? CHUNK_MIN : a->used;

	if (size > a->cap - a->used)
		size = a->cap - a->used;
	if (EACH_ALONE || size < n)
		return n;
	return size;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	char *p;

	if (n > a->cap - a->used)
		return NULL;
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (n == 0)
		n = ALIGN;
	if (n > a->cap - a->used)
		return NULL;
	if (EACH_ALONE || n > (size_t)(a->end - a->at)) {
		size_t size = chunk_size(a, n);
		struct arena_chunk *c = calloc(1, sizeof *c + size);

		if (c == NULL)
			return NULL;
		c->next = a->chunks;
		a->chunks = c;
		a->at = c->bytes;
		a->end = c->bytes + size;
	}
	p = a->at;
	a->at += n;
	a->used += n;
	return p;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return arena_alloc(a, count * size);
}

void *
arena_copy(struct arena *a, const void *from, size_t n)
{
	void *p = arena_alloc(a, n);

	if (p != NULL && n > 0)
		memcpy(p, from, n);
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	must(n >= 0);
	if ((s = arena_alloc(a, (size_t)n + 1)) != NULL)
		vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return s;
}
