/*
 * init_producer_id.c -- InitProducerId: ids for idempotent producers, and the next
 * epoch for those that have a transactional id.
 *
 * Ids are given out of blocks whose end is durable before the first of them is
 * used, so that none is ever given out twice.  A request that finds no id left
 * waits for the next block.
 */
#include "api/init_producer_id.h"

#include "api/handlers.h"
#include "api/record.h"
#include "api/txn_calls.h"
#include "base/must.h"

/* The key in the state of where ids stand. */
static const char state_key[] = "P";

/* The first version that says which id and epoch the producer has; and that knows PRODUCER_FENCED. */
enum { PRODUCER_VERSION = 3, FENCED_VERSION = 4 };

/* A request that waits for a block. */
struct waiter {
	struct list link;
	struct request *request;
};

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

static void reserve(struct api *);
static void give_id(struct request *, int64_t id);

static void
serve_waiters(struct api *api, bool reserved)
{
	struct list waiting;

	list_init(&waiting);
	list_move_all(&waiting, &api->pid_waiters);
	while (!list_empty(&waiting)) {
		struct waiter *w = list_first(&waiting, struct waiter, link);
		int64_t id;

		list_del(&w->link);
		if (pids_take(&api->pids, &id))
			give_id(w->request, id);
		else if (reserved) /* more wait than a block holds */
			list_add(&api->pid_waiters, &w->link);
		else
			answer_error(w->request, KAFKA_KAFKA_STORAGE_ERROR);
	}
	if (!list_empty(&api->pid_waiters))
		reserve(api);
}

static void
reserved(struct append *a)
{
	struct api *api = a->user;

	pids_reserved(&api->pids, a->error == STORE_OK);
	serve_waiters(api, a->error == STORE_OK);
}

/* Begins to make the end of the next block durable, unless that is under way. */
static void
reserve(struct api *api)
{
	struct wire_producer_id_record record;
	int64_t end = pids_reserve(&api->pids);

	if (end == -1)
		return;
	wire_producer_id_record_default(&record);
	record.next_producer_id = end;
	api->pid_append = (struct append){ .done = reserved, .user = api };
	if (record_put(api, STATE_METADATA, span_str(state_key), "producer_id_record", &record, &api->pid_append))
		reserved(&api->pid_append);
}

static void
gone(struct request *r)
{
	struct waiter *w = r->state;

	list_del(&w->link);
	request_drop(r);
}

/* ---- with a transactional id ---- */

struct init {
	struct txn_change change;
	struct request *request;
};

static void
answer_values(struct request *r, const struct txn *t)
{
	answer_id(r, t->is.producer_id, t->is.epoch);
}

static void
changed(struct txn_change *c, enum kafka_error error)
{
	struct request *r = container_of(c, struct init, change)->request;

	if (error == KAFKA_NONE)
		answer_values(r, c->txn);
	else
		answer_error(r, error);
	request_release(r);
}

/* A transaction that is open is aborted; the client asks again until it is. */
static void
abort_begun(struct txn_change *c, enum kafka_error error)
{
	struct request *r = container_of(c, struct init, change)->request;

	answer_error(r, error == KAFKA_NONE ? KAFKA_CONCURRENT_TRANSACTIONS : error);
	request_release(r);
}

static void wait_for_id(struct request *);

/* `fresh_id`: -1, or one that nobody has. */
static void
init_transactional(struct request *r, int64_t fresh_id)
{
	const struct wire_init_producer_id_request *q = r->message;
	struct txn_init init = { .id = q->transactional_id, .timeout_ms = q->transaction_timeout_ms,
		.producer_id = r->version < PRODUCER_VERSION ? -1 : q->producer_id,
		.epoch = q->producer_epoch, .fresh_id = fresh_id };
	enum txn_error error;
	struct init *i;
	struct txn *t;
	bool change;

	error = txns_init(r->api->txns, &init, request_wall_ms(r), &t, &change);
	if (error == TXN_NEEDS_ID)
		wait_for_id(r);
	else if (change) {
		i = request_alloc(r, sizeof *i);
		i->request = r;
		i->change.done = error == TXN_OK ? changed : abort_begun;
		request_hold(r);
		txn_calls_change(r->api, t, &i->change);
	} else if (error == TXN_OK)
		answer_values(r, t);
	else
		answer_error(r, txn_calls_error(error, r->version >= FENCED_VERSION));
}

/* ---- the request ---- */

static void
give_id(struct request *r, int64_t id)
{
	const struct wire_init_producer_id_request *q = r->message;

	r->gone = NULL;
	if (q->transactional_id.p == NULL)
		answer_id(r, id, 0);
	else
		init_transactional(r, id);
}

static void
wait_for_id(struct request *r)
{
	struct waiter *w;
	int64_t id;

	if (pids_take(&r->api->pids, &id)) {
		give_id(r, id);
		return;
	}
	w = request_alloc(r, sizeof *w);
	w->request = r;
	r->state = w;
	r->gone = gone;
	list_add(&r->api->pid_waiters, &w->link);
	reserve(r->api);
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
		wait_for_id(r);
	else
		init_transactional(r, -1);
}

int
init_producer_id_load(struct api *api)
{
	struct wire_producer_id_record record;
	struct arena arena;
	int found = record_read(api, STATE_METADATA, span_str(state_key), "producer_id_record", &arena, &record);

	list_init(&api->pid_waiters);
	pids_init(&api->pids, found == 1 ? record.next_producer_id : 0);
	arena_done(&arena);
	return found == -1 ? -1 : 0;
}
