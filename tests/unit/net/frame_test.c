/* frame_test.c -- bytes -> frames -> requests. */
#include <stdio.h>
#include <string.h>

#include "base/xalloc.h"
#include "unit/net/world.h"
#include "unit/unit.h"

static void
frame_comes_whole_when_sent_byte_by_byte(void)
{
	static const uint8_t bytes[] = "\0\0\0\5hello\0\0\0\0\0\0\0\3you";
	struct peer *p;
	size_t i;

	world_begin(NULL);
	p = peer_open();
	for (i = 0; i + 1 < sizeof bytes; i++) {
		peer_send(p, bytes + i, 1);
		UNTIL(STAT_OF(bytes_in) == i + 1);
		CU_ASSERT_EQUAL(world.n_asked, (i >= 8) + (i >= 12) + (i >= 19));
	}
	CU_ASSERT(asked_is(0, "hello") && asked_is(1, "") && asked_is(2, "you"));
	peer_close(p);
	world_end();
}

static void
many_frames_in_one_packet_come_in_order(void)
{
	struct peer *p;
	struct buf b = { 0 };
	char text[16];
	int i;

	world_begin(NULL);
	world.limits.in_flight_max = 3000;
	net_set_limits(world.net, &world.limits);
	p = peer_open();
	for (i = 0; i < 3000; i++) {
		int n = snprintf(text, sizeof text, "r%d", i);

		buf_u32(&b, (uint32_t)n);
		buf_put(&b, text, (size_t)n);
	}
	peer_send(p, b.p, b.n);
	UNTIL(world.n_asked == 3000);
	for (i = 0; i < 3000; i++) {
		snprintf(text, sizeof text, "r%d", i);
		CU_ASSERT_FATAL(asked_is(i, text));
	}
	CU_ASSERT_EQUAL(STAT_OF(frames_in), 3000);
	buf_done(&b);
	peer_close(p);
	world_end();
}

static void
fill(uint8_t *p, size_t n, unsigned seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)((seed += 2654435761u) >> 24);
}

/* Frames of all sizes around the sizes of our own memory, back to back. */
static void
frames_of_any_size_come_unchanged(void)
{
	static const size_t sizes[] = { 0, 1, 4091, 4092, 4096, 4097, 65527, 65531, 65532, 65533,
		65536, 65540, 131072, 1000000, 5000000, 1, 70000 };
	enum { N = sizeof sizes / sizeof sizes[0] };
	struct buf all = { 0 };
	struct peer *p;
	size_t at = 0;
	int i;

	world_begin(NULL);
	p = peer_open();
	for (i = 0; i < N; i++) {
		uint8_t *bytes = xmalloc(sizes[i]);

		fill(bytes, sizes[i], (unsigned)i);
		buf_u32(&all, (uint32_t)sizes[i]);
		buf_put(&all, bytes, sizes[i]);
		free(bytes);
	}
	peer_send(p, all.p, all.n);
	UNTIL(world.n_asked == N);
	for (i = 0; i < N; i++) {
		at += 4;
		UNIT_BYTES(world.asked[i].frame.p, world.asked[i].frame.n, all.p + at, sizes[i]);
		at += sizes[i];
	}
	buf_done(&all);
	peer_close(p);
	world_end();
}

static void
claimed_length_takes_no_memory(void)
{
	struct peer *p;

	world_begin(NULL);
	p = peer_open();
	peer_claim(p, 100 * 1024 * 1024);
	peer_send(p, "0123456789", 10);
	UNTIL(STAT_OF(bytes_in) == 14);
	CU_ASSERT(STAT_OF(request_bytes) <= 4096);
	peer_close(p);
	UNTIL(STAT_OF(connections_closed) == 1);
	CU_ASSERT_EQUAL(STAT_OF(request_bytes), 0);
	world_end();
}

