/*
 * worker.c -- the workers of plat/worker.h without threads.
 *
 * Running a job and telling its owner are two steps, and any two steps of
 * different jobs may come in either order, but for what the header promises: a
 * group of one runs its jobs, and tells of them, in order; a group of n takes
 * its jobs in order, and has at most n of them at hand.
 */
#include "plat/worker.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/xalloc.h"
#include "fake/worker_fake.h"
#include "unit/base/random.h"

struct mailbox {
	struct list link;     /* in `mailboxes` */
	struct list groups;
	struct list orphans;  /* finished jobs of groups that have ended */
};

struct workers {
	struct list link;     /* in the mailbox's groups */
	struct mailbox *mailbox;
	struct list queue;    /* submitted */
	struct list finished; /* run, not done */
	int n_max;
};

static struct list mailboxes = { &mailboxes, &mailboxes };
static uint64_t state;

/* Dropped jobs: nobody else may know them any more, and a leak checker should
 * not blame the code under test for what a crash leaves behind. */
static struct job **dropped;
static size_t n_dropped;

void
fake_worker_seed(uint64_t seed)
{
	state = seed;
}

static size_t
below(size_t n)
{
	return random_below(&state, n);
}

struct mailbox *
mailbox_new(void)
{
	struct mailbox *m = xcalloc(1, sizeof *m);

	list_init(&m->groups);
	list_init(&m->orphans);
	list_add(&mailboxes, &m->link);
	return m;
}

void
mailbox_free(struct mailbox *m)
{
	if (m == NULL)
		return;
	must(list_empty(&m->groups) && list_empty(&m->orphans));
	list_del(&m->link);
	free(m);
}

int
mailbox_fd(const struct mailbox *m)
{
	(void)m;
	return -1;
}

/* One thing that may happen next: a job that is run, or one whose owner is told. */
struct step {
	struct job *job;
	bool run;
};

/*
 * The i-th of the steps that are possible, and how many there are; i beyond
 * them just counts.
 */
static size_t
possible(const struct mailbox *m, size_t i, bool runs_only, struct step *step)
{
	size_t n = 0;

	list_each(it, &m->orphans)
		if (!runs_only && n++ == i)
			*step = (struct step){ container_of(it, struct job, link), false };
	list_each(g, &m->groups) {
		struct workers *w = container_of(g, struct workers, link);
		int at_hand = 0;

		list_each(it, &w->queue)
			if (at_hand++ < w->n_max && n++ == i)
				*step = (struct step){ container_of(it, struct job, link), true };
		list_each(it, &w->finished)
			if (!runs_only && (w->n_max > 1 || it == w->finished.next) && n++ == i)
				*step = (struct step){ container_of(it, struct job, link), false };
	}
	return n;
}

static void
run(struct job *job)
{
	list_del(&job->link);
	job->run(job);
	list_add(&job->workers->finished, &job->link);
}

int
mailbox_run(struct mailbox *m)
{
	struct step step;
	size_t n;

	while ((n = possible(m, SIZE_MAX, false, &step)) > 0) {
		possible(m, below(n), false, &step);
		if (!step.run) {
			list_del(&step.job->link);
			step.job->done(step.job);
			return 1;
		}
		run(step.job);
	}
	return 0;
}

bool
fake_worker_busy(void)
{
	struct step step;

	list_each(it, &mailboxes)
		if (possible(container_of(it, struct mailbox, link), SIZE_MAX, false, &step) > 0)
			return true;
	return false;
}

static bool
any_finished(const struct mailbox *m)
{
	list_each(g, &m->groups)
		if (!list_empty(&container_of(g, struct workers, link)->finished))
			return true;
	return !list_empty(&m->orphans);
}

void
mailbox_wait(struct mailbox *m)
{
	struct step step;

	while (!any_finished(m)) {
		size_t n = possible(m, SIZE_MAX, true, &step);

		must(n > 0); /* a wait that would never end */
		possible(m, below(n), true, &step);
		run(step.job);
	}
}

struct workers *
workers_new(const char *name, int n, struct mailbox *m)
{
	struct workers *w = xcalloc(1, sizeof *w);

	(void)name;
	must(n >= 1);
	w->mailbox = m;
	w->n_max = n;
	list_init(&w->queue);
	list_init(&w->finished);
	list_add(&m->groups, &w->link);
	return w;
}

void
workers_free(struct workers *w)
{
	struct job *job;

	if (w == NULL)
		return;
	while ((job = list_first(&w->queue, struct job, link)) != NULL)
		run(job);
	list_move_all(&w->mailbox->orphans, &w->finished);
	list_del(&w->link);
	free(w);
}

void
workers_submit(struct workers *w, struct job *job)
{
	job->workers = w;
	list_add(&w->queue, &job->link);
}

static void
drop(struct list *jobs)
{
	struct job *job;

	while ((job = list_first(jobs, struct job, link)) != NULL) {
		list_del(&job->link);
		dropped = xrealloc(dropped, (n_dropped + 1) * sizeof(struct job *));
		dropped[n_dropped++] = job;
	}
}

void
fake_worker_drop_all(void)
{
	list_each(it, &mailboxes) {
		struct mailbox *m = container_of(it, struct mailbox, link);

		drop(&m->orphans);
		list_each(g, &m->groups) {
			drop(&container_of(g, struct workers, link)->queue);
			drop(&container_of(g, struct workers, link)->finished);
		}
	}
}
