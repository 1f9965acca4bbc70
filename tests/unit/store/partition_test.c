/* partition_test.c -- appending, visibility, reading, looking up, cutting. */
#include <errno.h>
#include <stdlib.h>

#include "world.h"

static struct world w;

static void
acks_1_waits_for_acks_all_before_it(void)
{
	struct append all, one;
	struct partition *p;

	world_begin(&w);
	p = world_partition(&w, 0);
	CU_ASSERT(world_append(&w, p, false, 1, 10, NULL, NULL) == STORE_OK); /* reserves */
	CU_ASSERT(world_begin_append(&w, p, false, 1, 10, &one)); /* visible when it is written */
	CU_ASSERT(partition_high_watermark(p) == 2);
	CU_ASSERT(!world_begin_append(&w, p, true, 1, 10, &all));
	CU_ASSERT(!world_begin_append(&w, p, false, 1, 10, &one));
	CU_ASSERT(partition_high_watermark(p) == 2 && partition_log_end(p) == 4);
	partition_check(p);
	world_settle(&w);
	CU_ASSERT(world_over(&all) && world_over(&one) && partition_high_watermark(p) == 4);
	world_end(&w);
}

static void
large_batches_wait_for_their_segment(void)
{
	struct partition *p;
	int64_t base;

	world_begin(&w);
	p = world_partition(&w, 0);
	CU_ASSERT(world_append(&w, p, true, 1, 50000, NULL, &base) == STORE_OK && base == 0);
	CU_ASSERT(world_append(&w, p, true, 1, 50, NULL, &base) == STORE_OK && base == 1);
	world_cut(&w, true);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(world_count(&w, world_partition(&w, 0)) == 2);
	world_end(&w);
}

static void
stated(struct append *a)
{
	a->done = NULL;
}

/* Its segment may be synced before the journal is: the record that makes its topic. */
static void
large_batches_wait_for_the_state_before_them(void)
{
	struct state_entry entry = { span_str("T"), span_str("a topic") };

	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct append state = { .done = stated }, large;

		world_begin(&w);
		fake_worker_seed(seed);
		world_append(&w, world_partition(&w, 0), true, 1, 50000, NULL, NULL);
		CU_ASSERT(!state_put(w.store, STATE_METADATA, &entry, 1, w.now, &state));
		CU_ASSERT(!world_begin_append(&w, world_partition(&w, 0), true, 1, 50000, &large));
		while (!world_over(&large)) {
			store_flush(w.store);
			mailbox_wait(w.mailbox);
			mailbox_run(w.mailbox);
		}
		CU_ASSERT(world_over(&state));
		world_settle(&w);
		world_end(&w);
	}
}

static void
offsets_that_were_seen_are_not_given_out_again(void)
{
	struct partition *p;
	int64_t base;

	world_begin(&w);
	p = world_partition(&w, 0);
	CU_ASSERT(world_append(&w, p, true, 2, 10, NULL, NULL) == STORE_OK);
	CU_ASSERT(world_append(&w, p, false, 3, 10, NULL, NULL) == STORE_OK);
	CU_ASSERT(partition_high_watermark(p) == 5);
	world_cut(&w, true);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(partition_log_end(p) >= 5 && partition_leader_epoch(p) == 1);
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, &base) == STORE_OK && base >= 5);
	partition_check(p);
	world_end(&w);
}

/* Two starts that skip offsets, and nothing between them. */
static void
a_reader_passes_segments_that_only_skip(void)
{
	struct partition_read r;
	struct partition *p;
	int64_t base;

	world_begin(&w);
	p = world_partition(&w, 0);
	world_append(&w, p, true, 2, 10, NULL, NULL);
	world_append(&w, p, false, 1, 10, NULL, NULL);
	world_cut(&w, false);
	CU_ASSERT_FATAL(world_open(&w));
	world_cut(&w, false);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, &base) == STORE_OK);
	CU_ASSERT(world_read(&w, p, 3, 1000, true, &r) == STORE_OK);
	CU_ASSERT(r.n > 0 && r.next_offset == base + 1);
	free(r.bytes);
	CU_ASSERT(world_count(&w, p) == 3);
	world_end(&w);
}

