/*
 * store_internal.h -- the structs that the store's own files share; nobody
 * else includes it.
 *
 * Invariants of a partition, checked by partition_check():
 *
 *  1. Segments are in order of base offset; each begins at or after the end of
 *     the one before; all but the last are no longer appended to.
 *  2. Within a segment every batch begins where the one before ended, in bytes
 *     and in offsets, and bears the segment's leader epoch.  (So the bytes that
 *     no checksum covers, base offset and epoch, are known from elsewhere.)
 *     Only damage that was found at a start makes a gap.
 *  3. log_start <= high_watermark <= end; stable_end <= end.
 *  4. Marks are in order of their ends.  Without marks the high watermark is
 *     `end`, unless the last segment is an empty one that skips offsets: then it
 *     is behind the last record.
 *  5. Whoever saw an offset below high_watermark that is not durable saw one
 *     below reserved_to, and that reservation is durable.
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include <stdatomic.h>

#include "base/list.h"
#include "base/map.h"
#include "store/index.h"
#include "store/journal.h"
#include "store/partition.h"
#include "store/store.h"

/* Keys of the index. */
enum { PARTITION_KEY = 20, SEGMENT_KEY = PARTITION_KEY + 16, OFFSET_KEY = SEGMENT_KEY + 8,
	PRODUCER_KEY = PARTITION_KEY + 8, ABORTED_KEY = PARTITION_KEY + 8 };

/* ---- segment.c: one append-only file of batches ---- */

/* A batch that can be found without walking from the segment's start. */
struct index_entry {
	int64_t offset;   /* its base offset */
	int64_t pos;
	int64_t max_time; /* the largest timestamp in the segment before it */
};

struct segment {
	struct partition *partition;
	int64_t base;     /* offset at which it begins, part of its name */
	int32_t epoch;    /* leader epoch of all its batches, part of its name */
	/* A compacted one tells by its name, too, up to where it goes and how often it was compacted. */
	uint32_t generation; /* 0: as it was appended */
	int64_t until;
	int64_t size;     /* bytes of whole batches */
	int64_t end;      /* offset behind the last batch */
	int64_t max_time; /* largest timestamp; INT64_MIN when empty */
	int64_t begun_ms; /* wall time of its first append; 0: unknown */
	int64_t synced;   /* bytes on stable storage */
	int64_t indexed;  /* bytes that the index has, durably */
	bool named;       /* its name is on stable storage */
	bool recorded;    /* the index has its record as it is now */
	bool doomed;      /* deleted: goes when nobody uses it */
	int pins;         /* jobs that its file must outlive */
	int uses;         /* those of them that use its descriptor */
	int fd;           /* -1: closed */
	struct list lru;  /* store.open_segments, when open */
	/* Entries that the index does not have yet, oldest first. */
	struct index_entry *fresh; /* owned */
	size_t n_fresh, cap_fresh;
	int64_t next_entry_pos;    /* the next entry is for a batch at or behind this */
};

/* A segment in memory; no file is touched.  Owned by its partition. */
struct segment *segment_new(struct partition *, int64_t base, int32_t epoch);
void segment_path(const struct segment *, char *path, size_t size);
/* What the name of a segment's file tells, the rest zero; false: it is none. */
bool segment_parse(const char *name, struct segment *);
/* Whether both are the same segment. */
bool segment_is(const struct segment *, const struct segment *);
/* Whether the first is one of those that the second, which was compacted, was made of. */
bool segment_superseded(const struct segment *, const struct segment *by);
/* What an entry of the index's table of segments tells; false: it is none. */
bool segment_of_record(struct segment *, struct span key, struct span value);
/* Makes the file (and the partition's folder).  -1 with errno. */
int segment_create(struct segment *);
/* Its descriptor, opened when it is not; -1 with errno. */
int segment_fd(struct segment *);
/* Its file stays. */
void segment_pin(struct segment *);
void segment_unpin(struct segment *); /* may free it, when doomed */
/* Pinned, and its descriptor, which is open, stays so for a thread to use. */
void segment_use(struct segment *);
void segment_unuse(struct segment *);
/* Out of use: closed and its file deleted, now or at the last unpin. */
void segment_doom(struct segment *);
/*
 * Others have taken its place, whose names are durable and which the index does not
 * have yet.  Pinned before; that pin is the checkpoint's now, and its file stays until
 * the next one.
 */
