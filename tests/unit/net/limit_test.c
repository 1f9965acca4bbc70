/* limit_test.c -- back-pressure, numbers of connections. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "unit/net/world.h"
#include "unit/unit.h"

static void
too_many_under_way_stop_the_reading(void)
{
	struct net_limits limits = world_limits();
	struct peer *p;
	int i;

	limits.in_flight_max = 2;
	world_begin(&limits);
	p = peer_open();
	peer_send(p, "\0\0\0\1a\0\0\0\1b\0\0\0\1c\0\0\0\1d", 20);
	UNTIL(world.n_asked == 2);
	peer_ask(p, "e");
	world_settle();
	CU_ASSERT_EQUAL(world.n_asked, 3); /* the third is of world_settle() */
	answer(1, "B");
	world_settle();
	CU_ASSERT_EQUAL(world.n_asked, 4);
	answer(0, "A");
	UNTIL(world.n_asked == 6);
	CU_ASSERT(asked_is(4, "c") && asked_is(5, "d"));
	answer(4, "C");
	UNTIL(asked_is(6, "e"));
	answer(5, "D");
	answer(6, "E");
	UNTIL(peer_got(p, "A B C D E"));
	for (i = 0; i < 50; i++) {
		peer_ask(p, "x");
		UNTIL(world.n_asked == 8 + i);
		answer(7 + i, "X");
	}
	UNTIL(p->in.n == 55 * 5);
	peer_close(p);
	world_end();
}

/* Requests that are left when their answers end within the request, too. */
static void
pipeline_of_immediate_answers_never_stalls(void)
{
	struct net_limits limits = world_limits();
	struct buf b = { 0 };
	struct peer *p;
	int i;

	limits.in_flight_max = 1;
	limits.send_bytes_max = 10;
	world_begin(&limits);
	world.echo = true;
	p = peer_open();
	for (i = 0; i < 2000; i++) {
		buf_u32(&b, 3);
		buf_put(&b, "abc", 3);
	}
	peer_send(p, b.p, b.n);
	UNTIL(p->in.n == b.n);
	UNIT_BYTES(p->in.p, p->in.n, b.p, b.n);
	buf_done(&b);
	peer_close(p);
	world_end();
}

static void
peer_that_does_not_read_is_not_read(void)
{
	enum { BIG = 1024 * 1024 };
	struct net_limits limits = world_limits();
	struct peer *p;
	struct buf big = { 0 };
	int i;

	limits.send_bytes_max = BIG;
	world_begin(&limits);
	world.echo = true;
	p = peer_open();
	peer_set_deaf(p, true);
	buf_u32(&big, BIG);
	memset(buf_room(&big, BIG), 'x', BIG);
	big.n += BIG;
	for (i = 0; i < 40; i++)
		peer_send(p, big.p, big.n);
	for (i = 0; i < 100; i++)
		world_settle();
	/* The sockets between us take some, but not forty megabytes. */
	CU_ASSERT(STAT_OF(bytes_in) < 30 * BIG);
	CU_ASSERT(p->out.n > 0);
	peer_set_deaf(p, false);
	UNTIL(p->in.n == 40 * big.n);
	CU_ASSERT_EQUAL(world_sent, 140); /* with those of world_settle() */
	buf_done(&big);
	peer_close(p);
	world_end();
}

static void
connections_beyond_the_limit_are_closed_at_once(void)
{
	struct net_limits limits = world_limits();
	struct peer *p, *q, *r;
	char *line;

	limits.connections_max = 1;
	world_begin(&limits);
	p = peer_open();
	UNTIL(STAT_OF(connections_open) == 1);
	q = peer_open();
	r = peer_open();
	UNTIL(q->eof && r->eof);
	CU_ASSERT_EQUAL(STAT_OF(connections_refused), 2);
	CU_ASSERT_EQUAL(STAT_OF(connections_accepted), 1);
	line = strstr(world.log, "limit=max.connections ");
	CU_ASSERT_PTR_NOT_NULL_FATAL(line);
	CU_ASSERT_PTR_NULL(strstr(line + 1, "limit=")); /* one line a second */
	peer_close(q);
	peer_close(r);
	peer_close(p);
	UNTIL(STAT_OF(connections_open) == 0);
	p = peer_open();
	peer_ask(p, "a");
	UNTIL(world.n_asked == 1);
	peer_close(p);
	world_end();
}

