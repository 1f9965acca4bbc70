/*
 * program.h -- what the command lines of the FastCGI apps have in common.
 *
 *	weir-registry [-c FILE] [-o KEY=VALUE]... [-t | -V | -h | --print-options=FORMAT] [--ready-fd N]
 */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

#include "base/buf.h"
#include "base/conf.h"
#include "base/conf_print.h"

struct program {
	const char *name;
	const struct conf_page *page;   /* its settings; those of the first section are in the file */
	/* Checks what can only be checked when all is read, adding to the mistakes.  May be NULL. */
	void (*check)(const struct conf *, const char *file, struct buf *mistakes);
};

/*
 * Reads the command line and the configuration: `conf` has the settings, stored in `into`.  Returns -1
 * when the program is to run, or the status with which it is to end: all that was asked for was
 * printed, or what is wrong was said.  conf_done() is needed in any case.
 */
int program_begin(const struct program *, int argc, char **argv, struct conf *conf, void *into,
    int *ready_fd);

/* Seeds the hash tables of the process (base/map.h), since their keys are chosen by strangers; before the first is filled. */
void program_seed(void);

/* The path of a socket: the setting's, with this behind it.  Owned. */
char *program_socket(const char *path, const char *end);

/* Tells who waits at the descriptor (-1: nobody) that requests are taken: writes "ready\n" and closes it. */
void program_ready(int ready_fd);

#endif
