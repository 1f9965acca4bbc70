/* broker_admin.c -- the simulated clients that make and change topics, and the one that checks everything at a start. */
#include "faults/broker_clients.h"

#include <stdio.h>

#include "wire/errors.h"

enum { METADATA_VERSION = 12, CREATE_VERSION = 7, DELETE_VERSION = 5, CUT_VERSION = 2, SCAN_BYTES = 100000, SETTINGS = 5 };

/* ---- making topics ---- */

static int
topic_settings(int topic, struct wire_create_topics_request_config *to, char texts[SETTINGS][24])
{
	const struct topic_kind *kind = &topic_kinds[topic];
	int n = 0;

	snprintf(texts[0], sizeof texts[0], "%d", (int)past->options.segment_bytes);
	to[n++] = (struct wire_create_topics_request_config){ span_str("segment.bytes"), span_str(texts[0]) };
	to[n++] = (struct wire_create_topics_request_config){ span_str("segment.ms"), span_str("1500") };
	if (kind->compacted) {
		to[n++] = (struct wire_create_topics_request_config){ span_str("cleanup.policy"), span_str("compact") };
		to[n++] = (struct wire_create_topics_request_config){ span_str("min.cleanable.dirty.ratio"), span_str("0.2") };
		to[n++] = (struct wire_create_topics_request_config){ span_str("delete.retention.ms"),
			span_str(past->options.tombstones_go ? "400" : "86400000") };
	} else if (kind->retained) {
		snprintf(texts[1], sizeof texts[1], "%d", (int)past->options.segment_bytes * 3);
		to[n++] = (struct wire_create_topics_request_config){ span_str("retention.bytes"), span_str(texts[1]) };
	} else
		to[n++] = (struct wire_create_topics_request_config){ span_str("retention.ms"), span_str("-1") };
	return n;
}

static void
topics_made(struct call *call, const void *response)
{
	const struct wire_create_topics_response *r = response;

	(void)call;
	for (size_t i = 0; i < r->n_topics; i++)
		for (int t = 0; t < TOPICS; t++)
			if (span_is(r->topics[i].name, topic_kinds[t].name)) {
				if (r->topics[i].error_code != KAFKA_NONE)
					broken("topic %s can't be made: error %d: %.*s", topic_kinds[t].name, r->topics[i].error_code,
					    (int)r->topics[i].error_message.n, (const char *)r->topics[i].error_message.p);
				history_new_incarnation(t, r->topics[i].topic_id);
			}
}

/* All that are not there; false: all are. */
static bool
make_topics(struct client *c)
{
	struct wire_create_topics_request_topic topics[TOPICS];
	struct wire_create_topics_request_config configs[TOPICS][SETTINGS];
	struct wire_create_topics_request q;
	char texts[TOPICS][SETTINGS][24];

	wire_create_topics_request_default(&q);
	q.topics = topics;
	for (int t = 0; t < TOPICS; t++) {
		struct wire_create_topics_request_topic *to = &topics[q.n_topics];

		if (past->topics[t].exists)
			continue;
		wire_create_topics_request_topic_default(to);
		to->name = span_str(topic_kinds[t].name);
		to->num_partitions = topic_kinds[t].partitions;
		to->replication_factor = 1;
		to->configs = configs[t];
		to->n_configs = (size_t)topic_settings(t, configs[t], texts[t]);
		past->topics[t].unsettled = true;
		q.n_topics++;
	}
	if (q.n_topics == 0)
		return false;
	call_send(call_new(c), WIRE_CREATE_TOPICS, CREATE_VERSION, &q, topics_made);
	return true;
}

/* ---- deleting ---- */

static void
topic_deleted(struct call *call, const void *response)
{
	const struct wire_delete_topics_response *r = response;
	struct topic_history *t = &past->topics[call->topic];

	if (r->n_responses != 1 || r->responses[0].error_code != KAFKA_NONE)
		broken("topic %s can't be deleted", topic_kinds[call->topic].name);
	t->exists = t->unsettled = false;
	past->counts.remade++;
}

static void
delete_topic(struct client *c)
{
	struct wire_delete_topics_request q;
	struct call *call;
	struct span name;
	int t = 0;

	while (!topic_kinds[t].remade)
		t++;
	if (!past->topics[t].exists)
		return;
	wire_delete_topics_request_default(&q);
	name = span_str(topic_kinds[t].name);
	q.topic_names = &name;
	q.n_topic_names = 1;
	call = call_new(c);
	call->topic = t;
	past->topics[t].unsettled = true;
	call_send(call, WIRE_DELETE_TOPICS, DELETE_VERSION, &q, topic_deleted);
}

static void
front_cut(struct call *call, const void *response)
{
	const struct wire_delete_records_response *r = response;
	const struct wire_delete_records_response_partition *p = &r->topics[0].partitions[0];
	struct slot *slot = &past->slots[call->slot];

	if (p->error_code == KAFKA_OFFSET_OUT_OF_RANGE && call->offset > call->known.high_watermark[call->slot])
		return;
	if (p->error_code != KAFKA_NONE || p->low_watermark < call->offset)
		broken("partition %d: cut at %lld: error %d, it begins at %lld", call->slot, (long long)call->offset,
		    p->error_code, (long long)p->low_watermark);
	if (p->low_watermark > slot->log_start)
		slot->log_start = p->low_watermark;
	past->counts.cuts++;
}

