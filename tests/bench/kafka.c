/* kafka.c -- clients through librdkafka, as programs use it. */
#include "bench/kafka.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"
#include "bench/load.h"
#include "bench/measure.h"

enum {
	FETCH_BATCH = 10000,   /* records that one call may give */
	RUN = 100,             /* records for a partition before the next has its turn */
	FULL_MS = 1,           /* to wait while the queue is full */
	HEAR_MS = 100,
	WAIT_MS = 30000        /* for anything that ought to take far less */
};

struct setting {
	const char *name, *value;
};

/* A handle with these settings, up to one without a name. */
static rd_kafka_t *
make_handle(rd_kafka_type_t type, const char *address, const struct setting *settings,
    void (*delivered)(rd_kafka_t *, const rd_kafka_message_t *, void *), void *opaque, struct outcome *o)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];
	rd_kafka_t *k;

	if (rd_kafka_conf_set(conf, "bootstrap.servers", address, why, sizeof why) != RD_KAFKA_CONF_OK)
		client_fail(o, "%s", why);
	for (; settings->name != NULL; settings++)
		if (rd_kafka_conf_set(conf, settings->name, settings->value, why, sizeof why) != RD_KAFKA_CONF_OK)
			client_fail(o, "%s: %s", settings->name, why);
	if (delivered != NULL)
		rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	rd_kafka_conf_set_opaque(conf, opaque);
	if ((k = rd_kafka_new(type, conf, why, sizeof why)) == NULL)
		client_fail(o, "%s", why);
	return k;
}

/* The topic, once the client knows where its partitions are. */
static rd_kafka_topic_t *
make_topic(rd_kafka_t *k, const char *name, struct outcome *o)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(k, name, NULL);
	const struct rd_kafka_metadata *m;
	rd_kafka_resp_err_t e = rd_kafka_metadata(k, 0, topic, &m, WAIT_MS);

	if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
		client_fail(o, "metadata of %s: %s", name, rd_kafka_err2str(e));
	rd_kafka_metadata_destroy(m);
	return topic;
}

/* ---- producing ---- */

struct producer {
	const struct load *load;
	struct outcome *outcome;
	rd_kafka_t *k;
	rd_kafka_topic_t *topic;
	/* With a rate: */
	double began_s;
	struct samples us;
	pthread_t thread; /* hears of what was delivered while the other waits for the next to be due */
	atomic_bool stop;
};

static const char *const codec_names[] = { "none", "gzip", "snappy", "lz4", "zstd" };

/* A record that has a due time bears its number, counted from 1. */
static void
hear_delivered(rd_kafka_t *k, const rd_kafka_message_t *m, void *opaque)
{
	struct producer *p = opaque;
	uint64_t number = (uintptr_t)m->_private;

	(void)k;
	if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		client_fail(p->outcome, "a record was not delivered: %s", rd_kafka_err2str(m->err));
	if (number > 0)
		samples_add(&p->us, (measure_now_s() - load_due_s(p->load, p->began_s, number - 1)) * 1e6);
}

