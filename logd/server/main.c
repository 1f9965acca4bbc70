/* main.c -- weir-logd: the command line. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/command_line.h"
#include "server/inspect.h"
#include "server/server.h"

enum { KEPT_BYTES = 32 * 1024 * 1024 };

static int
run(const struct command_line *line)
{
	struct buf mistakes = { 0 };
	struct config config;
	struct server *server;
	int status = EXIT_FAILURE;

	if (config_load(&config, line->file, line->overrides, line->n_overrides, &mistakes) == -1)
		fprintf(stderr, "%.*s", (int)mistakes.n, (const char *)mistakes.p);
	else if (line->test)
		status = command_line_right(line, &config_page);
	else if ((server = server_new(&config)) != NULL) {
		status = server_run(server, line->ready_fd);
		server_free(server);
	}
	buf_done(&mistakes);
	config_done(&config);
	return status;
}

/*
 * Requests and answers come and go by the megabyte.  As it is, malloc maps each
 * anew, and the faults of its pages cost more than what is done with them; so
 * memory is kept, up to a bound, in one arena for all threads (the loop does
 * nearly all of the work).
 */
static void
keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_TOP_PAD, KEPT_BYTES / 32);
	mallopt(M_ARENA_MAX, 1);
}

int
main(int argc, char **argv)
{
	static const char ready[] = "\"ready host:port\" for each listener to descriptor N when clients are let in";
	struct command_line line;
	int status;

	keep_memory();
	signal(SIGXFSZ, SIG_IGN); /* what is beyond a limit of file sizes is a write that fails */
	if (argc > 1 && strcmp(argv[1], "inspect") == 0)
		return inspect_main(argc - 1, argv + 1);
	signal(SIGPIPE, SIG_IGN); /* whoever read our log, or waited until we are ready, may be gone */
	if ((status = command_line_parse(&line, &config_page, ready, argc, argv)) == -1)
		status = run(&line);
	command_line_done(&line);
	return status;
}
