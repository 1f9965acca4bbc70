/* sync.c -- making segments durable, for checkpoints and for acks=all of what is in no journal. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "plat/file.h"
#include "store/store_internal.h"

/* So many segments are worth opening twice. */
enum { BEGIN_ALL_FROM = 8 };

static void
add_item(struct sync_set *set, struct segment *s)
{
	if (set->n_items == set->cap_items) {
		set->cap_items = set->cap_items == 0 ? 8 : set->cap_items * 2;
		set->items = xrealloc(set->items, set->cap_items * sizeof *set->items);
	}
	segment_pin(s);
	set->items[set->n_items++] = (struct sync_item){ .segment = s, .size = s->size,
		.synced = s->synced, .end = s->end, .n_fresh = s->n_fresh, .named = s->named };
}

static bool
unsettled(const struct segment *s)
{
	return s->synced < s->size || !s->named || !s->recorded;
}

void
sync_set_add(struct sync_set *set, struct partition *p)
{
	struct sync_group *g;
	size_t i = p->n_segments;

	if (set->n_groups == set->cap_groups) {
		set->cap_groups = set->cap_groups == 0 ? 8 : set->cap_groups * 2;
		set->groups = xrealloc(set->groups, set->cap_groups * sizeof *set->groups);
	}
	g = &set->groups[set->n_groups++];
	*g = (struct sync_group){ .partition = p, .first = set->n_items, .end = p->end,
		.folder_named = p->folder_named };
	/* Those that are not durable, or not in the index, are the last ones, mostly. */
	while (i > 0 && (p->scattered || unsettled(p->segments[i - 1])))
		i--;
	for (; i < p->n_segments; i++)
		if (unsettled(p->segments[i]))
			add_item(set, p->segments[i]);
	g->n = set->n_items - g->first;
	p->jobs++;
}

static bool
is_durable(const struct sync_item *item)
{
	return item->synced == item->size && item->named;
}

/*
 * Lets the disk work on all of them at once.  It is a hint, so what goes wrong here is left
 * for the sync to find.
 */
static void
begin_all(const struct sync_set *set)
{
	char path[PATH_MAX];
	int fd;

	for (size_t i = 0; i < set->n_items; i++) {
		if (is_durable(&set->items[i]))
			continue;
		segment_path(set->items[i].segment, path, sizeof path);
		if ((fd = file_open(path, FILE_WRITE)) == -1)
			return;
		file_sync_begin(fd);
		file_close(fd);
	}
}

static int
sync_segment(const struct sync_item *item)
{
	char path[PATH_MAX];
	int fd, r, saved;

	if (is_durable(item))
		return 0;
	/* By a descriptor of our own: the loop may close its own at any time. */
	segment_path(item->segment, path, sizeof path);
	if ((fd = file_open(path, FILE_WRITE)) == -1)
		return -1;
	r = file_sync(fd);
	saved = errno;
	file_close(fd);
	errno = saved;
	return r;
}

static int
sync_group(struct sync_set *set, const struct sync_group *g)
{
	bool named = true;
	char path[PATH_MAX];

	for (size_t i = g->first; i < g->first + g->n; i++) {
		if (sync_segment(&set->items[i]) == -1)
			return -1;
		named = named && set->items[i].named;
	}
	partition_folder(g->partition, path, sizeof path);
	if (!named && file_sync_dir(path) == -1)
		return -1;
	if (!g->folder_named && g->n > 0 && !set->logs_named) {
		snprintf(path, sizeof path, "%s/logs", g->partition->store->dir);
		if (file_sync_dir(path) == -1)
			return -1;
		set->logs_named = true;
	}
	return 0;
}

static void
run_group(struct sync_set *set, struct sync_group *g)
{
	errno = 0;
	if (!atomic_load(&g->partition->sync_failed) && sync_group(set, g) == 0) {
		g->synced = true;
		g->error = 0;
		return;
	}
	g->error = errno == 0 ? EIO : errno;
	/* Of a sync that failed nothing is known; one that was not begun changed nothing. */
	if (!file_not_begun(g->error))
		atomic_store(&g->partition->sync_failed, true);
}

