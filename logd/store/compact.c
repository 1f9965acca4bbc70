/* compact.c -- one pass of compaction over closed segments of a partition. */
#include "store/compact.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/keymap.h"
#include "store/store_internal.h"

enum {
	CHUNK = 1024 * 1024,            /* written at once */
	SPAN_MAX = INT32_MAX - (1 << 24) /* offsets of one file, relative to its base */
};

/* Of tombstones, in ms: 35 years, so that sums of times stay numbers for everybody. */
static const int64_t RETENTION_MAX = INT64_C(1) << 40;

/* A transaction some of whose records have stayed; its marker is still to come. */
struct open_transaction {
	uint8_t key[8]; /* the producer's id */
};

/* The file that is being written. */
struct writer {
	struct segment *segment; /* NULL: none */
	size_t first, n;         /* the inputs that it is made of */
	int fd;
	char path[PATH_MAX], tmp[PATH_MAX + 32];
	struct buf pending;      /* not written yet */
	int64_t pending_at;      /* where in the file it goes */
	int64_t gap;             /* offsets from here on were dropped; -1: none */
};

struct pass {
	struct compaction *c;
	struct keymap map;
	struct map transactions; /* struct open_transaction by id */
	struct writer w;
	const struct batch *batch; /* the one whose records are judged */
};

/* ---- what it was given ---- */

