/* partition.c -- one partition's log: append, visibility, the front's end. */
#include "store/partition.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/must.h"
#include "base/uuid.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/keymap.h"
#include "store/store_internal.h"

/*
 * How many offsets one reservation covers.  After an unclean end a partition
 * resumes that far up at the most; a new one is made when half is used up, so
 * that producers seldom wait for it.
 */
enum { RESERVE = 1 << 17 };

struct partition *
partition_new(struct store *store, const struct partition_id *id)
{
	struct partition *p = xcalloc(1, sizeof *p);

	p->store = store;
	p->id = *id;
	partition_key(id, p->key);
	producers_init(&p->producers);
	transactions_init(&p->transactions);
	list_init(&p->waiting);
	list_init(&p->dirty);
	list_init(&p->wants_sync);
	list_init(&p->reads);
	list_init(&p->upkeep);
	list_add(&store->upkeep_queue, &p->upkeep);
	return p;
}

void
partition_free(struct partition *p)
{
	for (size_t i = 0; i < p->n_segments; i++)
		segment_free(p->segments[i]);
	list_del(&p->waiting);
	list_del(&p->dirty);
	list_del(&p->wants_sync);
	list_del(&p->upkeep);
	producers_done(&p->producers);
	transactions_done(&p->transactions);
	free(p->segments);
	free(p->marks);
	free(p);
}

void
partition_folder(const struct partition *p, char *path, size_t size)
{
	char name[UUID_TEXT + 1];

	uuid_text(p->id.topic, name);
	snprintf(path, size, "%s/logs/%s.%ld", p->store->dir, name, (long)p->id.number);
}

bool
partition_folder_parse(const char *name, struct partition_id *id)
{
	char *end;
	long number;

	if (strnlen(name, UUID_TEXT + 2) < UUID_TEXT + 2 || name[UUID_TEXT] != '.' ||
	    !uuid_parse(span_of(name, UUID_TEXT), id->topic))
		return false;
	name += UUID_TEXT + 1;
	number = strtol(name, &end, 10);
	if (*name < '0' || *name > '9' || *end != '\0' || number > INT32_MAX)
		return false;
	id->number = (int32_t)number;
	return true;
}

void
partition_configure(struct partition *p, const struct partition_config *config)
{
	p->config = *config;
}

const struct partition_id *
partition_id_of(const struct partition *p)
{
	return &p->id;
}

void
partition_set_user(struct partition *p, void *user)
{
	p->user = user;
}

void *
partition_user(const struct partition *p)
{
	return p->user;
}

int64_t
partition_log_start(const struct partition *p)
{
	return p->log_start;
}

int64_t
partition_high_watermark(const struct partition *p)
{
	return p->high_watermark;
}

int64_t
partition_log_end(const struct partition *p)
{
	return p->end;
}

int32_t
partition_leader_epoch(const struct partition *p)
{
	return p->store->leader_epoch;
}

bool
partition_online(const struct partition *p)
{
	return !p->offline;
}

int64_t
partition_settled(const struct partition *p)
{
	return partition_last_stable(p);
}

int64_t
partition_bytes(const struct partition *p)
{
	int64_t n = 0;

	for (size_t i = 0; i < p->n_segments; i++)
		n += p->segments[i]->size;
	return n;
}

struct segment *
partition_active(const struct partition *p)
{
	return p->n_segments == 0 ? NULL : p->segments[p->n_segments - 1];
}

void
partition_add_segment(struct partition *p, struct segment *s)
{
	if (p->n_segments == p->cap_segments) {
		p->cap_segments = p->cap_segments == 0 ? 2 : p->cap_segments * 2;
		p->segments = xrealloc(p->segments, p->cap_segments * sizeof(struct segment *));
	}
	p->segments[p->n_segments++] = s;
}

void
partition_dirty(struct partition *p)
{
	if (list_empty(&p->dirty))
		list_add(&p->store->dirty, &p->dirty);
}

void
partition_check(const struct partition *p)
{
	for (size_t i = 1; i < p->n_segments; i++)
		must(p->segments[i]->base >= p->segments[i - 1]->end);
	must(p->log_start <= p->high_watermark && p->high_watermark <= p->end);
	must(p->stable_end <= p->end);
	/* Without marks, only an empty segment that skips offsets may lie between. */
	must(p->n_marks > 0 || p->high_watermark == p->end || partition_active(p)->size == 0);
}

