/* offset_for_leader_epoch.c -- OffsetForLeaderEpoch (KIP-320): where an epoch ended. */
#include "api/handlers.h"
#include "api/topics.h"

static void
run_one(struct topic *t, const struct wire_offset_for_leader_epoch_request_partition *asked,
    struct wire_offset_for_leader_epoch_response_partition *p)
{
	struct topic_partition *tp = topic_partition(t, asked->partition);
	int32_t current = tp == NULL ? -1 : partition_leader_epoch(tp->log);

	wire_offset_for_leader_epoch_response_partition_default(p);
	p->partition = asked->partition;
	if (tp == NULL)
		p->error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	else if (asked->current_leader_epoch != -1 && asked->current_leader_epoch < current)
		p->error_code = KAFKA_FENCED_LEADER_EPOCH;
	else if (asked->current_leader_epoch != -1 && asked->current_leader_epoch > current)
		p->error_code = KAFKA_UNKNOWN_LEADER_EPOCH;
	else
		partition_epoch_end(tp->log, asked->leader_epoch, &p->leader_epoch, &p->end_offset);
}

void
offset_for_leader_epoch_run(struct request *r)
{
	const struct wire_offset_for_leader_epoch_request *q = r->message;
	RESPONSE(response, offset_for_leader_epoch);

	response.n_topics = q->n_topics;
	response.topics = request_array(r, q->n_topics, sizeof *response.topics);
	for (size_t i = 0; i < q->n_topics; i++) {
		const struct wire_offset_for_leader_epoch_request_topic *from = &q->topics[i];
		struct wire_offset_for_leader_epoch_response_topic *to = &response.topics[i];
		struct topic *t = topics_find(r->api, from->topic);

		wire_offset_for_leader_epoch_response_topic_default(to);
		to->topic = from->topic;
		to->n_partitions = from->n_partitions;
		to->partitions = request_array(r, from->n_partitions, sizeof *to->partitions);
		for (size_t k = 0; k < from->n_partitions; k++)
			run_one(t, &from->partitions[k], &to->partitions[k]);
	}
	request_reply(r, &response);
}
