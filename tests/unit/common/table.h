/* table.h -- routes such as the apps have, for tests and the fuzzer. */
#ifndef UNIT_COMMON_TABLE_H
#define UNIT_COMMON_TABLE_H

#include "common/router.h"

/* Tells by its address that it was a route of the table. */
static inline void
table_handler(struct app *app, struct http_request *request, struct http_response *response)
{
	(void)app;
	(void)request;
	(void)response;
}

#define TABLE(method, pattern) { HTTP_##method, pattern, table_handler, pattern, 0 }

static const struct route table_routes[] = {
	TABLE(GET, "/"),
	TABLE(POST, "/"),
	TABLE(GET, "/config"),
	TABLE(PUT, "/config"),
	TABLE(GET, "/config/{subject}"),
	TABLE(PUT, "/config/{subject}"),
	TABLE(DELETE, "/config/{subject}"),
	TABLE(GET, "/subjects"),
	TABLE(POST, "/subjects/{subject}"),
	TABLE(DELETE, "/subjects/{subject}"),
	TABLE(GET, "/subjects/{subject}/versions"),
	TABLE(POST, "/subjects/{subject}/versions"),
	TABLE(GET, "/subjects/{subject}/versions/{version}"),
	TABLE(DELETE, "/subjects/{subject}/versions/{version}"),
	TABLE(GET, "/subjects/{subject}/versions/{version}/schema"),
	TABLE(POST, "/compatibility/subjects/{subject}/versions/"),
	TABLE(POST, "/compatibility/subjects/{subject}/versions/{version}"),
	TABLE(GET, "/schemas/ids/{id}"),
	TABLE(GET, "/schemas/types"),
	TABLE(GET, "/schemas/{kind}/all/of"),
	TABLE(GET, "/topics/{topic}"),
	TABLE(POST, "/topics/{topic}"),
	TABLE(GET, "/topics/{topic}/partitions/{partition}"),
	TABLE(GET, "/v3/clusters/{cluster}/topics/{topic}/configs"),
	TABLE(POST, "/v3/clusters/{cluster}/topics/{topic}/configs:alter"),
	TABLE(GET, "/v3/clusters/{cluster}/topics/-/configs"),
	TABLE(POST, "/v3/clusters/{cluster}/topics/{topic}:alter"),
	TABLE(POST, "/v3/clusters/{cluster}/topics/{topic}:long:alter"),
	TABLE(GET, "/v3/clusters/{cluster}/topics/{topic}"),
	TABLE(POST, "/v3/clusters/{cluster}/topics/fixed:alter"),
	TABLE(POST, "/jobs/{queue}/{job}:go"),
	ROUTES_END
};

#endif
