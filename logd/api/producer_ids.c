/* producer_ids.c -- producer ids, of which none is ever given out twice. */
#include "api/producer_ids.h"

#include "api/record.h"

/* The key in the state of where ids stand. */
static const char state_key[] = "P";

/* A request that waits for a block. */
struct waiter {
	struct list link;
	struct request *request;
	void (*have)(struct request *, int64_t id);
};

static void reserve(struct api *);

static void
give(struct waiter *w, int64_t id)
{
	w->request->gone = NULL;
	w->have(w->request, id);
}

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
			give(w, id);
		else if (reserved) /* more wait than a block holds */
			list_add(&api->pid_waiters, &w->link);
		else
			give(w, -1);
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

void
producer_ids_take(struct request *r, void (*have)(struct request *, int64_t id))
{
	struct waiter *w;
	int64_t id;

	if (pids_take(&r->api->pids, &id)) {
		have(r, id);
		return;
	}
	w = request_alloc(r, sizeof *w);
	*w = (struct waiter){ .request = r, .have = have };
	r->state = w;
	r->gone = gone;
	list_add(&r->api->pid_waiters, &w->link);
	reserve(r->api);
}

int
producer_ids_load(struct api *api)
{
	struct wire_producer_id_record record;
	struct arena arena;
	int found = record_read(api, STATE_METADATA, span_str(state_key), "producer_id_record", &arena, &record);

	list_init(&api->pid_waiters);
	pids_init(&api->pids, found == 1 ? record.next_producer_id : 0);
	arena_done(&arena);
	return found == -1 ? -1 : 0;
}
