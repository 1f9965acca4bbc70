/*
 * consumer.c -- a consumer's life, and its messages.
 *
 * What it reads is in consumer_source.c, where it goes on in consumer_offsets.c.
 */
#include "libweir/consumer_internal.h"

#include <stdlib.h>

#include "base/monotonic.h"

enum { CLOSE_MS = 5000 }; /* to commit and to leave the group */

struct weir_consumer *
weir_consumer_new(const struct weir_setting *settings, size_t n, struct weir_error *why)
{
	/*
	 * Little is fetched ahead: there may be hundreds of consumers in a process, and a small record takes many
	 * times its size.  A record that is larger than a fetch comes all the same.
	 */
	static const struct weir_setting own[] = {
		{ "auto.offset.reset", "latest" },
		{ "enable.auto.offset.store", "false" }, /* weir_consumed() does that */
		{ "queued.max.messages.kbytes", "2048" },
		{ "queued.min.messages", "1000" },
		{ "fetch.message.max.bytes", "262144" },
		{ "fetch.max.bytes", "1048576" },
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
	positions_init(c);
	pthread_mutex_init(&c->lock, NULL);
	monotonic_cond_init(&c->ended);
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

	/* Else a subscription that waits for the end of the one before would be lost, its memory with it. */
	rd_kafka_unsubscribe(c->rk);
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
	struct timespec until = monotonic_in(ms);
	bool over;

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
	positions_done(c);
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

/* ---- reading ---- */

bool
take_error(struct weir_error *why, rd_kafka_resp_err_t e)
{
	error_set(why, e, NULL);
	return e == RD_KAFKA_RESP_ERR_NO_ERROR;
}

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
	if ((m = positions_take_returned(c)) == NULL && (m = rd_kafka_consumer_poll(c->rk, timeout_ms)) == NULL)
		return 0;
	if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		bool passing = passes(m->err);

		error_set(why, m->err, rd_kafka_message_errstr(m));
		rd_kafka_message_destroy(m);
		return passing ? 0 : -1;
	}
	positions_give(c, m);
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
weir_message_done(struct weir_message *m)
{
	rd_kafka_message_destroy(m->handle);
	m->handle = NULL;
}

void
weir_message_return(struct weir_consumer *c, struct weir_message *m)
{
	positions_return(c, m->handle);
	m->handle = NULL;
}
