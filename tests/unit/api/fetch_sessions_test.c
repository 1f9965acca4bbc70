/*
 * fetch_sessions_test.c -- fetch sessions, by their rules one at a time, and any
 * sequence of requests beside a model that knows nothing but arrays.
 */
#include "api/fetch_sessions.h"

#include <stdlib.h>
#include <string.h>

#include "unit/base/random.h"
#include "unit/unit.h"

enum { TOPICS = 4, NUMBERS = 6, ALL = TOPICS * NUMBERS, NAMED_MAX = 12, SLOTS = 5, STEPS = 20000,
	OLD = FETCH_SESSION_UNUSED_MS + 1 };

static const char *const names[TOPICS] = { "a", "b", "some-topic", "t" };

/* ---- requests ---- */

/* A request with its parts: each partition that it names is a topic's only one. */
struct sent {
	struct wire_fetch_request q;
	struct wire_fetch_request_topic topics[NAMED_MAX];
	struct wire_fetch_request_partition asked[NAMED_MAX];
	struct wire_fetch_request_forgotten_topic forgotten[NAMED_MAX];
	int32_t numbers[NAMED_MAX];
};

static void
begin(struct sent *s, int32_t id, int32_t epoch)
{
	wire_fetch_request_default(&s->q);
	s->q.session_id = id;
	s->q.session_epoch = epoch;
	s->q.topics = s->topics;
	s->q.forgotten_topics_data = s->forgotten;
}

/* What topics are called, by a number. */
static void
name_topic(int topic, struct span *name, uint8_t id[16])
{
	*name = span_str(names[topic]);
	memset(id, topic + 1, 16);
}

static void
add(struct sent *s, int topic, int32_t number, int64_t offset)
{
	size_t n = s->q.n_topics++;

	wire_fetch_request_topic_default(&s->topics[n]);
	wire_fetch_request_partition_default(&s->asked[n]);
	name_topic(topic, &s->topics[n].topic, s->topics[n].topic_id);
	s->topics[n].partitions = &s->asked[n];
	s->topics[n].n_partitions = 1;
	s->asked[n].partition = number;
	s->asked[n].fetch_offset = offset;
}

static void
leave_out(struct sent *s, int topic, int32_t number)
{
	size_t n = s->q.n_forgotten_topics_data++;

	wire_fetch_request_forgotten_topic_default(&s->forgotten[n]);
	name_topic(topic, &s->forgotten[n].topic, s->forgotten[n].topic_id);
	s->numbers[n] = number;
	s->forgotten[n].partitions = &s->numbers[n];
	s->forgotten[n].n_partitions = 1;
}

/* As fetch.c begins one.  NULL: there is no place. */
static struct fetch_session *
start(struct fetch_sessions *all, const struct sent *s, bool by_id, size_t slots, int64_t now_ms)
{
	struct fetch_session *session = fetch_sessions_new(all, &s->q, by_id, slots, now_ms);

	for (size_t i = 0; session != NULL && i < s->q.n_topics; i++)
		CU_ASSERT_PTR_NOT_NULL_FATAL(fetch_session_put(all, session, s->topics[i].topic,
		    s->topics[i].topic_id, &s->asked[i]));
	return session;
}

static struct wire_fetch_response_partition
response(int64_t high_watermark, int64_t last_stable, int64_t log_start)
{
	struct wire_fetch_response_partition p;

	wire_fetch_response_partition_default(&p);
	p.high_watermark = high_watermark;
	p.last_stable_offset = last_stable;
	p.log_start_offset = log_start;
	p.records = span_of("", 0);
	return p;
}

static int n_closed;

static void
count_closed(void *fetch)
{
	(void)fetch;
	n_closed++;
}

static struct fetched_partition *
first(struct fetch_session *s)
{
	return list_first(&s->partitions, struct fetched_partition, link);
}

/* ---- one rule at a time ---- */

