/*
 * cleaner.c -- which partition is compacted, and what becomes of it.
 *
 * A round visits all partitions and measures what is dirty: closed segments that no
 * pass has seen yet.  The one with the largest part of dirty bytes goes to the thread
 * (compact.c), with all that it needs.  What comes back takes its place in one step;
 * readers of the old segments have their pins.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/compact.h"
#include "store/keymap.h"
#include "store/store_internal.h"

struct cleaning {
	struct job job;
	struct store *store;
	struct compaction pass;
};

/* ---- what is to be compacted ---- */

struct measure {
	size_t n, dirty;   /* segments that a pass may have; the first whose keys it has to map */
	int64_t clean_bytes, dirty_bytes;
	int64_t oldest_ms; /* when the first that is dirty was begun */
};

/* Closed, settled, durable, and known to the index, which knows the producers of it. */
static bool
is_ready(const struct partition *p, const struct segment *s)
{
	return s->end <= partition_settled(p) && s->named && s->recorded && s->synced == s->size &&
	    s->indexed == s->size;
}

/* Whether it holds records that are still to be left alone. */
static bool
is_young(const struct partition *p, const struct segment *s)
{
	int64_t newest = s->max_time >= 0 ? s->max_time : s->begun_ms;

	return s->size > 0 && p->config.min_compaction_lag_ms > 0 &&
	    p->store->wall_ms - newest < p->config.min_compaction_lag_ms;
}

static struct measure
measure(const struct partition *p)
{
	struct measure m = { 0 };
	bool dirty = false;

	for (; m.n + 1 < p->n_segments; m.n++) {
		const struct segment *s = p->segments[m.n];

		if (!is_ready(p, s) || is_young(p, s))
			break;
		if (!dirty && s->size > 0 && s->generation == 0) {
			dirty = true;
			m.dirty = m.n;
			m.oldest_ms = s->begun_ms;
		}
		*(dirty ? &m.dirty_bytes : &m.clean_bytes) += s->size;
	}
	return m;
}

static bool
is_late(const struct partition *p, int64_t since_ms)
{
	return since_ms > 0 && p->store->wall_ms - since_ms > p->config.max_compaction_lag_ms;
}

void
cleaner_visit(struct partition *p)
{
	struct cleaner *c = &p->store->cleaner;
	struct segment *active = partition_active(p);
	struct measure m;
	double ratio;

	if (!p->config.compacted || p->offline || p->uncleanable || active == NULL ||
	    p->too_small >= p->store->config.upkeep.cleaner_bytes)
		return;
	/* What is appended to is left alone; but not for longer than that. */
	if (active->size > 0 && is_late(p, active->begun_ms))
		partition_roll(p);
	m = measure(p);
	if (m.dirty_bytes == 0)
		return;
	ratio = (double)m.dirty_bytes / (double)(m.dirty_bytes + m.clean_bytes);
	if (is_late(p, m.oldest_ms))
		ratio += 1; /* before all that are not late */
	else if (ratio < p->config.min_dirty_ratio)
		return;
	if (c->best == NULL || ratio > c->best_ratio) {
		c->best = p;
		c->best_ratio = ratio;
	}
}

void
cleaner_forget(struct partition *p)
{
	struct cleaner *c = &p->store->cleaner;

	if (c->best == p)
		c->best = NULL;
	if (c->cleaning != NULL && c->cleaning->pass.partition == p)
		cleaner_stop(p->store);
}

void
cleaner_stop(struct store *store)
{
	if (store->cleaner.cleaning != NULL)
		atomic_store(&store->cleaner.cleaning->pass.stop, true);
}

/* ---- what comes of it ---- */

/* The index of the first of the inputs that is still there; the partition's number of segments: none. */
static size_t
find_input(const struct partition *p, const struct compact_input *in, size_t n)
{
	for (size_t i = 0; i < p->n_segments; i++)
		for (size_t k = 0; k < n; k++)
			if (p->segments[i] == in[k].segment)
				return i;
	return p->n_segments;
}

static void
discard(struct segment *s)
{
	char path[4096];

	segment_path(s, path, sizeof path);
	store_remove(s->partition->store, path, false);
	segment_free(s);
}

/* Puts a new segment in the place of those that it was made of; some may have gone at the front. */
static void
replace(struct compaction *c, const struct compact_output *out)
{
	struct partition *p = c->partition;
	struct compact_input *in = c->inputs + out->first;
	size_t at = find_input(p, in, out->n), n = 0;

	if (at == p->n_segments) {
		discard(out->segment);
		return;
	}
	for (size_t k = 0; k < out->n; k++) {
		if (at + n == p->n_segments || p->segments[at + n] != in[k].segment)
			continue;
		segment_retire(in[k].segment); /* with our pin */
		in[k].segment = NULL;
		n++;
	}
	p->segments[at] = out->segment;
	memmove(p->segments + at + 1, p->segments + at + n, (p->n_segments - at - n) * sizeof *p->segments);
	p->n_segments -= n - 1;
	p->scattered = true;
	partition_dirty(p);
}

