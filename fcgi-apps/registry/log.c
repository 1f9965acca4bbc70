/* log.c -- the topic `_schemas`: replayed at the start, and followed. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/monotonic.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "registry/log_internal.h"
#include "registry/topic.h"

/* Whoever writes to a topic has the id that it gives. */
static const char writer_prefix[] = "weir-registry-";

enum {
	CLUSTER_TIMEOUT_MS = 10000,
	END_MS = 2000,
	FLUSH_MS = 1000,
	MISSING_MS = 10000 /* a topic that is not there for so long has gone: a broker that has just begun may not know it yet */
};

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

rd_kafka_t *
log_client(const struct log *log, rd_kafka_type_t type, const struct log_property *own, size_t n_own,
    void (*delivered)(rd_kafka_t *, const rd_kafka_message_t *, void *))
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
	if (delivered != NULL)
		rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	if (good && (rk = rd_kafka_new(type, conf, why, sizeof why)) == NULL)
		diag_error("the Kafka client can't be made", "reason=\"%s\"", why);
	if (rk == NULL)
		rd_kafka_conf_destroy(conf);
	return rk;
}

void
log_meet_topic(const struct log *log, rd_kafka_t *producer, int timeout_ms)
{
	rd_kafka_topic_t *handle = rd_kafka_topic_new(producer, log->topic, NULL);
	const struct rd_kafka_metadata *m = NULL;

	if (handle == NULL)
		return;
	if (rd_kafka_metadata(producer, 0, handle, &m, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_metadata_destroy(m);
	rd_kafka_topic_destroy(handle);
}

static rd_kafka_t *
make_asker(const struct log *log)
{
	static const struct log_property properties[] = {
		{ "client.id", "weir-registry" },
		{ "reconnect.backoff.max.ms", "250" },
		{ "linger.ms", "0.5" }, /* with 0 librdkafka's thread spins */
		{ "socket.nagle.disable", "true" },
		{ "acks", "1" },
	};

	return log_client(log, RD_KAFKA_PRODUCER, properties, sizeof properties / sizeof *properties, NULL);
}

static bool
assign(const struct log *log, rd_kafka_t *reader, int64_t from)
{
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t r;

	rd_kafka_topic_partition_list_add(all, log->topic, 0)->offset = from;
	r = rd_kafka_assign(reader, all);
	rd_kafka_topic_partition_list_destroy(all);
	if (r != RD_KAFKA_RESP_ERR_NO_ERROR)
		diag_error("the registry's topic can't be read", "reason=\"%s\"", rd_kafka_err2str(r));
	return r == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_t *
make_reader(const struct log *log, const char *isolation, const char *wait_ms)
{
	const struct log_property properties[] = {
		{ "client.id", "weir-registry" },
		{ "group.id", "weir-registry" }, /* asked for; nothing is committed */
		{ "enable.auto.commit", "false" },
		{ "enable.auto.offset.store", "false" },
		{ "auto.offset.reset", "earliest" },
		{ "isolation.level", isolation },
		{ "enable.partition.eof", "true" },
		{ "fetch.wait.max.ms", wait_ms },
		{ "fetch.error.backoff.ms", "50" },
		{ "reconnect.backoff.max.ms", "250" },
		{ "queued.max.messages.kbytes", "65536" }, /* where it is full the client fetches nothing for a second */
		{ "socket.nagle.disable", "true" },
	};
	rd_kafka_t *reader = log_client(log, RD_KAFKA_CONSUMER, properties, sizeof properties / sizeof *properties, NULL);

	if (reader != NULL)
		rd_kafka_poll_set_consumer(reader);
	return reader;
}

rd_kafka_t *
log_reader(const struct log *log, const char *isolation, const char *wait_ms, int64_t from)
{
	rd_kafka_t *reader = make_reader(log, isolation, wait_ms);

	if (reader == NULL || assign(log, reader, from))
		return reader;
	rd_kafka_destroy(reader);
	return NULL;
}

static void *
destroy(void *reader)
{
	rd_kafka_destroy(reader);
	return NULL;
}

void
log_end_reader(rd_kafka_t *reader)
{
	struct timespec deadline = monotonic_in(END_MS);
	pthread_t thread;

	if (reader == NULL)
		return;
	rd_kafka_consumer_close(reader);
	must(pthread_create(&thread, NULL, destroy, reader) == 0);
	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &deadline) == 0)
		return;
	diag_warn("a consumer of the Kafka client's does not end, and is left behind", "timeout_ms=%d", END_MS);
	must(pthread_detach(thread) == 0);
}

rd_kafka_resp_err_t
log_produce(const struct log *log, rd_kafka_t *producer, const struct log_write *w, bool copy, void *opaque)
{
	rd_kafka_vu_t parts[] = {
		{ .vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = log->topic },
		{ .vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0 },
		{ .vtype = RD_KAFKA_VTYPE_KEY, .u.mem = { (void *)(uintptr_t)w->key.p, w->key.n } },
		{ .vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = { (void *)(uintptr_t)w->value.p, w->value.n } },
		{ .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = copy ? RD_KAFKA_MSG_F_COPY : 0 },
		{ .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque },
	};
	rd_kafka_error_t *error = rd_kafka_produceva(producer, parts, sizeof parts / sizeof *parts);
	rd_kafka_resp_err_t code = rd_kafka_error_code(error);

	rd_kafka_error_destroy(error);
	return code;
}

/* ---- reading ---- */

static const char truncated[] = "it ends before what was read of it: it was truncated, or made anew";

/* Once. */
static void
find_fault(struct log *log, const char *what)
{
	const char *none = NULL;

	if (atomic_compare_exchange_strong(&log->fault, &none, what))
		diag_error("the registry's topic is not what was read of it: nothing is answered any more",
		    "topic=%s reason=\"%s\" action=\"bring the topic back, or start this process again to serve what it holds now\"",
		    log->topic, what);
}

const char *
log_fault(struct log *log)
{
	return atomic_load(&log->fault);
}

/* `read`: the offset behind a record, or 0. */
static void
advance(struct log *log, int64_t read, int64_t applied)
{
	pthread_mutex_lock(&log->mutex);
	if (read > log->read)
		log->read = read;
	if (applied > log->applied)
		log->applied = applied;
	pthread_cond_broadcast(&log->moved);
	pthread_mutex_unlock(&log->mutex);
}

static void
take_error(struct log *log, const rd_kafka_message_t *m)
{
	if (m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		diag_warn("reading the registry's topic failed, and is tried again", "reason=\"%s\"",
		    rd_kafka_message_errstr(m));
		return;
	}
	/* What was compacted away at the end counts as applied. */
	if (m->offset < log->read)
		find_fault(log, truncated);
	advance(log, 0, m->offset);
}

static void
take(struct log *log, const rd_kafka_message_t *m)
{
	rd_kafka_timestamp_type_t type;

	if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		take_error(log, m);
	else if (m->offset < log->read)
		find_fault(log, "it has other records where some were read: it was made anew");
	else {
		log->apply(log->ctx, m->offset, rd_kafka_message_timestamp(m, &type),
		    span_of(m->key, m->key_len), span_of(m->payload, m->len));
		advance(log, m->offset + 1, m->offset + 1);
	}
}

static void *
read_topic(void *arg)
{
	struct log *log = arg;

	while (!atomic_load(&log->stopping)) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(log->reader, LOG_POLL_MS);

		if (m == NULL)
			continue;
		if (log_fault(log) == NULL)
			take(log, m);
		rd_kafka_message_destroy(m);
	}
	return NULL;
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
	log_resign(log);
	if (log->cluster_id != NULL)
		rd_kafka_mem_free(log->reader, log->cluster_id);
	if (log->asker != NULL) {
		rd_kafka_flush(log->asker, FLUSH_MS);
		rd_kafka_destroy(log->asker);
	}
	log_end_reader(log->reader);
	for (size_t i = 0; i < log->settings.n_properties; i++) {
		free((void *)(uintptr_t)log->settings.properties[i].key);
		free((void *)(uintptr_t)log->settings.properties[i].value);
	}
	free((void *)(uintptr_t)log->settings.properties);
	looks_done(&log->looks);
	pthread_cond_destroy(&log->moved);
	pthread_mutex_destroy(&log->mutex);
	free(log->transactional_id);
	free(log->group);
	free(log->topic);
	free(log);
}

