/*
 * checkpoint_test.c -- checkpoints that the disk has no room for.
 *
 * The index is LMDB's and no fake's, so its commit is what fails: the linker
 * puts ours (--wrap) in the place of LMDB's.
 */
#include <errno.h>

#include "world.h"

struct MDB_txn;
void mdb_txn_abort(struct MDB_txn *);
int __real_mdb_txn_commit(struct MDB_txn *);
int __wrap_mdb_txn_commit(struct MDB_txn *);

enum { RETRY_MS = 5000 };

static int commit_error, tries; /* 0: commits are LMDB's own */
static struct world w;
static struct partition *p;

int
__wrap_mdb_txn_commit(struct MDB_txn *txn)
{
	if (commit_error == 0)
		return __real_mdb_txn_commit(txn);
	tries++;
	mdb_txn_abort(txn);
	return commit_error;
}

static void
append(int n)
{
	while (n-- > 0)
		CU_ASSERT(world_append(&w, p, true, 1, 100, NULL, NULL) == STORE_OK);
}

static void
put_done(struct append *a)
{
	a->done = NULL;
}

static void
put_state(const char *value)
{
	struct state_entry e = { span_str("key"), span_str(value) };
	struct append a = { .done = put_done };

	CU_ASSERT(!state_put(w.store, STATE_METADATA, &e, 1, w.now, &a));
	world_settle(&w);
	CU_ASSERT_FATAL(world_over(&a) && a.error == STORE_OK);
}

static bool
has_state(const char *value)
{
	struct buf v = { 0 };
	bool ok = state_get(w.store, STATE_METADATA, span_str("key"), &v) && span_is(buf_bytes(&v), value);

	buf_done(&v);
	return ok;
}

static uint64_t
checkpoints(void)
{
	return stat_get(&store_stats_of(w.store)->checkpoints);
}

static void
tick(int64_t ms)
{
	w.now += ms;
	store_tick(w.store, w.now, w.now);
	world_settle(&w);
}

/* Three records, and a checkpoint of them that met the error. */
static void
begin(int error)
{
	world_begin(&w);
	p = world_partition(&w, 0);
	append(3);
	tries = 0;
	commit_error = error;
	store_checkpoint(w.store);
	world_settle(&w);
	CU_ASSERT(tries == 1);
}

static void
open_again(int records)
{
	commit_error = 0;
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(world_count(&w, p) == records);
	partition_check(p);
}

static void
one_without_room_is_tried_again(void)
{
	uint64_t before;

	begin(ENOSPC);
	before = checkpoints();
	CU_ASSERT(w.failures == 0 && p->segments[0]->indexed == 0);
	tick(RETRY_MS - 1);
	CU_ASSERT(tries == 1);
	tick(1);
	CU_ASSERT(tries == 2 && checkpoints() == before);
	commit_error = 0;
	tick(RETRY_MS - 1);
	CU_ASSERT(checkpoints() == before);
	tick(1);
	CU_ASSERT(checkpoints() == before + 1 && p->segments[0]->indexed == p->segments[0]->size);
	world_close(&w);
	open_again(3);
	CU_ASSERT(store_started_clean(w.store));
	world_end(&w);
}

static void
work_goes_on_while_one_is_put_off(void)
{
	uint64_t before;
	int64_t size;

	begin(ENOSPC);
	before = checkpoints();
	size = p->segments[0]->size;
	append(2);
	put_state("put off");
	CU_ASSERT(world_count(&w, p) == 5 && has_state("put off"));
	store_checkpoint(w.store); /* asked for before its time */
	world_settle(&w);
	CU_ASSERT(tries == 1);
	commit_error = 0;
	tick(RETRY_MS);
	/* It holds what it began with; the next one has the rest. */
	CU_ASSERT(checkpoints() == before + 1 && p->segments[0]->indexed == size);
	store_checkpoint(w.store);
	world_settle(&w);
	CU_ASSERT(checkpoints() == before + 2 && p->segments[0]->indexed == p->segments[0]->size);
	CU_ASSERT(has_state("put off"));
	world_close(&w);
	open_again(5);
	CU_ASSERT(store_started_clean(w.store) && has_state("put off"));
	world_end(&w);
}

static void
a_cut_while_one_is_put_off_loses_nothing(void)
{
	begin(ENOSPC);
	append(2);
	put_state("put off");
	world_cut(&w, true);
	open_again(5);
	CU_ASSERT(has_state("put off"));
	world_end(&w);
}

