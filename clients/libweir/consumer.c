/* consumer.c -- reads records from Kafka, as a member of a group or alone. */
#include "libweir/consumer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "libweir/error.h"

enum {
	CALL_MS = 10000,        /* of calls that ask the broker and have no timeout of their own */
	CLOSE_MS = 5000,        /* to commit and to leave the group */
	STEP_MS = 10,
	NOTE_MAX = INT16_MAX,   /* of the note that goes with a commit: what the protocol has room for */
	PATTERN_MAX = 1000,
	REPEATS_MAX = 1000
};

/* Where the partitions come from. */
enum source { NOWHERE, SUBSCRIPTION, ASSIGNMENT };

struct weir_consumer {
	rd_kafka_t *rk;
	enum source source;
	pthread_mutex_t lock; /* of its end */
	pthread_cond_t ended;
	bool over, left;      /* it has ended; nobody waits for that any more */
};

static const char exclusive[] = "Subscription to topics, partitions and pattern are mutually exclusive";

struct weir_consumer *
weir_consumer_new(const struct weir_setting *settings, size_t n, struct weir_error *why)
{
	/* Little is fetched ahead: there may be hundreds of consumers in a process. */
	static const struct weir_setting own[] = {
		{ "auto.offset.reset", "latest" },
		{ "enable.auto.offset.store", "false" }, /* weir_message_done() does that */
		{ "queued.max.messages.kbytes", "2048" },
		{ "queued.min.messages", "1000" },
		{ "fetch.wait.max.ms", "500" },
		{ "fetch.error.backoff.ms", "100" },
		{ "reconnect.backoff.max.ms", "1000" },
		{ "topic.metadata.refresh.interval.ms", "30000" },
		/* Also how long a commit waits for a group's coordinator that is away. */
		{ "coordinator.query.interval.ms", "5000" },
	};
	struct weir_consumer *c = calloc(1, sizeof *c);

	if (c == NULL) {
		error_say(why, WEIR_NO_MEMORY, "Out of memory");
		return NULL;
	}
	c->rk = client_new(RD_KAFKA_CONSUMER, own, sizeof own / sizeof *own, settings, n, NULL, NULL, why);
	if (c->rk == NULL) {
		free(c);
		return NULL;
	}
	rd_kafka_poll_set_consumer(c->rk);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->ended, NULL);
	return c;
}

static void
destroy(struct weir_consumer *c)
{
	pthread_cond_destroy(&c->ended);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* Commits, leaves the group, ends; then frees it, or tells who waits. */
static void *
end(void *arg)
{
	struct weir_consumer *c = arg;
	bool left;

	rd_kafka_consumer_close(c->rk);
	rd_kafka_destroy(c->rk);
	pthread_mutex_lock(&c->lock);
	c->over = true;
	left = c->left;
	pthread_cond_signal(&c->ended);
	pthread_mutex_unlock(&c->lock);
	if (left)
		destroy(c);
	return NULL;
}

/* Waits for the end, so long; whether it came. */
static bool
await_end(struct weir_consumer *c, int ms)
{
	struct timespec until;
	bool over;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	pthread_mutex_lock(&c->lock);
	while (!c->over && pthread_cond_timedwait(&c->ended, &c->lock, &until) == 0)
		continue;
	over = c->over;
	c->left = !over;
	pthread_mutex_unlock(&c->lock);
	return over;
}

void
weir_consumer_free(struct weir_consumer *c)
{
	pthread_t thread;

	if (c == NULL)
		return;
	/*
	 * By a thread of its own: without a broker librdkafka keeps what is to be committed until the group's
	 * session has ended, for which nobody shall wait.
	 */
	if (pthread_create(&thread, NULL, end, c) != 0) {
		end(c);
		destroy(c);
	} else if (await_end(c, CLOSE_MS)) {
		pthread_join(thread, NULL);
		destroy(c);
	} else
		pthread_detach(thread);
}

/* ---- what is read ---- */

static bool
take_error(struct weir_error *why, rd_kafka_resp_err_t e)
{
	error_set(why, e, NULL);
	return e == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Only one source at a time. */
static bool
may_use(const struct weir_consumer *c, enum source source, struct weir_error *why)
{
	if (c->source == NOWHERE || c->source == source)
		return true;
	error_say(why, WEIR_ILLEGAL_STATE, "%s", exclusive);
	return false;
}

static bool
subscribe(struct weir_consumer *c, rd_kafka_topic_partition_list_t *topics, struct weir_error *why)
{
	bool good = take_error(why, rd_kafka_subscribe(c->rk, topics));

	rd_kafka_topic_partition_list_destroy(topics);
	if (good)
		c->source = SUBSCRIPTION;
	return good;
}

bool
weir_subscribe(struct weir_consumer *c, const char *const *topics, size_t n, struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *list;

	if (!may_use(c, SUBSCRIPTION, why))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!client_check_topic(topics[i], why))
			return false;
	if (n == 0)
		return weir_unsubscribe(c, why);
	list = rd_kafka_topic_partition_list_new((int)n);
	for (size_t i = 0; i < n; i++)
		rd_kafka_topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
	return subscribe(c, list, why);
}

/*
 * Whether an expression can be compiled and matched in bounded time and memory: with intervals in each other, {9},
 * it grows with their product; with what was matched before, \1, matching may never end.
 */
static bool
is_harmless(const char *pattern)
{
	long repeats = 1;

	for (const char *p = pattern; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0') {
			if (*++p >= '0' && *p <= '9')
				return false;
		} else if (*p == '{') {
			long least = strtol(p + 1, NULL, 10);
			const char *comma = p + 1 + strcspn(p + 1, ",}");
			long most = *comma == ',' ? strtol(comma + 1, NULL, 10) : least;

			if (least < 0 || most < 0 || least > REPEATS_MAX || most > REPEATS_MAX)
				return false;
			repeats *= (most > least ? most : least) + 1;
			if (repeats > REPEATS_MAX)
				return false;
		}
	}
	return strlen(pattern) <= PATTERN_MAX;
}

