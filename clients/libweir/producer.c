/* producer.c -- writes records to Kafka, and waits for their receipts. */
#include "libweir/producer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/list.h"
#include "base/map.h"
#include "base/monotonic.h"
#include "libweir/error.h"

enum {
	POLL_MS = 100,
	TURN_MS = 20,        /* the longest that a call waits for those before it */
	LOOK_MS = 3000,      /* for the answer whether there is a topic */
	TOPICS_MAX = 10000,  /* handles that are kept; those beyond are asked for by each call */
	STRANGERS_MAX = 1000 /* topics that are none, of which librdkafka never forgets one */
};

/*
 * Calls for one topic.  With idempotence, those that come while others are under way wait for these, and
 * then go together, as one batch.  Handed to librdkafka one by one they would be dear: at most five requests
 * are unanswered then, and while more records wait for that, it looks for an answer without a pause.
 * Calls that wait longer than TURN_MS (another partition may be without a leader) go all the same.
 */
struct gate {
	pthread_mutex_t lock;
	size_t under_way;    /* calls */
	struct list waiting; /* calls */
};

/* A topic's handle, which librdkafka would look up anew for each record. */
struct topic {
	rd_kafka_topic_t *handle;
	bool gone;           /* when it was written to last, there was none such */
	struct gate gate;
	char name[];
};

/*
 * librdkafka's producer, as long as it is of use: after a fatal error it refuses all, for ever; and it
 * remembers every name that it was ever asked for, which strangers choose.
 */
struct engine {
	rd_kafka_t *rk;
	pthread_t thread;    /* hands out the reports */
	atomic_bool stopping;
	bool idempotent;
	struct map topics;   /* those that are there; under the producer's lock, as the next */
	size_t strangers;    /* names of topics that were not there */
	size_t calls;        /* that use it */
};

struct weir_producer {
	pthread_mutex_t lock;
	struct engine *engine; /* the newest; those before it end with their last call */
};

/* A call of weir_produce(). */
struct call {
	struct engine *engine;
	rd_kafka_topic_t *topic;
	const struct weir_record *records;
	size_t n;
	struct weir_receipt *receipts;
	struct ticket *tickets;

	struct gate *gate;
	struct list link;   /* among those that wait; under the gate's lock, as the next */
	bool waits;

	atomic_size_t left; /* records that are not answered yet */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool may_go, over;
};

/* What a record's delivery report is told by. */
struct ticket {
	struct call *call;
	struct weir_receipt *receipt;
};

static void
tell(struct call *call, bool *what)
{
	pthread_mutex_lock(&call->lock);
	*what = true;
	pthread_cond_signal(&call->changed);
	pthread_mutex_unlock(&call->lock);
}

/* One call less is under way; after the last, the first that waits may go. */
static void
step_out(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	if (--g->under_way == 0 && !list_empty(&g->waiting)) {
		struct call *first = list_first(&g->waiting, struct call, link);

		tell(first, &first->may_go);
	}
	pthread_mutex_unlock(&g->lock);
}

static void
answer(struct call *call)
{
	if (atomic_fetch_sub(&call->left, 1) > 1)
		return;
	step_out(call->gate);
	tell(call, &call->over);
}

