/* topic.c -- the topic `_schemas` itself: whether it is there and fit, or made. */
#include "registry/topic.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/diag.h"
#include "base/monotonic.h"

enum {
	ADMIN_TIMEOUT_MS = 10000,
	RETRY_MS = 200
};

/* One call of the admin interface: its event, or NULL with `why` filled. */
static rd_kafka_event_t *
wait_result(rd_kafka_queue_t *queue, char *why, size_t size)
{
	rd_kafka_event_t *e = rd_kafka_queue_poll(queue, ADMIN_TIMEOUT_MS + 1000);

	if (e != NULL && rd_kafka_event_error(e) == RD_KAFKA_RESP_ERR_NO_ERROR)
		return e;
	snprintf(why, size, "%s", e == NULL ? "no answer in time" : rd_kafka_event_error_string(e));
	if (e != NULL)
		rd_kafka_event_destroy(e);
	return NULL;
}

static rd_kafka_AdminOptions_t *
admin_options(rd_kafka_t *rk)
{
	rd_kafka_AdminOptions_t *o = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_ANY);
	char why[128];

	rd_kafka_AdminOptions_set_request_timeout(o, ADMIN_TIMEOUT_MS, why, sizeof why);
	return o;
}

/* Makes the topic; another process that was faster is fine, too. */
static bool
create_topic(const struct topic *t, int n_brokers, char *why, size_t size)
{
	int replicas = t->replication_factor < n_brokers ? t->replication_factor : n_brokers;
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(t->name, 1, replicas, why, size);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(t->client);
	rd_kafka_AdminOptions_t *options = admin_options(t->client);
	const rd_kafka_topic_result_t **results;
	rd_kafka_event_t *e;
	bool good = false;
	size_t n;

	if (topic != NULL) {
		if (replicas < t->replication_factor)
			diag_warn("the topic is made with fewer replicas than asked for, as there are fewer brokers",
			    "topic=%s replicas=%d asked=%d", t->name, replicas, t->replication_factor);
		rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "compact");
		rd_kafka_CreateTopics(t->client, &topic, 1, options, queue);
		if ((e = wait_result(queue, why, size)) != NULL) {
			results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(e), &n);
			good = n == 1 && (rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_NO_ERROR ||
			    rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
			if (!good)
				snprintf(why, size, "%s", n == 1 ? rd_kafka_topic_result_error_string(results[0]) : "no result");
			rd_kafka_event_destroy(e);
		}
		rd_kafka_NewTopic_destroy(topic);
	}
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(queue);
	return good;
}

/* Whether the topic is compacted, and nothing else: records that are deleted by age would be forgotten. */
static bool
check_policy(const struct topic *t, char *why, size_t size)
{
	rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, t->name);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(t->client);
	rd_kafka_AdminOptions_t *options = admin_options(t->client);
	const rd_kafka_ConfigResource_t **resources;
	const rd_kafka_ConfigEntry_t **entries;
	const char *policy = NULL;
	rd_kafka_event_t *e;
	size_t n;

	rd_kafka_DescribeConfigs(t->client, &resource, 1, options, queue);
	if ((e = wait_result(queue, why, size)) != NULL) {
		resources = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(e), &n);
		entries = n == 0 ? NULL : rd_kafka_ConfigResource_configs(resources[0], &n);
		for (size_t i = 0; i < n && entries != NULL; i++)
			if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "cleanup.policy") == 0)
				policy = rd_kafka_ConfigEntry_value(entries[i]);
		if (policy == NULL || strcmp(policy, "compact") != 0)
			snprintf(why, size,
			    "its cleanup.policy is %s and must be compact, or schemas would be forgotten: alter it",
			    policy == NULL ? "not told" : policy);
		else
			why[0] = '\0';
		rd_kafka_event_destroy(e);
	}
	rd_kafka_ConfigResource_destroy(resource);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(queue);
	return why[0] == '\0';
}

enum topic_state { FOUND, NOT_YET, UNFIT };

/* One look at the topic; makes it when it is not there and that is up to us. */
static enum topic_state
look_at_topic(const struct topic *t, char *why, size_t size)
{
	rd_kafka_topic_t *handle = rd_kafka_topic_new(t->client, t->name, NULL);
	const struct rd_kafka_metadata *m = NULL;
	rd_kafka_resp_err_t r = rd_kafka_metadata(t->client, 0, handle, &m, 2000);
	enum topic_state state = NOT_YET;

	if (r != RD_KAFKA_RESP_ERR_NO_ERROR)
		snprintf(why, size, "%s", rd_kafka_err2str(r));
	else if (m->topics[0].err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && !t->make)
		snprintf(why, size, "the topic is not there yet: a process that writes makes it");
	else if (m->topics[0].err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
		create_topic(t, m->broker_cnt, why, size);
	else if (m->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR)
		snprintf(why, size, "%s", rd_kafka_err2str(m->topics[0].err));
	else if (m->topics[0].partition_cnt != 1) {
		snprintf(why, size, "it has %d partitions and must have one: set another kafkastore.topic",
		    m->topics[0].partition_cnt);
		state = UNFIT;
	} else
		state = FOUND;
	rd_kafka_metadata_destroy(m);
	rd_kafka_topic_destroy(handle);
	return state;
}

bool
topic_find(const struct topic *t, int timeout_ms)
{
	int64_t end = monotonic_ms() + timeout_ms;
	enum topic_state state;
	char why[256] = "";

	while ((state = look_at_topic(t, why, sizeof why)) == NOT_YET && monotonic_ms() < end)
		nanosleep(&(struct timespec){ 0, RETRY_MS * 1000000L }, NULL);
	if (state == FOUND && check_policy(t, why, sizeof why))
		return true;
	diag_error("the registry's topic can't be used", "topic=%s reason=\"%s\"", t->name, why);
	return false;
}