static void
reads_keep_to_their_limits(void)
{
	struct partition_read r;
	struct partition *p;
	struct append a;

	world_begin(&w);
	p = world_partition(&w, 0);
	for (int i = 0; i < 4; i++)
		world_append(&w, p, true, 1, 1000, NULL, NULL);
	CU_ASSERT(!world_begin_append(&w, p, true, 1, 1000, &a)); /* not visible */
	CU_ASSERT(world_read(&w, p, 0, 100000, false, &r) == STORE_OK && r.next_offset == 4);
	free(r.bytes);
	CU_ASSERT(world_read(&w, p, 1, 2500, false, &r) == STORE_OK && r.next_offset == 3);
	free(r.bytes);
	/* Fewer bytes than a batch, than a header, none: that is no damage. */
	for (size_t max = 0; max < 200; max += 33) {
		CU_ASSERT(world_read(&w, p, 2, max, false, &r) == STORE_OK && r.n == 0 && r.next_offset == 2);
		CU_ASSERT(world_read(&w, p, 2, max, true, &r) == STORE_OK && r.next_offset == 3);
		free(r.bytes);
	}
	CU_ASSERT(world_read(&w, p, 4, 1000, true, &r) == STORE_OK && r.n == 0);
	CU_ASSERT(world_read(&w, p, 6, 1000, true, &r) == STORE_OFFSET_OUT_OF_RANGE);
	CU_ASSERT(world_read(&w, p, -1, 1000, true, &r) == STORE_OFFSET_OUT_OF_RANGE);
	world_settle(&w);
	world_end(&w);
}

static void
what_is_not_at_hand_is_waited_for(void)
{
	struct partition_read r;
	struct partition *p;

	world_begin(&w);
	p = world_partition(&w, 0);
	for (int i = 0; i < 20; i++)
		world_append(&w, p, true, 1, 3000, NULL, NULL);
	fake_disk_cold(100);
	for (int i = 0; i < 20; i++) {
		CU_ASSERT(world_read(&w, p, i, 9000, true, &r) == STORE_OK && r.next_offset > i);
		free(r.bytes);
	}
	CU_ASSERT(stat_get(&store_stats_of(w.store)->reads_cold) > 0);
	world_end(&w);
}

static void
segments_roll_by_size_and_by_time(void)
{
	struct partition *p;

	world_begin(&w);
	w.partition.segment_bytes = 3000;
	w.partition.segment_ms = 500;
	p = world_partition(&w, 0);
	for (int i = 0; i < 4; i++)
		world_append(&w, p, true, 1, 1000, NULL, NULL);
	CU_ASSERT(p->n_segments == 2);
	w.now += 501;
	world_append(&w, p, true, 1, 1, NULL, NULL);
	CU_ASSERT(p->n_segments == 3 && world_count(&w, p) == 5);
	world_end(&w);
}

static void
damage_costs_one_batch_whatever_byte_it_is(void)
{
	struct partition_read r;
	struct partition *p;
	char path[256];
	size_t size;
	uint8_t byte;

	world_begin(&w);
	p = world_partition(&w, 0);
	for (int i = 0; i < 3; i++)
		world_append(&w, p, true, 2, 10, NULL, NULL);
	segment_path(p->segments[0], path, sizeof path);
	size = (size_t)p->segments[0]->size / 3;
	for (size_t at = size; at < 2 * size; at++) {
		CU_ASSERT(fake_disk_peek(path, (int64_t)at, &byte, 1) == 0);
		byte ^= 4;
		fake_disk_poke(path, (int64_t)at, &byte, 1);
		for (int64_t offset = 0; offset < 6; offset++) {
			p->hint_segment = NULL;
			CU_ASSERT(world_read(&w, p, offset, 1, true, &r) ==
			    (offset / 2 == 1 ? STORE_CORRUPT_MESSAGE : STORE_OK));
			free(r.bytes);
		}
		byte ^= 4;
		fake_disk_poke(path, (int64_t)at, &byte, 1);
	}
	world_end(&w);
}