/* Whatever max.connections says: what else needs descriptors goes before them. */
static void
connections_leave_descriptors_to_others(void)
{
	struct net_limits limits = world_limits();
	struct peer *p, *q;

	limits.descriptors_max = 1;
	world_begin(&limits);
	p = peer_open();
	UNTIL(STAT_OF(connections_open) == 1);
	q = peer_open();
	UNTIL(q->eof);
	CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "limit=open.files max=1 "));
	peer_close(q);
	peer_close(p);
	world_end();
}

static void
limit_per_address_binds_that_address_only(void)
{
	struct net_limits limits = world_limits();
	struct peer *p[4];

	limits.connections_per_ip_max = 1;
	world_begin(&limits);
	p[0] = peer_open_from(1);
	UNTIL(STAT_OF(connections_open) == 1);
	p[1] = peer_open_from(1);
	UNTIL(p[1]->eof);
	p[2] = peer_open_from(2);
	peer_ask(p[2], "a");
	UNTIL(world.n_asked == 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "limit=max.connections.per.ip max=1"));
	peer_close(p[0]);
	UNTIL(STAT_OF(connections_open) == 1);
	p[3] = peer_open_from(1);
	peer_ask(p[3], "b");
	UNTIL(world.n_asked == 2);
	peer_close(p[1]);
	peer_close(p[2]);
	peer_close(p[3]);
	world_end();
}

static void
want_of_descriptors_rests_the_listener(void)
{
	struct rlimit old, none;
	struct peer *p;
	int fd;

	world_begin(NULL);
	p = peer_open();
	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &old), 0);
	fd = dup(0);
	close(fd);
	none = (struct rlimit){ .rlim_cur = (rlim_t)fd, .rlim_max = old.rlim_max };
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &none), 0);
	while (STAT_OF(accept_failures) == 0 && world_turn())
		;
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &old), 0);
	CU_ASSERT_EQUAL(STAT_OF(accept_failures), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "open files"));
	peer_ask(p, "a");
	UNTIL(world.n_asked == 1); /* it waited in the kernel's queue */
	CU_ASSERT_EQUAL(STAT_OF(accept_failures), 1);
	peer_close(p);
	world_end();
}

static void
thousand_connections_are_served(void)
{
	enum { N = 1000 };
	static struct peer *p[N];
	struct rlimit files;
	int i, all = N;

	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &files), 0);
	if (files.rlim_max < 2 * N + 50) {
		all = (int)files.rlim_max / 2 - 50;
		printf("only %d connections: the hard limit of open files is %ld\n", all,
		    (long)files.rlim_max);
	}
	world_begin(NULL);
	world.echo = true;
	for (i = 0; i < all; i++) {
		p[i] = peer_open();
		peer_ask(p[i], "a");
	}
	UNTIL(world.n_asked == all);
	for (i = 0; i < all; i++)
		peer_ask(p[i], "b");
	for (i = 0; i < all; i++)
		UNTIL(peer_got(p[i], "a b"));
	CU_ASSERT_EQUAL(STAT_OF(connections_open), (uint64_t)all);
	for (i = 0; i < all; i++)
		peer_close(p[i]);
	UNTIL(STAT_OF(connections_open) == 0);
	CU_ASSERT_EQUAL(STAT_OF(connections_closed), (uint64_t)all);
	world_end();
}

static void
taken_port_is_refused_with_errno(void)
{
	world_begin(NULL);
	errno = 0;
	CU_ASSERT_PTR_NULL(net_listen(world.net, WORLD_ADDRESS, listener_port(world.listener), NULL));
	CU_ASSERT_EQUAL(errno, EADDRINUSE);
	CU_ASSERT_PTR_NULL(net_listen(world.net, "not.an.address", 0, NULL));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(net_listen(world.net, "192.0.2.1", 0, NULL));
	CU_ASSERT_EQUAL(errno, EADDRNOTAVAIL);
	world_end();
}

const struct unit_test limit_tests[] = {
	UNIT(too_many_under_way_stop_the_reading),
	UNIT(pipeline_of_immediate_answers_never_stalls),
	UNIT(peer_that_does_not_read_is_not_read),
	UNIT(connections_beyond_the_limit_are_closed_at_once),
	UNIT(connections_leave_descriptors_to_others),
	UNIT(limit_per_address_binds_that_address_only),
	UNIT(want_of_descriptors_rests_the_listener),
	UNIT(thousand_connections_are_served),
	UNIT(taken_port_is_refused_with_errno),
	UNIT_END
};
