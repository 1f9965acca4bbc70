/* world.c -- a broker in the test's process: wired as logd/server/server.c does. */
#include "unit/api/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/topics.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "fake/clock_fake.h"
#include "fake/file_fake.h"
#include "fake/poller_fake.h"
#include "fake/worker_fake.h"

enum { ANSWER_MAX = 1 << 26, TURNS_MAX = 100000, CREATE_TOPICS = 19, NOW = 1700000000, HOUR_MS = 3600000 };

static void
no_line(const char *line, size_t n)
{
	(void)line;
	(void)n;
}

static void
read_mail(struct watch *w, unsigned events)
{
	(void)events;
	mailbox_run(container_of(w, struct world, mail)->mailbox);
}

static void
on_tick(struct timer *timer)
{
	struct world *w = container_of(timer, struct world, tick);

	loop_timer_set(w->loop, timer, store_tick(w->store, loop_now_ms(w->loop), loop_wall_ms(w->loop)));
}

static void
on_visible(void *ctx, struct partition *p)
{
	struct world *w = ctx;

	if (w->api.store != NULL)
		api_visible(&w->api, p);
}

static void
on_failed(void *ctx, const char *why)
{
	(void)ctx;
	(void)why;
	CU_FAIL("the store failed");
}

static void
on_answer(void *ctx, struct span bytes)
{
	struct caller *c = ctx;
	struct wire_response_header header;
	struct wire_in in;

	wire_in_init(&in, bytes, &c->arena);
	c->answer = arena_alloc(&c->arena, c->api->response->body->size);
	CU_ASSERT_FATAL(wire_response_header_decode(&in, wire_response_header_version(c->api, c->version), &header) == 0 &&
	    wire_decode(&in, c->api->response, c->version, c->answer) == 0 && in.p == in.end);
}

static void
on_refusal(void *ctx)
{
	struct caller *c = ctx;

	c->refused = true;
}

static void
start(struct world *w)
{
	struct store_hooks hooks = { w, on_visible, on_failed };
	struct net_hooks net_hooks = { &w->api, api_request, api_gone };
	struct api_config api = { .node_id = 1, .num_partitions = 1, .default_replication_factor = 1,
		.delete_topic_enable = true, .fetch_max_bytes = 1 << 20, .fetch_session_slots = 100,
		.max_request_partitions = 1000, .offset_metadata_max_bytes = 4096, .offsets_retention_ms = HOUR_MS,
		.offsets_retention_check_ms = HOUR_MS, .transaction_max_timeout_ms = HOUR_MS,
		.transactional_id_expiration_ms = HOUR_MS, .transactional_id_check_ms = HOUR_MS,
		.producer_id_expiration_ms = HOUR_MS, .topic_defaults = &w->defaults, .log_dir = w->dir };
	struct groups_config groups = { .min_session_timeout_ms = 100, .max_session_timeout_ms = HOUR_MS,
		.max_size = INT32_MAX, .consumer_session_timeout_ms = 45000, .consumer_heartbeat_interval_ms = 5000,
		.consumer_max_size = INT32_MAX };
	static const struct api_listener tag = { "broker", 9092 };

	w->loop = loop_new();
	w->mailbox = mailbox_new();
	w->api = (struct api){ 0 };
	CU_ASSERT_FATAL(store_open(&w->store, &w->store_config, w->mailbox, &hooks, NOW, NOW) == 0);
	w->mail = (struct watch){ .fd = mailbox_fd(w->mailbox), .events = WATCH_READ, .ready = read_mail };
	CU_ASSERT_FATAL(loop_watch(w->loop, &w->mail) == 0);
	topic_config_init(&w->defaults, NULL);
	CU_ASSERT_FATAL(api_init(&w->api, &api, &groups, w->loop, w->store) == 0);
	fake_net_begin(&net_hooks, 1);
	for (int i = 0; i < WORLD_CALLERS; i++) {
		struct caller *c = &w->callers[i];

		*c = (struct caller){ 0 };
		arena_init(&c->arena, ANSWER_MAX);
		c->conn = fake_conn_new(&tag, on_answer, on_refusal, c);
	}
	w->tick.fire = on_tick;
	loop_timer_set(w->loop, &w->tick, NOW);
}

/* In the order of server_free(). */
static void
stop(struct world *w)
{
	api_drain(&w->api);
	for (int i = 0; i < 3; i++)
		loop_round(w->loop);
	store_close(w->store);
	fake_net_end();
	api_done(&w->api);
	w->api.store = NULL;
	loop_timer_cancel(w->loop, &w->tick);
	loop_unwatch(w->loop, &w->mail);
	mailbox_free(w->mailbox);
	loop_free(w->loop);
	topic_config_done(&w->defaults);
	for (int i = 0; i < WORLD_CALLERS; i++) {
		arena_done(&w->callers[i].arena);
		free(w->callers[i].conn);
	}
}

