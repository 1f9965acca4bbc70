/*
 * frames.c -- input of a connection: bytes -> frames -> exchanges.
 *
 * A length that is claimed costs its sender nothing, so memory for a frame
 * grows with the bytes that have come.  Large frames are read straight to
 * where they stay; small ones, many at a time, go through the scratch memory
 * that all connections share, so that an idle connection holds none.
 */
#include "net/net_internal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/uio.h>

#include "base/diag.h"
#include "base/xalloc.h"

enum {
	FRAME_MIN = 4096, /* first piece of memory for a frame that is not whole */
	READS_MAX = 8     /* of one connection in a round */
};

static size_t
min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t
max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Those who take us for something else begin like this. */
static const char *
guess_client(const uint8_t *prefix)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *guess;
	} known[] = {
		{ "GET ", 4, "an HTTP client on the Kafka port" },
		{ "POST", 4, "an HTTP client on the Kafka port" },
		{ "HEAD", 4, "an HTTP client on the Kafka port" },
		{ "PUT ", 4, "an HTTP client on the Kafka port" },
		{ "\x16\x03", 2, "a TLS client on the plaintext Kafka port" },
	};
	size_t i;

	for (i = 0; i < sizeof known / sizeof known[0]; i++)
		if (memcmp(prefix, known[i].bytes, known[i].n) == 0)
			return known[i].guess;
	return "not a Kafka client, or socket.request.max.bytes is too small for it";
}

static void
refuse_length(struct conn *c, int32_t len)
{
	stat_add(&c->net->stats.frames_refused, 1);
	if (net_tells(c->net))
		diag_warn("connection ended because of the length of a request",
		    "peer=%s connection=%llu length=%ld max=%ld guess=\"%s\"", c->peer,
		    (unsigned long long)c->number, (long)len, (long)c->net->limits.frame_bytes_max,
		    guess_client(c->prefix));
	conn_end(c);
}

static void
set_frame_cap(struct conn *c, size_t cap)
{
	int64_t more = (int64_t)cap - (int64_t)c->frame_cap;

	c->frame = xrealloc(c->frame, cap);
	c->frame_cap = cap;
	memory_account(c->net, more, 0);
}

/* Makes room for at least `n` more bytes of the frame, if it has that many. */
static void
grow_frame(struct conn *c, size_t n)
{
	size_t need = min_size(c->frame_len, c->frame_n + n);

	if (c->frame == NULL || need > c->frame_cap)
		set_frame_cap(c, min_size(c->frame_len, max_size(need, 2 * c->frame_cap)));
}

/* The frame is whole. */
static void
hand_on(struct conn *c)
{
	struct net *n = c->net;
	uint8_t *frame = c->frame;
	size_t len = c->frame_len;

	must(c->frame_cap == len);
	c->frame = NULL;
	c->frame_n = c->frame_cap = c->frame_len = 0;
	c->prefix_n = 0;
	memory_let_go(n, c);
	memory_account(n, 0, (int64_t)len);
	stat_add(&n->stats.frames_in, 1);
	n->hooks.request(n->hooks.ctx, exchange_new(c, frame, len));
}

/* Bytes of the length; of `n` it takes what it returns. */
static size_t
take_prefix(struct conn *c, const uint8_t *p, size_t n)
{
	size_t k = min_size(n, PREFIX_BYTES - c->prefix_n);
	int32_t len;

	memcpy(c->prefix + c->prefix_n, p, k);
	c->prefix_n += k;
	if (c->prefix_n < PREFIX_BYTES)
		return k;
	len = (int32_t)load32(c->prefix);
	if (len < 0 || len > c->net->limits.frame_bytes_max) {
		refuse_length(c, len);
		return k;
	}
	c->frame_len = (size_t)len;
	grow_frame(c, n - k >= c->frame_len ? c->frame_len : max_size(2 * (n - k), FRAME_MIN));
	if (len == 0)
		hand_on(c);
	return k;
}

