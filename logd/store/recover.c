/*
 * recover.c -- what a start makes of what the last end left.
 *
 * After a clean end the index tells all, and no segment is touched.  Otherwise:
 *
 *  1. The index says up to where each segment was synced at the last checkpoint;
 *     an index that is lost or damaged says nothing, and all is read.
 *  2. From there on, each partition is put together batch by batch: the
 *     journal's entry for this place if there is one, else what the segment
 *     holds.  The first place for which neither has a valid batch is the end.
 *     Damage before a place that is known to be synced is not an end: what lies
 *     behind it stays, and the damaged batch is answered with an error.
 *  3. A partition whose offsets beyond its end may have been seen goes on above
 *     them: an empty segment with that base says so from now on.
 *  4. The leader epoch of all partitions is raised.
 *  5. A checkpoint makes all of this durable; only then is the journal let go.
 *
 * A cut at any moment of this leaves what the next start can begin again with.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/store_internal.h"

enum { SYNC_STEP = 8 * 1024 * 1024 };

struct recovery {
	struct store *store;
	bool rebuild;
	struct map replays;    /* by key; owned */
	int32_t max_epoch;
	int64_t batches, cut_bytes, damaged;
};

/* ---- what the index tells ---- */

static struct partition *
partition_by_key(struct store *store, const uint8_t *key)
{
	struct partition *p = map_get(&store->partitions, span_of(key, PARTITION_KEY));
	struct partition_id id;

	if (p != NULL)
		return p;
	memcpy(id.topic, key, sizeof id.topic);
	id.number = (int32_t)load32(key + sizeof id.topic);
	p = partition_new(store, &id);
	p->config = store->config.internal; /* until the user says otherwise */
	must_fit(map_put(&store->partitions, span_of(p->key, sizeof p->key), p));
	return p;
}

static bool
indexed_segment(void *ctx, struct span key, struct span value)
{
	struct store *store = ctx;
	struct segment has, *s;
	struct partition *p;

	if (!segment_of_record(&has, key, value))
		return true;
	p = partition_by_key(store, key.p);
	s = segment_new(p, has.base, has.epoch);
	s->generation = has.generation;
	s->until = has.until;
	s->size = s->synced = s->indexed = has.size;
	s->end = has.end;
	s->max_time = has.max_time;
	s->begun_ms = has.begun_ms;
	s->named = s->recorded = true;
	s->next_entry_pos = s->size;
	p->folder_made = p->folder_named = true;
	partition_add_segment(p, s);
	return true;
}

static bool
indexed_log_start(void *ctx, struct span key, struct span value)
{
	struct store *store = ctx;
	struct partition *p;

	if (key.n != 2 + PARTITION_KEY || value.n != 8)
		return true;
	p = map_get(&store->partitions, span_of(key.p + 2, PARTITION_KEY));
	if (p != NULL && (int64_t)load64(value.p) > p->log_start)
		p->log_start = (int64_t)load64(value.p);
	return true;
}

/* ---- what the folders tell ---- */

