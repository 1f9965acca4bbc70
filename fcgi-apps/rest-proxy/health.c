/* health.c -- what the process tells those who watch it. */
#include <inttypes.h>

#include "common/fcgi.h"
#include "common/handlers.h"
#include "common/problem.h"
#include "rest-proxy/app.h"
#include "rest-proxy/consumers.h"

/* Ready: a broker answers. */
void
health_ready(struct app *app, struct http_request *q, struct http_response *r)
{
	struct weir_cluster c;
	struct weir_error why;

	if (weir_describe_cluster(app->admin, q->arena, false, 1000, &c, &why))
		handler_healthy(app, q, r);
	else
		problem_answer(r, NULL, &problem_unavailable);
}

void
health_metrics(struct app *app, struct http_request *q, struct http_response *r)
{
	(void)q;
	r->type = "text/plain; version=0.0.4";
	fcgi_metrics(&r->body);
	buf_printf(&r->body,
	    "# HELP weir_proxy_consumer_instances Consumer instances of this process.\n"
	    "# TYPE weir_proxy_consumer_instances gauge\n"
	    "weir_proxy_consumer_instances %zu\n",
	    consumers_count(app->consumers));
}
