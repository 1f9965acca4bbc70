/*
 * broker_txns.c -- simulated transactional producers, of both versions.
 *
 * Each is a phase and what belongs to it, which the history has: a broker that
 * starts anew is asked again for what the phase wants.
 */
#include "faults/broker_clients.h"

#include <stdio.h>

#include "faults/broker_batches.h"
#include "wire/errors.h"

enum { OLDER_PRODUCE = 11, NEWER_PRODUCE = 12, OLDER_END = 4, NEWER_END = 5, OLDER_OFFSETS = 4, NEWER_OFFSETS = 5,
	ROUNDS = 3, ALONE = 0 };

/* Other connections of the same producers, on which batches come late. */
static const struct client_kind late_kind = { .name = "late" };
static struct client late[WRITERS - IDEMPOTENT];

void
txns_begin_life(void)
{
	for (int i = 0; i < WRITERS - IDEMPOTENT; i++)
		client_begin(&late[i], &late_kind, i);
}

static struct writer *
writer_of(const struct client *c)
{
	return &past->writers[IDEMPOTENT + c->number];
}

static struct txn_history *
txn_of(const struct writer *w)
{
	return &past->txns[w->txn];
}

static struct span
id_text(const struct writer *w, char to[16])
{
	snprintf(to, 16, "id-%d", w->txn_id);
	return span_str(to);
}

/* It gives up what it had open, and begins as another. */
static void
start_over(struct writer *w, bool resumes)
{
	w->phase = STARTS;
	w->n_pending = 0;
	w->resumes = resumes && w->id >= 0;
}

/* Another has its transactional id, or its time was over. */
static void
fenced(struct client *c)
{
	past->counts.fenced++;
	start_over(writer_of(c), false);
	rest(c, (int64_t)below(400));
}

/* Asks again, a little later. */
static bool
is_passing(struct client *c, int error)
{
	if (error != KAFKA_CONCURRENT_TRANSACTIONS && error != KAFKA_COORDINATOR_NOT_AVAILABLE)
		return false;
	rest(c, (int64_t)below(20));
	return true;
}

/* Whether the producer was refused because it is not the one any more.  Everything else is a broken promise. */
static bool
is_over(const struct writer *w, int error)
{
	bool over = w->phase == STARTS || history_may_end(txn_of(w));

	if (error == KAFKA_INVALID_PRODUCER_EPOCH || error == KAFKA_PRODUCER_FENCED ||
	    error == KAFKA_INVALID_PRODUCER_ID_MAPPING || error == KAFKA_INVALID_TXN_STATE ||
	    error == KAFKA_TRANSACTION_ABORTABLE)
		return over || history_is_fenced(w->txn_id, w->id, w->epoch) || history_may_be_taken(w->txn_id);
	return false;
}

static void
refused(struct client *c, const char *what, int error)
{
	const struct writer *w = writer_of(c);

	if (!is_over(w, error))
		broken("%s of id-%d, producer %lld, epoch %d, transaction %d: error %d", what, w->txn_id,
		    (long long)w->id, w->epoch, w->txn, error);
	fenced(c);
}

/* ---- InitProducerId ---- */

static void
may_end_all(int txn_id)
{
	for (int i = 0; i < past->n_txns; i++)
		if (past->txns[i].id == txn_id)
			past->txns[i].may_end = true;
}

static void
init_answered(struct call *call, const void *response)
{
	const struct wire_init_producer_id_response *r = response;
	struct writer *w = writer_of(call->client);

	past->owners[w->txn_id].inits--;
	if (is_passing(call->client, r->error_code))
		return;
	if (r->error_code == KAFKA_PRODUCER_FENCED && w->resumes) {
		fenced(call->client);
		return;
	}
	if (r->error_code != KAFKA_NONE)
		broken("InitProducerId of id-%d: error %d", w->txn_id, r->error_code);
	w->id = r->producer_id;
	w->epoch = r->producer_epoch;
	w->phase = IDLE;
	memset(w->next, 0, sizeof w->next);
	history_owner(w->txn_id, w->id, w->epoch);
}

static void
init(struct client *c)
{
	struct wire_init_producer_id_request q;
	struct writer *w = writer_of(c);
	char id[16];

	wire_init_producer_id_request_default(&q);
	q.transactional_id = id_text(w, id);
	q.transaction_timeout_ms = past->options.txn_timeout_ms;
	if (w->resumes) {
		q.producer_id = w->id;
		q.producer_epoch = w->epoch;
	} else
		q.producer_epoch = -1;
	past->owners[w->txn_id].inits++;
	may_end_all(w->txn_id);
	call_send(call_new(c), WIRE_INIT_PRODUCER_ID, 4, &q, init_answered);
}

