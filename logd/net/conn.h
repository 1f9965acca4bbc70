/*
 * conn.h -- connections: length-framed requests in, replies out in the order
 * of the requests.
 *
 * Knows no Kafka.  A frame is a big-endian int32 length and that many bytes.
 * Requests of a connection are handed on as they arrive, several may be under
 * way at once, and each gets its answer when it is ready; the answers go out in
 * the order in which the requests came.  A connection that has too many
 * requests or too many answer bytes waiting is not read from (back-pressure).
 * What all of them may take of memory together: see memory.c.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/gather.h"
#include "base/stats.h"
#include "net/loop.h"

struct net;
struct listener;

/*
 * One request and the place of its answer.  Ended by exactly one of
 * exchange_reply(), exchange_done() and exchange_refuse(), whether or not its
 * connection still lives.
 */
struct exchange;

struct net_limits {
	int32_t frame_bytes_max;      /* socket.request.max.bytes */
	int connections_max;          /* max.connections */
	int connections_per_ip_max;   /* max.connections.per.ip */
	int descriptors_max;          /* what connections may take of the open files that the system grants */
	int64_t idle_ms_max;          /* connections.max.idle.ms; < 0: never */
	int64_t request_bytes_max;    /* queued.max.request.bytes: frames in memory, all connections; beyond it large ones wait; < 0: no limit */
	int in_flight_max;            /* requests of one connection under way */
	size_t send_bytes_max;        /* answer bytes of one connection waiting */
	int64_t answer_bytes_max;     /* weir.queued.max.response.bytes: answers in memory, all connections; < 0: no limit */
};

/* What the user of the connections does with them.  All on the loop's thread. */
struct net_hooks {
	void *ctx;
	/* A whole frame has come.  May end the exchange at once. */
	void (*request)(void *ctx, struct exchange *);
	/* The connection of an exchange that is still under way is gone.  It is still to be ended, now or later. */
	void (*gone)(void *ctx, struct exchange *);
};

struct net_stats {
#define STAT(name, help) stat_t name;
#include "net/stats.tbl"
#undef STAT
};

struct net *net_new(struct loop *, const struct net_limits *, const struct net_hooks *);

/* Ends every connection (calling gone() where needed) and all listeners.  Not from within a callback. */
void net_free(struct net *);

/* New limits, for connections that are there, too. */
void net_set_limits(struct net *, const struct net_limits *);

/*
 * Listens on host:port (host: a numeric address; port 0: any free one).  `tag`
 * is handed back by exchange_listener() of all that comes in here.  NULL with errno.
 */
struct listener *net_listen(struct net *, const char *host, int port, const void *tag);

/* The port that it listens on. */
int listener_port(const struct listener *);

/*
 * Begins a graceful end: listeners close, connections are read from no more,
 * and close when their last answer is sent.  net_idle() tells when none is left.
 */
void net_drain(struct net *);
bool net_idle(const struct net *);

const struct net_stats *net_stats_of(const struct net *);

/*
 * The frame without its length; the bytes may be changed in place; they end
 * with the exchange (so an answer can't borrow from them).
 */
uint8_t *exchange_frame(struct exchange *, size_t *n);

/* The user's own pointer, NULL at first. */
void exchange_set_user(struct exchange *, void *);
void *exchange_user(const struct exchange *);

/* The tag of the listener that it came in by; the peer as "address:port"; its connection's number. */
const void *exchange_listener(const struct exchange *);
const char *exchange_peer(const struct exchange *);
uint64_t exchange_connection(const struct exchange *);

/* When the frame was complete: monotonic ms. */
int64_t exchange_arrived_ms(const struct exchange *);

/*
 * A request that is long work does a part of it at a time.  Meanwhile nothing
 * that came after it on its connection is handed on, so that the order of what
 * it does is kept; other connections go on.  At most one exchange of a
 * connection is paused, the newest.  Its end resumes, too.
 */
void exchange_pause(struct exchange *);
void exchange_resume(struct exchange *);

/*
 * How many bytes an answer may have without taking the memory for answers
 * beyond its limit; 0 when it is full.
 */
size_t exchange_room(const struct exchange *);

/*
 * A pointer that belongs to the connection, not the exchange (who is logged
 * in, what client it is): shared by all its exchanges, freed with `free_fn`
 * when the connection and its last exchange have ended, or when another takes
 * its place.  NULL at first.
 */
void exchange_set_session(struct exchange *, void *, void (*free_fn)(void *));
void *exchange_session(const struct exchange *);

/*
 * Answers.  The length prefix is put in front here.  `sent` is called when the
 * bytes that `answer` borrows are needed no more: when they are sent, or the
 * connection is gone (perhaps within the call); NULL: nothing is to be told.
 * Neither request() nor gone() is ever called within it.  The gather's content is
 * kept (moved); the struct is the caller's.  An answer of 2^31 bytes or more,
 * or a gather that failed, ends the connection.
 */
void exchange_reply(struct exchange *, struct gather *answer, void (*sent)(void *), void *ctx);

/* Ends it without an answer, as Kafka's acks=0 asks. */
void exchange_done(struct exchange *);

/*
 * Ends the connection, since what came can't be answered: one line in the log
 * with the peer and `why`.  Answers to earlier requests are still sent first.
 */
void exchange_refuse(struct exchange *, const char *why);

#endif
