/* schema_delete.c -- weir schema delete: in two steps, of which the first can be undone. */
#include <inttypes.h>
#include <string.h>

#include "weir/schema.h"

/* The numbers of an answer that is one, or a list of them, as "1, 2, 3". */
static const char *
numbers(struct arena *a, const struct json *j)
{
	const struct json *e = json_is_kind(j, JSON_ARRAY) ? j->first : j;
	const char *text = "";
	int64_t n;

	for (; e != NULL; e = e->next)
		if (json_is_int(e, &n))
			must_fit((text = arena_printf(a, "%s%s%" PRId64, text, text[0] == '\0' ? "" : ", ", n)) != NULL);
	return text;
}

static void
print_json(const struct target *t, bool permanent, const struct json *deleted)
{
	struct buf b = { 0 };
	struct json_out o = json_out(&b);

	json_open(&o, '{');
	json_key(&o, "subject");
	json_put_str(&o, t->subject);
	json_key(&o, "permanent");
	json_put_bool(&o, permanent);
	json_key(&o, "versions");
	if (json_is_kind(deleted, JSON_ARRAY))
		json_put_tree(&o, deleted);
	else {
		json_open(&o, '[');
		json_put_tree(&o, deleted);
		json_close(&o, ']');
	}
	json_close(&o, '}');
	cli_put_json(&b);
}

static void
print_words(struct cli *c, const struct target *t, bool permanent, const char *which)
{
	const char *newest = strrchr(which, ' ');
	const char *what = newest == NULL ? "version" : "versions";

	newest = newest == NULL ? which : newest + 1;
	if (permanent) {
		printf("removed for good: %s, %s %s\n", t->subject, what, which);
		return;
	}
	printf("deleted: %s, %s %s\n", t->subject, what, which);
	printf("to undo: weir schema get '%s:%s' --deleted | weir schema register '%s' -\n", t->subject, newest, t->subject);
	printf("to remove for good: weir schema delete '%s' --permanent\n", c->args[0]);
}

/* Says what is about to go, since it can't be undone; what there is not is left for the registry to say. */
static void
warn(struct cli *c, const struct target *t)
{
	struct weir_answer answer;
	struct weir_error why;
	const char *which = t->version;

	if (which == NULL &&
	    cli_ask(c, &(struct weir_call){ .path = { "subjects", t->subject, "versions" }, .query = { { "deletedOnly", "true" } } },
		&c->arena, &answer, &why))
		which = numbers(&c->arena, answer.json);
	if (which != NULL && which[0] != '\0')
		cli_say(c, "removing for good: %s, %s: what was written with them can't be read any more by their ids", t->subject, which);
}

enum status
schema_delete(struct cli *c)
{
	struct target t = cli_target(&c->arena, c->args[0]);
	bool permanent = cli_has(c, OPTION_PERMANENT);
	struct weir_call call = { .method = WEIR_DELETE, .path = { "subjects", t.subject, t.version == NULL ? NULL : "versions", t.version },
		.query = { { "permanent", permanent ? "true" : NULL } } };
	struct weir_answer answer;
	enum status status;

	if (permanent && !cli_has(c, OPTION_JSON))
		warn(c, &t);
	if ((status = cli_call(c, &call, &answer)) != STATUS_DONE)
		return status;
	if (cli_has(c, OPTION_JSON))
		print_json(&t, permanent, answer.json);
	else
		print_words(c, &t, permanent, numbers(&c->arena, answer.json));
	return cli_end_output(c);
}
