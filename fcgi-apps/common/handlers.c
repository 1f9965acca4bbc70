/* handlers.c -- answers that all apps give. */
#include "common/handlers.h"

#include "base/buf.h"

void
handler_root(struct app *app, struct http_request *q, struct http_response *r)
{
	(void)app;
	(void)q;
	buf_span(&r->body, span_str("{}"));
}

void
handler_healthy(struct app *app, struct http_request *q, struct http_response *r)
{
	(void)app;
	(void)q;
	r->type = "text/plain";
	buf_span(&r->body, span_str("ok\n"));
}
