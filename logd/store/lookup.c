/*
 * lookup.c -- finding records by time, and epochs.
 *
 * The loop says from the index where to look; a thread looks: it reads batches
 * and inflates them, each once.  The header of a batch says the largest time in
 * it, the index the largest before a place, and the segment the largest of all,
 * so that one batch is looked into, and another where the log start lies within
 * it.
 *
 * The largest time that can be seen is, in segments that can be seen whole, what
 * they say.  In others, it is measured: up to the high watermark, and from the
 * log start.  Then it is looked for like any other.
 */
#include <errno.h>

#include "base/diag.h"
#include "store/store_internal.h"

static bool
has_visible(const struct partition_lookup *l, const struct segment *s)
{
	return s->size > 0 && s->end > l->log_start && s->base < l->limit_offset;
}

/* ---- on a thread ---- */

/* Whether some of the batch can be seen, and some not: it begins below the log start. */
static bool
straddles(const struct partition_lookup *l, const struct batch *b)
{
	return b->base_offset < l->log_start && batch_last_offset(b) >= l->log_start;
}

/* The next batch; damage is stepped over. */
static enum walked
next_batch(struct segment_walk *w)
{
	enum walked walked = segment_walk_next(w);

	return walked == WALK_DAMAGED ? segment_walk_resync(w) : walked;
}

/* The first record of the batch at or behind the log start whose time is l->time or later. */
static bool
find_in_batch(struct partition_lookup *l, const struct segment_walk *w)
{
	struct record_walk walk;
	struct record r;
	bool found = false;

	record_walk(&walk, &w->batch, w->bytes, BATCH_INFLATED_MAX);
	while (!found && record_next(&walk, &r))
		if (r.timestamp >= l->time && r.offset >= l->log_start) {
			l->offset = r.offset;
			l->timestamp = r.timestamp;
			found = true;
		}
	record_done(&walk);
	return found;
}

static enum walked
find(struct partition_lookup *l)
{
	struct segment_walk w;
	enum walked walked;

	segment_walk(&w, l->segment, l->from, l->to, true);
	while ((walked = next_batch(&w)) == WALK_BATCH && w.batch.base_offset < l->limit_offset)
		if (batch_last_offset(&w.batch) >= l->log_start && w.batch.max_timestamp >= l->time &&
		    find_in_batch(l, &w))
			break;
	segment_walk_done(&w);
	return walked;
}

static int64_t
max_in_batch(const struct partition_lookup *l, const struct segment_walk *w)
{
	struct record_walk walk;
	int64_t max = INT64_MIN;
	struct record r;

	record_walk(&walk, &w->batch, w->bytes, BATCH_INFLATED_MAX);
	while (record_next(&walk, &r))
		if (r.offset >= l->log_start && r.timestamp > max)
			max = r.timestamp;
	record_done(&walk);
	return max;
}

/* Raises *max to the largest time of the batches from the place on, below an offset. */
static enum walked
measure_to(const struct partition_lookup *l, struct place from, int64_t limit, int64_t *max)
{
	struct segment_walk w;
	enum walked walked;

	segment_walk(&w, l->segment, from, l->to, true);
	while ((walked = next_batch(&w)) == WALK_BATCH && w.batch.base_offset < limit)
		if (w.batch.max_timestamp > *max)
			*max = w.batch.max_timestamp;
	segment_walk_done(&w);
	return walked;
}

/* The same for what can be seen, from the log start on. */
static enum walked
measure_all(const struct partition_lookup *l, int64_t *max)
{
	struct segment_walk w;
	enum walked walked;

	*max = INT64_MIN;
	segment_walk(&w, l->segment, l->from, l->to, false);
	while ((walked = next_batch(&w)) == WALK_BATCH && w.batch.base_offset < l->limit_offset) {
		int64_t time = w.batch.max_timestamp;

		if (batch_last_offset(&w.batch) < l->log_start || time <= *max)
			continue;
		if (straddles(l, &w.batch))
			time = max_in_batch(l, &w);
		*max = time > *max ? time : *max;
	}
	segment_walk_done(&w);
	return walked;
}

/*
 * Times mostly rise, so that the largest lies behind what was cut, and two short
 * walks tell.  Where it is one that was cut, all that follows has to be read.
 */
static enum walked
measure(struct partition_lookup *l)
{
	int64_t max = l->near_end.max_time, cut = l->from.max_time;
	enum walked walked = measure_to(l, l->near_end, l->limit_offset, &max);

	if (walked != WALK_FAILED && l->log_start > l->segment->base)
		walked = measure_to(l, l->from, l->log_start, &cut);
	if (walked != WALK_FAILED && l->log_start > l->segment->base && max <= cut)
		walked = measure_all(l, &max);
	if (max > l->time)
		l->time = max;
	return walked;
}

static void
run_lookup(struct job *job)
{
	struct partition_lookup *l = container_of(job, struct partition_lookup, job);

	errno = 0;
	if ((l->measuring ? measure(l) : find(l)) == WALK_FAILED) {
		l->error = STORE_DISK;
		diag_error("segment can't be read", "error=\"%s\"", strerror(errno));
	}
}

