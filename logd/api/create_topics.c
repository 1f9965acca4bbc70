/* create_topics.c -- CreateTopics. */
#include <inttypes.h>
#include <stdio.h>

#include "api/assignment.h"
#include "api/handlers.h"
#include "api/named.h"
#include "api/pending.h"
#include "api/topics.h"
#include "base/diag.h"

/* The partitions are given one by one, with the brokers that are to hold them. */
static enum kafka_error
check_assignments(struct request *r, const struct wire_create_topics_request_topic *asked,
    char *why, size_t size)
{
	size_t n = asked->n_assignments;
	struct assignment *all = request_array(r, n, sizeof *all);

	for (size_t i = 0; i < n; i++)
		all[i] = (struct assignment){ asked->assignments[i].partition_index,
			asked->assignments[i].broker_ids, asked->assignments[i].n_broker_ids };
	return assignment_check(r, all, n, 0, why, size);
}

static enum kafka_error
check_count(int64_t n_partitions, char *why, size_t size)
{
	if (n_partitions >= 1 && n_partitions <= TOPIC_PARTITIONS_MAX)
		return KAFKA_NONE;
	snprintf(why, size,
	    "The number of partitions must be from 1 to %d, or -1 for the default; it was %" PRId64 ".",
	    TOPIC_PARTITIONS_MAX, n_partitions);
	return KAFKA_INVALID_PARTITIONS;
}

/* How many partitions the topic is to have, from either way of saying it. */
static enum kafka_error
check_numbers(struct request *r, const struct wire_create_topics_request_topic *asked,
    int32_t *n_partitions, char *why, size_t size)
{
	enum kafka_error error;

	*n_partitions = asked->num_partitions;
	if (asked->n_assignments > 0) {
		if (asked->num_partitions != -1 || asked->replication_factor != -1) {
			snprintf(why, size,
			    "Where partitions are assigned to brokers, the numbers of partitions and of replicas must be -1.");
			return KAFKA_INVALID_REQUEST;
		}
		if ((error = check_count((int64_t)asked->n_assignments, why, size)) != KAFKA_NONE)
			return error;
		*n_partitions = (int32_t)asked->n_assignments;
		return check_assignments(r, asked, why, size);
	}
	/* Defaults are asked for since version 4 (KIP-464), and given in any, as Kafka does. */
	if (*n_partitions == -1)
		*n_partitions = r->api->config.num_partitions;
	if ((error = check_count(*n_partitions, why, size)) != KAFKA_NONE)
		return error;
	return topics_check_replicas(r->api, asked->replication_factor, why, size);
}

static enum kafka_error
read_configs(const struct wire_create_topics_request_topic *asked, struct topic_config *config,
    char *why, size_t size)
{
	for (size_t i = 0; i < asked->n_configs; i++)
		if (topic_config_alter(config, TOPIC_CONFIG_SET, asked->configs[i].name,
			asked->configs[i].value, why, size) == -1)
			return KAFKA_INVALID_CONFIG;
	return topic_config_check(config, why, size) == 0 ? KAFKA_NONE : KAFKA_INVALID_CONFIG;
}

/* The settings are copied: the answer may wait longer than they last. */
static void
fill_configs(struct request *r, struct wire_create_topics_response_topic *to,
    const struct topic_config *config)
{
	struct setting_entry e;

	to->configs = request_array(r, TOPIC_PARAMS, sizeof *to->configs);
	for (size_t i = 0; topic_config_entry(config, i, &e); i++) {
		struct wire_create_topics_response_config *c = &to->configs[to->n_configs++];

		wire_create_topics_response_config_default(c);
		c->name = span_str(e.name);
		c->value = request_copy(r, span_str(e.value));
		c->read_only = e.read_only;
		c->config_source = e.source;
	}
}

static void
make(struct pending *p, const struct wire_create_topics_request_topic *asked, int32_t n_partitions,
    const struct topic_config *config, struct wire_create_topics_response_topic *to)
{
	struct append *a = pending_append(p, &to->error_code, &to->error_message);
	char quoted[TOPIC_NAME_MAX * 4 + 8];
	struct topic *t;
	bool over;

	if (config->min_insync_replicas > 1)
		diag_warn("topic takes no records of acks=all", "topic=%s min.insync.replicas=%" PRId32 " replicas=1",
		    diag_quote(quoted, sizeof quoted, asked->name), config->min_insync_replicas);
	over = topics_create(p->request->api, asked->name, n_partitions, config, a, &t);
	if (t != NULL)
		memcpy(to->topic_id, t->id, sizeof to->topic_id);
	pending_begun(a, over);
}

static void
create(struct pending *p, const struct wire_create_topics_request_topic *asked, bool twice,
    struct wire_create_topics_response_topic *to)
{
	struct request *r = p->request;
	const struct wire_create_topics_request *q = r->message;
	char why[PENDING_WHY_SIZE] = "The request names this topic more than once.";
	enum kafka_error error = KAFKA_INVALID_REQUEST;
	struct topic_config config;
	int32_t n_partitions = -1;

	topic_config_init(&config, r->api->config.topic_defaults);
	wire_create_topics_response_topic_default(to);
	to->name = asked->name;
	if (!twice)
		error = topics_check_name(r->api, asked->name, why, sizeof why);
	if (error == KAFKA_NONE)
		error = check_numbers(r, asked, &n_partitions, why, sizeof why);
	if (error == KAFKA_NONE)
		error = read_configs(asked, &config, why, sizeof why);
	if (error == KAFKA_NONE)
		error = pending_take_partitions(p, n_partitions, why, sizeof why);
	pending_outcome(r, error, why, &to->error_code, &to->error_message);
	if (error == KAFKA_NONE) {
		to->num_partitions = n_partitions;
		to->replication_factor = 1;
		fill_configs(r, to, &config);
		if (!q->validate_only) {
			if (asked->n_assignments == 0)
				topics_tell_replicas(r->api, asked->name, asked->replication_factor);
			make(p, asked, n_partitions, &config, to);
		}
	}
	topic_config_done(&config);
}

/* timeout_ms is not needed: what can be waited for is one write. */
void
create_topics_run(struct request *r)
{
	const struct wire_create_topics_request *q = r->message;
	struct wire_create_topics_response *response;
	struct pending *p;
	struct span *names;
	bool *twice;

	if (pending_refused(r, q->n_topics))
		return;
	response = request_alloc(r, sizeof *response);
	wire_create_topics_response_default(response);
	response->n_topics = q->n_topics;
	response->topics = request_array(r, q->n_topics, sizeof *response->topics);
	names = request_array(r, q->n_topics, sizeof *names);
	for (size_t i = 0; i < q->n_topics; i++)
		names[i] = q->topics[i].name;
	twice = named_twice(r, names, q->n_topics);
	p = pending_begin(r, response);
	for (size_t i = 0; i < q->n_topics; i++)
		create(p, &q->topics[i], twice[i], &response->topics[i]);
	pending_release(p);
}
