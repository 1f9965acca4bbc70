/*
 * worker.h -- threads that do what would block the loop, by messages only.
 *
 * A job is handed to a group of threads; one of them calls run(); when that is
 * over the job travels back, and done() is called on the owner's thread, from
 * within mailbox_run().  Between submit and done the job belongs to the thread
 * that runs it, and the owner does not look at it.
 *
 * This header is a seam: tests/fake/worker.c runs jobs in an order that a seed
 * chooses, without threads.
 */
#ifndef PLAT_WORKER_H
#define PLAT_WORKER_H

#include "base/list.h"

struct mailbox;
struct workers;

struct job {
	struct list link;          /* in a queue of ours */
	void (*run)(struct job *);  /* on a thread of the group */
	void (*done)(struct job *); /* on the owner's thread; may free the job */
	struct workers *workers;   /* set by workers_submit() */
};

/* Where finished jobs come back to; one for each owner thread. */
struct mailbox *mailbox_new(void);
void mailbox_free(struct mailbox *); /* all groups that use it are freed before */

/* Readable when finished jobs wait.  For the poller; -1 in the fake. */
int mailbox_fd(const struct mailbox *);

/* Calls done() of all jobs that have finished so far; how many. Owner's thread. */
int mailbox_run(struct mailbox *);

/* Waits until at least one finished job is there.  Owner's thread. */
void mailbox_wait(struct mailbox *);

/*
 * A group of up to `n` threads that return their jobs to the mailbox.  Threads
 * are started when they are first needed.  With n == 1, jobs run in the order
 * in which they were submitted.  `name` shows in ps and gdb.
 */
struct workers *workers_new(const char *name, int n, struct mailbox *);

/* Waits for all jobs to finish running (their done() may be still to come), ends the threads. */
void workers_free(struct workers *);

/* Hands a job over.  Owner's thread. */
void workers_submit(struct workers *, struct job *);

#endif
