/* ahead_test.c -- a thread that reads ahead. */
#include "common/ahead.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "unit/base/random.h"
#include "unit/unit.h"

/* A source that gives so many bytes in pieces of all sizes, and then an end or a failure. */
struct bytes {
	uint64_t seed;
	_Atomic size_t given;
	size_t all;
	int64_t last;
};

static uint8_t
byte_at(size_t i)
{
	return (uint8_t)(i * 31 + (i >> 8));
}

static int64_t
give(void *ctx, void *to, size_t n)
{
	struct bytes *b = ctx;
	size_t left = b->all - b->given;

	if (left == 0)
		return b->last;
	n = 1 + random_below(&b->seed, n);
	n = n < left ? n : left;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = byte_at(b->given + i);
	b->given += n;
	return (int64_t)n;
}

static void
on_signal(int number)
{
	(void)number;
}

/* As a process does that has such threads. */
static struct ahead *
start(size_t max, ahead_source *source, void *ctx)
{
	struct sigaction action = { 0 };
	struct ahead *a;

	action.sa_handler = on_signal;
	CU_ASSERT_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
	a = ahead_start(max, source, ctx);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	return a;
}

/* Reads to the end, and returns what said so; checks the bytes. */
static int64_t
read_to_end(struct ahead *a, size_t all)
{
	uint8_t piece[1000];
	size_t n = 0;
	int64_t got;

	while ((got = ahead_read(a, piece, sizeof piece)) > 0) {
		for (size_t i = 0; i < (size_t)got; i++)
			if (piece[i] != byte_at(n + i))
				CU_FAIL_FATAL("another byte");
		n += (size_t)got;
	}
	CU_ASSERT_EQUAL(n, all);
	return got;
}

static void
bytes_come_in_order_and_then_the_end(void)
{
	static const int64_t lasts[] = { 0, -1 };

	for (size_t i = 0; i < 2; i++) {
		struct bytes b = { .seed = i, .all = 3000000, .last = lasts[i] };
		struct ahead *a = start(20000, give, &b);

		CU_ASSERT_EQUAL(read_to_end(a, b.all), lasts[i]);
		CU_ASSERT_EQUAL(ahead_read(a, &(uint8_t){ 0 }, 1), lasts[i]);
		CU_ASSERT(ahead_ready(a, 0));
		ahead_stop(a);
	}
}

static void
no_more_than_the_most_is_read_ahead(void)
{
	struct bytes b = { .seed = 5, .all = 3000000 };
	struct ahead *a = start(100000, give, &b);

	while (b.given < 100000)
		poll(NULL, 0, 1);
	poll(NULL, 0, 20);
	CU_ASSERT(b.given < 100000 + 8192);
	CU_ASSERT(ahead_ready(a, 0));
	CU_ASSERT_EQUAL(read_to_end(a, b.all), 0);
	ahead_stop(a);
}

static void
who_stops_early_leaves_the_rest(void)
{
	struct bytes b = { .seed = 6, .all = 3000000 };
	struct ahead *a = start(1000, give, &b);
	uint8_t piece[10];

	CU_ASSERT(ahead_read(a, piece, sizeof piece) > 0);
	ahead_stop(a);
	CU_ASSERT(b.given < 30000);
}

static int64_t
read_pipe(void *ctx, void *to, size_t n)
{
	return read(*(int *)ctx, to, n);
}

static void
a_source_that_waits_is_interrupted(void)
{
	struct ahead *a;
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	a = start(1000, read_pipe, &ends[0]);
	CU_ASSERT(!ahead_ready(a, 0));
	CU_ASSERT(!ahead_ready(a, 5));
	CU_ASSERT_EQUAL(write(ends[1], "abc", 3), 3);
	CU_ASSERT(ahead_ready(a, 10000));
	CU_ASSERT_EQUAL(ahead_read(a, &(uint8_t){ 0 }, 1), 1);
	CU_ASSERT(ahead_ready(a, 0));
	ahead_stop(a);
	close(ends[0]);
	close(ends[1]);
}

const struct unit_test ahead_tests[] = {
	UNIT(bytes_come_in_order_and_then_the_end),
	UNIT(no_more_than_the_most_is_read_ahead),
	UNIT(who_stops_early_leaves_the_rest),
	UNIT(a_source_that_waits_is_interrupted),
	UNIT_END
};