/* What a compaction has left that was cut. */
static bool
is_unfinished(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

static int
found_segment(void *ctx, const char *name)
{
	struct partition *p = ctx;
	struct segment found, *s;

	if (is_unfinished(name)) {
		char folder[PATH_MAX], path[PATH_MAX + 256];

		partition_folder(p, folder, sizeof folder);
		snprintf(path, sizeof path, "%s/%.255s", folder, name);
		store_remove(p->store, path, false);
		return 0;
	}
	if (!segment_parse(name, &found))
		return 0;
	for (size_t i = 0; i < p->n_segments; i++)
		if (segment_is(p->segments[i], &found)) {
			p->segments[i]->pins = 1; /* seen: taken back below */
			return 0;
		}
	s = segment_new(p, found.base, found.epoch);
	s->generation = found.generation;
	s->until = found.until;
	s->pins = 1;
	partition_add_segment(p, s);
	return 0;
}

static int
found_folder(void *ctx, const char *name)
{
	struct store *store = ctx;
	uint8_t key[PARTITION_KEY];
	struct partition_id id;
	struct partition *p;
	char path[PATH_MAX];

	if (!partition_folder_parse(name, &id)) {
		diag_warn("foreign file in the data folder", "path=%s/logs/%s effect=\"it is left alone\"",
		    store->dir, name);
		return 0;
	}
	partition_key(&id, key);
	p = partition_by_key(store, key);
	p->folder_made = true;
	partition_folder(p, path, sizeof path);
	return file_list(path, found_segment, p);
}

static int
by_base(const void *a, const void *b)
{
	const struct segment *const *x = a, *const *y = b;

	if ((*x)->base != (*y)->base)
		return (*x)->base < (*y)->base ? -1 : 1;
	if ((*x)->epoch != (*y)->epoch)
		return (*x)->epoch < (*y)->epoch ? -1 : 1;
	return ((*x)->generation > (*y)->generation) - ((*x)->generation < (*y)->generation);
}

/*
 * Records of the index whose files are gone are taken out of it.  A file below the log
 * start was deleted, and so was each of a partition that nobody opens: that does not wait
 * for the index.  store_sweep() tells of others.
 */
static void
drop_absent(struct recovery *r, struct partition *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_segments; i++) {
		struct segment *s = p->segments[i];
		uint8_t key[SEGMENT_KEY];

		if (s->pins == 1) {
			s->pins = 0;
			p->segments[n++] = s;
			if (s->epoch > r->max_epoch)
				r->max_epoch = s->epoch;
			continue;
		}
		if (s->end > p->log_start)
			p->absent++;
		segment_key(s, key);
		index_del(&r->store->removals, INDEX_SEGMENTS, span_of(key, sizeof key));
		index_del_prefix(&r->store->removals, INDEX_OFFSETS, span_of(key, sizeof key));
		segment_free(s);
	}
	p->n_segments = n;
	if (n > 0)
		qsort(p->segments, n, sizeof *p->segments, by_base);
}

/*
 * Names decide: a compacted segment is complete and durable when it has its name.  What
 * it was made of goes behind the checkpoint, which makes sure of that name.
 */
static void
drop_superseded(struct partition *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_segments; i++) {
		struct segment *s = p->segments[i];
		bool superseded = false;

		/* Nor does the index know that up to there nothing is left of what was aborted. */
		if (s->generation > 0 && !s->recorded)
			transactions_drop_below(p, s->until);

		for (size_t k = 0; k < p->n_segments && !superseded; k++)
			superseded = segment_superseded(s, p->segments[k]);
		if (superseded) {
			segment_pin(s);
			segment_retire(s);
		}
	}
	for (size_t i = 0; i < p->n_segments; i++)
		if (!p->segments[i]->doomed)
			p->segments[n++] = p->segments[i];
	p->n_segments = n;
}

/*
 * What the index does not have of what lies before what it has was deleted.  A power cut
 * may bring a file back, without those behind it that ended what begins there.
 */
static void
drop_deleted(struct partition *p)
{
	size_t n = 0;

	while (n + 1 < p->n_segments && !p->segments[n]->recorded && p->segments[n + 1]->base <= p->log_start)
		n++;
	/* Such as have no recorded one behind them may be younger than the index. */
	if (n > 0 && p->segments[n]->recorded)
		partition_doom(p, 0, n);
}

static void
found_entry(void *ctx, const struct journal_entry *e)
{
	replay_note(ctx, e);
}

/* ---- putting a segment together ---- */

static void
keep(struct recovery *r, struct segment *s, const struct batch *b, const uint8_t *bytes, int64_t pos)
{
	bool forgotten = r->rebuild && batch_last_offset(b) < s->partition->log_start;
	struct batch_marker marker;

	segment_note(s, b, pos);
	if (s->begun_ms == 0)
		s->begun_ms = r->store->wall_ms; /* nobody knows any more */
	/* Below the log start some that came later may be gone already. */
	if (b->producer_id < 0 || forgotten)
		;
	else if (b->attributes & BATCH_CONTROL) {
		if (batch_marker_read(&marker, b, bytes))
			producers_note_marker(s->partition, &marker, b->base_offset, r->store->wall_ms);
	} else
		producers_note(s->partition, b, r->store->wall_ms,
		    (b->attributes & BATCH_LOG_APPEND_TIME) ? b->max_timestamp : -1);
	partition_dirty(s->partition);
	r->batches++;
}

