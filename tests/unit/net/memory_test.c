/* memory_test.c -- what requests and answers take, all connections together. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "unit/net/world.h"
#include "unit/unit.h"

/* The number after "key=" in the first line of the log that has it. */
static long
logged(const char *key)
{
	const char *at = strstr(world.log, key);

	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	return strtol(at + strlen(key), NULL, 10);
}

/* ---- requests ---- */

enum { REQUESTS_MAX = 100000, LARGE = 18000 };

static void
begin_with_little_memory(void)
{
	struct net_limits limits = world_limits();

	limits.request_bytes_max = REQUESTS_MAX;
	world_begin(&limits);
}

static void
send_large(struct peer *p)
{
	peer_claim(p, LARGE);
	peer_send_zeros(p, LARGE);
}

/* A peer that has begun a frame of this length with so many bytes, which have come. */
static struct peer *
beginner(uint32_t length, size_t n)
{
	struct peer *p = peer_open();
	uint64_t come = STAT_OF(bytes_in) + 4 + n;
	uint8_t *bytes = xcalloc(1, 4 + n);

	store32(bytes, length);
	peer_send(p, bytes, 4 + n);
	free(bytes);
	UNTIL(STAT_OF(bytes_in) == come);
	return p;
}

static void
large_requests_wait_for_full_memory_small_ones_do_not(void)
{
	struct peer *p, *q, *r;
	uint64_t waits;

	begin_with_little_memory();
	p = peer_open();
	q = peer_open();
	r = peer_open();
	peer_claim(p, 200000);
	peer_send_zeros(p, 200000);
	UNTIL(world.n_asked == 1);
	CU_ASSERT_EQUAL(STAT_OF(request_bytes), 200000);
	waits = STAT_OF(memory_waits);
	send_large(q);
	UNTIL(STAT_OF(memory_waits) > waits);
	peer_claim(r, 16 * 1024);
	peer_send_zeros(r, 16 * 1024);
	UNTIL(world.n_asked == 2);
	CU_ASSERT_EQUAL(world.asked[1].frame.n, 16 * 1024);
	answer(1, "R");
	peer_ask(r, "r");
	UNTIL(asked_is(2, "r"));
	CU_ASSERT(STAT_OF(request_bytes) > 200001); /* they are counted */
	answer(0, "P");
	UNTIL(world.n_asked == 4);
	CU_ASSERT_EQUAL(world.asked[3].frame.n, LARGE);
	CU_ASSERT_EQUAL(STAT_OF(request_bytes), LARGE + 1);
	peer_close(p);
	peer_close(q);
	peer_close(r);
	world_end();
}

static void
those_that_lack_least_go_on_first(void)
{
	enum { N = 5 };
	static const uint32_t lengths[N] = { 40000, 20000, 50000, 30000, 60000 };
	struct peer *p, *q[N];
	uint64_t waits;
	int i;

	begin_with_little_memory();
	p = peer_open();
	peer_claim(p, 200000);
	peer_send_zeros(p, 200000);
	UNTIL(world.n_asked == 1);
	waits = STAT_OF(memory_waits);
	for (i = 0; i < N; i++) {
		q[i] = peer_open();
		peer_claim(q[i], lengths[i]);
		peer_send_zeros(q[i], lengths[i]);
		waits++;
		UNTIL(STAT_OF(memory_waits) == waits);
	}
	answer(0, "P");
	for (i = 1; i <= N; i++) {
		UNTIL(world.n_asked == i + 1);
		CU_ASSERT_EQUAL(world.asked[i].frame.n, (size_t)(i + 1) * 10000);
		answer(i, "Q");
	}
	for (i = 0; i < N; i++)
		peer_close(q[i]);
	peer_close(p);
	world_end();
}

