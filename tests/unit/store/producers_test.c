/* producers_test.c -- idempotent producers: sent again, out of order, fenced. */
#include <limits.h>

#include "world.h"

static struct world w;
static struct partition *p;

static enum store_error
send(int64_t id, int16_t epoch, int32_t sequence, int n, int64_t *base)
{
	struct producer_of_batch producer = { id, epoch, sequence };

	return world_append(&w, p, true, n, 10, &producer, base);
}

static void
begin(void)
{
	world_begin(&w);
	p = world_partition(&w, 0);
}

static void
what_is_sent_again_is_stored_once(void)
{
	int64_t base;

	begin();
	for (int i = 0; i < 6; i++)
		CU_ASSERT(send(1, 0, i * 2, 2, &base) == STORE_OK && base == i * 2);
	CU_ASSERT(send(1, 0, 10, 2, &base) == STORE_OK && base == 10);
	CU_ASSERT(send(1, 0, 2, 2, &base) == STORE_OK && base == 2);
	CU_ASSERT(send(1, 0, 0, 2, &base) == STORE_OUT_OF_ORDER_SEQUENCE); /* older than five */
	CU_ASSERT(send(1, 0, 10, 1, &base) == STORE_OUT_OF_ORDER_SEQUENCE); /* another end */
	CU_ASSERT(partition_log_end(p) == 12);
	world_end(&w);
}

static void
gaps_are_refused_and_sequences_go_around(void)
{
	begin();
	CU_ASSERT(send(1, 0, INT32_MAX - 1, 2, NULL) == STORE_OK); /* nothing is known: any will do */
	CU_ASSERT(send(1, 0, 1, 1, NULL) == STORE_OUT_OF_ORDER_SEQUENCE);
	CU_ASSERT(send(1, 0, 0, 1, NULL) == STORE_OK);
	CU_ASSERT(send(1, 0, 1, 1, NULL) == STORE_OK);
	world_end(&w);
}

static void
a_new_epoch_begins_at_0_and_fences_the_old(void)
{
	begin();
	CU_ASSERT(send(1, 3, 0, 1, NULL) == STORE_OK);
	CU_ASSERT(send(1, 4, 1, 1, NULL) == STORE_OUT_OF_ORDER_SEQUENCE);
	CU_ASSERT(send(1, 4, 0, 1, NULL) == STORE_OK);
	CU_ASSERT(send(1, 3, 1, 1, NULL) == STORE_INVALID_PRODUCER_EPOCH);
	world_end(&w);
}

static void
they_expire(void)
{
	begin();
	CU_ASSERT(send(1, 0, 0, 1, NULL) == STORE_OK);
	w.now += 1001;
	CU_ASSERT(send(1, 0, 77, 1, NULL) == STORE_OK);
	world_end(&w);
}

static void
they_outlive_clean_and_unclean_ends(void)
{
	int64_t base;

	begin();
	CU_ASSERT(send(1, 0, 0, 1, NULL) == STORE_OK);
	world_close(&w);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(send(1, 0, 0, 1, &base) == STORE_OK && base == 0);
	CU_ASSERT(send(1, 0, 1, 1, NULL) == STORE_OK);
	world_cut(&w, true);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(send(1, 0, 0, 1, &base) == STORE_OK && base == 0);
	CU_ASSERT(send(1, 0, 1, 1, &base) == STORE_OK && base == 1);
	CU_ASSERT(send(1, 0, 3, 1, NULL) == STORE_OUT_OF_ORDER_SEQUENCE);
	CU_ASSERT(world_count(&w, p) == 2);
	world_end(&w);
}

/* What they sent last may lie in segments that are gone. */
static void
they_outlive_their_segments(void)
{
	int64_t base;

	begin();
	w.partition.segment_bytes = 200;
	p = world_partition(&w, 0);
	for (int i = 0; i < 5; i++)
		CU_ASSERT(send(1, 0, i, 1, NULL) == STORE_OK);
	CU_ASSERT(world_append(&w, p, true, 1, 10, NULL, NULL) == STORE_OK);
	CU_ASSERT(world_cut_front(&w, p, 5) == STORE_OK);
	world_cut(&w, true);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(send(1, 0, 6, 1, NULL) == STORE_OUT_OF_ORDER_SEQUENCE);
	CU_ASSERT(send(1, 0, 5, 1, &base) == STORE_OK && base == partition_log_end(p) - 1);
	world_end(&w);
}

/* ---- forgetting ---- */

static bool
count_one(void *ctx, struct span key, struct span value)
{
	(void)key;
	(void)value;
	++*(int *)ctx;
	return true;
}

