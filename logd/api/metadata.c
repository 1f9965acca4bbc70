/* metadata.c -- Metadata: who the broker is, which topics there are; and making those that are not. */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/named.h"
#include "api/operations.h"
#include "api/topics.h"

enum {
	ALL_BY_EMPTY = 0, TOPIC_ID_VERSION = 10,
	/* Of what is not there, one request makes so many topics; clients ask again for the others. */
	MADE_MAX = 100
};

struct metadata {
	struct request *request;
	struct wire_metadata_response response;
	size_t n_made;  /* topics that were made for this request */
	size_t pending; /* of them: those that are not durable yet */
	int32_t self;
};

static void
fill_partition(struct metadata *m, struct wire_metadata_response_partition *p, int32_t number)
{
	wire_metadata_response_partition_default(p);
	p->partition_index = number;
	p->leader_id = m->self;
	p->replica_nodes = p->isr_nodes = &m->self;
	p->n_replica_nodes = p->n_isr_nodes = 1;
}

static void
fill_topic(struct metadata *m, struct wire_metadata_response_topic *to, const struct topic *t)
{
	struct request *r = m->request;
	const struct wire_metadata_request *q = r->message;

	to->name = t->name;
	memcpy(to->topic_id, t->id, sizeof to->topic_id);
	if (q->include_topic_authorized_operations)
		to->topic_authorized_operations = OPERATIONS_ON_TOPIC;
	to->n_partitions = (size_t)t->n_partitions;
	to->partitions = request_array(r, to->n_partitions, sizeof *to->partitions);
	for (int32_t i = 0; i < t->n_partitions; i++) {
		struct wire_metadata_response_partition *p = &to->partitions[i];

		fill_partition(m, p, i);
		p->leader_epoch = partition_leader_epoch(t->partitions[i]->log);
		if (!partition_online(t->partitions[i]->log))
			p->error_code = KAFKA_KAFKA_STORAGE_ERROR;
	}
}

static void
answer(struct metadata *m)
{
	request_reply(m->request, &m->response);
}

/* A topic that is made for this request, and what is answered of it. */
struct making {
	struct append append;
	struct metadata *metadata;
	struct wire_metadata_response_topic *answer;
};

static void
made(struct append *a)
{
	struct making *making = container_of(a, struct making, append);
	struct metadata *m = making->metadata;

	if (a->error != STORE_OK) {
		making->answer->error_code = (int16_t)request_error(a->error);
		making->answer->n_partitions = 0;
	}
	if (--m->pending == 0)
		answer(m);
	request_release(m->request);
}

/* Makes a topic that a client asked for and that is not there. */
static struct topic *
create(struct metadata *m, struct span name, struct wire_metadata_response_topic *to,
    enum kafka_error *error)
{
	struct request *r = m->request;
	struct api *api = r->api;
	struct topic_config config;
	struct making *making;
	struct topic *t;
	char why[512];

	*error = topics_check_name(api, name, why, sizeof why);
	if (*error == KAFKA_NONE && m->n_made == MADE_MAX)
		*error = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	if (*error == KAFKA_NONE)
		*error = topics_check_replicas(api, -1, why, sizeof why);
	if (*error != KAFKA_NONE)
		return NULL;
	topics_tell_replicas(api, name, -1);
	m->n_made++;
	topic_config_init(&config, api->config.topic_defaults);
	making = request_alloc(r, sizeof *making);
	*making = (struct making){ .append = { .done = made }, .metadata = m, .answer = to };
	if (!topics_create(api, name, api->config.num_partitions, &config, &making->append, &t)) {
		m->pending++;
		request_hold(r);
	}
	*error = request_error(making->append.error);
	topic_config_done(&config);
	return t;
}

static bool
has_id(const struct wire_metadata_request_topic *asked)
{
	static const uint8_t zero[16];

	return memcmp(asked->topic_id, zero, sizeof zero) != 0;
}

static struct span
named_by(const struct request *r, const struct wire_metadata_request_topic *asked)
{
	return r->version >= TOPIC_ID_VERSION && has_id(asked) ?
	    span_of(asked->topic_id, sizeof asked->topic_id) : asked->name;
}

static void
find_topic(struct metadata *m, const struct wire_metadata_request_topic *asked,
    struct wire_metadata_response_topic *to)
{
	struct request *r = m->request;
	const struct wire_metadata_request *q = r->message;
	bool may_create = r->api->config.auto_create_topics_enable && q->allow_auto_topic_creation;
	bool by_id = r->version >= TOPIC_ID_VERSION && has_id(asked);
	struct topic *t = by_id ? topics_find_id(r->api, asked->topic_id) :
	    asked->name.p == NULL ? NULL : topics_find(r->api, asked->name);
	enum kafka_error error = by_id ? KAFKA_UNKNOWN_TOPIC_ID : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;

	wire_metadata_response_topic_default(to);
	memcpy(to->topic_id, asked->topic_id, sizeof to->topic_id);
	/* Before version 12 a name can't be null. */
	to->name = asked->name.p == NULL && r->version < 12 ? span_str("") : asked->name;
	if (t == NULL && !by_id && !topic_name_legal(asked->name))
		error = KAFKA_INVALID_TOPIC_EXCEPTION;
	else if (t == NULL && !by_id && may_create)
		t = create(m, asked->name, to, &error);
	if (t == NULL)
		to->error_code = (int16_t)error;
	else
		fill_topic(m, to, t);
}

static void
all_topics(struct metadata *m)
{
	struct request *r = m->request;
	size_t n, i;
	struct topic **topics = topics_sorted(r->api, &n);

	m->response.n_topics = n;
	m->response.topics = request_array(r, n, sizeof *m->response.topics);
	for (i = 0; i < n; i++) {
		wire_metadata_response_topic_default(&m->response.topics[i]);
		fill_topic(m, &m->response.topics[i], topics[i]);
	}
	free(topics);
}

static void
named_topics(struct metadata *m)
{
	struct request *r = m->request;
	const struct wire_metadata_request *q = r->message;
	struct named names;

	named_init(&names, r);
	m->response.topics = request_array(r, q->n_topics, sizeof *m->response.topics);
	for (size_t i = 0; i < q->n_topics; i++)
		if (!named_before(&names, named_by(r, &q->topics[i])))
			find_topic(m, &q->topics[i], &m->response.topics[m->response.n_topics++]);
	named_done(&names);
}

void
metadata_run(struct request *r)
{
	const struct wire_metadata_request *q = r->message;
	struct metadata *m = request_alloc(r, sizeof *m);
	struct api_listener listener = request_listener(r);
	struct wire_metadata_response_broker *self = request_alloc(r, sizeof *self);

	m->request = r;
	m->self = r->api->config.node_id;
	wire_metadata_response_default(&m->response);
	wire_metadata_response_broker_default(self);
	self->node_id = m->self;
	self->host = span_str(listener.host);
	self->port = listener.port;
	m->response.brokers = self;
	m->response.n_brokers = 1;
	m->response.cluster_id = span_str(r->api->cluster_id);
	m->response.controller_id = m->self;
	if (q->include_cluster_authorized_operations)
		m->response.cluster_authorized_operations = OPERATIONS_ON_CLUSTER;
	if (q->topics == NULL || (r->version == ALL_BY_EMPTY && q->n_topics == 0))
		all_topics(m);
	else
		named_topics(m);
	if (m->pending == 0)
		answer(m);
}
