/* disk.c -- files without a daemon: what the disk itself does. */
#include "bench/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "bench/bench.h"
#include "bench/measure.h"

enum { CHUNK = 1 << 20, PAGE = 4096, OPEN_FILES = 16 };

/* MemAvailable, in bytes. */
static double
available(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[256];
	double kib = 0;

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "MemAvailable: %lf kB", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024;
}

void
disk_warm(int gib)
{
	size_t n = (size_t)gib << 30, at;
	double began = measure_now_s(), most = available() / 2;
	volatile char *p;

	if ((double)n > most)
		n = (size_t)most / PAGE * PAGE;
	if (n == 0)
		return;
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		bench_die("%.1f GiB of memory to be touched: %s: name less with --warm", (double)n / (1 << 30), strerror(errno));
	for (at = 0; at < n; at += PAGE)
		p[at] = 1;
	munmap((void *)p, n);
	fprintf(stderr, "touched %.1f GiB of memory in %.1f s\n", (double)n / (1 << 30), measure_now_s() - began);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void
disk_remove(const char *dir)
{
	nftw(dir, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS);
}

static ssize_t
pass_chunk(const struct disk_pass *p, int fd, char *chunk, size_t n, uint64_t at)
{
	return p->kind == DISK_READ ? pread(fd, chunk, n, (off_t)at) : pwrite(fd, chunk, n, (off_t)at);
}

void
disk_pass_run(const void *arg, pid_t logd, struct outcome *o)
{
	const struct disk_pass *p = arg;
	char *chunk = xmalloc(CHUNK);
	struct window w;
	int fd;

	memset(chunk, 'w', CHUNK);
	if ((fd = open(p->path, p->kind == DISK_READ ? O_RDONLY : O_RDWR | O_CREAT | O_TRUNC, 0600)) == -1)
		client_fail(o, "%s: %s", p->path, strerror(errno));
	window_begin(&w, logd);
	while (o->bytes < p->bytes) {
		uint64_t left = p->bytes - o->bytes;
		ssize_t n = pass_chunk(p, fd, chunk, left < CHUNK ? (size_t)left : CHUNK, o->bytes);

		if (n <= 0)
			client_fail(o, "%s: %s", p->path, n == 0 ? "it ends early" : strerror(errno));
		o->bytes += (uint64_t)n;
	}
	if (p->kind == DISK_WRITE_SYNC && fdatasync(fd) == -1)
		client_fail(o, "%s: %s", p->path, strerror(errno));
	window_end(&w, o);
	close(fd);
	free(chunk);
}

int
disk_grow_open(const char *path, struct outcome *o)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd == -1)
		client_fail(o, "%s: %s", path, strerror(errno));
	return fd;
}

void
disk_grow(int fd, const void *bytes, size_t n, struct outcome *o)
{
	if (write(fd, bytes, n) != (ssize_t)n || fdatasync(fd) == -1)
		client_fail(o, "append and fdatasync: %s", strerror(errno));
}
