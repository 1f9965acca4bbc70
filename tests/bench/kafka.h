/* kafka.h -- a client through librdkafka with one record in flight; the others are in load.h. */
#ifndef BENCH_KAFKA_H
#define BENCH_KAFKA_H

#include <stddef.h>

#include "bench/client.h"

/* A producer with one record in flight, to partition 0, with acks=all. */
struct kafka_single;

/* Both end the client when they fail. */
struct kafka_single *kafka_single_new(const char *address, const char *topic, struct outcome *);
void kafka_single_produce(struct kafka_single *, const void *value, size_t n, struct outcome *);
void kafka_single_free(struct kafka_single *);

#endif
