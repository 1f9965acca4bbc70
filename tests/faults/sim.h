/*
 * sim.h -- a store on a faked disk under a random workload, and the history
 * that it is held to.
 *
 * The promises:
 *
 *  - What was answered with durable=true is there, unchanged, at its offset; or, in a
 *    compacted log, a newer value of each of its keys is.
 *  - No offset that somebody may have seen (in an answer, below a high
 *    watermark) ever bears another record.
 *  - What was sent, once or again by an idempotent producer, is there once.
 *  - State that was answered is there.
 *  - Reads give whole batches that were sent, in order, visible ones only.
 *  - The log start does not go back after an answered cut, the leader epoch
 *    never falls, the high watermark never falls during a life.
 */
#ifndef FAULTS_SIM_H
#define FAULTS_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faults/lives.h"

enum { SIM_PARTITIONS = 6 };

struct sim_options {
	int partitions, steps;
	uint32_t batch_bytes;    /* most batches are smaller, some much larger */
	int journal_batch_bytes_max;
	int64_t checkpoint_bytes;
	int32_t segment_bytes;
	unsigned cold;           /* reads in a hundred that wait for the disk */
	bool deletes;            /* partitions are deleted and made */
};

/* One life. */
struct sim_life {
	uint64_t seed;
	int64_t cut_at;          /* the file operation at which it is cut; -1: none */
	bool work;               /* else: opens and checks only */
	bool close;              /* ends in order */
	int error;               /* the disk fails with this errno, 0: it does not */
	int64_t fail_at;         /* the operation that fails, of the kinds and paths below */
	bool lasting;            /* all later ones fail, too */
	unsigned fail_ops;       /* enum fake_op */
	const char *fail_path;   /* a part of the path; NULL: any */
	int damaged;             /* so many batches may have been damaged before it */
	void (*opened)(void);    /* called behind the checks, before the work; or NULL */
};

/* Begins a new history on an empty disk. */
void sim_reset(const struct sim_options *);

/* Runs a life in a child; how it ended (FAKE_CUT_STATUS: cut), SIM_SIGNAL + n: by signal n. */
int sim_run(const struct sim_life *);

/* Whether the last life that was to meet a fault has met it. */
bool sim_fault_met(void);

/* The history as bytes (malloc), and back. */
void *sim_save(size_t *n);
void sim_restore(const void *saved, size_t n);

/*
 * LMDB's file, between two lives: deletes it (what is torn and unanswered may be
 * kept with a hole from then on), brings back the copy of lives_index_keep().
 */
void sim_index_delete(void);
bool sim_index_bring_back(void);
/* Behind any cut: the next start will make the index anew if it finds the mark of a death. */
void sim_index_mark(void);

/* What happened, for the report. */
struct sim_counts {
	uint64_t lives, appends, durable, reads, puts, duplicates, cuts, deleted, lost, holes,
	    offline, compactions, retentions; /* the last two of lives that were not cut */
};
const struct sim_counts *sim_counts_of(void);

/*
 * Calls step() at `from` and on, a stride apart, below `to`.  A step returns
 * where what it looked at ends; nothing before that is looked at again.
 */
void sim_sweep(int64_t from, int64_t to, int64_t stride, int64_t (*step)(void *ctx, int64_t at), void *ctx);

#endif
