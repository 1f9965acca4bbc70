/*
 * txn_calls.h -- what the transaction APIs share: changes of transactional
 * ids on their way to the disk, and the end of a transaction once it is decided.
 *
 * The rules are coord's (coord/transactions.h).  Here are the records, the
 * markers in the partitions, and the times.
 */
#ifndef API_TXN_CALLS_H
#define API_TXN_CALLS_H

#include "api/api.h"
#include "wire/errors.h"

/* Reads them from the state; what was decided before the last end is gone on with.  -1: logged. */
int txn_calls_load(struct api *);
void txn_calls_done(struct api *);

/*
 * Makes a change durable (txn->next, see coord).  done() follows, perhaps at
 * once, when it counts, or with COORDINATOR_NOT_AVAILABLE when the disk did not
 * take it; the struct is the caller's until then.  When the change was the
 * decision to end a transaction, its end has begun.
 */
struct txn_change {
	/* set by the user */
	void (*done)(struct txn_change *, enum kafka_error);
	struct request *request; /* the user's own: who asked, if anybody */
	/* ours */
	struct append append;
	struct api *api;
	struct txn *txn;
};
void txn_calls_change(struct api *, struct txn *, struct txn_change *);

/* Somebody who waits for a transaction whose end has begun.  One at a time. */
struct txn_waiter {
	/* It is complete; or can't be completed for now, which changes nothing of the decision. */
	void (*ended)(struct txn_waiter *);
};
/* True: it is complete already. */
bool txn_calls_await(struct txn *, struct txn_waiter *);
void txn_calls_forget(struct txn *, struct txn_waiter *);

/*
 * What coord's answer is called on the wire.  Clients that don't know
 * PRODUCER_FENCED are told INVALID_PRODUCER_EPOCH.
 */
enum kafka_error txn_calls_error(enum txn_error, bool knows_fenced);

#endif
