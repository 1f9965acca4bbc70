/* server.c -- the daemon: everything joined, started and ended in order. */
#include "server/server.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/api.h"
#include "base/diag.h"
#include "base/map.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "net/conn.h"
#include "net/loop.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "plat/worker.h"
#include "store/store.h"

/*
 * Requests of one connection under way, and answer bytes that it may leave
 * unread: enough to keep a disk and a network busy, few enough to bound memory.
 */
enum { IN_FLIGHT_MAX = 256, SEND_BYTES_MAX = 32 * 1024 * 1024, DRAIN_MS = 10000,
	PRODUCERS_MAX = 200000, OPEN_SEGMENTS_MAX = 8192, OTHER_FILES_MAX = 64,
	RESERVE_BYTES = 4 * 1024 * 1024, INTERNAL_SEGMENT_BYTES = 64 * 1024 * 1024, INTERNAL_MESSAGE_BYTES = 16 * 1024 * 1024,
	INTERNAL_DELETE_RETENTION_MS = 86400000 };

/* At most so many bytes in so long: not worth keeping memory for. */
enum { REST_MS = 5000, REST_BYTES = 4 * 1024 * 1024 };

/* How the open files that the system grants are shared out. */
struct descriptors {
	int segments, connections;
};

struct server {
	struct config *config;
	struct descriptors descriptors;
	struct loop *loop;
	struct mailbox *mailbox;
	struct store *store;
	struct net *net;
	struct api api;
	bool api_ready;
	struct api_listener tags[LISTENERS_MAX];
	struct listener *listeners[LISTENERS_MAX];
	struct watch mail, signals;
	struct timer tick, drain, rest;
	uint64_t moved_bytes; /* in and out, when `rest` came last */
	bool keeps_memory;    /* much came and went since memory was given back */
	struct round_hook round;
	bool draining, failed;
};

/* ---- configuration, in the words of each part ---- */

static struct net_limits
net_limits(const struct server *s)
{
	const struct config *c = s->config;

	return (struct net_limits){
		.frame_bytes_max = c->socket_request_max_bytes,
		.connections_max = c->max_connections,
		.connections_per_ip_max = c->max_connections_per_ip,
		.descriptors_max = s->descriptors.connections,
		.idle_ms_max = c->connections_max_idle_ms,
		.request_bytes_max = c->queued_max_request_bytes,
		.answer_bytes_max = c->weir_queued_max_response_bytes,
		.in_flight_max = IN_FLIGHT_MAX,
		.send_bytes_max = SEND_BYTES_MAX,
	};
}

static bool
broker_setting(void *ctx, size_t i, struct setting_entry *out)
{
	const struct server *s = ctx;

	return config_entry(s->config, i, out);
}

static int broker_alter(void *, const struct setting_change *, size_t, bool (*)(void *), void *, char *, size_t);

static struct api_config
api_config(struct server *s)
{
	struct config *c = s->config;

	return (struct api_config){
		.node_id = c->node_id,
		.num_partitions = c->num_partitions,
		.default_replication_factor = (int16_t)c->default_replication_factor,
		.auto_create_topics_enable = c->auto_create_topics_enable,
		.delete_topic_enable = c->delete_topic_enable,
		.replication_factor_strict = c->replication_factor_strict,
		.fetch_max_bytes = c->fetch_max_bytes,
		.fetch_session_slots = c->max_incremental_fetch_session_cache_slots,
		.max_request_partitions = c->max_request_partition_size_limit,
		.offset_metadata_max_bytes = c->offset_metadata_max_bytes,
		.offsets_retention_ms = c->offsets_retention_minutes * INT64_C(60000),
		.offsets_retention_check_ms = c->offsets_retention_check_interval_ms,
		.transaction_max_timeout_ms = c->transaction_max_timeout_ms,
		.transactional_id_expiration_ms = c->transactional_id_expiration_ms,
		.transactional_id_check_ms = c->transactional_id_check_ms,
		.producer_id_expiration_ms = c->producer_id_expiration_ms,
		.topic_defaults = &c->topic_defaults,
		.broker_setting = broker_setting,
		.broker_alter = broker_alter,
		.ctx = s,
		.log_dir = c->log_dirs,
	};
}

static struct groups_config
groups_config(const struct config *c)
{
	return (struct groups_config){
		.min_session_timeout_ms = c->group_min_session_timeout_ms,
		.max_session_timeout_ms = c->group_max_session_timeout_ms,
		.initial_rebalance_delay_ms = c->group_initial_rebalance_delay_ms,
		.max_size = c->group_max_size,
		.consumer_session_timeout_ms = c->group_consumer_session_timeout_ms,
		.consumer_heartbeat_interval_ms = c->group_consumer_heartbeat_interval_ms,
		.consumer_max_size = c->group_consumer_max_size,
	};
}

