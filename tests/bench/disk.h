/* disk.h -- files without a daemon: what the disk itself does. */
#ifndef BENCH_DISK_H
#define BENCH_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/client.h"

/* Removes a folder and all below it, if it is there. */
void disk_remove(const char *dir);

/*
 * The segments below a daemon's data that are not of its own state: their size
 * and what they take of the disk, in bytes, and how many were compacted.
 */
struct disk_segments {
	uint64_t n, bytes, taken, compacted;
};
struct disk_segments disk_segments(const char *data);

/*
 * Makes holes of them, which keep their size: for a daemon that never reads them
 * again.  False, with errno, where the file system has no holes.
 */
bool disk_hollow(const char *data);

/* Takes a file out of the page cache. */
void disk_forget(const char *path);

/* What disk_pass() does with a file. */
enum disk_kind { DISK_WRITE, DISK_WRITE_SYNC, DISK_READ };

struct disk_pass {
	const char *path;
	enum disk_kind kind;
	uint64_t bytes;
};

/* A client_fn: one pass over a file from its start, in calls of 1 MiB. */
void disk_pass_run(const void *disk_pass, pid_t logd, struct outcome *);

/* A file that grows, each write of which is made durable. */
int disk_grow_open(const char *path, struct outcome *);
void disk_grow(int fd, const void *bytes, size_t n, struct outcome *);

#endif
