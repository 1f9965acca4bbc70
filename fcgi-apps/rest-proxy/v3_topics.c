/* v3_topics.c -- topics, their settings, partitions and replicas of the v3 interface. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/problem.h"
#include "rest-proxy/v3.h"

/* ---- topics ---- */

/* Kafka's own topics. */
static bool
is_internal(const char *topic)
{
	return strcmp(topic, "__consumer_offsets") == 0 || strcmp(topic, "__transaction_state") == 0;
}

static const char *
topic_path(struct v3 *v, const char *topic)
{
	return v3_path(v, "/topics/%s", v3_segment(v, topic));
}

static void
put_topic(struct v3 *v, const char *name, size_t replicas, size_t partitions)
{
	const char *path = topic_path(v, name);

	v3_item(v, "KafkaTopic", path, v3_path(v, "/topic=%s", name));
	v3_str(v, "topic_name", name);
	v3_bool(v, "is_internal", is_internal(name));
	v3_int(v, "replication_factor", (int64_t)replicas);
	v3_int(v, "partitions_count", (int64_t)partitions);
	v3_related(v, "partitions", v3_path(v, "%s/partitions", path));
	v3_related(v, "configs", v3_path(v, "%s/configs", path));
	v3_related(v, "partition_reassignments", v3_path(v, "%s/partitions/-/reassignment", path));
	json_key(&v->out, "authorized_operations");
	json_open(&v->out, '[');
	json_close(&v->out, ']');
	v3_close(v);
}

static void
put_described(struct v3 *v, const struct weir_topic *t)
{
	put_topic(v, t->name, t->n_partitions == 0 ? 0 : t->partitions[0].n_replicas, t->n_partitions);
}

void
v3_topics(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_cluster c;
	struct v3 v;

	if (!v3_begin(&v, app, q, r, true, &c))
		return;
	v3_list(&v, "KafkaTopicList", "/topics", NULL);
	for (size_t i = 0; i < c.n_topics; i++)
		put_described(&v, &c.topics[i]);
	v3_close_list(&v);
}

/* The topic of the path, with the cluster's id compared; NULL with the response made. */
static const struct weir_topic *
begin_topic(struct v3 *v, struct app *app, struct http_request *q, struct http_response *r, struct weir_cluster *c)
{
	struct weir_error why;

	if (!v3_begin(v, app, q, r, false, c))
		return NULL;
	if (weir_describe_topic(app->admin, q->arena, app_text(q, 1), app->request_timeout_ms, c, &why))
		return &c->topics[0];
	app_kafka_problem(r, &why);
	return NULL;
}

/* The same for what lies below a topic, which tells otherwise of another cluster. */
static const struct weir_topic *
begin_below(struct v3 *v, struct app *app, struct http_request *q, struct http_response *r, struct weir_cluster *c)
{
	const struct weir_topic *t = begin_topic(v, app, q, r, c);

	if (t == NULL && r->status == 404 && !v->known)
		problem_answer(r, r->type, &problem_not_found);
	return t;
}

void
v3_topic(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_cluster c;
	struct v3 v;
	const struct weir_topic *t = begin_topic(&v, app, q, r, &c);

	if (t != NULL)
		put_described(&v, t);
}

void
v3_delete_topic(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_cluster c;
	struct weir_error why;
	struct v3 v;

	if (!v3_begin(&v, app, q, r, false, &c))
		return;
	if (!weir_delete_topic(app->admin, app_text(q, 1), app->request_timeout_ms, &why)) {
		app_kafka_problem(r, &why);
		return;
	}
	r->status = 204;
	r->type = NULL;
}

/* ---- creation ---- */

/* What a body asks for; what it points to is in the arena. */
struct creation {
	struct weir_new_topic topic;
	int32_t **assignments;
	size_t *n_assigned;
	struct weir_setting *configs;
};

static bool
wrong(struct http_response *r, const char *text)
{
	problem_answer(r, r->type, &problem_bad_request, text);
	return false;
}