/* So many connections can't take much with small ones. */
static void
connection_asks_one_by_one_while_memory_is_full(void)
{
	struct peer *p, *q;

	begin_with_little_memory();
	p = beginner(200000, 150000);
	q = peer_open();
	peer_send(q, "\0\0\0\1a\0\0\0\1b\0\0\0\1c", 15);
	UNTIL(world.n_asked == 1);
	world_settle();
	CU_ASSERT_EQUAL(world.n_asked, 2);
	answer(0, "A");
	UNTIL(asked_is(2, "b"));
	peer_close(p); /* and the memory is free again */
	UNTIL(asked_is(3, "c"));
	CU_ASSERT_EQUAL(STAT_OF(memory_evictions), 0);
	peer_close(q);
	world_end();
}

/* Two frames begun take all the memory: one must be able to end. */
static void
begun_requests_that_fill_the_memory_still_end(void)
{
	struct peer *p, *q;

	begin_with_little_memory();
	p = beginner(90000, 60000);
	q = beginner(90000, 60000);
	peer_send_zeros(p, 30000);
	peer_send_zeros(q, 30000);
	UNTIL(world.n_asked == 1);
	CU_ASSERT_EQUAL(world.asked[0].frame.n, 90000);
	answer(0, "A");
	UNTIL(world.n_asked == 2);
	answer(1, "B");
	UNTIL(p->in.n == 5 && q->in.n == 5);
	CU_ASSERT_EQUAL(STAT_OF(request_bytes), 0);
	CU_ASSERT_EQUAL(STAT_OF(memory_evictions), 0);
	peer_close(p);
	peer_close(q);
	world_end();
}

enum { MANY = 11 }; /* the last of them fills the memory: each may take twice what it sent */

static void
open_silent(struct peer *p[MANY])
{
	int i;

	for (i = 0; i < MANY; i++)
		p[i] = beginner(50000, 5000);
}

static void
close_all(struct peer *p[MANY])
{
	int i;

	for (i = 0; i < MANY; i++)
		peer_close(p[i]);
}

static void
silent_peers_that_fill_the_memory_keep_nobody_waiting(void)
{
	struct peer *p[MANY], *q;
	int i;

	begin_with_little_memory();
	open_silent(p);
	CU_ASSERT(STAT_OF(request_bytes) > REQUESTS_MAX);
	q = peer_open();
	for (i = 0; i < 5; i++) {
		send_large(q);
		UNTIL(world.n_asked == i + 1);
		answer(i, "Q");
	}
	CU_ASSERT_EQUAL(STAT_OF(memory_evictions), 0); /* that is: at once */
	close_all(p);
	peer_close(q);
	world_end();
}

/* A peer that sends a byte now and then. */
static struct peer *dripping;
static struct timer drip;
static size_t n_drops;

static void
send_drop(struct timer *t)
{
	if (!dripping->reset && !dripping->eof) {
		peer_send_zeros(dripping, 1);
		n_drops++;
	}
	loop_timer_set(world.loop, t, loop_now_ms(world.loop) + 100);
}

static void
begin_dripping(struct peer *p)
{
	dripping = p;
	drip = (struct timer){ .fire = send_drop };
	n_drops = 0;
	send_drop(&drip);
}

/* After two or three seconds; and the one that sends, if little, may end its frame. */
static void
silent_peers_that_keep_the_memory_full_are_dropped_at_once(void)
{
	struct peer *p[MANY], *q;

	begin_with_little_memory();
	open_silent(p);
	q = beginner(LARGE, 10000);
	begin_dripping(q);
	UNTIL(STAT_OF(memory_evictions) > 0);
	CU_ASSERT_EQUAL(STAT_OF(memory_evictions), MANY);
	CU_ASSERT(logged("silent_ms=") >= 2000);
	CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "queued.max.request.bytes"));
	loop_timer_cancel(world.loop, &drip);
	peer_send_zeros(q, LARGE - 10000 - n_drops);
	UNTIL(world.n_asked == 1);
	CU_ASSERT_EQUAL(world.asked[0].frame.n, LARGE);
	close_all(p);
	peer_close(q);
	world_end();
}

