/* config.c -- the resources /config and /config/{subject}: compatibility levels and what goes with them. */
#include <stdio.h>
#include <string.h>

#include "common/problem.h"
#include "registry/entity.h"

/* The fields of a config in the order in which they are told. */
static const char *const fields[] = { "alias", "aliasForDeks", "normalize", "validateFields", "validateNewSchemas",
	"validateRules", "compatibilityLevel", "compatibilityPolicy", "compatibilityGroup", "defaultMetadata",
	"overrideMetadata", "defaultRuleSet", "overrideRuleSet" };

/* A field of what is told: of one config, or of all that are in force. */
static const struct json *
field_of(struct app *app, struct span subject, const struct json *config, bool in_force, const char *name)
{
	const struct json *v = in_force ? registry_config_field(app->registry, subject, name) : json_get(config, name);

	return json_is_absent(v) || (v->kind == JSON_STRING && v->text.n == 0) ? NULL : v;
}

/* How a config is told: the level under this name, `level` where none is set (NULL: left out). */
struct manner {
	bool in_force;
	const char *level_field, *level;
};

/* Writes a config (NULL: nothing is set). */
static void
put_config(struct app *app, struct http_response *r, struct span subject, const struct json *config,
    const struct manner *how)
{
	struct json_out o = json_out(&r->body);

	json_open(&o, '{');
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		bool is_level = strcmp(fields[i], "compatibilityLevel") == 0;
		const struct json *v = field_of(app, subject, config, how->in_force, fields[i]);

		if (v != NULL) {
			json_key(&o, is_level ? how->level_field : fields[i]);
			json_put_tree(&o, v);
		} else if (is_level && how->level != NULL) {
			json_key(&o, how->level_field);
			json_put_str(&o, how->level);
		}
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
config_get(struct app *app, struct http_request *q, struct http_response *r)
{
	struct span subject = app_scope(q);
	struct manner how = { http_query_bool(q, "defaultToGlobal"), "compatibilityLevel", NULL };
	const struct json *own;

	app_read(app, true);
	own = registry_own_config(app->registry, subject);
	how.level = level_name(how.in_force || own != NULL ? registry_level(app->registry, subject) :
							     registry_default_level(app->registry));
	if (own == NULL && !has_default(subject) && !how.in_force)
		app_problem(r, REGISTRY_NO_SUBJECT_COMPATIBILITY,
		    arena_printf(q->arena, "%.*s", (int)subject.n, (const char *)subject.p));
	else
		put_config(app, r, subject, own, &how);
	app_read_end(app);
}

static const struct app_words
	put_words = { "Failed to update compatibility level", "Update compatibility level operation timed out",
		"Failed to update compatibility level", false, false },
	delete_words = { "Failed to delete compatibility level", "Delete compatibility level operation timed out",
		"Failed to delete compatibility level", false, false };

static bool
check_types(const struct json *update, struct http_request *q, struct http_response *r)
{
	struct misfit why;

	return registry_check_config(update, q->arena, &why) || entity_misfit(r, &why, NULL);
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
	struct manner how = { false, "compatibility", NULL };
	struct plan plan;

	if (c.update == NULL || !check_types(c.update, q, r) || !app_write(app, q, r, &put_words, plan_put, &c, &plan))
		return;
	app_read(app, false);
	put_config(app, r, subject, registry_own_config(app->registry, subject), &how);
	app_read_end(app);
}

static bool
plan_delete(const struct registry *registry, void *ctx, struct arena *a, struct plan *out, struct refusal *why)
{
	struct change *c = ctx;
	const struct json *before = registry_own_config(registry, c->subject);
	struct manner how = { false, "compatibilityLevel",
		level_name(before != NULL ? registry_level(registry, c->subject) : registry_default_level(registry)) };

	if (!registry_plan_delete_config(registry, c->subject, a, out, why))
		return false;
	put_config(c->app, c->answer, c->subject, before, &how);
	return true;
}

void
config_delete(struct app *app, struct http_request *q, struct http_response *r)
{
	struct change c = { .subject = app_scope(q), .app = app, .answer = r };
	struct plan plan;

	app_write(app, q, r, &delete_words, plan_delete, &c, &plan);
}
