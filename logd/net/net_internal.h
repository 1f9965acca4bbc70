/*
 * net_internal.h -- what the files of connections share.
 *
 *	net.c       all connections: what is to be done, the limits, the end
 *	memory.c    what requests and answers may take, all connections together
 *	listener.c  how connections begin, and how many there may be
 *	conn.c      the life of one connection
 *	frames.c    its input: bytes -> frames -> exchanges
 *	exchange.c  its output: answers in order -> bytes
 *
 * The user's callbacks may come back into exchange_*() at any time, so those
 * never end a connection nor hand on a request themselves.  They change what
 * is to be sent, and put the connection on net->todo; conn_settle() does the
 * rest from the loop.
 */
#ifndef NET_NET_INTERNAL_H
#define NET_NET_INTERNAL_H

#include "net/conn.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/map.h"

enum {
	SCRATCH_BYTES = 64 * 1024,
	SMALL_FRAME_BYTES = 16 * 1024, /* such a frame never waits for memory */
	PREFIX_BYTES = 4, /* the length before a frame */
	PEER_BYTES = 72   /* "[address%scope]:port" */
};

/* All that listens and is connected.  Belongs to the loop's thread. */
struct net {
	struct loop *loop; /* borrowed */
	struct net_limits limits;
	struct net_hooks hooks;
	struct net_stats stats;
	struct list listeners;
	struct list conns;   /* live */
	struct list remains; /* dead, but with exchanges under way */
	int n_conns;
	uint64_t last_number;
	struct map origins;      /* struct origin by address */
	int64_t refusal_told_ms; /* when a refused connection was last logged */
	int64_t told_ms;         /* the second in which so many ends of connections were logged */
	int told;

	struct list todo;         /* connections to settle, through `work` */
	struct timer work;

	/* Memory of requests.  Invariant: held is the sum of frame_cap over the
	 * live connections, plus handed, which comes back as exchanges end: the
	 * sum of their frames and of left_n. */
	int64_t held, handed;
	struct list waiting;      /* connections that are not read until there is memory */
	struct conn *favoured;    /* the one of them that may go on, even if it is full; or NULL */
	int64_t favoured_ms;      /* since when */
	int64_t not_full_ms;      /* when it was last seen not to be full */
	int64_t answers;          /* memory of answers: the sum of out_bytes */
	struct timer look;        /* only while one of the two is full */
	bool looking;             /* it is set */

	uint8_t scratch[SCRATCH_BYTES]; /* input, for the time of one read */
};

struct listener {
	struct list link;
	struct net *net;
	struct watch watch;
	struct timer resume; /* ends a rest of accepting */
	const void *tag;
	int port;
};

/* Where connections come from, while there are any from there. */
struct origin {
	struct in6_addr addr; /* IPv4 mapped; the key in net->origins */
	int n_conns;
};

enum conn_state {
	CONN_OPEN,    /* requests come, answers go */
	CONN_ENDING,  /* nothing more is asked; closes when all is answered */
	CONN_LINGER,  /* told the peer that all is said; reads its end, so that the last answers reach it */
	CONN_BROKEN,  /* nothing can be sent; to be torn down by conn_settle() */
	CONN_DEAD     /* torn down; kept by its exchanges */
};

/*
 *	OPEN ---> ENDING ---> LINGER
 *	   \         |           |
 *	    +--------+-----------+---> BROKEN ---> DEAD
 */
struct conn {
	struct net *net; /* NULL when that has ended before the last exchange */
	struct list link; /* in net->conns or net->remains */
	struct list todo_link, waiting_link;
	struct watch watch;
	struct timer idle;
	struct origin *origin;
	const void *tag;
	uint64_t number;
	int64_t waiting_ms; /* since when it has waited for memory to be read; 0: it was read */
	int64_t input_ms;  /* when bytes last came, or reading went on */
	int64_t output_ms; /* when the socket was last given bytes, or took none */
	enum conn_state state;
	int refs;          /* one while not DEAD, one for each exchange */
	bool eof;          /* the peer has said all */
	bool feeding;      /* requests are being handed on: answers gather meanwhile */
	bool flushing;     /* in exchange_send() */
	bool blocked;      /* the socket takes no more bytes */

