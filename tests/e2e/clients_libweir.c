/*
 * clients_libweir.c -- libweir on a daemon: what the REST proxy's tests do not reach through HTTP.
 *
 *	clients_libweir HOST:PORT
 *
 * clients_libweir_test.py starts the daemon for it, without auto-creation of topics.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "libweir/admin.h"
#include "libweir/consumer.h"
#include "libweir/producer.h"

enum { CALL_MS = 10000, WAIT_MS = 20000, ARENA_MAX = 16 << 20 };

static const char *address;
static bool test_failed;

/* A claim within a test; a test with one that fails has failed, and goes on. */
#define CHECK(...) check((__VA_ARGS__), #__VA_ARGS__, __LINE__)
#define CHECK_NUM(got, wanted) check_num((int64_t)(got), (int64_t)(wanted), #got, __LINE__)
#define CHECK_OK(call, why) check_ok((call), &(why), #call, __LINE__)

static bool
check(bool is, const char *text, int line)
{
	if (!is) {
		printf("  | line %d: not so: %s\n", line, text);
		test_failed = true;
	}
	return is;
}

static void
check_num(int64_t got, int64_t wanted, const char *text, int line)
{
	if (!check(got == wanted, text, line))
		printf("  |   is %" PRId64 ", not %" PRId64 "\n", got, wanted);
}

