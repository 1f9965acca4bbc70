/*
 * txn_calls.c -- changes of transactional ids on their way to the disk, and
 * the end of a transaction once it is decided.
 *
 * An end goes through these steps, each of which may be done again: the decision
 * is durable; every partition has its marker, durably; the offsets that were
 * committed within have taken their places; the transaction is complete.  The
 * last is recorded without anybody waiting for it: a start that finds the
 * decision alone begins anew, and finds nothing open.
 */
#include "api/txn_calls.h"

#include <stdlib.h>

#include "api/record.h"
#include "api/topics.h"
#include "api/txn_offsets.h"
#include "base/diag.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "wire/kafka_wire.h"

static const char record_name[] = "transaction_record";

enum {
	SLICE = 64,      /* markers written at a time */
	RETRY_MS = 1000, /* after a disk did not take something */
	COORDINATOR_EPOCH = 0, /* there is one coordinator, and never another */
	FORGOTTEN_AT_ONCE = 5000,
	QUOTED = 500 /* what of an id stands in the log */
};

enum kafka_error
txn_calls_error(enum txn_error error, bool knows_fenced)
{
	must(error != TXN_NEEDS_ID);
	/* Else the numbers are the same. */
	return error == TXN_PRODUCER_FENCED && !knows_fenced ? KAFKA_INVALID_PRODUCER_EPOCH :
	    (enum kafka_error)error;
}

/* ---- records ---- */

/* Partitions are in the order of their topics. */
static size_t
group_topics(const struct txn_values *v, struct wire_transaction_record_topic *topics, int32_t *numbers)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_partitions; i++) {
		const struct txn_partition *p = &v->partitions[i];

		if (n == 0 || memcmp(topics[n - 1].topic_id, p->topic, sizeof p->topic) != 0) {
			memcpy(topics[n].topic_id, p->topic, sizeof p->topic);
			topics[n].partitions = &numbers[i];
			topics[n++].n_partitions = 0;
		}
		numbers[i] = p->number;
		topics[n - 1].n_partitions++;
	}
	return n;
}

static bool
put_record(struct api *api, const struct txn *t, const struct txn_values *v, struct append *a)
{
	struct wire_transaction_record record;
	int32_t *numbers = xmalloc(v->n_partitions * sizeof *numbers);
	struct span *groups = xmalloc(v->n_groups * sizeof *groups);
	bool over;

	wire_transaction_record_default(&record);
	record.producer_id = v->producer_id;
	record.producer_epoch = v->epoch;
	record.last_producer_id = v->last_producer_id;
	record.last_producer_epoch = v->last_epoch;
	record.next_producer_id = v->next_producer_id;
	record.timeout_ms = v->timeout_ms;
	record.state = (int8_t)v->state;
	record.start_ms = v->start_ms;
	record.update_ms = v->update_ms;
	record.topics = xcalloc(v->n_partitions, sizeof *record.topics);
	record.n_topics = group_topics(v, record.topics, numbers);
	record.groups = groups;
	record.n_groups = v->n_groups;
	for (size_t i = 0; i < v->n_groups; i++)
		groups[i] = v->groups[i].id;
	over = record_put(api, STATE_TRANSACTIONS, t->id, record_name, &record, a);
	free(record.topics);
	free(numbers);
	free(groups);
	return over;
}

static bool
load_values(const struct wire_transaction_record *record, struct txn_values *v)
{
	size_t n = 0;

	*v = (struct txn_values){ .producer_id = record->producer_id, .epoch = record->producer_epoch,
		.last_producer_id = record->last_producer_id, .last_epoch = record->last_producer_epoch,
		.next_producer_id = record->next_producer_id,
		.timeout_ms = record->timeout_ms, .state = (enum txn_state)record->state,
		.start_ms = record->start_ms, .update_ms = record->update_ms };
	for (size_t i = 0; i < record->n_topics; i++)
		n += record->topics[i].n_partitions;
	v->partitions = xmalloc(n * sizeof *v->partitions);
	for (size_t i = 0; i < record->n_topics; i++)
		for (size_t k = 0; k < record->topics[i].n_partitions; k++) {
			struct txn_partition *p = &v->partitions[v->n_partitions++];

			memcpy(p->topic, record->topics[i].topic_id, sizeof p->topic);
			p->number = record->topics[i].partitions[k];
		}
	v->groups = xmalloc(record->n_groups * sizeof *v->groups);
	v->n_groups = record->n_groups;
	for (size_t i = 0; i < record->n_groups; i++)
		v->groups[i].id = record->groups[i];
	return n <= TXN_PARTITIONS_MAX && record->n_groups <= TXN_GROUPS_MAX;
}

/* ---- the end of a transaction ---- */

struct ending {
	struct api *api;
	struct txn *txn;
	size_t next;         /* partition that gets its marker next */
	size_t pending;      /* markers that are not durable yet */
	bool lack;           /* a disk did not take one */
	bool told;           /* that it is put off */
	struct timer timer;
	struct txn_offsets_end offsets;
	struct txn_waiter *waiter; /* or NULL */
};

