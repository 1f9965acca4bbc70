/*
 * cli.h -- a command of weir under way: what was asked for, the registry, and what is said to whom.
 *
 * What was asked for goes to standard output, everything else to standard error.  Running out of
 * memory ends the program.
 */
#ifndef WEIR_CLI_H
#define WEIR_CLI_H

#include <stdio.h>

#include "base/arena.h"
#include "base/must.h"
#include "json/tree.h"
#include "json/write.h"
#include "libweir/registry.h"

/* How the program ends. */
enum status {
	STATUS_DONE = 0,
	STATUS_NO = 1,          /* it was found out, and the answer is no: incompatible, different */
	STATUS_USAGE = 2,       /* the command line, or a file that it names, is wrong */
	STATUS_REFUSED = 3,     /* the registry refuses */
	STATUS_NOT_REACHED = 4, /* it was not reached, or can't answer now: another time may do */
	STATUS_INTERRUPTED = 130
};

enum option_id {
#define OPTION(id, name, letter, argument, doc) OPTION_##id,
#include "weir/options.tbl"
	OPTIONS
};

/* Bytes that a command may hold in its arena: a whole registry, when that is imported. */
#define CLI_MEMORY_MAX ((size_t)4 << 30)

struct command;

struct cli {
	const struct command *command;
	const char *given[OPTIONS];  /* what was given of each option; "" of one without an argument, NULL: not given */
	const char **references;     /* owned; each NAME=SUBJECT:VERSION */
	size_t n_references;
	char **args;                 /* the words behind the command */
	int n_args;
	struct weir_registry *registry; /* owned; NULL until cli_registry() */
	const char *context;         /* arena; the one that the registry's URL names: ".name"; NULL: none, all of it is meant */
	struct arena arena;          /* what lives as long as the command */
};

static inline bool
cli_has(const struct cli *c, enum option_id id)
{
	return c->given[id] != NULL;
}

/* "weir schema get: " and the sentence, on standard error. */
void cli_say(const struct cli *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for a mistake of the user's, with where to read more; STATUS_USAGE. */
enum status cli_usage(const struct cli *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes the client of the registry that is asked for; false with what is wrong said. */
bool cli_registry(struct cli *);

/* The context that a registry's URL ends in, .../contexts/NAME, as registries call it: ".name".  Arena; NULL: in none. */
const char *cli_url_context(struct arena *, struct span url);

/* What all subjects begin with that are meant where none is named: ":*:", or ":.name:" of the URL's context.  Arena. */
const char *cli_whole(struct cli *);

/* Asks the registry; false with `why` filled. */
bool cli_ask(struct cli *, const struct weir_call *, struct arena *, struct weir_answer *, struct weir_error *why);

/* What the registry said, with its code, or why it can't be asked; less a schema that it repeats.  Arena. */
const char *cli_words(struct arena *, const struct weir_answer *, const struct weir_error *);

/* Says that, and what can be done about it; the status that it ends with. */
enum status cli_failed(struct cli *, const struct weir_answer *, const struct weir_error *);

/* The status alone. */
enum status cli_status(const struct weir_error *);

/* Both: asks, and says what went wrong; STATUS_DONE when nothing did. */
enum status cli_call(struct cli *, const struct weir_call *, struct weir_answer *);

/* Prints a line of JSON, and frees it. */
void cli_put_json(struct buf *);

/* What has been printed must have arrived: STATUS_DONE, or it is said that it has not. */
enum status cli_end_output(const struct cli *);

/*
 * From now on Ctrl-C, and SIGTERM, are for the command to see: it ends what it has begun, and itself.
 * A second one ends the program at once.
 */
void cli_catch_interrupts(void);
bool cli_interrupted(void);

/* All of a file; "-" is standard input.  Arena.  False with what is wrong said; then STATUS_USAGE. */
bool cli_read_file(struct cli *, const char *name, struct span *out);

/* The text as a string: arena. */
const char *cli_str(struct arena *, struct span);

/* A string of an object, or "". */
const char *cli_member(struct arena *, const struct json *in, const char *name);

/* SUBJECT[:VERSION], as the command line has it. */
struct target {
	const char *subject;
	const char *version; /* digits or "latest"; NULL: none was named */
};

/*
 * A colon with a number or "latest" behind it, at the end, is a version's; but not the one that ends
 * the name of a context (":.context:7" is the subject "7").  Arena.
 */
struct target cli_target(struct arena *, const char *text);

#endif