void segment_retire(struct segment *);
/* Frees it without touching the file. */
void segment_free(struct segment *);
/* Notes a batch that was appended at `pos`. */
void segment_note(struct segment *, const struct batch *, int64_t pos);

/*
 * The best known place (partition.h) at or before `offset`, or before the first
 * batch that may reach `time`.
 */
struct place segment_place_offset(struct segment *, int64_t offset);
struct place segment_place_time(struct segment *, int64_t time);

/*
 * Walks the batches from a place on, up to `to` bytes, checking each; a damaged
 * one is stepped over where a later one can be found.
 */
struct segment_walk {
	struct segment *segment;
	int64_t pos, to;      /* of the next batch; where to end */
	int64_t offset;       /* the next batch's base offset is this, unless one was damaged */
	uint8_t *chunk;       /* owned */
	size_t n, cap;
	int64_t chunk_pos;
	bool near;            /* it won't go far: little is read ahead */
	bool nowait;          /* fail with EAGAIN rather than wait for the disk */
	/* the batch that was found */
	struct batch batch;
	const uint8_t *bytes; /* whole batch */
	int64_t at;           /* its position */
	bool skipped;         /* damage lies right before it */
};
void segment_walk(struct segment_walk *, struct segment *, struct place, int64_t to, bool near);
enum walked { WALK_BATCH, WALK_END, WALK_DAMAGED, WALK_FAILED };
/* WALK_DAMAGED: no batch can be read at w->pos; WALK_FAILED: errno. */
enum walked segment_walk_next(struct segment_walk *);
/* Moves on to the next batch behind damage, if there is one before `to`. */
enum walked segment_walk_resync(struct segment_walk *);
void segment_walk_done(struct segment_walk *);

/* ---- producers.c: idempotent producers of each partition ---- */

enum { PRODUCER_BATCHES = 5 };

struct producer_batch {
	int32_t first, last; /* sequence numbers */
	int64_t base_offset, end;
	int64_t append_time;
};

struct producer {
	uint8_t key[8];      /* its id, big-endian: key of the map */
	int64_t id;
	int16_t epoch;
	int n;
	struct producer_batch batches[PRODUCER_BATCHES]; /* oldest first */
	int64_t last_ms;     /* wall time of the last append */
	int64_t end;         /* behind its last batch or marker */
	int32_t coordinator_epoch; /* of its last marker; -1: none */
	struct transaction *open; /* owned by the partition; NULL: none */
	struct partition *partition;
	struct list dirty_link; /* producers.dirty: the index does not have it as it is */
	struct list used_link;  /* store.producers */
};

struct producers {
	struct map by_id;    /* owned */
	struct list dirty;
};

enum sequence { SEQUENCE_NEXT, SEQUENCE_DUPLICATE, SEQUENCE_OUT_OF_ORDER, SEQUENCE_FENCED,
	SEQUENCE_OUTSIDE /* of the transaction that is open */ };

void producers_init(struct producers *);
/* Forgets them; the index is left as it is. */
void producers_done(struct producers *);
/* At the start: those that the index has. */
void producers_load(struct store *);
/* Now and then: forgets some of those that have expired. */
void producers_expire(struct store *);
/* What a batch of an idempotent producer is; `original` for a duplicate. */
enum sequence producers_check(struct partition *, const struct batch *, bool from_0, int64_t now_ms,
    struct producer_batch *original);
/* A batch was appended (or recovered) with these offsets in `b`. */
void producers_note(struct partition *, const struct batch *, int64_t now_ms, int64_t append_time);
/* A marker was appended (or recovered) at this offset. */
void producers_note_marker(struct partition *, const struct batch_marker *, int64_t offset, int64_t now_ms);
/* The open transaction of the producer, or NULL. */
struct transaction *producers_open(const struct partition *, int64_t id);
/* Moves what changed into the batch of index changes. */
void producers_collect(struct partition *, struct index_batch *);

