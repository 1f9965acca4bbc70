/* retention_test.c -- what goes by age and by size, what stays, and that a full disk does not keep it. */
#include "world.h"

#include <errno.h>
#include <stdlib.h>

enum { SEGMENT = 10000, RECORD = 4000, DAY = 86400000, RESERVE = 64 * 1024 };

static struct world w;

static void
begin(int64_t retention_ms, int64_t retention_bytes)
{
	world_begin(&w);
	w.partition.segment_bytes = SEGMENT;
	w.partition.deletes = true;
	w.partition.retention_ms = retention_ms;
	w.partition.retention_bytes = retention_bytes;
	w.now = WORLD_NOW * INT64_C(1000);
}

/* Two records fill a segment. */
static void
append(struct partition *p, int n)
{
	for (int i = 0; i < n; i++)
		CU_ASSERT(world_append(&w, p, true, 1, RECORD, NULL, NULL) == STORE_OK);
}

/* A round of visits, and what it brings about. */
static void
pass(int64_t ms)
{
	w.now += ms;
	for (int i = 0; i < 4; i++) {
		store_tick(w.store, w.now, w.now);
		world_settle(&w);
		store_checkpoint(w.store);
		world_settle(&w);
	}
}

static void
segments_that_are_too_old_go(void)
{
	struct partition *p;

	begin(DAY, -1);
	p = world_partition(&w, 0);
	append(p, 4);
	w.now += DAY / 2;
	append(p, 3);
	pass(DAY / 2);
	CU_ASSERT(partition_log_start(p) == 0);
	pass(1);
	CU_ASSERT(partition_log_start(p) == 4 && partition_log_end(p) == 7);
	CU_ASSERT(p->segments[0]->base == 4 && world_count(&w, p) == 3);
	pass(DAY);
	CU_ASSERT(partition_log_start(p) == 7 && partition_bytes(p) == 0);
	world_end(&w);
}

static void
offsets_go_on_where_all_has_gone(void)
{
	struct partition *p;
	int64_t base;

	for (int power = 0; power < 2; power++) {
		begin(DAY, -1);
		append(world_partition(&w, 0), 3);
		pass(DAY + 1);
		CU_ASSERT(partition_log_start(world_partition(&w, 0)) == 3);
		if (power)
			world_cut(&w, true);
		else
			world_close(&w);
		CU_ASSERT_FATAL(world_open(&w));
		p = world_partition(&w, 0);
		CU_ASSERT(partition_log_start(p) == 3 && partition_log_end(p) == 3 && partition_bytes(p) == 0);
		CU_ASSERT(world_append(&w, p, true, 1, RECORD, NULL, &base) == STORE_OK && base == 3);
		partition_check(p);
		world_end(&w);
	}
}

static void
an_empty_active_segment_is_left_alone(void)
{
	struct partition *p;
	uint64_t made;

	begin(DAY, 0);
	p = world_partition(&w, 0);
	append(p, 1);
	pass(DAY + 1);
	made = stat_get(&store_stats_of(w.store)->segments_made);
	pass(DAY + 1);
	CU_ASSERT(stat_get(&store_stats_of(w.store)->segments_made) == made && p->n_segments == 1);
	world_end(&w);
}

static void
more_than_the_size_goes(void)
{
	struct partition *p;
	int64_t size;

	begin(-1, 3 * SEGMENT);
	p = world_partition(&w, 0);
	append(p, 12);
	size = p->segments[0]->size;
	pass(0);
	CU_ASSERT(partition_bytes(p) >= 3 * SEGMENT && partition_bytes(p) - size < 3 * SEGMENT);
	CU_ASSERT(partition_log_start(p) > 0);
	w.partition.retention_bytes = 0; /* taken up at run time */
	world_partition(&w, 0);
	pass(1);
	CU_ASSERT(partition_log_start(p) == 12 && partition_bytes(p) == 0);
	world_end(&w);
}

