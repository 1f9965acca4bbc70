/* pause_test.c -- requests that hold up those behind them. */
#include <string.h>

#include "unit/net/world.h"
#include "unit/unit.h"

static void
paused_request_holds_up_its_own_connection_only(void)
{
	struct peer *p, *q;

	world_begin(NULL);
	p = peer_open();
	q = peer_open();
	peer_ask(p, "a");
	UNTIL(world.n_asked == 1);
	exchange_pause(world.asked[0].x);
	peer_ask(p, "b");
	peer_ask(q, "q");
	UNTIL(world.n_asked == 2);
	world_settle();
	CU_ASSERT(asked_is(1, "q"));
	CU_ASSERT_EQUAL(world.n_asked, 3); /* with that of world_settle() */
	exchange_resume(world.asked[0].x);
	UNTIL(asked_is(3, "b"));
	answer(3, "B");
	answer(0, "A");
	UNTIL(peer_got(p, "A B"));
	peer_close(p);
	peer_close(q);
	world_end();
}

/* Those behind it came in one packet with it: they are here, but not handed on. */
static void
what_came_with_a_paused_request_waits(void)
{
	struct peer *p;

	world_begin(NULL);
	world.pause = true;
	p = peer_open();
	peer_send(p, "\0\0\0\1a\0\0\0\1b\0\0\0\1c", 15);
	UNTIL(world.n_asked == 1);
	CU_ASSERT_EQUAL(STAT_OF(request_bytes), 11); /* what waits is counted */
	world_settle();
	CU_ASSERT_EQUAL(world.n_asked, 2); /* with that of world_settle() */
	exchange_done(world_take(1));
	exchange_resume(world.asked[0].x);
	CU_ASSERT_EQUAL(world.n_asked, 2); /* not within the call */
	UNTIL(world.n_asked == 3);
	world.pause = false;
	exchange_resume(world.asked[2].x);
	UNTIL(world.n_asked == 4);
	CU_ASSERT(asked_is(0, "a") && asked_is(2, "b") && asked_is(3, "c"));
	CU_ASSERT_EQUAL(STAT_OF(request_bytes), 3);
	peer_close(p);
	world_end();
}

static void
end_of_a_paused_request_resumes(void)
{
	struct peer *p;

	world_begin(NULL);
	world.pause = true;
	p = peer_open();
	peer_send(p, "\0\0\0\1a\0\0\0\1b\0\0\0\1c", 15);
	UNTIL(world.n_asked == 1);
	answer(0, "A");
	UNTIL(world.n_asked == 2);
	exchange_done(world_take(1));
	UNTIL(world.n_asked == 3);
	answer(2, "C");
	UNTIL(peer_got(p, "A C"));
	peer_close(p);
	world_end();
}

/* An answer of the request that pauses itself is given within it. */
static void
pause_that_ends_at_once_stalls_nothing(void)
{
	struct peer *p;

	world_begin(NULL);
	world.pause = world.echo = true;
	p = peer_open();
	peer_send(p, "\0\0\0\1a\0\0\0\1b\0\0\0\1c", 15);
	UNTIL(peer_got(p, "a b c"));
	peer_close(p);
	world_end();
}

static void
paused_request_of_a_vanished_peer_is_told(void)
{
	struct peer *p;

	world_begin(NULL);
	world.pause = true;
	p = peer_open();
	peer_send(p, "\0\0\0\1a\0\0\0\1b", 10);
	UNTIL(world.n_asked == 1);
	peer_reset(p);
	UNTIL(world.n_gone == 1);
	CU_ASSERT_EQUAL(STAT_OF(request_bytes), 1); /* that which is under way */
	exchange_resume(world.asked[0].x);
	exchange_pause(world.asked[0].x); /* it goes on in parts, to its end */
	answer(0, "A");
	CU_ASSERT_EQUAL(world.n_asked, 1);
	CU_ASSERT_EQUAL(STAT_OF(request_bytes), 0);
	world_end();
}

static void
drain_waits_for_a_paused_request(void)
{
	struct peer *p;

	world_begin(NULL);
	world.pause = true;
	p = peer_open();
	peer_send(p, "\0\0\0\1a\0\0\0\1b", 10);
	UNTIL(world.n_asked == 1);
	net_drain(world.net);
	world_turn();
	CU_ASSERT(!net_idle(world.net));
	exchange_resume(world.asked[0].x);
	world_turn();
	CU_ASSERT(!net_idle(world.net));
	answer(0, "A");
	UNTIL(p->eof);
	CU_ASSERT(peer_got(p, "A"));
	CU_ASSERT_EQUAL(world.n_asked, 1);
	peer_close(p);
	UNTIL(net_idle(world.net));
	world_end();
}

static void
paused_connection_is_not_idle(void)
{
	struct net_limits limits = world_limits();
	struct peer *p, *q;
	int i;

	limits.idle_ms_max = 5;
	world_begin(&limits);
	p = peer_open();
	peer_ask(p, "a");
	UNTIL(world.n_asked == 1);
	exchange_pause(world.asked[0].x);
	for (i = 0; i < 3; i++) {
		q = peer_open();
		UNTIL(q->eof); /* that one is */
		peer_close(q);
	}
	CU_ASSERT(!p->eof);
	peer_ask(p, "b");
	exchange_resume(world.asked[0].x);
	UNTIL(asked_is(1, "b"));
	peer_close(p);
	world_end();
}

const struct unit_test pause_tests[] = {
	UNIT(paused_request_holds_up_its_own_connection_only),
	UNIT(what_came_with_a_paused_request_waits),
	UNIT(end_of_a_paused_request_resumes),
	UNIT(pause_that_ends_at_once_stalls_nothing),
	UNIT(paused_request_of_a_vanished_peer_is_told),
	UNIT(drain_waits_for_a_paused_request),
	UNIT(paused_connection_is_not_idle),
	UNIT_END
};