static char *
copy_text(struct http_request *q, struct span s)
{
	char *text = arena_alloc(q->arena, s.n + 1);

	if (text != NULL && s.n > 0)
		memcpy(text, s.p, s.n);
	return text;
}

static bool
read_number(struct http_response *r, const struct json *body, const char *name, int64_t least, int64_t most, int64_t *out)
{
	const struct json *v = json_get(body, name);
	char text[96];

	if (json_is_absent(v))
		return true;
	if (json_is_int(v, out) && *out >= least && *out <= most)
		return true;
	snprintf(text, sizeof text, "%s must be a whole number", name);
	return wrong(r, text);
}

static bool
read_configs(struct http_request *q, struct http_response *r, const struct json *body, struct creation *c)
{
	const struct json *v = json_get(body, "configs");

	if (json_is_absent(v))
		return true;
	if (v->kind != JSON_ARRAY || (c->configs = arena_array(q->arena, v->n + 1, sizeof *c->configs)) == NULL)
		return wrong(r, "configs must be an array of objects with name and value");
	for (const struct json *e = v->first; e != NULL; e = e->next) {
		const struct json *name = json_get(e, "name"), *value = json_get(e, "value");
		struct weir_setting *to = &c->configs[c->topic.n_configs];

		if (!json_is_kind(name, JSON_STRING))
			return wrong(r, "configs must be an array of objects with name and value");
		/* A value that is null is the default. */
		if (json_is_absent(value))
			continue;
		if (value->kind == JSON_ARRAY || value->kind == JSON_OBJECT)
			return wrong(r, "configs must be an array of objects with name and value");
		*to = (struct weir_setting){ copy_text(q, name->text), copy_text(q, value->text) };
		if (to->key == NULL || to->value == NULL)
			return wrong(r, "the request is too large");
		c->topic.n_configs++;
	}
	c->topic.configs = c->configs;
	return true;
}

/* {"0":[1,2],"1":[2,3]}: each partition's replicas, under its number. */
static bool
read_assignments(struct http_request *q, struct http_response *r, const struct json *body, struct creation *c)
{
	const struct json *v = json_get(body, "replicas_assignments");

	if (json_is_absent(v) || (v->kind == JSON_OBJECT && v->n == 0))
		return true;
	c->assignments = arena_array(q->arena, v->n, sizeof *c->assignments);
	c->n_assigned = arena_array(q->arena, v->n, sizeof *c->n_assigned);
	if (v->kind != JSON_OBJECT || c->assignments == NULL || c->n_assigned == NULL)
		return wrong(r, "replicas_assignments must be an object of arrays of broker ids");
	for (const struct json *e = v->first; e != NULL; e = e->next) {
		char digits[12] = "", *end;
		long id;
		size_t n = 0;

		memcpy(digits, e->name.p, e->name.n < sizeof digits ? e->name.n : 0);
		id = strtol(digits, &end, 10);
		if (digits[0] == '\0' || *end != '\0' || id < 0 || (size_t)id >= v->n || c->assignments[id] != NULL ||
		    e->kind != JSON_ARRAY || (c->assignments[id] = arena_array(q->arena, e->n + 1, sizeof(int32_t))) == NULL)
			return wrong(r, "replicas_assignments must be an object of arrays of broker ids");
		for (const struct json *b = e->first; b != NULL; b = b->next) {
			int64_t broker;

			if (!json_is_int(b, &broker) || broker < 0 || broker > INT32_MAX)
				return wrong(r, "replicas_assignments must be an object of arrays of broker ids");
			c->assignments[id][n++] = (int32_t)broker;
		}
		c->n_assigned[id] = n;
	}
	c->topic.partitions = (int32_t)v->n;
	c->topic.assignments = (const int32_t *const *)c->assignments;
	c->topic.n_assigned = c->n_assigned;
	return true;
}

