/* admin.c -- what a cluster consists of, and how it is changed. */
#include "libweir/admin.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libweir/error.h"

enum { STRANGERS_MAX = 1000 };

/* A handle of librdkafka's, which remembers every topic that it was ever asked for; strangers choose the names. */
struct handle {
	rd_kafka_t *rk;
	size_t calls; /* that use it; under the admin's lock */
};

struct weir_admin {
	pthread_mutex_t lock;
	struct handle *handle; /* the newest; one before it ends with its last call */
	size_t strangers;      /* topics that it was asked for and that are none */
};

struct weir_admin *
weir_admin_new(const struct weir_setting *settings, size_t n, struct weir_error *why)
{
	/* A consumer's handle, since to ask a producer's for a topic may make it. */
	static const struct weir_setting own[] = {
		{ "allow.auto.create.topics", "false" },
		{ "reconnect.backoff.max.ms", "1000" },
	};
	struct weir_admin *a = calloc(1, sizeof *a);
	struct handle *h = calloc(1, sizeof *h);

	if (a == NULL || h == NULL)
		error_say(why, WEIR_NO_MEMORY, "Out of memory");
	else
		h->rk = client_new(RD_KAFKA_CONSUMER, own, sizeof own / sizeof *own, settings, n, NULL, NULL, why);
	if (a == NULL || h == NULL || h->rk == NULL) {
		free(a);
		free(h);
		return NULL;
	}
	a->handle = h;
	pthread_mutex_init(&a->lock, NULL);
	return a;
}

static void
handle_free(struct handle *h)
{
	rd_kafka_destroy(h->rk);
	free(h);
}

void
weir_admin_free(struct weir_admin *a)
{
	if (a == NULL)
		return;
	handle_free(a->handle);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* A new handle in place of the old, which is returned if nobody uses it; without memory that stays.  The lock is held. */
static struct handle *
replace(struct weir_admin *a)
{
	char text[256];
	struct handle *old = a->handle, *made = calloc(1, sizeof *made);
	rd_kafka_conf_t *conf = rd_kafka_conf_dup(rd_kafka_conf(old->rk));

	if (made == NULL || (made->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text)) == NULL) {
		rd_kafka_conf_destroy(conf);
		free(made);
		return NULL;
	}
	a->handle = made;
	a->strangers = 0;
	return old->calls == 0 ? old : NULL;
}

/* The handle for a call. */
static struct handle *
enter(struct weir_admin *a)
{
	struct handle *h, *old = NULL;

	pthread_mutex_lock(&a->lock);
	if (a->strangers >= STRANGERS_MAX)
		old = replace(a);
	h = a->handle;
	h->calls++;
	pthread_mutex_unlock(&a->lock);
	if (old != NULL)
		handle_free(old);
	return h;
}

/* `stranger`: the call asked for a topic that is none. */
static void
leave(struct weir_admin *a, struct handle *h, bool stranger)
{
	bool last;

	pthread_mutex_lock(&a->lock);
	a->strangers += stranger;
	last = --h->calls == 0 && h != a->handle;
	pthread_mutex_unlock(&a->lock);
	if (last)
		handle_free(h);
}

static bool
no_memory(struct weir_error *why)
{
	error_say(why, WEIR_NO_MEMORY, "Out of memory");
	return false;
}

/* ---- metadata ---- */