	/* Input. The frame is NULL between frames; frame_cap grows as bytes come. */
	uint8_t prefix[PREFIX_BYTES];
	size_t prefix_n;
	uint8_t *frame;    /* owned */
	size_t frame_n, frame_cap, frame_len;
	/* Came, but is not taken before the requests ahead are answered: NULL or owned. */
	uint8_t *left;
	size_t left_at, left_n;

	/* Output. */
	struct list exchanges; /* in the order of the requests */
	int n_exchanges;
	int n_under_way;
	struct exchange *paused; /* no request is taken before it goes on; NULL: none */
	size_t out_bytes;      /* of answers in the list */
	size_t head_sent;      /* bytes of the first answer that are sent */

	void *session;
	void (*session_free)(void *);
	char peer[PEER_BYTES];
};

enum exchange_state {
	EXCHANGE_UNDER_WAY,
	EXCHANGE_ANSWERED,
	EXCHANGE_DONE,   /* without an answer */
	EXCHANGE_REFUSED /* and its connection with it */
};

struct exchange {
	struct conn *conn; /* counted in conn->refs */
	struct list link;  /* in conn->exchanges; in no list when that is torn down */
	enum exchange_state state;
	uint8_t *frame;    /* owned while under way */
	size_t frame_n;
	int64_t arrived_ms;
	void *user;
	uint8_t prefix[PREFIX_BYTES]; /* of the answer */
	struct gather answer;         /* owned */
	void (*sent)(void *);
	void *sent_ctx;
};

/* net.c */

/* Has the connection settled soon: in this round when its timers are still to come. */
void net_todo(struct net *, struct conn *);

/* Whether the end of a connection may be logged that its peer has brought about: some in a second, lest it fills the disk. */
bool net_tells(struct net *);

/* memory.c */

/* Counts memory of requests: `held` in all, `handed` of that comes back as exchanges end. */
void memory_account(struct net *, int64_t held, int64_t handed);

/* Counts memory of answers. */
void memory_account_answers(struct net *, int64_t bytes);

bool memory_requests_full(const struct net *);

/* How many bytes of answers there is still room for; SIZE_MAX: any. */
size_t memory_answer_room(const struct net *);

/* How many requests of a connection may be under way now. */
int memory_in_flight_max(const struct net *);

/* Whether this connection, to which something has come, may be read; if not, it is settled when it may. */
bool memory_lets_read(struct net *, struct conn *);

/* The connection waits no longer: its frame is whole, or dropped. */
void memory_let_go(struct net *, struct conn *);

/* Ends what keeps a memory full for too long. */
void memory_look(struct timer *);

/* listener.c */

/* Ends a listener. */
void listener_free(struct listener *);

/* One connection less from there. */
void origin_release(struct net *, struct origin *);

/* conn.c */

/* Takes over a connected socket, counted at its origin; closes it when it can't. */
void conn_new(struct listener *, int fd, struct origin *, const char *peer);

/* Does all that the connection's state asks for. From the loop only: it may free it. */
void conn_settle(struct conn *);

/* Asks for the end, after what is still to be answered. */
void conn_end(struct conn *);

/* Notes that nothing can be sent any more. */
void conn_break(struct conn *);

/* Ends it now.  The loop only. */
void conn_tear_down(struct conn *);

/* Gives up a reference; at the last the memory goes. */
void conn_unref(struct conn *);

/* Sets the time at which idleness is looked at next. */
void conn_watch_idleness(struct conn *);

/* Whether a further request would be taken. */
bool conn_takes_requests(const struct conn *);

/* frames.c */

/* Reads what has come and hands requests on. */
void frames_read(struct conn *);

/* Hands on what was left, as far as now possible. */
void frames_take_left(struct conn *);

/* Frees what is begun or left. */
void frames_drop(struct conn *);

/* exchange.c */

/* A request has come; `frame` is kept. */
struct exchange *exchange_new(struct conn *, uint8_t *frame, size_t n);

/* Sends what can be sent. */
void exchange_send(struct conn *);

/* Nothing is left that could still be sent. */
bool exchange_all_sent(const struct conn *);

/* Ends all that is in the list, telling the user of what is under way.  The connection is dead. */
void exchange_drop_all(struct conn *);

#endif
