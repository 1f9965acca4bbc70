/*
 * read.c -- finding and reading batches.
 *
 * What the page cache holds is read within the call; what the disk must be
 * waited for, on a thread.  Both run the same code.  A batch is checked before
 * it is handed out, each time: it may have come from the disk.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/store_internal.h"

struct segment *
partition_segment(const struct partition *p, int64_t offset)
{
	size_t lo = 0, hi = p->n_segments;

	/* The last one whose base is at or below the offset. */
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (p->segments[mid]->base <= offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo > 0 && offset < p->segments[lo - 1]->end)
		return p->segments[lo - 1];
	/* Those that only skip offsets hold nothing. */
	while (lo < p->n_segments && p->segments[lo]->size == 0)
		lo++;
	return lo < p->n_segments ? p->segments[lo] : NULL;
}

/* Finds where the batch with r->offset begins. */
static enum store_error
seek(struct partition_read *r, bool nowait)
{
	struct segment_walk w;
	enum walked found;
	enum store_error error = STORE_OK;

	segment_walk(&w, r->segment, (struct place){ .pos = r->pos, .offset = r->expected }, r->file_end, true);
	w.nowait = nowait;
	do {
		found = segment_walk_next(&w);
		if (found == WALK_DAMAGED)
			found = segment_walk_resync(&w);
	} while (found == WALK_BATCH && w.offset <= r->offset);
	if (found == WALK_BATCH && w.batch.base_offset > r->offset)
		error = STORE_CORRUPT_MESSAGE; /* it was in what is damaged */
	else if (found == WALK_BATCH) {
		r->pos = w.at;
		r->expected = w.batch.base_offset;
		r->at_batch = true;
	} else
		error = found == WALK_FAILED ? STORE_DISK : STORE_CORRUPT_MESSAGE;
	segment_walk_done(&w);
	return error;
}

static int64_t
fill(struct partition_read *r, size_t have, size_t want, bool nowait)
{
	int fd = r->segment->fd;
	int64_t pos = r->pos + (int64_t)have;

	return nowait ? file_read_nowait(fd, r->bytes + have, want - have, pos) :
	    file_read(fd, r->bytes + have, want - have, pos);
}

/* How many of the `have` bytes are whole, undamaged batches that may be shown. */
static size_t
take_batches(struct partition_read *r, size_t have, size_t *first_size)
{
	int64_t offset = r->expected;
	size_t n = 0;
	struct batch b;

	*first_size = 0;
	while (batch_header(&b, span_of(r->bytes + n, have - n))) {
		if (b.base_offset != offset || b.leader_epoch != r->segment->epoch ||
		    b.last_offset_delta < 0 || offset >= r->limit_offset ||
		    (int64_t)b.size > r->file_end - r->pos - (int64_t)n)
			break;
		if (n == 0)
			*first_size = b.size;
		if (b.size > have - n)
			break;
		if (!batch_crc_ok(&b, r->bytes + n)) {
			*first_size = n == 0 ? 0 : *first_size;
			break;
		}
		n += b.size;
		offset = batch_last_offset(&b) + 1;
	}
	r->next_offset = offset;
	return n;
}

/*
 * Reads from r->pos, where a batch begins.  STORE_DISK with EAGAIN: the disk
 * must be waited for.
 */
