/*
 * clients_librdkafka.c -- librdkafka's own interface, unmodified: producing with
 * every codec, consuming, balancing a group, administering.
 *
 *	clients_librdkafka HOST:PORT
 *
 * clients_librdkafka_test.py starts the daemon for it.
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 20000, POLL_MS = 20, MAX_PARTITIONS = 8, MAX_RECORDS = 8192, MEMBERS = 4 };

static const char *address;
static bool test_failed;

/* A claim within a test; a test with one that fails has failed, and goes on. */
#define CHECK(...) check((__VA_ARGS__), #__VA_ARGS__, __LINE__)
#define CHECK_ERR(got, wanted) check_err((got), (wanted), #got, __LINE__)
#define CHECK_NUM(got, wanted) check_num((int64_t)(got), (int64_t)(wanted), #got, __LINE__)
#define CHECK_STR(got, wanted) check_str((got), (wanted), #got, __LINE__)

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

static void
check_err(rd_kafka_resp_err_t got, rd_kafka_resp_err_t wanted, const char *text, int line)
{
	if (!check(got == wanted, text, line))
		printf("  |   is %s, not %s\n", rd_kafka_err2name(got), rd_kafka_err2name(wanted));
}

static void
check_str(const char *got, const char *wanted, const char *text, int line)
{
	if (got == NULL)
		got = "(none)";
	if (!check(strcmp(got, wanted) == 0, text, line))
		printf("  |   is \"%s\", not \"%s\"\n", got, wanted);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * Clients.
 */

/* Names and values by turns, up to NULL. */
#define SETTINGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_SETTINGS ((const char *const[]){ NULL })

static void
set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
		fprintf(stderr, "clients_librdkafka: %s = %s: %s\n", name, value, why);
		exit(EXIT_FAILURE);
	}
}

static rd_kafka_conf_t *
conf_of(const char *const *settings)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	set(conf, "bootstrap.servers", address);
	set(conf, "log_level", "2"); /* that the daemon ends before a client is no news */
	for (; *settings != NULL; settings += 2)
		set(conf, settings[0], settings[1]);
	return conf;
}

static rd_kafka_t *
client_of(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
	char why[256];
	rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);

	if (rk == NULL) {
		fprintf(stderr, "clients_librdkafka: no client: %s\n", why);
		exit(EXIT_FAILURE);
	}
	return rk;
}

/*
 * Producing: delivery reports are counted, and where each record went is kept
 * under its number, which is the message's opaque.
 */

struct deliveries {
	int n, failed;
	rd_kafka_resp_err_t last_err;
	int64_t offsets[MAX_RECORDS];
};

static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct deliveries *d = opaque;

	(void)rk;
	d->n++;
	if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		d->failed++;
		d->last_err = m->err;
	}
	d->offsets[(size_t)m->_private % MAX_RECORDS] = m->offset;
}

static rd_kafka_t *
producer_new(struct deliveries *d, const char *const *settings)
{
	rd_kafka_conf_t *conf = conf_of(settings);

	memset(d, 0, sizeof *d);
	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	rd_kafka_conf_set_opaque(conf, d);
	return client_of(RD_KAFKA_PRODUCER, conf);
}

/* One record, key and value copied, NULL for none; it is counted where its number says.  time 0: now. */
static rd_kafka_resp_err_t
put(rd_kafka_t *rk, const char *topic, int32_t partition, const char *key, const char *value, size_t n, int64_t time,
    int number)
{
	const rd_kafka_vu_t record[] = {
		{ .vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic },
		{ .vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition },
		{ .vtype = RD_KAFKA_VTYPE_KEY, .u.mem = { (void *)(uintptr_t)key, key == NULL ? 0 : strlen(key) } },
		{ .vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = { (void *)(uintptr_t)value, n } },
		{ .vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = time },
		{ .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY },
		{ .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(intptr_t)number },
	};
	rd_kafka_error_t *error = rd_kafka_produceva(rk, record, sizeof record / sizeof *record);
	rd_kafka_resp_err_t err = error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);

	rd_kafka_error_destroy(error);
	return err;
}

