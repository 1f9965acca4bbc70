/*
 * xalloc.h -- allocation for daemons, where running out of memory is the end.
 *
 * Only our daemons and apps use these; code under lib/ and clients/ returns
 * out-of-memory as an error, since a library never ends its host.
 */
#ifndef BASE_XALLOC_H
#define BASE_XALLOC_H

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

/* All of these return owned memory, never NULL. */
static inline void *
xmalloc(size_t n)
{
	void *p = malloc(n == 0 ? 1 : n);

	must_fit(p != NULL);
	return p;
}

static inline void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size);

	must_fit(p != NULL);
	return p;
}

static inline void *
xrealloc(void *old, size_t n)
{
	void *p = realloc(old, n == 0 ? 1 : n);

	must_fit(p != NULL);
	return p;
}

static inline void *
xmemdup(const void *from, size_t n)
{
	void *p = xmalloc(n);

	if (n > 0)
		memcpy(p, from, n);
	return p;
}

static inline char *
xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

#endif