int
sync_set_run(struct sync_set *set)
{
	int lack = 0;

	if (set->n_items >= BEGIN_ALL_FROM)
		begin_all(set);
	/* One sync of the folder of folders serves all that are in the set. */
	set->logs_named = false;
	for (size_t i = 0; i < set->n_groups; i++)
		if (!set->groups[i].synced)
			run_group(set, &set->groups[i]);
	for (size_t i = 0; i < set->n_groups; i++) {
		struct sync_group *g = &set->groups[i];

		/* Another thread may have met the failure that our sync was not told of. */
		if (atomic_load(&g->partition->sync_failed) && (g->error == 0 || file_not_begun(g->error)))
			g->error = EIO;
		if (file_not_begun(g->error))
			lack = g->error;
	}
	errno = lack;
	return lack == 0 ? 0 : -1;
}

static void
apply_item(struct sync_item *item)
{
	struct segment *s = item->segment;

	if (item->size > s->synced)
		s->synced = item->size;
	s->named = true;
}

void
sync_set_apply(struct sync_set *set)
{
	for (size_t i = 0; i < set->n_groups; i++) {
		struct sync_group *g = &set->groups[i];
		struct partition *p = g->partition;

		for (size_t k = g->first; k < g->first + g->n; k++) {
			if (g->error == 0)
				apply_item(&set->items[k]);
			segment_unpin(set->items[k].segment);
		}
		if (g->error == 0) {
			p->folder_named = p->folder_named || g->n > 0;
			if (!p->deleted) {
				partition_drop_below(p, p->log_start);
				partition_synced(p, g->end, g->block);
			}
		} else if (file_not_begun(g->error)) {
			if (!p->deleted && list_empty(&p->wants_sync))
				list_add(&p->store->wants_sync, &p->wants_sync);
		} else if (!p->deleted)
			partition_offline(p, "segment sync failed", g->error);
		partition_release(p);
	}
	free(set->groups);
	free(set->items);
	*set = (struct sync_set){ 0 };
}

/* ---- rounds for acks=all ---- */

struct round {
	struct job job;
	struct store *store;
	struct sync_set set;
	int lack; /* errno of what it lacked; 0: nothing */
};

static void
run_round(struct job *job)
{
	struct round *r = container_of(job, struct round, job);

	r->lack = sync_set_run(&r->set) == 0 ? 0 : errno;
}

/*
 * So that a start can tell damage from what was never synced.  What waits for the
 * sync waits for this, too: else a kill in between, and one damaged byte, would
 * lose all that was answered behind it.
 */
static void
note_synced(struct store *store, struct sync_set *set)
{
	for (size_t i = 0; i < set->n_groups; i++) {
		struct sync_group *g = &set->groups[i];

		for (size_t k = g->first; g->error == 0 && k < g->first + g->n; k++) {
			const struct sync_item *item = &set->items[k];
			struct journal_entry e = { .kind = JOURNAL_SYNCED, .id = g->partition->id,
				.segment_base = item->segment->base, .segment_epoch = item->segment->epoch,
				.pos = item->size, .offset = item->end };

			/* Of a compacted one its name says it; entries are of what it was made of. */
			if (item->segment->generation == 0)
				g->block = journal_add(store->journal, &e);
		}
	}
}

static void
round_done(struct job *job)
{
	struct round *r = container_of(job, struct round, job);
	struct store *store = r->store;

	store->syncing = false;
	store->jobs--;
	if (r->lack != 0) {
		store->sync_put_off = true;
		store_tell_lack(store, "syncs are put off", r->lack);
	}
	note_synced(store, &r->set);
	sync_set_apply(&r->set);
	free(r);
}

void
sync_flush(struct store *store)
{
	struct round *r;

	if (store->syncing || store->sync_put_off || list_empty(&store->wants_sync))
		return;
	r = xcalloc(1, sizeof *r);
	r->job = (struct job){ .run = run_round, .done = round_done };
	r->store = store;
	list_each(it, &store->wants_sync) {
		list_del(it);
		sync_set_add(&r->set, container_of(it, struct partition, wants_sync));
	}
	store->syncing = true;
	store->jobs++;
	stat_add(&store->stats.segment_syncs, r->set.n_items);
	workers_submit(store->syncers, &r->job);
}
