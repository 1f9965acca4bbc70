/* listen.c -- a socket in the file system that the web server connects to. */
#include "common/listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/diag.h"

enum { BACKLOG = 1024 };

static int
unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* The error of a connect to the path; 0 when somebody listens there. */
static int
knock(const struct sockaddr_un *at)
{
	int fd = unix_socket(), error = 0;

	if (fd < 0)
		return errno;
	/* A full queue has someone behind it. */
	if (connect(fd, (const struct sockaddr *)at, sizeof *at) != 0 && errno != EAGAIN)
		error = errno;
	close(fd);
	return error;
}

/* Removes the socket of a dead process.  The reason why the path can't be had; NULL: it is free. */
static const char *
clear(const struct sockaddr_un *at)
{
	struct stat st;
	int error;

	if (lstat(at->sun_path, &st) != 0)
		return errno == ENOENT ? NULL : strerror(errno);
	if (!S_ISSOCK(st.st_mode))
		return "there is something that is no socket";
	if ((error = knock(at)) == 0)
		return "another process listens there";
	if (error == ECONNREFUSED && (unlink(at->sun_path) == 0 || errno == ENOENT))
		return NULL;
	return strerror(error == ECONNREFUSED ? errno : error);
}

static int
bind_for_group(int fd, const struct sockaddr_un *at)
{
	mode_t mask = umask(0117);
	int result = bind(fd, (const struct sockaddr *)at, sizeof *at);

	umask(mask);
	return result;
}

int
listen_open(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const char *why = "the path is too long";
	int fd;

	if (strlen(path) < sizeof at.sun_path) {
		strcpy(at.sun_path, path);
		why = clear(&at);
	}
	if (why == NULL) {
		if ((fd = unix_socket()) >= 0 && bind_for_group(fd, &at) == 0 && listen(fd, BACKLOG) == 0)
			return fd;
		why = strerror(errno);
		if (fd >= 0)
			close(fd);
	}
	diag_error("socket not opened", "path=%s reason=\"%s\"", path, why);
	return -1;
}

void
listen_stop(int fd, const char *path)
{
	unlink(path);
	shutdown(fd, SHUT_RD);
}
