/* main.c -- weir-logd: the command line. */
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "server/server.h"

enum { USAGE = 2, KEPT_BYTES = 32 * 1024 * 1024 };

static const char usage[] =
    "usage: weir-logd [-c FILE] [-o KEY=VALUE]... [-t | -V | -h | --print-options=FORMAT] [--ready-fd N]\n"
    "  -c FILE            read the configuration from FILE (properties)\n"
    "  -o KEY=VALUE       set one key, over what FILE says\n"
    "  -t                 check the configuration and end\n"
    "  -V                 print the version\n"
    "  -h                 print this\n"
    "  --print-options=F  print all options as F: man, md or properties\n"
    "  --ready-fd N       write \"ready host:port\" for each listener to descriptor N when clients are let in\n";

struct options {
	const char *file;
	const char **overrides;
	size_t n_overrides;
	const char *print;
	bool test, version, help;
	int ready_fd;
};

static int
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "option", required_argument, NULL, 'o' },
		{ "test", no_argument, NULL, 't' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ "print-options", required_argument, NULL, 'P' },
		{ "ready-fd", required_argument, NULL, 'R' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:o:tVh", longs, NULL)) != -1)
		switch (c) {
		case 'c':
			o->file = optarg;
			break;
		case 'o':
			o->overrides[o->n_overrides++] = optarg;
			break;
		case 't':
			o->test = true;
			break;
		case 'V':
			o->version = true;
			break;
		case 'h':
			o->help = true;
			break;
		case 'P':
			o->print = optarg;
			break;
		case 'R':
			o->ready_fd = atoi(optarg);
			break;
		default:
			return -1;
		}
	if (optind < argc) {
		fprintf(stderr, "weir-logd: %s: not an option\n", argv[optind]);
		return -1;
	}
	return 0;
}

static int
run(const struct options *o)
{
	struct buf mistakes = { 0 };
	struct config config;
	struct server *server;
	int status = EXIT_FAILURE;

	if (config_load(&config, o->file, o->overrides, o->n_overrides, &mistakes) == -1)
		fprintf(stderr, "%.*s", (int)mistakes.n, (const char *)mistakes.p);
	else if (o->test) {
		printf("%s: the configuration is right\n", o->file == NULL ? "weir-logd" : o->file);
		status = EXIT_SUCCESS;
	} else if ((server = server_new(&config)) != NULL) {
		status = server_run(server, o->ready_fd);
		server_free(server);
	}
	buf_done(&mistakes);
	config_done(&config);
	return status;
}

static int
print_options(const char *format)
{
	struct buf text = { 0 };
	int status = USAGE;

	if (!config_print(format, &text))
		fprintf(stderr, "weir-logd: --print-options: %s: not one of man, md, properties\n", format);
	else
		status = fwrite(text.p, 1, text.n, stdout) == text.n ? EXIT_SUCCESS : EXIT_FAILURE;
	buf_done(&text);
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
	struct options o = { .ready_fd = -1 };
	int status;

	keep_memory();
	/* There can't be more of them than arguments. */
	if ((o.overrides = calloc((size_t)argc, sizeof *o.overrides)) == NULL)
		return EXIT_FAILURE;
	if (parse(argc, argv, &o) == -1) {
		fputs(usage, stderr);
		status = USAGE;
	} else if (o.help)
		status = fputs(usage, stdout) == EOF;
	else if (o.version)
		status = puts("weir-logd " WEIR_VERSION) == EOF;
	else if (o.print != NULL)
		status = print_options(o.print);
	else
		status = run(&o);
	free(o.overrides);
	return status;
}
