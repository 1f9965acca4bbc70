/* log.c -- the topic `_schemas`: replayed at the start, followed, and written to. */
#include "registry/log.h"

#include <librdkafka/rdkafka.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/diag.h"
#include "base/monotonic.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "registry/topic.h"

enum {
	CLUSTER_TIMEOUT_MS = 10000,
	POLL_MS = 100,
	LOOK_MS = 750 /* for a look at the topic's end where the one before had no answer */
};

static const char noop_key[] = "{\"keytype\":\"NOOP\",\"magic\":0}";

struct log {
	struct log_settings settings; /* its properties are owned */
	char *topic;
	log_apply *apply;
	void *ctx;
	/* The producer asks for the topic's end, too: on the reader's connection that would wait for the fetch before it. */
	rd_kafka_t *reader, *producer;
	char *cluster_id;              /* librdkafka's */
	pthread_t thread;
	atomic_bool stopping;
	bool in_doubt; /* a write's end is not known; the writer's */

	pthread_mutex_t mutex;
	pthread_cond_t moved;  /* `applied`, or the looks, changed */
	int64_t applied;       /* the offset behind the last record applied */
	/* Looks at the topic's end, counted; whoever finds none under way begins the next. */
	uint64_t looks_begun, looks_done;
	bool looking, look_failed;
	int64_t end; /* as the newest look saw it */
};

/* ---- time ---- */

static int
left_ms(const struct timespec *deadline)
{
	struct timespec t;
	int64_t ms;

	clock_gettime(CLOCK_MONOTONIC, &t);
	ms = (int64_t)(deadline->tv_sec - t.tv_sec) * 1000 + (deadline->tv_nsec - t.tv_nsec) / 1000000;
	return ms < 0 ? 0 : (int)ms;
}

static void
init_locks(struct log *log)
{
	pthread_mutex_init(&log->mutex, NULL);
	monotonic_cond_init(&log->moved);
}

/* ---- handles ---- */

/* librdkafka's lines in our log: what it calls an error is degraded for us, since it goes on. */
static void
on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	char quoted[320];

	(void)rk;
	diag_quote(quoted, sizeof quoted, span_str(text));
	diag(level <= 4 ? DIAG_WARN : DIAG_DEBUG, "kafka client", "facility=%s text=%s", facility, quoted);
}

static bool
set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
	char why[256], quoted[320];

	if (rd_kafka_conf_set(conf, key, value, why, sizeof why) == RD_KAFKA_CONF_OK)
		return true;
	diag_error("a setting of the Kafka client is wrong", "name=%s reason=%s", key,
	    diag_quote(quoted, sizeof quoted, span_str(why)));
	return false;
}

/* What becomes of the messages of a write. */
struct delivery {
	size_t left;               /* not yet answered */
	rd_kafka_resp_err_t error; /* the first */
	int64_t end;               /* behind the last */
};

static void
on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct delivery *d = m->_private;

	(void)rk;
	(void)opaque;
	d->left--;
	if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		d->end = m->offset + 1;
	else if (d->error == RD_KAFKA_RESP_ERR_NO_ERROR)
		d->error = m->err;
}

/* Our own settings first, so that the user's go before them. */
static rd_kafka_t *
make_handle(const struct log *log, rd_kafka_type_t type, const struct log_property *own, size_t n_own)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *rk = NULL;
	char why[256];
	bool good = true;

	for (size_t i = 0; good && i < n_own; i++)
		good = set(conf, own[i].key, own[i].value);
	for (size_t i = 0; good && i < log->settings.n_properties; i++)
		good = set(conf, log->settings.properties[i].key, log->settings.properties[i].value);
	rd_kafka_conf_set_log_cb(conf, on_log);
	if (type == RD_KAFKA_PRODUCER)
		rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	if (good && (rk = rd_kafka_new(type, conf, why, sizeof why)) == NULL)
		diag_error("the Kafka client can't be made", "reason=\"%s\"", why);
	if (rk == NULL)
		rd_kafka_conf_destroy(conf);
	return rk;
}

