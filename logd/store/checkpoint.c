/*
 * checkpoint.c -- the segments catch up with the journal, and the index with
 * the segments; then the journal's space is free again.
 *
 * The order is what makes it safe: segments are synced, then the index is
 * committed, then journal files are released.  What failed to sync is left out
 * of the index, and its partition goes offline.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/store_internal.h"

enum { RETRY_MS = 5000 };

struct checkpoint {
	struct job job;
	struct store *store;
	struct sync_set set;
	/* What goes, which may come back at once; one for each group of the set; the common one. */
	struct index_batch *changes;
	bool has_state;              /* the common one has what is frozen */
	struct retired retired;      /* whose removal is among the changes */
	uint64_t journal_block;      /* entries up to here are superfluous behind it */
	struct snapshot *snapshot;   /* that is to be of this moment; or NULL */
	int error;
};

static struct index_batch *
group_changes(const struct checkpoint *c, size_t i)
{
	return &c->changes[i + 1];
}

static void
put_segment(struct index_batch *to, const struct segment *s)
{
	uint8_t key[SEGMENT_KEY], value[32];

	segment_key(s, key);
	store64(value, (uint64_t)s->size);
	store64(value + 8, (uint64_t)s->end);
	store64(value + 16, (uint64_t)s->max_time);
	store64(value + 24, (uint64_t)s->begun_ms);
	index_put(to, INDEX_SEGMENTS, span_of(key, sizeof key), span_of(value, sizeof value));
}

static void
put_entries(struct index_batch *to, const struct segment *s)
{
	uint8_t key[OFFSET_KEY], value[16];

	segment_key(s, key);
	for (size_t i = 0; i < s->n_fresh; i++) {
		store64(key + SEGMENT_KEY, (uint64_t)s->fresh[i].offset);
		store64(value, (uint64_t)s->fresh[i].pos);
		store64(value + 8, (uint64_t)s->fresh[i].max_time);
		index_put(to, INDEX_OFFSETS, span_of(key, sizeof key), span_of(value, sizeof value));
	}
}

/* How far the tables of the state go, and what the keys are. */
static void
put_meta(struct store *store, struct index_batch *to)
{
	uint8_t format[4];

	store32(format, INDEX_FORMAT);
	index_put(to, INDEX_META, span_str("format"), span_of(format, sizeof format));
	for (int log = 0; log < STATE_LOGS; log++) {
		char key[32];
		uint8_t value[8];

		snprintf(key, sizeof key, "applied.%d", log);
		store64(value, (uint64_t)state_partition(store, (enum state_log)log)->end);
		index_put(to, INDEX_META, span_str(key), span_of(value, sizeof value));
	}
}

static void
collect(struct checkpoint *c)
{
	struct store *store = c->store;
	struct index_batch *common;
	size_t n = 0, i, k;

	list_each(counted, &store->dirty)
		n++;
	c->changes = xcalloc(n + 2, sizeof *c->changes);
	c->changes[0] = store->removals;
	store->removals = (struct index_batch){ 0 };
	c->retired = store->retired;
	store->retired = (struct retired){ 0 };
	common = &c->changes[n + 1];
	list_each(it, &store->dirty) {
		struct partition *p = container_of(it, struct partition, dirty);

		list_del(it);
		sync_set_add(&c->set, p);
		p->scattered = false;
	}
	for (i = 0; i < c->set.n_groups; i++) {
		struct sync_group *g = &c->set.groups[i];

		for (k = g->first; k < g->first + g->n; k++) {
			put_segment(group_changes(c, i), c->set.items[k].segment);
			put_entries(group_changes(c, i), c->set.items[k].segment);
			c->set.items[k].segment->recorded = true;
		}
		producers_collect(g->partition, group_changes(c, i));
		g->n_aborted = transactions_collect(g->partition, group_changes(c, i));
	}
	put_meta(store, common);
	state_freeze(store);
}

static void
drop_changes(struct checkpoint *c)
{
	for (size_t i = 0; c->changes != NULL && i < c->set.n_groups + 2; i++)
		index_batch_done(&c->changes[i]);
	free(c->changes);
	c->changes = NULL;
}

/* On the keeper's thread. */
static void
run_checkpoint(struct job *job)
{
	struct checkpoint *c = container_of(job, struct checkpoint, job);
	size_t i, n = c->set.n_groups;

	if (sync_set_run(&c->set) == -1) {
		c->error = errno; /* only the rest is synced when it is tried again */
		return;
	}
	for (i = 0; i < n; i++)
		if (c->set.groups[i].error != 0) {
			index_batch_done(group_changes(c, i));
			/* An internal log that failed ends the daemon: the state must not run ahead of it. */
			if (c->set.groups[i].partition->internal) {
				diag_error("log of the daemon's state can't be synced", "path=%s/logs error=\"%s\" action=\"%s\"",
				    c->store->dir, strerror(c->set.groups[i].error), file_advice(EIO));
				c->error = EIO; /* whatever it was called: a failed sync is never tried again */
				return;
			}
		}
	if (!c->has_state)
		state_put_frozen(c->store, &c->changes[n + 1]);
	c->has_state = true;
	c->error = index_commit(c->store->index, c->changes, n + 2) == 0 ? 0 : errno;
	if (c->error == 0)
		drop_changes(c);
	if (c->error == 0 && c->snapshot != NULL)
		snapshot_copy_index(c->snapshot);
}