/*
 * First the store, without which nothing can be made durable: its segments, and
 * journal, index and syncs.  Connections have what is left.
 */
static struct descriptors
share_descriptors(void)
{
	struct rlimit limit;
	int n = 1024, segments, others;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		n = limit.rlim_cur > INT_MAX ? INT_MAX : (int)limit.rlim_cur;
	segments = n / 2 < OPEN_SEGMENTS_MAX ? n / 2 : OPEN_SEGMENTS_MAX;
	others = n / 4 < OTHER_FILES_MAX ? n / 4 : OTHER_FILES_MAX;
	return (struct descriptors){ .segments = segments, .connections = n - segments - others };
}

static struct store_upkeep
store_upkeep(const struct config *c)
{
	return (struct store_upkeep){
		.retention_check_ms = c->log_retention_check_interval_ms,
		.cleaner = c->log_cleaner_enable,
		.cleaner_backoff_ms = c->log_cleaner_backoff_ms,
		.cleaner_bytes = c->log_cleaner_dedupe_buffer_size,
	};
}

static struct store_config
store_config(const struct server *s)
{
	const struct config *c = s->config;

	return (struct store_config){
		.dir = c->log_dirs,
		.journal_bytes = c->journal_bytes,
		.journal_batch_bytes_max = c->journal_batch_max_bytes,
		.checkpoint_interval_ms = c->checkpoint_interval_ms,
		.checkpoint_bytes = c->checkpoint_bytes,
		.open_files_max = s->descriptors.segments,
		.producers_max = PRODUCERS_MAX,
		.reserve_bytes = RESERVE_BYTES,
		.upkeep = store_upkeep(c),
		.internal = {
			.segment_bytes = INTERNAL_SEGMENT_BYTES,
			.segment_ms = INT64_MAX,
			.max_message_bytes = INTERNAL_MESSAGE_BYTES,
			.compacted = true,
			.delete_retention_ms = INTERNAL_DELETE_RETENTION_MS,
			.max_compaction_lag_ms = INT64_MAX,
			.min_dirty_ratio = 0.5,
			.timestamp_before_max_ms = INT64_MAX,
			.timestamp_after_max_ms = INT64_MAX,
			.producer_expiry_ms = c->producer_id_expiration_ms,
		},
	};
}

/* Hands what may have changed to those who keep copies. */
static void
hand_on(struct server *s)
{
	struct net_limits limits = net_limits(s);
	struct api_config config = api_config(s);
	struct groups_config groups = groups_config(s->config);
	struct store_upkeep upkeep = store_upkeep(s->config);

	store_set_upkeep(s->store, &upkeep);
	if (s->net != NULL)
		net_set_limits(s->net, &limits);
	api_reconfigure(&s->api, &config, &groups);
	diag_set_level((enum diag_level)s->config->log_level);
}

static int
broker_alter(void *ctx, const struct setting_change *changes, size_t n, bool (*keep)(void *),
    void *keep_ctx, char *why, size_t size)
{
	struct server *s = ctx;
	int r = config_alter(s->config, changes, n, keep, keep_ctx, why, size);

	/* Topics point into the defaults, which are rebuilt whatever came of it. */
	hand_on(s);
	return r;
}

/* ---- events ---- */

static void
read_mail(struct watch *w, unsigned events)
{
	(void)events;
	mailbox_run(container_of(w, struct server, mail)->mailbox);
}

static void
on_tick(struct timer *timer)
{
	struct server *s = container_of(timer, struct server, tick);

	loop_timer_set(s->loop, timer, store_tick(s->store, loop_now_ms(s->loop), loop_wall_ms(s->loop)));
}

/*
 * What main() has malloc keep for requests and answers goes back where little comes and goes:
 * then nobody pays for having it anew, nor waits while it is given back.
 */
static void
on_rest(struct timer *timer)
{
	struct server *s = container_of(timer, struct server, rest);
	const struct net_stats *stats = net_stats_of(s->net);
	uint64_t moved = stat_get(&stats->bytes_in) + stat_get(&stats->bytes_out);

	if (moved - s->moved_bytes > REST_BYTES)
		s->keeps_memory = true;
	else if (s->keeps_memory) {
		s->keeps_memory = false;
		malloc_trim(0);
	}
	s->moved_bytes = moved;
	loop_timer_set(s->loop, timer, loop_now_ms(s->loop) + REST_MS);
}

