/*
 * topic.h -- the topic `_schemas` itself: whether it is there and fit to hold schemas, or made.
 */
#ifndef REGISTRY_TOPIC_H
#define REGISTRY_TOPIC_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

struct topic {
	rd_kafka_t *client; /* borrowed */
	const char *name;
	bool make;              /* where it is not there yet; else it is waited for */
	int replication_factor; /* of one that is made; no more than there are brokers */
};

/*
 * Finds or makes it: it has one partition and is compacted, so that nothing in it is forgotten.  False,
 * after a line in the log that says what is wrong, when it is unfit or not there in time.
 */
bool topic_find(const struct topic *, int timeout_ms);

#endif
