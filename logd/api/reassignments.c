/*
 * reassignments.c -- AlterPartitionReassignments, ListPartitionReassignments:
 * partitions lie on this broker and stay there, so that a wish for just this is
 * met at once, any other is refused, and none is ever under way.
 */
#include <inttypes.h>

#include "api/handlers.h"
#include "api/named.h"
#include "api/topics.h"

static enum kafka_error
check(struct request *r, const struct topic *t, const struct wire_alter_partition_reassignments_request_partition *asked,
    struct span *why)
{
	int32_t self = r->api->config.node_id;

	if (topic_partition(t, asked->partition_index) == NULL) {
		*why = span_str("There is no such partition.");
		return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	}
	if (asked->replicas == NULL) {
		*why = span_str("No reassignment of the partition is under way that could be cancelled.");
		return KAFKA_NO_REASSIGNMENT_IN_PROGRESS;
	}
	if (asked->n_replicas != 1 || asked->replicas[0] != self) {
		*why = request_printf(r, "The partition lies on this broker alone, which is %" PRId32
		    ": there is none that it could be moved or copied to.", self);
		return KAFKA_INVALID_REPLICA_ASSIGNMENT;
	}
	*why = span_of(NULL, 0);
	return KAFKA_NONE;
}

static void
alter_topic(struct request *r, const struct wire_alter_partition_reassignments_request_topic *from,
    struct wire_alter_partition_reassignments_response_topic *to, struct named *named)
{
	const struct topic *t = topics_find(r->api, from->name);

	to->name = from->name;
	to->partitions = request_array(r, from->n_partitions, sizeof *to->partitions);
	for (size_t i = 0; i < from->n_partitions; i++) {
		struct wire_alter_partition_reassignments_response_partition *p = &to->partitions[to->n_partitions];
		const struct wire_alter_partition_reassignments_request_partition *asked = &from->partitions[i];

		if (named_partition_before(named, t, asked->partition_index))
			continue;
		to->n_partitions++;
		p->partition_index = asked->partition_index;
		p->error_code = (int16_t)check(r, t, asked, &p->error_message);
	}
}

void
alter_partition_reassignments_run(struct request *r)
{
	const struct wire_alter_partition_reassignments_request *q = r->message;
	struct named named;
	RESPONSE(response, alter_partition_reassignments);

	named_init(&named, r);
	response.allow_replication_factor_change = q->allow_replication_factor_change;
	response.n_responses = q->n_topics;
	response.responses = request_array(r, q->n_topics, sizeof *response.responses);
	for (size_t i = 0; i < q->n_topics; i++)
		alter_topic(r, &q->topics[i], &response.responses[i], &named);
	named_done(&named);
	request_reply(r, &response);
}

void
list_partition_reassignments_run(struct request *r)
{
	RESPONSE(response, list_partition_reassignments);

	request_reply(r, &response);
}
