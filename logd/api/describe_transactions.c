/* describe_transactions.c -- DescribeTransactions, ListTransactions, DescribeProducers. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/named.h"
#include "api/pending.h"
#include "api/topics.h"

/* ---- DescribeTransactions ---- */

/* Partitions are in the order of their topics; those of topics that are gone are left out. */
static void
describe_partitions(struct request *r, const struct txn_values *v,
    struct wire_describe_transactions_response_transaction_state *to)
{
	int32_t *numbers = request_array(r, v->n_partitions, sizeof *numbers);
	struct topic *last = NULL;

	to->topics = request_array(r, v->n_partitions, sizeof *to->topics);
	for (size_t i = 0; i < v->n_partitions; i++) {
		struct topic *t = topics_find_id(r->api, v->partitions[i].topic);
		struct wire_describe_transactions_response_topic *topic;

		if (t == NULL)
			continue;
		if (t != last) {
			topic = &to->topics[to->n_topics++];
			topic->topic = request_copy(r, t->name);
			topic->partitions = &numbers[i];
			last = t;
		}
		topic = &to->topics[to->n_topics - 1];
		topic->partitions[topic->n_partitions++] = v->partitions[i].number;
	}
}

void
describe_transactions_run(struct request *r)
{
	const struct wire_describe_transactions_request *q = r->message;
	struct named seen;
	RESPONSE(response, describe_transactions);

	named_init(&seen, r);
	response.transaction_states = request_array(r, q->n_transactional_ids, sizeof *response.transaction_states);
	for (size_t i = 0; i < q->n_transactional_ids && !r->full; i++) {
		struct wire_describe_transactions_response_transaction_state *to =
		    &response.transaction_states[response.n_transaction_states];
		const struct txn *t = txns_find(r->api->txns, q->transactional_ids[i]);

		if (named_before(&seen, q->transactional_ids[i]))
			continue;
		response.n_transaction_states++;
		wire_describe_transactions_response_transaction_state_default(to);
		to->transactional_id = q->transactional_ids[i];
		to->transaction_state = span_str("");
		/* One that is being made is not there yet. */
		if (t == NULL || t->is.producer_id == -1) {
			to->error_code = KAFKA_TRANSACTIONAL_ID_NOT_FOUND;
			continue;
		}
		to->transaction_state = span_str(txn_state_name(t->is.state));
		to->transaction_timeout_ms = t->is.timeout_ms;
		to->transaction_start_time_ms = t->is.start_ms;
		to->producer_id = t->is.producer_id;
		to->producer_epoch = t->is.epoch;
		describe_partitions(r, &t->is, to);
	}
	named_done(&seen);
	request_reply(r, &response);
}

/* ---- ListTransactions ---- */

static int
by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* `ids`: the producer ids that are asked for, in order; any, when there are none. */
static bool
is_asked_for(const struct request *r, const struct txn *t, unsigned states, const int64_t *ids)
{
	const struct wire_list_transactions_request *q = r->message;

	if (t->is.producer_id == -1 || !(states & 1u << t->is.state))
		return false;
	if (q->duration_filter >= 0 && (t->is.start_ms == -1 ||
	    request_wall_ms(r) - t->is.start_ms <= q->duration_filter))
		return false;
	return q->n_producer_id_filters == 0 ||
	    bsearch(&t->is.producer_id, ids, q->n_producer_id_filters, sizeof *ids, by_number) != NULL;
}

void
list_transactions_run(struct request *r)
{
	const struct wire_list_transactions_request *q = r->message;
	unsigned states = q->n_state_filters == 0 ? ~0u : 0;
	const struct txn *t;
	enum txn_state state;
	size_t it = 0;
	int64_t *ids;
	RESPONSE(response, list_transactions);

	if (pending_refused(r, q->n_state_filters + q->n_producer_id_filters))
		return;
	ids = request_array(r, q->n_producer_id_filters, sizeof *ids);
	if (q->n_producer_id_filters > 0)
		memcpy(ids, q->producer_id_filters, q->n_producer_id_filters * sizeof *ids);
	qsort(ids, q->n_producer_id_filters, sizeof *ids, by_number);
	response.unknown_state_filters = request_array(r, q->n_state_filters, sizeof *response.unknown_state_filters);
	for (size_t i = 0; i < q->n_state_filters; i++)
		if (txn_state_find(q->state_filters[i], &state))
			states |= 1u << state;
		else
			response.unknown_state_filters[response.n_unknown_state_filters++] = q->state_filters[i];
	response.transaction_states = request_array(r, txns_count(r->api->txns), sizeof *response.transaction_states);
	while ((t = txns_next(r->api->txns, &it)) != NULL)
		if (is_asked_for(r, t, states, ids))
			response.transaction_states[response.n_transaction_states++] =
			    (struct wire_list_transactions_response_transaction_state){
				.transactional_id = request_copy(r, t->id), .producer_id = t->is.producer_id,
				.transaction_state = span_str(txn_state_name(t->is.state)) };
	request_reply(r, &response);
}

/* ---- DescribeProducers ---- */

static bool
count_producer(void *ctx, const struct producer_description *d)
{
	(void)d;
	++*(size_t *)ctx;
	return true;
}

static bool
add_producer(void *ctx, const struct producer_description *d)
{
	struct wire_describe_producers_response_partition *to = ctx;

	to->active_producers[to->n_active_producers++] = (struct wire_describe_producers_response_producer){
		.producer_id = d->id, .producer_epoch = d->epoch, .last_sequence = d->last_sequence,
		.last_timestamp = d->last_ms, .coordinator_epoch = d->coordinator_epoch,
		.current_txn_start_offset = d->open_first };
	return true;
}

static void
describe_producers_of(struct request *r, const struct topic_partition *tp,
    struct wire_describe_producers_response_partition *to)
{
	size_t n = 0;

	partition_producers(tp->log, count_producer, &n);
	to->active_producers = request_array(r, n, sizeof *to->active_producers);
	if (!r->full)
		partition_producers(tp->log, add_producer, to);
}

void
describe_producers_run(struct request *r)
{
	const struct wire_describe_producers_request *q = r->message;
	struct named named;
	RESPONSE(response, describe_producers);

	named_init(&named, r);
	response.n_topics = q->n_topics;
	response.topics = request_array(r, q->n_topics, sizeof *response.topics);
	for (size_t i = 0; i < q->n_topics; i++) {
		const struct wire_describe_producers_request_topic *from = &q->topics[i];
		struct wire_describe_producers_response_topic *to = &response.topics[i];
		struct topic *t = topics_find(r->api, from->name);

		to->name = from->name;
		to->partitions = request_array(r, from->n_partition_indexes, sizeof *to->partitions);
		for (size_t k = 0; k < from->n_partition_indexes; k++) {
			struct wire_describe_producers_response_partition *p = &to->partitions[to->n_partitions];
			int32_t number = from->partition_indexes[k];
			struct topic_partition *tp = topic_partition(t, number);

			if (named_partition_before(&named, t, number))
				continue;
			to->n_partitions++;
			wire_describe_producers_response_partition_default(p);
			p->partition_index = number;
			if (tp == NULL)
				p->error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
			else
				describe_producers_of(r, tp, p);
		}
	}
	named_done(&named);
	request_reply(r, &response);
}
