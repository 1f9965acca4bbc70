/* delete_records.c -- DeleteRecords: moves the front of partitions up. */
#include "api/handlers.h"
#include "api/pending.h"
#include "api/topics.h"
#include "base/must.h"

/* One partition's cut. */
struct cut {
	struct partition_cut cut;
	struct pending *pending;
	struct wire_delete_records_response_partition *answer;
};

static void
set_error(struct wire_delete_records_response_partition *to, enum kafka_error error)
{
	to->error_code = (int16_t)error;
	to->low_watermark = -1;
}

static void
cut_done(struct partition_cut *pc)
{
	struct cut *c = container_of(pc, struct cut, cut);

	if (pc->error != STORE_OK)
		set_error(c->answer, request_error(pc->error));
	else
		c->answer->low_watermark = pc->log_start;
	pending_release(c->pending);
}

static void
cut(struct pending *p, struct topic_partition *tp, int64_t offset,
    struct wire_delete_records_response_partition *to)
{
	struct cut *c = request_alloc(p->request, sizeof *c);

	*c = (struct cut){ .cut = { .offset = offset, .done = cut_done }, .pending = p, .answer = to };
	pending_hold(p);
	if (partition_cut_front(tp->log, &c->cut))
		cut_done(&c->cut);
}

static void
cut_topic(struct pending *p, const struct wire_delete_records_request_topic *from,
    struct wire_delete_records_response_topic *to)
{
	struct request *r = p->request;
	struct topic *t = topics_find(r->api, from->name);

	wire_delete_records_response_topic_default(to);
	to->name = from->name;
	to->n_partitions = from->n_partitions;
	to->partitions = request_array(r, from->n_partitions, sizeof *to->partitions);
	for (size_t i = 0; i < from->n_partitions; i++) {
		struct wire_delete_records_response_partition *answer = &to->partitions[i];
		struct topic_partition *tp = topic_partition(t, from->partitions[i].partition_index);

		wire_delete_records_response_partition_default(answer);
		answer->partition_index = from->partitions[i].partition_index;
		if (tp == NULL)
			set_error(answer, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
		else if ((t->config.cleanup_policy & CLEANUP_DELETE) == 0)
			/* Of a compacted topic readers expect the last record of every key. */
			set_error(answer, KAFKA_POLICY_VIOLATION);
		else
			cut(p, tp, from->partitions[i].offset, answer);
	}
}

/* timeout_ms is not needed: what can be waited for is one write. */
void
delete_records_run(struct request *r)
{
	const struct wire_delete_records_request *q = r->message;
	struct wire_delete_records_response *response;
	struct pending *p;
	size_t n = q->n_topics;

	for (size_t i = 0; i < q->n_topics; i++)
		n += q->topics[i].n_partitions;
	if (pending_refused(r, n))
		return;
	response = request_alloc(r, sizeof *response);
	wire_delete_records_response_default(response);
	response->n_topics = q->n_topics;
	response->topics = request_array(r, q->n_topics, sizeof *response->topics);
	p = pending_begin(r, response);
	for (size_t i = 0; i < q->n_topics; i++)
		cut_topic(p, &q->topics[i], &response->topics[i]);
	pending_release(p);
}