/* What a peer gets that begins with these bytes: its end, and a line in the log. */
static void
refused_helper(const void *bytes, size_t n, const char *field, const char *guess)
{
	struct peer *p;

	world_begin(NULL);
	p = peer_open();
	peer_send(p, bytes, n);
	UNTIL(p->eof);
	CU_ASSERT_EQUAL(p->in.n, 0);
	CU_ASSERT_EQUAL(world.n_asked, 0);
	CU_ASSERT_EQUAL(STAT_OF(frames_refused), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(world.log, " warn "));
	CU_ASSERT_PTR_NOT_NULL(strstr(world.log, "peer=127.0.0.1:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(world.log, field));
	CU_ASSERT_PTR_NOT_NULL(strstr(world.log, guess));
	CU_ASSERT_PTR_EQUAL(strchr(world.log, '\n') + 1, world.log + strlen(world.log));
	peer_close(p);
	UNTIL(STAT_OF(connections_open) == 0);
	world_end();
}

static void
negative_length_ends_the_connection(void)
{
	refused_helper("\xff\xff\xff\xff", 4, "length=-1 ", "not a Kafka client");
	refused_helper("\x80\0\0\0", 4, "length=-2147483648 ", "not a Kafka client");
}

static void
too_large_length_ends_the_connection(void)
{
	refused_helper("\x06\x40\0\1xyz", 7, "length=104857601 max=104857600",
	    "socket.request.max.bytes");
}

static void
strangers_are_named_in_the_log(void)
{
	refused_helper("GET / HTTP/1.1\r\n", 16, "length=1195725856", "an HTTP client on the Kafka port");
	refused_helper("POST /topics", 12, "length=", "an HTTP client on the Kafka port");
	refused_helper("HEAD / HTTP/1.1", 15, "length=", "an HTTP client on the Kafka port");
	refused_helper("\x16\x03\x01\x02\0\x01", 6, "length=", "a TLS client on the plaintext Kafka port");
}

static void
largest_length_is_taken(void)
{
	struct net_limits limits = world_limits();
	struct peer *p;

	limits.frame_bytes_max = 5;
	world_begin(&limits);
	p = peer_open();
	peer_ask(p, "12345");
	UNTIL(asked_is(0, "12345"));
	peer_ask(p, "123456");
	UNTIL(STAT_OF(frames_refused) == 1);
	peer_close(p);
	world_end();
}

static void
bad_length_leaves_earlier_requests_their_answers(void)
{
	struct peer *p;

	world_begin(NULL);
	p = peer_open();
	peer_send(p, "\0\0\0\1a\0\0\0\1b\xff\xff\xff\xff", 14);
	UNTIL(STAT_OF(frames_refused) == 1);
	CU_ASSERT_EQUAL(world.n_asked, 2);
	answer(1, "B");
	answer(0, "A");
	UNTIL(p->eof);
	CU_ASSERT(peer_got(p, "A B"));
	peer_close(p);
	world_end();
}

static void
exchange_knows_where_it_came_from(void)
{
	struct peer *p, *q;
	struct exchange *x, *y;

	world_begin(NULL);
	p = peer_open();
	q = peer_open_from(2);
	peer_ask(p, "p");
	UNTIL(world.n_asked == 1);
	peer_ask(q, "q");
	UNTIL(world.n_asked == 2);
	x = world.asked[0].x;
	y = world.asked[1].x;
	CU_ASSERT_PTR_EQUAL(exchange_listener(x), &world.listener);
	CU_ASSERT(strncmp(exchange_peer(x), "127.0.0.1:", 10) == 0);
	CU_ASSERT(strncmp(exchange_peer(y), "127.0.0.2:", 10) == 0);
	CU_ASSERT(exchange_connection(x) != exchange_connection(y));
	CU_ASSERT(exchange_arrived_ms(x) <= exchange_arrived_ms(y));
	CU_ASSERT(exchange_arrived_ms(y) <= loop_now_ms(world.loop));
	peer_close(p);
	peer_close(q);
	world_end();
}

const struct unit_test frame_tests[] = {
	UNIT(frame_comes_whole_when_sent_byte_by_byte),
	UNIT(many_frames_in_one_packet_come_in_order),
	UNIT(frames_of_any_size_come_unchanged),
	UNIT(claimed_length_takes_no_memory),
	UNIT(negative_length_ends_the_connection),
	UNIT(too_large_length_ends_the_connection),
	UNIT(strangers_are_named_in_the_log),
	UNIT(largest_length_is_taken),
	UNIT(bad_length_leaves_earlier_requests_their_answers),
	UNIT(exchange_knows_where_it_came_from),
	UNIT_END
};
