/*
 * consumers.h -- groups of the newer protocol under test: heartbeats in few words,
 * answers as text.  Beside fixture.h, with its groups and its time.
 */
#ifndef COORD_CONSUMERS_H
#define COORD_CONSUMERS_H

#include "coord/consumer_groups.h"
#include "unit/coord/fixture.h"

/* A heartbeat; what is left out is what a client leaves out, in group "g". */
struct says {
	const char *group, *member, *instance, *rack, *assignor;
	int32_t epoch;
	const char *names; /* "a,b"; NULL: as before */
	const char *regex;
	const char *owned; /* "a:0,1 b:2" and "" for nothing; NULL: as before */
	int32_t rebalance_ms;
	bool v0;
};

/* What it was answered with. */
struct told {
	enum group_error error;
	int32_t epoch;
	bool has_assignment;
	char member[TEXT], assignment[TEXT]; /* "a:0,1 b:2", topics by name */
};

/* Topics have their name as id. */
void topic(const char *name, int32_t n_partitions);
void no_topic(const char *name);

struct told say(struct says);
#define SAY(...) say((struct says){ __VA_ARGS__ })

/* The first heartbeat of a member: epoch 0, nothing owned, five minutes to rebalance. */
struct told enters(const char *member, const char *names);

/* The next one, which says that all is owned that it had been told, or that `owned` is. */
struct told beats(const char *member, int32_t epoch, const char *owned);

/* Members and what they are to have, e.g. "m1 a:0 -> a:0,1; m2 -> a:2". */
const char *described(const char *group);

/* The epochs of a group. */
int32_t epoch_of(const char *group);

/* Whether that is the answer; parts NULL: none were told.  What else it is, is printed. */
bool is_told(struct told, enum group_error, int32_t epoch, const char *parts);
#define TOLD(t, error, epoch, parts) CU_ASSERT(is_told((t), (error), (epoch), (parts)))
#define OUT(t, err) CU_ASSERT((t).error == (err))

#endif