/* ---- on the loop ---- */

/* Whether the segment's own word for its largest time is not enough. */
static bool
is_partial(const struct partition_lookup *l, const struct segment *s)
{
	return s->base < l->log_start || s->end > l->limit_offset;
}

/* The next segment that the step under way has to look at; NULL: none. */
static struct segment *
next_segment(const struct partition_lookup *l)
{
	const struct partition *p = l->partition;

	for (size_t i = 0; i < p->n_segments; i++) {
		struct segment *s = p->segments[i];

		/* One that was compacted meanwhile may begin before what is still to be looked at. */
		if (s->end <= l->next_base || !has_visible(l, s))
			continue;
		if (l->measuring ? is_partial(l, s) && s->max_time > l->time : s->max_time >= l->time)
			return s;
	}
	return NULL;
}

static void lookup_done(struct job *);

static void
submit(struct partition_lookup *l, struct segment *s)
{
	struct partition *p = l->partition;
	struct place start = segment_place_offset(s, l->log_start > s->base ? l->log_start : s->base);

	l->segment = s;
	l->to = s->size;
	l->next_base = s->end;
	l->from = start;
	if (l->measuring)
		l->near_end = segment_place_offset(s, l->limit_offset);
	else {
		l->from = segment_place_time(s, l->time);
		if (l->from.pos < start.pos)
			l->from = start;
	}
	l->job = (struct job){ .run = run_lookup, .done = lookup_done };
	segment_use(s);
	p->jobs++;
	p->store->jobs++;
	workers_submit(p->store->checkers, &l->job);
}

/* The next step.  True: it is over; false: a thread is awaited. */
static bool
go_on(struct partition_lookup *l)
{
	struct segment *s = NULL;

	if (l->error != STORE_OK || l->offset != -1)
		return true;
	s = next_segment(l);
	if (s == NULL && l->measuring) {
		l->measuring = false;
		l->next_base = INT64_MIN;
		/* Kafka's -1 stands for no time. */
		s = l->time < 0 ? NULL : next_segment(l);
	}
	if (s == NULL)
		return true;
	if (segment_fd(s) == -1) {
		diag_error("segment can't be opened", "error=\"%s\"", strerror(errno));
		l->error = STORE_DISK;
		return true;
	}
	submit(l, s);
	return false;
}

static bool
settle(struct partition_lookup *l)
{
	if (!go_on(l))
		return false;
	if (l->error != STORE_OK || l->offset == -1)
		l->offset = l->timestamp = l->epoch = -1;
	else
		l->epoch = partition_epoch_at(l->partition, l->offset);
	return true;
}

static void
lookup_done(struct job *job)
{
	struct partition_lookup *l = container_of(job, struct partition_lookup, job);
	struct partition *p = l->partition;
	bool over;

	p->store->jobs--;
	if (p->deleted)
		l->error = STORE_GONE;
	segment_unuse(l->segment);
	over = settle(l);
	partition_release(p);
	if (over)
		l->done(l);
}

/* What the segments that can be seen whole say. */
static int64_t
largest_of_whole(const struct partition_lookup *l)
{
	int64_t max = INT64_MIN;

	for (size_t i = 0; i < l->partition->n_segments; i++) {
		const struct segment *s = l->partition->segments[i];

		if (has_visible(l, s) && !is_partial(l, s) && s->max_time > max)
			max = s->max_time;
	}
	return max;
}

bool
partition_look_up(struct partition *p, struct partition_lookup *l)
{
	l->partition = p;
	l->error = p->deleted ? STORE_GONE : STORE_OK;
	l->offset = l->timestamp = -1;
	l->log_start = p->log_start;
	l->limit_offset = l->committed ? partition_last_stable(p) : p->high_watermark;
	l->next_base = INT64_MIN;
	l->measuring = l->max_time;
	if (l->max_time)
		l->time = largest_of_whole(l);
	return settle(l);
}

/* ---- by epoch ---- */

void
partition_epoch_end(const struct partition *p, int32_t epoch, int32_t *found, int64_t *end)
{
	int32_t best = -1;
	int64_t best_end = -1;

	*found = -1;
	*end = -1;
	if (epoch < 0 || epoch > p->store->leader_epoch)
		return;
	for (size_t i = 0; i < p->n_segments; i++) {
		const struct segment *s = p->segments[i];

		if (s->epoch <= epoch) {
			best = s->epoch;
			best_end = p->end;
		} else {
			/* The first of a later epoch: there ends what was asked for. */
			best = best == -1 ? epoch : best;
			best_end = s->base;
			break;
		}
	}
	if (epoch == p->store->leader_epoch) {
		best = epoch;
		best_end = p->end;
	}
	*found = best;
	*end = best_end;
}

int32_t
partition_epoch_at(const struct partition *p, int64_t offset)
{
	const struct segment *s = partition_segment(p, offset);

	return s == NULL || offset >= p->end ? -1 : s->epoch;
}
