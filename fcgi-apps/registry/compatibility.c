/* compatibility.c -- the resources below /compatibility: whether a schema could be registered. */
#include "common/problem.h"
#include "registry/entity.h"

static void
put_answer(struct http_response *r, bool compatible, bool verbose, const char *const *messages, size_t n)
{
	struct json_out o = json_out(&r->body);

	json_open(&o, '{');
	json_key(&o, "is_compatible");
	json_put_bool(&o, compatible);
	if (verbose) {
		json_key(&o, "messages");
		json_open(&o, '[');
		for (size_t i = 0; i < n; i++)
			json_put_str(&o, messages[i]);
		json_close(&o, ']');
	}
	json_close(&o, '}');
}

/* A version of the subject, or (0) those that its level asks for. */
static void
check(struct app *app, struct http_request *q, struct http_response *r, int32_t version)
{
	bool verbose = http_query_bool(q, "verbose"), compatible = false, told;
	struct level_messages messages = { 0 };
	struct schema_request wanted;
	struct refusal why = { 0 };

	if (!entity_request(q, r, &wanted))
		return;
	app_read(app, true);
	told = registry_check(app->registry, app_subject(app->registry, q), version, &wanted, q->arena, &compatible, &messages,
	    &why);
	app_read_end(app);
	if (told)
		put_answer(r, compatible, verbose, messages.list, messages.n);
	else if (verbose && why.problem == REGISTRY_INVALID_SCHEMA)
		put_answer(r, false, true, &why.message, 1); /* the reason is the message */
	else
		app_refuse(r, &why);
}

void
compatibility_check_all(struct app *app, struct http_request *q, struct http_response *r)
{
	check(app, q, r, 0);
}

void
compatibility_check_version(struct app *app, struct http_request *q, struct http_response *r)
{
	struct span text = q->args[1];
	int32_t version;

	if (registry_parse_version(text, &version))
		check(app, q, r, version);
	else
		app_problem(r, REGISTRY_INVALID_VERSION,
		    arena_printf(q->arena, "%.*s", (int)text.n, (const char *)text.p));
}
