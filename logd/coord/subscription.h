/*
 * subscription.h -- the topics in a consumer's member metadata.
 *
 * The bytes come from clients and are opaque to the group protocol.  Only of
 * groups of type "consumer" is this much read, which all versions share:
 *
 *	version int16, count int32, count times: length int16, name
 */
#ifndef COORD_SUBSCRIPTION_H
#define COORD_SUBSCRIPTION_H

#include <stdbool.h>

#include "base/bytes.h"

/*
 * Finds the topics: the bytes after the count, for subscription_next().
 * False: this is no subscription.
 */
bool subscription_topics(struct span metadata, struct span *topics);

/* Takes the first name off the topics that were found; false at the end. */
bool subscription_next(struct span *topics, struct span *name);

/*
 * Whether both subscribe to the same topics, listed in the same order; bytes
 * that are no subscription are compared as they are.
 */
bool subscription_same(struct span a, struct span b);

#endif
