/* pending.c -- what the admin APIs share. */
#include "api/pending.h"

#include <stdio.h>

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
	*text = request_copy(r, code == KAFKA_NONE ? span_of(NULL, 0) : span_str(why));
}

enum kafka_error
pending_take_partitions(struct pending *p, int64_t n, char *why, size_t size)
{
	if (n <= PENDING_PARTITIONS_MAX - p->partitions) {
		p->partitions += n;
		return KAFKA_NONE;
	}
	snprintf(why, size,
	    "One request makes at most %d partitions, over all its topics: ask for this topic in another.",
	    PENDING_PARTITIONS_MAX);
	return KAFKA_INVALID_PARTITIONS;
}
