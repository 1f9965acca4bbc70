/* schema_get.c -- weir schema get: a schema's text, or all that the registry tells of it. */
#include <stdlib.h>

#include "weir/pretty.h"
#include "weir/schema.h"

/* Prints the text: laid out where it is JSON, else as it is. */
static void
print_text(struct cli *c, const struct json *text)
{
	struct json_mistake mistake;
	const struct json *j = json_parse(&c->arena, text->text, &mistake);
	struct buf b = { 0 };

	if (j != NULL)
		pretty_put(&b, j);
	else
		buf_span(&b, text->text);
	if (b.n == 0 || b.p[b.n - 1] != '\n')
		buf_u8(&b, '\n');
	must_fit(!b.failed);
	fwrite(b.p, 1, b.n, stdout);
	buf_done(&b);
}

static enum status
print(struct cli *c, const struct weir_call *call)
{
	struct weir_answer answer;
	enum status status = cli_call(c, call, &answer);
	const struct json *text;

	if (status != STATUS_DONE)
		return status;
	text = json_get(answer.json, "schema");
	if (!json_is_kind(text, JSON_STRING)) {
		cli_say(c, "the registry answered without a schema");
		return STATUS_REFUSED;
	}
	if (cli_has(c, OPTION_JSON)) {
		fwrite(answer.body.p, 1, answer.body.n, stdout);
		putchar('\n');
	} else
		print_text(c, text);
	return cli_end_output(c);
}

static bool
is_number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return end != text && *end == '\0' && n > 0 && n <= INT32_MAX;
}

enum status
schema_get(struct cli *c)
{
	const char *format = cli_has(c, OPTION_RESOLVED) ? "resolved" : NULL, *id = c->given[OPTION_ID];
	const char *deleted = cli_has(c, OPTION_DELETED) ? "true" : NULL;
	struct target t;

	if (id == NULL && c->n_args == 0)
		return cli_usage(c, "which? Name a subject, or an id with --id");
	if (id != NULL && !is_number(id))
		return cli_usage(c, "--id %s: an id is a number from 1 up", id);
	if (id != NULL)
		return print(c, &(struct weir_call){ .path = { "schemas", "ids", id },
			.query = { { "subject", c->n_args > 0 ? c->args[0] : NULL }, { "format", format } } });
	t = cli_target(&c->arena, c->args[0]);
	return print(c, &(struct weir_call){ .path = { "subjects", t.subject, "versions", t.version == NULL ? "latest" : t.version },
		.query = { { "format", format }, { "deleted", deleted } } });
}
