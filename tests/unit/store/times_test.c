/* times_test.c -- looking up by time, held to a list of all records. */
#include <stdlib.h>

#include "base/crc32c.h"
#include "store/codec.h"
#include "world.h"

enum { RECORDS_MAX = 128, STEP = 10, TIME_MAX = 1000 };

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
is_record(const struct partition_lookup *found, int i)
{
	return i == -1 ? found->offset == -1 && found->timestamp == -1 :
	    found->offset == records[i].offset && found->timestamp == records[i].time;
}

/* The largest time, and every other. */
static bool
all_are_found(void)
{
	struct partition_lookup found;
	bool ok = true;
	int largest = -1;

	for (int64_t time = 0; time <= TIME_MAX; time += STEP) {
		int i = first_at(time);

		ok = ok && world_look_up(&w, p, time, false, &found) == STORE_OK && is_record(&found, i);
		largest = i == -1 ? largest : i;
	}
	return ok && world_look_up(&w, p, 0, true, &found) == STORE_OK && is_record(&found, largest);
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

/* What a producer says of its batch is made what its records say; look-ups rely on it. */
static void
a_batch_that_claims_a_later_time_than_its_records_have_is_put_right(void)
{
	struct append a = { .durable = true, .now_ms = 300, .done = nothing };
	struct partition_read read;
	struct batch_builder b;
	struct batch header;

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
	CU_ASSERT(world_read(&w, p, a.base_offset, 1000, true, &read) == STORE_OK);
	CU_ASSERT(batch_header(&header, span_of(read.bytes, read.n)) && header.max_timestamp == 300);
	free(read.bytes);
	CU_ASSERT(all_are_found());
	add(250, 10);
	CU_ASSERT(all_are_found());
	add(600, 10);
	CU_ASSERT(all_are_found());
	world_end(&w);
}

/* ---- what a look-up costs ---- */

/* So many records of one compressed batch, a millisecond apart from `time` on. */
static bool
begin_compressed(struct append *a, int n, int64_t time)
{
	struct batch_builder b;
	bool over;

	batch_begin(&b, time);
	for (int i = 0; i < n; i++) {
		size_t at = b.bytes.n;

		batch_add(&b, span_of("key", 3), span_of("value", 5));
		b.bytes.p[at + 2] = (uint8_t)(i * 2); /* behind length and attributes: the time */
		note(partition_log_end(p) + i, time + i);
	}
	batch_finish(&b);
	world_pack(&b, CODEC_GZIP);
	*a = (struct append){ .bytes = b.bytes.p, .n = b.bytes.n, .durable = true, .now_ms = time + n, .done = nothing };
	over = partition_append(p, a);
	CU_ASSERT(a->error == STORE_OK);
	buf_done(&b.bytes);
	return over;
}

static void
begin_compressed_log(int batches)
{
	struct append a;

	begin(1 << 20);
	for (int i = 0; i < batches; i++) {
		CU_ASSERT(!begin_compressed(&a, 3, 10 + i * 4));
		world_settle(&w);
	}
}

static void
begun(struct partition_lookup *l)
{
	l->done = NULL;
}

/* Whatever is asked, and whatever can't be seen. */
static void
a_look_up_inflates_one_batch_and_one_at_the_log_start(void)
{
	struct partition_lookup found;
	struct append a;

	begin_compressed_log(20);
	for (int64_t cut = 0; cut < 60; cut += 7) {
		int last = n_records - 1;

		CU_ASSERT(world_cut_front(&w, p, cut) == STORE_OK);
		CU_ASSERT(!begin_compressed(&a, 3, 100 + cut)); /* later than all that can be seen */
		for (int64_t time = 0; time < 100; time += 3) {
			world_inflations = 0;
			CU_ASSERT(world_look_up(&w, p, time, false, &found) == STORE_OK);
			CU_ASSERT(is_record(&found, first_at(time)) && world_inflations <= 2);
		}
		world_inflations = 0;
		CU_ASSERT(world_look_up(&w, p, 0, true, &found) == STORE_OK);
		CU_ASSERT(is_record(&found, last) && world_inflations <= 2);
		world_settle(&w);
	}
	world_end(&w);
}

static void
the_loop_inflates_nothing_for_a_look_up(void)
{
	struct partition_lookup l = { .max_time = true, .done = begun };

	begin_compressed_log(2);
	world_inflations = 0;
	CU_ASSERT(!partition_look_up(p, &l) && world_inflations == 0);
	while (l.done != NULL)
		mailbox_run(w.mailbox);
	CU_ASSERT(world_inflations == 1 && is_record(&l, n_records - 1));
	l = (struct partition_lookup){ .time = 5000, .done = begun };
	CU_ASSERT(partition_look_up(p, &l) && l.offset == -1); /* later than all */
	world_end(&w);
}

static void
a_look_up_in_what_is_deleted_meanwhile_says_so(void)
{
	struct partition_lookup l = { .max_time = true, .done = begun };

	begin_compressed_log(2);
	CU_ASSERT(!partition_look_up(p, &l));
	store_delete_partition(w.store, p);
	while (l.done != NULL)
		mailbox_run(w.mailbox);
	CU_ASSERT(l.error == STORE_GONE && l.offset == -1);
	world_end(&w);
}

const struct unit_test times_tests[] = {
	UNIT(an_empty_log_has_no_times),
	UNIT(times_are_found_in_their_segment_whatever_their_order),
	UNIT(times_are_found_from_the_places_of_the_index),
	UNIT(what_was_cut_is_not_found),
	UNIT(what_is_not_visible_is_not_found),
	UNIT(a_batch_that_claims_a_later_time_than_its_records_have_is_put_right),
	UNIT(a_look_up_inflates_one_batch_and_one_at_the_log_start),
	UNIT(the_loop_inflates_nothing_for_a_look_up),
	UNIT(a_look_up_in_what_is_deleted_meanwhile_says_so),
	UNIT_END
};
