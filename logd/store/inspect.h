/*
 * inspect.h -- a data folder while no daemon runs: whether it is whole, what is in it,
 * and, where somebody asks for it, two repairs.
 *
 * What is told is what a start would make of the folder (recover.c), from the same
 * parts; but nothing is written, and all of every segment is read.  The order:
 * inspect_open(), inspect_load(), then anything.  One thread, and no other in the
 * process (plat/child.h).
 */
#ifndef STORE_INSPECT_H
#define STORE_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "store/batch.h"
#include "store/journal.h"
#include "store/store.h"

struct inspect;

enum finding_id {
#define FINDING(id, kind, what, means, action) FINDING_##id,
#include "store/findings.tbl"
#undef FINDING
	FINDINGS
};

enum finding_kind { FINDING_NOTE, FINDING_INDEX, FINDING_DAMAGE };

/* What a row of findings.tbl says. */
struct finding_text {
	const char *name;   /* its id */
	enum finding_kind kind;
	const char *what, *means;
	const char *action; /* NULL: nothing needs to be done */
};
extern const struct finding_text finding_texts[FINDINGS];

/* One that was found; strings are borrowed for the call. */
struct finding {
	enum finding_id id;
	const char *path;          /* of the file or folder */
	int64_t pos, size;         /* in the file; -1: as a whole */
	int64_t first, last;       /* offsets; -1: of none */
	const char *detail;        /* NULL: there is no more to say */
	const struct partition_id *partition; /* NULL: of none */
};

/* A batch, where a start would have it. */
struct inspect_batch {
	const struct partition_id *partition;
	const char *path;    /* of its segment */
	int64_t pos;         /* in it */
	struct batch batch;
	const uint8_t *bytes; /* all of it; its checksum is right */
	bool journal;        /* only the journal has it (so) */
};

/* NULL: of no interest. */
struct inspect_hooks {
	void *ctx;
	void (*finding)(void *ctx, const struct finding *);
	void (*batch)(void *ctx, const struct inspect_batch *);
	/* A record of an internal log. */
	void (*record)(void *ctx, enum state_log, int64_t offset, struct span key, struct span value);
	/* What inspect_journal() tells by. */
	void (*journal)(void *ctx, const char *path, const struct journal_found *);
	void (*entry)(void *ctx, const struct journal_entry *);
};

/* What a partition has, as a start would have it. */
struct inspect_partition {
	struct partition_id id;
	int64_t log_start, end; /* 0 and 0: nothing */
	int64_t segments, bytes, batches;
	int64_t journaled;      /* batches that only the journal has (so) */
	int64_t damaged;        /* places where something is missing or damaged */
};

/*
 * Takes the folder's lock, beside others who look, or, with `change`, alone.
 * -1: a daemon runs on it, it is no data folder, or of another format; logged.
 */
int inspect_open(struct inspect **, const char *dir, bool change, const struct inspect_hooks *);
void inspect_close(struct inspect *);

/* Reads marks, index, journal, and the internal logs.  -1: there is no going on (logged). */
int inspect_load(struct inspect *);

/* The i-th partition, by id; false past the last. */
bool inspect_partition_at(const struct inspect *, size_t i, struct partition_id *);
bool inspect_has_partition(const struct inspect *, const struct partition_id *);

/*
 * Reads all of a partition's batches.  With `verify` the index is compared, too: then
 * all partitions are to be read, in order.  `orphan`: of a topic that is not there.
 */
void inspect_partition(struct inspect *, const struct partition_id *, bool verify, bool orphan,
    struct inspect_partition *);
/* Behind the last one: what the index has beyond all of them. */
void inspect_finish(struct inspect *);

/* Tells the journal by the hooks `journal` and `entry`.  -1: it can't be read (logged). */
int inspect_journal(struct inspect *);

/* The tables of the state, as a start would have them, in the order of keys. */
void inspect_state(struct inspect *, enum state_log, void (*each)(void *ctx, struct span key, struct span value),
    void *ctx);

/*
 * Repairs, for a folder that was opened to be changed, and has been read: a cut in the
 * middle leaves what a start, or the same repair, goes on from.  -1: refused, or the
 * disk failed; logged, as is what was done.  Where index or journal are symbolic
 * links, which may lead anywhere, they are refused.
 */

/* Deletes the index, if something was found that a new one mends. */
int inspect_rebuild_index(struct inspect *);

/*
 * Puts an empty batch in the place of the damage that has this offset, and deletes the
 * index.  What was there is kept in a file beside the segment.
 */
int inspect_skip(struct inspect *, const struct partition_id *, int64_t offset);

#endif