static void
put_record(struct producer *p, int32_t partition, uint64_t n, bool due)
{
	const struct load *l = p->load;
	char *value = (char *)(uintptr_t)load_value(n, l->record_bytes);
	void *number = (void *)(uintptr_t)(due ? n + 1 : 0);

	/* RD_KAFKA_MSG_F_BLOCK would wake us for each place that gets free in the queue. */
	while (rd_kafka_produce(p->topic, partition, RD_KAFKA_MSG_F_COPY, value, l->record_bytes, NULL, 0, number) == -1) {
		rd_kafka_resp_err_t e = rd_kafka_last_error();

		if (e != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			client_fail(p->outcome, "produce: %s", rd_kafka_err2str(e));
		if (due)
			measure_wait_until(measure_now_s() + FULL_MS / 1e3);
		else
			rd_kafka_poll(p->k, FULL_MS);
	}
}

/* Waits until all that was put is acknowledged. */
static void
flush(struct producer *p)
{
	rd_kafka_resp_err_t e = rd_kafka_flush(p->k, WAIT_MS);

	if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
		client_fail(p->outcome, "flush: %s", rd_kafka_err2str(e));
}

static int32_t
partition_of(const struct load *l, uint64_t n)
{
	return (int32_t)(n / RUN % (uint64_t)l->partitions);
}

static void
put_all(struct producer *p)
{
	for (uint64_t i = 0; i < p->load->records; i++)
		put_record(p, partition_of(p->load, i), i, false);
	flush(p);
}

static void *
hear(void *arg)
{
	struct producer *p = arg;

	while (!atomic_load(&p->stop))
		rd_kafka_poll(p->k, HEAR_MS);
	return NULL;
}

static void
put_when_due(struct producer *p)
{
	samples_init(&p->us, p->load->records);
	p->began_s = measure_now_s();
	if (pthread_create(&p->thread, NULL, hear, p) != 0)
		client_fail(p->outcome, "a thread can't be made");
	for (uint64_t i = 0; i < p->load->records; i++) {
		double due = load_due_s(p->load, p->began_s, i);

		if (measure_now_s() < due)
			measure_wait_until(due);
		put_record(p, partition_of(p->load, i), i, true);
	}
	/* flush() hears, too; one at a time. */
	atomic_store(&p->stop, true);
	pthread_join(p->thread, NULL);
	flush(p);
	samples_latency(&p->us, &p->outcome->latency);
	samples_done(&p->us);
}

static void
open_producer(struct producer *p)
{
	const struct load *l = p->load;
	char linger[16];
	/* The queue is kept small: a larger one leaves the processor's caches. */
	const struct setting settings[] = {
		{ "acks", l->acks },
		{ "linger.ms", linger },
		{ "batch.size", "1000000" },
		{ "compression.codec", codec_names[l->codec] },
		{ "enable.idempotence", l->idempotent ? "true" : "false" },
		{ "queue.buffering.max.kbytes", "65536" },
		{ "queue.buffering.max.messages", "500000" },
		{ "socket.nagle.disable", "true" },
		{ "delivery.report.only.error", l->rate > 0 ? "false" : "true" },
		{ NULL, NULL },
	};

	snprintf(linger, sizeof linger, "%d", l->linger_ms);
	p->k = make_handle(RD_KAFKA_PRODUCER, l->address, settings, hear_delivered, p, p->outcome);
	p->topic = make_topic(p->k, l->topic, p->outcome);
}

void
kafka_produce_run(const void *arg, pid_t logd, struct outcome *o)
{
	const struct load *l = arg;
	struct producer p = { .load = l, .outcome = o };
	struct window w;

	open_producer(&p);
	/* The first record of a partition makes its folder and file: not what is measured. */
	for (int32_t i = 0; i < l->partitions; i++)
		put_record(&p, i, 0, false);
	flush(&p);
	window_begin(&w, logd);
	(l->rate > 0 ? put_when_due : put_all)(&p);
	window_end(&w, o);
	o->records = l->records;
	o->bytes = l->records * l->record_bytes;
	rd_kafka_topic_destroy(p.topic);
	rd_kafka_destroy(p.k);
}

/* ---- consuming ---- */

/* Reads until all records of the load have come. */
static void
consume_all(rd_kafka_queue_t *queue, const struct load *l, struct outcome *o)
{
	rd_kafka_message_t **got = xcalloc(FETCH_BATCH, sizeof *got);

	while (o->records < l->records) {
		ssize_t i, n = rd_kafka_consume_batch_queue(queue, WAIT_MS, got, FETCH_BATCH);

		if (n <= 0)
			client_fail(o, "%llu of %llu records came", (unsigned long long)o->records, (unsigned long long)l->records);
		for (i = 0; i < n; i++) {
			if (got[i]->err != RD_KAFKA_RESP_ERR_NO_ERROR)
				client_fail(o, "consume: %s", rd_kafka_message_errstr(got[i]));
			o->records++;
			o->bytes += got[i]->len;
			rd_kafka_message_destroy(got[i]);
		}
	}
	free(got);
}

void
kafka_consume_run(const void *arg, pid_t logd, struct outcome *o)
{
	/* Answers are kept small for the same reason; they are still of many records. */
	static const struct setting settings[] = {
		{ "fetch.max.bytes", "8388608" },
		{ "queued.min.messages", "1000000" },
		{ "queued.max.messages.kbytes", "65536" },
		{ NULL, NULL },
	};
	const struct load *l = arg;
	rd_kafka_t *k = make_handle(RD_KAFKA_CONSUMER, l->address, settings, NULL, o, o);
	rd_kafka_topic_t *topic = make_topic(k, l->topic, o);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(k);
	struct window w;
	int32_t p;

	window_begin(&w, logd);
	for (p = 0; p < l->partitions; p++)
		if (rd_kafka_consume_start_queue(topic, p, 0, queue) == -1)
			client_fail(o, "consume: %s", rd_kafka_err2str(rd_kafka_last_error()));
	consume_all(queue, l, o);
	window_end(&w, o);
	for (p = 0; p < l->partitions; p++)
		rd_kafka_consume_stop(topic, p);
	rd_kafka_queue_destroy(queue);
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(k);
}

/* ---- one record at a time ---- */

struct kafka_single {
	rd_kafka_t *k;
	rd_kafka_topic_t *topic;
	bool delivered;
	rd_kafka_resp_err_t error;
};

static void
note_delivery(rd_kafka_t *k, const rd_kafka_message_t *m, void *opaque)
{
	struct kafka_single *s = opaque;

	(void)k;
	s->delivered = true;
	s->error = m->err;
}

struct kafka_single *
kafka_single_new(const char *address, const char *topic, struct outcome *o)
{
	static const struct setting settings[] = {
		{ "acks", "all" },
		{ "linger.ms", "0" },
		{ "socket.nagle.disable", "true" },
		{ NULL, NULL },
	};
	struct kafka_single *s = xcalloc(1, sizeof *s);

	s->k = make_handle(RD_KAFKA_PRODUCER, address, settings, note_delivery, s, o);
	s->topic = make_topic(s->k, topic, o);
	return s;
}

void
kafka_single_produce(struct kafka_single *s, const void *value, size_t n, struct outcome *o)
{
	s->delivered = false;
	if (rd_kafka_produce(s->topic, 0, RD_KAFKA_MSG_F_COPY, (void *)(uintptr_t)value, n, NULL, 0, NULL) == -1)
		client_fail(o, "produce: %s", rd_kafka_err2str(rd_kafka_last_error()));
	while (!s->delivered)
		rd_kafka_poll(s->k, WAIT_MS);
	if (s->error != RD_KAFKA_RESP_ERR_NO_ERROR)
		client_fail(o, "a record was not delivered: %s", rd_kafka_err2str(s->error));
}

void
kafka_single_free(struct kafka_single *s)
{
	rd_kafka_topic_destroy(s->topic);
	rd_kafka_destroy(s->k);
	free(s);
}