struct marker {
	struct append append;
	struct ending *ending;
};

static void go_on(struct ending *);

static void
on_time(struct timer *timer)
{
	go_on(container_of(timer, struct ending, timer));
}

static void
tell(struct ending *e)
{
	struct txn_waiter *w = e->waiter;

	e->waiter = NULL;
	if (w != NULL)
		w->ended(w);
}

static void
try_again(struct ending *e)
{
	char id[QUOTED];

	if (!e->told)
		diag_warn("the end of a transaction is put off",
		    "transactional_id=%s action=\"make room, or mend the partition that is offline; it is tried again, each second\"",
		    diag_quote(id, sizeof id, e->txn->id));
	e->told = true;
	e->next = 0;
	e->lack = false;
	loop_timer_set(e->api->loop, &e->timer, loop_now_ms(e->api->loop) + RETRY_MS);
	tell(e);
}

static void
recorded(struct append *a)
{
	free(a);
}

static void
offsets_ended(struct txn_offsets_end *end, bool ok)
{
	struct ending *e = container_of(end, struct ending, offsets);
	struct append *a;

	if (!ok) {
		try_again(e);
		return;
	}
	txns_complete(e->api->txns, e->txn, loop_wall_ms(e->api->loop));
	e->txn->user = NULL;
	a = xcalloc(1, sizeof *a);
	a->done = recorded;
	if (put_record(e->api, e->txn, &e->txn->is, a))
		recorded(a);
	tell(e);
	free(e);
}

static void
markers_written(struct ending *e)
{
	const struct txn_values *v = &e->txn->is;

	if (e->lack) {
		try_again(e);
		return;
	}
	e->offsets = (struct txn_offsets_end){ .producer_id = v->producer_id,
		.commit = v->state == TXN_PREPARE_COMMIT, .done = offsets_ended };
	txn_offsets_end(e->api, &e->offsets);
}

static void
take_outcome(struct marker *m)
{
	/* What is gone needs no marker. */
	if (m->append.error != STORE_OK && m->append.error != STORE_GONE)
		m->ending->lack = true;
	free(m);
}

static void
marker_done(struct append *a)
{
	struct marker *m = container_of(a, struct marker, append);
	struct ending *e = m->ending;

	take_outcome(m);
	e->pending--;
	if (e->pending == 0 && e->next == e->txn->is.n_partitions)
		markers_written(e);
}

static void
write_marker(struct ending *e, const struct txn_partition *p)
{
	const struct txn_values *v = &e->txn->is;
	struct topic_partition *tp = topic_partition(topics_find_id(e->api, p->topic), p->number);
	struct batch_marker what = { .producer_id = v->producer_id, .producer_epoch = v->epoch,
		.commit = v->state == TXN_PREPARE_COMMIT, .coordinator_epoch = COORDINATOR_EPOCH };
	struct marker *m;

	if (tp == NULL)
		return;
	m = xcalloc(1, sizeof *m);
	m->ending = e;
	m->append = (struct append){ .now_ms = loop_wall_ms(e->api->loop), .done = marker_done };
	if (partition_end_transaction(tp->log, &what, &m->append))
		take_outcome(m);
	else
		e->pending++;
}

static void
go_on(struct ending *e)
{
	const struct txn_values *v = &e->txn->is;

	for (int i = 0; i < SLICE && e->next < v->n_partitions; i++)
		write_marker(e, &v->partitions[e->next++]);
	if (e->next < v->n_partitions)
		loop_timer_set(e->api->loop, &e->timer, loop_now_ms(e->api->loop));
	else if (e->pending == 0)
		markers_written(e);
}

static void
begin_end(struct api *api, struct txn *t)
{
	struct ending *e = xcalloc(1, sizeof *e);

	must(t->user == NULL);
	*e = (struct ending){ .api = api, .txn = t, .timer.fire = on_time };
	t->user = e;
	go_on(e);
}

bool
txn_calls_await(struct txn *t, struct txn_waiter *w)
{
	struct ending *e = t->user;

	if (e == NULL)
		return true;
	must(e->waiter == NULL);
	e->waiter = w;
	return false;
}

void
txn_calls_forget(struct txn *t, struct txn_waiter *w)
{
	struct ending *e = t->user;

	if (e != NULL && e->waiter == w)
		e->waiter = NULL;
}

/* ---- changes ---- */

static void
set_timer(struct api *api)
{
	int64_t next = txns_next_deadline(api->txns);

	if (next == INT64_MAX)
		loop_timer_cancel(api->loop, &api->txns_timer);
	else
		loop_timer_set(api->loop, &api->txns_timer, next);
}

