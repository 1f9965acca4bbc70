/*
 * offset_expiry.h -- committed offsets that are of no use any more go: those of
 * topics that are gone, and those that have outlived their group's last member
 * by offsets.retention.minutes.  A group without members that has no others goes
 * with them.
 */
#ifndef API_OFFSET_EXPIRY_H
#define API_OFFSET_EXPIRY_H

#include "api/api.h"

/* At the start, when topics and groups are there; and at the end. */
void offset_expiry_init(struct api *);
void offset_expiry_done(struct api *);

/* A topic is gone: looks through all offsets soon. */
void offset_expiry_soon(struct api *);

#endif
