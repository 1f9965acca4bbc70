/* segment.c -- one append-only file of batches. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/store_internal.h"

enum {
	ENTRY_INTERVAL = 64 * 1024, /* bytes between index entries */
	STEP_NEAR = 64 * 1024,      /* read at once by a walk to a place near by, and by others */
	STEP_FAR = 1024 * 1024
};

struct segment *
segment_new(struct partition *p, int64_t base, int32_t epoch)
{
	struct segment *s = xcalloc(1, sizeof *s);

	*s = (struct segment){ .partition = p, .base = base, .epoch = epoch, .end = base,
		.max_time = INT64_MIN, .fd = -1, .next_entry_pos = ENTRY_INTERVAL };
	list_init(&s->lru);
	return s;
}

void
segment_path(const struct segment *s, char *path, size_t size)
{
	size_t n;

	partition_folder(s->partition, path, size);
	n = strlen(path);
	if (s->generation == 0)
		snprintf(path + n, size - n, "/%020lld.%ld.log", (long long)s->base, (long)s->epoch);
	else
		snprintf(path + n, size - n, "/%020lld.%ld.%020lld.%lu.log", (long long)s->base,
		    (long)s->epoch, (long long)s->until, (unsigned long)s->generation);
}

bool
segment_parse(const char *name, struct segment *s)
{
	long long base, until = 0;
	unsigned long generation = 0;
	char tail[8];
	long epoch;
	bool compacted = sscanf(name, "%20lld.%ld.%20lld.%10lu.%7s", &base, &epoch, &until, &generation, tail) == 5;

	if (!compacted && sscanf(name, "%20lld.%ld.%7s", &base, &epoch, tail) != 3)
		return false;
	if (strcmp(tail, "log") != 0 || base < 0 || epoch < 0 || epoch > INT32_MAX)
		return false;
	if (compacted && (generation == 0 || generation > UINT32_MAX || until <= base || until - base > INT32_MAX))
		return false;
	*s = (struct segment){ .base = base, .epoch = (int32_t)epoch, .end = base, .fd = -1,
		.generation = compacted ? (uint32_t)generation : 0, .until = compacted ? until : 0 };
	return true;
}

bool
segment_is(const struct segment *a, const struct segment *b)
{
	return a->base == b->base && a->epoch == b->epoch && a->generation == b->generation &&
	    (a->generation == 0 || a->until == b->until);
}

bool
segment_superseded(const struct segment *s, const struct segment *by)
{
	return s->generation < by->generation && s->epoch == by->epoch && s->base >= by->base &&
	    (s->generation == 0 ? s->base < by->until : s->until <= by->until);
}

bool
segment_of_record(struct segment *s, struct span key, struct span value)
{
	if (key.n != SEGMENT_KEY || value.n != 32)
		return false;
	*s = (struct segment){ .base = (int64_t)load64(key.p + PARTITION_KEY),
		.epoch = (int32_t)load32(key.p + PARTITION_KEY + 8),
		.generation = load32(key.p + PARTITION_KEY + 12), .until = (int64_t)load64(value.p + 8), .size = (int64_t)load64(value.p),
		.end = (int64_t)load64(value.p + 8), .max_time = (int64_t)load64(value.p + 16),
		.begun_ms = (int64_t)load64(value.p + 24), .fd = -1 };
	return true;
}

static void
close_fd(struct segment *s)
{
	if (s->fd == -1)
		return;
	file_close(s->fd);
	s->fd = -1;
	list_del(&s->lru);
	s->partition->store->n_open--;
}

/* Closes what was not used for longest, but for what is in use. */
static void
make_room(struct store *store)
{
	list_each(it, &store->open_segments) {
		struct segment *s = container_of(it, struct segment, lru);

		if (store->n_open < store->config.open_files_max)
			return;
		if (s->uses == 0)
			close_fd(s);
	}
}

static int
open_fd(struct segment *s, enum file_mode mode)
{
	struct store *store = s->partition->store;
	char path[PATH_MAX];

	make_room(store);
	segment_path(s, path, sizeof path);
	if ((s->fd = file_open(path, mode)) == -1)
		return -1;
	list_add(&store->open_segments, &s->lru);
	store->n_open++;
	return s->fd;
}

int
segment_create(struct segment *s)
{
	struct partition *p = s->partition;
	char folder[PATH_MAX];

	if (!p->folder_made) {
		partition_folder(p, folder, sizeof folder);
		if (file_mkdir(folder) == -1)
			return -1;
		p->folder_made = true;
	}
	return open_fd(s, FILE_CREATE) == -1 ? -1 : 0;
}

