/* times_test.c -- looking up by time, held to a list of all records. */
#include "base/crc32c.h"

#include "world.h"

enum { RECORDS_MAX = 64, STEP = 10, TIME_MAX = 1000 };

/* Times that rise, fall and repeat. */
static const int64_t times[] = { 500, 100, 300, 300, 900, 50, 700, 900, 10, 600, 40, 800, 800, 20, 400, 30 };
enum { TIMES = sizeof times / sizeof *times };

static struct world w;
static struct partition *p;
static struct {
	int64_t offset, time;
} records[RECORDS_MAX];
static int n_records;

static void
begin(int32_t segment_bytes)
{
	world_begin(&w);
	w.partition.segment_bytes = segment_bytes;
	p = world_partition(&w, 0);
	n_records = 0;
}

static void
note(int64_t offset, int64_t time)
{
	records[n_records].offset = offset;
	records[n_records++].time = time;
}

static void
add(int64_t time, size_t size)
{
	int64_t base;

	w.now = time;
	CU_ASSERT(world_append(&w, p, true, 2, size, NULL, &base) == STORE_OK);
	note(base, time);
	note(base + 1, time);
}

/* The first record that can be read at or after the time; -1: none. */
static int
first_at(int64_t time)
{
	for (int i = 0; i < n_records; i++)
		if (records[i].time >= time && records[i].offset >= partition_log_start(p) &&
		    records[i].offset < partition_high_watermark(p))
			return i;
	return -1;
}

static bool
is_record(const struct partition_found *found, int i)
{
	return i == -1 ? found->offset == -1 && found->timestamp == -1 :
	    found->offset == records[i].offset && found->timestamp == records[i].time;
}

/* The largest time, and every other. */
static bool
all_are_found(void)
{
	struct partition_found found;
	bool ok = true;
	int largest = -1;

	for (int64_t time = 0; time <= TIME_MAX; time += STEP) {
		int i = first_at(time);

		ok = ok && partition_find_time(p, time, &found) == STORE_OK && is_record(&found, i);
		largest = i == -1 ? largest : i;
	}
	return ok && partition_find_max_time(p, &found) == STORE_OK && is_record(&found, largest);
}

static void
begin_with_times(int32_t segment_bytes, size_t size)
{
	begin(segment_bytes);
	for (int i = 0; i < TIMES; i++)
		add(times[i], size);
}

static void
an_empty_log_has_no_times(void)
{
	begin(1 << 20);
	CU_ASSERT(all_are_found());
	world_end(&w);
}

static void
times_are_found_in_their_segment_whatever_their_order(void)
{
	begin_with_times(2000, 400);
	CU_ASSERT(p->n_segments > 4);
	CU_ASSERT(all_are_found());
	world_end(&w);
}

/* Some places are in memory, then in the index; after a start, in the index alone. */
static void
times_are_found_from_the_places_of_the_index(void)
{
	begin_with_times(400000, 30000);
	CU_ASSERT(p->n_segments > 1 && p->segments[0]->n_fresh > 0);
	CU_ASSERT(all_are_found());
	store_checkpoint(w.store);
	world_settle(&w);
	CU_ASSERT(p->segments[0]->n_fresh == 0);
	add(650, 30000);
	CU_ASSERT(all_are_found());
	world_close(&w);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(all_are_found());
	world_cut(&w, true);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(all_are_found());
	world_end(&w);
}

/* In whole segments, and within one: what is found there is at or behind the log start. */
static void
what_was_cut_is_not_found(void)
{
	begin_with_times(2000, 400);
	for (int i = 0; i < n_records; i++) {
		CU_ASSERT(world_cut_front(&w, p, records[i].offset) == STORE_OK);
		CU_ASSERT(all_are_found());
	}
	CU_ASSERT(world_cut_front(&w, p, -1) == STORE_OK);
	CU_ASSERT(all_are_found());
	world_end(&w);
}

static void
what_is_not_visible_is_not_found(void)
{
	struct append a[3];

	begin_with_times(2000, 400);
	for (int i = 0; i < 3; i++) {
		w.now = 1000 - i * 30; /* later than all that can be seen */
		note(partition_log_end(p), w.now);
		CU_ASSERT(!world_begin_append(&w, p, true, 1, 400, &a[i]));
		CU_ASSERT(all_are_found());
	}
	world_settle(&w);
	CU_ASSERT(world_over(&a[2]));
	CU_ASSERT(all_are_found());
	world_end(&w);
}

static void
nothing(struct append *a)
{
	(void)a;
}

/* Its header says so, and is believed only as to where to look. */
static void
a_batch_may_claim_a_later_time_than_its_records_have(void)
{
	struct append a = { .durable = true, .now_ms = 300, .done = nothing };
	struct batch_builder b;

	begin(1 << 20);
	add(200, 10);
	world_batch(&b, 1, 10, 300, NULL);
	store64(b.bytes.p + 35, 950);
	store32(b.bytes.p + 17, crc32c(0, b.bytes.p + 21, b.bytes.n - 21));
	a.bytes = b.bytes.p;
	a.n = b.bytes.n;
	CU_ASSERT(!partition_append(p, &a));
	world_settle(&w);
	CU_ASSERT(a.error == STORE_OK);
	note(a.base_offset, 300);
	buf_done(&b.bytes);
	CU_ASSERT(all_are_found());
	add(250, 10);
	CU_ASSERT(all_are_found());
	add(600, 10);
	CU_ASSERT(all_are_found());
	world_end(&w);
}

const struct unit_test times_tests[] = {
	UNIT(an_empty_log_has_no_times),
	UNIT(times_are_found_in_their_segment_whatever_their_order),
	UNIT(times_are_found_from_the_places_of_the_index),
	UNIT(what_was_cut_is_not_found),
	UNIT(what_is_not_visible_is_not_found),
	UNIT(a_batch_may_claim_a_later_time_than_its_records_have),
	UNIT_END
};
