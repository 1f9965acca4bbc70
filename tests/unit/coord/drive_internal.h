/* drive_internal.h -- what drive.c and drive_consumers.c share.  Nobody else includes it. */
#ifndef COORD_DRIVE_INTERNAL_H
#define COORD_DRIVE_INTERNAL_H

#include "coord/consumer_groups.h"
#include "unit/coord/drive.h"

enum { CLIENTS = 8, REQUESTS = 256, ID_MAX = 64, ROSTER = CLIENTS * 40 };

/* What a client remembers. */
struct client {
	struct span group;
	char member_id[ID_MAX];
	size_t member_id_n;
	int32_t generation;
	struct span instance;
	bool leads;
	char roster[ROSTER][ID_MAX]; /* the members, when it leads */
	size_t roster_n[ROSTER], n_roster;
};

/* A request under way; its address is the token. */
struct request {
	bool live;
	enum group_effect_type type;
	struct client *client;
	int32_t generation; /* a sync's */
};

/* What a client of the newer protocol remembers. */
struct consumer_client {
	struct span group, instance;
	char member[ID_MAX];
	int incarnation;
	int32_t epoch;
	uint32_t owned, assigned; /* partitions, as bits */
};

struct consumers {
	struct consumer_client clients[CLIENTS];
	int32_t n_partitions[4];
	int topics_made[4];
};

struct drive {
	const uint8_t *at, *end;
	struct groups *groups;
	int64_t now_ms;
	uint32_t randoms;
	struct client clients[CLIENTS];
	struct request requests[REQUESTS];
	struct consumers consumers;
};

/* The next byte; 0 at the end. */
uint8_t drive_next(struct drive *);

void drive_consumers_init(struct drive *);
void drive_consumers_step(struct drive *, uint8_t op);

#endif
