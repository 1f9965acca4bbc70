/* produce.c -- Produce. */
#include "api/handlers.h"
#include "api/topics.h"
#include "api/txn_calls.h"
#include "base/must.h"

enum {
	/* The oldest version whose records are batches of magic 2. */
	FIRST_VERSION = 3,
	ZSTD_VERSION = 7,
	/* The first that knows TRANSACTION_ABORTABLE (KIP-890). */
	ABORTABLE_VERSION = 11,
	/* The first whose partitions join the transaction by being sent to (KIP-890). */
	JOINING_VERSION = 12,
	TIMEOUT_MIN_MS = 1,
	/* Partitions appended to at a time: the first append to one makes a file. */
	SLICE = 64,
	/* Batches of a request that threads look into at a time: others' go in between. */
	LOOKS = 4
};

struct look {
	struct partition_examination examination;
	struct produce *produce;
	bool busy;
};

struct produce {
	struct request *request;
	struct wire_produce_response response;
	struct part *parts;
	size_t n_parts;
	size_t n_begun;  /* parts whose append was begun, the first ones */
	size_t pending;  /* parts whose append was begun and is not over */
	size_t n_examined; /* parts whose batch was looked into, or is, the first ones */
	int looking;     /* threads that look: they need the frame */
	struct look looks[LOOKS];
	struct timer timer;
	bool gone;       /* the connection is, while threads look */
	bool answered;
	bool failed;     /* some part has an error */
	bool transactional; /* some part's batch is of a transaction */
	struct txn_change joining; /* the transaction gets the partitions */
	enum txn_error refused; /* why it does not */
	bool unnamed;    /* some part's batch is of a transaction, and no transactional id was given */
	int16_t acks;
};

/* One partition's batch. */
struct part {
	struct append append;
	struct produce *produce;
	const struct wire_produce_request_topic *topic;
	struct span records;
	struct partition *log;
	struct wire_produce_response_partition *answer;
	bool pending;
	bool transactional;       /* the batch is of a transaction, */
	struct txn_caller caller; /* whose producer this is */
};

static void
set_error(struct part *part, enum kafka_error error, const char *text)
{
	part->answer->error_code = (int16_t)error;
	part->answer->base_offset = -1;
	part->produce->failed = true;
	if (text != NULL)
		part->answer->error_message = span_str(text);
}

static const char *
text_of(enum store_error error)
{
	switch (error) {
	case STORE_NO_KEY:
		return "A compacted topic takes no record without a key.";
	case STORE_INVALID_RECORD:
		return "The batch or a record in it is not well formed.";
	case STORE_INVALID_TIMESTAMP:
		return "The timestamp lies outside of what message.timestamp.before.max.ms and after.max.ms allow.";
	case STORE_MESSAGE_TOO_LARGE:
		return "The batch is larger than max.message.bytes, or than 64 MiB when it is decompressed.";
	default:
		return NULL;
	}
}

/* Writes the outcome of an append that is over into the answer. */
static void
take_outcome(struct part *part)
{
	struct wire_produce_response_partition *p = part->answer;
	struct append *a = &part->append;

	if (a->error == STORE_OK) {
		p->base_offset = a->base_offset;
		p->log_append_time_ms = a->append_time_ms;
		p->log_start_offset = partition_log_start(part->log);
		return;
	}
	set_error(part, request_error(a->error), text_of(a->error));
	if (a->bad_record >= 0) {
		p->record_errors = request_array(part->produce->request, 1, sizeof *p->record_errors);
		p->n_record_errors = 1;
		wire_produce_response_record_error_default(&p->record_errors[0]);
		p->record_errors[0].batch_index = a->bad_record;
		p->record_errors[0].batch_index_error_message = p->error_message;
	}
}

static void
answer(struct produce *p)
{
	struct request *r = p->request;

	p->answered = true;
	loop_timer_cancel(r->api->loop, &p->timer);
	if (p->acks != 0)
		request_reply(r, &p->response);
	else if (p->failed)
		/* The only way to tell a producer that asked for no answer. */
		request_refuse(r, "produce with acks=0 failed");
	else
		request_drop(r);
}

static void
append_done(struct append *a)
{
	struct part *part = container_of(a, struct part, append);
	struct produce *p = part->produce;
	struct request *r = p->request;

	part->pending = false;
	p->pending--;
	if (!p->answered) {
		take_outcome(part);
		if (p->pending == 0 && p->n_begun == p->n_parts)
			answer(p);
	}
	request_release(r);
}

/* What was begun stays in the log; only its producer waits no longer. */
static void
timed_out(struct timer *timer)
{
	struct produce *p = container_of(timer, struct produce, timer);

	for (size_t i = 0; i < p->n_parts; i++)
		if (p->parts[i].pending || i >= p->n_begun)
			set_error(&p->parts[i], KAFKA_REQUEST_TIMED_OUT, NULL);
	answer(p);
}