void
world_begin(struct world *w, uint64_t seed)
{
	const char *tmp = getenv("TMPDIR");

	*w = (struct world){ 0 };
	snprintf(w->dir, sizeof w->dir, "%.40s/api.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	CU_ASSERT_FATAL(mkdtemp(w->dir) != NULL);
	diag_set_sink(no_line);
	fake_disk_reset(w->dir);
	fake_disk_begin(seed, 0);
	fake_worker_seed(seed);
	fake_poller_begin(seed, 0);
	fake_clock_begin(NOW, NOW);
	w->store_config = (struct store_config){ .dir = w->dir, .journal_bytes = 64 << 20,
		.journal_batch_bytes_max = 1 << 18, .checkpoint_interval_ms = HOUR_MS, .checkpoint_bytes = 1 << 30,
		.open_files_max = 16, .producers_max = 1000, .upkeep = { .retention_check_ms = HOUR_MS },
		.internal = { .segment_bytes = 64 << 20, .segment_ms = INT64_MAX, .max_message_bytes = 16 << 20,
		    .timestamp_before_max_ms = INT64_MAX, .timestamp_after_max_ms = INT64_MAX,
		    .producer_expiry_ms = HOUR_MS } };
	start(w);
}

void
world_again(struct world *w)
{
	stop(w);
	start(w);
}

void
world_end(struct world *w)
{
	static const char *const names[] = { "index/data.mdb", "index/lock.mdb", "index", "" };
	char path[128];

	stop(w);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", w->dir, names[i]);
		remove(path);
	}
	fake_disk_reset(w->dir);
}

static void
flatten(const struct gather *g, struct buf *to)
{
	struct iovec iov[64];
	int n;

	while ((n = gather_iov(g, to->n, iov, 64)) > 0)
		for (int i = 0; i < n; i++)
			buf_put(to, iov[i].iov_base, iov[i].iov_len);
}

void
world_send(struct world *w, struct caller *c, int key, int version, const void *message)
{
	struct wire_request_header header;
	struct buf frame = { 0 };
	struct gather g;

	(void)w;
	arena_done(&c->arena);
	arena_init(&c->arena, ANSWER_MAX);
	c->api = wire_api_find(key);
	c->version = version;
	c->answer = NULL;
	wire_request_header_default(&header);
	header.request_api_key = (int16_t)key;
	header.request_api_version = (int16_t)version;
	gather_init(&g);
	wire_request_header_encode(&g, wire_request_header_version(c->api, version), &header);
	wire_encode(&g, c->api->request, version, message);
	CU_ASSERT_FATAL(!g.buf.failed);
	flatten(&g, &frame);
	fake_conn_send(c->conn, buf_bytes(&frame));
	buf_done(&frame);
	gather_done(&g);
}

void
world_turn(struct world *w)
{
	fake_net_turn();
	/* Where nothing happens, time goes on. */
	loop_timer_set(w->loop, &w->tick, loop_now_ms(w->loop) + 1);
	loop_round(w->loop);
}

const void *
world_answer(struct world *w, struct caller *c)
{
	for (int i = 0; i < TURNS_MAX && c->answer == NULL && !c->refused; i++)
		world_turn(w);
	CU_ASSERT_FATAL(c->answer != NULL || c->refused);
	return c->answer;
}

const void *
world_ask(struct world *w, struct caller *c, int key, int version, const void *message)
{
	world_send(w, c, key, version, message);
	return world_answer(w, c);
}

void
world_topic(struct world *w, struct caller *c, const char *name, int32_t partitions)
{
	struct wire_create_topics_request_topic topic;
	struct wire_create_topics_request q;
	const struct wire_create_topics_response *a;

	wire_create_topics_request_topic_default(&topic);
	topic.name = span_str(name);
	topic.num_partitions = partitions;
	topic.replication_factor = 1;
	wire_create_topics_request_default(&q);
	q.topics = &topic;
	q.n_topics = 1;
	a = world_ask(w, c, CREATE_TOPICS, 5, &q);
	CU_ASSERT_FATAL(a != NULL && a->n_topics == 1 && a->topics[0].error_code == 0);
}

struct partition *
world_partition(struct world *w, const char *topic, int32_t number)
{
	struct topic_partition *tp = topic_partition(topics_find(&w->api, span_str(topic)), number);

	CU_ASSERT_FATAL(tp != NULL);
	return tp->log;
}