static bool
check_ok(bool good, const struct weir_error *why, const char *text, int line)
{
	if (!check(good, text, line))
		printf("  |   kind %d, code %d: %s\n", why->kind, why->code, why->text);
	return good;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Settings by turns, with the daemon's address before them. */
#define SETTINGS(...) ((const struct weir_setting[]){ { "bootstrap.servers", address }, __VA_ARGS__ })
#define N_OF(table) (sizeof (table) / sizeof (table)[0])

static struct weir_admin *
new_admin(void)
{
	struct weir_error why;
	struct weir_admin *a = weir_admin_new(SETTINGS({ "client.id", "test-admin" }), 2, &why);

	if (!check_ok(a != NULL, &why, "an admin", __LINE__))
		exit(1);
	return a;
}

static struct weir_producer *
new_producer(const char *key, const char *value)
{
	struct weir_error why;
	struct weir_producer *p = weir_producer_new(SETTINGS({ key, value }), 2, &why);

	if (!check_ok(p != NULL, &why, "a producer", __LINE__))
		exit(1);
	return p;
}

static struct weir_consumer *
new_consumer(const char *group, const char *key, const char *value)
{
	struct weir_error why;
	struct weir_consumer *c = weir_consumer_new(
	    SETTINGS({ "group.id", group }, { "auto.offset.reset", "earliest" }, { key, value }), 4, &why);

	if (!check_ok(c != NULL, &why, "a consumer", __LINE__))
		exit(1);
	return c;
}

static void
create_topic(const char *name, int32_t partitions)
{
	struct weir_admin *a = new_admin();
	struct weir_new_topic t = { .name = name, .partitions = partitions, .replication_factor = -1 };
	struct weir_error why;

	CHECK_OK(weir_create_topic(a, &t, CALL_MS, &why), why);
	weir_admin_free(a);
}

/* Reads n records, or what comes in time; returns how many. */
static size_t
read_some(struct weir_consumer *c, size_t n, struct weir_message *out)
{
	int64_t end = now_ms() + WAIT_MS;
	struct weir_error why;
	size_t got = 0;

	while (got < n && now_ms() < end) {
		int r = weir_poll(c, 200, &out[got], &why);

		if (!CHECK(r >= 0))
			break;
		got += (size_t)r;
	}
	return got;
}

static void
done_all(struct weir_message *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		weir_message_done(&list[i]);
}

/* ---- producing ---- */

static void
keys_values_and_headers_arrive_as_they_were(void)
{
	static const struct weir_header headers[] = { { { (const uint8_t *)"h", 1 }, { (const uint8_t *)"v", 1 } },
		{ { (const uint8_t *)"h", 1 }, { NULL, 0 } }, { { (const uint8_t *)"", 0 }, { (const uint8_t *)"", 0 } } };
	static const struct weir_record records[] = {
		{ .partition = 0, .key = { (const uint8_t *)"k", 1 }, .value = { (const uint8_t *)"v\0w", 3 } },
		{ .partition = 0, .key = { (const uint8_t *)"", 0 }, .value = { (const uint8_t *)"", 0 } },
		{ .partition = 0 },
		{ .partition = 0, .value = { (const uint8_t *)"x", 1 }, .timestamp_ms = 12345, .headers = headers, .n_headers = N_OF(headers) },
	};
	enum { N = N_OF(records) };
	struct weir_producer *p = new_producer("linger.ms", "0");
	struct weir_consumer *c = new_consumer("arrive", "enable.auto.commit", "false");
	struct weir_offset here = { .topic = "arrive", .partition = 0, .offset = WEIR_BEGINNING };
	struct weir_receipt receipts[N];
	struct weir_message got[N];
	struct weir_error why;

	create_topic("arrive", 1);
	weir_produce(p, "arrive", records, N, receipts);
	for (size_t i = 0; i < N; i++) {
		CHECK_OK(receipts[i].error.kind == WEIR_OK, receipts[i].error);
		CHECK_NUM(receipts[i].offset, i);
	}
	CHECK_OK(weir_assign(c, &here, 1, &why), why);
	if (CHECK(read_some(c, N, got) == N))
		for (size_t i = 0; i < N; i++) {
			CHECK(span_eq(got[i].key, records[i].key) && span_eq(got[i].value, records[i].value));
			CHECK_NUM(got[i].offset, i);
			if (records[i].timestamp_ms != 0)
				CHECK_NUM(got[i].timestamp_ms, records[i].timestamp_ms);
			weir_message_done(&got[i]);
		}
	weir_consumer_free(c);
	weir_producer_free(p, 1000);
}

static void
unknown_topics_are_told_of_within_seconds(void)
{
	struct weir_producer *p = new_producer("linger.ms", "0");
	struct weir_record r = { .partition = -1, .value = span_str("x") };
	int64_t began = now_ms();
	struct weir_receipt got;

	weir_produce(p, "nobody", &r, 1, &got);
	CHECK_NUM(got.error.kind, WEIR_UNKNOWN_TOPIC);
	CHECK(strcmp(got.error.text, "Topic nobody not present in metadata after 60000 ms.") == 0);
	CHECK(now_ms() - began < 8000);
	weir_produce(p, "no name", &r, 1, &got);
	CHECK_NUM(got.error.kind, WEIR_INVALID);
	create_topic("nobody", 1);
	weir_produce(p, "nobody", &r, 1, &got);
	CHECK_OK(got.error.kind == WEIR_OK, got.error);
	weir_producer_free(p, 1000);
}

enum { THREADS = 64, ROUNDS = 20, EACH = 10 };

static void *
produce_in_order(void *arg)
{
	struct weir_producer *p = arg;
	struct weir_record records[EACH];
	struct weir_receipt got[EACH];
	size_t wrong = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < EACH; i++)
			records[i] = (struct weir_record){ .partition = 0, .value = span_str("x") };
		weir_produce(p, "threads", records, EACH, got);
		for (size_t i = 0; i < EACH; i++)
			wrong += got[i].error.kind != WEIR_OK || (i > 0 && got[i].offset <= got[i - 1].offset);
	}
	return (void *)wrong;
}

static void
calls_of_many_threads_keep_their_order(void)
{
	struct weir_producer *p = new_producer("linger.ms", "0");
	struct weir_admin *a = new_admin();
	pthread_t threads[THREADS];
	struct weir_error why;
	int64_t first, end;

	create_topic("threads", 1);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, produce_in_order, p) == 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		CHECK_NUM((size_t)wrong, 0);
	}
	CHECK_OK(weir_watermarks(a, "threads", 0, CALL_MS, &first, &end, &why), why);
	CHECK(first == 0 && end == THREADS * ROUNDS * EACH);
	weir_admin_free(a);
	weir_producer_free(p, 1000);
}

