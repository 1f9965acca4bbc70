/* schema_register.c -- weir schema register and check: a schema from a file, and whether it fits those before it. */
#include <stdlib.h>
#include <string.h>

#include "base/setting.h"
#include "weir/reasons.h"
#include "weir/schema.h"

/* NAME=SUBJECT:VERSION; the name may have = in it, as URIs have. */
static bool
read_reference(struct cli *c, const char *text, struct weir_schema_ref *out)
{
	const char *equals = strrchr(text, '=');
	struct target t;

	if (equals == NULL || equals == text)
		return false;
	t = cli_target(&c->arena, equals + 1);
	if (t.version == NULL || t.subject[0] == '\0')
		return false;
	*out = (struct weir_schema_ref){ cli_str(&c->arena, span_of(text, (size_t)(equals - text))), t.subject,
		strcmp(t.version, "latest") == 0 ? WEIR_LATEST : atoi(t.version) };
	return true;
}

/* The schema that the command line names; false with what is wrong said. */
static bool
read_schema(struct cli *c, struct weir_schema *out)
{
	struct weir_schema_ref *refs = arena_array(&c->arena, c->n_references + 1, sizeof *refs);

	must_fit(refs != NULL);
	*out = (struct weir_schema){ .type = c->given[OPTION_TYPE], .refs = refs, .n_refs = c->n_references };
	for (size_t i = 0; i < c->n_references; i++)
		if (!read_reference(c, c->references[i], &refs[i])) {
			cli_usage(c, "--reference %s: write NAME=SUBJECT:VERSION", c->references[i]);
			return false;
		}
	if (!cli_read_file(c, c->args[1], &out->text))
		return false;
	/* To a registry it would mean the schema of the version before. */
	if (setting_trim(out->text).n > 0)
		return true;
	cli_say(c, "%s is empty", c->args[1]);
	return false;
}

/* ---- whether it fits ---- */

/* Asks whether the schema is compatible, and (verbose) why not. */
static enum status
ask(struct cli *c, const struct target *t, const struct weir_schema *s, bool verbose, const struct json **answer)
{
	struct weir_answer got;
	struct buf body = { 0 };
	enum status status;

	weir_schema_put_request(&body, s);
	must_fit(!body.failed);
	status = cli_call(c,
	    &(struct weir_call){ .method = WEIR_POST, .path = { "compatibility", "subjects", t->subject, "versions", t->version },
		.query = { { "verbose", verbose ? "true" : NULL }, { "normalize", cli_has(c, OPTION_NORMALIZE) ? "true" : NULL } },
		.body = buf_bytes(&body) },
	    &got);
	buf_done(&body);
	*answer = got.json;
	if (status == STATUS_DONE && !json_is_kind(json_get(*answer, "is_compatible"), JSON_TRUE) &&
	    !json_is_kind(json_get(*answer, "is_compatible"), JSON_FALSE)) {
		cli_say(c, "the registry answered without is_compatible");
		return STATUS_REFUSED;
	}
	return status;
}

/* The text of a version that the registry has told the beginning of only; null: it can't be had. */
static struct span
old_text(struct cli *c, const char *subject, int version)
{
	struct weir_schema s;
	struct weir_error why;

	return weir_registry_version(c->registry, subject, version, &c->arena, &s, &why) ? s.text : span_of(NULL, 0);
}

static void
print_reasons_json(const struct verdict *v, const struct reason *list, size_t n)
{
	struct buf b = { 0 };
	struct json_out o = json_out(&b);

	json_open(&o, '{');
	json_key(&o, "compatible");
	json_put_bool(&o, false);
	json_key(&o, "level");
	json_put_str(&o, v->level);
	json_key(&o, "version");
	json_put_int(&o, v->version);
	json_key(&o, "reasons");
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(&o, '{');
		json_key(&o, "type");
		json_put_str(&o, list[i].type);
		json_key(&o, "path");
		json_put_str(&o, list[i].path);
		json_key(&o, "text");
		json_put_str(&o, list[i].sentence);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	json_close(&o, '}');
	cli_put_json(&b);
}

static void
print_reasons(const char *subject, const struct verdict *v, const struct reason *list, size_t n)
{
	printf("not compatible with ");
	if (v->version > 0)
		printf("version %d of ", v->version);
	printf("%s", subject);
	if (v->level != NULL)
		printf(" (%s)", v->level);
	printf(":\n");
	for (size_t i = 0; i < n; i++)
		printf("  %s%s%s\n", list[i].path, list[i].path[0] == '\0' ? "" : ": ", list[i].sentence);
	if (n == 0)
		printf("  the registry does not say why\n");
}