int
segment_fd(struct segment *s)
{
	if (s->fd == -1)
		return open_fd(s, FILE_WRITE);
	list_del(&s->lru);
	list_add(&s->partition->store->open_segments, &s->lru);
	return s->fd;
}

void
segment_free(struct segment *s)
{
	close_fd(s);
	free(s->fresh);
	free(s);
}

static void
delete_file(struct segment *s)
{
	char path[PATH_MAX];

	segment_path(s, path, sizeof path);
	store_remove(s->partition->store, path, false);
	stat_add(&s->partition->store->stats.segments_deleted, 1);
	segment_free(s);
}

void
segment_pin(struct segment *s)
{
	s->pins++;
}

void
segment_unpin(struct segment *s)
{
	must(s->pins > 0);
	if (--s->pins == 0 && s->doomed)
		delete_file(s);
}

void
segment_use(struct segment *s)
{
	must(s->fd != -1);
	s->uses++;
	segment_pin(s);
}

void
segment_unuse(struct segment *s)
{
	s->uses--;
	segment_unpin(s);
}

void
segment_doom(struct segment *s)
{
	struct index_batch *removals = &s->partition->store->removals;
	uint8_t key[SEGMENT_KEY];

	if (s->partition->hint_segment == s)
		s->partition->hint_segment = NULL;
	segment_key(s, key);
	index_del(removals, INDEX_SEGMENTS, span_of(key, sizeof key));
	index_del_prefix(removals, INDEX_OFFSETS, span_of(key, sizeof key));
	s->doomed = true;
	if (s->pins == 0)
		delete_file(s);
}

void
segment_retire(struct segment *s)
{
	struct retired *r = &s->partition->store->retired;

	must(s->pins > 0);
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 8 : r->cap * 2;
		r->segments = xrealloc(r->segments, r->cap * sizeof(struct segment *));
	}
	r->segments[r->n++] = s;
	s->partition->jobs++;
	segment_doom(s);
}

void
segment_note(struct segment *s, const struct batch *b, int64_t pos)
{
	if (pos >= s->next_entry_pos) {
		if (s->n_fresh == s->cap_fresh) {
			s->cap_fresh = s->cap_fresh == 0 ? 4 : s->cap_fresh * 2;
			s->fresh = xrealloc(s->fresh, s->cap_fresh * sizeof *s->fresh);
		}
		s->fresh[s->n_fresh++] = (struct index_entry){ b->base_offset, pos, s->max_time };
		s->next_entry_pos = pos + ENTRY_INTERVAL;
	}
	s->size = pos + (int64_t)b->size;
	s->end = batch_last_offset(b) + 1;
	if (b->max_timestamp > s->max_time)
		s->max_time = b->max_timestamp;
	s->recorded = false;
}

/* ---- look-up ---- */

static struct place
fresh_place(const struct segment *s, size_t i)
{
	return (struct place){ s->fresh[i].pos, s->fresh[i].offset, s->fresh[i].max_time };
}

/* What the index has at or before the offset, or else the segment's start. */
static struct place
indexed_place(const struct segment *s, int64_t offset)
{
	struct place place = { 0, s->base, INT64_MIN };
	uint8_t key[OFFSET_KEY];
	struct buf found = { 0 }, value = { 0 };

	segment_key(s, key);
	store64(key + SEGMENT_KEY, (uint64_t)offset);
	if (index_floor(s->partition->store->index, INDEX_OFFSETS, span_of(key, sizeof key),
	    SEGMENT_KEY, &found, &value) && found.n == OFFSET_KEY && value.n == 16)
		place = (struct place){ (int64_t)load64(value.p), (int64_t)load64(found.p + SEGMENT_KEY),
			(int64_t)load64(value.p + 8) };
	buf_done(&found);
	buf_done(&value);
	return place;
}

