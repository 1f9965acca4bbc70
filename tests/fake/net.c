/*
 * net.c -- the exchanges of net/conn.h between clients that are in the same process.
 *
 * As the real ones: frames of a connection are handed on in order, while none
 * is paused; answers come in the order of their requests; a frame lives as long
 * as its exchange is under way.
 */
#include "fake/net_fake.h"

#include "base/list.h"
#include "base/xalloc.h"
#include "unit/base/random.h"

enum { ANSWER_ROOM = 1 << 24 };

struct frame {
	struct list link;
	size_t n;
	uint8_t bytes[];
};

struct fake_conn {
	struct list link;
	struct list frames;    /* sent, not handed on */
	struct list exchanges; /* under way, or answered and not taken, in order */
	struct exchange *paused;
	bool open;
	const void *tag;
	void (*answered)(void *, struct span);
	void (*refused)(void *);
	void *ctx;
};

struct exchange {
	struct list link;
	struct fake_conn *conn;
	struct frame *frame; /* NULL: it has ended */
	void *user;
	bool refused;
	struct buf answer;   /* empty: there is none */
};

static struct list conns = { &conns, &conns };
static struct net_hooks hooks;
static uint64_t state;

static size_t
below(size_t n)
{
	return random_below(&state, n);
}

void
fake_net_begin(const struct net_hooks *h, uint64_t seed)
{
	list_init(&conns);
	hooks = *h;
	state = seed;
}

/* ---- the client's side ---- */

struct fake_conn *
fake_conn_new(const void *tag, void (*answered)(void *, struct span), void (*refused)(void *), void *ctx)
{
	struct fake_conn *c = xcalloc(1, sizeof *c);

	*c = (struct fake_conn){ .open = true, .tag = tag, .answered = answered, .refused = refused, .ctx = ctx };
	list_init(&c->frames);
	list_init(&c->exchanges);
	list_add(&conns, &c->link);
	return c;
}

void
fake_conn_send(struct fake_conn *c, struct span bytes)
{
	struct frame *f = xmalloc(sizeof *f + bytes.n);

	must(c->open);
	f->n = bytes.n;
	memcpy(f->bytes, bytes.p, bytes.n);
	list_init(&f->link);
	list_add(&c->frames, &f->link);
}

bool
fake_conn_is_open(const struct fake_conn *c)
{
	return c->open;
}

static void
dispose(struct exchange *x)
{
	list_del(&x->link);
	buf_done(&x->answer);
	free(x);
}

void
fake_conn_close(struct fake_conn *c)
{
	struct frame *f;
	struct exchange *x;

	c->open = false;
	while ((f = list_first(&c->frames, struct frame, link)) != NULL) {
		list_del(&f->link);
		free(f);
	}
	while ((x = list_first(&c->exchanges, struct exchange, link)) != NULL) {
		list_del(&x->link);
		if (x->frame != NULL)
			hooks.gone(hooks.ctx, x); /* whoever has it still ends it */
		else
			dispose(x);
	}
}

static void
hand_on(struct fake_conn *c, struct frame *f)
{
	struct exchange *x = xcalloc(1, sizeof *x);

	list_del(&f->link);
	list_init(&x->link);
	x->conn = c;
	x->frame = f;
	list_add(&c->exchanges, &x->link);
	hooks.request(hooks.ctx, x);
}

/* The first exchange has ended. */
static void
take(struct fake_conn *c, struct exchange *x)
{
	struct buf answer = x->answer;

	x->answer = (struct buf){ 0 };
	if (x->refused)
		fake_conn_close(c);
	else
		dispose(x);
	if (!c->open)
		c->refused(c->ctx);
	else if (answer.n > 0)
		c->answered(c->ctx, buf_bytes(&answer));
	buf_done(&answer);
}

bool
fake_net_turn(void)
{
	bool any = false;

	list_each(it, &conns) {
		struct fake_conn *c = container_of(it, struct fake_conn, link);
		struct exchange *x;
		struct frame *f;

		while ((x = list_first(&c->exchanges, struct exchange, link)) != NULL && x->frame == NULL &&
		    below(4) != 0)
			take(c, x);
		while (c->paused == NULL && (f = list_first(&c->frames, struct frame, link)) != NULL && below(4) != 0)
			hand_on(c, f);
		any = any || !list_empty(&c->frames) || !list_empty(&c->exchanges);
	}
	return any;
}

void
fake_net_end(void)
{
	list_each(it, &conns) {
		struct fake_conn *c = container_of(it, struct fake_conn, link);

		if (c->open)
			fake_conn_close(c);
	}
}

/* ---- net/conn.h, as far as the api needs it ---- */

static void
end(struct exchange *x)
{
	must(x->frame != NULL);
	free(x->frame);
	x->frame = NULL;
	if (x->conn->paused == x)
		x->conn->paused = NULL;
	if (!x->conn->open)
		dispose(x);
}

void
exchange_reply(struct exchange *x, struct gather *answer, void (*sent)(void *), void *ctx)
{
	struct iovec iov[64];
	int n;

	must(!answer->buf.failed);
	while ((n = gather_iov(answer, x->answer.n, iov, 64)) > 0)
		for (int i = 0; i < n; i++)
			buf_put(&x->answer, iov[i].iov_base, iov[i].iov_len);
	gather_done(answer);
	end(x);
	if (sent != NULL)
		sent(ctx);
}

void
exchange_done(struct exchange *x)
{
	end(x);
}

void
exchange_refuse(struct exchange *x, const char *why)
{
	(void)why;
	x->refused = true;
	end(x);
}

uint8_t *
exchange_frame(struct exchange *x, size_t *n)
{
	*n = x->frame->n;
	return x->frame->bytes;
}

void
exchange_set_user(struct exchange *x, void *user)
{
	x->user = user;
}

void *
exchange_user(const struct exchange *x)
{
	return x->user;
}

const void *
exchange_listener(const struct exchange *x)
{
	return x->conn->tag;
}

const char *
exchange_peer(const struct exchange *x)
{
	(void)x;
	return "127.0.0.1:9";
}

void
exchange_pause(struct exchange *x)
{
	must(x->frame != NULL && x->conn->paused == NULL);
	must(!x->conn->open || x->link.next == &x->conn->exchanges); /* the newest */
	x->conn->paused = x;
}

void
exchange_resume(struct exchange *x)
{
	must(x->conn->paused == x);
	x->conn->paused = NULL;
}

size_t
exchange_room(const struct exchange *x)
{
	(void)x;
	return ANSWER_ROOM;
}