static void
times_and_epochs_are_found(void)
{
	struct partition_lookup found;
	struct partition *p;
	int32_t epoch;
	int64_t end;

	world_begin(&w);
	p = world_partition(&w, 0);
	for (int i = 0; i < 3; i++, w.now += 100)
		world_append(&w, p, true, 2, 10, NULL, NULL);
	CU_ASSERT(world_look_up(&w, p, WORLD_NOW + 50, false, &found) == STORE_OK && found.offset == 2 &&
	    found.timestamp == WORLD_NOW + 100);
	CU_ASSERT(world_look_up(&w, p, WORLD_NOW + 201, false, &found) == STORE_OK && found.offset == -1);
	CU_ASSERT(world_look_up(&w, p, 0, true, &found) == STORE_OK && found.offset == 4);
	partition_epoch_end(p, 0, &epoch, &end);
	CU_ASSERT(epoch == 0 && end == 6);
	world_cut(&w, false);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, NULL) == STORE_OK);
	partition_epoch_end(p, 0, &epoch, &end);
	CU_ASSERT(epoch == 0 && end == 6);
	partition_epoch_end(p, 1, &epoch, &end);
	CU_ASSERT(epoch == 1 && end == 7);
	CU_ASSERT(partition_epoch_at(p, 5) == 0 && partition_epoch_at(p, 6) == 1 && partition_epoch_at(p, 7) == -1);
	world_end(&w);
}

static void
the_front_is_cut_durably(void)
{
	struct partition_read r;
	struct partition *p;

	world_begin(&w);
	w.partition.segment_bytes = 2000;
	p = world_partition(&w, 0);
	for (int i = 0; i < 6; i++)
		world_append(&w, p, true, 1, 900, NULL, NULL);
	CU_ASSERT(world_cut_front(&w, p, 7) == STORE_OFFSET_OUT_OF_RANGE);
	CU_ASSERT(world_cut_front(&w, p, 3) == STORE_OK && partition_log_start(p) == 3);
	CU_ASSERT(world_cut_front(&w, p, 1) == STORE_OK && partition_log_start(p) == 3);
	CU_ASSERT(world_read(&w, p, 2, 1000, true, &r) == STORE_OFFSET_OUT_OF_RANGE);
	world_cut(&w, true);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(partition_log_start(p) == 3 && world_count(&w, p) == 3);
	CU_ASSERT(world_cut_front(&w, p, -1) == STORE_OK);
	world_close(&w);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(store_started_clean(w.store) && partition_log_start(p) == 6 && p->n_segments == 1);
	world_end(&w);
}

static void
nothing(struct partition_cut *c)
{
	c->done = NULL;
}

static void
a_smaller_cut_takes_nothing_back(void)
{
	struct partition_cut large = { .offset = 4, .done = nothing }, small = { .offset = 2, .done = nothing };
	struct partition *p;

	world_begin(&w);
	p = world_partition(&w, 0);
	world_append(&w, p, true, 5, 10, NULL, NULL);
	CU_ASSERT(!partition_cut_front(p, &large) && !partition_cut_front(p, &small));
	world_settle(&w);
	CU_ASSERT(large.done == NULL && small.done == NULL && partition_log_start(p) == 4);
	CU_ASSERT(large.log_start == 4 && small.log_start == 4);
	world_cut(&w, true);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(partition_log_start(world_partition(&w, 0)) == 4);
	world_end(&w);
}

static void
a_cut_outlives_what_was_not_durable(void)
{
	struct partition *p;

	world_begin(&w);
	p = world_partition(&w, 0);
	world_append(&w, p, false, 50, 10, NULL, NULL);
	CU_ASSERT(world_cut_front(&w, p, 50) == STORE_OK);
	world_cut(&w, true);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(partition_log_start(p) >= 50 && partition_log_end(p) >= 50);
	partition_check(p);
	world_end(&w);
}

static void
deletion_ends_what_waits(void)
{
	struct partition *p;
	struct append a;

	world_begin(&w);
	p = world_partition(&w, 0);
	world_append(&w, p, true, 1, 10, NULL, NULL);
	CU_ASSERT(!world_begin_append(&w, p, true, 1, 10, &a));
	store_delete_partition(w.store, p);
	CU_ASSERT(world_over(&a) && a.error == STORE_GONE && a.base_offset == -1);
	world_settle(&w);
	p = world_partition(&w, 0);
	CU_ASSERT(partition_log_end(p) == 0);
	world_end(&w);
}

static void
a_failed_sync_takes_only_its_partition_offline(void)
{
	struct partition *p, *other;

	world_begin(&w);
	p = world_partition(&w, 0);
	other = world_partition(&w, 1);
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, NULL) == STORE_OK);
	fake_disk_fail(0, EIO, false, FAKE_SYNC, "/logs/BwAA");
	CU_ASSERT(world_append(&w, p, true, 1, 50000, NULL, NULL) == STORE_DISK);
	CU_ASSERT(!partition_online(p) && partition_online(other) && w.failures == 0);
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, NULL) == STORE_DISK);
	CU_ASSERT(world_append(&w, other, true, 1, 50000, NULL, NULL) == STORE_OK);
	store_checkpoint(w.store);
	world_settle(&w);
	world_close(&w);
	fake_disk_power_cut(1);
	fake_disk_begin(1, 0);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(!store_started_clean(w.store)); /* the journal had what the segment lacked */
	CU_ASSERT(world_count(&w, world_partition(&w, 0)) >= 1 && world_count(&w, world_partition(&w, 1)) == 1);
	world_end(&w);
}

