/* end_test.c -- how connections end, and what of them is left. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/net/world.h"
#include "unit/unit.h"

static void
vanished_peer_is_told_once_for_each_request(void)
{
	struct peer *p, *q;

	world_begin(NULL);
	p = peer_open();
	q = peer_open();
	peer_ask(p, "a");
	peer_ask(p, "b");
	peer_ask(p, "c");
	UNTIL(world.n_asked == 3);
	peer_ask(q, "q");
	UNTIL(world.n_asked == 4);
	exchange_done(world_take(1));
	peer_reset(p);
	UNTIL(STAT_OF(connections_open) == 1);
	CU_ASSERT_EQUAL(world.n_gone, 2);
	CU_ASSERT(world.asked[0].gone == 1 && world.asked[2].gone == 1);
	/* What is left of it can still be asked, and answered to nobody. */
	CU_ASSERT(strncmp(exchange_peer(world.asked[0].x), "127.0.0.1:", 10) == 0);
	answer(2, "C");
	CU_ASSERT_EQUAL(world_sent, 1);
	answer(0, "A");
	CU_ASSERT_EQUAL(world_sent, 2);
	answer(3, "Q");
	UNTIL(peer_got(q, "Q"));
	CU_ASSERT_EQUAL(STAT_OF(request_bytes), 0);
	peer_close(q);
	world_end();
}

static void
answers_to_a_vanished_peer_are_sent_once(void)
{
	struct peer *p;

	world_begin(NULL);
	p = peer_open();
	peer_ask(p, "a");
	peer_ask(p, "b");
	peer_ask(p, "c");
	UNTIL(world.n_asked == 3);
	answer(1, "B");
	answer(2, "C");
	CU_ASSERT_EQUAL(world_sent, 0);
	peer_reset(p);
	UNTIL(STAT_OF(connections_open) == 0);
	CU_ASSERT_EQUAL(world_sent, 2);
	CU_ASSERT_EQUAL(world.n_gone, 1);
	answer(0, "A");
	CU_ASSERT_EQUAL(world_sent, 3);
	world_end();
}

/* The reset is met while an answer is being sent, not while waiting. */
static void
gone_is_not_told_within_an_answer(void)
{
	struct peer *p;

	world_begin(NULL);
	p = peer_open();
	peer_ask(p, "a");
	UNTIL(world.n_asked == 1);
	peer_reset(p);
	answer(0, "A");
	CU_ASSERT_EQUAL(world.n_gone, 0);
	CU_ASSERT_EQUAL(STAT_OF(connections_closed), 0);
	UNTIL(STAT_OF(connections_closed) == 1);
	CU_ASSERT_EQUAL(world_sent, 1);
	world_end();
}

static void
half_closed_peer_gets_what_it_asked_for(void)
{
	struct net_limits limits = world_limits();
	struct peer *p;

	limits.in_flight_max = 2; /* so that some is left when the end comes */
	world_begin(&limits);
	p = peer_open();
	peer_send(p, "\0\0\0\1a\0\0\0\1b\0\0\0\1c\0\0\0\1d\0\0\0\7unfin", 29);
	peer_half_close(p);
	UNTIL(world.n_asked == 2);
	answer(1, "B");
	answer(0, "A");
	UNTIL(world.n_asked == 4);
	answer(3, "D");
	CU_ASSERT(!p->eof);
	answer(2, "C");
	UNTIL(p->eof);
	CU_ASSERT(peer_got(p, "A B C D"));
	CU_ASSERT_EQUAL(world.n_gone, 0);
	CU_ASSERT_EQUAL(STAT_OF(request_bytes), 0);
	peer_close(p);
	world_end();
}

static void
peer_that_asks_nothing_may_go(void)
{
	struct peer *p;

	world_begin(NULL);
	p = peer_open();
	UNTIL(STAT_OF(connections_open) == 1);
	peer_close(p);
	UNTIL(STAT_OF(connections_open) == 0);
	CU_ASSERT_STRING_EQUAL(world.log, "");
	world_end();
}

static void
drain_answers_what_is_under_way_and_ends(void)
{
	struct peer *busy, *idle, *begun;
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd;

	world_begin(NULL);
	busy = peer_open();
	idle = peer_open();
	begun = peer_open();
	peer_ask(busy, "a");
	peer_ask(busy, "b");
	peer_claim(begun, 100);
	UNTIL(world.n_asked == 2 && STAT_OF(connections_open) == 3 && STAT_OF(bytes_in) == 14);
	a.sin_port = htons((uint16_t)listener_port(world.listener));
	a.sin_addr.s_addr = inet_addr(WORLD_ADDRESS);
	net_drain(world.net);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CU_ASSERT(connect(fd, (struct sockaddr *)&a, sizeof a) == -1 && errno == ECONNREFUSED);
	close(fd);
	UNTIL(idle->eof && begun->eof);
	peer_ask(busy, "c");
	peer_close(idle);
	peer_close(begun);
	UNTIL(STAT_OF(connections_open) == 1);
	CU_ASSERT(!net_idle(world.net));
	answer(1, "B");
	CU_ASSERT(!net_idle(world.net));
	answer(0, "A");
	UNTIL(busy->eof);
	CU_ASSERT(peer_got(busy, "A B"));
	peer_close(busy);
	UNTIL(net_idle(world.net));
	CU_ASSERT(world.n_asked == 2 && world.n_gone == 0);
	world_end();
}

