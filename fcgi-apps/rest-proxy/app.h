/*
 * app.h -- the REST proxy as its handlers see it.
 */
#ifndef REST_PROXY_APP_H
#define REST_PROXY_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/http.h"
#include "common/router.h"
#include "json/scan.h"
#include "json/tree.h"
#include "json/write.h"
#include "libweir/admin.h"
#include "libweir/client.h"
#include "libweir/producer.h"

enum proxy_problem {
#define PROBLEM(name, status, code, message) PROXY_##name,
#include "rest-proxy/problems.tbl"
	PROXY_PROBLEMS
};

struct consumers;

struct app {
	struct weir_producer *producer;
	struct weir_admin *admin;
	struct consumers *consumers;
	const char *id;                 /* of this process, or "" */
	const char *authority;          /* of resource names */
	int request_timeout_ms;
	int batch_max;
	int stream_max_ms, stream_grace_ms;
};

extern const struct route app_routes[];

/* What a route gives and takes. */
enum {
	ROUTE_V2 = 1u << 8,       /* application/vnd.kafka.v2+json */
	ROUTE_PRODUCE = 1u << 9,  /* takes records in an embedded format */
	ROUTE_CONSUMER = 1u << 10, /* takes and gives any of the v2 types */
	ROUTE_RECORDS = 1u << 11, /* gives records in an embedded format */
	ROUTE_V3 = 1u << 12       /* application/json */
};

/* The hook before every handler: types of bodies and answers. */
bool app_before(struct app *, const struct route *, struct http_request *, struct http_response *);

/* Answers with one of problems.tbl, with its message's arguments. */
void app_problem(struct http_response *, enum proxy_problem, ...);

/* Answers with what Kafka said. */
void app_kafka_problem(struct http_response *, const struct weir_error *);

/*
 * The HTTP status, the error_code and the text of what Kafka said of a record; v2 tells of what was not
 * there as of a failure that may pass.
 */
struct record_problem {
	int status, code;
};
struct record_problem app_record_problem(const struct weir_error *, bool v2);

/* A path argument as a C string; arena.  "" when memory is used up. */
const char *app_text(const struct http_request *, size_t arg);

/* A path argument as a number; false with the response made: 404. */
bool app_number(const struct http_request *, struct http_response *, size_t arg, int32_t *out);

/* The body as an object; NULL with the response made.  `empty`: what is said of no body (NULL: it may be absent, then an empty object). */
const struct json *app_body(struct http_request *, struct http_response *, enum proxy_problem empty_problem, const char *empty);

/* Whether a body was sent at all. */
bool app_has_body(const struct http_request *);

/* A member that is no known one: answers 422 and returns false. */
bool app_known_fields(struct http_response *, const struct json *, const char *const *names);

/* ---- handlers, by file ---- */

/* v2_metadata.c */
http_handler v2_brokers, v2_topics, v2_topic, v2_partitions, v2_partition, v2_offsets;
/* v2_produce.c */
http_handler v2_produce_topic, v2_produce_partition;
/* v2_consumers.c */
http_handler v2_create, v2_delete, v2_subscribe, v2_subscription, v2_unsubscribe, v2_assign, v2_assignments,
    v2_seek, v2_seek_beginning, v2_seek_end, v2_records, v2_commit, v2_committed;
/* v3_cluster.c */
http_handler v3_clusters, v3_cluster, v3_brokers, v3_broker;
/* v3_topics.c */
http_handler v3_topics, v3_topic, v3_create_topic, v3_delete_topic, v3_update_topic, v3_partitions, v3_partition,
    v3_partition_offset, v3_replicas, v3_topic_configs, v3_topic_config;
/* v3_records.c */
http_handler v3_records, v3_records_batch;
/* health.c */
http_handler health_ready, health_metrics;

#endif
