/*
 * assignment.h -- on which brokers partitions are to lie, where a request to
 * make them says so.
 */
#ifndef API_ASSIGNMENT_H
#define API_ASSIGNMENT_H

#include <stddef.h>
#include <stdint.h>

#include "api/request.h"

/* One partition's replicas. */
struct assignment {
	int32_t partition;
	const int32_t *broker_ids;
	size_t n_broker_ids;
};

/*
 * Judges assignments of n partitions from number `first` on, in any order: each
 * is there once, and lies on this broker and nowhere else.  KAFKA_NONE, or
 * INVALID_REPLICA_ASSIGNMENT with the reason in `why`.
 */
enum kafka_error assignment_check(struct request *, const struct assignment *, size_t n,
    int32_t first, char *why, size_t size);

#endif
