/*
 * offsets.h -- committed offsets in the daemon's state.
 *
 * A key is the group, the topic's id and the partition; so a topic that is made
 * anew under its old name begins without committed offsets.
 */
#ifndef API_OFFSETS_H
#define API_OFFSETS_H

#include "api/pending.h"
#include "api/topics.h"
#include "coord/groups.h"
#include "wire/kafka_wire.h"

enum { OFFSETS_KEY_MAX = 2 + GROUP_ID_MAX_BYTES + 16 + 4 };

/* What all keys of a group begin with.  The group's id is at most GROUP_ID_MAX_BYTES long. */
struct span offsets_prefix(uint8_t key[OFFSETS_KEY_MAX], struct span group);
struct span offsets_key(uint8_t key[OFFSETS_KEY_MAX], struct span group, const uint8_t topic[16], int32_t partition);

/* The parts of a key; false when it is none. */
bool offsets_key_parse(struct span key, struct span *group, const uint8_t **topic, int32_t *partition);

/* The committed offset; false when there is none.  `metadata` points into `value`, which the caller frees. */
bool offsets_get(struct api *, struct span group, const uint8_t topic[16], int32_t partition,
    struct buf *value, struct wire_offset_commit_record *out);

/* What is committed for a partition. */
struct offsets_commit {
	int64_t offset;
	int32_t leader_epoch;
	struct span metadata;
	int64_t retention_ms; /* -1: as the group's retention says */
};

/*
 * What one request commits, put into the state at once; in its arena.  When it is
 * durable, the batch lets go of `pending`, which the handler releases, too.
 */
struct offsets_batch {
	struct pending *pending;
	struct span (*key)(struct request *, const uint8_t topic[16], int32_t partition); /* in the arena */
	struct append append;
	struct state_entry *entries;
	int16_t **codes; /* of each entry, in the answer */
	size_t n;
};

/* Of at most `max` offsets; `response` as in pending_begin(). */
struct offsets_batch *offsets_batch_begin(struct request *, const void *response, size_t max,
    struct span (*key)(struct request *, const uint8_t topic[16], int32_t partition));
/*
 * One more, for a partition of a topic, or of none (NULL), unless its committer is
 * refused (else KAFKA_NONE); `code` of the answer says why not, then and later.
 */
void offsets_batch_add(struct offsets_batch *, const struct topic *, int32_t partition,
    const struct offsets_commit *, enum kafka_error refused, int16_t *code);
/* Whether there are some, and the store takes them. */
bool offsets_batch_put(struct offsets_batch *);

/* Reads a stored value, which `out` then points into. */
bool offsets_parse(struct span value, struct wire_offset_commit_record *out);

/*
 * Deletes the keys, in as many batches as it takes.  False: the disk refused
 * one, as `error` (of the pending answer) says; those before it are deleted.
 */
bool offsets_delete(struct pending *, const struct state_entry *keys, size_t n, int16_t *error);

/* Tells coord whether the group has offsets (left). */
void offsets_note(struct api *, struct span group);

#endif