static void
store_failed(void *ctx, const char *why)
{
	struct server *s = ctx;

	diag_error("the daemon ends", "why=\"%s\" action=\"mend what the lines before name, and start again\"", why);
	s->failed = true;
	if (s->loop != NULL)
		loop_stop(s->loop);
}

static void
visible(void *ctx, struct partition *p)
{
	struct server *s = ctx;

	if (s->api_ready)
		api_visible(&s->api, p);
}

static void
drained_late(struct timer *timer)
{
	struct server *s = container_of(timer, struct server, drain);

	diag_warn("connections cut", "why=\"their answers were not taken within %d ms\"", DRAIN_MS);
	loop_stop(s->loop);
}

static void
drain(struct server *s)
{
	if (s->draining)
		return;
	s->draining = true;
	diag_info("draining", "");
	net_drain(s->net);
	api_drain(&s->api);
	s->drain.fire = drained_late;
	loop_timer_set(s->loop, &s->drain, loop_now_ms(s->loop) + DRAIN_MS);
}

static void
each_round(struct round_hook *hook)
{
	struct server *s = container_of(hook, struct server, round);

	if (s->draining && net_idle(s->net))
		loop_stop(s->loop);
}

/* One line of the log for each. */
static void
tell_mistakes(struct span lines)
{
	char quoted[1024];

	while (lines.n > 0) {
		const uint8_t *end = memchr(lines.p, '\n', lines.n);
		size_t n = end == NULL ? lines.n : (size_t)(end - lines.p);

		diag_error("mistake in the configuration", "text=%s",
		    diag_quote(quoted, sizeof quoted, span_of(lines.p, n)));
		n += end != NULL;
		lines = span_of(lines.p + n, lines.n - n);
	}
}

static void
reload(struct server *s)
{
	struct buf mistakes = { 0 };

	if (config_reload(s->config, &mistakes) == -1) {
		diag_error("configuration not taken up", "file=%s action=\"mend what the next lines name\"",
		    s->config->file == NULL ? "-" : s->config->file);
		tell_mistakes(buf_bytes(&mistakes));
	} else {
		hand_on(s);
		diag_info("configuration taken up", "");
	}
	buf_done(&mistakes);
}

#define STAT(name, help) buf_printf(&line, " %s=%" PRIu64, #name, stat_get(&stats->name));

/* SIGUSR1: the counters, as one line for each part. */
static void
tell_stats(struct server *s)
{
	struct buf line = { 0 };

	{
		const struct net_stats *stats = net_stats_of(s->net);
#include "net/stats.tbl"
		must_fit(!line.failed);
		diag_info("counters of net", "%.*s", (int)line.n - 1, (const char *)line.p + 1);
	}
	buf_reset(&line);
	{
		const struct store_stats *stats = store_stats_of(s->store);
#include "store/stats.tbl"
		must_fit(!line.failed);
		diag_info("counters of store", "%.*s", (int)line.n - 1, (const char *)line.p + 1);
	}
	buf_reset(&line);
	{
		const struct api_stats *stats = &s->api.stats;
#include "api/stats.tbl"
		must_fit(!line.failed);
		diag_info("counters of api", "%.*s", (int)line.n - 1, (const char *)line.p + 1);
	}
	buf_done(&line);
}
#undef STAT

static void
make_snapshot(struct server *s)
{
	const char *dir = s->config->snapshot_dir;

	if (dir == NULL)
		diag_warn("no snapshot is made", "action=\"set weir.snapshot.dir to a folder, and reload\"");
	else if (s->store != NULL && !s->draining)
		store_snapshot(s->store, dir, clock_wall_ms());
}

static void
on_signal(struct watch *w, unsigned events)
{
	struct server *s = container_of(w, struct server, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(w->fd, &info, sizeof info) == (ssize_t)sizeof info)
		if (info.ssi_signo == SIGHUP)
			reload(s);
		else if (info.ssi_signo == SIGUSR1)
			tell_stats(s);
		else if (info.ssi_signo == SIGUSR2)
			make_snapshot(s);
		else
			drain(s);
}

/* ---- start ---- */

static int
watch_signals(struct server *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	/* Threads inherit this: signals come to the loop only. */
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	s->signals = (struct watch){ .fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), .events = WATCH_READ, .ready = on_signal };
	if (s->signals.fd == -1)
		return -1;
	if (loop_watch(s->loop, &s->signals) == 0)
		return 0;
	close(s->signals.fd);
	s->signals.fd = -1;
	return -1;
}

static const char *
listen_advice(int error)
{
	if (error == EADDRINUSE)
		return "something else uses this port: end it, or choose another in `listeners`";
	if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EACCES || error == EINVAL)
		return "choose another address or port in `listeners`";
	return file_advice(error);
}