static bool
read_creation(struct http_request *q, struct http_response *r, struct creation *c)
{
	static const char *const known[] = { "topic_name", "partitions_count", "replication_factor",
		"replicas_assignments", "configs", "validate_only", NULL };
	const struct json *body = app_body(q, r, PROXY_PAYLOAD, "Request body is empty. Data is required.");
	const struct json *name = json_get(body, "topic_name");
	int64_t partitions = -1, replicas = -1;

	*c = (struct creation){ .topic = { .name = "" } };
	if (body == NULL || !app_known_fields(r, body, known))
		return false;
	if (!json_is_kind(name, JSON_STRING) || name->text.n == 0 || (c->topic.name = copy_text(q, name->text)) == NULL ||
	    strlen(c->topic.name) != name->text.n || !weir_is_topic_name(c->topic.name)) {
		app_problem(r, PROXY_PAYLOAD, "Invalid topic name.");
		return false;
	}
	if (!read_number(r, body, "partitions_count", INT32_MIN, INT32_MAX, &partitions) ||
	    !read_number(r, body, "replication_factor", INT16_MIN, INT16_MAX, &replicas))
		return false;
	c->topic.partitions = (int32_t)partitions;
	c->topic.replication_factor = (int16_t)replicas;
	c->topic.validate_only = json_is_kind(json_get(body, "validate_only"), JSON_TRUE);
	return read_configs(q, r, body, c) && read_assignments(q, r, body, c);
}

static void
answer_created(struct v3 *v, const struct creation *c)
{
	const struct weir_new_topic *t = &c->topic;
	struct weir_cluster now;
	struct weir_error why;

	/* The broker's defaults are not in its answer: it is asked what they led to. */
	if (!t->validate_only && (t->partitions < 0 || t->replication_factor < 0) &&
	    weir_describe_topic(v->app->admin, v->request->arena, t->name, v->app->request_timeout_ms, &now, &why))
		put_described(v, &now.topics[0]);
	else
		put_topic(v, t->name,
		    t->assignments != NULL ? t->n_assigned[0] : t->replication_factor < 0 ? 0 : (size_t)t->replication_factor,
		    t->partitions < 0 ? 0 : (size_t)t->partitions);
	v->response->status = t->validate_only ? 200 : 201;
	if (!t->validate_only)
		http_header(v->response, "Location", span_str(v3_url(v, topic_path(v, t->name))));
}

void
v3_create_topic(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_cluster cluster;
	struct weir_error why;
	struct creation c;
	struct v3 v;

	if (!v3_begin(&v, app, q, r, false, &cluster) || !read_creation(q, r, &c))
		return;
	if (weir_create_topic(app->admin, &c.topic, app->request_timeout_ms, &why))
		answer_created(&v, &c);
	else if (why.kind == WEIR_TOPIC_EXISTS)
		app_problem(r, PROXY_KAFKA_BAD_REQUEST, v3_path(&v, "Topic '%s' already exists.", c.topic.name));
	else
		app_kafka_problem(r, &why);
}

void
v3_update_topic(struct app *app, struct http_request *q, struct http_response *r)
{
	static const char *const known[] = { "partitions_count", NULL };
	const struct json *body;
	const struct weir_topic *t;
	struct weir_cluster c;
	struct weir_error why;
	int64_t count = -1;
	struct v3 v;

	if ((body = app_body(q, r, PROXY_PAYLOAD, "Request body is empty. Partitions_count is required.")) == NULL ||
	    !app_known_fields(r, body, known) || !read_number(r, body, "partitions_count", INT32_MIN, INT32_MAX, &count) ||
	    begin_topic(&v, app, q, r, &c) == NULL)
		return;
	if (json_get(body, "partitions_count") == NULL)
		app_problem(r, PROXY_PAYLOAD, "Request body is empty. Partitions_count is required.");
	else if (!weir_create_partitions(app->admin, app_text(q, 1), (int32_t)count, app->request_timeout_ms, &why))
		app_kafka_problem(r, &why);
	else if ((t = begin_topic(&v, app, q, r, &c)) != NULL)
		put_described(&v, t);
}

/* ---- settings ---- */

