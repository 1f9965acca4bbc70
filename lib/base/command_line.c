/* command_line.c -- the command line that all our daemons and apps have. */
#include "base/command_line.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: %s [-c FILE] [-o KEY=VALUE]... [-t | -V | -h | --print-options=FORMAT] [--ready-fd N]\n"
    "  -c FILE            read the configuration from FILE (properties)\n"
    "  -o KEY=VALUE       set one key, over what FILE says\n"
    "  -t                 check the configuration and end\n"
    "  -V                 print the version\n"
    "  -h                 print this\n"
    "  --print-options=F  print all options as F: man, md or properties\n"
    "  --ready-fd N       write %s\n";

/* What is asked for that ends the program at once. */
struct asked {
	const char *print;
	bool version, help;
};

static bool
parse(struct command_line *line, struct asked *asked, const char *program, int argc, char **argv)
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
			line->file = optarg;
			break;
		case 'o':
			line->overrides[line->n_overrides++] = optarg;
			break;
		case 't':
			line->test = true;
			break;
		case 'V':
			asked->version = true;
			break;
		case 'h':
			asked->help = true;
			break;
		case 'P':
			asked->print = optarg;
			break;
		case 'R':
			line->ready_fd = atoi(optarg);
			break;
		default:
			return false;
		}
	if (optind < argc)
		fprintf(stderr, "%s: %s: not an option\n", program, argv[optind]);
	return optind == argc;
}

static int
print_options(const struct conf_page *page, const char *format)
{
	struct buf text = { 0 };
	int status = COMMAND_LINE_USAGE;

	if (!conf_print(page, format, &text))
		fprintf(stderr, "%s: --print-options: %s: not one of man, md, properties\n", page->program, format);
	else
		status = fwrite(text.p, 1, text.n, stdout) == text.n ? EXIT_SUCCESS : EXIT_FAILURE;
	buf_done(&text);
	return status;
}

int
command_line_parse(struct command_line *line, const struct conf_page *page, const char *ready, int argc, char **argv)
{
	struct asked asked = { 0 };

	*line = (struct command_line){ .ready_fd = -1 };
	/* There can't be more of them than arguments. */
	if ((line->overrides = calloc((size_t)argc, sizeof *line->overrides)) == NULL) {
		fprintf(stderr, "%s: there is no memory for the command line\n", page->program);
		return EXIT_FAILURE;
	}
	if (!parse(line, &asked, page->program, argc, argv)) {
		fprintf(stderr, usage, page->program, ready);
		return COMMAND_LINE_USAGE;
	}
	if (asked.help)
		return printf(usage, page->program, ready) < 0;
	if (asked.version)
		return printf("%s " WEIR_VERSION "\n", page->program) < 0;
	if (asked.print != NULL)
		return print_options(page, asked.print);
	return -1;
}

void
command_line_done(struct command_line *line)
{
	free(line->overrides);
}

int
command_line_right(const struct command_line *line, const struct conf_page *page)
{
	return printf("%s: the configuration is right\n", line->file == NULL ? page->program : line->file) < 0;
}
