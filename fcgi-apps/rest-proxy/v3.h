/*
 * v3.h -- the envelopes of the v3 interface: kinds, links, resource names.
 *
 * {"kind":"KafkaTopic","metadata":{"self":URL,"resource_name":CRN},"cluster_id":...,
 * fields..., "partitions":{"related":URL}}
 */
#ifndef REST_PROXY_V3_H
#define REST_PROXY_V3_H

#include "rest-proxy/app.h"

/* An answer in the making. */
struct v3 {
	struct app *app;
	struct http_request *request;
	struct http_response *response;
	struct json_out out;
	const char *cluster_id;
	bool known; /* the path's cluster is this one */
};

/*
 * Asks for the cluster and compares the path's cluster id with it; `topics`: with all topics.  False with
 * the response made: 404, or what Kafka said.
 */
bool v3_begin(struct v3 *, struct app *, struct http_request *, struct http_response *, bool topics,
    struct weir_cluster *);

/*
 * Begins an item, {"kind":...,"metadata":{...},"cluster_id":...; v3_close() ends it.  `path` is what comes behind
 * the cluster in URLs ("/topics/t"), `crn` behind it in resource names ("/topic=t"); both encoded where need be.
 */
void v3_item(struct v3 *, const char *kind, const char *path, const char *crn);
void v3_close(struct v3 *);

/* Begins a list, {"kind":...,"metadata":{...},"data":[; v3_close_list() ends it.  `path` NULL: of clusters. */
void v3_list(struct v3 *, const char *kind, const char *path, const char *crn);
void v3_close_list(struct v3 *);

/* A member that leads elsewhere: {"related":URL}; `path` NULL: null. */
void v3_related(struct v3 *, const char *name, const char *path);

/* The fields of an item. */
void v3_str(struct v3 *, const char *name, const char *value);
void v3_int(struct v3 *, const char *name, int64_t value);
void v3_bool(struct v3 *, const char *name, bool value);

/* A printf into the request's arena; "" when that is used up.  Segments of paths come from v3_segment(). */
const char *v3_path(struct v3 *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *v3_segment(struct v3 *, const char *name);

/* The URL of a path below the cluster. */
const char *v3_url(struct v3 *, const char *path);

#endif