static int
by_offset(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
by_producer(const void *a, const void *b)
{
	const struct aborted *x = a, *y = b;

	if (x->producer_id != y->producer_id)
		return x->producer_id < y->producer_id ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

static bool
is_aborted(const struct compaction *c, const struct batch *b)
{
	size_t lo = 0, hi = c->n_aborted;
	struct aborted at = { b->producer_id, b->base_offset, 0 };

	if (!(b->attributes & BATCH_TRANSACTIONAL))
		return false;
	/* The last one of the producer that begins at or before the batch. */
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (by_producer(&c->aborted[mid], &at) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && c->aborted[lo - 1].producer_id == b->producer_id &&
	    b->base_offset <= c->aborted[lo - 1].last;
}

static bool
is_last_of_producer(const struct compaction *c, const struct batch *b)
{
	return b->producer_id >= 0 && c->n_last > 0 &&
	    bsearch(&b->base_offset, c->last_batches, c->n_last, sizeof *c->last_batches, by_offset) != NULL;
}

/* ---- walking an input ---- */

static bool
fail(struct compaction *c, enum compact_outcome outcome, size_t input, int error)
{
	c->outcome = outcome;
	c->failed = input;
	c->error = error;
	return false;
}

/* Hands each batch to `each`, until that says no.  False: the pass is over. */
static bool
walk_input(struct pass *p, size_t i, bool (*each)(struct pass *, const struct batch *, const uint8_t *))
{
	const struct compact_input *in = &p->c->inputs[i];
	struct segment probe = { .epoch = in->epoch };
	enum walked found = WALK_BATCH;
	struct segment_walk w;
	char path[PATH_MAX];
	bool more = true;
	int error;

	segment_path(in->segment, path, sizeof path);
	if ((probe.fd = file_open(path, FILE_READ)) == -1)
		return fail(p->c, COMPACT_FAILED, i, errno);
	segment_walk(&w, &probe, (struct place){ .offset = in->base }, in->size, false);
	while (more && (found = segment_walk_next(&w)) == WALK_BATCH) {
		if (atomic_load(&p->c->stop))
			more = fail(p->c, COMPACT_STOPPED, i, 0);
		else
			more = each(p, &w.batch, w.bytes);
	}
	error = errno;
	segment_walk_done(&w);
	file_close(probe.fd);
	p->c->read_bytes += in->size;
	if (!more)
		return false;
	if (found == WALK_FAILED)
		return fail(p->c, COMPACT_FAILED, i, error);
	/* A file of ours that says less than it should is damaged, too. */
	return found == WALK_END && w.offset == in->end ? true : fail(p->c, COMPACT_DAMAGED, i, 0);
}

/* ---- 1. the newest offset of each key ---- */

static bool
map_batch(struct pass *p, const struct batch *b, const uint8_t *bytes)
{
	struct record_walk walk;
	struct record r;
	bool room = true, broken;

	/* What was aborted displaces nothing. */
	if (b->count == 0 || (b->attributes & BATCH_CONTROL) || is_aborted(p->c, b))
		return true;
	record_walk(&walk, b, bytes, BATCH_INFLATED_MAX);
	while (room && record_next(&walk, &r))
		if (r.key.p != NULL)
			room = keymap_put(&p->map, r.key, r.offset);
	broken = room && walk.broken;
	record_done(&walk);
	if (broken)
		return fail(p->c, COMPACT_DAMAGED, 0, 0);
	return room ? true : fail(p->c, COMPACT_TOO_MANY, 0, 0);
}

/*
 * Maps what is dirty, as far as the memory goes; *end: behind the last input that is
 * mapped whole.  What is mapped of the next one makes what is before it superfluous
 * all the same.
 */
static bool
map_keys(struct pass *p, size_t *end)
{
	struct compaction *c = p->c;
	int64_t keys = 0;

	for (size_t i = c->dirty; i < c->n; i++)
		keys += c->inputs[i].end - c->inputs[i].base;
	if (!keymap_init(&p->map, keys, c->map_bytes))
		return fail(c, COMPACT_FAILED, c->dirty, ENOMEM);
	for (*end = c->dirty; *end < c->n; (*end)++)
		if (c->inputs[*end].size > 0 && !walk_input(p, *end, map_batch)) {
			c->failed = *end;
			if (c->outcome != COMPACT_TOO_MANY || *end == c->dirty)
				return false;
			c->outcome = COMPACT_DONE;
			break;
		}
	return true;
}

/* ---- 2. writing ---- */

static bool
write_failed(struct pass *p, int error)
{
	return fail(p->c, COMPACT_FAILED, p->w.first, error);
}

static bool
flush(struct pass *p)
{
	struct writer *w = &p->w;

	if (w->pending.failed)
		return write_failed(p, ENOMEM);
	if (file_write(w->fd, w->pending.p, w->pending.n, w->pending_at) == -1)
		return write_failed(p, errno);
	w->pending_at += (int64_t)w->pending.n;
	p->c->written_bytes += (int64_t)w->pending.n;
	buf_reset(&w->pending);
	return true;
}

/* The batch that lies from `at` on in what is pending is whole. */
static bool
note(struct pass *p, size_t at)
{
	struct writer *w = &p->w;
	struct batch b;

	if (w->pending.failed)
		return write_failed(p, ENOMEM);
	must(batch_header(&b, span_of(w->pending.p + at, w->pending.n - at)));
	segment_note(w->segment, &b, w->pending_at + (int64_t)at);
	return w->pending.n < CHUNK || flush(p);
}

/* One empty batch for all offsets that were dropped: no batch begins elsewhere than the last one ended. */
static bool
close_gap(struct pass *p, int64_t to)
{
	struct writer *w = &p->w;
	size_t at = w->pending.n;
	int64_t from = w->gap;

	if (from == -1)
		return true;
	w->gap = -1;
	batch_put_empty(&w->pending, from, to - 1, w->segment->epoch, NULL);
	return note(p, at);
}

static bool
begin_output(struct pass *p, size_t first)
{
	struct writer *w = &p->w;
	const struct compact_input *in = &p->c->inputs[first];

	/* Whatever is dropped of it, one batch is to stand for it. */
	if (in->end - in->base > INT32_MAX)
		return fail(p->c, COMPACT_DAMAGED, first, 0);
	*w = (struct writer){ .pending = w->pending, .first = first, .gap = -1, .fd = -1 };
	buf_reset(&w->pending);
	w->segment = segment_new(p->c->partition, in->base, in->epoch);
	w->segment->begun_ms = in->begun_ms;
	return true;
}

/* Its name tells up to where it goes and what it replaces, so it is known at the end only. */
static bool
open_output(struct pass *p)
{
	struct writer *w = &p->w;
	char folder[PATH_MAX];

	partition_folder(p->c->partition, folder, sizeof folder);
	snprintf(w->tmp, sizeof w->tmp, "%s/%020lld.tmp", folder, (long long)w->segment->base);
	w->fd = file_open(w->tmp, FILE_CREATE);
	if (w->fd == -1)
		return write_failed(p, errno);
	/* One that an earlier pass left may be longer. */
	return file_truncate(w->fd, 0) == 0 ? true : write_failed(p, errno);
}

static void
drop_output(struct pass *p)
{
	struct writer *w = &p->w;

	if (w->segment == NULL)
		return;
	if (w->fd != -1) {
		file_close(w->fd);
		file_unlink(w->tmp);
	}
	segment_free(w->segment);
	w->segment = NULL;
}

static void
add_output(struct pass *p)
{
	struct compaction *c = p->c;

	c->outputs = xrealloc(c->outputs, (c->n_outputs + 1) * sizeof *c->outputs);
	c->outputs[c->n_outputs++] = (struct compact_output){ p->w.first, p->w.n, p->w.segment };
	p->w.segment = NULL;
}

/* Complete, durable, and then by its name in the place of its inputs. */
static bool
end_output(struct pass *p)
{
	struct writer *w = &p->w;
	struct segment *s = w->segment;
	const struct compact_input *in = p->c->inputs;
	int64_t end;
	char folder[PATH_MAX];

	if (s == NULL)
		return true;
	end = in[w->first + w->n - 1].end;
	if (!close_gap(p, end) || !flush(p))
		return false;
	must(s->end == end);
	for (size_t i = w->first; i < w->first + w->n; i++)
		if (in[i].generation >= s->generation)
			s->generation = in[i].generation + 1;
	s->until = end;
	if (file_sync(w->fd) == -1)
		return write_failed(p, errno);
	segment_path(s, w->path, sizeof w->path);
	if (file_rename(w->tmp, w->path) == -1)
		return write_failed(p, errno);
	file_close(w->fd);
	w->fd = -1;
	partition_folder(p->c->partition, folder, sizeof folder);
	/*
	 * Not known to be durable, it takes no place while we live, nor does another
	 * of its offsets; a start may find either.
	 */
	if (file_sync_dir(folder) == -1)
		return write_failed(p, EIO);
	s->synced = s->size;
	s->named = true;
	add_output(p);
	return true;
}

/* Whether the file that is being written can go on with this input. */
static bool
continues(const struct pass *p, size_t i)
{
	const struct writer *w = &p->w;
	const struct compact_input *in = &p->c->inputs[i], *last;

	if (w->segment == NULL)
		return false;
	last = &p->c->inputs[i - 1];
	return in->epoch == last->epoch && in->base == last->end &&
	    in->end - w->segment->base <= SPAN_MAX &&
	    w->pending_at + (int64_t)w->pending.n + in->size <= p->c->segment_bytes;
}

/* ---- what stays ---- */

static bool
stays(void *ctx, const struct record *r)
{
	const struct pass *p = ctx;

	if (p->batch->attributes & BATCH_CONTROL)
		return true;
	/* Nobody can say which record of no key is the newest: such are from before the topic was compacted. */
	if (r->key.p == NULL || keymap_get(&p->map, r->key) > r->offset)
		return false;
	return r->value.p != NULL || p->c->now_ms < batch_horizon(p->batch);
}

static void
note_transaction(struct pass *p, int64_t producer_id)
{
	struct open_transaction *t;
	uint8_t key[8];

	store64(key, (uint64_t)producer_id);
	if (map_get(&p->transactions, span_of(key, sizeof key)) != NULL)
		return;
	t = xcalloc(1, sizeof *t);
	memcpy(t->key, key, sizeof key);
	must_fit(map_put(&p->transactions, span_of(t->key, sizeof t->key), t));
}

/* Its marker has come: whether records of it are left before. */
static bool
end_transaction(struct pass *p, int64_t producer_id)
{
	struct open_transaction *t;
	uint8_t key[8];

	store64(key, (uint64_t)producer_id);
	t = map_del(&p->transactions, span_of(key, sizeof key));
	free(t);
	return t != NULL;
}

static bool
copy(struct pass *p, const struct batch *b, const uint8_t *bytes)
{
	size_t at;

	if (!close_gap(p, b->base_offset))
		return false;
	at = p->w.pending.n;
	buf_put(&p->w.pending, bytes, b->size);
	return note(p, at);
}

/* No record is left.  A producer that goes on needs its last sequence. */
static bool
drop(struct pass *p, const struct batch *b)
{
	size_t at;

	if (!is_last_of_producer(p->c, b)) {
		if (p->w.gap == -1)
			p->w.gap = b->base_offset;
		return true;
	}
	if (!close_gap(p, b->base_offset))
		return false;
	at = p->w.pending.n;
	batch_put_empty(&p->w.pending, b->base_offset, batch_last_offset(b), b->leader_epoch, b);
	return note(p, at);
}

static bool
rewrite(struct pass *p, const struct batch *b, const uint8_t *bytes)
{
	struct batch_rewrite rules = { stays, p, p->c->now_ms +
	    (p->c->delete_retention_ms < RETENTION_MAX ? p->c->delete_retention_ms : RETENTION_MAX) };
	struct buf changed = { 0 };
	bool ok;

	p->batch = b;
	switch (batch_rewrite(b, bytes, &rules, &changed)) {
	case BATCH_SAME:
		ok = copy(p, b, bytes);
		break;
	case BATCH_CHANGED:
		ok = close_gap(p, b->base_offset);
		if (ok) {
			size_t at = p->w.pending.n;

			buf_span(&p->w.pending, buf_bytes(&changed));
			ok = note(p, at);
		}
		break;
	case BATCH_EMPTY:
		return drop(p, b); /* which left no bytes */
	default:
		ok = fail(p->c, COMPACT_DAMAGED, p->w.first + p->w.n - 1, 0);
	}
	buf_done(&changed);
	if ((b->attributes & BATCH_TRANSACTIONAL) && !(b->attributes & BATCH_CONTROL))
		note_transaction(p, b->producer_id);
	return ok;
}

static bool
write_batch(struct pass *p, const struct batch *b, const uint8_t *bytes)
{
	if (!(b->attributes & BATCH_CONTROL))
		return is_aborted(p->c, b) ? drop(p, b) : rewrite(p, b, bytes);
	/* A marker is of use as long as it marks something, and to those who have read that. */
	if (end_transaction(p, b->producer_id))
		return copy(p, b, bytes);
	return p->c->now_ms >= batch_horizon(b) && !is_last_of_producer(p->c, b) ? drop(p, b) :
	    rewrite(p, b, bytes);
}

static bool
write_inputs(struct pass *p, size_t end)
{
	for (size_t i = 0; i < end; i++) {
		if (!continues(p, i)) {
			if (!end_output(p))
				return false;
			/* An empty one says where offsets were skipped; it stays as it is. */
			if (p->c->inputs[i].size == 0)
				continue;
			if (!begin_output(p, i) || !open_output(p))
				return false;
		} else if (p->c->inputs[i].size == 0) {
			if (!end_output(p))
				return false;
			continue;
		}
		p->w.n++;
		if (!walk_input(p, i, write_batch))
			return false;
	}
	return end_output(p);
}

void
compact_run(struct compaction *c)
{
	struct pass p = { .c = c };
	struct open_transaction *t;
	size_t end, it = 0;

	c->outcome = COMPACT_DONE;
	if (c->n_last > 0)
		qsort(c->last_batches, c->n_last, sizeof *c->last_batches, by_offset);
	if (c->n_aborted > 0)
		qsort(c->aborted, c->n_aborted, sizeof *c->aborted, by_producer);
	if (map_keys(&p, &end))
		write_inputs(&p, end);
	drop_output(&p);
	while ((t = map_next(&p.transactions, &it)) != NULL)
		free(t);
	map_done(&p.transactions);
	keymap_done(&p.map);
	buf_done(&p.w.pending);
}

void
compact_done(struct compaction *c)
{
	free(c->inputs);
	free(c->last_batches);
	free(c->aborted);
	free(c->outputs);
}
