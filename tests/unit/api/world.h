/*
 * world.h -- a broker in the test's process, on the faked disk: requests as frames,
 * answers as structs, in turns that a seed chooses.
 */
#ifndef UNIT_API_WORLD_H
#define UNIT_API_WORLD_H

#include "api/api.h"
#include "base/arena.h"
#include "fake/net_fake.h"
#include "unit/unit.h"
#include "wire/kafka_wire.h"

enum { WORLD_CALLERS = 3 };

/* A client; one request of its is under way at a time. */
struct caller {
	struct fake_conn *conn;
	const struct wire_api *api;
	int version;
	struct arena arena;  /* of the answer */
	void *answer;        /* NULL: none yet */
	bool refused;        /* its connection was ended */
};

struct world {
	struct store_config store_config;
	struct topic_config defaults;
	struct loop *loop;
	struct mailbox *mailbox;
	struct store *store;
	struct api api;
	struct watch mail;
	struct timer tick;
	struct caller callers[WORLD_CALLERS];
	char dir[64];
};

/* A new folder and an empty disk.  One world at a time. */
void world_begin(struct world *, uint64_t seed);
/* The next start, after an end in order. */
void world_again(struct world *);
void world_end(struct world *);

/* Sends struct wire_<api>_request. */
void world_send(struct world *, struct caller *, int key, int version, const void *message);
/* Lets things happen: frames and answers arrive, the loop goes round. */
void world_turn(struct world *);
/* Waits for the answer: until the caller sends again.  NULL: its connection was ended. */
const void *world_answer(struct world *, struct caller *);
const void *world_ask(struct world *, struct caller *, int key, int version, const void *message);

/* A topic, made. */
void world_topic(struct world *, struct caller *, const char *name, int32_t partitions);
/* Where the partition's records are. */
struct partition *world_partition(struct world *, const char *topic, int32_t number);

#endif
