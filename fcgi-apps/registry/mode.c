/* mode.c -- the resources /mode and /mode/{subject}: whether schemas may be registered. */
#include "common/problem.h"
#include "registry/app.h"

static void
put_mode(struct http_response *r, struct span mode)
{
	struct json_out o = json_out(&r->body);

	json_open(&o, '{');
	json_key(&o, "mode");
	json_put_span(&o, mode);
	json_close(&o, '}');
}

void
mode_get(struct app *app, struct http_request *q, struct http_response *r)
{
	struct span subject = app_scope(q);
	bool in_force = http_query_bool(q, "defaultToGlobal");
	struct span mode;

	app_read(app, true);
	mode = in_force ? registry_mode(app->registry, subject) : registry_own_mode(app->registry, subject);
	if (mode.p == NULL && subject.p != NULL && !span_is(subject, ":.__GLOBAL:"))
		app_problem(r, REGISTRY_NO_SUBJECT_MODE,
		    arena_printf(q->arena, "%.*s", (int)subject.n, (const char *)subject.p));
	else
		put_mode(r, mode.p != NULL ? mode : span_str("READWRITE"));
	app_read_end(app);
}

static const struct app_words
	put_words = { "Failed to update mode", "Update mode operation timed out", "Failed to update mode", false },
	delete_words = { "Failed to delete mode", "Delete mode operation timed out", "Failed to delete mode", false };

struct change {
	struct span subject, mode;
	bool force;
	struct http_response *answer; /* of a deletion: what was there, written while the state is held */
};

/* What may not be changed at all is refused before anything is looked at. */
static bool
may_change(struct app *app, struct http_response *r)
{
	if (!app->mode_mutability)
		app_problem(r, REGISTRY_NOT_PERMITTED, "Mode changes are not allowed");
	return app->mode_mutability;
}

static bool
plan_put(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	const struct change *c = ctx;

	return registry_plan_put_mode(registry, c->subject, c->mode, c->force, a, out, why);
}

void
mode_put(struct app *app, struct http_request *q, struct http_response *r)
{
	struct span subject = app_scope(q);
	struct change c = { .subject = subject, .force = http_query_bool(q, "force") };
	const struct json *body = app_body(q, r), *mode = json_get(body, "mode");
	struct plan plan;

	if (body == NULL || !may_change(app, r))
		return;
	/* No mode is as wrong as an unknown one. */
	c.mode = json_is_kind(mode, JSON_STRING) ? mode->text : span_str("");
	if (!app_write(app, q, r, &put_words, plan_put, &c, &plan))
		return;
	app_read(app, false);
	put_mode(r, registry_own_mode(app->registry, subject));
	app_read_end(app);
}

static bool
plan_delete(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	struct change *c = ctx;
	struct span before = registry_own_mode(registry, c->subject);

	if (!registry_plan_delete_mode(registry, c->subject, a, out, why))
		return false;
	put_mode(c->answer, before.p != NULL ? before : span_str("READWRITE"));
	return true;
}

void
mode_delete(struct app *app, struct http_request *q, struct http_response *r)
{
	struct change c = { .subject = app_scope(q), .answer = r };
	struct plan plan;

	if (may_change(app, r))
		app_write(app, q, r, &delete_words, plan_delete, &c, &plan);
}
