/* commands.c -- the tables of commands and options, and what is printed from them. */
#include "weir/commands.h"

#include <string.h>

#include "weir/schema.h"

#define BIT(id) (1u << OPTION_##id)

const struct option_row option_rows[OPTIONS] = {
#define OPTION(id, name, letter, argument, doc) [OPTION_##id] = { name, letter, argument, doc },
#include "weir/options.tbl"
};

const struct command commands[] = {
	{ "schema", "list", "[PREFIX]", 0, 1, { WORD_SUBJECT }, BIT(DELETED), schema_list,
	    "Lists subjects with their newest version, its id and type: all of them, or those that begin with PREFIX. "
	    ":.context: in front of it names a context, :*: all." },
	{ "schema", "get", "[SUBJECT[:VERSION]]", 0, 1, { WORD_SUBJECT }, BIT(ID) | BIT(RESOLVED) | BIT(DELETED), schema_get,
	    "Prints a schema: the newest version of SUBJECT, another version, or with --id the schema of an id. "
	    "--json prints all that the registry tells of it." },
	{ "schema", "register", "SUBJECT FILE", 2, 2, { WORD_SUBJECT, WORD_FILE }, BIT(TYPE) | BIT(REFERENCE) | BIT(NORMALIZE),
	    schema_register,
	    "Registers the schema in FILE (-: standard input) under SUBJECT, or finds that it is there. Where it is not "
	    "compatible with earlier versions the status is 1, and the reasons are told as by check." },
	{ "schema", "check", "SUBJECT[:VERSION] FILE", 2, 2, { WORD_SUBJECT, WORD_FILE },
	    BIT(TYPE) | BIT(REFERENCE) | BIT(NORMALIZE), schema_check,
	    "Says whether the schema in FILE (-: standard input) could be registered under SUBJECT: whether it is "
	    "compatible with the versions that the subject's level asks for, or with VERSION. Where it is not the status "
	    "is 1; each reason is a line, with the place in the schema and what to do. What is no schema is refused, with "
	    "status 3." },
	{ "schema", "diff", "SUBJECT V1 V2", 3, 3, { WORD_SUBJECT }, BIT(DELETED), schema_diff,
	    "Says what has changed from version V1 of an Avro schema to V2: fields, types, defaults, documentation. "
	    "The status is 1 where something has." },
	{ "schema", "delete", "SUBJECT[:VERSION]", 1, 1, { WORD_SUBJECT }, BIT(PERMANENT), schema_delete,
	    "Deletes a version, or all versions of SUBJECT. They are found by their ids still, and can be brought back; "
	    "--permanent then removes them for good." },
	{ "schema", "compat", "[SUBJECT] [LEVEL]", 0, 2, { WORD_SUBJECT, WORD_LEVEL }, BIT(UNSET), schema_compat,
	    "Shows or sets the compatibility level of SUBJECT, or the one that holds where none is set. LEVEL: NONE, "
	    "BACKWARD, BACKWARD_TRANSITIVE, FORWARD, FORWARD_TRANSITIVE, FULL or FULL_TRANSITIVE. A context (:.context:) "
	    "is set as a subject is." },
	{ "schema", "mode", "[SUBJECT] [MODE]", 0, 2, { WORD_SUBJECT, WORD_MODE }, BIT(UNSET) | BIT(FORCE), schema_mode,
	    "Shows or sets whether schemas of SUBJECT, or of all subjects, may be registered. MODE: READWRITE, READONLY, "
	    "IMPORT or FORWARD." },
	{ "schema", "export", "[FILE]", 0, 1, { WORD_FILE }, 0, schema_export,
	    "Writes all of a registry to FILE, or to standard output: schemas with ids and versions, deleted ones too, "
	    "associations of topics, compatibility levels and modes." },
	{ "schema", "import", "[FILE]", 0, 1, { WORD_FILE }, 0, schema_import,
	    "Brings an exported registry into an empty one, with its ids and versions. What is there already, and the "
	    "same, is passed over, so that an import that was interrupted goes on when it is run again. Where something "
	    "is there and is not the same, that is told, the status is 1, and nothing is changed. What the registry refuses "
	    "is told, too, and the rest is imported; the status is 1." },
};

const size_t n_commands = sizeof commands / sizeof *commands;

static const char *const groups[][2] = {
	{ "schema", "schemas in a schema registry" },
};

