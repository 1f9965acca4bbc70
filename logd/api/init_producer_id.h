/* init_producer_id.h -- where producer ids stand, as the start reads it. */
#ifndef API_INIT_PRODUCER_ID_H
#define API_INIT_PRODUCER_ID_H

#include "api/api.h"

/* Reads up to where ids were given out.  -1: logged. */
int init_producer_id_load(struct api *);

#endif
