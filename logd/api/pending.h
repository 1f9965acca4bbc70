/*
 * pending.h -- what the admin APIs share: a request with many items, each
 * judged by itself, whose answer is sent when all it changed is durable.
 */
#ifndef API_PENDING_H
#define API_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/request.h"

enum {
	/* A request with more items is refused: no honest wish, and each takes memory until the answer. */
	PENDING_ITEMS_MAX = 10000,
	/* Nor does one request make more partitions: each takes memory for good. */
	PENDING_PARTITIONS_MAX = 100000,
	/* Room for the reason of a refusal. */
	PENDING_WHY_SIZE = 512
};

struct pending {
	struct request *request;
	const void *response;
	size_t n; /* holds */
	int64_t partitions; /* to be made */
};

/* Whether there are too many items; then the request is ended. */
bool pending_refused(struct request *, size_t n_items);

/*
 * From the arena, and held once, by the handler.  `response` (arena) is sent
 * when the last hold is released.
 */
struct pending *pending_begin(struct request *, const void *response);

void pending_hold(struct pending *);
/* After the last release the request may be gone. */
void pending_release(struct pending *);

/*
 * For one item: an append (arena) to give to a function that changes the
 * topics or the state; what that function returns goes to pending_begun().
 * When the change could not be made durable, `error` and `text` will say so.
 */
struct append *pending_append(struct pending *, int16_t *error, struct span *text);
void pending_begun(struct append *, bool over);

/* Sets an item's code and its text (copied): the reason, or null without an error. */
void pending_outcome(struct request *, enum kafka_error, const char *why, int16_t *error,
    struct span *text);

/*
 * Whether the request may make so many more partitions, which are counted then:
 * KAFKA_NONE, or INVALID_PARTITIONS with the reason in `why`.
 */
enum kafka_error pending_take_partitions(struct pending *, int64_t n, char *why, size_t size);

#endif
