/*
 * assignor.h -- how the partitions that a group of consumers reads are shared
 * out among its members (KIP-848's server side assignors).
 *
 * Over numbers only: topics, members and partitions are counted from 0, and
 * members that subscribe to the same are one kind.  So the work does not grow
 * with members times topics: it is linear in partitions, members and the
 * topics of all kinds.
 */
#ifndef COORD_ASSIGNOR_H
#define COORD_ASSIGNOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum { ASSIGNED_TO_NOBODY = -1 };

/* Members that subscribe to the same topics; at least one. */
struct assign_kind {
	const uint32_t *topics, *members;
	size_t n_topics, n_members;
};

struct assignment {
	const struct assign_kind *kinds;
	const int32_t *n_partitions; /* of each topic */
	/*
	 * Whose each partition is, those of the first topic first.  In: whose it
	 * was, by a member or ASSIGNED_TO_NOBODY; out: whose it is to be.  A topic
	 * that nobody subscribes to is nobody's.
	 */
	int32_t *target;
	size_t n_kinds, n_topics, n_members;
};

/*
 * uniform  Of what members of a kind get, none has two more than another; kinds
 *          are levelled as far as their subscriptions allow.  Sticky: what was
 *          a member's stays so, where that is even.  The same input gives the
 *          same output, also when it is the output of before.
 * range    Each topic in blocks of consecutive partitions; topics that the
 *          same members read, and that have as many partitions, are cut alike.
 */
struct assignor {
	const char *name;
	void (*share)(const struct assignment *);
};

/* The first is the one that a group has when its members ask for none. */
extern const struct assignor assignors[];
enum { ASSIGNORS = 2 };

/* Its place in the table; -1: there is none of this name. */
int assignor_find(struct span name);

#endif