/* All have sent more than was read, and the one that is read goes on with little. */
static void
slow_peers_that_keep_the_memory_full_are_dropped_until_half_is_free(void)
{
	enum { SLOW = 4 }; /* the last of them fills the memory */
	struct peer *p[SLOW], *q;
	int i;

	begin_with_little_memory();
	for (i = 0; i < SLOW; i++)
		p[i] = beginner(30100, 30000);
	CU_ASSERT(STAT_OF(request_bytes) > REQUESTS_MAX);
	begin_dripping(p[SLOW - 1]);
	for (i = 0; i < SLOW - 1; i++)
		peer_send_zeros(p[i], 1);
	UNTIL(STAT_OF(memory_waits) >= SLOW - 1);
	q = peer_open();
	send_large(q);
	UNTIL(world.n_asked == 1);
	/* The one that was read, and two of the largest. */
	CU_ASSERT_EQUAL(STAT_OF(memory_evictions), 3);
	CU_ASSERT_EQUAL(STAT_OF(connections_open), 2);
	loop_timer_cancel(world.loop, &drip);
	for (i = 0; i < SLOW; i++)
		peer_close(p[i]);
	peer_close(q);
	world_end();
}

static void
drain_drops_what_waits_for_memory(void)
{
	struct peer *p, *q;
	uint64_t waits;

	begin_with_little_memory();
	p = beginner(200000, 150000);
	q = peer_open();
	waits = STAT_OF(memory_waits);
	peer_claim(q, 2 * LARGE);
	peer_send_zeros(q, 2 * LARGE - 1);
	UNTIL(STAT_OF(memory_waits) > waits);
	net_drain(world.net);
	UNTIL(p->eof && q->eof);
	CU_ASSERT_EQUAL(STAT_OF(request_bytes), 0);
	peer_close(p);
	peer_close(q);
	UNTIL(net_idle(world.net));
	CU_ASSERT_EQUAL(STAT_OF(memory_evictions), 0);
	world_end();
}

static void
negative_request_limit_is_none(void)
{
	struct net_limits limits = world_limits();
	struct peer *p;

	limits.request_bytes_max = -1;
	world_begin(&limits);
	p = peer_open();
	send_large(p);
	send_large(p);
	UNTIL(world.n_asked == 2);
	CU_ASSERT_EQUAL(STAT_OF(memory_waits), 0);
	peer_close(p);
	world_end();
}

/* ---- answers ---- */

enum { ANSWERS_MAX = 40 * 1024 * 1024, MB = 1024 * 1024 };

static void
begin_with_room_for_answers(void)
{
	struct net_limits limits = world_limits();

	limits.answer_bytes_max = ANSWERS_MAX;
	world_begin(&limits);
}

/* Answers the i-th request with so many bytes. */
static void
answer_large(int i, size_t n)
{
	static uint8_t bulk[64 * MB];
	struct gather g = { 0 };

	gather_ref(&g, span_of(bulk, n));
	exchange_reply(world_take(i), &g, world_count_sent, NULL);
}

/* A peer that takes nothing of an answer of so many bytes, but what the sockets hold. */
static struct peer *
deaf_peer(size_t n)
{
	struct peer *p = peer_open();
	int i = world.n_asked;

	peer_set_deaf(p, true);
	peer_ask(p, "x");
	UNTIL(world.n_asked == i + 1);
	answer_large(i, n);
	return p;
}