static void
without_delete_nothing_goes(void)
{
	struct partition *p;

	begin(1, 1);
	w.partition.deletes = false;
	p = world_partition(&w, 0);
	append(p, 4);
	pass(DAY);
	CU_ASSERT(partition_log_start(p) == 0 && world_count(&w, p) == 4);
	world_end(&w);
}

static void
a_time_of_the_future_keeps_its_segment(void)
{
	struct partition *p;

	begin(DAY, -1);
	p = world_partition(&w, 0);
	w.now += 10 * DAY;
	append(p, 2);
	w.now -= 10 * DAY;
	append(p, 2);
	pass(2 * DAY);
	CU_ASSERT(partition_log_start(p) == 0);
	pass(10 * DAY);
	CU_ASSERT(partition_log_start(p) == 4);
	world_end(&w);
}

static void
appended(struct append *a)
{
	(void)a;
}

static void
without_times_the_first_append_decides(void)
{
	struct partition *p;
	struct batch_builder b;
	struct append a;

	begin(DAY, -1);
	p = world_partition(&w, 0);
	for (int i = 0; i < 3; i++) {
		world_batch(&b, 1, RECORD, -1, NULL);
		a = (struct append){ .bytes = b.bytes.p, .n = b.bytes.n, .now_ms = w.now, .done = appended };
		if (!partition_append(p, &a))
			world_settle(&w);
		CU_ASSERT(a.error == STORE_OK);
		buf_done(&b.bytes);
	}
	pass(DAY / 2);
	CU_ASSERT(partition_log_start(p) == 0);
	pass(DAY);
	CU_ASSERT(partition_log_start(p) == 3);
	world_end(&w);
}

/* Of what is behind the high watermark nobody has got anything yet. */
static void
nothing_goes_that_is_not_visible(void)
{
	struct partition *p;
	struct append a;

	begin(DAY, 0);
	p = world_partition(&w, 0);
	append(p, 2);
	CU_ASSERT(!world_begin_append(&w, p, true, 1, RECORD, &a));
	CU_ASSERT(p->n_segments == 2);
	w.now += 2 * DAY;
	retention_visit(p);
	CU_ASSERT(p->n_segments == 2);
	while (!world_over(&a))
		world_settle(&w);
	world_settle(&w);
	CU_ASSERT(partition_log_start(p) == 2);
	world_end(&w);
}

static int told;

static void
on_visible(void *ctx, struct partition *p)
{
	(void)ctx;
	told += !p->internal;
}

static void
whoever_waits_below_the_new_start_is_told(void)
{
	begin(DAY, -1);
	append(world_partition(&w, 0), 1);
	w.store->hooks.visible = on_visible;
	told = 0;
	pass(DAY + 1);
	CU_ASSERT(told == 1);
	world_end(&w);
}

/* So many that one tick does not get to all. */
static void
all_partitions_are_visited_some_at_a_time(void)
{
	enum { PARTITIONS = 2500 };
	int n = 0;

	begin(DAY, -1);
	w.config.upkeep.retention_check_ms = 3600000;
	store_set_upkeep(w.store, &w.config.upkeep);
	pass(3600000); /* one round is over */
	for (int i = 0; i < PARTITIONS; i++)
		world_partition(&w, i);
	append(world_partition(&w, 0), 1);
	append(world_partition(&w, PARTITIONS - 1), 1);
	w.now += 2 * DAY;
	for (; partition_log_start(world_partition(&w, 0)) == 0 ||
	    partition_log_start(world_partition(&w, PARTITIONS - 1)) == 0; n++) {
		int64_t next = store_tick(w.store, w.now, w.now);

		CU_ASSERT_FATAL(n < 10 && next <= w.now + 1000);
		world_settle(&w);
	}
	CU_ASSERT(n > 1);
	world_end(&w);
}