static enum status
tell_reasons(struct cli *c, const struct target *t, const struct weir_schema *s, const struct json *messages)
{
	const char *subject = t->subject;
	const struct json *again;
	struct reason *list;
	struct verdict v;
	enum status status;
	size_t n;

	verdict_read(&c->arena, messages, &v);
	/*
	 * Asked for reasons, registries say of what is no schema that it is not compatible, with the whole request as
	 * the reason; else they refuse it.
	 */
	if (!verdict_has_version(&v) && (status = ask(c, t, s, false, &again)) != STATUS_DONE)
		return status;
	if (v.old_text.p == NULL && v.version > 0)
		v.old_text = old_text(c, subject, v.version);
	list = verdict_reasons(&c->arena, &v, s->text, &n);
	if (cli_has(c, OPTION_JSON))
		print_reasons_json(&v, list, n);
	else
		print_reasons(subject, &v, list, n);
	status = cli_end_output(c);
	return status == STATUS_DONE ? STATUS_NO : status;
}

/* Whether the subject has versions at all; when that is not known it is taken for granted. */
static bool
has_versions(struct cli *c, const char *subject)
{
	struct weir_answer answer;
	struct weir_error why;

	return cli_ask(c, &(struct weir_call){ .path = { "subjects", subject, "versions" } }, &c->arena, &answer, &why) ||
	    why.code != 40401;
}

enum status
schema_check(struct cli *c)
{
	struct target t = cli_target(&c->arena, c->args[0]);
	const struct json *answer;
	struct weir_schema s;
	enum status status;

	if (!read_schema(c, &s))
		return STATUS_USAGE;
	if ((status = ask(c, &t, &s, true, &answer)) != STATUS_DONE)
		return status;
	if (json_is_kind(json_get(answer, "is_compatible"), JSON_FALSE))
		return tell_reasons(c, &t, &s, json_get(answer, "messages"));
	if (cli_has(c, OPTION_JSON))
		printf("{\"compatible\":true}\n");
	else if (has_versions(c, t.subject))
		printf("compatible with %s%s%s%s\n", t.version == NULL ? "" : "version ", t.version == NULL ? "" : t.version,
		    t.version == NULL ? "" : " of ", t.subject);
	else
		/* A name that is mistyped is compatible with everything. */
		printf("compatible: %s has no versions yet\n", t.subject);
	return cli_end_output(c);
}

/* ---- registering ---- */

static void
print_registered(struct cli *c, const char *subject, const struct weir_schema *got)
{
	struct buf b = { 0 };
	struct json_out o = json_out(&b);

	if (!cli_has(c, OPTION_JSON)) {
		printf("%s: version %d, id %d\n", subject, (int)got->version, (int)got->id);
		return;
	}
	json_open(&o, '{');
	json_key(&o, "subject");
	json_put_str(&o, subject);
	json_key(&o, "version");
	json_put_int(&o, got->version);
	json_key(&o, "id");
	json_put_int(&o, got->id);
	json_key(&o, "schemaType");
	json_put_str(&o, got->type);
	json_close(&o, '}');
	cli_put_json(&b);
}

/* Why a registration was refused: of what is not compatible the reasons, each by itself. */
static enum status
tell_refusal(struct cli *c, const struct weir_schema *s, const struct weir_schema *got, const struct weir_error *why)
{
	struct target t = { c->args[0], NULL };
	const struct json *answer;

	if ((why->code == 409 || why->code == 40901) && ask(c, &t, s, true, &answer) == STATUS_DONE &&
	    json_is_kind(json_get(answer, "is_compatible"), JSON_FALSE))
		return tell_reasons(c, &t, s, json_get(answer, "messages"));
	return cli_failed(c, &(struct weir_answer){ .message = got->message }, why);
}

enum status
schema_register(struct cli *c)
{
	bool normalize = cli_has(c, OPTION_NORMALIZE);
	const char *subject = c->args[0];
	struct weir_schema s, got;
	struct weir_error why;

	if (!read_schema(c, &s))
		return STATUS_USAGE;
	if (!weir_registry_register(c->registry, subject, &s, normalize, &c->arena, &got, &why))
		return tell_refusal(c, &s, &got, &why);
	/* Registries of before 7.6 tell the id only. */
	if (got.version == 0 && !weir_registry_lookup(c->registry, subject, &s, normalize, &c->arena, &got, &why))
		return tell_refusal(c, &s, &got, &why);
	print_registered(c, subject, &got);
	return cli_end_output(c);
}
