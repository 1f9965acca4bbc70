/* schema_export.c -- weir schema export: all of a registry as lines of JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "weir/associations.h"
#include "weir/dump.h"
#include "weir/schema.h"
#include "weir/versions.h"

/* What settings and associations are asked for of: a subject, or ":.context:". */
struct place {
	const char *name;
	struct place *next;
};

struct export {
	struct cli *cli;
	const char *file, *part; /* the file, and what it is called until it is whole; NULL: standard output */
	FILE *to;
	struct dump_counts n;
	struct place *first, **end; /* in the command's arena, in the order in which they were found */
	struct map known;           /* owned; name -> place */
};

/* Writes what stands in the buffer, and empties it. */
static enum status
write_out(struct export *x, struct buf *b)
{
	must_fit(!b->failed);
	fwrite(b->p, 1, b->n, x->to);
	buf_reset(b);
	if (cli_interrupted())
		return STATUS_INTERRUPTED;
	if (!ferror(x->to))
		return STATUS_DONE;
	cli_say(x->cli, "%s can't be written (%s)", x->file == NULL ? "standard output" : x->file, strerror(errno));
	return STATUS_USAGE;
}

/* Keeps a name, once, unless it is of another context than the one that is meant. */
static void
keep(struct export *x, const char *name)
{
	const char *context = x->cli->context;
	struct place *p;

	if (map_get(&x->known, span_str(name)) != NULL ||
	    (context != NULL && strcmp(dump_context(&x->cli->arena, name), context) != 0))
		return;
	must_fit((p = arena_alloc(&x->cli->arena, sizeof *p)) != NULL);
	p->name = cli_str(&x->cli->arena, span_str(name));
	*x->end = p;
	x->end = &p->next;
	must_fit(map_put(&x->known, span_str(p->name), p));
}

/* That of the default context is that of all. */
static void
keep_context(struct export *x, const char *name)
{
	const char *place;

	if (strcmp(name, ".") == 0)
		return;
	must_fit((place = arena_printf(&x->cli->arena, ":%s:", name)) != NULL);
	keep(x, place);
}

/*
 * With its context, which registries list only if it has had schemas.  The subject whose name is empty has
 * the settings of its context: in the API there is no other way to write them.
 */
static void
keep_subject(struct export *x, const char *subject)
{
	if (subject[0] == '\0' || map_get(&x->known, span_str(subject)) != NULL)
		return;
	keep_context(x, dump_context(&x->cli->arena, subject));
	keep(x, subject);
}

static enum status
export_schemas(struct export *x, struct buf *line)
{
	struct versions all;
	struct version v;
	enum status status = STATUS_DONE;

	versions_begin(&all, x->cli, NULL, true, false);
	while (status == STATUS_DONE && versions_next(&all, &v)) {
		keep_subject(x, v.subject);
		dump_put_schema(line, v.entity, v.deleted);
		x->n.schemas++;
		status = write_out(x, line);
	}
	versions_done(&all);
	return status != STATUS_DONE ? status : all.status;
}

/*
 * Finds the aliases of subjects, since no list of subjects has those that have no versions; registries of before 7.7
 * pass over what they are asked, and list schemas once more.
 */
static enum status
find_aliases(struct export *x)
{
	const struct weir_call call = { .path = { "schemas" },
		.query = { { "subjectPrefix", cli_whole(x->cli) }, { "deleted", "true" }, { "latestOnly", "true" }, { "aliases", "true" } } };
	const struct json *entity, *aliases;
	struct pages p;

	pages_begin(&p, x->cli, &call, "schemas");
	while (!cli_interrupted() && (entity = pages_next(&p)) != NULL) {
		aliases = json_get(entity, "aliases");
		for (const struct json *j = json_is_kind(aliases, JSON_ARRAY) ? aliases->first : NULL; j != NULL; j = j->next)
			if (j->kind == JSON_STRING)
				keep_subject(x, cli_str(&p.arena, j->text));
	}
	pages_done(&p);
	return cli_interrupted() ? STATUS_INTERRUPTED : p.status;
}

/* A setting of a subject (NULL: of all); *out is NULL where it is not set. */
static enum status
ask_setting(struct export *x, const char *resource, const char *subject, int unset, struct arena *a, const struct json **out)
{
	struct weir_answer answer;
	struct weir_error why;

	*out = NULL;
	if (cli_ask(x->cli, &(struct weir_call){ .path = { resource, subject } }, a, &answer, &why))
		*out = answer.json;
	else if (why.code != unset)
		return cli_failed(x->cli, &answer, &why);
	return STATUS_DONE;
}

/* Keeps what an alias stands for, which may have nothing but settings either; without a context it is in that of the alias. */
static void
keep_alias(struct export *x, const char *of, const char *subject, struct arena *a)
{
	const char *context = of == NULL ? "." : dump_context(a, of);

	if (subject[0] == '\0')
		return;
	if (subject[0] != ':' && strcmp(context, ".") != 0)
		must_fit((subject = arena_printf(a, ":%s:%s", context, subject)) != NULL);
	if (strncmp(subject, ":.:", 3) == 0)
		subject += 3;
	keep_subject(x, subject);
}

