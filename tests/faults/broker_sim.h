/*
 * broker_sim.h -- a whole broker on a faked disk under clients of every kind, and
 * the history that it is held to.
 *
 * logd's api, coord, store and wire are the real ones, wired as the daemon wires
 * them, in one process, without threads, sockets or clocks.  Clients send it
 * request frames and decode its answers; what they were told is the history,
 * which lives through all deaths of the broker.
 *
 * The promises:
 *
 *  - What was answered with acks=all is there, once, unchanged, at its offset, in
 *    its producer's order; or, in a compacted topic, a newer committed value of
 *    each of its keys is.
 *  - A transaction is decided one way, in all its partitions and for its offsets,
 *    for ever: as it was answered, or as anybody first saw it.  A commit that
 *    nobody asked for there is not.
 *  - read_committed gets all that is committed, in order, nothing else, and nothing
 *    beyond the last stable offset, which no transaction that is open lets pass.
 *  - Who is fenced gets nothing in any more.
 *  - Committed offsets are what was committed last; while a transaction may change
 *    them, a reader that requires stable ones is told so.
 *  - No offset that somebody may have seen ever bears another record.
 *  - Transactions that nobody goes on with end by themselves.
 */
#ifndef FAULTS_BROKER_SIM_H
#define FAULTS_BROKER_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "faults/lives.h"
#include "wire/kafka_wire.h"

enum {
	TOPICS = 6,
	SLOTS = 9,      /* partitions of all topics */
	SENT_MAX = 6000,
	TXNS = 2000,
	COMMITS = 4000,
	MARKERS = 2000,
	RECORD_KEYS = 6,
	TXN_IDS = 3,
	WRITERS = 8,    /* producers with an id: idempotent ones, then transactional ones */
	IDEMPOTENT = 2,
	GROUPS = 3,     /* one without members, one of the classic protocol, one of the newer */
	COMMIT_SLOTS = 2, /* the partitions whose offsets are committed: the first ones */
	READERS = 4,
	MEMBERS = 2,    /* of each group that has some */
	PENDING = 4
};

static const int64_t NEVER_MS = INT64_MAX;

/* ---- the history ---- */

enum fate {
	MAYBE,    /* sent, not answered: it may be there or not */
	ANSWERED,
	REFUSED,  /* it is not there and never will be */
	LOST      /* a start has found that it is not there, and it was not durable */
};

/* A batch that somebody sent. */
struct sent {
	enum fate fate;
	bool durable;          /* answered to acks=all */
	bool forbidden;        /* its producer was fenced before it was sent first */
	bool again;            /* sent more than once */
	int slot, incarnation; /* where to */
	int32_t count;
	uint32_t extra;        /* bytes of a value beyond what is needed */
	int64_t at_ms;
	int64_t answered_at;   /* event */
	int64_t base, old_base; /* -1: unknown; where it was before it was lost */
	int txn;               /* -1: none */
	int64_t producer_id;   /* -1: none */
	int16_t epoch;
	int32_t sequence;
	uint32_t met;          /* which of its records the scan under way has met */
	uint64_t stamp;        /* the answer that it was seen in last */
	unsigned read_by;      /* readers that got it, a bit for each */
	int life;              /* in which it was sent last; 0: in none */
};

enum decision { UNDECIDED, COMMITTED, ABORTED };

struct txn_history {
	int id;                /* transactional id */
	int64_t producer_id;
	int16_t epoch;
	bool commit_asked;
	bool may_end;          /* somebody asked for something that ends it */
	bool complete;         /* known to be */
	enum decision decided;
	int64_t began_ms;      /* wall time, before its first request; NEVER_MS: not yet */
	int32_t timeout_ms;
	int64_t end_sent;      /* event at which its commit was first asked for */
};

/* An offset that somebody committed; its number is its offset. */
struct commit {
	int group, slot;
	int txn;               /* -1: none */
	bool answered;         /* of a transaction: it is pending, or more */
	int64_t over;          /* event from which on it can't be the offset any more; 0: it never was */
	int64_t answered_at;
	int64_t begin, end;    /* events between which it takes effect, if it does */
	int64_t applied;       /* event by which it had; NEVER_MS: unknown */
	int life;              /* in which it was sent */
};

struct marker {
	int slot, incarnation;
	int64_t offset, producer_id;
};

struct slot {
	int64_t log_start, last_stable; /* the highest that were answered */
	int64_t cut_tried;              /* the highest that somebody asked for */
};

/* What is known of a topic. */
struct topic_history {
	bool exists, unsettled; /* unsettled: a request to make or delete it is not answered */
	uint8_t id[16];
	int incarnation;
};

/* What a producer is about: see the transactional ones; idempotent ones are in the first two. */
enum phase { STARTS, IDLE, ADDS, SENDS, ADDS_GROUP, COMMITS_OFFSETS, ENDS };

/* A reader of one partition, which outlives the broker: it has all that lies from one offset up to the other. */
struct reader {
	int64_t from, at;
	int incarnation;
};

/* A producer with an id, which outlives the broker. */
struct writer {
	enum phase phase;
	int64_t id;            /* -1: none yet */
	int16_t epoch;
	bool resumes;          /* it says which id it had */
	int32_t next[SLOTS];   /* sequences */
	int pending[PENDING], n_pending;
	/* of transactional ones */
	int txn_id;
	int txn;
	int slots[3], n_slots;
	int rounds;
	bool with_offsets, commits;
	int commits_first, n_commits;
};

