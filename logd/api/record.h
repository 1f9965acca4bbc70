/*
 * record.h -- single records of the daemon's own state: a message of the wire's
 * table, under a key of an internal log.
 */
#ifndef API_RECORD_H
#define API_RECORD_H

#include <stdbool.h>

#include "api/api.h"
#include "base/arena.h"

/*
 * Reads the record of this name ("cluster_record") into its struct; what that
 * points to is in the arena, which is set up here and is the caller's to end.
 * 1; 0: there is none; -1: it can't be read, which is logged.
 */
int record_read(struct api *, enum state_log, struct span key, const char *name, struct arena *, void *to);

/* The same of a value that is at hand: 1 or -1. */
int record_parse(struct span value, const char *name, struct arena *, void *to);

/* Keeps the record in place of what was there.  As state_put(). */
bool record_put(struct api *, enum state_log, struct span key, const char *name, const void *record, struct append *);

/* As state_put(), for what nobody waits for.  False: the disk did not take it. */
bool record_put_unawaited(struct api *, enum state_log, const struct state_entry *, size_t n);

#endif
