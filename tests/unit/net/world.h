/*
 * world.h -- a loop with connections on one side and their peers on the other.
 *
 * Everything happens in one thread and on real sockets.  A test lets rounds go by until
 * what it expects has come; a guard fails it when nothing comes at all.
 */
#ifndef UNIT_NET_WORLD_H
#define UNIT_NET_WORLD_H

#include "base/buf.h"
#include "net/conn.h"

enum { ASKED_MAX = 4096 };

/* A request as it came. */
struct asked {
	struct exchange *x;  /* NULL when ended */
	struct buf frame;    /* a copy */
	uint64_t connection;
	int gone;            /* calls of gone() */
	bool paused;
};

struct world {
	struct loop *loop;
	struct net_limits limits;
	struct net *net;
	struct listener *listener;
	struct timer guard;
	bool stuck;
	bool echo;                    /* answer each request with its own bytes, at once */
	bool pause;                   /* pause each request as it comes */
	struct asked asked[ASKED_MAX];
	int n_asked, n_gone, n_echoed;
	char log[8192];               /* diagnostic lines */
};

/* The world of the test that runs. */
extern struct world world;

struct peer {
	struct watch watch;
	struct buf in, out;
	size_t out_at;
	bool eof, reset, closed;
	bool deaf; /* does not read */
};

/* Limits that no test reaches by chance. */
struct net_limits world_limits(void);

/* Begins and ends a world; each test in one. */
void world_begin(const struct net_limits *);
void world_end(void);

/* One round; false when nothing has happened for too long. */
bool world_turn(void);

/* Lets go by as many rounds as it takes the others to do what they can; asks once. */
void world_settle(void);

/* Rounds until the expression is true. */
#define UNTIL(expr) \
	do { \
		while (!(expr) && world_turn()) \
			continue; \
		CU_ASSERT_FATAL(expr); \
	} while (0)

/* Where the listener is: no client of another program that looks for a port of 127.0.0.1 again comes here. */
#define WORLD_ADDRESS "127.6.7.8"

/* A connection to the listener from 127.0.0.`from`; peer_close() ends it. */
struct peer *peer_open_from(int from);
struct peer *peer_open(void);

/* Sends bytes, as the socket takes them. */
void peer_send(struct peer *, const void *, size_t);

/* Sends a frame. */
void peer_ask(struct peer *, const char *text);

/* Sends a length and no more; n zeros. */
void peer_claim(struct peer *, uint32_t length);
void peer_send_zeros(struct peer *, size_t n);

/* Says all; ends and frees; ends with a reset and frees. */
void peer_half_close(struct peer *);
void peer_close(struct peer *);
void peer_reset(struct peer *);

/* Reads from now on, or not. */
void peer_set_deaf(struct peer *, bool);

/* Whether exactly these frames have come, in this order: "a b c". */
bool peer_got(const struct peer *, const char *texts);

/* Answers the i-th request of all; world_sent counts the calls of sent(). */
void answer(int i, const char *text);
extern int world_sent;
void world_count_sent(void *);

/* Ends the i-th request's exchange with this answer and bookkeeping. */
struct exchange *world_take(int i);

/* Whether the i-th request was this. */
bool asked_is(int i, const char *text);

uint64_t world_stat(const stat_t *);
#define STAT_OF(name) world_stat(&net_stats_of(world.net)->name)

#endif
