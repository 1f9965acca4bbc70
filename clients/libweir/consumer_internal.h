/* consumer_internal.h -- what the files of the consumer share; for them alone. */
#ifndef LIBWEIR_CONSUMER_INTERNAL_H
#define LIBWEIR_CONSUMER_INTERNAL_H

#include <pthread.h>

#include "libweir/consumer.h"
#include "libweir/error.h"

enum { CALL_MS = 10000 }; /* of calls that ask the broker and have no timeout of their own */

/* Where the partitions come from. */
enum source { NOWHERE, SUBSCRIPTION, ASSIGNMENT };

struct weir_consumer {
	rd_kafka_t *rk;
	enum source source;
	rd_kafka_message_t *returned; /* which the next weir_poll() gives; NULL: none */
	/* Where the position was moved, until a message comes from there: librdkafka tells of messages only. */
	rd_kafka_topic_partition_list_t *moved;
	/* Of each partition that gave messages since weir_consumed(), the offset of the first. */
	rd_kafka_topic_partition_list_t *given;
	int given_last;       /* which of these the last message was of */
	/*
	 * Of each partition that gave messages, where librdkafka stands behind the last one: it forgets that when the
	 * partition is taken away, be it given back or not.
	 */
	rd_kafka_topic_partition_list_t *reached;
	int reached_last;
	pthread_mutex_t lock; /* of its end */
	pthread_cond_t ended;
	bool over, left;      /* it has ended; nobody waits for that any more */
};

/* Fills the error; true where there is none. */
bool take_error(struct weir_error *, rd_kafka_resp_err_t);

/* ---- consumer_offsets.c ---- */

/* Begins with no positions, and forgets all: what is read changes as a whole. */
void positions_init(struct weir_consumer *);
void positions_done(struct weir_consumer *);
void positions_forget(struct weir_consumer *);

/* A message of the partition goes out, or comes back. */
void positions_give(struct weir_consumer *, const rd_kafka_message_t *);
void positions_return(struct weir_consumer *, rd_kafka_message_t *);

/* The message that was returned, if its partition has been ours since: else it is read anew, here or elsewhere.  NULL: none. */
rd_kafka_message_t *positions_take_returned(struct weir_consumer *);

/* Whether all can be asked for: a name or a note that is too long would break the request. */
bool are_sound(const struct weir_offset *, size_t n, struct weir_error *why);

/* librdkafka's list of these.  Owned. */
rd_kafka_topic_partition_list_t *make_list(const struct weir_offset *, size_t n);

#endif
