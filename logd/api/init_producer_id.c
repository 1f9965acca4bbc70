/*
 * init_producer_id.c -- InitProducerId: ids for idempotent producers.
 *
 * Ids are given out of blocks whose end is durable before the first of them is
 * used, so that none is ever given out twice.  A request that finds no id left
 * waits for the next block.
 */
#include "api/init_producer_id.h"

#include "api/handlers.h"
#include "api/record.h"

/* The key in the state of where ids stand. */
static const char state_key[] = "P";

/* A request that waits for a block. */
struct waiter {
	struct list link;
	struct request *request;
};

static void
answer_id(struct request *r, int64_t id)
{
	RESPONSE(response, init_producer_id);

	response.producer_id = id;
	response.producer_epoch = 0;
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
			answer_id(w->request, id);
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
	if (record_put(api, span_str(state_key), "producer_id_record", &record, &api->pid_append))
		reserved(&api->pid_append);
}

static void
gone(struct request *r)
{
	struct waiter *w = r->state;

	list_del(&w->link);
	request_drop(r);
}

void
init_producer_id_run(struct request *r)
{
	const struct wire_init_producer_id_request *q = r->message;
	struct waiter *w;
	int64_t id;

	if (q->transactional_id.p != NULL) {
		/*
		 * Transactions are not served yet; FindCoordinator says so before
		 * a client comes here.
		 */
		answer_error(r, q->transactional_id.n == 0 ? KAFKA_INVALID_REQUEST :
		    KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
		return;
	}
	if (pids_take(&r->api->pids, &id)) {
		answer_id(r, id);
		return;
	}
	w = request_alloc(r, sizeof *w);
	w->request = r;
	r->state = w;
	r->gone = gone;
	list_add(&r->api->pid_waiters, &w->link);
	reserve(r->api);
}

int
init_producer_id_load(struct api *api)
{
	struct wire_producer_id_record record;
	struct arena arena;
	int found = record_read(api, span_str(state_key), "producer_id_record", &arena, &record);

	list_init(&api->pid_waiters);
	pids_init(&api->pids, found == 1 ? record.next_producer_id : 0);
	arena_done(&arena);
	return found == -1 ? -1 : 0;
}