/* ---- transactions.c: what is open, and what was aborted ---- */

/* One that is open, or whose marker is not visible yet. */
struct transaction {
	int64_t producer_id, first;
	int64_t last;          /* its marker; -1: open */
	struct list link;      /* transactions.all: in order of `first` */
	struct list ended;     /* transactions.ended, in order of `last` */
};

struct aborted_entry {
	struct aborted a;
	int64_t stable;        /* what is aborted later has no record below */
};

struct transactions {
	struct list all, ended; /* owned */
	struct aborted_entry *fresh; /* owned; those that the index does not have, in order of `last` */
	size_t n_fresh, cap_fresh;
};

void transactions_init(struct transactions *);
void transactions_done(struct transactions *);
struct transaction *transactions_open(struct partition *, int64_t producer_id, int64_t first);
/* The marker lies at `last`. */
void transactions_end(struct partition *, struct transaction *, int64_t last, bool commit);
/* The high watermark has moved. */
void transactions_visible(struct partition *);
/* Moves what the index lacks into its changes; how many there are: to be dropped when it has them. */
size_t transactions_collect(struct partition *, struct index_batch *);
void transactions_indexed(struct partition *, size_t n);
/* The log start has moved. */
void transactions_drop_below(struct partition *, int64_t log_start);

/* ---- examine.c ---- */

/* Looks into the batch of an append; a->error and a->bad_record say what is wrong with it. */
void examine(const struct partition *, struct append *);

/* ---- partition.c ---- */

/* An append that waits to become visible. */
struct mark {
	int64_t end;          /* the high watermark once it is visible */
	uint64_t block;       /* journal block that must be durable; 0: none */
	int64_t stable_end;   /* segments must be synced up to this offset; 0: no */
	struct append *append; /* whom to tell */
};

/* Offsets below `to` may be shown before their records are durable, once the block is. */
struct reservation {
	int64_t to;
	uint64_t block;
};

struct partition {
	struct store *store;
	struct partition_id id;
	uint8_t key[20];      /* the id as bytes: key of maps and of the index */
	struct partition_config config;
	void *user;
	struct segment **segments; /* owned */
	size_t n_segments, cap_segments;
	int64_t log_start, high_watermark, end;
	int64_t direct_end;   /* behind the last batch that is in no journal */
	int64_t stable_end;   /* below it all is synced in the segments */
	uint64_t last_block;  /* journal block of its last batch there */
	struct reservation reserved, reserved_next;
	uint64_t reserved_checkpoint; /* both end with this checkpoint */
	struct mark *marks;   /* owned ring */
	size_t first_mark, n_marks, cap_marks;
	struct producers producers;
	struct transactions transactions;
	struct list waiting;  /* store.waiting, while there are marks */
	struct list dirty;    /* store.dirty: changed since the last checkpoint */
	struct list wants_sync; /* store.wants_sync: direct bytes that acks=all waits for */
	struct list reads;    /* reads that wait for the disk */
	struct list upkeep;   /* store.upkeep_queue */
	bool retaining;       /* retention moves its log start */
	bool uncleanable;     /* compaction met damage: it is not tried again before a start */
	int64_t too_small;    /* the memory that its keys did not fit in; 0: none */
	bool scattered;       /* segments that the index lacks may lie anywhere, not at the end only */
	int64_t hint_offset, hint_pos; /* where the last read ended */
	struct segment *hint_segment;
	bool offline, deleted, internal;
	atomic_bool sync_failed; /* no sync of it is tried again.  Any thread. */
	bool opened;          /* by the user, since the start */
	size_t absent;        /* segments without a file at the start that were not deleted */
	bool folder_made, folder_named; /* exists; its name is on stable storage */
	int jobs;             /* jobs that use it */
};

