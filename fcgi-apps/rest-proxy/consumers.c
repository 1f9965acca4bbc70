/* consumers.c -- the consumer instances of this process. */
#include "rest-proxy/consumers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/list.h"
#include "base/map.h"
#include "base/monotonic.h"
#include "base/must.h"
#include "base/xalloc.h"

enum { SWEEP_MS = 1000, SLACK_MS = 60000 };

struct entry {
	struct instance instance;
	pthread_mutex_t in_use;  /* held by the request that has it */
	int users;               /* who has it or waits for it; under the table's lock */
	bool gone;               /* deleted or expired: who waits finds nothing */
	int64_t used_ms;         /* when it was given back last */
	struct list dying;       /* taken out, to be ended by the sweeper */
	struct span key;
	char bytes[];            /* group, zero, name */
};

struct consumers {
	struct consumers_settings settings;
	pthread_mutex_t lock;
	pthread_cond_t changed;  /* to end, or somebody waits to be ended */
	struct map entries;
	size_t making;           /* on their way into the table */
	struct list dead;        /* of struct entry, by `dying`: nobody uses them any more */
	bool stopping;
	pthread_t sweeper;
};

static void
end_entry(struct entry *e)
{
	weir_consumer_free(e->instance.consumer);
	pthread_mutex_destroy(&e->in_use);
	free(e);
}

/* Takes an entry out of the table; it is ended when nobody uses it any more.  The lock is held. */
static void
take_out(struct consumers *c, struct entry *e)
{
	map_del(&c->entries, e->key);
	e->gone = true;
	if (e->users > 0)
		return;
	list_add(&c->dead, &e->dying);
	pthread_cond_signal(&c->changed);
}

/* Ends those that are dead, without the lock: leaving a group takes its time. */
static void
bury(struct consumers *c)
{
	struct entry *e;

	while ((e = list_first(&c->dead, struct entry, dying)) != NULL) {
		list_del(&e->dying);
		pthread_mutex_unlock(&c->lock);
		end_entry(e);
		pthread_mutex_lock(&c->lock);
	}
}

static void
expire(struct consumers *c)
{
	int64_t now = monotonic_ms();
	struct entry **old = xcalloc(c->entries.n, sizeof *old), *e;
	size_t it = 0, n = 0;

	while ((e = map_next(&c->entries, &it)) != NULL)
		if (e->users == 0 && now - e->used_ms >= c->settings.instance_timeout_ms)
			old[n++] = e;
	for (size_t i = 0; i < n; i++)
		take_out(c, old[i]);
	free(old);
}