void
partition_offline(struct partition *p, const char *what, int error)
{
	char folder[PATH_MAX];

	if (p->offline)
		return;
	p->offline = p->store->offline = true;
	/* The journal has what the segments may lack; the next start puts it there. */
	journal_keep(p->store->journal);
	partition_folder(p, folder, sizeof folder);
	diag_error(what,
	    "path=%s error=\"%s\" effect=\"the partition takes no more writes\" action=\"mend the disk and start again\"",
	    folder, strerror(error));
	stat_add(&p->store->stats.partitions_offline, 1);
	partition_end_waiting(p, STORE_DISK);
	if (p->internal)
		store_fail(p->store, "an internal log failed");
}

/* ---- visibility ---- */

static struct mark *
mark_at(const struct partition *p, size_t i)
{
	return &p->marks[(p->first_mark + i) % p->cap_marks];
}

static void
add_mark(struct partition *p, const struct mark *m)
{
	if (p->n_marks == p->cap_marks) {
		size_t cap = p->cap_marks == 0 ? 4 : p->cap_marks * 2, i;
		struct mark *marks = xmalloc(cap * sizeof *marks);

		for (i = 0; i < p->n_marks; i++)
			marks[i] = *mark_at(p, i);
		free(p->marks);
		p->marks = marks;
		p->cap_marks = cap;
		p->first_mark = 0;
	}
	p->n_marks++;
	*mark_at(p, p->n_marks - 1) = *m;
	if (list_empty(&p->waiting))
		list_add(&p->store->waiting, &p->waiting);
}

static bool
fulfilled(const struct partition *p, const struct mark *m)
{
	return m->block <= journal_durable(p->store->journal) && m->stable_end <= p->stable_end;
}

static void
answer_all(struct list *answered)
{
	while (!list_empty(answered)) {
		struct append *a = list_first(answered, struct append, link);

		list_del(&a->link);
		a->done(a);
	}
}

static void
tell_visible(struct partition *p)
{
	transactions_visible(p);
	p->store->hooks.visible(p->store->hooks.ctx, p);
}

void
partition_advance(struct partition *p)
{
	int64_t before = p->high_watermark;
	struct list answered;

	list_init(&answered);
	while (p->n_marks > 0 && fulfilled(p, mark_at(p, 0))) {
		struct mark *m = mark_at(p, 0);

		p->high_watermark = m->end;
		list_add(&answered, &m->append->link);
		p->first_mark = (p->first_mark + 1) % p->cap_marks;
		p->n_marks--;
	}
	if (p->n_marks == 0)
		list_del(&p->waiting);
	if (p->high_watermark != before)
		tell_visible(p);
	answer_all(&answered);
}

/*
 * The first that has waited for this sync waits for the block as well, and so do
 * those behind it.  What makes the topic is in an earlier block, or in this one.
 */
void
partition_synced(struct partition *p, int64_t end, uint64_t block)
{
	size_t i = 0;

	while (i < p->n_marks && mark_at(p, i)->stable_end <= p->stable_end)
		i++;
	if (i < p->n_marks && mark_at(p, i)->stable_end <= end && mark_at(p, i)->block < block) {
		mark_at(p, i)->block = block;
		journal_want(p->store->journal, block);
	}
	if (end > p->stable_end)
		p->stable_end = end;
	partition_advance(p);
}

void
partition_end_waiting(struct partition *p, enum store_error error)
{
	struct list answered;

	list_init(&answered);
	for (; p->n_marks > 0; p->n_marks--) {
		struct append *a = mark_at(p, 0)->append;

		a->error = error;
		a->base_offset = -1;
		list_add(&answered, &a->link);
		p->first_mark = (p->first_mark + 1) % p->cap_marks;
	}
	list_del(&p->waiting);
	list_del(&p->wants_sync);
	answer_all(&answered);
}

/* ---- append ---- */

static uint64_t
add_reservation(struct partition *p, struct reservation *r)
{
	struct journal_entry e = { .kind = JOURNAL_RESERVE, .id = p->id };

	r->to = e.offset = p->end + RESERVE;
	r->block = journal_add(p->store->journal, &e);
	journal_want(p->store->journal, r->block);
	return r->block;
}

