/*
 * inspect_internal.h -- what the files of inspect.h share.
 */
#ifndef STORE_INSPECT_INTERNAL_H
#define STORE_INSPECT_INTERNAL_H

#include <limits.h>

#include "store/inspect.h"
#include "store/store_internal.h"

/* A segment, as folder and index have it. */
struct look {
	struct segment s;    /* its name; size, end and max_time as the index has them, or of an empty one */
	bool recorded;       /* the index has it */
	bool there;          /* its file is */
	bool superseded;     /* another was made of it, and is there */
};

/* Where something is damaged in a segment. */
struct stretch {
	size_t look;         /* which of the partition's */
	int64_t pos, size;   /* up to the next whole batch, or the end of the file */
	int64_t first, last; /* offsets */
	bool last_of_all;    /* nothing lies behind it in the partition */
	bool journaled;      /* the journal has a batch for its place */
};

struct part {
	uint8_t key[PARTITION_KEY];
	struct partition_id id;
	struct look *looks;  /* owned; in order */
	size_t n, cap;
	int64_t log_start;
	bool there;          /* its folder is */
	bool internal, verified;
	struct stretch *stretches; /* owned; of the last walk */
	size_t n_stretches;
	struct inspect_partition sum; /* of the last walk */
};

struct inspect {
	char *dir;           /* owned, without a / at its end */
	struct inspect_hooks hooks;
	int lock_fd;
	bool change;         /* opened for a repair */
	bool format_lacks;   /* it holds data, and does not say its format */
	bool clean;          /* a start takes the word of the index */
	bool marked;         /* there is a mark of a clean end, good or bad */
	struct index *index; /* NULL: a start makes it anew */
	struct journal *journal; /* replays point into it */
	struct map replays;  /* by key; of no use when clean, but for a start without the index */
	struct map parts;    /* by key */
	struct part **sorted; /* owned */
	size_t n_sorted;
	struct map state;    /* struct state_value: what the index does not have yet */
	int64_t applied[STATE_LOGS];
	/* Where verifying stands in the index's table of offsets. */
	struct index_cursor *offsets;
	struct span place_key, place;
	bool more_places;
	size_t mended;       /* findings that a new index mends */
	size_t journal_entries;
};

/* Tells; the path is below the folder. */
void inspect_tell(struct inspect *, const struct finding *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void inspect_folder(const struct inspect *, const struct part *, char *path, size_t size);
/* The path of a segment. */
void inspect_path(const struct inspect *, const struct part *, const struct look *, char *path, size_t size);

struct part *inspect_find(const struct inspect *, const struct partition_id *);

/* ---- inspect_segment.c ---- */

/* Walks all segments; what it finds is told, p->sum and p->stretches are set. */
void inspect_walk(struct inspect *, struct part *, bool verify, bool orphan);

#endif
