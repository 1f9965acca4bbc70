/*
 * transactions.h -- transactional ids, and the transaction of each (KIP-98,
 * KIP-360, KIP-447, KIP-890).
 *
 * Pure: a call is an event; what follows from it is a change of one id, which
 * the caller makes durable before it counts.  No clock, no I/O, one thread.
 *
 *	           first partition or group          end, or time is up
 *	Empty -------------------------> Ongoing --------------------------+
 *	  ^                                 ^                              v
 *	  | InitProducerId                  | first of the next    PrepareCommit, PrepareAbort
 *	  |                                 |                              |
 *	  +------------------- CompleteCommit, CompleteAbort <-------------+
 *	                                     all markers are durable
 *
 * The decision is the record of PrepareCommit or PrepareAbort: when it is
 * durable, the transaction ends that way, whatever happens.  Until then nobody
 * sees it; after it the caller writes the markers, again and again if need be,
 * and then says txns_complete().
 *
 * A change.  Calls that say TXN_OK with a change leave what is to be in
 * txn->next; the caller makes that durable and calls txns_changed().  In between
 * the id is busy: calls for it are answered with TXN_CONCURRENT_TRANSACTIONS,
 * which clients try again, and what was before still holds.
 *
 * Fencing.  An id has one producer id and an epoch, which rises with each
 * InitProducerId and with each abort that the producer has not asked for.  Who
 * comes with an older epoch is refused, here and (by the markers) in the
 * partitions.  Only InitProducerId takes the epoch before, too (KIP-360), until
 * something is begun with the present one or another producer took the id over:
 * so who has not heard of an answer, of an end or of an abort goes on.
 *
 * Producers of version 2 (KIP-890) get the next epoch with each end, too, which
 * the markers bear already: so a batch that comes late finds its epoch fenced,
 * and can't join the next transaction.
 *
 * Times are of two kinds: `now_ms` is monotonic, `wall_ms` since 1970, for what
 * outlives a restart.  Spans in calls are borrowed.
 */
#ifndef COORD_TRANSACTIONS_H
#define COORD_TRANSACTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/heap.h"

enum {
	/* A longer id is refused with TXN_INVALID_REQUEST: it is the key of a record. */
	TXN_ID_MAX_BYTES = 400,
	/* Partitions and groups of one transaction; with more it is refused with TXN_INVALID_REQUEST. */
	TXN_PARTITIONS_MAX = 20000,
	TXN_GROUPS_MAX = 100,
	/* Partitions of all transactions together; with more one gets TXN_COORDINATOR_NOT_AVAILABLE. */
	TXNS_PARTITIONS_MAX = 2000000,
	/* Ids that are remembered; with more a new one gets TXN_COORDINATOR_NOT_AVAILABLE. */
	TXNS_MAX = 100000,
	/* At the last epoch that is given out, the next InitProducerId brings a new producer id. */
	TXN_EPOCH_MAX = INT16_MAX - 1
};

/* Kafka's error codes. */
enum txn_error {
	TXN_OK = 0,
	TXN_COORDINATOR_NOT_AVAILABLE = 15,
	TXN_INVALID_REQUEST = 42,
	TXN_INVALID_PRODUCER_EPOCH = 47,
	TXN_INVALID_TXN_STATE = 48,
	TXN_INVALID_PRODUCER_ID_MAPPING = 49,
	TXN_CONCURRENT_TRANSACTIONS = 51,
	TXN_PRODUCER_FENCED = 90,
	/* Not Kafka's: a new producer id is needed; call again with one. */
	TXN_NEEDS_ID = -100
};

/* As they are numbered in records. */
enum txn_state {
	TXN_EMPTY,
	TXN_ONGOING,
	TXN_PREPARE_COMMIT,
	TXN_PREPARE_ABORT,
	TXN_COMPLETE_COMMIT,
	TXN_COMPLETE_ABORT,
	TXN_STATES
};

struct txn_partition {
	uint8_t topic[16]; /* topic id */
	int32_t number;
};

struct txn_group {
	struct span id; /* owned */
};

/* What is known of an id; what lasts of it. */
struct txn_values {
	int64_t producer_id;
	int16_t epoch;
	/* What its producer had before, which it may come with when it has not heard what it has now; -1: none. */
	int64_t last_producer_id;
	int16_t last_epoch;
	int64_t next_producer_id; /* that it gets when the end that is under way is complete; -1: it keeps its own */
	int32_t timeout_ms;
	enum txn_state state;
	int64_t start_ms;    /* wall time of the first partition; -1: none */
	int64_t update_ms;   /* wall time of the last change */
	struct txn_partition *partitions; /* owned; in the order of their bytes, each once */
	size_t n_partitions;
	struct txn_group *groups; /* owned */
	size_t n_groups;
};

