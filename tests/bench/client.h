/*
 * client.h -- a client that is measured: a process of its own, so that its
 * processor time and memory are its own, too.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/measure.h"

enum { CLIENT_SERIES = 4 };

/* One kind of operation, done many times. */
struct series {
	double p50_us, p99_us;
	double client_cpu_us, logd_cpu_us; /* per operation */
};

/* What a client found; in memory that it shares with the driver. */
struct outcome {
	char error[256]; /* empty: none */
	double seconds, client_cpu_s, logd_cpu_s; /* of what was measured */
	uint64_t records, bytes;
	struct series series[CLIENT_SERIES];
	/* From when records were due until they were acknowledged: what is late makes those behind it late, too. */
	struct latency latency;
	double client_pss, logd_pss; /* the most that was seen, in bytes */
	double client_end_pss;       /* what the client saw of itself at the end */
};

/* Does the work, in the client. */
typedef void client_fn(const void *arg, pid_t logd, struct outcome *);

/*
 * Runs it in a new process, with all that the driver has in memory, and samples
 * the memory of both until it ends.  `logd` 0: there is no daemon in this.
 * False with the reason in outcome->error.
 */
bool client_run(client_fn *, const void *arg, pid_t logd, struct outcome *);

/* For the client: ends it, with the reason. */
_Noreturn void client_fail(struct outcome *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What passes between two moments. */
struct window {
	double now_s, client_cpu_s, logd_cpu_s;
	pid_t logd;
};

void window_begin(struct window *, pid_t logd);
/* Adds what has passed to the outcome, and notes the client's memory. */
void window_end(const struct window *, struct outcome *);
/* Adds the processor time that has passed to these two. */
void window_cpu(const struct window *, double *client_cpu_s, double *logd_cpu_s);

#endif
