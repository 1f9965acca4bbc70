/*
 * bench.h -- what all of the benchmark shares: what was asked for, what came out.
 *
 * The driver starts daemons and clients and samples them; what is measured
 * happens in clients, which are processes of their own (client.h).
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>

/* All of it belongs to main(); the driver is one thread. */
struct bench {
	const char *logd; /* the program */
	const char *dir;  /* a folder for this run; removed at its end */
	bool quick;       /* a smoke run: small rows, figures that say nothing */
	bool cold;        /* leave memory as it is before a row */
	bool markdown;
	int passed, failed;  /* rows that gave a figure, and that did not */
	int reached, missed; /* targets */
};

/* What a figure is to reach; `most`: it is to stay at or below the limit. */
struct target {
	double limit;
	bool most;
	const char *unit; /* after the limit in what is printed */
};

/*
 * What to print of a figure beside its target (static text, until the next
 * call), and counts it.  A target of NULL is none; nor has a smoke run any.
 */
const char *bench_judge(struct bench *, const struct target *, double figure);

/* Counts a row that gave a figure, and says on standard error that it is done. */
void bench_pass(struct bench *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Counts a row that gave none, and prints why. */
void bench_fail(struct bench *, const char *row, const char *why);

/* Ends the driver, as it can't go on: removes its folder, ends its daemon. */
_Noreturn void bench_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* The groups of rows; each prints its tables. */
void throughput_run(struct bench *);
void latency_run(struct bench *);
void start_run(struct bench *);
void upkeep_run(struct bench *);
void large_run(struct bench *);

#endif
