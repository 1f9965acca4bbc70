/* config.c -- the resources /config and /config/{subject}: compatibility levels and what goes with them. */
#include <stdio.h>
#include <string.h>

#include "common/problem.h"
#include "registry/app.h"

/* The fields of a config in the order in which they are told, and what they are in requests. */
static const struct field {
	const char *name;
	enum json_token kind;
	const char *type; /* what Java calls it */
} fields[] = {
	{ "alias", JSON_STRING, "String" },
	{ "aliasForDeks", JSON_STRING, "String" },
	{ "normalize", JSON_TRUE, "Boolean" },
	{ "validateFields", JSON_TRUE, "Boolean" },
	{ "validateNewSchemas", JSON_TRUE, "Boolean" },
	{ "validateRules", JSON_TRUE, "Boolean" },
	{ "compatibilityLevel", JSON_STRING, "String" },
	{ "compatibilityPolicy", JSON_STRING, "String" },
	{ "compatibilityGroup", JSON_STRING, "String" },
	{ "defaultMetadata", JSON_OBJECT, "Metadata" },
	{ "overrideMetadata", JSON_OBJECT, "Metadata" },
	{ "defaultRuleSet", JSON_OBJECT, "RuleSet" },
	{ "overrideRuleSet", JSON_OBJECT, "RuleSet" },
};

/* Writes a config (NULL: nothing is set); the level under the name that the answer has for it, `level` where none is set (NULL: left out). */
static void
put_config(struct http_response *r, const struct json *config, const char *level_field, const char *level)
{
	struct json_out o = json_out(&r->body);

	json_open(&o, '{');
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		bool is_level = strcmp(fields[i].name, "compatibilityLevel") == 0;
		const struct json *v = json_get(config, fields[i].name);

		if (v != NULL && v->kind != JSON_NULL) {
			json_key(&o, is_level ? level_field : fields[i].name);
			json_put_tree(&o, v);
		} else if (is_level && level != NULL) {
			json_key(&o, level_field);
			json_put_str(&o, level);
		}
	}
	json_close(&o, '}');
}

void
config_get(struct app *app, struct http_request *q, struct http_response *r)
{
	struct span subject = app_scope(q);
	bool in_force = http_query_bool(q, "defaultToGlobal");
	const struct json *config;
	enum level level;

	app_read(app, true);
	config = in_force ? registry_config(app->registry, subject) : registry_own_config(app->registry, subject);
	level = in_force ? registry_level(app->registry, subject) : registry_default_level(app->registry);
	if (config == NULL && subject.p != NULL && !in_force)
		app_problem(r, REGISTRY_NO_SUBJECT_COMPATIBILITY,
		    arena_printf(q->arena, "%.*s", (int)subject.n, (const char *)subject.p));
	else
		put_config(r, config, "compatibilityLevel", subject.p == NULL || in_force ? level_name(level) : NULL);
	app_read_end(app);
}

static const struct app_words
	put_words = { "Failed to update compatibility level", "Update compatibility level operation timed out",
		"Failed to update compatibility level", false },
	delete_words = { "Failed to delete compatibility level", "Delete compatibility level operation timed out",
		"Failed to delete compatibility level", false };

/* Whether all that the update sets is of its type; else the response says what is not. */
static bool
check_types(const struct json *update, struct http_response *r)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const struct json *v = json_get(update, fields[i].name);
		char text[128];

		if (v == NULL || v->kind == JSON_NULL || v->kind == fields[i].kind ||
		    (v->kind == JSON_FALSE && fields[i].kind == JSON_TRUE))
			continue;
		snprintf(text, sizeof text, "Cannot deserialize value of type `%s` (field \"%s\")", fields[i].type,
		    fields[i].name);
		problem_answer(r, r->type, &problem_bad_request, text);
		return false;
	}
	return true;
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

void
config_put(struct app *app, struct http_request *q, struct http_response *r)
{
	struct span subject = app_scope(q);
	struct change c = { .subject = subject, .update = app_body(q, r) };
	struct plan plan;

	if (c.update == NULL || !check_types(c.update, r) || !app_write(app, q, r, &put_words, plan_put, &c, &plan))
		return;
	app_read(app, false);
	put_config(r, registry_own_config(app->registry, subject), "compatibility", NULL);
	app_read_end(app);
}

static bool
plan_delete(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	struct change *c = ctx;
	const struct json *before = registry_own_config(registry, c->subject);

	if (!registry_plan_delete_config(registry, c->subject, a, out, why))
		return false;
	put_config(c->answer, before, "compatibilityLevel",
	    c->subject.p == NULL ? level_name(registry_default_level(registry)) : NULL);
	return true;
}

void
config_delete(struct app *app, struct http_request *q, struct http_response *r)
{
	struct change c = { .subject = app_scope(q), .answer = r };
	struct plan plan;

	app_write(app, q, r, &delete_words, plan_delete, &c, &plan);
}