static void
a_full_disk_refuses_and_recovers(void)
{
	struct partition *p;
	int64_t base;

	world_begin(&w);
	p = world_partition(&w, 0);
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, NULL) == STORE_OK);
	fake_disk_fail(0, ENOSPC, false, FAKE_WRITE, "/logs/BwAA");
	CU_ASSERT(world_append(&w, p, true, 1, 500, NULL, NULL) == STORE_DISK);
	CU_ASSERT(partition_online(p));
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, &base) == STORE_OK && base == 1);
	CU_ASSERT(world_count(&w, p) == 2);
	world_end(&w);
}

/* Appends to both partitions until a commit finds no room for them. */
static void
fill_journal(struct append *a, struct partition *p)
{
	int i;

	fake_disk_fail(0, ENOSPC, true, FAKE_WRITE, "/journal");
	CU_ASSERT(!world_begin_append(&w, p, true, 1, 10, a));
	for (i = 0; i < 100 && !journal_full(w.store->journal); i++) {
		store_flush(w.store);
		mailbox_wait(w.mailbox);
		mailbox_run(w.mailbox);
	}
	CU_ASSERT_FATAL(journal_full(w.store->journal));
}

static void
a_journal_without_room_waits_for_it(void)
{
	struct partition *p;
	struct append a;
	int64_t base;

	world_begin(&w);
	p = world_partition(&w, 0);
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, NULL) == STORE_OK);
	fill_journal(&a, p);
	CU_ASSERT(w.failures == 0 && !world_over(&a));
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, NULL) == STORE_DISK);
	CU_ASSERT(partition_high_watermark(p) == 1);
	/* Still no room. */
	store_tick(w.store, w.now + 1000, w.now + 1000);
	world_settle(&w);
	CU_ASSERT(journal_full(w.store->journal) && !world_over(&a));
	fake_disk_fail(0, 0, false, 0, NULL);
	store_tick(w.store, w.now + 2000, w.now + 2000);
	while (!world_over(&a)) {
		store_flush(w.store);
		mailbox_wait(w.mailbox);
		mailbox_run(w.mailbox);
	}
	CU_ASSERT(a.error == STORE_OK && a.base_offset == 1);
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, &base) == STORE_OK && base == 2);
	world_cut(&w, true);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(world_count(&w, world_partition(&w, 0)) == 3);
	world_end(&w);
}

/* Refused, it has no effect, not even by way of the next one. */
static void
a_cut_that_was_refused_leaves_no_trace(void)
{
	struct partition *p;
	struct append a;

	world_begin(&w);
	p = world_partition(&w, 0);
	CU_ASSERT(world_append(&w, p, true, 100, 10, NULL, NULL) == STORE_OK);
	fill_journal(&a, p);
	CU_ASSERT(world_cut_front(&w, p, 90) == STORE_DISK && partition_log_start(p) == 0);
	fake_disk_fail(0, 0, false, 0, NULL);
	store_tick(w.store, w.now + 1000, w.now + 1000);
	while (!world_over(&a)) {
		store_flush(w.store);
		mailbox_wait(w.mailbox);
		mailbox_run(w.mailbox);
	}
	CU_ASSERT(world_cut_front(&w, p, 10) == STORE_OK && partition_log_start(p) == 10);
	world_cut(&w, true);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(partition_log_start(world_partition(&w, 0)) == 10);
	world_end(&w);
}

static void
a_store_without_room_for_its_journal_closes(void)
{
	struct append a;

	world_begin(&w);
	fill_journal(&a, world_partition(&w, 0));
	world_close(&w);
	CU_ASSERT(world_over(&a));
	fake_disk_fail(0, 0, false, 0, NULL);
	CU_ASSERT_FATAL(world_open(&w));
	/* Its checkpoint has made it durable, whatever was answered. */
	CU_ASSERT(world_count(&w, world_partition(&w, 0)) == 1);
	world_end(&w);
}

