/* pretty.h -- JSON laid out for people. */
#ifndef WEIR_PRETTY_H
#define WEIR_PRETTY_H

#include "json/tree.h"

/* Appends it with a member or value a line, two blanks for each level, numbers as they were written; no line's end behind it. */
void pretty_put(struct buf *to, const struct json *);

#endif
