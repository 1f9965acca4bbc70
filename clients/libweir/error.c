/* error.c -- librdkafka's errors and handles as libweir has them. */
#include "libweir/error.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/diag.h"

/* Kafka's codes and librdkafka's own.  What is not here is WEIR_FAILED. */
static const struct {
	rd_kafka_resp_err_t code;
	enum weir_kind kind;
	const char *text; /* in the words of Kafka's Java client; NULL: librdkafka's */
} kinds[] = {
	{ RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, WEIR_UNAUTHENTICATED, NULL },
	{ RD_KAFKA_RESP_ERR__AUTHENTICATION, WEIR_UNAUTHENTICATED, NULL },
	{ RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, WEIR_FORBIDDEN, NULL },
	{ RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, WEIR_FORBIDDEN, NULL },
	{ RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, WEIR_FORBIDDEN, NULL },
	{ RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, WEIR_FORBIDDEN, NULL },
	{ RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, WEIR_UNKNOWN_TOPIC, "This server does not host this topic-partition." },
	{ RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, WEIR_UNKNOWN_TOPIC, "This server does not host this topic-partition." },
	{ (rd_kafka_resp_err_t)100 /* UNKNOWN_TOPIC_ID */, WEIR_UNKNOWN_TOPIC, "This server does not host this topic ID." },
	{ RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, WEIR_UNKNOWN_PARTITION, "This server does not host this topic-partition." },
	{ RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, WEIR_TOPIC_EXISTS, NULL },
	{ RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_INVALID_CONFIG, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_INVALID_REQUEST, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_POLICY_VIOLATION, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_TOPIC_DELETION_DISABLED, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR__INVALID_ARG, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_INVALID_GROUP_ID, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_SECURITY_DISABLED, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_UNKNOWN, WEIR_INVALID, NULL },
	{ RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, WEIR_TOO_LARGE, NULL },
	{ RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, WEIR_TOO_LARGE, NULL },
	{ RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, WEIR_TOO_LARGE, NULL },
	{ RD_KAFKA_RESP_ERR__STATE, WEIR_ILLEGAL_STATE, NULL },
	{ RD_KAFKA_RESP_ERR__CONFLICT, WEIR_ILLEGAL_STATE, NULL },
	{ RD_KAFKA_RESP_ERR__QUEUE_FULL, WEIR_FULL, NULL },
	{ RD_KAFKA_RESP_ERR__TIMED_OUT, WEIR_TIMEOUT, NULL },
	{ RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, WEIR_TIMEOUT, NULL },
	{ RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, WEIR_TIMEOUT, NULL },
	{ RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, WEIR_TIMEOUT, NULL },
	/* A handle that died takes what it had sent, and what it had not, with it. */
	{ RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, WEIR_TIMEOUT, NULL },
	{ RD_KAFKA_RESP_ERR__PURGE_QUEUE, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR__FATAL, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR__TRANSPORT, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR__WAIT_COORD, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR__WAIT_CACHE, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR__DESTROY, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR__IN_PROGRESS, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_NOT_COORDINATOR, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, WEIR_RETRIABLE, NULL },
	{ RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, WEIR_RETRIABLE, NULL },
};

void
error_set(struct weir_error *e, rd_kafka_resp_err_t code, const char *text)
{
	size_t i = 0, n = sizeof kinds / sizeof *kinds;

	if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
		*e = (struct weir_error){ .kind = WEIR_OK };
		return;
	}
	while (i < n && kinds[i].code != code)
		i++;
	e->kind = i == n ? WEIR_FAILED : kinds[i].kind;
	e->code = code > 0 ? (int)code : 0;
	error_put_text(e, i < n && kinds[i].text != NULL ? kinds[i].text : text != NULL ? text : rd_kafka_err2str(code));
}

enum { TOPIC_MAX = 249 };

bool
weir_is_topic_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strlen(name);

	return n >= 1 && n <= TOPIC_MAX && strspn(name, letters) == n && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

bool
client_check_topic(const char *name, struct weir_error *why)
{
	if (weir_is_topic_name(name))
		return true;
	error_say(why, WEIR_INVALID, "Invalid topic name: it must have 1 to %d letters, digits, dots, underscores and hyphens", TOPIC_MAX);
	return false;
}

bool
error_take(struct weir_error *e, rd_kafka_error_t *from)
{
	if (from == NULL)
		return false;
	error_set(e, rd_kafka_error_code(from), rd_kafka_error_string(from));
	rd_kafka_error_destroy(from);
	return true;
}

/* Whether one more warning may be written: where a broker is away, each of hundreds of handles says so each second. */
static bool
may_warn(void)
{
	enum { PERIOD_S = 10, MOST = 10 };
	static _Atomic time_t period;
	static atomic_int written;
	struct timespec now;
	time_t this, old = atomic_load(&period);

	clock_gettime(CLOCK_MONOTONIC, &now);
	this = now.tv_sec / PERIOD_S + 1;
	if (old != this && atomic_compare_exchange_strong(&period, &old, this))
		atomic_store(&written, 0);
	return atomic_fetch_add(&written, 1) < MOST;
}

/* librdkafka goes on whatever happens: what it calls errors is degraded for us. */
static void
on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	char quoted[320];

	diag(level <= 4 && may_warn() ? DIAG_WARN : DIAG_DEBUG, "kafka client", "client=%s facility=%s text=%s",
	    rd_kafka_name(rk), facility, diag_quote(quoted, sizeof quoted, span_str(text)));
}

static bool
set_all(rd_kafka_conf_t *conf, const struct weir_setting *list, size_t n, struct weir_error *why)
{
	char text[sizeof why->text];

	for (size_t i = 0; i < n; i++)
		if (rd_kafka_conf_set(conf, list[i].key, list[i].value, text, sizeof text) != RD_KAFKA_CONF_OK) {
			error_say(why, WEIR_INVALID, "%s", text);
			return false;
		}
	return true;
}

rd_kafka_t *
client_new(rd_kafka_type_t type, const struct weir_setting *own, size_t n_own, const struct weir_setting *settings,
    size_t n, void (*finish)(rd_kafka_conf_t *, void *), void *ctx, struct weir_error *why)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[sizeof why->text];
	rd_kafka_t *rk = NULL;

	*why = (struct weir_error){ .kind = WEIR_OK };
	rd_kafka_conf_set_log_cb(conf, on_log);
	if (set_all(conf, own, n_own, why) && set_all(conf, settings, n, why)) {
		if (finish != NULL)
			finish(conf, ctx);
		if ((rk = rd_kafka_new(type, conf, text, sizeof text)) == NULL)
			error_say(why, WEIR_INVALID, "%s", text);
	}
	if (rk == NULL)
		rd_kafka_conf_destroy(conf);
	return rk;
}
