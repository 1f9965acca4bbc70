/* file.c -- files, whole or not at all: the operating system's side. */
#include "plat/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* 0: it is a regular file. */
static int
why_no_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return errno;
	return S_ISREG(st.st_mode) ? 0 : ENOTSUP;
}

int
file_open(const char *path, enum file_mode mode)
{
	static const int flags[] = {
		[FILE_READ] = O_RDONLY,
		[FILE_WRITE] = O_RDWR,
		[FILE_CREATE] = O_RDWR | O_CREAT,
		[FILE_CREATE_NEW] = O_RDWR | O_CREAT | O_EXCL,
	};
	int fd, error;

	/* Not to wait where a pipe or a device stands in the place of a file. */
	do
		fd = open(path, flags[mode] | O_CLOEXEC | O_NONBLOCK, 0640);
	while (fd == -1 && errno == EINTR);
	if (fd == -1 || (error = why_no_file(fd)) == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

void
file_close(int fd)
{
	close(fd);
}

int64_t
file_read(int fd, void *to, size_t n, int64_t pos)
{
	size_t got = 0;

	while (got < n) {
		ssize_t k = pread(fd, (char *)to + got, n - got, pos + (int64_t)got);

		if (k == 0)
			break;
		if (k == -1 && errno != EINTR)
			return -1;
		if (k > 0)
			got += (size_t)k;
	}
	return (int64_t)got;
}

int64_t
file_read_nowait(int fd, void *to, size_t n, int64_t pos)
{
	struct iovec iov = { to, n };
	ssize_t k;

	do
		k = preadv2(fd, &iov, 1, pos, RWF_NOWAIT);
	while (k == -1 && errno == EINTR);
	/* A filesystem that does not know the flag: let a thread wait instead. */
	if (k == -1 && errno == EOPNOTSUPP)
		errno = EAGAIN;
	return k;
}

int
file_writev(int fd, struct iovec *iov, int n_iov, int64_t pos)
{
	while (n_iov > 0) {
		ssize_t k = pwritev(fd, iov, n_iov > IOV_MAX ? IOV_MAX : n_iov, pos);

		if (k == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		pos += k;
		while (n_iov > 0 && (size_t)k >= iov->iov_len) {
			k -= (ssize_t)iov->iov_len;
			iov++;
			n_iov--;
		}
		if (n_iov > 0) {
			iov->iov_base = (char *)iov->iov_base + k;
			iov->iov_len -= (size_t)k;
		}
	}
	return 0;
}

int
file_write(int fd, const void *from, size_t n, int64_t pos)
{
	struct iovec iov = { (void *)(uintptr_t)from, n };

	return file_writev(fd, &iov, n == 0 ? 0 : 1, pos);
}

void
file_sync_begin(int fd)
{
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int
file_sync(int fd)
{
	int r;

	/* EINTR comes before anything was tried; any other failure is final. */
	do
		r = fdatasync(fd);
	while (r == -1 && errno == EINTR);
	return r;
}

int64_t
file_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) == -1 ? -1 : (int64_t)st.st_size;
}

int
file_truncate(int fd, int64_t size)
{
	int r;

	do
		r = ftruncate(fd, size);
	while (r == -1 && errno == EINTR);
	return r;
}

int
file_rename(const char *from, const char *to)
{
	return rename(from, to);
}

int
file_link(const char *from, const char *to)
{
	return link(from, to);
}

int
file_unlink(const char *path)
{
	return unlink(path);
}

bool
file_is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

int
file_mkdir(const char *path)
{
	return mkdir(path, 0750) == -1 && errno != EEXIST ? -1 : 0;
}

int
file_rmdir(const char *path)
{
	return rmdir(path);
}

static int
open_folder(const char *path)
{
	int fd;

	do
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd == -1 && errno == EINTR);
	return fd;
}

int
file_sync_dir(const char *path)
{
	int fd = open_folder(path), r, saved;

	if (fd == -1)
		return -1;
	do
		r = fsync(fd);
	while (r == -1 && errno == EINTR);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

int
file_list(const char *path, int (*each)(void *, const char *), void *ctx)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int r = 0, saved;

	if (dir == NULL)
		return -1;
	while (r == 0 && (errno = 0, e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = each(ctx, e->d_name);
	if (r == 0 && errno != 0)
		r = -1;
	saved = errno;
	closedir(dir);
	errno = saved;
	return r;
}

static int
lock(const char *folder, int how)
{
	int fd = open_folder(folder), saved;

	if (fd == -1)
		return -1;
	if (flock(fd, how | LOCK_NB) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
file_lock(const char *folder)
{
	return lock(folder, LOCK_EX);
}

int
file_lock_shared(const char *folder)
{
	return lock(folder, LOCK_SH);
}

int
file_random(void *to, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t k = getrandom((char *)to + got, n - got, 0);

		if (k == -1 && errno != EINTR)
			return -1;
		if (k > 0)
			got += (size_t)k;
	}
	return 0;
}

int
file_space(const char *path, int64_t *total, int64_t *free_bytes)
{
	struct statvfs s;

	if (statvfs(path, &s) == -1)
		return -1;
	*total = (int64_t)s.f_blocks * (int64_t)s.f_frsize;
	*free_bytes = (int64_t)s.f_bavail * (int64_t)s.f_frsize;
	return 0;
}