/*
 * The block that must be durable before offsets below p->end may be shown to
 * anybody although their records are not: 0 when it is already.
 */
static uint64_t
reserve(struct partition *p)
{
	uint64_t durable = journal_durable(p->store->journal);

	if (p->reserved_checkpoint != p->store->checkpoints) {
		p->reserved_checkpoint = p->store->checkpoints;
		p->reserved = p->reserved_next = (struct reservation){ 0 };
	}
	if (p->reserved_next.to > 0 &&
	    (p->reserved_next.block <= durable || p->end > p->reserved.to)) {
		p->reserved = p->reserved_next;
		p->reserved_next.to = 0;
	}
	if (p->end > p->reserved.to)
		add_reservation(p, &p->reserved);
	else if (p->reserved.to - p->end < RESERVE / 2 && p->reserved_next.to == 0)
		add_reservation(p, &p->reserved_next);
	return p->reserved.block <= durable ? 0 : p->reserved.block;
}

/*
 * Answers now, or when what is needed has happened and all that was appended
 * before is visible; then the high watermark is at least `end`.
 */
static bool
finish_append(struct partition *p, struct append *a, int64_t end)
{
	struct mark m = { .end = end, .append = a };

	if (a->durable) {
		m.block = p->last_block;
		m.stable_end = p->direct_end;
	} else
		m.block = reserve(p);
	a->error = STORE_OK;
	if (p->n_marks == 0 && fulfilled(p, &m)) {
		if (p->high_watermark != end) {
			p->high_watermark = end;
			tell_visible(p);
		}
		return true;
	}
	if (m.block > journal_durable(p->store->journal))
		journal_want(p->store->journal, m.block);
	if (m.stable_end > p->stable_end && list_empty(&p->wants_sync))
		list_add(&p->store->wants_sync, &p->wants_sync);
	list_init(&a->link);
	add_mark(p, &m);
	return false;
}

static bool
refuse(struct partition *p, struct append *a, enum store_error error)
{
	a->error = error;
	stat_add(&p->store->stats.appends_refused, 1);
	return true;
}

/* For compaction, which leaves the active segment alone, and has to keep all keys of another in mind. */
static bool
must_close(const struct partition *p, const struct segment *s, int64_t now_ms)
{
	const struct store_upkeep *upkeep = &p->store->config.upkeep;

	return (s->begun_ms > 0 && now_ms - s->begun_ms > p->config.max_compaction_lag_ms) ||
	    (upkeep->cleaner && p->end - s->base > keymap_keys(upkeep->cleaner_bytes) / 2);
}

static bool
must_roll(const struct partition *p, const struct segment *s, size_t n, int64_t now_ms)
{
	if (s == NULL || s->epoch != p->store->leader_epoch)
		return true;
	if (s->size == 0)
		return s->base != p->end; /* the offsets were moved up behind it */
	return s->size + (int64_t)n > p->config.segment_bytes ||
	    (s->begun_ms > 0 && now_ms - s->begun_ms > p->config.segment_ms) ||
	    p->end - s->base > INT32_MAX - (1 << 24) || (p->config.compacted && must_close(p, s, now_ms));
}

struct segment *
partition_roll(struct partition *p)
{
	struct segment *s = segment_new(p, p->end, p->store->leader_epoch);

	if (segment_create(s) == -1) {
		segment_free(s);
		return NULL;
	}
	partition_add_segment(p, s);
	partition_dirty(p);
	stat_add(&p->store->stats.segments_made, 1);
	return s;
}

/* The segment that the next batch goes to; NULL with errno. */
static struct segment *
segment_for(struct partition *p, size_t n, int64_t now_ms)
{
	struct segment *s = partition_active(p);

	if (!must_roll(p, s, n, now_ms))
		return segment_fd(s) == -1 ? NULL : s;
	return partition_roll(p);
}

/* What lacks room or descriptors refuses this batch; any other failure leaves the file unknown. */
static bool
write_failed(struct partition *p, struct append *a, int error)
{
	a->error = STORE_DISK;
	stat_add(&p->store->stats.appends_refused, 1);
	if (file_lacks(error) || error == ENOMEM)
		store_tell_lack(p->store, "appends are refused", error);
	else
		partition_offline(p, "segment write failed", error);
	return true;
}

