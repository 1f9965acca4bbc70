/* answer_test.c -- answers in order -> bytes. */
#include <string.h>
#include <sys/socket.h>

#include "base/xalloc.h"
#include "unit/net/world.h"
#include "unit/unit.h"

/* A peer that has asked for these, one letter each. */
static struct peer *
asking(const char *letters)
{
	struct peer *p = peer_open();
	char text[2] = "";
	int n = world.n_asked;

	for (; *letters != '\0'; letters++, n++) {
		text[0] = *letters;
		peer_ask(p, text);
	}
	UNTIL(world.n_asked == n);
	return p;
}

static void
answers_go_out_in_the_order_of_the_requests(void)
{
	struct peer *p;

	world_begin(NULL);
	p = asking("abcde");
	answer(4, "E");
	answer(2, "C");
	answer(1, "B");
	CU_ASSERT_EQUAL(world_sent, 0);
	answer(0, "A");
	UNTIL(peer_got(p, "A B C"));
	CU_ASSERT_EQUAL(world_sent, 3);
	answer(3, "D");
	UNTIL(peer_got(p, "A B C D E"));
	CU_ASSERT_EQUAL(world_sent, 5);
	CU_ASSERT_EQUAL(STAT_OF(replies_out), 5);
	CU_ASSERT_EQUAL(STAT_OF(bytes_out), 25);
	peer_close(p);
	world_end();
}

static void
answer_may_be_given_within_the_request(void)
{
	struct peer *p;

	world_begin(NULL);
	world.echo = true;
	p = asking("abcdefgh");
	UNTIL(peer_got(p, "a b c d e f g h"));
	CU_ASSERT_EQUAL(world_sent, 8);
	peer_close(p);
	world_end();
}

static void
lone_answer_is_sent_within_the_call(void)
{
	struct peer *p;

	world_begin(NULL);
	p = asking("a");
	answer(0, "A");
	CU_ASSERT_EQUAL(world_sent, 1);
	CU_ASSERT_EQUAL(STAT_OF(bytes_out), 5);
	UNTIL(peer_got(p, "A"));
	peer_close(p);
	world_end();
}

static void
done_sends_nothing_and_holds_nobody_up(void)
{
	struct peer *p;

	world_begin(NULL);
	p = asking("abcd");
	exchange_done(world_take(1));
	exchange_done(world_take(3));
	answer(2, "C");
	answer(0, "A");
	UNTIL(peer_got(p, "A C"));
	peer_ask(p, "e");
	UNTIL(world.n_asked == 5);
	exchange_done(world_take(4));
	peer_ask(p, "f");
	UNTIL(world.n_asked == 6);
	answer(5, "F");
	UNTIL(peer_got(p, "A C F"));
	peer_close(p);
	world_end();
}

static void
empty_answer_is_a_frame(void)
{
	struct peer *p;
	struct gather g = { 0 };

	world_begin(NULL);
	p = asking("a");
	exchange_reply(world_take(0), &g, NULL, NULL);
	UNTIL(p->in.n == 4);
	CU_ASSERT_EQUAL(load32(p->in.p), 0);
	peer_close(p);
	world_end();
}

enum { BULK = 8 * 1024 * 1024, PIECE = 1024 };

/* More than the sockets hold, in more pieces than one call takes. */
static void
large_borrowed_answer_comes_unchanged(void)
{
	uint8_t *bulk = xmalloc(BULK), *want = xmalloc(2 * BULK);
	struct gather g = { 0 };
	struct peer *p;
	size_t i, n = 0;

	for (i = 0; i < BULK; i++)
		bulk[i] = (uint8_t)(i * 2654435761u >> 13);
	world_begin(NULL);
	p = asking("ab");
	peer_set_deaf(p, true);
	for (i = 0; i < BULK / PIECE; i++) {
		buf_u32(&g.buf, (uint32_t)i);
		store32(want + n, (uint32_t)i);
		gather_ref(&g, span_of(bulk + i * PIECE, PIECE));
		memcpy(want + n + 4, bulk + i * PIECE, PIECE);
		n += 4 + PIECE;
	}
	exchange_reply(world_take(0), &g, world_count_sent, NULL);
	answer(1, "B");
	peer_ask(p, "c");
	UNTIL(world.n_asked == 3); /* the loop goes on */
	CU_ASSERT_EQUAL(world_sent, 0);
	peer_set_deaf(p, false);
	UNTIL(world_sent == 2);
	UNTIL(p->in.n == 4 + n + 5);
	CU_ASSERT_EQUAL(load32(p->in.p), n);
	UNIT_BYTES(p->in.p + 4, p->in.n - 4 - 5, want, n);
	peer_close(p);
	world_end();
	free(bulk);
	free(want);
}

static int next_of_chain;