const struct command *
command_find(const char *group, const char *name)
{
	for (size_t i = 0; i < n_commands; i++)
		if (strcmp(commands[i].group, group) == 0 && strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

bool
command_is_group(const char *name)
{
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if (strcmp(groups[i][0], name) == 0)
			return true;
	return false;
}

/* ---- help ---- */

enum { LINE_MAX_CHARS = 79 };

/* Prints text in lines that all begin in a column; the first one has `at` characters already. */
static void
put_wrapped(FILE *to, const char *text, int column, int at)
{
	while (*text != '\0') {
		int n = (int)strcspn(text, " ");

		if (at > column && at + 1 + n > LINE_MAX_CHARS) {
			fprintf(to, "\n");
			at = 0;
		} else if (at > column)
			at += fprintf(to, " ");
		if (at < column)
			at += fprintf(to, "%*s", column - at, "");
		at += fprintf(to, "%.*s", n, text);
		text += n;
		text += strspn(text, " ");
	}
	fprintf(to, "\n");
}

static void
put_option(FILE *to, const struct option_row *o)
{
	int at = fprintf(to, o->letter != 0 ? "  -%c, " : "      ", o->letter);

	at += fprintf(to, "--%s", o->name);
	if (o->argument != NULL)
		at += fprintf(to, " %s", o->argument);
	if (at >= 27) {
		fprintf(to, "\n");
		at = 0;
	}
	put_wrapped(to, o->doc, 28, at);
}

static void
put_options(FILE *to, const struct command *c)
{
	for (int i = OPTION_VERSION + 1; i < OPTIONS; i++)
		if (c != NULL && command_takes(c, i))
			put_option(to, &option_rows[i]);
	for (int i = 0; i <= OPTION_VERSION; i++)
		put_option(to, &option_rows[i]);
}

static void
put_usage(FILE *to, const struct command *c)
{
	fprintf(to, "usage: weir %s %s", c->group, c->name);
	for (int i = OPTION_VERSION + 1; i < OPTIONS; i++)
		if (command_takes(c, i))
			fprintf(to, " [--%s%s%s]%s", option_rows[i].name, option_rows[i].argument == NULL ? "" : " ",
			    option_rows[i].argument == NULL ? "" : option_rows[i].argument, i == OPTION_REFERENCE ? "..." : "");
	fprintf(to, " %s\n\n", c->args);
}

void
command_list(FILE *to, const char *group)
{
	fprintf(to, "Commands:\n");
	for (size_t i = 0; i < n_commands; i++)
		if (strcmp(commands[i].group, group) == 0)
			fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].args);
}

void
command_help(FILE *to, const char *group, const struct command *c)
{
	if (c != NULL) {
		put_usage(to, c);
		put_wrapped(to, c->doc, 0, 0);
	} else if (group == NULL) {
		fprintf(to, "usage: weir GROUP COMMAND [OPTION]... [WORD]...\n\nGroups of commands:\n");
		for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
			fprintf(to, "  %-12s %s\n", groups[i][0], groups[i][1]);
	} else {
		fprintf(to, "usage: weir %s COMMAND [OPTION]... [WORD]...\n\n", group);
		command_list(to, group);
	}
	fprintf(to, "\nOptions:\n");
	put_options(to, c);
	if (c == NULL)
		fprintf(to, "\nweir %s COMMAND --help tells what a command does.\n", group == NULL ? "GROUP" : group);
	fprintf(to, "\nThe status is 0: done; 1: the answer is no; 2: the command line is wrong;\n"
		    "3: the registry refuses; 4: it can't be reached, or can't answer now.\n");
}

/* ---- reference pages ---- */

/* Text for man: hyphens are hyphens, and no line begins with a dot. */
static void
put_man(struct buf *to, const char *text)
{
	for (; *text != '\0'; text++)
		buf_printf(to, *text == '-' ? "\\-" : *text == '\\' ? "\\e" : "%c", *text);
}

static void
put_man_words(struct buf *to, const char *before, const char *text, const char *after)
{
	buf_printf(to, "%s", before);
	put_man(to, text);
	buf_printf(to, "%s", after);
}

static void
man_option(struct buf *to, const struct option_row *o)
{
	buf_printf(to, ".TP\n.BR ");
	if (o->letter != 0)
		buf_printf(to, "\\-%c \", \" ", o->letter);
	put_man_words(to, "\\-\\-", o->name, "");
	if (o->argument != NULL)
		put_man_words(to, " \" \\fI", o->argument, "\\fR\"");
	put_man_words(to, "\n", o->doc, "\n");
}

static void
man_command(struct buf *to, const struct command *c)
{
	buf_printf(to, ".SS \"weir %s %s ", c->group, c->name);
	put_man_words(to, "", c->args, "\"\n");
	put_man_words(to, "", c->doc, "\n");
	for (int i = OPTION_VERSION + 1; i < OPTIONS; i++)
		if (command_takes(c, i))
			man_option(to, &option_rows[i]);
}

static void
md_option(struct buf *to, const struct option_row *o)
{
	buf_printf(to, "| ");
	if (o->letter != 0)
		buf_printf(to, "`-%c`, ", o->letter);
	buf_printf(to, "`--%s%s%s` | %s |\n", o->name, o->argument == NULL ? "" : " ", o->argument == NULL ? "" : o->argument,
	    o->doc);
}

static void
md_command(struct buf *to, const struct command *c)
{
	bool first = true;

	buf_printf(to, "\n### `weir %s %s %s`\n\n%s\n", c->group, c->name, c->args, c->doc);
	for (int i = OPTION_VERSION + 1; i < OPTIONS; i++) {
		if (!command_takes(c, i))
			continue;
		if (first)
			buf_printf(to, "\n| Option | |\n|---|---|\n");
		md_option(to, &option_rows[i]);
		first = false;
	}
}

static void
put_commands(struct buf *to, const char *group, void (*put)(struct buf *, const struct command *))
{
	for (size_t i = 0; i < n_commands; i++)
		if (strcmp(commands[i].group, group) == 0)
			put(to, &commands[i]);
}

bool
command_manual(const char *group, const char *format, struct buf *to)
{
	if (strcmp(format, "man") == 0) {
		buf_printf(to, ".SH COMMANDS\n");
		put_commands(to, group, man_command);
		buf_printf(to, ".SH OPTIONS OF ALL COMMANDS\n");
		for (int i = 0; i <= OPTION_VERSION; i++)
			man_option(to, &option_rows[i]);
		return true;
	}
	if (strcmp(format, "md") != 0)
		return false;
	buf_printf(to, "## Commands\n");
	put_commands(to, group, md_command);
	buf_printf(to, "\n## Options of all commands\n\n| Option | |\n|---|---|\n");
	for (int i = 0; i <= OPTION_VERSION; i++)
		md_option(to, &option_rows[i]);
	return true;
}