/* ---- a transaction begins ---- */

static void
begin(struct client *c)
{
	struct writer *w = writer_of(c);

	if (past->n_txns == TXNS)
		return;
	w->txn = past->n_txns++;
	*txn_of(w) = (struct txn_history){ .id = w->txn_id, .producer_id = w->id, .epoch = w->epoch,
		.began_ms = NEVER_MS, .timeout_ms = past->options.txn_timeout_ms, .end_sent = NEVER_MS,
		.may_end = history_may_be_taken(w->txn_id) };
	w->n_slots = 0;
	for (int i = (int)below(3) + 1; i > 0; i--) {
		int slot = (int)below(SLOTS);
		bool has = !slot_is_there(slot);

		for (int k = 0; k < w->n_slots; k++)
			has = has || w->slots[k] == slot;
		if (!has)
			w->slots[w->n_slots++] = slot;
	}
	w->rounds = (int)below(ROUNDS) + 1;
	w->with_offsets = one_in(3);
	w->commits = !one_in(3);
	w->n_commits = 0;
	if (w->n_slots > 0) {
		w->phase = past->options.newer ? SENDS : ADDS;
		past->counts.transactions++;
	}
}

/* Its time counts from its first request. */
static void
note_begin(struct writer *w)
{
	if (txn_of(w)->began_ms == NEVER_MS)
		txn_of(w)->began_ms = now_ms();
}

static void
added(struct call *call, const void *response)
{
	const struct wire_add_partitions_to_txn_response *r = response;
	struct writer *w = writer_of(call->client);
	int error = KAFKA_NONE;

	for (size_t i = 0; i < r->n_results; i++)
		for (size_t k = 0; k < r->results[i].n_results; k++)
			if (error == KAFKA_NONE || error == KAFKA_OPERATION_NOT_ATTEMPTED)
				error = r->results[i].results[k].error_code;
	if (is_passing(call->client, error))
		return;
	if (error == KAFKA_UNKNOWN_TOPIC_OR_PARTITION) {
		/* Nothing was added: there is nothing to end, unless it was tried before. */
		txn_of(w)->may_end = true;
		start_over(w, true);
	} else if (error != KAFKA_NONE)
		refused(call->client, "AddPartitionsToTxn", error);
	else
		w->phase = SENDS;
}

static void
add(struct client *c)
{
	struct wire_add_partitions_to_txn_request_topic topics[3];
	struct wire_add_partitions_to_txn_request q;
	struct writer *w = writer_of(c);
	int32_t numbers[3];
	char id[16];

	note_begin(w);
	wire_add_partitions_to_txn_request_default(&q);
	q.transactional_id = id_text(w, id);
	q.producer_id = w->id;
	q.producer_epoch = w->epoch;
	q.topics = topics;
	for (int i = 0; i < w->n_slots; i++) {
		wire_add_partitions_to_txn_request_topic_default(&topics[i]);
		topics[i].name = span_str(topic_kinds[topic_of(w->slots[i])].name);
		numbers[i] = number_in(w->slots[i]);
		topics[i].partitions = &numbers[i];
		topics[i].n_partitions = 1;
	}
	q.n_topics = (size_t)w->n_slots;
	call_send(call_new(c), WIRE_ADD_PARTITIONS_TO_TXN, 3, &q, added);
}

/* ---- records ---- */

static void
next_phase(struct writer *w)
{
	if (--w->rounds > 0)
		return;
	w->phase = !w->with_offsets || !w->commits ? ENDS : past->options.newer ? COMMITS_OFFSETS : ADDS_GROUP;
}

static void
produced(struct call *call, const void *response)
{
	struct writer *w = writer_of(call->client);
	int n = 0, bad = KAFKA_NONE;

	for (int i = 0; i < call->n; i++) {
		int number = call->numbers[i], slot = past->sent[number].slot;
		int64_t base;
		int error = produce_error(call, response, i, &base);

		if (error == KAFKA_NONE)
			history_answered(number, base, true);
		else if (error == KAFKA_CONCURRENT_TRANSACTIONS || error == KAFKA_COORDINATOR_NOT_AVAILABLE)
			w->pending[n++] = number;
		else if (error == KAFKA_UNKNOWN_TOPIC_OR_PARTITION && topic_kinds[topic_of(slot)].remade) {
			history_refused(number);
			w->commits = false;
		} else if (topic_kinds[topic_of(slot)].remade && (error == KAFKA_INVALID_TXN_STATE ||
		    error == KAFKA_TRANSACTION_ABORTABLE || error == KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER)) {
			/* It is not the topic that was added, nor the one that has the sequence. */
			history_refused(number);
			w->commits = false;
		} else if (error == KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER && past->torn)
			w->commits = false;
		else
			bad = error;
	}
	w->n_pending = n;
	if (bad != KAFKA_NONE)
		refused(call->client, "Produce", bad);
	else if (n > 0)
		rest(call->client, (int64_t)below(20));
	else
		next_phase(w);
}

