/* worker_test.c -- threads that work by messages. */
#include "plat/worker.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "unit/unit.h"

struct task {
	struct job job;
	int number;
	int runs;  /* written by the thread, read by the owner after done */
	int dones;
	pthread_t ran_on;
};

static struct mailbox *box;
static int order[1000];     /* numbers as they ran; one thread only */
static atomic_int n_order;
static int n_done;
static pthread_t owner;

static struct task *
task_of(struct job *job)
{
	return container_of(job, struct task, job);
}

static void
run(struct job *job)
{
	struct task *t = task_of(job);

	t->runs++;
	t->ran_on = pthread_self();
}

static void
run_in_order(struct job *job)
{
	order[n_order++] = task_of(job)->number;
	run(job);
}

static void
done(struct job *job)
{
	task_of(job)->dones++;
	CU_ASSERT(pthread_equal(pthread_self(), owner));
	n_done++;
}

static void
begin(void)
{
	box = mailbox_new();
	owner = pthread_self();
	n_order = n_done = 0;
}

static struct task *
init(struct task *t, int number, void (*fn)(struct job *))
{
	*t = (struct task){ .number = number, .job = { .run = fn, .done = done } };
	return t;
}

static void
until_done(int n)
{
	while (n_done < n) {
		mailbox_wait(box);
		mailbox_run(box);
	}
}

static void
job_runs_elsewhere_and_is_done_here(void)
{
	struct workers *w;
	struct task t;

	begin();
	w = workers_new("test", 1, box);
	workers_submit(w, &init(&t, 0, run)->job);
	until_done(1);
	CU_ASSERT(t.runs == 1 && t.dones == 1);
	CU_ASSERT(!pthread_equal(t.ran_on, owner));
	CU_ASSERT_PTR_EQUAL(t.job.workers, w);
	CU_ASSERT_EQUAL(mailbox_run(box), 0);
	workers_free(w);
	mailbox_free(box);
}

static void
one_thread_keeps_the_order(void)
{
	struct workers *w;
	struct task t[1000];
	int i;

	begin();
	w = workers_new("test", 1, box);
	for (i = 0; i < 1000; i++)
		workers_submit(w, &init(&t[i], i, run_in_order)->job);
	until_done(1000);
	for (i = 0; i < 1000; i++)
		CU_ASSERT_FATAL(order[i] == i && t[i].runs == 1 && t[i].dones == 1);
	workers_free(w);
	mailbox_free(box);
}

static pthread_barrier_t meeting;

static void
meet(struct job *job)
{
	pthread_barrier_wait(&meeting);
	run(job);
}

/*
 * Would hang with fewer threads: each job waits for the three others.  The job
 * before leaves one thread that is idle already, and is not enough.
 */
static void
group_of_n_runs_n_jobs_at_once(void)
{
	struct workers *w;
	struct task t[4];
	int i, round;

	begin();
	CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&meeting, NULL, 4), 0);
	for (round = 0; round < 50; round++) {
		w = workers_new("test", 4, box);
		workers_submit(w, &init(&t[0], 0, run)->job);
		until_done(5 * round + 1);
		for (i = 0; i < 4; i++)
			workers_submit(w, &init(&t[i], i, meet)->job);
		until_done(5 * round + 5);
		workers_free(w);
	}
	mailbox_free(box);
	pthread_barrier_destroy(&meeting);
}

static void
fd_is_readable_while_finished_jobs_wait(void)
{
	struct workers *w;
	struct task t;
	struct pollfd p = { .events = POLLIN };

	begin();
	p.fd = mailbox_fd(box);
	w = workers_new("test", 1, box);
	CU_ASSERT_EQUAL(poll(&p, 1, 0), 0);
	workers_submit(w, &init(&t, 0, run)->job);
	CU_ASSERT_EQUAL(poll(&p, 1, -1), 1);
	CU_ASSERT_EQUAL(mailbox_run(box), 1);
	CU_ASSERT_EQUAL(poll(&p, 1, 0), 0);
	workers_free(w);
	mailbox_free(box);
}