/* A late batch of a transaction that has ended would join the next one, or stay open for ever. */
static enum kafka_error
check_transaction(const struct part *part, const struct topic *t)
{
	const struct produce *p = part->produce;
	struct txn_partition where = { .number = part->answer->index };
	enum txn_error error;

	if (!part->transactional)
		return KAFKA_NONE;
	memcpy(where.topic, t->id, sizeof where.topic);
	error = p->refused != TXN_OK ? p->refused :
	    txns_check_partition(p->request->api->txns, &part->caller, &where);
	if (error == TXN_INVALID_TXN_STATE && p->request->version >= ABORTABLE_VERSION)
		return KAFKA_TRANSACTION_ABORTABLE;
	return txn_calls_error(error, false);
}

static void
append(struct part *part)
{
	struct produce *p = part->produce;
	struct request *r = p->request;
	struct topic *t = topics_find(r->api, part->topic->name);
	struct span records = part->records;
	struct topic_partition *tp = topic_partition(t, part->answer->index);
	enum kafka_error error;

	if (p->acks < -1 || p->acks > 1)
		set_error(part, KAFKA_INVALID_REQUIRED_ACKS, NULL);
	else if (p->unnamed)
		set_error(part, KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
		    "A batch of a transaction needs the transactional id in its request.");
	else if (tp == NULL)
		set_error(part, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, NULL);
	else if (records.p == NULL || records.n == 0)
		set_error(part, KAFKA_INVALID_RECORD, "The request holds no batch for this partition.");
	else if (p->acks == -1 && t->config.min_insync_replicas > 1)
		set_error(part, KAFKA_NOT_ENOUGH_REPLICAS, NULL);
	else if ((error = check_transaction(part, t)) != KAFKA_NONE)
		set_error(part, error, "The partition is not in a transaction that this producer has open.");
	else {
		part->log = tp->log;
		part->pending = !partition_append(tp->log, &part->append);
		if (part->pending) {
			p->pending++;
			request_hold(r);
		} else
			take_outcome(part);
	}
}

static void
go_on(struct request *r)
{
	struct produce *p = r->state;

	for (size_t i = 0; i < SLICE && p->n_begun < p->n_parts; i++)
		append(&p->parts[p->n_begun++]);
	if (p->n_begun < p->n_parts)
		request_pause(r, go_on);
	else if (p->pending == 0)
		answer(p);
}

/* ---- examining: all batches before the first append ---- */

static void
examined(struct partition_examination *pe)
{
	struct look *look = container_of(pe, struct look, examination);
	struct produce *p = look->produce;

	look->busy = false;
	p->looking--;
	if (!p->gone)
		request_go_on(p->request);
	else if (p->looking == 0)
		request_drop(p->request);
}

static void
examine(struct part *part)
{
	struct produce *p = part->produce;
	struct request *r = p->request;
	struct topic_partition *tp = topic_partition(topics_find(r->api, part->topic->name),
	    part->answer->index);
	struct look *look = p->looks;

	while (look->busy)
		look++;
	part->append = (struct append){
		/* The frame is ours: the batch is stamped where it lies. */
		.bytes = (uint8_t *)(uintptr_t)part->records.p, .n = part->records.n,
		.durable = p->acks == -1, .zstd_allowed = r->version >= ZSTD_VERSION,
		.from_0 = part->transactional && r->version >= JOINING_VERSION,
		.now_ms = request_wall_ms(r), .done = append_done };
	look->produce = p;
	look->examination = (struct partition_examination){ .append = &part->append, .done = examined };
	look->busy = tp != NULL && part->records.n > 0 && !partition_examine(tp->log, &look->examination);
	p->looking += look->busy;
}

/* ---- joining the transaction ---- */

static void
joined(struct txn_change *c, enum kafka_error error)
{
	struct produce *p = container_of(c, struct produce, joining);
	struct request *r = p->request;

	if (error != KAFKA_NONE)
		p->refused = TXN_COORDINATOR_NOT_AVAILABLE;
	if (!p->answered)
		request_go_on(r);
	request_release(r);
}

/* The partitions of the parts that are of a transaction; how many.  *caller: whose the first of them is. */
static size_t
find_joining(const struct produce *p, struct txn_partition *to, const struct txn_caller **caller)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_parts; i++) {
		const struct part *part = &p->parts[i];
		struct topic *t = topics_find(p->request->api, part->topic->name);

		if (topic_partition(t, part->answer->index) == NULL || !part->transactional)
			continue;
		if (n == 0)
			*caller = &part->caller;
		memcpy(to[n].topic, t->id, sizeof t->id);
		to[n++].number = part->answer->index;
	}
	return n;
}