struct partition *partition_new(struct store *, const struct partition_id *);
/* Frees the struct and its segments; no file is touched. */
void partition_free(struct partition *);
void partition_folder(const struct partition *, char *path, size_t size);
/* The reverse, of the last name of the path; false: it is none. */
bool partition_folder_parse(const char *name, struct partition_id *);
void partition_add_segment(struct partition *, struct segment *);
struct segment *partition_active(const struct partition *); /* NULL: none yet */
/* Makes a new, empty segment the active one.  NULL with errno: its file can't be made. */
struct segment *partition_roll(struct partition *);
/* Offsets below it are settled: only they may be dropped, by age or as superseded. */
int64_t partition_settled(const struct partition *);
void partition_dirty(struct partition *);
/* Lets become visible what may; answers appends.  Calls the hook once. */
void partition_advance(struct partition *);
/* Its segments are synced up to `end`; a start will know it when the journal's block is durable (0: it is). */
void partition_synced(struct partition *, int64_t end, uint64_t block);
/* A disk failed it. */
void partition_offline(struct partition *, const char *what, int error);
/* Ends what waits. */
void partition_end_waiting(struct partition *, enum store_error);
/* Lets go what lies below a log start that is durable. */
void partition_drop_below(struct partition *, int64_t log_start);
/* Takes the segments from one to before another out of it; their files go. */
void partition_doom(struct partition *, size_t from, size_t to);
void partition_check(const struct partition *);

/* ---- retention.c ---- */

/* Drops what is too old or too much. */
void retention_visit(struct partition *);

/* Notes where the clock has been set ahead.  At each tick, before visits. */
void retention_look_at_clock(struct store *);

/* ---- cleaner.c: which partition is compacted, and what becomes of it ---- */

struct cleaning;

struct cleaner {
	struct workers *workers;   /* one thread */
	struct cleaning *cleaning; /* under way; NULL: none */
	struct partition *best;    /* of those that this round has visited; NULL: none */
	double best_ratio;
	int64_t next_ms;           /* when to look for the next one (mono) */
};

/* Measures how much of it is to be compacted. */
void cleaner_visit(struct partition *);
/* All were visited: begins with the best. */
void cleaner_start(struct store *);
/* It is about to be deleted. */
void cleaner_forget(struct partition *);
/* Whatever is under way ends soon. */
void cleaner_stop(struct store *);

/* ---- reserve.c: room on the disk that is held back ---- */

struct reserve {
	bool there;          /* its file is */
	bool making;
	bool used;           /* given up for want of room: only the daemon's own records are taken */
	int64_t retry_ms;    /* it is not made before (mono) */
};

/* At the start and at the end: gives it up where there is no room for either. */
void reserve_open(struct store *);
void reserve_close(struct store *);
/* Something that would make room finds none for itself. */
void reserve_use(struct store *);
/* Now and then: makes it when there is room. */
void reserve_tick(struct store *);

/* ---- upkeep.c: visits to all partitions, some at a time ---- */

/* Goes on with the round under way, or begins one that is due.  When (mono) to call again. */
int64_t upkeep_tick(struct store *);
/* The next round of retention comes soon: one lacked room. */
void upkeep_retention_soon(struct store *);

/* ---- read.c ---- */

/* The segment that holds the offset, or the first behind it; NULL: none. */
struct segment *partition_segment(const struct partition *, int64_t offset);

/* ---- state.c ---- */

struct state_value {
	struct span key;      /* owned, with the log's number in front */
	struct span value;    /* owned; p NULL: deleted */
};

struct state {
	struct map fresh;     /* since the last checkpoint began */
	struct map frozen;    /* being written by the checkpoint under way, which may look at it, too */
	struct map thawing;   /* written; the keeper frees them */
	struct job thaw;
};

/* Applies one batch of an internal log: at append and at replay. */
void state_apply(struct store *, enum state_log, const struct batch *, const uint8_t *bytes);
/* Freezes what is fresh, for the checkpoint that begins.  Store's thread. */
void state_freeze(struct store *);
/* What is frozen, as changes of the index.  Any thread, while it is. */
void state_put_frozen(const struct store *, struct index_batch *);
/* The index has what was frozen.  Store's thread. */
void state_thaw(struct store *);
void state_done(struct store *);
struct partition *state_partition(struct store *, enum state_log);
/* Which partition an internal log is. */
struct partition_id state_partition_id(enum state_log);
/* Puts a copy in the place of what the table had under the key, which is at most STATE_KEY_MAX long. */
void state_remember(struct map *, enum state_log, struct span key, struct span value);
/* The order of keys; for qsort() of pointers to values. */
int state_by_key(const void *, const void *);

