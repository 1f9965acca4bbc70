/* v2_metadata.c -- brokers, topics and partitions of the v2 interface. */
#include "common/problem.h"
#include "rest-proxy/app.h"

void
v2_brokers(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);
	struct weir_cluster c;
	struct weir_error why;

	if (!weir_describe_cluster(app->admin, q->arena, false, app->request_timeout_ms, &c, &why)) {
		app_kafka_problem(r, &why);
		return;
	}
	json_open(&o, '{');
	json_key(&o, "brokers");
	json_open(&o, '[');
	for (size_t i = 0; i < c.n_brokers; i++)
		json_put_int(&o, c.brokers[i].id);
	json_close(&o, ']');
	json_close(&o, '}');
}

void
v2_topics(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);
	struct weir_cluster c;
	struct weir_error why;

	if (!weir_describe_cluster(app->admin, q->arena, true, app->request_timeout_ms, &c, &why)) {
		app_kafka_problem(r, &why);
		return;
	}
	json_open(&o, '[');
	for (size_t i = 0; i < c.n_topics; i++)
		json_put_str(&o, c.topics[i].name);
	json_close(&o, ']');
}

/* The topic of the path; NULL with the response made. */
static const struct weir_topic *
find_topic(struct app *app, struct http_request *q, struct http_response *r, struct weir_cluster *c)
{
	struct weir_error why;

	if (weir_describe_topic(app->admin, q->arena, app_text(q, 0), app->request_timeout_ms, c, &why))
		return &c->topics[0];
	app_kafka_problem(r, &why);
	return NULL;
}

static void
put_partition(struct json_out *o, const struct weir_partition *p)
{
	json_open(o, '{');
	json_key(o, "partition");
	json_put_int(o, p->id);
	json_key(o, "leader");
	json_put_int(o, p->leader);
	json_key(o, "replicas");
	json_open(o, '[');
	for (size_t i = 0; i < p->n_replicas; i++) {
		json_open(o, '{');
		json_key(o, "broker");
		json_put_int(o, p->replicas[i]);
		json_key(o, "leader");
		json_put_bool(o, p->replicas[i] == p->leader);
		json_key(o, "in_sync");
		json_put_bool(o, weir_is_in_sync(p, p->replicas[i]));
		json_close(o, '}');
	}
	json_close(o, ']');
	json_close(o, '}');
}

static void
put_partitions(struct json_out *o, const struct weir_topic *t)
{
	json_open(o, '[');
	for (size_t i = 0; i < t->n_partitions; i++)
		put_partition(o, &t->partitions[i]);
	json_close(o, ']');
}

void
v2_topic(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);
	struct weir_config_entry *configs;
	const struct weir_topic *t;
	struct weir_cluster c;
	struct weir_error why;
	size_t n;

	if ((t = find_topic(app, q, r, &c)) == NULL)
		return;
	if (!weir_describe_topic_configs(app->admin, q->arena, t->name, app->request_timeout_ms, &configs, &n, &why)) {
		app_kafka_problem(r, &why);
		return;
	}
	json_open(&o, '{');
	json_key(&o, "name");
	json_put_str(&o, t->name);
	json_key(&o, "configs");
	json_open(&o, '{');
	for (size_t i = 0; i < n; i++) {
		json_key_span(&o, span_str(configs[i].name));
		json_put_str(&o, configs[i].value);
	}
	json_close(&o, '}');
	json_key(&o, "partitions");
	put_partitions(&o, t);
	json_close(&o, '}');
}

void
v2_partitions(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);
	struct weir_cluster c;
	const struct weir_topic *t = find_topic(app, q, r, &c);

	if (t != NULL)
		put_partitions(&o, t);
}

/* The partition of the path; NULL with the response made. */
static const struct weir_partition *
find_partition(struct app *app, struct http_request *q, struct http_response *r, struct weir_cluster *c)
{
	const struct weir_topic *t;
	int32_t id;

	if (!app_number(q, r, 1, &id) || (t = find_topic(app, q, r, c)) == NULL)
		return NULL;
	for (size_t i = 0; i < t->n_partitions; i++)
		if (t->partitions[i].id == id)
			return &t->partitions[i];
	app_problem(r, PROXY_PARTITION_NOT_FOUND);
	return NULL;
}

void
v2_partition(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);
	struct weir_cluster c;
	const struct weir_partition *p = find_partition(app, q, r, &c);

	if (p != NULL)
		put_partition(&o, p);
}

void
v2_offsets(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);
	struct weir_cluster c;
	const struct weir_partition *p = find_partition(app, q, r, &c);
	struct weir_error why;
	int64_t first, end;

	if (p == NULL)
		return;
	if (!weir_watermarks(app->admin, c.topics[0].name, p->id, app->request_timeout_ms, &first, &end, &why)) {
		app_kafka_problem(r, &why);
		return;
	}
	json_open(&o, '{');
	json_key(&o, "beginning_offset");
	json_put_int(&o, first);
	json_key(&o, "end_offset");
	json_put_int(&o, end);
	json_close(&o, '}');
}
