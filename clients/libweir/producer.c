/* producer.c -- writes records to Kafka, and waits for their receipts. */
#include "libweir/producer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "libweir/error.h"

enum {
	POLL_MS = 100,
	TOPICS_MAX = 10000 /* handles that are kept; names come from strangers: those beyond are made for each call */
};

/* A topic's handle, which librdkafka would look up anew for each record. */
struct topic {
	rd_kafka_topic_t *handle;
	char name[];
};

struct weir_producer {
	rd_kafka_t *rk;
	pthread_t thread;
	atomic_bool stopping;
	pthread_mutex_t lock; /* of the topics */
	struct map topics;
};

/* A call that waits. */
struct call {
	atomic_size_t left; /* records that are not answered yet */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool over;
};

/* What a record's delivery report is told by. */
struct ticket {
	struct call *call;
	struct weir_receipt *receipt;
};

static void
answer(struct call *call)
{
	if (atomic_fetch_sub(&call->left, 1) > 1)
		return;
	pthread_mutex_lock(&call->lock);
	call->over = true;
	pthread_cond_signal(&call->ended);
	pthread_mutex_unlock(&call->lock);
}

static void
fill(struct weir_receipt *r, const rd_kafka_message_t *m)
{
	rd_kafka_timestamp_type_t type;

	r->partition = m->partition;
	r->offset = m->offset;
	r->timestamp_ms = rd_kafka_message_timestamp(m, &type);
	error_set(&r->error, m->err, NULL);
	/* A record that never found its topic: the client waited for it to appear. */
	if (r->error.kind == WEIR_UNKNOWN_TOPIC || (r->error.kind == WEIR_TIMEOUT && m->partition < 0))
		error_say(&r->error, WEIR_UNKNOWN_TOPIC, "Topic %s not present in metadata after 60000 ms.",
		    rd_kafka_topic_name(m->rkt));
}

static void
on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct ticket *t = m->_private;

	(void)rk;
	(void)opaque;
	fill(t->receipt, m);
	answer(t->call);
}

static void
set_callbacks(rd_kafka_conf_t *conf, void *ctx)
{
	(void)ctx;
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
}

static void *
poll_reports(void *arg)
{
	struct weir_producer *p = arg;

	while (!atomic_load(&p->stopping))
		rd_kafka_poll(p->rk, POLL_MS);
	return NULL;
}

