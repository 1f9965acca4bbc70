/*
 * must.h -- assertions about ourselves.
 *
 * must() is always compiled in.  It states an invariant of our own code; a
 * broken one ends the process, since nothing that follows can be trusted.  It
 * is never applied to bytes from the network or the disk: those get an answer.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include <stddef.h>

#define must(x) \
	((x) ? (void)0 : must_fail(#x, __FILE__, __LINE__, __func__))

/* The same of what can only fail for want of memory: that is no bug, and the end says so. */
#define must_fit(x) \
	((x) ? (void)0 : must_have_memory())

/* The struct that holds `member` at `ptr`. */
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* Prints what was violated and where, then aborts.  Any thread. */
_Noreturn void must_fail(const char *what, const char *file, int line,
    const char *func);

/* Says that memory is short, and what to do; then aborts.  Any thread. */
_Noreturn void must_have_memory(void);

#endif
