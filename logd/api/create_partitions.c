/* create_partitions.c -- CreatePartitions: gives topics more of them. */
#include <inttypes.h>
#include <stdio.h>

#include "api/assignment.h"
#include "api/handlers.h"
#include "api/named.h"
#include "api/pending.h"
#include "api/topics.h"

/* Assignments are of the new partitions only. */
static enum kafka_error
check_assignments(struct request *r, const struct topic *t,
    const struct wire_create_partitions_request_topic *asked, char *why, size_t size)
{
	size_t added = (size_t)(asked->count - t->n_partitions);
	struct assignment *all;

	if (asked->n_assignments != added) {
		snprintf(why, size, "There are %zu partitions to be added, but %zu assignments.", added,
		    asked->n_assignments);
		return KAFKA_INVALID_REPLICA_ASSIGNMENT;
	}
	all = request_array(r, added, sizeof *all);
	for (size_t i = 0; i < added; i++)
		all[i] = (struct assignment){ t->n_partitions + (int32_t)i,
			asked->assignments[i].broker_ids, asked->assignments[i].n_broker_ids };
	return assignment_check(r, all, added, t->n_partitions, why, size);
}

static enum kafka_error
check(struct request *r, const struct topic *t,
    const struct wire_create_partitions_request_topic *asked, char *why, size_t size)
{
	if (t == NULL) {
		snprintf(why, size, "There is no topic of this name.");
		return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	}
	if (asked->count <= t->n_partitions || asked->count > TOPIC_PARTITIONS_MAX) {
		snprintf(why, size,
		    "The topic has %" PRId32 " partitions, and their number can only grow, up to %d; %" PRId32 " were asked for.",
		    t->n_partitions, TOPIC_PARTITIONS_MAX, asked->count);
		return KAFKA_INVALID_PARTITIONS;
	}
	return asked->assignments == NULL ? KAFKA_NONE : check_assignments(r, t, asked, why, size);
}

static void
grow(struct pending *p, const struct wire_create_partitions_request_topic *asked, bool twice,
    struct wire_create_partitions_response_result *to)
{
	struct request *r = p->request;
	const struct wire_create_partitions_request *q = r->message;
	struct topic *t = topics_find(r->api, asked->name);
	char why[PENDING_WHY_SIZE] = "The request names this topic more than once.";
	enum kafka_error error = twice ? KAFKA_INVALID_REQUEST : check(r, t, asked, why, sizeof why);

	if (error == KAFKA_NONE)
		error = pending_take_partitions(p, asked->count - t->n_partitions, why, sizeof why);
	wire_create_partitions_response_result_default(to);
	to->name = asked->name;
	pending_outcome(r, error, why, &to->error_code, &to->error_message);
	if (error == KAFKA_NONE && !q->validate_only) {
		struct append *a = pending_append(p, &to->error_code, &to->error_message);

		pending_begun(a, topics_grow(r->api, t, asked->count, a));
	}
}

/* timeout_ms is not needed: what can be waited for is one write. */
void
create_partitions_run(struct request *r)
{
	const struct wire_create_partitions_request *q = r->message;
	struct wire_create_partitions_response *response;
	struct pending *p;
	struct span *names;
	bool *twice;

	if (pending_refused(r, q->n_topics))
		return;
	response = request_alloc(r, sizeof *response);
	wire_create_partitions_response_default(response);
	response->n_results = q->n_topics;
	response->results = request_array(r, q->n_topics, sizeof *response->results);
	names = request_array(r, q->n_topics, sizeof *names);
	for (size_t i = 0; i < q->n_topics; i++)
		names[i] = q->topics[i].name;
	twice = named_twice(r, names, q->n_topics);
	p = pending_begin(r, response);
	for (size_t i = 0; i < q->n_topics; i++)
		grow(p, &q->topics[i], twice[i], &response->results[i]);
	pending_release(p);
}
