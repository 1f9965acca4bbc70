/* conn.c -- the life of one connection. */
#include "net/conn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/xalloc.h"
#include "net/net_internal.h"

enum { LINGER_MS = 1000 };

_Static_assert(sizeof(struct conn) <= 512, "what an idle connection costs");

static void ready(struct watch *, unsigned events);
static void look_at_idleness(struct timer *);

/*
 * Answers are whole messages: waiting for more to send would only delay them.
 * Keep-alive finds the peers that vanished while a request is under way.
 */
static void
set_options(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

void
conn_new(struct listener *l, int fd, struct origin *o, const char *peer)
{
	struct net *n = l->net;
	struct conn *c = xcalloc(1, sizeof *c);

	set_options(fd);
	c->net = n;
	c->watch = (struct watch){ .fd = fd, .events = WATCH_READ, .ready = ready };
	if (loop_watch(n->loop, &c->watch) == -1) {
		diag_error("connection dropped, the system does not let us watch it",
		    "peer=%s errno=\"%s\"", peer, strerror(errno));
		origin_release(n, o);
		close(fd);
		free(c);
		return;
	}
	c->idle.fire = look_at_idleness;
	c->origin = o;
	c->tag = l->tag;
	c->number = ++n->last_number;
	c->input_ms = c->output_ms = loop_now_ms(n->loop);
	c->state = CONN_OPEN;
	c->refs = 1;
	list_init(&c->todo_link);
	list_init(&c->waiting_link);
	list_init(&c->exchanges);
	snprintf(c->peer, sizeof c->peer, "%s", peer);
	list_add(&n->conns, &c->link);
	n->n_conns++;
	stat_add(&n->stats.connections_accepted, 1);
	stat_set(&n->stats.connections_open, (uint64_t)n->n_conns);
	conn_watch_idleness(c);
}

void
conn_unref(struct conn *c)
{
	if (--c->refs > 0)
		return;
	must(c->state == CONN_DEAD && c->n_exchanges == 0);
	list_del(&c->link);
	if (c->session_free != NULL)
		c->session_free(c->session);
	free(c);
}

void
conn_tear_down(struct conn *c)
{
	struct net *n = c->net;

	must(c->state != CONN_DEAD && !c->feeding && !c->flushing);
	c->state = CONN_DEAD;
	loop_unwatch(n->loop, &c->watch);
	loop_timer_cancel(n->loop, &c->idle);
	close(c->watch.fd);
	list_del(&c->todo_link);
	list_del(&c->link);
	list_add(&n->remains, &c->link);
	n->n_conns--;
	stat_add(&n->stats.connections_closed, 1);
	stat_set(&n->stats.connections_open, (uint64_t)n->n_conns);
	origin_release(n, c->origin);
	frames_drop(c);
	exchange_drop_all(c);
	conn_unref(c);
}

void
conn_end(struct conn *c)
{
	if (c->state == CONN_OPEN)
		c->state = CONN_ENDING;
	if (c->state != CONN_DEAD)
		net_todo(c->net, c);
}

void
conn_break(struct conn *c)
{
	must(c->state != CONN_DEAD);
	c->state = CONN_BROKEN;
	net_todo(c->net, c);
}

bool
conn_takes_requests(const struct conn *c)
{
	return c->state == CONN_OPEN && c->paused == NULL &&
	    c->n_exchanges < memory_in_flight_max(c->net) &&
	    c->out_bytes < c->net->limits.send_bytes_max;
}

static bool
wants_input(const struct conn *c)
{
	if (c->state == CONN_LINGER)
		return true;
	return !c->eof && c->left == NULL && list_empty(&c->waiting_link) &&
	    conn_takes_requests(c);
}

/* An end of a connection that can still be talked with. */
static void
linger(struct conn *c)
{
	/* What is sent is lost if we close with bytes unread: the peer gets a reset. */
	if (c->eof || shutdown(c->watch.fd, SHUT_WR) == -1) {
		c->state = CONN_BROKEN;
		return;
	}
	c->state = CONN_LINGER;
	loop_timer_set(c->net->loop, &c->idle, loop_now_ms(c->net->loop) + LINGER_MS);
}

/* Has the system watch for what there is to do next. */
static void
watch(struct conn *c)
{
	struct net *n = c->net;
	unsigned events = 0;

	if (wants_input(c)) {
		events |= WATCH_READ;
		if (!(c->watch.events & WATCH_READ))
			c->input_ms = loop_now_ms(n->loop); /* that it was not read was not its doing */
	}
	if (c->blocked)
		events |= WATCH_WRITE;
	loop_watch_set(n->loop, &c->watch, events);
}

void
conn_settle(struct conn *c)
{
	struct net *n = c->net;

	list_del(&c->todo_link);
	exchange_send(c);
	while (c->left != NULL && conn_takes_requests(c)) {
		frames_take_left(c);
		exchange_send(c);
	}
	if (c->state == CONN_OPEN && c->eof && c->left == NULL)
		c->state = CONN_ENDING;
	if (c->state == CONN_ENDING) {
		frames_drop(c);
		if (exchange_all_sent(c))
			linger(c);
	}
	if (c->state == CONN_BROKEN)
		conn_tear_down(c);
	else
		watch(c);
	memory_account(n, 0, 0); /* the next that waits may be read, too */
}

static void
ready(struct watch *w, unsigned events)
{
	struct conn *c = container_of(w, struct conn, watch);

	if (events & WATCH_WRITE)
		c->blocked = false;
	if (events & WATCH_READ && wants_input(c))
		frames_read(c); /* a hang-up shows in it when all is read */
	else if (events & WATCH_HANGUP)
		conn_break(c);
	conn_settle(c);
}

/* When bytes last went either way. */
static int64_t
active_ms(const struct conn *c)
{
	return c->input_ms > c->output_ms ? c->input_ms : c->output_ms;
}

void
conn_watch_idleness(struct conn *c)
{
	struct net *n = c->net;

	if (c->state == CONN_LINGER)
		return;
	if (n->limits.idle_ms_max < 0)
		loop_timer_cancel(n->loop, &c->idle);
	else
		loop_timer_set(n->loop, &c->idle, active_ms(c) + n->limits.idle_ms_max);
}

/*
 * The timer is not moved with each byte, but looks when it fires whether there
 * was one.  An answer that the peer does not take is idleness, too.
 */
static void
look_at_idleness(struct timer *t)
{
	struct conn *c = container_of(t, struct conn, idle);
	struct net *n = c->net;
	int64_t now = loop_now_ms(n->loop);

	if (c->state != CONN_LINGER) {
		bool busy = c->n_under_way > 0 || !list_empty(&c->waiting_link);
		int64_t since = busy ? now : active_ms(c);

		if (now - since < n->limits.idle_ms_max) {
			loop_timer_set(n->loop, &c->idle, since + n->limits.idle_ms_max);
			return;
		}
		stat_add(&n->stats.connections_idle, 1);
	}
	conn_tear_down(c);
}
