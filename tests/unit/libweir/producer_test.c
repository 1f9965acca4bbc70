/* producer_test.c -- the producer, on the broker that librdkafka has for tests. */
#include "libweir/producer.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/diag.h"
#include "unit/unit.h"

enum { PRODUCE = 0, INIT_PRODUCER_ID = 22 }; /* Kafka's numbers of its APIs */

struct world {
	rd_kafka_t *rk; /* which the broker belongs to */
	rd_kafka_mock_cluster_t *cluster;
	struct weir_producer *producer;
	struct weir_error why;
};

static void
say_nothing(const char *line, size_t n)
{
	(void)line;
	(void)n;
}

static struct world
begin(const struct weir_setting *more, size_t n)
{
	struct weir_setting list[8] = { { "topic.metadata.propagation.max.ms", "300" }, { "allow.auto.create.topics", "false" } };
	struct world w = { .rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0) };

	diag_set_sink(say_nothing);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w.rk);
	w.cluster = rd_kafka_mock_cluster_new(w.rk, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w.cluster);
	rd_kafka_mock_topic_create(w.cluster, "t", 1, 1);
	list[2] = (struct weir_setting){ "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(w.cluster) };
	if (n > 0)
		memcpy(list + 3, more, n * sizeof *more);
	w.producer = weir_producer_new(list, 3 + n, &w.why);
	return w;
}

static void
end(struct world *w)
{
	weir_producer_free(w->producer, 1000);
	rd_kafka_mock_cluster_destroy(w->cluster);
	rd_kafka_destroy(w->rk);
	diag_set_sink(NULL);
}

static struct weir_receipt
produce(struct world *w, const char *topic)
{
	struct weir_record r = { .partition = -1, .value = span_str("x") };
	struct weir_receipt got;

	weir_produce(w->producer, topic, &r, 1, &got);
	return got;
}

static void
records_are_acknowledged_in_their_order(void)
{
	struct world w = begin(NULL, 0);
	struct weir_record records[100];
	struct weir_receipt got[100];

	for (size_t i = 0; i < 100; i++)
		records[i] = (struct weir_record){ .partition = 0, .value = span_str("x") };
	weir_produce(w.producer, "t", records, 100, got);
	for (size_t i = 0; i < 100; i++)
		CU_ASSERT(got[i].error.kind == WEIR_OK && got[i].offset == (int64_t)i && got[i].partition == 0);
	weir_produce(w.producer, "t", NULL, 0, NULL);
	end(&w);
}

static void
a_fatal_error_ends_what_is_under_way_and_nothing_else(void)
{
	static const rd_kafka_resp_err_t errors[] = { RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
		RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH };
	struct world w = begin(NULL, 0);

	CU_ASSERT_EQUAL(produce(&w, "t").error.kind, WEIR_OK);
	for (size_t i = 0; i < 2; i++) {
		enum weir_kind kind;

		rd_kafka_mock_push_request_errors(w.cluster, PRODUCE, 1, errors[i]);
		kind = produce(&w, "t").error.kind;
		CU_ASSERT(kind == WEIR_RETRIABLE || kind == WEIR_FAILED || kind == WEIR_OK);
		for (int k = 0; k < 3; k++)
			CU_ASSERT_EQUAL(produce(&w, "t").error.kind, WEIR_OK);
	}
	end(&w);
}

static void
a_producer_that_gets_no_id_for_want_of_rights_tries_anew(void)
{
	struct world w = begin(NULL, 0);
	enum weir_kind kind;

	rd_kafka_mock_push_request_errors(w.cluster, INIT_PRODUCER_ID, 1, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
	kind = produce(&w, "t").error.kind;
	CU_ASSERT(kind == WEIR_RETRIABLE || kind == WEIR_OK);
	CU_ASSERT_EQUAL(produce(&w, "t").error.kind, WEIR_OK);
	end(&w);
}

static void *
produce_many(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < 200; i++)
		produce(w, "t");
	return NULL;
}

static void
many_threads_outlive_fatal_errors(void)
{
	struct world w = begin(NULL, 0);
	pthread_t threads[8];

	for (size_t i = 0; i < 8; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, produce_many, &w), 0);
	for (int i = 0; i < 5; i++) {
		rd_kafka_mock_push_request_errors(w.cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
		produce(&w, "t");
	}
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(produce(&w, "t").error.kind, WEIR_OK);
	end(&w);
}

static void
fewer_acks_go_without_idempotence(void)
{
	static const struct weir_setting rows[] = { { "acks", "1" }, { "request.required.acks", "0" }, { "acks", "all" }, { "acks", "-1" } };

	for (size_t i = 0; i < 4; i++) {
		struct world w = begin(&rows[i], 1);

		CU_ASSERT_PTR_NOT_NULL_FATAL(w.producer);
		CU_ASSERT_EQUAL(produce(&w, "t").error.kind, WEIR_OK);
		end(&w);
	}
}

static void
settings_that_contradict_each_other_are_refused(void)
{
	static const struct weir_setting both[] = { { "acks", "1" }, { "enable.idempotence", "true" } };
	struct world w = begin(both, 2);

	CU_ASSERT_PTR_NULL(w.producer);
	CU_ASSERT_EQUAL(w.why.kind, WEIR_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(w.why.text, "acks"));
	end(&w);
}

