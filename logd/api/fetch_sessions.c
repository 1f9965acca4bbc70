/* fetch_sessions.c -- fetch sessions (KIP-227): what a consumer fetches, kept between its requests. */
#include "api/fetch_sessions.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/xalloc.h"

/* Epochs of requests that name all their partitions. */
enum { FULL_NEW = 0, FULL_WITHOUT = -1 };

void
fetch_sessions_init(struct fetch_sessions *all, uint64_t seed, void (*closed)(void *fetch))
{
	*all = (struct fetch_sessions){ .random = seed, .closed = closed };
	list_init(&all->by_use);
}

static struct span
id_key(const struct fetch_session *s)
{
	return span_of(&s->id, sizeof s->id);
}

static struct fetch_session *
get(const struct fetch_sessions *all, int32_t id)
{
	return map_get(&all->by_id, span_of(&id, sizeof id));
}

/* Positive, and no other session's (splitmix64). */
static int32_t
new_id(struct fetch_sessions *all)
{
	uint64_t z;
	int32_t id;

	do {
		z = all->random += 0x9e3779b97f4a7c15;
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		id = (int32_t)((z ^ z >> 31) & INT32_MAX);
	} while (id == 0 || get(all, id) != NULL);
	return id;
}

static int32_t
next_epoch(int32_t epoch)
{
	return epoch == INT32_MAX ? 1 : epoch + 1;
}

/* ---- memory ---- */

static size_t
measure(const struct fetch_session *s)
{
	return sizeof *s + s->by_key.n * sizeof(struct fetched_partition) +
	    s->topics.n * sizeof(struct fetched_topic) + s->name_bytes +
	    (s->by_key.cap + s->topics.cap) * sizeof(struct map_slot);
}

/* What it will take, or a little more, before there is anything of it. */
static size_t
estimate(const struct wire_fetch_request *q, bool by_id)
{
	/* A map has 8 slots or more, and up to 8/3 for each of its entries. */
	size_t slots = 3 * sizeof(struct map_slot), n = sizeof(struct fetch_session) + 2 * 8 * sizeof(struct map_slot);

	for (size_t i = 0; i < q->n_topics; i++)
		n += sizeof(struct fetched_topic) + slots + (by_id ? 0 : q->topics[i].topic.n) +
		    q->topics[i].n_partitions * (sizeof(struct fetched_partition) + slots);
	return n;
}

static void
count_bytes(struct fetch_sessions *all, struct fetch_session *s)
{
	size_t now = measure(s);

	all->bytes += now - s->bytes;
	s->bytes = now;
}

static void
free_topic(struct fetched_topic *t)
{
	free((void *)(uintptr_t)t->name.p);
	free(t);
}

static void
free_session(struct fetch_session *s)
{
	struct fetched_topic *t;
	size_t it = 0;

	while ((t = map_next(&s->topics, &it)) != NULL)
		free_topic(t);
	list_each(link, &s->partitions)
		free(container_of(link, struct fetched_partition, link));
	map_done(&s->topics);
	map_done(&s->by_key);
	free(s);
}

/* ---- the life of a session ---- */

static void
close_session(struct fetch_sessions *all, struct fetch_session *s)
{
	map_del(&all->by_id, id_key(s));
	list_del(&s->use);
	heap_del(&all->by_size, &s->evictable);
	all->n_partitions -= s->by_key.n;
	all->bytes -= s->bytes;
	s->closed = true;
	if (s->fetch == NULL)
		free_session(s);
	else
		all->closed(s->fetch);
}

void
fetch_sessions_close(struct fetch_sessions *all, int32_t id)
{
	struct fetch_session *s = get(all, id);

	if (s != NULL)
		close_session(all, s);
}

void
fetch_sessions_done(struct fetch_sessions *all)
{
	while (!list_empty(&all->by_use)) {
		struct fetch_session *s = list_first(&all->by_use, struct fetch_session, use);

		must(s->fetch == NULL);
		close_session(all, s);
	}
	map_done(&all->by_id);
	heap_done(&all->by_size);
}

void
fetch_session_hold(struct fetch_session *s, void *fetch)
{
	must(s->fetch == NULL && fetch != NULL);
	s->fetch = fetch;
}

void
fetch_session_let_go(struct fetch_session *s)
{
	s->fetch = NULL;
	if (s->closed)
		free_session(s);
}

/* By rising size, and among equals by id. */
static int64_t
size_key(size_t n_partitions, int32_t id)
{
	return (int64_t)n_partitions << 32 | id;
}