static void
an_unknown_id_another_epoch_or_other_names_are_refused(void)
{
	struct fetch_sessions all;
	struct fetch_session *s, *found = NULL;
	struct sent sent;

	fetch_sessions_init(&all, 1, count_closed);
	begin(&sent, 0, 0);
	add(&sent, 0, 0, 5);
	CU_ASSERT(!fetch_session_is_incremental(&sent.q));
	s = start(&all, &sent, false, 1, 0);
	CU_ASSERT_FATAL(s != NULL && s->id > 0 && s->epoch == 1);
	begin(&sent, s->id == 7 ? 8 : 7, 1);
	CU_ASSERT(fetch_session_is_incremental(&sent.q));
	CU_ASSERT(fetch_sessions_find(&all, &sent.q, false, &found) == KAFKA_FETCH_SESSION_ID_NOT_FOUND);
	begin(&sent, s->id, 2);
	CU_ASSERT(fetch_sessions_find(&all, &sent.q, false, &found) == KAFKA_INVALID_FETCH_SESSION_EPOCH);
	begin(&sent, s->id, -5);
	CU_ASSERT(fetch_session_is_incremental(&sent.q));
	CU_ASSERT(fetch_sessions_find(&all, &sent.q, false, &found) == KAFKA_INVALID_FETCH_SESSION_EPOCH);
	begin(&sent, s->id, 1);
	CU_ASSERT(fetch_sessions_find(&all, &sent.q, true, &found) == KAFKA_FETCH_SESSION_TOPIC_ID_ERROR);
	CU_ASSERT(fetch_sessions_find(&all, &sent.q, false, &found) == KAFKA_NONE && found == s);
	begin(&sent, s->id, -1);
	CU_ASSERT(!fetch_session_is_incremental(&sent.q));
	fetch_sessions_done(&all);
}

static void
the_epoch_goes_from_the_last_to_1(void)
{
	struct fetch_sessions all;
	struct fetch_session *s;
	struct sent sent;

	fetch_sessions_init(&all, 1, count_closed);
	begin(&sent, 0, 0);
	add(&sent, 0, 0, 5);
	s = start(&all, &sent, false, 1, 0);
	s->epoch = INT32_MAX;
	begin(&sent, s->id, INT32_MAX);
	CU_ASSERT(fetch_session_update(&all, &s, &sent.q, 0) == KAFKA_NONE);
	CU_ASSERT(s->epoch == 1);
	fetch_sessions_done(&all);
}

static void
told_is_what_has_changed(void)
{
	struct fetched_partition p = { .high_watermark = -1, .last_stable_offset = -1, .log_start_offset = -1 };
	struct wire_fetch_response_partition a = response(5, 5, 0);

	CU_ASSERT(fetch_session_answer(&p, &a, false));
	CU_ASSERT(!fetch_session_answer(&p, &a, true));
	a.log_start_offset = 1;
	CU_ASSERT(fetch_session_answer(&p, &a, false));
	a.last_stable_offset = 4;
	CU_ASSERT(!fetch_session_answer(&p, &a, false));
	a.last_stable_offset = 3;
	CU_ASSERT(fetch_session_answer(&p, &a, true));
	a.high_watermark = 6;
	CU_ASSERT(fetch_session_answer(&p, &a, false));
	a.diverging_epoch.epoch = 2;
	CU_ASSERT(fetch_session_answer(&p, &a, false));
	a.diverging_epoch.epoch = -1;
	CU_ASSERT(!fetch_session_answer(&p, &a, false));
	a.records = span_str("r");
	CU_ASSERT(fetch_session_answer(&p, &a, false));
	CU_ASSERT(fetch_session_answer(&p, &a, false));
}

/* However often, and that it is over, too. */
static void
an_error_is_told_while_it_lasts_and_when_it_ends(void)
{
	struct fetched_partition p = { .high_watermark = 5, .last_stable_offset = 5, .log_start_offset = 0 };
	struct wire_fetch_response_partition good = response(5, 5, 0), bad = response(5, 5, 0);

	CU_ASSERT(!fetch_session_answer(&p, &good, false));
	bad.error_code = KAFKA_KAFKA_STORAGE_ERROR;
	CU_ASSERT(fetch_session_answer(&p, &bad, false));
	CU_ASSERT(fetch_session_answer(&p, &bad, false));
	CU_ASSERT(fetch_session_answer(&p, &good, false));
	CU_ASSERT(!fetch_session_answer(&p, &good, false));
}

static void
a_session_without_partitions_ends(void)
{
	struct fetch_sessions all;
	struct fetch_session *s;
	struct sent sent;

	fetch_sessions_init(&all, 1, count_closed);
	begin(&sent, 0, 0);
	add(&sent, 0, 0, 5);
	add(&sent, 1, 0, 5);
	s = start(&all, &sent, false, 1, 0);
	begin(&sent, s->id, 1);
	leave_out(&sent, 0, 0);
	leave_out(&sent, 3, 3);
	CU_ASSERT(fetch_session_update(&all, &s, &sent.q, 0) == KAFKA_NONE);
	CU_ASSERT_FATAL(s != NULL && all.n_partitions == 1);
	begin(&sent, s->id, 2);
	leave_out(&sent, 1, 0);
	CU_ASSERT(fetch_session_update(&all, &s, &sent.q, 0) == KAFKA_NONE);
	CU_ASSERT_PTR_NULL(s);
	CU_ASSERT(all.by_id.n == 0 && all.n_partitions == 0 && all.bytes == 0);
	fetch_sessions_done(&all);
}

