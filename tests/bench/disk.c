/* disk.c -- files without a daemon: what the disk itself does. */
#include "bench/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"

enum { CHUNK = 1 << 20, OPEN_FILES = 16 };

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