bool
weir_subscribe_pattern(struct weir_consumer *c, const char *pattern, struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *list;
	struct buf whole = { 0 };
	bool good = false;

	if (!may_use(c, SUBSCRIPTION, why))
		return false;
	if (!is_harmless(pattern)) {
		error_say(why, WEIR_INVALID, "The pattern is too long, repeats too often, or refers to what it has matched");
		return false;
	}
	/* librdkafka takes what begins with ^ as a pattern, and matches it anywhere. */
	buf_printf(&whole, "^(%s)$", pattern);
	buf_u8(&whole, '\0');
	if (whole.failed)
		error_say(why, WEIR_NO_MEMORY, "Out of memory");
	else {
		list = rd_kafka_topic_partition_list_new(1);
		rd_kafka_topic_partition_list_add(list, (const char *)whole.p, RD_KAFKA_PARTITION_UA);
		good = subscribe(c, list, why);
	}
	buf_done(&whole);
	return good;
}

bool
weir_unsubscribe(struct weir_consumer *c, struct weir_error *why)
{
	bool good = c->source == ASSIGNMENT ? take_error(why, rd_kafka_assign(c->rk, NULL))
					    : take_error(why, rd_kafka_unsubscribe(c->rk));

	if (good)
		c->source = NOWHERE;
	return good;
}

static bool
is_in(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

/* A pattern is told as the topics of the partitions that it led to. */
bool
weir_subscription(struct weir_consumer *c, struct arena *a, const char ***topics, size_t *n)
{
	rd_kafka_topic_partition_list_t *said = NULL, *given = NULL, *from;
	bool good = true;

	*n = 0;
	*topics = NULL;
	if (c->source != SUBSCRIPTION || rd_kafka_subscription(c->rk, &said) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return true;
	from = said;
	if (said->cnt == 1 && said->elems[0].topic[0] == '^' &&
	    rd_kafka_assignment(c->rk, &given) == RD_KAFKA_RESP_ERR_NO_ERROR)
		from = given;
	good = from->cnt == 0 || (*topics = arena_array(a, (size_t)from->cnt, sizeof **topics)) != NULL;
	for (int i = 0; good && i < from->cnt; i++) {
		const char *name = from->elems[i].topic;

		if (is_in(*topics, *n, name))
			continue;
		(*topics)[*n] = arena_copy(a, name, strlen(name) + 1);
		good = (*topics)[(*n)++] != NULL;
	}
	rd_kafka_topic_partition_list_destroy(said);
	if (given != NULL)
		rd_kafka_topic_partition_list_destroy(given);
	return good;
}

/* ---- lists of partitions ---- */

/* Whether all can be asked for: a name or a note that is too long would break the request. */
static bool
are_sound(const struct weir_offset *offsets, size_t n, struct weir_error *why)
{
	for (size_t i = 0; i < n; i++) {
		if (!client_check_topic(offsets[i].topic, why))
			return false;
		if (offsets[i].metadata != NULL && strlen(offsets[i].metadata) > NOTE_MAX) {
			error_set(why, RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, NULL);
			return false;
		}
	}
	return true;
}

static rd_kafka_topic_partition_list_t *
make_list(const struct weir_offset *offsets, size_t n)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);

	for (size_t i = 0; i < n; i++) {
		rd_kafka_topic_partition_t *p =
		    rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition);
		size_t size = offsets[i].metadata == NULL ? 0 : strlen(offsets[i].metadata);

		p->offset = offsets[i].offset;
		/* librdkafka frees it. */
		if (size > 0 && (p->metadata = malloc(size)) != NULL) {
			memcpy(p->metadata, offsets[i].metadata, size);
			p->metadata_size = size;
		}
	}
	return list;
}

