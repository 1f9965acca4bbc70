/* poller.c -- the poller of plat/poller.h where the only descriptor is the fake mailbox's. */
#include "plat/poller.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/xalloc.h"
#include "fake/clock_fake.h"
#include "fake/poller_fake.h"
#include "fake/worker_fake.h"
#include "unit/base/random.h"

enum { LATE_MS = 20 }; /* so long a job may seem to take in one round */

struct poller {
	void *of; /* who watches the mailbox; NULL: nobody */
	bool woken;
};

static uint64_t state;
static int64_t late;

void
fake_poller_begin(uint64_t seed, unsigned late_percent)
{
	state = seed;
	late = late_percent;
}

static int64_t
below(int64_t n)
{
	return (int64_t)random_below(&state, (size_t)n);
}

struct poller *
poller_new(void)
{
	return xcalloc(1, sizeof(struct poller));
}

void
poller_free(struct poller *p)
{
	free(p);
}

int
poller_add(struct poller *p, int fd, unsigned events, void *of)
{
	(void)events;
	must(fd == -1 && p->of == NULL); /* a mailbox, the only one */
	p->of = of;
	return 0;
}

void
poller_set(struct poller *p, int fd, unsigned events, void *of)
{
	(void)fd;
	(void)events;
	p->of = of;
}

void
poller_del(struct poller *p, int fd)
{
	(void)fd;
	p->of = NULL;
}

int
poller_wait(struct poller *p, struct poller_event *events, int max, int64_t timeout_ms)
{
	bool busy = p->of != NULL && fake_worker_busy();
	int64_t late_ms = timeout_ms >= 0 && timeout_ms < LATE_MS ? timeout_ms : LATE_MS;

	must(max > 0);
	if (p->woken) {
		p->woken = false;
		return 0;
	}
	if (busy && below(100) >= late) {
		events[0] = (struct poller_event){ p->of, POLLER_READ };
		return 1;
	}
	must(busy || timeout_ms >= 0); /* a wait that would never end */
	fake_clock_advance(busy ? below(late_ms + 1) : timeout_ms);
	return 0;
}

void
poller_wake(struct poller *p)
{
	p->woken = true;
}