struct txn {
	struct span id;           /* owned */
	struct txn_values is, next;
	bool busy;                /* a change to `next` is under way */
	struct heap_node due;     /* in the heap while it is Ongoing: when it will have lasted too long */
	void *user;               /* the caller's own */
};

struct txns;

/* Owned. */
struct txns *txns_new(void);
void txns_free(struct txns *);

/*
 * At the start: an id as its record tells it, whose arrays are copied.  False:
 * the record contradicts itself.
 */
bool txns_load(struct txns *, struct span id, const struct txn_values *, int64_t now_ms, int64_t wall_ms);

/* The id, or NULL. */
struct txn *txns_find(const struct txns *, struct span id);
size_t txns_count(const struct txns *);
/* Walks all of them in no order: start with *it = 0; NULL at the end. */
struct txn *txns_next(const struct txns *, size_t *it);

/* "Empty", "Ongoing", ... */
const char *txn_state_name(enum txn_state);
bool txn_state_find(struct span name, enum txn_state *);

/* ---- the calls of producers ---- */

struct txn_init {
	struct span id;
	int32_t timeout_ms;
	int64_t producer_id;  /* -1: it knows none (up to v2 always) */
	int16_t epoch;
	int64_t fresh_id;     /* a producer id that nobody has; -1: ask with TXN_NEEDS_ID when one is needed */
};

/*
 * InitProducerId.  TXN_OK with *change: the answer is what `next` says, when it
 * is durable; without: what `is` says (it was asked before).  An Ongoing
 * transaction is aborted first: TXN_CONCURRENT_TRANSACTIONS with *change, which is
 * as of txns_end().
 */
enum txn_error txns_init(struct txns *, const struct txn_init *, int64_t wall_ms, struct txn **, bool *change);

/* Who calls, and for which id. */
struct txn_caller {
	struct span id;
	int64_t producer_id;
	int16_t epoch;
};

/*
 * AddPartitionsToTxn, AddOffsetsToTxn: the transaction gets these partitions, and
 * this group (null: none).  Without *change it has them already.
 */
enum txn_error txns_add(struct txns *, const struct txn_caller *, const struct txn_partition *, size_t n,
    struct span group, int64_t wall_ms, struct txn **, bool *change);

struct txn_end {
	struct txn_caller caller;
	bool commit;
	bool bumps;           /* version 2: the producer goes on with another epoch, or id */
	int64_t fresh_id;     /* as in struct txn_init */
};

/*
 * EndTxn.  With *change the decision is to be made durable, and then (when
 * txns_changed() has been told) the markers are to be written.  Without, it was
 * decided so before.  Behind the end `is` says how a producer of version 2 goes on.
 */
enum txn_error txns_end(struct txns *, const struct txn_end *, int64_t wall_ms, struct txn **, bool *change);

/* Whether the producer may append to the partition in its transaction. */
enum txn_error txns_check_partition(const struct txns *, const struct txn_caller *, const struct txn_partition *);
/* Whether it may commit offsets of the group in it. */
enum txn_error txns_check_group(const struct txns *, const struct txn_caller *, struct span group);

/* ---- what becomes of changes ---- */

/* The change is durable (stored), or was not taken: then nothing has changed. */
void txns_changed(struct txns *, struct txn *, bool stored, int64_t now_ms);

/*
 * All markers of a Prepare* transaction are durable: it is complete, at once;
 * nobody need wait for the record of it, since what follows is in later ones.
 */
void txns_complete(struct txns *, struct txn *, int64_t wall_ms);

/*
 * An Ongoing transaction whose time is over, which is to be aborted: as
 * txns_end() with *change.  NULL: none.
 */
struct txn *txns_overdue(struct txns *, int64_t now_ms, int64_t wall_ms);
/* When to look for one; INT64_MAX: not as it is now. */
int64_t txns_next_deadline(const struct txns *);

/* Whether nobody has used it since (wall time), so that it may be forgotten. */
bool txn_expired(const struct txn *, int64_t since_ms);
/* Forgets one that is not busy, and neither Ongoing nor being ended. */
void txns_forget(struct txns *, struct txn *);

/* Ends the process when an invariant is broken; for tests. */
void txns_check(const struct txns *);

#endif
