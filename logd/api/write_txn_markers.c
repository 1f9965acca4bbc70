/*
 * write_txn_markers.c -- WriteTxnMarkers: ends transactions by hand, one
 * partition at a time (KIP-664), where something hangs.
 *
 * The coordinator is not asked.  When it knows the transaction it still ends it
 * in its own time, and finds nothing open in these partitions.
 */
#include "api/handlers.h"
#include "api/pending.h"
#include "api/topics.h"
#include "base/must.h"

struct marker {
	struct append append;
	struct pending *pending;
	int16_t *code;
};

static void
marker_done(struct append *a)
{
	struct marker *m = container_of(a, struct marker, append);

	*m->code = (int16_t)request_error(a->error);
	pending_release(m->pending);
}

/* Who is fenced may not end what another has begun. */
static enum kafka_error
check(const struct topic_partition *tp, const struct batch_marker *marker)
{
	struct producer_description d;

	if (tp == NULL)
		return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	if (!partition_producer(tp->log, marker->producer_id, &d))
		return KAFKA_NONE;
	if (marker->producer_epoch < d.epoch)
		return KAFKA_INVALID_PRODUCER_EPOCH;
	return marker->coordinator_epoch < d.coordinator_epoch ? KAFKA_TRANSACTION_COORDINATOR_FENCED : KAFKA_NONE;
}

static void
write_marker(struct pending *p, struct topic_partition *tp, const struct batch_marker *marker, int16_t *code)
{
	struct marker *m;

	*code = (int16_t)check(tp, marker);
	if (*code != KAFKA_NONE)
		return;
	m = request_alloc(p->request, sizeof *m);
	*m = (struct marker){ .append = { .now_ms = request_wall_ms(p->request), .done = marker_done },
		.pending = p, .code = code };
	pending_hold(p);
	if (partition_end_transaction(tp->log, marker, &m->append))
		marker_done(&m->append);
}

static void
write_topic(struct pending *p, const struct wire_write_txn_markers_request_topic *from,
    const struct batch_marker *marker, struct wire_write_txn_markers_response_topic *to)
{
	struct request *r = p->request;
	const struct topic *t = topics_find(r->api, from->name);

	to->name = from->name;
	to->n_partitions = from->n_partition_indexes;
	to->partitions = request_array(r, to->n_partitions, sizeof *to->partitions);
	for (size_t i = 0; i < to->n_partitions; i++) {
		to->partitions[i].partition_index = from->partition_indexes[i];
		write_marker(p, topic_partition(t, from->partition_indexes[i]), marker, &to->partitions[i].error_code);
	}
}

static void
write_all(struct pending *p, const struct wire_write_txn_markers_request_marker *from,
    struct wire_write_txn_markers_response_marker *to)
{
	struct batch_marker marker = { .producer_id = from->producer_id, .producer_epoch = from->producer_epoch,
		.commit = from->transaction_result, .coordinator_epoch = from->coordinator_epoch };

	to->producer_id = from->producer_id;
	to->n_topics = from->n_topics;
	to->topics = request_array(p->request, from->n_topics, sizeof *to->topics);
	for (size_t i = 0; i < from->n_topics; i++)
		write_topic(p, &from->topics[i], &marker, &to->topics[i]);
}

void
write_txn_markers_run(struct request *r)
{
	const struct wire_write_txn_markers_request *q = r->message;
	struct wire_write_txn_markers_response *response;
	struct pending *p;
	size_t n = 0;

	for (size_t i = 0; i < q->n_markers; i++)
		for (size_t k = 0; k < q->markers[i].n_topics; k++)
			n += q->markers[i].topics[k].n_partition_indexes;
	if (pending_refused(r, n))
		return;
	response = request_alloc(r, sizeof *response);
	wire_write_txn_markers_response_default(response);
	response->n_markers = q->n_markers;
	response->markers = request_array(r, q->n_markers, sizeof *response->markers);
	p = pending_begin(r, response);
	for (size_t i = 0; i < q->n_markers; i++)
		write_all(p, &q->markers[i], &response->markers[i]);
	pending_release(p);
}
