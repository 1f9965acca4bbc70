/*
 * soak_test.c -- random traffic: whatever peers and users do in whatever
 * order, answers come in order, and every promise is kept once.
 */
#include <string.h>

#include "base/xalloc.h"
#include "unit/base/random.h"
#include "unit/net/world.h"
#include "unit/unit.h"

enum { PEERS = 12, STEPS = 6000, FRAME_MAX = 20000 };

/* A peer, what it is about to send, and what it may expect. */
struct talker {
	struct peer *peer;
	struct buf stream; /* bytes not sent yet */
	size_t at;
	uint32_t next;     /* number of its next request */
	uint32_t heard;    /* number of the last answer, + 1 */
	size_t parsed;     /* of peer->in */
	bool silent;       /* has said all */
};

static uint64_t seed;
static struct talker talkers[PEERS];
static int n_replies;
static struct timer tick;

static void
no_tick(struct timer *t)
{
	(void)t;
}

/* A request: its number, and bytes of no meaning; now and then one that is too long. */
static void
compose(struct talker *t)
{
	size_t n = 4 + random_below(&seed, random_below(&seed, 4) == 0 ? FRAME_MAX - 4 : 40);

	if (random_below(&seed, 200) == 0) {
		buf_u32(&t->stream, FRAME_MAX + 1);
		return;
	}
	buf_u32(&t->stream, (uint32_t)n);
	buf_u32(&t->stream, t->next++);
	memset(buf_room(&t->stream, n), 'x', n);
	t->stream.n += n - 4;
}

static void
hang_up(struct talker *t, bool reset)
{
	if (reset)
		peer_reset(t->peer);
	else
		peer_close(t->peer);
	buf_done(&t->stream);
	*t = (struct talker){ 0 };
}

/* Answers bear the number of the request: the numbers only rise, and none is made up. */
static void
listen_to(struct talker *t)
{
	const struct buf *in = &t->peer->in;

	while (in->n - t->parsed >= 4) {
		uint32_t n = load32(in->p + t->parsed), number;

		if (in->n - t->parsed - 4 < n)
			return;
		CU_ASSERT_FATAL(n >= 4);
		number = load32(in->p + t->parsed + 4);
		CU_ASSERT_FATAL(number >= t->heard && number < t->next);
		t->heard = number + 1;
		t->parsed += 4 + n;
	}
}

static void
act(struct talker *t)
{
	size_t n;

	if (t->peer == NULL) {
		t->peer = peer_open();
		return;
	}
	listen_to(t);
	if (t->peer->eof || t->peer->reset) {
		hang_up(t, false);
		return;
	}
	switch (random_below(&seed, 40)) {
	case 0:
		hang_up(t, true);
		return;
	case 1:
		hang_up(t, false);
		return;
	case 2:
		peer_half_close(t->peer);
		t->silent = true;
		return;
	case 3:
	case 4:
		peer_set_deaf(t->peer, !t->peer->deaf);
		return;
	default:
		if (t->silent)
			return;
		if (t->at == t->stream.n)
			compose(t);
		n = 1 + random_below(&seed, random_below(&seed, 3) == 0 ? 8 : t->stream.n - t->at);
		if (n > t->stream.n - t->at)
			n = t->stream.n - t->at;
		peer_send(t->peer, t->stream.p + t->at, n);
		t->at += n;
	}
}

/* Ends one of the requests under way, in one way or other. */
static void
end_some(void)
{
	struct gather g = { 0 };
	struct exchange *x;
	struct asked *a;
	static uint8_t bulk[300];
	int i;

	for (i = 0; i < 20 && world.n_asked > 0; i++) {
		int k = (int)random_below(&seed, (size_t)world.n_asked);

		a = &world.asked[k];
		if (a->x == NULL)
			continue;
		if (a->paused && random_below(&seed, 2) == 0) {
			exchange_resume(a->x);
			a->paused = false;
			return;
		}
		x = world_take(k);
		switch (random_below(&seed, 20)) {
		case 0:
			exchange_refuse(x, "chance");
			return;
		case 1:
		case 2:
			exchange_done(x);
			return;
		default:
			buf_put(&g.buf, a->frame.p, 4);
			gather_ref(&g, span_of(bulk, random_below(&seed, sizeof bulk)));
			n_replies++;
			exchange_reply(x, &g, world_count_sent, NULL);
			return;
		}
	}
}

/* The table of requests is used anew when nobody is under way. */
static void
forget_ended(void)
{
	int i;

	for (i = 0; i < world.n_asked; i++)
		while (world.n_asked > ASKED_MAX / 2 && world.asked[i].x != NULL)
			exchange_done(world_take(i));
	if (world.n_asked <= ASKED_MAX / 2)
		return;
	for (i = 0; i < world.n_asked; i++)
		buf_done(&world.asked[i].frame);
	world.n_asked = 0;
}

static void
soak(uint64_t s)
{
	struct net_limits limits = world_limits();
	int step, i;

	limits.frame_bytes_max = FRAME_MAX;
	limits.in_flight_max = 3;
	limits.send_bytes_max = 1000;
	limits.request_bytes_max = 8000;
	limits.answer_bytes_max = 3000;
	limits.connections_max = PEERS - 1;
	seed = s;
	n_replies = 0;
	memset(talkers, 0, sizeof talkers);
	world_begin(&limits);
	tick = (struct timer){ .fire = no_tick };
	for (step = 0; step < STEPS; step++) {
		act(&talkers[random_below(&seed, PEERS)]);
		if (random_below(&seed, 2) == 0)
			end_some();
		world.echo = random_below(&seed, 4) == 0;
		world.pause = random_below(&seed, 8) == 0;
		/* A round that does not wait. */
		loop_timer_set(world.loop, &tick, loop_now_ms(world.loop));
		CU_ASSERT_FATAL(world_turn());
		n_replies += world.n_echoed;
		world.n_echoed = 0;
		forget_ended();
	}
	CU_ASSERT(world.n_asked > 100 && n_replies > 100);
	CU_ASSERT(STAT_OF(memory_waits) > 0);
	world.echo = true; /* for what is still on its way */
	world.pause = false;
	for (i = 0; i < PEERS; i++)
		if (talkers[i].peer != NULL)
			hang_up(&talkers[i], false);
	for (i = 0; i < world.n_asked; i++)
		if (world.asked[i].x != NULL)
			exchange_done(world_take(i));
	UNTIL(STAT_OF(connections_open) == 0);
	CU_ASSERT_EQUAL(world_sent, n_replies + world.n_echoed);
	CU_ASSERT_EQUAL(STAT_OF(request_bytes), 0);
	CU_ASSERT_EQUAL(STAT_OF(answer_bytes), 0);
	for (i = 0; i < world.n_asked; i++)
		CU_ASSERT(world.asked[i].gone <= 1);
	world_end();
}

static void
random_traffic_keeps_every_promise(void)
{
	uint64_t s;

	for (s = 1; s <= 5; s++)
		soak(s);
}

const struct unit_test soak_tests[] = {
	UNIT(random_traffic_keeps_every_promise),
	UNIT_END
};
