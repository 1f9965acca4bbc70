/*
 * inspect_segment.c -- what a start would have of each partition, batch by batch.
 *
 * As recover.c puts a partition together, but without writing: what the index had
 * must be in the segment; behind it the journal's batch for a place goes before the
 * segment's; the first place for which there is neither is the end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "plat/file.h"
#include "store/inspect_internal.h"

/* A walk through one segment. */
struct walk {
	struct inspect *in;
	struct part *p;
	size_t i;               /* of its looks */
	const struct look *l;
	char path[PATH_MAX];
	const struct replay *y; /* what a start would replay; NULL: nothing */
	bool settled;           /* a start takes it as the index has it */
	bool verify, orphan;
	int64_t file_end;
	struct segment at;      /* up to here: size, end, max_time */
	struct place trusted;   /* it was synced up to here */
	bool told;              /* damage, behind which the largest time is not known */
	int fd;
};

static void
tell_range(const struct walk *w, enum finding_id id, int64_t pos, int64_t size, int64_t first, int64_t last)
{
	inspect_tell(w->in, &(struct finding){ .id = id, .path = w->path, .pos = pos, .size = size,
		.first = first, .last = last, .partition = &w->p->id }, NULL);
}

/* ---- against the index ---- */

static void
next_place(struct inspect *in)
{
	in->more_places = index_cursor_next(in->offsets, &in->place_key, &in->place) == INDEX_ENTRY;
}

static int
compare_place(const struct inspect *in, const uint8_t key[SEGMENT_KEY])
{
	return in->place_key.n < SEGMENT_KEY ? -1 : memcmp(in->place_key.p, key, SEGMENT_KEY);
}

static int64_t
place_offset(const struct inspect *in)
{
	return (int64_t)load64(in->place_key.p + SEGMENT_KEY);
}

/* Whether the index's next place is one of this segment. */
static bool
has_place(const struct walk *w, const uint8_t key[SEGMENT_KEY])
{
	const struct inspect *in = w->in;

	return w->verify && in->more_places && compare_place(in, key) == 0 && in->place_key.n == OFFSET_KEY &&
	    in->place.n == 16;
}

static void
look_key(const struct walk *w, const struct look *l, uint8_t key[SEGMENT_KEY])
{
	struct segment s = l->s;
	struct partition p = { 0 };

	memcpy(p.key, w->p->key, sizeof p.key);
	s.partition = &p;
	segment_key(&s, key);
}

/* Places of segments that lie before this one are of none that the index knows. */
static void
skip_places(const struct walk *w, const struct look *l)
{
	struct inspect *in = w->in;
	uint8_t key[SEGMENT_KEY];

	look_key(w, l, key);
	while (w->verify && in->more_places && (compare_place(in, key) < 0 ||
	    (compare_place(in, key) == 0 && !has_place(w, key)))) {
		inspect_tell(in, &(struct finding){ .id = FINDING_INDEX_ORPHAN, .path = in->dir, .pos = -1,
			.size = -1, .first = -1, .last = -1 }, NULL);
		next_place(in);
	}
}

/* Before the offset nothing begins that was not walked by: each place there is a wrong one. */
static void
pass_places(const struct walk *w, int64_t before)
{
	uint8_t key[SEGMENT_KEY];

	look_key(w, w->l, key);
	while (has_place(w, key) && place_offset(w->in) < before) {
		tell_range(w, FINDING_INDEX_PLACE, (int64_t)load64(w->in->place.p), -1, place_offset(w->in),
		    place_offset(w->in));
		next_place(w->in);
	}
}

/* Those of a segment that is not walked can't be judged. */
static void
drop_places(const struct walk *w, const struct look *l)
{
	uint8_t key[SEGMENT_KEY];

	if (!l->recorded)
		return;
	skip_places(w, l);
	look_key(w, l, key);
	while (has_place(w, key))
		next_place(w->in);
}

/* Nor those within damage. */
static void
ignore_places(const struct walk *w, int64_t before)
{
	uint8_t key[SEGMENT_KEY];

	look_key(w, w->l, key);
	while (has_place(w, key) && place_offset(w->in) < before)
		next_place(w->in);
}