static void *
sweep(void *arg)
{
	struct consumers *c = arg;

	pthread_mutex_lock(&c->lock);
	while (!c->stopping) {
		struct timespec until;

		expire(c);
		bury(c);
		until = monotonic_in(SWEEP_MS);
		if (!c->stopping && list_empty(&c->dead))
			pthread_cond_timedwait(&c->changed, &c->lock, &until);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

struct consumers *
consumers_new(const struct consumers_settings *settings)
{
	struct consumers *c = xcalloc(1, sizeof *c);

	c->settings = *settings;
	list_init(&c->dead);
	pthread_mutex_init(&c->lock, NULL);
	monotonic_cond_init(&c->changed);
	must(pthread_create(&c->sweeper, NULL, sweep, c) == 0);
	return c;
}

static void *
end_one(void *arg)
{
	end_entry(arg);
	return NULL;
}

/* All at once, since each waits for the broker. */
static void
end_all(struct consumers *c)
{
	size_t n = c->entries.n, it = 0, started = 0;
	pthread_t *threads = xcalloc(n, sizeof *threads);
	struct entry *e;

	while ((e = map_next(&c->entries, &it)) != NULL) {
		if (pthread_create(&threads[started], NULL, end_one, e) == 0)
			started++;
		else
			end_entry(e);
	}
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(threads);
}

void
consumers_free(struct consumers *c)
{
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->sweeper, NULL);
	pthread_mutex_lock(&c->lock);
	bury(c);
	pthread_mutex_unlock(&c->lock);
	end_all(c);
	map_done(&c->entries);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

const struct consumers_settings *
consumers_get_settings(const struct consumers *c)
{
	return &c->settings;
}

static struct span
put_key(struct buf *to, struct span group, struct span name)
{
	buf_span(to, group);
	buf_u8(to, 0);
	buf_span(to, name);
	must(!to->failed);
	return buf_bytes(to);
}

/* The lock is held. */
static struct entry *
find(const struct consumers *c, struct span group, struct span name)
{
	struct buf key = { 0 };
	struct entry *e = map_get(&c->entries, put_key(&key, group, name));

	buf_done(&key);
	return e;
}

/* The settings of one consumer: those of all, its group, what its request said. */
static struct weir_consumer *
make_consumer(const struct consumers *c, const char *group, const struct instance_options *o, struct weir_error *why)
{
	struct weir_setting *list = xcalloc(c->settings.n_kafka + 6, sizeof *list);
	struct weir_consumer *made;
	char interval[16];
	size_t n = 0;

	/* Our own clock ends instances that nobody uses: the group's shall not be faster. */
	snprintf(interval, sizeof interval, "%lld",
	    (long long)c->settings.instance_timeout_ms + SLACK_MS > 86400000
		? 86400000LL
		: (long long)c->settings.instance_timeout_ms + SLACK_MS);
	list[n++] = (struct weir_setting){ "max.poll.interval.ms", interval };
	/* So long what a process that was killed has read is nobody's. */
	list[n++] = (struct weir_setting){ "session.timeout.ms", "10000" };
	for (size_t i = 0; i < c->settings.n_kafka; i++)
		list[n++] = c->settings.kafka[i];
	list[n++] = (struct weir_setting){ "group.id", group };
	/* What Java's client calls none is an error to librdkafka. */
	if (o->auto_offset_reset != NULL)
		list[n++] = (struct weir_setting){ "auto.offset.reset",
			strcmp(o->auto_offset_reset, "none") == 0 ? "error" : o->auto_offset_reset };
	if (o->auto_commit_enable != NULL)
		list[n++] = (struct weir_setting){ "enable.auto.commit", o->auto_commit_enable };
	made = weir_consumer_new(list, n, why);
	free(list);
	return made;
}

/* Room for one more, which nobody else has meanwhile; the lock is held. */
static enum consumers_result
reserve(struct consumers *c, struct span group, struct span name)
{
	if (find(c, group, name) != NULL)
		return CONSUMERS_EXISTS;
	if (c->entries.n + c->making >= (size_t)c->settings.max)
		return CONSUMERS_TOO_MANY;
	c->making++;
	return CONSUMERS_OK;
}

static struct entry *
make_entry(struct consumers *c, struct span group, struct span name, const struct instance_options *o,
    struct weir_error *why)
{
	struct entry *e = xcalloc(1, sizeof *e + group.n + name.n + 1);
	struct buf key = { 0 };

	put_key(&key, group, name);
	memcpy(e->bytes, key.p, key.n);
	e->key = span_of(e->bytes, key.n);
	buf_done(&key);
	e->instance = (struct instance){ .consumers = c, .format = o->format, .request_timeout_ms = o->request_timeout_ms,
		.min_bytes = o->min_bytes };
	list_init(&e->dying);
	pthread_mutex_init(&e->in_use, NULL);
	/* The group's name ends with the zero between. */
	if ((e->instance.consumer = make_consumer(c, e->bytes, o, why)) != NULL)
		return e;
	pthread_mutex_destroy(&e->in_use);
	free(e);
	return NULL;
}

enum consumers_result
consumers_create(struct consumers *c, struct span group, struct span name, const struct instance_options *o,
    struct weir_error *why)
{
	enum consumers_result r;
	struct entry *e;

	pthread_mutex_lock(&c->lock);
	r = reserve(c, group, name);
	pthread_mutex_unlock(&c->lock);
	if (r != CONSUMERS_OK)
		return r;
	e = make_entry(c, group, name, o, why);
	pthread_mutex_lock(&c->lock);
	c->making--;
	if (e == NULL)
		r = CONSUMERS_REFUSED;
	else if (find(c, group, name) != NULL)
		r = CONSUMERS_EXISTS; /* somebody was faster */
	else {
		e->used_ms = monotonic_ms();
		must(map_put(&c->entries, e->key, e));
	}
	pthread_mutex_unlock(&c->lock);
	if (r == CONSUMERS_EXISTS)
		end_entry(e);
	return r;
}

/* One user less; the lock is held. */
static void
leave(struct consumers *c, struct entry *e)
{
	e->used_ms = monotonic_ms();
	if (--e->users > 0 || !e->gone)
		return;
	list_add(&c->dead, &e->dying);
	pthread_cond_signal(&c->changed);
}

struct instance *
consumers_take(struct consumers *c, struct span group, struct span name)
{
	struct entry *e;
	bool gone;

	pthread_mutex_lock(&c->lock);
	if ((e = find(c, group, name)) != NULL)
		e->users++;
	pthread_mutex_unlock(&c->lock);
	if (e == NULL)
		return NULL;
	pthread_mutex_lock(&e->in_use);
	pthread_mutex_lock(&c->lock);
	if ((gone = e->gone)) {
		pthread_mutex_unlock(&e->in_use);
		leave(c, e);
	}
	pthread_mutex_unlock(&c->lock);
	return gone ? NULL : &e->instance;
}

void
consumers_return(struct instance *i)
{
	struct entry *e = container_of(i, struct entry, instance);
	struct consumers *c = i->consumers;

	pthread_mutex_unlock(&e->in_use);
	pthread_mutex_lock(&c->lock);
	leave(c, e);
	pthread_mutex_unlock(&c->lock);
}

bool
consumers_delete(struct consumers *c, struct span group, struct span name)
{
	struct instance *i = consumers_take(c, group, name);
	struct entry *e;

	if (i == NULL)
		return false;
	e = container_of(i, struct entry, instance);
	pthread_mutex_lock(&c->lock);
	map_del(&c->entries, e->key);
	e->gone = true;
	pthread_mutex_unlock(&c->lock);
	/* At once, so that the group has it no more when the answer is there. */
	weir_consumer_free(i->consumer);
	i->consumer = NULL;
	consumers_return(i);
	return true;
}

size_t
consumers_count(struct consumers *c)
{
	size_t n;

	pthread_mutex_lock(&c->lock);
	n = c->entries.n;
	pthread_mutex_unlock(&c->lock);
	return n;
}