/* ---- sync.c: making segments durable ---- */

/* Segments of some partitions, as they were at one moment, to be synced on a thread. */
struct sync_item {
	struct segment *segment; /* pinned */
	int64_t size, synced, end;
	size_t n_fresh;          /* index entries at that moment */
	bool named;
};

struct sync_group {
	struct partition *partition; /* its jobs are counted */
	size_t first, n;         /* its items */
	int64_t end;
	uint64_t block;          /* journal block that tells of it; 0: the index does */
	size_t n_aborted;        /* aborted transactions that the index gets */
	bool folder_named;
	bool synced;             /* all of it */
	int error;               /* why it is not, when it was tried */
};

struct sync_set {
	struct sync_group *groups;
	size_t n_groups, cap_groups;
	struct sync_item *items;
	size_t n_items, cap_items;
	bool logs_named;         /* the folder of all partitions was synced before */
};

/* Adds what of the partition is not durable.  Store's thread. */
void sync_set_add(struct sync_set *, struct partition *);
/*
 * Syncs what is not yet; failures are noted in the groups.  Any thread.  -1 with
 * errno: some lacked descriptors, and may be run again.
 */
int sync_set_run(struct sync_set *);
/* Takes the outcome over and empties the set.  What lacked descriptors goes on wanting.  Store's thread. */
void sync_set_apply(struct sync_set *);
/* Starts a round of syncs for acks=all of what is in no journal. */
void sync_flush(struct store *);

/* ---- checkpoint.c ---- */

struct checkpoint;

/* Segments whose files go when the index has those that took their place. */
struct retired {
	struct segment **segments; /* owned; each pinned, and a job of its partition */
	size_t n, cap;
};

/* Frees them, their files stay: the store is about to be freed. */
void retired_free(struct retired *);
/* Runs a whole checkpoint within the call: at start and at the end.  -1: the store failed. */
int checkpoint_now(struct store *);
/* Frees one that failed or waits for room: the store is about to be freed. */
void checkpoint_abandon(struct store *);

/* ---- snapshot.c ---- */

struct snapshot;
/* A checkpoint begins, from whose moment it is to be: store's thread. */
void snapshot_begin(struct snapshot *);
/* The index has been committed, and no other commit can follow yet: any thread. */
void snapshot_copy_index(struct snapshot *);
/* The checkpoint is over: store's thread. */
void snapshot_go_on(struct snapshot *);
/* It is to come to its end, whole or not. */
void snapshot_stop(struct store *);
/* The store is about to be freed, and no job of it is under way. */
void snapshot_abandon(struct store *);

/* ---- replay.c: what the journal has for a partition ---- */

struct replay {
	uint8_t key[PARTITION_KEY];
	struct journal_entry *entries; /* owned; their batches point into the journal */
	size_t n, cap;
	int64_t reserved_to;
};

/* Adds an entry to its partition's, in a map by key of the index. */
void replay_note(struct map *replays, const struct journal_entry *);
/* Before any of the following: when all entries are there. */
void replay_sort(struct replay *);
/* The batch for the place s->size, s->end, if there is one that fits.  Of NULL: none. */
bool replay_batch(const struct replay *, const struct segment *, struct batch *, const uint8_t **bytes);
/* Up to where the segment is known to have been synced.  Its file ends at file_end. */
struct place replay_synced(const struct replay *, const struct segment *, int64_t file_end);
/*
 * Base and epoch of a segment whose file did not survive, but whose first batch is
 * here: the one that goes on where `last` ends; without `last`, the first before `next`.
 */
bool replay_lost(const struct replay *, const struct segment *last, const struct segment *next,
    struct segment *lost);
void replays_free(struct map *replays);

/* ---- recover.c ---- */

/* Makes the partitions as index, journal and segments tell.  -1: logged. */
int recover(struct store *, bool clean, bool rebuild);

/* ---- store.c ---- */

