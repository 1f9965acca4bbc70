/* elect_leaders.c -- ElectLeaders: each partition has the one leader that it can have. */
#include "api/handlers.h"
#include "api/named.h"
#include "api/topics.h"

/* KIP-460. */
enum { PREFERRED, UNCLEAN, ELECTION_TYPES };

static void
elect_topic(struct request *r, const struct wire_elect_leaders_request_topic *from,
    struct wire_elect_leaders_response_topic *to, struct named *named)
{
	const struct topic *t = topics_find(r->api, from->topic);

	to->topic = from->topic;
	to->partition_result = request_array(r, from->n_partitions, sizeof *to->partition_result);
	for (size_t i = 0; i < from->n_partitions; i++) {
		struct wire_elect_leaders_response_partition *p = &to->partition_result[to->n_partition_result];
		int32_t number = from->partitions[i];
		bool there = topic_partition(t, number) != NULL;

		if (named_partition_before(named, t, number))
			continue;
		to->n_partition_result++;
		wire_elect_leaders_response_partition_default(p);
		p->partition_id = number;
		p->error_code = there ? KAFKA_ELECTION_NOT_NEEDED : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
		p->error_message = span_str(there ? "This broker leads the partition already." : "There is no such partition.");
	}
}

/* Null stands for all partitions; of those only the elected are told, and there are none. */
void
elect_leaders_run(struct request *r)
{
	const struct wire_elect_leaders_request *q = r->message;
	struct named named;
	RESPONSE(response, elect_leaders);

	if (q->election_type < 0 || q->election_type >= ELECTION_TYPES) {
		response.error_code = KAFKA_INVALID_REQUEST;
		request_reply(r, &response);
		return;
	}
	named_init(&named, r);
	response.n_replica_election_results = q->n_topic_partitions;
	response.replica_election_results = request_array(r, q->n_topic_partitions,
	    sizeof *response.replica_election_results);
	for (size_t i = 0; i < q->n_topic_partitions; i++)
		elect_topic(r, &q->topic_partitions[i], &response.replica_election_results[i], &named);
	named_done(&named);
	request_reply(r, &response);
}
