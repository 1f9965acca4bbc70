/* schema_settings.c -- weir schema compat and mode: what holds for a subject, a context, or all. */
#include <string.h>
#include <strings.h>

#include "weir/schema.h"

const char *const schema_levels[] = { "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL",
	"FULL_TRANSITIVE", NULL };
const char *const schema_modes[] = { "READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD", NULL };

/* What the two commands differ in. */
static const struct kind {
	const char *resource;         /* of the API */
	const char *told, *asked;     /* the value's name in answers and in requests */
	const char *const *values;
	int code;                     /* the registry's for: nothing is set here */
} compat = { "config", "compatibilityLevel", "compatibility", schema_levels, 40408 },
  mode = { "mode", "mode", "mode", schema_modes, 40409 };

static bool
is_value(const struct kind *k, const char *text)
{
	for (size_t i = 0; k->values[i] != NULL; i++)
		if (strcasecmp(k->values[i], text) == 0)
			return true;
	return false;
}

static void
print(struct cli *c, const struct kind *k, const char *subject, const char *value, bool inherited)
{
	struct buf b = { 0 };
	struct json_out o = json_out(&b);

	if (!cli_has(c, OPTION_JSON)) {
		printf("%s%s%s%s\n", subject == NULL ? "" : subject, subject == NULL ? "" : "  ", value,
		    inherited ? "  (not set here)" : "");
		return;
	}
	json_open(&o, '{');
	json_key(&o, "subject");
	json_put_str(&o, subject);
	json_key(&o, k->told);
	json_put_str(&o, value);
	json_key(&o, "inherited");
	json_put_bool(&o, inherited);
	json_close(&o, '}');
	cli_put_json(&b);
}

/* Tells what holds for the subject (NULL: for all). */
static enum status
show(struct cli *c, const struct kind *k, const char *subject)
{
	struct weir_call call = { .path = { k->resource, subject } };
	struct weir_answer answer;
	struct weir_error why;
	const char *value = "";
	bool here = cli_ask(c, &call, &c->arena, &answer, &why);

	if (!here && why.code != k->code)
		return cli_failed(c, &answer, &why);
	if (here)
		value = cli_member(&c->arena, answer.json, k->told);
	/* A subject may have other settings, but not this one. */
	if (value[0] == '\0') {
		here = false;
		call.query[0] = (struct weir_query){ "defaultToGlobal", "true" };
		if (!cli_ask(c, &call, &c->arena, &answer, &why))
			return cli_failed(c, &answer, &why);
		value = cli_member(&c->arena, answer.json, k->told);
	}
	print(c, k, subject, value, !here);
	return cli_end_output(c);
}

static enum status
set(struct cli *c, const struct kind *k, const char *subject, const char *value)
{
	struct buf body = { 0 };
	struct json_out o = json_out(&body);
	struct weir_answer answer;
	enum status status;

	json_open(&o, '{');
	json_key(&o, k->asked);
	json_put_str(&o, value);
	json_close(&o, '}');
	must_fit(!body.failed);
	status = cli_call(c,
	    &(struct weir_call){ .method = WEIR_PUT, .path = { k->resource, subject },
		.query = { { "force", cli_has(c, OPTION_FORCE) ? "true" : NULL } }, .body = buf_bytes(&body) },
	    &answer);
	buf_done(&body);
	return status == STATUS_DONE ? show(c, k, subject) : status;
}

static enum status
unset(struct cli *c, const struct kind *k, const char *subject)
{
	struct weir_call call = { .method = WEIR_DELETE, .path = { k->resource, subject } };
	struct weir_answer answer;
	struct weir_error why;

	if (cli_ask(c, &call, &c->arena, &answer, &why))
		return show(c, k, subject);
	if (why.code != 40401)
		return cli_failed(c, &answer, &why);
	cli_say(c, "nothing is set for %s", subject);
	return STATUS_REFUSED;
}

/* One word is a value, if it is the name of one, or a subject; of two the second is the value. */
static enum status
run(struct cli *c, const struct kind *k)
{
	const char *value = c->n_args > 0 && (c->n_args == 2 || is_value(k, c->args[0])) ? c->args[c->n_args - 1] : NULL;
	const char *subject = c->n_args == 2 || (c->n_args == 1 && value == NULL) ? c->args[0] : NULL;

	if (cli_has(c, OPTION_UNSET))
		return value == NULL ? unset(c, k, subject) : cli_usage(c, "--unset takes no %s", value);
	if (value == NULL)
		return show(c, k, subject);
	return set(c, k, subject, value);
}

enum status
schema_compat(struct cli *c)
{
	return run(c, &compat);
}

enum status
schema_mode(struct cli *c)
{
	return run(c, &mode);
}