/* Forgets entries that the index has now. */
static void
drop_entries(const struct sync_item *item)
{
	struct segment *s = item->segment;

	if (item->n_fresh == 0)
		return;
	s->n_fresh -= item->n_fresh;
	memmove(s->fresh, s->fresh + item->n_fresh, s->n_fresh * sizeof *s->fresh);
	if (s->n_fresh == 0) {
		free(s->fresh);
		s->fresh = NULL;
		s->cap_fresh = 0;
	}
}

/* The index has what took their place. */
static void
let_go(struct retired *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct partition *p = r->segments[i]->partition;

		segment_unpin(r->segments[i]);
		partition_release(p);
	}
	free(r->segments);
}

void
retired_free(struct retired *r)
{
	for (size_t i = 0; i < r->n; i++)
		segment_free(r->segments[i]);
	free(r->segments);
	*r = (struct retired){ 0 };
}

static void
end(struct checkpoint *c)
{
	struct store *store = c->store;

	/* Of a group that failed nothing is in the index; its partition is offline for good. */
	for (size_t i = 0; i < c->set.n_items; i++)
		drop_entries(&c->set.items[i]);
	for (size_t i = 0; i < c->set.n_groups; i++) {
		const struct sync_group *g = &c->set.groups[i];

		for (size_t k = g->first; g->error == 0 && k < g->first + g->n; k++)
			c->set.items[k].segment->indexed = c->set.items[k].size;
		if (g->error == 0)
			transactions_indexed(g->partition, g->n_aborted);
	}
	state_thaw(store);
	store->checkpoint = NULL;
	store->checkpoint_put_off = 0;
	stat_add(&store->stats.checkpoints, 1);
	/* A partition that goes offline here keeps the journal. */
	sync_set_apply(&c->set);
	let_go(&c->retired);
	journal_release(store->journal, c->journal_block);
	if (c->snapshot != NULL)
		snapshot_go_on(c->snapshot);
	free(c);
}

void
checkpoint_abandon(struct store *store)
{
	struct checkpoint *c = store->checkpoint;

	if (c == NULL)
		return;
	drop_changes(c);
	retired_free(&c->retired);
	free(c->set.groups);
	free(c->set.items);
	free(c);
	store->checkpoint = NULL;
}

static void
checkpoint_done(struct job *job)
{
	struct checkpoint *c = container_of(job, struct checkpoint, job);
	struct store *store = c->store;

	store->jobs--;
	if (c->error == 0)
		end(c);
	else if (file_lacks(c->error)) {
		stat_add(&store->stats.checkpoints_failed, 1);
		if (c->error != store->checkpoint_put_off)
			diag_warn("checkpoint put off", "error=\"%s\" action=\"make room, or allow more open files; it is tried again\"",
			    strerror(c->error));
		store->checkpoint_put_off = c->error;
		store->checkpoint_retry_ms = store->mono_ms + RETRY_MS;
	} else
		store_fail(store, "a checkpoint failed");
}

static void
submit(struct store *store)
{
	store->jobs++;
	store->checkpoint_retry_ms = 0;
	workers_submit(store->keepers, &store->checkpoint->job);
}

void
store_checkpoint(struct store *store)
{
	struct checkpoint *c;

	if (store->failed)
		return;
	if (store->checkpoint != NULL) {
		if (store->checkpoint_retry_ms != 0 && store->mono_ms >= store->checkpoint_retry_ms)
			submit(store);
		return;
	}
	c = xcalloc(1, sizeof *c);
	c->job = (struct job){ .run = run_checkpoint, .done = checkpoint_done };
	c->store = store;
	/* From here on, reservations made before are not relied on. */
	store->checkpoints++;
	c->journal_block = journal_cut(store->journal);
	collect(c);
	if (store->snapshot_waits) {
		store->snapshot_waits = false;
		c->snapshot = store->snapshot;
		snapshot_begin(c->snapshot);
	}
	store->appended_bytes = 0;
	store->last_checkpoint_ms = store->mono_ms;
	store->checkpoint = c;
	submit(store);
}

int
checkpoint_now(struct store *store)
{
	/* One that is under way may have begun too early to hold everything. */
	for (int i = 0; i < 2; i++) {
		bool fresh = store->checkpoint == NULL;

		store_checkpoint(store);
		while (store->checkpoint != NULL && !store->failed && store->checkpoint_retry_ms == 0) {
			mailbox_wait(store->mailbox);
			mailbox_run(store->mailbox);
		}
		if (store->failed || store->checkpoint != NULL)
			return -1;
		if (fresh)
			return 0;
	}
	return 0;
}
