/* broker_producers.c -- simulated producers without transactions: plain ones, and idempotent ones. */
#include "faults/broker_clients.h"

#include <stdio.h>

#include "faults/broker_batches.h"
#include "wire/errors.h"

enum { FLIGHTS = 3, TIMEOUT_MS = 1 << 30, LAST_PLAIN_VERSION = 11 };

void
rest(struct client *c, int64_t ms)
{
	c->rests_until_ms = now_ms() + ms;
}

/* ---- Produce ---- */

void
send_batches(struct client *c, const int *numbers, int n, int version, int16_t acks, int txn_id,
    void (*answered)(struct call *, const void *))
{
	struct wire_produce_request_partition partitions[8];
	struct wire_produce_request_topic topics[8];
	struct wire_produce_request q;
	struct call *call = call_new(c);
	struct buf bytes[8];
	char id[16];

	wire_produce_request_default(&q);
	if (txn_id >= 0) {
		snprintf(id, sizeof id, "id-%d", txn_id);
		q.transactional_id = span_str(id);
	}
	q.acks = acks;
	q.timeout_ms = TIMEOUT_MS;
	q.topic_data = topics;
	for (int i = 0; i < n; i++) {
		struct sent *s = &past->sent[numbers[i]];

		bytes[i] = batch_make(numbers[i]);
		wire_produce_request_topic_default(&topics[i]);
		wire_produce_request_partition_default(&partitions[i]);
		topics[i].name = span_str(topic_kinds[topic_of(s->slot)].name);
		topics[i].partition_data = &partitions[i];
		topics[i].n_partition_data = 1;
		partitions[i].index = number_in(s->slot);
		partitions[i].records = buf_bytes(&bytes[i]);
		call->numbers[call->n++] = numbers[i];
		s->again = s->life != 0;
		if (!s->again && txn_id >= 0)
			s->forbidden = history_is_fenced(txn_id, s->producer_id, s->epoch);
		s->life = past->life;
		past->counts.appends++;
		past->counts.duplicates += s->again;
	}
	q.n_topic_data = (size_t)n;
	call->durable = acks == -1;
	call_send(call, WIRE_PRODUCE, version, &q, answered);
	for (int i = 0; i < n; i++)
		buf_done(&bytes[i]);
}

int
produce_error(const struct call *call, const struct wire_produce_response *r, int i, int64_t *base)
{
	int slot = past->sent[call->numbers[i]].slot;

	if (r->n_responses != (size_t)call->n || r->responses[i].n_partition_responses != 1 ||
	    !span_is(r->responses[i].name, topic_kinds[topic_of(slot)].name) ||
	    r->responses[i].partition_responses[0].index != number_in(slot))
		broken("the answer to a Produce request is of something else");
	*base = r->responses[i].partition_responses[0].base_offset;
	return r->responses[i].partition_responses[0].error_code;
}

/* ---- plain ones, which send nothing again ---- */

static void
plain_answered(struct call *call, const void *response)
{
	int number = call->numbers[0], error;
	int64_t base;

	error = produce_error(call, response, 0, &base);
	if (error == KAFKA_NONE)
		history_answered(number, base, call->durable);
	else if (error == KAFKA_UNKNOWN_TOPIC_OR_PARTITION && topic_kinds[topic_of(past->sent[number].slot)].remade)
		history_refused(number);
	else
		broken("partition %d: batch %d: error %d", past->sent[number].slot, number, error);
}

static void
plain_step(struct client *c)
{
	static const int16_t all_acks[] = { -1, -1, 1, 1, 0 };
	int slot = (int)below(SLOTS);
	int16_t acks = all_acks[below(5)];
	bool remade = topic_kinds[topic_of(slot)].remade;
	int number;

	if (!slot_is_there(slot) || (number = batch_new(slot, NULL, -1)) == -1)
		return;
	if (acks == 0 && remade)
		acks = 1; /* an error would end the connection */
	send_batches(c, &number, 1, 3 + (int)below(LAST_PLAIN_VERSION - 2), acks, -1, acks == 0 ? NULL : plain_answered);
}

const struct client_kind plain_kind = { "plain", FLIGHTS, plain_step };

/* ---- idempotent ones, which send again what was not answered, in order ---- */

static struct writer *
writer_of(const struct client *c)
{
	return &past->writers[c->number];
}

static void
forget_pending(struct writer *w, int number)
{
	for (int i = 0; i < w->n_pending; i++)
		if (w->pending[i] == number) {
			memmove(w->pending + i, w->pending + i + 1, sizeof(int) * (size_t)(--w->n_pending - i));
			return;
		}
}

static void
id_answered(struct call *call, const void *response)
{
	const struct wire_init_producer_id_response *r = response;
	struct writer *w = writer_of(call->client);

	if (r->error_code != KAFKA_NONE)
		broken("InitProducerId: error %d", r->error_code);
	for (int i = 0; i < WRITERS; i++)
		if (past->writers[i].id == r->producer_id)
			broken("producer id %lld is given out again", (long long)r->producer_id);
	*w = (struct writer){ .phase = IDLE, .id = r->producer_id, .epoch = r->producer_epoch };
}

static void
ask_for_id(struct client *c)
{
	struct wire_init_producer_id_request q;

	wire_init_producer_id_request_default(&q);
	q.transactional_id = span_of(NULL, 0);
	call_send(call_new(c), WIRE_INIT_PRODUCER_ID, 4, &q, id_answered);
}

static void
idempotent_answered(struct call *call, const void *response)
{
	struct writer *w = writer_of(call->client);
	int number = call->numbers[0], error;
	int64_t base;

	error = produce_error(call, response, 0, &base);
	/* Without the index, a producer is known by what is left of its batches. */
	if (error == KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER && past->torn) {
		w->phase = STARTS;
		return;
	}
	if (error != KAFKA_NONE)
		broken("partition %d: batch %d of an idempotent producer: error %d", past->sent[number].slot, number, error);
	history_answered(number, base, true);
	forget_pending(w, number);
}

static void
idempotent_step(struct client *c)
{
	struct writer *w = writer_of(c);
	int slot = (int)below(SLOTS), number;

	if (w->phase == STARTS) {
		if (c->n_calls == 0)
			ask_for_id(c);
		return;
	}
	for (int i = 0; i < w->n_pending; i++)
		if (past->sent[w->pending[i]].life != past->life) {
			send_batches(c, &w->pending[i], 1, 9, -1, -1, idempotent_answered);
			return;
		}
	if (one_in(150)) {
		w->phase = STARTS; /* another takes its place */
		w->n_pending = 0;
	} else if (w->n_pending < PENDING && slot_is_there(slot) && !topic_kinds[topic_of(slot)].remade &&
	    (number = batch_new(slot, w, -1)) != -1) {
		w->next[slot] += past->sent[number].count;
		w->pending[w->n_pending++] = number;
	}
}

const struct client_kind idempotent_kind = { "idempotent", FLIGHTS, idempotent_step };