static void
check_place(const struct walk *w, const struct batch *b)
{
	uint8_t key[SEGMENT_KEY];

	look_key(w, w->l, key);
	pass_places(w, b->base_offset);
	if (!has_place(w, key) || place_offset(w->in) != b->base_offset)
		return;
	if ((int64_t)load64(w->in->place.p) != w->at.size ||
	    (!w->told && (int64_t)load64(w->in->place.p + 8) != w->at.max_time))
		inspect_tell(w->in, &(struct finding){ .id = FINDING_INDEX_PLACE, .path = w->path, .pos = w->at.size,
			.size = (int64_t)b->size, .first = b->base_offset, .last = b->base_offset,
			.partition = &w->p->id }, "index position=%lld largest time before=%lld",
		    (long long)load64(w->in->place.p), (long long)load64(w->in->place.p + 8));
	next_place(w->in);
}

/* The segment, up to where the index has it, is as the index says. */
static void
check_record(const struct walk *w)
{
	const struct segment *has = &w->l->s;

	if (w->at.end == has->end && (w->told || w->at.max_time == has->max_time))
		return;
	inspect_tell(w->in, &(struct finding){ .id = FINDING_INDEX_SEGMENT, .path = w->path, .pos = has->size,
		.size = -1, .first = w->at.end, .last = has->end, .partition = &w->p->id },
	    "the index has end=%lld largest time=%lld, the segment end=%lld largest time=%lld",
	    (long long)has->end, (long long)has->max_time, (long long)w->at.end, (long long)w->at.max_time);
}

/* ---- batches ---- */

static void
give_records(const struct walk *w, const struct batch *b, const uint8_t *bytes)
{
	enum state_log log = (enum state_log)(w->p->id.topic[15] - 1);
	struct record_walk records;
	struct record r;

	record_walk(&records, b, bytes, BATCH_INFLATED_MAX);
	while (record_next(&records, &r))
		if (w->in->hooks.record != NULL)
			w->in->hooks.record(w->in->hooks.ctx, log, r.offset, r.key, r.value);
	if (records.broken)
		tell_range(w, FINDING_RECORD, w->at.size, (int64_t)b->size, b->base_offset, batch_last_offset(b));
	record_done(&records);
}

/* The batch is what comes at w->at. */
static void
take(struct walk *w, const struct batch *b, const uint8_t *bytes, bool journal)
{
	struct inspect_batch found = { .partition = &w->p->id, .path = w->path, .pos = w->at.size, .batch = *b,
		.bytes = bytes, .journal = journal };
	int64_t next = w->at.size + (int64_t)b->size, recorded = w->l->s.size;

	if (w->verify)
		check_place(w, b);
	if (w->verify && w->at.size < recorded && next > recorded)
		inspect_tell(w->in, &(struct finding){ .id = FINDING_INDEX_SEGMENT, .path = w->path, .pos = recorded,
			.size = -1, .first = b->base_offset, .last = batch_last_offset(b), .partition = &w->p->id },
		    "the index has it end within a batch");
	if (w->in->hooks.batch != NULL)
		w->in->hooks.batch(w->in->hooks.ctx, &found);
	if (w->p->internal && !w->p->verified)
		give_records(w, b, bytes);
	w->at.size = next;
	w->at.end = batch_last_offset(b) + 1;
	if (b->max_timestamp > w->at.max_time)
		w->at.max_time = b->max_timestamp;
	w->p->sum.batches++;
	w->p->sum.journaled += journal;
	if (w->verify && w->l->recorded && w->at.size == recorded)
		check_record(w);
}

/* ---- damage ---- */

/* A batch for this place that a start without the index would take from the journal. */
static bool
is_journaled(const struct walk *w)
{
	const struct replay *y = map_get(&w->in->replays, span_of(w->p->key, sizeof w->p->key));
	const uint8_t *bytes;
	struct batch b;

	return w->at.generation == 0 && replay_batch(y, &w->at, &b, &bytes);
}

/* From w->at to a place from which it goes on. */
static void
step_over(struct walk *w, enum finding_id id, int64_t pos, int64_t offset)
{
	struct part *p = w->p;
	struct stretch *t;
	bool journaled = id == FINDING_BATCH && is_journaled(w);

	tell_range(w, journaled ? FINDING_BATCH_JOURNALED : id, w->at.size, pos - w->at.size, w->at.end, offset - 1);
	w->in->mended += journaled;
	p->stretches = xrealloc(p->stretches, (p->n_stretches + 1) * sizeof *p->stretches);
	t = &p->stretches[p->n_stretches++];
	*t = (struct stretch){ .look = w->i, .pos = w->at.size, .size = pos - w->at.size, .first = w->at.end,
		.last = offset - 1, .journaled = journaled };
	p->sum.damaged++;
	w->told = true;
	ignore_places(w, offset);
	w->at.size = pos;
	w->at.end = offset;
}

