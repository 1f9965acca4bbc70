/* broker_consumers.c -- simulated readers, and those who commit offsets without being members of a group. */
#include "faults/broker_clients.h"

#include <stdio.h>

#include "wire/errors.h"

enum { ALONE, FETCH_BY_NAME = 12, FETCH_BY_ID = 16, OFFSET_FETCH_VERSION = 8, COMMIT_VERSION = 7 };

/* ---- Fetch ---- */

void
send_fetch(struct client *c, const struct fetching *f, void (*answered)(struct call *, const void *))
{
	const struct topic_history *t = &past->topics[topic_of(f->slot)];
	struct wire_fetch_request_partition partition;
	struct wire_fetch_request_topic topic;
	struct wire_fetch_request q;
	struct call *call = call_new(c);

	wire_fetch_request_default(&q);
	wire_fetch_request_topic_default(&topic);
	wire_fetch_request_partition_default(&partition);
	q.max_wait_ms = f->max_wait_ms;
	q.min_bytes = 1;
	q.max_bytes = f->max_bytes;
	q.isolation_level = f->committed;
	q.topics = &topic;
	q.n_topics = 1;
	topic.topic = span_str(topic_kinds[topic_of(f->slot)].name);
	memcpy(topic.topic_id, t->id, sizeof topic.topic_id);
	topic.partitions = &partition;
	topic.n_partitions = 1;
	partition.partition = number_in(f->slot);
	partition.fetch_offset = f->offset;
	partition.partition_max_bytes = f->max_bytes;
	call->slot = f->slot;
	call->reader = f->reader;
	call->incarnation = t->incarnation;
	call->offset = f->offset;
	call->committed = f->committed;
	call_send(call, WIRE_FETCH, one_in(2) ? FETCH_BY_NAME : FETCH_BY_ID, &q, answered);
}

int64_t
fetch_judged(const struct call *call, const struct wire_fetch_response *r)
{
	if (call->incarnation != past->topics[topic_of(call->slot)].incarnation || !slot_is_there(call->slot))
		return -2;
	if (r->error_code != KAFKA_NONE || r->n_responses != 1 || r->responses[0].n_partitions != 1 ||
	    r->responses[0].partitions[0].partition_index != number_in(call->slot))
		broken("partition %d: fetching %lld: error %d", call->slot, (long long)call->offset, r->error_code);
	return history_fetched(call->slot, call->offset, call->committed, call->reader,
	    &r->responses[0].partitions[0], &call->known);
}

static struct reader *
reader_of(const struct client *c, int slot)
{
	return &past->readers[c->number][slot];
}

static void
begin_at(struct reader *r, int slot, int64_t offset)
{
	*r = (struct reader){ .from = offset, .at = offset,
		.incarnation = past->topics[topic_of(slot)].incarnation };
}

static void
read_on(struct call *call, const void *response)
{
	struct reader *r = reader_of(call->client, call->slot);
	int64_t next = fetch_judged(call, response);

	if (next == -2 || r->at != call->offset)
		return; /* it is somewhere else by now */
	if (next == -1)
		begin_at(r, call->slot, past->slots[call->slot].log_start);
	else
		r->at = next;
}

static void
reader_step(struct client *c)
{
	struct fetching f = { .slot = (int)below(SLOTS), .committed = c->number % 2 == 0, .reader = c->number,
		.max_wait_ms = one_in(3) ? 0 : (int32_t)below(60), .max_bytes = one_in(4) ? 100 : (int32_t)below(40000) + 1 };
	struct reader *r = reader_of(c, f.slot);

	if (!slot_is_there(f.slot))
		return;
	if (one_in(60) || r->incarnation != past->topics[topic_of(f.slot)].incarnation)
		begin_at(r, f.slot, 0);
	f.offset = r->at;
	send_fetch(c, &f, read_on);
}

const struct client_kind reader_kind = { "reader", 2, reader_step };

/* ---- committed offsets ---- */

struct span
commit_metadata(int number, char to[32])
{
	snprintf(to, 32, "commit %d", number);
	return span_str(to);
}

