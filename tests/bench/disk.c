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

/* ---- segments ---- */

/* The internal logs' topic ids are zeroes and a number (docs/storage-format.md). */
static const char internal[] = "AAAAAAAAAAAAAAAAAAAAA";

/* nftw() has no argument for its function. */
static struct disk_segments counted;
static bool failed;

static bool
is_segment(const char *path)
{
	const char *name = strrchr(path, '/'), *folder = name;
	size_t n = strlen(path);

	if (n < 4 || strcmp(path + n - 4, ".log") != 0)
		return false;
	while (folder[-1] != '/')
		folder--;
	return strncmp(folder, internal, sizeof internal - 1) != 0;
}

/* <base>.<epoch>.<end>.<generation>.log, where others are <base>.<epoch>.log */
static bool
is_compacted(const char *path)
{
	int dots = 0;

	for (const char *c = strrchr(path, '/'); *c != '\0'; c++)
		dots += *c == '.';
	return dots == 4;
}

static int
count_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	enum { BLOCK = 512 }; /* of st_blocks */

	(void)at;
	if (type != FTW_F || !is_segment(path))
		return 0;
	counted.n++;
	counted.bytes += (uint64_t)st->st_size;
	counted.taken += (uint64_t)st->st_blocks * BLOCK;
	counted.compacted += is_compacted(path);
	return 0;
}

struct disk_segments
disk_segments(const char *data)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/logs", data);
	counted = (struct disk_segments){ 0 };
	nftw(path, count_one, OPEN_FILES, FTW_PHYS);
	return counted;
}

static int
hollow_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	int fd;

	(void)at;
	if (type != FTW_F || st->st_size == 0 || !is_segment(path))
		return 0;
	if ((fd = open(path, O_RDWR | O_CLOEXEC)) == -1 ||
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, st->st_size) == -1)
		failed = true;
	close(fd);
	return failed;
}

bool
disk_hollow(const char *data)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/logs", data);
	failed = false;
	nftw(path, hollow_one, OPEN_FILES, FTW_PHYS);
	return !failed;
}

void
disk_forget(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd != -1) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
}

/* ---- passes ---- */

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
