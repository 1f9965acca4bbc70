/* net.c -- all connections together: what is to be done, the limits, the end. */
#include "net/net_internal.h"

#include "base/diag.h"
#include "base/xalloc.h"

enum { TELL_MAX = 20 };

static void do_work(struct timer *);

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
	n->look.fire = memory_look;
	list_init(&n->listeners);
	list_init(&n->conns);
	list_init(&n->remains);
	list_init(&n->todo);
	list_init(&n->waiting);
	return n;
}

bool
net_tells(struct net *n)
{
	int64_t now_ms = loop_now_ms(n->loop);

	if (now_ms - n->told_ms >= 1000) {
		if (n->told > TELL_MAX)
			diag_warn("connections ended, of which nothing was said", "connections=%d", n->told - TELL_MAX);
		n->told_ms = now_ms;
		n->told = 0;
	}
	return n->told++ < TELL_MAX;
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
	loop_timer_cancel(n->loop, &n->look);
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
	memory_account(n, 0, 0);
	memory_account_answers(n, 0);
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