static enum status
export_settings(struct export *x, const char *subject, struct buf *line)
{
	const struct json *config, *mode;
	struct arena a;
	enum status status;

	arena_init(&a, CLI_MEMORY_MAX);
	status = ask_setting(x, "config", subject, 40408, &a, &config);
	if (status == STATUS_DONE)
		status = ask_setting(x, "mode", subject, 40409, &a, &mode);
	if (status == STATUS_DONE && config != NULL) {
		keep_alias(x, subject, cli_member(&a, config, "alias"), &a);
		dump_put_config(line, subject, config);
		x->n.configs++;
	}
	if (status == STATUS_DONE && mode != NULL) {
		dump_put_mode(line, subject, cli_member(&a, mode, "mode"));
		x->n.modes++;
	}
	arena_done(&a);
	return status == STATUS_DONE ? write_out(x, line) : status;
}

/* Whether what is set for all, which is for the default context, is meant; and what is set above all contexts. */
static bool
is_of_default(const struct export *x)
{
	return x->cli->context == NULL || strcmp(x->cli->context, ".") == 0;
}

/* The settings of all, of each context, and of each subject: of what is found on the way, too. */
static enum status
export_all_settings(struct export *x, struct buf *line)
{
	enum status status = STATUS_DONE;

	if (is_of_default(x))
		status = export_settings(x, NULL, line);
	if (status == STATUS_DONE && x->cli->context == NULL)
		status = export_settings(x, ":.__GLOBAL:", line);
	for (const struct place *p = x->first; p != NULL && status == STATUS_DONE; p = p->next)
		status = export_settings(x, p->name, line);
	return status;
}

static enum status
export_associations(struct export *x, struct pages *of, struct buf *line)
{
	struct dump_association s;
	enum status status = STATUS_DONE;

	while (status == STATUS_DONE && associations_next(of, &s)) {
		dump_put_association(line, &s);
		x->n.associations++;
		status = write_out(x, line);
	}
	return status != STATUS_DONE ? status : of->status;
}

/* Those of each subject, as no registry lists them all; one that has none says so when it is first asked. */
static enum status
export_all_associations(struct export *x, struct buf *line)
{
	enum status status = STATUS_DONE;
	bool lacking = false;
	struct pages of;

	for (const struct place *p = x->first; p != NULL && status == STATUS_DONE && !lacking; p = p->next) {
		associations_of_subject(&of, x->cli, p->name);
		status = cli_interrupted() ? STATUS_INTERRUPTED : export_associations(x, &of, line);
		lacking = of.lacking;
		pages_done(&of);
	}
	return status;
}

/* The contexts: those that there are, or the one that is meant. */
static enum status
export_head(struct export *x, struct buf *line)
{
	struct json one = { .kind = JSON_STRING }, list = { .kind = JSON_ARRAY, .first = &one, .n = 1 };
	struct weir_answer answer = { .json = &list };
	enum status status = STATUS_DONE;

	if (x->cli->context != NULL)
		one.text = span_str(x->cli->context);
	else
		status = cli_call(x->cli, &(struct weir_call){ .path = { "contexts" } }, &answer);
	if (status == STATUS_DONE && !json_is_kind(answer.json, JSON_ARRAY)) {
		cli_say(x->cli, "the registry answered without a list of contexts");
		status = STATUS_REFUSED;
	}
	if (status != STATUS_DONE)
		return status;
	for (const struct json *j = answer.json->first; j != NULL; j = j->next)
		keep_context(x, cli_str(&x->cli->arena, j->text));
	dump_put_head(line, answer.json);
	return write_out(x, line);
}

static enum status
export_lines(struct export *x)
{
	struct buf line = { 0 };
	enum status status = export_head(x, &line);

	if (status == STATUS_DONE)
		status = export_schemas(x, &line);
	if (status == STATUS_DONE)
		status = find_aliases(x);
	if (status == STATUS_DONE)
		status = export_all_settings(x, &line);
	if (status == STATUS_DONE)
		status = export_all_associations(x, &line);
	if (status == STATUS_DONE) {
		dump_put_end(&line, &x->n);
		status = write_out(x, &line);
	}
	buf_done(&line);
	return status;
}

static bool
open_file(struct export *x)
{
	if (x->file == NULL) {
		x->to = stdout;
		return true;
	}
	must_fit((x->part = arena_printf(&x->cli->arena, "%s.part", x->file)) != NULL);
	if ((x->to = fopen(x->part, "wb")) != NULL)
		return true;
	cli_say(x->cli, "%s can't be opened (%s)", x->part, strerror(errno));
	return false;
}

/* Gives the file its name once all of it is on the disk; what is not whole goes. */
static enum status
close_file(struct export *x, enum status status)
{
	bool good;

	if (x->file == NULL)
		return status != STATUS_DONE ? status : cli_end_output(x->cli);
	good = fflush(x->to) == 0 && fsync(fileno(x->to)) == 0;
	good = fclose(x->to) == 0 && good;
	if (status == STATUS_DONE && good && rename(x->part, x->file) == 0)
		return STATUS_DONE;
	if (status == STATUS_DONE) {
		cli_say(x->cli, "%s can't be written (%s)", x->file, strerror(errno));
		status = STATUS_USAGE;
	}
	unlink(x->part);
	return status;
}

enum status
schema_export(struct cli *c)
{
	struct export x = { .cli = c, .file = c->n_args > 0 && strcmp(c->args[0], "-") != 0 ? c->args[0] : NULL };
	enum status status;

	x.end = &x.first;
	cli_catch_interrupts();
	if (!open_file(&x))
		return STATUS_USAGE;
	status = close_file(&x, export_lines(&x));
	if (status == STATUS_DONE)
		cli_say(c, "%d schemas, %d configs, %d modes, %d associations", (int)x.n.schemas, (int)x.n.configs, (int)x.n.modes,
		    (int)x.n.associations);
	map_done(&x.known);
	return status;
}
