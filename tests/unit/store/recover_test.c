/* recover_test.c -- which segments a start keeps, makes again, or drops, where the starts before it were cut. */
#include "world.h"

enum { RECORD_BYTES = 100, IN_FIRST = 5, ALL = 8, LARGE = 20000 /* the journal has none such */ };

static struct world w;

static void
path_of(int64_t base, int32_t epoch, char *path, size_t size)
{
	struct segment s = { .partition = world_partition(&w, 0), .base = base, .epoch = epoch };

	segment_path(&s, path, size);
}

static bool
is_there(const char *path)
{
	uint8_t byte;

	return fake_disk_peek(path, 0, &byte, 0) == 0;
}

/*
 * Two segments that the journal has all of and the index nothing, and between them one
 * that overlaps the first, as a start leaves it that was cut.
 */
static void
begin(char *overlapping, char *second, size_t size)
{
	struct partition *p;
	int fd;

	world_begin(&w);
	w.partition.segment_bytes = (IN_FIRST + 1) * (BATCH_HEADER + RECORD_BYTES);
	p = world_partition(&w, 0);
	for (int i = 0; i < ALL; i++)
		CU_ASSERT(world_append(&w, p, true, 1, RECORD_BYTES, NULL, NULL) == STORE_OK);
	CU_ASSERT_FATAL(p->n_segments == 2 && p->segments[1]->base == IN_FIRST && !p->segments[1]->recorded);
	path_of(IN_FIRST - 2, p->segments[1]->epoch, overlapping, size);
	path_of(IN_FIRST, p->segments[1]->epoch, second, size);
	world_cut(&w, false);
	fd = file_open(overlapping, FILE_CREATE_NEW);
	CU_ASSERT_FATAL(fd != -1);
	file_close(fd);
}

/* By the name that both have, the one that was made again would be deleted with the dropped one. */
static void
a_segment_behind_one_that_overlaps_is_taken_and_not_made_again(void)
{
	char overlapping[256], second[256];
	struct partition *p;

	begin(overlapping, second, sizeof second);
	for (int start = 0; start < 2; start++) {
		CU_ASSERT_FATAL(world_open(&w));
		world_settle(&w);
		p = world_partition(&w, 0);
		partition_check(p);
		CU_ASSERT(is_there(second) && !is_there(overlapping));
		CU_ASSERT(partition_log_end(p) == ALL + start && world_count(&w, p) == ALL + start);
		CU_ASSERT(world_append(&w, p, true, 1, RECORD_BYTES, NULL, NULL) == STORE_OK && w.failures == 0);
		world_cut(&w, false);
	}
	CU_ASSERT_FATAL(world_open(&w));
	world_end(&w);
}

/* Where its file did not outlive the cut, there is nothing to take: it is made again. */
static void
a_segment_that_is_lost_behind_one_that_overlaps_is_made_again(void)
{
	char overlapping[256], second[256];
	struct partition *p;

	begin(overlapping, second, sizeof second);
	CU_ASSERT_FATAL(file_unlink(second) == 0);
	CU_ASSERT_FATAL(world_open(&w));
	world_settle(&w);
	p = world_partition(&w, 0);
	partition_check(p);
	CU_ASSERT(is_there(second) && !is_there(overlapping));
	CU_ASSERT(partition_log_end(p) == ALL && world_count(&w, p) == ALL && w.failures == 0);
	world_end(&w);
}

/* The name that a compaction gives to a closed segment of one record: it tells its end. */
static void
compacted_path(int64_t base, int32_t epoch, char *path, size_t size)
{
	struct segment s = { .partition = world_partition(&w, 0), .base = base, .epoch = epoch, .generation = 1, .until = base + 1 };

	segment_path(&s, path, size);
}

/*
 * A start without an index keeps what lies behind a hole, since it can't know whether it was promised.  When both sides
 * have been compacted, and the index does not know that yet, they are kept still, and all that lies behind them.
 */
static void
compacted_segments_with_a_hole_between_them_stay(void)
{
	char paths[3][256], names[3][256], last[256];
	struct partition *p;

	world_begin(&w);
	w.partition.segment_bytes = LARGE * 3 / 2; /* one each */
	p = world_partition(&w, 0);
	for (int i = 0; i < 4; i++)
		CU_ASSERT(world_append(&w, p, true, 1, LARGE, NULL, NULL) == STORE_OK);
	CU_ASSERT_FATAL(p->n_segments == 4);
	for (int i = 0; i < 3; i++) {
		path_of(i, p->segments[i]->epoch, paths[i], sizeof paths[i]);
		compacted_path(i, p->segments[i]->epoch, names[i], sizeof names[i]);
	}
	path_of(3, p->segments[3]->epoch, last, sizeof last);
	store_checkpoint(w.store);
	world_settle(&w);
	CU_ASSERT_FATAL(p->segments[3]->recorded);
	world_cut(&w, false);
	CU_ASSERT(file_rename(paths[0], names[0]) == 0);
	CU_ASSERT(file_unlink(paths[1]) == 0);
	CU_ASSERT(file_rename(paths[2], names[2]) == 0);
	CU_ASSERT_FATAL(world_open(&w));
	world_settle(&w);
	p = world_partition(&w, 0);
	partition_check(p);
	CU_ASSERT_EQUAL(partition_log_end(p), 4);
	CU_ASSERT(is_there(names[0]) && is_there(names[2]) && is_there(last));
	world_end(&w);
}

const struct unit_test recover_tests[] = {
	UNIT(a_segment_behind_one_that_overlaps_is_taken_and_not_made_again),
	UNIT(a_segment_that_is_lost_behind_one_that_overlaps_is_made_again),
	UNIT(compacted_segments_with_a_hole_between_them_stay),
	UNIT_END
};