/* A member of a group, as the last life knew it. */
struct member {
	char id[64];
	int32_t generation;    /* or its epoch */
};

/* Who has a transactional id. */
struct owner {
	int64_t id;
	int16_t epoch;
	int inits;             /* requests under way that would make another of it */
	bool stray;            /* one of them was never answered: it may have */
};

struct broker_options {
	int steps;
	unsigned cold, late;   /* of 100: reads that wait for the disk, waits in which no job goes on */
	int32_t segment_bytes, internal_segment_bytes;
	int32_t batch_bytes;
	int journal_batch_bytes_max;
	int64_t checkpoint_bytes;
	int32_t txn_timeout_ms;
	bool newer;            /* transactions of version 2 */
	int plain, idempotent, transactional, readers, committers, members, consumers;
	bool remakes, jumps;
	bool tombstones_go;    /* soon after compaction has met them */
};

struct broker_counts {
	uint64_t lives, appends, acked, duplicates, transactions, commits, aborts, fenced, markers, fetches,
	    committed_fetches, records, offset_commits, offset_fetches, unstable, rebalances, cuts, remade,
	    lost, compactions, retentions, checks;
};

struct history {
	struct broker_options options;
	struct topic_history topics[TOPICS];
	struct slot slots[SLOTS];
	struct sent sent[SENT_MAX];
	int n_sent;
	struct txn_history txns[TXNS];
	int n_txns;
	struct commit commits[COMMITS];
	int n_commits;
	struct marker markers[MARKERS];
	int n_markers;
	struct writer writers[WRITERS];
	struct reader readers[READERS][SLOTS];
	struct member members[MEMBERS], consumers[MEMBERS];
	struct owner owners[TXN_IDS];
	int64_t events;
	int64_t mono_ms, wall_ms;
	int life;
	uint64_t stamp;
	bool torn;             /* the index was lost: holes may have been kept */
	struct broker_counts counts;
};

extern struct history *past;

/* A topic as it is made. */
struct topic_kind {
	const char *name;
	int32_t partitions;
	int first_slot;
	bool compacted;
	bool retained;   /* only so much is kept */
	bool cut;        /* DeleteRecords */
	bool remade;     /* deleted, and made anew */
};
extern const struct topic_kind topic_kinds[TOPICS];
extern const char *const group_names[GROUPS];

int topic_of(int slot);
int32_t number_in(int slot);
/* Its topic is there, and no request to make or delete it is unanswered. */
bool slot_is_there(int slot);
/* The number of one more thing that a client did or was told. */
int64_t event(void);

/* ---- judging (broker_history.c, broker_reads.c, broker_offsets.c) ---- */

/* What was known when a request was sent, so that answers that overtake each other do no harm. */
struct known {
	int64_t event;
	int64_t high_watermark[SLOTS], last_stable[SLOTS]; /* of this life */
	int64_t ever_stable[SLOTS], log_start[SLOTS];
};
void know(struct known *);

/* `why` says that the transaction is decided so; broken() when that can't be. */
void history_decide(int txn, enum decision, const char *why);
/* Its markers and offsets are in their places. */
void history_complete(int txn);
/* The id has this owner now: whoever was before is fenced, what it had open is over. */
void history_owner(int txn_id, int64_t id, int16_t epoch);
bool history_is_fenced(int txn_id, int64_t id, int16_t epoch);
bool history_may_end(const struct txn_history *);
/* Whether another may have the id by now. */
bool history_may_be_taken(int txn_id);

/* A batch was answered with its offset, or refused. */
void history_answered(int number, int64_t base, bool durable);
void history_refused(int number);

/*
 * One partition of a Fetch answer, of a reader (-1: of who checks).  Returns where to
 * go on; -1: the offset is out of range, and log_start of the slot is where to begin.
 */
int64_t history_fetched(int slot, int64_t from, bool committed, int reader,
    const struct wire_fetch_response_partition *, const struct known *);
/* Begins and ends a scan of all partitions, which is the only reader. */
void history_scan_begin(void);
void history_scan_end(void);
/* Whether the scan under way has met something there. */
bool history_has(int slot, int64_t from, int64_t to);
/* Everything is over: nothing is open. */
void history_scan_final(void);

/* An offset that is to be committed, perhaps (txn >= 0) in a transaction: its number; -1: there is no room for more. */
int commit_new(int group, int slot, int txn);
void commit_answered(int number);
/* One partition of an OffsetFetch answer. */
void history_offset(int group, int slot, bool stable, int error, int64_t offset, struct span metadata,
    const struct known *);
/* Metadata of a topic, at a start.  id NULL: there is none. */
void history_topic(int topic, const uint8_t *id);
void history_new_incarnation(int topic, const uint8_t id[16]);
/* A life begins: what was on its way is not any more. */
void history_life(void);

/* ---- a life (broker_life.c) ---- */

struct broker_life {
	uint64_t seed;
	int64_t cut_at;  /* -1: none */
	bool work;       /* else: checks only */
	bool close;
	bool final;      /* waits until everything is over, and checks that */
};

int64_t now_ms(void);  /* since 1970 */
/* Runs one in a child; as lives_run(). */
int broker_run(const struct broker_life *);
void broker_checkpoint(void);

/* ---- clients (broker_clients.c) ---- */

/* Begins the one that checks, who calls checked() when it is done; then the others. */
void clients_check(bool final, void (*checked)(void));
void clients_begin(void);
/* Lets some of them do something. */
void clients_step(void);

#endif
