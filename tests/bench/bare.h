/*
 * bare.h -- a client that adds nothing: one socket, one request at a time.
 *
 * A request is encoded once, and sent as often as one likes; the time of an
 * exchange is then that of two system calls, the network and the daemon.
 */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

struct bare {
	int fd;
	struct buf answer;
	char error[128]; /* why the last call failed */
};

/* Connects to host:port; false with c->error. */
bool bare_open(struct bare *, const char *address);
void bare_done(struct bare *);

/* Appends a whole frame with this request, a struct of kafka_wire.h. */
void bare_frame(struct buf *, int api_key, int version, const void *request);

/*
 * Sends the frame and waits for its answer: what follows the correlation id,
 * borrowed until the next exchange.  False with c->error.
 */
bool bare_exchange(struct bare *, struct span frame, struct span *answer);

enum { BARE_ACKS_ALL = -1, BARE_METADATA_VERSION = 12 };

/*
 * Appends a frame that produces these records, a whole batch.  It ends with the
 * partition's number, the length of the records, 4 bytes each, and the records.
 */
void bare_produce_frame(struct buf *, const char *topic, int32_t partition, int16_t acks, struct span batch);
/* Whether the answer to such a frame is without an error; false with c->error. */
bool bare_produced(struct bare *, struct span answer);
/* An exchange of such a frame, whose answer must be without an error. */
bool bare_produce(struct bare *, struct span frame);

/* What a consumer without a session asks of its partitions, beginning with the first-th, each step-th. */
struct bare_fetch {
	const char *topic;
	const int64_t *offsets; /* by partition */
	int32_t first, step, partitions;
};
void bare_fetch_frame(struct buf *, const struct bare_fetch *);
/*
 * Calls each(ctx, partition, records) for those in the answer to such a frame;
 * false with c->error.
 */
bool bare_fetched(struct bare *, struct span answer, void (*each)(void *, int32_t, struct span), void *ctx);

/* Appends a frame that asks for all topics. */
void bare_metadata_frame(struct buf *);

/* Makes a topic, with settings by names and values up to a NULL (or NULL: none).  False with c->error. */
bool bare_create_topic(struct bare *, const char *name, int32_t partitions, const char *const *settings);

#endif
