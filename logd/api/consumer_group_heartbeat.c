/* consumer_group_heartbeat.c -- ConsumerGroupHeartbeat: coord answers, at once. */
#include "api/group_calls.h"
#include "api/handlers.h"
#include "coord/consumer_groups.h"

enum { CHOSEN_ID_VERSION = 1 };

_Static_assert((int)GROUP_FENCED_MEMBER_EPOCH == (int)KAFKA_FENCED_MEMBER_EPOCH &&
    (int)GROUP_UNRELEASED_INSTANCE_ID == (int)KAFKA_UNRELEASED_INSTANCE_ID &&
    (int)GROUP_UNSUPPORTED_ASSIGNOR == (int)KAFKA_UNSUPPORTED_ASSIGNOR &&
    (int)GROUP_STALE_MEMBER_EPOCH == (int)KAFKA_STALE_MEMBER_EPOCH &&
    (int)GROUP_UNSUPPORTED_VERSION == (int)KAFKA_UNSUPPORTED_VERSION &&
    (int)GROUP_INVALID_REGULAR_EXPRESSION == (int)KAFKA_INVALID_REGULAR_EXPRESSION,
    "group errors are Kafka's");

static struct wire_consumer_group_heartbeat_response_assignment *
assignment(struct request *r, const struct consumer_answer *a)
{
	struct wire_consumer_group_heartbeat_response_assignment *to = request_alloc(r, sizeof *to);

	to->n_topic_partitions = a->n_assignment;
	to->topic_partitions = request_array(r, a->n_assignment, sizeof *to->topic_partitions);
	for (size_t i = 0; i < a->n_assignment; i++) {
		const struct consumer_partitions *from = &a->assignment[i];

		memcpy(to->topic_partitions[i].topic_id, from->topic_id, sizeof to->topic_partitions[i].topic_id);
		to->topic_partitions[i].partitions = (int32_t *)(uintptr_t)from->numbers;
		to->topic_partitions[i].n_partitions = from->n;
	}
	return to;
}

static void
reply(struct request *r, const struct consumer_answer *a)
{
	RESPONSE(response, consumer_group_heartbeat);

	response.error_code = (int16_t)a->error;
	response.error_message = span_str(a->message);
	response.member_id = a->member_id;
	response.member_epoch = a->epoch;
	response.heartbeat_interval_ms = a->heartbeat_interval_ms;
	if (a->has_assignment)
		response.assignment = assignment(r, a);
	request_reply(r, &response);
}

void
consumer_group_heartbeat_run(struct request *r)
{
	const struct wire_consumer_group_heartbeat_request *q = r->message;
	struct consumer_partitions *owned = request_array(r, q->n_topic_partitions, sizeof *owned);
	struct consumer_heartbeat heartbeat = {
		.group_id = q->group_id, .member_id = q->member_id, .instance_id = q->instance_id,
		.rack_id = q->rack_id, .client_id = r->client_id, .client_host = group_calls_client_host(r),
		.epoch = q->member_epoch, .rebalance_timeout_ms = q->rebalance_timeout_ms,
		.has_names = q->subscribed_topic_names != NULL, .names = q->subscribed_topic_names,
		.n_names = q->n_subscribed_topic_names, .regex = q->subscribed_topic_regex,
		.assignor = q->server_assignor,
		.has_owned = q->topic_partitions != NULL, .owned = owned, .n_owned = q->n_topic_partitions,
		.chooses_id = r->version >= CHOSEN_ID_VERSION };
	struct consumer_answer answer;
	struct api *api = r->api;

	for (size_t i = 0; i < q->n_topic_partitions; i++)
		owned[i] = (struct consumer_partitions){ .topic_id = q->topic_partitions[i].topic_id,
			.numbers = q->topic_partitions[i].partitions, .n = q->topic_partitions[i].n_partitions };
	store_random(heartbeat.random, sizeof heartbeat.random);
	groups_consumer_heartbeat(api->groups, &heartbeat, request_now_ms(r), &answer);
	reply(r, &answer);
	/* Last, since the answer lies in coord until then. */
	group_calls_after(api);
}