static enum store_error
read_batches(struct partition_read *r, bool nowait)
{
	size_t left = (size_t)(r->file_end - r->pos), want = r->max_bytes < left ? r->max_bytes : left;
	size_t first, n = 0;
	int64_t got;

	if (want < BATCH_HEADER && r->at_least_one)
		want = left < BATCH_HEADER ? left : BATCH_HEADER;
	if (want < BATCH_HEADER && want < left)
		return STORE_OK; /* no batch is so small */
	r->bytes = xmalloc(want);
	if ((got = fill(r, 0, want, nowait)) == -1)
		return STORE_DISK;
	n = take_batches(r, (size_t)got, &first);
	/* What is at hand ends within the first batch. */
	if (n == 0 && nowait && (size_t)got < want && (got < BATCH_HEADER || first > (size_t)got)) {
		errno = EAGAIN;
		return STORE_DISK;
	}
	if (n == 0 && first > want && r->at_least_one) {
		r->bytes = xrealloc(r->bytes, first);
		int64_t more = fill(r, (size_t)got, first, nowait);

		if (more == -1)
			return STORE_DISK;
		if (nowait && (size_t)(got + more) < first) {
			errno = EAGAIN;
			return STORE_DISK;
		}
		n = take_batches(r, (size_t)(got + more), &first);
	}
	r->n = n;
	/* Nothing, although a whole batch was at hand: it is damaged. */
	return n == 0 && (first == 0 || first <= want || r->at_least_one) ?
	    STORE_CORRUPT_MESSAGE : STORE_OK;
}

/*
 * Goes past batches without records, which compaction leaves: some clients take an
 * answer of nothing else for the end of the log.  Where nothing else is left, they are
 * the answer all the same, for a reader that has them is at the end.
 */
static enum store_error
pass_empty(struct partition_read *r, bool nowait)
{
	struct segment_walk w;
	enum store_error error = STORE_OK;
	enum walked found;

	segment_walk(&w, r->segment, (struct place){ .pos = r->pos, .offset = r->expected }, r->file_end, true);
	w.nowait = nowait;
	while ((found = segment_walk_next(&w)) == WALK_BATCH && w.batch.count == 0 && w.offset < r->limit_offset)
		;
	if (found == WALK_FAILED)
		error = STORE_DISK;
	else if (found == WALK_BATCH && w.batch.count > 0 && w.batch.base_offset < r->limit_offset) {
		r->pos = w.at;
		r->expected = w.batch.base_offset;
	} else
		r->passed = found == WALK_END && r->more;
	segment_walk_done(&w);
	return error;
}

static enum store_error
read_all(struct partition_read *r, bool nowait)
{
	enum store_error error;

	/* Nothing lies between two segments, and what follows can't be seen yet. */
	if (r->expected >= r->limit_offset)
		return STORE_OK;
	error = r->at_batch ? STORE_OK : seek(r, nowait);
	if (error == STORE_OK && r->segment->generation > 0)
		error = pass_empty(r, nowait);
	return error == STORE_OK && !r->passed ? read_batches(r, nowait) : error;
}

/* On a reader's thread. */
static void
run_read(struct job *job)
{
	struct partition_read *r = container_of(job, struct partition_read, job);

	errno = 0;
	r->error = read_all(r, false);
	if (r->error == STORE_DISK)
		diag_error("segment can't be read", "error=\"%s\"", strerror(errno));
}

/* What has become of the read: keeps the bytes or lets them go, remembers where it ended. */
static void
settle(struct partition *p, struct partition_read *r)
{
	struct store *store = p->store;

	if (r->error == STORE_CORRUPT_MESSAGE) {
		char path[4096];

		segment_path(r->segment, path, sizeof path);
		stat_add(&store->stats.corrupt_batches, 1);
		diag_error("damaged batch", "path=%s offset=%lld pos=%lld", path,
		    (long long)r->offset, (long long)r->pos);
	}
	if (r->error != STORE_OK || r->n == 0) {
		free(r->bytes);
		r->bytes = NULL;
		r->n = 0;
		r->next_offset = r->offset;
		return;
	}
	p->hint_segment = r->segment->doomed ? NULL : r->segment;
	p->hint_offset = r->next_offset;
	p->hint_pos = r->pos + (int64_t)r->n;
	stat_add(&store->stats.reads, 1);
	stat_add(&store->stats.read_bytes, r->n);
}

static void read_done(struct job *);