static void
put_synonyms(struct v3 *v, const struct weir_config_entry *e)
{
	json_key(&v->out, "synonyms");
	json_open(&v->out, '[');
	for (size_t i = 0; i < e->n_synonyms; i++) {
		json_open(&v->out, '{');
		v3_str(v, "name", e->synonyms[i].name);
		v3_str(v, "value", e->synonyms[i].value);
		v3_str(v, "source", e->synonyms[i].source);
		json_close(&v->out, '}');
	}
	json_close(&v->out, ']');
}

static void
put_config(struct v3 *v, const char *topic, const struct weir_config_entry *e)
{
	v3_item(v, "KafkaTopicConfig", v3_path(v, "%s/configs/%s", topic_path(v, topic), v3_segment(v, e->name)),
	    v3_path(v, "/topic=%s/config=%s", topic, e->name));
	v3_str(v, "topic_name", topic);
	v3_str(v, "name", e->name);
	v3_str(v, "value", e->value);
	v3_bool(v, "is_default", e->is_default);
	v3_bool(v, "is_read_only", e->is_read_only);
	v3_bool(v, "is_sensitive", e->is_sensitive);
	v3_str(v, "source", e->source);
	put_synonyms(v, e);
	v3_close(v);
}

/* The settings of the path's topic; false with the response made. */
static bool
begin_configs(struct v3 *v, struct app *app, struct http_request *q, struct http_response *r,
    struct weir_config_entry **list, size_t *n)
{
	struct weir_cluster c;
	struct weir_error why;

	if (begin_below(v, app, q, r, &c) == NULL)
		return false;
	if (weir_describe_topic_configs(app->admin, q->arena, app_text(q, 1), app->request_timeout_ms, list, n, &why))
		return true;
	app_kafka_problem(r, &why);
	return false;
}

void
v3_topic_configs(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_config_entry *list;
	const char *topic;
	struct v3 v;
	size_t n;

	if (!begin_configs(&v, app, q, r, &list, &n))
		return;
	topic = app_text(q, 1);
	v3_list(&v, "KafkaTopicConfigList", v3_path(&v, "%s/configs", topic_path(&v, topic)), NULL);
	for (size_t i = 0; i < n; i++)
		put_config(&v, topic, &list[i]);
	v3_close_list(&v);
}