static void
tell_damage(struct recovery *r, const struct segment *s, int64_t to)
{
	r->damaged++;
	diag_error("damaged batch", "base_offset=%lld pos=%lld bytes=%lld effect=\"what lies behind it stays; reading it is answered with an error\"",
	    (long long)s->end, (long long)s->size, (long long)(to - s->size));
}

/*
 * Goes on behind damage: where it is known that more than this was synced, at the
 * next batch of that (WALK_BATCH), or else behind all of that (WALK_DAMAGED).
 * Where nothing is known because the index is lost, a later valid batch says it.
 */
static enum walked
step_over(struct recovery *r, struct segment_walk *w, struct place trusted)
{
	struct segment *s = w->segment;
	int64_t to = w->to;
	enum walked found;

	if (w->pos < trusted.pos)
		w->to = trusted.pos;
	else if (!r->rebuild)
		return WALK_END;
	found = segment_walk_resync(w);
	w->to = to;
	if (found == WALK_BATCH)
		tell_damage(r, s, w->at);
	else if (found == WALK_END && w->pos < trusted.pos) {
		tell_damage(r, s, trusted.pos);
		s->size = w->pos = trusted.pos;
		s->end = w->offset = trusted.offset;
		s->recorded = false;
		partition_dirty(s->partition);
		return WALK_DAMAGED;
	}
	return found;
}

/* Lets the disk begin with what was put together, while more is. */
static void
begin_sync(struct segment *s, int64_t *begun)
{
	if (s->size - *begun < SYNC_STEP)
		return;
	*begun = s->size;
	file_sync_begin(s->fd);
}

/* From s->size on, to the end of what there is.  -1 with errno. */
static int
complete_segment(struct recovery *r, struct segment *s, const struct replay *y)
{
	int64_t file_end = file_size(segment_fd(s)), begun = s->size;
	struct segment_walk w;
	struct place trusted;
	enum walked found = WALK_END;
	const uint8_t *bytes;
	struct batch b;

	if (file_end == -1)
		return -1;
	/* What the journal has is of what a compacted one was made of; it is complete by its name. */
	if (s->generation > 0) {
		y = NULL;
		trusted = (struct place){ .pos = file_end, .offset = s->until };
	} else
		trusted = replay_synced(y, s, file_end);
	segment_walk(&w, s, (struct place){ .pos = s->size, .offset = s->end }, file_end, false);
	for (;;) {
		begin_sync(s, &begun);
		if (replay_batch(y, s, &b, &bytes)) {
			if (file_write(s->fd, bytes, b.size, s->size) == -1)
				goto fail;
			keep(r, s, &b, bytes, s->size);
			/* What the walk has read ahead may be older than what was written. */
			segment_walk_done(&w);
			segment_walk(&w, s, (struct place){ .pos = s->size, .offset = s->end },
			    s->size > file_end ? s->size : file_end, false);
			continue;
		}
		found = segment_walk_next(&w);
		if (found == WALK_DAMAGED && (found = step_over(r, &w, trusted)) == WALK_DAMAGED)
			continue; /* behind all that was synced */
		if (found != WALK_BATCH)
			break;
		/* After a failed sync the cache may have what the disk has not, and not know it. */
		if (file_write(s->fd, w.bytes, w.batch.size, w.at) == -1)
			goto fail;
		keep(r, s, &w.batch, w.bytes, w.at);
	}
	if (found == WALK_FAILED)
		goto fail;
	segment_walk_done(&w);
	if (s->generation > 0 && s->end != s->until) {
		tell_damage(r, s, file_end);
		s->end = s->until;
	}
	if (file_end > s->size) {
		r->cut_bytes += file_end - s->size;
		return file_truncate(s->fd, s->size);
	}
	return 0;
fail:
	segment_walk_done(&w);
	return -1;
}

/*
 * Whether `next` goes on where `s` ends; a later epoch may begin further up.  What the index has, or a compaction was
 * made of, was taken with what is before it.  Below the log start files are being deleted, in any order.
 */
