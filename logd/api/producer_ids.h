/*
 * producer_ids.h -- producer ids, of which none is ever given out twice.
 *
 * They are given out of blocks whose end is durable before the first of them is
 * used (coord/pids.h).  A request that finds no id left waits for the next block.
 */
#ifndef API_PRODUCER_IDS_H
#define API_PRODUCER_IDS_H

#include "api/request.h"

/* Reads from the state where ids stand.  -1: logged. */
int producer_ids_load(struct api *);

/*
 * Calls have() with an id that nobody has, perhaps at once; with -1 when the disk
 * does not take that it was given out.  Not called when the connection is gone
 * before.  Until then r->state and r->gone are ours.
 */
void producer_ids_take(struct request *, void (*have)(struct request *, int64_t id));

#endif
