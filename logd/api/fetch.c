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
#include <stdlib.h>

#include "api/fetch_internal.h"
#include "api/handlers.h"
#include "api/named.h"
#include "base/must.h"
#include "base/xalloc.h"

/* The first version with topic ids instead of names; partitions that are looked at in one turn. */
enum { TOPIC_ID_VERSION = 13, SLICE = 4096 };

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
	fetch_count_bytes(f, -f->bytes); /* they count as the answer's from now on */
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
		fetch_fill_changed(f);
	else if (f->begins)
		fetch_begin_session(f);
	send(f);
}

/* Nothing of what it asks for is answered. */
void
fetch_refuse(struct fetch *f, enum kafka_error error)
{
	request_forget(f->request);
	f->response.error_code = (int16_t)error;
	f->response.session_id = f->session == NULL ? 0 : f->session->id;
	f->response.n_responses = 0;
	send(f);
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
	fetch_count_bytes(f, -f->bytes);
	f->any_error = f->read_one = false;
}

static void
waited_long_enough(struct timer *timer)
{
	struct fetch *f = container_of(timer, struct fetch, timer);

	unpark(f);
	fetch_go_on(f);
}

static void
park(struct fetch *f)
{
	struct request *r = f->request;

	stat_add(&r->api->stats.fetches_parked, 1);
	f->parked = true;
	for (size_t i = 0; i < f->n_slots; i++) {
		struct slot *s = &f->slots[i];
		struct topic_partition *tp = fetch_partition(s);

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
	int64_t n = 0, want = fetch_min_bytes(f);

	for (size_t i = 0; i < f->n_slots && n < want; i++)
		n += fetch_readable(&f->slots[i], want - n);
	return n >= want;
}

/* With everybody else served in between. */
static void
next_slice(struct timer *timer)
{
	struct fetch *f = container_of(timer, struct fetch, timer);

	timer->fire = waited_long_enough;
	fetch_go_on(f);
}

void
fetch_go_on(struct fetch *f)
{
	for (size_t end = f->next + SLICE; f->next < f->n_slots;) {
		if (f->next == end) {
			f->timer.fire = next_slice;
			loop_timer_set(f->request->api->loop, &f->timer, request_now_ms(f->request));
			return;
		}
		if (!fetch_read(&f->slots[f->next++]))
			return;
	}
	if (f->any_error || f->n_slots == 0 || f->bytes >= fetch_min_bytes(f) ||
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
			fetch_go_on(f);
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

struct slot *
fetch_add_slot(struct fetch *f, struct fetched_topic *t, const struct wire_fetch_request_partition *asked,
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
		struct slot *s = fetch_add_slot(f, t, &from->partitions[i], &to->partitions[i]);

		s->repeated = named_partition_before(named, fetch_find(f, t), s->asked->partition);
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
	error = fetch_open_session(f);
	if (error != KAFKA_NONE) {
		fetch_refuse(f, error);
		return;
	}
	if (f->session != NULL)
		fetch_add_kept(f);
	else
		add_named(f);
	fetch_go_on(f);
}
