/* poller_test.c -- waiting for descriptors. */
#include "plat/poller.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/unit.h"

static struct poller *poller;
static int ends[2];

static void
begin(void)
{
	poller = poller_new();
	CU_ASSERT_PTR_NOT_NULL_FATAL(poller);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
}

static void
end(void)
{
	poller_free(poller);
	close(ends[0]);
	close(ends[1]);
}

static void
readable_is_told_until_it_is_read(void)
{
	struct poller_event e[4];
	char c;

	begin();
	CU_ASSERT_EQUAL(poller_add(poller, ends[0], POLLER_READ, &ends), 0);
	CU_ASSERT_EQUAL(poller_wait(poller, e, 4, 0), 0);
	CU_ASSERT_EQUAL(write(ends[1], "x", 1), 1);
	CU_ASSERT_EQUAL(poller_wait(poller, e, 4, -1), 1);
	CU_ASSERT(e[0].of == &ends && e[0].events == POLLER_READ);
	CU_ASSERT_EQUAL(poller_wait(poller, e, 4, -1), 1);
	CU_ASSERT_EQUAL(read(ends[0], &c, 1), 1);
	CU_ASSERT_EQUAL(poller_wait(poller, e, 4, 0), 0);
	end();
}

static void
set_changes_what_is_told(void)
{
	struct poller_event e[4];

	begin();
	CU_ASSERT_EQUAL(poller_add(poller, ends[0], 0, &ends), 0);
	CU_ASSERT_EQUAL(write(ends[1], "x", 1), 1);
	CU_ASSERT_EQUAL(poller_wait(poller, e, 4, 0), 0);
	poller_set(poller, ends[0], POLLER_WRITE, ends);
	CU_ASSERT_EQUAL(poller_wait(poller, e, 4, 0), 1);
	CU_ASSERT(e[0].of == ends && e[0].events == POLLER_WRITE);
	poller_set(poller, ends[0], POLLER_READ | POLLER_WRITE, &ends);
	CU_ASSERT_EQUAL(poller_wait(poller, e, 4, 0), 1);
	CU_ASSERT(e[0].events == (POLLER_READ | POLLER_WRITE));
	poller_del(poller, ends[0]);
	CU_ASSERT_EQUAL(poller_wait(poller, e, 4, 0), 0);
	end();
}

static void
hang_up_is_told_unasked(void)
{
	struct poller_event e[4];

	begin();
	CU_ASSERT_EQUAL(poller_add(poller, ends[0], 0, &ends), 0);
	shutdown(ends[1], SHUT_RDWR);
	CU_ASSERT_EQUAL(poller_wait(poller, e, 4, -1), 1);
	CU_ASSERT(e[0].events == POLLER_HANGUP);
	end();
}

static void
bad_descriptor_is_refused(void)
{
	begin();
	CU_ASSERT_EQUAL(poller_add(poller, -1, POLLER_READ, &ends), -1);
	end();
}

static void
wake_ends_the_next_wait_once(void)
{
	struct poller_event e[4];

	begin();
	poller_wake(poller);
	poller_wake(poller);
	CU_ASSERT_EQUAL(poller_wait(poller, e, 4, -1), 0);
	CU_ASSERT_EQUAL(write(ends[1], "x", 1), 1);
	CU_ASSERT_EQUAL(poller_add(poller, ends[0], POLLER_READ, &ends), 0);
	CU_ASSERT_EQUAL(poller_wait(poller, e, 4, -1), 1);
	end();
}

static void *
wake_it(void *arg)
{
	poller_wake(arg);
	return NULL;
}

static void
wake_comes_from_any_thread(void)
{
	struct poller_event e[4];
	pthread_t t;

	begin();
	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, wake_it, poller), 0);
	CU_ASSERT_EQUAL(poller_wait(poller, e, 4, -1), 0);
	pthread_join(t, NULL);
	end();
}

const struct unit_test poller_tests[] = {
	UNIT(readable_is_told_until_it_is_read),
	UNIT(set_changes_what_is_told),
	UNIT(hang_up_is_told_unasked),
	UNIT(bad_descriptor_is_refused),
	UNIT(wake_ends_the_next_wait_once),
	UNIT(wake_comes_from_any_thread),
	UNIT_END
};
