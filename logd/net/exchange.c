/* exchange.c -- requests under way, and their answers in order -> bytes. */
#include "net/net_internal.h"

#include <errno.h>
#include <sys/uio.h>

#include "base/diag.h"
#include "base/xalloc.h"

enum { IOV_MAX_OURS = 256 };

struct exchange *
exchange_new(struct conn *c, uint8_t *frame, size_t n)
{
	struct exchange *x = xcalloc(1, sizeof *x);

	x->conn = c;
	x->state = EXCHANGE_UNDER_WAY;
	x->frame = frame;
	x->frame_n = n;
	x->arrived_ms = loop_now_ms(c->net->loop);
	list_add(&c->exchanges, &x->link);
	c->n_exchanges++;
	c->n_under_way++;
	c->refs++;
	return x;
}

/* The end of all that an exchange holds. */
static void
dispose(struct exchange *x)
{
	struct conn *c = x->conn;
	void (*sent)(void *) = x->sent;
	void *ctx = x->sent_ctx;

	list_del(&x->link);
	c->n_exchanges--;
	gather_done(&x->answer);
	free(x);
	if (sent != NULL)
		sent(ctx);
	conn_unref(c);
}

/* Bytes of an answer with its length. */
static size_t
answer_size(const struct exchange *x)
{
	return PREFIX_BYTES + gather_size(&x->answer);
}

/* An answer that begins or ends to take memory. */
static void
account_answer(struct conn *c, int64_t bytes)
{
	c->out_bytes = (size_t)((int64_t)c->out_bytes + bytes);
	memory_account_answers(c->net, bytes);
}

/*
 * Takes `n` sent bytes off the answers at the head, and what needs no sending
 * with them.  What is partly sent still takes all its memory.
 */
static void
retire(struct conn *c, size_t n)
{
	struct exchange *x;

	while ((x = list_first(&c->exchanges, struct exchange, link)) != NULL) {
		if (x->state == EXCHANGE_ANSWERED) {
			size_t rest = answer_size(x) - c->head_sent;

			if (n < rest) {
				c->head_sent += n;
				return;
			}
			n -= rest;
			c->head_sent = 0;
			account_answer(c, -(int64_t)answer_size(x));
			stat_add(&c->net->stats.replies_out, 1);
		} else if (x->state != EXCHANGE_DONE)
			return;
		dispose(x);
	}
}

/* Vectors for the answers that are next; `*bytes` is what they add up to. */
static int
collect(const struct conn *c, struct iovec *iov, size_t *bytes)
{
	size_t skip = c->head_sent;
	int i, n = 0;

	list_each(it, &c->exchanges) {
		struct exchange *x = container_of(it, struct exchange, link);

		if (x->state == EXCHANGE_DONE)
			continue;
		if (x->state != EXCHANGE_ANSWERED || n > IOV_MAX_OURS - 2)
			break;
		if (skip < PREFIX_BYTES)
			iov[n++] = (struct iovec){ x->prefix + skip, PREFIX_BYTES - skip };
		n += gather_iov(&x->answer, skip < PREFIX_BYTES ? 0 : skip - PREFIX_BYTES,
		    iov + n, IOV_MAX_OURS - n);
		skip = 0;
		/* Full: this answer may have more than went in. */
		if (n == IOV_MAX_OURS)
			break;
	}
	for (*bytes = 0, i = 0; i < n; i++)
		*bytes += iov[i].iov_len;
	return n;
}

/* Sends as much as the socket takes in one go; false when there is nothing to do any more. */
static bool
send_some(struct conn *c)
{
	struct iovec iov[IOV_MAX_OURS];
	struct msghdr msg = { .msg_iov = iov };
	size_t bytes;
	ssize_t n;

	retire(c, 0);
	msg.msg_iovlen = (size_t)collect(c, iov, &bytes);
	if (bytes == 0)
		return false;
	n = sendmsg(c->watch.fd, &msg, MSG_NOSIGNAL);
	c->output_ms = loop_now_ms(c->net->loop);
	if (n == -1) {
		if (errno == EAGAIN)
			c->blocked = true;
		else if (errno != EINTR)
			conn_break(c);
		return errno == EINTR;
	}
	c->blocked = (size_t)n < bytes;
	stat_add(&c->net->stats.bytes_out, (uint64_t)n);
	retire(c, (size_t)n);
	return true;
}

