/*
 * file.h -- files, whole or not at all.
 *
 * This header is a seam: file.c is the operating system; tests/fake/file.c is
 * a disk in memory that loses what was not synced and fails when told to.
 * The store touches the disk through these functions only (LMDB, whose data is
 * disposable, opens its own files).
 *
 * All functions return 0 or a count, or -1 with errno set.  They retry EINTR
 * and continue short counts.  None is retried by its callers: what a failed
 * write or sync left behind is unknown.  Any thread, unless two write the same
 * bytes.
 */
#ifndef PLAT_FILE_H
#define PLAT_FILE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * Whether an operation failed for want of descriptors: it was not begun, and may
 * succeed later.
 */
static inline bool
file_not_begun(int error)
{
	return error == EMFILE || error == ENFILE;
}

/* The same, or for want of room: what it wrote is unknown, but not what was there before. */
static inline bool
file_lacks(int error)
{
	return file_not_begun(error) || error == ENOSPC || error == EDQUOT;
}

/* What a person can do about an error of the system. */
static inline const char *
file_advice(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
		return "allow more open files, and start again";
	case ENOSPC:
	case EDQUOT:
		return "make room, and start again";
	case EACCES:
	case EPERM:
	case EROFS:
		return "see that the user of this process may read and write there, and start again";
	case ENOMEM:
	case EAGAIN:
		return "allow more memory and processes, and start again";
	case ENOTSUP:
		return "it is no regular file: take it away, and start again";
	case ENOTDIR:
		return "it is no folder: take it away, or name another, and start again";
	default:
		return "see what the system's log says of the disk, mend that, and start again";
	}
}

enum file_mode {
	FILE_READ,       /* must exist */
	FILE_WRITE,      /* read and write; must exist */
	FILE_CREATE,     /* read and write; made when absent */
	FILE_CREATE_NEW  /* read and write; EEXIST when present */
};

/* Opens a regular file (close-on-exec); a descriptor.  ENOTSUP: it is something else. */
int file_open(const char *path, enum file_mode mode);

/* Closes; errors are of no interest after a sync, and tell nothing before. */
void file_close(int fd);

/*
 * Reads `n` bytes at `pos`, or as many as there are before the end of the
 * file: the count.
 */
int64_t file_read(int fd, void *to, size_t n, int64_t pos);

/*
 * The same, if it needs no wait for the disk: else -1 with EAGAIN.  A count
 * below `n` may also mean that the rest would have to be waited for.
 */
int64_t file_read_nowait(int fd, void *to, size_t n, int64_t pos);

/*
 * Writes all of it at `pos`, extending the file where needed.  After -1 the
 * bytes from `pos` on are unknown.  The vectors may be changed by the call.
 */
int file_write(int fd, const void *from, size_t n, int64_t pos);
int file_writev(int fd, struct iovec *iov, int n_iov, int64_t pos);

/*
 * Lets the writing of what is not on the disk begin, without waiting: a hint before
 * file_sync(), which alone tells whether it succeeded.  Many files that are all begun first
 * are synced several times faster than one after another.
 */
void file_sync_begin(int fd);

/* fdatasync: when it returns 0, content and size survive a power cut. */
int file_sync(int fd);

/* Bytes in the file. */
int64_t file_size(int fd);

/* Cuts or extends (with zeros) to this size.  Not durable before file_sync(). */
int file_truncate(int fd, int64_t size);

/* Names.  Not durable before file_sync_dir() of the folder. */
int file_rename(const char *from, const char *to);
int file_link(const char *from, const char *to); /* a second name for the same file */
int file_unlink(const char *path);
bool file_is_link(const char *path); /* a symbolic one; false also where it can't be told */
int file_mkdir(const char *path); /* fine when it is there already */
int file_rmdir(const char *path);

/* Makes the names in a folder survive a power cut. */
int file_sync_dir(const char *path);

/*
 * Calls `each` for every name in the folder but "." and "..", in no order,
 * until it returns non-zero; returns that, 0 at the end, or -1 with errno.
 */
int file_list(const char *path, int (*each)(void *ctx, const char *name), void *ctx);

/*
 * Takes the lock of a folder for this process: a descriptor to keep open, or -1 with
 * EWOULDBLOCK when another process has it.  It is the folder itself that is locked, so
 * that it matters to nobody which files somebody deletes in it.
 */
int file_lock(const char *folder);

/* The same for those who only look: any number of them may have it at a time. */
int file_lock_shared(const char *folder);

/* Fills with bytes that nobody can guess. */
int file_random(void *to, size_t n);

/* Total and free bytes of the filesystem that holds the path. */
int file_space(const char *path, int64_t *total, int64_t *free_bytes);

#endif
