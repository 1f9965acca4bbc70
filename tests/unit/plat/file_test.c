/* file_test.c -- files of the real operating system. */
#include "plat/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

/* A folder of this test's own; paths in it. */
static char dir[64];

static const char *
path(const char *name)
{
	static char p[4][128];
	static int turn;
	char *to = p[turn++ % 4];

	snprintf(to, sizeof p[0], "%s/%s", dir, name);
	return to;
}

static void
begin(void)
{
	snprintf(dir, sizeof dir, "/tmp/unit_file.XXXXXX");
	if (mkdtemp(dir) == NULL)
		CU_FAIL_FATAL("no folder to test in");
}

static int
remove_one(void *ctx, const char *name)
{
	(void)ctx;
	return file_unlink(path(name));
}

static void
end(void)
{
	CU_ASSERT_EQUAL(file_list(dir, remove_one, NULL), 0);
	CU_ASSERT_EQUAL(file_rmdir(dir), 0);
}

static void
modes_say_what_must_exist(void)
{
	int fd;

	begin();
	CU_ASSERT(file_open(path("a"), FILE_READ) == -1 && errno == ENOENT);
	CU_ASSERT(file_open(path("a"), FILE_WRITE) == -1 && errno == ENOENT);
	CU_ASSERT_FATAL((fd = file_open(path("a"), FILE_CREATE_NEW)) >= 0);
	file_close(fd);
	CU_ASSERT(file_open(path("a"), FILE_CREATE_NEW) == -1 && errno == EEXIST);
	CU_ASSERT_FATAL((fd = file_open(path("a"), FILE_CREATE)) >= 0);
	CU_ASSERT_EQUAL(file_write(fd, "x", 1, 0), 0);
	file_close(fd);
	CU_ASSERT_FATAL((fd = file_open(path("a"), FILE_READ)) >= 0);
	CU_ASSERT_EQUAL(file_write(fd, "x", 1, 0), -1);
	file_close(fd);
	end();
}

/* Else a pipe that somebody has put there would be waited for, for ever. */
static void
what_is_no_file_is_refused(void)
{
	begin();
	CU_ASSERT_FATAL(mkfifo(path("pipe"), 0600) == 0);
	CU_ASSERT(file_open(path("pipe"), FILE_READ) == -1 && errno == ENOTSUP);
	CU_ASSERT(file_open(path("pipe"), FILE_WRITE) == -1 && errno == ENOTSUP);
	CU_ASSERT(file_open("/dev/null", FILE_READ) == -1 && errno == ENOTSUP);
	CU_ASSERT(file_open(dir, FILE_READ) == -1 && errno == ENOTSUP);
	end();
}

static void
read_gives_what_is_there(void)
{
	char got[8] = "";
	int fd;

	begin();
	CU_ASSERT_FATAL((fd = file_open(path("a"), FILE_CREATE)) >= 0);
	CU_ASSERT_EQUAL(file_write(fd, "abcdef", 6, 2), 0);
	CU_ASSERT_EQUAL(file_size(fd), 8);
	CU_ASSERT_EQUAL(file_read(fd, got, 8, 4), 4);
	CU_ASSERT(memcmp(got, "cdef", 4) == 0);
	CU_ASSERT_EQUAL(file_read(fd, got, 2, 0), 2);
	CU_ASSERT(got[0] == '\0' && got[1] == '\0');
	CU_ASSERT_EQUAL(file_read(fd, got, 8, 8), 0);
	CU_ASSERT_EQUAL(file_read(-1, got, 8, 0), -1);
	file_close(fd);
	end();
}

static void
nowait_read_gives_cached_bytes_or_eagain(void)
{
	char got[8];
	int64_t n;
	int fd;

	begin();
	CU_ASSERT_FATAL((fd = file_open(path("a"), FILE_CREATE)) >= 0);
	CU_ASSERT_EQUAL(file_write(fd, "abcdef", 6, 0), 0);
	n = file_read_nowait(fd, got, 8, 0);
	CU_ASSERT(n == -1 ? errno == EAGAIN : n <= 6 && memcmp(got, "abcdef", (size_t)n) == 0);
	file_close(fd);
	end();
}

