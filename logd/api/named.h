/*
 * named.h -- what a request has named before.
 *
 * What a request names more than once is answered once, or refused, so that a
 * small request never gets a huge answer, nor much work done.  The memory that
 * this takes is proportional to what is named, too.
 */
#ifndef API_NAMED_H
#define API_NAMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/request.h"

struct topic;
struct named_page;

/* A set either of keys or of partitions.  Ended by named_done(). */
struct named {
	struct request *request; /* whose arena holds the pages */
	struct map first;        /* what the first mention of a key left */
	struct named_page *last; /* of partitions: the page that was used last */
};

void named_init(struct named *, struct request *);
void named_done(struct named *);

/* Whether this key was named before; it is now.  Kept until named_done().  Null is the same as empty. */
bool named_before(struct named *, struct span key);

/* The same for a partition.  False for one that is not there, each time. */
bool named_partition_before(struct named *, const struct topic *, int32_t number);

/* For each of the keys, whether it is there more than once; arena.  Null keys are not. */
bool *named_twice(struct request *, const struct span *keys, size_t n);

#endif