static void
many_topics_are_written_to_in_turn(void)
{
	struct weir_producer *p = new_producer("linger.ms", "0");
	struct weir_record r = { .partition = -1, .value = span_str("x") };
	struct weir_receipt got;
	char name[16];

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 50; i++) {
			snprintf(name, sizeof name, "many%d", i);
			if (round == 0)
				create_topic(name, 1);
			weir_produce(p, name, &r, 1, &got);
			CHECK_OK(got.error.kind == WEIR_OK, got.error);
			CHECK_NUM(got.offset, round);
		}
	weir_producer_free(p, 1000);
}

/* ---- consuming ---- */

static void
what_a_consumer_may_not_do_is_refused(void)
{
	static const struct weir_offset bad[] = {
		{ .topic = "", .partition = 0 }, { .topic = "a b", .partition = 0 },
	};
	struct weir_consumer *c = new_consumer("refused", "enable.auto.commit", "false");
	struct weir_offset here = { .topic = "t", .partition = 0, .offset = WEIR_NO_OFFSET };
	struct weir_offset none[] = { here, { .topic = "t", .partition = 1 }, { .topic = "nowhere", .partition = 0 } };
	const char *topic = "t";
	struct weir_message m;
	struct weir_error why;

	CHECK(weir_poll(c, 0, &m, &why) == -1 && why.kind == WEIR_ILLEGAL_STATE);
	CHECK(!weir_seek(c, "t", 0, 5, &why) && why.kind == WEIR_ILLEGAL_STATE);
	CHECK(strcmp(why.text, "No current assignment for partition t-0") == 0);
	for (size_t i = 0; i < N_OF(bad); i++) {
		CHECK(!weir_assign(c, &bad[i], 1, &why) && why.kind == WEIR_INVALID);
		CHECK(!weir_commit(c, &bad[i], 1, &why) && why.kind == WEIR_INVALID);
		CHECK(!weir_subscribe(c, &bad[i].topic, 1, &why) && why.kind == WEIR_INVALID);
	}
	CHECK(!weir_subscribe_pattern(c, "(", &why) && why.kind == WEIR_INVALID);
	create_topic("t", 1);
	CHECK(!weir_assign(c, none, 2, &why) && why.kind == WEIR_UNKNOWN_PARTITION);
	CHECK(!weir_assign(c, &none[2], 1, &why) && why.kind == WEIR_UNKNOWN_TOPIC);
	CHECK(!weir_assign(c, none, 3, &why) && why.kind == WEIR_UNKNOWN_PARTITION);
	CHECK_OK(weir_assign(c, &here, 1, &why), why);
	CHECK(!weir_subscribe(c, &topic, 1, &why) && why.kind == WEIR_ILLEGAL_STATE);
	CHECK(strcmp(why.text, "Subscription to topics, partitions and pattern are mutually exclusive") == 0);
	CHECK_OK(weir_unsubscribe(c, &why), why);
	CHECK_OK(weir_subscribe(c, &topic, 1, &why), why);
	CHECK(!weir_assign(c, &here, 1, &why) && why.kind == WEIR_ILLEGAL_STATE);
	weir_consumer_free(c);
	weir_consumer_free(NULL);
}

static void
no_older_record_follows_a_seek(void)
{
	enum { N = 5000 };
	struct weir_record *records = calloc(N, sizeof *records);
	struct weir_receipt *receipts = calloc(N, sizeof *receipts);
	struct weir_producer *p = new_producer("linger.ms", "0");
	struct weir_consumer *c = new_consumer("seek", "enable.auto.commit", "false");
	struct weir_offset here = { .topic = "seek", .partition = 0, .offset = WEIR_NO_OFFSET };
	struct weir_error why;

	create_topic("seek", 1);
	for (size_t i = 0; i < N; i++)
		records[i] = (struct weir_record){ .partition = 0, .value = span_str("x") };
	weir_produce(p, "seek", records, N, receipts);
	CHECK_OK(weir_assign(c, &here, 1, &why), why);
	for (int i = 0; i < 100 && !test_failed; i++) {
		int64_t to = i * 7919 % N;
		struct weir_message m[3];
		size_t got;

		CHECK_OK(weir_seek(c, "seek", 0, to, &why), why);
		got = read_some(c, to + 3 <= N ? 3 : 1, m);
		CHECK(got > 0 && m[0].offset == to);
		done_all(m, got);
	}
	weir_consumer_free(c);
	weir_producer_free(p, 1000);
	free(records);
	free(receipts);
}

