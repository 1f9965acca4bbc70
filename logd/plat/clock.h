/*
 * clock.h -- the only reader of clocks.
 *
 * Everything above takes the time as an argument.
 */
#ifndef PLAT_CLOCK_H
#define PLAT_CLOCK_H

#include <stdint.h>

/* Since some moment in the past, never backwards: for deadlines.  Any thread. */
int64_t clock_mono_ns(void);
int64_t clock_mono_ms(void);

/* Since 1970-01-01T00:00Z, may jump: for timestamps in records.  Any thread. */
int64_t clock_wall_ms(void);

#endif
