/* log_writer.c -- writes to the topic `_schemas`: who does, and in transactions. */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/monotonic.h"
#include "base/must.h"
#include "base/xalloc.h"
#include "registry/log_internal.h"

enum {
	ASK_MS = 1000,        /* between two looks at whether Confluent's registries have come */
	ASK_TIMEOUT_MS = 2000
};

/* What becomes of the records of a transaction. */
struct delivery {
	rd_kafka_resp_err_t error; /* the first */
	int64_t end;               /* behind the last */
};

static void
on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct delivery *d = m->_private;

	(void)rk;
	(void)opaque;
	if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		d->end = m->offset + 1;
	else if (d->error == RD_KAFKA_RESP_ERR_NO_ERROR)
		d->error = m->err;
}

static rd_kafka_t *
make_producer(const struct log *log)
{
	char timeout[16], transaction[16];
	const struct log_property properties[] = {
		{ "client.id", "weir-registry" },
		{ "transactional.id", log->transactional_id },
		{ "transaction.timeout.ms", transaction },
		{ "delivery.timeout.ms", timeout },
		{ "acks", "all" },
		{ "linger.ms", "0.5" }, /* with 0 librdkafka's thread spins */
		{ "socket.nagle.disable", "true" },
		{ "reconnect.backoff.max.ms", "250" },
	};

	snprintf(timeout, sizeof timeout, "%d", log->settings.timeout_ms);
	/* Until then readers may have to wait for a process that was killed in the middle of one; the next writer ends it at once. */
	snprintf(transaction, sizeof transaction, "%d", log->settings.timeout_ms < 1000 ? 1000 : log->settings.timeout_ms);
	return log_client(log, RD_KAFKA_PRODUCER, properties, sizeof properties / sizeof *properties, on_delivery);
}

void
log_resign(struct log *log)
{
	atomic_store(&log->leads, false);
	if (log->producer != NULL)
		rd_kafka_destroy(log->producer);
	log->producer = NULL;
}

/* ---- errors ---- */

