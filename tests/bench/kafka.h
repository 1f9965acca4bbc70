/* kafka.h -- clients through librdkafka, as programs use it. */
#ifndef BENCH_KAFKA_H
#define BENCH_KAFKA_H

#include <stddef.h>
#include <stdint.h>

#include "bench/client.h"

/* Records to be written, or that were written and are to be read. */
struct load {
	const char *address, *topic;
	const char *acks;
	size_t record_bytes;
	uint64_t records;
	int32_t partitions; /* which have their turns, 100 records each */
};

/* Both are a client_fn with a struct load. */
void kafka_produce_run(const void *load, pid_t logd, struct outcome *);
void kafka_consume_run(const void *load, pid_t logd, struct outcome *);

/* A producer with one record in flight, to partition 0, with acks=all. */
struct kafka_single;

/* Both end the client when they fail. */
struct kafka_single *kafka_single_new(const char *address, const char *topic, struct outcome *);
void kafka_single_produce(struct kafka_single *, const void *value, size_t n, struct outcome *);
void kafka_single_free(struct kafka_single *);

#endif
