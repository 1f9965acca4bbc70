/* program.c -- how the FastCGI apps begin. */
#include "common/program.h"

#include <errno.h>
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

enum { FILE_BYTES_MAX = 1 << 20 };

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
load(const struct command_line *line, struct conf *conf)
{
	struct buf text = { 0 }, mistakes = { 0 };
	bool good;

	if (line->file != NULL && read_file(line->file, &text, &mistakes))
		conf_take_file(conf, line->file, buf_bytes(&text), &mistakes);
	for (size_t i = 0; i < line->n_overrides; i++)
		conf_take_override(conf, line->overrides[i], &mistakes);
	good = mistakes.n == 0;
	if (!good)
		fwrite(mistakes.p, 1, mistakes.n, stderr);
	buf_done(&text);
	buf_done(&mistakes);
	return good;
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

/* Seeds the hash tables (base/map.h), since their keys are chosen by strangers. */
static void
seed_maps(void)
{
	uint64_t seed[2];

	must(getrandom(seed, sizeof seed, 0) == sizeof seed);
	map_seed(seed[0], seed[1]);
}

int
program_begin(const struct conf_page *page, int argc, char **argv, struct conf *conf, void *into, int *ready_fd)
{
	struct command_line line;
	int status;

	bound_memory();
	seed_maps();
	conf_init(conf, page->sections[0].table, into);
	status = command_line_parse(&line, page, "\"ready\" to descriptor N when requests are taken", argc, argv);
	if (status == -1 && !load(&line, conf))
		status = EXIT_FAILURE;
	if (status == -1 && line.test)
		status = command_line_right(&line, page);
	*ready_fd = line.ready_fd;
	command_line_done(&line);
	return status;
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