static void
answer_next(void *ctx)
{
	(void)ctx;
	world_sent++;
	if (++next_of_chain < 5) {
		struct gather g = { 0 };

		buf_u8(&g.buf, (uint8_t)('A' + next_of_chain));
		exchange_reply(world_take(next_of_chain), &g, answer_next, NULL);
	}
}

static void
sent_may_answer_the_next(void)
{
	struct peer *p;
	struct gather g = { 0 };

	world_begin(NULL);
	p = asking("abcde");
	next_of_chain = 0;
	buf_u8(&g.buf, 'A');
	exchange_reply(world_take(0), &g, answer_next, NULL);
	UNTIL(peer_got(p, "A B C D E"));
	CU_ASSERT_EQUAL(world_sent, 5);
	peer_close(p);
	world_end();
}

static void
failed_answer_ends_the_connection(void)
{
	struct peer *p;
	struct gather g = { 0 };

	world_begin(NULL);
	p = asking("ab");
	g.buf.failed = true;
	exchange_reply(world_take(1), &g, world_count_sent, NULL);
	CU_ASSERT_EQUAL(p->in.n, 0);
	answer(0, "A");
	UNTIL(p->eof);
	CU_ASSERT(peer_got(p, "A"));
	CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "no memory for the answer"));
	peer_close(p);
	UNTIL(STAT_OF(connections_open) == 0);
	CU_ASSERT_EQUAL(world_sent, 2);
	world_end();
}

static void
answer_of_two_gigabytes_ends_the_connection(void)
{
	static uint8_t piece[1024];
	struct peer *p;
	struct gather g = { 0 };
	int i;

	world_begin(NULL);
	p = asking("a");
	/* The same bytes over and over: nothing looks at them. */
	gather_ref(&g, span_of(piece, sizeof piece));
	for (i = 1; i < 2 * 1024 * 1024; i++)
		gather_ref(&g, span_of(piece, sizeof piece));
	CU_ASSERT_EQUAL(gather_size(&g), (size_t)1 << 31);
	exchange_reply(world_take(0), &g, world_count_sent, NULL);
	UNTIL(p->eof);
	CU_ASSERT_EQUAL(p->in.n, 0);
	peer_close(p);
	UNTIL(STAT_OF(connections_open) == 0);
	CU_ASSERT_EQUAL(world_sent, 1);
	world_end();
}

static void
refusal_sends_earlier_answers_and_ends(void)
{
	struct peer *p;

	world_begin(NULL);
	p = asking("abcd");
	answer(2, "C");
	exchange_refuse(world_take(1), "unknown api key 99");
	exchange_refuse(world_take(3), "again");
	peer_ask(p, "more that nobody reads");
	world_turn();
	CU_ASSERT(!p->eof && p->in.n == 0);
	answer(0, "A");
	UNTIL(p->eof);
	CU_ASSERT(peer_got(p, "A"));
	CU_ASSERT_EQUAL(world.n_asked, 4);
	CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "why=\"unknown api key 99\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "peer=127.0.0.1:"));
	CU_ASSERT_EQUAL(STAT_OF(requests_refused), 2);
	peer_close(p);
	UNTIL(STAT_OF(connections_open) == 0);
	CU_ASSERT_EQUAL(world_sent, 2);
	CU_ASSERT_EQUAL(world.n_gone, 0);
	world_end();
}

/*
 * A socket that is closed with bytes unread forgets what it has still to
 * send: here most of the answer, since the peer's window is small.
 */
static void
refusal_does_not_lose_answers_on_their_way(void)
{
	static uint8_t bulk[400000];
	struct gather g = { 0 };
	struct peer *p;
	int small = 32768;

	world_begin(NULL);
	p = asking("ab");
	setsockopt(p->watch.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	peer_set_deaf(p, true);
	gather_ref(&g, span_of(bulk, sizeof bulk));
	exchange_reply(world_take(0), &g, world_count_sent, NULL);
	exchange_refuse(world_take(1), "no such version");
	peer_ask(p, "more that nobody asked for");
	peer_set_deaf(p, false);
	UNTIL(p->eof || p->reset);
	CU_ASSERT(p->eof && p->in.n == 4 + sizeof bulk);
	peer_close(p);
	world_end();
}

const struct unit_test answer_tests[] = {
	UNIT(answers_go_out_in_the_order_of_the_requests),
	UNIT(answer_may_be_given_within_the_request),
	UNIT(lone_answer_is_sent_within_the_call),
	UNIT(done_sends_nothing_and_holds_nobody_up),
	UNIT(empty_answer_is_a_frame),
	UNIT(large_borrowed_answer_comes_unchanged),
	UNIT(sent_may_answer_the_next),
	UNIT(failed_answer_ends_the_connection),
	UNIT(answer_of_two_gigabytes_ends_the_connection),
	UNIT(refusal_sends_earlier_answers_and_ends),
	UNIT(refusal_does_not_lose_answers_on_their_way),
	UNIT_END
};
