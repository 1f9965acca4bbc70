/* describe_cluster.c -- DescribeCluster: the one broker that there is. */
#include "api/handlers.h"
#include "api/operations.h"

/* The kinds of endpoints (KIP-919). */
enum { ENDPOINT_BROKERS = 1, ENDPOINT_CONTROLLERS = 2 };

static void
answer_error(struct request *r, int endpoint_type)
{
	RESPONSE(response, describe_cluster);

	/* As Kafka does, the answer says "brokers" where it refuses another type. */
	response.error_code = endpoint_type == ENDPOINT_CONTROLLERS ?
	    KAFKA_MISMATCHED_ENDPOINT_TYPE : KAFKA_UNSUPPORTED_ENDPOINT_TYPE;
	response.error_message = request_printf(r,
	    "This listener is one of brokers (endpoint type %d), but type %d was asked for: connect as to a broker.",
	    ENDPOINT_BROKERS, endpoint_type);
	request_reply(r, &response);
}

void
describe_cluster_run(struct request *r)
{
	const struct wire_describe_cluster_request *q = r->message;
	struct api_listener listener = request_listener(r);
	struct wire_describe_cluster_response_broker self;
	RESPONSE(response, describe_cluster);

	if (q->endpoint_type != ENDPOINT_BROKERS) {
		answer_error(r, q->endpoint_type);
		return;
	}
	wire_describe_cluster_response_broker_default(&self);
	self.broker_id = r->api->config.node_id;
	self.host = span_str(listener.host);
	self.port = listener.port;
	response.brokers = &self;
	response.n_brokers = 1;
	response.controller_id = self.broker_id;
	response.cluster_id = span_str(r->api->cluster_id);
	if (q->include_cluster_authorized_operations)
		response.cluster_authorized_operations = OPERATIONS_ON_CLUSTER;
	request_reply(r, &response);
}
