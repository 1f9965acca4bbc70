/* listener.c -- how connections begin, and how many there may be. */
#include "net/net_internal.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/xalloc.h"

enum {
	ACCEPTS_MAX = 64,  /* in one round, so that those who are connected get their turn */
	REST_MS = 1000,    /* how long accepting rests when the system refuses */
	TELL_MS = 1000     /* refused connections are logged no more often */
};

/* IPv4 by way of an IPv6 socket is IPv4 for us. */
static void
unmap(struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)ss;
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (ss->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		return;
	four.sin_port = six->sin6_port;
	memcpy(&four.sin_addr, six->sin6_addr.s6_addr + 12, sizeof four.sin_addr);
	memcpy(ss, &four, sizeof four);
}

/* The address as a key. */
static struct in6_addr
address_of(const struct sockaddr_storage *ss)
{
	struct in6_addr a = { 0 };

	if (ss->ss_family == AF_INET6)
		return ((const struct sockaddr_in6 *)ss)->sin6_addr;
	a.s6_addr[10] = a.s6_addr[11] = 0xff;
	memcpy(a.s6_addr + 12, &((const struct sockaddr_in *)ss)->sin_addr, 4);
	return a;
}

static void
name_peer(char *to, const struct sockaddr_storage *ss)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	socklen_t n = ss->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
	    sizeof(struct sockaddr_in);

	if (getnameinfo((const struct sockaddr *)ss, n, host, sizeof host, port, sizeof port,
	    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(to, PEER_BYTES, "unknown");
	else
		snprintf(to, PEER_BYTES, ss->ss_family == AF_INET6 ? "[%.*s]:%.5s" : "%.*s:%.5s",
		    PEER_BYTES - 10, host, port);
}

/* The limit that one more connection from this origin (NULL: the first) would exceed. */
static const char *
limit_reached(const struct net *n, const struct origin *o, int *max)
{
	if (n->n_conns >= (*max = n->limits.connections_max))
		return "max.connections";
	if (n->n_conns >= (*max = n->limits.descriptors_max))
		return "open.files";
	if ((o == NULL ? 0 : o->n_conns) >= (*max = n->limits.connections_per_ip_max))
		return "max.connections.per.ip";
	return NULL;
}

static void
tell_refusal(struct net *n, const char *peer, const char *limit, int max)
{
	int64_t now = loop_now_ms(n->loop);

	stat_add(&n->stats.connections_refused, 1);
	if (now - n->refusal_told_ms < TELL_MS)
		return;
	n->refusal_told_ms = now;
	diag_warn("connection refused, there are too many; raise the limit or find out who opens them",
	    "peer=%s limit=%s max=%d refused_so_far=%llu", peer, limit, max,
	    (unsigned long long)stat_get(&n->stats.connections_refused));
}

static struct origin *
origin_add(struct net *n, struct in6_addr addr)
{
	struct origin *o = xcalloc(1, sizeof *o);

	o->addr = addr;
	must_fit(map_put(&n->origins, span_of(&o->addr, sizeof o->addr), o));
	return o;
}

void
origin_release(struct net *n, struct origin *o)
{
	if (--o->n_conns > 0)
		return;
	map_del(&n->origins, span_of(&o->addr, sizeof o->addr));
	free(o);
}

static void
admit(struct listener *l, int fd, struct sockaddr_storage *from)
{
	struct net *n = l->net;
	struct in6_addr addr;
	struct origin *o;
	char peer[PEER_BYTES];
	const char *limit;
	int max;

	unmap(from);
	name_peer(peer, from);
	addr = address_of(from);
	o = map_get(&n->origins, span_of(&addr, sizeof addr));
	if ((limit = limit_reached(n, o, &max)) != NULL) {
		close(fd);
		tell_refusal(n, peer, limit, max);
		return;
	}
	if (o == NULL)
		o = origin_add(n, addr);
	o->n_conns++;
	conn_new(l, fd, o, peer);
}

/*
 * The system has no descriptor or memory for one more.  The peers wait in the
 * kernel's queue, and that we leave them there for a while keeps the loop from
 * spinning.
 */
static void
rest(struct listener *l, int err)
{
	struct net *n = l->net;

	stat_add(&n->stats.accept_failures, 1);
	diag_error("accepting connections rests for a second; raise the limit of open files if it was that",
	    "port=%d connections=%d errno=\"%s\"", l->port, n->n_conns, strerror(err));
	loop_watch_set(n->loop, &l->watch, 0);
	loop_timer_set(n->loop, &l->resume, loop_now_ms(n->loop) + REST_MS);
}

static void
end_rest(struct timer *t)
{
	struct listener *l = container_of(t, struct listener, resume);

	loop_watch_set(l->net->loop, &l->watch, WATCH_READ);
}

static void
accept_some(struct watch *w, unsigned events)
{
	struct listener *l = container_of(w, struct listener, watch);
	int i;

	(void)events;
	for (i = 0; i < ACCEPTS_MAX; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t n = sizeof from;
		int fd = accept4(w->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd != -1)
			admit(l, fd, &from);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR && errno != ECONNABORTED) {
			rest(l, errno);
			return;
		}
	}
}

/* A listening socket, or -1 with errno. */
static int
open_socket(const char *host, int port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;
	char service[16];
	int fd, err, on = 1;

	snprintf(service, sizeof service, "%d", port);
	if ((err = getaddrinfo(host, service, &hints, &ai)) != 0) {
		errno = err == EAI_MEMORY ? ENOMEM : EINVAL;
		return -1;
	}
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd != -1 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == -1 || listen(fd, SOMAXCONN) == -1)) {
		err = errno;
		close(fd);
		errno = err;
		fd = -1;
	}
	freeaddrinfo(ai);
	return fd;
}

static int
bound_port(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;

	must(getsockname(fd, (struct sockaddr *)&ss, &n) == 0);
	return ntohs(ss.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&ss)->sin6_port :
	    ((struct sockaddr_in *)&ss)->sin_port);
}

struct listener *
net_listen(struct net *n, const char *host, int port, const void *tag)
{
	struct listener *l;
	int fd, err;

	if ((fd = open_socket(host, port)) == -1)
		return NULL;
	l = xcalloc(1, sizeof *l);
	l->net = n;
	l->watch = (struct watch){ .fd = fd, .events = WATCH_READ, .ready = accept_some };
	l->resume.fire = end_rest;
	l->tag = tag;
	l->port = bound_port(fd);
	if (loop_watch(n->loop, &l->watch) == -1) {
		err = errno;
		close(fd);
		free(l);
		errno = err;
		return NULL;
	}
	list_add(&n->listeners, &l->link);
	return l;
}

int
listener_port(const struct listener *l)
{
	return l->port;
}

void
listener_free(struct listener *l)
{
	loop_unwatch(l->net->loop, &l->watch);
	loop_timer_cancel(l->net->loop, &l->resume);
	close(l->watch.fd);
	list_del(&l->link);
	free(l);
}
