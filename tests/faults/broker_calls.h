/*
 * broker_calls.h -- a simulated client's requests, and the answers that come to them.
 */
#ifndef FAULTS_BROKER_CALLS_H
#define FAULTS_BROKER_CALLS_H

#include "base/list.h"
#include "fake/net_fake.h"
#include "faults/broker_sim.h"

struct client;

/* What a client does when it is its turn, and it waits for `in_flight` answers at the most. */
struct client_kind {
	const char *name;
	int in_flight;
	void (*step)(struct client *);
};

/* Of one life. */
struct client {
	const struct client_kind *kind;
	int number;          /* among those of its kind */
	struct fake_conn *conn;
	struct list calls;   /* that wait for an answer, in order */
	int n_calls;
	int64_t rests_until_ms;
	int32_t last_correlation;
	/* of members */
	bool knows_life;     /* it has learned that the broker does not know it any more */
	int n_members;       /* of the leader of a group: how many it is for */
	bool synced;
	unsigned owned;      /* of the newer protocol: partitions, a bit for each */
	bool tells;          /* in its next heartbeat, what it has */
	/* of who checks */
	int slot;
	int64_t at[SLOTS];
	int task;
	bool final;
	void (*checked)(void);
};

struct call {
	struct list link;
	struct client *client;
	const struct wire_api *api;
	int version;
	int32_t correlation;
	struct known known;
	void (*answered)(struct call *, const void *response);
	/* what the client remembers of it */
	int slot, incarnation, group, topic, reader;
	int64_t offset;
	bool committed, stable, durable;
	int numbers[8], n;
};

void client_begin(struct client *, const struct client_kind *, int number);

struct call *call_new(struct client *);
/*
 * Sends the request (struct wire_<api>_request), whose answer goes to answered();
 * NULL: none is expected.  The call is freed behind that.
 */
void call_send(struct call *, int key, int version, const void *message,
    void (*answered)(struct call *, const void *response));

#endif
