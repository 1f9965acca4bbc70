/* damage_test.c -- what a start makes of damage: one batch's loss, wherever it is and whenever the kill came. */
#include "world.h"

#include <stdlib.h>

enum { SMALL = 10, LARGE = 20000, ORDERS = 40 };

static struct world w;

/* What happens next, a step at a time, so that a kill can come right behind an answer. */
static void
wait_until_over(const struct append *a)
{
	while (!world_over(a)) {
		store_flush(w.store);
		mailbox_wait(w.mailbox);
		mailbox_run(w.mailbox);
	}
}

/* Changes a byte of the batch that begins at this place of the segment. */
static void
damage(const char *path, int64_t pos)
{
	uint8_t byte;

	CU_ASSERT_FATAL(fake_disk_peek(path, pos + BATCH_HEADER, &byte, 1) == 0);
	byte ^= 1;
	CU_ASSERT_FATAL(fake_disk_poke(path, pos + BATCH_HEADER, &byte, 1) == 0);
}

static void
kill_and_damage(const struct partition *p, size_t segment, int64_t pos)
{
	char path[256];

	segment_path(p->segments[segment], path, sizeof path);
	world_cut(&w, false);
	damage(path, pos);
}

static enum store_error
read_at(int64_t offset)
{
	struct partition_read r;
	enum store_error error = world_read(&w, world_partition(&w, 0), offset, 1, true, &r);

	free(r.bytes);
	return error;
}

/* Killed when the batch behind a large one has just been answered, in an order that the seed chooses. */
static void
kill_behind_answer(uint64_t seed, size_t first, size_t second)
{
	struct append a, b;
	struct partition *p;

	world_begin(&w);
	fake_worker_seed(seed);
	p = world_partition(&w, 0);
	CU_ASSERT(!world_begin_append(&w, p, true, 1, first, &a));
	if (seed % 2 == 0)
		store_flush(w.store); /* the second comes while the first is synced */
	CU_ASSERT(!world_begin_append(&w, p, true, 1, second, &b));
	wait_until_over(&b);
	CU_ASSERT(world_over(&a) && a.error == STORE_OK && b.error == STORE_OK);
	kill_and_damage(p, 0, 0);
	CU_ASSERT_FATAL(world_open(&w));
	CU_ASSERT(read_at(0) == (first == LARGE ? STORE_CORRUPT_MESSAGE : STORE_OK) && read_at(1) == STORE_OK);
	world_end(&w);
}

static void
what_was_answered_outlives_damage_before_it(void)
{
	for (uint64_t seed = 1; seed <= ORDERS; seed++) {
		kill_behind_answer(seed, LARGE, SMALL);
		kill_behind_answer(seed, LARGE, LARGE);
		kill_behind_answer(seed, SMALL, LARGE);
	}
}

static void
what_was_answered_outlives_damage_at_the_end_of_a_segment_before_it(void)
{
	struct partition *p;

	for (size_t size = SMALL; size <= LARGE; size += LARGE - SMALL) {
		world_begin(&w);
		w.partition.segment_bytes = LARGE + 1000;
		p = world_partition(&w, 0);
		for (int i = 0; i < 2; i++)
			CU_ASSERT(world_append(&w, p, true, 1, LARGE, NULL, NULL) == STORE_OK);
		CU_ASSERT(world_append(&w, p, true, 1, size, NULL, NULL) == STORE_OK);
		CU_ASSERT_FATAL(p->n_segments >= 2);
		kill_and_damage(p, 0, 0);
		CU_ASSERT_FATAL(world_open(&w));
		CU_ASSERT(read_at(0) == STORE_CORRUPT_MESSAGE && read_at(1) == STORE_OK && read_at(2) == STORE_OK);
		partition_check(world_partition(&w, 0));
		world_end(&w);
	}
}

static void
an_answered_batch_that_is_damaged_keeps_its_offsets(void)
{
	struct partition *p;
	int64_t base;

	world_begin(&w);
	CU_ASSERT(world_append(&w, world_partition(&w, 0), true, 3, LARGE, NULL, NULL) == STORE_OK);
	kill_and_damage(world_partition(&w, 0), 0, 0);
	for (int start = 0; start < 2; start++) {
		CU_ASSERT_FATAL(world_open(&w));
		p = world_partition(&w, 0);
		CU_ASSERT(partition_log_end(p) == 3 + start && read_at(0) == STORE_CORRUPT_MESSAGE &&
		    read_at(2) == STORE_CORRUPT_MESSAGE);
		CU_ASSERT(world_append(&w, p, true, 1, SMALL, NULL, &base) == STORE_OK && base == 3 + start);
		CU_ASSERT(read_at(3) == STORE_OK);
		world_cut(&w, false);
	}
	CU_ASSERT_FATAL(world_open(&w));
	world_end(&w);
}

/* Two batches behind each other, of which a cut of the power could have spared the later. */
static void
damage_that_nobody_vouches_for_is_an_end(void)
{
	struct append a, b;
	struct partition *p;

	world_begin(&w);
	p = world_partition(&w, 0);
	CU_ASSERT(!world_begin_append(&w, p, true, 1, LARGE, &a));
	CU_ASSERT(!world_begin_append(&w, p, true, 1, LARGE, &b));
	kill_and_damage(p, 0, 0);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(partition_log_end(p) == 0 && world_count(&w, p) == 0);
	world_end(&w);
}

/* The file may be shorter than it was known to be, if somebody has cut it. */
static void
what_is_not_there_any_more_is_not_kept(void)
{
	char path[256];
	struct partition *p;
	int fd;

	world_begin(&w);
	p = world_partition(&w, 0);
	CU_ASSERT(world_append(&w, p, true, 1, LARGE, NULL, NULL) == STORE_OK);
	segment_path(p->segments[0], path, sizeof path);
	world_cut(&w, false);
	fd = file_open(path, FILE_WRITE);
	CU_ASSERT_FATAL(fd != -1 && file_truncate(fd, LARGE / 2) == 0);
	file_close(fd);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(partition_log_end(p) == 0 && partition_bytes(p) == 0);
	CU_ASSERT(world_append(&w, p, true, 1, LARGE, NULL, NULL) == STORE_OK && read_at(0) == STORE_OK);
	world_end(&w);
}

const struct unit_test damage_tests[] = {
	UNIT(what_was_answered_outlives_damage_before_it),
	UNIT(what_was_answered_outlives_damage_at_the_end_of_a_segment_before_it),
	UNIT(an_answered_batch_that_is_damaged_keeps_its_offsets),
	UNIT(damage_that_nobody_vouches_for_is_an_end),
	UNIT(what_is_not_there_any_more_is_not_kept),
	UNIT_END
};
