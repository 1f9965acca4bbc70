/*
 * pids.h -- producer ids, which are never given out twice.
 *
 * Ids come from blocks.  The caller makes the end of a block durable before
 * any id of it is used; after a crash the rest of the block is lost, which
 * does no harm.
 *
 *	if (!pids_take(p, &id))
 *		if ((end = pids_reserve(p)) != -1)
 *			make `end` durable, then pids_reserved(p, true)
 *		wait for that, and take again
 */
#ifndef COORD_PIDS_H
#define COORD_PIDS_H

#include <stdbool.h>
#include <stdint.h>

enum { PIDS_BLOCK = 1000 };

/*
 * 0 <= next <= end <= reserving.  Ids below `end` may be used: that is
 * durable.  `reserving` > `end` while a reservation is under way.
 */
struct pids {
	int64_t next, end, reserving;
};

/* `end`: the last value that was made durable; 0 when there is none. */
void pids_init(struct pids *, int64_t end);

/* Takes an id.  False: a block has to be reserved first. */
bool pids_take(struct pids *, int64_t *id);

/*
 * Begins the reservation of a block: the value to make durable; -1 when one
 * is under way already, or when all ids are used up.
 */
int64_t pids_reserve(struct pids *);

/* Ends the reservation: it is durable, or it failed and may be begun anew. */
void pids_reserved(struct pids *, bool ok);

#endif
