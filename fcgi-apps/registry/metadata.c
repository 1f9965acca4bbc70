/* metadata.c -- what the registry tells of itself: ids, version, health, counters. */
#include <inttypes.h>

#include "common/fcgi.h"
#include "common/handlers.h"
#include "common/problem.h"
#include "registry/app.h"

/* The release of Confluent's registry whose interface this is. */
static const char interface_version[] = "8.0.0";

void
metadata_id(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);

	(void)q;
	json_open(&o, '{');
	json_key(&o, "scope");
	json_open(&o, '{');
	json_key(&o, "path");
	json_open(&o, '[');
	json_close(&o, ']');
	json_key(&o, "clusters");
	json_open(&o, '{');
	json_key(&o, "kafka-cluster");
	json_put_str(&o, log_cluster_id(app->log));
	json_key(&o, "schema-registry-cluster");
	json_put_str(&o, app->group);
	json_close(&o, '}');
	json_close(&o, '}');
	json_key(&o, "id");
	json_put_str(&o, "");
	json_close(&o, '}');
}

void
metadata_version(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);

	(void)app;
	(void)q;
	json_open(&o, '{');
	json_key(&o, "version");
	json_put_str(&o, interface_version);
	json_key(&o, "commitId");
	json_put_str(&o, "weir-" WEIR_VERSION);
	json_close(&o, '}');
}

static struct span
trim(struct span s)
{
	while (s.n > 0 && s.p[0] == ' ')
		s = span_of(s.p + 1, s.n - 1);
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

static void
put_attributes(struct json_out *o, const char *list)
{
	json_key(o, "attributes");
	json_open(o, '[');
	for (const char *at = list; *at != '\0'; at += *at == ',') {
		size_t n = strcspn(at, ",");

		json_put_span(o, trim(span_of(at, n)));
		at += n;
	}
	json_close(o, ']');
}

void
metadata_deployment(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);

	(void)q;
	json_open(&o, '{');
	if (*app->attributes != '\0')
		put_attributes(&o, app->attributes);
	json_close(&o, '}');
}

/* Ready: what is in the topic is known here, or has been once. */
void
metadata_ready(struct app *app, struct http_request *q, struct http_response *r)
{
	if (log_fault(app->log) != NULL)
		app_problem(r, REGISTRY_TOPIC_LOST, log_fault(app->log));
	else if (!atomic_load(&app->ready))
		problem_answer(r, r->type, &problem_unavailable);
	else
		handler_healthy(app, q, r);
}

void
metadata_metrics(struct app *app, struct http_request *q, struct http_response *r)
{
	struct log_counts counts = log_counts(app->log);

	(void)q;
	r->type = "text/plain; version=0.0.4";
	fcgi_metrics(&r->body);
	buf_printf(&r->body,
	    "# HELP weir_registry_topic_offset Records of the topic that were applied.\n"
	    "# TYPE weir_registry_topic_offset gauge\n"
	    "weir_registry_topic_offset %" PRId64 "\n"
	    "# HELP weir_registry_records_skipped_total Records that could not be understood.\n"
	    "# TYPE weir_registry_records_skipped_total counter\n"
	    "weir_registry_records_skipped_total %" PRIu64 "\n"
	    "# HELP weir_registry_writes Whether this process is the one that writes, as far as it knows.\n"
	    "# TYPE weir_registry_writes gauge\n"
	    "weir_registry_writes %d\n"
	    "# HELP weir_registry_takeovers_total How often it became the one that writes.\n"
	    "# TYPE weir_registry_takeovers_total counter\n"
	    "weir_registry_takeovers_total %" PRIu64 "\n"
	    "# HELP weir_registry_transactions_total Transactions that it committed.\n"
	    "# TYPE weir_registry_transactions_total counter\n"
	    "weir_registry_transactions_total %" PRIu64 "\n"
	    "# HELP weir_registry_records_aborted_total Records of aborted transactions that it found in the topic.\n"
	    "# TYPE weir_registry_records_aborted_total counter\n"
	    "weir_registry_records_aborted_total %" PRIu64 "\n",
	    log_applied(app->log), atomic_load(&app->skipped), counts.leads, counts.takeovers, counts.transactions,
	    counts.aborted);
}