/* Sends the numbers from..to as text; partition -1: by the key, which is the number. */
static void
send_numbers(rd_kafka_t *rk, const char *topic, int32_t partition, int from, int to)
{
	char text[16];
	int i;

	for (i = from; i < to; i++) {
		rd_kafka_resp_err_t err;
		int n = snprintf(text, sizeof text, "%d", i);

		do {
			err = put(rk, topic, partition, text, text, (size_t)n, 0, i);
			rd_kafka_poll(rk, err == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
		} while (err == RD_KAFKA_RESP_ERR__QUEUE_FULL);
		CHECK_ERR(err, RD_KAFKA_RESP_ERR_NO_ERROR);
	}
	CHECK_ERR(rd_kafka_flush(rk, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void
produce(const char *topic, int32_t partition, int from, int to, const char *const *settings)
{
	struct deliveries d;
	rd_kafka_t *rk = producer_new(&d, settings);

	send_numbers(rk, topic, partition, from, to);
	CHECK_NUM(d.n, to - from);
	CHECK_NUM(d.failed, 0);
	rd_kafka_destroy(rk);
}

/*
 * Administration: each call leaves one event in a queue.
 */

static rd_kafka_t *admin;

/* The result of a call that was given this queue, which goes; its error is checked, NULL where there is no result. */
static rd_kafka_event_t *
result_of(rd_kafka_queue_t *queue)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);

	rd_kafka_queue_destroy(queue);
	if (!CHECK(event != NULL))
		return NULL;
	CHECK_ERR(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
	return event;
}

/* The error of the first topic in a result, which goes. */
static rd_kafka_resp_err_t
first_topic_error(rd_kafka_event_t *event, const rd_kafka_topic_result_t **topics, size_t n)
{
	rd_kafka_resp_err_t err = n > 0 ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR__FAIL;

	rd_kafka_event_destroy(event);
	return err;
}

static rd_kafka_resp_err_t
create(const char *topic, int partitions, const char *const *settings)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
	rd_kafka_NewTopic_t *new = rd_kafka_NewTopic_new(topic, partitions, 1, NULL, 0);
	rd_kafka_event_t *event;
	const rd_kafka_topic_result_t **topics;
	size_t n;

	for (; *settings != NULL; settings += 2)
		rd_kafka_NewTopic_set_config(new, settings[0], settings[1]);
	rd_kafka_CreateTopics(admin, &new, 1, NULL, queue);
	rd_kafka_NewTopic_destroy(new);
	if ((event = result_of(queue)) == NULL)
		return RD_KAFKA_RESP_ERR__TIMED_OUT;
	topics = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
	return first_topic_error(event, topics, n);
}

static rd_kafka_resp_err_t
grow(const char *topic, size_t partitions)
{
	char why[256];
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
	rd_kafka_NewPartitions_t *new = rd_kafka_NewPartitions_new(topic, partitions, why, sizeof why);
	rd_kafka_event_t *event;
	const rd_kafka_topic_result_t **topics;
	size_t n;

	rd_kafka_CreatePartitions(admin, &new, 1, NULL, queue);
	rd_kafka_NewPartitions_destroy(new);
	if ((event = result_of(queue)) == NULL)
		return RD_KAFKA_RESP_ERR__TIMED_OUT;
	topics = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &n);
	return first_topic_error(event, topics, n);
}

static rd_kafka_resp_err_t
delete(const char *topic)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
	rd_kafka_DeleteTopic_t *old = rd_kafka_DeleteTopic_new(topic);
	rd_kafka_event_t *event;
	const rd_kafka_topic_result_t **topics;
	size_t n;

	rd_kafka_DeleteTopics(admin, &old, 1, NULL, queue);
	rd_kafka_DeleteTopic_destroy(old);
	if ((event = result_of(queue)) == NULL)
		return RD_KAFKA_RESP_ERR__TIMED_OUT;
	topics = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &n);
	return first_topic_error(event, topics, n);
}

