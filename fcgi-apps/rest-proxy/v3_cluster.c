/* v3_cluster.c -- clusters and brokers of the v3 interface. */
#include "rest-proxy/v3.h"

static void
put_cluster(struct v3 *v, const struct weir_cluster *c)
{
	v3_item(v, "KafkaCluster", "", "");
	v3_related(v, "controller", c->controller < 0 ? NULL : v3_path(v, "/brokers/%d", (int)c->controller));
	v3_related(v, "acls", "/acls");
	v3_related(v, "brokers", "/brokers");
	v3_related(v, "broker_configs", "/broker-configs");
	v3_related(v, "consumer_groups", "/consumer-groups");
	v3_related(v, "topics", "/topics");
	v3_related(v, "partition_reassignments", "/topics/-/partitions/-/reassignment");
	v3_close(v);
}

void
v3_clusters(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_cluster c;
	struct v3 v;

	if (!v3_begin(&v, app, q, r, false, &c))
		return;
	v3_list(&v, "KafkaClusterList", NULL, NULL);
	put_cluster(&v, &c);
	v3_close_list(&v);
}

void
v3_cluster(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_cluster c;
	struct v3 v;

	if (v3_begin(&v, app, q, r, false, &c))
		put_cluster(&v, &c);
}

static void
put_broker(struct v3 *v, const struct weir_broker *b)
{
	const char *path = v3_path(v, "/brokers/%d", (int)b->id);

	v3_item(v, "KafkaBroker", path, v3_path(v, "/broker=%d", (int)b->id));
	v3_int(v, "broker_id", b->id);
	v3_str(v, "host", b->host);
	v3_int(v, "port", b->port);
	v3_str(v, "rack", NULL);
	v3_related(v, "configs", v3_path(v, "%s/configs", path));
	v3_related(v, "partition_replicas", v3_path(v, "%s/partition-replicas", path));
	v3_close(v);
}

void
v3_brokers(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_cluster c;
	struct v3 v;

	if (!v3_begin(&v, app, q, r, false, &c))
		return;
	v3_list(&v, "KafkaBrokerList", "/brokers", NULL);
	for (size_t i = 0; i < c.n_brokers; i++)
		put_broker(&v, &c.brokers[i]);
	v3_close_list(&v);
}

void
v3_broker(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_cluster c;
	struct v3 v;
	int32_t id;

	if (!app_number(q, r, 1, &id) || !v3_begin(&v, app, q, r, false, &c))
		return;
	for (size_t i = 0; i < c.n_brokers; i++)
		if (c.brokers[i].id == id) {
			put_broker(&v, &c.brokers[i]);
			return;
		}
	app_problem(r, PROXY_NOT_FOUND, v3_path(&v, "Broker %d cannot be found.", (int)id));
}