static struct log *
new_log(const struct log_settings *settings, log_apply *apply, log_aborted *aborted, void *ctx)
{
	struct log *log = xcalloc(1, sizeof *log);

	*log = (struct log){ .settings = *settings, .topic = xstrdup(settings->topic), .group = xstrdup(settings->group),
		.apply = apply, .aborted = aborted, .ctx = ctx };
	log->settings.properties = copy_properties(settings);
	log->transactional_id = xmalloc(strlen(writer_prefix) + strlen(log->topic) + 1);
	strcpy(stpcpy(log->transactional_id, writer_prefix), log->topic);
	pthread_mutex_init(&log->mutex, NULL);
	monotonic_cond_init(&log->moved);
	looks_init(&log->looks);
	return log;
}

/* Reads the topic to its end; false after a line in the log. */
static bool
replay(struct log *log, const struct timespec *deadline)
{
	must(pthread_create(&log->thread, NULL, read_topic, log) == 0);
	if (log_catch_up(log, monotonic_left_ms(deadline))) {
		malloc_trim(0); /* what the topic took on its way to us */
		return true;
	}
	diag_error("the registry's topic could not be read to its end in time",
	    "topic=%s timeout_ms=%d action=\"raise kafkastore.init.timeout.ms, or look after the broker\"",
	    log->topic, log->settings.init_timeout_ms);
	atomic_store(&log->stopping, true);
	pthread_join(log->thread, NULL);
	return false;
}

