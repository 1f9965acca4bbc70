/*
 * commands.h -- the commands of weir, as a table: from it come the command line's parser, the help,
 * the completion in shells, and the reference pages.
 */
#ifndef WEIR_COMMANDS_H
#define WEIR_COMMANDS_H

#include "weir/cli.h"

/* What a word of the command line stands for, for completion. */
enum word {
	WORD_NONE,
	WORD_SUBJECT,
	WORD_FILE,
	WORD_LEVEL,
	WORD_MODE
};

enum { WORDS_MAX = 3 };

struct command {
	const char *group, *name;
	const char *args;           /* for people: "SUBJECT[:VERSION] FILE" */
	int min, max;               /* how many words */
	enum word words[WORDS_MAX]; /* what each is */
	unsigned options;           /* a bit for each that it takes beside those of all commands */
	enum status (*run)(struct cli *);
	const char *doc;            /* sentences in plain text */
};

extern const struct command commands[];
extern const size_t n_commands;

struct option_row {
	const char *name;
	int letter;
	const char *argument; /* NULL: none */
	const char *doc;
};

extern const struct option_row option_rows[OPTIONS];

static inline bool
command_takes(const struct command *c, int option)
{
	return option <= OPTION_VERSION || (c->options >> option & 1) != 0;
}

/* The command of this group and name; NULL: there is none. */
const struct command *command_find(const char *group, const char *name);

/* Whether there is such a group. */
bool command_is_group(const char *name);

/* Prints the names of a group's commands, and what words they take. */
void command_list(FILE *, const char *group);

/* Prints help: for a command, or (NULL) for all of a group, or (NULL) for all. */
void command_help(FILE *, const char *group, const struct command *);

/* Appends the reference of a group's commands, as "man" or "md"; false: it is neither. */
bool command_manual(const char *group, const char *format, struct buf *to);

/* Prints what may stand in place of the last word of a command line, one a line.  The words are those behind "weir". */
void command_complete(struct cli *, char **words, int n);

#endif