/* As in recover.c.  WALK_DAMAGED: it goes on at w->at. */
static enum walked
find_next(struct walk *w, struct segment_walk *s)
{
	enum walked found;
	int64_t to = s->to;

	if (s->pos < w->trusted.pos)
		s->to = w->trusted.pos < to ? w->trusted.pos : to;
	else if (w->settled || w->in->index != NULL)
		return WALK_END;
	found = segment_walk_resync(s);
	s->to = to;
	if (found == WALK_BATCH)
		step_over(w, FINDING_BATCH, s->at, s->batch.base_offset);
	else if (found == WALK_END && s->pos < w->trusted.pos && w->trusted.pos <= to) {
		step_over(w, FINDING_BATCH, w->trusted.pos, w->trusted.offset);
		s->pos = w->at.size;
		s->offset = w->at.end;
		return WALK_DAMAGED;
	}
	return found;
}

/* Behind what the index has of a segment that a start does not look into. */
static void
look_behind(const struct walk *w, struct segment_walk *s)
{
	if (w->at.size >= w->file_end || !w->settled)
		return;
	if (w->in->clean && segment_walk_next(s) == WALK_BATCH)
		tell_range(w, FINDING_INDEX_BEHIND, w->at.size, w->file_end - w->at.size, w->at.end, -1);
	else
		tell_range(w, FINDING_EXTRA, w->at.size, w->file_end - w->at.size, -1, -1);
}

static bool
is_in_segment(const struct segment_walk *s, enum walked found, const struct batch *b, const uint8_t *bytes)
{
	return found == WALK_BATCH && s->batch.size == b->size && s->at + (int64_t)b->size == s->pos &&
	    !s->skipped && memcmp(s->bytes, bytes, b->size) == 0;
}

static void
tell_unreadable(const struct walk *w)
{
	inspect_tell(w->in, &(struct finding){ .id = FINDING_UNREADABLE, .path = w->path, .pos = w->at.size,
		.size = -1, .first = w->at.end, .last = -1, .partition = &w->p->id }, "%s", strerror(errno));
	w->p->sum.damaged++;
}

static void
tell_end(struct walk *w, enum walked found)
{
	if (found == WALK_FAILED)
		tell_unreadable(w);
	else if (w->at.size < w->l->s.size)
		step_over(w, FINDING_SHORT, w->at.size, w->l->s.end > w->at.end ? w->l->s.end : w->at.end);
	else if (w->at.generation > 0 && w->at.end < w->at.until)
		step_over(w, FINDING_SHORT, w->at.size, w->at.until);
	else if (!w->settled && w->at.size < w->file_end)
		tell_range(w, FINDING_TAIL, w->at.size, w->file_end - w->at.size, -1, -1);
}

static void
walk_batches(struct walk *w)
{
	struct segment_walk s;
	enum walked found = WALK_END;
	const uint8_t *bytes;
	struct batch b;

	segment_walk(&s, &w->at, (struct place){ 0, w->at.base, INT64_MIN }, w->file_end, false);
	while (!w->settled || w->at.size < w->l->s.size) {
		bool journaled = w->at.size >= w->l->s.size && replay_batch(w->at.generation > 0 ? NULL : w->y, &w->at,
		    &b, &bytes);

		found = segment_walk_next(&s);
		if (journaled && !is_in_segment(&s, found, &b, bytes)) {
			take(w, &b, bytes, true);
			s.pos = w->at.size;
			s.offset = w->at.end;
			s.to = s.pos > w->file_end ? s.pos : w->file_end;
			continue;
		}
		if (found == WALK_DAMAGED && (found = find_next(w, &s)) == WALK_DAMAGED)
			continue;
		if (found != WALK_BATCH)
			break;
		take(w, &s.batch, s.bytes, false);
	}
	tell_end(w, found);
	look_behind(w, &s);
	segment_walk_done(&s);
}

/* ---- segments ---- */