struct log *
log_open(const struct log_settings *settings, log_apply *apply, log_aborted *aborted, void *ctx)
{
	struct timespec deadline = monotonic_in(settings->init_timeout_ms);
	struct log *log = new_log(settings, apply, aborted, ctx);

	/*
	 * From 0: librdkafka would take half a second to ask where the beginning is, and resets by itself where it is behind
	 * that.  Brokers make a topic as they like when a producer asks for it: so the reader does.
	 */
	if ((log->reader = make_reader(log, "read_committed", "500")) != NULL && find_topic(log, monotonic_left_ms(&deadline)) &&
	    assign(log, log->reader, 0) && (log->asker = make_asker(log)) != NULL) {
		log->cluster_id = rd_kafka_clusterid(log->reader, CLUSTER_TIMEOUT_MS);
		log_meet_topic(log, log->asker, monotonic_left_ms(&deadline));
		if (replay(log, &deadline))
			return log;
	}
	free_log(log);
	return NULL;
}

void
log_close(struct log *log)
{
	atomic_store(&log->stopping, true);
	pthread_join(log->thread, NULL);
	free_log(log);
}

/* ---- the topic's end ---- */

static int64_t
read_so_far(struct log *log)
{
	int64_t n;

	pthread_mutex_lock(&log->mutex);
	n = log->read;
	pthread_mutex_unlock(&log->mutex);
	return n;
}

/* librdkafka tells a consumer nothing of a topic that has gone: who asks for its end is told. */
static void
note_missing(struct log *log, rd_kafka_resp_err_t e)
{
	if (e != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && e != RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC &&
	    e != RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
		log->missing_ms = 0;
	else if (log->missing_ms == 0)
		log->missing_ms = monotonic_ms();
	else if (monotonic_ms() - log->missing_ms > MISSING_MS)
		find_fault(log, "it is not there any more");
}

/*
 * The topic's end, or -1.  Asked for as the offset at the end of time: the call that asks for
 * just that does not keep to its timeout while the broker is away.
 */
static int64_t
ask_end(void *ctx, int timeout_ms)
{
	struct log *log = ctx;
	int64_t read = read_so_far(log), end = -1;
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(all, log->topic, 0);
	rd_kafka_resp_err_t e;

	p->offset = RD_KAFKA_OFFSET_END;
	if ((e = rd_kafka_offsets_for_times(log->asker, all, timeout_ms)) == RD_KAFKA_RESP_ERR_NO_ERROR)
		e = p->err;
	if (e == RD_KAFKA_RESP_ERR_NO_ERROR)
		end = p->offset;
	note_missing(log, e);
	rd_kafka_topic_partition_list_destroy(all);
	if (end >= 0 && end < read)
		find_fault(log, truncated);
	return end;
}

bool
log_wait_applied(struct log *log, int64_t end, const struct timespec *deadline)
{
	bool good = true;

	/* Mostly nobody has written. */
	if (atomic_load(&log->applied) >= end)
		return true;
	pthread_mutex_lock(&log->mutex);
	while (good && atomic_load(&log->applied) < end && log_fault(log) == NULL)
		good = pthread_cond_timedwait(&log->moved, &log->mutex, deadline) == 0;
	pthread_mutex_unlock(&log->mutex);
	return atomic_load(&log->applied) >= end;
}

bool
log_catch_up(struct log *log, int timeout_ms)
{
	struct timespec deadline = monotonic_in(timeout_ms);
	int64_t end = looks_take(&log->looks, timeout_ms, ask_end, log);

	return end >= 0 && log_wait_applied(log, end, &deadline);
}

int64_t
log_applied(struct log *log)
{
	return atomic_load(&log->applied);
}

const char *
log_cluster_id(struct log *log)
{
	return log->cluster_id == NULL ? "" : log->cluster_id;
}

struct log_counts
log_counts(struct log *log)
{
	return (struct log_counts){ atomic_load(&log->leads), log->takeovers, log->transactions, log->n_aborted };
}