static void
what_is_held_outlives_its_end_and_tells_it(void)
{
	struct fetch_sessions all;
	struct fetch_session *s;
	struct sent sent;
	int fetch;

	n_closed = 0;
	fetch_sessions_init(&all, 1, count_closed);
	begin(&sent, 0, 0);
	add(&sent, 2, 3, 5);
	s = start(&all, &sent, true, 1, 0);
	fetch_session_hold(s, &fetch);
	fetch_sessions_close(&all, s->id);
	CU_ASSERT(n_closed == 1 && s->closed && all.by_id.n == 0 && all.bytes == 0);
	CU_ASSERT(first(s)->key.number == 3);
	fetch_session_name(&all, s, first(s)->key.topic, span_str("later"));
	CU_ASSERT(span_is(first(s)->key.topic->name, "later") && all.bytes == 0);
	fetch_session_let_go(s);
	fetch_sessions_done(&all);
}

/* A session of so many partitions of one topic. */
static struct fetch_session *
start_with(struct fetch_sessions *all, size_t n, int64_t now_ms)
{
	struct wire_fetch_request_partition *asked = calloc(n, sizeof *asked);
	struct wire_fetch_request_topic topic = { .topic = span_str("many"), .partitions = asked, .n_partitions = n };
	struct wire_fetch_request q = { .topics = &topic, .n_topics = 1 };
	struct fetch_session *s = fetch_sessions_new(all, &q, false, 1000, now_ms);

	for (size_t i = 0; s != NULL && i < n; i++) {
		asked[i].partition = (int32_t)i;
		CU_ASSERT(fetch_session_put(all, s, topic.topic, topic.topic_id, &asked[i]) != NULL);
	}
	free(asked);
	return s;
}

