/*
 * poller_fake.h -- what tests tell the poller that tests/fake/poller.c fakes.
 *
 * It knows one kind of event: that jobs of the fake workers can be gone on with,
 * which it tells, or not yet, as the seed has it.  Where nothing can, the fake
 * clock goes on to the end of the wait.
 */
#ifndef FAKE_POLLER_FAKE_H
#define FAKE_POLLER_FAKE_H

#include <stdint.h>

/* Begins a new order of events, in which of 100 waits so many end before jobs go on that could. */
void fake_poller_begin(uint64_t seed, unsigned late);

#endif