static bool
reserve_is_there(void)
{
	char path[128];
	uint8_t byte;

	snprintf(path, sizeof path, "%s/reserve", w.dir);
	return fake_disk_peek(path, RESERVE - 1, &byte, 1) == 0 && byte != 0;
}

static void
begin_with_reserve(void)
{
	world_begin(&w);
	world_close(&w);
	w.now = WORLD_NOW * INT64_C(1000);
	w.config.reserve_bytes = RESERVE;
	w.partition.segment_bytes = SEGMENT;
	w.partition.deletes = true;
	w.partition.retention_ms = DAY;
	w.partition.retention_bytes = -1;
	CU_ASSERT_FATAL(world_open(&w));
	pass(1000);
	CU_ASSERT(reserve_is_there());
}

static void
a_full_disk_gives_up_its_reserve_and_gets_it_back(void)
{
	struct partition *p;

	begin_with_reserve();
	p = world_partition(&w, 0);
	append(p, 4);
	/* No room for the record that the log start has moved. */
	fake_disk_fail(0, ENOSPC, true, FAKE_WRITE, NULL);
	w.now += DAY + 1;
	store_tick(w.store, w.now, w.now);
	world_settle(&w);
	CU_ASSERT(!reserve_is_there() && partition_log_start(p) == 0);
	/* What it held is room, which producers are not to have. */
	fake_disk_fail(-1, 0, false, 0, NULL);
	CU_ASSERT(world_append(&w, p, true, 1, RECORD, NULL, NULL) == STORE_DISK);
	pass(1000);
	CU_ASSERT(partition_log_start(p) == 4);
	pass(20000);
	CU_ASSERT(reserve_is_there());
	append(p, 1);
	world_end(&w);
}

/* `wall_ms`: how far the clock of the wall is set, beside the time that passes. */
static void
pass_with_clock(int64_t ms, int64_t wall_ms)
{
	w.now += ms;
	for (int i = 0; i < 4; i++) {
		store_tick(w.store, w.now, w.now + wall_ms);
		world_settle(&w);
		store_checkpoint(w.store);
		world_settle(&w);
	}
}

static void
a_clock_that_leaps_makes_nothing_old_for_an_hour(void)
{
	enum { HOUR = 3600000 };
	struct partition *p;

	begin(DAY, -1);
	p = world_partition(&w, 0);
	append(p, 4);
	pass_with_clock(1, INT64_C(3650) * DAY);
	pass_with_clock(HOUR - 2, INT64_C(3650) * DAY);
	CU_ASSERT(partition_log_start(p) == 0);
	/* Put right within the time: as if nothing had been. */
	pass_with_clock(1, 0);
	pass_with_clock(DAY - HOUR, 0);
	CU_ASSERT(partition_log_start(p) == 0);
	pass_with_clock(HOUR, 0);
	CU_ASSERT(partition_log_start(p) == 4);
	/* And one that stays so is believed. */
	append(p, 2);
	pass_with_clock(1, DAY + 1);
	CU_ASSERT(partition_log_start(p) == 4);
	pass_with_clock(HOUR, DAY + 1);
	CU_ASSERT(partition_log_start(p) == 6);
	world_end(&w);
}

const struct unit_test retention_tests[] = {
	UNIT(segments_that_are_too_old_go),
	UNIT(offsets_go_on_where_all_has_gone),
	UNIT(an_empty_active_segment_is_left_alone),
	UNIT(more_than_the_size_goes),
	UNIT(without_delete_nothing_goes),
	UNIT(a_time_of_the_future_keeps_its_segment),
	UNIT(without_times_the_first_append_decides),
	UNIT(nothing_goes_that_is_not_visible),
	UNIT(whoever_waits_below_the_new_start_is_told),
	UNIT(all_partitions_are_visited_some_at_a_time),
	UNIT(a_full_disk_gives_up_its_reserve_and_gets_it_back),
	UNIT(a_clock_that_leaps_makes_nothing_old_for_an_hour),
	UNIT_END
};