static void
tell(struct compaction *c)
{
	struct partition *p = c->partition;
	char path[4096];

	switch (c->outcome) {
	case COMPACT_DONE:
		stat_add(&p->store->stats.compactions, 1);
		break;
	case COMPACT_STOPPED:
		break;
	case COMPACT_TOO_MANY:
		p->too_small = c->map_bytes;
		partition_folder(p, path, sizeof path);
		diag_warn("segment has too many keys to be compacted",
		    "path=%s effect=\"the partition grows\" action=\"make log.cleaner.dedupe.buffer.size larger\"", path);
		break;
	case COMPACT_DAMAGED:
		p->uncleanable = true;
		segment_path(c->inputs[c->failed].segment, path, sizeof path);
		diag_error("damaged segment can't be compacted",
		    "path=%s effect=\"the partition is not compacted until the next start\"", path);
		break;
	case COMPACT_FAILED:
		partition_folder(p, path, sizeof path);
		if (file_lacks(c->error) || c->error == ENOMEM) {
			store_tell_lack(p->store, "compaction is put off", c->error);
			break;
		}
		p->uncleanable = true;
		diag_error("compaction failed",
		    "path=%s error=\"%s\" effect=\"the partition is not compacted until the next start\"",
		    path, strerror(c->error));
		break;
	}
}

static void
cleaning_done(struct job *job)
{
	struct cleaning *x = container_of(job, struct cleaning, job);
	struct compaction *c = &x->pass;
	struct store *store = x->store;

	store->jobs--;
	store->cleaner.cleaning = NULL;
	/* At once again where there was something to do; but a lack takes a while to end. */
	store->cleaner.next_ms = store->mono_ms +
	    (c->outcome == COMPACT_DONE ? 0 : store->config.upkeep.cleaner_backoff_ms);
	stat_add(&store->stats.compacted_bytes, (uint64_t)c->read_bytes);
	stat_add(&store->stats.compacted_to_bytes, (uint64_t)c->written_bytes);
	if (!c->partition->deleted) {
		tell(c);
		/* Of these transactions no record is left: readers are not to look for their ends. */
		if (c->n_outputs > 0)
			transactions_drop_below(c->partition, c->outputs[c->n_outputs - 1].segment->end);
	}
	for (size_t i = 0; i < c->n_outputs; i++)
		if (c->partition->deleted)
			discard(c->outputs[i].segment);
		else
			replace(c, &c->outputs[i]);
	for (size_t i = 0; i < c->n; i++)
		if (c->inputs[i].segment != NULL)
			segment_unpin(c->inputs[i].segment);
	partition_release(c->partition);
	compact_done(c);
	free(x);
}

/* ---- the beginning ---- */

static void
run_cleaning(struct job *job)
{
	compact_run(&container_of(job, struct cleaning, job)->pass);
}

static void
collect_inputs(struct compaction *c, size_t n)
{
	c->inputs = xcalloc(n, sizeof *c->inputs);
	for (c->n = 0; c->n < n; c->n++) {
		struct segment *s = c->partition->segments[c->n];

		segment_pin(s);
		c->inputs[c->n] = (struct compact_input){ .segment = s, .base = s->base, .end = s->end,
			.size = s->size, .begun_ms = s->begun_ms, .epoch = s->epoch, .generation = s->generation };
	}
}

/* Where the last batch of each producer lies that is remembered; or its marker, when that is all of its epoch. */
static void
collect_producers(struct compaction *c)
{
	const struct map *producers = &c->partition->producers.by_id;
	const struct producer *p;
	size_t it = 0;

	c->last_batches = xcalloc(producers->n, sizeof *c->last_batches);
	while ((p = map_next(producers, &it)) != NULL)
		c->last_batches[c->n_last++] = p->n > 0 ? p->batches[p->n - 1].base_offset : p->end - 1;
}

void
cleaner_start(struct store *store)
{
	struct partition *p = store->cleaner.best;
	struct cleaning *x;
	struct measure m;

	store->cleaner.best = NULL;
	store->cleaner.next_ms = store->mono_ms + store->config.upkeep.cleaner_backoff_ms;
	if (p == NULL || p->offline)
		return;
	m = measure(p);
	if (m.dirty_bytes == 0)
		return;
	x = xcalloc(1, sizeof *x);
	x->job = (struct job){ .run = run_cleaning, .done = cleaning_done };
	x->store = store;
	x->pass = (struct compaction){ .partition = p, .dirty = m.dirty, .now_ms = store->wall_ms,
		.delete_retention_ms = p->config.delete_retention_ms, .segment_bytes = p->config.segment_bytes,
		.map_bytes = store->config.upkeep.cleaner_bytes };
	collect_inputs(&x->pass, m.n);
	collect_producers(&x->pass);
	x->pass.n_aborted = partition_aborted(p, 0, x->pass.inputs[m.n - 1].end, &x->pass.aborted);
	p->jobs++;
	store->jobs++;
	store->cleaner.cleaning = x;
	workers_submit(store->cleaner.workers, &x->job);
}
