/* mode.c -- the resources /mode and /mode/{subject}: whether schemas may be registered. */
#include "registry/entity.h"

/* Null: there is none. */
static void
put_mode(struct http_response *r, struct span mode)
{
	struct json_out o = json_out(&r->body);

	json_open(&o, '{');
	if (mode.p != NULL) {
		json_key(&o, "mode");
		json_put_span(&o, mode);
	}
	json_close(&o, '}');
}

/* Above all contexts there is always a default, as there is globally. */
static bool
has_default(struct span subject)
{
	return subject.p == NULL || span_is(subject, ":.__GLOBAL:");
}

void
mode_get(struct app *app, struct http_request *q, struct http_response *r)
{
	struct span subject = app_scope(q);
	bool in_force = http_query_bool(q, "defaultToGlobal");
	struct span mode;

	app_read(app, true);
	mode = in_force ? registry_mode(app->registry, subject) : registry_own_mode(app->registry, subject);
	if (mode.p == NULL && !has_default(subject))
		app_problem(r, REGISTRY_NO_SUBJECT_MODE,
		    arena_printf(q->arena, "%.*s", (int)subject.n, (const char *)subject.p));
	else
		put_mode(r, mode.p != NULL ? mode : span_str("READWRITE"));
	app_read_end(app);
}

static const struct app_words
	put_words = { "Failed to update mode", "Update mode operation timed out", "Failed to update mode", false, false },
	delete_words = { "Failed to delete mode", "Delete mode operation timed out", "Failed to delete mode", false, false };

struct change {
	struct span subject;
	struct mode_request wanted;
	struct http_response *answer; /* of a deletion: what was there, written while the state is held */
};

static bool
plan_put(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	const struct change *c = ctx;

	return registry_plan_put_mode(registry, c->subject, &c->wanted, a, out, why);
}

/* The mode that the body wants; null: none, which unsets it.  False with the response made. */
static bool
take_mode(struct http_response *r, const struct json *body, struct span *out)
{
	const struct json *mode = json_get(body, "mode");
	struct misfit why = { "String", "mode" };

	*out = span_of(NULL, 0);
	if (json_is_absent(mode))
		return true;
	if (mode->kind == JSON_ARRAY || mode->kind == JSON_OBJECT)
		return entity_misfit(r, &why, NULL);
	*out = mode->text.p != NULL ? mode->text : span_str("");
	return true;
}

/* The answer is what was asked for. */
void
mode_put(struct app *app, struct http_request *q, struct http_response *r)
{
	struct change c = { .subject = app_scope(q),
		.wanted = { .force = http_query_bool(q, "force"), .fixed = !app->mode_mutability } };
	const struct json *body = app_body(q, r);
	struct json_out o = json_out(&r->body);
	struct plan plan;

	if (body == NULL || !take_mode(r, body, &c.wanted.mode) || !app_write(app, q, r, &put_words, plan_put, &c, &plan))
		return;
	json_open(&o, '{');
	if (json_get(body, "mode") != NULL) {
		json_key(&o, "mode");
		json_put_span(&o, c.wanted.mode);
	}
	json_close(&o, '}');
}

static bool
plan_delete(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	struct change *c = ctx;
	struct span before = registry_own_mode(registry, c->subject);

	if (!registry_plan_delete_mode(registry, c->subject, &c->wanted, a, out, why))
		return false;
	put_mode(c->answer, before.p != NULL || !has_default(c->subject) ? before : span_str("READWRITE"));
	return true;
}

void
mode_delete(struct app *app, struct http_request *q, struct http_response *r)
{
	struct change c = { .subject = app_scope(q), .answer = r,
		.wanted = { .recursive = http_query_bool(q, "recursive"), .fixed = !app->mode_mutability } };
	struct plan plan;

	app_write(app, q, r, &delete_words, plan_delete, &c, &plan);
}