static void
room_is_what_waiting_answers_leave(void)
{
	struct peer *p, *q;

	begin_with_room_for_answers();
	q = peer_open();
	peer_ask(q, "q");
	UNTIL(world.n_asked == 1);
	CU_ASSERT_EQUAL(exchange_room(world.asked[0].x), ANSWERS_MAX);
	p = deaf_peer(30 * MB);
	CU_ASSERT_EQUAL(exchange_room(world.asked[0].x), ANSWERS_MAX - 30 * MB - 4);
	CU_ASSERT_EQUAL(STAT_OF(answer_bytes), 30 * MB + 4);
	peer_close(deaf_peer(30 * MB)); /* never sent; gone with its connection */
	CU_ASSERT_EQUAL(exchange_room(world.asked[0].x), 0);
	UNTIL(STAT_OF(connections_open) == 2);
	CU_ASSERT_EQUAL(exchange_room(world.asked[0].x), ANSWERS_MAX - 30 * MB - 4);
	peer_set_deaf(p, false);
	UNTIL(p->in.n == 30 * MB + 4);
	CU_ASSERT_EQUAL(exchange_room(world.asked[0].x), ANSWERS_MAX);
	world.limits.answer_bytes_max = -1;
	net_set_limits(world.net, &world.limits);
	CU_ASSERT_EQUAL(exchange_room(world.asked[0].x), SIZE_MAX);
	net_free(world.net);
	world.net = NULL;
	CU_ASSERT_EQUAL(exchange_room(world.asked[0].x), 0);
	peer_close(p);
	peer_close(q);
	world_end();
}

/* After five or six seconds the one with the most goes, and that is enough. */
static void
deaf_peers_are_ended_until_answers_have_room(void)
{
	struct peer *large, *small, *quick, *honest;
	int sent, i;

	begin_with_room_for_answers();
	small = deaf_peer(16 * MB);
	large = deaf_peer(28 * MB);
	sent = world_sent;
	honest = peer_open();
	peer_ask(honest, "h");
	quick = peer_open();
	peer_ask(quick, "q");
	UNTIL(world.n_asked == 4);
	CU_ASSERT_EQUAL(exchange_room(world.asked[3].x), 0);
	for (i = 2; i < 4; i++)
		answer(i, "A");
	UNTIL(peer_got(honest, "A") && peer_got(quick, "A"));
	UNTIL(STAT_OF(answer_evictions) == 1);
	CU_ASSERT_EQUAL(world_sent, sent + 3);
	CU_ASSERT_EQUAL(STAT_OF(answer_bytes), 16 * MB + 4);
	CU_ASSERT_EQUAL(STAT_OF(connections_open), 3);
	CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "weir.queued.max.response.bytes"));
	CU_ASSERT_EQUAL(logged("waiting_bytes="), 28 * MB + 4);
	CU_ASSERT(logged("stalled_ms=") >= 5000);
	peer_set_deaf(small, false);
	UNTIL(small->in.n == 16 * MB + 4);
	peer_close(small);
	peer_close(large);
	peer_close(quick);
	peer_close(honest);
	world_end();
}

static void
connection_asks_one_by_one_while_answers_have_no_room(void)
{
	struct peer *p, *q;

	begin_with_room_for_answers();
	p = deaf_peer(64 * MB);
	q = peer_open();
	peer_send(q, "\0\0\0\1a\0\0\0\1b\0\0\0\1c", 15);
	UNTIL(world.n_asked == 2);
	world_settle();
	CU_ASSERT_EQUAL(world.n_asked, 3);
	answer(1, "A");
	UNTIL(asked_is(3, "b"));
	peer_set_deaf(p, false); /* within a second after that, all may go on */
	UNTIL(asked_is(4, "c"));
	CU_ASSERT_EQUAL(STAT_OF(answer_evictions), 0);
	peer_close(p);
	peer_close(q);
	world_end();
}

const struct unit_test memory_tests[] = {
	UNIT(large_requests_wait_for_full_memory_small_ones_do_not),
	UNIT(those_that_lack_least_go_on_first),
	UNIT(connection_asks_one_by_one_while_memory_is_full),
	UNIT(begun_requests_that_fill_the_memory_still_end),
	UNIT(silent_peers_that_fill_the_memory_keep_nobody_waiting),
	UNIT(silent_peers_that_keep_the_memory_full_are_dropped_at_once),
	UNIT(slow_peers_that_keep_the_memory_full_are_dropped_until_half_is_free),
	UNIT(drain_drops_what_waits_for_memory),
	UNIT(negative_request_limit_is_none),
	UNIT(room_is_what_waiting_answers_leave),
	UNIT(deaf_peers_are_ended_until_answers_have_room),
	UNIT(connection_asks_one_by_one_while_answers_have_no_room),
	UNIT_END
};
