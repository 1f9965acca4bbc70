/* versions.c -- all versions of a registry's subjects, page by page. */
#include "weir/versions.h"

#include <string.h>

void
versions_begin(struct versions *v, struct cli *c, const char *prefix, bool deleted, bool latest)
{
	const struct weir_call call = { .path = { "schemas" },
		.query = { { "subjectPrefix", prefix == NULL ? cli_whole(c) : prefix }, { "deleted", deleted ? "true" : NULL },
		    { "latestOnly", latest ? "true" : NULL } } };

	*v = (struct versions){ .cli = c, .deleted = deleted };
	pages_begin(&v->pages, c, &call, "schemas");
}

void
versions_done(struct versions *v)
{
	pages_done(&v->pages);
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
	if (cli_ask(v->cli, &(struct weir_call){ .path = { "subjects", subject, "versions" } }, &v->pages.arena, &answer, &why))
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
	const struct json *entity;

	if (v->status != STATUS_DONE)
		return false;
	if (pages_turns(&v->pages))
		v->subject = NULL;
	entity = pages_next(&v->pages);
	v->status = v->pages.status;
	if (entity == NULL)
		return false;
	*out = (struct version){ .entity = entity, .subject = cli_member(&v->pages.arena, entity, "subject") };
	if (!json_is_int(json_get(entity, "version"), &out->version) || !json_is_int(json_get(entity, "id"), &out->id)) {
		cli_say(v->cli, "the registry listed a schema without version or id");
		v->status = STATUS_REFUSED;
		return false;
	}
	return find_deleted(v, out);
}