static void
fill(struct weir_receipt *r, const rd_kafka_message_t *m)
{
	rd_kafka_timestamp_type_t type;

	r->partition = m->partition;
	r->offset = m->offset >= 0 ? m->offset : -1;
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

static bool
is_dead(const struct engine *e)
{
	return rd_kafka_fatal_error(e->rk, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void *
poll_reports(void *arg)
{
	struct engine *e = arg;

	while (!atomic_load(&e->stopping)) {
		rd_kafka_poll(e->rk, POLL_MS);
		/* Of a dead handle no record leaves any more; those that slipped in would wait out their time. */
		if (is_dead(e))
			rd_kafka_purge(e->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
	}
	return NULL;
}

static bool
is_idempotent(rd_kafka_t *rk)
{
	char value[8];
	size_t n = sizeof value;

	return rd_kafka_conf_get(rd_kafka_conf(rk), "enable.idempotence", value, &n) == RD_KAFKA_CONF_OK &&
	    strcmp(value, "true") == 0;
}

/* Starts what reports of a handle's records; NULL, with the handle ended, when that can't be. */
static struct engine *
engine_new(rd_kafka_t *rk)
{
	struct engine *e = calloc(1, sizeof *e);

	if (e != NULL) {
		e->rk = rk;
		e->idempotent = is_idempotent(rk);
		if (pthread_create(&e->thread, NULL, poll_reports, e) == 0)
			return e;
	}
	rd_kafka_destroy(rk);
	free(e);
	return NULL;
}

static void
forget_topics(struct engine *e)
{
	size_t it = 0;
	struct topic *t;

	while ((t = map_next(&e->topics, &it)) != NULL) {
		rd_kafka_topic_destroy(t->handle);
		free(t);
	}
	map_done(&e->topics);
}

static void
engine_free(struct engine *e)
{
	atomic_store(&e->stopping, true);
	pthread_join(e->thread, NULL);
	forget_topics(e);
	rd_kafka_destroy(e->rk);
	free(e);
}

/* Whether the settings ask for fewer acknowledgements than idempotence needs. */
static bool
wants_fewer_acks(const struct weir_setting *s, size_t n)
{
	bool fewer = false;

	for (size_t i = 0; i < n; i++)
		if (strcmp(s[i].key, "acks") == 0 || strcmp(s[i].key, "request.required.acks") == 0)
			fewer = strcmp(s[i].value, "all") != 0 && strcmp(s[i].value, "-1") != 0;
	return fewer;
}

struct weir_producer *
weir_producer_new(const struct weir_setting *settings, size_t n, struct weir_error *why)
{
	static const struct weir_setting own[] = {
		{ "acks", "all" },
		/* With 0 librdkafka's threads spin while answers are awaited, and take the processor from whom they wait for. */
		{ "linger.ms", "0.5" },
		{ "partitioner", "murmur2_random" },
		{ "delivery.timeout.ms", "30000" },
		{ "topic.metadata.propagation.max.ms", "3000" },
		{ "reconnect.backoff.max.ms", "1000" },
		{ "queue.buffering.max.messages", "1000000" },
		{ "queue.buffering.max.kbytes", "262144" },
		{ "enable.idempotence", "true" }, /* the last, which may be left out */
	};
	size_t n_own = sizeof own / sizeof *own - (wants_fewer_acks(settings, n) ? 1 : 0);
	struct weir_producer *p = calloc(1, sizeof *p);
	rd_kafka_t *rk = p == NULL ? NULL
				   : client_new(RD_KAFKA_PRODUCER, own, n_own, settings, n, set_callbacks, NULL, why);

	if (p == NULL)
		error_say(why, WEIR_NO_MEMORY, "Out of memory");
	else if (rk != NULL && (p->engine = engine_new(rk)) == NULL)
		error_say(why, WEIR_NO_MEMORY, "No thread could be started");
	if (p == NULL || p->engine == NULL) {
		free(p);
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void
weir_producer_free(struct weir_producer *p, int timeout_ms)
{
	if (p == NULL)
		return;
	/* Reports are handed out by the engine's thread, which goes on until then. */
	if (rd_kafka_flush(p->engine->rk, timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_purge(p->engine->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	rd_kafka_flush(p->engine->rk, POLL_MS);
	engine_free(p->engine);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* Puts a new engine in place of the old, which is returned if nobody uses it; without memory that stays.  The lock is held. */
static struct engine *
replace(struct weir_producer *p)
{
	char text[256], why[256] = "it knows too many topics that are none";
	rd_kafka_conf_t *conf = rd_kafka_conf_dup(rd_kafka_conf(p->engine->rk));
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
	struct engine *made = NULL, *old = p->engine;

	rd_kafka_fatal_error(old->rk, why, sizeof why);
	diag_warn("kafka producer made anew", "reason=%s", diag_quote(text, sizeof text, span_str(why)));
	if (rk == NULL)
		rd_kafka_conf_destroy(conf);
	else
		made = engine_new(rk);
	if (made == NULL)
		return NULL;
	p->engine = made;
	return old->calls == 0 ? old : NULL;
}

/* The engine for a call, and what is known of the topic; NULL: nothing. */
static struct engine *
enter(struct weir_producer *p, const char *name, struct topic **topic, bool *gone)
{
	struct engine *e, *old = NULL;

	pthread_mutex_lock(&p->lock);
	if (is_dead(p->engine) || p->engine->strangers >= STRANGERS_MAX)
		old = replace(p);
	e = p->engine;
	e->calls++;
	*topic = map_get(&e->topics, span_str(name));
	*gone = *topic != NULL && (*topic)->gone;
	pthread_mutex_unlock(&p->lock);
	if (old != NULL)
		engine_free(old);
	return e;
}

static void
leave(struct weir_producer *p, struct engine *e)
{
	bool last;

	pthread_mutex_lock(&p->lock);
	last = --e->calls == 0 && e != p->engine;
	pthread_mutex_unlock(&p->lock);
	if (last)
		engine_free(e);
}

static void
gate_init(struct gate *g)
{
	*g = (struct gate){ .lock = PTHREAD_MUTEX_INITIALIZER };
	list_init(&g->waiting);
}

/* Keeps a handle for the engine's life; false where there is one, no room or no memory.  The lock is held. */
static bool
keep_topic(struct engine *e, const char *name, rd_kafka_topic_t *handle)
{
	size_t n = strlen(name) + 1;
	struct topic *t;

	if (e->topics.n >= TOPICS_MAX || map_get(&e->topics, span_str(name)) != NULL || (t = malloc(sizeof *t + n)) == NULL)
		return false;
	memcpy(t->name, name, n);
	t->handle = handle;
	t->gone = false;
	gate_init(&t->gate);
	if (map_put(&e->topics, span_str(t->name), t))
		return true;
	free(t);
	return false;
}

/* Remembers what a call has learnt: whether there is the topic.  A new handle is kept, or ended. */
static void
note_topic(struct weir_producer *p, struct engine *e, const char *name, struct topic *topic, rd_kafka_topic_t *handle, bool there)
{
	bool kept = topic != NULL;

	pthread_mutex_lock(&p->lock);
	if (topic != NULL)
		topic->gone = !there;
	else if (there)
		kept = keep_topic(e, name, handle);
	else
		e->strangers++;
	pthread_mutex_unlock(&p->lock);
	if (!kept)
		rd_kafka_topic_destroy(handle);
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
produce_odd(struct engine *e, rd_kafka_topic_t *topic, const struct weir_record *r, struct ticket *t)
{
	rd_kafka_headers_t *headers = make_headers(r);
	const rd_kafka_vu_t parts[] = {
		{ .vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic },
		{ .vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = r->partition },
		{ .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_BLOCK },
		{ .vtype = RD_KAFKA_VTYPE_KEY, .u.mem = { (void *)(uintptr_t)r->key.p, r->key.n } },
		{ .vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = { (void *)(uintptr_t)r->value.p, r->value.n } },
		{ .vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = r->timestamp_ms },
		{ .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers },
		{ .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = t },
	};
	rd_kafka_error_t *error = rd_kafka_produceva(e->rk, parts, sizeof parts / sizeof *parts);
	rd_kafka_resp_err_t err = error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);

	if (error != NULL) {
		rd_kafka_error_destroy(error);
		rd_kafka_headers_destroy(headers);
	}
	return err;
}

/*
 * Hands a record to librdkafka, which reads it where it lies: the call waits until it is answered.  A full
 * queue is waited for.
 */
static rd_kafka_resp_err_t
produce(struct engine *e, rd_kafka_topic_t *topic, const struct weir_record *r, struct ticket *t)
{
	if (has_odd_parts(r))
		return produce_odd(e, topic, r, t);
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
fail_all(struct weir_receipt *receipts, size_t n, const struct weir_error *why)
{
	for (size_t i = 0; i < n; i++)
		receipts[i] = (struct weir_receipt){ .partition = -1, .offset = -1, .timestamp_ms = -1, .error = *why };
}

/* Hands a call's records to librdkafka.  When the last is answered, the call is gone. */
static void
hand_over(struct call *call)
{
	for (size_t i = 0; i < call->n; i++) {
		rd_kafka_resp_err_t err;

		call->tickets[i] = (struct ticket){ call, &call->receipts[i] };
		err = produce(call->engine, call->topic, &call->records[i], &call->tickets[i]);
		if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
			continue;
		fail(&call->receipts[i], err, rd_kafka_topic_name(call->topic));
		answer(call);
	}
	/* The one that `left` had more than there are records: so nobody is woken before all are on their way. */
	answer(call);
}

/* Joins those that wait; false when there is nothing to wait for. */
static bool
step_in(struct gate *g, struct call *call)
{
	bool must_wait;

	pthread_mutex_lock(&g->lock);
	list_add(&g->waiting, &call->link);
	call->waits = true;
	must_wait = g->under_way > 0 && call->engine->idempotent;
	pthread_mutex_unlock(&g->lock);
	return must_wait;
}

/* Sends all that wait, if the call is still among them. */
static void
send_waiting(struct gate *g, struct call *call)
{
	struct list sent;
	struct call *c;

	list_init(&sent);
	pthread_mutex_lock(&g->lock);
	if (call->waits)
		list_move_all(&sent, &g->waiting);
	for (struct list *l = sent.next; l != &sent; l = l->next) {
		container_of(l, struct call, link)->waits = false;
		g->under_way++;
	}
	pthread_mutex_unlock(&g->lock);
	while ((c = list_first(&sent, struct call, link)) != NULL) {
		list_del(&c->link);
		hand_over(c);
	}
}

/* Waits until the call may go or is over. */
static void
wait_turn(struct call *call)
{
	struct timespec end = monotonic_in(TURN_MS);
	int error = 0;

	pthread_mutex_lock(&call->lock);
	while (!call->may_go && !call->over && error == 0)
		error = pthread_cond_timedwait(&call->changed, &call->lock, &end);
	pthread_mutex_unlock(&call->lock);
}

static void
wait_end(struct call *call)
{
	pthread_mutex_lock(&call->lock);
	while (!call->over)
		pthread_cond_wait(&call->changed, &call->lock);
	pthread_mutex_unlock(&call->lock);
}

static void
run(struct call *call, struct gate *gate)
{
	call->gate = gate;
	call->left = call->n + 1;
	pthread_mutex_init(&call->lock, NULL);
	monotonic_cond_init(&call->changed);
	if (step_in(gate, call))
		wait_turn(call);
	send_waiting(gate, call);
	wait_end(call);
	pthread_cond_destroy(&call->changed);
	pthread_mutex_destroy(&call->lock);
}

/* Makes librdkafka look whether there is the topic: by itself it does so after minutes. */
static void
look_for(struct engine *e, rd_kafka_topic_t *handle)
{
	const struct rd_kafka_metadata *m;

	if (rd_kafka_metadata(e->rk, 0, handle, &m, LOOK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_metadata_destroy(m);
}

/* Produces n >= 1 records, a ticket for each being there. */
static void
produce_with(struct weir_producer *p, const char *name, const struct weir_record *records, size_t n,
    struct weir_receipt *receipts, struct ticket *tickets)
{
	struct call call = { .records = records, .n = n, .receipts = receipts, .tickets = tickets };
	struct gate own; /* for a topic that is not known yet */
	struct topic *topic;
	bool gone;

	call.engine = enter(p, name, &topic, &gone);
	call.topic = topic != NULL ? topic->handle : rd_kafka_topic_new(call.engine->rk, name, NULL);
	if (call.topic == NULL) {
		struct weir_error why;

		error_set(&why, rd_kafka_last_error(), NULL);
		fail_all(receipts, n, &why);
	} else {
		if (topic == NULL || gone)
			look_for(call.engine, call.topic);
		gate_init(&own);
		run(&call, topic != NULL ? &topic->gate : &own);
		note_topic(p, call.engine, name, topic, call.topic, receipts[0].error.kind != WEIR_UNKNOWN_TOPIC);
	}
	leave(p, call.engine);
}

void
weir_produce(struct weir_producer *p, const char *topic, const struct weir_record *records, size_t n,
    struct weir_receipt *receipts)
{
	struct ticket one, *tickets = &one;
	struct weir_error why;

	if (n == 0)
		return;
	if (!client_check_topic(topic, &why)) {
		fail_all(receipts, n, &why);
		return;
	}
	if (n > 1 && (tickets = calloc(n, sizeof *tickets)) == NULL) {
		error_say(&why, WEIR_NO_MEMORY, "Out of memory");
		fail_all(receipts, n, &why);
		return;
	}
	produce_with(p, topic, records, n, receipts, tickets);
	if (tickets != &one)
		free(tickets);
}