static void
change_over(struct append *a)
{
	struct txn_change *c = a->user;
	struct txn *t = c->txn;
	bool stored = a->error == STORE_OK, ends;

	ends = stored && (t->next.state == TXN_PREPARE_COMMIT || t->next.state == TXN_PREPARE_ABORT);
	txns_changed(c->api->txns, t, stored, loop_now_ms(c->api->loop));
	set_timer(c->api);
	if (ends)
		begin_end(c->api, t);
	c->done(c, stored ? KAFKA_NONE : KAFKA_COORDINATOR_NOT_AVAILABLE);
}

void
txn_calls_change(struct api *api, struct txn *t, struct txn_change *c)
{
	c->api = api;
	c->txn = t;
	c->append = (struct append){ .done = change_over, .user = c };
	if (put_record(api, t, &t->next, &c->append))
		change_over(&c->append);
}

/* ---- times ---- */

static void
aborted(struct txn_change *c, enum kafka_error error)
{
	(void)error; /* when the disk did not take it, it comes again */
	free(c);
}

static void
overdue(struct timer *timer)
{
	struct api *api = container_of(timer, struct api, txns_timer);
	struct txn *t;
	char id[QUOTED];

	while ((t = txns_overdue(api->txns, loop_now_ms(api->loop), loop_wall_ms(api->loop))) != NULL) {
		struct txn_change *c = xcalloc(1, sizeof *c);

		diag_info("transaction aborted, it has lasted longer than its timeout",
		    "transactional_id=%s producer_id=%lld timeout_ms=%ld", diag_quote(id, sizeof id, t->id),
		    (long long)t->is.producer_id, (long)t->is.timeout_ms);
		c->done = aborted;
		txn_calls_change(api, t, c);
	}
	set_timer(api);
}

static void
set_expiry_timer(struct api *api)
{
	int64_t wait_ms = api->config.transactional_id_check_ms;

	loop_timer_set(api->loop, &api->txns_expiry_timer,
	    loop_now_ms(api->loop) + (wait_ms < INT32_MAX ? wait_ms : INT32_MAX));
}

static void
expire(struct timer *timer)
{
	struct api *api = container_of(timer, struct api, txns_expiry_timer);
	int64_t since_ms = loop_wall_ms(api->loop) - api->config.transactional_id_expiration_ms;
	struct txn *gone[FORGOTTEN_AT_ONCE], *t;
	struct state_entry *entries;
	size_t it = 0, n = 0;

	while (n < FORGOTTEN_AT_ONCE && (t = txns_next(api->txns, &it)) != NULL)
		if (txn_expired(t, since_ms))
			gone[n++] = t;
	entries = xcalloc(n, sizeof *entries);
	for (size_t i = 0; i < n; i++)
		entries[i].key = gone[i]->id;
	if (n > 0 && record_put_unawaited(api, STATE_TRANSACTIONS, entries, n))
		for (size_t i = 0; i < n; i++)
			txns_forget(api->txns, gone[i]);
	free(entries);
	set_expiry_timer(api);
}

/* ---- start and end ---- */

struct loading {
	struct api *api;
	bool failed;
};

/* One that contradicts itself keeps nobody from a start: its id is free, as if it were unknown. */
static bool
load_one(void *ctx, struct span key, struct span value)
{
	struct loading *l = ctx;
	struct wire_transaction_record record;
	struct txn_values v = { 0 };
	struct arena arena;
	char id[QUOTED];

	l->failed = record_parse(value, record_name, &arena, &record) == -1;
	if (!l->failed && !(load_values(&record, &v) && txns_load(l->api->txns, key, &v,
	    loop_now_ms(l->api->loop), loop_wall_ms(l->api->loop))))
		diag_error("record of a transactional id contradicts itself, and is left out",
		    "transactional_id=%s producer_id=%lld action=\"end what it has open by kafka-transactions abort\"",
		    diag_quote(id, sizeof id, key), (long long)v.producer_id);
	free(v.partitions);
	free(v.groups);
	arena_done(&arena);
	return !l->failed;
}

int
txn_calls_load(struct api *api)
{
	struct loading l = { .api = api };
	struct txn *t;
	size_t it = 0;

	api->txns = txns_new();
	api->txns_timer.fire = overdue;
	api->txns_expiry_timer.fire = expire;
	txn_offsets_load(api);
	state_each(api->store, STATE_TRANSACTIONS, span_of(NULL, 0), load_one, &l);
	if (l.failed)
		return -1;
	while ((t = txns_next(api->txns, &it)) != NULL)
		if (t->is.state == TXN_PREPARE_COMMIT || t->is.state == TXN_PREPARE_ABORT)
			begin_end(api, t);
	set_timer(api);
	set_expiry_timer(api);
	return 0;
}

void
txn_calls_done(struct api *api)
{
	struct txn *t;
	size_t it = 0;

	loop_timer_cancel(api->loop, &api->txns_timer);
	loop_timer_cancel(api->loop, &api->txns_expiry_timer);
	while ((t = txns_next(api->txns, &it)) != NULL)
		if (t->user != NULL) {
			struct ending *e = t->user;

			loop_timer_cancel(api->loop, &e->timer);
			free(e);
		}
	txn_offsets_done(api);
	txns_free(api->txns);
}