/* A batch for each of its partitions. */
static bool
fill(struct writer *w)
{
	for (int i = 0; i < w->n_slots; i++) {
		int number = batch_new(w->slots[i], w, w->txn);

		if (number == -1) {
			w->n_pending = 0;
			return false;
		}
		w->next[w->slots[i]] += past->sent[number].count;
		w->pending[w->n_pending++] = number;
	}
	return true;
}

/* Its transaction has ended by now, or ends; it is a part of it, or of none. */
static void
came_late(struct call *call, const void *response)
{
	for (int i = 0; i < call->n; i++) {
		int64_t base;
		int error = produce_error(call, response, i, &base);

		if (error == KAFKA_NONE)
			history_answered(call->numbers[i], base, true);
		else if (error == KAFKA_INVALID_PRODUCER_EPOCH || error == KAFKA_INVALID_PRODUCER_ID_MAPPING ||
		    error == KAFKA_TRANSACTION_ABORTABLE || error == KAFKA_CONCURRENT_TRANSACTIONS ||
		    error == KAFKA_UNKNOWN_TOPIC_OR_PARTITION)
			history_refused(call->numbers[i]);
		else
			broken("a batch that comes late: error %d", error);
	}
}

/* The producer does not wait for them: it aborts.  In version 1 they could get into the next transaction. */
static void
produce_late(struct client *c)
{
	struct writer *w = writer_of(c);

	send_batches(&late[c->number], w->pending, w->n_pending, NEWER_PRODUCE, -1, w->txn_id, came_late);
	w->n_pending = 0;
	w->commits = false;
	w->phase = ENDS;
}

static void
produce(struct client *c)
{
	struct writer *w = writer_of(c);
	bool again = w->n_pending > 0;

	if (w->n_pending == 0 && !fill(w)) {
		w->commits = false; /* there is no room for more */
		w->phase = ENDS;
		return;
	}
	note_begin(w);
	if (past->options.newer && !again && one_in(15)) {
		produce_late(c);
		return;
	}
	send_batches(c, w->pending, w->n_pending, past->options.newer ? NEWER_PRODUCE : OLDER_PRODUCE, -1, w->txn_id,
	    produced);
}

/* ---- offsets ---- */

static void
group_added(struct call *call, const void *response)
{
	const struct wire_add_offsets_to_txn_response *r = response;

	if (is_passing(call->client, r->error_code))
		return;
	if (r->error_code != KAFKA_NONE)
		refused(call->client, "AddOffsetsToTxn", r->error_code);
	else
		writer_of(call->client)->phase = COMMITS_OFFSETS;
}

static void
add_group(struct client *c)
{
	struct wire_add_offsets_to_txn_request q;
	struct writer *w = writer_of(c);
	char id[16];

	wire_add_offsets_to_txn_request_default(&q);
	q.transactional_id = id_text(w, id);
	q.producer_id = w->id;
	q.producer_epoch = w->epoch;
	q.group_id = span_str(group_names[ALONE]);
	call_send(call_new(c), WIRE_ADD_OFFSETS_TO_TXN, 3, &q, group_added);
}

static void
offsets_taken(struct call *call, const void *response)
{
	const struct wire_txn_offset_commit_response *r = response;
	struct writer *w = writer_of(call->client);
	int error = KAFKA_NONE;

	if (r->n_topics != (size_t)call->n)
		broken("TxnOffsetCommit: %zu of %d topics are answered", r->n_topics, call->n);
	for (int i = 0; i < call->n; i++)
		if (r->topics[i].partitions[0].error_code != KAFKA_NONE)
			error = r->topics[i].partitions[0].error_code;
	if (is_passing(call->client, error))
		return;
	if (error != KAFKA_NONE) {
		refused(call->client, "TxnOffsetCommit", error);
		return;
	}
	for (int i = 0; i < call->n; i++)
		commit_answered(call->numbers[i]);
	w->phase = ENDS;
}