/* Bytes of the frame, likewise. */
static size_t
take_body(struct conn *c, const uint8_t *p, size_t n)
{
	size_t k = min_size(n, c->frame_len - c->frame_n);

	grow_frame(c, k);
	memcpy(c->frame + c->frame_n, p, k);
	c->frame_n += k;
	if (c->frame_n == c->frame_len)
		hand_on(c);
	return k;
}

/* Hands on what is whole, until the connection takes no more; how many bytes it took. */
static size_t
feed(struct conn *c, const uint8_t *p, size_t n)
{
	size_t at = 0;

	while (at < n && conn_takes_requests(c))
		at += c->frame == NULL ? take_prefix(c, p + at, n - at) :
		    take_body(c, p + at, n - at);
	return at;
}

static void
keep_left(struct conn *c, const uint8_t *p, size_t n)
{
	if (n == 0 || c->state != CONN_OPEN)
		return;
	c->left = xmemdup(p, n);
	c->left_at = 0;
	c->left_n = n;
	memory_account(c->net, (int64_t)n, (int64_t)n);
}

static void
drop_left(struct conn *c)
{
	int64_t n = (int64_t)c->left_n;

	free(c->left);
	c->left = NULL;
	c->left_n = 0;
	memory_account(c->net, -n, -n);
}

void
frames_take_left(struct conn *c)
{
	c->feeding = true;
	c->left_at += feed(c, c->left + c->left_at, c->left_n - c->left_at);
	c->feeding = false;
	if (c->left_at == c->left_n)
		drop_left(c);
}

void
frames_drop(struct conn *c)
{
	int64_t held = (int64_t)c->frame_cap;

	free(c->frame);
	c->frame = NULL;
	c->frame_n = c->frame_cap = c->frame_len = 0;
	drop_left(c);
	memory_let_go(c->net, c);
	memory_account(c->net, -held, 0);
}

/* Deals with `got` bytes that were read into the frame's `room` and then into the scratch memory. */
static void
received(struct conn *c, size_t got, size_t room)
{
	struct net *n = c->net;
	size_t in_frame = min_size(got, room);
	size_t at;

	stat_add(&n->stats.bytes_in, got);
	c->input_ms = loop_now_ms(n->loop);
	c->waiting_ms = 0;
	c->frame_n += in_frame;
	if (c->frame != NULL && c->frame_n == c->frame_len)
		hand_on(c);
	at = feed(c, n->scratch, got - in_frame);
	keep_left(c, n->scratch + at, got - in_frame - at);
}

/* One read.  True when there may be more to read, and it may be read. */
static bool
read_once(struct conn *c)
{
	struct net *n = c->net;
	struct iovec iov[2];
	size_t room = 0, asked = 0, more = memory_requests_full(n) ? SMALL_FRAME_BYTES : SCRATCH_BYTES;
	ssize_t got;
	int n_iov = 0;

	if (!memory_lets_read(n, c))
		return false;
	if (c->frame != NULL) {
		grow_frame(c, 1);
		room = c->frame_cap - c->frame_n;
		iov[n_iov++] = (struct iovec){ c->frame + c->frame_n, room };
		asked = room;
	}
	if (c->frame_cap == c->frame_len) {
		iov[n_iov++] = (struct iovec){ n->scratch, more };
		asked += more;
	}
	got = readv(c->watch.fd, iov, n_iov);
	if (got > 0) {
		received(c, (size_t)got, room);
		return (size_t)got == asked && c->left == NULL && conn_takes_requests(c);
	}
	if (got == 0)
		c->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		conn_break(c);
	return false;
}

/* What comes after the end is of no interest, but for its own end. */
static void
read_to_the_end(struct conn *c)
{
	ssize_t got = recv(c->watch.fd, c->net->scratch, SCRATCH_BYTES, 0);

	if (got == 0 || (got == -1 && errno != EAGAIN && errno != EINTR))
		conn_break(c);
}

void
frames_read(struct conn *c)
{
	int i;

	if (c->state == CONN_LINGER) {
		read_to_the_end(c);
		return;
	}
	c->feeding = true;
	for (i = 0; i < READS_MAX && read_once(c); i++)
		;
	c->feeding = false;
}
