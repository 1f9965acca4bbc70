/*
 * topics.h -- the topics there are: by name, by id, and in the daemon's state.
 */
#ifndef API_TOPICS_H
#define API_TOPICS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/api.h"
#include "wire/errors.h"

struct topic;

struct topic_partition {
	struct topic *topic;
	int32_t number;
	struct partition *log;
	struct list waiters; /* of fetch.c: fetches that wait for data here */
};

struct topic {
	uint8_t id[16];
	struct span name; /* owned, as the next */
	struct span folded; /* the name with '_' for each '.' */
	struct topic_config config;
	int64_t created_ms;
	struct topic_partition **partitions; /* owned, each of them, too */
	int32_t n_partitions;
};

enum {
	TOPIC_NAME_MAX = 249,
	/* A topic with more is refused: no honest wish, and each takes memory. */
	TOPIC_PARTITIONS_MAX = 100000
};

/* Reads them from the state.  -1: logged. */
int topics_load(struct api *);
void topics_free(struct api *);

struct topic *topics_find(const struct api *, struct span name);
struct topic *topics_find_id(const struct api *, const uint8_t id[16]);

/* The partition, or NULL. */
struct topic_partition *topic_partition(const struct topic *, int32_t number);

/*
 * Whether a topic of that name could be made: KAFKA_NONE, or INVALID_TOPIC_EXCEPTION
 * or TOPIC_ALREADY_EXISTS with the reason in `why`.
 */
enum kafka_error topics_check_name(const struct api *, struct span name, char *why, size_t size);

/* Whether the text is a legal name, whatever topics there are. */
bool topic_name_legal(struct span name);

/*
 * The rule on the number of replicas that was asked for (-1: the default): with
 * weir.replication.factor.strict, more than one is refused; else granted as one.
 */
enum kafka_error topics_check_replicas(const struct api *, int replicas, char *why, size_t size);
/* Of a topic that is made: warns in the log that it gets one, where more were asked for. */
void topics_tell_replicas(const struct api *, struct span name, int replicas);

/*
 * Makes a topic that passed the checks; it is there at once, and durable when
 * a->done() is called.  True: over already, see a->error (see state_put()).
 * When the disk does not take it, nothing has changed, and *made is NULL.  The
 * config is copied.
 */
bool topics_create(struct api *, struct span name, int32_t n_partitions,
    const struct topic_config *, struct append *a, struct topic **made);

/* Adds partitions up to this number.  As topics_create(). */
bool topics_grow(struct api *, struct topic *, int32_t n_partitions, struct append *a);

/* Replaces the topic's settings (copied).  As topics_create(). */
bool topics_configure(struct api *, struct topic *, const struct topic_config *, struct append *a);

/* Deletes the topic; it is gone at once, its fetches are woken.  As topics_create(). */
bool topics_delete(struct api *, struct topic *, struct append *a);

/* Walks the topics in no order: start with *it = 0; NULL at the end. */
struct topic *topics_next(const struct api *, size_t *it);

/* Topics in the order of their names; free() the array. */
struct topic **topics_sorted(const struct api *, size_t *n);

/* Settings of the daemon have changed: all topics take up their defaults. */
void topics_rebase(struct api *);

#endif