static rd_kafka_t *
make_producer(const struct log *log)
{
	char timeout[16];
	const struct log_property properties[] = {
		{ "client.id", "weir-registry" },
		{ "reconnect.backoff.max.ms", "250" },
		{ "linger.ms", "0.5" }, /* with 0 librdkafka's thread spins */
		{ "socket.nagle.disable", "true" },
		{ "delivery.timeout.ms", timeout },
		{ "acks", "all" },
		{ "enable.idempotence", log->settings.writer ? "true" : "false" },
	};

	snprintf(timeout, sizeof timeout, "%d", log->settings.timeout_ms);
	return make_handle(log, RD_KAFKA_PRODUCER, properties, sizeof properties / sizeof *properties);
}

static bool
make_handles(struct log *log)
{
	const struct log_property reader[] = {
		{ "client.id", "weir-registry" },
		{ "group.id", "weir-registry" }, /* asked for; nothing is committed */
		{ "enable.auto.commit", "false" },
		{ "enable.auto.offset.store", "false" },
		{ "auto.offset.reset", "earliest" },
		{ "enable.partition.eof", "true" },
		{ "fetch.wait.max.ms", "500" },
		{ "fetch.error.backoff.ms", "50" },
		{ "reconnect.backoff.max.ms", "250" },
		{ "queued.max.messages.kbytes", "65536" }, /* where it is full the client fetches nothing for a second */
		{ "socket.nagle.disable", "true" },
	};

	log->reader = make_handle(log, RD_KAFKA_CONSUMER, reader, sizeof reader / sizeof *reader);
	if (log->reader != NULL)
		log->producer = make_producer(log);
	return log->reader != NULL && log->producer != NULL;
}

/* ---- reading ---- */

static void
advance(struct log *log, int64_t to)
{
	pthread_mutex_lock(&log->mutex);
	if (to > log->applied)
		log->applied = to;
	pthread_cond_broadcast(&log->moved);
	pthread_mutex_unlock(&log->mutex);
}

static void
take(struct log *log, const rd_kafka_message_t *m)
{
	rd_kafka_timestamp_type_t type;

	if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		log->apply(log->ctx, m->offset, rd_kafka_message_timestamp(m, &type),
		    span_of(m->key, m->key_len), span_of(m->payload, m->len));
		advance(log, m->offset + 1);
	} else if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		advance(log, m->offset); /* what was compacted away at the end counts as applied */
	else
		diag_warn("reading the registry's topic failed, and is tried again", "reason=\"%s\"",
		    rd_kafka_message_errstr(m));
}

static void *
read_topic(void *arg)
{
	struct log *log = arg;

	while (!atomic_load(&log->stopping)) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(log->reader, POLL_MS);

		if (m == NULL)
			continue;
		take(log, m);
		rd_kafka_message_destroy(m);
	}
	return NULL;
}