/* As memory and, behind a checkpoint, the index have them. */
static bool
remembered(int n)
{
	int indexed = 0;

	store_checkpoint(w.store);
	world_settle(&w);
	index_each(w.store->index, INDEX_PRODUCERS, span_of(NULL, 0), count_one, &indexed);
	return indexed == n && w.store->n_producers == n && (int)p->producers.by_id.n == n;
}

static void
tick(int64_t ms)
{
	w.now += ms;
	store_tick(w.store, w.now, w.now);
	world_settle(&w);
}

static void
the_silent_are_forgotten(void)
{
	begin();
	for (int i = 0; i < 5; i++)
		CU_ASSERT(send(i, 0, 0, 1, NULL) == STORE_OK);
	CU_ASSERT(remembered(5));
	tick(600);
	CU_ASSERT(send(3, 0, 1, 1, NULL) == STORE_OK);
	tick(500);
	CU_ASSERT(remembered(1));
	CU_ASSERT(send(3, 0, 3, 1, NULL) == STORE_OUT_OF_ORDER_SEQUENCE);
	tick(600);
	CU_ASSERT(remembered(0));
	world_end(&w);
}

static void
those_of_an_earlier_life_are_forgotten_too(void)
{
	begin();
	for (int i = 0; i < 5; i++)
		CU_ASSERT(send(i, 0, 0, 1, NULL) == STORE_OK);
	world_close(&w);
	w.now += 500;
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(remembered(5));
	CU_ASSERT(send(2, 0, 1, 1, NULL) == STORE_OK);
	tick(501);
	CU_ASSERT(remembered(1));
	world_end(&w);
}

/* Forgotten, and back before the index was told of either. */
static void
one_that_comes_back_is_remembered(void)
{
	int64_t base;

	begin();
	CU_ASSERT(send(1, 0, 0, 1, NULL) == STORE_OK);
	CU_ASSERT(remembered(1));
	w.now += 1001;
	w.store->wall_ms = w.now;
	producers_expire(w.store);
	CU_ASSERT(w.store->n_producers == 0);
	CU_ASSERT(send(1, 0, 7, 1, NULL) == STORE_OK);
	CU_ASSERT(remembered(1));
	world_close(&w);
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(send(1, 0, 7, 1, &base) == STORE_OK && base == 1);
	CU_ASSERT(send(1, 0, 9, 1, NULL) == STORE_OUT_OF_ORDER_SEQUENCE);
	world_end(&w);
}

static void
beyond_the_limit_the_longest_silent_are_forgotten(void)
{
	enum { MANY = 50 };
	int max;

	begin();
	max = w.config.producers_max;
	for (int i = 0; i < MANY; i++, w.now++)
		CU_ASSERT(send(i, 0, 0, 1, NULL) == STORE_OK);
	CU_ASSERT(remembered(max));
	CU_ASSERT(send(MANY - max, 0, 2, 1, NULL) == STORE_OUT_OF_ORDER_SEQUENCE);
	CU_ASSERT(send(MANY - max - 1, 0, 2, 1, NULL) == STORE_OK); /* nothing is known */
	CU_ASSERT(remembered(max));
	world_cut(&w, true);
	w.config.producers_max = max / 2;
	CU_ASSERT_FATAL(world_open(&w));
	p = world_partition(&w, 0);
	CU_ASSERT(remembered(max / 2));
	CU_ASSERT(send(MANY - max - 1, 0, 9, 1, NULL) == STORE_OUT_OF_ORDER_SEQUENCE);
	world_end(&w);
}

static void
those_of_a_deleted_partition_are_forgotten(void)
{
	begin();
	CU_ASSERT(send(1, 0, 0, 1, NULL) == STORE_OK);
	CU_ASSERT(remembered(1));
	store_delete_partition(w.store, p);
	p = world_partition(&w, 1);
	CU_ASSERT(remembered(0));
	world_end(&w);
}

const struct unit_test producers_tests[] = {
	UNIT(what_is_sent_again_is_stored_once),
	UNIT(gaps_are_refused_and_sequences_go_around),
	UNIT(a_new_epoch_begins_at_0_and_fences_the_old),
	UNIT(they_expire),
	UNIT(they_outlive_clean_and_unclean_ends),
	UNIT(they_outlive_their_segments),
	UNIT(the_silent_are_forgotten),
	UNIT(those_of_an_earlier_life_are_forgotten_too),
	UNIT(one_that_comes_back_is_remembered),
	UNIT(beyond_the_limit_the_longest_silent_are_forgotten),
	UNIT(those_of_a_deleted_partition_are_forgotten),
	UNIT_END
};
