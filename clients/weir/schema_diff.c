/* schema_diff.c -- weir schema diff: what has changed from one version to another. */
#include <string.h>

#include "weir/columns.h"
#include "weir/diff.h"
#include "weir/schema.h"

/* Gets a version, all types written out; false with what is wrong said. */
static enum status
get(struct cli *c, const char *subject, const char *version, const struct json **schema, const char **number)
{
	struct weir_answer answer;
	struct json_mistake why;
	const struct json *text;
	const char *type;
	enum status status = cli_call(c,
	    &(struct weir_call){ .path = { "subjects", subject, "versions", version },
		.query = { { "format", "resolved" }, { "deleted", cli_has(c, OPTION_DELETED) ? "true" : NULL } } },
	    &answer);
	int64_t n = 0;

	if (status != STATUS_DONE)
		return status;
	type = cli_member(&c->arena, answer.json, "schemaType");
	if (type[0] != '\0' && strcmp(type, "AVRO") != 0) {
		cli_say(c, "version %s is of type %s, and only Avro schemas can be compared: get both, and use diff(1)", version, type);
		return STATUS_USAGE;
	}
	text = json_get(answer.json, "schema");
	*schema = json_is_kind(text, JSON_STRING) ? json_parse(&c->arena, text->text, &why) : NULL;
	json_is_int(json_get(answer.json, "version"), &n);
	must_fit((*number = arena_printf(&c->arena, "%d", (int)n)) != NULL);
	if (*schema != NULL)
		return STATUS_DONE;
	cli_say(c, "version %s is no JSON, and so no Avro schema", version);
	return STATUS_REFUSED;
}

static void
put_value(struct json_out *o, const char *name, const struct json *j)
{
	if (j == NULL)
		return;
	json_key(o, name);
	json_put_tree(o, j);
}

static void
print_json(const char *subject, const char *from, const char *to, const struct diff *d)
{
	struct buf b = { 0 };
	struct json_out o = json_out(&b);

	json_open(&o, '{');
	json_key(&o, "subject");
	json_put_str(&o, subject);
	json_key(&o, "from");
	json_put_raw(&o, span_str(from));
	json_key(&o, "to");
	json_put_raw(&o, span_str(to));
	json_key(&o, "changes");
	json_open(&o, '[');
	for (size_t i = 0; i < d->n; i++) {
		const struct change *x = &d->list[i];

		json_open(&o, '{');
		json_key(&o, "path");
		json_put_str(&o, x->path);
		json_key(&o, "change");
		json_put_str(&o, change_kind_name(x->kind));
		json_key(&o, "what");
		json_put_str(&o, x->what);
		put_value(&o, "from", x->from);
		put_value(&o, "to", x->to);
		json_key(&o, "text");
		json_put_str(&o, x->text);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	json_close(&o, '}');
	cli_put_json(&b);
}

static void
print_words(const char *subject, const char *from, const char *to, const struct diff *d)
{
	static const char *const signs[] = { "+", "-", "~", "~", "~" };
	struct columns table = { 0 };
	struct buf b = { 0 };

	printf("%s: version %s -> %s:%s\n", subject, from, to, d->n == 0 ? " no difference" : "");
	if (d->n == 0)
		return;
	for (size_t i = 0; i < d->n; i++)
		columns_row(&table, (const char *const[]){ signs[d->list[i].kind], d->list[i].path, d->list[i].text, NULL });
	columns_put(&table, &b);
	must_fit(!b.failed);
	fwrite(b.p, 1, b.n, stdout);
	buf_done(&b);
}

enum status
schema_diff(struct cli *c)
{
	const struct json *from, *to;
	const char *from_number, *to_number;
	enum status status = get(c, c->args[0], c->args[1], &from, &from_number);
	struct diff d;

	if (status == STATUS_DONE)
		status = get(c, c->args[0], c->args[2], &to, &to_number);
	if (status != STATUS_DONE)
		return status;
	diff_schemas(&c->arena, from, to, &d);
	if (cli_has(c, OPTION_JSON))
		print_json(c->args[0], from_number, to_number, &d);
	else
		print_words(c->args[0], from_number, to_number, &d);
	status = cli_end_output(c);
	return status != STATUS_DONE ? status : d.n == 0 ? STATUS_DONE : STATUS_NO;
}
