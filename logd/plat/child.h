/*
 * child.h -- work in a process of its own, since it may be the end of it.
 *
 * For libraries that end the process, or lose their way, where what they read is
 * damaged.  The caller has no threads.
 */
#ifndef PLAT_CHILD_H
#define PLAT_CHILD_H

#include "base/buf.h"

/*
 * Runs it in a copy of this process, and appends what it writes to `out` to `said`.
 * 0: it came back; 1: the process ended before; -1 with errno: there could be none.
 * What it says on standard error is lost.
 */
int child_run(void (*run)(void *ctx, int out), void *ctx, struct buf *said);

#endif
