/*
 * clock_fake.h -- what tests tell the clocks that tests/fake/clock.c fakes.
 *
 * Time stands still until somebody moves it; tests/fake/poller.c does where a
 * daemon would wait.
 */
#ifndef FAKE_CLOCK_FAKE_H
#define FAKE_CLOCK_FAKE_H

#include <stdint.h>

/* What the two clocks say now. */
void fake_clock_begin(int64_t mono_ms, int64_t wall_ms);

/* Both go on by so much. */
void fake_clock_advance(int64_t ms);

#endif