static void
free_runs_what_is_queued_and_leaves_it_to_be_done(void)
{
	struct workers *w;
	struct task t[100];
	int i;

	begin();
	w = workers_new("test", 2, box);
	for (i = 0; i < 100; i++)
		workers_submit(w, &init(&t[i], i, run)->job);
	workers_free(w);
	for (i = 0; i < 100; i++)
		CU_ASSERT(t[i].runs == 1 && t[i].dones == 0);
	until_done(100);
	for (i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(t[i].dones, 1);
	mailbox_free(box);
}

static void
group_that_never_worked_ends_at_once(void)
{
	begin();
	workers_free(workers_new("test", 8, box));
	CU_ASSERT_EQUAL(mailbox_run(box), 0);
	mailbox_free(box);
}

static char name[32];
static bool all_blocked;

static void
look_around(struct job *job)
{
	sigset_t set;
	int s;

	pthread_getname_np(pthread_self(), name, sizeof name);
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	all_blocked = true;
	for (s = 1; s < 32; s++)
		if (s != SIGKILL && s != SIGSTOP && sigismember(&set, s) == 0)
			all_blocked = false;
	run(job);
}

static void
threads_have_a_name_and_no_signals(void)
{
	struct workers *w;
	struct task t;
	sigset_t set;

	begin();
	w = workers_new("a name longer than Linux keeps", 1, box);
	workers_submit(w, &init(&t, 0, look_around)->job);
	until_done(1);
	CU_ASSERT_STRING_EQUAL(name, "a name longer t");
	CU_ASSERT(all_blocked);
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	CU_ASSERT_EQUAL(sigismember(&set, SIGTERM), 0);
	workers_free(w);
	mailbox_free(box);
}

/* A job that is handed on and on, as a commit that finds more to commit. */
struct relay {
	struct task task;
	struct workers *groups[3];
	int left;
};

static void
pass_on(struct job *job)
{
	struct relay *r = container_of(task_of(job), struct relay, task);

	done(job);
	if (--r->left > 0)
		workers_submit(r->groups[r->left % 3], job);
}

static void
done_may_submit_again(void)
{
	enum { RELAYS = 20, LAPS = 300 };
	static struct relay r[RELAYS];
	struct workers *w[3];
	int i;

	begin();
	for (i = 0; i < 3; i++)
		w[i] = workers_new("test", i + 1, box);
	for (i = 0; i < RELAYS; i++) {
		init(&r[i].task, i, run);
		r[i].task.job.done = pass_on;
		r[i].left = LAPS;
		memcpy(r[i].groups, w, sizeof w);
		workers_submit(w[i % 3], &r[i].task.job);
	}
	until_done(RELAYS * LAPS);
	for (i = 0; i < RELAYS; i++)
		CU_ASSERT(r[i].task.runs == LAPS && r[i].task.dones == LAPS);
	for (i = 0; i < 3; i++)
		workers_free(w[i]);
	mailbox_free(box);
}

static struct task inner;

static void
wait_within(struct job *job)
{
	done(job);
	workers_submit(job->workers, &init(&inner, 1, run)->job);
	while (inner.dones == 0) {
		mailbox_wait(box);
		mailbox_run(box);
	}
}

static void
done_may_wait_for_other_jobs(void)
{
	struct workers *w;
	struct task t[3];
	int i;

	begin();
	w = workers_new("test", 1, box);
	for (i = 0; i < 3; i++)
		init(&t[i], i, run);
	t[0].job.done = wait_within;
	for (i = 0; i < 3; i++)
		workers_submit(w, &t[i].job);
	until_done(4);
	CU_ASSERT(t[0].dones == 1 && t[1].dones == 1 && t[2].dones == 1 && inner.dones == 1);
	workers_free(w);
	mailbox_free(box);
}

const struct unit_test worker_tests[] = {
	UNIT(job_runs_elsewhere_and_is_done_here),
	UNIT(one_thread_keeps_the_order),
	UNIT(group_of_n_runs_n_jobs_at_once),
	UNIT(fd_is_readable_while_finished_jobs_wait),
	UNIT(free_runs_what_is_queued_and_leaves_it_to_be_done),
	UNIT(group_that_never_worked_ends_at_once),
	UNIT(threads_have_a_name_and_no_signals),
	UNIT(done_may_submit_again),
	UNIT(done_may_wait_for_other_jobs),
	UNIT_END
};
