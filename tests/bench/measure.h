/* measure.h -- time, processor time and memory of processes; percentiles. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <sys/types.h>

struct latency {
	double p50_us, p99_us, p999_us, most_us;
};

/* A monotonic clock, in seconds. */
double measure_now_s(void);

/* Waits until that moment of the clock. */
void measure_wait_until(double now_s);

/* Processor time of all threads of a process, in seconds; 0: it is gone. */
double measure_cpu_s(pid_t);

/*
 * Proportional set size of a process, in bytes: what it has in memory, with
 * pages that n processes share counted as 1/n.  0: it is gone.
 */
double measure_pss(pid_t);

/* Values of which percentiles are wanted. */
struct samples {
	double *values; /* owned */
	size_t n, cap;
};

void samples_init(struct samples *, size_t cap);
/* There must be room. */
void samples_add(struct samples *, double);
/* The value that this share of all (0 to 1) does not exceed; 0 of none.  Sorts. */
double samples_percentile(struct samples *, double share);
/* The same of latencies in microseconds, which it sorts once. */
void samples_latency(struct samples *, struct latency *);
void samples_done(struct samples *);

#endif
