/* add_partitions_to_txn.c -- AddPartitionsToTxn, AddOffsetsToTxn: what a transaction gets. */
#include "api/handlers.h"
#include "api/named.h"
#include "api/topics.h"
#include "api/txn_calls.h"
#include "base/must.h"

/* The first versions that know PRODUCER_FENCED. */
enum { PARTITIONS_FENCED_VERSION = 2, OFFSETS_FENCED_VERSION = 2 };

/* ---- AddPartitionsToTxn ---- */

struct addition {
	struct txn_change change;
	struct wire_add_partitions_to_txn_response response;
	struct txn_partition *partitions;
	size_t n;
	bool refused; /* some partition is not there: none is added */
};

static void
set_errors(struct addition *a, enum kafka_error error)
{
	struct wire_add_partitions_to_txn_response *response = &a->response;

	for (size_t i = 0; i < response->n_results; i++)
		for (size_t k = 0; k < response->results[i].n_results; k++)
			if (response->results[i].results[k].error_code == KAFKA_NONE)
				response->results[i].results[k].error_code = (int16_t)error;
}

static void
partitions_added(struct txn_change *c, enum kafka_error error)
{
	struct addition *a = container_of(c, struct addition, change);

	set_errors(a, error);
	request_reply(c->request, &a->response);
}

static void
add_topic(struct addition *a, const struct wire_add_partitions_to_txn_request_topic *from,
    struct wire_add_partitions_to_txn_response_topic *to, struct named *named)
{
	struct request *r = a->change.request;
	struct topic *t = topics_find(r->api, from->name);

	wire_add_partitions_to_txn_response_topic_default(to);
	to->name = from->name;
	to->results = request_array(r, from->n_partitions, sizeof *to->results);
	for (size_t i = 0; i < from->n_partitions; i++) {
		struct wire_add_partitions_to_txn_response_partition *answer = &to->results[to->n_results];
		int32_t number = from->partitions[i];

		if (named_partition_before(named, t, number))
			continue;
		to->n_results++;
		answer->partition_index = number;
		if (topic_partition(t, number) == NULL) {
			answer->error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
			a->refused = true;
			continue;
		}
		memcpy(a->partitions[a->n].topic, t->id, sizeof t->id);
		a->partitions[a->n++].number = number;
	}
}

static size_t
count_partitions(const struct wire_add_partitions_to_txn_request *q)
{
	size_t n = 0;

	for (size_t i = 0; i < q->n_topics; i++)
		n += q->topics[i].n_partitions;
	return n;
}

void
add_partitions_to_txn_run(struct request *r)
{
	const struct wire_add_partitions_to_txn_request *q = r->message;
	struct txn_caller caller = { q->transactional_id, q->producer_id, q->producer_epoch };
	struct addition *a = request_alloc(r, sizeof *a);
	struct named named;
	enum txn_error error;
	struct txn *t;
	bool change;

	a->change = (struct txn_change){ .done = partitions_added, .request = r };
	a->partitions = request_array(r, count_partitions(q), sizeof *a->partitions);
	wire_add_partitions_to_txn_response_default(&a->response);
	a->response.n_results = q->n_topics;
	a->response.results = request_array(r, q->n_topics, sizeof *a->response.results);
	named_init(&named, r);
	for (size_t i = 0; i < q->n_topics; i++)
		add_topic(a, &q->topics[i], &a->response.results[i], &named);
	named_done(&named);
	if (a->refused) {
		set_errors(a, KAFKA_OPERATION_NOT_ATTEMPTED);
		request_reply(r, &a->response);
		return;
	}
	error = txns_add(r->api->txns, &caller, a->partitions, a->n, span_of(NULL, 0), request_wall_ms(r), &t, &change);
	if (!change) {
		set_errors(a, txn_calls_error(error, r->version >= PARTITIONS_FENCED_VERSION));
		request_reply(r, &a->response);
		return;
	}
	txn_calls_change(r->api, t, &a->change);
}

/* ---- AddOffsetsToTxn ---- */

static void
answer_group(struct request *r, enum kafka_error error)
{
	RESPONSE(response, add_offsets_to_txn);

	response.error_code = (int16_t)error;
	request_reply(r, &response);
}

static void
group_added(struct txn_change *c, enum kafka_error error)
{
	answer_group(c->request, error);
}

void
add_offsets_to_txn_run(struct request *r)
{
	const struct wire_add_offsets_to_txn_request *q = r->message;
	struct txn_caller caller = { q->transactional_id, q->producer_id, q->producer_epoch };
	enum txn_error error;
	struct txn *t;
	struct txn_change *c;
	bool change;

	if (q->group_id.n == 0 || q->group_id.n > GROUP_ID_MAX_BYTES) {
		answer_group(r, KAFKA_INVALID_GROUP_ID);
		return;
	}
	error = txns_add(r->api->txns, &caller, NULL, 0, q->group_id, request_wall_ms(r), &t, &change);
	if (!change) {
		answer_group(r, txn_calls_error(error, r->version >= OFFSETS_FENCED_VERSION));
		return;
	}
	c = request_alloc(r, sizeof *c);
	*c = (struct txn_change){ .done = group_added, .request = r };
	txn_calls_change(r->api, t, c);
}
