/*
 * fetch.c -- Fetch: reading, waiting for enough to read.
 *
 * A fetch reads its partitions in the order in which it names them.  When what
 * it got is not enough, it lets go of it and waits at each of its partitions;
 * whichever gets data wakes it, and it begins anew.  Sessions (KIP-227) are
 * declined with session id 0, so every request and every answer is complete.
 */
#include "api/fetch.h"

#include <stdlib.h>

#include "api/handlers.h"
#include "api/named.h"
#include "base/must.h"

/* The first version that may carry batches compressed with zstd; -ids instead of names. */
enum { ZSTD_VERSION = 10, TOPIC_ID_VERSION = 13 };

struct fetch {
	struct request *request;
	struct wire_fetch_response response;
	struct slot *slots;   /* one for each partition, in order */
	size_t n_slots, next; /* next: to be read */
	int64_t bytes;        /* read so far, counted in api.fetch_bytes, too */
	bool any_error, read_one;
	int64_t deadline_ms;
	struct timer timer;
	struct list woken;    /* api.woken, when there is something new */
};

struct slot {
	struct fetch *fetch;
	const struct wire_fetch_request_topic *topic;
	const struct wire_fetch_request_partition *asked;
	struct wire_fetch_response_partition *answer;
	struct partition_read read;
	struct list waiting;  /* topic_partition.waiters, while parked */
	bool repeated;        /* the request has named it before */
};

static void go_on(struct fetch *);

static void
set_error(struct slot *s, enum kafka_error error)
{
	s->answer->error_code = (int16_t)error;
	s->answer->high_watermark = -1;
	s->answer->last_stable_offset = -1;
	s->answer->log_start_offset = -1;
	s->fetch->any_error = true;
}

static struct topic *
topic_of(const struct slot *s)
{
	const struct request *r = s->fetch->request;

	return r->version >= TOPIC_ID_VERSION ? topics_find_id(r->api, s->topic->topic_id) :
	    topics_find(r->api, s->topic->topic);
}

static void
count_bytes(struct fetch *f, int64_t n)
{
	f->bytes += n;
	f->request->api->fetch_bytes += n;
}

static void
answer(struct fetch *f)
{
	struct request *r = f->request;

	count_bytes(f, -f->bytes); /* they count as the answer's from now on */
	loop_timer_cancel(r->api->loop, &f->timer);
	request_reply(r, &f->response);
}

static bool
committed_only(const struct fetch *f)
{
	return ((const struct wire_fetch_request *)f->request->message)->isolation_level != 0;
}

/* ---- one partition ---- */

/* What the answer says of a partition whatever is read from it. */
static void
fill_offsets(struct slot *s, const struct topic_partition *tp)
{
	static const struct wire_fetch_response_aborted_transaction none;
	struct wire_fetch_response_partition *p = s->answer;

	p->high_watermark = partition_high_watermark(tp->log);
	p->last_stable_offset = partition_last_stable(tp->log);
	p->log_start_offset = partition_log_start(tp->log);
	/* read_uncommitted gets no list, read_committed may get an empty one. */
	p->aborted_transactions = !committed_only(s->fetch) ? NULL :
	    (struct wire_fetch_response_aborted_transaction *)(uintptr_t)&none;
	p->records = span_of("", 0);
}

/* KIP-320: whether the client's idea of the leader's epoch is ours. */
static enum kafka_error
check_epoch(int32_t asked, const struct partition *log)
{
	if (asked == -1 || asked == partition_leader_epoch(log))
		return KAFKA_NONE;
	return asked < partition_leader_epoch(log) ? KAFKA_FENCED_LEADER_EPOCH : KAFKA_UNKNOWN_LEADER_EPOCH;
}

/* KIP-595: a reader whose last record is of an epoch that ended before it must cut back. */
static bool
diverges(struct slot *s, const struct partition *log)
{
	int32_t epoch;
	int64_t end;

	if (s->asked->last_fetched_epoch < 0)
		return false;
	partition_epoch_end(log, s->asked->last_fetched_epoch, &epoch, &end);
	if (epoch == s->asked->last_fetched_epoch && end >= s->asked->fetch_offset)
		return false;
	s->answer->diverging_epoch.epoch = epoch;
	s->answer->diverging_epoch.end_offset = end;
	return true;
}

/* Which of the records that are given are to be left out by a reader of what is committed. */
static void
fill_aborted(struct slot *s)
{
	struct wire_fetch_response_partition *p = s->answer;
	struct aborted *aborted;
	size_t n = partition_aborted(s->read.partition, s->asked->fetch_offset, s->read.next_offset, &aborted);

	if (n > 0) {
		p->aborted_transactions = request_array(s->fetch->request, n, sizeof *p->aborted_transactions);
		p->n_aborted_transactions = n;
	}
	for (size_t i = 0; i < n; i++) {
		wire_fetch_response_aborted_transaction_default(&p->aborted_transactions[i]);
		p->aborted_transactions[i].producer_id = aborted[i].producer_id;
		p->aborted_transactions[i].first_offset = aborted[i].first;
	}
	free(aborted);
}

