/*
 * file_fake.h -- what tests tell the disk that tests/fake/file.c fakes.
 *
 * The disk is memory that forked children share, so that a test can run each
 * life of a store in a process of its own, which ends as a crash ends it.  One
 * thread at a time.  Paths whose last folder is "index" are LMDB's and go to
 * the real filesystem.
 */
#ifndef FAKE_FILE_FAKE_H
#define FAKE_FILE_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a process ends whose disk is cut. */
enum { FAKE_CUT_STATUS = 77 };

enum fake_op {
	FAKE_OPEN = 1 << 0,
	FAKE_READ = 1 << 1,
	FAKE_WRITE = 1 << 2,
	FAKE_SYNC = 1 << 3,
	FAKE_SIZE = 1 << 4,
	FAKE_TRUNCATE = 1 << 5,
	FAKE_RENAME = 1 << 6,
	FAKE_UNLINK = 1 << 7,
	FAKE_MKDIR = 1 << 8,
	FAKE_RMDIR = 1 << 9,
	FAKE_SYNC_DIR = 1 << 10,
	FAKE_LIST = 1 << 11,
	FAKE_LOCK = 1 << 12,
	FAKE_ANY = (1 << 13) - 1
};

/* An empty disk whose root folder exists.  The first call maps the memory. */
void fake_disk_reset(const char *root);

/*
 * Begins a life: descriptors and locks of the last one are gone, operations are
 * counted from 0, none fails.  `seed` chooses what the contract leaves open;
 * `cold` of 100 reads without waiting find that they would have to wait.
 */
void fake_disk_begin(uint64_t seed, unsigned cold);
/* From here on so many of 100 reads without waiting find that. */
void fake_disk_cold(unsigned cold);

/*
 * The operation with this number (of these kinds, on paths that have this text
 * in them; NULL: all) fails with the errno; `lasting`: all later ones as well.
 * A failed write has written some of it, a failed sync drops what was dirty:
 * it stays readable, but no later sync writes it.
 */
void fake_disk_fail(int64_t at, int error, bool lasting, unsigned ops, const char *path);

/* The process ends at this operation, with FAKE_CUT_STATUS. */
void fake_disk_cut_at(int64_t at);

/* Operations so far, and the kind and path of the first that failed (0: none). */
int64_t fake_disk_ops(void);
enum fake_op fake_disk_failed(const char **path);

/*
 * After the process ended: the power goes.  Any subset of what was not synced
 * is lost: pages (or sectors), sizes, names.
 */
void fake_disk_power_cut(uint64_t seed);

/* The disk as bytes (malloc), and back. */
void *fake_disk_save(size_t *n);
void fake_disk_restore(const void *saved, size_t n);

/* Walks the files (not LMDB's): their paths and sizes. */
void fake_disk_each(void (*each)(void *ctx, const char *path, int64_t size), void *ctx);

/* Bytes of a file as they lie there, to be looked at and changed; -1: no such file. */
int fake_disk_peek(const char *path, int64_t pos, uint8_t *to, size_t n);
int fake_disk_poke(const char *path, int64_t pos, const uint8_t *from, size_t n);

#endif
