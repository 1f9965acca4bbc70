/* world.c -- a loop with connections on one side and their peers on the other. */
#include "unit/net/world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/xalloc.h"
#include "unit/unit.h"

enum { GUARD_MS = 30000 };

struct world world;
int world_sent;

static void
keep_line(const char *line, size_t n)
{
	size_t at = strlen(world.log);

	if (at + n < sizeof world.log)
		memcpy(world.log + at, line, n);
}

static void
on_request(void *ctx, struct exchange *x)
{
	struct asked *a = &world.asked[world.n_asked++];
	size_t n;
	uint8_t *frame = exchange_frame(x, &n);

	CU_ASSERT_PTR_EQUAL(ctx, &world);
	must(world.n_asked < ASKED_MAX);
	*a = (struct asked){ .x = x, .connection = exchange_connection(x) };
	must(buf_room(&a->frame, n + 1) != NULL); /* so that an empty one is not null */
	buf_put(&a->frame, frame, n);
	exchange_set_user(x, a);
	if (world.pause) {
		exchange_pause(x);
		a->paused = true;
	}
	if (world.echo) {
		struct gather g = { 0 };

		buf_put(&g.buf, frame, n);
		a->x = NULL;
		world.n_echoed++;
		exchange_reply(x, &g, world_count_sent, NULL);
	}
}

static void
on_gone(void *ctx, struct exchange *x)
{
	struct asked *a = exchange_user(x);

	CU_ASSERT_PTR_EQUAL(ctx, &world);
	a->gone++;
	world.n_gone++;
}

static void
end_patience(struct timer *t)
{
	(void)t;
	world.stuck = true;
}

struct net_limits
world_limits(void)
{
	return (struct net_limits){
		.frame_bytes_max = 100 * 1024 * 1024,
		.connections_max = 10000,
		.connections_per_ip_max = 10000,
		.descriptors_max = 10000,
		.idle_ms_max = -1,
		.request_bytes_max = 1 << 30,
		.in_flight_max = 1000,
		.send_bytes_max = 1 << 30,
		.answer_bytes_max = -1,
	};
}

void
world_begin(const struct net_limits *limits)
{
	const struct net_hooks hooks = { &world, on_request, on_gone };

	memset(&world, 0, sizeof world);
	world_sent = 0;
	world.limits = limits == NULL ? world_limits() : *limits;
	CU_ASSERT_PTR_NOT_NULL_FATAL(world.loop = loop_new());
	world.net = net_new(world.loop, &world.limits, &hooks);
	world.listener = net_listen(world.net, WORLD_ADDRESS, 0, &world.listener);
	CU_ASSERT_PTR_NOT_NULL_FATAL(world.listener);
	world.guard.fire = end_patience;
	loop_timer_set(world.loop, &world.guard, loop_now_ms(world.loop) + GUARD_MS);
	diag_set_sink(keep_line);
}

void
world_end(void)
{
	int i;

	net_free(world.net);
	for (i = 0; i < world.n_asked; i++) {
		if (world.asked[i].x != NULL)
			exchange_done(world_take(i));
		buf_done(&world.asked[i].frame);
	}
	loop_timer_cancel(world.loop, &world.guard);
	loop_free(world.loop);
	diag_set_sink(NULL);
}

bool
world_turn(void)
{
	loop_round(world.loop);
	return !world.stuck;
}

void
world_settle(void)
{
	struct peer *p = peer_open();
	int n = world.n_asked;

	peer_ask(p, "settled?");
	UNTIL(world.echo ? peer_got(p, "settled?") : world.n_asked > n);
	peer_close(p);
}

static void
peer_write(struct peer *p)
{
	while (p->out_at < p->out.n) {
		ssize_t n = send(p->watch.fd, p->out.p + p->out_at, p->out.n - p->out_at, MSG_NOSIGNAL);

		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1) {
			p->reset = true;
			p->out_at = p->out.n;
			return;
		}
		p->out_at += (size_t)n;
	}
	buf_reset(&p->out);
	p->out_at = 0;
}

static void
peer_read(struct peer *p)
{
	ssize_t n;

	do {
		uint8_t *to = buf_room(&p->in, 65536);

		must(to != NULL);
		n = recv(p->watch.fd, to, 65536, 0);
		if (n > 0)
			p->in.n += (size_t)n;
	} while (n > 0);
	if (n == 0)
		p->eof = true;
	else if (errno != EAGAIN)
		p->reset = true;
}