static void
writev_writes_more_vectors_than_the_system_takes(void)
{
	enum { N = 3000 };
	static struct iovec iov[N];
	static char got[2 * N + 1];
	int fd, i;

	begin();
	CU_ASSERT_FATAL((fd = file_open(path("a"), FILE_CREATE)) >= 0);
	for (i = 0; i < N; i++)
		iov[i] = (struct iovec){ i % 2 == 0 ? "ab" : "cd", 2 };
	CU_ASSERT_EQUAL(file_writev(fd, iov, N, 0), 0);
	CU_ASSERT_EQUAL_FATAL(file_read(fd, got, sizeof got, 0), 2 * N);
	for (i = 0; i < N; i++)
		CU_ASSERT_FATAL(memcmp(got + 2 * i, i % 2 == 0 ? "ab" : "cd", 2) == 0);
	CU_ASSERT_EQUAL(file_sync(fd), 0);
	file_close(fd);
	end();
}

static void
truncate_cuts_and_extends_with_zeros(void)
{
	char got[8];
	int fd;

	begin();
	CU_ASSERT_FATAL((fd = file_open(path("a"), FILE_CREATE)) >= 0);
	CU_ASSERT_EQUAL(file_write(fd, "abcdef", 6, 0), 0);
	CU_ASSERT_EQUAL(file_truncate(fd, 2), 0);
	CU_ASSERT_EQUAL(file_truncate(fd, 4), 0);
	CU_ASSERT_EQUAL(file_read(fd, got, 8, 0), 4);
	CU_ASSERT(memcmp(got, "ab\0\0", 4) == 0);
	file_close(fd);
	end();
}

static int
count(void *ctx, const char *name)
{
	(void)name;
	++*(int *)ctx;
	return 0;
}

static int
stop_at_once(void *ctx, const char *name)
{
	(void)name;
	++*(int *)ctx;
	return 7;
}

static void
names_can_be_listed_moved_and_removed(void)
{
	int fd, n = 0;

	begin();
	CU_ASSERT_FATAL((fd = file_open(path("a"), FILE_CREATE)) >= 0);
	file_close(fd);
	CU_ASSERT_FATAL((fd = file_open(path("b"), FILE_CREATE)) >= 0);
	file_close(fd);
	CU_ASSERT(file_list(dir, count, &n) == 0 && n == 2);
	CU_ASSERT(file_list(dir, stop_at_once, &n) == 7 && n == 3);
	CU_ASSERT_EQUAL(file_rename(path("a"), path("b")), 0);
	n = 0;
	CU_ASSERT(file_list(dir, count, &n) == 0 && n == 1);
	CU_ASSERT_EQUAL(file_sync_dir(dir), 0);
	CU_ASSERT(file_sync_dir(path("none")) == -1 && errno == ENOENT);
	CU_ASSERT(file_list(path("none"), count, &n) == -1 && errno == ENOENT);
	CU_ASSERT_EQUAL(file_mkdir(path("d")), 0);
	CU_ASSERT_EQUAL(file_mkdir(path("d")), 0);
	CU_ASSERT_EQUAL(file_rmdir(path("d")), 0);
	end();
}

/* What a second process would get, tried in one; the exit status is the errno. */
static int
lock_in_another_process(const char *p)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(file_lock(p) == -1 ? errno : 0);
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WEXITSTATUS(status);
}

static void
lock_keeps_other_processes_out(void)
{
	int fd;

	begin();
	CU_ASSERT_FATAL((fd = file_lock(dir)) >= 0);
	CU_ASSERT_EQUAL(lock_in_another_process(dir), EWOULDBLOCK);
	file_close(fd);
	CU_ASSERT_EQUAL(lock_in_another_process(dir), 0);
	CU_ASSERT(file_lock(path("none")) == -1 && errno == ENOENT);
	end();
}

static void
random_bytes_differ(void)
{
	char a[32] = "", b[32] = "";

	CU_ASSERT_EQUAL(file_random(a, sizeof a), 0);
	CU_ASSERT_EQUAL(file_random(b, sizeof b), 0);
	CU_ASSERT(memcmp(a, b, sizeof a) != 0);
}

static void
space_is_total_and_free(void)
{
	int64_t total, left;

	CU_ASSERT_EQUAL(file_space("/tmp", &total, &left), 0);
	CU_ASSERT(total > 0 && left >= 0 && left <= total);
	CU_ASSERT_EQUAL(file_space("/tmp/none/such", &total, &left), -1);
}

const struct unit_test file_tests[] = {
	UNIT(modes_say_what_must_exist),
	UNIT(what_is_no_file_is_refused),
	UNIT(read_gives_what_is_there),
	UNIT(nowait_read_gives_cached_bytes_or_eagain),
	UNIT(writev_writes_more_vectors_than_the_system_takes),
	UNIT(truncate_cuts_and_extends_with_zeros),
	UNIT(names_can_be_listed_moved_and_removed),
	UNIT(lock_keeps_other_processes_out),
	UNIT(random_bytes_differ),
	UNIT(space_is_total_and_free),
	UNIT_END
};
