/* fetch.h -- fetches that wait for data, as others wake them. */
#ifndef API_FETCH_H
#define API_FETCH_H

#include "api/topics.h"

/* At the start; and at the end, when no fetch is under way. */
void fetch_init(struct api *);
void fetch_done(struct api *);

/* The partition has more to show, or has changed: its fetches are looked at again at the end of the round. */
void fetch_wake(struct api *, struct topic_partition *);

/* Fetches that wait, or would wait from now on, are answered with what there is. */
void fetch_drain(struct api *);

/* Looks at the woken ones. */
void fetch_round(struct api *);

#endif