static void
peer_watch(struct peer *p)
{
	bool over = p->eof || p->reset;

	loop_watch_set(world.loop, &p->watch, (over || p->deaf ? 0 : (unsigned)WATCH_READ) |
	    (p->out.n > 0 && !p->reset ? (unsigned)WATCH_WRITE : 0));
}

static void
peer_ready(struct watch *w, unsigned events)
{
	struct peer *p = container_of(w, struct peer, watch);

	if (events & WATCH_WRITE)
		peer_write(p);
	if (events & WATCH_READ)
		peer_read(p);
	/* A socket that is dead would be told in each round. */
	if (events & WATCH_HANGUP && !(events & WATCH_READ)) {
		p->reset = true;
		loop_unwatch(world.loop, w);
		p->closed = true;
		return;
	}
	peer_watch(p);
}

struct peer *
peer_open_from(int from)
{
	struct peer *p = xcalloc(1, sizeof *p);
	struct sockaddr_in a = { .sin_family = AF_INET };

	must((p->watch.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) != -1);
	a.sin_addr.s_addr = htonl(0x7f000000u + (uint32_t)from);
	must(bind(p->watch.fd, (struct sockaddr *)&a, sizeof a) == 0);
	a.sin_addr.s_addr = inet_addr(WORLD_ADDRESS);
	a.sin_port = htons((uint16_t)listener_port(world.listener));
	must(connect(p->watch.fd, (struct sockaddr *)&a, sizeof a) == 0);
	must(fcntl(p->watch.fd, F_SETFL, O_NONBLOCK) == 0);
	p->watch.events = WATCH_READ;
	p->watch.ready = peer_ready;
	must(loop_watch(world.loop, &p->watch) == 0);
	return p;
}

struct peer *
peer_open(void)
{
	return peer_open_from(1);
}

void
peer_send(struct peer *p, const void *bytes, size_t n)
{
	buf_put(&p->out, bytes, n);
	peer_write(p);
	peer_watch(p);
}

void
peer_claim(struct peer *p, uint32_t length)
{
	uint8_t prefix[4];

	store32(prefix, length);
	peer_send(p, prefix, sizeof prefix);
}

void
peer_send_zeros(struct peer *p, size_t n)
{
	char *bytes = xcalloc(1, n);

	peer_send(p, bytes, n);
	free(bytes);
}

void
peer_ask(struct peer *p, const char *text)
{
	struct buf b = { 0 };

	buf_u32(&b, (uint32_t)strlen(text));
	buf_put(&b, text, strlen(text));
	peer_send(p, b.p, b.n);
	buf_done(&b);
}

void
peer_half_close(struct peer *p)
{
	must(shutdown(p->watch.fd, SHUT_WR) == 0 || errno == ENOTCONN);
}

void
peer_close(struct peer *p)
{
	if (!p->closed)
		loop_unwatch(world.loop, &p->watch);
	close(p->watch.fd);
	buf_done(&p->in);
	buf_done(&p->out);
	free(p);
}

void
peer_reset(struct peer *p)
{
	struct linger l = { .l_onoff = 1, .l_linger = 0 };

	must(setsockopt(p->watch.fd, SOL_SOCKET, SO_LINGER, &l, sizeof l) == 0);
	peer_close(p);
}

void
peer_set_deaf(struct peer *p, bool deaf)
{
	p->deaf = deaf;
	peer_watch(p);
}

bool
peer_got(const struct peer *p, const char *texts)
{
	size_t at = 0;

	while (*texts != '\0') {
		size_t n = strcspn(texts, " ");

		if (p->in.n - at < 4 + n || load32(p->in.p + at) != n ||
		    memcmp(p->in.p + at + 4, texts, n) != 0)
			return false;
		at += 4 + n;
		texts += n + (texts[n] == ' ');
	}
	return at == p->in.n;
}

void
world_count_sent(void *ctx)
{
	(void)ctx;
	world_sent++;
}

struct exchange *
world_take(int i)
{
	struct exchange *x = world.asked[i].x;

	CU_ASSERT_PTR_NOT_NULL_FATAL(x);
	world.asked[i].x = NULL;
	return x;
}

void
answer(int i, const char *text)
{
	struct gather g = { 0 };

	buf_put(&g.buf, text, strlen(text));
	exchange_reply(world_take(i), &g, world_count_sent, NULL);
	CU_ASSERT(gather_size(&g) == 0);
}

bool
asked_is(int i, const char *text)
{
	return i < world.n_asked && span_is(buf_bytes(&world.asked[i].frame), text);
}

uint64_t
world_stat(const stat_t *s)
{
	return stat_get(s);
}
