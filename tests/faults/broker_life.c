/* broker_life.c -- one life of a simulated broker: wired as logd/server/server.c does, and run. */
#include "faults/broker_sim.h"

#include <unistd.h>

#include "api/api.h"
#include "base/must.h"
#include "fake/clock_fake.h"
#include "fake/file_fake.h"
#include "fake/net_fake.h"
#include "fake/poller_fake.h"
#include "fake/worker_fake.h"
#include "plat/clock.h"
#include "plat/worker.h"

enum { LIFE_LIMIT_S = 60, DOWN_MS = 1000, DAY_MS = 86400000, CHECK_STEPS_MAX = 200000 };

/* Of this process. */
static struct {
	struct broker_life plan;
	struct loop *loop;
	struct mailbox *mailbox;
	struct store *store;
	struct api api;
	bool api_ready, checked;
	struct topic_config defaults;
	struct watch mail;
	struct timer tick, turn;
	int steps;
} life;

int64_t
now_ms(void)
{
	return clock_wall_ms();
}

void
broker_checkpoint(void)
{
	store_checkpoint(life.store);
}

/* ---- wiring ---- */

static void
read_mail(struct watch *w, unsigned events)
{
	(void)w;
	(void)events;
	mailbox_run(life.mailbox);
}

static void
on_tick(struct timer *timer)
{
	loop_timer_set(life.loop, timer, store_tick(life.store, loop_now_ms(life.loop), loop_wall_ms(life.loop)));
}

static void
on_visible(void *ctx, struct partition *p)
{
	(void)ctx;
	if (life.api_ready)
		api_visible(&life.api, p);
}

static void
on_failed(void *ctx, const char *why)
{
	(void)ctx;
	broken("the store failed: %s", why);
}

static struct store_config
store_config(void)
{
	const struct broker_options *o = &past->options;

	return (struct store_config){ .dir = sim_dir(), .journal_bytes = 4 << 20,
		.journal_batch_bytes_max = o->journal_batch_bytes_max, .checkpoint_interval_ms = 5000,
		.checkpoint_bytes = o->checkpoint_bytes, .open_files_max = 16, .producers_max = 1000,
		.upkeep = { .retention_check_ms = 700, .cleaner = true, .cleaner_backoff_ms = 300,
		    .cleaner_bytes = 1 << 18 },
		.internal = { .segment_bytes = o->internal_segment_bytes, .segment_ms = INT64_MAX,
		    .max_message_bytes = o->internal_segment_bytes, .compacted = true,
		    .delete_retention_ms = DAY_MS, .max_compaction_lag_ms = INT64_MAX, .min_dirty_ratio = 0.3,
		    .timestamp_before_max_ms = INT64_MAX, .timestamp_after_max_ms = INT64_MAX,
		    .producer_expiry_ms = DAY_MS } };
}

static struct api_config
api_config(void)
{
	return (struct api_config){ .node_id = 1, .num_partitions = 1, .default_replication_factor = 1,
		.delete_topic_enable = true, .fetch_max_bytes = 1 << 20, .fetch_session_slots = 100,
		.max_request_partitions = 1000, .offset_metadata_max_bytes = 4096,
		.offsets_retention_ms = INT64_C(10) * DAY_MS, .offsets_retention_check_ms = 60000,
		.transaction_max_timeout_ms = DAY_MS, .transactional_id_expiration_ms = INT64_C(10) * DAY_MS,
		.transactional_id_check_ms = 60000, .producer_id_expiration_ms = DAY_MS,
		.topic_defaults = &life.defaults, .log_dir = sim_dir() };
}

static void
start(void)
{
	struct store_config config = store_config();
	struct store_hooks hooks = { .visible = on_visible, .failed = on_failed };
	struct net_hooks net_hooks = { &life.api, api_request, api_gone };
	struct api_config api = api_config();
	struct groups_config groups = { .min_session_timeout_ms = 100, .max_session_timeout_ms = DAY_MS,
		.initial_rebalance_delay_ms = 50, .max_size = INT32_MAX, .consumer_session_timeout_ms = 45000,
		.consumer_heartbeat_interval_ms = 5000, .consumer_max_size = INT32_MAX };

	life.loop = loop_new();
	life.mailbox = mailbox_new();
	if (store_open(&life.store, &config, life.mailbox, &hooks, clock_mono_ms(), clock_wall_ms()) == -1)
		broken("the store does not open");
	life.mail = (struct watch){ .fd = mailbox_fd(life.mailbox), .events = WATCH_READ, .ready = read_mail };
	must(loop_watch(life.loop, &life.mail) == 0);
	topic_config_init(&life.defaults, NULL);
	if (api_init(&life.api, &api, &groups, life.loop, life.store) == -1)
		broken("the api does not start");
	life.api_ready = true;
	fake_net_begin(&net_hooks, below(SIZE_MAX));
	life.tick.fire = on_tick;
	loop_timer_set(life.loop, &life.tick, clock_mono_ms());
}

/* In the order of server_free(). */
static void
stop(void)
{
	api_drain(&life.api);
	for (int i = 0; i < 3; i++)
		loop_round(life.loop);
	store_close(life.store);
	fake_net_end();
	api_done(&life.api);
	loop_timer_cancel(life.loop, &life.tick);
	loop_timer_cancel(life.loop, &life.turn);
	loop_unwatch(life.loop, &life.mail);
	mailbox_free(life.mailbox);
	loop_free(life.loop);
	topic_config_done(&life.defaults);
}

/* ---- the clients' turns ---- */

static void
on_turn(struct timer *timer)
{
	bool under_way = fake_net_turn();

	clients_step();
	txns_check(life.api.txns);
	life.steps++;
	if (life.checked && past->options.jumps && one_in(150))
		fake_clock_advance((int64_t)below((size_t)past->options.txn_timeout_ms));
	/* A life goes on where the last one was, or a little before: it was down for longer. */
	past->mono_ms = clock_mono_ms();
	past->wall_ms = clock_wall_ms();
	loop_timer_set(life.loop, timer, clock_mono_ms() + (under_way && one_in(2) ? 0 : (int64_t)below(6)));
}

static void
on_checked(void)
{
	life.checked = true;
}

static void
run_until_checked(void)
{
	while (!life.checked) {
		loop_round(life.loop);
		if (life.steps > CHECK_STEPS_MAX)
			broken("the check at the start never ends");
	}
}

static void
live(const void *plan)
{
	life.plan = *(const struct broker_life *)plan;
	alarm(LIFE_LIMIT_S);
	chance_begin(life.plan.seed);
	fake_worker_seed(life.plan.seed);
	fake_poller_begin(life.plan.seed, past->options.late);
	fake_disk_begin(life.plan.seed, past->options.cold);
	fake_disk_cut_at(life.plan.cut_at);
	past->counts.lives++;
	past->wall_ms += DOWN_MS;
	fake_clock_begin(past->mono_ms, past->wall_ms);
	history_life();
	start();
	life.turn.fire = on_turn;
	loop_timer_set(life.loop, &life.turn, clock_mono_ms());
	clients_check(life.plan.final, on_checked);
	run_until_checked();
	if (life.plan.work) {
		clients_begin();
		life.steps = 0;
		while (life.steps < past->options.steps)
			loop_round(life.loop);
	}
	past->counts.compactions += stat_get(&store_stats_of(life.store)->compactions);
	past->counts.retentions += stat_get(&store_stats_of(life.store)->retentions);
	if (life.plan.close)
		stop();
}

int
broker_run(const struct broker_life *plan)
{
	return lives_run(live, plan);
}
