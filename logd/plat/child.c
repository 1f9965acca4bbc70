/* child.c -- work in a process of its own. */
#include "plat/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEP = 64 * 1024, CAME_BACK = 42 };

static _Noreturn void
be_child(void (*run)(void *, int), void *ctx, int out)
{
	struct rlimit none = { 0, 0 };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* Its end is expected: no more of it than that. */
	setrlimit(RLIMIT_CORE, &none);
	if (null != -1)
		dup2(null, STDERR_FILENO);
	run(ctx, out);
	_exit(CAME_BACK);
}

static void
read_all(int fd, struct buf *said)
{
	uint8_t *room;
	ssize_t n;

	while ((room = buf_room(said, STEP)) != NULL && ((n = read(fd, room, STEP)) > 0 || (n == -1 && errno == EINTR)))
		said->n += n > 0 ? (size_t)n : 0;
}

int
child_run(void (*run)(void *, int), void *ctx, struct buf *said)
{
	int ends[2], status = 0, saved;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	if ((pid = fork()) == 0) {
		close(ends[0]);
		be_child(run, ctx, ends[1]);
	}
	saved = errno;
	close(ends[1]);
	if (pid != -1)
		read_all(ends[0], said);
	close(ends[0]);
	errno = saved;
	if (pid == -1)
		return -1;
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == CAME_BACK ? 0 : 1;
}
