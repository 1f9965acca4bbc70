/* state_test.c -- the daemon's own state, and starts. */
#include <stdio.h>
#include <unistd.h>

#include "world.h"

static struct world w;

static void
done(struct append *a)
{
	a->done = NULL;
}

static void
put(const char *key, const char *value)
{
	struct state_entry e = { span_str(key), span_str(value) };
	struct append a = { .done = done };

	if (!state_put(w.store, STATE_OFFSETS, &e, 1, w.now, &a))
		while (a.done != NULL) {
			store_flush(w.store);
			mailbox_wait(w.mailbox);
			mailbox_run(w.mailbox);
		}
	CU_ASSERT(a.error == STORE_OK);
}

static bool
join(void *ctx, struct span key, struct span value)
{
	buf_span(ctx, key);
	buf_span(ctx, span_str("="));
	buf_span(ctx, value);
	buf_span(ctx, span_str(" "));
	return true;
}

static bool
state_is(const char *expected)
{
	struct buf all = { 0 };
	bool ok;

	state_each(w.store, STATE_OFFSETS, span_str("k"), join, &all);
	buf_u8(&all, 0);
	ok = strcmp((char *)all.p, expected) == 0;
	buf_done(&all);
	return ok;
}

/* What a walk finds from here on. */
static bool
from_is(const char *from, const char *expected)
{
	struct buf all = { 0 };
	bool ok;

	state_each_from(w.store, STATE_OFFSETS, span_str(from), join, &all);
	buf_u8(&all, 0);
	ok = strcmp((char *)all.p, expected) == 0;
	buf_done(&all);
	return ok;
}

static bool
has(const char *key, const char *value)
{
	struct buf v = { 0 };
	bool found = state_get(w.store, STATE_OFFSETS, span_str(key), &v);
	bool ok = value == NULL ? !found : found && span_is(buf_bytes(&v), value);

	buf_done(&v);
	return ok;
}

/* Some in the index, some in the checkpoint under way, some since. */
static void
a_walk_merges_what_is_old_and_new(void)
{
	world_begin(&w);
	put("k1", "a");
	put("k3", "a");
	put("k5", "a");
	put("other", "x");
	store_checkpoint(w.store);
	world_settle(&w);
	put("k2", "b");
	put("k3", "b");
	store_checkpoint(w.store); /* not run yet */
	put("k4", "c");
	put("k5", NULL);
	CU_ASSERT(state_is("k1=a k2=b k3=b k4=c "));
	CU_ASSERT(from_is("", "k1=a k2=b k3=b k4=c other=x ") && from_is("k2", "k2=b k3=b k4=c other=x "));
	CU_ASSERT(from_is("k3x", "k4=c other=x ") && from_is("z", ""));
	CU_ASSERT(has("k3", "b") && has("k5", NULL) && has("k1", "a"));
	world_settle(&w);
	CU_ASSERT(state_is("k1=a k2=b k3=b k4=c "));
	CU_ASSERT(from_is("k3", "k3=b k4=c other=x "));
	world_close(&w);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(store_started_clean(w.store));
	CU_ASSERT(state_is("k1=a k2=b k3=b k4=c "));
	world_end(&w);
}

static void
what_was_answered_outlives_a_cut(void)
{
	world_begin(&w);
	put("k1", "a");
	store_checkpoint(w.store);
	world_settle(&w);
	put("k1", "b");
	put("k2", "b");
	world_cut(&w, true);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(!store_started_clean(w.store));
	CU_ASSERT(state_is("k1=b k2=b "));
	world_end(&w);
}

static void
a_lost_index_is_made_anew(void)
{
	char path[128];

	world_begin(&w);
	put("k1", "a");
	world_append(&w, world_partition(&w, 0), true, 3, 10, NULL, NULL);
	world_close(&w);
	snprintf(path, sizeof path, "%s/index/data.mdb", w.dir);
	unlink(path);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(state_is("k1=a ") && world_count(&w, world_partition(&w, 0)) == 1);
	world_end(&w);
}

/* An index that a start began to make, and did not end. */
static void
an_index_without_a_commit_counts_as_lost(void)
{
	struct index *empty;
	struct partition *p;
	char path[256];
	uint8_t byte = 0x55;

	world_begin(&w);
	p = world_partition(&w, 0);
	for (int i = 0; i < 3; i++)
		world_append(&w, p, true, 1, 10, NULL, NULL);
	segment_path(p->segments[0], path, sizeof path);
	CU_ASSERT(fake_disk_poke(path, p->segments[0]->size / 2, &byte, 1) == 0);
	world_close(&w);
	snprintf(path, sizeof path, "%s/index", w.dir);
	CU_ASSERT(index_discard(path) == 0);
	CU_ASSERT_FATAL(index_open(&empty, path) == 0);
	index_close(empty);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(partition_log_end(p) == 3); /* the damage in the middle is no end */
	world_end(&w);
}

static void
the_epoch_rises_at_unclean_starts_only(void)
{
	world_begin(&w);
	put("k", "v");
	CU_ASSERT(w.store->leader_epoch == 0);
	world_close(&w);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(w.store->leader_epoch == 0);
	world_cut(&w, false);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(w.store->leader_epoch == 1);
	world_close(&w);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(w.store->leader_epoch == 1);
	world_end(&w);
}

static void
what_nobody_opened_is_swept(void)
{
	char path[256];

	world_begin(&w);
	world_append(&w, world_partition(&w, 0), true, 1, 10, NULL, NULL);
	world_append(&w, world_partition(&w, 1), true, 1, 10, NULL, NULL);
	partition_folder(world_partition(&w, 1), path, sizeof path);
	world_close(&w);
	CU_ASSERT_FATAL(world_open(&w));
	world_partition(&w, 0);
	store_sweep(w.store);
	world_settle(&w);
	CU_ASSERT(file_sync_dir(path) == -1); /* it is gone */
	CU_ASSERT(world_count(&w, world_partition(&w, 0)) == 1);
	world_end(&w);
}

const struct unit_test state_tests[] = {
	UNIT(a_walk_merges_what_is_old_and_new),
	UNIT(what_was_answered_outlives_a_cut),
	UNIT(a_lost_index_is_made_anew),
	UNIT(an_index_without_a_commit_counts_as_lost),
	UNIT(the_epoch_rises_at_unclean_starts_only),
	UNIT(what_nobody_opened_is_swept),
	UNIT_END
};