/* False: the transaction has them already, or can't have them. */
static bool
join(struct produce *p)
{
	struct request *r = p->request;
	struct txn_partition *partitions;
	const struct txn_caller *caller = NULL;
	struct txn *t;
	bool change;
	size_t n;

	if (r->version < JOINING_VERSION || !p->transactional || p->unnamed)
		return false;
	partitions = request_array(r, p->n_parts, sizeof *partitions);
	n = find_joining(p, partitions, &caller);
	if (n == 0)
		return false;
	p->refused = txns_add(r->api->txns, caller, partitions, n, span_of(NULL, 0), request_wall_ms(r), &t, &change);
	if (!change)
		return false;
	request_hold(r);
	p->joining.done = joined;
	request_await(r, go_on);
	txn_calls_change(r->api, t, &p->joining);
	return true;
}

static void
begin_appends(struct request *r)
{
	struct produce *p = r->state;
	int32_t timeout_ms = ((const struct wire_produce_request *)r->message)->timeout_ms;

	if (p->acks == -1) {
		p->timer.fire = timed_out;
		loop_timer_set(r->api->loop, &p->timer, request_now_ms(r) +
		    (timeout_ms < TIMEOUT_MIN_MS ? TIMEOUT_MIN_MS : timeout_ms));
	}
	if (!join(p))
		go_on(r);
}

static void
examine_some(struct request *r)
{
	struct produce *p = r->state;

	for (size_t i = 0; i < SLICE && p->n_examined < p->n_parts && p->looking < LOOKS && !p->gone; i++)
		examine(&p->parts[p->n_examined++]);
	if (p->looking == 0 && p->n_examined == p->n_parts)
		begin_appends(r);
	else if (p->looking == LOOKS || p->n_examined == p->n_parts || p->gone)
		request_await(r, examine_some);
	else
		request_pause(r, examine_some);
}

/* The connection is gone: what was not begun is not appended. */
static void
gone(struct request *r)
{
	struct produce *p = r->state;

	if (p->looking > 0) {
		p->gone = true;
		return;
	}
	p->answered = true;
	loop_timer_cancel(r->api->loop, &p->timer);
	request_drop(r);
}

/* ---- the request ---- */

static size_t
count_parts(const struct wire_produce_request *q)
{
	size_t n = 0;

	for (size_t i = 0; i < q->n_topic_data; i++)
		n += q->topic_data[i].n_partition_data;
	return n;
}

/* Which transaction the batch is of, if any. */
static void
find_transaction(struct part *part, struct span transactional_id)
{
	struct batch b;

	if (!batch_header(&b, part->records) || !(b.attributes & BATCH_TRANSACTIONAL))
		return;
	part->transactional = true;
	part->caller = (struct txn_caller){ transactional_id, b.producer_id, b.producer_epoch };
	part->produce->transactional = true;
}

static void
add_topic(struct produce *p, const struct wire_produce_request_topic *from,
    struct wire_produce_response_topic *to)
{
	wire_produce_response_topic_default(to);
	to->name = from->name;
	to->n_partition_responses = from->n_partition_data;
	to->partition_responses = request_array(p->request, from->n_partition_data,
	    sizeof *to->partition_responses);
	for (size_t i = 0; i < from->n_partition_data; i++) {
		struct part *part = &p->parts[p->n_parts++];

		part->produce = p;
		part->topic = from;
		part->records = from->partition_data[i].records;
		find_transaction(part, ((const struct wire_produce_request *)p->request->message)->transactional_id);
		part->answer = &to->partition_responses[i];
		wire_produce_response_partition_default(part->answer);
		part->answer->index = from->partition_data[i].index;
	}
}

void
produce_run(struct request *r)
{
	const struct wire_produce_request *q = r->message;
	struct produce *p;

	if (r->version < FIRST_VERSION) {
		/* Listed for the sake of clients that look for old versions (KAFKA-18659). */
		request_refuse(r, "produce in a version before 3, whose message format is not supported");
		return;
	}
	stat_add(&r->api->stats.produce_requests, 1);
	p = request_alloc(r, sizeof *p);
	p->request = r;
	p->acks = q->acks;
	p->parts = request_array(r, count_parts(q), sizeof *p->parts);
	wire_produce_response_default(&p->response);
	p->response.n_responses = q->n_topic_data;
	p->response.responses = request_array(r, q->n_topic_data, sizeof *p->response.responses);
	for (size_t i = 0; i < q->n_topic_data; i++)
		add_topic(p, &q->topic_data[i], &p->response.responses[i]);
	p->unnamed = p->transactional && q->transactional_id.p == NULL;
	r->state = p;
	r->gone = gone;
	examine_some(r);
}