/*
 * Puts a small batch into the journal as well; a large one only lies in its
 * segment.  Of the daemon's own state there are always two copies.
 */
static void
note_durability(struct partition *p, const struct segment *s, int64_t pos, struct span batch)
{
	struct journal_entry e = { .kind = JOURNAL_BATCH, .id = p->id, .segment_base = s->base,
		.segment_epoch = s->epoch, .pos = pos, .batch = batch };

	if (p->internal || batch.n <= (size_t)p->store->config.journal_batch_bytes_max)
		p->last_block = journal_add(p->store->journal, &e);
	else
		p->direct_end = p->end;
}

/* `marker`: what the batch says, if it is a control batch. */
static bool
append_checked(struct partition *p, struct append *a, struct batch *b, const struct batch_marker *marker)
{
	struct store *store = p->store;
	struct segment *s = segment_for(p, b->size, a->now_ms);
	int64_t pos;

	if (s == NULL)
		return write_failed(p, a, errno);
	pos = s->size;
	b->base_offset = p->end;
	batch_stamp(a->bytes, p->end, store->leader_epoch);
	if (file_write(s->fd, a->bytes, b->size, pos) == -1)
		return write_failed(p, a, errno);
	segment_note(s, b, pos);
	if (s->begun_ms == 0)
		s->begun_ms = a->now_ms;
	a->base_offset = p->end;
	p->end = s->end;
	note_durability(p, s, pos, span_of(a->bytes, b->size));
	if (marker != NULL)
		producers_note_marker(p, marker, a->base_offset, a->now_ms);
	else if (b->producer_id >= 0)
		producers_note(p, b, a->now_ms, a->append_time_ms);
	partition_dirty(p);
	store->appended_bytes += (int64_t)b->size;
	stat_add(&store->stats.appends, 1);
	stat_add(&store->stats.append_bytes, b->size);
	return finish_append(p, a, p->end);
}

bool
partition_append(struct partition *p, struct append *a)
{
	const struct partition_config *c = &p->config;
	struct producer_batch original;
	struct batch b;

	a->base_offset = a->append_time_ms = -1;
	if (p->deleted || p->offline || journal_full(p->store->journal) ||
	    (p->store->reserve.used && !p->internal)) {
		a->bad_record = -1;
		return refuse(p, a, p->deleted ? STORE_GONE : STORE_DISK);
	}
	if (!a->examined)
		examine(p, a);
	a->examined = false; /* of this batch; the struct may be used for another */
	if (a->error != STORE_OK)
		return refuse(p, a, a->error);
	must(batch_header(&b, span_of(a->bytes, a->n)));
	b.max_timestamp = a->max_timestamp;
	if (b.producer_id >= 0)
		switch (producers_check(p, &b, a->from_0, a->now_ms, &original)) {
		case SEQUENCE_DUPLICATE:
			a->base_offset = original.base_offset;
			a->append_time_ms = original.append_time;
			stat_add(&p->store->stats.duplicates, 1);
			/* The original is visible, or has its mark. */
			return finish_append(p, a, p->n_marks > 0 ?
			    mark_at(p, p->n_marks - 1)->end : p->high_watermark);
		case SEQUENCE_OUT_OF_ORDER:
			return refuse(p, a, STORE_OUT_OF_ORDER_SEQUENCE);
		case SEQUENCE_FENCED:
			return refuse(p, a, STORE_INVALID_PRODUCER_EPOCH);
		case SEQUENCE_OUTSIDE:
			return refuse(p, a, STORE_INVALID_TXN_STATE);
		case SEQUENCE_NEXT:
			break;
		}
	if (c->log_append_time) {
		batch_stamp_time(a->bytes, b.size, a->now_ms);
		batch_header(&b, span_of(a->bytes, a->n));
		a->append_time_ms = a->now_ms;
	} else if (batch_max_time(a->bytes) != b.max_timestamp)
		batch_stamp_max_time(a->bytes, b.size, b.max_timestamp);
	return append_checked(p, a, &b, NULL);
}

