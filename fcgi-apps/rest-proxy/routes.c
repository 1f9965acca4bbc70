/* routes.c -- the REST proxy's API at a glance: Confluent's v2 and v3. */
#include "common/handlers.h"
#include "rest-proxy/app.h"

#define INSTANCE "/consumers/{group}/instances/{instance}"
#define CLUSTER "/v3/clusters/{cluster}"
#define TOPIC CLUSTER "/topics/{topic}"

const struct route app_routes[] = {
	{ HTTP_GET, "/", handler_root, "v2.root", ROUTE_V2 },
	{ HTTP_POST, "/", handler_root, "v2.root", ROUTE_V2 },
	{ HTTP_GET, "/brokers", v2_brokers, "v2.brokers.list", ROUTE_V2 },
	{ HTTP_GET, "/topics", v2_topics, "v2.topics.list", ROUTE_V2 },
	{ HTTP_GET, "/topics/{topic}", v2_topic, "v2.topics.get", ROUTE_V2 },
	{ HTTP_POST, "/topics/{topic}", v2_produce_topic, "v2.produce-to-topic", ROUTE_V2 | ROUTE_PRODUCE },
	{ HTTP_GET, "/topics/{topic}/partitions", v2_partitions, "v2.partitions.list", ROUTE_V2 },
	{ HTTP_GET, "/topics/{topic}/partitions/{partition}", v2_partition, "v2.partitions.get", ROUTE_V2 },
	{ HTTP_POST, "/topics/{topic}/partitions/{partition}", v2_produce_partition, "v2.produce-to-partition", ROUTE_V2 | ROUTE_PRODUCE },
	{ HTTP_GET, "/topics/{topic}/partitions/{partition}/offsets", v2_offsets, "v2.partitions.offsets", ROUTE_V2 },

	{ HTTP_POST, "/consumers/{group}", v2_create, "v2.consumers.create", ROUTE_V2 | ROUTE_CONSUMER },
	{ HTTP_DELETE, INSTANCE, v2_delete, "v2.consumers.delete", ROUTE_V2 | ROUTE_CONSUMER },
	{ HTTP_POST, INSTANCE "/subscription", v2_subscribe, "v2.consumers.subscribe", ROUTE_V2 | ROUTE_CONSUMER },
	{ HTTP_GET, INSTANCE "/subscription", v2_subscription, "v2.consumers.subscription", ROUTE_V2 | ROUTE_CONSUMER },
	{ HTTP_DELETE, INSTANCE "/subscription", v2_unsubscribe, "v2.consumers.unsubscribe", ROUTE_V2 | ROUTE_CONSUMER },
	{ HTTP_POST, INSTANCE "/assignments", v2_assign, "v2.consumers.assign", ROUTE_V2 | ROUTE_CONSUMER },
	{ HTTP_GET, INSTANCE "/assignments", v2_assignments, "v2.consumers.assignments", ROUTE_V2 | ROUTE_CONSUMER },
	{ HTTP_POST, INSTANCE "/positions", v2_seek, "v2.consumers.seek", ROUTE_V2 | ROUTE_CONSUMER },
	{ HTTP_POST, INSTANCE "/positions/beginning", v2_seek_beginning, "v2.consumers.seek-to-beginning", ROUTE_V2 | ROUTE_CONSUMER },
	{ HTTP_POST, INSTANCE "/positions/end", v2_seek_end, "v2.consumers.seek-to-end", ROUTE_V2 | ROUTE_CONSUMER },
	{ HTTP_GET, INSTANCE "/records", v2_records, "v2.consumers.consume", ROUTE_V2 | ROUTE_CONSUMER | ROUTE_RECORDS },
	{ HTTP_POST, INSTANCE "/offsets", v2_commit, "v2.consumers.commit", ROUTE_V2 | ROUTE_CONSUMER },
	{ HTTP_GET, INSTANCE "/offsets", v2_committed, "v2.consumers.committed", ROUTE_V2 | ROUTE_CONSUMER },

	{ HTTP_GET, "/v3/clusters", v3_clusters, "v3.clusters.list", ROUTE_V3 },
	{ HTTP_GET, CLUSTER, v3_cluster, "v3.clusters.get", ROUTE_V3 },
	{ HTTP_GET, CLUSTER "/brokers", v3_brokers, "v3.brokers.list", ROUTE_V3 },
	{ HTTP_GET, CLUSTER "/brokers/{broker}", v3_broker, "v3.brokers.get", ROUTE_V3 },
	{ HTTP_GET, CLUSTER "/topics", v3_topics, "v3.topics.list", ROUTE_V3 },
	{ HTTP_POST, CLUSTER "/topics", v3_create_topic, "v3.topics.create", ROUTE_V3 },
	{ HTTP_GET, TOPIC, v3_topic, "v3.topics.get", ROUTE_V3 },
	{ HTTP_PATCH, TOPIC, v3_update_topic, "v3.topics.update", ROUTE_V3 },
	{ HTTP_DELETE, TOPIC, v3_delete_topic, "v3.topics.delete", ROUTE_V3 },
	{ HTTP_GET, TOPIC "/configs", v3_topic_configs, "v3.topic-configs.list", ROUTE_V3 },
	{ HTTP_GET, TOPIC "/configs/{name}", v3_topic_config, "v3.topic-configs.get", ROUTE_V3 },
	{ HTTP_GET, TOPIC "/partitions", v3_partitions, "v3.partitions.list", ROUTE_V3 },
	{ HTTP_GET, TOPIC "/partitions/{partition}", v3_partition, "v3.partitions.get", ROUTE_V3 },
	{ HTTP_GET, TOPIC "/partitions/{partition}/offset", v3_partition_offset, "v3.partitions.offset", ROUTE_V3 },
	{ HTTP_GET, TOPIC "/partitions/{partition}/replicas", v3_replicas, "v3.replicas.list", ROUTE_V3 },
	{ HTTP_POST, TOPIC "/records", v3_records, "v3.produce", ROUTE_V3 | ROUTE_STREAM },
	{ HTTP_POST, TOPIC "/records:batch", v3_records_batch, "v3.produce-batch", ROUTE_V3 },

	/* Ours: for those who watch the process. */
	{ HTTP_GET, "/-/healthy", handler_healthy, "healthy", 0 },
	{ HTTP_GET, "/-/ready", health_ready, "ready", 0 },
	{ HTTP_GET, "/-/metrics", health_metrics, "metrics", 0 },
	ROUTES_END
};
