/* lives.c -- what simulations share: lives as processes, chance, a folder, the program around it. */
#include "faults/lives.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/must.h"
#include "fake/file_fake.h"
#include "unit/base/random.h"

static uint64_t state;
static uint64_t number; /* of the life */
static char dir[128];

/* ---- chance ---- */

void
chance_begin(uint64_t seed)
{
	state = seed;
}

size_t
below(size_t n)
{
	return random_below(&state, n);
}

bool
one_in(size_t n)
{
	return below(n) == 0;
}

/* ---- lives ---- */

void *
lives_memory(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED);
	return p;
}

int
lives_run(void (*live)(const void *), const void *plan)
{
	pid_t pid;
	int status;

	fflush(NULL);
	number++;
	pid = fork();
	must(pid != -1);
	if (pid == 0) {
		live(plan);
		_exit(SIM_FINE);
	}
	while (waitpid(pid, &status, 0) == -1)
		must(errno == EINTR);
	return WIFSIGNALED(status) ? SIM_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

_Noreturn void
broken(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "broken: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, " (life %llu, operation %lld)\n", (unsigned long long)number,
	    (long long)fake_disk_ops());
	_exit(SIM_BROKEN);
}

/* ---- the folder ---- */

const char *
sim_dir(void)
{
	return dir;
}

static void
make_folder(const char *name)
{
	const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
	int n = snprintf(dir, sizeof dir, "%s/%s.XXXXXX", tmp == NULL ? "/tmp" : tmp, name);

	must(n < (int)sizeof dir && mkdtemp(dir) != NULL);
}

static void
index_file(const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", dir, name);
}

static bool
copy_file(const char *from, const char *to)
{
	char chunk[65536];
	FILE *in = fopen(from, "rb"), *out;
	size_t n;

	unlink(to);
	if (in == NULL)
		return false;
	out = fopen(to, "wb");
	must(out != NULL);
	while ((n = fread(chunk, 1, sizeof chunk, in)) > 0)
		must(fwrite(chunk, 1, n, out) == n);
	fclose(in);
	must(fclose(out) == 0);
	return true;
}

void
lives_index_delete(void)
{
	char path[160];

	index_file("index/data.mdb", path, sizeof path);
	unlink(path);
	index_file("index/lock.mdb", path, sizeof path);
	unlink(path);
}

void
lives_index_keep(void)
{
	char path[160], kept[160];

	index_file("index/data.mdb", path, sizeof path);
	index_file("kept.mdb", kept, sizeof kept);
	copy_file(path, kept);
}

bool
lives_index_bring_back(void)
{
	char path[160], kept[160];

	index_file("index/data.mdb", path, sizeof path);
	index_file("kept.mdb", kept, sizeof kept);
	return access(kept, F_OK) == 0 && copy_file(kept, path);
}

bool
lives_index_marked(void)
{
	char path[160];
	uint8_t byte;

	index_file("opening", path, sizeof path);
	return fake_disk_peek(path, 0, &byte, 0) == 0;
}

/* Removes the folder, and LMDB's files in it. */
static void
remove_folder(void)
{
	char path[160];

	lives_index_delete();
	index_file("kept.mdb", path, sizeof path);
	unlink(path);
	index_file("index", path, sizeof path);
	rmdir(path);
	rmdir(dir);
}

/* ---- a program ---- */

static uint64_t judged, judged_broken;
static bool verbose;

bool
sim_verbose(void)
{
	return verbose;
}

void
sim_judge(bool ok)
{
	judged++;
	judged_broken += !ok;
}

uint64_t
sim_judged(void)
{
	return judged;
}

uint64_t
sim_judged_broken(void)
{
	return judged_broken;
}

bool
sim_fine(uint64_t seed, int life, int status, bool cut)
{
	return status == SIM_FINE || (cut && status == FAKE_CUT_STATUS) ||
	    sim_blame(status, "a life", life, seed);
}

bool
sim_blame(int status, const char *what, int64_t at, uint64_t seed)
{
	bool killed = status >= SIM_SIGNAL;

	fprintf(stderr, "broken: %s at %lld, seed %llu: %s %d\n", what, (long long)at,
	    (unsigned long long)seed, killed ? "signal" : "status", killed ? status - SIM_SIGNAL : status);
	return false;
}

static void
no_sink(const char *line, size_t n)
{
	(void)line;
	(void)n;
}

int
sim_main(const struct sim_program *program, int argc, char **argv)
{
	uint64_t a = program->a, b = program->b;

	verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	if (verbose) {
		argc--;
		argv++;
	}
	if (argc > 1)
		a = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		b = strtoull(argv[2], NULL, 10);
	make_folder(program->name);
	if (!verbose)
		diag_set_sink(no_sink);
	program->run(a, b);
	remove_folder();
	printf("%llu passed, %llu failed\n", (unsigned long long)(judged - judged_broken),
	    (unsigned long long)judged_broken);
	return judged_broken == 0 && judged > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
