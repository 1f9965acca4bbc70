/*
 * worker_fake.h -- what tests tell the workers that tests/fake/worker.c fakes.
 *
 * There are no threads.  A submitted job waits; mailbox_run() lets things
 * happen in an order that threads could have brought about, chosen by the
 * seed, until one job is done: the same seed gives the same order.
 */
#ifndef FAKE_WORKER_FAKE_H
#define FAKE_WORKER_FAKE_H

#include <stdbool.h>
#include <stdint.h>

/* Begins a new order of events. */
void fake_worker_seed(uint64_t);

/* Whether a job is under way: mailbox_run() would let something happen. */
bool fake_worker_busy(void);

/*
 * A crash: jobs that are not done never will be.  Those that have run have had
 * their effect.  Their memory is left as it is.
 */
void fake_worker_drop_all(void);

#endif