static int
by_broker(const void *a, const void *b)
{
	const struct weir_broker *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int
by_partition(const void *a, const void *b)
{
	const struct weir_partition *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int
by_topic(const void *a, const void *b)
{
	const struct weir_topic *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static const char *
copy(struct arena *a, const char *s)
{
	return arena_copy(a, s, strlen(s) + 1);
}

static bool
copy_brokers(struct arena *a, const struct rd_kafka_metadata *m, struct weir_cluster *out)
{
	out->brokers = arena_array(a, (size_t)m->broker_cnt, sizeof *out->brokers);
	if (out->brokers == NULL && m->broker_cnt > 0)
		return false;
	for (int i = 0; i < m->broker_cnt; i++) {
		const char *host = copy(a, m->brokers[i].host);

		if (host == NULL)
			return false;
		out->brokers[out->n_brokers++] = (struct weir_broker){ m->brokers[i].id, host, m->brokers[i].port };
	}
	qsort(out->brokers, out->n_brokers, sizeof *out->brokers, by_broker);
	return true;
}

static bool
copy_partition(struct arena *a, const struct rd_kafka_metadata_partition *p, struct weir_partition *out)
{
	*out = (struct weir_partition){ .id = p->id, .leader = p->leader,
		.replicas = arena_copy(a, p->replicas, (size_t)p->replica_cnt * sizeof *p->replicas),
		.in_sync = arena_copy(a, p->isrs, (size_t)p->isr_cnt * sizeof *p->isrs),
		.n_replicas = (size_t)p->replica_cnt, .n_in_sync = (size_t)p->isr_cnt };
	return out->replicas != NULL && out->in_sync != NULL;
}

static bool
copy_topic(struct arena *a, const struct rd_kafka_metadata_topic *t, struct weir_topic *out)
{
	out->name = copy(a, t->topic);
	out->partitions = arena_array(a, (size_t)t->partition_cnt, sizeof *out->partitions);
	if (out->name == NULL || (out->partitions == NULL && t->partition_cnt > 0))
		return false;
	for (int i = 0; i < t->partition_cnt; i++)
		if (!copy_partition(a, &t->partitions[i], &out->partitions[out->n_partitions++]))
			return false;
	qsort(out->partitions, out->n_partitions, sizeof *out->partitions, by_partition);
	return true;
}

static bool
copy_topics(struct arena *a, const struct rd_kafka_metadata *m, struct weir_cluster *out)
{
	out->topics = arena_array(a, (size_t)m->topic_cnt, sizeof *out->topics);
	if (out->topics == NULL && m->topic_cnt > 0)
		return false;
	for (int i = 0; i < m->topic_cnt; i++)
		/* One that is just being made, or was deleted meanwhile, is none. */
		if (m->topics[i].err == RD_KAFKA_RESP_ERR_NO_ERROR &&
		    !copy_topic(a, &m->topics[i], &out->topics[out->n_topics++]))
			return false;
	qsort(out->topics, out->n_topics, sizeof *out->topics, by_topic);
	return true;
}

/* Who the cluster is: the client has learnt it from the metadata that came before. */
static bool
copy_identity(rd_kafka_t *rk, struct arena *a, int timeout_ms, struct weir_cluster *out)
{
	char *id = rd_kafka_clusterid(rk, timeout_ms);

	out->id = id == NULL ? NULL : copy(a, id);
	out->controller = rd_kafka_controllerid(rk, timeout_ms);
	if (id != NULL)
		rd_kafka_mem_free(rk, id);
	return id == NULL || out->id != NULL;
}

static bool
describe(rd_kafka_t *rk, struct arena *a, bool topics, rd_kafka_topic_t *one, int timeout_ms,
    struct weir_cluster *out, struct weir_error *why)
{
	const struct rd_kafka_metadata *m;
	rd_kafka_resp_err_t e;
	bool good;

	*out = (struct weir_cluster){ .controller = -1 };
	if ((e = rd_kafka_metadata(rk, topics && one == NULL, one, &m, timeout_ms)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		error_set(why, e, NULL);
		return false;
	}
	good = copy_identity(rk, a, timeout_ms, out) && copy_brokers(a, m, out) && (!topics || copy_topics(a, m, out));
	if (!good)
		no_memory(why);
	else if (one != NULL && m->topic_cnt == 1 && m->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		error_set(why, m->topics[0].err, NULL);
		good = false;
	} else if (one != NULL && out->n_topics != 1) {
		error_set(why, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, NULL);
		good = false;
	}
	rd_kafka_metadata_destroy(m);
	return good;
}

bool
weir_is_in_sync(const struct weir_partition *p, int32_t broker)
{
	for (size_t i = 0; i < p->n_in_sync; i++)
		if (p->in_sync[i] == broker)
			return true;
	return false;
}

bool
weir_describe_cluster(struct weir_admin *admin, struct arena *a, bool topics, int timeout_ms,
    struct weir_cluster *out, struct weir_error *why)
{
	struct handle *h = enter(admin);
	bool good = describe(h->rk, a, topics, NULL, timeout_ms, out, why);

	leave(admin, h, false);
	return good;
}

bool
weir_describe_topic(struct weir_admin *admin, struct arena *a, const char *topic, int timeout_ms,
    struct weir_cluster *out, struct weir_error *why)
{
	rd_kafka_topic_t *one;
	struct handle *h;
	bool good = false;

	if (!client_check_topic(topic, why))
		return false;
	h = enter(admin);
	if ((one = rd_kafka_topic_new(h->rk, topic, NULL)) == NULL)
		error_set(why, rd_kafka_last_error(), NULL);
	else {
		good = describe(h->rk, a, true, one, timeout_ms, out, why);
		rd_kafka_topic_destroy(one);
	}
	leave(admin, h, !good);
	return good;
}

bool
weir_watermarks(struct weir_admin *admin, const char *topic, int32_t partition, int timeout_ms, int64_t *first,
    int64_t *end, struct weir_error *why)
{
	struct handle *h = enter(admin);
	rd_kafka_resp_err_t e = rd_kafka_query_watermark_offsets(h->rk, topic, partition, first, end, timeout_ms);

	leave(admin, h, e != RD_KAFKA_RESP_ERR_NO_ERROR);
	error_set(why, e, NULL);
	return e == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* ---- admin calls ---- */

/* A call under way: its options, the queue that its answer comes by, the answer. */
struct call {
	struct weir_admin *admin;
	struct handle *handle;
	rd_kafka_AdminOptions_t *options;
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *event; /* NULL until there is one */
};

static struct call
begin(struct weir_admin *admin, int timeout_ms)
{
	struct handle *h = enter(admin);
	struct call c = { admin, h, rd_kafka_AdminOptions_new(h->rk, RD_KAFKA_ADMIN_OP_ANY), rd_kafka_queue_new(h->rk), NULL };
	char text[64];

	rd_kafka_AdminOptions_set_request_timeout(c.options, timeout_ms, text, sizeof text);
	return c;
}

/* Waits for the answer; false with `why` filled when there is none, or the whole call failed. */
static bool
await(struct call *c, int timeout_ms, struct weir_error *why)
{
	c->event = rd_kafka_queue_poll(c->queue, timeout_ms + 1000);
	if (c->event == NULL) {
		error_set(why, RD_KAFKA_RESP_ERR__TIMED_OUT, NULL);
		return false;
	}
	error_set(why, rd_kafka_event_error(c->event), rd_kafka_event_error_string(c->event));
	return why->kind == WEIR_OK;
}

static void
finish(struct call *c)
{
	if (c->event != NULL)
		rd_kafka_event_destroy(c->event);
	rd_kafka_queue_destroy(c->queue);
	rd_kafka_AdminOptions_destroy(c->options);
	leave(c->admin, c->handle, false);
}

static bool
take_topic_result(const rd_kafka_topic_result_t **results, size_t n, struct weir_error *why)
{
	if (n != 1)
		error_say(why, WEIR_FAILED, "The broker gave no result");
	else
		error_set(why, rd_kafka_topic_result_error(results[0]), rd_kafka_topic_result_error_string(results[0]));
	return why->kind == WEIR_OK;
}

/* A new topic with all that was asked for; NULL with `why` filled. */
static rd_kafka_NewTopic_t *
make_new_topic(const struct weir_new_topic *t, struct weir_error *why)
{
	char text[sizeof why->text] = "";
	rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(t->name, t->partitions,
	    t->assignments != NULL ? -1 : t->replication_factor, text, sizeof text);
	rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (int32_t i = 0; made != NULL && t->assignments != NULL && i < t->partitions && !e; i++)
		e = rd_kafka_NewTopic_set_replica_assignment(made, i, (int32_t *)(uintptr_t)t->assignments[i],
		    t->n_assigned[i], text, sizeof text);
	for (size_t i = 0; made != NULL && i < t->n_configs && !e; i++)
		e = rd_kafka_NewTopic_set_config(made, t->configs[i].key, t->configs[i].value);
	if (made != NULL && !e)
		return made;
	error_say(why, WEIR_INVALID, "%s", text[0] != '\0' ? text : rd_kafka_err2str(e));
	if (made != NULL)
		rd_kafka_NewTopic_destroy(made);
	return NULL;
}

bool
weir_create_topic(struct weir_admin *admin, const struct weir_new_topic *t, int timeout_ms, struct weir_error *why)
{
	rd_kafka_NewTopic_t *topic = make_new_topic(t, why);
	const rd_kafka_topic_result_t **results;
	char text[64];
	struct call c;
	bool good;
	size_t n;

	if (topic == NULL)
		return false;
	c = begin(admin, timeout_ms);
	rd_kafka_AdminOptions_set_operation_timeout(c.options, timeout_ms, text, sizeof text);
	if (t->validate_only)
		rd_kafka_AdminOptions_set_validate_only(c.options, 1, text, sizeof text);
	rd_kafka_CreateTopics(c.handle->rk, &topic, 1, c.options, c.queue);
	if ((good = await(&c, timeout_ms, why))) {
		results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(c.event), &n);
		good = take_topic_result(results, n, why);
	}
	rd_kafka_NewTopic_destroy(topic);
	finish(&c);
	return good;
}

bool
weir_delete_topic(struct weir_admin *admin, const char *name, int timeout_ms, struct weir_error *why)
{
	rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
	const rd_kafka_topic_result_t **results;
	struct call c = begin(admin, timeout_ms);
	char text[64];
	bool good;
	size_t n;

	rd_kafka_AdminOptions_set_operation_timeout(c.options, timeout_ms, text, sizeof text);
	rd_kafka_DeleteTopics(c.handle->rk, &topic, 1, c.options, c.queue);
	if ((good = await(&c, timeout_ms, why))) {
		results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(c.event), &n);
		good = take_topic_result(results, n, why);
	}
	rd_kafka_DeleteTopic_destroy(topic);
	finish(&c);
	return good;
}

bool
weir_create_partitions(struct weir_admin *admin, const char *name, int32_t total, int timeout_ms, struct weir_error *why)
{
	char text[sizeof why->text] = "";
	rd_kafka_NewPartitions_t *partitions = total < 1 ? NULL : rd_kafka_NewPartitions_new(name, (size_t)total, text, sizeof text);
	const rd_kafka_topic_result_t **results;
	struct call c;
	bool good;
	size_t n;

	if (partitions == NULL) {
		error_say(why, WEIR_INVALID, "%s", text[0] != '\0' ? text : "Number of partitions must be larger than 0.");
		return false;
	}
	c = begin(admin, timeout_ms);
	rd_kafka_CreatePartitions(c.handle->rk, &partitions, 1, c.options, c.queue);
	if ((good = await(&c, timeout_ms, why))) {
		results = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(c.event), &n);
		good = take_topic_result(results, n, why);
	}
	rd_kafka_NewPartitions_destroy(partitions);
	finish(&c);
	return good;
}

/* ---- settings ---- */

/* Kafka's names of where a setting comes from. */
static const char *
source_name(rd_kafka_ConfigSource_t source)
{
	switch (source) {
	case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG:
		return "DYNAMIC_TOPIC_CONFIG";
	case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_BROKER_CONFIG:
		return "DYNAMIC_BROKER_CONFIG";
	case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER_CONFIG:
		return "DYNAMIC_DEFAULT_BROKER_CONFIG";
	case RD_KAFKA_CONFIG_SOURCE_STATIC_BROKER_CONFIG:
		return "STATIC_BROKER_CONFIG";
	case RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG:
		return "DEFAULT_CONFIG";
	default:
		return "UNKNOWN";
	}
}

static bool
copy_entry(struct arena *a, const rd_kafka_ConfigEntry_t *e, struct weir_config_entry *out)
{
	const rd_kafka_ConfigEntry_t **synonyms;
	const char *value = rd_kafka_ConfigEntry_value(e);
	size_t n = 0;

	*out = (struct weir_config_entry){ .name = copy(a, rd_kafka_ConfigEntry_name(e)),
		.value = value == NULL ? NULL : copy(a, value),
		.source = source_name(rd_kafka_ConfigEntry_source(e)),
		.is_default = rd_kafka_ConfigEntry_is_default(e) == 1,
		.is_read_only = rd_kafka_ConfigEntry_is_read_only(e) == 1,
		.is_sensitive = rd_kafka_ConfigEntry_is_sensitive(e) == 1 };
	if (out->name == NULL || (value != NULL && out->value == NULL))
		return false;
	synonyms = rd_kafka_ConfigEntry_is_synonym(e) ? NULL : rd_kafka_ConfigEntry_synonyms(e, &n);
	if (n > 0 && (out->synonyms = arena_array(a, n, sizeof *out->synonyms)) == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!copy_entry(a, synonyms[i], &out->synonyms[out->n_synonyms++]))
			return false;
	return true;
}

static int
by_name(const void *a, const void *b)
{
	const struct weir_config_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool
copy_entries(struct arena *a, const rd_kafka_ConfigResource_t *resource, struct weir_config_entry **out, size_t *n)
{
	size_t all = 0;
	const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &all);

	*out = arena_array(a, all, sizeof **out);
	if (*out == NULL && all > 0)
		return false;
	for (size_t i = 0; i < all; i++)
		if (!copy_entry(a, entries[i], &(*out)[(*n)++]))
			return false;
	qsort(*out, *n, sizeof **out, by_name);
	return true;
}

bool
weir_describe_topic_configs(struct weir_admin *admin, struct arena *a, const char *topic, int timeout_ms,
    struct weir_config_entry **out, size_t *n, struct weir_error *why)
{
	rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	const rd_kafka_ConfigResource_t **resources;
	struct call c;
	size_t n_resources;
	bool good;

	*out = NULL;
	*n = 0;
	if (resource == NULL) {
		error_set(why, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, NULL);
		return false;
	}
	c = begin(admin, timeout_ms);
	rd_kafka_DescribeConfigs(c.handle->rk, &resource, 1, c.options, c.queue);
	if ((good = await(&c, timeout_ms, why))) {
		resources = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(c.event), &n_resources);
		if (n_resources != 1)
			error_say(why, WEIR_FAILED, "The broker gave no result");
		else
			error_set(why, rd_kafka_ConfigResource_error(resources[0]),
			    rd_kafka_ConfigResource_error_string(resources[0]));
		good = why->kind == WEIR_OK && (copy_entries(a, resources[0], out, n) || no_memory(why));
	}
	rd_kafka_ConfigResource_destroy(resource);
	finish(&c);
	return good;
}