struct place
segment_place_offset(struct segment *s, int64_t offset)
{
	size_t lo = 0, hi = s->n_fresh;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (s->fresh[mid].offset <= offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 ? fresh_place(s, lo - 1) : indexed_place(s, offset);
}

/* The largest time so far never falls, so that places are in the order of both. */
struct place
segment_place_time(struct segment *s, int64_t time)
{
	struct place best = { 0, s->base, INT64_MIN };
	int64_t lo = s->base, hi = s->n_fresh > 0 ? s->fresh[0].offset : s->end;
	size_t i = 0;

	while (i < s->n_fresh && s->fresh[i].max_time < time)
		i++;
	if (i > 0)
		return fresh_place(s, i - 1);
	while (lo < hi) {
		int64_t mid = lo + (hi - lo) / 2;
		struct place place = indexed_place(s, mid);

		if (place.max_time < time) {
			best = place;
			lo = mid + 1;
		} else
			hi = place.offset;
	}
	return best;
}

/* ---- walking ---- */

void
segment_walk(struct segment_walk *w, struct segment *s, struct place from, int64_t to, bool near)
{
	*w = (struct segment_walk){ .segment = s, .pos = from.pos, .to = to, .offset = from.offset,
		.near = near };
}

void
segment_walk_done(struct segment_walk *w)
{
	free(w->chunk);
	w->chunk = NULL;
}

/*
 * The bytes at [pos, pos + n), read together with some that follow.  NULL with
 * errno: the disk failed or is awaited; NULL with errno 0: the file ends before.
 */
static const uint8_t *
need(struct segment_walk *w, int64_t pos, size_t n)
{
	size_t step = w->near ? STEP_NEAR : STEP_FAR, want;
	int64_t got;

	if (pos >= w->chunk_pos && (size_t)(pos - w->chunk_pos) <= w->n &&
	    n <= w->n - (size_t)(pos - w->chunk_pos))
		return w->chunk + (pos - w->chunk_pos);
	want = n > step ? n : step;
	if ((int64_t)want > w->to - pos)
		want = (size_t)(w->to - pos);
	if (want > w->cap) {
		free(w->chunk);
		w->chunk = xmalloc(want);
		w->cap = want;
	}
	w->n = 0;
	got = w->nowait ? file_read_nowait(w->segment->fd, w->chunk, want, pos) :
	    file_read(w->segment->fd, w->chunk, want, pos);
	if (got == -1)
		return NULL;
	w->chunk_pos = pos;
	w->n = (size_t)got;
	if (n > w->n) {
		errno = w->nowait ? EAGAIN : 0;
		return NULL;
	}
	return w->chunk;
}

/* Whether a whole, undamaged batch of this segment begins at `pos`. */
static enum walked
batch_at(struct segment_walk *w, int64_t pos, bool follows)
{
	struct batch b;
	const uint8_t *p;

	if (w->to - pos < BATCH_HEADER)
		return WALK_DAMAGED;
	if ((p = need(w, pos, BATCH_HEADER)) == NULL)
		return errno == 0 ? WALK_DAMAGED : WALK_FAILED;
	if (!batch_header(&b, span_of(p, BATCH_HEADER)) || b.leader_epoch != w->segment->epoch ||
	    (int64_t)b.size > w->to - pos || b.last_offset_delta < 0 ||
	    (follows ? b.base_offset != w->offset : b.base_offset < w->offset ||
	    b.base_offset - w->offset > INT32_MAX))
		return WALK_DAMAGED;
	/* A header that is wrong about its offsets would lead astray. */
	if ((p = need(w, pos, b.size)) == NULL)
		return errno == 0 ? WALK_DAMAGED : WALK_FAILED;
	if (!batch_crc_ok(&b, p))
		return WALK_DAMAGED;
	w->bytes = p;
	w->batch = b;
	w->at = pos;
	w->skipped = !follows;
	w->pos = pos + (int64_t)b.size;
	w->offset = batch_last_offset(&b) + 1;
	return WALK_BATCH;
}

enum walked
segment_walk_next(struct segment_walk *w)
{
	return w->pos >= w->to ? WALK_END : batch_at(w, w->pos, true);
}

/*
 * What lies inside of a damaged batch are a producer's bytes, which may look like
 * a batch that would fit.  So first its own word for its length is believed, if
 * that leads to a batch, or to the end; or by way of others that are damaged.
 */
static enum walked
behind_claimed_length(struct segment_walk *w)
{
	int64_t pos = w->pos;
	const uint8_t *p;
	struct batch b;

	while (w->to - pos >= BATCH_HEADER) {
		enum walked found;

		if ((p = need(w, pos, BATCH_HEADER)) == NULL)
			return errno == 0 ? WALK_DAMAGED : WALK_FAILED;
		if (!batch_claims(&b, span_of(p, BATCH_HEADER)) || (int64_t)b.size > w->to - pos ||
		    (pos > w->pos && (b.leader_epoch != w->segment->epoch || b.base_offset < w->offset)))
			return WALK_DAMAGED;
		pos += (int64_t)b.size;
		if (pos == w->to)
			return WALK_END;
		if ((found = batch_at(w, pos, false)) != WALK_DAMAGED)
			return found;
	}
	return WALK_DAMAGED;
}

/* Where the length is damaged, too, each place is tried. */
enum walked
segment_walk_resync(struct segment_walk *w)
{
	enum walked behind = behind_claimed_length(w);

	if (behind != WALK_DAMAGED)
		return behind;
	for (int64_t pos = w->pos + 1; w->to - pos >= BATCH_HEADER; pos++) {
		enum walked found = batch_at(w, pos, false);

		if (found != WALK_DAMAGED)
			return found;
	}
	return WALK_END;
}