/* A peer that is told the end and stays does not keep us. */
static void
drain_does_not_wait_for_peers_that_stay(void)
{
	struct peer *p;

	world_begin(NULL);
	p = peer_open();
	UNTIL(STAT_OF(connections_open) == 1);
	net_drain(world.net);
	UNTIL(net_idle(world.net));
	CU_ASSERT(p->eof);
	peer_close(p);
	world_end();
}

static void
idle_connection_is_closed_busy_one_is_not(void)
{
	struct net_limits limits = world_limits();
	struct peer *busy, *idle;
	int i;

	limits.idle_ms_max = 5;
	world_begin(&limits);
	busy = peer_open();
	peer_ask(busy, "a");
	UNTIL(world.n_asked == 1);
	for (i = 0; i < 4; i++) {
		idle = peer_open();
		UNTIL(idle->eof);
		peer_close(idle);
	}
	CU_ASSERT_EQUAL(STAT_OF(connections_idle), 4);
	CU_ASSERT(!busy->eof);
	answer(0, "A");
	UNTIL(busy->eof);
	CU_ASSERT(peer_got(busy, "A"));
	CU_ASSERT_EQUAL(STAT_OF(connections_idle), 5);
	CU_ASSERT_EQUAL(world.n_gone, 0);
	peer_close(busy);
	world_end();
}

static void
peer_that_does_not_take_its_answer_is_idle(void)
{
	static uint8_t bulk[16 * 1024 * 1024];
	struct net_limits limits = world_limits();
	struct gather g = { 0 };
	struct peer *p;

	limits.idle_ms_max = 50;
	world_begin(&limits);
	p = peer_open();
	peer_ask(p, "a");
	UNTIL(world.n_asked == 1);
	peer_set_deaf(p, true);
	gather_ref(&g, span_of(bulk, sizeof bulk));
	exchange_reply(world_take(0), &g, world_count_sent, NULL);
	CU_ASSERT_EQUAL(world_sent, 0);
	UNTIL(STAT_OF(connections_idle) == 1);
	CU_ASSERT_EQUAL(world_sent, 1);
	peer_close(p);
	world_end();
}

static void
new_limits_hold_for_connections_that_are_there(void)
{
	struct peer *p, *q;

	world_begin(NULL);
	world.limits.in_flight_max = 1;
	net_set_limits(world.net, &world.limits);
	p = peer_open();
	q = peer_open();
	peer_ask(q, "q");
	UNTIL(world.n_asked == 1);
	peer_ask(q, "r");
	peer_ask(p, "p");
	UNTIL(world.n_asked == 2);
	answer(1, "P");
	world.limits.in_flight_max = 2;
	world.limits.idle_ms_max = 5;
	net_set_limits(world.net, &world.limits);
	UNTIL(asked_is(2, "r"));
	UNTIL(p->eof);
	CU_ASSERT(!q->eof);
	peer_close(p);
	peer_close(q);
	world_end();
}

static int n_freed;

static void
count_freed(void *session)
{
	CU_ASSERT_PTR_EQUAL(session, &n_freed);
	n_freed++;
}

static void
session_lasts_as_long_as_connection_and_requests(void)
{
	struct peer *p;

	world_begin(NULL);
	n_freed = 0;
	p = peer_open();
	peer_ask(p, "a");
	peer_ask(p, "b");
	UNTIL(world.n_asked == 2);
	CU_ASSERT_PTR_NULL(exchange_session(world.asked[1].x));
	exchange_set_session(world.asked[0].x, &n_freed, count_freed);
	CU_ASSERT_PTR_EQUAL(exchange_session(world.asked[1].x), &n_freed);
	answer(0, "A");
	peer_reset(p);
	UNTIL(STAT_OF(connections_open) == 0);
	CU_ASSERT_EQUAL(n_freed, 0);
	CU_ASSERT_PTR_EQUAL(exchange_session(world.asked[1].x), &n_freed);
	exchange_done(world_take(1));
	CU_ASSERT_EQUAL(n_freed, 1);

	/* And the other way round: the requests end first. */
	p = peer_open();
	peer_ask(p, "c");
	UNTIL(world.n_asked == 3);
	exchange_set_session(world.asked[2].x, &n_freed, count_freed);
	answer(2, "C");
	UNTIL(peer_got(p, "C"));
	CU_ASSERT_EQUAL(n_freed, 1);
	peer_close(p);
	UNTIL(STAT_OF(connections_open) == 0);
	CU_ASSERT_EQUAL(n_freed, 2);
	world_end();
}

