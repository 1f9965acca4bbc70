/*
 * ahead.h -- a thread that reads ahead, so that who sends is not held up by who works
 * on it.
 *
 * nginx needs this: once the answer's head has passed it, it sends the rest of a
 * request's body only as long as it never has to wait for us to read.
 */
#ifndef COMMON_AHEAD_H
#define COMMON_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ahead;

/* Reads up to n bytes, waiting for the first: how many; 0 at the end, -1 after a failure or a signal. */
typedef int64_t ahead_source(void *ctx, void *to, size_t n);

/*
 * Starts to read, at most `max` bytes and a little more ahead of who takes them.  The
 * source is the thread's own until ahead_stop().  Owned; NULL when there can be no thread.
 */
struct ahead *ahead_start(size_t max, ahead_source *, void *ctx);

/* As the source does it.  By one thread. */
int64_t ahead_read(struct ahead *, void *to, size_t n);

/* Whether ahead_read() would not wait, after so many milliseconds at most. */
bool ahead_ready(struct ahead *, int ms);

/* Ends the thread, by SIGUSR1 (of which the process has a handler) if it waits for its source, and frees it. */
void ahead_stop(struct ahead *);

#endif
