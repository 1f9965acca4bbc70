/*
 * inspect.h -- weir-logd inspect: the command line of store/inspect.h.
 */
#ifndef SERVER_INSPECT_H
#define SERVER_INSPECT_H

/* Runs it; argv[0] is "inspect".  The status of the program: 0 all is well, 1 damage or a failure, 2 usage. */
int inspect_main(int argc, char **argv);

#endif
