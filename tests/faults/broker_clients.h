/* broker_clients.h -- the kinds of simulated clients, and what they share. */
#ifndef FAULTS_BROKER_CLIENTS_H
#define FAULTS_BROKER_CLIENTS_H

#include "faults/broker_calls.h"

extern const struct client_kind plain_kind, idempotent_kind, transactional_kind; /* broker_producers.c, broker_txns.c */
extern const struct client_kind reader_kind, committer_kind;        /* broker_consumers.c */
extern const struct client_kind member_kind, consumer_kind;           /* broker_members.c */
extern const struct client_kind checker_kind, admin_kind;                        /* broker_admin.c */

/* At a life's begin, for the transactional ones. */
void txns_begin_life(void);

/*
 * Sends these batches in one Produce request; txn_id: -1, or whose they are.  The
 * call has their numbers.
 */
void send_batches(struct client *, const int *numbers, int n, int version, int16_t acks, int txn_id,
    void (*answered)(struct call *, const void *));
/* The error of the i-th of them; base: the offset. */
int produce_error(const struct call *, const struct wire_produce_response *, int i, int64_t *base);

/* Asks for what lies at an offset, in a Fetch request of one partition. */
struct fetching {
	int slot;
	int64_t offset;
	bool committed;
	int reader;       /* -1: none */
	int32_t max_wait_ms, max_bytes;
};
void send_fetch(struct client *, const struct fetching *, void (*answered)(struct call *, const void *));
/* What it got, judged: see history_fetched().  -2: the topic was made anew meanwhile. */
int64_t fetch_judged(const struct call *, const struct wire_fetch_response *);
/* Asks for the offset of each partition that has some, of the group. */
void send_offset_fetch(struct client *, int group, bool stable, void (*answered)(struct call *, const void *));
/* Whether one of them was unstable. */
bool offset_fetch_judged(const struct call *, const struct wire_offset_fetch_response *);

/* Commits an offset of the group somewhere, as this member (""), in its generation or epoch; the call has its number. */
void send_commit(struct client *, int group, const char *member, int32_t generation, int version,
    void (*answered)(struct call *, const void *));
int commit_error(const struct wire_offset_commit_response *);

void rest(struct client *, int64_t ms);
/* "commit N" */
struct span commit_metadata(int number, char to[32]);

#endif
