/*
 * consumer_group_describe.c -- ConsumerGroupDescribe.
 *
 * Some groups at a time, since each may have very many partitions; so the answer
 * is a copy of what coord shows.
 */
#include "api/group_calls.h"
#include "api/handlers.h"
#include "api/named.h"
#include "api/operations.h"
#include "coord/consumer_groups.h"

enum {
	SLICE = 10000, /* members and partitions at a time, and one group more */
	CONSUMER_MEMBER = 1
};

typedef struct wire_consumer_group_describe_response_member member_answer;
typedef struct wire_consumer_group_describe_response_assignment assignment_answer;

struct description {
	struct request *request;
	struct wire_consumer_group_describe_response response;
	struct span *groups; /* each once */
	size_t n_groups, work;
};

static void
fill_assignment(struct description *d, const struct consumer_partitions *from, size_t n,
    assignment_answer *to)
{
	struct request *r = d->request;

	to->n_topic_partitions = n;
	to->topic_partitions = request_array(r, n, sizeof *to->topic_partitions);
	for (size_t i = 0; i < n; i++) {
		struct wire_consumer_group_describe_response_topic *topic = &to->topic_partitions[i];

		memcpy(topic->topic_id, from[i].topic_id, sizeof topic->topic_id);
		topic->topic_name = request_copy(r, from[i].name);
		topic->n_partitions = from[i].n;
		topic->partitions = request_array(r, from[i].n, sizeof *topic->partitions);
		memcpy(topic->partitions, from[i].numbers, from[i].n * sizeof *topic->partitions);
		d->work += from[i].n;
	}
}

static void
fill_member(struct description *d, const struct consumer_description *from, member_answer *to)
{
	struct request *r = d->request;

	wire_consumer_group_describe_response_member_default(to);
	to->member_id = request_copy(r, from->member_id);
	to->instance_id = request_copy(r, from->instance_id);
	to->rack_id = request_copy(r, from->rack_id);
	to->member_epoch = from->epoch;
	to->client_id = request_copy(r, from->client_id);
	to->client_host = request_copy(r, from->client_host);
	to->n_subscribed_topic_names = from->n_names;
	to->subscribed_topic_names = request_array(r, from->n_names, sizeof *to->subscribed_topic_names);
	for (size_t i = 0; i < from->n_names; i++)
		to->subscribed_topic_names[i] = request_copy(r, from->names[i]);
	to->subscribed_topic_regex = request_copy(r, from->regex);
	fill_assignment(d, from->assignment, from->n_assignment, &to->assignment);
	fill_assignment(d, from->target, from->n_target, &to->target_assignment);
	to->member_type = CONSUMER_MEMBER;
	d->work += 1 + from->n_names;
}

static void
fill_members(struct description *d, struct span group, size_t n,
    struct wire_consumer_group_describe_response_group *to)
{
	struct request *r = d->request;
	struct consumer_description *members = request_array(r, n, sizeof *members);

	to->n_members = groups_consumer_describe_members(r->api->groups, group, members, n);
	to->members = request_array(r, to->n_members, sizeof *to->members);
	for (size_t i = 0; i < to->n_members && !r->full; i++)
		fill_member(d, &members[i], &to->members[i]);
}

static void
fill_group(struct description *d, struct span group,
    struct wire_consumer_group_describe_response_group *to)
{
	struct request *r = d->request;
	const struct wire_consumer_group_describe_request *q = r->message;
	struct consumer_group_description g;

	wire_consumer_group_describe_response_group_default(to);
	to->group_id = group;
	if (groups_consumer_describe(r->api->groups, group, &g)) {
		to->group_epoch = g.epoch;
		to->assignment_epoch = g.assignment_epoch;
		to->assignor_name = span_str(g.assignor);
		fill_members(d, group, g.n_members, to);
	} else {
		to->error_code = KAFKA_GROUP_ID_NOT_FOUND;
		to->error_message = span_str(groups_state(r->api->groups, group) == GROUP_DEAD ?
		    "There is no group of this id." : "The group is of the classic protocol.");
	}
	to->group_state = span_str(group_state_name(g.state));
	if (q->include_authorized_operations)
		to->authorized_operations = OPERATIONS_ON_GROUP;
}

static void
go_on(struct request *r)
{
	struct description *d = r->state;
	size_t *n = &d->response.n_groups;

	for (d->work = 0; d->work < SLICE && *n < d->n_groups && !r->full; ++*n)
		fill_group(d, d->groups[*n], &d->response.groups[*n]);
	group_calls_after(r->api);
	if (*n < d->n_groups && !r->full)
		request_pause(r, go_on);
	else
		request_reply(r, &d->response);
}

void
consumer_group_describe_run(struct request *r)
{
	const struct wire_consumer_group_describe_request *q = r->message;
	struct description *d = request_alloc(r, sizeof *d);
	struct named seen;

	d->request = r;
	wire_consumer_group_describe_response_default(&d->response);
	d->groups = request_array(r, q->n_group_ids, sizeof *d->groups);
	named_init(&seen, r);
	for (size_t i = 0; i < q->n_group_ids; i++)
		if (!named_before(&seen, q->group_ids[i]))
			d->groups[d->n_groups++] = q->group_ids[i];
	named_done(&seen);
	d->response.groups = request_array(r, d->n_groups, sizeof *d->response.groups);
	r->state = d;
	r->gone = request_drop;
	go_on(r);
}
