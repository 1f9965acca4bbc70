/* program.c -- what the command lines of the FastCGI apps have in common. */
#include "common/program.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/map.h"
#include "base/must.h"
#include "base/xalloc.h"

enum { USAGE = 2, FILE_BYTES_MAX = 1 << 20 };

static const char usage[] =
    "usage: %s [-c FILE] [-o KEY=VALUE]... [-t | -V | -h | --print-options=FORMAT] [--ready-fd N]\n"
    "  -c FILE            read the configuration from FILE (properties)\n"
    "  -o KEY=VALUE       set one key, over what FILE says\n"
    "  -t                 check the configuration and end\n"
    "  -V                 print the version\n"
    "  --print-options=F  print all options as F: man, md or properties\n"
    "  --ready-fd N       write \"ready\" to descriptor N when requests are taken\n";

struct options {
	const char *file, *print;
	const char **overrides;
	size_t n_overrides;
	bool test, version, help;
	int ready_fd;
};

static bool
parse(const struct program *p, int argc, char **argv, struct options *o)
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
			return false;
		}
	if (optind < argc)
		fprintf(stderr, "%s: %s: not an option\n", p->name, argv[optind]);
	return optind == argc;
}

/* Appends the whole file; false with a line in the mistakes. */
static bool
read_file(const char *name, struct buf *out, struct buf *mistakes)
{
	FILE *f = fopen(name, "rb");
	uint8_t *to = buf_room(out, FILE_BYTES_MAX + 1);
	bool good = f != NULL && to != NULL;

	if (good) {
		out->n = fread(to, 1, FILE_BYTES_MAX + 1, f);
		good = !ferror(f);
	}
	if (!good)
		conf_mistake(mistakes, name, -1, NULL,
		    "can't be read (%s): make it readable, or name another with -c", strerror(errno));
	else if (out->n > FILE_BYTES_MAX) {
		conf_mistake(mistakes, name, -1, NULL,
		    "is larger than 1 MiB, and so no configuration: name another with -c");
		good = false;
	}
	if (f != NULL)
		fclose(f);
	return good;
}

static bool
load(const struct program *p, const struct options *o, struct conf *conf)
{
	struct buf text = { 0 }, mistakes = { 0 };
	bool good;

	if (o->file != NULL && read_file(o->file, &text, &mistakes))
		conf_take_file(conf, o->file, buf_bytes(&text), &mistakes);
	for (size_t i = 0; i < o->n_overrides; i++)
		conf_take_override(conf, o->overrides[i], &mistakes);
	if (p->check != NULL)
		p->check(conf, o->file, &mistakes);
	good = mistakes.n == 0;
	if (!good)
		fwrite(mistakes.p, 1, mistakes.n, stderr);
	buf_done(&text);
	buf_done(&mistakes);
	return good;
}

static int
print_options(const struct program *p, const char *format)
{
	struct buf text = { 0 };
	int status = USAGE;

	if (!conf_print(p->page, format, &text))
		fprintf(stderr, "%s: --print-options: %s: not one of man, md, properties\n", p->name, format);
	else
		status = fwrite(text.p, 1, text.n, stdout) == text.n ? EXIT_SUCCESS : EXIT_FAILURE;
	buf_done(&text);
	return status;
}

/* What was asked for, or -1: to run. */
static int
act(const struct program *p, const struct options *o, struct conf *conf)
{
	if (o->help)
		return printf(usage, p->name) < 0;
	if (o->version)
		return printf("%s " WEIR_VERSION "\n", p->name) < 0;
	if (o->print != NULL)
		return print_options(p, o->print);
	if (!load(p, o, conf))
		return EXIT_FAILURE;
	if (o->test)
		return printf("%s: the configuration is right\n", o->file == NULL ? p->name : o->file) < 0;
	return -1;
}

/*
 * Many threads, and bodies of megabytes now and then: a few arenas do for all, and what is large is mapped, and
 * given back when it is freed.  Left to itself, malloc would raise that limit to the largest body or schema that
 * a stranger has sent, and each arena keep pieces of such a size.
 */
static void
bound_memory(void)
{
	mallopt(M_ARENA_MAX, 4);
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

int
program_begin(const struct program *p, int argc, char **argv, struct conf *conf, void *into, int *ready_fd)
{
	struct options o = { .ready_fd = -1 };
	int status = USAGE;

	bound_memory();
	/* There can't be more of them than arguments. */
	o.overrides = xcalloc((size_t)argc, sizeof *o.overrides);
	conf_init(conf, p->page->sections[0].table, into);
	if (parse(p, argc, argv, &o))
		status = act(p, &o, conf);
	else
		fprintf(stderr, usage, p->name);
	*ready_fd = o.ready_fd;
	free(o.overrides);
	return status;
}

void
program_seed(void)
{
	uint64_t seed[2];

	must(getrandom(seed, sizeof seed, 0) == sizeof seed);
	map_seed(seed[0], seed[1]);
}

char *
program_socket(const char *path, const char *end)
{
	size_t n = strlen(path) + strlen(end) + 1;
	char *whole = xmalloc(n);

	snprintf(whole, n, "%s%s", path, end);
	return whole;
}

void
program_ready(int ready_fd)
{
	static const char line[] = "ready\n";

	if (ready_fd == -1)
		return;
	/* Who waits sees its end in any case. */
	if (write(ready_fd, line, sizeof line - 1) == -1)
		diag_warn("nobody was told of the start", "descriptor=%d reason=\"%s\"", ready_fd, strerror(errno));
	close(ready_fd);
}