static bool
is_fenced(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
	    code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

/* Whether the producer has met what no transaction of its gets over; being fenced is that as a rule. */
static bool
is_fatal(rd_kafka_t *producer, bool *fenced)
{
	char text[256];
	rd_kafka_resp_err_t code = rd_kafka_fatal_error(producer, text, sizeof text);

	*fenced = *fenced || is_fenced(code);
	return code != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void
tell(const char *what, rd_kafka_resp_err_t code, const char *text)
{
	char quoted[320];

	diag_warn(what, "error=%s reason=%s", rd_kafka_err2name(code), diag_quote(quoted, sizeof quoted, span_str(text)));
}

/* ---- who writes ---- */

/* Whether Confluent's registries are there: members of their group, which has a protocol of its own. */
static bool
others_write(struct log *log, bool *known)
{
	const struct rd_kafka_group_list *list = NULL;
	rd_kafka_resp_err_t e = rd_kafka_list_groups(log->asker, log->group, &list, ASK_TIMEOUT_MS);
	bool found = false;

	*known = e == RD_KAFKA_RESP_ERR_NO_ERROR || e == RD_KAFKA_RESP_ERR__PARTIAL;
	for (int i = 0; list != NULL && i < list->group_cnt; i++)
		found = found || (strcmp(list->groups[i].protocol_type, "sr") == 0 && list->groups[i].member_cnt > 0);
	if (list != NULL)
		rd_kafka_group_list_destroy(list);
	if (!*known)
		tell("whether Confluent's registries are there could not be asked", e, rd_kafka_err2str(e));
	return found;
}

static enum log_result
make_way(struct log *log)
{
	bool known;

	if (log->settings.take_over || (log->producer != NULL && monotonic_ms() - log->asked_ms < ASK_MS))
		return LOG_WRITTEN;
	if (others_write(log, &known)) {
		diag_error("registries of Confluent's are at work on the topic: this one writes nothing",
		    "topic=%s group=%s action=\"stop them; or, if they are not of this topic, set schema.registry.group.id or weir.take.over\"",
		    log->topic, log->group);
		return LOG_FOREIGN;
	}
	log->asked_ms = monotonic_ms();
	return known || log->producer != NULL ? LOG_WRITTEN : LOG_FAILED;
}

/* Fences who wrote before: what they have begun is aborted, and what they still send refused. */
static enum log_result
fence(struct log *log, const struct timespec *deadline)
{
	rd_kafka_error_t *e = rd_kafka_init_transactions(log->producer, monotonic_left_ms(deadline));
	enum log_result r = LOG_WRITTEN;

	if (e == NULL)
		return r;
	tell("this process could not become the one that writes", rd_kafka_error_code(e), rd_kafka_error_string(e));
	r = rd_kafka_error_is_retriable(e) ? LOG_TIMED_OUT : LOG_FAILED;
	rd_kafka_error_destroy(e);
	return r;
}

/*
 * Waits until all that they have committed is known, also behind a transaction of somebody else that is open; then what
 * they have not is looked for.
 */
static enum log_result
catch_up_with_all(struct log *log, const struct timespec *deadline)
{
	/* What it has followed all along comes as soon as any write; what was aborted is looked for from the topic's beginning. */
	struct timespec soon = monotonic_in(log->settings.timeout_ms);
	int64_t end = log_end_of_all(log, &soon);

	return end >= 0 && log_wait_applied(log, end, &soon) && log_find_aborted(log, end, deadline) ? LOG_WRITTEN : LOG_TIMED_OUT;
}

static enum log_result
take_over(struct log *log)
{
	struct timespec deadline = monotonic_in(log->settings.init_timeout_ms);
	enum log_result r;

	if ((log->producer = make_producer(log)) == NULL)
		return LOG_FAILED;
	r = fence(log, &deadline);
	if (r == LOG_WRITTEN)
		r = catch_up_with_all(log, &deadline);
	if (r != LOG_WRITTEN) {
		log_resign(log);
		return r;
	}
	log_meet_topic(log, log->producer, monotonic_left_ms(&deadline));
	log->takeovers++;
	atomic_store(&log->leads, true);
	diag_info("this process writes", "topic=%s", log->topic);
	return r;
}

/* Whoever plans has to know all that was committed before, though it may not have come back in time then. */
static enum log_result
catch_up_with_own(struct log *log)
{
	struct timespec deadline = monotonic_in(log->settings.timeout_ms);

	return log_wait_applied(log, log->written, &deadline) ? LOG_WRITTEN : LOG_TIMED_OUT;
}

enum log_result
log_lead(struct log *log)
{
	enum log_result r;

	must(log->settings.writer);
	if (log_fault(log) != NULL)
		return LOG_FAILED;
	if ((r = make_way(log)) != LOG_WRITTEN) {
		log_resign(log);
		return r;
	}
	return log->producer != NULL ? catch_up_with_own(log) : take_over(log);
}

/* ---- a transaction ---- */

/* Hands the records to the producer; what becomes of them is told there until the transaction has ended. */
static void
hand_over(struct log *log, const struct log_write *writes, size_t n, struct delivery *d)
{
	for (size_t i = 0; i < n && d->error == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
		d->error = log_produce(log, log->producer, &writes[i], false, d);
}

static enum log_result
result_of(rd_kafka_resp_err_t code)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
		return LOG_TOO_LARGE;
	case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
		return LOG_TIMED_OUT;
	default:
		return is_fenced(code) ? LOG_FENCED : LOG_FAILED;
	}
}

/* Ends a transaction that can't be committed.  Where that fails too, the next writer does it. */
static enum log_result
give_up(struct log *log, rd_kafka_resp_err_t code, const char *text, const struct timespec *deadline)
{
	enum log_result r = result_of(code);
	bool fenced = r == LOG_FENCED;
	rd_kafka_error_t *e = NULL;

	tell("a write to the registry's topic failed", code, text);
	if (!fenced && !is_fatal(log->producer, &fenced) &&
	    (e = rd_kafka_abort_transaction(log->producer, monotonic_left_ms(deadline) + ASK_TIMEOUT_MS)) == NULL)
		return r;
	if (e != NULL) {
		fenced = fenced || is_fenced(rd_kafka_error_code(e));
		rd_kafka_error_destroy(e);
	}
	is_fatal(log->producer, &fenced);
	log_resign(log);
	return fenced ? LOG_FENCED : r;
}

/*
 * Commits when all are delivered, which librdkafka waits for.  Asked for at once, it also tells the coordinator at once of
 * the partition; by itself it lets a millisecond go by.  What passes is tried again.
 */
static enum log_result
commit(struct log *log, const struct delivery *d, const struct timespec *deadline)
{
	rd_kafka_error_t *e;
	enum log_result r;

	while ((e = rd_kafka_commit_transaction(log->producer, monotonic_left_ms(deadline) + 1)) != NULL &&
	    rd_kafka_error_is_retriable(e) && monotonic_left_ms(deadline) > 0)
		rd_kafka_error_destroy(e);
	if (e == NULL)
		return LOG_WRITTEN;
	if (d->error != RD_KAFKA_RESP_ERR_NO_ERROR)
		r = give_up(log, d->error, rd_kafka_err2str(d->error), deadline);
	else if (rd_kafka_error_txn_requires_abort(e))
		r = give_up(log, rd_kafka_error_code(e), rd_kafka_error_string(e), deadline);
	else {
		bool fenced = is_fenced(rd_kafka_error_code(e));

		tell("nobody knows whether a write to the registry's topic was committed", rd_kafka_error_code(e),
		    rd_kafka_error_string(e));
		is_fatal(log->producer, &fenced);
		log_resign(log);
		r = fenced ? LOG_FENCED : LOG_TIMED_OUT;
	}
	rd_kafka_error_destroy(e);
	return r;
}

/*
 * Behind each transaction comes a record without one.  librdkafka tells that a consumer is at the topic's
 * end half a second after it has read a transaction's marker there, and who reads the topic after us may know no
 * transactions.  Nobody waits for it: where it is lost, a look at the end takes longer.
 */
static void
end_plainly(struct log *log)
{
	struct log_write noop = { span_str("{\"keytype\":\"NOOP\",\"magic\":0}"), span_of(NULL, 0) };

	log_produce(log, log->asker, &noop, true, NULL);
}

enum log_result
log_write(struct log *log, const struct log_write *writes, size_t n)
{
	struct timespec deadline = monotonic_in(log->settings.timeout_ms);
	rd_kafka_error_t *e = rd_kafka_begin_transaction(log->producer);
	struct delivery d = { .error = rd_kafka_error_code(e) };
	enum log_result r;

	rd_kafka_error_destroy(e);
	if (d.error == RD_KAFKA_RESP_ERR_NO_ERROR)
		hand_over(log, writes, n, &d);
	if (d.error != RD_KAFKA_RESP_ERR_NO_ERROR)
		return give_up(log, d.error, rd_kafka_err2str(d.error), &deadline);
	if ((r = commit(log, &d, &deadline)) != LOG_WRITTEN)
		return r;
	log->transactions++;
	log->written = d.end;
	end_plainly(log);
	return log_wait_applied(log, d.end, &deadline) ? LOG_WRITTEN : LOG_TIMED_OUT;
}