/* Makes ready to read from a segment that holds the offset, or lies behind it. */
static void
aim(struct partition *p, struct partition_read *r, struct segment *s, int64_t offset)
{
	struct place place;

	r->segment = s;
	r->file_end = s->size;
	r->more = s->end < r->limit_offset;
	r->passed = false;
	r->at_batch = p->hint_segment == s && p->hint_offset == offset;
	if (r->at_batch)
		place = (struct place){ .pos = p->hint_pos, .offset = p->hint_offset };
	else
		place = segment_place_offset(s, offset < s->base ? s->base : offset);
	r->pos = place.pos;
	r->expected = place.offset;
	if (offset <= s->base)
		r->at_batch = true; /* its first batch: also between two segments */
}

/* Reads from `offset` on, through segments that hold nothing.  False: the disk is awaited. */
static bool
read_from(struct partition *p, struct partition_read *r, int64_t offset)
{
	do {
		struct segment *s = partition_segment(p, offset);

		must(s != NULL); /* below the high watermark there are records */
		if (segment_fd(s) == -1) {
			diag_error("segment can't be opened", "error=\"%s\"", strerror(errno));
			r->error = STORE_DISK;
			return true;
		}
		aim(p, r, s, offset);
		errno = 0;
		r->error = read_all(r, true);
		if (r->error == STORE_DISK && errno == EAGAIN) {
			free(r->bytes);
			r->bytes = NULL;
			r->job = (struct job){ .run = run_read, .done = read_done };
			segment_use(s);
			p->jobs++;
			p->store->jobs++;
			stat_add(&p->store->stats.reads_cold, 1);
			workers_submit(p->store->readers, &r->job);
			return false;
		}
		offset = s->end;
	} while (r->error == STORE_OK && r->passed);
	settle(p, r);
	return true;
}

/* Goes on where a thread has read.  True: it is over. */
static bool
resume(struct partition *p, struct partition_read *r)
{
	if (p->deleted)
		r->error = STORE_GONE;
	else if (r->offset < p->log_start)
		r->error = STORE_OFFSET_OUT_OF_RANGE;
	else if (r->segment->doomed) {
		/* Compacted meanwhile: of what was aborted in it nobody knows any more that it was. */
		free(r->bytes);
		r->bytes = NULL;
		r->n = 0;
		return read_from(p, r, r->offset);
	}
	if (r->error == STORE_OK && r->passed)
		return read_from(p, r, r->segment->end);
	settle(p, r);
	return true;
}

static void
read_done(struct job *job)
{
	struct partition_read *r = container_of(job, struct partition_read, job);
	struct partition *p = r->partition;
	struct segment *s = r->segment;
	bool over;

	p->store->jobs--;
	over = resume(p, r);
	segment_unuse(s);
	partition_release(p);
	if (over)
		r->done(r);
}

bool
partition_read(struct partition *p, struct partition_read *r)
{
	r->bytes = NULL;
	r->n = 0;
	r->next_offset = r->offset;
	r->partition = p;
	r->limit_offset = r->committed ? partition_last_stable(p) : p->high_watermark;
	r->error = STORE_OK;
	if (p->deleted)
		r->error = STORE_GONE;
	else if (r->offset < p->log_start || r->offset > p->end)
		r->error = STORE_OFFSET_OUT_OF_RANGE;
	if (r->error != STORE_OK || r->offset >= r->limit_offset ||
	    (r->max_bytes == 0 && !r->at_least_one))
		return true;
	return read_from(p, r, r->offset);
}

int64_t
partition_readable(struct partition *p, int64_t offset, bool committed, int64_t enough)
{
	int64_t n = 0;
	size_t i;

	if (offset >= (committed ? partition_last_stable(p) : p->high_watermark))
		return 0;
	for (i = p->n_segments; i > 0 && n < enough; i--) {
		struct segment *s = p->segments[i - 1];

		if (s->base > offset) {
			n += s->size;
			continue;
		}
		if (p->hint_segment == s && p->hint_offset == offset)
			n += s->size - p->hint_pos;
		else
			n += s->size - segment_place_offset(s, offset).pos;
		break;
	}
	return n;
}
