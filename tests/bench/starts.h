/* starts.h -- what starts of a daemon take: a row of a table. */
#ifndef BENCH_STARTS_H
#define BENCH_STARTS_H

#include "bench/measure.h"

struct bench;
struct daemon;
struct table;
struct target;

#define STARTS_COLUMNS "<what|p50|most|logd CPU ms|logd PSS MB|<target"

struct starts {
	struct samples ms, cpu_ms;
	double pss; /* the most that was seen when just ready, in bytes */
};

void starts_init(struct starts *, int n);

/* One more, which is left running. */
void starts_once(struct starts *, struct bench *, struct daemon *, const char *name, const char *const *settings);

/* The row of these starts, with a target or NULL; ends them. */
void starts_put(struct starts *, struct bench *, struct table *, const char *what, const struct target *);

#endif