static void
notes_of_commits_are_kept(void)
{
	struct weir_consumer *c = new_consumer("notes", "enable.auto.commit", "false");
	struct weir_offset list[] = { { "notes", 0, 7, "a note" }, { "notes", 1, 8, NULL } };
	struct weir_offset asked[] = { { .topic = "notes", .partition = 0 }, { .topic = "notes", .partition = 1 }, { .topic = "notes", .partition = 2 } };
	struct weir_error why;
	struct arena a;

	arena_init(&a, ARENA_MAX);
	create_topic("notes", 3);
	CHECK_OK(weir_commit(c, list, 2, &why), why);
	CHECK_OK(weir_committed(c, &a, asked, 3, CALL_MS, &why), why);
	CHECK(asked[0].offset == 7 && strcmp(asked[0].metadata, "a note") == 0);
	CHECK(asked[1].offset == 8 && strcmp(asked[1].metadata, "") == 0);
	CHECK_NUM(asked[2].offset, WEIR_NO_OFFSET);
	arena_done(&a);
	weir_consumer_free(c);
}

/* ---- administration ---- */

static void
a_cluster_is_described(void)
{
	struct weir_admin *admin = new_admin();
	struct weir_config_entry *configs;
	struct weir_cluster c;
	struct weir_error why;
	struct arena a;
	size_t n;

	arena_init(&a, ARENA_MAX);
	create_topic("described", 3);
	CHECK_OK(weir_describe_cluster(admin, &a, true, CALL_MS, &c, &why), why);
	CHECK(c.id != NULL && c.n_brokers == 1 && c.controller == c.brokers[0].id && c.n_topics > 0);
	for (size_t i = 1; i < c.n_topics; i++)
		CHECK(strcmp(c.topics[i - 1].name, c.topics[i].name) < 0);
	CHECK_OK(weir_describe_topic(admin, &a, "described", CALL_MS, &c, &why), why);
	CHECK(c.n_topics == 1 && c.topics[0].n_partitions == 3 && c.topics[0].partitions[2].id == 2);
	CHECK(!weir_describe_topic(admin, &a, "none", CALL_MS, &c, &why) && why.kind == WEIR_UNKNOWN_TOPIC && why.code == 3);
	CHECK(!weir_describe_topic(admin, &a, "", CALL_MS, &c, &why) && why.kind == WEIR_INVALID);
	CHECK_OK(weir_describe_topic_configs(admin, &a, "described", CALL_MS, &configs, &n, &why), why);
	CHECK(n > 10);
	CHECK(!weir_describe_topic_configs(admin, &a, "none", CALL_MS, &configs, &n, &why) && why.kind == WEIR_UNKNOWN_TOPIC);
	CHECK(!weir_describe_topic_configs(admin, &a, "", CALL_MS, &configs, &n, &why) && why.kind == WEIR_INVALID);
	arena_done(&a);
	arena_init(&a, 64);
	CHECK(!weir_describe_cluster(admin, &a, true, CALL_MS, &c, &why) && why.kind == WEIR_NO_MEMORY);
	arena_done(&a);
	weir_admin_free(admin);
	weir_admin_free(NULL);
}