static void
cut_front(struct client *c)
{
	struct wire_delete_records_request_partition partition;
	struct wire_delete_records_request_topic topic;
	struct wire_delete_records_request q;
	struct call *call;
	int slot = 0;
	int64_t n;

	while (!topic_kinds[topic_of(slot)].cut)
		slot++;
	call = call_new(c);
	n = call->known.high_watermark[slot] - past->slots[slot].log_start;
	wire_delete_records_request_default(&q);
	wire_delete_records_request_topic_default(&topic);
	wire_delete_records_request_partition_default(&partition);
	q.topics = &topic;
	q.n_topics = 1;
	topic.name = span_str(topic_kinds[topic_of(slot)].name);
	topic.partitions = &partition;
	topic.n_partitions = 1;
	partition.partition_index = number_in(slot);
	call->slot = slot;
	call->offset = partition.offset = past->slots[slot].log_start + (n <= 0 ? 0 : (int64_t)below((size_t)n + 1));
	if (call->offset > past->slots[slot].cut_tried)
		past->slots[slot].cut_tried = call->offset;
	call_send(call, WIRE_DELETE_RECORDS, CUT_VERSION, &q, front_cut);
}

static void
admin_step(struct client *c)
{
	if (one_in(40))
		cut_front(c);
	else if (past->options.remakes && one_in(60))
		delete_topic(c);
	else if (one_in(8))
		make_topics(c);
	else if (one_in(80))
		broker_checkpoint();
}

const struct client_kind admin_kind = { "admin", 1, admin_step };

/* ---- checking ---- */

/* What is looked at, in this order: client->task. */
enum { LOOKS_FOR_TOPICS, MAKES_TOPICS, SCANS, SCANS_COMMITTED, FETCHES_OFFSETS, HAS_CHECKED };

static void
topics_told(struct call *call, const void *response)
{
	const struct wire_metadata_response *r = response;

	for (int t = 0; t < TOPICS; t++) {
		const uint8_t *id = NULL;

		for (size_t i = 0; i < r->n_topics; i++)
			if (span_is(r->topics[i].name, topic_kinds[t].name))
				id = r->topics[i].topic_id;
		history_topic(t, id);
	}
	call->client->task = MAKES_TOPICS;
}

static void
ask_topics(struct client *c)
{
	struct wire_metadata_request q;

	wire_metadata_request_default(&q);
	q.topics = NULL; /* all */
	q.allow_auto_topic_creation = false;
	call_send(call_new(c), WIRE_METADATA, METADATA_VERSION, &q, topics_told);
}

static void
begin_scan(struct client *c, int task)
{
	c->task = task;
	c->slot = 0;
	memset(c->at, 0, sizeof c->at);
	if (task == SCANS)
		history_scan_begin();
	else if (task == FETCHES_OFFSETS)
		history_scan_end();
}

static void
next_slot(struct client *c)
{
	while (++c->slot < SLOTS && !slot_is_there(c->slot))
		;
	if (c->slot == SLOTS)
		begin_scan(c, c->task + 1);
}

static void
scanned(struct call *call, const void *response)
{
	const struct wire_fetch_response *r = response;
	struct client *c = call->client;
	int64_t next = fetch_judged(call, r);
	const struct wire_fetch_response_partition *p = &r->responses[0].partitions[0];
	int64_t end = call->committed ? p->last_stable_offset : p->high_watermark;

	if (next == -1 && p->error_code == KAFKA_CORRUPT_MESSAGE)
		next_slot(c);
	else if (next == -1)
		c->at[c->slot] = past->slots[c->slot].log_start;
	if (next == -1)
		return;
	/* Offsets may have been skipped up to where a transaction is open. */
	if (next == call->offset && next < end && (!call->committed || history_has(c->slot, next, end)))
		broken("partition %d: nothing at %lld, before %lld", c->slot, (long long)next, (long long)end);
	c->at[c->slot] = next;
	if ((next >= end || next == call->offset) && p->error_code == KAFKA_NONE)
		next_slot(c);
}

static void
offsets_told(struct call *call, const void *response)
{
	struct client *c = call->client;
	bool unstable = offset_fetch_judged(call, response);

	if (unstable && c->final)
		broken("group %s: an offset is pending for ever", group_names[call->group]);
	if (++c->slot < 2 * GROUPS)
		return;
	c->task = HAS_CHECKED;
	if (c->final)
		history_scan_final();
	c->checked();
}

static void
checker_step(struct client *c)
{
	switch (c->task) {
	case LOOKS_FOR_TOPICS:
		ask_topics(c);
		break;
	case MAKES_TOPICS:
		if (!make_topics(c))
			begin_scan(c, SCANS);
		break;
	case SCANS:
	case SCANS_COMMITTED:
		send_fetch(c, &(struct fetching){ .slot = c->slot, .offset = c->at[c->slot], .reader = -1,
		    .committed = c->task == SCANS_COMMITTED, .max_bytes = SCAN_BYTES }, scanned);
		break;
	case FETCHES_OFFSETS:
		send_offset_fetch(c, c->slot % GROUPS, c->slot < GROUPS, offsets_told);
		break;
	default:
		break;
	}
}

const struct client_kind checker_kind = { "checker", 1, checker_step };