/* Reads one; where it ends, as a start would have it. */
static struct segment
walk_segment(struct walk *w, size_t i)
{
	const struct inspect *in = w->in;
	const struct look *l = w->l;

	w->i = i;
	w->told = false;
	w->at = l->s;
	w->at.size = 0;
	w->at.end = l->s.base;
	w->at.max_time = INT64_MIN;
	w->at.fd = -1;
	w->file_end = 0;
	w->settled = in->clean || (l->recorded && i + 1 < w->p->n && w->p->looks[i + 1].recorded &&
	    !w->p->looks[i + 1].superseded);
	inspect_path(in, w->p, l, w->path, sizeof w->path);
	if (l->there && ((w->at.fd = file_open(w->path, FILE_READ)) == -1 ||
	    (w->file_end = file_size(w->at.fd)) == -1)) {
		tell_unreadable(w);
		w->at.size = l->s.size;
		w->at.end = l->s.end;
		drop_places(w, l);
		return w->at;
	}
	/* What the journal has is of what a compacted one was made of; it is complete by its name. */
	w->trusted = l->s.generation > 0 ? (struct place){ .pos = w->file_end, .offset = l->s.until } :
	    replay_synced(w->y, &l->s, w->file_end);
	skip_places(w, l);
	walk_batches(w);
	pass_places(w, INT64_MAX);
	if (w->at.fd != -1)
		file_close(w->at.fd);
	w->p->sum.segments++;
	w->p->sum.bytes += w->at.size;
	return w->at;
}

/* The index has it, and the folder does not. */
static void
tell_gone(const struct walk *w, const struct look *l)
{
	char path[PATH_MAX];

	/* Files below the log start go before the index knows; so do those of a topic. */
	if (w->orphan || l->s.end <= w->p->log_start)
		return;
	inspect_path(w->in, w->p, l, path, sizeof path);
	inspect_tell(w->in, &(struct finding){ .id = FINDING_GONE, .path = path, .pos = -1, .size = l->s.size,
		.first = l->s.base, .last = l->s.end - 1, .partition = &w->p->id }, NULL);
	w->in->mended++;
	w->p->sum.damaged++;
}

/*
 * Whether a start would go on from `last` with this one.  What is missing between
 * the two is told.
 */
static bool
goes_on(const struct walk *w, const struct segment *last, const struct look *l, bool gone)
{
	bool skips = l->s.epoch > last->epoch || l->s.base <= w->p->log_start;
	char path[PATH_MAX];
	struct finding f = { .id = FINDING_GAP, .path = path, .pos = -1, .size = -1, .first = last->end,
		.last = l->s.base - 1, .partition = &w->p->id };

	inspect_path(w->in, w->p, l, path, sizeof path);
	if (l->s.base == last->end)
		return true;
	if (l->s.base < last->end && l->s.base > w->p->log_start) {
		f.id = FINDING_OVERLAP;
		f.first = l->s.base;
		f.last = last->end - 1;
	} else if (skips || gone)
		return true;
	else if (w->in->index != NULL && !l->recorded && !w->in->clean)
		f.id = FINDING_DROPPED;
	inspect_tell(w->in, &f, NULL);
	w->p->sum.damaged += f.id != FINDING_DROPPED;
	return f.id == FINDING_GAP || l->recorded;
}

/* A segment of which the journal has the first batch, and nobody the file. */
static void
insert_lost(struct walk *w, size_t i, const struct segment *lost)
{
	struct part *p = w->p;
	char path[PATH_MAX];

	p->looks = xrealloc(p->looks, (p->n + 1) * sizeof *p->looks);
	memmove(p->looks + i + 1, p->looks + i, (p->n - i) * sizeof *p->looks);
	p->n++;
	p->looks[i] = (struct look){ .s = *lost };
	p->looks[i].s.max_time = INT64_MIN;
	inspect_path(w->in, p, &p->looks[i], path, sizeof path);
	inspect_tell(w->in, &(struct finding){ .id = FINDING_RESTORED, .path = path, .pos = -1, .size = -1,
		.first = lost->base, .last = -1, .partition = &p->id }, NULL);
}

static void
tell_look(const struct walk *w, enum finding_id id, const struct look *l)
{
	char path[PATH_MAX];

	inspect_path(w->in, w->p, l, path, sizeof path);
	inspect_tell(w->in, &(struct finding){ .id = id, .path = path, .pos = -1, .size = -1,
		.first = l->s.base, .last = -1, .partition = &w->p->id }, NULL);
}

