/*
 * worker.c -- threads that do what would block the loop.
 *
 * Both ways are a list under a mutex.  Whoever puts something into it wakes
 * the other side after letting go of the mutex, so that the woken thread does
 * not run into it; and an eventfd is written once for all jobs that finish
 * until the owner looks.
 */
#include "plat/worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/xalloc.h"

enum {
	STACK_BYTES = 256 * 1024,
	NAME_BYTES = 16 /* as much as Linux keeps of a thread's name */
};

struct mailbox {
	pthread_mutex_t lock;
	struct list finished; /* guarded by lock; fd is signalled when it stops being empty */
	struct list taken;    /* the owner's: jobs whose done() is still to be called */
	int fd;
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct list queue;  /* guarded by lock, as all up to `stopping` */
	int n_queued;
	int n_idle;         /* threads that wait for work */
	bool stopping;
	struct mailbox *mailbox;
	pthread_t *threads; /* owned; n_threads of n_max run */
	int n_threads, n_max;
	char name[NAME_BYTES];
};

struct mailbox *
mailbox_new(void)
{
	struct mailbox *m = xcalloc(1, sizeof *m);

	must(pthread_mutex_init(&m->lock, NULL) == 0);
	list_init(&m->finished);
	list_init(&m->taken);
	if ((m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1) {
		diag_error("no descriptor for worker threads, so the process ends; raise the limit of open files",
		    "errno=\"%s\"", strerror(errno));
		_exit(EXIT_FAILURE);
	}
	return m;
}

void
mailbox_free(struct mailbox *m)
{
	if (m == NULL)
		return;
	close(m->fd);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

int
mailbox_fd(const struct mailbox *m)
{
	return m->fd;
}

/* From now on a job that finishes signals anew. */
static void
clear_signal(struct mailbox *m)
{
	uint64_t count;

	must(read(m->fd, &count, sizeof count) == sizeof count || errno == EAGAIN);
}

/* Moves what has finished to where only the owner looks; false when there is nothing. */
static bool
take_finished(struct mailbox *m)
{
	pthread_mutex_lock(&m->lock);
	list_move_all(&m->taken, &m->finished);
	pthread_mutex_unlock(&m->lock);
	return !list_empty(&m->taken);
}

int
mailbox_run(struct mailbox *m)
{
	struct job *job;
	int n = 0;

	/* In this order: a signal that is cleared here is for a job that is taken here. */
	clear_signal(m);
	take_finished(m);
	while ((job = list_first(&m->taken, struct job, link)) != NULL) {
		list_del(&job->link);
		n++;
		job->done(job);
	}
	return n;
}

void
mailbox_wait(struct mailbox *m)
{
	struct pollfd p = { .fd = m->fd, .events = POLLIN };

	while (!take_finished(m)) {
		must(poll(&p, 1, -1) == 1 || errno == EINTR);
		clear_signal(m);
	}
}

/* Sends a job home. */
static void
post(struct mailbox *m, struct job *job)
{
	uint64_t one = 1;
	bool first;

	pthread_mutex_lock(&m->lock);
	first = list_empty(&m->finished);
	list_add(&m->finished, &job->link);
	pthread_mutex_unlock(&m->lock);
	if (first)
		must(write(m->fd, &one, sizeof one) == sizeof one);
}

/* The next job, or NULL when the group ends. */
static struct job *
next_job(struct workers *w)
{
	struct job *job;

	pthread_mutex_lock(&w->lock);
	w->n_idle++;
	while (list_empty(&w->queue) && !w->stopping)
		pthread_cond_wait(&w->work, &w->lock);
	w->n_idle--;
	if ((job = list_first(&w->queue, struct job, link)) != NULL) {
		list_del(&job->link);
		w->n_queued--;
	}
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void *
work(void *arg)
{
	struct workers *w = arg;
	struct job *job;

	pthread_setname_np(pthread_self(), w->name);
	while ((job = next_job(w)) != NULL) {
		job->run(job);
		post(w->mailbox, job);
	}
	return NULL;
}

struct workers *
workers_new(const char *name, int n, struct mailbox *m)
{
	struct workers *w = xcalloc(1, sizeof *w);

	must(n >= 1);
	must(pthread_mutex_init(&w->lock, NULL) == 0);
	must(pthread_cond_init(&w->work, NULL) == 0);
	list_init(&w->queue);
	w->mailbox = m;
	w->threads = xcalloc((size_t)n, sizeof *w->threads);
	w->n_max = n;
	snprintf(w->name, sizeof w->name, "%s", name);
	return w;
}

void
workers_free(struct workers *w)
{
	int i;

	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_mutex_unlock(&w->lock);
	pthread_cond_broadcast(&w->work);
	for (i = 0; i < w->n_threads; i++)
		must(pthread_join(w->threads[i], NULL) == 0);
	must(list_empty(&w->queue));
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w);
}

/*
 * One more thread.  Signals are for the owner's thread, so that they find it
 * in its wait.  When the system gives no more, those that run must do; with none,
 * nobody would ever do the job, and the process ends as by a signal, yet with a status.
 */
static void
start_thread(struct workers *w)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int err;

	must(pthread_attr_init(&attr) == 0);
	must(pthread_attr_setstacksize(&attr, STACK_BYTES) == 0);
	sigfillset(&all);
	must(pthread_sigmask(SIG_SETMASK, &all, &old) == 0);
	err = pthread_create(&w->threads[w->n_threads], &attr, work, w);
	must(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
	pthread_attr_destroy(&attr);
	if (err == 0) {
		w->n_threads++;
		return;
	}
	diag_error("worker thread could not be started; raise the limit of processes and threads, or of memory",
	    "group=%s running=%d errno=\"%s\"", w->name, w->n_threads, strerror(err));
	if (w->n_threads == 0)
		_exit(EXIT_FAILURE);
}

void
workers_submit(struct workers *w, struct job *job)
{
	bool short_of_threads, sleeper;

	job->workers = w;
	pthread_mutex_lock(&w->lock);
	list_add(&w->queue, &job->link);
	w->n_queued++;
	sleeper = w->n_idle > 0;
	short_of_threads = w->n_queued > w->n_idle && w->n_threads < w->n_max;
	pthread_mutex_unlock(&w->lock);
	if (sleeper)
		pthread_cond_signal(&w->work);
	if (short_of_threads)
		start_thread(w);
}
