/*
 * end_txn.c -- EndTxn: commits or aborts.
 *
 * It is answered when the transaction is complete, which is one sync later than
 * when it is decided: so the next one can begin at once, and whoever is told of a
 * commit finds it.  When the end can't be completed for now, the decision counts.
 */
#include "api/handlers.h"
#include "api/txn_calls.h"
#include "base/must.h"

enum { FENCED_VERSION = 2 };

struct end {
	struct txn_change change;
	struct txn_waiter waiter;
	struct request *request;
	struct txn *txn;
};

static void
answer(struct request *r, enum kafka_error error)
{
	RESPONSE(response, end_txn);

	response.error_code = (int16_t)error;
	request_reply(r, &response);
}

static void
ended(struct txn_waiter *w)
{
	answer(container_of(w, struct end, waiter)->request, KAFKA_NONE);
}

static void
gone(struct request *r)
{
	struct end *e = r->state;

	txn_calls_forget(e->txn, &e->waiter);
	request_drop(r);
}

static void
decided(struct txn_change *c, enum kafka_error error)
{
	struct end *e = container_of(c, struct end, change);
	struct request *r = e->request;

	e->waiter.ended = ended;
	if (error != KAFKA_NONE || txn_calls_await(e->txn, &e->waiter))
		answer(r, error);
	else {
		r->state = e;
		r->gone = gone;
	}
	request_release(r);
}

void
end_txn_run(struct request *r)
{
	const struct wire_end_txn_request *q = r->message;
	struct txn_caller caller = { q->transactional_id, q->producer_id, q->producer_epoch };
	enum txn_error error;
	struct end *e;
	struct txn *t;
	bool change;

	error = txns_end(r->api->txns, &caller, q->committed, request_wall_ms(r), &t, &change);
	if (!change) {
		answer(r, txn_calls_error(error, r->version >= FENCED_VERSION));
		return;
	}
	e = request_alloc(r, sizeof *e);
	*e = (struct end){ .change.done = decided, .request = r, .txn = t };
	request_hold(r);
	txn_calls_change(r->api, t, &e->change);
}