void
send_commit(struct client *c, int group, const char *member, int32_t generation, int version,
    void (*answered)(struct call *, const void *))
{
	struct wire_offset_commit_request_partition partition;
	struct wire_offset_commit_request_topic topic;
	struct wire_offset_commit_request q;
	int slot = (int)below(COMMIT_SLOTS), number = commit_new(group, slot, -1);
	struct call *call;
	char text[32];

	if (number == -1)
		return;
	call = call_new(c);
	wire_offset_commit_request_default(&q);
	wire_offset_commit_request_topic_default(&topic);
	wire_offset_commit_request_partition_default(&partition);
	q.group_id = span_str(group_names[group]);
	q.generation_id_or_member_epoch = generation;
	q.member_id = span_str(member);
	q.topics = &topic;
	q.n_topics = 1;
	topic.name = span_str(topic_kinds[topic_of(slot)].name);
	topic.partitions = &partition;
	topic.n_partitions = 1;
	partition.partition_index = number_in(slot);
	partition.committed_offset = number;
	partition.committed_metadata = commit_metadata(number, text);
	call->numbers[call->n++] = number;
	call_send(call, WIRE_OFFSET_COMMIT, version, &q, answered);
}

int
commit_error(const struct wire_offset_commit_response *r)
{
	if (r->n_topics != 1 || r->topics[0].n_partitions != 1)
		broken("the answer to an OffsetCommit is of something else");
	return r->topics[0].partitions[0].error_code;
}

void
send_offset_fetch(struct client *c, int group, bool stable, void (*answered)(struct call *, const void *))
{
	struct wire_offset_fetch_request_group asked;
	struct wire_offset_fetch_request_topic topic;
	struct wire_offset_fetch_request q;
	struct call *call = call_new(c);
	int32_t numbers[COMMIT_SLOTS];

	wire_offset_fetch_request_default(&q);
	wire_offset_fetch_request_group_default(&asked);
	asked.group_id = span_str(group_names[group]);
	asked.topics = NULL; /* all */
	if (one_in(2)) {
		wire_offset_fetch_request_topic_default(&topic);
		topic.name = span_str(topic_kinds[0].name);
		topic.partition_indexes = numbers;
		for (int32_t i = 0; i < COMMIT_SLOTS; i++)
			numbers[topic.n_partition_indexes++] = i;
		asked.topics = &topic;
		asked.n_topics = 1;
	}
	q.groups = &asked;
	q.n_groups = 1;
	q.require_stable = stable;
	call->group = group;
	call->stable = stable;
	call_send(call, WIRE_OFFSET_FETCH, OFFSET_FETCH_VERSION, &q, answered);
}

bool
offset_fetch_judged(const struct call *call, const struct wire_offset_fetch_response *r)
{
	bool told[COMMIT_SLOTS] = { false }, unstable = false;

	if (r->n_groups != 1 || r->groups[0].error_code != KAFKA_NONE)
		broken("OffsetFetch of group %s: error %d", group_names[call->group],
		    r->n_groups == 1 ? r->groups[0].error_code : -1);
	for (size_t i = 0; i < r->groups[0].n_topics; i++)
		for (size_t k = 0; k < r->groups[0].topics[i].n_partitions; k++) {
			const struct wire_offset_fetch_response_partition *p = &r->groups[0].topics[i].partitions[k];

			if (!span_is(r->groups[0].topics[i].name, topic_kinds[0].name) || p->partition_index < 0 ||
			    p->partition_index >= COMMIT_SLOTS)
				broken("group %s has an offset where nobody committed one", group_names[call->group]);
			told[p->partition_index] = true;
			unstable = unstable || p->error_code == KAFKA_UNSTABLE_OFFSET_COMMIT;
			history_offset(call->group, p->partition_index, call->stable, p->error_code, p->committed_offset,
			    p->metadata, &call->known);
		}
	for (int slot = 0; slot < COMMIT_SLOTS; slot++)
		if (!told[slot])
			history_offset(call->group, slot, false, KAFKA_NONE, -1, span_of(NULL, 0), &call->known);
	return unstable;
}

static void
alone_committed(struct call *call, const void *response)
{
	int error = commit_error(response);

	if (error != KAFKA_NONE)
		broken("OffsetCommit of a group without members: error %d", error);
	commit_answered(call->numbers[0]);
}

static void
offsets_fetched(struct call *call, const void *response)
{
	offset_fetch_judged(call, response);
}

static void
committer_step(struct client *c)
{
	if (one_in(2))
		send_commit(c, ALONE, "", -1, COMMIT_VERSION, alone_committed);
	else
		send_offset_fetch(c, (int)below(GROUPS), one_in(2), offsets_fetched);
}

const struct client_kind committer_kind = { "committer", 2, committer_step };
