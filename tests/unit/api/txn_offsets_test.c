/* txn_offsets_test.c -- offsets that are pending in transactions: how many may be, and how their end comes. */
#include "unit/api/world.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/txn_offsets.h"
#include "base/xalloc.h"

enum {
	OFFSET_FETCH = 9, API_VERSIONS = 18, INIT_PRODUCER_ID = 22, ADD_OFFSETS_TO_TXN = 25, END_TXN = 26,
	TXN_OFFSET_COMMIT = 28,
	COORDINATOR_NOT_AVAILABLE = 15, PARTITIONS = 10000, GROUPS = TXN_OFFSETS_MAX / PARTITIONS
};

static struct world w;
static struct caller *producer, *other;
static int64_t id;
static int16_t epoch;

static void
begin(void)
{
	struct wire_init_producer_id_request q;
	const struct wire_init_producer_id_response *a;

	world_begin(&w, 1);
	producer = &w.callers[0];
	other = &w.callers[1];
	world_topic(&w, other, "t", PARTITIONS);
	wire_init_producer_id_request_default(&q);
	q.transactional_id = span_str("x");
	q.transaction_timeout_ms = 1000000;
	a = world_ask(&w, producer, INIT_PRODUCER_ID, 3, &q);
	CU_ASSERT_FATAL(a != NULL && a->error_code == 0);
	id = a->producer_id;
	epoch = a->producer_epoch;
}

static struct span
group_id(int group, char text[16])
{
	snprintf(text, 16, "group-%d", group);
	return span_str(text);
}

/* Commits the partition's number, and more, as its offset; the code of all of them. */
static int
commit(int group, int32_t n, int64_t more)
{
	char text[16];
	struct wire_add_offsets_to_txn_request join = { span_str("x"), id, epoch, group_id(group, text) };
	const struct wire_add_offsets_to_txn_response *joined = world_ask(&w, producer, ADD_OFFSETS_TO_TXN, 3, &join);
	struct wire_txn_offset_commit_request_topic topic = { .name = span_str("t"), .n_partitions = (size_t)n };
	struct wire_txn_offset_commit_request q;
	const struct wire_txn_offset_commit_response *a;
	int code;

	CU_ASSERT_FATAL(joined != NULL && joined->error_code == 0);
	topic.partitions = xcalloc((size_t)n, sizeof *topic.partitions);
	for (int32_t i = 0; i < n; i++) {
		wire_txn_offset_commit_request_partition_default(&topic.partitions[i]);
		topic.partitions[i].partition_index = i;
		topic.partitions[i].committed_offset = i + more;
	}
	wire_txn_offset_commit_request_default(&q);
	q.transactional_id = span_str("x");
	q.group_id = group_id(group, text);
	q.producer_id = id;
	q.producer_epoch = epoch;
	q.topics = &topic;
	q.n_topics = 1;
	a = world_ask(&w, producer, TXN_OFFSET_COMMIT, 3, &q);
	free(topic.partitions);
	CU_ASSERT_FATAL(a != NULL && a->n_topics == 1 && a->topics[0].n_partitions == (size_t)n);
	code = a->topics[0].partitions[0].error_code;
	for (int32_t i = 0; i < n; i++)
		CU_ASSERT_FATAL(a->topics[0].partitions[i].error_code == code);
	return code;
}

static void
send_end(bool commit)
{
	struct wire_end_txn_request q;

	wire_end_txn_request_default(&q);
	q.transactional_id = span_str("x");
	q.producer_id = id;
	q.producer_epoch = epoch;
	q.committed = commit;
	world_send(&w, producer, END_TXN, 3, &q);
}

static void
wait_for_end(void)
{
	const struct wire_end_txn_response *a = world_answer(&w, producer);

	CU_ASSERT_FATAL(a != NULL && a->error_code == 0);
}

/* The committed offset; -1: there is none. */
static int64_t
committed(int group, int32_t partition)
{
	char text[16];
	struct wire_offset_fetch_request_topic topic = { .name = span_str("t"), .partition_indexes = &partition,
		.n_partition_indexes = 1 };
	struct wire_offset_fetch_request q;
	const struct wire_offset_fetch_response *a;

	wire_offset_fetch_request_default(&q);
	q.group_id = group_id(group, text);
	q.topics = &topic;
	q.n_topics = 1;
	q.require_stable = true;
	a = world_ask(&w, other, OFFSET_FETCH, 7, &q);
	CU_ASSERT_FATAL(a != NULL && a->n_topics == 1 && a->topics[0].n_partitions == 1);
	CU_ASSERT(a->topics[0].partitions[0].error_code == 0);
	return a->topics[0].partitions[0].committed_offset;
}

static void
so_many_may_be_pending_and_a_start_counts_them(void)
{
	begin();
	for (int group = 0; group < GROUPS; group++)
		CU_ASSERT_FATAL(commit(group, PARTITIONS, 0) == 0);
	CU_ASSERT(commit(GROUPS, 1, 0) == COORDINATOR_NOT_AVAILABLE);
	world_again(&w);
	CU_ASSERT(commit(GROUPS, 1, 0) == COORDINATOR_NOT_AVAILABLE);
	send_end(false);
	wait_for_end();
	CU_ASSERT(committed(0, 0) == -1 && committed(GROUPS - 1, PARTITIONS - 1) == -1);
	CU_ASSERT(commit(GROUPS, PARTITIONS, 0) == 0);
	world_end(&w);
}

/* Whoever asks for something small, again and again, is answered between any few thousand of them. */
static void
the_end_of_many_holds_nobody_up(void)
{
	struct wire_api_versions_request q;
	int answered = 0;

	begin();
	for (int group = 0; group < 2; group++) {
		CU_ASSERT_FATAL(commit(group, PARTITIONS, 1) == 0);
		CU_ASSERT_FATAL(commit(group, PARTITIONS, 2) == 0); /* is what counts, once */
	}
	wire_api_versions_request_default(&q);
	send_end(true);
	while (producer->answer == NULL) {
		if (answered == 0 || other->answer != NULL) {
			answered++;
			world_send(&w, other, API_VERSIONS, 0, &q);
		}
		world_turn(&w);
	}
	wait_for_end();
	world_answer(&w, other);
	CU_ASSERT(answered >= 2 * PARTITIONS / 4000);
	for (int group = 0; group < 2; group++)
		for (int32_t i = 0; i < PARTITIONS; i += 999)
			CU_ASSERT(committed(group, i) == i + 2);
	world_end(&w);
}

const struct unit_test txn_offsets_tests[] = {
	UNIT(so_many_may_be_pending_and_a_start_counts_them),
	UNIT(the_end_of_many_holds_nobody_up),
	UNIT_END
};
