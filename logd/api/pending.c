/* pending.c -- what the admin APIs share. */
#include "api/pending.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/map.h"
#include "base/must.h"

/* One change on its way to the disk. */
struct item {
	struct append append;
	struct pending *pending;
	int16_t *error;
	struct span *text;
};

bool
pending_refused(struct request *r, size_t n_items)
{
	char why[96];

	if (n_items <= PENDING_ITEMS_MAX)
		return false;
	snprintf(why, sizeof why, "%s with %zu items; at most %d in one request", r->wire->name,
	    n_items, PENDING_ITEMS_MAX);
	request_refuse(r, why);
	return true;
}

struct pending *
pending_begin(struct request *r, const void *response)
{
	struct pending *p = request_alloc(r, sizeof *p);

	*p = (struct pending){ .request = r, .response = response, .n = 1 };
	return p;
}

void
pending_hold(struct pending *p)
{
	p->n++;
}

void
pending_release(struct pending *p)
{
	must(p->n > 0);
	if (--p->n == 0)
		request_reply(p->request, p->response);
}

static void
item_done(struct append *a)
{
	struct item *item = container_of(a, struct item, append);
	struct pending *p = item->pending;

	if (a->error != STORE_OK)
		pending_outcome(p->request, request_error(a->error),
		    "The change could not be made durable; the broker's log says why.", item->error,
		    item->text);
	pending_release(p);
}

struct append *
pending_append(struct pending *p, int16_t *error, struct span *text)
{
	struct item *item = request_alloc(p->request, sizeof *item);

	*item = (struct item){ .append = { .done = item_done }, .pending = p, .error = error,
		.text = text };
	pending_hold(p);
	return &item->append;
}

void
pending_begun(struct append *a, bool over)
{
	if (over)
		item_done(a);
}

void
pending_outcome(struct request *r, enum kafka_error code, const char *why, int16_t *error,
    struct span *text)
{
	*error = (int16_t)code;
	*text = pending_copy(r, code == KAFKA_NONE ? span_of(NULL, 0) : span_str(why));
}

bool *
pending_duplicates(struct request *r, const struct span *keys, size_t n)
{
	bool *twice = request_array(r, n, sizeof *twice), *first;
	struct map seen = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (keys[i].p == NULL)
			continue;
		if ((first = map_get(&seen, keys[i])) != NULL)
			*first = twice[i] = true;
		else
			must(map_put(&seen, keys[i], &twice[i]));
	}
	map_done(&seen);
	return twice;
}

struct span
pending_copy(struct request *r, struct span from)
{
	void *to;

	if (from.p == NULL)
		return from;
	to = request_alloc(r, from.n);
	if (from.n > 0)
		memcpy(to, from.p, from.n);
	return span_of(to, from.n);
}

enum kafka_error
pending_check_replicas(const struct request *r, int32_t partition, const int32_t *broker_ids,
    size_t n, char *why, size_t size)
{
	int32_t self = r->api->config.node_id;

	if (n == 1 && broker_ids[0] == self)
		return KAFKA_NONE;
	snprintf(why, size,
	    "Partition %" PRId32 " must be assigned to this broker alone, which is %" PRId32 ".",
	    partition, self);
	return KAFKA_INVALID_REPLICA_ASSIGNMENT;
}