static void
wait_until_over(const struct append *a)
{
	for (int i = 1; i < 10 && !world_over(a); i++) {
		world_settle(&w);
		store_tick(w.store, w.now + i * 1000, w.now + i * 1000);
	}
	CU_ASSERT(world_over(a));
}

/* Segments are synced by descriptors of their own: that there are none is no failed sync. */
static void
a_sync_without_descriptors_is_put_off(void)
{
	struct partition *p, *other;
	struct append a;

	world_begin(&w);
	p = world_partition(&w, 0);
	other = world_partition(&w, 1);
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, NULL) == STORE_OK);
	CU_ASSERT(world_append(&w, other, true, 1, 10, NULL, NULL) == STORE_OK);
	fake_disk_fail(0, EMFILE, true, FAKE_OPEN | FAKE_SYNC_DIR, "/logs/BwAA");
	CU_ASSERT(!world_begin_append(&w, p, true, 1, 50000, &a));
	for (int i = 1; i < 4; i++) {
		world_settle(&w);
		store_tick(w.store, w.now + i * 1000, w.now + i * 1000);
		CU_ASSERT(!world_over(&a) && partition_online(p) && w.failures == 0);
	}
	fake_disk_fail(0, 0, false, 0, NULL);
	CU_ASSERT(world_append(&w, other, true, 1, 50000, NULL, NULL) == STORE_OK);
	wait_until_over(&a);
	CU_ASSERT(a.error == STORE_OK && a.base_offset == 1);
	world_cut(&w, true);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(world_count(&w, world_partition(&w, 0)) == 2);
	world_end(&w);
}

static void
a_store_that_lacks_descriptors_closes(void)
{
	struct append a;

	world_begin(&w);
	CU_ASSERT(world_append(&w, world_partition(&w, 0), true, 1, 10, NULL, NULL) == STORE_OK);
	fake_disk_fail(0, ENFILE, true, FAKE_OPEN | FAKE_SYNC_DIR, "/logs/BwAA");
	CU_ASSERT(!world_begin_append(&w, world_partition(&w, 0), true, 1, 50000, &a));
	world_settle(&w);
	world_close(&w);
	CU_ASSERT(world_over(&a) && w.failures == 0);
	fake_disk_fail(0, 0, false, 0, NULL);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(world_count(&w, world_partition(&w, 0)) >= 1);
	world_end(&w);
}

static void
a_journal_without_descriptors_waits_for_them(void)
{
	struct partition *p;
	struct append a;

	world_begin(&w);
	p = world_partition(&w, 0);
	fake_disk_fail(0, EMFILE, true, FAKE_OPEN | FAKE_SYNC_DIR, "/journal");
	CU_ASSERT(!world_begin_append(&w, p, true, 1, 10, &a));
	world_settle(&w);
	CU_ASSERT(w.failures == 0 && !world_over(&a));
	fake_disk_fail(0, 0, false, 0, NULL);
	wait_until_over(&a);
	CU_ASSERT(a.error == STORE_OK);
	world_end(&w);
}

const struct unit_test partition_tests[] = {
	UNIT(acks_1_waits_for_acks_all_before_it),
	UNIT(large_batches_wait_for_their_segment),
	UNIT(large_batches_wait_for_the_state_before_them),
	UNIT(offsets_that_were_seen_are_not_given_out_again),
	UNIT(a_reader_passes_segments_that_only_skip),
	UNIT(reads_keep_to_their_limits),
	UNIT(what_is_not_at_hand_is_waited_for),
	UNIT(segments_roll_by_size_and_by_time),
	UNIT(damage_costs_one_batch_whatever_byte_it_is),
	UNIT(times_and_epochs_are_found),
	UNIT(the_front_is_cut_durably),
	UNIT(a_smaller_cut_takes_nothing_back),
	UNIT(a_cut_outlives_what_was_not_durable),
	UNIT(deletion_ends_what_waits),
	UNIT(a_failed_sync_takes_only_its_partition_offline),
	UNIT(a_full_disk_refuses_and_recovers),
	UNIT(a_journal_without_room_waits_for_it),
	UNIT(a_cut_that_was_refused_leaves_no_trace),
	UNIT(a_store_without_room_for_its_journal_closes),
	UNIT(a_sync_without_descriptors_is_put_off),
	UNIT(a_store_that_lacks_descriptors_closes),
	UNIT(a_journal_without_descriptors_waits_for_them),
	UNIT_END
};
