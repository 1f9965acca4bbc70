/*
 * command_line.h -- the command line that all our daemons and apps have:
 *
 *	weir-logd [-c FILE] [-o KEY=VALUE]... [-t | -V | -h | --print-options=FORMAT] [--ready-fd N]
 */
#ifndef BASE_COMMAND_LINE_H
#define BASE_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/conf_print.h"

/* The program's status where its command line is wrong. */
enum { COMMAND_LINE_USAGE = 2 };

struct command_line {
	const char *file;       /* of the configuration; NULL: none */
	const char **overrides; /* each "KEY=VALUE" */
	size_t n_overrides;
	bool test;              /* to check the configuration and end */
	int ready_fd;           /* to be written to when the program is ready; -1: none */
};

/*
 * Reads it for the program of the page; `ready`: what is written to the descriptor, and when,
 * for the usage.  Returns -1 when the program is to go on, or the status with which it is to
 * end: what was asked for (usage, version, options) was printed, or what is wrong was said.
 * command_line_done() is needed in any case; the strings are argv's.  Called once, by the main
 * thread (getopt).
 */
int command_line_parse(struct command_line *, const struct conf_page *, const char *ready, int argc, char **argv);
void command_line_done(struct command_line *);

/* Says that the configuration is right, for -t; the status with which to end. */
int command_line_right(const struct command_line *, const struct conf_page *);

#endif
