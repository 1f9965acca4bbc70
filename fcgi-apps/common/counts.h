/* counts.h -- how many requests there were of each route, how they ended, how long they took. */
#ifndef COMMON_COUNTS_H
#define COMMON_COUNTS_H

#include <stdint.h>

#include "common/router.h"

struct counts;

/* Owned; aborts without memory.  Routes of the same name are counted as one.  The router must live as long. */
struct counts *counts_new(const char *app, const struct router *);
void counts_free(struct counts *);

/* Counts a request; NULL: no route was found.  Any thread. */
void counts_add(struct counts *, const struct route *, int status, int64_t ns);

/* Appends them in the text format of Prometheus, but for routes without a request.  Any thread. */
void counts_print(const struct counts *, struct buf *to);

#endif
