/* log_internal.h -- what the files of the log share; for them alone. */
#ifndef REGISTRY_LOG_INTERNAL_H
#define REGISTRY_LOG_INTERNAL_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "registry/log.h"
#include "registry/looks.h"

enum { LOG_POLL_MS = 100 };

struct log {
	struct log_settings settings; /* its properties are owned */
	char *topic, *group;          /* owned */
	log_apply *apply;
	log_aborted *aborted;
	void *ctx;
	rd_kafka_t *reader;
	/* A producer without transactions.  On the reader's connection a question would wait for the fetch before it. */
	rd_kafka_t *asker;
	char *cluster_id;             /* librdkafka's */
	pthread_t thread;
	atomic_bool stopping;
	const char *_Atomic fault;

	pthread_mutex_t mutex;
	pthread_cond_t moved;         /* `applied` changed */
	int64_t read;                 /* the offset behind the last record read */
	_Atomic int64_t applied;      /* the same, or behind it where nothing comes; raised under the mutex */
	struct looks looks;           /* at the topic's end */
	int64_t missing_ms;           /* since when the topic is not there; 0: it is.  Of whoever looks */

	/* ---- of the one who writes ---- */
	rd_kafka_t *producer;         /* of transactions; NULL: another writes, or nobody */
	char *transactional_id;       /* owned */
	int64_t asked_ms;             /* when the group was last looked at */
	int64_t written;              /* behind the last record that it has committed */
	int64_t clean;                /* up to here, what was aborted has been told */
	atomic_bool leads;
	_Atomic uint64_t takeovers, transactions, n_aborted;
};

/* ---- log.c ---- */

/* A client of these settings of our own and then, which go before them, the user's; NULL after a line in the log. */
rd_kafka_t *log_client(const struct log *, rd_kafka_type_t, const struct log_property *own, size_t n_own,
    void (*delivered)(rd_kafka_t *, const rd_kafka_message_t *, void *));

/* A consumer that reads the topic from this offset. */
rd_kafka_t *log_reader(const struct log *, const char *isolation, const char *wait_ms, int64_t from);

/*
 * Ends a consumer (NULL is fine).  librdkafka 2.0 waits for ever for one whose topic was deleted: after two seconds
 * it is left behind, with a line in the log.
 */
void log_end_reader(rd_kafka_t *);

/* Hands a record to a producer; `opaque` goes with it.  The payload is copied if `copy`, else only read. */
rd_kafka_resp_err_t log_produce(const struct log *, rd_kafka_t *, const struct log_write *, bool copy, void *opaque);

/* Has a producer ask now where the topic is: by itself it would do so within a second of its first record. */
void log_meet_topic(const struct log *, rd_kafka_t *producer, int timeout_ms);

/* Waits until what is before this offset has been applied; false: time is up. */
bool log_wait_applied(struct log *, int64_t end, const struct timespec *deadline);

/* ---- log_aborted.c ---- */

/*
 * Where the topic ends, with what nobody who reads committed records is told yet: what stands behind a transaction that is
 * open.  -1: it could not be found out in time.
 */
int64_t log_end_of_all(struct log *, const struct timespec *deadline);

/* Tells of the aborted records up to `end` that have not been told of; false when they could not be read in time. */
bool log_find_aborted(struct log *, int64_t end, const struct timespec *deadline);

/* ---- log_writer.c ---- */

/* Gives up being the one that writes, as far as this process goes. */
void log_resign(struct log *);

#endif