struct weir_producer *
weir_producer_new(const struct weir_setting *settings, size_t n, struct weir_error *why)
{
	static const struct weir_setting own[] = {
		{ "acks", "all" },
		{ "enable.idempotence", "true" },
		/* With 0 librdkafka's threads spin while answers are awaited, and take the processor from whom they wait for. */
		{ "linger.ms", "0.5" },
		{ "partitioner", "murmur2_random" },
		{ "delivery.timeout.ms", "30000" },
		{ "topic.metadata.propagation.max.ms", "3000" },
		{ "reconnect.backoff.max.ms", "1000" },
		{ "queue.buffering.max.messages", "1000000" },
		{ "queue.buffering.max.kbytes", "262144" },
	};
	struct weir_producer *p = calloc(1, sizeof *p);

	if (p == NULL) {
		error_say(why, WEIR_NO_MEMORY, "Out of memory");
		return NULL;
	}
	p->rk = client_new(RD_KAFKA_PRODUCER, own, sizeof own / sizeof *own, settings, n, set_callbacks, NULL, why);
	if (p->rk == NULL) {
		free(p);
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	if (pthread_create(&p->thread, NULL, poll_reports, p) == 0)
		return p;
	error_say(why, WEIR_NO_MEMORY, "No thread could be started");
	rd_kafka_destroy(p->rk);
	free(p);
	return NULL;
}

static void
forget_topics(struct weir_producer *p)
{
	size_t it = 0;
	struct topic *t;

	while ((t = map_next(&p->topics, &it)) != NULL) {
		rd_kafka_topic_destroy(t->handle);
		free(t);
	}
	map_done(&p->topics);
}

void
weir_producer_free(struct weir_producer *p, int timeout_ms)
{
	if (p == NULL)
		return;
	/* Its reports are handed out by our thread, which goes on until then. */
	if (rd_kafka_flush(p->rk, timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	rd_kafka_flush(p->rk, POLL_MS);
	atomic_store(&p->stopping, true);
	pthread_join(p->thread, NULL);
	forget_topics(p);
	rd_kafka_destroy(p->rk);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* Keeps a handle for the producer's life; false where there is no room or no memory. */
static bool
keep_topic(struct weir_producer *p, const char *name, rd_kafka_topic_t *handle)
{
	size_t n = strlen(name) + 1;
	struct topic *t = p->topics.n < TOPICS_MAX ? malloc(sizeof *t + n) : NULL;

	if (t == NULL)
		return false;
	memcpy(t->name, name, n);
	t->handle = handle;
	if (map_put(&p->topics, span_str(t->name), t))
		return true;
	free(t);
	return false;
}

/* A topic's handle; *own: it is the caller's to destroy.  NULL: no memory, or no name of a topic. */
static rd_kafka_topic_t *
topic_handle(struct weir_producer *p, const char *name, bool *own)
{
	rd_kafka_topic_t *handle;
	struct topic *t;

	*own = false;
	pthread_mutex_lock(&p->lock);
	if ((t = map_get(&p->topics, span_str(name))) != NULL)
		handle = t->handle;
	else if ((handle = rd_kafka_topic_new(p->rk, name, NULL)) != NULL)
		*own = !keep_topic(p, name, handle);
	pthread_mutex_unlock(&p->lock);
	return handle;
}

static bool
has_odd_parts(const struct weir_record *r)
{
	return r->n_headers > 0 || r->timestamp_ms != 0;
}

static rd_kafka_headers_t *
make_headers(const struct weir_record *r)
{
	rd_kafka_headers_t *h = rd_kafka_headers_new(r->n_headers);

	for (size_t i = 0; i < r->n_headers; i++)
		rd_kafka_header_add(h, (const char *)r->headers[i].name.p, (ssize_t)r->headers[i].name.n,
		    r->headers[i].value.p, (ssize_t)r->headers[i].value.n);
	return h;
}

/* With headers and times, for which the short call has no room. */
static rd_kafka_resp_err_t
produce_odd(struct weir_producer *p, rd_kafka_topic_t *topic, const struct weir_record *r, struct ticket *t)
{
	rd_kafka_headers_t *headers = make_headers(r);
	rd_kafka_resp_err_t e = rd_kafka_producev(p->rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(r->partition),
	    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_BLOCK), RD_KAFKA_V_KEY(r->key.p, r->key.n),
	    RD_KAFKA_V_VALUE((void *)(uintptr_t)r->value.p, r->value.n), RD_KAFKA_V_TIMESTAMP(r->timestamp_ms),
	    RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(t), RD_KAFKA_V_END);

	if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_headers_destroy(headers);
	return e;
}

/*
 * Hands a record to librdkafka, which reads it where it lies: the call waits until it is answered.  A full
 * queue is waited for.
 */
static rd_kafka_resp_err_t
produce(struct weir_producer *p, rd_kafka_topic_t *topic, const struct weir_record *r, struct ticket *t)
{
	if (has_odd_parts(r))
		return produce_odd(p, topic, r, t);
	if (rd_kafka_produce(topic, r->partition, RD_KAFKA_MSG_F_BLOCK, (void *)(uintptr_t)r->value.p, r->value.n,
		r->key.p, r->key.n, t) == 0)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	return rd_kafka_last_error();
}

static void
fail(struct weir_receipt *r, rd_kafka_resp_err_t e, const char *topic)
{
	*r = (struct weir_receipt){ .partition = -1, .offset = -1, .timestamp_ms = -1 };
	error_set(&r->error, e, NULL);
	if (r->error.kind == WEIR_UNKNOWN_TOPIC)
		error_say(&r->error, WEIR_UNKNOWN_TOPIC, "Topic %s not present in metadata after 60000 ms.", topic);
}

static void
fail_all(struct weir_receipt *receipts, size_t n, enum weir_kind kind, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		receipts[i] = (struct weir_receipt){ .partition = -1, .offset = -1, .timestamp_ms = -1 };
		error_say(&receipts[i].error, kind, "%s", text);
	}
}

static void
wait_for(struct call *call)
{
	pthread_mutex_lock(&call->lock);
	while (!call->over)
		pthread_cond_wait(&call->ended, &call->lock);
	pthread_mutex_unlock(&call->lock);
}

static void
produce_all(struct weir_producer *p, rd_kafka_topic_t *topic, const struct weir_record *records, size_t n,
    struct weir_receipt *receipts, struct ticket *tickets)
{
	/* One more than there are records, taken back at the end: so nobody is woken before all are on their way. */
	struct call call = { n + 1, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };

	for (size_t i = 0; i < n; i++) {
		rd_kafka_resp_err_t e;

		tickets[i] = (struct ticket){ &call, &receipts[i] };
		if ((e = produce(p, topic, &records[i], &tickets[i])) == RD_KAFKA_RESP_ERR_NO_ERROR)
			continue;
		fail(&receipts[i], e, rd_kafka_topic_name(topic));
		answer(&call);
	}
	answer(&call);
	wait_for(&call);
	pthread_cond_destroy(&call.ended);
	pthread_mutex_destroy(&call.lock);
}

void
weir_produce(struct weir_producer *p, const char *topic, const struct weir_record *records, size_t n,
    struct weir_receipt *receipts)
{
	struct ticket one, *tickets = n == 1 ? &one : calloc(n, sizeof *tickets);
	rd_kafka_topic_t *handle;
	bool own;

	if (n == 0)
		return;
	if (tickets == NULL)
		fail_all(receipts, n, WEIR_NO_MEMORY, "Out of memory");
	else if ((handle = topic_handle(p, topic, &own)) == NULL)
		fail_all(receipts, n, WEIR_INVALID, rd_kafka_err2str(rd_kafka_last_error()));
	else {
		produce_all(p, handle, records, n, receipts, tickets);
		if (own)
			rd_kafka_topic_destroy(handle);
	}
	if (tickets != &one)
		free(tickets);
}