static bool
continues(const struct recovery *r, const struct segment *s, const struct segment *next)
{
	if (next->base == s->end || next->recorded || next->generation > 0 || next->base <= next->partition->log_start)
		return true;
	return next->base > s->end && (next->epoch > s->epoch || r->rebuild);
}

/* Makes the file again, as the i-th of the partition. */
static int
restore_segment(struct recovery *r, struct segment *s, size_t i)
{
	struct partition *p = s->partition;

	if (segment_create(s) == -1) {
		segment_free(s);
		return -1;
	}
	partition_add_segment(p, s);
	memmove(p->segments + i + 1, p->segments + i, (p->n_segments - i - 1) * sizeof(struct segment *));
	p->segments[i] = s;
	if (s->epoch > r->max_epoch)
		r->max_epoch = s->epoch;
	return 0;
}

/*
 * Whether the file of the lost one is there after all, behind others from the i-th on that
 * overlap what is before it: they are of an earlier start, and go.
 */
static bool
uncover_segment(struct partition *p, size_t i, const struct segment *lost)
{
	size_t k = i;

	while (k < p->n_segments && !p->segments[k]->recorded && p->segments[k]->base < lost->base)
		k++;
	if (k == p->n_segments || p->segments[k]->base != lost->base || p->segments[k]->epoch != lost->epoch ||
	    p->segments[k]->generation != 0)
		return false;
	for (size_t n = i; n < k; n++)
		diag_warn("segment of an earlier start is dropped", "base_offset=%lld", (long long)p->segments[n]->base);
	partition_doom(p, i, k);
	return true;
}

/* Makes the i-th segment what it should be.  0 with *end: there is none. */
static int
complete_next(struct recovery *r, struct partition *p, const struct replay *y, size_t i,
    const struct segment *first, bool *end)
{
	struct segment *last = i > 0 ? p->segments[i - 1] : NULL;
	struct segment *s = i < p->n_segments ? p->segments[i] : NULL, *restored, lost;

	/* What the index has was durable with all before it. */
	if ((s == NULL || (last == NULL ? !s->recorded : s->base != last->end)) &&
	    replay_lost(y, last, s, &lost)) {
		if (uncover_segment(p, i, &lost))
			return complete_next(r, p, y, i, first, end);
		restored = segment_new(p, lost.base, lost.epoch);
		if (restore_segment(r, restored, i) == -1)
			return -1;
		s = restored;
	} else if (s == NULL || (last != NULL && s != first && !continues(r, last, s))) {
		*end = true;
		return 0;
	}
	if (s->recorded && i + 1 < p->n_segments && p->segments[i + 1]->recorded)
		return 0;
	if (!s->recorded)
		partition_dirty(p);
	return segment_fd(s) == -1 ? -1 : complete_segment(r, s, y);
}

static int
complete_partition(struct recovery *r, struct partition *p)
{
	struct replay *y = map_get(&r->replays, span_of(p->key, sizeof p->key));
	const struct segment *first = p->n_segments > 0 ? p->segments[0] : NULL;
	bool end = false;
	size_t i;

	if (y != NULL)
		replay_sort(y);
	for (i = 0; complete_next(r, p, y, i, first, &end) == 0; i++)
		if (end)
			break;
	if (!end)
		return -1;
	/* What lies behind a missing batch was never promised to anybody. */
	while (p->n_segments > i) {
		diag_warn("segment behind a gap is dropped", "base_offset=%lld",
		    (long long)p->segments[p->n_segments - 1]->base);
		segment_doom(p->segments[--p->n_segments]);
	}
	return 0;
}

/* ---- the whole ---- */

/*
 * Sets the offsets from the segments.  Where the last segments are empty ones
 * that skip offsets, the high watermark stays behind the last record, so that
 * a reader that has it all knows that it has.
 */
static void
settle_offsets(struct partition *p)
{
	if (p->n_segments == 0)
		return;
	p->log_start = p->high_watermark = p->segments[0]->base;
	for (size_t i = 0; i < p->n_segments; i++)
		if (p->segments[i]->size > 0)
			p->high_watermark = p->segments[i]->end;
	p->end = p->stable_end = p->segments[p->n_segments - 1]->end;
	transactions_visible(p);
}

