/*
 * producer.h -- writes records to Kafka.
 */
#ifndef LIBWEIR_PRODUCER_H
#define LIBWEIR_PRODUCER_H

#include "libweir/client.h"

struct weir_producer;

struct weir_record {
	int32_t partition;     /* -1: by the key's hash as Java's client has it (murmur2), or any */
	struct span key;       /* null: none */
	struct span value;     /* null: a tombstone */
	int64_t timestamp_ms;  /* 0: now */
	const struct weir_header *headers;
	size_t n_headers;
};

/* What became of a record. */
struct weir_receipt {
	int32_t partition;
	int64_t offset; /* -1 where it is not known: acks=0 */
	int64_t timestamp_ms;
	struct weir_error error; /* WEIR_OK: it was acknowledged */
};

/*
 * Makes a producer.  Unless the settings say otherwise: acks=all, enable.idempotence=true,
 * linger.ms=0, partitioner=murmur2_random, delivery.timeout.ms=30000; with fewer acks there
 * is no idempotence.  Owned; NULL with `why` filled.  Connects by itself, whenever a broker can
 * be reached, and begins anew after an error that librdkafka calls fatal (with idempotence: the
 * broker has lost its state, or gives no producer id): records under way then fail, later ones
 * do not.  Any thread may use it.
 */
struct weir_producer *weir_producer_new(const struct weir_setting *, size_t n, struct weir_error *why);

/* Waits up to `timeout_ms` for what is under way; what is not acknowledged by then fails. */
void weir_producer_free(struct weir_producer *, int timeout_ms);

/*
 * Writes records to a topic, in this order, and waits until each has been acknowledged
 * or has failed (delivery.timeout.ms at the longest): receipts[i] tells of records[i].
 * Records are borrowed for the call and not copied.  The call itself can't fail: a record that can't
 * be queued has its error in its receipt.
 */
void weir_produce(struct weir_producer *, const char *topic, const struct weir_record *records,
    size_t n, struct weir_receipt *receipts);

#endif