static void
an_end_while_one_is_put_off_is_not_clean_and_loses_nothing(void)
{
	begin(ENOSPC);
	append(2);
	world_close(&w);
	open_again(5);
	CU_ASSERT(!store_started_clean(w.store));
	world_end(&w);
}

static void
one_that_fails_otherwise_ends_the_store(void)
{
	begin(EIO);
	CU_ASSERT(w.failures == 1);
	world_close(&w);
	open_again(3);
	CU_ASSERT(!store_started_clean(w.store));
	world_end(&w);
}

/* Nothing was synced and nothing failed: the whole checkpoint comes later. */
static void
one_without_descriptors_is_tried_again(void)
{
	uint64_t before;

	world_begin(&w);
	p = world_partition(&w, 0);
	append(3);
	before = checkpoints();
	fake_disk_fail(0, EMFILE, true, FAKE_OPEN | FAKE_SYNC_DIR, "/logs/");
	store_checkpoint(w.store);
	world_settle(&w);
	CU_ASSERT(checkpoints() == before && w.failures == 0 && partition_online(p));
	append(1);
	fake_disk_fail(0, 0, false, 0, NULL);
	tick(RETRY_MS);
	CU_ASSERT(checkpoints() == before + 1 && p->segments[0]->indexed > 0);
	world_cut(&w, true);
	open_again(4);
	world_end(&w);
}

/* However many segments wait for it: it syncs by descriptors of its own. */
static void
one_under_way_keeps_no_segment_open(void)
{
	enum { MANY = 10 };
	struct append a[2 * MANY];

	world_begin(&w);
	for (int i = 0; i < MANY; i++)
		CU_ASSERT(world_append(&w, world_partition(&w, i), true, 1, 10, NULL, NULL) == STORE_OK);
	store_checkpoint(w.store);
	for (int i = 0; i < 2 * MANY; i++) {
		CU_ASSERT(!world_begin_append(&w, world_partition(&w, i), true, 1, 10, &a[i]));
		CU_ASSERT(w.store->n_open <= w.config.open_files_max);
	}
	world_settle(&w);
	CU_ASSERT(world_over(&a[0]) && world_over(&a[2 * MANY - 1]));
	world_end(&w);
}

/* A failed sync is a failed sync, whatever it is called: of the daemon's state it ends the daemon. */
static void
a_sync_of_the_state_that_says_there_is_no_room_is_not_tried_again(void)
{
	uint64_t before;

	world_begin(&w);
	p = world_partition(&w, 0);
	append(3);
	put_state("value");
	before = checkpoints();
	fake_disk_fail(0, ENOSPC, false, FAKE_SYNC, "/logs/AAAAAAAA");
	store_checkpoint(w.store);
	world_settle(&w);
	CU_ASSERT(w.failures == 1);
	tick(RETRY_MS);
	store_checkpoint(w.store);
	world_settle(&w);
	CU_ASSERT(checkpoints() == before && w.failures == 1);
	world_close(&w);
	fake_disk_power_cut(1);
	fake_disk_begin(1, 0);
	open_again(3);
	CU_ASSERT(!store_started_clean(w.store) && has_state("value"));
	world_end(&w);
}

/* Whose file in use alone is half of what was asked for, and can't be released. */
static void
one_frees_what_the_smallest_journal_can_free_and_then_there_is_rest(void)
{
	uint64_t before;

	world_begin(&w);
	world_close(&w);
	w.config.journal_bytes = 1 << 20;
	open_again(0);
	append(200); /* a page of the journal each */
	CU_ASSERT(journal_used(w.store->journal) > w.config.journal_bytes / 2);
	before = checkpoints();
	for (int i = 0; i < 5; i++) {
		store_flush(w.store);
		world_settle(&w);
	}
	CU_ASSERT(checkpoints() == before);
	world_end(&w);
}

const struct unit_test checkpoint_tests[] = {
	UNIT(one_without_room_is_tried_again),
	UNIT(work_goes_on_while_one_is_put_off),
	UNIT(a_cut_while_one_is_put_off_loses_nothing),
	UNIT(an_end_while_one_is_put_off_is_not_clean_and_loses_nothing),
	UNIT(one_that_fails_otherwise_ends_the_store),
	UNIT(one_without_descriptors_is_tried_again),
	UNIT(one_under_way_keeps_no_segment_open),
	UNIT(a_sync_of_the_state_that_says_there_is_no_room_is_not_tried_again),
	UNIT(one_frees_what_the_smallest_journal_can_free_and_then_there_is_rest),
	UNIT_END
};