static void
partitions_of_one_and_memory_of_all_are_bounded(void)
{
	struct fetch_sessions all;
	struct fetch_session *s, *one;
	struct sent sent;
	size_t n = 0;

	fetch_sessions_init(&all, 1, count_closed);
	CU_ASSERT_PTR_NULL(start_with(&all, FETCH_SESSION_PARTITIONS_MAX + 1, 0));
	one = start_with(&all, FETCH_SESSION_PARTITIONS_MAX, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(one);
	begin(&sent, one->id, 1);
	add(&sent, 0, 0, 0);
	CU_ASSERT(fetch_session_update(&all, &one, &sent.q, 0) == KAFKA_FETCH_SESSION_ID_NOT_FOUND);
	CU_ASSERT(all.by_id.n == 0 && all.bytes == 0 && all.n_partitions == 0);
	while ((s = start_with(&all, 10000, 0)) != NULL && n < 1000)
		n++;
	CU_ASSERT(n >= 10 && n < 1000 && all.n_partitions == n * 10000);
	CU_ASSERT(all.bytes <= FETCH_SESSIONS_BYTES_MAX && all.n_evicted == 0);
	/* Those are unused by now: as many go as it takes. */
	CU_ASSERT_PTR_NOT_NULL(start_with(&all, 25000, OLD));
	CU_ASSERT(all.n_evicted >= 2 && all.n_evicted <= 4);
	CU_ASSERT(all.bytes <= FETCH_SESSIONS_BYTES_MAX);
	fetch_sessions_done(&all);
}

/* ---- any sequence ---- */

struct model_partition {
	int topic;
	int32_t number;
	int64_t offset, high_watermark, last_stable, log_start;
};

struct model_session {
	int32_t id, epoch;
	bool by_id, old;
	int64_t created_ms, used_ms;
	uint64_t used; /* counts up: who was used before whom */
	struct model_partition p[ALL];
	size_t n;
};

struct model {
	struct fetch_sessions all;
	struct model_session s[SLOTS];
	size_t n;
	int64_t now_ms;
	uint64_t random, uses, n_evicted;
};

static size_t
draw(struct model *m, size_t n)
{
	return random_below(&m->random, n);
}

static size_t
find(const struct model_session *s, int topic, int32_t number)
{
	size_t i = 0;

	while (i < s->n && (s->p[i].topic != topic || s->p[i].number != number))
		i++;
	return i;
}

static void
model_put(struct model_session *s, int topic, int32_t number, int64_t offset)
{
	size_t i = find(s, topic, number);

	if (i == s->n)
		s->p[s->n++] = (struct model_partition){ topic, number, 0, -1, -1, -1 };
	s->p[i].offset = offset;
}

static void
model_forget(struct model_session *s, size_t i)
{
	if (i == s->n)
		return;
	memmove(&s->p[i], &s->p[i + 1], (s->n - i - 1) * sizeof *s->p);
	s->n--;
}

static void
model_use(struct model *m, struct model_session *s)
{
	s->used_ms = m->now_ms;
	s->used = m->uses++;
	s->old = m->now_ms - s->created_ms > FETCH_SESSION_UNUSED_MS;
}

static void
model_close(struct model *m, size_t i)
{
	memmove(&m->s[i], &m->s[i + 1], (m->n - i - 1) * sizeof *m->s);
	m->n--;
}

/* The place of the one that goes for one of this size, or m->n. */
static size_t
model_victim(const struct model *m, size_t size)
{
	size_t longest = 0, least = m->n;

	for (size_t i = 1; i < m->n; i++)
		if (m->s[i].used < m->s[longest].used)
			longest = i;
	if (m->now_ms - m->s[longest].used_ms > FETCH_SESSION_UNUSED_MS)
		return longest;
	for (size_t i = 0; i < m->n; i++)
		if (m->s[i].old && (least == m->n || m->s[i].n < m->s[least].n ||
		    (m->s[i].n == m->s[least].n && m->s[i].id < m->s[least].id)))
			least = i;
	return least < m->n && size > m->s[least].n ? least : m->n;
}

static int64_t
some_offset(struct model *m)
{
	return (int64_t)draw(m, 4);
}

/* What the session is answered, and whether both think alike of what is told. */
static void
answer(struct model *m, struct fetch_session *session, struct model_session *s, bool first_time)
{
	struct model_partition to_end[ALL];
	struct fetched_partition *parts[ALL];
	size_t n_to_end = 0, n = 0;
	bool committed = draw(m, 2) == 0;

	list_each(it, &session->partitions)
		parts[n++] = container_of(it, struct fetched_partition, link);
	CU_ASSERT_FATAL(n == s->n);
	for (size_t i = 0, j = 0; i < n; i++) {
		struct model_partition *p = &s->p[j];
		struct wire_fetch_response_partition a = response(some_offset(m), some_offset(m), some_offset(m));
		bool told;

		if (draw(m, 3) == 0)
			a.records = span_str("r");
		if (draw(m, 8) == 0)
			a.error_code = KAFKA_OFFSET_OUT_OF_RANGE;
		told = a.records.n > 0 || a.error_code != 0 || a.high_watermark != p->high_watermark ||
		    a.log_start_offset != p->log_start || (committed && a.last_stable_offset != p->last_stable);
		CU_ASSERT(fetch_session_answer(parts[i], &a, committed) == told);
		p->high_watermark = a.error_code != 0 ? -1 : a.high_watermark;
		p->log_start = a.log_start_offset;
		p->last_stable = a.last_stable_offset;
		if (a.records.n == 0 || first_time) {
			j++;
			continue;
		}
		fetch_session_to_end(session, parts[i]);
		to_end[n_to_end++] = *p;
		model_forget(s, j);
	}
	memcpy(&s->p[s->n], to_end, n_to_end * sizeof *to_end);
	s->n += n_to_end;
}

static void
same_partitions(const struct fetch_session *session, const struct model_session *s)
{
	size_t i = 0;

	CU_ASSERT_FATAL(session->by_key.n == s->n);
	list_each(it, &session->partitions) {
		const struct fetched_partition *p = container_of(it, struct fetched_partition, link);
		const struct model_partition *q = &s->p[i++];
		struct span name;
		uint8_t id[16];

		name_topic(q->topic, &name, id);
		CU_ASSERT(p->key.number == q->number && p->asked.partition == q->number);
		CU_ASSERT(p->asked.fetch_offset == q->offset);
		CU_ASSERT(s->by_id ? memcmp(p->key.topic->id, id, sizeof id) == 0 :
		    span_eq(p->key.topic->name, name));
	}
	CU_ASSERT(i == s->n);
}

/* All sessions of the model are there, and no others. */
static void
same(struct model *m)
{
	size_t n_partitions = 0, bytes = 0;

	CU_ASSERT_FATAL(m->all.by_id.n == m->n);
	for (size_t i = 0; i < m->n; i++) {
		struct fetch_session *session = map_get(&m->all.by_id, span_of(&m->s[i].id, sizeof m->s[i].id));

		CU_ASSERT_FATAL(session != NULL && session->epoch == m->s[i].epoch);
		same_partitions(session, &m->s[i]);
		n_partitions += m->s[i].n;
		bytes += session->bytes;
	}
	CU_ASSERT(m->all.n_partitions == n_partitions && m->all.bytes == bytes);
	CU_ASSERT(m->all.n_evicted == m->n_evicted);
}

static void
step_full(struct model *m)
{
	struct model_session s = { .epoch = 1, .by_id = draw(m, 2) == 0, .created_ms = m->now_ms };
	struct fetch_session *session;
	struct sent sent;
	size_t n = draw(m, NAMED_MAX + 1), victim = m->n;

	begin(&sent, 0, 0);
	for (size_t i = 0; i < n; i++) {
		int topic = (int)draw(m, TOPICS);
		int32_t number = (int32_t)draw(m, NUMBERS);

		/* Here sizes are to be known beforehand. */
		if (find(&s, topic, number) == s.n) {
			add(&sent, topic, number, (int64_t)i);
			model_put(&s, topic, number, (int64_t)i);
		}
	}
	if (m->n == SLOTS && (victim = model_victim(m, s.n)) < m->n) {
		model_close(m, victim);
		m->n_evicted++;
	}
	session = start(&m->all, &sent, s.by_id, SLOTS, m->now_ms);
	CU_ASSERT_FATAL((session == NULL) == (m->n == SLOTS));
	if (session == NULL)
		return;
	s.id = session->id;
	model_use(m, &s);
	answer(m, session, &s, true);
	m->s[m->n++] = s;
}

static void
step_incremental(struct model *m)
{
	size_t i = draw(m, m->n), n = draw(m, 4), n_left_out = draw(m, 4);
	struct model_session *s = &m->s[i];
	bool right = draw(m, 8) > 0, by_id = draw(m, 16) > 0 ? s->by_id : !s->by_id;
	struct fetch_session *session = NULL;
	enum kafka_error error;
	struct sent sent;

	begin(&sent, s->id, right ? s->epoch : s->epoch + 1);
	error = fetch_sessions_find(&m->all, &sent.q, by_id, &session);
	CU_ASSERT(error == (!right ? KAFKA_INVALID_FETCH_SESSION_EPOCH : by_id != s->by_id ?
	    KAFKA_FETCH_SESSION_TOPIC_ID_ERROR : KAFKA_NONE));
	if (error != KAFKA_NONE)
		return;
	for (; n > 0; n--) {
		int topic = (int)draw(m, TOPICS);
		int32_t number = (int32_t)draw(m, NUMBERS);

		add(&sent, topic, number, (int64_t)m->uses);
		model_put(s, topic, number, (int64_t)m->uses);
	}
	for (; n_left_out > 0; n_left_out--) {
		int topic = (int)draw(m, TOPICS);
		int32_t number = (int32_t)draw(m, NUMBERS);

		leave_out(&sent, topic, number);
		model_forget(s, find(s, topic, number));
	}
	CU_ASSERT(fetch_session_update(&m->all, &session, &sent.q, m->now_ms) == KAFKA_NONE);
	CU_ASSERT_FATAL((session == NULL) == (s->n == 0));
	if (session == NULL) {
		model_close(m, i);
		return;
	}
	s->epoch++;
	model_use(m, s);
	same_partitions(session, s);
	answer(m, session, s, false);
}

static void
any_sequence_is_as_a_model_says(void)
{
	static struct model m;

	for (uint64_t seed = 1; seed <= 4; seed++) {
		m = (struct model){ .random = seed };
		fetch_sessions_init(&m.all, seed, count_closed);
		for (int i = 0; i < STEPS / 4; i++) {
			size_t what = draw(&m, 20);

			if (what == 0)
				m.now_ms += OLD;
			m.now_ms += (int64_t)draw(&m, OLD / 4);
			if (what < 6 || m.n == 0)
				step_full(&m);
			else if (what < 7) {
				size_t gone = draw(&m, m.n);

				fetch_sessions_close(&m.all, m.s[gone].id);
				model_close(&m, gone);
			} else
				step_incremental(&m);
			same(&m);
		}
		CU_ASSERT(m.n_evicted > 50);
		fetch_sessions_done(&m.all);
		CU_ASSERT(m.all.bytes == 0);
	}
}

const struct unit_test fetch_sessions_tests[] = {
	UNIT(an_unknown_id_another_epoch_or_other_names_are_refused),
	UNIT(the_epoch_goes_from_the_last_to_1),
	UNIT(told_is_what_has_changed),
	UNIT(an_error_is_told_while_it_lasts_and_when_it_ends),
	UNIT(a_session_without_partitions_ends),
	UNIT(what_is_held_outlives_its_end_and_tells_it),
	UNIT(partitions_of_one_and_memory_of_all_are_bounded),
	UNIT(any_sequence_is_as_a_model_says),
	UNIT_END,
};