/* What lies under this name in the data folder. */
void store_path(const char *dir, const char *name, char *path, size_t size);

struct store {
	struct store_config config;
	char *dir;
	struct store_hooks hooks;
	struct mailbox *mailbox;
	struct workers *keepers;  /* checkpoints, preparation of files, deletion: one thread */
	struct workers *syncers;  /* syncs of segments that acks=all waits for */
	struct workers *readers;  /* reads that wait for the disk */
	struct workers *checkers; /* looking into batches */
	struct workers *copiers;  /* snapshots: one thread */
	struct index *index;
	struct journal *journal;
	struct map partitions;    /* by partition.key */
	struct state state;
	struct list waiting, dirty, wants_sync;
	struct list producers;    /* of all partitions, least recently used first */
	int n_producers;
	struct index_batch removals; /* what the next checkpoint takes out of the index */
	struct list open_segments; /* least recently used first */
	int n_open;
	int32_t leader_epoch;     /* of all partitions; raised at every unclean start */
	uint64_t checkpoints;     /* begun so far: the number of the one to come */
	struct checkpoint *checkpoint; /* under way, or NULL */
	int64_t checkpoint_retry_ms, last_checkpoint_ms;
	int checkpoint_put_off; /* the error for which it is, which was told; 0: it is not */
	struct snapshot *snapshot; /* asked for, or being made; or NULL */
	bool snapshot_waits;      /* for a checkpoint to begin */
	int64_t appended_bytes;   /* since the last checkpoint began */
	bool syncing;             /* a round of sync.c is under way */
	bool sync_put_off;        /* the last one lacked descriptors: the next comes after a tick */
	bool failed, clean;
	bool offline;             /* a partition is: the end won't be a clean one */
	bool logs_named;          /* no folder was made since the last sync of their names */
	int lock_fd;
	int jobs;                 /* under way, of all kinds but the journal's */
	int64_t mono_ms, wall_ms; /* as of the last tick */
	int64_t next_try_ms;      /* what lacked something is tried again then */
	int64_t lack_told_ms;     /* when the log last said that something is lacking */
	struct retired retired;   /* since the last checkpoint began */
	struct reserve reserve;
	struct cleaner cleaner;
	struct list upkeep_queue; /* all partitions; the next to be visited first */
	size_t upkeep_left;       /* still to be visited in this round */
	bool round_retention, round_cleaning; /* what this round is for */
	int64_t next_retention_ms;
	int n_retaining;          /* log starts that retention is moving */
	int64_t clock_ahead_ms;   /* of the monotonic one the wall's, as of the last tick */
	int64_t old_rests_until_ms; /* nothing is too old before */
	struct store_stats stats;
};

/* What a data folder says of its format. */
enum folder_format {
	FORMAT_KNOWN,
	FORMAT_NONE,       /* nothing, and it holds nothing */
	FORMAT_LACKING,    /* nothing, and it holds data */
	FORMAT_FAILED      /* one that this version does not know, or it can't be read: logged */
};
enum folder_format store_format(const char *dir);
/* Has it say ours, durably.  -1 with errno. */
int store_put_format(const char *dir);

/* What the mark of a clean end says. */
enum clean_mark {
	CLEAN_NONE,        /* there is none */
	CLEAN_FITS,        /* the index tells all */
	CLEAN_DAMAGED,
	CLEAN_OTHER_INDEX, /* the index is not as it was left */
	CLEAN_FAILED       /* it can't be read: logged */
};
enum clean_mark store_clean_mark(const char *dir);

/* A line in the log, once in a while (the log may lie on the same disk). */
void store_tell_lack(struct store *, const char *what, int error);
/* Something that the daemon can't go on from. */
void store_fail(struct store *, const char *why);
/* Deletes a file or an empty folder in the background, in the order of the calls. */
void store_remove(struct store *, const char *path, bool folder);
/* A job is over that counted in p->jobs: a deleted partition goes with its last. */
void partition_release(struct partition *);
void partition_key(const struct partition_id *, uint8_t key[PARTITION_KEY]);
void segment_key(const struct segment *, uint8_t key[SEGMENT_KEY]);

#endif
