/* monotonic.h -- the clock that nobody sets, in the forms in which waits need it.  Any thread. */
#ifndef BASE_MONOTONIC_H
#define BASE_MONOTONIC_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Milliseconds since some time in the past. */
static inline int64_t
monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The time so many (not negative) milliseconds from now, for waits by CLOCK_MONOTONIC. */
static inline struct timespec
monotonic_in(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Milliseconds until then, at least 0. */
static inline int
monotonic_left_ms(const struct timespec *deadline)
{
	struct timespec now = monotonic_in(0);
	int64_t ms = (int64_t)(deadline->tv_sec - now.tv_sec) * 1000 + (deadline->tv_nsec - now.tv_nsec) / 1000000;

	return ms < 0 ? 0 : (int)ms;
}

/* A condition whose timed waits end by this clock. */
static inline void
monotonic_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

#endif
