/*
 * end_txn.c -- EndTxn: commits or aborts.
 *
 * It is answered when the transaction is complete, which is one sync later than
 * when it is decided: so the next one can begin at once, and whoever is told of a
 * commit finds it.  When the end can't be completed for now, the decision counts.
 */
#include "api/handlers.h"
#include "api/producer_ids.h"
#include "api/txn_calls.h"
#include "base/must.h"

/* The first versions that know PRODUCER_FENCED; whose producers are of version 2 (KIP-890). */
enum { FENCED_VERSION = 2, BUMP_VERSION = 5 };

struct end {
	struct txn_change change;
	struct txn_waiter waiter;
};

static void
answer_error(struct request *r, enum kafka_error error)
{
	RESPONSE(response, end_txn);

	response.error_code = (int16_t)error;
	request_reply(r, &response);
}

/* How the producer goes on, where that is told. */
static void
answer(struct request *r, const struct txn *t)
{
	const struct txn_values *v = &t->is;
	bool changes = v->next_producer_id != -1;
	RESPONSE(response, end_txn);

	response.producer_id = changes ? v->next_producer_id : v->producer_id;
	response.producer_epoch = changes ? 0 : v->epoch;
	request_reply(r, &response);
}

static void
ended(struct txn_waiter *w)
{
	struct end *e = container_of(w, struct end, waiter);

	answer(e->change.request, e->change.txn);
}

static void
gone(struct request *r)
{
	struct end *e = r->state;

	txn_calls_forget(e->change.txn, &e->waiter);
	request_drop(r);
}

static void
decided(struct txn_change *c, enum kafka_error error)
{
	struct end *e = container_of(c, struct end, change);
	struct request *r = c->request;

	e->waiter.ended = ended;
	if (error != KAFKA_NONE)
		answer_error(r, error);
	else if (txn_calls_await(c->txn, &e->waiter))
		answer(r, c->txn);
	else {
		r->state = e;
		r->gone = gone;
	}
}

static void run(struct request *, int64_t fresh_id);

static void
have_fresh_id(struct request *r, int64_t id)
{
	if (id == -1)
		answer_error(r, KAFKA_COORDINATOR_NOT_AVAILABLE);
	else
		run(r, id);
}

/* `fresh_id`: -1, or one that nobody has. */
static void
run(struct request *r, int64_t fresh_id)
{
	const struct wire_end_txn_request *q = r->message;
	struct txn_end end = { .caller = { q->transactional_id, q->producer_id, q->producer_epoch },
		.commit = q->committed, .bumps = r->version >= BUMP_VERSION, .fresh_id = fresh_id };
	enum txn_error error;
	struct end *e;
	struct txn *t;
	bool change;

	error = txns_end(r->api->txns, &end, request_wall_ms(r), &t, &change);
	if (error == TXN_NEEDS_ID)
		producer_ids_take(r, have_fresh_id);
	else if (change) {
		e = request_alloc(r, sizeof *e);
		*e = (struct end){ .change = { .done = decided, .request = r } };
		txn_calls_change(r->api, t, &e->change);
	} else if (error == TXN_OK)
		answer(r, t);
	else
		answer_error(r, txn_calls_error(error, r->version >= FENCED_VERSION));
}

void
end_txn_run(struct request *r)
{
	run(r, -1);
}
