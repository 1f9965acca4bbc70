/*
 * expression.h -- a regular expression, compared with names of topics as wholes.
 *
 * In the dialect of base/pattern.h.  All states that it may be in are followed at
 * once, so that a name costs at most its length times EXPRESSION_MAX_NODES steps,
 * whatever the expression: regexec() may take seconds for one name, and keeps all that
 * it came across in memory.
 */
#ifndef COORD_EXPRESSION_H
#define COORD_EXPRESSION_H

#include <stdbool.h>

#include "base/bytes.h"

enum { EXPRESSION_MAX_NODES = 4096 };

struct expression;

/* Owned.  NULL: `why` (never freed) says in a sentence, without its full stop, what can't be taken. */
struct expression *expression_new(struct span text, const char **why);
void expression_free(struct expression *);

bool expression_matches(const struct expression *, struct span name);

/* What it takes. */
size_t expression_bytes(const struct expression *);

/* The steps that a name of so many bytes costs, at most. */
size_t expression_steps(const struct expression *, size_t name_bytes);

#endif
