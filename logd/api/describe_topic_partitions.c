/*
 * describe_topic_partitions.c -- DescribeTopicPartitions (KIP-966): topics in the
 * order of their names, some partitions at a time.
 *
 * What does not go into one answer is asked for with the cursor of the last.
 */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/named.h"
#include "api/operations.h"
#include "api/topics.h"

struct description {
	struct request *request;
	struct wire_describe_topic_partitions_response response;
	int64_t left; /* partitions that may still be told */
	int32_t self;
};

/* Where the client wants to begin; NULL: at the beginning. */
static const struct wire_describe_topic_partitions_request_cursor *
cursor_of(const struct request *r)
{
	const struct wire_describe_topic_partitions_request *q = r->message;

	return q->cursor;
}

/* topics_sorted() has the same order. */
static int
by_name(const void *a, const void *b)
{
	return span_compare(*(const struct span *)a, *(const struct span *)b);
}

static struct wire_describe_topic_partitions_response_topic *
add_topic(struct description *d, struct span name)
{
	struct wire_describe_topic_partitions_response_topic *to =
	    &d->response.topics[d->response.n_topics++];

	wire_describe_topic_partitions_response_topic_default(to);
	to->name = name;
	return to;
}

static void
fill_partition(struct description *d, struct wire_describe_topic_partitions_response_partition *to,
    const struct topic_partition *tp)
{
	wire_describe_topic_partitions_response_partition_default(to);
	to->partition_index = tp->number;
	to->leader_id = d->self;
	to->leader_epoch = partition_leader_epoch(tp->log);
	to->replica_nodes = to->isr_nodes = &d->self;
	to->n_replica_nodes = to->n_isr_nodes = 1;
	/* None; of null, which the protocol allows, Java's client makes an exception. */
	to->eligible_leader_replicas = to->last_known_elr = wire_empty_array();
	if (!partition_online(tp->log))
		to->error_code = KAFKA_KAFKA_STORAGE_ERROR;
}

static void
stop_before(struct description *d, struct span name, int32_t partition)
{
	d->response.next_cursor = request_alloc(d->request, sizeof *d->response.next_cursor);
	d->response.next_cursor->topic_name = name;
	d->response.next_cursor->partition_index = partition;
}

/* Its partitions from this one on.  False: that was all that goes into the answer. */
static bool
tell_topic(struct description *d, const struct topic *t, int32_t from)
{
	struct wire_describe_topic_partitions_response_topic *to = add_topic(d, t->name);
	int64_t n = t->n_partitions - (int64_t)from;

	n = n < 0 ? 0 : n < d->left ? n : d->left;
	d->left -= n;
	memcpy(to->topic_id, t->id, sizeof to->topic_id);
	to->topic_authorized_operations = OPERATIONS_ON_TOPIC;
	to->n_partitions = (size_t)n;
	to->partitions = request_array(d->request, to->n_partitions, sizeof *to->partitions);
	for (int32_t i = 0; i < n; i++)
		fill_partition(d, &to->partitions[i], t->partitions[from + i]);
	if (n == 0 || from + n == t->n_partitions)
		return true;
	stop_before(d, t->name, (int32_t)(from + n));
	return false;
}

/* The topic of that name, or that there is none.  False: the answer ends here. */
static bool
tell(struct description *d, struct span name, const struct topic *t)
{
	const struct wire_describe_topic_partitions_request_cursor *at = cursor_of(d->request);

	if (at != NULL && span_compare(name, at->topic_name) < 0)
		return true;
	if (d->left == 0) {
		stop_before(d, name, 0);
		return false;
	}
	if (t != NULL)
		return tell_topic(d, t, at != NULL && span_eq(name, at->topic_name) ? at->partition_index : 0);
	add_topic(d, name)->error_code = topic_name_legal(name) ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION :
	    KAFKA_INVALID_TOPIC_EXCEPTION;
	return true;
}

static void
tell_all(struct description *d)
{
	size_t n;
	struct topic **topics = topics_sorted(d->request->api, &n);

	d->response.topics = request_array(d->request, n, sizeof *d->response.topics);
	for (size_t i = 0; i < n && tell(d, topics[i]->name, topics[i]); i++)
		;
	free(topics);
}

/* The names that are asked for, in order, each once. */
static struct span *
names_of(struct request *r, size_t *n)
{
	const struct wire_describe_topic_partitions_request *q = r->message;
	struct span *names = request_array(r, q->n_topics, sizeof *names);
	struct named named;

	*n = 0;
	named_init(&named, r);
	for (size_t i = 0; i < q->n_topics; i++)
		if (!named_before(&named, q->topics[i].name))
			names[(*n)++] = q->topics[i].name;
	named_done(&named);
	if (*n > 1)
		qsort(names, *n, sizeof *names, by_name);
	return names;
}

static void
tell_named(struct description *d)
{
	size_t n;
	struct span *names = names_of(d->request, &n);

	d->response.topics = request_array(d->request, n, sizeof *d->response.topics);
	for (size_t i = 0; i < n && tell(d, names[i], topics_find(d->request->api, names[i])); i++)
		;
}

/* A cursor is at a partition, and at one of the topics that are named. */
static bool
cursor_legal(const struct request *r)
{
	const struct wire_describe_topic_partitions_request *q = r->message;

	if (q->cursor == NULL)
		return true;
	if (q->cursor->partition_index < 0)
		return false;
	for (size_t i = 0; i < q->n_topics; i++)
		if (span_eq(q->topics[i].name, q->cursor->topic_name))
			return true;
	return q->n_topics == 0;
}

static void
refuse(struct description *d)
{
	const struct wire_describe_topic_partitions_request *q = d->request->message;

	d->response.topics = request_array(d->request, q->n_topics, sizeof *d->response.topics);
	for (size_t i = 0; i < q->n_topics; i++)
		add_topic(d, q->topics[i].name)->error_code = KAFKA_INVALID_REQUEST;
}

void
describe_topic_partitions_run(struct request *r)
{
	const struct wire_describe_topic_partitions_request *q = r->message;
	struct description d = { .request = r, .self = r->api->config.node_id };
	int32_t most = r->api->config.max_request_partitions;

	wire_describe_topic_partitions_response_default(&d.response);
	d.left = q->response_partition_limit < most ? q->response_partition_limit : most;
	if (d.left < 1)
		d.left = 1;
	if (!cursor_legal(r))
		refuse(&d);
	else if (q->n_topics == 0)
		tell_all(&d);
	else
		tell_named(&d);
	request_reply(r, &d.response);
}
