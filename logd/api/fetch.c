/*
 * fetch.c -- Fetch: reading, waiting for enough to read.
 *
 * A fetch reads its partitions in the order in which it names them.  When what
 * it got is not enough, it lets go of it and waits at each of its partitions;
 * whichever gets data wakes it, and it begins anew.
 *
 * A fetch names its partitions itself, or has a session (fetch_sessions.h), which
 * it holds until it is answered: what its slots point to is the session's.  What
 * a short request of a session works with is not kept until its answer is sent.
 */
#include "api/fetch.h"

#include <stdlib.h>

#include "api/handlers.h"
#include "api/named.h"
#include "base/must.h"
#include "base/xalloc.h"

/*
 * The first version that may carry batches compressed with zstd; -ids instead of names.
 * Partitions that are looked at in one turn.
 */
enum { ZSTD_VERSION = 10, TOPIC_ID_VERSION = 13, SLICE = 4096 };

struct fetch {
	struct request *request;
	struct wire_fetch_response response;
	struct wire_fetch_response_partition blank; /* an answer with its defaults */
	struct slot *slots;   /* one for each partition, in order; owned */
	size_t n_slots, next; /* next: to be read */
	int64_t bytes;        /* read so far, counted in api.fetch_bytes, too */
	bool any_error, read_one;
	bool by_id;           /* topics are named by their ids */
	bool begins;          /* a session, when it is answered */
	struct fetch_session *session; /* held; NULL: the request names all */
	struct wire_fetch_response_partition *answers; /* of a session's slots; owned */
	bool parked, reading; /* waits for data; for the disk */
	int64_t deadline_ms;
	struct timer timer;
	struct list woken;    /* api.woken, when there is something new */
};

struct slot {
	struct fetch *fetch;
	struct fetched_topic *topic;
	const struct wire_fetch_request_partition *asked;
	struct wire_fetch_response_partition *answer;
	struct fetched_partition *kept; /* the session's */
	struct partition_read read;
	struct list waiting;  /* topic_partition.waiters, while parked */
	bool repeated;        /* the request has named it before */
	bool told;            /* of a session's: the client is to know it */
};

static void go_on(struct fetch *);
static void begin_session(struct fetch *);
static void fill_changed(struct fetch *);

static void
set_error(struct slot *s, enum kafka_error error)
{
	s->answer->error_code = (int16_t)error;
	s->answer->high_watermark = -1;
	s->answer->last_stable_offset = -1;
	s->answer->log_start_offset = -1;
	s->fetch->any_error = true;
}

/* What is found is kept as long as no topic comes or goes, in a session's topic over many fetches. */
static struct topic *
find(const struct fetch *f, struct fetched_topic *t)
{
	struct api *api = f->request->api;

	if (t->as_of == api->topics_version)
		return t->topic;
	t->topic = f->by_id ? topics_find_id(api, t->id) : topics_find(api, t->name);
	t->as_of = api->topics_version;
	return t->topic;
}

static struct topic *
topic_of(const struct slot *s)
{
	return find(s->fetch, s->topic);
}

/*
 * What a partition is told that is not there.  Of a session's topic the name is
 * known when the id is no more: so the client learns whether there is another.
 */
static enum kafka_error
missing(const struct slot *s, const struct topic *t)
{
	if (!s->fetch->by_id || t != NULL)
		return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
	if (s->topic->name.p == NULL)
		return KAFKA_UNKNOWN_TOPIC_ID;
	t = topics_find(s->fetch->request->api, s->topic->name);
	return topic_partition(t, s->asked->partition) == NULL ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION :
	    KAFKA_INCONSISTENT_TOPIC_ID;
}

static void
count_bytes(struct fetch *f, int64_t n)
{
	f->bytes += n;
	f->request->api->fetch_bytes += n;
}

static void
unpark(struct fetch *f)
{
	if (f->parked)
		for (size_t i = 0; i < f->n_slots; i++)
			list_del(&f->slots[i].waiting);
	f->parked = false;
	list_del(&f->woken);
}