void
v3_topic_config(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_config_entry *list;
	struct v3 v;
	size_t n;

	if (!begin_configs(&v, app, q, r, &list, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (span_is(q->args[2], list[i].name)) {
			put_config(&v, app_text(q, 1), &list[i]);
			return;
		}
	app_problem(r, PROXY_NOT_FOUND, v3_path(&v, "Config %s cannot be found for TOPIC %s in cluster %s.",
	    app_text(q, 2), app_text(q, 1), v.cluster_id));
}

/* ---- partitions ---- */

static const char *
partition_path(struct v3 *v, const char *topic, int32_t id)
{
	return v3_path(v, "%s/partitions/%d", topic_path(v, topic), (int)id);
}

static void
put_partition(struct v3 *v, const char *topic, const struct weir_partition *p)
{
	const char *path = partition_path(v, topic, p->id);

	v3_item(v, "KafkaPartition", path, v3_path(v, "/topic=%s/partition=%d", topic, (int)p->id));
	v3_str(v, "topic_name", topic);
	v3_int(v, "partition_id", p->id);
	v3_related(v, "leader", p->leader < 0 ? NULL : v3_path(v, "%s/replicas/%d", path, (int)p->leader));
	v3_related(v, "replicas", v3_path(v, "%s/replicas", path));
	v3_related(v, "reassignment", v3_path(v, "%s/reassignment", path));
	v3_close(v);
}

void
v3_partitions(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_cluster c;
	struct v3 v;
	const struct weir_topic *t = begin_below(&v, app, q, r, &c);

	if (t == NULL)
		return;
	v3_list(&v, "KafkaPartitionList", v3_path(&v, "%s/partitions", topic_path(&v, t->name)), NULL);
	for (size_t i = 0; i < t->n_partitions; i++)
		put_partition(&v, t->name, &t->partitions[i]);
	v3_close_list(&v);
}

/* The partition of the path; NULL with the response made. */
static const struct weir_partition *
begin_partition(struct v3 *v, struct app *app, struct http_request *q, struct http_response *r, struct weir_cluster *c)
{
	const struct weir_topic *t;
	int32_t id;

	if (!app_number(q, r, 2, &id) || (t = begin_below(v, app, q, r, c)) == NULL)
		return NULL;
	for (size_t i = 0; i < t->n_partitions; i++)
		if (t->partitions[i].id == id)
			return &t->partitions[i];
	app_problem(r, PROXY_UNKNOWN_TOPIC,
	    v3_path(v, "This server does not host topic-partition %d for topic %s", (int)id, t->name));
	return NULL;
}

void
v3_partition(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_cluster c;
	struct v3 v;
	const struct weir_partition *p = begin_partition(&v, app, q, r, &c);

	if (p != NULL)
		put_partition(&v, c.topics[0].name, p);
}

void
v3_partition_offset(struct app *app, struct http_request *q, struct http_response *r)
{
	struct span type = http_query(q, "offset_type");
	const struct weir_partition *p;
	struct weir_cluster c;
	struct weir_error why;
	int64_t first, end;
	struct v3 v;

	if ((p = begin_partition(&v, app, q, r, &c)) == NULL)
		return;
	if (!span_is(type, "earliest_and_latest"))
		app_problem(r, PROXY_BAD_REQUEST, v3_path(&v, "offset_type:%.*s is invalid", type.p == NULL ? 4 : (int)type.n,
		    type.p == NULL ? "null" : (const char *)type.p));
	else if (!weir_watermarks(app->admin, c.topics[0].name, p->id, app->request_timeout_ms, &first, &end, &why))
		app_kafka_problem(r, &why);
	else {
		const char *topic = c.topics[0].name, *path = partition_path(&v, topic, p->id);

		v3_item(&v, "KafkaPartitionWithOffsets", v3_path(&v, "%s/offset?offset_type=earliest_and_latest", path),
		    v3_path(&v, "/topic=%s/partition=%d/offset_type=earliest_and_latest", topic, (int)p->id));
		v3_str(&v, "topic_name", topic);
		v3_int(&v, "partition_id", p->id);
		v3_int(&v, "earliest_offset", first);
		v3_int(&v, "latest_offset", end);
		v3_related(&v, "leader", p->leader < 0 ? NULL : v3_path(&v, "%s/replicas/%d", path, (int)p->leader));
		v3_related(&v, "replicas", v3_path(&v, "%s/replicas", path));
		v3_related(&v, "reassignment", v3_path(&v, "%s/reassignment", path));
		v3_close(&v);
	}
}

static void
put_replica(struct v3 *v, const char *topic, const struct weir_partition *p, int32_t broker)
{
	v3_item(v, "KafkaReplica", v3_path(v, "%s/replicas/%d", partition_path(v, topic, p->id), (int)broker),
	    v3_path(v, "/topic=%s/partition=%d/replica=%d", topic, (int)p->id, (int)broker));
	v3_str(v, "topic_name", topic);
	v3_int(v, "partition_id", p->id);
	v3_int(v, "broker_id", broker);
	v3_bool(v, "is_leader", broker == p->leader);
	v3_bool(v, "is_in_sync", weir_is_in_sync(p, broker));
	v3_related(v, "broker", v3_path(v, "/brokers/%d", (int)broker));
	v3_close(v);
}

void
v3_replicas(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_cluster c;
	struct v3 v;
	const struct weir_partition *p = begin_partition(&v, app, q, r, &c);

	if (p == NULL)
		return;
	v3_list(&v, "KafkaReplicaList", v3_path(&v, "%s/replicas", partition_path(&v, c.topics[0].name, p->id)), NULL);
	for (size_t i = 0; i < p->n_replicas; i++)
		put_replica(&v, c.topics[0].name, p, p->replicas[i]);
	v3_close_list(&v);
}
