/* assignment.c -- on which brokers partitions are to lie. */
#include "api/assignment.h"

#include <inttypes.h>
#include <stdio.h>

enum kafka_error
assignment_check(struct request *r, const struct assignment *all, size_t n, int32_t first,
    char *why, size_t size)
{
	bool *seen = request_array(r, n, sizeof *seen);
	int32_t self = r->api->config.node_id;

	for (size_t i = 0; i < n; i++) {
		const struct assignment *a = &all[i];
		int64_t at = (int64_t)a->partition - first;

		if (at < 0 || at >= (int64_t)n || seen[at]) {
			snprintf(why, size, "The assignments must name the partitions from %" PRId32 " to %" PRId64 ", each once.",
			    first, first + (int64_t)n - 1);
			return KAFKA_INVALID_REPLICA_ASSIGNMENT;
		}
		seen[at] = true;
		if (a->n_broker_ids != 1 || a->broker_ids[0] != self) {
			snprintf(why, size,
			    "Partition %" PRId32 " must be assigned to this broker alone, which is %" PRId32 ".",
			    a->partition, self);
			return KAFKA_INVALID_REPLICA_ASSIGNMENT;
		}
	}
	return KAFKA_NONE;
}
