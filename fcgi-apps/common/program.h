/* program.h -- how the FastCGI apps begin: command line and configuration, memory, sockets, and the word that they are ready. */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

#include "base/command_line.h"
#include "base/conf.h"

/*
 * Makes the process ready, and reads its command line and configuration, whose settings the page's
 * first section has: they are in `conf`, stored in `into`.  Returns -1 when the program is to run,
 * or the status with which it is to end: all that was asked for was printed, or what is wrong was
 * said.  conf_done() is needed in any case.  Called first.
 */
int program_begin(const struct conf_page *, int argc, char **argv, struct conf *conf, void *into,
    int *ready_fd);

/* The path of a socket: the setting's, with this behind it.  Owned. */
char *program_socket(const char *path, const char *end);

/* Tells who waits at the descriptor (-1: nobody) that requests are taken: writes "ready\n" and closes it. */
void program_ready(int ready_fd);

#endif