bool
weir_assign(struct weir_consumer *c, const struct weir_offset *partitions, size_t n, struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *list;
	bool good;

	if (!may_use(c, ASSIGNMENT, why) || !are_sound(partitions, n, why))
		return false;
	list = make_list(partitions, n);
	good = take_error(why, rd_kafka_assign(c->rk, n == 0 ? NULL : list));
	rd_kafka_topic_partition_list_destroy(list);
	if (good)
		c->source = n == 0 ? NOWHERE : ASSIGNMENT;
	return good;
}

static bool
copy_list(struct arena *a, const rd_kafka_topic_partition_list_t *list, struct weir_offset **out, size_t *n)
{
	*n = 0;
	*out = arena_array(a, (size_t)list->cnt, sizeof **out);
	if (*out == NULL && list->cnt > 0)
		return false;
	for (int i = 0; i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *p = &list->elems[i];
		const char *topic = arena_copy(a, p->topic, strlen(p->topic) + 1);

		if (topic == NULL)
			return false;
		(*out)[(*n)++] = (struct weir_offset){ topic, p->partition, p->offset, NULL };
	}
	return true;
}

bool
weir_assignment(struct weir_consumer *c, struct arena *a, struct weir_offset **out, size_t *n)
{
	rd_kafka_topic_partition_list_t *list = NULL;
	bool good = true;

	*n = 0;
	*out = NULL;
	if (rd_kafka_assignment(c->rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return true;
	rd_kafka_topic_partition_list_sort(list, NULL, NULL);
	good = copy_list(a, list, out, n);
	rd_kafka_topic_partition_list_destroy(list);
	return good;
}

static bool
is_assigned(struct weir_consumer *c, const char *topic, int32_t partition)
{
	rd_kafka_topic_partition_list_t *list = NULL;
	bool found;

	if (rd_kafka_assignment(c->rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return false;
	found = rd_kafka_topic_partition_list_find(list, topic, partition) != NULL;
	rd_kafka_topic_partition_list_destroy(list);
	return found;
}

static void
nap(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

bool
weir_seek(struct weir_consumer *c, const char *topic, int32_t partition, int64_t offset, struct weir_error *why)
{
	struct weir_offset to = { topic, partition, offset, NULL };
	rd_kafka_topic_partition_list_t *list;
	bool good;

	if (!is_assigned(c, topic, partition)) {
		error_say(why, WEIR_ILLEGAL_STATE, "No current assignment for partition %s-%d", topic, (int)partition);
		return false;
	}
	list = make_list(&to, 1);
	/* One that was assigned just now can't be moved until the client knows where it would begin. */
	for (int ms = 0;; ms += STEP_MS) {
		good = !error_take(why, rd_kafka_seek_partitions(c->rk, list, CALL_MS));
		if (!good || list->elems[0].err != RD_KAFKA_RESP_ERR__STATE || ms >= CALL_MS)
			break;
		nap(STEP_MS);
	}
	if (good && list->elems[0].err == RD_KAFKA_RESP_ERR__STATE)
		good = take_error(why, RD_KAFKA_RESP_ERR__TIMED_OUT);
	else if (good)
		good = take_error(why, list->elems[0].err);
	rd_kafka_topic_partition_list_destroy(list);
	return good;
}

bool
weir_offsets_for_times(struct weir_consumer *c, struct weir_offset *offsets, size_t n, int timeout_ms,
    struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *list;
	bool good;

	if (!are_sound(offsets, n, why))
		return false;
	list = make_list(offsets, n);
	good = take_error(why, rd_kafka_offsets_for_times(c->rk, list, timeout_ms));
	for (size_t i = 0; good && i < n; i++) {
		const rd_kafka_topic_partition_t *p =
		    rd_kafka_topic_partition_list_find(list, offsets[i].topic, offsets[i].partition);

		if ((good = p != NULL && take_error(why, p->err)))
			offsets[i].offset = p->offset < 0 ? WEIR_END : p->offset;
	}
	rd_kafka_topic_partition_list_destroy(list);
	return good;
}

/* ---- reading ---- */

/* Whether an error passes by itself: the client goes on by itself, and whoever reads waits. */
static bool
passes(rd_kafka_resp_err_t e)
{
	switch (e) {
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
	case RD_KAFKA_RESP_ERR__RESOLVE:
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: /* a topic that one subscribes to may be made later */
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
	case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
	case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
		return true;
	default:
		return false;
	}
}

int
weir_poll(struct weir_consumer *c, int timeout_ms, struct weir_message *out, struct weir_error *why)
{
	rd_kafka_timestamp_type_t type;
	rd_kafka_message_t *m;

	if (c->source == NOWHERE) {
		error_say(why, WEIR_ILLEGAL_STATE, "Consumer is not subscribed to any topics or assigned any partitions");
		return -1;
	}
	if ((m = rd_kafka_consumer_poll(c->rk, timeout_ms)) == NULL)
		return 0;
	if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		bool passing = passes(m->err);

		error_set(why, m->err, rd_kafka_message_errstr(m));
		rd_kafka_message_destroy(m);
		return passing ? 0 : -1;
	}
	*out = (struct weir_message){ .topic = rd_kafka_topic_name(m->rkt),
		.partition = m->partition,
		.offset = m->offset,
		.timestamp_ms = rd_kafka_message_timestamp(m, &type),
		.key = span_of(m->key, m->key_len),
		.value = span_of(m->payload, m->len),
		.handle = m };
	return 1;
}

void
weir_message_done(struct weir_message *m, bool consumed)
{
	rd_kafka_message_t *handle = m->handle;

	/* It fails where the partition is no longer ours: then another reads it anew. */
	if (consumed)
		rd_kafka_offset_store(handle->rkt, handle->partition, handle->offset);
	rd_kafka_message_destroy(handle);
	m->handle = NULL;
}

/* ---- committed offsets ---- */

bool
weir_commit(struct weir_consumer *c, const struct weir_offset *offsets, size_t n, struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *list, *answered;
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *event = NULL;
	rd_kafka_resp_err_t e;
	bool good;

	if (!are_sound(offsets, n, why))
		return false;
	/* By a queue of our own, since rd_kafka_commit() waits without end. */
	list = n == 0 ? NULL : make_list(offsets, n);
	queue = rd_kafka_queue_new(c->rk);
	e = rd_kafka_commit_queue(c->rk, list, queue, NULL, NULL);
	if (e == RD_KAFKA_RESP_ERR_NO_ERROR) {
		event = rd_kafka_queue_poll(queue, CALL_MS);
		e = event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
	}
	/* Nothing to commit is no error: all was committed before. */
	good = (n == 0 && e == RD_KAFKA_RESP_ERR__NO_OFFSET) || take_error(why, e);
	answered = event == NULL ? NULL : rd_kafka_event_topic_partition_list(event);
	for (int i = 0; good && answered != NULL && i < answered->cnt; i++)
		good = take_error(why, answered->elems[i].err);
	if (event != NULL)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	if (list != NULL)
		rd_kafka_topic_partition_list_destroy(list);
	return good;
}

bool
weir_committed(struct weir_consumer *c, struct arena *a, struct weir_offset *offsets, size_t n, int timeout_ms,
    struct weir_error *why)
{
	rd_kafka_topic_partition_list_t *list;
	bool good;

	if (!are_sound(offsets, n, why))
		return false;
	list = make_list(offsets, n);
	good = take_error(why, rd_kafka_committed(c->rk, list, timeout_ms));
	for (size_t i = 0; good && i < n; i++) {
		const rd_kafka_topic_partition_t *p =
		    rd_kafka_topic_partition_list_find(list, offsets[i].topic, offsets[i].partition);
		char *note;

		if (!(good = p != NULL && take_error(why, p->err)))
			break;
		offsets[i].offset = p->offset < 0 ? WEIR_NO_OFFSET : p->offset;
		if ((note = arena_alloc(a, p->metadata_size + 1)) == NULL) {
			error_say(why, WEIR_NO_MEMORY, "Out of memory");
			good = false;
		} else if (p->metadata_size > 0)
			memcpy(note, p->metadata, p->metadata_size);
		offsets[i].metadata = note;
	}
	rd_kafka_topic_partition_list_destroy(list);
	return good;
}
