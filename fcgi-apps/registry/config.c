/* config.c -- the resources /config and /config/{subject}: compatibility levels and what goes with them. */
#include <string.h>

#include "common/problem.h"
#include "registry/app.h"

/* The fields of a config in the order in which they are told. */
static const char *const fields[] = { "alias", "aliasForDeks", "normalize", "validateFields",
	"validateNewSchemas", "validateRules", "compatibilityLevel", "compatibilityPolicy",
	"compatibilityGroup", "defaultMetadata", "overrideMetadata", "defaultRuleSet", "overrideRuleSet" };

/* Writes a config (NULL: nothing is set); the level under the name that the answer has for it, `level` where none is set (NULL: left out). */
static void
put_config(struct http_response *r, const struct json *config, const char *level_field, const char *level)
{
	struct json_out o = json_out(&r->body);

	json_open(&o, '{');
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		bool is_level = strcmp(fields[i], "compatibilityLevel") == 0;
		const struct json *v = json_get(config, fields[i]);

		if (v != NULL && v->kind != JSON_NULL) {
			json_key(&o, is_level ? level_field : fields[i]);
			json_put_tree(&o, v);
		} else if (is_level && level != NULL) {
			json_key(&o, level_field);
			json_put_str(&o, level);
		}
	}
	json_close(&o, '}');
}

/* ---- what both have in common; `subject` null: the global one ---- */

static void
get(struct app *app, struct http_request *q, struct http_response *r, struct span subject)
{
	bool or_global = http_query_bool(q, "defaultToGlobal");
	const struct json *config;

	app_read(app, true);
	config = registry_config(app->registry, subject);
	if (config == NULL && subject.p != NULL && !or_global)
		app_problem(r, REGISTRY_NO_SUBJECT_COMPATIBILITY,
		    arena_printf(q->arena, "%.*s", (int)subject.n, (const char *)subject.p));
	else {
		if (config == NULL)
			config = registry_config(app->registry, span_of(NULL, 0));
		put_config(r, config, "compatibilityLevel",
		    subject.p == NULL || or_global ? level_name(registry_level(app->registry, subject)) : NULL);
	}
	app_read_end(app);
}

struct change {
	struct span subject;
	const struct json *update;
	struct app *app;
	struct http_response *answer; /* of a deletion: what was there, written while the state is held */
};

static bool
plan_put(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	const struct change *c = ctx;

	return registry_plan_put_config(registry, c->subject, c->update, a, out, why);
}

static void
put(struct app *app, struct http_request *q, struct http_response *r, struct span subject)
{
	struct change c = { .subject = subject, .update = app_body(q, r) };
	struct plan plan;

	if (c.update == NULL || !app_write(app, q, r, "Update config operation", plan_put, &c, &plan))
		return;
	app_read(app, false);
	put_config(r, registry_config(app->registry, subject), "compatibility", NULL);
	app_read_end(app);
}

static bool
plan_delete(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	struct change *c = ctx;
	const struct json *before = registry_config(registry, c->subject);

	if (!registry_plan_delete_config(registry, c->subject, a, out, why))
		return false;
	put_config(c->answer, before, "compatibilityLevel",
	    c->subject.p == NULL ? level_name(registry_level(registry, c->subject)) : NULL);
	return true;
}

static void
delete(struct app *app, struct http_request *q, struct http_response *r, struct span subject)
{
	struct change c = { .subject = subject, .answer = r };
	struct plan plan;

	app_write(app, q, r, "Delete config operation", plan_delete, &c, &plan);
}

/* ---- the handlers ---- */

void
config_get_global(struct app *app, struct http_request *q, struct http_response *r)
{
	get(app, q, r, span_of(NULL, 0));
}

void
config_put_global(struct app *app, struct http_request *q, struct http_response *r)
{
	put(app, q, r, span_of(NULL, 0));
}

void
config_delete_global(struct app *app, struct http_request *q, struct http_response *r)
{
	delete(app, q, r, span_of(NULL, 0));
}

void
config_get(struct app *app, struct http_request *q, struct http_response *r)
{
	get(app, q, r, app_subject(q, 0));
}

void
config_put(struct app *app, struct http_request *q, struct http_response *r)
{
	put(app, q, r, app_subject(q, 0));
}

void
config_delete(struct app *app, struct http_request *q, struct http_response *r)
{
	delete(app, q, r, app_subject(q, 0));
}
