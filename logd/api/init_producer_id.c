/*
 * init_producer_id.c -- InitProducerId: ids for idempotent producers, and the next
 * epoch for those that have a transactional id.
 */
#include "api/handlers.h"
#include "api/producer_ids.h"
#include "api/txn_calls.h"
#include "base/must.h"

/* The first version that says which id and epoch the producer has; and that knows PRODUCER_FENCED. */
enum { PRODUCER_VERSION = 3, FENCED_VERSION = 4 };

static void
answer_id(struct request *r, int64_t id, int16_t epoch)
{
	RESPONSE(response, init_producer_id);

	response.producer_id = id;
	response.producer_epoch = epoch;
	request_reply(r, &response);
}

static void
answer_error(struct request *r, enum kafka_error error)
{
	RESPONSE(response, init_producer_id);

	response.error_code = (int16_t)error;
	response.producer_id = -1;
	response.producer_epoch = -1;
	request_reply(r, &response);
}

/* ---- with a transactional id ---- */

static void
answer_values(struct request *r, const struct txn *t)
{
	answer_id(r, t->is.producer_id, t->is.epoch);
}

static void
changed(struct txn_change *c, enum kafka_error error)
{
	if (error == KAFKA_NONE)
		answer_values(c->request, c->txn);
	else
		answer_error(c->request, error);
}

/* A transaction that is open is aborted; the client asks again until it is. */
static void
abort_begun(struct txn_change *c, enum kafka_error error)
{
	answer_error(c->request, error == KAFKA_NONE ? KAFKA_CONCURRENT_TRANSACTIONS : error);
}

static void begin_epoch(struct request *, int64_t fresh_id);

static void
have_fresh_id(struct request *r, int64_t id)
{
	if (id == -1)
		answer_error(r, KAFKA_KAFKA_STORAGE_ERROR);
	else
		begin_epoch(r, id);
}

/* `fresh_id`: -1, or one that nobody has. */
static void
begin_epoch(struct request *r, int64_t fresh_id)
{
	const struct wire_init_producer_id_request *q = r->message;
	struct txn_init init = { .id = q->transactional_id, .timeout_ms = q->transaction_timeout_ms,
		.producer_id = r->version < PRODUCER_VERSION ? -1 : q->producer_id,
		.epoch = q->producer_epoch, .fresh_id = fresh_id };
	enum txn_error error;
	struct txn *t;
	struct txn_change *c;
	bool change;

	error = txns_init(r->api->txns, &init, request_wall_ms(r), &t, &change);
	if (error == TXN_NEEDS_ID)
		producer_ids_take(r, have_fresh_id);
	else if (change) {
		c = request_alloc(r, sizeof *c);
		*c = (struct txn_change){ .done = error == TXN_OK ? changed : abort_begun, .request = r };
		txn_calls_change(r->api, t, c);
	} else if (error == TXN_OK)
		answer_values(r, t);
	else
		answer_error(r, txn_calls_error(error, r->version >= FENCED_VERSION));
}

/* ---- the request ---- */

static void
have_id(struct request *r, int64_t id)
{
	if (id == -1)
		answer_error(r, KAFKA_KAFKA_STORAGE_ERROR);
	else
		answer_id(r, id, 0);
}

static enum kafka_error
check(const struct request *r)
{
	const struct wire_init_producer_id_request *q = r->message;

	if (q->transactional_id.p == NULL)
		return KAFKA_NONE;
	if (q->transactional_id.n == 0 || (q->producer_id == -1) != (q->producer_epoch == -1))
		return KAFKA_INVALID_REQUEST;
	if (q->transaction_timeout_ms <= 0 ||
	    q->transaction_timeout_ms > r->api->config.transaction_max_timeout_ms)
		return KAFKA_INVALID_TRANSACTION_TIMEOUT;
	return KAFKA_NONE;
}

void
init_producer_id_run(struct request *r)
{
	const struct wire_init_producer_id_request *q = r->message;
	enum kafka_error error = check(r);

	if (error != KAFKA_NONE)
		answer_error(r, error);
	else if (q->transactional_id.p == NULL)
		producer_ids_take(r, have_id);
	else
		begin_epoch(r, -1);
}