static bool
begin_reading(struct log *log)
{
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t r;

	/* As a number: librdkafka would take half a second to ask where the beginning is.  Behind 0, it resets by itself. */
	rd_kafka_topic_partition_list_add(all, log->topic, 0)->offset = 0;
	rd_kafka_poll_set_consumer(log->reader);
	r = rd_kafka_assign(log->reader, all);
	rd_kafka_topic_partition_list_destroy(all);
	if (r != RD_KAFKA_RESP_ERR_NO_ERROR)
		diag_error("the registry's topic can't be read", "reason=\"%s\"", rd_kafka_err2str(r));
	return r == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool
find_topic(const struct log *log, int timeout_ms)
{
	struct topic topic = { .client = log->reader, .name = log->topic, .make = log->settings.writer,
		.replication_factor = log->settings.replication_factor };

	return topic_find(&topic, timeout_ms);
}

static struct log_property *
copy_properties(const struct log_settings *s)
{
	struct log_property *copy = xcalloc(s->n_properties, sizeof *copy);

	for (size_t i = 0; i < s->n_properties; i++)
		copy[i] = (struct log_property){ xstrdup(s->properties[i].key), xstrdup(s->properties[i].value) };
	return copy;
}

static void
free_log(struct log *log)
{
	if (log->producer != NULL)
		rd_kafka_destroy(log->producer);
	if (log->cluster_id != NULL)
		rd_kafka_mem_free(log->reader, log->cluster_id);
	if (log->reader != NULL)
		rd_kafka_destroy(log->reader);
	for (size_t i = 0; i < log->settings.n_properties; i++) {
		free((void *)(uintptr_t)log->settings.properties[i].key);
		free((void *)(uintptr_t)log->settings.properties[i].value);
	}
	free((void *)(uintptr_t)log->settings.properties);
	pthread_cond_destroy(&log->moved);
	pthread_mutex_destroy(&log->mutex);
	free(log->topic);
	free(log);
}

struct log *
log_open(const struct log_settings *settings, log_apply *apply, void *ctx)
{
	struct timespec deadline = monotonic_in(settings->init_timeout_ms);
	struct log *log = xcalloc(1, sizeof *log);

	*log = (struct log){ .settings = *settings, .topic = xstrdup(settings->topic), .apply = apply, .ctx = ctx,
		/* Who wrote before us may have left something on its way. */
		.in_doubt = settings->writer };
	log->settings.properties = copy_properties(settings);
	init_locks(log);
	if (!make_handles(log) || !find_topic(log, left_ms(&deadline)) || !begin_reading(log))
		goto fail;
	log->cluster_id = rd_kafka_clusterid(log->reader, CLUSTER_TIMEOUT_MS);
	must(pthread_create(&log->thread, NULL, read_topic, log) == 0);
	if (log_catch_up(log, left_ms(&deadline))) {
		malloc_trim(0); /* what the topic took on its way to us */
		return log;
	}
	diag_error("the registry's topic could not be read to its end in time",
	    "topic=%s timeout_ms=%d action=\"raise kafkastore.init.timeout.ms, or look after the broker\"",
	    log->topic, settings->init_timeout_ms);
	atomic_store(&log->stopping, true);
	pthread_join(log->thread, NULL);
fail:
	free_log(log);
	return NULL;
}

void
log_close(struct log *log)
{
	atomic_store(&log->stopping, true);
	pthread_join(log->thread, NULL);
	rd_kafka_consumer_close(log->reader);
	free_log(log);
}

/*
 * The topic's end, or -1.  Asked for as the offset at the end of time: the call that asks for
 * just that does not keep to its timeout while the broker is away.
 */
static int64_t
ask_end(struct log *log, int timeout_ms)
{
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(all, log->topic, 0);
	int64_t end = -1;

	p->offset = RD_KAFKA_OFFSET_END;
	if (rd_kafka_offsets_for_times(log->producer, all, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR &&
	    p->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		end = p->offset;
	rd_kafka_topic_partition_list_destroy(all);
	return end;
}

/* Looks where the topic ends; the mutex is held, and let go meanwhile. */
static void
look(struct log *log, int timeout_ms)
{
	uint64_t mine = ++log->looks_begun;
	int64_t end;

	log->looking = true;
	pthread_mutex_unlock(&log->mutex);
	end = ask_end(log, timeout_ms);
	pthread_mutex_lock(&log->mutex);
	log->looking = false;
	log->looks_done = mine;
	log->look_failed = end < 0;
	if (end > log->end)
		log->end = end;
	pthread_cond_broadcast(&log->moved);
}

/* Waits until `applied` has come so far; the mutex is held. */
static bool
wait_applied(struct log *log, int64_t end, const struct timespec *deadline)
{
	while (log->applied < end)
		if (pthread_cond_timedwait(&log->moved, &log->mutex, deadline) != 0)
			return log->applied >= end;
	return true;
}

bool
log_catch_up(struct log *log, int timeout_ms)
{
	struct timespec deadline;
	uint64_t needed;
	bool good = true;

	pthread_mutex_lock(&log->mutex);
	/* While the broker is away nobody waits for it at length. */
	deadline = monotonic_in(log->look_failed && timeout_ms > LOOK_MS ? LOOK_MS : timeout_ms);
	/* One that is under way may have been answered before we came. */
	needed = log->looks_begun + 1;
	while (good && log->looks_done < needed) {
		if (!log->looking)
			look(log, left_ms(&deadline) + 1);
		else
			good = pthread_cond_timedwait(&log->moved, &log->mutex, &deadline) == 0;
	}
	good = good && !log->look_failed && wait_applied(log, log->end, &deadline);
	pthread_mutex_unlock(&log->mutex);
	return good;
}

/* ---- writing ---- */

static enum log_result
result_of(rd_kafka_resp_err_t error)
{
	switch (error) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return LOG_WRITTEN;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
		return LOG_TOO_LARGE;
	case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
		return LOG_TIMED_OUT;
	default:
		return LOG_FAILED;
	}
}

/* Hands a record to the producer; the payload is only read. */
static rd_kafka_resp_err_t
produce(struct log *log, const struct log_write *w, struct delivery *d)
{
	rd_kafka_vu_t parts[] = {
		{ .vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = log->topic },
		{ .vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0 },
		{ .vtype = RD_KAFKA_VTYPE_KEY, .u.mem = { (void *)(uintptr_t)w->key.p, w->key.n } },
		{ .vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = { (void *)(uintptr_t)w->value.p, w->value.n } },
		{ .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = d },
	};
	rd_kafka_error_t *error = rd_kafka_produceva(log->producer, parts, sizeof parts / sizeof *parts);
	rd_kafka_resp_err_t code = rd_kafka_error_code(error);

	rd_kafka_error_destroy(error);
	return code;
}

/* Hands the records to the producer, and waits until each was answered: its delivery timeout bounds that. */
static struct delivery
deliver(struct log *log, const struct log_write *writes, size_t n)
{
	struct delivery d = { 0 };

	for (size_t i = 0; i < n && d.error == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
		if ((d.error = produce(log, &writes[i], &d)) == RD_KAFKA_RESP_ERR_NO_ERROR)
			d.left++;
	while (d.left > 0)
		rd_kafka_poll(log->producer, POLL_MS);
	return d;
}

static enum log_result
write_all(struct log *log, const struct log_write *writes, size_t n)
{
	struct timespec deadline = monotonic_in(log->settings.timeout_ms);
	struct delivery d = deliver(log, writes, n);
	enum log_result r = result_of(d.error);
	bool applied;

	if (r != LOG_WRITTEN) {
		diag_warn("a write to the registry's topic failed", "reason=\"%s\"", rd_kafka_err2str(d.error));
		return r;
	}
	pthread_mutex_lock(&log->mutex);
	applied = wait_applied(log, d.end, &deadline);
	pthread_mutex_unlock(&log->mutex);
	return applied ? LOG_WRITTEN : LOG_TIMED_OUT;
}

/* One that has met a fatal error writes no more: another takes its place. */
static bool
renew_producer(struct log *log)
{
	char why[256];

	if (log->producer == NULL)
		return (log->producer = make_producer(log)) != NULL;
	if (rd_kafka_fatal_error(log->producer, why, sizeof why) == RD_KAFKA_RESP_ERR_NO_ERROR)
		return true;
	diag_warn("the Kafka producer can't go on, and is made anew", "reason=\"%s\"", why);
	rd_kafka_destroy(log->producer);
	log->producer = make_producer(log);
	log->in_doubt = true;
	return log->producer != NULL;
}

enum log_result
log_settle(struct log *log)
{
	struct log_write noop = { span_str(noop_key), span_of(NULL, 0) };
	enum log_result r = LOG_WRITTEN;

	if (!log->settings.writer)
		return LOG_NO_WRITER;
	if (!renew_producer(log))
		return LOG_FAILED;
	if (log->in_doubt && (r = write_all(log, &noop, 1)) == LOG_WRITTEN)
		log->in_doubt = false;
	return r;
}

enum log_result
log_write(struct log *log, const struct log_write *writes, size_t n)
{
	enum log_result r = log_settle(log);

	if (r != LOG_WRITTEN)
		return r;
	r = write_all(log, writes, n);
	/* A record that was too large never left; but one before it may have. */
	log->in_doubt = r == LOG_TIMED_OUT || r == LOG_FAILED || (r == LOG_TOO_LARGE && n > 1);
	return r;
}

int64_t
log_applied(struct log *log)
{
	int64_t n;

	pthread_mutex_lock(&log->mutex);
	n = log->applied;
	pthread_mutex_unlock(&log->mutex);
	return n;
}

const char *
log_cluster_id(struct log *log)
{
	return log->cluster_id == NULL ? "" : log->cluster_id;
}
