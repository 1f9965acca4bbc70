/*
 * world.h -- a store on the faked disk, for tests: open it, use it, cut it.
 */
#ifndef UNIT_STORE_WORLD_H
#define UNIT_STORE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake/file_fake.h"
#include "fake/worker_fake.h"
#include "plat/file.h"
#include "store/store_internal.h"
#include "unit/unit.h"

enum { WORLD_NOW = 1700000000 };

struct world {
	struct store_config config;
	struct partition_config partition;
	struct mailbox *mailbox;
	struct store *store;   /* NULL: closed */
	int64_t now;
	int failures;          /* calls of the hook */
	char dir[64];
};

/* A new folder and an empty disk; the store is open. */
void world_begin(struct world *);
/* Closes what is open, and removes the folder. */
void world_end(struct world *);
void world_close(struct world *);
/* Abandons the store as a killed process would; with `power`, what was not synced is lost, too. */
void world_cut(struct world *, bool power);
/* False: it does not open. */
bool world_open(struct world *);
/* The partition with this number. */
struct partition *world_partition(struct world *, int number);
/* Lets everything happen that is under way. */
void world_settle(struct world *);

/* A batch of `n` records with values of `size` bytes; free b->bytes. */
struct producer_of_batch {
	int64_t id;
	int16_t epoch;
	int32_t sequence;
};
void world_batch(struct batch_builder *, int n, size_t size, int64_t time, const struct producer_of_batch *);

/* Compresses the records of a batch, as they are; its header says so. */
void world_pack(struct batch_builder *, int codec);
/* How often something was inflated, by whomever. */
extern int world_inflations;

/* Appends and waits; the error.  The base offset goes to *base when it is not NULL. */
enum store_error world_append(struct world *, struct partition *, bool durable, int n, size_t size,
    const struct producer_of_batch *, int64_t *base);
/* Begins an append; `a` lives on.  True: it is over. */
bool world_begin_append(struct world *, struct partition *, bool durable, int n, size_t size, struct append *a);
bool world_over(const struct append *);

/* Reads and waits: free r->bytes. */
enum store_error world_read(struct world *, struct partition *, int64_t offset, size_t max_bytes,
    bool at_least_one, struct partition_read *r);
/* The batches that can be read from the log start on. */
int world_count(struct world *, struct partition *);

/* Looks up and waits: the first record at or after the time, or (max) that with the largest. */
enum store_error world_look_up(struct world *, struct partition *, int64_t time, bool max,
    struct partition_lookup *);

enum store_error world_cut_front(struct world *, struct partition *, int64_t offset);

#endif