/* The next segment that a start looks at, from the i-th on; what is gone is told. */
static size_t
next_there(const struct walk *w, size_t i, bool *gone)
{
	for (*gone = false; i < w->p->n; i++) {
		const struct look *l = &w->p->looks[i];

		if (l->superseded && l->there)
			tell_look(w, FINDING_SUPERSEDED, l);
		else if (l->superseded)
			;
		else if (w->in->clean && !l->recorded)
			tell_look(w, FINDING_INDEX_LACKS, l);
		else if (!l->there && l->recorded) {
			tell_gone(w, l);
			*gone = true;
		} else
			break;
		drop_places(w, l);
	}
	return i;
}

/* Batches of the journal that no place was found for. */
static void
tell_behind(const struct walk *w, const struct segment *last)
{
	for (size_t i = 0; w->y != NULL && last->generation == 0 && i < w->y->n; i++) {
		const struct journal_entry *e = &w->y->entries[i];

		if (e->kind != JOURNAL_BATCH || e->segment_base != last->base || e->segment_epoch != last->epoch ||
		    e->pos <= last->size)
			continue;
		inspect_tell(w->in, &(struct finding){ .id = FINDING_JOURNAL_BEHIND, .path = w->path, .pos = last->size,
			.size = -1, .first = last->end, .last = -1, .partition = &w->p->id }, NULL);
		return;
	}
}

static void
walk_segments(struct walk *w)
{
	struct part *p = w->p;
	struct segment last = { 0 }, lost;
	bool gone, any = false;
	size_t i = next_there(w, 0, &gone);

	for (;; i = next_there(w, i + 1, &gone)) {
		const struct segment *next = i < p->n ? &p->looks[i].s : NULL;

		/* What the index has was durable with all before it. */
		if ((next == NULL || (any ? next->base != last.end : !p->looks[i].recorded)) &&
		    replay_lost(w->y, any ? &last : NULL, next, &lost))
			insert_lost(w, i, &lost);
		else if (next == NULL || (any && !goes_on(w, &last, &p->looks[i], gone)))
			break;
		w->l = &p->looks[i];
		last = walk_segment(w, i);
		if (!any)
			p->sum.log_start = last.base;
		any = true;
		p->sum.end = last.end;
	}
	for (; i < p->n; i++) {
		if (!p->looks[i].there && p->looks[i].recorded && !p->looks[i].superseded)
			tell_gone(w, &p->looks[i]);
		drop_places(w, &p->looks[i]);
	}
	if (any)
		tell_behind(w, &last);
	if (p->n_stretches > 0 && any)
		p->stretches[p->n_stretches - 1].last_of_all = p->stretches[p->n_stretches - 1].last + 1 == last.end;
}

/* Offsets that the journal says somebody may have seen. */
static void
tell_skipped(struct walk *w)
{
	struct part *p = w->p;

	if (w->y == NULL || w->y->reserved_to == 0 || w->y->reserved_to <= p->sum.end)
		return;
	inspect_folder(w->in, p, w->path, sizeof w->path);
	tell_range(w, FINDING_SKIPPED, -1, -1, p->sum.end, w->y->reserved_to - 1);
	if (p->sum.segments == 0)
		p->sum.log_start = w->y->reserved_to;
	p->sum.end = w->y->reserved_to;
}

void
inspect_walk(struct inspect *in, struct part *p, bool verify, bool orphan)
{
	struct walk w = { .in = in, .p = p, .verify = verify && in->index != NULL && !p->verified, .orphan = orphan };

	w.y = in->clean ? NULL : map_get(&in->replays, span_of(p->key, sizeof p->key));
	free(p->stretches);
	p->stretches = NULL;
	p->n_stretches = 0;
	p->sum = (struct inspect_partition){ .id = p->id };
	inspect_folder(in, p, w.path, sizeof w.path);
	/* After a clean end, a start does not see what the index does not have. */
	if (orphan && (!in->clean || (p->n > 0 && p->looks[0].recorded)))
		tell_range(&w, FINDING_NO_TOPIC, -1, -1, -1, -1);
	walk_segments(&w);
	tell_skipped(&w);
	if (p->log_start > p->sum.log_start)
		p->sum.log_start = p->log_start < p->sum.end ? p->log_start : p->sum.end;
}
