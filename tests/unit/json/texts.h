/* texts.h -- texts that are JSON and texts that are not, for all who read them. */
#ifndef UNIT_JSON_TEXTS_H
#define UNIT_JSON_TEXTS_H

#include <stdlib.h>

#include "base/bytes.h"
#include "unit/unit.h"

struct text_case {
	const char *text;
	size_t n;
	const char *why; /* NULL: it is JSON */
	int column;      /* where it is not; of its first line */
};

/* Ended by a NULL text. */
extern const struct text_case text_cases[];

/* A copy that ends where its memory ends, so that ASan sees a read behind it; owned. */
static inline uint8_t *
exact_copy(struct span s)
{
	uint8_t *p = malloc(s.n == 0 ? 1 : s.n);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	memcpy(p, s.p, s.n);
	return p;
}

#endif
