/* fetch_test.c -- what a fetch is told when the log start moves while it is under way. */
#include "unit/api/world.h"

#include "fake/file_fake.h"
#include "store/batch.h"

enum { FETCH = 1, DELETE_RECORDS = 21, FETCH_VERSION = 11, BATCHES = 60, OUT_OF_RANGE = 1, LONG_MS = 100000 };

static struct world w;
static struct caller *fetcher, *other;

static void
appended(struct append *a)
{
	a->done = NULL;
}

static void
append(void)
{
	struct batch_builder b;
	struct append a = { .durable = true, .done = appended, .now_ms = loop_wall_ms(w.loop) };

	batch_begin(&b, a.now_ms);
	batch_add(&b, span_of("key", 3), span_of("value", 5));
	batch_finish(&b);
	a.bytes = b.bytes.p;
	a.n = b.bytes.n;
	if (partition_append(world_partition(&w, "t", 0), &a))
		a.done = NULL;
	while (a.done != NULL)
		world_turn(&w);
	CU_ASSERT_FATAL(a.error == STORE_OK);
	buf_done(&b.bytes);
}

static void
begin(void)
{
	world_begin(&w, 1);
	fetcher = &w.callers[0];
	other = &w.callers[1];
	world_topic(&w, other, "t", 1);
	for (int i = 0; i < BATCHES; i++)
		append();
}

static void
send_fetch(int64_t offset, int32_t max_wait_ms, int32_t min_bytes)
{
	struct wire_fetch_request_partition partition;
	struct wire_fetch_request_topic topic;
	struct wire_fetch_request q;

	wire_fetch_request_partition_default(&partition);
	partition.fetch_offset = offset;
	partition.partition_max_bytes = 1 << 20;
	wire_fetch_request_topic_default(&topic);
	topic.topic = span_str("t");
	topic.partitions = &partition;
	topic.n_partitions = 1;
	wire_fetch_request_default(&q);
	q.max_wait_ms = max_wait_ms;
	q.min_bytes = min_bytes;
	q.topics = &topic;
	q.n_topics = 1;
	world_send(&w, fetcher, FETCH, FETCH_VERSION, &q);
}

static const struct wire_fetch_response_partition *
fetched(void)
{
	const struct wire_fetch_response *a = world_answer(&w, fetcher);

	CU_ASSERT_FATAL(a != NULL && a->n_responses == 1 && a->responses[0].n_partitions == 1);
	return &a->responses[0].partitions[0];
}

static void
send_cut(int64_t log_start)
{
	struct wire_delete_records_request_partition partition = { 0, log_start };
	struct wire_delete_records_request_topic topic = { span_str("t"), &partition, 1 };
	struct wire_delete_records_request q = { &topic, 1, LONG_MS };

	world_send(&w, other, DELETE_RECORDS, 1, &q);
}

static void
wait_for_cut(int64_t log_start)
{
	const struct wire_delete_records_response *a = world_answer(&w, other);

	CU_ASSERT_FATAL(a != NULL && a->n_topics == 1 && a->topics[0].n_partitions == 1);
	CU_ASSERT(a->topics[0].partitions[0].low_watermark == log_start);
}

/* It reads what is there when it begins, and when the disk has answered that is below the log start. */
static void
what_went_while_the_disk_was_awaited_is_told_with_the_log_start_of_now(void)
{
	int moved = 0;

	begin();
	fake_disk_cold(100);
	for (int64_t i = 0; i + 1 < BATCHES; i++) {
		uint64_t cold = stat_get(&store_stats_of(w.store)->reads_cold);
		const struct wire_fetch_response_partition *p;

		send_fetch(i, 0, 1);
		send_cut(i + 1);
		p = fetched();
		CU_ASSERT(p->error_code == 0 || p->error_code == OUT_OF_RANGE);
		CU_ASSERT(p->log_start_offset == (p->error_code == 0 ? i : i + 1));
		moved += p->error_code == OUT_OF_RANGE && stat_get(&store_stats_of(w.store)->reads_cold) > cold;
		wait_for_cut(i + 1);
	}
	CU_ASSERT(moved > 0);
	world_end(&w);
}

static void
who_waits_for_more_is_told_at_once_that_the_log_start_has_passed(void)
{
	const struct wire_fetch_response_partition *p;
	int64_t began_ms;

	begin();
	began_ms = loop_now_ms(w.loop);
	send_fetch(3, LONG_MS, 1 << 20);
	while (stat_get(&w.api.stats.fetches_parked) == 0)
		world_turn(&w);
	send_cut(3); /* which is where it stands */
	wait_for_cut(3);
	CU_ASSERT(fetcher->answer == NULL);
	send_cut(7);
	wait_for_cut(7);
	p = fetched();
	CU_ASSERT(p->error_code == OUT_OF_RANGE && p->log_start_offset == 7 && p->high_watermark == -1);
	CU_ASSERT(loop_now_ms(w.loop) - began_ms < LONG_MS);
	world_end(&w);
}

const struct unit_test fetch_tests[] = {
	UNIT(what_went_while_the_disk_was_awaited_is_told_with_the_log_start_of_now),
	UNIT(who_waits_for_more_is_told_at_once_that_the_log_start_has_passed),
	UNIT_END
};
