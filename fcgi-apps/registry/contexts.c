/* contexts.c -- the resource /contexts: spaces of subjects and ids beside each other. */
#include "registry/app.h"

void
contexts_list(struct app *app, struct http_request *q, struct http_response *r)
{
	struct json_out o = json_out(&r->body);
	struct span prefix = http_query(q, "contextPrefix"), context;
	struct page page;
	size_t it = 0;

	if (!app_page(q, r, &page))
		return;
	app_read(app, true);
	json_open(&o, '[');
	while ((context = registry_next_context(app->registry, &it)).p != NULL)
		if (span_begins(context, prefix) && app_on_page(&page))
			json_put_span(&o, context);
	json_close(&o, ']');
	app_read_end(app);
}

static const struct app_words delete_words = { "Error while deleting context", "Delete context operation timed out",
	"Error while deleting context", false, false };

static bool
plan_delete(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	const struct span *scope = ctx;

	return registry_plan_delete_context(registry, *scope, a, out, why);
}

void
contexts_delete(struct app *app, struct http_request *q, struct http_response *r)
{
	struct span context, scope;
	struct plan plan;

	if (!registry_context_name(q->arena, q->args[0], &context)) {
		app_problem(r, REGISTRY_INVALID_CONTEXT,
		    arena_printf(q->arena, "%.*s", (int)q->args[0].n, (const char *)q->args[0].p));
		return;
	}
	scope = registry_subject(q->arena, context, span_str(""));
	if (!app_write(app, q, r, &delete_words, plan_delete, &scope, &plan))
		return;
	r->status = 204;
	r->type = NULL;
}
