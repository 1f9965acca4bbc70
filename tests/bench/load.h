/*
 * load.h -- records to be written, or that were written and are to be read, and
 * the clients that do it.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/client.h"

struct load {
	const char *address, *topic;
	const char *acks;
	size_t record_bytes;
	uint64_t records;
	int32_t partitions; /* which have their turns */
	double rate;        /* records that become due in a second, whoever waits; 0: as many as go */
	int linger_ms;      /* how long a record may wait for others */
	int codec;          /* an enum codec */
	bool idempotent;    /* kafka only */
	/* flow only: */
	int connections, in_flight; /* in_flight: requests of each that wait for their answers */
	size_t batch_bytes;         /* the most that a batch grows to */
	bool keyed;                 /* records have keys, of which there are a few thousand */
};

/* All are a client_fn with a struct load.  Outcome's `latency` is filled in where there is a rate. */

/* Through librdkafka, as programs use it. */
void kafka_produce_run(const void *load, pid_t logd, struct outcome *);
void kafka_consume_run(const void *load, pid_t logd, struct outcome *);

/* By bare sockets: batches are made before, and requests don't wait for each other. */
void flow_produce_run(const void *load, pid_t logd, struct outcome *);
void flow_consume_run(const void *load, pid_t logd, struct outcome *);

/* When the n-th record is due, where the first was at `began`. */
static inline double
load_due_s(const struct load *l, double began, uint64_t n)
{
	return began + (double)n / l->rate;
}

/*
 * Values for records: text that compresses about as logs do, the same in each
 * run.  `n`: any number; another one begins elsewhere in it.
 */
enum { LOAD_VALUE_MAX = 1 << 20 };
const char *load_value(uint64_t n, size_t bytes);

#endif