static void
other_session_frees_the_one_before(void)
{
	static int other;
	struct peer *p;

	world_begin(NULL);
	n_freed = 0;
	p = peer_open();
	peer_ask(p, "a");
	UNTIL(world.n_asked == 1);
	exchange_set_session(world.asked[0].x, &n_freed, count_freed);
	exchange_set_session(world.asked[0].x, &n_freed, count_freed);
	CU_ASSERT_EQUAL(n_freed, 0);
	exchange_set_session(world.asked[0].x, &other, NULL);
	CU_ASSERT_EQUAL(n_freed, 1);
	peer_close(p);
	world_end();
	CU_ASSERT_EQUAL(n_freed, 1);
}

/* world_end() frees the net first, and ends what is under way afterwards. */
static void
requests_may_outlive_everything(void)
{
	struct peer *p;

	world_begin(NULL);
	n_freed = 0;
	p = peer_open();
	peer_ask(p, "a");
	peer_ask(p, "b");
	UNTIL(world.n_asked == 2);
	exchange_set_session(world.asked[0].x, &n_freed, count_freed);
	net_free(world.net);
	world.net = NULL;
	CU_ASSERT_EQUAL(world.n_gone, 2);
	answer(0, "A");
	CU_ASSERT_EQUAL(world_sent, 1);
	exchange_refuse(world_take(1), "too late");
	CU_ASSERT_EQUAL(n_freed, 1);
	UNTIL(p->eof || p->reset);
	peer_close(p);
	world_end();
}

static void
end_others(void *ctx)
{
	int i;

	(void)ctx;
	world_sent++;
	for (i = 0; i < world.n_asked; i++)
		if (world.asked[i].x != NULL)
			answer(i, "x");
}

/* What is called when a connection goes may itself end its other requests. */
static void
sent_may_end_the_others_while_all_goes(void)
{
	struct peer *p;
	struct gather g = { 0 };

	world_begin(NULL);
	p = peer_open();
	peer_ask(p, "a");
	peer_ask(p, "b");
	peer_ask(p, "c");
	peer_ask(p, "d");
	UNTIL(world.n_asked == 4);
	exchange_reply(world_take(1), &g, end_others, NULL);
	peer_reset(p);
	UNTIL(STAT_OF(connections_open) == 0);
	CU_ASSERT_EQUAL(world_sent, 4);
	CU_ASSERT_EQUAL(world.n_gone, 1); /* the first was told before the second was ended */
	world_end();
}

static void
ipv6_peers_are_named_with_brackets(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct listener *l;
	int fd;

	world_begin(NULL);
	if ((l = net_listen(world.net, "::1", 0, &a)) != NULL) {
		fd = socket(AF_INET6, SOCK_STREAM, 0);
		a.sin6_port = htons((uint16_t)listener_port(l));
		CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
		CU_ASSERT_EQUAL(write(fd, "\0\0\0\1a", 5), 5);
		UNTIL(world.n_asked == 1);
		CU_ASSERT(strncmp(exchange_peer(world.asked[0].x), "[::1]:", 6) == 0);
		CU_ASSERT_PTR_EQUAL(exchange_listener(world.asked[0].x), &a);
		close(fd);
	} else
		CU_ASSERT(errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT); /* a machine without IPv6 */
	world_end();
}

static void
ipv4_by_way_of_ipv6_is_ipv4(void)
{
	struct listener *any;

	world_begin(NULL);
	if ((any = net_listen(world.net, "::", 0, NULL)) != NULL) {
		struct listener *old = world.listener;
		struct peer *p;

		world.listener = any;
		p = peer_open();
		peer_ask(p, "a");
		UNTIL(world.n_asked == 1);
		CU_ASSERT(strncmp(exchange_peer(world.asked[0].x), "127.0.0.1:", 10) == 0);
		peer_close(p);
		world.listener = old;
	} else
		CU_ASSERT_EQUAL(errno, EAFNOSUPPORT);
	world_end();
}

const struct unit_test end_tests[] = {
	UNIT(vanished_peer_is_told_once_for_each_request),
	UNIT(answers_to_a_vanished_peer_are_sent_once),
	UNIT(gone_is_not_told_within_an_answer),
	UNIT(half_closed_peer_gets_what_it_asked_for),
	UNIT(peer_that_asks_nothing_may_go),
	UNIT(drain_answers_what_is_under_way_and_ends),
	UNIT(drain_does_not_wait_for_peers_that_stay),
	UNIT(idle_connection_is_closed_busy_one_is_not),
	UNIT(peer_that_does_not_take_its_answer_is_idle),
	UNIT(new_limits_hold_for_connections_that_are_there),
	UNIT(session_lasts_as_long_as_connection_and_requests),
	UNIT(other_session_frees_the_one_before),
	UNIT(requests_may_outlive_everything),
	UNIT(sent_may_end_the_others_while_all_goes),
	UNIT(ipv6_peers_are_named_with_brackets),
	UNIT(ipv4_by_way_of_ipv6_is_ipv4),
	UNIT_END
};