/* It waits for nothing any more, and does not count. */
static void
stop(struct fetch *f)
{
	count_bytes(f, -f->bytes); /* they count as the answer's from now on */
	loop_timer_cancel(f->request->api->loop, &f->timer);
	unpark(f);
	if (f->session != NULL)
		fetch_session_let_go(f->session);
	f->session = NULL;
}

static void
send(struct fetch *f)
{
	struct slot *slots = f->slots;
	struct wire_fetch_response_partition *answers = f->answers;

	stop(f);
	request_reply(f->request, &f->response);
	free(slots);
	free(answers);
}

static void
answer(struct fetch *f)
{
	if (f->session != NULL)
		fill_changed(f);
	else if (f->begins)
		begin_session(f);
	send(f);
}

/* Nothing of what it asks for is answered. */
static void
refuse(struct fetch *f, enum kafka_error error)
{
	request_forget(f->request);
	f->response.error_code = (int16_t)error;
	f->response.session_id = f->session == NULL ? 0 : f->session->id;
	f->response.n_responses = 0;
	send(f);
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

	/* Not from the arena: a fetch that waits begins anew, again and again. */
	if (n > 0) {
		p->aborted_transactions = xcalloc(n, sizeof *p->aborted_transactions);
		p->n_aborted_transactions = n;
		request_keep(s->fetch->request, p->aborted_transactions);
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

	f->reading = false;
	if (r->exchange == NULL) {
		request_keep(r, read->bytes); /* its connection went meanwhile */
		free(f->slots);
		free(f->answers);
	} else {
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
		set_error(s, missing(s, t));
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
	f->reading = true;
	return false;
}

/* ---- waiting ---- */

/* A session that was closed is not to be kept for long. */
static bool
may_wait(const struct fetch *f)
{
	return !f->request->api->draining && request_now_ms(f->request) < f->deadline_ms &&
	    (f->session == NULL || !f->session->closed);
}

static void
clear_answer(struct slot *s)
{
	*s->answer = s->fetch->blank;
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
	f->parked = true;
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

/* With everybody else served in between. */
static void
next_slice(struct timer *timer)
{
	struct fetch *f = container_of(timer, struct fetch, timer);

	timer->fire = waited_long_enough;
	go_on(f);
}

static void
go_on(struct fetch *f)
{
	for (size_t end = f->next + SLICE; f->next < f->n_slots;) {
		if (f->next == end) {
			f->timer.fire = next_slice;
			loop_timer_set(f->request->api->loop, &f->timer, request_now_ms(f->request));
			return;
		}
		if (!read_slot(&f->slots[f->next++]))
			return;
	}
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

	stop(f);
	/* What a thread reads for, read_done() ends. */
	if (!f->reading) {
		free(f->slots);
		free(f->answers);
	}
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

/* ---- sessions ---- */

static void
tell_stats(struct api *api)
{
	stat_set(&api->stats.incremental_fetch_sessions, api->fetch_sessions.by_id.n);
	stat_set(&api->stats.incremental_fetch_partitions_cached, api->fetch_sessions.n_partitions);
	stat_set(&api->stats.incremental_fetch_session_evictions, api->fetch_sessions.n_evicted);
}

/* What is not parked sees it by itself, see may_wait(). */
static void
session_closed(void *fetch)
{
	struct fetch *f = fetch;

	if (f->parked)
		loop_timer_set(f->request->api->loop, &f->timer, request_now_ms(f->request));
}

/* While it is there, so that missing() knows it afterwards. */
static void
note_name(struct fetch *f, struct fetch_session *session, struct fetched_topic *t)
{
	struct topic *found = find(f, t);

	if (f->by_id && found != NULL && t->name.p == NULL)
		fetch_session_name(&f->request->api->fetch_sessions, session, t, found->name);
}

/* The session knows what this answer says.  Without a place for it, there is none. */
static void
begin_session(struct fetch *f)
{
	struct request *r = f->request;
	struct fetch_sessions *all = &r->api->fetch_sessions;
	struct fetch_session *session = fetch_sessions_new(all, r->message, f->by_id,
	    (size_t)r->api->config.fetch_session_slots, request_now_ms(r));

	for (size_t i = 0; session != NULL && i < f->n_slots; i++) {
		struct slot *s = &f->slots[i];
		struct fetched_partition *p = fetch_session_put(all, session, s->topic->name, s->topic->id, s->asked);

		if (p == NULL) {
			fetch_sessions_close(all, session->id);
			session = NULL;
		} else {
			note_name(f, session, p->key.topic);
			fetch_session_answer(p, s->answer, committed_only(f));
		}
	}
	if (session != NULL)
		f->response.session_id = session->id;
	tell_stats(r->api);
}

/* Chooses what of the session's partitions is answered; counts the topics that take turns there. */
static size_t
choose_told(struct fetch *f, size_t *n_told)
{
	const struct fetched_topic *last = NULL;
	size_t n_topics = 0;

	*n_told = 0;
	for (size_t i = 0; i < f->n_slots; i++) {
		struct slot *s = &f->slots[i];

		if (!(s->told = fetch_session_answer(s->kept, s->answer, committed_only(f))))
			continue;
		if (s->answer->records.n > 0)
			fetch_session_to_end(f->session, s->kept);
		n_topics += s->topic != last;
		last = s->topic;
		(*n_told)++;
	}
	return n_topics;
}

static void
fill_topic(struct fetch *f, struct wire_fetch_response_topic *to, const struct fetched_topic *t,
    struct wire_fetch_response_partition *partitions)
{
	wire_fetch_response_topic_default(to);
	if (f->by_id)
		memcpy(to->topic_id, t->id, sizeof to->topic_id);
	else
		to->topic = request_copy(f->request, t->name);
	to->partitions = partitions;
}

/* What has changed for the client, in the session's order. */
static void
fill_changed(struct fetch *f)
{
	struct request *r = f->request;
	size_t n_told, n_topics = choose_told(f, &n_told);
	struct wire_fetch_response_topic *topic = request_array(r, n_topics, sizeof *topic);
	struct wire_fetch_response_partition *next = request_array(r, n_told, sizeof *next);
	const struct fetched_topic *last = NULL;

	f->response.session_id = f->session->id;
	f->response.responses = topic;
	f->response.n_responses = n_topics;
	for (size_t i = 0; i < f->n_slots; i++) {
		const struct slot *s = &f->slots[i];

		if (!s->told)
			continue;
		if (s->topic != last)
			fill_topic(f, topic++, last = s->topic, next);
		topic[-1].n_partitions++;
		*next++ = *s->answer;
	}
}

/*
 * An earlier request of the session that is still under way: the client has given
 * it up.  As in Kafka it is told so; but one that waits for the disk stays, and
 * the later is refused, so that a session never works for more than one.
 */
static bool
supersede(struct fetch_session *session)
{
	struct fetch *earlier = session->fetch;

	if (earlier != NULL && earlier->reading)
		return false;
	if (earlier != NULL)
		refuse(earlier, KAFKA_INVALID_FETCH_SESSION_EPOCH);
	return true;
}

/* What the request says of sessions, of this one or of another that it ends. */
static enum kafka_error
open_session(struct fetch *f)
{
	const struct wire_fetch_request *q = f->request->message;
	struct fetch_sessions *all = &f->request->api->fetch_sessions;
	struct fetch_session *session;
	enum kafka_error error;

	if (!fetch_session_is_incremental(q)) {
		fetch_sessions_close(all, q->session_id);
		f->begins = q->session_epoch == 0;
		return KAFKA_NONE;
	}
	if ((error = fetch_sessions_find(all, q, f->by_id, &session)) != KAFKA_NONE)
		return error;
	if (!supersede(session))
		return KAFKA_INVALID_FETCH_SESSION_EPOCH;
	if ((error = fetch_session_update(all, &session, q, request_now_ms(f->request))) != KAFKA_NONE)
		return error;
	if ((f->session = session) != NULL)
		fetch_session_hold(session, f);
	return KAFKA_NONE;
}

void
fetch_init(struct api *api)
{
	uint64_t seed;

	store_random((uint8_t *)&seed, sizeof seed);
	fetch_sessions_init(&api->fetch_sessions, seed, session_closed);
}

void
fetch_done(struct api *api)
{
	fetch_sessions_done(&api->fetch_sessions);
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

static struct slot *
add_slot(struct fetch *f, struct fetched_topic *t, const struct wire_fetch_request_partition *asked,
    struct wire_fetch_response_partition *answer)
{
	struct slot *s = &f->slots[f->n_slots++];

	s->fetch = f;
	s->topic = t;
	s->asked = asked;
	s->answer = answer;
	clear_answer(s);
	list_init(&s->waiting);
	return s;
}

static void
add_topic(struct fetch *f, const struct wire_fetch_request_topic *from,
    struct wire_fetch_response_topic *to, struct named *named)
{
	struct request *r = f->request;
	struct fetched_topic *t = request_alloc(r, sizeof *t);

	if (f->by_id)
		memcpy(t->id, from->topic_id, sizeof t->id);
	else
		t->name = from->topic;
	wire_fetch_response_topic_default(to);
	to->topic = from->topic;
	memcpy(to->topic_id, from->topic_id, sizeof to->topic_id);
	to->n_partitions = from->n_partitions;
	to->partitions = request_array(r, from->n_partitions, sizeof *to->partitions);
	for (size_t i = 0; i < from->n_partitions; i++) {
		struct slot *s = add_slot(f, t, &from->partitions[i], &to->partitions[i]);

		s->repeated = named_partition_before(named, find(f, t), s->asked->partition);
	}
}

/* What the request names, all of which is answered. */
static void
add_named(struct fetch *f)
{
	struct request *r = f->request;
	const struct wire_fetch_request *q = r->message;
	struct named named;

	f->slots = xcalloc(count_slots(q), sizeof *f->slots);
	f->response.n_responses = q->n_topics;
	f->response.responses = request_array(r, q->n_topics, sizeof *f->response.responses);
	named_init(&named, r);
	for (size_t i = 0; i < q->n_topics; i++)
		add_topic(f, &q->topics[i], &f->response.responses[i], &named);
	named_done(&named);
}

/* What the session has. */
static void
add_kept(struct fetch *f)
{
	size_t n = f->session->by_key.n;

	f->slots = xcalloc(n, sizeof *f->slots);
	f->answers = xcalloc(n, sizeof *f->answers);
	list_each(it, &f->session->partitions) {
		struct fetched_partition *p = container_of(it, struct fetched_partition, link);
		struct slot *s = add_slot(f, p->key.topic, &p->asked, &f->answers[f->n_slots]);

		s->kept = p;
		note_name(f, f->session, p->key.topic);
	}
}

void
fetch_run(struct request *r)
{
	const struct wire_fetch_request *q = r->message;
	struct fetch *f = request_alloc(r, sizeof *f);
	enum kafka_error error;

	stat_add(&r->api->stats.fetch_requests, 1);
	f->request = r;
	f->by_id = r->version >= TOPIC_ID_VERSION;
	f->deadline_ms = request_now_ms(r) + (q->max_wait_ms < 0 ? 0 : q->max_wait_ms);
	f->timer.fire = waited_long_enough;
	list_init(&f->woken);
	wire_fetch_response_default(&f->response);
	wire_fetch_response_partition_default(&f->blank);
	r->state = f;
	r->gone = gone;
	error = open_session(f);
	tell_stats(r->api);
	if (error != KAFKA_NONE) {
		refuse(f, error);
		return;
	}
	if (f->session != NULL)
		add_kept(f);
	else
		add_named(f);
	go_on(f);
}