static void
commit_offsets(struct client *c)
{
	struct wire_txn_offset_commit_request_partition partitions[COMMIT_SLOTS];
	struct wire_txn_offset_commit_request_topic topics[COMMIT_SLOTS];
	struct wire_txn_offset_commit_request q;
	struct writer *w = writer_of(c);
	char texts[COMMIT_SLOTS][32], id[16];
	struct call *call;

	if (w->n_commits == 0) {
		w->commits_first = past->n_commits;
		for (int slot = (int)below(COMMIT_SLOTS); slot < COMMIT_SLOTS; slot++)
			w->n_commits += commit_new(ALONE, slot, w->txn) != -1;
	}
	if (w->n_commits == 0) {
		w->commits = false;
		w->phase = ENDS;
		return;
	}
	wire_txn_offset_commit_request_default(&q);
	q.transactional_id = id_text(w, id);
	q.group_id = span_str(group_names[ALONE]);
	q.producer_id = w->id;
	q.producer_epoch = w->epoch;
	q.topics = topics;
	q.n_topics = (size_t)w->n_commits;
	call = call_new(c);
	for (int i = 0; i < w->n_commits; i++) {
		int number = w->commits_first + i, slot = past->commits[number].slot;

		wire_txn_offset_commit_request_topic_default(&topics[i]);
		wire_txn_offset_commit_request_partition_default(&partitions[i]);
		topics[i].name = span_str(topic_kinds[topic_of(slot)].name);
		topics[i].partitions = &partitions[i];
		topics[i].n_partitions = 1;
		partitions[i].partition_index = number_in(slot);
		partitions[i].committed_offset = number;
		partitions[i].committed_metadata = commit_metadata(number, texts[i]);
		call->numbers[call->n++] = number;
	}
	call_send(call, WIRE_TXN_OFFSET_COMMIT, past->options.newer ? NEWER_OFFSETS : OLDER_OFFSETS, &q, offsets_taken);
}

/* ---- the end ---- */

/* The next transaction begins with other sequences, if its producer has another epoch. */
static void
go_on_as(struct writer *w, int64_t id, int16_t epoch)
{
	if (id == w->id && epoch == w->epoch)
		return;
	w->id = id;
	w->epoch = epoch;
	memset(w->next, 0, sizeof w->next);
	history_owner(w->txn_id, id, epoch);
}

static void
end_answered(struct call *call, const void *response)
{
	const struct wire_end_txn_response *r = response;
	struct writer *w = writer_of(call->client);

	if (is_passing(call->client, r->error_code))
		return;
	if (r->error_code != KAFKA_NONE) {
		refused(call->client, "EndTxn", r->error_code);
		return;
	}
	history_decide(w->txn, w->commits ? COMMITTED : ABORTED, "its answer");
	history_complete(w->txn);
	past->counts.commits += w->commits;
	past->counts.aborts += !w->commits;
	w->phase = IDLE;
	if (past->options.newer)
		go_on_as(w, r->producer_id, r->producer_epoch);
	if (one_in(3))
		rest(call->client, (int64_t)below(30));
}

static void
end(struct client *c)
{
	struct wire_end_txn_request q;
	struct writer *w = writer_of(c);
	struct txn_history *t = txn_of(w);
	char id[16];

	/* Who is fenced can ask for what it likes. */
	if (w->commits && !history_is_fenced(w->txn_id, w->id, w->epoch) && !t->commit_asked) {
		t->commit_asked = true;
		t->end_sent = event();
	}
	t->may_end = true;
	wire_end_txn_request_default(&q);
	q.transactional_id = id_text(w, id);
	q.producer_id = w->id;
	q.producer_epoch = w->epoch;
	q.committed = w->commits;
	call_send(call_new(c), WIRE_END_TXN, past->options.newer ? NEWER_END : OLDER_END, &q, end_answered);
}

/* ---- what comes next ---- */

static void
transactional_step(struct client *c)
{
	static void (*const steps[])(struct client *) = { [STARTS] = init, [IDLE] = begin, [ADDS] = add,
		[SENDS] = produce, [ADDS_GROUP] = add_group, [COMMITS_OFFSETS] = commit_offsets, [ENDS] = end };
	struct writer *w = writer_of(c);

	w->txn_id = c->number % TXN_IDS;
	if (one_in(120))
		start_over(w, one_in(2));
	else if (one_in(200))
		rest(c, 2 * (int64_t)past->options.txn_timeout_ms); /* so long that its time is over */
	else
		steps[w->phase](c);
}

const struct client_kind transactional_kind = { "transactional", 1, transactional_step };