bool
partition_end_transaction(struct partition *p, const struct batch_marker *marker, struct append *a)
{
	struct buf bytes = { 0 };
	struct batch b;
	bool over;

	a->base_offset = a->append_time_ms = a->bad_record = -1;
	a->error = STORE_OK;
	if (p->deleted || p->offline || journal_full(p->store->journal))
		return refuse(p, a, p->deleted ? STORE_GONE : STORE_DISK);
	if (producers_open(p, marker->producer_id) == NULL)
		return true;
	batch_marker_write(marker, a->now_ms, &bytes);
	must_fit(!bytes.failed);
	must(batch_header(&b, buf_bytes(&bytes)));
	a->bytes = bytes.p;
	a->n = bytes.n;
	a->durable = true;
	over = append_checked(p, a, &b, marker);
	buf_done(&bytes);
	return over;
}

/* ---- the front ---- */

void
partition_doom(struct partition *p, size_t from, size_t to)
{
	/* A partition that never had a record has no array of segments. */
	if (from == to)
		return;
	for (size_t i = from; i < to; i++)
		segment_doom(p->segments[i]);
	memmove(p->segments + from, p->segments + to, (p->n_segments - to) * sizeof(struct segment *));
	p->n_segments -= to - from;
}

void
partition_drop_below(struct partition *p, int64_t log_start)
{
	size_t n = 0;

	if (log_start > p->log_start) {
		p->log_start = log_start;
		/* Whoever waits below it is to be told. */
		p->store->hooks.visible(p->store->hooks.ctx, p);
	}
	/*
	 * Only what the index has goes, for it knows the producers of it; and one
	 * stays whose name survives a power cut, for it says where the log goes on.
	 * The others follow when that is so (sync.c).
	 */
	while (n + 1 < p->n_segments && p->segments[n + 1]->base <= p->log_start &&
	    p->segments[n]->indexed == p->segments[n]->size && p->segments[n + 1]->named)
		n++;
	if (n == 0)
		return;
	partition_doom(p, 0, n);
	transactions_drop_below(p, p->log_start);
	partition_dirty(p);
}

/* The files go only when it is durable that they may: a start finds no gap among them. */
static void
finish_cut(struct partition_cut *cut)
{
	struct partition *p = cut->partition;

	cut->error = cut->append.error;
	if (p->deleted)
		cut->error = STORE_GONE;
	else if (cut->error == STORE_OK)
		partition_drop_below(p, cut->offset);
	cut->log_start = p->log_start;
	partition_release(p);
}

static void
cut_done(struct append *a)
{
	struct partition_cut *cut = container_of(a, struct partition_cut, append);

	finish_cut(cut);
	cut->done(cut);
}

/* The greatest log start that was asked for and taken, durable or not yet. */
static int64_t
asked_log_start(const struct partition *p, struct span key)
{
	struct buf value = { 0 };
	int64_t asked = -1;

	if (state_get(p->store, STATE_METADATA, key, &value) && value.n == 8)
		asked = (int64_t)load64(value.p);
	buf_done(&value);
	return asked;
}

bool
partition_cut_front(struct partition *p, struct partition_cut *cut)
{
	uint8_t key[2 + PARTITION_KEY] = { 0, 'S' }, value[8];
	struct state_entry entry = { span_of(key, sizeof key), span_of(value, sizeof value) };
	int64_t asked;

	cut->error = STORE_OK;
	cut->log_start = p->log_start;
	if (cut->offset == -1)
		cut->offset = p->high_watermark;
	if (p->deleted)
		cut->error = STORE_GONE;
	else if (cut->offset < 0 || cut->offset > p->high_watermark)
		cut->error = STORE_OFFSET_OUT_OF_RANGE;
	if (cut->error != STORE_OK || cut->offset <= p->log_start)
		return true;
	memcpy(key + 2, p->key, PARTITION_KEY);
	/*
	 * One that asks for less, while another is under way, takes nothing back.  The
	 * state alone says what was asked for: what it refused leaves no trace.
	 */
	asked = asked_log_start(p, entry.key);
	store64(value, (uint64_t)(cut->offset > asked ? cut->offset : asked));
	cut->append.done = cut_done;
	cut->partition = p;
	p->jobs++;
	if (!state_put(p->store, STATE_METADATA, &entry, 1, p->store->wall_ms, &cut->append))
		return false;
	finish_cut(cut);
	return true;
}
