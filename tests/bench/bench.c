/* bench.c -- the benchmark's command line, and the count of what came out. */
#include "bench/bench.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "bench/daemon.h"
#include "bench/disk.h"

enum { USAGE = 2 };

static const char usage[] =
    "usage: bench [--logd PROGRAM] [--dir FOLDER] [--cold] [--quick] [--markdown] [GROUP...]\n"
    "  --logd PROGRAM  the weir-logd to measure; else $WEIR_LOGD\n"
    "  --dir FOLDER    where files go, up to 8 GB at a time; else $TMPDIR, or /tmp\n"
    "  --cold          don't use the memory that a row is to take just before it\n"
    "  --quick         a smoke run of a minute; its figures say nothing\n"
    "  --markdown      print tables as Markdown\n"
    "  GROUP           throughput, latency, start, upkeep or large; without one, all\n";

static const struct group {
	const char *name;
	void (*run)(struct bench *);
} groups[] = {
	{ "throughput", throughput_run },
	{ "latency", latency_run },
	{ "start", start_run },
	{ "upkeep", upkeep_run },
	{ "large", large_run },
};

enum { N_GROUPS = sizeof groups / sizeof *groups };

static char folder[4096]; /* of this run; empty: none yet */

/* Also what an interrupted driver leaves by: bench_die() exits. */
static void
clean_up(void)
{
	daemon_kill_all();
	if (folder[0] != '\0')
		disk_remove(folder);
}

/* Does nothing but end the poll() that the driver waits in. */
static void
interrupt(int number)
{
	(void)number;
}

static void
set_up(const char *parent)
{
	struct sigaction sa = { .sa_handler = interrupt };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	snprintf(folder, sizeof folder, "%s/weir-bench-XXXXXX", parent);
	if (mkdtemp(folder) == NULL) {
		fprintf(stderr, "bench: %s: %s: name a folder that can be written with --dir\n", parent, strerror(errno));
		exit(EXIT_FAILURE);
	}
	must(atexit(clean_up) == 0);
}

const char *
bench_judge(struct bench *b, const struct target *t, double figure)
{
	static char text[80];
	bool reached;

	if (t == NULL || b->quick)
		return "";
	reached = t->most ? figure <= t->limit : figure >= t->limit;
	*(reached ? &b->reached : &b->missed) += 1;
	snprintf(text, sizeof text, "%s: %.2f of %g %s", reached ? "reached" : "MISSED", figure / t->limit, t->limit,
	    t->unit);
	return text;
}

void
bench_pass(struct bench *b, const char *fmt, ...)
{
	va_list ap;

	b->passed++;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void
bench_fail(struct bench *b, const char *row, const char *why)
{
	b->failed++;
	printf("FAIL: %s: %s\n", row, why);
}

void
bench_die(const char *fmt, ...)
{
	va_list ap;

	fputs("bench: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

struct arguments {
	const char *parent; /* of the run's folder */
	bool asked[N_GROUPS];
};

static bool
ask_group(struct arguments *a, const char *name)
{
	size_t i;

	for (i = 0; i < N_GROUPS; i++)
		if (strcmp(groups[i].name, name) == 0)
			return a->asked[i] = true;
	fprintf(stderr, "bench: there is no group %s\n", name);
	return false;
}

/* False after saying what is wrong, unless the usage is what to print. */
static bool
parse(int argc, char **argv, struct bench *b, struct arguments *a)
{
	static const struct option longs[] = {
		{ "logd", required_argument, NULL, 'l' },
		{ "dir", required_argument, NULL, 'd' },
		{ "cold", no_argument, NULL, 'c' },
		{ "quick", no_argument, NULL, 'q' },
		{ "markdown", no_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (c) {
		case 'l':
			b->logd = optarg;
			break;
		case 'd':
			a->parent = optarg;
			break;
		case 'c':
			b->cold = true;
			break;
		case 'q':
			b->quick = true;
			break;
		case 'm':
			b->markdown = true;
			break;
		default:
			return false;
		}
	if (optind == argc)
		memset(a->asked, true, sizeof a->asked);
	for (; optind < argc; optind++)
		if (!ask_group(a, argv[optind]))
			return false;
	if (b->logd == NULL)
		fputs("bench: no daemon to measure: name it with --logd, or in WEIR_LOGD\n", stderr);
	return b->logd != NULL;
}

int
main(int argc, char **argv)
{
	struct bench b = { .logd = getenv("WEIR_LOGD"), .dir = folder };
	struct arguments a = { .parent = getenv("TMPDIR") };
	size_t i;

	if (!parse(argc, argv, &b, &a)) {
		fputs(usage, stderr);
		return USAGE;
	}
	if (a.parent == NULL || *a.parent == '\0')
		a.parent = "/tmp";
	set_up(a.parent);
	for (i = 0; i < N_GROUPS; i++)
		if (a.asked[i])
			groups[i].run(&b);
	if (!b.quick)
		printf("%d targets reached, %d missed\n", b.reached, b.missed);
	printf("%d passed, %d failed\n", b.passed, b.failed);
	return b.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