static void
changes_that_can_not_be_are_refused(void)
{
	struct weir_admin *a = new_admin();
	struct weir_new_topic rows[] = {
		{ .name = "described", .partitions = 1, .replication_factor = 1 },
		{ .name = "", .partitions = 1, .replication_factor = 1 },
		{ .name = "no name", .partitions = 1, .replication_factor = 1 },
		{ .name = "few", .partitions = 0, .replication_factor = 1 },
		{ .name = "few", .partitions = -2, .replication_factor = 1 },
		{ .name = "set", .partitions = 1, .replication_factor = 1, .configs = &(struct weir_setting){ "no.such", "1" }, .n_configs = 1 },
	};
	struct weir_error why;

	for (size_t i = 0; i < N_OF(rows); i++) {
		CHECK(!weir_create_topic(a, &rows[i], CALL_MS, &why));
		CHECK_NUM(why.kind, i == 0 ? WEIR_TOPIC_EXISTS : WEIR_INVALID);
	}
	CHECK(!weir_delete_topic(a, "none", CALL_MS, &why) && why.kind == WEIR_UNKNOWN_TOPIC);
	CHECK(!weir_create_partitions(a, "none", 3, CALL_MS, &why) && why.kind == WEIR_UNKNOWN_TOPIC);
	CHECK(!weir_create_partitions(a, "described", 3, CALL_MS, &why) && why.kind == WEIR_INVALID);
	CHECK(!weir_create_partitions(a, "described", 0, CALL_MS, &why) && why.kind == WEIR_INVALID);
	CHECK_OK(weir_create_partitions(a, "described", 4, CALL_MS, &why), why);
	CHECK_OK(weir_delete_topic(a, "described", CALL_MS, &why), why);
	weir_admin_free(a);
}

/* ---- where nobody answers ---- */

static void
nothing_waits_without_end_where_nobody_answers(void)
{
	const char *kept = address;
	struct weir_record r = { .partition = -1, .value = span_str("x") };
	struct weir_offset here = { .topic = "t", .partition = 0, .offset = 3 };
	const char *topic = "t";
	struct weir_producer *p;
	struct weir_consumer *c;
	struct weir_receipt got;
	struct weir_cluster described;
	struct weir_admin *a;
	struct weir_error why;
	struct arena arena;
	int64_t began;

	address = "127.0.0.1:1";
	p = new_producer("delivery.timeout.ms", "1500");
	began = now_ms();
	weir_produce(p, "t", &r, 1, &got);
	CHECK(got.error.kind == WEIR_UNKNOWN_TOPIC || got.error.kind == WEIR_TIMEOUT);
	CHECK(now_ms() - began < 6000);
	weir_producer_free(p, 500);
	a = new_admin();
	arena_init(&arena, ARENA_MAX);
	CHECK(!weir_describe_cluster(a, &arena, true, 500, &described, &why) && (why.kind == WEIR_RETRIABLE || why.kind == WEIR_TIMEOUT));
	CHECK(!weir_delete_topic(a, "t", 500, &why) && (why.kind == WEIR_RETRIABLE || why.kind == WEIR_TIMEOUT));
	arena_done(&arena);
	weir_admin_free(a);
	c = new_consumer("nobody", "enable.auto.commit", "true");
	CHECK_OK(weir_subscribe(c, &topic, 1, &why), why);
	began = now_ms();
	CHECK(!weir_commit(c, &here, 1, &why) && (why.kind == WEIR_RETRIABLE || why.kind == WEIR_TIMEOUT));
	CHECK(now_ms() - began < 12000);
	began = now_ms();
	weir_consumer_free(c);
	CHECK(now_ms() - began < 8000);
	address = kept;
}

/* ---- */

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
#define TEST(name) { #name, name }
	TEST(keys_values_and_headers_arrive_as_they_were),
	TEST(unknown_topics_are_told_of_within_seconds),
	TEST(calls_of_many_threads_keep_their_order),
	TEST(many_topics_are_written_to_in_turn),
	TEST(what_a_consumer_may_not_do_is_refused),
	TEST(no_older_record_follows_a_seek),
	TEST(notes_of_commits_are_kept),
	TEST(a_cluster_is_described),
	TEST(changes_that_can_not_be_are_refused),
	TEST(nothing_waits_without_end_where_nobody_answers),
};

int
main(int argc, char **argv)
{
	int passed = 0, failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: clients_libweir HOST:PORT\n");
		return 2;
	}
	address = argv[1];
	for (size_t i = 0; i < N_OF(tests); i++) {
		test_failed = false;
		tests[i].run();
		printf("%s %s\n", test_failed ? "FAIL:" : "ok", tests[i].name);
		fflush(stdout);
		*(test_failed ? &failed : &passed) += 1;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0;
}
