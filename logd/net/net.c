/* net.c -- all connections together: what is to be done, memory for requests, the end. */
#include "net/net_internal.h"

#include "base/diag.h"
#include "base/xalloc.h"

enum { FAVOUR_MS = 2000 };

static void do_work(struct timer *);
static void end_favour(struct timer *);

struct net *
net_new(struct loop *loop, const struct net_limits *limits, const struct net_hooks *hooks)
{
	struct net *n = xcalloc(1, sizeof *n);

	must(limits->in_flight_max > 0 && limits->send_bytes_max > 0);
	n->loop = loop;
	n->limits = *limits;
	n->hooks = *hooks;
	n->refusal_told_ms = INT64_MIN / 2;
	n->work.fire = do_work;
	n->favour_ends.fire = end_favour;
	list_init(&n->listeners);
	list_init(&n->conns);
	list_init(&n->remains);
	list_init(&n->todo);
	list_init(&n->waiting);
	return n;
}

static void
free_listeners(struct net *n)
{
	list_each(it, &n->listeners)
		listener_free(container_of(it, struct listener, link));
}

void
net_free(struct net *n)
{
	struct conn *c;

	if (n == NULL)
		return;
	free_listeners(n);
	while ((c = list_first(&n->conns, struct conn, link)) != NULL)
		conn_tear_down(c);
	while ((c = list_first(&n->remains, struct conn, link)) != NULL) {
		list_del(&c->link);
		c->net = NULL;
	}
	loop_timer_cancel(n->loop, &n->work);
	loop_timer_cancel(n->loop, &n->favour_ends);
	map_done(&n->origins);
	free(n);
}

void
net_set_limits(struct net *n, const struct net_limits *limits)
{
	must(limits->in_flight_max > 0 && limits->send_bytes_max > 0);
	n->limits = *limits;
	list_each(it, &n->conns) {
		struct conn *c = container_of(it, struct conn, link);

		conn_watch_idleness(c);
		net_todo(n, c);
	}
	net_account(n, 0, 0);
}

void
net_drain(struct net *n)
{
	free_listeners(n);
	list_each(it, &n->conns)
		conn_end(container_of(it, struct conn, link));
}

bool
net_idle(const struct net *n)
{
	return list_empty(&n->conns);
}

const struct net_stats *
net_stats_of(const struct net *n)
{
	return &n->stats;
}

void
net_todo(struct net *n, struct conn *c)
{
	if (!list_empty(&c->todo_link))
		return;
	if (list_empty(&n->todo))
		loop_timer_set(n->loop, &n->work, loop_now_ms(n->loop));
	list_add(&n->todo, &c->todo_link);
}

/* What comes up meanwhile is for the next time, so that a round ends. */
static void
do_work(struct timer *t)
{
	struct net *n = container_of(t, struct net, work);
	struct list now;
	struct conn *c;

	list_init(&now);
	list_move_all(&now, &n->todo);
	while ((c = list_first(&now, struct conn, todo_link)) != NULL)
		conn_settle(c);
}

/*
 * Memory for requests.
 *
 * Beyond the limit nothing is read.  If it is exchanges that take the memory,
 * it comes back as they end.  But if it is frames begun and not ended, it would
 * never: so the largest of those may go on (a different one would take still
 * more), and has to end in time, since it keeps everybody else waiting.  The
 * memory in use is thus bound by twice the limit and one frame.
 */

static bool
memory_is_full(const struct net *n)
{
	return n->limits.request_bytes_max >= 0 && n->held > n->limits.request_bytes_max;
}

/* Lets a connection be read again. */
static void
let_read(struct net *n, struct conn *c)
{
	list_del(&c->waiting_link);
	c->active_ms = loop_now_ms(n->loop); /* that it was not read was not its doing */
	net_todo(n, c);
}

static void
favour_largest(struct net *n)
{
	struct conn *largest = NULL;

	list_each(it, &n->conns) {
		struct conn *c = container_of(it, struct conn, link);

		if (conn_takes_requests(c) &&
		    c->frame_cap > (largest == NULL ? 0 : largest->frame_cap))
			largest = c;
	}
	if (largest == NULL)
		return; /* they all wait for exchanges of their own */
	n->favoured = largest;
	loop_timer_set(n->loop, &n->favour_ends, loop_now_ms(n->loop) + FAVOUR_MS);
	let_read(n, largest);
}

static void
share_memory(struct net *n)
{
	struct conn *c;

	if (!memory_is_full(n)) {
		while ((c = list_first(&n->waiting, struct conn, waiting_link)) != NULL)
			let_read(n, c);
	} else if (n->favoured == NULL && !list_empty(&n->waiting) &&
	    n->handed <= n->limits.request_bytes_max)
		favour_largest(n);
}

static void
end_favour(struct timer *t)
{
	struct net *n = container_of(t, struct net, favour_ends);
	struct conn *c = n->favoured;

	if (!memory_is_full(n)) {
		n->favoured = NULL;
		return;
	}
	stat_add(&n->stats.memory_evictions, 1);
	diag_warn("unfinished request dropped: it kept the memory for requests full; "
	    "raise queued.max.request.bytes if this is an honest client",
	    "peer=%s connection=%llu received=%zu length=%zu waited_ms=%d", c->peer,
	    (unsigned long long)c->number, c->frame_n, c->frame_len, FAVOUR_MS);
	conn_break(c);
}

void
net_account(struct net *n, int64_t held, int64_t handed)
{
	n->held += held;
	n->handed += handed;
	must(n->handed >= 0 && n->held >= n->handed);
	stat_set(&n->stats.request_bytes, (uint64_t)n->held);
	share_memory(n);
}

bool
net_grants_memory(struct net *n, struct conn *c)
{
	if (!memory_is_full(n) || n->favoured == c)
		return true;
	stat_add(&n->stats.memory_waits, 1);
	list_add(&n->waiting, &c->waiting_link);
	share_memory(n);
	return false;
}

void
net_memory_done(struct net *n, struct conn *c)
{
	list_del(&c->waiting_link);
	if (n->favoured != c)
		return;
	n->favoured = NULL;
	loop_timer_cancel(n->loop, &n->favour_ends);
}