static void
a_record_that_is_too_large_fails_alone(void)
{
	static uint8_t large[1200000];
	struct world w = begin(NULL, 0);
	struct weir_record records[3] = { { .partition = 0, .value = span_str("x") }, { .partition = 0 }, { .partition = 0, .value = span_str("y") } };
	struct weir_receipt got[3];

	records[1].value = span_of(large, sizeof large);
	weir_produce(w.producer, "t", records, 3, got);
	CU_ASSERT_EQUAL(got[0].error.kind, WEIR_OK);
	CU_ASSERT_EQUAL(got[1].error.kind, WEIR_TOO_LARGE);
	CU_ASSERT_EQUAL(got[2].error.kind, WEIR_OK);
	CU_ASSERT_EQUAL(got[2].offset, 1);
	end(&w);
}

static void
a_partition_that_is_not_there_is_told_of(void)
{
	struct world w = begin(NULL, 0);
	struct weir_record r = { .partition = 7, .value = span_str("x") };
	struct weir_receipt got;

	weir_produce(w.producer, "t", &r, 1, &got);
	CU_ASSERT_EQUAL(got.error.kind, WEIR_UNKNOWN_PARTITION);
	CU_ASSERT_EQUAL(got.offset, -1);
	end(&w);
}

enum { CALLERS = 8, CALLS = 100 };

struct caller {
	struct world *world;
	pthread_t thread;
	int64_t offsets[CALLS];
};

static void *
call_many(void *arg)
{
	struct caller *c = arg;

	for (int i = 0; i < CALLS; i++)
		c->offsets[i] = produce(c->world, "t").offset;
	return NULL;
}

static void
calls_that_wait_for_others_get_receipts_of_their_own(void)
{
	static struct caller callers[CALLERS];
	static bool seen[CALLERS * CALLS + 1];
	struct world w = begin(NULL, 0);

	memset(seen, 0, sizeof seen);
	/* The topic is known from now on. */
	CU_ASSERT_EQUAL(produce(&w, "t").offset, 0);
	for (size_t i = 0; i < CALLERS; i++) {
		callers[i].world = &w;
		CU_ASSERT_EQUAL_FATAL(pthread_create(&callers[i].thread, NULL, call_many, &callers[i]), 0);
	}
	for (size_t i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		for (int k = 0; k < CALLS; k++) {
			int64_t at = callers[i].offsets[k];

			CU_ASSERT_FATAL(at > 0 && at <= CALLERS * CALLS && !seen[at]);
			seen[at] = true;
			CU_ASSERT(k == 0 || at > callers[i].offsets[k - 1]);
		}
	}
	end(&w);
}

static void *
hang(void *arg)
{
	struct world *w = arg;
	struct weir_record r = { .partition = 1, .value = span_str("x") };
	struct weir_receipt got;

	weir_produce(w->producer, "two", &r, 1, &got);
	CU_ASSERT_NOT_EQUAL(got.error.kind, WEIR_OK);
	return NULL;
}

static void
a_partition_without_a_leader_holds_up_no_other(void)
{
	static const struct weir_setting patience = { "delivery.timeout.ms", "2000" };
	struct world w = begin(&patience, 1);
	struct weir_record r = { .partition = 0, .value = span_str("x") };
	struct weir_receipt got;
	struct timespec began, ended;
	pthread_t thread;

	rd_kafka_mock_topic_create(w.cluster, "two", 2, 1);
	rd_kafka_mock_partition_set_leader(w.cluster, "two", 1, -1);
	weir_produce(w.producer, "two", &r, 1, &got);
	CU_ASSERT_EQUAL(got.error.kind, WEIR_OK);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, hang, &w), 0);
	/* Until that is under way. */
	nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
	clock_gettime(CLOCK_MONOTONIC, &began);
	weir_produce(w.producer, "two", &r, 1, &got);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	CU_ASSERT_EQUAL(got.error.kind, WEIR_OK);
	CU_ASSERT(ended.tv_sec - began.tv_sec <= 1);
	pthread_join(thread, NULL);
	end(&w);
}

static void
a_topic_that_was_none_is_found_once_it_is_made(void)
{
	struct world w = begin(NULL, 0);

	rd_kafka_mock_topic_set_error(w.cluster, "none", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	CU_ASSERT_EQUAL(produce(&w, "none").error.kind, WEIR_UNKNOWN_TOPIC);
	CU_ASSERT_EQUAL(produce(&w, "none").error.kind, WEIR_UNKNOWN_TOPIC);
	rd_kafka_mock_topic_set_error(w.cluster, "none", RD_KAFKA_RESP_ERR_NO_ERROR);
	CU_ASSERT_EQUAL(produce(&w, "none").error.kind, WEIR_OK);
	end(&w);
}

const struct unit_test producer_tests[] = {
	UNIT(records_are_acknowledged_in_their_order),
	UNIT(a_fatal_error_ends_what_is_under_way_and_nothing_else),
	UNIT(a_producer_that_gets_no_id_for_want_of_rights_tries_anew),
	UNIT(many_threads_outlive_fatal_errors),
	UNIT(fewer_acks_go_without_idempotence),
	UNIT(settings_that_contradict_each_other_are_refused),
	UNIT(a_record_that_is_too_large_fails_alone),
	UNIT(a_partition_that_is_not_there_is_told_of),
	UNIT(calls_that_wait_for_others_get_receipts_of_their_own),
	UNIT(a_partition_without_a_leader_holds_up_no_other),
	UNIT(a_topic_that_was_none_is_found_once_it_is_made),
	UNIT_END
};