static int
replay_state(struct store *store, enum state_log log)
{
	struct partition *p = state_partition(store, log);
	struct buf value = { 0 };
	int64_t from = 0;
	char key[32];
	int r = 0;

	snprintf(key, sizeof key, "applied.%d", (int)log);
	if (index_get(store->index, INDEX_META, span_str(key), &value) && value.n == 8)
		from = (int64_t)load64(value.p);
	buf_done(&value);
	for (size_t i = 0; i < p->n_segments && r == 0; i++) {
		struct segment *s = p->segments[i];
		struct segment_walk w;
		enum walked found;

		if (s->end <= from || s->size == 0)
			continue;
		if (segment_fd(s) == -1)
			return -1;
		segment_walk(&w, s, segment_place_offset(s, from < s->base ? s->base : from), s->size, false);
		while ((found = segment_walk_next(&w)) == WALK_BATCH ||
		    (found == WALK_DAMAGED && (found = segment_walk_resync(&w)) == WALK_BATCH))
			if (w.offset > from)
				state_apply(store, log, &w.batch, w.bytes);
		if (found == WALK_FAILED)
			r = -1;
		segment_walk_done(&w);
	}
	return r;
}

static void
read_epoch(struct store *store)
{
	static const uint8_t key[2] = { 0, 'E' };
	struct buf value = { 0 };

	store->leader_epoch = -1;
	if (state_get(store, STATE_METADATA, span_of(key, sizeof key), &value) && value.n == 4)
		store->leader_epoch = (int32_t)load32(value.p);
	buf_done(&value);
}

/* The log starts that were asked for. */
static void
read_log_starts(struct store *store)
{
	static const uint8_t prefix[2] = { 0, 'S' };

	state_each(store, STATE_METADATA, span_of(prefix, sizeof prefix), indexed_log_start, store);
}

/* Cuts the fronts as was asked for; the ends are known. */
static void
cut_fronts(struct store *store)
{
	struct partition *p;
	size_t it = 0;

	read_log_starts(store);
	while ((p = map_next(&store->partitions, &it)) != NULL) {
		if (p->log_start > p->end)
			p->log_start = p->end;
		if (p->high_watermark < p->log_start)
			p->high_watermark = p->log_start;
		partition_drop_below(p, p->log_start);
	}
}

static void
epoch_stored(struct append *a)
{
	a->done = NULL;
}

/* Makes a raised leader epoch durable. */
static int
store_epoch(struct store *store)
{
	static const uint8_t key[2] = { 0, 'E' };
	uint8_t value[4];
	struct state_entry entry = { span_of(key, sizeof key), span_of(value, sizeof value) };
	struct append a = { .done = epoch_stored };

	store32(value, (uint32_t)store->leader_epoch);
	if (state_put(store, STATE_METADATA, &entry, 1, store->wall_ms, &a))
		epoch_stored(&a);
	while (a.done != NULL && !store->failed && !journal_full(store->journal)) {
		journal_flush(store->journal);
		sync_flush(store);
		mailbox_wait(store->mailbox);
		mailbox_run(store->mailbox);
	}
	return a.done == NULL && a.error == STORE_OK ? 0 : -1;
}

/* Moves the ends above what may have been seen; the empty segment says so. */
static int
skip_seen(struct recovery *r)
{
	struct replay *y;
	size_t it = 0;

	while ((y = map_next(&r->replays, &it)) != NULL) {
		struct partition *p = map_get(&r->store->partitions, span_of(y->key, sizeof y->key));
		struct segment *s;

		if (y->reserved_to == 0 || (p != NULL && y->reserved_to <= p->end))
			continue;
		p = partition_by_key(r->store, y->key);
		s = segment_new(p, y->reserved_to, r->store->leader_epoch);
		if (segment_create(s) == -1) {
			segment_free(s);
			return -1;
		}
		if (p->n_segments == 0)
			p->log_start = p->high_watermark = s->base;
		partition_add_segment(p, s);
		p->end = s->end;
		partition_dirty(p);
	}
	return 0;
}