void
exchange_send(struct conn *c)
{
	if (c->flushing)
		return;
	c->flushing = true;
	while (!c->blocked && (c->state == CONN_OPEN || c->state == CONN_ENDING) && send_some(c))
		;
	c->flushing = false;
}

bool
exchange_all_sent(const struct conn *c)
{
	const struct exchange *x = list_first(&c->exchanges, struct exchange, link);

	return x == NULL || x->state == EXCHANGE_REFUSED;
}

void
exchange_drop_all(struct conn *c)
{
	struct exchange *x;

	account_answer(c, -(int64_t)c->out_bytes);
	while ((x = list_first(&c->exchanges, struct exchange, link)) != NULL) {
		list_del(&x->link);
		if (x->state == EXCHANGE_UNDER_WAY)
			c->net->hooks.gone(c->net->hooks.ctx, x);
		else
			dispose(x);
	}
}

/*
 * The user is through with it.  One that is alone is sent at once, for the
 * sake of its latency; where several are on their way, those that end in one
 * round go out together.
 */
static void
end(struct exchange *x, enum exchange_state how)
{
	struct conn *c = x->conn;

	must(x->state == EXCHANGE_UNDER_WAY);
	x->state = how;
	free(x->frame);
	x->frame = NULL;
	c->n_under_way--;
	if (c->paused == x)
		c->paused = NULL;
	if (c->net != NULL)
		memory_account(c->net, -(int64_t)x->frame_n, -(int64_t)x->frame_n);
	if (c->state == CONN_DEAD) {
		dispose(x);
		return;
	}
	if (how == EXCHANGE_ANSWERED)
		account_answer(c, (int64_t)answer_size(x));
	if (c->feeding)
		return; /* conn_settle() follows */
	if (c->n_exchanges == 1)
		exchange_send(c);
	net_todo(c->net, c);
}

void
exchange_reply(struct exchange *x, struct gather *answer, void (*sent)(void *), void *ctx)
{
	size_t size = gather_size(answer);

	x->answer = *answer;
	gather_init(answer);
	x->sent = sent;
	x->sent_ctx = ctx;
	if (x->answer.buf.failed || size > INT32_MAX) {
		exchange_refuse(x, x->answer.buf.failed ? "no memory for the answer" :
		    "the answer is larger than 2 GiB");
		return;
	}
	store32(x->prefix, (uint32_t)size);
	end(x, EXCHANGE_ANSWERED);
}

void
exchange_done(struct exchange *x)
{
	end(x, EXCHANGE_DONE);
}

void
exchange_refuse(struct exchange *x, const char *why)
{
	struct conn *c = x->conn;

	if (c->state != CONN_DEAD) {
		stat_add(&c->net->stats.requests_refused, 1);
		if (net_tells(c->net))
			diag_warn("connection ended because of a request that can't be answered",
			    "peer=%s connection=%llu why=\"%s\"", c->peer,
			    (unsigned long long)c->number, why);
		conn_end(c);
	}
	end(x, EXCHANGE_REFUSED);
}

uint8_t *
exchange_frame(struct exchange *x, size_t *n)
{
	*n = x->frame_n;
	return x->frame;
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
	return x->conn->peer;
}

uint64_t
exchange_connection(const struct exchange *x)
{
	return x->conn->number;
}

int64_t
exchange_arrived_ms(const struct exchange *x)
{
	return x->arrived_ms;
}

void
exchange_pause(struct exchange *x)
{
	struct conn *c = x->conn;

	must(x->state == EXCHANGE_UNDER_WAY && c->paused == NULL);
	must(c->state == CONN_DEAD || x->link.next == &c->exchanges); /* the newest */
	c->paused = x;
}

void
exchange_resume(struct exchange *x)
{
	struct conn *c = x->conn;

	must(c->paused == x);
	c->paused = NULL;
	if (c->state != CONN_DEAD)
		net_todo(c->net, c);
}

size_t
exchange_room(const struct exchange *x)
{
	const struct net *n = x->conn->net;

	return n == NULL ? 0 : memory_answer_room(n);
}

void
exchange_set_session(struct exchange *x, void *session, void (*free_fn)(void *))
{
	struct conn *c = x->conn;

	if (c->session_free != NULL && c->session != session)
		c->session_free(c->session);
	c->session = session;
	c->session_free = free_fn;
}

void *
exchange_session(const struct exchange *x)
{
	return x->conn->session;
}
