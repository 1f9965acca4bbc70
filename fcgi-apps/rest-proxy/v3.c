/* v3.c -- the envelopes of the v3 interface. */
#include "rest-proxy/v3.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
v3_begin(struct v3 *v, struct app *app, struct http_request *q, struct http_response *r, bool topics,
    struct weir_cluster *c)
{
	struct weir_error why;

	*v = (struct v3){ .app = app, .request = q, .response = r, .out = json_out(&r->body), .cluster_id = "" };
	if (!weir_describe_cluster(app->admin, q->arena, topics, app->request_timeout_ms, c, &why)) {
		app_kafka_problem(r, &why);
		return false;
	}
	v->cluster_id = c->id == NULL ? "" : c->id;
	/* Only the list of clusters has no id in its path. */
	if (q->args[0].p != NULL && !span_is(q->args[0], v->cluster_id)) {
		app_problem(r, PROXY_NOT_FOUND, v3_path(v, "Cluster %s cannot be found.", app_text(q, 0)));
		return false;
	}
	v->known = true;
	return true;
}

const char *
v3_path(struct v3 *v, const char *fmt, ...)
{
	char *text = NULL;
	const char *kept = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n >= 0) {
		kept = arena_copy(v->request->arena, text, (size_t)n + 1);
		free(text);
	}
	return kept == NULL ? "" : kept;
}

const char *
v3_segment(struct v3 *v, const char *name)
{
	struct buf b = { 0 };
	const char *kept;

	http_encode(&b, span_str(name));
	buf_u8(&b, '\0');
	kept = b.failed ? NULL : arena_copy(v->request->arena, b.p, b.n);
	buf_done(&b);
	return kept == NULL ? "" : kept;
}

const char *
v3_url(struct v3 *v, const char *path)
{
	const struct http_request *q = v->request;

	return v3_path(v, "%.*s://%.*s/v3/clusters/%s%s", (int)q->scheme.n, (const char *)q->scheme.p, (int)q->host.n,
	    (const char *)q->host.p, v->cluster_id, path);
}

static const char *
resource_name(struct v3 *v, const char *crn)
{
	return v3_path(v, "crn://%s/kafka=%s%s", v->app->authority, v->cluster_id, crn);
}

void
v3_str(struct v3 *v, const char *name, const char *value)
{
	json_key(&v->out, name);
	json_put_str(&v->out, value);
}

void
v3_int(struct v3 *v, const char *name, int64_t value)
{
	json_key(&v->out, name);
	json_put_int(&v->out, value);
}

void
v3_bool(struct v3 *v, const char *name, bool value)
{
	json_key(&v->out, name);
	json_put_bool(&v->out, value);
}

void
v3_item(struct v3 *v, const char *kind, const char *path, const char *crn)
{
	json_open(&v->out, '{');
	v3_str(v, "kind", kind);
	json_key(&v->out, "metadata");
	json_open(&v->out, '{');
	v3_str(v, "self", v3_url(v, path));
	v3_str(v, "resource_name", resource_name(v, crn));
	json_close(&v->out, '}');
	v3_str(v, "cluster_id", v->cluster_id);
}

void
v3_close(struct v3 *v)
{
	json_close(&v->out, '}');
}

void
v3_list(struct v3 *v, const char *kind, const char *path, const char *crn)
{
	const struct http_request *q = v->request;

	json_open(&v->out, '{');
	v3_str(v, "kind", kind);
	json_key(&v->out, "metadata");
	json_open(&v->out, '{');
	v3_str(v, "self", path != NULL ? v3_url(v, path)
				       : v3_path(v, "%.*s://%.*s/v3/clusters", (int)q->scheme.n,
					     (const char *)q->scheme.p, (int)q->host.n, (const char *)q->host.p));
	/* There are no pages. */
	v3_str(v, "next", NULL);
	if (crn != NULL)
		v3_str(v, "resource_name", resource_name(v, crn));
	json_close(&v->out, '}');
	json_key(&v->out, "data");
	json_open(&v->out, '[');
}

void
v3_close_list(struct v3 *v)
{
	json_close(&v->out, ']');
	json_close(&v->out, '}');
}

void
v3_related(struct v3 *v, const char *name, const char *path)
{
	json_key(&v->out, name);
	if (path == NULL) {
		json_put_null(&v->out);
		return;
	}
	json_open(&v->out, '{');
	v3_str(v, "related", v3_url(v, path));
	json_close(&v->out, '}');
}