static int
complete_partitions(struct recovery *r, bool internal)
{
	struct partition *p;
	size_t it = 0;

	while ((p = map_next(&r->store->partitions, &it)) != NULL) {
		if (p->internal != internal)
			continue;
		drop_absent(r, p);
		drop_superseded(p);
		drop_deleted(p);
		p->scattered = true;
		if (complete_partition(r, p) == -1)
			return -1;
		settle_offsets(p);
	}
	return 0;
}

static int
recover_unclean(struct recovery *r)
{
	struct store *store = r->store;
	char path[PATH_MAX];
	struct partition *p;
	struct replay *y;
	size_t it = 0;

	/* The index knows of folders that may be gone. */
	while ((p = map_next(&store->partitions, &it)) != NULL)
		p->folder_made = p->folder_named = false;
	it = 0;
	snprintf(path, sizeof path, "%s/logs", store->dir);
	if (file_list(path, found_folder, store) == -1)
		return -1;
	if (journal_replay(store->journal, found_entry, &r->replays) == -1)
		return -1;
	while ((y = map_next(&r->replays, &it)) != NULL)
		partition_by_key(store, y->key);
	/* The daemon's own logs first: they say where the others begin. */
	if (complete_partitions(r, true) == -1)
		return -1;
	for (int log = 0; log < STATE_LOGS; log++)
		if (replay_state(store, (enum state_log)log) == -1)
			return -1;
	read_log_starts(store);
	if (complete_partitions(r, false) == -1)
		return -1;
	read_epoch(store);
	/* A first life, which stores no epoch, has 0. */
	if (r->max_epoch == -1 && r->replays.n > 0)
		r->max_epoch = 0;
	if (r->max_epoch > store->leader_epoch)
		store->leader_epoch = r->max_epoch;
	store->leader_epoch++;
	if (skip_seen(r) == -1)
		return -1;
	cut_fronts(store);
	return 0;
}

int
recover(struct store *store, bool clean, bool rebuild)
{
	struct recovery r = { .store = store, .rebuild = rebuild, .max_epoch = -1 };
	struct partition *p;
	size_t it = 0;
	bool unclean = !clean || rebuild, first;
	int result = -1;

	index_each(store->index, INDEX_SEGMENTS, span_of(NULL, 0), indexed_segment, store);
	producers_load(store);
	for (int log = 0; log < STATE_LOGS; log++)
		state_partition(store, (enum state_log)log);
	if (!unclean) {
		while ((p = map_next(&store->partitions, &it)) != NULL)
			settle_offsets(p);
		read_epoch(store);
		if (store->leader_epoch == -1)
			store->leader_epoch = 0; /* nothing has raised it yet */
		cut_fronts(store);
	} else if (recover_unclean(&r) == -1) {
		diag_error("recovery failed", "path=%s error=\"%s\" action=\"%s; nothing was given up\"",
		    store->dir, strerror(errno), file_advice(errno));
		goto out;
	}
	/* Nothing was ever appended: there is nothing to make durable, and no epoch to raise. */
	first = unclean && store->leader_epoch == 0 && r.max_epoch == -1 && r.replays.n == 0;
	/*
	 * Everything is durable in the segments before the journal is let go.  A first
	 * start commits, too: an index that has no commit counts as lost (store.c).
	 */
	if (unclean && checkpoint_now(store) == -1)
		goto undurable;
	if (journal_start(store->journal, store->offline) == -1)
		goto out;
	if (unclean && !first && store_epoch(store) == -1)
		goto undurable;
	if (unclean && !first)
		diag_info("recovered", "path=%s batches=%lld cut_bytes=%lld damaged=%lld epoch=%ld",
		    store->dir, (long long)r.batches, (long long)r.cut_bytes,
		    (long long)r.damaged, (long)store->leader_epoch);
	result = 0;
	goto out;
undurable:
	diag_error("recovery can't be made durable",
	    "path=%s action=\"mend what the lines before name, and start again; nothing was given up\"", store->dir);
out:
	replays_free(&r.replays);
	return result;
}
