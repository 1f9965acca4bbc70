/* listen_test.c -- sockets in the file system. */
#include "common/listen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/diag.h"
#include "unit/unit.h"

static char folder[64], path[80], said[512];

static void
hear(const char *line, size_t n)
{
	n = n < sizeof said - 1 ? n : sizeof said - 1;
	memcpy(said, line, n);
	said[n] = '\0';
}

static void
begin(void)
{
	snprintf(folder, sizeof folder, "/tmp/weir-listen-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/s", folder);
	said[0] = '\0';
	diag_set_sink(hear);
}

static void
end(void)
{
	diag_set_sink(NULL);
	unlink(path);
	CU_ASSERT_EQUAL(rmdir(folder), 0);
}

/* The error of a connect; 0 when it worked.  The connection is left open in *fd. */
static int
knock(int *fd)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	strcpy(at.sun_path, path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	return connect(*fd, (struct sockaddr *)&at, sizeof at) == 0 ? 0 : errno;
}

static void
the_socket_is_for_owner_and_group(void)
{
	struct stat st;
	int fd, peer;

	begin();
	fd = listen_open(path);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT(stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0660);
	CU_ASSERT_EQUAL(knock(&peer), 0);
	close(peer);
	close(fd);
	end();
}

static void
what_a_dead_process_left_is_taken_over(void)
{
	int fd;

	begin();
	CU_ASSERT_FATAL((fd = listen_open(path)) >= 0);
	close(fd);
	CU_ASSERT((fd = listen_open(path)) >= 0);
	close(fd);
	end();
}

static void
what_a_live_process_listens_at_is_left(void)
{
	int fd, peer;

	begin();
	CU_ASSERT_FATAL((fd = listen_open(path)) >= 0);
	CU_ASSERT_EQUAL(listen_open(path), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "another process listens there"));
	CU_ASSERT_EQUAL(knock(&peer), 0);
	close(peer);
	close(fd);
	end();
}

static void
what_is_no_socket_is_left(void)
{
	FILE *file;

	begin();
	CU_ASSERT_PTR_NOT_NULL_FATAL(file = fopen(path, "w"));
	fclose(file);
	CU_ASSERT_EQUAL(listen_open(path), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "no socket"));
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	end();
}

static void
a_long_path_is_refused(void)
{
	char name[200];

	begin();
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	CU_ASSERT_EQUAL(listen_open(name), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "too long"));
	CU_ASSERT_EQUAL(listen_open("/nonexistent/folder/s"), -1);
	end();
}

static void
a_stopped_socket_refuses_and_gives_out_what_waits(void)
{
	char other[96];
	int fd, waits, late, got;

	begin();
	CU_ASSERT_FATAL((fd = listen_open(path)) >= 0);
	CU_ASSERT_EQUAL(knock(&waits), 0);
	/* A second name, to knock at when the path is gone. */
	snprintf(other, sizeof other, "%s2", path);
	CU_ASSERT_EQUAL(link(path, other), 0);
	listen_stop(fd, path);
	CU_ASSERT_EQUAL(knock(&late), ENOENT);
	close(late);
	CU_ASSERT_EQUAL(rename(other, path), 0);
	CU_ASSERT_EQUAL(knock(&late), ECONNREFUSED);
	close(late);
	CU_ASSERT((got = accept(fd, NULL, NULL)) >= 0);
	close(got);
	CU_ASSERT(accept(fd, NULL, NULL) == -1);
	close(waits);
	close(fd);
	end();
}

const struct unit_test listen_tests[] = {
	UNIT(the_socket_is_for_owner_and_group),
	UNIT(what_a_dead_process_left_is_taken_over),
	UNIT(what_a_live_process_listens_at_is_left),
	UNIT(what_is_no_socket_is_left),
	UNIT(a_long_path_is_refused),
	UNIT(a_stopped_socket_refuses_and_gives_out_what_waits),
	UNIT_END
};
