/* examine_test.c -- looking into compressed batches ahead of their appends. */
#include <stdlib.h>

#include "store/codec.h"
#include "world.h"

/* Records of this many bytes: a batch that is small as it comes and as it was, one that inflates, a large one. */
enum { SMALL = 100, INFLATES = 100000, LARGE = 200000 };

static struct world w;
static struct partition *p;
static struct batch_builder b;
static struct append a;
static struct partition_examination e;

static void
begin(void)
{
	world_begin(&w);
	p = world_partition(&w, 0);
}

static void
append_done(struct append *it)
{
	it->done = NULL;
}

static void
examined(struct partition_examination *it)
{
	it->done = NULL;
}

/* Bytes that no codec makes smaller. */
static void
fill(uint8_t *to, size_t n)
{
	uint32_t x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		to[i] = (uint8_t)(x >> 24);
	}
}

static void
build(size_t size, bool random)
{
	uint8_t *value = calloc(1, size);

	CU_ASSERT_FATAL(value != NULL);
	if (random)
		fill(value, size);
	batch_begin(&b, w.now);
	batch_add(&b, span_of("key", 3), span_of(value, size));
	batch_finish(&b);
	free(value);
	a = (struct append){ .durable = true, .zstd_allowed = true, .now_ms = w.now, .done = append_done };
	e = (struct partition_examination){ .append = &a, .done = examined };
}

static bool
begin_examination(void)
{
	a.bytes = b.bytes.p;
	a.n = b.bytes.n;
	return partition_examine(p, &e);
}

static void
wait_for_examination(void)
{
	while (e.done != NULL)
		mailbox_run(w.mailbox);
}

static enum store_error
append(void)
{
	if (partition_append(p, &a))
		a.done = NULL;
	while (!world_over(&a)) {
		store_flush(w.store);
		mailbox_wait(w.mailbox);
		mailbox_run(w.mailbox);
	}
	buf_done(&b.bytes);
	return a.error;
}

static void
small_ones_are_looked_into_at_once(void)
{
	begin();
	for (int codec = 0; codec < CODECS; codec++) {
		build(SMALL, true);
		world_pack(&b, codec);
		world_inflations = 0;
		CU_ASSERT(begin_examination() && world_inflations == (codec == CODEC_NONE ? 0 : 1));
		CU_ASSERT(append() == STORE_OK && world_inflations == (codec == CODEC_NONE ? 0 : 1));
	}
	CU_ASSERT(stat_get(&store_stats_of(w.store)->examinations) == 0);
	world_end(&w);
}

/* By a thread, to the end, and never by the loop. */
static void
others_are_looked_into_by_a_thread_and_once(void)
{
	begin();
	for (int codec = 1; codec < CODECS; codec++) {
		build(LARGE, true);
		world_pack(&b, codec);
		world_inflations = 0;
		CU_ASSERT(!begin_examination() && world_inflations == 0);
		wait_for_examination();
		CU_ASSERT(world_inflations == 1);
		CU_ASSERT(append() == STORE_OK && world_inflations == 1);
	}
	CU_ASSERT(world_count(&w, p) == CODECS - 1);
	world_end(&w);
}

static void
one_that_inflates_is_begun_and_left_to_a_thread(void)
{
	begin();
	build(INFLATES, false);
	world_pack(&b, CODEC_GZIP);
	CU_ASSERT(!begin_examination());
	wait_for_examination();
	CU_ASSERT(append() == STORE_OK);
	world_end(&w);
}

static void
what_is_found_is_what_the_append_says(void)
{
	begin();
	build(LARGE, true);
	world_pack(&b, CODEC_LZ4);
	memset(b.bytes.p + BATCH_HEADER, 'x', 100); /* and the checksum is wrong */
	CU_ASSERT(!begin_examination());
	wait_for_examination();
	CU_ASSERT(append() == STORE_CORRUPT_MESSAGE && partition_log_end(p) == 0);
	w.partition.compacted = true;
	p = world_partition(&w, 0);
	batch_begin(&b, w.now);
	batch_add(&b, span_of("key", 3), span_of("v", 1));
	batch_add(&b, span_of(NULL, 0), span_of("v", 1));
	batch_finish(&b);
	a = (struct append){ .durable = true, .now_ms = w.now, .done = append_done };
	world_pack(&b, CODEC_SNAPPY);
	CU_ASSERT(begin_examination());
	CU_ASSERT(append() == STORE_NO_KEY && a.bad_record == 1);
	world_end(&w);
}

static void
what_is_found_is_of_one_batch_alone(void)
{
	static uint8_t junk[100];

	begin();
	build(LARGE, true);
	world_pack(&b, CODEC_LZ4);
	CU_ASSERT(!begin_examination());
	wait_for_examination();
	CU_ASSERT(append() == STORE_OK);
	a.bytes = junk;
	a.n = sizeof junk;
	CU_ASSERT(append() == STORE_INVALID_RECORD);
	build(SMALL, true);
	a.error = STORE_INVALID_RECORD;
	a.bytes = b.bytes.p;
	a.n = b.bytes.n;
	CU_ASSERT(append() == STORE_OK);
	world_end(&w);
}

static void
more_than_a_batch_may_inflate_to_is_too_large(void)
{
	begin();
	build((size_t)BATCH_INFLATED_MAX, false);
	world_pack(&b, CODEC_GZIP);
	CU_ASSERT(!begin_examination());
	wait_for_examination();
	CU_ASSERT(append() == STORE_MESSAGE_TOO_LARGE);
	world_end(&w);
}

/* The partition may go meanwhile: the append finds that out. */
static void
a_partition_may_be_deleted_while_a_thread_looks(void)
{
	begin();
	build(LARGE, true);
	world_pack(&b, CODEC_ZSTD);
	CU_ASSERT(!begin_examination());
	store_delete_partition(w.store, p);
	wait_for_examination();
	CU_ASSERT(a.error == STORE_OK);
	p = world_partition(&w, 0);
	CU_ASSERT(append() == STORE_OK && a.base_offset == 0);
	world_end(&w);
}

const struct unit_test examine_tests[] = {
	UNIT(small_ones_are_looked_into_at_once),
	UNIT(others_are_looked_into_by_a_thread_and_once),
	UNIT(one_that_inflates_is_begun_and_left_to_a_thread),
	UNIT(what_is_found_is_what_the_append_says),
	UNIT(what_is_found_is_of_one_batch_alone),
	UNIT(more_than_a_batch_may_inflate_to_is_too_large),
	UNIT(a_partition_may_be_deleted_while_a_thread_looks),
	UNIT_END
};