static void
touch(struct fetch_sessions *all, struct fetch_session *s, int64_t now_ms)
{
	s->used_ms = now_ms;
	list_del(&s->use);
	list_add(&all->by_use, &s->use);
	if (now_ms - s->created_ms > FETCH_SESSION_UNUSED_MS)
		must_fit(heap_put(&all->by_size, &s->evictable, size_key(s->by_key.n, s->id)));
}

/* Makes room for one of this size.  False: no session may go for its sake. */
static bool
evict(struct fetch_sessions *all, size_t n_partitions, int64_t now_ms)
{
	struct fetch_session *s = list_first(&all->by_use, struct fetch_session, use);
	struct heap_node *smallest = heap_min(&all->by_size);

	if (s == NULL)
		return false;
	if (now_ms - s->used_ms <= FETCH_SESSION_UNUSED_MS) {
		if (smallest == NULL || size_key(n_partitions, 0) < smallest->key)
			return false;
		s = container_of(smallest, struct fetch_session, evictable);
	}
	all->n_evicted++;
	close_session(all, s);
	return true;
}

static size_t
count_partitions(const struct wire_fetch_request *q)
{
	size_t n = 0;

	for (size_t i = 0; i < q->n_topics; i++)
		n += q->topics[i].n_partitions;
	return n;
}

struct fetch_session *
fetch_sessions_new(struct fetch_sessions *all, const struct wire_fetch_request *q, bool by_id,
    size_t slots, int64_t now_ms)
{
	size_t n_partitions = count_partitions(q), bytes = estimate(q, by_id);
	struct fetch_session *s;

	if (slots == 0 || n_partitions > FETCH_SESSION_PARTITIONS_MAX || bytes > FETCH_SESSIONS_BYTES_MAX)
		return NULL;
	while (all->by_id.n >= slots || all->bytes + bytes > FETCH_SESSIONS_BYTES_MAX)
		if (!evict(all, n_partitions, now_ms))
			return NULL;
	s = xcalloc(1, sizeof *s);
	s->id = new_id(all);
	s->epoch = next_epoch(FULL_NEW);
	s->by_id = by_id;
	s->created_ms = now_ms;
	list_init(&s->partitions);
	list_init(&s->use);
	must_fit(map_put(&all->by_id, id_key(s), s));
	touch(all, s, now_ms);
	count_bytes(all, s);
	return s;
}

/* ---- its partitions ---- */

static struct span
topic_key(bool by_id, struct span name, const uint8_t id[16])
{
	return by_id ? span_of(id, 16) : name;
}

static struct fetched_topic *
find_topic(struct fetch_session *s, struct span name, const uint8_t id[16])
{
	struct span key = topic_key(s->by_id, name, id);
	struct fetched_topic *t;

	/* Requests name the partitions of a topic one after another. */
	if (s->last != NULL && span_eq(topic_key(s->by_id, s->last->name, s->last->id), key))
		return s->last;
	if ((t = map_get(&s->topics, key)) != NULL)
		return s->last = t;
	t = xcalloc(1, sizeof *t);
	if (s->by_id)
		memcpy(t->id, id, sizeof t->id);
	else {
		t->name = span_of(xmemdup(name.p, name.n), name.n);
		s->name_bytes += name.n;
	}
	must_fit(map_put(&s->topics, topic_key(s->by_id, t->name, t->id), t));
	return s->last = t;
}

void
fetch_session_name(struct fetch_sessions *all, struct fetch_session *s, struct fetched_topic *t,
    struct span name)
{
	must(s->by_id && t->name.p == NULL);
	t->name = span_of(xmemdup(name.p, name.n), name.n);
	s->name_bytes += name.n;
	if (!s->closed)
		count_bytes(all, s);
}

static struct span
partition_key(const struct fetched_partition_key *k)
{
	_Static_assert(offsetof(struct fetched_partition_key, number) == sizeof k->topic,
	    "nothing lies between what is hashed");

	return span_of(k, sizeof k->topic + sizeof k->number);
}

struct fetched_partition *
fetch_session_put(struct fetch_sessions *all, struct fetch_session *s,
    struct span name, const uint8_t id[16], const struct wire_fetch_request_partition *asked)
{
	struct fetched_partition_key key = { find_topic(s, name, id), asked->partition };
	struct fetched_partition *p = map_get(&s->by_key, partition_key(&key));