/* How many partitions a topic has; 0: it is not there. */
static int
partitions_of(const char *topic)
{
	const struct rd_kafka_metadata *seen;
	int i, n = 0;

	/* All topics: asking for one would make it. */
	CHECK_ERR(rd_kafka_metadata(admin, 1, NULL, &seen, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
	for (i = 0; i < seen->topic_cnt; i++)
		if (strcmp(seen->topics[i].topic, topic) == 0)
			n = seen->topics[i].partition_cnt;
	rd_kafka_metadata_destroy(seen);
	return n;
}

/*
 * Consuming: members of groups, and readers without one, which are polled by
 * the test's one thread.
 */

struct member {
	rd_kafka_t *rk; /* NULL: has left */
	bool assigned[MAX_PARTITIONS];
	int rebalances;
	int n;
	struct {
		int32_t partition;
		int64_t offset;
		int number;
	} records[MAX_RECORDS];
};

static void
mark(struct member *m, const rd_kafka_topic_partition_list_t *list, bool assigned)
{
	int i;

	for (i = 0; i < list->cnt; i++)
		m->assigned[list->elems[i].partition] = assigned;
}

static void
rebalanced(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct member *m = opaque;
	bool gained = err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;

	CHECK(gained || err == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
	m->rebalances++;
	mark(m, list, gained);
	if (strcmp(rd_kafka_rebalance_protocol(rk), "COOPERATIVE") == 0)
		rd_kafka_error_destroy(gained ? rd_kafka_incremental_assign(rk, list)
		                              : rd_kafka_incremental_unassign(rk, list));
	else
		rd_kafka_assign(rk, gained ? list : NULL);
}

static rd_kafka_t *
consumer_new(struct member *m, const char *group, const char *const *settings)
{
	rd_kafka_conf_t *conf = conf_of(settings);

	set(conf, "group.id", group);
	set(conf, "auto.offset.reset", "earliest");
	set(conf, "session.timeout.ms", "6000");
	set(conf, "heartbeat.interval.ms", "100");
	set(conf, "fetch.wait.max.ms", "50");
	memset(m, 0, sizeof *m);
	rd_kafka_conf_set_rebalance_cb(conf, rebalanced);
	rd_kafka_conf_set_opaque(conf, m);
	m->rk = client_of(RD_KAFKA_CONSUMER, conf);
	rd_kafka_poll_set_consumer(m->rk);
	return m->rk;
}

static void
join(struct member *m, const char *group, const char *topic, const char *const *settings)
{
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);

	consumer_new(m, group, settings);
	rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
	CHECK_ERR(rd_kafka_subscribe(m->rk, topics), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_topic_partition_list_destroy(topics);
}

/* Leaves its group, or is just done. */
static void
leave(struct member *m)
{
	CHECK_ERR(rd_kafka_consumer_close(m->rk), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_destroy(m->rk);
	m->rk = NULL;
}

/* A reader of one partition, from an offset on. */
static void
open_at(struct member *m, const char *topic, int32_t partition, int64_t offset, const char *const *settings)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

	consumer_new(m, "unused", settings);
	rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
	CHECK_ERR(rd_kafka_assign(m->rk, list), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_topic_partition_list_destroy(list);
}

/* Lets a member work for a moment. */
static void
turn(struct member *m, int timeout_ms)
{
	char text[16];
	rd_kafka_message_t *got = rd_kafka_consumer_poll(m->rk, timeout_ms);

	for (; got != NULL; got = rd_kafka_consumer_poll(m->rk, 0)) {
		CHECK_ERR(got->err, RD_KAFKA_RESP_ERR_NO_ERROR);
		if (got->err == RD_KAFKA_RESP_ERR_NO_ERROR && m->n < MAX_RECORDS) {
			snprintf(text, sizeof text, "%.*s", (int)got->len, (const char *)got->payload);
			m->records[m->n].partition = got->partition;
			m->records[m->n].offset = got->offset;
			m->records[m->n++].number = atoi(text);
		}
		rd_kafka_message_destroy(got);
	}
}

static void
read_up_to(struct member *m, int n)
{
	int64_t end = now_ms() + WAIT_MS;

	while (m->n < n && now_ms() < end)
		turn(m, POLL_MS);
	CHECK_NUM(m->n, n);
}

/* Its records from the first on are the numbers from..to, in their order. */
static bool
reads(const struct member *m, int first, int from, int to)
{
	int i;

	for (i = from; i < to; i++)
		if (first + i - from >= m->n || m->records[first + i - from].number != i)
			return false;
	return true;
}

/* Whether those in the group have all the partitions among them, each once, and each has some. */
static bool
balanced(const struct member *members, int n, int partitions)
{
	int i, p, all = 0, owners[MAX_PARTITIONS] = { 0 };

	for (i = 0; i < n; i++) {
		int own = 0;

		if (members[i].rk == NULL)
			continue;
		for (p = 0; p < partitions; p++)
			if (members[i].assigned[p]) {
				owners[p]++;
				own++;
			}
		if (own == 0)
			return false;
	}
	for (p = 0; p < partitions; p++)
		all += owners[p] == 1;
	return all == partitions;
}

static int
all_read(const struct member *members, int n)
{
	int i, sum = 0;

	for (i = 0; i < n; i++)
		sum += members[i].n;
	return sum;
}

/* Lets the members work until they are balanced and have read so many records. */
static void
settle(struct member *members, int n, int partitions, int records)
{
	int64_t end = now_ms() + WAIT_MS;
	int i;

	while ((!balanced(members, n, partitions) || all_read(members, n) < records) && now_ms() < end)
		for (i = 0; i < n; i++)
			if (members[i].rk != NULL)
				turn(&members[i], 5);
	CHECK(balanced(members, n, partitions));
	CHECK_NUM(all_read(members, n), records);
}

/*
 * The tests.
 */

static struct member members[MEMBERS];

static void
every_codec_is_taken_and_given_back(void)
{
	static const char *const codecs[] = { "none", "gzip", "snappy", "lz4", "zstd" };
	static struct deliveries d;
	char topic[32];
	size_t i;
	int j;

	for (i = 0; i < sizeof codecs / sizeof *codecs; i++) {
		rd_kafka_t *rk;

		snprintf(topic, sizeof topic, "codec-%s", codecs[i]);
		CHECK_ERR(create(topic, 1, NO_SETTINGS), RD_KAFKA_RESP_ERR_NO_ERROR);
		rk = producer_new(&d, SETTINGS("compression.codec", codecs[i], "linger.ms", "20", "acks", "all"));
		send_numbers(rk, topic, 0, 0, 1000);
		rd_kafka_destroy(rk);
		CHECK_NUM(d.n, 1000);
		CHECK_NUM(d.failed, 0);
		for (j = 0; j < 1000 && d.offsets[j] == j;)
			j++;
		CHECK_NUM(j, 1000);
		open_at(&members[0], topic, 0, RD_KAFKA_OFFSET_BEGINNING, NO_SETTINGS);
		read_up_to(&members[0], 1000);
		CHECK(reads(&members[0], 0, 0, 1000));
		leave(&members[0]);
	}
}

static void
every_acks_is_stored(void)
{
	static const char *const acks[] = { "0", "1", "all" };
	char topic[32];
	size_t i;

	for (i = 0; i < sizeof acks / sizeof *acks; i++) {
		snprintf(topic, sizeof topic, "acks-%s", acks[i]);
		CHECK_ERR(create(topic, 1, NO_SETTINGS), RD_KAFKA_RESP_ERR_NO_ERROR);
		produce(topic, 0, 0, 500, SETTINGS("acks", acks[i]));
		open_at(&members[0], topic, 0, RD_KAFKA_OFFSET_BEGINNING, NO_SETTINGS);
		read_up_to(&members[0], 500);
		CHECK(reads(&members[0], 0, 0, 500));
		leave(&members[0]);
	}
}

static void
an_idempotent_producer_keeps_the_order(void)
{
	CHECK_ERR(create("once", 1, NO_SETTINGS), RD_KAFKA_RESP_ERR_NO_ERROR);
	/* Small batches, so that several are on the way. */
	produce("once", 0, 0, 4000, SETTINGS("enable.idempotence", "true", "batch.num.messages", "10"));
	produce("once", 0, 4000, 4100, SETTINGS("enable.idempotence", "true"));
	open_at(&members[0], "once", 0, RD_KAFKA_OFFSET_BEGINNING, NO_SETTINGS);
	read_up_to(&members[0], 4100);
	CHECK(reads(&members[0], 0, 0, 4100));
	leave(&members[0]);
}

static void
headers_times_and_nulls_come_back(void)
{
	static struct deliveries d;
	static char key[] = "k", one[] = "1", bytes[] = { '\0', '\xff' };
	const rd_kafka_vu_t record[] = {
		{ .vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = "shape" },
		{ .vtype = RD_KAFKA_VTYPE_KEY, .u.mem = { key, 1 } },
		{ .vtype = RD_KAFKA_VTYPE_HEADER, .u.header = { "a", one, 1 } },
		{ .vtype = RD_KAFKA_VTYPE_HEADER, .u.header = { "b", NULL, 0 } },
		{ .vtype = RD_KAFKA_VTYPE_HEADER, .u.header = { "a", bytes, sizeof bytes } },
		{ .vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = 1500000000123 },
	};
	rd_kafka_t *rk = producer_new(&d, NO_SETTINGS);
	rd_kafka_error_t *error;
	rd_kafka_message_t *got = NULL;
	rd_kafka_headers_t *headers;
	rd_kafka_timestamp_type_t type;
	const char *name;
	const void *value;
	size_t n;
	int64_t end = now_ms() + WAIT_MS;

	CHECK_ERR(create("shape", 1, NO_SETTINGS), RD_KAFKA_RESP_ERR_NO_ERROR);
	error = rd_kafka_produceva(rk, record, sizeof record / sizeof *record);
	CHECK(error == NULL);
	CHECK_ERR(rd_kafka_flush(rk, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_destroy(rk);
	open_at(&members[0], "shape", 0, 0, NO_SETTINGS);
	while (got == NULL && now_ms() < end)
		got = rd_kafka_consumer_poll(members[0].rk, POLL_MS);
	if (CHECK(got != NULL)) {
		CHECK_NUM(got->key_len, 1);
		CHECK(got->payload == NULL);
		CHECK_NUM(rd_kafka_message_timestamp(got, &type), 1500000000123);
		CHECK(type == RD_KAFKA_TIMESTAMP_CREATE_TIME);
		if (CHECK(rd_kafka_message_headers(got, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)) {
			CHECK_NUM(rd_kafka_header_cnt(headers), 3);
			rd_kafka_header_get_all(headers, 1, &name, &value, &n);
			CHECK(strcmp(name, "b") == 0 && value == NULL);
			rd_kafka_header_get_last(headers, "a", &value, &n);
			CHECK(n == sizeof bytes && memcmp(value, bytes, n) == 0);
		}
		rd_kafka_message_destroy(got);
	}
	leave(&members[0]);
}

static void
too_large_a_record_is_refused(void)
{
	static struct deliveries d;
	static char big[5000];
	rd_kafka_t *rk;

	CHECK_ERR(create("small", 1, SETTINGS("max.message.bytes", "2000")), RD_KAFKA_RESP_ERR_NO_ERROR);
	rk = producer_new(&d, NO_SETTINGS);
	CHECK_ERR(put(rk, "small", 0, NULL, big, sizeof big, 0, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_flush(rk, WAIT_MS);
	CHECK_NUM(d.failed, 1);
	CHECK_ERR(d.last_err, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	rd_kafka_destroy(rk);
}

/* Three members come, one goes, another comes: each record is read once. */
static void
come_and_go(const char *strategy)
{
	const char *const *settings = SETTINGS("partition.assignment.strategy", strategy);
	int i;

	memset(members, 0, sizeof members);
	CHECK_ERR(create(strategy, 6, NO_SETTINGS), RD_KAFKA_RESP_ERR_NO_ERROR);
	join(&members[0], strategy, strategy, settings);
	settle(members, 1, 6, 0);
	produce(strategy, -1, 0, 600, NO_SETTINGS);
	join(&members[1], strategy, strategy, settings);
	join(&members[2], strategy, strategy, settings);
	settle(members, 3, 6, 600);
	produce(strategy, -1, 600, 1200, NO_SETTINGS);
	settle(members, 3, 6, 1200);
	for (i = 0; i < 3; i++)
		CHECK(members[i].n > 0);
	leave(&members[0]);
	settle(members, 3, 6, 1200);
	join(&members[3], strategy, strategy, settings);
	settle(members, 4, 6, 1200);
	produce(strategy, -1, 1200, 1800, NO_SETTINGS);
	settle(members, 4, 6, 1800);
	for (i = 1; i < 4; i++)
		leave(&members[i]);
}

/* Each of the numbers has been read by one member, once. */
static void
check_each_once(int n)
{
	static int seen[MAX_RECORDS];
	int i, j, once = 0;

	memset(seen, 0, sizeof seen);
	for (i = 0; i < MEMBERS; i++)
		for (j = 0; j < members[i].n; j++)
			seen[members[i].records[j].number]++;
	for (i = 0; i < n; i++)
		once += seen[i] == 1;
	CHECK_NUM(once, n);
}

static void
a_group_is_balanced_by_range(void)
{
	come_and_go("range");
	check_each_once(1800);
}

static void
a_group_is_balanced_by_roundrobin(void)
{
	come_and_go("roundrobin");
	check_each_once(1800);
}

static void
a_group_is_balanced_by_cooperative_sticky(void)
{
	come_and_go("cooperative-sticky");
	check_each_once(1800);
}

static void
a_static_member_comes_back_unnoticed(void)
{
	bool had[MAX_PARTITIONS];
	int rebalances;

	memset(members, 0, sizeof members);
	CHECK_ERR(create("static", 4, NO_SETTINGS), RD_KAFKA_RESP_ERR_NO_ERROR);
	join(&members[0], "static", "static", SETTINGS("group.instance.id", "one"));
	join(&members[1], "static", "static", SETTINGS("group.instance.id", "two"));
	settle(members, 2, 4, 0);
	memcpy(had, members[0].assigned, sizeof had);
	rebalances = members[1].rebalances;
	leave(&members[0]); /* which a static member doesn't tell */
	join(&members[0], "static", "static", SETTINGS("group.instance.id", "one"));
	settle(members, 2, 4, 0);
	CHECK(memcmp(had, members[0].assigned, sizeof had) == 0);
	CHECK_NUM(members[1].rebalances, rebalances);
	leave(&members[0]);
	leave(&members[1]);
}

static void
a_second_holder_of_an_instance_fences_the_first(void)
{
	int64_t end = now_ms() + WAIT_MS;

	memset(members, 0, sizeof members);
	join(&members[0], "fenced", "static", SETTINGS("group.instance.id", "one"));
	settle(members, 1, 4, 0);
	join(&members[1], "fenced", "static", SETTINGS("group.instance.id", "one"));
	while (rd_kafka_fatal_error(members[0].rk, NULL, 0) == RD_KAFKA_RESP_ERR_NO_ERROR && now_ms() < end) {
		rd_kafka_message_t *got = rd_kafka_consumer_poll(members[0].rk, POLL_MS);

		if (got != NULL)
			rd_kafka_message_destroy(got);
		turn(&members[1], POLL_MS);
	}
	CHECK_ERR(rd_kafka_fatal_error(members[0].rk, NULL, 0), RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
	rd_kafka_consumer_close(members[0].rk);
	rd_kafka_destroy(members[0].rk);
	members[0].rk = NULL;
	settle(members, 2, 4, 0);
	leave(&members[1]);
}

/* The offset that a time stands for, in partition 0. */
static int64_t
offset_at(rd_kafka_t *rk, const char *topic, int64_t time)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	int64_t offset;

	rd_kafka_topic_partition_list_add(list, topic, 0)->offset = time;
	CHECK_ERR(rd_kafka_offsets_for_times(rk, list, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_ERR(list->elems[0].err, RD_KAFKA_RESP_ERR_NO_ERROR);
	offset = list->elems[0].offset;
	rd_kafka_topic_partition_list_destroy(list);
	return offset;
}

static void
times_and_watermarks_are_told(void)
{
	static struct deliveries d;
	rd_kafka_t *rk;
	int64_t low, high;
	int i;

	CHECK_ERR(create("times", 1, NO_SETTINGS), RD_KAFKA_RESP_ERR_NO_ERROR);
	rk = producer_new(&d, SETTINGS("compression.codec", "lz4", "linger.ms", "20"));
	for (i = 0; i < 100; i++)
		CHECK_ERR(put(rk, "times", 0, NULL, "v", 1, 1000000 + i * 10, i), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_ERR(rd_kafka_flush(rk, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_destroy(rk);
	CHECK_NUM(offset_at(admin, "times", 5), 0);
	CHECK_NUM(offset_at(admin, "times", 1000490), 49);
	CHECK_NUM(offset_at(admin, "times", 1000491), 50);
	CHECK_NUM(offset_at(admin, "times", 2000000), RD_KAFKA_OFFSET_END);
	CHECK_ERR(rd_kafka_query_watermark_offsets(admin, "times", 0, &low, &high, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_NUM(low, 0);
	CHECK_NUM(high, 100);
}

static void
reading_goes_where_it_is_told(void)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *part = rd_kafka_topic_partition_list_add(list, "where", 0);
	struct member *m = &members[0];
	int64_t low, high;

	CHECK_ERR(create("where", 1, NO_SETTINGS), RD_KAFKA_RESP_ERR_NO_ERROR);
	produce("where", 0, 0, 100, NO_SETTINGS);
	open_at(m, "where", 0, 90, NO_SETTINGS);
	read_up_to(m, 10);
	CHECK(reads(m, 0, 90, 100));
	CHECK_ERR(rd_kafka_get_watermark_offsets(m->rk, "where", 0, &low, &high), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_NUM(high, 100);
	CHECK_ERR(rd_kafka_pause_partitions(m->rk, list), RD_KAFKA_RESP_ERR_NO_ERROR);
	part->offset = 20;
	rd_kafka_error_destroy(rd_kafka_seek_partitions(m->rk, list, WAIT_MS));
	CHECK_ERR(part->err, RD_KAFKA_RESP_ERR_NO_ERROR);
	turn(m, 200);
	CHECK_NUM(m->n, 10);
	CHECK_ERR(rd_kafka_resume_partitions(m->rk, list), RD_KAFKA_RESP_ERR_NO_ERROR);
	read_up_to(m, 90);
	CHECK(reads(m, 10, 20, 100));
	CHECK_ERR(rd_kafka_position(m->rk, list), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_NUM(part->offset, 100);
	/* A list holds on to the client that has worked with it. */
	rd_kafka_topic_partition_list_destroy(list);
	leave(m);
	/* Out of range: the client is told so, and goes to where auto.offset.reset says. */
	open_at(m, "where", 0, 5000, NO_SETTINGS);
	read_up_to(m, 100);
	CHECK(reads(m, 0, 0, 100));
	leave(m);
}

static int64_t
committed(rd_kafka_t *rk, const char *topic, int32_t partition)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	int64_t offset;

	rd_kafka_topic_partition_list_add(list, topic, partition);
	CHECK_ERR(rd_kafka_committed(rk, list, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
	offset = list->elems[0].offset;
	rd_kafka_topic_partition_list_destroy(list);
	return offset;
}

static void
stored_offsets_are_committed(void)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *part = rd_kafka_topic_partition_list_add(list, "commits", 0);
	const char *const *settings =
	    SETTINGS("enable.auto.commit", "false", "enable.auto.offset.store", "false");
	struct member *m = &members[0];

	memset(members, 0, sizeof members);
	CHECK_ERR(create("commits", 2, NO_SETTINGS), RD_KAFKA_RESP_ERR_NO_ERROR);
	produce("commits", 0, 0, 20, NO_SETTINGS);
	join(m, "committer", "commits", settings);
	settle(m, 1, 2, 20);
	CHECK_NUM(committed(m->rk, "commits", 0), RD_KAFKA_OFFSET_INVALID);
	part->offset = 7;
	CHECK_ERR(rd_kafka_offsets_store(m->rk, list), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_ERR(rd_kafka_commit(m->rk, NULL, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_NUM(committed(m->rk, "commits", 0), 7);
	CHECK_NUM(committed(m->rk, "commits", 1), RD_KAFKA_OFFSET_INVALID);
	rd_kafka_topic_partition_list_destroy(list);
	leave(m);
	list = rd_kafka_topic_partition_list_new(1);
	part = rd_kafka_topic_partition_list_add(list, "commits", 0);
	join(m, "committer", "commits", settings);
	settle(m, 1, 2, 13);
	CHECK(reads(m, 0, 7, 20));
	part->offset = 9;
	CHECK_ERR(rd_kafka_commit(m->rk, list, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_NUM(committed(m->rk, "commits", 0), 9);
	rd_kafka_topic_partition_list_destroy(list);
	leave(m);
}

static void
topics_are_made_grown_and_deleted(void)
{
	CHECK_ERR(create("made", 3, NO_SETTINGS), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_NUM(partitions_of("made"), 3);
	CHECK_ERR(create("made", 3, NO_SETTINGS), RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
	CHECK_ERR(create("not/a name", 1, NO_SETTINGS), RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION);
	CHECK_ERR(create("bad", 1, SETTINGS("cleanup.policy", "burn")), RD_KAFKA_RESP_ERR_INVALID_CONFIG);
	CHECK_ERR(grow("made", 5), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_NUM(partitions_of("made"), 5);
	CHECK_ERR(grow("made", 4), RD_KAFKA_RESP_ERR_INVALID_PARTITIONS);
	CHECK_ERR(delete("made"), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_NUM(partitions_of("made"), 0);
	CHECK_ERR(delete("made"), RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

static void
a_topic_made_anew_is_empty(void)
{
	int64_t low = -1, high = -1;

	CHECK_ERR(create("anew", 1, NO_SETTINGS), RD_KAFKA_RESP_ERR_NO_ERROR);
	produce("anew", 0, 0, 10, NO_SETTINGS);
	CHECK_ERR(delete("anew"), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_ERR(create("anew", 1, NO_SETTINGS), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_query_watermark_offsets(admin, "anew", 0, &low, &high, WAIT_MS);
	CHECK_NUM(high, 0);
	produce("anew", 0, 0, 1, NO_SETTINGS);
}

/* What a topic's setting is, in a static buffer. */
static const char *
setting_of(const char *topic, const char *name)
{
	static char value[64];
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
	rd_kafka_ConfigResource_t *asked = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	const rd_kafka_ConfigResource_t **resources;
	const rd_kafka_ConfigEntry_t **entries;
	rd_kafka_event_t *event;
	size_t n, i, n_entries;

	value[0] = '\0';
	rd_kafka_DescribeConfigs(admin, &asked, 1, NULL, queue);
	rd_kafka_ConfigResource_destroy(asked);
	if ((event = result_of(queue)) == NULL)
		return value;
	resources = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &n);
	CHECK_NUM(n, 1);
	entries = rd_kafka_ConfigResource_configs(resources[0], &n_entries);
	for (i = 0; i < n_entries; i++)
		if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
			snprintf(value, sizeof value, "%s", rd_kafka_ConfigEntry_value(entries[i]));
	rd_kafka_event_destroy(event);
	return value;
}

static rd_kafka_resp_err_t
alter(const char *topic, const char *name, const char *value)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
	rd_kafka_ConfigResource_t *change = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	const rd_kafka_ConfigResource_t **resources;
	rd_kafka_event_t *event;
	rd_kafka_resp_err_t err;
	size_t n;

	rd_kafka_ConfigResource_set_config(change, name, value);
	rd_kafka_AlterConfigs(admin, &change, 1, NULL, queue);
	rd_kafka_ConfigResource_destroy(change);
	if ((event = result_of(queue)) == NULL)
		return RD_KAFKA_RESP_ERR__TIMED_OUT;
	resources = rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &n);
	err = n == 1 ? rd_kafka_ConfigResource_error(resources[0]) : RD_KAFKA_RESP_ERR__FAIL;
	rd_kafka_event_destroy(event);
	return err;
}

static void
settings_are_shown_and_changed(void)
{
	CHECK_ERR(create("settings", 1, SETTINGS("retention.ms", "1234567")), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_STR(setting_of("settings", "retention.ms"), "1234567");
	CHECK_ERR(alter("settings", "cleanup.policy", "compact"), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_STR(setting_of("settings", "cleanup.policy"), "compact");
	/* This request sets all of a topic's settings: what it does not name is back at its default. */
	CHECK_STR(setting_of("settings", "retention.ms"), "604800000");
	CHECK_ERR(alter("settings", "cleanup.policy", "burn"), RD_KAFKA_RESP_ERR_INVALID_CONFIG);
	CHECK_ERR(alter("nowhere", "cleanup.policy", "compact"), RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

static void
records_are_deleted(void)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_DeleteRecords_t *old;
	const rd_kafka_topic_partition_list_t *done;
	rd_kafka_event_t *event;
	int64_t low, high;

	rd_kafka_topic_partition_list_add(list, "where", 0)->offset = 60;
	old = rd_kafka_DeleteRecords_new(list);
	rd_kafka_DeleteRecords(admin, &old, 1, NULL, queue);
	rd_kafka_DeleteRecords_destroy(old);
	rd_kafka_topic_partition_list_destroy(list);
	if ((event = result_of(queue)) == NULL)
		return;
	done = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
	CHECK_ERR(done->elems[0].err, RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK_NUM(done->elems[0].offset, 60);
	rd_kafka_event_destroy(event);
	rd_kafka_query_watermark_offsets(admin, "where", 0, &low, &high, WAIT_MS);
	CHECK_NUM(low, 60);
	CHECK_NUM(high, 100);
}

/* The state that a group is listed with; UNKNOWN where it is not listed. */
static rd_kafka_consumer_group_state_t
listed_state(const char *group)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
	rd_kafka_consumer_group_state_t state = RD_KAFKA_CONSUMER_GROUP_STATE_UNKNOWN;
	const rd_kafka_ConsumerGroupListing_t **groups;
	rd_kafka_event_t *event;
	size_t n, i;

	rd_kafka_ListConsumerGroups(admin, NULL, queue);
	if ((event = result_of(queue)) == NULL)
		return state;
	groups = rd_kafka_ListConsumerGroups_result_valid(rd_kafka_event_ListConsumerGroups_result(event), &n);
	for (i = 0; i < n; i++)
		if (strcmp(rd_kafka_ConsumerGroupListing_group_id(groups[i]), group) == 0)
			state = rd_kafka_ConsumerGroupListing_state(groups[i]);
	rd_kafka_event_destroy(event);
	return state;
}

static rd_kafka_resp_err_t
delete_group(const char *group)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
	rd_kafka_DeleteGroup_t *old = rd_kafka_DeleteGroup_new(group);
	const rd_kafka_group_result_t **groups;
	const rd_kafka_error_t *error;
	rd_kafka_event_t *event;
	rd_kafka_resp_err_t err;
	size_t n;

	rd_kafka_DeleteGroups(admin, &old, 1, NULL, queue);
	rd_kafka_DeleteGroup_destroy(old);
	if ((event = result_of(queue)) == NULL)
		return RD_KAFKA_RESP_ERR__TIMED_OUT;
	groups = rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &n);
	error = n == 1 ? rd_kafka_group_result_error(groups[0]) : NULL;
	err = error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
	rd_kafka_event_destroy(event);
	return err;
}

static void
check_description(const char *group, const char *client, int32_t partitions)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
	const rd_kafka_ConsumerGroupDescription_t **groups, *g;
	const rd_kafka_MemberDescription_t *m;
	rd_kafka_event_t *event;
	size_t n;

	rd_kafka_DescribeConsumerGroups(admin, &group, 1, NULL, queue);
	if ((event = result_of(queue)) == NULL)
		return;
	groups = rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(event), &n);
	if (CHECK(n == 1)) {
		g = groups[0];
		CHECK(rd_kafka_ConsumerGroupDescription_state(g) == RD_KAFKA_CONSUMER_GROUP_STATE_STABLE);
		CHECK_STR(rd_kafka_ConsumerGroupDescription_partition_assignor(g), "range");
		if (CHECK(rd_kafka_ConsumerGroupDescription_member_count(g) == 1)) {
			m = rd_kafka_ConsumerGroupDescription_member(g, 0);
			CHECK_STR(rd_kafka_MemberDescription_client_id(m), client);
			CHECK_STR(rd_kafka_MemberDescription_host(m), "/127.0.0.1");
			CHECK_NUM(rd_kafka_MemberAssignment_partitions(rd_kafka_MemberDescription_assignment(m))->cnt, partitions);
		}
	}
	rd_kafka_event_destroy(event);
}

static void
groups_are_listed_described_and_deleted(void)
{
	memset(members, 0, sizeof members);
	join(&members[0], "shown", "commits", SETTINGS("client.id", "shown-client"));
	settle(members, 1, 2, 20);
	CHECK(listed_state("shown") == RD_KAFKA_CONSUMER_GROUP_STATE_STABLE);
	check_description("shown", "shown-client", 2);
	CHECK_ERR(delete_group("shown"), RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP);
	leave(&members[0]);
	CHECK(listed_state("shown") == RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY);
	CHECK_ERR(delete_group("shown"), RD_KAFKA_RESP_ERR_NO_ERROR);
	CHECK(listed_state("shown") == RD_KAFKA_CONSUMER_GROUP_STATE_UNKNOWN);
	CHECK_ERR(delete_group("shown"), RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND);
}

/* The partitions of a group's offsets in a result, which the result keeps. */
static const rd_kafka_topic_partition_list_t *
offsets_in(const rd_kafka_group_result_t **groups, size_t n)
{
	return n == 1 && rd_kafka_group_result_error(groups[0]) == NULL ? rd_kafka_group_result_partitions(groups[0]) : NULL;
}

/* The offset of a group in partition 0 of the topic, as the administrator sees it. */
static int64_t
group_offset(const char *group, const char *topic)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_ListConsumerGroupOffsets_t *asked;
	const rd_kafka_group_result_t **groups;
	const rd_kafka_topic_partition_list_t *got;
	rd_kafka_event_t *event;
	int64_t offset = -1;
	size_t n;

	rd_kafka_topic_partition_list_add(list, topic, 0);
	asked = rd_kafka_ListConsumerGroupOffsets_new(group, list);
	rd_kafka_ListConsumerGroupOffsets(admin, &asked, 1, NULL, queue);
	rd_kafka_ListConsumerGroupOffsets_destroy(asked);
	rd_kafka_topic_partition_list_destroy(list);
	if ((event = result_of(queue)) == NULL)
		return -1;
	groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
	    rd_kafka_event_ListConsumerGroupOffsets_result(event), &n);
	got = offsets_in(groups, n);
	if (CHECK(got != NULL && got->cnt == 1))
		offset = got->elems[0].offset;
	rd_kafka_event_destroy(event);
	return offset;
}

static void
alter_group_offset(const char *group, const char *topic, int64_t offset)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_AlterConsumerGroupOffsets_t *change;
	const rd_kafka_group_result_t **groups;
	const rd_kafka_topic_partition_list_t *got;
	rd_kafka_event_t *event;
	size_t n;

	rd_kafka_topic_partition_list_add(list, topic, 0)->offset = offset;
	change = rd_kafka_AlterConsumerGroupOffsets_new(group, list);
	rd_kafka_AlterConsumerGroupOffsets(admin, &change, 1, NULL, queue);
	rd_kafka_AlterConsumerGroupOffsets_destroy(change);
	rd_kafka_topic_partition_list_destroy(list);
	if ((event = result_of(queue)) == NULL)
		return;
	groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
	    rd_kafka_event_AlterConsumerGroupOffsets_result(event), &n);
	got = offsets_in(groups, n);
	CHECK(got != NULL && got->cnt == 1 && got->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_event_destroy(event);
}

static void
delete_group_offset(const char *group, const char *topic)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_DeleteConsumerGroupOffsets_t *old;
	const rd_kafka_group_result_t **groups;
	const rd_kafka_topic_partition_list_t *got;
	rd_kafka_event_t *event;
	size_t n;

	rd_kafka_topic_partition_list_add(list, topic, 0);
	old = rd_kafka_DeleteConsumerGroupOffsets_new(group, list);
	rd_kafka_DeleteConsumerGroupOffsets(admin, &old, 1, NULL, queue);
	rd_kafka_DeleteConsumerGroupOffsets_destroy(old);
	rd_kafka_topic_partition_list_destroy(list);
	if ((event = result_of(queue)) == NULL)
		return;
	groups = rd_kafka_DeleteConsumerGroupOffsets_result_groups(
	    rd_kafka_event_DeleteConsumerGroupOffsets_result(event), &n);
	got = offsets_in(groups, n);
	CHECK(got != NULL && got->cnt == 1 && got->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_event_destroy(event);
}

static void
group_offsets_are_listed_altered_and_deleted(void)
{
	CHECK_NUM(group_offset("committer", "commits"), 9);
	alter_group_offset("committer", "commits", 3);
	CHECK_NUM(group_offset("committer", "commits"), 3);
	memset(members, 0, sizeof members);
	join(&members[0], "committer", "commits", SETTINGS("enable.auto.commit", "false"));
	settle(members, 1, 2, 17);
	CHECK(reads(&members[0], 0, 3, 20));
	leave(&members[0]);
	delete_group_offset("committer", "commits");
	CHECK_NUM(group_offset("committer", "commits"), RD_KAFKA_OFFSET_INVALID);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
#define TEST(f) { #f, f }
	TEST(every_codec_is_taken_and_given_back),
	TEST(every_acks_is_stored),
	TEST(an_idempotent_producer_keeps_the_order),
	TEST(headers_times_and_nulls_come_back),
	TEST(too_large_a_record_is_refused),
	TEST(a_group_is_balanced_by_range),
	TEST(a_group_is_balanced_by_roundrobin),
	TEST(a_group_is_balanced_by_cooperative_sticky),
	TEST(a_static_member_comes_back_unnoticed),
	TEST(a_second_holder_of_an_instance_fences_the_first),
	TEST(times_and_watermarks_are_told),
	TEST(reading_goes_where_it_is_told),
	TEST(stored_offsets_are_committed),
	TEST(topics_are_made_grown_and_deleted),
	TEST(a_topic_made_anew_is_empty),
	TEST(settings_are_shown_and_changed),
	TEST(records_are_deleted),
	TEST(groups_are_listed_described_and_deleted),
	TEST(group_offsets_are_listed_altered_and_deleted),
#undef TEST
};

int
main(int argc, char **argv)
{
	static struct deliveries none;
	size_t i, failed = 0, n = sizeof tests / sizeof *tests;

	if (argc != 2) {
		fputs("usage: clients_librdkafka HOST:PORT\n", stderr);
		return 2;
	}
	address = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	admin = producer_new(&none, NO_SETTINGS);
	for (i = 0; i < n; i++) {
		int64_t began = now_ms();

		test_failed = false;
		tests[i].run();
		if (test_failed) {
			printf("FAIL: %s\n", tests[i].name);
			failed++;
		} else
			printf("ok %s (%.1f s)\n", tests[i].name, (double)(now_ms() - began) / 1000);
	}
	rd_kafka_destroy(admin);
	printf("%zu passed, %zu failed\n", n - failed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
