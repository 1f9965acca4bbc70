/* versions.c -- all versions of a registry's subjects, page by page. */
#include "weir/versions.h"

#include <stdio.h>
#include <string.h>

void
versions_begin(struct versions *v, struct cli *c, const char *prefix, bool deleted, bool latest)
{
	*v = (struct versions){ .cli = c, .prefix = prefix == NULL ? ":*:" : prefix, .deleted = deleted, .latest = latest };
	arena_init(&v->page, CLI_MEMORY_MAX);
}

void
versions_done(struct versions *v)
{
	arena_done(&v->page);
}

/* Gets the next page; false at the end. */
static bool
turn(struct versions *v)
{
	struct weir_answer answer;
	struct weir_error why;
	char offset[24];

	/* Registries give at most 1000 at a time: a page with none is behind the last. */
	arena_done(&v->page);
	v->subject = NULL;
	v->offset += v->n_page;
	snprintf(offset, sizeof offset, "%zu", v->offset);
	if (!cli_ask(v->cli,
		&(struct weir_call){ .path = { "schemas" },
		    .query = { { "subjectPrefix", v->prefix }, { "deleted", v->deleted ? "true" : NULL },
			{ "latestOnly", v->latest ? "true" : NULL }, { "offset", offset }, { "limit", "1000" } } },
		&v->page, &answer, &why)) {
		v->status = cli_failed(v->cli, &answer, &why);
		return false;
	}
	if (!json_is_kind(answer.json, JSON_ARRAY)) {
		cli_say(v->cli, "the registry answered without a list of schemas");
		v->status = STATUS_REFUSED;
		return false;
	}
	v->next = answer.json->first;
	v->n_page = answer.json->n;
	return v->n_page > 0;
}

/* Gets the numbers of a subject's live versions; false where the registry fails. */
static bool
look_up_live(struct versions *v, const char *subject)
{
	struct weir_answer answer;
	struct weir_error why;

	if (v->subject != NULL && strcmp(v->subject, subject) == 0)
		return true;
	v->subject = subject;
	v->live = NULL;
	if (cli_ask(v->cli, &(struct weir_call){ .path = { "subjects", subject, "versions" } }, &v->page, &answer, &why))
		v->live = answer.json;
	/* Of none at all it says that there is no such subject. */
	else if (why.code != 40401)
		v->status = cli_failed(v->cli, &answer, &why);
	return v->status == STATUS_DONE;
}

/* Whether the version is deleted.  Registries of before 8.0 do not tell: there it is what is not listed as live. */
static bool
find_deleted(struct versions *v, struct version *out)
{
	const struct json *told = json_get(out->entity, "deleted");
	int64_t n;

	out->deleted = json_is_kind(told, JSON_TRUE);
	if (!v->deleted || told != NULL)
		return true;
	if (!look_up_live(v, out->subject))
		return false;
	out->deleted = true;
	for (const struct json *j = v->live == NULL ? NULL : v->live->first; j != NULL; j = j->next)
		if (json_is_int(j, &n) && n == out->version)
			out->deleted = false;
	return true;
}

bool
versions_next(struct versions *v, struct version *out)
{
	if (v->status != STATUS_DONE || (v->next == NULL && !turn(v)))
		return false;
	*out = (struct version){ .entity = v->next, .subject = cli_member(&v->page, v->next, "subject") };
	if (!json_is_int(json_get(v->next, "version"), &out->version) || !json_is_int(json_get(v->next, "id"), &out->id)) {
		cli_say(v->cli, "the registry listed a schema without version or id");
		v->status = STATUS_REFUSED;
		return false;
	}
	v->next = v->next->next;
	return find_deleted(v, out);
}
