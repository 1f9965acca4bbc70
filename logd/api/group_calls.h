/* group_calls.h -- what the group APIs share: the answers of coord, carried out. */
#ifndef API_GROUP_CALLS_H
#define API_GROUP_CALLS_H

#include "api/request.h"

/* At the start: tells coord which groups hold offsets. */
void group_calls_load(struct api *);

/*
 * After every call into coord: sends the answers that it has ready and sets the
 * timer for its next deadline.
 */
void group_calls_after(struct api *);

/* Where the client is, as Kafka writes it: the address behind a slash, without the port. */
struct span group_calls_client_host(struct request *);

/* Joins and syncs that wait, or come now, are answered NOT_COORDINATOR: their clients join again. */
void group_calls_drain(struct api *);

/* For a request that waits in coord under itself as its token. */
void group_calls_gone(struct request *);

#endif