	if (p == NULL) {
		p = xcalloc(1, sizeof *p);
		p->key = key;
		p->high_watermark = p->last_stable_offset = p->log_start_offset = -1;
		list_add(&s->partitions, &p->link);
		must_fit(map_put(&s->by_key, partition_key(&p->key), p));
		key.topic->n_partitions++;
		all->n_partitions++;
		count_bytes(all, s);
	}
	p->asked = *asked;
	return s->by_key.n > FETCH_SESSION_PARTITIONS_MAX || all->bytes > FETCH_SESSIONS_BYTES_MAX ? NULL : p;
}

static void
forget(struct fetch_sessions *all, struct fetch_session *s,
    const struct wire_fetch_request_forgotten_topic *topic, int32_t number)
{
	struct fetched_topic *t = map_get(&s->topics, topic_key(s->by_id, topic->topic, topic->topic_id));
	struct fetched_partition_key key = { t, number };
	struct fetched_partition *p = map_del(&s->by_key, partition_key(&key));

	if (p == NULL)
		return;
	list_del(&p->link);
	free(p);
	all->n_partitions--;
	if (--t->n_partitions > 0)
		return;
	map_del(&s->topics, topic_key(s->by_id, t->name, t->id));
	if (s->last == t)
		s->last = NULL;
	s->name_bytes -= t->name.n;
	free_topic(t);
}

bool
fetch_session_is_incremental(const struct wire_fetch_request *q)
{
	return q->session_epoch != FULL_NEW && q->session_epoch != FULL_WITHOUT;
}

enum kafka_error
fetch_sessions_find(struct fetch_sessions *all, const struct wire_fetch_request *q, bool by_id,
    struct fetch_session **found)
{
	struct fetch_session *s = get(all, q->session_id);

	if (s == NULL)
		return KAFKA_FETCH_SESSION_ID_NOT_FOUND;
	if (s->epoch != q->session_epoch)
		return KAFKA_INVALID_FETCH_SESSION_EPOCH;
	if (s->by_id != by_id)
		return KAFKA_FETCH_SESSION_TOPIC_ID_ERROR;
	*found = s;
	return KAFKA_NONE;
}

/* False: the session is too large. */
static bool
put_all(struct fetch_sessions *all, struct fetch_session *s, const struct wire_fetch_request *q)
{
	for (size_t i = 0; i < q->n_topics; i++) {
		const struct wire_fetch_request_topic *t = &q->topics[i];

		for (size_t j = 0; j < t->n_partitions; j++)
			if (fetch_session_put(all, s, t->topic, t->topic_id, &t->partitions[j]) == NULL)
				return false;
	}
	return true;
}

static void
forget_all(struct fetch_sessions *all, struct fetch_session *s, const struct wire_fetch_request *q)
{
	for (size_t i = 0; i < q->n_forgotten_topics_data; i++)
		for (size_t j = 0; j < q->forgotten_topics_data[i].n_partitions; j++)
			forget(all, s, &q->forgotten_topics_data[i], q->forgotten_topics_data[i].partitions[j]);
	count_bytes(all, s);
}

enum kafka_error
fetch_session_update(struct fetch_sessions *all, struct fetch_session **session,
    const struct wire_fetch_request *q, int64_t now_ms)
{
	struct fetch_session *s = *session;

	must(s->fetch == NULL);
	if (!put_all(all, s, q)) {
		close_session(all, s);
		return KAFKA_FETCH_SESSION_ID_NOT_FOUND;
	}
	forget_all(all, s, q);
	if (s->by_key.n == 0) {
		close_session(all, s);
		*session = NULL;
		return KAFKA_NONE;
	}
	touch(all, s, now_ms);
	s->epoch = next_epoch(s->epoch);
	return KAFKA_NONE;
}

/* ---- what is answered ---- */

static bool
note(int64_t *known, int64_t now)
{
	bool changed = *known != now;

	*known = now;
	return changed;
}

bool
fetch_session_answer(struct fetched_partition *p, const struct wire_fetch_response_partition *a,
    bool committed)
{
	bool told = a->records.n > 0 || a->error_code != KAFKA_NONE || a->diverging_epoch.epoch != -1;

	told |= note(&p->high_watermark, a->high_watermark);
	told |= note(&p->log_start_offset, a->log_start_offset);
	told |= note(&p->last_stable_offset, a->last_stable_offset) && committed;
	/* So that it is told when the error is over. */
	if (a->error_code != KAFKA_NONE)
		p->high_watermark = -1;
	return told;
}

void
fetch_session_to_end(struct fetch_session *s, struct fetched_partition *p)
{
	list_del(&p->link);
	list_add(&s->partitions, &p->link);
}
