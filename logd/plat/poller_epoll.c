/* poller_epoll.c -- waiting for descriptors with Linux's epoll. */
#include "plat/poller.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/must.h"
#include "base/xalloc.h"

enum { BATCH_MAX = 256 };

struct poller {
	int fd;
	int wake_fd; /* an eventfd, watched with a NULL `of` */
	struct epoll_event batch[BATCH_MAX];
};

static uint32_t
to_epoll(unsigned events)
{
	return (events & POLLER_READ ? (uint32_t)EPOLLIN : 0) |
	    (events & POLLER_WRITE ? (uint32_t)EPOLLOUT : 0);
}

static unsigned
from_epoll(uint32_t events)
{
	return (events & EPOLLIN ? POLLER_READ : 0u) |
	    (events & EPOLLOUT ? POLLER_WRITE : 0u) |
	    (events & (EPOLLHUP | EPOLLERR) ? POLLER_HANGUP : 0u);
}

static int
control(struct poller *p, int op, int fd, unsigned events, void *of)
{
	struct epoll_event e = { .events = to_epoll(events), .data.ptr = of };

	return epoll_ctl(p->fd, op, fd, &e);
}

struct poller *
poller_new(void)
{
	struct poller *p = xcalloc(1, sizeof *p);
	int err;

	if ((p->fd = epoll_create1(EPOLL_CLOEXEC)) == -1)
		goto fail_epoll;
	if ((p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		goto fail_wake;
	if (control(p, EPOLL_CTL_ADD, p->wake_fd, POLLER_READ, NULL) == -1)
		goto fail_watch;
	return p;

fail_watch:
	err = errno;
	close(p->wake_fd);
	errno = err;
fail_wake:
	err = errno;
	close(p->fd);
	errno = err;
fail_epoll:
	err = errno;
	free(p);
	errno = err;
	return NULL;
}

void
poller_free(struct poller *p)
{
	if (p == NULL)
		return;
	close(p->wake_fd);
	close(p->fd);
	free(p);
}

int
poller_add(struct poller *p, int fd, unsigned events, void *of)
{
	must(of != NULL);
	return control(p, EPOLL_CTL_ADD, fd, events, of);
}

void
poller_set(struct poller *p, int fd, unsigned events, void *of)
{
	must(control(p, EPOLL_CTL_MOD, fd, events, of) == 0);
}

void
poller_del(struct poller *p, int fd)
{
	must(control(p, EPOLL_CTL_DEL, fd, 0, NULL) == 0);
}

int
poller_wait(struct poller *p, struct poller_event *out, int max, int64_t timeout_ms)
{
	int timeout = timeout_ms < 0 ? -1 : timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
	int i, got, n = 0;

	got = epoll_wait(p->fd, p->batch, max < BATCH_MAX ? max : BATCH_MAX, timeout);
	must(got >= 0 || errno == EINTR);
	for (i = 0; i < got; i++) {
		const struct epoll_event *e = &p->batch[i];
		uint64_t count;

		if (e->data.ptr != NULL)
			out[n++] = (struct poller_event){ e->data.ptr, from_epoll(e->events) };
		else
			must(read(p->wake_fd, &count, sizeof count) == sizeof count);
	}
	return n;
}

void
poller_wake(struct poller *p)
{
	uint64_t one = 1;
	int err = errno;
	ssize_t n;

	/* EAGAIN: 2^64 - 2 calls are pending, which wakes as well. */
	n = write(p->wake_fd, &one, sizeof one);
	(void)n;
	errno = err;
}
