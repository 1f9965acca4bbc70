/* clock.c -- the clocks of plat/clock.h, moved by hand. */
#include "plat/clock.h"

#include "fake/clock_fake.h"

static int64_t mono, wall;

void
fake_clock_begin(int64_t mono_ms, int64_t wall_ms)
{
	mono = mono_ms;
	wall = wall_ms;
}

void
fake_clock_advance(int64_t ms)
{
	mono += ms;
	wall += ms;
}

int64_t
clock_mono_ns(void)
{
	return mono * 1000000;
}

int64_t
clock_mono_ms(void)
{
	return mono;
}

int64_t
clock_wall_ms(void)
{
	return wall;
}