static void
take_records(struct slot *s)
{
	struct fetch *f = s->fetch;
	struct partition_read *read = &s->read;

	if (read->error != STORE_OK) {
		int64_t log_start = s->answer->log_start_offset;

		set_error(s, request_error(read->error));
		if (read->error == STORE_OFFSET_OUT_OF_RANGE)
			s->answer->log_start_offset = log_start;
		return;
	}
	if (read->n == 0)
		return;
	request_keep(f->request, read->bytes);
	s->answer->records = span_of(read->bytes, read->n);
	if (read->committed)
		fill_aborted(s);
	count_bytes(f, (int64_t)read->n);
	f->read_one = true;
}

static void
read_done(struct partition_read *read)
{
	struct slot *s = container_of(read, struct slot, read);
	struct fetch *f = s->fetch;
	struct request *r = f->request;

	if (r->exchange == NULL)
		request_keep(r, read->bytes); /* its connection went meanwhile */
	else {
		take_records(s);
		go_on(f);
	}
	request_release(r);
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What the memory for answers has left, less what other fetches have read. */
static int64_t
room(const struct fetch *f)
{
	size_t n = exchange_room(f->request->exchange);
	int64_t left = n > INT64_MAX ? INT64_MAX : (int64_t)n;

	left -= f->request->api->fetch_bytes - f->bytes;
	return left < 0 ? 0 : left;
}

/* What the client and the configuration allow. */
static int64_t
allowed_bytes(const struct fetch *f)
{
	const struct wire_fetch_request *q = f->request->message;

	return least(q->max_bytes, f->request->api->config.fetch_max_bytes);
}

static int64_t
max_bytes(const struct fetch *f)
{
	return least(allowed_bytes(f), room(f));
}

/* More than can be had is never waited for.  A first batch can be had without room, too. */
static int64_t
min_bytes(const struct fetch *f)
{
	const struct wire_fetch_request *q = f->request->message;
	int64_t left = room(f);

	return least(q->min_bytes, least(allowed_bytes(f), left < 1 ? 1 : left));
}

/* Reads one partition.  False: the disk is awaited. */
static bool
read_slot(struct slot *s)
{
	struct fetch *f = s->fetch;
	struct request *r = f->request;
	struct topic *t = topic_of(s);
	struct topic_partition *tp = topic_partition(t, s->asked->partition);
	int64_t left = max_bytes(f) - f->bytes;
	enum kafka_error error;

	if (tp == NULL) {
		set_error(s, t == NULL && r->version >= TOPIC_ID_VERSION ? KAFKA_UNKNOWN_TOPIC_ID :
		    KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
		return true;
	}
	if (s->repeated) {
		/* Reading the same again and again would be much work for a small request. */
		set_error(s, KAFKA_INVALID_REQUEST);
		return true;
	}
	if ((error = check_epoch(s->asked->current_leader_epoch, tp->log)) != KAFKA_NONE) {
		set_error(s, error);
		return true;
	}
	fill_offsets(s, tp);
	if (diverges(s, tp->log)) {
		f->any_error = true; /* it is to know at once */
		return true;
	}
	s->read = (struct partition_read){
		.offset = s->asked->fetch_offset,
		.max_bytes = (size_t)(left <= 0 || s->asked->partition_max_bytes <= 0 ? 0 :
		    least(left, s->asked->partition_max_bytes)),
		.at_least_one = !f->read_one, .committed = committed_only(f), .done = read_done };
	if (partition_read(tp->log, &s->read)) {
		take_records(s);
		return true;
	}
	request_hold(r);
	return false;
}

/* ---- waiting ---- */

static bool
may_wait(const struct fetch *f)
{
	return !f->request->api->draining && request_now_ms(f->request) < f->deadline_ms;
}

static void
unpark(struct fetch *f)
{
	for (size_t i = 0; i < f->n_slots; i++)
		list_del(&f->slots[i].waiting);
	list_del(&f->woken);
}

static void
clear_answer(struct slot *s)
{
	wire_fetch_response_partition_default(s->answer);
	s->answer->partition_index = s->asked->partition;
	s->answer->records = span_of("", 0);
}

/* Lets go of what was read, which was not enough: it will begin anew, with all partitions. */
static void
let_go(struct fetch *f)
{
	request_forget(f->request);
	for (size_t i = 0; i < f->n_slots; i++)
		clear_answer(&f->slots[i]);
	f->next = 0;
	count_bytes(f, -f->bytes);
	f->any_error = f->read_one = false;
}

static void
waited_long_enough(struct timer *timer)
{
	struct fetch *f = container_of(timer, struct fetch, timer);

	unpark(f);
	go_on(f);
}

static void
park(struct fetch *f)
{
	struct request *r = f->request;

	stat_add(&r->api->stats.fetches_parked, 1);
	for (size_t i = 0; i < f->n_slots; i++) {
		struct slot *s = &f->slots[i];
		struct topic_partition *tp = topic_partition(topic_of(s), s->asked->partition);

		if (tp != NULL)
			list_add(&tp->waiters, &s->waiting);
	}
	loop_timer_set(r->api->loop, &f->timer, f->deadline_ms);
}

/*
 * What is there now, about, as far as a partition may give it: enough to answer?
 * So that a fetch that wants much is not read for nothing; nor waits for ever
 * where whole batches add up to a little less than it may get.
 */
static bool
enough(struct fetch *f)
{
	int64_t n = 0, want = min_bytes(f);

	for (size_t i = 0; i < f->n_slots && n < want; i++) {
		struct slot *s = &f->slots[i];
		struct topic_partition *tp = topic_partition(topic_of(s), s->asked->partition);
		int64_t most = s->asked->partition_max_bytes;

		if (tp == NULL || s->asked->fetch_offset < partition_log_start(tp->log))
			return true; /* it has to be told */
		n += least(partition_readable(tp->log, s->asked->fetch_offset, committed_only(f), want - n), most < 1 ? 1 : most);
	}
	return n >= want;
}

static void
go_on(struct fetch *f)
{
	while (f->next < f->n_slots)
		if (!read_slot(&f->slots[f->next++]))
			return;
	if (f->any_error || f->n_slots == 0 || f->bytes >= min_bytes(f) ||
	    (f->read_one && enough(f)) || !may_wait(f))
		answer(f);
	else {
		let_go(f);
		park(f);
	}
}

static void
gone(struct request *r)
{
	struct fetch *f = r->state;

	count_bytes(f, -f->bytes);
	loop_timer_cancel(r->api->loop, &f->timer);
	unpark(f);
	request_drop(r);
}

void
fetch_wake(struct api *api, struct topic_partition *tp)
{
	while (!list_empty(&tp->waiters)) {
		struct slot *s = list_first(&tp->waiters, struct slot, waiting);

		list_del(&s->waiting);
		if (list_empty(&s->fetch->woken))
			list_add(&api->woken, &s->fetch->woken);
	}
}

void
fetch_drain(struct api *api)
{
	struct topic *t;
	size_t it = 0;

	while ((t = topics_next(api, &it)) != NULL)
		for (int32_t i = 0; i < t->n_partitions; i++)
			fetch_wake(api, t->partitions[i]);
}

void
fetch_round(struct api *api)
{
	struct list woken;

	list_init(&woken);
	list_move_all(&woken, &api->woken);
	while (!list_empty(&woken)) {
		struct fetch *f = list_first(&woken, struct fetch, woken);

		unpark(f);
		if (enough(f) || !may_wait(f)) {
			loop_timer_cancel(api->loop, &f->timer);
			go_on(f);
		} else
			park(f);
	}
}

/* ---- the request ---- */

static size_t
count_slots(const struct wire_fetch_request *q)
{
	size_t n = 0;

	for (size_t i = 0; i < q->n_topics; i++)
		n += q->topics[i].n_partitions;
	return n;
}

static void
add_topic(struct fetch *f, const struct wire_fetch_request_topic *from,
    struct wire_fetch_response_topic *to, struct named *named)
{
	struct request *r = f->request;
	struct topic *t = r->version >= TOPIC_ID_VERSION ? topics_find_id(r->api, from->topic_id) :
	    topics_find(r->api, from->topic);

	wire_fetch_response_topic_default(to);
	to->topic = from->topic;
	memcpy(to->topic_id, from->topic_id, sizeof to->topic_id);
	to->n_partitions = from->n_partitions;
	to->partitions = request_array(r, from->n_partitions, sizeof *to->partitions);
	for (size_t i = 0; i < from->n_partitions; i++) {
		struct slot *s = &f->slots[f->n_slots++];

		s->fetch = f;
		s->topic = from;
		s->asked = &from->partitions[i];
		s->answer = &to->partitions[i];
		s->repeated = named_partition_before(named, t, s->asked->partition);
		clear_answer(s);
		list_init(&s->waiting);
	}
}

void
fetch_run(struct request *r)
{
	const struct wire_fetch_request *q = r->message;
	struct fetch *f = request_alloc(r, sizeof *f);
	struct named named;

	stat_add(&r->api->stats.fetch_requests, 1);
	f->request = r;
	f->slots = request_array(r, count_slots(q), sizeof *f->slots);
	f->deadline_ms = request_now_ms(r) + (q->max_wait_ms < 0 ? 0 : q->max_wait_ms);
	f->timer.fire = waited_long_enough;
	list_init(&f->woken);
	named_init(&named, r);
	wire_fetch_response_default(&f->response);
	f->response.n_responses = q->n_topics;
	f->response.responses = request_array(r, q->n_topics, sizeof *f->response.responses);
	for (size_t i = 0; i < q->n_topics; i++)
		add_topic(f, &q->topics[i], &f->response.responses[i], &named);
	named_done(&named);
	r->state = f;
	r->gone = gone;
	/* We have no sessions: one that is referred to can't be ours. */
	if (q->session_id != 0 && q->session_epoch != -1) {
		f->response.error_code = KAFKA_FETCH_SESSION_ID_NOT_FOUND;
		f->response.n_responses = 0;
		answer(f);
		return;
	}
	go_on(f);
}
