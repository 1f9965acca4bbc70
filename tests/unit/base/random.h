/* random.h -- numbers that look random and are the same each time. */
#ifndef UNIT_RANDOM_H
#define UNIT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* The next number of a sequence (splitmix64); `*state` starts as any seed. */
static inline uint64_t
random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A number below n. */
static inline size_t
random_below(uint64_t *state, size_t n)
{
	return (size_t)(random_next(state) % n);
}

static inline void
random_fill(uint64_t *state, void *to, size_t n)
{
	uint8_t *p = to;

	while (n-- > 0)
		*p++ = (uint8_t)random_next(state);
}

#endif
