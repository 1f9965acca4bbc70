/* schema_export.c -- weir schema export: all of a registry as lines of JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weir/associations.h"
#include "weir/dump.h"
#include "weir/schema.h"
#include "weir/versions.h"

struct export {
	struct cli *cli;
	const char *file, *part; /* the file, and what it is called until it is whole; NULL: standard output */
	FILE *to;
	struct dump_counts n;
	struct buf subjects;     /* owned; each ended by a zero */
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

/* Keeps a subject, to ask for its settings and associations. */
static void
keep_subject(struct export *x, const char *subject, const char **last)
{
	if (*last != NULL && strcmp(*last, subject) == 0)
		return;
	buf_put(&x->subjects, subject, strlen(subject) + 1);
	must_fit(!x->subjects.failed);
	*last = (const char *)x->subjects.p + x->subjects.n - strlen(subject) - 1;
}

static enum status
export_schemas(struct export *x, struct buf *line)
{
	const char *last = NULL;
	struct versions all;
	struct version v;
	enum status status = STATUS_DONE;

	versions_begin(&all, x->cli, NULL, true, false);
	while (status == STATUS_DONE && versions_next(&all, &v)) {
		keep_subject(x, v.subject, &last);
		dump_put_schema(line, v.entity, v.deleted);
		x->n.schemas++;
		status = write_out(x, line);
	}
	versions_done(&all);
	return status != STATUS_DONE ? status : all.status;
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

/* The settings of all, of each context, and of each subject. */
static enum status
export_all_settings(struct export *x, const struct json *contexts, struct buf *line)
{
	enum status status = export_settings(x, NULL, line);
	const char *name;

	if (status == STATUS_DONE)
		status = export_settings(x, ":.__GLOBAL:", line);
	for (const struct json *j = contexts->first; j != NULL && status == STATUS_DONE; j = j->next) {
		must_fit((name = arena_printf(&x->cli->arena, ":%s:", cli_str(&x->cli->arena, j->text))) != NULL);
		/* That of the default context is that of all. */
		if (strcmp(name, ":.:") != 0)
			status = export_settings(x, name, line);
	}
	for (size_t at = 0; at < x->subjects.n && status == STATUS_DONE; at += strlen(name) + 1) {
		name = (const char *)x->subjects.p + at;
		status = export_settings(x, name, line);
	}
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
	const char *name;

	for (size_t at = 0; at < x->subjects.n && status == STATUS_DONE && !lacking; at += strlen(name) + 1) {
		name = (const char *)x->subjects.p + at;
		associations_of_subject(&of, x->cli, name);
		status = cli_interrupted() ? STATUS_INTERRUPTED : export_associations(x, &of, line);
		lacking = of.lacking;
		pages_done(&of);
	}
	return status;
}

static enum status
export_lines(struct export *x)
{
	struct weir_answer contexts;
	struct buf line = { 0 };
	enum status status = cli_call(x->cli, &(struct weir_call){ .path = { "contexts" } }, &contexts);

	if (status == STATUS_DONE && !json_is_kind(contexts.json, JSON_ARRAY)) {
		cli_say(x->cli, "the registry answered without a list of contexts");
		status = STATUS_REFUSED;
	}
	if (status == STATUS_DONE) {
		dump_put_head(&line, contexts.json);
		status = write_out(x, &line);
	}
	if (status == STATUS_DONE)
		status = export_schemas(x, &line);
	if (status == STATUS_DONE)
		status = export_all_settings(x, contexts.json, &line);
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

	cli_catch_interrupts();
	if (!open_file(&x))
		return STATUS_USAGE;
	status = close_file(&x, export_lines(&x));
	if (status == STATUS_DONE)
		cli_say(c, "%d schemas, %d configs, %d modes, %d associations", (int)x.n.schemas, (int)x.n.configs, (int)x.n.modes,
		    (int)x.n.associations);
	buf_done(&x.subjects);
	return status;
}