static int
listen_all(struct server *s)
{
	for (int i = 0; i < s->config->n_listen; i++) {
		const struct listener_spec *spec = &s->config->listen[i];

		s->listeners[i] = net_listen(s->net, spec->host, spec->port, &s->tags[i]);
		if (s->listeners[i] == NULL) {
			diag_error("can't listen", "address=%s port=%d error=\"%s\" action=\"%s\"", spec->host,
			    spec->port, strerror(errno), listen_advice(errno));
			return -1;
		}
		s->tags[i].host = spec->advertised_host;
		s->tags[i].port = spec->advertised_port != 0 ? spec->advertised_port :
		    listener_port(s->listeners[i]);
	}
	return 0;
}

static int
start(struct server *s)
{
	struct store_config store = store_config(s);
	struct store_hooks hooks = { s, visible, store_failed };
	struct net_hooks net_hooks = { &s->api, api_request, api_gone };
	struct api_config api = api_config(s);
	struct groups_config groups = groups_config(s->config);
	struct net_limits limits = net_limits(s);

	if ((s->loop = loop_new()) == NULL || watch_signals(s) == -1) {
		diag_error("event loop can't be made", "error=\"%s\" action=\"%s\"", strerror(errno), file_advice(errno));
		return -1;
	}
	s->mailbox = mailbox_new();
	if (store_open(&s->store, &store, s->mailbox, &hooks, clock_mono_ms(), clock_wall_ms()) == -1)
		return -1;
	s->mail = (struct watch){ .fd = mailbox_fd(s->mailbox), .events = WATCH_READ, .ready = read_mail };
	if (loop_watch(s->loop, &s->mail) == -1) {
		s->mail.ready = NULL; /* there is nothing to be unwatched */
		diag_error("event loop can't be made", "error=\"%s\" action=\"%s\"", strerror(errno), file_advice(errno));
		return -1;
	}
	if (api_init(&s->api, &api, &groups, s->loop, s->store) == -1)
		return -1;
	s->api_ready = true;
	s->net = net_new(s->loop, &limits, &net_hooks);
	s->tick.fire = on_tick;
	loop_timer_set(s->loop, &s->tick, clock_mono_ms());
	s->rest.fire = on_rest;
	loop_timer_set(s->loop, &s->rest, clock_mono_ms() + REST_MS);
	s->round.run = each_round;
	loop_hook(s->loop, &s->round);
	return listen_all(s);
}

struct server *
server_new(struct config *config)
{
	struct server *s = xcalloc(1, sizeof *s);
	uint64_t seed[2];

	s->config = config;
	s->descriptors = share_descriptors();
	must(file_random(seed, sizeof seed) == 0);
	map_seed(seed[0], seed[1]);
	diag_set_level((enum diag_level)config->log_level);
	if (start(s) == 0)
		return s;
	server_free(s);
	return NULL;
}

/* All lines in one piece: whoever has read the first may be gone. */
static void
tell_ready(const struct server *s, int fd)
{
	struct buf lines = { 0 };

	for (int i = 0; i < s->config->n_listen; i++) {
		const char *host = s->config->listen[i].host;
		int port = listener_port(s->listeners[i]);
		bool v6 = strchr(host, ':') != NULL;

		diag_info("listening", "name=%s address=%s port=%d advertised=%s:%d",
		    s->config->listen[i].name, host, port, s->tags[i].host, s->tags[i].port);
		buf_printf(&lines, "ready %s%s%s:%d\n", v6 ? "[" : "", host, v6 ? "]" : "", port);
	}
	must_fit(!lines.failed);
	if (fd != -1) {
		if (write(fd, lines.p, lines.n) == -1)
			diag_warn("whoever waits until this is ready could not be told", "error=%s", strerrorname_np(errno));
		close(fd);
	}
	buf_done(&lines);
}

int
server_run(struct server *s, int ready_fd)
{
	tell_ready(s, ready_fd);
	loop_run(s->loop);
	return s->failed ? 1 : 0;
}

void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	/* The store ends what waits for it; then connections end what still waits in the api. */
	if (s->store != NULL)
		store_close(s->store);
	if (s->net != NULL)
		net_free(s->net);
	if (s->api_ready)
		api_done(&s->api);
	if (s->signals.fd > 0) {
		loop_unwatch(s->loop, &s->signals);
		close(s->signals.fd);
	}
	if (s->mail.ready != NULL)
		loop_unwatch(s->loop, &s->mail);
	if (s->mailbox != NULL)
		mailbox_free(s->mailbox);
	if (s->loop != NULL)
		loop_free(s->loop);
	free(s);
}
